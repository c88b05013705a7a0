//! `/vosk`: each message with sound is answered by one message, as Vosk's clients expect.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::http::{ApiError, Place};
use super::super::{Guest, House};
use super::encoding::{Encoding, Intake};
use super::{Ears, End, LARGEST, Said, close, send};
use crate::asr::Segment;

pub(in super::super) async fn vosk(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade?;
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |mut socket| async move {
        let _guest = Guest::new(&house, "vosk");
        let ended = talk(&mut socket, &house).await;
        close(socket, &ended.err().unwrap_or_default()).await;
        drop(place);
    }))
}

/// What a client asks for with `config`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Asked {
    rate: u32,
    words: bool,
    /// Whether texts come in a list; it has one.
    alternatives: bool,
}

impl Asked {
    /// Takes over what a `config` says; what it leaves out stays.
    fn update(&mut self, config: &Value) {
        let flag = |key: &str, own: bool| match config.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(number) => number.as_f64().map_or(own, |number| number > 0.0),
            None => own,
        };
        let rate = config.get("sample_rate").and_then(|rate| match rate {
            Value::String(rate) => rate.parse().ok(),
            rate => rate.as_f64(),
        });
        *self = Self {
            rate: rate.map_or(self.rate, |rate| rate as u32),
            words: flag("words", self.words),
            alternatives: flag("max_alternatives", self.alternatives),
        };
    }
}

async fn talk(socket: &mut WebSocket, house: &Arc<House>) -> Result<(), End> {
    let mut asked = Asked { rate: 16_000, words: true, alternatives: false };
    let mut ears: Option<Ears> = None;
    let mut so_far = String::new();
    let end = Instant::now() + Duration::from_secs(house.config.session_s);
    loop {
        let idle = (Instant::now() + house.idle()).min(end);
        let message = tokio::select! {
            message = socket.recv() => message,
            () = tokio::time::sleep_until(idle) => return Err("nothing came for too long".into()),
            () = house.stop.cancelled() => return Err("the server closes".into()),
        };
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                let ears = match &mut ears {
                    Some(ears) => ears,
                    none => none.insert(new_ears(house, asked.rate)?),
                };
                ears.push(&bytes)?;
                let answer = answer(ears, asked, false, &mut so_far).await?;
                send(socket, &answer).await?;
            }
            Some(Ok(Message::Text(text))) => {
                let message: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
                if let Some(config) = message.get("config") {
                    let before = asked.rate;
                    asked.update(config);
                    if asked.rate != before {
                        ears = None;
                    }
                } else if message.get("reset").is_some() {
                    ears = None;
                    so_far.clear();
                } else if message.get("eof").is_some() {
                    let mut last = match ears.take() {
                        Some(ears) => ears,
                        None => new_ears(house, asked.rate)?,
                    };
                    last.finish()?;
                    let answer = answer(&mut last, asked, true, &mut so_far).await?;
                    send(socket, &answer).await?;
                    return Ok(());
                }
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
            Some(Ok(_)) => {}
        }
    }
}

fn new_ears(house: &Arc<House>, rate: u32) -> Result<Ears, End> {
    let intake = Intake::new(Encoding::Linear(2), rate, 1).map_err(|e| e.to_string())?;
    let mut ears = Ears::new(house, intake, None, house.shared.detect_settings())?;
    ears.interim_asked = true;
    Ok(ears)
}

/// The answer to a piece of sound: what was said, if an utterance is over, or the words so far.
async fn answer(
    ears: &mut Ears,
    asked: Asked,
    last: bool,
    so_far: &mut String,
) -> Result<Value, End> {
    let mut all: Vec<Said> = Vec::new();
    while !ears.jobs.is_empty() {
        let said = ears.next().await?;
        if said.is_final {
            all.push(said);
        }
    }
    if !all.is_empty() || last {
        so_far.clear();
        return Ok(result(&all, asked));
    }
    // Nobody waits for the words so far: those that are there are told.
    if let Some(said) = ears.next().now_or_never() {
        *so_far = said?.transcript.text;
    }
    if ears.listener.so_far().is_none() {
        so_far.clear();
    }
    Ok(json!({ "partial": *so_far }))
}

fn result(all: &[Said], asked: Asked) -> Value {
    let text = all.iter().map(|said| said.transcript.text.as_str()).collect::<Vec<_>>().join(" ");
    let words = all.iter().flat_map(|said| {
        let conf = said.confidence();
        said.words().into_iter().map(move |word: Segment| {
            json!({ "word": word.text, "start": word.start, "end": word.end, "conf": conf })
        })
    });
    let words: Vec<Value> = words.collect();
    let shown = asked.words && !words.is_empty();
    if asked.alternatives {
        let confidence = all.iter().map(Said::confidence).fold(1.0, f32::min);
        let mut only = json!({ "confidence": confidence, "text": text });
        if shown {
            only["result"] = words.into();
        }
        return json!({ "alternatives": [only] });
    }
    match shown {
        true => json!({ "result": words, "text": text }),
        false => json!({ "text": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_in_the_shapes_of_many_clients() {
        let usual = Asked { rate: 16_000, words: false, alternatives: false };
        for (config, want) in [
            (json!({}), usual),
            (json!({ "sample_rate": 8000.0 }), Asked { rate: 8000, ..usual }),
            (
                json!({ "sample_rate": "44100", "words": 1 }),
                Asked { rate: 44_100, words: true, ..usual },
            ),
            (
                json!({ "words": true, "max_alternatives": 3 }),
                Asked { words: true, alternatives: true, ..usual },
            ),
            (json!({ "max_alternatives": 0, "phrase_list": ["a"] }), usual),
        ] {
            let mut asked = usual;
            asked.update(&config);
            assert_eq!(asked, want, "{config}");
        }
    }
}
