//! What a Realtime session is: items, turns and responses. A pure machine: events of the client and of
//! the engines go in, events for the client and work for the engines come out.
//!
//! What holds whatever comes in (the tests try it): at most one response is active; each that was
//! created is done exactly once, and nothing of it comes after; whatever was added is done; who speaks
//! over a response has it cancelled before the new turn is committed.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::response::{End, Response};
use super::settings::{Dialect, Settings, Wrong};

/// Items that are remembered; the oldest go first.
const MOST_ITEMS: usize = 256;
/// The longest text of an item in bytes.
const LONGEST_TEXT: usize = 16 * 1024;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Do {
    /// Send this to the client.
    Send(Value),
    /// Have an item's sound recognised.
    Transcribe { item: String, audio: Arc<[f32]> },
    /// The same for sound that came with an item, as base64 in the form that the client sends.
    TranscribeEncoded { item: String, audio: String },
    /// Find the answer to a text, and do what it says.
    Answer { response: String, text: String, settings: Arc<Settings> },
    /// Speak a text.
    Speak { response: String, text: String, language: String, settings: Arc<Settings> },
    /// Stop speaking; what is still made of it is not wanted.
    Silence,
    /// Listen by other settings from here on.
    Retune,
}

/// One function that the client shall call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FunctionCall {
    pub(super) name: String,
    pub(super) arguments: Value,
}

/// An item of the conversation.
#[derive(Debug, Clone)]
struct Item {
    id: String,
    value: Value,
    /// What a user said or wrote that has not been answered yet.
    unanswered: Option<String>,
    /// Milliseconds of its sound, for an answer.
    sound_ms: f64,
    /// It was truncated: what it says now is what was heard of it.
    truncated: bool,
}

/// The session.
#[derive(Debug)]
pub(super) struct Machine {
    id: String,
    pub(super) settings: Settings,
    pub(super) dialect: Dialect,
    count: u64,
    items: Vec<Item>,
    active: Option<Response>,
    /// The item that is being spoken by the user.
    speaking: Option<String>,
    /// Items at the recogniser, in order.
    transcribing: Vec<String>,
    /// Those of them that the client made: nothing is answered before it asks.
    made: HashSet<String>,
    /// What was said by voice is to be answered, once nobody speaks and all of it is recognised.
    owed: bool,
    /// Whether sound has come: then the model and the voice stay.
    heard_sound: bool,
    out: Vec<Do>,
}

impl Machine {
    pub(super) fn new(id: &str, settings: Settings, dialect: Dialect) -> Self {
        let mut machine = Self {
            id: id.into(),
            settings,
            dialect,
            count: 0,
            items: Vec::new(),
            active: None,
            speaking: None,
            transcribing: Vec::new(),
            made: HashSet::new(),
            owed: false,
            heard_sound: false,
            out: Vec::new(),
        };
        machine.tell_session("session.created");
        machine
    }

    /// What is to be done now.
    pub(super) fn drain(&mut self) -> Vec<Do> {
        std::mem::take(&mut self.out)
    }

    /// Whether nothing is to be done now.
    pub(super) fn is_quiet(&self) -> bool {
        self.out.is_empty()
    }

    /// The response that is active.
    pub(super) fn active(&self) -> Option<&str> {
        self.active.as_ref().map(|response| response.id.as_str())
    }

    fn next_id(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}_{}_{}", self.id.trim_start_matches("sess_"), self.count)
    }

    pub(super) fn send(&mut self, mut event: Value) {
        let id = self.next_id("event");
        event["event_id"] = id.into();
        self.out.push(Do::Send(event));
    }

    fn tell_session(&mut self, kind: &str) {
        // The older clients of recognition alone have names of their own.
        let kind = match (kind, self.dialect, self.settings.transcription_only) {
            ("session.created", Dialect::Old, true) => "transcription_session.created",
            ("session.updated", Dialect::Old, true) => "transcription_session.updated",
            (kind, ..) => kind,
        };
        let session = self.settings.shown(&self.id, self.dialect);
        self.send(json!({ "type": kind, "session": session }));
    }

    /// Tells the client that something cannot be done. `of` is the event that asked for it.
    pub(super) fn error(&mut self, of: &Value, code: &str, message: &str, param: Option<&str>) {
        let event_id = of.get("event_id").cloned().unwrap_or(Value::Null);
        let kind = if matches!(code, "busy" | "failed") {
            "server_error"
        } else {
            "invalid_request_error"
        };
        let error = json!({ "type": kind, "code": code, "message": message, "param": param, "event_id": event_id });
        self.send(json!({ "type": "error", "error": error }));
    }

    // What the client says.

    /// `session.update`.
    pub(super) fn update(&mut self, event: &Value) {
        let session = event.get("session").unwrap_or(&Value::Null);
        if !session.is_object() {
            return self.error(
                event,
                "invalid_value",
                "session: an object is needed",
                Some("session"),
            );
        }
        let before = self.settings.clone();
        // An event of older clients that only listen.
        let only_listens = event["type"] == "transcription_session.update";
        if self.count <= 1 && (only_listens || Settings::is_old(session)) {
            self.dialect = Dialect::Old;
        }
        self.settings.transcription_only |= only_listens;
        if let Err(Wrong { param, message }) = self.settings.update(session) {
            self.settings = before;
            return self.error(event, "invalid_value", &message, Some(&param));
        }
        if self.heard_sound
            && before.voice != self.settings.voice
            && self.items.iter().any(|item| item.sound_ms > 0.0)
        {
            let voice = before.voice.clone();
            self.settings = before;
            let message = format!("the voice stays {voice:?} once it has spoken");
            return self.error(
                event,
                "cannot_update_voice",
                &message,
                Some("session.audio.output.voice"),
            );
        }
        if before.turns != self.settings.turns || before.input != self.settings.input {
            self.speaking = None;
            self.out.push(Do::Retune);
        }
        self.tell_session("session.updated");
        self.pay();
    }

    /// `conversation.item.create`.
    pub(super) fn create_item(&mut self, event: &Value) {
        let mut value = event.get("item").cloned().unwrap_or(Value::Null);
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let text = item_text(&value);
        let audio = take_audio(&mut value);
        if text.as_ref().is_some_and(|text| text.len() > LONGEST_TEXT) {
            let message = format!("an item's text is longer than {LONGEST_TEXT} bytes");
            return self.error(event, "invalid_value", &message, Some("item.content"));
        }
        let unanswered = match (kind.as_str(), value["role"].as_str()) {
            ("message", Some("user")) => text.filter(|text| !text.trim().is_empty()),
            ("message", Some("assistant" | "system")) | ("function_call", _) => None,
            ("function_call_output", _) => None,
            _ => {
                let message =
                    "item.type: use message (with a role), function_call or function_call_output";
                return self.error(event, "invalid_value", message, Some("item.type"));
            }
        };
        let id = match value.get("id").and_then(Value::as_str) {
            Some(id) if self.items.iter().any(|item| item.id == id) => {
                let message = format!("there is an item {id:?} already");
                return self.error(event, "item_create_invalid_item_id", &message, Some("item.id"));
            }
            Some(id) => id.chars().take(64).collect(),
            None => self.next_id("item"),
        };
        value["id"] = id.as_str().into();
        value["object"] = "realtime.item".into();
        value["status"] = "completed".into();
        let place = match event.get("previous_item_id").and_then(Value::as_str) {
            None => self.items.len(),
            Some("root") => 0,
            Some(before) => match self.items.iter().position(|item| item.id == before) {
                Some(at) => at + 1,
                None => {
                    let message = format!("there is no item {before:?} to put this one after");
                    return self.error(
                        event,
                        "item_create_invalid_previous_item_id",
                        &message,
                        Some("previous_item_id"),
                    );
                }
            },
        };
        let spoken = unanswered.is_none() && value["role"] == "user";
        self.insert(
            place,
            Item { id: id.clone(), value, unanswered, sound_ms: 0.0, truncated: false },
        );
        if let Some(audio) = audio.filter(|_| spoken) {
            self.transcribing.push(id.clone());
            self.made.insert(id.clone());
            self.out.push(Do::TranscribeEncoded { item: id, audio });
        }
    }

    /// Adds an item and tells that it is there and whole.
    fn insert(&mut self, place: usize, item: Item) {
        let before =
            place.checked_sub(1).and_then(|at| self.items.get(at)).map(|item| item.id.clone());
        let value = item.value.clone();
        self.items.insert(place.min(self.items.len()), item);
        if self.items.len() > MOST_ITEMS {
            self.items.remove(0);
        }
        self.send(
            json!({ "type": "conversation.item.added", "previous_item_id": before, "item": value }),
        );
        if self.dialect == Dialect::New {
            self.send(json!({ "type": "conversation.item.done", "previous_item_id": before, "item": value }));
        }
    }

    /// `conversation.item.retrieve`, `.delete` and `.truncate`.
    pub(super) fn about_item(&mut self, event: &Value) {
        let id = event.get("item_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(at) = self.items.iter().position(|item| item.id == id) else {
            let shown: String = id.chars().take(64).collect();
            let message = format!("there is no item {shown:?}");
            return self.error(event, "item_not_found", &message, Some("item_id"));
        };
        match event["type"].as_str() {
            Some("conversation.item.retrieve") => {
                let item = self.items[at].value.clone();
                self.send(json!({ "type": "conversation.item.retrieved", "item": item }));
            }
            Some("conversation.item.delete") => {
                self.items.remove(at);
                self.send(json!({ "type": "conversation.item.deleted", "item_id": id }));
            }
            _ => self.truncate(event, at, &id),
        }
    }

    fn truncate(&mut self, event: &Value, at: usize, id: &str) {
        let end = event.get("audio_end_ms").and_then(Value::as_f64).filter(|end| *end >= 0.0);
        // Some count in fractions.
        let Some(end) = end.map(|end| end as u64) else {
            return self.error(
                event,
                "invalid_value",
                "audio_end_ms: a number is needed",
                Some("audio_end_ms"),
            );
        };
        let index = event.get("content_index").and_then(Value::as_u64).unwrap_or(0);
        let item = &mut self.items[at];
        if item.value["role"] != "assistant" || index != 0 {
            let message = "only the sound of an answer can be truncated";
            return self.error(event, "invalid_value", message, Some("item_id"));
        }
        if end as f64 > item.sound_ms + 1.0 {
            let message = format!("audio_end_ms: the sound has {} ms only", item.sound_ms as u64);
            return self.error(event, "invalid_value", &message, Some("audio_end_ms"));
        }
        // What was not heard was not said.
        let heard = end as f64 / item.sound_ms.max(1.0);
        if let Some(text) = item.value.pointer_mut("/content/0/transcript") {
            let all: Vec<char> = text.as_str().unwrap_or_default().chars().collect();
            let kept = (all.len() as f64 * heard).round() as usize;
            *text = all.into_iter().take(kept).collect::<String>().into();
        }
        item.sound_ms = end as f64;
        item.truncated = true;
        self.send(json!({
            "type": "conversation.item.truncated", "item_id": id, "content_index": index, "audio_end_ms": end,
        }));
    }

    /// `response.create`.
    pub(super) fn create_response(&mut self, event: &Value) {
        if self.active.is_some() {
            let message = "a response is active; cancel it, or wait until it is done";
            return self.error(event, "conversation_already_has_active_response", message, None);
        }
        if self.settings.transcription_only {
            let message = "a transcription session answers nothing";
            return self.error(event, "invalid_value", message, None);
        }
        let asked = event.get("response").unwrap_or(&Value::Null);
        let settings = match self.settings.for_response(asked) {
            Ok(settings) => settings,
            Err(Wrong { param, message }) => {
                return self.error(event, "invalid_value", &message, Some(&param));
            }
        };
        let metadata = asked.get("metadata").cloned().unwrap_or(Value::Null);
        let outside = asked.get("conversation").is_some_and(|own| own == "none");
        let question =
            asked.get("input").and_then(Value::as_array).map(|items| self.words_of(items));
        self.begin(settings, metadata, question, outside);
    }

    /// What a user says in items that were given with a request, or that it refers to.
    fn words_of(&self, items: &[Value]) -> String {
        let known = |item: &Value| {
            let own = self.items.iter().find(|own| item["id"] == own.id.as_str())?;
            item_text(&own.value)
        };
        let text = |item: &Value| match (item["type"].as_str(), item["role"].as_str()) {
            (Some("item_reference"), _) => known(item),
            (Some("message") | None, Some("user")) => item_text(item),
            _ => None,
        };
        items.iter().filter_map(text).collect::<Vec<_>>().join(" ")
    }

    /// Begins a response to what is unanswered; settings that change later do not change it.
    fn begin(
        &mut self,
        settings: Settings,
        metadata: Value,
        question: Option<String>,
        outside: bool,
    ) {
        let id = self.next_id("resp");
        let mut response = Response::new(&id, settings, metadata);
        response.outside = outside;
        response.question = question;
        if response.question.is_none() {
            // What is still at the recogniser belongs to the question.
            response.waits_for = self.transcribing.last().cloned();
        }
        let shown = response.shown("in_progress", &Value::Null);
        let waits = response.waits_for.is_some();
        self.active = Some(response);
        self.send(json!({ "type": "response.created", "response": shown }));
        if !waits {
            self.ask();
        }
    }

    /// Has the active response's question answered.
    fn ask(&mut self) {
        let Some(active) = self.active.as_mut() else { return };
        let (response, question) = (active.id.clone(), active.question.take());
        let settings = Arc::clone(&active.settings);
        if let Some(text) = question {
            return match text.trim().is_empty() {
                true => self.finish(&End::Completed),
                false => self.out.push(Do::Answer { response, text, settings }),
            };
        }
        if let Some(output) = self.function_output() {
            let language = crate::asr::written_language(&output).to_owned();
            return self.answered(&response, &output, &language, &[]);
        }
        let mut parts: Vec<String> = Vec::new();
        self.owed = false;
        for item in &mut self.items {
            parts.extend(item.unanswered.take());
        }
        match parts.is_empty() {
            true => self.finish(&End::Completed),
            false => {
                let text = parts.join(" ");
                self.out.push(Do::Answer { response, text, settings });
            }
        }
    }

    /// What the client's function said, when that is what came last.
    fn function_output(&mut self) -> Option<String> {
        let last = self.items.last()?;
        if last.value["type"] != "function_call_output" {
            return None;
        }
        let output = last.value["output"].as_str().unwrap_or_default();
        let spoken = match serde_json::from_str::<Value>(output) {
            Ok(Value::Object(fields)) => {
                let known = ["text", "speech", "message", "answer", "result"];
                known.iter().find_map(|key| fields.get(*key)?.as_str().map(str::to_owned))
            }
            Ok(Value::String(text)) => Some(text),
            Ok(_) => None,
            Err(_) => Some(output.to_owned()),
        };
        spoken.filter(|text| !text.trim().is_empty())
    }

    /// `response.cancel`.
    pub(super) fn cancel_response(&mut self, event: &Value) {
        let wanted = event.get("response_id").and_then(Value::as_str);
        match &self.active {
            Some(response) if wanted.is_none_or(|id| id == response.id) => {
                self.finish(&End::Cancelled("client_cancelled"));
            }
            _ => {
                let message = "no such response is active";
                self.error(event, "response_cancel_not_active", message, Some("response_id"));
            }
        }
    }

    // What is heard.

    /// Somebody began to speak.
    pub(super) fn speech_started(&mut self, at_ms: u64) {
        self.heard_sound = true;
        let item = self.next_id("item");
        self.speaking = Some(item.clone());
        self.send(json!({ "type": "input_audio_buffer.speech_started", "audio_start_ms": at_ms, "item_id": item }));
        if self.active.is_some()
            && self.settings.turns.as_ref().is_some_and(|turns| turns.interrupt_response)
        {
            self.finish(&End::Cancelled("turn_detected"));
        }
    }

    /// The utterance is over, at this time.
    pub(super) fn speech_stopped(&mut self, at_ms: u64, audio: Arc<[f32]>) {
        let Some(item) = self.speaking.take() else { return };
        self.send(json!({ "type": "input_audio_buffer.speech_stopped", "audio_end_ms": at_ms, "item_id": item }));
        self.commit_as(item, audio);
    }

    /// `input_audio_buffer.commit`.
    pub(super) fn commit(&mut self, audio: Arc<[f32]>) {
        self.heard_sound = true;
        let item = self.speaking.take().unwrap_or_else(|| self.next_id("item"));
        self.commit_as(item, audio);
    }

    fn commit_as(&mut self, item: String, audio: Arc<[f32]>) {
        let before = self.items.last().map(|item| item.id.clone());
        self.send(json!({ "type": "input_audio_buffer.committed", "previous_item_id": before, "item_id": item }));
        let value = json!({
            "id": item, "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
            "content": [{ "type": "input_audio" }],
        });
        let place = self.items.len();
        self.insert(
            place,
            Item { id: item.clone(), value, unanswered: None, sound_ms: 0.0, truncated: false },
        );
        self.transcribing.push(item.clone());
        self.out.push(Do::Transcribe { item, audio });
    }

    /// `input_audio_buffer.clear`, after the sound is gone.
    pub(super) fn cleared(&mut self) {
        self.speaking = None;
        self.send(json!({ "type": "input_audio_buffer.cleared" }));
        self.pay();
    }

    /// What was said in an item; `seconds` is how long.
    pub(super) fn transcribed(&mut self, item: &str, text: &str, seconds: f64) {
        self.transcribing.retain(|id| id != item);
        let by_voice = self.settings.turns.as_ref().is_some_and(|turns| turns.create_response);
        if let Some(own) = self.items.iter_mut().find(|own| own.id == item) {
            let mut parts = own.value["content"].as_array_mut().into_iter().flatten();
            if let Some(part) = parts.find(|part| part["type"] == "input_audio") {
                part["transcript"] = text.into();
            }
            own.unanswered = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        }
        if !self.settings.transcripts.is_null() {
            if !text.is_empty() {
                self.send(json!({
                    "type": "conversation.item.input_audio_transcription.delta",
                    "item_id": item, "content_index": 0, "delta": text,
                }));
            }
            self.send(json!({
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": item, "content_index": 0, "transcript": text,
                "usage": { "type": "duration", "seconds": seconds },
            }));
        }
        let by_voice = by_voice && !self.made.remove(item);
        self.after_transcription(item, by_voice && !text.trim().is_empty());
    }

    /// An item could not be recognised.
    pub(super) fn not_transcribed(&mut self, item: &str, code: &str, message: &str) {
        self.transcribing.retain(|id| id != item);
        self.made.remove(item);
        let error =
            json!({ "type": "server_error", "code": code, "message": message, "param": null });
        self.send(json!({
            "type": "conversation.item.input_audio_transcription.failed",
            "item_id": item, "content_index": 0, "error": error,
        }));
        // Nobody answers this turn: clients that show no transcripts are to know it too.
        if code == "busy" {
            self.error(&Value::Null, code, message, None);
        }
        self.after_transcription(item, false);
    }

    fn after_transcription(&mut self, item: &str, answer: bool) {
        self.owed |= answer && !self.settings.transcription_only;
        match &mut self.active {
            Some(response) if response.waits_for.as_deref() == Some(item) => {
                response.waits_for = None;
                self.ask();
            }
            Some(_) => {}
            None => self.pay(),
        }
    }

    /// Begins the response that is owed, if it can begin now. Whoever speaks on before it could is
    /// answered once, to all that was said.
    fn pay(&mut self) {
        let busy = self.active.is_some() || self.speaking.is_some();
        if self.owed && !busy && self.transcribing.is_empty() {
            self.owed = false;
            self.begin(self.settings.clone(), Value::Null, None, false);
        }
    }

    // What the answer is.

    /// The answer to a response's question: a text, or functions for the client to call.
    pub(super) fn answered(
        &mut self,
        response: &str,
        text: &str,
        language: &str,
        calls: &[FunctionCall],
    ) {
        if self.active() != Some(response) {
            return;
        }
        if !calls.is_empty() {
            for call in calls {
                self.call(call);
            }
            return self.finish(&End::Completed);
        }
        if text.trim().is_empty() {
            return self.finish(&End::Completed);
        }
        let item = self.next_id("item");
        let Some(active) = &mut self.active else { return };
        let opening = active.open(&item, text, self.dialect);
        let (audio, id) = (active.is_spoken(), active.id.clone());
        let settings = Arc::clone(&active.settings);
        self.add_output(&item, opening);
        if audio {
            let (text, language) = (text.to_owned(), language.to_owned());
            self.out.push(Do::Speak { response: id, text, language, settings });
        } else {
            self.finish(&End::Completed);
        }
    }

    /// Sends what opens an output; the conversation is told where it stands.
    fn add_output(&mut self, item: &str, opening: Vec<Value>) {
        let before = self.items.last().map(|item| item.id.clone());
        let outside = self.active.as_ref().is_some_and(|active| active.outside);
        for mut event in opening {
            if outside
                && event["type"].as_str().is_some_and(|kind| kind.starts_with("conversation."))
            {
                continue;
            }
            if event["type"] == "conversation.item.added" {
                event["previous_item_id"] = before.clone().map_or(Value::Null, Value::from);
                let value = event["item"].clone();
                self.items.push(Item {
                    id: item.into(),
                    value,
                    unanswered: None,
                    sound_ms: 0.0,
                    truncated: false,
                });
                if self.items.len() > MOST_ITEMS {
                    self.items.remove(0);
                }
            }
            self.send(event);
        }
    }

    fn call(&mut self, call: &FunctionCall) {
        let (item, call_id) = (self.next_id("item"), self.next_id("call"));
        let Some(active) = &mut self.active else { return };
        let events = active.call(&item, &call_id, &call.name, &call.arguments.to_string());
        self.add_output(&item, events);
    }

    /// More of the spoken answer: encoded, so many milliseconds.
    pub(super) fn sound(&mut self, response: &str, audio: &str, ms: f64) {
        let Some(active) = self.active.as_mut().filter(|active| active.id == response) else {
            return;
        };
        let (event, item) = active.sound(audio);
        if let Some(own) = self.items.iter_mut().find(|own| own.id == item && !own.truncated) {
            own.sound_ms += ms;
        }
        self.send(event);
    }

    /// The answer has been spoken.
    pub(super) fn spoken(&mut self, response: &str) {
        if self.active() == Some(response) {
            self.finish(&End::Completed);
        }
    }

    /// A response cannot be finished.
    pub(super) fn failed(&mut self, response: &str, code: &str, message: &str) {
        if self.active() == Some(response) {
            self.finish(&End::Failed(code.into(), message.into()));
        }
    }

    /// The session ends: what is open is closed.
    pub(super) fn close(&mut self) {
        self.owed = false;
        if self.active.is_some() {
            self.finish(&End::Cancelled("client_cancelled"));
        }
    }

    /// Closes the active response, whatever it is in the middle of.
    fn finish(&mut self, end: &End) {
        let Some(active) = self.active.take() else { return };
        if active.is_speaking() && !matches!(end, End::Completed) {
            self.out.push(Do::Silence);
        }
        let outside = active.outside;
        let (item, mut events) = active.close(end, self.dialect);
        if outside {
            events.retain(|event| event["type"] != "conversation.item.done");
        }
        if let Some((id, value)) = item
            && let Some(own) = self.items.iter_mut().find(|own| own.id == id)
        {
            // A client that is interrupted may truncate before it cancels.
            let heard = own.value.pointer("/content/0/transcript").cloned();
            own.value = value;
            if let (true, Some(heard), Some(all)) =
                (own.truncated, heard, own.value.pointer_mut("/content/0/transcript"))
            {
                *all = heard;
            }
        }
        for event in events {
            self.send(event);
        }
        self.pay();
    }
}

/// Takes the sound out of an item that the client made: it is listened to once, and not kept.
fn take_audio(item: &mut Value) -> Option<String> {
    let parts = item.get_mut("content")?.as_array_mut()?;
    let mut all = parts.iter_mut().filter_map(|part| part.as_object_mut()?.remove("audio"));
    match all.next() {
        Some(Value::String(audio)) if !audio.is_empty() => Some(audio),
        _ => None,
    }
}

/// The words of an item that the client made.
fn item_text(item: &Value) -> Option<String> {
    let parts = item.get("content")?.as_array()?;
    let texts = parts
        .iter()
        .filter_map(|part| part.get("text").or_else(|| part.get("transcript"))?.as_str());
    Some(texts.collect::<Vec<_>>().join(" "))
}
