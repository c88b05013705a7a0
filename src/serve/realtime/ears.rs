//! The sound that comes in: to 16 kHz, and cut into utterances or kept until it is committed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::settings::{Format, Settings};
use crate::audio::AudioError;
use crate::audio::Resampler;
use crate::audio::SAMPLE_RATE;
use crate::audio::SampleTime;
use crate::audio::resampled;
use crate::session::EngineError;
use crate::session::Listened;
use crate::session::Listener;
use crate::session::Shared;

/// The most that is kept for a commit: five minutes.
const MOST: usize = 300 * SAMPLE_RATE as usize;
/// The least that can be committed: a tenth of a second.
const LEAST: usize = SAMPLE_RATE as usize / 10;

/// Why sound is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum EarError {
    #[error("the buffer holds {0} ms of sound; at least 100 ms are needed for a commit")]
    TooShort(usize),
    #[error("the buffer is full: commit or clear it")]
    Full,
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<AudioError> for EarError {
    fn from(error: AudioError) -> Self {
        Self::Engine(error.into())
    }
}

/// The sound of one session.
#[derive(Debug)]
pub(super) struct Ears {
    format: Format,
    resampler: Resampler,
    /// Where turns are detected.
    listener: Option<Listener>,
    /// What the listener, or the buffer, counts from.
    since: SampleTime,
    /// The byte of a sample whose other byte is still to come.
    half: Option<u8>,
    /// What is not committed, where turns are not detected.
    buffer: Vec<f32>,
    samples: Vec<f32>,
}

impl Ears {
    pub(super) fn new(shared: &Shared, settings: &Settings) -> Result<Self, EarError> {
        Ok(Self {
            format: settings.input,
            resampler: Resampler::new(settings.input.rate(), SAMPLE_RATE)?,
            listener: listener(shared, settings)?,
            since: SampleTime::default(),
            half: None,
            buffer: Vec::new(),
            samples: Vec::new(),
        })
    }

    /// Takes other settings from here on. What was not committed stays where turns are detected neither before nor
    /// after; else it belongs to the old way of listening and is dropped.
    pub(super) fn retune(&mut self, shared: &Shared, settings: &Settings) -> Result<(), EarError> {
        if self.format != settings.input {
            self.format = settings.input;
            self.half = None;
            self.resampler = Resampler::new(settings.input.rate(), SAMPLE_RATE)?;
        }
        let heard = self.now();
        let listener = listener(shared, settings)?;
        // Where nothing detects turns before and after, the buffer goes on.
        if self.listener.is_some() || listener.is_some() {
            self.since = heard;
            self.buffer.clear();
        }
        self.listener = listener;
        Ok(())
    }

    /// Forgets all sound that is not committed.
    pub(super) fn clear(&mut self, shared: &Shared, settings: &Settings) -> Result<(), EarError> {
        self.since = self.now();
        self.half = None;
        self.buffer.clear();
        self.listener = listener(shared, settings)?;
        Ok(())
    }

    /// Takes sound as it came.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        out: &mut dyn FnMut(Listened),
    ) -> Result<(), EarError> {
        self.samples.clear();
        let joined;
        let bytes = match (self.format, self.half.take()) {
            (Format::Pcm(_), Some(first)) => {
                joined = [&[first], bytes].concat();
                &joined[..]
            }
            _ => bytes,
        };
        let whole = match self.format {
            Format::Pcm(_) => bytes.len() / 2 * 2,
            Format::Law(_) => bytes.len(),
        };
        self.half = bytes.get(whole).copied();
        self.resampler.push(&self.format.decode(&bytes[..whole]), &mut self.samples)?;
        match &mut self.listener {
            Some(listener) => listener.push(&self.samples, out),
            None if self.buffer.len() + self.samples.len() > MOST => return Err(EarError::Full),
            None => self.buffer.extend_from_slice(&self.samples),
        }
        Ok(())
    }

    /// What was said so far is a turn: the buffer, or, where turns are detected, an utterance for `out`.
    pub(super) fn commit(
        &mut self,
        shared: &Shared,
        settings: &Settings,
        out: &mut dyn FnMut(Listened),
    ) -> Result<Option<Arc<[f32]>>, EarError> {
        let Some(old) = &mut self.listener else {
            if self.buffer.len() < LEAST {
                return Err(EarError::TooShort(self.buffer.len() * 1000 / SAMPLE_RATE as usize));
            }
            let audio: Arc<[f32]> = std::mem::take(&mut self.buffer).into();
            self.since = self.since + audio.len() as u64;
            return Ok(Some(audio));
        };
        let new = listener(shared, settings)?;
        let mut any = false;
        old.finish(&mut |heard| {
            any |= matches!(heard, Listened::Utterance { .. });
            out(heard);
        });
        let ms = old.now().ms() as usize;
        self.since = self.now();
        self.listener = new;
        if any { Ok(None) } else { Err(EarError::TooShort(ms.min(99))) }
    }

    fn now(&self) -> SampleTime {
        let inside = match &self.listener {
            Some(listener) => listener.now().0,
            None => self.buffer.len() as u64,
        };
        self.since + inside
    }

    /// Milliseconds of sound so far.
    pub(super) fn now_ms(&self) -> u64 {
        self.now().ms()
    }

    /// A listener's time in milliseconds of the session.
    pub(super) fn ms(&self, at: SampleTime) -> u64 {
        (self.since + at.0).ms()
    }
}

/// Sound that came whole with an item, in base64.
///
/// # Errors
/// Why it is none.
pub(super) fn decoded(audio: &str, settings: &Settings) -> Result<Arc<[f32]>, String> {
    let bytes =
        STANDARD.decode(audio).map_err(|_| "content.audio: this is no base64".to_owned())?;
    let samples = settings.input.decode(&bytes);
    let samples = resampled(&samples, settings.input.rate(), SAMPLE_RATE);
    let samples = samples.map_err(|error| error.to_string())?;
    match samples.len() {
        0..LEAST => Err("content.audio: less than 100 ms of sound".into()),
        LEAST..=MOST => Ok(samples.into()),
        _ => Err("content.audio: more than five minutes of sound".into()),
    }
}

fn listener(shared: &Shared, settings: &Settings) -> Result<Option<Listener>, EarError> {
    let Some(turns) = &settings.turns else { return Ok(None) };
    let mut detect = shared.detect_settings().clone();
    detect.start_threshold = turns.threshold;
    detect.stop_threshold = (turns.threshold - 0.15).max(0.01);
    detect.pre_roll_ms = turns.prefix_ms;
    detect.hangover_ms = turns.silence_ms;
    detect.trailing_ms = detect.trailing_ms.min(turns.silence_ms);
    Ok(Some(shared.listener(&detect)?))
}
