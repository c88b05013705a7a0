//! `hearken understand`: what sentences mean in a home, and what would be answered. Nothing is done
//! beyond the simulated home of this run.

use std::process::ExitCode;

use console::style;
use hearken::dialogue::Reply;
use serde_json::{Value, json};

use super::House;
use super::turns;
use crate::cli::UnderstandArgs;

pub(crate) fn run(house: &House, args: &UnderstandArgs) -> anyhow::Result<ExitCode> {
    let house = house.with(args.home.as_deref(), args.area.as_deref());
    if let Some(file) = &args.batch {
        return super::batch::run(&house, file, args.language.as_deref());
    }
    let engines = house.engines()?;
    for text in &args.text {
        // Each sentence meets the home as the file describes it.
        let mut dialogue = engines.dialogue()?;
        let language =
            args.language.as_deref().unwrap_or_else(|| hearken::asr::written_language(text));
        let reply = dialogue.respond(text, language, house.area());
        if args.json {
            println!("{}", line(text, &reply));
        } else {
            println!("{}", style(text).bold());
            println!("   {}", turns::understood(&(&reply).into()));
            println!("   {}\n", style(&reply.text).green());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A sentence and its answer as programs read them.
pub(super) fn line(text: &str, reply: &Reply) -> Value {
    let slots = reply.intent.as_ref().map(|intent| intent.slots.clone()).unwrap_or_default();
    let mut line = json!({
        "text": text, "intent": reply.intent.as_ref().map(|intent| &intent.name), "slots": slots,
        "response": reply.text, "response_key": reply.response_key, "area": reply.area,
        "score": reply.score, "repaired": reply.repaired, "alternatives": reply.alternatives,
        "commands": reply.commands,
    });
    // `error` is for what could not be read.
    if let (Some(why), Value::Object(line)) = (reply.error, &mut line) {
        line.insert("refused".into(), why.into());
    }
    line
}
