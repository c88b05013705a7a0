//! Which characters Chinese comes out in: Whisper writes simplified or traditional as it pleases.

use std::collections::HashMap;
use std::sync::OnceLock;

use ferrous_opencc::{OpenCC, config::BuiltinConfig};
use serde::{Deserialize, Serialize};

/// The script of Chinese text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Script {
    /// 简体字.
    #[default]
    Simplified,
    /// 繁體字.
    Traditional,
    /// Whatever the recogniser wrote.
    AsHeard,
}

impl Script {
    /// Rewrites Chinese `text` in this script; other characters stay.
    pub(crate) fn apply(self, text: &str) -> String {
        // The dictionaries are embedded, so making a converter fails only if the crate is broken;
        // text in the other script is then better than none.
        static TO_SIMPLIFIED: OnceLock<Option<OpenCC>> = OnceLock::new();
        static TO_TRADITIONAL: OnceLock<Option<OpenCC>> = OnceLock::new();
        let (cell, config) = match self {
            Self::Simplified => (&TO_SIMPLIFIED, BuiltinConfig::T2s),
            Self::Traditional => (&TO_TRADITIONAL, BuiltinConfig::S2t),
            Self::AsHeard => return text.to_owned(),
        };
        match cell.get_or_init(|| OpenCC::from_config(config).ok()) {
            Some(converter) => converter.convert(text),
            None => text.to_owned(),
        }
    }
}

/// Single characters in both scripts.
#[derive(Debug, Default)]
pub(super) struct Variants {
    simplified: HashMap<char, char>,
    traditional: HashMap<char, Vec<char>>,
}

impl Variants {
    /// Every Chinese character that is written otherwise in simplified script.
    pub(super) fn all() -> &'static Self {
        static ALL: OnceLock<Variants> = OnceLock::new();
        ALL.get_or_init(|| {
            let mut variants = Self::default();
            // A line each, so that no phrase is seen.
            let lines: String = ('一'..='鿿').flat_map(|c| [c, '\n']).collect();
            let simple = Script::Simplified.apply(&lines);
            for (c, line) in ('一'..='鿿').zip(simple.lines()) {
                let mut plain = line.chars();
                if let (Some(simple), None) = (plain.next(), plain.next())
                    && simple != c
                {
                    variants.simplified.insert(c, simple);
                    variants.traditional.entry(simple).or_default().push(c);
                }
            }
            variants
        })
    }

    /// The character in simplified script.
    pub(super) fn simplified(&self, c: char) -> char {
        if c.is_ascii() { c } else { self.simplified.get(&c).copied().unwrap_or(c) }
    }

    /// The characters that a simplified one stands for.
    pub(super) fn traditional(&self, c: char) -> impl Iterator<Item = char> + '_ {
        self.traditional.get(&c).into_iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts() {
        for (script, text, want) in [
            (Script::Simplified, "打開客廳的燈", "打开客厅的灯"),
            (Script::Simplified, "打开客厅的灯", "打开客厅的灯"),
            (Script::Traditional, "打开客厅的灯", "打開客廳的燈"),
            (Script::AsHeard, "打開客厅", "打開客厅"),
            (Script::Simplified, "播放 Taylor Swift", "播放 Taylor Swift"),
        ] {
            assert_eq!(script.apply(text), want);
        }
    }
}
