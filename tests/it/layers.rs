//! The import rule: which room may name which.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each room may import besides itself. The house's plain files (`config`, `telemetry`) stand
/// above the rooms; `telemetry` holds only numbers and may be named by the wiring.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("audio", &[][..]),
        ("detect", &["audio"]),
        ("asr", &["audio"]),
        ("tts", &["audio"]),
        ("intent", &[]),
        ("home", &[]),
        ("store", &[]),
        ("models", &[]),
        ("dialogue", &["intent", "home", "store"]),
        (
            "session",
            &[
                "audio",
                "detect",
                "asr",
                "intent",
                "home",
                "dialogue",
                "tts",
                "models",
                "telemetry",
                "store",
                "remote",
            ],
        ),
        ("remote", &["asr", "tts", "audio"]),
        // The page shows the home and the models themselves.
        (
            "serve",
            &[
                "session",
                "asr",
                "tts",
                "telemetry",
                "audio",
                "detect",
                "dialogue",
                "home",
                "models",
                "remote",
            ],
        ),
        ("telemetry", &[]),
        (
            "config",
            &[
                "audio", "detect", "asr", "intent", "home", "dialogue", "tts", "models", "session",
                "serve", "store",
            ],
        ),
    ])
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The rooms that a line of code names through `crate::`.
fn named(line: &str) -> Vec<&str> {
    line.match_indices("crate::")
        .filter_map(|(at, path)| {
            let rest = &line[at + path.len()..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            Some(&rest[..end]).filter(|name| !name.is_empty())
        })
        .collect()
}

#[test]
fn rooms_import_only_what_the_rule_allows() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed = allowed();
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut breaches = Vec::new();
    let mut looked_at = 0;
    for file in files {
        let inside = file.strip_prefix(&source).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        // The binary's own modules reach the library as `hearken::`, from outside.
        if matches!(room, "lib" | "main" | "cli" | "commands") {
            continue;
        }
        let may = allowed.get(room).unwrap_or_else(|| panic!("no rule for the room {room}"));
        for (number, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            if code.contains("crate::{") {
                breaches.push(format!(
                    "{}:{}: a grouped import hides rooms from this test; write one line each",
                    inside.display(),
                    number + 1
                ));
            }
            for name in named(code) {
                looked_at += 1;
                let known = allowed.contains_key(name);
                if known && name != room && !may.contains(&name) {
                    breaches.push(format!(
                        "{}:{}: {room} names {name}",
                        inside.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(looked_at > 10, "found hardly any imports: is the test reading the sources?");
    assert!(breaches.is_empty(), "against the import rule:\n{}", breaches.join("\n"));
}

#[test]
fn rooms_have_no_cycles() {
    let allowed = allowed();
    fn reaches(
        from: &str,
        to: &str,
        allowed: &BTreeMap<&'static str, &'static [&'static str]>,
    ) -> bool {
        allowed
            .get(from)
            .is_some_and(|next| next.iter().any(|&n| n == to || reaches(n, to, allowed)))
    }
    for room in allowed.keys() {
        assert!(!reaches(room, room, &allowed), "{room} imports itself in a circle");
    }
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    assert_eq!(named("use crate::audio::Frame;"), ["audio"]);
    assert_eq!(
        named("pub(crate) fn f(x: &crate::home::Home) -> crate::tts::Voice {"),
        ["home", "tts"]
    );
    assert_eq!(named("let x = 1;"), Vec::<&str>::new());
}
