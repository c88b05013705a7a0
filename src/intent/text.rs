//! A sentence in the forms that are matched.

use super::words::{cut_blanks, fold};

/// A text in the forms that are matched: as it is, and with blanks for `-` and `_`.
#[derive(Debug)]
pub(super) struct Text {
    forms: [Form; 2],
    /// For each character the same place in the form without hyphens.
    broken_at: Vec<u32>,
    /// Behind the last `-` or `_`.
    breaks_until: usize,
}

/// One form, with its letters also folded.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub chars: Vec<char>,
    pub folded: Vec<char>,
    /// Behind the last character that is no blank.
    pub blank_from: usize,
}

impl Form {
    fn new(chars: Vec<char>) -> Self {
        let folded = chars.iter().copied().map(fold).collect();
        let blank_from = chars.iter().rposition(|c| !c.is_whitespace()).map_or(0, |last| last + 1);
        Self { chars, folded, blank_from }
    }
}

impl Text {
    pub(super) fn new(chars: Vec<char>, ignore_whitespace: bool) -> Self {
        let is_break = |c: &char| matches!(c, '-' | '_');
        let breaks_until = chars.iter().rposition(is_break).map_or(0, |last| last + 1);
        if breaks_until == 0 {
            return Self {
                forms: [Form::new(chars), Form::default()],
                broken_at: Vec::new(),
                breaks_until,
            };
        }
        let broken: Vec<char> = chars.iter().map(|c| if is_break(c) { ' ' } else { *c }).collect();
        let kept = if ignore_whitespace { cut_blanks(&broken) } else { broken.clone() };
        let mut broken_at = Vec::with_capacity(broken.len() + 1);
        let mut at = 0;
        for c in &broken {
            broken_at.push(at as u32);
            at += usize::from(kept.get(at) == Some(c));
        }
        broken_at.push(at as u32);
        Self { forms: [Form::new(chars), Form::new(kept)], broken_at, breaks_until }
    }

    /// The characters of one form.
    pub(super) fn chars(&self, broken: bool) -> &[char] {
        &self.forms[usize::from(broken)].chars
    }

    /// The letters without case, as fragments are searched in them.
    pub(super) fn folded(&self) -> &[char] {
        &self.forms[0].folded
    }

    pub(super) fn form(&self, broken: bool) -> &Form {
        &self.forms[usize::from(broken)]
    }

    /// The place in the form without hyphens, if a hyphen is still to come.
    pub(super) fn broken(&self, pos: usize, broken: bool) -> Option<usize> {
        let at = self.broken_at.get(pos).filter(|_| !broken && pos < self.breaks_until);
        at.map(|at| *at as usize)
    }

    /// The first place of the whole form that stands for a place of the form without hyphens.
    pub(super) fn unbroken(&self, pos: usize) -> usize {
        self.broken_at.partition_point(|at| (*at as usize) < pos)
    }
}
