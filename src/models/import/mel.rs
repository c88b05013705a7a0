//! The mel filter bank that Whisper was trained with.

/// Points of the spectrum: half of a 400-point transform at 16 kHz, with both ends.
pub(super) const BINS: usize = 201;

const SAMPLE_RATE: f64 = 16_000.0;
const TRANSFORM: f64 = 400.0;

/// Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
fn hz(mel: f64) -> f64 {
    const LINEAR: f64 = 200.0 / 3.0;
    const KNEE: f64 = 15.0;
    if mel < KNEE { mel * LINEAR } else { 1_000.0 * ((6.4_f64.ln() / 27.0) * (mel - KNEE)).exp() }
}

fn mel(hz: f64) -> f64 {
    const KNEE: f64 = 15.0;
    if hz < 1_000.0 { hz * 3.0 / 200.0 } else { KNEE + (hz / 1_000.0).ln() * 27.0 / 6.4_f64.ln() }
}

/// Triangular filters of equal area, `bands` × [`BINS`], row by row.
pub(super) fn filters(bands: usize) -> Vec<f32> {
    let top = mel(SAMPLE_RATE / 2.0);
    let edges: Vec<f64> = (0..bands + 2).map(|i| hz(top * i as f64 / (bands + 1) as f64)).collect();
    let mut all = Vec::with_capacity(bands * BINS);
    for edge in edges.windows(3) {
        let (low, middle, high) = (edge[0], edge[1], edge[2]);
        for bin in 0..BINS {
            let f = bin as f64 * SAMPLE_RATE / TRANSFORM;
            let rise = (f - low) / (middle - low);
            let fall = (high - f) / (high - middle);
            let height = rise.min(fall).max(0.0) * 2.0 / (high - low);
            all.push(height as f32);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{BINS, filters};

    #[test]
    fn filters_are_those_that_whisper_publishes() {
        // Read off Whisper's own mel_filters.npz.
        for (bands, band, bin, want) in [
            (80, 0, 1, 0.024_862_595),
            (80, 1, 2, 0.022_871_772),
            (80, 40, 43, 0.014_735_566),
            (80, 40, 45, 0.0),
            (80, 79, 190, 0.002_232_055),
            (80, 79, 198, 0.000_897_518),
            (128, 0, 1, 0.012_373_987),
            (128, 127, 198, 0.002_228_56),
        ] {
            let f = filters(bands);
            assert_eq!(f.len(), bands * BINS);
            let got = f[band * BINS + bin];
            assert!(
                (got - want).abs() < 1e-8,
                "{bands}: band {band}, bin {bin}: {got}, want {want}"
            );
        }
    }

    #[test]
    fn every_band_hears_something_and_keeps_its_area() {
        for bands in [80, 128] {
            let f = filters(bands);
            for (i, band) in f.chunks(BINS).enumerate() {
                assert!(band.iter().any(|&v| v > 0.0), "band {i} of {bands} is deaf");
            }
            // A triangle of equal area sums to 1 / (40 Hz a bin) where it is sampled well.
            let last: f32 = f[(bands - 1) * BINS..].iter().sum();
            assert!((last - 0.025).abs() < 0.002, "{bands} bands: the last sums to {last}");
        }
    }
}
