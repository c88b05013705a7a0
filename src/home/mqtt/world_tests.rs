use serde_json::{Value, json};

use super::super::write;
use super::*;
use crate::home::{Backend, Call, Simulated};

fn world() -> World {
    let mut world = World::new(&Config::default());
    world.set_connected(true);
    world
}

fn announce(world: &mut World, component: &str, config: &Value) -> BTreeSet<String> {
    let topic = format!("homeassistant/{component}/thing/config");
    world.hear(&topic, config.to_string().as_bytes(), true)
}

fn now() -> jiff::ZonedDateTime {
    "2026-11-24T20:00:00[UTC]".parse().unwrap()
}

/// The only device, as the home sees it.
fn only(world: &World) -> (&Device, Value) {
    let device = world.devices.values().next().unwrap();
    let state = json!({ "state": world.outcome(device).state });
    let mut whole = state.as_object().unwrap().clone();
    whole.extend(device.entity.attributes.clone());
    (device, Value::Object(whole))
}

#[test]
fn reports_are_read() {
    let json_light = json!({"name": "L", "schema": "json", "stat_t": "s", "cmd_t": "c",
        "brightness": true, "bri_scl": 254, "sup_clrm": ["xy", "color_temp"]});
    type Messages<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, Value, Messages<'_>, Value)] = &[
        (
            "light",
            json!({"name": "L", "~": "lamp", "stat_t": "~/state", "cmd_t": "~/set",
                "bri_stat_t": "~/bri", "bri_scl": 100, "rgb_stat_t": "~/rgb", "pl_on": "1", "pl_off": "0"}),
            &[
                ("lamp/state", "1"),
                ("lamp/bri", "40"),
                ("lamp/rgb", "255,0,10"),
                ("lamp/state", "?"),
            ],
            json!({"state": "on", "brightness": 102, "rgb_color": [255, 0, 10]}),
        ),
        (
            "light",
            json_light.clone(),
            &[(
                "s",
                r#"{"state": "ON", "brightness": 254, "color_mode": "color_temp", "color_temp": 250}"#,
            )],
            json!({"state": "on", "brightness": 255, "color_temp_kelvin": 4000, "color_mode": "color_temp"}),
        ),
        (
            "light",
            json_light,
            &[
                ("s", r#"{"state": "ON", "color_mode": "hs", "color": {"h": 120, "s": 100}}"#),
                ("s", "["),
            ],
            json!({"state": "on", "rgb_color": [0, 255, 0], "color_mode": "hs"}),
        ),
        (
            "switch",
            json!({"name": "S", "stat_t": "s", "val_tpl": "{{ value_json.relay }}", "stat_on": "yes", "stat_off": "no"}),
            &[("s", r#"{"relay": "yes"}"#)],
            json!({"state": "on"}),
        ),
        (
            "sensor",
            json!({"name": "T", "stat_t": "s", "val_tpl": "{{ value_json.t | round(1) }}",
                "unit_of_meas": "°C", "dev_cla": "temperature", "json_attr_t": "s"}),
            &[("s", r#"{"t": 20.55, "battery": 3}"#)],
            json!({"state": "20.6", "unit_of_measurement": "°C", "device_class": "temperature", "t": 20.55, "battery": 3}),
        ),
        (
            "binary_sensor",
            json!({"name": "D", "stat_t": "s", "dev_cla": "door", "pl_on": true, "pl_off": false, "val_tpl": "{{ value_json.open }}"}),
            &[("s", r#"{"open": true}"#)],
            json!({"state": "on", "device_class": "door"}),
        ),
        (
            "cover",
            json!({"name": "C", "pos_t": "p", "set_pos_t": "sp", "cmd_t": "c", "pos_open": 0, "pos_clsd": 50}),
            &[("p", "10")],
            json!({"state": "open", "current_position": 80}),
        ),
        (
            "cover",
            json!({"name": "C", "stat_t": "s", "cmd_t": "c"}),
            &[("s", "closing"), ("s", "stopped")],
            json!({"state": "closed"}),
        ),
        (
            "valve",
            json!({"name": "V", "stat_t": "s", "cmd_t": "c", "reports_position": true}),
            &[("s", r#"{"position": 30}"#)],
            json!({"state": "open", "current_position": 30}),
        ),
        (
            "lock",
            json!({"name": "K", "stat_t": "s", "cmd_t": "c"}),
            &[("s", "UNLOCKED")],
            json!({"state": "unlocked"}),
        ),
        (
            "climate",
            json!({"name": "H", "mode_stat_t": "m", "temp_stat_t": "t", "curr_temp_t": "now", "temp_cmd_t": "x", "modes": ["off", "heat"]}),
            &[("m", "heat"), ("t", "21.0"), ("now", "19.5"), ("t", "NaN")],
            json!({"state": "heat", "temperature": 21, "current_temperature": 19.5, "hvac_modes": ["off", "heat"]}),
        ),
        (
            "fan",
            json!({"name": "F", "stat_t": "s", "cmd_t": "c", "pct_stat_t": "p", "pct_cmd_t": "pc", "spd_rng_max": 4}),
            &[("s", "ON"), ("p", "2")],
            json!({"state": "on", "percentage": 50}),
        ),
        (
            "vacuum",
            json!({"name": "V", "stat_t": "s", "cmd_t": "c"}),
            &[("s", r#"{"state": "cleaning", "battery_level": 61}"#)],
            json!({"state": "cleaning", "battery_level": 61}),
        ),
        (
            "lawn_mower",
            json!({"name": "M", "act_stat_t": "s"}),
            &[("s", "mowing")],
            json!({"state": "mowing"}),
        ),
    ];
    for (component, config, messages, expected) in cases {
        let mut world = world();
        let listened = announce(&mut world, component, config);
        for (topic, payload) in *messages {
            assert!(listened.contains(*topic), "{topic} of {component}: {listened:?}");
            world.hear(topic, payload.as_bytes(), false);
        }
        assert_eq!(&only(&world).1, expected, "{component} after {messages:?}");
    }
}

#[test]
fn calls_are_written() {
    let rgb = json!({"name": "L", "cmd_t": "c", "bri_cmd_t": "b", "rgb_cmd_t": "rgb", "bri_scl": 100,
        "clr_temp_cmd_t": "ct"});
    let json_light = |modes: Value| json!({"name": "L", "schema": "json", "cmd_t": "c", "brightness": true, "sup_clrm": modes});
    type Expected<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, Value, &str, Value, Expected<'_>)] = &[
        ("light", rgb.clone(), "light.turn_on", json!({}), &[("c", "ON")]),
        (
            "light",
            rgb.clone(),
            "light.turn_on",
            json!({"brightness_pct": 30}),
            &[("b", "30"), ("c", "ON")],
        ),
        (
            "light",
            rgb.clone(),
            "light.turn_on",
            json!({"color_name": "red"}),
            &[("rgb", "255,0,0"), ("c", "ON")],
        ),
        (
            "light",
            rgb.clone(),
            "light.turn_on",
            json!({"color_temp_kelvin": 4000}),
            &[("ct", "250"), ("c", "ON")],
        ),
        ("light", rgb, "light.turn_off", json!({}), &[("c", "OFF")]),
        (
            "light",
            json_light(json!(["xy"])),
            "light.turn_on",
            json!({"color_name": "blue", "brightness_pct": 100}),
            &[("c", r#"{"state":"ON","brightness":255,"color":{"x":0.15,"y":0.06}}"#)],
        ),
        (
            "light",
            json_light(json!(["rgb", "color_temp"])),
            "light.turn_on",
            json!({"color_temp_kelvin": 2500}),
            &[("c", r#"{"state":"ON","color_temp":400}"#)],
        ),
        (
            "switch",
            json!({"name": "S", "cmd_t": "c", "pl_on": "1", "pl_off": "0"}),
            "switch.turn_off",
            json!({}),
            &[("c", "0")],
        ),
        (
            "switch",
            json!({"name": "S", "cmd_t": "c", "cmd_tpl": "{\"v\":\"{{ value }}\"}"}),
            "homeassistant.turn_on",
            json!({}),
            &[("c", r#"{"v":"ON"}"#)],
        ),
        (
            "cover",
            json!({"name": "C", "cmd_t": "c", "set_pos_t": "p", "pos_open": 0, "pos_clsd": 100}),
            "cover.set_cover_position",
            json!({"position": 30}),
            &[("p", "70")],
        ),
        (
            "cover",
            json!({"name": "C", "cmd_t": "c"}),
            "cover.close_cover",
            json!({}),
            &[("c", "CLOSE")],
        ),
        (
            "valve",
            json!({"name": "V", "cmd_t": "c", "reports_position": true}),
            "valve.open_valve",
            json!({}),
            &[("c", "100")],
        ),
        ("lock", json!({"name": "K", "cmd_t": "c"}), "lock.unlock", json!({}), &[("c", "UNLOCK")]),
        (
            "climate",
            json!({"name": "H", "temp_cmd_t": "t"}),
            "climate.set_temperature",
            json!({"temperature": 21.5}),
            &[("t", "21.5")],
        ),
        (
            "climate",
            json!({"name": "H", "mode_cmd_t": "m", "modes": ["off", "cool"]}),
            "climate.turn_on",
            json!({}),
            &[("m", "cool")],
        ),
        (
            "fan",
            json!({"name": "F", "cmd_t": "c", "pct_cmd_t": "p", "spd_rng_max": 4}),
            "fan.set_percentage",
            json!({"percentage": 50}),
            &[("p", "2")],
        ),
        (
            "vacuum",
            json!({"name": "V", "cmd_t": "c"}),
            "vacuum.return_to_base",
            json!({}),
            &[("c", "return_to_base")],
        ),
        (
            "lawn_mower",
            json!({"name": "M", "dock_cmd_t": "d"}),
            "lawn_mower.dock",
            json!({}),
            &[("d", "dock")],
        ),
        ("scene", json!({"name": "Z", "cmd_t": "c"}), "scene.turn_on", json!({}), &[("c", "ON")]),
        (
            "button",
            json!({"name": "B", "cmd_t": "c"}),
            "button.press",
            json!({}),
            &[("c", "PRESS")],
        ),
    ];
    for (component, config, service, data, expected) in cases {
        let mut world = world();
        announce(&mut world, component, config);
        let (device, _) = only(&world);
        let data = data.as_object().unwrap().clone();
        let call = Call { entity: device.entity.id.clone(), service: (*service).into(), data };
        let next = Simulated.apply(&device.entity, &call, &now()).unwrap();
        let messages = write::messages(device, &call, &next);
        let messages: Vec<_> = messages.iter().map(|(t, p)| (t.as_str(), p.as_str())).collect();
        assert_eq!(messages, *expected, "{service} with {:?}", call.data);
    }
}

#[test]
fn availability_holds_a_device_back() {
    let mut world = world();
    announce(
        &mut world,
        "light",
        &json!({"name": "L", "stat_t": "s", "cmd_t": "c", "avty": [{"t": "a"}, {"t": "b", "val_tpl": "{{ value_json.s }}", "pl_avail": "up"}]}),
    );
    world.hear("s", b"ON", true);
    assert_eq!(only(&world).1["state"], "unavailable");
    world.hear("a", b"online", true);
    world.hear("b", br#"{"s": "up"}"#, true);
    assert_eq!(only(&world).1["state"], "on");
    world.set_silent("light.l", true);
    assert_eq!(only(&world).1["state"], "unavailable");
    world.hear("s", b"OFF", false);
    assert_eq!(only(&world).1["state"], "off", "it speaks again");
    world.hear("a", b"offline", false);
    assert!(!world.can_reach("light.l"));
    world.hear("a", b"online", false);
    world.set_connected(false);
    assert_eq!(only(&world).1["state"], "unavailable");
}

#[test]
fn announcements_name_place_and_replace() {
    let mut world = world();
    announce(
        &mut world,
        "light",
        &json!({"name": null, "cmd_t": "c", "dev": {"name": "Hall Lamp", "sa": "Hall"}}),
    );
    let (device, _) = only(&world);
    assert_eq!(
        (device.entity.id.as_str(), device.entity.names.main("en")),
        ("light.hall_lamp", "Hall Lamp")
    );
    assert_eq!(device.entity.area.as_deref(), Some("Hall"));
    assert!(matches!(&world.updates()[..], [Update::Entity(_)]));
    world.hear(
        "homeassistant/light/node/other/config",
        br#"{"name": "Hall Lamp", "cmd_t": "d"}"#,
        true,
    );
    assert!(world.device("light.hall_lamp_2").is_some(), "two of one name are two");
    announce(&mut world, "light", &json!({"name": "Porch", "cmd_t": "c", "object_id": "p"}));
    assert!(world.device("light.p").is_some() && world.device("light.hall_lamp").is_none());
    world.updates();
    world.hear("homeassistant/light/thing/config", b"", false);
    assert_eq!(world.updates(), [Update::Removed { entity: "light.p".into() }]);
    for bad in ["[", "{}", "7", "\u{0}", r#"{"name": "!!"}"#] {
        world.hear("homeassistant/light/bad/config", bad.as_bytes(), true);
    }
    world.hear("homeassistant/tag/x/config", br#"{"name": "T"}"#, true);
    world.hear("homeassistant/light/x/config", &[0xff, 0xfe], true);
    let ids: Vec<&String> = world.devices.keys().collect();
    assert_eq!(ids, ["light.hall_lamp_2"], "what is unusable takes nothing's place");
}

#[test]
fn one_announcement_may_hold_a_whole_device() {
    let mut world = world();
    let config = json!({"dev": {"name": "Plug"}, "o": {"name": "x"}, "stat_t": "plug/state", "cmps": {
        "relay": {"p": "switch", "cmd_t": "plug/set", "val_tpl": "{{ value_json.on }}"},
        "power": {"p": "sensor", "dev_cla": "power", "val_tpl": "{{ value_json.w }}"},
        "old": {"p": "sensor"},
    }});
    world.hear("homeassistant/device/plug/config", config.to_string().as_bytes(), true);
    world.hear("plug/state", br#"{"on": "ON", "w": 12}"#, false);
    let states: Vec<_> =
        world.devices.values().map(|d| (d.entity.id.as_str(), d.entity.state.as_str())).collect();
    assert_eq!(states, [("sensor.plug_power", "12"), ("switch.plug", "on")]);
}

#[test]
fn the_bridges_list_is_read() {
    let mut world = world();
    let state = json!({"type": "binary", "name": "state", "property": "state", "value_on": "ON", "value_off": "OFF"});
    let list = json!([
        {"type": "Coordinator", "ieee_address": "0x0", "friendly_name": "Coordinator"},
        {"type": "Router", "ieee_address": "0x1", "friendly_name": "书房灯", "definition": {"exposes": [
            {"type": "light", "features": [state, {"name": "brightness", "property": "brightness", "value_max": 254},
                {"name": "color_temp", "property": "color_temp", "value_min": 154, "value_max": 500}]},
            {"type": "numeric", "name": "linkquality", "property": "linkquality"}]}},
        {"type": "EndDevice", "ieee_address": "0x2", "friendly_name": "Back Door", "definition": {"exposes": [
            {"type": "binary", "name": "contact", "property": "contact", "value_on": false, "value_off": true}]}},
    ]);
    let topics = world.hear("zigbee2mqtt/bridge/devices", list.to_string().as_bytes(), true);
    assert!(topics.contains("zigbee2mqtt/书房灯") && topics.contains("zigbee2mqtt/bridge/state"));
    world.hear("zigbee2mqtt/bridge/state", br#"{"state":"online"}"#, true);
    world.hear("zigbee2mqtt/书房灯", r#"{"state":"ON","brightness":127}"#.as_bytes(), true);
    world.hear("zigbee2mqtt/Back Door", br#"{"contact":false}"#, true);
    let lamp = world.device("light.书房灯").unwrap();
    assert_eq!(
        (lamp.entity.state.as_str(), &lamp.entity.attributes["brightness"]),
        ("on", &json!(128))
    );
    assert_eq!(lamp.entity.attributes["min_color_temp_kelvin"], 2000);
    assert_eq!(lamp.entity.supports.as_ref().unwrap().len(), 2);
    let door = world.devices.values().find(|d| d.component == "binary_sensor").unwrap();
    assert_eq!((door.entity.state.as_str(), door.entity.device_class()), ("on", Some("door")));
    let call = Call::new("light.书房灯", "light.turn_on").with("brightness_pct", 50);
    let next = Simulated.apply(&lamp.entity, &call, &now()).unwrap();
    let message = write::messages(lamp, &call, &next);
    assert_eq!(
        message,
        [("zigbee2mqtt/书房灯/set".into(), r#"{"state":"ON","brightness":127}"#.into())]
    );
    world.hear("zigbee2mqtt/书房灯/availability", br#"{"state":"offline"}"#, true);
    assert!(!world.can_reach("light.书房灯"));
    // The bridge announces the lamp to Home Assistant too: it is there once.
    let twin =
        json!({"name": "Study", "schema": "json", "stat_t": "zigbee2mqtt/书房灯", "cmd_t": "x"});
    announce(&mut world, "light", &twin);
    world.hear("zigbee2mqtt/bridge/devices", list.to_string().as_bytes(), true);
    assert!(world.device("light.书房灯").is_none() && world.device("light.study").is_some());
    world.hear("zigbee2mqtt/bridge/devices", b"[]", true);
    assert_eq!(world.devices.len(), 1);
}
