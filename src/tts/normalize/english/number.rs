//! English words of numbers.
//!
//! Convention: "and" stands before the tens of the last group only ("one hundred and five", "one hundred five
//! thousand"); no hyphens ("twenty three"); zero is "zero", except "oh" in clock times and years.

const UNDER_TWENTY: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[&str] =
    &["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const GROUPS: &[&str] =
    &["", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion"];

/// The word of a single digit; anything else has none.
fn digit(c: char) -> Option<&'static str> {
    c.to_digit(10).map(|value| UNDER_TWENTY[value as usize])
}

/// One word per digit: `"105"` → one zero five. Other characters are skipped.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter_map(digit).collect::<Vec<_>>().join(" ")
}

/// Words of a number below one hundred.
pub(super) fn small(value: usize) -> String {
    match value {
        0..20 => UNDER_TWENTY[value].to_owned(),
        20..100 if value.is_multiple_of(10) => TENS[value / 10].to_owned(),
        20..100 => format!("{} {}", TENS[value / 10], UNDER_TWENTY[value % 10]),
        _ => cardinal(&value.to_string()),
    }
}

/// Words of a whole number written in digits (commas allowed): `"1,105"` → one thousand one hundred and five.
/// Numbers beyond the named groups are read digit by digit.
pub(super) fn cardinal(text: &str) -> String {
    whole(text, true)
}

/// [`cardinal`] without "and", as before "million" and in ordinals and fractions.
pub(super) fn plain_cardinal(text: &str) -> String {
    whole(text, false)
}

fn whole(text: &str, with_and: bool) -> String {
    let all: Vec<usize> =
        text.chars().filter_map(|c| c.to_digit(10)).map(|value| value as usize).collect();
    let first = all.iter().position(|value| *value != 0).unwrap_or(all.len());
    let figures = &all[first..];
    if figures.is_empty() {
        return UNDER_TWENTY[0].to_owned();
    }
    if figures.len() > 3 * GROUPS.len() {
        return digits(text);
    }
    let mut words: Vec<&str> = Vec::new();
    let groups = figures.len().div_ceil(3);
    for group in (0..groups).rev() {
        let end = figures.len() - 3 * group;
        let start = end.saturating_sub(3);
        let value = figures[start..end].iter().fold(0, |sum, digit| sum * 10 + digit);
        if value == 0 {
            continue;
        }
        if value >= 100 {
            words.extend([UNDER_TWENTY[value / 100], "hundred"]);
        }
        let rest = value % 100;
        if rest > 0 && with_and && group == 0 && !words.is_empty() {
            words.push("and");
        }
        if rest >= 20 {
            words.push(TENS[rest / 10]);
        } else if rest > 0 {
            words.push(UNDER_TWENTY[rest]);
        }
        if rest >= 20 && rest % 10 > 0 {
            words.push(UNDER_TWENTY[rest % 10]);
        }
        if group > 0 {
            words.push(GROUPS[group]);
        }
    }
    words.join(" ")
}

/// Words of a number with sign, commas and decimals: `"-1,000.50"` → minus one thousand point five zero.
pub(super) fn number(text: &str) -> String {
    signed(text, cardinal)
}

/// [`number`] without "and".
pub(super) fn plain_number(text: &str) -> String {
    signed(text, plain_cardinal)
}

fn signed(text: &str, whole: fn(&str) -> String) -> String {
    let (sign, rest) = match text.chars().next() {
        Some('-' | '−') => ("minus ", text.trim_start_matches(['-', '−'])),
        Some('+') => ("plus ", text.trim_start_matches('+')),
        Some('±') => ("plus or minus ", text.trim_start_matches('±')),
        _ => ("", text),
    };
    let rest = rest.trim_start();
    let words = match rest.split_once('.') {
        Some(("", decimals)) => format!("point {}", digits(decimals)),
        Some((front, decimals)) => format!("{} point {}", whole(front), digits(decimals)),
        None => whole(rest),
    };
    format!("{sign}{words}")
}

/// Turns the last word of a cardinal into its ordinal: twenty one → twenty first.
pub(super) fn to_ordinal(words: &str) -> String {
    let (front, last) = match words.rsplit_once(' ') {
        Some((front, last)) => (format!("{front} "), last),
        None => (String::new(), words),
    };
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        other => match other.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{other}th"),
        },
    };
    front + &last
}

/// Words of an ordinal written in digits: `"111"` → one hundred eleventh.
pub(super) fn ordinal(text: &str) -> String {
    to_ordinal(&plain_cardinal(text))
}

/// The plural of a number's words: nineteen sixty → nineteen sixties.
pub(super) fn plural(words: &str) -> String {
    match words.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if words.ends_with("six") => format!("{words}es"),
        None => format!("{words}s"),
    }
}

/// Reads years and house numbers in pairs: `"1984"` → nineteen eighty four, `"2005"` → two thousand five,
/// `"1905"` → nineteen oh five, `"340"` → three forty.
pub(super) fn pairs(text: &str) -> String {
    let Ok(value) = text.parse::<usize>() else { return digits(text) };
    let (front, back) = (value / 100, value % 100);
    match (front, back) {
        (0, _) if text.starts_with('0') => digits(text),
        (0, _) => small(back),
        (100.., _) => digits(text),
        (_, 0) if front % 10 == 0 => cardinal(text),
        (_, 0) => format!("{} hundred", small(front)),
        (10.., 1..10) if front % 10 == 0 => {
            format!("{} thousand {}", small(front / 10), small(back))
        }
        (_, 1..10) => format!("{} oh {}", small(front), small(back)),
        _ => format!("{} {}", small(front), small(back)),
    }
}

/// The value of a Roman numeral in its usual form, up to 3999.
pub(super) fn roman(text: &str) -> Option<usize> {
    const STEPS: [(&str, usize); 13] = [
        ("M", 1000),
        ("CM", 900),
        ("D", 500),
        ("CD", 400),
        ("C", 100),
        ("XC", 90),
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ];
    let (mut rest, mut value, mut usual) = (text, 0, String::new());
    for (step, worth) in STEPS {
        while let Some(shorter) = rest.strip_prefix(step) {
            rest = shorter;
            value += worth;
            usual.push_str(step);
            if value > 3999 {
                return None;
            }
        }
    }
    // A second pass over the steps tells IIII from IV.
    let mut left = value;
    let mut right_form = String::new();
    for (step, worth) in STEPS {
        while left >= worth {
            left -= worth;
            right_form.push_str(step);
        }
    }
    (rest.is_empty() && value > 0 && usual == right_form).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cardinals_have_one_and_before_the_last_tens() {
        for (written, spoken) in [
            ("0", "zero"),
            ("007", "seven"),
            ("40", "forty"),
            ("305", "three hundred and five"),
            ("1,006", "one thousand and six"),
            ("250,000", "two hundred fifty thousand"),
            ("7000042", "seven million and forty two"),
            ("999999", "nine hundred ninety nine thousand nine hundred and ninety nine"),
            (
                "1000000000000000000000000",
                "one zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero",
            ),
        ] {
            assert_eq!(cardinal(written), spoken, "{written}");
        }
    }

    #[test]
    fn signs_decimals_ordinals_years_and_romans() {
        assert_eq!(number("-12.50"), "minus twelve point five zero");
        assert_eq!(number(".7"), "point seven");
        for (written, spoken) in
            [("3", "third"), ("12", "twelfth"), ("30", "thirtieth"), ("1000", "one thousandth")]
        {
            assert_eq!(ordinal(written), spoken);
        }
        for (written, spoken) in [
            ("1999", "nineteen ninety nine"),
            ("1900", "nineteen hundred"),
            ("2000", "two thousand"),
            ("2009", "two thousand nine"),
            ("1706", "seventeen oh six"),
            ("742", "seven forty two"),
            ("05", "zero five"),
        ] {
            assert_eq!(pairs(written), spoken);
        }
        for (written, value) in
            [("XIV", Some(14)), ("MCMXC", Some(1990)), ("IIII", None), ("IXX", None), ("", None)]
        {
            assert_eq!(roman(written), value, "{written}");
        }
    }
}
