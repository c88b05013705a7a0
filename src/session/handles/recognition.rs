//! The shared recogniser.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::super::EngineError;
use super::HandleError;
use crate::asr::AsrError;
use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Task;

const WHAT: &str = "recogniser";
/// Hypotheses that wait to be fetched. Partials are dropped when fewer places are free than a final
/// needs; a final always has one.
const HYPOTHESES: usize = 8;
/// How often a waiting thread asks whether it is to stop.
const STOP_EVERY: Duration = Duration::from_millis(10);

struct Job {
    audio: Arc<[f32]>,
    task: Task,
    stop: CancellationToken,
    out: Box<dyn FnMut(Result<Hypothesis, HandleError>) + Send>,
}

/// A recogniser that many sessions share.
///
/// As a [`Recognizer`] it stands for the engine itself: a session need not know that it shares it.
///
/// ```
/// use hearken::asr::{AsrError, Hypothesis, Recognizer, Task, Transcript};
/// use hearken::session::AsrHandle;
///
/// struct Echo;
/// impl Recognizer for Echo {
///     fn transcribe(
///         &mut self,
///         audio: &[f32],
///         _stop: &dyn Fn() -> bool,
///         out: &mut dyn FnMut(Hypothesis),
///     ) -> Result<(), AsrError> {
///         let text = format!("{} samples", audio.len());
///         out(Hypothesis::Final(Transcript { text, ..Default::default() }));
///         Ok(())
///     }
/// }
///
/// let handle = AsrHandle::spawn(Box::new(Echo), 4)?;
/// let mut recognition = handle.transcribe(vec![0.0; 160], Task::default())?;
/// let Some(Ok(Hypothesis::Final(heard))) = recognition.wait() else { panic!() };
/// assert_eq!(heard.text, "160 samples");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AsrHandle {
    jobs: Sender<Job>,
    task: Task,
    /// Whether a full queue is waited for, when this is used as a [`Recognizer`].
    patient: bool,
}

impl AsrHandle {
    /// Gives an engine a thread. `queue` utterances may wait while one is recognised.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(mut engine: Box<dyn Recognizer>, queue: usize) -> Result<Self, EngineError> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(queue.max(1));
        super::spawn("recogniser", move || {
            while let Some(job) = waiting.blocking_recv() {
                if !job.stop.is_cancelled() {
                    run(&mut *engine, job);
                }
            }
        })?;
        Ok(Self { jobs, task: Task::default(), patient: false })
    }

    /// The same engine, asked for this when it is used as a [`Recognizer`].
    #[must_use]
    pub fn with_task(mut self, task: Task) -> Self {
        self.task = task;
        self
    }

    /// The same engine, which waits while the queue is full when it is used as a [`Recognizer`]: for
    /// recordings, of which a part was heard already and would be lost. Not for use inside an
    /// asynchronous task.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Has an utterance recognised: mono samples at 16 kHz.
    ///
    /// # Errors
    /// [`HandleError::Busy`] when the queue is full, [`HandleError::Gone`] when the engine has ended.
    pub fn transcribe(
        &self,
        audio: impl Into<Arc<[f32]>>,
        task: Task,
    ) -> Result<Recognition, HandleError> {
        let (sender, hypotheses) = mpsc::channel(HYPOTHESES);
        let out = Box::new(move |hypothesis| {
            let partial = matches!(hypothesis, Ok(Hypothesis::Partial(_)));
            if !partial || sender.capacity() > 2 {
                // Who does not listen any more has given the job up.
                let _ = sender.try_send(hypothesis);
            }
        });
        let stop = self.queue(audio.into(), task, out, false)?;
        Ok(Recognition { hypotheses, ended: false, stop })
    }

    fn queue(
        &self,
        audio: Arc<[f32]>,
        task: Task,
        out: Box<dyn FnMut(Result<Hypothesis, HandleError>) + Send>,
        patient: bool,
    ) -> Result<DropGuard, HandleError> {
        let stop = CancellationToken::new();
        let job = Job { audio, task, stop: stop.clone(), out };
        if patient {
            let sent = self.jobs.blocking_send(job);
            return match sent {
                Ok(()) => Ok(stop.drop_guard()),
                Err(_) => Err(HandleError::Gone { what: WHAT }),
            };
        }
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                HandleError::Busy { what: WHAT, waiting: self.jobs.max_capacity() }
            }
            mpsc::error::TrySendError::Closed(_) => HandleError::Gone { what: WHAT },
        })?;
        Ok(stop.drop_guard())
    }

    /// How many utterances wait, and how many may.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let most = self.jobs.max_capacity();
        (most - self.jobs.capacity(), most)
    }

    /// Whether the engine still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.jobs.is_closed()
    }
}

fn run(engine: &mut dyn Recognizer, job: Job) {
    let Job { audio, task, stop, mut out } = job;
    let recognised = engine.set_task(&task).and_then(|()| {
        engine.transcribe(&audio, &|| stop.is_cancelled(), &mut |hypothesis| out(Ok(hypothesis)))
    });
    if let Err(error) = recognised {
        out(Err(error.into()));
    }
}

/// An utterance that is being recognised. Dropping it gives the job up.
#[derive(Debug)]
pub struct Recognition {
    hypotheses: Receiver<Result<Hypothesis, HandleError>>,
    ended: bool,
    stop: DropGuard,
}

impl Recognition {
    /// What is believed next; `None` after the final one, an error, or a stop.
    pub async fn next(&mut self) -> Option<Result<Hypothesis, HandleError>> {
        if self.ended {
            return None;
        }
        let next = self.hypotheses.recv().await;
        self.note(next)
    }

    /// The same for a thread that may wait; not for use inside an asynchronous task.
    pub fn wait(&mut self) -> Option<Result<Hypothesis, HandleError>> {
        if self.ended {
            return None;
        }
        let next = self.hypotheses.blocking_recv();
        self.note(next)
    }

    fn note(
        &mut self,
        next: Option<Result<Hypothesis, HandleError>>,
    ) -> Option<Result<Hypothesis, HandleError>> {
        match next {
            Some(Ok(Hypothesis::Partial(_))) => {}
            Some(_) => self.ended = true,
            None => {
                self.ended = true;
                // Without an end and without a stop the engine's thread broke off.
                if !self.stop.token().is_cancelled() {
                    return Some(Err(HandleError::Gone { what: WHAT }));
                }
            }
        }
        next
    }

    /// Asks the engine to give the job up soon.
    pub fn stop(&self) {
        self.stop.token().cancel();
    }
}

impl Recognizer for AsrHandle {
    fn set_task(&mut self, task: &Task) -> Result<(), AsrError> {
        self.task = task.clone();
        Ok(())
    }

    fn transcribe(
        &mut self,
        audio: &[f32],
        stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError> {
        let (sender, hypotheses) = sync_channel(HYPOTHESES);
        let take = Box::new(move |hypothesis| {
            // Who does not listen any more has given the job up.
            let _ = match hypothesis {
                Ok(Hypothesis::Partial(_)) => sender.try_send(hypothesis).is_ok(),
                _ => sender.send(hypothesis).is_ok(),
            };
        });
        // Dropped on return, which gives up what is left of the job.
        let _job =
            self.queue(audio.into(), self.task.clone(), take, self.patient).map_err(plain)?;
        while !stop() {
            match hypotheses.recv_timeout(STOP_EVERY) {
                Ok(Ok(hypothesis)) => {
                    let last = matches!(hypothesis, Hypothesis::Final(_));
                    out(hypothesis);
                    if last {
                        break;
                    }
                }
                Ok(Err(error)) => return Err(plain(error)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(plain(HandleError::Gone { what: WHAT }));
                }
            }
        }
        Ok(())
    }
}

/// A handle's failure as the engine's own.
fn plain(error: HandleError) -> AsrError {
    match error {
        HandleError::Asr(error) => error,
        HandleError::Busy { waiting, .. } => AsrError::Busy { waiting },
        other => AsrError::Engine { step: "answer", reason: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::asr::Transcript;

    /// Says what it was asked, once it is let; counts how often it was stopped.
    struct Scripted {
        go: std::sync::mpsc::Receiver<()>,
        stopped: Arc<AtomicUsize>,
        task: Task,
    }

    impl Recognizer for Scripted {
        fn set_task(&mut self, task: &Task) -> Result<(), AsrError> {
            self.task = task.clone();
            Ok(())
        }
        fn transcribe(
            &mut self,
            audio: &[f32],
            stop: &dyn Fn() -> bool,
            out: &mut dyn FnMut(Hypothesis),
        ) -> Result<(), AsrError> {
            let partial = Transcript { text: "…".into(), ..Default::default() };
            for _ in 0..100 {
                out(Hypothesis::Partial(partial.clone()));
            }
            while self.go.recv_timeout(Duration::from_millis(1)).is_err() {
                if stop() {
                    self.stopped.fetch_add(1, Ordering::SeqCst);
                    return Ok(());
                }
            }
            let language = self.task.language.clone().unwrap_or_default();
            let text = audio.len().to_string();
            out(Hypothesis::Final(Transcript { text, language, ..Default::default() }));
            Ok(())
        }
    }

    fn scripted(queue: usize) -> (AsrHandle, std::sync::mpsc::Sender<()>, Arc<AtomicUsize>) {
        let (let_go, go) = std::sync::mpsc::channel();
        let stopped = Arc::new(AtomicUsize::new(0));
        let engine = Scripted { go, stopped: Arc::clone(&stopped), task: Task::default() };
        (AsrHandle::spawn(Box::new(engine), queue).unwrap(), let_go, stopped)
    }

    fn last(recognition: &mut Recognition) -> Option<Transcript> {
        let mut last = None;
        while let Some(next) = recognition.wait() {
            if let Hypothesis::Final(transcript) = next.unwrap() {
                last = Some(transcript);
            }
        }
        last
    }

    #[test]
    fn a_full_queue_is_busy_at_once_and_the_others_are_served_in_order() {
        let (handle, go, _) = scripted(2);
        let task = |language: &str| Task { language: Some(language.into()), ..Task::default() };
        let mut taken = vec![handle.transcribe(vec![0.0; 1], task("zh")).unwrap()];
        while handle.load().0 > 0 {
            std::thread::yield_now();
        }
        taken.push(handle.transcribe(vec![0.0; 2], task("en")).unwrap());
        taken.push(handle.transcribe(vec![0.0; 3], task("de")).unwrap());
        let busy = handle.transcribe(vec![0.0; 4], Task::default()).unwrap_err();
        assert!(busy.is_retryable(), "{busy}");
        assert!(busy.to_string().contains("recogniser is busy: 2"), "{busy}");
        for _ in 0..3 {
            go.send(()).unwrap();
        }
        let heard: Vec<Transcript> = taken.iter_mut().filter_map(last).collect();
        let heard: Vec<(&str, &str)> =
            heard.iter().map(|t| (t.text.as_str(), t.language.as_str())).collect();
        // Hundred partials that nobody fetched did not push a final out.
        assert_eq!(heard, [("1", "zh"), ("2", "en"), ("3", "de")]);
    }

    #[test]
    fn what_is_dropped_is_given_up_waiting_or_running() {
        let (handle, go, stopped) = scripted(4);
        let running = handle.transcribe(vec![0.0; 1], Task::default()).unwrap();
        let waiting = handle.transcribe(vec![0.0; 2], Task::default()).unwrap();
        let mut kept = handle.transcribe(vec![0.0; 3], Task::default()).unwrap();
        while handle.load().0 > 2 {
            std::thread::yield_now();
        }
        drop(waiting);
        drop(running);
        while handle.load().0 > 0 {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        assert_eq!(last(&mut kept).unwrap().text, "3");
        assert_eq!(stopped.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn as_a_recogniser_it_stops_while_it_waits() {
        let (mut handle, go, stopped) = scripted(4);
        let begun = std::cell::Cell::new(false);
        let engine: &mut dyn Recognizer = &mut handle;
        engine.transcribe(&[0.0; 5], &|| begun.get(), &mut |_| begun.set(true)).unwrap();
        while stopped.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        let mut finals = Vec::new();
        engine
            .transcribe(&[0.0; 6], &|| false, &mut |h| {
                if let Hypothesis::Final(t) = h {
                    finals.push(t.text);
                }
            })
            .unwrap();
        assert_eq!(finals, ["6"]);
        assert_eq!(stopped.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_engine_that_broke_is_gone_and_not_waited_for() {
        struct Broken;
        impl Recognizer for Broken {
            fn transcribe(
                &mut self,
                _: &[f32],
                _: &dyn Fn() -> bool,
                _: &mut dyn FnMut(Hypothesis),
            ) -> Result<(), AsrError> {
                panic!("as this test wants it");
            }
        }
        let handle = AsrHandle::spawn(Box::new(Broken), 4).unwrap();
        let mut recognition = handle.transcribe(vec![0.0; 1], Task::default()).unwrap();
        assert!(matches!(recognition.wait(), Some(Err(HandleError::Gone { .. }))));
        assert!(recognition.wait().is_none());
        while handle.is_alive() {
            std::thread::yield_now();
        }
        assert!(handle.transcribe(vec![0.0; 1], Task::default()).is_err());
    }
}
