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
