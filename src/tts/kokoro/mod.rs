//! Kokoro-82M (a StyleTTS 2 network): one model, many voices, each a table of styles.

mod network;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use ort::environment::Environment;
use serde::Deserialize;

use network::Network;

use super::Alphabet;
use super::Synthesizer;
use super::TtsError;
use super::VoiceConfig;
use super::Word;
use super::phonemes::join;
use super::sound::Level;
use super::voice;
use super::voice::Sink;

const SAMPLE_RATE: u32 = 24_000;
/// Values of one style.
const STYLE: usize = 256;
/// Styles of one voice: one for every number of phonemes.
const STYLES: usize = 510;

/// A voice file and its share of a mixed voice.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// 510 × 256 f32, little endian.
    pub path: PathBuf,
    /// Its share; the shares of a mix are scaled to the sum 1.
    pub weight: f32,
}

/// Reads the name of a voice or of a mix: `af_heart`, `af_heart:0.6+af_bella:0.4`.
///
/// ```
/// let mix = hearken::tts::parse_mix("af_heart:0.6+af_bella:0.4")?;
/// assert_eq!(mix, [("af_heart".to_owned(), 0.6), ("af_bella".to_owned(), 0.4)]);
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// When a name is empty or a share is no number above 0.
pub fn parse_mix(mix: &str) -> Result<Vec<(String, f32)>, String> {
    mix.split('+')
        .map(|part| {
            let (name, share) = part.split_once(':').unwrap_or((part, "1"));
            let name = name.trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || !name.chars().all(plain) {
                return Err(format!(
                    "{name:?} in {mix:?} is no name of a voice; write \"af_heart:0.6+af_bella:0.4\""
                ));
            }
            match share.trim().parse::<f32>() {
                Ok(share) if share.is_finite() && share > 0.0 && share <= 1000.0 => {
                    Ok((name.to_owned(), share))
                }
                _ => Err(format!(
                    "{share:?} in {mix:?} is no share; write a number above 0, as in \"{name}:0.5\""
                )),
            }
        })
        .collect()
}

/// A voice as it is named in the configuration and on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceName {
    /// One id of the catalogue, or the ids of a mix with their shares.
    pub mix: Vec<(String, f32)>,
    /// Which speaker, for a voice with several.
    pub speaker: u32,
}

/// Reads the name of a voice: an id of the catalogue, a speaker of one (`piper-en-us-libritts#12`), or a mix of Kokoro
/// voices as [`parse_mix`] reads it (`kokoro-af-heart:0.6+kokoro-af-bella:0.4`, or `af_heart:0.6+af_bella:0.4`).
///
/// # Errors
/// When a name is empty, a share no number above 0 or a speaker no number.
pub fn parse_voice(name: &str) -> Result<VoiceName, String> {
    let (mix, speaker) = match name.rsplit_once('#') {
        Some((mix, speaker)) => {
            let number = speaker.trim().parse().map_err(|_| {
                format!("{speaker:?} in {name:?} is no speaker; they are counted from 0, as in \"{mix}#0\"")
            })?;
            (mix, number)
        }
        None => (name, 0),
    };
    Ok(VoiceName { mix: parse_mix(mix)?, speaker })
}

/// A Kokoro voice.
pub struct Kokoro {
    /// Shared by the voices that were made of one another.
    network: Arc<Mutex<Network>>,
    vocabulary: Arc<HashMap<char, i64>>,
    styles: Vec<f32>,
    config: VoiceConfig,
    level: Level,
    language: String,
    path: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vocabulary {
    Wrapped { vocab: HashMap<String, i64> },
    Bare(HashMap<String, i64>),
}

impl Kokoro {
    /// Opens the model with its `vocab.json` and the voice made of `styles`. `language` is what the voice
    /// was taught: `en`, `en-gb` or `zh`. ONNX Runtime must have been loaded, which `environment` shows.
    ///
    /// # Errors
    /// When a file is missing, damaged or of another kind, or when no phonemes are made for `language`.
    pub fn open(
        environment: &Environment,
        model: &Path,
        vocabulary: &Path,
        styles: &[Style],
        language: &str,
        config: &VoiceConfig,
    ) -> Result<Self, TtsError> {
        let load = |path: &Path, reason: String| TtsError::Load {
            path: path.display().to_string(),
            reason,
        };
        let symbols = read_vocabulary(&voice::read_small(vocabulary, 1 << 20)?)
            .map_err(|reason| load(vocabulary, reason))?;
        check_language(language).map_err(|reason| load(model, reason))?;
        let styles = read_styles(styles)?;
        let network = voice::open_beside_words(model, language, || {
            Network::open(environment, model, config)
        })?;
        let names: Vec<&str> = network.first().inputs().iter().map(|i| i.name()).collect();
        if let Some(missing) = ["tokens", "style", "speed"].iter().find(|n| !names.contains(n)) {
            return Err(load(
                model,
                format!("it has no input {missing:?} (it has {names:?}), so it is not Kokoro"),
            ));
        }
        Ok(Self {
            network: Arc::new(Mutex::new(network)),
            vocabulary: Arc::new(symbols),
            styles,
            config: config.clone(),
            level: Level::default(),
            language: language.into(),
            path: model.display().to_string(),
        })
    }

    /// Another voice on the same network, which is loaded only once. Two voices of one network speak in
    /// turns.
    ///
    /// # Errors
    /// When a style file is missing or damaged, or when no phonemes are made for `language`.
    pub fn with_voice(
        &self,
        styles: &[Style],
        language: &str,
        config: &VoiceConfig,
    ) -> Result<Self, TtsError> {
        check_language(language)
            .map_err(|reason| TtsError::Load { path: self.path.clone(), reason })?;
        Ok(Self {
            network: Arc::clone(&self.network),
            vocabulary: Arc::clone(&self.vocabulary),
            styles: read_styles(styles)?,
            config: config.clone(),
            level: Level::default(),
            language: language.into(),
            path: self.path.clone(),
        })
    }

    fn ids(&self, words: &[Word]) -> Vec<i64> {
        let mut ids = Vec::new();
        for symbol in join(words).chars() {
            match self.vocabulary.get(&symbol) {
                Some(id) => ids.push(*id),
                None => tracing::debug!(%symbol, "the voice does not know this symbol; left out"),
            }
        }
        ids
    }

    fn run(&self, ids: &[i64], speed: f32) -> Result<Vec<f32>, TtsError> {
        let row = ids.len().clamp(1, STYLES) - 1;
        let style = self.styles.get(row * STYLE..(row + 1) * STYLE).unwrap_or_default();
        let tokens = [&[0], ids, &[0]].concat();
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        network
            .run(tokens, style, speed)
            .map_err(|reason| TtsError::Engine { voice: self.path.clone(), reason })
    }

    /// A clause, in as many runs as its phonemes need.
    fn clause(&self, words: &[Word], speed: f32) -> Result<Vec<f32>, TtsError> {
        let mut samples = Vec::new();
        let mut rest = words;
        while !rest.is_empty() {
            let mut take = rest.len();
            let mut ids = self.ids(rest);
            while ids.len() > STYLES && take > 1 {
                take = (take / 2).max(1);
                ids = self.ids(rest.get(..take).unwrap_or_default());
            }
            rest = rest.get(take..).unwrap_or_default();
            for piece in ids.chunks(STYLES) {
                samples.extend(self.run(piece, speed)?);
            }
        }
        Ok(samples)
    }
}

impl Synthesizer for Kokoro {
    fn set_speed(&mut self, speed: f32) {
        self.config.speed = speed.clamp(0.25, 4.0);
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn speak(
        &mut self,
        sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        let mut level = std::mem::take(&mut self.level);
        let clause = |words: &[Word], speed: f32, out: Sink<'_>| {
            let _ = out(&self.clause(words, speed)?);
            Ok(())
        };
        let spoken = voice::speak(
            sentence,
            &self.language,
            SAMPLE_RATE,
            &self.config,
            &mut level,
            clause,
            out,
        );
        self.level = level;
        spoken
    }
}

fn check_language(language: &str) -> Result<(), String> {
    match Alphabet::Common.front_end(language) {
        Ok(_) => Ok(()),
        Err(reason) => Err(format!(
            "{reason}, the language {language:?} of this voice; use one in en, en-gb or zh, which `hearken voices` marks"
        )),
    }
}

fn read_vocabulary(bytes: &[u8]) -> Result<HashMap<char, i64>, String> {
    let (Vocabulary::Wrapped { vocab } | Vocabulary::Bare(vocab)) =
        serde_json::from_slice(bytes)
            .map_err(|e| format!("not a vocabulary (symbol → number): {e}"))?;
    let mut symbols = HashMap::new();
    for (symbol, id) in vocab {
        let mut chars = symbol.chars();
        let (Some(c), None) = (chars.next(), chars.next()) else {
            return Err(format!("{symbol:?} is not one symbol"));
        };
        if !(0..178).contains(&id) {
            return Err(format!("{symbol:?} has the number {id}; Kokoro's go from 0 to 177"));
        }
        symbols.insert(c, id);
    }
    if symbols.len() < 40 {
        return Err(format!("{} symbols are too few to speak with", symbols.len()));
    }
    Ok(symbols)
}

fn read_styles(styles: &[Style]) -> Result<Vec<f32>, TtsError> {
    let mut mixed = vec![0.0f32; STYLES * STYLE];
    let total: f32 = styles.iter().map(|s| s.weight).sum();
    if !(total.is_finite() && total > 0.0) {
        let path = styles.first().map_or_else(|| "(none)".into(), |s| s.path.display().to_string());
        return Err(TtsError::Load {
            path,
            reason: "a voice needs at least one style with a share above 0".into(),
        });
    }
    for style in styles {
        let load =
            |reason: String| TtsError::Load { path: style.path.display().to_string(), reason };
        let expected = STYLES * STYLE * 4;
        let bytes = voice::read_small(&style.path, 16 << 20)?;
        if bytes.len() != expected {
            return Err(load(format!(
                "a Kokoro voice has {expected} bytes, this file has {}",
                bytes.len()
            )));
        }
        for (sum, value) in mixed.iter_mut().zip(bytes.chunks_exact(4)) {
            let value = f32::from_le_bytes([value[0], value[1], value[2], value[3]]);
            if !value.is_finite() || value.abs() > 100.0 {
                return Err(load(format!("it holds the value {value}, which no style has")));
            }
            *sum += value * style.weight / total;
        }
    }
    Ok(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixes_are_read() {
        assert_eq!(parse_mix("zf_xiaobei").unwrap(), [("zf_xiaobei".to_owned(), 1.0)]);
        assert_eq!(parse_mix("a:2 + b").unwrap(), [("a".to_owned(), 2.0), ("b".to_owned(), 1.0)]);
        for wrong in ["", "a+", "a:x", "a:-1", "a:0", "a:inf", "../etc/passwd", "a:1:2"] {
            assert!(parse_mix(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_voices_are_read() {
        let voice = parse_voice("piper-en-us-libritts#12").unwrap();
        assert_eq!((voice.mix.len(), voice.speaker), (1, 12));
        assert_eq!(parse_voice("af_heart:1+af_bella:2").unwrap().mix.len(), 2);
        for wrong in ["", "a#", "a#x", "a#-1", "a+"] {
            assert!(parse_voice(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn wrong_vocabularies_are_refused() {
        for wrong in ["", "[]", "{\"a\": 1}", "{\"vocab\": {\"ab\": 1}}", "{\"a\": 5000}"] {
            assert!(read_vocabulary(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn styles_are_mixed_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, value: f32, n: usize| {
            let path = folder.path().join(name);
            std::fs::write(&path, value.to_le_bytes().repeat(n)).unwrap();
            path
        };
        let full = STYLES * STYLE;
        let (a, b) = (file("a", 1.0, full), file("b", 3.0, full));
        let mixed =
            read_styles(&[Style { path: a, weight: 3.0 }, Style { path: b, weight: 1.0 }]).unwrap();
        assert!(mixed.iter().all(|v| (v - 1.5).abs() < 1e-6));
        for (path, told) in [
            (file("short", 1.0, 7), "28"),
            (file("nan", f32::NAN, full), "NaN"),
            (folder.path().join("none"), "none"),
        ] {
            let error = read_styles(&[Style { path, weight: 1.0 }]).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert!(read_styles(&[]).is_err());
    }
}
