//! Chinese characters to pinyin, in the sentence they stand in.
//!
//! Three sources, the surest first: the user's lexicon, the phrases of pypinyin (龟裂 is jūn liè), and for
//! a character with several readings the network in `polyphones`. Pinyin is written with a tone digit,
//! 5 for the neutral tone, and `v` for ü.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use jieba_rs::Jieba;
use pinyin::ToPinyin;
use pinyin::ToPinyinMulti;

use super::Lexicon;
use super::polyphones;
use super::surname;
use super::weights::inflate;

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

static PHRASES: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let data = inflate(include_bytes!("data/phrases.gz")).unwrap_or_default();
    String::from_utf8_lossy(&data)
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(phrase, said)| (phrase.to_owned(), said.split(' ').map(str::to_owned).collect()))
        .collect()
});

/// How far ahead the network's choice must be to stand against a phrase that says otherwise. Chosen on
/// annotated sentences, where phrases and network err in different places.
const SURE: f32 = 6.0;

/// A word and how each of its characters is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// Which characters of the sentence.
    pub(super) at: Range<usize>,
    /// One syllable a character, before tone sandhi.
    pub(super) syllables: Vec<String>,
}

/// Whether pinyin can be given for `c`.
pub(crate) fn is_hanzi(c: char) -> bool {
    matches!(c, '〇' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// The pinyin of the character at `index` (counted in characters) of `sentence`, with its tone digit and
/// ü written `u:` as dictionaries do: `hang2`, `lu:4`. Tone sandhi is left out. Empty when there is no
/// Chinese character at that place.
///
/// ```
/// assert_eq!(hearken::tts::pinyin::reading("他在银行工作", 3), "hang2");
/// ```
#[must_use]
pub fn reading(sentence: &str, index: usize) -> String {
    // What stands far away cannot matter, and a long text would be read again for every character.
    const AROUND: usize = 200;
    let start = index.saturating_sub(AROUND);
    let chars: Vec<char> = sentence.chars().skip(start).take(2 * AROUND).collect();
    readings(&chars, &Lexicon::default())
        .into_iter()
        .find(|r| r.at.contains(&(index - start)))
        .and_then(|r| r.syllables.get(index - start - r.at.start).map(|s| s.replace('v', "u:")))
        .unwrap_or_default()
}

/// Every Chinese word of a sentence with its readings.
pub(super) fn readings(sentence: &[char], lexicon: &Lexicon) -> Vec<Reading> {
    let text: String = sentence.iter().collect();
    let mut words = Vec::new();
    let mut at = 0;
    for token in JIEBA.cut(&text, true) {
        let length = token.word.chars().count();
        for run in hanzi_runs(sentence, at..at + length) {
            words.push(Reading { syllables: word(sentence, &run), at: run });
        }
        at += length;
    }
    surname::apply(sentence, &is_name, |at, said| {
        if let Some(word) = words.iter_mut().find(|word| word.at.contains(&at))
            && let Some(syllable) = word.syllables.get_mut(at - word.at.start)
        {
            said.clone_into(syllable);
        }
    });
    lexicon.override_readings(sentence, &mut words);
    words
}

/// Whether the segmenter's dictionary has this word as the name of a person.
fn is_name(word: &str) -> bool {
    JIEBA.has_word(word)
        && JIEBA.tag(word, false).first().is_some_and(|t| t.word == word && t.tag.starts_with("nr"))
}

/// Whether the segmenter's dictionary has this word.
pub(super) fn is_word(word: &str) -> bool {
    JIEBA.has_word(word)
}

/// The stretches of Chinese characters inside `range`.
fn hanzi_runs(sentence: &[char], range: Range<usize>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for i in range.filter(|i| sentence.get(*i).is_some_and(|c| is_hanzi(*c))) {
        match runs.last_mut() {
            Some(run) if run.end == i => run.end += 1,
            _ => runs.push(i..i + 1),
        }
    }
    runs
}

fn word(sentence: &[char], at: &Range<usize>) -> Vec<String> {
    let mut said: Vec<Option<&str>> = vec![None; at.len()];
    let mut i = at.start;
    while i < at.end {
        match longest_phrase(&sentence[i..at.end]) {
            Some((length, syllables)) => {
                for (slot, syllable) in said[i - at.start..].iter_mut().zip(syllables) {
                    *slot = Some(syllable);
                }
                i += length;
            }
            None => i += 1,
        }
    }
    said.into_iter().zip(at.clone()).map(|(phrase, i)| character(sentence, i, phrase)).collect()
}

fn longest_phrase(chars: &[char]) -> Option<(usize, &'static [String])> {
    const LONGEST: usize = 12;
    (2..=chars.len().min(LONGEST)).rev().find_map(|length| {
        let phrase: String = chars[..length].iter().collect();
        PHRASES.get(&phrase).map(|s| (length, s.as_slice()))
    })
}

fn character(sentence: &[char], index: usize, phrase: Option<&str>) -> String {
    let c = sentence[index];
    // These two change with what follows and nothing else; sandhi sees to that.
    match c {
        '一' => return "yi1".into(),
        '不' => return "bu4".into(),
        '〇' => return "ling2".into(),
        _ => {}
    }
    let candidates = candidates(c);
    let names: Vec<&str> = candidates.iter().map(String::as_str).collect();
    match (polyphones::choose(sentence, index, &names), phrase) {
        (Some((best, margin)), Some(phrase)) => {
            if margin > SURE { best } else { phrase }.to_owned()
        }
        (Some((best, _)), None) => best.to_owned(),
        (None, Some(phrase)) => phrase.to_owned(),
        (None, None) => candidates.into_iter().next().unwrap_or_default(),
    }
}

/// The readings of a character, the usual one first.
fn candidates(c: char) -> Vec<String> {
    let write = |p: pinyin::Pinyin| {
        let mut syllable = p.with_tone_num_end().replace('ü', "v");
        if !syllable.ends_with(|c: char| c.is_ascii_digit()) {
            syllable.push('5');
        }
        syllable
    };
    let mut all: Vec<String> =
        c.to_pinyin_multi().map(|m| m.into_iter().map(write).collect()).unwrap_or_default();
    if all.is_empty() {
        all.extend(c.to_pinyin().map(write));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_read_by_their_context() {
        let cases = [
            ("他在银行工作", 3, "hang2"),
            ("我长大了", 1, "zhang3"),
            ("这条河很长", 4, "chang2"),
            ("重庆很热", 0, "chong2"),
            ("请重新打开灯", 1, "chong2"),
            ("音乐很好听", 1, "yue4"),
            ("他很快乐", 3, "le4"),
            ("成功率很高", 2, "lu:4"),
            ("他还没还书", 1, "hai2"),
            ("已经好了", 0, "yi3"),
            ("打开灯", 2, "deng1"),
            ("一个人", 0, "yi1"),
            ("hi", 0, ""),
            ("", 3, ""),
        ];
        for (sentence, index, expected) in cases {
            assert_eq!(reading(sentence, index), expected, "{sentence} {index}");
        }
    }

    #[test]
    fn rare_characters_have_a_reading() {
        for c in ['龘', '〇', '㑇'] {
            assert!(!character(&[c], 0, None).is_empty(), "{c}");
        }
    }
}
