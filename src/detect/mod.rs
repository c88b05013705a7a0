//! When, not what: speech probability and the beginning and end of an utterance.
//!
//! [`VoiceDetector`] is the door of the engines, [`Silero`] the engine behind it; [`Floor`] takes the room
//! into account, [`Endpointer`] is the pure machine that makes utterances of the probabilities, and a
//! [`TurnDetector`] hears whether who pauses has finished.

mod endpoint;
mod floor;
mod mel;
mod silero;
mod turn;

use serde::{Deserialize, Serialize};

use crate::audio::Frame;
use crate::audio::SampleTime;

pub use endpoint::Endpointer;
pub use floor::Floor;
pub use silero::Silero;
pub use turn::{SmartTurn, TurnDetector};

/// Settings of this room, `[detect]` in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The voice detector's id in the catalogue.
    pub model: String,
    /// The turn detector's id in the catalogue: it tells by the voice whether who pauses has finished.
    /// Empty for none.
    pub turn_model: String,
    /// The speech probability, 0 to 1, from which an utterance may begin.
    pub start_threshold: f32,
    /// The speech probability below which a frame in an utterance is silence. Lower than the start, so
    /// that quiet endings stay in.
    pub stop_threshold: f32,
    /// Speech needed before an utterance begins, in milliseconds; shorter sounds are clicks.
    pub min_speech_ms: u32,
    /// Audio kept before the start, in milliseconds.
    pub pre_roll_ms: u32,
    /// Silence after which what was said so far is recognised on trial, in milliseconds. The text is
    /// thrown away when speech goes on.
    pub speculate_ms: u32,
    /// Silence that ends an utterance whose words are a complete command of the home, in milliseconds;
    /// never more than the hangover.
    pub complete_ms: u32,
    /// Silence that ends an utterance that sounds finished to the turn detector, in milliseconds; never
    /// more than the hangover.
    pub finished_ms: u32,
    /// Silence that ends an utterance of which nothing special is known, in milliseconds. Shorter
    /// answers sooner and cuts off who hesitates.
    pub hangover_ms: u32,
    /// Silence that ends an utterance whose words lack something, such as "turn on the", in
    /// milliseconds; never less than the hangover.
    pub open_ms: u32,
    /// How much of that silence is handed on with the utterance, in milliseconds: a recogniser wants
    /// to hear that a word is over.
    pub trailing_ms: u32,
    /// The longest utterance, in milliseconds. Speech beyond it becomes a new utterance.
    pub max_utterance_ms: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: "silero-vad".into(),
            turn_model: "smart-turn".into(),
            start_threshold: 0.5,
            stop_threshold: 0.35,
            min_speech_ms: 100,
            pre_roll_ms: 500,
            speculate_ms: 60,
            complete_ms: 200,
            finished_ms: 400,
            hangover_ms: 600,
            open_ms: 2000,
            trailing_ms: 200,
            max_utterance_ms: 30_000,
        }
    }
}

impl Config {
    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.model.trim().is_empty() {
            problems.push("detect.model: is empty; \"silero-vad\" is the default".into());
        }
        for (name, value) in
            [("start_threshold", self.start_threshold), ("stop_threshold", self.stop_threshold)]
        {
            if !(value > 0.0 && value < 1.0) {
                problems.push(format!(
                    "detect.{name}: {value} is no probability; give a number between 0 and 1, such as 0.5"
                ));
            }
        }
        if self.stop_threshold > self.start_threshold {
            problems.push(format!(
                "detect.stop_threshold: {} is above start_threshold {}, so an utterance would end as it begins; give a lower one",
                self.stop_threshold, self.start_threshold
            ));
        }
        for (name, value, least, most) in [
            ("min_speech_ms", self.min_speech_ms, 0, 2000),
            ("pre_roll_ms", self.pre_roll_ms, 0, 5000),
            ("speculate_ms", self.speculate_ms, 0, 10_000),
            ("complete_ms", self.complete_ms, 40, 10_000),
            ("finished_ms", self.finished_ms, 40, 10_000),
            ("hangover_ms", self.hangover_ms, 40, 10_000),
            ("open_ms", self.open_ms, 40, 10_000),
            ("trailing_ms", self.trailing_ms, 0, 10_000),
            // Whisper hears 30 seconds at once.
            ("max_utterance_ms", self.max_utterance_ms, 1000, 30_000),
        ] {
            if !(least..=most).contains(&value) {
                problems.push(format!(
                    "detect.{name}: {value} is outside {least} to {most} milliseconds"
                ));
            }
        }
        if self.trailing_ms > self.hangover_ms {
            problems.push(format!(
                "detect.trailing_ms: {} is more than hangover_ms {}, and only that much silence is waited for; give less",
                self.trailing_ms, self.hangover_ms
            ));
        }
        problems
    }
}

/// What is heard in a stream. `Started` and `Stopped` alternate; `Audio` comes only between them, in
/// the order of the stream, without a hole and never twice.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Heard {
    /// Somebody began to speak at this time; the audio begins a little earlier.
    Started(SampleTime),
    /// The next frame of the utterance.
    Audio(Frame),
    /// The speech paused at this time; what was said so far may be all.
    Paused(SampleTime),
    /// The pause has lasted as long as the shortest silence that may end an utterance.
    Settled(SampleTime),
    /// The speech goes on from this time, after a pause that was told.
    Resumed(SampleTime),
    /// The speech ended at this time, which is the hangover earlier than it is said.
    Stopped(SampleTime),
}

/// Speech probability of a stream, frame by frame.
///
/// ```
/// use hearken::audio::{Frame, Framer};
/// use hearken::detect::VoiceDetector;
///
/// /// Takes whatever is loud for speech.
/// struct Loudness;
///
/// impl VoiceDetector for Loudness {
///     fn push(&mut self, frame: &Frame) -> f32 {
///         let energy: f32 = frame.samples.iter().map(|s| s * s).sum();
///         (energy / frame.samples.len() as f32).sqrt().min(1.0)
///     }
///     fn reset(&mut self) {}
/// }
///
/// let mut loud = false;
/// Framer::new().push(&[0.8; 320], |frame| loud = Loudness.push(&frame) > 0.5);
/// assert!(loud);
/// ```
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_problems() {
        assert_eq!(Config::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn every_bad_value_is_named() {
        let bad = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.problems()
        };
        type Case = (fn(&mut Config), &'static str);
        let cases: [Case; 11] = [
            (|c| c.model = " ".into(), "detect.model"),
            (|c| c.start_threshold = 1.5, "detect.start_threshold: 1.5"),
            (|c| c.stop_threshold = f32::NAN, "detect.stop_threshold: NaN"),
            (|c| c.stop_threshold = 0.6, "detect.stop_threshold: 0.6"),
            (|c| c.min_speech_ms = 2001, "detect.min_speech_ms: 2001"),
            (|c| c.pre_roll_ms = 9999, "detect.pre_roll_ms: 9999"),
            (|c| c.hangover_ms = 100, "detect.trailing_ms: 200"),
            (|c| c.complete_ms = 39, "detect.complete_ms: 39"),
            (|c| c.open_ms = 10_001, "detect.open_ms: 10001"),
            (|c| c.max_utterance_ms = 30_001, "detect.max_utterance_ms: 30001"),
            (|c| c.max_utterance_ms = 0, "detect.max_utterance_ms: 0"),
        ];
        for (change, part) in cases {
            let problems = bad(change);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(part), "{problems:?}");
        }
    }

    #[test]
    fn settings_are_read_and_unknown_ones_refused() {
        let config: Config = toml::from_str("hangover_ms = 900").unwrap();
        assert_eq!(config, Config { hangover_ms: 900, ..Config::default() });
        assert!(toml::from_str::<Config>("hangover = 900").is_err());
    }
}
