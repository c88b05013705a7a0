//! Areas, devices, states: the home that is acted on.
//!
//! [`Home`] holds what there is and how it is; a [`Backend`] carries [`Call`]s out and says what
//! became of them. What was really done comes back as [`Action`]s.

mod broker;
mod call;
mod clock;
mod colors;
mod connection;
mod entity;
mod fixture;
mod hass;
mod layout;
mod live;
mod memory;
mod mqtt;
mod names;
mod query;
mod secret;
mod simulated;
mod timers;

use std::path::{Path, PathBuf};

use jiff::{Timestamp, ZonedDateTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use broker::Broker;
pub use call::{Action, Backend, Call, Change, Outcome};
pub use clock::{Clock, FixedClock, SystemClock};
pub use connection::encryption;
pub use entity::{Area, Entity, Floor};
pub use hass::{Config as HomeAssistantConfig, HomeAssistant};
pub use live::Update;
pub use memory::{Memory, MemoryError};
pub use mqtt::{Config as MqttConfig, Mqtt};
pub use names::Names;
pub use query::{Missing, Query};
pub use secret::Secret;
pub use simulated::Simulated;
pub use timers::{NewTimer, Timer, TimerQuery, Timers};

/// Settings of this room, `[home]` in the configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The home's description; without one, the home that comes with the program.
    pub file: Option<PathBuf>,
    /// Where the home keeps what must survive a restart; without one, `hearken/home.db` in the
    /// user's folder for state.
    pub state: Option<PathBuf>,
    /// Devices behind an MQTT broker.
    pub mqtt: MqttConfig,
    /// The devices of Home Assistant.
    pub home_assistant: HomeAssistantConfig,
}

impl Config {
    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.mqtt.problems();
        problems.extend(self.home_assistant.problems());
        if let Err(error) = self.describe() {
            problems.push(format!("home.file: {error}"));
        }
        problems
    }

    /// The file of what must survive a restart; `None` where the user has no such folder.
    #[must_use]
    pub fn state_file(&self) -> Option<PathBuf> {
        let folder = || dirs::state_dir().or_else(dirs::data_local_dir);
        self.state.clone().or_else(|| Some(folder()?.join("hearken/home.db")))
    }

    /// The home as it is described, without anything that is connected to it. Without a file it is
    /// the demo's, or, where real devices are connected, empty.
    ///
    /// # Errors
    /// See [`Home::open`].
    pub fn describe(&self) -> Result<Home, HomeError> {
        match &self.file {
            Some(file) => Home::open(file),
            None if self.mqtt.is_set() || self.home_assistant.is_set() => Ok(Home::empty()),
            None => Ok(Home::demo()),
        }
    }

    /// The home that is meant, with the real devices that are connected to it.
    ///
    /// # Errors
    /// See [`Home::open`], [`Mqtt::connect`] and [`HomeAssistant::connect`].
    pub fn open(&self) -> Result<Home, HomeError> {
        let mut home = self.describe()?;
        if self.mqtt.is_set() {
            home = home.connect(Box::new(Mqtt::connect(&self.mqtt)?));
        }
        if self.home_assistant.is_set() {
            home = home.connect(Box::new(HomeAssistant::connect(&self.home_assistant)?));
        }
        Ok(home)
    }
}

/// The largest file that is read as a home, in bytes.
const LARGEST_FILE: u64 = 16 << 20;

/// Why a home cannot be read or does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// The file cannot be read: check the path.
    #[error("cannot read the home {}: {source}; check the path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The description does not fit together: correct what is listed.
    #[error("the home {from} cannot be used:\n  {}", problems.join("\n  "))]
    Layout {
        /// Where the description comes from.
        from: String,
        /// Everything that is wrong, each with its cure.
        problems: Vec<String>,
    },
    /// Something has grown beyond its bound: remove some first.
    #[error("too many {what}: at most {limit} are kept")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// What connects to real devices is set wrongly: correct it.
    #[error("{problem}")]
    Settings {
        /// The setting, what is wrong with it, and its cure.
        problem: String,
    },
    /// There is no such entity in this home.
    #[error("no entity {id:?} in this home")]
    UnknownEntity {
        /// The id.
        id: String,
    },
    /// The device cannot do this.
    #[error("{entity} cannot do {service}")]
    Unsupported {
        /// The entity's id.
        entity: String,
        /// The service.
        service: String,
    },
    /// The value is out of the device's limits.
    #[error("{entity}: {key} is {value}, but must be {allowed}")]
    BadValue {
        /// The entity's id.
        entity: String,
        /// The service's field.
        key: String,
        /// What was asked for, as JSON.
        value: String,
        /// What would be right.
        allowed: String,
        /// The smallest and the largest number that would be right, where it is a number.
        limits: Option<[f64; 2]>,
    },
    /// The device does not answer: ask again later.
    #[error("{entity} is not answering")]
    NotAnswering {
        /// The entity's id.
        entity: String,
    },
    /// The list has nothing of this name that is still open.
    #[error("{item:?} is not on {list}")]
    NoSuchItem {
        /// The list's entity id.
        list: String,
        /// The thing.
        item: String,
    },
    /// No timer is meant by these words.
    #[error("no such timer")]
    NoTimer,
    /// More than one timer is meant: name one.
    #[error("{count} timers are meant")]
    SeveralTimers {
        /// How many.
        count: usize,
    },
    /// A timer cannot have this length.
    #[error("a timer of {seconds} seconds is not possible")]
    TimerLength {
        /// In seconds.
        seconds: i64,
    },
}

/// A home: floors, areas and entities with their states, timers, and who carries calls out.
pub struct Home {
    floors: Vec<Floor>,
    areas: Vec<Area>,
    entities: Vec<Entity>,
    timers: Timers,
    media: Vec<String>,
    doors: live::Doors,
    names_version: u64,
    changes: u64,
    kept: Option<memory::Kept>,
    /// Entities that were acted on since the state was kept.
    touched: Vec<String>,
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Home")
            .field("floors", &self.floors.len())
            .field("areas", &self.areas.len())
            .field("entities", &self.entities.len())
            .field("timers", &self.timers.all().len())
            .finish_non_exhaustive()
    }
}

impl Home {
    /// A home without anything in it, with simulated devices.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            floors: Vec::new(),
            areas: Vec::new(),
            entities: Vec::new(),
            timers: Timers::default(),
            media: Vec::new(),
            doors: live::Doors::new(Box::new(Simulated)),
            names_version: 0,
            changes: 0,
            kept: None,
            touched: Vec::new(),
        }
    }

    /// The home that comes with the program: `examples/home.toml`.
    #[must_use]
    pub fn demo() -> Self {
        let text = include_str!("../../examples/home.toml");
        // A test reads it, so an error here cannot reach a user; an empty home would still talk.
        Self::from_toml(text, "examples/home.toml").unwrap_or_else(|error| {
            tracing::error!(%error, "the built-in home is broken");
            Self::empty()
        })
    }

    /// Reads a home from a file: TOML of Hearken's own, or a layout of Home Assistant's sentence
    /// tests as YAML or JSON. One home of a JSON file with many is named after a `#`:
    /// `homes.json#tests/en/HassTurnOn/name_only.yaml`.
    ///
    /// # Errors
    /// When the file cannot be read, or with everything that is wrong in it.
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        let whole = path.to_string_lossy();
        let (file, part) = match whole.split_once('#') {
            Some((file, part)) if !path.exists() => (PathBuf::from(file), Some(part)),
            _ => (path.to_owned(), None),
        };
        let read = |source| HomeError::Read { path: file.clone(), source };
        let size = std::fs::metadata(&file).map_err(read)?.len();
        if size > LARGEST_FILE {
            return Err(HomeError::TooMany {
                what: "bytes in a home's file",
                limit: LARGEST_FILE as usize,
            });
        }
        let text = std::fs::read_to_string(&file).map_err(read)?;
        let (from, now) = (file.display().to_string(), Timestamp::now());
        match file.extension().and_then(|e| e.to_str()) {
            Some("json") => Self::from_json(&text, part, &from, now),
            Some("yaml" | "yml") => Self::from_yaml(&text, &from, now),
            Some("toml") => Self::from_toml(&text, &from),
            _ if text.trim_start().starts_with('{') => Self::from_json(&text, part, &from, now),
            _ => Self::from_toml(&text, &from),
        }
    }

    /// The same home with somebody else to carry calls out on what it describes.
    #[must_use]
    pub fn with_backend(mut self, backend: Box<dyn Backend>) -> Self {
        self.doors.set_first(backend);
        self
    }

    /// The floors.
    #[must_use]
    pub fn floors(&self) -> &[Floor] {
        &self.floors
    }

    /// The areas.
    #[must_use]
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The entities.
    #[must_use]
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// The entity with this id.
    #[must_use]
    pub fn entity(&self, id: &str) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.id == id)
    }

    /// The timers.
    #[must_use]
    pub fn timers(&self) -> &Timers {
        &self.timers
    }

    /// The timers, to start and stop them.
    pub fn timers_mut(&mut self) -> &mut Timers {
        &mut self.timers
    }

    /// Titles that a search for something to play finds; empty when everything can be played.
    #[must_use]
    pub fn media(&self) -> &[String] {
        &self.media
    }

    /// Carries a call out, and with it what a scene or a script does.
    ///
    /// # Errors
    /// When there is no such entity, it cannot do this, or it does not answer. Of a scene, what
    /// was done before the error stays done.
    pub fn act(&mut self, call: &Call, now: &ZonedDateTime) -> Result<Vec<Action>, HomeError> {
        let done = self.act_all(std::slice::from_ref(call), now);
        done.into_iter().next().unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Carries calls out, and says of each what [`Home::act`] says of one. Real devices are all asked
    /// before the first one is waited for.
    pub fn act_all(
        &mut self,
        calls: &[Call],
        now: &ZonedDateTime,
    ) -> Vec<Result<Vec<Action>, HomeError>> {
        let mut done: Vec<Result<Vec<Action>, HomeError>> =
            calls.iter().map(|_| Ok(Vec::new())).collect();
        // What a scene does comes behind it, and nothing is asked twice at once of one entity.
        let mut rounds: Vec<Vec<(usize, Call)>> = Vec::new();
        for (at, call) in calls.iter().enumerate() {
            let starts = matches!(call.service.as_str(), "scene.turn_on" | "script.turn_on");
            let then = self.entity(&call.entity).filter(|_| starts).map(|own| own.then.clone());
            for call in std::iter::once(call.clone()).chain(then.into_iter().flatten()) {
                let busy = |round: &Vec<(usize, Call)>| {
                    round.iter().any(|(_, other)| other.entity == call.entity)
                };
                let after = rounds.iter().rposition(busy).map_or(0, |last| last + 1);
                if after == rounds.len() {
                    rounds.push(Vec::new());
                }
                rounds[after].push((at, call));
            }
        }
        for round in rounds {
            self.act_at_once(&round, now, &mut done);
        }
        self.keep();
        done
    }

    fn act_at_once(
        &mut self,
        calls: &[(usize, Call)],
        now: &ZonedDateTime,
        done: &mut [Result<Vec<Action>, HomeError>],
    ) {
        let mut told = |at: usize, result: Result<Action, HomeError>| match (&mut done[at], result)
        {
            (Ok(actions), Ok(action)) => actions.push(action),
            (whole @ Ok(_), Err(error)) => *whole = Err(error),
            (Err(_), _) => {}
        };
        let mut known: Vec<(usize, &Call, usize)> = Vec::new();
        for (at, call) in calls {
            match self.entities.iter().position(|entity| entity.id == call.entity) {
                Some(entity) => known.push((*at, call, entity)),
                None => told(*at, Err(HomeError::UnknownEntity { id: call.entity.clone() })),
            }
        }
        let asked: Vec<(&Entity, &Call)> =
            known.iter().map(|(_, call, entity)| (&self.entities[*entity], *call)).collect();
        let results = self.doors.apply_all(&asked, now);
        let mut silent = false;
        for ((at, call, entity), result) in known.into_iter().zip(results) {
            silent |= result.is_err();
            let result = result.map(|next| {
                let own = &mut self.entities[entity];
                let changes = next.changes_from(own);
                (own.state, own.attributes) = (next.state, next.attributes);
                self.changes += 1;
                if self.kept.is_some() && !changes.is_empty() {
                    self.touched.push(own.id.clone());
                }
                let Call { entity, service, data } = call.clone();
                Action { entity, service, data, changes }
            });
            told(at, result);
        }
        if silent {
            // A device that did not answer is out of reach from now on, and its state says so.
            self.refresh();
        }
    }

    /// All states: `{"light.kitchen": {"state": "on", "attributes": {…}}, …}`.
    #[must_use]
    pub fn states(&self) -> Value {
        let states = self.entities.iter().map(|entity| {
            let state = json!({ "state": entity.state, "attributes": entity.attributes });
            (entity.id.clone(), state)
        });
        Value::Object(states.collect::<Map<_, _>>())
    }

    /// Makes the states agree that follow from attributes: a list's state is what is open on it.
    fn settle(&mut self) {
        for entity in self.entities.iter_mut().filter(|entity| entity.domain == "todo") {
            if let Some(Value::Array(items)) = entity.attributes.get("items") {
                let open = items.iter().filter(|item| item["status"] != "completed").count();
                entity.state = open.to_string();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> ZonedDateTime {
        "2026-11-24T20:00:00[UTC]".parse().unwrap()
    }

    #[test]
    fn the_demo_home_is_sound_and_speaks_both_languages() {
        let text = include_str!("../../examples/home.toml");
        let home = Home::from_toml(text, "examples/home.toml").unwrap();
        assert!(home.entities().len() >= 30, "{}", home.entities().len());
        let chinese = |name: &str| name.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for entity in home.entities() {
            assert!(chinese(entity.names.main("zh")), "{}", entity.id);
            assert!(!chinese(entity.names.main("en")), "{}", entity.id);
            for call in &entity.then {
                let mut home = Home::demo();
                home.act(call, &now()).unwrap();
            }
        }
    }

    #[test]
    fn a_scene_does_what_it_lists() {
        let mut home = Home::demo();
        let actions = home.act(&Call::new("scene.movie_night", "scene.turn_on"), &now()).unwrap();
        assert!(actions.len() > 2, "{actions:?}");
        assert_eq!(actions[0].entity, "scene.movie_night");
        assert_eq!(home.entity("cover.living_room_curtains").unwrap().state, "closed");
    }

    #[test]
    fn an_action_says_what_changed() {
        let mut home = Home::demo();
        let call = Call::new("light.kitchen", "light.turn_on").with("brightness_pct", 50);
        let action = home.act(&call, &now()).unwrap().remove(0);
        assert_eq!(
            serde_json::to_value(&action).unwrap(),
            json!({
                "entity": "light.kitchen", "service": "light.turn_on", "data": {"brightness_pct": 50},
                "changes": {"state": {"from": "off", "to": "on"}, "brightness": {"from": null, "to": 128}},
            })
        );
        assert!(home.act(&call, &now()).unwrap()[0].changes.is_empty(), "nothing changes twice");
        assert_eq!(home.states()["light.kitchen"]["attributes"]["brightness"], 128);
        let lost = home.act(&Call::new("light.attic", "light.turn_on"), &now());
        assert!(lost.unwrap_err().to_string().contains("light.attic"));
    }

    #[test]
    fn a_file_is_read_by_its_kind() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let lamp = r#"{"entities": [{"name": "Lamp", "domain": "light"}]}"#;
        let home = Home::open(&write("one.json", lamp)).unwrap();
        assert_eq!(home.entities()[0].id, "light.lamp");
        let many = write("many.json", &format!(r#"{{"a": {lamp}}}"#));
        let part = format!("{}#a", many.display());
        assert_eq!(Home::open(Path::new(&part)).unwrap().entities().len(), 1);
        assert!(Home::open(&many).is_err());
        let yaml = write("home.yaml", "entities:\n- {name: Lamp, domain: light}\n");
        assert_eq!(Home::open(&yaml).unwrap().entities().len(), 1);
        let toml = write("home.toml", "[[device]]\nid = \"light.a\"\nname = \"A\"\n");
        assert_eq!(Home::open(&toml).unwrap().entities().len(), 1);
        let gone = Home::open(&folder.path().join("gone.toml")).unwrap_err();
        assert!(gone.to_string().contains("gone.toml"));
        let gone = Config { file: Some("gone.toml".into()), ..Config::default() };
        assert!(gone.problems()[0].starts_with("home.file: cannot read"));
        assert!(Config::default().problems().is_empty());
    }
}
