//! Chinese characters to pinyin, in the sentence they stand in.
//!
//! The surest source first: the user's lexicon, everyday words and the rules of `everyday`, the phrases of pypinyin
//! (龟裂 is jūn liè), and for a character with several readings the network in `polyphones`. Pinyin is written with a tone digit,
//! 5 for the neutral tone, and `v` for ü.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use jieba_rs::Jieba;
use pinyin::ToPinyin;
use pinyin::ToPinyinMulti;

use super::Lexicon;
use super::everyday;
use super::polyphones;
use super::surname;
use super::weights::inflate;

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Words whose characters are read as the word says.
struct Phrase {
    said: Vec<String>,
    /// Whether the word is a common one, or was checked: then the network is not asked.
    common: bool,
}

/// Everyday words that the other sources read wrongly, or that the network would.
const EVERYDAY: &str = include_str!("data/everyday.txt");

static PHRASES: LazyLock<HashMap<String, Phrase>> =
    LazyLock::new(|| {
        let data = inflate(include_bytes!("data/phrases.gz")).unwrap_or_default();
        let syllables = |said: &str| said.split(' ').map(str::to_owned).collect();
        let mut phrases: HashMap<String, Phrase> = String::from_utf8_lossy(&data)
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(phrase, said)| {
                let (said, common) =
                    said.strip_suffix("\t!").map_or((said, false), |said| (said, true));
                (phrase.to_owned(), Phrase { said: syllables(said), common })
            })
            .collect();
        phrases.extend(EVERYDAY.lines().filter_map(|line| line.split_once(' ')).map(
            |(phrase, said)| (phrase.to_owned(), Phrase { said: syllables(said), common: true }),
        ));
        phrases
    });

/// How far ahead the network's choice must be to stand against a rare phrase that says otherwise. About common words it
/// is not asked: it errs there, however sure it is. Chosen on annotated sentences.
const SURE: f32 = 8.0;

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
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for token in JIEBA.cut(&text, true) {
        let length = token.word.chars().count();
        runs.extend(hanzi_runs(sentence, at..at + length));
        at += length;
    }
    let phrases = phrases(sentence, &runs);
    let around = everyday::Around { sentence, words: &runs, tag: &tag };
    let mut words: Vec<Reading> = runs
        .iter()
        .map(|run| Reading {
            syllables: run
                .clone()
                .map(|i| character(&around, i, phrases.get(i).copied().flatten()))
                .collect(),
            at: run.clone(),
        })
        .collect();
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

/// What the phrases say of each character. A phrase lies within a word, or within characters that the segmenter left
/// single (还·钱).
fn phrases(sentence: &[char], runs: &[Range<usize>]) -> Vec<Option<(&'static str, bool)>> {
    let mut said = vec![None; sentence.len()];
    let mut run = 0;
    while run < runs.len() {
        let start = runs[run].start;
        let mut end = runs[run].end;
        let single = |run: &Range<usize>| run.len() == 1;
        while single(&runs[run])
            && runs.get(run + 1).is_some_and(|next| single(next) && next.start == end)
        {
            run += 1;
            end = runs[run].end;
        }
        run += 1;
        let mut i = start;
        while i < end {
            let Some((length, phrase)) = longest_phrase(&sentence[i..end]) else {
                i += 1;
                continue;
            };
            for (slot, syllable) in said[i..].iter_mut().zip(&phrase.said) {
                *slot = Some((syllable.as_str(), phrase.common));
            }
            i += length;
        }
    }
    said
}

/// The part of speech of a word in the segmenter's dictionary.
fn tag(word: &str) -> String {
    JIEBA.tag(word, false).first().map_or(String::new(), |t| t.tag.to_owned())
}

fn longest_phrase(chars: &[char]) -> Option<(usize, &'static Phrase)> {
    const LONGEST: usize = 12;
    (2..=chars.len().min(LONGEST)).rev().find_map(|length| {
        let phrase: String = chars[..length].iter().collect();
        PHRASES.get(&phrase).map(|s| (length, s))
    })
}

fn character(
    around: &everyday::Around<'_>,
    index: usize,
    phrase: Option<(&'static str, bool)>,
) -> String {
    let sentence = around.sentence;
    let c = sentence[index];
    // These two change with what follows and nothing else; sandhi sees to that.
    match c {
        '一' => return "yi1".into(),
        '不' => return "bu4".into(),
        '〇' => return "ling2".into(),
        _ => {}
    }
    if let Some((said, true)) = phrase {
        return said.to_owned();
    }
    if let Some(said) = everyday::reading(around, index) {
        return said.to_owned();
    }
    let phrase = phrase.map(|(said, _)| said);
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
            assert!(!reading(&c.to_string(), 0).is_empty(), "{c}");
        }
    }
}
