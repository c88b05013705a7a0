//! The record of a session: what was heard, believed and decided, so that it can be gone through again.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Event, Order, Session, Stages, Voices};
use crate::asr::AsrError;
use crate::asr::Hypothesis;
use crate::asr::Recognizer;
use crate::asr::Transcript;
use crate::audio::AudioError;
use crate::audio::Frame;
use crate::audio::SAMPLE_RATE;
use crate::audio::SampleTime;
use crate::audio::WavLog;
use crate::detect::Endpointer;
use crate::detect::TurnDetector;
use crate::detect::VoiceDetector;
use crate::dialogue::Completeness;
use crate::dialogue::Dialogue;
use crate::tts::Synthesizer;
use crate::tts::TtsError;

/// One line of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// A frame was judged.
    Frame {
        /// Its first sample.
        at: SampleTime,
        /// What the detector said.
        vad: f32,
        /// What that is worth in this room.
        worth: f32,
    },
    /// The recogniser answered.
    Recognised {
        /// How much it was given, in samples.
        samples: usize,
        /// How long it took.
        ms: f64,
        /// The words; without them it failed.
        transcript: Option<Transcript>,
    },
    /// It was decided how long to wait in a pause.
    Pause {
        /// The end of the speech.
        at: SampleTime,
        /// The words so far.
        text: String,
        /// What the words are as a command.
        words: Completeness,
        /// How finished the voice sounds, 0 to 1, where that was asked.
        sounds: Option<f32>,
        /// The silence that ends the utterance.
        silence_ms: u32,
    },
    /// A reply was made, so long.
    Spoke {
        /// In milliseconds.
        ms: f64,
    },
    /// The playback or the door said something.
    Ordered {
        /// When.
        at: SampleTime,
        /// What.
        order: Order,
    },
}

/// Takes notes; with a frame come its samples.
pub type TakeNote = Box<dyn FnMut(&Note, &[f32]) + Send>;

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// A file of the record.
    #[error("the record {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line that is no note.
    #[error("the record {path}, line {line}: {reason}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// The sound.
    #[error(transparent)]
    Audio(#[from] AudioError),
}

/// Writes the events of a record; the notes are taken beside it, and finished with the session.
#[derive(Debug)]
pub struct Recorder {
    events: BufWriter<File>,
    path: PathBuf,
    failure: Option<TraceError>,
}

impl Recorder {
    /// Begins a record in a folder, which is made: `events.jsonl`, and `audio.wav` and `notes.jsonl` by
    /// what is returned beside it, for [`Session::with_notes`].
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn create(folder: &Path) -> Result<(Self, TakeNote), TraceError> {
        let file = |name: &str| {
            let path = folder.join(name);
            let failed = |source| TraceError::File { path: path.clone(), source };
            std::fs::create_dir_all(folder).map_err(failed)?;
            Ok::<_, TraceError>(BufWriter::new(File::create(&path).map_err(failed)?))
        };
        let mut notes = file("notes.jsonl")?;
        let mut wav = WavLog::create(folder.join("audio.wav"), SAMPLE_RATE)?;
        let take = Box::new(move |note: &Note, samples: &[f32]| {
            // A full disk ends the record and not the conversation.
            let _ = wav.push(samples);
            let _ = serde_json::to_writer(&mut notes, note)
                .map_err(std::io::Error::from)
                .and_then(|()| notes.write_all(b"\n"));
        });
        let path = folder.join("events.jsonl");
        let recorder = Self { events: file("events.jsonl")?, path, failure: None };
        Ok((recorder, take))
    }

    /// Writes an event.
    pub fn event(&mut self, event: &Event) {
        let written = serde_json::to_writer(&mut self.events, event)
            .map_err(std::io::Error::from)
            .and_then(|()| self.events.write_all(b"\n"));
        if let Err(source) = written {
            self.failure.get_or_insert(TraceError::File { path: self.path.clone(), source });
        }
    }

    /// Ends the record.
    ///
    /// # Errors
    /// The first thing that could not be written.
    pub fn finish(mut self) -> Result<(), TraceError> {
        let flushed = self.events.flush();
        flushed.map_err(|source| TraceError::File { path: self.path.clone(), source })?;
        self.failure.map_or(Ok(()), Err)
    }
}

/// A record that is gone through again: the same sound, and engines that say what they said.
#[derive(Debug)]
pub struct Record {
    notes: Vec<Note>,
    /// The events as they were, as JSON.
    pub events: Vec<serde_json::Value>,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn open(folder: &Path) -> Result<Self, TraceError> {
        Ok(Self {
            notes: lines(&folder.join("notes.jsonl"))?,
            events: lines(&folder.join("events.jsonl"))?,
        })
    }

    /// The notes, in order.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Goes through the record in a session with the same settings, and tells what happens.
    pub fn replay(
        &self,
        dialogue: Dialogue,
        endpointer: Endpointer,
        area: Option<String>,
        config: &super::Config,
        frames: impl Iterator<Item = Frame>,
        out: &mut dyn FnMut(Event),
    ) {
        let pick = |wanted: fn(&Note) -> bool| {
            self.notes.iter().filter(move |note| wanted(note)).cloned().collect::<VecDeque<_>>()
        };
        let stages = Stages {
            detector: Box::new(Again(pick(|n| matches!(n, Note::Frame { .. })))),
            endpointer,
            turns: Some(Box::new(Again(pick(|n| matches!(n, Note::Pause { .. }))))),
            recognizer: Box::new(Again(pick(|n| matches!(n, Note::Recognised { .. })))),
            dialogue: dialogue.into(),
            voices: Voices::none()
                .with("", Box::new(Again(pick(|n| matches!(n, Note::Spoke { .. }))))),
        };
        let mut orders = pick(|n| matches!(n, Note::Ordered { .. }));
        let playback =
            if orders.is_empty() { super::Playback::Unknown } else { super::Playback::Reported };
        let mut session = Session::new(stages, area).with_config(config).with_playback(playback);
        session.floor = None;
        for frame in frames {
            while let Some(Note::Ordered { at, order }) = orders.front()
                && *at <= frame.at
            {
                session.obey_order(order.clone(), out);
                orders.pop_front();
            }
            session.push(&frame, out);
        }
        session.finish(out);
    }
}

fn lines<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>, TraceError> {
    let failed = |source| TraceError::File { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(failed)?);
    let mut all = Vec::new();
    for (n, line) in file.lines().enumerate() {
        let line = line.map_err(failed)?;
        let note = serde_json::from_str(&line).map_err(|error| TraceError::Line {
            path: path.to_owned(),
            line: n + 1,
            reason: error.to_string(),
        })?;
        all.push(note);
    }
    Ok(all)
}

/// An engine that says again what it said.
struct Again(VecDeque<Note>);

impl VoiceDetector for Again {
    fn push(&mut self, frame: &Frame) -> f32 {
        match self.0.pop_front() {
            Some(Note::Frame { at, worth, .. }) if at == frame.at => worth,
            _ => 0.0,
        }
    }
    fn reset(&mut self) {}
}

impl TurnDetector for Again {
    fn finished(&mut self, _utterance: &[f32]) -> Option<f32> {
        match self.0.pop_front()? {
            Note::Pause { sounds, .. } => sounds,
            _ => None,
        }
    }
}

impl Recognizer for Again {
    fn transcribe(
        &mut self,
        audio: &[f32],
        _stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError> {
        // What was given up is not in the record; what it would have said did not matter.
        let same = |note: &Note| matches!(note, Note::Recognised { samples, .. } if *samples == audio.len());
        let found = self.0.iter().position(same).and_then(|at| self.0.drain(..=at).next_back());
        match found {
            Some(Note::Recognised { transcript: Some(transcript), .. }) => {
                out(Hypothesis::Final(transcript));
                Ok(())
            }
            Some(_) => Err(AsrError::Engine { step: "decode", reason: "as it did then".into() }),
            None => {
                out(Hypothesis::Final(Transcript::default()));
                Ok(())
            }
        }
    }
}

impl Synthesizer for Again {
    fn sample_rate(&self) -> u32 {
        1000
    }
    fn speak(
        &mut self,
        _sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        if let Some(Note::Spoke { ms }) = self.0.pop_front() {
            let _ = out(&vec![0.0; ms.clamp(0.0, 600_000.0) as usize]);
        }
        Ok(())
    }
}
