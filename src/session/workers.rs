//! The two threads in which a session waits for its engines: one hears, one speaks.
//!
//! The session gives jobs and takes reports, through queues that are bounded; it decides for itself
//! whether to wait for a report, or to go on with the next frame.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};
use tokio_util::sync::CancellationToken;

use super::TurnId;
use super::Voices;
use super::ahead;
use super::ahead::Idle;
use crate::asr::AsrError;
use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Transcript;
use crate::tts::TtsError;
use crate::tts::warm;

/// Jobs that may wait. Those given up are passed over at once, so more than two never really do.
const JOBS: usize = 8;
/// Reports that may wait to be taken. When there is no place the engine's thread waits.
const REPORTS: usize = 8;
/// How soon a thread that cannot hand out its report sees that nobody wants it any more.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The thread that recognises.
pub(super) struct Ear {
    jobs: Option<Sender<EarJob>>,
    pub(super) reports: Receiver<EarReport>,
    last: u64,
    thread: Option<JoinHandle<()>>,
}

struct EarJob {
    id: u64,
    audio: Vec<f32>,
    /// Only free text is wanted.
    free: bool,
    stop: CancellationToken,
}

/// What became of a recognition.
pub(super) struct EarReport {
    pub(super) id: u64,
    pub(super) what: Recognised,
}

pub(super) enum Recognised {
    Partial(Transcript),
    /// The end, and how many milliseconds it took since it was asked for.
    Done(Result<Transcript, AsrError>, f64),
}

/// A recognition that was asked for. Dropping it gives it up.
pub(super) struct Hearing {
    pub(super) id: u64,
    /// How much was given, in samples.
    pub(super) samples: usize,
    stop: CancellationToken,
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Ear {
    pub(super) fn new(mut recognizer: Box<dyn Recognizer>) -> Self {
        let (jobs, waiting) = bounded::<EarJob>(JOBS);
        let (sender, reports) = bounded(REPORTS);
        let work = move || {
            for job in waiting {
                if !job.stop.is_cancelled() && hear(&mut *recognizer, &job, &sender).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("recognition".into()).spawn(work);
        let thread = thread.inspect_err(|error| tracing::error!(%error, "no thread to recognise"));
        Self { jobs: Some(jobs), reports, last: 0, thread: thread.ok() }
    }

    /// Has `audio` recognised; the reports bear the number of what is returned.
    ///
    /// # Errors
    /// When the thread has ended, or is as far behind as no thread should be.
    pub(super) fn ask(&mut self, audio: Vec<f32>) -> Result<Hearing, AsrError> {
        self.give(audio, false)
    }

    /// The same for an utterance that goes on: no sentence of the home is looked for.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub(super) fn ask_so_far(&mut self, audio: Vec<f32>) -> Result<Hearing, AsrError> {
        self.give(audio, true)
    }

    fn give(&mut self, audio: Vec<f32>, free: bool) -> Result<Hearing, AsrError> {
        self.last += 1;
        let stop = CancellationToken::new();
        let samples = audio.len();
        let job = EarJob { id: self.last, audio, free, stop: stop.clone() };
        let given = self.jobs.as_ref().map(|jobs| jobs.try_send(job));
        match given {
            Some(Ok(())) => Ok(Hearing { id: self.last, samples, stop }),
            Some(Err(crossbeam_channel::TrySendError::Full(_))) => Err(AsrError::Engine {
                step: "take another utterance",
                reason: "it is too far behind".into(),
            }),
            _ => Err(AsrError::Engine { step: "answer", reason: "its thread has ended".into() }),
        }
    }
}

fn hear(
    recognizer: &mut dyn Recognizer,
    job: &EarJob,
    reports: &Sender<EarReport>,
) -> Result<(), ()> {
    let (id, began) = (job.id, Instant::now());
    let mut last = Transcript::default();
    recognizer.set_free(job.free);
    let done = recognizer.transcribe(&job.audio, &|| job.stop.is_cancelled(), &mut |hypothesis| {
        match hypothesis {
            // Who is behind can do without.
            Hypothesis::Partial(transcript) => {
                let _ = reports.try_send(EarReport { id, what: Recognised::Partial(transcript) });
            }
            Hypothesis::Final(transcript) => last = transcript,
        }
    });
    let ms = super::ms_since(began);
    deliver(reports, EarReport { id, what: Recognised::Done(done.map(|()| last), ms) }, &job.stop)
}

/// Hands a report out, waiting for a place unless nobody wants it any more. Fails when the session
/// is gone.
fn deliver<T>(reports: &Sender<T>, report: T, stop: &CancellationToken) -> Result<(), ()> {
    let mut report = report;
    while !stop.is_cancelled() {
        match reports.send_timeout(report, LOOK_EVERY) {
            Ok(()) => return Ok(()),
            Err(SendTimeoutError::Disconnected(_)) => return Err(()),
            Err(SendTimeoutError::Timeout(back)) => report = back,
        }
    }
    Ok(())
}

impl Drop for Ear {
    fn drop(&mut self) {
        (self.jobs, self.reports) = (None, crossbeam_channel::never());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread that speaks.
pub(super) struct Mouth {
    jobs: Option<Sender<Work>>,
    pub(super) reports: Receiver<MouthReport>,
    /// Whether somebody speaks, so that nothing is to be spoken ahead.
    attentive: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

enum Work {
    Say(MouthJob),
    /// Texts with their languages, to be spoken to nobody so that the voices remember them.
    Ahead(VecDeque<(String, String)>),
}

struct MouthJob {
    turn: TurnId,
    text: String,
    language: String,
    began: Instant,
    stop: CancellationToken,
}

/// What became of a text.
pub(super) struct MouthReport {
    pub(super) turn: TurnId,
    pub(super) what: Spoken,
    /// Since it was asked for, in milliseconds.
    pub(super) ms: f64,
}

pub(super) enum Spoken {
    Chunk {
        sample_rate: u32,
        samples: Arc<[f32]>,
    },
    /// The end, with the voice's rate; without a voice there is none.
    Done(Option<u32>, Result<(), TtsError>),
}

impl Mouth {
    pub(super) fn new(mut voices: Voices) -> Self {
        let (jobs, waiting) = bounded::<Work>(JOBS);
        let (sender, reports) = bounded(REPORTS);
        let attentive = Arc::new(AtomicBool::new(false));
        let listens = Arc::clone(&attentive);
        let work = move || mouth(&mut voices, &waiting, &sender, &listens);
        let thread = std::thread::Builder::new().name("synthesis".into()).spawn(work);
        let thread = thread.inspect_err(|error| tracing::error!(%error, "no thread to speak"));
        Self { jobs: Some(jobs), reports, attentive, thread: thread.ok() }
    }

    /// Has texts, each with its language, spoken to nobody when nobody has wanted anything for a while.
    pub(super) fn speak_ahead(&self, texts: VecDeque<(String, String)>) {
        if let Some(jobs) = &self.jobs {
            // Without a place there is better to do.
            let _ = jobs.try_send(Work::Ahead(texts));
        }
    }

    /// Tells whether somebody speaks.
    pub(super) fn attend(&self, speaks: bool) {
        self.attentive.store(speaks, Ordering::Relaxed);
    }

    /// Has a text spoken; `stop` gives it up. False when that cannot be.
    pub(super) fn speak(
        &self,
        turn: TurnId,
        text: &str,
        language: &str,
        stop: CancellationToken,
    ) -> bool {
        let job = MouthJob {
            turn,
            text: text.to_owned(),
            language: language.to_owned(),
            began: Instant::now(),
            stop,
        };
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(Work::Say(job)).is_ok())
    }
}

/// The work of the thread that speaks.
fn mouth(
    voices: &mut Voices,
    waiting: &Receiver<Work>,
    reports: &Sender<MouthReport>,
    attentive: &AtomicBool,
) {
    let mut idle = Idle::new();
    let mut texts: VecDeque<(String, String)> = VecDeque::new();
    loop {
        let next = match texts.is_empty() {
            true => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => waiting.recv_timeout(ahead::LOOK_EVERY),
        };
        match next {
            Ok(Work::Say(job)) => {
                if !job.stop.is_cancelled() && speak(voices, &job, reports).is_err() {
                    break;
                }
                idle.disturbed();
            }
            Ok(Work::Ahead(more)) => texts = more,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout)
                if idle.long_enough(attentive.load(Ordering::Relaxed)) =>
            {
                let Some((language, text)) = texts.pop_front() else { continue };
                if let Some(voice) = voices.for_language(&language) {
                    warm(voice, [text.as_str()], &|| !waiting.is_empty());
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn speak(voices: &mut Voices, job: &MouthJob, reports: &Sender<MouthReport>) -> Result<(), ()> {
    let report = |what| MouthReport { turn: job.turn, what, ms: super::ms_since(job.began) };
    let mut gone = Ok(());
    let (rate, done) = match voices.for_language(&job.language) {
        None => (None, Ok(())),
        Some(voice) => {
            let sample_rate = voice.sample_rate();
            let done = voice.speak(&job.text, &mut |chunk| {
                let samples = Arc::from(chunk);
                gone = deliver(reports, report(Spoken::Chunk { sample_rate, samples }), &job.stop);
                match job.stop.is_cancelled() || gone.is_err() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            (Some(sample_rate), done)
        }
    };
    gone?;
    deliver(reports, report(Spoken::Done(rate, done)), &job.stop)
}

impl Drop for Mouth {
    fn drop(&mut self) {
        (self.jobs, self.reports) = (None, crossbeam_channel::never());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::tts::Synthesizer;

    /// Writes down what it is to say.
    struct Scribe(Arc<Mutex<Vec<String>>>);

    impl Synthesizer for Scribe {
        fn sample_rate(&self) -> u32 {
            16_000
        }
        fn speak(
            &mut self,
            text: &str,
            _: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
        ) -> Result<(), TtsError> {
            self.0.lock().unwrap().push(text.to_owned());
            Ok(())
        }
    }

    #[test]
    fn answers_are_spoken_ahead_only_while_nobody_speaks() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let voices = Voices::none().with("en", Box::new(Scribe(Arc::clone(&said))));
        let mouth = Mouth::new(voices);
        mouth.attend(true);
        let text = |text: &str| ("en".to_owned(), text.to_owned());
        mouth.speak_ahead([text("Opened."), text("Closed.")].into());
        std::thread::sleep(ahead::QUIET + 2 * ahead::LOOK_EVERY);
        assert!(said.lock().unwrap().is_empty());
        // A job goes before, and puts the rest off.
        mouth.attend(false);
        assert!(mouth.speak(TurnId(1), "Now.", "en", CancellationToken::new()));
        let began = Instant::now();
        while said.lock().unwrap().len() < 3 && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(ahead::LOOK_EVERY);
        }
        assert!(began.elapsed() >= ahead::QUIET);
        assert_eq!(*said.lock().unwrap(), ["Now.", "Opened.", "Closed."]);
    }
}
