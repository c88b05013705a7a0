//! Conditions on what is known besides the words: the area of the satellite, the domain of a name.

use serde_json::{Map, Value};

use super::grammar::Block;

/// Equality as in the sentence files: `1` and `1.0` are the same number.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// A context value may be wrapped: `{value: …, text: …}`.
fn unwrapped(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(map) => map.get("value").filter(|value| !value.is_null()),
        Value::Null => None,
        value => Some(value),
    }
}

/// Whether an actual value is the wanted one, or one of them; `None` wants any.
fn wanted(wanted: Option<&Value>, actual: Option<&Value>) -> bool {
    match (wanted, actual) {
        (None, actual) => actual.is_some(),
        (Some(Value::Array(any)), Some(actual)) => any.iter().any(|value| equal(value, actual)),
        (Some(wanted), Some(actual)) => equal(wanted, actual),
        (Some(_), None) => false,
    }
}

/// Whether nothing that is known contradicts a requirement; what is not known yet may still come.
pub(super) fn allows<'a>(
    requires: &Map<String, Value>,
    known: impl Fn(&str) -> Option<&'a Value>,
) -> bool {
    requires.iter().all(|(key, required)| match (known(key), unwrapped(required)) {
        (None, _) | (_, None) => true,
        (Some(actual), required) => wanted(required, unwrapped(actual)),
    })
}

/// Whether nothing that is known is excluded.
pub(super) fn excludes_nothing<'a>(
    excludes: &Map<String, Value>,
    known: impl Fn(&str) -> Option<&'a Value>,
) -> bool {
    excludes.iter().all(|(key, excluded)| match (known(key), unwrapped(excluded)) {
        (None, _) => true,
        (Some(actual), None) => unwrapped(actual).is_some(),
        (Some(actual), excluded) => !wanted(excluded, unwrapped(actual)),
    })
}

/// Whether a list value with this context can stand in a sentence of the block.
pub(super) fn fits(block: &Block, context: Option<&Map<String, Value>>) -> bool {
    let Some(context) = context else { return true };
    allows(&block.requires, |key| context.get(key))
        && excludes_nothing(&block.excludes, |key| context.get(key))
}

/// Checks all requirements at the end, and gives the slots that come from the context; `None`
/// where one is not met.
pub(super) fn required_slots<'a>(
    requires: &Map<String, Value>,
    lookup: impl Fn(&str) -> Option<&'a Value>,
) -> Option<Vec<(String, Value, String)>> {
    let mut slots = Vec::new();
    for (key, required) in requires {
        let copy_to = match required {
            Value::Object(map) => match map.get("slot") {
                Some(Value::String(name)) if !name.is_empty() => Some(name.clone()),
                Some(Value::Bool(true)) => Some(key.clone()),
                _ => None,
            },
            _ => None,
        };
        let known = lookup(key);
        let actual = known.and_then(unwrapped);
        if !wanted(unwrapped(required), actual) {
            return None;
        }
        if let (Some(slot), Some(actual)) = (copy_to, actual) {
            let text = known.and_then(|value| value.get("text")).and_then(Value::as_str);
            slots.push((slot, actual.clone(), text.unwrap_or_default().to_owned()));
        }
    }
    Some(slots)
}
