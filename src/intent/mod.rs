//! What was meant: sentence templates matched against the words.
//!
//! The templates are Home Assistant's, with the semantics of its engine hassil: [`Language`] loads
//! them, [`Names`] says what a home has, and [`Engine`] finds all readings of a sentence and
//! chooses one.

mod choice;
mod compile;
mod context;
mod engine;
mod expressions;
mod grammar;
mod hash;
mod lists;
mod matcher;
mod names;
mod prefilter;
mod sample;
mod sayable;
mod sentences;
mod sounds_like;
mod spellout;
mod tag;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod trie;
mod values;
mod words;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use engine::{Engine, Explanation, Lost, Weighed};
pub use names::{Name, Names, is_template};
pub use sample::{Sample, Sampler};
pub use sayable::{Sayable, SayableState};
pub use sentences::Language;
pub use sounds_like::{Repair, Repaired, SoundsLike, sound_distance};
pub use tag::closest_tag;

/// What a sentence means: an intent with its slots.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Meaning {
    /// The intent's name, such as `HassTurnOn`.
    pub intent: String,
    /// Slot values by name: strings, or numbers from ranges.
    pub slots: Map<String, Value>,
    /// The words that each slot was read from; slots that no words stand for are absent.
    pub texts: Map<String, Value>,
    /// Which of the intent's responses answers it.
    pub response_key: String,
    /// How much of the sentence is fixed words of the template, in characters.
    pub literal_chars: usize,
    /// How many slots hold free words (wildcards): fewer make a surer reading.
    pub wildcards: usize,
    /// How much of the sentence is free words, in characters.
    pub wildcard_chars: usize,
    /// Words captured for the response only (`{list:@name}`).
    pub captures: Map<String, Value>,
    /// What is known: the caller's context with what the named things bring along, such as
    /// `domain`.
    pub context: Map<String, Value>,
    /// The metadata of the block of sentences.
    pub metadata: Map<String, Value>,
    /// Whether a user's own sentence matched.
    pub custom: bool,
    /// The template that matched.
    pub template: String,
}

/// Why sentences cannot be understood at all. Every one is for a person to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntentError {
    /// A file cannot be read, or its layout is wrong. Mend the file.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A template is malformed. Mend it at the column.
    #[error("{file}: {part}: column {column} of {sentence:?}: {reason}")]
    Template {
        /// The file.
        file: String,
        /// The intent, rule or list that the template belongs to.
        part: String,
        /// The template.
        sentence: String,
        /// Where, in characters from 1.
        column: usize,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A name of the home is a malformed template. Rename it, or escape brackets with `\\`.
    #[error("the name {name:?} of the list {{{list}}}: column {column}: {reason}")]
    Name {
        /// The list: `area`, `floor`, `name` or another.
        list: String,
        /// The name.
        name: String,
        /// Where, in characters from 1.
        column: usize,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Sentences refer to a list that neither the files nor the home define. Add it to either.
    #[error(
        "the sentences for {language} use a list {{{list}}} that is not defined: add it to `lists:`"
    )]
    MissingList {
        /// The language.
        language: String,
        /// The list.
        list: String,
    },
}
