//! One entity behind the broker: how it was announced, and what it said last.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::live::slug;
use super::super::names::{AliasRow, NameRow};
use super::super::{Entity, Names};
use super::template;

/// An announced entity, its short keys spelt out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Device {
    /// The entity as it is described. Its state is what the device said last, whether it can be
    /// reached or not.
    pub entity: Entity,
    /// Home Assistant's component: the entity's domain.
    pub component: String,
    pub config: Map<String, Value>,
    /// What each availability topic said last.
    pub reachable: BTreeMap<String, bool>,
    /// It did not answer the last command, and has said nothing since.
    pub silent: bool,
    /// How many states it has reported while we listened.
    pub heard: u64,
}

impl Device {
    /// From an announcement; the reason when it cannot be used.
    pub(super) fn new(
        component: &str,
        fallback: &str,
        config: Map<String, Value>,
    ) -> Result<Self, String> {
        let Some(resting) = super::super::entity::resting_state(component) else {
            return Err(format!("there is no use for a {component} yet"));
        };
        let text = |key: &str| config.get(key).and_then(Value::as_str).map(str::trim);
        let device = config.get("device").and_then(Value::as_object);
        let of_device = |key: &str| device?.get(key)?.as_str().map(str::trim);
        let (own, whole) = (text("name"), of_device("name").filter(|name| !name.is_empty()));
        let own = own.filter(|name| !name.is_empty());
        let name = match (whole, own) {
            // "Hall" and "Hall light" make "Hall light", not "Hall Hall light".
            (Some(whole), Some(own)) if own.to_lowercase().starts_with(&whole.to_lowercase()) => {
                own.to_owned()
            }
            (Some(whole), Some(own)) => format!("{whole} {own}"),
            (Some(whole), None) => match text("device_class") {
                Some(class) if matches!(component, "sensor" | "binary_sensor") => {
                    format!("{whole} {}", class.replace('_', " "))
                }
                _ => whole.to_owned(),
            },
            (None, Some(own)) => own.to_owned(),
            (None, None) => fallback.replace('_', " "),
        };
        if name.chars().count() > 200 {
            return Err("its name is longer than 200 letters".into());
        }
        let object = text("default_entity_id")
            .map(|id| id.rsplit('.').next().unwrap_or(id))
            .or_else(|| text("object_id"))
            .map(slug)
            .filter(|id| !id.is_empty());
        let object = object.unwrap_or_else(|| slug(&name));
        if object.is_empty() {
            return Err(format!("its name {name:?} has neither letters nor digits"));
        }
        let mut attributes = Map::new();
        for (key, attribute) in [
            ("device_class", "device_class"),
            ("unit_of_measurement", "unit_of_measurement"),
            ("min_temp", "min_temp"),
            ("max_temp", "max_temp"),
            ("modes", "hvac_modes"),
            ("fan_modes", "fan_modes"),
            ("min_kelvin", "min_color_temp_kelvin"),
            ("max_kelvin", "max_color_temp_kelvin"),
        ] {
            if let Some(value) = config.get(key).filter(|value| !value.is_null()) {
                attributes.insert(attribute.into(), value.clone());
            }
        }
        let aliases = config.get("aliases").and_then(Value::as_array);
        let aliases = aliases.map(|list| {
            AliasRow::Plain(list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
        });
        let hidden = text("entity_category").is_some()
            || config.get("enabled_by_default") == Some(&Value::Bool(false));
        let mut device = Self {
            entity: Entity {
                id: format!("{component}.{object}"),
                domain: component.to_owned(),
                names: Names::from_rows(Some(NameRow::Plain(name)), aliases),
                area: of_device("suggested_area").filter(|a| !a.is_empty()).map(str::to_owned),
                state: resting.to_owned(),
                attributes,
                supports: None,
                then: Vec::new(),
                exposed: !hidden,
            },
            component: component.to_owned(),
            reachable: BTreeMap::new(),
            silent: false,
            heard: 0,
            config,
        };
        device.entity.supports = Some(device.features());
        if !device.topics().is_empty() {
            device.entity.state = "unknown".into();
        }
        for (topic, ..) in device.availability() {
            device.reachable.insert(topic, false);
        }
        Ok(device)
    }

    /// A setting as text, however it was written.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        match self.config.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    pub(super) fn text_or(&self, key: &str, default: &str) -> String {
        self.text(key).unwrap_or_else(|| default.to_owned())
    }

    pub(super) fn number(&self, key: &str, default: f64) -> f64 {
        let value = self.config.get(key);
        let number = value.and_then(|v| v.as_f64().or_else(|| v.as_str()?.trim().parse().ok()));
        number.filter(|number: &f64| number.is_finite()).unwrap_or(default)
    }

    pub(super) fn truth(&self, key: &str) -> bool {
        self.config.get(key) == Some(&Value::Bool(true))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.config.get(key).is_some_and(|value| !value.is_null())
    }

    /// Whether a light speaks JSON.
    pub(super) fn speaks_json(&self) -> bool {
        self.component == "light" && self.text("schema").as_deref() == Some("json")
    }

    /// Whether a light lists this as a colour mode.
    pub(super) fn color_mode(&self, mode: &str) -> bool {
        let modes = self.config.get("supported_color_modes").and_then(Value::as_array);
        modes.into_iter().flatten().any(|own| own.as_str() == Some(mode))
    }

    fn features(&self) -> BTreeSet<String> {
        let json = self.speaks_json();
        let any_mode = |modes: &[&str]| modes.iter().any(|mode| self.color_mode(mode));
        let known: &[(&str, bool)] = match self.component.as_str() {
            "light" => &[
                (
                    "brightness",
                    self.has("brightness_command_topic")
                        || json && self.truth("brightness")
                        || any_mode(&[
                            "brightness",
                            "color_temp",
                            "hs",
                            "rgb",
                            "rgbw",
                            "rgbww",
                            "xy",
                        ]),
                ),
                (
                    "color",
                    self.has("rgb_command_topic")
                        || self.has("hs_command_topic")
                        || any_mode(&["hs", "rgb", "rgbw", "rgbww", "xy"]),
                ),
                ("temperature", self.has("color_temp_command_topic") || any_mode(&["color_temp"])),
            ],
            "cover" => &[("position", self.has("set_position_topic"))],
            "valve" => &[("position", self.truth("reports_position"))],
            "fan" => &[("speed", self.has("percentage_command_topic"))],
            "climate" => &[
                ("temperature", self.has("temperature_command_topic")),
                ("fan_mode", self.has("fan_mode_command_topic")),
            ],
            _ => &[],
        };
        let can = known.iter().filter(|(_, can)| *can);
        can.map(|(feature, _)| (*feature).to_owned()).collect()
    }

    /// The topics that tell how the entity is.
    pub(super) fn topics(&self) -> BTreeSet<String> {
        let roles = super::read::roles(&self.component).iter().map(|(key, ..)| *key);
        roles.chain(["json_attributes_topic"]).filter_map(|key| self.text(key)).collect()
    }

    /// The topics that tell whether it can be reached: topic, yes, no, template.
    pub(super) fn availability(&self) -> Vec<(String, String, String, Option<String>)> {
        let row = |row: &Map<String, Value>, topic: &str, template: &str| {
            let text = |key: &str| match row.get(key)? {
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            Some((
                text(topic)?,
                text("payload_available").unwrap_or_else(|| "online".into()),
                text("payload_not_available").unwrap_or_else(|| "offline".into()),
                text(template),
            ))
        };
        let single = row(&self.config, "availability_topic", "availability_template");
        let list = match self.config.get("availability") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).collect(),
            Some(Value::Object(one)) => vec![one],
            _ => Vec::new(),
        };
        let list = list.into_iter().filter_map(|own| row(own, "topic", "value_template"));
        single.into_iter().chain(list).collect()
    }

    /// Whether the device says that it can be reached.
    pub(super) fn is_reachable(&self) -> bool {
        let mut said = self.reachable.values();
        match self.text("availability_mode").as_deref() {
            Some("any") => self.reachable.is_empty() || said.any(|yes| *yes),
            _ => said.all(|yes| *yes),
        }
    }

    /// Takes in what an availability topic says.
    pub(super) fn hear_availability(&mut self, topic: &str, payload: &str) {
        for (own, yes, no, template) in self.availability() {
            if own != topic {
                continue;
            }
            let said = match &template {
                Some(template) => template::render(template, payload),
                None => Some(plain_state(payload)),
            };
            match said {
                Some(said) if said.eq_ignore_ascii_case(&yes) => {
                    self.reachable.insert(own, true);
                }
                Some(said) if said.eq_ignore_ascii_case(&no) => {
                    self.reachable.insert(own, false);
                }
                _ => {}
            }
        }
    }
}

/// `online`, or the same word in Zigbee2MQTT's `{"state": "online"}`.
fn plain_state(payload: &str) -> String {
    let json = serde_json::from_str::<Value>(payload).ok();
    let word = json.as_ref().and_then(|json| json["state"].as_str());
    word.unwrap_or(payload).trim().to_owned()
}
