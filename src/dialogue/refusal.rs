//! Why a command is not carried out, and how that is said.

use serde_json::{Map, Value, json};

use super::slots;
use super::wording;
use crate::home::{Home, HomeError, Missing};
use crate::intent::Language;
use crate::intent::Meaning;

/// A reason to answer with an apology.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The package's error response, or one of our own phrases.
    pub key: &'static str,
    /// What fills its holes.
    pub context: Map<String, Value>,
}

impl Refusal {
    pub(super) fn new(key: &'static str) -> Self {
        Self { key, context: Map::new() }
    }

    /// The same with one more hole filled.
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.context.insert(key.into(), value.into());
        self
    }

    /// Nothing in the home is what the meaning describes.
    pub(super) fn missing(
        missing: Missing,
        meaning: &Meaning,
        domains: &[String],
        language: &str,
    ) -> Self {
        let slot = |key: &str| slots::text(meaning, key).unwrap_or_default().to_owned();
        let (area, floor) = (slot("area"), slot("floor"));
        let place = match missing {
            Missing::Area => return Self::new("no_area").with("area", area),
            Missing::Floor => return Self::new("no_floor").with("floor", floor),
            Missing::Feature => {
                let key = if slot("name").is_empty() { "feature_not_supported" } else { "cannot" };
                return Self::new(key).with("entity", slot("name"));
            }
            Missing::Here if !area.is_empty() && area != slots::EVERYWHERE => 1,
            Missing::Here => 2,
            _ => 0,
        };
        let name = slot("name");
        let class = slots::words(meaning, "device_class").into_iter().next();
        let refusal = if !name.is_empty() {
            let keys = ["no_entity", "no_entity_in_area", "no_entity_in_floor"];
            Self::new(keys[place]).with("entity", name)
        } else if let Some(class) = class {
            let keys = ["no_device_class", "no_device_class_in_area", "no_device_class_in_floor"];
            let word = wording::device_class(language, &class).map(str::to_owned);
            Self::new(keys[place]).with("device_class", word.unwrap_or(class))
        } else {
            let keys = ["no_domain", "no_domain_in_area", "no_domain_in_floor"];
            let domain = domains.first().cloned().unwrap_or_default();
            let word = wording::domain(language, &domain).map(str::to_owned);
            Self::new(keys[place]).with("domain", word.unwrap_or(domain))
        };
        refusal.with("area", area).with("floor", floor)
    }

    /// More than one device has the name.
    pub(super) fn duplicate(meaning: &Meaning) -> Self {
        let slot = |key: &str| slots::text(meaning, key).unwrap_or_default().to_owned();
        let key = if slots::area_was_said(meaning) {
            "duplicate_entities_in_area"
        } else if !slot("floor").is_empty() {
            "duplicate_entities_in_floor"
        } else {
            "duplicate_entities"
        };
        Self::new(key)
            .with("entity", slot("name"))
            .with("area", slot("area"))
            .with("floor", slot("floor"))
    }

    /// The home could not do it.
    pub(super) fn home(error: &HomeError, home: &Home, language: &str) -> Self {
        let name = |id: &str| match home.entity(id) {
            Some(entity) => entity.names.main(language).to_owned(),
            None => id.to_owned(),
        };
        match error {
            HomeError::NotAnswering { entity } => {
                Self::new("not_answering").with("entity", name(entity))
            }
            HomeError::Unsupported { entity, .. } => {
                Self::new("cannot").with("entity", name(entity))
            }
            HomeError::BadValue { entity, limits: Some([low, high]), .. } => {
                Self::new("out_of_range")
                    .with("entity", name(entity))
                    .with("low", low.to_string())
                    .with("high", high.to_string())
            }
            HomeError::BadValue { entity, .. } => Self::new("cannot").with("entity", name(entity)),
            HomeError::NoSuchItem { list, item } => {
                Self::new("no_item").with("entity", name(list)).with("item", item.clone())
            }
            HomeError::NoTimer => Self::new("timer_not_found"),
            HomeError::SeveralTimers { .. } => Self::new("multiple_timers_matched"),
            HomeError::TimerLength { .. } => Self::new("timer_length"),
            HomeError::TooMany { .. } => Self::new("too_many"),
            _ => Self::new("handle_error"),
        }
    }

    /// The apology in the speaker's language.
    pub(super) fn say(&self, language: &Language) -> String {
        let own = wording::phrase(language.code(), self.key);
        let source = language.error_response(self.key).unwrap_or(own);
        match super::render::render(source, &json!(self.context)) {
            Ok(text) if !text.is_empty() => text,
            Ok(_) => self.key.replace('_', " "),
            Err(error) => {
                tracing::warn!(key = self.key, %error, "an error response cannot be rendered");
                self.key.replace('_', " ")
            }
        }
    }
}
