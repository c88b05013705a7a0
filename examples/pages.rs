//! cargo run --release --example pages -- --server 127.0.0.1:8765 --pages 50 [--json]
//!
//! Speaks a command to a running `hearken serve`, at the speed of speech, in turns with no page open and
//! with many, and tells how long the last word is from the first sound of the answer. The server must
//! let so many in: `[serve] max_connections` and `max_per_address`.
#![allow(clippy::print_stdout, reason = "a table is what this makes")]

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use hearken::audio::{read_mono_16k, to_s16le};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

#[derive(Parser)]
struct Args {
    #[arg(long, default_value = "127.0.0.1:8765")]
    server: String,
    #[arg(long, default_value_t = 50)]
    pages: usize,
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    #[arg(long)]
    json: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Socket = WebSocket<TcpStream>;

fn open(server: &str, path: &str) -> Result<Socket, Failure> {
    let stream = TcpStream::connect(server)?;
    let (socket, _) = tungstenite::client(format!("ws://{server}{path}"), stream)?;
    Ok(socket)
}

/// One turn: from the last word to the first sound, in milliseconds.
fn turn(server: &str, sound: &[u8]) -> Result<f64, Failure> {
    let mut socket = open(server, "/v1/stream?language=en")?;
    let began = Instant::now();
    for (i, piece) in sound.chunks(640).enumerate() {
        std::thread::sleep((Duration::from_millis(20) * i as u32).saturating_sub(began.elapsed()));
        socket.send(Message::Binary(piece.to_vec().into()))?;
    }
    loop {
        let message = socket.read()?;
        if let Message::Close(frame) = message {
            return Err(frame.map_or("closed".into(), |frame| frame.reason.to_string()).into());
        }
        if let Message::Text(text) = message {
            let event: Value = serde_json::from_str(&text)?;
            if event["event"] == "turn_finished" {
                let ms = event["timeline_ms"]["voice_to_voice"].as_f64();
                return ms.ok_or_else(|| "nothing was answered".into());
            }
        }
    }
}

/// Pages that read what they are told, until `stop`.
fn look(server: &str, count: usize, stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    for _ in 0..count {
        let mut socket = open(server, "/api/live")?;
        socket.get_ref().set_read_timeout(Some(Duration::from_millis(200)))?;
        let stop = Arc::clone(stop);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let quiet = |error: &tungstenite::Error| matches!(error, tungstenite::Error::Io(own) if own.kind() == std::io::ErrorKind::WouldBlock);
                if socket.read().is_err_and(|error| !quiet(&error)) {
                    return;
                }
            }
        });
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let mut sound = to_s16le(&read_mono_16k("examples/recordings/1.flac")?);
    sound.resize(sound.len() + 2 * 16_000, 0);
    turn(&args.server, &sound)?;
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        alone.push(turn(&args.server, &sound)?);
        let stop = Arc::new(AtomicBool::new(false));
        look(&args.server, args.pages, &stop)?;
        std::thread::sleep(Duration::from_millis(300));
        watched.push(turn(&args.server, &sound)?);
        stop.store(true, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(500));
    }
    let median = |list: &mut Vec<f64>| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    };
    let (alone, watched) = (median(&mut alone), median(&mut watched));
    let result = json!({
        "pages": args.pages, "rounds": args.rounds, "alone_ms": alone, "watched_ms": watched,
        "ratio": watched / alone,
    });
    match args.json {
        true => println!("{result}"),
        false => println!("{}", serde_json::to_string_pretty(&result)?),
    }
    Ok(())
}
