//! `hearken intents`: what can be said, how a sentence is read, and whether sentence files are right.

use std::process::ExitCode;

use anyhow::bail;
use console::style;
use hearken::dialogue::Dialogue;
use hearken::intent::Language;
use serde_json::{Map, Value, json};

use super::House;
use super::turns::plain;
use crate::cli::{CheckSentencesArgs, ExplainArgs, IntentsArgs, IntentsCommand, SampleArgs};

/// So many readings are explained.
const READINGS: usize = 12;

pub(crate) fn run(house: &House, args: &IntentsArgs) -> anyhow::Result<ExitCode> {
    match &args.what {
        IntentsCommand::Sample(args) => sample(house, args),
        IntentsCommand::Explain(args) => explain(house, args),
        IntentsCommand::Check(args) => check(house, args),
    }
}

fn sample(house: &House, args: &SampleArgs) -> anyhow::Result<ExitCode> {
    let house = house.with(args.home.as_deref(), None);
    let language = house.engines()?.sentences_for(&args.language)?;
    let numbers = match &args.intent {
        Some(intent) => {
            let numbers = language.templates_of(intent);
            if numbers.is_empty() {
                let known: Vec<&str> = language.intents().collect();
                bail!(
                    "{} has no intent {intent:?}; there are {}",
                    language.code(),
                    known.join(", ")
                );
            }
            numbers
        }
        None => (0..language.sentence_count()).collect(),
    };
    let code = language.code().to_owned();
    let dialogue = Dialogue::new(house.config.home.describe()?, vec![language])?;
    let mut sampler = dialogue.engine(&code).sampler(args.seed);
    let (mut told, mut vain) = (0, 0);
    // What the home has nothing for draws nothing.
    while told < args.count && vain < numbers.len().max(100) * 10 {
        let Some(sample) = sampler.one_of(&numbers) else {
            vain += 1;
            continue;
        };
        (told, vain) = (told + 1, 0);
        if args.json {
            let line = json!({ "text": sample.text, "intent": sample.intent, "template": sample.template });
            println!("{line}");
        } else {
            println!("{}  {}", sample.text, style(&sample.intent).dim());
        }
    }
    if told == 0 {
        bail!("nothing of this can be said in this home: it has nothing that the sentences name");
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(house: &House, args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let house = house.with(args.home.as_deref(), args.area.as_deref());
    let tag =
        args.language.as_deref().unwrap_or_else(|| hearken::asr::written_language(&args.text));
    let language = house.engines()?.sentences_for(tag)?;
    let code = language.code().to_owned();
    let home = house.config.home.describe()?;
    let area = house.area().map(|area| match home.area_named(area) {
        Some(known) => known.names.main(&code).to_owned(),
        None => area.to_owned(),
    });
    let dialogue = Dialogue::new(home, vec![language])?;
    let context: Map<String, Value> =
        area.into_iter().map(|area| ("area".to_owned(), area.into())).collect();
    let explanation = dialogue.engine(&code).explain(&args.text, &context, READINGS);
    // What the dialogue makes of it besides: sentences of our own, repairs, several commands.
    let reply = dialogue.rehearse(&args.text, &code, house.area());
    if args.json {
        let mut all = serde_json::to_value(&explanation)?;
        if let Value::Object(all) = &mut all {
            all.insert("taken_for".into(), super::understand::line(&args.text, &reply));
        }
        println!("{all}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", style(&args.text).bold());
    println!("   matched as  {}", explanation.sentence);
    if let Some(without) = &explanation.without_skip_words {
        println!("   and as      {without}");
    }
    println!("   holds       {}", explanation.fragments.join(" · "));
    let tried: usize = explanation.tried.values().sum();
    println!(
        "   tried       {tried} of {} templates, for the rest lack a word or do not fit here",
        explanation.templates
    );
    for (intent, count) in &explanation.tried {
        println!("               {count:5} {intent}");
    }
    if explanation.readings.is_empty() {
        println!("   {}", style("no template matches").yellow());
    }
    for reading in &explanation.readings {
        let meaning = &reading.meaning;
        let slots: Vec<String> =
            meaning.slots.iter().map(|(slot, value)| format!("{slot}={}", plain(value))).collect();
        let verdict = match reading.lost {
            None => style("wins".to_owned()).green(),
            Some(lost) => style(format!("loses: {}", lost.reason())).dim(),
        };
        println!("\n   {}  {}  {verdict}", style(&meaning.intent).bold(), slots.join("  "));
        println!(
            "      {} fixed, {} free characters in {} slots · answer {}{}",
            meaning.literal_chars,
            meaning.wildcard_chars,
            meaning.wildcards,
            meaning.response_key,
            if meaning.custom { " · a sentence of your own" } else { "" },
        );
        println!("      {}", style(&meaning.template).dim());
    }
    for command in &reply.commands {
        let repaired = command.repaired.as_ref();
        if command.text != args.text || explanation.readings.is_empty() {
            let why =
                repaired.map_or_else(String::new, |r| format!(" (repaired, cost {:.2})", r.cost));
            println!("\n   taken for   {}{why}: {}", command.text, command.intent);
        }
    }
    if reply.commands.is_empty() {
        println!("\n   answered    {}", reply.text);
    }
    Ok(ExitCode::SUCCESS)
}

fn check(house: &House, args: &CheckSentencesArgs) -> anyhow::Result<ExitCode> {
    let house = house.with(args.home.as_deref(), None);
    let engines = house.engines()?;
    let (mut problems, mut warnings, mut count) = (Vec::new(), Vec::new(), 0);
    for file in &args.files {
        let whole = Language::of_file(file).map_err(anyhow::Error::from).and_then(|tag| {
            let package = engines.package_sentences(&tag)?;
            Ok(package.check_file(file)?)
        });
        let (language, found) = match whole {
            Ok(whole) => whole,
            Err(error) => {
                problems.push(hearken::session::chain(&*error));
                continue;
            }
        };
        problems.extend(found.iter().map(ToString::to_string));
        let own = language.own_templates();
        count += own.len();
        let code = language.code().to_owned();
        let dialogue = match Dialogue::new(house.config.home.describe()?, vec![language]) {
            Ok(dialogue) => dialogue,
            Err(error) => {
                problems.push(format!("{}: {}", file.display(), hearken::session::chain(&error)));
                continue;
            }
        };
        let engine = dialogue.engine(&code);
        let mut sampler = engine.sampler(1);
        let here = house
            .config
            .home
            .describe()?
            .areas()
            .first()
            .map(|area| area.names.main(&code).to_owned());
        let context = here.into_iter().map(|area| ("area".to_owned(), area.into())).collect();
        for number in own {
            let Some(sample) = sampler.sentence(number) else { continue };
            match engine.recognize(&sample.text, &context) {
                None => warnings.push(format!(
                    "{}: {:?} can be said as {:?}, but this is not understood",
                    file.display(),
                    sample.template,
                    sample.text
                )),
                Some(read) if read.intent != sample.intent => warnings.push(format!(
                    "{}: {:?} of {} can be said as {:?}, but this is read as {} by {:?}",
                    file.display(),
                    sample.template,
                    sample.intent,
                    sample.text,
                    read.intent,
                    read.template
                )),
                Some(_) => {}
            }
        }
    }
    if args.json {
        println!(
            "{}",
            json!({ "ok": problems.is_empty(), "sentences": count, "problems": problems, "warnings": warnings })
        );
    } else {
        for problem in &problems {
            println!("{} {problem}", style("problem").red().bold());
        }
        for warning in &warnings {
            println!("{} {warning}", style("warning").yellow().bold());
        }
        println!("{count} sentences in {} files, {} problems", args.files.len(), problems.len());
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
