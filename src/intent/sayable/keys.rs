//! Keys: values of lists, numbers, and fixed texts that have more than one spelling, in order, so
//! that those with one beginning stand together.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::context::fits;
use super::super::grammar::Block;
use super::super::lists::{RangeList, Said, TextList};
use super::super::spellout;
use super::super::words::fold;
use super::Engine;

/// Ranges with more numbers than this are said in words or, as digits, only up to it.
const MAX_DIGITS: usize = 2_000;
/// The largest number that is also tried in digits where a text has it in words.
const MAX_NUMBER: i64 = 100;

/// A list as a template refers to it.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub part: u16,
    pub engine: &'a Engine,
    pub reference: u32,
    /// The block of sentences.
    pub block: u32,
}

/// Where a word stands that carries no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum SkipPlace {
    /// Before the sentence.
    Before,
    /// Behind the sentence.
    Behind,
    /// Behind the sentence and a blank.
    BehindBlank,
}

/// All sets of keys.
#[derive(Debug, Default)]
pub(super) struct KeySets {
    sets: Vec<Arc<[Key]>>,
    /// Sets by what is in them, so that lists seen from different blocks are one.
    known: HashMap<Arc<[Key]>, u32>,
    /// By part, list reference and block.
    values: HashMap<(u16, u32, u32), u32>,
    numbers: HashMap<(u16, u32), u32>,
    chunks: HashMap<(u16, u32), Option<u32>>,
    skips: HashMap<(u16, SkipPlace), Option<u32>>,
    digits: HashMap<u16, Arc<Digits>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    /// How it is written, folded.
    chars: Box<[char]>,
    /// What it stands for.
    text: Box<str>,
}

/// Digits for number words.
#[derive(Debug, Default)]
struct Digits {
    by_words: HashMap<String, String>,
    /// Written without blanks.
    glued: bool,
}

impl KeySets {
    /// The whole range of a set.
    pub(super) fn all(&self, set: u32) -> (u32, u32) {
        (0, self.sets[set as usize].len() as u32)
    }

    /// The keys of a range that go on with `c` after `depth` characters.
    pub(super) fn narrow(
        &self,
        set: u32,
        (low, high): (u32, u32),
        depth: u32,
        c: char,
    ) -> (u32, u32) {
        let keys = &self.sets[set as usize][low as usize..high as usize];
        let depth = depth as usize;
        let from = keys.partition_point(|key| key.chars.get(depth).is_none_or(|k| *k < c));
        let count = keys[from..].partition_point(|key| key.chars.get(depth) == Some(&c));
        (low + from as u32, low + (from + count) as u32)
    }

    /// What the keys of a range that are complete stand for, and where the others begin.
    pub(super) fn complete(
        &self,
        set: u32,
        (low, high): (u32, u32),
        depth: u32,
    ) -> Option<(u32, String)> {
        let keys = &self.sets[set as usize][low as usize..high as usize];
        let first = keys.first().filter(|key| key.chars.len() == depth as usize)?;
        let count = keys.iter().take_while(|key| key.chars.len() == depth as usize).count();
        Some((low + count as u32, first.text.to_string()))
    }

    /// Adds the characters that follow after `depth` characters.
    pub(super) fn heads(&self, set: u32, (low, high): (u32, u32), depth: u32, out: &mut Vec<char>) {
        let mut keys = &self.sets[set as usize][low as usize..high as usize];
        let depth = depth as usize;
        while let Some(c) = keys.first().and_then(|key| key.chars.get(depth)).copied() {
            out.push(c);
            keys = &keys[keys.partition_point(|key| key.chars.get(depth) == Some(&c))..];
        }
    }

    /// The values of a list that can stand in a sentence of the block.
    pub(super) fn values(&mut self, source: Source<'_>, list: &TextList, block: &Block) -> u32 {
        let key = (source.part, source.reference, source.block);
        if let Some(known) = self.values.get(&key) {
            return *known;
        }
        let digits = self.digits(source.part, source.engine);
        let mut keys = Vec::new();
        for value in &list.values {
            let Said::Words(chunk) = &value.said else { continue };
            if chunk.is_blank() || !fits(block, value.context.as_ref()) {
                continue;
            }
            let text = chunk.text.trim();
            keys.extend(digits.spellings(&chunk.full[chunk.lead..], text));
        }
        let set = self.add(keys);
        self.values.insert(key, set);
        set
    }

    /// The numbers of a range, in words and digits.
    pub(super) fn numbers(&mut self, source: Source<'_>, range: &RangeList) -> u32 {
        let key = (source.part, source.reference);
        if let Some(known) = self.numbers.get(&key) {
            return *known;
        }
        let mut keys = Vec::new();
        let mut add = |text: String| {
            keys.push(Key { chars: text.chars().map(fold).collect(), text: text.into() });
        };
        if range.digits {
            for (whole, fraction) in range.numbers().take(MAX_DIGITS) {
                add(if fraction.is_empty() {
                    whole.to_string()
                } else {
                    format!("{whole}.{fraction}")
                });
            }
        }
        if range.words {
            let words = (0..).map_while(|index| range.spelled.trie.key(index));
            words.for_each(|words| add(words.iter().collect()));
        }
        let set = self.add(keys);
        self.numbers.insert(key, set);
        set
    }

    /// The other spellings of the words of a fixed text; `None` when they have only their own.
    pub(super) fn spellings(&mut self, part: u16, engine: &Engine, chunk: u32) -> Option<u32> {
        if let Some(known) = self.chunks.get(&(part, chunk)) {
            return *known;
        }
        let digits = self.digits(part, engine);
        let grammar = &engine.language().grammar;
        let set = grammar.chunks.get(chunk as usize).and_then(|found| {
            let words = &found.full[found.lead..found.lead + found.literal as usize];
            let mut keys = digits.spellings(words, found.text.trim());
            keys.remove(0);
            (!keys.is_empty()).then(|| self.add(keys))
        });
        self.chunks.insert((part, chunk), set);
        set
    }

    /// The ways to write a text that has number words, its own first.
    pub(super) fn written(&mut self, part: u16, engine: &Engine, text: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        let keys = self.digits(part, engine).spellings(&chars, text);
        let mut all: Vec<String> = keys.iter().map(|key| key.chars.iter().collect()).collect();
        let signs: Vec<String> = all.iter().filter_map(|text| with_percent_sign(text)).collect();
        all.extend(signs);
        all
    }

    /// Words that carry no meaning, as they stand before a sentence or behind one.
    pub(super) fn skip_words(
        &mut self,
        part: u16,
        engine: &Engine,
        place: SkipPlace,
    ) -> Option<u32> {
        if let Some(known) = self.skips.get(&(part, place)) {
            return *known;
        }
        let grammar = &engine.language().grammar;
        let (before, behind) = match place {
            _ if grammar.ignore_whitespace => ("", ""),
            SkipPlace::Before => ("", " "),
            SkipPlace::Behind => (" ", ""),
            SkipPlace::BehindBlank => ("", ""),
        };
        let words = grammar.skip_words.words().iter();
        let texts =
            words.map(|word| format!("{before}{}{behind}", word.iter().collect::<String>()));
        let keys: Vec<Key> =
            texts.map(|text| Key { chars: text.chars().collect(), text: text.into() }).collect();
        let set = (!keys.is_empty()).then(|| self.add(keys));
        self.skips.insert((part, place), set);
        set
    }

    fn digits(&mut self, part: u16, engine: &Engine) -> Arc<Digits> {
        let grammar = &engine.language().grammar;
        let digits = self
            .digits
            .entry(part)
            .or_insert_with(|| Arc::new(Digits::new(&grammar.language, grammar.ignore_whitespace)));
        Arc::clone(digits)
    }

    fn add(&mut self, mut keys: Vec<Key>) -> u32 {
        keys.sort();
        keys.dedup_by(|a, b| a.chars == b.chars);
        let keys: Arc<[Key]> = keys.into();
        if let Some(known) = self.known.get(&keys) {
            return *known;
        }
        let id = self.sets.len() as u32;
        self.sets.push(Arc::clone(&keys));
        self.known.insert(keys, id);
        id
    }
}

/// 百分之 and digits as a number with a percent sign.
fn with_percent_sign(text: &str) -> Option<String> {
    let (before, rest) = text.split_once("百分之")?;
    let digits = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').count();
    (digits > 0).then(|| format!("{before}{}%{}", &rest[..digits], &rest[digits..]))
}

impl Digits {
    fn new(language: &str, glued: bool) -> Self {
        let mut by_words = HashMap::new();
        if let Some(rules) = spellout::for_language(language) {
            for number in (0..=MAX_NUMBER).rev() {
                for spelling in rules.spellings(number, "") {
                    by_words.insert(spelling, number.to_string());
                }
            }
        }
        Self { by_words, glued }
    }

    /// A text as it is written, and as it is with digits for its number words.
    fn spellings(&self, full: &[char], text: &str) -> Vec<Key> {
        let key = |chars: Box<[char]>| Key { chars, text: text.into() };
        let mut keys = vec![key(full.into())];
        let words: Vec<String> = if self.glued {
            full.iter().map(char::to_string).collect()
        } else {
            full.iter().collect::<String>().split(' ').map(str::to_owned).collect()
        };
        let join = if self.glued { "" } else { " " };
        let mut out: Vec<String> = Vec::new();
        let (mut at, mut changed) = (0, false);
        while at < words.len() {
            let longest = (1..=4.min(words.len() - at)).rev().find_map(|count| {
                let digits = self.by_words.get(&words[at..at + count].join(join))?;
                Some((count, digits.clone()))
            });
            let (count, word) = longest.unwrap_or_else(|| (1, words[at].clone()));
            changed |= self.by_words.contains_key(&words[at..at + count].join(join));
            out.push(word);
            at += count;
        }
        if changed {
            let digits = out.join(join);
            keys.push(key(digits.chars().collect()));
            if !self.glued {
                // Units as they are written behind digits.
                for (word, sign) in [(" percent", "%"), (" degrees", "°"), (" ounce", " oz")] {
                    if digits.contains(word) {
                        keys.push(key(digits.replace(word, sign).chars().collect()));
                    }
                }
            }
        }
        keys
    }
}
