//! What a session tells the world.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::asr::Transcript;
use crate::audio::SampleTime;
use crate::telemetry::TurnTimeline;

/// The number of a turn, strictly increasing; the session is the only writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TurnId(pub u64);

/// A piece of a spoken reply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speech {
    /// The turn it answers.
    pub turn: TurnId,
    /// Hz.
    pub sample_rate: u32,
    /// Mono, −1 to 1. In a log, only how many there are.
    #[serde(serialize_with = "count")]
    pub samples: Arc<[f32]>,
    /// Whether the reply ends here.
    pub last: bool,
}

fn count<S: Serializer>(samples: &Arc<[f32]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(samples.len() as u64)
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Somebody began to speak.
    SpeechStarted {
        /// The turn that begins.
        turn: TurnId,
        /// Where the utterance begins in the stream, pre-roll included, in samples.
        at: SampleTime,
    },
    /// The utterance is over.
    SpeechStopped {
        /// Its turn.
        turn: TurnId,
        /// The end of the speech in the stream, in samples.
        at: SampleTime,
    },
    /// What may have been said so far.
    Partial {
        /// Its turn.
        turn: TurnId,
        /// The words.
        #[serde(flatten)]
        transcript: Transcript,
        /// The part of them that will stay: later ones only add to it.
        stable: String,
    },
    /// What was said; empty text when it was no speech after all.
    Final {
        /// Its turn.
        turn: TurnId,
        /// The words.
        #[serde(flatten)]
        transcript: Transcript,
    },
    /// What was meant and done, and the answer's text.
    ReplyText {
        /// Its turn.
        turn: TurnId,
        /// Intent, slots, actions and text.
        #[serde(flatten)]
        reply: Box<crate::dialogue::Reply>,
    },
    /// A piece of the spoken answer.
    Speech(Speech),
    /// Somebody speaks: the playback of the reply ramps down and keeps the rest.
    PlaybackHeld {
        /// The reply's turn.
        turn: TurnId,
    },
    /// It was nothing: the playback of the reply goes on where it stopped.
    PlaybackResumed {
        /// The reply's turn.
        turn: TurnId,
    },
    /// The reply is not wanted any more: the playback ramps down, drops the rest, and says how much was
    /// heard.
    PlaybackStopped {
        /// The reply's turn.
        turn: TurnId,
    },
    /// A reply was heard, or broken off.
    PlaybackFinished {
        /// The reply's turn.
        turn: TurnId,
        /// How much of it was heard, in milliseconds.
        played_ms: f64,
        /// Whether it was broken off.
        interrupted: bool,
        /// The part of its text that was heard.
        heard: String,
    },
    /// A stage failed; the turn ends without an answer and the session goes on.
    Failed {
        /// Its turn.
        turn: TurnId,
        /// Which stage.
        stage: &'static str,
        /// The error with its causes.
        error: String,
    },
    /// The turn is over.
    TurnFinished {
        /// Its turn.
        turn: TurnId,
        /// Where the milliseconds went.
        timeline_ms: TurnTimeline,
    },
}

impl Event {
    /// The turn the event belongs to.
    #[must_use]
    pub fn turn(&self) -> TurnId {
        match self {
            Self::SpeechStarted { turn, .. }
            | Self::SpeechStopped { turn, .. }
            | Self::Partial { turn, .. }
            | Self::Final { turn, .. }
            | Self::ReplyText { turn, .. }
            | Self::PlaybackHeld { turn }
            | Self::PlaybackResumed { turn }
            | Self::PlaybackStopped { turn }
            | Self::PlaybackFinished { turn, .. }
            | Self::Failed { turn, .. }
            | Self::TurnFinished { turn, .. } => *turn,
            Self::Speech(speech) => speech.turn,
        }
    }
}
