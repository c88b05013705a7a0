//! `hearken demo`: a conversation of eight spoken commands, with the home before and after.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use comfy_table::{Table, presets};
use console::style;
use hearken::audio::{FileSource, Speaker};
use hearken::session::{Event, Session};
use serde::Deserialize;
use serde_json::Value;

use super::House;
use super::run::ReplyFile;
use super::turns::{self, Turn, Turns};
use crate::cli::DemoArgs;

/// What is said in the demo.
const CONVERSATION: &str = include_str!("../../examples/recordings/conversation.toml");

macro_rules! recordings {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../../examples/recordings/", $name)))),*]
    };
}

/// The recordings travel in the binary, so that an installed `hearken` has its demo too.
const RECORDINGS: [(&str, &[u8]); 8] = recordings! {
    "1.flac" "2.flac" "3.flac" "4.flac" "5.flac" "6.flac" "7.flac" "8.flac"
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    command: Vec<Command>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    file: String,
    language: String,
    /// The voice that spoke it.
    #[allow(dead_code, reason = "for whoever makes the recordings again")]
    voice: String,
    #[allow(dead_code, reason = "as the voice")]
    text: String,
    state: Option<State>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    entity: String,
    is: String,
}

pub(crate) fn run(house: &House, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let conversation: Conversation =
        toml::from_str(CONVERSATION).context("the demo's conversation is damaged")?;
    let folder = &args.output;
    fs::create_dir_all(folder).with_context(|| {
        format!("cannot make the folder {}; --output names another", folder.display())
    })?;

    let began = Instant::now();
    // The commands are meant for the home that comes with the program.
    let mut house = house.with(None, Some(""));
    house.config.home = hearken::home::Config::default();
    let mut session = Session::new(house.engines()?.stages()?, None);
    let ready = began.elapsed();
    // A speaker is welcome, not needed.
    let mut speaker = if args.no_play { None } else { Speaker::open(&house.config.audio).ok() };
    if !args.json {
        println!(
            "{}\n{}\n",
            style("Eight spoken commands, five in English and three in Chinese.").bold(),
            style(format!("Every engine was ready after {} ms.", ready.as_millis())).dim()
        );
    }

    let before = session.dialogue().home().states();
    let mut done = Vec::new();
    for (number, command) in (1..).zip(&conversation.command) {
        let turn = converse(number, command, folder, &mut session, speaker.as_mut())?;
        let obeyed = obeyed(command, &turn, &session.dialogue().home().states());
        if !args.json {
            turns::print(number, &turn);
        }
        done.push((turn, obeyed));
    }
    let after = session.dialogue().home().states();

    let obeyed = done.iter().filter(|(_, obeyed)| *obeyed).count();
    if args.json {
        let turns: Vec<&Turn> = done.iter().map(|(turn, _)| turn).collect();
        let ready = ready.as_millis() as u64;
        println!(
            "{}",
            serde_json::json!({
                "turns": turns, "obeyed": obeyed, "ready_ms": ready, "before": before, "home": after,
            })
        );
    } else {
        println!("{}\n{}\n", style("What changed in the home").bold(), changes(&before, &after));
        summary(&done, obeyed, folder, speaker.is_some());
    }
    Ok(if obeyed == done.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays one command to the session and keeps the reply as a file.
fn converse(
    number: usize,
    command: &Command,
    folder: &Path,
    session: &mut Session,
    mut speaker: Option<&mut Speaker>,
) -> anyhow::Result<Turn> {
    let recording = RECORDINGS
        .iter()
        .find(|(name, _)| *name == command.file)
        .with_context(|| format!("there is no recording {}", command.file))?;
    let path = folder.join(format!("{number}-command.flac"));
    fs::write(&path, recording.1).with_context(|| format!("cannot write {}", path.display()))?;
    let mut output = ReplyFile::create(&folder.join(format!("{number}-reply.wav")))?;

    let mut collected = Turns::default();
    let mut turn = Turn::default();
    let mut failure = None;
    let mut take = |event: Event| {
        if let Event::Speech(speech) = &event {
            let played = speaker
                .as_deref_mut()
                .map_or(Ok(()), |s| s.play(&speech.samples, speech.sample_rate));
            if let Err(error) = output.push(speech).and(played.map_err(Into::into)) {
                failure.get_or_insert(error);
            }
        }
        // Should a command fall apart into two utterances, the last one counts.
        if let Some(finished) = collected.take(&event) {
            turn = finished;
        }
    };
    let mut source = FileSource::open(&path)?;
    session.hear(&mut source, &mut take)?;
    session.reset_detector();
    if let Some(error) = failure {
        return Err(error);
    }
    output.finish()?;
    if let Some(speaker) = speaker {
        speaker.finish()?;
    }
    Ok(turn)
}

/// Whether the command did what it says: the state is there, or the question was understood.
fn obeyed(command: &Command, turn: &Turn, states: &Value) -> bool {
    let understood = turn.answer.understood() && turn.language == command.language;
    understood
        && command
            .state
            .as_ref()
            .is_none_or(|wanted| states[&wanted.entity]["state"] == wanted.is.as_str())
}

fn changes(before: &Value, after: &Value) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(["device", "before", "after"]);
    for (entity, now) in after.as_object().into_iter().flatten() {
        let then = &before[entity];
        if then != now {
            table.add_row([entity.clone(), shown(then), shown(now)]);
        }
    }
    table
}

fn shown(state: &Value) -> String {
    let mut text = turns::plain(&state["state"]);
    for key in ["brightness", "current_position", "temperature"] {
        if let Some(value) = state["attributes"].get(key).filter(|v| !v.is_null()) {
            text.push_str(&format!(", {key} {value}"));
        }
    }
    text
}

fn summary(done: &[(Turn, bool)], obeyed: usize, folder: &Path, played: bool) {
    let median = |value: &dyn Fn(&Turn) -> Option<f64>| {
        let mut values: Vec<f64> = done.iter().filter_map(|(turn, _)| value(turn)).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    let verdict = format!("{obeyed} of {} commands obeyed.", done.len());
    println!(
        "{}",
        if obeyed == done.len() { style(verdict).green() } else { style(verdict).red() }
    );
    println!(
        "Medians: recognition {:.0} ms, first audio {:.0} ms, end of speech to first audio {:.0} ms.",
        median(&|t| Some(t.timeline_ms.recognition)),
        median(&|t| t.timeline_ms.first_audio),
        median(&|t| t.timeline_ms.voice_to_voice),
    );
    let also = if played { ", and were played" } else { "" };
    println!("The commands and the spoken replies are in {}/{also}.", folder.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conversation_has_its_recordings() {
        let conversation: Conversation = toml::from_str(CONVERSATION).unwrap();
        assert_eq!(conversation.command.len(), RECORDINGS.len());
        for command in &conversation.command {
            let (_, bytes) = RECORDINGS.iter().find(|(name, _)| *name == command.file).unwrap();
            assert_eq!(&bytes[..4], b"fLaC", "{}", command.file);
            assert!(!command.text.is_empty());
        }
        let english = conversation.command.iter().filter(|c| c.language == "en").count();
        assert_eq!(english, 5);
    }
}
