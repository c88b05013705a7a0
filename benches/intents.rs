//! How long sentences take, with the whole package and homes of different sizes.
//!
//! make models && cargo bench --bench intents

#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs, reason = "a benchmark prints")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use hearken::intent::{Engine, Language, Name, Names};
use hearken::models::ModelStore;
use serde_json::{Map, Value};

const ROOMS: [&str; 10] = [
    "Kitchen",
    "Living Room",
    "Bedroom",
    "Bathroom",
    "Office",
    "Garage",
    "Hallway",
    "Attic",
    "Garden",
    "Basement",
];
const KINDS: [(&str, &str); 20] = [
    ("ceiling light", "light"),
    ("floor lamp", "light"),
    ("desk lamp", "light"),
    ("blinds", "cover"),
    ("curtain", "cover"),
    ("fan", "fan"),
    ("heater switch", "switch"),
    ("outlet", "switch"),
    ("speaker", "media_player"),
    ("TV", "media_player"),
    ("thermostat", "climate"),
    ("door lock", "lock"),
    ("valve", "valve"),
    ("vacuum", "vacuum"),
    ("mower", "lawn_mower"),
    ("motion sensor", "binary_sensor"),
    ("temperature", "sensor"),
    ("movie night", "scene"),
    ("shopping list", "todo"),
    ("good morning", "script"),
];

/// A home with a number of entities.
fn home(entities: usize) -> Names {
    let entity = |n: usize| {
        let (kind, domain) = KINDS[n % KINDS.len()];
        let (room, set) = (ROOMS[n / KINDS.len() % ROOMS.len()], n / 200);
        let name = match set {
            0 => format!("{room} {kind}"),
            set => format!("{room} {kind} {set}"),
        };
        Name::new(&name).with("domain", domain)
    };
    Names {
        areas: ROOMS.iter().map(|room| Name::new(room)).collect(),
        floors: ["Ground", "First", "Upper"].iter().map(|floor| Name::new(floor)).collect(),
        entities: (0..entities).map(entity).collect(),
        ..Names::default()
    }
}

fn benches(criterion: &mut Criterion) {
    let package = std::env::var_os("HEARKEN_INTENTS")
        .map(PathBuf::from)
        .or_else(|| ModelStore::open(None).ok()?.folder_of("home-assistant-intents").ok());
    let Some(package) = package else {
        return eprintln!("home-assistant-intents is not installed: run `make models`");
    };
    let path = package.join("en.json");
    let language = match Language::from_file(&path) {
        Ok(language) => language,
        Err(error) => return eprintln!("{error}"),
    };
    let context = Map::from_iter([("area".to_owned(), Value::from("Living Room"))]);
    println!("entities sentences  median µs   p99 µs   max µs  rebuild ms");
    for entities in [20, 200, 2000] {
        let names = home(entities);
        let started = Instant::now();
        let Ok(engine) = Engine::new(&language, &names) else { return };
        let rebuild = started.elapsed();
        let mut sampler = engine.sampler(1);
        let mut sentences: Vec<String> = Vec::new();
        for index in 0..language.sentence_count() {
            sentences.extend((0..3).filter_map(|_| sampler.sentence(index)).map(|s| s.text));
        }
        // Much of what is said is no command.
        let other = (0..sentences.len() / 4).map(|n| format!("what a lovely day number {n} it is"));
        sentences.extend(other);
        let mut times: Vec<Duration> = Vec::new();
        for sentence in &sentences {
            let started = Instant::now();
            std::hint::black_box(engine.recognize(sentence, &context));
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let us = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e6;
        println!(
            "{entities:8} {:9} {:10.1} {:8.1} {:8.1} {:11.2}",
            sentences.len(),
            us(50),
            us(99),
            us(100),
            rebuild.as_secs_f64() * 1e3
        );
        let mut next = sentences.iter().cycle();
        criterion.bench_function(&format!("sentence/{entities}"), |bencher| {
            bencher.iter(|| next.next().map(|text| engine.recognize(text, &context)));
        });
        criterion.bench_function(&format!("rebuild/{entities}"), |bencher| {
            bencher.iter(|| Engine::new(&language, &names));
        });
    }
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10);
    group.bench_function("en", |bencher| bencher.iter(|| Language::from_file(&path)));
    group.finish();
}

criterion_group!(intents, benches);
criterion_main!(intents);
