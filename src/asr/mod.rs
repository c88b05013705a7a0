//! What was said: speech to text.
//!
//! [`Recognizer`] is the room's door; [`Whisper`] is the engine behind it, `guards` what keeps that
//! engine from looping and inventing.

mod constrain;
mod few;
mod guards;
mod hanzi;
mod spelling;
mod whisper;

use serde::{Deserialize, Serialize};

pub use hanzi::Script;
pub use whisper::Whisper;

/// Settings of this room, `[asr]` in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The recogniser's id in the catalogue.
    pub model: String,
    /// The language spoken: a code such as `en` or `zh`, or `auto` to tell it from the audio.
    pub language: String,
    /// The languages that `auto` chooses among.
    pub languages: Vec<String>,
    /// Threads for one recognition; 0 takes as many as there are cores, at most four.
    pub threads: usize,
    /// Encoder positions (a fiftieth of a second each) of silence after the audio. Fewer than 128
    /// are faster and loop; 1500 is Whisper's full window.
    pub context_margin: usize,
    /// Which characters Chinese text comes out in.
    pub script: Script,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: "whisper-base".into(),
            language: "auto".into(),
            languages: vec!["en".into(), "zh".into()],
            threads: 0,
            context_margin: 128,
            script: Script::Simplified,
        }
    }
}

impl Config {
    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut language = |value: &str, name: &str| {
            if !whisper::knows_language(value) {
                problems.push(format!(
                    "asr.{name}: whisper does not know the language {value:?}; use a code such as \"en\" or \"zh\""
                ));
            }
        };
        if self.language != "auto" {
            language(&self.language, "language");
        }
        for value in &self.languages {
            language(value, "languages");
        }
        if self.language == "auto" && self.languages.is_empty() {
            problems.push(
                "asr.languages: is empty, so \"auto\" has nothing to choose from; name at least one language"
                    .into(),
            );
        }
        if self.threads > 64 {
            problems.push(format!(
                "asr.threads: {} is more than 64; 0 chooses by itself",
                self.threads
            ));
        }
        problems
    }

    fn thread_count(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(2, usize::from).min(4),
            n => n,
        }
    }
}

/// Text with what is known about it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transcript {
    /// The words; empty when nothing was said.
    pub text: String,
    /// What was heard freely, where `text` is a sentence of the grammar that was taken in its place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub heard: Option<String>,
    /// The language spoken, as a BCP-47 tag without region (`en`, `zh`).
    pub language: String,
    /// Pieces with times, in seconds from the beginning of the audio that was given.
    pub segments: Vec<Segment>,
    /// Mean log-probability of a token; 0 is certain.
    pub avg_logprob: f32,
    /// Probability that the audio holds no speech, 0 to 1.
    pub no_speech_prob: f32,
    /// The sentences of the grammar that fit the sound best, best first; empty without a grammar
    /// ([`Recognizer::constrain`]), or when nothing was said.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub readings: Vec<Reading>,
}

/// A sentence of a grammar as it was heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The sentence in the words of the grammar.
    pub text: String,
    /// Mean log-probability of a token.
    pub avg_logprob: f32,
    /// How many tokens it has.
    #[serde(default)]
    pub tokens: u32,
    /// How much less probable it is than the freely recognised text, in nats; negative when more.
    pub margin: f32,
    /// How sure it is that this was said, 0 to 1.
    pub confidence: f32,
}

/// The sentences that a recogniser may hear, as an automaton over characters. States are numbers
/// that the grammar gives; characters are in lower case and simplified script.
pub trait Grammar: Send {
    /// The state before anything was said.
    fn start(&self) -> u32;
    /// The state after `c`; `None` when it cannot follow.
    fn step(&mut self, state: u32, c: char) -> Option<u32>;
    /// The characters that can follow.
    fn next(&mut self, state: u32) -> Vec<char>;
    /// Whether a sentence may end here.
    fn accepts(&mut self, state: u32) -> bool;
    /// Whether any words may be said here.
    fn is_open(&self, state: u32) -> bool;
    /// The sentence in the grammar's own letter case and number words; `None` when it is none.
    fn spoken(&mut self, text: &str) -> Option<String>;
    /// Sentences that sound like what was heard freely, the nearest first, each in the ways that it may be
    /// written: where a search for what was said begins. A grammar that knows no sounds has none.
    fn near(&mut self, heard: &str) -> Vec<String> {
        let _ = heard;
        Vec::new()
    }
    /// Called between two sentences; `true` when states were forgotten.
    fn tidy(&mut self) -> bool {
        false
    }
}

/// The language that a text is written in, as far as its characters tell: `zh` or `en`.
#[must_use]
pub fn written_language(text: &str) -> &'static str {
    let han = |c: char| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}');
    if text.chars().any(han) { "zh" } else { "en" }
}

/// A piece of a transcript.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Segment {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// The words.
    pub text: String,
}

/// What a recogniser believes so far.
#[derive(Debug, Clone, PartialEq)]
pub enum Hypothesis {
    /// May still change.
    Partial(Transcript),
    /// Will not change.
    Final(Transcript),
}

/// What is asked of a recogniser besides what it was set to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    /// The language spoken, a code such as `en` or `zh`; without one, as the settings say.
    pub language: Option<String>,
    /// Whether the text is wanted in English whatever is spoken.
    pub translate: bool,
    /// Whether only free text is wanted: sentences of a grammar ([`Recognizer::constrain`]) are not
    /// looked for.
    pub free: bool,
}

/// Turns an utterance into text.
///
/// ```
/// use hearken::asr::{AsrError, Hypothesis, Recognizer, Transcript};
///
/// /// Says how long the audio was, in words that need no model.
/// struct Stopwatch;
///
/// impl Recognizer for Stopwatch {
///     fn transcribe(
///         &mut self,
///         audio: &[f32],
///         _stop: &dyn Fn() -> bool,
///         out: &mut dyn FnMut(Hypothesis),
///     ) -> Result<(), AsrError> {
///         let text = format!("{} ms", audio.len() / 16);
///         out(Hypothesis::Final(Transcript { text, language: "en".into(), ..Default::default() }));
///         Ok(())
///     }
/// }
///
/// let mut heard = String::new();
/// Stopwatch.transcribe(&[0.0; 1600], &|| false, &mut |h| {
///     if let Hypothesis::Final(t) = h {
///         heard = t.text;
///     }
/// })?;
/// assert_eq!(heard, "100 ms");
/// # Ok::<(), AsrError>(())
/// ```
pub trait Recognizer: Send {
    /// Says what is asked from the next utterance on. An engine that does one thing only, as those do
    /// that need no settings, takes no notice.
    ///
    /// # Errors
    /// When the engine cannot do this; what was asked before holds on.
    fn set_task(&mut self, task: &Task) -> Result<(), AsrError> {
        let _ = task;
        Ok(())
    }

    /// Sets [`Task::free`] alone, for recognitions in the middle of an utterance, where sentences are not
    /// complete and looking for them is work for nothing.
    fn set_free(&mut self, free: bool) {
        let _ = free;
    }

    /// Transcribes mono samples at 16 kHz.
    ///
    /// Calls `out` with any number of partial hypotheses and, unless it fails or `stop` returned true,
    /// with exactly one final. `stop` is asked often; once it is true the call returns soon.
    ///
    /// # Errors
    /// When the engine fails; silence is not an error but an empty final.
    fn transcribe(
        &mut self,
        audio: &[f32],
        stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError>;

    /// Has the sentences of a grammar looked for in speech of a language (`en`, `zh`), beside free
    /// recognition; `None` has none looked for. A recogniser that cannot do so leaves
    /// [`Transcript::readings`] empty.
    fn constrain(&mut self, language: &str, grammar: Option<Box<dyn Grammar>>) {
        let _ = (language, grammar);
    }
}

/// What can go wrong in recognition.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AsrError {
    /// The model could not be loaded.
    #[error("cannot load the recogniser {path}: {reason}")]
    Load {
        /// The model's file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A language that the model cannot be asked for.
    #[error("the recogniser {model} cannot transcribe {language:?}: {reason}")]
    Language {
        /// The language as it was given.
        language: String,
        /// The model's file.
        model: String,
        /// Why not.
        reason: String,
    },
    /// Too many utterances wait already. Ask again after a moment.
    #[error("the recogniser is busy: {waiting} utterances wait already; try again in a moment")]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// A recogniser on another machine failed on this utterance.
    #[error("{reason}")]
    Remote {
        /// Where, and why.
        reason: String,
    },
    /// The engine failed on this utterance.
    #[error("whisper failed to {step}: {reason}")]
    Engine {
        /// What it was doing.
        step: &'static str,
        /// The engine's words.
        reason: String,
    },
}
