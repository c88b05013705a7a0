//! Money: "twenty dollars one cent"; more than two decimals, or a magnitude, are read as one number.

use super::super::Kind::Money;
use super::super::scan::{Found, Spec, Starts};
use super::number::{cardinal, number, plain_number, small};

pub(super) const RULES: &[Spec] = &[
    // $5-10: the sign stands for both
    Spec(
        Money,
        Starts::Symbol,
        r"([$£€¥₹])([0-9]{1,3}(?:,[0-9]{3}){0,4}|[0-9]{1,12}) ?[-–] ?([0-9]{1,3}(?:,[0-9]{3}){0,4}|[0-9]{1,12})(?: ?(%MAG%|[kKmMbB]\b))?",
        range,
    ),
    Spec(
        Money,
        Starts::Any,
        r"(-?)((?:US|HK|NT|AU|A|C|CA|S|NZ|R)?\$|[£€¥￥₩₹₽฿]|(?:USD|EUR|GBP|JPY|CNY|AUD|CAD|CHF)\b)\s?(-?)(%NUM%)(?:\s?(%MAG%|(?:[kKmMbBtT]|mn|bn|tn|BN|MN)\b))?(?:/(wk|week|d|day|mo|month|yr|year|y|h|hr|hour|min|kg|lb|person)\b)?",
        amount,
    ),
    Spec(
        Money,
        Starts::Number,
        r"(%NUM%)(?: ?(%MAG%|[kKmMbB]\b))? ?([£€¢₹]|(?:USD|EUR|GBP|JPY|CNY|AUD|CAD|CHF|RMB)\b)",
        sign_last,
    ),
    Spec(
        Money,
        Starts::Number,
        r"(%NUM%) (%MAG%) (yuan|dollars|euros|pounds|yen|won|rupees)",
        named,
    ),
];

/// One of a currency, several of it, and the same of its hundredth part, if it has one.
fn name(sign: &str) -> Option<[&'static str; 4]> {
    Some(match sign {
        "$" => ["dollar", "dollars", "cent", "cents"],
        "US$" | "USD" => ["US dollar", "US dollars", "cent", "cents"],
        "HK$" => ["Hong Kong dollar", "Hong Kong dollars", "cent", "cents"],
        "NT$" => ["Taiwan dollar", "Taiwan dollars", "cent", "cents"],
        "A$" | "AU$" | "AUD" => ["Australian dollar", "Australian dollars", "cent", "cents"],
        "C$" | "CA$" | "CAD" => ["Canadian dollar", "Canadian dollars", "cent", "cents"],
        "S$" => ["Singapore dollar", "Singapore dollars", "cent", "cents"],
        "NZ$" => ["New Zealand dollar", "New Zealand dollars", "cent", "cents"],
        "R$" => ["real", "reals", "centavo", "centavos"],
        "£" | "GBP" => ["pound", "pounds", "penny", "pence"],
        "€" | "EUR" => ["euro", "euros", "cent", "cents"],
        "¥" | "￥" | "JPY" => ["yen", "yen", "", ""],
        "CNY" | "RMB" => ["yuan", "yuan", "fen", "fen"],
        "₩" => ["won", "won", "", ""],
        "₹" => ["rupee", "rupees", "paisa", "paise"],
        "₽" => ["ruble", "rubles", "kopeck", "kopecks"],
        "฿" => ["baht", "baht", "satang", "satang"],
        "CHF" => ["Swiss franc", "Swiss francs", "centime", "centimes"],
        "¢" => ["cent", "cents", "", ""],
        _ => return None,
    })
}

fn magnitude(text: &str) -> String {
    match text {
        "k" | "K" => "thousand".to_owned(),
        "m" | "M" | "mn" | "MN" => "million".to_owned(),
        "b" | "B" | "bn" | "BN" => "billion".to_owned(),
        "t" | "T" | "tn" => "trillion".to_owned(),
        other => other.to_lowercase(),
    }
}

/// Words of an amount with its unit.
fn words(value: &str, magnitude_text: &str, [one, many, cent, cents]: [&str; 4]) -> String {
    if !magnitude_text.is_empty() {
        return format!("{} {} {many}", plain_number(value), magnitude(magnitude_text));
    }
    let (front, decimals) = value.split_once('.').unwrap_or((value, ""));
    let said = decimals.trim_end_matches('0');
    let front_is_zero = front.chars().all(|c| matches!(c, '0' | ','));
    if said.is_empty() {
        let unit = if front == "1" { one } else { many };
        return format!("{} {unit}", cardinal(front));
    }
    if said.len() > 2 || cent.is_empty() {
        return format!("{} {many}", number(value));
    }
    let small_value = format!("{said:0<2}").parse().unwrap_or(0);
    let part = format!("{} {}", small(small_value), if small_value == 1 { cent } else { cents });
    if front_is_zero {
        return part;
    }
    format!("{} {} {part}", cardinal(front), if front == "1" { one } else { many })
}

fn amount(found: &Found<'_>) -> Option<String> {
    let unit = name(found.group(2)).filter(|_| found.starts_clean())?;
    if found.next().is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    let minus = if found.group(1).is_empty() && found.group(3).is_empty() { "" } else { "minus " };
    // $5-$10 holds a dash that is no sign.
    if found.group(1) == "-" && found.previous().is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    let per = match found.group(6) {
        "" => "",
        "wk" | "week" => " per week",
        "d" | "day" => " per day",
        "mo" | "month" => " per month",
        "h" | "hr" | "hour" => " per hour",
        "min" => " per minute",
        "kg" => " per kilogram",
        "lb" => " per pound",
        "person" => " per person",
        _ => " per year",
    };
    Some(format!("{minus}{}{per}", words(found.group(4), found.group(5), unit)))
}

fn range(found: &Found<'_>) -> Option<String> {
    let [_, many, ..] = name(found.group(1)).filter(|_| found.is_whole())?;
    let more = found.next().is_some_and(|c| matches!(c, '.' | ',' | '-' | '/' | '%'))
        && found.right()[1..].starts_with(|c: char| c.is_alphanumeric());
    let scale = match found.group(4) {
        "" => String::new(),
        text => format!(" {}", magnitude(text)),
    };
    (!more).then(|| {
        format!("{} to {}{scale} {many}", cardinal(found.group(2)), cardinal(found.group(3)))
    })
}

fn sign_last(found: &Found<'_>) -> Option<String> {
    let unit = name(found.group(3)).filter(|_| found.is_whole())?;
    Some(words(found.group(1), found.group(2), unit))
}

fn named(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| {
        format!(
            "{} {} {}",
            plain_number(found.group(1)),
            found.group(2).to_lowercase(),
            found.group(3)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn money() {
        assert_read(&[
            ("costs $3.50", "costs three dollars fifty cents"),
            ("only £1.01!", "only one pound one penny!"),
            ("€0.99", "ninety nine cents"),
            ("$1", "one dollar"),
            ("$1.2 billion", "one point two billion dollars"),
            ("¥500", "five hundred yen"),
            ("$3m", "three million dollars"),
            ("$9/mo", "nine dollars per month"),
            ("$5-$10", "five dollars to ten dollars"),
            ("$5-10", "five to ten dollars"),
            ("£2-3 million", "two to three million pounds"),
            ("5 USD", "five US dollars"),
            ("-$20", "minus twenty dollars"),
            ("50¢", "fifty cents"),
        ]);
    }
}
