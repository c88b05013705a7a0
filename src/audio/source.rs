//! Where sound comes from, as mono samples at the core's rate.

use std::io::Read;
use std::time::Duration;

use super::{AudioError, RATES, Resampler, SAMPLE_RATE};

/// The most channels that are taken: more than any microphone array has.
pub const MAX_CHANNELS: usize = 64;

/// A stream of mono samples at [`SAMPLE_RATE`], pulled by whoever can use more: a file, a pipe or a
/// microphone, which the session need not tell apart.
///
/// ```
/// use hearken::audio::{AudioError, FRAME_SAMPLES, Framer, RawSource, Source};
///
/// /// All frames of a source.
/// fn frames(source: &mut dyn Source) -> Result<usize, AudioError> {
///     let (mut framer, mut chunk, mut frames) = (Framer::new(), Vec::new(), 0);
///     while source.read(&mut chunk)? > 0 {
///         framer.push(&chunk, |_| frames += 1);
///         chunk.clear();
///     }
///     framer.finish(|_| frames += 1);
///     Ok(frames)
/// }
///
/// // Half a second of silence as raw 16-bit samples.
/// let mut source = RawSource::new(std::io::repeat(0).take(16_000), "silence", 16_000, 1)?;
/// assert_eq!(frames(&mut source)?, 8000 / FRAME_SAMPLES);
/// # use std::io::Read;
/// # Ok::<(), AudioError>(())
/// ```
pub trait Source: Send {
    /// Appends the next chunk, of any length, to `out` and returns how many samples it has. 0 is the
    /// end, and stays it.
    ///
    /// # Errors
    /// When the source cannot be read further, or ends without a single sample.
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize, AudioError>;

    /// How long the sound is, where that is known beforehand. It comes from outside: show it, do not
    /// size memory by it.
    fn duration(&self) -> Option<Duration> {
        None
    }
}

/// Interleaved samples of any rate and number of channels, made mono at [`SAMPLE_RATE`].
#[derive(Debug)]
pub(super) struct Intake {
    channels: usize,
    resampler: Resampler,
    mono: Vec<f32>,
    /// Samples that were not numbers, and became silence.
    pub(super) not_numbers: u64,
}

impl Intake {
    pub(super) fn new(path: &str, rate: u32, channels: usize) -> Result<Self, AudioError> {
        if !RATES.contains(&rate) {
            return Err(AudioError::Rate { path: path.into(), rate });
        }
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(AudioError::Channels { path: path.into(), channels });
        }
        let resampler = Resampler::new(rate, SAMPLE_RATE)?;
        Ok(Self { channels, resampler, mono: Vec::new(), not_numbers: 0 })
    }

    /// True when this rate and number of channels is what the intake was made for.
    pub(super) fn takes(&self, rate: u32, channels: usize) -> bool {
        self.resampler.input_rate() == rate && self.channels == channels
    }

    /// Mixes whole rows of channels down and appends what the resampler makes of them.
    pub(super) fn push(
        &mut self,
        interleaved: &[f32],
        out: &mut Vec<f32>,
    ) -> Result<(), AudioError> {
        let share = 1.0 / self.channels as f32;
        let mut not_numbers = 0;
        self.mono.clear();
        self.mono.extend(interleaved.chunks_exact(self.channels).map(|row| {
            let sum: f32 = row
                .iter()
                .map(|&sample| {
                    if sample.is_finite() {
                        return sample.clamp(-1.0, 1.0);
                    }
                    not_numbers += 1;
                    0.0
                })
                .sum();
            sum * share
        }));
        self.not_numbers += not_numbers;
        self.resampler.push(&self.mono, out)
    }

    pub(super) fn finish(&mut self, path: &str, out: &mut Vec<f32>) -> Result<(), AudioError> {
        if self.not_numbers > 0 {
            tracing::warn!(
                path,
                samples = self.not_numbers,
                "samples that are not numbers became silence"
            );
            self.not_numbers = 0;
        }
        self.resampler.finish(out)
    }
}

/// Raw signed 16-bit little-endian samples from anything that can be read, such as standard input.
///
/// Reads what is there and no more, so that a live pipe is heard at once.
pub struct RawSource<R> {
    from: R,
    name: String,
    intake: Intake,
    bytes: Vec<u8>,
    /// How many of `bytes` wait for the rest of their row of channels.
    kept: usize,
    samples: Vec<f32>,
    any: bool,
    ended: bool,
}

impl<R> std::fmt::Debug for RawSource<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawSource").field("from", &self.name).finish_non_exhaustive()
    }
}

impl<R: Read + Send> RawSource<R> {
    /// A source of interleaved samples at `rate` Hz; `name` stands in errors.
    ///
    /// # Errors
    /// When the rate is outside [`RATES`] or there are no channels or more than [`MAX_CHANNELS`].
    pub fn new(from: R, name: &str, rate: u32, channels: usize) -> Result<Self, AudioError> {
        Ok(Self {
            from,
            name: name.into(),
            intake: Intake::new(name, rate, channels)?,
            bytes: vec![0; 8192],
            kept: 0,
            samples: Vec::new(),
            any: false,
            ended: false,
        })
    }

    fn end(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.ended = true;
        if self.kept > 0 {
            tracing::warn!(
                from = self.name,
                bytes = self.kept,
                "the stream ends inside a sample; its last bytes are left out"
            );
        }
        if !self.any {
            let path = self.name.clone();
            return Err(match self.kept {
                0 => AudioError::Empty { path },
                n => AudioError::NoSamples {
                    path,
                    reason: format!("{n} bytes are less than one 16-bit sample of every channel"),
                },
            });
        }
        self.intake.finish(&self.name, out)
    }
}

impl<R: Read + Send> Source for RawSource<R> {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize, AudioError> {
        let before = out.len();
        let row = self.intake.channels * 2;
        while out.len() == before && !self.ended {
            let got = match self.from.read(&mut self.bytes[self.kept..]) {
                Ok(got) => got,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    self.ended = true;
                    return Err(AudioError::Read { path: self.name.clone(), source });
                }
            };
            if got == 0 {
                self.end(out)?;
                break;
            }
            let filled = self.kept + got;
            let whole = filled - filled % row;
            self.samples.clear();
            self.samples.extend(
                self.bytes[..whole]
                    .chunks_exact(2)
                    .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0),
            );
            self.bytes.copy_within(whole..filled, 0);
            self.kept = filled - whole;
            self.any |= whole > 0;
            self.intake.push(&self.samples, out)?;
        }
        Ok(out.len() - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of the given length.
    struct Drip(Vec<u8>, usize);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0.drain(..n);
            Ok(n)
        }
    }

    fn read_all(source: &mut dyn Source) -> Result<Vec<f32>, AudioError> {
        let mut out = Vec::new();
        while source.read(&mut out)? > 0 {}
        assert_eq!(source.read(&mut out)?, 0, "the end stays the end");
        Ok(out)
    }

    fn bytes(samples: &[i16]) -> Vec<u8> {
        samples.iter().flat_map(|s| s.to_le_bytes()).collect()
    }

    #[test]
    fn raw_samples_arrive_however_they_are_cut() {
        let stereo = bytes(&[16_384, 0, -16_384, -16_384, 0, 8192]);
        for piece in 1..=stereo.len() {
            let mut source =
                RawSource::new(Drip(stereo.clone(), piece), "pipe", 16_000, 2).unwrap();
            assert_eq!(read_all(&mut source).unwrap(), [0.25, -0.5, 0.125], "pieces of {piece}");
        }
    }

    #[test]
    fn raw_samples_are_resampled() {
        let mut source = RawSource::new(Drip(vec![0; 2 * 8000], 999), "pipe", 8000, 1).unwrap();
        assert_eq!(read_all(&mut source).unwrap().len(), 16_000);
    }

    #[test]
    fn an_odd_last_byte_is_left_out() {
        let mut source = RawSource::new(Drip(vec![0, 0x40, 7], 100), "pipe", 16_000, 1).unwrap();
        assert_eq!(read_all(&mut source).unwrap(), [0.5]);
    }

    #[test]
    fn bad_streams_are_named() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::ConnectionReset.into())
            }
        }
        let read = |bytes: Vec<u8>, channels| {
            RawSource::new(Drip(bytes, 100), "standard input", 16_000, channels)
                .and_then(|mut source| read_all(&mut source))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(read(vec![], 1), "standard input is empty (0 bytes)");
        assert!(read(vec![1], 1).contains("1 bytes are less than one 16-bit sample"));
        assert!(read(vec![0; 8], 0).contains("0 channels"));
        assert!(read(vec![0; 8], 65).contains("65 channels"));
        let error = RawSource::new(Drip(vec![], 1), "standard input", 768_001, 1).unwrap_err();
        assert!(error.to_string().contains("768001 Hz"));
        let mut broken = RawSource::new(Broken, "pipe", 16_000, 1).unwrap();
        assert!(read_all(&mut broken).unwrap_err().to_string().starts_with("cannot read pipe"));
    }

    #[test]
    fn what_is_no_number_becomes_silence_and_is_counted() {
        let mut intake = Intake::new("x", 16_000, 1).unwrap();
        let mut out = Vec::new();
        let input = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3.0, -3.0, 0.5];
        intake.push(&input, &mut out).unwrap();
        assert_eq!(out, [0.0, 0.0, 0.0, 1.0, -1.0, 0.5]);
        assert_eq!(intake.not_numbers, 3);
    }
}
