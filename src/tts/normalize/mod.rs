//! Normalisation: written text becomes the words that are spoken.
//!
//! The way of a text: `cleanup` takes away what is not language (Markdown, emoji, code); each stretch goes to the
//! language it is written in; there `scan` tries that language's ordered rules where a token may begin, one file of
//! rules per kind of token; what no rule reads stays as it is. `cleanup`, the rules and the joining are all linear in
//! the length of the text.
//!
//! ```
//! use hearken::tts::normalize::normalize;
//!
//! assert_eq!(normalize("It is 21.5 °C.", "en"), "It is twenty one point five degrees Celsius.");
//! assert_eq!(normalize("湿度为45%", "zh"), "湿度为百分之四十五");
//! ```

mod chinese;
mod cleanup;
mod english;
mod scan;

use scan::{is_han, is_latin_word};

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Words that are spoken as they are written.
    Word,
    /// White space.
    Space,
    /// Punctuation and other single signs.
    Punctuation,
    /// A whole number.
    Cardinal,
    /// A rank: 1st, 第2.
    Ordinal,
    /// A number with a decimal point.
    Decimal,
    /// A fraction.
    Fraction,
    /// The sign between two ends: 2-3.
    Range,
    /// A day, month, year or decade.
    Date,
    /// A time of day.
    Time,
    /// An amount of money.
    Money,
    /// A number with a unit, percentages and durations too.
    Measure,
    /// A telephone number or another number read digit by digit.
    Telephone,
    /// An e-mail address, URL, file or path.
    Electronic,
    /// Letters and digits in one: B2, v1.4.
    Serial,
    /// A postal address.
    Address,
    /// A Roman numeral.
    Roman,
    /// An abbreviation or initialism.
    Abbreviation,
    /// The score of a game.
    Score,
    /// Arithmetic and comparison.
    Math,
}

impl Kind {
    /// The name of the kind, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Space => "space",
            Self::Punctuation => "punctuation",
            Self::Cardinal => "cardinal",
            Self::Ordinal => "ordinal",
            Self::Decimal => "decimal",
            Self::Fraction => "fraction",
            Self::Range => "range",
            Self::Date => "date",
            Self::Time => "time",
            Self::Money => "money",
            Self::Measure => "measure",
            Self::Telephone => "telephone",
            Self::Electronic => "electronic",
            Self::Serial => "serial",
            Self::Address => "address",
            Self::Roman => "roman",
            Self::Abbreviation => "abbreviation",
            Self::Score => "score",
            Self::Math => "math",
        }
    }
}

/// A piece of the cleaned text and what is spoken for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As written, after clean-up.
    pub written: String,
    /// As spoken; empty when nothing is.
    pub spoken: String,
    /// What it is.
    pub kind: Kind,
}

/// The words of `text` as they are spoken in `language` (a code such as `en`, `en-GB`, `zh` or `zh-CN`).
///
/// Words of the other language inside a sentence stay as they are; its numbers are read in the language of the
/// sentence. Other languages than English and Chinese get the clean-up only. Never fails: the result is empty when
/// nothing of the text can be spoken.
pub fn normalize(text: &str, language: &str) -> String {
    join(&tokens(text, language))
}

/// The tokens behind [`normalize`], in order.
pub fn tokens(text: &str, language: &str) -> Vec<Token> {
    let clean = cleanup::clean(text);
    let language = language.to_ascii_lowercase();
    if language.starts_with("zh") {
        sentences(&clean).flat_map(|part| by_script(part, chinese::tokens)).collect()
    } else if language.starts_with("en") {
        sentences(&clean).flat_map(|part| by_script(part, english::tokens)).collect()
    } else {
        cleanup::tokens(&clean)
    }
}

/// Cuts after the signs that end a sentence in either script; a full stop does not (it has other uses).
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['。', '！', '？', '；', '\n'])
}

/// Reads a sentence in the script that carries it: one that is mostly Chinese in Chinese, one of several Latin words
/// and no Chinese in English, any other in the language asked for.
fn by_script(sentence: &str, asked: fn(&str) -> Vec<Token>) -> Vec<Token> {
    let han = sentence.chars().filter(|c| is_han(*c)).count();
    let mut words = 0;
    for stretch in sentence.split(|c: char| c.is_whitespace() || is_han(c)) {
        // The parts of an address are words of no language.
        if stretch.contains("://") || stretch.contains('@') || stretch.starts_with("www.") {
            continue;
        }
        words += stretch
            .split(|c: char| !is_latin_word(c) || c.is_ascii_digit())
            .filter(|word| word.chars().nth(1).is_some())
            .count();
    }
    if han > 2 * words {
        chinese::tokens(sentence)
    } else if han == 0 && words > 2 {
        english::tokens(sentence)
    } else {
        asked(sentence)
    }
}

/// Puts spoken tokens together: words that came to touch get a space, Chinese that came apart loses it.
fn join(tokens: &[Token]) -> String {
    let mut out = String::new();
    let mut changed = false;
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        let here = token.written != token.spoken;
        let last = out.chars().next_back();
        if token.kind == Kind::Space {
            let next = rest.peek();
            let beside = changed || next.is_some_and(|next| next.written != next.spoken);
            let between = last.is_none_or(is_han)
                && next.is_none_or(|next| next.spoken.chars().next().is_none_or(is_han));
            let doubled = last.is_none_or(char::is_whitespace);
            if !(doubled || beside && between) {
                out.push_str(if token.spoken.contains('\n') { "\n" } else { " " });
            }
            continue;
        }
        let first = token.spoken.chars().next();
        let touching = last.is_some_and(is_latin_word) && first.is_some_and(is_latin_word);
        if touching && (here || changed) {
            out.push(' ');
        }
        // What was a sign between spaces is now a comma behind a word.
        if here && matches!(token.spoken.as_str(), "," | "，") {
            out.truncate(out.trim_end().len());
        }
        let open = last.is_none_or(char::is_whitespace);
        out.push_str(if open { token.spoken.trim_start() } else { &token.spoken });
        // "1!hello" and "AM,2:40": what was a sign between figures is now one between words.
        let divides = matches!(token.spoken.as_str(), "," | "!" | "?" | ";" | ":");
        if divides && let Some(next) = rest.peek() {
            let rewritten = changed || next.written != next.spoken;
            if rewritten && next.spoken.chars().next().is_some_and(is_latin_word) {
                out.push(' ');
            }
        }
        changed = here;
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    /// What a home says all day.
    #[test]
    fn replies_of_a_home() {
        for (language, written, spoken) in [
            ("en", "It is 21.5 °C.", "It is twenty one point five degrees Celsius."),
            ("en", "Timer set for 1 h 30 min.", "Timer set for one hour thirty minutes."),
            ("en", "The alarm is at 10:05.", "The alarm is at ten o five."),
            ("en", "The bedroom is at 45%.", "The bedroom is at forty five percent."),
            (
                "en",
                "Wind at 3km/h, -3°C outside.",
                "Wind at three kilometers per hour, minus three degrees Celsius outside.",
            ),
            ("zh", "现在是下午3:20", "现在是下午三点二十分"),
            ("zh", "湿度为45%", "湿度为百分之四十五"),
            ("zh", "2026年11月24日", "二零二六年十一月二十四日"),
            ("zh", "室外-3℃", "室外零下三摄氏度"),
            ("zh", "亮度调到50%", "亮度调到百分之五十"),
            ("zh", "客厅灯已打开", "客厅灯已打开"),
            ("zh", "播放第2首", "播放第二首"),
            ("zh", "电话13800138000", "电话幺三八零零幺三八零零零"),
            ("zh", "闹钟设在10:05", "闹钟设在十点零五分"),
            ("zh", "风速3km/h", "风速每小时三公里"),
            ("zh", "打开 living room 的灯", "打开 living room 的灯"),
            ("zh", "播放 Taylor Swift 的第3首歌", "播放 Taylor Swift 的第三首歌"),
            ("zh", "It is 5 degrees outside.", "It is five degrees outside."),
            ("en", "现在是上午8:00。", "现在是上午八点。"),
            (
                "en",
                "From 9:30am,then at 10:15!Now",
                "From nine thirty AM, then at ten fifteen! Now",
            ),
            ("en", "Playing 晴天 at 30%", "Playing 晴天 at thirty percent"),
            ("zh", "https://www.example.com/a/b?c=1", "example点com"),
            ("zh", "@小王来了", "at 小王来了"),
            (
                "en",
                "Humidity: 45% | Wind: 10 km/h",
                "Humidity: forty five percent, Wind: ten kilometers per hour",
            ),
            ("en", "1. Preheat the oven.", "one, Preheat the oven."),
            ("zh", "1. 预热烤箱。", "一、预热烤箱。"),
        ] {
            assert_eq!(normalize(written, language), spoken, "{language} {written}");
        }
    }

    /// Pairs of every kind, as a reader of this convention says them: kind, written, spoken.
    #[test]
    fn pairs_of_every_kind() {
        for (language, pairs) in
            [("zh", include_str!("pairs_zh.tsv")), ("en", include_str!("pairs_en.tsv"))]
        {
            let mut wrong = Vec::new();
            let mut kinds = std::collections::BTreeSet::new();
            for line in pairs.lines() {
                let row: Vec<&str> = line.split('\t').collect();
                let [kind, written, spoken] = row[..] else { panic!("{line:?} is no pair") };
                kinds.insert(kind);
                let got = normalize(written, language);
                if got != spoken {
                    wrong.push(format!("{kind}: {written}: {got}, not {spoken}"));
                }
            }
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            assert!(kinds.len() > 20, "{language}: {kinds:?}");
        }
    }

    #[test]
    fn other_languages_are_only_cleaned() {
        assert_eq!(normalize("**Es ist 5 Uhr** 🎉", "de"), "Es ist 5 Uhr");
    }

    #[test]
    fn tokens_give_back_the_cleaned_text() {
        let text = "Set it to 21 °C at 7:30, please.";
        let written: String = tokens(text, "en").into_iter().map(|token| token.written).collect();
        assert_eq!(written, text);
        let kinds: Vec<_> =
            tokens("7:30 21 °C", "en").into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds, [Kind::Time, Kind::Space, Kind::Measure]);
    }

    /// Runs of what the rules like most must not make them go back over the text again and again.
    #[test]
    fn long_text_takes_linear_time() {
        for unit in [
            "1",
            "1-",
            "1+",
            "a1",
            "1.",
            "1,",
            "12:",
            "$",
            "-",
            "a.",
            "@",
            "a@",
            "/a",
            "*",
            "`",
            "[",
            "<",
            "|\n",
            "# ",
            "第1",
            "1年",
            "2026-",
            "😀",
            "(1",
            "I V",
            "st. ",
            "http://a/",
        ] {
            let text = unit.repeat(100_000 / unit.len());
            for language in ["en", "zh", "fr"] {
                let start = Instant::now();
                let _ = normalize(&text, language);
                // Far above what is needed even in a slow build; quadratic behaviour takes minutes.
                assert!(
                    start.elapsed() < Duration::from_secs(20),
                    "{unit:?} {language} took {:?}",
                    start.elapsed()
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,300}", language in "en|zh|fr") {
            let _ = normalize(&text, &language);
        }

        #[test]
        fn text_of_signs_and_numbers_is_read(text in "[-0-9a-zA-Z年月日第点度%$￥°:/.,+*#_`|<>() \\n\\[\\]]{0,200}", language in "en|zh") {
            let _ = normalize(&text, &language);
        }

        #[test]
        fn text_of_control_characters_is_read(text in "[\\x00-\\x20\u{200d}\u{fe0f}\u{202e}1a😀]{0,200}") {
            let _ = normalize(&text, "en");
        }
    }
}
