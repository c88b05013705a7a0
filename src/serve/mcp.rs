//! A device's own tools, over the Model Context Protocol (JSON-RPC 2.0): found out when it says hello,
//! and called when somebody asks for it. A pure machine: messages in, messages out.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The version of the protocol that we speak.
const VERSION: &str = "2024-11-05";
/// Tools that are kept of one device.
const MOST_TOOLS: usize = 128;
/// Pages of tools that are asked for.
const MOST_PAGES: usize = 16;
/// Calls that may wait for their results.
const MOST_CALLS: usize = 16;
/// The longest text of a tool that is kept, in characters.
const LONGEST: usize = 500;
/// How long a device may take for a call.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Something that a device can do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tool {
    /// Its name, such as `self.audio_speaker.set_volume`.
    pub(super) name: String,
    /// What it does.
    pub(super) description: String,
    /// The JSON schema of its arguments.
    pub(super) input_schema: Value,
}

/// A call for a device.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) tool: String,
    pub(super) arguments: Value,
    /// Told what came of it.
    pub(super) answer: oneshot::Sender<Result<Value, String>>,
}

/// What we know of a device.
#[derive(Debug, Default)]
pub(super) struct Client {
    last: u64,
    initialize: Option<u64>,
    listing: Option<u64>,
    pages: usize,
    found: Vec<Tool>,
    calls: HashMap<u64, oneshot::Sender<Result<Value, String>>>,
}

/// What a message of the device came to.
#[derive(Debug, PartialEq)]
pub(super) enum Came {
    /// Send it this.
    Send(Value),
    /// All its tools are known.
    Tools(Vec<Tool>),
    Nothing,
}

impl Client {
    fn request(&mut self, method: &str, params: &Value) -> (u64, Value) {
        self.last += 1;
        let id = self.last;
        (id, json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
    }

    /// The first message for a device that has tools.
    pub(super) fn begin(&mut self) -> Value {
        let about = json!({ "name": "hearken", "version": env!("CARGO_PKG_VERSION") });
        let params = json!({ "protocolVersion": VERSION, "capabilities": {}, "clientInfo": about });
        let (id, request) = self.request("initialize", &params);
        self.initialize = Some(id);
        request
    }

    fn list(&mut self, cursor: &str) -> Value {
        self.pages += 1;
        let (id, request) = self.request("tools/list", &json!({ "cursor": cursor }));
        self.listing = Some(id);
        request
    }

    /// The message of a call. One that nobody waits for any more is forgotten.
    pub(super) fn call(&mut self, call: Call) -> Option<Value> {
        self.calls.retain(|_, answer| !answer.is_closed());
        let Call { tool, arguments, answer } = call;
        if self.calls.len() >= MOST_CALLS {
            let _ = answer.send(Err(format!("{MOST_CALLS} calls wait for this device already")));
            return None;
        }
        let (id, request) =
            self.request("tools/call", &json!({ "name": tool, "arguments": arguments }));
        self.calls.insert(id, answer);
        Some(request)
    }

    /// Takes a message of the device.
    pub(super) fn take(&mut self, message: &Value) -> Came {
        let Some(id) = message["id"].as_u64() else { return Came::Nothing };
        let failed = message.get("error").map(|error| {
            let text = error["message"].as_str().unwrap_or("the device failed");
            text.chars().take(LONGEST).collect::<String>()
        });
        if self.initialize == Some(id) {
            self.initialize = None;
            return match failed {
                Some(_) => Came::Nothing,
                None => Came::Send(self.list("")),
            };
        }
        if self.listing == Some(id) {
            self.listing = None;
            let result = &message["result"];
            self.found.extend(result["tools"].as_array().into_iter().flatten().filter_map(tool));
            self.found.truncate(MOST_TOOLS);
            let more = result["nextCursor"].as_str().filter(|cursor| !cursor.is_empty());
            return match more {
                Some(cursor) if self.pages < MOST_PAGES && self.found.len() < MOST_TOOLS => {
                    Came::Send(self.list(cursor))
                }
                _ => Came::Tools(std::mem::take(&mut self.found)),
            };
        }
        if let Some(answer) = self.calls.remove(&id) {
            let result = &message["result"];
            let refused = result["isError"] == true;
            let _ = answer.send(match failed {
                Some(error) => Err(error),
                None if refused => Err(text_of(result)),
                None => Ok(result.clone()),
            });
        }
        Came::Nothing
    }
}

fn tool(value: &Value) -> Option<Tool> {
    let text = |key: &str| value[key].as_str().map(|text| text.chars().take(LONGEST).collect());
    let name: String = text("name")?;
    let input_schema = value["inputSchema"].clone();
    (!name.is_empty()).then(|| Tool {
        name,
        description: text("description").unwrap_or_default(),
        input_schema,
    })
}

/// What a result says.
fn text_of(result: &Value) -> String {
    let texts = result["content"].as_array().into_iter().flatten();
    let texts: Vec<&str> = texts.filter_map(|part| part["text"].as_str()).collect();
    texts.join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_page_by_page_and_called() {
        let mut client = Client::default();
        let hello = client.begin();
        assert_eq!((&hello["method"], &hello["id"]), (&"initialize".into(), &1.into()));
        let Came::Send(list) = client.take(&json!({ "jsonrpc": "2.0", "id": 1, "result": {} }))
        else {
            panic!()
        };
        assert_eq!(
            (&list["method"], &list["params"]["cursor"]),
            (&"tools/list".into(), &"".into())
        );
        let page = json!({ "id": 2, "result": {
            "tools": [{ "name": "a", "description": "A", "inputSchema": { "type": "object" } }, { "x": 1 }],
            "nextCursor": "b",
        }});
        let Came::Send(list) = client.take(&page) else { panic!() };
        assert_eq!(list["params"]["cursor"], "b");
        let Came::Tools(tools) =
            client.take(&json!({ "id": 3, "result": { "tools": [{ "name": "b" }] } }))
        else {
            panic!()
        };
        let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);

        let mut call = |arguments: Value| {
            let (answer, told) = oneshot::channel();
            let request = client.call(Call { tool: "a".into(), arguments, answer }).unwrap();
            (request["id"].as_u64().unwrap(), told)
        };
        let (good, mut good_told) = call(json!({ "volume": 5 }));
        let (bad, mut bad_told) = call(json!({}));
        let (wrong, mut wrong_told) = call(json!({}));
        let text = |text: &str, error: bool| json!({ "content": [{ "type": "text", "text": text }], "isError": error });
        client.take(&json!({ "id": bad, "result": text("no volume", true) }));
        client.take(&json!({ "id": good, "result": text("true", false) }));
        client.take(&json!({ "id": wrong, "error": { "code": -32601, "message": "unknown" } }));
        client.take(&json!({ "id": 99, "result": {} }));
        assert_eq!(good_told.try_recv().unwrap().unwrap()["content"][0]["text"], "true");
        assert_eq!(bad_told.try_recv().unwrap().unwrap_err(), "no volume");
        assert_eq!(wrong_told.try_recv().unwrap().unwrap_err(), "unknown");
    }

    #[test]
    fn a_device_that_never_stops_listing_is_stopped() {
        let mut client = Client::default();
        client.begin();
        let mut came = client.take(&json!({ "id": 1, "result": {} }));
        let mut pages = 0;
        while let Came::Send(request) = came {
            pages += 1;
            let tools = vec![json!({ "name": "x" }); 3];
            let id = request["id"].clone();
            came =
                client.take(&json!({ "id": id, "result": { "tools": tools, "nextCursor": "x" } }));
        }
        assert!(matches!(came, Came::Tools(_)) && pages == MOST_PAGES);
    }
}
