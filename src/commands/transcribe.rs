//! `hearken transcribe`: recordings to text and subtitles.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hearken::audio::{FileSource, Source};
use hearken::session::{Engines, FileTranscript, transcribe_source};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::House;
use crate::cli::{TranscribeArgs, TranscriptFormat};

/// A line of `--format json`.
#[derive(Serialize)]
struct Line<'a> {
    file: String,
    #[serde(flatten)]
    transcript: &'a FileTranscript,
}

pub(crate) fn run(house: &House, args: &TranscribeArgs) -> anyhow::Result<ExitCode> {
    let mut asr = house.config.asr.clone();
    if let Some(language) = &args.language {
        asr.language.clone_from(language);
    }
    if let Some(model) = &args.model {
        asr.model.clone_from(model);
    }
    let problems = asr.problems();
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n  "));
    let engines = Engines { asr: &asr, ..house.engines()? };
    let mut recognizer = engines.recognizer()?;
    let mut detector = engines.detector()?;
    let stop = super::interrupted()?;

    let mut failed = false;
    for path in &args.files {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut one = || -> anyhow::Result<FileTranscript> {
            let mut source = FileSource::open(path)?;
            let bar = progress_bar(path, source.duration());
            let transcript = transcribe_source(
                &mut source,
                &mut *detector,
                &mut engines.endpointer(),
                &mut *recognizer,
                &mut |seconds, _| {
                    bar.set_position(seconds as u64);
                    !stop.load(Ordering::Relaxed)
                },
            )?;
            bar.finish_and_clear();
            Ok(transcript)
        };
        match one() {
            Ok(transcript) => show(path, &transcript, args)?,
            Err(error) => {
                // One bad file does not lose the others.
                failed = true;
                super::complain(&error);
            }
        }
    }
    Ok(if failed || stop.load(Ordering::Relaxed) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(path: &Path, transcript: &FileTranscript, args: &TranscribeArgs) -> anyhow::Result<()> {
    match args.format {
        TranscriptFormat::Json => {
            let line = Line { file: path.display().to_string(), transcript };
            println!("{}", serde_json::to_string(&line)?);
        }
        TranscriptFormat::Text => {
            if args.files.len() > 1 {
                println!("{}:", console::style(path.display()).bold());
            }
            for segment in &transcript.segments {
                println!("{}", segment.text);
            }
        }
        TranscriptFormat::Srt => print!("{}", transcript.srt()),
        TranscriptFormat::Vtt => print!("{}", transcript.vtt()),
    }
    Ok(())
}

fn progress_bar(path: &Path, duration: Option<Duration>) -> ProgressBar {
    let bar = match duration {
        Some(duration) => ProgressBar::new(duration.as_secs()),
        None => ProgressBar::no_length(),
    };
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} s  {eta} left") {
        bar.set_style(style);
    }
    bar.with_message(name)
}
