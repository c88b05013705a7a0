//! Twilio Media Streams: JSON over a WebSocket, μ-law in base64.
//!
//! `<Connect><Stream url="wss://…/twilio"><Parameter name="token" value="…"/></Stream></Connect>` in the
//! TwiML of a number. Twilio sends no `Authorization`, so the token comes as a parameter of the start.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::http::{ApiError, Place, known};
use super::super::tokens::Denied;
use super::super::{Guest, House, WRITE_LIMIT};
use super::{Call, Task};
use crate::audio::G711;

/// How long the start may take to come.
const START: Duration = Duration::from_secs(10);
/// The largest message in bytes: far more than 20 ms.
const LARGEST: usize = 64 * 1024;

pub(in super::super) async fn twilio(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    // With tokens the start shows one.
    if house.tokens.is_open() {
        known(&house, &headers)?;
    }
    let upgrade = upgrade?;
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |mut socket| async move {
        let _guest = Guest::new(&house, "twilio");
        if let Err(reason) = serve(&mut socket, &house).await {
            tracing::debug!(reason, "a call ends");
        }
        let _ = tokio::time::timeout(WRITE_LIMIT, socket.send(Message::Close(None))).await;
        drop(place);
    }))
}

/// What Twilio says of a stream as it begins.
async fn start(socket: &mut WebSocket) -> Result<Value, String> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                let message: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
                if message["event"] == "start" {
                    return Ok(message["start"].clone());
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.to_string()),
            None => return Err("gone before the start".into()),
        }
    }
}

async fn serve(socket: &mut WebSocket, house: &Arc<House>) -> Result<(), String> {
    let started = tokio::time::timeout(START, start(socket)).await;
    let start = started.map_err(|_| "no start came".to_owned())??;
    let stream = start["streamSid"].as_str().unwrap_or_default().to_owned();
    let token = start.pointer("/customParameters/token").and_then(Value::as_str);
    let mut _permit = None;
    if !house.tokens.is_open() {
        let token = token.unwrap_or_default();
        // What a web page was given is for Realtime.
        let entered = match house.tokens.is_lasting(token) {
            true => house.tokens.enter(token),
            false => Err(Denied::Unknown),
        };
        _permit = Some(entered.map_err(|denied| {
            house.refused("twilio", denied.reason());
            match denied {
                Denied::Unknown => "a token is needed: give it as the stream's parameter `token`",
                Denied::TooMany => "too many calls at once with this token",
                Denied::TooOften { .. } => "too many calls a minute with this token",
            }
        })?);
    }
    if let Some(encoding) = start.pointer("/mediaFormat/encoding").and_then(Value::as_str)
        && encoding != "audio/x-mulaw"
    {
        return Err(format!("the encoding {encoding:?} is none of Twilio's"));
    }
    let begun = Call::begin(house, |samples| G711::Mu.encode(samples)).await;
    let mut call = begun.map_err(|error| error.to_string())?;
    let end = Instant::now() + Duration::from_secs(house.config.session_s);
    loop {
        let idle = (Instant::now() + house.idle()).min(end);
        tokio::select! {
            message = socket.recv(), if !call.is_behind() => match message {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
                    match message["event"].as_str() {
                        // Where both directions are streamed, one is our own voice.
                        Some("media") if message.pointer("/media/track").is_some_and(|track| track == "outbound") => {}
                        Some("media") => {
                            let payload = message.pointer("/media/payload").and_then(Value::as_str);
                            let bytes = STANDARD.decode(payload.unwrap_or_default());
                            let bytes = bytes.map_err(|_| "a payload that is no base64".to_owned())?;
                            call.hear(&G711::Mu.decode(&bytes)).map_err(|e| e.to_string())?;
                        }
                        Some("stop") => return Ok(()),
                        // Marks that come back, and keys that were pressed.
                        _ => {}
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            task = call.next() => {
                let message = match task.map_err(|e| e.to_string())? {
                    Task::Send(bytes) => json!({
                        "event": "media", "streamSid": stream, "media": { "payload": STANDARD.encode(bytes) },
                    }),
                    // Comes back once the caller has heard it all, which shows in Twilio's own log.
                    Task::Said(turn) => json!({
                        "event": "mark", "streamSid": stream, "mark": { "name": format!("reply-{}", turn.0) },
                    }),
                    Task::Clear => json!({ "event": "clear", "streamSid": stream }),
                    Task::End => return Ok(()),
                };
                let text = Message::Text(message.to_string().into());
                match tokio::time::timeout(WRITE_LIMIT, socket.send(text)).await {
                    Ok(Ok(())) => {}
                    _ => return Err("the call takes nothing".into()),
                }
            }
            () = house.stop.cancelled(), if !call.is_speaking() => return Ok(()),
            () = tokio::time::sleep_until(idle), if !call.is_speaking() => {
                return Err("nothing came for too long".into());
            }
        }
    }
}
