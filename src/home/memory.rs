//! What a home remembers when the program ends: the states of its simulated devices, its lists and
//! its timers.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Entity, Home, NewTimer, Outcome};

/// Where a home keeps what it remembers.
///
/// ```
/// use std::collections::BTreeMap;
/// use hearken::home::{Home, Memory, MemoryError};
///
/// /// Remembers nothing.
/// struct Sieve;
/// impl Memory for Sieve {
///     fn load(&mut self) -> Result<BTreeMap<String, serde_json::Value>, MemoryError> {
///         Ok(BTreeMap::new())
///     }
///     fn save(&mut self, _: &[(String, serde_json::Value)]) -> Result<(), MemoryError> {
///         Ok(())
///     }
/// }
/// let home = Home::demo().with_memory(Box::new(Sieve), jiff::Timestamp::now())?;
/// # Ok::<(), hearken::home::MemoryError>(())
/// ```
pub trait Memory: Send {
    /// Everything that was kept, by its key.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&mut self) -> Result<BTreeMap<String, Value>, MemoryError>;

    /// Keeps all of these values or, on an error, none; null forgets a key.
    ///
    /// # Errors
    /// When they cannot be written.
    fn save(&mut self, values: &[(String, Value)]) -> Result<(), MemoryError>;
}

/// Why something cannot be remembered.
pub type MemoryError = Box<dyn std::error::Error + Send + Sync>;

const TIMERS: &str = "timers";

/// A home's memory, and what it holds already.
pub(super) struct Kept {
    memory: Box<dyn Memory>,
    /// How each entity is described, so that only the differences are kept.
    described: HashMap<String, Outcome>,
    known: BTreeMap<String, Value>,
}

impl Home {
    /// The same home as it was when it was last remembered. From now on changes are kept. A timer
    /// whose time came meanwhile rings at the next [`super::Timers::ring`].
    ///
    /// # Errors
    /// When the memory cannot be read.
    pub fn with_memory(
        mut self,
        mut memory: Box<dyn Memory>,
        now: Timestamp,
    ) -> Result<Self, MemoryError> {
        let known = memory.load()?;
        let entities = self.entities.iter();
        let described = entities.map(|entity| (entity.id.clone(), Outcome::of(entity))).collect();
        for entity in &mut self.entities {
            let Some(kept) = known.get(&key(&entity.id)) else { continue };
            if let Some(state) = kept["state"].as_str() {
                entity.state = state.into();
            }
            for (name, value) in kept["attributes"].as_object().into_iter().flatten() {
                if value.is_null() {
                    entity.attributes.remove(name);
                } else {
                    entity.attributes.insert(name.clone(), value.clone());
                }
            }
        }
        if let Some(Value::Array(timers)) = known.get(TIMERS) {
            for timer in timers {
                if self.timer_again(timer, now).is_none() {
                    tracing::warn!(%timer, "a remembered timer cannot be read; it is left out");
                }
            }
        }
        self.settle();
        self.kept = Some(Kept { memory, described, known });
        Ok(self)
    }

    /// Keeps what has changed since the last time. Acts and [`Home::refresh`] do this by
    /// themselves; after timers were changed it is for the caller to do.
    pub fn keep(&mut self) {
        let Some(mut kept) = self.kept.take() else { return };
        let mut changed = Vec::new();
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        // Whatever else the home has is as it was.
        let known = |entity: &&Entity| {
            touched.binary_search(&entity.id).is_ok() && !self.doors.is_live(&entity.id)
        };
        let searched = if touched.is_empty() { &[][..] } else { &self.entities[..] };
        for entity in searched.iter().filter(known) {
            let Some(described) = kept.described.get(&entity.id) else { continue };
            let value = difference(described, &entity.state, &entity.attributes);
            let key = key(&entity.id);
            if kept.known.get(&key).unwrap_or(&Value::Null) != &value {
                changed.push((key, value));
            }
        }
        let timers: Vec<Value> = self.timers.all().iter().map(timer_row).collect();
        let timers = if timers.is_empty() { Value::Null } else { timers.into() };
        if kept.known.get(TIMERS).unwrap_or(&Value::Null) != &timers {
            changed.push((TIMERS.to_owned(), timers));
        }
        if !changed.is_empty() {
            match kept.memory.save(&changed) {
                // What could not be written is tried again the next time.
                Err(error) => {
                    tracing::error!(%error, "the home's state cannot be kept");
                    self.touched = touched;
                }
                Ok(()) => kept.known.extend(changed),
            }
        }
        self.kept = Some(kept);
    }

    fn timer_again(&mut self, row: &Value, now: Timestamp) -> Option<()> {
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        let timer = NewTimer {
            seconds: row["start_seconds"].as_i64()?,
            name: text("name"),
            area: text("area"),
            language: text("language").unwrap_or_default(),
            command: text("command"),
        };
        let (left, active) = match row["left"].as_i64() {
            Some(left) => (left, false),
            None => {
                let end = Timestamp::from_millisecond(row["until_ms"].as_i64()?).ok()?;
                ((end.duration_since(now).as_millis() + 999).div_euclid(1000) as i64, true)
            }
        };
        self.timers.restore(timer, left, active, now).ok()
    }
}

fn key(entity: &str) -> String {
    format!("entity/{entity}")
}

/// What is not as described; null when everything is.
fn difference(described: &Outcome, state: &str, attributes: &Map<String, Value>) -> Value {
    let mut changed = Map::new();
    for key in described.attributes.keys().chain(attributes.keys()) {
        if described.attributes.get(key) != attributes.get(key) {
            changed.insert(key.clone(), attributes.get(key).cloned().unwrap_or_default());
        }
    }
    if changed.is_empty() && described.state == state {
        return Value::Null;
    }
    json!({ "state": state, "attributes": changed })
}

fn timer_row(timer: &super::Timer) -> Value {
    let mut row = json!({
        "name": timer.name, "area": timer.area, "start_seconds": timer.start_seconds,
        "language": timer.language, "command": timer.command,
    });
    match timer.ends() {
        Ok(end) => row["until_ms"] = end.as_millisecond().into(),
        Err(left) => row["left"] = left.as_secs().into(),
    }
    row
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::{Call, TimerQuery};
    use super::*;

    #[derive(Default, Clone)]
    struct Notebook(Arc<Mutex<BTreeMap<String, Value>>>);

    impl Memory for Notebook {
        fn load(&mut self) -> Result<BTreeMap<String, Value>, MemoryError> {
            Ok(self.0.lock().unwrap().clone())
        }

        fn save(&mut self, values: &[(String, Value)]) -> Result<(), MemoryError> {
            self.0.lock().unwrap().extend(values.iter().cloned());
            Ok(())
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn states_lists_and_timers_come_back() {
        let book = Notebook::default();
        let mut home = Home::demo().with_memory(Box::new(book.clone()), at(0)).unwrap();
        let now = at(0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let call = Call::new("light.kitchen", "light.turn_on").with("brightness_pct", 50);
        home.act(&call, &now).unwrap();
        let list = home.entities().iter().find(|e| e.domain == "todo").unwrap().id.clone();
        home.act(&Call::new(&list, "todo.add_item").with("item", "Figs"), &now).unwrap();
        let start = |home: &mut Home, seconds, name: &str| {
            let name = Some(name.to_owned());
            let timer = NewTimer { seconds, name, ..Default::default() };
            home.timers_mut().start(timer, at(0)).unwrap()
        };
        start(&mut home, 60, "tea");
        start(&mut home, 3600, "roast");
        let paused = start(&mut home, 100, "nap");
        home.timers_mut().pause(paused, at(40));
        home.keep();
        drop(home);

        let mut home = Home::demo().with_memory(Box::new(book), at(600)).unwrap();
        assert_eq!(home.states()["light.kitchen"]["attributes"]["brightness"], 128);
        assert!(home.entity(&list).unwrap().attributes["items"].to_string().contains("Figs"));
        let left = |home: &Home, name: &str| {
            let query = TimerQuery { name: Some(name.into()), ..Default::default() };
            let timer = home.timers().matching(&query).next().cloned().unwrap();
            (timer.is_active(), timer.seconds_left(at(600)))
        };
        assert_eq!(left(&home, "roast"), (true, 3000));
        assert_eq!(left(&home, "nap"), (false, 60));
        let rung = home.timers_mut().ring(at(601));
        assert_eq!(rung[0].name.as_deref(), Some("tea"), "it rings late rather than never");
    }

    #[test]
    fn what_is_as_described_is_not_kept() {
        let book = Notebook::default();
        let mut home = Home::demo().with_memory(Box::new(book.clone()), at(0)).unwrap();
        home.keep();
        assert!(book.0.lock().unwrap().is_empty());
        let now = at(0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let lock = home.entities().iter().find(|e| e.domain == "lock").unwrap();
        let mut services = ["lock.unlock", "lock.lock"];
        if lock.state == "unlocked" {
            services.reverse();
        }
        let lock = lock.id.clone();
        home.act(&Call::new(&lock, services[0]), &now).unwrap();
        assert!(book.0.lock().unwrap().values().any(Value::is_object));
        home.act(&Call::new(&lock, services[1]), &now).unwrap();
        assert!(book.0.lock().unwrap().values().all(Value::is_null), "back as it was: forgotten");
    }
}
