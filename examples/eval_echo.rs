//! cargo run --release --example eval_echo -- [FAR NEAR VOICE]
//! How much of an echo the canceller takes away (ERLE), where nobody speaks over it: FAR is what a
//! speaker played, NEAR what the microphone heard, VOICE the near-end voice in it. Without files it is
//! HEARKEN_EVAL_DATA/noise/echo_x, echo_d and echo_male.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use hearken::audio::{Cleaner, Config, read_mono_16k};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const BLOCK: usize = 1600;

fn main() -> AnyResult<()> {
    let mut files: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        let data = std::env::var("HEARKEN_EVAL_DATA").map_err(|_| "name the three recordings")?;
        let noise = Path::new(&data).join("noise");
        files = ["echo_x", "echo_d", "echo_male"].map(|n| noise.join(format!("{n}.flac"))).into();
    }
    let [far, near, voice] = &files[..] else { return Err("name FAR, NEAR and VOICE".into()) };
    let (far, near, voice) = (read_mono_16k(far)?, read_mono_16k(near)?, read_mono_16k(voice)?);
    let config = Config { echo_cancelling: true, ..Config::default() };
    let mut cleaner = Cleaner::new(&config).ok_or("the canceller is off")?;
    let (mut clean, began) = (Vec::new(), Instant::now());
    cleaner.push_pair(&near, &far, &mut clean);
    let seconds = clean.len() as f64 / 16_000.0;
    let rtf = began.elapsed().as_secs_f64() / seconds;
    let energy = |s: &[f32]| s.iter().map(|s| f64::from(s * s)).sum::<f64>();
    let most = |s: &[f32]| s.chunks(BLOCK).map(energy).fold(0.0, f64::max);
    let (loud_voice, loud_far) = (most(&voice), most(&far));
    let (mut before, mut after, mut alone, mut both) = (0.0, 0.0, 0, (0.0, 0.0));
    println!("block: echo alone (e) or under a voice (v), and what was taken away in dB");
    for (n, block) in clean.chunks_exact(BLOCK).enumerate() {
        let at = n * BLOCK..(n + 1) * BLOCK;
        let talks = voice.get(at.clone()).is_some_and(|v| energy(v) > loud_voice * 1e-4);
        let plays = far.get(at.clone()).is_some_and(|f| energy(f) > loud_far * 1e-3);
        let (heard, left) = (energy(&near[at]), energy(block));
        if talks {
            both = (both.0 + heard, both.1 + left);
        } else if plays && n >= 10 {
            (before, after, alone) = (before + heard, after + left, alone + 1);
        }
        let kind = if talks {
            'v'
        } else if plays {
            'e'
        } else {
            '-'
        };
        print!("{kind}{:.0} ", 10.0 * (heard / left.max(1e-12)).log10());
    }
    println!("\n{seconds:.0} s, real-time factor {rtf:.4}");
    let db = |before: f64, after: f64| 10.0 * (before / f64::max(after, 1e-12)).log10();
    println!(
        "echo alone, after one second: {:.1} dB less in {alone} blocks of 100 ms",
        db(before, after)
    );
    println!("under a voice: {:.1} dB less", db(both.0, both.1));
    Ok(())
}
