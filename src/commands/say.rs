//! `hearken say`: speak a text.

use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Context;
use hearken::audio::{Speaker, WavWriter};
use hearken::session::Engines;
use hearken::tts;

use super::House;
use crate::cli::SayArgs;

pub(crate) fn run(house: &House, args: &SayArgs) -> anyhow::Result<ExitCode> {
    let text = if args.text.len() == 1 && args.text[0] == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read the text from standard input")?;
        text
    } else {
        args.text.join(" ")
    };
    anyhow::ensure!(!text.trim().is_empty(), "there is nothing to say: the text is empty");
    let language =
        args.language.as_deref().unwrap_or_else(|| hearken::asr::written_language(&text));
    let mut settings = house.config.tts.clone();
    settings.speed = args.speed.unwrap_or(settings.speed);
    settings.volume = args.volume.unwrap_or(settings.volume);
    // Whoever says one text has no use for what was said before.
    settings.cache_mb = 0;
    let problems = settings.problems();
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n  "));
    if args.phonemes {
        return phonemes(&text, language, &settings);
    }

    let engines = Engines { tts: &settings, ..house.engines()? };
    let mut voice = match &args.voice {
        Some(id) => engines.voice(id)?,
        None => engines.voice_for(language)?,
    };
    let rate = voice.sample_rate();
    let mut failure: Option<anyhow::Error> = None;
    let mut sink: Box<dyn Sink> = match args.output.as_deref() {
        Some(path) if path == Path::new("-") => {
            Box::new(WavWriter::stream(std::io::stdout(), "standard output", rate)?)
        }
        Some(path) => Box::new(WavWriter::create(path, rate)?),
        None => Box::new(
            Speaker::open(&house.config.audio)
                .context("cannot play the text; -o FILE.wav writes it to a file")?,
        ),
    };
    let stop = super::interrupted()?;
    tts::speak_ahead(&mut *voice, &text, 8, &mut |chunk| match sink.push(chunk, rate) {
        _ if stop.load(Ordering::Relaxed) => ControlFlow::Break(()),
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failure = Some(error);
            ControlFlow::Break(())
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    sink.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// Where the sound goes.
trait Sink {
    fn push(&mut self, samples: &[f32], rate: u32) -> anyhow::Result<()>;
    fn finish(self: Box<Self>) -> anyhow::Result<()>;
}

impl Sink for WavWriter {
    fn push(&mut self, samples: &[f32], _rate: u32) -> anyhow::Result<()> {
        Ok(WavWriter::push(self, samples)?)
    }

    fn finish(self: Box<Self>) -> anyhow::Result<()> {
        WavWriter::finish(*self)?;
        Ok(())
    }
}

impl Sink for Speaker {
    fn push(&mut self, samples: &[f32], rate: u32) -> anyhow::Result<()> {
        Ok(self.play(samples, rate)?)
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        Ok(Speaker::finish(&mut self)?)
    }
}

/// The text as it is spoken, its clauses, and how each word of them is said.
fn phonemes(text: &str, language: &str, settings: &tts::Config) -> anyhow::Result<ExitCode> {
    let lexicon = settings.voice().lexicon;
    let spoken = tts::normalize::normalize(text, language);
    println!("{spoken}");
    for clause in tts::clauses(&spoken) {
        println!();
        for word in tts::phonemize_with(&clause.text, language, &lexicon) {
            let pinyin = word.pinyin.as_deref().unwrap_or_default();
            let line = format!("{:<20} {:<24} {pinyin}", word.text, word.phonemes);
            println!("{}", line.trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}
