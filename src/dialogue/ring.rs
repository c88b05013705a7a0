//! Timers that are up: what is said about them, and the commands that waited.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::render;
use super::wording;
use super::{Dialogue, Reply};
use crate::home::Timer;

/// A timer that is up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ring {
    /// The timer.
    pub timer: Timer,
    /// The id of the area where it was started: where it is to ring. `None` for everywhere.
    pub area: Option<String>,
    /// What is said about it, or the answer to the command that waited for it.
    pub reply: Reply,
}

impl Dialogue {
    /// How long it is until the next timer is up: nothing when one is up already, `None` when no
    /// timer runs. Changes with every sentence that is answered; then call [`Dialogue::ring`].
    ///
    /// ```
    /// # use hearken::{dialogue::Dialogue, home::{FixedClock, Home}, intent::Language};
    /// # use std::time::Duration;
    /// # let yaml = "language: en\nintents:\n  HassStartTimer:\n    data:\n      - sentences: ['timer {seconds}']\nlists:\n  seconds:\n    range: {from: 1, to: 60}\n";
    /// # let language = Language::from_yaml(yaml, "example.yaml")?;
    /// # let clock = FixedClock::new("2026-11-24T20:05:00[UTC]".parse()?);
    /// # let mut dialogue = Dialogue::new(Home::demo(), vec![language])?.with_clock(Box::new(clock.clone()));
    /// assert_eq!(dialogue.until_ring(), None);
    /// dialogue.respond("timer 30", "en", Some("Kitchen"));
    /// assert_eq!(dialogue.until_ring(), Some(Duration::from_secs(30)));
    /// clock.advance(30);
    /// assert_eq!(dialogue.until_ring(), Some(Duration::ZERO));
    /// for ring in dialogue.ring() {
    ///     assert_eq!(ring.area.as_deref(), Some("kitchen"));
    ///     println!("{}", ring.reply.text);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn until_ring(&self) -> Option<Duration> {
        let left = self.home.timers().next_ring()?.duration_since(self.clock.now().timestamp());
        Some(Duration::try_from(left).unwrap_or_default())
    }

    /// The timers that are up, each with what is to be said. Commands that waited for one are
    /// carried out.
    pub fn ring(&mut self) -> Vec<Ring> {
        let rung = self.home.timers_mut().ring(self.clock.now().timestamp());
        if !rung.is_empty() {
            self.home.keep();
        }
        // A command that waited answers no question.
        let (pending, last) = (self.pending.take(), self.last.take());
        let mut rings = Vec::with_capacity(rung.len());
        for timer in rung {
            let area = timer.area.clone();
            let reply = match &timer.command {
                Some(command) => self.respond(command, &timer.language, area.as_deref()),
                None => self.timer_is_up(&timer),
            };
            rings.push(Ring { timer, area, reply });
        }
        self.pending = self.pending.take().or(pending);
        self.last = last;
        rings
    }

    fn timer_is_up(&self, timer: &Timer) -> Reply {
        let tongue = self.tongue(&timer.language);
        let language = tongue.language.code();
        let source = wording::phrase(language, "timer_rings");
        let text = render::render(source, &json!({ "name": timer.name })).unwrap_or_default();
        Reply::plain(text, language)
    }
}
