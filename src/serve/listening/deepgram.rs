//! `/v1/listen`: results as they come, in Deepgram's shapes.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::http::{ApiError, Place};
use super::super::stream::PROTOCOL;
use super::super::{Guest, House};
use super::encoding::{Encoding, Intake};
use super::{Ears, End, LARGEST, MOST_JOBS, Said, close, language_of, send};
use crate::audio::G711;

/// Less silence than this is a breath.
const LEAST_SILENCE_MS: u32 = 300;

/// What the address of `/v1/listen` asks for. What is not here is passed over.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Asked {
    encoding: Option<String>,
    sample_rate: Option<u32>,
    channels: Option<usize>,
    language: Option<String>,
    #[serde(default)]
    vad_events: bool,
    #[serde(default)]
    interim_results: bool,
    utterance_end_ms: Option<u32>,
    /// How much silence ends an utterance, in milliseconds, or `false`.
    endpointing: Option<String>,
}

impl Asked {
    fn intake(&self) -> Result<Intake, ApiError> {
        let channels = self.channels.unwrap_or(1);
        let encoding = match self.encoding.as_deref().unwrap_or_default() {
            "" => None,
            "linear16" => Some((Encoding::Linear(2), 16_000)),
            "linear32" => Some((Encoding::Linear(4), 16_000)),
            "mulaw" => Some((Encoding::Law(G711::Mu), 8_000)),
            "alaw" => Some((Encoding::Law(G711::A), 8_000)),
            other => {
                let other: String = other.chars().take(40).collect();
                let message = format!(
                    "{other:?} is not taken; send linear16, linear32, mulaw, alaw, or a WAV file without an encoding"
                );
                return Err(ApiError::invalid("encoding", message));
            }
        };
        let intake = match encoding {
            Some((encoding, usual)) => {
                Intake::new(encoding, self.sample_rate.unwrap_or(usual), channels)
            }
            None => Intake::open(self.sample_rate.unwrap_or(16_000), channels),
        };
        intake.map_err(|wrong| ApiError::invalid("sample_rate", wrong.to_string()))
    }

    /// The silence that ends an utterance; none for the usual one.
    fn silence_ms(&self) -> Result<Option<u32>, ApiError> {
        match self.endpointing.as_deref() {
            None | Some("" | "true" | "false") => Ok(None),
            Some(text) => match text.parse::<u32>() {
                // Theirs counts from the last sound, ours from the end of the words.
                Ok(ms) if ms <= 10_000 => Ok(Some(ms.max(LEAST_SILENCE_MS))),
                _ => {
                    let text: String = text.chars().take(20).collect();
                    let message = format!("{text:?} is neither false nor 0 to 10000 milliseconds");
                    Err(ApiError::invalid("endpointing", message))
                }
            },
        }
    }
}

/// `/v1/listen`: results as they come.
pub(in super::super) async fn listen(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let Query(asked) = asked?;
    let upgrade = upgrade?;
    let intake = asked.intake()?;
    let language = language_of(asked.language.as_deref());
    if let Some(language) = &language
        && !house.shared.recognised_languages().contains(language)
    {
        let language: String = language.chars().take(20).collect();
        let message = format!("{language:?} is not recognised by {}", house.shared.asr_model());
        return Err(ApiError::invalid("language", message));
    }
    let mut detect = house.shared.detect_settings().clone();
    if let Some(ms) = asked.silence_ms()? {
        detect.hangover_ms = ms;
        detect.trailing_ms = detect.trailing_ms.min(ms);
    }
    let mut ears = Ears::new(&house, intake, language, &detect).map_err(ApiError::from)?;
    ears.interim_asked = asked.interim_results;
    // For pages, which show a token among the sub-protocols and want one of them chosen.
    let upgrade = upgrade.protocols([PROTOCOL, "token", "bearer"]);
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |mut socket| async move {
        let _guest = Guest::new(&house, "listen");
        let ended = talk(&mut socket, &house, ears, &asked).await;
        close(socket, &ended.err().unwrap_or_default()).await;
        drop(place);
    }))
}

async fn talk(
    socket: &mut WebSocket,
    house: &Arc<House>,
    mut ears: Ears,
    asked: &Asked,
) -> Result<(), End> {
    let id = format!("{:032x}", house.next_session());
    let end = Instant::now() + Duration::from_secs(house.config.session_s);
    loop {
        let idle = (Instant::now() + house.idle()).min(end);
        tokio::select! {
            message = socket.recv(), if ears.jobs.len() < MOST_JOBS => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let began = match bytes.is_empty() {
                        true => ears.finish()?,
                        false => ears.push(&bytes)?,
                    };
                    for at in began.into_iter().filter(|_| asked.vad_events) {
                        send(socket, &json!({ "type": "SpeechStarted", "channel": [0], "timestamp": at })).await?;
                    }
                    // An empty message is the older way to say that all was sent.
                    if bytes.is_empty() {
                        break;
                    }
                }
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
                    match message["type"].as_str() {
                        Some("CloseStream") => {
                            ears.finish()?;
                            break;
                        }
                        Some("Finalize") => {
                            ears.settle()?;
                            if ears.jobs.is_empty() {
                                // Its client waits for an answer to this.
                                let at = ears.listener.now().seconds();
                                send(socket, &nothing(at, &id)).await?;
                            }
                            told(socket, &mut ears, &id, asked, true).await?;
                        }
                        _ => {}
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            said = ears.next() => {
                let said = said?;
                tell(socket, &said, &id, asked, false).await?;
            }
            () = house.stop.cancelled() => {
                ears.finish()?;
                break;
            }
            () = tokio::time::sleep_until(idle) => return Err("nothing came for too long".into()),
        }
    }
    told(socket, &mut ears, &id, asked, false).await?;
    let duration = ears.listener.now().seconds();
    send(
        socket,
        &json!({
            "type": "Metadata", "transaction_key": "deprecated", "request_id": id, "sha256": "",
            "created": jiff::Timestamp::now().to_string(), "duration": duration,
            "channels": asked.channels.unwrap_or(1),
        }),
    )
    .await
}

/// Tells everything that is still at the recogniser.
async fn told(
    socket: &mut WebSocket,
    ears: &mut Ears,
    id: &str,
    asked: &Asked,
    finalized: bool,
) -> Result<(), End> {
    while !ears.jobs.is_empty() {
        let said = ears.next().await?;
        tell(socket, &said, id, asked, finalized).await?;
    }
    Ok(())
}

async fn tell(
    socket: &mut WebSocket,
    said: &Said,
    id: &str,
    asked: &Asked,
    finalized: bool,
) -> Result<(), End> {
    let confidence = said.confidence();
    let words = said.words().into_iter().map(|word| {
        let plain = word.text.trim_matches(|c: char| c.is_ascii_punctuation()).to_lowercase();
        json!({
            "word": plain, "punctuated_word": word.text, "start": word.start, "end": word.end, "confidence": confidence,
        })
    });
    let alternative = json!({
        "transcript": said.transcript.text, "confidence": confidence, "words": words.collect::<Value>(),
        "languages": [said.transcript.language],
    });
    let times = (said.start, said.end - said.start);
    let result = result(times, said.is_final, finalized, &alternative, id);
    send(socket, &result).await?;
    if said.is_final && asked.utterance_end_ms.is_some() {
        let event = json!({ "type": "UtteranceEnd", "channel": [0, 1], "last_word_end": said.end });
        send(socket, &event).await?;
    }
    Ok(())
}

/// What is told when there is nothing to tell.
fn nothing(at: f64, id: &str) -> Value {
    let alternative = json!({ "transcript": "", "confidence": 0.0, "words": [] });
    result((at, 0.0), true, true, &alternative, id)
}

fn result(
    (start, duration): (f64, f64),
    is_final: bool,
    finalized: bool,
    alternative: &Value,
    id: &str,
) -> Value {
    json!({
        "type": "Results", "channel_index": [0, 1], "start": start, "duration": duration,
        "is_final": is_final, "speech_final": is_final, "from_finalize": finalized,
        "channel": { "alternatives": [alternative] },
        "metadata": {
            "request_id": id, "model_uuid": id,
            "model_info": { "name": "hearken", "version": env!("CARGO_PKG_VERSION"), "arch": "whisper" },
        },
    })
}
