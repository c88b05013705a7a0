//! How a sentence is made ready for matching: blanks, punctuation, skip words, letter case.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Punctuation that speech recognition adds to a sentence. `-` and `'` belong to words.
const PUNCTUATION: &str = ".。,，?¿？؟!¡！;；:：’…—–―";

/// Whether a character is punctuation that may stand around words.
pub(super) fn is_punctuation(c: char) -> bool {
    PUNCTUATION.contains(c)
}

/// Whether a character belongs to a word: a letter, a digit or `_`, but no combining mark.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    c.is_alphanumeric() && !is_combining_mark(c)
}

/// Chinese, Japanese and Korean characters, which are written without blanks between them.
fn is_cjk(c: char) -> bool {
    matches!(c, '一'..='鿿' | '㐀'..='䶿' | '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7af}')
}

/// One form for all letters that differ only in case. Never changes the number of characters.
pub(super) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    let folded = match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        (Some('i'), Some(_)) => 'i', // İ
        _ => c,
    };
    // Letters with two lower-case forms.
    match folded {
        'ı' => 'i',
        'ſ' => 's',
        'ς' => 'σ',
        'ϐ' => 'β',
        'ϑ' => 'θ',
        'ϕ' => 'φ',
        'ϖ' => 'π',
        'ϰ' => 'κ',
        'ϱ' => 'ρ',
        'ϵ' => 'ε',
        'µ' => 'μ',
        // Romanian is written with a comma or, of old, with a cedilla.
        'ş' => 'ș',
        'ţ' => 'ț',
        other => other,
    }
}

/// Runs of blanks become one, characters their composed form (NFC), and `’` becomes `'`.
pub(super) fn normalise_text(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() {
            if !blank {
                result.push(' ');
            }
            blank = true;
        } else {
            result.push(if c == '’' { '\'' } else { c });
            blank = false;
        }
    }
    if result.is_ascii() || unicode_normalization::is_nfc(&result) {
        return result;
    }
    result.nfc().collect()
}

/// A sentence as it is matched: [`normalise_text`], without punctuation around words.
pub(super) fn normalise_sentence(text: &str) -> Vec<char> {
    let chars: Vec<char> = normalise_text(text).chars().collect();
    if !chars.iter().copied().any(is_punctuation) {
        return trim(chars);
    }
    trim(without_punctuation(chars))
}

fn trim(mut chars: Vec<char>) -> Vec<char> {
    while chars.last().is_some_and(|c| c.is_whitespace()) {
        chars.pop();
    }
    let lead = chars.iter().take_while(|c| c.is_whitespace()).count();
    chars.drain(..lead);
    chars
}

fn without_punctuation(mut text: Vec<char>) -> Vec<char> {
    let lead = text.iter().take_while(|c| is_punctuation(**c)).count();
    text.drain(..lead);
    if !ends_in_initialism(&text) {
        while text.last().is_some_and(|c| is_punctuation(*c)) {
            text.pop();
        }
    }
    let word = |text: &[char], i: usize| text.get(i).copied().is_some_and(is_word);
    // Before a word, where no word stands in front.
    text = without_runs(&text, is_punctuation, |text, start, end| {
        let from = if start > 0 && !word(text, start - 1) { start } else { start + 1 };
        (word(text, end)).then_some((from, end))
    });
    // Behind a word; a period may belong to an abbreviation.
    text = without_runs(
        &text,
        |c| c != '.' && is_punctuation(c),
        |text, start, end| {
            let stays = end == text.len() || word(text, end);
            (start > 0 && word(text, start - 1)).then_some((start, end - usize::from(stays)))
        },
    );
    // A period behind a word that is not the last of an initialism.
    text = (0..text.len())
        .filter(|&i| {
            let initial = i >= 3 && word(&text, i - 3) && text[i - 2] == '.' && word(&text, i - 1);
            let ends = text[i] == '.' && i + 1 < text.len() && !word(&text, i + 1);
            !ends || initial
        })
        .map(|i| text[i])
        .collect();
    // Between blanks.
    without_runs(&text, is_punctuation, |text, start, end| {
        let from = if start > 0 && !word(text, start - 1) { start } else { start + 1 };
        let stays = end == text.len() || word(text, end);
        Some((from, end - usize::from(stays)))
    })
}

/// Removes the part of each run of `kind` that `part` names, if any.
fn without_runs(
    text: &[char],
    kind: impl Fn(char) -> bool,
    part: impl Fn(&[char], usize, usize) -> Option<(usize, usize)>,
) -> Vec<char> {
    let mut result = Vec::with_capacity(text.len());
    let mut i = 0;
    while i < text.len() {
        if !kind(text[i]) {
            result.push(text[i]);
            i += 1;
            continue;
        }
        let run = text[i..].iter().take_while(|c| kind(**c)).count();
        let end = i + run;
        match part(text, i, end) {
            Some((from, to)) if from < to => {
                result.extend_from_slice(&text[i..from]);
                result.extend_from_slice(&text[to..end]);
            }
            _ => result.extend_from_slice(&text[i..end]),
        }
        i = end;
    }
    result
}

/// `A.C.` and the like, whose last period stays.
fn ends_in_initialism(text: &[char]) -> bool {
    let mut pairs = 0;
    let mut end = text.len();
    while end >= 2 && text[end - 1] == '.' && is_word(text[end - 2]) {
        end -= 2;
        pairs += 1;
    }
    // The first letter must not continue a word.
    if end > 0 && pairs > 0 && is_word(text[end - 1]) {
        pairs -= 1;
    }
    pairs >= 2
}

/// Removes blanks between Chinese, Japanese and Korean characters.
pub(super) fn cut_blanks(text: &[char]) -> Vec<char> {
    let mut result: Vec<char> = Vec::with_capacity(text.len());
    let mut i = 0;
    while i < text.len() {
        if text[i].is_whitespace() && result.last().copied().is_some_and(is_cjk) {
            let run = text[i..].iter().take_while(|c| c.is_whitespace()).count();
            if text.get(i + run).copied().is_some_and(is_cjk) {
                i += run;
                continue;
            }
        }
        result.push(text[i]);
        i += 1;
    }
    result
}

/// Which skip words to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Anywhere,
    Start,
    End,
}

/// Words that carry no meaning, such as "please", longest first.
#[derive(Debug, Clone, Default)]
pub(super) struct SkipWords {
    words: Vec<Vec<char>>,
    glued: bool,
}

impl SkipWords {
    /// `glued`: the language is written without blanks, so words have no bounds.
    pub(super) fn new<'a>(words: impl Iterator<Item = &'a str>, glued: bool) -> Self {
        let mut words: Vec<Vec<char>> = words
            .map(|word| normalise_text(word.trim()).chars().map(fold).collect())
            .filter(|word: &Vec<char>| !word.is_empty())
            .collect();
        words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        words.dedup();
        Self { words, glued }
    }

    /// The words, folded, longest first.
    pub(super) fn words(&self) -> &[Vec<char>] {
        &self.words
    }

    /// Whether a skip word begins at `i`, and how long it is.
    fn at(&self, text: &[char], folded: &[char], i: usize) -> Option<usize> {
        if !self.glued && i > 0 && is_word(text[i - 1]) {
            return None;
        }
        self.words.iter().map(Vec::len).zip(&self.words).find_map(|(length, word)| {
            let bounded = self.glued || !text.get(i + length).copied().is_some_and(is_word);
            (folded[i..].starts_with(word) && bounded).then_some(length)
        })
    }

    /// The text without skip words.
    pub(super) fn remove(&self, text: &[char], place: Where) -> Vec<char> {
        let mut text = text.to_vec();
        loop {
            let folded: Vec<char> = text.iter().copied().map(fold).collect();
            let shorter = match place {
                Where::Anywhere => self.without_any(&text, &folded),
                Where::Start => self.without_first(&text, &folded),
                Where::End => self.without_last(&text, &folded),
            };
            let done = place == Where::Anywhere || shorter.len() == text.len();
            text = shorter;
            if done {
                return text;
            }
        }
    }

    fn without_any(&self, text: &[char], folded: &[char]) -> Vec<char> {
        let mut result: Vec<char> = Vec::with_capacity(text.len());
        let mut i = 0;
        while i < text.len() {
            let starts = self.words.iter().any(|word| word[0] == folded[i]);
            if let Some(length) = starts.then(|| self.at(text, folded, i)).flatten() {
                i += length;
                if !self.glued {
                    result.push(' ');
                }
            } else {
                result.push(text[i]);
                i += 1;
            }
        }
        self.tidied(result)
    }

    fn without_first(&self, text: &[char], folded: &[char]) -> Vec<char> {
        let blanks = text.iter().take_while(|c| c.is_whitespace()).count();
        let lead = if self.glued { 0 } else { blanks };
        match (lead < text.len()).then(|| self.at(text, folded, lead)).flatten() {
            Some(length) => self.tidied(text[lead + length..].to_vec()),
            None => self.tidied(text.to_vec()),
        }
    }

    fn without_last(&self, text: &[char], folded: &[char]) -> Vec<char> {
        let blanks = text.iter().rev().take_while(|c| c.is_whitespace()).count();
        let end = text.len() - if self.glued { 0 } else { blanks };
        let longest = self.words.iter().find(|word| {
            folded[..end].ends_with(word) && {
                let start = end - word.len();
                self.glued || start == 0 || !is_word(text[start - 1])
            }
        });
        let end = longest.map_or(text.len(), |word| end - word.len());
        self.tidied(text[..end].to_vec())
    }

    /// One blank for each run and none at the ends, where there are words to remove at all.
    fn tidied(&self, text: Vec<char>) -> Vec<char> {
        if self.glued || self.words.is_empty() { text } else { tidy(text) }
    }
}

/// One blank for each run, none at the ends.
fn tidy(text: Vec<char>) -> Vec<char> {
    let mut result: Vec<char> = Vec::with_capacity(text.len());
    for c in text {
        let blank = c.is_whitespace();
        if !(blank && result.last().is_none_or(|last| last.is_whitespace())) {
            result.push(if blank { ' ' } else { c });
        }
    }
    trim(result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sentence(text: &str) -> String {
        normalise_sentence(text).into_iter().collect()
    }

    #[test]
    fn punctuation_around_words_goes_and_within_words_stays() {
        let cases = [
            ("  Turn \t on,  the light! ", "Turn on the light"),
            ("what's up?", "what's up"),
            ("it\u{2019}s 7:30", "it's 7:30"),
            ("set 3.5 degrees.", "set 3.5 degrees"),
            ("turn on the A.C.", "turn on the A.C."),
            ("the A.C. in the hall", "the A.C. in the hall"),
            ("one. two", "one two"),
            ("打开，客厅的灯。", "打开，客厅的灯"),
            ("\u{bf}qu\u{e9} hora es?", "qu\u{e9} hora es"),
            ("- well-known -", "- well-known -"),
            ("?", ""),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(sentence(text), expected, "{text:?}");
        }
    }

    #[test]
    fn skip_words_go_as_whole_words() {
        let skip =
            SkipWords::new(["please", "can you", "i'd like", "i'd like to"].into_iter(), false);
        let remove = |text: &str, place| -> String {
            let text: Vec<char> = text.chars().collect();
            skip.remove(&text, place).into_iter().collect()
        };
        assert_eq!(remove("Please turn on", Where::Anywhere), "turn on");
        assert_eq!(remove("can you turn on please", Where::Anywhere), "turn on");
        assert_eq!(remove("I'd like to sleep", Where::Anywhere), "sleep");
        assert_eq!(remove("pleased to meet", Where::Anywhere), "pleased to meet");
        assert_eq!(remove("please say please please", Where::Start), "say please please");
        assert_eq!(remove("please say please please", Where::End), "please say");
        assert_eq!(remove("please", Where::Anywhere), "");
    }

    #[test]
    fn glued_skip_words_go_anywhere() {
        let skip = SkipWords::new(["请", "帮我", "吧"].into_iter(), true);
        let remove = |text: &str, place| -> String {
            let text: Vec<char> = text.chars().collect();
            skip.remove(&text, place).into_iter().collect()
        };
        assert_eq!(remove("请帮我开灯吧", Where::Anywhere), "开灯");
        assert_eq!(remove("请帮我开灯吧", Where::Start), "开灯吧");
        assert_eq!(remove("请帮我开灯吧", Where::End), "请帮我开灯");
    }

    #[test]
    fn blanks_between_chinese_characters_go_and_others_stay() {
        let cut = |text: &str| -> String {
            cut_blanks(&text.chars().collect::<Vec<_>>()).into_iter().collect()
        };
        assert_eq!(cut("打开 客厅 的灯"), "打开客厅的灯");
        assert_eq!(cut("播放 Taylor Swift 的歌"), "播放 Taylor Swift 的歌");
        assert_eq!(cut(" 灯 "), " 灯 ");
    }

    #[test]
    fn letters_fold_to_one_form_each() {
        for (a, b) in [('A', 'a'), ('É', 'é'), ('İ', 'i'), ('ı', 'i'), ('ς', 'Σ'), ('ş', 'Ș')]
        {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold('a'), fold('b'));
    }

    proptest! {
        #[test]
        fn preparing_never_panics_and_leaves_no_blanks_at_the_ends(text in "\\PC{0,60}") {
            let ready = sentence(&text);
            prop_assert_eq!(ready.trim(), ready.as_str());
            for glued in [false, true] {
                let skip = SkipWords::new(["a", "b c", "。"].into_iter(), glued);
                let chars: Vec<char> = ready.chars().collect();
                for place in [Where::Anywhere, Where::Start, Where::End] {
                    prop_assert!(skip.remove(&chars, place).len() <= chars.len() + 1);
                }
            }
        }
    }
}
