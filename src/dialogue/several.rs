//! Several commands in one sentence, and sentences that lean on the one before.

/// Cuts that are looked at; a sentence with more is no list of commands.
const MAX_CUTS: usize = 5;

/// What stands between two commands, the longest first.
const BETWEEN_EN: &[&str] = &[
    ", and then ",
    " and then ",
    ", then ",
    " then ",
    ", and ",
    " and ",
    ", also ",
    "; ",
    ", ",
    ". ",
];
const BETWEEN_ZH: &[&str] = &[
    "，然后再",
    "，然后",
    "，并且",
    "，接着",
    "，顺便",
    "，再",
    "，还有",
    "然后再",
    "然后",
    "并且",
    "接着",
    "顺便",
    "还有",
    "以及",
    "，",
    ",",
    "；",
    "。",
    "、",
    "和",
    "跟",
    "再",
];

/// What a sentence that leans on the one before begins and ends with.
const LEADS_EN: &[&str] = &[
    "and then ",
    "and also ",
    "and ",
    "also ",
    "what about ",
    "how about ",
    "same for ",
    "the same for ",
];
const ENDS_EN: &[&str] = &[" too", " as well", " also"];
const LEADS_ZH: &[&str] = &["还有", "那么", "那"];
const ENDS_ZH: &[&str] = &["也是一样", "也一样", "也这样", "也是", "也要", "也", "呢"];

/// Whether a language is written without blanks between words.
pub(super) fn glued(language: &str) -> bool {
    language.starts_with("zh")
}

/// A sentence without what ends it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim().trim_end_matches(['.', '!', '?', '。', '！', '？', '，', ',', ' ']).trim()
}

/// The ways to cut a sentence into commands, the fewest cuts first. At least two parts each.
pub(super) fn cuts(text: &str, language: &str) -> Vec<Vec<String>> {
    let between = if glued(language) { BETWEEN_ZH } else { BETWEEN_EN };
    let text = trimmed(text);
    let lower = text.to_ascii_lowercase();
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < lower.len() {
        let here = between.iter().find(|word| lower[at..].starts_with(**word));
        let step = lower[at..].chars().next().map_or(1, char::len_utf8);
        match here {
            Some(word) if at > 0 && at + word.len() < lower.len() => {
                places.push((at, at + word.len()));
                at += word.len();
            }
            _ => at += step,
        }
    }
    if places.is_empty() || places.len() > MAX_CUTS {
        return Vec::new();
    }
    let mut ways: Vec<u32> = (1..1 << places.len()).collect();
    ways.sort_by_key(|way| way.count_ones());
    let parts = |way: u32| {
        let mut start = 0;
        let mut parts = Vec::new();
        for (index, (from, to)) in places.iter().enumerate() {
            if way >> index & 1 == 1 {
                parts.push(trimmed(&text[start..*from]).to_owned());
                start = *to;
            }
        }
        parts.push(trimmed(&text[start..]).to_owned());
        parts
    };
    ways.into_iter().map(parts).filter(|parts| parts.iter().all(|part| !part.is_empty())).collect()
}

/// Sentences that a part may stand for, when it leaves out what the command before it began with.
pub(super) fn carried(before: &str, part: &str, language: &str) -> Vec<String> {
    let part = bare(part);
    beginnings(before, language).into_iter().rev().map(|begin| format!("{begin}{part}")).collect()
}

/// Sentences that a part may stand for, when it leaves out what the last command ends with:
/// 把空调 of 把空调和电视关掉.
pub(super) fn completed(part: &str, last: &str, language: &str) -> Vec<String> {
    let join = if glued(language) { "" } else { " " };
    let pieces = pieces(last, language);
    let ends = (1..pieces.len()).rev().take(6).map(|from| pieces[from..].concat());
    ends.map(|end| format!("{part}{join}{}", end.trim())).collect()
}

/// Words with the blank behind them, or characters.
fn pieces(text: &str, language: &str) -> Vec<String> {
    if glued(language) {
        return text.chars().map(String::from).collect();
    }
    text.split_whitespace().map(|word| format!("{word} ")).collect()
}

/// The beginnings of a sentence, the shortest first.
fn beginnings(text: &str, language: &str) -> Vec<String> {
    let pieces = pieces(text, language);
    (1..pieces.len()).map(|count| pieces[..count].concat()).collect()
}

/// A part without its article.
fn bare(part: &str) -> &str {
    let lower = part.to_ascii_lowercase();
    let article =
        ["the ", "my ", "in the ", "in ", "把"].into_iter().find(|word| lower.starts_with(word));
    article.map_or(part, |word| &part[word.len()..])
}

/// What a sentence names that leans on the one before ("and the bedroom too"); `None` for others.
pub(super) fn leaning<'a>(text: &'a str, language: &str) -> Option<&'a str> {
    let (leads, ends) = if glued(language) { (LEADS_ZH, ENDS_ZH) } else { (LEADS_EN, ENDS_EN) };
    let text = trimmed(text);
    let lower = text.to_ascii_lowercase();
    let lead = leads.iter().find(|lead| lower.starts_with(**lead)).map_or(0, |lead| lead.len());
    let end = ends.iter().find(|end| lower.ends_with(**end)).map_or(0, |end| end.len());
    if lead + end == 0 || lead + end >= text.len() {
        return None;
    }
    let named = bare(trimmed(&text[lead..text.len() - end]));
    (!named.is_empty()).then_some(named)
}

/// The sentence before with something else in the place of what it named: `named` holds the words
/// that may be replaced, the surest first.
pub(super) fn again(before: &str, named: &[String], other: &str, language: &str) -> Vec<String> {
    let before = trimmed(before);
    let lower = before.to_lowercase();
    let mut found: Vec<String> = Vec::new();
    // Lower case may have another length in some scripts; then nothing can be replaced in place.
    if lower.len() == before.len() {
        for words in named.iter().filter(|words| !words.is_empty()) {
            if let Some(at) = lower.find(&words.to_lowercase())
                && let (Some(begin), Some(end)) = (before.get(..at), before.get(at + words.len()..))
            {
                found.push(format!("{begin}{other}{end}"));
            }
        }
    }
    if glued(language) {
        for begin in beginnings(before, language) {
            let rest = &before[begin.len()..];
            found.push(format!("{begin}{other}的{rest}"));
            found.push(format!("{begin}{other}{rest}"));
        }
        found.push(format!("{other}{before}"));
    } else {
        found.push(format!("{before} in the {other}"));
        found.push(format!("{before} in {other}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_cut_between_commands() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "en",
                "turn off the lights and lock the front door.",
                &["turn off the lights", "lock the front door"],
            ),
            ("en", "Open the blinds, and then play music", &["Open the blinds", "play music"]),
            ("zh", "关掉客厅的灯，然后把窗帘拉上。", &["关掉客厅的灯", "把窗帘拉上"]),
            ("zh", "打开空调和电视", &["打开空调", "电视"]),
        ];
        for (language, text, parts) in cases {
            assert_eq!(
                cuts(text, language).first().map(Vec::as_slice),
                Some(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>()[..]),
                "{text}"
            );
        }
        for text in ["turn on the light", "and", "a, b, c, d, e, f, g, h", ""] {
            assert!(cuts(text, "en").is_empty(), "{text}");
        }
        assert_eq!(cuts("a and b, c", "en").len(), 3);
    }

    #[test]
    fn what_is_left_out_is_carried_over() {
        assert!(
            carried("turn on the kitchen light", "the fan", "en").contains(&"turn on fan".into())
        );
        assert!(carried("打开空调", "电视", "zh").contains(&"打开电视".into()));
        assert!(completed("把空调", "电视关掉", "zh").contains(&"把空调关掉".into()));
        assert!(
            completed("turn the fan", "the light off", "en").contains(&"turn the fan off".into())
        );
    }

    #[test]
    fn leaning_sentences_name_something() {
        let cases = [
            ("en", "And the bedroom too.", Some("bedroom")),
            ("en", "what about the kitchen?", Some("kitchen")),
            ("zh", "卧室也一样", Some("卧室")),
            ("zh", "那厨房呢？", Some("厨房")),
            ("en", "turn on the light", None),
            ("en", "too", None),
            ("zh", "也一样", None),
        ];
        for (language, text, named) in cases {
            assert_eq!(leaning(text, language), named, "{text}");
        }
    }

    #[test]
    fn a_command_is_said_again_for_something_else() {
        let named = |words: &str| vec![words.to_owned()];
        let cases = [
            ("en", "turn on the Kitchen light", "kitchen", "bedroom", "turn on the bedroom light"),
            ("en", "turn off the lights", "", "bedroom", "turn off the lights in the bedroom"),
            ("zh", "打开客厅的灯", "客厅", "卧室", "打开卧室的灯"),
            ("zh", "打开灯", "", "卧室", "打开卧室的灯"),
        ];
        for (language, before, words, other, expected) in cases {
            let found = again(before, &named(words), other, language);
            assert!(found.contains(&expected.to_owned()), "{before}: {found:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_said_breaks_the_cutting(text in "\\PC{0,60}", other in "\\PC{0,20}") {
            for language in ["en", "zh"] {
                for parts in cuts(&text, language) {
                    proptest::prop_assert!(parts.len() >= 2);
                }
                let _ = (carried(&text, &other, language), completed(&text, &other, language));
                let _ = (leaning(&text, language), again(&text, std::slice::from_ref(&other), "x", language));
            }
        }
    }
}
