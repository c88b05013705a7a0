//! Sockets that only transcribe, in the shapes of two servers that many clients know: Vosk's (`/vosk`)
//! and Deepgram's (`/v1/listen`). This page has what they share: the sound that is cut into utterances
//! and recognised as it arrives.

mod deepgram;
mod encoding;
mod vosk;

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::Value;

use super::{House, WRITE_LIMIT, heavy};
use crate::asr::Hypothesis;
use crate::asr::Segment;
use crate::asr::Task;
use crate::asr::Transcript;
use crate::detect::Config as DetectConfig;
use crate::session::AsrHandle;
use crate::session::FileTranscript;
use crate::session::HandleError;
use crate::session::Listened;
use crate::session::Listener;
use crate::session::Recognition;
use crate::session::chain;

pub(super) use deepgram::listen;
pub(super) use vosk::vosk;

use encoding::{Intake, Unreadable};

/// The largest message of a client in bytes.
const LARGEST: usize = 2 * 1024 * 1024;

/// Utterances of one connection that may be at the recogniser; more are read once one is recognised.
const MOST_JOBS: usize = 3;
/// How much more must be said before it is recognised anew, in samples: a second.
const INTERIM_EVERY: usize = 16_000;

/// Sound that is transcribed as it arrives.
struct Ears {
    house: Arc<House>,
    asr: AsrHandle,
    listener: Listener,
    intake: Intake,
    task: Task,
    samples: Vec<f32>,
    /// At the recogniser, with where each begins and ends in seconds.
    jobs: VecDeque<(f64, f64, Recognition)>,
    /// What was said so far, at the recogniser too, where that is asked for.
    interim: Option<(f64, f64, Recognition)>,
    interim_asked: bool,
    /// Whether an utterance was accepted: then the rest is, too.
    accepted: bool,
    /// How many samples of the utterance the last one had.
    interim_at: usize,
}

/// An utterance that was recognised.
struct Said {
    start: f64,
    end: f64,
    transcript: Transcript,
    /// Whether the utterance is over.
    is_final: bool,
}

/// Why a socket closes, as its client is told.
struct End {
    code: u16,
    reason: String,
}

impl Default for End {
    fn default() -> Self {
        Self { code: 1000, reason: String::new() }
    }
}

impl From<String> for End {
    fn from(reason: String) -> Self {
        Self { reason, ..Self::default() }
    }
}

impl From<&str> for End {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

impl From<Unreadable> for End {
    fn from(error: Unreadable) -> Self {
        // The registered code for what cannot be taken, which Deepgram uses too.
        Self { code: 1008, reason: error.to_string() }
    }
}

impl From<HandleError> for End {
    fn from(error: HandleError) -> Self {
        // The registered codes for "try again later" and for a failure.
        let code = if error.is_retryable() { 1013 } else { 1011 };
        Self { code, reason: chain(&error) }
    }
}

impl Said {
    /// The words with their times.
    fn words(&self) -> Vec<Segment> {
        let text = self.transcript.text.clone();
        let segments = vec![Segment { start: self.start, end: self.end, text }];
        FileTranscript { segments, ..FileTranscript::default() }.words()
    }

    fn confidence(&self) -> f32 {
        self.transcript.avg_logprob.min(0.0).exp()
    }
}

impl Ears {
    fn new(
        house: &Arc<House>,
        intake: Intake,
        language: Option<String>,
        detect: &DetectConfig,
    ) -> Result<Self, HandleError> {
        Ok(Self {
            listener: house.shared.listener(detect)?,
            asr: house.shared.asr().fork(),
            house: Arc::clone(house),
            intake,
            task: Task { language, free: true, ..Task::default() },
            samples: Vec::new(),
            jobs: VecDeque::new(),
            accepted: false,
            interim: None,
            interim_asked: false,
            interim_at: 0,
        })
    }

    /// Takes sound. Tells where speech began, in seconds.
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<f64>, End> {
        self.samples.clear();
        self.intake.push(bytes, &mut self.samples)?;
        let mut heard = Vec::new();
        let Self { listener, samples, .. } = self;
        heavy(bytes.len(), || listener.push(samples, &mut |what| heard.push(what)));
        self.take(heard)
    }

    /// What is being said is over. More may come.
    fn settle(&mut self) -> Result<Vec<f64>, End> {
        let mut heard = Vec::new();
        self.listener.finish(&mut |what| heard.push(what));
        self.take(heard)
    }

    /// All was sent.
    fn finish(&mut self) -> Result<Vec<f64>, End> {
        self.samples.clear();
        self.intake.finish(&mut self.samples)?;
        let mut heard = Vec::new();
        self.listener.push(&self.samples, &mut |what| heard.push(what));
        self.listener.finish(&mut |what| heard.push(what));
        self.take(heard)
    }

    fn take(&mut self, heard: Vec<Listened>) -> Result<Vec<f64>, End> {
        let mut began = Vec::new();
        for heard in heard {
            match heard {
                Listened::Started(at) => {
                    self.interim_at = 0;
                    began.push(at.seconds());
                }
                Listened::Utterance { start, stopped, audio } => {
                    self.interim = None;
                    let job =
                        self.asr.transcribe_next(audio, self.task.clone(), &mut self.accepted);
                    let job = job.inspect_err(|_| self.house.refused("listen", "busy"))?;
                    self.jobs.push_back((start.seconds(), stopped.seconds(), job));
                }
            }
        }
        self.ask_so_far();
        Ok(began)
    }

    /// Has what was said so far recognised, when a second has come since the last time and nobody's
    /// whole utterance waits.
    fn ask_so_far(&mut self) {
        if !self.interim_asked || self.interim.is_some() || !self.jobs.is_empty() {
            return;
        }
        let Some((start, audio)) = self.listener.so_far() else { return };
        if audio.len() < self.interim_at + INTERIM_EVERY {
            return;
        }
        self.interim_at = audio.len();
        let (start, end) = (start.seconds(), self.listener.now().seconds());
        // Who is busy does without.
        let job = self.asr.transcribe(audio.to_vec(), self.task.clone());
        self.interim = job.ok().map(|job| (start, end, job));
    }

    /// The next utterance that was recognised; never, while none is at the recogniser. May be dropped
    /// while it waits.
    async fn next(&mut self) -> Result<Said, HandleError> {
        loop {
            let Some((start, end, job)) = self.jobs.front_mut() else {
                let Some((start, end, job)) = &mut self.interim else {
                    return std::future::pending().await;
                };
                let (start, end) = (*start, *end);
                match job.next().await {
                    Some(Ok(Hypothesis::Partial(_))) => {}
                    Some(Ok(Hypothesis::Final(transcript))) => {
                        self.interim = None;
                        return Ok(Said { start, end, transcript, is_final: false });
                    }
                    Some(Err(_)) | None => self.interim = None,
                }
                continue;
            };
            let (start, end) = (*start, *end);
            match job.next().await {
                Some(Ok(Hypothesis::Partial(_))) => {}
                Some(Ok(Hypothesis::Final(transcript))) => {
                    self.jobs.pop_front();
                    return Ok(Said { start, end, transcript, is_final: true });
                }
                Some(Err(error)) => {
                    self.jobs.pop_front();
                    return Err(error);
                }
                None => drop(self.jobs.pop_front()),
            }
        }
    }
}

async fn write(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match tokio::time::timeout(WRITE_LIMIT, socket.send(message)).await {
        Ok(sent) => Ok(sent.map_err(|error| error.to_string())?),
        Err(_) => Err("the client takes nothing".into()),
    }
}

async fn send(socket: &mut WebSocket, value: &Value) -> Result<(), End> {
    write(socket, Message::Text(value.to_string().into())).await
}

async fn close(mut socket: WebSocket, end: &End) {
    let reason: String = end.reason.chars().take(100).collect();
    let frame = CloseFrame { code: end.code, reason: reason.into() };
    let _ = write(&mut socket, Message::Close(Some(frame))).await;
}

/// The language of a tag, as the recogniser knows it; none for those that leave it open.
fn language_of(tag: Option<&str>) -> Option<String> {
    let tag = tag?.split(['-', '_']).next()?.to_lowercase();
    (!matches!(tag.as_str(), "" | "multi" | "auto")).then_some(tag)
}
