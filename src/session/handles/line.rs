//! Who waits for the recogniser, whose turn is next, and how long one more would wait. A pure machine:
//! the time is given to it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Work of the recogniser for a second of sound and one more, in seconds, before any was measured.
const PACE: f64 = 0.2;
/// How much the newest measurement counts: a busy machine is believed sooner than an idle one.
const SLOWER: f64 = 0.5;
const FASTER: f64 = 0.2;
/// How much the newest deviation counts.
const DEVIATION: f64 = 0.25;
/// Owners whose turns are remembered.
const REMEMBERED: usize = 64;
/// How long who is patient lets others go before; after that it is as urgent as they.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest that a job, once broken off, goes on: the engine ends its step first.
const STEP: f64 = 1.0;

/// Something that waits.
#[derive(Debug)]
pub(super) struct Entry<J> {
    /// Whose it is.
    pub(super) owner: u64,
    /// Whether others may go before: nobody listens for its result at this moment.
    pub(super) patient: bool,
    /// Its length in seconds of sound.
    pub(super) seconds: f64,
    /// When it was asked for.
    pub(super) since: Instant,
    /// Set when its result is not wanted any more.
    pub(super) stop: CancellationToken,
    pub(super) job: J,
}

impl<J> Entry<J> {
    /// Whether it lets others go before.
    pub(super) fn gives_way(&self, now: Instant) -> bool {
        self.patient && now.duration_since(self.since) < PATIENCE
    }
}

#[derive(Debug)]
struct Running {
    owner: u64,
    gives_way: bool,
    since: Instant,
    /// Seconds that it should take.
    expected: f64,
    /// Its length in seconds of sound, and one more.
    size: f64,
    /// Set when its result is not wanted any more: then it ends soon.
    stop: CancellationToken,
}

/// The queue.
///
/// Owners take turns: the next is the one who was served longest ago, so that one with much to be
/// heard holds up nobody with little. What is patient comes last.
#[derive(Debug)]
pub(super) struct Line<J> {
    waiting: VecDeque<Entry<J>>,
    running: Option<Running>,
    /// Owners in the order of their last turns.
    served: VecDeque<u64>,
    pace: Pace,
}

/// Seconds of work for a second of sound and one more: every recognition has a part that does not
/// depend on the length. Mean and mean deviation, as TCP keeps them of its round trips (RFC 6298).
#[derive(Debug, Default)]
struct Pace {
    measured: Option<(f64, f64)>,
}

impl Pace {
    fn measure(&mut self, pace: f64) {
        let (mean, deviation) = self.measured.unwrap_or((pace, pace / 2.0));
        let off = pace - mean;
        let mean = mean + if off > 0.0 { SLOWER } else { FASTER } * off;
        self.measured = Some((mean, deviation + DEVIATION * (off.abs() - deviation)));
    }

    fn expected(&self) -> f64 {
        self.measured.map_or(PACE, |(mean, deviation)| mean + deviation)
    }
}

impl<J> Default for Line<J> {
    fn default() -> Self {
        let (waiting, served) = (VecDeque::new(), VecDeque::new());
        Self { waiting, running: None, served, pace: Pace::default() }
    }
}

impl<J> Line<J> {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.iter().filter(|entry| !entry.stop.is_cancelled()).count()
    }

    /// Whether somebody waits who goes before those that are patient.
    pub(super) fn is_urgent(&self, now: Instant) -> bool {
        let mut waiting = self.waiting.iter().filter(|entry| !entry.stop.is_cancelled());
        waiting.any(|entry| !entry.gives_way(now))
    }

    /// What a second of sound and one more should take now, in seconds. What runs and is late already
    /// says more than what ran before.
    fn expected(&self, now: Instant) -> f64 {
        let late = self.running.as_ref().map_or(0.0, |running| running.took(now) / running.size);
        self.pace.expected().max(late)
    }

    /// How long one more of this owner would wait for its turn.
    pub(super) fn wait(&self, owner: u64, now: Instant) -> Duration {
        let live = || {
            let waiting = self.waiting.iter().filter(|entry| !entry.stop.is_cancelled());
            waiting.filter(|entry| !entry.gives_way(now))
        };
        // Each of the others has as many turns before it as this owner has itself.
        let rounds = 1 + live().filter(|entry| entry.owner == owner).count();
        let mut turns: Vec<(u64, usize)> = Vec::new();
        let pace = self.expected(now);
        let mut wait = self.running.as_ref().map_or(0.0, |running| running.remaining(owner, now));
        for entry in live().filter(|entry| entry.owner != owner) {
            let at = turns.iter().position(|(other, _)| *other == entry.owner);
            let at = at.unwrap_or_else(|| {
                turns.push((entry.owner, 0));
                turns.len() - 1
            });
            turns[at].1 += 1;
            if turns[at].1 <= rounds {
                wait += pace * (1.0 + entry.seconds);
            }
        }
        Duration::from_secs_f64(wait)
    }

    /// Puts something into the queue.
    pub(super) fn push(&mut self, entry: Entry<J>) {
        self.waiting.retain(|entry| !entry.stop.is_cancelled());
        self.waiting.push_back(entry);
    }

    /// Whose turn it is; what was given up is forgotten.
    pub(super) fn take(&mut self, now: Instant) -> Option<Entry<J>> {
        self.waiting.retain(|entry| !entry.stop.is_cancelled());
        let served = |owner: u64| self.served.iter().position(|own| *own == owner);
        let order = |(at, entry): &(usize, &Entry<J>)| {
            // Who was never served stands before all who were.
            (entry.gives_way(now), served(entry.owner).map_or(0, |place| place + 1), *at)
        };
        let (at, _) = self.waiting.iter().enumerate().min_by_key(order)?;
        let entry = self.waiting.remove(at)?;
        self.served.retain(|own| *own != entry.owner);
        self.served.push_back(entry.owner);
        if self.served.len() > REMEMBERED {
            self.served.pop_front();
        }
        self.running = Some(Running {
            owner: entry.owner,
            gives_way: entry.gives_way(now),
            since: now,
            expected: self.pace.expected() * (1.0 + entry.seconds),
            size: 1.0 + entry.seconds,
            stop: entry.stop.clone(),
        });
        Some(entry)
    }

    /// What was taken is over. `seconds` of sound were heard to the end, or it was broken off.
    pub(super) fn done(&mut self, seconds: Option<f64>, now: Instant) {
        let (Some(running), Some(seconds)) = (self.running.take(), seconds) else { return };
        self.pace.measure(running.took(now) / (1.0 + seconds));
    }

    /// Forgets all that wait.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

impl Running {
    fn took(&self, now: Instant) -> f64 {
        now.duration_since(self.since).as_secs_f64()
    }

    /// Seconds until it ends, for somebody else's sake.
    fn remaining(&self, owner: u64, now: Instant) -> f64 {
        let took = self.took(now);
        // What is late already will be later still.
        let left = (self.expected - took).max(took * 0.25);
        match self.stop.is_cancelled() || (self.gives_way && owner != self.owner) {
            true => left.min(STEP),
            false => left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        line: Line<&'static str>,
        now: Instant,
    }

    impl Bench {
        /// A line whose recogniser is expected to take 0.2 s for a second of sound and one more.
        fn new() -> Self {
            let mut bench = Self { line: Line::default(), now: Instant::now() };
            bench.line.pace.measured = Some((0.15, 0.05));
            bench
        }

        fn push(
            &mut self,
            owner: u64,
            job: &'static str,
            seconds: f64,
            patient: bool,
        ) -> CancellationToken {
            let stop = CancellationToken::new();
            let since = self.now;
            self.line.push(Entry { owner, patient, seconds, since, stop: stop.clone(), job });
            stop
        }

        fn serve(&mut self, took: f64) -> &'static str {
            let Some(entry) = self.line.take(self.now) else { return "nobody" };
            self.now += Duration::from_secs_f64(took);
            self.line.done(Some(entry.seconds), self.now);
            entry.job
        }

        fn wait(&self, owner: u64) -> f64 {
            self.line.wait(owner, self.now).as_secs_f64()
        }
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn the_wait_is_the_work_before_oneself() {
        let mut bench = Bench::new();
        assert!(near(bench.wait(1), 0.0));
        bench.push(1, "a", 2.0, false);
        // 0.2 s for each of 2 + 1.
        assert!(near(bench.wait(2), 0.6), "{}", bench.wait(2));
        let given_up = bench.push(2, "b", 2.0, false);
        assert!(near(bench.wait(3), 1.2));
        given_up.cancel();
        assert!(near(bench.wait(3), 0.6));
        assert_eq!(bench.line.len(), 1);
        // What runs is counted by what is left of it, and what is late by how late it is.
        bench.line.take(bench.now).unwrap();
        bench.now += Duration::from_millis(400);
        assert!(near(bench.wait(3), 0.2));
        bench.now += Duration::from_secs(10);
        assert!(near(bench.wait(3), 2.6));
    }

    #[test]
    fn what_runs_and_is_not_wanted_any_more_ends_soon() {
        let mut bench = Bench::new();
        let words_so_far = bench.push(1, "words so far", 29.0, false);
        bench.line.take(bench.now).unwrap();
        assert!(near(bench.wait(1), 6.0), "{}", bench.wait(1));
        words_so_far.cancel();
        assert!(near(bench.wait(1), STEP) && near(bench.wait(2), STEP), "{}", bench.wait(1));
    }

    #[test]
    fn one_with_much_holds_up_nobody_with_little() {
        let mut bench = Bench::new();
        for job in ["a1", "a2", "a3"] {
            bench.push(1, job, 4.0, false);
        }
        // One of the three goes before somebody's first, two before a second.
        assert!(near(bench.wait(2), 1.0), "{}", bench.wait(2));
        bench.push(2, "b1", 1.0, false);
        assert!(near(bench.wait(2), 2.0), "{}", bench.wait(2));
        bench.push(3, "c1", 1.0, false);
        let order: Vec<_> = (0..6).map(|_| bench.serve(0.1)).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "a3", "nobody"]);
    }

    #[test]
    fn who_is_patient_comes_last_but_comes() {
        let mut bench = Bench::new();
        bench.push(1, "file", 29.0, true);
        assert!(near(bench.wait(2), 0.0));
        assert!(!bench.line.is_urgent(bench.now));
        bench.push(2, "live", 1.0, false);
        assert!(bench.line.is_urgent(bench.now));
        assert_eq!(bench.serve(0.4), "live");
        // While it runs it counts for as long as it takes to break it off.
        let entry = bench.line.take(bench.now).unwrap();
        assert!(near(bench.wait(2), 1.0), "{}", bench.wait(2));
        bench.line.done(None, bench.now);
        bench.line.push(entry);
        bench.now += PATIENCE;
        bench.push(3, "late", 1.0, false);
        bench.push(2, "later", 1.0, false);
        let order: Vec<_> = (0..3).map(|_| bench.serve(0.1)).collect();
        assert_eq!(order, ["late", "later", "file"]);
    }

    #[test]
    fn a_late_recognition_makes_all_that_wait_later() {
        let mut bench = Bench::new();
        bench.push(1, "a", 1.0, false);
        bench.push(2, "b", 3.0, false);
        bench.line.take(bench.now).unwrap();
        assert!(near(bench.wait(3), 0.4 + 0.8));
        bench.now += Duration::from_secs(2);
        assert!(near(bench.wait(3), 0.5 + 4.0), "{}", bench.wait(3));
    }

    #[test]
    fn the_pace_is_measured() {
        let mut bench = Bench::new();
        for took in [0.1, 2.0] {
            for _ in 0..40 {
                bench.push(1, "a", 3.0, false);
                bench.serve(took);
            }
            bench.push(1, "b", 1.0, false);
            assert!((bench.wait(2) - took / 2.0).abs() < 0.01, "{}", bench.wait(2));
            bench.serve(took / 2.0);
        }
        bench.push(1, "a", 1.0, false);
        // What was broken off tells nothing.
        bench.line.take(bench.now);
        bench.line.done(None, bench.now);
        bench.push(1, "a", 1.0, false);
        assert!((bench.wait(2) - 1.0).abs() < 0.01);
    }
}
