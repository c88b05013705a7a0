//! What is done to a clause after the network, while it comes: silence off its ends, one loudness for all voices,
//! soft edges.

use std::collections::VecDeque;

/// A tenth of full scale (−20 dBFS): the level that speech is brought to, measured over its loud parts.
const TARGET: f32 = 0.1;
/// No sample goes beyond this; from [`KNEE`] on louder ones are bent towards it.
const CEILING: f32 = 0.97;
const KNEE: f32 = 0.8;
/// Quieter than this is silence: −48 dBFS.
const SILENCE: f32 = 0.004;
/// A voice is made at most this much louder or quieter.
const REACH: f32 = 6.0;
/// How many windows of 20 ms are remembered: ten seconds of sound.
const MEMORY: usize = 500;

/// How loud a voice is by itself: the levels of what it said lately. Kept from speech to speech, so that the loudness
/// of a clause is known when only its beginning is.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    windows: VecDeque<f32>,
}

impl Level {
    fn hear(&mut self, samples: &[f32], window: usize) {
        for level in samples.chunks(window.max(1)).map(rms).filter(|l| *l > SILENCE) {
            if self.windows.len() == MEMORY {
                self.windows.pop_front();
            }
            self.windows.push_back(level);
        }
    }

    /// The factor that brings the loud parts to the target.
    fn gain(&self) -> f32 {
        let loudest = self.windows.iter().copied().fold(0.0, f32::max);
        let loud = self.windows.iter().filter(|l| **l > loudest * 0.18);
        let (count, energy) = loud.fold((0u32, 0.0f64), |(n, e), l| (n + 1, e + f64::from(l * l)));
        let level = (energy / f64::from(count.max(1))).sqrt() as f32;
        (TARGET / level.max(1e-6)).clamp(1.0 / REACH, REACH)
    }
}

/// Shapes the clauses of one speech, one after the other, each as it comes.
#[derive(Debug)]
pub(super) struct Shaper {
    sample_rate: usize,
    volume: f32,
    level: Level,
    /// The gain of the clause that is being spoken; none before its first audible sound.
    gain: Option<f32>,
    /// What is not given out yet: silence that may be the last, and the end that may have to fade.
    held: Vec<f32>,
    /// Samples of the clause given out.
    given: usize,
}

impl Shaper {
    pub(super) fn new(sample_rate: u32, volume: f32, level: Level) -> Self {
        Self {
            sample_rate: sample_rate as usize,
            volume,
            level,
            gain: None,
            held: Vec::new(),
            given: 0,
        }
    }

    /// What was heard so far.
    pub(super) fn level(&self) -> &Level {
        &self.level
    }

    /// Takes the next samples of a clause; gives what is ready of it. Nothing is given before the first audible sound,
    /// and silence only when sound follows it.
    pub(super) fn push(&mut self, samples: &[f32]) -> Vec<f32> {
        // A network that failed in its numbers must not be heard as a bang.
        self.held.extend(samples.iter().map(|s| if s.is_finite() { *s } else { 0.0 }));
        let window = self.window();
        if self.gain.is_none() {
            let Some(first) = self.held.chunks(window).position(loud) else {
                let silent = self.held.len().saturating_sub(window) / window * window;
                self.held.drain(..silent);
                return Vec::new();
            };
            // Keep a little: consonants begin below the threshold.
            self.held.drain(..(first * window).saturating_sub(window));
            self.level.hear(&self.held, self.sample_rate / 50);
            self.gain = Some(self.level.gain() * self.volume);
        } else {
            self.level.hear(samples, self.sample_rate / 50);
        }
        let last = self.held.chunks(window).rposition(loud).map_or(0, |w| (w + 1) * window);
        let ready = last.min(self.held.len().saturating_sub(self.fall()));
        self.take(ready)
    }

    /// Ends the clause; gives what is left of it with a soft end.
    pub(super) fn finish(&mut self) -> Vec<f32> {
        let mut end = Vec::new();
        if self.gain.is_some() {
            let window = self.window();
            let last = self.held.chunks(window).rposition(loud).map_or(0, |w| (w + 1) * window);
            // Vowels end below the threshold.
            end = self.take((last + 6 * window).min(self.held.len()));
            let fall = self.fall();
            for (i, sample) in end.iter_mut().rev().take(fall).enumerate() {
                *sample *= i as f32 / fall as f32;
            }
        }
        self.held.clear();
        (self.gain, self.given) = (None, 0);
        end
    }

    fn take(&mut self, count: usize) -> Vec<f32> {
        let gain = self.gain.unwrap_or(0.0);
        // A five-hundredth of a second at the beginning keeps a "t" sharp.
        let rise = (self.sample_rate / 500).max(1);
        let given = self.given;
        self.given += count;
        self.held
            .drain(..count)
            .enumerate()
            .map(|(i, sample)| {
                let edge = ((given + i) as f32 / rise as f32).min(1.0);
                bend(sample * gain * edge)
            })
            .collect()
    }

    fn window(&self) -> usize {
        (self.sample_rate / 200).max(1)
    }

    fn fall(&self) -> usize {
        (self.sample_rate / 100).max(1)
    }
}

fn loud(window: &[f32]) -> bool {
    rms(window) > SILENCE
}

/// Keeps the loudest samples below the ceiling without a corner.
fn bend(sample: f32) -> f32 {
    if sample.abs() <= KNEE {
        return sample;
    }
    let room = CEILING - KNEE;
    (KNEE + room * ((sample.abs() - KNEE) / room).tanh()).copysign(sample)
}

fn rms(samples: &[f32]) -> f32 {
    let energy: f32 = samples.iter().map(|s| s * s).sum();
    (energy / samples.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, n: usize) -> Vec<f32> {
        (0..n).map(|i| amplitude * (i as f32 * 0.1).sin()).collect()
    }

    /// In pieces of so many samples.
    fn shape(samples: &[f32], volume: f32, piece: usize) -> Vec<f32> {
        let mut shaper = Shaper::new(16_000, volume, Level::default());
        let mut shaped: Vec<f32> = samples.chunks(piece).flat_map(|p| shaper.push(p)).collect();
        shaped.extend(shaper.finish());
        shaped
    }

    #[test]
    fn silence_goes_and_loudness_is_one() {
        for (amplitude, piece) in [(0.05, 1 << 20), (0.2, 1 << 20), (0.9, 1 << 20), (0.3, 5000)] {
            let mut samples = vec![0.0; 8000];
            samples.extend(tone(amplitude, 8_000));
            samples.extend(vec![0.0; 800]);
            samples.extend(tone(amplitude, 8_000));
            samples.extend(vec![0.0005; 8000]);
            let shaped = shape(&samples, 1.0, piece);
            assert!((16_800..17_800).contains(&shaped.len()), "{}", shaped.len());
            let level = rms(&shaped[..8000]);
            assert!((level - TARGET).abs() < 0.01, "{amplitude} {level}");
            assert!(shaped[0].abs() < 1e-3 && shaped[shaped.len() - 1].abs() < 1e-3);
        }
    }

    #[test]
    fn pieces_make_no_difference_once_the_level_is_known() {
        let mut samples = vec![0.0; 3000];
        samples.extend(tone(0.2, 9_000));
        let mut level = Level::default();
        level.hear(&tone(0.2, 160_000), 320);
        let shaped = |piece: usize| -> Vec<f32> {
            let mut shaper = Shaper::new(16_000, 1.0, level.clone());
            let mut all: Vec<f32> = samples.chunks(piece).flat_map(|p| shaper.push(p)).collect();
            all.extend(shaper.finish());
            all
        };
        let (whole, pieces) = (shaped(1 << 20), shaped(1600));
        assert_eq!(whole.len(), pieces.len());
        assert!(whole.iter().zip(&pieces).all(|(a, b)| (a - b).abs() < 2e-3));
    }

    #[test]
    fn silence_alone_is_nothing() {
        for piece in [100, 4000] {
            assert!(shape(&[0.001; 4000], 1.0, piece).is_empty());
            assert!(shape(&[], 1.0, piece).is_empty());
            assert!(shape(&[f32::NAN; 4000], 1.0, piece).is_empty());
        }
    }

    #[test]
    fn nothing_clips() {
        let mut samples = tone(0.02, 16_000);
        samples[8000] = 0.9;
        for volume in [2.0, 4.0] {
            let shaped = shape(&samples, volume, 700);
            assert!(shaped.iter().all(|s| s.abs() <= CEILING));
        }
    }
}
