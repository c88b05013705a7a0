//! Numbers with a unit: "three kilometers per hour", "minus three degrees Celsius".

use super::super::Kind::Measure;
use super::super::scan::{Found, Spec, Starts};
use super::number::{number, plain_cardinal, plain_number, roman};

pub(super) const RULES: &[Spec] = &[
    Spec(Measure, Starts::Number, r"([-+±−]?%NUM%)\s?([%‰])", percent),
    Spec(Measure, Starts::Number, r"([-+±−]?%NUM%)\s?(?:°|º|˚)\s?([CFKcf])?", degrees),
    Spec(Measure, Starts::Number, r"([-+±−]?%NUM%)\s?(℃|℉)", degrees),
    Spec(
        Measure,
        Starts::Number,
        r"([-+±−]?%NUM%)(?: (%MAG%))?\s?([A-Za-zµμΩ]{0,10}[²³23]?)\s?/\s?([A-Za-z]{1,7}[²³23]?)",
        ratio,
    ),
    Spec(Measure, Starts::Number, r#"([1-9])(?:'|′) ?([0-9]{1,2})(?:"|″)"#, feet_and_inches),
    Spec(Measure, Starts::Number, r"([1-9][0-9]?)/([1-9][0-9]?) ?([A-Za-zµμ]{1,10})", part_of),
    Spec(
        Measure,
        Starts::Number,
        r"([0-9]{1,3}) ([1-9][0-9]?)/([1-9][0-9]?) ?([A-Za-zµμ]{1,10})",
        mixed,
    ),
    // 6 ft. tall: the point belongs to the unit
    Spec(
        Measure,
        Starts::Number,
        r#"([-+±−]?%NUM%)(?: (%MAG%))?([\s-]?)(sq ?(?:ft|m|km|mi)\b|(?:km|cm|mm|ft|m)[23]\b|[A-Za-zµμΩ]{1,8}[²³]?)\."#,
        stopped_unit,
    ),
    Spec(
        Measure,
        Starts::Number,
        r#"([-+±−]?%NUM%)(?: (%MAG%))?([\s-]?)(sq ?(?:ft|m|km|mi)\b|(?:km|cm|mm|ft|m)[23]\b|[A-Za-zµμΩ]{1,8}[²³]?|["″])"#,
        unit,
    ),
];

/// Symbol, one, several.
const UNITS: &[(&str, &str, &str)] = &[
    ("km", "kilometer", "kilometers"),
    ("m", "meter", "meters"),
    ("dm", "decimeter", "decimeters"),
    ("cm", "centimeter", "centimeters"),
    ("mm", "millimeter", "millimeters"),
    ("μm", "micrometer", "micrometers"),
    ("µm", "micrometer", "micrometers"),
    ("um", "micrometer", "micrometers"),
    ("nm", "nanometer", "nanometers"),
    ("mi", "mile", "miles"),
    ("yd", "yard", "yards"),
    ("yds", "yard", "yards"),
    ("ft", "foot", "feet"),
    ("\"", "inch", "inches"),
    ("″", "inch", "inches"),
    ("km²", "square kilometer", "square kilometers"),
    ("km2", "square kilometer", "square kilometers"),
    ("m²", "square meter", "square meters"),
    ("m2", "square meter", "square meters"),
    ("cm²", "square centimeter", "square centimeters"),
    ("cm2", "square centimeter", "square centimeters"),
    ("ft²", "square foot", "square feet"),
    ("ft2", "square foot", "square feet"),
    ("sq ft", "square foot", "square feet"),
    ("sq m", "square meter", "square meters"),
    ("sq km", "square kilometer", "square kilometers"),
    ("sq mi", "square mile", "square miles"),
    ("sqft", "square foot", "square feet"),
    ("m³", "cubic meter", "cubic meters"),
    ("m3", "cubic meter", "cubic meters"),
    ("cm³", "cubic centimeter", "cubic centimeters"),
    ("cm3", "cubic centimeter", "cubic centimeters"),
    ("ha", "hectare", "hectares"),
    ("kg", "kilogram", "kilograms"),
    ("g", "gram", "grams"),
    ("mg", "milligram", "milligrams"),
    ("μg", "microgram", "micrograms"),
    ("µg", "microgram", "micrograms"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("l", "liter", "liters"),
    ("L", "liter", "liters"),
    ("ml", "milliliter", "milliliters"),
    ("mL", "milliliter", "milliliters"),
    ("cl", "centiliter", "centiliters"),
    ("gal", "gallon", "gallons"),
    ("qt", "quart", "quarts"),
    ("pt", "pint", "pints"),
    ("tbsp", "tablespoon", "tablespoons"),
    ("tsp", "teaspoon", "teaspoons"),
    ("cc", "CC", "CC"),
    ("s", "second", "seconds"),
    ("sec", "second", "seconds"),
    ("secs", "second", "seconds"),
    ("min", "minute", "minutes"),
    ("mins", "minute", "minutes"),
    ("h", "hour", "hours"),
    ("hr", "hour", "hours"),
    ("hrs", "hour", "hours"),
    ("ms", "millisecond", "milliseconds"),
    ("μs", "microsecond", "microseconds"),
    ("µs", "microsecond", "microseconds"),
    ("us", "microsecond", "microseconds"),
    ("ns", "nanosecond", "nanoseconds"),
    ("wk", "week", "weeks"),
    ("wks", "week", "weeks"),
    ("yr", "year", "years"),
    ("yrs", "year", "years"),
    ("Hz", "hertz", "hertz"),
    ("hz", "hertz", "hertz"),
    ("kHz", "kilohertz", "kilohertz"),
    ("khz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"),
    ("mhz", "megahertz", "megahertz"),
    ("GHz", "gigahertz", "gigahertz"),
    ("ghz", "gigahertz", "gigahertz"),
    ("V", "volt", "volts"),
    ("kV", "kilovolt", "kilovolts"),
    ("mV", "millivolt", "millivolts"),
    ("A", "amp", "amps"),
    ("mA", "milliamp", "milliamps"),
    ("mAh", "milliamp hour", "milliamp hours"),
    ("W", "watt", "watts"),
    ("kW", "kilowatt", "kilowatts"),
    ("kw", "kilowatt", "kilowatts"),
    ("MW", "megawatt", "megawatts"),
    ("GW", "gigawatt", "gigawatts"),
    ("Wh", "watt hour", "watt hours"),
    ("kWh", "kilowatt hour", "kilowatt hours"),
    ("kwh", "kilowatt hour", "kilowatt hours"),
    ("MWh", "megawatt hour", "megawatt hours"),
    ("J", "joule", "joules"),
    ("kJ", "kilojoule", "kilojoules"),
    ("cal", "calorie", "calories"),
    ("kcal", "kilocalorie", "kilocalories"),
    ("N", "newton", "newtons"),
    ("Pa", "pascal", "pascals"),
    ("kPa", "kilopascal", "kilopascals"),
    ("hPa", "hectopascal", "hectopascals"),
    ("psi", "pound per square inch", "pounds per square inch"),
    ("hp", "horsepower", "horsepower"),
    ("Ω", "ohm", "ohms"),
    ("dB", "decibel", "decibels"),
    ("db", "decibel", "decibels"),
    ("lm", "lumen", "lumens"),
    ("lx", "lux", "lux"),
    ("rpm", "revolution per minute", "revolutions per minute"),
    ("ppm", "part per million", "parts per million"),
    ("kb", "kilobit", "kilobits"),
    ("KB", "kilobyte", "kilobytes"),
    ("kB", "kilobyte", "kilobytes"),
    ("MB", "megabyte", "megabytes"),
    ("mb", "megabyte", "megabytes"),
    ("GB", "gigabyte", "gigabytes"),
    ("gb", "gigabyte", "gigabytes"),
    ("TB", "terabyte", "terabytes"),
    ("mph", "mile per hour", "miles per hour"),
    ("mpg", "mile per gallon", "miles per gallon"),
    ("mol", "mole", "moles"),
    ("bar", "bar", "bars"),
    ("mmHg", "millimeter of mercury", "millimeters of mercury"),
];

const RATES: &[(&str, &str, &str)] = &[
    ("kph", "kilometer per hour", "kilometers per hour"),
    ("kmh", "kilometer per hour", "kilometers per hour"),
    ("bps", "bit per second", "bits per second"),
    ("kbps", "kilobit per second", "kilobits per second"),
    ("Kbps", "kilobit per second", "kilobits per second"),
    ("mbps", "megabit per second", "megabits per second"),
    ("Mbps", "megabit per second", "megabits per second"),
    ("gbps", "gigabit per second", "gigabits per second"),
    ("Gbps", "gigabit per second", "gigabits per second"),
];

/// Whether a unit begins `after`: the number before it is an amount, whatever it looks like.
pub(super) fn follows(after: &str) -> bool {
    let rest = after.strip_prefix(' ').unwrap_or(after);
    if rest.starts_with(['%', '‰', '°', '℃', '℉']) {
        return true;
    }
    let end = rest
        .char_indices()
        .find(|(_, c)| !(c.is_alphabetic() || matches!(c, '²' | '³')))
        .map_or(rest.len(), |(at, _)| at);
    let symbol = &rest[..end];
    // Behind a space, a single letter is more often a word or a name.
    let letter = symbol.chars().count() == 1 && after.starts_with(' ');
    !(letter && !matches!(symbol, "m" | "g" | "W" | "V" | "Ω"))
        && symbol != "us"
        && name(symbol).is_some()
}

fn name(symbol: &str) -> Option<(&'static str, &'static str)> {
    UNITS.iter().chain(RATES).find(|(unit, ..)| *unit == symbol).map(|(_, one, many)| (*one, *many))
}

/// The dash of 3-4 is no sign, nor is one that touches a word.
fn sign_is_sign(found: &Found<'_>) -> bool {
    (found.starts_clean() || found.goes_on_from_time())
        && !(found.group(1).starts_with(['-', '+', '.'])
            && found.previous().is_some_and(|c| matches!(c, '.' | ')' | '%' | '°' | '℃' | '℉')))
}

fn is_one(text: &str) -> bool {
    matches!(text, "1" | "-1")
}

fn percent(found: &Found<'_>) -> Option<String> {
    let unit = if found.group(2) == "%" { "percent" } else { "per mille" };
    sign_is_sign(found).then(|| format!("{} {unit}", number(found.group(1))))
}

fn degrees(found: &Found<'_>) -> Option<String> {
    let scale = match found.group(2) {
        "C" | "c" | "℃" => " Celsius",
        "F" | "f" | "℉" => " Fahrenheit",
        "K" => " Kelvin",
        _ => "",
    };
    let degrees = if is_one(found.group(1)) { "degree" } else { "degrees" };
    sign_is_sign(found).then(|| format!("{} {degrees}{scale}", number(found.group(1))))
}

fn amount(found: &Found<'_>) -> String {
    match found.group(2) {
        "" => number(found.group(1)),
        magnitude => format!("{} {}", plain_number(found.group(1)), magnitude.to_lowercase()),
    }
}

fn ratio(found: &Found<'_>) -> Option<String> {
    let above = match found.group(3) {
        "" => "",
        symbol => {
            let (one, many) = name(symbol)?;
            if is_one(found.group(1)) && found.group(2).is_empty() { one } else { many }
        }
    };
    let below = match found.group(4) {
        "day" | "d" => "day",
        "week" => "week",
        "month" | "mo" => "month",
        "year" => "year",
        "hour" => "hour",
        "person" => "person",
        symbol => name(symbol)?.0,
    };
    let space = if above.is_empty() { "" } else { " " };
    (sign_is_sign(found) && found.ends_clean())
        .then(|| format!("{}{space}{above} per {below}", amount(found)))
}

fn mixed(found: &Found<'_>) -> Option<String> {
    let (_, many) = name(found.group(4)).filter(|_| found.is_whole())?;
    let part = super::plain::part(found.group(2), found.group(3))?;
    Some(format!("{} and {part} {many}", plain_cardinal(found.group(1))))
}

/// 3/4 tsp.
fn part_of(found: &Found<'_>) -> Option<String> {
    let symbol = found.group(3);
    let written =
        UNITS.iter().find(|(_, one, _)| *one == symbol).map(|(_, one, many)| (*one, *many));
    let (one, _) = name(symbol).or(written).filter(|_| found.is_whole())?;
    let part = super::plain::part(found.group(1), found.group(2))?;
    let proper = found.group(1).parse::<u32>().ok()? < found.group(2).parse::<u32>().ok()?;
    let of = if part == "a half" { "half a".to_owned() } else { format!("{part} of a") };
    let of = if one.starts_with(['a', 'e', 'i', 'o', 'u']) || one == "hour" {
        format!("{of}n")
    } else {
        of
    };
    proper.then(|| format!("{of} {one}"))
}

/// 6'2": a height.
fn feet_and_inches(found: &Found<'_>) -> Option<String> {
    found
        .starts_clean()
        .then(|| format!("{} foot {}", number(found.group(1)), number(found.group(2))))
}

fn stopped_unit(found: &Found<'_>) -> Option<String> {
    let goes_on = found
        .after()
        .strip_prefix(' ')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit()));
    goes_on.then(|| unit(found)).flatten()
}

fn unit(found: &Found<'_>) -> Option<String> {
    let (value, symbol) = (found.group(1), found.group(4));
    // "in" is a word unless its point or its number shows that it is the unit.
    let inches = symbol == "in" && found.group(0).ends_with('.');
    let (one, many) = if inches { ("inch", "inches") } else { name(symbol)? };
    let gap = found.group(3);
    // 1h30m goes on; anything else that touches makes it a name (5Ghz7).
    let goes_on = found.next().is_some_and(|c| c.is_ascii_digit())
        && ["hour", "minute", "foot", "meter"].contains(&one);
    let quote = one == "inch" && !inches;
    let sure = match symbol {
        // 6" only where no quotation is open.
        "\"" => {
            let quotes = found.before().chars().rev().take(200).filter(|c| *c == '"').count();
            gap.is_empty() && !value.contains('.') && quotes % 2 == 0
        }
        // Short words that a sentence may hold after a number.
        // Seat 1A is no ampere.
        "A" if value == "1" => false,
        "us" | "A" | "hp" | "pt" | "cal" | "gal" => gap.is_empty() || !matches!(symbol, "us" | "A"),
        _ => true,
    };
    if !sign_is_sign(found)
        || !sure
        || !(quote || found.ends_clean() || goes_on)
        || gap == "-" && symbol.len() == 1
    {
        return None;
    }
    if value.starts_with('0') && !value.contains('.') && value.len() > 1 || roman(value).is_some() {
        return None;
    }
    // 5'10 and 3m are lengths; minutes after hours are written with the same letter (1h 30m).
    let after_hours = symbol == "m" && found.left().trim_end().ends_with('h');
    let (one, many) = if after_hours { ("minute", "minutes") } else { (one, many) };
    // A ten kilogram bag, but ten kilograms.
    let single = is_one(value) && found.group(2).is_empty() || gap == "-";
    Some(format!("{} {}", amount(found), if single { one } else { many }))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn measures() {
        assert_read(&[
            ("humidity is 45%", "humidity is forty five percent"),
            ("down 0.5 %.", "down zero point five percent."),
            ("-3°C", "minus three degrees Celsius"),
            ("about 72 °F", "about seventy two degrees Fahrenheit"),
            ("turn 90°", "turn ninety degrees"),
            ("18-20 °C", "eighteen to twenty degrees Celsius"),
            ("60 km/h", "sixty kilometers per hour"),
            ("1 km", "one kilometer"),
            ("2.4 GHz", "two point four gigahertz"),
            ("wait 30s", "wait thirty seconds"),
            ("1h 30m", "one hour thirty minutes"),
            ("1h30min", "one hour thirty minutes"),
            ("a 60 W bulb", "a sixty watts bulb"),
            ("2 1/4 lbs", "two and a quarter pounds"),
            ("3/4 tsp of salt", "three quarters of a teaspoon of salt"),
            ("1/2 h", "half an hour"),
            ("he is 6'2\"", "he is six foot two"),
            ("20%-40%", "twenty percent to forty percent"),
            ("6 ft. tall", "six feet tall"),
            ("It is 6 km. Then", "It is six kilometers. Then"),
            ("80 sq ft", "eighty square feet"),
            ("5 million km", "five million kilometers"),
            ("20 mg/L", "twenty milligrams per liter"),
            ("a 10-kg bag", "a ten kilogram bag"),
            ("2.5 in. of rain", "two point five inches of rain"),
            ("5 in the room", "five in the room"),
            ("1/2 mile away", "half a mile away"),
            ("3 mol", "three moles"),
            ("20 cm x 30 cm", "twenty centimeters by thirty centimeters"),
        ]);
    }
}
