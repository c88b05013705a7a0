//! The semantics of the sentence templates, clause by clause, on small grammars.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// An engine for the sentences of one file in a small home.
fn engine(yaml: &str) -> Engine {
    let language = Language::from_yaml(yaml, "test.yaml").unwrap();
    Engine::new(&language, &home()).unwrap()
}

fn home() -> Names {
    let light = |name: &str| Name::new(name).with("domain", "light");
    Names {
        areas: vec![Name::new("Kitchen"), Name::new("Living Room"), Name::new("客厅")],
        floors: vec![Name::new("First")],
        entities: vec![
            light("Lamp"),
            light("Lamp Left").alias("left [reading] lamp"),
            Name::new("Front Door").with("domain", "lock"),
            Name::new("A/C (old)").alias("old A C").with("domain", "climate"),
            light("台灯"),
        ],
        ..Names::default()
    }
}

/// One intent `I` with the given sentences, and more top-level YAML.
fn one(sentences: &[&str], more: &str) -> Engine {
    let sentences = serde_json::to_string(sentences).unwrap();
    engine(&format!(
        "language: en\nintents:\n  I:\n    data:\n      - sentences: {sentences}\n{more}"
    ))
}

fn nothing() -> Map<String, Value> {
    Map::new()
}

fn slots(engine: &Engine, text: &str) -> Option<Value> {
    engine.recognize(text, &nothing()).map(|meaning| Value::Object(meaning.slots))
}

/// Checks that each text gives the slots, or nothing for `null`.
fn check(engine: &Engine, cases: &[(&str, Value)]) {
    for (text, expected) in cases {
        let got = slots(engine, text).unwrap_or(Value::Null);
        assert_eq!(got, *expected, "{text:?}");
    }
}

#[test]
fn words_match_without_case_and_punctuation() {
    let engine = one(&["turn on the light"], "");
    check(
        &engine,
        &[
            ("turn on the light", json!({})),
            ("Turn ON, the light!", json!({})),
            ("turn  on the   light", json!({})),
            ("turn on the lights", Value::Null),
            ("turn on light", Value::Null),
            ("", Value::Null),
        ],
    );
}

#[test]
fn optional_parts_alternatives_and_any_order() {
    let engine = one(&["[please] (open|raise) [the] (blinds;now;[quickly])"], "");
    for text in [
        "open blinds now",
        "please raise the blinds now",
        "open the now blinds",
        "open quickly now blinds",
        "open blinds quickly now",
    ] {
        assert!(slots(&engine, text).is_some(), "{text}");
    }
    for text in ["open the blinds", "open blinds blinds now", "close blinds now"] {
        assert!(slots(&engine, text).is_none(), "{text}");
    }
}

#[test]
fn rules_stand_for_their_words_and_local_ones_come_first() {
    let engine = engine(
        "language: en
expansion_rules:
  the: (the|my)
  device: '[<the>] <thing>'
  thing: lamp
intents:
  Global: {data: [{sentences: ['turn on <device>']}]}
  Local: {data: [{sentences: ['turn on <device>'], expansion_rules: {thing: fan}}]}",
    );
    let intent = |text: &str| engine.recognize(text, &nothing()).map(|meaning| meaning.intent);
    assert_eq!(intent("turn on my lamp").as_deref(), Some("Global"));
    assert_eq!(intent("turn on the fan").as_deref(), Some("Local"));
}

#[test]
fn lists_give_values_texts_and_contexts() {
    let engine = one(
        &["set {color} in [the] {area}", "make it {shade:color}", "call it {@word}"],
        "lists:
  color: {values: [red, {in: '(green|lime)', out: '#00ff00'}, 'dark (blue|navy)']}
  shade: {values: [{in: bright, out: 7}]}
  word: {values: [home, '[sweet] house']}",
    );
    check(
        &engine,
        &[
            ("set red in the kitchen", json!({"color": "red", "area": "Kitchen"})),
            ("set LIME in Living-Room", json!({"color": "#00ff00", "area": "Living Room"})),
            ("set dark navy in kitchen", json!({"color": "dark navy", "area": "Kitchen"})),
            ("make it bright", json!({"color": 7})),
            ("call it sweet house", json!({})),
            ("set blue in kitchen", Value::Null),
        ],
    );
    let meaning = engine.recognize("call it Sweet House", &nothing()).unwrap();
    assert_eq!(meaning.captures["word"], "Sweet House");
    let meaning = engine.recognize("set lime in the kitchen", &nothing()).unwrap();
    assert_eq!(meaning.texts["color"], "lime");
    assert_eq!(meaning.texts["area"], "kitchen");
}

#[test]
fn names_may_have_aliases_brackets_and_templates() {
    let engine = one(&["turn on [the] {name}"], "");
    check(
        &engine,
        &[
            ("turn on the lamp", json!({"name": "Lamp"})),
            ("turn on the lamp left", json!({"name": "Lamp Left"})),
            ("turn on left reading lamp", json!({"name": "Lamp Left"})),
            ("turn on the old a c", json!({"name": "A/C (old)"})),
            ("turn on front-door", json!({"name": "Front Door"})),
            ("turn on the lamps", Value::Null),
        ],
    );
    let bad = Names { areas: vec![Name::new("Hall (old")], ..Names::default() };
    let language =
        Language::from_yaml("language: en\nintents: {I: {data: [{sentences: ['{area}']}]}}", "t");
    let error = Engine::new(&language.unwrap(), &bad).unwrap_err().to_string();
    assert!(error.contains("Hall (old") && error.contains("column 6"), "{error}");
}

#[test]
fn ranges_take_digits_and_words() {
    let engine = one(
        &[
            "dim to {brightness}[%]",
            "lower by {down}",
            "warm to {degrees}",
            "step {0..10,5:n}",
            "say {digits} {spelled}",
        ],
        "lists:
  brightness: {range: {from: 0, to: 100}}
  down: {range: {from: 0, to: 100, multiplier: -1}}
  degrees: {range: {from: 5, to: 30, fractions: halves}}
  digits: {range: {from: 0, to: 9, words: false}}
  spelled: {range: {from: 0, to: 9, digits: false}}",
    );
    check(
        &engine,
        &[
            ("dim to 50", json!({"brightness": 50})),
            ("dim to 50 %", json!({"brightness": 50})),
            ("dim to fifty-five%", json!({"brightness": 55})),
            ("dim to twenty one", json!({"brightness": 21})),
            ("dim to Twenty-One", json!({"brightness": 21})),
            ("dim to one hundred", json!({"brightness": 100})),
            ("dim to 101", Value::Null),
            ("dim to -1", Value::Null),
            ("lower by ten", json!({"down": -10})),
            ("lower by 10", json!({"down": -10})),
            ("warm to 20.5", json!({"degrees": 20.5})),
            ("warm to 20,5", json!({"degrees": 20.5})),
            ("warm to 20.3", Value::Null),
            ("warm to twenty point five", json!({"degrees": 20.5})),
            ("warm to 30.5", json!({"degrees": 30.5})),
            ("step 5", json!({"n": 5})),
            ("step 7", Value::Null),
            ("say 1 two", json!({"digits": 1, "spelled": 2})),
            ("say one two", Value::Null),
            ("say 1 2", Value::Null),
        ],
    );
}

#[test]
fn wildcards_take_any_words_but_never_none() {
    let engine = one(
        &[
            "add {item} to my list",
            "play {song} by {artist}",
            "say {text}",
            "wait {what} {minutes} minutes",
        ],
        "lists:
  item: {wildcard: true}
  song: {wildcard: true}
  artist: {wildcard: true}
  text: {wildcard: true}
  what: {wildcard: true}
  minutes: {range: {from: 1, to: 60}}",
    );
    check(
        &engine,
        &[
            ("add milk and Bread to my list", json!({"item": "milk and Bread"})),
            ("add to my list", Value::Null),
            ("add to my list to my list", json!({"item": "to my list"})),
            ("say", Value::Null),
            ("say hello, World", json!({"text": "hello World"})),
            ("wait for 5 minutes", json!({"what": "for", "minutes": 5})),
            ("wait at most ten minutes", json!({"what": "at most", "minutes": 10})),
            ("wait 5 minutes", Value::Null),
        ],
    );
    // Every place of "by" is tried; the sentence templates do not say which is meant.
    let all = engine.all("play stand by me by Ben", &nothing(), 9);
    let songs: Vec<&Value> = all.iter().map(|meaning| &meaning.slots["song"]).collect();
    assert_eq!(songs, ["stand", "stand by me"]);
}

#[test]
fn a_wildcard_ends_at_a_word_where_a_blank_follows_it() {
    let lists = "lists: {x: {wildcard: true}}";
    check(
        &one(&["say {x} on air"], lists),
        &[("say salmon on air", json!({"x": "salmon"})), ("say salmon air", Value::Null)],
    );
    check(&one(&["say {x}s"], lists), &[("say cats", json!({"x": "cat"}))]);
}

#[test]
fn a_wildcard_before_a_name_is_cut_at_the_name() {
    let engine = one(&["tell {message} {area}"], "lists: {message: {wildcard: true}}");
    check(
        &engine,
        &[
            (
                "tell dinner is ready kitchen",
                json!({"message": "dinner is ready", "area": "Kitchen"}),
            ),
            ("tell kitchen", Value::Null),
        ],
    );
}

#[test]
fn skip_words_go_unless_they_were_meant() {
    let engine = one(
        &["turn on [the] tv", "i want to watch tv", "write {text}", "{text} is nice"],
        "lists: {text: {wildcard: true}}\nskip_words: ['please', 'i want', 'i want you to']",
    );
    check(
        &engine,
        &[
            ("please turn on the tv", json!({})),
            ("i want you to please turn on tv", json!({})),
            ("I want to watch TV", json!({})),
            ("pleased turn on tv", Value::Null),
            ("please write a please note please", json!({"text": "a please note please"})),
            ("please tea is nice please", json!({"text": "please tea"})),
        ],
    );
}

#[test]
fn hyphens_may_be_read_as_blanks() {
    let engine = one(&["clean the living room", "turn on well-known things"], "");
    check(
        &engine,
        &[
            ("clean the living-room", json!({})),
            ("clean the living_room", json!({})),
            ("turn on well-known things", json!({})),
            ("turn on well known things", Value::Null),
        ],
    );
    // Words that match only so do not count as fixed words.
    let plain = engine.recognize("clean the living room", &nothing()).unwrap();
    let broken = engine.recognize("clean the living-room", &nothing()).unwrap();
    assert!(broken.literal_chars < plain.literal_chars);
}

#[test]
fn an_apostrophe_ends_a_word() {
    let engine = one(&["accendi la luce (in|nell') {area}"], "");
    check(
        &engine,
        &[
            ("accendi la luce nell'kitchen", json!({"area": "Kitchen"})),
            ("accendi la luce nell\u{2019} kitchen", json!({"area": "Kitchen"})),
        ],
    );
}

#[test]
fn contexts_are_required_excluded_and_copied() {
    let engine = engine(
        "language: en
intents:
  Light: {data: [{sentences: ['use {name}'], requires_context: {domain: [light, switch]}}]}
  NotLight: {data: [{sentences: ['use {name}'], excludes_context: {domain: light}}]}
  Here: {data: [{sentences: [lights on], requires_context: {area: {slot: true}}, slots: {domain: light}}]}
  Room: {data: [{sentences: [room please], requires_context: {area: {slot: room, value: [Kitchen]}}}]}
  Known: {data: [{sentences: [who is it], requires_context: {speaker: null}}]}
  Fixed: {data: [{sentences: ['be {area}'], slots: {area: Nowhere, mode: 1}}]}",
    );
    let with = |text: &str, context: Value| {
        let context = context.as_object().cloned().unwrap_or_default();
        engine.recognize(text, &context).map(|m| (m.intent, Value::Object(m.slots)))
    };
    let cases = [
        ("use lamp", json!({}), Some(("Light", json!({"name": "Lamp"})))),
        ("use front door", json!({}), Some(("NotLight", json!({"name": "Front Door"})))),
        ("lights on", json!({}), None),
        ("lights on", json!({"area": null}), None),
        (
            "lights on",
            json!({"area": "Attic"}),
            Some(("Here", json!({"domain": "light", "area": "Attic"}))),
        ),
        (
            "lights on",
            json!({"area": {"value": "Attic", "text": "up"}}),
            Some(("Here", json!({"domain": "light", "area": "Attic"}))),
        ),
        ("room please", json!({"area": "Attic"}), None),
        ("room please", json!({"area": "Kitchen"}), Some(("Room", json!({"room": "Kitchen"})))),
        ("who is it", json!({}), None),
        ("who is it", json!({"speaker": 3}), Some(("Known", json!({})))),
        ("be kitchen", json!({}), Some(("Fixed", json!({"area": "Kitchen", "mode": 1})))),
    ];
    for (text, context, expected) in cases {
        let expected = expected.map(|(intent, slots)| (intent.to_owned(), slots));
        assert_eq!(with(text, context.clone()), expected, "{text} {context}");
    }
    let meaning = engine.recognize("use lamp", &nothing()).unwrap();
    assert_eq!(meaning.context["domain"], "light");
}

#[test]
fn required_keywords_must_be_there() {
    let engine = engine(
        "language: en
lists: {x: {wildcard: true}}
intents:
  I: {data: [{sentences: ['{x}'], required_keywords: [music, song]}]}",
    );
    assert!(slots(&engine, "that song again").is_some());
    assert!(slots(&engine, "that again").is_none());
}

#[test]
fn the_best_reading_is_chosen_as_home_assistant_does() {
    let engine = engine(
        "language: en
lists: {any: {wildcard: true}, class: {values: [song]}}
intents:
  B: {data: [{sentences: ['turn on {any}', 'see [it]', 'play {any}']}]}
  A: {data: [{sentences: ['turn on {name} now', 'see [it]', 'play {class} {any}', 'turn on lamp [{any}]']}]}
  C: {data: [{sentences: ['turn on the {any:x} {any:y}', 'read {name} left', 'read {name}']}]}",
    );
    let best = |text: &str| engine.recognize(text, &nothing()).map(|m| (m.intent, m.slots));
    // A named thing wins over free words, and equal readings go by the intent's name.
    assert_eq!(best("turn on lamp now").unwrap().0, "A");
    assert_eq!(best("see it").unwrap().0, "A");
    // The longest name wins, even against more fixed words.
    assert_eq!(best("read lamp left").unwrap().1["name"], "Lamp Left");
    // Shorter free words win where all else is equal.
    assert_eq!(best("play song yesterday").unwrap().1["any"], "yesterday");
    assert_eq!(best("turn on something").unwrap().0, "B");
    let all = engine.all("see it", &nothing(), 10);
    assert_eq!(all.iter().map(|m| m.intent.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(engine.all("see it", &nothing(), 1).len(), 1);
}

#[test]
fn a_users_sentences_win() {
    let language = Language::from_yaml(
        "language: en
expansion_rules: {the: the}
lists: {color: {values: [red]}}
skip_words: [please]
responses: {intents: {HassTurnOn: {default: 'On'}}, errors: {no_intent: 'Sorry'}}
intents: {HassTurnOn: {data: [{sentences: ['turn on <the> lamp']}]}}",
        "package.json",
    )
    .unwrap();
    let own = language
        .with_yaml(
            "language: en
lists: {color: {values: [mauve]}}
responses: {intents: {Party: {default: 'Party {{ slots.color }}!'}}}
intents:
  Party:
    data: [{sentences: ['turn on {any}', 'party in {color}'], response: loud}]
",
            "party.yaml",
        )
        .and_then(|own| own.with_yaml("lists: {any: {wildcard: true}}", "lists.yaml"))
        .unwrap();
    let engine = Engine::new(&own, &home()).unwrap();
    let meaning = engine.recognize("please turn on the lamp", &nothing()).unwrap();
    assert_eq!((meaning.intent.as_str(), meaning.custom), ("Party", true));
    assert_eq!(meaning.metadata["hass_custom_file"], "party.yaml");
    assert_eq!(meaning.response_key, "loud");
    for color in ["red", "mauve"] {
        assert_eq!(slots(&engine, &format!("party in {color}")), Some(json!({"color": color})));
    }
    assert_eq!(own.response("HassTurnOn", "default"), Some("On"));
    assert_eq!(own.response("Party", "default"), Some("Party {{ slots.color }}!"));
    assert_eq!(own.response("Party", "other"), None);
    assert_eq!(own.error_response("no_intent"), Some("Sorry"));
    assert_eq!(own.intents().collect::<Vec<_>>(), ["HassTurnOn", "Party"]);
    let error = language.with_yaml("language: de\nintents: {}", "de.yaml").unwrap_err();
    assert!(error.to_string().contains("de.yaml"), "{error}");
}

#[test]
fn chinese_needs_no_blanks() {
    let engine = engine(
        "language: zh-CN
settings: {ignore_whitespace: true}
skip_words: [请, 帮我]
lists: {level: {range: {from: 0, to: 100}}, song: {wildcard: true}}
intents:
  On: {data: [{sentences: ['打开[{area}][的]{name}', '把{name}打开'], requires_context: {domain: light}}]}
  Dim: {data: [{sentences: ['(把|将){name}调到[百分之]{level}']}]}
  Play: {data: [{sentences: ['播放{song}的歌']}]}",
    );
    check(
        &engine,
        &[
            ("打开客厅的台灯", json!({"area": "客厅", "name": "台灯"})),
            ("请帮我打开台灯。", json!({"name": "台灯"})),
            ("打开 客厅 的 台灯", json!({"area": "客厅", "name": "台灯"})),
            ("把台灯打开！", json!({"name": "台灯"})),
            ("把台灯调到百分之五十", json!({"name": "台灯", "level": 50})),
            ("把台灯调到两", json!({"name": "台灯", "level": 2})),
            ("将台灯调到30", json!({"name": "台灯", "level": 30})),
            ("播放 Taylor Swift 的歌", json!({"song": "Taylor Swift"})),
            ("播放Taylor Swift的歌", json!({"song": "Taylor Swift"})),
            ("打开窗户", Value::Null),
        ],
    );
}

#[test]
fn mistakes_in_files_are_told_with_place_and_cure() {
    let file =
        |yaml: &str| Language::from_yaml(yaml, "mine.yaml").map(|_| ()).unwrap_err().to_string();
    let block = |body: &str| file(&format!("language: en\nintents: {{I: {{data: [{body}]}}}}"));
    let cases = [
        (block("{sentences: ['turn on {name']}"), "intent I: column 9 of \"turn on {name\""),
        (block("{sentences: ['turn on <the> lamp']}"), "no rule <the>"),
        (block("{sentences: [{a: 1}]}"), "is no text"),
        (block("{slots: {}}"), "no `sentences:`"),
        (block("{sentences: ['{5..1:x}']}"), "is empty"),
        (block("{sentences: [a], slots: 3}"), "`slots` must be a mapping"),
        (block("7"), "no mapping"),
        (file("intents: {}"), "`language:` is missing"),
        (file("[1, 2]"), "no mapping"),
        (file("a: [b"), "mine.yaml"),
        (file("language: en\nlists: {x: {}}"), "list {x}: needs"),
        (file("language: en\nlists: {x: {range: {from: 1}}}"), "no `to:`"),
        (file("language: en\nlists: {x: {range: {from: 1, to: 2, step: 0}}}"), "at least 1"),
        (file("language: en\nlists: {x: {values: [{out: 1}]}}"), "no text `in:`"),
        (file("language: en\nlists: {x: {values: ['(a']}}"), "list {x}: column 1"),
        (file("language: en\nexpansion_rules: {a: 'x <b>', b: '<a> y'}"), "refers to itself"),
        (file("language: en\nexpansion_rules: {a: 'x [y'}"), "rule <a>: column 3"),
        (file("language: en\nintents: {I: {}}"), "`data:`"),
    ];
    for (error, expected) in cases {
        assert!(error.contains(expected), "{error}\n  should hold {expected}");
        assert!(error.contains("mine.yaml"), "{error}");
    }
    let missing =
        Language::from_yaml("language: en\nintents: {I: {data: [{sentences: ['{thing}']}]}}", "t");
    let error = Engine::new(&missing.unwrap(), &home()).unwrap_err().to_string();
    assert!(error.contains("{thing}"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Language::from_file(std::path::Path::new("/nowhere/en.json")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/en.json"), "{error}");
}

#[test]
fn hostile_templates_and_texts_take_bounded_time() {
    // Rules within rules that double sixty times, and wildcards that could end anywhere.
    let mut yaml = "language: en\nexpansion_rules:\n  r0: '[a] [a]'\n".to_owned();
    for n in 1..60 {
        yaml += &format!("  r{n}: '<r{}> [b{n}] <r{}>'\n", n - 1, n - 1);
    }
    yaml += "lists: {w: {wildcard: true}}\nintents:\n  I: {data: [{sentences: ['x <r59> y', '{w:a} a {w:b} a {w:c} a {w:d} a {w:e} z', '(a;b;c;d;e;f;g;h)']}]}\n";
    let started = Instant::now();
    let engine = engine(&yaml);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let mut sampler = engine.sampler(1);
    assert!((0..9).filter_map(|index| sampler.sentence(index)).count() < 9);
    for text in [
        "x ".to_owned() + &"a ".repeat(400),
        "a ".repeat(450),
        "a ".repeat(5_000),
        "é-".repeat(5_000),
    ] {
        let started = Instant::now();
        let _ = engine.recognize(&text, &nothing());
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
}

#[test]
fn sampled_sentences_are_understood() {
    let engine = engine(
        "language: en
expansion_rules: {the: '(the|my)', turn: (turn|switch)}
lists:
  level: {range: {from: 0, to: 100}}
  color: {values: [red, {in: '(dark|deep) blue', out: navy}]}
  word: {wildcard: true}
intents:
  On: {data: [{sentences: ['<turn> on [<the>] {name}', '<turn> [<the>] {name} on'], requires_context: {domain: light}}]}
  Lock: {data: [{sentences: ['lock [<the>] {name}'], requires_context: {domain: lock}}]}
  Dim: {data: [{sentences: ['(dim;{name};(to {level}[ percent]))']}]}
  Color: {data: [{sentences: ['paint {area} {color}']}]}
  Say: {data: [{sentences: ['say {word} in {area}']}]}",
    );
    let again: Vec<_> = (0..40).map(|_| engine.sampler(3).any()).collect();
    assert!(again.windows(2).all(|pair| pair[0] == pair[1]), "one seed, one sentence");
    let mut sampler = engine.sampler(5).with_free_words(vec!["good news".into()]);
    for index in (0..engine.language().sentence_count()).cycle().take(500) {
        let sample = sampler.sentence(index).unwrap();
        let meaning = engine.recognize(&sample.text, &nothing());
        assert_eq!(meaning.map(|m| m.intent), Some(sample.intent.clone()), "{sample:?}");
    }
    assert!(sampler.sentence(999).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_template_makes_compiling_or_matching_panic(
        sentences in prop::collection::vec("[ab ]{0,3}[|;(\\[{<]{0,2}(name|w|r|0..9:n)?[>}\\])]{0,2}[ab |;]{0,4}", 1..4),
        text in "[ab\\-. é]{0,12}(lamp)?",
        glued in any::<bool>(),
    ) {
        let data = json!({
            "language": "en", "settings": {"ignore_whitespace": glued},
            "lists": {"w": {"wildcard": true}}, "expansion_rules": {"r": "(a|b)"},
            "intents": {"I": {"data": [{"sentences": sentences}]}},
        });
        if let Ok(language) = Language::from_json(&data.to_string(), "random")
            && let Ok(engine) = Engine::new(&language, &home())
        {
            let best = engine.recognize(&text, &nothing());
            let all = engine.all(&text, &nothing(), 100);
            prop_assert_eq!(best.as_ref(), all.first());
            let mut sampler = engine.sampler(1);
            for index in 0..language.sentence_count() {
                let _ = sampler.sentence(index);
            }
        }
    }

    #[test]
    fn no_yaml_makes_loading_panic(text in "(language: en\n)?(intents|lists|expansion_rules|skip_words): ?[\\[{a-z:'|&*!\\-\n ,}\\]]{0,40}") {
        let _ = Language::from_yaml(&text, "random");
    }

    #[test]
    fn the_index_never_hides_a_reading(words in prop::collection::vec("(turn|on|off|the|lamp|kitchen|in|[0-9]{1,2}|-)", 0..7)) {
        // Optional words make the index useless for the second engine, so it tries everything.
        let plain = ["turn on [the] {name} [in [the] {area}]", "(dim|set) {name} to {0..99:n}", "{name} off"];
        let free = plain.map(|sentence| format!("[zzz|]({sentence}|zzz zzz zzz)"));
        let text = words.join(" ");
        let with = one(&plain, "");
        let without = one(&free.each_ref().map(String::as_str), "");
        prop_assert_eq!(slots(&with, &text), slots(&without, &text));
    }
}
