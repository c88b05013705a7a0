//! A home that changes by itself: devices that come, go and report through a [`Backend`].

use std::collections::{HashMap, HashSet};

use jiff::ZonedDateTime;

use super::layout::MOST_ROWS;
use super::names::fold;
use super::{Area, Backend, Call, Entity, Floor, Home, HomeError, Names, Outcome};

/// News of one thing in the home, from the backend that knows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// A floor that is new, or is called something else now.
    Floor(Floor),
    /// An area that is new, or is called something else now.
    Area(Area),
    /// An entity that is new, or is another one now. Its area may be an id or a name: an area that
    /// the home does not have is added under this name.
    Entity(Box<Entity>),
    /// An entity that is there no longer.
    Removed {
        /// Its id.
        entity: String,
    },
    /// The state that an entity has now.
    State {
        /// Its id.
        entity: String,
        /// State and attributes, whole.
        now: Outcome,
    },
}

/// Who carries calls out, and on which entities.
pub(super) struct Doors {
    /// The first one has every entity that no other one has.
    backends: Vec<Box<dyn Backend>>,
    owner: HashMap<String, usize>,
    /// Entities of a backend whose names and place the home's file gives.
    described: HashSet<String>,
}

impl Doors {
    pub(super) fn new(first: Box<dyn Backend>) -> Self {
        Self { backends: vec![first], owner: HashMap::new(), described: HashSet::new() }
    }

    pub(super) fn set_first(&mut self, backend: Box<dyn Backend>) {
        self.backends[0] = backend;
    }

    /// Carries calls out on different entities, each behind its own door.
    pub(super) fn apply_all(
        &mut self,
        calls: &[(&Entity, &Call)],
        now: &ZonedDateTime,
    ) -> Vec<Result<Outcome, HomeError>> {
        let doors: Vec<usize> = calls
            .iter()
            .map(|(entity, _)| self.owner.get(&entity.id).copied().unwrap_or_default())
            .collect();
        let mut results: Vec<Option<Result<Outcome, HomeError>>> =
            calls.iter().map(|_| None).collect();
        for (door, backend) in self.backends.iter_mut().enumerate() {
            let own: Vec<usize> = (0..calls.len()).filter(|at| doors[*at] == door).collect();
            let asked: Vec<(&Entity, &Call)> = own.iter().map(|at| calls[*at]).collect();
            if asked.is_empty() {
                continue;
            }
            for (at, result) in own.into_iter().zip(backend.apply_all(&asked, now)) {
                results[at] = Some(result);
            }
        }
        let silence = |entity: &Entity| HomeError::NotAnswering { entity: entity.id.clone() };
        let results = results.into_iter().zip(calls);
        results
            .map(|(result, (entity, _))| result.unwrap_or_else(|| Err(silence(entity))))
            .collect()
    }

    /// Whether an entity lives behind a backend that was connected.
    pub(super) fn is_live(&self, entity: &str) -> bool {
        self.owner.contains_key(entity)
    }
}

impl Home {
    /// Adds a backend that brings its own entities, and takes in what it has so far. Where the home
    /// describes an entity with the same id, the description's names, area and exposure hold, and
    /// the backend gives the rest: so a device that is found can be named in every language.
    #[must_use]
    pub fn connect(mut self, backend: Box<dyn Backend>) -> Self {
        self.doors.backends.push(backend);
        self.refresh();
        self
    }

    /// Takes in what has happened since the last time. Says whether something has another name now,
    /// is new or is gone; [`Home::names_version`] tells the same later.
    pub fn refresh(&mut self) -> bool {
        let before = self.names_version;
        for at in 0..self.doors.backends.len() {
            for update in self.doors.backends[at].updates() {
                self.take(at, update);
            }
        }
        self.keep();
        self.names_version != before
    }

    /// A number that grows whenever a name in the home comes, goes or changes: whoever has prepared
    /// something from the names does so again when it is another one.
    #[must_use]
    pub fn names_version(&self) -> u64 {
        self.names_version
    }

    /// A number that grows whenever the state of something may have changed: whoever shows states
    /// looks again when it is another one. Timers do not count; they can be compared themselves.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Calls an entity something else besides, in a language. False when there is no such entity, or
    /// it is called so already.
    pub fn add_name(&mut self, entity: &str, language: &str, name: &str) -> bool {
        let own = self.entities.iter_mut().find(|own| own.id == entity);
        let added = own.is_some_and(|own| own.names.add(language, name));
        self.names_version += u64::from(added);
        added
    }

    /// Takes a name that [`add_name`](Self::add_name) gave away again.
    pub fn remove_name(&mut self, entity: &str, name: &str) -> bool {
        let own = self.entities.iter_mut().find(|own| own.id == entity);
        let removed = own.is_some_and(|own| own.names.remove(name));
        self.names_version += u64::from(removed);
        removed
    }

    fn take(&mut self, door: usize, update: Update) {
        self.changes += 1;
        match update {
            Update::Floor(floor) => match self.floors.iter_mut().find(|own| own.id == floor.id) {
                Some(own) if *own == floor => {}
                Some(own) => {
                    *own = floor;
                    self.names_version += 1;
                }
                None => {
                    self.floors.push(floor);
                    self.names_version += 1;
                }
            },
            Update::Area(area) => match self.areas.iter_mut().find(|own| own.id == area.id) {
                Some(own) if *own == area => {}
                Some(own) => {
                    *own = area;
                    self.names_version += 1;
                }
                None => {
                    self.areas.push(area);
                    self.names_version += 1;
                }
            },
            Update::Entity(entity) => self.take_entity(door, *entity),
            Update::Removed { entity } => self.remove(door, &entity),
            Update::State { entity, now } => {
                if self.doors.owner.get(&entity) != Some(&door) {
                    return;
                }
                if let Some(own) = self.entities.iter_mut().find(|own| own.id == entity) {
                    (own.state, own.attributes) = (now.state, now.attributes);
                }
            }
        }
    }

    fn take_entity(&mut self, door: usize, mut entity: Entity) {
        entity.area = entity.area.take().and_then(|area| self.area_for(&area));
        match self.doors.owner.get(&entity.id) {
            Some(owner) if *owner != door => {
                tracing::warn!(
                    entity = entity.id,
                    "found behind two doors; the first one keeps it"
                );
                return;
            }
            _ => {}
        }
        let at = self.entities.iter().position(|own| own.id == entity.id);
        let Some(at) = at else {
            if self.entities.len() >= MOST_ROWS {
                tracing::warn!(
                    entity = entity.id,
                    limit = MOST_ROWS,
                    "too many entities: left out"
                );
                return;
            }
            self.doors.owner.insert(entity.id.clone(), door);
            self.names_version += 1;
            self.entities.push(entity);
            return;
        };
        if !self.doors.is_live(&entity.id) {
            self.doors.described.insert(entity.id.clone());
            self.doors.owner.insert(entity.id.clone(), door);
        }
        let own = &mut self.entities[at];
        if self.doors.described.contains(&entity.id) {
            entity.names = own.names.clone();
            entity.exposed = own.exposed;
            entity.then = std::mem::take(&mut own.then);
            entity.area = own.area.take().or(entity.area);
        }
        if own.names != entity.names || own.exposed != entity.exposed || own.area != entity.area {
            self.names_version += 1;
        }
        *own = entity;
    }

    fn remove(&mut self, door: usize, entity: &str) {
        if self.doors.owner.get(entity) != Some(&door) {
            return;
        }
        if self.doors.described.contains(entity) {
            // The description still stands; the device behind it is what is missing.
            if let Some(own) = self.entities.iter_mut().find(|own| own.id == entity) {
                own.state = "unavailable".into();
            }
            return;
        }
        self.doors.owner.remove(entity);
        self.entities.retain(|own| own.id != entity);
        self.names_version += 1;
    }

    /// The id of the area that is meant by an id or a name, after adding it where it is new.
    fn area_for(&mut self, area: &str) -> Option<String> {
        if let Some(own) = self.area(area).or_else(|| self.area_named(area)) {
            return Some(own.id.clone());
        }
        let id = slug(area);
        if id.is_empty() || self.areas.len() >= MOST_ROWS {
            return None;
        }
        if self.area(&id).is_none() {
            self.areas.push(Area { id: id.clone(), names: Names::plain(area), floor: None });
            self.names_version += 1;
        }
        Some(id)
    }
}

/// A name as a part of an id: lower case, letters and digits of any script, the rest one `_`.
pub(super) fn slug(name: &str) -> String {
    let mut id = String::with_capacity(name.len());
    for c in fold(name).chars() {
        if c.is_alphanumeric() {
            id.push(c);
        } else if !id.is_empty() && !id.ends_with('_') {
            id.push('_');
        }
    }
    id.truncate(id.trim_end_matches('_').len());
    id
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use jiff::ZonedDateTime;
    use serde_json::{Map, json};

    use super::super::{Call, HomeError};
    use super::*;

    /// A backend whose news a test writes; it switches everything on.
    #[derive(Default, Clone)]
    struct Wire(Arc<Mutex<Vec<Update>>>);

    impl Wire {
        fn say(&self, update: Update) {
            self.0.lock().unwrap().push(update);
        }
    }

    impl Backend for Wire {
        fn apply(
            &mut self,
            entity: &Entity,
            _: &Call,
            _: &ZonedDateTime,
        ) -> Result<Outcome, HomeError> {
            Ok(Outcome { state: "switched by wire".into(), ..Outcome::of(entity) })
        }

        fn updates(&mut self) -> Vec<Update> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    fn lamp(id: &str, name: &str, area: Option<&str>) -> Update {
        Update::Entity(Box::new(Entity {
            id: id.into(),
            domain: "light".into(),
            names: Names::plain(name),
            area: area.map(Into::into),
            state: "off".into(),
            attributes: Map::new(),
            supports: None,
            then: Vec::new(),
            exposed: true,
        }))
    }

    #[test]
    fn devices_come_change_and_go() {
        let wire = Wire::default();
        let mut home = Home::empty().connect(Box::new(wire.clone()));
        assert!(!home.refresh());
        wire.say(lamp("light.hall", "Hall Light", Some("The Hall")));
        let before = home.names_version();
        assert!(home.refresh());
        assert_ne!(home.names_version(), before);
        assert_eq!(home.entity("light.hall").unwrap().area.as_deref(), Some("the_hall"));
        assert_eq!(home.area_named("the hall").unwrap().id, "the_hall");

        let attributes = json!({"brightness": 3}).as_object().unwrap().clone();
        let now = Outcome { state: "on".into(), attributes };
        wire.say(Update::State { entity: "light.hall".into(), now });
        assert!(!home.refresh(), "a state is no name");
        assert_eq!(home.states()["light.hall"]["attributes"]["brightness"], 3);

        let call = Call::new("light.hall", "light.turn_on");
        home.act(&call, &ZonedDateTime::now()).unwrap();
        assert_eq!(home.entity("light.hall").unwrap().state, "switched by wire");

        wire.say(Update::Removed { entity: "light.hall".into() });
        assert!(home.refresh());
        assert!(home.entity("light.hall").is_none());
    }

    #[test]
    fn the_description_names_what_is_found() {
        let wire = Wire::default();
        let text = "[[area]]\nid = \"den\"\nname = { en = \"Den\", zh = \"书房\" }\n\
            [[device]]\nid = \"light.a\"\nname = { en = \"Lamp\", zh = \"灯\" }\narea = \"den\"\n\
            [[device]]\nid = \"light.b\"\nname = \"Other\"";
        let home = Home::from_toml(text, "test").unwrap();
        let mut home = home.connect(Box::new(wire.clone()));
        wire.say(lamp("light.a", "0x00158d", Some("书房")));
        home.refresh();
        assert_eq!(home.entity("light.a").unwrap().names.spoken("zh"), ["灯"]);
        assert_eq!(home.areas().len(), 1);
        let now = ZonedDateTime::now();
        home.act(&Call::new("light.a", "light.turn_on"), &now).unwrap();
        assert_eq!(home.entity("light.a").unwrap().state, "switched by wire");
        home.act(&Call::new("light.b", "light.turn_on"), &now).unwrap();
        assert_eq!(home.entity("light.b").unwrap().state, "on", "this one is simulated");
        wire.say(Update::Removed { entity: "light.a".into() });
        home.refresh();
        assert!(home.entity("light.a").unwrap().is_unavailable());
    }

    #[test]
    fn names_become_ids() {
        for (name, id) in
            [("Hall  Light", "hall_light"), (" -x- ", "x"), ("客厅 灯", "客厅_灯"), ("!", "")]
        {
            assert_eq!(slug(name), id);
        }
    }
}
