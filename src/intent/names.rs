//! What a home has: areas, floors and entities by their names.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::IntentError;
use super::grammar::{Grammar, NameCompiler};
use super::lists::{List, TextList, ValueSource};
use super::matcher::Home;

/// Something that can be named in a sentence.
///
/// ```
/// use hearken::intent::Name;
///
/// let lamp = Name::new("Kitchen Lamp").alias("lamp by the stove").with("domain", "light");
/// assert_eq!(lamp.spoken, ["Kitchen Lamp", "lamp by the stove"]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Name {
    /// What the slot gets.
    pub value: String,
    /// What is said: the name and its aliases. Groups, optional parts and alternatives may be
    /// used (`[ceiling] lamp`), lists and rules not.
    pub spoken: Vec<String>,
    /// What it brings along, compared with `requires_context`: `domain`, `device_class`, …
    pub context: Map<String, Value>,
}

impl Name {
    /// A name that is said as it is.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { value: name.into(), spoken: vec![name.into()], context: Map::new() }
    }

    /// Adds another way to say it.
    #[must_use]
    pub fn alias(mut self, spoken: &str) -> Self {
        self.spoken.push(spoken.into());
        self
    }

    /// Adds a context value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.context.insert(key.into(), value.into());
        self
    }
}

/// The names of a home.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Names {
    /// Rooms, for `{area}`.
    pub areas: Vec<Name>,
    /// Floors, for `{floor}`.
    pub floors: Vec<Name>,
    /// Devices, scenes, lists, people and so on, for `{name}`.
    pub entities: Vec<Name>,
    /// Further lists by name; one with the name of a language's list replaces it.
    pub lists: BTreeMap<String, Vec<Name>>,
}

impl Names {
    /// Compiles the names for a language.
    pub(super) fn compile(&self, grammar: &Grammar) -> Result<Home, IntentError> {
        let mut compiler = NameCompiler::new(grammar);
        let mut lists = Vec::with_capacity(grammar.named_lists.len());
        for (list, _) in &grammar.named_lists {
            let names = match (list.as_str(), self.lists.get(list)) {
                (_, Some(names)) => Some(names),
                ("area", None) => Some(&self.areas),
                ("floor", None) => Some(&self.floors),
                ("name", None) => Some(&self.entities),
                _ => None,
            };
            lists.push(match names {
                Some(names) => Some(values(names, list, &mut compiler, grammar)?),
                None => None,
            });
        }
        let NameCompiler { nodes, chunks, .. } = compiler;
        Ok(Home { lists, nodes, chunks })
    }
}

fn values(
    names: &[Name],
    list: &str,
    compiler: &mut NameCompiler<'_>,
    grammar: &Grammar,
) -> Result<List, IntentError> {
    let mut values = Vec::with_capacity(names.len());
    for name in names {
        for spoken in &name.spoken {
            let source = ValueSource {
                input: spoken.clone(),
                // An address or a smiley is a name as well as a template is.
                verbatim: !spoken.contains(['(', '[', '|', ';', '{', '<']),
                output: Some(Value::String(name.value.clone())),
                context: Some(name.context.clone()),
            };
            let node = if source.is_template() {
                let node = compiler.add(spoken).map_err(|error| IntentError::Name {
                    list: list.to_owned(),
                    name: spoken.clone(),
                    column: error.column,
                    reason: error.reason,
                })?;
                Some(node)
            } else {
                None
            };
            values.push((source, node));
        }
    }
    Ok(List::Text(TextList::new(values, grammar.ignore_whitespace)))
}
