//! A microphone that survives being unplugged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{AudioError, Source};

/// How long is waited before a lost device is opened again, at first and at most.
const BACK_OFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Opens a source.
pub type OpenSource = Box<dyn FnMut() -> Result<Box<dyn Source>, AudioError> + Send>;

/// A source that is opened again when it fails, after a pause that doubles from a quarter of a second
/// to five seconds. It ends when the inner one does, or when it is asked to.
pub struct Steady {
    open: OpenSource,
    now: Option<Box<dyn Source>>,
    stop: Arc<AtomicBool>,
    wait: Duration,
    /// How often a device was lost.
    lost: u64,
}

impl std::fmt::Debug for Steady {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Steady").field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl Steady {
    /// Opens the source for the first time; `stop` ends it.
    ///
    /// # Errors
    /// When it cannot be opened now: a device that was never there is a mistake and no loss.
    pub fn open(mut open: OpenSource, stop: Arc<AtomicBool>) -> Result<Self, AudioError> {
        let now = Some(open()?);
        Ok(Self { open, now, stop, wait: BACK_OFF[0], lost: 0 })
    }

    /// How often the source was lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn pause(&mut self) {
        let until = Instant::now() + self.wait;
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_EVERY);
        }
        self.wait = (self.wait * 2).min(BACK_OFF[1]);
    }
}

impl Source for Steady {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize, AudioError> {
        while !self.stop.load(Ordering::Relaxed) {
            let Some(source) = &mut self.now else {
                self.pause();
                match (self.open)() {
                    Ok(source) => {
                        tracing::info!("there is a microphone again");
                        self.now = Some(source);
                    }
                    Err(error) => tracing::warn!(%error, "still no microphone"),
                }
                continue;
            };
            match source.read(out) {
                Ok(read) => {
                    self.wait = BACK_OFF[0];
                    return Ok(read);
                }
                Err(error) => {
                    tracing::warn!(%error, "the microphone was lost; looking for it again");
                    self.lost += 1;
                    self.now = None;
                }
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one sample, then fails or ends.
    struct Flaky(u32);

    impl Source for Flaky {
        fn read(&mut self, out: &mut Vec<f32>) -> Result<usize, AudioError> {
            self.0 += 1;
            match self.0 {
                1 => {
                    out.push(0.5);
                    Ok(1)
                }
                _ => Err(gone()),
            }
        }
    }

    fn gone() -> AudioError {
        AudioError::Device { kind: "microphone", name: "usb".into(), reason: "unplugged".into() }
    }

    #[test]
    fn a_lost_source_is_opened_again() {
        let mut opened = 0;
        let stop = Arc::new(AtomicBool::new(false));
        let open: OpenSource = Box::new(move || {
            opened += 1;
            // Once it is not there at all.
            if opened == 2 { Err(gone()) } else { Ok(Box::new(Flaky(0))) }
        });
        let mut steady = Steady::open(open, Arc::clone(&stop)).unwrap();
        let (mut out, began) = (Vec::new(), Instant::now());
        assert_eq!(steady.read(&mut out).unwrap(), 1);
        assert_eq!(steady.read(&mut out).unwrap(), 1, "after the loss");
        assert!(began.elapsed() >= BACK_OFF[0] * 3, "250 ms, then 500 ms");
        assert_eq!((out.len(), steady.lost()), (2, 1));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(steady.read(&mut out).unwrap(), 0);
    }

    #[test]
    fn a_source_that_was_never_there_is_an_error() {
        assert!(Steady::open(Box::new(|| Err(gone())), Arc::default()).is_err());
    }
}
