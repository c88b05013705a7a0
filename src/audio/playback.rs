//! Sound out to a speaker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{FromSample, Sample, SizedSample};
use rtrb::{Consumer, Producer, RingBuffer};

use super::device::{self, Direction, LOOK_EVERY, Open, PATIENCE, TICK, Ticker, Virtual};
use super::{AudioError, Config, Resampler, WavLog};

/// The ring between the playing thread and the device's callback, in milliseconds. When it is full
/// [`play`](Speaker::play) waits; when it runs dry the callback plays silence and counts an underrun.
const RING_MS: usize = 100;

/// How long the sound takes to fade when it is held or dropped, in milliseconds: long enough to make
/// no click.
const RAMP_MS: u32 = 8;

/// What was played and is not yet taken by the echo canceller, in milliseconds.
const FAR_MS: usize = 500;

/// The rate of a speaker without hardware, in Hz.
const VIRTUAL_RATE: u32 = 24_000;

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
    far: Option<FarEnd>,
    /// All that was ever put into the ring, at the device's rate.
    put: u64,
    /// Keeps the device open.
    _open: Open,
}

/// What the speaker really plays, silence included, for an echo canceller.
#[derive(Debug)]
pub struct FarEnd {
    pub(super) ring: Consumer<f32>,
    /// Its rate in Hz.
    pub(super) rate: u32,
}

/// Play on.
const PLAY: u8 = 0;
/// Fade, and keep what is in the ring.
const HOLD: u8 = 1;
/// Fade, and throw away what is in the ring; the callback sets [`PLAY`] when that is done.
const DROP: u8 = 2;

/// Holds the sound, lets it go on, or drops it, from any thread and at once.
#[derive(Debug, Clone)]
pub struct Hold(Arc<Shared>);

impl Hold {
    /// Fades within 8 ms and keeps the rest.
    pub fn hold(&self) {
        let _ = self.0.wanted.compare_exchange(PLAY, HOLD, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Goes on where it was held.
    pub fn resume(&self) {
        let _ = self.0.wanted.compare_exchange(HOLD, PLAY, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Fades within 8 ms and drops what the speaker has in store.
    pub fn drop_rest(&self) {
        self.0.wanted.store(DROP, Ordering::Release);
    }

    pub(super) fn is_dropping(&self) -> bool {
        self.0.wanted.load(Ordering::Acquire) == DROP
    }
}

#[derive(Debug, Default)]
struct Shared {
    wanted: AtomicU8,
    /// Samples that were heard.
    played: AtomicU64,
    /// Samples that were thrown away.
    dropped: AtomicU64,
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
    /// Opens the speaker that the configuration names, or the system's own choice. `null` plays
    /// nowhere and `file:PATH` into a WAV file, both at the speed of a real device.
    ///
    /// # Errors
    /// When there is none, or it refuses.
    pub fn open(config: &Config) -> Result<Self, AudioError> {
        if let Some(device) = Virtual::named(config.output.as_deref()) {
            return Self::open_virtual(&device);
        }
        let found = device::find(Direction::Out, config)?;
        let kind = Direction::Out.kind();
        let rate = found.config.sample_rate;
        let failed = |reason: String| AudioError::Device { kind, name: found.name.clone(), reason };
        if !super::RATES.contains(&rate) {
            return Err(AudioError::Rate { path: found.name, rate });
        }
        let channels = usize::from(found.config.channels).max(1);
        let Parts { ring, shared, far, drain } = parts(rate, channels);
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
            far: Some(far),
            put: 0,
            _open: Open::Real(stream),
        })
    }

    fn open_virtual(device: &Virtual) -> Result<Self, AudioError> {
        let rate = VIRTUAL_RATE;
        let Parts { ring, shared, far, mut drain } = parts(rate, 1);
        let (name, mut wav) = match device {
            Virtual::Null => ("null".to_owned(), None),
            Virtual::File(path) => (path.display().to_string(), Some(WavLog::create(path, rate)?)),
        };
        let mut block = vec![0.0_f32; (rate as u128 * TICK.as_millis() / 1000) as usize];
        let tick = move || {
            drain.give(&mut block);
            if let Some(written) = wav.as_mut().map(|wav| wav.push(&block))
                && let Err(error) = written
            {
                tracing::error!(%error, "the file that stands for a speaker");
                drain.shared.lost.store(true, Ordering::Relaxed);
                return false;
            }
            true
        };
        let ticker = Ticker::start("file speaker", tick)
            .map_err(|source| AudioError::Write { path: name.clone(), source })?;
        Ok(Self {
            name,
            rate,
            ring,
            resampler: None,
            chunk: Vec::new(),
            shared,
            far: Some(far),
            put: 0,
            _open: Open::Virtual(ticker),
        })
    }

    /// Holds or drops the sound from another thread.
    #[must_use]
    pub fn control(&self) -> Hold {
        Hold(Arc::clone(&self.shared))
    }

    /// What is really played, for an echo canceller; there is one of it.
    pub fn far_end(&mut self) -> Option<FarEnd> {
        self.far.take()
    }

    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Puts as much of `samples`, at the device's own rate, into the ring as there is room for, and
    /// returns how many those were.
    pub(super) fn offer(&mut self, samples: &[f32]) -> usize {
        let (taken, _) = self.ring.push_partial_slice(samples);
        let taken = taken.len();
        if taken > 0 {
            self.put += taken as u64;
            self.shared.playing.store(true, Ordering::Relaxed);
        }
        taken
    }

    /// All that was ever put into the ring, and what of it has left it, in samples.
    pub(super) fn position(&self) -> (u64, u64) {
        let out = self.shared.played.load(Ordering::Acquire)
            + self.shared.dropped.load(Ordering::Acquire);
        (self.put, out)
    }

    /// All that was ever heard, in samples at the device's rate.
    pub(super) fn heard(&self) -> u64 {
        self.shared.played.load(Ordering::Acquire)
    }

    /// That the ring runs dry now is the end and not a gap.
    pub(super) fn expect_end(&self) {
        self.shared.playing.store(false, Ordering::Relaxed);
    }

    /// Why no more can be played, if so.
    pub(super) fn is_lost(&self) -> bool {
        self.shared.lost.load(Ordering::Relaxed) || self.ring.is_abandoned()
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
            let before = rest.len();
            (_, rest) = self.ring.push_partial_slice(rest);
            self.put += (before - rest.len()) as u64;
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

struct Parts {
    ring: Producer<f32>,
    shared: Arc<Shared>,
    far: FarEnd,
    drain: Drain,
}

fn parts(rate: u32, channels: usize) -> Parts {
    let (ring, consumer) = RingBuffer::new((rate as usize * RING_MS / 1000).max(1));
    let (heard, far) = RingBuffer::new((rate as usize * FAR_MS / 1000).max(1));
    let shared = Arc::new(Shared::default());
    let drain = Drain {
        ring: consumer,
        channels,
        far: heard,
        gain: 1.0,
        step: 1000.0 / (rate.max(1) as f32 * RAMP_MS as f32),
        shared: Arc::clone(&shared),
    };
    Parts { ring, shared, far: FarEnd { ring: far, rate }, drain }
}

/// The device's side of the ring. It runs in the callback: no allocation, lock, log or system call.
struct Drain {
    ring: Consumer<f32>,
    channels: usize,
    far: Producer<f32>,
    /// How loud it is now, 0 to 1, and by how much that changes with a sample.
    gain: f32,
    step: f32,
    shared: Arc<Shared>,
}

impl Drain {
    fn give<T>(&mut self, interleaved: &mut [T])
    where
        T: Sample + FromSample<f32>,
    {
        let (mut dry, mut played) = (false, 0);
        let mut wanted = self.shared.wanted.load(Ordering::Acquire);
        for row in interleaved.chunks_mut(self.channels) {
            self.gain = match wanted {
                PLAY => (self.gain + self.step).min(1.0),
                _ => (self.gain - self.step).max(0.0),
            };
            let mut sample = 0.0;
            if wanted == PLAY || self.gain > 0.0 {
                match self.ring.pop() {
                    Ok(next) => {
                        played += 1;
                        sample = next * self.gain;
                    }
                    Err(_) => {
                        dry = true;
                        // Nothing has to fade any more.
                        if wanted != PLAY {
                            self.gain = 0.0;
                        }
                    }
                }
            }
            if wanted == DROP && self.gain <= 0.0 {
                let rest = self.ring.slots();
                if let Ok(chunk) = self.ring.read_chunk(rest) {
                    chunk.commit_all();
                }
                self.shared.dropped.fetch_add(rest as u64, Ordering::AcqRel);
                self.shared.wanted.store(PLAY, Ordering::Release);
                wanted = PLAY;
            }
            // Nobody may be cancelling an echo.
            let _ = self.far.push(sample);
            row.fill(T::from_sample(sample));
        }
        self.shared.played.fetch_add(played, Ordering::AcqRel);
        if dry && wanted == PLAY && self.shared.playing.load(Ordering::Relaxed) {
            self.shared.underruns.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_plays_and_an_empty_ring_is_silence() {
        let Parts { ring: mut producer, mut drain, .. } = parts(16_000, 2);
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

    /// Plays `rows` rows and returns them.
    fn rows(drain: &mut Drain, rows: usize) -> Vec<f32> {
        let mut device = vec![9.0_f32; rows];
        drain.give(&mut device);
        device
    }

    #[test]
    fn a_hold_fades_keeps_the_rest_and_goes_on() {
        let Parts { mut ring, shared, mut drain, mut far } = parts(16_000, 1);
        let hold = Hold(Arc::clone(&shared));
        assert_eq!(ring.push_partial_slice(&[0.5; 1000]).1.len(), 0);
        assert_eq!(rows(&mut drain, 100), [0.5; 100]);
        hold.hold();
        let fading = rows(&mut drain, 400);
        let step = fading.windows(2).map(|w| (w[0] - w[1]).abs()).fold(0.0, f32::max);
        assert!(step < 0.01, "no click: {step}");
        let silent = fading.iter().position(|s| *s == 0.0).unwrap();
        assert!((100..=160).contains(&silent), "after {silent} samples");
        assert!(fading[silent..].iter().all(|s| *s == 0.0));
        let played = shared.played.load(Ordering::Relaxed);
        assert!((200..=261).contains(&played), "{played}");
        assert_eq!(rows(&mut drain, 400), [0.0; 400]);
        assert_eq!(shared.underruns.load(Ordering::Relaxed), 0);
        hold.resume();
        let on = rows(&mut drain, 400);
        assert!(on[399] == 0.5 && on[0] < 0.1);
        assert_eq!(shared.played.load(Ordering::Relaxed), played + 400, "nothing was lost");
        // The far end is what came out, sample by sample.
        let heard: Vec<f32> = std::iter::from_fn(|| far.ring.pop().ok()).collect();
        assert_eq!(heard.len(), 1300);
        assert_eq!(&heard[100..500], &fading[..]);
    }

    #[test]
    fn dropping_empties_the_ring_and_acknowledges() {
        let Parts { mut ring, shared, mut drain, .. } = parts(16_000, 1);
        let hold = Hold(Arc::clone(&shared));
        let _ = ring.push_partial_slice(&[0.5; 1500]);
        rows(&mut drain, 100);
        hold.hold();
        hold.drop_rest();
        assert!(hold.is_dropping());
        rows(&mut drain, 160);
        assert!(!hold.is_dropping(), "acknowledged");
        let (played, dropped) =
            (shared.played.load(Ordering::Relaxed), shared.dropped.load(Ordering::Relaxed));
        assert_eq!(played + dropped, 1500);
        assert!(played < 240, "{played}");
        // A late hold or resume of what was dropped changes nothing for what comes next.
        hold.resume();
        let _ = ring.push_partial_slice(&[0.25; 500]);
        assert_eq!(rows(&mut drain, 500)[499], 0.25);
    }

    #[test]
    fn a_callback_takes_no_memory() {
        let Parts { mut ring, shared, mut drain, .. } = parts(16_000, 2);
        let hold = Hold(shared);
        let _ = ring.push_partial_slice(&[0.5; 1600]);
        let mut device = [0.0_f32; 640];
        assert_no_alloc::assert_no_alloc(|| {
            drain.give(&mut device);
            hold.hold();
            drain.give(&mut device);
            hold.drop_rest();
            drain.give(&mut device);
            drain.give(&mut device);
        });
        assert_eq!(assert_no_alloc::violation_count(), 0);
    }

    #[test]
    fn a_speaker_that_is_not_there_is_named() {
        let config = Config { output: Some("no such speaker".into()), ..Config::default() };
        let error = Speaker::open(&config).unwrap_err().to_string();
        assert!(error.contains("no such speaker"), "{error}");
    }
}
