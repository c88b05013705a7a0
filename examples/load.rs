//! cargo run --release --example load -- --speakers 4 --cycles 10000 [--door realtime] [--pause-ms 4000] [--pid SERVER] [--json]
//!
//! Speaks to a running `hearken serve`: N people at once, at the speed of speech; then connects and
//! leaves many times. Tells the lag (from the end of the sound to the transcript), how many were told
//! that the server is busy and how soon, and, given its process, its memory and descriptors.
#![allow(clippy::print_stdout, reason = "a table is what this makes")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Parser, ValueEnum};
use hearken::audio::{read_mono_16k, to_s16le};
use hearken::serve::wyoming::Event;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Door {
    Wyoming,
    Realtime,
}

#[derive(Parser)]
struct Args {
    #[arg(long, default_value = "127.0.0.1:10300")]
    wyoming: String,
    #[arg(long, default_value = "127.0.0.1:8765")]
    http: String,
    #[arg(long, value_enum, default_value_t = Door::Wyoming)]
    door: Door,
    #[arg(long, default_value_t = 4)]
    speakers: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each is silent before the next command; 0 lets all speak in the same moment.
    #[arg(long, default_value_t = 0)]
    pause_ms: u64,
    #[arg(long, default_value_t = 0)]
    cycles: usize,
    #[arg(long)]
    pid: Option<u32>,
    #[arg(long)]
    json: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What came of an utterance: a transcript or the news that the server is busy, after so many ms.
enum Told {
    Heard(f64),
    Busy(f64),
}

/// Calls `send` with the sound in pieces of 60 ms at the speed of speech; returns when it ended.
fn at_its_speed(
    sound: &[u8],
    piece: usize,
    mut send: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Instant, Failure> {
    let began = Instant::now();
    for (i, piece) in sound.chunks(piece).enumerate() {
        std::thread::sleep((Duration::from_millis(60) * i as u32).saturating_sub(began.elapsed()));
        send(piece)?;
    }
    Ok(Instant::now())
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn wyoming(server: &str, sound: &[u8]) -> Result<Told, Failure> {
    let mut stream = TcpStream::connect(server)?;
    let form =
        |kind: &str| Event::new(kind).with("rate", 16_000).with("width", 2).with("channels", 1);
    stream.write_all(&Event::new("transcribe").with("language", "en").encode())?;
    let ended = at_its_speed(sound, 1920, |piece| {
        let chunk = Event { payload: piece.to_vec().into(), ..form("audio-chunk") };
        Ok(stream.write_all(&chunk.encode())?)
    })?;
    stream.write_all(&Event::new("audio-stop").encode())?;
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
            Some("transcript") => return Ok(Told::Heard(ms(ended))),
            Some("error") => return Ok(Told::Busy(ms(ended))),
            _ => {}
        }
    }
}

fn realtime(server: &str, sound: &[u8]) -> Result<Told, Failure> {
    let stream = TcpStream::connect(server)?;
    let (mut socket, _) =
        tungstenite::client(format!("ws://{server}/v1/realtime?intent=transcription"), stream)
            .map_err(|error| error.to_string())?;
    let send = |socket: &mut WebSocket<TcpStream>, event: Value| -> Result<(), Failure> {
        Ok(socket.send(Message::text(event.to_string()))?)
    };
    let input = json!({
        "format": { "type": "audio/pcm", "rate": 16000 }, "turn_detection": null,
        "transcription": { "language": "en" },
    });
    let session = json!({ "type": "transcription", "audio": { "input": input } });
    send(&mut socket, json!({ "type": "session.update", "session": session }))?;
    let ended = at_its_speed(sound, 1920, |piece| {
        let audio = STANDARD.encode(piece);
        send(&mut socket, json!({ "type": "input_audio_buffer.append", "audio": audio }))
    })?;
    send(&mut socket, json!({ "type": "input_audio_buffer.commit" }))?;
    loop {
        let Message::Text(text) = socket.read()? else { continue };
        let event: Value = serde_json::from_str(&text)?;
        match event["type"].as_str().unwrap_or_default() {
            "conversation.item.input_audio_transcription.completed" => {
                return Ok(Told::Heard(ms(ended)));
            }
            "conversation.item.input_audio_transcription.failed" => {
                return Ok(Told::Busy(ms(ended)));
            }
            "error" => return Err(event.to_string().into()),
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

fn part(sorted: &[f64], part: f64) -> Option<f64> {
    let at = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).map(|ms| ms.round())
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let mut samples = read_mono_16k("examples/recordings/4.flac")?;
    // A button is let go soon after the last word.
    let end = samples.iter().rposition(|sample| sample.abs() > 0.02).map_or(0, |last| last + 1600);
    samples.truncate(end);
    let sound = to_s16le(&samples);
    let before = size(args.pid);
    let told: Vec<Result<Told, Failure>> = std::thread::scope(|scope| {
        let one = |speaker: usize| {
            let mut told = Vec::new();
            for _ in 0..args.rounds {
                // Spread evenly, as people are who know nothing of each other.
                let share = args.pause_ms * speaker as u64 / args.speakers as u64;
                let wait = if told.is_empty() { share } else { args.pause_ms };
                std::thread::sleep(Duration::from_millis(wait));
                told.push(match args.door {
                    Door::Wyoming => wyoming(&args.wyoming, &sound),
                    Door::Realtime => realtime(&args.http, &sound),
                });
            }
            told
        };
        let speakers: Vec<_> =
            (0..args.speakers).map(|speaker| scope.spawn(move || one(speaker))).collect();
        speakers
            .into_iter()
            .flat_map(|s| s.join().unwrap_or_else(|_| vec![Err("panicked".into())]))
            .collect()
    });
    let (mut lags, mut busy) = (Vec::new(), Vec::new());
    for told in told {
        match told? {
            Told::Heard(ms) => lags.push(ms),
            Told::Busy(ms) => busy.push(ms),
        }
    }
    lags.sort_by(f64::total_cmp);
    busy.sort_by(f64::total_cmp);
    let loaded = size(args.pid);
    let began = Instant::now();
    for _ in 0..args.cycles {
        let mut stream = TcpStream::connect(&args.wyoming)?;
        stream.write_all(&Event::new("ping").encode())?;
        stream.read_exact(&mut [0; 8])?;
    }
    let rate = args.cycles as f64 / began.elapsed().as_secs_f64();
    let result = json!({
        "door": format!("{:?}", args.door).to_lowercase(), "speakers": args.speakers,
        "pause_ms": args.pause_ms, "heard": lags.len(), "p50_ms": part(&lags, 0.5),
        "p95_ms": part(&lags, 0.95), "most_ms": lags.last().map(|ms| ms.round()),
        "busy": busy.len(), "busy_p95_ms": part(&busy, 0.95), "cycles": args.cycles,
        "cycles_per_s": rate.is_finite().then_some(rate),
        "mib_and_descriptors": [before, loaded, size(args.pid)],
    });
    println!(
        "{}",
        if args.json { result.to_string() } else { serde_json::to_string_pretty(&result)? }
    );
    Ok(())
}
