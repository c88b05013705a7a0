//! Devices that converse, by their names: who is connected, and what happens to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Sender;
use serde_json::{Value, json};
use tokio::sync::broadcast::{self, Receiver};
use tokio::sync::mpsc;

use super::mcp::{Call, Tool};

use crate::session::Event;
use crate::session::Order;

/// Events that may wait for who follows them; who is slower misses some and is told so.
const EVENTS: usize = 256;
/// The longest name.
const LONGEST_NAME: usize = 64;

/// Something that happened to a satellite, as JSON.
pub(super) type News = (Arc<str>, Arc<Value>);

/// Those that are connected.
#[derive(Debug)]
pub(super) struct Satellites {
    connected: Mutex<HashMap<Arc<str>, Satellite>>,
    news: broadcast::Sender<News>,
}

/// One that is connected.
#[derive(Debug)]
struct Satellite {
    number: u64,
    orders: Sender<Order>,
    /// What its device can do, and where calls go.
    tools: Vec<Tool>,
    calls: Option<mpsc::Sender<Call>>,
}

impl Default for Satellites {
    fn default() -> Self {
        Self { connected: Mutex::default(), news: broadcast::channel(EVENTS).0 }
    }
}

/// A name as it may stand in a topic; none where nothing is left of it.
pub(super) fn plain_name(name: &str) -> Option<Arc<str>> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.:".contains(c) { c } else { '_' };
    let name: String = name.trim().chars().take(LONGEST_NAME).map(plain).collect();
    (!name.is_empty()).then(|| name.into())
}

impl Satellites {
    /// A satellite came. One of the same name that is still connected is not spoken to any more.
    pub(super) fn enter(
        self: &Arc<Self>,
        name: &Arc<str>,
        number: u64,
        orders: Sender<Order>,
    ) -> Connected {
        let satellite = Satellite { number, orders, tools: Vec::new(), calls: None };
        self.lock().insert(Arc::clone(name), satellite);
        self.tell(name, json!({ "event": "connected" }));
        Connected { satellites: Arc::clone(self), name: Arc::clone(name), number }
    }

    /// Gives a satellite an order; false when it is not connected, or takes none.
    pub(super) fn order(&self, name: &str, order: Order) -> bool {
        self.lock().get(name).is_some_and(|own| own.orders.try_send(order).is_ok())
    }

    /// The tools of a satellite's device are known.
    pub(super) fn equip(&self, name: &str, tools: Vec<Tool>, calls: mpsc::Sender<Call>) {
        if let Some(own) = self.lock().get_mut(name) {
            (own.tools, own.calls) = (tools, Some(calls));
        }
    }

    /// Whether a satellite is connected that has a tool.
    pub(super) fn has_tool(&self, name: &str, tool: &str) -> bool {
        self.lock().get(name).is_some_and(|own| own.tools.iter().any(|known| known.name == tool))
    }

    /// Has a tool called; false when the device takes no call.
    pub(super) fn call(&self, name: &str, call: Call) -> bool {
        let connected = self.lock();
        let calls = connected.get(name).and_then(|own| own.calls.as_ref());
        calls.is_some_and(|calls| calls.try_send(call).is_ok())
    }

    /// All of them with their tools, by name.
    pub(super) fn list(&self) -> Vec<Value> {
        let connected = self.lock();
        let mut all: Vec<_> = connected.iter().collect();
        all.sort_by_key(|(name, _)| Arc::clone(name));
        all.into_iter().map(|(name, own)| json!({ "name": &**name, "tools": own.tools })).collect()
    }

    /// What happens from now on.
    pub(super) fn follow(&self) -> Receiver<News> {
        self.news.subscribe()
    }

    fn tell(&self, name: &Arc<str>, event: Value) {
        if self.news.receiver_count() > 0 {
            let _ = self.news.send((Arc::clone(name), Arc::new(event)));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Satellite>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A satellite that is connected, until this is dropped.
#[derive(Debug)]
pub(super) struct Connected {
    satellites: Arc<Satellites>,
    name: Arc<str>,
    number: u64,
}

impl Connected {
    /// Tells what happened; sound is not told.
    pub(super) fn tell(&self, event: &Event) {
        if !matches!(event, Event::Speech(_))
            && self.satellites.news.receiver_count() > 0
            && let Ok(event) = serde_json::to_value(event)
        {
            self.satellites.tell(&self.name, event);
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut connected = self.satellites.lock();
        if connected.get(&self.name).is_some_and(|own| own.number == self.number) {
            connected.remove(&self.name);
        }
        drop(connected);
        self.satellites.tell(&self.name, json!({ "event": "disconnected" }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_who_came_last_is_spoken_to() {
        let satellites = Arc::new(Satellites::default());
        let mut news = satellites.follow();
        let name = plain_name(" kitchen/+ #").unwrap();
        assert_eq!(&*name, "kitchen____");
        assert_eq!(plain_name("  "), None);
        let (old, _old_orders) = crossbeam_channel::bounded(1);
        let (new, orders) = crossbeam_channel::bounded(1);
        let first = satellites.enter(&name, 1, old);
        let second = satellites.enter(&name, 2, new);
        drop(first);
        assert!(satellites.order(&name, Order::Interrupt));
        assert!(!satellites.order(&name, Order::Interrupt), "a full queue takes none");
        assert_eq!(orders.len(), 1);
        drop(second);
        assert!(!satellites.order(&name, Order::Interrupt));
        let mut kinds = Vec::new();
        while let Ok((_, event)) = news.try_recv() {
            kinds.push(event["event"].as_str().unwrap().to_owned());
        }
        assert_eq!(kinds, ["connected", "connected", "disconnected", "disconnected"]);
    }
}
