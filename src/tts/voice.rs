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
use super::normalize::normalize;
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
            // Threads that spin while they wait cost little on idle cores and most of the time on
            // busy ones.
            .with_intra_op_spinning(false)
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
    // The one place where written text becomes spoken words.
    let spoken = normalize(sentence, language);
    let mut shaper = Shaper::new(sample_rate, config.volume.clamp(0.0, 4.0));
    let (mut any_letter, mut any_sound) = (false, false);
    let mut pause_ms = 0;
    for clause in clauses(&spoken) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Speaks without a network: a tone as long as there are phonemes.
    fn hum(text: &str, language: &str) -> Result<Vec<Vec<f32>>, TtsError> {
        let mut chunks = Vec::new();
        let tone = |words: &[Word]| {
            let n: usize = words.iter().map(|w| w.phonemes.chars().count()).sum();
            Ok((0..n * 80).map(|i| (i as f32 * 0.3).sin() * 0.2).collect())
        };
        speak(text, language, 8_000, &VoiceConfig::default(), tone, &mut |chunk| {
            chunks.push(chunk.to_vec());
            ControlFlow::Continue(())
        })?;
        Ok(chunks)
    }

    #[test]
    fn clauses_come_one_by_one_with_their_pauses() {
        let chunks = hum("It is done. And now the rest.", "en").unwrap();
        assert_eq!(chunks.len(), 2);
        assert!(chunks[0][..40].iter().any(|s| s.abs() > 0.01));
        // 380 ms at 8 kHz.
        assert_eq!(chunks[1].iter().position(|s| *s != 0.0).map(|n| n / 10), Some(304));
    }

    #[test]
    fn texts_without_sound_and_texts_that_are_too_much() {
        for silent in ["", "🙂🙂", "\u{0}\u{1b}[31m", "…", "\u{200D}\u{FE0F}"] {
            // The escape's letters are text like any other.
            assert_eq!(hum(silent, "zh").unwrap().is_empty(), !silent.contains('m'), "{silent:?}");
        }
        assert!(matches!(hum("Добрый день", "en"), Err(TtsError::Unspeakable { .. })));
        assert!(matches!(
            hum(&"a".repeat(100_000), "en"),
            Err(TtsError::TooLong { bytes: 100_000, .. })
        ));
    }

    #[test]
    fn long_monotonous_texts_are_spoken() {
        for piece in ["word ", "灯", "x", "🙂", "$", "1", "a.", "[a](b)", "'"] {
            let text = piece.repeat(3_000 / piece.len());
            let spoken = hum(&text, "en").unwrap();
            let said = normalize(&text, "en").chars().any(char::is_alphanumeric);
            assert_eq!(spoken.is_empty(), !said, "{piece}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_text_is_spoken_or_refused(text in any::<String>(), chinese in any::<bool>()) {
            let language = if chinese { "zh" } else { "en" };
            if let Err(error) = hum(&text, language) {
                prop_assert!(matches!(error, TtsError::Unspeakable { .. }), "{error}");
            }
        }
    }
}
