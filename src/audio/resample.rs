//! From one sample rate to another.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, WindowFunction,
};

use super::AudioError;

/// The sample rates that are taken, in Hz: from the slowest that is a rate at all to twice what the
/// fastest converters give.
pub const RATES: std::ops::RangeInclusive<u32> = 1..=768_000;

/// Taps of the filter at the lower of the two rates: cut off at 0.9 of its Nyquist frequency, 4 ms of
/// delay at 16 kHz.
const TAPS: usize = 128;

/// No filter is longer than this, so that absurd ratios cost quality and not memory. It is full
/// length down to 1 : 128.
const MAX_TAPS: usize = 16_384;

/// Points of the filter's table between two taps. Cubic interpolation between so many errs 130 dB
/// below the signal, and the table is made in a few milliseconds.
const OVERSAMPLING: usize = 32;

/// Changes the sample rate of a mono stream with a windowed sinc filter.
///
/// The delay of the filter is taken out: output sample *n* sounds at the time of input sample
/// *n* × `from` ÷ `to`, and after [`finish`](Self::finish) the output has exactly the input's length
/// × `to` ÷ `from`, rounded. How the input is cut into chunks changes nothing.
///
/// ```
/// use hearken::audio::Resampler;
///
/// let mut resampler = Resampler::new(44_100, 16_000)?;
/// let mut out = Vec::new();
/// for chunk in [0.5; 44_100].chunks(1000) {
///     resampler.push(chunk, &mut out)?;
/// }
/// resampler.finish(&mut out)?;
/// assert_eq!(out.len(), 16_000);
/// # Ok::<(), hearken::audio::AudioError>(())
/// ```
pub struct Resampler {
    from: u32,
    to: u32,
    /// Absent when both rates are equal.
    sinc: Option<Sinc>,
    /// Input samples so far.
    given: u64,
    /// Output samples so far.
    made: u64,
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("given", &self.given)
            .field("made", &self.made)
            .finish_non_exhaustive()
    }
}

impl Resampler {
    /// A resampler from one rate to another, both in Hz.
    ///
    /// # Errors
    /// When a rate is outside [`RATES`].
    pub fn new(from: u32, to: u32) -> Result<Self, AudioError> {
        for rate in [from, to] {
            if !RATES.contains(&rate) {
                return Err(AudioError::Rate { path: "resampling".into(), rate });
            }
        }
        let sinc = match from == to {
            true => None,
            false => Some(Sinc::new(from, to).map_err(|reason| failed(from, to, &reason))?),
        };
        Ok(Self { from, to, sinc, given: 0, made: 0 })
    }

    /// The rate that goes in, in Hz.
    #[must_use]
    pub fn input_rate(&self) -> u32 {
        self.from
    }

    /// The rate that comes out, in Hz.
    #[must_use]
    pub fn output_rate(&self) -> u32 {
        self.to
    }

    /// Takes the next samples and appends to `out` what they make whole.
    ///
    /// # Errors
    /// When the engine refuses its buffers, which their sizes rule out.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.given += samples.len() as u64;
        let before = out.len();
        match &mut self.sinc {
            None => out.extend_from_slice(samples),
            Some(sinc) => {
                sinc.push(samples, out).map_err(|reason| failed(self.from, self.to, &reason))?;
            }
        }
        self.made += (out.len() - before) as u64;
        Ok(())
    }

    /// Appends what the filter still holds, and is ready for a new stream.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let due = rescale(self.given, self.from, self.to);
        if let Some(sinc) = &mut self.sinc {
            // The filter's tail comes out when silence goes in; more than is due is cut off.
            let before = out.len();
            let missing = usize::try_from(due.saturating_sub(self.made)).unwrap_or(usize::MAX);
            sinc.flush(missing, out).map_err(|reason| failed(self.from, self.to, &reason))?;
            out.truncate(before + missing);
            sinc.reset();
        }
        self.given = 0;
        self.made = 0;
        Ok(())
    }
}

/// How many samples at rate `to` last as long as `samples` at rate `from`, rounded.
fn rescale(samples: u64, from: u32, to: u32) -> u64 {
    let exact = u128::from(samples) * u128::from(to) + u128::from(from) / 2;
    u64::try_from(exact / u128::from(from)).unwrap_or(u64::MAX)
}

fn failed(from: u32, to: u32, reason: &dyn std::fmt::Display) -> AudioError {
    AudioError::Resample { from, to, reason: reason.to_string() }
}

/// rubato's sinc resampler, which works on blocks of one size.
struct Sinc {
    engine: Async<f32>,
    /// Input that does not yet fill a block.
    waiting: Vec<f32>,
    /// Room for what one block makes.
    made: Vec<f32>,
    /// Output samples of the filter's delay that are to be dropped, and those that still are.
    delay: usize,
    to_drop: usize,
}

impl Sinc {
    fn new(from: u32, to: u32) -> Result<Self, rubato::ResamplerConstructionError> {
        let ratio = f64::from(to) / f64::from(from);
        // The filter's length counts input samples, so it grows with the input's rate.
        let taps = (TAPS as f64 / ratio.min(1.0)).ceil().min(MAX_TAPS as f64) as usize;
        // rubato rounds up to this by itself; the delay below needs the number.
        let taps = taps.next_multiple_of(8);
        let parameters = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris2)
            .oversampling_factor(OVERSAMPLING);
        // 5 ms: small beside a frame, so that a live stream does not wait here.
        let block = (from / 200).max(1) as usize;
        let engine = Async::new_sinc(ratio, 1.0, &parameters, block, 1, FixedAsync::Input)?;
        let made = vec![0.0; engine.output_frames_max()];
        // Half the filter, less the step that rubato takes before its first output sample (measured:
        // its own `output_delay` is up to one sample too long).
        let delay = (taps as f64 * ratio / 2.0 - 1.0).round().max(0.0) as usize;
        Ok(Self { engine, waiting: Vec::new(), made, delay, to_drop: delay })
    }

    fn reset(&mut self) {
        self.engine.reset();
        self.waiting.clear();
        self.to_drop = self.delay;
    }

    fn push(
        &mut self,
        samples: &[f32],
        out: &mut Vec<f32>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        self.waiting.extend_from_slice(samples);
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut blocks = waiting.chunks_exact(self.engine.input_frames_next());
        for block in &mut blocks {
            self.run(block, out)?;
        }
        let rest = blocks.remainder().len();
        waiting.drain(..waiting.len() - rest);
        self.waiting = waiting;
        Ok(())
    }

    /// Feeds silence until at least `missing` samples came out.
    fn flush(
        &mut self,
        missing: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let due = out.len().saturating_add(missing);
        let block = std::mem::take(&mut self.waiting);
        if out.len() < due && !block.is_empty() {
            self.run(&block, out)?;
        }
        while out.len() < due {
            self.run(&[], out)?;
        }
        Ok(())
    }

    /// Runs one block; a short one is filled up with silence.
    fn run(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<(), Box<dyn std::error::Error>> {
        let size = self.made.len();
        let input = InterleavedSlice::new(block, 1, block.len())?;
        let mut output = InterleavedSlice::new_mut(&mut self.made, 1, size)?;
        let indexing = Indexing::new().partial_len(block.len());
        let (_, made) = self.engine.process_into_buffer(&input, &mut output, Some(&indexing))?;
        let dropped = made.min(self.to_drop);
        self.to_drop -= dropped;
        out.extend_from_slice(&self.made[dropped..made]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resample(input: &[f32], from: u32, to: u32, chunk: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        for part in input.chunks(chunk.max(1)) {
            resampler.push(part, &mut out).unwrap();
        }
        resampler.finish(&mut out).unwrap();
        out
    }

    fn sine(hz: f64, rate: u32, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|n| (0.5 * (std::f64::consts::TAU * hz * n as f64 / f64::from(rate)).sin()) as f32)
            .collect()
    }

    /// How far the signal stands above everything in it that is not a sine of `hz`, in dB, and by how
    /// many samples that sine is late.
    fn purity(signal: &[f32], hz: f64, rate: u32) -> (f64, f64) {
        let step = std::f64::consts::TAU * hz / f64::from(rate);
        let (mut s, mut c, mut ss, mut cc, mut sc) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (n, &x) in signal.iter().enumerate() {
            let (sin, cos) = (step * n as f64).sin_cos();
            s += f64::from(x) * sin;
            c += f64::from(x) * cos;
            ss += sin * sin;
            cc += cos * cos;
            sc += sin * cos;
        }
        let det = ss * cc - sc * sc;
        let (a, b) = ((s * cc - c * sc) / det, (c * ss - s * sc) / det);
        let (mut signal_power, mut rest_power) = (0.0, 0.0);
        for (n, &x) in signal.iter().enumerate() {
            let (sin, cos) = (step * n as f64).sin_cos();
            let pure = a * sin + b * cos;
            signal_power += pure * pure;
            rest_power += (f64::from(x) - pure).powi(2);
        }
        (10.0 * (signal_power / rest_power).log10(), -b.atan2(a) / step)
    }

    #[test]
    fn a_sine_stays_a_sine_at_its_place() {
        for (from, to) in [
            (8_000, 16_000),
            (11_025, 16_000),
            (16_000, 8_000),
            (22_050, 16_000),
            (22_050, 48_000),
            (24_000, 44_100),
            (32_000, 16_000),
            (44_100, 16_000),
            (44_101, 16_000),
            (48_000, 16_000),
            (96_000, 16_000),
            (192_000, 16_000),
            (16_000, 44_100),
        ] {
            for hz in [100.0, 1000.0, 0.4 * f64::from(from.min(to))] {
                let out = resample(&sine(hz, from, from as usize), from, to, 1000);
                // The ends ring where the sine begins and ends abruptly.
                let edge = (to / 20) as usize;
                let middle = &out[edge..out.len() - edge];
                let (snr, _) = purity(middle, hz, to);
                assert!(snr > 100.0, "{from} to {to} Hz, sine of {hz} Hz: {snr:.1} dB");
            }
            let out = resample(&sine(100.0, from, from as usize), from, to, 1000);
            let (_, late) = purity(&out, 100.0, to);
            assert!(late.abs() < 0.55, "{from} to {to} Hz: {late:.2} samples late");
        }
    }

    #[test]
    fn what_would_alias_is_removed() {
        let out = resample(&sine(10_000.0, 48_000, 48_000), 48_000, 16_000, 4096);
        let loudest = out[800..15_200].iter().fold(0.0_f32, |a, &b| a.max(b.abs()));
        assert!(loudest < 5e-4, "a sine of 10 kHz came through at 16 kHz with {loudest}");
    }

    #[test]
    fn finishing_makes_it_new() {
        let input = sine(440.0, 44_100, 5000);
        let mut resampler = Resampler::new(44_100, 16_000).unwrap();
        let mut runs = [Vec::new(), Vec::new()];
        for out in &mut runs {
            resampler.push(&input, out).unwrap();
            resampler.finish(out).unwrap();
        }
        assert_eq!(runs[0], runs[1]);
    }

    #[test]
    fn nothing_in_gives_nothing_out() {
        assert!(resample(&[], 48_000, 16_000, 1).is_empty());
        assert_eq!(resample(&[0.25], 16_000, 16_000, 1), [0.25]);
    }

    #[test]
    fn rates_out_of_reach_are_refused() {
        for (from, to, named) in
            [(0, 16_000, "0 Hz"), (16_000, 0, "0 Hz"), (768_001, 16_000, "768001 Hz")]
        {
            let error = Resampler::new(from, to).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_slowest_and_the_fastest_rates_keep_the_length() {
        assert_eq!(resample(&[0.1, 0.2, 0.3], 1, 16_000, 1).len(), 48_000);
        assert_eq!(resample(&vec![0.1; 768_000], 768_000, 16_000, 999).len(), 16_000);
        assert_eq!(resample(&vec![0.1; 768_000], 768_000, 1, 50_000).len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_length_is_the_ratio_and_chunks_do_not_matter(
            from in 4_000_u32..100_000,
            to in 8_000_u32..48_000,
            samples in 0_usize..6000,
            chunk in 1_usize..3000,
        ) {
            let input = sine(300.0, from, samples);
            let whole = resample(&input, from, to, samples);
            let exact = samples as f64 * f64::from(to) / f64::from(from);
            prop_assert!((whole.len() as f64 - exact).abs() <= 1.0);
            prop_assert_eq!(whole, resample(&input, from, to, chunk));
        }
    }
}
