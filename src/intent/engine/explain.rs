//! Why a sentence means what it means: every reading, and what decided between them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::super::Meaning;
use super::super::choice::Reading;
use super::super::context::{allows, excludes_nothing};
use super::super::words::normalise_sentence;
use super::{Engine, Texts};

/// How a sentence was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The sentence as it is matched: punctuation and doubled blanks are gone.
    pub sentence: String,
    /// The same without the words that say nothing ("please"), where it has such words.
    pub without_skip_words: Option<String>,
    /// Fixed words of the templates that the sentence holds.
    pub fragments: Vec<String>,
    /// How many templates there are.
    pub templates: usize,
    /// How many of an intent's templates have all the words that they need, and fit the context;
    /// only these are tried.
    pub tried: BTreeMap<String, usize>,
    /// Every reading, the best first.
    pub readings: Vec<Weighed>,
}

/// One reading of a sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weighed {
    /// What it means.
    pub meaning: Meaning,
    /// What made it lose against the best one; `None` for the best one.
    pub lost: Option<Lost>,
}

/// What made a reading lose, in the order in which readings are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lost {
    /// The user's own sentences win.
    NotOwn,
    /// The best one names something longer.
    ShorterName,
    /// The best one has fewer slots of free words.
    MoreWildcards,
    /// The best one has more fixed words.
    FewerFixedWords,
    /// The best one has fewer free words.
    LongerWildcards,
    /// The best one's intent comes first in the alphabet.
    LaterIntent,
    /// The best one's template comes first.
    LaterTemplate,
}

impl Lost {
    /// In words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotOwn => "a sentence of one's own wins",
            Self::ShorterName => "a longer name wins",
            Self::MoreWildcards => "fewer slots of free words win",
            Self::FewerFixedWords => "more fixed words win",
            Self::LongerWildcards => "shorter free words win",
            Self::LaterIntent => "the intent whose name comes first wins",
            Self::LaterTemplate => "the template that comes first wins",
        }
    }
}

impl Engine {
    /// How a sentence is read, with everything that was weighed; at most `limit` readings, each
    /// meaning once.
    #[must_use]
    pub fn explain(&self, text: &str, context: &Map<String, Value>, limit: usize) -> Explanation {
        let grammar = &self.language.grammar;
        let sentence = normalise_sentence(text);
        let texts = Texts::new(&sentence, grammar);
        let mut explanation = Explanation {
            sentence: sentence.iter().collect(),
            without_skip_words: None,
            fragments: Vec::new(),
            templates: grammar.sentences.len(),
            tried: BTreeMap::new(),
            readings: Vec::new(),
        };
        if texts.plain.len() > 1 {
            let plain: String = texts.texts[0].folded().iter().collect();
            explanation.without_skip_words = Some(plain.trim().to_owned());
        }
        for text in &texts.plain {
            for fragment in grammar.prefilter.fragments(texts.texts[*text].folded()) {
                if !explanation.fragments.contains(&fragment) {
                    explanation.fragments.push(fragment);
                }
            }
        }
        let present = texts.scan(grammar);
        for sentence in grammar.sentences.iter().filter(|own| present.satisfies(&own.clauses)) {
            let block = &grammar.blocks[sentence.block as usize];
            if block.keywords.as_ref().is_none_or(|words| texts.has_any(words))
                && allows(&block.requires, |key| context.get(key))
                && excludes_nothing(&block.excludes, |key| context.get(key))
            {
                let intent = grammar.intents[block.intent as usize].clone();
                *explanation.tried.entry(intent).or_default() += 1;
            }
        }
        let mut readings: Vec<Reading> = Vec::new();
        let Some(session) = self.readings(text, context, |_, reading| readings.push(reading))
        else {
            return explanation;
        };
        readings.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| a.compare(b, grammar)));
        let Some(best) = readings.first().copied() else { return explanation };
        for (place, reading) in readings.iter().enumerate() {
            if explanation.readings.len() >= limit {
                break;
            }
            let meaning = session.meaning(reading);
            let known = |other: &Weighed| {
                other.meaning.intent == meaning.intent && other.meaning.slots == meaning.slots
            };
            if !explanation.readings.iter().any(known) {
                let lost = (place > 0).then(|| reading.lost_to(&best));
                explanation.readings.push(Weighed { meaning, lost });
            }
        }
        explanation
    }
}
