//! Timers that run, pause and ring. Time is given from outside at every step.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::HomeError;
use super::names::fold;

/// How many timers may exist at once.
const MOST: usize = 100;
/// The longest time left: a hundred days and a bit, in seconds.
const LONGEST: i64 = 9_000_000;

/// A timer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timer {
    /// Unique while the program runs.
    pub id: u64,
    /// What it was called, when it was.
    pub name: Option<String>,
    /// The id of the area where it was started.
    pub area: Option<String>,
    /// The length it was started with, in seconds.
    pub start_seconds: i64,
    /// The language it was asked for in.
    pub language: String,
    /// The sentence to act on when it rings, in that language.
    pub command: Option<String>,
    #[serde(skip)]
    run: Run,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Run {
    Until(Timestamp),
    Paused { left: SignedDuration },
}

impl Timer {
    /// Whether it runs; otherwise it is paused.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self.run, Run::Until(_))
    }

    /// When it rings, or how much time it has left while it is paused.
    pub(super) fn ends(&self) -> Result<Timestamp, SignedDuration> {
        match self.run {
            Run::Until(end) => Ok(end),
            Run::Paused { left } => Err(left),
        }
    }

    /// Whole seconds until it rings, never below 0.
    #[must_use]
    pub fn seconds_left(&self, now: Timestamp) -> i64 {
        match self.run {
            Run::Until(end) => (end.duration_since(now).as_millis() + 999) / 1000,
            Run::Paused { left } => i128::from(left.as_secs()),
        }
        .clamp(0, i128::from(LONGEST)) as i64
    }
}

/// Which timers are meant: all that is given must agree.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TimerQuery {
    /// Its name.
    pub name: Option<String>,
    /// The id of its area.
    pub area: Option<String>,
    /// The length it was started with, in seconds.
    pub start_seconds: Option<i64>,
}

impl TimerQuery {
    /// Whether nothing is given, so that every timer is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn fits(&self, timer: &Timer) -> bool {
        let name = self
            .name
            .as_ref()
            .is_none_or(|wanted| timer.name.as_ref().is_some_and(|own| fold(own) == fold(wanted)));
        let area = self.area.as_ref().is_none_or(|wanted| timer.area.as_ref() == Some(wanted));
        name && area && self.start_seconds.is_none_or(|wanted| timer.start_seconds == wanted)
    }
}

/// A timer that is to be started.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewTimer {
    /// Its length.
    pub seconds: i64,
    /// What it is called.
    pub name: Option<String>,
    /// The id of the area where it is started.
    pub area: Option<String>,
    /// The language it is asked for in.
    pub language: String,
    /// The sentence to act on when it rings.
    pub command: Option<String>,
}

/// The timers of a home.
#[derive(Debug, Clone, Default)]
pub struct Timers {
    list: Vec<Timer>,
    last_id: u64,
}

impl Timers {
    /// All timers, the oldest first.
    #[must_use]
    pub fn all(&self) -> &[Timer] {
        &self.list
    }

    /// Those that a query means.
    pub fn matching<'a>(&'a self, query: &'a TimerQuery) -> impl Iterator<Item = &'a Timer> {
        self.list.iter().filter(|timer| query.fits(timer))
    }

    /// The one timer that is meant. Among several, those of the area where one speaks go first.
    ///
    /// # Errors
    /// When there is none, and when there is more than one.
    pub fn find(&self, query: &TimerQuery, here: Option<&str>) -> Result<u64, HomeError> {
        let mut found: Vec<&Timer> = self.matching(query).collect();
        if found.len() > 1 && found.iter().any(|t| t.area.is_some() && t.area.as_deref() == here) {
            found.retain(|timer| timer.area.as_deref() == here);
        }
        match found[..] {
            [] => Err(HomeError::NoTimer),
            [timer] => Ok(timer.id),
            _ => Err(HomeError::SeveralTimers { count: found.len() }),
        }
    }

    /// Starts a timer and gives its id.
    ///
    /// # Errors
    /// When it would ring at once or in more than a hundred days, or when there are too many.
    pub fn start(&mut self, timer: NewTimer, now: Timestamp) -> Result<u64, HomeError> {
        let NewTimer { seconds, name, area, language, command } = timer;
        if !(1..=LONGEST).contains(&seconds) {
            return Err(HomeError::TimerLength { seconds });
        }
        if self.list.len() >= MOST {
            return Err(HomeError::TooMany { what: "timers", limit: MOST });
        }
        let end = now
            .checked_add(SignedDuration::from_secs(seconds))
            .map_err(|_| HomeError::TimerLength { seconds })?;
        self.last_id += 1;
        let (id, run) = (self.last_id, Run::Until(end));
        self.list.push(Timer { id, name, area, start_seconds: seconds, language, command, run });
        Ok(id)
    }

    /// Puts a timer there that has run for a while already.
    pub(super) fn restore(
        &mut self,
        timer: NewTimer,
        left: i64,
        active: bool,
        now: Timestamp,
    ) -> Result<(), HomeError> {
        let start_seconds = timer.seconds;
        let id = self.start(NewTimer { seconds: left.max(1), ..timer }, now)?;
        if let Some(timer) = self.list.last_mut() {
            timer.start_seconds = start_seconds;
        }
        if left < 1 {
            // Nothing shorter can be started; it was up while nobody looked.
            self.lengthen(id, -1, now);
        }
        if !active {
            self.pause(id, now);
        }
        Ok(())
    }

    /// Takes a timer away.
    pub fn cancel(&mut self, id: u64) -> Option<Timer> {
        let at = self.list.iter().position(|timer| timer.id == id)?;
        Some(self.list.remove(at))
    }

    /// Takes every timer away that a query means, and says how many there were.
    pub fn cancel_all(&mut self, query: &TimerQuery) -> usize {
        let before = self.list.len();
        self.list.retain(|timer| !query.fits(timer));
        before - self.list.len()
    }

    /// Makes a timer longer, or shorter by a negative number of seconds. One that would have rung
    /// already rings at the next [`Timers::ring`].
    pub fn lengthen(&mut self, id: u64, seconds: i64, now: Timestamp) {
        self.rerun(id, now, |active, left| (active, left.saturating_add(seconds)));
    }

    /// Stops the time of a timer.
    pub fn pause(&mut self, id: u64, now: Timestamp) {
        self.rerun(id, now, |_, left| (false, left));
    }

    /// Lets a timer run again.
    pub fn resume(&mut self, id: u64, now: Timestamp) {
        self.rerun(id, now, |_, left| (true, left));
    }

    fn rerun(&mut self, id: u64, now: Timestamp, next: impl Fn(bool, i64) -> (bool, i64)) {
        let Some(timer) = self.list.iter_mut().find(|timer| timer.id == id) else { return };
        let (active, left) = next(timer.is_active(), timer.seconds_left(now));
        let left = SignedDuration::from_secs(left.clamp(0, LONGEST));
        timer.run = match now.checked_add(left) {
            Ok(end) if active => Run::Until(end),
            _ => Run::Paused { left },
        };
    }

    /// Takes out those whose time is over, the earliest first.
    pub fn ring(&mut self, now: Timestamp) -> Vec<Timer> {
        let over = |timer: &Timer| matches!(timer.run, Run::Until(end) if end <= now);
        let mut rung: Vec<Timer> = self.list.iter().filter(|t| over(t)).cloned().collect();
        self.list.retain(|timer| !over(timer));
        rung.sort_by_key(|timer| match timer.run {
            Run::Until(end) => end,
            Run::Paused { .. } => Timestamp::MAX,
        });
        rung
    }

    /// When the next one rings, for whoever waits.
    #[must_use]
    pub fn next_ring(&self) -> Option<Timestamp> {
        let ends = self.list.iter().filter_map(|timer| match timer.run {
            Run::Until(end) => Some(end),
            Run::Paused { .. } => None,
        });
        ends.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn start(timers: &mut Timers, seconds: i64, name: Option<&str>, area: Option<&str>) -> u64 {
        let (name, area) = (name.map(Into::into), area.map(Into::into));
        timers.start(NewTimer { seconds, name, area, ..Default::default() }, at(0)).unwrap()
    }

    #[test]
    fn a_timer_rings_once_and_when_it_should() {
        let mut timers = Timers::default();
        start(&mut timers, 10, Some("tea"), None);
        start(&mut timers, 5, None, None);
        assert_eq!(timers.next_ring(), Some(at(5)));
        assert!(timers.ring(at(4)).is_empty());
        let names: Vec<_> = timers.ring(at(10)).into_iter().map(|t| t.name).collect();
        assert_eq!(names, [None, Some("tea".into())], "the earliest first");
        assert!(timers.ring(at(100)).is_empty());
        assert_eq!(timers.next_ring(), None);
    }

    #[test]
    fn a_paused_timer_keeps_its_time() {
        let mut timers = Timers::default();
        let id = start(&mut timers, 60, None, None);
        timers.pause(id, at(20));
        assert!(timers.ring(at(500)).is_empty());
        assert_eq!(timers.all()[0].seconds_left(at(500)), 40);
        timers.resume(id, at(500));
        timers.lengthen(id, 5, at(500));
        assert_eq!(timers.next_ring(), Some(at(545)));
        timers.lengthen(id, -1000, at(501));
        assert_eq!(timers.ring(at(501)).len(), 1, "shortened below nothing, it rings now");
    }

    #[test]
    fn the_one_that_is_meant_is_found() {
        let mut timers = Timers::default();
        let tea = start(&mut timers, 300, Some("Tea"), Some("kitchen"));
        let other = start(&mut timers, 600, None, Some("office"));
        let named = TimerQuery { name: Some("tea".into()), ..Default::default() };
        assert_eq!(timers.find(&named, None).unwrap(), tea);
        let long = TimerQuery { start_seconds: Some(600), ..Default::default() };
        assert_eq!(timers.find(&long, None).unwrap(), other);
        let any = TimerQuery::default();
        assert_eq!(timers.find(&any, Some("office")).unwrap(), other, "the one that is here");
        assert!(matches!(timers.find(&any, None), Err(HomeError::SeveralTimers { count: 2 })));
        let none = TimerQuery { name: Some("pizza".into()), ..Default::default() };
        assert!(matches!(timers.find(&none, None), Err(HomeError::NoTimer)));
    }

    #[test]
    fn impossible_timers_are_refused() {
        let mut timers = Timers::default();
        for seconds in [0, -5, i64::MAX] {
            let result = timers.start(NewTimer { seconds, ..Default::default() }, at(0));
            assert!(matches!(result, Err(HomeError::TimerLength { .. })), "{seconds}");
        }
        for _ in 0..MOST {
            start(&mut timers, 10, None, None);
        }
        let one_more = timers.start(NewTimer { seconds: 10, ..Default::default() }, at(0));
        assert!(matches!(one_more, Err(HomeError::TooMany { .. })));
    }
}
