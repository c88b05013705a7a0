//! Turns that are more than one sentence with one command.

use super::super::*;

fn dialogue() -> Dialogue {
    let english = include_str!("../grammar_en.yaml");
    let chinese = include_str!("../grammar_zh.yaml");
    let english = Language::from_yaml(english, "grammar_en.yaml").unwrap();
    let chinese = Language::from_yaml(chinese, "grammar_zh.yaml").unwrap();
    let services = ["lock.unlock", "cover.open_cover:garage"].map(str::to_owned);
    Dialogue::new(Home::demo(), vec![english, chinese]).unwrap().with_confirm(&services)
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
