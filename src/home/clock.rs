//! The time, so that tests can stop it.

use jiff::ZonedDateTime;

/// Tells the time.
///
/// ```
/// use hearken::home::{Clock, FixedClock};
/// let clock = FixedClock::new("2013-09-17T01:02:00[UTC]".parse()?);
/// assert_eq!(clock.now().hour(), 1);
/// # Ok::<(), jiff::Error>(())
/// ```
pub trait Clock: Send {
    /// The date and time here and now, with the time zone of the house.
    fn now(&self) -> ZonedDateTime;
}

/// The computer's clock and time zone.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> ZonedDateTime {
        ZonedDateTime::now()
    }
}

/// A clock that somebody else turns on.
#[derive(Debug, Clone)]
pub struct FixedClock(std::sync::Arc<std::sync::Mutex<ZonedDateTime>>);

impl FixedClock {
    /// A clock that stands at this time.
    #[must_use]
    pub fn new(time: ZonedDateTime) -> Self {
        Self(std::sync::Arc::new(std::sync::Mutex::new(time)))
    }

    /// Turns every copy of this clock on by some seconds.
    pub fn advance(&self, seconds: i64) {
        let mut time = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Ok(later) = time.checked_add(jiff::SignedDuration::from_secs(seconds)) {
            *time = later;
        }
    }
}

impl Clock for FixedClock {
    fn now(&self) -> ZonedDateTime {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
