//! cargo run --release --example eval_spoken -- [--language zh|en] [--count 200] [--snr clean,12]
//!     [--voices ID,…] [--keep FOLDER] [--noise FILE] [--seed N] [--confusions FILE] [--json]
//! Commands of the home that Hearken comes with, drawn from the sentence templates, spoken by the
//! voices in turn and heard by a whole session. A command is accepted when the intent and the slots are
//! those that its text gives. Noise is that of a file, or one over f made here; the ratio is that of
//! the loudest 2048-sample frames. `--keep` keeps the recordings, and takes them from there again.
//! `--confusions` adds what was heard freely and means something else to a table for eval_sounds_like.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

mod noise;
mod synthesis;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use hearken::audio::{Framer, SAMPLE_RATE, SampleTime, WavWriter, read_mono_16k, resampled};
use hearken::config::Config;
use hearken::models::ModelStore;
use hearken::session::{Event, Session, Voices};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

const CHINESE: &str = "kokoro-zf-xiaobei,kokoro-zf-xiaoni,kokoro-zf-xiaoxiao,kokoro-zf-xiaoyi,\
                       kokoro-zm-yunjian,kokoro-zm-yunxi";
const ENGLISH: &str = "kokoro-af-heart,kokoro-af-bella,kokoro-am-michael,kokoro-am-puck,\
                       kokoro-bf-emma,kokoro-bm-george";
/// Half a second before, and what an utterance needs to be over behind.
const SILENCE: [usize; 2] = [8_000, 40_000];

/// Stands where a template has free words.
const FREE: &str = "lorem";
/// Numerals of cheques and calendars.
const OLD_NUMERALS: [char; 16] = [
    '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖', '拾', '佰', '初', '廿', '卅', '丗', '卌',
];

fn main() -> AnyResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1));
    let language = option("--language").map_or("zh", String::as_str);
    let count: usize = option("--count").map_or(Ok(200), |n| n.parse())?;
    let snrs = option("--snr").map_or("clean,12", String::as_str);
    let seed = option("--seed").map_or(Ok(1), |n| n.parse())?;
    let several = if language == "zh" { CHINESE } else { ENGLISH };
    let voices: Vec<&str> = option("--voices").map_or(several, String::as_str).split(',').collect();
    let folder = option("--keep").map(PathBuf::from);
    let background = option("--noise").map_or_else(|| Ok(pink()), read_mono_16k)?;

    let (mut config, _) = Config::load(None)?;
    config.asr.language = language.into();
    config.tts.cache_mb = 0;
    let store = ModelStore::open(None)?;
    let engines = config.engines(&store);
    let sentences = drawn(&engines, language, count, seed)?;
    let mut heard = Vec::new();
    for (n, text) in sentences.iter().enumerate() {
        let voice = voices[n % voices.len()];
        let kept = folder.as_ref().map(|f| f.join(format!("{language}-{seed}-{n:04}-{voice}.wav")));
        heard.push(match kept.as_ref().filter(|path| path.exists()) {
            Some(path) => read_mono_16k(path)?,
            None => speak(&engines, voice, text, kept.as_deref())?,
        });
    }
    let mut confusions = match option("--confusions") {
        Some(path) => Some(File::options().create(true).append(true).open(path)?),
        None => None,
    };
    let home = engines.dialogue()?;
    let mut rows = Vec::new();
    for snr in snrs.split(',') {
        let mut accepted = 0;
        let mut stages = engines.stages()?;
        stages.voices = Voices::none();
        let mut session = Session::new(stages, None);
        let mut framer = Framer::at(SampleTime(0));
        for (n, (text, speech)) in sentences.iter().zip(&heard).enumerate() {
            let wanted = engines.dialogue()?.respond(text, language, None).intent;
            let mixed = match snr {
                "clean" => speech.clone(),
                db => noise::in_noise(speech, &background, db.parse()?),
            };
            let (mut words, mut got, mut freely) = (String::new(), None, String::new());
            framer.push(&mixed, |frame| {
                session.push(&frame, &mut |event| match event {
                    Event::Final { transcript, .. } => {
                        words.push_str(&transcript.text);
                        freely.push_str(transcript.heard.as_ref().unwrap_or(&transcript.text));
                    }
                    Event::ReplyText { reply, .. } => got = got.take().or(reply.intent),
                    _ => {}
                });
            });
            session.reset_detector();
            if let Some(file) = &mut confusions {
                let means =
                    |text| home.understand(text, language, None).map(|m| (m.intent, m.slots));
                if !freely.is_empty() && means(&freely) != means(text) {
                    let voice = voices[n % voices.len()];
                    writeln!(file, "{language}\t{freely}\t{text}\theard ({voice}, {snr})")?;
                }
            }
            let ok = wanted.is_some() && got == wanted;
            accepted += usize::from(ok);
            if !ok {
                let got = got.map_or("nothing".into(), |i| {
                    format!("{} {}", i.name, serde_json::Value::from(i.slots))
                });
                println!("{snr:>6}  {text}  heard {words:?}: {got}");
            }
        }
        let rate = accepted as f64 / sentences.len().max(1) as f64;
        println!("{snr:>6}: {accepted} of {} accepted ({:.1} %)", sentences.len(), 100.0 * rate);
        rows.push(serde_json::json!({ "snr": snr, "accepted": accepted, "of": sentences.len(), "rate": rate }));
    }
    if args.iter().any(|a| a == "--json") {
        println!("{}", serde_json::json!({ "language": language, "rows": rows }));
    }
    Ok(())
}

/// Sentences that mean one command of the home, each intent as often as another.
fn drawn(
    engines: &hearken::session::Engines<'_>,
    language: &str,
    count: usize,
    seed: u64,
) -> AnyResult<Vec<String>> {
    let mut dialogue = engines.dialogue()?;
    let templates = engines.sentences_for(language)?;
    let intents: Vec<String> = templates.intents().map(str::to_owned).collect();
    let mut sentences: Vec<String> = Vec::new();
    let mut round = seed;
    while sentences.len() < count {
        round += 1000;
        let before = sentences.len();
        for (n, intent) in intents.iter().enumerate() {
            let numbers = templates.templates_of(intent);
            let sampler = dialogue.engine(language).sampler(round + n as u64);
            let drawn = sampler.with_free_words(vec![FREE.into()]).one_of(&numbers);
            let Some(text) = drawn.map(|sample| sample.text) else { continue };
            // Free words are not in the grammar, and nobody says a number as cheques have it.
            if text.contains(FREE) || text.contains(OLD_NUMERALS) {
                continue;
            }
            // What the home cannot do is no command of it.
            let reply = dialogue.respond(&text, language, None);
            let same = reply.intent.as_ref().is_some_and(|i| i.name == *intent);
            if same && reply.error.is_none() && !sentences.contains(&text) {
                sentences.push(text);
            }
            dialogue = engines.dialogue()?;
        }
        if sentences.len() == before && round > seed + 1_000_000 {
            return Err(format!("the templates give only {before} sentences").into());
        }
    }
    sentences.truncate(count);
    Ok(sentences)
}

fn speak(
    engines: &hearken::session::Engines<'_>,
    voice: &str,
    text: &str,
    keep: Option<&Path>,
) -> AnyResult<Vec<f32>> {
    let mut voice = engines.voice(voice)?;
    let sound = synthesis::spoken(&mut *voice, text)?;
    let mut speech = vec![0.0; SILENCE[0]];
    speech.extend(resampled(&sound, voice.sample_rate(), SAMPLE_RATE)?);
    speech.resize(speech.len() + SILENCE[1], 0.0);
    if let Some(path) = keep {
        let mut file = WavWriter::create(path, SAMPLE_RATE)?;
        file.push(&speech)?;
        file.finish()?;
    }
    Ok(speech)
}

/// Ten seconds of noise whose power falls with the frequency, the same in every run.
fn pink() -> Vec<f32> {
    let mut state = 1_u64;
    let mut white = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    // Three one-pole filters whose corners are a decade apart, summed.
    let mut poles = [0.0_f32; 3];
    let corners = [0.997, 0.97, 0.7];
    let mut sample = move || {
        let w = white();
        for (pole, a) in poles.iter_mut().zip(corners) {
            *pole = a * *pole + (1.0 - a) * w;
        }
        0.1 * (6.0 * poles[0] + 2.0 * poles[1] + poles[2])
    };
    (0..10 * SAMPLE_RATE).map(|_| sample()).collect()
}
