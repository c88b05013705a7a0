//! What is asked of a device, what it did, and who carries it out.

use std::collections::BTreeMap;

use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entity, HomeError, Update};

/// One service asked of one entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The entity's id.
    pub entity: String,
    /// `domain.service`, such as `light.turn_on`.
    pub service: String,
    /// The service's fields, under Home Assistant's names.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

impl Call {
    /// A call without data.
    #[must_use]
    pub fn new(entity: &str, service: &str) -> Self {
        Self { entity: entity.into(), service: service.into(), data: Map::new() }
    }

    /// The same call with one more field.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.into(), value.into());
        self
    }
}

/// A value before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Null where there was none.
    pub from: Value,
    /// Null where there is none any more.
    pub to: Value,
}

/// What was really done to an entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The entity's id.
    pub entity: String,
    /// The service that was called.
    pub service: String,
    /// The service's fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
    /// What is different now: `state` and attributes. Empty when everything was so already.
    pub changes: BTreeMap<String, Change>,
}

/// How an entity is after a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its state.
    pub state: String,
    /// All of its attributes.
    pub attributes: Map<String, Value>,
}

impl Outcome {
    /// The entity as it is now.
    #[must_use]
    pub fn of(entity: &Entity) -> Self {
        Self { state: entity.state.clone(), attributes: entity.attributes.clone() }
    }

    pub(super) fn changes_from(&self, entity: &Entity) -> BTreeMap<String, Change> {
        let mut changes = BTreeMap::new();
        if self.state != entity.state {
            changes.insert(
                "state".to_owned(),
                Change { from: entity.state.clone().into(), to: self.state.clone().into() },
            );
        }
        let keys = self.attributes.keys().chain(entity.attributes.keys());
        for key in keys {
            let (from, to) = (entity.attributes.get(key), self.attributes.get(key));
            if from != to {
                let value = |v: Option<&Value>| v.cloned().unwrap_or(Value::Null);
                changes.insert(key.clone(), Change { from: value(from), to: value(to) });
            }
        }
        changes
    }
}

/// Who carries calls out: a simulation, or a door to real devices.
///
/// ```
/// use hearken::home::{Backend, Call, Entity, Home, HomeError, Outcome};
///
/// /// Devices that never answer.
/// struct Deaf;
/// impl Backend for Deaf {
///     fn apply(
///         &mut self, entity: &Entity, _: &Call, _: &jiff::ZonedDateTime,
///     ) -> Result<Outcome, HomeError> {
///         Err(HomeError::NotAnswering { entity: entity.id.clone() })
///     }
/// }
///
/// let mut home = Home::demo().with_backend(Box::new(Deaf));
/// let call = Call::new("light.kitchen", "light.turn_on");
/// assert!(home.act(&call, &jiff::ZonedDateTime::now()).is_err());
/// ```
pub trait Backend: Send {
    /// Carries one call out on an entity and says how the entity is afterwards.
    ///
    /// # Errors
    /// When the device has no such service, the value is out of its limits, or it does not answer.
    fn apply(
        &mut self,
        entity: &Entity,
        call: &Call,
        now: &ZonedDateTime,
    ) -> Result<Outcome, HomeError>;

    /// Carries calls out on different entities, and says of each how it is afterwards. A door to
    /// real devices asks all of them first and then waits for all, so that ten lamps take as long as
    /// one.
    fn apply_all(
        &mut self,
        calls: &[(&Entity, &Call)],
        now: &ZonedDateTime,
    ) -> Vec<Result<Outcome, HomeError>> {
        calls.iter().map(|(entity, call)| self.apply(entity, call, now)).collect()
    }

    /// What has happened by itself since the last time this was asked: the newest of each thing.
    /// Devices that do nothing by themselves have no news.
    fn updates(&mut self) -> Vec<Update> {
        Vec::new()
    }
}
