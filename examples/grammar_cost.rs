//! cargo run --release --example grammar_cost -- [--rounds N] [--limit N] [--json]
//!
//! What it costs to recognise with a grammar: the same recordings freely and with the grammar, in turns, on two
//! recognisers that are alike otherwise. Orders of orders_en with their grammar, and with the same grammar speech_en,
//! of which nothing is an order. HEARKEN_EVAL_DATA names the folder that both lie in.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use hearken::asr::{AsrError, Hypothesis, Recognizer, Transcript};
use hearken::audio::read_mono_16k;
use hearken::config::Config;
use hearken::intent::{Engine, Language, Names, Sayable};
use hearken::models::ModelStore;
use hearken::session::grammar_of;
use serde_json::json;

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

/// Seconds and what was heard.
fn hear(recognizer: &mut dyn Recognizer, audio: &[f32]) -> Result<(f64, Transcript), AsrError> {
    let mut heard = Transcript::default();
    let began = Instant::now();
    recognizer.transcribe(audio, &|| false, &mut |hypothesis| {
        if let Hypothesis::Final(transcript) = hypothesis {
            heard = transcript;
        }
    })?;
    Ok((began.elapsed().as_secs_f64(), heard))
}

fn recordings(folder: &Path, limit: usize) -> AnyResult<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<AnyResult<_>>()?;
    all.sort();
    let step = (all.len() / limit.max(1)).max(1);
    Ok(all.into_iter().step_by(step).take(limit).collect())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, usual: usize| {
        let given = args.iter().position(|a| a == name).and_then(|at| args.get(at + 1));
        given.map_or(Ok(usual), |n| n.parse())
    };
    let (rounds, limit) = (number("--rounds", 3)?, number("--limit", 12)?);
    let data = std::env::var("HEARKEN_EVAL_DATA").map_err(|_| "set HEARKEN_EVAL_DATA")?;
    let data = PathBuf::from(data);
    let grammar = std::fs::read_to_string(data.join("orders_en/grammar.yaml"))?;
    let language = Language::from_grammar(&grammar, "en", "grammar.yaml")?;
    let engine = Engine::new(&language, &Names::default())?;
    let (mut config, _) = Config::load(None)?;
    config.asr.language = "en".into();
    let store = ModelStore::open(None)?;
    let engines = config.engines(&store);
    let (mut free, mut held) = (engines.recognizer()?, engines.recognizer()?);
    held.constrain("en", Some(grammar_of(Sayable::new(&[&engine]))));

    let mut rows = Vec::new();
    println!(
        "{:<10}{:>12}{:>12}{:>8}{:>8}{:>10}",
        "", "free ms", "grammar ms", "ratio", "p90", "readings"
    );
    for (name, folder) in [("orders", "orders_en/wav"), ("speech", "speech_en/wav")] {
        let (mut freely, mut with, mut ratios, mut readings) = (vec![], vec![], vec![], 0);
        for file in recordings(&data.join(folder), limit)? {
            let audio = read_mono_16k(&file)?;
            let (mut own_free, mut own_with) = (Vec::new(), Vec::new());
            // The first round is not counted: words are looked up then that are known afterwards.
            for round in 0..=rounds {
                let (one, _) = hear(&mut *free, &audio)?;
                let (other, heard) = hear(&mut *held, &audio)?;
                if round > 0 {
                    own_free.push(one);
                    own_with.push(other);
                } else {
                    readings += usize::from(!heard.readings.is_empty());
                }
            }
            let (one, other) = (median(&mut own_free), median(&mut own_with));
            freely.push(1000.0 * one);
            with.push(1000.0 * other);
            ratios.push(other / one);
        }
        let count = ratios.len();
        let (free_ms, grammar_ms, ratio) =
            (median(&mut freely), median(&mut with), median(&mut ratios));
        let p90 = ratios.get(count * 9 / 10).copied().unwrap_or(f64::NAN);
        println!(
            "{name:<10}{free_ms:>12.0}{grammar_ms:>12.0}{ratio:>8.2}{p90:>8.2}{:>10}",
            format!("{readings}/{count}")
        );
        rows.push(json!({
            "name": name, "free_ms": free_ms, "grammar_ms": grammar_ms, "ratio": ratio, "ratio_p90": p90,
            "with_readings": readings, "of": count,
        }));
    }
    if args.iter().any(|a| a == "--json") {
        println!("{}", json!({ "rows": rows, "rounds": rounds }));
    }
    Ok(())
}
