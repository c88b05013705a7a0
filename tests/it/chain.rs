//! The whole chain: with scripted engines against golden event logs, and with the real models.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hearken::asr::{AsrError, Hypothesis, Recognizer, Segment, Transcript};
use hearken::audio::{FileSource, Frame, Framer, SAMPLE_RATE, Source};
use hearken::detect::{self, Endpointer, VoiceDetector};
use hearken::dialogue::Dialogue;
use hearken::home::Home;
use hearken::intent::Language;
use hearken::session::{Event, Session, Stages, Voices, transcribe_source};
use hearken::tts::{Synthesizer, TtsError};
use serde_json::Value;

/// Hears speech wherever there is sound.
pub(crate) struct Loudness;

impl VoiceDetector for Loudness {
    fn push(&mut self, frame: &Frame) -> f32 {
        let loud = frame.samples.iter().any(|s| s.abs() > 0.1);
        if loud { 0.9 } else { 0.05 }
    }

    fn reset(&mut self) {}
}

/// Says what the script says, one line an utterance; `FAIL` is a failure.
struct Scripted(Vec<&'static str>);

impl Recognizer for Scripted {
    fn transcribe(
        &mut self,
        audio: &[f32],
        _stop: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Hypothesis),
    ) -> Result<(), AsrError> {
        let text = if self.0.is_empty() { "" } else { self.0.remove(0) };
        if text == "FAIL" {
            return Err(AsrError::Engine { step: "decode", reason: "the script says so".into() });
        }
        let language = if text.is_ascii() { "en" } else { "zh" };
        let end = audio.len() as f64 / f64::from(SAMPLE_RATE);
        let segment = Segment { start: 0.0, end, text: text.into() };
        let transcript = |text: &str| Transcript {
            text: text.into(),
            language: language.into(),
            segments: vec![segment.clone()],
            ..Transcript::default()
        };
        if let Some((first, _)) = text.split_once(' ') {
            out(Hypothesis::Partial(transcript(first)));
        }
        out(Hypothesis::Final(transcript(text)));
        Ok(())
    }
}

/// A tone of a hundredth of a second for each character, a chunk a word.
struct Tone;

impl Synthesizer for Tone {
    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn speak(
        &mut self,
        sentence: &str,
        out: &mut dyn FnMut(&[f32]) -> ControlFlow<()>,
    ) -> Result<(), TtsError> {
        for word in sentence.split(' ') {
            let samples = vec![0.2; word.chars().count() * SAMPLE_RATE as usize / 100];
            if out(&samples).is_break() {
                break;
            }
        }
        Ok(())
    }
}

pub(crate) const ENGLISH: &str = r#"
language: en
intents:
  HassTurnOn:
    data:
      - sentences: ["turn on [the] {name}"]
  HassTurnOff:
    data:
      - sentences: ["turn off [the] {name}"]
responses:
  intents:
    HassTurnOn:
      default: "Turned on {{ slots.name }}"
    HassTurnOff:
      default: "Turned off {{ slots.name }}"
  errors:
    no_intent: "Sorry, I couldn't understand that"
lists: {}
"#;

pub(crate) const CHINESE: &str = r#"
language: zh-CN
settings:
  ignore_whitespace: true
intents:
  HassTurnOn:
    data:
      - sentences: ["打开{name}"]
responses:
  intents:
    HassTurnOn:
      default: "已打开{{ slots.name }}"
  errors:
    no_intent: "没听懂"
lists: {}
"#;

pub(crate) const HOME: &str = r#"
[[area]]
id = "kitchen"
name = { en = "Kitchen", zh = "厨房" }

[[device]]
id = "light.kitchen"
name = { en = "Kitchen Light", zh = "厨房灯" }
area = "kitchen"

[[device]]
id = "switch.kettle"
name = { en = "Kettle", zh = "水壶" }
area = "kitchen"
state = "on"
"#;

fn session(script: &[&'static str]) -> Session {
    let home = Home::from_toml(HOME, "the test's home").unwrap();
    let languages = vec![
        Language::from_yaml(ENGLISH, "en.yaml").unwrap(),
        Language::from_yaml(CHINESE, "zh.yaml").unwrap(),
    ];
    let stages = Stages {
        detector: Box::new(Loudness),
        endpointer: Endpointer::new(&detect::Config::default()),
        turns: None,
        recognizer: Box::new(Scripted(script.to_vec())),
        dialogue: Dialogue::new(home, languages).unwrap().into(),
        voices: Voices::none().with("en", Box::new(Tone)).with("zh", Box::new(Tone)),
    };
    Session::new(stages, Some("Kitchen".into()))
}

/// Sound and silence in turn, in milliseconds, beginning with silence.
pub(crate) fn sound(pattern_ms: &[usize]) -> Vec<f32> {
    let mut samples = Vec::new();
    for (n, ms) in pattern_ms.iter().enumerate() {
        let value = if n % 2 == 0 { 0.0 } else { 0.5 };
        samples.resize(samples.len() + ms * SAMPLE_RATE as usize / 1000, value);
    }
    samples
}

/// Runs samples through a session, in chunks of `chunk`, and writes the log: times are in samples and
/// what depends on the machine is left out, so that it is the same everywhere.
fn log(session: &mut Session, samples: &[f32], chunk: usize) -> String {
    let mut log = String::new();
    let mut take = |event: Event| {
        let mut event = serde_json::to_value(&event).unwrap();
        if let Some(timeline) = event.get_mut("timeline_ms").and_then(Value::as_object_mut) {
            timeline.retain(|stage, _| stage == "endpoint_delay");
        }
        writeln!(log, "{event}").unwrap();
    };
    let mut framer = Framer::new();
    for chunk in samples.chunks(chunk) {
        framer.push(chunk, |frame| session.push(&frame, &mut take));
    }
    framer.finish(|frame| session.push(&frame, &mut take));
    session.finish(&mut take);
    log
}

/// Compares with tests/data/golden/NAME.jsonl; with `HEARKEN_GOLDEN=write` it is written instead.
fn golden(name: &str, log: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden");
    let path = folder.join(format!("{name}.jsonl"));
    if std::env::var("HEARKEN_GOLDEN").is_ok_and(|v| v == "write") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, log).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap();
    for (n, (got, wanted)) in log.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(got, wanted, "{name}, event {}", n + 1);
    }
    assert_eq!(log.lines().count(), wanted.lines().count(), "{name}: another number of events");
}

#[test]
fn two_commands_in_two_languages() {
    let script = ["turn on the kitchen light", "打开水壶"];
    let samples = sound(&[500, 900, 1500, 800, 1000]);
    let log_at = |chunk| log(&mut session(&script), &samples, chunk);
    let once = log_at(320);
    // However the sound is cut, the same happens at the same sample.
    for chunk in [1, 77, 1600, samples.len()] {
        assert_eq!(log_at(chunk), once, "in chunks of {chunk}");
    }
    golden("two_commands", &once);
}

#[test]
fn silence_noise_and_a_failure() {
    // A click is nothing; a noise without words is a turn without an answer; a failure ends its turn
    // and the next one goes on.
    let script = ["", "FAIL", "turn off the kettle", "what is the meaning of life"];
    let samples = sound(&[300, 40, 1000, 500, 1000, 700, 1000, 900, 1000, 900, 1000]);
    golden("silence_and_failure", &log(&mut session(&script), &samples, 320));
}

#[test]
fn a_stream_that_ends_in_a_word_is_answered() {
    let samples = sound(&[200, 900]);
    golden("ends_in_a_word", &log(&mut session(&["turn on the kettle"]), &samples, 320));
}

#[test]
fn what_is_said_longer_than_an_utterance_may_be_is_lost_nowhere() {
    let config = detect::Config { max_utterance_ms: 2000, ..detect::Config::default() };
    let samples = sound(&[500, 7000, 1000]);
    struct Pieces(Vec<f32>);
    impl Source for Pieces {
        fn read(&mut self, out: &mut Vec<f32>) -> Result<usize, hearken::audio::AudioError> {
            let take = self.0.len().min(1000);
            out.extend(self.0.drain(..take));
            Ok(take)
        }
    }
    let mut endpointer = Endpointer::new(&config);
    let script = vec!["one", "two", "three", "four", "five"];
    let transcript = transcribe_source(
        &mut Pieces(samples),
        &mut Loudness,
        &mut endpointer,
        &mut Scripted(script),
        &mut |_, _| true,
    )
    .unwrap();
    assert!(transcript.segments.len() >= 4, "{transcript:?}");
    assert!(transcript.text.starts_with("one two three four"), "{}", transcript.text);
    assert_eq!(transcript.language, "en");
    assert!((transcript.duration_s - 8.5).abs() < 0.01);
    for pair in transcript.segments.windows(2) {
        assert!((pair[0].end - pair[1].start).abs() < 0.021, "a hole between {pair:?}");
    }
}

fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recordings").join(name)
}

/// Plays a recording to a session with the real models.
fn real(name: &str) -> (Vec<Event>, Value) {
    let store = crate::installed::store();
    let config = hearken::config::Config::default();
    let mut session = Session::new(config.engines(&store).stages().unwrap(), None);
    let mut events = Vec::new();
    let mut source = FileSource::open(recording(name)).unwrap();
    session.hear(&mut source, &mut |event| events.push(event)).unwrap();
    (events, session.dialogue().home().states())
}

/// The transcript, the reply and the seconds of speech.
fn told(events: &[Event]) -> (String, String, f64) {
    let (mut heard, mut said, mut seconds) = (String::new(), String::new(), 0.0);
    for event in events {
        match event {
            Event::Final { transcript, .. } => heard.clone_from(&transcript.text),
            Event::ReplyText { reply, .. } => said.clone_from(&reply.text),
            Event::Speech(speech) => {
                seconds += speech.samples.len() as f64 / f64::from(speech.sample_rate);
            }
            Event::Failed { error, .. } => panic!("{error}"),
            _ => {}
        }
    }
    (heard, said, seconds)
}

#[test]
fn a_recorded_english_command_is_obeyed_and_answered() {
    let (events, states) = real("1.flac");
    let (heard, said, seconds) = told(&events);
    assert_eq!(heard, "Turn on the kitchen light.");
    assert_eq!(states["light.kitchen"]["state"], "on");
    assert_eq!(said, "Turned on the light");
    assert!((0.5..3.0).contains(&seconds), "{seconds} s of speech");
}

#[test]
fn a_recorded_chinese_command_is_obeyed_and_answered() {
    let (events, states) = real("6.flac");
    let (heard, said, seconds) = told(&events);
    assert!(heard.contains("打开书房灯"), "{heard}");
    assert_eq!(states["light.office"]["state"], "on");
    assert_eq!(said, "书房灯已打开");
    assert!((0.5..4.0).contains(&seconds), "{seconds} s of speech");
}
