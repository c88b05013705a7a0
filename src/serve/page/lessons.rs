//! "This was wrong": what the page has the house learn, after a person agreed.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::House;
use super::super::http::ApiError;
use super::aside;
use crate::dialogue::Lesson;
use crate::dialogue::LessonError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    lesson: Lesson,
    /// Where one speaks.
    area: Option<String>,
}

fn wrong(error: &LessonError) -> ApiError {
    match error {
        LessonError::Store(_) => ApiError::internal(error.to_string()),
        _ => ApiError::invalid("lesson", error.to_string()),
    }
}

pub(super) async fn list(State(house): State<Arc<House>>) -> Result<Json<Value>, ApiError> {
    let work = move || {
        let dialogue = house.conversations.home().lock();
        let rows = dialogue.lessons().map(|(id, lesson)| json!({ "id": id, "lesson": lesson }));
        rows.collect::<Vec<_>>()
    };
    aside(work).await.map(|lessons| Json(json!({ "lessons": lessons })))
}

/// What a lesson would bring about.
pub(super) async fn check(
    State(house): State<Arc<House>>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(Asked { lesson, area }) = asked?;
    let work = move || {
        let dialogue = house.conversations.home().lock();
        dialogue.consider(&lesson, area.as_deref()).map_err(|error| wrong(&error))
    };
    aside(work).await?.map(|considered| Json(json!(considered)))
}

pub(super) async fn learn(
    State(house): State<Arc<House>>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(Asked { lesson, area }) = asked?;
    let work = move || {
        let mut dialogue = house.conversations.home().lock();
        dialogue.learn(lesson, area.as_deref()).map_err(|error| wrong(&error))
    };
    aside(work).await?.map(|id| Json(json!({ "id": id })))
}

pub(super) async fn forget(
    State(house): State<Arc<House>>,
    Path(id): Path<u64>,
) -> Result<Json<Value>, ApiError> {
    let work = move || {
        let mut dialogue = house.conversations.home().lock();
        dialogue.forget_lesson(id).map_err(|error| wrong(&error))
    };
    match aside(work).await?? {
        true => Ok(Json(json!({ "done": true }))),
        false => Err(ApiError::not_found("there is no such lesson any more")),
    }
}
