//! Floors, areas and entities: what a home consists of.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Call, Names};

/// A floor of the house.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// Unique among the floors.
    pub id: String,
    /// What it is called.
    pub names: Names,
}

/// A room or another part of the house.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Unique among the areas.
    pub id: String,
    /// What it is called.
    pub names: Names,
    /// The floor's id.
    pub floor: Option<String>,
}

/// A device, or a part of one, that has a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// `domain.object`, such as `light.kitchen`.
    pub id: String,
    /// What kind of thing it is: the part of the id before the dot.
    pub domain: String,
    /// What it is called.
    pub names: Names,
    /// The area's id.
    pub area: Option<String>,
    /// The state, in Home Assistant's words: `on`, `locked`, `21.5`, `unavailable`.
    pub state: String,
    /// Everything else that is known, under Home Assistant's names.
    pub attributes: Map<String, Value>,
    /// What it can do besides its domain's basics; `None` is all that the domain knows.
    pub supports: Option<BTreeSet<String>>,
    /// What a scene or a script does.
    pub then: Vec<Call>,
    /// Whether it may be named in a sentence.
    pub exposed: bool,
}

impl Entity {
    /// Whether it has a feature of its domain, such as `brightness` of a light.
    #[must_use]
    pub fn can(&self, feature: &str) -> bool {
        match &self.supports {
            Some(own) => own.contains(feature),
            None => features(&self.domain).contains(&feature),
        }
    }

    /// The attribute `device_class`, such as `window` of a cover.
    #[must_use]
    pub fn device_class(&self) -> Option<&str> {
        self.attributes.get("device_class")?.as_str()
    }

    /// Whether it cannot be reached.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.state == "unavailable"
    }
}

/// The domains that are known, each with the state that an entity has when none is given.
pub(super) const DOMAINS: &[(&str, &str)] = &[
    ("alarm_control_panel", "disarmed"),
    ("automation", "on"),
    ("binary_sensor", "off"),
    ("button", "unknown"),
    ("camera", "idle"),
    ("climate", "off"),
    ("cover", "closed"),
    ("fan", "off"),
    ("humidifier", "off"),
    ("input_boolean", "off"),
    ("input_button", "unknown"),
    ("lawn_mower", "docked"),
    ("light", "off"),
    ("lock", "locked"),
    ("media_player", "idle"),
    ("person", "home"),
    ("remote", "off"),
    ("scene", "unknown"),
    ("script", "off"),
    ("sensor", "unknown"),
    ("siren", "off"),
    ("switch", "off"),
    ("todo", "0"),
    ("vacuum", "docked"),
    ("valve", "closed"),
    ("water_heater", "off"),
    ("weather", "sunny"),
];

/// The state of an entity of this domain that says nothing about itself; `None`: no such domain.
pub(super) fn resting_state(domain: &str) -> Option<&'static str> {
    DOMAINS.iter().find(|(name, _)| *name == domain).map(|(_, state)| *state)
}

/// What entities of a domain can do where they do not say otherwise.
pub(super) fn features(domain: &str) -> &'static [&'static str] {
    match domain {
        "light" => &["brightness", "color", "temperature"],
        "cover" | "valve" => &["position"],
        "fan" => &["speed"],
        "climate" => &["temperature", "fan_mode"],
        "media_player" => &["volume", "track", "play"],
        _ => &[],
    }
}
