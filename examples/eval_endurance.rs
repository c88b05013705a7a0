//! cargo run --release --example eval_endurance -- [MINUTES] [FOLDER…]
//! Loops all recordings below the folders, louder and softer, through one session as fast as it goes:
//! noise must give no words and no actions, and neither memory nor the time a frame takes may grow.
//! Without a folder HEARKEN_EVAL_DATA/noise/esc10 is taken.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use hearken::audio::{Framer, SampleTime, read_mono_16k};
use hearken::config::Config;
use hearken::models::ModelStore;
use hearken::session::{Event, Session, Voices};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let minutes: u64 = match args.first().and_then(|a| a.parse().ok()) {
        Some(minutes) => {
            args.remove(0);
            minutes
        }
        None => 60,
    };
    let mut folders: Vec<PathBuf> = args.into_iter().map(PathBuf::from).collect();
    if folders.is_empty() {
        let data = std::env::var("HEARKEN_EVAL_DATA").map_err(|_| "name a folder of recordings")?;
        folders.push(Path::new(&data).join("noise/esc10"));
    }
    let mut clips = Vec::new();
    for folder in folders {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
        paths.sort();
        let sound = |p: &PathBuf| p.extension().is_some_and(|e| e == "flac" || e == "wav");
        for path in paths.iter().filter(|p| sound(p)) {
            clips.push(read_mono_16k(path)?);
        }
    }
    let (config, _) = Config::load(None)?;
    let store = ModelStore::open(None)?;
    let mut stages = config.engines(&store).stages()?;
    stages.voices = Voices::none();
    let mut session = Session::new(stages, None);
    let (mut turns, mut worded, mut acted, mut texts) = (0, 0, 0, Vec::new());
    let mut framer = Framer::at(SampleTime(0));
    let (mut done, mut round) = (0_u64, 0_u64);
    let (mut part, mut began) = (0, Instant::now());
    while done < minutes * 60 * 16_000 {
        let clip = &clips[round as usize % clips.len()];
        // From a half to twice as loud, another one in every round.
        let gain = 0.5 * 2_f32.powf((round * 7 % 5) as f32 * 0.5);
        let samples: Vec<f32> = clip.iter().map(|s| (s * gain).clamp(-1.0, 1.0)).collect();
        framer.push(&samples, |frame| {
            session.push(&frame, &mut |event| match event {
                Event::Final { transcript, .. } => {
                    turns += 1;
                    if !transcript.text.is_empty() {
                        worded += 1;
                        texts.push(transcript.text);
                    }
                }
                Event::ReplyText { reply, .. } => acted += usize::from(!reply.actions.is_empty()),
                _ => {}
            });
        });
        (done, round) = (done + samples.len() as u64, round + 1);
        if done / (minutes * 60 * 16_000 / 6).max(1) > part {
            part += 1;
            let audio = minutes as f64 * 10.0;
            let rtf = began.elapsed().as_secs_f64() / audio;
            println!(
                "{:>5.0} min: real-time factor {rtf:.4}, memory {:.0} MB",
                done as f64 / 960_000.0,
                rss_mb()
            );
            began = Instant::now();
        }
    }
    println!("{turns} utterances, {worded} with words, {acted} acted on, in {minutes} minutes");
    texts.sort();
    texts.dedup();
    println!("{texts:?}");
    Ok(())
}

/// The memory that this process holds now; Linux tells it.
fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(f64::NAN, |kb| kb / 1024.0)
}
