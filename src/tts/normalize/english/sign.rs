//! Signs between words and numbers: ranges, arithmetic, and what is left of symbols.

use super::super::Kind::{Math, Punctuation, Range};
use super::super::scan::{Found, Spec, Starts};

pub(super) const RULES: &[Spec] = &[
    Spec(Math, Starts::Symbol, r"<=|>=|==|!=|[≤≥≠≈=×÷+*/√<>^±-]", operator),
    Spec(Math, Starts::Any, "[²³]", power),
    Spec(Range, Starts::Symbol, r"[-–—~]", range),
    Spec(Math, Starts::Letter, "x", by),
    Spec(Punctuation, Starts::Symbol, r"\\", backslash),
    Spec(Punctuation, Starts::Symbol, "#", hashtag),
    Spec(Range, Starts::Symbol, ":", ratio),
    Spec(Punctuation, Starts::Symbol, r"\+{1,3}", plus),
    Spec(Punctuation, Starts::Symbol, r"[#*_|\\^`~{}=]{1,80}", silent),
    Spec(Punctuation, Starts::Symbol, r"[&@%$§£€°]", name),
];

/// Whether a sign has operands on both sides.
fn between(found: &Found<'_>) -> bool {
    let left = found.before().trim_end().chars().next_back();
    let mut right = found.after().trim_start().chars();
    if right.as_str().starts_with('-') {
        right.next();
    }
    // A point is an operand's only before its figures.
    let point = right.clone().nth(1).is_some_and(|c| c.is_ascii_digit());
    left.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, ')' | '²' | '³'))
        && right.next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '(' || c == '.' && point)
}

fn digits_beside(found: &Found<'_>) -> bool {
    found.before().trim_end().ends_with(|c: char| c.is_ascii_digit())
        && found
            .after()
            .trim_start()
            .trim_start_matches(['-', '.'])
            .starts_with(|c: char| c.is_ascii_digit())
}

fn operator(found: &Found<'_>) -> Option<String> {
    let sign = found.group(0);
    if sign == "√" {
        return Some("the square root of ".to_owned());
    }
    if !between(found) {
        // "≥60" has nothing before it.
        let counts = found.after().trim_start().starts_with(|c: char| c.is_ascii_digit());
        return match sign {
            ">=" | "≥" if counts => Some(padded(found, "at least")),
            "<=" | "≤" if counts => Some(padded(found, "at most")),
            "≈" if counts => Some(padded(found, "about")),
            _ => None,
        };
    }
    let digits = digits_beside(found);
    let apart = found.before().ends_with(' ') && found.after().starts_with(' ');
    let equation = found.left().contains(['=', '≈', '≤', '≥'])
        || found.right().contains(['=', '≈', '≤', '≥']) && !found.right().contains("==");
    let word = match sign {
        "=" => "equals",
        "==" => "is equal to",
        "!=" | "≠" => "is not equal to",
        "≈" => "is about",
        "<=" | "≤" => "is at most",
        ">=" | "≥" => "is at least",
        "<" if digits || apart => "is less than",
        ">" if digits || apart => "is greater than",
        "×" if digits || equation => "times",
        "*" if digits || equation => "times",
        "÷" => "divided by",
        "/" if equation && digits => "divided by",
        "+" if digits || equation => "plus",
        "^" if digits || equation => "to the power of",
        "±" => "plus or minus",
        "-" if equation => "minus",
        _ => return None,
    };
    let gap = |space: bool| if space { "" } else { " " };
    let before = gap(found.before().ends_with(char::is_whitespace));
    let after = gap(found.after().starts_with(char::is_whitespace));
    Some(format!("{before}{word}{after}"))
}

fn power(found: &Found<'_>) -> Option<String> {
    let words = if found.group(0) == "²" { " squared" } else { " cubed" };
    found
        .previous()
        .is_some_and(|c| c.is_ascii_alphanumeric() || c == ')')
        .then(|| words.to_owned())
}

/// The number that ends or begins a text, if one does.
fn value(text: &str) -> Option<u64> {
    text.replace(',', "").parse().ok()
}

/// A dash that leads from a number, a time or an amount to a larger one.
fn range(found: &Found<'_>) -> Option<String> {
    let (left, right) = (found.before().trim_end(), found.after().trim_start());
    let spaced = left.len() < found.before().len();
    if spaced != (right.len() < found.after().len()) {
        return None;
    }
    let to = right.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '$' | '£' | '€' | '¥'));
    let figures_left: String = {
        let start = left
            .char_indices()
            .rev()
            .take(12)
            .take_while(|(_, c)| c.is_ascii_digit() || *c == ',')
            .last();
        start.map_or(String::new(), |(at, _)| left[at..].to_owned())
    };
    // The dash of i9-9900 only joins.
    let named =
        left[..left.len() - figures_left.len()].ends_with(|c: char| c.is_ascii_alphabetic());
    if named && !figures_left.is_empty() && !spaced {
        return None;
    }
    let figures_right: String =
        right.chars().take(12).take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    let rises = match (value(&figures_left), value(&figures_right)) {
        (Some(from), Some(to)) => {
            from < to
                || from < 25 && to > 0
                || left[..left.len() - figures_left.len()].ends_with([':', '.', '$', '£', '€'])
        }
        _ => true,
    };
    let tail = left.char_indices().rev().nth(6).map_or(left, |(at, _)| &left[at..]).to_lowercase();
    let thousands = left
        .strip_suffix(['k', 'K', 'm', 'M', 'b', 'B'])
        .is_some_and(|left| left.ends_with(|c: char| c.is_ascii_digit()));
    let amount = thousands
        || left.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '%' | '°' | '℃'))
        || ["am", "pm", "a.m.", "p.m.", "0s", "°c", "°f", "km", "kg", "lion", "sand"]
            .iter()
            .any(|end| tail.ends_with(end));
    if !(to && amount) {
        return None;
    }
    let scored = ["score", "won", "beat", "lost", "lead", "win"]
        .iter()
        .any(|word| found.left().contains(word));
    let word = if rises || scored { "to" } else { "-" };
    Some(if spaced { word.to_owned() } else { format!(" {word} ") })
}

/// 20 cm x 30 cm.
fn by(found: &Found<'_>) -> Option<String> {
    let left = found.before().strip_suffix(' ')?;
    let right = found.after().strip_prefix(' ')?;
    let number = left.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let counted = number.ends_with(|c: char| c.is_ascii_digit());
    // 10 x 20 x 30 cm: the unit may stand at the end only.
    let end: String = right
        .chars()
        .take(24)
        .skip_while(|c| c.is_ascii_digit() || matches!(c, '.' | ' ' | 'x'))
        .take_while(|c| c.is_ascii_alphabetic())
        .collect();
    let lengths = ["cm", "mm", "m", "km", "in", "inches", "ft", "feet", "meters", "yd"];
    let measured = counted && (number.len() < left.len() || lengths.contains(&end.as_str()));
    (measured && right.starts_with(|c: char| c.is_ascii_digit())).then(|| "by".to_owned())
}

fn backslash(found: &Found<'_>) -> Option<String> {
    let word = found.next().is_some_and(char::is_alphanumeric);
    let path = found.previous().is_some_and(|c| c.is_alphanumeric() || c == ':');
    (word && path).then(|| padded(found, "backslash"))
}

fn hashtag(found: &Found<'_>) -> Option<String> {
    let begins = found.previous().is_none_or(|c| c.is_whitespace() || c == '(');
    (begins && found.next().is_some_and(char::is_alphabetic)).then(|| "hashtag ".to_owned())
}

/// 16:9, where it is no time of day.
fn ratio(found: &Found<'_>) -> Option<String> {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    (digit(found.previous()) && digit(found.next())).then(|| " to ".to_owned())
}

/// The signs after f++ and in a lone "+".
fn plus(found: &Found<'_>) -> Option<String> {
    let words = vec!["plus"; found.group(0).len()].join(" ");
    Some(padded(found, &words))
}

fn padded(found: &Found<'_>, words: &str) -> String {
    let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let before = if touches(found.previous()) { " " } else { "" };
    let after = if touches(found.next()) { " " } else { "" };
    format!("{before}{words}{after}")
}

/// Marks that only structure text.
fn silent(found: &Found<'_>) -> Option<String> {
    let text = found.group(0);
    if text.contains('|') {
        return Some(",".to_owned());
    }
    if text == "#"
        && found.previous().is_some_and(|c| matches!(c, 'C' | 'F'))
        && !found.next().is_some_and(char::is_alphanumeric)
    {
        return Some(" sharp".to_owned());
    }
    if text == "#" && found.next().is_some_and(|c| c.is_ascii_digit()) {
        return Some(padded(found, "number"));
    }
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    if text == "~" && !inside(found.previous()) && found.next().is_some_and(|c| c.is_ascii_digit())
    {
        return Some(padded(found, "about"));
    }
    Some(if inside(found.previous()) && inside(found.next()) {
        " ".to_owned()
    } else {
        String::new()
    })
}

fn name(found: &Found<'_>) -> Option<String> {
    let words = match found.group(0) {
        "&" => "and",
        "@" => "at",
        "%" => "percent",
        "$" => "dollar",
        "£" => "pound",
        "€" => "euro",
        "§" => "section",
        _ => "degree",
    };
    // Two of them in a row are two words.
    let again =
        found.next().is_some_and(|c| matches!(c, '&' | '@' | '%' | '$' | '§' | '£' | '€' | '°'));
    Some(padded(found, words) + if again { " " } else { "" })
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn signs() {
        assert_read(&[
            ("5-7 days", "five to seven days"),
            ("the score was 3-2", "the score was three to two"),
            ("pages 12–15", "pages twelve to fifteen"),
            ("3+4=7", "three plus four equals seven"),
            ("9 - 4 = 5", "nine minus four equals five"),
            ("6 × 7", "six times seven"),
            ("10 ÷ 2", "ten divided by two"),
            ("x >= 3", "x is at least three"),
            ("working 9-5", "working nine to five"),
            ("a² + b² = c²", "a squared plus b squared equals c squared"),
            ("in C# on a 16:9 screen", "in C sharp on a sixteen to nine screen"),
            ("$5 million-$10 million", "five million dollars to ten million dollars"),
            ("salt & pepper", "salt and pepper"),
            ("#1 song", "number one song"),
            ("#winning", "hashtag winning"),
            ("≥5 items", "at least five items"),
            ("10 x 20 x 30 cm", "ten by twenty by thirty centimeters"),
            ("$20k-$30k", "twenty thousand dollars to thirty thousand dollars"),
            ("doing 80+.", "doing eighty plus."),
            ("an i9-9900", "an i nine-nine thousand nine hundred"),
            ("snake_case", "snake case"),
            ("~5 minutes", "about five minutes"),
            ("if x > 5", "if x is greater than five"),
            ("a|b", "a,b"),
        ]);
    }
}
