//! `hearken transcribe`: recordings to text and subtitles.

use std::fmt::Write as _;
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
                &mut |seconds| {
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
        TranscriptFormat::Srt => print!("{}", srt(transcript)),
        TranscriptFormat::Vtt => print!("{}", vtt(transcript)),
    }
    Ok(())
}

fn srt(transcript: &FileTranscript) -> String {
    let mut out = String::new();
    for (number, s) in transcript.segments.iter().enumerate() {
        let (start, end) = (timestamp(s.start, ','), timestamp(s.end, ','));
        // Writing to a string cannot fail.
        let _ = write!(out, "{}\n{start} --> {end}\n{}\n\n", number + 1, s.text);
    }
    out
}

fn vtt(transcript: &FileTranscript) -> String {
    let mut out = String::from("WEBVTT\n\n");
    for s in &transcript.segments {
        let text = s.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let (start, end) = (timestamp(s.start, '.'), timestamp(s.end, '.'));
        let _ = write!(out, "{start} --> {end}\n{text}\n\n");
    }
    out
}

fn timestamp(seconds: f64, point: char) -> String {
    let ms = (seconds.max(0.0) * 1000.0).round() as u64;
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}{point}{ms:03}", s / 3600, s / 60 % 60, s % 60)
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

#[cfg(test)]
mod tests {
    use super::*;
    use hearken::asr::Segment;

    #[test]
    fn subtitles() {
        let segment = |start, end, text: &str| Segment { start, end, text: text.into() };
        let transcript = FileTranscript {
            segments: vec![segment(0.5, 1.25, "Hello."), segment(3661.0, 3662.0004, "a < b")],
            ..FileTranscript::default()
        };
        assert_eq!(
            srt(&transcript),
            "1\n00:00:00,500 --> 00:00:01,250\nHello.\n\n\
             2\n01:01:01,000 --> 01:01:02,000\na < b\n\n"
        );
        assert_eq!(
            vtt(&transcript),
            "WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nHello.\n\n\
             01:01:01.000 --> 01:01:02.000\na &lt; b\n\n"
        );
    }
}
