//! What happened at the doors, in numbers: Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the histograms' buckets in seconds; they stand around the deadlines.
const BUCKETS: [f64; 10] = [0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0, 15.0];

/// Names and their help. A name that is not here is not shown.
const HELP: [(&str, &str, &str); 7] = [
    ("hearken_connections_total", "counter", "Connections that were let in."),
    ("hearken_connections_active", "gauge", "Connections that are open."),
    ("hearken_refused_total", "counter", "Connections and requests that were refused."),
    ("hearken_requests_total", "counter", "Requests and events that asked for something."),
    (
        "hearken_door_recognition_seconds",
        "histogram",
        "From the end of the audio to the transcript.",
    ),
    ("hearken_door_first_audio_seconds", "histogram", "From the text to the first audible sample."),
    ("hearken_audio_seconds_total", "counter", "Seconds of sound that were heard or spoken."),
];

type Labels = String;

/// Counters, gauges and histograms by name and labels.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    values: Mutex<BTreeMap<&'static str, BTreeMap<Labels, f64>>>,
    times: Mutex<BTreeMap<&'static str, BTreeMap<Labels, Histogram>>>,
}

#[derive(Debug, Default)]
struct Histogram {
    counts: [u64; BUCKETS.len()],
    all: u64,
    sum: f64,
}

/// The labels of Prometheus. Values are words of ours, never a client's, so nothing needs escaping and
/// nobody can make the list grow.
fn labels(pairs: &[(&str, &'static str)]) -> Labels {
    pairs.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect::<Vec<_>>().join(",")
}

impl Metrics {
    /// Adds to a counter or a gauge.
    pub(super) fn add(&self, name: &'static str, by: f64, pairs: &[(&str, &'static str)]) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        *values.entry(name).or_default().entry(labels(pairs)).or_default() += by;
    }

    /// The connections that are open, by door.
    pub(super) fn active(&self) -> BTreeMap<String, f64> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let open = values.get("hearken_connections_active").into_iter().flatten();
        let door = |labels: &str| labels.split('"').nth(1).unwrap_or_default().to_owned();
        open.filter(|(_, count)| **count > 0.0).map(|(l, count)| (door(l), *count)).collect()
    }

    /// Counts a duration.
    pub(super) fn time(&self, name: &'static str, took: Duration, pairs: &[(&str, &'static str)]) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = times.entry(name).or_default().entry(labels(pairs)).or_default();
        let seconds = took.as_secs_f64();
        histogram.all += 1;
        histogram.sum += seconds;
        for (count, end) in histogram.counts.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= end);
        }
    }

    /// Everything as text.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        for (name, kind, help) in HELP {
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
            for (labels, value) in values.get(name).into_iter().flatten() {
                let _ = writeln!(out, "{name}{{{labels}}} {value}");
            }
            for (labels, histogram) in times.get(name).into_iter().flatten() {
                let comma = if labels.is_empty() { "" } else { "," };
                for (count, end) in histogram.counts.iter().zip(BUCKETS) {
                    let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{end}\"}} {count}");
                }
                let Histogram { all, sum, .. } = histogram;
                let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {all}");
                let _ =
                    writeln!(out, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {all}");
            }
        }
        out
    }
}

/// OpenMetrics text in the older format that every monitor reads: there a counter's name has its
/// `_total`, and units and the end are not marked.
pub(super) fn plain(text: &str) -> String {
    let counter =
        |line: &str| line.strip_prefix("# TYPE ")?.strip_suffix(" counter").map(str::to_owned);
    let counters: Vec<String> = text.lines().filter_map(counter).collect();
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        let (mark, word, name, rest) = (words.next(), words.next(), words.next(), words.next());
        match (mark, word, name, rest) {
            (Some("#"), Some(word @ ("HELP" | "TYPE")), Some(name), Some(rest))
                if counters.iter().any(|counter| counter == name) =>
            {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "# {word} {name}_total {rest}");
            }
            _ => {
                let _ = writeln!(out, "{line}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_format_becomes_the_older() {
        let new = "# HELP h_turns Turns.\n# TYPE h_turns counter\nh_turns_total 2\n\
                   # HELP h_x_seconds X.\n# TYPE h_x_seconds histogram\n# UNIT h_x_seconds seconds\n\
                   h_x_seconds_sum 0.5\n# EOF\n";
        let old = "# HELP h_turns_total Turns.\n# TYPE h_turns_total counter\nh_turns_total 2\n\
                   # HELP h_x_seconds X.\n# TYPE h_x_seconds histogram\nh_x_seconds_sum 0.5\n";
        assert_eq!(plain(new), old);
    }

    #[test]
    fn counts_and_times_are_told() {
        let metrics = Metrics::default();
        metrics.add("hearken_connections_total", 1.0, &[("door", "wyoming")]);
        metrics.add("hearken_connections_total", 1.0, &[("door", "wyoming")]);
        metrics.time(
            "hearken_door_recognition_seconds",
            Duration::from_millis(250),
            &[("door", "http")],
        );
        let text = metrics.text();
        for line in [
            "# TYPE hearken_connections_total counter\nhearken_connections_total{door=\"wyoming\"} 2\n",
            "hearken_door_recognition_seconds_bucket{door=\"http\",le=\"0.2\"} 0\n",
            "hearken_door_recognition_seconds_bucket{door=\"http\",le=\"0.3\"} 1\n",
            "hearken_door_recognition_seconds_bucket{door=\"http\",le=\"+Inf\"} 1\n",
            "hearken_door_recognition_seconds_sum{door=\"http\"} 0.25\n",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
    }
}
