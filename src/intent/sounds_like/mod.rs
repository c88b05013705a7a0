//! What a sentence that matches nothing may have been: words and names that sound like it.
//!
//! [`SoundsLike`] knows how everything sounds that the sentences of a language and the names of a
//! home hold. [`SoundsLike::repairs`] puts what sounds like a part of the sentence in its place,
//! the nearest first, and keeps what then has a meaning. Pronunciation counts and not spelling:
//! 走狼灯 is 走廊灯, "keychain lights" are the kitchen's.

mod chinese;
mod english;
mod search;
mod vocabulary;

use std::collections::HashMap;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::words::{fold, is_punctuation, normalise_sentence};
use search::{Edge, Paths};
use vocabulary::Vocabulary;

/// Longer sentences are not repaired: a command is short.
const MAX_TOKENS: usize = 24;
/// Fragments for one part of a sentence.
const MAX_EDGES: usize = 8;
/// What a replacement costs beside its distance, so that fewer are better, in sounds.
const REPLACING: f32 = 0.08;
/// What a word costs that no sentence and no name holds, in sounds.
const UNKNOWN: f32 = 1.2;
/// A part of a sentence with a larger distance, by its length, is something else.
const FARTHEST: f32 = 0.42;
/// Sentences that are tried.
const MAX_TRIES: usize = 150;
/// How much farther the second of two readings may be for both to be possible.
pub(super) const TIE: f32 = 0.05;

/// How a sentence was mended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repaired {
    /// What was heard.
    pub from: String,
    /// What it was taken for.
    pub to: String,
    /// How far the one sounds from the other: 0 is the same, 1 something else.
    pub cost: f32,
}

/// A possible repair with what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair<T> {
    /// What was changed.
    pub repaired: Repaired,
    /// What it means.
    pub meaning: T,
}

/// How sounds are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    English,
    Chinese,
}

/// One sound: a phoneme of English, or the readings of a Chinese character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sound([u16; 3]);

impl Sound {
    fn of(readings: &[u16]) -> Option<Self> {
        let first = *readings.first()?;
        let at = |index: usize| readings.get(index).copied().unwrap_or(first);
        Some(Self([first, at(1), at(2)]))
    }
}

impl Speech {
    fn of(language: &str) -> Option<Self> {
        match language.split(['-', '_']).next().unwrap_or_default() {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    fn sounds(self, token: &str) -> Vec<Sound> {
        match self {
            Self::English => english::sounds(token).iter().map(|one| Sound([*one; 3])).collect(),
            Self::Chinese => {
                token.chars().filter_map(|c| Sound::of(&chinese::readings(fold(c)))).collect()
            }
        }
    }

    /// What is said as one: words, or characters.
    fn tokens(self, text: &str) -> Vec<String> {
        let chars = normalise_sentence(text);
        let text: String =
            chars.into_iter().map(|c| if is_punctuation(c) && c != '.' { ' ' } else { c }).collect();
        match self {
            Self::English => text.replace('-', " ").split_whitespace().map(str::to_owned).collect(),
            Self::Chinese => {
                let mut tokens: Vec<String> = Vec::new();
                let mut glued = false;
                for c in text.chars() {
                    let joins = c.is_ascii_alphanumeric() || c == '.';
                    match tokens.last_mut() {
                        Some(last) if joins && glued => last.push(c),
                        _ if c.is_whitespace() => {}
                        _ => tokens.push(c.to_string()),
                    }
                    glued = joins;
                }
                tokens
            }
        }
    }

    fn join(self) -> &'static str {
        match self {
            Self::English => " ",
            Self::Chinese => "",
        }
    }

    fn gap(self, sound: Sound) -> f32 {
        match self {
            Self::English => english::gap(sound.0[0]),
            Self::Chinese => 0.9,
        }
    }

    fn between(self, a: Sound, b: Sound) -> f32 {
        match self {
            Self::English => english::between(a.0[0], b.0[0]),
            Self::Chinese => {
                let each = a.0.iter().flat_map(|a| b.0.iter().map(|b| chinese::between(*a, *b)));
                each.fold(1.0, f32::min)
            }
        }
    }

    /// The length that counts for a replacement at least, in sounds.
    fn least(self) -> f32 {
        match self {
            Self::English => 4.0,
            Self::Chinese => 2.0,
        }
    }

    /// The most tokens of a sentence that are heard for one fragment.
    fn longest_span(self) -> usize {
        match self {
            Self::English => 5,
            Self::Chinese => 8,
        }
    }

    /// The distance of two runs of sounds; `None` when it is more than `limit`.
    fn distance(self, a: &[Sound], b: &[Sound], limit: f32) -> Option<f32> {
        let mut row: Vec<f32> = Vec::with_capacity(b.len() + 1);
        row.push(0.0);
        for sound in b {
            row.push(row[row.len() - 1] + self.gap(*sound));
        }
        for one in a {
            let gap = self.gap(*one);
            let mut diagonal = row[0];
            row[0] += gap;
            let mut least = row[0];
            for (index, other) in b.iter().enumerate() {
                let swapped = diagonal + self.between(*one, *other);
                diagonal = row[index + 1];
                let missed = (diagonal + gap).min(row[index] + self.gap(*other));
                row[index + 1] = swapped.min(missed);
                least = least.min(row[index + 1]);
            }
            if least > limit {
                return None;
            }
        }
        row.last().copied().filter(|distance| *distance <= limit)
    }
}

/// Words that can stand in a sentence together.
#[derive(Debug)]
struct Fragment {
    text: String,
    sounds: Vec<Sound>,
}

/// Everything that can be said in a home, by how it sounds.
///
/// ```
/// use hearken::intent::{Engine, Language, Name, Names, SoundsLike};
/// use serde_json::Map;
///
/// let language = Language::from_yaml(
///     "language: zh-CN\nsettings: { ignore_whitespace: true }\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['打开{name}']",
///     "example.yaml",
/// )?;
/// let names = Names { entities: vec![Name::new("客厅灯")], ..Names::default() };
/// let engine = Engine::new(&language, &names)?;
/// let sounds = SoundsLike::new(&[&engine]).unwrap();
/// let repairs = sounds.repairs("打开客听等", |text| engine.recognize(text, &Map::new()));
/// assert_eq!(repairs[0].repaired.to, "打开客厅灯");
/// assert_eq!(repairs[0].meaning.slots["name"], "客厅灯");
/// # Ok::<(), hearken::intent::IntentError>(())
/// ```
#[derive(Debug)]
pub struct SoundsLike {
    speech: Speech,
    fragments: Vec<Fragment>,
    /// Fragments by how many sounds they have.
    by_length: Vec<Vec<u32>>,
    /// The tokens that sentences and names hold, without letter case.
    known: HashSet<String>,
}

impl SoundsLike {
    /// Learns how the sentences and names of these engines sound. `None` for a language whose
    /// pronunciation is not known: any but English and Chinese.
    #[must_use]
    pub fn new(engines: &[&Engine]) -> Option<Self> {
        let speech = Speech::of(engines.first()?.language().code())?;
        let mut vocabulary = Vocabulary::default();
        for engine in engines {
            vocabulary.add(engine, speech == Speech::Chinese);
        }
        let mut fragments: Vec<Fragment> = Vec::new();
        let mut known = HashSet::new();
        let mut heard: HashMap<String, Vec<Sound>> = HashMap::new();
        for text in vocabulary.phrases {
            let tokens = speech.tokens(&text);
            let mut sounds = Vec::new();
            for token in &tokens {
                let token: String = token.chars().map(fold).collect();
                let own = heard.entry(token.clone()).or_insert_with(|| speech.sounds(&token));
                sounds.extend_from_slice(own);
                known.insert(token);
            }
            if !sounds.is_empty() && tokens.len() <= speech.longest_span() {
                fragments.push(Fragment { text: tokens.join(speech.join()), sounds });
            }
        }
        let longest = fragments.iter().map(|one| one.sounds.len()).max().unwrap_or(0);
        let mut by_length = vec![Vec::new(); longest + 1];
        for (index, fragment) in fragments.iter().enumerate() {
            by_length[fragment.sounds.len()].push(index as u32);
        }
        Some(Self { speech, fragments, by_length, known })
    }

    /// Sentences that sound like this one and that `meaning` makes something of: the nearest one,
    /// and others with another meaning that are hardly farther. Empty when there are none.
    pub fn repairs<T: PartialEq>(
        &self,
        text: &str,
        mut meaning: impl FnMut(&str) -> Option<T>,
    ) -> Vec<Repair<T>> {
        let tokens = self.speech.tokens(text);
        if tokens.is_empty() || tokens.len() > MAX_TOKENS {
            return Vec::new();
        }
        let mut found: Vec<Repair<T>> = Vec::new();
        let edges = self.edges(&tokens);
        let heard = tokens.join(self.speech.join());
        let mut paths = Paths::new(&tokens, &edges, self.speech.join(), |fragment| {
            self.fragments[fragment as usize].text.as_str()
        });
        let mut tries = 0;
        while let Some(path) = paths.next() {
            tries += 1;
            if tries > MAX_TRIES {
                break;
            }
            let cost = path.cost(self.speech.least());
            if found.first().is_some_and(|first| cost > first.repaired.cost + TIE) {
                // Paths come by their whole distance, so a later one may still be near.
                if tries > MAX_TRIES / 2 {
                    break;
                }
                continue;
            }
            if path.replaced == 0.0 || path.text == heard {
                continue;
            }
            let Some(meaning) = meaning(&path.text) else { continue };
            if found.iter().all(|other| other.meaning != meaning) {
                let repaired = Repaired { from: text.trim().to_owned(), to: path.text, cost };
                found.push(Repair { repaired, meaning });
            }
        }
        found.sort_by(|a, b| a.repaired.cost.total_cmp(&b.repaired.cost));
        let least = found.first().map_or(0.0, |first| first.repaired.cost);
        found.retain(|repair| repair.repaired.cost <= least + TIE);
        found
    }

    /// What may stand in place of each part of the sentence, by the token it begins with.
    fn edges(&self, tokens: &[String]) -> Vec<Vec<Edge>> {
        let mut sounds: Vec<Sound> = Vec::new();
        let mut starts = vec![0];
        for token in tokens {
            sounds.extend(self.speech.sounds(token));
            starts.push(sounds.len());
        }
        let mut edges: Vec<Vec<Edge>> = Vec::with_capacity(tokens.len());
        for from in 0..tokens.len() {
            let folded: String = tokens[from].chars().map(fold).collect();
            let free = self.known.contains(&folded) || folded.chars().any(|c| c.is_ascii_digit());
            let mut here = vec![Edge {
                to: from + 1,
                fragment: None,
                order: if free { 0.0 } else { UNKNOWN },
                distance: 0.0,
                length: 0.0,
            }];
            let last = tokens.len().min(from + self.speech.longest_span());
            for to in from + 1..=last {
                let span = &sounds[starts[from]..starts[to]];
                if !span.is_empty() {
                    self.near(span, to, &mut here);
                }
            }
            edges.push(here);
        }
        edges
    }

    /// Adds the fragments that sound most like `span`.
    fn near(&self, span: &[Sound], to: usize, edges: &mut Vec<Edge>) {
        let length = span.len() as f32;
        let shortest = (length * 0.5).floor() as usize;
        let longest = ((length * 1.7).ceil() as usize).min(self.by_length.len().saturating_sub(1));
        let mut found: Vec<Edge> = Vec::new();
        for size in shortest.max(1)..=longest {
            let mean = length.max(size as f32);
            let limit = FARTHEST * mean;
            for index in &self.by_length[size] {
                let fragment = &self.fragments[*index as usize];
                if let Some(distance) = self.speech.distance(span, &fragment.sounds, limit) {
                    found.push(Edge {
                        to,
                        fragment: Some(*index),
                        order: distance + REPLACING,
                        distance,
                        length: mean,
                    });
                }
            }
        }
        found.sort_by(|a, b| a.order.total_cmp(&b.order));
        found.truncate(MAX_EDGES);
        edges.extend(found);
    }
}

#[cfg(test)]
mod tests;
