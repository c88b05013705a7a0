//! Answers as if it had been done: for trying sentences out, and for comparing answers.

use super::answer::Facts;
use super::targets::Where;
use super::turn::Heard;
use super::{Dialogue, Reply};
use crate::intent::Meaning;

impl Dialogue {
    /// Answers a sentence as if it had been carried out, without doing anything and without asking
    /// whether to. A sentence that matches nothing is taken for what [`Dialogue::respond`] takes it
    /// for.
    ///
    /// What is answered about the home is what it holds now. A home that says little is taken as
    /// far as it goes: what it does not have is not refused.
    #[must_use]
    pub fn rehearse(&self, text: &str, language: &str, area: Option<&str>) -> Reply {
        match self.hear(text, language, area) {
            Heard::Commands(parts) => {
                let mut whole = None;
                for part in &parts {
                    let reply = self.rehearsed(&part.meaning, language, area);
                    self.join(&mut whole, reply, part, language, area);
                }
                whole.unwrap_or_else(|| self.lost(text, language))
            }
            Heard::Perhaps(parts) => self.which(&parts, language, area),
            Heard::Nothing => self.lost(text, language),
        }
    }

    fn rehearsed(&self, meaning: &Meaning, language: &str, area: Option<&str>) -> Reply {
        let (tongue, now) = (self.tongue(language), self.clock.now());
        let here = area.and_then(|area| self.home.area_named(area)).map(|area| area.id.as_str());
        let place = Where { home: &self.home, here, language: tongue.language.code() };
        let facts = Facts::roughly(meaning, place, now.timestamp());
        self.reply(meaning, tongue, place, &facts)
    }
}
