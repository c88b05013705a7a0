//! `hearken check`: the effective configuration, every model opened, every problem at once.

use std::process::ExitCode;
use std::time::Instant;

use console::style;

use super::House;
use crate::cli::CheckArgs;

pub(crate) fn run(house: &House, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let house = &house.with(args.home.as_deref(), None);
    let config = &house.config;
    let mut problems = config.problems();
    let engines = config.engines(&house.store);
    let mut opened = Vec::new();
    let mut open =
        |what: String, result: Result<(), hearken::session::EngineError>, began: Instant| {
            match result {
                Ok(()) => opened.push((what, began.elapsed().as_millis() as u64)),
                Err(error) => problems.push(format!("{what}: {}", hearken::session::chain(&error))),
            }
        };
    let began = Instant::now();
    open(config.detect.model.clone(), engines.detector().map(drop), began);
    let turns = &config.detect.turn_model;
    if !turns.trim().is_empty() {
        let began = Instant::now();
        let there = house.store.path_of(turns).map_err(Into::into);
        open(turns.clone(), there.and_then(|_| engines.turn_detector().map(drop)), began);
    }
    let began = Instant::now();
    open(config.asr.model.clone(), engines.recognizer().map(drop), began);
    for id in config.tts.voices.values() {
        let began = Instant::now();
        open(id.clone(), engines.voice(id).map(drop), began);
    }
    let began = Instant::now();
    let home = config.home.file.as_deref();
    let name = home.map_or_else(|| "the home of the demo".to_owned(), |p| p.display().to_string());
    open(name, engines.dialogue().map(drop), began);

    let shown = toml::to_string(config)?;
    if args.json {
        let opened: Vec<_> =
            opened.iter().map(|(what, ms)| serde_json::json!({ "what": what, "ms": ms })).collect();
        println!(
            "{}",
            serde_json::json!({
                "ok": problems.is_empty(), "config": config, "config_file": house.config_path,
                "models": house.store.root(), "opened": opened, "problems": problems,
            })
        );
    } else {
        let from = house.config_path.as_deref().map(|p| p.display().to_string());
        println!(
            "{}",
            style(format!("# {}", from.as_deref().unwrap_or("defaults; no file"))).dim()
        );
        println!("{shown}");
        println!("{}", style(format!("# models in {}", house.store.root().display())).dim());
        for (what, ms) in &opened {
            println!("{} {what} {}", style("ok").green(), style(format!("{ms} ms")).dim());
        }
        for problem in &problems {
            println!("{} {problem}", style("problem").red().bold());
        }
        match problems.len() {
            0 => println!("\nEverything is in order."),
            1 => println!("\n1 problem."),
            n => println!("\n{n} problems."),
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
