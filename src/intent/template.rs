//! The language of sentence templates: `(groups|alternatives)`, `[optional]`, `(any;order)`,
//! `{list:slot}` and `<rule>`, as Home Assistant's sentence files are written.

use super::words::normalise_text;

/// How deep brackets may nest.
const MAX_DEPTH: usize = 64;

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub(super) struct TemplateError {
    /// Where in the sentence, in characters from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub reason: String,
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// Fixed words, with their blanks.
    Text(String),
    /// All items, one after the other.
    Sequence(Vec<Expr>),
    /// Any one of the items; `optional` marks `[…]`, whose last item is empty.
    Alternative { items: Vec<Expr>, optional: bool },
    /// All items, in any order.
    Permutation(Vec<Expr>),
    /// `{list}`.
    List(ListRef),
    /// `<rule>`.
    Rule { name: String, column: usize },
}

/// A reference to a slot list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListRef {
    /// The list's name, or the bounds of an inline range such as `0..100`.
    pub list: String,
    /// The slot (or capture) that gets the value.
    pub slot: String,
    /// The matched text goes to the response only.
    pub capture: bool,
    /// A blank follows right behind `}`.
    pub ends_word: bool,
    /// Whether the form `{list:slot}` was used, which alone may hold an inline range.
    pub renamed: bool,
    /// Where the reference stands, in characters from 1.
    pub column: usize,
}

impl ListRef {
    fn new(name: &str, ends_word: bool, column: usize) -> Self {
        let (list, slot, capture, renamed) = match (name.split_once(':'), name.strip_prefix('@')) {
            (Some((list, slot)), _) => match slot.strip_prefix('@') {
                Some(slot) => (list, slot, true, true),
                None => (list, slot, false, true),
            },
            (None, Some(bare)) => (bare, bare, true, false),
            (None, None) => (name, name, false, false),
        };
        let (list, slot) = (list.to_owned(), slot.to_owned());
        Self { list, slot, capture, ends_word, renamed, column }
    }

    /// The bounds and step of an inline range such as `{0..100,5:brightness}`.
    pub(super) fn inline_range(&self) -> Option<(i64, i64, i64)> {
        let (bounds, step) = match self.list.split_once(',') {
            Some((bounds, step)) => (bounds, number(step)?),
            None => (self.list.as_str(), 1),
        };
        let (from, to) = bounds.split_once("..")?;
        self.renamed.then_some((number(from)?, number(to)?, step))
    }
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Whether a list's value needs the template parser.
pub(super) fn is_template(text: &str) -> bool {
    text.contains(['(', ')', '{', '}', '<', '>', '[', ']', '|', '@'])
}

/// Parses a whole sentence.
///
/// # Errors
///
/// [`TemplateError`] with the column of the bracket or separator that is wrong.
pub(super) fn parse(text: &str) -> Result<Expr, TemplateError> {
    let trimmed = text.trim();
    let lead = text.chars().take_while(|c| c.is_whitespace()).count();
    let chars: Vec<char> = trimmed.chars().collect();
    let parser = Parser { chars: &chars, lead };
    let group = parser.group(0, chars.len(), 0)?;
    // A sentence that is one group is that group.
    Ok(match group {
        Expr::Sequence(mut items) if items.len() == 1 && is_group(&items[0]) => items.remove(0),
        Expr::Alternative { mut items, .. } | Expr::Permutation(mut items)
            if items.len() == 1 && is_group(&items[0]) =>
        {
            items.remove(0)
        }
        group => group,
    })
}

fn is_group(expr: &Expr) -> bool {
    matches!(expr, Expr::Sequence(_) | Expr::Alternative { .. } | Expr::Permutation(_))
}

struct Parser<'a> {
    chars: &'a [char],
    lead: usize,
}

impl Parser<'_> {
    fn error<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError { column: self.lead + at + 1, reason: reason.into() })
    }

    /// The items between `start` and `end` as one group.
    fn group(&self, start: usize, end: usize, depth: usize) -> Result<Expr, TemplateError> {
        if depth > MAX_DEPTH {
            return self.error(
                start,
                format!(
                    "more than {MAX_DEPTH} brackets within each other: move the inner \
                     ones to a rule"
                ),
            );
        }
        let mut group = Expr::Sequence(Vec::new());
        let mut i = start;
        while i < end {
            let c = self.chars[i];
            match c {
                '|' => {
                    group = match group {
                        Expr::Alternative { .. } => group,
                        other => Expr::Alternative { items: vec![other], optional: false },
                    };
                    self.branch(&mut group, i, None)?;
                    i += 1;
                }
                ';' => {
                    group = match group {
                        Expr::Permutation(_) => group,
                        Expr::Alternative { .. } => {
                            return self.error(
                                i,
                                "`;` after `|` in one group: put the alternatives \
                                 or the parts in any order into brackets",
                            );
                        }
                        other => Expr::Permutation(vec![other]),
                    };
                    self.branch(&mut group, i, None)?;
                    i += 1;
                }
                _ => {
                    let (item, next) = self.item(i, end, depth)?;
                    self.branch(&mut group, i, Some(item))?;
                    i = next;
                }
            }
        }
        if let Expr::Permutation(items) = &mut group {
            for item in items {
                if let Expr::Sequence(parts) = item {
                    parts.insert(0, Expr::Text(" ".to_owned()));
                    parts.push(Expr::Text(" ".to_owned()));
                }
            }
        }
        Ok(group)
    }

    /// Opens a new branch, or adds an item to the last one.
    fn branch(&self, group: &mut Expr, at: usize, item: Option<Expr>) -> Result<(), TemplateError> {
        let items = match group {
            Expr::Sequence(items) => {
                items.extend(item);
                return Ok(());
            }
            Expr::Alternative { items, .. } | Expr::Permutation(items) => items,
            _ => return self.error(at, "this is no group"),
        };
        match (item, items.last_mut()) {
            (None, _) => items.push(Expr::Sequence(Vec::new())),
            (Some(item), Some(Expr::Sequence(parts))) => parts.push(item),
            (Some(_), _) => return self.error(at, "this item belongs to no branch"),
        }
        Ok(())
    }

    /// One item that begins at `i`, and where the next one begins.
    fn item(&self, i: usize, end: usize, depth: usize) -> Result<(Expr, usize), TemplateError> {
        let (close, what) = match self.chars[i] {
            '(' => (')', "group"),
            '[' => (']', "optional part"),
            '{' => ('}', "list"),
            '<' => ('>', "rule"),
            open @ (')' | ']' | '}' | '>') => {
                return self
                    .error(i, format!("`{open}` closes nothing: remove it or write `\\{open}`"));
            }
            _ => {
                let next = self.word_end(i, end);
                return Ok((Expr::Text(normalise_text(&self.unescaped(i, next))), next));
            }
        };
        let Some(next) = self.closing(i, end, self.chars[i], close) else {
            return self
                .error(i, format!("the {what} that opens here never closes: add `{close}`"));
        };
        let (inner, inner_end) = (i + 1, next - 1);
        if inner == inner_end {
            return self.error(i, format!("the {what} is empty: remove it or write something in"));
        }
        let column = self.lead + i + 1;
        let expr = match close {
            ')' => self.group(inner, inner_end, depth + 1)?,
            ']' => match self.group(inner, inner_end, depth + 1)? {
                Expr::Alternative { mut items, .. } => {
                    items.push(Expr::Text(String::new()));
                    Expr::Alternative { items, optional: true }
                }
                other => Expr::Alternative {
                    items: vec![other, Expr::Text(String::new())],
                    optional: true,
                },
            },
            '}' => {
                let ends_word = next < end && self.chars[next].is_whitespace();
                Expr::List(ListRef::new(&self.unescaped(inner, inner_end), ends_word, column))
            }
            _ => Expr::Rule { name: self.unescaped(inner, inner_end), column },
        };
        Ok((expr, next))
    }

    /// Where the bracket at `open_at` is closed (behind the closing one). Only its own kind
    /// counts.
    fn closing(&self, open_at: usize, end: usize, open: char, close: char) -> Option<usize> {
        let mut depth = 1;
        let mut i = open_at + 1;
        while i < end {
            match self.chars[i] {
                '\\' => i += 1,
                c if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(i + 1);
                    }
                }
                c if c == open => depth += 1,
                _ => {}
            }
            i += 1;
        }
        None
    }

    /// Where the word at `start` ends: it keeps one blank in front and those behind.
    fn word_end(&self, start: usize, end: usize) -> usize {
        let mut i = start;
        let mut blank_seen = false;
        while i < end {
            match self.chars[i] {
                '\\' => i += 1,
                ' ' if i > start => {
                    blank_seen = true;
                    i += 1;
                    continue;
                }
                '|' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' => return i,
                _ if blank_seen => return i,
                _ => {}
            }
            i += 1;
        }
        end
    }

    fn unescaped(&self, start: usize, end: usize) -> String {
        let mut text = String::new();
        let mut chars = self.chars[start..end].iter();
        while let Some(&c) = chars.next() {
            match (c, chars.clone().next()) {
                ('\\', Some(&next)) => {
                    text.push(next);
                    chars.next();
                }
                _ => text.push(c),
            }
        }
        text
    }
}
