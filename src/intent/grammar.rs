//! The compiled form of a language: templates as a graph in which equal parts are one node,
//! lists, and what blocks of sentences mean.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::lists::List;
use super::prefilter::{Clauses, Prefilter};
use super::words::{SkipWords, cut_blanks, fold, is_punctuation, normalise_text};

/// Parts of one `(any;order)` group; more would make too many orders.
pub(super) const MAX_ORDER: usize = 8;

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
    /// As written.
    pub text: Box<str>,
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
        Self { text: text.into(), full, lead, ends_word, literal }
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
    pub depth: Vec<usize>,
    pub chunks: Vec<Chunk>,
    pub references: Vec<Reference>,
    pub slots: Vec<String>,
    pub named: Vec<String>,
    known: HashMap<Node, NodeId>,
    known_chunks: HashMap<Chunk, u32>,
    known_references: HashMap<Reference, u32>,
    pub ignore_whitespace: bool,
}

impl Arena {
    pub(super) fn new(ignore_whitespace: bool) -> Self {
        Self { ignore_whitespace, ..Self::default() }
    }

    pub(super) fn add(&mut self, node: Node) -> NodeId {
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

    pub(super) fn reference(&mut self, reference: Reference) -> u32 {
        if let Some(id) = self.known_references.get(&reference) {
            return *id;
        }
        let id = self.references.len() as u32;
        self.known_references.insert(reference.clone(), id);
        self.references.push(reference);
        id
    }

    pub(super) fn text(&mut self, text: &str) -> NodeId {
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
