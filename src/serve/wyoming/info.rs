//! `describe` and its answer. Nothing is loaded for it: Home Assistant waits one second.

use serde_json::{Value, json};

use super::{Event, House};
use crate::session::Shared;

fn artifact(name: &str, description: &str, more: &Value) -> Value {
    let mut artifact = json!({
        "name": name,
        "attribution": { "name": "Hearken", "url": "" },
        "installed": true,
        "description": description,
        "version": env!("CARGO_PKG_VERSION"),
    });
    if let (Some(into), Some(more)) = (artifact.as_object_mut(), more.as_object()) {
        into.extend(more.clone());
    }
    artifact
}

/// Languages as Home Assistant's pipelines name them: its intents know `zh-CN` and not `zh`.
fn tags(languages: impl Iterator<Item = String>) -> Vec<String> {
    let mut tags = Vec::new();
    for language in languages {
        let more: &[&str] = match language.split('-').next() {
            Some("zh") => &["zh-CN", "zh-TW", "zh-HK", "zh"],
            Some("en") => &["en", "en-US", "en-GB"],
            _ => &[],
        };
        for tag in more.iter().map(|tag| (*tag).to_owned()).chain([language]) {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
    }
    tags
}

/// What there is.
pub(super) fn info(shared: &Shared) -> Event {
    let heard = tags(shared.recognised_languages().into_iter());
    let model = artifact(shared.asr_model(), "Speech recognition", &json!({ "languages": heard }));
    let asr = artifact(
        "hearken",
        "Speech to text",
        &json!({
            "models": [model],
            "supports_transcript_streaming": true,
            "requires_external_vad": true,
            "prefers_auto_gain_enabled": false,
            "prefers_noise_reduction_enabled": false,
        }),
    );
    let voices: Vec<Value> = shared
        .voices()
        .iter()
        .map(|voice| {
            let languages = tags(voice.languages.iter().cloned());
            artifact(
                &voice.id,
                &format!("{}: {}", voice.name, voice.description),
                &json!({ "languages": languages }),
            )
        })
        .collect();
    let tts = artifact(
        "hearken",
        "Text to speech",
        &json!({ "voices": voices, "supports_synthesize_streaming": true }),
    );
    let understood = tags(shared.languages().iter().cloned());
    let models =
        || json!([artifact("hearken", "The home's commands", &json!({ "languages": understood }))]);
    let intent = artifact("hearken", "What a command means", &json!({ "models": models() }));
    let handle = artifact(
        "hearken",
        "Obeys commands and answers",
        &json!({ "models": models(), "supports_handled_streaming": false, "supports_home_control": true }),
    );
    Event::new("info")
        .with("asr", json!([asr]))
        .with("tts", if voices_are_none(&tts) { json!([]) } else { json!([tts]) })
        .with("handle", json!([handle]))
        .with("intent", json!([intent]))
        .with("wake", json!([]))
        .with("mic", json!([]))
        .with("snd", json!([]))
}

/// What a satellite is, and that it does nothing else.
pub(super) fn satellite(house: &House) -> Event {
    let mut info = Event::new("info").with("satellite", super::satellite::about(house));
    for kind in ["asr", "tts", "handle", "intent", "wake", "mic", "snd"] {
        info = info.with(kind, json!([]));
    }
    info
}

fn voices_are_none(tts: &Value) -> bool {
    tts["voices"].as_array().is_none_or(Vec::is_empty)
}
