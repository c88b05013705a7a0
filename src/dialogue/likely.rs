//! The answers that a home is likely to give: to be spoken ahead, so that they start at once.

use super::{Dialogue, wording};

/// Of the languages of [`wording::column`] the first ones: English and Chinese.
const LANGUAGES: usize = 2;

/// What is often said of a device, by its domain.
const OF_DEVICES: &[(&[&str], &[[&str; LANGUAGES]])] = &[
    (
        &["light", "switch", "fan", "climate", "media_player", "input_boolean"],
        &[["turn on {}", "打开{}"], ["turn off {}", "关闭{}"]],
    ),
    (&["cover", "valve"], &[["open {}", "打开{}"], ["close {}", "关闭{}"]]),
    (&["lock"], &[["lock {}", "锁上{}"]]),
    (&["scene", "script"], &[["activate {}", "激活{}"]]),
];

/// What is often said without naming a device.
const OF_ALL: &[[&str; LANGUAGES]] =
    &[["turn on all the lights", "打开所有的灯"], ["turn off all the lights", "关闭所有的灯"]];

impl Dialogue {
    /// What this home would answer to the commonest commands for its devices, at most `most` texts;
    /// none in a language for which these are not known. Nothing is done.
    #[must_use]
    pub fn likely_answers(&self, language: &str, most: usize) -> Vec<String> {
        let Some(column) = wording::column(language).filter(|column| *column < LANGUAGES) else {
            return Vec::new();
        };
        // What is said first of each device, then what is said second: time may not last for all.
        let most_rows = OF_DEVICES.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
        let named = (0..most_rows).flat_map(|nth| {
            self.home.entities().iter().filter(|entity| entity.exposed).flat_map(move |entity| {
                let rows =
                    OF_DEVICES.iter().filter(|(domains, _)| domains.contains(&&*entity.domain));
                let name = entity.names.main(language);
                rows.filter_map(move |(_, rows)| rows.get(nth))
                    .map(move |row| row[column].replace("{}", name))
            })
        });
        let mut answers = vec![self.lost("", language).text];
        for command in OF_ALL.iter().map(|row| row[column].to_owned()).chain(named) {
            if answers.len() >= most {
                break;
            }
            let reply = self.rehearse(&command, language, None);
            let understood = reply.error.is_none() && reply.repaired.is_none();
            if understood && !reply.text.is_empty() && !answers.contains(&reply.text) {
                answers.push(reply.text);
            }
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::intent::Language;

    #[test]
    fn the_answers_are_those_that_would_be_given() {
        let yaml = "language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ['turn on <name>']\nexpansion_rules:\n  name: '[the] {name}'\nresponses:\n  intents:\n    HassTurnOn:\n      default: 'Turned on {{ slots.name }}'\n";
        let language = Language::from_yaml(yaml, "en.yaml").unwrap();
        let dialogue = Dialogue::new(Home::demo(), vec![language]).unwrap();
        let answers = dialogue.likely_answers("en", 64);
        assert!(answers.contains(&"Turned on Kitchen Light".to_owned()), "{answers:?}");
        assert_eq!(dialogue.likely_answers("en", 2).len(), 2);
        assert!(dialogue.likely_answers("fr", 64).is_empty());
    }
}
