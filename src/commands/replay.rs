//! `hearken replay`: the same decisions again, and why.

use std::process::ExitCode;

use console::style;
use hearken::audio::{Framer, read_mono_16k};
use hearken::session::{Event, Note, Record};
use serde_json::Value;

use super::House;
use crate::cli::ReplayArgs;

pub(crate) fn run(house: &House, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let house = house.with(args.home.as_deref(), args.area.as_deref());
    let record = Record::open(&args.folder)?;
    let samples = read_mono_16k(args.folder.join("audio.wav"))?;
    let engines = house.engines()?;
    let mut frames = Vec::new();
    Framer::new().push(&samples, |frame| frames.push(frame));
    let mut events = Vec::new();
    record.replay(
        engines.dialogue()?,
        engines.endpointer(),
        house.area().map(str::to_owned),
        &house.config.session,
        frames.into_iter(),
        &mut |event| events.push(event),
    );
    let then: Vec<Value> = record.events.iter().filter_map(decision).collect();
    let again = events.iter().filter_map(|event| decision(&serde_json::to_value(event).ok()?));
    let again: Vec<Value> = again.collect();
    let differs = (0..then.len().max(again.len())).find(|&n| then.get(n) != again.get(n));
    if args.json {
        let differs = differs.map(|n| [then.get(n), again.get(n)]);
        println!(
            "{}",
            serde_json::json!({ "decisions": again, "same": differs.is_none(), "differs": differs })
        );
    } else {
        explain(&record, &events);
        match differs {
            None => {
                println!("{}", style(format!("All {} decisions are the same.", then.len())).green())
            }
            Some(n) => println!(
                "{}\n  then  {}\n  again {}",
                style(format!(
                    "Decision {} differs; were the home and the settings others?",
                    n + 1
                ))
                .red(),
                then.get(n).map_or_else(|| "nothing".into(), Value::to_string),
                again.get(n).map_or_else(|| "nothing".into(), Value::to_string),
            ),
        }
    }
    Ok(if differs.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What an event decides, without what depends on the machine.
fn decision(event: &Value) -> Option<Value> {
    let name = event["event"].as_str()?;
    let keys: &[&str] = match name {
        "speech_started" | "speech_stopped" => &["at"],
        "final" => &["text", "language"],
        "reply_text" => &["intent"],
        "playback_held" | "playback_resumed" | "playback_stopped" => &[],
        _ => return None,
    };
    let mut decision = serde_json::json!({ "event": name, "turn": event["turn"] });
    for key in keys {
        decision[*key] = event[*key].clone();
    }
    Some(decision)
}

/// Prints the pauses with their reasons between the events.
fn explain(record: &Record, events: &[Event]) {
    let mut pauses = record
        .notes()
        .iter()
        .filter_map(|note| match note {
            Note::Pause { at, text, words, sounds, silence_ms } => {
                Some((*at, text, *words, *sounds, *silence_ms))
            }
            _ => None,
        })
        .peekable();
    let seconds = |at: hearken::audio::SampleTime| format!("{:8.2} s", at.seconds());
    for event in events {
        match event {
            Event::SpeechStarted { turn, at } => {
                println!("{} turn {} begins", seconds(*at), turn.0);
            }
            Event::SpeechStopped { turn, at } => {
                let until = *at + 5 * 16_000;
                while let Some((when, text, words, sounds, silence)) =
                    pauses.next_if(|p| p.0 <= until)
                {
                    let words = serde_json::to_value(words).unwrap_or_default();
                    let words = words.as_str().unwrap_or_default().to_owned();
                    let sounds =
                        sounds.map_or(String::new(), |p| format!(", sounds finished {p:.2}"));
                    println!(
                        "{}   a pause after {text:?}: {words}{sounds}, so {silence} ms",
                        seconds(when)
                    );
                }
                println!("{} turn {} ends", seconds(*at), turn.0);
            }
            Event::Final { transcript, .. } => {
                println!("           heard {:?} ({:.2})", transcript.text, transcript.avg_logprob);
            }
            Event::ReplyText { reply, .. } => {
                let intent = reply.intent.as_ref().map_or("nothing", |intent| intent.name.as_str());
                println!(
                    "           understood {intent} (score {:.2}): {}",
                    reply.score, reply.text
                );
            }
            Event::PlaybackHeld { turn } => {
                println!("           the reply of turn {} is held", turn.0)
            }
            Event::PlaybackResumed { turn } => {
                println!("           the reply of turn {} goes on", turn.0)
            }
            Event::PlaybackStopped { turn } => {
                println!("           the reply of turn {} is broken off", turn.0)
            }
            _ => {}
        }
    }
}
