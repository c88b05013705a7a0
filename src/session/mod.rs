//! One conversation: the wiring of the stages.
//!
//! A [`Session`] takes frames and gives [`Event`]s; it is the same whether the frames come from a
//! file, the microphone or a socket. It runs in the thread that pushes: what is slow (recognition,
//! synthesis) happens between two frames, so a file goes as fast as the CPU runs.

mod engines;
mod event;
mod handles;
mod listen;
mod shared;
mod transcribe;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Transcript;
use crate::audio::FRAME_SAMPLES;
use crate::audio::Frame;
use crate::audio::SAMPLE_RATE;
use crate::audio::SampleTime;
use crate::detect::Endpointer;
use crate::detect::Heard;
use crate::detect::VoiceDetector;
use crate::telemetry::TurnTimeline;
use crate::tts::Synthesizer;
use crate::tts::TtsError;

pub use engines::{EngineError, Engines};
pub use event::{Event, Speech, TurnId};
pub use handles::{
    AsrHandle, DialogueGuard, DialogueHandle, HandleError, OpenVoice, Recognition, SharedVoice,
    Sound, SoundChunk, TtsHandle,
};
pub use listen::{Listened, Listener};
pub use shared::{Shared, VoiceInfo, written_language};
pub use transcribe::{FileTranscript, Score, transcribe_source};

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
    /// Says what was said.
    pub recognizer: Box<dyn Recognizer>,
    /// Understands, acts and answers; perhaps in a home that others talk to as well.
    pub dialogue: DialogueHandle,
    /// Speaks the answers.
    pub voices: Voices,
}

/// One conversation.
pub struct Session {
    stages: Stages,
    /// The area of the satellite, for "turn on the light".
    area: Option<String>,
    live: TurnId,
    utterance: Vec<f32>,
    heard: Vec<Heard>,
}

impl Session {
    /// A session at the beginning of its stream. `area` is where the microphone stands.
    #[must_use]
    pub fn new(stages: Stages, area: Option<String>) -> Self {
        Self { stages, area, live: TurnId(0), utterance: Vec::new(), heard: Vec::new() }
    }

    /// Takes the next frame and tells what came of it.
    pub fn push(&mut self, frame: &Frame, out: &mut dyn FnMut(Event)) {
        let probability = self.stages.detector.push(frame);
        let heard = &mut self.heard;
        self.stages.endpointer.push(frame, probability, &mut |h| heard.push(h));
        self.handle(frame.at + FRAME_SAMPLES as u64, out);
    }

    /// Ends the stream: an utterance that is still open is taken as complete.
    pub fn finish(&mut self, out: &mut dyn FnMut(Event)) {
        let heard = &mut self.heard;
        self.stages.endpointer.finish(&mut |h| heard.push(h));
        // The stream's end is the decision, so the endpoint costs nothing.
        let now = heard.iter().rev().find_map(|h| match h {
            Heard::Stopped(at) => Some(*at),
            _ => None,
        });
        self.handle(now.unwrap_or_default(), out);
    }

    /// Says `text` in the voice of `language`, outside any turn of the user's.
    ///
    /// # Errors
    /// When the voice fails.
    pub fn say(
        &mut self,
        text: &str,
        language: &str,
        out: &mut dyn FnMut(Event),
    ) -> Result<(), TtsError> {
        self.live.0 += 1;
        self.speak(text, language, out).map(|_| ())
    }

    /// The dialogue with its home.
    #[must_use]
    pub fn dialogue(&self) -> DialogueGuard<'_> {
        self.stages.dialogue.lock()
    }

    /// Forgets what the detector heard, after a gap in the stream.
    pub fn reset_detector(&mut self) {
        self.stages.detector.reset();
    }

    fn handle(&mut self, now: SampleTime, out: &mut dyn FnMut(Event)) {
        for heard in std::mem::take(&mut self.heard) {
            match heard {
                Heard::Started(at) => {
                    self.live.0 += 1;
                    self.utterance.clear();
                    out(Event::SpeechStarted { turn: self.live, at });
                }
                // The endpointer's longest utterance bounds this.
                Heard::Audio(frame) => self.utterance.extend_from_slice(&frame.samples),
                Heard::Stopped(at) => {
                    out(Event::SpeechStopped { turn: self.live, at });
                    let utterance = std::mem::take(&mut self.utterance);
                    let endpoint_delay = (now - at) as f64 * 1000.0 / f64::from(SAMPLE_RATE);
                    self.turn(&utterance, endpoint_delay, out);
                    self.utterance = utterance;
                }
            }
        }
    }

    /// The turn of talk after an utterance: recognise, understand and act, answer.
    fn turn(&mut self, utterance: &[f32], endpoint_delay: f64, out: &mut dyn FnMut(Event)) {
        let turn = self.live;
        let mut timeline = TurnTimeline { endpoint_delay, ..TurnTimeline::default() };

        let began = Instant::now();
        let recognised = self.recognise(utterance, out);
        timeline.recognition = ms_since(began);
        let transcript = match recognised {
            Ok(transcript) => transcript,
            Err(error) => {
                out(Event::Failed { turn, stage: "recognition", error: chain(&error) });
                out(Event::TurnFinished { turn, timeline_ms: timeline });
                return;
            }
        };
        out(Event::Final { turn, transcript: transcript.clone() });
        if transcript.text.is_empty() {
            out(Event::TurnFinished { turn, timeline_ms: timeline });
            return;
        }

        let began = Instant::now();
        let reply = self.stages.dialogue.respond(
            &transcript.text,
            &transcript.language,
            self.area.as_deref(),
        );
        timeline.understanding = ms_since(began);
        let (text, language) = (reply.text.clone(), reply.language.clone());
        out(Event::ReplyText { turn, reply: Box::new(reply) });

        if !text.is_empty() {
            match self.speak(&text, &language, out) {
                Ok(Some((first, all))) => {
                    timeline.first_audio = Some(first);
                    timeline.synthesis = Some(all);
                    timeline.voice_to_voice = Some(
                        timeline.endpoint_delay
                            + timeline.recognition
                            + timeline.understanding
                            + first,
                    );
                }
                Ok(None) => {}
                Err(error) => {
                    out(Event::Failed { turn, stage: "synthesis", error: chain(&error) });
                }
            }
        }
        out(Event::TurnFinished { turn, timeline_ms: timeline });
    }

    fn recognise(
        &mut self,
        utterance: &[f32],
        out: &mut dyn FnMut(Event),
    ) -> Result<Transcript, crate::asr::AsrError> {
        let turn = self.live;
        let mut last = Transcript::default();
        self.stages.recognizer.transcribe(
            utterance,
            &|| false,
            &mut |hypothesis| match hypothesis {
                Hypothesis::Partial(transcript) => out(Event::Partial { turn, transcript }),
                Hypothesis::Final(transcript) => last = transcript,
            },
        )?;
        Ok(last)
    }

    /// Speaks and returns the milliseconds to the first and to the last chunk; `None` without a
    /// voice.
    fn speak(
        &mut self,
        text: &str,
        language: &str,
        out: &mut dyn FnMut(Event),
    ) -> Result<Option<(f64, f64)>, TtsError> {
        let turn = self.live;
        let Some(voice) = self.stages.voices.for_language(language) else { return Ok(None) };
        let sample_rate = voice.sample_rate();
        let began = Instant::now();
        let mut first = None;
        let spoken = voice.speak(text, &mut |chunk| {
            first.get_or_insert_with(|| ms_since(began));
            let samples = Arc::from(chunk);
            out(Event::Speech(Speech { turn, sample_rate, samples, last: false }));
            ControlFlow::Continue(())
        });
        // Listeners wait for the end, also when the voice broke off.
        out(Event::Speech(Speech { turn, sample_rate, samples: Arc::from([]), last: true }));
        spoken?;
        Ok(first.map(|first| (first, ms_since(began))))
    }
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
