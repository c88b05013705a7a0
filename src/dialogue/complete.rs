//! Whether the words so far are all that somebody means to say.

use serde::{Deserialize, Serialize};

use super::Dialogue;
use super::pending::{question, verdict};
use super::several::{cuts, glued, trimmed};

/// How words that are followed by silence look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// A command that the home can carry out, or the answer to what was asked.
    Complete,
    /// Something is missing: "turn on the", 把客厅的.
    Open,
    /// Neither is sure.
    Unknown,
}

/// Words that no sentence ends in, but half a sentence does.
const LEFT_HANGING_EN: &[&str] = &[
    "the", "a", "an", "my", "our", "your", "this", "these", "in", "of", "to", "and", "or", "then",
    "at", "for", "with", "from", "by", "into", "between", "about", "is", "are", "what's", "what",
    "which", "where", "how", "can", "could", "would", "you", "please", "set", "turn", "switch",
    "add", "put", "make", "change", "increase", "decrease", "start", "um", "uh", "er", "hmm",
];
/// "please" is missing in Chinese: 请 comes first, so a sentence never ends in it.
const LEFT_HANGING_ZH: &[&str] = &[
    "的",
    "把",
    "将",
    "在",
    "给",
    "到",
    "跟",
    "和",
    "请",
    "让",
    "帮我",
    "打开",
    "关闭",
    "关掉",
    "设置",
    "设为",
    "调到",
    "调成",
    "设置为",
    "然后",
    "还有",
    "再",
    "把它",
    "请你",
    "帮忙",
    "那个",
    "这个",
    "呃",
];
/// Words that end whole sentences as often as halves.
const POLITE: &[&str] = &["please", "you"];

impl Dialogue {
    /// Whether `text`, said in `language` and an area, is all there is to come: the sooner this is
    /// known, the sooner it is obeyed. Nothing is done.
    #[must_use]
    pub fn completeness(&self, text: &str, language: &str, area: Option<&str>) -> Completeness {
        let code = self.tongue(language).language.code();
        let text = self.learned.meaning(text, language).unwrap_or(text);
        let said = trimmed(text);
        if said.is_empty() {
            return Completeness::Unknown;
        }
        if self.is_asking() && verdict(text).is_some() {
            return Completeness::Complete;
        }
        // The recogniser writes this where a voice stays up.
        let trails_off =
            ["…", ",", "，", "-", "..."].iter().any(|end| text.trim_end().ends_with(end));
        // Free words may always be followed by more of them.
        let whole = |text: &str| {
            self.understand(text, language, area).is_some_and(|meaning| {
                meaning.wildcards == 0 && self.possible(&meaning, language, area)
            })
        };
        if !trails_off
            && (whole(said)
                || cuts(said, code).iter().any(|parts| parts.iter().all(|part| whole(part))))
        {
            return Completeness::Complete;
        }
        let open = trails_off || question(said, code).is_some() || left_hanging(said, code);
        if open { Completeness::Open } else { Completeness::Unknown }
    }

    /// Whether a question was asked that the next sentence may answer.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.pending.is_some()
    }
}

fn left_hanging(said: &str, language: &str) -> bool {
    if glued(language) {
        return LEFT_HANGING_ZH.iter().any(|word| said.ends_with(word));
    }
    let lower = said.to_lowercase();
    let mut words = lower.split_whitespace();
    let Some(last) = words.next_back() else { return false };
    LEFT_HANGING_EN.contains(&last) && !(POLITE.contains(&last) && words.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::intent::Language;

    const HOME: &str = r#"
[[area]]
id = "kitchen"
name = { en = "Kitchen", zh = "厨房" }

[[device]]
id = "light.kitchen"
name = { en = "Kitchen Light", zh = "厨房灯" }
area = "kitchen"
"#;

    const ENGLISH: &str = "language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['turn on [the] {name} [please]']\n  HassTurnOff:\n    data:\n      - sentences: ['turn off [the] {name}']\n";
    const CHINESE: &str = "language: zh-CN\nsettings:\n  ignore_whitespace: true\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['打开{name}']\n";

    #[test]
    fn words_are_complete_open_or_unknown() {
        let languages = [(ENGLISH, "en.yaml"), (CHINESE, "zh.yaml")]
            .map(|(text, name)| Language::from_yaml(text, name).unwrap());
        let dialogue =
            Dialogue::new(Home::from_toml(HOME, "test").unwrap(), languages.to_vec()).unwrap();
        use Completeness::{Complete, Open, Unknown};
        for (text, language, expected) in [
            ("Turn on the kitchen light.", "en", Complete),
            ("turn on the kitchen light please", "en", Complete),
            ("Turn on the kitchen light, then turn off the kitchen light", "en", Complete),
            ("Turn on the kitchen light and turn off the", "en", Open),
            ("Turn on the kitchen light,", "en", Open),
            ("turn on the", "en", Open),
            ("Turn on the kitchen...", "en", Open),
            ("Turn on.", "en", Open),
            ("what is", "en", Open),
            ("Please.", "en", Open),
            ("do it for me, thank you", "en", Unknown),
            ("turn on the garage light", "en", Unknown),
            ("tell me a story", "en", Unknown),
            ("", "en", Unknown),
            ("打开厨房灯。", "zh", Complete),
            ("打开", "zh", Open),
            ("把客厅的", "zh", Open),
            ("今天天气怎么样", "zh", Unknown),
        ] {
            assert_eq!(dialogue.completeness(text, language, None), expected, "{text}");
        }
    }
}
