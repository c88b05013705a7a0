//! Home Assistant's value templates: how a payload holds what is wanted.

use std::sync::OnceLock;

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

/// How much work one template may make: ten thousand times what a usual one needs.
const FUEL: u64 = 200_000;

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_filter("from_json", |text: String| {
            serde_json::from_str::<serde_json::Value>(&text)
                .map_or(Value::UNDEFINED, |json| Value::from(Serde(json)))
        });
        environment.add_filter("to_json", |value: Value| {
            serde_json::to_string(&value).unwrap_or_default()
        });
        environment.add_filter("is_defined", |value: Value| value);
        environment.add_function(
            "iif",
            |test: Value, yes: Value, no: Value| {
                if test.is_true() { yes } else { no }
            },
        );
        environment
    })
}

/// What a template makes of a payload; `None` when it cannot, or when it makes nothing.
pub(super) fn render(source: &str, value: &str) -> Option<String> {
    let parsed = serde_json::from_str::<serde_json::Value>(value).ok();
    let json = parsed.map_or(Value::UNDEFINED, |json| Value::from(Serde(json)));
    let made = environment().render_str(source, context! { value => value, value_json => json });
    match made {
        Ok(text) => {
            let text = text.trim();
            let nothing = text.is_empty() || text.eq_ignore_ascii_case("none");
            (!nothing).then(|| text.to_owned())
        }
        Err(error) => {
            tracing::debug!(source, %error, "a template cannot be rendered");
            None
        }
    }
}

/// What a command template makes of a value. A number stays a number in it.
pub(super) fn command(source: &str, value: &serde_json::Value) -> Option<String> {
    let value = Value::from(Serde(value));
    match environment().render_str(source, context! { value => value.clone(), position => value }) {
        Ok(text) => Some(text),
        Err(error) => {
            tracing::warn!(source, %error, "a command template cannot be rendered");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_read_as_home_assistant_reads_them() {
        let cases = [
            ("{{ value_json.state }}", r#"{"state": "ON"}"#, Some("ON")),
            ("{{ value_json['t'] | round(1) }}", r#"{"t": 21.26}"#, Some("21.3")),
            ("{{ value_json.a | default(7) }}", "{}", Some("7")),
            ("{{ value_json.a }}", "{}", None),
            ("{{ value_json.a }}", "not json", None),
            ("{{ value_json.a }}", r#"{"a": null}"#, None),
            ("{{ value | upper }}", "on", Some("ON")),
            ("{{ 'ON' if value_json.p > 5 else 'OFF' }}", r#"{"p": 6}"#, Some("ON")),
            ("{{ value.split(',')[0] }}", "a,b", Some("a")),
            ("{% broken", "x", None),
            (
                "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
                "",
                None,
            ),
        ];
        for (source, value, expected) in cases {
            assert_eq!(render(source, value).as_deref(), expected, "{source} of {value}");
        }
        let set = r#"{"position": {{ value }} }"#;
        assert_eq!(command(set, &30.into()).unwrap(), r#"{"position": 30 }"#);
    }
}
