//! Which models there are, and fetching one while the page shows how far it is.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::House;
use super::super::http::ApiError;
use super::aside;
use crate::models::Clients;
use crate::models::Entry;
use crate::models::Observer;
use crate::models::Step;

/// How often the pages are told how far a model is.
const TELL_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn list(State(house): State<Arc<House>>) -> Result<Json<Value>, ApiError> {
    let work = move || {
        let shared = &house.shared;
        // Also what was fetched by other means speaks from now on.
        shared.look_for_voices();
        let (store, used) = (shared.models(), shared.models_in_use().collect::<Vec<_>>());
        let row = |entry: &Entry| {
            json!({
                "id": entry.id, "name": entry.name, "kind": entry.kind.as_str(),
                "description": entry.description, "languages": entry.languages,
                "licence": entry.licence, "bytes": entry.disk_bytes(),
                "installed": store.is_installed(&entry.id),
                "used": used.contains(&entry.id.as_str()),
                "speaks": shared.voice(&entry.id).is_some(),
            })
        };
        store.catalogue().entries().map(row).collect::<Vec<_>>()
    };
    aside(work).await.map(|models| Json(json!({ "models": models })))
}

/// Tells the pages what happens during a pull.
struct Teller {
    house: Arc<House>,
    /// What comes of which model, and when it was last told.
    last: Mutex<(Option<u64>, Option<Instant>)>,
}

impl Observer for Teller {
    fn step(&self, id: &str, step: Step<'_>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let news = match step {
            Step::Fetching { file, total, .. } => {
                last.0 = total;
                json!({ "step": "fetching", "file": file, "total": total, "bytes": 0 })
            }
            Step::Bytes(bytes) => {
                if last.1.is_some_and(|told| told.elapsed() < TELL_EVERY) {
                    return;
                }
                last.1 = Some(Instant::now());
                json!({ "step": "fetching", "total": last.0, "bytes": bytes })
            }
            Step::Converting => json!({ "step": "converting" }),
            Step::Installed | Step::AlreadyThere => json!({ "step": "installed" }),
            Step::Failed { reason } => json!({ "step": "failed", "reason": reason }),
            _ => return,
        };
        let mut told = json!({ "news": "pull", "id": id });
        if let (Some(told), Value::Object(news)) = (told.as_object_mut(), news) {
            told.extend(news);
        }
        self.house.news.tell(&told);
    }
}

/// Fetches a model of the catalogue, and answers when it is there. One at a time.
pub(super) async fn pull(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    house
        .shared
        .models()
        .entry(&id)
        .map_err(|_| ApiError::not_found("there is no such model in the catalogue"))?;
    let own = Arc::clone(&house);
    let Ok(one) = Arc::clone(&house.pulling).try_acquire_owned() else {
        return Err(ApiError::busy("another model is being fetched; wait until it is there"));
    };
    // Goes on when the page is closed.
    let work = move || {
        let teller = Teller { house: Arc::clone(&own), last: Mutex::default() };
        let done = own.shared.models().pull(&[&id], &Clients::new(), &teller);
        if let Err(error) = &done {
            tracing::warn!(model = id, %error, "a model could not be fetched");
        }
        own.shared.look_for_voices();
        drop(one);
        done.map(drop).map_err(|error| ApiError::internal(error.to_string()))
    };
    aside(work).await??;
    Ok(Json(json!({ "done": true })))
}
