//! What a home has: areas, floors and entities by their names.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::IntentError;
use super::grammar::{Chunk, Grammar, MAX_ORDER, Node, NodeId};
use super::lists::{List, TextList, ValueSource};
use super::matcher::Home;
use super::template::{self, Expr, ListRef, TemplateError};

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

/// Whether a text can be read as a template of a name: its brackets close, and it holds no list and
/// no rule.
///
/// ```
/// use hearken::intent::is_template;
///
/// assert!(is_template("[ceiling] (lamp|light)"));
/// assert!(!is_template("Lamp (old"));
/// assert!(!is_template("{area} lamp"));
/// ```
#[must_use]
pub fn is_template(text: &str) -> bool {
    fn plain(expr: &Expr) -> bool {
        match expr {
            Expr::Text(_) => true,
            Expr::Sequence(items) | Expr::Alternative { items, .. } => items.iter().all(plain),
            Expr::Permutation(items) => items.len() <= MAX_ORDER && items.iter().all(plain),
            Expr::Rule { .. } | Expr::List(_) => false,
        }
    }
    template::parse(text).is_ok_and(|expr| plain(&expr))
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

/// Templates of the home's own names, as nodes behind those of the grammar.
struct NameCompiler<'a> {
    grammar: &'a Grammar,
    nodes: Vec<Node>,
    chunks: Vec<Chunk>,
}

impl<'a> NameCompiler<'a> {
    fn new(grammar: &'a Grammar) -> Self {
        Self { grammar, nodes: Vec::new(), chunks: Vec::new() }
    }

    /// Adds a name that is a template. Lists and rules are not for names.
    fn add(&mut self, text: &str) -> Result<NodeId, TemplateError> {
        let expr = template::parse(text)?;
        self.expr(&expr)
    }

    fn expr(&mut self, expr: &Expr) -> Result<NodeId, TemplateError> {
        let node = match expr {
            Expr::Text(text) => {
                self.chunks.push(Chunk::new(text, self.grammar.ignore_whitespace));
                Node::Text((self.grammar.chunks.len() + self.chunks.len() - 1) as u32)
            }
            Expr::Sequence(items) => Node::Sequence(self.items(items)?),
            Expr::Alternative { items, .. } => Node::Alternative(self.items(items)?),
            Expr::Permutation(items) if items.len() > MAX_ORDER => {
                return Err(TemplateError {
                    column: 1,
                    reason: format!("{} parts in any order are more than {MAX_ORDER}", items.len()),
                });
            }
            Expr::Permutation(items) => Node::Permutation(self.items(items)?),
            Expr::Rule { name, column } => {
                return Err(TemplateError {
                    column: *column,
                    reason: format!("<{name}> is a rule, which a name cannot use"),
                });
            }
            Expr::List(ListRef { list, column, .. }) => {
                return Err(TemplateError {
                    column: *column,
                    reason: format!("{{{list}}} is a list, which a name cannot use"),
                });
            }
        };
        self.nodes.push(node);
        Ok((self.grammar.nodes.len() + self.nodes.len() - 1) as NodeId)
    }

    fn items(&mut self, items: &[Expr]) -> Result<Box<[NodeId]>, TemplateError> {
        items.iter().map(|item| self.expr(item)).collect()
    }
}
