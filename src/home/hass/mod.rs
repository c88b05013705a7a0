//! The devices of Home Assistant, through its WebSocket API and a long-lived token.
//!
//! A thread of its own holds the connection, reads the registries, follows the states and comes
//! back after an interruption. Services are called there; what is done is what it reports.

mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::connection::{Address, Scheme, Stream, answer_problem, encryption};
use super::secret::Secret;
use super::{Backend, Call, Entity, HomeError, Outcome, Update};
use world::World;

/// How many calls may wait to be sent; one more is answered as a device that does not answer.
const WAITING: usize = 1024;
/// How often the thread looks for calls between two messages.
const TICK: Duration = Duration::from_millis(10);
/// How long connecting, and each step of it, may take.
const STEP: Duration = Duration::from_secs(5);
/// After how much silence a ping is sent, and how long its answer may take.
const PING: Duration = Duration::from_secs(10);
/// The first and the longest pause before the next try to connect.
const BACK_OFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(30)];
/// How long the new state is awaited after a service has ended.
const GRACE: Duration = Duration::from_millis(300);

/// The lists that are read, and the events after which each is read again.
const LISTS: &[(&str, &str)] = &[
    ("config/floor_registry/list", "floor_registry_updated"),
    ("config/area_registry/list", "area_registry_updated"),
    ("config/device_registry/list", "device_registry_updated"),
    ("config/entity_registry/list", "entity_registry_updated"),
];

const SCHEMES: &[Scheme] = &[
    Scheme { name: "http", encrypted: false, port: 8123 },
    Scheme { name: "ws", encrypted: false, port: 8123 },
    Scheme { name: "https", encrypted: true, port: 443 },
    Scheme { name: "wss", encrypted: true, port: 443 },
];

/// Settings of Home Assistant, `[home.home_assistant]` in the configuration. It is asked when `url`
/// is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it is: `http://homeassistant.local:8123`, or `https://…` for a secret connection.
    pub url: String,
    /// A file with certificates (PEM) of authorities that are trusted besides the usual ones.
    pub ca_file: Option<PathBuf>,
    /// A long-lived access token of one of its users.
    pub token: Secret,
    /// A file whose first line is the token.
    pub token_file: Option<PathBuf>,
    /// How long a service may take, in milliseconds.
    pub answer_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            ca_file: None,
            token: Secret::default(),
            token_file: None,
            answer_ms: 3000,
        }
    }
}

impl Config {
    /// Whether it is to be asked at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.url.is_empty()
    }

    /// Every value that cannot be used, each with its cure.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        if !self.is_set() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        if let Err(why) = self.address() {
            problems.push(format!("home.home_assistant.url: {why}"));
        }
        match Secret::choose(&self.token, self.token_file.as_deref()) {
            Err(why) => problems.push(format!("home.home_assistant.token_file: {why}")),
            Ok(token) if token.expose().is_empty() => problems.push(
                "home.home_assistant.token_file: is not set; make a long-lived access token in Home Assistant's profile page and name the file that holds it"
                    .into(),
            ),
            Ok(_) => {}
        }
        if let Err(why) = encryption(self.ca_file.as_deref()) {
            problems.push(format!("home.home_assistant.ca_file: {why}"));
        }
        problems.extend(answer_problem("home.home_assistant.answer_ms", self.answer_ms));
        problems
    }

    fn address(&self) -> Result<Address, String> {
        let url = self.url.trim_end_matches("/api/websocket/").trim_end_matches("/api/websocket");
        Address::parse(url, SCHEMES, "http://homeassistant.local:8123")
    }
}

/// A door to the devices of Home Assistant.
pub struct HomeAssistant {
    shared: Arc<Shared>,
    calls: SyncSender<(u64, Value)>,
    answer: Duration,
    last: u64,
}

impl std::fmt::Debug for HomeAssistant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HomeAssistant").field("answer", &self.answer).finish_non_exhaustive()
    }
}

struct Shared {
    state: Mutex<State>,
    /// Rung after every message and every change of the connection.
    news: Condvar,
    stop: AtomicBool,
}

#[derive(Default)]
struct State {
    world: World,
    /// What became of calls that somebody waits for: a call, and why it failed.
    results: BTreeMap<u64, Option<Result<(), String>>>,
    problem: Option<String>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HomeAssistant {
    /// Connects in the background, now and after every interruption.
    ///
    /// # Errors
    /// When the settings are wrong or the token cannot be read. A Home Assistant that is not there
    /// is no error: its devices are unavailable until it is.
    pub fn connect(config: &Config) -> Result<Self, HomeError> {
        let wrong = |problem: String| HomeError::Settings { problem };
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(wrong(problem));
        }
        let address = config.address().map_err(wrong)?;
        let encryption = address.encrypted.then(|| encryption(config.ca_file.as_deref()));
        let encryption = encryption.transpose().map_err(wrong)?;
        let token = Secret::choose(&config.token, config.token_file.as_deref()).map_err(wrong)?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            news: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let (calls, asked) = sync_channel(WAITING);
        let own = shared.clone();
        std::thread::Builder::new()
            .name("home-assistant".into())
            .spawn(move || follow(&own, &(address, encryption), &token, &asked))
            .map_err(|error| {
                wrong(format!("home.home_assistant: no thread can be started: {error}"))
            })?;
        Ok(Self { shared, calls, answer: Duration::from_millis(config.answer_ms), last: 0 })
    }

    /// Why there is no connection at present; `None` while there is one or none was tried yet.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.shared.state().problem.clone()
    }

    fn wait<T>(&self, most: Duration, ready: impl Fn(&mut State) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + most;
        let mut state = self.shared.state();
        loop {
            if let Some(found) = ready(&mut state) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.shared.news.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A call that was sent.
struct Begun {
    key: u64,
    /// How often the entity had reported before.
    before: u64,
}

impl HomeAssistant {
    /// Sends a call.
    fn begin(&mut self, entity: &Entity, call: &Call) -> Result<Begun, HomeError> {
        let silence = || HomeError::NotAnswering { entity: entity.id.clone() };
        let (domain, service) =
            call.service.split_once('.').ok_or_else(|| unsupported(entity, call))?;
        self.last += 1;
        let key = self.last;
        let before = {
            let mut state = self.shared.state();
            let now = state.world.state(&entity.id).ok_or_else(silence)?;
            if now.state == "unavailable" {
                return Err(silence());
            }
            state.results.insert(key, None);
            state.world.heard(&entity.id)
        };
        let request = json!({
            "type": "call_service", "domain": domain, "service": service,
            "service_data": call.data, "target": { "entity_id": entity.id },
        });
        if self.calls.try_send((key, request)).is_err() {
            self.shared.state().results.remove(&key);
            return Err(silence());
        }
        Ok(Begun { key, before })
    }

    /// Waits for what became of a call.
    fn end(
        &self,
        entity: &Entity,
        call: &Call,
        begun: &Begun,
        began: Instant,
    ) -> Result<Outcome, HomeError> {
        let silence = || HomeError::NotAnswering { entity: entity.id.clone() };
        let key = begun.key;
        let left = self.answer.saturating_sub(began.elapsed());
        let result = self.wait(left, |state| state.results.get(&key).cloned().flatten());
        self.shared.state().results.remove(&key);
        match result {
            None => return Err(silence()),
            Some(Err(code)) => {
                tracing::warn!(entity = entity.id, service = call.service, code, "refused");
                let cannot =
                    ["service_validation_error", "invalid_format", "not_found", "not_supported"];
                if !cannot.contains(&code.as_str()) {
                    return Err(silence());
                }
                // A list refuses what is not on it.
                let item = call.data.get("item").and_then(Value::as_str);
                return Err(match item.filter(|_| call.service != "todo.add_item") {
                    Some(item) => {
                        HomeError::NoSuchItem { list: entity.id.clone(), item: item.to_owned() }
                    }
                    None => unsupported(entity, call),
                });
            }
            Some(Ok(())) => {}
        }
        let news = |state: &mut State| (state.world.heard(&entity.id) > begun.before).then_some(());
        // One that was so already has nothing to report.
        let _ = self.wait(GRACE, news);
        self.shared.state().world.state(&entity.id).ok_or_else(silence)
    }
}

fn unsupported(entity: &Entity, call: &Call) -> HomeError {
    HomeError::Unsupported { entity: entity.id.clone(), service: call.service.clone() }
}

impl Backend for HomeAssistant {
    fn apply(
        &mut self,
        entity: &Entity,
        call: &Call,
        _: &ZonedDateTime,
    ) -> Result<Outcome, HomeError> {
        let began = Instant::now();
        let begun = self.begin(entity, call)?;
        self.end(entity, call, &begun, began)
    }

    fn apply_all(
        &mut self,
        calls: &[(&Entity, &Call)],
        _: &ZonedDateTime,
    ) -> Vec<Result<Outcome, HomeError>> {
        let began = Instant::now();
        let begun: Vec<_> = calls.iter().map(|(entity, call)| self.begin(entity, call)).collect();
        let ends = calls.iter().zip(begun);
        ends.map(|((entity, call), begun)| self.end(entity, call, &begun?, began)).collect()
    }

    fn updates(&mut self) -> Vec<Update> {
        self.shared.state().world.updates()
    }
}

impl Drop for HomeAssistant {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.news.notify_all();
    }
}

type Asked = Receiver<(u64, Value)>;
/// Where it is, and what a secret connection trusts.
type To = (Address, Option<Arc<rustls::ClientConfig>>);

/// Connects again and again until it is told to stop.
fn follow(shared: &Shared, to: &To, token: &Secret, asked: &Asked) {
    let host = to.0.authority();
    let mut pause = BACK_OFF[0];
    let mut told = None;
    while !shared.stop.load(Ordering::Acquire) {
        let mut was_connected = false;
        let ended = talk(shared, to, token, asked, &mut was_connected);
        let mut state = shared.state();
        state.world.set_connected(false);
        // What was asked for while nobody listened is not done later.
        while asked.try_recv().is_ok() {}
        for result in state.results.values_mut() {
            *result = Some(Err("disconnected".into()));
        }
        if was_connected {
            (pause, told) = (BACK_OFF[0], None);
        }
        if let Err(why) = ended {
            if told.as_ref() != Some(&why) {
                tracing::warn!(host, why, "no connection to Home Assistant; trying again");
            }
            state.problem = Some(why.clone());
            told = Some(why);
        }
        shared.news.notify_all();
        let stopped = |_: &mut State| !shared.stop.load(Ordering::Acquire);
        drop(shared.news.wait_timeout_while(state, pause, stopped));
        pause = (pause * 2).min(BACK_OFF[1]);
    }
}

type Socket = WebSocket<Stream>;

fn open((address, encryption): &To) -> Result<Socket, String> {
    let stream = Stream::open(address, encryption.as_ref(), STEP)?;
    let (scheme, host) = (if address.encrypted { "wss" } else { "ws" }, address.authority());
    let shaken = tungstenite::client(format!("{scheme}://{host}/api/websocket"), stream);
    Ok(shaken.map_err(|error| format!("{host} speaks no WebSocket: {error}"))?.0)
}

/// The next message; `None` when there is none within the socket's time.
fn receive(socket: &mut Socket) -> Result<Option<Value>, String> {
    match socket.read() {
        Ok(Message::Text(text)) => match serde_json::from_str(&text) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(format!("a message is no JSON: {error}")),
        },
        Ok(_) => Ok(None),
        Err(tungstenite::Error::Io(error))
            if matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(format!("the connection ended: {error}")),
    }
}

fn send(socket: &mut Socket, message: &Value) -> Result<(), String> {
    socket
        .send(Message::Text(message.to_string().into()))
        .map_err(|error| format!("the connection ended: {error}"))
}

/// Says who we are.
fn greet(socket: &mut Socket, token: &Secret) -> Result<(), String> {
    let end = Instant::now() + STEP * 2;
    while Instant::now() < end {
        let Some(message) = receive(socket)? else { continue };
        match message["type"].as_str() {
            Some("auth_required") => {
                let greeting = json!({ "type": "auth", "access_token": token.expose() });
                socket
                    .send(Message::Text(greeting.to_string().into()))
                    .map_err(|_| "the connection ended".to_owned())?;
            }
            Some("auth_ok") => return Ok(()),
            Some("auth_invalid") => {
                return Err("Home Assistant does not accept the token; make a new long-lived access token and set home.home_assistant.token_file".into());
            }
            _ => {}
        }
    }
    Err("Home Assistant does not greet in time".into())
}

/// One connection, from its beginning to its end.
fn talk(
    shared: &Shared,
    to: &To,
    token: &Secret,
    asked: &Asked,
    was_connected: &mut bool,
) -> Result<(), String> {
    let mut socket = open(to)?;
    greet(&mut socket, token)?;
    socket.get_ref().set_read_timeout(TICK).map_err(|error| error.to_string())?;
    let mut line = Line { socket, last: 0, lists: BTreeMap::new(), calls: BTreeMap::new() };
    line.request(&json!({ "type": "subscribe_events", "event_type": "state_changed" }))?;
    for (list, event) in LISTS {
        line.request(&json!({ "type": "subscribe_events", "event_type": event }))?;
        line.ask(list)?;
    }
    line.ask("states")?;
    let (mut heard, mut pinged) = (Instant::now(), false);
    while !shared.stop.load(Ordering::Acquire) {
        while let Ok((key, request)) = asked.try_recv() {
            let id = line.request(&request)?;
            line.calls.insert(id, key);
        }
        if let Some(message) = receive(&mut line.socket)? {
            (heard, pinged) = (Instant::now(), false);
            let mut state = shared.state();
            line.hear(&message, &mut state)?;
            if !*was_connected && line.lists.is_empty() {
                *was_connected = true;
                state.problem = None;
                state.world.set_connected(true);
                tracing::info!(host = to.0.authority(), "connected to Home Assistant");
            }
            drop(state);
            shared.news.notify_all();
        } else if heard.elapsed() > PING * 2 {
            return Err("Home Assistant is silent".into());
        } else if heard.elapsed() > PING && !pinged {
            pinged = true;
            line.request(&json!({ "type": "ping" }))?;
        }
    }
    let _ = line.socket.close(None);
    Ok(())
}

/// A connection after the greeting.
struct Line {
    socket: Socket,
    /// The number of the last request.
    last: u64,
    /// Which lists were asked for, by the request's number.
    lists: BTreeMap<u64, &'static str>,
    /// Which calls were sent, by the request's number.
    calls: BTreeMap<u64, u64>,
}

impl Line {
    fn request(&mut self, request: &Value) -> Result<u64, String> {
        self.last += 1;
        let mut request = request.clone();
        request["id"] = self.last.into();
        send(&mut self.socket, &request)?;
        Ok(self.last)
    }

    fn ask(&mut self, list: &'static str) -> Result<(), String> {
        let kind = if list == "states" { "get_states" } else { list };
        let id = self.request(&json!({ "type": kind }))?;
        self.lists.insert(id, list);
        Ok(())
    }

    fn hear(&mut self, message: &Value, state: &mut State) -> Result<(), String> {
        let id = message["id"].as_u64().unwrap_or_default();
        match message["type"].as_str() {
            Some("event") => {
                let event = &message["event"];
                let kind = event["event_type"].as_str().unwrap_or_default();
                if kind == "state_changed" {
                    state.world.state_changed(&event["data"]);
                } else if let Some((list, _)) = LISTS.iter().find(|(_, event)| *event == kind)
                    && !self.lists.values().any(|waiting| waiting == list)
                {
                    self.ask(list)?;
                }
            }
            Some("result") => {
                let done = message["success"] == true;
                if let Some(list) = self.lists.remove(&id) {
                    if done {
                        state.world.list(list, &message["result"]);
                    } else {
                        // An older Home Assistant has no floors.
                        tracing::debug!(list, error = %message["error"], "a list is not there");
                    }
                }
                if let Some(result) =
                    self.calls.remove(&id).and_then(|key| state.results.get_mut(&key))
                {
                    let code = message["error"]["code"].as_str().unwrap_or("unknown_error");
                    *result = Some(if done { Ok(()) } else { Err(code.to_owned()) });
                }
            }
            _ => {}
        }
        Ok(())
    }
}
