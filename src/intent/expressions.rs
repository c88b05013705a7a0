//! Picovoice's contexts: `expressions`, `slots` and `macros` in YAML, read as sentence templates.
//!
//! An expression is words with `[this, that]` for either, `(perhaps, this)` for an optional part,
//! `$slot:name` for a value of a slot, `$pv.TwoDigitInteger:name` and its like for numbers, and
//! `@macro` for a part that has a name.

use serde_json::{Map, Value, json};

use super::IntentError;

/// Whether this is a context and no file of sentence templates.
pub(super) fn is_context(data: &Map<String, Value>) -> bool {
    data.contains_key("context")
}

/// The data of a context in the layout of sentence files.
///
/// # Errors
/// [`IntentError`] naming the file, and for an expression also its intent and the column.
pub(super) fn sentences(
    data: &Map<String, Value>,
    language: &str,
    file: &str,
) -> Result<Map<String, Value>, IntentError> {
    let wrong = |reason: String| IntentError::File { file: file.to_owned(), reason };
    let context = data
        .get("context")
        .and_then(Value::as_object)
        .ok_or_else(|| wrong("`context:` is no mapping with `expressions:`".into()))?;
    let part = |key: &str| match context.get(key) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(other) => Err(wrong(format!("`{key}` must be a mapping, but is {other}"))),
    };
    let texts = |value: &Value, what: &str| -> Result<Vec<String>, IntentError> {
        let list =
            value.as_array().ok_or_else(|| wrong(format!("{what} is no sequence of texts")))?;
        list.iter()
            .map(|text| match text {
                Value::String(text) => Ok(text.clone()),
                Value::Number(number) => Ok(number.to_string()),
                other => Err(wrong(format!("{what} holds {other}, which is no text"))),
            })
            .collect()
    };
    let mut lists = Map::new();
    for (name, values) in part("slots")? {
        let values = texts(&values, &format!("slot {name}"))?;
        lists.insert(name, json!({ "values": values }));
    }
    let mut rules = Map::new();
    for (name, expressions) in part("macros")? {
        let what = format!("macro @{name}");
        let all = texts(&expressions, &what)?;
        let all: Vec<String> = all
            .iter()
            .map(|text| template(text, &mut lists, file, &what))
            .collect::<Result<_, _>>()?;
        rules.insert(name, format!("({})", all.join("|")).into());
    }
    let mut intents = Map::new();
    for (intent, expressions) in part("expressions")? {
        let what = format!("intent {intent}");
        let all = texts(&expressions, &what)?;
        let all: Vec<String> = all
            .iter()
            .map(|text| template(text, &mut lists, file, &what))
            .collect::<Result<_, _>>()?;
        intents.insert(intent, json!({ "data": [{ "sentences": all }] }));
    }
    if intents.is_empty() {
        return Err(wrong("`context:` has no `expressions:`, so nothing could be said".into()));
    }
    let all = json!({
        "language": language, "intents": intents, "lists": lists, "expansion_rules": rules,
    });
    match all {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

/// One expression as a template. Slots of numbers are added to the lists.
fn template(
    text: &str,
    lists: &mut Map<String, Value>,
    file: &str,
    part: &str,
) -> Result<String, IntentError> {
    let chars: Vec<char> = text.chars().collect();
    let wrong = |at: usize, reason: String| IntentError::Template {
        file: file.to_owned(),
        part: part.to_owned(),
        sentence: text.to_owned(),
        column: at + 1,
        reason,
    };
    let name = |from: usize| -> String {
        chars[from..].iter().take_while(|c| c.is_alphanumeric() || "_.".contains(**c)).collect()
    };
    let mut out = String::new();
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '[' => {
                open.push((']', at - 1));
                out.push('(');
            }
            '(' => {
                open.push((')', at - 1));
                out.push('[');
            }
            ']' | ')' => {
                if open.pop().is_none_or(|(wanted, _)| wanted != c) {
                    return Err(wrong(at - 1, format!("`{c}` closes nothing that is open")));
                }
                out.push(if c == ']' { ')' } else { ']' });
            }
            ',' if !open.is_empty() => out.push('|'),
            '$' => {
                let list = name(at);
                let colon = at + list.chars().count();
                let slot =
                    if chars.get(colon) == Some(&':') { name(colon + 1) } else { String::new() };
                if list.is_empty() || slot.is_empty() {
                    return Err(wrong(at - 1, "a slot is written `$list:name`".into()));
                }
                at = colon + 1 + slot.chars().count();
                if let Some(kind) = list.strip_prefix("pv.") {
                    let (from, to) = range(kind).ok_or_else(|| {
                        wrong(colon, format!("there is no built-in slot {list:?} here; write its values under `slots:`"))
                    })?;
                    lists.insert(list.clone(), json!({ "range": { "from": from, "to": to } }));
                } else if !lists.contains_key(&list) {
                    return Err(wrong(
                        at,
                        format!("there is no slot {list:?}: add it to `slots:`"),
                    ));
                }
                out.push_str(&format!("{{{list}:{slot}}}"));
            }
            '@' => {
                let rule = name(at);
                at += rule.chars().count();
                out.push_str(&format!("<{rule}>"));
            }
            '{' | '}' | '<' | '>' | '|' | ';' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    match open.pop() {
        Some((wanted, from)) => {
            Err(wrong(from, format!("the bracket that opens here never closes: add `{wanted}`")))
        }
        None => Ok(out),
    }
}

/// The numbers of a built-in slot.
fn range(kind: &str) -> Option<(i64, i64)> {
    match kind {
        "SingleDigitInteger" => Some((0, 9)),
        "TwoDigitInteger" => Some((0, 99)),
        "Percent" => Some((0, 100)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Engine, Language, Names};
    use super::*;

    const COFFEE: &str = "
context:
  macros:
    please: [please, would you]
  expressions:
    order:
      - '[get me, I want] (a, an) $size:size $drink:drink (@please)'
      - 'number $pv.TwoDigitInteger:number'
  slots:
    size: [small, twelve ounce]
    drink: [iced mocha, mocha]
";

    #[test]
    fn a_context_is_understood() {
        let language = Language::from_grammar(COFFEE, "en", "coffee.yaml").unwrap();
        let engine = Engine::new(&language, &Names::default()).unwrap();
        for (text, want) in [
            ("get me a small iced mocha", Some("iced mocha")),
            ("I want twelve ounce mocha please", Some("mocha")),
            ("get me a mocha", None),
        ] {
            let meaning = engine.recognize(text, &Map::new());
            let drink = meaning.as_ref().and_then(|m| m.slots["drink"].as_str());
            assert_eq!(drink, want, "{text}");
        }
        let number = engine.recognize("number forty two", &Map::new()).unwrap();
        assert_eq!(number.slots["number"], 42);
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (expression, want) in [
            ("[a, b", "column 1"),
            ("a] b", "column 2"),
            ("get $size", "$list:name"),
            ("get $colour:x", "no slot \"colour\""),
            ("get $pv.Address:x", "pv.Address"),
        ] {
            let yaml = format!("context: {{ expressions: {{ order: ['{expression}'] }} }}");
            let error = Language::from_grammar(&yaml, "en", "coffee.yaml").unwrap_err().to_string();
            assert!(error.contains(want) && error.contains("coffee.yaml"), "{error}");
        }
        let error = Language::from_grammar("context: {}", "en", "c.yaml").unwrap_err().to_string();
        assert!(error.contains("expressions"), "{error}");
    }
}
