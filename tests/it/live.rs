//! The live conversation with scripted engines: interruptions at any moment, and the same decisions as
//! without hurry.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use hearken::asr::{AsrError, Hypothesis, Recognizer, Transcript};
use hearken::audio::{Framer, SAMPLE_RATE};
use hearken::detect::{self, Endpointer};
use hearken::dialogue::Dialogue;
use hearken::home::Home;
use hearken::intent::Language;
use hearken::session::{Event, Input, Order, Playback, Session, Stages, TurnId, Voices};
use hearken::tts::{Synthesizer, TtsError};
use serde_json::Value;

use crate::chain::{CHINESE, ENGLISH, HOME, Loudness, sound};

/// Numbers that are the same in every run.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Says one thing or another, after a moment or another.
struct Chancy {
    seed: u64,
    moments: Dice,
}

impl Chancy {
    fn new(seed: u64) -> Self {
        Self { seed, moments: Dice(seed) }
    }
}

const SAID: [&str; 8] = [
    "turn on the kitchen light",
    "turn off the kettle",
    "turn on the kettle",
    "what is the meaning of life",
    "uh-huh",
    "",
    "turn on the",
    "打开水壶",
];

impl Recognizer for Chancy {
    fn transcribe(
        &mut self,
        audio: &[f32],
        stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError> {
        // The same words are heard the same, however much silence is behind them.
        let loud = audio.iter().filter(|sample| sample.abs() > 0.01).count();
        let mut said = Dice(self.seed ^ loud as u64);
        for _ in 0..self.moments.roll(4) {
            if stop() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        if said.roll(20) == 0 {
            return Err(AsrError::Engine { step: "decode", reason: "by chance".into() });
        }
        let text = SAID[said.roll(SAID.len() as u64) as usize];
        let language = if text.is_ascii() { "en" } else { "zh" };
        out(Hypothesis::Final(Transcript {
            text: text.into(),
            language: language.into(),
            ..Transcript::default()
        }));
        Ok(())
    }
}

/// Speaks long, in pieces that come at once or after a moment.
struct Slow(Dice);

impl Synthesizer for Slow {
    fn sample_rate(&self) -> u32 {
        8000
    }

    fn speak(
        &mut self,
        _sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        for _ in 0..1 + self.0.roll(12) {
            std::thread::sleep(Duration::from_micros(self.0.roll(300)));
            if out(&[0.1; 2000]).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn session(recognizer: impl Recognizer + 'static, voice: impl Synthesizer + 'static) -> Session {
    let languages = vec![
        Language::from_yaml(ENGLISH, "en.yaml").unwrap(),
        Language::from_yaml(CHINESE, "zh.yaml").unwrap(),
    ];
    let stages = Stages {
        detector: Box::new(Loudness),
        endpointer: Endpointer::new(&detect::Config::default()),
        turns: None,
        recognizer: Box::new(recognizer),
        dialogue: Dialogue::new(Home::from_toml(HOME, "home").unwrap(), languages).unwrap().into(),
        voices: Voices::none().with("en", Box::new(voice)),
    };
    Session::new(stages, Some("Kitchen".into()))
}

/// A loudspeaker in sample time.
#[derive(Default)]
struct Loudspeaker {
    /// What each reply was given, in milliseconds, and whether that is all.
    given: BTreeMap<u64, (f64, bool)>,
    played: BTreeMap<u64, f64>,
    held: bool,
    live: u64,
    over: BTreeSet<u64>,
    /// Sound of replies that were stopped already.
    old_heard: f64,
}

impl Loudspeaker {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Speech(speech) => {
                let given = self.given.entry(speech.turn.0).or_default();
                given.0 += speech.samples.len() as f64 * 1000.0 / f64::from(speech.sample_rate);
                given.1 |= speech.last;
            }
            Event::PlaybackHeld { .. } => self.held = true,
            Event::PlaybackResumed { .. } => self.held = false,
            Event::PlaybackStopped { turn } => {
                self.live = turn.0 + 1;
                self.held = false;
            }
            _ => {}
        }
    }

    /// Plays 20 ms and reports.
    fn advance(&mut self) -> Vec<Order> {
        let mut orders = Vec::new();
        for (&turn, &(given, all)) in &self.given {
            if self.over.contains(&turn) {
                continue;
            }
            let played = self.played.entry(turn).or_default();
            let stopped = turn < self.live;
            if stopped || !self.held {
                let more = if stopped { 0.0 } else { (given - *played).min(20.0) };
                *played += more;
                self.old_heard += if stopped { more } else { 0.0 };
            }
            let done = stopped || (all && *played >= given);
            if done {
                self.over.insert(turn);
                self.held = false;
            }
            orders.push(Order::Played { turn: TurnId(turn), played_ms: *played, done });
            if !stopped {
                break;
            }
        }
        orders
    }
}

/// A conversation of `turns` utterances at random moments.
fn converse(seed: u64, turns: usize) -> (Vec<Event>, Loudspeaker) {
    let mut dice = Dice(seed);
    let mut pattern = vec![300];
    for _ in 0..turns {
        pattern.push(120 + dice.roll(1500) as usize);
        pattern.push(250 + dice.roll(2500) as usize);
    }
    pattern.push(0);
    pattern.push(4000);
    let samples = sound(&pattern);
    let mut session =
        session(Chancy::new(seed), Slow(dice.clone())).with_playback(Playback::Reported);
    let speaker = Arc::new(Mutex::new(Loudspeaker::default()));
    let (frames, frame) = bounded(2);
    let (orders, order) = bounded(4096);
    let player = Arc::clone(&speaker);
    let is_over = Arc::new(AtomicBool::new(false));
    let left = Arc::clone(&is_over);
    let feeder = std::thread::spawn(move || {
        let mut slow = dice;
        Framer::new().push(&samples, |frame| {
            if slow.roll(40) == 0 {
                std::thread::sleep(Duration::from_micros(500));
            }
            frames.send(frame).unwrap();
            for order in player.lock().unwrap().advance() {
                orders.send(order).unwrap();
            }
        });
        drop(frames);
        // The last reply still has to be made and heard, however slow this machine is.
        let began = Instant::now();
        while !left.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(10) {
            let reports = player.lock().unwrap().advance();
            if reports.into_iter().any(|order| orders.send(order).is_err()) {
                break;
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    });
    let mut events = Vec::new();
    session.converse(&Input { frames: frame, orders: order }, &mut |event| {
        speaker.lock().unwrap().take(&event);
        events.push(event);
    });
    is_over.store(true, Ordering::Relaxed);
    feeder.join().unwrap();
    let speaker = Arc::into_inner(speaker).unwrap().into_inner().unwrap();
    (events, speaker)
}

#[test]
fn twenty_turns_interrupted_at_random_two_hundred_times() {
    let (mut interrupted, mut resumed, mut whole) = (0, 0, 0);
    for seed in 0..200 {
        let (events, speaker) = converse(seed, 20);
        let (mut started, mut finished) = (BTreeSet::new(), BTreeSet::new());
        let (mut stopped, mut over) = (0, BTreeSet::new());
        for event in &events {
            match event {
                Event::SpeechStarted { turn, .. } => assert!(started.insert(*turn), "{seed}"),
                Event::TurnFinished { turn, .. } => {
                    assert!(finished.insert(*turn), "seed {seed}: {turn:?} ended twice");
                }
                Event::Speech(speech) => {
                    assert!(speech.turn.0 >= stopped, "seed {seed}: speech of {:?}", speech.turn);
                }
                Event::PlaybackStopped { turn } => stopped = stopped.max(turn.0 + 1),
                Event::PlaybackResumed { .. } => resumed += 1,
                Event::PlaybackFinished { turn, played_ms, interrupted: broken, .. } => {
                    assert!(over.insert(*turn), "seed {seed}: {turn:?} was heard twice");
                    assert!(*played_ms <= speaker.given.get(&turn.0).map_or(0.0, |g| g.0) + 0.01);
                    interrupted += usize::from(*broken);
                    whole += usize::from(!*broken);
                }
                _ => {}
            }
        }
        assert!(started.len() > 10, "seed {seed}: {} utterances", started.len());
        assert!(started.is_subset(&finished), "seed {seed}: a turn without an end");
        assert_eq!(speaker.old_heard, 0.0, "seed {seed}");
        for (turn, given) in &speaker.given {
            let told = over.contains(&TurnId(*turn));
            assert!(told || given.0 == 0.0, "seed {seed}: the end of {turn} was not told");
        }
    }
    assert!(interrupted > 200 && resumed > 100 && whole > 200, "{interrupted} {resumed} {whole}");
}

/// The events turn by turn, without what depends on the machine.
fn by_turn(events: &[Event]) -> BTreeMap<TurnId, Vec<String>> {
    let mut turns: BTreeMap<TurnId, Vec<String>> = BTreeMap::new();
    for event in events.iter().filter(|e| !matches!(e, Event::Partial { .. })) {
        let mut value = serde_json::to_value(event).unwrap();
        if let Some(timeline) = value.get_mut("timeline_ms").and_then(Value::as_object_mut) {
            timeline.retain(|stage, _| stage == "endpoint_delay");
        }
        turns.entry(event.turn()).or_default().push(value.to_string());
    }
    turns
}

#[test]
fn a_hurried_and_an_unhurried_conversation_decide_the_same() {
    for seed in 0..5 {
        let samples =
            sound(&[400, 900, 700, 300, 260, 800, 1500, 150, 420, 500, 2500, 60, 900, 700, 3000]);
        let words = || Chancy::new(seed);
        let mut sync = Vec::new();
        let mut hurried = session(words(), Slow(Dice(1)));
        Framer::new().push(&samples, |frame| hurried.push(&frame, &mut |e| sync.push(e)));
        hurried.finish(&mut |e| sync.push(e));

        let (frames, frame) = bounded(4);
        let (_orders, order) = bounded(1);
        let mut live = Vec::new();
        let feeder = std::thread::spawn(move || {
            Framer::new().push(&samples, |frame| {
                frames.send(frame).unwrap();
                // Ten times faster than life, and slow enough for everything to overlap.
                std::thread::sleep(Duration::from_millis(2));
            });
        });
        let mut unhurried = session(words(), Slow(Dice(1)));
        unhurried.converse(&Input { frames: frame, orders: order }, &mut |e| live.push(e));
        feeder.join().unwrap();
        assert_eq!(by_turn(&sync), by_turn(&live), "seed {seed}");
    }
}

/// Says what the script says, whenever it is asked.
struct Always(&'static str);

impl Recognizer for Always {
    fn transcribe(
        &mut self,
        _audio: &[f32],
        _stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError> {
        let transcript =
            Transcript { text: self.0.into(), language: "en".into(), ..Transcript::default() };
        out(Hypothesis::Final(transcript));
        Ok(())
    }
}

/// Hums for three seconds.
struct Hum;

impl Synthesizer for Hum {
    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }
    fn speak(
        &mut self,
        _sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        for _ in 0..30 {
            if out(&[0.1; 1600]).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// One announcement of three seconds, and somebody who says `text` from 1 s on for `ms`.
fn interrupt_with(text: &'static str, ms: usize) -> Vec<(f64, Event)> {
    let mut session = session(Always(text), Hum).with_playback(Playback::Clocked);
    let mut events = Vec::new();
    session.say("one two three four five six seven eight nine ten", "en", &mut |e| {
        events.push((0.0, e));
    });
    let samples = sound(&[1000, ms, 5000 - ms]);
    Framer::new().push(&samples, |frame| {
        let now = frame.at.seconds() * 1000.0 + 20.0;
        session.push(&frame, &mut |e| events.push((now, e)));
    });
    events
}

fn at(events: &[(f64, Event)], wanted: impl Fn(&Event) -> bool) -> Option<(f64, &Event)> {
    events.iter().find(|(_, event)| wanted(event)).map(|(at, event)| (*at, event))
}

#[test]
fn words_interrupt_at_once_and_only_what_was_heard_is_remembered() {
    let events = interrupt_with("stop", 400);
    let (held, _) = at(&events, |e| matches!(e, Event::PlaybackHeld { .. })).unwrap();
    assert!(held - 1000.0 <= 150.0, "held after {} ms", held - 1000.0);
    assert!(at(&events, |e| matches!(e, Event::PlaybackStopped { .. })).is_some());
    let over = at(&events, |e| matches!(e, Event::PlaybackFinished { .. }));
    let Some((_, Event::PlaybackFinished { played_ms, interrupted: true, heard, .. })) = over
    else {
        panic!("{over:?}");
    };
    assert!((1000.0..=1150.0).contains(played_ms), "{played_ms}");
    assert!(heard == "one two three" || heard == "one two three four", "{heard}");
}

#[test]
fn a_cough_and_a_polite_noise_do_not_interrupt() {
    for (text, ms) in [("", 200), ("Uh-huh.", 300), ("嗯", 300)] {
        let events = interrupt_with(text, ms);
        assert!(at(&events, |e| matches!(e, Event::PlaybackStopped { .. })).is_none(), "{text}");
        assert!(at(&events, |e| matches!(e, Event::ReplyText { .. })).is_none(), "{text}");
        let (held, _) = at(&events, |e| matches!(e, Event::PlaybackHeld { .. })).unwrap();
        let (on, _) = at(&events, |e| matches!(e, Event::PlaybackResumed { .. })).unwrap();
        assert!(on - held <= 1500.0, "{text}: resumed after {} ms", on - held);
        let over = at(&events, |e| matches!(e, Event::PlaybackFinished { .. }));
        let Some((end, Event::PlaybackFinished { played_ms, interrupted: false, .. })) = over
        else {
            panic!("{text}: {over:?}");
        };
        assert!((played_ms - 3000.0).abs() < 21.0, "{text}: all of it is heard: {played_ms}");
        assert!((end - 3000.0 - (on - held)).abs() < 60.0, "{text}: it went on where it stopped");
    }
}

#[test]
fn noise_without_words_gives_way_after_a_second_and_a_half() {
    let events = interrupt_with("", 3500);
    let (held, _) = at(&events, |e| matches!(e, Event::PlaybackHeld { .. })).unwrap();
    let (on, _) = at(&events, |e| matches!(e, Event::PlaybackResumed { .. })).unwrap();
    assert!((on - held - 1500.0).abs() <= 20.0, "resumed after {} ms", on - held);
}

#[test]
fn who_talks_without_a_pause_is_heard_too() {
    let events = interrupt_with("no that is wrong", 3500);
    let (held, _) = at(&events, |e| matches!(e, Event::PlaybackHeld { .. })).unwrap();
    let (stop, _) = at(&events, |e| matches!(e, Event::PlaybackStopped { .. })).unwrap();
    assert!(stop - held <= 700.0, "{} ms", stop - held);
}

#[test]
fn a_door_interrupts_and_truncates() {
    let mut session = session(Always("x"), Hum).with_playback(Playback::Reported);
    let mut events = Vec::new();
    let turn = session.say("one two three four five six", "en", &mut |_| ());
    Framer::new().push(&sound(&[200]), |f| session.push(&f, &mut |_| ()));
    session.played(turn, 500.0, false, &mut |e| events.push(e));
    session.played(TurnId(99), 1.0, true, &mut |e| events.push(e));
    assert!(events.is_empty());
    session.interrupt(&mut |e| events.push(e));
    assert!(matches!(events[..], [Event::PlaybackStopped { .. }]), "the ack is waited for");
    session.played(turn, 510.0, true, &mut |e| events.push(e));
    let finished = |event: &Event, ms: f64| matches!(event, Event::PlaybackFinished { played_ms, interrupted: true, .. } if *played_ms == ms);
    assert!(finished(&events[1], 510.0), "{events:?}");
    session.played(turn, 600.0, true, &mut |_| panic!("it is over"));

    let turn = session.say("one two three four five six", "en", &mut |_| ());
    Framer::new().push(&sound(&[200]), |f| session.push(&f, &mut |_| ()));
    events.clear();
    session.truncate(turn, 1000.0, &mut |e| events.push(e));
    assert!(finished(&events[1], 1000.0), "{events:?}");
    let heard: Vec<&str> = session.history().map(|turn| turn.heard.as_str()).collect();
    assert_eq!(heard, ["one", "one two"]);
}

#[test]
fn a_timer_rings_in_the_conversation() {
    let language = r#"
language: en
intents:
  HassStartTimer:
    data:
      - sentences: ["set a timer for {timer_seconds:seconds} second[s]"]
responses:
  intents:
    HassStartTimer:
      default: "Timer started"
lists:
  timer_seconds:
    range: { from: 1, to: 60 }
"#;
    let dialogue = Dialogue::new(
        Home::from_toml(HOME, "home").unwrap(),
        vec![Language::from_yaml(language, "en.yaml").unwrap()],
    );
    let stages = Stages {
        detector: Box::new(Loudness),
        endpointer: Endpointer::new(&detect::Config::default()),
        turns: None,
        recognizer: Box::new(Always("set a timer for 1 second")),
        dialogue: dialogue.unwrap().into(),
        voices: Voices::none().with("en", Box::new(Slow(Dice(1)))),
    };
    let (frames, frame) = bounded(4);
    let (_orders, order) = bounded(1);
    let feeder = std::thread::spawn(move || {
        Framer::new().push(&sound(&[200, 600, 3000]), |frame| {
            frames.send(frame).unwrap();
            std::thread::sleep(Duration::from_millis(10));
        });
    });
    let mut replies = Vec::new();
    Session::new(stages, None).converse(&Input { frames: frame, orders: order }, &mut |event| {
        if let Event::ReplyText { turn, reply } = event {
            replies.push((turn, reply.text));
        }
    });
    feeder.join().unwrap();
    assert_eq!(replies.len(), 2, "the answer and the ring: {replies:?}");
    assert!(replies[1].0 > replies[0].0 && !replies[1].1.is_empty(), "{replies:?}");
}

#[test]
fn typed_words_are_answered_after_who_speaks() {
    let mut session = session(Always("turn on the kitchen light"), Slow(Dice(1)));
    let mut finals = Vec::new();
    let mut take = |event: Event| match event {
        Event::Final { turn, transcript } => finals.push((turn.0, transcript.text)),
        Event::SpeechStopped { turn, .. } => assert_eq!(turn, TurnId(1)),
        _ => {}
    };
    Framer::new().push(&sound(&[200, 400]), |frame| session.push(&frame, &mut take));
    session.ask("turn off the kettle", "en", &mut take);
    let mut framer = Framer::at(hearken::audio::SampleTime::from_ms(600));
    framer.push(&sound(&[3000]), |frame| session.push(&frame, &mut take));
    session.ask("turn on the kettle", "en", &mut take);
    session.finish(&mut take);
    let said = |turn, text: &str| (turn, text.to_owned());
    let want = [
        said(1, "turn on the kitchen light"),
        said(2, "turn off the kettle"),
        said(3, "turn on the kettle"),
    ];
    assert_eq!(finals, want);
    let state = session.dialogue().home().states();
    assert_eq!(
        (&state["light.kitchen"]["state"], &state["switch.kettle"]["state"]),
        (&"on".into(), &"on".into())
    );
}
