//! What an answer may name, and the answer itself.

use jiff::{Timestamp, ZonedDateTime};
use serde_json::{Map, Value, json};

use super::act::{self, Plan};
use super::render::render;
use super::slots;
use super::targets::{Where, wish};
use super::wording::{self, Wording};
use crate::home::{Entity, Timer, TimerQuery};
use crate::intent::Language;
use crate::intent::Meaning;

/// Everything that an answer may name besides the slots.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub matched: Vec<String>,
    pub unmatched: Vec<String>,
    pub media: Option<Value>,
    pub timers: Vec<Value>,
    pub canceled: Option<usize>,
}

impl Facts {
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            matched: plan.matched.clone(),
            unmatched: plan.unmatched.clone(),
            media: plan.media.clone(),
            ..Self::default()
        }
    }

    /// What the answer would name if this were said now, without doing anything: as far as the
    /// home holds what is meant.
    pub(super) fn roughly(meaning: &Meaning, place: Where<'_>, now: Timestamp) -> Self {
        let found = place.find_roughly(meaning, wish(&meaning.intent));
        let wanted = slots::words(meaning, "state");
        let asks = meaning.intent == "HassGetState" && !wanted.is_empty();
        let (matched, unmatched): (Vec<&Entity>, Vec<&Entity>) =
            found.into_iter().partition(|entity| {
                !asks || wanted.iter().any(|state| act::is_in_state(entity, state, place.language))
            });
        let ids = |list: Vec<&Entity>| list.iter().map(|entity| entity.id.clone()).collect();
        let query = super::timers::query(place.home, meaning, place.language).unwrap_or_default();
        let timers = timers(&query, place, now);
        Self {
            matched: ids(matched),
            unmatched: ids(unmatched),
            // The tests name the title that is found, whatever is searched for.
            media: place.home.media().first().map(|title| json!({ "title": title })),
            canceled: Some(timers.len()),
            timers,
        }
    }
}

/// The timers that a query means, as responses read them.
pub(super) fn timers(query: &TimerQuery, place: Where<'_>, now: Timestamp) -> Vec<Value> {
    place.home.timers().matching(query).map(|timer| timer_value(timer, place, now)).collect()
}

fn timer_value(timer: &Timer, place: Where<'_>, now: Timestamp) -> Value {
    let left = timer.seconds_left(now);
    // Nobody wants the seconds of an hour.
    let rounded = if left >= 3600 { (left + 30) / 60 * 60 } else { left };
    let area = timer.area.as_deref().and_then(|id| place.home.area(id));
    json!({
        "is_active": timer.is_active(),
        "name": timer.name,
        "area": area.map(|area| area.names.main(place.language)),
        "total_seconds_left": left,
        "rounded_hours_left": rounded / 3600,
        "rounded_minutes_left": rounded % 3600 / 60,
        "rounded_seconds_left": rounded % 60,
        "start_hours": timer.start_seconds / 3600,
        "start_minutes": timer.start_seconds % 3600 / 60,
        "start_seconds": timer.start_seconds % 60,
    })
}

/// Renders the answer to a meaning. Empty when the language has none for it.
pub(super) fn answer(
    language: &Language,
    meaning: &Meaning,
    place: Where<'_>,
    facts: &Facts,
    now: &ZonedDateTime,
    wording: Wording,
) -> Result<String, String> {
    let (intent, key) = (meaning.intent.as_str(), meaning.response_key.as_str());
    let own = wording::answer(language.code(), intent, key).filter(|_| wording == Wording::Natural);
    let source = own
        .or_else(|| language.response(intent, key))
        .or_else(|| language.response(intent, "default"))
        .unwrap_or_default();
    let states = |ids: &[String]| -> Vec<Value> {
        let entities = ids.iter().filter_map(|id| place.home.entity(id));
        entities.map(|entity| state_value(entity, place.language, wording)).collect()
    };
    let (matched, unmatched) = (states(&facts.matched), states(&facts.unmatched));
    let first = matched.first().or(unmatched.first()).cloned();
    let context = json!({
        "slots": spoken_slots(meaning, place, facts, now, wording),
        "state": first,
        "query": { "matched": matched, "unmatched": unmatched },
    });
    render(source, &context)
}

fn state_value(entity: &Entity, language: &str, wording: Wording) -> Value {
    let unit = entity.attributes.get("unit_of_measurement").and_then(Value::as_str);
    let natural = (wording == Wording::Natural)
        .then(|| wording::state(language, entity.device_class(), &entity.state))
        .flatten();
    let with_unit = match (unit, natural) {
        (Some(unit), _) => format!("{} {unit}", entity.state),
        (None, Some(name)) => name.to_owned(),
        (None, None) => entity.state.clone(),
    };
    json!({
        "entity_id": entity.id,
        "domain": entity.domain,
        "name": entity.names.main(language),
        "state": entity.state,
        "hass_state": entity.state,
        "state_with_unit": with_unit,
        "attributes": entity.attributes,
    })
}

/// The one area where everything is that the answer is about: not always where one speaks.
fn shared_area<'a>(place: Where<'a>, facts: &Facts) -> Option<&'a str> {
    let mut areas = facts.matched.iter().map(|id| place.home.entity(id)?.area.as_deref());
    let first = areas.next()??;
    let area = areas.all(|area| area == Some(first)).then(|| place.home.area(first))?;
    area.map(|area| area.names.main(place.language))
}

/// The slots as an answer speaks them: things by their own names, the rest in the speaker's words.
fn spoken_slots(
    meaning: &Meaning,
    place: Where<'_>,
    facts: &Facts,
    now: &ZonedDateTime,
    wording: Wording,
) -> Map<String, Value> {
    let mut spoken = meaning.captures.clone();
    for (slot, value) in &meaning.slots {
        let text = meaning.texts.get(slot).and_then(Value::as_str);
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let number = value.as_f64().map(|number| slots::plain(number).to_string());
        let word = match (slot.as_str(), text) {
            ("area", None) if wording == Wording::Natural && !wish(&meaning.intent).anywhere => {
                let real = shared_area(place, facts).map(Value::from);
                real.unwrap_or_else(|| value.clone())
            }
            ("name" | "area" | "floor", _) => value.clone(),
            _ if wording == Wording::AsTested && value.is_string() => value.clone(),
            ("device_class", None) => {
                let class = value.as_str().unwrap_or_default();
                let name = wording::device_class(place.language, class).unwrap_or(class);
                Value::from(name)
            }
            ("state", None) => value.clone(),
            // Spelled numbers trip responses that calculate, and are no easier to speak.
            (_, Some(text)) if number.is_none() || wording == Wording::AsTested => text.into(),
            _ => number.map_or_else(|| value.clone(), Value::from),
        };
        spoken.insert(slot.clone(), word);
    }
    match meaning.intent.as_str() {
        "HassGetCurrentDate" => {
            let date = json!({
                "year": now.year(), "month": now.month(), "day": now.day(),
                "weekday_from_monday": now.weekday().to_monday_zero_offset(),
            });
            spoken.insert("date".into(), date);
        }
        "HassGetCurrentTime" => {
            let time =
                json!({ "hour": now.hour(), "minute": now.minute(), "second": now.second() });
            spoken.insert("time".into(), time);
        }
        "HassTimerStatus" => {
            spoken.insert("timers".into(), facts.timers.clone().into());
        }
        "HassCancelAllTimers" => {
            spoken.insert("canceled".into(), facts.canceled.unwrap_or_default().into());
        }
        "HassMediaSearchAndPlay" => {
            spoken.insert("media".into(), facts.media.clone().unwrap_or(Value::Null));
        }
        _ => {}
    }
    spoken
}
