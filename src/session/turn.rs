//! The reply that is being heard, and what the user's voice does to it. A pure machine.
//!
//! ```text
//!            onset of speech                real words
//!  Playing ────────────────▶ Held ───────────────────────▶ Stopping ──▶ finished
//!     ▲                       │      no words in time, a         acknowledged
//!     └───────────────────────┘      cough, 嗯, uh-huh
//! ```
//!
//! Whoever speaks is let speak at once: the reply is held before anybody knows what is being said. It
//! goes on where it stopped when that turns out to be nothing.

use crate::audio::SampleTime;

/// How long words may take to show after the reply was held.
const WORDS_WITHIN: SampleTime = SampleTime::from_ms(1500);
/// How long the playback may take to say how much was heard.
const ACKNOWLEDGED_WITHIN: SampleTime = SampleTime::from_ms(500);

/// What is to be done about the reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cue {
    /// Ramp down and keep the rest.
    Hold,
    /// Go on where it stopped.
    Resume,
    /// Ramp down, drop the rest, and say how much was heard.
    Stop,
    /// It is over.
    Finished { played_ms: f64, interrupted: bool },
}

/// What was said while a reply was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// None, or the reply's own in the microphone.
    Nothing,
    /// A sound that says "go on".
    Backchannel,
    /// Somebody wants to say something.
    Real,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Playing,
    Held(SampleTime),
    Stopping(SampleTime),
}

/// A reply on its way to the ear.
#[derive(Debug)]
pub(super) struct Sounding {
    state: State,
    sent_ms: f64,
    all_sent: bool,
    played_ms: f64,
    /// The playback has said that it is done.
    done: bool,
}

impl Sounding {
    pub(super) fn new() -> Self {
        let state = State::Playing;
        Self { state, sent_ms: 0.0, all_sent: false, played_ms: 0.0, done: false }
    }

    /// More of it was handed to the playback.
    pub(super) fn sent(&mut self, ms: f64) {
        self.sent_ms += ms;
    }

    /// All of it was handed to the playback.
    pub(super) fn all_sent(&mut self) {
        self.all_sent = true;
    }

    /// How much is on its way and not heard yet.
    pub(super) fn ahead_ms(&self) -> f64 {
        self.sent_ms - self.played_ms
    }

    pub(super) fn total_ms(&self) -> f64 {
        self.sent_ms
    }

    /// When words are to be known at the latest; only a held reply waits for any.
    pub(super) fn held_since(&self) -> Option<SampleTime> {
        match self.state {
            State::Held(since) => Some(since),
            _ => None,
        }
    }

    pub(super) fn words_due(&self, now: SampleTime) -> bool {
        self.held_since().is_some_and(|since| now - since >= WORDS_WITHIN.0)
    }

    /// Time goes by for a playback that tells nothing about itself.
    pub(super) fn clock(&mut self, ms: f64) {
        match self.state {
            State::Playing => self.played_ms = (self.played_ms + ms).min(self.sent_ms),
            State::Held(_) => {}
            State::Stopping(_) => self.done = true,
        }
        self.done |= self.all_sent && self.played_ms >= self.sent_ms;
    }

    /// The playback says how far it is; `done` when it will play no more of it.
    pub(super) fn report(&mut self, played_ms: f64, done: bool) {
        // An old report does not turn the time back.
        self.played_ms = self.played_ms.max(played_ms.clamp(0.0, self.sent_ms.max(0.0)));
        self.done |= done;
    }

    /// The client says that it was stopped there, whatever was believed before.
    pub(super) fn truncate(&mut self, played_ms: f64) {
        self.played_ms = played_ms.clamp(0.0, self.sent_ms);
    }

    /// Somebody begins to speak.
    pub(super) fn onset(&mut self, now: SampleTime) -> Option<Cue> {
        if self.state != State::Playing {
            return None;
        }
        self.state = State::Held(now);
        Some(Cue::Hold)
    }

    /// What is being said, as soon as that is known; `over` when nothing will follow.
    pub(super) fn words(&mut self, words: Words, over: bool, now: SampleTime) -> Option<Cue> {
        match (words, self.state) {
            (Words::Real, _) => self.stop(now),
            (_, State::Held(_)) if over => {
                self.state = State::Playing;
                Some(Cue::Resume)
            }
            _ => None,
        }
    }

    /// Whatever is being said, the reply is not wanted any more.
    pub(super) fn stop(&mut self, now: SampleTime) -> Option<Cue> {
        if matches!(self.state, State::Stopping(_)) {
            return None;
        }
        self.state = State::Stopping(now);
        Some(Cue::Stop)
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping(_))
    }

    /// Looks whether a time is up. To be asked with every frame, after the words that are known.
    pub(super) fn tick(&mut self, now: SampleTime) -> Option<Cue> {
        let finished = |interrupted| Some(Cue::Finished { played_ms: self.played_ms, interrupted });
        match self.state {
            State::Stopping(since) if self.done || now - since >= ACKNOWLEDGED_WITHIN.0 => {
                finished(true)
            }
            State::Playing | State::Held(_) if self.done => finished(false),
            State::Held(_) if self.words_due(now) => {
                self.state = State::Playing;
                Some(Cue::Resume)
            }
            _ => None,
        }
    }
}

const BACKCHANNELS: &[&str] = &[
    "uh huh",
    "uhhuh",
    "mm hmm",
    "mmhmm",
    "mhm",
    "mm",
    "hmm",
    "hm",
    "um",
    "uh",
    "ah",
    "oh",
    "yeah",
    "yep",
    "right",
    "okay",
    "ok",
    "i see",
    "sure",
    "嗯",
    "嗯嗯",
    "嗯哼",
    "对",
    "对对",
    "对对对",
    "哦",
    "噢",
    "啊",
    "呃",
    "是",
    "是的",
    "好",
    "好的",
    "对啊",
    "唔",
    "哼",
];

/// What `text` is to somebody who is saying `reply`.
pub(super) fn weigh(text: &str, reply: &str) -> Words {
    let said = bare(text);
    if said.is_empty() {
        return Words::Nothing;
    }
    if BACKCHANNELS.contains(&said.as_str()) {
        return Words::Backchannel;
    }
    // What the echo canceller leaves of the own voice is recognised as pieces of the reply. One word
    // is too little to tell by, and "stop" must stop also who says it.
    let own = format!(" {} ", bare(reply));
    let long = said.split(' ').count() >= 3 || said.chars().filter(|c| !c.is_ascii()).count() >= 4;
    let piece = match said.is_ascii() {
        true => own.contains(&format!(" {said} ")),
        false => own.contains(&said),
    };
    if long && piece { Words::Nothing } else { Words::Real }
}

/// Lower case, with single blanks for whatever is no letter or digit.
fn bare(text: &str) -> String {
    let letters = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' });
    let lower: String = letters.flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The part of `text` that was heard when `played_ms` of `total_ms` were: whole words, and no more
/// than surely sounded.
pub(super) fn heard_part(text: &str, played_ms: f64, total_ms: f64) -> &str {
    if total_ms <= 0.0 || played_ms <= 0.0 {
        return "";
    }
    if played_ms >= total_ms {
        return text;
    }
    let chars = text.chars().count() as f64 * played_ms / total_ms;
    let end = text.char_indices().nth(chars as usize).map_or(text.len(), |(at, _)| at);
    let cut = &text[..end];
    // A language without blanks may be cut anywhere.
    let next_joins = text[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
    match cut.rfind(char::is_whitespace) {
        Some(blank) if next_joins => cut[..blank].trim_end(),
        None if next_joins && cut.is_ascii() => "",
        _ => cut.trim_end(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SampleTime {
        SampleTime::from_ms(ms)
    }

    fn sounding(sent_ms: f64) -> Sounding {
        let mut reply = Sounding::new();
        reply.sent(sent_ms);
        reply.all_sent();
        reply
    }

    #[test]
    fn a_reply_nobody_disturbs_is_heard_to_the_end() {
        let mut reply = sounding(50.0);
        for n in 1..=2 {
            reply.clock(20.0);
            assert_eq!(reply.tick(at(20 * n)), None);
        }
        reply.clock(20.0);
        let end = Cue::Finished { played_ms: 50.0, interrupted: false };
        assert_eq!(reply.tick(at(60)), Some(end));
    }

    #[test]
    fn words_stop_it_and_the_rest_is_not_heard() {
        let mut reply = sounding(1000.0);
        reply.clock(200.0);
        assert_eq!(reply.onset(at(200)), Some(Cue::Hold));
        assert_eq!(reply.onset(at(210)), None, "it is held once");
        reply.clock(500.0);
        assert_eq!(reply.words(Words::Nothing, false, at(400)), None, "words may follow");
        assert_eq!(reply.words(Words::Real, false, at(700)), Some(Cue::Stop));
        assert_eq!(reply.words(Words::Real, true, at(720)), None);
        reply.clock(20.0);
        let end = Cue::Finished { played_ms: 200.0, interrupted: true };
        assert_eq!(reply.tick(at(720)), Some(end));
    }

    #[test]
    fn a_false_alarm_goes_on_where_it_stopped() {
        for (words, over, now, name) in [
            (None, false, 1700, "nothing is known in time"),
            (Some(Words::Nothing), true, 500, "a cough"),
            (Some(Words::Backchannel), true, 500, "uh-huh"),
        ] {
            let mut reply = sounding(1000.0);
            reply.clock(200.0);
            reply.onset(at(200));
            let cue = words.and_then(|words| reply.words(words, over, at(now)));
            assert_eq!(cue.or_else(|| reply.tick(at(now))), Some(Cue::Resume), "{name}");
            reply.clock(900.0);
            let end = Cue::Finished { played_ms: 1000.0, interrupted: false };
            assert_eq!(reply.tick(at(now + 900)), Some(end), "{name}");
        }
    }

    #[test]
    fn words_after_it_went_on_still_stop_it() {
        let mut reply = sounding(9000.0);
        reply.onset(at(0));
        assert_eq!(reply.tick(at(1499)), None);
        assert_eq!(reply.tick(at(1500)), Some(Cue::Resume));
        assert_eq!(reply.words(Words::Real, true, at(2000)), Some(Cue::Stop));
    }

    #[test]
    fn a_playback_that_does_not_acknowledge_is_not_waited_for() {
        let mut reply = sounding(1000.0);
        reply.report(300.0, false);
        reply.report(200.0, false);
        assert_eq!(reply.stop(at(0)), Some(Cue::Stop));
        assert_eq!(reply.tick(at(499)), None);
        let end = Cue::Finished { played_ms: 300.0, interrupted: true };
        assert_eq!(reply.tick(at(500)), Some(end));
    }

    #[test]
    fn an_acknowledgement_that_comes_late_or_says_too_much() {
        let mut reply = sounding(1000.0);
        reply.stop(at(0));
        reply.report(5000.0, true);
        let end = Cue::Finished { played_ms: 1000.0, interrupted: true };
        assert_eq!(reply.tick(at(0)), Some(end));
    }

    #[test]
    fn a_reply_that_ends_while_it_is_held_is_over() {
        let mut reply = sounding(1000.0);
        reply.onset(at(900));
        reply.report(1000.0, true);
        assert!(matches!(reply.tick(at(920)), Some(Cue::Finished { interrupted: false, .. })));
    }

    #[test]
    fn words_are_weighed() {
        let reply = "Turned on the kitchen light.";
        for (text, words) in [
            ("", Words::Nothing),
            ("...", Words::Nothing),
            ("Uh-huh.", Words::Backchannel),
            ("嗯。", Words::Backchannel),
            ("对", Words::Backchannel),
            ("Stop.", Words::Real),
            ("停", Words::Real),
            ("no, the bedroom", Words::Real),
            ("on the kitchen light", Words::Nothing),
            ("light", Words::Real),
        ] {
            assert_eq!(weigh(text, reply), words, "{text}");
        }
        assert_eq!(weigh("书房灯已打开", "书房灯已打开"), Words::Nothing);
        assert_eq!(weigh("关灯", "书房灯已打开"), Words::Real);
    }

    #[test]
    fn what_was_heard_ends_at_a_word() {
        for (text, played, heard) in [
            ("Turned on the light", 0.0, ""),
            ("Turned on the light", 100.0, "Turned on the light"),
            ("Turned on the light", 40.0, "Turned"),
            ("Turned on the light", 20.0, ""),
            ("书房灯已打开", 50.0, "书房灯"),
        ] {
            assert_eq!(heard_part(text, played, 100.0), heard, "{text} {played}");
        }
    }
}
