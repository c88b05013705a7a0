//! Which sentences can match at all: the fixed words that each needs, found in one pass.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};

use super::IntentError;
use super::grammar::{Arena, Node, NodeId, fragments_of};

/// What a text must hold: for every clause at least one of its fragments.
#[derive(Debug, Default, Clone)]
pub(super) struct Clauses {
    any_of: Vec<Box<[u32]>>,
}

/// Fragments of all sentences, and the automaton that finds them.
#[derive(Debug)]
pub(super) struct Prefilter {
    automaton: Option<AhoCorasick>,
    count: usize,
}

/// The fragments that a text holds, one bit each.
#[derive(Debug, Default)]
pub(super) struct Present {
    bits: Vec<u64>,
}

impl Present {
    fn has(&self, fragment: u32) -> bool {
        self.bits.get(fragment as usize / 64).is_some_and(|word| word >> (fragment % 64) & 1 == 1)
    }

    /// Whether every clause has a fragment here.
    pub(super) fn satisfies(&self, clauses: &Clauses) -> bool {
        clauses.any_of.iter().all(|clause| clause.iter().any(|fragment| self.has(*fragment)))
    }
}

impl Prefilter {
    pub(super) fn builder() -> Builder {
        Builder::default()
    }

    /// Marks the fragments of a folded text.
    pub(super) fn scan(&self, text: &[char], present: &mut Present) {
        present.bits.resize(self.count.div_ceil(64), 0);
        let Some(automaton) = &self.automaton else { return };
        let text: String = text.iter().collect();
        for found in automaton.find_overlapping_iter(&text) {
            let fragment = found.pattern().as_usize();
            present.bits[fragment / 64] |= 1 << (fragment % 64);
        }
    }
}

impl Prefilter {
    /// The fragments that a folded text holds, in its order.
    pub(super) fn fragments(&self, text: &[char]) -> Vec<String> {
        let text: String = text.iter().collect();
        let found = self.automaton.iter().flat_map(|own| own.find_overlapping_iter(&text));
        let mut found: Vec<_> = found.map(|found| found.range()).collect();
        found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        found.into_iter().filter_map(|range| text.get(range)).map(str::to_owned).collect()
    }
}

#[derive(Debug, Default)]
pub(super) struct Builder {
    fragments: HashMap<String, u32>,
    /// Clauses of nodes that were seen, by node.
    known: HashMap<NodeId, Vec<Vec<u32>>>,
}

impl Builder {
    /// The clauses of a sentence, the most selective ones first.
    pub(super) fn clauses(&mut self, root: NodeId, arena: &Arena) -> Clauses {
        let mut any_of: Vec<Box<[u32]>> =
            self.of(root, arena).into_iter().map(Vec::into_boxed_slice).collect();
        any_of.sort_by_key(|clause| clause.len());
        Clauses { any_of }
    }

    fn of(&mut self, node: NodeId, arena: &Arena) -> Vec<Vec<u32>> {
        if let Some(known) = self.known.get(&node) {
            return known.clone();
        }
        let mut clauses: Vec<Vec<u32>> = match &arena.nodes[node as usize] {
            Node::Text(chunk) => fragments_of(&arena.chunks[*chunk as usize])
                .map(|fragment| {
                    let next = self.fragments.len() as u32;
                    vec![*self.fragments.entry(fragment).or_insert(next)]
                })
                .collect(),
            Node::List(_) => Vec::new(),
            Node::Sequence(items) | Node::Permutation(items) => {
                items.iter().flat_map(|item| self.of(*item, arena)).collect()
            }
            Node::Alternative(items) => {
                // One branch matches, so one of the branches' smallest clauses holds, unless a
                // branch needs nothing.
                let mut merged: Vec<u32> = Vec::new();
                let mut free = items.is_empty();
                for item in items.iter().filter(|item| !is_void(**item, arena)) {
                    let branch = self.of(*item, arena);
                    match branch.into_iter().min_by_key(Vec::len) {
                        Some(smallest) => merged.extend(smallest),
                        None => free = true,
                    }
                }
                merged.sort_unstable();
                merged.dedup();
                if free || merged.is_empty() { Vec::new() } else { vec![merged] }
            }
        };
        clauses.sort();
        clauses.dedup();
        self.known.insert(node, clauses.clone());
        clauses
    }

    pub(super) fn build(self, file: &str) -> Result<Prefilter, IntentError> {
        let mut fragments: Vec<(String, u32)> = self.fragments.into_iter().collect();
        fragments.sort_by_key(|(_, id)| *id);
        let count = fragments.len();
        let automaton = (count > 0)
            .then(|| {
                AhoCorasick::builder()
                    .match_kind(MatchKind::Standard)
                    .build(fragments.iter().map(|(fragment, _)| fragment))
            })
            .transpose()
            .map_err(|error| IntentError::File {
                file: file.to_owned(),
                reason: format!("the sentences need too large an index: {error}"),
            })?;
        Ok(Prefilter { automaton, count })
    }
}

/// An empty branch, which never matches.
fn is_void(node: NodeId, arena: &Arena) -> bool {
    matches!(&arena.nodes[node as usize], Node::Sequence(items) if items.is_empty())
}
