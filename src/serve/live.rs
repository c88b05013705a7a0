//! A conversation behind a door: one session in a thread of its own, sound in, events out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError, bounded};
use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::Instant;

use super::House;
use super::explain::Explainer;
use crate::audio::Frame;
use crate::audio::Framer;
use crate::session::Config;
use crate::session::EngineError;
use crate::session::Event;
use crate::session::Input;
use crate::session::Order;
use crate::session::Playback;
use crate::session::Session;

/// Frames that may wait for the session: two seconds.
const FRAMES: usize = 100;
/// Orders that may wait.
const ORDERS: usize = 64;
/// Events that may wait for the door.
const EVENTS: usize = 256;
/// Explanations that may wait for the door.
const EXPLANATIONS: usize = 4;
/// How long a full queue of frames is waited for: past this the house is too busy for a conversation.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often sound that waits is tried again.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The session takes no more sound.
#[derive(Debug, thiserror::Error)]
#[error("the server is too busy to follow; speak again in a moment")]
pub(super) struct Stuck;

/// What a door learns from its conversation.
#[derive(Debug)]
pub(super) enum Step {
    /// Something happened.
    Event(Event),
    /// No sound waits any more.
    CaughtUp,
    /// The conversation is over.
    Over,
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Live {
    /// Gone once the sound has ended.
    frames: Option<Sender<Frame>>,
    orders: Sender<Order>,
    events: Receiver<Event>,
    explained: Receiver<Value>,
    framer: Framer,
    waiting: VecDeque<Frame>,
    behind_since: Option<Instant>,
    ending: bool,
}

/// How a door's conversation is.
#[derive(Debug, Clone, Default)]
pub(super) struct Manner {
    /// What is spoken, if that is known.
    pub(super) language: Option<String>,
    /// Where.
    pub(super) area: Option<String>,
    /// The satellite's name, if it has one.
    pub(super) satellite: Option<Arc<str>>,
    /// The installed voice that answers in its languages, instead of the configured one.
    pub(super) voice: Option<String>,
    /// How the session is; `None` for as usual.
    pub(super) session: Option<Config>,
    /// Whether it is told what decided each turn; see [`Live::explained`].
    pub(super) explain: bool,
}

impl Live {
    /// Begins a conversation.
    pub(super) async fn begin(
        house: &Arc<House>,
        manner: Manner,
        playback: Playback,
    ) -> Result<Self, EngineError> {
        let (frames, from_frames) = bounded(FRAMES);
        let (orders, from_orders) = bounded(ORDERS);
        let (out, events) = mpsc::channel(EVENTS);
        let (explainer, explained) = mpsc::channel(EXPLANATIONS);
        let (ready, opened) = tokio::sync::oneshot::channel();
        let shared = house.shared.clone();
        let connected = manner
            .satellite
            .as_ref()
            .map(|name| house.satellites.enter(name, house.next_session(), orders.clone()));
        let thread = std::thread::Builder::new().name("session".into());
        let work = move || {
            let settings = shared.detect_settings().clone();
            let mut stages = match shared.stages(manner.language.as_deref(), &settings) {
                Ok(stages) => stages,
                Err(error) => return drop(ready.send(Err(error))),
            };
            if let Some(voices) = manner.voice.as_deref().and_then(|id| shared.voices_led_by(id)) {
                stages.voices = voices;
            }
            let _ = ready.send(Ok(()));
            let area = manner.area.or_else(|| shared.area().map(str::to_owned));
            let mut session = Session::new(stages, area).with_playback(playback);
            if let Some(config) = &manner.session {
                session = session.with_config(config);
            }
            let input = Input { frames: from_frames, orders: from_orders };
            // Notes and events come from one thread; the lock is never waited for.
            let explainer = manner.explain.then(|| Arc::new(Mutex::new(Explainer::new(explainer))));
            if let Some(explainer) = explainer.clone() {
                session = session.with_notes(Box::new(move |note, samples| {
                    explainer.lock().unwrap_or_else(PoisonError::into_inner).note(note, samples);
                }));
            }
            session.converse(&input, &mut |event| {
                if let Some(connected) = &connected {
                    connected.tell(&event);
                }
                if let Some(explainer) = &explainer {
                    explainer.lock().unwrap_or_else(PoisonError::into_inner).event(&event);
                }
                // A door that is gone wants nothing; its frames end too.
                let _ = out.blocking_send(event);
            });
        };
        thread.spawn(work).map_err(|source| EngineError::Thread { source })?;
        match opened.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(EngineError::Broke { what: "conversation" }),
        }
        Ok(Self {
            frames: Some(frames),
            orders,
            events,
            explained,
            framer: Framer::new(),
            waiting: VecDeque::new(),
            behind_since: None,
            ending: false,
        })
    }

    /// Takes mono samples at 16 kHz. What the session has no room for yet waits here; see
    /// [`is_behind`](Self::is_behind).
    pub(super) fn push(&mut self, samples: &[f32]) {
        let waiting = &mut self.waiting;
        self.framer.push(samples, |frame| waiting.push_back(frame));
        self.hand_over();
    }

    /// Whether sound waits here. Then the client's next sound is to wait on the wire.
    pub(super) fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn hand_over(&mut self) {
        let Some(frames) = &self.frames else { return self.waiting.clear() };
        while let Some(frame) = self.waiting.pop_front() {
            match frames.try_send(frame) {
                Ok(()) => self.behind_since = None,
                Err(TrySendError::Full(frame)) => {
                    self.waiting.push_front(frame);
                    self.behind_since.get_or_insert_with(Instant::now);
                    return;
                }
                // The end is told by the events, which end too.
                Err(TrySendError::Disconnected(_)) => return self.waiting.clear(),
            }
        }
        self.behind_since = None;
    }

    /// Tells the session something. An order that finds no place is dropped: later ones say the same
    /// better.
    pub(super) fn order(&self, order: Order) {
        let _ = self.orders.try_send(order);
    }

    /// What decided the turn whose words were just told; to be asked after [`Event::Final`].
    pub(super) fn explained(&mut self) -> Option<Value> {
        self.explained.try_recv().ok()
    }

    /// Ends the sound; events go on to the end.
    pub(super) fn finish(&mut self) {
        self.ending = true;
        if self.waiting.is_empty() {
            self.frames = None;
        }
    }

    /// What happens next. May be dropped while it waits.
    ///
    /// # Errors
    /// When the session takes no sound for too long.
    pub(super) async fn next(&mut self) -> Result<Step, Stuck> {
        loop {
            if self.waiting.is_empty() {
                if self.ending {
                    self.frames = None;
                }
                return Ok(self.events.recv().await.map_or(Step::Over, Step::Event));
            }
            tokio::select! {
                event = self.events.recv() => return Ok(event.map_or(Step::Over, Step::Event)),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            self.hand_over();
            if self.waiting.is_empty() {
                return Ok(Step::CaughtUp);
            }
            if self.behind_since.is_some_and(|since| since.elapsed() > PATIENCE) {
                return Err(Stuck);
            }
        }
    }
}
