//! Postal addresses: house numbers in pairs, streets in full, states by name, ZIP codes digit by digit.

use super::super::Kind::Address;
use super::super::scan::{Found, Spec, Starts};
use super::number::{digits, pairs};

pub(super) const RULES: &[Spec] = &[
    Spec(
        Address,
        Starts::Number,
        r"([0-9]{1,5}[A-F]?) ((?:(?:N|S|E|W|NE|NW|SE|SW)\.? )?[A-Z0-9][a-zA-Z0-9]{0,20}(?: [A-Z][a-zA-Z]{0,20}){0,3}?) (Expy|St|Ave|Blvd|Rd|Dr|Ln|Pl|Ct|Cir|Hwy|Pkwy|Sq|Ter|Fwy|Street|Avenue|Road|Drive|Lane|Boulevard|Way|Terrace|Place|Court|Highway|Parkway|Square|Circle)\b(\.)?(?: (NE|NW|SE|SW)\b)?",
        street,
    ),
    Spec(
        Address,
        Starts::Number,
        r"([0-9]{1,3}(?:st|nd|rd|th)) (Ave|St|Blvd|Rd)\b",
        numbered_street,
    ),
    Spec(Address, Starts::Letter, r"([A-Z]{2}) ([0-9]{5})(?:-([0-9]{4}))?", state_and_zip),
    Spec(Address, Starts::Letter, r"[A-Z]{2}", state),
];

fn street_name(text: &str) -> &str {
    match text {
        "Expy" => "Expressway",
        "St" => "Street",
        "Ave" => "Avenue",
        "Blvd" => "Boulevard",
        "Rd" => "Road",
        "Dr" => "Drive",
        "Ln" => "Lane",
        "Pl" => "Place",
        "Ct" => "Court",
        "Cir" => "Circle",
        "Hwy" => "Highway",
        "Pkwy" => "Parkway",
        "Sq" => "Square",
        "Ter" => "Terrace",
        "Fwy" => "Freeway",
        other => other,
    }
}

fn side(text: &str) -> Option<&'static str> {
    Some(match text.trim_end_matches('.') {
        "N" => "North",
        "S" => "South",
        "E" => "East",
        "W" => "West",
        "NE" => "Northeast",
        "NW" => "Northwest",
        "SE" => "Southeast",
        "SW" => "Southwest",
        _ => return None,
    })
}

const STATES: &[(&str, &str)] = &[
    ("AL", "Alabama"),
    ("AK", "Alaska"),
    ("AZ", "Arizona"),
    ("AR", "Arkansas"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DE", "Delaware"),
    ("DC", "DC"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("HI", "Hawaii"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("IA", "Iowa"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("ME", "Maine"),
    ("MD", "Maryland"),
    ("MA", "Massachusetts"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MS", "Mississippi"),
    ("MO", "Missouri"),
    ("MT", "Montana"),
    ("NE", "Nebraska"),
    ("NV", "Nevada"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NY", "New York"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VT", "Vermont"),
    ("VA", "Virginia"),
    ("WA", "Washington"),
    ("WV", "West Virginia"),
    ("WI", "Wisconsin"),
    ("WY", "Wyoming"),
];

fn state_name(text: &str) -> Option<&'static str> {
    STATES.iter().find(|(code, _)| *code == text).map(|(_, name)| *name)
}

fn street(found: &Found<'_>) -> Option<String> {
    if !found.starts_clean() {
        return None;
    }
    // The point of "St." belongs to the abbreviation and ends the sentence if a capital follows.
    let name: Vec<String> = found
        .group(2)
        .split(' ')
        .map(|word| match side(word) {
            Some(side) => side.to_owned(),
            None => ordinal_word(word),
        })
        .collect();
    let street = street_name(found.group(3));
    let after = found.after();
    let sentence = after.starts_with(' ') && after[1..].starts_with(|c: char| c.is_uppercase());
    let stop = if !found.group(4).is_empty() && sentence { "." } else { "" };
    let house = found.group(1).trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let letter = match &found.group(1)[house.len()..] {
        "" => String::new(),
        letter => format!(" {letter}"),
    };
    let quarter = side(found.group(5)).map_or(String::new(), |side| format!(" {side}"));
    Some(format!("{}{letter} {} {street}{quarter}{stop}", pairs(house), name.join(" ")))
}

/// 5th Ave: a street that is a number.
fn numbered_street(found: &Found<'_>) -> Option<String> {
    let name = ordinal_word(found.group(1));
    (found.is_whole() && name != found.group(1))
        .then(|| format!("{name} {}", street_name(found.group(2))))
}

/// 42nd in a street's name.
fn ordinal_word(word: &str) -> String {
    let figures = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if !figures.is_empty() && figures.chars().all(|c| c.is_ascii_digit()) {
        return super::number::ordinal(figures);
    }
    word.to_owned()
}

fn state_and_zip(found: &Found<'_>) -> Option<String> {
    let state = state_name(found.group(1)).filter(|_| found.is_whole())?;
    let more = match found.group(3) {
        "" => String::new(),
        more => format!(", {}", digits(more)),
    };
    Some(format!("{state} {}{more}", digits(found.group(2))))
}

/// A state's letters after the name of a town and a comma.
fn state(found: &Found<'_>) -> Option<String> {
    let town = found.before().strip_suffix(", ")?;
    let word = town.rsplit(' ').next()?;
    let name = word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().skip(1).any(|c| c.is_ascii_lowercase());
    (name && found.is_whole()).then(|| state_name(found.group(0)).map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn addresses() {
        assert_read(&[
            ("at 350 Fifth Ave", "at three fifty Fifth Avenue"),
            (
                "12 N Oak Blvd, Reno, NV 89501",
                "twelve North Oak Boulevard, Reno, Nevada eight nine five zero one",
            ),
            ("Austin, TX", "Austin, Texas"),
            ("742 Evergreen Terrace", "seven forty two Evergreen Terrace"),
            ("221B Baker St.", "two twenty one B Baker Street"),
            ("1600 Penn Ave NW, here", "sixteen hundred Penn Avenue Northwest, here"),
            ("on 5th Ave", "on fifth Avenue"),
            ("OK, OR", "OK, OR"),
        ]);
    }
}
