//! Numbers read one digit at a time: telephones in groups with commas between, addresses of computers with "dot".

use super::super::Kind::{Serial, Telephone};
use super::super::scan::{Found, Spec, Starts};
use super::number::{cardinal, digits, pairs, small};

pub(super) const RULES: &[Spec] = &[
    Spec(Telephone, Starts::Number, r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::([0-9]{1,5}))?", dotted),
    Spec(
        Telephone,
        Starts::Any,
        r"(?:(\+?[0-9]{1,3})[- .])?\(?([0-9]{3})(?:\)[- .]?|[- .])([0-9]{3})[- .]([0-9]{4})(?:-([0-9]{1,4}))?",
        grouped,
    ),
    Spec(Telephone, Starts::Symbol, r"\+([0-9]{1,3})((?:[- ]?[0-9]{2,5}){2,5})", international),
    Spec(Telephone, Starts::Number, r"([0-9]{3})-([0-9]{2})-([0-9]{4})", grouped_three),
    Spec(Telephone, Starts::Number, r"([0-9]{3})-([0-9]{4})", local),
    Spec(Telephone, Starts::Number, r"1-([89]00)((?:-[A-Z0-9]{1,10}){1,4})", lettered),
    // v2.4.1
    Spec(Serial, Starts::Letter, r"[vV]([0-9]{1,4}(?:\.[0-9]{1,6}){1,4})", version_letter),
    // Room 101, Route 66, Boeing 747: said in pairs
    Spec(Serial, Starts::Number, r"[1-9][0-9]{2,3}", placed),
    // 911 and other numbers that are called
    Spec(Telephone, Starts::Number, r"[0-9]{3,15}", called),
];

/// Versions come after dates, which may have points too (01.10.2010).
pub(super) const VERSIONS: &[Spec] = &[
    Spec(Serial, Starts::Number, r"[0-9]{1,4}(?:\.[0-9]{1,6}){2,4}", version),
    // ZIP codes: 94105-1234
    Spec(Telephone, Starts::Number, r"([0-9]{5})-([0-9]{4})", local),
    // ISBN 978-3-16-148410-0, 1-2-3
    Spec(Telephone, Starts::Number, r"[0-9]{1,7}(?:-[0-9]{1,7}){2,5}", dashed),
];

fn clear(found: &Found<'_>) -> bool {
    let tail = matches!(found.next(), Some('-' | '.'))
        && found.right()[1..].starts_with(|c: char| c.is_ascii_digit());
    found.is_whole() && !tail && !matches!(found.previous(), Some('.' | '-' | '$'))
}

fn dotted(found: &Found<'_>) -> Option<String> {
    let port = found.group(1);
    let host = found.group(0).split(':').next().unwrap_or_default();
    let mut words = host.split('.').map(digits).collect::<Vec<_>>().join(" dot ");
    if !port.is_empty() {
        words = format!("{words} port {}", digits(port));
    }
    clear(found).then_some(words)
}

fn grouped(found: &Found<'_>) -> Option<String> {
    let mut groups: Vec<String> = Vec::new();
    let country = found.group(1);
    if let Some(code) = country.strip_prefix('+') {
        groups.push(format!("plus {}", digits(code)));
    } else if !country.is_empty() {
        groups.push(digits(country));
    }
    // 800 is an eight hundred number.
    groups.push(match found.group(2) {
        area @ ("800" | "900") => cardinal(area),
        area => digits(area),
    });
    groups
        .extend((3..=5).map(|index| digits(found.group(index))).filter(|words| !words.is_empty()));
    clear(found).then(|| groups.join(", "))
}

fn international(found: &Found<'_>) -> Option<String> {
    let rest: Vec<String> =
        found.group(2).split(['-', ' ']).map(digits).filter(|words| !words.is_empty()).collect();
    let long = found.group(2).chars().filter(char::is_ascii_digit).count() >= 7;
    (clear(found) && long).then(|| format!("plus {}, {}", digits(found.group(1)), rest.join(", ")))
}

fn grouped_three(found: &Found<'_>) -> Option<String> {
    clear(found).then(|| {
        format!(
            "{}, {}, {}",
            digits(found.group(1)),
            digits(found.group(2)),
            digits(found.group(3))
        )
    })
}

fn local(found: &Found<'_>) -> Option<String> {
    clear(found).then(|| format!("{}, {}", digits(found.group(1)), digits(found.group(2))))
}

/// 1-800-GO-2-HAUL: the letters are said as words, single digits as numbers.
fn lettered(found: &Found<'_>) -> Option<String> {
    let parts: Vec<&str> = found.group(2).split('-').filter(|part| !part.is_empty()).collect();
    if parts.iter().all(|part| part.chars().all(|c| c.is_ascii_digit())) || !found.is_whole() {
        return None;
    }
    let mut words = format!("one, {}", cardinal(found.group(1)));
    let mut after_letters = false;
    for part in parts {
        let letters = part.chars().all(|c| c.is_ascii_alphabetic());
        let stop = if after_letters { " " } else { ", " };
        words.push_str(stop);
        words.push_str(&if letters { part.to_owned() } else { digits(part) });
        after_letters = letters || !after_letters && part.len() == 1;
        if !letters {
            after_letters = false;
        }
    }
    Some(words)
}

fn version_words(text: &str) -> String {
    text.split('.')
        .map(|part| match part.parse::<usize>() {
            Ok(value) if value < 100 && !(part.len() > 1 && part.starts_with('0')) => small(value),
            _ => digits(part),
        })
        .collect::<Vec<_>>()
        .join(" point ")
}

fn version_letter(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| format!("version {}", version_words(found.group(1))))
}

/// Groups of figures with dashes between.
fn dashed(found: &Found<'_>) -> Option<String> {
    let groups: Vec<&str> = found.group(0).split('-').collect();
    let figures: usize = groups.iter().map(|group| group.len()).sum();
    let words: Vec<String> = groups.iter().map(|group| digits(group)).collect();
    if !clear(found) {
        None
    } else if figures == groups.len() {
        Some(words.join(" "))
    } else {
        (figures >= 7).then(|| words.join(", "))
    }
}

fn version(found: &Found<'_>) -> Option<String> {
    // 1.000.000 is how half of Europe writes a million.
    let grouped = found.group(0).split('.').skip(1).all(|group| group.len() == 3);
    if grouped && found.group(0).ends_with("000") && clear(found) {
        return Some(cardinal(&found.group(0).replace('.', "")));
    }
    clear(found).then(|| version_words(found.group(0)))
}

/// Numbers of rooms, routes and flights.
fn placed(found: &Found<'_>) -> Option<String> {
    let left = found.left().trim_end().to_lowercase();
    let places = [
        "room",
        "flight",
        "route",
        "highway",
        "suite",
        "apartment",
        "apt",
        "apt.",
        "boeing",
        "airbus",
        "bus",
        "channel",
        "unit",
    ];
    let place = left.rsplit(' ').next().is_some_and(|word| places.contains(&word));
    (clear(found)
        && place
        && !matches!(found.next(), Some(',' | ':' | '%'))
        && !found.group(0).ends_with("000"))
    .then(|| pairs(found.group(0)))
}

/// A number is called when the words before say so.
fn called(found: &Found<'_>) -> Option<String> {
    let left = found.left().trim_end().to_lowercase();
    let verbs = [
        "call",
        "dial",
        "phone",
        "ring",
        "text",
        "pin",
        "code",
        "otp",
        "extension",
        "ext.",
        "passcode",
        "zip",
        "zip code",
        "room code",
    ];
    // "Spring" does not end in "ring".
    let ends_with = |verb: &&str| {
        left.strip_suffix(*verb).is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric()))
    };
    let verb = verbs.iter().any(|verb| ends_with(verb))
        || ["code is", "pin is", "number is"].iter().any(|verb| ends_with(verb));
    (clear(found) && verb && !matches!(found.next(), Some(',' | ':' | '%')))
        .then(|| digits(found.group(0)))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn digits_one_by_one() {
        assert_read(&[
            ("(415) 555-0199", "four one five, five five five, zero one nine nine"),
            (
                "+44 20 7946 0958",
                "plus four four, two zero, seven nine four six, zero nine five eight",
            ),
            ("call 911 now", "call nine one one now"),
            ("555-0123", "five five five, zero one two three"),
            (
                "at 10.0.0.1:8080",
                "at one zero dot zero dot zero dot one port eight zero eight zero",
            ),
            ("v1.12.3", "version one point twelve point three"),
            ("1-800-FLOWERS", "one, eight hundred, FLOWERS"),
            (
                "ISBN 978-3-16-148410-0",
                "ISBN nine seven eight, three, one six, one four eight four one zero, zero",
            ),
            ("1-2-3", "one two three"),
            ("(555)123-4567", "five five five, one two three, four five six seven"),
            ("1-800-555-0199", "one, eight hundred, five five five, zero one nine nine"),
            ("Reno 89501-1234", "Reno eight nine five zero one, one two three four"),
            ("in room 101", "in room one oh one"),
            ("the code is 4821", "the code is four eight two one"),
        ]);
    }
}
