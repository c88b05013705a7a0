//! What is answered, as the events and `--json` tell it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::home::Action;
use crate::intent::Repaired;

/// What was understood, as the events and `--json` tell it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Understood {
    /// The intent's name, such as `HassTurnOn`.
    pub name: String,
    /// Slot values by name.
    pub slots: Map<String, Value>,
}

/// The answer to one sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reply {
    /// What is said; empty when there is nothing to say.
    pub text: String,
    /// The language of the answer: the tag of the sentences it was understood with.
    pub language: String,
    /// What was understood; null when nothing was.
    pub intent: Option<Understood>,
    /// Which of the intent's responses this is.
    pub response_key: Option<String>,
    /// What was really done, in order.
    pub actions: Vec<Action>,
    /// Why something was not done, such as `no_intent` or `not_answering`; `not_sure`, `confirm` and
    /// `missing` when the answer is a question instead; null when all is well.
    pub error: Option<&'static str>,
    /// The area that was meant, where one was.
    pub area: Option<String>,
    /// How sure the understanding is, from 0 (nothing was understood) to 1.
    #[serde(serialize_with = "rounded")]
    pub score: f32,
    /// How the sentence was mended before it was understood; null when it was not.
    pub repaired: Option<Repaired>,
    /// What else it may mean, or what is asked about.
    pub alternatives: Vec<Alternative>,
    /// Each command of the sentence, also when there is one.
    pub commands: Vec<Command>,
}

/// Another meaning that a sentence may have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alternative {
    /// The sentence as it would then have been said.
    pub text: String,
    /// The intent's name.
    pub intent: String,
    /// Slot values by name.
    pub slots: Map<String, Value>,
    /// How sure it is, from 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub score: f32,
}

/// One command of a sentence, with its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Command {
    /// The sentence that this command was understood from; what others left out is filled in.
    pub text: String,
    /// The intent's name.
    pub intent: String,
    /// Slot values by name.
    pub slots: Map<String, Value>,
    /// What is said about it.
    pub response: String,
    /// Which of the intent's responses that is.
    pub response_key: String,
    /// The area that was meant, where one was.
    pub area: Option<String>,
    /// How sure the understanding is, from 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub score: f32,
    /// How it was mended before it was understood.
    pub repaired: Option<Repaired>,
}

/// A score as a person reads it, with three digits.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn rounded<S: serde::Serializer>(score: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((f64::from(*score) * 1000.0).round() / 1000.0)
}

impl Reply {
    /// An answer that is about no intent.
    pub(super) fn plain(text: String, language: &str) -> Self {
        Self {
            text,
            language: language.into(),
            intent: None,
            response_key: None,
            actions: Vec::new(),
            error: None,
            area: None,
            score: 0.0,
            repaired: None,
            alternatives: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// A question in place of an answer.
    pub(super) fn question(text: String, language: &str, why: &'static str) -> Self {
        Self { error: Some(why), ..Self::plain(text, language) }
    }

    /// Adds the answer to another command of the same sentence.
    pub(super) fn add(&mut self, other: Self, glued: bool) {
        if !other.text.is_empty() && other.text != self.text {
            let end = self.text.ends_with(['.', '。', '!', '！', '?', '？']);
            let gap = match (self.text.is_empty(), glued, end) {
                (true, ..) | (false, true, true) => "",
                (false, true, false) => "，",
                (false, false, true) => " ",
                (false, false, false) => ". ",
            };
            self.text = format!("{}{gap}{}", self.text, other.text);
        }
        self.actions.extend(other.actions);
        self.error = self.error.or(other.error);
        self.score = self.score.min(other.score);
        self.repaired = self.repaired.take().or(other.repaired);
        self.commands.extend(other.commands);
    }
}

impl Command {
    /// The command that a reply answers.
    pub(super) fn of(text: String, reply: &Reply) -> Self {
        let Understood { name, slots } = reply.intent.clone().unwrap_or_default();
        Self {
            text,
            intent: name,
            slots,
            response: reply.text.clone(),
            response_key: reply.response_key.clone().unwrap_or_default(),
            area: reply.area.clone(),
            score: reply.score,
            repaired: reply.repaired.clone(),
        }
    }
}
