//! cargo run --release --example eval_echo -- FAR NEAR [FAR NEAR …]
//! How much of an echo the canceller takes away (ERLE), second by second: FAR is what a speaker played,
//! NEAR what the microphone heard of it. Without files HEARKEN_EVAL_DATA/noise/echo_x and echo_d.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use hearken::audio::{Cleaner, Config, read_mono_16k};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let mut files: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if files.is_empty() {
        let data = std::env::var("HEARKEN_EVAL_DATA").map_err(|_| "name the two recordings")?;
        let noise = Path::new(&data).join("noise");
        files = vec![noise.join("echo_x.flac"), noise.join("echo_d.flac")];
    }
    for pair in files.chunks_exact(2) {
        let (far, near) = (read_mono_16k(&pair[0])?, read_mono_16k(&pair[1])?);
        let config = Config { echo_cancelling: true, ..Config::default() };
        let mut cleaner = Cleaner::new(&config).ok_or("the canceller is off")?;
        let (mut clean, began) = (Vec::new(), Instant::now());
        cleaner.push_pair(&near, &far, &mut clean);
        let seconds = clean.len() as f64 / 16_000.0;
        let rtf = began.elapsed().as_secs_f64() / seconds;
        let energy =
            |s: &[f32]| s.iter().map(|s| f64::from(s * s)).sum::<f64>() / s.len().max(1) as f64;
        let erle = |range: std::ops::Range<usize>| {
            10.0 * (energy(&near[range.clone()]) / energy(&clean[range]).max(1e-12)).log10()
        };
        let by_second: Vec<String> = (0..clean.len() / 16_000)
            .map(|s| format!("{:.0}", erle(s * 16_000..(s + 1) * 16_000)))
            .collect();
        println!("{}: {seconds:.0} s, real-time factor {rtf:.4}", pair[1].display());
        println!("  dB by second: {}", by_second.join(" "));
        println!("  after two seconds: {:.1} dB", erle(32_000.min(clean.len())..clean.len()));
    }
    Ok(())
}
