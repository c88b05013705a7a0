//! Abbreviations, initialisms with points, and Roman numerals.

use super::super::Kind::{Abbreviation, Roman, Serial};
use super::super::scan::{Found, Spec, Starts};
use super::number::{roman, small, to_ordinal};

pub(super) const RULES: &[Spec] = &[
    // ARPAbet in brackets is for the voice, not words with numbers
    Spec(Serial, Starts::Symbol, r"\[[A-Z]{1,3}[0-2]?(?: [A-Z]{1,3}[0-2]?){0,40}\]", verbatim),
    Spec(Roman, Starts::Letter, r"([A-Z][a-z]{1,20}) ([IVXLCDM]{1,8})\b", after_name),
    Spec(Roman, Starts::Letter, r"WW(II?)\b", world_war),
    Spec(
        Abbreviation,
        Starts::Letter,
        r"(?i)(mon|tues?|wed|thur?s?|fri|sat|sun)\.?\s?[-–]\s?(mon|tues?|wed|thur?s?|fri|sat|sun)\b\.?",
        weekdays,
    ),
    Spec(Abbreviation, Starts::Letter, r"(?:e\.g\.|i\.e\.|a\.k\.a\.|w/o\b|w/|c/o\b)", phrase),
    Spec(
        Abbreviation,
        Starts::Letter,
        r"Ph\.D\b\.?|(?:[A-Za-z]\.){2,8}(?:[A-Za-z]\b)?",
        initialism,
    ),
    Spec(Abbreviation, Starts::Letter, r"No\. ?([0-9])", number_sign),
    Spec(Abbreviation, Starts::Letter, r"no\.", number_of),
    Spec(Abbreviation, Starts::Letter, r"([A-Za-z]{2,7})\.", stopped),
];

fn verbatim(found: &Found<'_>) -> Option<String> {
    found.group(0).contains(|c: char| c.is_ascii_digit()).then(|| found.group(0).to_owned())
}

/// Words whose numeral counts; after other names it is a rank.
const COUNTED: &[&str] = &[
    "Chapter",
    "Part",
    "Section",
    "Volume",
    "Act",
    "Scene",
    "War",
    "Phase",
    "Type",
    "Class",
    "Article",
    "Book",
    "Title",
    "Appendix",
    "Figure",
    "Table",
    "Episode",
    "Season",
    "Level",
    "Stage",
    "Group",
    "Grade",
    "Mark",
    "Bowl",
    "Category",
    "Schedule",
    "Unit",
    "Lesson",
    "Step",
    "Round",
    "Tier",
    "Division",
    "Zone",
    "Fantasy",
    "Wars",
    "Olympiad",
    "Rocky",
    "Apollo",
    "Rambo",
    "Saturn",
    "Gemini",
    "Clause",
    "Paragraph",
    "Exhibit",
    "Annex",
    "Canto",
    "Symphony",
    "Sonata",
    "Model",
    "Region",
    "Question",
    "Theorem",
    "Lemma",
    "Item",
    "Vol",
    "Option",
];

fn after_name(found: &Found<'_>) -> Option<String> {
    let (name, numeral) = (found.group(1), found.group(2));
    let value = roman(numeral)?;
    if !found.is_whole() {
        return None;
    }
    if COUNTED.contains(&name) {
        return Some(format!("{name} {}", small(value)));
    }
    // One letter after a name is an initial or "I"; large values are more often words (MIX, CD).
    let little = [
        "The", "And", "But", "As", "If", "In", "On", "At", "Of", "To", "Is", "My", "No", "Size",
        "When", "So", "Then", "That", "What",
    ];
    let ruler = ["King", "Queen", "Pope", "Emperor", "Tsar", "Prince"];
    let ruler = found.before().split_whitespace().next_back().is_some_and(|w| ruler.contains(&w));
    let rank = (numeral.len() > 1 || ruler) && value < 40 && !little.contains(&name);
    rank.then(|| format!("{name} the {}", to_ordinal(&small(value))))
}

fn world_war(found: &Found<'_>) -> Option<String> {
    let which = if found.group(1) == "I" { "one" } else { "two" };
    found.is_whole().then(|| format!("World War {which}"))
}

fn weekday(text: &str) -> &'static str {
    match text.to_ascii_lowercase().get(..3) {
        Some("mon") => "Monday",
        Some("tue") => "Tuesday",
        Some("wed") => "Wednesday",
        Some("thu") => "Thursday",
        Some("fri") => "Friday",
        Some("sat") => "Saturday",
        _ => "Sunday",
    }
}

fn weekdays(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| format!("{} to {}", weekday(found.group(1)), weekday(found.group(2))))
}

fn phrase(found: &Found<'_>) -> Option<String> {
    let words = match found.group(0) {
        "e.g." => "for example",
        "i.e." => "that is",
        "a.k.a." => "also known as",
        "w/" => "with",
        "w/o" => "without",
        _ => "care of",
    };
    (found.starts_clean() && (words != "care of" || found.ends_clean())).then(|| words.to_owned())
}

fn initialism(found: &Found<'_>) -> Option<String> {
    let letters = found.group(0).replace('.', "");
    found.is_whole().then(|| if letters == "PhD" { letters } else { letters.to_ascii_uppercase() })
}

fn number_sign(found: &Found<'_>) -> Option<String> {
    // The figure is read again with what follows it, so it must stand alone here.
    (found.is_whole()).then(|| format!("number {}", super::number::digits(found.group(1))))
}

/// tracking no. 12, where a lone "no." is an answer.
fn number_of(found: &Found<'_>) -> Option<String> {
    let of = [
        "tracking",
        "order",
        "item",
        "invoice",
        "serial",
        "model",
        "account",
        "case",
        "phone",
        "ref",
        "reference",
        "part",
        "lot",
        "ticket",
        "policy",
        "licence",
        "license",
        "registration",
    ];
    let before = found.before().trim_end().to_lowercase();
    let named = of.iter().any(|word| before.ends_with(word));
    let counts = found.after().trim_start().starts_with(|c: char| c.is_ascii_digit());
    (found.starts_clean() && counts && (named || before.is_empty())).then(|| "number".to_owned())
}

/// Abbreviations that end in a point; those of titles and months need what they belong to.
fn stopped(found: &Found<'_>) -> Option<String> {
    let after = found.after();
    let name_follows = after.starts_with(' ') && after[1..].starts_with(|c: char| c.is_uppercase());
    let digit_follows = after.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let text = found.group(1);
    let alone = found.before().trim().is_empty() && after.trim().is_empty();
    let name_follows = name_follows || alone;
    let words = match text {
        "Mr" => "mister",
        "Mrs" => "misses",
        "Ms" => "miz",
        "Dr" if name_follows => "doctor",
        "St" if name_follows && !alone && found.before().is_empty() => "Saint",
        "St" if alone => return None,
        "St" if name_follows
            && !found.before().trim_end().ends_with(|c: char| c.is_alphanumeric()) =>
        {
            "Saint"
        }
        "St" if name_follows
            && found
                .before()
                .trim_end()
                .rsplit(' ')
                .next()
                .is_some_and(|word| word.chars().all(|c| c.is_lowercase())) =>
        {
            "Saint"
        }
        "Apt" if digit_follows => "apartment",
        "Ste" if digit_follows => "suite",
        "Prof" => "professor",
        "Gen" if name_follows => "general",
        "Maj" => "Major",
        "Capt" => "captain",
        "Sgt" => "sergeant",
        "Lt" => "lieutenant",
        "Col" if name_follows => "colonel",
        "Cpl" => "corporal",
        "Gov" if name_follows => "governor",
        "Sen" if name_follows => "senator",
        "Rep" if name_follows => "representative",
        "Pres" if name_follows => "president",
        "Rev" if name_follows => "reverend",
        "Hon" if name_follows => "honorable",
        "Jr" => "junior",
        "Sr" => "senior",
        "Inc" => "incorporated",
        "Ltd" => "limited",
        "Co" => "company",
        "Corp" => "corporation",
        "Bros" => "brothers",
        "vs" | "Vs" | "VS" => "versus",
        "etc" => "et cetera",
        "approx" => "approximately",
        "dept" | "Dept" => "department",
        "est" if digit_follows => "established",
        "Fig" | "fig" if digit_follows => "figure",
        "Vol" | "vol" if digit_follows => "volume",
        "Ch" | "ch" if digit_follows => "chapter",
        "pp" if digit_follows => "pages",
        "Ave" => "Avenue",
        "Blvd" => "Boulevard",
        "Rd" => "Road",
        "Mt" if name_follows => "Mount",
        "Ft" if name_follows => "Fort",
        "govt" => "government",
        "min" | "max" if digit_follows => return None,
        "Mon" | "Tue" | "Tues" | "Wed" | "Thu" | "Thur" | "Thurs" | "Fri" => weekday(text),
        "Jan" => "january",
        "Feb" => "february",
        "Apr" => "april",
        "Aug" => "august",
        "Sept" | "Sep" => "september",
        "Oct" => "october",
        "Nov" => "november",
        "Dec" => "december",
        _ => return None,
    };
    // At the end of a text the point is also the stop, but titles never stand there.
    let stop =
        matches!(text, "etc" | "Inc" | "Ltd" | "Jr" | "Sr" | "Corp") && after.is_empty() && !alone;
    found.starts_clean().then(|| if stop { format!("{words}.") } else { words.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn abbreviations() {
        assert_read(&[
            ("Dr. Lee met Mrs. Wu", "doctor Lee met misses Wu"),
            ("cats vs. dogs", "cats versus dogs"),
            ("fruit, e.g. pears", "fruit, for example pears"),
            ("near St. Mary", "near Saint Mary"),
            ("the U.K. and the E.U.", "the UK and the EU"),
            ("Henry VIII", "Henry the eighth"),
            ("World War II", "World War two"),
            ("Part IX", "Part nine"),
            ("When I sleep", "When I sleep"),
            ("open Mon.-Fri.", "open Monday to Friday"),
            ("No. 5", "number five"),
            ("Gen.", "general"),
            ("Apollo XI", "Apollo eleven"),
            ("No. Thanks", "No. Thanks"),
            ("no. thanks", "no. thanks"),
            ("order no. 12", "order number twelve"),
            ("tea w/ sugar, w/o milk", "tea with sugar, without milk"),
        ]);
    }
}
