//! Takes away what is not language: Markdown, HTML tags, code blocks, emoji, control characters.
//!
//! This works line by line and forgives halves, because replies arrive clause by clause and a clause may hold one end
//! of a pair of `**` only. A CommonMark parser would read such clauses as something else (an indented clause as code,
//! `1986. A good year` as a list), so none is used.

use super::scan::is_han;
use super::{Kind, Token};
use regex::Regex;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// Patterns that are replaced inside a line, in order.
static INLINE: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // images and links keep their words
        (r"!?\[([^\[\]\n]{1,300})\]\([^()\s]{0,1000}(?:\s[^()\n]{0,300})?\)", "$1"),
        (r"\[\^[^\]\s]{1,40}\]", ""),
        (r"<((?:https?://|mailto:)[^<>\s]{1,1000})>", "$1"),
        (r"(?i)</?(?:a|b|i|u|s|p|em|strong|br|hr|div|span|code|pre|sub|sup|ul|ol|li|h[1-6]|table|tr|td|th|thead|tbody|img|font|details|summary)(?:\s[^<>\n]{0,300})?/?>", " "),
        (r"<!--[^\n]{0,500}?-->", ""),
        // two backticks are quotation marks in TeX's habit; one is code, of which the words are kept
        (r"``([^`\n]{0,300})``", "\"$1\""),
        (r"``", "\""),
        (r"`", ""),
        (r"\*\*|~~", ""),
        (r"(^|[\s\p{P}\p{Han}])__?([^\s_](?:[^_\n]{0,300}[^\s_])?)__?($|[\s\p{P}\p{Han}])", "$1$2$3"),
        (r"(^|[^\w*])\*([^\s*](?:[^*\n]{0,300}[^\s*])?)\*($|[^\w*])", "$1$2$3"),
        (r"\\([\\`*_{}\[\]()#+\-.!|~>])", "$1"),
    ]
    .into_iter()
    .filter_map(|(pattern, with)| Regex::new(pattern).ok().map(|pattern| (pattern, with)))
    .collect()
});

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:https?|ftp)://(?:www\.)?([^\s/?#<>，。]{1,255})[^\s<>，。]{0,1000}").ok()
});

/// The text without its markup. Lines stay lines; a line that ended without a stop gets one.
pub(super) fn clean(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut fence: Option<&str> = None;
    // What a fence hides until it is closed; one that never closes hides nothing.
    let mut hidden: Vec<&str> = Vec::new();
    let several = text.trim().contains('\n');
    for line in text.lines() {
        let trimmed = line.trim();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                hidden.clear();
            }
            (Some(_), _) => hidden.push(trimmed),
            (None, Some(mark)) if !trimmed[3..].contains(mark) => fence = Some(mark),
            (None, _) => {
                if let Some(line) = clean_line(trimmed, several) {
                    lines.push(line);
                }
            }
        }
    }
    lines.extend(hidden.into_iter().filter_map(|line| clean_line(line, several)));
    let last = lines.len().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (index, line) in lines.iter().enumerate() {
        out.push_str(line);
        if index < last {
            out.push_str(stop_after(line));
            out.push('\n');
        }
    }
    out
}

/// The stop that a line needs before the next one begins.
fn stop_after(line: &str) -> &'static str {
    match line.chars().next_back() {
        Some(c) if is_han(c) => "。",
        Some(c) if c.is_alphanumeric() || matches!(c, '%' | '°' | '℃' | ')' | '）') => ".",
        _ => "",
    }
}

/// One line without its marks, none when the line is only marks.
fn clean_line(line: &str, several: bool) -> Option<String> {
    let is_rule = line.len() > 2
        && ['-', '*', '_', '='].iter().any(|mark| line.chars().all(|c| c == *mark || c == ' '));
    if is_rule || line.is_empty() {
        return None;
    }
    let mut rest = line;
    while let Some(quoted) = rest.strip_prefix("> ") {
        rest = quoted.trim_start();
    }
    let heading = rest.trim_start_matches('#');
    if heading.len() < rest.len() && (heading.starts_with(' ') || heading.is_empty()) {
        rest = heading.trim().trim_end_matches('#').trim_end();
    }
    for bullet in ["- ", "* ", "+ ", "• ", "· "] {
        // A lone "- 3" may be arithmetic; "- milk" is an item.
        if let Some(item) = rest.strip_prefix(bullet)
            && (several || !item.starts_with(|c: char| c.is_ascii_digit()))
        {
            rest = item.trim_start();
            break;
        }
    }
    for bracket in ["[ ] ", "[x] ", "[X] "] {
        rest = rest.strip_prefix(bracket).unwrap_or(rest);
    }
    // A reply comes clause by clause, so an item may be all that is seen of its list.
    let numbered = list_number(rest)
        .filter(|(_, item)| several || item.starts_with(char::is_alphabetic) && item.len() > 3);
    let rest = match numbered {
        Some((number, item)) => {
            let stop = if item.chars().any(is_han) { "、" } else { ", " };
            format!("{number}{stop}{item}")
        }
        None => rest.to_owned(),
    };
    let rest = if rest.starts_with('|') { table_row(&rest)? } else { rest };
    let mut rest = plain_characters(&rest);
    for (pattern, with) in INLINE.iter() {
        if pattern.is_match(&rest) {
            rest = pattern.replace_all(&rest, *with).into_owned();
        }
    }
    let rest = rest.trim();
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// The number and the text of an item `1. text` or `2) text`.
fn list_number(line: &str) -> Option<(&str, &str)> {
    let end = line.find(|c: char| !c.is_ascii_digit())?;
    if !(1..=2).contains(&end) {
        return None;
    }
    let item = line[end..].strip_prefix(['.', ')'])?;
    item.starts_with(' ').then(|| (&line[..end], item.trim_start()))
}

/// The cells of a row, as a list; none for the row of dashes under the head.
fn table_row(row: &str) -> Option<String> {
    let cells: Vec<&str> = row.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
    if cells.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':' | ' '))) {
        return None;
    }
    let comma = if row.chars().any(is_han) { "，" } else { ", " };
    Some(cells.join(comma))
}

/// Full-width digits and letters made plain, arrows made words of punctuation, emoji and control characters dropped.
fn plain_characters(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '０'..='９'
            | 'Ａ'..='Ｚ'
            | 'ａ'..='ｚ'
            | '％'
            | '＋'
            | '＝'
            | '／'
            | '＄'
            | '－'
            | '．'
            | '＠' => {
                out.extend(std::iter::once(c).nfkc());
            }
            '\u{00A0}' | '\u{2002}'..='\u{200A}' | '\u{202F}' | '\u{3000}' | '\t' => out.push(' '),
            '→' | '⇒' | '➔' | '➜' | '➡' => out.push_str(", "),
            '−' => out.push('-'),
            c if is_pictograph(c) || c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Characters that show something and say nothing: emoji and their modifiers, dingbats, box drawing, private use.
fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{2300}'..='\u{23FF}'
        | '\u{2500}'..='\u{25FF}' | '\u{2190}'..='\u{21FF}' | '\u{20E3}' | '\u{E0020}'..='\u{E007F}'
        | '\u{E000}'..='\u{F8FF}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{00A9}' | '\u{00AE}' | '\u{2122}')
}

/// Joiners, direction marks, variation selectors, byte order marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{00AD}' | '\u{FFFD}')
}

/// The tokens of a language without rules: of URLs, the host is spoken.
pub(super) fn tokens(clean: &str) -> Vec<Token> {
    let plain =
        |text: &str| Token { written: text.to_owned(), spoken: text.to_owned(), kind: Kind::Word };
    let mut tokens = Vec::new();
    let mut at = 0;
    for found in URL.iter().flat_map(|url| url.captures_iter(clean)) {
        let (Some(whole), Some(host)) = (found.get(0), found.get(1)) else { continue };
        if at < whole.start() {
            tokens.push(plain(&clean[at..whole.start()]));
        }
        tokens.push(Token {
            written: whole.as_str().to_owned(),
            spoken: host.as_str().to_owned(),
            kind: Kind::Electronic,
        });
        at = whole.end();
    }
    if at < clean.len() {
        tokens.push(plain(&clean[at..]));
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_words_stay() {
        for (written, kept) in [
            ("# Weather\nIt is **warm** and _dry_.", "Weather.\nIt is warm and dry."),
            ("- milk\n- eggs\n", "milk.\neggs"),
            ("1. Open the app\n2. Tap *Add*", "1, Open the app.\n2, Tap Add"),
            ("1. 打开应用\n2. 点击**添加**", "1、打开应用。\n2、点击添加"),
            ("Use `lights on` now", "Use lights on now"),
            ("Look:\n```python\nprint(1)\n```\nDone.", "Look:\nDone."),
            ("| Room | °C |\n|---|---|\n| Bath | 22 |", "Room, °C.\nBath, 22"),
            (
                "See [the manual](https://example.org/a_b) or ![a cat](cat.png)",
                "See the manual or a cat",
            ),
            ("Look:\n```\nThe lamp is on.", "Look:\nThe lamp is on."),
            ("Well done 🎉👩‍👩‍👧!", "Well done !"),
            ("half **bold", "half bold"),
            ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
            ("> quoted<br>text", "quoted text"),
            ("- [x] done", "done"),
            ("灯已关 ✅", "灯已关"),
            ("１２：３０ ｋｍ", "12：30 km"),
            ("🎉", ""),
            ("---", ""),
        ] {
            assert_eq!(clean(written), kept, "{written}");
        }
    }

    #[test]
    fn every_inline_pattern_compiles() {
        assert_eq!(INLINE.len(), 12);
    }
}
