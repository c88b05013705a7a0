//! Names and spelled numbers, found at the beginning of a text without trying each.

/// Keys in order, so that all keys that begin a text lie within one shrinking range.
#[derive(Debug, Default)]
pub(super) struct Trie {
    keys: Vec<(Box<[char]>, u32)>,
}

impl Trie {
    /// Keys must be folded. Several values of one key keep their order.
    pub(super) fn new(mut keys: Vec<(Box<[char]>, u32)>) -> Self {
        keys.retain(|(key, _)| !key.is_empty());
        keys.sort();
        Self { keys }
    }

    /// A key by its place in order.
    pub(super) fn key(&self, index: usize) -> Option<&[char]> {
        self.keys.get(index).map(|(key, _)| &**key)
    }

    /// Calls `found(value, length)` for each key that begins `text`, shorter keys first.
    pub(super) fn prefixes(&self, text: &[char], mut found: impl FnMut(u32, usize)) {
        let mut range = &self.keys[..];
        for (depth, c) in text.iter().enumerate() {
            let low = range.partition_point(|(key, _)| key[depth] < *c);
            range = &range[low..];
            let high = range.partition_point(|(key, _)| key[depth] == *c);
            range = &range[..high];
            let ended = range.iter().take_while(|(key, _)| key.len() == depth + 1).count();
            for (_, value) in &range[..ended] {
                found(*value, depth + 1);
            }
            range = &range[ended..];
            if range.is_empty() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_that_begin_a_text_are_found_shortest_first() {
        let key = |text: &str| text.chars().collect::<Box<[char]>>();
        let keys = ["lamp", "la", "lamp left", "lamp", "light", ""];
        let trie = Trie::new(keys.iter().zip(0..).map(|(text, n)| (key(text), n)).collect());
        let found = |text: &str| {
            let mut found = Vec::new();
            let text: Vec<char> = text.chars().collect();
            trie.prefixes(&text, |value, length| found.push((value, length)));
            found
        };
        assert_eq!(found("lamp left on"), [(1, 2), (0, 4), (3, 4), (2, 9)]);
        assert_eq!(found("light"), [(4, 5)]);
        assert_eq!(found("l"), []);
        assert_eq!(found(""), []);
    }
}
