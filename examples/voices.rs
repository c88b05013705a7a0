//! cargo run --release --example voices -- [ID…] [--runs N] [--memory N] [--json]
//! Per voice: milliseconds to the first audible sound and RTF of a short reply, a sentence and a paragraph of three
//! sentences (medians); `--whole` leaves the networks in one piece; with `--memory` also the memory before and after N sentences. Without ids the default voices.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::ops::ControlFlow;
use std::time::Instant;

use hearken::{config::Config, models::ModelStore, tts::Synthesizer};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

/// What is spoken, in English and Chinese.
const TEXTS: [(&str, &str, &str); 3] = [
    ("short", "Turned on the light.", "灯打开了。"),
    (
        "sentence",
        "The front door is locked and the heating is set to twenty one degrees.",
        "前门已经锁好了，暖气设在二十一度。",
    ),
    (
        "paragraph",
        "The front door is locked and the heating is set to twenty one degrees. Tomorrow will be cloudy with some rain in the afternoon. Your first meeting begins at nine thirty in the small room upstairs.",
        "前门已经锁好了，暖气设在二十一度。明天多云，下午有小雨。您的第一个会议九点半在楼上的小房间开始。",
    ),
];

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |flag: &str| -> Option<usize> {
        args.get(args.iter().position(|a| a == flag)? + 1)?.parse().ok()
    };
    let mut ids: Vec<String> =
        args.iter().filter(|a| a.contains('-') && !a.starts_with('-')).cloned().collect();
    let (mut config, store) = (Config::default(), ModelStore::open(None)?);
    config.tts.cache_mb = 0;
    config.tts.chunked = !args.iter().any(|a| a == "--whole");
    if ids.is_empty() {
        ids = config.tts.voices.values().cloned().collect();
    }
    let mut report = serde_json::Map::new();
    println!("{:<26}{:<10}{:>9}{:>8}{:>8}", "voice", "text", "TTFA ms", "RTF", "s");
    for id in &ids {
        let chinese = store.entry(id)?.languages.iter().any(|l| l.starts_with("zh"));
        let opening = Instant::now();
        let mut voice = config.engines(&store).voice(id)?;
        let mut of_voice = serde_json::json!({ "open_ms": opening.elapsed().as_secs_f64() * 1e3 });
        speak(&mut *voice, "One.")?;
        for (name, en, zh) in TEXTS {
            let mut runs = Vec::new();
            for _ in 0..number("--runs").unwrap_or(5).max(1) {
                runs.push(speak(&mut *voice, if chinese { zh } else { en })?);
            }
            let median = |of: fn(&[f64; 3]) -> f64| {
                let mut all: Vec<f64> = runs.iter().map(of).collect();
                all.sort_by(f64::total_cmp);
                all[all.len() / 2]
            };
            let (ttfa, rtf, seconds) =
                (median(|r| r[0]), median(|r| r[1] / r[2]), median(|r| r[2]));
            println!("{id:<26}{name:<10}{ttfa:>9.1}{rtf:>8.3}{seconds:>8.2}");
            of_voice[name] = serde_json::json!({ "ttfa_ms": ttfa, "rtf": rtf, "audio_s": seconds });
        }
        if let Some(sentences) = number("--memory") {
            let before = resident_mb();
            for i in 0..sentences {
                speak(
                    &mut *voice,
                    &if chinese {
                        format!("第{i}句话，灯打开了。")
                    } else {
                        format!("Sentence {i} of many is spoken.")
                    },
                )?;
            }
            println!(
                "{id:<26}memory    {before:>9.0} MB, after {sentences} sentences {:.0} MB",
                resident_mb()
            );
            of_voice["memory_mb"] = serde_json::json!({ "before": before, "after": resident_mb(), "sentences": sentences });
        }
        report.insert(id.clone(), of_voice);
    }
    if args.iter().any(|a| a == "--json") {
        println!("{}", serde_json::Value::from(report));
    }
    Ok(())
}

/// Milliseconds to the first sound, seconds of work, seconds of sound.
fn speak(voice: &mut dyn Synthesizer, text: &str) -> AnyResult<[f64; 3]> {
    let (start, mut first, mut samples) = (Instant::now(), None, 0);
    voice.speak(text, &mut |chunk| {
        first.get_or_insert_with(|| start.elapsed());
        samples += chunk.len();
        ControlFlow::Continue(())
    })?;
    let first = first.ok_or("nothing was spoken")?.as_secs_f64() * 1e3;
    Ok([first, start.elapsed().as_secs_f64(), samples as f64 / f64::from(voice.sample_rate())])
}

/// Memory of this process, where the system tells it (Linux).
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}
