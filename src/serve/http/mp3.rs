//! MP3 that is sent while it is made.
//!
//! The encoder gives its bytes only at the end of what it was given. Its frames do not lean on each other's
//! bits, though, and each depends on the sound of its own and of the two before alone. So every piece is
//! encoded by itself, with two frames of the sound before it in front, whose bytes are left out: what comes
//! out is the same, byte for byte, as if all had been encoded at once.

use oxideav_mp3::frame::{ChannelMode, FrameWalker};
use oxideav_mp3::stream_encoder::Mp3Encoder;

/// Samples of a frame at 24 kHz.
const FRAME: usize = 576;
/// Frames that an encoder needs before its bytes are those of one that has heard everything.
const WARM_UP: usize = 2;
/// The fewest frames of a piece: a quarter of a second, so that the frames before it cost little.
const PIECE: usize = 10;
/// Thousands of bits a second. Speech keeps 33 dB over what is lost (96: 21, 160: 50).
const KBPS: u32 = 128;

/// Sound on its way to be MP3.
#[derive(Debug)]
pub(super) struct Mp3File {
    rate: u32,
    /// The frames before, and what is not encoded yet.
    samples: Vec<i16>,
    /// How many of them are of frames that were written.
    written: usize,
}

impl Mp3File {
    /// For samples at `rate` Hz.
    pub(super) fn new(rate: u32) -> Self {
        Self { rate, samples: Vec::new(), written: 0 }
    }

    /// Takes samples and gives the frames that became whole.
    pub(super) fn push(&mut self, samples: &[f32]) -> Result<Vec<u8>, String> {
        let whole = |sample: &f32| (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16;
        self.samples.extend(samples.iter().map(whole));
        let frames = (self.samples.len() - self.written) / FRAME;
        match frames >= PIECE {
            true => self.encode(self.written + frames * FRAME),
            false => Ok(Vec::new()),
        }
    }

    /// The last frames. The filters hold back some sound, so two frames of silence push it out.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, String> {
        let whole = self.samples.len().next_multiple_of(FRAME) + 2 * FRAME;
        self.samples.resize(whole, 0);
        self.encode(whole)
    }

    /// Encodes up to a sample where a frame ends.
    fn encode(&mut self, end: usize) -> Result<Vec<u8>, String> {
        let failed = |error: oxideav_mp3::stream_encoder::StreamEncodeError| error.to_string();
        let mut encoder =
            Mp3Encoder::new(KBPS, self.rate, ChannelMode::SingleChannel).map_err(failed)?;
        encoder.push_samples(&self.samples[..end]).map_err(failed)?;
        let mut all = Vec::new();
        encoder.finish(&mut all).map_err(failed)?;
        let mut bytes = Vec::with_capacity(all.len());
        for frame in FrameWalker::new(&all).skip(self.written / FRAME) {
            bytes.extend_from_slice(frame.data);
        }
        let kept = end.saturating_sub(WARM_UP * FRAME);
        self.samples.drain(..kept);
        self.written = end - kept;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A voice of sorts: harmonics that glide.
    fn sound() -> Vec<f32> {
        let mut phase = 0.0f32;
        (0..48_000)
            .map(|i| {
                phase += (120.0 + 40.0 * (i as f32 / 9000.0).sin()) / 24_000.0;
                (1..8)
                    .map(|n| (phase * n as f32 * std::f32::consts::TAU).sin() / n as f32)
                    .sum::<f32>()
                    * 0.2
            })
            .collect()
    }

    #[test]
    fn pieces_are_the_bytes_of_the_whole() {
        let sound = sound();
        let whole = {
            let mut encoder = Mp3Encoder::new(KBPS, 24_000, ChannelMode::SingleChannel).unwrap();
            let samples: Vec<i16> = sound.iter().map(|s| (s * 32_767.0).round() as i16).collect();
            encoder.push_samples(&samples).unwrap();
            encoder
                .push_samples(&vec![
                    0;
                    samples.len().next_multiple_of(FRAME) + 2 * FRAME
                        - samples.len()
                ])
                .unwrap();
            let mut bytes = Vec::new();
            encoder.finish(&mut bytes).unwrap();
            bytes
        };
        for piece in [1, 577, 6_000, 48_000] {
            let (mut file, mut bytes) = (Mp3File::new(24_000), Vec::new());
            for samples in sound.chunks(piece) {
                bytes.extend(file.push(samples).unwrap());
                assert!(file.samples.len() < (PIECE + WARM_UP) * FRAME, "what is kept has a bound");
            }
            assert!(piece > 6_000 || bytes.len() > whole.len() * 8 / 10, "it flows");
            bytes.extend(file.finish().unwrap());
            assert!(bytes == whole, "in pieces of {piece}: {} and {}", bytes.len(), whole.len());
        }
    }

    #[test]
    fn another_decoder_hears_what_was_said() {
        let sound = sound();
        let mut file = Mp3File::new(24_000);
        let mut bytes = file.push(&sound).unwrap();
        bytes.extend(file.finish().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp3");
        std::fs::write(&path, &bytes).unwrap();
        let heard = crate::audio::read_mono_16k(&path).unwrap();
        let said = crate::audio::resampled(&sound, 24_000, 16_000).unwrap();
        // The encoder and the decoder delay it by less than a tenth of a second.
        let error = |late: usize| -> f32 {
            said.iter().zip(&heard[late..]).map(|(a, b)| (a - b).powi(2)).sum()
        };
        let least = (0..1600).map(error).fold(f32::MAX, f32::min);
        let power: f32 = said.iter().map(|s| s * s).sum();
        assert!(10.0 * (power / least).log10() > 20.0, "{} dB", 10.0 * (power / least).log10());
    }
}
