//! Commands of a domain of one's own: a grammar, a recogniser, and nothing else.

use serde::Serialize;
use serde_json::{Map, Value};

use super::grammar::weigh_sound;
use super::grammar_of;
use crate::asr::AsrError;
use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Transcript;
use crate::intent::Engine;
use crate::intent::Sayable;

/// What was said, as a command of the domain or freely.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Command {
    /// The intent; `None` when what was said is no command.
    pub intent: Option<String>,
    /// The slots by name, in the words of the grammar.
    pub slots: Map<String, Value>,
    /// How sure it is that the command was said, 0 to 1; 0 without a command.
    pub confidence: f32,
    /// The command in the words of the grammar; empty without one.
    pub text: String,
    /// What was heard without regard to the grammar.
    pub free_text: String,
}

/// Recognises the commands of a grammar in recordings of one utterance.
pub struct DomainRecognizer {
    recognizer: Box<dyn Recognizer>,
    engine: Engine,
    threshold: f32,
}

impl DomainRecognizer {
    /// A recogniser that listens for what `engine` understands. A command that is less sure than
    /// `threshold` (0 to 1) counts as none.
    #[must_use]
    pub fn new(mut recognizer: Box<dyn Recognizer>, engine: Engine, threshold: f32) -> Self {
        let language = engine.language().code().to_owned();
        recognizer.constrain(&language, Some(grammar_of(Sayable::new(&[&engine]))));
        Self { recognizer, engine, threshold }
    }

    /// What was said in mono samples at 16 kHz.
    ///
    /// # Errors
    /// When the recogniser fails.
    pub fn recognize(&mut self, audio: &[f32]) -> Result<Command, AsrError> {
        let mut heard = Transcript::default();
        self.recognizer.transcribe(audio, &|| false, &mut |hypothesis| {
            if let Hypothesis::Final(transcript) = hypothesis {
                heard = transcript;
            }
        })?;
        weigh_sound(&mut heard);
        let nothing = Command {
            intent: None,
            slots: Map::new(),
            confidence: 0.0,
            text: String::new(),
            free_text: heard.text.clone(),
        };
        for reading in &heard.readings {
            let meaning = self.engine.recognize(&reading.text, &Map::new());
            if let Some(meaning) = meaning.filter(|_| reading.confidence >= self.threshold) {
                return Ok(Command {
                    intent: Some(meaning.intent),
                    slots: meaning.slots,
                    confidence: reading.confidence,
                    text: reading.text.clone(),
                    ..nothing
                });
            }
        }
        Ok(nothing)
    }
}
