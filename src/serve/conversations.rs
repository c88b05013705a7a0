//! Conversations that outlive a connection: Home Assistant opens one for every sentence.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::dialogue::Reply;
use crate::session::DialogueHandle;

/// Conversations that are remembered; the one that was silent longest is forgotten first.
const MOST: usize = 256;
/// The longest name of a conversation that is kept.
const LONGEST_NAME: usize = 200;

/// Conversations by the names that clients give them.
#[derive(Debug)]
pub(super) struct Conversations {
    home: DialogueHandle,
    /// The one used last stands last.
    known: Mutex<VecDeque<(String, DialogueHandle)>>,
}

impl Conversations {
    pub(super) fn new(home: DialogueHandle) -> Self {
        Self { home, known: Mutex::default() }
    }

    /// Answers a sentence; without a name it stands alone. Takes the time of understanding and acting,
    /// so call it where one may wait.
    pub(super) fn respond(
        &self,
        name: Option<&str>,
        text: &str,
        language: &str,
        area: Option<&str>,
    ) -> Reply {
        let Some(name) = name.filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME) else {
            return self.home.fork().respond(text, language, area);
        };
        // Out while it answers: another sentence of the same conversation at the same moment begins
        // one of its own rather than waiting.
        let found = self.with(|known| {
            let at = known.iter().position(|(own, _)| own == name)?;
            known.remove(at)
        });
        let (name, mut talk) = found.unwrap_or_else(|| (name.to_owned(), self.home.fork()));
        let reply = talk.respond(text, language, area);
        self.with(|known| {
            if known.len() >= MOST {
                known.pop_front();
            }
            known.push_back((name, talk));
        });
        reply
    }

    fn with<T>(&self, change: impl FnOnce(&mut VecDeque<(String, DialogueHandle)>) -> T) -> T {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The dialogue, for questions that belong to no conversation.
    pub(super) fn home(&self) -> &DialogueHandle {
        &self.home
    }
}
