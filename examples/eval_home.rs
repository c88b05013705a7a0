//! cargo run --release --example eval_home -- DIR [--json]
//! DIR holds home.yaml and wav/, whose file names are the words said (`oov_*` must give nothing);
//! without it HEARKEN_EVAL_DATA/home_en is taken. A command is right when the recording gives the
//! intent and the slots that its words give.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::path::PathBuf;

use hearken::audio::FileSource;
use hearken::config::Config;
use hearken::models::ModelStore;
use hearken::session::{Event, Session};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let named = args.iter().find(|a| !a.starts_with("--")).map(PathBuf::from);
    let data = || std::env::var("HEARKEN_EVAL_DATA").map(|d| PathBuf::from(d).join("home_en"));
    let folder = match named {
        Some(folder) => folder,
        None => {
            data().map_err(|_| "name the folder of the recordings, or set HEARKEN_EVAL_DATA")?
        }
    };
    let (mut config, _) = Config::load(None)?;
    config.asr.language = "en".into();
    config.home.file = Some(folder.join("home.yaml"));
    let store = ModelStore::open(None)?;
    let engines = config.engines(&store);
    let mut stages = engines.stages()?;
    stages.voices = hearken::session::Voices::none();
    let mut session = Session::new(stages, None);

    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("wav"))?
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let (mut right, mut false_accepts, mut commands) = (0, 0, 0);
    for file in &files {
        let words = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let outside = words.starts_with("oov_");
        let wanted =
            if outside { None } else { engines.dialogue()?.respond(&words, "en", None).intent };
        let (mut heard, mut got) = (String::new(), None);
        let mut take = |event: Event| match event {
            Event::Final { transcript, .. } => heard.push_str(&transcript.text),
            Event::ReplyText { reply, .. } => got = got.take().or(reply.intent),
            _ => {}
        };
        let mut source = FileSource::open(file)?;
        session.hear(&mut source, &mut take)?;
        session.reset_detector();
        let ok = if outside { got.is_none() } else { wanted.is_some() && got == wanted };
        commands += usize::from(!outside);
        right += usize::from(ok && !outside);
        false_accepts += usize::from(outside && !ok);
        let intent = got.map_or("nothing".into(), |i| {
            format!("{} {}", i.name, serde_json::Value::from(i.slots))
        });
        println!("{} {words:<50} heard {heard:?}: {intent}", if ok { "ok   " } else { "WRONG" });
    }
    println!(
        "{right} of {commands} commands right, {false_accepts} of {} others acted on",
        files.len() - commands
    );
    if args.iter().any(|a| a == "--json") {
        println!(
            "{}",
            serde_json::json!({ "right": right, "commands": commands, "false_accepts": false_accepts })
        );
    }
    Ok(())
}
