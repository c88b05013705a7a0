//! What is done without a sentence: by a switch on a page, in the same home.

use serde::{Deserialize, Serialize};

use super::Dialogue;
use super::risk;
use crate::home::Action;
use crate::home::Call;
use crate::home::HomeError;

/// What may become of a timer that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TimerChange {
    /// It is taken away.
    Cancel,
    /// It stands still.
    Pause,
    /// It goes on.
    Resume,
    /// It gets longer, or shorter.
    Add {
        /// By so many seconds.
        seconds: i64,
    },
}

/// The most that a timer is made longer or shorter at once, in seconds: a day.
const MOST_ADDED: i64 = 86_400;

impl Dialogue {
    /// Carries a call out, and with it what a scene or a script does.
    ///
    /// # Errors
    /// See [`crate::home::Home::act`].
    pub fn act(&mut self, call: &Call) -> Result<Vec<Action>, HomeError> {
        self.refresh();
        let now = self.clock.now();
        self.home.act(call, &now)
    }

    /// Whether this is asked about before it is done, when it is said; see [`super::Config::confirm`].
    #[must_use]
    pub fn is_risky(&self, call: &Call) -> bool {
        risk::risky(&self.confirm, std::slice::from_ref(call), &self.home)
    }

    /// Changes a timer. False when there is none with this id.
    pub fn change_timer(&mut self, id: u64, change: TimerChange) -> bool {
        let now = self.clock.now().timestamp();
        let timers = self.home.timers_mut();
        if timers.all().iter().all(|timer| timer.id != id) {
            return false;
        }
        match change {
            TimerChange::Cancel => drop(timers.cancel(id)),
            TimerChange::Pause => timers.pause(id, now),
            TimerChange::Resume => timers.resume(id, now),
            TimerChange::Add { seconds } => {
                timers.lengthen(id, seconds.clamp(-MOST_ADDED, MOST_ADDED), now);
            }
        }
        self.home.keep();
        true
    }

    /// How long each timer has left in whole seconds, by its id.
    #[must_use]
    pub fn timers_left(&self) -> Vec<(u64, i64)> {
        let now = self.clock.now().timestamp();
        self.home.timers().all().iter().map(|timer| (timer.id, timer.seconds_left(now))).collect()
    }
}
