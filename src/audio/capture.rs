//! Sound in from a microphone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{FromSample, Sample, SizedSample};
use rtrb::{Consumer, Producer, RingBuffer};

use super::device::{self, Direction, LOOK_EVERY, Open, PATIENCE, Ticker, Virtual};
use super::source::Intake;
use super::{AudioError, Config, FileSource, SAMPLE_RATE, Source};

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
    _open: Open,
}

#[derive(Debug, Default)]
struct Shared {
    overruns: AtomicU64,
    lost: AtomicBool,
    /// The recording of a device that is a file is over.
    ended: AtomicBool,
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
    /// `null` hears silence and `file:PATH` a recording, both at the speed of a real device.
    ///
    /// # Errors
    /// When there is none, or it refuses.
    pub fn open(config: &Config) -> Result<Self, AudioError> {
        if let Some(device) = Virtual::named(config.input.as_deref()) {
            return Self::open_virtual(&device);
        }
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
            _open: Open::Real(stream),
        })
    }

    fn open_virtual(device: &Virtual) -> Result<Self, AudioError> {
        let name = match device {
            Virtual::Null => "null".to_owned(),
            Virtual::File(path) => path.display().to_string(),
        };
        let mut recording = match device {
            Virtual::Null => None,
            Virtual::File(path) => Some(FileSource::open(path)?),
        };
        let (producer, ring) = RingBuffer::new(SAMPLE_RATE as usize * RING_MS / 1000);
        let shared = Arc::new(Shared::default());
        let mut filler = Filler { ring: producer, channels: 1, shared: Arc::clone(&shared) };
        let block = SAMPLE_RATE as usize / 100;
        let (mut waiting, silence) = (Vec::new(), vec![0.0; block]);
        let tick = move || {
            if let Some(recording) = &mut recording {
                while waiting.len() < block {
                    match recording.read(&mut waiting) {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) => {
                            tracing::error!(%error, "the recording that stands for a microphone");
                            filler.shared.lost.store(true, Ordering::Relaxed);
                            return false;
                        }
                    }
                }
                let now = block.min(waiting.len());
                filler.take(&waiting[..now]);
                waiting.drain(..now);
                if now == 0 {
                    filler.shared.ended.store(true, Ordering::Release);
                }
                return now > 0;
            }
            filler.take(&silence);
            true
        };
        let ticker = Ticker::start("file microphone", tick)
            .map_err(|source| AudioError::Read { path: name.clone(), source })?;
        Ok(Self {
            intake: Intake::new(&name, SAMPLE_RATE, 1)?,
            name,
            ring,
            shared,
            chunk: Vec::new(),
            told: 0,
            _open: Open::Virtual(ticker),
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
            if self.shared.ended.load(Ordering::Acquire) && self.ring.is_empty() {
                return Ok(0);
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
    fn a_callback_takes_no_memory() {
        let (mut filler, _ring) = filler(100_000, 2);
        let block = [0.5_f32; 960];
        assert_no_alloc::assert_no_alloc(|| {
            for _ in 0..300 {
                filler.take(&block);
            }
        });
        assert!(filler.shared.overruns.load(Ordering::Relaxed) > 0, "also with a full ring");
        assert_eq!(assert_no_alloc::violation_count(), 0);
    }

    #[test]
    fn a_file_is_heard_at_the_speed_of_a_microphone_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let mut wav = super::super::WavWriter::create(&path, 16_000).unwrap();
        wav.push(&[0.25; 4800]).unwrap();
        wav.finish().unwrap();
        let input = Some(format!("file:{}", path.display()));
        let mut microphone = Microphone::open(&Config { input, ..Config::default() }).unwrap();
        let (began, mut heard) = (Instant::now(), Vec::new());
        while microphone.read(&mut heard).unwrap() > 0 {}
        assert_eq!(heard.len(), 4800);
        assert!(began.elapsed().as_millis() >= 250, "{:?}", began.elapsed());
        assert_eq!(microphone.read(&mut heard).unwrap(), 0, "the end stays the end");
    }

    #[test]
    fn silence_is_heard_without_hardware() {
        let input = Some("null".to_owned());
        let mut microphone = Microphone::open(&Config { input, ..Config::default() }).unwrap();
        let mut heard = Vec::new();
        while heard.len() < 800 {
            microphone.read(&mut heard).unwrap();
        }
        assert!(heard.iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn a_microphone_that_is_not_there_is_named() {
        let config = Config { input: Some("no such microphone".into()), ..Config::default() };
        let error = Microphone::open(&config).unwrap_err().to_string();
        assert!(error.contains("no such microphone"), "{error}");
    }
}
