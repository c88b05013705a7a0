//! From a call to what is published.

use serde_json::{Map, Value, json};

use super::super::{Call, Outcome};
use super::color;
use super::device::Device;
use super::read::plain;
use super::template;

/// A topic and its payload.
pub(super) type Message = (String, String);

/// What is published for a call, given how the entity is to be afterwards. Empty when the device
/// has no topic for it.
pub(super) fn messages(device: &Device, call: &Call, next: &Outcome) -> Vec<Message> {
    let verb = call.service.split_once('.').map_or("", |(_, verb)| verb);
    let write = Write { device, next };
    match device.component.as_str() {
        "light" if device.speaks_json() => write.light_json(call),
        "light" => write.light(call),
        "cover" => match verb {
            "open_cover" => write.word("command_topic", "payload_open", "OPEN"),
            "close_cover" => write.word("command_topic", "payload_close", "CLOSE"),
            _ => write.position("set_position_topic", "set_position_template"),
        },
        "valve" if device.truth("reports_position") => {
            write.position("command_topic", "command_template")
        }
        "valve" => match verb {
            "open_valve" => write.word("command_topic", "payload_open", "OPEN"),
            "close_valve" => write.word("command_topic", "payload_close", "CLOSE"),
            _ => None,
        },
        "lock" => match verb {
            "lock" => write.word("command_topic", "payload_lock", "LOCK"),
            _ => write.word("command_topic", "payload_unlock", "UNLOCK"),
        },
        "climate" => write.climate(verb),
        "fan" => write.fan(verb),
        "vacuum" => match verb {
            "start" | "turn_on" => write.word("command_topic", "payload_start", "start"),
            "return_to_base" | "turn_off" => {
                write.word("command_topic", "payload_return_to_base", "return_to_base")
            }
            _ => None,
        },
        "lawn_mower" => match verb {
            "start_mowing" => write.value(
                "start_mowing_command_topic",
                "start_mowing_command_template",
                &"start_mowing".into(),
            ),
            _ => write.value("dock_command_topic", "dock_command_template", &"dock".into()),
        },
        "scene" => write.word("command_topic", "payload_on", "ON"),
        "button" => write.word("command_topic", "payload_press", "PRESS"),
        "alarm_control_panel" => match verb {
            "alarm_arm_away" => write.word("command_topic", "payload_arm_away", "ARM_AWAY"),
            "alarm_arm_home" => write.word("command_topic", "payload_arm_home", "ARM_HOME"),
            _ => write.word("command_topic", "payload_disarm", "DISARM"),
        },
        _ => match next.state.as_str() {
            "on" => write.word("command_topic", "payload_on", "ON"),
            _ => write.word("command_topic", "payload_off", "OFF"),
        },
    }
    .unwrap_or_default()
}

struct Write<'a> {
    device: &'a Device,
    next: &'a Outcome,
}

type Written = Option<Vec<Message>>;

impl Write<'_> {
    fn attribute(&self, key: &str) -> Option<f64> {
        self.next.attributes.get(key)?.as_f64()
    }

    fn rgb(&self) -> Option<[u8; 3]> {
        let list = self.next.attributes.get("rgb_color")?.as_array()?;
        let parts: Vec<u8> = list.iter().filter_map(|v| u8::try_from(v.as_u64()?).ok()).collect();
        parts.try_into().ok()
    }

    /// A fixed word on a topic.
    fn word(&self, topic: &str, payload: &str, default: &str) -> Written {
        let word = self.device.text_or(payload, default);
        self.value(topic, "command_template", &word.into())
    }

    /// A value on a topic, through the topic's template where it has one.
    fn value(&self, topic: &str, template_key: &str, value: &Value) -> Written {
        let topic = self.device.text(topic)?;
        let payload = match self.device.text(template_key) {
            Some(source) => template::command(&source, value)?,
            None => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        };
        Some(vec![(topic, payload)])
    }

    fn position(&self, topic: &str, template: &str) -> Written {
        let percent = self
            .attribute("current_position")
            .unwrap_or_else(|| if self.next.state == "closed" { 0.0 } else { 100.0 });
        let open = self.device.number("position_open", 100.0);
        let closed = self.device.number("position_closed", 0.0);
        self.value(topic, template, &plain((closed + percent * (open - closed) / 100.0).round()))
    }

    fn scaled_brightness(&self) -> Option<Value> {
        let scale = self.device.number("brightness_scale", 255.0).max(1.0);
        Some(plain((self.attribute("brightness")? * scale / 255.0).round().max(1.0)))
    }

    fn temperature(&self) -> Option<Value> {
        let kelvin = self.attribute("color_temp_kelvin")?;
        let kelvin_wanted = self.device.truth("color_temp_kelvin");
        Some(plain(if kelvin_wanted { kelvin } else { 1e6 / kelvin }.round()))
    }

    fn light_json(&self, call: &Call) -> Written {
        let on = self.next.state == "on";
        let mut payload = Map::new();
        payload.insert("state".into(), if on { "ON" } else { "OFF" }.into());
        if on && call.data.contains_key("brightness_pct") {
            payload.insert("brightness".into(), self.scaled_brightness()?);
        }
        if on && call.data.contains_key("color_name") {
            let rgb = self.rgb()?;
            let short = |value: f64| plain((value * 10_000.0).round() / 10_000.0);
            let color = if self.device.color_mode("xy") {
                let (x, y) = color::to_xy(rgb);
                json!({ "x": short(x), "y": short(y) })
            } else if self.device.color_mode("hs") {
                let (h, s) = color::to_hs(rgb);
                json!({ "h": short(h), "s": short(s) })
            } else {
                json!({ "r": rgb[0], "g": rgb[1], "b": rgb[2] })
            };
            payload.insert("color".into(), color);
        }
        if on && call.data.contains_key("color_temp_kelvin") {
            payload.insert("color_temp".into(), self.temperature()?);
        }
        let topic = self.device.text("command_topic")?;
        Some(vec![(topic, Value::Object(payload).to_string())])
    }

    fn light(&self, call: &Call) -> Written {
        if self.next.state != "on" {
            return self.word("command_topic", "payload_off", "OFF");
        }
        let mut messages = Vec::new();
        if call.data.contains_key("color_name") {
            let [r, g, b] = self.rgb()?;
            messages.extend(if self.device.has("rgb_command_topic") {
                vec![(self.device.text("rgb_command_topic")?, format!("{r},{g},{b}"))]
            } else {
                let (h, s) = color::to_hs([r, g, b]);
                vec![(self.device.text("hs_command_topic")?, format!("{h},{s}"))]
            });
        }
        if call.data.contains_key("color_temp_kelvin") {
            let value = self.temperature()?;
            messages.extend(self.value(
                "color_temp_command_topic",
                "color_temp_command_template",
                &value,
            )?);
        }
        let mut by_level = false;
        if call.data.contains_key("brightness_pct") {
            let value = self.scaled_brightness()?;
            messages.extend(self.value(
                "brightness_command_topic",
                "brightness_command_template",
                &value,
            )?);
            by_level = self.device.text("on_command_type").as_deref() == Some("brightness");
        }
        if !by_level {
            let on = self.word("command_topic", "payload_on", "ON")?;
            if self.device.text("on_command_type").as_deref() == Some("first") {
                messages.splice(0..0, on);
            } else {
                messages.extend(on);
            }
        }
        Some(messages)
    }

    fn climate(&self, verb: &str) -> Written {
        match verb {
            "set_temperature" => {
                let value = plain(self.attribute("temperature")?);
                self.value("temperature_command_topic", "temperature_command_template", &value)
            }
            "set_fan_mode" => {
                let mode = self.next.attributes.get("fan_mode")?;
                self.value("fan_mode_command_topic", "fan_mode_command_template", mode)
            }
            _ => {
                let power = match self.next.state.as_str() {
                    "off" => self.word("power_command_topic", "payload_off", "OFF"),
                    _ => self.word("power_command_topic", "payload_on", "ON"),
                };
                let state = Value::from(self.next.state.as_str());
                power.or_else(|| self.value("mode_command_topic", "mode_command_template", &state))
            }
        }
    }

    fn fan(&self, verb: &str) -> Written {
        if verb == "set_percentage" && self.next.state == "on" {
            let percent = self.attribute("percentage")?;
            let low = self.device.number("speed_range_min", 1.0);
            let high = self.device.number("speed_range_max", 100.0).max(low);
            let step = (percent * (high - low + 1.0) / 100.0).ceil() + low - 1.0;
            return self.value(
                "percentage_command_topic",
                "percentage_command_template",
                &plain(step.clamp(low, high)),
            );
        }
        match self.next.state.as_str() {
            "on" => self.word("command_topic", "payload_on", "ON"),
            _ => self.word("command_topic", "payload_off", "OFF"),
        }
    }
}
