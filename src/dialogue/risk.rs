//! What is asked before it is done: unlocking, opening a garage.

use crate::home::Call;
use crate::home::Home;

/// A service that is asked about, such as `lock.unlock`, perhaps only for one class of device
/// (`cover.open_cover:garage`) or one device (`valve.open_valve:valve.gas`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    service: String,
    only: Option<String>,
}

impl Rule {
    /// Reads `domain.service[:class or entity]`; `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (service, only) = match text.split_once(':') {
            Some((service, only)) => (service, Some(only)),
            None => (text, None),
        };
        let plain = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        };
        let (domain, name) = service.split_once('.')?;
        let sound = plain(domain) && plain(name) && only.is_none_or(plain);
        sound.then(|| Self { service: service.into(), only: only.map(Into::into) })
    }

    fn covers(&self, call: &Call, home: &Home) -> bool {
        if call.service != self.service {
            return false;
        }
        let Some(only) = self.only.as_deref() else { return true };
        let class = home.entity(&call.entity).and_then(|entity| {
            entity.attributes.get("device_class").and_then(serde_json::Value::as_str)
        });
        call.entity == only || class == Some(only)
    }
}

/// Whether any of the calls is to be asked about.
pub(super) fn risky(rules: &[Rule], calls: &[Call], home: &Home) -> bool {
    calls.iter().any(|call| rules.iter().any(|rule| rule.covers(call, home)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &[&str] = &["lock.unlock", "lock.open", "cover.open_cover:garage"];

    #[test]
    fn rules_are_read() {
        for text in ASKED.iter().copied().chain(["valve.open_valve:valve.gas"]) {
            assert!(Rule::parse(text).is_some(), "{text}");
        }
        for text in ["", "lock", ".unlock", "lock.", "lock.unlock:", "lock unlock.x", "a.b:c d"] {
            assert!(Rule::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn unlocking_and_the_garage_are_asked_about_and_locking_is_not() {
        let home = Home::demo();
        let rules: Vec<Rule> = ASKED.iter().filter_map(|text| Rule::parse(text)).collect();
        let cases = [
            ("lock.front_door", "lock.unlock", true),
            ("lock.front_door", "lock.lock", false),
            ("cover.garage_door", "cover.open_cover", true),
            ("cover.garage_door", "cover.close_cover", false),
            ("cover.living_room_curtains", "cover.open_cover", false),
        ];
        for (entity, service, expected) in cases {
            assert_eq!(risky(&rules, &[Call::new(entity, service)], &home), expected, "{service}");
        }
    }
}
