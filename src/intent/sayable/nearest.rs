//! Which sentences that can be said sound most like a text: a best-first search through the states,
//! led by an edit distance of sounds.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::super::hash::Quick;
use super::super::sounds_like::{Heard, Sound, Speech};
use super::{Sayable, SayableState};

/// Pairs of sounds that are compared, at most; some 50 ms. Not a time, so that the same is found on a busy machine.
const MOST_PAIRS: usize = 3_000_000;
/// Longer texts, in sounds, are no commands.
const MOST_SOUNDS: usize = 160;
/// Unfinished sentences that are made, at most.
const MOST_WAYS: usize = 60_000;
/// Units that are followed from one sentence, at most.
const BREADTH: usize = 32;
/// A sentence that is farther, by its length, sounds like something else.
const FARTHEST: f32 = 0.5;
/// Words longer than this, in characters, are not looked for.
const LONGEST_WORD: usize = 24;
/// Words that are looked for from one state, at most.
const MOST_WORDS: usize = 4_000;
/// Words that are remembered, at most.
const MOST_KEPT: usize = 400_000;
/// How often one state is gone on from: a state that was come to with less explained may be the better one.
const VISITS: usize = 3;
/// Numerals of cheques and calendars, which nobody writes who hears them.
const OLD_NUMERALS: &str = "壹贰叁肆伍陆柒捌玖拾佰仟廿卅丗卌";

/// A character of Chinese or a word of English that may be said next.
#[derive(Debug)]
struct Unit {
    /// What it adds to the text.
    text: Box<str>,
    sounds: Box<[Sound]>,
    /// How many of them the one before has, too.
    shared: usize,
    /// Where it leads; a character's state is made when it is gone to.
    to: Option<SayableState>,
    /// The sentence ends behind it.
    ends: bool,
}

type Units = Arc<[Unit]>;

/// What may follow each state.
#[derive(Debug, Default)]
pub(super) struct Followers {
    units: HashMap<SayableState, Units, Quick>,
    kept: usize,
}

/// An unfinished sentence, or a finished one.
struct Way {
    /// What decides when it is followed; the distance, of a finished one.
    promise: f32,
    /// Its last step.
    step: u32,
    done: bool,
    /// The distance to each beginning of what was heard.
    row: Box<[f32]>,
}

/// A unit that was said, and what was said before it.
struct Step {
    before: u32,
    from: SayableState,
    said: Option<(Units, usize)>,
}

impl PartialEq for Way {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Way {}

impl PartialOrd for Way {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Way {
    /// The nearest is the greatest, as a heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.promise.total_cmp(&self.promise).then(other.step.cmp(&self.step))
    }
}

impl Sayable {
    /// The sentences that sound most like `heard`, the nearest first, with how far they are: 0 the same,
    /// 1 nothing in common (as [`sound_distance`](crate::intent::sound_distance) has it). At most `count`,
    /// and none that is so far that it could be anything. Numbers are in words. What is free in a sentence is not
    /// filled with what was heard, so sentences with free words seldom come; and none are found for a language
    /// whose pronunciation is not known.
    ///
    /// ```
    /// use hearken::intent::{Engine, Language, Name, Names, Sayable};
    ///
    /// let language = Language::from_yaml(
    ///     "language: zh-CN\nsettings: { ignore_whitespace: true }\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['打开{name}']",
    ///     "example.yaml",
    /// )?;
    /// let names = Names { entities: vec![Name::new("客厅灯"), Name::new("走廊灯")], ..Names::default() };
    /// let mut sayable = Sayable::new(&[&Engine::new(&language, &names)?]);
    /// assert_eq!(sayable.nearest("打开走狼等", 1), [("打开走廊灯".to_owned(), 0.0)]);
    /// # Ok::<(), hearken::intent::IntentError>(())
    /// ```
    pub fn nearest(&mut self, heard: &str, count: usize) -> Vec<(String, f32)> {
        let Some(speech) = Speech::of(self.language()) else { return Vec::new() };
        let heard = Heard::new(speech, heard);
        if heard.sounds.is_empty() || heard.sounds.len() > MOST_SOUNDS || count == 0 {
            return Vec::new();
        }
        let mut followers = std::mem::take(&mut self.followers);
        let found = self.search(&heard, count, &mut followers);
        self.followers = followers;
        found
    }

    /// The ways to write a sentence that can be said: with number words as it is, and with digits.
    pub fn written(&mut self, text: &str) -> Vec<String> {
        // All engines are of one language, so one knows the numbers of all.
        let Some(engine) = self.engines.first().cloned() else { return Vec::new() };
        let mut all = self.keys.written(0, &engine, text);
        all.retain(|written| self.can_be_said(written));
        all
    }

    fn can_be_said(&mut self, text: &str) -> bool {
        self.after(self.start(), text).is_some_and(|state| self.accepts(state))
    }

    fn search(
        &mut self,
        heard: &Heard,
        count: usize,
        followers: &mut Followers,
    ) -> Vec<(String, f32)> {
        // What is left to be explained behind each beginning.
        let mut rest = vec![0.0; heard.gaps.len() + 1];
        for at in (0..heard.gaps.len()).rev() {
            rest[at] = rest[at + 1] + heard.gaps[at];
        }
        let whole = rest[0];
        let expected = expected(heard.speech);
        let promise = |row: &[f32]| {
            let ways = row.iter().zip(&rest).map(|(cost, rest)| cost + expected * rest);
            ways.fold(f32::INFINITY, f32::min)
        };
        let mut found: Vec<(String, f32)> = Vec::new();
        let mut visits: HashMap<SayableState, Vec<Box<[f32]>>, Quick> = HashMap::default();
        let mut steps = vec![Step { before: 0, from: self.start(), said: None }];
        let row: Box<[f32]> = rest.iter().map(|rest| whole - rest).collect();
        let mut waiting =
            BinaryHeap::from([Way { promise: promise(&row), step: 0, done: false, row }]);
        let (mut above, mut below, mut next) = (Vec::new(), Vec::new(), Vec::new());
        let (mut table, mut pairs) = (Table::default(), 0);
        while let Some(way) = waiting.pop() {
            if way.done {
                found.push((text_of(&steps, way.step), way.promise));
                if found.len() >= count {
                    break;
                }
                continue;
            }
            if pairs > MOST_PAIRS || steps.len() > MOST_WAYS {
                tracing::debug!(found = found.len(), "gave up looking for what sounds alike");
                break;
            }
            let Step { from, said, .. } = &steps[way.step as usize];
            let (from, said) = (*from, said.clone());
            let last = said.as_ref().map(|(units, index)| &units[*index]);
            let ends = last.is_some_and(|unit| unit.ends);
            let state = match last {
                None => Some(from),
                Some(unit) => unit.to.or_else(|| self.step(from, unit.text.chars().next()?)),
            };
            let Some(state) = state else { continue };
            let cost = way.row.last().copied().unwrap_or(f32::INFINITY);
            if (ends || last.is_some_and(|unit| unit.to.is_none())) && self.accepts(state) {
                let done = Way { promise: cost, done: true, row: Box::default(), ..way };
                waiting.extend((cost <= FARTHEST * whole).then_some(done));
            }
            if ends {
                continue;
            }
            let seen = visits.entry(state).or_default();
            let no_better =
                |known: &[f32]| known.iter().zip(&way.row).all(|(known, new)| known <= new);
            if seen.len() >= VISITS || seen.iter().any(|known| no_better(known)) {
                continue;
            }
            let units = self.units(state, heard.speech, followers);
            next.clear();
            table.begin(&way.row);
            for (index, unit) in units.iter().enumerate() {
                pairs += heard.sounds.len() * (unit.sounds.len() - unit.shared);
                let promise = promise(table.row(heard, &unit.sounds, unit.shared));
                if promise <= FARTHEST * whole {
                    next.push((promise, index));
                }
            }
            next.sort_by(|a, b| a.0.total_cmp(&b.0));
            for &(promise, index) in next.iter().take(BREADTH) {
                heard.rows(&way.row, &units[index].sounds, (&mut above, &mut below));
                let step = steps.len() as u32;
                let said = Some((Arc::clone(&units), index));
                steps.push(Step { before: way.step, from: state, said });
                waiting.push(Way { promise, step, done: false, row: above.as_slice().into() });
            }
            seen.push(way.row);
        }
        found.sort_by(|a, b| a.1.total_cmp(&b.1));
        found.dedup_by(|a, b| a.0 == b.0);
        let far = |cost: f32| (cost / whole).min(1.0);
        found.into_iter().map(|(text, cost)| (text, far(cost))).collect()
    }

    /// What may follow a state, by how it sounds. Digits are left out: numbers are said in words.
    fn units(&mut self, state: SayableState, speech: Speech, followers: &mut Followers) -> Units {
        if let Some(known) = followers.units.get(&state) {
            return Arc::clone(known);
        }
        let mut units = if speech.joins_with_blanks() {
            self.words_from(state, speech)
        } else {
            let odd = |c: &char| c.is_ascii_digit() || OLD_NUMERALS.contains(*c);
            let next: Vec<char> = self.next(state).to_vec();
            let unit = |c: char| {
                let text = String::from(c).into_boxed_str();
                let sounds = if c.is_whitespace() { Vec::new() } else { speech.sounds(&text) };
                Unit { text, sounds: sounds.into(), shared: 0, to: None, ends: false }
            };
            next.into_iter().filter(|c| !odd(c)).map(unit).collect()
        };
        units.sort_by(|a, b| a.sounds.cmp(&b.sounds));
        for at in 1..units.len() {
            let both = units[at - 1].sounds.iter().zip(&units[at].sounds);
            units[at].shared = both.take_while(|(a, b)| a == b).count();
        }
        let units: Units = units.into();
        if followers.kept > MOST_KEPT {
            *followers = Followers::default();
        }
        followers.kept += units.len();
        followers.units.insert(state, Arc::clone(&units));
        units
    }

    /// The words that may follow a state, each with the blank behind it where another word can follow.
    fn words_from(&mut self, state: SayableState, speech: Speech) -> Vec<Unit> {
        let mut words: Vec<Unit> = Vec::new();
        let mut open = vec![(state, String::new())];
        while let Some((at, word)) = open.pop() {
            if words.len() >= MOST_WORDS {
                break;
            }
            if !word.is_empty() {
                let (behind, accepts) = (self.step(at, ' '), self.accepts(at));
                if behind.is_some() || accepts {
                    let sounds: Box<[Sound]> = speech.sounds(&word).into();
                    let ways = behind.map(|to| (format!("{word} "), to, false));
                    let ways = ways.into_iter().chain(accepts.then(|| (word.clone(), at, true)));
                    words.extend(ways.map(|(text, to, ends)| Unit {
                        text: text.into(),
                        sounds: sounds.clone(),
                        shared: 0,
                        to: Some(to),
                        ends,
                    }));
                }
            }
            if word.len() >= LONGEST_WORD {
                continue;
            }
            for c in self.next(at).to_vec() {
                if c == ' ' || c.is_ascii_digit() {
                    continue;
                }
                if let Some(to) = self.step(at, c) {
                    open.push((to, format!("{word}{c}")));
                }
            }
        }
        // Where a blank may be left out the words are as well said one by one: thirtypercent.
        let whole: HashMap<&str, SayableState> = words
            .iter()
            .filter(|unit| !unit.ends)
            .filter_map(|unit| Some((unit.text.trim(), unit.to?)))
            .collect();
        let glued: Vec<bool> = words
            .iter()
            .map(|unit| {
                let word = unit.text.trim();
                let cuts = word.char_indices().skip(1).map(|(at, _)| word.split_at(at));
                cuts.filter_map(|(first, rest)| Some((*whole.get(first)?, rest))).any(
                    |(behind, rest)| !self.is_open(behind) && self.after(behind, rest).is_some(),
                )
            })
            .collect();
        let mut glued = glued.into_iter();
        words.retain(|_| !glued.next().unwrap_or(false));
        words
    }

    /// The state after all of a text.
    fn after(&mut self, state: SayableState, text: &str) -> Option<SayableState> {
        text.chars().try_fold(state, |state, c| self.step(state, c))
    }
}

/// The distances for each sound of a unit: the next one keeps those that it shares.
#[derive(Default)]
struct Table {
    rows: Vec<f32>,
    width: usize,
}

impl Table {
    fn begin(&mut self, row: &[f32]) {
        self.width = row.len();
        self.rows.clear();
        self.rows.extend_from_slice(row);
    }

    /// The row behind all sounds, of which `shared` are those of the unit before.
    fn row(&mut self, heard: &Heard, sounds: &[Sound], shared: usize) -> &[f32] {
        let width = self.width;
        let known = (shared + 1).min(self.rows.len() / width);
        self.rows.resize(width * (sounds.len() + 1), 0.0);
        for (at, sound) in sounds.iter().enumerate().skip(known - 1) {
            let (above, row) = self.rows.split_at_mut((at + 1) * width);
            heard.row(*sound, &above[at * width..], &mut row[..width]);
        }
        &self.rows[width * sounds.len()..]
    }
}

/// What a sound still to be explained is expected to cost, as a part of its gap: so that a sentence that has
/// come far is followed before one that has hardly begun. English sounds are nearer to each other than
/// Chinese syllables, and its sentences longer.
fn expected(speech: Speech) -> f32 {
    match speech {
        Speech::English => 0.4,
        Speech::Chinese => 0.3,
    }
}

fn text_of(steps: &[Step], mut at: u32) -> String {
    let mut said = Vec::new();
    while let Some(Step { before, said: Some((units, index)), .. }) = steps.get(at as usize) {
        said.push(&*units[*index].text);
        at = *before;
    }
    said.into_iter().rev().collect::<String>().trim().to_owned()
}
