//! Repairs in a small home of each language.

use serde_json::Map;

use super::super::{Language, Name, Names};
use super::*;

const ENGLISH: &str = "language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['(turn|switch) on [the] {name}', 'activate {name}']\n  HassTurnOff:\n    data:\n      - sentences: ['(turn|switch) off [the] {name}']\n  HassTimerStatus:\n    data:\n      - sentences: ['timer status']\n";
const CHINESE: &str = "language: zh-CN\nsettings: { ignore_whitespace: true }\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['(打开|开){name}']\n  HassTurnOff:\n    data:\n      - sentences: ['(关闭|关掉|关){name}', '把{name}(关掉|关了)']\n";

fn engine(yaml: &str, names: &[&str]) -> Engine {
    let language = Language::from_yaml(yaml, "test.yaml").unwrap();
    let entities = names.iter().map(|name| Name::new(name)).collect();
    Engine::new(&language, &Names { entities, ..Names::default() }).unwrap()
}

fn english() -> Engine {
    engine(ENGLISH, &["Kitchen Lights", "Bed Light", "Mood Lighting", "EcoBee", "Garage Door"])
}

fn chinese() -> Engine {
    engine(CHINESE, &["客厅灯", "走廊灯", "厨房灯", "窗帘", "空调"])
}

/// The nearest sentence with a meaning.
fn nearest(engine: &Engine, text: &str) -> Option<(String, f32)> {
    let sounds = SoundsLike::new(&[engine]).unwrap();
    let found = sounds.repairs(text, |text| {
        engine.recognize(text, &Map::new()).map(|meaning| (meaning.intent, meaning.slots))
    });
    found.first().map(|repair| (repair.repaired.to.clone(), repair.repaired.cost))
}

#[test]
fn what_sounds_like_a_command_is_found() {
    let (english, chinese) = (english(), chinese());
    let cases = [
        (&english, "turn of the bed light", "turn off the bed light", 0.2),
        (&english, "turn on the beds light", "turn on the bed light", 0.2),
        (&english, "turn off the keychain lights", "turn off the kitchen lights", 0.35),
        (&english, "time risk status", "timer status", 0.4),
        (&english, "turn on the incubi", "turn on the ecobee", 0.4),
        (&english, "turn on the carriage door", "turn on the garage door", 0.2),
        (&chinese, "关闭客听等", "关闭客厅灯", 0.01),
        (&chinese, "打开走狼灯", "打开走廊灯", 0.01),
        (&chinese, "开床帘", "开窗帘", 0.2),
        (&chinese, "把空条关掉", "把空调关掉", 0.1),
        (&chinese, "打开出房等", "打开厨房灯", 0.2),
    ];
    for (engine, heard, meant, limit) in cases {
        let found = nearest(engine, heard);
        let (to, cost) = found.unwrap_or_else(|| panic!("nothing for {heard}"));
        assert_eq!(to, meant, "{heard}");
        assert!(cost <= limit, "{heard}: {cost}");
    }
}

#[test]
fn other_speech_is_left_alone() {
    let (english, chinese) = (english(), chinese());
    let cases = [
        (&english, "the birch canoe slid on the smooth planks"),
        (&english, "we talked of the side show in the circus"),
        (&english, ""),
        (&chinese, "今天的天气真不错"),
        (&chinese, "他昨天去了北京"),
        (&chinese, "……"),
    ];
    for (engine, text) in cases {
        assert_eq!(nearest(engine, text), None, "{text}");
    }
}

#[test]
fn a_language_without_a_pronunciation_has_no_repairs() {
    let engine = engine(&ENGLISH.replace("language: en", "language: de"), &["Licht"]);
    assert!(SoundsLike::new(&[&engine]).is_none());
}

#[test]
fn two_names_that_are_as_near_are_both_found() {
    let engine = engine(ENGLISH, &["Ball Lamp", "Wall Lamp"]);
    let sounds = SoundsLike::new(&[&engine]).unwrap();
    let found = sounds.repairs("turn on the vall lamp", |text| {
        engine.recognize(text, &Map::new()).map(|meaning| meaning.slots["name"].clone())
    });
    assert_eq!(found.len(), 2, "{found:?}");
}
