//! The doors guarded: encryption, honest refusals, numbers for a monitor, and clients that mean no good.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hearken::audio::{read_mono_16k, to_s16le};
use hearken::remote::Event;
use serde_json::{Value, json};
use tungstenite::Message;

use crate::doors::{Server, silence, steps};

fn command() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recordings");
    to_s16le(&read_mono_16k(folder.join("4.flac")).unwrap())
}

fn connect(address: std::net::SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

fn rest_of(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The next event with one of these types, without its payload.
fn wait_for(reader: &mut impl BufRead, kinds: &[&str]) -> Value {
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "closed");
        let header: Value = serde_json::from_str(&line).unwrap();
        let length = |key: &str| header[key].as_u64().unwrap_or(0) as usize;
        let mut data = vec![0; length("data_length")];
        reader.read_exact(&mut data).unwrap();
        reader.read_exact(&mut vec![0; length("payload_length")]).unwrap();
        if kinds.contains(&header["type"].as_str().unwrap()) {
            let mut data: Value = serde_json::from_slice(&data).unwrap_or(json!({}));
            data["type"] = header["type"].clone();
            return data;
        }
    }
}

#[test]
fn encrypted_doors_speak_with_openssl() {
    let settings = "[serve.tls]\ndoors = [\"http\", \"wyoming\"]\n";
    let server = Server::start(settings);
    let folder = server.folder.path().join("hearken/tls");
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&key), mode(&certificate)), (0o600, 0o644));

    let base = format!("https://localhost:{}/v1", server.http.port());
    let (host, port) = (server.wyoming.ip().to_string(), server.wyoming.port().to_string());
    let steps = steps("tls_client.py", &[&base, &host, &port, &certificate.display().to_string()]);
    assert!(steps["models"]["ids"].as_array().unwrap().contains(&"whisper-base".into()));
    assert!(steps["stranger"]["why"].as_str().unwrap().contains("CERTIFICATE_VERIFY_FAILED"));
    assert_eq!(steps["wyoming"]["kind"], "info");
    let shown = steps["wyoming"]["fingerprint"].as_str().unwrap();
    let printed = server.said.iter().find_map(|line| line.trim().strip_prefix("SHA-256 "));
    assert_eq!(printed.unwrap().replace(':', ""), shown);
    // Who does not encrypt is told what to do.
    assert!(steps["plain"]["text"].as_str().unwrap().contains("TLS"), "{}", steps["plain"]);
    let answer = server.get("/healthz");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https"), "{answer}");
    // Who connects and says nothing holds up nobody.
    let _silent: Vec<TcpStream> = (0..5).map(|_| connect(server.http)).collect();
    assert!(server.get("/healthz").contains("https"));
}

/// One utterance over Wyoming; the answer, and how long it took since the sound had ended.
fn speak(server: &Server, sound: &[u8]) -> (Value, Duration) {
    let mut stream = connect(server.wyoming);
    let form =
        |kind: &str| Event::new(kind).with("rate", 16_000).with("width", 2).with("channels", 1);
    stream.write_all(&Event::new("transcribe").with("language", "en").encode()).unwrap();
    for piece in sound.chunks(32_000) {
        let chunk = Event { payload: piece.to_vec().into(), ..form("audio-chunk") };
        stream.write_all(&chunk.encode()).unwrap();
    }
    stream.write_all(&Event::new("audio-stop").encode()).unwrap();
    let mut reader = BufReader::new(stream);
    wait_for(&mut reader, &["voice-stopped", "error"]);
    let ended = Instant::now();
    let told = wait_for(&mut reader, &["transcript", "error"]);
    let took = ended.elapsed();
    if told["type"] == "error" {
        // Who waits for a transcript and passes errors over sees the end instead.
        assert_eq!(reader.read(&mut [0; 100]).unwrap(), 0);
    }
    (told, took)
}

#[test]
fn who_would_wait_too_long_is_told_so_and_the_others_are_served() {
    let server = Server::start("longest_wait_ms = 1\n");
    let sound = command();
    let told: Vec<(Value, Duration)> = std::thread::scope(|scope| {
        let speakers: Vec<_> = (0..4).map(|_| scope.spawn(|| speak(&server, &sound))).collect();
        speakers.into_iter().map(|speaker| speaker.join().unwrap()).collect()
    });
    let (heard, busy): (Vec<_>, Vec<_>) =
        told.iter().partition(|(event, _)| event["type"] == "transcript");
    assert!(!heard.is_empty() && !busy.is_empty(), "{told:?}");
    assert!(heard.iter().all(|(event, _)| event["text"] == "Lock the front door."), "{told:?}");
    for (event, took) in busy {
        assert_eq!(event["code"], "busy", "{event}");
        // On an idle machine within 50 ms; the tests share theirs.
        assert!(*took < Duration::from_millis(500), "{took:?}");
    }

    // The same over HTTP and Realtime, while somebody else is being heard.
    let long: Vec<u8> = (0..8).flat_map(|_| sound.clone()).collect();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| speak(&server, &long));
        let waiting = Instant::now();
        while metric(&server, "hearken_recognition_wait_ms") < 2.0 {
            assert!(waiting.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut stream = connect(server.http);
        let head = "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                    content-type: multipart/form-data; boundary=b\r\ncontent-length: 9\r\n\r\n--b--\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let answer = rest_of(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: "), "{answer}");
        let _ = first.join();
    });
    let metrics = server.get("/metrics");
    assert!(
        metrics.contains("hearken_refused_total{door=\"wyoming\",reason=\"busy\"}"),
        "{metrics}"
    );
}

fn metric(server: &Server, name: &str) -> f64 {
    let text = server.get("/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

/// Reads Prometheus' text format 0.0.4 strictly: every sample below its family's type, no family
/// twice, no sample twice, numbers that are numbers, and histograms that add up.
fn families(text: &str) -> BTreeSet<String> {
    let (mut known, mut samples) = (BTreeMap::new(), BTreeSet::new());
    let mut family: Option<(String, String)> = None;
    let mut last_bucket: BTreeMap<String, f64> = BTreeMap::new();
    // A count may stand before its buckets.
    let mut counts = Vec::new();
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# ") {
            let (word, rest) = about.split_once(' ').unwrap();
            let (name, value) = rest.split_once(' ').unwrap();
            match word {
                "HELP" => assert!(known.insert(name.to_owned(), ()).is_none(), "{name} twice"),
                "TYPE" => {
                    assert!(["counter", "gauge", "histogram"].contains(&value), "{line}");
                    family = Some((name.to_owned(), value.to_owned()));
                }
                other => panic!("{other} in {line:?}"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line:?}"));
        assert!(samples.insert(sample.to_owned()), "{sample} twice");
        let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
        assert!(labels.ends_with('}'), "{line:?}");
        let (own, kind) = family.as_ref().unwrap();
        match kind.as_str() {
            "histogram" => {
                let part = name.strip_prefix(own.as_str()).unwrap_or_else(|| panic!("{line:?}"));
                assert!(["_bucket", "_sum", "_count"].contains(&part), "{line:?}");
                let labels = labels.trim_end_matches('}');
                let key = labels.split("le=").next().unwrap().trim_end_matches(',');
                let key = format!("{own}{{{key}");
                if part == "_bucket" {
                    let before = last_bucket.insert(key, value).unwrap_or(0.0);
                    assert!(value >= before, "{line:?} after {before}");
                } else if part == "_count" {
                    counts.push((line, key, value));
                }
            }
            _ => assert_eq!(name, own, "{line:?}"),
        }
    }
    for (line, key, count) in counts {
        assert_eq!(last_bucket[&key], count, "{line:?}");
    }
    known.into_keys().collect()
}

#[test]
fn the_numbers_are_those_of_the_doors_and_of_the_conversations() {
    let server = Server::start("");
    let (mut socket, _) = tungstenite::client(
        format!("ws://{}/v1/stream?language=en", server.http),
        connect(server.http),
    )
    .unwrap();
    socket.send(Message::binary(command())).unwrap();
    socket.send(Message::text("{\"type\": \"end\"}")).unwrap();
    while !matches!(socket.read(), Ok(Message::Close(_)) | Err(_)) {}
    let answer = server.get("/metrics");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let families = families(text);
    for name in
        ["hearken_connections_total", "hearken_turns_total", "hearken_voice_to_voice_seconds"]
    {
        assert!(families.contains(name), "{name} is not in {families:?}");
    }
    assert!(text.contains("\nhearken_turns_total 1\n"), "{text}");
    assert!(text.contains("\nhearken_recognition_seconds_count 1\n"), "{text}");
}

/// A FLAC file of a minute's silence that says of itself to be of ten hours.
fn boastful() -> Vec<u8> {
    let mut file = silence();
    let samples: u64 = 10 * 3600 * 16_000;
    // Behind the mark and the block's head: 36 bits of samples end at the 18th byte of STREAMINFO.
    let place = &mut file[4 + 4 + 13..4 + 4 + 18];
    place[0] = (place[0] & 0xf0) | (samples >> 32) as u8;
    place[1..5].copy_from_slice(&(samples as u32).to_be_bytes());
    file
}

#[test]
fn a_thousand_who_hold_on_disturb_nobody() {
    let server = Server::start("idle_s = 5\nmax_audio_s = 30\n");
    let started = Instant::now();
    // Slow ones: a header that never ends, a body that never comes, half an event.
    let mut dribble = connect(server.http);
    dribble.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ").unwrap();
    let mut late = connect(server.http);
    late.write_all(b"POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{").unwrap();
    let mut half = connect(server.wyoming);
    half.write_all(b"{\"type\":\"transcribe\",\"data_length\":100}\n{").unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    rest_of(&mut half);
    assert!(started.elapsed() < Duration::from_secs(4), "a half-closed client is let go");

    // Wrong UTF-8, base64 that is none, and base64 of too much.
    let realtime = || {
        let url = format!("ws://{}/v1/realtime", server.http);
        let mut socket = tungstenite::client(url, connect(server.http)).unwrap().0;
        assert!(socket.read().unwrap().to_text().unwrap().contains("session.created"));
        socket
    };
    let mut socket = realtime();
    let event = |audio: &str| {
        Message::text(json!({ "type": "input_audio_buffer.append", "audio": audio }).to_string())
    };
    socket.send(event("***")).unwrap();
    assert!(socket.read().unwrap().to_text().unwrap().contains("no base64"));
    let none = json!({ "type": "session.update", "session": { "type": "realtime", "audio": { "input": { "turn_detection": null } } } });
    socket.send(Message::text(none.to_string())).unwrap();
    assert!(socket.read().unwrap().to_text().unwrap().contains("session.updated"));
    // 24 kHz: six minutes are more than is kept.
    let minute = STANDARD.encode(vec![0; 60 * 48_000]);
    let full = (0..6).any(|_| {
        socket.send(event(&minute)).unwrap();
        socket.send(Message::text("{\"type\":\"nonsense\"}")).unwrap();
        let told = socket.read().unwrap();
        told.to_text().unwrap().contains("buffer is full")
    });
    assert!(full);
    let mut socket = realtime();
    let _ = socket.send(event(&"A".repeat(22 * 1024 * 1024)));
    assert!(!matches!(socket.read(), Ok(Message::Text(_))), "too much is no event");
    let mut raw = connect(server.http);
    raw.write_all(
        b"GET /v1/stream HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
          sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\
          \x81\x82\x00\x00\x00\x00\xff\xfe",
    )
    .unwrap();
    assert!(rest_of(&mut raw).starts_with("HTTP/1.1 101"), "and then it is closed");

    // A recording that boasts is heard to its real end, or refused; it costs neither hours nor memory.
    let file = boastful();
    let head = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\n\
                content-disposition: form-data; name=\"file\"; filename=\"a.flac\"\r\n\r\n";
    let body = [head.as_bytes(), &file, b"\r\n--b--\r\n"].concat();
    let mut stream = connect(server.http);
    let head = format!(
        "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
    let answer = rest_of(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("longer than 30"), "{answer}");

    // A thousand sockets that say nothing: from this address nobody else comes in, from others all.
    let _idle: Vec<TcpStream> = (0..1000)
        .filter_map(|i| {
            TcpStream::connect(if i % 2 == 0 { server.http } else { server.wyoming }).ok()
        })
        .collect();
    let other = std::net::SocketAddr::from(([127, 0, 0, 2], 0));
    let socket = socket_from(other, server.http);
    let began = Instant::now();
    let mut stream = socket;
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let answer = rest_of(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    // The slow ones are let go in time.
    for slow in [&mut dribble, &mut late] {
        let told = rest_of(slow);
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 4"), "{told}");
    }
    assert!(started.elapsed() < Duration::from_secs(90));
}

/// A connection that comes from a certain address of this machine.
fn socket_from(from: std::net::SocketAddr, to: std::net::SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(from).unwrap();
        socket.connect(to).await.unwrap()
    });
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

#[test]
fn a_text_that_failed_in_pieces_is_not_spoken_whole() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("wyoming.sock");
    let server = Server::start(&format!("wyoming_socket = {:?}\n", socket.display().to_string()));
    // Over the Unix socket, and with the whole text behind the pieces, as older servers want it.
    let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut tell = |kind: &str, data: Value| {
        writeln!(stream, "{}", json!({ "type": kind, "data": data })).unwrap();
    };
    tell("synthesize-start", json!({ "voice": { "name": "nobody" } }));
    tell("synthesize-chunk", json!({ "text": "Hello there. " }));
    tell("synthesize", json!({ "text": "Hello there. ", "voice": { "name": "nobody" } }));
    tell("synthesize-stop", json!({}));
    tell("ping", json!({}));
    let mut reader = BufReader::new(stream);
    let kinds = ["error", "audio-start", "audio-stop", "synthesize-stopped", "pong"];
    let mut next = || wait_for(&mut reader, &kinds)["type"].as_str().unwrap().to_owned();
    assert_eq!([next(), next(), next()], ["error", "synthesize-stopped", "pong"]);
    drop(server);
}

#[test]
fn a_device_gets_its_token_where_it_starts() {
    let hash = hearken::serve::token_hash("secret");
    let server = Server::start(&format!("tokens = [\"{hash}\"]\n"));
    let told = |path: &str| server.get(path).split_once("\r\n\r\n").unwrap().1.to_owned();
    let websocket =
        |path: &str| serde_json::from_str::<Value>(&told(path)).unwrap()["websocket"].clone();
    assert_eq!(websocket("/xiaozhi/ota/?token=secret")["token"], "secret");
    assert_eq!(websocket("/xiaozhi/ota/")["token"], Value::Null);
    assert!(server.get("/xiaozhi/ota/?token=wrong").starts_with("HTTP/1.1 401"));
}
