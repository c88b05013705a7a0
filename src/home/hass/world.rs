//! What Home Assistant knows, as its WebSocket tells it; no network in here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::layout::MOST_ROWS;
use super::super::names::{AliasRow, NameRow};
use super::super::{Area, Entity, Floor, Names, Outcome, Update};

/// The registries and states; every collection is bounded by `MOST_ROWS`.
#[derive(Debug, Default)]
pub(super) struct World {
    /// The answers to the requests, by what was asked for.
    lists: BTreeMap<&'static str, Vec<Value>>,
    states: BTreeMap<String, Outcome>,
    known: BTreeSet<String>,
    /// How often each entity has reported.
    heard: BTreeMap<String, u64>,
    is_connected: bool,
    described: bool,
    changed: BTreeSet<String>,
}

impl World {
    pub(super) fn set_connected(&mut self, connected: bool) {
        self.is_connected = connected;
        self.changed.extend(self.known.iter().cloned());
    }

    pub(super) fn heard(&self, entity: &str) -> u64 {
        self.heard.get(entity).copied().unwrap_or_default()
    }

    pub(super) fn state(&self, entity: &str) -> Option<Outcome> {
        let mut now = self.states.get(entity)?.clone();
        if !self.is_connected {
            now.state = "unavailable".into();
        }
        Some(now)
    }

    /// Takes in one of the registries, or all states under `states`.
    pub(super) fn list(&mut self, what: &'static str, rows: &Value) {
        let rows: Vec<Value> =
            rows.as_array().into_iter().flatten().take(MOST_ROWS).cloned().collect();
        if what == "states" {
            self.states.clear();
            for row in &rows {
                self.take_state(row);
            }
        } else {
            self.lists.insert(what, rows);
        }
        self.described = true;
    }

    /// Takes in the event `state_changed`.
    pub(super) fn state_changed(&mut self, data: &Value) {
        let Some(id) = data["entity_id"].as_str() else { return };
        if data["new_state"].is_null() {
            self.states.remove(id);
            self.described = true;
            return;
        }
        let is_new = !self.states.contains_key(id);
        self.take_state(&data["new_state"]);
        self.described |= is_new;
        *self.heard.entry(id.to_owned()).or_insert(0) += 1;
        self.changed.insert(id.to_owned());
    }

    fn take_state(&mut self, row: &Value) {
        let (Some(id), Some(state)) = (row["entity_id"].as_str(), row["state"].as_str()) else {
            return;
        };
        if self.states.len() >= MOST_ROWS && !self.states.contains_key(id) {
            return;
        }
        let attributes = row["attributes"].as_object().cloned().unwrap_or_default();
        self.states.insert(id.to_owned(), Outcome { state: state.to_owned(), attributes });
    }

    /// What has changed since the last time.
    pub(super) fn updates(&mut self) -> Vec<Update> {
        let mut updates = Vec::new();
        if std::mem::take(&mut self.described) {
            self.describe(&mut updates);
        }
        for entity in std::mem::take(&mut self.changed) {
            if let Some(now) = self.state(&entity).filter(|_| self.known.contains(&entity)) {
                updates.push(Update::State { entity, now });
            }
        }
        updates
    }

    fn rows(&self, what: &str) -> impl Iterator<Item = &Value> {
        self.lists.get(what).into_iter().flatten()
    }

    fn describe(&mut self, updates: &mut Vec<Update>) {
        for row in self.rows("config/floor_registry/list") {
            if let Some(id) = text(row, "floor_id") {
                updates.push(Update::Floor(Floor { id, names: names(row, text(row, "name")) }));
            }
        }
        for row in self.rows("config/area_registry/list") {
            if let Some(id) = text(row, "area_id") {
                let names = names(row, text(row, "name"));
                updates.push(Update::Area(Area { id, names, floor: text(row, "floor_id") }));
            }
        }
        let by_id = |what: &str, key: &str| -> BTreeMap<String, Value> {
            self.rows(what).filter_map(|row| Some((text(row, key)?, row.clone()))).collect()
        };
        let devices = by_id("config/device_registry/list", "id");
        let registry = by_id("config/entity_registry/list", "entity_id");
        let mut now = BTreeSet::new();
        for (id, state) in &self.states {
            let Some((domain, _)) = id.split_once('.') else { continue };
            if super::super::entity::resting_state(domain).is_none() {
                continue;
            }
            let row = registry.get(id).unwrap_or(&Value::Null);
            let device = text(row, "device_id").and_then(|device| devices.get(&device));
            let friendly = state.attributes.get("friendly_name").and_then(Value::as_str);
            let name = text(row, "name").or_else(|| friendly.map(str::to_owned));
            let name = name.unwrap_or_else(|| id.clone());
            let hidden = !row["hidden_by"].is_null()
                || !row["disabled_by"].is_null()
                || !row["entity_category"].is_null()
                || row["options"]["conversation"]["should_expose"] == false;
            updates.push(Update::Entity(Box::new(Entity {
                id: id.clone(),
                domain: domain.to_owned(),
                names: names(row, Some(name)),
                area: text(row, "area_id").or_else(|| text(device?, "area_id")),
                state: if self.is_connected { state.state.clone() } else { "unavailable".into() },
                attributes: state.attributes.clone(),
                supports: Some(features(domain, &state.attributes)),
                then: Vec::new(),
                exposed: !hidden,
            })));
            now.insert(id.clone());
        }
        let gone = self.known.difference(&now).cloned();
        updates.extend(gone.map(|entity| Update::Removed { entity }));
        self.heard.retain(|id, _| now.contains(id));
        self.known = now;
    }
}

fn text(row: &Value, key: &str) -> Option<String> {
    row[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn names(row: &Value, name: Option<String>) -> Names {
    let aliases = row["aliases"].as_array().into_iter().flatten();
    let aliases = aliases.filter_map(|alias| alias.as_str().map(str::to_owned)).collect();
    Names::from_rows(name.map(NameRow::Plain), Some(AliasRow::Plain(aliases)))
}

/// What an entity can do, from its bits and modes.
fn features(domain: &str, attributes: &Map<String, Value>) -> BTreeSet<String> {
    let bits = attributes.get("supported_features").and_then(Value::as_u64).unwrap_or_default();
    let modes = attributes.get("supported_color_modes").and_then(Value::as_array);
    let any = |wanted: &[&str]| {
        modes.into_iter().flatten().filter_map(Value::as_str).any(|mode| wanted.contains(&mode))
    };
    let known: &[(&str, bool)] = match domain {
        "light" => &[
            (
                "brightness",
                any(&["brightness", "color_temp", "hs", "rgb", "rgbw", "rgbww", "xy", "white"]),
            ),
            ("color", any(&["hs", "rgb", "rgbw", "rgbww", "xy"])),
            ("temperature", any(&["color_temp"])),
        ],
        "cover" | "valve" => &[("position", bits & 4 != 0)],
        "fan" => &[("speed", bits & 1 != 0)],
        "climate" => &[("temperature", bits & 1 != 0), ("fan_mode", bits & 8 != 0)],
        "media_player" => {
            &[("volume", bits & 4 != 0), ("track", bits & 32 != 0), ("play", bits & 512 != 0)]
        }
        _ => &[],
    };
    known.iter().filter(|(_, can)| *can).map(|(name, _)| (*name).to_owned()).collect()
}
