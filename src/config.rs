//! What can be configured: every room's own settings under its own heading.

use std::path::Path;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The configuration file, with a table for each room. What is left out has its default.
///
/// ```
/// let config = hearken::config::Config::parse("[asr]\nlanguage = \"zh\"", "hearken.toml")?;
/// assert_eq!(config.asr.language, "zh");
/// assert!(config.problems().is_empty());
/// # Ok::<(), hearken::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Microphone and speaker.
    pub audio: crate::audio::Config,
    /// Where utterances begin and end.
    pub detect: crate::detect::Config,
    /// Recognition.
    pub asr: crate::asr::Config,
    /// Voices.
    pub tts: crate::tts::Config,
    /// The home that is acted on.
    pub home: crate::home::Config,
    /// What is understood, and where one speaks.
    pub dialogue: crate::dialogue::Config,
    /// The doors of `hearken serve`.
    pub serve: crate::serve::Config,
    /// How a conversation goes.
    pub session: crate::session::Config,
}

/// Why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no such configuration.
    #[error("the configuration {path} is wrong: {source}")]
    Parse {
        /// The file.
        path: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
}

impl Config {
    /// Reads `path`; without one, `hearken/config.toml` in the user's configuration folder, and when
    /// that is not there either, the defaults. Also returns the file that was read.
    ///
    /// # Errors
    /// When a named file cannot be read, or a file is no configuration.
    pub fn load(path: Option<&Path>) -> Result<(Self, Option<PathBuf>), ConfigError> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => match dirs::config_dir().map(|folder| folder.join("hearken/config.toml")) {
                Some(path) if path.is_file() => path,
                _ => return Ok((Self::default(), None)),
            },
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        let config = Self::parse(&text, &path.display().to_string())?;
        Ok((config, Some(path)))
    }

    /// Reads a configuration from text; `name` is where it came from.
    ///
    /// # Errors
    /// When it is not TOML, a key is unknown or a value has the wrong type.
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        toml::from_str(text)
            .map_err(|e| ConfigError::Parse { path: name.to_owned(), source: Box::new(e) })
    }

    /// The engines that these settings describe, with the models of `store`. Nothing is opened yet.
    #[must_use]
    pub fn engines<'a>(
        &'a self,
        store: &'a crate::models::ModelStore,
    ) -> crate::session::Engines<'a> {
        crate::session::Engines {
            detect: &self.detect,
            asr: &self.asr,
            tts: &self.tts,
            home: &self.home,
            dialogue: &self.dialogue,
            remember: false,
            store,
        }
    }

    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let Self { audio, detect, asr, tts, home, dialogue, session, serve } = self;
        let mut problems = [
            audio.problems(),
            detect.problems(),
            asr.problems(),
            tts.problems(),
            home.problems(),
            dialogue.problems(),
            serve.problems(),
            session.problems(),
        ]
        .concat();
        // The areas of real devices are found later.
        let described = home.describe().ok();
        let connected = home.mqtt.is_set() || home.home_assistant.is_set();
        if let Some(home) = described.filter(|_| !connected) {
            problems.extend(dialogue.problems_with(&home));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = Config::parse("[asr]\nlangauge = \"zh\"", "my.toml").unwrap_err().to_string();
        assert!(error.contains("my.toml") && error.contains("langauge"), "{error}");
    }

    #[test]
    fn problems_of_all_rooms_come_at_once() {
        let config = Config::parse(
            "[asr]\nlanguage = \"klingon\"\n[detect]\nhangover_ms = 1\n[audio]\ninput = \"\"",
            "my.toml",
        )
        .unwrap();
        let problems = config.problems().join("\n");
        for part in ["asr.language", "klingon", "detect.hangover_ms", "audio.input"] {
            assert!(problems.contains(part), "{part} is not in {problems}");
        }
    }

    #[test]
    fn the_defaults_survive_a_round_trip() {
        let text = toml::to_string(&Config::default()).unwrap();
        assert_eq!(Config::parse(&text, "defaults").unwrap(), Config::default());
        assert!(Config::default().problems().is_empty());
    }

    #[test]
    fn a_missing_file_is_an_error_only_when_it_was_named() {
        let error = Config::load(Some(Path::new("/nowhere/hearken.toml"))).unwrap_err();
        assert!(error.to_string().contains("/nowhere/hearken.toml"));
    }
}
