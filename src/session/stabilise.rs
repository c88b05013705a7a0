//! What of a partial hypothesis will stay.
//!
//! LocalAgreement-2 (Liu, Spanakis, Niehues 2020; Macháček, Dabre, Bojar 2023): what two hypotheses
//! in a row begin with is stable. The last word of both may still grow and is left out.

/// Compares the hypotheses of one utterance, in order.
#[derive(Debug, Default)]
pub(super) struct Stabiliser {
    last: Vec<String>,
    stable: Vec<String>,
}

impl Stabiliser {
    /// Takes the next hypothesis and returns what is stable by now, which never becomes less.
    pub(super) fn push(&mut self, text: &str) -> String {
        let now = pieces(text);
        let same = |a: &String, b: &String| bare(a) == bare(b);
        let agreed = now.iter().zip(&self.last).take_while(|(a, b)| same(a, b)).count();
        // The end of the shorter one may be half a word.
        let agreed = agreed.min(now.len().saturating_sub(1)).min(self.last.len().saturating_sub(1));
        let keeps = self.stable.iter().zip(&now).all(|(a, b)| same(a, b));
        if keeps && agreed > self.stable.len() {
            self.stable.extend_from_slice(&now[self.stable.len()..agreed]);
        }
        self.last = now;
        self.stable.concat().trim().to_owned()
    }
}

/// Words with the blanks in front of them; in a writing without blanks, characters.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        let joins =
            c.is_ascii_alphanumeric() || c == '\'' || (!c.is_alphanumeric() && !c.is_whitespace());
        let blank_before = pieces.last().is_some_and(|p: &String| p.trim().is_empty());
        match pieces.last_mut() {
            Some(last) if (joins && open) || (blank_before && !c.is_whitespace()) => last.push(c),
            _ => pieces.push(c.to_string()),
        }
        open = joins || c.is_whitespace();
        if c.is_whitespace() {
            open = true;
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

fn bare(piece: &str) -> String {
    piece.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_two_hypotheses_agree_on_is_stable() {
        let mut stabiliser = Stabiliser::default();
        for (hypothesis, stable) in [
            ("Turn.", ""),
            ("Turn on the", ""),
            ("Turn on the kit", "Turn on"),
            ("Turn on the kitchen light", "Turn on the"),
            ("Burn on the kitchen light and", "Turn on the"),
            ("Turn on the kitchen light and the", "Turn on the"),
            ("Turn on the kitchen light and the fan", "Turn on the kitchen light and"),
        ] {
            assert_eq!(stabiliser.push(hypothesis), stable, "{hypothesis}");
        }
    }

    #[test]
    fn chinese_is_compared_by_character() {
        let mut stabiliser = Stabiliser::default();
        assert_eq!(stabiliser.push("打开"), "");
        assert_eq!(stabiliser.push("打开厨"), "打");
        assert_eq!(stabiliser.push("打开厨房灯"), "打开");
        assert_eq!(stabiliser.push("打开厨房灯，"), "打开厨房");
    }

    proptest! {
        #[test]
        fn nothing_stable_is_retracted(texts in proptest::collection::vec("[ab ,开灯]{0,12}", 0..12)) {
            let mut stabiliser = Stabiliser::default();
            let mut before = String::new();
            for text in texts {
                let stable = stabiliser.push(&text);
                prop_assert!(stable.starts_with(&before), "{before:?} became {stable:?}");
                before = stable;
            }
        }
    }
}
