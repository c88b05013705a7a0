//! cargo run --release --example eval_orders -- DIR [--json] [--snr clean,6,24] [--limit N]
//! DIR holds grammar.yaml (Picovoice's layout), labels.json, wav/ and kitchen_noise.flac; without it
//! HEARKEN_EVAL_DATA/orders_en is taken. A command is accepted when the intent and every labelled
//! slot are those of the label, blanks around them aside.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

mod noise;

use std::collections::BTreeMap;
use std::path::PathBuf;

use hearken::audio::read_mono_16k;
use hearken::config::Config;
use hearken::intent::{Engine, Language, Names};
use hearken::models::ModelStore;
use hearken::session::DomainRecognizer;
use serde::Deserialize;
use serde_json::{Map, Value, json};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Deserialize)]
struct Label {
    intent: String,
    slots: Map<String, Value>,
}

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1));
    let folder = args.first().filter(|a| !a.starts_with("--")).map(PathBuf::from);
    let data = || std::env::var("HEARKEN_EVAL_DATA").map(|d| PathBuf::from(d).join("orders_en"));
    let folder = match folder {
        Some(folder) => folder,
        None => data().map_err(|_| "name the folder of the orders, or set HEARKEN_EVAL_DATA")?,
    };
    let snrs = option("--snr").map_or("clean,6,9,12,15,18,21,24", String::as_str);
    let limit = option("--limit").map_or(Ok(usize::MAX), |n| n.parse())?;
    let grammar = folder.join("grammar.yaml");
    let language =
        Language::from_grammar(&std::fs::read_to_string(&grammar)?, "en", "grammar.yaml")?;
    let engine = Engine::new(&language, &Names::default())?;
    let (mut config, _) = Config::load(None)?;
    config.asr.language = "en".into();
    let store = ModelStore::open(None)?;
    let engines = config.engines(&store);
    let threshold = option("--threshold").map_or(Ok(0.5), |t| t.parse())?;
    let mut domain = DomainRecognizer::new(engines.recognizer()?, engine.clone(), threshold);

    let labels: BTreeMap<String, Label> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("labels.json"))?)?;
    let kitchen = read_mono_16k(folder.join("kitchen_noise.flac"))?;
    let mut rows = Vec::new();
    let began = std::time::Instant::now();
    for snr in snrs.split(',') {
        let (mut accepted, mut free, mut count) = (0, 0, 0);
        for (file, label) in labels.iter().take(limit) {
            let speech = read_mono_16k(folder.join("wav").join(file))?;
            let audio = match snr {
                "clean" => speech,
                db => noise::in_noise(&speech, &kitchen, db.parse()?),
            };
            let command = domain.recognize(&audio)?;
            let fits = |intent: Option<&str>, slots: &Map<String, Value>| {
                let same = |(name, wanted): (&String, &Value)| {
                    let text = |v: &Value| v.as_str().unwrap_or_default().trim().to_owned();
                    slots.get(name).is_some_and(|got| text(got) == text(wanted))
                };
                intent == Some(label.intent.as_str()) && label.slots.iter().all(same)
            };
            let ok = fits(command.intent.as_deref(), &command.slots);
            let freely = engine.recognize(&command.free_text, &Map::new());
            free += usize::from(freely.is_some_and(|m| fits(Some(&m.intent), &m.slots)));
            accepted += usize::from(ok);
            count += 1;
            if !ok && std::env::var_os("SHOW").is_some() {
                let wanted = serde_json::to_string(&label.slots)?;
                println!(
                    "{file} {wanted}\n   heard {:?}\n   taken {:?} {:.2}",
                    command.free_text, command.text, command.confidence
                );
            }
        }
        let rate = |n: usize| 100.0 * n as f64 / f64::from(count.max(1));
        println!(
            "{snr:>6} dB: {accepted} of {count} accepted ({:.1} %), freely {:.1} %",
            rate(accepted),
            rate(free)
        );
        rows.push(json!({ "snr": snr, "accepted": accepted, "of": count, "rate": rate(accepted) / 100.0 }));
    }
    let noisy: Vec<f64> = rows
        .iter()
        .filter(|row| row["snr"] != "clean")
        .filter_map(|row| row["rate"].as_f64())
        .collect();
    let mean = noisy.iter().sum::<f64>() / noisy.len().max(1) as f64;
    println!(
        "mean over the noisy ones {:.1} %, {:.0} s",
        100.0 * mean,
        began.elapsed().as_secs_f64()
    );
    if args.iter().any(|a| a == "--json") {
        println!("{}", json!({ "rows": rows, "mean": mean }));
    }
    Ok(())
}
