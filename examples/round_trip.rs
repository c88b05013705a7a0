//! cargo run --release --example round_trip -- DIR [VOICE…] [--count N] [--out FOLDER] [--json]
//! Speaks N sentences (60) of DIR (or HEARKEN_EVAL_DATA) with each voice and lets Whisper write them down: WER for
//! English (harvard_720.txt), CER for Chinese (polyphone_zh/dev.sent). Beside it the recogniser's own error on real
//! speech (speech_en, speech_zh). `--out` keeps the sound, for benches/peers/dnsmos.py.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

mod synthesis;

use std::path::{Path, PathBuf};

use hearken::asr::{self, Hypothesis, Recognizer, Whisper};
use hearken::audio::{self, Resampler, WavWriter};
use hearken::{config::Config, models::ModelStore, tts::normalize};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| args.iter().position(|a| a == flag).and_then(|at| args.get(at + 1));
    let folder = args.iter().find(|a| Path::new(a).is_dir()).cloned();
    let folder: PathBuf = folder
        .or_else(|| std::env::var("HEARKEN_EVAL_DATA").ok())
        .ok_or("name the folder of the evaluation data")?
        .into();
    let count: usize = value("--count").map_or(Ok(60), |n| n.parse())?;
    let (mut config, store) = (Config::default(), ModelStore::open(None)?);
    config.tts.cache_mb = 0;
    config.tts.chunked = !args.iter().any(|a| a == "--whole");
    let named: Vec<String> = args
        .iter()
        .filter(|a| a.starts_with("kokoro-") || a.starts_with("piper-"))
        .cloned()
        .collect();
    let ids = if named.is_empty() { config.tts.voices.values().cloned().collect() } else { named };
    let mut report = serde_json::Map::new();
    for language in ["en", "zh"] {
        let speaks = |id: &String| {
            store.entry(id).is_ok_and(|e| e.languages.iter().any(|l| l.starts_with(language)))
        };
        let own: Vec<&String> = ids.iter().filter(|id| speaks(id)).collect();
        if own.is_empty() {
            continue;
        }
        let asr_config = asr::Config { language: language.into(), ..asr::Config::default() };
        let mut whisper = Whisper::open(&store.path_of(&asr_config.model)?, &asr_config)?;
        let real = folder.join(format!("speech_{language}"));
        let (mut errors, mut total) = (0, 0);
        for line in std::fs::read_to_string(real.join("references.tsv"))?.lines().skip(1) {
            let Some((path, rest)) = line.split_once('\t') else { continue };
            let (wrong, of) = score(
                &mut whisper,
                &audio::read_mono_16k(real.join(path))?,
                rest.split('\t').next().unwrap_or(""),
                language,
            )?;
            (errors, total) = (errors + wrong, total + of);
        }
        let base = 100.0 * errors as f64 / f64::max(total as f64, 1.0);
        for id in own {
            let mut voice = config.engines(&store).voice(id)?;
            let rate = voice.sample_rate();
            let (mut errors, mut total) = (0, 0);
            for (i, text) in sentences(&folder, language)?.iter().take(count).enumerate() {
                let sound = synthesis::spoken(&mut *voice, text)?;
                if let Some(out) = value("--out") {
                    std::fs::create_dir_all(out)?;
                    let mut wav =
                        WavWriter::create(Path::new(out).join(format!("{id}-{i:03}.wav")), rate)?;
                    wav.push(&sound)?;
                    wav.finish()?;
                }
                let (wrong, of) = score(&mut whisper, &at_16k(&sound, rate)?, text, language)?;
                (errors, total) = (errors + wrong, total + of);
            }
            let rate = 100.0 * errors as f64 / f64::max(total as f64, 1.0);
            println!("{id:<28} {rate:>5.1} % of {total}; real speech {base:.1} %");
            report.insert(id.clone(), serde_json::json!({ "error": rate / 100.0, "units": total, "real_speech": base / 100.0 }));
        }
    }
    if args.iter().any(|a| a == "--json") {
        println!("{}", serde_json::Value::from(report));
    }
    Ok(())
}

fn at_16k(sound: &[f32], rate: u32) -> AnyResult<Vec<f32>> {
    let (mut resampler, mut all) = (Resampler::new(rate, 16_000)?, Vec::new());
    resampler.push(sound, &mut all)?;
    resampler.finish(&mut all)?;
    Ok(all)
}

fn sentences(folder: &Path, language: &str) -> AnyResult<Vec<String>> {
    let name = if language == "zh" { "polyphone_zh/dev.sent" } else { "harvard_720.txt" };
    let all = std::fs::read_to_string(folder.join(name))?;
    let plain = |text: &String| {
        (8..60).contains(&text.chars().count())
            && (language != "zh" || text.chars().all(|c| !c.is_ascii_alphanumeric()))
    };
    Ok(all
        .lines()
        .map(|l| l.trim().replace('▁', ""))
        .filter(plain)
        .step_by(if language == "zh" { 101 } else { 12 })
        .collect())
}

/// Errors and units (words, in Chinese characters) of what is heard.
fn score(
    whisper: &mut Whisper,
    samples: &[f32],
    want: &str,
    language: &str,
) -> AnyResult<(usize, usize)> {
    let mut heard = String::new();
    whisper.transcribe(samples, &|| false, &mut |h| {
        if let Hypothesis::Final(t) = h {
            heard = t.text;
        }
    })?;
    let units = |text: &str| -> Vec<String> {
        let spoken = normalize::normalize(text, language).to_lowercase().replace('\'', "");
        let words: String =
            spoken.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        if language == "zh" {
            words.chars().filter(|c| *c != ' ').map(String::from).collect()
        } else {
            words.split_whitespace().map(String::from).collect()
        }
    };
    let (a, b) = (units(&heard), units(want));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let best = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    Ok((row[b.len()], b.len()))
}
