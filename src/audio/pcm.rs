//! Raw samples as sockets carry them.

use super::AudioError;
use super::source::Intake;

/// Signed little-endian samples that arrive in pieces of any length, made mono at [`SAMPLE_RATE`](super::SAMPLE_RATE).
///
/// ```
/// use hearken::audio::PcmIntake;
///
/// let mut intake = PcmIntake::new("a socket", 8_000, 2, 1)?;
/// let mut samples = Vec::new();
/// for piece in [[0u8; 3], [0; 3]] {
///     intake.push(&piece, &mut samples)?;
/// }
/// intake.finish(&mut samples)?;
/// assert_eq!(samples, [0.0; 6]);
/// # Ok::<(), hearken::audio::AudioError>(())
/// ```
#[derive(Debug)]
pub struct PcmIntake {
    intake: Intake,
    name: String,
    rate: u32,
    width: usize,
    channels: usize,
    /// Bytes of a row of channels that is not whole yet.
    rest: Vec<u8>,
    floats: Vec<f32>,
}

impl PcmIntake {
    /// An intake of `channels` interleaved at `rate` Hz, each sample in `width` bytes (1 to 4).
    /// `name` stands in errors.
    ///
    /// # Errors
    /// When the rate, the width or the number of channels is none.
    pub fn new(name: &str, rate: u32, width: usize, channels: usize) -> Result<Self, AudioError> {
        if !(1..=4).contains(&width) {
            return Err(AudioError::Width { path: name.into(), width });
        }
        let intake = Intake::new(name, rate, channels)?;
        let (rest, floats) = (Vec::new(), Vec::new());
        Ok(Self { intake, name: name.into(), rate, width, channels, rest, floats })
    }

    /// Whether this is the form that the intake was made for.
    #[must_use]
    pub fn takes(&self, rate: u32, width: usize, channels: usize) -> bool {
        (self.rate, self.width, self.channels) == (rate, width, channels)
    }

    /// Takes bytes and appends the samples that became whole.
    ///
    /// # Errors
    /// When the resampler refuses, which its settings rule out.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), AudioError> {
        let row = self.width * self.channels;
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() / row * row;
        self.floats.clear();
        self.floats.extend(self.rest[..whole].chunks_exact(self.width).map(sample));
        self.rest.drain(..whole);
        self.intake.push(&self.floats, out)
    }

    /// Appends what the resampler still holds.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.rest.clear();
        self.intake.finish(&self.name, out)
    }

    /// Seconds of `bytes` in this form.
    #[must_use]
    pub fn seconds(&self, bytes: u64) -> f64 {
        bytes as f64 / (self.width * self.channels) as f64 / f64::from(self.rate.max(1))
    }
}

/// One sample of 1 to 4 bytes, the last the highest.
fn sample(bytes: &[u8]) -> f32 {
    // At the top of the word the sign comes by itself.
    let mut word = [0u8; 4];
    word[4 - bytes.len()..].copy_from_slice(bytes);
    i32::from_le_bytes(word) as f32 / 2_147_483_648.0
}

/// Samples (−1 to 1, what is beyond is clipped) as signed 16-bit little-endian bytes.
#[must_use]
pub fn to_s16le(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|&sample| super::wav::to_i16(sample).to_le_bytes()).collect()
}

/// Signed 16-bit little-endian bytes as samples; a lone last byte is left out.
#[must_use]
pub fn from_s16le(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(2).map(sample).collect()
}

/// The same of `channels` interleaved, made mono as their mean; a row that is not whole is left out.
#[must_use]
pub fn mono_from_s16le(bytes: &[u8], channels: usize) -> Vec<f32> {
    let channels = channels.max(1);
    let rows = from_s16le(bytes);
    rows.chunks_exact(channels).map(|row| row.iter().sum::<f32>() / channels as f32).collect()
}

/// A resampler's whole work on one piece of sound.
///
/// # Errors
/// When a rate is outside [`RATES`](super::RATES).
pub fn resampled(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>, AudioError> {
    let mut out = Vec::new();
    let mut resampler = super::Resampler::new(from, to)?;
    resampler.push(samples, &mut out)?;
    resampler.finish(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_is_read_and_pieces_change_nothing() {
        for (width, half) in [
            (1, vec![0x40u8]),
            (2, vec![0x00, 0x40]),
            (3, vec![0, 0, 0x40]),
            (4, vec![0, 0, 0, 0x40]),
        ] {
            let bytes: Vec<u8> = half.repeat(100);
            for piece in 1..=5 {
                let mut intake = PcmIntake::new("test", 16_000, width, 1).unwrap();
                let mut out = Vec::new();
                for chunk in bytes.chunks(piece) {
                    intake.push(chunk, &mut out).unwrap();
                }
                intake.finish(&mut out).unwrap();
                assert_eq!(out, [0.5; 100], "{width} {piece}");
            }
        }
    }

    #[test]
    fn there_and_back() {
        let bytes = to_s16le(&[0.0, 1.0, -1.0, 3.0, f32::NAN]);
        assert_eq!(bytes, [0, 0, 0xff, 0x7f, 0x01, 0x80, 0xff, 0x7f, 0, 0]);
        assert_eq!(from_s16le(&[0x00, 0x40, 0x00, 0xc0, 0x07]), [0.5, -0.5]);
    }

    #[test]
    fn silly_forms_are_named() {
        for (rate, width, channels, part) in [
            (0, 2, 1, "0 Hz"),
            (16_000, 0, 1, "0 bytes"),
            (16_000, 9, 1, "9 bytes"),
            (1, 2, 0, "0 channels"),
        ] {
            let error = PcmIntake::new("a peer", rate, width, channels).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("a peer"), "{error}");
        }
    }
}
