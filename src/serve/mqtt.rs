//! Satellites over MQTT: what happens to each stands below a topic of its own, where it can also be
//! told to say something and be asked.
//!
//! `PREFIX/NAME/event` has the events of `/v1/stream` as JSON. `PREFIX/NAME/say` takes a text, or JSON
//! with `text` and `language`, for a satellite that is connected. `PREFIX/NAME/ask` takes the same and
//! does what it says, as if it had been spoken there; the answer is on `PREFIX/NAME/answer`, with the
//! `id` of the question if it had one. `PREFIX/state` is `online` or `offline`, and kept.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, Packet, QoS};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::House;
use super::satellites::plain_name;
use crate::asr::written_language;
use crate::home::Broker;
use crate::session::Order;

/// The longest message that is taken, in bytes.
const LONGEST: usize = 4096;
/// The largest packet that is taken, in bytes.
const LARGEST_PACKET: usize = 256 * 1024;
/// Messages that may wait for the broker.
const WAITING: usize = 64;
/// How long one waits before connecting again.
const AGAIN: Duration = Duration::from_secs(5);
/// Questions that are answered at once; more are refused.
const QUESTIONS: usize = 4;

/// Satellites over MQTT, `[serve.mqtt]` in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MqttDoor {
    /// The broker; without one nobody is told.
    #[serde(flatten)]
    pub broker: Broker,
    /// What the topics begin with.
    pub prefix: String,
}

impl Default for MqttDoor {
    fn default() -> Self {
        Self { broker: Broker::default(), prefix: "hearken".into() }
    }
}

impl MqttDoor {
    pub(super) fn problems(&self) -> Vec<String> {
        if !self.broker.is_set() {
            return Vec::new();
        }
        let mut problems = self.broker.problems("serve.mqtt");
        let plain = |c: char| !c.is_control() && !"+#".contains(c);
        if self.prefix.is_empty() || self.prefix.len() > 100 || !self.prefix.chars().all(plain) {
            problems.push(format!(
                "serve.mqtt.prefix: {:?} cannot begin a topic; write one such as \"hearken\"",
                self.prefix
            ));
        }
        problems
    }
}

/// Serves until the house closes. A broker that is away is tried again.
pub(super) async fn serve(house: Arc<House>) {
    let door = house.config.mqtt.clone();
    let status = format!("{}/state", door.prefix);
    let options = match door.broker.options("hearken-doors", LARGEST_PACKET, &status) {
        Ok(options) => options,
        Err(error) => return tracing::error!(error, "no satellites over MQTT"),
    };
    let (client, events) = AsyncClient::new(options, WAITING);
    let questions = Arc::new(tokio::sync::Semaphore::new(QUESTIONS));
    tokio::select! {
        () = follow(&house, &client, &door.prefix) => {}
        () = take(events, &house, &client, &door.prefix, &questions) => {}
        () = house.stop.cancelled() => {}
    }
}

/// Tells the broker what happens.
async fn follow(house: &House, client: &AsyncClient, prefix: &str) {
    let mut news = house.satellites.follow();
    loop {
        let (name, event) = match news.recv().await {
            Ok(news) => news,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "the broker is slower than what happens");
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        let topic = format!("{prefix}/{name}/event");
        // What finds no place while the broker is away is old when it is back.
        let _ = client.try_publish(topic, QoS::AtMostOnce, false, event.to_string());
    }
}

/// Takes what comes from the broker.
async fn take(
    mut events: EventLoop,
    house: &Arc<House>,
    client: &AsyncClient,
    prefix: &str,
    questions: &Arc<tokio::sync::Semaphore>,
) {
    let mut told = false;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                told = false;
                for what in ["say", "ask"] {
                    let _ = client.try_subscribe(format!("{prefix}/+/{what}"), QoS::AtLeastOnce);
                }
                let state = format!("{prefix}/state");
                let _ = client.try_publish(state, QoS::AtLeastOnce, true, "online");
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let path =
                    message.topic.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/'));
                let Some((name, what)) = path.and_then(|path| path.split_once('/')) else {
                    continue;
                };
                // What was kept by the broker is from another time.
                if message.retain || plain_name(name).as_deref() != Some(name) {
                    continue;
                }
                let (name, topic) = (name.to_owned(), format!("{prefix}/{name}/answer"));
                let refuse = |id: &Value, error: &str| {
                    let answer = json!({ "id": id, "error": error });
                    let _ = client.try_publish(
                        topic.clone(),
                        QoS::AtLeastOnce,
                        false,
                        answer.to_string(),
                    );
                };
                let asked = match Asked::read(&message.payload) {
                    Ok(asked) => asked,
                    Err(error) => {
                        refuse(&Value::Null, &error);
                        continue;
                    }
                };
                if what == "say" {
                    let Asked { text, language, id } = asked;
                    if !house.satellites.order(&name, Order::Say { text, language }) {
                        refuse(&id, "this satellite is not connected");
                    }
                    continue;
                }
                let Ok(place) = Arc::clone(questions).try_acquire_owned() else {
                    refuse(&asked.id, "busy; ask again in a moment");
                    continue;
                };
                let (house, client) = (Arc::clone(house), client.clone());
                tokio::task::spawn_blocking(move || {
                    let talk = format!("mqtt {name}");
                    let area = house.shared.area();
                    let reply = house.conversations.respond(
                        Some(&talk),
                        &asked.text,
                        &asked.language,
                        area,
                    );
                    let mut answer = serde_json::to_value(&reply).unwrap_or_default();
                    answer["id"] = asked.id;
                    let _ = client.try_publish(topic, QoS::AtLeastOnce, false, answer.to_string());
                    drop(place);
                });
            }
            Ok(_) => {}
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "the broker of the satellites is away; trying again");
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// A text for a satellite.
struct Asked {
    text: String,
    language: String,
    id: Value,
}

impl Asked {
    /// Reads a text, or a JSON object with one.
    fn read(payload: &[u8]) -> Result<Self, String> {
        if payload.len() > LONGEST {
            return Err(format!("{} bytes are more than {LONGEST}", payload.len()));
        }
        let whole = std::str::from_utf8(payload).map_err(|_| "this is no UTF-8".to_owned())?.trim();
        let object: Value = match whole.starts_with('{') {
            true => {
                serde_json::from_str(whole).map_err(|error| format!("this is no JSON: {error}"))?
            }
            false => json!({ "text": whole }),
        };
        let text = object["text"].as_str().unwrap_or_default().trim().to_owned();
        if text.is_empty() {
            return Err("there is no text: send one, or JSON with `text`".into());
        }
        let language =
            object["language"].as_str().unwrap_or_else(|| written_language(&text)).to_owned();
        let id = object.get("id").filter(|id| id.is_string() || id.is_number());
        Ok(Self { language, id: id.cloned().unwrap_or(Value::Null), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_topics_are_looked_at() {
        for (toml, part) in [
            ("url = \"http://a\"", "serve.mqtt.url"),
            ("url = \"mqtt://a\"\nprefix = \"a/#\"", "serve.mqtt.prefix"),
        ] {
            let problems = toml::from_str::<MqttDoor>(toml).unwrap().problems();
            assert!(problems.len() == 1 && problems[0].contains(part), "{part}: {problems:?}");
        }
        assert!(toml::from_str::<MqttDoor>("url = \"mqtt://a\"\nurls = 1").is_err());
    }

    #[test]
    fn texts_come_plain_or_in_json() {
        for (payload, want) in [
            (&b" turn it on "[..], Ok(("turn it on", "en"))),
            ("打开灯".as_bytes(), Ok(("打开灯", "zh"))),
            (b"{\"text\": \"an\", \"language\": \"de\"}", Ok(("an", "de"))),
            (b"", Err("no text")),
            (b"{\"x\": 1}", Err("no text")),
            (b"{", Err("no JSON")),
            (b"\xff", Err("no UTF-8")),
            (&[b'a'; 5000], Err("5000 bytes")),
        ] {
            match (Asked::read(payload), want) {
                (Ok(asked), Ok(want)) => assert_eq!((&*asked.text, &*asked.language), want),
                (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
                (got, want) => panic!("{:?} for {want:?}", got.map(|asked| asked.text)),
            }
        }
    }
}
