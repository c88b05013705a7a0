//! The pipeline that a satellite asks for: it sends sound, we say what was heard, what was done about
//! it, and the answer's sound.

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Event, Gone, Peer, State, error};
use crate::asr::Transcript;

/// The stages in their order.
const STAGES: [&str; 5] = ["wake", "asr", "intent", "handle", "tts"];

/// What a satellite asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pipeline {
    /// The place of the last stage among [`STAGES`].
    end: usize,
    restart: bool,
    /// Whether it is over; sound that still comes is passed over.
    pub(super) over: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Peer<S> {
    pub(super) async fn run_pipeline(
        &mut self,
        event: &Event,
        state: &mut State,
    ) -> Result<(), Gone> {
        let place = |key: &str| {
            let stage = event.text(key)?;
            STAGES.iter().position(|own| *own == stage)
        };
        let (Some(start), Some(end)) = (place("start_stage"), place("end_stage")) else {
            let text = format!("start_stage and end_stage are each one of {}", STAGES.join(", "));
            return self.send(&error(&text, "pipeline")).await;
        };
        if end < start {
            return self.send(&error("end_stage comes before start_stage", "pipeline")).await;
        }
        (state.hearing, state.speaking, state.given_up) = (None, None, false);
        let restart = event.data.get("restart_on_end").and_then(serde_json::Value::as_bool);
        match STAGES[start] {
            "wake" => {
                self.send(&error("no wake word model is installed", "wake-engine-missing")).await
            }
            "asr" => {
                let restart = restart.unwrap_or(false);
                state.pipeline = Some(Pipeline { end, restart, over: false });
                Ok(())
            }
            "tts" => match event.text("announce_text") {
                Some(text) => {
                    let asked = Event::new("synthesize").with("text", text);
                    self.synthesize(&asked).await
                }
                None => Ok(()),
            },
            // The `transcript` that follows is handled as any.
            _ => Ok(()),
        }
    }

    /// Carries the pipeline on once something was said.
    pub(super) async fn carry_on(
        &mut self,
        said: &Transcript,
        state: &mut State,
    ) -> Result<(), Gone> {
        let Some(pipeline) = &mut state.pipeline else { return Ok(()) };
        pipeline.over = !pipeline.restart;
        let end = STAGES[pipeline.end];
        // What is said while the answer is made belongs to the next round.
        state.hearing = None;
        let transcript = Event::new("transcript")
            .with("text", said.text.as_str())
            .with("language", said.language.as_str());
        self.send(&transcript).await?;
        match end {
            "wake" | "asr" => Ok(()),
            "intent" => self.recognize(&transcript).await,
            end => {
                let answer = self.handle(&transcript).await?;
                match (end, answer) {
                    ("tts", Some(text)) if !text.trim().is_empty() => {
                        let asked = Event::new("synthesize").with("text", text);
                        self.send(&asked).await?;
                        self.synthesize(&asked).await
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}
