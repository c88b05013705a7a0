//! From sentence files to the compiled form; every mistake is told with its place.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::IntentError;
use super::grammar::{
    Arena, Block, Grammar, MAX_ORDER, Node, NodeId, Reference, Sentence, Target, intern,
};
use super::lists::{List, RangeList, TextList, ValueSource};
use super::prefilter::{Clauses, Prefilter};
use super::sentences::CUSTOM_KEY;
use super::template::{self, Expr, ListRef, TemplateError};
use super::words::SkipWords;

/// How deep rules may stand within rules, counting every bracket on the way.
const MAX_DEPTH: usize = 200;

/// Rules and lists as they are seen from one block.
struct Scope<'a> {
    rules: [Option<&'a Map<String, Value>>; 2],
    local_lists: HashMap<String, u32>,
    compiled: HashMap<String, NodeId>,
    open: Vec<String>,
}

/// Where a template stands, for errors.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a str,
    part: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn error(&self, error: &TemplateError) -> IntentError {
        IntentError::Template {
            file: self.file.to_owned(),
            part: self.part.to_owned(),
            sentence: self.text.to_owned(),
            column: error.column,
            reason: error.reason.clone(),
        }
    }

    fn wrong(&self, column: usize, reason: String) -> IntentError {
        self.error(&TemplateError { column, reason })
    }
}

struct Compiler<'a> {
    file: &'a str,
    arena: Arena,
    local_lists: Vec<List>,
    global_lists: &'a Map<String, Value>,
    inline: HashMap<String, List>,
}

/// Compiles merged sentence data.
///
/// # Errors
///
/// [`IntentError`] naming what is wrong in which file.
pub(super) fn compile(data: &Map<String, Value>, file: &str) -> Result<Grammar, IntentError> {
    let malformed = |reason: String| IntentError::File { file: file.to_owned(), reason };
    let language = data.get("language").and_then(Value::as_str).ok_or_else(|| {
        malformed("`language:` is missing: write the language's tag, such as `language: en`".into())
    })?;
    let empty = Map::new();
    let ignore_whitespace = data
        .get("settings")
        .and_then(|settings| settings.get("ignore_whitespace"))
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let rules = mapping(data, "expansion_rules", &empty, file)?;
    let lists = mapping(data, "lists", &empty, file)?;
    let mut compiler = Compiler {
        file,
        arena: Arena::new(ignore_whitespace),
        local_lists: Vec::new(),
        global_lists: lists,
        inline: HashMap::new(),
    };
    let mut global = Scope {
        rules: [Some(rules), None],
        local_lists: HashMap::new(),
        compiled: HashMap::new(),
        open: Vec::new(),
    };
    for (name, _) in rules {
        compiler.rule(name, &mut global)?;
    }
    let mut intents = Vec::new();
    let mut blocks = Vec::new();
    let mut sentences = Vec::new();
    let mut fragments = Prefilter::builder();
    for (intent, definition) in mapping(data, "intents", &empty, file)? {
        let list = definition.get("data").and_then(Value::as_array).ok_or_else(|| {
            malformed(format!(
                "intent {intent}: `data:` with a sequence of sentence blocks is missing"
            ))
        })?;
        intents.push(intent.clone());
        for block in list {
            let block = block.as_object().ok_or_else(|| {
                malformed(format!("intent {intent}: a block is no mapping with `sentences:`"))
            })?;
            let part = format!("intent {intent}");
            let mut made = compiler.block(block, &part, blocks.len() as u32, rules, &mut global)?;
            for sentence in &mut made {
                sentence.clauses = fragments.clauses(sentence.root, &compiler.arena);
            }
            sentences.append(&mut made);
            blocks.push(meaning(block, intents.len() as u32 - 1, &part, file)?);
        }
    }
    let mut named_lists = Vec::with_capacity(compiler.arena.named.len());
    let mut next = 0;
    // Templates within list values may name further lists.
    while let Some(name) = compiler.arena.named.get(next).cloned() {
        let list = match (lists.get(&name), compiler.inline.remove(&name)) {
            (Some(value), _) => Some(compiler.list(&name, value, &mut global)?),
            (None, inline) => inline,
        };
        named_lists.push((name, list));
        next += 1;
    }
    // Lists that no sentence uses are read too, so that mistakes in them are told.
    for (name, value) in lists {
        if !compiler.arena.named.contains(name) {
            compiler.list(name, value, &mut global)?;
        }
    }
    for name in compiler.arena.named.iter().skip(named_lists.len()) {
        named_lists.push((name.clone(), None));
    }
    let skip: Vec<&str> = match data.get("skip_words") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(malformed("`skip_words` is no sequence of words".into())),
    };
    let mut spellings = HashMap::new();
    let named = named_lists.iter_mut().filter_map(|(_, list)| list.as_mut());
    for list in named.chain(&mut compiler.local_lists) {
        if let List::Range(range) = list {
            let spelled = spellings
                .entry(range.spelling_key())
                .or_insert_with(|| Arc::new(range.spelled(language)));
            range.spelled = Arc::clone(spelled);
        }
    }
    let Arena { nodes, literal, chunks, references, slots, .. } = compiler.arena;
    Ok(Grammar {
        language: language.to_owned(),
        ignore_whitespace,
        skip_words: SkipWords::new(skip.into_iter(), ignore_whitespace),
        intents,
        blocks,
        sentences,
        nodes,
        literal,
        chunks,
        references,
        slots,
        local_lists: compiler.local_lists,
        named_lists,
        prefilter: fragments.build(file)?,
    })
}

fn mapping<'a>(
    data: &'a Map<String, Value>,
    key: &str,
    empty: &'a Map<String, Value>,
    file: &str,
) -> Result<&'a Map<String, Value>, IntentError> {
    match data.get(key) {
        None | Some(Value::Null) => Ok(empty),
        Some(Value::Object(map)) => Ok(map),
        Some(other) => Err(IntentError::File {
            file: file.to_owned(),
            reason: format!("`{key}` must be a mapping, but is {other}"),
        }),
    }
}

/// What a block means, without its sentences.
fn meaning(
    block: &Map<String, Value>,
    intent: u32,
    part: &str,
    file: &str,
) -> Result<Block, IntentError> {
    let empty = Map::new();
    let map = |key: &str| -> Result<Map<String, Value>, IntentError> {
        mapping(block, key, &empty, file).cloned().map_err(|_| IntentError::File {
            file: file.to_owned(),
            reason: format!("{part}: `{key}` must be a mapping"),
        })
    };
    let metadata = map("metadata")?;
    let keywords = block.get("required_keywords").and_then(Value::as_array).map(|words| {
        words.iter().filter_map(Value::as_str).map(str::to_owned).collect::<HashSet<_>>()
    });
    Ok(Block {
        intent,
        response: block.get("response").and_then(Value::as_str).unwrap_or("default").to_owned(),
        slots: map("slots")?,
        requires: map("requires_context")?,
        excludes: map("excludes_context")?,
        custom: metadata.get(CUSTOM_KEY).is_some_and(|value| *value == Value::Bool(true)),
        metadata,
        keywords: keywords.filter(|words| !words.is_empty()),
    })
}

impl<'a> Compiler<'a> {
    /// The sentences of one block, in the order in which they are tried.
    fn block(
        &mut self,
        block: &'a Map<String, Value>,
        part: &str,
        index: u32,
        rules: &'a Map<String, Value>,
        global: &mut Scope<'a>,
    ) -> Result<Vec<Sentence>, IntentError> {
        let wrong = |reason: String| IntentError::File {
            file: self.file.to_owned(),
            reason: format!("{part}: {reason}"),
        };
        let texts = block
            .get("sentences")
            .and_then(Value::as_array)
            .ok_or_else(|| wrong("a block has no `sentences:`".into()))?;
        let of =
            |key: &str| block.get(key).and_then(Value::as_object).filter(|map| !map.is_empty());
        let (own_rules, own_lists) = (of("expansion_rules"), of("lists"));
        let mut local = (own_rules.is_some() || own_lists.is_some()).then(|| Scope {
            rules: [own_rules, Some(rules)],
            local_lists: HashMap::new(),
            compiled: HashMap::new(),
            open: Vec::new(),
        });
        if let (Some(scope), Some(lists)) = (&mut local, own_lists) {
            for name in lists.keys() {
                let id = self.local_lists.len() as u32;
                self.local_lists.push(List::Text(TextList::default()));
                scope.local_lists.insert(name.clone(), id);
            }
            for (name, value) in lists {
                let list = self.list(name, value, scope)?;
                let id = scope.local_lists[name] as usize;
                self.local_lists[id] = list;
            }
        }
        let scope = local.as_mut().unwrap_or(global);
        let mut made: Vec<(i64, Sentence)> = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.as_str().ok_or_else(|| IntentError::File {
                file: self.file.to_owned(),
                reason: format!("{part}: the sentence {text} is no text: put it into quotes"),
            })?;
            let place = Place { file: self.file, part, text };
            let expr = template::parse(text).map_err(|error| place.error(&error))?;
            let root = self.expr(&expr, place, scope)?;
            if self.arena.depth[root as usize] > MAX_DEPTH {
                return Err(
                    place.wrong(1, format!("more than {MAX_DEPTH} levels of brackets and rules"))
                );
            }
            let order = if self.names_wildcard(&expr) { -count_texts(&expr) } else { 0 };
            let (parts, first, last) = match &expr {
                Expr::Sequence(items) => {
                    (items.len(), self.list_name(items.first()), self.list_name(items.last()))
                }
                _ => (0, None, None),
            };
            let clauses = Clauses::default();
            let text = text.to_owned();
            made.push((order, Sentence { text, root, block: index, parts, first, last, clauses }));
        }
        made.sort_by_key(|(order, _)| *order);
        Ok(made.into_iter().map(|(_, sentence)| sentence).collect())
    }

    fn list_name(&mut self, expr: Option<&Expr>) -> Option<u32> {
        match expr {
            Some(Expr::List(reference)) => Some(intern(&mut self.arena.named, &reference.list)),
            _ => None,
        }
    }

    /// Whether a template itself (rules aside) uses a wildcard list of the language.
    fn names_wildcard(&self, expr: &Expr) -> bool {
        match expr {
            Expr::List(reference) => {
                self.global_lists.get(&reference.list).is_some_and(is_wildcard)
            }
            Expr::Sequence(items) | Expr::Alternative { items, .. } | Expr::Permutation(items) => {
                items.iter().any(|item| self.names_wildcard(item))
            }
            Expr::Text(_) | Expr::Rule { .. } => false,
        }
    }

    fn rule(&mut self, name: &str, scope: &mut Scope<'a>) -> Result<Option<NodeId>, IntentError> {
        if let Some(node) = scope.compiled.get(name) {
            return Ok(Some(*node));
        }
        let Some(body) = scope.rules.iter().flatten().find_map(|rules| rules.get(name)) else {
            return Ok(None);
        };
        let part = format!("rule <{name}>");
        let Some(text) = body.as_str() else {
            return Err(IntentError::File {
                file: self.file.to_owned(),
                reason: format!("{part}: {body} is no text"),
            });
        };
        let place = Place { file: self.file, part: &part, text };
        if scope.open.iter().any(|open| open == name) {
            let chain = scope.open.join("> → <");
            return Err(place.wrong(1, format!("the rule refers to itself: <{chain}> → <{name}>")));
        }
        if scope.open.len() > MAX_DEPTH {
            return Err(place.wrong(1, format!("more than {MAX_DEPTH} rules within each other")));
        }
        scope.open.push(name.to_owned());
        let expr = template::parse(text).map_err(|error| place.error(&error))?;
        let node = self.expr(&expr, place, scope)?;
        scope.open.pop();
        if self.arena.depth[node as usize] > MAX_DEPTH {
            return Err(
                place.wrong(1, format!("more than {MAX_DEPTH} levels of brackets and rules"))
            );
        }
        scope.compiled.insert(name.to_owned(), node);
        Ok(Some(node))
    }

    fn expr(
        &mut self,
        expr: &Expr,
        place: Place<'_>,
        scope: &mut Scope<'a>,
    ) -> Result<NodeId, IntentError> {
        let items = |compiler: &mut Self, items: &[Expr], scope: &mut Scope<'a>| {
            items
                .iter()
                .map(|item| compiler.expr(item, place, scope))
                .collect::<Result<Box<[NodeId]>, _>>()
        };
        let node = match expr {
            Expr::Text(text) => return Ok(self.arena.text(text)),
            Expr::Sequence(parts) => {
                let parts = items(self, parts, scope)?;
                if let [only] = *parts {
                    return Ok(only);
                }
                Node::Sequence(parts)
            }
            Expr::Alternative { items: parts, .. } => Node::Alternative(items(self, parts, scope)?),
            Expr::Permutation(parts) => {
                if parts.len() > MAX_ORDER {
                    return Err(place.wrong(
                        1,
                        format!("{} parts in any order are more than {MAX_ORDER}", parts.len()),
                    ));
                }
                Node::Permutation(items(self, parts, scope)?)
            }
            Expr::Rule { name, column } => {
                return self.rule(name, scope)?.ok_or_else(|| {
                    place.wrong(
                        *column,
                        format!("there is no rule <{name}>: add it to `expansion_rules:`"),
                    )
                });
            }
            Expr::List(reference) => {
                let target = self.target(reference, place, scope)?;
                let reference = Reference {
                    target,
                    slot: intern(&mut self.arena.slots, &reference.slot),
                    capture: reference.capture,
                    ends_word: reference.ends_word,
                };
                Node::List(self.arena.reference(reference))
            }
        };
        Ok(self.arena.add(node))
    }

    fn target(
        &mut self,
        reference: &ListRef,
        place: Place<'_>,
        scope: &Scope<'a>,
    ) -> Result<Target, IntentError> {
        if let Some(id) = scope.local_lists.get(&reference.list) {
            return Ok(Target::Local(*id));
        }
        if !self.global_lists.contains_key(&reference.list)
            && let Some((from, to, step)) = reference.inline_range()
        {
            let range = RangeList::inline(from, to, step)
                .map_err(|reason| place.wrong(reference.column, reason))?;
            self.inline.insert(reference.list.clone(), List::Range(range));
        }
        Ok(Target::Named(intern(&mut self.arena.named, &reference.list)))
    }

    /// A list from its definition.
    fn list(
        &mut self,
        name: &str,
        value: &'a Value,
        scope: &mut Scope<'a>,
    ) -> Result<List, IntentError> {
        let part = format!("list {{{name}}}");
        let wrong = |reason: String| IntentError::File {
            file: self.file.to_owned(),
            reason: format!("{part}: {reason}"),
        };
        if let Some(values) = value.get("values").and_then(Value::as_array) {
            let mut list = Vec::with_capacity(values.len());
            for value in values {
                let source = ValueSource::from_json(value).map_err(wrong)?;
                let node = if source.is_template() {
                    let place = Place { file: self.file, part: &part, text: &source.input };
                    let expr =
                        template::parse(&source.input).map_err(|error| place.error(&error))?;
                    let node = self.expr(&expr, place, scope)?;
                    if self.arena.depth[node as usize] > MAX_DEPTH {
                        return Err(
                            place.wrong(1, format!("more than {MAX_DEPTH} levels of brackets"))
                        );
                    }
                    Some(node)
                } else {
                    None
                };
                list.push((source, node));
            }
            return Ok(List::Text(TextList::new(list, self.arena.ignore_whitespace)));
        }
        if let Some(range) = value.get("range") {
            return RangeList::from_json(range).map(List::Range).map_err(wrong);
        }
        if is_wildcard(value) {
            return Ok(List::Wildcard);
        }
        Err(wrong("needs `values:`, `range:` or `wildcard: true`".into()))
    }
}

fn is_wildcard(list: &Value) -> bool {
    list.get("wildcard").and_then(Value::as_bool).unwrap_or(false)
}

/// How many fixed texts a template has, rules not counted.
fn count_texts(expr: &Expr) -> i64 {
    match expr {
        Expr::Text(_) => 1,
        Expr::Sequence(items) | Expr::Alternative { items, .. } | Expr::Permutation(items) => {
            items.iter().map(count_texts).sum()
        }
        Expr::List(_) | Expr::Rule { .. } => 0,
    }
}
