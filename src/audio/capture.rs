//! Sound in from a microphone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{FromSample, Sample, SizedSample};
use rtrb::{Consumer, Producer, RingBuffer};

use super::device::{self, Direction, LOOK_EVERY, PATIENCE};
use super::source::Intake;
use super::{AudioError, Config, Source};

/// The ring between the device's callback and the capturing thread, in milliseconds. When it is full
/// the newest samples are dropped and an overrun is counted.
const RING_MS: usize = 500;

/// A microphone: mono samples at the core's rate, as they come.
///
/// [`read`](Source::read) waits until there are some. It never ends by itself; a device that is
/// unplugged, or silent to the point of delivering nothing, is an error.
pub struct Microphone {
    name: String,
    ring: Consumer<f32>,
    intake: Intake,
    shared: Arc<Shared>,
    chunk: Vec<f32>,
    told: u64,
    /// Keeps the device open.
    _stream: cpal::Stream,
}

#[derive(Debug, Default)]
struct Shared {
    overruns: AtomicU64,
    lost: AtomicBool,
}

impl std::fmt::Debug for Microphone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Microphone")
            .field("name", &self.name)
            .field("overruns", &self.overruns())
            .finish_non_exhaustive()
    }
}

impl Microphone {
    /// Opens the microphone that the configuration names, or the system's own choice, and listens.
    ///
    /// # Errors
    /// When there is none, or it refuses.
    pub fn open(config: &Config) -> Result<Self, AudioError> {
        let found = device::find(Direction::In, config)?;
        let kind = Direction::In.kind();
        let rate = found.config.sample_rate;
        let failed = |reason: String| AudioError::Device { kind, name: found.name.clone(), reason };
        // The callback mixes down, so the ring and all after it are mono.
        let intake = Intake::new(&found.name, rate, 1)?;
        let (producer, ring) = RingBuffer::new(rate as usize * RING_MS / 1000);
        let shared = Arc::new(Shared::default());
        let filler = Filler {
            ring: producer,
            channels: usize::from(found.config.channels).max(1),
            shared: Arc::clone(&shared),
        };
        let stream = match found.format {
            cpal::SampleFormat::I8 => listen::<i8>(&found, filler),
            cpal::SampleFormat::I16 => listen::<i16>(&found, filler),
            cpal::SampleFormat::I24 => listen::<cpal::I24>(&found, filler),
            cpal::SampleFormat::I32 => listen::<i32>(&found, filler),
            cpal::SampleFormat::U8 => listen::<u8>(&found, filler),
            cpal::SampleFormat::U16 => listen::<u16>(&found, filler),
            cpal::SampleFormat::F32 => listen::<f32>(&found, filler),
            cpal::SampleFormat::F64 => listen::<f64>(&found, filler),
            other => return Err(failed(format!("its samples are {other}, which I cannot take"))),
        }
        .map_err(|error| failed(error.to_string()))?;
        stream.play().map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            name: found.name.clone(),
            ring,
            intake,
            shared,
            chunk: Vec::new(),
            told: 0,
            _stream: stream,
        })
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How often samples were dropped because nobody read for half a second.
    #[must_use]
    pub fn overruns(&self) -> u64 {
        self.shared.overruns.load(Ordering::Relaxed)
    }
}

impl Source for Microphone {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize, AudioError> {
        let failed = |reason: &str| AudioError::Device {
            kind: Direction::In.kind(),
            name: self.name.clone(),
            reason: reason.into(),
        };
        let before = out.len();
        let since = Instant::now();
        loop {
            let waiting = self.ring.slots();
            if waiting > 0 {
                self.chunk.resize(waiting, 0.0);
                let (read, _) = self.ring.pop_partial_slice(&mut self.chunk);
                self.intake.push(read, out)?;
            }
            if out.len() > before {
                break;
            }
            if self.shared.lost.load(Ordering::Relaxed) || self.ring.is_abandoned() {
                return Err(failed("it was disconnected"));
            }
            if since.elapsed() > PATIENCE {
                return Err(failed("it has delivered nothing for 3 seconds"));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let overruns = self.overruns();
        if overruns > self.told {
            tracing::warn!(
                microphone = self.name,
                overruns = overruns - self.told,
                "sound was dropped because it was not read in time"
            );
            self.told = overruns;
        }
        Ok(out.len() - before)
    }
}

fn listen<T>(found: &device::Found, mut filler: Filler) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let shared = Arc::clone(&filler.shared);
    found.device.build_input_stream(
        found.config,
        move |data: &[T], _: &cpal::InputCallbackInfo| filler.take(data),
        move |error| match error.kind() {
            cpal::ErrorKind::Xrun => {
                shared.overruns.fetch_add(1, Ordering::Relaxed);
            }
            // The stream goes on.
            cpal::ErrorKind::DeviceChanged | cpal::ErrorKind::RealtimeDenied => {}
            _ => shared.lost.store(true, Ordering::Relaxed),
        },
        None,
    )
}

/// The device's side of the ring. It runs in the callback: no allocation, lock, log or system call.
struct Filler {
    ring: Producer<f32>,
    channels: usize,
    shared: Arc<Shared>,
}

impl Filler {
    fn take<T>(&mut self, interleaved: &[T])
    where
        T: Sample,
        f32: FromSample<T>,
    {
        let share = 1.0 / self.channels as f32;
        let rows = interleaved.len() / self.channels;
        let room = self.ring.slots().min(rows);
        if room < rows {
            self.shared.overruns.fetch_add(1, Ordering::Relaxed);
        }
        for row in interleaved.chunks_exact(self.channels).take(room) {
            let sum: f32 = row.iter().map(|&sample| f32::from_sample(sample)).sum();
            // There is room; were there none, the sample would be dropped as any other.
            let _ = self.ring.push(sum * share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filler(capacity: usize, channels: usize) -> (Filler, Consumer<f32>) {
        let (ring, consumer) = RingBuffer::new(capacity);
        (Filler { ring, channels, shared: Arc::default() }, consumer)
    }

    #[test]
    fn channels_are_mixed_in_the_callback() {
        let (mut filler, mut ring) = filler(8, 2);
        filler.take(&[16_384_i16, 0, -16_384, -16_384]);
        assert_eq!([ring.pop(), ring.pop()], [Ok(0.25), Ok(-0.5)]);
        assert!(ring.is_empty());
    }

    #[test]
    fn a_full_ring_drops_the_newest_and_counts() {
        let (mut filler, mut ring) = filler(3, 1);
        filler.take(&[0.1_f32, 0.2]);
        filler.take(&[0.3_f32, 0.4, 0.5]);
        filler.take(&[0.6_f32]);
        assert_eq!(filler.shared.overruns.load(Ordering::Relaxed), 2);
        let kept: Vec<f32> = std::iter::from_fn(|| ring.pop().ok()).collect();
        assert_eq!(kept, [0.1, 0.2, 0.3]);
        filler.take(&[0.7_f32]);
        assert_eq!(ring.pop(), Ok(0.7), "after an overrun it goes on");
    }

    #[test]
    fn a_microphone_that_is_not_there_is_named() {
        let config = Config { input: Some("no such microphone".into()), ..Config::default() };
        let error = Microphone::open(&config).unwrap_err().to_string();
        assert!(error.contains("no such microphone"), "{error}");
    }
}
