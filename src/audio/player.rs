//! The playing thread: replies in, what was heard of them out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::device::{LOOK_EVERY, PATIENCE};
use super::{AudioError, FarEnd, Hold, Resampler, Speaker};

/// Pieces that may wait. Whoever speaks keeps a second ahead, so this many never do.
const PIECES: usize = 512;
/// How often it is told how much was heard.
const TELL_EVERY: Duration = Duration::from_millis(50);
/// How long is waited before a lost device is opened again, at first and at most.
const BACK_OFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];

/// What was heard of a reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Played {
    /// The reply, as whoever gave it named it.
    pub id: u64,
    /// Since its beginning, in milliseconds.
    pub ms: f64,
    /// Whether no more of it will be heard.
    pub done: bool,
}

struct Piece {
    id: u64,
    samples: Arc<[f32]>,
    rate: u32,
    last: bool,
}

/// A speaker with a thread of its own. Replies are named by numbers that grow.
pub struct Player {
    pieces: Option<Sender<Piece>>,
    /// That of the speaker there is now.
    hold: Arc<Mutex<Hold>>,
    /// Replies below this one are not played any more.
    live: Arc<AtomicU64>,
    quit: Arc<AtomicBool>,
    far: FarEnds,
    thread: Option<JoinHandle<()>>,
}

/// Where the far end of the speaker there is now is put, until an echo canceller takes it.
pub type FarEnds = Arc<Mutex<Option<FarEnd>>>;

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Player").field("live", &self.live).finish_non_exhaustive()
    }
}

impl Player {
    /// Plays on what `open` opens, and opens it again when it is lost; `tell` hears what was played, in
    /// the player's thread, and must not wait.
    ///
    /// # Errors
    /// When there is no speaker to begin with, or the system gives no thread.
    pub fn new(
        mut open: impl FnMut() -> Result<Speaker, AudioError> + Send + 'static,
        tell: impl FnMut(Played) + Send + 'static,
    ) -> Result<Self, AudioError> {
        let mut speaker = open()?;
        let far = Arc::new(Mutex::new(speaker.far_end()));
        let hold = Arc::new(Mutex::new(speaker.control()));
        let (sender, pieces) = bounded(PIECES);
        let (live, quit) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let name = speaker.name().to_owned();
        let mut work = Work {
            speaker: Some(speaker),
            open: Box::new(open),
            pieces,
            live: Arc::clone(&live),
            quit: Arc::clone(&quit),
            tell: Box::new(tell),
            hold: Arc::clone(&hold),
            far: Arc::clone(&far),
            reply: None,
            seen: 0,
        };
        let thread = std::thread::Builder::new()
            .name("playback".into())
            .spawn(move || work.run())
            .map_err(|source| AudioError::Write { path: name, source })?;
        Ok(Self { pieces: Some(sender), hold, live, quit, far, thread: Some(thread) })
    }

    /// Gives the next piece of the reply `id`: mono samples at `rate` Hz. False when there are so many
    /// pieces already that this one was dropped.
    pub fn push(&self, id: u64, samples: &Arc<[f32]>, rate: u32, last: bool) -> bool {
        let piece = Piece { id, samples: Arc::clone(samples), rate, last };
        self.pieces.as_ref().is_some_and(|pieces| pieces.try_send(piece).is_ok())
    }

    /// Fades and keeps the rest.
    pub fn hold(&self) {
        lock(&self.hold).hold();
    }

    /// Goes on where it was held.
    pub fn resume(&self) {
        lock(&self.hold).resume();
    }

    /// Fades and drops the rest of this reply and of those before; it is told when that is done.
    pub fn stop(&self, id: u64) {
        self.live.fetch_max(id + 1, Ordering::AcqRel);
    }

    /// What is really played, for an echo canceller: one for each speaker that was opened.
    #[must_use]
    pub fn far_ends(&self) -> FarEnds {
        Arc::clone(&self.far)
    }

    /// Waits until what was given has been heard, and ends.
    pub fn finish(mut self) {
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Release);
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    speaker: Option<Speaker>,
    open: Box<dyn FnMut() -> Result<Speaker, AudioError> + Send>,
    pieces: Receiver<Piece>,
    live: Arc<AtomicU64>,
    quit: Arc<AtomicBool>,
    tell: Box<dyn FnMut(Played) + Send>,
    hold: Arc<Mutex<Hold>>,
    far: FarEnds,
    reply: Option<Reply>,
    /// The `live` that was acted on.
    seen: u64,
}

/// The reply that is being played.
struct Reply {
    id: u64,
    resampler: Option<Resampler>,
    /// At the device's rate, waiting for room.
    waiting: VecDeque<f32>,
    /// What the speaker had played before.
    base: u64,
    last: bool,
    told: Instant,
}

impl Work {
    fn run(&mut self) {
        let mut open = true;
        while !self.quit.load(Ordering::Acquire) && (open || self.reply.is_some()) {
            // A piece that waits for room needs no other beside it.
            let full =
                self.reply.as_ref().is_some_and(|reply| !reply.waiting.is_empty() || reply.last);
            if full || !open {
                std::thread::sleep(LOOK_EVERY);
            } else {
                match self.pieces.recv_timeout(LOOK_EVERY) {
                    Ok(piece) => self.take(&piece),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        open = false;
                        // Nobody is left who could let it go on.
                        lock(&self.hold).resume();
                        // Whoever is gone gives no last piece.
                        if let Some(reply) = &mut self.reply {
                            reply.last = true;
                        }
                    }
                }
            }
            self.play();
        }
    }

    fn take(&mut self, piece: &Piece) {
        if piece.id < self.live.load(Ordering::Acquire) {
            return;
        }
        let Some(speaker) = &mut self.speaker else { return };
        let base = speaker.heard();
        let new = |id| Reply {
            id,
            resampler: None,
            waiting: VecDeque::new(),
            base,
            last: false,
            told: Instant::now(),
        };
        if self.reply.as_ref().is_none_or(|reply| reply.id != piece.id) {
            self.reply = Some(new(piece.id));
        }
        let Some(reply) = &mut self.reply else { return };
        let mut chunk = Vec::new();
        let made = resample(reply, piece, speaker.rate(), &mut chunk);
        if let Err(error) = made {
            tracing::error!(%error, "a piece of speech cannot be played");
        }
        reply.waiting.extend(chunk);
        reply.last |= piece.last;
    }

    fn play(&mut self) {
        let live = self.live.load(Ordering::Acquire);
        let stopped = std::mem::replace(&mut self.seen, live) < live;
        if self.reply.as_ref().is_some_and(|reply| reply.id < live) {
            return self.drop_reply();
        }
        if stopped {
            // Held and stopped before its first piece came: the next one is not to begin held.
            lock(&self.hold).resume();
        }
        let (Some(speaker), Some(reply)) = (&mut self.speaker, &mut self.reply) else { return };
        if speaker.is_lost() {
            return self.reopen();
        }
        let (front, _) = reply.waiting.as_slices();
        let taken = speaker.offer(front);
        reply.waiting.drain(..taken);
        let (put, out) = speaker.position();
        let done = reply.last && reply.waiting.is_empty() && out >= put;
        if reply.last && reply.waiting.is_empty() {
            speaker.expect_end();
        }
        if done || reply.told.elapsed() >= TELL_EVERY {
            reply.told = Instant::now();
            let heard = speaker.heard().saturating_sub(reply.base);
            let ms = heard as f64 * 1000.0 / f64::from(speaker.rate());
            (self.tell)(Played { id: reply.id, ms, done });
        }
        if done {
            // Held or not, it is over; the next one is not to begin held.
            speaker.control().resume();
            self.reply = None;
        }
    }

    /// The reply is not wanted any more.
    fn drop_reply(&mut self) {
        let Some(reply) = self.reply.take() else { return };
        let Some(speaker) = &mut self.speaker else { return };
        speaker.expect_end();
        let (control, began) = (speaker.control(), Instant::now());
        control.drop_rest();
        while control.is_dropping() && began.elapsed() < PATIENCE && !speaker.is_lost() {
            std::thread::sleep(LOOK_EVERY / 5);
        }
        let heard = speaker.heard().saturating_sub(reply.base);
        let ms = heard as f64 * 1000.0 / f64::from(speaker.rate());
        (self.tell)(Played { id: reply.id, ms, done: true });
    }

    /// The device is gone: the reply ends, and another device is looked for.
    fn reopen(&mut self) {
        self.speaker = None;
        if let Some(reply) = self.reply.take() {
            (self.tell)(Played { id: reply.id, ms: 0.0, done: true });
        }
        let [mut wait, most] = BACK_OFF;
        while !self.quit.load(Ordering::Acquire) {
            match (self.open)() {
                Ok(mut speaker) => {
                    *lock(&self.hold) = speaker.control();
                    *lock(&self.far) = speaker.far_end();
                    tracing::info!(speaker = speaker.name(), "there is a speaker again");
                    self.speaker = Some(speaker);
                    return;
                }
                Err(error) => tracing::warn!(%error, wait_ms = wait.as_millis(), "no speaker"),
            }
            let until = Instant::now() + wait;
            while Instant::now() < until && !self.quit.load(Ordering::Acquire) {
                // Who is not played is over.
                if let Ok(piece) = self.pieces.recv_timeout(Duration::from_millis(50))
                    && piece.last
                {
                    (self.tell)(Played { id: piece.id, ms: 0.0, done: true });
                }
            }
            wait = (wait * 2).min(most);
        }
    }
}

/// Another's panic does not spoil what these hold.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn resample(
    reply: &mut Reply,
    piece: &Piece,
    rate: u32,
    out: &mut Vec<f32>,
) -> Result<(), AudioError> {
    if reply.resampler.as_ref().is_some_and(|resampler| resampler.input_rate() != piece.rate)
        && let Some(mut old) = reply.resampler.take()
    {
        old.finish(out)?;
    }
    let resampler = match &mut reply.resampler {
        Some(resampler) => resampler,
        none => none.insert(Resampler::new(piece.rate, rate)?),
    };
    resampler.push(&piece.samples, out)?;
    if piece.last {
        resampler.finish(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn player(tell: impl FnMut(Played) + Send + 'static) -> Player {
        let config = Config { output: Some("null".into()), ..Config::default() };
        Player::new(move || Speaker::open(&config), tell).unwrap()
    }

    fn tone(ms: usize) -> Arc<[f32]> {
        vec![0.2; 16 * ms].into()
    }

    #[test]
    fn what_is_played_is_told_at_the_speed_of_sound() {
        let (sender, told) = crossbeam_channel::unbounded();
        let player = player(move |played| sender.send(played).unwrap());
        let began = Instant::now();
        assert!(player.push(3, &tone(200), 16_000, false));
        assert!(player.push(3, &tone(100), 16_000, true));
        let all: Vec<Played> = std::iter::from_fn(|| told.recv_timeout(PATIENCE).ok())
            .scan(false, |over, played| (!std::mem::replace(over, played.done)).then_some(played))
            .take_while(|played| played.id == 3)
            .take(100)
            .collect();
        let last = all.last().unwrap();
        assert!(last.done && (last.ms - 300.0).abs() < 2.0, "{last:?}");
        assert!(began.elapsed().as_millis() >= 290);
        assert!(all.windows(2).all(|pair| pair[0].ms <= pair[1].ms));
    }

    #[test]
    fn a_stopped_reply_tells_what_was_heard_and_the_next_one_plays() {
        let (sender, told) = crossbeam_channel::unbounded();
        let player = player(move |played| sender.send(played).unwrap());
        player.push(1, &tone(2000), 16_000, false);
        std::thread::sleep(Duration::from_millis(150));
        player.hold();
        std::thread::sleep(Duration::from_millis(100));
        let asked = Instant::now();
        player.stop(1);
        let done = loop {
            let played = told.recv_timeout(PATIENCE).unwrap();
            if played.done {
                break played;
            }
        };
        assert!(asked.elapsed().as_millis() < 100, "{:?}", asked.elapsed());
        assert!(done.id == 1 && (50.0..300.0).contains(&done.ms), "{done:?}");
        // A piece that comes too late is nothing, and the next reply is not held.
        player.push(1, &tone(500), 16_000, true);
        player.push(2, &tone(50), 16_000, true);
        let next = loop {
            let played = told.recv_timeout(PATIENCE).unwrap();
            assert_eq!(played.id, 2);
            if played.done {
                break played;
            }
        };
        assert!((next.ms - 50.0).abs() < 2.0, "{next:?}");
    }

    #[test]
    fn a_reply_held_and_stopped_before_it_sounds_holds_no_other() {
        let (sender, told) = crossbeam_channel::unbounded();
        let player = player(move |played| sender.send(played).unwrap());
        player.hold();
        player.stop(1);
        std::thread::sleep(Duration::from_millis(50));
        player.push(1, &tone(50), 16_000, true);
        player.push(2, &tone(50), 16_000, true);
        // A reply that is held tells of itself without an end.
        let until = Instant::now() + PATIENCE;
        let mut next = std::iter::from_fn(|| told.recv_deadline(until).ok());
        assert!(next.any(|played| played.id == 2 && played.done));
    }
}
