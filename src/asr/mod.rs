//! What was said: speech to text.

use serde::{Deserialize, Serialize};

/// Text with what is known about it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transcript {
    /// The words; empty when nothing was said.
    pub text: String,
    /// The language spoken, as a BCP-47 tag without region (`en`, `zh`).
    pub language: String,
    /// Pieces with times, in seconds from the beginning of the audio that was given.
    pub segments: Vec<Segment>,
    /// Mean log-probability of a token, 0 is certain.
    pub avg_logprob: f32,
    /// Probability that the audio holds no speech, 0 to 1.
    pub no_speech_prob: f32,
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

/// Turns an utterance into text.
pub trait Recognizer: Send {
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
}
