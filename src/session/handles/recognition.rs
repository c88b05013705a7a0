//! The shared recogniser.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, Receiver};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::super::EngineError;
use super::HandleError;
use super::line::{Entry, Line};
use crate::asr::AsrError;
use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Task;
use crate::audio::SAMPLE_RATE;

const WHAT: &str = "recogniser";
/// Hypotheses that wait to be fetched. Partials are dropped when fewer places are free than a final
/// needs; a final always has one.
const HYPOTHESES: usize = 8;
/// How often a waiting thread asks whether it is to stop.
const STOP_EVERY: Duration = Duration::from_millis(10);
/// How long one may have to wait for the recogniser, unless the settings say otherwise.
const LONGEST_WAIT: Duration = Duration::from_millis(1500);

type Out = Box<dyn FnMut(Result<Hypothesis, HandleError>) + Send>;

struct Job {
    audio: Arc<[f32]>,
    task: Task,
    out: Out,
}

/// What the handles and the engine's thread share.
struct Desk {
    state: Mutex<State>,
    /// Told when somebody came, or went.
    changed: Condvar,
    /// Whether somebody waits for whom a patient job is to be broken off.
    urgent: AtomicBool,
    /// Milliseconds.
    longest_wait: AtomicU64,
    /// Owners so far.
    owners: AtomicU64,
    most: usize,
}

#[derive(Default)]
struct State {
    line: Line<Job>,
    /// Nobody has a handle any more.
    closed: bool,
    /// The engine's thread has ended.
    ended: bool,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; none when nobody can ask for anything any more.
    fn next(&self) -> Option<Entry<Job>> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            if let Some(entry) = state.line.take(now) {
                self.urgent.store(state.line.is_urgent(now), Ordering::Relaxed);
                self.changed.notify_all();
                return Some(entry);
            }
            if state.closed {
                return None;
            }
            state = self.wait(state);
        }
    }
}

/// The last handle, or a part of it: when it goes, the thread ends.
#[derive(Debug)]
struct Bell(Arc<Desk>);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

/// The engine's thread: when it goes, nobody waits for it any more.
struct Clerk(Arc<Desk>);

impl Drop for Clerk {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        state.line.clear();
        drop(state);
        self.0.changed.notify_all();
    }
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
    bell: Arc<Bell>,
    /// Whose jobs these are; owners take turns.
    owner: u64,
    task: Task,
    patient: bool,
}

impl AsrHandle {
    /// Gives an engine a thread. `queue` utterances may wait while one is recognised, and none may have
    /// to wait longer than [`set_longest_wait`](Self::set_longest_wait) says, 1.5 s if it does not.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(mut engine: Box<dyn Recognizer>, queue: usize) -> Result<Self, EngineError> {
        let desk = Arc::new(Desk {
            state: Mutex::default(),
            changed: Condvar::new(),
            urgent: AtomicBool::new(false),
            longest_wait: AtomicU64::new(LONGEST_WAIT.as_millis() as u64),
            owners: AtomicU64::new(1),
            most: queue.max(1),
        });
        let clerk = Clerk(Arc::clone(&desk));
        super::spawn("recogniser", move || {
            while let Some(entry) = clerk.0.next() {
                run(&mut *engine, entry, &clerk.0);
            }
        })?;
        Ok(Self { bell: Arc::new(Bell(desk)), owner: 0, task: Task::default(), patient: false })
    }

    /// Sets how long an utterance may have to wait for its turn. Whoever would wait longer is told at
    /// once that the recogniser is busy.
    pub fn set_longest_wait(&self, wait: Duration) {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.desk().longest_wait.store(ms, Ordering::Relaxed);
    }

    fn desk(&self) -> &Arc<Desk> {
        &self.bell.0
    }

    /// The same engine for another conversation: those of one wait for each other, and take turns with
    /// those of others.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { owner: self.desk().owners.fetch_add(1, Ordering::Relaxed), ..self.clone() }
    }

    /// The same engine, asked for this when it is used as a [`Recognizer`].
    #[must_use]
    pub fn with_task(mut self, task: Task) -> Self {
        self.task = task;
        self
    }

    /// The same engine, which is never too busy when it is used as a [`Recognizer`]: for recordings, of
    /// which a part was heard already and would be lost. It lets those go before for a while who
    /// speak just now. Not for use inside an asynchronous task.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    /// How long an utterance that came now would wait for its turn, as far as one can tell from the
    /// work that is before it and how long such work took lately.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.desk().lock().line.wait(self.owner, Instant::now())
    }

    /// Says so if an utterance would be refused now.
    ///
    /// # Errors
    /// [`HandleError::Busy`] when it would wait too long, [`HandleError::Gone`] when the engine has
    /// ended.
    pub fn check(&self) -> Result<(), HandleError> {
        self.admit(&self.desk().lock())
    }

    fn admit(&self, state: &State) -> Result<(), HandleError> {
        let longest = Duration::from_millis(self.desk().longest_wait.load(Ordering::Relaxed));
        let wait = state.line.wait(self.owner, Instant::now());
        let waiting = state.line.len();
        match state.ended {
            true => Err(HandleError::Gone { what: WHAT }),
            false if wait > longest || waiting >= self.desk().most => {
                Err(HandleError::Busy { what: WHAT, waiting, wait })
            }
            false => Ok(()),
        }
    }

    /// Has an utterance recognised: mono samples at 16 kHz. What is accepted is finished.
    ///
    /// # Errors
    /// [`HandleError::Busy`] when it would wait too long, [`HandleError::Gone`] when the engine has
    /// ended.
    pub fn transcribe(
        &self,
        audio: impl Into<Arc<[f32]>>,
        task: Task,
    ) -> Result<Recognition, HandleError> {
        self.recognition(audio.into(), task, false)
    }

    /// Has the next utterance of a speech recognised of which one was accepted already: only a full
    /// queue refuses it.
    ///
    /// # Errors
    /// [`HandleError::Busy`] when the queue is full, [`HandleError::Gone`] when the engine has ended.
    pub fn transcribe_more(
        &self,
        audio: impl Into<Arc<[f32]>>,
        task: Task,
    ) -> Result<Recognition, HandleError> {
        self.recognition(audio.into(), task, true)
    }

    /// [`transcribe`](Self::transcribe) the first time, and [`transcribe_more`](Self::transcribe_more) once an utterance
    /// of the same speech was accepted, which `accepted` remembers: whoever was let in is not sent away in the middle.
    ///
    /// # Errors
    /// Those of the two.
    pub fn transcribe_next(
        &self,
        audio: impl Into<Arc<[f32]>>,
        task: Task,
        accepted: &mut bool,
    ) -> Result<Recognition, HandleError> {
        let recognition = self.recognition(audio.into(), task, *accepted)?;
        *accepted = true;
        Ok(recognition)
    }

    fn recognition(
        &self,
        audio: Arc<[f32]>,
        task: Task,
        more: bool,
    ) -> Result<Recognition, HandleError> {
        let (sender, hypotheses) = mpsc::channel(HYPOTHESES);
        let out = Box::new(move |hypothesis| {
            let partial = matches!(hypothesis, Ok(Hypothesis::Partial(_)));
            if !partial || sender.capacity() > 2 {
                // Who does not listen any more has given the job up.
                let _ = sender.try_send(hypothesis);
            }
        });
        let state = self.desk().lock();
        match self.admit(&state) {
            Err(HandleError::Busy { waiting, .. }) if more && waiting < self.desk().most => {}
            admitted => admitted?,
        }
        let stop = self.put(state, Job { audio, task, out }, false);
        Ok(Recognition { hypotheses, ended: false, stop })
    }

    /// As [`transcribe`](Self::transcribe); a patient one waits for a place instead.
    fn queue(&self, job: Job) -> Result<DropGuard, HandleError> {
        let mut state = self.desk().lock();
        if !self.patient {
            self.admit(&state)?;
            return Ok(self.put(state, job, false));
        }
        while !state.ended && state.line.len() >= self.desk().most {
            state = self.desk().wait(state);
        }
        match state.ended {
            true => Err(HandleError::Gone { what: WHAT }),
            false => Ok(self.put(state, job, true)),
        }
    }

    fn put(&self, mut state: MutexGuard<'_, State>, job: Job, patient: bool) -> DropGuard {
        let (desk, stop, since) = (self.desk(), CancellationToken::new(), Instant::now());
        let seconds = job.audio.len() as f64 / f64::from(SAMPLE_RATE);
        let owner = self.owner;
        state.line.push(Entry { owner, patient, seconds, since, stop: stop.clone(), job });
        desk.urgent.store(state.line.is_urgent(since), Ordering::Relaxed);
        drop(state);
        desk.changed.notify_all();
        stop.drop_guard()
    }

    /// How many utterances wait, and how many may.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.desk().lock().line.len(), self.desk().most)
    }

    /// Whether the engine still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.desk().lock().ended
    }
}

fn run(engine: &mut dyn Recognizer, mut entry: Entry<Job>, desk: &Desk) {
    let gives_way = entry.gives_way(Instant::now());
    let (broken, mut finished) = (std::cell::Cell::new(false), false);
    let Entry { stop, seconds, job: Job { audio, task, out }, .. } = &mut entry;
    let give_up = || {
        // Somebody speaks: a recording is heard again later.
        let broken_off = gives_way && desk.urgent.load(Ordering::Relaxed);
        broken.set(broken.get() || broken_off);
        broken_off || stop.is_cancelled()
    };
    let recognised = engine.set_task(task).and_then(|()| {
        engine.transcribe(audio, &give_up, &mut |hypothesis| {
            finished |= matches!(hypothesis, Hypothesis::Final(_));
            out(Ok(hypothesis));
        })
    });
    let again = recognised.is_ok() && !finished && broken.get() && !stop.is_cancelled();
    let heard = (finished && !stop.is_cancelled()).then_some(*seconds);
    if let Err(error) = recognised {
        out(Err(error.into()));
    }
    let mut state = desk.lock();
    state.line.done(heard, Instant::now());
    if again {
        state.line.push(entry);
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

    fn set_free(&mut self, free: bool) {
        self.task.free = free;
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
        let job = Job { audio: audio.into(), task: self.task.clone(), out: take };
        // Dropped on return, which gives up what is left of the job.
        let _job = self.queue(job).map_err(plain)?;
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

    fn wait_until_nobody_waits(handle: &AsrHandle) {
        while handle.load().0 > 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn who_would_wait_too_long_is_told_at_once_and_what_was_accepted_is_finished() {
        let (handle, go, _) = scripted(8);
        // Two seconds of sound are 0.6 s of work before anything was measured.
        handle.set_longest_wait(Duration::from_millis(900));
        let ask = |handle: &AsrHandle| handle.transcribe(vec![0.0; 32_000], Task::default());
        let (mine, yours, theirs) = (handle.fork(), handle.fork(), handle.fork());
        let mut first = ask(&mine).unwrap();
        wait_until_nobody_waits(&handle);
        let mut second = ask(&yours).unwrap();
        assert!(theirs.check().is_err());
        let began = Instant::now();
        let busy = ask(&theirs).unwrap_err();
        assert!(began.elapsed() < Duration::from_millis(50));
        assert!(busy.is_retryable() && busy.retry_after_s() <= 2, "{busy}");
        // Who was accepted may go on.
        let mut more = yours.transcribe_more(vec![0.0; 16_000], Task::default()).unwrap();
        for _ in 0..3 {
            go.send(()).unwrap();
        }
        for recognition in [&mut first, &mut second, &mut more] {
            assert!(last(recognition).is_some());
        }
        assert!(theirs.check().is_ok());
    }

    #[test]
    fn a_recording_is_broken_off_for_who_speaks_and_heard_again() {
        let (handle, go, stopped) = scripted(8);
        let mut file = handle.fork().patient();
        let reading = std::thread::spawn(move || {
            let mut heard = Vec::new();
            let take = &mut |hypothesis| {
                if let Hypothesis::Final(transcript) = hypothesis {
                    heard.push(transcript.text);
                }
            };
            Recognizer::transcribe(&mut file, &[0.0; 160], &|| false, take).unwrap();
            heard
        });
        // A recording counts once it is at the recogniser.
        while handle.wait().is_zero() {
            std::thread::yield_now();
        }
        let mut live = handle.transcribe(vec![0.0; 7], Task::default()).unwrap();
        while stopped.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        assert_eq!(last(&mut live).unwrap().text, "7");
        go.send(()).unwrap();
        assert_eq!(reading.join().unwrap(), ["160"]);
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
