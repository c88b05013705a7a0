//! Sound out to a speaker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{FromSample, Sample, SizedSample};
use rtrb::{Consumer, Producer, RingBuffer};

use super::device::{self, Direction, LOOK_EVERY, PATIENCE};
use super::{AudioError, Config, Resampler};

/// The ring between the playing thread and the device's callback, in milliseconds. When it is full
/// [`play`](Speaker::play) waits; when it runs dry the callback plays silence and counts an underrun.
const RING_MS: usize = 100;

/// What the device itself may hold back after the ring is empty.
const DEVICE_MS: u64 = 100;

/// A speaker that takes mono samples at any rate.
pub struct Speaker {
    name: String,
    rate: u32,
    ring: Producer<f32>,
    /// For the rate of the sound being played; made anew when that changes.
    resampler: Option<Resampler>,
    chunk: Vec<f32>,
    shared: Arc<Shared>,
    /// Keeps the device open.
    _stream: cpal::Stream,
}

#[derive(Debug, Default)]
struct Shared {
    underruns: AtomicU64,
    /// True while sound is on its way, when an empty ring is a gap and not the usual silence.
    playing: AtomicBool,
    lost: AtomicBool,
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Speaker")
            .field("name", &self.name)
            .field("rate", &self.rate)
            .field("underruns", &self.underruns())
            .finish_non_exhaustive()
    }
}

impl Speaker {
    /// Opens the speaker that the configuration names, or the system's own choice.
    ///
    /// # Errors
    /// When there is none, or it refuses.
    pub fn open(config: &Config) -> Result<Self, AudioError> {
        let found = device::find(Direction::Out, config)?;
        let kind = Direction::Out.kind();
        let rate = found.config.sample_rate;
        let failed = |reason: String| AudioError::Device { kind, name: found.name.clone(), reason };
        if !super::RATES.contains(&rate) {
            return Err(AudioError::Rate { path: found.name, rate });
        }
        let (ring, consumer) = RingBuffer::new((rate as usize * RING_MS / 1000).max(1));
        let shared = Arc::new(Shared::default());
        let drain = Drain {
            ring: consumer,
            channels: usize::from(found.config.channels).max(1),
            shared: Arc::clone(&shared),
        };
        let stream = match found.format {
            cpal::SampleFormat::I8 => sound::<i8>(&found, drain),
            cpal::SampleFormat::I16 => sound::<i16>(&found, drain),
            cpal::SampleFormat::I24 => sound::<cpal::I24>(&found, drain),
            cpal::SampleFormat::I32 => sound::<i32>(&found, drain),
            cpal::SampleFormat::U8 => sound::<u8>(&found, drain),
            cpal::SampleFormat::U16 => sound::<u16>(&found, drain),
            cpal::SampleFormat::F32 => sound::<f32>(&found, drain),
            cpal::SampleFormat::F64 => sound::<f64>(&found, drain),
            other => return Err(failed(format!("its samples are {other}, which I cannot make"))),
        }
        .map_err(|error| failed(error.to_string()))?;
        stream.play().map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            name: found.name.clone(),
            rate,
            ring,
            resampler: None,
            chunk: Vec::new(),
            shared,
            _stream: stream,
        })
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How often the sound had a gap because the next samples came too late.
    #[must_use]
    pub fn underruns(&self) -> u64 {
        self.shared.underruns.load(Ordering::Relaxed)
    }

    /// Plays mono samples at `rate` Hz after those before; waits while the ring is full.
    ///
    /// # Errors
    /// When the device is gone or takes nothing for three seconds, or the rate is out of reach.
    pub fn play(&mut self, samples: &[f32], rate: u32) -> Result<(), AudioError> {
        if self.resampler.as_ref().is_some_and(|resampler| resampler.input_rate() != rate) {
            self.flush()?;
        }
        let resampler = match &mut self.resampler {
            Some(resampler) => resampler,
            none => none.insert(Resampler::new(rate, self.rate)?),
        };
        self.chunk.clear();
        resampler.push(samples, &mut self.chunk)?;
        self.put()
    }

    /// Waits until all of it has been heard.
    ///
    /// # Errors
    /// As for [`play`](Self::play).
    pub fn finish(&mut self) -> Result<(), AudioError> {
        self.flush()?;
        // What is left is in the ring; that it runs dry now is the end and not a gap.
        self.shared.playing.store(false, Ordering::Relaxed);
        let capacity = self.ring.buffer().capacity();
        self.wait(|ring| ring.slots() == capacity)?;
        std::thread::sleep(Duration::from_millis(DEVICE_MS));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), AudioError> {
        if let Some(mut resampler) = self.resampler.take() {
            self.chunk.clear();
            resampler.finish(&mut self.chunk)?;
            self.put()?;
        }
        Ok(())
    }

    /// Puts the chunk into the ring.
    fn put(&mut self) -> Result<(), AudioError> {
        let chunk = std::mem::take(&mut self.chunk);
        let mut rest = chunk.as_slice();
        while !rest.is_empty() {
            self.wait(|ring| ring.slots() > 0)?;
            (_, rest) = self.ring.push_partial_slice(rest);
            self.shared.playing.store(true, Ordering::Relaxed);
        }
        self.chunk = chunk;
        Ok(())
    }

    fn wait(&mut self, ready: impl Fn(&Producer<f32>) -> bool) -> Result<(), AudioError> {
        let mut since = Instant::now();
        let mut before = self.ring.slots();
        while !ready(&self.ring) {
            let now = self.ring.slots();
            if now != before {
                (before, since) = (now, Instant::now());
            }
            let reason = if self.shared.lost.load(Ordering::Relaxed) || self.ring.is_abandoned() {
                "it was disconnected"
            } else if since.elapsed() > PATIENCE {
                "it has taken nothing for 3 seconds"
            } else {
                std::thread::sleep(LOOK_EVERY);
                continue;
            };
            return Err(AudioError::Device {
                kind: Direction::Out.kind(),
                name: self.name.clone(),
                reason: reason.into(),
            });
        }
        Ok(())
    }
}

fn sound<T>(found: &device::Found, mut drain: Drain) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
{
    let shared = Arc::clone(&drain.shared);
    found.device.build_output_stream(
        found.config,
        move |data: &mut [T], _: &cpal::OutputCallbackInfo| drain.give(data),
        move |error| match error.kind() {
            cpal::ErrorKind::Xrun => {
                shared.underruns.fetch_add(1, Ordering::Relaxed);
            }
            // The stream goes on.
            cpal::ErrorKind::DeviceChanged | cpal::ErrorKind::RealtimeDenied => {}
            _ => shared.lost.store(true, Ordering::Relaxed),
        },
        None,
    )
}

/// The device's side of the ring. It runs in the callback: no allocation, lock, log or system call.
struct Drain {
    ring: Consumer<f32>,
    channels: usize,
    shared: Arc<Shared>,
}

impl Drain {
    fn give<T>(&mut self, interleaved: &mut [T])
    where
        T: Sample + FromSample<f32>,
    {
        let mut dry = false;
        for row in interleaved.chunks_mut(self.channels) {
            let sample = self.ring.pop().unwrap_or_else(|_| {
                dry = true;
                0.0
            });
            row.fill(T::from_sample(sample));
        }
        if dry && self.shared.playing.load(Ordering::Relaxed) {
            self.shared.underruns.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_plays_and_an_empty_ring_is_silence() {
        let (mut producer, ring) = RingBuffer::new(4);
        let mut drain = Drain { ring, channels: 2, shared: Arc::default() };
        let mut device = [9_i16; 4];
        drain.give(&mut device);
        assert_eq!(device, [0; 4]);
        let underruns = |drain: &Drain| drain.shared.underruns.load(Ordering::Relaxed);
        assert_eq!(underruns(&drain), 0, "silence before the sound is no gap");

        drain.shared.playing.store(true, Ordering::Relaxed);
        producer.push(0.5).unwrap();
        producer.push(-0.5).unwrap();
        drain.give(&mut device);
        assert_eq!(device, [16_384, 16_384, -16_384, -16_384]);
        assert_eq!(underruns(&drain), 0);

        producer.push(0.25).unwrap();
        drain.give(&mut device);
        assert_eq!(device, [8192, 8192, 0, 0]);
        assert_eq!(underruns(&drain), 1);
    }

    #[test]
    fn a_speaker_that_is_not_there_is_named() {
        let config = Config { output: Some("no such speaker".into()), ..Config::default() };
        let error = Speaker::open(&config).unwrap_err().to_string();
        assert!(error.contains("no such speaker"), "{error}");
    }
}
