//! The doors with the real clients of their wires, and with clients that mean no good.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearken::audio::{WavWriter, read_mono_16k};
use serde_json::Value;

use crate::installed;

/// A server on free ports, ended with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) http: SocketAddr,
    pub(crate) wyoming: SocketAddr,
    audiosocket: Option<SocketAddr>,
    pub(crate) satellite: Option<SocketAddr>,
    pub(crate) folder: tempfile::TempDir,
    /// What it printed before it was ready.
    pub(crate) said: Vec<String>,
}

impl Server {
    pub(crate) fn start(settings: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings, |command| command)
    }

    /// The same in a folder that may hold what an earlier one kept, as it is prepared.
    pub(crate) fn start_in(
        folder: tempfile::TempDir,
        settings: &str,
        prepare: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        installed::store();
        let config = folder.path().join("hearken.toml");
        let ports = "http = \"127.0.0.1:0\"\nwyoming = \"127.0.0.1:0\"\n";
        std::fs::write(&config, format!("[serve]\n{ports}{settings}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
        command
            .args(["serve", "--config"])
            .arg(&config)
            .env("XDG_STATE_HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env("HEARKEN_MODELS", installed::store().root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = prepare(&mut command).spawn().unwrap();
        let (mut addresses, mut said) = (BTreeMap::new(), Vec::new());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next().expect("the server ended").unwrap();
            said.push(line.clone());
            if line.starts_with("Ready") {
                break;
            }
            if let Some((door, address)) = line.split_once("  ") {
                let address = address.trim().rsplit('/').next().unwrap().to_owned();
                addresses.entry(door.trim().to_owned()).or_insert(address);
            }
        }
        let address = |door: &str| addresses[door].parse().unwrap();
        let also =
            |door: &str| addresses.get(door).map(|address: &String| address.parse().unwrap());
        let (audiosocket, satellite) = (also("audiosocket"), also("satellite"));
        Self {
            http: address("http"),
            wyoming: address("wyoming"),
            audiosocket,
            satellite,
            child,
            folder,
            said,
        }
    }

    pub(crate) fn audiosocket(&self) -> SocketAddr {
        self.audiosocket.unwrap()
    }

    pub(crate) fn terminate(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Ends the server as its user would, and leaves what it kept.
    pub(crate) fn stop(mut self) -> tempfile::TempDir {
        self.terminate();
        assert!(self.ended(), "the server ended badly");
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Waits until the server has ended and tells whether it ended well.
    pub(crate) fn ended(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Python with the clients; `scripts/python-clients.sh` puts it there.
pub(crate) fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = Command::new(root.join("scripts/python-clients.sh")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let folder = String::from_utf8(out.stdout).unwrap();
    root.join(folder.trim()).join("bin/python")
}

/// Runs one of the clients and returns its steps by name.
pub(crate) fn steps(script: &str, args: &[&str]) -> BTreeMap<String, Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doors").join(script);
    let out = Command::new(python()).arg(script).args(args).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let trouble = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{text}\n{trouble}");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (line["step"].as_str().unwrap().to_owned(), line)).collect()
}

/// A recording of the demo as WAV, which every client reads.
pub(crate) fn recording(name: &str, into: &Path) -> String {
    recording_then(0, name, into)
}

/// The same with seconds of silence behind it.
pub(crate) fn recording_then(silence_s: usize, name: &str, into: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recordings").join(name);
    let mut samples = read_mono_16k(path).unwrap();
    samples.resize(samples.len() + silence_s * 16_000, 0.0);
    let target = into.join(name).with_extension("wav");
    let mut wav = WavWriter::create(&target, 16_000).unwrap();
    wav.push(&samples).unwrap();
    wav.finish().unwrap();
    target.display().to_string()
}

#[test]
fn wyoming_speaks_with_its_reference_client() {
    let server = Server::start("");
    let (english, chinese) =
        (recording("4.flac", server.folder.path()), recording("6.flac", server.folder.path()));
    let uri = format!("tcp://{}", server.wyoming);
    let steps = steps("wyoming_client.py", &[&uri, &english, &chinese]);

    let describe = &steps["describe"];
    assert!(describe["seconds"].as_f64().unwrap() < 0.5, "{describe}");
    assert!(describe["asr_languages"].as_array().unwrap().contains(&"zh-CN".into()));
    assert!(describe["voices"].as_array().unwrap().contains(&"piper-en-us-joe-medium".into()));
    assert_eq!(
        (&describe["asr_streaming"], &describe["tts_streaming"]),
        (&true.into(), &true.into())
    );
    assert_eq!(steps["ping"]["text"], "here?");

    let heard = &steps["transcribe"];
    assert_eq!(
        (&heard["text"], &heard["language"]),
        (&"Lock the front door.".into(), &"en".into())
    );
    assert_eq!(heard["chunks"], heard["text"]);
    assert_eq!(
        heard["kinds"],
        serde_json::json!([
            "voice-started",
            "voice-stopped",
            "transcript-start",
            "transcript-chunk",
            "transcript",
            "transcript-stop"
        ])
    );
    assert_eq!(steps["transcribe_zh"]["language"], "zh");
    assert!(steps["transcribe_zh"]["text"].as_str().unwrap().chars().count() >= 4);

    for step in ["synthesize", "synthesize_voice", "synthesize_stream"] {
        let sound = &steps[step];
        assert_eq!((&sound["starts"], &sound["stops"]), (&1.into(), &1.into()), "{step}");
        let seconds = sound["samples"].as_f64().unwrap() / sound["rate"].as_f64().unwrap();
        assert!((0.4..8.0).contains(&seconds), "{step}: {seconds}");
        assert!(sound["loud"].as_u64().unwrap() > 3000, "{step}: {sound}");
    }
    assert_eq!(steps["synthesize_voice"]["rate"], 24_000);
    assert_eq!(steps["no_voice"]["kind"], "error");

    assert_eq!(steps["recognize"]["name"], "HassTurnOn");
    assert_eq!(steps["recognize"]["entities"]["name"], "Kitchen Light");
    assert_eq!(steps["not_recognized"]["kind"], "not-recognized");
    assert_eq!(steps["handle"]["kind"], "handled");
    assert_eq!(steps["handle"]["context"]["conversation_id"], "c1");
    assert_eq!(steps["handle_zh"]["kind"], "handled");
    assert_eq!(steps["not_handled"]["kind"], "not-handled");
    assert_eq!(steps["satellite"]["text"], "Locking");
    assert_eq!(
        steps["satellite"]["kinds"],
        serde_json::json!([
            "voice-started",
            "voice-stopped",
            "transcript",
            "handled",
            "synthesize",
            "audio-start",
            "audio-chunk",
            "audio-stop"
        ])
    );
}

fn lines_of(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text
}

#[test]
fn who_means_no_good_is_told_or_closed_and_disturbs_nobody() {
    let server = Server::start("max_connections = 12\nmax_per_address = 10\nidle_s = 1\n");
    let wyoming = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.wyoming).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = stream.write_all(bytes);
        lines_of(&mut stream)
    };
    // Nonsense is told, and the connection closed.
    for (bytes, part) in [
        (&b"hello\n"[..], "no JSON object"),
        (b"{\"type\":\"x\",\"payload_length\":99999999999}\n", "payload_length"),
        (&vec![b'x'; 70_000], "header of more"),
        // Half an event, and then nothing: the connection is idle.
        (b"{\"type\":\"describe\"", "nothing came for"),
        (b"{\"type\":\"audio-chunk\",\"data\":{\"rate\":0,\"width\":2,\"channels\":1},\"payload_length\":2}\n12", "0 Hz"),
        (b"{\"type\":\"detect\"}\n", "wake"),
    ] {
        let told = wyoming(bytes);
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
    // A slow reader of headers is closed too.
    let mut slow = TcpStream::connect(server.http).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nx: ").unwrap();
    // Everybody's places are taken: the next is told so at once.
    let idle: Vec<TcpStream> =
        (0..9).map(|_| TcpStream::connect(server.wyoming).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    let told = wyoming(b"");
    assert!(told.contains("\"code\":\"busy\""), "{told}");
    let answer = server.get("/healthz");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    assert!(began.elapsed() < Duration::from_millis(700), "{:?}", began.elapsed());
    drop(idle);
    // And when they have left there is room again.
    let end = Instant::now() + Duration::from_secs(5);
    while !server.get("/healthz").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(50));
    }
    let metrics = server.get("/metrics");
    assert!(
        metrics.contains("hearken_refused_total{door=\"wyoming\",reason=\"crowd\"}"),
        "{metrics}"
    );
    assert!(server.get("/readyz").contains("ready"));
}

#[test]
fn a_page_whose_name_was_pointed_here_is_turned_away() {
    let server = Server::start("host_names = [\"hearken.example\"]\n");
    let ask = |head: &str| {
        let mut stream = TcpStream::connect(server.http).unwrap();
        stream.write_all(format!("GET {head}connection: close\r\n\r\n").as_bytes()).unwrap();
        lines_of(&mut stream)
    };
    let port = server.http.port();
    let upgrade = "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (head, status) in [
        (format!("/api/home HTTP/1.1\r\nhost: localhost:{port}\r\n"), "200"),
        ("/api/home HTTP/1.1\r\nhost: 127.0.0.1:9\r\n".to_owned(), "200"),
        ("/api/home HTTP/1.1\r\nhost: [::1]\r\n".to_owned(), "200"),
        ("/api/home HTTP/1.1\r\nhost: hearken.example\r\n".to_owned(), "200"),
        ("/api/home HTTP/1.0\r\n".to_owned(), "200"),
        ("/api/home HTTP/1.1\r\nhost: evil.example\r\n".to_owned(), "403"),
        (
            format!(
                "/v1/stream HTTP/1.1\r\nhost: evil.example\r\norigin: http://evil.example\r\n{upgrade}"
            ),
            "403",
        ),
        (
            format!(
                "/twilio HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example\r\n{upgrade}"
            ),
            "403",
        ),
    ] {
        let answer = ask(&head);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}"))
                || answer.starts_with(&format!("HTTP/1.0 {status}")),
            "{head}: {answer}"
        );
        assert!(status == "200" || answer.contains("host"), "{answer}");
    }
}

#[test]
fn a_server_that_is_told_to_stop_finishes_and_ends() {
    let mut server = Server::start("");
    let mut stream = TcpStream::connect(server.wyoming).unwrap();
    // A client in the middle of a text is served to its end.
    stream
        .write_all("{\"type\":\"synthesize\",\"data\":{\"text\":\"The kitchen light is on, and the door is locked.\"}}\n".as_bytes())
        .unwrap();
    let mut first = [0; 20];
    stream.read_exact(&mut first).unwrap();
    server.terminate();
    let rest = {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    assert!(rest.contains("audio-stop"), "cut off");
    assert!(server.ended());
    assert!(TcpStream::connect(server.wyoming).is_err());
}

#[test]
fn openai_s_own_client_is_served() {
    let token = "a token for this test";
    let hash = hearken::serve::token_hash(token);
    let server = Server::start(&format!("tokens = [\"{hash}\"]\n"));
    let command = recording("4.flac", server.folder.path());
    let folder = server.folder.path().display().to_string();
    let base = format!("http://{}/v1", server.http);
    let steps = steps("openai_client.py", &[&base, token, &command, &folder]);

    assert!(steps["models"]["ids"].as_array().unwrap().contains(&"whisper-base".into()));
    for step in ["json", "stream"] {
        assert_eq!(steps[step]["text"], "Lock the front door.", "{step}");
    }
    assert_eq!(steps["stream"]["deltas"], "Lock the front door.");
    assert_eq!(steps["stream"]["last"], "transcript.text.done");
    assert_eq!(steps["text"]["text"], "Lock the front door.\n");
    assert!(steps["srt"]["text"].as_str().unwrap().contains(" --> "), "{}", steps["srt"]);
    assert!(steps["vtt"]["text"].as_str().unwrap().starts_with("WEBVTT\n\n00:"));
    assert_eq!(steps["verbose"]["words"], serde_json::json!(["Lock", "the", "front", "door."]));
    let segment = &steps["verbose"]["raw"]["segments"][0];
    assert!(segment["end"].as_f64() > segment["start"].as_f64(), "{segment}");
    assert!(segment["avg_logprob"].as_f64().unwrap() < 0.0, "{segment}");
    assert!(steps["translate"]["text"].as_str().unwrap().contains("door"));
    for (step, status, part) in [
        ("no_model", 404, "gpt-9"),
        ("wrong_format", 400, "diarized_json"),
        ("wrong_model", 404, "nonsense"),
        ("wrong_language", 400, "xx"),
        ("no_sound", 400, "the recording"),
        ("aac", 400, "aac"),
        ("no_voice", 400, "passwd"),
        ("too_long", 400, "5000 characters"),
        ("too_fast", 400, "9 is not between"),
        ("no_token", 401, "token"),
    ] {
        let told = &steps[step];
        assert_eq!(told["status"], status, "{told}");
        assert!(told["message"].as_str().unwrap().contains(part), "{told}");
    }
    let bytes = |step: &str| steps[step]["bytes"].as_u64().unwrap();
    assert_eq!(steps["wav"]["kind"], "audio/wav");
    assert!(bytes("pcm") > 48_000 / 2 && bytes("chinese") > 48_000 / 2);
    assert!(bytes("wav").abs_diff(bytes("pcm")) < 30_000);
    assert!(bytes("fast") < bytes("pcm") * 3 / 4);
    let heard = steps["opus_heard"]["text"].as_str().unwrap().to_lowercase();
    assert!(heard.contains("kitchen light"), "{heard}");
    assert_eq!((&steps["flac"]["head"], &steps["opus"]["head"]), (&"fLaC".into(), &"OggS".into()));
    let flac = read_mono_16k(server.folder.path().join("speech.flac")).unwrap();
    assert!(flac.len() > 8_000);
    assert_eq!(
        (&steps["mp3"]["kind"], &steps["mp3"]["usual"]),
        (&"audio/mpeg".into(), &"fff3".into())
    );
    // Decoded again it is as long and as loud as what was not encoded.
    let mp3 = read_mono_16k(server.folder.path().join("speech.mp3")).unwrap();
    let wav = read_mono_16k(server.folder.path().join("speech.wav")).unwrap();
    let power = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>();
    assert!(mp3.len() >= wav.len() && mp3.len() - wav.len() < 2400, "{} {}", mp3.len(), wav.len());
    assert!((power(&mp3) / power(&wav) - 1.0).abs() < 0.02, "{} {}", power(&mp3), power(&wav));
    assert!(bytes("sse").abs_diff(bytes("pcm")) < 30_000, "{}", steps["sse"]);
    assert_eq!(steps["sse"]["last"], "speech.audio.done");
    // The sound leaves while it is being made.
    let (first, whole) = (&steps["flows"]["first"], &steps["flows"]["whole"]);
    assert!(first.as_f64().unwrap() < whole.as_f64().unwrap() / 2.0, "{first} of {whole}");
}

#[test]
fn openai_s_realtime_client_converses() {
    let server = Server::start("");
    let command = recording("4.flac", server.folder.path());
    let base = format!("http://{}/v1", server.http);
    let steps = steps("realtime_client.py", &[&base, "any", &command]);

    assert!(steps["secret"]["value"].as_str().unwrap().starts_with("ek_"));
    assert_eq!(steps["created"]["session"], "realtime");
    let spoken = &steps["spoken"];
    assert_eq!(spoken["transcript"], "Lock the front door.");
    assert_eq!((&spoken["answer"], &spoken["status"]), (&"Locking".into(), &"completed".into()));
    assert!(spoken["bytes"].as_u64().unwrap() > 10_000, "{spoken}");
    let kinds: Vec<&str> =
        spoken["kinds"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
    let place = |kind: &str| {
        kinds.iter().position(|own| *own == kind).unwrap_or_else(|| panic!("{kind}: {kinds:?}"))
    };
    for pair in [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_item.done",
        "response.done",
    ]
    .windows(2)
    {
        assert!(place(pair[0]) < place(pair[1]), "{pair:?} in {kinds:?}");
    }
    assert_eq!(steps["truncated"]["ms"], 50);
    assert_eq!(steps["empty"]["code"], "input_audio_buffer_commit_empty");
    assert_eq!(steps["function"]["name"], "HassTurnOn");
    assert_eq!(steps["function"]["arguments"]["name"], "Front Door");
    assert_eq!(steps["output"]["text"], "It is locked.");
    assert_eq!(
        (&steps["wrong"]["code"], &steps["wrong"]["event_id"]),
        (&"invalid_event".into(), &"mine".into())
    );
    let older = steps["older"]["kinds"].to_string();
    assert!(older.contains("response.audio.delta") && !older.contains("output_audio"), "{older}");
}

/// A minute of silence in FLAC: a few thousand bytes.
pub(crate) fn silence() -> Vec<u8> {
    use flacenc::component::BitRepr;
    use flacenc::error::Verify;
    let config = flacenc::config::Encoder::default().into_verified().unwrap();
    let source = flacenc::source::MemSource::from_samples(&vec![0; 60 * 16_000], 1, 16, 16_000);
    let mut stream =
        flacenc::encode_with_fixed_block_size(&config, source, config.block_size).unwrap();
    let size = config.block_size;
    stream.stream_info_mut().set_block_sizes(size, size).unwrap();
    let mut sink = flacenc::bitsink::ByteSink::new();
    stream.write(&mut sink).unwrap();
    sink.into_inner()
}

#[test]
fn what_is_too_much_over_http_is_refused() {
    let server = Server::start("max_audio_s = 5\nmax_body_mb = 1\n");
    let post = |head: &str, body: &[u8]| {
        let mut stream = TcpStream::connect(server.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(body);
        lines_of(&mut stream)
    };
    let form = |file: &[u8], length: usize| {
        let head = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\n\
                    content-disposition: form-data; name=\"file\"; filename=\"../../../a.flac\"\r\n\r\n";
        let body = [head.as_bytes(), file, b"\r\n--b--\r\n"].concat();
        let length = body.len().max(length);
        let head = format!(
            "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\n\r\n"
        );
        (head, body)
    };
    let small = silence();
    assert!(small.len() < 40_000, "{}", small.len());
    let (head, body) = form(&small, 0);
    let told = post(&head, &body);
    assert!(told.starts_with("HTTP/1.1 400") && told.contains("longer than 5 seconds"), "{told}");
    // More than the body may be, whatever it says of itself.
    let (head, body) = form(&vec![0; 1_100_000], 0);
    let told = post(&head, &body);
    assert!(told.is_empty() || told.starts_with("HTTP/1.1 413"), "{told}");
    let told = post(
        &format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "y".repeat(100_000)),
        b"",
    );
    assert!(told.is_empty() || told.starts_with("HTTP/1.1 431"), "{told}");
    let json = |body: &str| {
        let head = format!(
            "POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        post(&head, body.as_bytes())
    };
    for body in [
        "",
        "{",
        "[]",
        "{\"model\":\"tts-1\"}",
        "{\"model\":\"tts-1\",\"input\":\"\",\"voice\":\"alloy\"}",
    ] {
        let told = json(body);
        assert!(
            told.starts_with("HTTP/1.1 400") && told.contains("invalid_request_error"),
            "{body}: {told}"
        );
    }
    // A web page of somebody else may not use the microphone's server.
    let told = post(
        "GET /v1/models HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example\r\nconnection: close\r\n\r\n",
        b"",
    );
    assert!(told.starts_with("HTTP/1.1 403"), "{told}");
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
}
