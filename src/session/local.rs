//! A live conversation on this machine's microphone and speaker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::event::{Event, TurnId};
use super::{Input, Order, Playback, Session};
use crate::audio;
use crate::audio::AudioError;
use crate::audio::Cleaner;
use crate::audio::Frame;
use crate::audio::Framer;
use crate::audio::Microphone;
use crate::audio::OpenSource;
use crate::audio::Played;
use crate::audio::Player;
use crate::audio::SAMPLE_RATE;
use crate::audio::Source;
use crate::audio::Speaker;
use crate::audio::Steady;

/// Frames that may wait while a decision needs the recogniser: thirty seconds, as the longest
/// utterance. What comes after that is dropped and counted.
const FRAMES: usize = 1500;
/// Reports of the player that may wait.
const ORDERS: usize = 256;

/// A microphone that listens, and a speaker perhaps.
#[derive(Debug)]
pub struct Devices {
    source: Steady,
    cleaner: Option<Cleaner>,
    player: Option<Player>,
    orders: Receiver<Order>,
    stop: Arc<AtomicBool>,
}

impl Devices {
    /// Opens the microphone that the settings name and, if wanted, the speaker. `stop` ends the
    /// conversation.
    ///
    /// # Errors
    /// When a device is not there or refuses.
    pub fn open(
        config: &audio::Config,
        with_speaker: bool,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, AudioError> {
        let microphone = config.clone();
        let open: OpenSource = Box::new(move || Ok(Box::new(Microphone::open(&microphone)?)));
        let source = Steady::open(open, Arc::clone(&stop))?;
        let (sender, orders) = bounded(ORDERS);
        let player = with_speaker.then(|| player(config.clone(), sender)).transpose()?;
        let mut cleaner = Cleaner::new(config);
        if let Some(player) = &player {
            cleaner = cleaner.map(|cleaner| cleaner.with_far_ends(player.far_ends()));
        }
        Ok(Self { source, cleaner, player, orders, stop })
    }
}

impl Session {
    /// Converses on these devices until the microphone ends or `stop` is set. Sound is captured in a
    /// thread of its own and played in another; `out` runs in this one.
    ///
    /// # Errors
    /// When the microphone cannot be read any more.
    pub fn converse_on(
        &mut self,
        devices: Devices,
        out: &mut dyn FnMut(Event),
    ) -> Result<(), AudioError> {
        let Devices { source, cleaner, player, orders, stop } = devices;
        let (sender, frames) = bounded(FRAMES);
        let capture = capture(source, cleaner, sender, Arc::clone(&stop))?;
        let playback = match player {
            Some(_) => Playback::Reported,
            None => Playback::Clocked,
        };
        self.stop = Some(Arc::clone(&stop));
        let before = std::mem::replace(&mut self.playback, playback);
        // The first recognition takes the memory that later ones reuse; nobody is to wait for that.
        let _first = self.ear.ask(vec![0.0; SAMPLE_RATE as usize]);
        let input = Input { frames, orders };
        self.converse(&input, &mut |event| {
            if let Some(player) = &player {
                play(player, &event);
            }
            out(event);
        });
        (self.playback, self.stop) = (before, None);
        stop.store(true, Ordering::Relaxed);
        // Nobody takes reports any more, so nobody may wait to give one.
        drop(input);
        if let Some(player) = player {
            player.finish();
        }
        let broke = || AudioError::Device {
            kind: "microphone",
            name: "any".into(),
            reason: "the capturing thread broke off; please report this with the log of -vv".into(),
        };
        capture.join().map_err(|_| broke())?
    }
}

fn player(config: audio::Config, orders: Sender<Order>) -> Result<Player, AudioError> {
    let tell = move |Played { id, ms, done }| {
        let order = Order::Played { turn: TurnId(id), played_ms: ms, done };
        // A position that finds no place is followed by another one; an end is not.
        let _ = if done { orders.send(order).is_ok() } else { orders.try_send(order).is_ok() };
    };
    Player::new(move || Speaker::open(&config), tell)
}

fn play(player: &Player, event: &Event) {
    match event {
        Event::Speech(speech) => {
            let (turn, rate) = (speech.turn.0, speech.sample_rate);
            let placed = player.push(turn, &speech.samples, rate, speech.last);
            if !placed {
                tracing::warn!(turn, "a piece of speech found no place");
            }
        }
        Event::PlaybackHeld { .. } => player.hold(),
        Event::PlaybackResumed { .. } => player.resume(),
        Event::PlaybackStopped { turn } => player.stop(turn.0),
        _ => {}
    }
}

/// The capturing thread: reads, cleans, cuts into frames.
fn capture(
    mut source: Steady,
    mut cleaner: Option<Cleaner>,
    frames: Sender<Frame>,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<Result<(), AudioError>>, AudioError> {
    let work = move || {
        let (mut framer, mut chunk, mut clean) = (Framer::new(), Vec::new(), Vec::new());
        let mut dropped = 0_u64;
        while !stop.load(Ordering::Relaxed) && source.read(&mut chunk)? > 0 {
            let samples = match &mut cleaner {
                Some(cleaner) => {
                    clean.clear();
                    cleaner.push(&chunk, &mut clean)?;
                    &clean
                }
                None => &chunk,
            };
            framer.push(samples, |frame| {
                if frames.try_send(frame).is_err() {
                    dropped += 1;
                    if dropped.is_power_of_two() {
                        tracing::warn!(dropped, "frames were dropped: the conversation is behind");
                    }
                }
            });
            chunk.clear();
        }
        Ok(())
    };
    let thread = std::thread::Builder::new().name("capture".into()).spawn(work);
    thread.map_err(|source| AudioError::Read { path: "the microphone".into(), source })
}
