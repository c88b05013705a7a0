//! Speech as the bytes of a file that is sent while it is made.

use std::io::Write;

use crate::audio::Resampler;
use crate::audio::to_s16le;

use super::mp3::Mp3File;
use super::ogg::OpusFile;

/// The rate of everything that is sent, in Hz; voices have rates of their own.
const RATE: u32 = 24_000;

/// A format that speech can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Wav,
    Pcm,
    Flac,
    Opus,
    Mp3,
}

impl Format {
    /// The format of a name; without one, MP3, as clients of OpenAI expect.
    pub(super) fn named(name: Option<&str>) -> Result<Self, String> {
        match name {
            None | Some("mp3") => Ok(Self::Mp3),
            Some("wav") => Ok(Self::Wav),
            Some("pcm") => Ok(Self::Pcm),
            Some("flac") => Ok(Self::Flac),
            Some("opus") => Ok(Self::Opus),
            Some("aac") => Err("aac is not made here; use mp3, opus, flac, wav or pcm".into()),
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                Err(format!("{other:?} is none of mp3, opus, flac, wav, pcm"))
            }
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Pcm => "audio/pcm",
            Self::Flac => "audio/flac",
            Self::Opus => "audio/ogg; codecs=opus",
            Self::Mp3 => "audio/mpeg",
        }
    }
}

/// Makes bytes of samples.
pub(super) struct Encoder {
    to: Target,
    resampler: Option<Resampler>,
    samples: Vec<f32>,
}

enum Target {
    /// Whether the header has been written.
    Wav(bool),
    Pcm,
    /// FLAC is made at the end: its frames want to be of one length.
    Flac(Vec<i32>),
    Opus(OpusFile),
    Mp3(Mp3File),
}

impl Encoder {
    pub(super) fn new(format: Format) -> Result<Self, String> {
        let to = match format {
            Format::Wav => Target::Wav(false),
            Format::Pcm => Target::Pcm,
            Format::Flac => Target::Flac(Vec::new()),
            Format::Opus => Target::Opus(OpusFile::new(RATE)?),
            Format::Mp3 => Target::Mp3(Mp3File::new(RATE)),
        };
        Ok(Self { to, resampler: None, samples: Vec::new() })
    }

    /// Takes samples and gives the bytes that became whole.
    pub(super) fn push(&mut self, samples: &[f32], rate: u32) -> Result<Vec<u8>, String> {
        self.samples.clear();
        if self.resampler.as_ref().is_none_or(|own| own.input_rate() != rate) {
            self.drain()?;
            self.resampler = Some(Resampler::new(rate, RATE).map_err(|e| e.to_string())?);
        }
        if let Some(resampler) = &mut self.resampler {
            resampler.push(samples, &mut self.samples).map_err(|e| e.to_string())?;
        }
        self.write()
    }

    fn drain(&mut self) -> Result<(), String> {
        match &mut self.resampler {
            Some(resampler) => resampler.finish(&mut self.samples).map_err(|e| e.to_string()),
            None => Ok(()),
        }
    }

    fn write(&mut self) -> Result<Vec<u8>, String> {
        match &mut self.to {
            Target::Wav(begun) => {
                let mut bytes = Vec::new();
                if !std::mem::replace(begun, true) {
                    bytes.extend_from_slice(&header());
                }
                bytes.extend(to_s16le(&self.samples));
                Ok(bytes)
            }
            Target::Pcm => Ok(to_s16le(&self.samples)),
            Target::Flac(all) => {
                all.extend(self.samples.iter().map(|s| (s.clamp(-1.0, 1.0) * 32_767.0) as i32));
                Ok(Vec::new())
            }
            Target::Opus(file) => file.push(&self.samples),
            Target::Mp3(file) => file.push(&self.samples),
        }
    }

    /// The last bytes.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, String> {
        self.samples.clear();
        self.drain()?;
        let mut bytes = self.write()?;
        match self.to {
            Target::Flac(all) => bytes = flac(&all)?,
            Target::Opus(file) => bytes.extend(file.finish()?),
            Target::Mp3(file) => bytes.extend(file.finish()?),
            Target::Wav(_) | Target::Pcm => {}
        }
        Ok(bytes)
    }
}

/// The header of a WAV file that goes on until it ends.
fn header() -> Vec<u8> {
    let (rate, unknown) = (RATE.to_le_bytes(), u32::MAX.to_le_bytes());
    let mut bytes = Vec::with_capacity(44);
    // Writing into memory cannot fail.
    let _ = bytes.write_all(b"RIFF").and_then(|()| bytes.write_all(&unknown));
    bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend_from_slice(&rate);
    bytes.extend_from_slice(&(RATE * 2).to_le_bytes());
    bytes.extend_from_slice(b"\x02\0\x10\0data");
    bytes.extend_from_slice(&unknown);
    bytes
}

fn flac(samples: &[i32]) -> Result<Vec<u8>, String> {
    use flacenc::component::BitRepr;
    use flacenc::error::Verify;
    let config =
        flacenc::config::Encoder::default().into_verified().map_err(|(_, e)| e.to_string())?;
    let source = flacenc::source::MemSource::from_samples(samples, 1, 16, RATE as usize);
    let mut stream = flacenc::encode_with_fixed_block_size(&config, source, config.block_size)
        .map_err(|e| e.to_string())?;
    // The last block is shorter and does not count; readers take other sizes for another kind of file.
    let (info, size) = (stream.stream_info_mut(), config.block_size);
    info.set_block_sizes(size, size).map_err(|e| e.to_string())?;
    let mut sink = flacenc::bitsink::ByteSink::new();
    stream.write(&mut sink).map_err(|e| e.to_string())?;
    Ok(sink.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(format: Format) -> Vec<u8> {
        let mut encoder = Encoder::new(format).unwrap();
        let tone: Vec<f32> = (0..22_050).map(|i| (i as f32 * 0.05).sin() * 0.5).collect();
        let mut bytes = Vec::new();
        for chunk in tone.chunks(3000) {
            bytes.extend(encoder.push(chunk, 22_050).unwrap());
        }
        bytes.extend(encoder.finish().unwrap());
        bytes
    }

    #[test]
    fn a_second_is_a_second_in_every_format() {
        assert_eq!(encode(Format::Pcm).len(), 48_000);
        let wav = encode(Format::Wav);
        assert_eq!(wav.len(), 44 + 48_000);
        assert_eq!(&wav[36..44], b"data\xff\xff\xff\xff");
        for (format, name) in [(Format::Wav, "a.wav"), (Format::Flac, "a.flac")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            std::fs::write(&path, encode(format)).unwrap();
            let samples = crate::audio::read_mono_16k(&path).unwrap();
            assert!((15_990..=16_010).contains(&samples.len()), "{name}: {}", samples.len());
            let loud = samples.iter().fold(0.0f32, |most, s| most.max(s.abs()));
            assert!((0.45..0.55).contains(&loud), "{name}: {loud}");
        }
    }

    #[test]
    fn what_is_not_made_is_said() {
        for name in ["aac", "x"] {
            assert!(Format::named(Some(name)).unwrap_err().contains("wav"));
        }
    }
}
