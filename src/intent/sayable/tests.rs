use super::super::{Language, Name, Names};
use super::*;

fn engine(yaml: &str, names: &Names) -> Engine {
    Engine::new(&Language::from_yaml(yaml, "test.yaml").unwrap(), names).unwrap()
}

fn home() -> Names {
    Names {
        areas: vec![Name::new("Kitchen"), Name::new("living room")],
        entities: vec![
            Name::new("Bed Light").with("domain", "light"),
            Name::new("Mood").with("domain", "scene"),
            Name::new("lamp [two]").with("domain", "light"),
        ],
        ..Names::default()
    }
}

const ENGLISH: &str = "
language: en
skip_words: [please]
lists:
  brightness: { range: { from: 0, to: 100 } }
  item: { wildcard: true }
intents:
  HassTurnOn:
    data:
      - sentences: ['(turn|switch) on [the] {name}[ now]']
        requires_context: { domain: light }
      - sentences: ['activate {name}']
        requires_context: { domain: scene }
  HassLightSet:
    data:
      - sentences: ['[set] {name} to {brightness}[ ](%|percent)', '(red;in the {area})']
  HassListAdd:
    data:
      - sentences: ['add {item} to my list']
  Order:
    data:
      - sentences: ['(twelve ounce|small) coffee']
";

fn accepts(sayable: &mut Sayable, text: &str) -> bool {
    let mut state = sayable.start();
    for c in text.chars() {
        let next = sayable.next(state).to_vec();
        let Some(to) = sayable.step(state, c) else { return false };
        let listed = next.contains(&fold(c)) || sayable.is_open(state);
        assert!(listed, "{c:?} of {text:?} leads on but is not among {next:?}");
        state = to;
    }
    sayable.accepts(state)
}

#[test]
fn what_can_be_said_is_accepted_and_nothing_else() {
    let mut sayable = Sayable::new(&[&engine(ENGLISH, &home())]);
    for (text, want) in [
        ("turn on the bed light", true),
        ("Turn on Bed Light now", true),
        ("turn on the mood", false),
        ("activate mood", true),
        ("activate bed light", false),
        ("switch on lamp", true),
        ("switch on lamp two now", true),
        ("turn on the", false),
        ("turn on the bed", false),
        ("please turn on the lamp please", true),
        ("bed light to 50%", true),
        ("set bed light to 50 percent", true),
        ("set bed light to fifty percent", true),
        ("set bed light to 101%", false),
        ("red in the kitchen", true),
        ("in the living room red", true),
        ("in the kitchen", false),
        ("add apples and pears to my list", true),
        ("add to my list", false),
        ("twelve ounce coffee", true),
        ("12 ounce coffee", true),
        ("small coffee", true),
        ("13 ounce coffee", false),
        ("", false),
    ] {
        assert_eq!(accepts(&mut sayable, text), want, "{text}");
        assert_eq!(sayable.spoken(text).is_some(), want, "{text}");
    }
}

#[test]
fn what_was_said_is_told_as_the_templates_have_it() {
    let mut sayable = Sayable::new(&[&engine(ENGLISH, &home())]);
    for (text, want) in [
        ("TURN ON THE BED LIGHT", "turn on the Bed Light"),
        ("12 ounce coffee", "twelve ounce coffee"),
        ("red in the kitchen", "red in the Kitchen"),
        ("add Milk to my list", "add milk to my list"),
    ] {
        assert_eq!(sayable.spoken(text).as_deref(), Some(want), "{text}");
    }
}

#[test]
fn chinese_needs_no_blanks() {
    let yaml = "
language: zh-CN
settings: { ignore_whitespace: true }
skip_words: [请]
lists: { brightness: { range: { from: 0, to: 100 } } }
intents:
  HassTurnOn:
    data: [{ sentences: ['打开 [{area}的]{name}', '把{name}调到{brightness}%'] }]
";
    let names = Names {
        areas: vec![Name::new("客厅")],
        entities: vec![Name::new("灯"), Name::new("二号灯")],
        ..Names::default()
    };
    let mut sayable = Sayable::new(&[&engine(yaml, &names)]);
    for (text, want) in [
        ("打开客厅的灯", true),
        ("请打开灯", true),
        ("打开 灯", true),
        ("打开2号灯", true),
        ("把灯调到50%", true),
        ("打开客厅", false),
        ("关灯", false),
    ] {
        assert_eq!(accepts(&mut sayable, text), want, "{text}");
    }
    assert_eq!(sayable.spoken("打开2号灯").as_deref(), Some("打开二号灯"));
}

#[test]
fn states_are_kept_and_forgotten() {
    let mut sayable = Sayable::new(&[&engine(ENGLISH, &home())]);
    assert!(accepts(&mut sayable, "turn on the lamp"));
    let states = sayable.states.len();
    assert!(accepts(&mut sayable, "turn on the lamp"));
    assert_eq!(sayable.states.len(), states);
    assert!(!sayable.tidy());
    sayable.places = MAX_PLACES + 1;
    assert!(sayable.tidy());
    assert_eq!(sayable.states.len(), 1);
    assert!(accepts(&mut sayable, "turn on the lamp"));
}

#[test]
fn what_sounds_most_like_a_text_comes_first() {
    let mut sayable = Sayable::new(&[&engine(ENGLISH, &home())]);
    for (heard, meant) in [
        ("turn on the bad light", "turn on the bed light"),
        ("Turn on, the bet lied.", "turn on the bed light"),
        ("active eight mood", "activate mood"),
        ("set bed light to 30%", "set bed light to thirty percent"),
        ("read in the kitten", "red in the kitchen"),
        ("please turn on bet light", "please turn on bed light"),
    ] {
        let near = sayable.nearest(heard, 3);
        // Another may be as near: "thirtypercent".
        let least = near.first().map(|(_, far)| *far);
        assert!(
            near.iter().any(|(text, far)| text == meant && Some(*far) == least),
            "{heard}: {near:?}"
        );
        assert!(near.is_sorted_by(|a, b| a.1 <= b.1), "{near:?}");
        assert!(near.iter().all(|(text, _)| accepts(&mut sayable, text)), "{near:?}");
    }
    for heard in ["", "the birch canoe slid on the smooth planks", "!?", "你好"] {
        assert_eq!(sayable.nearest(heard, 3), [], "{heard}");
    }
    assert_eq!(sayable.nearest("turn on the bed light", 0), []);
}

#[test]
fn numbers_are_written_in_words_and_digits() {
    let mut sayable = Sayable::new(&[&engine(ENGLISH, &home())]);
    let written = sayable.written("set bed light to thirty percent");
    for text in
        ["set bed light to thirty percent", "set bed light to 30 percent", "set bed light to 30%"]
    {
        assert!(written.contains(&text.to_owned()), "{text}: {written:?}");
    }
    let chinese = "language: zh\nsettings: { ignore_whitespace: true }\nlists:\n  n: { range: { from: 0, to: 100 } }\nintents:\n  HassLightSet:\n    data:\n      - sentences: ['调到(百分之{n}|{n}%)']\n";
    let mut sayable = Sayable::new(&[&engine(chinese, &Names::default())]);
    assert_eq!(sayable.nearest("调到40%", 1), [("调到百分之四十".to_owned(), 0.0)]);
    let written = sayable.written("调到百分之四十");
    assert_eq!(written, ["调到百分之四十", "调到百分之40", "调到40%"]);
}
