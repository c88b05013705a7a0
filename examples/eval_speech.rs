//! cargo run --release --example eval_speech -- DIR [--json]
//! DIR holds speech_en and speech_zh, each with references.tsv (path, reference); without it
//! HEARKEN_EVAL_DATA is taken. WER in lower case without punctuation; CER in simplified characters
//! without punctuation; numbers as words on both sides.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use hearken::asr::{Config, Hypothesis, Recognizer, Whisper};
use hearken::{audio, models::ModelStore, tts::normalize};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = args.iter().find(|a| !a.starts_with("--")).cloned();
    let Some(folder) = folder.or_else(|| std::env::var("HEARKEN_EVAL_DATA").ok()) else {
        return Err("name the folder of the evaluation data, or set HEARKEN_EVAL_DATA".into());
    };
    let models = ModelStore::open(None)?;
    let mut report = serde_json::Map::new();
    for language in ["en", "zh"] {
        let config = Config { language: language.into(), ..Config::default() };
        let whisper = Whisper::open(&models.path_of(&config.model)?, &config)?;
        let measured =
            measure(&Path::new(&folder).join(format!("speech_{language}")), language, whisper)?;
        report.insert(language.into(), measured);
    }
    if args.iter().any(|a| a == "--json") {
        println!("{}", serde_json::Value::from(report));
    }
    Ok(())
}

fn measure(folder: &Path, language: &str, mut whisper: Whisper) -> AnyResult<serde_json::Value> {
    let (mut errors, mut total, mut audio_s, mut compute_s) = (0, 0, 0.0, 0.0);
    let table = std::fs::read_to_string(folder.join("references.tsv"))?;
    for line in table.lines().skip(1) {
        let mut fields = line.split('\t');
        let (Some(path), Some(reference)) = (fields.next(), fields.next()) else { continue };
        let path: PathBuf = folder.join(path);
        let samples = audio::read_mono_16k(&path)?;
        let began = Instant::now();
        let mut text = String::new();
        whisper.transcribe(&samples, &|| false, &mut |h| {
            if let Hypothesis::Final(t) = h {
                text = t.text;
            }
        })?;
        compute_s += began.elapsed().as_secs_f64();
        audio_s += samples.len() as f64 / 16_000.0;
        let (heard, want) = (units(&text, language), units(reference, language));
        let wrong = distance(&heard, &want);
        if wrong > 0 {
            println!("{wrong:3} of {:3}  {text}\n            {reference}", want.len());
        }
        errors += wrong;
        total += want.len();
    }
    let rate = errors as f64 / total.max(1) as f64;
    let (name, rtf) = (if language == "zh" { "cer" } else { "wer" }, compute_s / audio_s);
    println!("{language}: {name} {:.2} % ({errors} of {total}), RTF {rtf:.3}\n", 100.0 * rate);
    Ok(serde_json::json!({ name: rate, "errors": errors, "total": total, "rtf": rtf }))
}

/// Words, or characters for Chinese.
fn units(text: &str, language: &str) -> Vec<String> {
    let spoken = normalize::normalize(text, language).to_lowercase().replace('\'', "");
    let words: String = spoken.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    if language == "zh" {
        return words.chars().filter(|c| !c.is_whitespace()).map(String::from).collect();
    }
    words.split_whitespace().map(String::from).collect()
}

fn distance(a: &[String], b: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let best = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}
