//! `/v1/satellites`: who is connected, what their devices can do, and doing it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{ApiError, House};
use crate::serve::mcp::{Call, PATIENCE};

/// All that are connected.
pub(super) async fn list(State(house): State<Arc<House>>) -> Json<Value> {
    Json(json!({ "object": "list", "data": house.satellites.list() }))
}

/// Calls a tool of a device; the body is its arguments.
pub(super) async fn call(
    State(house): State<Arc<House>>,
    Path((name, tool)): Path<(String, String)>,
    arguments: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(arguments) = arguments?;
    if !arguments.is_object() {
        return Err(ApiError::invalid("", "the body is a JSON object: the tool's arguments"));
    }
    if !house.satellites.has_tool(&name, &tool) {
        return Err(ApiError::not_found(
            "no satellite of this name has this tool; GET /v1/satellites lists those there are",
        ));
    }
    let (answer, told) = oneshot::channel();
    if !house.satellites.call(&name, Call { tool, arguments, answer }) {
        return Err(ApiError::busy("the device takes no more calls; try again in a moment"));
    }
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(Ok(result))) => Ok(Json(result)),
        Ok(Ok(Err(reason))) => Err(ApiError::invalid("", format!("the device refused: {reason}"))),
        Ok(Err(_)) => Err(ApiError::busy("the device has left")),
        Err(_) => Err(ApiError::busy("the device does not answer")),
    }
}
