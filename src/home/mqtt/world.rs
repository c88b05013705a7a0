//! Everything that is known of what lives behind the broker; no network in here.

use std::collections::{BTreeMap, BTreeSet};

use super::super::layout::MOST_ROWS;
use super::super::{Outcome, Update};
use super::device::Device;
use super::{Config, discovery, read, zigbee};

/// The longest payload of a state that is read, in bytes.
const LONGEST_STATE: usize = 64 << 10;

/// The devices, by their entity ids, and what has changed about them. Every collection is bounded
/// by the number of devices, and that by `MOST_ROWS`.
pub(super) struct World {
    discovery_prefix: String,
    zigbee_prefix: String,
    devices: BTreeMap<String, Device>,
    /// Which entities came with an announcement: a discovery topic or a Zigbee address.
    announced: BTreeMap<String, Vec<String>>,
    topics: BTreeMap<String, BTreeSet<String>>,
    is_connected: bool,
    described: BTreeSet<String>,
    changed: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl World {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            discovery_prefix: config.discovery_prefix.clone(),
            zigbee_prefix: config.zigbee2mqtt_prefix.clone(),
            devices: BTreeMap::new(),
            announced: BTreeMap::new(),
            topics: BTreeMap::new(),
            is_connected: false,
            described: BTreeSet::new(),
            changed: BTreeSet::new(),
            gone: BTreeSet::new(),
        }
    }

    /// The topics to listen to before anything is known, and of everything that is known.
    pub(super) fn first_topics(&self) -> BTreeSet<String> {
        let (home, zigbee) = (&self.discovery_prefix, &self.zigbee_prefix);
        let mut topics: BTreeSet<String> = self.topics.keys().cloned().collect();
        if !home.is_empty() {
            topics.insert(format!("{home}/+/+/config"));
            topics.insert(format!("{home}/+/+/+/config"));
        }
        if !zigbee.is_empty() {
            topics.insert(format!("{zigbee}/bridge/devices"));
        }
        topics
    }

    pub(super) fn set_connected(&mut self, connected: bool) {
        self.is_connected = connected;
        self.changed.extend(self.devices.keys().cloned());
    }

    pub(super) fn device(&self, entity: &str) -> Option<&Device> {
        self.devices.get(entity)
    }

    /// Whether a command could arrive.
    pub(super) fn can_reach(&self, entity: &str) -> bool {
        self.is_connected && self.devices.get(entity).is_some_and(Device::is_reachable)
    }

    /// The device did not answer, or it did.
    pub(super) fn set_silent(&mut self, entity: &str, silent: bool) {
        if let Some(device) = self.devices.get_mut(entity) {
            device.silent = silent;
            self.changed.insert(entity.to_owned());
        }
    }

    /// How an entity is that says nothing about itself.
    pub(super) fn assume(&mut self, entity: &str, now: &Outcome) {
        if let Some(device) = self.devices.get_mut(entity) {
            device.entity.state.clone_from(&now.state);
            device.entity.attributes.clone_from(&now.attributes);
            self.changed.insert(entity.to_owned());
        }
    }

    /// Takes a message in and gives the topics that are to be listened to because of it.
    pub(super) fn hear(&mut self, topic: &str, payload: &[u8], retained: bool) -> BTreeSet<String> {
        let Ok(payload) = std::str::from_utf8(payload) else {
            tracing::debug!(topic, "a payload is not UTF-8; it is left out");
            return BTreeSet::new();
        };
        if let Some((component, object)) = discovery::topic(&self.discovery_prefix, topic) {
            let found = if payload.trim().is_empty() {
                Vec::new()
            } else {
                discovery::read(component, object, payload)
            };
            let usable = found.into_iter().filter_map(|found| {
                found.map_err(|why| tracing::debug!(topic, why, "an announcement is left out")).ok()
            });
            return self.announce(topic, usable.collect());
        }
        if topic.strip_prefix(&self.zigbee_prefix) == Some("/bridge/devices") {
            return self.hear_zigbee(topic, payload);
        }
        if payload.len() > LONGEST_STATE {
            tracing::warn!(topic, bytes = payload.len(), "a state is too long; it is left out");
            return BTreeSet::new();
        }
        for entity in self.topics.get(topic).into_iter().flatten() {
            let Some(device) = self.devices.get_mut(entity) else { continue };
            device.hear_availability(topic, payload);
            if read::hear(device, topic, payload) && !retained {
                device.heard += 1;
                device.silent = false;
            }
            self.changed.insert(entity.clone());
        }
        BTreeSet::new()
    }

    fn hear_zigbee(&mut self, topic: &str, payload: &str) -> BTreeSet<String> {
        let list = match zigbee::read(&self.zigbee_prefix, payload) {
            Ok(list) => list,
            Err(why) => {
                tracing::warn!(topic, why, "the list of Zigbee devices is left out");
                return BTreeSet::new();
            }
        };
        let key = |address: &str| format!("{topic}#{address}");
        let listed: BTreeSet<String> = list.iter().map(|found| key(&found.address)).collect();
        let before = self.announced.keys().filter(|k| k.starts_with(&key(""))).cloned();
        let lost: Vec<String> = before.filter(|own| !listed.contains(own)).collect();
        for own in lost {
            self.announce(&own, Vec::new());
        }
        let mut listen = BTreeSet::new();
        for found in list {
            // The bridge can announce its devices to Home Assistant too: then these hold.
            let discovered = self.announced.iter().any(|(announcement, entities)| {
                !announcement.starts_with(&key(""))
                    && entities.iter().any(|id| self.uses(id, &found.topic))
            });
            let devices = if discovered { Vec::new() } else { found.devices };
            listen.extend(self.announce(&key(&found.address), devices));
        }
        listen
    }

    fn uses(&self, entity: &str, topic: &str) -> bool {
        self.devices.get(entity).is_some_and(|device| device.topics().contains(topic))
    }

    /// Puts what an announcement brings in the place of what it brought before.
    fn announce(&mut self, source: &str, devices: Vec<Device>) -> BTreeSet<String> {
        let before = self.announced.remove(source).unwrap_or_default();
        let mut now = Vec::new();
        let mut listen = BTreeSet::new();
        for mut device in devices {
            if self.devices.len() >= MOST_ROWS {
                tracing::warn!(source, limit = MOST_ROWS, "too many devices: the rest is left out");
                break;
            }
            let base = device.entity.id.clone();
            // Another announcement's entity keeps its id; this one gets the next number.
            let free = |id: &String| before.contains(id) || !self.devices.contains_key(id);
            let ids = std::iter::once(base.clone()).chain((2..100).map(|n| format!("{base}_{n}")));
            let Some(id) = ids.into_iter().find(|id| free(id) && !now.contains(id)) else {
                continue;
            };
            device.entity.id.clone_from(&id);
            if let Some(own) = self.devices.get(&id) {
                device.entity.state.clone_from(&own.entity.state);
                if own.config == device.config {
                    device = own.clone();
                }
            }
            self.drop_zigbee_twin(source, &device);
            let heard = device.topics();
            let reached = device.availability().into_iter().map(|(topic, ..)| topic);
            for topic in heard.into_iter().chain(reached) {
                self.topics.entry(topic.clone()).or_default().insert(id.clone());
                listen.insert(topic);
            }
            self.devices.insert(id.clone(), device);
            self.gone.remove(&id);
            self.described.insert(id.clone());
            now.push(id);
        }
        for id in before.into_iter().filter(|id| !now.contains(id)) {
            self.remove(&id);
        }
        if !now.is_empty() {
            self.announced.insert(source.to_owned(), now);
        }
        listen
    }

    /// Takes away what the bridge's own list brought of a device that is announced otherwise.
    fn drop_zigbee_twin(&mut self, source: &str, device: &Device) {
        let list = format!("{}/bridge/devices#", self.zigbee_prefix);
        if source.starts_with(&list) {
            return;
        }
        let topics = device.topics();
        let twins = self.announced.iter().filter(|(own, entities)| {
            own.starts_with(&list)
                && entities.iter().any(|id| topics.iter().any(|topic| self.uses(id, topic)))
        });
        let twins: Vec<String> = twins.map(|(own, _)| own.clone()).collect();
        for twin in twins {
            for id in self.announced.remove(&twin).unwrap_or_default() {
                if id != device.entity.id {
                    self.remove(&id);
                }
            }
        }
    }

    fn remove(&mut self, id: &str) {
        self.devices.remove(id);
        for entities in self.topics.values_mut() {
            entities.remove(id);
        }
        self.topics.retain(|_, entities| !entities.is_empty());
        self.described.remove(id);
        self.changed.remove(id);
        self.gone.insert(id.to_owned());
    }

    /// How an entity is, as far as it can be reached.
    fn outcome(&self, device: &Device) -> Outcome {
        let mut now = Outcome::of(&device.entity);
        if !self.is_connected || device.silent || !device.is_reachable() {
            now.state = "unavailable".into();
        }
        now
    }

    /// What has changed since the last time.
    pub(super) fn updates(&mut self) -> Vec<Update> {
        let mut updates: Vec<Update> = std::mem::take(&mut self.gone)
            .into_iter()
            .map(|entity| Update::Removed { entity })
            .collect();
        for id in std::mem::take(&mut self.described) {
            self.changed.remove(&id);
            let Some(device) = self.devices.get(&id) else { continue };
            let now = self.outcome(device);
            let mut entity = device.entity.clone();
            (entity.state, entity.attributes) = (now.state, now.attributes);
            updates.push(Update::Entity(Box::new(entity)));
        }
        for entity in std::mem::take(&mut self.changed) {
            let Some(device) = self.devices.get(&entity) else { continue };
            let now = self.outcome(device);
            updates.push(Update::State { entity, now });
        }
        updates
    }
}

#[cfg(test)]
#[path = "world_tests.rs"]
mod tests;
