//! The shared voices.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::super::EngineError;
use super::HandleError;
use crate::tts::Synthesizer;
use crate::tts::TtsError;
use crate::tts::clauses;

const WHAT: &str = "voices";
/// When it is worth asking again.
const A_MOMENT: Duration = Duration::from_secs(1);
/// Pieces of speech that can wait to be fetched.
const PIECES: usize = 512;
/// Pieces that are made ahead of who fetches them; the next part of a text makes fewer than what is left. Whoever takes
/// them at the speed of speech gets the longest text, and others are spoken to meanwhile.
const AHEAD: usize = 256;
/// How soon it is looked again whether somebody wants more.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Voices that are kept open; the one that was silent longest makes room.
const OPEN_VOICES: usize = 6;
/// Characters of text that are spoken before it is another's turn.
const TURN: usize = 160;

/// Opens a voice by its id in the catalogue.
pub type OpenVoice =
    Box<dyn FnMut(&str) -> Result<Box<dyn Synthesizer>, EngineError> + Send + 'static>;

struct Job {
    voice: Arc<str>,
    speed: f32,
    /// What is still to be spoken, each with the silence in milliseconds that goes before it.
    parts: VecDeque<(u32, String)>,
    stop: CancellationToken,
    out: Sender<Result<SoundChunk, HandleError>>,
    _seat: OwnedSemaphorePermit,
}

/// A piece of speech.
#[derive(Debug, Clone, PartialEq)]
pub struct SoundChunk {
    /// Hz.
    pub sample_rate: u32,
    /// Mono, −1 to 1.
    pub samples: Arc<[f32]>,
}

/// The voices that many sessions share: one thread, which opens a voice when it is first asked for.
///
/// Long texts are spoken a part at a time, in turn with others, so that a short reply does not wait for
/// the end of a book.
///
/// ```
/// use std::ops::ControlFlow;
/// use hearken::session::TtsHandle;
/// use hearken::tts::{Synthesizer, TtsError};
///
/// struct Click;
/// impl Synthesizer for Click {
///     fn sample_rate(&self) -> u32 { 8_000 }
///     fn speak(&mut self, _: &str, out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>) -> Result<(), TtsError> {
///         let _ = out(&[0.5; 80]);
///         Ok(())
///     }
/// }
///
/// let voices = TtsHandle::spawn(Box::new(|_id| Ok(Box::new(Click) as Box<dyn Synthesizer>)), 4)?;
/// let mut sound = voices.speak("click", 1.0, "Hello.")?;
/// let chunk = sound.wait().ok_or("no sound")??;
/// assert_eq!((chunk.sample_rate, chunk.samples.len()), (8_000, 80));
/// assert!(sound.wait().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TtsHandle {
    jobs: Sender<Job>,
    seats: Arc<Semaphore>,
    most: usize,
}

impl TtsHandle {
    /// Starts the voices' thread. `queue` texts are taken at once.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(open: OpenVoice, queue: usize) -> Result<Self, EngineError> {
        let most = queue.max(1);
        let (jobs, waiting) = mpsc::channel(most);
        super::spawn("voices", move || Voices { open, opened: Vec::new() }.run(waiting))?;
        Ok(Self { jobs, seats: Arc::new(Semaphore::new(most)), most })
    }

    /// Has a text spoken by a voice, `speed` times as fast as it speaks by itself (0.25 to 4).
    ///
    /// # Errors
    /// [`HandleError::Busy`] when too many texts are being spoken, [`HandleError::Gone`] when the
    /// thread has ended. What else can fail comes with the sound.
    pub fn speak(&self, voice: &str, speed: f32, text: &str) -> Result<Sound, HandleError> {
        let busy = || HandleError::Busy { what: WHAT, waiting: self.most, wait: A_MOMENT };
        let seat = Arc::clone(&self.seats).try_acquire_owned().map_err(|_| busy())?;
        let (out, chunks) = mpsc::channel(PIECES);
        let stop = CancellationToken::new();
        let (parts, voice) = (parts(text, speed), voice.into());
        let job = Job { voice, speed, parts, stop: stop.clone(), out, _seat: seat };
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => busy(),
            mpsc::error::TrySendError::Closed(_) => HandleError::Gone { what: WHAT },
        })?;
        Ok(Sound { chunks, stop: stop.drop_guard() })
    }

    /// One of the voices as a [`Synthesizer`] for a session. `sample_rate` is the voice's own, in Hz.
    #[must_use]
    pub fn voice(&self, id: &str, sample_rate: u32) -> SharedVoice {
        SharedVoice { voices: self.clone(), id: id.into(), sample_rate, speed: 1.0 }
    }

    /// How many texts are being spoken, and how many may.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.most - self.seats.available_permits(), self.most)
    }

    /// Whether the thread still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.jobs.is_closed()
    }
}

/// Cuts a text into what is spoken in one turn, at the ends of clauses.
fn parts(text: &str, speed: f32) -> VecDeque<(u32, String)> {
    if text.chars().take(TURN + 1).count() <= TURN {
        return VecDeque::from([(0, text.to_owned())]);
    }
    let (mut parts, mut part, mut chars) = (VecDeque::new(), String::new(), 0);
    let (mut gap, mut pause) = (0, 0);
    for clause in clauses(text) {
        let more = clause.text.chars().count();
        if chars > 0 && chars + more > TURN {
            parts.push_back((gap, std::mem::take(&mut part)));
            (gap, chars) = ((pause as f32 / speed.clamp(0.25, 4.0)) as u32, 0);
        }
        // Clauses come without the blanks between them.
        if !part.is_empty() && part.ends_with(|c: char| c.is_ascii()) {
            part.push(' ');
        }
        part.push_str(&clause.text);
        chars += more;
        pause = clause.pause_ms;
    }
    if !part.is_empty() {
        parts.push_back((gap, part));
    }
    parts
}

/// What the thread owns.
struct Voices {
    open: OpenVoice,
    /// The voice used last stands last.
    opened: Vec<(Arc<str>, Box<dyn Synthesizer>)>,
}

impl Voices {
    fn run(mut self, mut waiting: Receiver<Job>) {
        let mut turns: VecDeque<Job> = VecDeque::new();
        loop {
            if turns.is_empty() {
                match waiting.blocking_recv() {
                    Some(job) => turns.push_back(job),
                    None => return,
                }
            }
            // Those that came meanwhile have not been served at all: they go first.
            while let Ok(job) = waiting.try_recv() {
                turns.push_front(job);
            }
            turns.retain(|job| !job.stop.is_cancelled() && !job.out.is_closed());
            let hungry = turns.iter().position(|job| PIECES - job.out.capacity() <= AHEAD);
            let Some(mut job) = hungry.and_then(|at| turns.remove(at)) else {
                if !turns.is_empty() {
                    std::thread::sleep(LOOK_AGAIN);
                }
                continue;
            };
            match self.turn(&mut job) {
                Ok(()) if job.parts.is_empty() => {}
                Ok(()) => turns.push_back(job),
                Err(error) => {
                    let _ = job.out.try_send(Err(error));
                }
            }
        }
    }

    /// Speaks the next part of a job.
    fn turn(&mut self, job: &mut Job) -> Result<(), HandleError> {
        let Some((gap, text)) = job.parts.pop_front() else { return Ok(()) };
        let voice = self.voice(&job.voice)?;
        voice.set_speed(job.speed);
        let sample_rate = voice.sample_rate();
        let mut silence = gap as usize * sample_rate as usize / 1000;
        let mut slow = false;
        let spoken = voice.speak(&text, &mut |chunk| {
            if job.stop.is_cancelled() {
                return ControlFlow::Break(());
            }
            let samples = match std::mem::take(&mut silence) {
                0 => Arc::from(chunk),
                n => [vec![0.0; n].as_slice(), chunk].concat().into(),
            };
            // One place stays free for an error.
            if job.out.capacity() < 2 {
                slow = true;
                return ControlFlow::Break(());
            }
            match job.out.try_send(Ok(SoundChunk { sample_rate, samples })) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        match (spoken, slow) {
            (_, true) => Err(HandleError::TooSlow { pieces: PIECES - 1 }),
            // In a long text a part without sound (a table's rule) is nothing to stop at.
            (Err(TtsError::Unspeakable { .. }), _) if !job.parts.is_empty() || gap > 0 => Ok(()),
            (spoken, false) => Ok(spoken?),
        }
    }

    fn voice(&mut self, id: &Arc<str>) -> Result<&mut Box<dyn Synthesizer>, HandleError> {
        let known = self.opened.iter().position(|(known, _)| known == id);
        let entry = match known {
            Some(at) => self.opened.remove(at),
            None => (Arc::clone(id), (self.open)(id)?),
        };
        if self.opened.len() >= OPEN_VOICES {
            self.opened.remove(0);
        }
        self.opened.push(entry);
        let last = self.opened.len() - 1;
        Ok(&mut self.opened[last].1)
    }
}

/// A text that is being spoken. Dropping it stops the voice.
#[derive(Debug)]
pub struct Sound {
    chunks: Receiver<Result<SoundChunk, HandleError>>,
    stop: DropGuard,
}

impl Sound {
    /// The next piece; `None` after the last one, an error, or a stop.
    pub async fn next(&mut self) -> Option<Result<SoundChunk, HandleError>> {
        let next = self.chunks.recv().await;
        self.note(next)
    }

    /// The same for a thread that may wait; not for use inside an asynchronous task.
    pub fn wait(&mut self) -> Option<Result<SoundChunk, HandleError>> {
        let next = self.chunks.blocking_recv();
        self.note(next)
    }

    fn note(
        &mut self,
        next: Option<Result<SoundChunk, HandleError>>,
    ) -> Option<Result<SoundChunk, HandleError>> {
        if matches!(next, Some(Err(_))) {
            self.chunks.close();
        }
        next
    }

    /// Stops the voice soon.
    pub fn stop(&self) {
        self.stop.token().cancel();
    }
}

/// One of the shared voices, as a session uses it.
#[derive(Debug, Clone)]
pub struct SharedVoice {
    voices: TtsHandle,
    id: Arc<str>,
    sample_rate: u32,
    speed: f32,
}

impl Synthesizer for SharedVoice {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn set_speed(&mut self, speed: f32) {
        self.speed = speed;
    }

    fn speak(
        &mut self,
        sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        let failed = |error: HandleError| match error {
            HandleError::Tts(error) => error,
            HandleError::Busy { waiting, .. } => TtsError::Busy { waiting },
            other => TtsError::Engine { voice: self.id.to_string(), reason: other.to_string() },
        };
        let mut sound = self.voices.speak(&self.id, self.speed, sentence).map_err(failed)?;
        while let Some(chunk) = sound.wait() {
            if out(&chunk.map_err(failed)?.samples).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    type Said = Arc<Mutex<Vec<String>>>;

    /// A second at 100 Hz for every text, once it is let.
    struct Hum {
        id: String,
        said: Said,
        speed: f32,
        gate: Option<std::sync::mpsc::Receiver<()>>,
    }

    impl Synthesizer for Hum {
        fn sample_rate(&self) -> u32 {
            100
        }
        fn set_speed(&mut self, speed: f32) {
            self.speed = speed;
        }
        fn speak(
            &mut self,
            text: &str,
            out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
        ) -> Result<(), TtsError> {
            if let Some(gate) = &self.gate {
                let _ = gate.recv();
            }
            self.said.lock().unwrap().push(format!("{} ×{}: {text}", self.id, self.speed));
            if text == "broken" {
                return Err(TtsError::Engine { voice: self.id.clone(), reason: "torn".into() });
            }
            let _ = out(&[0.1; 100]);
            Ok(())
        }
    }

    fn voices(
        queue: usize,
        gate: Option<std::sync::mpsc::Receiver<()>>,
    ) -> (TtsHandle, Said, Arc<Mutex<Vec<String>>>) {
        let (said, opened) = (Said::default(), Said::default());
        let (say, open) = (Arc::clone(&said), Arc::clone(&opened));
        let mut gate = gate;
        let open: OpenVoice = Box::new(move |id| {
            if id == "nobody" {
                return Err(EngineError::NoVoice { id: id.to_owned() });
            }
            open.lock().unwrap().push(id.to_owned());
            let said = Arc::clone(&say);
            Ok(Box::new(Hum { id: id.to_owned(), said, speed: 1.0, gate: gate.take() }))
        });
        (TtsHandle::spawn(open, queue).unwrap(), said, opened)
    }

    fn samples(sound: &mut Sound) -> usize {
        std::iter::from_fn(|| sound.wait()).map(|chunk| chunk.unwrap().samples.len()).sum()
    }

    #[test]
    fn a_voice_is_opened_once_and_spoken_at_the_speed_asked() {
        let (handle, said, opened) = voices(4, None);
        assert_eq!(samples(&mut handle.speak("a", 1.0, "one").unwrap()), 100);
        assert_eq!(samples(&mut handle.speak("a", 2.0, "two").unwrap()), 100);
        let mut shared = handle.voice("a", 100);
        shared.set_speed(0.5);
        let mut count = 0;
        shared
            .speak("three", &mut |chunk| {
                count += chunk.len();
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!((count, shared.sample_rate()), (100, 100));
        assert_eq!(*said.lock().unwrap(), ["a ×1: one", "a ×2: two", "a ×0.5: three"]);
        assert_eq!(*opened.lock().unwrap(), ["a"]);
    }

    #[test]
    fn failures_come_with_the_sound_and_the_thread_goes_on() {
        let (handle, ..) = voices(4, None);
        let mut sound = handle.speak("nobody", 1.0, "x").unwrap();
        assert!(sound.wait().unwrap().unwrap_err().to_string().contains("nobody is no voice"));
        assert!(sound.wait().is_none());
        let mut sound = handle.speak("a", 1.0, "broken").unwrap();
        assert!(sound.wait().unwrap().unwrap_err().to_string().contains("torn"));
        assert!(
            handle.voice("a", 100).speak("broken", &mut |_| ControlFlow::Continue(())).is_err()
        );
        assert_eq!(samples(&mut handle.speak("a", 1.0, "x").unwrap()), 100);
    }

    #[test]
    fn a_short_text_does_not_wait_for_a_long_one_and_too_many_are_busy() {
        let (go, gate) = std::sync::mpsc::channel();
        let (handle, said, _) = voices(2, Some(gate));
        let long = "The first sentence of a long text goes on for a while. ".repeat(12);
        let mut book = handle.speak("a", 1.0, &long).unwrap();
        let mut short = handle.speak("a", 1.0, "Yes.").unwrap();
        let busy = handle.speak("a", 1.0, "No.").unwrap_err();
        assert!(
            busy.is_retryable() && busy.to_string().contains("voices are busy")
                || busy.to_string().contains("busy: 2"),
            "{busy}"
        );
        drop(go);
        assert_eq!(samples(&mut short), 100);
        assert!(samples(&mut book) > 300);
        let said = said.lock().unwrap();
        let at = said.iter().position(|text| text.ends_with("Yes.")).unwrap();
        assert!(at <= 1, "{said:?}");
        let whole: String = said.iter().filter(|t| !t.ends_with("Yes.")).map(|t| &t[6..]).collect();
        assert_eq!(whole.matches("first sentence").count(), 12);
        drop(said);
        while handle.load().0 > 0 {
            std::thread::yield_now();
        }
        assert_eq!(samples(&mut handle.speak("a", 1.0, "No.").unwrap()), 100);
    }

    #[test]
    fn a_dropped_text_is_not_spoken_on() {
        let (go, gate) = std::sync::mpsc::channel();
        let (handle, said, _) = voices(4, Some(gate));
        let long = "The first sentence of a long text goes on for a while. ".repeat(12);
        drop(handle.speak("a", 1.0, &long).unwrap());
        drop(go);
        assert_eq!(samples(&mut handle.speak("a", 1.0, "Yes.").unwrap()), 100);
        assert!(said.lock().unwrap().len() <= 2);
    }

    #[test]
    fn a_text_is_cut_between_clauses_with_their_pauses() {
        let text = "灯开了。".repeat(60);
        let cut = parts(&text, 2.0);
        assert!(cut.len() > 1);
        assert_eq!(cut.iter().map(|(_, part)| part.as_str()).collect::<String>(), text);
        assert_eq!(cut[0].0, 0);
        assert_eq!(cut[1].0, 190);
        assert_eq!(parts("Short. Text", 1.0), [(0, "Short. Text".to_owned())]);
    }

    #[test]
    fn the_longest_text_reaches_who_takes_it_slowly() {
        let (handle, said, _) = voices(4, None);
        let book = format!("{}.", "a".repeat(TURN)).repeat(2 * PIECES);
        let mut slow = handle.speak("a", 1.0, &book).unwrap();
        let made = || said.lock().unwrap().len();
        while made() < AHEAD {
            std::thread::sleep(LOOK_AGAIN);
        }
        // Nobody else waits for that.
        assert_eq!(samples(&mut handle.speak("a", 1.0, "short").unwrap()), 100);
        assert!(made() < AHEAD + 10, "no more is made than is fetched");
        assert!(samples(&mut slow) >= 2 * PIECES * 100);
    }
}
