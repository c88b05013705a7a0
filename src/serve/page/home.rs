//! The home as the page shows it, and what its switches do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::House;
use super::super::http::ApiError;
use super::aside;
use crate::dialogue::Dialogue;
use crate::dialogue::TimerChange;
use crate::home::Call;
use crate::home::Entity;
use crate::home::HomeError;
use crate::home::Names;

/// What a control needs to know about an entity.
const FEATURES: [&str; 8] =
    ["brightness", "color", "temperature", "position", "speed", "fan_mode", "volume", "play"];

/// The whole home.
pub(super) fn picture(dialogue: &Dialogue) -> Value {
    let languages: Vec<&str> = dialogue.languages().collect();
    let names = |names: &Names| -> Map<String, Value> {
        let base = |tag: &str| tag.split('-').next().unwrap_or(tag).to_owned();
        languages.iter().map(|tag| (base(tag), names.main(tag).into())).collect()
    };
    let home = dialogue.home();
    let floors = home.floors().iter();
    let areas = home.areas().iter();
    let floors: Vec<Value> =
        floors.map(|own| json!({ "id": own.id, "names": names(&own.names) })).collect();
    let areas: Vec<Value> = areas
        .map(|own| json!({ "id": own.id, "names": names(&own.names), "floor": own.floor }))
        .collect();
    let entity = |own: &Entity| {
        let can: Vec<&str> = FEATURES.into_iter().filter(|feature| own.can(feature)).collect();
        json!({
            "id": own.id, "domain": own.domain, "names": names(&own.names), "area": own.area,
            "state": own.state, "attributes": own.attributes, "can": can,
        })
    };
    let entities: Vec<Value> =
        home.entities().iter().filter(|own| own.exposed).map(entity).collect();
    json!({
        "news": "home", "floors": floors, "areas": areas, "entities": entities,
        "timers": timers(dialogue), "languages": languages,
    })
}

/// The timers, with what they have left.
pub(super) fn timers(dialogue: &Dialogue) -> Vec<Value> {
    let left = dialogue.timers_left();
    let all = dialogue.home().timers().all().iter();
    let row = |timer: &crate::home::Timer| {
        let left = left.iter().find(|(id, _)| *id == timer.id).map_or(0, |(_, left)| *left);
        json!({
            "id": timer.id, "name": timer.name, "area": timer.area, "left": left,
            "start_seconds": timer.start_seconds, "active": timer.is_active(),
        })
    };
    all.map(row).collect()
}

pub(super) async fn home(State(house): State<Arc<House>>) -> Result<Json<Value>, ApiError> {
    let work = move || {
        let mut dialogue = house.conversations.home().lock();
        dialogue.refresh();
        picture(&dialogue)
    };
    aside(work).await.map(Json)
}

/// A call, and whether a person has agreed to it where one is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    entity: String,
    service: String,
    #[serde(default)]
    data: Map<String, Value>,
    #[serde(default)]
    agreed: bool,
}

/// Carries a call out as a sentence would. What would be asked about when it is said is asked about
/// here too: `{"ask": true}` says so, and the same call with `agreed` does it.
pub(super) async fn call(
    State(house): State<Arc<House>>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(asked) = asked?;
    let Asked { entity, service, data, agreed } = asked;
    let call = Call { entity, service, data };
    let work = move || {
        let mut dialogue = house.conversations.home().lock();
        if !agreed && dialogue.is_risky(&call) {
            return Ok(json!({ "ask": true }));
        }
        dialogue.act(&call).map(|actions| json!({ "actions": actions }))
    };
    let done: Result<Value, HomeError> = aside(work).await?;
    done.map(Json).map_err(|error| ApiError::invalid("", error.to_string()))
}

#[derive(Debug, Deserialize)]
pub(super) struct TimerAsked {
    id: u64,
    #[serde(flatten)]
    change: TimerChange,
}

pub(super) async fn timer(
    State(house): State<Arc<House>>,
    asked: Result<Json<TimerAsked>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(TimerAsked { id, change }) = asked?;
    let work = move || house.conversations.home().lock().change_timer(id, change);
    match aside(work).await? {
        true => Ok(Json(json!({ "done": true }))),
        false => Err(ApiError::invalid("id", format!("there is no timer {id} any more"))),
    }
}
