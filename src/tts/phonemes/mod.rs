//! Spoken words to phonemes, English and Mandarin, also in one sentence.
//!
//! The common alphabet is the one Kokoro was taught with: misaki's English symbols and its IPA with
//! tone arrows for Mandarin. [`english::espeak`] turns it into what Piper's voices want.

mod chinese;
pub(super) mod english;
mod everyday;
pub(super) mod ipa;
mod letters;
mod lexicon;
pub mod pinyin;
mod polyphones;
mod sandhi;
mod surname;
mod weights;

pub use lexicon::Lexicon;

/// A word, or a mark of punctuation, and how it is said.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Word {
    /// The written word.
    pub text: String,
    /// Its phonemes; for a mark of punctuation the mark. Empty for what has no sound.
    pub phonemes: String,
    /// For a Chinese word its pinyin as it is said here, tone digits behind the syllables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinyin: Option<String>,
    /// The same with each character's own tone, as a dictionary has it.
    #[serde(skip)]
    pub citation: Option<String>,
    /// Whether a space follows.
    pub space: bool,
}

/// What a voice was taught to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// The common alphabet, which Kokoro's voices read.
    Common,
    /// eSpeak's symbols: most of Piper's voices.
    Espeak,
    /// Initials, finals and tones: Piper's newer Chinese voices.
    Pinyin,
}

impl Alphabet {
    /// What [`phonemize`] is asked for to make such symbols in a voice's `language`: `en`, `en-gb` or `zh`. This is the
    /// one place that knows which languages are spoken.
    ///
    /// # Errors
    /// In a few words, when none are made.
    pub fn front_end(self, language: &str) -> Result<&'static str, String> {
        let tag = language.to_lowercase().replace('_', "-");
        let base = tag.split('-').next().unwrap_or_default();
        match (self, tag.as_str(), base) {
            (Self::Common | Self::Espeak, "en" | "en-us", _) => Ok("en"),
            (Self::Common | Self::Espeak, _, "en") if tag.starts_with("en-us") => Ok("en"),
            (Self::Common | Self::Espeak, _, "en") => Ok("en-gb"),
            (Self::Common | Self::Pinyin, "zh" | "zh-cn" | "cmn", _) => Ok("zh"),
            (Self::Espeak, _, "zh" | "cmn") => Err(format!("no eSpeak symbols for {base}")),
            _ => Err(format!("no phonemes for {base}")),
        }
    }
}

/// The words of `text`, which has been normalised, in a voice of `language` (`en`, `en-gb`, `zh`).
///
/// ```
/// let words = hearken::tts::phonemize("打开 living room 的灯。", "zh");
/// assert_eq!(words[0].pinyin.as_deref(), Some("da3 kai1"));
/// assert_eq!(words[1].phonemes, "lˈɪvɪŋ");
/// ```
#[must_use]
pub fn phonemize(text: &str, language: &str) -> Vec<Word> {
    phonemize_with(text, language, &Lexicon::default())
}

/// [`phonemize`] with the user's own pronunciations.
#[must_use]
pub fn phonemize_with(text: &str, language: &str, lexicon: &Lexicon) -> Vec<Word> {
    let chinese = language.starts_with("zh");
    let british = language.to_lowercase().replace('_', "-").starts_with("en-gb");
    let sentence = prepared(text, chinese);
    let mut words = Vec::new();
    let mut at = 0;
    for (reading, word) in chinese::words(&sentence, lexicon) {
        other(&sentence[at..reading.at.start.max(at)], british, lexicon, &mut words);
        if words.last().is_some_and(|w: &Word| !opens(&w.phonemes)) {
            set_space(&mut words);
        }
        at = reading.at.end;
        words.push(word);
    }
    other(&sentence[at..], british, lexicon, &mut words);
    words
}

/// The phonemes of a whole sentence as one string, spaces between the words.
pub(super) fn join(words: &[Word]) -> String {
    let mut all = String::new();
    for word in words {
        all.push_str(&word.phonemes);
        if word.space && !all.is_empty() && !all.ends_with(' ') {
            all.push(' ');
        }
    }
    all.trim().to_owned()
}

fn opens(phonemes: &str) -> bool {
    phonemes.ends_with(['(', '“'])
}

fn set_space(words: &mut [Word]) {
    if let Some(last) = words.last_mut() {
        last.space = true;
    }
}

/// Adds a stretch without Chinese characters.
fn other(stretch: &[char], british: bool, lexicon: &Lexicon, words: &mut Vec<Word>) {
    let text: String = stretch.iter().collect();
    if text.trim().is_empty() {
        if !text.is_empty() {
            set_space(words);
        }
        return;
    }
    let word_first = text.chars().next().is_some_and(char::is_alphanumeric);
    if word_first || text.starts_with(' ') {
        set_space(words);
    }
    words.extend(english::words(text.trim(), british, lexicon));
    if text.ends_with(' ') {
        set_space(words);
    }
}

/// The characters to be said: marks in the alphabet of the voices, no control characters, no doubled
/// spaces, and in Chinese no digits.
fn prepared(text: &str, chinese: bool) -> Vec<char> {
    let mut out: Vec<char> = Vec::new();
    for c in text.chars() {
        let mapped: &str = match c {
            '，' | '、' | '､' => ", ",
            '。' | '．' | '｡' => ". ",
            '！' => "! ",
            '？' => "? ",
            '：' => ": ",
            '；' => "; ",
            '《' | '「' | '『' | '«' | '【' | '〈' => " “",
            '》' | '」' | '』' | '»' | '】' | '〉' => "” ",
            '（' => " (",
            '）' => ") ",
            // Square brackets mean something else to the English front end.
            '[' | ']' | '{' | '}' | '|' | '_' | '*' | '#' | '`' | '~' | '<' | '>' | '\\' | '^' => {
                " "
            }
            '～' => " ",
            '\u{200B}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' => "",
            _ if c.is_control() || c.is_whitespace() => " ",
            '0'..='9' if chinese => {
                const DIGITS: [&str; 10] =
                    ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
                DIGITS[c as usize - '0' as usize]
            }
            _ if c.is_alphanumeric() || SAID_OR_HEARD.contains(c) || is_mark_on_letter(c) => {
                out.push(c);
                continue;
            }
            // Emoji and other signs have no sound.
            _ => " ",
        };
        for m in mapped.chars() {
            if m != ' ' || out.last().is_some_and(|l| *l != ' ') {
                out.push(m);
            }
        }
    }
    while out.last() == Some(&' ') {
        out.pop();
    }
    out
}

/// Marks that are said ("&") or change how a sentence is said.
const SAID_OR_HEARD: &str = ".,!?;:'\"“”‘’()-—–…$%&+=/@€£¥°";

/// Combining accents, as in decomposed "é".
fn is_mark_on_letter(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str, language: &str) -> String {
        join(&phonemize(text, language))
    }

    #[test]
    fn sentences_have_phonemes() {
        let cases = [
            ("Hello, world!", "en", "həlˈO, wˈɜɹld!"),
            ("你好，世界。", "zh", "ni↗xau↓, ʂɨ↘ʨje↘."),
            ("打开living room的灯。", "zh", "ta↓kʰai→ lˈɪvɪŋ ɹˈum tɤ tə→ŋ."),
            ("播放 Taylor Swift", "zh", "pwo→fa↘ŋ tˈAləɹ swˈɪft"),
            ("I live in 北京.", "en", "ˌI lˈɪv ˈɪn pei↓ʨi→ŋ."),
            ("", "en", ""),
            ("…", "zh", "…"),
            ("房间12", "zh", "fa↗ŋʨjɛ→n i→ɚ↘"),
        ];
        for (text, language, phonemes) in cases {
            assert_eq!(said(text, language), phonemes, "{text}");
        }
    }

    #[test]
    fn voices_are_spoken_in_the_languages_that_have_phonemes() {
        let cases = [
            (Alphabet::Common, "en-US", Ok("en")),
            (Alphabet::Common, "en_GB", Ok("en-gb")),
            (Alphabet::Common, "zh", Ok("zh")),
            (Alphabet::Common, "pt-BR", Err("no phonemes for pt")),
            (Alphabet::Common, "zh-HK", Err("no phonemes for zh")),
            (Alphabet::Espeak, "en-us", Ok("en")),
            (Alphabet::Espeak, "en-gb-x-rp", Ok("en-gb")),
            (Alphabet::Espeak, "cmn", Err("no eSpeak symbols for cmn")),
            (Alphabet::Espeak, "de", Err("no phonemes for de")),
            (Alphabet::Pinyin, "zh-CN", Ok("zh")),
            (Alphabet::Pinyin, "en", Err("no phonemes for en")),
        ];
        for (alphabet, language, expected) in cases {
            let found = alphabet.front_end(language);
            let found = found.as_ref().copied().map_err(String::as_str);
            assert_eq!(found, expected, "{alphabet:?} {language}");
        }
    }

    #[test]
    fn no_word_is_lost() {
        for text in [
            "blorft the qzxv",
            "Überraschung für Zoë",
            "玉龍 and 〇",
            "A.I. and U.S.A. at 5 pm",
            "嗯，哼，噷",
        ] {
            for word in phonemize(text, "en") {
                let speaks = word.text.chars().any(char::is_alphanumeric);
                assert!(!speaks || !word.phonemes.is_empty(), "{text}: {word:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_text_has_phonemes_or_none(text in "\\PC{0,60}", mixed in "[a-zA-Z0-9 一不了行的儿,.!?，。'’\\-—$%&/()\\[\\]🙂\u{0}-\u{1f}]{0,60}") {
            for language in ["en", "en-gb", "zh"] {
                let _ = said(&text, language);
                let _ = said(&mixed, language);
            }
        }
    }
}
