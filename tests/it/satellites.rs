//! Satellites by their names: over MQTT with a real broker, and the tools of their devices.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rumqttc::{Client as Mqtt, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};

use crate::calls::{Client, json_of};
use crate::doors::{Server, recording_then, steps};
use crate::mqtt::Broker;

/// Another client of the broker, which sees all that happens.
struct Ears {
    client: Mqtt,
    connection: rumqttc::Connection,
    /// What came while something was sent.
    early: Vec<(String, String)>,
}

impl Ears {
    fn new(port: u16) -> Self {
        let (client, mut connection) = Mqtt::new(MqttOptions::new("ears", "127.0.0.1", port), 50);
        client.subscribe("house/#", QoS::AtLeastOnce).unwrap();
        for event in connection.iter() {
            if matches!(event, Ok(Event::Incoming(Packet::SubAck(_)))) {
                break;
            }
        }
        Self { client, connection, early: Vec::new() }
    }

    /// Sends a message, which the broker has when this returns.
    fn say(&mut self, topic: &str, payload: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            match self.connection.recv_timeout(Duration::from_millis(500)) {
                Ok(Ok(Event::Incoming(Packet::PubAck(_)))) => return,
                Ok(Ok(Event::Incoming(Packet::Publish(message)))) => {
                    let text = String::from_utf8(message.payload.to_vec()).unwrap();
                    self.early.push((message.topic, text));
                }
                _ => {}
            }
        }
        panic!("the broker did not take what is for {topic}");
    }

    /// The next message below a topic that is wanted.
    fn wait(&mut self, topic: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut seen = std::mem::take(&mut self.early);
        let known = seen.iter().position(|(at, text)| at == topic && wanted(text));
        if let Some(known) = known {
            self.early = seen.split_off(known + 1);
            return seen.remove(known).1;
        }
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            let event = self.connection.recv_timeout(Duration::from_millis(500));
            if let Ok(Ok(Event::Incoming(Packet::Publish(message)))) = event {
                let text = String::from_utf8(message.payload.to_vec()).unwrap();
                if message.topic == topic && wanted(&text) {
                    return text;
                }
                seen.push((message.topic, text));
            }
        }
        panic!("nothing of it on {topic}: {seen:?}");
    }
}

#[test]
fn satellites_are_followed_told_and_asked_over_mqtt() {
    let broker = Broker::start();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let mut server = Server::start(&format!("[serve.mqtt]\nurl = \"{url}\"\nprefix = \"house\"\n"));
    let mut ears = Ears::new(broker.port);
    ears.wait("house/state", |text| text == "online");
    let mut client = Client::connect(&server, "/v1/stream?language=en&satellite=kitchen", &[]);
    assert_eq!(json_of(&client.read().unwrap()).unwrap()["event"], "ready");
    ears.wait("house/kitchen/event", |text| text.contains("\"connected\""));

    // What is to be said is said there.
    ears.say("house/kitchen/say", "Dinner is ready.");
    let mut samples = 0;
    loop {
        let message = client.read().unwrap();
        // Time goes on as sound comes in.
        client.binary(vec![0; 16_000]);
        let Some(event) = json_of(&message) else { continue };
        samples += event["samples"].as_u64().unwrap_or(0);
        if event["event"] == "speech" && event["last"] == true {
            break;
        }
    }
    assert!(samples > 12_000, "{samples}");
    client.binary(vec![0; 16_000 * 2 * 4]);
    ears.wait("house/kitchen/event", |text| text.contains("playback_finished"));

    // What is asked is done, also for one that is not connected.
    let answer = |ears: &mut Ears, topic: &str| -> Value {
        serde_json::from_str(&ears.wait(topic, |_| true)).unwrap()
    };
    ears.say("house/attic/ask", "{\"text\": \"turn on the kitchen light\", \"id\": 7}");
    let told = answer(&mut ears, "house/attic/answer");
    assert_eq!((&told["id"], &told["intent"]["name"]), (&7.into(), &"HassTurnOn".into()), "{told}");
    ears.say("house/attic/say", "Hello?");
    let told = answer(&mut ears, "house/attic/answer");
    assert!(told["error"].as_str().unwrap().contains("not connected"), "{told}");
    ears.say("house/attic/ask", "{");
    let told = answer(&mut ears, "house/attic/answer");
    assert!(told["error"].as_str().unwrap().contains("no JSON"), "{told}");

    drop(client);
    ears.wait("house/kitchen/event", |text| text.contains("\"disconnected\""));
    server.terminate();
    assert!(server.ended());
    ears.wait("house/state", |text| text == "offline");
}

fn http(server: &Server, request: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(server.http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer secret\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn a_device_s_tools_are_found_and_called_and_a_token_has_its_limits() {
    let hash = hearken::serve::token_hash("secret");
    let server = Server::start(&format!("tokens = [\"{hash}\"]\nmax_per_token = 2\n"));
    let headers = [("device-id", "02:00:00:00:00:01"), ("authorization", "Bearer secret")];
    let mut device = Client::connect(&server, "/xiaozhi/v1/", &headers);
    device.text(&json!({
        "type": "hello", "version": 1, "transport": "websocket", "features": { "mcp": true },
        "audio_params": { "format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60 },
    }));
    assert_eq!(json_of(&device.read().unwrap()).unwrap()["type"], "hello");
    let next = |device: &mut Client| {
        let message = json_of(&device.read().unwrap()).unwrap();
        assert_eq!(message["type"], "mcp", "{message}");
        message["payload"].clone()
    };
    let answer = |device: &mut Client, id: &Value, result: Value| {
        let payload = json!({ "jsonrpc": "2.0", "id": id, "result": result });
        device.text(&json!({ "session_id": "x", "type": "mcp", "payload": payload }));
    };
    let request = next(&mut device);
    assert_eq!(request["method"], "initialize");
    answer(&mut device, &request["id"], json!({ "protocolVersion": "2024-11-05" }));
    let request = next(&mut device);
    assert_eq!(request["method"], "tools/list");
    let schema = json!({ "type": "object", "properties": { "volume": { "type": "integer" } } });
    let tool = json!({ "name": "self.audio_speaker.set_volume", "description": "Sets it", "inputSchema": schema });
    answer(&mut device, &request["id"], json!({ "tools": [tool] }));

    let end = Instant::now() + Duration::from_secs(10);
    let satellites = loop {
        let (status, listed) = http(&server, "GET /v1/satellites", "");
        assert_eq!(status, 200);
        if listed["data"][0]["tools"][0].is_object() {
            break listed;
        }
        assert!(Instant::now() < end, "{listed}");
    };
    assert_eq!(satellites["data"][0]["name"], "02:00:00:00:00:01");
    let tools = "POST /v1/satellites/02:00:00:00:00:01/tools";
    let call = format!("{tools}/self.audio_speaker.set_volume");
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| http(&server, &call, "{\"volume\": 30}"));
        let request = next(&mut device);
        assert_eq!(
            request["params"],
            json!({ "name": "self.audio_speaker.set_volume", "arguments": { "volume": 30 } })
        );
        let content = json!([{ "type": "text", "text": "true" }]);
        answer(&mut device, &request["id"], json!({ "content": content, "isError": false }));
        let (status, result) = asked.join().unwrap();
        assert_eq!((status, &result["content"][0]["text"]), (200, &"true".into()));
    });
    assert_eq!(http(&server, &format!("{tools}/self.fly"), "{}").0, 404);
    assert_eq!(http(&server, &call, "[]").0, 400);

    // The device holds one of two places; a second socket takes the other.
    let second = Client::connect(&server, "/v1/stream", &headers[1..]);
    let (status, told) = http(&server, "GET /v1/models", "");
    assert_eq!((status, &told["error"]["code"]), (429, &"rate_limit_exceeded".into()));
    drop(second);
    let end = Instant::now() + Duration::from_secs(10);
    while http(&server, "GET /v1/models", "").0 != 200 {
        assert!(Instant::now() < end, "the place is not free again");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn home_assistant_is_lent_microphone_and_speaker() {
    let folder = tempfile::tempdir().unwrap();
    // The microphone is not to end before the answer was heard.
    let command = recording_then(20, "4.flac", folder.path());
    let said = folder.path().join("said.wav");
    let server = Server::start(&format!(
        "satellite = \"127.0.0.1:0\"\n[audio]\ninput = \"file:{command}\"\noutput = \"file:{}\"\n\
         [dialogue]\narea = \"Kitchen\"\n",
        said.display()
    ));
    let uri = format!("tcp://{}", server.satellite.unwrap());
    let steps = steps("satellite_client.py", &[&uri]);
    assert_eq!(
        (&steps["describe"]["area"], &steps["describe"]["has_vad"]),
        (&"Kitchen".into(), &true.into())
    );
    assert_eq!(
        (&steps["pipeline"]["start"], &steps["pipeline"]["end"]),
        (&"asr".into(), &"tts".into())
    );
    let heard = &steps["heard"];
    assert_eq!((&heard["rate"], &heard["pongs"]), (&16_000.into(), &json!(["still?"])));
    assert!((1.0..4.0).contains(&heard["seconds"].as_f64().unwrap()), "{heard}");
    assert!(heard["loud"].as_u64().unwrap() > 2000, "{heard}");
    // A second of sound takes a second to be heard.
    assert!(steps["played"]["seconds"].as_f64().unwrap() > 0.8, "{}", steps["played"]);
    assert!(steps.contains_key("paused"));
    drop(server);
    let sound = hearken::audio::read_mono_16k(&said).unwrap();
    let loud = sound.iter().filter(|sample| sample.abs() > 0.1).count();
    assert!(loud > 10_000, "{loud} of {}", sound.len());
}
