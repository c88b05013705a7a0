//! The real voices: whether they speak, at once, at one loudness, and only what can be said.

use std::ops::ControlFlow;
use std::path::PathBuf;

use hearken::tts::Kokoro;
use hearken::tts::Piper;
use hearken::tts::Style;
use hearken::tts::Synthesizer;
use hearken::tts::TtsError;
use hearken::tts::VoiceConfig;

use crate::installed::{environment, store};

struct Voices {
    piper: Piper,
    kokoro: Kokoro,
}

fn voices() -> Voices {
    let (store, environment) = (store(), environment());
    let file = |id: &str, name: &str| store.file(id, name).unwrap();
    let config = VoiceConfig::default();
    let piper = store.path_of("piper-en-us-joe-medium").unwrap();
    let settings = PathBuf::from(format!("{}.json", piper.display()));
    let style = Style { path: file("kokoro-zf-xiaobei", "zf_xiaobei.bin"), weight: 1.0 };
    let network = store.path_of("kokoro-82m").unwrap();
    let vocabulary = file("kokoro-82m", "vocab.json");
    Voices {
        piper: Piper::open(&environment, &piper, &settings, &config).unwrap(),
        kokoro: Kokoro::open(&environment, &network, &vocabulary, &[style], "zh", &config).unwrap(),
    }
}

fn chunks(voice: &mut dyn Synthesizer, text: &str) -> Result<Vec<Vec<f32>>, TtsError> {
    let mut all = Vec::new();
    voice.speak(text, &mut |chunk| {
        all.push(chunk.to_vec());
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

fn level(samples: &[f32], rate: u32) -> f32 {
    let loud: Vec<f32> = samples
        .chunks(rate as usize / 50)
        .map(|w| w.iter().map(|s| s * s).sum::<f32>() / w.len() as f32)
        .filter(|e| *e > 1e-4)
        .collect();
    (loud.iter().sum::<f32>() / loud.len().max(1) as f32).sqrt()
}

#[test]
fn the_voices_speak() {
    let Voices { mut piper, mut kokoro } = voices();
    let english = "Turned on the kitchen light. The front door is locked.";
    let chinese = "厨房的灯打开了。前门已经锁好了。";
    for (voice, text) in [(&mut piper as &mut dyn Synthesizer, english), (&mut kokoro, chinese)] {
        let spoken = chunks(voice, text).unwrap();
        assert!(spoken.len() >= 2, "a chunk for every clause at least");
        let rate = voice.sample_rate();
        let seconds = spoken.concat().len() as f32 / rate as f32;
        assert!((1.5..6.0).contains(&seconds), "{text}: {seconds} s");
        let audible = spoken[0].iter().position(|s| s.abs() > 0.01).unwrap();
        assert!(
            audible < rate as usize / 20,
            "silence of {audible} samples before the first sound"
        );
        let level = level(&spoken.concat(), rate);
        assert!((0.05..0.16).contains(&level), "{text}: {level}");
        assert!(spoken.concat().iter().all(|s| s.is_finite() && s.abs() <= 1.0));
    }
}

/// The English Piper voice with other settings.
fn joe(config: &VoiceConfig, change: impl Fn(&mut serde_json::Value)) -> Result<Piper, TtsError> {
    let (store, environment) = (store(), environment());
    let model = store.path_of("piper-en-us-joe-medium").unwrap();
    let settings = std::fs::read_to_string(format!("{}.json", model.display())).unwrap();
    let mut settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    change(&mut settings);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), settings.to_string()).unwrap();
    Piper::open(&environment, &model, file.path(), config)
}

/// What a voice says without chance, all at once or in chunks.
fn without_chance(chunked: bool, text: &str) -> Vec<Vec<f32>> {
    let config = VoiceConfig { chunked, ..VoiceConfig::default() };
    let mut voice = joe(&config, |settings| {
        settings["inference"]["noise_scale"] = 0.0.into();
        settings["inference"]["noise_w"] = 0.0.into();
    });
    chunks(voice.as_mut().unwrap(), text).unwrap()
}

#[test]
fn a_voice_that_reads_pinyin_speaks_chinese_with_english_words() {
    let mut voice = joe(&VoiceConfig::default(), |settings| {
        settings["phoneme_type"] = "pinyin".into();
        // Without chance, so that lengths can be compared.
        settings["inference"]["noise_w"] = 0.0.into();
        settings["espeak"] = serde_json::json!({"voice": "cmn"});
        let symbols = "_ ^ $ Ø b p m f d t n l g k h j q x zh ch sh r z c s y w a o e ai ei ao ou an en ang eng ong i ia ie \
                       iao iu ian in iang ing iong u ua uo uai ui uan un uang ueng v ve van vn er ue 1 2 3 4 5 . ,";
        let ids = symbols.split_whitespace().enumerate();
        settings["phoneme_id_map"] = ids.map(|(id, symbol)| (symbol, vec![id])).collect();
    })
    .unwrap();
    // The network was not taught these symbols, but eight syllables last longer than four, which is
    // all there would be without the English words.
    let seconds = |spoken: Vec<Vec<f32>>| spoken.concat().len() as f32 / 22_050.0;
    let short = seconds(chunks(&mut voice, "打开的灯。").unwrap());
    let mixed = seconds(chunks(&mut voice, "打开 living room 的灯。").unwrap());
    assert!(short > 0.1 && mixed > short * 1.1, "{short} s and {mixed} s");
    assert!(matches!(chunks(&mut voice, "Привет"), Err(TtsError::Unspeakable { .. })));
    // The same network under its own symbols is no such voice.
    let error = joe(&VoiceConfig::default(), |settings| settings["phoneme_type"] = "pinyin".into());
    assert!(error.err().unwrap().to_string().contains("phoneme_id_map has no"));
}

#[test]
fn a_decoder_that_cannot_be_run_in_chunks_is_run_at_once() {
    let (store, environment) = (store(), environment());
    let model = store.path_of("piper-en-us-joe-medium").unwrap();
    let mut bytes = std::fs::read(&model).unwrap();
    // The last transposed convolution keeps one sample of padding, so that the frames give one sample more.
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|w| w == what);
    let operator = b"\x22\x0dConvTranspose";
    let last = bytes.windows(operator.len()).rposition(|w| w == operator).unwrap();
    let pads = last + find(&bytes[last..last + 400], b"\x0a\x04pads\x40").unwrap() + 7;
    assert!(bytes[pads] >= 1, "a padding to take one sample from");
    bytes[pads] -= 1;
    let changed = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(changed.path(), &bytes).unwrap();
    let settings = PathBuf::from(format!("{}.json", model.display()));
    let config = VoiceConfig::default();
    let mut voice = Piper::open(&environment, changed.path(), &settings, &config).unwrap();
    let spoken = chunks(&mut voice, "The light in the kitchen is on.").unwrap();
    assert!((1.0..4.0).contains(&(spoken.concat().len() as f32 / 22_050.0)));
}

#[test]
fn a_clause_in_chunks_equals_the_whole_and_does_not_click() {
    // One clause: what joins two would be a place to breathe.
    let text = "The heating in the small room upstairs is set to twenty one degrees for the night";
    let (whole, pieces) = (without_chance(false, text), without_chance(true, text));
    assert!(pieces.len() > 3 && pieces[0].len() < 22_050 / 2, "{} chunks", pieces.len());
    let (whole, joined) = (whole.concat(), pieces.concat());
    assert!(whole.len().abs_diff(joined.len()) < 300);
    // The two levels are measured over other stretches, so one may be a little louder.
    let both = whole.iter().zip(&joined);
    let gain =
        both.clone().map(|(a, b)| a * b).sum::<f32>() / joined.iter().map(|b| b * b).sum::<f32>();
    assert!((0.8..1.25).contains(&gain), "{gain}");
    let inside = 500..joined.len().min(whole.len()) - 1000;
    let apart = both.map(|(a, b)| (a - b * gain).abs()).collect::<Vec<f32>>();
    let worst = apart[inside].iter().copied().fold(0.0, f32::max);
    assert!(worst < 1e-3, "{worst}");
}

#[test]
fn odd_texts_are_spoken_or_refused() {
    let Voices { mut piper, mut kokoro } = voices();
    for voice in [&mut piper as &mut dyn Synthesizer, &mut kokoro] {
        for silent in ["", " \n\t", "🙂", "\u{0}\u{7}\u{1b}", "...", "!?", "——"] {
            assert!(chunks(voice, silent).unwrap().is_empty(), "{silent:?}");
        }
        for spoken in
            ["a", "好", "Tür 🙂 auf", "打开 living room 的灯", "I live in 北京", "qzxv", "5"]
        {
            assert!(!chunks(voice, spoken).unwrap().is_empty(), "{spoken:?}");
        }
        assert!(matches!(chunks(voice, "Привет"), Err(TtsError::Unspeakable { .. })));
        assert!(matches!(chunks(voice, &"word ".repeat(20_000)), Err(TtsError::TooLong { .. })));
        let mut heard = 0;
        voice
            .speak("One. Two. Three.", &mut |_| {
                heard += 1;
                ControlFlow::Break(())
            })
            .unwrap();
        assert_eq!(heard, 1, "stops within a chunk");
    }
}
