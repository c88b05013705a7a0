//! Home Assistant's discovery: `<prefix>/<component>/[<node>/]<object>/config`.

use serde_json::{Map, Value};

use super::device::Device;

/// The longest announcement that is read, in bytes.
pub(super) const LONGEST: usize = 256 << 10;

/// The component and the object of a discovery topic.
pub(super) fn topic<'a>(prefix: &str, topic: &'a str) -> Option<(&'a str, &'a str)> {
    let rest = topic.strip_prefix(prefix)?.strip_prefix('/')?.strip_suffix("/config")?;
    let parts: Vec<&str> = rest.split('/').collect();
    match parts[..] {
        [component, object] | [component, _, object] => Some((component, object)),
        _ => None,
    }
}

/// The entities of an announcement; each is usable or comes with the reason why not.
pub(super) fn read(component: &str, object: &str, payload: &str) -> Vec<Result<Device, String>> {
    if payload.len() > LONGEST {
        let (size, most) = (payload.len(), LONGEST);
        return vec![Err(format!("it has {size} bytes; at most {most} are read"))];
    }
    let config = match serde_json::from_str::<Map<String, Value>>(payload) {
        Ok(config) => expand(config),
        Err(error) => return vec![Err(format!("it is no JSON object: {error}"))],
    };
    if component != "device" {
        return vec![Device::new(component, object, config)];
    }
    // One announcement for a whole device: what the parts share stands beside them.
    let mut shared = config;
    let Some(Value::Object(parts)) = shared.remove("components") else {
        return vec![Err("it lists no components".into())];
    };
    let base = shared.remove("~");
    let parts = parts.into_iter().filter_map(|(name, part)| {
        let Value::Object(mut part) = part else { return None };
        if let Some(base) = &base {
            part.entry("~").or_insert_with(|| base.clone());
        }
        let part = expand(part);
        let component = part.get("platform").and_then(Value::as_str)?.to_owned();
        let mut whole = shared.clone();
        whole.extend(part);
        // Only a platform is left of a part that was taken away.
        (whole.len() > shared.len() + 1).then(|| Device::new(&component, &name, whole))
    });
    parts.collect()
}

/// Spells the short keys out and puts the base topic in.
fn expand(config: Map<String, Value>) -> Map<String, Value> {
    let mut config = long_keys(config, KEYS);
    if let Some(Value::Object(device)) = config.remove("device") {
        config.insert("device".into(), Value::Object(long_keys(device, DEVICE_KEYS)));
    }
    match config.remove("availability") {
        Some(Value::Array(rows)) => {
            let rows = rows.into_iter().map(|row| match row {
                Value::Object(row) => Value::Object(long_keys(row, KEYS)),
                other => other,
            });
            config.insert("availability".into(), rows.collect());
        }
        Some(Value::Object(row)) => {
            config.insert("availability".into(), Value::Object(long_keys(row, KEYS)));
        }
        _ => {}
    }
    let Some(Value::String(base)) = config.get("~").cloned() else { return config };
    let put = |(key, value): (&String, &mut Value)| {
        if !key.ends_with("topic") {
            return;
        }
        if let Value::String(topic) = value {
            if let Some(rest) = topic.strip_prefix('~') {
                *topic = format!("{base}{rest}");
            } else if let Some(rest) = topic.strip_suffix('~') {
                *topic = format!("{rest}{base}");
            }
        }
    };
    config.iter_mut().for_each(put);
    match config.get_mut("availability") {
        Some(Value::Array(rows)) => {
            for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                row.iter_mut().for_each(put);
            }
        }
        Some(Value::Object(row)) => row.iter_mut().for_each(put),
        _ => {}
    }
    config
}

fn long_keys(map: Map<String, Value>, keys: &[(&str, &str)]) -> Map<String, Value> {
    let long = |key: String| match keys.iter().find(|(short, _)| *short == key) {
        Some((_, long)) => (*long).to_owned(),
        None => key,
    };
    map.into_iter().map(|(key, value)| (long(key), value)).collect()
}

const DEVICE_KEYS: &[(&str, &str)] =
    &[("ids", "identifiers"), ("mf", "manufacturer"), ("mdl", "model"), ("sa", "suggested_area")];

/// Home Assistant's short keys, of what is used here.
const KEYS: &[(&str, &str)] = &[
    ("act_t", "action_topic"),
    ("act_tpl", "action_template"),
    ("act_stat_t", "activity_state_topic"),
    ("act_val_tpl", "activity_value_template"),
    ("avty", "availability"),
    ("avty_mode", "availability_mode"),
    ("avty_t", "availability_topic"),
    ("avty_tpl", "availability_template"),
    ("bri_cmd_t", "brightness_command_topic"),
    ("bri_cmd_tpl", "brightness_command_template"),
    ("bri_scl", "brightness_scale"),
    ("bri_stat_t", "brightness_state_topic"),
    ("bri_val_tpl", "brightness_value_template"),
    ("clr_temp_cmd_t", "color_temp_command_topic"),
    ("clr_temp_cmd_tpl", "color_temp_command_template"),
    ("clr_temp_k", "color_temp_kelvin"),
    ("clr_temp_stat_t", "color_temp_state_topic"),
    ("clr_temp_val_tpl", "color_temp_value_template"),
    ("cmd_t", "command_topic"),
    ("cmd_tpl", "command_template"),
    ("cmps", "components"),
    ("curr_temp_t", "current_temperature_topic"),
    ("curr_temp_tpl", "current_temperature_template"),
    ("def_ent_id", "default_entity_id"),
    ("dev", "device"),
    ("dev_cla", "device_class"),
    ("dock_cmd_t", "dock_command_topic"),
    ("dock_cmd_tpl", "dock_command_template"),
    ("en", "enabled_by_default"),
    ("ent_cat", "entity_category"),
    ("fan_mode_cmd_t", "fan_mode_command_topic"),
    ("fan_mode_cmd_tpl", "fan_mode_command_template"),
    ("fan_mode_stat_t", "fan_mode_state_topic"),
    ("fan_mode_stat_tpl", "fan_mode_state_template"),
    ("hs_cmd_t", "hs_command_topic"),
    ("hs_stat_t", "hs_state_topic"),
    ("hs_val_tpl", "hs_value_template"),
    ("json_attr_t", "json_attributes_topic"),
    ("json_attr_tpl", "json_attributes_template"),
    ("max_k", "max_kelvin"),
    ("min_k", "min_kelvin"),
    ("mode_cmd_t", "mode_command_topic"),
    ("mode_cmd_tpl", "mode_command_template"),
    ("mode_stat_t", "mode_state_topic"),
    ("mode_stat_tpl", "mode_state_template"),
    ("obj_id", "object_id"),
    ("on_cmd_type", "on_command_type"),
    ("opt", "optimistic"),
    ("p", "platform"),
    ("pct_cmd_t", "percentage_command_topic"),
    ("pct_cmd_tpl", "percentage_command_template"),
    ("pct_stat_t", "percentage_state_topic"),
    ("pct_val_tpl", "percentage_value_template"),
    ("pl_arm_away", "payload_arm_away"),
    ("pl_arm_home", "payload_arm_home"),
    ("pl_avail", "payload_available"),
    ("pl_cls", "payload_close"),
    ("pl_disarm", "payload_disarm"),
    ("pl_lock", "payload_lock"),
    ("pl_not_avail", "payload_not_available"),
    ("pl_off", "payload_off"),
    ("pl_on", "payload_on"),
    ("pl_open", "payload_open"),
    ("pl_prs", "payload_press"),
    ("pl_ret", "payload_return_to_base"),
    ("pl_strt", "payload_start"),
    ("pl_unlk", "payload_unlock"),
    ("pos", "reports_position"),
    ("pos_clsd", "position_closed"),
    ("pos_open", "position_open"),
    ("pos_t", "position_topic"),
    ("pos_tpl", "position_template"),
    ("pow_cmd_t", "power_command_topic"),
    ("ret", "retain"),
    ("rgb_cmd_t", "rgb_command_topic"),
    ("rgb_stat_t", "rgb_state_topic"),
    ("rgb_val_tpl", "rgb_value_template"),
    ("set_pos_t", "set_position_topic"),
    ("set_pos_tpl", "set_position_template"),
    ("spd_rng_max", "speed_range_max"),
    ("spd_rng_min", "speed_range_min"),
    ("stat_clsd", "state_closed"),
    ("stat_closing", "state_closing"),
    ("stat_jam", "state_jammed"),
    ("stat_locked", "state_locked"),
    ("stat_locking", "state_locking"),
    ("stat_off", "state_off"),
    ("stat_on", "state_on"),
    ("stat_open", "state_open"),
    ("stat_opening", "state_opening"),
    ("stat_stopped", "state_stopped"),
    ("stat_t", "state_topic"),
    ("stat_unlocked", "state_unlocked"),
    ("stat_unlocking", "state_unlocking"),
    ("stat_val_tpl", "state_value_template"),
    ("strt_mow_cmd_t", "start_mowing_command_topic"),
    ("strt_mow_cmd_tpl", "start_mowing_command_template"),
    ("sup_clrm", "supported_color_modes"),
    ("t", "topic"),
    ("temp_cmd_t", "temperature_command_topic"),
    ("temp_cmd_tpl", "temperature_command_template"),
    ("temp_stat_t", "temperature_state_topic"),
    ("temp_stat_tpl", "temperature_state_template"),
    ("uniq_id", "unique_id"),
    ("unit_of_meas", "unit_of_measurement"),
    ("val_tpl", "value_template"),
];
