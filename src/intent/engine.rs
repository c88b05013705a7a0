//! The engine: all readings of a sentence by all templates, and the choice among them.

mod explain;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::choice::{Choice, Reader, Reading, Session};
use super::context::{allows, excludes_nothing};
use super::grammar::{Grammar, Sentence};
use super::lists::List;
use super::matcher::{Home, MAX_STEPS, Matcher, State};
use super::names::Names;
use super::prefilter::Present;
use super::sentences::Language;
use super::text::Text;
use super::words::{Where, cut_blanks, normalise_sentence};
use super::{IntentError, Meaning};

pub use explain::{Explanation, Lost, Weighed};

/// Longer sentences are not understood: nobody says them in one breath.
const MAX_CHARS: usize = 1_000;

/// Understands the sentences of one language in one home.
///
/// ```
/// use hearken::intent::{Engine, Language, Name, Names};
/// use serde_json::Map;
///
/// let language = Language::from_yaml(
///     "language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['turn on [the] {name}']",
///     "example.yaml",
/// )?;
/// let names = Names { entities: vec![Name::new("Kitchen Lamp")], ..Names::default() };
/// let engine = Engine::new(&language, &names)?;
/// let meaning = engine.recognize("Turn on the kitchen lamp!", &Map::new()).unwrap();
/// assert_eq!(meaning.intent, "HassTurnOn");
/// assert_eq!(meaning.slots["name"], "Kitchen Lamp");
/// # Ok::<(), hearken::intent::IntentError>(())
/// ```
///
/// Cheap to clone: what it is made of is shared.
#[derive(Debug, Clone)]
pub struct Engine {
    language: Language,
    home: Arc<Home>,
    /// Which text each sentence is matched against.
    texts: Arc<[TextKind]>,
}

/// Which skip words stay in the text for a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextKind {
    /// None.
    Plain,
    /// All: the template is one wildcard.
    Whole,
    /// Those in front: the template begins with a wildcard.
    KeepStart,
    /// Those behind: the template ends with a wildcard.
    KeepEnd,
}

impl Engine {
    /// Joins a language and the names of a home. Costs little beside the names themselves, so
    /// make a new engine whenever a name changes.
    ///
    /// # Errors
    ///
    /// [`IntentError::Name`] for a name that is a malformed template, [`IntentError::MissingList`]
    /// for a list that sentences use but nobody defines.
    pub fn new(language: &Language, names: &Names) -> Result<Self, IntentError> {
        let grammar = &language.grammar;
        let home = names.compile(grammar)?;
        if let Some(index) = (0..grammar.named_lists.len() as u32)
            .find(|index| home.named(grammar, *index).is_none())
        {
            return Err(IntentError::MissingList {
                language: grammar.language.clone(),
                list: grammar.named_lists[index as usize].0.clone(),
            });
        }
        let wildcard = |list: Option<u32>| {
            list.is_some_and(|id| matches!(home.named(grammar, id), Some(List::Wildcard)))
        };
        let kind = |sentence: &Sentence| match sentence.parts {
            1 if wildcard(sentence.first) => TextKind::Whole,
            2.. if wildcard(sentence.first) => TextKind::KeepStart,
            2.. if wildcard(sentence.last) => TextKind::KeepEnd,
            _ => TextKind::Plain,
        };
        let texts = grammar.sentences.iter().map(kind).collect();
        Ok(Self { language: language.clone(), home: Arc::new(home), texts })
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// The language that is understood.
    #[must_use]
    pub fn language(&self) -> &Language {
        &self.language
    }

    /// What a sentence means, or `None` when no template matches it.
    ///
    /// `context` is what is known besides: `area` of the satellite, above all.
    #[must_use]
    pub fn recognize(&self, text: &str, context: &Map<String, Value>) -> Option<Meaning> {
        let mut choice = Choice::default();
        let session =
            self.readings(text, context, |grammar, reading| choice.offer(grammar, reading))?;
        choice.best.map(|best| session.meaning(&best))
    }

    /// Everything that a sentence may mean, best first, each meaning once; at most `limit`.
    #[must_use]
    pub fn all(&self, text: &str, context: &Map<String, Value>, limit: usize) -> Vec<Meaning> {
        let mut readings: Vec<Reading> = Vec::new();
        let session = self.readings(text, context, |_, reading| readings.push(reading));
        let Some(session) = session else { return Vec::new() };
        let grammar = &self.language.grammar;
        readings.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| a.compare(b, grammar)));
        let mut meanings: Vec<Meaning> = Vec::new();
        for reading in readings {
            if meanings.len() >= limit {
                break;
            }
            let meaning = session.meaning(&reading);
            let known =
                |other: &Meaning| other.intent == meaning.intent && other.slots == meaning.slots;
            if !meanings.iter().any(known) {
                meanings.push(meaning);
            }
        }
        meanings
    }

    /// Calls `found` for every complete reading, in hassil's order.
    fn readings<'a>(
        &'a self,
        text: &str,
        context: &'a Map<String, Value>,
        mut found: impl FnMut(&Grammar, Reading),
    ) -> Option<Session<'a>> {
        let grammar: &'a Grammar = &self.language.grammar;
        if text.len() > MAX_CHARS * 4 {
            return None;
        }
        let sentence = normalise_sentence(text);
        if sentence.is_empty() || sentence.len() > MAX_CHARS {
            return None;
        }
        let texts = Texts::new(&sentence, grammar);
        let present = texts.scan(grammar);
        let mut matcher =
            Matcher::new(grammar, &self.home, &texts.texts[0], grammar.blocks.first()?);
        let reader = Reader { grammar, home: &self.home, texts: &texts.texts, context };
        let mut allowed: Vec<Option<bool>> = vec![None; grammar.blocks.len()];
        let mut states: Vec<State> = Vec::new();
        for (index, sentence) in grammar.sentences.iter().enumerate() {
            if !present.satisfies(&sentence.clauses) {
                continue;
            }
            let block = &grammar.blocks[sentence.block as usize];
            let possible = *allowed[sentence.block as usize].get_or_insert_with(|| {
                let keyword = block.keywords.as_ref().is_none_or(|words| texts.has_any(words));
                keyword
                    && allows(&block.requires, |key| context.get(key))
                    && excludes_nothing(&block.excludes, |key| context.get(key))
            });
            if !possible {
                continue;
            }
            for &text in texts.candidates(self.texts[index]) {
                states.clear();
                matcher.matches(
                    sentence.root,
                    block,
                    (text as u32, &texts.texts[text]),
                    &mut states,
                );
                for state in &states {
                    if let Some(reading) = reader.complete(&matcher, index, text, *state) {
                        found(grammar, reading);
                    }
                }
            }
            if matcher.is_exhausted() {
                tracing::debug!(steps = MAX_STEPS, "a sentence took too many steps");
                break;
            }
        }
        let links = matcher.into_links();
        Some(Session { grammar, home: &self.home, context, links, texts: texts.texts })
    }
}

/// The sentence with and without its skip words.
struct Texts {
    texts: Vec<Text>,
    /// The words of the text without skip words.
    words: Vec<String>,
    plain: Vec<usize>,
    whole: [usize; 1],
    keep_start: Vec<usize>,
    keep_end: Vec<usize>,
}

impl Texts {
    fn new(sentence: &[char], grammar: &Grammar) -> Self {
        let glued = grammar.ignore_whitespace;
        let skip = &grammar.skip_words;
        let ready = |text: &[char]| {
            if glued {
                return cut_blanks(text);
            }
            // A blank ends the last word.
            let mut text = text.to_vec();
            text.push(' ');
            text
        };
        let without = skip.remove(sentence, Where::Anywhere);
        let words = without
            .split(|c| c.is_whitespace())
            .filter(|word| !word.is_empty())
            .map(|word| word.iter().collect())
            .collect();
        let mut forms = vec![ready(&without)];
        let mut texts = vec![Text::new(forms[0].clone(), glued)];
        let mut add = |form: Vec<char>| {
            forms.iter().position(|known| *known == form).unwrap_or_else(|| {
                texts.push(Text::new(form.clone(), glued));
                forms.push(form);
                forms.len() - 1
            })
        };
        let (mut plain, mut keep_start, mut keep_end) = (vec![0], vec![0], vec![0]);
        if without != sentence {
            // What was really said comes first: a skip word may belong to a template.
            let with = add(ready(sentence));
            plain = vec![with, 0];
            let choose = |text: usize| if text == 0 { vec![with, 0] } else { vec![text] };
            keep_start = choose(add(ready(&skip.remove(sentence, Where::End))));
            keep_end = choose(add(ready(&skip.remove(sentence, Where::Start))));
        }
        let whole = [add(sentence.to_vec())];
        Self { texts, words, plain, whole, keep_start, keep_end }
    }

    fn candidates(&self, kind: TextKind) -> &[usize] {
        match kind {
            TextKind::Plain => &self.plain,
            TextKind::Whole => &self.whole,
            TextKind::KeepStart => &self.keep_start,
            TextKind::KeepEnd => &self.keep_end,
        }
    }

    /// The fragments that the texts with and without skip words hold.
    fn scan(&self, grammar: &Grammar) -> Present {
        let mut present = Present::default();
        for text in &self.plain {
            grammar.prefilter.scan(self.texts[*text].folded(), &mut present);
        }
        present
    }

    fn has_any(&self, words: &HashSet<String>) -> bool {
        self.words.iter().any(|word| words.contains(word))
    }
}
