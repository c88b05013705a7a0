//! Piper's voices: VITS networks (Kim et al., 2021) with their settings in a JSON file beside them.

mod chunks;
mod cut;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::ops::Range;
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
use super::sound::Level;
use super::voice;
use super::voice::Model;
use super::voice::Sink;

/// What a voice says to itself first; long enough to show how loud it is.
const WARM_UP: &str =
    "The light in the kitchen is on. The small room upstairs is at twenty degrees tonight.";

/// A voice in Piper's format: any `.onnx` with its `.onnx.json`.
pub struct Piper {
    network: Network,
    settings: Settings,
    config: VoiceConfig,
    level: Level,
    /// What the front end is asked for: `en` or `en-gb`.
    language: &'static str,
    path: String,
}

enum Network {
    /// Cut between flow and decoder, so that it gives its sound in chunks.
    Cut {
        head: Session,
        tail: Session,
        latent: String,
        speaker: Option<String>,
        hop: usize,
        reach: usize,
        flow: Option<Box<Flow>>,
    },
    /// As it is in the file.
    Whole(Session),
}

/// The part between the noisy frames and the latent ones, which may be run in stretches as well.
struct Flow {
    session: Session,
    noisy: String,
    mask: String,
    reach: usize,
}

impl Flow {
    /// The latent frames of `n` noisy ones, [channels, n].
    fn run(
        &mut self,
        noisy: Vec<f32>,
        n: usize,
        speaker: Option<&Named<'_>>,
    ) -> Result<Vec<f32>, String> {
        let failed = |e: ort::Error| e.to_string();
        let channels = noisy.len() / n.max(1);
        let ones = Tensor::from_array(([1, 1, n], vec![1.0f32; n])).map_err(failed)?;
        let noisy = Tensor::from_array(([1, channels, n], noisy)).map_err(failed)?;
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> =
            vec![(&self.noisy, noisy.into()), (&self.mask, ones.into())];
        if let Some((name, (shape, vector))) = speaker {
            let vector = Tensor::from_array((shape.clone(), vector.clone())).map_err(failed)?;
            inputs.push((name, vector.into()));
        }
        let outputs = self.session.run(inputs).map_err(failed)?;
        let (_, frames) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        if frames.len() != channels * n {
            return Err(format!("its flow made {} values of {n} frames", frames.len()));
        }
        Ok(frames.to_vec())
    }

    /// Whether frames in stretches equal the whole; tried once, on noise.
    fn holds(&mut self, channels: usize, speaker: Option<&Named<'_>>) -> bool {
        let n = 3 * self.reach + 40;
        // Any numbers do, as long as they differ.
        let noise: Vec<f32> =
            (0..channels * n).map(|i| ((i as f32 * 12.9898).sin() * 43_758.547).fract()).collect();
        let from = self.reach + 20;
        let part = chunks::some(&noise, n, &(from - self.reach..n));
        let (Ok(whole), Ok(part)) =
            (self.run(noise, n, speaker), self.run(part, n - from + self.reach, speaker))
        else {
            return false;
        };
        let kept = |all: &[f32], n: usize, range: Range<usize>| chunks::some(all, n, &range);
        let whole = kept(&whole, n, from..n);
        let part = kept(&part, n - from + self.reach, self.reach..n - from + self.reach);
        whole.iter().zip(&part).all(|(a, b)| (a - b).abs() < 1e-4)
    }
}

impl Network {
    fn open(
        environment: &Environment,
        model: &Path,
        config: &VoiceConfig,
        settings: &Settings,
    ) -> Result<Self, String> {
        if config.chunked
            && let Some(network) = Self::open_cut(environment, model, config, settings)
        {
            return Ok(network);
        }
        Ok(Self::Whole(voice::session(environment, &Model::File(model), config)?))
    }

    fn open_cut(
        environment: &Environment,
        model: &Path,
        config: &VoiceConfig,
        settings: &Settings,
    ) -> Option<Self> {
        let bytes = voice::read_network(model)?;
        let Some(cut) = cut::cut(&bytes) else {
            tracing::info!(model = %model.display(), "this network is not built as other VITS voices are; it speaks clause by clause");
            return None;
        };
        drop(bytes);
        let cut::Cut { parts, latent, speaker, hop, reach, flow } = cut;
        let tail = voice::part(environment, &parts.tail, config)?;
        if let Some(flow) = flow
            && let Some(mut head) = voice::part(environment, &flow.head, config)
            && let Some(session) = voice::part(environment, &flow.model, config)
        {
            let cut::Flow { noisy, mask, reach: wide, .. } = flow;
            let mut flow = Flow { session, noisy, mask, reach: wide };
            let nothing = inputs(settings, config.speaker, 1.0, &[]).ok();
            let begun = nothing.and_then(|nothing| {
                Begun::run(&mut head, nothing, &flow.noisy, speaker.as_deref()).ok()
            });
            if begun.is_some_and(|begun| flow.holds(begun.channels, begun.speaker.as_ref())) {
                return Some(Self::Cut {
                    head,
                    tail,
                    latent,
                    speaker,
                    hop,
                    reach,
                    flow: Some(Box::new(flow)),
                });
            }
        }
        let head = voice::part(environment, &parts.head, config)?;
        Some(Self::Cut { head, tail, latent, speaker, hop, reach, flow: None })
    }

    /// The part that takes the phonemes.
    fn first(&self) -> &Session {
        match self {
            Self::Cut { head, .. } => head,
            Self::Whole(session) => session,
        }
    }
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
        let network = voice::open_beside_words(model, language, || {
            Network::open(environment, model, config, &read)
        })?;
        let names: Vec<&str> = network.first().inputs().iter().map(|i| i.name()).collect();
        if let Some(missing) =
            ["input", "input_lengths", "scales"].iter().find(|n| !names.contains(n))
        {
            return Err(load(
                model,
                format!("it has no input {missing:?} (it has {names:?}), so it is no Piper voice"),
            ));
        }
        let mut voice = Self {
            network,
            settings: read,
            config: config.clone(),
            level: Level::default(),
            language,
            path: model.display().to_string(),
        };
        // The first run is slow, and tells how loud the voice is.
        voice.speak(WARM_UP, &mut |_| ControlFlow::Continue(()))?;
        Ok(voice)
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
        let Self { network, settings, config, level, language, path } = self;
        let rate = settings.audio.sample_rate;
        let synthesize = |words: &[Word], speed: f32, out: Sink<'_>| {
            run(network, settings, config.speaker, speed, words, out)
                .map_err(|reason| TtsError::Engine { voice: path.clone(), reason })
        };
        voice::speak(sentence, language, rate, config, level, synthesize, out)
    }
}

/// A named value of some shape.
type Named<'a> = (&'a str, (Vec<usize>, Vec<f32>));

/// What the first part of a network takes, by name.
type Inputs = Vec<(&'static str, SessionInputValue<'static>)>;

/// What the first part of a cut network made.
struct Begun<'a> {
    channels: usize,
    /// How many frames.
    n: usize,
    /// [channels, n].
    frames: Vec<f32>,
    speaker: Option<Named<'a>>,
}

impl<'a> Begun<'a> {
    /// Runs the first part; `frames` and `speaker` are the names of what it makes.
    fn run(
        head: &mut Session,
        inputs: Inputs,
        frames: &str,
        speaker: Option<&'a str>,
    ) -> Result<Self, String> {
        let failed = |e: ort::Error| e.to_string();
        let outputs = head.run(inputs).map_err(failed)?;
        let extract = |name: &str| -> Result<(Vec<usize>, Vec<f32>), String> {
            let value = outputs.get(name).ok_or_else(|| format!("it gave no {name:?}"))?;
            let (shape, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
            let shape = shape.iter().map(|n| usize::try_from(*n).unwrap_or(0)).collect();
            Ok((shape, values.to_vec()))
        };
        let (shape, frames) = extract(frames)?;
        let [1, channels, n] = shape[..] else {
            return Err(format!("its frames have the shape {shape:?}, not [1, channels, frames]"));
        };
        let speaker = match speaker {
            Some(name) => Some((name, extract(name)?)),
            None => None,
        };
        Ok(Self { channels, n, frames, speaker })
    }
}

/// What a clause is made of for the network's first part.
fn inputs(
    settings: &Settings,
    speaker: u32,
    speed: f32,
    words: &[Word],
) -> Result<Inputs, ort::Error> {
    let ids = settings.ids(&english::espeak(&join(words)));
    let scales = &settings.inference;
    let scales = [scales.noise_scale, scales.length_scale / speed, scales.noise_w];
    let count = ids.len() as i64;
    let mut inputs: Inputs = vec![
        ("input", Tensor::from_array(([1, ids.len()], ids))?.into()),
        ("input_lengths", Tensor::from_array(([1], vec![count]))?.into()),
        ("scales", Tensor::from_array(([3], scales.to_vec()))?.into()),
    ];
    if settings.num_speakers > 1 {
        let speaker = vec![i64::from(speaker)];
        inputs.push(("sid", Tensor::from_array(([1], speaker))?.into()));
    }
    Ok(inputs)
}

fn run(
    network: &mut Network,
    settings: &Settings,
    speaker: u32,
    speed: f32,
    words: &[Word],
    out: Sink<'_>,
) -> Result<(), String> {
    let failed = |e: ort::Error| e.to_string();
    let inputs = inputs(settings, speaker, speed, words).map_err(failed)?;
    match network {
        Network::Whole(session) => {
            let outputs = session.run(inputs).map_err(failed)?;
            let (_, samples) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
            let _ = out(samples);
            Ok(())
        }
        Network::Cut { head, tail, latent, speaker, hop, reach, flow } => {
            let given = flow.as_ref().map_or(latent.as_str(), |flow| flow.noisy.as_str());
            let begun = Begun::run(head, inputs, given, speaker.as_deref())?;
            let Begun { channels, n: frames, frames: given, speaker } = begun;
            // Latent frames, of which the first `done` are there.
            let mut latents = Latents { all: Vec::new(), done: 0 };
            let piece = |range: Range<usize>| match flow {
                Some(flow) => latents.piece(range, &given, frames, flow, speaker.as_ref()),
                None => Ok(chunks::some(&given, frames, &range)),
            };
            let decode = |piece: Vec<f32>, n: usize| -> Result<Vec<f32>, String> {
                let piece = Tensor::from_array(([1, channels, n], piece)).map_err(failed)?;
                let mut inputs: Vec<(&str, SessionInputValue<'_>)> = vec![(latent, piece.into())];
                if let Some((name, (shape, vector))) = &speaker {
                    let vector =
                        Tensor::from_array((shape.clone(), vector.clone())).map_err(failed)?;
                    inputs.push((name, vector.into()));
                }
                let outputs = tail.run(inputs).map_err(failed)?;
                let (_, samples) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
                Ok(samples.to_vec())
            };
            chunks::decode(frames, *hop, *reach, piece, decode, out)
        }
    }
}

/// The latent frames of a clause, made when they are asked for: first as few as the first sound needs, then the rest.
struct Latents {
    all: Vec<f32>,
    done: usize,
}

impl Latents {
    fn piece(
        &mut self,
        range: Range<usize>,
        noisy: &[f32],
        frames: usize,
        flow: &mut Flow,
        speaker: Option<&Named<'_>>,
    ) -> Result<Vec<f32>, String> {
        if range.end > self.done {
            let end = if self.done == 0 { range.end } else { frames };
            let (from, to) = (self.done.saturating_sub(flow.reach), (end + flow.reach).min(frames));
            let made = flow.run(chunks::some(noisy, frames, &(from..to)), to - from, speaker)?;
            self.all.resize(noisy.len(), 0.0);
            let rows = self.all.chunks_exact_mut(frames.max(1));
            for (row, made) in rows.zip(made.chunks_exact(to - from)) {
                let (Some(slots), Some(values)) =
                    (row.get_mut(self.done..end), made.get(self.done - from..end - from))
                else {
                    continue;
                };
                slots.copy_from_slice(values);
            }
            self.done = end;
        }
        Ok(chunks::some(&self.all, frames, &range))
    }
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
