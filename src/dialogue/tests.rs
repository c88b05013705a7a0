//! The whole turn, with a small grammar of its own in each language.

use super::*;
use crate::home::FixedClock;
use serde_json::json;

fn clock() -> FixedClock {
    FixedClock::new("2026-11-24T20:05:00[UTC]".parse().unwrap())
}

fn dialogue() -> Dialogue {
    let english = Language::from_yaml(include_str!("grammar_en.yaml"), "grammar_en.yaml").unwrap();
    let chinese = Language::from_yaml(include_str!("grammar_zh.yaml"), "grammar_zh.yaml").unwrap();
    Dialogue::new(Home::demo(), vec![english, chinese]).unwrap().with_clock(Box::new(clock()))
}

/// Each action as `entity state`, or `entity attribute=value` for what else changed.
fn told(actions: &[Action]) -> Vec<String> {
    let mut told = Vec::new();
    for action in actions {
        let Action { entity, changes, .. } = action;
        told.extend(changes.iter().map(|(key, change)| match (key.as_str(), &change.to) {
            ("state", to) => format!("{entity} {}", to.as_str().unwrap_or("?")),
            (key, to) => format!("{entity} {key}={to}"),
        }));
    }
    told
}

/// Language, area, sentence, what changes, the answer.
type Turn =
    (&'static str, Option<&'static str>, &'static str, &'static [&'static str], &'static str);

#[test]
fn a_sentence_becomes_actions_and_an_answer() {
    let cases: &[Turn] = &[
        (
            "en",
            None,
            "turn on the kitchen light",
            &["light.kitchen brightness=255", "light.kitchen on"],
            "Turned on Kitchen Light",
        ),
        (
            "en",
            None,
            "turn on the coffee maker",
            &["switch.coffee_machine on"],
            "Turned on Coffee Machine",
        ),
        ("en", None, "lock the front door", &["lock.front_door locked"], "Locking"),
        ("en", None, "unlock the back door", &["lock.back_door unlocked"], "Unlocking"),
        ("en", None, "open the garage door", &["cover.garage_door open"], "Opening"),
        (
            "en",
            Some("Kitchen"),
            "turn on the lights",
            &[
                "light.kitchen brightness=255",
                "light.kitchen on",
                "light.kitchen_counter brightness=255",
                "light.kitchen_counter on",
            ],
            "Lights on",
        ),
        (
            "en",
            None,
            "set the bedside lamp to 50 percent",
            &["light.bedside brightness=128", "light.bedside on"],
            "Bedside Lamp at 50 percent",
        ),
        (
            "en",
            None,
            "set the thermostat to 19 degrees",
            &["climate.living_room temperature=19"],
            "Set to 19 degrees",
        ),
        ("en", None, "what time is it", &[], "20:05"),
        ("en", None, "is the front door locked", &[], "No, unlocked"),
        ("en", None, "is the hall light on", &[], "Yes"),
        (
            "zh",
            None,
            "打开厨房灯",
            &["light.kitchen brightness=255", "light.kitchen on"],
            "厨房灯已打开",
        ),
        (
            "zh",
            None,
            "把客厅窗帘关上",
            &["cover.living_room_curtains current_position=0", "cover.living_room_curtains closed"],
            "客厅窗帘已关闭",
        ),
        (
            "zh-CN",
            None,
            "卧室灯亮度调到百分之三十",
            &["light.bedroom brightness=77", "light.bedroom on"],
            "卧室灯亮度30%",
        ),
        ("zh", None, "走廊灯关着吗", &[], "不是，开着"),
    ];
    for (language, area, text, changes, answer) in cases {
        let reply = dialogue().respond(text, language, *area);
        assert_eq!(reply.text, *answer, "{text}: {reply:?}");
        assert_eq!(told(&reply.actions), *changes, "{text}");
        assert_eq!(reply.error, None, "{text}");
    }
}

#[test]
fn what_cannot_be_done_is_said_honestly() {
    let cases = [
        (
            "en",
            "the weather in spain falls mainly on the plain",
            "I did not understand that",
            "no_intent",
        ),
        ("zh", "今天我们去公园", "我没听懂", "no_intent"),
        ("en", "turn the hall light red", "Sorry, Hall Light can't do that", "cannot"),
        (
            "en",
            "set the thermostat to 90 degrees",
            "Sorry, for Thermostat that has to be from 16 to 30",
            "out_of_range",
        ),
    ];
    for (language, text, answer, error) in cases {
        let mut dialogue = dialogue();
        let before = dialogue.home().states();
        let reply = dialogue.respond(text, language, None);
        assert_eq!((reply.text.as_str(), reply.error), (answer, Some(error)), "{text}");
        assert!(reply.actions.is_empty(), "{text}");
        assert_eq!(dialogue.home().states(), before, "{text}");
    }
}

#[test]
fn a_device_that_does_not_answer_is_named() {
    let home = Home::from_toml(
        "[[area]]\nid = \"den\"\nname = \"Den\"\n\
         [[device]]\nid = \"light.a\"\nname = \"First\"\narea = \"den\"\nstate = \"unavailable\"\n\
         [[device]]\nid = \"light.b\"\nname = \"Second\"\narea = \"den\"\n",
        "test",
    )
    .unwrap();
    let english = Language::from_yaml(include_str!("grammar_en.yaml"), "grammar_en.yaml").unwrap();
    let mut dialogue = Dialogue::new(home, vec![english]).unwrap();
    let reply = dialogue.respond("turn on first", "en", None);
    assert_eq!(
        (reply.text.as_str(), reply.error),
        ("Sorry, First is not answering", Some("not_answering"))
    );
    let reply = dialogue.respond("turn on the lights in the den", "en", None);
    assert_eq!(reply.text, "Lights on. Sorry, First is not answering");
    assert_eq!(reply.actions.len(), 1, "{reply:?}");
}

#[test]
fn of_two_with_one_name_the_one_that_is_here_is_meant() {
    let home = || {
        Home::from_toml(
            "[[area]]\nid = \"den\"\nname = \"Den\"\n[[area]]\nid = \"hall\"\nname = \"Hall\"\n\
             [[device]]\nid = \"light.a\"\nname = \"Lamp (old)\"\narea = \"den\"\n\
             [[device]]\nid = \"light.b\"\nname = \"Lamp (old)\"\narea = \"hall\"\n\
             [[device]]\nid = \"lock.c\"\nname = \"Lamp (old)\"\narea = \"hall\"\n",
            "test",
        )
        .unwrap()
    };
    let english = Language::from_yaml(include_str!("grammar_en.yaml"), "grammar_en.yaml").unwrap();
    let cases = [
        (Some("hall"), "turn on lamp (old)", vec!["light.b"], "Turned on Lamp (old)"),
        (Some("hall"), "unlock lamp (old)", vec!["lock.c"], "Unlocking"),
        (
            None,
            "turn on lamp (old)",
            vec![],
            "Which Lamp (old): the one in the Den, or in the Hall?",
        ),
    ];
    for (area, text, entities, answer) in cases {
        let mut dialogue = Dialogue::new(home(), vec![english.clone()]).unwrap();
        let reply = dialogue.respond(text, "en", area);
        let acted: Vec<&str> = reply.actions.iter().map(|a| a.entity.as_str()).collect();
        assert_eq!((acted, reply.text.as_str()), (entities, answer), "{text} in {area:?}");
    }
    for (answer, entity) in
        [("the one in the hall", Some("light.b")), ("Den.", Some("light.a")), ("no", None)]
    {
        let mut dialogue = Dialogue::new(home(), vec![english.clone()]).unwrap();
        let asked = dialogue.respond("turn on lamp (old)", "en", None);
        assert_eq!((asked.alternatives.len(), asked.error), (2, Some("duplicate_entities")));
        let reply = dialogue.respond(answer, "en", None);
        assert_eq!(reply.actions.first().map(|a| a.entity.as_str()), entity, "{answer}: {reply:?}");
    }
}

#[test]
fn a_rehearsal_changes_nothing() {
    let dialogue = dialogue();
    let before = dialogue.home().states();
    let reply = dialogue.rehearse("turn on the kitchen light", "en", None);
    assert_eq!(reply.text, "Turned on Kitchen Light");
    assert!(reply.actions.is_empty());
    assert_eq!(dialogue.home().states(), before);
}

#[test]
fn a_command_said_nowhere_holds_for_the_whole_house() {
    let reply = dialogue().respond("turn on the lights", "en", None);
    assert_eq!(reply.actions.len(), 10, "{reply:?}");
    assert!(!reply.intent.unwrap().slots.contains_key("area"));
}

#[test]
fn timers_ring_and_commands_wait_for_them() {
    let clock = clock();
    let mut dialogue = dialogue().with_clock(Box::new(clock.clone()));
    let reply = dialogue.respond("set a timer for 5 minutes", "en", Some("kitchen"));
    assert_eq!(reply.text, "Timer set for 5 minutes");
    dialogue.respond("turn on the hall light in 3 minutes", "en", None);
    dialogue.respond("turn off the hall light in 2 minutes", "en", None);
    clock.advance(120);
    let rings = dialogue.ring();
    assert_eq!(rings.len(), 1);
    assert_eq!(told(&rings[0].reply.actions), ["light.hall off"]);
    clock.advance(600);
    let texts: Vec<String> = dialogue.ring().into_iter().map(|ring| ring.reply.text).collect();
    assert_eq!(texts, ["Turned on Hall Light", "Your timer is up"]);
}

/// Intents by their slots, for those that the small grammar does not speak.
#[test]
fn every_intent_acts() {
    let cases: &[(&str, &str, Value, &[&str])] = &[
        (
            "HassTurnOn",
            "script",
            json!({"name": "Good Night"}),
            &["light.living_room off", "light.hall off", "lock.front_door locked"],
        ),
        ("HassTurnOn", "valve", json!({"name": "Sprinkler"}), &["valve.sprinkler open"]),
        (
            "HassTurnOff",
            "cover_device_class",
            json!({"area": "Living Room", "domain": "cover", "device_class": "curtain"}),
            &["cover.living_room_curtains closed"],
        ),
        (
            "HassLightSet",
            "temperature",
            json!({"area": "office", "domain": "light", "temperature": 4000}),
            &["light.office color_temp_kelvin=4000", "light.office on"],
        ),
        (
            "HassSetPosition",
            "default",
            json!({"name": "Bedroom Blinds", "position": 40}),
            &["cover.bedroom_blinds open", "cover.bedroom_blinds current_position=40"],
        ),
        (
            "HassFanSetSpeed",
            "default",
            json!({"name": "吊扇", "percentage": 30.0}),
            &["fan.bedroom on", "fan.bedroom percentage=30"],
        ),
        (
            "HassClimateSetFanMode",
            "default",
            json!({"name": "Thermostat", "fan_mode": "high"}),
            &["climate.living_room fan_mode=\"high\""],
        ),
        ("HassMediaPause", "default", json!({}), &["media_player.kitchen_speaker paused"]),
        (
            "HassMediaNext",
            "default",
            json!({"area": "Kitchen"}),
            &["media_player.kitchen_speaker media_track=2"],
        ),
        ("HassMediaPrevious", "default", json!({"name": "TV"}), &["media_player.tv media_track=1"]),
        ("HassMediaUnpause", "default", json!({"name": "TV"}), &["media_player.tv playing"]),
        (
            "HassSetVolume",
            "default",
            json!({"name": "TV", "volume_level": 25}),
            &["media_player.tv volume_level=0.25"],
        ),
        (
            "HassSetVolumeRelative",
            "default",
            json!({"name": "TV", "volume_step": "down"}),
            &["media_player.tv volume_level=0.3"],
        ),
        (
            "HassSetVolumeRelative",
            "default",
            json!({"name": "TV", "volume_step": 20}),
            &["media_player.tv volume_level=0.6"],
        ),
        (
            "HassMediaPlayerMute",
            "default",
            json!({"name": "TV"}),
            &["media_player.tv is_volume_muted=true"],
        ),
        (
            "HassMediaSearchAndPlay",
            "default",
            json!({"search_query": "Blue", "name": "TV", "media_class": "album"}),
            &["media_player.tv playing", "media_player.tv media_title=\"Blue\""],
        ),
        ("HassVacuumStart", "default", json!({}), &["vacuum.rover cleaning"]),
        (
            "HassVacuumCleanArea",
            "default",
            json!({"area": "厨房"}),
            &["vacuum.rover cleaning_area=\"kitchen\""],
        ),
        ("HassLawnMowerStartMowing", "default", json!({}), &["lawn_mower.garden mowing"]),
        (
            "HassListAddItem",
            "item_added",
            json!({"name": "Chores", "item": "dust"}),
            &["todo.chores 1"],
        ),
        (
            "HassShoppingListAddItem",
            "item_added",
            json!({"item": "Milk"}),
            &["todo.shopping_list 2"],
        ),
        (
            "HassShoppingListCompleteItem",
            "item_completed",
            json!({"item": "bread"}),
            &["todo.shopping_list 0"],
        ),
        (
            "HassListRemoveItem",
            "item_deleted",
            json!({"name": "Shopping List", "item": "bread"}),
            &["todo.shopping_list 0"],
        ),
    ];
    for (intent, key, slots, changes) in cases {
        let meaning = Meaning {
            intent: (*intent).into(),
            slots: slots.as_object().unwrap().clone(),
            texts: slots.as_object().unwrap().clone(),
            response_key: (*key).into(),
            ..Meaning::default()
        };
        let reply = dialogue().obey(&meaning, "en", None);
        assert_eq!(reply.error, None, "{intent} {slots}: {}", reply.text);
        let told = told(&reply.actions);
        for change in *changes {
            assert!(told.contains(&(*change).to_owned()), "{intent} {slots}: {change} in {told:?}");
        }
    }
}

#[test]
fn the_only_one_in_the_house_is_meant_where_there_is_none() {
    let meaning = |area_said: bool| {
        let slots = json!({"area": "Office", "domain": "cover", "device_class": "garage"});
        let slots = slots.as_object().unwrap().clone();
        let texts = if area_said { slots.clone() } else { Map::new() };
        Meaning { intent: "HassTurnOn".into(), slots, texts, ..Meaning::default() }
    };
    let reply = dialogue().obey(&meaning(false), "en", Some("Office"));
    assert_eq!(told(&reply.actions), ["cover.garage_door open"]);
    let reply = dialogue().obey(&meaning(true), "en", Some("Office"));
    assert_eq!(reply.error, Some("no_device_class_in_area"));
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    let home = Home::demo();
    assert!(Config::default().problems().is_empty());
    let wrong = Config {
        languages: vec!["e n".into(), String::new()],
        area: "attic".into(),
        confirm: vec!["unlock".into(), "lock.unlock".into()],
        sentences: vec!["/nowhere/own.yaml".into()],
    };
    assert_eq!(wrong.problems().len(), 4);
    assert!(wrong.problems_with(&home)[0].contains("attic"));
    let none = Config { languages: Vec::new(), ..Config::default() };
    assert_eq!(none.problems().len(), 1);
    assert!(matches!(Dialogue::new(Home::demo(), Vec::new()), Err(DialogueError::NoLanguage)));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever is said: an answer, no panic, and no action without an intent.
    #[test]
    fn every_text_is_answered(text in "(turn on the |打开|set a timer for )?\\PC{0,40}") {
        for language in ["en", "zh"] {
            let reply = dialogue().respond(&text, language, None);
            proptest::prop_assert!(reply.intent.is_some() || reply.actions.is_empty());
            proptest::prop_assert!(reply.intent.is_some() || !reply.text.is_empty());
        }
    }
}
