//! From what a device reports to its state and attributes.

use serde_json::{Map, Value, json};

use super::color;
use super::device::Device;
use super::template;

/// What a topic tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    /// On or off.
    Switch,
    /// The state in words of its own.
    Word,
    /// A cover's, valve's or lock's state, in configurable words.
    Moving,
    /// A light that speaks JSON.
    LightJson,
    Brightness,
    Rgb,
    Hs,
    ColorTemperature,
    Position,
    Percentage,
    /// An attribute that is a number.
    Number(&'static str),
    /// An attribute that is a word.
    Text(&'static str),
    /// A vacuum's JSON.
    Vacuum,
}

/// A topic's key, its template's key, and what it tells.
type Row = (&'static str, &'static str, Role);

/// What the topics of a component tell.
pub(super) fn roles(component: &str) -> &'static [Row] {
    match component {
        "light" => &[
            ("state_topic", "state_value_template", Role::Switch),
            ("brightness_state_topic", "brightness_value_template", Role::Brightness),
            ("rgb_state_topic", "rgb_value_template", Role::Rgb),
            ("hs_state_topic", "hs_value_template", Role::Hs),
            ("color_temp_state_topic", "color_temp_value_template", Role::ColorTemperature),
        ],
        "cover" | "valve" => &[
            ("position_topic", "position_template", Role::Position),
            ("state_topic", "value_template", Role::Moving),
        ],
        "lock" => &[("state_topic", "value_template", Role::Moving)],
        "climate" => &[
            ("mode_state_topic", "mode_state_template", Role::Word),
            ("temperature_state_topic", "temperature_state_template", Role::Number("temperature")),
            (
                "current_temperature_topic",
                "current_temperature_template",
                Role::Number("current_temperature"),
            ),
            ("fan_mode_state_topic", "fan_mode_state_template", Role::Text("fan_mode")),
            ("action_topic", "action_template", Role::Text("hvac_action")),
        ],
        "fan" => &[
            ("state_topic", "state_value_template", Role::Switch),
            ("percentage_state_topic", "percentage_value_template", Role::Percentage),
        ],
        "vacuum" => &[("state_topic", "value_template", Role::Vacuum)],
        "lawn_mower" => &[("activity_state_topic", "activity_value_template", Role::Word)],
        "sensor" | "alarm_control_panel" => &[("state_topic", "value_template", Role::Word)],
        "switch" | "siren" | "binary_sensor" | "humidifier" | "remote" => {
            &[("state_topic", "value_template", Role::Switch)]
        }
        _ => &[],
    }
}

/// Takes in what a topic says. Says whether it was of any use.
pub(super) fn hear(device: &mut Device, topic: &str, payload: &str) -> bool {
    let mut useful = false;
    if device.text("json_attributes_topic").as_deref() == Some(topic) {
        useful |= attributes(device, payload);
    }
    for (topic_key, template_key, role) in roles(&device.component) {
        if device.text(topic_key).as_deref() != Some(topic) {
            continue;
        }
        let template = device
            .text(template_key)
            .or_else(|| device.text("value_template").filter(|_| *topic_key == "state_topic"));
        let said = match template {
            Some(template) => template::render(&template, payload),
            None => Some(payload.trim().to_owned()),
        };
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            let json = *role == Role::Switch && device.speaks_json();
            useful |= take(device, if json { Role::LightJson } else { *role }, &said).is_some();
        }
    }
    useful
}

fn attributes(device: &mut Device, payload: &str) -> bool {
    let template = device.text("json_attributes_template");
    let rendered = match template {
        Some(template) => template::render(&template, payload),
        None => Some(payload.to_owned()),
    };
    let parsed = rendered.and_then(|text| serde_json::from_str::<Map<String, Value>>(&text).ok());
    let Some(parsed) = parsed else { return false };
    let known = super::super::entity::features(&device.component);
    for (key, value) in parsed.into_iter().take(100) {
        // What a topic of its own tells is not overwritten.
        let own = ["state", "brightness", "color", "color_temp", "position"];
        if !own.contains(&key.as_str()) && !known.contains(&key.as_str()) {
            device.entity.attributes.insert(key, value);
        }
    }
    true
}

fn set(device: &mut Device, key: &str, value: impl Into<Value>) {
    device.entity.attributes.insert(key.into(), value.into());
}

/// A number that is not infinite; 21.0 is 21.
fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

pub(super) fn plain(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

fn take(device: &mut Device, role: Role, said: &str) -> Option<()> {
    let is = |device: &Device, key: &str, default: &str| {
        device.text_or(key, default).eq_ignore_ascii_case(said)
    };
    match role {
        Role::Switch => {
            let on = device.text_or("payload_on", "ON");
            let off = device.text_or("payload_off", "OFF");
            let state = if is(device, "state_on", &on) {
                "on"
            } else if is(device, "state_off", &off) {
                "off"
            } else {
                return None;
            };
            device.entity.state = state.into();
        }
        Role::Word => {
            let word = said.chars().take(255).collect();
            device.entity.state = word;
        }
        Role::Moving => moving(device, said)?,
        Role::LightJson => light_json(device, said)?,
        Role::Brightness => {
            let scale = device.number("brightness_scale", 255.0).max(1.0);
            let level = (number(said)? * 255.0 / scale).round().clamp(0.0, 255.0);
            set(device, "brightness", level as i64);
        }
        Role::Rgb => {
            let parts: Vec<u8> = said.split(',').filter_map(number).map(|n| n as u8).collect();
            let [r, g, b] = parts[..] else { return None };
            set(device, "rgb_color", vec![r, g, b]);
        }
        Role::Hs => {
            let (hue, saturation) = said.split_once(',')?;
            let rgb = color::from_hs(number(hue)?, number(saturation)?);
            set(device, "rgb_color", rgb.to_vec());
        }
        Role::ColorTemperature => temperature(device, number(said)?)?,
        Role::Position => position(device, number(said)?),
        Role::Percentage => {
            let low = device.number("speed_range_min", 1.0);
            let high = device.number("speed_range_max", 100.0).max(low);
            let percent =
                ((number(said)? - low + 1.0) * 100.0 / (high - low + 1.0)).clamp(0.0, 100.0);
            set(device, "percentage", percent.round() as i64);
        }
        Role::Number(key) => {
            let value = plain(number(said)?);
            set(device, key, value);
        }
        Role::Text(key) => set(device, key, said),
        Role::Vacuum => {
            let parsed = serde_json::from_str::<Value>(said).unwrap_or_else(|_| said.into());
            let state = parsed.as_str().or_else(|| parsed["state"].as_str())?;
            device.entity.state = state.to_owned();
            if let Some(level) = parsed["battery_level"].as_f64() {
                set(device, "battery_level", plain(level));
            }
        }
    }
    Some(())
}

fn moving(device: &mut Device, said: &str) -> Option<()> {
    if device.truth("reports_position") {
        let parsed = serde_json::from_str::<Value>(said).ok()?;
        let at = parsed.as_f64().or_else(|| parsed["position"].as_f64());
        if let Some(at) = at {
            position(device, at);
        }
        if let Some(state) = parsed["state"].as_str() {
            device.entity.state = state.to_lowercase();
        }
        return Some(());
    }
    let words: &[(&str, &str)] = match device.component.as_str() {
        "lock" => &[
            ("state_locked", "locked"),
            ("state_unlocked", "unlocked"),
            ("state_locking", "locking"),
            ("state_unlocking", "unlocking"),
            ("state_jammed", "jammed"),
        ],
        _ => &[
            ("state_open", "open"),
            ("state_closed", "closed"),
            ("state_opening", "opening"),
            ("state_closing", "closing"),
            ("state_stopped", "stopped"),
        ],
    };
    let found = words.iter().find(|(key, word)| {
        let default = if device.component == "lock" { word.to_uppercase() } else { (*word).into() };
        let default = if *word == "jammed" { "JAMMED".into() } else { default };
        device.text_or(key, &default).eq_ignore_ascii_case(said)
    });
    match found?.1 {
        // Where it stopped is known from its position only.
        "stopped" => {
            let at = device.entity.attributes.get("current_position").and_then(Value::as_f64);
            let closed =
                at.is_some_and(|at| at == 0.0) || at.is_none() && device.entity.state == "closing";
            device.entity.state = if closed { "closed" } else { "open" }.into();
        }
        state => device.entity.state = state.into(),
    }
    Some(())
}

fn position(device: &mut Device, at: f64) {
    let open = device.number("position_open", 100.0);
    let closed = device.number("position_closed", 0.0);
    let range = if (open - closed).abs() < f64::EPSILON { 100.0 } else { open - closed };
    let percent = ((at - closed) * 100.0 / range).round().clamp(0.0, 100.0);
    set(device, "current_position", percent as i64);
    // A state topic of its own says more than the position does.
    if !device.has("state_topic") || device.truth("reports_position") {
        device.entity.state = if percent > 0.0 { "open" } else { "closed" }.into();
    }
}

fn temperature(device: &mut Device, value: f64) -> Option<()> {
    let kelvin = if device.truth("color_temp_kelvin") { value } else { 1e6 / value };
    if !kelvin.is_finite() || !(500.0..=50_000.0).contains(&kelvin) {
        return None;
    }
    set(device, "color_temp_kelvin", kelvin.round() as i64);
    Some(())
}

fn light_json(device: &mut Device, said: &str) -> Option<()> {
    let parsed = serde_json::from_str::<Map<String, Value>>(said).ok()?;
    let mut useful = false;
    if let Some(state) = parsed.get("state").and_then(Value::as_str) {
        let state = state.to_lowercase();
        if matches!(state.as_str(), "on" | "off") {
            device.entity.state = state;
            useful = true;
        }
    }
    if let Some(level) = parsed.get("brightness").and_then(Value::as_f64) {
        take(device, Role::Brightness, &level.to_string())?;
        useful = true;
    }
    let mode = parsed.get("color_mode").and_then(Value::as_str).map(str::to_owned);
    let warm = mode.as_deref() == Some("color_temp");
    if let Some(value) =
        parsed.get("color_temp").and_then(Value::as_f64).filter(|_| mode.is_none() || warm)
    {
        useful |= temperature(device, value).is_some();
    }
    if let Some(color) = parsed.get("color").filter(|_| !warm) {
        let part = |key: &str| color[key].as_f64();
        let rgb = match (part("r"), part("g"), part("b")) {
            (Some(r), Some(g), Some(b)) => Some([r as u8, g as u8, b as u8]),
            _ => match (part("h").or(part("hue")), part("s").or(part("saturation"))) {
                (Some(h), Some(s)) => Some(color::from_hs(h, s)),
                _ => part("x").zip(part("y")).map(|(x, y)| color::from_xy(x, y)),
            },
        };
        if let Some(rgb) = rgb {
            set(device, "rgb_color", rgb.to_vec());
            device.entity.attributes.remove("color_temp_kelvin");
            useful = true;
        }
    }
    if warm {
        device.entity.attributes.remove("rgb_color");
    }
    if let Some(mode) = mode {
        set(device, "color_mode", mode);
    }
    useful.then_some(())
}
