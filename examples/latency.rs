//! cargo run --release --example latency -- [--json] [--rounds N] [FILE…]
//! Where the milliseconds of a turn go, as medians over repeated clips (by default the recordings of
//! the demo), interleaved; the time until everything is ready; and the peak of memory.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::path::PathBuf;
use std::time::Instant;

use hearken::asr::{Config as AsrConfig, Recognizer, Whisper};
use hearken::audio::{Framer, SAMPLE_RATE, read_mono_16k};
use hearken::config::Config;
use hearken::models::ModelStore;
use hearken::session::{Event, Session};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match args.iter().position(|a| a == "--rounds") {
        Some(at) => args.get(at + 1).ok_or("--rounds needs a number")?.parse()?,
        None => 5,
    };
    let named = args.iter().filter(|a| a.contains('.')).map(PathBuf::from);
    let mut clips: Vec<PathBuf> = named.collect();
    if clips.is_empty() {
        clips = (1..=8).map(|n| format!("examples/recordings/{n}.flac").into()).collect();
    }
    let (config, _) = Config::load(None)?;
    let store = ModelStore::open(None)?;

    let began = Instant::now();
    let engines = config.engines(&store);
    let mut session = Session::new(engines.stages()?, None);
    let ready = began.elapsed().as_secs_f64() * 1000.0;

    let mut stages: Vec<(&str, Vec<f64>)> = [
        "endpoint delay",
        "recognition",
        "understanding",
        "first audio",
        "end of speech → first audio",
    ]
    .map(|name| (name, Vec::new()))
    .into();
    let audio = clips.iter().map(read_mono_16k).collect::<Result<Vec<_>, _>>()?;
    for samples in audio.iter().cycle().take(rounds * audio.len()) {
        let mut take = |event: Event| {
            if let Event::TurnFinished { timeline_ms: t, .. } = event {
                let values = [
                    Some(t.endpoint_delay),
                    Some(t.recognition),
                    Some(t.understanding),
                    t.first_audio,
                    t.voice_to_voice,
                ];
                for ((_, kept), value) in stages.iter_mut().zip(values) {
                    kept.extend(value);
                }
            }
        };
        Framer::new().push(samples, |frame| session.push(&frame, &mut take));
        session.finish(&mut take);
        session.reset_detector();
    }
    let peak_mb = peak_mb();
    drop(session);

    // The same clips on the reduced and on the full window, in turn, so that noise hits both.
    let open = |margin| {
        Whisper::open(
            &store.path_of(&config.asr.model)?,
            &AsrConfig { context_margin: margin, ..config.asr.clone() },
        )
        .map_err(Box::<dyn std::error::Error>::from)
    };
    let mut windows = [(open(config.asr.context_margin)?, Vec::new()), (open(1500)?, Vec::new())];
    for samples in audio.iter().cycle().take(rounds.min(3) * audio.len()) {
        for (whisper, times) in &mut windows {
            let began = Instant::now();
            whisper.transcribe(samples, &|| false, &mut drop)?;
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
    let [reduced, full] = windows.map(|(_, mut times)| median(&mut times));
    let mean_s = audio.iter().map(Vec::len).sum::<usize>() as f64
        / audio.len() as f64
        / f64::from(SAMPLE_RATE);

    let mut report = serde_json::Map::new();
    println!("{} clips of {mean_s:.1} s on average, {rounds} rounds, medians", clips.len());
    for (name, values) in &mut stages {
        let ms = median(values);
        println!("{name:<30} {ms:8.1} ms");
        report.insert((*name).into(), ms.into());
    }
    println!(
        "{:<30} {reduced:8.1} ms\n{:<30} {full:8.1} ms ({:.1} times)",
        "recognition, reduced context",
        "recognition, full context",
        full / reduced
    );
    println!("{:<30} {ready:8.0} ms\n{:<30} {peak_mb:8.0} MB", "everything ready", "peak memory");
    if args.iter().any(|a| a == "--json") {
        report.extend(
            [
                ("reduced", reduced),
                ("full", full),
                ("ratio", full / reduced),
                ("ready_ms", ready),
                ("peak_mb", peak_mb),
            ]
            .map(|(k, v)| (k.to_owned(), v.into())),
        );
        println!("{}", serde_json::Value::from(report));
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The most memory that this process ever held; Linux tells it.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(f64::NAN, |kb| kb / 1024.0)
}
