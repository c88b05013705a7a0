//! cargo run --release --example eval_echo -- [--json] [FAR NEAR VOICE]
//! How much of an echo the canceller takes away (ERLE), where nobody speaks over it: FAR is what a
//! speaker played, NEAR what the microphone heard, VOICE the near-end voice in it. Without files it is
//! HEARKEN_EVAL_DATA/noise/echo_x, echo_d and echo_male. Then the demo's commands, spoken over the assistant's own
//! voice in a room made here, at several ratios of command to echo: how many are obeyed as without echo, with
//! the canceller and without. In the second table the assistant falls silent 400 ms after the command began, as it
//! does when somebody speaks.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

mod synthesis;

use std::path::{Path, PathBuf};
use std::time::Instant;

use hearken::audio::{Cleaner, Config, Framer, SAMPLE_RATE, SampleTime, read_mono_16k, resampled};
use hearken::dialogue::Understood;
use hearken::models::ModelStore;
use hearken::session::{Event, Session, Voices};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const BLOCK: usize = 1600;

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut files: Vec<PathBuf> =
        args.iter().filter(|a| !a.starts_with("--")).map(PathBuf::from).collect();
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
    let rows = commands(&config)?;
    if args.iter().any(|a| a == "--json") {
        let erle = db(before, after);
        println!("{}", serde_json::json!({ "erle_db": erle, "rtf": rtf, "commands": rows }));
    }
    Ok(())
}

/// What is said by the assistant while it is spoken over.
const OWN: &str = "The front door is locked and the heating is set to twenty one degrees. Tomorrow will be cloudy with \
    some rain in the afternoon. Your first meeting begins at nine thirty in the small room upstairs.";
/// The command begins so long after the assistant.
const LEAD: usize = 4 * SAMPLE_RATE as usize;

/// Commands over the assistant's own voice.
fn commands(cleaning: &Config) -> AnyResult<Vec<serde_json::Value>> {
    let config = hearken::config::Config::default();
    let store = ModelStore::open(None)?;
    let engines = config.engines(&store);
    let mut voice = engines.voice_for("en")?;
    let own = synthesis::spoken(&mut *voice, OWN)?;
    let far = resampled(&own, voice.sample_rate(), SAMPLE_RATE)?;
    let echo = in_a_room(&far);
    let mut stages = engines.stages()?;
    stages.voices = Voices::none();
    let mut session = Session::new(stages, None);
    let mut at = SampleTime(0);
    let power = |s: &[f32]| s.iter().map(|s| s * s).sum::<f32>() / s.len().max(1) as f32;
    let clips = (1..=8).map(|n| read_mono_16k(format!("examples/recordings/{n}.flac")));
    let clips = clips.collect::<Result<Vec<_>, _>>()?;
    let expected: Vec<_> = clips.iter().map(|clip| obeyed(&mut session, &mut at, clip)).collect();
    let mut rows = Vec::new();
    for stops in [false, true] {
        let when = if stops { ", which stops after 400 ms" } else { "" };
        println!("\ncommand over echo{when}: obeyed as alone without / with the canceller");
        for ratio in [-10.0_f32, 0.0, 10.0, 20.0] {
            let (mut without, mut with) = (0, 0);
            for (clip, expected) in clips.iter().zip(&expected) {
                let level = (power(clip) / power(&echo) / 10_f32.powf(ratio / 10.0)).sqrt();
                let mut played = far.clone();
                if stops {
                    played[LEAD + 2 * SAMPLE_RATE as usize / 5..].fill(0.0);
                }
                let mut near: Vec<f32> = in_a_room(&played).iter().map(|s| s * level).collect();
                let most = near.len().saturating_sub(LEAD);
                let spoken = &clip[..clip.len().min(most)];
                near[LEAD..].iter_mut().zip(spoken).for_each(|(near, s)| *near += s);
                let mut cleaner = Cleaner::new(cleaning).ok_or("the canceller is off")?;
                let mut clean = Vec::new();
                cleaner.push_pair(&near, &played, &mut clean);
                let part = LEAD - SAMPLE_RATE as usize / 5..(LEAD + spoken.len()).min(clean.len());
                let mut obeys = |sound: &[f32]| {
                    usize::from(obeyed(&mut session, &mut at, &sound[part.clone()]) == *expected)
                };
                without += obeys(&near);
                with += obeys(&clean);
            }
            println!("{ratio:>12} dB   {without} / {with} of {}", clips.len());
            rows.push(serde_json::json!({
                "ratio_db": ratio, "stops": stops, "of": clips.len(),
                "without": without, "with": with,
            }));
        }
    }
    Ok(rows)
}

/// What a session understands of `sound`.
fn obeyed(session: &mut Session, at: &mut SampleTime, sound: &[f32]) -> Option<Understood> {
    let mut understood = None;
    let mut framer = Framer::at(*at);
    // Silence that ends whatever was begun.
    let mut whole = sound.to_vec();
    whole.resize(sound.len() + 5 * SAMPLE_RATE as usize / 2, 0.0);
    framer.push(&whole, |frame| {
        *at = frame.at + frame.samples.len() as u64;
        session.push(&frame, &mut |event| {
            if let Event::ReplyText { reply, .. } = event {
                understood = understood.take().or(reply.intent);
            }
        });
    });
    session.reset_detector();
    understood
}

/// The sound of a loudspeaker as a microphone two metres away hears it: 40 ms later, with reflections that die away
/// by 60 dB in 0.3 s.
fn in_a_room(far: &[f32]) -> Vec<f32> {
    let (delay, tail) = (640, SAMPLE_RATE as usize * 3 / 10);
    let mut seed = 9_u32;
    let mut response = vec![0.0_f32; tail];
    for (n, tap) in response.iter_mut().enumerate().step_by(7) {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (seed >> 8) as f32 / 8_388_608.0 - 1.0;
        *tap = 0.3 * noise * 10_f32.powf(-3.0 * n as f32 / tail as f32);
    }
    response[0] = 1.0;
    let mut near = vec![0.0; far.len()];
    for (n, tap) in response.iter().enumerate().filter(|(_, tap)| **tap != 0.0) {
        let moved = near.iter_mut().skip(delay + n);
        moved.zip(far).for_each(|(near, far)| *near += tap * far);
    }
    near
}
