//! What can be said in a home, as an automaton over characters: a recogniser asks it which
//! characters may come next and whether a sentence may end here.
//!
//! Sentence templates are a graph with far more paths than could ever be written out, so states
//! are made when somebody comes to them, and kept. A state is the set of places in the templates
//! where the characters read so far can have led; a place within nested rules is a chain of
//! frames, and equal chains are one (a subset construction over a hash-consed pushdown).

mod keys;
mod nearest;
mod places;

use std::collections::HashMap;

use serde_json::Map;

use super::Engine;
use super::hash::Quick;
use super::words::{fold, normalise_text};
use keys::KeySets;
use nearest::Followers;
use places::{Frame, Place, Places, SILENT, Walk};

/// When the states hold more places than this, all are forgotten before the next sentence.
const MAX_PLACES: usize = 2_000_000;
/// Longer sentences are not followed.
const MAX_CHARS: usize = 400;

/// A state of [`Sayable`]. Valid until [`Sayable::tidy`] says that states were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SayableState(u32);

/// Everything that can be said in a home in one language.
///
/// ```
/// use hearken::intent::{Engine, Language, Name, Names, Sayable};
///
/// let language = Language::from_yaml(
///     "language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['turn on [the] {name}']",
///     "example.yaml",
/// )?;
/// let names = Names { entities: vec![Name::new("Lamp"), Name::new("Light")], ..Names::default() };
/// let mut sayable = Sayable::new(&[&Engine::new(&language, &names)?]);
/// let mut state = sayable.start();
/// for c in "turn on the l".chars() {
///     state = sayable.step(state, c).unwrap();
/// }
/// assert_eq!(sayable.next(state), ['a', 'i']);
/// assert!(!sayable.accepts(state));
/// assert_eq!(sayable.spoken("turn on lamp").unwrap(), "turn on Lamp");
/// assert_eq!(sayable.spoken("turn on toast"), None);
/// # Ok::<(), hearken::intent::IntentError>(())
/// ```
#[derive(Debug)]
pub struct Sayable {
    engines: Vec<Engine>,
    frames: Vec<Frame>,
    frame_ids: HashMap<Frame, u32, Quick>,
    keys: KeySets,
    states: Vec<State>,
    state_ids: HashMap<(bool, Box<[Place]>), u32>,
    places: usize,
    /// What may follow each state, by its sound.
    followers: Followers,
}

#[derive(Debug)]
struct State {
    /// The last character was a blank, or there was none yet: a further blank means nothing.
    blank: bool,
    places: Box<[Place]>,
    /// The characters that lead on, in order; made when they are asked for.
    next: Option<Box<[char]>>,
    steps: HashMap<char, Option<u32>, Quick>,
    accepts: Option<bool>,
    /// Free words are being said.
    open: bool,
}

/// Words put out on the way to a place, as a chain.
#[derive(Debug, Clone)]
struct Word {
    text: Said,
    before: u32,
}

#[derive(Debug, Clone)]
enum Said {
    Char(char),
    Text(String),
}

impl Sayable {
    /// What these engines understand.
    #[must_use]
    pub fn new(engines: &[&Engine]) -> Self {
        let mut sayable = Self {
            engines: engines.iter().map(|engine| (*engine).clone()).collect(),
            frames: Vec::new(),
            frame_ids: HashMap::default(),
            keys: KeySets::default(),
            states: Vec::new(),
            state_ids: HashMap::new(),
            places: 0,
            followers: Followers::default(),
        };
        sayable.begin();
        sayable
    }

    /// The language of the sentences, as a tag such as `en` or `zh-CN`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.engines.first().map_or("", |engine| engine.language().code())
    }

    /// The state before anything was said.
    #[must_use]
    pub fn start(&self) -> SayableState {
        SayableState(0)
    }

    /// Forgets the states when there are very many, and says whether it did. To be called between
    /// two sentences.
    pub fn tidy(&mut self) -> bool {
        let full = self.places > MAX_PLACES;
        if full {
            self.begin();
        }
        full
    }

    /// The state after `c`, whatever its letter case; `None` when nothing that can be said goes on
    /// with it.
    pub fn step(&mut self, state: SayableState, c: char) -> Option<SayableState> {
        let c = fold(c);
        if let Some(known) = self.states.get(state.0 as usize)?.steps.get(&c) {
            return known.map(SayableState);
        }
        let from = &self.states[state.0 as usize];
        let places: Vec<(Place, u32)> = from.places.iter().map(|place| (*place, SILENT)).collect();
        let (blank, mut walk) = (from.blank, Walk::new(c == ' '));
        self.advance(&places, blank, c, &mut walk);
        let reached: Vec<Place> = walk.finish().0.into_iter().map(|(place, _)| place).collect();
        let target = (!reached.is_empty()).then(|| self.intern(c == ' ', reached));
        self.states[state.0 as usize].steps.insert(c, target);
        target.map(SayableState)
    }

    /// The characters that can follow, folded and in order. Where free words are said
    /// ([`Sayable::is_open`]) any other may follow as well.
    pub fn next(&mut self, state: SayableState) -> &[char] {
        let Some(at) = self.states.get(state.0 as usize) else { return &[] };
        if at.next.is_none() {
            let mut next = Vec::new();
            for place in &at.places {
                self.heads(*place, at.blank, &mut next);
            }
            next.sort_unstable();
            next.dedup();
            self.states[state.0 as usize].next = Some(next.into());
        }
        self.states[state.0 as usize].next.as_deref().unwrap_or_default()
    }

    /// Whether a sentence may end here.
    pub fn accepts(&mut self, state: SayableState) -> bool {
        let Some(at) = self.states.get(state.0 as usize) else { return false };
        if let Some(known) = at.accepts {
            return known;
        }
        let places: Vec<(Place, u32)> = at.places.iter().map(|place| (*place, SILENT)).collect();
        let accepts = self.ending(&places).is_some();
        self.states[state.0 as usize].accepts = Some(accepts);
        accepts
    }

    /// Whether free words are being said here, so that any character may follow.
    #[must_use]
    pub fn is_open(&self, state: SayableState) -> bool {
        self.states.get(state.0 as usize).is_some_and(|state| state.open)
    }

    /// The sentence as the templates and names have it, with their letter case and their number
    /// words; `None` when it cannot be said. Letter case, and blanks at the ends, do not matter.
    pub fn spoken(&mut self, text: &str) -> Option<String> {
        let text = normalise_text(text);
        let mut words = Vec::new();
        let mut places: Places =
            self.states.first()?.places.iter().map(|place| (*place, SILENT)).collect();
        let mut blank = true;
        for (count, c) in text.trim().chars().map(fold).enumerate() {
            if count >= MAX_CHARS {
                return None;
            }
            let mut walk = Walk::telling(c == ' ', words);
            self.advance(&places, blank, c, &mut walk);
            (places, words) = walk.finish();
            blank = c == ' ';
        }
        let last = self.ending(&places)?;
        Some(read(&words, last))
    }

    /// The first state, with nothing else known.
    fn begin(&mut self) {
        self.frames.clear();
        self.frame_ids.clear();
        self.states.clear();
        self.state_ids.clear();
        self.places = 0;
        self.followers = Followers::default();
        let places = self.beginnings();
        self.intern(true, places);
    }

    fn intern(&mut self, blank: bool, mut places: Vec<Place>) -> u32 {
        places.sort_unstable();
        places.dedup();
        let key = (blank, places.into_boxed_slice());
        if let Some(known) = self.state_ids.get(&key) {
            return *known;
        }
        let id = self.states.len() as u32;
        self.places += key.1.len();
        self.states.push(State {
            blank,
            places: key.1.clone(),
            next: None,
            steps: HashMap::default(),
            accepts: None,
            open: key.1.iter().any(|place| matches!(place, Place::Free { .. })),
        });
        self.state_ids.insert(key, id);
        id
    }

    fn frame(&mut self, frame: Frame) -> u32 {
        if let Some(known) = self.frame_ids.get(&frame) {
            return *known;
        }
        let id = self.frames.len() as u32;
        self.frames.push(frame);
        self.frame_ids.insert(frame, id);
        id
    }
}

/// The words of a chain that ends with `last`.
fn read(words: &[Word], mut last: u32) -> String {
    let mut pieces = Vec::new();
    while let Some(word) = words.get(last as usize) {
        pieces.push(&word.text);
        last = word.before;
    }
    let mut text = String::new();
    for piece in pieces.into_iter().rev() {
        match piece {
            Said::Char(c) => text.push(*c),
            Said::Text(piece) => text.push_str(piece),
        }
    }
    normalise_text(&text).trim().to_owned()
}

impl From<SayableState> for u32 {
    fn from(state: SayableState) -> Self {
        state.0
    }
}

impl From<u32> for SayableState {
    fn from(state: u32) -> Self {
        Self(state)
    }
}

#[cfg(test)]
mod tests;
