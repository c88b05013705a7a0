//! One conversation: the wiring of the stages.
//!
//! A [`Session`] takes frames and gives [`Event`]s; it is the same whether the frames come from a
//! file, the microphone or a socket. What is slow happens in two threads of its own, `recognition` and
//! `synthesis`; every decision is taken by the time of the frames, so that it does not depend on how
//! long they take. [`push`](Session::push) and [`hear`](Session::hear) wait for them, so a file goes as
//! fast as the CPU runs; [`converse`](Session::converse) is the live conversation, which waits for
//! nobody and can be interrupted.

mod ahead;
mod answer;
mod domain;
mod engines;
mod event;
mod grammar;
mod handles;
mod listen;

mod live;
mod local;
mod shared;
mod stabilise;
mod trace;
mod transcribe;
mod turn;
mod workers;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crossbeam_channel::select;
use serde::{Deserialize, Serialize};

use crate::asr::AsrError;
use crate::asr::Recognizer;
use crate::asr::Transcript;
use crate::audio::AudioError;
use crate::audio::FRAME_SAMPLES;
use crate::audio::Frame;
use crate::audio::Framer;
use crate::audio::SAMPLE_RATE;
use crate::audio::SampleTime;
use crate::audio::Source;
use crate::detect::Endpointer;
use crate::detect::Floor;
use crate::detect::Heard;
use crate::detect::TurnDetector;
use crate::detect::VoiceDetector;
use crate::dialogue::Completeness;
use crate::tts::Synthesizer;

use answer::Answer;
use stabilise::Stabiliser;
use workers::{Ear, EarReport, Hearing, Mouth, Recognised};

pub use answer::Exchange;
pub use domain::{Command, DomainRecognizer};
pub use engines::{EngineError, Engines};
pub use event::{Event, Speech, TurnId};
pub use grammar::{grammar_of, sure_of};
pub use handles::{
    AsrHandle, DialogueGuard, DialogueHandle, HandleError, OpenVoice, Recognition, SharedVoice,
    Sound, SoundChunk, TtsHandle,
};
pub use listen::{Listened, Listener};
pub use live::{Input, Order};
pub use local::Devices;
pub use shared::{Shared, VoiceInfo};
pub use trace::{Note, Record, Recorder, TakeNote, TraceError};
pub use transcribe::{FileTranscript, Score, transcribe_source};

/// Settings of this room, `[session]` in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether who speaks while a reply is heard interrupts it.
    pub barge_in: bool,
    /// How often what was said so far is recognised while one speaks, in milliseconds; 0 is never.
    /// Costs computing time, and on few cores some of the answer's speed.
    pub partial_ms: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { barge_in: true, partial_ms: 0 }
    }
}

impl Config {
    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        match self.partial_ms {
            0 | 200..=10_000 => Vec::new(),
            ms => vec![format!(
                "session.partial_ms: {ms} is outside 200 to 10000 milliseconds; 0 turns partial results off"
            )],
        }
    }
}

/// Who knows how much of a reply was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Playback {
    /// Nobody: a reply counts as heard once it is made, and cannot be interrupted.
    Unknown,
    /// It is played as it comes, at its own speed: the frames tell the time.
    Clocked,
    /// The playback reports, through [`Order::Played`].
    Reported,
}

/// The voices of the house, one a language.
pub struct Voices {
    by_language: Vec<(String, Box<dyn Synthesizer>)>,
}

impl Voices {
    /// No voice: replies stay text.
    #[must_use]
    pub fn none() -> Self {
        Self { by_language: Vec::new() }
    }

    /// Adds the voice for a language (`en`, `zh`); the first one also speaks what no other does.
    #[must_use]
    pub fn with(mut self, language: &str, voice: Box<dyn Synthesizer>) -> Self {
        self.by_language.push((language.to_owned(), voice));
        self
    }

    /// The voice that speaks `language`, if need be that of another region.
    pub fn for_language(&mut self, language: &str) -> Option<&mut dyn Synthesizer> {
        let base = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_owned();
        let exact = self.by_language.iter().position(|(l, _)| l == language);
        let near = || self.by_language.iter().position(|(l, _)| base(l) == base(language));
        let at = exact.or_else(near).unwrap_or(0);
        self.by_language.get_mut(at).map(|(_, voice)| &mut **voice as &mut dyn Synthesizer)
    }
}

/// What a session is wired from.
pub struct Stages {
    /// Says where there is speech.
    pub detector: Box<dyn VoiceDetector>,
    /// Says where utterances begin and end.
    pub endpointer: Endpointer,
    /// Says whether who pauses has finished; without it silence alone tells.
    pub turns: Option<Box<dyn TurnDetector>>,
    /// Says what was said.
    pub recognizer: Box<dyn Recognizer>,
    /// Understands, acts and answers; perhaps in a home that others talk to as well.
    pub dialogue: DialogueHandle,
    /// Speaks the answers.
    pub voices: Voices,
}

/// A voice that sounds less finished than this goes on even after a complete command.
const SURELY_NOT_FINISHED: f32 = 0.05;

/// How often a held reply looks for words while somebody goes on speaking without a pause.
const WORDS_EVERY: SampleTime = SampleTime::from_ms(600);

/// One conversation.
pub struct Session {
    detector: Box<dyn VoiceDetector>,
    /// None while a record is gone through that knows the room already.
    floor: Option<Floor>,
    endpointer: Endpointer,
    turns: Option<Box<dyn TurnDetector>>,
    silences: Silences,
    dialogue: DialogueHandle,
    ear: Ear,
    mouth: Mouth,
    /// The area of the satellite, for "turn on the light".
    area: Option<String>,
    config: Config,
    playback: Playback,
    /// The turn that was begun last.
    last: TurnId,
    /// The end of the last frame.
    now: SampleTime,
    /// When the pause that lasts was told.
    paused: SampleTime,
    /// How finished the utterance sounded when its pause had settled, if anybody could tell.
    sounds: Option<f32>,
    /// When it was decided that the utterance is over.
    decided: SampleTime,
    /// Whether frames come at their own speed, so that time is worth more than work.
    live: bool,
    utterance: Option<Utterance>,
    /// The sound of the utterance, or of the last one.
    audio: Vec<f32>,
    heard: Vec<Heard>,
    /// What must be known before the next frame.
    waits: Option<Wait>,
    answer: Answer,
    notes: Option<TakeNote>,
    /// Set when somebody asks to leave a live conversation.
    stop: Option<Arc<AtomicBool>>,
}

/// The silences that end utterances, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Silences {
    complete: u32,
    finished: u32,
    hangover: u32,
    open: u32,
}

/// Somebody is speaking.
struct Utterance {
    turn: TurnId,
    /// The recognition of what was said until the pause that lasts.
    trial: Option<Trial>,
    /// The same with a little more of the pause, where the first one made no sense: there is time for
    /// it, and a recogniser that stumbles over a cut often does not over another.
    second: Option<Trial>,
    /// The recognition of what was said so far, while speech goes on.
    partial: Option<Hearing>,
    /// Until where the last partial recognition heard.
    partial_at: SampleTime,
    stabiliser: Stabiliser,
}

/// A recognition that counts if nothing more is said.
struct Trial {
    /// The sound, until it is given to the recogniser.
    audio: Option<Vec<f32>>,
    hearing: Option<Hearing>,
    /// From the end of speech to where the recognition was asked for, in milliseconds.
    after_ms: f64,
    result: Option<Result<Transcript, AsrError>>,
    /// How long it took.
    ms: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// For the words, to know how long to wait in the pause.
    Settled,
    /// For the words of an utterance that is over.
    Stopped(SampleTime),
    /// For words that show whether the reply goes on.
    Words,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("area", &self.area)
            .field("now", &self.now)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session at the beginning of its stream. `area` is where the microphone stands.
    #[must_use]
    pub fn new(stages: Stages, area: Option<String>) -> Self {
        let Stages { detector, endpointer, turns, recognizer, dialogue, voices } = stages;
        let [complete, finished, hangover, open] = endpointer.silences_ms();
        Self {
            detector,
            floor: Some(Floor::new()),
            endpointer,
            turns,
            silences: Silences { complete, finished, hangover, open },
            dialogue,
            ear: Ear::new(recognizer),
            mouth: Mouth::new(voices),
            area,
            config: Config::default(),
            playback: Playback::Unknown,
            last: TurnId(0),
            now: SampleTime(0),
            paused: SampleTime(0),
            sounds: None,
            decided: SampleTime(0),
            live: false,
            utterance: None,
            audio: Vec::new(),
            heard: Vec::new(),
            waits: None,
            answer: Answer::default(),
            notes: None,
            stop: None,
        }
    }

    /// The same with somebody who takes notes of everything that decides.
    #[must_use]
    pub fn with_notes(mut self, notes: TakeNote) -> Self {
        self.notes = Some(notes);
        self
    }

    fn note(&mut self, note: impl FnOnce() -> Note) {
        if let Some(take) = &mut self.notes {
            take(&note(), &[]);
        }
    }

    /// The same with other settings.
    #[must_use]
    pub fn with_config(mut self, config: &Config) -> Self {
        self.config = config.clone();
        self
    }

    /// The same with replies that are played: they can be interrupted, and
    /// [`Event::PlaybackFinished`] tells what was heard of them.
    #[must_use]
    pub fn with_playback(mut self, playback: Playback) -> Self {
        self.playback = playback;
        self
    }

    /// Takes the next frame, waits for whatever it gives rise to, and tells what came of it.
    pub fn push(&mut self, frame: &Frame, out: &mut dyn FnMut(Event)) {
        self.step(frame, out);
        self.settle(out);
    }

    /// Ends the stream: an utterance that is still open is taken as complete.
    pub fn finish(&mut self, out: &mut dyn FnMut(Event)) {
        self.end(out);
        self.settle(out);
    }

    /// Takes all of a source, as fast as it gives and the CPU runs, and ends the stream.
    ///
    /// # Errors
    /// When the source cannot be read further; what was heard until then was answered.
    pub fn hear(
        &mut self,
        source: &mut dyn Source,
        out: &mut dyn FnMut(Event),
    ) -> Result<(), AudioError> {
        // Time goes on from source to source; a device's does too.
        let (mut framer, mut chunk) = (Framer::at(self.now), Vec::new());
        let read = loop {
            chunk.clear();
            match source.read(&mut chunk) {
                Ok(0) => break Ok(()),
                Ok(_) => framer.push(&chunk, |frame| self.push(&frame, out)),
                Err(error) => break Err(error),
            }
        };
        framer.finish(|frame| self.push(&frame, out));
        self.finish(out);
        read
    }

    /// Has the voices speak what the home is likely to answer in these languages, to nobody and while
    /// nobody talks, so that voices that remember ([`crate::tts::Cached`]) start at once when it is needed.
    pub fn speak_ahead<'l>(&self, languages: impl Iterator<Item = &'l str>) {
        self.mouth.speak_ahead(ahead::likely(&self.dialogue, languages));
    }

    /// The dialogue with its home.
    pub fn dialogue(&self) -> DialogueGuard<'_> {
        self.dialogue.lock()
    }

    /// Forgets what the detector heard, after a gap in the stream.
    pub fn reset_detector(&mut self) {
        self.detector.reset();
    }

    /// Waits until nothing is under way.
    fn settle(&mut self, out: &mut dyn FnMut(Event)) {
        let partial = |u: &Option<Utterance>| u.as_ref().is_some_and(|u| u.partial.is_some());
        while self.waits.is_some() || self.answer.is_being_made() || partial(&self.utterance) {
            let (ear, mouth) = (self.ear.reports.clone(), self.mouth.reports.clone());
            select! {
                recv(ear) -> report => match report {
                    Ok(report) => self.recognised(report, out),
                    Err(_) => self.ear_is_gone(out),
                },
                recv(mouth) -> report => match report {
                    Ok(report) => self.spoken(report, out),
                    Err(_) => self.mouth_is_gone(out),
                },
            }
        }
    }

    /// Takes a frame. Must not be called while something has to be known first.
    fn step(&mut self, frame: &Frame, out: &mut dyn FnMut(Event)) {
        self.now = frame.at + FRAME_SAMPLES as u64;
        self.decided = self.now;
        self.clock_reply();
        let vad = self.detector.push(frame);
        let speaking = self.endpointer.is_speaking();
        let worth = self.floor.as_mut().map_or(vad, |floor| floor.push(frame, vad, speaking));
        if let Some(take) = &mut self.notes {
            take(&Note::Frame { at: frame.at, vad, worth }, &frame.samples);
        }
        let heard = &mut self.heard;
        self.endpointer.push(frame, worth, &mut |h| heard.push(h));
        self.take_heard(out);
        self.mouth.attend(self.endpointer.is_speaking());
        self.ask_for_words();
        self.mind_reply(out);
    }

    fn end(&mut self, out: &mut dyn FnMut(Event)) {
        let heard = &mut self.heard;
        self.endpointer.finish(&mut |h| heard.push(h));
        // The stream's end is the decision, so the endpoint costs nothing.
        if let Some(Heard::Stopped(at)) = heard.last() {
            self.decided = *at;
        }
        self.take_heard(out);
    }

    fn take_heard(&mut self, out: &mut dyn FnMut(Event)) {
        for heard in std::mem::take(&mut self.heard) {
            match heard {
                Heard::Started(at) => self.started(at, out),
                // The endpointer's longest utterance bounds this.
                Heard::Audio(frame) => self.audio.extend_from_slice(&frame.samples),
                Heard::Paused(at) => {
                    self.try_out(at);
                    // Whoever waits for the result anyhow waits until the pause has settled: most
                    // pauses do not.
                    if self.live {
                        self.start_trial();
                    }
                }
                Heard::Settled(_) => {
                    self.start_trial();
                    // While the words are still being recognised.
                    self.sounds = self.turns.as_mut().and_then(|turns| turns.finished(&self.audio));
                    self.waits = Some(Wait::Settled);
                    self.go_on(out);
                }
                Heard::Resumed(_) => {
                    if let Some(utterance) = &mut self.utterance {
                        (utterance.trial, utterance.second) = (None, None);
                    }
                }
                Heard::Stopped(at) => {
                    if self.utterance.as_ref().is_some_and(|u| u.trial.is_none()) {
                        self.try_out(at);
                    }
                    self.start_trial();
                    // A timer may have rung since the utterance began, in a turn of its own.
                    let turn = self.utterance.as_ref().map_or(self.last, |own| own.turn);
                    out(Event::SpeechStopped { turn, at });
                    self.waits = Some(Wait::Stopped(at));
                    self.go_on(out);
                }
            }
        }
    }

    fn started(&mut self, at: SampleTime, out: &mut dyn FnMut(Event)) {
        self.last.0 += 1;
        self.audio.clear();
        let turn = self.last;
        self.utterance = Some(Utterance {
            turn,
            trial: None,
            second: None,
            partial: None,
            partial_at: at,
            stabiliser: Stabiliser::default(),
        });
        out(Event::SpeechStarted { turn, at });
        self.hold_reply(out);
    }

    /// Keeps what was said so far, as if it were all. `end` is where the speech ended.
    fn try_out(&mut self, end: SampleTime) {
        self.paused = self.now;
        if let Some(utterance) = &mut self.utterance {
            // A partial recognition that still runs would only delay this one.
            utterance.partial = None;
            utterance.trial = Some(Trial {
                audio: Some(self.audio.clone()),
                hearing: None,
                after_ms: ms(self.now - end),
                result: None,
                ms: 0.0,
            });
        }
    }

    /// Gives what was kept to the recogniser, once.
    fn start_trial(&mut self) {
        let trial = self.utterance.as_mut().and_then(|utterance| utterance.trial.as_mut());
        let Some(trial) = trial else { return };
        let Some(audio) = trial.audio.take() else { return };
        match self.ear.ask(audio) {
            Ok(hearing) => trial.hearing = Some(hearing),
            Err(error) => trial.result = Some(Err(error)),
        }
    }

    /// Has what was said so far recognised while one speaks, when it is time for it.
    fn ask_for_words(&mut self) {
        let every = match (self.answer.is_held(), self.config.partial_ms) {
            (true, _) => WORDS_EVERY.0,
            (false, 0) => return,
            (false, ms) => SampleTime::from_ms(u64::from(ms)).0,
        };
        let Some(utterance) = &mut self.utterance else { return };
        let idle = utterance.trial.is_none() && utterance.partial.is_none();
        if idle && self.now - utterance.partial_at >= every {
            // A recognition that cannot be had now is not needed later.
            utterance.partial = self.ear.ask_so_far(self.audio.clone()).ok();
            utterance.partial_at = self.now;
        }
    }

    /// Takes what the recogniser says.
    fn recognised(&mut self, report: EarReport, out: &mut dyn FnMut(Event)) {
        let Some(utterance) = &mut self.utterance else { return };
        let turn = utterance.turn;
        let is = |hearing: &Option<Hearing>| hearing.as_ref().is_some_and(|h| h.id == report.id);
        let trials = [&utterance.trial, &utterance.second].into_iter().flatten();
        let trials = trials.filter_map(|trial| trial.hearing.as_ref());
        let wanted = trials.chain(utterance.partial.as_ref());
        let samples = wanted.filter(|h| h.id == report.id).map(|h| h.samples).next();
        if let (Some(samples), Recognised::Done(done, ms)) = (samples, &report.what)
            && let Some(take) = &mut self.notes
        {
            let transcript = done.as_ref().ok().cloned();
            take(&Note::Recognised { samples, ms: *ms, transcript }, &[]);
        }
        if is(&utterance.partial) {
            let Recognised::Done(done, _) = report.what else { return };
            utterance.partial = None;
            if let Ok(transcript) = done {
                let stable = utterance.stabiliser.push(&transcript.text);
                self.weigh(&transcript, false, out);
                if !transcript.text.is_empty() {
                    out(Event::Partial { turn, transcript, stable });
                }
            }
            self.go_on(out);
            return;
        }
        if let Some(second) = utterance.second.as_mut().filter(|trial| is(&trial.hearing)) {
            if let Recognised::Done(mut result, ms) = report.what {
                grammar::settle(&mut result, &mut self.dialogue, self.area.as_deref());
                (second.result, second.ms) = (Some(result), ms);
                self.go_on(out);
            }
            return;
        }
        let Some(trial) = utterance.trial.as_mut().filter(|trial| is(&trial.hearing)) else {
            return;
        };
        match report.what {
            Recognised::Partial(transcript) => {
                let stable = utterance.stabiliser.push(&transcript.text);
                out(Event::Partial { turn, transcript, stable });
            }
            Recognised::Done(mut result, ms) => {
                grammar::settle(&mut result, &mut self.dialogue, self.area.as_deref());
                let words = result.as_ref().ok().cloned();
                (trial.result, trial.ms) = (Some(result), ms);
                // While it is still waited whether more will come, these are the words so far.
                let asked = self.config.partial_ms > 0;
                if let Some(transcript) = words.clone().filter(|own| asked && !own.text.is_empty())
                {
                    let stable = utterance.stabiliser.push(&transcript.text);
                    out(Event::Partial { turn, transcript, stable });
                }
                if let Some(words) = words {
                    self.weigh(&words, false, out);
                }
                self.go_on(out);
            }
        }
    }

    /// Goes on with what had to wait, if it is known now.
    fn go_on(&mut self, out: &mut dyn FnMut(Event)) {
        let Some(wait) = self.waits else { return };
        let utterance = self.utterance.as_ref();
        let trial = utterance.and_then(|utterance| utterance.trial.as_ref());
        match wait {
            Wait::Words => {
                let pending = utterance.is_some_and(|u| u.partial.is_some())
                    || trial.is_some_and(|trial| trial.result.is_none());
                if !pending {
                    self.waits = None;
                    self.mind_reply(out);
                }
            }
            Wait::Settled => {
                let Some(result) = trial.and_then(|trial| trial.result.as_ref()) else { return };
                self.waits = None;
                let words = result.as_ref().ok().cloned().unwrap_or_default();
                let (sense, silence) = self.silence_after(&words);
                if sense == Completeness::Unknown {
                    self.try_again();
                }
                let heard = &mut self.heard;
                self.endpointer.wait_for(silence, &mut |h| heard.push(h));
                self.take_heard(out);
            }
            Wait::Stopped(end) => {
                let second = utterance.and_then(|utterance| utterance.second.as_ref());
                if [trial, second].into_iter().flatten().any(|trial| trial.result.is_none()) {
                    return;
                }
                self.waits = None;
                let Some(utterance) = self.utterance.take() else { return };
                let (trial, second) = (utterance.trial, utterance.second);
                let best = trial.map(|trial| self.better(trial, second));
                if let Some(Trial { result: Some(result), after_ms, ms, .. }) = best {
                    let endpoint_delay = self::ms(self.decided - end);
                    // What was recognised before the decision took no time of the user's.
                    let waited = (after_ms.min(endpoint_delay) + ms - endpoint_delay).max(0.0);
                    let delays = answer::Delays { endpoint: endpoint_delay, waited, work: ms };
                    self.answer_utterance(utterance.turn, result, delays, out);
                }
            }
        }
    }

    /// How much silence ends an utterance of these words.
    fn silence_after(&mut self, transcript: &Transcript) -> (Completeness, u32) {
        let Transcript { text, language, .. } = transcript;
        let silences = self.silences;
        let words = self.dialogue.completeness(text, language, self.area.as_deref());
        // The words alone do not tell whether more will come: "turn on the lights … in the kitchen".
        let sounds = self.sounds.filter(|_| words != Completeness::Open);
        let silence_ms = match (words, sounds) {
            (Completeness::Open, _) => silences.open,
            (Completeness::Complete, Some(finished)) if finished < SURELY_NOT_FINISHED => {
                silences.hangover
            }
            (Completeness::Complete, _) => silences.complete,
            (Completeness::Unknown, Some(finished)) if finished >= 0.5 => silences.finished,
            (Completeness::Unknown, _) => silences.hangover,
        };
        let at = self.now;
        let text = || text.clone();
        self.note(|| Note::Pause { at, text: text(), words, sounds, silence_ms });
        (words, silence_ms)
    }

    /// Has the same utterance recognised once more, with what was heard of the pause since.
    fn try_again(&mut self) {
        let Some(utterance) = &mut self.utterance else { return };
        let Some(trial) = &utterance.trial else { return };
        let after_ms = trial.after_ms + ms(self.now - self.paused);
        if let Ok(hearing) = self.ear.ask(self.audio.clone()) {
            let hearing = Some(hearing);
            utterance.second =
                Some(Trial { audio: None, hearing, after_ms, result: None, ms: 0.0 });
        }
    }

    /// The better of two recognitions of an utterance. What was nothing at first must make sense to
    /// count: a recogniser invents.
    fn better(&mut self, first: Trial, second: Option<Trial>) -> Trial {
        let Some(second) = second else { return first };
        // The recogniser may have been too busy for the first.
        if matches!(first.result, Some(Err(_))) {
            return second;
        }
        let (Some(Ok(a)), Some(Ok(b))) = (&first.result, &second.result) else { return first };
        let area = self.area.as_deref();
        let sense = self.dialogue.completeness(&b.text, &b.language, area);
        let surer = !a.text.is_empty() && !b.text.is_empty() && b.avg_logprob > a.avg_logprob;
        if sense == Completeness::Complete || surer { second } else { first }
    }

    fn ear_is_gone(&mut self, out: &mut dyn FnMut(Event)) {
        // A dead thread reports nothing, so nobody listens for it any more.
        self.ear.reports = crossbeam_channel::never();
        let gone = || AsrError::Engine { step: "answer", reason: "its thread has ended".into() };
        if let Some(utterance) = &mut self.utterance {
            utterance.partial = None;
            let trials = [&mut utterance.trial, &mut utterance.second].into_iter().flatten();
            for trial in trials.filter(|trial| trial.result.is_none()) {
                trial.result = Some(Err(gone()));
            }
        }
        self.go_on(out);
    }
}

fn ms(samples: u64) -> f64 {
    samples as f64 * 1000.0 / f64::from(SAMPLE_RATE)
}

fn ms_since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

/// An error with its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many errors already hold their cause's words.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
