//! What people have taught the house: another name for a device, another way to say a command.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::turn::Heard;
use super::{Dialogue, Understood};
use crate::home::Home;
use crate::store::Store;
use crate::store::StoreError;

/// Lessons that are kept at most.
const MOST: usize = 1000;
/// The longest text of a lesson, in characters.
const LONGEST: usize = 200;
/// Where lessons lie in the store.
const KEY: &str = "learned/";

/// One thing to learn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Lesson {
    /// A device is also called so.
    Name {
        /// The entity's id.
        entity: String,
        /// The language of the name, as a tag.
        language: String,
        /// The name.
        name: String,
    },
    /// Who says one sentence means the other.
    Sentence {
        /// Their language, as a tag.
        language: String,
        /// What is said, or what the recogniser makes of it.
        said: String,
        /// What is meant: a sentence that is understood.
        meant: String,
    },
}

/// What a lesson would bring about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Considered {
    /// What the sentence would be understood as; for a name, null.
    pub intent: Option<Understood>,
    /// The main name of the device in the lesson's language; for a sentence, null.
    pub device: Option<String>,
}

/// Why something cannot be learned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LessonError {
    /// There is no such device: choose one of the home.
    #[error("no device {entity:?} in this home; choose one of those that are there")]
    NoDevice {
        /// The id.
        entity: String,
    },
    /// The name belongs to another device: choose another name.
    #[error("{name:?} is already what {owner} is called; choose another name")]
    Taken {
        /// The name.
        name: String,
        /// The id of the device that has it.
        owner: String,
    },
    /// It is so already.
    #[error("{text:?} is known already")]
    Known {
        /// The name or the sentence.
        text: String,
    },
    /// The sentence that is meant means nothing here: word it as a command that works.
    #[error("{text:?} is not understood either; give a sentence that works in this home")]
    Meaningless {
        /// The sentence.
        text: String,
    },
    /// A text is empty or too long.
    #[error("{what} must have 1 to {LONGEST} characters, and at least one letter")]
    Length {
        /// Which text.
        what: &'static str,
    },
    /// Too much was learned: forget something first.
    #[error("{MOST} lessons are kept at most; forget one first")]
    TooMany,
    /// It cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was learned, and where it is kept.
#[derive(Debug, Default)]
pub struct Learned {
    store: Option<Store>,
    lessons: BTreeMap<u64, Lesson>,
    /// Sentences by language and folded words.
    meanings: BTreeMap<(String, String), String>,
}

impl Learned {
    /// Takes up what a store holds. One that cannot be read is left out.
    ///
    /// # Errors
    /// When the store cannot be read at all.
    pub fn open(store: Store) -> Result<Self, StoreError> {
        let mut lessons = BTreeMap::new();
        for (key, value) in store.load()? {
            let Some(id) = key.strip_prefix(KEY).and_then(|id| id.parse().ok()) else { continue };
            match serde_json::from_value(value) {
                Ok(lesson) => drop(lessons.insert(id, lesson)),
                Err(error) => tracing::warn!(key, %error, "a lesson is left out"),
            }
        }
        let mut learned = Self { store: Some(store), lessons, meanings: BTreeMap::new() };
        learned.index();
        Ok(learned)
    }

    fn index(&mut self) {
        let sentence = |lesson: &Lesson| match lesson {
            Lesson::Sentence { language, said, meant } => {
                Some(((base(language), folded(said)), meant.clone()))
            }
            Lesson::Name { .. } => None,
        };
        self.meanings = self.lessons.values().filter_map(sentence).collect();
    }

    /// What is meant by a sentence, where that was learned.
    pub(super) fn meaning(&self, text: &str, language: &str) -> Option<&str> {
        if self.meanings.is_empty() {
            return None;
        }
        self.meanings.get(&(base(language), folded(text))).map(String::as_str)
    }

    /// Gives the devices of a home the names that were learned.
    pub(super) fn call_by_name(&self, home: &mut Home) {
        for lesson in self.lessons.values() {
            if let Lesson::Name { entity, language, name } = lesson {
                home.add_name(entity, language, name);
            }
        }
    }

    fn keep(&mut self, id: u64, lesson: Option<&Lesson>) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let value = lesson.map_or(Value::Null, |own| serde_json::to_value(own).unwrap_or_default());
        store.save(&[(format!("{KEY}{id}"), value)])
    }
}

/// The words of a sentence as they are compared: letters and digits in lower case, so that the
/// recogniser's commas do not matter.
fn folded(text: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '\'' { c } else { ' ' };
    let text: String = text.to_lowercase().chars().map(plain).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn base(language: &str) -> String {
    language.split(['-', '_']).next().unwrap_or(language).to_lowercase()
}

fn sound(what: &'static str, text: &str) -> Result<(), LessonError> {
    let right = text.chars().count() <= LONGEST && !folded(text).is_empty();
    if right { Ok(()) } else { Err(LessonError::Length { what }) }
}

impl Dialogue {
    /// The same with what was learned before.
    #[must_use]
    pub fn with_learned(mut self, learned: Learned) -> Self {
        self.learned = learned;
        self.learned.call_by_name(&mut self.home);
        self.refresh();
        self
    }

    /// What was learned, by its number.
    pub fn lessons(&self) -> impl Iterator<Item = (u64, &Lesson)> {
        self.learned.lessons.iter().map(|(id, lesson)| (*id, lesson))
    }

    /// What a lesson would bring about. Nothing is learned. `area` is where one speaks.
    ///
    /// # Errors
    /// When it cannot be learned.
    pub fn consider(&self, lesson: &Lesson, area: Option<&str>) -> Result<Considered, LessonError> {
        if self.learned.lessons.values().any(|own| own == lesson) {
            let (Lesson::Name { name: text, .. } | Lesson::Sentence { said: text, .. }) = lesson;
            return Err(LessonError::Known { text: text.clone() });
        }
        match lesson {
            Lesson::Name { entity, language, name } => {
                sound("the name", name)?;
                let Some(device) = self.home.entity(entity) else {
                    return Err(LessonError::NoDevice { entity: entity.clone() });
                };
                if device.names.has(name) {
                    return Err(LessonError::Known { text: name.clone() });
                }
                if let Some(other) = self.home.entities().iter().find(|own| own.names.has(name)) {
                    return Err(LessonError::Taken { name: name.clone(), owner: other.id.clone() });
                }
                Ok(Considered {
                    intent: None,
                    device: Some(device.names.main(language).to_owned()),
                })
            }
            Lesson::Sentence { language, said, meant } => {
                sound("what is said", said)?;
                sound("what is meant", meant)?;
                if folded(said) == folded(meant) {
                    return Err(LessonError::Known { text: said.clone() });
                }
                let parts = match self.hear(meant, language, area) {
                    Heard::Commands(parts) if parts.iter().all(|p| p.repaired.is_none()) => parts,
                    _ => return Err(LessonError::Meaningless { text: meant.clone() }),
                };
                let intent = parts.into_iter().next().map(|part| Understood {
                    name: part.meaning.intent,
                    slots: part.meaning.slots,
                });
                Ok(Considered { intent, device: None })
            }
        }
    }

    /// Learns something and keeps it; gives its number.
    ///
    /// # Errors
    /// When it cannot be learned or kept.
    pub fn learn(&mut self, lesson: Lesson, area: Option<&str>) -> Result<u64, LessonError> {
        self.consider(&lesson, area)?;
        if self.learned.lessons.len() >= MOST {
            return Err(LessonError::TooMany);
        }
        // The same words can mean one thing only: the new lesson stands for the old one.
        let same = |own: &Lesson| match (own, &lesson) {
            (
                Lesson::Sentence { language: a, said: b, .. },
                Lesson::Sentence { language: c, said: d, .. },
            ) => base(a) == base(c) && folded(b) == folded(d),
            _ => false,
        };
        let old = self.learned.lessons.iter().find(|(_, own)| same(own)).map(|(id, _)| *id);
        let next = || self.learned.lessons.keys().next_back().map_or(1, |last| last + 1);
        let id = old.unwrap_or_else(next);
        self.learned.keep(id, Some(&lesson))?;
        self.learned.lessons.insert(id, lesson);
        self.learned.index();
        self.learned.call_by_name(&mut self.home);
        self.refresh();
        Ok(id)
    }

    /// Forgets a lesson. False when there is none with this number.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub fn forget_lesson(&mut self, id: u64) -> Result<bool, LessonError> {
        if !self.learned.lessons.contains_key(&id) {
            return Ok(false);
        }
        self.learned.keep(id, None)?;
        if let Some(Lesson::Name { entity, name, .. }) = self.learned.lessons.remove(&id) {
            self.home.remove_name(&entity, &name);
        }
        self.learned.index();
        self.refresh();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::Language;

    const ENGLISH: &str = "language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['turn on [the] {name}']\n";

    fn dialogue(learned: Learned) -> Dialogue {
        let language = Language::from_yaml(ENGLISH, "en.yaml").unwrap();
        Dialogue::new(Home::demo(), vec![language]).unwrap().with_learned(learned)
    }

    fn name(entity: &str, name: &str) -> Lesson {
        Lesson::Name { entity: entity.into(), language: "en".into(), name: name.into() }
    }

    fn sentence(said: &str, meant: &str) -> Lesson {
        Lesson::Sentence { language: "en".into(), said: said.into(), meant: meant.into() }
    }

    #[test]
    fn names_and_sentences_are_learned_kept_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home.db");
        let open = || Learned::open(Store::open(&path).unwrap()).unwrap();
        let mut home = dialogue(open());
        let state = |home: &Dialogue, id: &str| home.home().entity(id).unwrap().state.clone();
        assert!(home.respond("turn on the cooking sun", "en", None).error.is_some());
        let id = home.learn(name("light.kitchen", "Cooking Sun"), None).unwrap();
        home.learn(sentence("Turn on the office lied.", "turn on the office light"), None).unwrap();

        // Another process, later.
        let mut home = dialogue(open());
        assert_eq!(home.lessons().count(), 2);
        home.respond("turn on the cooking sun", "en", None);
        assert_eq!(state(&home, "light.kitchen"), "on");
        let reply = home.respond("turn on, the office lied", "en-GB", None);
        assert_eq!(reply.repaired.unwrap().to, "turn on the office light");
        assert_eq!(state(&home, "light.office"), "on");
        let complete = home.completeness("Turn on the office lied", "en", None);
        assert_eq!(complete, crate::dialogue::Completeness::Complete);

        assert!(home.forget_lesson(id).unwrap() && !home.forget_lesson(id).unwrap());
        assert!(home.respond("turn on the cooking sun", "en", None).error.is_some());
        assert_eq!(dialogue(open()).lessons().count(), 1);
    }

    #[test]
    fn what_makes_no_sense_is_not_learned() {
        let mut home = dialogue(Learned::default());
        let long = "a".repeat(LONGEST + 1);
        for (lesson, part) in [
            (name("light.moon", "Moon"), "light.moon"),
            (name("light.kitchen", "Kitchen Light"), "known already"),
            (name("light.kitchen", "office light"), "light.office"),
            (name("light.kitchen", " ?! "), "1 to 200"),
            (sentence("x", &long), "1 to 200"),
            (sentence("do it", "sing a song"), "not understood"),
            (sentence("Turn on the office light!", "turn on the office light"), "known already"),
        ] {
            let error = home.learn(lesson, None).unwrap_err().to_string();
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
        home.learn(sentence("dawn", "turn on the office light"), None).unwrap();
        let again = home.learn(sentence("Dawn", "turn on the hall light"), None).unwrap();
        assert_eq!(home.lessons().collect::<Vec<_>>().len(), 1, "{again}");
    }
}
