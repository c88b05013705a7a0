//! The compiled form of a language: templates as a graph in which equal parts are one node,
//! lists, and the literal fragments that each sentence needs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::IntentError;
use super::lists::{List, RangeList, TextList, ValueSource};
use super::prefilter::{Clauses, Prefilter};
use super::sentences::CUSTOM_KEY;
use super::template::{self, Expr, ListRef, TemplateError};
use super::words::{SkipWords, cut_blanks, fold, is_punctuation, normalise_text};

/// How deep rules may stand within rules, counting every bracket on the way.
const MAX_DEPTH: usize = 200;
/// Parts of one `(any;order)` group; more would make too many orders.
const MAX_ORDER: usize = 8;

pub(super) type NodeId = u32;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Text(u32),
    Sequence(Box<[NodeId]>),
    Alternative(Box<[NodeId]>),
    Permutation(Box<[NodeId]>),
    List(u32),
}

/// Fixed words, folded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Chunk {
    /// As written (without blanks between Chinese characters where the language ignores them).
    pub full: Box<[char]>,
    /// How many blanks begin it.
    pub lead: usize,
    /// Whether the text behind it begins a word.
    pub ends_word: bool,
    /// Characters without the blanks at both ends.
    pub literal: u32,
}

impl Chunk {
    pub(super) fn new(text: &str, ignore_whitespace: bool) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let ends_word = matches!(chars.last(), Some(' ' | '\''));
        let chars = if ignore_whitespace { cut_blanks(&chars) } else { chars };
        let full: Box<[char]> = chars.iter().copied().map(fold).collect();
        let lead = full.iter().take_while(|c| c.is_whitespace()).count();
        let tail = full.iter().rev().take_while(|c| c.is_whitespace()).count();
        let literal = full.len().saturating_sub(lead + tail) as u32;
        Self { full, lead, ends_word, literal }
    }

    /// Nothing at all, not even a blank.
    pub(super) fn is_empty(&self) -> bool {
        self.full.is_empty()
    }

    /// Nothing but blanks.
    pub(super) fn is_blank(&self) -> bool {
        self.literal == 0
    }
}

/// Which list a reference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// A list of one block of sentences.
    Local(u32),
    /// A list by name: the home's if it has one, else the language's.
    Named(u32),
}

/// A compiled `{list:slot}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reference {
    pub target: Target,
    pub slot: u32,
    pub capture: bool,
    pub ends_word: bool,
}

/// A block of sentences with one meaning.
#[derive(Debug)]
pub(super) struct Block {
    pub intent: u32,
    pub response: String,
    pub slots: Map<String, Value>,
    pub requires: Map<String, Value>,
    pub excludes: Map<String, Value>,
    pub metadata: Map<String, Value>,
    pub keywords: Option<HashSet<String>>,
    pub custom: bool,
}

/// A sentence template.
#[derive(Debug)]
pub(super) struct Sentence {
    pub text: String,
    pub root: NodeId,
    pub block: u32,
    /// How many parts the outermost sequence has; 0 when the template is no sequence.
    pub parts: usize,
    /// The list names that begin and end it, if lists do.
    pub first: Option<u32>,
    pub last: Option<u32>,
    pub clauses: Clauses,
}

/// A compiled language.
#[derive(Debug)]
pub(super) struct Grammar {
    pub language: String,
    pub ignore_whitespace: bool,
    pub skip_words: SkipWords,
    pub intents: Vec<String>,
    pub blocks: Vec<Block>,
    pub sentences: Vec<Sentence>,
    pub nodes: Vec<Node>,
    /// Whether a node holds no list: what it matches depends on the text alone.
    pub literal: Vec<bool>,
    pub chunks: Vec<Chunk>,
    pub references: Vec<Reference>,
    pub slots: Vec<String>,
    pub local_lists: Vec<List>,
    /// Names of lists that templates refer to, with the language's own list of that name.
    pub named_lists: Vec<(String, Option<List>)>,
    pub prefilter: Prefilter,
}

/// Nodes while they are made; equal ones become one.
#[derive(Debug, Default)]
pub(super) struct Arena {
    pub nodes: Vec<Node>,
    pub literal: Vec<bool>,
    depth: Vec<usize>,
    pub chunks: Vec<Chunk>,
    pub references: Vec<Reference>,
    pub slots: Vec<String>,
    pub named: Vec<String>,
    known: HashMap<Node, NodeId>,
    known_chunks: HashMap<Chunk, u32>,
    known_references: HashMap<Reference, u32>,
    ignore_whitespace: bool,
}

impl Arena {
    fn add(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.known.get(&node) {
            return *id;
        }
        let id = self.nodes.len() as NodeId;
        let children: &[NodeId] = match &node {
            Node::Text(_) | Node::List(_) => &[],
            Node::Sequence(items) | Node::Alternative(items) | Node::Permutation(items) => items,
        };
        let literal = !matches!(node, Node::List(_));
        self.literal.push(literal && children.iter().all(|child| self.literal[*child as usize]));
        let deepest = children.iter().map(|child| self.depth[*child as usize]).max();
        self.depth.push(deepest.map_or(0, |depth| depth + 1));
        self.known.insert(node.clone(), id);
        self.nodes.push(node);
        id
    }

    fn chunk(&mut self, text: &str) -> u32 {
        let chunk = Chunk::new(text, self.ignore_whitespace);
        if let Some(id) = self.known_chunks.get(&chunk) {
            return *id;
        }
        let id = self.chunks.len() as u32;
        self.known_chunks.insert(chunk.clone(), id);
        self.chunks.push(chunk);
        id
    }

    fn reference(&mut self, reference: Reference) -> u32 {
        if let Some(id) = self.known_references.get(&reference) {
            return *id;
        }
        let id = self.references.len() as u32;
        self.known_references.insert(reference.clone(), id);
        self.references.push(reference);
        id
    }

    fn text(&mut self, text: &str) -> NodeId {
        let chunk = self.chunk(text);
        self.add(Node::Text(chunk))
    }
}

/// The index of a name, added when it is new.
pub(super) fn intern(names: &mut Vec<String>, name: &str) -> u32 {
    let index = names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    index as u32
}

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
        arena: Arena { ignore_whitespace, ..Arena::default() },
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
                sentence.clauses =
                    fragments.clauses(sentence.root, &compiler.arena, ignore_whitespace);
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

/// Templates of the home's own names, as nodes behind those of the grammar.
pub(super) struct NameCompiler<'a> {
    grammar: &'a Grammar,
    pub nodes: Vec<Node>,
    pub chunks: Vec<Chunk>,
}

impl<'a> NameCompiler<'a> {
    pub(super) fn new(grammar: &'a Grammar) -> Self {
        Self { grammar, nodes: Vec::new(), chunks: Vec::new() }
    }

    /// Adds a name that is a template. Lists and rules are not for names.
    pub(super) fn add(&mut self, text: &str) -> Result<NodeId, TemplateError> {
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

/// The fragments of a chunk that a matching text must hold: its words without punctuation.
pub(super) fn fragments_of(chunk: &Chunk) -> impl Iterator<Item = String> {
    chunk
        .full
        .split(|c| c.is_whitespace())
        .filter(|word| !word.is_empty() && !word.iter().copied().any(is_punctuation))
        .map(|word| word.iter().collect())
}

/// A plain value as it is matched.
pub(super) fn plain(text: &str, ignore_whitespace: bool) -> Chunk {
    Chunk::new(&normalise_text(text), ignore_whitespace)
}
