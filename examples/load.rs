//! cargo run --release --example load -- --speakers 4 --cycles 10000 [--pid SERVER] [--json]
//!
//! Speaks to a running `hearken serve` over Wyoming: N people at once, at the speed of speech; then
//! connects and leaves many times. Tells the lag (from the end of the sound to the transcript), how many
//! were told that the server is busy, and, given its process, its memory and descriptors.
#![allow(clippy::print_stdout, reason = "a table is what this makes")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use clap::Parser;
use hearken::audio::{read_mono_16k, to_s16le};
use hearken::serve::wyoming::Event;
use serde_json::{Value, json};

#[derive(Parser)]
struct Args {
    #[arg(long, default_value = "127.0.0.1:10300")]
    server: String,
    #[arg(long, default_value_t = 4)]
    speakers: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[arg(long, default_value_t = 0)]
    cycles: usize,
    #[arg(long)]
    pid: Option<u32>,
    #[arg(long)]
    json: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One utterance; the milliseconds to its transcript, or none when the server was busy.
fn speak(server: &str, sound: &[u8]) -> Result<Option<f64>, Failure> {
    let mut stream = TcpStream::connect(server)?;
    let form =
        |kind: &str| Event::new(kind).with("rate", 16_000).with("width", 2).with("channels", 1);
    stream.write_all(&Event::new("transcribe").with("language", "en").encode())?;
    let began = Instant::now();
    for (i, piece) in sound.chunks(1920).enumerate() {
        std::thread::sleep((Duration::from_millis(60) * i as u32).saturating_sub(began.elapsed()));
        stream
            .write_all(&Event { payload: piece.to_vec().into(), ..form("audio-chunk") }.encode())?;
    }
    stream.write_all(&Event::new("audio-stop").encode())?;
    let ended = Instant::now();
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err("closed".into());
        }
        let header: Value = serde_json::from_str(&line)?;
        let mut data = vec![0; header["data_length"].as_u64().unwrap_or(0) as usize];
        reader.read_exact(&mut data)?;
        match header["type"].as_str() {
            Some("transcript") => return Ok(Some(ended.elapsed().as_secs_f64() * 1000.0)),
            Some("error") => return Ok(None),
            _ => {}
        }
    }
}

/// Resident memory in MiB and open descriptors of the server.
fn size(pid: Option<u32>) -> Option<(u64, usize)> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid?)).ok()?;
    let kb = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
    Some((kb? / 1024, std::fs::read_dir(format!("/proc/{}/fd", pid?)).ok()?.count()))
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let sound = to_s16le(&read_mono_16k("examples/recordings/4.flac")?);
    let before = size(args.pid);
    let mut lags: Vec<f64> = Vec::new();
    let mut busy = 0;
    for _ in 0..args.rounds {
        let told: Vec<Result<Option<f64>, Failure>> = std::thread::scope(|scope| {
            let speakers: Vec<_> =
                (0..args.speakers).map(|_| scope.spawn(|| speak(&args.server, &sound))).collect();
            speakers
                .into_iter()
                .map(|s| s.join().unwrap_or_else(|_| Err("panicked".into())))
                .collect()
        });
        for lag in told {
            match lag? {
                Some(ms) => lags.push(ms),
                None => busy += 1,
            }
        }
    }
    lags.sort_by(f64::total_cmp);
    let at = |part: f64| {
        lags.get(((lags.len() as f64 * part) as usize).min(lags.len().saturating_sub(1))).copied()
    };
    let loaded = size(args.pid);
    let began = Instant::now();
    for _ in 0..args.cycles {
        let mut stream = TcpStream::connect(&args.server)?;
        stream.write_all(&Event::new("ping").encode())?;
        stream.read_exact(&mut [0; 8])?;
    }
    let rate = args.cycles as f64 / began.elapsed().as_secs_f64();
    let result = json!({
        "speakers": args.speakers, "heard": lags.len(), "busy": busy, "p50_ms": at(0.5), "p95_ms": at(0.95),
        "cycles": args.cycles, "cycles_per_s": rate, "mib_and_descriptors": [before, loaded, size(args.pid)],
    });
    println!(
        "{}",
        if args.json { result.to_string() } else { serde_json::to_string_pretty(&result)? }
    );
    Ok(())
}
