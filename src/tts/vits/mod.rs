//! Piper's voices: VITS networks (Kim et al., 2021) with their settings in a JSON file beside them.

mod chunks;
mod cut;
mod network;
mod pinyin;
mod settings;

use std::ops::ControlFlow;
use std::path::Path;

use ort::environment::Environment;

use network::Network;
use settings::Settings;

use super::Synthesizer;
use super::TtsError;
use super::VoiceConfig;
use super::Word;
use super::sound::Level;
use super::voice;
use super::voice::Sink;

/// What a voice says to itself first; long enough to show how loud it is.
const WARM_UP: &str =
    "The light in the kitchen is on. The small room upstairs is at twenty degrees tonight.";
const WARM_UP_CHINESE: &str = "厨房的灯已经打开了。楼上的小房间今天晚上是二十度。";

/// A voice in Piper's format: any `.onnx` with its `.onnx.json`.
pub struct Piper {
    network: Network,
    settings: Settings,
    config: VoiceConfig,
    level: Level,
    /// What the front end is asked for: `en`, `en-gb` or `zh`.
    language: &'static str,
    path: String,
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
        let text = if language == "zh" { WARM_UP_CHINESE } else { WARM_UP };
        voice.speak(text, &mut |_| ControlFlow::Continue(()))?;
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
            network::run(network, settings, config.speaker, speed, words, out)
                .map_err(|reason| TtsError::Engine { voice: path.clone(), reason })
        };
        voice::speak(sentence, language, rate, config, level, synthesize, out)
    }
}
