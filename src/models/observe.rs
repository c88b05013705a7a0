//! How a long call tells what it is doing, without printing.

/// What happens to one model during a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step<'a> {
    /// Somebody else is fetching the same thing; this call waits for them.
    Waiting {
        /// What is being waited for.
        what: &'a str,
    },
    /// A file is being fetched from this source.
    Fetching {
        /// The file's name.
        file: &'a str,
        /// The source, in words.
        source: &'a str,
        /// Bytes that will come, when they are known.
        total: Option<u64>,
    },
    /// Bytes that have come of what is being fetched, counted from the beginning.
    Bytes(u64),
    /// A source failed; the next one is tried.
    SourceFailed {
        /// The source, in words.
        source: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// A fetched checkpoint is being converted.
    Converting,
    /// The model is there now.
    Installed,
    /// The model was there before.
    AlreadyThere,
    /// The model could not be had.
    Failed {
        /// Why.
        reason: &'a str,
    },
}

/// Is told what happens during a pull, from several threads at once.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use hearken::models::{Observer, Step};
///
/// /// Counts the models that came.
/// struct Count(AtomicUsize);
///
/// impl Observer for Count {
///     fn step(&self, _id: &str, step: Step<'_>) {
///         if step == Step::Installed {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let count = Count(AtomicUsize::new(0));
/// count.step("silero-vad", Step::Installed);
/// assert_eq!(count.0.into_inner(), 1);
/// ```
pub trait Observer: Sync {
    /// One step of the model `id`. It is called from the threads that fetch and must return soon.
    fn step(&self, id: &str, step: Step<'_>);
}

/// Looks away.
impl Observer for () {
    fn step(&self, _id: &str, _step: Step<'_>) {}
}
