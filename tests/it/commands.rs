//! The binary as a user types it: promises of its output, and what it says to bad input.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn hearken(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hearken"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("HEARKEN_CONFIG", "tests/data/empty.toml")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn last_json(output: &Output) -> Value {
    serde_json::from_str(stdout(output).lines().last().unwrap()).unwrap()
}

#[test]
fn every_command_has_an_example_in_its_help() {
    for command in [
        "run",
        "transcribe",
        "say",
        "voices",
        "understand",
        "intents",
        "normalize",
        "pinyin",
        "models",
        "check",
        "demo",
        "devices",
        "replay",
        "serve",
        "recognize",
    ] {
        let help = stdout(&hearken(&[command, "--help"]));
        assert!(help.contains("Example"), "{command}: {help}");
        assert!(help.contains(&format!("hearken {command}")), "{command}: {help}");
    }
}

#[test]
fn run_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let (wav, log) = (folder.path().join("reply.wav"), folder.path().join("events.jsonl"));
    let out = hearken(&[
        "run",
        "--input",
        "examples/recordings/4.flac",
        "--language",
        "en",
        "--output",
        wav.to_str().unwrap(),
        "--events",
        log.to_str().unwrap(),
        "--json",
    ]);
    let result = last_json(&out);
    let turn = &result["turns"][0];
    assert_eq!(turn["transcript"], "Lock the front door.");
    assert_eq!(turn["language"], "en");
    assert_eq!(turn["intent"]["name"], "HassTurnOn");
    assert_eq!(turn["intent"]["slots"]["name"], "Front Door");
    assert_eq!(turn["actions"][0]["entity"], "lock.front_door");
    assert_eq!(turn["reply"], "Locking");
    for stage in ["endpoint_delay", "recognition", "understanding", "first_audio", "voice_to_voice"]
    {
        assert!(turn["timeline_ms"][stage].as_f64().unwrap() >= 0.0, "{stage}");
    }
    assert_eq!(result["home"]["lock.front_door"]["state"], "locked");
    let spoken = hearken::audio::read_mono_16k(&wav).unwrap();
    assert!(spoken.iter().any(|s| s.abs() > 0.05), "the reply is silent");
    let events = std::fs::read_to_string(log).unwrap();
    let kinds: Vec<String> = events
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.first().unwrap(), "speech_started");
    assert_eq!(kinds.last().unwrap(), "turn_finished");
}

#[test]
fn transcribe_keeps_its_promises() {
    let files = ["examples/recordings/1.flac", "examples/recordings/6.flac"];
    let text = stdout(&hearken(&["transcribe", files[0], files[1], "--format", "json"]));
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for (line, (file, language)) in lines.iter().zip(files.iter().zip(["en", "zh"])) {
        assert_eq!(line["file"], *file);
        assert_eq!(line["language"], language);
        assert!(line["duration_s"].as_f64().unwrap() > 1.0);
        assert!(line["compute_s"].as_f64().unwrap() > 0.0);
        let segment = &line["segments"][0];
        assert!(segment["end"].as_f64() > segment["start"].as_f64());
        assert_eq!(segment["text"], line["text"]);
    }
}

#[test]
fn understand_keeps_its_promises() {
    let text = stdout(&hearken(&[
        "understand",
        "--json",
        "lock the front door",
        "打开书房灯",
        "colourless green ideas",
    ]));
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["intent"], "HassTurnOn");
    assert_eq!(lines[0]["slots"]["name"], "Front Door");
    assert_eq!(lines[1]["intent"], "HassTurnOn");
    assert_eq!(lines[1]["slots"]["name"], "书房灯");
    assert!(!lines[1]["response"].as_str().unwrap().is_empty());
    assert_eq!(lines[2]["intent"], Value::Null);
}

/// Answers to the lines of a batch.
fn batch(lines: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let out = stdout(&hearken(&["understand", "--batch", file.to_str().unwrap()]));
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_batch_is_answered_line_by_line() {
    let home = r#""home": {"areas": [{"name": "Sala"}], "floors": null, "entities": [
        {"name": "Lamp", "domain": "light", "state": "on", "area": "Sala"},
        {"name": "Sauna (old", "domain": "sauna", "attributes": null}]}"#
        .replace('\n', " ");
    let request = |rest: &str| format!("{{{rest}, {home}}}");
    let lines = [
        request(r#""text": "is the lamp on", "language": "en_US""#),
        request(r#""text": "ligue a luz", "language": "pt-BR", "area": "Sala", "id": 7"#),
        request(r#""text": "ligue a luz", "language": "pt_PT", "area": null"#),
        request(r#""text": "turn the lamp of", "language": "en""#),
        "no json".to_owned(),
        String::new(),
        r#"{"text": "打开厨房灯"}"#.to_owned(),
        r#"{"text": "nuqneH", "language": "tlh"}"#.to_owned(),
        r#"{"text": "what time is it", "language": "en"}"#.to_owned(),
        r#"{"text": "what time is it", "language": "en", "now": "2026-01-02T15:04"}"#.to_owned(),
        r#"{"text": "x", "language": "en", "home": []}"#.to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answers = batch(&lines);
    assert_eq!(answers.len(), lines.len(), "{answers:#?}");
    let intents: Vec<_> = answers.iter().map(|answer| answer["intent"].as_str()).collect();
    let (on, time) = (Some("HassTurnOn"), Some("HassGetCurrentTime"));
    let expected =
        [Some("HassGetState"), on, on, Some("HassTurnOff"), None, None, on, None, time, time, None];
    assert_eq!(intents, expected, "{answers:#?}");
    assert_eq!(answers[0]["response"], "Yes");
    assert_eq!(answers[1]["slots"]["area"], "Sala");
    assert_eq!(answers[1]["id"], 7);
    assert_eq!(answers[2]["slots"].get("area"), None, "said nowhere in particular");
    assert!(answers[3]["repaired"]["cost"].as_f64().unwrap() > 0.0);
    assert_eq!(answers[3]["commands"][0]["slots"]["name"], "Lamp");
    assert_eq!(answers[8]["response"], "1:02 AM");
    assert_eq!(answers[9]["response"], "3:04 PM");
    for (at, named) in [(4, "no JSON"), (5, "no JSON"), (7, "tlh"), (10, "no object")] {
        let error = answers[at]["error"].as_str().unwrap();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn recognize_keeps_its_promises() {
    let of = |grammar: &str, files: &[&str]| {
        let mut args = vec!["recognize", "--json", "--grammar", grammar];
        args.extend(files);
        let lines = stdout(&hearken(&args));
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let [one, two, four] = ["1", "2", "4"].map(|n| format!("examples/recordings/{n}.flac"));
    let lines = of("examples/grammars/lights.yaml", &[&one, &two, &four]);
    assert_eq!(lines[0]["intent"], "SwitchLight");
    assert_eq!(lines[0]["slots"], json!({ "state": "on", "room": "kitchen" }));
    assert_eq!(lines[0]["text"], "turn on the kitchen light");
    assert_eq!(lines[1]["slots"], json!({ "room": "bedroom", "percent": 30 }));
    for line in &lines[..2] {
        assert!(line["confidence"].as_f64().unwrap() > 0.7, "{line}");
        assert!(line["compute_s"].as_f64().unwrap() > 0.0, "{line}");
        assert!(!line["free_text"].as_str().unwrap().is_empty(), "{line}");
    }
    // "Lock the front door" is no sentence about lights.
    assert_eq!(lines[2]["file"], four.as_str());
    assert_eq!(lines[2]["intent"], Value::Null);
    assert_eq!(lines[2]["confidence"], 0.0);

    let lines = of("examples/grammars/lights-zh.yaml", &["examples/recordings/6.flac"]);
    assert_eq!(lines[0]["slots"], json!({ "state": "on", "room": "书房" }));

    // An order of lights is none of coffee.
    let lines = of("examples/grammars/coffee.yaml", &[&one]);
    assert_eq!(lines[0]["intent"], Value::Null);

    let missing = hearken(&["recognize", "--grammar", "no-such.yaml", &one]);
    let told = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(!missing.status.success() && told.contains("no-such.yaml"), "{told}");
}

#[test]
fn sentences_are_drawn_explained_and_checked() {
    let drawn = stdout(&hearken(&[
        "intents",
        "sample",
        "--language",
        "zh",
        "--intent",
        "HassTurnOn",
        "--count",
        "5",
        "--json",
    ]));
    assert_eq!(drawn.lines().count(), 5);
    for line in drawn.lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        assert_eq!(sample["intent"], "HassTurnOn");
    }
    let why = last_json(&hearken(&["intents", "explain", "turn on the kitchen light", "--json"]));
    assert_eq!(why["readings"][0]["meaning"]["slots"]["name"], "Kitchen Light");
    assert_eq!(why["readings"][0]["lost"], Value::Null);
    assert_eq!(why["readings"][1]["lost"], "shorter_name");
    assert!(why["tried"]["HassTurnOn"].as_u64().unwrap() < why["templates"].as_u64().unwrap());

    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.yaml");
    let yaml = |sentence: &str| {
        format!(
            "language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences:\n          \
             - \"let there be (light\"\n          - \"let {{nam}} shine\"\n          - \"{sentence}\"\n"
        )
    };
    std::fs::write(&own, yaml("make {name} shine")).unwrap();
    let bad = hearken(&["intents", "check", own.to_str().unwrap(), "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(report["problems"].as_array().unwrap().len(), 2, "{report}");
    for part in ["own.yaml", "let there be (light", "column"] {
        assert!(report["problems"][0].as_str().unwrap().contains(part), "{report}");
    }

    // Sentences of one's own win over the package's.
    let text = "language: en\nintents:\n  HassTurnOff:\n    data:\n      - sentences: ['turn on {name} please']\n";
    std::fs::write(&own, text).unwrap();
    let good = hearken(&["intents", "check", own.to_str().unwrap()]);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stdout));
    let config = folder.path().join("own.toml");
    std::fs::write(&config, format!("[dialogue]\nsentences = [{:?}]\n", folder.path())).unwrap();
    let config = config.to_str().unwrap();
    let ask = ["understand", "--config", config, "--json", "turn on hall light please"];
    assert_eq!(last_json(&hearken(&ask))["intent"], "HassTurnOff");
    let ask = ["understand", "--json", "turn on hall light please"];
    assert_eq!(last_json(&hearken(&ask))["intent"], "HassTurnOn");
}

#[test]
fn check_opens_everything_and_tells_every_problem() {
    let good = hearken(&["check", "--json"]);
    let report = last_json(&good);
    assert_eq!(report["ok"], true);
    assert_eq!(report["config"]["asr"]["model"], "whisper-base");
    assert!(report["opened"].as_array().unwrap().len() >= 4);

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bad.toml");
    std::fs::write(
        &config,
        "[asr]\nmodel = \"whisper-bse\"\n[detect]\nhangover_ms = 1\n[tts]\nspeed = 9.0\n",
    )
    .unwrap();
    let bad = hearken(&["check", "--json", "--config", config.to_str().unwrap()]);
    assert_eq!(bad.status.code(), Some(1));
    let report: Value =
        serde_json::from_slice(bad.stdout.split(|b| *b == b'\n').rfind(|l| !l.is_empty()).unwrap())
            .unwrap();
    let problems = report["problems"].to_string();
    for part in ["whisper-bse", "whisper-base", "detect.hangover_ms", "tts.speed"] {
        assert!(problems.contains(part), "{part} is not in {problems}");
    }
}

#[test]
fn voices_tells_which_cannot_be_spoken() {
    let told = |id: &str| {
        let all = last_json(&hearken(&["voices", "--json"]));
        let voices = all["voices"].as_array().unwrap();
        voices.iter().find(|v| v["id"] == id).unwrap()["unspeakable"].clone()
    };
    for spoken in ["piper-en-us-joe-medium", "piper-zh-cn-chaowen-medium", "kokoro-zf-xiaobei"] {
        assert_eq!(told(spoken), Value::Null, "{spoken}");
    }
    assert_eq!(told("kokoro-ef-dora"), "no phonemes for es");
    assert_eq!(told("piper-de-de-thorsten-medium"), "no phonemes for de");
    assert_eq!(told("piper-zh-cn-huayan-medium"), "no eSpeak symbols for zh");
    let table = stdout(&hearken(&["voices", "--language", "es"]));
    assert!(table.contains("no phonemes for es") && !table.contains("pull"), "{table}");
}

#[test]
fn say_writes_a_file_and_a_stream() {
    let out = hearken(&["say", "Two lights are on.", "-o", "-"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(&out.stdout[..4], b"RIFF");
    assert!(out.stdout.len() > 22_050, "only {} bytes", out.stdout.len());
}

#[test]
fn bad_input_gets_an_error_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let flac =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recordings/1.flac"))
            .unwrap();
    let nowhere = folder.path().join("nowhere.wav");
    let empty = file("empty.wav", b"");
    let text = file("notes.txt", b"this is no recording");
    let head = file("head.flac", &flac[..30]);
    let home = file("home.toml", b"[[device]]\nid = \"lamp\"\n");
    let config = file("config.toml", b"[asr]\nlangauge = \"zh\"\n");
    for (args, parts) in [
        (vec!["run", "--input", nowhere.to_str().unwrap()], vec!["nowhere.wav"]),
        (vec!["run", "--input", &empty], vec!["empty.wav", "empty"]),
        (vec!["run", "--input", &text], vec!["notes.txt", "WAV"]),
        (vec!["run", "--input", &head], vec!["head.flac"]),
        (vec!["run", "--input", "-"], vec!["standard input"]),
        (
            vec!["run", "--input", "examples/recordings/1.flac", "--home", &home],
            vec!["home.toml", "name"],
        ),
        (vec!["run", "--input", "-", "--rate", "0"], vec!["0"]),
        (vec!["transcribe", &text], vec!["notes.txt"]),
        (
            vec!["transcribe", "--model", "whisper-huge", "examples/recordings/1.flac"],
            vec!["whisper-huge"],
        ),
        (
            vec!["transcribe", "--language", "klingon", "examples/recordings/1.flac"],
            vec!["klingon"],
        ),
        (vec!["say", "hello", "--voice", "no-such-voice", "-o", "-"], vec!["no-such-voice"]),
        (vec!["say", "hello", "--voice", "whisper-base", "-o", "-"], vec!["whisper-base", "voice"]),
        (vec!["say", "hello", "--speed", "99", "-o", "-"], vec!["99"]),
        (vec!["say", " ", "-o", "-"], vec!["empty"]),
        (vec!["check", "--config", &config], vec!["config.toml", "langauge"]),
    ] {
        let out = hearken(&args);
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{args:?}: {stderr}");
        for part in parts {
            assert!(stderr.contains(part), "{args:?}: {part} is not in: {stderr}");
        }
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    }
}
