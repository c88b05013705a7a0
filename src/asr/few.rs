//! A few sentences as a grammar.

use std::collections::HashMap;

use super::Grammar;

/// Sentences as a tree of characters.
#[derive(Debug, Default)]
pub(super) struct Few {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    next: HashMap<char, u32>,
    ends: bool,
}

impl Few {
    pub(super) fn new<'a>(sentences: impl IntoIterator<Item = &'a str>) -> Self {
        let mut few = Self { nodes: vec![Node::default()] };
        for sentence in sentences {
            let mut at = 0;
            for c in sentence.chars().map(lower) {
                let new = few.nodes.len() as u32;
                let next = *few.nodes[at].next.entry(c).or_insert(new);
                if next == new {
                    few.nodes.push(Node::default());
                }
                at = next as usize;
            }
            few.nodes[at].ends |= at > 0;
        }
        few
    }
}

fn lower(c: char) -> char {
    let mut all = c.to_lowercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(c)
}

impl Grammar for Few {
    fn start(&self) -> u32 {
        0
    }

    fn step(&mut self, state: u32, c: char) -> Option<u32> {
        self.nodes.get(state as usize)?.next.get(&lower(c)).copied()
    }

    fn next(&mut self, state: u32) -> Vec<char> {
        let node = self.nodes.get(state as usize);
        let mut next: Vec<char> =
            node.into_iter().flat_map(|node| node.next.keys()).copied().collect();
        next.sort_unstable();
        next
    }

    fn accepts(&mut self, state: u32) -> bool {
        self.nodes.get(state as usize).is_some_and(|node| node.ends)
    }

    fn is_open(&self, _: u32) -> bool {
        false
    }

    fn spoken(&mut self, text: &str) -> Option<String> {
        let own: String = text.chars().map(lower).collect();
        let state = own.chars().try_fold(0, |state, c| self.step(state, c))?;
        self.accepts(state).then_some(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_its_sentences_and_no_others() {
        let mut few = Few::new(["turn on", "turn off", "开灯", ""]);
        for (text, known) in
            [("turn on", true), ("Turn off", true), ("开灯", true), ("turn o", false), ("", false)]
        {
            assert_eq!(few.spoken(text).is_some(), known, "{text}");
        }
        assert_eq!(few.spoken("Turn off").as_deref(), Some("turn off"));
        for state in few.next(0).into_iter().filter_map(|c| few.step(0, c)).collect::<Vec<_>>() {
            assert!(!few.accepts(state) && !few.is_open(state));
        }
        assert_eq!(few.next(0), ['t', '开']);
    }
}
