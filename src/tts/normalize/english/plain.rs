//! Bare numbers: fractions, ordinals, decimals, numbers among letters, cardinals.

use super::super::Kind::{Cardinal, Decimal, Fraction, Ordinal, Serial};
use super::super::scan::{Found, Spec, Starts, is_latin_word};
use super::number::{digits, number, ordinal, plain_cardinal, plain_number, plural, small};

/// Fractions come before the strokes of arithmetic.
pub(super) const FRACTIONS: &[Spec] = &[
    Spec(
        Fraction,
        Starts::Number,
        r"(-?[0-9]{1,6})[ -]([0-9]{1,4})/([0-9]{1,4})(?:ths?|nds?|rds?)?",
        mixed,
    ),
    Spec(
        Fraction,
        Starts::Number,
        r"(-?)([0-9]{1,6}) ?/ ?([0-9]{1,6})(?:(?i:ths?|nds?|rds?))?",
        fraction,
    ),
    Spec(Fraction, Starts::Any, r"(?:([0-9]{1,6}) ?)?([½⅓⅔¼¾⅛])", sign),
];

pub(super) const RULES: &[Spec] = &[
    // 3.2e-5
    Spec(
        Decimal,
        Starts::Number,
        r"(-?)([0-9]{1,20}(?:\.[0-9]{1,20})?)[eE]([-+]?)([0-9]{1,3})",
        scientific,
    ),
    Spec(
        Ordinal,
        Starts::Number,
        r"([0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,40})(?:st|nd|rd|th|ST|ND|RD|TH)",
        rank,
    ),
    Spec(
        Decimal,
        Starts::Number,
        r"([-+±−]?)((?:[0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,40})?\.[0-9]{1,40})(?: (%MAG%))?",
        decimal,
    ),
    // 10 000 000, as much of Europe writes it
    Spec(Cardinal, Starts::Number, r"[1-9][0-9]{0,2}(?: [0-9]{3}){0,4} 000", spaced),
    Spec(Serial, Starts::Letter, "π", pi),
    // H.264
    Spec(Serial, Starts::Letter, r"([A-Z])\.([0-9]{2,4})", standard),
    // the class of '98
    Spec(Cardinal, Starts::Symbol, r"['’]([0-9]{2})", short_year),
    Spec(Serial, Starts::Letter, r"[A-Za-z]{1,20}(?:[0-9]{1,20}[A-Za-z]{0,20}){1,10}", serial),
    Spec(Serial, Starts::Number, r"(?:[0-9]{1,20}[A-Za-z]{1,20}){1,10}[0-9]{0,20}", serial),
    Spec(
        Cardinal,
        Starts::Number,
        r"([-+±−]?)([0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,40})(?: (%MAG%))?",
        whole,
    ),
];

/// The words of a part: 1 and 2 → a half, 3 and 4 → three quarters.
pub(super) fn part(above: &str, below: &str) -> Option<String> {
    let (count, of) = (above.parse::<usize>().ok()?, below.parse::<usize>().ok()?);
    if of < 2 {
        return None;
    }
    let unit = match of {
        2 => "half".to_owned(),
        4 => "quarter".to_owned(),
        _ => ordinal(below),
    };
    Some(match (count, of) {
        (1, _) => format!("a {unit}"),
        (_, 2) => format!("{} halves", plain_cardinal(above)),
        _ => format!("{} {}", plain_cardinal(above), plural(&unit)),
    })
}

fn clear(found: &Found<'_>) -> bool {
    let tail = matches!(found.next(), Some('/' | '.'))
        && found.right()[1..].starts_with(|c: char| c.is_ascii_digit());
    found.is_whole() && !tail && !matches!(found.previous(), Some('/' | '.' | '-'))
}

fn mixed(found: &Found<'_>) -> Option<String> {
    let (above, below) = (found.group(2), found.group(3));
    let part = part(above, below)?;
    let proper = above.parse::<u32>().ok()? < below.parse::<u32>().ok()?;
    (clear(found) && proper).then(|| format!("{} and {part}", plain_number(found.group(1))))
}

fn fraction(found: &Found<'_>) -> Option<String> {
    let minus = if found.group(1).is_empty() { "" } else { "minus " };
    let (above, below) = (found.group(2), found.group(3));
    if !clear(found) {
        return None;
    }
    if (above, below) == ("24", "7") {
        return Some("twenty four seven".to_owned());
    }
    // Nothing is divided by one.
    if below == "1" {
        return Some(format!("{minus}{} over one", plain_cardinal(above)));
    }
    if above == below && above.len() > 1 || (above, below) == ("9", "11") {
        return Some(format!("{} {}", plain_cardinal(above), plain_cardinal(below)));
    }
    if let Some(day) = super::date::month_and_day(found.left(), above, below) {
        return Some(day);
    }
    let words = part(above, below)?;
    let words = words.strip_prefix("a ").map_or(words.clone(), |unit| format!("one {unit}"));
    Some(format!("{minus}{words}"))
}

fn sign(found: &Found<'_>) -> Option<String> {
    let (above, below) = match found.group(2) {
        "½" => ("1", "2"),
        "⅓" => ("1", "3"),
        "⅔" => ("2", "3"),
        "¼" => ("1", "4"),
        "¾" => ("3", "4"),
        _ => ("1", "8"),
    };
    let part = part(above, below)?;
    let word_follows = found.after().trim_start().starts_with(char::is_alphabetic);
    Some(match found.group(1) {
        "" if !word_follows && above == "1" => part.replacen('a', "one", 1),
        "" => part,
        whole => format!("{} and {part}", plain_cardinal(whole)),
    })
}

fn scientific(found: &Found<'_>) -> Option<String> {
    let (value, sign) = (found.group(2), found.group(3));
    let sure = value.contains('.') || !sign.is_empty() || found.group(0).contains('e');
    let minus = |sign: &str| if sign == "-" { "minus " } else { "" };
    (found.is_whole() && sure).then(|| {
        let power = plain_cardinal(found.group(4));
        let (own, its) = (minus(found.group(1)), minus(sign));
        format!("{own}{} times ten to the power of {its}{power}", number(value))
    })
}

/// A number with an ending that is not its own (2th) is read as number and letters.
fn rank(found: &Found<'_>) -> Option<String> {
    let figures = found.group(1);
    let ending = found.group(0)[figures.len()..].to_ascii_lowercase();
    let last = figures.chars().next_back();
    let teen = figures.len() > 1 && figures.as_bytes()[figures.len() - 2] == b'1';
    let right = match last {
        Some('1') if !teen => "st",
        Some('2') if !teen => "nd",
        Some('3') if !teen => "rd",
        _ => "th",
    };
    if !found.is_whole() {
        return None;
    }
    Some(if ending == right {
        ordinal(figures)
    } else {
        format!("{} {ending}", among_letters(figures))
    })
}

fn sign_words(text: &str, found: &Found<'_>) -> Option<&'static str> {
    match text {
        "" => Some(""),
        _ if found
            .previous()
            .is_some_and(|c| is_latin_word(c) || matches!(c, '.' | ')' | '%' | '°')) =>
        {
            None
        }
        "+" => Some("plus "),
        "±" => Some("plus or minus "),
        _ => Some("minus "),
    }
}

fn decimal(found: &Found<'_>) -> Option<String> {
    let sign = sign_words(found.group(1), found)?;
    let value = found.group(2);
    if value.starts_with('.') && found.previous().is_some_and(is_latin_word) {
        return None;
    }
    Some(match found.group(3) {
        "" => format!("{sign}{}", number(value)),
        magnitude => format!("{sign}{} {}", plain_number(value), magnitude.to_lowercase()),
    })
}

/// Figures among letters: short ones as a number, the others digit by digit.
fn among_letters(figures: &str) -> String {
    match figures.parse::<usize>() {
        Ok(value) if figures.len() == 1 || figures.len() == 2 && !figures.starts_with('0') => {
            small(value)
        }
        _ => digits(figures),
    }
}

fn spaced(found: &Found<'_>) -> Option<String> {
    let digit = |c: char| c.is_ascii_digit();
    let apart = !found.after().trim_start().starts_with(digit)
        && !found.before().trim_end().ends_with(digit);
    (found.is_whole() && apart && found.previous() != Some('-'))
        .then(|| number(&found.group(0).replace(' ', "")))
}

fn standard(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| format!("{} {}", found.group(1), digits(found.group(2))))
}

fn short_year(found: &Found<'_>) -> Option<String> {
    let apart = found.previous().is_none_or(char::is_whitespace)
        && !matches!(found.next(), Some('\'' | '’' | '"' | '-' | '.' | ':'));
    let figures = found.group(1);
    let words = match figures.strip_prefix('0') {
        Some(last) => format!("oh {}", digits(last)),
        None => small(figures.parse().ok()?),
    };
    (found.is_whole() && apart).then_some(words)
}

fn pi(found: &Found<'_>) -> Option<String> {
    let bare = !found.before().ends_with(char::is_alphabetic)
        && !found.after().starts_with(char::is_alphabetic);
    bare.then(|| "pi".to_owned())
}

fn serial(found: &Found<'_>) -> Option<String> {
    if !found.is_whole() {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    let mut rest = found.group(0);
    while let Some(first) = rest.chars().next() {
        let numeric = first.is_ascii_digit();
        let length = rest.find(|c: char| c.is_ascii_digit() != numeric).unwrap_or(rest.len());
        let run = &rest[..length];
        words.push(if numeric { among_letters(run) } else { run.to_owned() });
        rest = &rest[length..];
    }
    Some(words.join(" "))
}

fn whole(found: &Found<'_>) -> Option<String> {
    let sign = sign_words(found.group(1), found)?;
    let (figures, magnitude) = (found.group(2), found.group(3));
    if !magnitude.is_empty() && found.ends_clean() {
        return Some(format!("{sign}{} {}", plain_cardinal(figures), magnitude.to_lowercase()));
    }
    let code = figures.len() > 1 && figures.starts_with('0')
        || figures.len() > 12 && !figures.contains(',');
    let words = if code {
        digits(figures)
    } else if found.next() == Some('-')
        && found.right()[1..].starts_with(|c: char| c.is_ascii_alphabetic())
    {
        plain_cardinal(figures)
    } else {
        number(figures)
    };
    let tail = if magnitude.is_empty() { String::new() } else { format!(" {magnitude}") };
    Some(format!("{sign}{words}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn numbers() {
        assert_read(&[
            ("12 lights", "twelve lights"),
            ("minus -4", "minus minus four"),
            ("about 2.75", "about two point seven five"),
            ("1.2 million", "one point two million"),
            ("3/4 full", "three quarters full"),
            ("1/2", "one half"),
            ("1 1/2 cups", "one and a half cups"),
            ("2½", "two and a half"),
            ("½", "one half"),
            ("½ cup", "a half cup"),
            ("2π", "two pi"),
            ("H.264", "H two six four"),
            ("class of '98", "class of ninety eight"),
            ("10 000 people", "ten thousand people"),
            ("5/1", "five over one"),
            ("the 3rd and 22nd", "the third and twenty second"),
            ("gate B12", "gate B twelve"),
            ("MP3", "MP three"),
            ("A380", "A three eight zero"),
            ("agent 007", "agent zero zero seven"),
            ("24/7", "twenty four seven"),
            ("split it 50/50", "split it fifty fifty"),
            ("due on 12/25", "due on december twenty fifth"),
            (
                "3.2e-5 and 1e6",
                "three point two times ten to the power of minus five and one times ten to the power of six",
            ),
            ("covid-19", "covid-nineteen"),
            ("1,250 steps", "one thousand two hundred and fifty steps"),
        ]);
    }
}
