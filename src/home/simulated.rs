//! Devices that exist only here: each does at once and exactly what it is asked to do. Covers,
//! vacuums and mowers arrive without travelling.

use jiff::ZonedDateTime;
use serde_json::{Value, json};

use super::colors;
use super::names::fold;
use super::{Backend, Call, Entity, HomeError, Outcome};

/// How many things a list may hold.
const LONGEST_LIST: usize = 1000;

/// The simulated devices. They keep nothing of their own: a state and a call give the next state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulated;

impl Backend for Simulated {
    fn apply(
        &mut self,
        entity: &Entity,
        call: &Call,
        now: &ZonedDateTime,
    ) -> Result<Outcome, HomeError> {
        if entity.is_unavailable() {
            return Err(HomeError::NotAnswering { entity: entity.id.clone() });
        }
        let ask = Ask { entity, call };
        let Some((domain, verb)) = call.service.split_once('.') else {
            return Err(ask.unsupported());
        };
        if domain != entity.domain && domain != "homeassistant" {
            return Err(ask.unsupported());
        }
        let mut next = Outcome::of(entity);
        match entity.domain.as_str() {
            "light" => light(&ask, verb, &mut next)?,
            "cover" => cover(&ask, verb, &mut next, ["open_cover", "close_cover"])?,
            "valve" => cover(&ask, verb, &mut next, ["open_valve", "close_valve"])?,
            "climate" => climate(&ask, verb, &mut next)?,
            "fan" => fan(&ask, verb, &mut next)?,
            "media_player" => media_player(&ask, verb, &mut next)?,
            "vacuum" => vacuum(&ask, verb, &mut next)?,
            "todo" => todo(&ask, verb, &mut next)?,
            _ => plain(&ask, verb, &mut next, now)?,
        }
        Ok(next)
    }
}

/// A call on an entity, with readers for its fields.
struct Ask<'a> {
    entity: &'a Entity,
    call: &'a Call,
}

impl Ask<'_> {
    fn unsupported(&self) -> HomeError {
        let (entity, service) = (self.entity.id.clone(), self.call.service.clone());
        HomeError::Unsupported { entity, service }
    }

    fn bad(&self, key: &str, allowed: impl Into<String>) -> HomeError {
        HomeError::BadValue {
            entity: self.entity.id.clone(),
            key: key.into(),
            value: self.call.data.get(key).unwrap_or(&Value::Null).to_string(),
            allowed: allowed.into(),
            limits: None,
        }
    }

    fn out_of_limits(&self, key: &str, low: f64, high: f64) -> HomeError {
        let mut error = self.bad(key, format!("a number from {low} to {high}"));
        if let HomeError::BadValue { limits, .. } = &mut error {
            *limits = Some([low, high]);
        }
        error
    }

    fn needs(&self, feature: &str) -> Result<(), HomeError> {
        if self.entity.can(feature) { Ok(()) } else { Err(self.unsupported()) }
    }

    /// A number within limits; `None` when the field is not there.
    fn number(&self, key: &str, low: f64, high: f64) -> Result<Option<f64>, HomeError> {
        let Some(value) = self.call.data.get(key) else { return Ok(None) };
        match value.as_f64() {
            Some(number) if (low..=high).contains(&number) => Ok(Some(number)),
            _ => Err(self.out_of_limits(key, low, high)),
        }
    }

    fn required(&self, key: &str, low: f64, high: f64) -> Result<f64, HomeError> {
        self.number(key, low, high)?.ok_or_else(|| self.out_of_limits(key, low, high))
    }

    fn text(&self, key: &str) -> Result<&str, HomeError> {
        match self.call.data.get(key).and_then(Value::as_str).map(str::trim) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.bad(key, "words")),
        }
    }

    fn attribute(&self, key: &str, default: f64) -> f64 {
        self.entity.attributes.get(key).and_then(Value::as_f64).unwrap_or(default)
    }
}

/// 21.0 becomes 21, so that a value is spoken as it was said.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

fn set(next: &mut Outcome, key: &str, value: impl Into<Value>) {
    next.attributes.insert(key.into(), value.into());
}

fn light(ask: &Ask<'_>, verb: &str, next: &mut Outcome) -> Result<(), HomeError> {
    match verb {
        "turn_off" => next.state = "off".into(),
        "turn_on" => {
            next.state = "on".into();
            if let Some(percent) = ask.number("brightness_pct", 0.0, 100.0)? {
                ask.needs("brightness")?;
                if percent == 0.0 {
                    next.state = "off".into();
                } else {
                    set(next, "brightness", (percent * 255.0 / 100.0).round().max(1.0) as i64);
                }
            } else if ask.entity.can("brightness") && !next.attributes.contains_key("brightness") {
                set(next, "brightness", 255);
            }
            if ask.call.data.contains_key("color_name") {
                ask.needs("color")?;
                let name = ask.text("color_name")?;
                let rgb = colors::rgb(name)
                    .ok_or_else(|| ask.bad("color_name", "a colour's English name"))?;
                set(next, "rgb_color", rgb.to_vec());
                set(next, "color_mode", "rgb");
                next.attributes.remove("color_temp_kelvin");
            }
            if let Some(kelvin) = ask.number("color_temp_kelvin", 1000.0, 10_000.0)? {
                ask.needs("temperature")?;
                // Lamps go as far as they can, as they do with Home Assistant.
                let low = ask.attribute("min_color_temp_kelvin", 2000.0);
                let high = ask.attribute("max_color_temp_kelvin", 6500.0).max(low);
                set(next, "color_temp_kelvin", kelvin.clamp(low, high).round() as i64);
                set(next, "color_mode", "color_temp");
                next.attributes.remove("rgb_color");
            }
        }
        _ => return Err(ask.unsupported()),
    }
    Ok(())
}

fn cover(
    ask: &Ask<'_>,
    verb: &str,
    next: &mut Outcome,
    [open, close]: [&str; 2],
) -> Result<(), HomeError> {
    let position = if verb == open {
        100.0
    } else if verb == close {
        0.0
    } else if matches!(verb, "set_cover_position" | "set_valve_position") {
        ask.needs("position")?;
        ask.required("position", 0.0, 100.0)?
    } else {
        return Err(ask.unsupported());
    };
    next.state = if position > 0.0 { "open" } else { "closed" }.into();
    if ask.entity.can("position") {
        set(next, "current_position", position.round() as i64);
    }
    Ok(())
}

fn climate(ask: &Ask<'_>, verb: &str, next: &mut Outcome) -> Result<(), HomeError> {
    match verb {
        "turn_off" => {
            if next.state != "off" {
                let mode = next.state.clone();
                set(next, "last_mode", mode);
            }
            next.state = "off".into();
        }
        "turn_on" => {
            if next.state == "off" {
                let modes = ask.entity.attributes.get("hvac_modes").and_then(Value::as_array);
                let first = modes.into_iter().flatten().filter_map(Value::as_str);
                let last = ask.entity.attributes.get("last_mode").and_then(Value::as_str);
                let mode = last.or_else(|| first.into_iter().find(|mode| *mode != "off"));
                next.state = mode.unwrap_or("heat").into();
            }
        }
        "set_temperature" => {
            ask.needs("temperature")?;
            let low = ask.attribute("min_temp", 7.0);
            let high = ask.attribute("max_temp", 35.0).max(low);
            set(next, "temperature", number(ask.required("temperature", low, high)?));
        }
        "set_fan_mode" => {
            ask.needs("fan_mode")?;
            let mode = ask.text("fan_mode")?;
            if let Some(Value::Array(modes)) = ask.entity.attributes.get("fan_modes") {
                let known: Vec<&str> = modes.iter().filter_map(Value::as_str).collect();
                if !known.contains(&mode) {
                    return Err(ask.bad("fan_mode", format!("one of {}", known.join(", "))));
                }
            }
            set(next, "fan_mode", mode);
        }
        _ => return Err(ask.unsupported()),
    }
    Ok(())
}

fn fan(ask: &Ask<'_>, verb: &str, next: &mut Outcome) -> Result<(), HomeError> {
    match verb {
        "turn_on" => {
            next.state = "on".into();
            if ask.entity.can("speed") && ask.attribute("percentage", 0.0) == 0.0 {
                set(next, "percentage", 100);
            }
        }
        "turn_off" => next.state = "off".into(),
        "set_percentage" => {
            ask.needs("speed")?;
            let speed = ask.required("percentage", 0.0, 100.0)?;
            next.state = if speed > 0.0 { "on" } else { "off" }.into();
            set(next, "percentage", speed.round() as i64);
        }
        _ => return Err(ask.unsupported()),
    }
    Ok(())
}

fn media_player(ask: &Ask<'_>, verb: &str, next: &mut Outcome) -> Result<(), HomeError> {
    match verb {
        "turn_on" => {
            if next.state == "off" {
                next.state = "idle".into();
            }
        }
        "turn_off" => next.state = "off".into(),
        "media_play" => next.state = "playing".into(),
        "media_pause" => {
            if next.state == "playing" {
                next.state = "paused".into();
            }
        }
        "media_next_track" | "media_previous_track" => {
            ask.needs("track")?;
            let step = if verb == "media_next_track" { 1.0 } else { -1.0 };
            let track = (ask.attribute("media_track", 1.0) + step).clamp(1.0, 9999.0);
            set(next, "media_track", track as i64);
        }
        "volume_set" => {
            ask.needs("volume")?;
            let level = ask.required("volume_level", 0.0, 1.0)?;
            set(next, "volume_level", number((level * 100.0).round() / 100.0));
        }
        "volume_mute" => {
            ask.needs("volume")?;
            let muted = ask.call.data.get("is_volume_muted").and_then(Value::as_bool);
            let muted = muted.ok_or_else(|| ask.bad("is_volume_muted", "true or false"))?;
            set(next, "is_volume_muted", muted);
        }
        "play_media" => {
            ask.needs("play")?;
            let title = ask.text("media_content_id")?;
            set(next, "media_title", title);
            if ask.call.data.contains_key("media_content_type") {
                set(next, "media_content_type", ask.text("media_content_type")?);
            }
            next.state = "playing".into();
        }
        _ => return Err(ask.unsupported()),
    }
    Ok(())
}

fn vacuum(ask: &Ask<'_>, verb: &str, next: &mut Outcome) -> Result<(), HomeError> {
    match verb {
        "start" | "turn_on" => {
            next.state = "cleaning".into();
            next.attributes.remove("cleaning_area");
        }
        "clean_area" => {
            next.state = "cleaning".into();
            set(next, "cleaning_area", ask.text("cleaning_area_id")?);
        }
        "return_to_base" | "turn_off" => {
            next.state = "docked".into();
            next.attributes.remove("cleaning_area");
        }
        _ => return Err(ask.unsupported()),
    }
    Ok(())
}

fn todo(ask: &Ask<'_>, verb: &str, next: &mut Outcome) -> Result<(), HomeError> {
    let mut items = match next.attributes.remove("items") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let summary = |item: &Value| fold(item["summary"].as_str().unwrap_or_default());
    let wanted = ask.text("item")?;
    let missing = || HomeError::NoSuchItem { list: ask.entity.id.clone(), item: wanted.into() };
    // What is still to be done goes before what is ticked off already.
    let find = |items: &[Value], open: bool| {
        items.iter().position(|item| {
            summary(item) == fold(wanted) && (!open || item["status"] == "needs_action")
        })
    };
    match verb {
        "add_item" => {
            if items.len() >= LONGEST_LIST {
                return Err(HomeError::TooMany { what: "things on a list", limit: LONGEST_LIST });
            }
            items.push(json!({ "summary": wanted, "status": "needs_action" }));
        }
        "remove_item" => {
            let at = find(&items, true).or_else(|| find(&items, false)).ok_or_else(missing)?;
            items.remove(at);
        }
        "update_item" => {
            let at = find(&items, true).ok_or_else(missing)?;
            items[at]["status"] = ask.text("status")?.into();
        }
        _ => return Err(ask.unsupported()),
    }
    next.state = items.iter().filter(|item| item["status"] == "needs_action").count().to_string();
    set(next, "items", items);
    Ok(())
}

/// Domains that have one or two services without fields.
fn plain(
    ask: &Ask<'_>,
    verb: &str,
    next: &mut Outcome,
    now: &ZonedDateTime,
) -> Result<(), HomeError> {
    let stamp = || now.timestamp().strftime("%FT%T+00:00").to_string();
    match (ask.entity.domain.as_str(), verb) {
        (
            "switch" | "input_boolean" | "siren" | "humidifier" | "water_heater" | "remote"
            | "automation" | "camera",
            "turn_on" | "turn_off",
        ) => next.state = verb.trim_start_matches("turn_").into(),
        ("lock", "lock") => next.state = "locked".into(),
        ("lock", "unlock") => next.state = "unlocked".into(),
        ("lawn_mower", "start_mowing") => next.state = "mowing".into(),
        ("lawn_mower", "dock") => next.state = "docked".into(),
        ("scene", "turn_on") | ("button" | "input_button", "press") => next.state = stamp(),
        ("script" | "automation", "turn_on" | "trigger") => set(next, "last_triggered", stamp()),
        ("script", "turn_off") => next.state = "off".into(),
        ("alarm_control_panel", "alarm_arm_away" | "alarm_arm_home" | "alarm_disarm") => {
            next.state = match verb {
                "alarm_arm_away" => "armed_away",
                "alarm_arm_home" => "armed_home",
                _ => "disarmed",
            }
            .into();
        }
        _ => return Err(ask.unsupported()),
    }
    Ok(())
}

#[cfg(test)]
#[path = "simulated_tests.rs"]
mod tests;
