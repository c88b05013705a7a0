//! Reading what a meaning holds.

use serde_json::Value;

use crate::home::Query;
use crate::home::TimerQuery;
use crate::intent::Meaning;

/// The area that stands for the whole house in a sentence that was said nowhere in particular.
pub(super) const EVERYWHERE: &str = "*";

/// A slot's words; `None` when it is not there or empty.
pub(super) fn text<'a>(meaning: &'a Meaning, key: &str) -> Option<&'a str> {
    let text = meaning.slots.get(key)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

/// A slot's number, also when it is written as text.
pub(super) fn number(meaning: &Meaning, key: &str) -> Option<f64> {
    match meaning.slots.get(key)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// A number as it is spoken and sent: 21 and not 21.0.
pub(super) fn plain(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// A slot that is one word or a list of words.
pub(super) fn words(meaning: &Meaning, key: &str) -> Vec<String> {
    match meaning.slots.get(key) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the area was said, and not only filled in from where one is.
pub(super) fn area_was_said(meaning: &Meaning) -> bool {
    meaning.slots.contains_key("area") && meaning.texts.contains_key("area")
}

/// The entities that the slots describe.
pub(super) fn query(meaning: &Meaning) -> Query {
    Query {
        name: text(meaning, "name").map(Into::into),
        area: text(meaning, "area").filter(|area| *area != EVERYWHERE).map(Into::into),
        floor: text(meaning, "floor").map(Into::into),
        domains: words(meaning, "domain"),
        device_classes: words(meaning, "device_class"),
        feature: None,
    }
}

/// Seconds from slots such as `hours`, `minutes`, `seconds`; `None` when there is none of them.
pub(super) fn duration(meaning: &Meaning, prefix: &str) -> Option<i64> {
    let parts = [("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0)];
    let found = parts.iter().filter_map(|(unit, seconds)| {
        number(meaning, &format!("{prefix}{unit}")).map(|count| count * seconds)
    });
    found.reduce(|a, b| a + b).map(|seconds| seconds.clamp(-9e15, 9e15) as i64)
}

/// The timers that the slots describe; the area is still a name.
pub(super) fn timers(meaning: &Meaning) -> TimerQuery {
    TimerQuery {
        name: text(meaning, "name").map(Into::into),
        area: text(meaning, "area").map(Into::into),
        start_seconds: duration(meaning, "start_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn meaning(slots: &Value) -> Meaning {
        Meaning { slots: slots.as_object().unwrap().clone(), ..Meaning::default() }
    }

    #[test]
    fn durations_add_up() {
        let cases = [
            (json!({"hours": 1, "minutes": 5}), "", Some(3900)),
            (json!({"minutes": 1.0, "seconds": "30"}), "", Some(90)),
            (json!({"start_minutes": 5, "minutes": 9}), "start_", Some(300)),
            (json!({"name": "tea"}), "", None),
            (json!({"hours": "many"}), "", None),
        ];
        for (slots, prefix, expected) in cases {
            assert_eq!(duration(&meaning(&slots), prefix), expected, "{slots}");
        }
    }

    #[test]
    fn a_query_takes_what_is_there() {
        let query =
            query(&meaning(&json!({"area": "Kitchen", "domain": ["light", "fan"], "name": " "})));
        assert_eq!(query.area.as_deref(), Some("Kitchen"));
        assert_eq!(query.domains, ["light", "fan"]);
        assert_eq!(query.name, None);
    }
}
