//! What was meant: sentence templates matched against the words.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a sentence means: an intent with its slots.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Meaning {
    /// The intent's name, such as `HassTurnOn`.
    pub intent: String,
    /// Slot values by name: strings, or numbers from ranges.
    pub slots: Map<String, Value>,
    /// The words that each slot was read from.
    pub texts: Map<String, Value>,
    /// Which of the intent's responses answers it.
    pub response_key: String,
    /// How much of the sentence is fixed words of the template, in characters.
    pub literal_chars: usize,
}
