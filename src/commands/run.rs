//! `hearken run`: listen to a recording or the microphone, obey and answer.

mod live;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use hearken::audio::{AudioError, FileSource, RawSource, Resampler, Source, Speaker, WavWriter};
use hearken::session::{Engines, Event, Recorder, Session, Speech, TakeNote};

use super::House;
use super::turns::{self, Turn, Turns};
use crate::cli::RunArgs;

/// The rate of the reply file in Hz; voices have rates of their own.
const OUTPUT_RATE: u32 = 24_000;

pub(crate) fn run(house: &House, args: &RunArgs) -> anyhow::Result<ExitCode> {
    let mut house = house.with(args.home.as_deref(), args.area.as_deref());
    if let Some(language) = args.language {
        language.code().clone_into(&mut house.config.asr.language);
    }
    let audio = &mut house.config.audio;
    audio.input = args.microphone.clone().or(audio.input.take());
    audio.output = args.speaker.clone().or(audio.output.take());
    let Some(input) = args.input.as_deref() else { return live::run(&house, args) };
    // The input first: nobody wants to wait for models to hear that a path is mistyped.
    let source: Box<dyn Source> = match input {
        path if path == Path::new("-") => Box::new(RawSource::new(
            std::io::stdin(),
            "standard input",
            args.rate,
            usize::from(args.channels),
        )?),
        path => Box::new(FileSource::open(path)?),
    };
    let speaker = args.play.then(|| Speaker::open(&house.config.audio)).transpose()?;
    let (mut sinks, notes) = Sinks::open(args, speaker)?;
    // A recording is tried on the home as its file describes it.
    let remember = house.config.home.state.is_some();
    let mut session = session(&house, remember, notes)?;
    let stop = super::interrupted()?;
    session.hear(&mut Until { source, stop }, &mut |event| sinks.take(&event))?;
    sinks.close(&session, args)
}

/// A session as the configuration describes it.
fn session(house: &House, remember: bool, notes: Option<TakeNote>) -> anyhow::Result<Session> {
    let engines = Engines { remember, ..house.engines()? };
    let session = Session::new(engines.stages()?, house.area().map(str::to_owned));
    let session = session.with_config(&house.config.session);
    Ok(match notes {
        Some(notes) => session.with_notes(notes),
        None => session,
    })
}

/// A source that ends when it is told to.
struct Until {
    source: Box<dyn Source>,
    stop: Arc<AtomicBool>,
}

impl Source for Until {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize, AudioError> {
        if self.stop.load(Ordering::Relaxed) { Ok(0) } else { self.source.read(out) }
    }
}

/// Where the events of a session go.
struct Sinks {
    turns: Turns,
    done: Vec<Turn>,
    print: bool,
    keep: bool,
    events: Option<BufWriter<File>>,
    output: Option<ReplyFile>,
    speaker: Option<Speaker>,
    recorder: Option<Recorder>,
    /// The first thing that went wrong while writing; told at the end, since events cannot wait.
    failure: Option<anyhow::Error>,
    count: usize,
}

impl Sinks {
    /// Also returns what takes notes for a record.
    fn open(args: &RunArgs, speaker: Option<Speaker>) -> anyhow::Result<(Self, Option<TakeNote>)> {
        let events = args
            .events
            .as_deref()
            .map(|path| {
                File::create(path)
                    .map(BufWriter::new)
                    .with_context(|| format!("cannot write the events to {}", path.display()))
            })
            .transpose()?;
        let output = args.output.as_deref().map(ReplyFile::create).transpose()?;
        let record = args.trace.as_deref().map(Recorder::create).transpose()?;
        let (recorder, notes) = record.unzip();
        let sinks = Self {
            recorder,
            turns: Turns::default(),
            done: Vec::new(),
            print: !args.json,
            // A live session goes on for days; only what will be printed at the end is kept.
            keep: args.json || args.input.is_some(),
            events,
            output,
            speaker,
            failure: None,
            count: 0,
        };
        Ok((sinks, notes))
    }

    fn take(&mut self, event: &Event) {
        if let Some(recorder) = &mut self.recorder {
            recorder.event(event);
        }
        if let Err(error) = self.write(event) {
            self.failure.get_or_insert(error);
        }
        if let Some(turn) = self.turns.take(event) {
            self.count += 1;
            if self.print {
                turns::print(self.count, &turn);
            }
            if self.keep {
                self.done.push(turn);
            }
        }
    }

    fn write(&mut self, event: &Event) -> anyhow::Result<()> {
        if let Some(events) = &mut self.events {
            serde_json::to_writer(&mut *events, event).context("cannot write the events")?;
            events
                .write_all(b"\n")
                .and_then(|()| events.flush())
                .context("cannot write the events")?;
        }
        if let Event::Speech(speech) = event {
            if let Some(output) = &mut self.output {
                output.push(speech)?;
            }
            if let Some(speaker) = &mut self.speaker {
                speaker.play(&speech.samples, speech.sample_rate)?;
            }
        }
        Ok(())
    }

    fn close(mut self, session: &Session, args: &RunArgs) -> anyhow::Result<ExitCode> {
        if let Some(speaker) = &mut self.speaker
            && let Err(error) = speaker.finish()
        {
            self.failure.get_or_insert(error.into());
        }
        if let Some(output) = self.output {
            output.finish()?;
        }
        if let Some(recorder) = self.recorder {
            recorder.finish()?;
        }
        if let Some(error) = self.failure {
            return Err(error);
        }
        if args.json {
            let home = session.dialogue().home().states();
            println!("{}", serde_json::json!({ "turns": self.done, "home": home }));
        } else if self.count == 0 {
            println!("Nobody said anything.");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A WAV file of replies, at one rate whatever the voices have.
pub(crate) struct ReplyFile {
    wav: WavWriter,
    resampler: Option<Resampler>,
    converted: Vec<f32>,
}

impl ReplyFile {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            wav: WavWriter::create(path, OUTPUT_RATE)?,
            resampler: None,
            converted: Vec::new(),
        })
    }

    pub(crate) fn push(&mut self, speech: &Speech) -> anyhow::Result<()> {
        self.converted.clear();
        if self.resampler.as_ref().is_none_or(|r| r.input_rate() != speech.sample_rate) {
            if let Some(mut old) = self.resampler.take() {
                old.finish(&mut self.converted)?;
            }
            self.resampler = Some(Resampler::new(speech.sample_rate, OUTPUT_RATE)?);
        }
        if let Some(resampler) = &mut self.resampler {
            resampler.push(&speech.samples, &mut self.converted)?;
            if speech.last {
                resampler.finish(&mut self.converted)?;
                self.resampler = None;
                // A breath between two replies.
                self.converted.resize(self.converted.len() + OUTPUT_RATE as usize * 2 / 5, 0.0);
            }
        }
        Ok(self.wav.push(&self.converted)?)
    }

    pub(crate) fn finish(self) -> anyhow::Result<()> {
        self.wav.finish()?;
        Ok(())
    }
}
