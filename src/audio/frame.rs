//! The core's unit of sound and its only clock.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The sample rate of everything inside the core, in Hz: what Whisper and Silero were trained on.
pub const SAMPLE_RATE: u32 = 16_000;

/// Samples in a [`Frame`]: 20 ms.
pub const FRAME_SAMPLES: usize = SAMPLE_RATE as usize / 50;

/// Samples since the stream began, at [`SAMPLE_RATE`]: the core's only clock, so that a recording
/// played as fast as the CPU runs gives the same decisions as a live microphone.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SampleTime(pub u64);

impl SampleTime {
    /// The time in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / f64::from(SAMPLE_RATE)
    }

    /// The time `ms` milliseconds after the beginning of the stream.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * SAMPLE_RATE as u64 / 1000)
    }

    /// Whole milliseconds since the beginning of the stream.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0 * 1000 / SAMPLE_RATE as u64
    }
}

impl std::ops::Add<u64> for SampleTime {
    type Output = Self;
    fn add(self, samples: u64) -> Self {
        Self(self.0 + samples)
    }
}

impl std::ops::Sub for SampleTime {
    type Output = u64;
    fn sub(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A block of [`FRAME_SAMPLES`] mono samples at [`SAMPLE_RATE`].
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The time of the first sample.
    pub at: SampleTime,
    /// The samples, −1 to 1; shared, since several stages keep them.
    pub samples: Arc<[f32]>,
}

/// Cuts chunks of any length into frames and stamps them.
#[derive(Debug, Default)]
pub struct Framer {
    rest: Vec<f32>,
    at: SampleTime,
}

impl Framer {
    /// A framer whose first frame is at time zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A framer whose first frame is at this time: for a stream that goes on.
    #[must_use]
    pub fn at(at: SampleTime) -> Self {
        Self { rest: Vec::new(), at }
    }

    /// Takes mono samples at [`SAMPLE_RATE`] and hands out every frame that became whole.
    pub fn push(&mut self, samples: &[f32], mut out: impl FnMut(Frame)) {
        let mut samples = samples;
        if !self.rest.is_empty() {
            let take = samples.len().min(FRAME_SAMPLES - self.rest.len());
            self.rest.extend_from_slice(&samples[..take]);
            samples = &samples[take..];
            if self.rest.len() < FRAME_SAMPLES {
                return;
            }
            let whole: Arc<[f32]> = self.rest.as_slice().into();
            self.rest.clear();
            out(self.stamp(whole));
        }
        let mut blocks = samples.chunks_exact(FRAME_SAMPLES);
        for block in &mut blocks {
            let frame = self.stamp(block.into());
            out(frame);
        }
        self.rest.extend_from_slice(blocks.remainder());
    }

    /// Hands out what is left as one last frame, filled up with silence.
    pub fn finish(&mut self, out: impl FnOnce(Frame)) {
        if self.rest.is_empty() {
            return;
        }
        self.rest.resize(FRAME_SAMPLES, 0.0);
        let whole: Arc<[f32]> = self.rest.as_slice().into();
        self.rest.clear();
        out(self.stamp(whole));
    }

    fn stamp(&mut self, samples: Arc<[f32]>) -> Frame {
        let frame = Frame { at: self.at, samples };
        self.at = self.at + FRAME_SAMPLES as u64;
        frame
    }
}
