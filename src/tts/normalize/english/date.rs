//! Dates. Convention: "the fifth of june" when the day comes first or all is in figures, "june fifth" when the month
//! does; years in pairs; month names in small letters, as other spoken words.

use super::super::Kind::Date;
use super::super::scan::{Found, Spec, Starts};
use super::number::{ordinal, pairs, plural, small, to_ordinal};

pub(super) const RULES: &[Spec] = &[
    // 2024-03-05
    Spec(
        Date,
        Starts::Number,
        r"((?:1[0-9]|20)[0-9]{2})([-/.])([0-9]{1,2})([-/.])([0-9]{1,2})",
        year_first,
    ),
    // 01/07/98, 15-01-2020, 01.10.2010
    Spec(
        Date,
        Starts::Number,
        r"([0-9]{1,2})([-/.])([0-9]{1,2})([-/.])([0-9]{4}|[0-9]{2})",
        year_last,
    ),
    // Jan-15-2020, 15-Jan-2020
    Spec(Date, Starts::Letter, r"(%MONTH%)-([0-9]{1,2})-([0-9]{4})", month_first_dashed),
    Spec(Date, Starts::Number, r"([0-9]{1,2})-(%MONTH%)-([0-9]{4})", day_first),
    // 25 july 2012, the 26th of May, 4 June
    Spec(
        Date,
        Starts::Number,
        r"([0-9]{1,2})(?:st|nd|rd|th|ST|ND|RD|TH)?(?: of)? (%MONTH%)(?:(,? )((?:1[0-9]|20)[0-9]{2}|twenty [a-z]{3,9})\b)?",
        day_first_spaced,
    ),
    // june 30, SEPT. 15 2020, april 29th
    Spec(
        Date,
        Starts::Letter,
        r"(%MONTH%) ?([0-9]{1,2})(?:st|nd|rd|th|ST|ND|RD|TH)?(?:(, ?| )((?:1[0-9]|20)[0-9]{2})\b)?",
        month_first,
    ),
    // December 2011
    Spec(Date, Starts::Letter, r"(%MONTH%)(,? )((?:1[0-9]|20)[0-9]{2})", month_year),
    // Jan-Mar
    Spec(Date, Starts::Letter, r"(%MONTH%) ?[-–] ?(%MONTH%)", months),
    Spec(Date, Starts::Letter, r"FY ?'?(20[0-9]{2}|[0-9]{2})", fiscal),
    // 340 A.D., AD 340
    Spec(
        Date,
        Starts::Number,
        r"([0-9]{1,4}) ?((?:A\.D\.?|AD|B\.C\.E\.?|BCE|B\.C\.?|BC|C\.E\.?|CE|a\.d\.?|b\.c\.?)\b\.?)",
        era,
    ),
    Spec(Date, Starts::Letter, r"(AD|A\.D\.) ([0-9]{1,4})", era_first),
    // 1960s, '70s, 80's
    Spec(Date, Starts::Any, r"['’]?((?:1[0-9]|20)?[0-9]0)['’]?s", decade),
    // 1960-80
    Spec(Date, Starts::Number, r"((?:1[0-9]|20)[0-9]{2})[-–]([0-9]{4}|[0-9]{2})", years),
    // 2Q22, 1H23, Q3 2024
    Spec(Date, Starts::Number, r"([1-4])([QH])'?([0-9]{4}|[0-9]{2})", quarter),
    Spec(Date, Starts::Letter, r"([QH])([1-4])(?: '?([0-9]{4}))?", quarter_first),
    Spec(Date, Starts::Number, r"10[1-9][0-9]|1[1-9][0-9]{2}|20[0-9]{2}", year),
];

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn month(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let start = text.get(..3)?;
    MONTHS.iter().copied().find(|name| name.starts_with(start))
}

fn month_number(text: &str) -> Option<&'static str> {
    text.parse::<usize>().ok().and_then(|value| MONTHS.get(value.wrapping_sub(1))).copied()
}

/// 12/25 where the words to the left say that it is a day.
pub(super) fn month_and_day(left: &str, first: &str, second: &str) -> Option<String> {
    let word = left.trim_end().rsplit(' ').next()?.to_lowercase();
    let said = ["on", "by", "until", "since", "before", "after", "from", "dated"];
    let (month, day) = (month_number(first)?, day(second)?);
    said.contains(&word.as_str()).then(|| format!("{month} {day}"))
}

fn months(found: &Found<'_>) -> Option<String> {
    let named = |text: &str| text.starts_with(|c: char| c.is_uppercase());
    (found.is_whole() && named(found.group(1)) && named(found.group(2)))
        .then(|| Some(format!("{} to {}", month(found.group(1))?, month(found.group(2))?)))
        .flatten()
}

fn fiscal(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| format!("fiscal year {}", year_words(found.group(1))))
}

fn day(text: &str) -> Option<String> {
    let value = text.parse::<usize>().ok()?;
    (1..=31).contains(&value).then(|| to_ordinal(&small(value)))
}

/// A year; a short one keeps its zero (05 → zero five).
fn year_words(text: &str) -> String {
    pairs(text)
}

fn apart(found: &Found<'_>) -> bool {
    let more = found.next().is_some_and(|c| matches!(c, '-' | '/' | '.'))
        && found.right()[1..].starts_with(|c: char| c.is_ascii_alphanumeric());
    found.is_whole()
        && !more
        && !matches!(found.previous(), Some('-' | '/' | '.' | '$' | '£' | '€'))
}

fn year_first(found: &Found<'_>) -> Option<String> {
    let (month, day) = (month_number(found.group(3))?, day(found.group(5))?);
    (apart(found) && found.group(2) == found.group(4))
        .then(|| format!("the {day} of {month} {}", year_words(found.group(1))))
}

fn year_last(found: &Found<'_>) -> Option<String> {
    if !apart(found) || found.group(2) != found.group(4) {
        return None;
    }
    // A pair of short figures with dots is a version or a chapter.
    if found.group(2) != "/" && found.group(5).len() == 2 {
        return None;
    }
    let (first, second, year) = (found.group(1), found.group(3), year_words(found.group(5)));
    if let (Some(month), Some(day)) = (month_number(first), day(second)) {
        return Some(format!("{month} {day} {year}"));
    }
    let (month, day) = (month_number(second)?, day(first)?);
    Some(format!("the {day} of {month} {year}"))
}

fn month_first_dashed(found: &Found<'_>) -> Option<String> {
    let (month, day) = (month(found.group(1))?, day(found.group(2))?);
    apart(found).then(|| format!("{month} {day} {}", year_words(found.group(3))))
}

fn the(found: &Found<'_>) -> &'static str {
    let said = found.left().trim_end().to_lowercase();
    if said.ends_with(" the") || said == "the" { "" } else { "the " }
}

fn day_first(found: &Found<'_>) -> Option<String> {
    let (day, month) = (day(found.group(1))?, month(found.group(2))?);
    apart(found).then(|| format!("{}{day} of {month} {}", the(found), year_words(found.group(3))))
}

fn day_first_spaced(found: &Found<'_>) -> Option<String> {
    let (day, month) = (day(found.group(1))?, month(found.group(2))?);
    if !found.is_whole() {
        return None;
    }
    let year = match found.group(4) {
        "" => String::new(),
        text if text.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{}{}", found.group(3), year_words(text))
        }
        text => format!("{}{text}", found.group(3)),
    };
    // "1st of june" has chosen its words already.
    let the = if found.group(0).contains(" of ") { "" } else { the(found) };
    Some(format!("{the}{day} of {month}{year}"))
}

fn month_first(found: &Found<'_>) -> Option<String> {
    let (month, day) = (month(found.group(1))?, day(found.group(2))?);
    if !found.is_whole() || found.next() == Some(':') || found.next() == Some('%') {
        return None;
    }
    let comma = found.group(3).trim();
    let year = match found.group(4) {
        "" => String::new(),
        text => format!("{comma} {}", year_words(text)),
    };
    Some(format!("{month} {day}{year}"))
}

fn month_year(found: &Found<'_>) -> Option<String> {
    let month = month(found.group(1))?;
    found.is_whole().then(|| format!("{month}{}{}", found.group(2), year_words(found.group(3))))
}

fn era(found: &Found<'_>) -> Option<String> {
    let letters = found.group(2).replace('.', "").to_ascii_uppercase();
    found.is_whole().then(|| format!("{} {letters}", year_words(found.group(1))))
}

fn era_first(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| format!("AD {}", year_words(found.group(2))))
}

fn decade(found: &Found<'_>) -> Option<String> {
    let text = found.group(1);
    // 30s is a time; '30s, 30's, the 30s, and 30s with nothing around are years.
    let short = text.len() == 2 && !found.group(0).contains(['\'', '’']);
    let left = found.left().trim_end().to_lowercase();
    let alone = left.is_empty() && found.after().trim().is_empty();
    let before = ["the", "early", "mid", "late", "mid-", "her", "his", "their"];
    let tens = matches!(text, "20" | "30" | "40" | "50" | "60" | "70" | "80" | "90");
    let years = !short || alone && tens || before.iter().any(|word| left.ends_with(word));
    (found.is_whole() && years).then(|| plural(&pairs(text)))
}

fn years(found: &Found<'_>) -> Option<String> {
    let (from, to) = (found.group(1), found.group(2));
    let rises = to.len() == 2 && to > &from[2..] || to.len() == 4 && to > from;
    (apart(found) && rises && !found.right().starts_with('='))
        .then(|| format!("{} to {}", year_words(from), year_words(to)))
}

fn quarter_words(figure: &str, part: &str) -> String {
    format!("the {} {}", ordinal(figure), if part == "Q" { "quarter" } else { "half" })
}

fn quarter(found: &Found<'_>) -> Option<String> {
    let (figure, part) = (found.group(1), found.group(2));
    (found.is_whole() && (part == "Q" || figure <= "2"))
        .then(|| format!("{} of {}", quarter_words(figure, part), year_words(found.group(3))))
}

fn quarter_first(found: &Found<'_>) -> Option<String> {
    if !found.is_whole() || found.group(1) == "H" {
        return None;
    }
    let year = found.group(3);
    let year = if year.is_empty() { String::new() } else { format!(" of {}", year_words(year)) };
    Some(format!("{}{year}", quarter_words(found.group(2), found.group(1))))
}

/// Four figures alone are read as a year, which fits counts such as 1500 as well; what says that they count (a unit,
/// money, decimals) is read before.
fn year(found: &Found<'_>) -> Option<String> {
    let counts = [
        "watt", "lumen", "kelvin", "people", "step", "point", "calorie", "time", "file", "item",
        "song", "word",
    ]
    .iter()
    .any(|word| found.right().trim_start().starts_with(word))
        || super::measure::follows(found.after());
    let more = matches!(found.next(), Some('.' | ',' | ':' | '/' | '-'))
        && found.right()[1..].starts_with(|c: char| c.is_ascii_digit());
    let more = more
        || found.after().trim_start().starts_with('/')
        || found.before().trim_end().ends_with('/');
    let part = matches!(found.previous(), Some('.' | ',' | ':' | '/' | '-' | '#'));
    let text = found.group(0);
    (found.is_whole() && !more && !part && !counts).then(|| year_words(text))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn dates() {
        assert_read(&[
            ("On 3 March 2021 it", "On the third of march twenty twenty one it"),
            ("on the 2nd of Feb.", "on the second of february"),
            ("November 24, 2026", "november twenty fourth, twenty twenty six"),
            ("due 2026-11-24", "due the twenty fourth of november twenty twenty six"),
            ("by 12/31/1999", "by december thirty first nineteen ninety nine"),
            ("31/12/1999", "the thirty first of december nineteen ninety nine"),
            ("in the 1980s", "in the nineteen eighties"),
            ("the '90s", "the nineties"),
            ("1914-18", "nineteen fourteen to eighteen"),
            ("44 BC", "forty four BC"),
            ("in 2005", "in two thousand five"),
            ("in 1066", "in ten sixty six"),
            ("spring 2020", "spring twenty twenty"),
            ("1st of june", "first of june"),
            ("wait 30s", "wait thirty seconds"),
            ("late 30s", "late thirties"),
            ("1100 kg", "one thousand one hundred kilograms"),
            ("1500%", "one thousand five hundred percent"),
            ("2020 °C", "two thousand and twenty degrees Celsius"),
            ("3Q24", "the third quarter of twenty four"),
        ]);
    }
}
