//! Home Assistant's WebSocket API, spoken by a server that the test runs.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hearken::home::{Call, Home, HomeAssistant, HomeAssistantConfig, HomeError, Secret};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

const TOKEN: &str = "a-long-lived-token";

/// A Home Assistant with a lamp, a lock that jams and a curtain nobody hears of.
struct Server {
    port: u16,
    stop: Arc<AtomicBool>,
    /// Events that it sends to whoever subscribed.
    events: Sender<Value>,
    requests: Arc<Mutex<Vec<Value>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn start(port: u16) -> Self {
        Self::start_as(port, None)
    }

    /// The same, encrypted where there is an identity.
    fn start_as(port: u16, identity: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (events, sent) = channel();
        let (own, seen) = (stop.clone(), requests.clone());
        let thread = std::thread::spawn(move || {
            while !own.load(Ordering::Acquire) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        stream.set_nonblocking(false).unwrap();
                        stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
                        match &identity {
                            None => serve(stream, &own, &sent, &seen),
                            Some(identity) => {
                                let connection = rustls::ServerConnection::new(identity.clone());
                                let stream = rustls::StreamOwned::new(connection.unwrap(), stream);
                                serve(stream, &own, &sent, &seen);
                            }
                        }
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Self { port, stop, events, requests, thread: Some(thread) }
    }

    fn config(&self) -> HomeAssistantConfig {
        HomeAssistantConfig {
            url: format!("http://127.0.0.1:{}", self.port),
            token: Secret::new(TOKEN),
            answer_ms: 800,
            ..HomeAssistantConfig::default()
        }
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    fn event(&self, kind: &str, data: &Value) {
        self.events.send(json!({ "event_type": kind, "data": data })).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

fn lamp(state: &str, brightness: &Value) -> Value {
    json!({"entity_id": "light.hall", "state": state, "attributes": {"friendly_name": "Hall Lamp",
        "supported_color_modes": ["brightness"], "brightness": brightness}})
}

fn serve<S: Read + Write>(
    stream: S,
    stop: &AtomicBool,
    events: &Receiver<Value>,
    seen: &Mutex<Vec<Value>>,
) {
    // A slow client shakes hands in more than one step.
    let mut shaken = tungstenite::accept(stream);
    let mut socket = loop {
        shaken = match shaken {
            Ok(socket) => break socket,
            Err(tungstenite::HandshakeError::Interrupted(half)) => half.handshake(),
            Err(tungstenite::HandshakeError::Failure(_)) => return,
        };
    };
    let send = |socket: &mut WebSocket<S>, message: Value| {
        let _ = socket.send(Message::Text(message.to_string().into()));
    };
    send(&mut socket, json!({"type": "auth_required", "ha_version": "2026.11.0"}));
    let mut subscriptions: Vec<(Value, Value)> = Vec::new();
    let mut trusted = false;
    while !stop.load(Ordering::Acquire) {
        while let Ok(event) = events.try_recv() {
            for (id, kind) in &subscriptions {
                if *kind == event["event_type"] {
                    send(&mut socket, json!({"id": id, "type": "event", "event": event}));
                }
            }
        }
        let request: Value = match socket.read() {
            Ok(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            Ok(Message::Close(_)) => return,
            Ok(_) => continue,
            Err(tungstenite::Error::Io(error))
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                continue;
            }
            Err(_) => return,
        };
        if !trusted {
            trusted = request["access_token"] == TOKEN;
            let kind = if trusted { "auth_ok" } else { "auth_invalid" };
            send(&mut socket, json!({"type": kind, "message": "Invalid access token or password"}));
            if !trusted {
                return;
            }
            continue;
        }
        seen.lock().unwrap().push(request.clone());
        let id = request["id"].clone();
        let done =
            |result: Value| json!({"id": id, "type": "result", "success": true, "result": result});
        let reply = match request["type"].as_str().unwrap() {
            "subscribe_events" => {
                subscriptions.push((id.clone(), request["event_type"].clone()));
                done(Value::Null)
            }
            "config/floor_registry/list" => {
                done(json!([{"floor_id": "up", "name": "Upstairs", "aliases": []}]))
            }
            "config/area_registry/list" => done(
                json!([{"area_id": "hall", "name": "Hall", "aliases": ["走廊"], "floor_id": "up"}]),
            ),
            "config/device_registry/list" => {
                done(json!([{"id": "d1", "area_id": "hall", "name": "Lamp"}]))
            }
            "config/entity_registry/list" => done(json!([
                {"entity_id": "light.hall", "device_id": "d1", "area_id": null, "name": null, "aliases": ["走廊灯"]},
                {"entity_id": "sensor.signal", "device_id": "d1", "entity_category": "diagnostic"},
            ])),
            "get_states" => done(json!([
                lamp("off", &Value::Null),
                {"entity_id": "lock.door", "state": "locked", "attributes": {"friendly_name": "Door"}},
                {"entity_id": "cover.deaf", "state": "closed", "attributes": {}},
                {"entity_id": "fan.deaf", "state": "off", "attributes": {}},
                {"entity_id": "todo.list", "state": "1", "attributes": {"friendly_name": "List"}},
                {"entity_id": "sensor.signal", "state": "7", "attributes": {}},
                {"entity_id": "zone.home", "state": "0", "attributes": {}},
            ])),
            "call_service" => match request["target"]["entity_id"].as_str().unwrap() {
                "light.hall" => {
                    let on = request["service"] == "turn_on";
                    let level = request["service_data"]["brightness_pct"].as_i64().unwrap_or(100)
                        * 255
                        / 100;
                    let new =
                        if on { lamp("on", &level.into()) } else { lamp("off", &Value::Null) };
                    for (id, _) in subscriptions.iter().filter(|(_, kind)| kind == "state_changed")
                    {
                        let data = json!({"entity_id": "light.hall", "new_state": new});
                        let event = json!({"event_type": "state_changed", "data": data});
                        send(&mut socket, json!({"id": id, "type": "event", "event": event}));
                    }
                    done(json!({"context": {}}))
                }
                "todo.list" => json!({"id": id, "type": "result", "success": false,
                    "error": {"code": "service_validation_error", "message": "no such item"}}),
                "lock.door" => json!({"id": id, "type": "result", "success": false,
                    "error": {"code": "home_assistant_error", "message": "jammed"}}),
                _ => continue,
            },
            "ping" => json!({"id": id, "type": "pong"}),
            other => json!({"id": id, "type": "result", "success": false,
                "error": {"code": "unknown_command", "message": other}}),
        };
        send(&mut socket, reply);
    }
}

fn until(home: &mut Home, what: &str, holds: impl Fn(&Home) -> bool) {
    let end = Instant::now() + Duration::from_secs(15);
    loop {
        home.refresh();
        if holds(home) {
            return;
        }
        assert!(Instant::now() < end, "not in time: {what}; the home is {}", home.states());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn state<'a>(home: &'a Home, id: &str) -> &'a str {
    home.entity(id).map_or("not there", |entity| entity.state.as_str())
}

fn connect(server: &Server) -> Home {
    let door = HomeAssistant::connect(&server.config()).unwrap();
    let mut home = Home::empty().connect(Box::new(door));
    until(&mut home, "the lamp is there", |home| state(home, "light.hall") == "off");
    home
}

#[test]
fn the_registries_are_read() {
    let server = Server::start(0);
    let home = connect(&server);
    let lamp = home.entity("light.hall").unwrap();
    assert_eq!(lamp.names.spoken("en"), ["Hall Lamp", "走廊灯"]);
    assert_eq!(lamp.area.as_deref(), Some("hall"), "from its device");
    assert!(lamp.can("brightness") && !lamp.can("color"));
    assert_eq!(home.area_named("走廊").unwrap().floor.as_deref(), Some("up"));
    assert_eq!(home.floor_named("upstairs").unwrap().id, "up");
    assert!(!home.entity("sensor.signal").unwrap().exposed);
    assert!(home.entity("zone.home").is_none());
}

#[test]
fn services_are_called_and_states_followed() {
    let server = Server::start(0);
    let mut home = connect(&server);
    let now = jiff::ZonedDateTime::now();
    let call = Call::new("light.hall", "light.turn_on").with("brightness_pct", 40);
    let actions = home.act(&call, &now).unwrap();
    assert_eq!(actions[0].changes["state"].to, "on");
    assert_eq!(actions[0].changes["brightness"].to, 102);
    let requests = server.requests.lock().unwrap().clone();
    let sent = requests.iter().find(|request| request["type"] == "call_service").unwrap();
    assert_eq!(
        (&sent["domain"], &sent["service"], &sent["target"], &sent["service_data"]),
        (
            &json!("light"),
            &json!("turn_on"),
            &json!({"entity_id": "light.hall"}),
            &json!({"brightness_pct": 40})
        )
    );
    server.event(
        "state_changed",
        &json!({"entity_id": "light.hall", "new_state": lamp("off", &Value::Null)}),
    );
    until(&mut home, "it is followed", |home| state(home, "light.hall") == "off");
    let before = home.names_version();
    let new =
        json!({"entity_id": "fan.new", "state": "off", "attributes": {"friendly_name": "Fan"}});
    server.event("state_changed", &json!({"entity_id": "fan.new", "new_state": new}));
    until(&mut home, "a new one comes", |home| state(home, "fan.new") == "off");
    assert_ne!(home.names_version(), before);
    server.event("state_changed", &json!({"entity_id": "fan.new", "new_state": null}));
    until(&mut home, "it goes", |home| home.entity("fan.new").is_none());
}

#[test]
fn failures_are_told_honestly() {
    let server = Server::start(0);
    let mut home = connect(&server);
    let now = jiff::ZonedDateTime::now();
    for (id, service) in [("lock.door", "lock.unlock"), ("cover.deaf", "cover.open_cover")] {
        let error = home.act(&Call::new(id, service), &now).unwrap_err();
        assert!(matches!(&error, HomeError::NotAnswering { entity } if entity == id), "{error}");
    }
    let call = Call::new("todo.list", "todo.remove_item").with("item", "gold");
    let error = home.act(&call, &now).unwrap_err();
    assert!(matches!(&error, HomeError::NoSuchItem { item, .. } if item == "gold"), "{error}");
}

#[test]
fn several_are_waited_for_together() {
    let server = Server::start(0);
    let mut home = connect(&server);
    let now = jiff::ZonedDateTime::now();
    let calls = [
        Call::new("cover.deaf", "cover.open_cover"),
        Call::new("fan.deaf", "fan.turn_on"),
        Call::new("light.hall", "light.turn_on"),
        Call::new("light.none", "light.turn_on"),
    ];
    let start = Instant::now();
    let done = home.act_all(&calls, &now);
    let took = start.elapsed();
    assert!(matches!(&done[0], Err(HomeError::NotAnswering { .. })), "{done:?}");
    assert!(matches!(&done[1], Err(HomeError::NotAnswering { .. })), "{done:?}");
    assert_eq!(done[2].as_ref().unwrap()[0].changes["state"].to, "on");
    assert!(matches!(&done[3], Err(HomeError::UnknownEntity { .. })), "{done:?}");
    assert!(took < Duration::from_millis(1400), "two that are deaf take as long as one: {took:?}");
}

#[test]
fn an_encrypted_connection_trusts_only_whom_it_is_told_to() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let identity = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let server = Server::start_as(0, Some(Arc::new(identity)));
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("ca.pem");
    std::fs::write(&file, made.cert.pem()).unwrap();
    let url = format!("https://127.0.0.1:{}", server.port);

    let config = HomeAssistantConfig { url: url.clone(), ..server.config() };
    let door = HomeAssistant::connect(&config).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    let problem = loop {
        if let Some(problem) = door.problem() {
            break problem;
        }
        assert!(Instant::now() < end, "nothing is told");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(problem.contains("certificate"), "{problem}");
    drop(door);

    let config = HomeAssistantConfig { url, ca_file: Some(file), ..server.config() };
    let door = HomeAssistant::connect(&config).unwrap();
    let mut home = Home::empty().connect(Box::new(door));
    until(&mut home, "the lamp is there", |home| state(home, "light.hall") == "off");
    let call = Call::new("light.hall", "light.turn_on");
    assert!(!home.act(&call, &jiff::ZonedDateTime::now()).unwrap()[0].changes.is_empty());
}

#[test]
fn a_wrong_token_is_named_and_not_shown() {
    let server = Server::start(0);
    let config = HomeAssistantConfig { token: Secret::new("hush"), ..server.config() };
    let door = HomeAssistant::connect(&config).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    let problem = loop {
        if let Some(problem) = door.problem() {
            break problem;
        }
        assert!(Instant::now() < end, "nothing is told");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(problem.contains("token") && !problem.contains("hush"), "{problem}");
    assert!(!format!("{door:?} {config:?}").contains("hush"));
    for (url, named) in [("ftp://hub", "unknown"), ("hub", "scheme"), ("http://", "host")] {
        let config = HomeAssistantConfig { url: url.into(), ..server.config() };
        assert!(config.problems()[0].contains(named), "{:?}", config.problems());
    }
    let bare = HomeAssistantConfig { token: Secret::default(), ..server.config() };
    assert!(bare.problems()[0].contains("token_file"));
}

#[test]
fn a_server_that_goes_is_missed_and_found_again() {
    let mut server = Server::start(0);
    let mut home = connect(&server);
    server.stop();
    until(&mut home, "it is missed", |home| state(home, "light.hall") == "unavailable");
    let now = jiff::ZonedDateTime::now();
    let start = Instant::now();
    let error = home.act(&Call::new("light.hall", "light.turn_on"), &now).unwrap_err();
    assert!(matches!(error, HomeError::NotAnswering { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_millis(400), "nobody waits for what is away");
    let again = Server::start(server.port);
    until(&mut home, "it is back", |home| state(home, "light.hall") == "off");
    home.act(&Call::new("light.hall", "light.turn_on"), &now).unwrap();
    drop(again);
}
