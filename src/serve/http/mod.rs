//! HTTP: OpenAI's audio endpoints, and what one asks a server about itself.

mod encode;
mod error;
mod models;
mod mp3;
mod multipart;
mod names;
mod ogg;
mod satellites;
mod speech;
mod sse;
mod transcriptions;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use super::admission::Permit;
use super::metrics::plain;
use super::tokens::{Denied, TokenPermit};
use super::{House, REFUSAL, Refused, WRITE_LIMIT, Wire};

use crate::telemetry;

pub(super) use error::ApiError;
pub(super) use models::voice;

/// How long a client may take to send its headers, and an idle connection is kept.
const HEADERS: Duration = Duration::from_secs(10);
/// The most that headers may hold, in bytes.
const HEADER_BYTES: usize = 32 * 1024;

/// A connection's place in the house, which what it turns into keeps.
#[derive(Debug, Clone)]
pub(super) struct Place {
    #[allow(dead_code, reason = "held, not read")]
    connection: Arc<Permit>,
    #[allow(dead_code, reason = "held, not read")]
    token: Option<Arc<TokenPermit>>,
    /// The session that was made with the token, if it is good for that one only.
    pub(super) session: Option<Arc<serde_json::Value>>,
}

/// All that can be asked for.
pub(super) fn router(house: &Arc<House>) -> Router {
    let api = Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/models/{id}", get(models::one))
        .route("/v1/audio/voices", get(models::voices))
        .route("/v1/audio/transcriptions", post(transcriptions::transcriptions))
        .route("/v1/audio/translations", post(transcriptions::translations))
        .route("/v1/audio/speech", post(speech::speech))
        .route("/v1/realtime", get(super::realtime::realtime))
        .route("/v1/realtime/client_secrets", post(super::realtime::client_secrets))
        .route("/v1/realtime/sessions", post(super::realtime::old_sessions))
        .route("/v1/realtime/transcription_sessions", post(super::realtime::old_transcriptions))
        .route("/v1/listen", get(super::listening::listen))
        .route("/vosk", get(super::listening::vosk))
        .route("/v1/stream", get(super::stream::stream))
        .route("/xiaozhi/v1/", get(super::xiaozhi::xiaozhi))
        .route("/xiaozhi/v1", get(super::xiaozhi::xiaozhi))
        .route("/v1/satellites", get(satellites::list))
        .route("/v1/satellites/{name}/tools/{tool}", post(satellites::call))
        .route("/metrics", get(metrics))
        .merge(super::page::api())
        .layer(middleware::from_fn_with_state(Arc::clone(house), guard));
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        // Devices ask here before they know anything.
        .route("/xiaozhi/ota/", get(super::xiaozhi::start_up).post(super::xiaozhi::start_up))
        // Looks for the token in what comes over the socket.
        .route("/twilio", get(super::telephony::twilio::twilio))
        .merge(super::page::files())
        .merge(api)
        .fallback(async || ApiError::not_found("there is nothing at this path"))
        .method_not_allowed_fallback(async || ApiError::method())
        .layer(middleware::from_fn_with_state(Arc::clone(house), steady))
        .layer(DefaultBodyLimit::max(house.config.max_body_mb * 1024 * 1024))
        .with_state(Arc::clone(house))
}

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: Box<dyn Wire>,
    address: SocketAddr,
    permit: Permit,
    router: Router,
    stop: &CancellationToken,
) {
    let router = router
        .layer(Extension(Place { connection: Arc::new(permit), token: None, session: None }))
        .layer(Extension(address));
    // Whoever asks for speech and does not read would keep a place for ever.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_LIMIT));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            // The request that is being answered is; the next is not taken.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "an HTTP connection broke");
    }
}

/// What a client is told that does not encrypt.
pub(super) fn plainly() -> Vec<u8> {
    last_answer(
        "400 Bad Request",
        &ApiError::invalid("", "this door is encrypted: write https, or wss"),
    )
}

/// An answer to whatever was asked, and the last one.
fn last_answer(status: &str, error: &ApiError) -> Vec<u8> {
    let body = error.body().to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Tells a client that the house is full.
pub(super) async fn refuse(mut stream: Box<dyn Wire>, why: Refused) {
    let error = match why {
        Refused::Full => ApiError::busy("all places are taken; try again in a moment"),
        Refused::Crowd => ApiError::busy("too many connections from this address; close some"),
    };
    let answer = last_answer("503 Service Unavailable\r\nretry-after: 1", &error);
    let _ = tokio::time::timeout(REFUSAL, async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        // Closing before the client's own bytes are read could take the answer back.
        let mut sink = [0; 1024];
        while stream.read(&mut sink).await? > 0 {}
        std::io::Result::Ok(())
    })
    .await;
}

/// Lets in who shows a token; without tokens, everybody but the web pages of strangers.
async fn guard(State(house): State<Arc<House>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let shown = token(headers);
    let session = shown.and_then(|shown| house.tokens.session_of(shown));
    if house.tokens.is_open() {
        if let Err(error) = known(&house, headers) {
            return error.into_response();
        }
        if let Some(place) = request.extensions_mut().get_mut::<Place>() {
            place.session = session;
        }
        return next.run(request).await;
    }
    // It lies in a web page, and must not open more than the page is for.
    if session.is_some() && request.uri().path() != "/v1/realtime" {
        house.refused("http", "token");
        return ApiError::forbidden("this token opens /v1/realtime only").into_response();
    }
    let denied = match house.tokens.enter(shown.unwrap_or_default()) {
        Ok(permit) => {
            let permit = Arc::new(permit);
            // A socket takes its place along, and with it this.
            if let Some(place) = request.extensions_mut().get_mut::<Place>() {
                place.token = Some(Arc::clone(&permit));
                place.session = session;
            }
            return next.run(request).await;
        }
        Err(denied) => denied,
    };
    house.refused("http", denied.reason());
    let error = match denied {
        Denied::Unknown => ApiError::token(),
        Denied::TooMany => ApiError::too_much("too many requests at once with this token", 1),
        Denied::TooOften { seconds } => {
            ApiError::too_much("too many requests a minute with this token", seconds)
        }
    };
    error.into_response()
}

/// Ends a request whose body stops coming.
async fn steady(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    let idle = house.idle();
    let request = request.map(|body| {
        let pieces =
            futures_util::stream::unfold(Some(body.into_data_stream()), move |pieces| async move {
                let mut pieces = pieces?;
                match tokio::time::timeout(idle, futures_util::StreamExt::next(&mut pieces)).await {
                    Ok(piece) => piece.map(|piece| (piece, Some(pieces))),
                    Err(_) => {
                        let slow =
                            std::io::Error::new(std::io::ErrorKind::TimedOut, "it came too slowly");
                        Some((Err(axum::Error::new(slow)), None))
                    }
                }
            });
        Body::from_stream(pieces)
    });
    next.run(request).await
}

/// Lets in who asks for this machine and is no page of a stranger; for where no token is needed.
pub(super) fn known(house: &House, headers: &HeaderMap) -> Result<(), ApiError> {
    names::look(headers, &house.config.host_names).map_err(|stranger| {
        house.refused("http", "stranger");
        ApiError::forbidden(&stranger.to_string())
    })
}

/// The token that a client shows: in `Authorization` (Deepgram's clients call the scheme `Token`), or,
/// since a browser's WebSocket cannot, among the sub-protocols, in OpenAI's way or in Deepgram's.
fn token(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let shown = text(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let known = ["bearer", "token"].iter().any(|own| scheme.eq_ignore_ascii_case(own));
        known.then(|| token.trim())
    });
    shown.or_else(|| {
        let mut offered = text(header::SEC_WEBSOCKET_PROTOCOL)?.split(',').map(str::trim);
        let first = offered.next()?;
        match first {
            "token" | "bearer" => offered.next(),
            first => std::iter::once(first)
                .chain(offered)
                .find_map(|one| one.strip_prefix("openai-insecure-api-key.")),
        }
    })
}

async fn ready(State(house): State<Arc<House>>) -> Response {
    let shared = &house.shared;
    let why = match (house.stop.is_cancelled(), shared.asr().is_alive(), shared.tts().is_alive()) {
        (true, ..) => "closing",
        (_, false, _) => "the recogniser has stopped",
        (.., false) => "the voices have stopped",
        _ => return "ready\n".into_response(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
}

async fn metrics(State(house): State<Arc<House>>) -> Response {
    let (waiting, _) = house.shared.asr().load();
    let (speaking, _) = house.shared.tts().load();
    let wait = usize::try_from(house.shared.asr().wait().as_millis()).unwrap_or(usize::MAX);
    let mut text = house.metrics.text();
    text.push_str(&plain(&telemetry::metrics().text()));
    for (name, help, value) in [
        ("hearken_places_taken", "Connections that hold a place.", house.admission.inside()),
        ("hearken_recognitions_waiting", "Utterances that wait for the recogniser.", waiting),
        ("hearken_texts_spoken", "Texts that are being spoken or wait for it.", speaking),
        ("hearken_recognition_wait_ms", "How long an utterance would wait now.", wait),
    ] {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn tokens_are_found_where_clients_put_them() {
        for (name, value, want) in [
            (header::AUTHORIZATION, "Bearer abc", Some("abc")),
            (header::AUTHORIZATION, "bearer  abc ", Some("abc")),
            (header::AUTHORIZATION, "Token abc", Some("abc")),
            (header::AUTHORIZATION, "Basic abc", None),
            (header::AUTHORIZATION, "abc", None),
            (header::SEC_WEBSOCKET_PROTOCOL, "realtime, openai-insecure-api-key.abc", Some("abc")),
            (header::SEC_WEBSOCKET_PROTOCOL, "token, abc", Some("abc")),
            (header::SEC_WEBSOCKET_PROTOCOL, "token", None),
            (header::SEC_WEBSOCKET_PROTOCOL, "realtime", None),
        ] {
            assert_eq!(token(&headers(&[(name, value)])), want, "{value}");
        }
    }
}
