//! Sound for those who play what comes when it comes: packets, each at its time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::session::TurnId;

/// How far a packet may be early: who plays has something in store then.
const AHEAD: Duration = Duration::from_millis(120);
/// Packets that may wait: ten minutes of 20 ms. A reply is shorter.
const MOST: usize = 30_000;

/// A packet on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packet {
    pub(super) turn: TurnId,
    pub(super) bytes: Vec<u8>,
    /// How long it sounds; zero for one that marks the end.
    pub(super) length: Duration,
    /// Whether it is the last of its turn.
    pub(super) last: bool,
    /// How much of the turn was sent with this packet.
    pub(super) sent: Duration,
}

/// Packets in the order and at the times of their sound.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: VecDeque<Packet>,
    /// When the next packet sounds.
    due: Option<Instant>,
    held: bool,
    /// What was handed out of the turn that sounds.
    sent: (Option<TurnId>, Duration),
}

impl Pace {
    /// Adds a packet.
    pub(super) fn push(&mut self, turn: TurnId, bytes: Vec<u8>, length: Duration, last: bool) {
        if self.waiting.len() < MOST {
            self.waiting.push_back(Packet { turn, bytes, length, last, sent: Duration::ZERO });
        }
    }

    /// Keeps what waits until it is let go on.
    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
        self.due = None;
    }

    /// Drops what waits; tells the turn that was cut off, and how much of it was handed out.
    pub(super) fn clear(&mut self) -> Option<(TurnId, Duration)> {
        self.held = false;
        self.due = None;
        let waiting = self.waiting.front().map(|packet| packet.turn);
        self.waiting.clear();
        let (turn, sent) = std::mem::take(&mut self.sent);
        turn.or(waiting).map(|turn| (turn, sent))
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next packet, when it is time; never, while there is none. May be dropped while it waits.
    pub(super) async fn next(&mut self) -> Packet {
        if self.held || self.waiting.is_empty() {
            return std::future::pending().await;
        }
        let now = Instant::now();
        // After a pause the clock begins anew.
        let due = *self.due.get_or_insert(now);
        let due = if due + AHEAD < now { now } else { due };
        tokio::time::sleep_until(due.checked_sub(AHEAD).unwrap_or(due)).await;
        let Some(mut packet) = self.waiting.pop_front() else {
            return std::future::pending().await;
        };
        self.due = Some(due + packet.length);
        if self.sent.0 != Some(packet.turn) {
            self.sent = (Some(packet.turn), Duration::ZERO);
        }
        self.sent.1 += packet.length;
        packet.sent = self.sent.1;
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[tokio::test]
    async fn packets_come_at_the_speed_of_their_sound() {
        let mut pace = Pace::default();
        for i in 0..15 {
            pace.push(TurnId(1), vec![i], MS(20), i == 14);
        }
        let began = Instant::now();
        for i in 0..15u8 {
            let packet = pace.next().await;
            assert_eq!((packet.bytes, packet.last), (vec![i], i == 14));
            assert_eq!(packet.sent, MS(20) * u32::from(i + 1));
            // Never earlier than what may be in store; a busy machine may be late.
            let earliest = (MS(20) * u32::from(i)).saturating_sub(AHEAD);
            assert!(began.elapsed() >= earliest, "{i}: {:?}", began.elapsed());
        }
        assert!(pace.is_empty());
    }

    #[tokio::test]
    async fn what_is_held_waits_and_what_is_cleared_is_gone() {
        let mut pace = Pace::default();
        for i in 0..5 {
            pace.push(TurnId(7), vec![i], MS(10), false);
        }
        pace.next().await;
        pace.hold(true);
        assert!(tokio::time::timeout(MS(60), pace.next()).await.is_err());
        pace.hold(false);
        assert_eq!(pace.next().await.bytes, [1]);
        assert_eq!(pace.clear(), Some((TurnId(7), MS(20))));
        assert!(tokio::time::timeout(MS(60), pace.next()).await.is_err());
        assert_eq!(pace.clear(), None);
    }
}
