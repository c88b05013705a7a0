//! Engines that many sessions share: cloneable senders to engine threads.
//!
//! A recogniser or a voice is too large to have one a session. Each lives in a thread of its own; a
//! handle puts a job into its bounded queue. Full is [`HandleError::Busy`] at once, never silent lag:
//! who asks can say so to the client, and come back later. A job is given up when its result is dropped
//! or told to stop, also while it runs.

mod dialogue;
mod recognition;
mod voices;

pub use dialogue::{DialogueGuard, DialogueHandle};
pub use recognition::{AsrHandle, Recognition};
pub use voices::{OpenVoice, SharedVoice, Sound, SoundChunk, TtsHandle};

use super::EngineError;
use crate::asr::AsrError;
use crate::tts::TtsError;

/// Why a job was not taken, or not finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// The queue is full. Ask again after a moment.
    #[error("the {what} is busy: {waiting} jobs are at it or wait already; try again in a moment")]
    Busy {
        /// Which engine.
        what: &'static str,
        /// How many jobs it takes at once.
        waiting: usize,
    },
    /// The engine's thread has ended. Nothing but a restart helps.
    #[error("the {what} has stopped; the log says why, and a restart helps")]
    Gone {
        /// Which engine.
        what: &'static str,
    },
    /// Whoever asked does not fetch what is made.
    #[error("the listener is too slow: {pieces} pieces of speech wait to be fetched")]
    TooSlow {
        /// How many pieces wait.
        pieces: usize,
    },
    /// The recogniser failed on this utterance.
    #[error(transparent)]
    Asr(#[from] AsrError),
    /// The voice failed on this text.
    #[error(transparent)]
    Tts(#[from] TtsError),
    /// The voice could not be opened.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl HandleError {
    /// Whether the same job may be taken a moment later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

/// Starts an engine's thread.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(work).map(drop).map_err(|source| EngineError::Thread { source })
}
