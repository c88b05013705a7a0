//! `/v1/stream`: raw sound in, events and sound out, for who writes a client of their own.
//! docs/stream.md says all that such a client needs.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::http::{ApiError, Place};
use super::live::{Live, Manner, Step};
use super::satellites::plain_name;
use super::{Guest, House, WRITE_LIMIT};
use crate::asr::written_language;
use crate::audio::PcmIntake;
use crate::audio::Resampler;
use crate::audio::to_s16le;
use crate::session::Config as SessionConfig;
use crate::session::Event;
use crate::session::Order;
use crate::session::Playback;
use crate::session::TurnId;

/// The largest message of a client in bytes: a minute of sound at 16 kHz.
const LARGEST: usize = 2 * 1024 * 1024;
/// The sub-protocol of those who offer any.
pub(super) const PROTOCOL: &str = "hearken";
/// The longest text to say, in bytes.
const LONGEST: usize = 4096;

/// What the address asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Hz of the sound that comes in.
    #[serde(default = "sixteen")]
    rate: u32,
    /// Its channels.
    #[serde(default = "one")]
    channels: usize,
    /// Hz of the sound that goes out.
    #[serde(default = "twenty_four")]
    output_rate: u32,
    language: Option<String>,
    area: Option<String>,
    /// A name by which others can reach this client.
    satellite: Option<String>,
    /// The installed voice that answers, instead of the configured ones.
    voice: Option<String>,
    /// How often words are shown while one speaks, in milliseconds; 0 is never.
    #[serde(default)]
    partial_ms: u32,
    /// Whether it is told what decided each turn.
    #[serde(default)]
    explain: bool,
    /// Whether the client tells what it has played.
    #[serde(default)]
    played: bool,
    /// For clients that cannot set headers; looked at before.
    #[serde(default)]
    #[allow(dead_code, reason = "taken so that it is not unknown")]
    token: Option<String>,
}

fn sixteen() -> u32 {
    16_000
}

fn twenty_four() -> u32 {
    24_000
}

fn one() -> usize {
    1
}

pub(super) async fn stream(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let Query(asked) = asked?;
    let upgrade = upgrade?;
    let intake = PcmIntake::new("rate", asked.rate, 2, asked.channels)
        .map_err(|wrong| ApiError::invalid("rate", wrong.to_string()))?;
    if !(8_000..=48_000).contains(&asked.output_rate) {
        let message = format!("{} is not between 8000 and 48000", asked.output_rate);
        return Err(ApiError::invalid("output_rate", message));
    }
    let session = SessionConfig { partial_ms: asked.partial_ms, ..SessionConfig::default() };
    if !session.problems().is_empty() {
        let message = format!("{} is neither 0 nor between 200 and 10000", asked.partial_ms);
        return Err(ApiError::invalid("partial_ms", message));
    }
    if let Some(voice) = asked.voice.as_deref().filter(|id| house.shared.voice(id).is_none()) {
        let voice: String = voice.chars().take(60).collect();
        let message =
            format!("no voice {voice:?} is installed; /v1/audio/voices lists those there are");
        return Err(ApiError::invalid("voice", message));
    }
    // A browser that shows its token among the sub-protocols wants one of them chosen.
    let upgrade = upgrade.protocols([PROTOCOL]);
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _guest = Guest::new(&house, "stream");
        let mut door = Door { socket, output_rate: asked.output_rate, resampler: None };
        if let Err(reason) = door.talk(&house, &asked, intake).await {
            door.close(&reason).await;
        }
        drop(place);
    }))
}

struct Door {
    socket: WebSocket,
    output_rate: u32,
    resampler: Option<(TurnId, Resampler)>,
}

impl Door {
    /// Talks until one of both ends; a reason is for the client.
    async fn talk(
        &mut self,
        house: &Arc<House>,
        asked: &Asked,
        mut intake: PcmIntake,
    ) -> Result<(), String> {
        let language = asked
            .language
            .as_deref()
            .map(|tag| tag.split('-').next().unwrap_or(tag).to_lowercase());
        let session = SessionConfig { partial_ms: asked.partial_ms, ..SessionConfig::default() };
        let manner = Manner {
            language,
            area: asked.area.clone(),
            satellite: asked.satellite.as_deref().and_then(plain_name),
            voice: asked.voice.clone(),
            session: Some(session),
            explain: asked.explain,
        };
        let playback = if asked.played { Playback::Reported } else { Playback::Clocked };
        let mut live = Live::begin(house, manner, playback).await.map_err(|e| e.to_string())?;
        let rate = self.output_rate;
        self.send(&json!({ "event": "ready", "output_rate": rate })).await?;
        let end = Instant::now() + Duration::from_secs(house.config.session_s);
        let mut samples = Vec::new();
        loop {
            let idle = Instant::now() + house.idle();
            tokio::select! {
                message = self.socket.recv(), if !live.is_behind() => match message {
                    Some(Ok(Message::Binary(bytes))) => {
                        samples.clear();
                        intake.push(&bytes, &mut samples).map_err(|e| e.to_string())?;
                        live.push(&samples);
                    }
                    Some(Ok(Message::Text(text))) => {
                        if self.obey(&text, &mut live).await? {
                            live.finish();
                            break;
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                },
                step = live.next() => match step.map_err(|e| e.to_string())? {
                    Step::Event(event) => self.tell_all(event, &mut live).await?,
                    Step::CaughtUp => {}
                    Step::Over => return Err("the conversation broke off; the log says why".into()),
                },
                () = house.stop.cancelled() => {
                    live.finish();
                    break;
                }
                () = tokio::time::sleep_until(idle.min(end)) => {
                    return Err(if Instant::now() >= end { "the longest session is over" } else { "nothing came for too long" }.into());
                }
            }
        }
        // What was said last is still answered.
        loop {
            match live.next().await.map_err(|e| e.to_string())? {
                Step::Event(event) => self.tell_all(event, &mut live).await?,
                Step::CaughtUp => {}
                Step::Over => return Err("done".into()),
            }
        }
    }

    /// Does what a text message says; true when it ends the sound.
    async fn obey(&mut self, text: &str, live: &mut Live) -> Result<bool, String> {
        let message: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let number = |key: &str| message.get(key).and_then(Value::as_f64);
        match message["type"].as_str() {
            Some("end") => return Ok(true),
            Some("interrupt") => live.order(Order::Interrupt),
            Some("ping") => self.send(&json!({ "event": "pong" })).await?,
            Some(what @ ("say" | "ask")) => {
                let text: String = message["text"].as_str().unwrap_or_default().to_owned();
                if text.trim().is_empty() || text.len() > LONGEST {
                    let error = format!("{what}: a text of 1 to {LONGEST} bytes is needed");
                    self.send(&json!({ "event": "error", "error": error })).await?;
                    return Ok(false);
                }
                let language = message["language"]
                    .as_str()
                    .unwrap_or_else(|| written_language(&text))
                    .to_owned();
                live.order(match what {
                    "ask" => Order::Ask { text, language },
                    _ => Order::Say { text, language },
                });
            }
            Some("played") => match (message["turn"].as_u64(), number("ms")) {
                (Some(turn), Some(ms)) if ms.is_finite() => {
                    let done = message["done"].as_bool().unwrap_or(false);
                    live.order(Order::Played { turn: TurnId(turn), played_ms: ms, done });
                }
                _ => {
                    let error = "played: `turn` and `ms` are needed, both numbers";
                    self.send(&json!({ "event": "error", "error": error })).await?;
                }
            },
            _ => {
                let error = "a text message is a JSON object whose `type` is end, interrupt, ask, say, played or ping";
                self.send(&json!({ "event": "error", "error": error })).await?;
            }
        }
        Ok(false)
    }

    /// Tells an event, and after the words what decided their turn.
    async fn tell_all(&mut self, event: Event, live: &mut Live) -> Result<(), String> {
        let words = matches!(event, Event::Final { .. });
        if let Event::Failed { stage, error, .. } = &event {
            tracing::warn!(stage, error, "a turn failed");
        }
        self.tell(event).await?;
        // It was put there before the words were; asked earlier, another event would swallow it.
        match words.then(|| live.explained()).flatten() {
            Some(explained) => self.send(&explained).await,
            None => Ok(()),
        }
    }

    async fn tell(&mut self, event: Event) -> Result<(), String> {
        let Event::Speech(speech) = event else {
            let event = serde_json::to_value(&event).map_err(|e| e.to_string())?;
            return self.send(&event).await;
        };
        let mut samples = Vec::new();
        let fits = |(turn, own): &(TurnId, Resampler)| {
            *turn == speech.turn && own.input_rate() == speech.sample_rate
        };
        if !self.resampler.as_ref().is_some_and(fits) {
            let new =
                Resampler::new(speech.sample_rate, self.output_rate).map_err(|e| e.to_string())?;
            self.resampler = Some((speech.turn, new));
        }
        if let Some((_, resampler)) = &mut self.resampler {
            resampler.push(&speech.samples, &mut samples).map_err(|e| e.to_string())?;
            if speech.last {
                resampler.finish(&mut samples).map_err(|e| e.to_string())?;
            }
        }
        let (turn, last) = (speech.turn, speech.last);
        self.send(
            &json!({ "event": "speech", "turn": turn, "samples": samples.len(), "last": last }),
        )
        .await?;
        match samples.is_empty() {
            true => Ok(()),
            false => self.write(Message::Binary(to_s16le(&samples).into())).await,
        }
    }

    async fn send(&mut self, event: &Value) -> Result<(), String> {
        self.write(Message::Text(event.to_string().into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), String> {
        match tokio::time::timeout(WRITE_LIMIT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the client takes nothing".into()),
        }
    }

    async fn close(&mut self, reason: &str) {
        let reason: String = reason.chars().take(100).collect();
        let frame = CloseFrame { code: 1000, reason: reason.into() };
        let _ = self.write(Message::Close(Some(frame))).await;
    }
}
