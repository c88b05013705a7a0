//! OpenAI Realtime over a WebSocket: `/v1/realtime`.
//!
//! `machine` is the session as a pure machine, `settings` what the client sets, `response` what one
//! answer opens and closes, `ears` the sound that comes in. This page is the socket: it reads, does what
//! the machine wants done with the shared engines, and writes.

mod ears;
mod machine;
mod response;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response as HttpResponse;
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::http::{ApiError, Place, voice};
use super::{Guest, House, WRITE_LIMIT, heavy};
use crate::asr::Hypothesis;
use crate::asr::Task;
use crate::asr::written_language;
use crate::audio::Resampler;
use crate::session::AsrHandle;
use crate::session::DialogueHandle;
use crate::session::HandleError;
use crate::session::Listened;
use crate::session::Recognition;
use crate::session::Sound;
use crate::session::chain;

use ears::{EarError, Ears};
use machine::{Do, FunctionCall, Machine};
use response::in_dialect;
use settings::{Dialect, Format, Settings};

/// The largest message: 15 MiB of sound in base64.
const LARGEST: usize = 21 * 1024 * 1024;
/// Samples of a piece of the answer: 100 ms of 24 kHz.
const PIECE: usize = 2400;

/// What the address asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    model: Option<String>,
    intent: Option<String>,
}

pub(super) async fn realtime(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<HttpResponse, ApiError> {
    let upgrade = upgrade?;
    let says = |name: &str, word: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|own| own.trim() == word)
    };
    // Browsers can set no header of their own, and say it among the sub-protocols.
    let old = says("openai-beta", "realtime=v1")
        || says("sec-websocket-protocol", "openai-beta.realtime-v1");
    let dialect = if old { Dialect::Old } else { Dialect::New };
    // The session that the token was made with, which was found good then.
    let made = place.session.as_deref().unwrap_or(&Value::Null);
    let model = asked.model.as_deref().or_else(|| made["model"].as_str());
    let model: String = model.unwrap_or("gpt-realtime").chars().take(80).collect();
    let mut settings = Settings::new(&model, asked.intent.as_deref() == Some("transcription"));
    settings.update(made).map_err(|wrong| ApiError::invalid("session", wrong.message))?;
    let upgrade = upgrade.protocols(["realtime"]).max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _guest = Guest::new(&house, "realtime");
        serve(socket, &house, settings, dialect).await;
        drop(place);
    }))
}

/// A token for a web page, good for a while.
pub(super) async fn client_secrets(
    State(house): State<Arc<House>>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(asked) = body?;
    let seconds = asked.pointer("/expires_after/seconds").and_then(Value::as_u64).unwrap_or(600);
    if !(10..=7200).contains(&seconds) {
        let message = format!("{seconds} seconds are not between 10 and 7200");
        return Err(ApiError::invalid("expires_after", message));
    }
    let wanted = asked.get("session").cloned().unwrap_or(Value::Null);
    let (session, value, expires) = secret(&house, wanted, false, seconds, Dialect::New)?;
    Ok(Json(json!({ "value": value, "expires_at": expires, "session": session })))
}

/// The same as it was before: the body is the session.
pub(super) async fn old_sessions(
    State(house): State<Arc<House>>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    old_secret(&house, body?.0, false)
}

/// The same for those that only listen.
pub(super) async fn old_transcriptions(
    State(house): State<Arc<House>>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    old_secret(&house, body?.0, true)
}

fn old_secret(house: &House, wanted: Value, listens: bool) -> Result<Json<Value>, ApiError> {
    let (mut session, value, expires) = secret(house, wanted, listens, 60, Dialect::Old)?;
    session["client_secret"] = json!({ "value": value, "expires_at": expires });
    Ok(Json(session))
}

/// A session that can be begun within so many seconds, its token, and until when that is good.
fn secret(
    house: &House,
    mut wanted: Value,
    listens: bool,
    seconds: u64,
    dialect: Dialect,
) -> Result<(Value, String, u64), ApiError> {
    let mut settings = Settings::new(wanted["model"].as_str().unwrap_or("gpt-realtime"), listens);
    settings.update(&wanted).map_err(|wrong| ApiError::invalid("session", wrong.message))?;
    if let (true, Some(wanted)) = (listens, wanted.as_object_mut()) {
        wanted.insert("type".into(), "transcription".into());
    }
    let shown = settings.shown(&format!("sess_{:08x}", house.next_session()), dialect);
    let value = house.tokens.pass(Duration::from_secs(seconds), wanted);
    let value = value.map_err(|error| ApiError::internal(error.to_string()))?;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    Ok((shown, value, now + seconds))
}

/// Work of the engines that the session waits for.
struct Work {
    asr: AsrHandle,
    /// At the recogniser, in order: the item, its seconds, the job.
    hearing: VecDeque<(String, f64, Recognition)>,
    answer: Option<(String, JoinHandle<Found>)>,
    speaking: Option<Speaking>,
}

/// What a text comes to.
struct Found {
    text: String,
    language: String,
    calls: Vec<FunctionCall>,
}

struct Speaking {
    response: String,
    sound: Sound,
    format: Format,
    resampler: Option<Resampler>,
}

async fn serve(mut socket: WebSocket, house: &Arc<House>, settings: Settings, dialect: Dialect) {
    let id = format!("sess_{:08x}", house.next_session());
    let mut machine = Machine::new(&id, settings, dialect);
    let mut ears = match Ears::new(&house.shared, &machine.settings) {
        Ok(ears) => ears,
        Err(error) => return close(socket, 1011, &error.to_string()).await,
    };
    let talk = Arc::new(Mutex::new(house.shared.dialogue()));
    let asr = house.shared.asr().fork();
    let mut work = Work { asr, hearing: VecDeque::new(), answer: None, speaking: None };
    let end = Instant::now() + Duration::from_secs(house.config.session_s);
    let idle = house.idle();
    let mut last = Instant::now();
    // Who listens to its owner only now and then is there as long as it answers.
    let mut pings = tokio::time::interval(idle / 3);
    pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    pings.reset();
    loop {
        for what in machine.drain() {
            match what {
                Do::Send(event) => {
                    let Some(event) = in_dialect(event, machine.dialect) else { continue };
                    let text = Message::Text(event.to_string().into());
                    match tokio::time::timeout(WRITE_LIMIT, socket.send(text)).await {
                        Ok(Ok(())) => {}
                        // A client that takes nothing is not worked for.
                        _ => return,
                    }
                }
                other => begin(other, house, &mut machine, &mut ears, &mut work, &talk),
            }
        }
        if !machine.is_quiet() {
            continue;
        }
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    heavy(text.len(), || take(&text, house, &mut machine, &mut ears));
                    // Much sound takes its time, in which nobody was idle.
                    last = Instant::now();
                }
                Some(Ok(Message::Binary(_))) => {
                    machine.error(&Value::Null, "invalid_json", "events are JSON in text messages", None);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => last = Instant::now(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return machine.close(),
            },
            heard = next_heard(&mut work.hearing) => {
                let Some((item, seconds, _)) = work.hearing.front() else { continue };
                match heard {
                    Some(Ok(Hypothesis::Partial(_))) => continue,
                    Some(Ok(Hypothesis::Final(said))) => {
                        machine.transcribed(item, &said.text, *seconds);
                    }
                    Some(Err(error)) => not_heard(&mut machine, item, &error),
                    None => machine.transcribed(item, "", *seconds),
                }
                work.hearing.pop_front();
            }
            found = next_found(&mut work.answer) => {
                let Some((response, _)) = work.answer.take() else { continue };
                match found {
                    Some(Found { text, language, calls }) => machine.answered(&response, &text, &language, &calls),
                    None => machine.failed(&response, "failed", "understanding broke off"),
                }
            }
            chunk = next_sound(&mut work.speaking) => {
                let Some(speaking) = &mut work.speaking else { continue };
                if !speak(chunk, speaking, &mut machine) {
                    work.speaking = None;
                }
            }
            // What was said is still answered.
            () = house.stop.cancelled(), if machine.active().is_none() && work.hearing.is_empty() => {
                return close(socket, 1001, "the server closes").await;
            }
            _ = pings.tick() => {
                let ping = socket.send(Message::Ping(axum::body::Bytes::new()));
                if !matches!(tokio::time::timeout(WRITE_LIMIT, ping).await, Ok(Ok(()))) {
                    return;
                }
            }
            () = tokio::time::sleep_until(end.min(last + idle)) => {
                let why = if Instant::now() >= end { "the longest session is over" } else { "nothing came for too long" };
                return close(socket, 1000, why).await;
            }
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &str) {
    let frame = CloseFrame { code, reason: reason.into() };
    let _ = tokio::time::timeout(WRITE_LIMIT, socket.send(Message::Close(Some(frame)))).await;
}

async fn next_heard(
    hearing: &mut VecDeque<(String, f64, Recognition)>,
) -> Option<Result<Hypothesis, HandleError>> {
    match hearing.front_mut() {
        Some((_, _, job)) => job.next().await,
        None => std::future::pending().await,
    }
}

async fn next_found(answer: &mut Option<(String, JoinHandle<Found>)>) -> Option<Found> {
    match answer {
        Some((_, job)) => job.await.ok(),
        None => std::future::pending().await,
    }
}

async fn next_sound(
    speaking: &mut Option<Speaking>,
) -> Option<Result<crate::session::SoundChunk, HandleError>> {
    match speaking {
        Some(speaking) => speaking.sound.next().await,
        None => std::future::pending().await,
    }
}

/// Plays a session's events without any engine; what waits for one fails.
#[cfg(feature = "fuzzing")]
pub(super) fn play(events: impl Iterator<Item = Value>) {
    let mut machine = Machine::new("sess_1", Settings::new("m", false), Dialect::New);
    for event in events {
        match event["type"].as_str().unwrap_or_default() {
            "session.update" => machine.update(&event),
            "conversation.item.create" => machine.create_item(&event),
            "response.create" => machine.create_response(&event),
            "response.cancel" => machine.cancel_response(&event),
            "input_audio_buffer.commit" => machine.commit(Arc::from([0.0; 1600])),
            _ => machine.about_item(&event),
        }
        for what in machine.drain() {
            match what {
                Do::Answer { response, text, .. } => machine.answered(&response, &text, "en", &[]),
                Do::Speak { response, .. } => machine.failed(&response, "busy", "busy"),
                Do::Transcribe { item, .. } | Do::TranscribeEncoded { item, .. } => {
                    machine.not_transcribed(&item, "busy", "busy")
                }
                Do::Send(event) => drop(in_dialect(event, machine.dialect)),
                Do::Silence | Do::Retune => {}
            }
        }
    }
    machine.close();
}

/// Takes an event of the client.
fn take(text: &str, house: &House, machine: &mut Machine, ears: &mut Ears) {
    let event: Value = match serde_json::from_str(text) {
        Ok(event @ Value::Object(_)) => event,
        _ => return machine.error(&Value::Null, "invalid_json", "an event is a JSON object", None),
    };
    match event["type"].as_str().unwrap_or_default() {
        "session.update" | "transcription_session.update" => machine.update(&event),
        "input_audio_buffer.append" => {
            let sound = match event["audio"].as_str().map(|audio| STANDARD.decode(audio)) {
                Some(Ok(bytes)) => Ok(bytes),
                Some(Err(_)) => Err("audio: this is no base64"),
                None => Err("audio: sound in base64 is needed"),
            };
            let bytes = match sound {
                Ok(bytes) => bytes,
                Err(why) => return machine.error(&event, "invalid_value", why, Some("audio")),
            };
            let mut heard = Vec::new();
            if let Err(error) = ears.push(&bytes, &mut |what| heard.push(what)) {
                machine.error(&event, error.code(), &error.to_string(), Some("audio"));
            }
            listened(heard, ears, machine);
        }
        "input_audio_buffer.commit" => {
            let mut heard = Vec::new();
            match ears.commit(&house.shared, &machine.settings, &mut |what| heard.push(what)) {
                Ok(Some(audio)) => machine.commit(audio),
                Ok(None) => listened(heard, ears, machine),
                Err(error) => machine.error(&event, error.code(), &error.to_string(), None),
            }
        }
        "input_audio_buffer.clear" => {
            if let Err(error) = ears.clear(&house.shared, &machine.settings) {
                return machine.error(&event, error.code(), &error.to_string(), None);
            }
            machine.cleared();
        }
        "conversation.item.create" => machine.create_item(&event),
        "conversation.item.retrieve"
        | "conversation.item.delete"
        | "conversation.item.truncate" => {
            machine.about_item(&event);
        }
        "response.create" => {
            house.metrics.add(
                "hearken_requests_total",
                1.0,
                &[("door", "realtime"), ("kind", "response")],
            );
            machine.create_response(&event);
        }
        "response.cancel" => machine.cancel_response(&event),
        // Only for WebRTC; here the client stops what it plays by itself.
        "output_audio_buffer.clear" => {}
        other => {
            let other: String = other.chars().take(60).collect();
            machine.error(
                &event,
                "invalid_event",
                &format!("there is no event {other:?}"),
                Some("type"),
            );
        }
    }
}

fn listened(heard: Vec<Listened>, ears: &Ears, machine: &mut Machine) {
    for heard in heard {
        match heard {
            Listened::Started(at) => machine.speech_started(ears.ms(at)),
            Listened::Utterance { audio, .. } => machine.speech_stopped(ears.now_ms(), audio),
        }
    }
}

fn not_heard(machine: &mut Machine, item: &str, error: &HandleError) {
    let code = if error.is_retryable() { "busy" } else { "failed" };
    machine.not_transcribed(item, code, &chain(error));
}

/// Begins a piece of work.
fn begin(
    what: Do,
    house: &Arc<House>,
    machine: &mut Machine,
    ears: &mut Ears,
    work: &mut Work,
    talk: &Arc<Mutex<DialogueHandle>>,
) {
    match what {
        Do::Send(_) => {}
        Do::Retune => {
            if let Err(error) = ears.retune(&house.shared, &machine.settings) {
                machine.error(&Value::Null, error.code(), &error.to_string(), None);
            }
        }
        Do::Transcribe { item, audio } => {
            let seconds = audio.len() as f64 / f64::from(crate::audio::SAMPLE_RATE);
            house.metrics.add("hearken_audio_seconds_total", seconds, &[("door", "realtime")]);
            let task =
                Task { language: machine.settings.language.clone(), free: true, ..Task::default() };
            match work.asr.transcribe(audio, task) {
                Ok(job) => work.hearing.push_back((item, seconds, job)),
                Err(error) => {
                    house.refused("realtime", "busy");
                    not_heard(machine, &item, &error);
                }
            }
        }
        Do::TranscribeEncoded { item, audio } => match ears::decoded(&audio, &machine.settings) {
            Ok(audio) => {
                let heard = Do::Transcribe { item, audio };
                begin(heard, house, machine, ears, work, talk);
            }
            Err(why) => machine.not_transcribed(&item, "invalid_value", &why),
        },
        Do::Answer { response, text, settings } => {
            let (talk, house) = (Arc::clone(talk), Arc::clone(house));
            let job = tokio::task::spawn_blocking(move || find(&text, &talk, &house, &settings));
            work.answer = Some((response, job));
        }
        Do::Speak { response, text, language, settings } => {
            let shared = &house.shared;
            let chosen = voice(shared, &settings.voice, &text).ok();
            let chosen = chosen.or_else(|| shared.voice_for(&language));
            let Some(chosen) = chosen else {
                return machine.failed(&response, "failed", "no voice is installed");
            };
            match shared.tts().speak(&chosen.id, settings.speed, &text) {
                Ok(sound) => {
                    let format = settings.output;
                    work.speaking = Some(Speaking { response, sound, format, resampler: None });
                }
                Err(error) => {
                    house.refused("realtime", "busy");
                    let code = if error.is_retryable() { "busy" } else { "failed" };
                    machine.failed(&response, code, &chain(&error));
                }
            }
        }
        Do::Silence => work.speaking = None,
    }
}

/// Understands a text. What the client has a function for is the client's to do; the rest is done here.
fn find(text: &str, talk: &Mutex<DialogueHandle>, house: &House, settings: &Settings) -> Found {
    let language = written_language(text);
    let area = house.shared.area();
    let mut talk = talk.lock().unwrap_or_else(PoisonError::into_inner);
    if !settings.tools.is_empty() {
        let meaning = talk.lock().understand(text, language, area);
        if let Some(meaning) = meaning.filter(|meaning| settings.has_tool(&meaning.intent)) {
            let call =
                FunctionCall { name: meaning.intent, arguments: Value::Object(meaning.slots) };
            return Found { text: String::new(), language: language.into(), calls: vec![call] };
        }
    }
    let reply = talk.respond(text, language, area);
    Found { text: reply.text, language: reply.language, calls: Vec::new() }
}

/// Hands a piece of the answer on; false when it was the last.
fn speak(
    chunk: Option<Result<crate::session::SoundChunk, HandleError>>,
    speaking: &mut Speaking,
    machine: &mut Machine,
) -> bool {
    let format = speaking.format;
    let mut samples = Vec::new();
    let more = match chunk {
        Some(Ok(chunk)) => {
            let fits = |own: &Resampler| own.input_rate() == chunk.sample_rate;
            if !speaking.resampler.as_ref().is_some_and(fits) {
                speaking.resampler = Resampler::new(chunk.sample_rate, format.rate()).ok();
            }
            if let Some(resampler) = &mut speaking.resampler {
                let _ = resampler.push(&chunk.samples, &mut samples);
            }
            true
        }
        Some(Err(error)) => {
            machine.failed(&speaking.response, "failed", &chain(&error));
            return false;
        }
        None => {
            if let Some(resampler) = &mut speaking.resampler {
                let _ = resampler.finish(&mut samples);
            }
            false
        }
    };
    for piece in samples.chunks(PIECE) {
        let ms = piece.len() as f64 * 1000.0 / f64::from(format.rate());
        machine.sound(&speaking.response, &STANDARD.encode(format.encode(piece)), ms);
    }
    if !more {
        machine.spoken(&speaking.response);
    }
    more
}

impl EarError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooShort(_) => "input_audio_buffer_commit_empty",
            Self::Full => "input_audio_buffer_full",
            Self::Engine(_) => "failed",
        }
    }
}
