//! `hearken recognize`: recordings to the commands of a grammar.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use hearken::audio::{FileSource, SAMPLE_RATE, Source};
use hearken::intent::{Engine, Language, Names};
use hearken::session::{Command, DomainRecognizer, Engines};
use serde::Serialize;

use super::House;
use crate::cli::RecognizeArgs;

/// Whisper hears so much at once, and no command is longer.
const LONGEST: usize = 30 * SAMPLE_RATE as usize;

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    file: String,
    #[serde(flatten)]
    command: &'a Command,
    compute_s: f64,
}

pub(crate) fn run(house: &House, args: &RecognizeArgs) -> anyhow::Result<ExitCode> {
    let file = args.grammar.display().to_string();
    let text = std::fs::read_to_string(&args.grammar)
        .with_context(|| format!("cannot read the grammar {file}"))?;
    let language = Language::from_grammar(&text, &args.language, &file)?;
    let engine = Engine::new(&language, &Names::default())?;
    let mut asr = house.config.asr.clone();
    language.code().split(['-', '_']).next().unwrap_or("en").clone_into(&mut asr.language);
    if let Some(model) = &args.model {
        asr.model.clone_from(model);
    }
    let problems = asr.problems();
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n  "));
    let engines = Engines { asr: &asr, ..house.engines()? };
    let mut domain = DomainRecognizer::new(engines.recognizer()?, engine, args.threshold);
    let mut failed = false;
    for path in &args.files {
        let began = Instant::now();
        match read(path).and_then(|audio| Ok(domain.recognize(&audio)?)) {
            Ok(command) => show(path, &command, began.elapsed().as_secs_f64(), args.json)?,
            Err(error) => {
                // One bad file does not lose the others.
                failed = true;
                super::complain(&error);
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(path: &Path) -> anyhow::Result<Vec<f32>> {
    let mut source = FileSource::open(path)?;
    let mut audio = Vec::new();
    while source.read(&mut audio)? > 0 {
        anyhow::ensure!(
            audio.len() <= LONGEST,
            "{} is longer than 30 s: cut it into one recording a command",
            path.display()
        );
    }
    Ok(audio)
}

fn show(path: &Path, command: &Command, compute_s: f64, json: bool) -> anyhow::Result<()> {
    let file = path.display().to_string();
    if json {
        let line = Line { file, command, compute_s };
        println!("{}", serde_json::to_string(&line)?);
        return Ok(());
    }
    println!("{}", console::style(file).bold());
    println!("  heard    {}", command.free_text);
    match &command.intent {
        Some(intent) => {
            println!("  command  {} ({:.0} % sure)", command.text, command.confidence * 100.0);
            println!("  means    {intent} {}", serde_json::to_string(&command.slots)?);
        }
        None => println!("  command  none"),
    }
    Ok(())
}
