//! A voice on another machine.

use std::ops::ControlFlow;

use serde_json::json;

use super::{Address, Event, Line, RemoteError};
use crate::audio::AudioError;
use crate::audio::Resampler;
use crate::audio::mono_from_s16le;
use crate::tts::Synthesizer;
use crate::tts::TtsError;

/// A Wyoming server that speaks. It has one speed: its own.
#[derive(Debug)]
pub struct RemoteVoice {
    address: Address,
}

/// Sound of a server on its way to our rate.
#[derive(Debug, Default)]
struct Sound {
    resampler: Option<Resampler>,
    samples: Vec<f32>,
}

impl RemoteVoice {
    /// The rate of what it gives, in Hz, whatever the server's own is.
    pub const RATE: u32 = 24_000;

    /// Asks a server what it can do.
    ///
    /// # Errors
    /// When it cannot be reached, does not speak, or has not this voice.
    pub fn open(address: &str) -> Result<Self, RemoteError> {
        let address = Address::parse(address)?;
        address.must_have("tts", "voice", ("voices", "voice"))?;
        Ok(Self { address })
    }

    fn say(
        &self,
        sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), RemoteError> {
        let mut line = Line::dial(&self.address)?;
        let mut synthesize = Event::new("synthesize").with("text", sentence);
        if let Some(name) = &self.address.name {
            synthesize = synthesize.with("voice", json!({ "name": name }));
        }
        line.send(&synthesize)?;
        let mut sound = Sound::default();
        loop {
            let Some(event) = line.receive(&|| false)? else { return Ok(()) };
            let failed =
                |reason: String| RemoteError::Failed { address: self.address.host.clone(), reason };
            match event.kind.as_str() {
                "audio-chunk" => sound.push(&event).map_err(failed)?,
                "audio-stop" => {
                    sound.finish().map_err(failed)?;
                    let _ = out(&sound.samples);
                    return Ok(());
                }
                _ => continue,
            }
            if !sound.samples.is_empty() && out(&sound.samples).is_break() {
                return Ok(());
            }
        }
    }
}

impl Sound {
    /// Leaves what became of an event in `samples`.
    fn push(&mut self, event: &Event) -> Result<(), String> {
        let number = |key: &str, usual: u64| event.number(key).unwrap_or(usual);
        let (rate, width, channels) =
            (number("rate", 0), number("width", 2), number("channels", 1));
        let (Ok(rate), 2, 1..=8) = (u32::try_from(rate), width, channels) else {
            return Err(format!(
                "its sound has {rate} Hz, {width} bytes a sample and {channels} channels; 2 bytes and 1 to 8 channels are taken"
            ));
        };
        let mono = mono_from_s16le(&event.payload, channels as usize);
        self.samples.clear();
        let plain = |error: AudioError| error.to_string();
        if self.resampler.as_ref().is_none_or(|own| own.input_rate() != rate) {
            self.finish()?;
            self.resampler = Some(Resampler::new(rate, RemoteVoice::RATE).map_err(plain)?);
        }
        match &mut self.resampler {
            Some(resampler) => resampler.push(&mono, &mut self.samples).map_err(plain),
            None => Ok(()),
        }
    }

    /// Leaves what was still on its way in `samples`.
    fn finish(&mut self) -> Result<(), String> {
        self.samples.clear();
        match self.resampler.take() {
            Some(mut resampler) => {
                resampler.finish(&mut self.samples).map_err(|error| error.to_string())
            }
            None => Ok(()),
        }
    }
}

impl Synthesizer for RemoteVoice {
    fn sample_rate(&self) -> u32 {
        Self::RATE
    }

    fn speak(
        &mut self,
        sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        self.say(sentence, out).map_err(|error| TtsError::Remote { reason: error.to_string() })
    }
}
