//! What a noisy room makes of the speech probability.

use crate::audio::Frame;

/// Silero is surer of a sound the more it is like speech; a television in the next room or a fan keeps
/// it between. What it says of the room while nobody speaks is taken for its zero, and what is far
/// weaker than the voice that speaks is not that voice.
///
/// The probabilities that come out are to be compared with the same thresholds: in a quiet room they
/// are those that went in.
#[derive(Debug, Default)]
pub struct Floor {
    /// What the room alone gives, slowly followed.
    room: f32,
    /// The loudness of the voice that speaks, in dB; falls slowly.
    voice_db: f32,
    /// The loudness of the room, in dB; rises slowly.
    room_db: f32,
    frames: u64,
}

/// How fast the room's probability is followed: about two seconds.
const ROOM_RATE: f32 = 0.01;
/// The room is never taken for more than this: real speech must stay above.
const ROOM_MOST: f32 = 0.5;
/// What is this much weaker than the voice, in dB, is another one's.
const WEAKER_DB: f32 = 26.0;
/// A frame this much above the room, in dB, is never passed over for being weak.
const ABOVE_ROOM_DB: f32 = 6.0;

impl Floor {
    /// A room of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self { room: 0.0, voice_db: -100.0, room_db: -100.0, frames: 0 }
    }

    /// What a probability is worth in this room. `speaking` while an utterance is open.
    pub fn push(&mut self, frame: &Frame, probability: f32, speaking: bool) -> f32 {
        if !probability.is_finite() {
            return 0.0;
        }
        let db = loudness(frame);
        self.frames += 1;
        if self.frames == 1 {
            self.room_db = db;
        }
        // The quietest of the last while is the room: down at once, up by 2 dB a second.
        self.room_db = if db < self.room_db { db } else { (self.room_db + 0.04).min(db) };
        if !speaking && probability < 0.8 {
            self.room += ROOM_RATE * (probability.min(ROOM_MOST) - self.room);
        }
        self.voice_db = match speaking && probability >= 0.5 {
            true => self.voice_db.max(db) - 0.02,
            // Three dB a second: who speaks next may be further away.
            false => self.voice_db - 0.06,
        };
        let weak = speaking && db < self.voice_db - WEAKER_DB && db < self.room_db + ABOVE_ROOM_DB;
        if weak {
            return 0.0;
        }
        ((probability - self.room) / (1.0 - self.room)).clamp(0.0, 1.0)
    }
}

fn loudness(frame: &Frame) -> f32 {
    let energy: f32 = frame.samples.iter().map(|s| s * s).sum();
    10.0 * (energy / frame.samples.len().max(1) as f32).max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SampleTime;

    fn frame(level: f32) -> Frame {
        let samples: Vec<f32> = (0..320).map(|n| if n % 2 == 0 { level } else { -level }).collect();
        Frame { at: SampleTime(0), samples: samples.into() }
    }

    #[test]
    fn a_quiet_room_changes_nothing_much() {
        let mut floor = Floor::new();
        for _ in 0..500 {
            assert!(floor.push(&frame(0.001), 0.02, false) <= 0.02);
        }
        assert!(floor.push(&frame(0.1), 0.9, false) > 0.89);
        assert!(floor.push(&frame(0.1), 0.5, true) > 0.48);
    }

    #[test]
    fn a_murmuring_room_becomes_the_zero() {
        let mut floor = Floor::new();
        let values: Vec<f32> = (0..500).map(|_| floor.push(&frame(0.02), 0.45, false)).collect();
        assert!(values[0] > 0.4 && values[499] < 0.05, "{} {}", values[0], values[499]);
        assert!(floor.push(&frame(0.2), 0.95, false) > 0.85, "a voice is still a voice");
        assert!(floor.push(&frame(0.02), 0.45, true) < 0.35, "and ends although the room goes on");
    }

    #[test]
    fn what_is_far_weaker_than_the_voice_is_not_it() {
        let mut floor = Floor::new();
        for _ in 0..50 {
            floor.push(&frame(0.004), 0.05, false);
        }
        for _ in 0..50 {
            floor.push(&frame(0.3), 0.95, true);
        }
        assert_eq!(floor.push(&frame(0.005), 0.9, true), 0.0);
        assert!(floor.push(&frame(0.03), 0.9, true) > 0.8, "a quiet ending stays in");
        assert_eq!(floor.push(&frame(0.1), f32::NAN, true), 0.0);
    }
}
