//! The log-mel picture of the last eight seconds, as Whisper's feature extractor makes it.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::audio::SAMPLE_RATE;

/// Rows of the picture.
pub(super) const BANDS: usize = 80;
/// Columns of the picture, a hundredth of a second each.
pub(super) const COLUMNS: usize = 800;
const SECONDS: usize = 8;
const WINDOW: usize = 400;
const HOP: usize = SAMPLE_RATE as usize / 100;
const BINS: usize = WINDOW / 2 + 1;

/// Makes pictures; keeps its tables and its buffers.
pub(super) struct Mel {
    fft: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
    /// For each band the first bin that it hears, and how much of each from there on.
    filters: Vec<(usize, Vec<f32>)>,
    row: Vec<Complex<f32>>,
    padded: Vec<f32>,
}

/// Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
fn hz(mel: f64) -> f64 {
    if mel < 15.0 {
        mel * 200.0 / 3.0
    } else {
        1_000.0 * ((6.4_f64.ln() / 27.0) * (mel - 15.0)).exp()
    }
}

/// The mel value of half the sample rate.
fn top() -> f64 {
    15.0 + (f64::from(SAMPLE_RATE) / 2_000.0).ln() * 27.0 / 6.4_f64.ln()
}

fn filters() -> Vec<(usize, Vec<f32>)> {
    let edges: Vec<f64> =
        (0..BANDS + 2).map(|i| hz(top() * i as f64 / (BANDS + 1) as f64)).collect();
    let filter = |edge: &[f64]| {
        let (low, middle, high) = (edge[0], edge[1], edge[2]);
        let height = |bin: usize| {
            let f = bin as f64 * f64::from(SAMPLE_RATE) / WINDOW as f64;
            ((f - low) / (middle - low)).min((high - f) / (high - middle)) * 2.0 / (high - low)
        };
        let heard: Vec<usize> = (0..BINS).filter(|&bin| height(bin) > 0.0).collect();
        let first = heard.first().copied().unwrap_or(0);
        (first, heard.iter().map(|&bin| height(bin) as f32).collect())
    };
    edges.windows(3).map(filter).collect()
}

impl Mel {
    pub(super) fn new() -> Self {
        let hann = |n: usize| {
            let angle = 2.0 * std::f64::consts::PI * n as f64 / WINDOW as f64;
            (0.5 - 0.5 * angle.cos()) as f32
        };
        Self {
            fft: FftPlanner::new().plan_fft_forward(WINDOW),
            window: (0..WINDOW).map(hann).collect(),
            filters: filters(),
            row: Vec::new(),
            padded: Vec::new(),
        }
    }

    /// The picture of the end of `audio`, band by band; what is missing in front is silence.
    pub(super) fn picture(&mut self, audio: &[f32]) -> Vec<f32> {
        let whole = SECONDS * SAMPLE_RATE as usize;
        let audio = &audio[audio.len().saturating_sub(whole)..];
        let (mean, scale) = level(audio, whole);
        let half = WINDOW / 2;
        self.padded.clear();
        self.padded.resize(half + whole - audio.len(), -mean * scale);
        self.padded.extend(audio.iter().map(|sample| (sample - mean) * scale));
        // The picture's edges are mirrored, so that the first and the last column see a whole window.
        for n in 0..half {
            self.padded[half - 1 - n] = self.padded[half + 1 + n];
            let last = half + whole - 1;
            self.padded.push(self.padded[last - 1 - n]);
        }
        let mut picture = vec![0.0; BANDS * COLUMNS];
        let mut most = f32::NEG_INFINITY;
        for column in 0..COLUMNS {
            let samples = &self.padded[column * HOP..column * HOP + WINDOW];
            self.row.clear();
            let windowed = samples.iter().zip(&self.window).map(|(s, w)| Complex::new(s * w, 0.0));
            self.row.extend(windowed);
            self.fft.process(&mut self.row);
            for (band, (first, weights)) in self.filters.iter().enumerate() {
                let bins = &self.row[*first..];
                let sum: f32 = weights.iter().zip(bins).map(|(w, c)| w * c.norm_sqr()).sum();
                let value = sum.max(1e-10).log10();
                most = most.max(value);
                picture[band * COLUMNS + column] = value;
            }
        }
        for value in &mut picture {
            *value = (value.max(most - 8.0) + 4.0) / 4.0;
        }
        picture
    }
}

/// Mean, and what makes the variance one, of audio that is filled up with silence.
fn level(audio: &[f32], whole: usize) -> (f32, f32) {
    let sum: f64 = audio.iter().map(|&s| f64::from(s)).sum();
    let squares: f64 = audio.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
    let mean = sum / whole as f64;
    let variance = (squares / whole as f64 - mean * mean).max(0.0);
    (mean as f32, (1.0 / (variance + 1e-7).sqrt()) as f32)
}
