//! The second half of a turn: what was said is understood, done, answered and heard.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::event::{Event, Speech, TurnId};
use super::turn::{Cue, Sounding, Words, heard_part, weigh};
use super::workers::{MouthReport, Spoken};
use super::{Note, Playback, Session, Wait, chain};
use crate::asr::AsrError;
use crate::asr::Transcript;
use crate::audio::FRAME_SAMPLES;
use crate::intent::Repaired;
use crate::telemetry::TurnTimeline;
use crate::telemetry::metrics;

/// Texts that may wait until the one before was heard.
const TEXTS: usize = 8;
/// Turns that are remembered.
const EXCHANGES: usize = 32;
/// How much of a reply may be ahead of what is heard before the voice has to wait, in milliseconds.
const AHEAD_MS: f64 = 1000.0;

/// What two said to each other, as far as it was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The turn.
    pub turn: TurnId,
    /// The user's words; empty for what the session said by itself.
    pub user: String,
    /// The part of the answer that was heard.
    pub heard: String,
    /// Whether the user broke it off.
    pub interrupted: bool,
}

/// How long a turn's recognition took, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delays {
    pub(super) endpoint: f64,
    /// What of the work was left when the utterance ended.
    pub(super) waited: f64,
    pub(super) work: f64,
}

/// The reply that is being made and heard.
#[derive(Debug, Default)]
pub(super) struct Answer {
    reply: Option<Reply>,
    /// Typed sentences, with their languages, that wait until who speaks has finished.
    asked: VecDeque<(String, String)>,
    /// Texts to say, with their languages.
    texts: VecDeque<(TurnId, String, String)>,
    history: VecDeque<Exchange>,
    /// Replies of turns below this one are dead: whoever still brings a piece of one is too late.
    gate: Arc<AtomicU64>,
    /// How many such pieces came.
    late: u64,
}

#[derive(Debug)]
struct Reply {
    turn: TurnId,
    text: String,
    stop: CancellationToken,
    timeline: TurnTimeline,
    /// The voice is not done.
    being_made: bool,
    sounding: Sounding,
}

impl Answer {
    pub(super) fn is_being_made(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.being_made)
    }

    pub(super) fn is_held(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.sounding.held_since().is_some())
    }
}

impl Session {
    /// Takes an utterance that is over.
    pub(super) fn answer_utterance(
        &mut self,
        turn: TurnId,
        result: Result<Transcript, AsrError>,
        delays: Delays,
        out: &mut dyn FnMut(Event),
    ) {
        let timeline = TurnTimeline {
            endpoint_delay: delays.endpoint,
            recognition: delays.waited,
            recognition_work: delays.work,
            ..TurnTimeline::default()
        };
        let mut transcript = match result {
            Ok(transcript) => transcript,
            Err(error) => {
                self.weigh(&Transcript::default(), true, out);
                out(Event::Failed { turn, stage: "recognition", error: chain(&error) });
                return self.finish_turn(turn, timeline, out);
            }
        };
        let words = self.weigh(&transcript, true, out);
        if words == Words::Nothing {
            // The assistant's own words are nobody's.
            transcript.text.clear();
        }
        out(Event::Final { turn, transcript: transcript.clone() });
        if transcript.text.is_empty() || words != Words::Real {
            return self.finish_turn(turn, timeline, out);
        }
        self.respond(turn, transcript, timeline, out);
    }

    /// Takes typed words as if they had been said. Who speaks at this moment is heard first.
    pub fn ask(&mut self, text: &str, language: &str, out: &mut dyn FnMut(Event)) {
        if self.utterance.is_some() {
            if self.answer.asked.len() < TEXTS {
                self.answer.asked.push_back((text.to_owned(), language.to_owned()));
            }
            return;
        }
        self.last.0 += 1;
        let turn = self.last;
        let (text, language) = (text.to_owned(), language.to_owned());
        let transcript = Transcript { text, language, ..Transcript::default() };
        out(Event::Final { turn, transcript: transcript.clone() });
        self.respond(turn, transcript, TurnTimeline::default(), out);
    }

    /// Understands, does and answers.
    fn respond(
        &mut self,
        turn: TurnId,
        transcript: Transcript,
        mut timeline: TurnTimeline,
        out: &mut dyn FnMut(Event),
    ) {
        let began = std::time::Instant::now();
        let mut reply =
            self.dialogue.respond(&transcript.text, &transcript.language, self.area.as_deref());
        if let Some(heard) = &transcript.heard {
            let sure = transcript.readings.iter().find(|reading| reading.text == transcript.text);
            reply.repaired.get_or_insert_with(|| Repaired {
                from: heard.clone(),
                to: transcript.text.clone(),
                cost: 1.0 - sure.map_or(0.0, |reading| reading.confidence),
            });
        }
        timeline.understanding = super::ms_since(began);
        let (text, language) = (reply.text.clone(), reply.language.clone());
        out(Event::ReplyText { turn, reply: Box::new(reply) });
        self.remember(Exchange {
            turn,
            user: transcript.text,
            heard: String::new(),
            interrupted: false,
        });
        if text.is_empty() {
            return self.finish_turn(turn, timeline, out);
        }
        self.begin_reply(turn, text, &language, timeline, out);
    }

    /// What the words are to the reply that sounds, which is stopped or goes on accordingly; when none
    /// sounds, words are words. `over` when no more will follow.
    pub(super) fn weigh(
        &mut self,
        transcript: &Transcript,
        over: bool,
        out: &mut dyn FnMut(Event),
    ) -> Words {
        let Some(reply) = &mut self.answer.reply else { return Words::Real };
        if !self.config.barge_in && self.playback != Playback::Unknown {
            return Words::Nothing;
        }
        let mut words = weigh(&transcript.text, &reply.text);
        // To a question "yes" is an answer and no polite noise.
        if words == Words::Backchannel && self.dialogue.is_asking() && over {
            words = Words::Real;
        }
        let cue = reply.sounding.words(words, over, self.now);
        self.follow(cue, out);
        words
    }

    fn begin_reply(
        &mut self,
        turn: TurnId,
        text: String,
        language: &str,
        timeline: TurnTimeline,
        out: &mut dyn FnMut(Event),
    ) {
        // Two replies at once are none.
        self.break_off(out);
        let stop = CancellationToken::new();
        if !self.mouth.speak(turn, &text, language, stop.clone()) {
            let error = "the voice's thread has ended or is too far behind".into();
            out(Event::Failed { turn, stage: "synthesis", error });
            return self.finish_turn(turn, timeline, out);
        }
        let sounding = Sounding::new();
        let reply = Reply { turn, text, stop, timeline, being_made: true, sounding };
        self.answer.reply = Some(reply);
    }

    /// Says `text` in the voice of `language`, outside any turn of the user's: at once, or when the
    /// reply that sounds was heard. Returns the turn that it is; [`push`](Session::push) and the like
    /// bring its speech.
    pub fn say(&mut self, text: &str, language: &str, out: &mut dyn FnMut(Event)) -> TurnId {
        self.last.0 += 1;
        let turn = self.last;
        self.queue_text(turn, text, language, out);
        turn
    }

    /// Says that timers are up, each in a turn of its own.
    pub(super) fn ring(&mut self, out: &mut dyn FnMut(Event)) {
        let rings = self.dialogue.lock().ring();
        for ring in rings {
            self.last.0 += 1;
            let turn = self.last;
            let (text, language) = (ring.reply.text.clone(), ring.reply.language.clone());
            out(Event::ReplyText { turn, reply: Box::new(ring.reply) });
            self.queue_text(turn, &text, &language, out);
        }
    }

    /// How long it is until a timer is up, if one runs.
    pub(super) fn until_ring(&self) -> Option<Duration> {
        self.dialogue.lock().until_ring()
    }

    fn queue_text(&mut self, turn: TurnId, text: &str, language: &str, out: &mut dyn FnMut(Event)) {
        if self.answer.texts.len() >= TEXTS {
            let error = format!("{TEXTS} texts wait to be said already");
            out(Event::Failed { turn, stage: "synthesis", error });
            return self.finish_turn(turn, TurnTimeline::default(), out);
        }
        self.answer.texts.push_back((turn, text.to_owned(), language.to_owned()));
        self.say_next(out);
    }

    fn say_next(&mut self, out: &mut dyn FnMut(Event)) {
        // Nobody is talked over.
        if self.answer.reply.is_some() || self.utterance.is_some() {
            return;
        }
        if let Some((turn, text, language)) = self.answer.texts.pop_front() {
            let exchange =
                Exchange { turn, user: String::new(), heard: String::new(), interrupted: false };
            self.remember(exchange);
            let timeline = TurnTimeline::default();
            self.begin_reply(turn, text, &language, timeline, out);
        }
    }

    /// Takes what the voice says.
    pub(super) fn spoken(&mut self, report: MouthReport, out: &mut dyn FnMut(Event)) {
        let gate = self.answer.gate.load(Ordering::Acquire);
        let live = |reply: &&mut Reply| reply.turn == report.turn && reply.turn.0 >= gate;
        let Some(reply) = self.answer.reply.as_mut().filter(live) else {
            self.answer.late += 1;
            metrics().late_pieces.inc();
            return;
        };
        let turn = reply.turn;
        match report.what {
            Spoken::Chunk { sample_rate, samples } => {
                reply.timeline.first_audio.get_or_insert(report.ms);
                reply.sounding.sent(samples.len() as f64 * 1000.0 / f64::from(sample_rate.max(1)));
                out(Event::Speech(Speech { turn, sample_rate, samples, last: false }));
            }
            Spoken::Done(sample_rate, done) => {
                if let Some(sample_rate) = sample_rate {
                    // Listeners wait for the end, also when the voice broke off.
                    let samples = Arc::from([]);
                    out(Event::Speech(Speech { turn, sample_rate, samples, last: true }));
                }
                if let Err(error) = done {
                    out(Event::Failed { turn, stage: "synthesis", error: chain(&error) });
                }
                self.made(report.ms, out);
            }
        }
    }

    pub(super) fn mouth_is_gone(&mut self, out: &mut dyn FnMut(Event)) {
        self.mouth.reports = crossbeam_channel::never();
        if let Some(reply) = self.answer.reply.as_ref().filter(|reply| reply.being_made) {
            let error = "the voice's thread has ended".into();
            out(Event::Failed { turn: reply.turn, stage: "synthesis", error });
            self.made(0.0, out);
        }
    }

    /// The voice is done with the reply.
    fn made(&mut self, ms: f64, out: &mut dyn FnMut(Event)) {
        let Some(reply) = &mut self.answer.reply else { return };
        let t = &mut reply.timeline;
        if let Some(first) = t.first_audio {
            t.synthesis = Some(ms);
            t.voice_to_voice = Some(t.endpoint_delay + t.recognition + t.understanding + first);
        }
        (reply.being_made, reply.timeline) = (false, *t);
        let (turn, timeline) = (reply.turn, reply.timeline);
        reply.sounding.all_sent();
        let total_ms = reply.sounding.total_ms();
        let silent = total_ms <= 0.0;
        self.note(|| Note::Spoke { ms: total_ms });
        self.finish_turn(turn, timeline, out);
        match self.playback {
            Playback::Unknown => {
                let heard = self.answer.reply.take().map(|reply| reply.text);
                self.note_heard(turn, heard.unwrap_or_default(), false);
                self.say_next(out);
            }
            // Nothing will be heard, so nobody will say that it was.
            _ if silent => {
                self.answer.reply = None;
                self.say_next(out);
            }
            _ => {}
        }
    }

    fn finish_turn(&mut self, turn: TurnId, timeline_ms: TurnTimeline, out: &mut dyn FnMut(Event)) {
        metrics().turn(&timeline_ms);
        out(Event::TurnFinished { turn, timeline_ms });
    }

    /// Whether the voice may go on making sound: not too far ahead of what is heard.
    pub(super) fn wants_speech(&self) -> bool {
        let ahead =
            |reply: &Reply| reply.sounding.ahead_ms() < AHEAD_MS || reply.sounding.is_stopping();
        self.playback != Playback::Reported || self.answer.reply.as_ref().is_none_or(ahead)
    }

    /// Somebody begins to speak: the reply holds.
    pub(super) fn hold_reply(&mut self, out: &mut dyn FnMut(Event)) {
        let interruptible = self.config.barge_in && self.playback != Playback::Unknown;
        let now = self.now;
        let reply = self.answer.reply.as_mut().filter(|_| interruptible);
        let cue = reply.and_then(|reply| reply.sounding.onset(now));
        self.follow(cue, out);
    }

    /// Lets the time of a frame go by for a reply that is played as it comes.
    pub(super) fn clock_reply(&mut self) {
        if let Some(reply) =
            self.answer.reply.as_mut().filter(|_| self.playback == Playback::Clocked)
        {
            reply.sounding.clock(super::ms(FRAME_SAMPLES as u64));
        }
    }

    pub(super) fn reply_is_reported(&self) -> bool {
        self.playback == Playback::Reported && self.answer.reply.is_some()
    }

    /// Looks whether the reply's times are up. To be called with every frame.
    pub(super) fn mind_reply(&mut self, out: &mut dyn FnMut(Event)) {
        let now = self.now;
        if self.utterance.is_none()
            && let Some((text, language)) = self.answer.asked.pop_front()
        {
            self.ask(&text, &language, out);
        }
        let Some(reply) = &mut self.answer.reply else { return self.say_next(out) };
        if reply.sounding.words_due(now) && self.waits.is_none() {
            let pending = self.utterance.as_ref().is_some_and(|utterance| {
                let trial = utterance.trial.as_ref();
                utterance.partial.is_some() || trial.is_some_and(|trial| trial.result.is_none())
            });
            if pending {
                // The time is up by the sample clock; what the recogniser makes of the sound until
                // now still counts, however long it takes.
                self.waits = Some(Wait::Words);
                return;
            }
        }
        let cue = reply.sounding.tick(now);
        self.follow(cue, out);
    }

    /// Does what the machine says.
    fn follow(&mut self, cue: Option<Cue>, out: &mut dyn FnMut(Event)) {
        let Some(cue) = cue else { return };
        let Some(reply) = &mut self.answer.reply else { return };
        let turn = reply.turn;
        match cue {
            Cue::Hold => out(Event::PlaybackHeld { turn }),
            Cue::Resume => {
                metrics().false_alarms.inc();
                out(Event::PlaybackResumed { turn });
            }
            Cue::Stop => {
                metrics().interruptions.inc();
                // The number turns away whoever is late, the token wakes who sleeps.
                self.answer.gate.store(turn.0 + 1, Ordering::Release);
                reply.stop.cancel();
                let unfinished = std::mem::take(&mut reply.being_made).then_some(reply.timeline);
                out(Event::PlaybackStopped { turn });
                if let Some(timeline) = unfinished {
                    self.finish_turn(turn, timeline, out);
                }
                if self.playback == Playback::Unknown {
                    self.answer.reply = None;
                }
            }
            Cue::Finished { played_ms, interrupted } => {
                let Some(reply) = self.answer.reply.take() else { return };
                if reply.sounding.held_since().is_some() {
                    // It ended at the moment it was held. The playback may have seen the hold after
                    // the end, and would hold the next reply for ever.
                    out(Event::PlaybackResumed { turn });
                }
                let all = !interrupted && !reply.sounding.is_stopping();
                let heard = match all {
                    true => reply.text.clone(),
                    false => {
                        heard_part(&reply.text, played_ms, reply.sounding.total_ms()).to_owned()
                    }
                };
                self.note_heard(turn, heard.clone(), interrupted);
                out(Event::PlaybackFinished { turn, played_ms, interrupted, heard });
                self.say_next(out);
            }
        }
    }

    /// Ends the reply that sounds, whether its end is acknowledged or not: another one begins.
    fn break_off(&mut self, out: &mut dyn FnMut(Event)) {
        let now = self.now;
        let cue = self.answer.reply.as_mut().and_then(|reply| reply.sounding.stop(now));
        self.follow(cue, out);
        if let Some(reply) = &self.answer.reply {
            let played_ms = reply.sounding.total_ms() - reply.sounding.ahead_ms();
            self.follow(Some(Cue::Finished { played_ms, interrupted: true }), out);
        }
    }

    /// Stops the reply that sounds, because somebody asks for it: a button, a client.
    pub fn interrupt(&mut self, out: &mut dyn FnMut(Event)) {
        let now = self.now;
        let cue = self.answer.reply.as_mut().and_then(|reply| reply.sounding.stop(now));
        self.follow(cue, out);
        self.answer.texts.clear();
        self.tick_reply(out);
    }

    fn tick_reply(&mut self, out: &mut dyn FnMut(Event)) {
        let now = self.now;
        let cue = self.answer.reply.as_mut().and_then(|reply| reply.sounding.tick(now));
        self.follow(cue, out);
    }

    /// The playback says how much of a turn's reply was heard, in milliseconds; `done` when it plays no
    /// more of it. What is said about a reply that is over is passed over.
    pub fn played(&mut self, turn: TurnId, played_ms: f64, done: bool, out: &mut dyn FnMut(Event)) {
        if let Some(reply) = self.answer.reply.as_mut().filter(|reply| reply.turn == turn) {
            reply.sounding.report(played_ms, done);
            if done {
                self.tick_reply(out);
            }
        }
    }

    /// A client stopped the reply by itself after `played_ms`: what came later is not in the history.
    pub fn truncate(&mut self, turn: TurnId, played_ms: f64, out: &mut dyn FnMut(Event)) {
        let now = self.now;
        if let Some(reply) = self.answer.reply.as_mut().filter(|reply| reply.turn == turn) {
            let cue = reply.sounding.stop(now);
            reply.sounding.truncate(played_ms);
            self.follow(cue, out);
            if self.answer.reply.as_ref().is_some_and(|reply| reply.turn == turn) {
                self.follow(Some(Cue::Finished { played_ms, interrupted: true }), out);
            }
        }
    }

    /// The last turns, the oldest first, with what was heard of the answers.
    pub fn history(&self) -> impl Iterator<Item = &Exchange> {
        self.answer.history.iter()
    }

    /// How many pieces of speech came for turns that were over already.
    #[must_use]
    pub fn late_pieces(&self) -> u64 {
        self.answer.late
    }

    fn remember(&mut self, exchange: Exchange) {
        if self.answer.history.len() >= EXCHANGES {
            self.answer.history.pop_front();
        }
        self.answer.history.push_back(exchange);
    }

    fn note_heard(&mut self, turn: TurnId, heard: String, interrupted: bool) {
        if let Some(exchange) = self.answer.history.iter_mut().rev().find(|e| e.turn == turn) {
            (exchange.heard, exchange.interrupted) = (heard, interrupted);
        }
    }
}
