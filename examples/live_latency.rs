//! cargo run --release --example live_latency -- [--json] [--rounds N] [--snr DB] [--events] [--quiet S] [FILE…]
//! Recorded commands (by default the demo's) through the live session at their own speed, with gaps of
//! 0.5 to 3 s and room noise: how long from the end of speech to the endpoint, the text and the first
//! audible reply, how often somebody is cut off and how many are missed. HEARKEN_EVAL_DATA adds home_en.
//! Before the first command it is quiet for 45 s (--quiet), as in a home that was started a minute ago.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use hearken::audio::{WavWriter, read_mono_16k};
use hearken::config::Config;
use hearken::models::ModelStore;
use hearken::session::{Devices, Event, Session};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const RATE: f64 = 16_000.0;

/// Where a command is spoken in the stream, in seconds.
struct Said {
    name: String,
    start: f64,
    end: f64,
}

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: f64| -> AnyResult<f64> {
        match args.iter().position(|a| a == name) {
            Some(at) => {
                Ok(args.get(at + 1).ok_or_else(|| format!("{name} needs a number"))?.parse()?)
            }
            None => Ok(default),
        }
    };
    let (rounds, snr) = (option("--rounds", 2.0)? as usize, option("--snr", 20.0)?);
    let quiet = option("--quiet", 45.0)?;
    let mut files: Vec<PathBuf> = args
        .iter()
        .filter(|a| a.ends_with(".flac") || a.ends_with(".wav"))
        .map(Into::into)
        .collect();
    if files.is_empty() {
        files = (1..=8).map(|n| format!("examples/recordings/{n}.flac").into()).collect();
        if let Ok(data) = std::env::var("HEARKEN_EVAL_DATA") {
            let folder = Path::new(&data).join("home_en/wav");
            let found = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path()));
            let mut found = found.collect::<Result<Vec<_>, _>>()?;
            found.retain(|path| !path.to_string_lossy().contains("oov_"));
            found.sort();
            files.append(&mut found);
        }
    }
    let folder = tempfile::tempdir()?;
    let (input, output) = (folder.path().join("in.wav"), folder.path().join("out.wav"));
    let said = compose(&files, rounds, snr, quiet, &input)?;

    let (mut config, _) = Config::load(None)?;
    config.audio.input = Some(format!("file:{}", input.display()));
    config.audio.output = Some(format!("file:{}", output.display()));
    let store = ModelStore::open(None)?;
    let stages = config.engines(&store).stages()?;
    stages.dialogue.lock().warm_up();
    let mut session = Session::new(stages, None).with_config(&config.session);
    // What is the first time costs more than it ever does again.
    session.say("Ready.", "en", &mut drop);
    session.say("好了。", "zh", &mut drop);
    session.finish(&mut drop);
    session.speak_ahead(config.tts.voices.keys().map(String::as_str));

    let began = Instant::now();
    let devices = Devices::open(&config.audio, true, Arc::new(AtomicBool::new(false)))?;
    let mut events = Vec::new();
    session
        .converse_on(devices, &mut |event| events.push((began.elapsed().as_secs_f64(), event)))?;
    if args.iter().any(|a| a == "--events") {
        for (at, event) in &events {
            println!("{at:8.3} {event:?}");
        }
    }
    report(&said, &events, &read_mono_16k(&output)?, args.iter().any(|a| a == "--json"));
    Ok(())
}

/// All commands in turn with gaps between them, in noise `snr` dB below the mean of the commands.
fn compose(
    files: &[PathBuf],
    rounds: usize,
    snr: f64,
    quiet: f64,
    path: &Path,
) -> AnyResult<Vec<Said>> {
    let clips = files.iter().map(read_mono_16k).collect::<Result<Vec<_>, _>>()?;
    let mut seed = 7_u32;
    let mut chance = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(seed >> 8) / f64::from(1 << 24)
    };
    let (mut stream, mut said) = (vec![0.0_f32; ((1.0 + quiet) * RATE) as usize], Vec::new());
    for _ in 0..rounds {
        for (clip, file) in clips.iter().zip(files) {
            let loud = |block: &[f32]| block.iter().map(|s| s * s).sum::<f32>();
            let blocks: Vec<f32> = clip.chunks(320).map(loud).collect();
            let most = blocks.iter().copied().fold(0.0, f32::max);
            // Old recordings have noise of their own.
            let mut sorted = blocks.clone();
            sorted.sort_by(f32::total_cmp);
            let noise = sorted.get(sorted.len() / 10).copied().unwrap_or(0.0);
            let spoken = |energy: &f32| *energy > (most * 2e-3).max(noise * 10.0);
            let first = blocks.iter().position(spoken).unwrap_or(0);
            let last = blocks.iter().rposition(spoken).unwrap_or(0) + 1;
            let at = stream.len() as f64 / RATE;
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            said.push(Said { name, start: at + first as f64 * 0.02, end: at + last as f64 * 0.02 });
            stream.extend_from_slice(&clip[..(last * 320).min(clip.len())]);
            let gap = (0.5 + 2.5 * chance()) * RATE;
            stream.resize(stream.len() + gap as usize, 0.0);
        }
    }
    stream.resize(stream.len() + 3 * RATE as usize, 0.0);
    let speech: f64 = clips.iter().flatten().map(|s| f64::from(*s) * f64::from(*s)).sum();
    let mean = speech / clips.iter().map(Vec::len).sum::<usize>() as f64;
    let level = (mean / 10_f64.powf(snr / 10.0) * 3.0).sqrt();
    // Room noise is mostly low; one pole makes it so.
    let mut low = 0.0;
    for sample in &mut stream {
        low += 0.2 * (level * 3.0 * (2.0 * chance() - 1.0) - low);
        *sample += low as f32;
    }
    let mut wav = WavWriter::create(path, RATE as u32)?;
    wav.push(&stream)?;
    wav.finish()?;
    Ok(said)
}

fn report(said: &[Said], events: &[(f64, Event)], heard: &[f32], json: bool) {
    // Where the speaker begins to sound after silence.
    let mut onsets = Vec::new();
    let mut silent = 0;
    for (n, block) in heard.chunks(80).enumerate() {
        let sounds = block.iter().any(|s| s.abs() > 0.003);
        if sounds && silent >= 4 {
            onsets.push(n as f64 * 0.005);
        }
        silent = if sounds { 0 } else { silent + 1 };
    }
    let names = ["endpoint delay", "speech → final text", "voice to voice"];
    let mut delays = [const { Vec::new() }; 3];
    let (mut cut, mut missed) = (0, 0);
    for (n, command) in said.iter().enumerate() {
        let until = said.get(n + 1).map_or(f64::MAX, |next| next.start);
        let within = |at: &f64| (command.start..until).contains(at);
        let mut stops = events.iter().filter_map(|(wall, event)| match event {
            Event::SpeechStopped { at, .. } if within(&at.seconds()) => Some((*wall, at.seconds())),
            _ => None,
        });
        let early = stops.clone().any(|(_, at)| at < command.end - 0.2);
        cut += usize::from(early);
        let Some((wall, _)) = stops.find(|(_, at)| *at >= command.end - 0.2) else {
            missed += usize::from(!early);
            println!("   {} {:?}", if early { "cut off" } else { "missed" }, command.name);
            continue;
        };
        delays[0].push(wall - command.end);
        let text = events.iter().find_map(|(at, event)| match event {
            Event::Final { transcript, .. } if *at >= wall => Some((*at, &transcript.text)),
            _ => None,
        });
        delays[1].extend(text.map(|(at, _)| at - command.end));
        let reply = onsets.iter().find(|at| **at > wall - 0.02 && **at < until + 0.6);
        delays[2].extend(reply.map(|at| at - command.end));
        if !json {
            let ms = |at: Option<f64>| {
                at.map_or("–".into(), |at| format!("{:.0}", (at - command.end) * 1e3))
            };
            println!(
                "{:>6} {:>6} {:>6} ms  {:<45} {:?}",
                ms(Some(wall)),
                ms(text.map(|(at, _)| at)),
                ms(reply.copied()),
                command.name,
                text.map(|(_, text)| text)
            );
        }
    }
    let mut result = serde_json::Map::new();
    for (name, delays) in names.iter().zip(&mut delays) {
        delays.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let last = delays.len().saturating_sub(1) as f64;
            delays.get((last * share).round() as usize).map_or(f64::NAN, |s| (s * 1e3).round())
        };
        println!(
            "{name:<22} median {:>5} ms, p95 {:>5} ms ({} of {})",
            at(0.5),
            at(0.95),
            delays.len(),
            said.len()
        );
        result.insert(
            (*name).into(),
            serde_json::json!({ "median_ms": at(0.5), "p95_ms": at(0.95), "count": delays.len() }),
        );
    }
    println!("{cut} cut off, {missed} missed, of {}", said.len());
    result.extend(
        [("commands", said.len()), ("cut_off", cut), ("missed", missed)]
            .map(|(k, v)| (k.to_owned(), v.into())),
    );
    if json {
        println!("{}", serde_json::Value::from(result));
    }
}
