//! What a sentence that matches nothing may have been: words and names that sound like it.
//!
//! [`SoundsLike`] knows how everything sounds that the sentences of a language and the names of a
//! home hold. [`SoundsLike::repairs`] puts what sounds like a part of the sentence in its place,
//! the nearest first, and keeps what then has a meaning. Pronunciation counts and not spelling:
//! 走狼灯 is 走廊灯, "keychain lights" are the kitchen's.

mod chinese;
mod english;
mod numbers;
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
const MAX_TRIES: usize = 60;
/// How much farther the second of two readings may be for both to be possible, in sounds.
const TIE: f32 = 0.15;
/// A way is given up when it is farther than this part of the whole sentence, and a sound.
const WORTH: f32 = 0.2;
/// What a reading costs that a character rarely has.
const RARE: f32 = 0.15;

/// How a sentence was mended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repaired {
    /// What was heard.
    pub from: String,
    /// What it was taken for.
    pub to: String,
    /// How far the one sounds from the other: 0 is the same, 1 something else.
    #[serde(serialize_with = "rounded")]
    pub cost: f32,
}

/// A cost as a person reads it, with three digits.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn rounded<S: serde::Serializer>(cost: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((f64::from(*cost) * 1000.0).round() / 1000.0)
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
pub(super) enum Speech {
    English,
    Chinese,
}

/// One sound: a phoneme of English, or the readings of a Chinese character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sound([u16; 3]);

impl Sound {
    fn of(readings: &[u16]) -> Option<Self> {
        let first = *readings.first()?;
        let at = |index: usize| readings.get(index).copied().unwrap_or(first);
        Some(Self([first, at(1), at(2)]))
    }

    /// Whether there is only one reading.
    fn is_plain(self) -> bool {
        self.0[0] == self.0[1] && self.0[0] == self.0[2]
    }
}

impl Speech {
    pub(super) fn of(language: &str) -> Option<Self> {
        match language.split(['-', '_']).next().unwrap_or_default() {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    pub(super) fn sounds(self, token: &str) -> Vec<Sound> {
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
        let text: String = chars
            .into_iter()
            .map(|c| if is_punctuation(c) && c != '.' { ' ' } else { c })
            .collect();
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

    /// Whether words have blanks between them.
    pub(super) fn joins_with_blanks(self) -> bool {
        self == Self::English
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
                let mut least = chinese::between(a.0[0], b.0[0]);
                if least == 0.0 || (a.is_plain() && b.is_plain()) {
                    return least;
                }
                for (i, one) in a.0.iter().enumerate() {
                    for (j, other) in b.0.iter().enumerate().filter(|(j, _)| i + j > 0) {
                        let rare = RARE * (f32::from(i > 0) + f32::from(j > 0));
                        least = least.min(chinese::between(*one, *other) + rare);
                    }
                }
                least
            }
        }
    }

    /// Shorter sentences are not repaired: too much sounds like them.
    fn shortest(self) -> usize {
        match self {
            Self::English => 7,
            Self::Chinese => 3,
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

    /// One more row of the edit distance: from a beginning of a fragment to each beginning of the
    /// span, when `sound` follows. Gives the least of the row.
    fn row(
        self,
        span: &[Sound],
        gaps: &[f32],
        sound: Sound,
        above: &[f32],
        row: &mut [f32],
    ) -> f32 {
        let gap = self.gap(sound);
        row[0] = above[0] + gap;
        let mut least = row[0];
        for (index, other) in span.iter().enumerate() {
            let swapped = above[index] + self.between(*other, sound);
            let missed = (above[index + 1] + gap).min(row[index] + gaps[index]);
            row[index + 1] = swapped.min(missed);
            least = least.min(row[index + 1]);
        }
        least
    }
}

/// How far two texts sound from each other, 0 (the same) to 1 (nothing in common): what it costs to
/// hear the one for the other, sound by sound, by the length of the longer. `None` for a language whose
/// pronunciation is not known: any but English and Chinese.
///
/// ```
/// use hearken::intent::sound_distance;
///
/// let near = sound_distance("turn on the kitchen lied", "turn on the kitchen light", "en").unwrap();
/// let far = sound_distance("a quick brown fox", "turn on the kitchen light", "en").unwrap();
/// assert!(near < 0.1 && far > 0.5, "{near} {far}");
/// assert_eq!(sound_distance("走狼", "走廊", "zh"), Some(0.0));
/// ```
#[must_use]
pub fn sound_distance(one: &str, other: &str, language: &str) -> Option<f32> {
    let speech = Speech::of(language)?;
    let (one, other) = (Heard::new(speech, one), Heard::new(speech, other));
    let length = |heard: &Heard| heard.gaps.iter().sum::<f32>();
    let longer = length(&one).max(length(&other));
    if longer <= 0.0 {
        return Some(0.0);
    }
    let mut nothing = vec![0.0];
    for gap in &one.gaps {
        nothing.push(nothing.last().copied().unwrap_or(0.0) + gap);
    }
    let mut row = Vec::new();
    one.rows(&nothing, &other.sounds, (&mut row, &mut Vec::new()));
    Some((row.last().copied().unwrap_or(0.0) / longer).min(1.0))
}

/// A text by its sounds, with numbers as they are said.
pub(super) struct Heard {
    pub(super) speech: Speech,
    pub(super) sounds: Vec<Sound>,
    /// What it costs to leave each sound out.
    pub(super) gaps: Vec<f32>,
}

impl Heard {
    pub(super) fn new(speech: Speech, text: &str) -> Self {
        let tokens = speech.tokens(&numbers::in_words(speech, text));
        let sounds: Vec<Sound> = tokens.iter().flat_map(|token| speech.sounds(token)).collect();
        let gaps = sounds.iter().map(|sound| speech.gap(*sound)).collect();
        Self { speech, sounds, gaps }
    }

    /// The distances from what goes on with `sounds` to each beginning of this text, when those of what
    /// is before them are `before`: in the first of the two buffers.
    pub(super) fn rows(
        &self,
        before: &[f32],
        sounds: &[Sound],
        (above, row): (&mut Vec<f32>, &mut Vec<f32>),
    ) {
        above.clear();
        above.extend_from_slice(before);
        row.resize(before.len(), 0.0);
        for sound in sounds {
            self.row(*sound, above, row);
            std::mem::swap(above, row);
        }
    }

    /// The same for one sound.
    pub(super) fn row(&self, sound: Sound, above: &[f32], row: &mut [f32]) {
        self.speech.row(&self.sounds, &self.gaps, sound, above, row);
    }
}

/// Words that can stand in a sentence together.
#[derive(Debug)]
struct Fragment {
    text: String,
    sounds: Vec<Sound>,
    /// How many sounds it begins with as the one before does.
    shared: usize,
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
    /// By their sounds in order, so that those with one beginning stand together.
    fragments: Vec<Fragment>,
    /// How many sounds the longest has.
    longest: usize,
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
                let text = tokens.join(speech.join());
                fragments.push(Fragment { text, sounds, shared: 0 });
            }
        }
        fragments.sort_by(|a, b| a.sounds.cmp(&b.sounds));
        for index in 1..fragments.len() {
            let pair = fragments[index - 1].sounds.iter().zip(&fragments[index].sounds);
            fragments[index].shared = pair.take_while(|(a, b)| a == b).count();
        }
        let longest = fragments.iter().map(|one| one.sounds.len()).max().unwrap_or(0);
        Some(Self { speech, fragments, longest, known })
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
        let Some((edges, length)) = self.edges(&tokens) else { return Vec::new() };
        let worth = WORTH * length as f32 + 1.0;
        let heard = tokens.join(self.speech.join());
        let mut paths = Paths::new(&tokens, &edges, self.speech.join(), |fragment| {
            self.fragments[fragment as usize].text.as_str()
        });
        let mut nearest = None;
        for _ in 0..MAX_TRIES {
            let Some(path) = paths.next() else { break };
            if path.order > worth || nearest.is_some_and(|nearest| path.order > nearest + TIE) {
                break;
            }
            if path.replaced == 0.0 || path.text == heard {
                continue;
            }
            let Some(meaning) = meaning(&path.text) else { continue };
            nearest = nearest.or(Some(path.order));
            if found.iter().all(|other| other.meaning != meaning) {
                let cost = path.cost(self.speech.least());
                let repaired = Repaired { from: text.trim().to_owned(), to: path.text, cost };
                found.push(Repair { repaired, meaning });
            }
        }
        found
    }

    /// What may stand in place of each part of the sentence, by the token it begins with, and how
    /// many sounds there are; `None` when they are too few.
    fn edges(&self, tokens: &[String]) -> Option<(Vec<Vec<Edge>>, usize)> {
        let mut sounds: Vec<Sound> = Vec::new();
        let mut starts = vec![0];
        for token in tokens {
            sounds.extend(self.speech.sounds(token));
            starts.push(sounds.len());
        }
        if sounds.len() < self.speech.shortest() {
            return None;
        }
        let number = |token: &String| token.chars().any(|c| c.is_ascii_digit());
        let mut edges: Vec<Vec<Edge>> = Vec::with_capacity(tokens.len());
        for from in 0..tokens.len() {
            let folded: String = tokens[from].chars().map(fold).collect();
            let free = self.known.contains(&folded) || number(&tokens[from]);
            let mut here = vec![Edge {
                to: from + 1,
                fragment: None,
                order: if free { 0.0 } else { UNKNOWN },
                distance: 0.0,
                length: 0.0,
            }];
            let last = tokens.len().min(from + self.speech.longest_span());
            // What is written in digits was heard as a number.
            for to in (from + 1..=last).take_while(|to| !number(&tokens[to - 1])) {
                let span = &sounds[starts[from]..starts[to]];
                if !span.is_empty() {
                    self.near(span, to, &mut here);
                }
            }
            edges.push(here);
        }
        Some((edges, sounds.len()))
    }

    /// Adds the fragments that sound most like `span`.
    fn near(&self, span: &[Sound], to: usize, edges: &mut Vec<Edge>) {
        let length = span.len();
        let shortest = (length / 2).max(1);
        let longest = (length * 17).div_ceil(10).min(self.longest);
        let gaps: Vec<f32> = span.iter().map(|sound| self.speech.gap(*sound)).collect();
        // The row for each beginning of the fragment at hand; the next one keeps those it shares.
        let width = length + 1;
        let mut rows = vec![0.0; width * (longest + 1)];
        for index in 0..length {
            rows[index + 1] = rows[index] + gaps[index];
        }
        let farthest = FARTHEST * longest.max(length) as f32;
        let mut depth = 0;
        // Fragments that begin with so many sounds of the one before are as far.
        let mut hopeless = usize::MAX;
        let mut found: Vec<Edge> = Vec::new();
        for (index, fragment) in self.fragments.iter().enumerate() {
            if fragment.shared >= hopeless {
                continue;
            }
            hopeless = usize::MAX;
            depth = fragment.shared.min(depth);
            let size = fragment.sounds.len();
            for (at, sound) in
                fragment.sounds.iter().enumerate().skip(depth).take(longest - depth.min(longest))
            {
                let (above, row) = rows.split_at_mut((at + 1) * width);
                let least =
                    self.speech.row(span, &gaps, *sound, &above[at * width..], &mut row[..width]);
                depth = at + 1;
                if least > farthest {
                    hopeless = depth;
                    break;
                }
            }
            if hopeless != usize::MAX || size < shortest || size > longest {
                continue;
            }
            let distance = rows[size * width + length];
            let mean = length.max(size) as f32;
            if distance <= FARTHEST * mean {
                let order = distance + REPLACING;
                let fragment = Some(index as u32);
                found.push(Edge { to, fragment, order, distance, length: mean });
            }
        }
        found.sort_by(|a, b| a.order.total_cmp(&b.order));
        found.truncate(MAX_EDGES);
        edges.extend(found);
    }
}

#[cfg(test)]
mod tests;
