//! Silero, the real model, from the file to the utterance.

use std::path::Path;

use hearken::audio::{Framer, SampleTime, read_mono_16k};
use hearken::detect::{Config, Endpointer, Heard, Silero, VoiceDetector};

use crate::installed::{environment, store};

fn silero() -> Silero {
    Silero::open(store().path_of("silero-vad").unwrap(), &environment()).unwrap()
}

/// The probability of every frame.
fn probabilities(silero: &mut Silero, samples: &[f32]) -> Vec<f32> {
    let mut all = Vec::new();
    Framer::new().push(samples, |frame| all.push(silero.push(&frame)));
    all
}

#[test]
fn what_is_no_speech_is_improbable() {
    let tone: Vec<f32> = (0..32_000).map(|n| (n as f32 * 0.2).sin() * 0.3).collect();
    let mut seed = 1_u32;
    let noise: Vec<f32> = (0..32_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 * 0.1 - 0.1
        })
        .collect();
    for (name, samples) in [("silence", vec![0.0; 32_000]), ("a tone", tone), ("noise", noise)] {
        let mut silero = silero();
        let once = probabilities(&mut silero, &samples);
        assert_eq!(once.len(), 100);
        let highest = once.iter().copied().fold(0.0, f32::max);
        assert!(highest < 0.5, "{name} is taken for speech with {highest}");
        silero.reset();
        assert_eq!(
            probabilities(&mut silero, &samples),
            once,
            "{name}: the same sound, other numbers"
        );
    }
}

#[test]
fn a_sentence_is_one_utterance() {
    let mut samples = vec![0.0; 16_000];
    samples.extend(
        read_mono_16k(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/recordings/3.flac")).unwrap(),
    );
    let spoken = SampleTime(16_000)..SampleTime(samples.len() as u64);
    samples.extend([0.0; 16_000]);
    let (mut silero, mut endpointer) = (silero(), Endpointer::new(&Config::default()));
    let mut heard = Vec::new();
    Framer::new().push(&samples, |frame| {
        let probability = silero.push(&frame);
        endpointer.push(&frame, probability, &mut |h| heard.push(h));
    });
    let times: Vec<SampleTime> = heard
        .iter()
        .filter_map(|h| match h {
            Heard::Started(at) | Heard::Stopped(at) => Some(*at),
            _ => None,
        })
        .collect();
    assert_eq!(times.len(), 2, "one start and one stop: {times:?}");
    assert!(spoken.contains(&times[0]), "starts in the recording: {times:?}");
    assert!(times[1] <= spoken.end + 1600, "stops in the recording: {times:?}");
    assert!(times[1] - times[0] > 3200, "lasts as long as a word: {times:?}");
}

#[test]
fn what_is_no_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rubbish = folder.path().join("rubbish.onnx");
    std::fs::write(&rubbish, "no model").unwrap();
    for path in [rubbish.as_path(), &folder.path().join("missing.onnx"), Path::new("/")] {
        let error = Silero::open(path, &environment()).unwrap_err().to_string();
        assert!(error.starts_with("cannot load the voice detector"), "{error}");
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}
