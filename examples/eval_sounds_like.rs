//! cargo run --release --example eval_sounds_like -- [TABLE] [--unrelated FILE]... [--json]
//!
//! Understands the corrupted commands of TABLE (tests/data/sounds_like.tsv: language, heard, meant,
//! where from) in the built-in home, with and without repair, and tells how many mean what was
//! meant. A row that means nothing, and each line of a FILE (of a .tsv the second column), is other
//! speech: nothing may be done and nothing asked. The sentences come from the model store.

#![allow(clippy::print_stdout, reason = "an example tells what it found")]

use std::time::Instant;

use anyhow::{Context, Result};
use hearken::dialogue::Dialogue;
use hearken::home::Home;
use hearken::intent::Language;
use hearken::models::ModelStore;
use serde_json::json;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut table, mut files, mut as_json) =
        ("tests/data/sounds_like.tsv".to_owned(), vec![], false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => as_json = true,
            "--unrelated" => files.push(args.next().context("--unrelated names no file")?),
            _ => table = arg,
        }
    }
    let package = ModelStore::open(None)?.folder_of("home-assistant-intents")?;
    let read = |tag: &str| Language::from_file(&package.join(format!("{tag}.json")));
    let languages = vec![read("en")?, read("zh-CN")?];
    let mut rows: Vec<[String; 3]> = Vec::new();
    for line in std::fs::read_to_string(&table).with_context(|| table.clone())?.lines().skip(1) {
        let mut cells = line.split('\t').map(str::to_owned);
        let mut cell = || cells.next().unwrap_or_default();
        rows.push([cell(), cell(), cell()]);
    }
    for file in &files {
        for line in std::fs::read_to_string(file).with_context(|| file.clone())?.lines() {
            let text = line.split('\t').nth(1).unwrap_or(line).to_owned();
            let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            rows.push([if chinese { "zh" } else { "en" }.into(), text, String::new()]);
        }
    }
    let mut dialogue = Dialogue::new(Home::demo(), languages)?;
    let started = Instant::now();
    dialogue.warm_up();
    let (warm_up_ms, mut times, mut wrong) = (started.elapsed().as_millis() as u64, vec![], vec![]);
    let mut count = std::collections::BTreeMap::<&str, usize>::new();
    for [language, heard, meant] in &rows {
        dialogue.forget();
        let direct = dialogue.understand(heard, language, None).map(|m| (m.intent, m.slots));
        let want = dialogue.understand(meant, language, None).map(|m| (m.intent, m.slots));
        let started = Instant::now();
        let reply = dialogue.respond(heard, language, None);
        times.push(started.elapsed().as_secs_f64() * 1e3);
        let got = reply.commands.first().map(|c| (c.intent.clone(), c.slots.clone()));
        let asked = reply.alternatives.first().map(|a| (a.intent.clone(), a.slots.clone()));
        let asked = asked.filter(|_| reply.error == Some("not_sure"));
        let outcome = match (meant.is_empty(), got.is_some(), asked.is_some()) {
            (true, true, _) if direct.is_none() => "unrelated: false accepts",
            (true, _, true) => "unrelated: false questions",
            (true, ..) => "unrelated: left alone",
            _ if want.is_some() && direct == want => "corrupted: right without repair",
            _ if want.is_some() && got == want => "corrupted: right by repair",
            _ if want.is_some() && asked == want => "corrupted: asked back rightly",
            (_, true, _) => "corrupted: taken for something else",
            (_, _, true) => "corrupted: asked back wrongly",
            _ => "corrupted: not understood",
        };
        *count.entry(outcome).or_default() += 1;
        if !outcome.contains("right") && !outcome.contains("alone") {
            wrong.push(
                json!({"heard": heard, "meant": meant, "outcome": outcome, "reply": reply.text}),
            );
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or(0.0);
    let report = json!({"count": count, "median_ms": at(0.5), "p99_ms": at(0.99),
        "warm_up_ms": warm_up_ms, "wrong": wrong});
    println!("{}", if as_json { report.to_string() } else { format!("{report:#}") });
    Ok(())
}
