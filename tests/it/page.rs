//! The page in a real browser, without a screen, which hears recordings as its microphone.

use std::path::{Path, PathBuf};

use hearken::audio::{WavWriter, read_mono_16k};
use serde_json::Value;

use crate::doors::{Server, recording, recording_then, steps};
use crate::installed;

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

/// Whatever in a folder is not the home's database.
fn sounds(folder: &Path) -> Vec<PathBuf> {
    let listing = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    listing
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with("home.db"))
        .collect()
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
    // The quickest of five: what else runs here only makes it slower.
    assert!(open["first_paint_ms"].as_f64().unwrap() < 200.0, "{open}");
    assert_eq!((&open["strangers"], &open["language"]), (&Value::Array(vec![]), &"en".into()));
    for step in ["open", "talked", "asked", "wrong", "captions", "health"] {
        assert_eq!(steps[step]["axe"], Value::Array(vec![]), "{step}");
    }
    for picture in ["page-desktop", "page-phone", "page-chinese", "captions", "health"] {
        let layout = &steps[&format!("layout-{picture}")];
        assert_eq!(layout["overflow"], false, "{picture} is wider than its screen");
        assert_eq!(layout["axe"], Value::Array(vec![]), "{picture}");
    }
    // The Chinese command is over before a part of it can be shown.
    for (step, words, partial, entity) in [
        ("english", "kitchen light", "kitchen", "light.kitchen"),
        ("chinese", "书房", "", "light.office"),
    ] {
        let turn = &steps[step];
        let text = |key: &str| turn[key].as_str().unwrap().to_lowercase();
        assert!(text("said").contains(words), "{step}: {turn}");
        assert!(text("partial").contains(partial), "{step}: {turn}");
        assert!(!text("reply").is_empty() && turn["before"] == "off", "{step}: {turn}");
        assert_eq!(
            (&turn["lit"], &turn["decision"]),
            (&serde_json::json!([entity]), &true.into()),
            "{step}: nothing else lights up"
        );
        assert!(turn["loudest"].as_f64().unwrap() > 0.02, "{step}: {turn}");
        assert!(turn["wave"].as_u64().unwrap() > 500, "{step}: {turn}");
        for part in ["endpoint_delay", "recognition", "understanding", "first_audio"] {
            let ms = turn["waterfall"][part].as_f64().unwrap();
            assert!((0.0..20_000.0).contains(&ms), "{step}: {part} took {ms} ms");
        }
        // Words and meanings with their scores, and what was sent to which device.
        let explained = turn["explained"].as_str().unwrap();
        for part in ["HassTurnOn", "light.turn_on", entity, "off → on"] {
            assert!(explained.contains(part), "{step}: {part} is not in {explained}");
        }
        assert!(turn["scores"].as_array().unwrap().len() >= 2, "{step}: {turn}");
        assert!(!turn["why"].as_str().unwrap().is_empty(), "{step}: {turn}");
    }
    assert_eq!(steps["chinese"]["language"], "zh");
    let together = &steps["together"];
    assert_eq!(together["dimmed"], "40 %");
    let counted: Vec<&str> =
        together["counted"].as_array().unwrap().iter().map(|own| own.as_str().unwrap()).collect();
    assert!(counted.iter().all(|own| ["3:00", "2:5"].iter().any(|part| own.starts_with(part))));
    assert!(counted.is_sorted_by(|a, b| a > b), "the timer does not count down: {counted:?}");
    assert_eq!(steps["asked"]["state"], "locked", "nothing is unlocked before it is agreed to");
    assert!(steps["stopped"]["note"].as_str().unwrap().contains("heard until here"));
    let repaired = &steps["repaired"];
    let why = repaired["why"].as_str().unwrap();
    assert!(why.contains("lied") && why.contains("distance 0."), "{repaired}");
    let scores = repaired["scores"].as_array().unwrap();
    assert!(scores.iter().any(|own| own.as_str().unwrap().starts_with("0.")), "{repaired}");
    let again = &steps["again"];
    assert_eq!(again["state"], "off", "going through it again does nothing in the home");
    assert!(again["heard"].as_str().unwrap().to_lowercase().contains("kitchen light"), "{again}");
    assert!(again["what_if"].as_f64().unwrap() > 5.0, "{again}");
    let wrong = &steps["wrong"];
    assert_eq!(wrong["name"], "cooking sun");
    assert_eq!(wrong["before"], Value::Array(vec![]), "nothing is learned before it is agreed to");
    let lesson = &steps["learned"]["lessons"][0]["lesson"];
    assert_eq!((&lesson["kind"], &lesson["entity"]), (&"name".into(), &"light.kitchen".into()));
    let lost = &steps["lost"];
    for (browser, gone, here) in [(0, "is lost", "Connected again"), (1, "断开", "已重新连接")]
    {
        assert!(lost["lost"][browser].as_str().unwrap().contains(gone), "{lost}");
        assert_eq!(lost["missed"][browser], "on", "what is cut off knows nothing: {lost}");
        assert!(lost["back"][browser].as_str().unwrap().contains(here), "{lost}");
    }
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
    assert_ne!(steps["saved"]["sizes"][0], steps["saved"]["sizes"][1], "larger is larger");
    let aloud = &steps["aloud"];
    assert_eq!(aloud["marks"], serde_json::json!(["One", "two", "three", "Four", "five"]));
    assert!(aloud["loudest"].as_f64().unwrap() > 0.02, "{aloud}");
    let facts = steps["health"]["facts"].as_str().unwrap();
    assert!(facts.contains("page 2"), "one page and one of health: {facts}");
    assert_eq!(steps["health"]["pages"], 2);
    assert_eq!(sounds(&folder.join("hearken")), Vec::<PathBuf>::new(), "nobody asked to keep any");
    for page in ["one", "two"] {
        assert_eq!(steps["complaints"][page], Value::Array(vec![]), "{page}");
    }
}

#[test]
fn who_speaks_into_an_answer_on_the_page_stops_it_and_talks_on_without_hands() {
    let server = Server::start("");
    let folder = server.folder.path();
    let (question, command) = (recording("5.flac", folder), recording_then(1, "1.flac", folder));
    let chinese = recording_then(1, "6.flac", folder);
    let (url, into) = (format!("http://{}", server.http), folder.display().to_string());
    let steps =
        steps("page_client.py", &["--hands-free", &url, &question, &command, &chinese, &into]);
    let told = &steps["interrupted"];
    assert_eq!(told["before"], "off", "{told}");
    assert!(told["note"].as_str().unwrap().contains("heard until here"), "{told}");
    // On an idle machine within 150 ms of the voice; the tests share theirs, and the recording begins with a breath.
    assert!(told["quiet_ms"].as_f64().unwrap() < 2000.0, "{told}");
    let free = &steps["free"];
    assert!(free["lost"].as_str().unwrap().contains("trying again"), "{free}");
    assert_eq!((&free["before"], &free["checked"]), (&"off".into(), &false.into()), "{free}");
    assert_eq!((&free["pressed"], &free["tracks"][0]), (&"false".into(), &"ended".into()));
}

#[test]
fn what_is_wrong_on_the_page_is_taught_kept_and_forgotten_after_somebody_agreed() {
    let server = Server::start("");
    let url = format!("http://{}", server.http);
    let into = server.folder.path().display().to_string();
    let command = recording_then(1, "1.flac", server.folder.path());
    let first = steps("page_client.py", &["--lessons", &url, &command, &into]);
    let corrected = |told: &Value, said: &str, meant: &str| {
        let text = |key: &str| told[key].as_str().unwrap();
        assert_eq!(told["before"], told["refused"], "nothing is learned before: {told}");
        assert_ne!(told["before"], told["after"], "{told}");
        assert_eq!(told["nonsense"]["may_agree"], false, "{told}");
        let proposal = &told["proposal"];
        assert_eq!(
            (&proposal["may_agree"], &proposal["focus"]),
            (&true.into(), &"wrong-agree".into())
        );
        for part in [said, meant, "HassTurnOn"] {
            assert!(proposal["text"].as_str().unwrap().contains(part), "{part}: {told}");
        }
        assert_eq!(told["stored_before"], told["untouched"][0], "{told}");
        assert_eq!(told["untouched"][1], "off", "{told}");
        let newest = told["stored"].as_array().unwrap().last().unwrap().as_str().unwrap();
        assert!(newest.contains(said) && newest.contains(meant), "{told}");
        assert!(text("explained").contains(said) && text("explained").contains(meant), "{told}");
    };
    let words = &first["words"];
    assert_eq!(words["stored_before"], Value::Array(vec![]), "{words}");
    corrected(words, "make the lantern glow", "turn on the bathroom light");
    let intent = &first["intent"];
    assert_eq!(intent["actions"], serde_json::json!(["open", "close"]));
    assert_eq!(intent["sentence"], "open the Bedroom Blinds");
    assert_eq!((&intent["stored_before"], &intent["blinds"]), (&1.into(), &"closed".into()));
    assert_eq!(intent["stored"].as_array().unwrap().len(), 2, "{intent}");
    assert_eq!(intent["light"], "off", "what it meant before is not done too");

    let server = Server::start_in(server.stop(), "", |command| command);
    let url = format!("http://{}", server.http);
    let into = server.folder.path().display().to_string();
    let second = steps("page_client.py", &["--taught", &url, &into]);
    corrected(&second["chinese"], "让灯笼亮起来", "打开书房灯");
    let forgotten = &second["forgotten"];
    assert_eq!((&forgotten["before"], &forgotten["after"]), (&3.into(), &2.into()), "{forgotten}");
    assert!(
        forgotten["told"].as_str().unwrap().contains("turn on the bathroom light"),
        "{forgotten}"
    );
    assert_eq!(forgotten["reply"], words["before"], "{forgotten}");
}

#[test]
fn the_page_is_used_by_keyboard_alone() {
    let server = Server::start("");
    let (url, into) =
        (format!("http://{}", server.http), server.folder.path().display().to_string());
    let steps = steps("page_client.py", &["--keys", &url, &into]);
    let space = &steps["space"];
    assert_eq!((&space["skip"], &space["first"]), (&"skip".into(), &"listen".into()), "{space}");
    assert_eq!(space["held"][0], "ended", "the microphone is given back: {space}");
    let focus = &steps["focus"];
    assert_eq!(focus["lock"], "Unlock: Front Door", "{focus}");
    assert!(focus["timer"].as_str().unwrap().starts_with("+1 min"), "{focus}");
    assert!(focus["note"].as_str().unwrap().contains("heard until here"), "{focus}");
}

/// A folder of the models of this machine, without one, and a `npm` that brings just that one, slowly.
#[cfg(unix)]
fn without_a_voice(folder: &Path) -> (PathBuf, PathBuf) {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let store = installed::store();
    let (models, programs) = (folder.join("models"), folder.join("programs"));
    std::fs::create_dir_all(&models).unwrap();
    std::fs::create_dir_all(&programs).unwrap();
    for id in store.catalogue().defaults().into_iter().filter(|id| *id != "kokoro-zf-xiaobei") {
        symlink(store.root().join(id), models.join(id)).unwrap();
    }
    let voice = store.folder_of("kokoro-zf-xiaobei").unwrap();
    let script = format!(
        "#!/bin/sh\nset -e\nmkdir -p package/voices\nfor i in 1 2 3 4 5 6; do head -c 3000000 /dev/zero >>part; sleep 0.4; done\n\
         cp '{}'/zf_xiaobei.bin package/voices/\ntar -czf voices.tgz package\nrm -r package\n",
        voice.display()
    );
    let npm = programs.join("npm");
    std::fs::write(&npm, script).unwrap();
    std::fs::set_permissions(&npm, std::fs::Permissions::from_mode(0o755)).unwrap();
    (models, programs)
}

#[cfg(unix)]
#[test]
fn a_voice_is_fetched_heard_and_chosen_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let (models, programs) = without_a_voice(folder.path());
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let voices = "[tts.voices]\nen = \"piper-en-us-joe-medium\"\n";
    let server = Server::start_in(folder, voices, |command| {
        command.env("HEARKEN_MODELS", &models).env("PATH", path)
    });
    let (url, into) =
        (format!("http://{}", server.http), server.folder.path().display().to_string());
    let steps = steps("page_client.py", &["--voices", &url, &into]);
    let fetched = &steps["fetched"];
    assert_eq!((&fetched["mute"], &fetched["state"]), (&0.into(), &"已有".into()), "{fetched}");
    let seen: Vec<f64> =
        fetched["seen"].as_array().unwrap().iter().map(|own| own.as_f64().unwrap()).collect();
    let between = seen.iter().filter(|part| (0.05..0.95).contains(*part)).count();
    assert!(between >= 3 && seen.is_sorted(), "{fetched}");
    assert_ne!(fetched["focus"], "", "who fetched it by keyboard is still there: {fetched}");
    let heard = &steps["heard"];
    assert!(heard["before"].as_f64().unwrap() < 0.001, "{heard}");
    assert!(heard["loudest"].as_f64().unwrap() > 0.02, "{heard}");
    let chosen = &steps["chosen"];
    assert!(chosen["silent"].as_f64().unwrap() < 0.001, "no voice spoke Chinese before: {chosen}");
    let socket = chosen["socket"].as_str().unwrap();
    for part in ["voice=kokoro-zf-xiaobei", "language=zh", "area=kitchen"] {
        assert!(socket.contains(part), "{chosen}");
    }
    assert_eq!(chosen["elsewhere"], "off", "only the kitchen was meant: {chosen}");
    assert_eq!(
        (&steps["again"]["spoken"], &steps["again"]["place"]),
        (&"zh".into(), &"kitchen".into())
    );
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
    let ask = |more: &str| server.get(&format!("/ HTTP/1.1\r\n{more}\r\nx-rest:"));
    assert!(
        page.contains("vary: accept-language") && page.contains("<html lang=\"en\">"),
        "{page}"
    );
    let chinese = ask("accept-language: zh-CN,zh;q=0.9,en;q=0.8");
    assert!(chinese.contains("<html lang=\"zh\">"), "{chinese}");
    let other = ask(&format!("accept-language: zh\r\nif-none-match: {tag}"));
    assert!(
        other.starts_with("HTTP/1.1 200"),
        "what is kept in English is not for others: {other}"
    );
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
