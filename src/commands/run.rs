//! `hearken run`: listen to a recording or the microphone, obey and answer.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Context;
use hearken::audio::{
    FileSource, Framer, Microphone, RawSource, Resampler, Source, Speaker, WavWriter,
};
use hearken::session::{Engines, Event, Session, Speech};

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
    // The input first: nobody wants to wait for models to hear that a path is mistyped.
    let live = args.input.is_none();
    let mut source: Box<dyn Source> = match args.input.as_deref() {
        None => Box::new(Microphone::open(&house.config.audio)?),
        Some(path) if path == Path::new("-") => Box::new(RawSource::new(
            std::io::stdin(),
            "standard input",
            args.rate,
            usize::from(args.channels),
        )?),
        Some(path) => Box::new(FileSource::open(path)?),
    };
    let mut sinks = Sinks::open(&house, args, live)?;
    // A recording is tried on the home as its file describes it; who lives in a home wants it to be
    // as it was left.
    let remember = live || house.config.home.state.is_some();
    let engines = Engines { remember, ..house.engines()? };
    let mut session = Session::new(engines.stages()?, house.area().map(str::to_owned));
    let stop = super::interrupted()?;
    if live {
        println!("Listening. Ctrl-C ends.\n");
    }

    let (mut framer, mut chunk) = (Framer::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        chunk.clear();
        if source.read(&mut chunk)? == 0 {
            break;
        }
        let mut spoke = false;
        framer.push(&chunk, |frame| {
            session.push(&frame, &mut |event| spoke |= sinks.take(&event));
        });
        if spoke && live {
            // The microphone heard the reply too; what it has in store is not the user's.
            sinks.wait_for_speaker();
            source = Box::new(Microphone::open(&house.config.audio)?);
            session.reset_detector();
        }
    }
    let mut last = |event: Event| {
        sinks.take(&event);
    };
    framer.finish(|frame| session.push(&frame, &mut last));
    session.finish(&mut last);

    let turns = sinks.close()?;
    if args.json {
        let home = session.dialogue().home().states();
        println!("{}", serde_json::json!({ "turns": turns, "home": home }));
    } else if turns.is_empty() {
        println!("Nobody said anything.");
    }
    Ok(ExitCode::SUCCESS)
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
    /// The first thing that went wrong while writing; told at the end, since events cannot wait.
    failure: Option<anyhow::Error>,
    count: usize,
}

impl Sinks {
    fn open(house: &House, args: &RunArgs, live: bool) -> anyhow::Result<Self> {
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
        let speaker = (args.play || (live && output.is_none()))
            .then(|| Speaker::open(&house.config.audio))
            .transpose()?;
        Ok(Self {
            turns: Turns::default(),
            done: Vec::new(),
            print: !args.json,
            // A live session goes on for days; only what will be printed at the end is kept.
            keep: args.json || !live,
            events,
            output,
            speaker,
            failure: None,
            count: 0,
        })
    }

    /// Returns whether the event was sound for the speaker.
    fn take(&mut self, event: &Event) -> bool {
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
        matches!(event, Event::Speech(_)) && self.speaker.is_some()
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

    fn wait_for_speaker(&mut self) {
        if let Some(speaker) = &mut self.speaker
            && let Err(error) = speaker.finish()
        {
            self.failure.get_or_insert(error.into());
        }
    }

    fn close(mut self) -> anyhow::Result<Vec<Turn>> {
        self.wait_for_speaker();
        if let Some(output) = self.output {
            output.finish()?;
        }
        match self.failure {
            Some(error) => Err(error),
            None => Ok(self.done),
        }
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
