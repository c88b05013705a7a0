//! cargo run --release --example understand_intents < request.json
//!
//! Understands many sentences in one home: reads `{"file", "context", "areas", "floors",
//! "entities": [[name, domain]], "texts"}` and writes one line of JSON for each text. For
//! `benches/peers/hassil_intents.py`, which compares the answers with those of hassil.

use std::io::Read;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use hearken::intent::{Engine, Language, Name, Names};
use serde_json::{Map, Value, json};

fn main() -> Result<()> {
    let mut request = String::new();
    std::io::stdin().read_to_string(&mut request)?;
    let request: Value = serde_json::from_str(&request)?;
    let file = request["file"].as_str().context("`file` names no sentence file")?;
    let language = Language::from_file(Path::new(file))?;
    let plain = |key: &str| -> Vec<Name> {
        let names = request[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        names.map(Name::new).collect()
    };
    let entities = request["entities"].as_array().into_iter().flatten();
    let entities = entities.map(|pair| {
        let name = Name::new(pair[0].as_str().unwrap_or_default());
        name.with("domain", pair[1].clone())
    });
    let names = Names {
        areas: plain("areas"),
        floors: plain("floors"),
        entities: entities.collect(),
        ..Names::default()
    };
    let engine = Engine::new(&language, &names)?;
    let empty = Map::new();
    let context = request["context"].as_object().unwrap_or(&empty);
    for text in request["texts"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let started = Instant::now();
        let meaning = engine.recognize(text, context);
        let us = started.elapsed().as_nanos() as f64 / 1e3;
        let meaning = meaning.map(|meaning| {
            json!({"intent": meaning.intent, "slots": meaning.slots,
                "response": meaning.response_key, "literal": meaning.literal_chars})
        });
        println!("{}", json!({"us": us, "meaning": meaning}));
    }
    Ok(())
}
