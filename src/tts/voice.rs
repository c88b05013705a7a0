//! What the voices have in common: how they are set and how a text goes through them.

use std::ops::ControlFlow;
use std::path::Path;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::Lexicon;
use super::TtsError;
use super::Word;
use super::clause::clauses;
use super::phonemes::phonemize;
use super::phonemes::phonemize_with;
use super::sound::Shaper;

/// The longest text that is spoken in one call, in bytes.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// How a voice is to speak.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceConfig {
    /// 1 is the voice's own speed, 2 twice as fast; 0.25 to 4.
    pub speed: f32,
    /// Factor on the common loudness; 0 to 4.
    pub volume: f32,
    /// Which speaker of a voice with several.
    pub speaker: u32,
    /// Threads inside the network; 0 takes two.
    pub threads: usize,
    /// The user's own pronunciations.
    pub lexicon: Lexicon,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        Self { speed: 1.0, volume: 1.0, speaker: 0, threads: 2, lexicon: Lexicon::default() }
    }
}

/// Opens a network, and the dictionaries of `language` beside it.
pub(super) fn open_session(
    environment: &Environment,
    path: &Path,
    language: &str,
    config: &VoiceConfig,
) -> Result<Session, TtsError> {
    let load = |reason: String| TtsError::Load { path: path.display().to_string(), reason };
    if !path.is_file() {
        return Err(load("there is no such file; `hearken models pull` fetches the voices".into()));
    }
    let threads = if config.threads == 0 { 2 } else { config.threads.min(64) };
    // The dictionaries take as long to load as the network: both at once.
    std::thread::scope(|scope| {
        scope.spawn(|| phonemize("a 一", language));
        build_session(environment, path, threads).map_err(load)
    })
}

fn build_session(
    environment: &Environment,
    path: &Path,
    threads: usize,
) -> Result<Session, String> {
    let builder = || -> Result<_, String> {
        Session::builder(environment)
            .map_err(|e| e.to_string())?
            .with_intra_threads(threads)
            .map_err(|e| e.to_string())?
            .with_inter_threads(1)
            .map_err(|e| e.to_string())?
            .with_optimization_level(GraphOptimizationLevel::Level3)
            .map_err(|e| e.to_string())
    };
    builder()?.commit_from_file(path).map_err(|e| e.to_string())
}

/// A file of at most `limit` bytes.
pub(super) fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>, TtsError> {
    let load = |reason: String| TtsError::Load { path: path.display().to_string(), reason };
    let size = std::fs::metadata(path).map_err(|e| load(e.to_string()))?.len();
    if size > limit {
        return Err(load(format!(
            "{size} bytes are too many for this kind of file ({limit} at most)"
        )));
    }
    std::fs::read(path).map_err(|e| load(e.to_string()))
}

/// Speaks `sentence` clause by clause: words, then `synthesize` for each clause (it gives the samples of
/// the words, or of as many pieces as it makes of them), then the common sound.
pub(super) fn speak(
    sentence: &str,
    language: &str,
    sample_rate: u32,
    config: &VoiceConfig,
    mut synthesize: impl FnMut(&[Word]) -> Result<Vec<f32>, TtsError>,
    out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
) -> Result<(), TtsError> {
    if sentence.len() > LONGEST_TEXT {
        return Err(TtsError::TooLong { bytes: sentence.len(), limit: LONGEST_TEXT });
    }
    // The one place where written text becomes spoken words: `sentence` is taken as normalised here.
    let spoken = sentence;
    let mut shaper = Shaper::new(sample_rate, config.volume.clamp(0.0, 4.0));
    let (mut any_letter, mut any_sound) = (false, false);
    let mut pause_ms = 0;
    for clause in clauses(spoken) {
        let words = phonemize_with(&clause.text, language, &config.lexicon);
        any_letter |= clause.text.chars().any(char::is_alphanumeric);
        // A mark alone has no sound, however a network would breathe at it.
        if !words.iter().any(|w| w.phonemes.chars().any(char::is_alphabetic)) {
            continue;
        }
        let shaped = shaper.shape(&synthesize(&words)?);
        if shaped.is_empty() {
            continue;
        }
        let gap = if any_sound {
            (pause_ms as f32 * sample_rate as f32 / 1000.0 / config.speed.clamp(0.25, 4.0)) as usize
        } else {
            0
        };
        any_sound = true;
        pause_ms = clause.pause_ms;
        let mut chunk = vec![0.0; gap];
        chunk.extend(shaped);
        if out(&chunk).is_break() {
            return Ok(());
        }
    }
    if any_letter && !any_sound {
        return Err(TtsError::Unspeakable {
            text: sentence.chars().take(40).collect(),
            language: language.into(),
        });
    }
    Ok(())
}
