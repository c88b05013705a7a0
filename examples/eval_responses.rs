//! cargo run --release --example eval_responses -- PACKAGE/data EVAL/intents [LANG…] [--json] [-v]
//!
//! Answers every sentence of LANG.jsonl in its home of LANG.homes.json and counts the answers that
//! are equal to the expected ones.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks to the terminal")]

use std::path::Path;

use hearken::dialogue::{Dialogue, Wording};
use hearken::home::{FixedClock, Home};
use hearken::intent::Language;
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let (flags, words): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word.starts_with('-'));
    let [package, data, languages @ ..] = &words[..] else {
        anyhow::bail!("give the folder of the package's LANG.json and that of the LANG.jsonl");
    };
    let has = |flag: &str| flags.iter().any(|own| own == flag);
    let all = ["en".to_owned(), "zh-CN".to_owned(), "de".to_owned()];
    let clock = FixedClock::new("2013-09-17T01:02:00[UTC]".parse()?);
    let now = "2013-09-17T01:02:00Z".parse()?;
    let mut rows = Vec::new();
    for code in if languages.is_empty() { &all } else { languages } {
        let language = Language::from_file(&Path::new(package).join(format!("{code}.json")))?;
        let read =
            |end: &str| std::fs::read_to_string(Path::new(data).join(format!("{code}{end}")));
        let homes: Value = serde_json::from_str(&read(".homes.json")?)?;
        let (mut total, mut equal, mut fixture) = (0, 0, String::new());
        let mut dialogue = Dialogue::new(Home::empty(), vec![language.clone()])?;
        for line in read(".jsonl")?.lines() {
            let row: Value = serde_json::from_str(line)?;
            let field = |key: &str| row[key].as_str().unwrap_or_default();
            if fixture != field("fixture") {
                fixture = field("fixture").to_owned();
                let home = Home::from_fixture(homes[&fixture].clone(), &fixture, now)?;
                dialogue = Dialogue::new(home, vec![language.clone()])?
                    .with_clock(Box::new(clock.clone()))
                    .with_wording(Wording::AsTested);
            }
            let area = Some(field("context_area")).filter(|area| !area.is_empty());
            let area = area.filter(|area| *area != "__context_area__").unwrap_or("Living Room");
            let reply = dialogue.rehearse(field("text"), code, Some(area));
            total += 1;
            if reply.text == field("response") {
                equal += 1;
            } else if has("-v") {
                let intent = reply.intent.map(|intent| intent.name);
                eprintln!("{}\n  {intent:?} {:?}", field("text"), reply.response_key);
                eprintln!("  got  {:?}\n  want {:?}", reply.text, field("response"));
            }
        }
        rows.push(json!({ "language": code, "sentences": total, "equal": equal }));
    }
    if has("--json") {
        println!("{}", serde_json::to_string(&rows)?);
        return Ok(());
    }
    println!("{:<10} {:>9} {:>7} {:>8}", "language", "sentences", "equal", "percent");
    for row in rows {
        let (total, equal) = (row["sentences"].as_f64(), row["equal"].as_f64());
        let percent = 100.0 * equal.unwrap_or_default() / total.unwrap_or_default().max(1.0);
        let code = row["language"].as_str().unwrap_or_default();
        println!("{code:<10} {:>9} {:>7} {percent:>8.2}", row["sentences"], row["equal"]);
    }
    Ok(())
}
