//! The answer text: the package's responses are Jinja as Python reads it. minijinja renders them,
//! with the few habits of Python added that they rely on.

use std::sync::{Arc, LazyLock, Mutex};

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Rest, Serde, from_args};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value};
use minijinja_contrib::pycompat;
use regex::Regex;

/// The longest answer, in characters, and the longest list in one.
const LONGEST: usize = 2000;

/// How many steps a response may take: a template of a user's own could go on for ever.
const MOST_STEPS: u64 = 100_000;

/// Renders a response; every run of white space becomes one space.
pub(super) fn render(source: &str, context: &serde_json::Value) -> Result<String, String> {
    let source = modernise(source);
    let text =
        ENVIRONMENT.render_str(&source, Serde(context)).map_err(|error| error.to_string())?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(text.chars().take(LONGEST).collect())
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_fuel(Some(MOST_STEPS));
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    env.set_unknown_method_callback(method);
    env.add_filter("int", int);
    env.add_filter("float", float);
    env.add_filter("replace", replace);
    env.add_function("state_attr", state_attr);
    env.add_function("growing", || Value::from_object(Growing::default()));
    env
});

/// Jinja of Python lets a statement end in a colon, and lists grow; minijinja has neither.
fn modernise(source: &str) -> String {
    static COLON: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?s)(\{%[-+]?\s*(?:if|elif|else|for)\b(?:[^%]|%[^}])*?)\s*:(\s*[-+]?%\})").ok()
    });
    static LIST: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"=\s*\[\s*\]").ok());
    let mut text = source.to_owned();
    if let Some(colon) = &*COLON {
        text = colon.replace_all(&text, "$1$2").into_owned();
    }
    if let (true, Some(list)) = (text.contains(".append("), &*LIST) {
        text = list.replace_all(&text, "= growing()").into_owned();
    }
    text
}

/// A list with Python's `append`.
#[derive(Debug, Default)]
struct Growing(Mutex<Vec<Value>>);

impl Object for Growing {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let list = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        list.get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let list = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Enumerator::Seq(list.len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if method != "append" {
            return Err(ErrorKind::UnknownMethod.into());
        }
        let (item,): (Value,) = from_args(args)?;
        let mut list = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if list.len() >= LONGEST {
            return Err(Error::new(ErrorKind::InvalidOperation, "the list grows without end"));
        }
        list.push(item);
        Ok(Value::from(()))
    }
}

/// Methods of Python's objects that the responses call.
fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match method {
        // A date is given as a map; Monday is 0.
        "weekday" => value.get_attr("weekday_from_monday"),
        "is_integer" => {
            Ok(Value::from(f64::try_from(value.clone()).is_ok_and(|number| number.fract() == 0.0)))
        }
        // `dict.fromkeys(keys)`: the keys once each.
        "fromkeys" => {
            let (keys,): (Value,) = from_args(args)?;
            Ok(Value::from_pairs(keys.try_iter()?.map(|key| (key, Value::from(())))))
        }
        "title" if value.as_str().is_some() => {
            Ok(Value::from(title(value.as_str().unwrap_or_default())))
        }
        // What is not there has nothing to say, as attributes of it have nothing either.
        _ if value.is_undefined() || value.is_none() => Ok(Value::UNDEFINED),
        _ => pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// The default that a filter was given: by its name, or as its first argument. It may be none.
fn default_of(args: &Rest<Value>, named: &Kwargs, usual: Value) -> Result<Value, Error> {
    let by_name = || named.get("default");
    match args.first() {
        Some(default) => Ok(default.clone()),
        None if named.has("default") => by_name(),
        None => Ok(usual),
    }
}

/// Python's `int` filter: what is no number is the default, 0.
#[expect(clippy::needless_pass_by_value, reason = "minijinja hands arguments over")]
fn int(value: &Value, args: Rest<Value>, named: Kwargs) -> Result<Value, Error> {
    if let Some(whole) = value.as_i64() {
        return Ok(Value::from(whole));
    }
    let number = match value.as_str() {
        Some(text) => text.trim().parse::<f64>().ok(),
        None => f64::try_from(value.clone()).ok(),
    };
    match number.filter(|number| number.is_finite()) {
        Some(number) => Ok(Value::from(number as i64)),
        None => default_of(&args, &named, Value::from(0)),
    }
}

/// Python's `float` filter: what is no number is the default, 0.0.
#[expect(clippy::needless_pass_by_value, reason = "minijinja hands arguments over")]
fn float(value: &Value, args: Rest<Value>, named: Kwargs) -> Result<Value, Error> {
    let number = match value.as_str() {
        Some(text) => text.trim().parse::<f64>().ok(),
        None => f64::try_from(value.clone()).ok(),
    };
    number.map_or_else(
        || default_of(&args, &named, Value::from(0.0)),
        |number| Ok(Value::from(number)),
    )
}

/// Python's `title`: a capital wherever a word begins, also behind a full stop.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        match inside {
            true => titled.extend(c.to_lowercase()),
            false => titled.extend(c.to_uppercase()),
        }
        inside = c.is_alphabetic();
    }
    titled
}

/// Python's `replace` filter, which takes numbers too.
fn replace(value: &Value, from: &Value, to: &Value) -> String {
    let text = |value: &Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    text(value).replace(&text(from), &text(to))
}

/// An attribute of the state that the answer is about.
fn state_attr(state: &State<'_, '_>, entity: &Value, key: &str) -> Value {
    let known =
        state.lookup("state").filter(|s| s.get_attr("entity_id").is_ok_and(|id| id == *entity));
    let attributes = known.and_then(|state| state.get_attr("attributes").ok());
    match attributes.and_then(|attributes| attributes.get_attr(key).ok()) {
        Some(value) if !value.is_undefined() => value,
        _ => Value::from(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_habits_of_python_are_understood() {
        let context = json!({
            "slots": {"name": "outside TEMPERATURE", "time": {"hour": 1, "minute": 2},
                "date": {"month": 9, "weekday_from_monday": 1}},
            "state": {"entity_id": "sensor.x", "state": "21.50", "attributes": {"temperature": 20.5}},
            "query": {"matched": [{"name": "b"}, {"name": "a"}], "unmatched": []},
        });
        let cases = [
            ("{% if not query.unmatched: %} Yes {% else: %} No {% endif %}", "Yes"),
            ("{{ slots.name | capitalize }}", "Outside temperature"),
            ("{{ '{0:02d}'.format(slots.time.minute) }}", "02"),
            ("{% set m = {\n 9: 'September',\n} %} {{ m[slots.date.month] }}", "September"),
            ("{{ query.matched | map(attribute=\"name\") | sort | list | join(', ') }}", "a, b"),
            (
                "{{ state.attributes.get('temperature') }} {{ state.attributes.get('x', '-') }}",
                "20.5 -",
            ),
            ("{{ state_attr(state.entity_id, 'temperature') }}", "20.5"),
            ("{{ state_attr('light.other', 'temperature') is none }}", "True"),
            (
                "{{ 'abc' | int }} {{ '12' | int }} {{ '20.5' | int }} {{ none | float }}",
                "0 12 20 0.0",
            ),
            ("{{ state.state | float | round(1) | replace('.', ',') }}", "21,5"),
            ("{{ (20.0).is_integer() }} {{ slots.date.weekday() }}", "True 1"),
            (
                "{% set l = [] %}{% for x in [1, 2] %}{% set _ = l.append(x) %}{% endfor %}{{ l | join('+') }}",
                "1+2",
            ),
            (
                "{% set p = namespace(values=[]) %}{% set _ = p.values.append(3) %}{{ p.values | length }}",
                "1",
            ),
            ("{{ dict.fromkeys(['a', 'b', 'a']) | count }}", "2"),
            (
                "{{ ['', 'x'] | select() | list | count }} {{ slots.missing.deep is defined }}",
                "1 False",
            ),
            (
                "{{ 'x' | float(default=none) }} {{ 'x' | float(none) is none }} {{ none | int(7) }}",
                "None True 7",
            ),
            ("{{ 'old A.C. äpfel'.title() }}", "Old A.C. Äpfel"),
            (
                "{{ 'x_y'.replace('_', ' ') }} {{ 'AbC'.lower() }} {{ 'a b'.split(' ')[1] }}",
                "x y abc b",
            ),
            ("50% {% if 3 % 2 == 1: %}odd{% endif %}", "50% odd"),
        ];
        for (source, expected) in cases {
            assert_eq!(render(source, &context).unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn a_broken_response_is_an_error_and_no_panic() {
        for source in ["{{ ", "{% if %}", "{{ nothing() }}", "{% for x in 3 %}{% endfor %}"] {
            assert!(render(source, &json!({})).is_err(), "{source}");
        }
    }
}
