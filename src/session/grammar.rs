//! What the recogniser listens for: the sentences of the home, and when one of them counts.

use super::DialogueHandle;
use crate::asr::Grammar;
use crate::asr::Recognizer;
use crate::asr::Transcript;
use crate::dialogue::Completeness;
use crate::dialogue::Dialogue;
use crate::intent::Sayable;

/// A sentence of the home that is less sure than this does not count for what was heard freely.
const SURE: f32 = 0.5;

/// The home's sentences, for the recogniser.
struct HomeSentences(Sayable);

impl Grammar for HomeSentences {
    fn start(&self) -> u32 {
        self.0.start().into()
    }

    fn step(&mut self, state: u32, c: char) -> Option<u32> {
        self.0.step(state.into(), c).map(u32::from)
    }

    fn next(&mut self, state: u32) -> Vec<char> {
        self.0.next(state.into()).to_vec()
    }

    fn accepts(&mut self, state: u32) -> bool {
        self.0.accepts(state.into())
    }

    fn is_open(&self, state: u32) -> bool {
        self.0.is_open(state.into())
    }

    fn spoken(&mut self, text: &str) -> Option<String> {
        self.0.spoken(text)
    }

    fn tidy(&mut self) -> bool {
        self.0.tidy()
    }
}

/// A grammar for a recogniser, from sentences.
#[must_use]
pub fn grammar_of(sayable: Sayable) -> Box<dyn Grammar> {
    Box::new(HomeSentences(sayable))
}

/// Has a recogniser listen for what can be said in a home.
pub(super) fn listen_for(recognizer: &mut dyn Recognizer, dialogue: &Dialogue) {
    let languages: Vec<String> = dialogue.languages().map(str::to_owned).collect();
    for language in languages {
        let sayable = dialogue.sayable(&language);
        recognizer.constrain(&language, sayable.map(grammar_of));
    }
}

/// Puts the sentence of the home in place of what was heard freely, where the words mean nothing as
/// they are and one of the home's sentences fits the sound.
pub(super) fn settle(
    transcript: &mut Transcript,
    dialogue: &mut DialogueHandle,
    area: Option<&str>,
) {
    if transcript.readings.is_empty() || dialogue.is_asking() {
        return;
    }
    let language = transcript.language.clone();
    if dialogue.completeness(&transcript.text, &language, area) == Completeness::Complete {
        return;
    }
    let home = dialogue.lock();
    let sure = transcript.readings.iter().take_while(|reading| reading.confidence >= SURE);
    let mut fitting = sure.filter(|reading| home.is_command(&reading.text, &language, area));
    if let Some(text) = fitting.next().map(|reading| reading.text.clone()) {
        transcript.heard = Some(std::mem::replace(&mut transcript.text, text));
    }
}
