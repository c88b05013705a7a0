//! Recordings of every format, good and bad, through the audio room's door.
//!
//! `tests/data/audio` holds the same tone (440 Hz, a quarter of a second, half as loud as can be,
//! faded in and out) in each format.

use std::path::{Path, PathBuf};

use hearken::audio::{AudioError, FileSource, SAMPLE_RATE, Source, WavWriter, read_mono_16k};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio").join(name)
}

/// The loudest frequency between 100 and 1000 Hz, and its amplitude.
fn loudest(samples: &[f32]) -> (u32, f64) {
    (100..=1000)
        .step_by(10)
        .map(|hz| {
            let step = std::f64::consts::TAU * f64::from(hz) / f64::from(SAMPLE_RATE);
            let (mut re, mut im) = (0.0, 0.0);
            for (n, &sample) in samples.iter().enumerate() {
                let (sin, cos) = (step * n as f64).sin_cos();
                re += f64::from(sample) * cos;
                im += f64::from(sample) * sin;
            }
            (hz, 2.0 * re.hypot(im) / samples.len() as f64)
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap()
}

/// A WAV file from its parts.
struct Wav {
    rate: u32,
    channels: u16,
    bits: u16,
    /// 1 is integer, 3 is float.
    kind: u16,
    data: Vec<u8>,
}

impl Wav {
    /// A tone of a quarter of a second, each sample encoded by `encode`.
    fn tone(
        rate: u32,
        channels: u16,
        bits: u16,
        kind: u16,
        encode: impl Fn(f64) -> Vec<u8>,
    ) -> Self {
        let data = (0..rate / 4)
            .flat_map(|n| {
                let phase = std::f64::consts::TAU * 440.0 * f64::from(n) / f64::from(rate);
                encode(0.5 * phase.sin()).repeat(usize::from(channels))
            })
            .collect();
        Self { rate, channels, bits, kind, data }
    }

    fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.data.len()).unwrap();
        self.bytes_saying(36 + length, length)
    }

    /// The file with these lengths in its header, whatever they are worth.
    fn bytes_saying(&self, riff: u32, data: u32) -> Vec<u8> {
        let row = self.channels.wrapping_mul(self.bits / 8);
        let mut out = b"RIFF".to_vec();
        out.extend(riff.to_le_bytes());
        out.extend(b"WAVEfmt ");
        out.extend(16_u32.to_le_bytes());
        out.extend(self.kind.to_le_bytes());
        out.extend(self.channels.to_le_bytes());
        out.extend(self.rate.to_le_bytes());
        out.extend(self.rate.wrapping_mul(u32::from(row)).to_le_bytes());
        out.extend(row.to_le_bytes());
        out.extend(self.bits.to_le_bytes());
        out.extend(b"data");
        out.extend(data.to_le_bytes());
        out.extend(&self.data);
        out
    }
}

fn int16(x: f64) -> Vec<u8> {
    ((x * 32_767.0).round() as i16).to_le_bytes().to_vec()
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<f32>, AudioError> {
    let file = tempfile::Builder::new().suffix(".wav").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    read_mono_16k(file.path())
}

fn check_tone(name: &str, samples: &[f32], tolerance: usize) {
    assert!(samples.len().abs_diff(4000) <= tolerance, "{name}: {} samples", samples.len());
    let (hz, amplitude) = loudest(samples);
    assert_eq!(hz, 440, "{name}");
    assert!((0.3..0.55).contains(&amplitude), "{name}: amplitude {amplitude}");
    assert!(samples.iter().all(|s| s.abs() <= 1.0), "{name}");
}

#[test]
fn every_format_is_read() {
    // AAC is padded to whole blocks of 1024 samples at both ends.
    for (name, tolerance) in [
        ("tone.flac", 1),
        ("tone.mp3", 1),
        ("tone.ogg", 1),
        ("tone.m4a", 800),
        ("tone-alac.m4a", 1),
        ("tone.aiff", 1),
        ("tone.mka", 1),
    ] {
        check_tone(name, &read_mono_16k(data(name)).unwrap(), tolerance);
    }
}

#[test]
fn what_browsers_and_messengers_record_is_read() {
    // The one by Chromium's MediaRecorder, about a second; the other by libopus.
    for (name, least) in [("tone-opus.webm", 14_000), ("opus.ogg", 3_900)] {
        let samples = read_mono_16k(data(name)).unwrap();
        assert!((least..least + 8_000).contains(&samples.len()), "{name}: {}", samples.len());
        let (hz, amplitude) = loudest(&samples);
        assert_eq!(hz, 440, "{name}");
        assert!((0.2..0.55).contains(&amplitude), "{name}: amplitude {amplitude}");
    }
}

#[test]
fn every_kind_of_sample_is_read() {
    let int = |bits: u32| {
        move |x: f64| {
            let full = f64::from((1_u32 << (bits - 1)) - 1);
            ((x * full).round() as i32).to_le_bytes()[..bits as usize / 8].to_vec()
        }
    };
    let cases = [
        ("8 bit", Wav::tone(16_000, 1, 8, 1, |x| vec![(128.0 + x * 127.0).round() as u8])),
        ("16 bit", Wav::tone(16_000, 1, 16, 1, int16)),
        ("24 bit", Wav::tone(16_000, 1, 24, 1, int(24))),
        ("32 bit", Wav::tone(16_000, 1, 32, 1, int(32))),
        ("float", Wav::tone(16_000, 1, 32, 3, |x| (x as f32).to_le_bytes().to_vec())),
        ("double", Wav::tone(16_000, 1, 64, 3, |x| x.to_le_bytes().to_vec())),
        ("8 kHz", Wav::tone(8_000, 1, 16, 1, int16)),
        ("44.1 kHz stereo", Wav::tone(44_100, 2, 16, 1, int16)),
        ("96 kHz stereo", Wav::tone(96_000, 2, 24, 1, int(24))),
        ("six channels", Wav::tone(48_000, 6, 16, 1, int16)),
        ("an odd rate", Wav::tone(12_345, 1, 16, 1, int16)),
        ("768 kHz", Wav::tone(768_000, 1, 16, 1, int16)),
    ];
    for (name, wav) in cases {
        check_tone(name, &read_bytes(&wav.bytes()).unwrap(), 1);
    }
}

#[test]
fn a_file_is_read_in_pieces_and_tells_its_length() {
    let wav = Wav::tone(48_000, 1, 16, 1, int16);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), wav.bytes()).unwrap();
    let mut source = FileSource::open(file.path()).unwrap();
    assert_eq!(source.duration().map(|d| d.as_millis()), Some(250));
    let (mut out, mut pieces) = (Vec::new(), 0);
    loop {
        let before = out.len();
        let got = source.read(&mut out).unwrap();
        assert_eq!(out.len() - before, got);
        if got == 0 {
            break;
        }
        assert!(got < 2000, "a quarter of a second is more than one piece");
        pieces += 1;
    }
    assert!(pieces > 1);
    assert_eq!(out, read_mono_16k(file.path()).unwrap());
}

#[test]
fn a_recording_that_is_cut_off_gives_what_is_there() {
    let wav = Wav::tone(16_000, 1, 16, 1, int16);
    let whole = read_bytes(&wav.bytes()).unwrap();
    let cut = read_bytes(&wav.bytes()[..44 + 2 * 3000 + 1]).unwrap();
    assert!((2900..=3000).contains(&cut.len()), "{} samples", cut.len());
    assert_eq!(cut[..], whole[..cut.len()]);
    for name in ["tone.mp3", "tone.flac"] {
        let bytes = std::fs::read(data(name)).unwrap();
        let samples = read_bytes(&bytes[..bytes.len() * 3 / 4]).unwrap();
        assert!((500..4000).contains(&samples.len()), "{name}: {} samples", samples.len());
    }
}

#[test]
fn a_stream_that_never_learned_its_length_is_read_to_its_end() {
    let wav = Wav::tone(16_000, 1, 16, 1, int16);
    for length in [u32::MAX, 0x7fff_f000] {
        let samples = read_bytes(&wav.bytes_saying(length.saturating_add(36), length)).unwrap();
        check_tone("a stream", &samples, 0);
    }
}

#[test]
fn what_the_writer_streams_is_read_back() {
    let file = tempfile::Builder::new().suffix(".wav").tempfile().unwrap();
    let tone: Vec<f32> = (0..4000).map(|n| (f64::from(n) * 0.1).sin() as f32 * 0.5).collect();
    let mut wav = WavWriter::stream(file.reopen().unwrap(), "a pipe", 16_000).unwrap();
    wav.push(&tone).unwrap();
    wav.finish().unwrap();
    let read = read_mono_16k(file.path()).unwrap();
    assert_eq!(read.len(), tone.len());
    assert!(read.iter().zip(&tone).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
fn samples_that_are_no_numbers_become_silence() {
    let mut wav = Wav::tone(16_000, 1, 32, 3, |x| (x as f32).to_le_bytes().to_vec());
    for (n, bad) in [(100, f32::NAN), (200, f32::INFINITY), (300, f32::NEG_INFINITY)] {
        wav.data[4 * n..4 * n + 4].copy_from_slice(&bad.to_le_bytes());
    }
    let samples = read_bytes(&wav.bytes()).unwrap();
    assert_eq!([samples[100], samples[200], samples[300]], [0.0; 3]);
    check_tone("with holes", &samples, 0);
}

#[test]
fn bad_files_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let silent = |rate, channels, data| Wav { rate, channels, bits: 16, kind: 1, data }.bytes();
    let tone = Wav::tone(16_000, 1, 16, 1, int16).bytes();
    let files = [
        ("empty.wav", vec![], "is empty (0 bytes)"),
        ("notes.txt", b"milk, eggs, bread\n".repeat(50), "notes.txt is not a recording I can read"),
        ("stub.wav", tone[..20].to_vec(), "it ends in the middle"),
        ("header.wav", tone[..44].to_vec(), "holds no sound"),
        ("zero.wav", silent(16_000, 1, vec![]), "holds no sound: 0 samples"),
        ("rate0.wav", silent(0, 1, vec![0; 400]), "a sample rate of 0 Hz"),
        ("rate999.wav", silent(999_000, 1, vec![0; 400]), "a sample rate of 999000 Hz"),
        ("ch0.wav", silent(16_000, 0, vec![0; 400]), "channel"),
        ("ch65535.wav", silent(16_000, 65_535, vec![0; 400]), "channel"),
    ];
    for (name, bytes, part) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = read_mono_16k(&path).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains(name), "{name}: {error}");
    }
    for (path, part) in [
        (folder.path().to_owned(), "is a folder"),
        (folder.path().join("missing.wav"), "missing.wav"),
        (data("video.mkv"), "has no sound track"),
    ] {
        let error = read_mono_16k(&path).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn damaged_files_never_panic() {
    // A generator with a fixed seed: the same damage in every run.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize
    };
    let mut decoded = 0;
    for name in [
        "tone.flac",
        "tone.mp3",
        "tone.ogg",
        "tone.m4a",
        "tone.mka",
        "tone.aiff",
        "opus.ogg",
        "tone-opus.webm",
    ] {
        let whole = std::fs::read(data(name)).unwrap();
        for _ in 0..20 {
            let mut bytes = whole.clone();
            for _ in 0..random() % 8 + 1 {
                let at = random() % bytes.len();
                bytes[at] = random() as u8;
            }
            bytes.truncate(bytes.len() - random() % 64);
            decoded += usize::from(read_bytes(&bytes).is_ok());
        }
    }
    assert!(decoded > 20, "only {decoded} of 120 were still readable");
}

#[test]
fn a_header_that_forgot_the_sound_is_told_apart_from_silence() {
    let wav = Wav::tone(16_000, 1, 16, 1, int16);
    let error = read_bytes(&wav.bytes_saying(36, 0)).unwrap_err().to_string();
    assert!(error.contains("0 samples by its header, which 8044 bytes belie"), "{error}");
}
