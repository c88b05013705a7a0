//! Engines that many sessions share: cloneable senders to engine threads.
//!
//! A recogniser or a voice is too large to have one a session. Each lives in a thread of its own; a
//! handle puts a job into its bounded queue. Who would wait too long is told [`HandleError::Busy`] at
//! once, never left to lag silently: a door says so to its client, who comes back later. What was
//! accepted is finished. A job is given up when its result is dropped or told to stop, also while it
//! runs.

mod dialogue;
mod line;
mod recognition;
mod voices;

pub use dialogue::{DialogueGuard, DialogueHandle};
pub use recognition::{AsrHandle, Recognition};
pub use voices::{OpenVoice, SharedVoice, Sound, SoundChunk, TtsHandle};

use std::time::Duration;

use super::EngineError;
use crate::asr::AsrError;
use crate::tts::TtsError;

/// Why a job was not taken, or not finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// One would wait too long, or the queue is full. Ask again after a moment.
    #[error("the {what} is busy: {waiting} wait already, and one more would for {:.1} s; try again in a moment", wait.as_secs_f64())]
    Busy {
        /// Which engine.
        what: &'static str,
        /// How many jobs wait already.
        waiting: usize,
        /// How long one would wait.
        wait: Duration,
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

    /// After how many seconds it is worth asking again.
    #[must_use]
    pub fn retry_after_s(&self) -> u64 {
        match self {
            Self::Busy { wait, .. } => wait.as_secs_f64().ceil().clamp(1.0, 60.0) as u64,
            _ => 1,
        }
    }
}

/// Starts an engine's thread.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(work).map(drop).map_err(|source| EngineError::Thread { source })
}
