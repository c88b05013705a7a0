//! One response: what it has opened, and how all of that is closed.

use std::sync::Arc;

use serde_json::{Value, json};

use super::settings::{Dialect, Settings};

/// How a response ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Completed,
    /// Why: `turn_detected` or `client_cancelled`.
    Cancelled(&'static str),
    /// A code and a message.
    Failed(String, String),
}

/// A response that is active.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) id: String,
    /// The session's settings as they were when it began, with those that were given for it alone.
    pub(super) settings: Arc<Settings>,
    /// The item at the recogniser that it answers.
    pub(super) waits_for: Option<String>,
    /// The text to be answered, where the client gave one instead of what was said.
    pub(super) question: Option<String>,
    /// Whether it stays out of the conversation.
    pub(super) outside: bool,
    metadata: Value,
    /// The message that is open: its item and its text.
    message: Option<(String, String)>,
    /// The outputs that are closed.
    outputs: Vec<Value>,
}

impl Response {
    pub(super) fn new(id: &str, settings: Settings, metadata: Value) -> Self {
        Self {
            id: id.into(),
            settings: Arc::new(settings),
            waits_for: None,
            question: None,
            outside: false,
            metadata,
            message: None,
            outputs: Vec::new(),
        }
    }

    /// Whether it is spoken.
    pub(super) fn is_spoken(&self) -> bool {
        self.settings.audio_out
    }

    /// The response object.
    pub(super) fn shown(&self, status: &str, details: &Value) -> Value {
        let kind = if self.is_spoken() { "audio" } else { "text" };
        let mut shown = json!({
            "id": self.id, "object": "realtime.response", "status": status,
            "output": self.outputs, "output_modalities": [kind], "metadata": self.metadata,
            "audio": { "output": { "format": self.settings.output.value(), "voice": self.settings.voice } },
            "conversation_id": if self.outside { Value::Null } else { "conv_1".into() }, "max_output_tokens": "inf",
            "usage": { "total_tokens": 0, "input_tokens": 0, "output_tokens": 0 },
        });
        // The description knows no null here.
        if !details.is_null() {
            shown["status_details"] = details.clone();
        }
        shown
    }

    /// Whether sound of it may be on its way.
    pub(super) fn is_speaking(&self) -> bool {
        self.is_spoken() && self.message.is_some()
    }

    fn part(&self, text: &str, dialect: Dialect) -> Value {
        match (self.is_spoken(), dialect) {
            (true, Dialect::New) => json!({ "type": "output_audio", "transcript": text }),
            (true, Dialect::Old) => json!({ "type": "audio", "transcript": text }),
            (false, Dialect::New) => json!({ "type": "output_text", "text": text }),
            (false, Dialect::Old) => json!({ "type": "text", "text": text }),
        }
    }

    fn item(item: &str, status: &str, content: &[Value]) -> Value {
        json!({
            "id": item, "object": "realtime.item", "type": "message", "status": status,
            "role": "assistant", "content": content,
        })
    }

    /// Opens the message that answers: all events up to its words.
    pub(super) fn open(&mut self, item: &str, text: &str, dialect: Dialect) -> Vec<Value> {
        let index = self.outputs.len();
        self.message = Some((item.into(), text.into()));
        let value = Self::item(item, "in_progress", &[]);
        // In the conversation it stands whole from the beginning, so that it can be asked for.
        let whole = Self::item(item, "in_progress", &[self.part(text, dialect)]);
        // A part that begins has no words yet.
        let part = match self.is_spoken() {
            true => json!({ "type": "audio", "transcript": "" }),
            false => json!({ "type": "text", "text": "" }),
        };
        let (kind, id) = if self.is_spoken() {
            ("output_audio_transcript", &self.id)
        } else {
            ("output_text", &self.id)
        };
        vec![
            json!({ "type": "response.output_item.added", "response_id": id, "output_index": index, "item": value }),
            json!({ "type": "conversation.item.added", "item": whole }),
            json!({
                "type": "response.content_part.added", "response_id": id, "item_id": item,
                "output_index": index, "content_index": 0, "part": part,
            }),
            json!({
                "type": format!("response.{kind}.delta"), "response_id": id, "item_id": item,
                "output_index": index, "content_index": 0, "delta": text,
            }),
        ]
    }

    /// A function for the client to call: added and done at once.
    pub(super) fn call(
        &mut self,
        item: &str,
        call_id: &str,
        name: &str,
        arguments: &str,
    ) -> Vec<Value> {
        let (index, id) = (self.outputs.len(), self.id.clone());
        let value = |status: &str, arguments: &str| {
            json!({
                "id": item, "object": "realtime.item", "type": "function_call", "status": status,
                "call_id": call_id, "name": name, "arguments": arguments,
            })
        };
        let done = value("completed", arguments);
        self.outputs.push(done.clone());
        vec![
            json!({ "type": "response.output_item.added", "response_id": id, "output_index": index, "item": value("in_progress", "") }),
            json!({ "type": "conversation.item.added", "item": value("in_progress", "") }),
            json!({
                "type": "response.function_call_arguments.delta", "response_id": id, "item_id": item,
                "output_index": index, "call_id": call_id, "delta": arguments,
            }),
            json!({
                "type": "response.function_call_arguments.done", "response_id": id, "item_id": item,
                "output_index": index, "call_id": call_id, "name": name, "arguments": arguments,
            }),
            json!({ "type": "response.output_item.done", "response_id": id, "output_index": index, "item": done }),
            json!({ "type": "conversation.item.done", "item": done }),
        ]
    }

    /// A piece of sound, and the item it belongs to.
    pub(super) fn sound(&mut self, audio: &str) -> (Value, String) {
        let item = self.message.as_ref().map(|(item, _)| item.clone()).unwrap_or_default();
        let event = json!({
            "type": "response.output_audio.delta", "response_id": self.id, "item_id": item,
            "output_index": self.outputs.len(), "content_index": 0, "delta": audio,
        });
        (event, item)
    }

    /// Everything that closes it, and the message as it stays in the conversation.
    pub(super) fn close(
        mut self,
        end: &End,
        dialect: Dialect,
    ) -> (Option<(String, Value)>, Vec<Value>) {
        let mut events = Vec::new();
        let mut kept = None;
        if let Some((item, text)) = self.message.take() {
            let (index, id) = (self.outputs.len(), self.id.clone());
            let about = |kind: &str, key: &str, value: Value| {
                let mut event = json!({
                    "type": kind, "response_id": id, "item_id": item, "output_index": index, "content_index": 0,
                });
                if !key.is_empty() {
                    event[key] = value;
                }
                event
            };
            if self.is_spoken() {
                events.push(about("response.output_audio.done", "", Value::Null));
                let words = text.as_str().into();
                events.push(about("response.output_audio_transcript.done", "transcript", words));
            } else {
                events.push(about("response.output_text.done", "text", text.as_str().into()));
            }
            let part = match self.is_spoken() {
                true => json!({ "type": "audio", "transcript": text }),
                false => json!({ "type": "text", "text": text }),
            };
            events.push(about("response.content_part.done", "part", part));
            let status = if *end == End::Completed { "completed" } else { "incomplete" };
            let value = Self::item(&item, status, &[self.part(&text, dialect)]);
            events.push(json!({
                "type": "response.output_item.done", "response_id": id, "output_index": index, "item": value,
            }));
            events.push(json!({ "type": "conversation.item.done", "item": value }));
            self.outputs.push(value.clone());
            kept = Some((item, value));
        }
        let (status, details) = match end {
            End::Completed => ("completed", Value::Null),
            End::Cancelled(reason) => {
                ("cancelled", json!({ "type": "cancelled", "reason": reason }))
            }
            End::Failed(code, message) => {
                let error = json!({ "type": "server_error", "code": code, "message": message });
                ("failed", json!({ "type": "failed", "error": error }))
            }
        };
        events.push(json!({ "type": "response.done", "response": self.shown(status, &details) }));
        (kept, events)
    }
}

/// An event under the names of the client's dialect.
pub(super) fn in_dialect(mut event: Value, dialect: Dialect) -> Option<Value> {
    if dialect == Dialect::New {
        return Some(event);
    }
    let kind = event["type"].as_str().unwrap_or_default();
    let kind = match kind {
        "conversation.item.added" => "conversation.item.created".to_owned(),
        // The older clients know no such event.
        "conversation.item.done" => return None,
        kind => kind
            .replace("response.output_audio_transcript.", "response.audio_transcript.")
            .replace("response.output_audio.", "response.audio.")
            .replace("response.output_text.", "response.text."),
    };
    event["type"] = kind.into();
    if let Some(response) = event.get_mut("response")
        && let Some(kinds) = response.get("output_modalities").cloned()
    {
        let audio = kinds[0] == "audio";
        response["modalities"] = if audio { json!(["audio", "text"]) } else { kinds };
    }
    Some(event)
}
