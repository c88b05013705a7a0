//! The turn of talk: from what was meant to what is done and answered.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::home::Action;
use crate::home::Home;

/// An intent with its slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The intent's name.
    pub name: String,
    /// Its slots.
    pub slots: serde_json::Map<String, serde_json::Value>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reply {
    /// The words.
    pub text: String,
    /// Their language.
    pub language: String,
    /// What was understood.
    pub intent: Option<Intent>,
    /// What was done.
    pub actions: Vec<Action>,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialogueError {}

/// The dialogue.
pub struct Dialogue {
    home: Home,
}

impl Dialogue {
    /// Opens.
    ///
    /// # Errors
    /// Never.
    pub fn open(home: Home, _sentences: &[(String, PathBuf)]) -> Result<Self, DialogueError> {
        Ok(Self { home })
    }

    /// The home.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Answers.
    pub fn respond(&mut self, text: &str, language: &str, _area: Option<&str>) -> Reply {
        Reply { text: text.into(), language: language.into(), intent: None, actions: Vec::new() }
    }
}
