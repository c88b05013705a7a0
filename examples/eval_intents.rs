//! cargo run --release --example eval_intents -- [DIR] [--language L] [--json]
//!
//! Understands the sentences of `DIR/*.jsonl` in the homes of `DIR/LANG.homes.json` and tells how
//! many have the expected intent and slots, and how long a sentence takes. DIR may also come from
//! `HEARKEN_EVAL_DATA`; the sentence package (a folder with `LANG.json`) from `HEARKEN_INTENTS`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use hearken::intent::{Engine, Language, Name, Names};
use serde_json::{Map, Value, json};

/// Where the satellite stands when a row does not say.
const HERE: &str = "Living Room";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut folder, mut only, mut as_json) = (None, None, false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => as_json = true,
            "--language" => only = args.next(),
            _ => folder = Some(arg),
        }
    }
    let folder = folder
        .or_else(|| std::env::var("HEARKEN_EVAL_DATA").ok())
        .map(PathBuf::from)
        .context("no data: give the folder with LANG.jsonl, or set HEARKEN_EVAL_DATA")?;
    let folder = if folder.join("intents").is_dir() { folder.join("intents") } else { folder };
    let package = PathBuf::from(
        std::env::var("HEARKEN_INTENTS")
            .context("set HEARKEN_INTENTS to the `data` folder of home-assistant-intents")?,
    );
    let mut languages: Vec<String> = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned))
        .collect();
    languages.sort();
    languages.retain(|language| only.as_ref().is_none_or(|only| only == language));
    let mut reports = Vec::new();
    for language in languages {
        let report = evaluate(&folder, &package, &language)?;
        if !as_json {
            for failure in report["failures"].as_array().into_iter().flatten() {
                println!("  {failure}");
            }
            println!(
                "{language:8} {}/{} right, median {} µs, p99 {} µs, compiled in {} ms",
                report["right"],
                report["sentences"],
                report["median_us"],
                report["p99_us"],
                report["compile_ms"]
            );
        }
        reports.push(report);
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    }
    Ok(())
}

fn evaluate(folder: &Path, package: &Path, code: &str) -> Result<Value> {
    let started = Instant::now();
    let language = Language::from_file(&package.join(format!("{code}.json")))?;
    let compile_ms = started.elapsed().as_millis() as u64;
    let homes: HashMap<String, Value> =
        serde_json::from_slice(&std::fs::read(folder.join(format!("{code}.homes.json")))?)?;
    let mut engines: HashMap<String, Engine> = HashMap::new();
    let (mut times, mut failures, mut sentences) = (Vec::new(), Vec::new(), 0);
    for line in std::fs::read_to_string(folder.join(format!("{code}.jsonl")))?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let text = row["text"].as_str().unwrap_or_default();
        let fixture = row["fixture"].as_str().unwrap_or_default();
        if !engines.contains_key(fixture) {
            let names = names(homes.get(fixture).unwrap_or(&Value::Null));
            engines.insert(fixture.to_owned(), Engine::new(&language, &names)?);
        }
        let given = row["context_area"].as_str().filter(|area| !area.starts_with('_'));
        let context = Map::from_iter([("area".to_owned(), Value::from(given.unwrap_or(HERE)))]);
        let engine = &engines[fixture];
        let started = Instant::now();
        let meaning = engine.recognize(text, &context);
        times.push(started.elapsed().as_nanos() as u64);
        sentences += 1;
        let right = meaning.as_ref().is_some_and(|meaning| {
            row["intent"] == meaning.intent && same(&row["slots"], &meaning.slots, &context)
        });
        if !right {
            let got = meaning.map(|m| json!({"intent": m.intent, "slots": m.slots}));
            failures.push(json!({"text": text, "fixture": fixture, "got": got,
                "want": {"intent": row["intent"], "slots": row["slots"]}}));
        }
    }
    times.sort_unstable();
    let at = |part: f64| {
        times.get((times.len() as f64 * part) as usize).map_or(0.0, |t| *t as f64 / 1e3)
    };
    Ok(json!({"language": code, "sentences": sentences, "right": sentences - failures.len(),
        "median_us": at(0.5), "p99_us": at(0.99), "compile_ms": compile_ms, "failures": failures}))
}

/// The names of a fixture's home.
fn names(home: &Value) -> Names {
    let list = |key: &str| -> Vec<Name> {
        let things = home[key].as_array().into_iter().flatten();
        things
            .map(|thing| {
                let mut name = Name::new(thing["name"].as_str().unwrap_or_default());
                for alias in thing["aliases"].as_array().into_iter().flatten() {
                    name = name.alias(alias.as_str().unwrap_or_default());
                }
                for (key, value) in thing["attributes"].as_object().into_iter().flatten() {
                    name = name.with(key, value.clone());
                }
                match thing["domain"].as_str() {
                    Some(domain) => name.with("domain", domain),
                    None => name,
                }
            })
            .collect()
    };
    Names {
        areas: list("areas"),
        floors: list("floors"),
        entities: list("entities"),
        ..Names::default()
    }
}

/// Whether the slots are the expected ones; the satellite's area may stand for itself.
fn same(want: &Value, got: &Map<String, Value>, context: &Map<String, Value>) -> bool {
    let want = want.as_object().cloned().unwrap_or_default();
    let equal = |want: &Value, got: &Value| match (want.as_f64(), got.as_f64()) {
        (Some(want), Some(got)) => (want - got).abs() < 1e-9,
        _ => want == got,
    };
    let any = |want: &Value, got: &Value| match want {
        Value::Array(any) => any.iter().any(|want| equal(want, got)) || want == got,
        Value::Object(map) => map
            .get("one_of")
            .and_then(Value::as_array)
            .is_some_and(|any| any.iter().any(|want| equal(want, got))),
        _ => equal(want, got),
    };
    want.iter().all(|(slot, want)| got.get(slot).is_some_and(|got| any(want, got)))
        && got.iter().all(|(slot, got)| want.contains_key(slot) || context.get(slot) == Some(got))
}
