//! Server-sent events.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde_json::Value;

/// A response that is a stream of JSON events.
pub(super) fn response(events: impl Stream<Item = Value> + Send + 'static) -> Response {
    let lines = events.map(|event| Ok::<_, std::convert::Infallible>(line(&event)));
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(lines)).into_response()
}

fn line(event: &Value) -> Bytes {
    // JSON has no line breaks of its own, so an event is one line.
    format!("data: {event}\n\n").into()
}
