//! What holds for a session whatever comes in.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::machine::{Do, FunctionCall, Machine};
use super::settings::{Dialect, Settings};

/// A machine with the work it has given out, and all that it sent.
struct Bench {
    machine: Machine,
    sent: Vec<Value>,
    transcribe: Vec<String>,
    answer: Vec<String>,
    speak: Vec<String>,
}

impl Bench {
    fn new(dialect: Dialect) -> Self {
        let machine = Machine::new("sess_1", Settings::new("m", false), dialect);
        let none = Vec::new;
        let mut bench =
            Self { machine, sent: Vec::new(), transcribe: none(), answer: none(), speak: none() };
        bench.settle();
        bench
    }

    fn settle(&mut self) {
        for what in self.machine.drain() {
            match what {
                Do::Send(event) => self.sent.push(event),
                Do::Transcribe { item, .. } | Do::TranscribeEncoded { item, .. } => {
                    self.transcribe.push(item);
                }
                Do::Answer { response, .. } => self.answer.push(response),
                Do::Speak { response, .. } => self.speak.push(response),
                Do::Silence => self.speak.clear(),
                Do::Retune => {}
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let machine = &mut self.machine;
        match step {
            Step::Started => machine.speech_started(100),
            Step::Stopped => machine.speech_stopped(900, Arc::from([0.0; 160])),
            Step::Commit => machine.commit(Arc::from([0.0; 1600])),
            Step::Clear => machine.cleared(),
            Step::Text(text) => machine.create_item(&json!({
                "type": "conversation.item.create",
                "item": { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] },
            })),
            Step::SpokenItem => machine.create_item(&json!({
                "item": { "type": "message", "role": "user", "content": [{ "type": "input_audio", "audio": "AAAA" }] },
            })),
            Step::Aside(text) => machine.create_response(&json!({
                "response": { "conversation": "none", "input": [
                    { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] },
                ] },
            })),
            Step::Output => machine.create_item(&json!({
                "item": { "type": "function_call_output", "call_id": "c", "output": "done" },
            })),
            Step::Create => machine.create_response(&json!({ "type": "response.create", "event_id": "mine" })),
            Step::Cancel => machine.cancel_response(&json!({ "type": "response.cancel" })),
            Step::Update(audio) => machine.update(&json!({
                "session": { "type": "realtime", "output_modalities": [if *audio { "audio" } else { "text" }] },
            })),
            Step::Truncate => {
                let said = self.sent.iter().rev().find(|e| e["type"] == "response.output_audio.delta");
                let id = said.map(|event| event["item_id"].clone()).unwrap_or_default();
                machine.about_item(&json!({
                    "type": "conversation.item.truncate", "item_id": id, "content_index": 0, "audio_end_ms": 50,
                }));
            }
            Step::Heard(words) => {
                if !self.transcribe.is_empty() {
                    let item = self.transcribe.remove(0);
                    machine.transcribed(&item, if *words { "turn it on" } else { "" }, 1.0);
                }
            }
            Step::NotHeard => {
                if let Some(item) = self.transcribe.pop() {
                    machine.not_transcribed(&item, "busy", "busy");
                }
            }
            Step::Answered(kind) => {
                if let Some(response) = self.answer.pop() {
                    let call = FunctionCall { name: "f".into(), arguments: json!({}) };
                    match kind {
                        0 => machine.answered(&response, "Done.", "en", &[]),
                        1 => machine.answered(&response, "", "en", &[]),
                        2 => machine.answered(&response, "", "en", &[call.clone(), call]),
                        _ => machine.failed(&response, "failed", "broken"),
                    }
                }
            }
            Step::Sound => {
                if let Some(response) = self.speak.last().cloned() {
                    machine.sound(&response, "AAAA", 100.0);
                }
            }
            Step::Spoken => {
                if let Some(response) = self.speak.pop() {
                    machine.spoken(&response);
                }
            }
            // Latecomers of a response that is over.
            Step::Late => {
                machine.sound("resp_old", "AAAA", 1.0);
                machine.answered("resp_old", "late", "en", &[]);
                machine.spoken("resp_old");
            }
        }
        self.settle();
    }

    fn kinds(&self) -> Vec<&str> {
        self.sent.iter().filter_map(|event| event["type"].as_str()).collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Started,
    Stopped,
    Commit,
    Clear,
    Text(String),
    SpokenItem,
    Aside(String),
    Output,
    Create,
    Cancel,
    Update(bool),
    Truncate,
    Heard(bool),
    NotHeard,
    Answered(u8),
    Sound,
    Spoken,
    Late,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::Started),
        Just(Step::Stopped),
        Just(Step::Commit),
        Just(Step::Clear),
        "[a-z]{0,5}".prop_map(Step::Text),
        Just(Step::SpokenItem),
        "[a-z]{0,5}".prop_map(Step::Aside),
        Just(Step::Output),
        Just(Step::Create),
        Just(Step::Cancel),
        any::<bool>().prop_map(Step::Update),
        Just(Step::Truncate),
        any::<bool>().prop_map(Step::Heard),
        Just(Step::NotHeard),
        (0..4u8).prop_map(Step::Answered),
        Just(Step::Sound),
        Just(Step::Spoken),
        Just(Step::Late),
    ];
    prop::collection::vec(step, 0..60)
}

/// Checks what must hold over everything that was sent.
fn check(sent: &[Value]) {
    let mut active: Option<String> = None;
    let mut done: HashSet<String> = HashSet::new();
    // What was added and is not done: outputs and parts, by item.
    let mut open: HashSet<(String, String)> = HashSet::new();
    let mut ids: HashSet<String> = HashSet::new();
    let mut interrupted = false;
    for event in sent {
        let kind = event["type"].as_str().unwrap();
        assert!(ids.insert(event["event_id"].as_str().unwrap().to_owned()), "an id twice: {event}");
        let response = event["response"]["id"].as_str().or_else(|| event["response_id"].as_str());
        if let Some(id) = response {
            assert!(!done.contains(id), "{kind} after its response was done");
        }
        let item = || {
            event["item"]["id"].as_str().or_else(|| event["item_id"].as_str()).unwrap().to_owned()
        };
        match kind {
            "response.created" => {
                assert_eq!(active, None, "two responses at once");
                active = response.map(str::to_owned);
            }
            "response.done" => {
                assert_eq!(active.as_deref(), response);
                assert!(open.is_empty(), "open at the end: {open:?}");
                done.extend(active.take());
            }
            "response.output_item.added" | "response.content_part.added" => {
                let what = kind.replace(".added", "");
                assert!(open.insert((what, item())), "{event}");
            }
            "response.output_item.done" | "response.content_part.done" => {
                let what = kind.replace(".done", "");
                assert!(open.remove(&(what, item())), "{event}");
            }
            "input_audio_buffer.speech_started" => interrupted = active.is_some(),
            "input_audio_buffer.committed" => {
                assert!(
                    !interrupted || active.is_none(),
                    "committed over a response that was spoken into"
                );
                interrupted = false;
            }
            _ => {}
        }
        // What follows the start of speech closes what it interrupted, before anything else.
        if interrupted && active.is_none() {
            interrupted = false;
        }
    }
    assert_eq!(active, None, "a response was never done");
    assert!(open.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_comes_every_response_is_done_once(steps in steps()) {
        let mut bench = Bench::new(Dialect::New);
        for step in &steps {
            bench.step(step);
        }
        bench.machine.close();
        bench.machine.close();
        bench.settle();
        check(&bench.sent);
    }
}

#[test]
fn a_spoken_turn_has_the_canonical_order() {
    let mut bench = Bench::new(Dialect::New);
    for step in [
        Step::Started,
        Step::Stopped,
        Step::Heard(true),
        Step::Answered(0),
        Step::Sound,
        Step::Spoken,
    ] {
        bench.step(&step);
    }
    assert_eq!(
        bench.kinds(),
        [
            "session.created",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "conversation.item.input_audio_transcription.delta",
            "conversation.item.input_audio_transcription.completed",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            "response.output_audio.delta",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
    );
    assert_eq!(bench.sent.last().unwrap()["response"]["status"], "completed");
}

#[test]
fn who_speaks_over_an_answer_cancels_it_and_it_can_be_truncated() {
    let mut bench = Bench::new(Dialect::New);
    for step in [
        Step::Text("x".into()),
        Step::Create,
        Step::Answered(0),
        Step::Sound,
        Step::Started,
        Step::Sound,
    ] {
        bench.step(&step);
    }
    let last = bench.sent.last().unwrap();
    assert_eq!(last["type"], "response.done");
    assert_eq!(last["response"]["status_details"]["reason"], "turn_detected");
    assert!(bench.speak.is_empty());
    bench.step(&Step::Truncate);
    let last = bench.sent.last().unwrap();
    assert_eq!(
        (&last["type"], &last["audio_end_ms"]),
        (&"conversation.item.truncated".into(), &50.into())
    );
}

#[test]
fn a_question_whose_sound_is_still_being_heard_is_waited_for() {
    let mut bench = Bench::new(Dialect::New);
    for step in [Step::Commit, Step::Create] {
        bench.step(&step);
    }
    assert_eq!(bench.kinds().last(), Some(&"response.created"));
    assert!(bench.answer.is_empty());
    bench.step(&Step::Heard(true));
    assert_eq!(bench.answer.len(), 1);
    bench.step(&Step::Create);
    let error = &bench.sent.last().unwrap()["error"];
    assert_eq!(
        (&error["code"], &error["event_id"]),
        (&"conversation_already_has_active_response".into(), &"mine".into())
    );
}

#[test]
fn an_older_client_is_answered_in_its_words() {
    let mut bench = Bench::new(Dialect::Old);
    for step in [Step::Text("x".into()), Step::Create, Step::Answered(0), Step::Sound, Step::Spoken]
    {
        bench.step(&step);
    }
    let said = bench.sent.into_iter().filter_map(|event| super::in_dialect(event, Dialect::Old));
    let kinds: Vec<String> = said.map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    for kind in
        ["conversation.item.created", "response.audio.delta", "response.audio_transcript.done"]
    {
        assert!(kinds.iter().any(|own| own == kind), "{kind} is not in {kinds:?}");
    }
    assert!(
        !kinds.iter().any(|kind| kind.contains("output_audio") || kind == "conversation.item.done")
    );
}

#[test]
fn a_spoken_item_is_heard_and_answered_when_it_is_asked_for() {
    let mut bench = Bench::new(Dialect::New);
    bench.step(&Step::SpokenItem);
    let added = bench.sent.iter().find(|event| event["type"] == "conversation.item.added").unwrap();
    assert_eq!(added["item"]["content"][0].get("audio"), None, "the sound is not sent back");
    bench.step(&Step::Heard(true));
    assert!(bench.answer.is_empty(), "nothing was asked yet");
    assert!(bench.kinds().contains(&"conversation.item.input_audio_transcription.completed"));
    bench.step(&Step::Create);
    assert_eq!(bench.answer.len(), 1);
    bench.step(&Step::Answered(0));
    bench.step(&Step::Spoken);
    check(&bench.sent);
}

#[test]
fn a_response_outside_stays_out_of_the_conversation() {
    let mut bench = Bench::new(Dialect::New);
    bench.step(&Step::Text("turn it on".into()));
    let before = bench.sent.len();
    for step in
        [Step::Aside("what time is it".into()), Step::Answered(0), Step::Sound, Step::Spoken]
    {
        bench.step(&step);
    }
    let kinds: Vec<&str> = bench.kinds().split_off(before);
    assert!(!kinds.iter().any(|kind| kind.starts_with("conversation.")), "{kinds:?}");
    assert_eq!(bench.sent.last().unwrap()["response"]["conversation_id"], Value::Null);
    // What was said before is still to be answered.
    bench.step(&Step::Create);
    assert_eq!(bench.answer.len(), 1);
    bench.step(&Step::Answered(1));
    check(&bench.sent);
}

#[test]
fn who_speaks_on_before_an_answer_is_answered_once_to_all() {
    let mut bench = Bench::new(Dialect::New);
    for step in [Step::Started, Step::Stopped, Step::Started, Step::Heard(true)] {
        bench.step(&step);
    }
    assert!(!bench.kinds().contains(&"response.created"), "nobody is spoken over");
    bench.step(&Step::Stopped);
    // The second was a cough.
    bench.step(&Step::Heard(false));
    assert_eq!(bench.answer.len(), 1, "{:?}", bench.kinds());
    bench.step(&Step::Answered(1));
    let created = bench.kinds().iter().filter(|kind| **kind == "response.created").count();
    assert_eq!(created, 1);
    check(&bench.sent);
}

#[test]
fn a_response_keeps_the_settings_it_began_with() {
    let mut bench = Bench::new(Dialect::New);
    bench.step(&Step::Text("x".into()));
    bench.machine.create_response(&json!({ "response": {
        "audio": { "output": { "voice": "echo", "format": { "type": "audio/pcmu" } } }, "tool_choice": "none",
    } }));
    bench.machine.update(&json!({ "session": {
        "type": "realtime", "audio": { "output": { "format": { "type": "audio/pcma" } } },
    } }));
    let begun = bench.machine.drain();
    let settings = begun.iter().find_map(|what| match what {
        Do::Answer { settings, .. } => Some(settings),
        _ => None,
    });
    let shown = settings.unwrap().shown("s", Dialect::New);
    let output = &shown["audio"]["output"];
    assert_eq!(
        (&output["voice"], &output["format"]["type"]),
        (&"echo".into(), &"audio/pcmu".into())
    );
    assert_eq!(shown["tool_choice"], "none");
    let session = bench.machine.settings.shown("s", Dialect::New);
    assert_eq!(session["audio"]["output"]["voice"], "alloy", "the session's own voice stays");
    bench.machine.cancel_response(&json!({}));
    // What cannot be is told with the name that the client used.
    bench
        .machine
        .create_response(&json!({ "response": { "audio": { "output": { "speed": 9 } } } }));
    bench.settle();
    let error = &bench.sent.last().unwrap()["error"];
    assert_eq!(error["param"], "response.audio.output.speed", "{error}");
}

#[test]
fn what_was_truncated_before_the_end_stays_so() {
    let mut bench = Bench::new(Dialect::New);
    for step in
        [Step::Text("x".into()), Step::Create, Step::Answered(0), Step::Sound, Step::Truncate]
    {
        bench.step(&step);
    }
    // 50 of 100 ms of "Done." were heard.
    let id = bench.sent.last().unwrap()["item_id"].clone();
    for step in [Step::Sound, Step::Cancel] {
        bench.step(&step);
    }
    bench.machine.about_item(&json!({ "type": "conversation.item.retrieve", "item_id": id }));
    bench.settle();
    let item = &bench.sent.last().unwrap()["item"];
    assert_eq!(item["content"][0]["transcript"], "Don", "{item}");
}

#[test]
fn the_first_update_tells_the_dialect() {
    for (update, old) in [
        (json!({ "session": { "type": "realtime", "instructions": "be kind" } }), false),
        (json!({ "session": { "audio": { "input": { "turn_detection": null } } } }), false),
        (json!({ "session": { "voice": "echo", "instructions": "be kind" } }), true),
        (json!({ "type": "transcription_session.update", "session": {} }), true),
    ] {
        let mut bench = Bench::new(Dialect::New);
        bench.machine.update(&update);
        bench.settle();
        let listens = bench.machine.settings.transcription_only;
        assert_eq!(
            (bench.machine.dialect == Dialect::Old, listens),
            (old, update["type"].is_string())
        );
        let told = if listens { "transcription_session.updated" } else { "session.updated" };
        assert_eq!(bench.kinds().last(), Some(&told), "{update}");
    }
}
