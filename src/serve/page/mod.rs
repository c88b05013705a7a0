//! The web page: its files, which the program carries inside itself, and what it asks the server for.
//!
//! The files need no token, as they hold nothing of anybody's; everything below `/api` does, as do the
//! other doors that the page uses (`/v1/stream`, `/v1/listen`, `/v1/audio/speech`).

mod files;
mod health;
mod home;
mod lessons;
mod models;
mod news;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use super::House;

pub(super) use news::{News, watch};

/// Whoever wants to see more pages than this has to close some.
const MOST_PAGES: usize = 1000;

/// The page itself.
pub(super) fn files() -> Router<Arc<House>> {
    let routes = files::FILES.iter().flat_map(|file| file.paths);
    routes.fold(Router::new(), |router, path| router.route(path, get(files::file)))
}

/// What it asks for.
pub(super) fn api() -> Router<Arc<House>> {
    Router::new()
        .route("/api/home", get(home::home))
        .route("/api/home/call", post(home::call))
        .route("/api/home/timer", post(home::timer))
        .route("/api/live", get(news::live))
        .route("/api/lessons", get(lessons::list).post(lessons::learn))
        .route("/api/lessons/check", post(lessons::check))
        .route("/api/lessons/{id}", delete(lessons::forget))
        .route("/api/health", get(health::health))
        .route("/api/devices", get(health::devices))
        .route("/api/models", get(models::list))
        .route("/api/models/{id}/pull", post(models::pull))
}

/// Runs what may wait for a lock or a device beside the sockets.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, super::http::ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| super::http::ApiError::internal("this broke off; the log says why"))
}
