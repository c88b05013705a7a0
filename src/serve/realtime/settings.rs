//! The session as the client sets it: OpenAI's newer shape, and the older flat one.

use serde_json::{Map, Value, json};

use crate::audio::G711;

/// How sound stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Signed 16-bit little-endian samples at this rate in Hz.
    Pcm(u32),
    /// The telephone's, at 8 kHz.
    Law(G711),
}

impl Format {
    pub(super) fn rate(self) -> u32 {
        match self {
            Self::Pcm(rate) => rate,
            Self::Law(_) => 8_000,
        }
    }

    /// Bytes as samples at the format's rate.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Pcm(_) => crate::audio::from_s16le(bytes),
            Self::Law(law) => law.decode(bytes),
        }
    }

    pub(super) fn encode(self, samples: &[f32]) -> Vec<u8> {
        match self {
            Self::Pcm(_) => crate::audio::to_s16le(samples),
            Self::Law(law) => law.encode(samples),
        }
    }

    fn new(value: &Value) -> Option<Self> {
        let (kind, rate) = match value {
            Value::String(name) => (name.as_str(), None),
            Value::Object(fields) => {
                (fields.get("type")?.as_str()?, fields.get("rate").and_then(Value::as_u64))
            }
            _ => return None,
        };
        match (kind, rate) {
            ("audio/pcm" | "pcm16", None | Some(24_000)) => Some(Self::Pcm(24_000)),
            // Not OpenAI's, but what recognisers and small devices have.
            ("audio/pcm", Some(16_000)) => Some(Self::Pcm(16_000)),
            ("audio/pcmu" | "g711_ulaw", _) => Some(Self::Law(G711::Mu)),
            ("audio/pcma" | "g711_alaw", _) => Some(Self::Law(G711::A)),
            _ => None,
        }
    }

    pub(super) fn value(self) -> Value {
        match self {
            Self::Pcm(rate) => json!({ "type": "audio/pcm", "rate": rate }),
            Self::Law(G711::Mu) => json!({ "type": "audio/pcmu" }),
            Self::Law(G711::A) => json!({ "type": "audio/pcma" }),
        }
    }

    fn old_name(self) -> &'static str {
        match self {
            Self::Pcm(_) => "pcm16",
            Self::Law(G711::Mu) => "g711_ulaw",
            Self::Law(G711::A) => "g711_alaw",
        }
    }
}

/// When a turn ends by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Turns {
    /// The client's own object, as it is shown again.
    pub(super) shown: Map<String, Value>,
    pub(super) threshold: f32,
    pub(super) prefix_ms: u32,
    pub(super) silence_ms: u32,
    pub(super) create_response: bool,
    pub(super) interrupt_response: bool,
}

impl Turns {
    fn new(fields: &Map<String, Value>) -> Result<Self, Wrong> {
        let kind = fields.get("type").and_then(Value::as_str).unwrap_or("server_vad");
        let number =
            |key: &str, usual: f64| fields.get(key).and_then(Value::as_f64).unwrap_or(usual);
        let flag = |key: &str| fields.get(key).and_then(Value::as_bool).unwrap_or(true);
        // `semantic_vad` waits by what was said; here eagerness becomes the silence that is waited for.
        let silence_ms = match (kind, fields.get("eagerness").and_then(Value::as_str)) {
            ("server_vad", _) => number("silence_duration_ms", 500.0),
            ("semantic_vad", Some("low")) => 1200.0,
            ("semantic_vad", Some("high")) => 400.0,
            ("semantic_vad", _) => 700.0,
            _ => {
                return Err(Wrong::new(
                    "session.audio.input.turn_detection.type",
                    kind,
                    "server_vad, semantic_vad or null",
                ));
            }
        };
        let (threshold, prefix) = (number("threshold", 0.5), number("prefix_padding_ms", 300.0));
        for (name, value, least, most) in [
            ("threshold", threshold, 0.01, 0.99),
            ("silence_duration_ms", silence_ms, 100.0, 10_000.0),
            ("prefix_padding_ms", prefix, 0.0, 2_000.0),
        ] {
            if !(least..=most).contains(&value) {
                let may = format!("{least} to {most}");
                return Err(Wrong::new(
                    &format!("session.audio.input.turn_detection.{name}"),
                    &value.to_string(),
                    &may,
                ));
            }
        }
        let mut shown = fields.clone();
        shown.insert("type".into(), kind.into());
        if kind == "server_vad" {
            shown.insert("threshold".into(), threshold.into());
            shown.insert("silence_duration_ms".into(), (silence_ms as u64).into());
            shown.insert("prefix_padding_ms".into(), (prefix as u64).into());
        }
        let (create_response, interrupt_response) =
            (flag("create_response"), flag("interrupt_response"));
        shown.insert("create_response".into(), create_response.into());
        shown.insert("interrupt_response".into(), interrupt_response.into());
        Ok(Self {
            shown,
            threshold: threshold as f32,
            prefix_ms: prefix as u32,
            silence_ms: silence_ms as u32,
            create_response,
            interrupt_response,
        })
    }
}

/// A value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) param: String,
    pub(super) message: String,
}

impl Wrong {
    pub(super) fn new(param: &str, value: &str, may: &str) -> Self {
        let value: String = value.chars().take(40).collect();
        Self {
            param: param.into(),
            message: format!("{param}: {value:?} is not allowed; it may be {may}"),
        }
    }
}

/// Which names the client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    New,
    Old,
}

/// The settings of a session.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) transcription_only: bool,
    pub(super) model: String,
    pub(super) instructions: String,
    pub(super) audio_out: bool,
    pub(super) input: Format,
    pub(super) output: Format,
    pub(super) voice: String,
    pub(super) speed: f32,
    pub(super) language: Option<String>,
    /// Whether transcripts of what was said are told.
    pub(super) transcripts: Value,
    pub(super) turns: Option<Turns>,
    pub(super) tools: Vec<Value>,
    pub(super) tool_choice: Value,
    /// What is kept for the client and changes nothing here, by its place in the session.
    kept: Map<String, Value>,
}

/// The longest value of those, in bytes.
const LONGEST_KEPT: usize = 16 * 1024;

/// Fields that are only shown again, each with its name in the newer shape.
const KEPT: &[(&str, &str)] = &[
    ("/max_output_tokens", "max_output_tokens"),
    ("/max_response_output_tokens", "max_output_tokens"),
    ("/truncation", "truncation"),
    ("/tracing", "tracing"),
    ("/prompt", "prompt"),
    ("/include", "include"),
    ("/parallel_tool_calls", "parallel_tool_calls"),
    ("/temperature", "temperature"),
    ("/audio/input/noise_reduction", "noise_reduction"),
    ("/input_audio_noise_reduction", "noise_reduction"),
];

impl Settings {
    pub(super) fn new(model: &str, transcription_only: bool) -> Self {
        Self {
            transcription_only,
            model: model.into(),
            instructions: String::new(),
            audio_out: true,
            input: Format::Pcm(24_000),
            output: Format::Pcm(24_000),
            voice: "alloy".into(),
            speed: 1.0,
            language: None,
            transcripts: json!({ "model": "whisper-1" }),
            turns: Turns::new(&Map::new()).ok(),
            tools: Vec::new(),
            tool_choice: "auto".into(),
            kept: Map::new(),
        }
    }

    fn kept(&self, name: &str, usual: Value) -> Value {
        self.kept.get(name).cloned().unwrap_or(usual)
    }

    /// Whether a session object is in the older shape.
    pub(super) fn is_old(session: &Value) -> bool {
        // The newer shape demands the type; who is lenient about that still nests what concerns the sound.
        ["type", "audio", "output_modalities"].iter().all(|key| session.get(key).is_none())
    }

    /// These settings with what one response asks for itself: its voice, its format, its functions.
    pub(super) fn for_response(&self, asked: &Value) -> Result<Self, Wrong> {
        let mut own = Map::new();
        for key in [
            "output_modalities",
            "modalities",
            "voice",
            "output_audio_format",
            "instructions",
            "tools",
            "tool_choice",
        ] {
            if let Some(value) = asked.get(key).filter(|value| !value.is_null()) {
                own.insert(key.to_owned(), value.clone());
            }
        }
        if let Some(output) = asked.pointer("/audio/output") {
            own.insert("audio".into(), json!({ "output": output }));
        }
        let mut settings = self.clone();
        settings.update(&Value::Object(own)).map_err(|wrong| Wrong {
            param: wrong.param.replacen("session", "response", 1),
            message: wrong.message.replacen("session", "response", 1),
        })?;
        Ok(settings)
    }

    /// Takes over what a session object says; what it leaves out stays. All or nothing.
    pub(super) fn update(&mut self, session: &Value) -> Result<(), Wrong> {
        let mut new = self.clone();
        let at = |path: &str| session.pointer(path);
        match at("/type").and_then(Value::as_str) {
            None => {}
            Some("realtime") => new.transcription_only = false,
            Some("transcription") => new.transcription_only = true,
            Some(other) => {
                return Err(Wrong::new("session.type", other, "realtime or transcription"));
            }
        }
        if let Some(text) = at("/instructions").and_then(Value::as_str) {
            new.instructions = text.chars().take(16_384).collect();
        }
        if let Some(kinds) = at("/output_modalities").or_else(|| at("/modalities")) {
            let kinds: Vec<&str> =
                kinds.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if kinds.is_empty() || kinds.iter().any(|kind| !matches!(*kind, "audio" | "text")) {
                return Err(Wrong::new(
                    "session.output_modalities",
                    &kinds.join(", "),
                    "[\"audio\"] or [\"text\"]",
                ));
            }
            new.audio_out = kinds.contains(&"audio");
        }
        for (paths, format) in [
            (["/audio/input/format", "/input_audio_format"], &mut new.input),
            (["/audio/output/format", "/output_audio_format"], &mut new.output),
        ] {
            if let Some(value) =
                paths.iter().find_map(|path| at(path)).filter(|value| !value.is_null())
            {
                let name = format!("session{}", paths[0].replace('/', "."));
                *format = Format::new(value).ok_or_else(|| {
                    Wrong::new(
                        &name,
                        &value.to_string(),
                        "audio/pcm at 24000 or 16000, audio/pcmu or audio/pcma",
                    )
                })?;
            }
        }
        if let Some(voice) = at("/audio/output/voice").or_else(|| at("/voice")) {
            let name = voice.as_str().or_else(|| voice.get("id")?.as_str());
            // Nothing is no other voice.
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                new.voice = name.chars().take(200).collect();
            }
        }
        if let Some(speed) =
            at("/audio/output/speed").or_else(|| at("/speed")).and_then(Value::as_f64)
        {
            if !(0.25..=1.5).contains(&speed) {
                return Err(Wrong::new(
                    "session.audio.output.speed",
                    &speed.to_string(),
                    "0.25 to 1.5",
                ));
            }
            new.speed = speed as f32;
        }
        if let Some(transcription) =
            at("/audio/input/transcription").or_else(|| at("/input_audio_transcription"))
        {
            new.transcripts = transcription.clone();
            let language = transcription.get("language").and_then(Value::as_str);
            new.language = language.map(|tag| tag.split('-').next().unwrap_or(tag).to_lowercase());
        }
        if let Some(turns) = at("/audio/input/turn_detection").or_else(|| at("/turn_detection")) {
            new.turns = match turns {
                Value::Object(fields) => {
                    // A merge, like the rest.
                    let mut all = new.turns.map(|turns| turns.shown).unwrap_or_default();
                    if fields.get("type").is_some_and(|kind| all.get("type") != Some(kind)) {
                        all.clear();
                    }
                    all.extend(fields.clone());
                    Some(Turns::new(&all)?)
                }
                _ => None,
            };
        }
        if let Some(tools) = at("/tools").and_then(Value::as_array) {
            if tools.len() > 128 {
                return Err(Wrong::new("session.tools", &tools.len().to_string(), "at most 128"));
            }
            new.tools.clone_from(tools);
        }
        if let Some(choice) = at("/tool_choice") {
            new.tool_choice = choice.clone();
        }
        for (path, name) in KEPT {
            if let Some(value) = at(path) {
                if value.to_string().len() > LONGEST_KEPT {
                    let least = format!("at most {LONGEST_KEPT} bytes");
                    return Err(Wrong::new(&format!("session.{name}"), "a long value", &least));
                }
                new.kept.insert((*name).to_owned(), value.clone());
            }
        }
        *self = new;
        Ok(())
    }

    /// Whether the client has a function of this name.
    pub(super) fn has_tool(&self, name: &str) -> bool {
        self.tool_choice != "none"
            && self.tools.iter().any(|tool| tool["type"] == "function" && tool["name"] == name)
    }

    /// The whole session object.
    pub(super) fn shown(&self, id: &str, dialect: Dialect) -> Value {
        let turns = self.turns.as_ref().map(|turns| turns.shown.clone());
        let kinds = if self.audio_out { "audio" } else { "text" };
        if dialect == Dialect::Old {
            return json!({
                "id": id, "object": "realtime.session", "model": self.model,
                "modalities": if self.audio_out { json!(["audio", "text"]) } else { json!(["text"]) },
                "instructions": self.instructions, "voice": self.voice,
                "input_audio_format": self.input.old_name(), "output_audio_format": self.output.old_name(),
                "input_audio_transcription": self.transcripts, "turn_detection": turns,
                "tools": self.tools, "tool_choice": self.tool_choice,
                "temperature": self.kept("temperature", json!(0.8)),
                "max_response_output_tokens": self.kept("max_output_tokens", "inf".into()),
            });
        }
        let mut input = json!({ "format": self.input.value(), "turn_detection": turns });
        // The description knows no null here.
        let reduction = self.kept("noise_reduction", Value::Null);
        for (name, value) in [("transcription", &self.transcripts), ("noise_reduction", &reduction)]
        {
            if !value.is_null() {
                input[name] = value.clone();
            }
        }
        if self.transcription_only {
            return json!({
                "type": "transcription", "object": "realtime.transcription_session", "id": id,
                "audio": { "input": input }, "include": self.kept("include", json!([])),
            });
        }
        json!({
            "type": "realtime", "object": "realtime.session", "id": id, "model": self.model,
            "output_modalities": [kinds], "instructions": self.instructions,
            "audio": {
                "input": input,
                "output": { "format": self.output.value(), "voice": self.voice, "speed": self.speed },
            },
            "tools": self.tools, "tool_choice": self.tool_choice,
            "max_output_tokens": self.kept("max_output_tokens", "inf".into()),
            "truncation": self.kept("truncation", "auto".into()),
            "include": self.kept("include", json!([])), "tracing": self.kept("tracing", Value::Null),
            "prompt": self.kept("prompt", Value::Null),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_set_the_same() {
        let mut new = Settings::new("m", false);
        let session = json!({
            "type": "realtime", "output_modalities": ["text"],
            "audio": { "input": { "format": { "type": "audio/pcmu" }, "turn_detection": null,
                "transcription": { "model": "whisper-1", "language": "zh-CN" } },
                "output": { "voice": "nova", "format": { "type": "audio/pcma" } } },
        });
        new.update(&session).unwrap();
        let mut old = Settings::new("m", false);
        let flat = json!({
            "modalities": ["text"], "input_audio_format": "g711_ulaw", "output_audio_format": "g711_alaw",
            "turn_detection": null, "voice": "nova",
            "input_audio_transcription": { "model": "whisper-1", "language": "zh-CN" },
        });
        assert!(Settings::is_old(&flat) && !Settings::is_old(&session));
        old.update(&flat).unwrap();
        assert_eq!(new, old);
        assert_eq!((new.turns.clone(), new.language.as_deref()), (None, Some("zh")));
        assert_eq!(new.shown("s", Dialect::Old)["input_audio_format"], "g711_ulaw");
        assert_eq!(new.shown("s", Dialect::New)["audio"]["input"]["format"]["type"], "audio/pcmu");
    }

    #[test]
    fn a_wrong_value_changes_nothing_and_is_named() {
        for (session, part) in [
            (
                json!({ "voice": "nova", "audio": { "input": { "format": { "type": "mp3" } } } }),
                "audio.input.format",
            ),
            (json!({ "audio": { "input": { "turn_detection": { "type": "magic" } } } }), "magic"),
            (
                json!({ "audio": { "input": { "turn_detection": { "type": "server_vad", "threshold": 7 } } } }),
                "threshold",
            ),
            (json!({ "output_modalities": ["smell"] }), "smell"),
            (json!({ "type": "video" }), "video"),
        ] {
            let mut settings = Settings::new("m", false);
            let wrong = settings.update(&session).unwrap_err();
            assert!(wrong.message.contains(part), "{wrong:?}");
            assert_eq!(settings, Settings::new("m", false));
        }
    }

    #[test]
    fn what_changes_nothing_here_is_shown_again() {
        let mut settings = Settings::new("m", false);
        let session = json!({
            "type": "realtime", "max_output_tokens": 1024, "truncation": "disabled",
            "audio": { "input": { "noise_reduction": { "type": "near_field" } } },
        });
        settings.update(&session).unwrap();
        let shown = settings.shown("s", Dialect::New);
        assert_eq!(
            (&shown["max_output_tokens"], &shown["truncation"]),
            (&1024.into(), &"disabled".into())
        );
        assert_eq!(shown["audio"]["input"]["noise_reduction"]["type"], "near_field");
        assert_eq!(settings.shown("s", Dialect::Old)["max_response_output_tokens"], 1024);
    }

    #[test]
    fn turn_detection_is_merged() {
        let mut settings = Settings::new("m", false);
        let turns = |settings: &Settings| settings.turns.clone().unwrap();
        settings.update(&json!({ "turn_detection": { "create_response": false } })).unwrap();
        settings.update(&json!({ "turn_detection": { "silence_duration_ms": 200 } })).unwrap();
        assert_eq!((turns(&settings).create_response, turns(&settings).silence_ms), (false, 200));
        settings
            .update(&json!({ "turn_detection": { "type": "semantic_vad", "eagerness": "high" } }))
            .unwrap();
        assert_eq!((turns(&settings).create_response, turns(&settings).silence_ms), (true, 400));
    }
}
