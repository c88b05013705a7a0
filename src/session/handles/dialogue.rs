//! The shared home: one dialogue, many conversations.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::TryLockError;

use crate::dialogue::Completeness;
use crate::dialogue::Dialogue;
use crate::dialogue::Reply;
use crate::dialogue::Talk;

/// A dialogue that may be used while the guard lives.
pub type DialogueGuard<'a> = MutexGuard<'a, Dialogue>;

/// One conversation with a home that others talk to as well.
///
/// All handles that come from one act on the same home. A [`fork`](Self::fork) is another conversation:
/// what "it" is, and what was asked back, is its own.
#[derive(Debug)]
pub struct DialogueHandle {
    shared: Arc<Mutex<Dialogue>>,
    talk: Talk,
}

impl From<Dialogue> for DialogueHandle {
    fn from(dialogue: Dialogue) -> Self {
        Self { shared: Arc::new(Mutex::new(dialogue)), talk: Talk::default() }
    }
}

impl DialogueHandle {
    /// A new conversation with the same home.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), talk: Talk::default() }
    }

    /// Answers a sentence of this conversation; see [`Dialogue::respond`].
    pub fn respond(&mut self, text: &str, language: &str, area: Option<&str>) -> Reply {
        // Another's panic left the home as it is; the conversation goes on with that.
        let mut dialogue = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        dialogue.swap_talk(&mut self.talk);
        let reply = dialogue.respond(text, language, area);
        dialogue.swap_talk(&mut self.talk);
        reply
    }

    /// Whether a question of this conversation is open; see [`Dialogue::is_asking`].
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.talk.is_asking()
    }

    /// How complete a sentence of this conversation is; see [`Dialogue::completeness`].
    pub fn completeness(&mut self, text: &str, language: &str, area: Option<&str>) -> Completeness {
        let mut dialogue = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        dialogue.swap_talk(&mut self.talk);
        let found = dialogue.completeness(text, language, area);
        dialogue.swap_talk(&mut self.talk);
        found
    }

    /// The dialogue itself, if nobody uses it at this moment.
    pub fn try_lock(&self) -> Option<DialogueGuard<'_>> {
        match self.shared.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The dialogue itself; everybody else waits while the guard lives.
    pub fn lock(&self) -> DialogueGuard<'_> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
