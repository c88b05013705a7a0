//! cargo run --release --example make_recordings
//! Speaks the commands of examples/recordings/conversation.toml with Hearken's own voices and keeps
//! them as FLAC files of 16 kHz beside it. `make recordings` fetches the voices first.
#![allow(clippy::print_stdout, reason = "a table for people is what this makes")]

mod synthesis;

use std::path::Path;

use flacenc::component::BitRepr;
use flacenc::error::Verify;
use hearken::audio::{Resampler, SAMPLE_RATE};
use hearken::config::Config;
use hearken::models::{Clients, ModelStore};

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> AnyResult<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recordings");
    let conversation: toml::Table =
        std::fs::read_to_string(folder.join("conversation.toml"))?.parse()?;
    let (config, _) = Config::load(None)?;
    let store = ModelStore::open(None)?;
    let engines = config.engines(&store);
    for command in conversation["command"].as_array().ok_or("no commands")? {
        let field = |name: &str| command[name].as_str().ok_or(format!("{name} is missing"));
        store.pull(&[field("voice")?], &Clients::default(), &())?;
        let mut voice = engines.voice(field("voice")?)?;
        let mut resampler = Resampler::new(voice.sample_rate(), SAMPLE_RATE)?;
        // Somebody who speaks to the house is heard to breathe before and after.
        let mut samples = vec![0.0; SAMPLE_RATE as usize * 2 / 5];
        let spoken = synthesis::spoken(&mut *voice, field("text")?)?;
        resampler.push(&spoken, &mut samples)?;
        resampler.finish(&mut samples)?;
        samples.resize(samples.len() + SAMPLE_RATE as usize, 0.0);
        let path = folder.join(field("file")?);
        std::fs::write(&path, flac(&samples)?)?;
        println!("{}: {:.1} s", path.display(), samples.len() as f64 / f64::from(SAMPLE_RATE));
    }
    Ok(())
}

fn flac(samples: &[f32]) -> AnyResult<Vec<u8>> {
    let mut pcm: Vec<i32> = samples.iter().map(|s| (s * 32767.0).round() as i32).collect();
    let config = flacenc::config::Encoder::default().into_verified().map_err(|(_, e)| e)?;
    // A short last block would be counted as the stream's smallest, which decoders take for a
    // stream of blocks of any size.
    pcm.resize(pcm.len().next_multiple_of(config.block_size), 0);
    let source = flacenc::source::MemSource::from_samples(&pcm, 1, 16, SAMPLE_RATE as usize);
    let stream = flacenc::encode_with_fixed_block_size(&config, source, config.block_size)
        .map_err(|e| format!("{e:?}"))?;
    let mut sink = flacenc::bitsink::ByteSink::new();
    stream.write(&mut sink).map_err(|e| format!("{e:?}"))?;
    Ok(sink.as_slice().to_vec())
}
