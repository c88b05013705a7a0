//! What there is, and what OpenAI's names stand for.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{ApiError, House};
use crate::asr::written_language;
use crate::session::Shared;
use crate::session::VoiceInfo;

/// Names that clients ask for recognition by, besides the model's own.
const RECOGNISERS: &[&str] = &[
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-transcribe",
    "gpt-realtime-whisper",
];
/// Names that clients ask for speech by. Which voice speaks, `voice` says.
const VOICES: &[&str] = &["tts-1", "tts-1-hd", "gpt-4o-mini-tts"];
/// OpenAI's voices. Kokoro has some of the same name; for the others speaks the configured voice of the
/// text's language.
const NAMES: &[&str] = &[
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage",
    "shimmer", "verse",
];

/// Whether this is a name for the recogniser.
pub(super) fn is_recogniser(shared: &Shared, model: &str) -> bool {
    model == shared.asr_model() || RECOGNISERS.contains(&model)
}

/// Whether this is a name for the voices.
pub(super) fn is_speech(shared: &Shared, model: &str) -> bool {
    VOICES.contains(&model) || shared.voice(model).is_some()
}

/// The installed voice that a name stands for, for this text.
pub(in super::super) fn voice(
    shared: &Shared,
    name: &str,
    text: &str,
) -> Result<VoiceInfo, ApiError> {
    if let Some(voice) = shared.voice(name) {
        return Ok(voice);
    }
    let (lower, all) = (name.to_lowercase(), shared.voices());
    let same = || all.iter().find(|voice| voice.name.to_lowercase() == lower);
    let language = written_language(text);
    let speaks = |voice: &&VoiceInfo| {
        voice.languages.iter().any(|tag| tag.split('-').next() == Some(language))
    };
    if NAMES.contains(&lower.as_str()) {
        // A namesake that does not speak the text's language would only spell it.
        let found = same().filter(speaks).cloned().or_else(|| shared.voice_for(language));
        return found.ok_or_else(|| ApiError::internal("no voice is installed"));
    }
    same().cloned().ok_or_else(|| {
        let name: String = name.chars().take(60).collect();
        let some: Vec<&str> = all.iter().map(|v| v.id.as_str()).take(12).collect();
        ApiError::invalid(
            "voice",
            format!("there is no voice {name:?} here; use one of {}, or a name of OpenAI's such as alloy", some.join(", ")),
        )
    })
}

fn model(id: &str, created: u64) -> Value {
    json!({ "id": id, "object": "model", "created": created, "owned_by": "hearken" })
}

fn ids(shared: &Shared) -> Vec<&str> {
    let own = [shared.asr_model()].into_iter();
    own.chain(RECOGNISERS.iter().chain(VOICES).copied()).collect()
}

pub(super) async fn list(State(house): State<Arc<House>>) -> Json<Value> {
    let models: Vec<Value> = ids(&house.shared).iter().map(|id| model(id, house.since)).collect();
    Json(json!({ "object": "list", "data": models }))
}

pub(super) async fn one(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    match ids(&house.shared).contains(&id.as_str()) {
        true => Ok(Json(model(&id, house.since))),
        false => Err(ApiError::no_model(&id)),
    }
}

pub(super) async fn voices(State(house): State<Arc<House>>) -> Json<Value> {
    let voice = |voice: &VoiceInfo| json!({ "id": voice.id, "name": voice.name, "languages": voice.languages });
    let voices: Vec<Value> = house.shared.voices().iter().map(voice).collect();
    Json(json!({ "voices": voices }))
}
