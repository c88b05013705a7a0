//! Deciding that an utterance began or ended.

use std::collections::VecDeque;

use super::{Config, Heard};
use crate::audio::Frame;
use crate::audio::SAMPLE_RATE;
use crate::audio::SampleTime;

/// A pause inside a word is shorter than this; longer silence before the start is no part of it.
const BREATH: u64 = SAMPLE_RATE as u64 / 10;

/// Before the longest utterance is full, this much of it is left to find a better place to cut: there
/// a pause of one [`BREATH`] ends the utterance.
const LAST_PART: u64 = 5 * SAMPLE_RATE as u64;

/// Turns speech probabilities into utterances.
///
/// A pure machine: it has no clock but the time of the frames and does nothing but call `out`. An
/// utterance is `Started`, any number of `Audio`, `Stopped`; the frames between are those of the
/// stream, in order, without a hole and never twice:
///
/// ```text
///        pre_roll   speech                      trailing
///      |··········|▔▔▔▔▔▔▔▔▔▔▔▔▔▔|____|▔▔▔▔▔▔▔|········|···············|
///      first Audio ^Started(at)          Stopped(at)^   ^last Audio      ^Stopped is said here
///                                                   |<---- hangover ---->|
/// ```
///
/// `Stopped` tells where the speech ended, so the time at which it is said less that time is the
/// endpoint delay.
///
/// In a pause, `Paused` says that it would be worth recognising what was said so far, and `Settled`
/// that the shortest silence which may end an utterance is over. Whoever knows by then what was said
/// sets the silence of this pause with [`wait_for`](Self::wait_for); speech that goes on is
/// `Resumed`, and the next pause has the usual hangover again.
///
/// ```
/// use hearken::audio::{Framer, SampleTime};
/// use hearken::detect::{Config, Endpointer, Heard};
///
/// let mut endpointer = Endpointer::new(&Config::default());
/// let mut times = Vec::new();
/// let mut framer = Framer::new();
/// // One second of silence, one of speech, two of silence.
/// framer.push(&[0.0; 4 * 16_000], |frame| {
///     let speech = (1000..2000).contains(&frame.at.ms());
///     endpointer.push(&frame, if speech { 0.9 } else { 0.1 }, &mut |heard| match heard {
///         Heard::Started(at) | Heard::Stopped(at) => times.push(at.ms()),
///         _ => {}
///     });
/// });
/// assert_eq!(times, [1000, 2000]);
/// ```
#[derive(Debug)]
pub struct Endpointer {
    limits: Limits,
    state: State,
    /// The end of the last frame.
    now: SampleTime,
    /// Frames that were not handed out: the pre-roll of what may come, or the rest of a pause.
    held: VecDeque<Frame>,
}

/// The configuration in samples.
#[derive(Debug)]
struct Limits {
    start: f32,
    stop: f32,
    least: u64,
    pre_roll: u64,
    pause: u64,
    settled: u64,
    finished: u64,
    hangover: u64,
    open: u64,
    trailing: u64,
    longest: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Nobody speaks, or has for too short a time to be sure.
    Waiting(Option<Onset>),
    /// Somebody speaks, or paused.
    Speaking {
        /// The time of the first frame handed out.
        first: SampleTime,
        /// Where the speech ended, so far.
        end: SampleTime,
        /// What was said of the pause that lasts.
        pause: Pause,
        /// The silence that ends the utterance in this pause, in samples.
        patience: u64,
    },
    /// The longest utterance was cut off; if speech goes on, so does a new one.
    Cut,
}

/// How far a pause has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    None,
    Told,
    Settled,
}

/// What may become an utterance.
#[derive(Debug, Clone, Copy)]
struct Onset {
    /// The beginning of its first frame of speech.
    at: SampleTime,
    /// Samples in frames of speech since then.
    speech: u64,
    /// The end of its last frame of speech.
    end: SampleTime,
}

fn end_of(frame: &Frame) -> SampleTime {
    frame.at + frame.samples.len() as u64
}

impl Endpointer {
    /// A machine that has heard nothing yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let samples = |ms: u32| SampleTime::from_ms(u64::from(ms)).0;
        let limits = Limits {
            start: config.start_threshold,
            stop: config.stop_threshold,
            least: samples(config.min_speech_ms),
            pre_roll: samples(config.pre_roll_ms),
            pause: samples(config.speculate_ms),
            settled: samples(config.complete_ms.min(config.hangover_ms)),
            finished: samples(config.finished_ms.min(config.hangover_ms)),
            hangover: samples(config.hangover_ms),
            open: samples(config.open_ms.max(config.hangover_ms)),
            trailing: samples(config.trailing_ms.min(config.hangover_ms)),
            longest: samples(config.max_utterance_ms),
        };
        Self { limits, state: State::Waiting(None), now: SampleTime(0), held: VecDeque::new() }
    }

    /// True between `Started` and `Stopped`.
    #[must_use]
    pub fn is_speaking(&self) -> bool {
        matches!(self.state, State::Speaking { .. })
    }

    /// The silences, in milliseconds, that end an utterance: one that is complete, one that sounds
    /// finished, one of which nothing is known, and one that is open.
    #[must_use]
    pub fn silences_ms(&self) -> [u32; 4] {
        let limits = &self.limits;
        [limits.settled, limits.finished, limits.hangover, limits.open]
            .map(|samples| u32::try_from(SampleTime(samples).ms()).unwrap_or(u32::MAX))
    }

    /// Takes the next frame with the probability, 0 to 1, that it holds speech.
    pub fn push(&mut self, frame: &Frame, probability: f32, out: &mut dyn FnMut(Heard)) {
        self.held.push_back(frame.clone());
        self.now = end_of(frame);
        match self.state {
            State::Waiting(onset) => self.wait(frame, probability, onset, out),
            State::Speaking { .. } => self.speak(frame, probability, out),
            State::Cut if probability >= self.limits.stop => {
                self.start(frame.at, end_of(frame), out)
            }
            State::Cut => self.wait(frame, probability, None, out),
        }
    }

    /// Sets the silence, in milliseconds, that ends the utterance in the pause that lasts; without a
    /// pause nothing happens. Silence that is over already ends it now.
    pub fn wait_for(&mut self, silence_ms: u32, out: &mut dyn FnMut(Heard)) {
        let now = self.now;
        if let State::Speaking { end, pause, patience, .. } = &mut self.state
            && *pause != Pause::None
        {
            *patience = SampleTime::from_ms(u64::from(silence_ms)).0;
            if now - *end >= *patience {
                let end = *end;
                self.stop(now, end, out);
            }
        }
    }

    /// Ends the stream: an utterance that is open stops where its speech did. The machine is then as
    /// new.
    pub fn finish(&mut self, out: &mut dyn FnMut(Heard)) {
        if let State::Speaking { end, .. } = self.state {
            out(Heard::Stopped(end));
        }
        self.state = State::Waiting(None);
        self.held.clear();
    }

    fn wait(
        &mut self,
        frame: &Frame,
        probability: f32,
        onset: Option<Onset>,
        out: &mut dyn FnMut(Heard),
    ) {
        let end = end_of(frame);
        let length = frame.samples.len() as u64;
        let onset = match onset {
            Some(onset) if probability >= self.limits.start => {
                Some(Onset { speech: onset.speech + length, end, ..onset })
            }
            None if probability >= self.limits.start => {
                Some(Onset { at: frame.at, speech: length, end })
            }
            Some(onset) if end - onset.end >= BREATH => None,
            other => other,
        };
        if let Some(Onset { at, speech, end }) = onset
            && speech >= self.limits.least
        {
            return self.start(at, end, out);
        }
        self.state = State::Waiting(onset);
        let wanted = onset.map_or(end, |onset| onset.at);
        self.forget_before(wanted);
    }

    /// Drops held frames that end before the pre-roll of `at`.
    fn forget_before(&mut self, at: SampleTime) {
        let from = SampleTime(at.0.saturating_sub(self.limits.pre_roll));
        while self.held.front().is_some_and(|frame| end_of(frame) <= from) {
            self.held.pop_front();
        }
    }

    fn start(&mut self, at: SampleTime, end: SampleTime, out: &mut dyn FnMut(Heard)) {
        self.forget_before(at);
        let first = self.held.front().map_or(at, |frame| frame.at);
        out(Heard::Started(at));
        let patience = self.limits.hangover;
        self.state = State::Speaking { first, end, pause: Pause::None, patience };
        self.hand_out(end, out);
    }

    /// Hands out what is held up to `trailing` after the end of speech.
    fn hand_out(&mut self, end: SampleTime, out: &mut dyn FnMut(Heard)) {
        let until = end + self.limits.trailing;
        while self.held.front().is_some_and(|frame| end_of(frame) <= until) {
            if let Some(frame) = self.held.pop_front() {
                out(Heard::Audio(frame));
            }
        }
    }

    fn speak(&mut self, frame: &Frame, probability: f32, out: &mut dyn FnMut(Heard)) {
        let State::Speaking { first, mut end, mut pause, mut patience } = self.state else {
            return;
        };
        let now = end_of(frame);
        let speech = probability >= self.limits.stop;
        if speech {
            end = now;
            if pause != Pause::None {
                (pause, patience) = (Pause::None, self.limits.hangover);
                out(Heard::Resumed(frame.at));
            }
        }
        self.hand_out(end, out);
        let length = now - first;
        let last_part = length + LAST_PART.min(self.limits.longest / 2) >= self.limits.longest;
        if last_part {
            patience = patience.min(BREATH);
        }
        if !speech && now - end >= patience {
            return self.stop(now, end, out);
        }
        if length >= self.limits.longest {
            out(Heard::Stopped(end));
            self.state = State::Cut;
            return;
        }
        // What is over at once needs no warning.
        if pause == Pause::None && now - end >= self.limits.pause && self.limits.pause < patience {
            pause = Pause::Told;
            out(Heard::Paused(end));
        }
        if pause == Pause::Told && now - end >= self.limits.settled {
            pause = Pause::Settled;
            out(Heard::Settled(end));
        }
        self.state = State::Speaking { first, end, pause, patience };
    }

    fn stop(&mut self, now: SampleTime, end: SampleTime, out: &mut dyn FnMut(Heard)) {
        out(Heard::Stopped(end));
        self.state = State::Waiting(None);
        self.forget_before(now);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::audio::FRAME_SAMPLES;

    fn frame(n: u64) -> Frame {
        let samples: Arc<[f32]> = vec![n as f32; FRAME_SAMPLES].into();
        Frame { at: SampleTime(n * FRAME_SAMPLES as u64), samples }
    }

    /// What is heard, with the time in milliseconds at which it is said.
    fn run(config: &Config, probabilities: impl IntoIterator<Item = f32>) -> Vec<(u64, Heard)> {
        let mut endpointer = Endpointer::new(config);
        let mut heard = Vec::new();
        let mut now = 0;
        for (n, probability) in probabilities.into_iter().enumerate() {
            now = (n as u64 + 1) * 20;
            endpointer.push(&frame(n as u64), probability, &mut |h| heard.push((now, h)));
        }
        endpointer.finish(&mut |h| heard.push((now, h)));
        heard
    }

    /// An utterance as a test likes to read it; times in milliseconds.
    #[derive(Debug, PartialEq)]
    struct Told {
        started: u64,
        first: u64,
        last: u64,
        stopped: u64,
        said: u64,
    }

    /// Checks the order of what was heard and sums it up.
    fn told(heard: &[(u64, Heard)]) -> Vec<Told> {
        let mut all: Vec<Told> = Vec::new();
        let mut open: Option<(u64, Vec<u64>)> = None;
        for (said, heard) in heard {
            match heard {
                Heard::Started(at) => {
                    assert!(open.is_none(), "started twice");
                    open = Some((at.ms(), Vec::new()));
                }
                Heard::Audio(frame) => {
                    let (_, frames) = open.as_mut().expect("audio outside an utterance");
                    if let Some(last) = frames.last() {
                        assert_eq!(frame.at.ms(), last + 20, "a hole or a frame twice");
                    }
                    assert_eq!(frame.samples[0], (frame.at.ms() / 20) as f32);
                    frames.push(frame.at.ms());
                }
                Heard::Stopped(at) => {
                    let (started, frames) = open.take().expect("stopped before it started");
                    let (first, last) = (frames[0], frames[frames.len() - 1] + 20);
                    if let Some(before) = all.last() {
                        assert!(first >= before.last, "a frame in two utterances");
                    }
                    all.push(Told { started, first, last, stopped: at.ms(), said: *said });
                }
                Heard::Paused(_) | Heard::Settled(_) | Heard::Resumed(_) => {
                    assert!(open.is_some(), "a pause outside an utterance");
                }
            }
        }
        assert!(open.is_none(), "an utterance stayed open");
        all
    }

    /// Runs of a probability: (milliseconds, probability).
    fn runs(pieces: &[(usize, f32)]) -> Vec<f32> {
        pieces.iter().flat_map(|&(ms, p)| std::iter::repeat_n(p, ms / 20)).collect()
    }

    #[test]
    fn utterances() {
        let told_of =
            |started, first, last, stopped, said| Told { started, first, last, stopped, said };
        type Case = (&'static str, &'static [(usize, f32)], Vec<Told>);
        let cases: Vec<Case> = vec![
            ("silence", &[(5000, 0.0)], vec![]),
            ("a click", &[(1000, 0.0), (80, 0.9), (2000, 0.0)], vec![]),
            ("murmur below the start", &[(3000, 0.45)], vec![]),
            (
                "one utterance",
                &[(1000, 0.0), (1000, 0.9), (1000, 0.0)],
                vec![told_of(1000, 700, 2200, 2000, 2600)],
            ),
            (
                "speech from the first frame: no pre-roll is there",
                &[(500, 0.9), (1000, 0.0)],
                vec![told_of(0, 0, 700, 500, 1100)],
            ),
            (
                "a pause shorter than the hangover",
                &[(400, 0.0), (400, 0.9), (580, 0.1), (400, 0.9), (600, 0.0)],
                vec![told_of(400, 100, 1980, 1780, 2380)],
            ),
            (
                "a pause of the hangover, whose rest is the next pre-roll",
                &[(400, 0.0), (400, 0.9), (600, 0.1), (400, 0.9), (600, 0.0)],
                vec![told_of(400, 100, 1000, 800, 1400), told_of(1400, 1100, 2000, 1800, 2400)],
            ),
            (
                "a quiet ending stays in",
                &[(400, 0.0), (400, 0.9), (400, 0.4), (1000, 0.3)],
                vec![told_of(400, 100, 1400, 1200, 1800)],
            ),
            (
                "syllables with short gaps add up",
                &[(400, 0.0), (60, 0.9), (60, 0.2), (60, 0.9), (1000, 0.0)],
                vec![told_of(400, 100, 780, 580, 1180)],
            ),
            ("clicks far apart do not", &[(60, 0.9), (200, 0.0), (60, 0.9), (1000, 0.0)], vec![]),
            (
                "the end of the stream",
                &[(400, 0.0), (400, 0.9), (100, 0.0)],
                vec![told_of(400, 100, 900, 800, 900)],
            ),
            ("what is no number is silence", &[(1000, f32::NAN)], vec![]),
        ];
        let config = Config { pre_roll_ms: 300, ..Config::default() };
        for (name, pieces, expected) in cases {
            assert_eq!(told(&run(&config, runs(pieces))), expected, "{name}");
        }
    }

    #[test]
    fn endless_speech_is_cut_without_losing_a_frame() {
        let heard = told(&run(&Config::default(), runs(&[(70_000, 0.9), (1000, 0.0)])));
        assert_eq!(heard.len(), 3);
        assert_eq!((heard[0].first, heard[0].last), (0, 30_000));
        assert_eq!((heard[1].started, heard[1].first, heard[1].last), (30_000, 30_000, 60_000));
        assert_eq!((heard[2].first, heard[2].stopped), (60_000, 70_000));
    }

    #[test]
    fn a_long_utterance_is_cut_at_a_short_pause() {
        let pieces = [(10_000, 0.9), (200, 0.1), (17_000, 0.9), (200, 0.1), (10_000, 0.9)];
        let heard = told(&run(&Config::default(), runs(&pieces)));
        assert_eq!(heard.len(), 2);
        assert_eq!(
            heard[0].stopped, 27_200,
            "not at the pause after 10 s, but at the one after 27 s"
        );
        assert_eq!(heard[1].first, heard[0].last, "nothing of the pause is lost");
    }

    /// What is told of pauses, with the time at which it is said; `silence_ms` is waited for once a
    /// pause has settled.
    fn pauses(pieces: &[(usize, f32)], silence_ms: Option<u32>) -> Vec<(u64, String)> {
        let mut endpointer = Endpointer::new(&Config::default());
        let mut all = Vec::new();
        for (n, probability) in runs(pieces).into_iter().enumerate() {
            let mut heard = Vec::new();
            endpointer.push(&frame(n as u64), probability, &mut |h| heard.push(h));
            if let Some(ms) = silence_ms.filter(|_| matches!(heard.last(), Some(Heard::Settled(_))))
            {
                endpointer.wait_for(ms, &mut |h| heard.push(h));
            }
            let told = heard.into_iter().filter_map(|heard| match heard {
                Heard::Audio(_) => None,
                Heard::Started(at) => Some(format!("started {}", at.ms())),
                Heard::Paused(at) => Some(format!("paused {}", at.ms())),
                Heard::Settled(at) => Some(format!("settled {}", at.ms())),
                Heard::Resumed(at) => Some(format!("resumed {}", at.ms())),
                Heard::Stopped(at) => Some(format!("stopped {}", at.ms())),
            });
            all.extend(told.map(|told| ((n as u64 + 1) * 20, told)));
        }
        all
    }

    #[test]
    fn what_is_known_of_a_pause_sets_its_length() {
        type Case = (&'static str, &'static [(usize, f32)], Option<u32>, Vec<(u64, &'static str)>);
        let cases: Vec<Case> = vec![
            (
                "complete: the shortest silence is enough",
                &[(400, 0.9), (1000, 0.0)],
                Some(200),
                vec![
                    (100, "started 0"),
                    (460, "paused 400"),
                    (600, "settled 400"),
                    (600, "stopped 400"),
                ],
            ),
            (
                "open: a long silence is waited for",
                &[(400, 0.9), (1500, 0.0), (400, 0.9), (700, 0.0)],
                Some(2000),
                vec![
                    (100, "started 0"),
                    (460, "paused 400"),
                    (600, "settled 400"),
                    (1920, "resumed 1900"),
                    (2360, "paused 2300"),
                    (2500, "settled 2300"),
                ],
            ),
            (
                "nothing known: the usual hangover",
                &[(400, 0.9), (1000, 0.0)],
                None,
                vec![
                    (100, "started 0"),
                    (460, "paused 400"),
                    (600, "settled 400"),
                    (1000, "stopped 400"),
                ],
            ),
            (
                "a pause that does not settle",
                &[(400, 0.9), (140, 0.0), (400, 0.9), (40, 0.0), (100, 0.9)],
                Some(200),
                vec![(100, "started 0"), (460, "paused 400"), (560, "resumed 540")],
            ),
        ];
        for (name, pieces, silence, expected) in cases {
            let told = pauses(pieces, silence);
            let told: Vec<(u64, &str)> = told.iter().map(|(at, t)| (*at, t.as_str())).collect();
            assert_eq!(told, expected, "{name}");
        }
    }

    #[test]
    fn waiting_without_a_pause_changes_nothing() {
        let mut endpointer = Endpointer::new(&Config::default());
        let mut heard = Vec::new();
        endpointer.wait_for(40, &mut |h| heard.push(h));
        for n in 0..20 {
            endpointer.push(&frame(n), 0.9, &mut |_| ());
            endpointer.wait_for(0, &mut |h| heard.push(h));
        }
        assert!(heard.is_empty() && endpointer.is_speaking());
    }

    proptest! {
        #[test]
        fn any_probabilities_give_utterances_in_order(
            pieces in proptest::collection::vec((1_usize..80, 0.0_f32..1.0), 0..60),
            min_speech_ms in 0_u32..300,
            pre_roll_ms in 0_u32..600,
            hangover_ms in 40_u32..900,
            trailing_ms in 0_u32..900,
            max_utterance_ms in 1000_u32..4000,
        ) {
            let config = Config {
                min_speech_ms, pre_roll_ms, hangover_ms, trailing_ms, max_utterance_ms,
                ..Config::default()
            };
            let probabilities: Vec<f32> =
                pieces.iter().flat_map(|&(n, p)| std::iter::repeat_n(p, n)).collect();
            let heard = told(&run(&config, probabilities.iter().copied()));
            let mut covered = vec![false; probabilities.len()];
            for told in &heard {
                prop_assert!(told.first <= told.started && told.started < told.stopped);
                prop_assert!(told.stopped <= told.last && told.stopped <= told.said);
                prop_assert!(told.started - told.first <= u64::from(pre_roll_ms) + 20);
                prop_assert!(told.last - told.stopped <= u64::from(trailing_ms));
                prop_assert!(told.last - told.first <= u64::from(max_utterance_ms) + 20);
                prop_assert!(told.said - told.stopped <= u64::from(hangover_ms) + 20);
                covered[(told.first / 20) as usize..(told.last / 20) as usize].fill(true);
            }
            // Speech that lasts is never outside an utterance.
            let enough = (min_speech_ms as usize).div_ceil(20).max(1);
            let mut run = 0;
            for (n, &p) in probabilities.iter().enumerate() {
                run = if p >= config.start_threshold { run + 1 } else { 0 };
                prop_assert!(run < enough || covered[n], "frame {n} is lost");
            }
        }
    }
}
