//! When, not what: speech probability and the beginning and end of an utterance.

use crate::audio::Frame;

/// Speech probability of a stream, frame by frame.
pub trait VoiceDetector: Send {
    /// Takes the next frame and returns the probability, 0 to 1, that it holds speech.
    fn push(&mut self, frame: &Frame) -> f32;
    /// Forgets the stream so far.
    fn reset(&mut self);
}

/// What can go wrong in detection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// The model could not be loaded.
    #[error("cannot load the voice detector {path}: {reason}")]
    Load {
        /// The model's file.
        path: String,
        /// Why, in the runtime's words.
        reason: String,
    },
}
