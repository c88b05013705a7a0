//! Errors in OpenAI's shape.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::session::HandleError;
use crate::session::chain;

/// What a request is answered with that cannot be served.
#[derive(Debug)]
pub(in super::super) struct ApiError {
    status: StatusCode,
    message: String,
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
    /// Seconds after which it is worth asking again.
    retry_after_s: u64,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind, param: None, code: None, retry_after_s: 1 }
    }

    fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// A request that is wrong, with the field that is at fault.
    pub(in super::super) fn invalid(param: &'static str, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message);
        if !param.is_empty() {
            error.param = Some(param);
        }
        error.code("invalid_value")
    }

    pub(super) fn too_large(message: impl Into<String>) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(status, "invalid_request_error", message).code("request_too_large")
    }

    pub(super) fn no_model(model: &str) -> Self {
        let model: String = model.chars().take(80).collect();
        let message = format!("there is no model {model:?}; GET /v1/models lists those there are");
        let mut error = Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message);
        error.param = Some("model");
        error.code("model_not_found")
    }

    pub(in super::super) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message).code("not_found")
    }

    pub(super) fn method() -> Self {
        let message = "this path is not asked with this method";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "invalid_request_error", message).code("method_not_allowed")
    }

    pub(in super::super) fn token() -> Self {
        let message =
            "a token is needed: send `Authorization: Bearer` and one that this server knows";
        Self::new(StatusCode::UNAUTHORIZED, "authentication_error", message).code("invalid_api_key")
    }

    /// More than one token may.
    pub(super) fn too_much(message: &str, retry_after_s: u64) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message);
        Self { retry_after_s, ..error.code("rate_limit_exceeded") }
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "permission_error", message).code("forbidden")
    }

    pub(in super::super) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", message).code("busy")
    }

    pub(super) fn slow() -> Self {
        let message = "the body came too slowly";
        Self::new(StatusCode::REQUEST_TIMEOUT, "invalid_request_error", message).code("timeout")
    }

    pub(in super::super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message).code("failed")
    }

    /// The body.
    pub(in super::super) fn body(&self) -> Value {
        let Self { message, kind, param, code, .. } = self;
        json!({ "error": { "message": message, "type": kind, "param": param, "code": code } })
    }
}

/// What cannot be read as it should be is a wrong request, whatever was to be read.
macro_rules! unreadable {
    ($($rejection:ty),*) => {$(
        impl From<$rejection> for ApiError {
            fn from(wrong: $rejection) -> Self {
                Self::invalid("", wrong.body_text())
            }
        }
    )*};
}

unreadable!(JsonRejection, QueryRejection, WebSocketUpgradeRejection);

impl From<HandleError> for ApiError {
    fn from(error: HandleError) -> Self {
        use crate::asr::AsrError;
        use crate::tts::TtsError;
        let text = chain(&error);
        match &error {
            HandleError::Busy { .. } => {
                Self { retry_after_s: error.retry_after_s(), ..Self::busy(text) }
            }
            HandleError::Asr(AsrError::Busy { .. }) => Self::busy(text),
            // The model's path is nobody's business.
            HandleError::Asr(AsrError::Language { language, reason, .. }) => {
                Self::invalid("language", format!("{language:?} cannot be transcribed: {reason}"))
            }
            HandleError::Tts(TtsError::Unspeakable { .. } | TtsError::TooLong { .. }) => {
                Self::invalid("input", text)
            }
            _ => {
                tracing::error!(error = text, "an engine failed");
                Self::internal(text)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            let seconds = HeaderValue::from(self.retry_after_s);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}
