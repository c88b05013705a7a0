//! Real devices behind a real broker: Mosquitto, started here, with simulated bulbs as clients.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearken::home::{Broker as BrokerSettings, Call, Home, HomeError, Mqtt, MqttConfig};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};

/// A broker on a free port of the loopback, stopped with the test.
pub(crate) struct Broker {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

fn mosquitto() -> PathBuf {
    let known =
        ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::split_paths(&path).map(|folder| folder.join("mosquitto"));
    let found = named.chain(known.iter().map(PathBuf::from)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "mosquitto is missing: run scripts/system-packages.sh, or: apt-get install -y mosquitto"
        )
    })
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Broker {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let settings = folder.path().join("mosquitto.conf");
        let mut file = std::fs::File::create(&settings).unwrap();
        writeln!(file, "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false")
            .unwrap();
        let child = Self::run(&settings);
        let mut broker = Self { port, folder, child };
        broker.wait();
        broker
    }

    fn run(settings: &Path) -> Child {
        Command::new(mosquitto())
            .arg("-c")
            .arg(settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn wait(&mut self) {
        let end = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn again(&mut self) {
        self.child = Self::run(&self.folder.path().join("mosquitto.conf"));
        self.wait();
    }

    fn client(&self, name: &str) -> Peer {
        let options = MqttOptions::new(name, "127.0.0.1", self.port);
        let (client, connection) = Client::new(options, 100);
        Peer { client, connection: Some(connection) }
    }

    fn config(&self) -> MqttConfig {
        let url = format!("mqtt://127.0.0.1:{}", self.port);
        MqttConfig { broker: at(url), answer_ms: 600, ..MqttConfig::default() }
    }

    fn home(&self) -> Home {
        Home::empty().connect(Box::new(Mqtt::connect(&self.config()).unwrap()))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Another client of the broker.
struct Peer {
    client: Client,
    connection: Option<rumqttc::Connection>,
}

impl Peer {
    fn publish(&self, topic: &str, payload: &str, retain: bool) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload).unwrap();
    }

    /// Does something with every message on a topic, in a thread of its own.
    fn on(&mut self, topic: &str, mut act: impl FnMut(&Client, &str, &str) + Send + 'static) {
        let mut connection = self.connection.take().unwrap();
        let client = self.client.clone();
        client.subscribe(topic, QoS::AtLeastOnce).unwrap();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::SubAck(_))) => drop(ready.send(())),
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        act(
                            &client,
                            &message.topic,
                            std::str::from_utf8(&message.payload).unwrap(),
                        );
                    }
                    Ok(_) => {}
                    Err(_) => std::thread::sleep(Duration::from_millis(50)),
                }
            }
        });
        is_ready.recv_timeout(Duration::from_secs(10)).unwrap();
    }
}

/// Waits until something holds in the home.
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

/// A bulb that announces itself and does what it is told.
fn bulb(broker: &Broker, name: &str) -> Peer {
    let mut bulb = broker.client(name);
    let topic = name.to_owned();
    let mut lit = json!({"state": "OFF", "brightness": 255});
    bulb.on(&format!("{name}/set"), move |client, _, payload| {
        let asked: Value = serde_json::from_str(payload).unwrap();
        for (key, value) in asked.as_object().unwrap() {
            lit[key] = value.clone();
        }
        client.publish(&topic, QoS::AtLeastOnce, true, lit.to_string()).unwrap();
    });
    let config = json!({
        "name": null, "uniq_id": name, "schema": "json", "stat_t": name, "cmd_t": format!("{name}/set"),
        "brightness": true, "sup_clrm": ["brightness"], "dev": {"name": name, "ids": name, "sa": "Hall"},
    });
    bulb.publish(name, r#"{"state":"OFF","brightness":255}"#, true);
    bulb.publish(&format!("homeassistant/light/{name}/config"), &config.to_string(), true);
    bulb
}

fn at(url: String) -> BrokerSettings {
    BrokerSettings { url, ..BrokerSettings::default() }
}

#[test]
fn bulbs_are_found_switched_and_followed() {
    let broker = Broker::start();
    let _lamp = bulb(&broker, "hall_lamp");
    let mut home = broker.home();
    let before = home.names_version();
    until(&mut home, "the bulb is found", |home| state(home, "light.hall_lamp") == "off");
    assert_ne!(home.names_version(), before);
    let lamp = home.entity("light.hall_lamp").unwrap();
    assert_eq!(lamp.names.main("en"), "hall_lamp");
    assert_eq!(lamp.area.as_deref(), Some("hall"));
    assert!(lamp.can("brightness") && !lamp.can("color"));

    let now = jiff::ZonedDateTime::now();
    let call = Call::new("light.hall_lamp", "light.turn_on").with("brightness_pct", 40);
    let actions = home.act(&call, &now).unwrap();
    assert_eq!(actions[0].changes["state"].to, "on");
    assert_eq!(actions[0].changes["brightness"].to, 102);

    // Somebody else switches it.
    let hand = bulb(&broker, "other_lamp");
    hand.publish("hall_lamp/set", r#"{"state":"OFF"}"#, false);
    until(&mut home, "it is followed", |home| state(home, "light.hall_lamp") == "off");

    // It is taken away.
    hand.publish("homeassistant/light/hall_lamp/config", "", true);
    until(&mut home, "it is gone", |home| home.entity("light.hall_lamp").is_none());
    assert!(home.entity("light.other_lamp").is_some());
}

#[test]
fn a_bulb_that_does_not_answer_is_not_believed() {
    let broker = Broker::start();
    let mut dead = broker.client("dead");
    dead.on("never", |_, _, _| {});
    dead.publish("dead", r#"{"state":"OFF"}"#, true);
    let config = json!({"name": "Dead", "schema": "json", "stat_t": "dead", "cmd_t": "dead/set"});
    dead.publish("homeassistant/light/dead/config", &config.to_string(), true);
    let mut home = broker.home();
    until(&mut home, "the bulb is found", |home| state(home, "light.dead") == "off");
    let now = jiff::ZonedDateTime::now();
    let call = Call::new("light.dead", "light.turn_on");
    let start = Instant::now();
    let error = home.act(&call, &now).unwrap_err();
    assert!(
        matches!(&error, HomeError::NotAnswering { entity } if entity == "light.dead"),
        "{error}"
    );
    assert!(start.elapsed() >= Duration::from_millis(600), "it was given its time");
    assert_eq!(state(&home, "light.dead"), "unavailable", "the state says so");
    // It was only unplugged.
    dead.publish("dead", r#"{"state":"ON"}"#, true);
    until(&mut home, "it is back", |home| state(home, "light.dead") == "on");
}

#[test]
fn zigbee_devices_are_found_and_switched() {
    let broker = Broker::start();
    let mut bridge = broker.client("zigbee2mqtt");
    bridge.on("zigbee2mqtt/+/set", |client, topic, payload| {
        let topic = topic.trim_end_matches("/set").to_owned();
        client.publish(topic, QoS::AtLeastOnce, false, payload).unwrap();
    });
    let list = json!([{"type": "Router", "ieee_address": "0x1", "friendly_name": "Desk Plug", "definition":
        {"exposes": [{"type": "switch", "features": [{"name": "state", "property": "state",
            "value_on": "ON", "value_off": "OFF"}]}]}}]);
    bridge.publish("zigbee2mqtt/bridge/devices", &list.to_string(), true);
    bridge.publish("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#, true);
    bridge.publish("zigbee2mqtt/Desk Plug", r#"{"state":"OFF"}"#, true);
    let mut home = broker.home();
    until(&mut home, "the plug is found", |home| state(home, "switch.desk_plug") == "off");
    let call = Call::new("switch.desk_plug", "switch.turn_on");
    home.act(&call, &jiff::ZonedDateTime::now()).unwrap();
    assert_eq!(state(&home, "switch.desk_plug"), "on");
    bridge.publish("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#, true);
    until(&mut home, "the bridge is gone", |home| state(home, "switch.desk_plug") == "unavailable");
}

#[test]
fn the_connection_comes_back_and_its_end_is_told() {
    let mut broker = Broker::start();
    let lamp = bulb(&broker, "lamp");
    let mut home = broker.home();
    until(&mut home, "the bulb is found", |home| state(home, "light.lamp") == "off");
    broker.stop();
    until(&mut home, "the broker is missed", |home| state(home, "light.lamp") == "unavailable");
    let now = jiff::ZonedDateTime::now();
    let start = Instant::now();
    let error = home.act(&Call::new("light.lamp", "light.turn_on"), &now).unwrap_err();
    assert!(matches!(error, HomeError::NotAnswering { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_millis(500), "nobody waits for a broker that is away");
    broker.again();
    drop(lamp);
    let (told, status) = std::sync::mpsc::channel();
    let mut watcher = broker.client("watcher");
    watcher.on("hearken/status", move |_, _, payload| drop(told.send(payload.to_owned())));
    let next = || status.recv_timeout(Duration::from_secs(15)).unwrap();
    while next() != "online" {}
    let again = bulb(&broker, "lamp_again");
    until(&mut home, "bulbs are found again", |home| state(home, "light.lamp_again") == "off");
    home.act(&Call::new("light.lamp_again", "light.turn_on"), &now).unwrap();
    drop((home, again));
    while next() != "offline" {}
}

#[test]
fn a_broker_that_is_not_there_stops_nothing() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let config = MqttConfig { broker: at(url), ..MqttConfig::default() };
    let start = Instant::now();
    let mut home = Home::demo().connect(Box::new(Mqtt::connect(&config).unwrap()));
    let now = jiff::ZonedDateTime::now();
    home.act(&Call::new("light.kitchen", "light.turn_on"), &now).unwrap();
    drop(home);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let wrong = MqttConfig { broker: at("amqp://hub".into()), ..MqttConfig::default() };
    assert!(Mqtt::connect(&wrong).unwrap_err().to_string().contains("home.mqtt.url"));
}
