//! Cleaning what a microphone hears: the assistant's own voice, noise, level.

use std::sync::PoisonError;

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, NoiseSuppression,
    TransparentModeType,
};
use sonora::{AudioProcessing, StreamConfig};

use super::player::FarEnds;
use super::{AudioError, Config, FarEnd, Resampler, SAMPLE_RATE};

/// What is processed at once: 10 ms.
const BLOCK: usize = SAMPLE_RATE as usize / 100;
/// What the far end may be behind, in milliseconds, before it is caught up with: the canceller finds
/// delays of this size by itself, but two clocks drift apart without end.
const FAR_BEHIND_MS: usize = 120;

/// WebRTC's audio processing (by way of sonora): a high-pass filter that also takes the DC out, echo
/// cancelling (AEC3), noise suppression and gain control. Mono at [`SAMPLE_RATE`].
pub struct Cleaner {
    apm: AudioProcessing,
    /// Samples that do not fill a block yet.
    rest: Vec<f32>,
    cleaned: Vec<f32>,
    far: Option<Far>,
    far_ends: Option<FarEnds>,
    silence: Vec<f32>,
}

struct Far {
    end: FarEnd,
    resampler: Resampler,
    /// At [`SAMPLE_RATE`], waiting for the near end.
    waiting: Vec<f32>,
    chunk: Vec<f32>,
}

impl std::fmt::Debug for Cleaner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cleaner").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

impl Cleaner {
    /// What the configuration asks for; without anything asked for there is no cleaner.
    #[must_use]
    pub fn new(config: &Config) -> Option<Self> {
        let Config { echo_cancelling, noise_suppression, gain_control, .. } = *config;
        if !(echo_cancelling || noise_suppression || gain_control) {
            return None;
        }
        let settings = sonora::Config {
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: echo_cancelling.then(|| EchoCanceller {
                transparent_mode: TransparentModeType::Hmm,
                ..EchoCanceller::default()
            }),
            noise_suppression: noise_suppression.then(NoiseSuppression::default),
            gain_controller2: gain_control.then(|| GainController2 {
                adaptive_digital: Some(AdaptiveDigital::default()),
                ..GainController2::default()
            }),
            ..sonora::Config::default()
        };
        let apm = AudioProcessing::builder()
            .config(settings)
            .capture_config(StreamConfig::new(SAMPLE_RATE, 1))
            .render_config(StreamConfig::new(SAMPLE_RATE, 1))
            .build();
        Some(Self {
            apm,
            rest: Vec::new(),
            cleaned: vec![0.0; BLOCK],
            far: None,
            far_ends: None,
            silence: vec![0.0; BLOCK],
        })
    }

    /// The same with the speaker whose sound is to be cancelled.
    #[must_use]
    pub fn with_far_ends(mut self, far_ends: FarEnds) -> Self {
        self.far_ends = Some(far_ends);
        self
    }

    /// Takes near-end samples and appends what is clean to `out`, in blocks of 10 ms.
    ///
    /// # Errors
    /// When the resampler of the far end refuses.
    pub fn push(&mut self, near: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.rest.extend_from_slice(near);
        let rest = std::mem::take(&mut self.rest);
        let mut blocks = rest.chunks_exact(BLOCK);
        for block in &mut blocks {
            let far = self.far_block()?;
            self.block(block, far.as_deref(), out);
        }
        self.rest.extend_from_slice(blocks.remainder());
        Ok(())
    }

    /// The same with the far end given, of the same length and blocks as the near end: for recordings.
    pub fn push_pair(&mut self, near: &[f32], far: &[f32], out: &mut Vec<f32>) {
        for (near, far) in near.chunks_exact(BLOCK).zip(far.chunks_exact(BLOCK)) {
            self.block(near, Some(far), out);
        }
    }

    fn block(&mut self, near: &[f32], far: Option<&[f32]>, out: &mut Vec<f32>) {
        // What cannot be cleaned is better than nothing.
        let rendered =
            self.apm.process_render_f32(&[far.unwrap_or(&self.silence)], &mut [&mut self.cleaned]);
        let cleaned = self.apm.process_capture_f32(&[near], &mut [&mut self.cleaned]);
        match rendered.and(cleaned) {
            Ok(()) => out.extend_from_slice(&self.cleaned),
            Err(error) => {
                tracing::debug!(?error, "a block could not be cleaned");
                out.extend_from_slice(near);
            }
        }
    }

    /// The next block of what was played, if there is a speaker.
    fn far_block(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        if let Some(ends) = &self.far_ends
            && let Ok(mut slot) = ends.try_lock().or_else(|error| match error {
                std::sync::TryLockError::Poisoned(error) => Ok(PoisonError::into_inner(error)),
                std::sync::TryLockError::WouldBlock => Err(()),
            })
            && let Some(end) = slot.take()
        {
            let resampler = Resampler::new(end.rate, SAMPLE_RATE)?;
            self.far = Some(Far { end, resampler, waiting: Vec::new(), chunk: Vec::new() });
        }
        let Some(far) = &mut self.far else { return Ok(None) };
        let there = far.end.ring.slots();
        far.chunk.resize(there, 0.0);
        let (read, _) = far.end.ring.pop_partial_slice(&mut far.chunk);
        far.resampler.push(read, &mut far.waiting)?;
        let most = SAMPLE_RATE as usize * FAR_BEHIND_MS / 1000;
        if far.waiting.len() > most {
            let late = far.waiting.len() - BLOCK;
            far.waiting.drain(..late);
        }
        if far.waiting.len() < BLOCK {
            return Ok(None);
        }
        Ok(Some(far.waiting.drain(..BLOCK).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise that is the same in every run.
    fn noise(seed: u32, samples: usize) -> Vec<f32> {
        let mut seed = seed;
        let mut next = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 - 1.0
        };
        // Loud and soft in turn, as speech is.
        (0..samples).map(|n| next() * if n / 4000 % 2 == 0 { 0.3 } else { 0.02 }).collect()
    }

    fn energy(samples: &[f32]) -> f32 {
        samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32
    }

    #[test]
    fn an_echo_becomes_quiet_and_a_voice_stays() {
        let config = Config { echo_cancelling: true, ..Config::default() };
        let far = noise(1, 10 * 16_000);
        let delay = 640;
        let mut near = vec![0.0; far.len()];
        for n in delay..near.len() {
            near[n] = 0.4 * far[n - delay]
                + if n > delay + 300 { 0.15 * far[n - delay - 300] } else { 0.0 };
        }
        let (mut cleaner, mut out) = (Cleaner::new(&config).unwrap(), Vec::new());
        cleaner.push_pair(&near, &far, &mut out);
        let half = near.len() / 2;
        let erle = 10.0 * (energy(&near[half..]) / energy(&out[half..])).log10();
        assert!(erle > 20.0, "only {erle} dB less");

        let voice = noise(7, 3 * 16_000);
        let (mut cleaner, mut out) = (Cleaner::new(&config).unwrap(), Vec::new());
        for piece in voice.chunks(777) {
            cleaner.push(piece, &mut out).unwrap();
        }
        assert!(out.len() + BLOCK > voice.len());
        let kept = 10.0 * (energy(&out[16_000..]) / energy(&voice[16_000..out.len()])).log10();
        assert!(kept.abs() < 3.0, "without an echo the voice changed by {kept} dB");
    }

    #[test]
    fn a_constant_is_taken_out() {
        let config = Config { echo_cancelling: true, ..Config::default() };
        let (mut cleaner, mut out) = (Cleaner::new(&config).unwrap(), Vec::new());
        cleaner.push(&vec![0.3; 32_000], &mut out).unwrap();
        assert!(out[31_000].abs() < 0.01, "{}", out[31_000]);
    }

    #[test]
    fn nothing_asked_for_is_nothing_done() {
        let config = Config {
            echo_cancelling: false,
            noise_suppression: false,
            gain_control: false,
            ..Config::default()
        };
        assert!(Cleaner::new(&config).is_none());
    }
}
