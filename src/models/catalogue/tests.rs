use std::path::Path;

use super::{Catalogue, Entry, Kind, SHIPPED, VoiceEngine};
use crate::models::{ModelError, Part};

/// Licences that a model of the catalogue may have.
const PERMISSIVE: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "MIT OR Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CC-BY-4.0",
    "LicenseRef-public-domain",
];

#[test]
fn every_shipped_file_is_sound() {
    let catalogue = Catalogue::shipped().unwrap();
    assert_eq!(catalogue.entries().count(), SHIPPED.len());
    assert!(SHIPPED.len() > 70, "only {} files", SHIPPED.len());
    for (file, _) in SHIPPED {
        let id = file.strip_suffix(".toml").unwrap();
        assert!(catalogue.entry(id).is_ok(), "{file} must be named after its id");
    }
    for entry in catalogue.entries() {
        let id = &entry.id;
        assert!(entry.shipped && !entry.name.is_empty(), "{id}");
        assert!(entry.description.ends_with('.'), "{id}: {:?}", entry.description);
        // What nobody checked is never fetched unasked.
        let unchecked = entry.licence == "LicenseRef-unchecked" && !entry.default;
        assert!(
            unchecked || PERMISSIVE.contains(&entry.licence.as_str()),
            "{id}: {}",
            entry.licence
        );
        assert!(spdx::Expression::parse(&entry.licence).is_ok(), "{id}: {}", entry.licence);
        catalogue.with_requirements(&[id]).unwrap();
        for f in &entry.all_files {
            assert!(!f.from.is_empty(), "{id}: {} has no source", f.name);
            let registry = f.from.iter().any(|s| s.parts().all(|p| p.archive().is_some()));
            if registry || entry.default {
                assert!(registry, "{id}: {} must be on a registry too", f.name);
                assert!(f.size.is_some() && f.sha256.is_some(), "{id}: {}", f.name);
            }
            for part in f.from.iter().flat_map(|s| s.parts()) {
                if let Part::Member(archive, _) = part {
                    assert!(archive.bytes.is_some(), "{id}: {} has no size", archive.label());
                }
            }
        }
        if entry.default {
            let known = entry.installed_files().iter().all(|f| f.sha256.is_some());
            assert!(known, "{id}: the result has no checksum");
        }
        assert_eq!(
            entry.kind == Kind::Recogniser,
            entry.installed_files().iter().any(|f| f.name.starts_with("ggml-"))
                && entry.kind != Kind::Detector,
            "{id}"
        );
        if let Some(voice) = &entry.voice {
            assert!([22_050, 24_000].contains(&voice.sample_rate), "{id}");
            assert_eq!(voice.engine == VoiceEngine::Vits, voice.settings.is_some(), "{id}");
            let takes_pinyin = voice.engine == VoiceEngine::Vits && entry.languages == ["zh-CN"];
            assert!(takes_pinyin || !voice.pinyin, "{id}");
            assert_eq!(
                voice.engine == VoiceEngine::Kokoro,
                entry.requires == ["kokoro-82m"],
                "{id}"
            );
        }
    }
}

#[test]
fn the_defaults_speak_and_hear_both_languages() {
    let catalogue = Catalogue::shipped().unwrap();
    let defaults = catalogue.defaults();
    for id in [
        "whisper-base",
        "silero-vad",
        "onnxruntime",
        "piper-en-us-joe-medium",
        "kokoro-82m",
        "kokoro-zf-xiaobei",
    ] {
        assert!(defaults.contains(&id), "{id} is not among {defaults:?}");
    }
    let kokoro =
        catalogue.entries().filter(|e| e.id.starts_with("kokoro-") && e.kind == Kind::Voice);
    assert_eq!(kokoro.count(), 54);
    let sentences = catalogue.entry("home-assistant-intents").unwrap();
    assert_eq!(sentences.files().count(), 65);
    // One package, counted once.
    assert!(sentences.fetch_bytes() < 1_000_000);
    let base = catalogue.entry("whisper-base").unwrap();
    assert_eq!((base.disk_bytes(), base.fetch_bytes()), (147_951_465, 66_273_783 + 67_069_883));
}

#[test]
fn unknown_ids_are_told_what_looks_like_them() {
    let catalogue = Catalogue::shipped().unwrap();
    for (id, want) in [
        ("whisper-bse", "whisper-base"),
        ("xiaobei", "kokoro-zf-xiaobei"),
        ("Kokoro_82M", "kokoro-82m"),
        ("silero vad", "silero-vad"),
    ] {
        let ModelError::Unknown { nearest, .. } = catalogue.entry(id).unwrap_err() else {
            panic!()
        };
        assert!(nearest.iter().any(|n| n == want), "{id}: {nearest:?}");
    }
    let error = catalogue.entry("zzzz").unwrap_err().to_string();
    assert!(error.contains("zzzz") && error.contains("models list"), "{error}");
}

#[test]
fn files_that_cannot_be_used_say_why() {
    let good = "id = \"a\"\nkind = \"detector\"\nname = \"A\"\nlicence = \"MIT\"\n[[files]]\nname = \"f\"\nfrom = [{ pip = \"p==1\", path = \"x/{name}\" }]\n";
    let entry = Entry::parse("a.toml", good).unwrap();
    assert_eq!(entry.all_files[0].from[0].to_string(), "pip p==1 (x/f)");
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    for (text, part) in [
        (with("id = \"a\"", "id = \"A b\""), "a-z"),
        (with("id = \"a\"", "id = \"catalogue\""), "folder that Hearken needs"),
        (with("detector", "toaster"), "toaster"),
        (with("licence", "license"), "license"),
        (with("name = \"f\"", "name = \"a/f\""), "plain name"),
        (with("name = \"f\"", "name = \"f\"\nsha256 = \"AB\""), "64 lower-case"),
        (with("p==1", "p>=1"), "NAME==VERSION"),
        (with("p==1", "--index-url==1"), "NAME==VERSION"),
        (with("pip = \"p==1\"", "hub = \"p\""), "OWNER/NAME"),
        (with("pip = \"p==1\"", "npm = \"p\""), "NAME@VERSION"),
        (with("x/{name}", "../{name}"), "inside the package"),
        (with("pip = \"p==1\", ", ""), "exactly one of"),
        (with("path = \"x/{name}\"", "tag = \"t\""), "needs `path`"),
        (with("detector", "voice"), "[voice]"),
        (
            format!("{good}[voice]\nengine = \"vits\"\nsample_rate = 1\nfile = \"f\"\n"),
            "cannot have",
        ),
        (format!("{good}[[files]]\nname = \"f\"\n"), "named twice"),
    ] {
        let error = Entry::parse("a.toml", &text).unwrap_err().to_string();
        assert!(error.starts_with("a.toml: ") && error.contains(part), "want {part:?}: {error}");
    }
}

#[test]
fn a_users_files_stand_beside_the_shipped_ones() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, id: &str| {
        let text = format!(
            "id = \"{id}\"\nkind = \"detector\"\nname = \"A\"\nlicence = \"MIT\"\n[[files]]\nname = \"f\"\n"
        );
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    let mut catalogue = Catalogue::shipped().unwrap();
    catalogue.add_folder(Path::new("/nowhere/at/all")).unwrap();
    write("mine.toml", "mine");
    write("not-toml.txt", "other");
    catalogue.add_folder(folder.path()).unwrap();
    assert!(!catalogue.entry("mine").unwrap().shipped);
    assert!(catalogue.entry("other").is_err());
    write("twin.toml", "silero-vad");
    let error = Catalogue::shipped().unwrap().add_folder(folder.path()).unwrap_err().to_string();
    assert!(error.contains("twin.toml") && error.contains("taken"), "{error}");
}
