//! The ways through a sentence, the cheapest first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::HashSet;

/// Steps of one search.
const MAX_STEPS: usize = 20_000;
/// Ways that wait to be followed.
const MAX_WAITING: usize = 20_000;

/// A part of the sentence that is kept, or replaced by a fragment.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    /// The token behind the part.
    pub to: usize,
    pub fragment: Option<u32>,
    /// What it costs in the search, in sounds.
    pub order: f32,
    /// How far the fragment sounds from the part, in sounds.
    pub distance: f32,
    /// How many sounds were compared.
    pub length: f32,
}

/// A way through the whole sentence.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub text: String,
    /// The distance of all that was replaced, in sounds.
    pub distance: f32,
    /// How many sounds were replaced.
    pub replaced: f32,
    /// What it all costs, in sounds.
    pub order: f32,
    estimate: f32,
    at: usize,
}

impl Path {
    /// The distance by the length of what was replaced; `least` is the length that counts at least,
    /// as one sound is much of a short word.
    pub(super) fn cost(&self, least: f32) -> f32 {
        self.distance / self.replaced.max(least)
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Path {}

impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Path {
    /// The cheapest is the greatest, as a heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_cost = other.estimate.total_cmp(&self.estimate);
        by_cost.then_with(|| self.at.cmp(&other.at)).then_with(|| other.text.cmp(&self.text))
    }
}

/// An A* search: what the rest must cost at least is known exactly, so complete ways come in order.
pub(super) struct Paths<'a, F> {
    tokens: &'a [String],
    edges: &'a [Vec<Edge>],
    join: &'a str,
    text_of: F,
    rest: Vec<f32>,
    waiting: BinaryHeap<Path>,
    seen: HashSet<(usize, String)>,
    steps: usize,
}

impl<'a, F: Fn(u32) -> &'a str> Paths<'a, F> {
    pub(super) fn new(
        tokens: &'a [String],
        edges: &'a [Vec<Edge>],
        join: &'a str,
        text_of: F,
    ) -> Self {
        let mut rest = vec![0.0; tokens.len() + 1];
        for from in (0..tokens.len()).rev() {
            let costs = edges[from].iter().map(|edge| edge.order + rest[edge.to]);
            rest[from] = costs.fold(f32::INFINITY, f32::min);
        }
        let start = Path {
            text: String::new(),
            distance: 0.0,
            replaced: 0.0,
            order: 0.0,
            estimate: rest[0],
            at: 0,
        };
        let waiting = BinaryHeap::from([start]);
        Self { tokens, edges, join, text_of, rest, waiting, seen: HashSet::new(), steps: 0 }
    }

    /// The next way; each text comes once.
    pub(super) fn next(&mut self) -> Option<Path> {
        while let Some(path) = self.waiting.pop() {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return None;
            }
            if !self.seen.insert((path.at, path.text.clone())) {
                continue;
            }
            if path.at == self.tokens.len() {
                return Some(path);
            }
            for edge in &self.edges[path.at] {
                if self.waiting.len() >= MAX_WAITING {
                    break;
                }
                let mut text = path.text.clone();
                if !text.is_empty() {
                    text.push_str(self.join);
                }
                text.push_str(match edge.fragment {
                    Some(fragment) => (self.text_of)(fragment),
                    None => &self.tokens[path.at],
                });
                let order = path.order + edge.order;
                self.waiting.push(Path {
                    text,
                    distance: path.distance + edge.distance,
                    replaced: path.replaced + edge.length,
                    order,
                    estimate: order + self.rest[edge.to],
                    at: edge.to,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_come_by_their_cost_and_each_text_once() {
        let tokens: Vec<String> = ["a", "b"].iter().map(|token| (*token).to_owned()).collect();
        let fragments = ["x", "y z", "b"];
        let edge = |to, fragment, order| Edge { to, fragment, order, distance: order, length: 1.0 };
        let edges = vec![
            vec![edge(1, None, 1.0), edge(1, Some(0), 0.5), edge(2, Some(1), 0.8)],
            vec![edge(2, None, 0.0), edge(2, Some(2), 0.1)],
        ];
        let mut paths = Paths::new(&tokens, &edges, " ", |n| fragments[n as usize]);
        let mut found = Vec::new();
        while let Some(path) = paths.next() {
            found.push((path.text, path.order));
        }
        let expected = [("x b", 0.5), ("y z", 0.8), ("a b", 1.0)];
        assert_eq!(found, expected.map(|(text, order)| (text.to_owned(), order)));
    }
}
