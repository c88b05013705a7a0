//! `/v1/audio/speech`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::encode::{Encoder, Format};
use super::{ApiError, House, models, sse};
use crate::session::HandleError;
use crate::session::Sound;
use crate::session::SoundChunk;

/// The longest text, as OpenAI has it.
const LONGEST: usize = 4096;

/// The body of a request. Fields that are not here, such as `instructions`, are passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    model: String,
    input: String,
    voice: Voice,
    #[serde(default)]
    response_format: Option<String>,
    #[serde(default)]
    speed: Option<f32>,
    #[serde(default)]
    stream_format: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Voice {
    Name(String),
    Custom { id: String },
}

pub(super) async fn speech(
    State(house): State<Arc<House>>,
    body: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, ApiError> {
    house.metrics.add("hearken_requests_total", 1.0, &[("door", "http"), ("kind", "speech")]);
    let Json(asked) = body?;
    if !models::is_speech(&house.shared, &asked.model) {
        return Err(ApiError::no_model(&asked.model));
    }
    if asked.input.trim().is_empty() {
        return Err(ApiError::invalid("input", "there is nothing to say: `input` is empty"));
    }
    let chars = asked.input.chars().count();
    if chars > LONGEST {
        let message =
            format!("{chars} characters are more than {LONGEST}; send the text in pieces");
        return Err(ApiError::invalid("input", message));
    }
    let speed = asked.speed.unwrap_or(1.0);
    if !(0.25..=4.0).contains(&speed) {
        return Err(ApiError::invalid("speed", format!("{speed} is not between 0.25 and 4")));
    }
    let format = Format::named(asked.response_format.as_deref())
        .map_err(|message| ApiError::invalid("response_format", message))?;
    let sse = match asked.stream_format.as_deref() {
        None | Some("audio") => false,
        Some("sse") => true,
        Some(other) => {
            let other: String = other.chars().take(40).collect();
            return Err(ApiError::invalid(
                "stream_format",
                format!("{other:?} is neither audio nor sse"),
            ));
        }
    };
    let name = match &asked.voice {
        Voice::Name(name) | Voice::Custom { id: name } => name,
    };
    let voice = models::voice(&house.shared, name, &asked.input)?;
    let began = Instant::now();
    let mut sound = house.shared.tts().speak(&voice.id, speed, &asked.input).inspect_err(|_| {
        house.refused("http", "busy");
    })?;
    // What cannot be spoken is an error; once sound flows it is too late for one.
    let first = sound.next().await.transpose()?;
    house.metrics.time("hearken_door_first_audio_seconds", began.elapsed(), &[("door", "http")]);
    let encoder = Encoder::new(format).map_err(ApiError::internal)?;
    let pieces = Pieces { first, sound, encoder: Some(encoder), house, chars };
    Ok(match sse {
        true => sse::response(pieces.events()),
        false => {
            let body = Body::from_stream(pieces.bytes());
            ([(header::CONTENT_TYPE, format.content_type())], body).into_response()
        }
    })
}

/// The sound as it is made, encoded.
struct Pieces {
    first: Option<SoundChunk>,
    sound: Sound,
    /// Gone once the end is written.
    encoder: Option<Encoder>,
    house: Arc<House>,
    chars: usize,
}

impl Pieces {
    /// The next bytes; `None` after the last.
    async fn next(&mut self) -> Option<Result<Bytes, HandleError>> {
        loop {
            self.encoder.as_ref()?;
            let chunk = match self.first.take() {
                Some(chunk) => Some(chunk),
                None => match self.sound.next().await.transpose() {
                    Ok(chunk) => chunk,
                    Err(error) => {
                        self.encoder = None;
                        return Some(Err(error));
                    }
                },
            };
            if let Some(chunk) = &chunk {
                let seconds = chunk.samples.len() as f64 / f64::from(chunk.sample_rate.max(1));
                let metrics = &self.house.metrics;
                metrics.add("hearken_audio_seconds_total", seconds, &[("door", "http")]);
            }
            // Encoding a long chunk would hold up the other connections.
            let mut encoder = self.encoder.take()?;
            let work = tokio::task::spawn_blocking(move || match chunk {
                Some(chunk) => {
                    let bytes = encoder.push(&chunk.samples, chunk.sample_rate);
                    (Some(encoder), bytes)
                }
                None => (None, encoder.finish()),
            });
            let (encoder, bytes) =
                work.await.unwrap_or_else(|_| (None, Err("the encoder broke off".into())));
            self.encoder = encoder;
            match bytes {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Some(Ok(bytes.into())),
                Err(reason) => {
                    self.encoder = None;
                    let voice = "the encoder".to_owned();
                    return Some(Err(crate::tts::TtsError::Engine { voice, reason }.into()));
                }
            }
        }
    }

    fn bytes(self) -> impl futures_util::Stream<Item = Result<Bytes, HandleError>> {
        futures_util::stream::unfold(self, async |mut pieces| {
            let bytes = pieces.next().await?;
            Some((bytes, pieces))
        })
    }

    fn events(self) -> impl futures_util::Stream<Item = Value> {
        // We count no tokens; characters are what was read.
        let read = self.chars as u64;
        futures_util::stream::unfold(Some(self), move |pieces| async move {
            let mut pieces = pieces?;
            match pieces.next().await {
                Some(Ok(bytes)) => {
                    let audio = STANDARD.encode(&bytes);
                    Some((json!({ "type": "speech.audio.delta", "audio": audio }), Some(pieces)))
                }
                Some(Err(error)) => Some((ApiError::from(error).body(), None)),
                None => {
                    let usage =
                        json!({ "input_tokens": read, "output_tokens": 0, "total_tokens": read });
                    Some((json!({ "type": "speech.audio.done", "usage": usage }), None))
                }
            }
        })
    }
}
