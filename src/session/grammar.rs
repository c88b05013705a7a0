//! What the recogniser listens for: the sentences of the home, and when one of them counts.

use super::DialogueHandle;
use crate::asr::AsrError;
use crate::asr::Grammar;
use crate::asr::Reading;
use crate::asr::Recognizer;
use crate::asr::Transcript;
use crate::dialogue::Completeness;
use crate::intent::Sayable;
use crate::intent::sound_distance;

/// A sentence of the home that is less sure than this does not count for what was heard freely.
const SURE: f32 = 0.5;

/// A sentence that sounds as far from the free text as this is neither surer nor less sure for it. Of 47
/// recorded commands one was farther (0.46), of 89 sentences found in unrelated speech one was nearer than
/// 0.65 (0.32, with free words in it).
const NEAR: f32 = 0.35;
/// Sentences that are held against the sound because the free text sounds like them.
const MOST_NEAR: usize = 8;
/// How much the sound counts, in the logarithm of the odds.
const SOUND: f32 = 10.0;

/// How sure it is that a reading was said, 0 to 1, when how it sounds beside the free text counts too: the
/// model's margin holds an odd name against a reading, which is improbable and yet sounds just like what was
/// heard.
#[must_use]
pub fn sure_of(reading: &Reading, heard: &str, language: &str) -> f32 {
    let Some(far) = sound_distance(heard, &reading.text, language) else {
        return reading.confidence;
    };
    let sure = reading.confidence.clamp(1e-4, 1.0 - 1e-4);
    let odds = (sure / (1.0 - sure)).ln() + SOUND * (NEAR - far);
    1.0 / (1.0 + (-odds).exp())
}

/// Makes the readings as sure as they are by their sound, too, and puts the surest first.
pub(super) fn weigh_sound(transcript: &mut Transcript) {
    let Transcript { text, language, readings, .. } = transcript;
    for reading in readings.iter_mut() {
        reading.confidence = sure_of(reading, text, language);
    }
    readings.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
}

/// Sentences, for the recogniser.
struct Sentences {
    sayable: Sayable,
    /// Whose they are, if names may come and go.
    of: Option<OfHome>,
}

/// Where sentences come from anew when something in the home is named otherwise.
struct OfHome {
    dialogue: DialogueHandle,
    language: String,
    /// The names that the sentences have.
    version: u64,
}

impl OfHome {
    /// The sentences, if they are others now.
    fn renewed(&mut self) -> Option<Sayable> {
        // Who talks to the home at this moment is not waited for: the old names do once more.
        let mut home = self.dialogue.try_lock()?;
        home.refresh();
        let version = home.names_version();
        if version == self.version {
            return None;
        }
        self.version = version;
        home.sayable(&self.language)
    }
}

impl Grammar for Sentences {
    fn start(&self) -> u32 {
        self.sayable.start().into()
    }

    fn step(&mut self, state: u32, c: char) -> Option<u32> {
        self.sayable.step(state.into(), c).map(u32::from)
    }

    fn next(&mut self, state: u32) -> Vec<char> {
        self.sayable.next(state.into()).to_vec()
    }

    fn accepts(&mut self, state: u32) -> bool {
        self.sayable.accepts(state.into())
    }

    fn is_open(&self, state: u32) -> bool {
        self.sayable.is_open(state.into())
    }

    fn spoken(&mut self, text: &str) -> Option<String> {
        self.sayable.spoken(text)
    }

    fn near(&mut self, heard: &str) -> Vec<String> {
        let near = self.sayable.nearest(heard, MOST_NEAR);
        near.iter().flat_map(|(text, _)| self.sayable.written(text)).collect()
    }

    fn tidy(&mut self) -> bool {
        match self.of.as_mut().and_then(OfHome::renewed) {
            Some(sayable) => {
                self.sayable = sayable;
                true
            }
            None => self.sayable.tidy(),
        }
    }
}

/// A grammar for a recogniser, from sentences.
#[must_use]
pub fn grammar_of(sayable: Sayable) -> Box<dyn Grammar> {
    Box::new(Sentences { sayable, of: None })
}

/// Has a recogniser listen for what can be said in a home, also when its names change.
pub(super) fn listen_for(recognizer: &mut dyn Recognizer, dialogue: &DialogueHandle) {
    let home = dialogue.lock();
    let version = home.names_version();
    for language in home.languages() {
        let grammar = home.sayable(language).map(|sayable| {
            let (dialogue, language) = (dialogue.fork(), language.to_owned());
            let of = Some(OfHome { dialogue, language, version });
            Box::new(Sentences { sayable, of }) as Box<dyn Grammar>
        });
        recognizer.constrain(language, grammar);
    }
}

/// Puts the sentence of the home in place of what was heard freely, where the words mean nothing as
/// they are and one of the home's sentences fits the sound.
pub(super) fn settle(
    heard: &mut Result<Transcript, AsrError>,
    dialogue: &mut DialogueHandle,
    area: Option<&str>,
) {
    let Ok(transcript) = heard else { return };
    weigh_sound(transcript);
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::dialogue::Dialogue;
    use crate::home::Backend;
    use crate::home::Call;
    use crate::home::Entity;
    use crate::home::Home;
    use crate::home::HomeError;
    use crate::home::Names;
    use crate::home::Outcome;
    use crate::home::Update;
    use crate::intent::Language;

    /// A backend whose news a test writes.
    #[derive(Default, Clone)]
    struct Wire(Arc<Mutex<Vec<Update>>>);

    impl Backend for Wire {
        fn apply(
            &mut self,
            entity: &Entity,
            _: &Call,
            _: &jiff::ZonedDateTime,
        ) -> Result<Outcome, HomeError> {
            Ok(Outcome::of(entity))
        }

        fn updates(&mut self) -> Vec<Update> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    fn lamp(id: &str, name: &str) -> Update {
        Update::Entity(Box::new(Entity {
            id: id.into(),
            domain: "light".into(),
            names: Names::plain(name),
            area: None,
            state: "off".into(),
            attributes: serde_json::Map::new(),
            supports: None,
            then: Vec::new(),
            exposed: true,
        }))
    }

    /// Keeps the grammar that it is given.
    #[derive(Default)]
    struct Keeper(Vec<Box<dyn Grammar>>);

    impl Recognizer for Keeper {
        fn transcribe(
            &mut self,
            _: &[f32],
            _: &dyn Fn() -> bool,
            _: &mut dyn FnMut(crate::asr::Hypothesis),
        ) -> Result<(), crate::asr::AsrError> {
            Ok(())
        }

        fn constrain(&mut self, _: &str, grammar: Option<Box<dyn Grammar>>) {
            self.0.extend(grammar);
        }
    }

    #[test]
    fn the_grammar_has_the_names_of_now() {
        let wire = Wire::default();
        wire.0.lock().unwrap().push(lamp("light.sun", "Sun Lamp"));
        let home = Home::empty().connect(Box::new(wire.clone()));
        let yaml = "language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['turn on {name}']\n";
        let language = Language::from_yaml(yaml, "en.yaml").unwrap();
        let dialogue = DialogueHandle::from(Dialogue::new(home, vec![language]).unwrap());
        let mut keeper = Keeper::default();
        listen_for(&mut keeper, &dialogue);
        let grammar = &mut keeper.0[0];
        assert!(!grammar.tidy());
        assert_eq!(grammar.spoken("turn on sun lamp").as_deref(), Some("turn on Sun Lamp"));
        // As free words, perhaps; not as a name.
        assert_ne!(grammar.spoken("turn on moon lamp").as_deref(), Some("turn on Moon Lamp"));

        wire.0.lock().unwrap().push(lamp("light.moon", "Moon Lamp"));
        let busy = dialogue.lock();
        assert!(!grammar.tidy(), "who talks to the home is not waited for");
        drop(busy);
        assert!(grammar.tidy(), "old states mean nothing any more");
        assert_eq!(grammar.spoken("Turn on moon lamp").as_deref(), Some("turn on Moon Lamp"));
        assert!(!grammar.tidy());
    }
}
