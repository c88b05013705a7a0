//! Times of day. Convention: "ten o five", "ten o'clock", a.m. as "AM"; with seconds as a count of hours, minutes and
//! seconds.

use super::super::Kind::Time;
use super::super::scan::{Found, Spec, Starts};
use super::number::{digits, small};

pub(super) const RULES: &[Spec] = &[
    Spec(
        Time,
        Starts::Number,
        r"([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,3}))?(?: ?([AaPp])(?:\. ?[Mm]\b\.?| ?[Mm]\b))?(?: ?(%ZONE%))?",
        seconds,
    ),
    Spec(
        Time,
        Starts::Number,
        r"([0-9]{1,2})[:.]([0-5][0-9]) ?([AaPp])(?:\. ?[Mm]\b\.?| ?[Mm]\b)(?: ?(%ZONE%))?",
        half_day,
    ),
    Spec(Time, Starts::Number, r"([0-9]{1,2}):([0-5][0-9])(?: ?(%ZONE%))?", clock),
    Spec(
        Time,
        Starts::Number,
        r"([0-9]{1,2}) ?([AaPp])(?:\. ?[Mm]\b\.?| ?[Mm]\b)(?: ?(%ZONE%))?",
        hour,
    ),
    Spec(Time, Starts::Number, r"([0-9]{1,2}) (%ZONE%)", zoned),
];

fn hour_value(text: &str) -> Option<usize> {
    text.parse().ok().filter(|value| *value <= 24)
}

fn zone(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!(" {}", text.replace('.', "").to_ascii_uppercase())
}

fn half(letter: &str) -> &'static str {
    if letter.eq_ignore_ascii_case("a") { "AM" } else { "PM" }
}

fn clear(found: &Found<'_>) -> bool {
    found.is_whole()
        && !matches!(found.previous(), Some(':' | '.' | '$' | '£' | '€'))
        && found.next() != Some(':')
}

fn minutes(text: &str) -> Option<String> {
    let value: usize = text.parse().ok()?;
    Some(match value {
        0 => String::new(),
        1..10 => format!(" o {}", small(value)),
        _ => format!(" {}", small(value)),
    })
}

fn count(value: usize, unit: &str) -> String {
    format!("{} {unit}{}", small(value), if value == 1 { "" } else { "s" })
}

fn seconds(found: &Found<'_>) -> Option<String> {
    let part = |index: usize| found.group(index).parse::<usize>().ok();
    let half = if found.group(5).is_empty() {
        String::new()
    } else {
        format!(" {}", half(found.group(5)))
    };
    let seconds = match found.group(4) {
        "" => count(part(3)?, "second"),
        point => format!("{} point {} seconds", small(part(3)?), digits(point)),
    };
    let words = format!(
        "{} {} and {seconds}{half}{}",
        count(part(1)?, "hour"),
        count(part(2)?, "minute"),
        zone(found.group(6))
    );
    clear(found).then_some(words)
}

fn half_day(found: &Found<'_>) -> Option<String> {
    let hour = hour_value(found.group(1)).filter(|_| clear(found))?;
    let minutes = minutes(found.group(2))?;
    Some(format!("{}{minutes} {}{}", small(hour), half(found.group(3)), zone(found.group(4))))
}

fn clock(found: &Found<'_>) -> Option<String> {
    let hour = hour_value(found.group(1))?;
    // 11:30AM and 11:30EST run into their letters, which are read next; any other letter makes it something else.
    if !found.starts_clean() || found.next().is_some_and(|c| c == ':' || c.is_ascii_digit()) {
        return None;
    }
    let minutes = match (found.group(2), hour) {
        ("00", 24) => " hundred".to_owned(),
        ("00", _) => " o'clock".to_owned(),
        (text, _) => minutes(text)?,
    };
    Some(format!("{}{minutes}{}", small(hour), zone(found.group(3))))
}

fn hour(found: &Found<'_>) -> Option<String> {
    let hour = hour_value(found.group(1)).filter(|_| clear(found))?;
    // "5 am" but not "I am": the letters stand alone after the number only.
    Some(format!("{} {}{}", small(hour), half(found.group(2)), zone(found.group(3))))
}

fn zoned(found: &Found<'_>) -> Option<String> {
    let hour = hour_value(found.group(1)).filter(|_| clear(found))?;
    Some(format!("{}{}", small(hour), zone(found.group(2))))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn times() {
        assert_read(&[
            ("at 6:45", "at six forty five"),
            ("at 6:00.", "at six o'clock."),
            ("at 18:00", "at eighteen o'clock"),
            ("7:09 am", "seven o nine AM"),
            ("7 p.m. tonight", "seven PM tonight"),
            ("until 10:30 AM.", "until ten thirty AM."),
            ("from 9am-5pm", "from nine AM to five PM"),
            ("8:30-9:15", "eight thirty to nine fifteen"),
            ("noon is 12:00 GMT", "noon is twelve o'clock GMT"),
            ("1:30:45.5", "one hour thirty minutes and forty five point five seconds"),
            ("02:00:05", "two hours zero minutes and five seconds"),
        ]);
    }
}
