use super::*;
use crate::home::Names;
use crate::home::entity::resting_state;

fn entity(domain: &str, attributes: Value) -> Entity {
    let Value::Object(attributes) = attributes else { panic!("attributes are a map") };
    Entity {
        id: format!("{domain}.x"),
        domain: domain.into(),
        names: Names::plain("X"),
        area: None,
        state: resting_state(domain).unwrap().into(),
        attributes,
        supports: None,
        then: Vec::new(),
        exposed: true,
    }
}

fn call(service: &str, data: Value) -> Call {
    let Value::Object(data) = data else { panic!("data is a map") };
    Call {
        entity: format!("{}.x", service.split('.').next().unwrap()),
        service: service.into(),
        data,
    }
}

fn now() -> ZonedDateTime {
    "2026-11-24T20:00:00[UTC]".parse().unwrap()
}

/// The services one after the other, then the state and some attributes as JSON.
fn after(mut entity: Entity, calls: &[(&str, Value)]) -> Value {
    for (service, data) in calls {
        let next = Simulated.apply(&entity, &call(service, data.clone()), &now()).unwrap();
        (entity.state, entity.attributes) = (next.state, next.attributes);
    }
    let mut all = entity.attributes;
    all.insert("state".into(), entity.state.into());
    Value::Object(all)
}

/// Domain, attributes, services with their data, state and attributes afterwards.
type Case<'a> = (&'a str, Value, &'a [(&'a str, Value)], Value);

#[test]
fn every_domain_does_what_it_is_asked() {
    let cases: &[Case<'_>] = &[
        (
            "light",
            json!({}),
            &[("light.turn_on", json!({}))],
            json!({"state": "on", "brightness": 255}),
        ),
        (
            "light",
            json!({}),
            &[("light.turn_on", json!({"brightness_pct": 50}))],
            json!({"state": "on", "brightness": 128}),
        ),
        (
            "light",
            json!({"brightness": 128}),
            &[("light.turn_off", json!({})), ("homeassistant.turn_on", json!({}))],
            json!({"state": "on", "brightness": 128}),
        ),
        (
            "light",
            json!({"brightness": 10}),
            &[("light.turn_on", json!({"brightness_pct": 0}))],
            json!({"state": "off", "brightness": 10}),
        ),
        (
            "light",
            json!({"brightness": 255}),
            &[
                ("light.turn_on", json!({"color_name": "red"})),
                ("light.turn_on", json!({"color_temp_kelvin": 9000})),
            ],
            json!({"state": "on", "brightness": 255, "color_temp_kelvin": 6500, "color_mode": "color_temp"}),
        ),
        ("switch", json!({}), &[("switch.turn_on", json!({}))], json!({"state": "on"})),
        (
            "cover",
            json!({}),
            &[("cover.open_cover", json!({}))],
            json!({"state": "open", "current_position": 100}),
        ),
        (
            "cover",
            json!({}),
            &[("cover.set_cover_position", json!({"position": 40}))],
            json!({"state": "open", "current_position": 40}),
        ),
        (
            "valve",
            json!({}),
            &[("valve.set_valve_position", json!({"position": 0}))],
            json!({"state": "closed", "current_position": 0}),
        ),
        ("lock", json!({}), &[("lock.unlock", json!({}))], json!({"state": "unlocked"})),
        (
            "climate",
            json!({"hvac_modes": ["off", "cool"]}),
            &[
                ("climate.turn_on", json!({})),
                ("climate.set_temperature", json!({"temperature": 21.0})),
            ],
            json!({"state": "cool", "temperature": 21, "hvac_modes": ["off", "cool"]}),
        ),
        (
            "fan",
            json!({}),
            &[("fan.set_percentage", json!({"percentage": 30}))],
            json!({"state": "on", "percentage": 30}),
        ),
        (
            "media_player",
            json!({}),
            &[
                ("media_player.play_media", json!({"media_content_id": "Jazz"})),
                ("media_player.volume_set", json!({"volume_level": 0.3})),
                ("media_player.volume_mute", json!({"is_volume_muted": true})),
                ("media_player.media_next_track", json!({})),
                ("media_player.media_pause", json!({})),
            ],
            json!({"state": "paused", "media_title": "Jazz", "volume_level": 0.3,
                "is_volume_muted": true, "media_track": 2}),
        ),
        (
            "vacuum",
            json!({}),
            &[("vacuum.clean_area", json!({"cleaning_area_id": "kitchen"}))],
            json!({"state": "cleaning", "cleaning_area": "kitchen"}),
        ),
        (
            "lawn_mower",
            json!({}),
            &[("lawn_mower.start_mowing", json!({}))],
            json!({"state": "mowing"}),
        ),
        (
            "scene",
            json!({}),
            &[("scene.turn_on", json!({}))],
            json!({"state": "2026-11-24T20:00:00+00:00"}),
        ),
        (
            "todo",
            json!({}),
            &[
                ("todo.add_item", json!({"item": "Milk"})),
                ("todo.add_item", json!({"item": "Eggs"})),
                ("todo.update_item", json!({"item": "milk", "status": "completed"})),
                ("todo.remove_item", json!({"item": "eggs"})),
            ],
            json!({"state": "0", "items": [{"summary": "Milk", "status": "completed"}]}),
        ),
    ];
    for (domain, attributes, calls, expected) in cases {
        let got = after(entity(domain, attributes.clone()), calls);
        assert_eq!(&got, expected, "{domain} after {calls:?}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_the_value() {
    let cases = [
        ("light", "light.turn_on", json!({"brightness_pct": 120}), "120"),
        ("light", "light.turn_on", json!({"color_name": "octarine"}), "octarine"),
        ("light", "light.turn_on", json!({"color_temp_kelvin": -5}), "-5"),
        ("cover", "cover.set_cover_position", json!({"position": "half"}), "half"),
        ("cover", "cover.set_cover_position", json!({}), "position"),
        ("climate", "climate.set_temperature", json!({"temperature": 90}), "7 to 35"),
        ("todo", "todo.remove_item", json!({"item": "gold"}), "gold"),
        ("todo", "todo.add_item", json!({"item": "  "}), "item"),
        ("media_player", "media_player.volume_set", json!({"volume_level": 5}), "0 to 1"),
        ("sensor", "homeassistant.turn_on", json!({}), "sensor.x"),
        ("light", "lock.lock", json!({}), "lock.lock"),
        ("light", "shine", json!({}), "shine"),
    ];
    for (domain, service, data, named) in cases {
        let call = Call {
            entity: format!("{domain}.x"),
            service: service.into(),
            data: data.as_object().unwrap().clone(),
        };
        let error = Simulated.apply(&entity(domain, json!({})), &call, &now()).unwrap_err();
        assert!(error.to_string().contains(named), "{service}: {error}");
    }
}

#[test]
fn a_lamp_without_colour_says_so() {
    let mut lamp = entity("light", json!({}));
    lamp.supports = Some(std::collections::BTreeSet::from(["brightness".to_owned()]));
    let red = call("light.turn_on", json!({"color_name": "red"}));
    assert!(matches!(Simulated.apply(&lamp, &red, &now()), Err(HomeError::Unsupported { .. })));
    lamp.state = "unavailable".into();
    let on = call("light.turn_on", json!({}));
    assert!(matches!(Simulated.apply(&lamp, &on, &now()), Err(HomeError::NotAnswering { .. })));
}
