//! Sentences of Hearken's own, beside the package's.

use std::sync::OnceLock;

use super::slots;
use crate::intent::IntentError;
use crate::intent::Language;
use crate::intent::Meaning;

/// The intent of a sentence that asks for something this home does not have.
const NO_SUCH_THING: &str = "NoSuchThing";
/// The longest name that is taken for one; what is longer is no command.
const LONGEST_NAME: usize = 24;
const MOST_WORDS: usize = 3;

/// The sentences for a language; `None` where there are none.
pub(super) fn sentences(code: &str) -> Option<Result<Language, IntentError>> {
    static KNOWN: [OnceLock<Language>; 2] = [const { OnceLock::new() }; 2];
    let (text, file, known) = match code.split(['-', '_']).next().unwrap_or_default() {
        "en" => (include_str!("more/en.yaml"), "more/en.yaml", &KNOWN[0]),
        "zh" if !code.contains("TW") && !code.contains("HK") => {
            (include_str!("more/zh.yaml"), "more/zh.yaml", &KNOWN[1])
        }
        _ => return None,
    };
    if let Some(language) = known.get() {
        return Some(Ok(language.clone()));
    }
    Some(Language::from_yaml(text, file).map(|language| known.get_or_init(|| language).clone()))
}

/// The sentence without the words that only make it polite; `None` when there are none.
pub(super) fn plainly<'a>(text: &'a str, code: &str) -> Option<&'a str> {
    if !code.starts_with("zh") {
        return None;
    }
    let mut rest = text.trim().trim_end_matches(['。', '！', '？', '!', '?', '.', '，', ',']);
    let whole = rest.len();
    while let Some(shorter) = BEFORE.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter.trim_start_matches(['，', ',', ' ']);
    }
    while let Some(shorter) = AFTER.iter().find_map(|word| rest.strip_suffix(word)) {
        rest = shorter.trim_end_matches(['，', ',', ' ']);
    }
    (rest.len() < whole && !rest.is_empty()).then_some(rest)
}

/// What a Chinese request begins with: please, help me, could you, well.
const BEFORE: &[&str] = &[
    "请你",
    "请",
    "麻烦你",
    "麻烦",
    "帮我",
    "帮忙",
    "给我",
    "能不能",
    "可不可以",
    "可以",
    "你能",
    "你",
    "我想",
    "我要",
    "那么",
    "那",
    "嗯",
    "呃",
    "哎",
    "啊",
];

/// What a Chinese request ends with: all right, will you, thanks.
const AFTER: &[&str] =
    &["好不好", "好吗", "可以吗", "行吗", "谢谢你", "谢谢", "吧", "呗", "哦", "啊", "呢"];

/// What a sentence asks for that does not exist here.
pub(super) enum Unknown {
    /// The name of the thing.
    Thing(String),
    /// Nothing that could be a name.
    Nothing,
}

/// What a meaning asks for that does not exist here; `None` when it is any other meaning.
pub(super) fn unknown(meaning: &Meaning) -> Option<Unknown> {
    if meaning.intent != NO_SUCH_THING {
        return None;
    }
    let thing = slots::text(meaning, "thing").unwrap_or_default();
    let short = thing.chars().count() <= LONGEST_NAME
        && thing.split_whitespace().count() <= MOST_WORDS
        && !thing.contains([',', '，', '。']);
    // Chinese says as much in a third of the characters.
    let han = thing.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    let named = short && !thing.is_empty() && han <= LONGEST_NAME / 3;
    Some(if named { Unknown::Thing(thing.to_owned()) } else { Unknown::Nothing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn politeness_is_taken_off() {
        let cases = [
            ("请帮我打开空调", Some("打开空调")),
            ("麻烦你，把灯关了吧。", Some("把灯关了")),
            ("打开空调", None),
            ("请", None),
        ];
        for (text, expected) in cases {
            assert_eq!(plainly(text, "zh-CN"), expected, "{text}");
        }
        assert_eq!(plainly("please turn it on", "en"), None, "the package knows these words");
    }

    #[test]
    fn only_what_could_be_a_name_is_called_unknown() {
        let unknown = |thing: &str| {
            let mut meaning = Meaning { intent: NO_SUCH_THING.into(), ..Meaning::default() };
            meaning.slots.insert("thing".into(), thing.into());
            super::unknown(&meaning)
        };
        assert!(
            matches!(unknown("beds light"), Some(Unknown::Thing(name)) if name == "beds light")
        );
        for thing in ["", "crate but don't break the glass", "他昨天给我写的那封很长的信"]
        {
            assert!(matches!(unknown(thing), Some(Unknown::Nothing)), "{thing}");
        }
        assert!(super::unknown(&Meaning::default()).is_none());
    }

    #[test]
    fn our_sentences_are_sound() {
        for code in ["en", "zh-CN", "zh"] {
            let language = sentences(code).unwrap().unwrap();
            assert!(language.sentence_count() > 5, "{code}");
        }
        assert!(sentences("fr").is_none());
    }
}
