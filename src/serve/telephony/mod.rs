//! Telephones: Twilio's Media Streams and Asterisk's AudioSocket. Both carry 20 ms of 8 kHz at a time;
//! what they share is the conversation, whose answer goes out at the speed of its sound, so that who
//! speaks into it stops it within a tenth of a second.

pub(super) mod audiosocket;
pub(super) mod twilio;

use std::sync::Arc;
use std::time::Duration;

use super::House;
use super::live::{Live, Manner, Step, Stuck};
use super::pace::{Pace, Packet};
use crate::audio::Resampler;
use crate::audio::SAMPLE_RATE;
use crate::session::EngineError;
use crate::session::Event;
use crate::session::Order;
use crate::session::Playback;
use crate::session::Speech;
use crate::session::TurnId;

/// The rate of telephones, in Hz.
const RATE: u32 = 8_000;
/// A packet.
const PACKET: Duration = Duration::from_millis(20);
const PACKET_SAMPLES: usize = RATE as usize / 50;
/// Packets between two reports of what was played.
const REPORT_EVERY: u32 = 5;

/// Two short tones of the frequencies that say "busy" (ITU-T E.180 as North America has it).
fn busy_tone() -> Vec<f32> {
    let tone = |i: usize| {
        let turn = std::f32::consts::TAU * i as f32 / RATE as f32;
        0.1 * ((turn * 480.0).sin() + (turn * 620.0).sin())
    };
    let pulse = PACKET_SAMPLES * 12;
    (0..3 * pulse).map(|i| if i / pulse == 1 { 0.0 } else { tone(i) }).collect()
}

/// What a wire has to do for the call.
#[derive(Debug, PartialEq)]
enum Task {
    /// Send this sound: 20 ms at 8 kHz, in the wire's own coding.
    Send(Vec<u8>),
    /// A reply was sent to its end.
    Said(TurnId),
    /// Take back what was sent and is not heard yet.
    Clear,
    /// The conversation is over.
    End,
}

/// Why a call cannot go on.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Stuck(#[from] Stuck),
    #[error("the sound cannot be resampled: {0}")]
    Audio(#[from] crate::audio::AudioError),
}

/// One call.
struct Call {
    live: Live,
    pace: Pace,
    encode: fn(&[f32]) -> Vec<u8>,
    inward: Resampler,
    outward: Option<Resampler>,
    /// What does not fill a packet yet.
    samples: Vec<f32>,
    packets: u32,
}

impl Call {
    async fn begin(house: &Arc<House>, encode: fn(&[f32]) -> Vec<u8>) -> Result<Self, CallError> {
        let live = Live::begin(house, Manner::default(), Playback::Reported).await?;
        Ok(Self {
            live,
            pace: Pace::default(),
            encode,
            inward: Resampler::new(RATE, SAMPLE_RATE)?,
            outward: None,
            samples: Vec::new(),
            packets: 0,
        })
    }

    /// Takes sound at 8 kHz.
    fn hear(&mut self, samples: &[f32]) -> Result<(), CallError> {
        let mut out = Vec::new();
        self.inward.push(samples, &mut out)?;
        self.live.push(&out);
        Ok(())
    }

    fn is_behind(&self) -> bool {
        self.live.is_behind()
    }

    fn is_speaking(&self) -> bool {
        !self.pace.is_empty()
    }

    /// What is to be done next. May be dropped while it waits.
    async fn next(&mut self) -> Result<Task, CallError> {
        loop {
            let step = tokio::select! {
                step = self.live.next() => step?,
                packet = self.pace.next() => match self.played(packet) {
                    Some(task) => return Ok(task),
                    None => continue,
                },
            };
            match step {
                Step::Event(Event::Speech(speech)) => self.queue(&speech)?,
                Step::Event(Event::PlaybackHeld { .. }) => self.pace.hold(true),
                Step::Event(Event::PlaybackResumed { .. }) => self.pace.hold(false),
                Step::Event(Event::PlaybackStopped { turn }) => {
                    let cleared = self.pace.clear();
                    self.samples.clear();
                    let played = cleared
                        .filter(|(own, _)| *own == turn)
                        .map_or(Duration::ZERO, |(_, sent)| sent);
                    let played_ms = played.as_secs_f64() * 1000.0;
                    self.live.order(Order::Played { turn, played_ms, done: true });
                    return Ok(Task::Clear);
                }
                // Nobody sees a text here.
                Step::Event(Event::Failed { turn, stage: "recognition", .. }) => {
                    for block in busy_tone().chunks_exact(PACKET_SAMPLES) {
                        self.pace.push(turn, (self.encode)(block), PACKET, false);
                    }
                    self.pace.push(turn, Vec::new(), Duration::ZERO, true);
                }
                Step::Event(_) | Step::CaughtUp => {}
                Step::Over => return Ok(Task::End),
            }
        }
    }

    fn played(&mut self, packet: Packet) -> Option<Task> {
        self.packets += 1;
        if packet.last || self.packets.is_multiple_of(REPORT_EVERY) {
            let played_ms = packet.sent.as_secs_f64() * 1000.0;
            self.live.order(Order::Played { turn: packet.turn, played_ms, done: packet.last });
        }
        match (packet.bytes.is_empty(), packet.last) {
            (false, _) => Some(Task::Send(packet.bytes)),
            (true, true) => Some(Task::Said(packet.turn)),
            (true, false) => None,
        }
    }

    fn queue(&mut self, speech: &Speech) -> Result<(), CallError> {
        if self.outward.as_ref().is_none_or(|own| own.input_rate() != speech.sample_rate) {
            self.outward = Some(Resampler::new(speech.sample_rate, RATE)?);
        }
        if let Some(resampler) = &mut self.outward {
            resampler.push(&speech.samples, &mut self.samples)?;
            if speech.last {
                resampler.finish(&mut self.samples)?;
            }
        }
        let mut samples = std::mem::take(&mut self.samples);
        if speech.last {
            samples.resize(samples.len().next_multiple_of(PACKET_SAMPLES), 0.0);
        }
        let mut blocks = samples.chunks_exact(PACKET_SAMPLES);
        for block in &mut blocks {
            self.pace.push(speech.turn, (self.encode)(block), PACKET, false);
        }
        self.samples = blocks.remainder().to_vec();
        if speech.last {
            self.pace.push(speech.turn, Vec::new(), Duration::ZERO, true);
        }
        Ok(())
    }
}
