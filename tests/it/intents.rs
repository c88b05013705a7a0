//! The sentences of home-assistant-intents, all languages: what a template says is understood.

use std::path::PathBuf;
use std::time::Instant;

use hearken::intent::{Engine, Language, Name, Names};
use hearken::models::ModelStore;
use serde_json::{Map, Value};

/// Templates with punctuation that no sentence keeps, such as `{a} ?{b}`, are few.
const NOT_UNDERSTOOD_AT_MOST: f64 = 0.001;

fn languages() -> Vec<PathBuf> {
    let store = ModelStore::open(None).unwrap();
    let folder = store.folder_of("home-assistant-intents").unwrap();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    files
}

fn home(entities: usize) -> Names {
    let domains = [
        "light",
        "switch",
        "fan",
        "media_player",
        "cover",
        "lock",
        "climate",
        "vacuum",
        "scene",
        "todo",
        "sensor",
        "person",
        "valve",
        "lawn_mower",
        "weather",
        "script",
        "binary_sensor",
        "input_boolean",
        "button",
    ];
    let domains = domains.iter().cycle().take(entities).enumerate();
    Names {
        areas: ["Kitchen", "Living Room", "Bedroom"].map(Name::new).into(),
        floors: vec![Name::new("First")],
        entities: domains
            .map(|(n, domain)| Name::new(&format!("Thing {n} {domain}")).with("domain", *domain))
            .collect(),
        ..Names::default()
    }
}

fn here() -> Map<String, Value> {
    Map::from_iter([("area".to_owned(), Value::from("Living Room"))])
}

#[test]
fn sentences_of_every_template_in_every_language_are_understood() {
    let files = languages();
    assert!(files.len() >= 65, "{} languages", files.len());
    let (mut all, mut missed, mut other) = (0, Vec::new(), Vec::new());
    for file in files {
        let language = Language::from_file(&file).unwrap();
        let engine = Engine::new(&language, &home(40)).unwrap();
        let mut sampler =
            engine.sampler(7).with_free_words(vec!["Quux".into(), "Quux Zork".into()]);
        for index in 0..language.sentence_count() {
            let sample = sampler.sentence(index).unwrap();
            all += 1;
            match engine.recognize(&sample.text, &here()) {
                None => missed.push((language.code().to_owned(), sample)),
                Some(best) if best.intent != sample.intent => {
                    // The template's own intent must be among the readings, but scored lower.
                    let readings = engine.all(&sample.text, &here(), 1_000);
                    let own = readings.iter().any(|reading| reading.intent == sample.intent);
                    assert!(own, "{} is only read as {best:?}: {sample:?}", language.code());
                    other.push((language.code().to_owned(), sample, best.intent, best.template));
                }
                Some(_) => {}
            }
        }
    }
    for found in &other {
        println!("better scored: {found:?}");
    }
    println!("{all} sampled, {} read otherwise, {} not understood", other.len(), missed.len());
    assert!(missed.len() as f64 <= all as f64 * NOT_UNDERSTOOD_AT_MOST, "{missed:#?}");
}

#[test]
fn a_new_device_is_known_within_fifty_milliseconds() {
    let file = languages().into_iter().find(|path| path.ends_with("en.json")).unwrap();
    let language = Language::from_file(&file).unwrap();
    let mut names = home(2_000);
    names.entities.push(Name::new("Brand New Lamp").with("domain", "light"));
    let times: Vec<_> = (0..5)
        .map(|_| {
            let started = Instant::now();
            let engine = Engine::new(&language, &names).unwrap();
            let took = started.elapsed();
            let meaning = engine.recognize("turn on the brand new lamp", &here()).unwrap();
            assert_eq!(meaning.slots["name"], "Brand New Lamp");
            took
        })
        .collect();
    // The quickest counts: the machine has other things to do.
    assert!(times.iter().min().unwrap().as_millis() < 50, "{times:?}");
}
