//! Conversations over sockets: raw streams, XiaoZhi devices, Twilio and AudioSocket, each played by a
//! client that is written from the facts of its wire.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hearken::audio::{G711, from_s16le, read_mono_16k, resampled, to_s16le};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::doors::{Server, recording_then, steps};

fn command(name: &str) -> Vec<f32> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recordings");
    let mut samples = read_mono_16k(folder.join(name)).unwrap();
    samples.resize(samples.len() + 24_000, 0.0);
    samples
}

pub(crate) struct Client(WebSocket<TcpStream>);

impl Client {
    pub(crate) fn connect(server: &Server, path: &str, headers: &[(&'static str, &str)]) -> Self {
        let stream = TcpStream::connect(server.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut request = format!("ws://{}{path}", server.http).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        Self(tungstenite::client(request, stream).unwrap().0)
    }

    pub(crate) fn text(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    pub(crate) fn binary(&mut self, bytes: Vec<u8>) {
        self.0.send(Message::binary(bytes)).unwrap();
    }

    pub(crate) fn read(&mut self) -> Option<Message> {
        match self.0.read() {
            Ok(Message::Close(_)) | Err(_) => None,
            Ok(message) => Some(message),
        }
    }
}

pub(crate) fn json_of(message: &Message) -> Option<Value> {
    match message {
        Message::Text(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

#[test]
fn a_stream_is_answered_in_events_and_sound() {
    let server = Server::start("");
    let mut client = Client::connect(&server, "/v1/stream?language=en&output_rate=16000", &[]);
    for piece in to_s16le(&command("4.flac")).chunks(3201) {
        client.binary(piece.to_vec());
    }
    client.text(&json!({ "type": "nonsense" }));
    client.text(&json!({ "type": "end" }));
    let (mut events, mut sound, mut promised) = (Vec::new(), Vec::new(), 0);
    while let Some(message) = client.read() {
        if let Some(event) = json_of(&message) {
            promised += event["samples"].as_u64().unwrap_or(0);
            events.push(event);
        } else if let Message::Binary(bytes) = message {
            sound.extend(from_s16le(&bytes));
        }
    }
    let all = |kind: &str| events.iter().filter(|e| e["event"] == kind).collect::<Vec<_>>();
    assert_eq!(all("ready").len(), 1);
    assert_eq!(all("error").len(), 1);
    assert_eq!(all("speech_started").len(), 1, "{events:?}");
    assert_eq!(all("final")[0]["text"], "Lock the front door.");
    let reply = all("reply_text")[0];
    assert_eq!(
        (&reply["text"], &reply["actions"][0]["entity"]),
        (&"Locking".into(), &"lock.front_door".into())
    );
    assert_eq!(sound.len() as u64, promised);
    assert!(sound.len() > 4000 && sound.iter().any(|s| s.abs() > 0.1));
    assert!(all("speech").last().unwrap()["last"].as_bool().unwrap());
    // What is wrong with the address is an answer and no socket.
    let answer = server.get("/v1/stream?rate=7&x=1");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

fn opus_packets(samples: &[f32]) -> Vec<Vec<u8>> {
    use opusic_c::{Application, Channels, Encoder, SampleRate};
    let mut encoder = Encoder::new(Channels::Mono, SampleRate::Hz16000, Application::Voip).unwrap();
    let packets = samples.chunks_exact(960).map(|block| {
        let mut packet = vec![0; 1275];
        let length = encoder.encode_float_to_slice(block, &mut packet).unwrap();
        packet.truncate(length);
        packet
    });
    packets.collect()
}

#[test]
fn a_xiaozhi_device_is_heard_and_answered() {
    let server = Server::start("");
    // What it asks when it starts.
    let answer = server.get("/xiaozhi/ota/");
    let told: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(told["websocket"]["url"], "ws://localhost/xiaozhi/v1/", "{answer}");
    assert!(told["server_time"]["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    let headers =
        [("protocol-version", "3"), ("device-id", "02:00:00:00:00:01"), ("client-id", "test")];
    let mut device = Client::connect(&server, "/xiaozhi/v1/", &headers);
    device.text(&json!({
        "type": "hello", "version": 3, "transport": "websocket", "features": { "mcp": true },
        "audio_params": { "format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60 },
    }));
    let hello = json_of(&device.read().unwrap()).unwrap();
    assert_eq!(
        (&hello["type"], &hello["audio_params"]["sample_rate"]),
        (&"hello".into(), &24_000.into())
    );
    let id = hello["session_id"].as_str().unwrap().to_owned();
    device.text(&json!({ "session_id": id, "type": "listen", "state": "start", "mode": "manual" }));
    // A packet that is none does no harm.
    device.binary(vec![0, 0, 0, 2, 0xff, 0xff]);
    device.binary(vec![7]);
    for packet in opus_packets(&command("4.flac")) {
        let mut message = vec![0, 0];
        message.extend_from_slice(&(packet.len() as u16).to_be_bytes());
        message.extend_from_slice(&packet);
        device.binary(message);
    }
    device.text(&json!({ "session_id": id, "type": "listen", "state": "stop" }));
    let (mut told, mut packets, mut first, mut last) = (Vec::new(), 0, None, None);
    let mut decoder =
        opusic_c::Decoder::new(opusic_c::Channels::Mono, opusic_c::SampleRate::Hz24000).unwrap();
    let mut loud = 0.0f32;
    while let Some(message) = device.read() {
        if let Some(event) = json_of(&message) {
            let done = event["type"] == "tts" && event["state"] == "stop";
            // The question for its tools, which this device leaves open.
            if event["type"] != "mcp" {
                told.push(event);
            }
            if done {
                break;
            }
        } else if let Message::Binary(bytes) = message {
            assert_eq!(usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), bytes.len() - 4);
            let mut samples = [0.0; 2880];
            let length = decoder.decode_float_to_slice(&bytes[4..], &mut samples, false).unwrap();
            assert_eq!(length, 1440);
            loud = samples[..length].iter().fold(loud, |most, s| most.max(s.abs()));
            first.get_or_insert_with(Instant::now);
            last = Some(Instant::now());
            packets += 1;
        }
    }
    let kinds: Vec<String> = told
        .iter()
        .map(|e| {
            [e["type"].as_str(), e["state"].as_str()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(kinds, ["stt", "llm", "tts start", "tts sentence_start", "tts stop"], "{told:?}");
    assert_eq!(
        (&told[0]["text"], &told[3]["text"]),
        (&"Lock the front door.".into(), &"Locking".into())
    );
    assert!(told.iter().all(|event| event["session_id"] == id.as_str()));
    assert!(packets >= 4 && loud > 0.1, "{packets} {loud}");
    // Packets come at the speed of their sound, less what a device has in store.
    let took = last.unwrap() - first.unwrap();
    assert!(
        took >= Duration::from_millis(60) * (packets - 1) - Duration::from_millis(200),
        "{took:?} {packets}"
    );

    // An answer that its user does not want ends at once, and the device is told.
    device.text(&json!({
        "session_id": id, "type": "listen", "state": "detect", "text": "what is the temperature in the bedroom",
    }));
    let tts = |device: &mut Client, state: &str| {
        let mut packets = 0;
        while let Some(message) = device.read() {
            packets += usize::from(matches!(message, Message::Binary(_)));
            let event = json_of(&message).unwrap_or_default();
            if event["type"] == "tts" && event["state"] == state {
                return packets;
            }
        }
        panic!("the device was left before tts {state}");
    };
    tts(&mut device, "sentence_start");
    device.text(&json!({ "session_id": id, "type": "abort", "reason": "wake_word_detected" }));
    // All of it would be two seconds, which are 33 packets.
    let packets = tts(&mut device, "stop");
    assert!(packets < 20, "{packets} packets");
}

#[test]
fn a_twilio_call_is_heard_and_answered() {
    let hash = hearken::serve::token_hash("secret");
    let server = Server::start(&format!("tokens = [\"{hash}\"]\n"));
    let start = |token: &str| {
        json!({ "event": "start", "streamSid": "MZ1", "start": {
            "streamSid": "MZ1", "callSid": "CA1", "customParameters": { "token": token },
            "mediaFormat": { "encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1 },
        } })
    };
    let mut stranger = Client::connect(&server, "/twilio", &[]);
    stranger.text(&start("wrong"));
    assert!(stranger.read().is_none());

    let mut call = Client::connect(&server, "/twilio", &[]);
    call.text(&json!({ "event": "connected", "protocol": "Call", "version": "1.0.0" }));
    call.text(&start("secret"));
    let sound = G711::Mu.encode(&resampled(&command("4.flac"), 16_000, 8_000).unwrap());
    for piece in sound.chunks(160) {
        let media = json!({ "track": "inbound", "payload": STANDARD.encode(piece) });
        call.text(&json!({ "event": "media", "streamSid": "MZ1", "media": media }));
    }
    let mut heard = Vec::new();
    while heard.len() < 3200 {
        let event = json_of(&call.read().expect("the call ended")).unwrap();
        assert_eq!((&event["event"], &event["streamSid"]), (&"media".into(), &"MZ1".into()));
        let bytes = STANDARD.decode(event["media"]["payload"].as_str().unwrap()).unwrap();
        assert_eq!(bytes.len(), 160);
        heard.extend(G711::Mu.decode(&bytes));
    }
    assert!(heard.iter().any(|s| s.abs() > 0.1));
    // The end of an answer is marked.
    let mark = loop {
        let event = json_of(&call.read().expect("the call ended")).unwrap();
        if event["event"] == "mark" {
            break event;
        }
    };
    assert!(mark["mark"]["name"].as_str().unwrap().starts_with("reply-"), "{mark}");
    call.text(&json!({ "event": "stop", "streamSid": "MZ1" }));
    while call.read().is_some() {}
}

#[test]
fn an_audiosocket_call_is_heard_and_answered() {
    let server = Server::start("audiosocket = \"127.0.0.1:0\"\n");
    let mut call = TcpStream::connect(server.audiosocket()).unwrap();
    call.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    call.write_all(&[&[0x01, 0, 16][..], &[7; 16]].concat()).unwrap();
    let sound = to_s16le(&resampled(&command("4.flac"), 16_000, 8_000).unwrap());
    for piece in sound.chunks(320) {
        let length = (piece.len() as u16).to_be_bytes();
        call.write_all(&[&[0x10, length[0], length[1]], piece].concat()).unwrap();
    }
    let mut heard = Vec::new();
    while heard.len() < 3200 {
        let mut head = [0; 3];
        call.read_exact(&mut head).unwrap();
        assert_eq!(head, [0x10, 1, 64]);
        let mut bytes = [0; 320];
        call.read_exact(&mut bytes).unwrap();
        heard.extend(from_s16le(&bytes));
    }
    assert!(heard.iter().any(|s| s.abs() > 0.1));
    call.write_all(&[0, 0, 0]).unwrap();
    let mut rest = Vec::new();
    let _ = call.read_to_end(&mut rest);
    assert!(rest.ends_with(&[0, 0, 0]));
}

#[test]
fn vosk_and_deepgram_clients_get_transcripts() {
    let server = Server::start("");
    let sound = to_s16le(&resampled(&command("4.flac"), 16_000, 8_000).unwrap());

    let mut client = Client::connect(&server, "/vosk", &[]);
    client.text(&json!({ "config": { "sample_rate": 8000, "words": true } }));
    let mut told = Vec::new();
    for piece in sound.chunks(8000) {
        client.binary(piece.to_vec());
        told.push(json_of(&client.read().unwrap()).unwrap());
    }
    client.text(&json!({ "eof": 1 }));
    told.push(json_of(&client.read().unwrap()).unwrap());
    assert!(client.read().is_none());
    assert!(told[0].get("partial").is_some() && told.last().unwrap().get("text").is_some());
    let said = told.iter().find(|answer| answer.get("result").is_some()).unwrap();
    assert_eq!(said["text"], "Lock the front door.");
    assert_eq!(said["result"].as_array().unwrap().len(), 4);

    let path =
        "/v1/listen?encoding=linear16&sample_rate=8000&language=en-US&vad_events=true&model=any";
    let mut client = Client::connect(&server, path, &[]);
    client.text(&json!({ "type": "KeepAlive" }));
    for piece in sound.chunks(1600) {
        client.binary(piece.to_vec());
    }
    client.text(&json!({ "type": "CloseStream" }));
    let mut told = Vec::new();
    while let Some(message) = client.read() {
        told.extend(json_of(&message));
    }
    let kinds: Vec<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["SpeechStarted", "Results", "Metadata"]);
    let best = &told[1]["channel"]["alternatives"][0];
    assert_eq!(best["transcript"], "Lock the front door.");
    assert_eq!(best["words"][3]["word"], "door");
    let answer = server.get("/v1/listen?encoding=opus");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[test]
fn deepgram_s_own_client_is_served() {
    let token = "a token for this test";
    let hash = hearken::serve::token_hash(token);
    let server = Server::start(&format!("tokens = [\"{hash}\"]\n"));
    let file = recording_then(1, "4.flac", server.folder.path());
    let steps = steps("deepgram_client.py", &[&server.http.to_string(), token, &file]);
    for step in ["linear16", "interim", "mulaw", "wav"] {
        let heard = &steps[step];
        assert_eq!(heard["texts"], json!(["Lock the front door."]), "{heard}");
        assert_eq!(heard["words"], json!(["lock", "the", "front", "door"]), "{heard}");
        let kinds: Vec<&str> =
            heard["kinds"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!((kinds[0], *kinds.last().unwrap()), ("SpeechStarted", "Metadata"), "{heard}");
        assert!(kinds.contains(&"UtteranceEnd"), "{heard}");
    }
    let turns = &steps["turns"];
    assert_eq!(turns["texts"], json!(["Lock the front door.", "", "Lock the front door."]));
    for (step, part) in [("encoding", "400"), ("language", "400"), ("stranger", "401")] {
        let told = &steps[step];
        assert!(told["error"].as_str().unwrap().contains(part), "{told}");
    }
}
