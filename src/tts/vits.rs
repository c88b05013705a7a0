//! Piper's voices: VITS networks (Kim et al., 2021) with their settings in a JSON file beside them.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::SessionInputValue;
use ort::value::Tensor;
use serde::Deserialize;

use super::Synthesizer;
use super::TtsError;
use super::VoiceConfig;
use super::Word;
use super::phonemes::english;
use super::phonemes::join;
use super::voice;

/// A voice in Piper's format: any `.onnx` with its `.onnx.json`.
pub struct Piper {
    session: Session,
    settings: Settings,
    config: VoiceConfig,
    /// What the front end is asked for: `en` or `en-gb`.
    language: &'static str,
    path: String,
}

#[derive(Debug, Deserialize)]
struct Settings {
    audio: Audio,
    #[serde(default)]
    espeak: Espeak,
    #[serde(default)]
    phoneme_type: Option<String>,
    #[serde(default)]
    inference: Inference,
    #[serde(default = "one")]
    num_speakers: u32,
    phoneme_id_map: HashMap<String, Vec<i64>>,
}

#[derive(Debug, Deserialize)]
struct Audio {
    sample_rate: u32,
}

#[derive(Debug, Default, Deserialize)]
struct Espeak {
    #[serde(default)]
    voice: String,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Inference {
    noise_scale: f32,
    length_scale: f32,
    noise_w: f32,
}

impl Default for Inference {
    fn default() -> Self {
        Self { noise_scale: 0.667, length_scale: 1.0, noise_w: 0.8 }
    }
}

fn one() -> u32 {
    1
}

impl Settings {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let settings: Self = serde_json::from_slice(bytes)
            .map_err(|e| format!("not a Piper voice's settings: {e}"))?;
        let Inference { noise_scale, length_scale, noise_w } = settings.inference;
        if !(8_000..=48_000).contains(&settings.audio.sample_rate) {
            return Err(format!(
                "audio.sample_rate is {}, not 8000 to 48000",
                settings.audio.sample_rate
            ));
        }
        if !(0.1..=10.0).contains(&length_scale) {
            return Err(format!("inference.length_scale is {length_scale}, not 0.1 to 10"));
        }
        for (name, value) in [("noise_scale", noise_scale), ("noise_w", noise_w)] {
            if !(0.0..=2.0).contains(&value) {
                return Err(format!("inference.{name} is {value}, not 0 to 2"));
            }
        }
        for mark in ["^", "$", "_"] {
            if settings.phoneme_id_map.get(mark).is_none_or(Vec::is_empty) {
                return Err(format!("phoneme_id_map has no {mark:?}, which every sentence needs"));
            }
        }
        let wrong = settings
            .phoneme_id_map
            .iter()
            .find(|(_, ids)| ids.len() > 8 || ids.iter().any(|i| !(0..4096).contains(i)));
        if let Some((symbol, ids)) = wrong {
            return Err(format!(
                "phoneme_id_map gives {symbol:?} the ids {ids:?}, which no voice has"
            ));
        }
        if settings.phoneme_type.as_deref().is_some_and(|t| t != "espeak") {
            return Err(format!(
                "it wants phonemes of the type {:?}; only \"espeak\" is known",
                settings.phoneme_type.unwrap_or_default()
            ));
        }
        settings.language()?;
        Ok(settings)
    }

    fn language(&self) -> Result<&'static str, String> {
        let voice = self.espeak.voice.to_lowercase();
        match voice.as_str() {
            "en" | "en-us" => Ok("en"),
            v if v.starts_with("en-us") => Ok("en"),
            v if v.starts_with("en") => Ok("en-gb"),
            _ => Err(format!(
                "it speaks {:?}, and phonemes are made for English Piper voices only; take a Kokoro voice for Chinese",
                self.espeak.voice
            )),
        }
    }

    /// `^`, then every phoneme with a pad behind it, then `$`.
    fn ids(&self, phonemes: &str) -> Vec<i64> {
        let of = |symbol: &str| self.phoneme_id_map.get(symbol).map(Vec::as_slice);
        let pad = of("_").unwrap_or_default();
        let mut ids = Vec::new();
        let mut add = |symbol: &str| match of(symbol) {
            Some(known) => {
                ids.extend_from_slice(known);
                ids.extend_from_slice(pad);
            }
            None => tracing::debug!(symbol, "the voice does not know this symbol; left out"),
        };
        add("^");
        let mut buffer = [0; 4];
        for symbol in phonemes.chars() {
            add(symbol.encode_utf8(&mut buffer));
        }
        ids.extend_from_slice(of("$").unwrap_or_default());
        ids
    }
}

impl Piper {
    /// Opens a voice. ONNX Runtime must have been loaded, which `environment` shows.
    ///
    /// # Errors
    /// When a file is missing or is no such voice, when the settings ask for the impossible, or when the
    /// voice speaks a language that phonemes are not made for.
    pub fn open(
        environment: &Environment,
        model: &Path,
        settings: &Path,
        config: &VoiceConfig,
    ) -> Result<Self, TtsError> {
        let load = |path: &Path, reason: String| TtsError::Load {
            path: path.display().to_string(),
            reason,
        };
        let bytes = voice::read_small(settings, 4 << 20)?;
        let read = Settings::read(&bytes).map_err(|reason| load(settings, reason))?;
        let language = read.language().map_err(|reason| load(settings, reason))?;
        if config.speaker >= read.num_speakers.max(1) {
            return Err(load(
                settings,
                format!(
                    "there is no speaker {}; it has {}, counted from 0",
                    config.speaker,
                    read.num_speakers.max(1)
                ),
            ));
        }
        let session = voice::open_session(environment, model, language, config)?;
        let names: Vec<&str> = session.inputs().iter().map(|i| i.name()).collect();
        if let Some(missing) =
            ["input", "input_lengths", "scales"].iter().find(|n| !names.contains(n))
        {
            return Err(load(
                model,
                format!("it has no input {missing:?} (it has {names:?}), so it is no Piper voice"),
            ));
        }
        Ok(Self {
            session,
            settings: read,
            config: config.clone(),
            language,
            path: model.display().to_string(),
        })
    }
}

impl Synthesizer for Piper {
    fn set_speed(&mut self, speed: f32) {
        self.config.speed = speed.clamp(0.25, 4.0);
    }

    fn sample_rate(&self) -> u32 {
        self.settings.audio.sample_rate
    }

    fn speak(
        &mut self,
        sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        let Self { session, settings, config, language, path } = self;
        let rate = settings.audio.sample_rate;
        let synthesize = |words: &[Word]| run(session, settings, config, path, words);
        voice::speak(sentence, language, rate, config, synthesize, out)
    }
}

fn run(
    session: &mut Session,
    settings: &Settings,
    config: &VoiceConfig,
    path: &str,
    words: &[Word],
) -> Result<Vec<f32>, TtsError> {
    let engine = |e: ort::Error| TtsError::Engine { voice: path.to_owned(), reason: e.to_string() };
    let ids = settings.ids(&english::espeak(&join(words)));
    let scales = &settings.inference;
    let scales =
        [scales.noise_scale, scales.length_scale / config.speed.clamp(0.25, 4.0), scales.noise_w];
    let count = ids.len() as i64;
    let mut inputs: Vec<(&str, SessionInputValue<'_>)> = vec![
        ("input", Tensor::from_array(([1, ids.len()], ids)).map_err(engine)?.into()),
        ("input_lengths", Tensor::from_array(([1], vec![count])).map_err(engine)?.into()),
        ("scales", Tensor::from_array(([3], scales.to_vec())).map_err(engine)?.into()),
    ];
    if settings.num_speakers > 1 {
        let speaker = vec![i64::from(config.speaker)];
        inputs.push(("sid", Tensor::from_array(([1], speaker)).map_err(engine)?.into()));
    }
    let outputs = session.run(inputs).map_err(engine)?;
    let (_, samples) = outputs[0].try_extract_tensor::<f32>().map_err(engine)?;
    Ok(samples.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl Fn(&mut serde_json::Value)) -> Result<Settings, String> {
        let mut json = serde_json::json!({
            "audio": {"sample_rate": 22050},
            "espeak": {"voice": "en-us"},
            "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
            "phoneme_id_map": {"_": [0], "^": [1], "$": [2], "h": [20], "a": [21]},
            "num_speakers": 1,
        });
        change(&mut json);
        Settings::read(json.to_string().as_bytes())
    }

    #[test]
    fn phonemes_become_ids_with_pads() {
        let voice = settings(|_| {}).unwrap();
        assert_eq!(voice.ids("ha"), [1, 0, 20, 0, 21, 0, 2]);
        assert_eq!(voice.ids("h€a"), [1, 0, 20, 0, 21, 0, 2]);
    }

    #[test]
    fn wrong_settings_are_refused_with_a_reason() {
        let cases: Vec<(&str, serde_json::Value, &str)> = vec![
            ("audio", serde_json::json!({"sample_rate": 4_000_000_000u32}), "4000000000"),
            ("audio", serde_json::json!({}), "sample_rate"),
            ("inference", serde_json::json!({"length_scale": 0}), "length_scale"),
            ("inference", serde_json::json!({"noise_w": -1}), "noise_w"),
            ("phoneme_id_map", serde_json::json!({"_": [0], "^": [1]}), "\"$\""),
            ("phoneme_id_map", serde_json::json!({"_": [0], "^": [1], "$": [-5]}), "-5"),
            ("espeak", serde_json::json!({"voice": "de"}), "\"de\""),
            ("phoneme_type", serde_json::json!("pinyin"), "pinyin"),
            ("num_speakers", serde_json::json!("many"), "many"),
        ];
        for (key, value, told) in cases {
            let error = settings(|json| json[key] = value.clone()).unwrap_err();
            assert!(error.contains(told), "{key}: {error}");
        }
        assert!(Settings::read(b"not json").is_err());
        assert!(Settings::read(&[]).is_err());
    }
}
