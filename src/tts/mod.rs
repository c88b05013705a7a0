//! Text to speech: normalisation, pronunciation, neural voices.

pub mod normalize;

use std::ops::ControlFlow;

/// Speaks sentences with one voice.
pub trait Synthesizer: Send {
    /// Sample rate of what [`speak`](Self::speak) gives, in Hz.
    fn sample_rate(&self) -> u32;

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
}
