//! Devices behind an MQTT broker: those that announce themselves as Home Assistant's discovery
//! wants it, and those of Zigbee2MQTT.
//!
//! A thread of its own holds the connection, follows what devices report and comes back after an
//! interruption. A command counts as done when the device reports the new state; a device that
//! reports nothing in time did not answer.

mod color;
mod device;
mod discovery;
mod read;
mod template;
mod world;
mod write;
mod zigbee;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::ZonedDateTime;
use rumqttc::{Client, Event, MqttOptions, Outgoing, Packet, QoS, SubscribeFilter};
use serde::{Deserialize, Serialize};

use super::broker::Broker;
use super::connection::answer_problem;
use super::{Backend, Call, Entity, HomeError, Outcome, Simulated, Update};
use world::World;

/// The topic that tells whether we are there.
const STATUS: &str = "hearken/status";
/// How many requests may wait for the connection; more are tried again later.
const WAITING: usize = 1024;
/// How many topics go into one subscription.
const BATCH: usize = 100;
/// The largest packet that is taken, in bytes: a bridge's list of devices is one.
const LARGEST_PACKET: usize = zigbee::LONGEST + (64 << 10);
/// The first and the longest pause before the next try to connect.
const BACK_OFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(30)];
/// How long further reports of a device are awaited after its first one, such as the brightness
/// after the state.
const GRACE: Duration = Duration::from_millis(150);

/// Settings of the broker, `[home.mqtt]` in the configuration. A broker is asked when `url` is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The broker.
    #[serde(flatten)]
    pub broker: Broker,
    /// The first part of the topics of Home Assistant's discovery; empty to leave it out.
    pub discovery_prefix: String,
    /// The first part of Zigbee2MQTT's topics; empty to leave it out.
    pub zigbee2mqtt_prefix: String,
    /// How long a device may take to report that it did something, in milliseconds.
    pub answer_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            broker: Broker::default(),
            discovery_prefix: "homeassistant".into(),
            zigbee2mqtt_prefix: "zigbee2mqtt".into(),
            answer_ms: 2000,
        }
    }
}

impl Config {
    /// Whether a broker is to be asked at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.broker.is_set()
    }

    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        if !self.is_set() {
            return Vec::new();
        }
        let mut problems = self.broker.problems("home.mqtt");
        for (key, prefix) in [
            ("discovery_prefix", &self.discovery_prefix),
            ("zigbee2mqtt_prefix", &self.zigbee2mqtt_prefix),
        ] {
            if prefix.contains(['#', '+']) || prefix.starts_with('/') || prefix.ends_with('/') {
                problems.push(format!(
                    "home.mqtt.{key}: {prefix:?} is no beginning of a topic; use one such as \"homeassistant\""
                ));
            }
        }
        problems.extend(answer_problem("home.mqtt.answer_ms", self.answer_ms));
        problems
    }
}

/// A door to the devices of a broker.
pub struct Mqtt {
    shared: Arc<Shared>,
    answer: Duration,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mqtt").field("answer", &self.answer).finish_non_exhaustive()
    }
}

struct Shared {
    world: Mutex<World>,
    /// Rung after every message and every change of the connection.
    news: Condvar,
    client: Mutex<Option<Client>>,
    stop: AtomicBool,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> MutexGuard<'_, Option<Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mqtt {
    /// Connects in the background, now and after every interruption.
    ///
    /// # Errors
    /// When the settings are wrong or the password cannot be read. A broker that is not there is
    /// no error: its devices are unavailable until it is.
    pub fn connect(config: &Config) -> Result<Self, HomeError> {
        let wrong = |problem: String| HomeError::Settings { problem };
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(wrong(problem));
        }
        let options = config.broker.options("hearken", LARGEST_PACKET, STATUS).map_err(wrong)?;
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(config)),
            news: Condvar::new(),
            client: Mutex::new(None),
            stop: AtomicBool::new(false),
        });
        let own = shared.clone();
        let thread = std::thread::Builder::new()
            .name("mqtt".into())
            .spawn(move || follow(&own, &options))
            .map_err(|error| wrong(format!("home.mqtt: no thread can be started: {error}")))?;
        Ok(Self { shared, answer: Duration::from_millis(config.answer_ms), thread: Some(thread) })
    }

    /// Waits until the device reports what was asked of it, or anything else new.
    fn await_answer(
        &self,
        entity: &str,
        before: (u64, &Outcome),
        wanted: &Outcome,
        began: Instant,
    ) -> Option<Outcome> {
        let (heard, before) = before;
        let mut deadline = began + self.answer;
        let mut in_grace = false;
        let mut world = self.shared.world();
        loop {
            let device = world.device(entity)?;
            let now = Outcome::of(&device.entity);
            let answered = device.heard > heard;
            if answered && meets(&now, wanted, before) {
                return Some(now);
            }
            if answered && now != *before && !in_grace {
                in_grace = true;
                deadline = deadline.min(Instant::now() + GRACE);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return answered.then_some(now);
            }
            let waited = self.shared.news.wait_timeout(world, left);
            world = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Whether everything that was to change is as it was wanted, roundings aside.
fn meets(now: &Outcome, wanted: &Outcome, before: &Outcome) -> bool {
    let near = |key: &String| {
        let (now, wanted) = (now.attributes.get(key), wanted.attributes.get(key));
        match (now.and_then(|v| v.as_f64()), wanted.and_then(|v| v.as_f64())) {
            (Some(now), Some(wanted)) => (now - wanted).abs() <= wanted.abs() * 0.02 + 1.0,
            _ => now == wanted,
        }
    };
    let mut changed = wanted.attributes.keys().filter(|key| {
        wanted.attributes.get(*key) != before.attributes.get(*key)
            // Only Hearken's simulation knows these.
            && !matches!(key.as_str(), "last_mode" | "color_mode" | "cleaning_area")
    });
    now.state == wanted.state && changed.all(near)
}

/// A command that was sent.
enum Begun {
    /// It needs no answer.
    Done(Outcome),
    /// What the device knew before, and what it should come to.
    Waiting { heard: u64, before: Outcome, wanted: Outcome },
}

impl Mqtt {
    /// Sends what a call asks for.
    fn begin(
        &mut self,
        entity: &Entity,
        call: &Call,
        now: &ZonedDateTime,
    ) -> Result<Begun, HomeError> {
        let silence = || HomeError::NotAnswering { entity: entity.id.clone() };
        let (device, reachable) = {
            let world = self.shared.world();
            (world.device(&entity.id).cloned(), world.can_reach(&entity.id))
        };
        let device = device.ok_or_else(|| HomeError::UnknownEntity { id: entity.id.clone() })?;
        if !reachable {
            return Err(silence());
        }
        // What it should come to, and whether that is possible at all, is the same everywhere.
        let wanted = Simulated.apply(&device.entity, call, now)?;
        let messages = write::messages(&device, call, &wanted);
        if messages.is_empty() {
            let (entity, service) = (entity.id.clone(), call.service.clone());
            return Err(HomeError::Unsupported { entity, service });
        }
        for (topic, payload) in messages {
            let client = self.shared.client();
            let sent = client.as_ref().map(|client| {
                client.try_publish(topic, QoS::AtMostOnce, device.truth("retain"), payload)
            });
            if !matches!(sent, Some(Ok(()))) {
                return Err(silence());
            }
        }
        let before = Outcome::of(&device.entity);
        if device.topics().is_empty() {
            self.shared.world().assume(&entity.id, &wanted);
            return Ok(Begun::Done(wanted));
        }
        // A device that is so already need not say it again.
        if wanted == before && !device.silent {
            return Ok(Begun::Done(wanted));
        }
        Ok(Begun::Waiting { heard: device.heard, before, wanted })
    }

    fn end(&self, entity: &Entity, begun: Begun, began: Instant) -> Result<Outcome, HomeError> {
        let (heard, before, wanted) = match begun {
            Begun::Done(now) => return Ok(now),
            Begun::Waiting { heard, before, wanted } => (heard, before, wanted),
        };
        self.await_answer(&entity.id, (heard, &before), &wanted, began).ok_or_else(|| {
            self.shared.world().set_silent(&entity.id, true);
            HomeError::NotAnswering { entity: entity.id.clone() }
        })
    }
}

impl Backend for Mqtt {
    fn apply(
        &mut self,
        entity: &Entity,
        call: &Call,
        now: &ZonedDateTime,
    ) -> Result<Outcome, HomeError> {
        let began = Instant::now();
        let begun = self.begin(entity, call, now)?;
        self.end(entity, begun, began)
    }

    fn apply_all(
        &mut self,
        calls: &[(&Entity, &Call)],
        now: &ZonedDateTime,
    ) -> Vec<Result<Outcome, HomeError>> {
        let began = Instant::now();
        let begun: Vec<_> =
            calls.iter().map(|(entity, call)| self.begin(entity, call, now)).collect();
        let ends = calls.iter().zip(begun);
        ends.map(|((entity, _), begun)| self.end(entity, begun?, began)).collect()
    }

    fn updates(&mut self) -> Vec<Update> {
        self.shared.world().updates()
    }
}

impl Drop for Mqtt {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        let mut connected = false;
        if let Some(client) = self.shared.client().take() {
            let _ = client.try_publish(STATUS, QoS::AtMostOnce, true, "offline");
            connected = client.try_disconnect().is_ok();
        }
        self.shared.news.notify_all();
        // Without a connection the thread may be busy with a host that does not answer; it ends by
        // itself then.
        if let Some(thread) = self.thread.take().filter(|_| connected) {
            let _ = thread.join();
        }
    }
}

/// Connects again and again until it is told to stop.
fn follow(shared: &Shared, options: &MqttOptions) {
    let (host, port) = options.broker_address();
    let mut pause = BACK_OFF[0];
    let mut told = false;
    while !shared.stop.load(Ordering::Acquire) {
        // A new client each time: what was asked for while nobody listened is not done later.
        let (client, connection) = Client::new(options.clone(), WAITING);
        let was_connected = listen(shared, &client, connection, &mut told);
        *shared.client() = None;
        shared.world().set_connected(false);
        shared.news.notify_all();
        if was_connected {
            pause = BACK_OFF[0];
        }
        let world = shared.world();
        let stopped = |_: &mut World| !shared.stop.load(Ordering::Acquire);
        let waited = shared.news.wait_timeout_while(world, pause, stopped);
        drop(waited);
        pause = (pause * 2).min(BACK_OFF[1]);
        tracing::debug!(host, port, "connecting to the broker again");
    }
}

/// One connection, from its beginning to its end. Says whether there was one.
fn listen(
    shared: &Shared,
    client: &Client,
    mut connection: rumqttc::Connection,
    told: &mut bool,
) -> bool {
    let mut was_connected = false;
    let mut waiting: BTreeSet<String> = BTreeSet::new();
    *shared.client() = Some(client.clone());
    for event in connection.iter() {
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                tracing::info!("connected to the broker");
                (was_connected, *told) = (true, false);
                let mut world = shared.world();
                world.set_connected(true);
                waiting = world.first_topics();
                drop(world);
                let _ = client.try_publish(STATUS, QoS::AtLeastOnce, true, "online");
                shared.news.notify_all();
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let topics = shared.world().hear(&message.topic, &message.payload, message.retain);
                waiting.extend(topics);
                shared.news.notify_all();
            }
            Ok(Event::Outgoing(Outgoing::Disconnect)) => break,
            Ok(_) => {}
            Err(error) => {
                if !*told && !shared.stop.load(Ordering::Acquire) {
                    tracing::warn!(%error, "no connection to the broker; trying again");
                    *told = true;
                }
                break;
            }
        }
        subscribe(client, &mut waiting);
    }
    was_connected
}

/// Asks for as many of the topics as fit now; the rest stays for the next event.
fn subscribe(client: &Client, waiting: &mut BTreeSet<String>) {
    while !waiting.is_empty() {
        let batch: Vec<String> = waiting.iter().take(BATCH).cloned().collect();
        let filters =
            batch.iter().map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtMostOnce));
        if client.try_subscribe_many(filters).is_err() {
            return;
        }
        for topic in &batch {
            waiting.remove(topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_wrong_settings_are_named() {
        let config = Config {
            broker: Broker {
                url: "mqtt://hub".into(),
                password_file: Some("/nowhere/password".into()),
                ..Broker::default()
            },
            discovery_prefix: "home/#".into(),
            answer_ms: 5,
            ..Config::default()
        };
        let problems = config.problems().join("\n");
        for named in ["discovery_prefix", "home/#", "answer_ms", "/nowhere/password"] {
            assert!(problems.contains(named), "{named} in {problems}");
        }
        assert!(Config::default().problems().is_empty(), "without a url nothing is asked");
        let wrong = "url = \"mqtt://hub\"\nuser_name = \"me\"";
        assert!(toml::from_str::<Config>(wrong).unwrap_err().to_string().contains("user_name"));
        let own = "url = \"mqtt://hub\"\nuser = \"me\"\npassword = \"hush\"\nanswer_ms = 900";
        let config: Config = toml::from_str(own).unwrap();
        assert_eq!((config.broker.user.as_str(), config.answer_ms), ("me", 900));
        assert!(!format!("{config:?}").contains("hush"));
    }
}
