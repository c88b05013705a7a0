//! The other side of a satellite: this machine's microphone and speaker, lent to Home Assistant.
//!
//! Home Assistant connects, says `run-satellite`, and from then on hears whoever speaks here; what it
//! answers is played. Nothing is understood on this machine. The end of a command is told as soon as it
//! is heard here, so that Home Assistant need not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::Instant;

use super::super::tls::Wire;
use super::super::{House, ServeError};
use super::{Event, Gone, Peer, error, info};
use crate::audio;
use crate::audio::AudioError;
use crate::audio::Framer;
use crate::audio::Microphone;
use crate::audio::OpenSource;
use crate::audio::Played;
use crate::audio::Player;
use crate::audio::SAMPLE_RATE;
use crate::audio::Source;
use crate::audio::Speaker;
use crate::audio::Steady;
use crate::audio::mono_from_s16le;
use crate::audio::to_s16le;
use crate::detect::Endpointer;
use crate::detect::Heard;
use crate::detect::VoiceDetector;

/// What was heard and waits to be sent: five seconds.
const HEARD: usize = 256;
/// How long a full speaker is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What the microphone's thread tells.
enum Ear {
    Started,
    Sound(Arc<[f32]>),
    Stopped,
    /// The microphone is gone.
    Ended(String),
}

/// Microphone and speaker, while Home Assistant wants them.
struct Body {
    heard: Receiver<Ear>,
    played: Receiver<()>,
    player: Player,
    stop: Arc<AtomicBool>,
    /// Set while the speaker sounds: what the microphone hears then is nobody's command.
    muted: Arc<AtomicBool>,
    /// Replies so far.
    turn: u64,
    /// What is said here is being sent.
    streaming: bool,
}

impl Drop for Body {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.player.stop(self.turn);
    }
}

impl Body {
    fn open(
        config: &audio::Config,
        detector: Box<dyn VoiceDetector>,
        endpointer: Endpointer,
    ) -> Result<Self, AudioError> {
        let (stop, muted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (speaker, microphone) = (config.clone(), config.clone());
        let (told, played) = mpsc::channel(16);
        let tell = move |Played { done, .. }| {
            if done {
                let _ = told.try_send(());
            }
        };
        let player = Player::new(move || Speaker::open(&speaker), tell)?;
        let open: OpenSource = Box::new(move || Ok(Box::new(Microphone::open(&microphone)?)));
        let source = Steady::open(open, Arc::clone(&stop))?;
        let (out, heard) = mpsc::channel(HEARD);
        let ear = Listening {
            source,
            detector,
            endpointer,
            out,
            stop: Arc::clone(&stop),
            muted: Arc::clone(&muted),
        };
        let thread = std::thread::Builder::new().name("satellite".into());
        let thread = thread.spawn(move || ear.run());
        thread.map_err(|source| AudioError::Read { path: "the microphone".into(), source })?;
        Ok(Self { heard, played, player, stop, muted, turn: 0, streaming: false })
    }

    /// Plays a piece of what Home Assistant says.
    async fn play(&mut self, event: &Event, last: bool) {
        let number = |key: &str, usual: u64| event.number(key).unwrap_or(usual);
        let rate = u32::try_from(number("rate", 22_050)).unwrap_or(22_050);
        let channels = number("channels", 1).clamp(1, 8) as usize;
        let mono: Arc<[f32]> = mono_from_s16le(&event.payload, channels).into();
        let end = Instant::now() + PATIENCE;
        while !self.player.push(self.turn, &mono, rate, last) && Instant::now() < end {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The microphone's thread.
struct Listening {
    source: Steady,
    detector: Box<dyn VoiceDetector>,
    endpointer: Endpointer,
    out: mpsc::Sender<Ear>,
    stop: Arc<AtomicBool>,
    muted: Arc<AtomicBool>,
}

impl Listening {
    fn run(mut self) {
        let (mut framer, mut chunk) = (Framer::new(), Vec::new());
        let mut deaf = false;
        while !self.stop.load(Ordering::Relaxed) && !self.out.is_closed() {
            chunk.clear();
            match self.source.read(&mut chunk) {
                Ok(0) => return self.tell(Ear::Ended("the microphone ended".into())),
                Ok(_) => {}
                Err(error) => return self.tell(Ear::Ended(error.to_string())),
            }
            let muted = self.muted.load(Ordering::Relaxed);
            if muted {
                deaf = true;
                chunk.fill(0.0);
            } else if std::mem::take(&mut deaf) {
                self.detector.reset();
            }
            let mut all = Vec::new();
            framer.push(&chunk, |frame| {
                let probability = self.detector.push(&frame);
                self.endpointer.push(&frame, probability, &mut |heard| all.push(heard));
            });
            for heard in all {
                match heard {
                    Heard::Started(_) => self.tell(Ear::Started),
                    Heard::Audio(frame) => self.tell(Ear::Sound(frame.samples)),
                    Heard::Stopped(_) => self.tell(Ear::Stopped),
                    _ => {}
                }
            }
        }
    }

    /// What finds no place is lost: Home Assistant is too slow to follow.
    fn tell(&self, ear: Ear) {
        let _ = self.out.try_send(ear);
    }
}

/// Serves Home Assistant to its end.
pub(in super::super) async fn serve(stream: Box<dyn Wire>, house: &Arc<House>) {
    let mut peer = Peer::new(stream, house);
    // Home Assistant stays for as long as it runs; it asks every two seconds whether we are there.
    peer.end = Instant::now() + Duration::from_secs(365 * 24 * 3600);
    let mut body = None;
    if let Err(gone) = talk(&mut peer, &mut body).await {
        tracing::debug!(%gone, "Home Assistant leaves");
    }
}

async fn talk(peer: &mut Peer<Box<dyn Wire>>, body: &mut Option<Body>) -> Result<(), Gone> {
    let stop = peer.house.stop.clone();
    loop {
        let (mut heard, mut played) = (None, None);
        if let Some(body) = body.as_mut() {
            (heard, played) = (Some(&mut body.heard), Some(&mut body.played));
        }
        let event = tokio::select! {
            ear = receive(&mut heard) => {
                if let Some(body) = body.as_mut() {
                    send_heard(peer, body, ear).await?;
                }
                continue;
            }
            done = receive(&mut played) => {
                if let (Some(body), Some(())) = (body.as_mut(), done) {
                    body.muted.store(false, Ordering::Relaxed);
                    peer.send(&Event::new("played")).await?;
                }
                continue;
            }
            event = peer.next() => event?,
            () = stop.cancelled() => return Err(Gone::Closing),
        };
        let Some(event) = event else { return Ok(()) };
        match (event.kind.as_str(), body.as_mut()) {
            ("describe", _) => {
                let about = info::satellite(&peer.house);
                peer.send(&about).await?;
            }
            ("ping", _) => peer.answer_at_once(&event).await?,
            ("run-satellite", None) => match begin(&peer.house).await {
                Ok(begun) => {
                    *body = Some(begun);
                    peer.send(&Event::new("satellite-connected")).await?;
                }
                Err(failed) => peer.send(&error(&failed, "no-sound")).await?,
            },
            ("pause-satellite", _) => *body = None,
            ("audio-start", Some(body)) => {
                // A new answer takes the place of one that still sounds.
                if body.turn > 0 {
                    body.player.stop(body.turn);
                }
                body.turn += 1;
                body.muted.store(true, Ordering::Relaxed);
            }
            // Home Assistant asks meanwhile whether we are there.
            ("audio-chunk", Some(body)) if body.turn > 0 => {
                peer.during(body.play(&event, false)).await?;
            }
            ("audio-stop", Some(body)) if body.turn > 0 => {
                peer.during(body.play(&Event::default(), true)).await?;
            }
            // What was said is known, or will never be.
            ("transcript" | "error", Some(body)) if body.streaming => {
                body.streaming = false;
                peer.send(&Event::new("streaming-stopped")).await?;
            }
            _ => {}
        }
    }
}

async fn receive<T>(from: &mut Option<&mut Receiver<T>>) -> Option<T> {
    match from {
        Some(from) => match from.recv().await {
            Some(what) => Some(what),
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

async fn begin(house: &Arc<House>) -> Result<Body, String> {
    let (config, shared) = (house.audio.clone(), house.shared.clone());
    let opening = tokio::task::spawn_blocking(move || {
        let detector = shared.detector().map_err(|error| error.to_string())?;
        Body::open(&config, detector, shared.endpointer()).map_err(|error| error.to_string())
    });
    opening.await.unwrap_or_else(|_| Err("opening the sound broke off; the log says why".into()))
}

/// Sends what was heard.
async fn send_heard(
    peer: &mut Peer<Box<dyn Wire>>,
    body: &mut Body,
    ear: Option<Ear>,
) -> Result<(), Gone> {
    match ear {
        Some(Ear::Started) if !body.muted.load(Ordering::Relaxed) => {
            body.streaming = true;
            let run = Event::new("run-pipeline")
                .with("start_stage", "asr")
                .with("end_stage", "tts")
                .with("restart_on_end", false);
            peer.send(&run).await?;
            peer.send(&Event::new("streaming-started")).await
        }
        Some(Ear::Sound(samples)) if body.streaming => {
            let chunk = Event::new("audio-chunk")
                .with("rate", SAMPLE_RATE)
                .with("width", 2)
                .with("channels", 1);
            peer.send(&Event { payload: to_s16le(&samples).into(), ..chunk }).await
        }
        Some(Ear::Stopped) if body.streaming => {
            body.streaming = false;
            peer.send(&Event::new("audio-stop")).await?;
            peer.send(&Event::new("streaming-stopped")).await
        }
        Some(Ear::Ended(reason)) => {
            tracing::warn!(reason, "the satellite hears nothing any more");
            let told = error(&reason, "no-sound");
            peer.send(&told).await
        }
        _ => Ok(()),
    }
}

/// What a satellite says of itself.
pub(super) fn about(house: &House) -> serde_json::Value {
    let name = super::hostname();
    let mut about = json!({
        "name": format!("hearken-{name}"), "installed": true, "description": "Hearken's microphone and speaker",
        "version": env!("CARGO_PKG_VERSION"), "attribution": { "name": "Hearken", "url": "" }, "has_vad": true,
    });
    if let Some(area) = house.shared.area() {
        about["area"] = area.into();
    }
    about
}

/// Opens the door at once, so that a wrong device is told before anybody connects.
pub(in super::super) fn check(config: &audio::Config) -> Result<(), ServeError> {
    let sound = |error: AudioError| ServeError::Sound { reason: error.to_string() };
    Microphone::open(config).map(drop).map_err(sound)?;
    Speaker::open(config).map(drop).map_err(sound)
}
