//! Turns that are more than one sentence with one command.

use super::super::*;

fn dialogue() -> Dialogue {
    let english = include_str!("../grammar_en.yaml");
    let chinese = include_str!("../grammar_zh.yaml");
    let english = Language::from_yaml(english, "grammar_en.yaml").unwrap();
    let chinese = Language::from_yaml(chinese, "grammar_zh.yaml").unwrap();
    let confirm = Config::default().confirm;
    Dialogue::new(Home::demo(), vec![english, chinese]).unwrap().with_confirm(&confirm)
}

/// Whom a reply acted on.
fn acted(reply: &Reply) -> Vec<&str> {
    reply.actions.iter().map(|action| action.entity.as_str()).collect()
}

#[test]
fn what_sounds_like_a_command_is_done() {
    let cases = [
        ("en", "turn of the kitchen light", "light.kitchen"),
        ("zh", "打开出房灯", "light.kitchen"),
        ("zh", "打开走狼灯", "light.hall"),
    ];
    for (language, text, entity) in cases {
        let reply = dialogue().respond(text, language, None);
        assert_eq!(acted(&reply), [entity], "{text}: {reply:?}");
        let repaired = reply.repaired.as_ref().unwrap();
        assert_eq!(repaired.from, text);
        assert!(repaired.cost <= SURE_COST && reply.score < 1.01, "{reply:?}");
        assert_eq!(reply.commands.len(), 1);
    }
}

const SURE_COST: f32 = super::SURE;

#[test]
fn several_commands_are_done_in_order() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("en", "turn on the hall light and lock the back door", &["light.hall", "lock.back_door"]),
        ("en", "Turn on the kitchen light and the hall light.", &["light.kitchen", "light.hall"]),
        ("zh", "打开厨房灯和走廊灯", &["light.kitchen", "light.hall"]),
        (
            "zh",
            "打开厨房灯，然后把客厅窗帘关上。",
            &["light.kitchen", "cover.living_room_curtains"],
        ),
    ];
    for (language, text, entities) in cases {
        let reply = dialogue().respond(text, language, None);
        let mut acted = acted(&reply);
        acted.dedup();
        assert_eq!(acted, *entities, "{text}: {reply:?}");
        assert_eq!(reply.commands.len(), 2, "{text}");
        for command in &reply.commands {
            assert!(reply.text.contains(&command.response), "{text}: {}", reply.text);
        }
    }
    let reply = dialogue().respond("turn on the hall light and sing a song for me", "en", None);
    assert!(reply.actions.is_empty(), "{reply:?}");
}

#[test]
fn a_leaning_sentence_repeats_the_last_command() {
    let cases = [
        ("en", "turn on the kitchen light", "and the hall light too", "light.hall"),
        ("en", "turn on the kitchen light", "what about the hall", "light.hall"),
        ("zh", "打开厨房灯", "走廊也一样", "light.hall"),
    ];
    for (language, first, second, entity) in cases {
        let mut dialogue = dialogue();
        dialogue.respond(first, language, None);
        let reply = dialogue.respond(second, language, None);
        assert_eq!(acted(&reply), [entity], "{second}: {reply:?}");
    }
}

#[test]
fn a_risky_command_waits_for_a_yes_in_the_next_sentence() {
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("en", "unlock the back door", "yes", &["lock.back_door"]),
        ("en", "open the garage door", "Yes, please.", &["cover.garage_door"]),
        ("en", "unlock the back door", "no", &[]),
        ("en", "unlock the back door", "what time is it", &[]),
    ];
    for (language, text, answer, entities) in cases {
        let mut dialogue = dialogue();
        let asked = dialogue.respond(text, language, None);
        assert_eq!((asked.error, asked.actions.len()), (Some("confirm"), 0), "{text}: {asked:?}");
        assert!(asked.text.ends_with('?'), "{}", asked.text);
        assert!(asked.intent.is_some() && asked.commands.is_empty(), "{asked:?}");
        let reply = dialogue.respond(answer, language, None);
        assert_eq!(acted(&reply), *entities, "{answer}: {reply:?}");
        let late = dialogue.respond("yes", language, None);
        assert!(late.actions.is_empty(), "a question is answered by the next sentence only");
    }
    assert_eq!(acted(&dialogue().respond("lock the front door", "en", None)), ["lock.front_door"]);
}

#[test]
fn what_is_missing_is_asked_for() {
    let cases = [
        ("en", "turn on", "the hall light", "What should I turn on?", 1),
        ("en", "set a timer", "5 minutes", "For how long?", 0),
        ("zh", "打开", "走廊灯", "要打开什么？", 1),
    ];
    for (language, text, answer, asked, actions) in cases {
        let mut dialogue = dialogue();
        assert_eq!(dialogue.respond(text, language, None).text, asked);
        let reply = dialogue.respond(answer, language, None);
        assert_eq!((reply.error, reply.actions.len()), (None, actions), "{answer}: {reply:?}");
        assert!(reply.intent.is_some(), "{answer}");
    }
}

#[test]
fn a_question_does_not_wait_for_ever() {
    let clock = crate::home::FixedClock::new("2026-11-24T20:05:00[UTC]".parse().unwrap());
    for (seconds, acts) in [(30, true), (90, false)] {
        let mut dialogue = dialogue().with_clock(Box::new(clock.clone()));
        dialogue.respond("unlock the back door", "en", None);
        clock.advance(seconds);
        assert_eq!(!dialogue.respond("yes", "en", None).actions.is_empty(), acts, "{seconds}");
        dialogue.respond("turn on the kitchen light", "en", None);
        clock.advance(seconds);
        let again = dialogue.respond("and the hall light too", "en", None);
        assert_eq!(!again.actions.is_empty(), acts, "{seconds}: {again:?}");
    }
}

#[test]
fn a_rehearsal_takes_a_sentence_for_what_a_turn_takes_it_for() {
    let dialogue = dialogue();
    let before = dialogue.home().states();
    let cases: &[(&str, &str, &[&str], Option<&str>)] = &[
        ("en", "unlock the back door", &["HassTurnOff"], None),
        ("en", "turn of the kitchen light", &["HassTurnOff"], None),
        ("zh", "打开厨房灯和走廊灯", &["HassTurnOn", "HassTurnOn"], None),
        ("en", "the weather in spain is fine", &[], Some("no_intent")),
    ];
    for (language, text, intents, error) in cases {
        let reply = dialogue.rehearse(text, language, None);
        let own: Vec<&str> = reply.commands.iter().map(|own| own.intent.as_str()).collect();
        assert_eq!((own.as_slice(), reply.error), (*intents, *error), "{text}: {reply:?}");
        assert!(reply.actions.is_empty());
    }
    assert_eq!(dialogue.home().states(), before);
}

#[test]
fn the_next_timer_is_foretold() {
    let clock = crate::home::FixedClock::new("2026-11-24T20:05:00[UTC]".parse().unwrap());
    let mut dialogue = dialogue().with_clock(Box::new(clock.clone()));
    assert_eq!(dialogue.until_ring(), None);
    dialogue.respond("set a timer for 5 minutes", "en", Some("kitchen"));
    assert_eq!(dialogue.until_ring().unwrap().as_secs(), 300);
    clock.advance(301);
    assert!(dialogue.until_ring().unwrap().is_zero(), "one that is late is up");
    let rings = dialogue.ring();
    assert_eq!((rings.len(), rings[0].area.as_deref()), (1, Some("kitchen")));
    assert_eq!(dialogue.until_ring(), None);
}
