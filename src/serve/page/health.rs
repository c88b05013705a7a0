//! How the server is: who is here, how long things take, what went wrong lately.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::House;
use super::super::http::ApiError;
use super::aside;
use crate::telemetry;

pub(super) async fn health(State(house): State<Arc<House>>) -> Json<Value> {
    let shared = &house.shared;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs());
    let text = telemetry::metrics().text();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "up_seconds": now.saturating_sub(house.since),
        "pages": house.news.pages(),
        "places_taken": house.admission.inside(),
        "connections": house.metrics.active(),
        "recognitions_waiting": shared.asr().load().0,
        "texts_waiting": shared.tts().load().0,
        "recogniser_alive": shared.asr().is_alive(),
        "voices_alive": shared.tts().is_alive(),
        "times": times(&text),
        "counts": counts(&text),
        "troubles": telemetry::troubles(),
    }))
}

/// Microphones and speakers of this machine, and which of them are chosen by the settings.
pub(super) async fn devices(State(house): State<Arc<House>>) -> Result<Json<Value>, ApiError> {
    let chosen = |name: &Option<String>| name.clone().unwrap_or_default();
    let (input, output) = (chosen(&house.audio.input), chosen(&house.audio.output));
    let found = aside(crate::audio::devices).await?;
    let (microphones, speakers, problem) = match found {
        Ok((microphones, speakers)) => (microphones, speakers, None),
        Err(error) => (Vec::new(), Vec::new(), Some(error.to_string())),
    };
    Ok(Json(json!({
        "microphones": microphones, "speakers": speakers, "problem": problem,
        "input": input, "output": output,
    })))
}

/// The histograms of a page of metrics: the upper ends in seconds, and how many were not above each.
fn times(text: &str) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, (Vec<f64>, Vec<u64>)> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, rest)) = line.split_once("_seconds_bucket{le=\"") else { continue };
        let Some((end, count)) = rest.split_once("\"} ") else { continue };
        let (Ok(count), name) = (count.trim().parse(), name.trim_start_matches("hearken_")) else {
            continue;
        };
        let own = found.entry(name.to_owned()).or_default();
        own.1.push(count);
        // The last one has no end.
        own.0.extend(end.parse::<f64>().ok().filter(|end| end.is_finite()));
    }
    let row = |(name, (ends, counts))| (name, json!({ "ends": ends, "counts": counts }));
    found.into_iter().map(row).collect()
}

fn counts(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (name, count) = line.strip_prefix("hearken_")?.split_once("_total ")?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_as_they_are_written() {
        let text = telemetry::metrics().text();
        let times = times(&text);
        let (ends, counts) = (&times["voice_to_voice"]["ends"], &times["voice_to_voice"]["counts"]);
        assert_eq!(ends.as_array().unwrap().len() + 1, counts.as_array().unwrap().len());
        assert!(super::counts(&text).contains_key("turns"), "{text}");
    }
}
