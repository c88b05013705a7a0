//! What is done to a clause after the network: silence off its ends, one loudness for all voices,
//! soft edges.

/// A tenth of full scale (−20 dBFS): the level that speech is brought to, measured over its loud parts.
const TARGET: f32 = 0.1;
/// No sample goes beyond this.
const CEILING: f32 = 0.97;
/// Quieter than this is silence: −48 dBFS.
const SILENCE: f32 = 0.004;
/// A voice is made at most this much louder or quieter.
const REACH: f32 = 6.0;

/// Shapes the clauses of one speech, one after the other.
#[derive(Debug)]
pub(super) struct Shaper {
    sample_rate: usize,
    volume: f32,
    /// Mean energy of the loud parts so far and how many samples it was taken from.
    heard: (f64, usize),
}

impl Shaper {
    pub(super) fn new(sample_rate: u32, volume: f32) -> Self {
        Self { sample_rate: sample_rate as usize, volume, heard: (0.0, 0) }
    }

    /// The audible part of `samples`, levelled and with soft edges; empty when there is none.
    pub(super) fn shape(&mut self, samples: &[f32]) -> Vec<f32> {
        let mut clause = self.trimmed(samples).to_vec();
        if clause.is_empty() {
            return clause;
        }
        let gain = self.gain(&clause);
        // A fifth of a hundredth of a second at the beginning keeps a "t" sharp.
        let (rise, fall) = (self.sample_rate / 500, self.sample_rate / 100);
        let n = clause.len();
        for (i, sample) in clause.iter_mut().enumerate() {
            let edge = (i as f32 / rise as f32).min((n - 1 - i) as f32 / fall as f32).min(1.0);
            *sample = (*sample * gain * edge).clamp(-1.0, 1.0);
        }
        clause
    }

    fn trimmed<'a>(&self, samples: &'a [f32]) -> &'a [f32] {
        let window = (self.sample_rate / 200).max(1);
        let loud = |w: &[f32]| rms(w) > SILENCE;
        let Some(first) = samples.chunks(window).position(loud) else { return &[] };
        let last = samples.chunks(window).rposition(loud).unwrap_or(first);
        // Keep a little: consonants begin and vowels end below the threshold.
        let start = (first * window).saturating_sub(window);
        let end = ((last + 1) * window + 6 * window).min(samples.len());
        samples.get(start..end).unwrap_or_default()
    }

    /// The gain that brings this voice to the target; steady from clause to clause.
    fn gain(&mut self, clause: &[f32]) -> f32 {
        let window = (self.sample_rate / 50).max(1);
        let peak = clause.iter().fold(0.0f32, |m, s| m.max(s.abs()));
        let loudest = clause.chunks(window).map(rms).fold(0.0f32, f32::max);
        let active: Vec<f32> =
            clause.chunks(window).map(rms).filter(|r| *r > loudest * 0.18).collect();
        let energy = active.iter().map(|r| f64::from(r * r)).sum::<f64>();
        self.heard = (self.heard.0 + energy, self.heard.1 + active.len());
        let level = (self.heard.0 / self.heard.1.max(1) as f64).sqrt() as f32;
        let gain = (TARGET / level.max(1e-6)).clamp(1.0 / REACH, REACH) * self.volume;
        gain.min(CEILING / peak.max(1e-6))
    }
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

    #[test]
    fn silence_goes_and_loudness_is_one() {
        for amplitude in [0.05, 0.2, 0.9] {
            let mut samples = vec![0.0; 8000];
            samples.extend(tone(amplitude, 16_000));
            samples.extend(vec![0.0005; 8000]);
            let shaped = Shaper::new(16_000, 1.0).shape(&samples);
            assert!((16_000..17_000).contains(&shaped.len()), "{}", shaped.len());
            assert!((rms(&shaped) - TARGET).abs() < 0.01, "{amplitude} {}", rms(&shaped));
            assert!(shaped[0].abs() < 1e-3 && shaped[shaped.len() - 1].abs() < 1e-3);
        }
    }

    #[test]
    fn silence_alone_is_nothing() {
        assert!(Shaper::new(16_000, 1.0).shape(&[0.001; 4000]).is_empty());
        assert!(Shaper::new(16_000, 1.0).shape(&[]).is_empty());
        assert!(Shaper::new(16_000, 1.0).shape(&[f32::NAN; 4000]).is_empty());
    }

    #[test]
    fn nothing_clips() {
        let mut samples = tone(0.02, 16_000);
        samples[8000] = 0.9;
        let shaped = Shaper::new(16_000, 2.0).shape(&samples);
        assert!(shaped.iter().all(|s| s.abs() <= CEILING + 1e-3));
    }
}
