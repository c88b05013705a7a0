//! What the voices have in common: how they are set and how a text goes through them.

use std::borrow::Cow;
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
use super::sound::Level;
use super::sound::Shaper;
use super::ssml;

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
    /// Whether the sound of a clause comes in chunks, where the network can be cut; else the whole clause comes at once.
    pub chunked: bool,
    /// Threads inside the network; 0 takes two.
    pub threads: usize,
    /// The user's own pronunciations.
    pub lexicon: Lexicon,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        Self {
            speed: 1.0,
            volume: 1.0,
            speaker: 0,
            chunked: true,
            threads: 2,
            lexicon: Lexicon::default(),
        }
    }
}

/// Opens a network with `open` and the dictionaries of `language` beside it, which take as long.
pub(super) fn open_beside_words<T>(
    path: &Path,
    language: &str,
    open: impl FnOnce() -> Result<T, String>,
) -> Result<T, TtsError> {
    let load = |reason: String| TtsError::Load { path: path.display().to_string(), reason };
    if !path.is_file() {
        return Err(load("there is no such file; `hearken models pull` fetches the voices".into()));
    }
    std::thread::scope(|scope| {
        scope.spawn(|| phonemize(if language.starts_with("zh") { "一" } else { "a" }, language));
        open().map_err(load)
    })
}

/// Where a network's bytes are.
pub(super) enum Model<'a> {
    /// In a file.
    File(&'a Path),
    /// In memory.
    Bytes(&'a [u8]),
}

/// Opens a network.
pub(super) fn session(
    environment: &Environment,
    model: &Model<'_>,
    config: &VoiceConfig,
) -> Result<Session, String> {
    let threads = if config.threads == 0 { 2 } else { config.threads.min(64) };
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
    match model {
        Model::File(path) => builder()?.commit_from_file(path),
        Model::Bytes(bytes) => builder()?.commit_from_memory(bytes),
    }
    .map_err(|e| e.to_string())
}

/// Opens a part of a network that was cut; none when it cannot be opened.
pub(super) fn part(
    environment: &Environment,
    bytes: &[u8],
    config: &VoiceConfig,
) -> Option<Session> {
    session(environment, &Model::Bytes(bytes), config)
        .inspect_err(|error| tracing::debug!(error, "a part of a network cannot be opened"))
        .ok()
}

/// The bytes of a network that may be cut; none when they cannot be read or are too many to be read twice.
pub(super) fn read_network(path: &Path) -> Option<Vec<u8>> {
    const LARGEST: u64 = 512 << 20;
    let size = std::fs::metadata(path).ok()?.len();
    (size <= LARGEST).then(|| std::fs::read(path).ok()).flatten()
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

/// Where samples go; it may break.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&[f32]) -> ControlFlow<()>;

/// Speaks `sentence` clause by clause: words, then `synthesize` for each clause, which gives the samples of the words
/// in as many pieces as it likes, then the common sound. `level` is the voice's own loudness, kept between speeches.
pub(super) fn speak(
    sentence: &str,
    language: &str,
    sample_rate: u32,
    config: &VoiceConfig,
    level: &mut Level,
    mut synthesize: impl FnMut(&[Word], f32, Sink<'_>) -> Result<(), TtsError>,
    out: Sink<'_>,
) -> Result<(), TtsError> {
    if sentence.len() > LONGEST_TEXT {
        return Err(TtsError::TooLong { bytes: sentence.len(), limit: LONGEST_TEXT });
    }
    let (parts, lexicon) = if ssml::is_marked(sentence) {
        let marked = ssml::read(sentence).map_err(|reason| TtsError::Markup { reason })?;
        (marked.parts, Cow::Owned(config.lexicon.with(&marked.said)))
    } else {
        let all = ssml::Part { text: sentence.to_owned(), rate: 1.0, pause_ms: None };
        (vec![all], Cow::Borrowed(&config.lexicon))
    };
    let mut shaper = Shaper::new(sample_rate, config.volume.clamp(0.0, 4.0), level.clone());
    let (mut any_letter, mut any_sound) = (false, false);
    let mut pause_ms = 0;
    let silence = |ms: u32, speed: f32| (ms as f32 * sample_rate as f32 / 1000.0 / speed) as usize;
    // A pause that was asked for, which is as long at any speed.
    let mut asked: Option<u32> = None;
    for part in &parts {
        let speed = (config.speed * part.rate).clamp(0.25, 4.0);
        asked = part.pause_ms.or(asked);
        // The one place where written text becomes spoken words.
        let spoken = normalize(&part.text, language);
        for clause in clauses(&spoken) {
            let words = phonemize_with(&clause.text, language, &lexicon);
            any_letter |= clause.text.chars().any(char::is_alphanumeric);
            // A mark alone has no sound, however a network would breathe at it.
            if !words.iter().any(|w| w.phonemes.chars().any(char::is_alphabetic)) {
                continue;
            }
            let mut gap = match asked {
                Some(ms) => silence(ms, 1.0),
                None if any_sound => silence(pause_ms, speed),
                None => 0,
            };
            let (mut heard, mut stopped) = (false, false);
            let mut give = |shaped: Vec<f32>| {
                if !shaped.is_empty() && !stopped {
                    // The pause belongs to the clause behind it, so that none is left behind the last.
                    let mut chunk = vec![0.0; std::mem::take(&mut gap)];
                    chunk.extend(shaped);
                    heard = true;
                    stopped = out(&chunk).is_break();
                }
                if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            synthesize(&words, speed, &mut |samples| give(shaper.push(samples)))?;
            let stopped = give(shaper.finish()).is_break();
            level.clone_from(shaper.level());
            if stopped {
                return Ok(());
            }
            if heard {
                any_sound = true;
                asked = None;
                pause_ms = clause.pause_ms;
            }
        }
    }
    if let Some(ms) = asked.filter(|ms| any_sound && *ms > 0) {
        let _ = out(&vec![0.0; silence(ms, 1.0)]);
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
        let tone = |words: &[Word], _speed: f32, out: Sink<'_>| {
            let n: usize = words.iter().map(|w| w.phonemes.chars().count()).sum();
            let samples: Vec<f32> = (0..n * 80).map(|i| (i as f32 * 0.3).sin() * 0.2).collect();
            let _ = out(&samples);
            Ok(())
        };
        let (config, mut level) = (VoiceConfig::default(), Level::default());
        speak(text, language, 8_000, &config, &mut level, tone, &mut |chunk| {
            chunks.push(chunk.to_vec());
            ControlFlow::Continue(())
        })?;
        Ok(chunks)
    }

    #[test]
    fn clauses_come_one_by_one_with_their_pauses() {
        let chunks = hum("It is done. And now the rest.", "en").unwrap();
        // Each clause comes in two: its end is held back until it is known that it is the end.
        assert_eq!(chunks.len(), 4);
        assert!(chunks[0][..40].iter().any(|s| s.abs() > 0.01));
        // 380 ms at 8 kHz.
        assert_eq!(chunks[2].iter().position(|s| *s != 0.0).map(|n| n / 10), Some(304));
    }

    #[test]
    fn markup_is_followed_or_refused() {
        let plain = hum("Wait. Now", "en").unwrap();
        let marked = hum("<speak>Wait.<break time=\"1s\"/>Now</speak>", "en").unwrap();
        let gap = |chunk: &[f32]| chunk.iter().position(|s| *s != 0.0).unwrap_or(0);
        assert_eq!((gap(&plain[2]) / 10, gap(&marked[2]) / 10), (304, 800));
        let said = hum("<speak><phoneme ph=\"ɑ\">Wait</phoneme></speak>", "en").unwrap();
        assert!(said[0].len() < hum("Wait", "en").unwrap()[0].len());
        assert!(matches!(hum("<speak>a", "en"), Err(TtsError::Markup { .. })));
        assert!(hum("a < b and <b>so</b> on", "en").is_ok());
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
