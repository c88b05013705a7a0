//! The live conversation: frames as they come, and nobody waits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Select, TryRecvError};

use super::Note;
use super::Session;
use serde::{Deserialize, Serialize};

use super::event::{Event, TurnId};
use crate::audio::Frame;

/// How long a conversation sleeps at most before it looks at the timers, which another conversation of
/// the same home may have set.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a live conversation listens to. Both queues are bounded by whoever makes them: when frames are
/// not taken for as long as their queue holds, the microphone's side drops them and counts.
#[derive(Debug)]
pub struct Input {
    /// The frames; the conversation ends when their senders are gone.
    pub frames: Receiver<Frame>,
    /// What the playback and the door have to say.
    pub orders: Receiver<Order>,
}

/// What the playback or a door tells a live conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Order {
    /// Stop the reply that sounds.
    Interrupt,
    /// So much of a reply was heard.
    Played {
        /// Its turn.
        turn: TurnId,
        /// Since its beginning, in milliseconds.
        played_ms: f64,
        /// Whether no more of it will be.
        done: bool,
    },
    /// The client stopped a reply by itself.
    Truncate {
        /// Its turn.
        turn: TurnId,
        /// What was heard of it, in milliseconds.
        played_ms: f64,
    },
    /// Take this as if it had been said: typed words.
    Ask {
        /// The words.
        text: String,
        /// Their language.
        language: String,
    },
    /// Say this when nothing else is being said.
    Say {
        /// The words.
        text: String,
        /// Their language.
        language: String,
    },
}

impl Session {
    /// Converses until the frames end. Decisions are those of [`push`](Session::push), frame by frame;
    /// but while a reply is made the frames go on, and whoever speaks interrupts it.
    ///
    /// While a decision waits for the recogniser no frame is taken; they wait in their queue.
    pub fn converse(&mut self, input: &Input, out: &mut dyn FnMut(Event)) {
        let mut orders = input.orders.clone();
        self.live = true;
        loop {
            let mut select = Select::new();
            let ear = select.recv(&self.ear.reports);
            let order = select.recv(&orders);
            let mouth =
                if self.wants_speech() { select.recv(&self.mouth.reports) } else { usize::MAX };
            let frame = match self.waits {
                None => select.recv(&input.frames),
                Some(_) => usize::MAX,
            };
            let up = self.until_ring();
            let ready = select.ready_timeout(up.unwrap_or(LOOK_EVERY).min(LOOK_EVERY));
            drop(select);
            if up == Some(Duration::ZERO) {
                self.ring(out);
            }
            let Ok(ready) = ready else { continue };
            // Ready is a hint: another taker may have been faster, so nothing blocks here.
            if ready == ear {
                match self.ear.reports.try_recv() {
                    Ok(report) => self.recognised(report, out),
                    Err(TryRecvError::Disconnected) => self.ear_is_gone(out),
                    Err(TryRecvError::Empty) => {}
                }
            } else if ready == order {
                match orders.try_recv() {
                    Ok(order) => self.obey_order(order, out),
                    Err(TryRecvError::Disconnected) => orders = crossbeam_channel::never(),
                    Err(TryRecvError::Empty) => {}
                }
            } else if ready == mouth {
                match self.mouth.reports.try_recv() {
                    Ok(report) => self.spoken(report, out),
                    Err(TryRecvError::Disconnected) => self.mouth_is_gone(out),
                    Err(TryRecvError::Empty) => {}
                }
            } else if ready == frame {
                match input.frames.try_recv() {
                    Ok(frame) => self.step(&frame, out),
                    Err(TryRecvError::Disconnected) => break,
                    Err(TryRecvError::Empty) => {}
                }
            }
        }
        // Who asks to leave does not want to hear the rest.
        if self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            self.interrupt(out);
        }
        self.finish(out);
        self.live = false;
        self.wait_for_playback(&orders, out);
    }

    pub(super) fn obey_order(&mut self, order: Order, out: &mut dyn FnMut(Event)) {
        let at = self.now;
        self.note(|| Note::Ordered { at, order: order.clone() });
        match order {
            Order::Interrupt => self.interrupt(out),
            Order::Played { turn, played_ms, done } => self.played(turn, played_ms, done, out),
            Order::Truncate { turn, played_ms } => self.truncate(turn, played_ms, out),
            Order::Ask { text, language } => self.ask(&text, &language, out),
            Order::Say { text, language } => {
                self.say(&text, &language, out);
            }
        }
    }

    /// The last reply may still sound when the stream is over.
    fn wait_for_playback(&mut self, orders: &Receiver<Order>, out: &mut dyn FnMut(Event)) {
        const PATIENCE: Duration = Duration::from_secs(3);
        while self.reply_is_reported() {
            match orders.recv_timeout(PATIENCE) {
                Ok(order) => self.obey_order(order, out),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
    }
}
