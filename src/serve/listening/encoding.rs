//! How the sound stands that a client sends: samples, a telephone's bytes, or a WAV file from its header on.

use crate::audio::AudioError;
use crate::audio::G711;
use crate::audio::PcmIntake;
use crate::audio::to_s16le;

/// The longest header of a WAV file in bytes.
const LONGEST_HEADER: usize = 64 * 1024;

/// What cannot be taken for sound.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("this is {0}, which is not taken here; send raw 16-bit samples, or a WAV file")]
    Container(&'static str),
    #[error("the WAV header {0}")]
    Header(String),
    #[error(transparent)]
    Audio(#[from] AudioError),
}

/// How bytes become samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Signed little-endian samples of so many bytes each.
    Linear(usize),
    /// A telephone's bytes.
    Law(G711),
}

/// Bytes as they come, to mono at 16 kHz.
#[derive(Debug)]
pub(super) struct Intake {
    state: State,
}

#[derive(Debug)]
enum State {
    /// What nobody has told yet: the first bytes tell it.
    Open {
        first: Vec<u8>,
        rate: u32,
        channels: usize,
    },
    Known(Box<PcmIntake>, Encoding),
}

impl Intake {
    /// For sound of this kind; `rate` in Hz.
    pub(super) fn new(encoding: Encoding, rate: u32, channels: usize) -> Result<Self, AudioError> {
        let width = match encoding {
            Encoding::Linear(width) => width,
            Encoding::Law(_) => 2,
        };
        let intake = PcmIntake::new("sample_rate", rate, width, channels)?;
        Ok(Self { state: State::Known(Box::new(intake), encoding) })
    }

    /// For sound that tells itself what it is by a header; without one it is 16-bit samples at `rate`.
    pub(super) fn open(rate: u32, channels: usize) -> Result<Self, AudioError> {
        PcmIntake::new("sample_rate", rate, 2, channels)?;
        Ok(Self { state: State::Open { first: Vec::new(), rate, channels } })
    }

    /// Takes bytes and appends the samples that became whole.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), Unreadable> {
        let rest = match &mut self.state {
            State::Known(intake, encoding) => return feed(intake, *encoding, bytes, out),
            State::Open { first, rate, channels } => {
                first.extend_from_slice(bytes);
                match begin(first, *rate, *channels)? {
                    Some((new, at)) => {
                        let rest = first.split_off(at.min(first.len()));
                        *self = new;
                        rest
                    }
                    None => return Ok(()),
                }
            }
        };
        self.push(&rest, out)
    }

    /// Appends what is still held.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), Unreadable> {
        if let State::Known(intake, _) = &mut self.state {
            intake.finish(out)?;
        }
        Ok(())
    }
}

fn feed(
    intake: &mut PcmIntake,
    encoding: Encoding,
    bytes: &[u8],
    out: &mut Vec<f32>,
) -> Result<(), Unreadable> {
    match encoding {
        Encoding::Linear(_) => intake.push(bytes, out)?,
        Encoding::Law(law) => intake.push(&to_s16le(&law.decode(bytes)), out)?,
    }
    Ok(())
}

/// What the first bytes say, and where the sound begins among them; nothing yet, while they are too few.
fn begin(first: &[u8], rate: u32, channels: usize) -> Result<Option<(Intake, usize)>, Unreadable> {
    if first.len() < 12 {
        return Ok(None);
    }
    for (mark, name) in [
        (&b"OggS"[..], "an Ogg file"),
        (b"fLaC", "a FLAC file"),
        (b"ID3", "an MP3 file"),
        (b"\x1a\x45\xdf\xa3", "a WebM or Matroska file"),
    ] {
        if first.starts_with(mark) {
            return Err(Unreadable::Container(name));
        }
    }
    if &first[4..8] == b"ftyp" {
        return Err(Unreadable::Container("an MP4 file"));
    }
    if !(first.starts_with(b"RIFF") && &first[8..12] == b"WAVE") {
        return Ok(Some((Intake::new(Encoding::Linear(2), rate, channels)?, 0)));
    }
    let (mut at, mut form) = (12, None);
    loop {
        if at > LONGEST_HEADER {
            return Err(Unreadable::Header(format!("is longer than {LONGEST_HEADER} bytes")));
        }
        let Some(head) = first.get(at..at + 8) else { return Ok(None) };
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        match &head[..4] {
            b"fmt " => {
                let Some(body) = first.get(at + 8..at + 24) else { return Ok(None) };
                let two = |at: usize| usize::from(u16::from_le_bytes([body[at], body[at + 1]]));
                let rate = u32::from_le_bytes([body[4], body[5], body[6], body[7]]);
                let encoding = match (two(0), two(14)) {
                    // 0xfffe is "see below", which for whole numbers says the same.
                    (1 | 0xfffe, bits @ (16 | 24 | 32)) => Encoding::Linear(bits / 8),
                    (6, 8) => Encoding::Law(G711::A),
                    (7, 8) => Encoding::Law(G711::Mu),
                    (kind, bits) => {
                        return Err(Unreadable::Header(format!(
                            "tells of kind {kind} with {bits} bits; send 16-bit samples"
                        )));
                    }
                };
                form = Some((encoding, rate, two(2)));
            }
            b"data" => {
                let Some((encoding, rate, channels)) = form else {
                    return Err(Unreadable::Header("has no format before its sound".into()));
                };
                return Ok(Some((Intake::new(encoding, rate, channels)?, at + 8)));
            }
            _ => {}
        }
        at += 8 + size.next_multiple_of(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(kind: u16, bits: u16, rate: u32, sound: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0".to_vec();
        bytes.extend(kind.to_le_bytes());
        bytes.extend([1, 0]);
        bytes.extend(rate.to_le_bytes());
        bytes.extend([0, 0, 0, 0, 2, 0]);
        bytes.extend(bits.to_le_bytes());
        bytes.extend(b"LIST\x03\0\0\0abc\0data\xff\xff\xff\xff");
        bytes.extend(sound);
        bytes
    }

    fn read(mut intake: Intake, bytes: &[u8], piece: usize) -> Result<Vec<f32>, Unreadable> {
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            intake.push(piece, &mut out)?;
        }
        intake.finish(&mut out)?;
        Ok(out)
    }

    #[test]
    fn the_same_sound_in_every_form() {
        let samples: Vec<f32> = (0..1600).map(|i| (i as f32 * 0.1).sin() * 0.5).collect();
        let raw = to_s16le(&samples);
        let mu = G711::Mu.encode(&samples);
        let plain = |encoding| Intake::new(encoding, 16_000, 1).unwrap();
        let open = || Intake::open(16_000, 1).unwrap();
        for piece in [1, 7, 100_000] {
            for (name, got, tolerance) in [
                ("linear", read(plain(Encoding::Linear(2)), &raw, piece), 1e-3),
                ("mu", read(plain(Encoding::Law(G711::Mu)), &mu, piece), 0.02),
                ("open", read(open(), &raw, piece), 1e-3),
                ("wav", read(open(), &wav(1, 16, 16_000, &raw), piece), 1e-3),
                ("wav mu", read(open(), &wav(7, 8, 16_000, &mu), piece), 0.02),
            ] {
                let got = got.unwrap();
                assert_eq!(got.len(), samples.len(), "{name} {piece}");
                let far = got.iter().zip(&samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(far < tolerance, "{name} {piece}: {far}");
            }
        }
        let slow = read(open(), &wav(1, 16, 8_000, &raw), 333).unwrap();
        assert!(slow.len().abs_diff(3200) < 40, "{}", slow.len());
    }

    #[test]
    fn what_is_no_sound_here_is_named() {
        for (bytes, part) in [
            (&b"OggS........"[..], "an Ogg file"),
            (b"\x1a\x45\xdf\xa3........", "WebM"),
            (b"....ftypisom", "MP4"),
            (b"ID3.........", "MP3"),
            (&wav(3, 32, 16_000, &[]), "kind 3 with 32 bits"),
            (b"RIFF....WAVEdata\0\0\0\0", "no format"),
        ] {
            let error = read(Intake::open(16_000, 1).unwrap(), bytes, 5).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        let endless = [&b"RIFF....WAVEjunk\xff\xff\xff\xff"[..], &[0; 100]].concat();
        assert!(read(Intake::open(16_000, 1).unwrap(), &endless, 50).is_err());
    }
}
