//! Text to speech: normalisation, pronunciation, neural voices.
//!
//! A text is cut into clauses (`clause`), its words get phonemes (`phonemes`), a network makes sound of
//! them ([`Piper`], [`Kokoro`]), and `sound` gives all voices one loudness and takes the silence away.

mod cache;
mod clause;
mod graph;
mod kokoro;
pub mod normalize;
mod phonemes;
mod protobuf;
mod sound;
mod ssml;
mod vits;
mod voice;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde::Serialize;

pub use cache::Cached;
pub use cache::speak_ahead;
pub use cache::warm;
pub use clause::Clause;
pub use clause::Clauses;
pub use clause::clauses;
pub use kokoro::Kokoro;
pub use kokoro::Style;
pub use kokoro::VoiceName;
pub use kokoro::parse_mix;
pub use kokoro::parse_voice;
pub use phonemes::Alphabet;
pub use phonemes::Lexicon;
pub use phonemes::Word;
pub use phonemes::phonemize;
pub use phonemes::phonemize_with;
pub use phonemes::pinyin;
pub use vits::Piper;
pub use voice::LONGEST_TEXT;
pub use voice::VoiceConfig;

/// Settings of this room, `[tts]` in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The voice of each language: its code → an id in the catalogue.
    pub voices: BTreeMap<String, String>,
    /// 1 is a voice's own speed, 2 twice as fast; 0.25 to 4.
    pub speed: f32,
    /// Factor on the common loudness of all voices; 0 to 4.
    pub volume: f32,
    /// Whether a voice gives its sound in chunks where its network allows it; else clause by clause.
    pub chunked: bool,
    /// Megabytes of replies that each voice keeps as sound, so that they start at once the next time; 0 keeps none.
    pub cache_mb: usize,
    /// Threads inside a voice's network.
    pub threads: usize,
    /// How words are said that are not in the dictionaries: word → IPA, or Chinese characters → pinyin.
    pub lexicon: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        let voice = |language: &str, id: &str| (language.to_owned(), id.to_owned());
        Self {
            voices: BTreeMap::from([
                voice("en", "piper-en-us-joe-medium"),
                voice("zh", "kokoro-zf-xiaobei"),
            ]),
            speed: 1.0,
            volume: 1.0,
            chunked: true,
            cache_mb: 8,
            threads: 2,
            lexicon: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.voices.is_empty() {
            problems.push("tts.voices: is empty; name a voice for a language, as in en = \"piper-en-us-joe-medium\"".into());
        }
        for (language, id) in &self.voices {
            if language.trim().is_empty() || id.trim().is_empty() {
                problems.push(format!(
                    "tts.voices: {language:?} = {id:?} is incomplete; `hearken voices` lists the ids"
                ));
            }
        }
        if !(0.25..=4.0).contains(&self.speed) {
            problems.push(format!(
                "tts.speed: {} is not between 0.25 and 4; 1 is a voice's own speed",
                self.speed
            ));
        }
        if !(0.0..=4.0).contains(&self.volume) {
            problems.push(format!(
                "tts.volume: {} is not between 0 and 4; 1 is the common loudness",
                self.volume
            ));
        }
        if self.threads > 64 {
            problems.push(format!(
                "tts.threads: {} is more than 64; 2 is enough for real time",
                self.threads
            ));
        }
        if self.cache_mb > 1024 {
            problems.push(format!(
                "tts.cache_mb: {} is more than 1024; 8 hold three minutes of replies",
                self.cache_mb
            ));
        }
        // One on another machine is no name of the catalogue.
        for id in self.voices.values().filter(|id| !id.contains("://")) {
            problems.extend(parse_voice(id).err().map(|reason| format!("tts.voices: {reason}")));
        }
        problems.extend(Lexicon::new(&self.lexicon).1);
        problems
    }

    /// What a voice is opened with. Entries of the lexicon that cannot be used are left out;
    /// [`problems`](Self::problems) tells them.
    #[must_use]
    pub fn voice(&self) -> VoiceConfig {
        VoiceConfig {
            speed: self.speed,
            volume: self.volume,
            chunked: self.chunked,
            threads: self.threads,
            lexicon: Lexicon::new(&self.lexicon).0,
            ..VoiceConfig::default()
        }
    }
}

/// Speaks sentences with one voice.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use hearken::tts::{Synthesizer, TtsError};
///
/// /// Hums a second for every word.
/// struct Hum;
///
/// impl Synthesizer for Hum {
///     fn sample_rate(&self) -> u32 {
///         8_000
///     }
///
///     fn speak(&mut self, sentence: &str, out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>) -> Result<(), TtsError> {
///         for _ in sentence.split_whitespace() {
///             let second: Vec<f32> = (0..8_000).map(|i| (i as f32 / 8.0).sin() * 0.1).collect();
///             if out(&second).is_break() {
///                 break;
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let mut samples = 0;
/// Hum.speak("good morning", &mut |chunk| {
///     samples += chunk.len();
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(samples, 16_000);
/// # Ok::<(), TtsError>(())
/// ```
pub trait Synthesizer: Send {
    /// Sample rate of what [`speak`](Self::speak) gives, in Hz.
    fn sample_rate(&self) -> u32;

    /// Speaks faster or slower from the next sentence on; 1 is the voice's own speed, and what is
    /// outside 0.25 to 4 is taken for the nearest. An engine with one speed takes no notice.
    fn set_speed(&mut self, speed: f32) {
        let _ = speed;
    }

    /// Speaks `sentence`, handing out mono chunks (−1 to 1) as they are made, until `out` breaks.
    ///
    /// # Errors
    /// When the text cannot be spoken or the engine fails.
    fn speak(
        &mut self,
        sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError>;
}

/// What can go wrong in synthesis.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TtsError {
    /// The voice could not be loaded.
    #[error("cannot load the voice {path}: {reason}")]
    Load {
        /// The file that is at fault.
        path: String,
        /// Why.
        reason: String,
    },
    /// Too many texts wait already. Ask again after a moment.
    #[error("the voices are busy: {waiting} texts wait already; try again in a moment")]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// A voice on another machine failed on this sentence.
    #[error("{reason}")]
    Remote {
        /// Where, and why.
        reason: String,
    },
    /// The network failed on this sentence.
    #[error("the voice {voice} failed: {reason}")]
    Engine {
        /// The network's file.
        voice: String,
        /// The engine's words.
        reason: String,
    },
    /// More text than is spoken in one call.
    #[error(
        "a text of {bytes} bytes is too long to speak at once; give it in pieces of at most {limit}"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// SSML that cannot be followed.
    #[error("{reason}")]
    Markup {
        /// What is wrong with it, and how it is written rightly.
        reason: String,
    },
    /// Words, but none that this voice can say.
    #[error(
        "a voice in {language} has no sounds for {text:?}; its writing is neither Latin nor Chinese"
    )]
    Unspeakable {
        /// How the text begins.
        text: String,
        /// The voice's language.
        language: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_have_no_problems_and_every_wrong_value_is_told() {
        assert_eq!(Config::default().problems(), Vec::<String>::new());
        let wrong = Config {
            voices: BTreeMap::new(),
            speed: f32::NAN,
            volume: -1.0,
            threads: 1000,
            chunked: true,
            cache_mb: 5000,
            lexicon: BTreeMap::from([("重庆".into(), "x".into())]),
        };
        assert_eq!(wrong.problems().len(), 6, "{:?}", wrong.problems());
        assert!(toml::from_str::<Config>("speeed = 1").is_err());
    }
}
