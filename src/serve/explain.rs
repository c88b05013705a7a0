//! What decided a turn, for who wants to see it: the sound's level, the voice detector, every pause
//! and what the recogniser made of it.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio::sync::mpsc::Sender;

use crate::audio::FRAME_SAMPLES;
use crate::session::Event;
use crate::session::Note;
use crate::session::TurnId;

/// Frames that are remembered: the longest utterance and what came before it.
const FRAMES: usize = 40 * 50;
/// Frames before the utterance that are shown.
const BEFORE: u64 = 15;
/// Pauses and recognitions of one turn that are told.
const MOST: usize = 40;

/// Gathers what a session notes, and tells it when an utterance was understood.
#[derive(Debug)]
pub(super) struct Explainer {
    out: Sender<Value>,
    frames: VecDeque<Seen>,
    began: Option<(TurnId, u64)>,
    stopped: u64,
    pauses: Vec<Value>,
    recognised: Vec<Value>,
}

/// A frame as it is shown.
#[derive(Debug)]
struct Seen {
    at: u64,
    /// The loudest samples of its two halves, 0 to 255.
    peaks: [u8; 2],
    vad: u8,
    worth: u8,
}

fn byte(part: f32) -> u8 {
    (part.clamp(0.0, 1.0) * 255.0) as u8
}

impl Explainer {
    pub(super) fn new(out: Sender<Value>) -> Self {
        Self {
            out,
            frames: VecDeque::new(),
            began: None,
            stopped: 0,
            pauses: Vec::new(),
            recognised: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, note: &Note, samples: &[f32]) {
        match note {
            Note::Frame { at, vad, worth } => {
                if self.frames.len() >= FRAMES {
                    self.frames.pop_front();
                }
                let (first, second) = samples.split_at(samples.len() / 2);
                let peak = |half: &[f32]| byte(half.iter().fold(0.0, |top, s| s.abs().max(top)));
                self.frames.push_back(Seen {
                    at: at.0,
                    peaks: [peak(first), peak(second)],
                    vad: byte(*vad),
                    worth: byte(*worth),
                });
            }
            Note::Pause { at, text, words, sounds, silence_ms } if self.pauses.len() < MOST => {
                self.pauses.push(json!({
                    "at": at, "text": text, "words": words, "sounds": sounds, "silence_ms": silence_ms,
                }));
            }
            Note::Recognised { samples, ms, transcript } if self.recognised.len() < MOST => {
                let at = self.frames.back().map_or(0, |frame| frame.at + FRAME_SAMPLES as u64);
                self.recognised.push(json!({
                    "at": at, "samples": samples, "ms": ms,
                    "text": transcript.as_ref().map(|own| &own.text),
                    "avg_logprob": transcript.as_ref().map(|own| own.avg_logprob),
                }));
            }
            _ => {}
        }
    }

    /// To be called with every event, before it is told.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::SpeechStarted { turn, at } => {
                self.began = Some((*turn, at.0));
                self.pauses.clear();
                self.recognised.clear();
            }
            Event::SpeechStopped { at, .. } => self.stopped = at.0,
            Event::Final { turn, .. } => {
                let Some((_, start)) = self.began.take_if(|(own, _)| own == turn) else { return };
                // A door that does not follow can do without.
                let told = self.told(*turn, start);
                let _ = self.out.try_send(told);
            }
            _ => {}
        }
    }

    fn told(&mut self, turn: TurnId, start: u64) -> Value {
        let from = start.saturating_sub(BEFORE * FRAME_SAMPLES as u64);
        let shown: Vec<&Seen> = self.frames.iter().filter(|frame| frame.at >= from).collect();
        let first = shown.first().map_or(from, |frame| frame.at);
        let decided = shown.last().map_or(from, |frame| frame.at + FRAME_SAMPLES as u64);
        let levels: Vec<u8> = shown.iter().flat_map(|frame| frame.peaks).collect();
        let vad: Vec<u8> = shown.iter().map(|frame| frame.vad).collect();
        let worth: Vec<u8> = shown.iter().map(|frame| frame.worth).collect();
        json!({
            "event": "explained", "turn": turn, "from": first, "started": start,
            "stopped": self.stopped, "decided": decided, "frame": FRAME_SAMPLES,
            "levels": levels, "vad": vad, "worth": worth,
            "pauses": std::mem::take(&mut self.pauses),
            "recognised": std::mem::take(&mut self.recognised),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asr::Transcript;
    use crate::audio::SampleTime;

    #[test]
    fn an_utterance_is_told_with_what_came_before_it() {
        let (out, mut told) = tokio::sync::mpsc::channel(1);
        let mut own = Explainer::new(out);
        let frame = FRAME_SAMPLES as u64;
        for n in 0..(FRAMES as u64 + 60) {
            let mut samples = vec![0.0; FRAME_SAMPLES];
            samples[0] = -0.5;
            let note = Note::Frame { at: SampleTime(n * frame), vad: 0.25, worth: 1.0 };
            own.note(&note, &samples);
            if n == FRAMES as u64 {
                let at = SampleTime(n * frame);
                own.event(&Event::SpeechStarted { turn: TurnId(3), at });
            }
        }
        let at = SampleTime((FRAMES as u64 + 50) * frame);
        own.event(&Event::SpeechStopped { turn: TurnId(3), at });
        own.event(&Event::Final { turn: TurnId(2), transcript: Transcript::default() });
        assert!(told.try_recv().is_err(), "another turn's words are not these");
        own.event(&Event::Final { turn: TurnId(3), transcript: Transcript::default() });
        let told = told.try_recv().unwrap();
        assert_eq!(told["vad"].as_array().unwrap().len(), 60 + BEFORE as usize);
        assert_eq!((&told["levels"][0], &told["levels"][1]), (&127.into(), &0.into()));
        assert_eq!(told["decided"].as_u64().unwrap(), (FRAMES as u64 + 60) * frame);
        assert_eq!((&told["vad"][0], &told["worth"][0]), (&63.into(), &255.into()));
    }
}
