//! Sound as it arrives, cut into utterances: what a door does that only transcribes.

use std::sync::Arc;

use crate::audio::FRAME_SAMPLES;
use crate::audio::Framer;
use crate::audio::SampleTime;
use crate::detect::Endpointer;
use crate::detect::Heard;
use crate::detect::VoiceDetector;

/// What was heard in a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Listened {
    /// Somebody began to speak, here in the stream, pre-roll included.
    Started(SampleTime),
    /// The utterance is over.
    Utterance {
        /// Where its audio begins in the stream.
        start: SampleTime,
        /// Where the speech ended in the stream.
        stopped: SampleTime,
        /// Mono at 16 kHz.
        audio: Arc<[f32]>,
    },
}

/// Cuts a stream into utterances.
pub struct Listener {
    detector: Box<dyn VoiceDetector>,
    endpointer: Endpointer,
    framer: Framer,
    utterance: Vec<f32>,
    start: SampleTime,
    heard: Vec<Heard>,
    samples: u64,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("samples", &self.samples).finish_non_exhaustive()
    }
}

impl Listener {
    /// A listener at the beginning of a stream.
    #[must_use]
    pub fn new(detector: Box<dyn VoiceDetector>, endpointer: Endpointer) -> Self {
        Self {
            detector,
            endpointer,
            framer: Framer::new(),
            utterance: Vec::new(),
            start: SampleTime::default(),
            heard: Vec::new(),
            samples: 0,
        }
    }

    /// Takes mono samples at 16 kHz and tells what came of them.
    pub fn push(&mut self, samples: &[f32], out: &mut dyn FnMut(Listened)) {
        let Self { detector, endpointer, framer, heard, .. } = self;
        framer.push(samples, |frame| {
            let probability = detector.push(&frame);
            endpointer.push(&frame, probability, &mut |h| heard.push(h));
        });
        self.samples += samples.len() as u64;
        self.tell(out);
    }

    /// What was said so far of an utterance that is not over: where its audio begins, and the audio.
    #[must_use]
    pub fn so_far(&self) -> Option<(SampleTime, &[f32])> {
        Some((self.start, &*self.utterance)).filter(|(_, audio)| !audio.is_empty())
    }

    /// Ends the stream: an utterance that is still open is complete.
    pub fn finish(&mut self, out: &mut dyn FnMut(Listened)) {
        let Self { detector, endpointer, framer, heard, .. } = self;
        framer.finish(|frame| {
            let probability = detector.push(&frame);
            endpointer.push(&frame, probability, &mut |h| heard.push(h));
        });
        endpointer.finish(&mut |h| heard.push(h));
        self.tell(out);
    }

    /// Where the stream is.
    #[must_use]
    pub fn now(&self) -> SampleTime {
        SampleTime(self.samples)
    }

    fn tell(&mut self, out: &mut dyn FnMut(Listened)) {
        for heard in self.heard.drain(..) {
            match heard {
                Heard::Started(at) => {
                    self.utterance.clear();
                    out(Listened::Started(at));
                }
                // The endpointer's longest utterance bounds this.
                Heard::Audio(frame) => {
                    if self.utterance.is_empty() {
                        self.start = frame.at;
                    }
                    debug_assert_eq!(frame.samples.len(), FRAME_SAMPLES);
                    self.utterance.extend_from_slice(&frame.samples);
                }
                // Whether a pause ends the utterance the settings alone say here.
                Heard::Paused(_) | Heard::Settled(_) | Heard::Resumed(_) => {}
                Heard::Stopped(stopped) => {
                    let audio = self.utterance.as_slice().into();
                    self.utterance.clear();
                    out(Listened::Utterance { start: self.start, stopped, audio });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Frame;
    use crate::detect;

    /// Hears speech where it is loud.
    struct Loud;
    impl VoiceDetector for Loud {
        fn push(&mut self, frame: &Frame) -> f32 {
            if frame.samples[0].abs() > 0.1 { 0.9 } else { 0.1 }
        }
        fn reset(&mut self) {}
    }

    #[test]
    fn utterances_come_whole_however_the_stream_is_cut() {
        let mut stream = vec![0.0; 16_000];
        for _ in 0..2 {
            stream.extend(vec![0.5; 16_000]);
            stream.extend(vec![0.0; 16_000]);
        }
        stream.extend(vec![0.5; 8_000]);
        let listen = |piece: usize| {
            let endpointer = Endpointer::new(&detect::Config::default());
            let mut listener = Listener::new(Box::new(Loud), endpointer);
            let mut heard = Vec::new();
            for piece in stream.chunks(piece) {
                listener.push(piece, &mut |h| heard.push(h));
            }
            listener.finish(&mut |h| heard.push(h));
            assert_eq!(listener.now().0, stream.len() as u64);
            heard
        };
        let whole = listen(stream.len());
        let utterances: Vec<(u64, u64, usize)> = whole
            .iter()
            .filter_map(|heard| match heard {
                Listened::Utterance { start, stopped, audio } => {
                    Some((start.ms(), stopped.ms(), audio.len() / 16))
                }
                Listened::Started(_) => None,
            })
            .collect();
        assert_eq!(utterances.len(), 3, "{utterances:?}");
        assert!(
            utterances
                .iter()
                .all(|(start, stopped, ms)| { stopped > start && *ms as u64 >= stopped - start }),
            "{utterances:?}"
        );
        for piece in [1, 7, 319, 4000] {
            assert_eq!(listen(piece), whole);
        }
    }
}
