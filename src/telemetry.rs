//! Logs, and the timeline of a turn.

use serde::{Deserialize, Serialize};

/// Sends the log to standard error, at the level of `HEARKEN_LOG` or else that of `-v` flags.
///
/// Called once, by the binary; a second call does nothing.
pub fn init(verbosity: u8) {
    use tracing_subscriber::EnvFilter;
    let level = match verbosity {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    // The runtimes' own chatter is of no use below the highest level.
    let default = format!("hearken={level},symphonia=error,warn");
    let filter = EnvFilter::try_from_env("HEARKEN_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
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
