//! Zigbee2MQTT's own list of devices, `<prefix>/bridge/devices`, read as announcements.

use serde_json::{Map, Value, json};

use super::device::Device;

/// The longest list that is read, in bytes.
pub(super) const LONGEST: usize = 8 << 20;

/// One device of the list.
pub(super) struct Found {
    /// Its address, which stays when it is renamed.
    pub address: String,
    /// The topic where its state is.
    pub topic: String,
    pub devices: Vec<Device>,
}

/// The devices of the list, or why it cannot be read.
pub(super) fn read(prefix: &str, payload: &str) -> Result<Vec<Found>, String> {
    if payload.len() > LONGEST {
        return Err(format!("it has {} bytes; at most {LONGEST} are read", payload.len()));
    }
    let rows = serde_json::from_str::<Vec<Value>>(payload)
        .map_err(|error| format!("it is no JSON list: {error}"))?;
    Ok(rows.iter().filter_map(|row| found(prefix, row)).collect())
}

fn found(prefix: &str, row: &Value) -> Option<Found> {
    if row["type"] == "Coordinator" || row["disabled"] == true || row["supported"] == false {
        return None;
    }
    let name = row["friendly_name"].as_str().filter(|name| !name.is_empty())?;
    let address = row["ieee_address"].as_str()?.to_owned();
    let topic = format!("{prefix}/{name}");
    let device = Frame { prefix, topic: &topic, name };
    let mut devices = Vec::new();
    for expose in row["definition"]["exposes"].as_array().into_iter().flatten() {
        let made = device.made(expose);
        devices.extend(made.into_iter().filter_map(|(component, config)| {
            let made = Device::new(&component, name, config);
            let mut made =
                made.map_err(|why| tracing::debug!(device = name, why, "left out")).ok()?;
            // Watching over devices is a setting of the bridge: where it is off, this topic is silent.
            made.reachable.insert(format!("{topic}/availability"), true);
            Some(made)
        }));
    }
    Some(Found { address, topic, devices })
}

struct Frame<'a> {
    prefix: &'a str,
    topic: &'a str,
    name: &'a str,
}

impl Frame<'_> {
    /// What one entry of `exposes` is, as an announcement.
    fn made(&self, expose: &Value) -> Option<(String, Map<String, Value>)> {
        let features = expose["features"].as_array();
        let feature = |name: &str| {
            let mut own = features.into_iter().flatten();
            own.find(|feature| feature["name"] == name || feature["property"] == name)
        };
        let property = |feature: &Value| feature["property"].as_str().unwrap_or("state").to_owned();
        let kind = expose["type"].as_str()?;
        let set = format!("{}/set", self.topic);
        let of = |property: &str| format!("{{{{ value_json[{property:?}] }}}}");
        let (component, mut config) = match kind {
            "light" => {
                let mut modes = Vec::new();
                for (name, mode) in
                    [("color_temp", "color_temp"), ("color_xy", "xy"), ("color_hs", "hs")]
                {
                    if feature(name).is_some() {
                        modes.push(mode);
                    }
                }
                let level = feature("brightness");
                let scale = level.and_then(|l| l["value_max"].as_f64()).unwrap_or(254.0);
                let mut config = json!({
                    "schema": "json", "brightness": level.is_some(), "brightness_scale": scale,
                    "supported_color_modes": modes,
                });
                if let Some(warmth) = feature("color_temp") {
                    // Mireds: the warmest is the largest.
                    for (key, limit) in [("min_kelvin", "value_max"), ("max_kelvin", "value_min")] {
                        if let Some(mireds) = warmth[limit].as_f64().filter(|m| *m > 0.0) {
                            config[key] = ((1e6 / mireds).round() as i64).into();
                        }
                    }
                }
                ("light", config)
            }
            "switch" => {
                let state = feature("state")?;
                let property = property(state);
                let payload = |value: &Value| json!({ &property: value }).to_string();
                let config = json!({
                    "value_template": of(&property),
                    "payload_on": payload(&state["value_on"]),
                    "payload_off": payload(&state["value_off"]),
                    "state_on": state["value_on"], "state_off": state["value_off"],
                });
                ("switch", config)
            }
            "lock" => {
                let state = feature("state")?;
                let property = property(state);
                let payload = |value: &Value| json!({ &property: value }).to_string();
                let config = json!({
                    "value_template": "{{ value_json.lock_state | default(value_json.state) }}",
                    "state_locked": "LOCKED", "state_unlocked": "UNLOCKED",
                    "payload_lock": payload(&state["value_on"]),
                    "payload_unlock": payload(&state["value_off"]),
                });
                let plain = feature("lock_state").is_none();
                let mut config = config;
                if plain {
                    config["value_template"] = of(&property).into();
                    config["state_locked"] = state["value_on"].clone();
                    config["state_unlocked"] = state["value_off"].clone();
                }
                ("lock", config)
            }
            "cover" => {
                let mut config = json!({
                    "payload_open": r#"{"state":"OPEN"}"#, "payload_close": r#"{"state":"CLOSE"}"#,
                });
                if feature("position").is_some() {
                    config["position_topic"] = self.topic.into();
                    config["position_template"] = of("position").into();
                    config["set_position_topic"] = set.as_str().into();
                    config["set_position_template"] = r#"{"position":{{ value }}}"#.into();
                } else {
                    config["value_template"] = of("state").into();
                    config["state_closed"] = "CLOSE".into();
                }
                ("cover", config)
            }
            "fan" => {
                let config = json!({
                    "state_value_template": "{{ value_json.fan_state | default(value_json.state) }}",
                    "payload_on": r#"{"fan_state":"ON"}"#, "payload_off": r#"{"fan_state":"OFF"}"#,
                    "state_on": "ON", "state_off": "OFF",
                });
                ("fan", config)
            }
            "climate" => {
                let target = ["occupied_heating_setpoint", "current_heating_setpoint"];
                let target = target.into_iter().find_map(|name| Some((name, feature(name)?)))?;
                let mut config = json!({
                    "temperature_state_topic": self.topic, "temperature_command_topic": set,
                    "temperature_state_template": of(target.0),
                    "temperature_command_template": format!("{{{:?}:{{{{ value }}}}}}", target.0),
                    "min_temp": target.1["value_min"], "max_temp": target.1["value_max"],
                });
                if feature("local_temperature").is_some() {
                    config["current_temperature_topic"] = self.topic.into();
                    config["current_temperature_template"] = of("local_temperature").into();
                }
                if let Some(mode) = feature("system_mode") {
                    config["modes"] = mode["values"].clone();
                    config["mode_state_topic"] = self.topic.into();
                    config["mode_state_template"] = of("system_mode").into();
                    config["mode_command_topic"] = set.as_str().into();
                    config["mode_command_template"] = r#"{"system_mode":"{{ value }}"}"#.into();
                }
                ("climate", config)
            }
            "binary" | "numeric" => {
                let property = expose["property"].as_str()?;
                let diagnostic = expose["category"].is_string()
                    || matches!(
                        property,
                        "linkquality" | "battery_low" | "voltage" | "update_available"
                    );
                let mut config = json!({ "value_template": of(property) });
                if diagnostic {
                    config["entity_category"] = "diagnostic".into();
                }
                let class = device_class(property);
                if let Some(class) = class {
                    config["device_class"] = class.into();
                } else {
                    config["name"] = property.replace('_', " ").into();
                }
                if kind == "binary" {
                    config["payload_on"] = expose["value_on"].clone();
                    config["payload_off"] = expose["value_off"].clone();
                    ("binary_sensor", config)
                } else {
                    config["unit_of_measurement"] = expose["unit"].clone();
                    ("sensor", config)
                }
            }
            _ => return None,
        };
        // A device with several switches names each by its end point.
        if let Some(endpoint) = expose["endpoint"].as_str() {
            config["name"] = endpoint.into();
        }
        config["device"] = json!({ "name": self.name });
        config["availability_mode"] = "all".into();
        config["availability"] = json!([
            { "topic": format!("{}/bridge/state", self.prefix) },
            { "topic": format!("{}/availability", self.topic) },
        ]);
        if component != "climate" && config.get("position_topic").is_none() {
            config["state_topic"] = self.topic.into();
        }
        if !matches!(component, "climate" | "sensor" | "binary_sensor") {
            config["command_topic"] = set.into();
        }
        let Value::Object(config) = config else { return None };
        Some((component.to_owned(), config))
    }
}

fn device_class(property: &str) -> Option<&'static str> {
    let known = [
        ("battery", "battery"),
        ("carbon_monoxide", "carbon_monoxide"),
        ("contact", "door"),
        ("gas", "gas"),
        ("humidity", "humidity"),
        ("illuminance", "illuminance"),
        ("occupancy", "occupancy"),
        ("power", "power"),
        ("presence", "presence"),
        ("pressure", "pressure"),
        ("smoke", "smoke"),
        ("temperature", "temperature"),
        ("vibration", "vibration"),
        ("water_leak", "moisture"),
    ];
    known.into_iter().find(|(name, _)| *name == property).map(|(_, class)| class)
}
