//! All readings of a text by one template, in hassil's order.

use std::collections::HashMap;

use super::grammar::{Block, Chunk, Grammar, Node, NodeId, Target};
use super::lists::List;
use super::text::{Form, Text};
use super::words::is_word;

/// How many steps one sentence may take before what was found so far must do. Everyday sentences
/// take a few hundred.
pub(super) const MAX_STEPS: u32 = 200_000;
/// No link: the end of a chain of entities, captures or contexts.
pub(super) const NONE: u32 = u32::MAX;

/// How far a reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub pos: u32,
    /// Whether hyphens are read as blanks from here on.
    pub broken: bool,
    pub word_start: bool,
    pub literal: u32,
    pub entities: u32,
    pub captures: u32,
    pub context: u32,
}

/// What was found for a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entity {
    pub slot: u32,
    pub found: Found,
    pub broken: bool,
    pub start: u32,
    pub end: u32,
    pub previous: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// A wildcard whose text is not known yet.
    Open {
        ends_word: bool,
    },
    Wildcard,
    Value {
        reference: u32,
        value: u32,
    },
    Number(f64),
}

/// The context that a list value brings.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContextLink {
    pub reference: u32,
    pub value: u32,
    pub previous: u32,
}

/// Chains of what was found; a chain is named by its last link.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub entities: Vec<Entity>,
    pub captures: Vec<Entity>,
    pub contexts: Vec<ContextLink>,
}

/// The home's names, compiled beside a grammar.
#[derive(Debug, Default)]
pub(super) struct Home {
    /// By the index of the list's name in the grammar.
    pub lists: Vec<Option<List>>,
    /// Nodes and chunks of names that are templates, numbered behind the grammar's.
    pub nodes: Vec<Node>,
    pub chunks: Vec<Chunk>,
}

impl Home {
    /// The list that a reference means.
    pub(super) fn list<'a>(&'a self, grammar: &'a Grammar, reference: u32) -> Option<&'a List> {
        match grammar.references[reference as usize].target {
            Target::Local(id) => grammar.local_lists.get(id as usize),
            Target::Named(id) => self.named(grammar, id),
        }
    }

    /// The list of a name: the home's, else the language's.
    pub(super) fn named<'a>(&'a self, grammar: &'a Grammar, id: u32) -> Option<&'a List> {
        let own = self.lists.get(id as usize).and_then(Option::as_ref);
        own.or_else(|| grammar.named_lists.get(id as usize).and_then(|(_, list)| list.as_ref()))
    }
}

/// Where a part without lists can end: place, form, word start, literal characters.
type End = (u32, bool, bool, u32);

/// Matches templates against texts; chains of what was found live as long as it does.
pub(super) struct Matcher<'a> {
    pub grammar: &'a Grammar,
    pub home: &'a Home,
    pub text: &'a Text,
    text_index: u32,
    pub block: &'a Block,
    pub links: Links,
    pub steps: u32,
    ends: HashMap<(NodeId, u32, u32), (u32, u32), super::hash::Quick>,
    end_pool: Vec<End>,
    pub spare: Vec<Vec<State>>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(
        grammar: &'a Grammar,
        home: &'a Home,
        text: &'a Text,
        block: &'a Block,
    ) -> Self {
        Self {
            grammar,
            home,
            text,
            text_index: 0,
            block,
            links: Links::default(),
            steps: 0,
            ends: HashMap::default(),
            end_pool: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// The chains of what was found, when matching is over.
    pub(super) fn into_links(self) -> Links {
        self.links
    }

    /// Whether the sentence took all its steps.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps >= MAX_STEPS
    }

    /// Appends the states in which the template has been gone through, in order.
    pub(super) fn matches(
        &mut self,
        root: NodeId,
        block: &'a Block,
        (text_index, text): (u32, &'a Text),
        out: &mut Vec<State>,
    ) {
        (self.text, self.text_index, self.block) = (text, text_index, block);
        let start = State {
            pos: 0,
            broken: false,
            word_start: true,
            literal: 0,
            entities: NONE,
            captures: NONE,
            context: NONE,
        };
        self.run(root, start, out);
    }

    pub(super) fn open_wildcard(&self, state: &State) -> Option<(u32, bool)> {
        let entity = self.links.entities.get(state.entities as usize)?;
        match entity.found {
            Found::Open { ends_word } => Some((entity.slot, ends_word)),
            _ => None,
        }
    }

    fn node(&self, node: NodeId) -> &'a Node {
        let known = self.grammar.nodes.len();
        match (node as usize).checked_sub(known) {
            None => &self.grammar.nodes[node as usize],
            Some(own) => &self.home.nodes[own],
        }
    }

    pub(super) fn run(&mut self, node: NodeId, state: State, out: &mut Vec<State>) {
        if self.is_exhausted() {
            return;
        }
        self.steps += 1;
        match self.node(node) {
            Node::Text(chunk) => {
                let chunk = *chunk as usize;
                let known = self.grammar.chunks.len();
                let chunk = match chunk.checked_sub(known) {
                    None => &self.grammar.chunks[chunk],
                    Some(own) => &self.home.chunks[own],
                };
                self.chunk(chunk, state, out);
            }
            Node::List(reference) => self.list(*reference, state, out),
            group => {
                let literal = self.grammar.literal.get(node as usize).copied().unwrap_or(false);
                if literal && self.open_wildcard(&state).is_none() {
                    self.remembered(node, group, state, out);
                } else {
                    self.group(group, state, out);
                }
            }
        }
    }

    /// A group without lists matches the same at the same place, whatever was found before.
    fn remembered(&mut self, node: NodeId, group: &'a Node, state: State, out: &mut Vec<State>) {
        let flags = u32::from(state.broken) * 2 + u32::from(state.word_start);
        let key = (node, state.pos, self.text_index * 4 + flags);
        if let Some(&(from, to)) = self.ends.get(&key) {
            for &(pos, broken, word_start, literal) in &self.end_pool[from as usize..to as usize] {
                let literal = state.literal + literal;
                out.push(State { pos, broken, word_start, literal, ..state });
            }
            return;
        }
        let before = out.len();
        self.group(group, state, out);
        let from = self.end_pool.len() as u32;
        self.end_pool.extend(
            out[before..]
                .iter()
                .map(|s| (s.pos, s.broken, s.word_start, s.literal - state.literal)),
        );
        self.ends.insert(key, (from, self.end_pool.len() as u32));
    }

    fn group(&mut self, group: &'a Node, state: State, out: &mut Vec<State>) {
        match group {
            Node::Sequence(items) => {
                let Some((first, rest)) = items.split_first() else { return };
                let mut states = self.spare.pop().unwrap_or_default();
                let mut next = self.spare.pop().unwrap_or_default();
                self.run(*first, state, &mut states);
                for item in rest {
                    for state in states.drain(..) {
                        self.run(*item, state, &mut next);
                    }
                    drop_doubles(&mut next, 0);
                    std::mem::swap(&mut states, &mut next);
                    if states.is_empty() {
                        break;
                    }
                }
                out.append(&mut states);
                self.spare.push(states);
                next.clear();
                self.spare.push(next);
            }
            Node::Alternative(items) => {
                let before = out.len();
                for item in items {
                    self.run(*item, state, out);
                }
                drop_doubles(out, before);
            }
            Node::Permutation(items) => {
                let all = (1_u32 << items.len().min(31)) - 1;
                let before = out.len();
                self.permutation(items, all, state, out);
                drop_doubles(out, before);
            }
            Node::Text(_) | Node::List(_) => {}
        }
    }

    /// Every order of the items in `left`, the first item first.
    fn permutation(&mut self, items: &'a [NodeId], left: u32, state: State, out: &mut Vec<State>) {
        if self.is_exhausted() {
            return;
        }
        for (index, item) in items.iter().enumerate() {
            let rest = left & !(1 << index);
            if rest == left {
                continue;
            }
            if rest == 0 {
                self.run(*item, state, out);
                continue;
            }
            let mut states = self.spare.pop().unwrap_or_default();
            self.run(*item, state, &mut states);
            for state in states.drain(..) {
                self.permutation(items, rest, state, out);
            }
            self.spare.push(states);
        }
    }

    /// Where matching begins: behind blanks when a word begins here.
    pub(super) fn begin(&self, state: &State) -> usize {
        let pos = state.pos as usize;
        if self.grammar.ignore_whitespace || !state.word_start {
            return pos;
        }
        let folded = &self.text.form(state.broken).folded;
        pos + folded[pos..].iter().take_while(|c| c.is_whitespace()).count()
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk, state: State, out: &mut Vec<State>) {
        if chunk.is_empty() {
            out.push(state);
            return;
        }
        let start = self.begin(&state);
        let strip = !self.grammar.ignore_whitespace && state.word_start;
        let needle = if strip { &chunk.full[chunk.lead..] } else { &chunk.full[..] };
        let text = self.text;
        let form = text.form(state.broken);
        if let Some((slot, ends_word)) = self.open_wildcard(&state) {
            if chunk.is_blank() {
                out.push(State { pos: start as u32, word_start: true, ..state });
                return;
            }
            let bounded = ends_word && !self.grammar.ignore_whitespace;
            self.after_wildcard(form, start, needle, bounded, |matcher, at| {
                // Behind the words that the wildcard takes, the chunk begins a word.
                let lead = if matcher.grammar.ignore_whitespace { 0 } else { chunk.lead };
                let blanks = if needle.len() == chunk.full.len() { lead } else { 0 };
                let end = at + blanks + chunk.full.len() - lead;
                let entities = matcher.close(slot, &state, start, at);
                out.push(State {
                    pos: end as u32,
                    word_start: chunk.ends_word,
                    literal: state.literal + chunk.literal,
                    entities,
                    ..state
                });
            });
            return;
        }
        if form.folded[start..].starts_with(needle) {
            out.push(State {
                pos: (start + needle.len()) as u32,
                word_start: chunk.ends_word,
                literal: state.literal + chunk.literal,
                ..state
            });
        } else if start >= form.blank_from && chunk.is_blank() {
            out.push(state);
        } else if let Some(at) = self.text.broken(start, state.broken)
            && self.text.form(true).folded[at..].starts_with(needle)
        {
            out.push(State { pos: (at + needle.len()) as u32, broken: true, ..state });
        }
    }

    /// Replaces the open wildcard by one that holds the text from `start` to `end`.
    pub(super) fn close(&mut self, slot: u32, state: &State, start: usize, end: usize) -> u32 {
        let previous = self.links.entities[state.entities as usize].previous;
        self.push(Entity {
            slot,
            found: Found::Wildcard,
            broken: state.broken,
            start: start as u32,
            end: end as u32,
            previous,
        })
    }

    pub(super) fn push(&mut self, entity: Entity) -> u32 {
        self.links.entities.push(entity);
        self.links.entities.len() as u32 - 1
    }

    /// Every place behind `start` where the words that follow a wildcard stand.
    fn after_wildcard(
        &mut self,
        form: &Form,
        start: usize,
        needle: &[char],
        bounded: bool,
        mut found: impl FnMut(&mut Self, usize),
    ) {
        let text = &form.folded;
        let bound = |from: usize, at: usize| {
            let before = at > from && is_word(text[at - 1]);
            before != text.get(at).copied().is_some_and(is_word)
        };
        let find = |from: usize, bounded: bool| {
            (from..text.len())
                .find(|at| text[*at..].starts_with(needle) && (!bounded || bound(from, *at)))
        };
        let mut next = find(start, bounded);
        if next == Some(start) {
            next = find(start + 1, bounded);
        }
        while let Some(at) = next {
            self.steps += 1;
            if self.is_exhausted() {
                return;
            }
            found(self, at);
            next = find(at + 1, false);
        }
        // Searching costs steps too: hostile texts are long.
        self.steps += (text.len() / 64) as u32;
    }
}

/// Removes states that stand in the list twice, from `from` on. Long lists are left alone: there
/// doubles are rarer than the comparisons are dear.
fn drop_doubles(states: &mut Vec<State>, from: usize) {
    let count = states.len() - from;
    if !(2..=64).contains(&count) {
        return;
    }
    let mut kept = from;
    for index in from..states.len() {
        let state = states[index];
        if !states[from..kept].contains(&state) {
            states[kept] = state;
            kept += 1;
        }
    }
    states.truncate(kept);
}
