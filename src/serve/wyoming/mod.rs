//! Wyoming: the protocol of Home Assistant's voice services and satellites.
//!
//! One connection is one ordered stream of events each way. This page reads them and hands them on:
//! `hear` for speech to text, `speak` for text to speech, `understand` for intents and the home, `info`
//! for what there is.

mod hear;
mod info;
mod pipeline;
pub(super) mod satellite;
mod speak;
mod understand;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use super::{House, REFUSAL, Refused, ServeError, WRITE_LIMIT};
use crate::session::AsrHandle;
use crate::session::HandleError;

pub use crate::remote::Decoder;
pub use crate::remote::Event;
pub use crate::remote::WireError;

use hear::Hearing;
use pipeline::Pipeline;
use speak::Speaking;

/// Events, and their bytes, that are kept while an earlier one is being worked at. More are not read.
const MOST_WAITING: usize = 64;
const MOST_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// Why a connection ends before its client ended it.
#[derive(Debug, thiserror::Error)]
enum Gone {
    #[error("the connection broke: {0}")]
    Broke(#[from] std::io::Error),
    #[error("the client takes nothing any more")]
    Stuck,
    #[error("nothing came for {0:?}")]
    Idle(Duration),
    #[error("the longest time of a connection is over")]
    TooLong,
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("the server closes")]
    Closing,
    /// It has been told why already.
    #[error("what was sent was not heard")]
    Unheard,
}

/// One client.
struct Peer<S> {
    stream: S,
    decoder: Decoder,
    waiting: VecDeque<Event>,
    waiting_bytes: usize,
    /// The client sends no more; it may still listen.
    ended: bool,
    /// When the next event must be whole.
    patience: Instant,
    /// When the connection ends whatever happens.
    end: Instant,
    house: Arc<House>,
    /// The recogniser, for this client's turns.
    asr: AsrHandle,
}

/// What a client is in the middle of.
#[derive(Default)]
struct State {
    hearing: Option<Hearing>,
    /// What `transcribe` asked for the audio that follows.
    language: Option<String>,
    speaking: Option<Speaking>,
    pipeline: Option<Pipeline>,
    /// A transcript is owed.
    asked: bool,
    /// The audio that comes was given up; its client was told so.
    given_up: bool,
}

/// Serves one connection to its end.
pub(super) async fn serve<S>(stream: S, house: &Arc<House>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut peer = Peer::new(stream, house);
    if let Err(gone) = peer.talk().await {
        tracing::debug!(%gone, "a Wyoming connection ends");
        if !matches!(gone, Gone::Broke(_) | Gone::Stuck | Gone::Unheard) {
            let _ = peer.send(&error(&gone.to_string(), "closed")).await;
        }
    }
    let _ = tokio::time::timeout(WRITE_LIMIT, peer.stream.shutdown()).await;
}

/// Tells a client that the house is full.
pub(super) async fn refuse<S>(mut stream: S, why: Refused)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let text = match why {
        Refused::Full => "all places are taken; try again in a moment",
        Refused::Crowd => "too many connections from this address; close some",
    };
    let event = error(text, "busy").encode();
    let _ = tokio::time::timeout(REFUSAL, async {
        stream.write_all(&event).await?;
        stream.shutdown().await?;
        // Closing before the client's own bytes are read could take the answer back.
        let mut sink = [0; 1024];
        while stream.read(&mut sink).await? > 0 {}
        std::io::Result::Ok(())
    })
    .await;
}

/// What a client is told that does not encrypt.
pub(super) fn plainly() -> Vec<u8> {
    error("this door is encrypted: connect with TLS", "tls").encode()
}

/// An `error` event.
fn error(text: &str, code: &str) -> Event {
    Event::new("error").with("text", text).with("code", code)
}

/// An engine's failure as an event.
fn failure(failed: &HandleError) -> Event {
    let code = if failed.is_retryable() { "busy" } else { "failed" };
    error(&crate::session::chain(failed), code)
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Peer<S> {
    fn new(stream: S, house: &Arc<House>) -> Self {
        let now = Instant::now();
        Self {
            stream,
            decoder: Decoder::default(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            ended: false,
            patience: now + house.idle(),
            end: now + Duration::from_secs(house.config.session_s),
            house: Arc::clone(house),
            asr: house.shared.asr().fork(),
        }
    }

    async fn talk(&mut self) -> Result<(), Gone> {
        let mut state = State::default();
        loop {
            let busy = state.hearing.is_some() || state.speaking.is_some();
            let hearing = state.hearing.as_mut();
            let stop = self.house.stop.clone();
            let event = tokio::select! {
                heard = Hearing::next(hearing) => {
                    self.heard(heard, &mut state).await?;
                    continue;
                }
                event = self.next() => event?,
                // Who is in the middle of something may finish it.
                () = stop.cancelled(), if !busy => return Err(Gone::Closing),
            };
            let Some(event) = event else { return Ok(()) };
            self.take(event, &mut state).await?;
        }
    }

    async fn take(&mut self, event: Event, state: &mut State) -> Result<(), Gone> {
        let count = |kind: &'static str| {
            let labels = [("door", "wyoming"), ("kind", kind)];
            self.house.metrics.add("hearken_requests_total", 1.0, &labels);
        };
        match event.kind.as_str() {
            "describe" | "ping" => self.answer_at_once(&event).await,
            "transcribe" => {
                count("transcribe");
                state.language = event.text("language").map(base);
                (state.hearing, state.pipeline, state.given_up) = (None, None, false);
                state.asked = true;
                Ok(())
            }
            // Many clients, Home Assistant's among them, wait for a transcript or the end and for nothing else.
            "audio-stop" if state.given_up && state.pipeline.is_none() => Err(Gone::Unheard),
            "audio-chunk" | "audio-stop" if state.given_up => Ok(()),
            "audio-start" | "audio-chunk" | "audio-stop"
                if state.pipeline.is_some_and(|pipeline| pipeline.over) =>
            {
                Ok(())
            }
            "audio-start" | "audio-chunk" => self.audio(&event, state).await,
            "audio-stop" => self.audio_stop(state).await,
            "synthesize" if state.speaking.is_none() => {
                count("synthesize");
                self.synthesize(&event).await
            }
            "synthesize-start" => {
                count("synthesize");
                state.speaking = Some(Speaking::new(&event));
                Ok(())
            }
            "synthesize-chunk" => self.synthesize_chunk(&event, state).await,
            "synthesize-stop" => self.synthesize_stop(state).await,
            "recognize" => {
                count("recognize");
                self.recognize(&event).await
            }
            "transcript" => {
                count("handle");
                self.handle(&event).await.map(drop)
            }
            "run-pipeline" => {
                count("pipeline");
                self.run_pipeline(&event, state).await
            }
            "detect" => {
                self.send(&error("no wake word model is installed", "wake-engine-missing")).await
            }
            other => {
                tracing::trace!(event = other, "passed over");
                Ok(())
            }
        }
    }

    async fn answer_at_once(&mut self, event: &Event) -> Result<(), Gone> {
        if event.kind == "describe" {
            let info = info::info(&self.house.shared);
            return self.send(&info).await;
        }
        let mut pong = Event::new("pong");
        if let Some(text) = event.data.get("text") {
            pong = pong.with("text", text.clone());
        }
        self.send(&pong).await
    }

    /// The next event; `None` when the client has ended. May be dropped while it waits.
    async fn next(&mut self) -> Result<Option<Event>, Gone> {
        if let Some(event) = self.waiting.pop_front() {
            self.waiting_bytes -= event.payload.len();
            return Ok(Some(event));
        }
        self.read().await
    }

    /// The next event from the wire. May be dropped while it waits.
    async fn read(&mut self) -> Result<Option<Event>, Gone> {
        loop {
            if let Some(event) = self.decoder.next()? {
                self.patience = Instant::now() + self.house.idle();
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            let until = self.patience.min(self.end);
            let buffer = self.decoder.buffer();
            buffer.reserve(8 * 1024);
            match tokio::time::timeout_at(until, self.stream.read_buf(buffer)).await {
                Ok(read) => self.ended = read? == 0,
                Err(_) if until == self.end => return Err(Gone::TooLong),
                Err(_) => return Err(Gone::Idle(self.house.idle())),
            }
        }
    }

    async fn send(&mut self, event: &Event) -> Result<(), Gone> {
        let bytes = event.encode();
        match tokio::time::timeout(WRITE_LIMIT, self.stream.write_all(&bytes)).await {
            Ok(written) => Ok(written?),
            Err(_) => Err(Gone::Stuck),
        }
    }

    /// Waits for work while the client is still listened to: `ping` and `describe` are answered at once,
    /// other events wait for their turn.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Gone> {
        tokio::pin!(work);
        loop {
            let room = !self.ended
                && self.waiting.len() < MOST_WAITING
                && self.waiting_bytes < MOST_WAITING_BYTES;
            let event = tokio::select! {
                done = &mut work => return Ok(done),
                event = self.read(), if room => event,
            };
            // Who is being worked for is not idle.
            self.patience = Instant::now() + self.house.idle();
            match event {
                Ok(Some(event)) if matches!(event.kind.as_str(), "describe" | "ping") => {
                    self.answer_at_once(&event).await?;
                }
                Ok(Some(event)) => {
                    self.waiting_bytes += event.payload.len();
                    self.waiting.push_back(event);
                }
                Ok(None) | Err(Gone::Idle(_)) => {}
                Err(gone) => return Err(gone),
            }
        }
    }
}

/// A language tag without its region: what the recogniser knows.
fn base(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or(tag).to_lowercase()
}

/// Tells the local network that Wyoming is spoken here, until the value is dropped.
pub(super) fn announce(address: SocketAddr) -> Result<Announced, ServeError> {
    let failed = |error: mdns_sd::Error| ServeError::Announce { reason: error.to_string() };
    let daemon = mdns_sd::ServiceDaemon::new().map_err(failed)?;
    let host = hostname();
    let ips: Vec<std::net::IpAddr> =
        if address.ip().is_unspecified() { Vec::new() } else { vec![address.ip()] };
    let service = mdns_sd::ServiceInfo::new(
        "_wyoming._tcp.local.",
        &format!("hearken-{host}"),
        &format!("{host}.local."),
        &ips[..],
        address.port(),
        None,
    );
    let mut service = service.map_err(failed)?;
    if ips.is_empty() {
        service = service.enable_addr_auto();
    }
    daemon.register(service).map_err(failed)?;
    Ok(Announced { daemon })
}

/// What this machine is called.
pub(super) fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_default();
    let name: String =
        name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    if name.is_empty() { "hearken".into() } else { name }
}

/// An announcement in the local network.
pub(super) struct Announced {
    daemon: mdns_sd::ServiceDaemon,
}

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = self.daemon.shutdown();
    }
}
