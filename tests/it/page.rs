//! The page in a real browser, without a screen, which hears recordings as its microphone.

use std::path::Path;

use hearken::audio::{WavWriter, read_mono_16k};
use serde_json::Value;

use crate::doors::{Server, recording, recording_then, steps};

/// A recording with silence around it: before, until the page has everything ready, and behind, as in
/// a room.
fn spoken(name: &str, into: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recordings").join(name);
    let samples = read_mono_16k(path).unwrap();
    let target = into.join(name).with_extension("wav");
    let mut wav = WavWriter::create(&target, 16_000).unwrap();
    wav.push(&[0.0; 16_000]).unwrap();
    wav.push(&samples).unwrap();
    wav.push(&vec![0.0; 12 * 16_000]).unwrap();
    wav.finish().unwrap();
    target.display().to_string()
}

/// The pictures in docs/ are made anew with `HEARKEN_SCREENSHOTS=write`.
fn pictures() -> Option<String> {
    let wanted = std::env::var("HEARKEN_SCREENSHOTS").is_ok_and(|own| own == "write");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    wanted.then(|| folder.display().to_string())
}

#[test]
fn the_page_hears_shows_explains_and_learns() {
    let server = Server::start("max_per_address = 64\n");
    let folder = server.folder.path();
    let (english, chinese) = (spoken("1.flac", folder), spoken("6.flac", folder));
    let url = format!("http://{}", server.http);
    let into = folder.display().to_string();
    let pictures = pictures();
    let mut args = vec![&*url, &*english, &*chinese, &*into];
    args.extend(pictures.as_deref());
    let steps = steps("page_client.py", &args);

    let open = &steps["open"];
    assert!(open["bytes"].as_u64().unwrap() < 300_000, "{open}");
    assert_eq!((&open["strangers"], &open["language"]), (&Value::Array(vec![]), &"en".into()));
    for step in ["open", "talked", "asked", "wrong", "captions", "health"] {
        assert_eq!(steps[step]["axe"], Value::Array(vec![]), "{step}");
    }
    for picture in ["page-desktop", "page-phone", "page-chinese", "captions", "health"] {
        let layout = &steps[&format!("layout-{picture}")];
        assert_eq!(layout["overflow"], false, "{picture} is wider than its screen");
    }
    for (step, words, partial) in
        // The Chinese command is over before a part of it can be shown.
        [("english", "kitchen light", "kitchen"), ("chinese", "书房", "")]
    {
        let turn = &steps[step];
        let text = |key: &str| turn[key].as_str().unwrap().to_lowercase();
        assert!(text("said").contains(words), "{step}: {turn}");
        assert!(text("partial").contains(partial), "{step}: {turn}");
        assert!(!text("reply").is_empty() && turn["before"] == "off", "{step}: {turn}");
        assert_eq!((&turn["lit"], &turn["decision"]), (&true.into(), &true.into()), "{step}");
        assert!(turn["loudest"].as_f64().unwrap() > 0.02, "{step}: {turn}");
        assert!(turn["wave"].as_u64().unwrap() > 500, "{step}: {turn}");
        for part in ["endpoint_delay", "understanding", "first_audio"] {
            assert!(turn["waterfall"][part].as_f64().unwrap() >= 0.0, "{step}: {part}");
        }
        assert!(turn["explained"].as_str().unwrap().contains("light.turn_on"), "{step}");
    }
    assert_eq!(steps["chinese"]["language"], "zh");
    assert!(steps.contains_key("together"), "two browsers see the same home");
    assert_eq!(steps["asked"]["state"], "locked", "nothing is unlocked before it is agreed to");
    assert!(steps["stopped"]["note"].as_str().unwrap().contains("heard until here"));
    let again = &steps["again"];
    assert!(again["heard"].as_str().unwrap().to_lowercase().contains("kitchen light"), "{again}");
    assert!(again["what_if"].as_f64().unwrap() > 5.0, "{again}");
    let wrong = &steps["wrong"];
    assert_eq!(wrong["name"], "cooking sun");
    assert_eq!(wrong["before"], Value::Array(vec![]), "nothing is learned before it is agreed to");
    let lesson = &steps["learned"]["lessons"][0]["lesson"];
    assert_eq!((&lesson["kind"], &lesson["entity"]), (&"name".into(), &"light.kitchen".into()));
    assert!(folder.join("hearken/home.db").exists(), "lessons are kept");
    assert!(steps["lost"]["told"].as_str().unwrap().contains("断开"), "{}", steps["lost"]);
    let captions = &steps["captions"];
    assert!(
        captions["text"].as_str().unwrap().to_lowercase().contains("kitchen light"),
        "{captions}"
    );
    assert_eq!(captions["live"], "polite");
    let saved = |kind: &str| steps["saved"][kind].as_str().unwrap().to_lowercase();
    assert!(
        saved("vtt").starts_with("webvtt\n\n00:00:0") && saved("srt").starts_with("1\n00:00:0")
    );
    assert!(saved("srt").contains(" --> 00:00:0") && saved("srt").contains("kitchen light"));
    for page in ["one", "two"] {
        assert_eq!(steps["complaints"][page], Value::Array(vec![]), "{page}");
    }
}

#[test]
fn who_speaks_into_an_answer_on_the_page_stops_it() {
    let server = Server::start("");
    let folder = server.folder.path();
    let (question, command) = (recording("5.flac", folder), recording_then(1, "1.flac", folder));
    let (url, into) = (format!("http://{}", server.http), folder.display().to_string());
    let told =
        &steps("page_client.py", &["--interrupt", &url, &question, &command, &into])["interrupted"];
    assert_eq!(told["before"], "off", "{told}");
    assert!(told["note"].as_str().unwrap().contains("heard until here"), "{told}");
    // On an idle machine within 150 ms of the voice; the tests share theirs, and the recording begins with a breath.
    assert!(told["quiet_ms"].as_f64().unwrap() < 2000.0, "{told}");
}

#[test]
fn the_page_is_cached_guarded_and_asks_for_a_token() {
    let token = hearken::serve::token_hash("secret");
    let server = Server::start(&format!("tokens = [\"{token}\"]\n"));
    let page = server.get("/");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for header in ["default-src 'self'", "nosniff", "frame-ancestors 'none'", "no-cache"] {
        assert!(page.contains(header), "{header} is not in\n{page}");
    }
    let tag = page.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = server.get(&format!("/ HTTP/1.1\r\nif-none-match: {tag}\r\nx-rest:"));
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
    for path in ["/api/home", "/api/live", "/api/lessons", "/api/health", "/api/models"] {
        let answer = server.get(path);
        assert!(answer.starts_with("HTTP/1.1 401"), "{path}: {answer}");
    }
    let answer = server.get("/../Cargo.toml");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");

    let (url, folder) =
        (format!("http://{}", server.http), server.folder.path().display().to_string());
    let steps = steps("page_client.py", &["--token", &url, "secret", &folder]);
    assert_eq!(
        (&steps["token"]["shut"], &steps["token"]["axe"]),
        (&true.into(), &Value::Array(vec![]))
    );
    assert!(!steps["token"]["reply"].as_str().unwrap().is_empty());
}
