//! From what was meant to what is done: the calls that each intent makes.

use serde_json::{Value, json};

use super::refusal::Refusal;
use super::slots::{self, number, text};
use super::targets::{Where, Wish, wish};
use crate::home::{Call, Entity};
use crate::intent::Meaning;

/// What an intent leads to on devices.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub calls: Vec<Call>,
    /// The ids of what the answer is about, and of what a question does not hold for.
    pub matched: Vec<String>,
    pub unmatched: Vec<String>,
    /// What the answer may name besides.
    pub media: Option<Value>,
}

/// Works out what is to be done, without doing it. Timers are not devices; see `timers`.
pub(super) fn plan(meaning: &Meaning, place: Where<'_>) -> Result<Plan, Refusal> {
    let wish = wish(&meaning.intent);
    let one_each = |service: &str| -> Result<Plan, Refusal> {
        let found = place.find(meaning, wish)?;
        Ok(each(&found, |entity| Some(Call::new(&entity.id, service))))
    };
    match meaning.intent.as_str() {
        "HassTurnOn" => on_off(meaning, place, true),
        "HassTurnOff" => on_off(meaning, place, false),
        "HassGetState" => state(meaning, place),
        "HassGetWeather" => {
            let found = place.find(meaning, wish)?;
            Ok(Plan { matched: vec![found[0].id.clone()], ..Plan::default() })
        }
        "HassClimateGetTemperature" => {
            let found = place.find(meaning, wish)?;
            let reads = |entity: &&&Entity| {
                entity.attributes.get("current_temperature").is_some_and(Value::is_number)
                    || entity.state.parse::<f64>().is_ok()
            };
            let thermometer = found.iter().find(reads).ok_or_else(|| {
                Refusal::new("no_reading").with("entity", found[0].names.main(place.language))
            })?;
            Ok(Plan { matched: vec![thermometer.id.clone()], ..Plan::default() })
        }
        "HassLightSet" => light(meaning, place),
        "HassSetPosition" => {
            let position = needed(meaning, "position")?;
            let found = place.find(meaning, wish)?;
            Ok(each(&found, |entity| {
                let service = format!("{0}.set_{0}_position", entity.domain);
                Some(Call::new(&entity.id, &service).with("position", slots::plain(position)))
            }))
        }
        "HassClimateSetTemperature" => {
            let mut plan =
                set(meaning, place, "climate.set_temperature", "temperature", "temperature")?;
            let works = |id: &str| place.home.entity(id).is_some_and(|e| e.state != "off");
            // In the whole house, those that are running are meant.
            if plan.matched.iter().any(|id| works(id)) {
                plan.calls.retain(|call| works(&call.entity));
                plan.matched.retain(|id| works(id));
            }
            Ok(plan)
        }
        "HassFanSetSpeed" => set(meaning, place, "fan.set_percentage", "percentage", "percentage"),
        "HassClimateSetFanMode" => {
            let mode = text(meaning, "fan_mode").ok_or(Refusal::new("handle_error"))?;
            let found = place.find(meaning, wish)?;
            Ok(each(&found, |entity| {
                Some(Call::new(&entity.id, "climate.set_fan_mode").with("fan_mode", mode))
            }))
        }
        "HassMediaPause" => one_each("media_player.media_pause"),
        "HassMediaUnpause" => one_each("media_player.media_play"),
        "HassMediaNext" => one_each("media_player.media_next_track"),
        "HassMediaPrevious" => one_each("media_player.media_previous_track"),
        "HassMediaPlayerMute" => mute(meaning, place, true),
        "HassMediaPlayerUnmute" => mute(meaning, place, false),
        "HassSetVolume" => {
            let level = needed(meaning, "volume_level")? / 100.0;
            let found = place.find(meaning, wish)?;
            Ok(each(&found, |entity| Some(volume(entity, level))))
        }
        "HassSetVolumeRelative" => {
            let step = match text(meaning, "volume_step") {
                Some("up") => 0.1,
                Some("down") => -0.1,
                _ => needed(meaning, "volume_step")? / 100.0,
            };
            let found = place.find(meaning, wish)?;
            Ok(each(&found, |entity| {
                let now = entity.attributes.get("volume_level").and_then(Value::as_f64);
                Some(volume(entity, (now.unwrap_or(0.5) + step).clamp(0.0, 1.0)))
            }))
        }
        "HassMediaSearchAndPlay" => play(meaning, place),
        "HassVacuumStart" => one_each("vacuum.start"),
        "HassVacuumReturnToBase" => one_each("vacuum.return_to_base"),
        "HassVacuumCleanArea" => clean(meaning, place),
        "HassLawnMowerStartMowing" => one_each("lawn_mower.start_mowing"),
        "HassLawnMowerDock" => one_each("lawn_mower.dock"),
        "HassListAddItem" | "HassShoppingListAddItem" => list(meaning, place, "todo.add_item"),
        "HassListRemoveItem" => list(meaning, place, "todo.remove_item"),
        "HassListCompleteItem" | "HassShoppingListCompleteItem" => {
            list(meaning, place, "todo.update_item")
        }
        _ => Ok(Plan::default()),
    }
}

/// One call for each device that can be called so; the answer is about all of those.
fn each(found: &[&Entity], call: impl Fn(&Entity) -> Option<Call>) -> Plan {
    let calls: Vec<Call> = found.iter().filter_map(|entity| call(entity)).collect();
    let matched = calls.iter().map(|call| call.entity.clone()).collect();
    Plan { calls, matched, ..Plan::default() }
}

fn needed(meaning: &Meaning, slot: &str) -> Result<f64, Refusal> {
    number(meaning, slot).ok_or_else(|| {
        tracing::warn!(intent = meaning.intent, slot, "the slot holds no number");
        Refusal::new("handle_error")
    })
}

fn set(
    meaning: &Meaning,
    place: Where<'_>,
    service: &str,
    slot: &str,
    key: &str,
) -> Result<Plan, Refusal> {
    let value = needed(meaning, slot)?;
    let found = place.find(meaning, wish(&meaning.intent))?;
    Ok(each(&found, |entity| Some(Call::new(&entity.id, service).with(key, slots::plain(value)))))
}

/// The service that switches a device of this domain on or off: doors open, locks lock.
fn switch_service(domain: &str, on: bool) -> Option<String> {
    let verb = match (domain, on) {
        ("cover", true) => "open_cover",
        ("cover", false) => "close_cover",
        ("valve", true) => "open_valve",
        ("valve", false) => "close_valve",
        ("lock", true) => "lock",
        ("lock", false) => "unlock",
        ("button" | "input_button", true) => "press",
        ("vacuum", true) => "start",
        ("vacuum", false) => "return_to_base",
        ("lawn_mower", true) => "start_mowing",
        ("lawn_mower", false) => "dock",
        ("scene", true) => "turn_on",
        (
            "automation" | "camera" | "climate" | "fan" | "humidifier" | "input_boolean" | "light"
            | "media_player" | "remote" | "script" | "siren" | "switch" | "water_heater",
            _,
        ) => {
            if on {
                "turn_on"
            } else {
                "turn_off"
            }
        }
        _ => return None,
    };
    Some(format!("{domain}.{verb}"))
}

fn on_off(meaning: &Meaning, place: Where<'_>, on: bool) -> Result<Plan, Refusal> {
    let found = place.find(meaning, Wish::default())?;
    let plan =
        each(&found, |entity| Some(Call::new(&entity.id, &switch_service(&entity.domain, on)?)));
    if plan.calls.is_empty() { Err(Refusal::new("feature_not_supported")) } else { Ok(plan) }
}

fn state(meaning: &Meaning, place: Where<'_>) -> Result<Plan, Refusal> {
    let found = match place.find(meaning, Wish::default()) {
        Ok(found) => found,
        // Windows and doors may have sensors instead of motors.
        Err(refusal) if slots::words(meaning, "domain") == ["cover"] => {
            let mut sensed = meaning.clone();
            sensed.slots.insert("domain".into(), "binary_sensor".into());
            place.find(&sensed, Wish::default()).map_err(|_| refusal)?
        }
        Err(refusal) => return Err(refusal),
    };
    let wanted = slots::words(meaning, "state");
    let holds = |entity: &&&Entity| {
        wanted.is_empty() || wanted.iter().any(|state| is_in_state(entity, state, place.language))
    };
    let ids = |list: Vec<&&Entity>| list.into_iter().map(|entity| entity.id.clone()).collect();
    let (matched, unmatched) = found.iter().partition(|entity| holds(entity));
    Ok(Plan { matched: ids(matched), unmatched: ids(unmatched), ..Plan::default() })
}

/// Whether an entity is in a state, which may be named as the language names it.
pub(super) fn is_in_state(entity: &Entity, wanted: &str, language: &str) -> bool {
    let class = entity.device_class();
    let named = super::wording::state(language, class, &entity.state);
    // A sensor that is on is an open window.
    let sensed = match (entity.domain.as_str(), entity.state.as_str()) {
        ("binary_sensor", "on") => Some("open"),
        ("binary_sensor", "off") => Some("closed"),
        _ => None,
    };
    // "At home" is asked with the bare place.
    let home = (entity.domain == "person" && entity.state == "home")
        .then(|| super::wording::home(language))
        .flatten();
    let own = [Some(entity.state.as_str()), named, sensed, home];
    own.into_iter().flatten().any(|own| own.to_lowercase() == wanted.trim().to_lowercase())
}

fn light(meaning: &Meaning, place: Where<'_>) -> Result<Plan, Refusal> {
    let brightness = number(meaning, "brightness");
    let color = text(meaning, "color");
    let kelvin = number(meaning, "temperature");
    let feature = if brightness.is_some() {
        "brightness"
    } else if color.is_some() {
        "color"
    } else {
        "temperature"
    };
    let wish = Wish { feature: Some(feature), ..wish(&meaning.intent) };
    let found = place.find(meaning, wish)?;
    Ok(each(&found, |entity| {
        let mut call = Call::new(&entity.id, "light.turn_on");
        if let Some(percent) = brightness {
            call = call.with("brightness_pct", slots::plain(percent));
        }
        if let Some(color) = color {
            call = call.with("color_name", color);
        }
        if let Some(kelvin) = kelvin {
            call = call.with("color_temp_kelvin", slots::plain(kelvin));
        }
        Some(call)
    }))
}

fn mute(meaning: &Meaning, place: Where<'_>, muted: bool) -> Result<Plan, Refusal> {
    let found = place.find(meaning, wish(&meaning.intent))?;
    Ok(each(&found, |entity| {
        let call = Call::new(&entity.id, "media_player.volume_mute");
        Some(call.with("is_volume_muted", muted))
    }))
}

fn volume(entity: &Entity, level: f64) -> Call {
    Call::new(&entity.id, "media_player.volume_set")
        .with("volume_level", (level * 100.0).round() / 100.0)
}

/// What a search finds: of the home's titles the one that holds the words, or, where a home lists
/// none, the words themselves.
pub(super) fn find_media(meaning: &Meaning, place: Where<'_>) -> Option<String> {
    let words = text(meaning, "search_query")?;
    let titles = place.home.media();
    if titles.is_empty() {
        return Some(words.to_owned());
    }
    let wanted = words.to_lowercase();
    titles.iter().find(|title| title.to_lowercase().contains(&wanted)).cloned()
}

fn play(meaning: &Meaning, place: Where<'_>) -> Result<Plan, Refusal> {
    let found = place.find(meaning, wish(&meaning.intent))?;
    let Some(title) = find_media(meaning, place) else { return Ok(Plan::default()) };
    // Music plays in one place: what plays already is not disturbed unless it is named.
    let player = found[0];
    let mut call = Call::new(&player.id, "media_player.play_media");
    if let Some(class) = text(meaning, "media_class") {
        call = call.with("media_content_type", class);
    }
    let call = call.with("media_content_id", title.as_str());
    let matched = vec![player.id.clone()];
    Ok(Plan {
        calls: vec![call],
        matched,
        media: Some(json!({ "title": title })),
        ..Plan::default()
    })
}

fn clean(meaning: &Meaning, place: Where<'_>) -> Result<Plan, Refusal> {
    let name = text(meaning, "area").filter(|area| *area != slots::EVERYWHERE);
    let area = match name {
        Some(name) => Some(place.home.area_named(name).ok_or_else(|| {
            Refusal::missing(crate::home::Missing::Area, meaning, &[], place.language)
        })?),
        None => None,
    };
    let found = place.find(meaning, wish(&meaning.intent))?;
    Ok(each(&found[..1], |entity| {
        Some(match area {
            Some(area) => Call::new(&entity.id, "vacuum.clean_area")
                .with("cleaning_area_id", area.id.as_str()),
            None => Call::new(&entity.id, "vacuum.start"),
        })
    }))
}

fn list(meaning: &Meaning, place: Where<'_>, service: &str) -> Result<Plan, Refusal> {
    let item = text(meaning, "item").ok_or(Refusal::new("handle_error"))?;
    let found = place.find(meaning, wish(&meaning.intent))?;
    let shopping = meaning.intent.starts_with("HassShopping");
    let list = found.iter().find(|entity| {
        shopping && (entity.id.contains("shopping") || entity.names.has("Shopping List"))
    });
    let list = list.unwrap_or(&found[0]);
    let mut call = Call::new(&list.id, service).with("item", item);
    if service == "todo.update_item" {
        call = call.with("status", "completed");
    }
    Ok(Plan { matched: vec![list.id.clone()], calls: vec![call], ..Plan::default() })
}
