//! Logs, the timeline of a turn, and the numbers that a monitor collects.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use serde::{Deserialize, Serialize};
use tracing_subscriber::Layer;

/// Sends the log to standard error, at the level of `HEARKEN_LOG` or else that of `-v` flags.
///
/// Called once, by the binary; a second call does nothing.
pub fn init(verbosity: u8) {
    use tracing_subscriber::EnvFilter;
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let level = match verbosity {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    // The runtimes' own chatter is of no use below the highest level.
    let default = format!("hearken={level},symphonia=error,warn");
    let filter = EnvFilter::try_from_env("HEARKEN_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(Troubles.with_filter(LevelFilter::WARN))
        .try_init();
}

/// Warnings and errors that are remembered.
const MOST_TROUBLES: usize = 50;

/// A warning or an error of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// When, in seconds since 1970.
    pub at: u64,
    /// `WARN` or `ERROR`.
    pub level: &'static str,
    /// What the log says.
    pub text: String,
}

/// The warnings and errors of this process, the latest last; those before the last fifty are gone.
#[must_use]
pub fn troubles() -> Vec<Trouble> {
    let list = troubles_list().lock().unwrap_or_else(PoisonError::into_inner);
    list.iter().cloned().collect()
}

fn troubles_list() -> &'static Mutex<VecDeque<Trouble>> {
    static LIST: Mutex<VecDeque<Trouble>> = Mutex::new(VecDeque::new());
    &LIST
}

/// Remembers what goes wrong, for who asks later.
struct Troubles;

impl<S: tracing::Subscriber> Layer<S> for Troubles {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut words = Words(String::new());
        event.record(&mut words);
        let at = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs());
        let text = words.0.chars().take(400).collect();
        let trouble = Trouble { at, level: event.metadata().level().as_str(), text };
        let mut list = troubles_list().lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= MOST_TROUBLES {
            list.pop_front();
        }
        list.push_back(trouble);
    }
}

/// The fields of an event in one line.
struct Words(String);

impl tracing::field::Visit for Words {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write;
        let gap = if self.0.is_empty() { "" } else { " " };
        // Writing into a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{gap}{value:?}"),
            name => write!(self.0, "{gap}{name}={value:?}"),
        };
    }
}

/// Where the milliseconds of one turn went.
///
/// `endpoint_delay` is counted in samples and so the same at any speed; the others are time on the
/// wall of the machine that ran the turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnTimeline {
    /// From the last speech to the decision that the utterance ended.
    pub endpoint_delay: f64,
    /// From that decision to the final transcript: what was left to do, since recognition begins in
    /// the first pause.
    pub recognition: f64,
    /// How long the recognition took altogether.
    #[serde(default)]
    pub recognition_work: f64,
    /// From the transcript to the reply's text: understanding and acting.
    pub understanding: f64,
    /// From the reply's text to its first audible sample; absent when nothing was said.
    pub first_audio: Option<f64>,
    /// From the reply's text to its last sample; absent when nothing was said.
    pub synthesis: Option<f64>,
    /// From the last speech to the first audible sample of the reply: endpoint delay, recognition,
    /// understanding and first audio.
    pub voice_to_voice: Option<f64>,
}

/// Bounds in seconds, close together around what one waits for gladly (0.4 s) and just so (0.8 s).
const BOUNDS: [f64; 14] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0];

/// What is counted of all sessions of this process, in the text format of Prometheus (OpenMetrics).
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    endpoint_delay: Histogram,
    recognition: Histogram,
    recognition_work: Histogram,
    understanding: Histogram,
    first_audio: Histogram,
    voice_to_voice: Histogram,
    /// Turns that ended.
    pub turns: Counter,
    /// Stages that failed.
    pub failures: Counter,
    /// Replies that the user broke off.
    pub interruptions: Counter,
    /// Replies that were held for nothing and went on.
    pub false_alarms: Counter,
    /// Pieces of speech that came for turns that were over.
    pub late_pieces: Counter,
}

/// The numbers of this process.
pub fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(Metrics::new)
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("hearken");
        let mut seconds = |name: &str, help: &str| {
            let histogram = Histogram::new(BOUNDS);
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
            histogram
        };
        let endpoint_delay = seconds("endpoint_delay", "From the last speech to the endpoint");
        let recognition = seconds("recognition", "From the endpoint to the final text");
        let recognition_work = seconds("recognition_work", "What recognition took altogether");
        let understanding = seconds("understanding", "From the text to the reply's text");
        let first_audio = seconds("first_audio", "From the reply's text to its first sound");
        let voice_to_voice = seconds("voice_to_voice", "From the last speech to the reply's sound");
        let mut count = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let turns = count("turns", "Turns that ended");
        let failures = count("failures", "Stages that failed");
        let interruptions = count("interruptions", "Replies that the user broke off");
        let false_alarms = count("false_alarms", "Replies that were held for nothing");
        let late_pieces = count("late_pieces", "Pieces of speech for turns that were over");
        Self {
            registry,
            endpoint_delay,
            recognition,
            recognition_work,
            understanding,
            first_audio,
            voice_to_voice,
            turns,
            failures,
            interruptions,
            false_alarms,
            late_pieces,
        }
    }

    /// Counts a turn that ended.
    pub fn turn(&self, t: &TurnTimeline) {
        self.turns.inc();
        // What the session says by itself hears nobody.
        if t.recognition_work > 0.0 {
            self.endpoint_delay.observe(t.endpoint_delay / 1000.0);
            self.recognition.observe(t.recognition / 1000.0);
            self.recognition_work.observe(t.recognition_work / 1000.0);
            self.understanding.observe(t.understanding / 1000.0);
        }
        // Nor does what was typed have a last word.
        let spoken = t.voice_to_voice.filter(|_| t.recognition_work > 0.0);
        for (histogram, ms) in [(&self.first_audio, t.first_audio), (&self.voice_to_voice, spoken)]
        {
            if let Some(ms) = ms {
                histogram.observe(ms / 1000.0);
            }
        }
    }

    /// All numbers, as a monitor reads them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_and_told() {
        let metrics = Metrics::new();
        metrics.turn(&TurnTimeline {
            endpoint_delay: 200.0,
            recognition_work: 300.0,
            voice_to_voice: Some(450.0),
            ..TurnTimeline::default()
        });
        metrics.turn(&TurnTimeline { first_audio: Some(70.0), ..TurnTimeline::default() });
        let text = metrics.text();
        for line in [
            "hearken_turns_total 2",
            "hearken_voice_to_voice_seconds_bucket{le=\"0.4\"} 0",
            "hearken_voice_to_voice_seconds_bucket{le=\"0.5\"} 1",
            "hearken_endpoint_delay_seconds_count 1",
            "hearken_first_audio_seconds_sum 0.07",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
