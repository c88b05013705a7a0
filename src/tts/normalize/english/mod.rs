//! English: which rules there are and in which order they are tried.
//!
//! Order matters where kinds overlap: what is longest and surest comes first (addresses, telephones, dates), the bare
//! number last.

mod abbreviation;
mod address;
mod date;
mod electronic;
mod measure;
mod money;
mod number;
mod plain;
mod sign;
mod telephone;
mod time;

use super::Token;
use super::scan::{self, Rule, Spec};
use std::sync::LazyLock;

const TABLES: [&[Spec]; 12] = [
    electronic::RULES,
    telephone::RULES,
    address::RULES,
    date::RULES,
    telephone::VERSIONS,
    time::RULES,
    money::RULES,
    measure::RULES,
    abbreviation::RULES,
    plain::FRACTIONS,
    sign::RULES,
    plain::RULES,
];

/// Parts that patterns name: NUM is a number without sign, MAG a magnitude after it.
const PARTS: &[(&str, &str)] = &[
    ("NUM", r"(?:(?:[0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,40})(?:\.[0-9]{1,40})?|\.[0-9]{1,40})"),
    ("MAG", "(?i:hundred|thousand|million|billion|trillion|quadrillion)"),
    (
        "MONTH",
        "(?i:jan(?:uary|\\.)?|feb(?:ruary|\\.)?|mar(?:ch|\\.)?|apr(?:il|\\.)?|may|june?\\.?|july?\\.?|aug(?:ust|\\.)?|sept?(?:ember|\\.)?|oct(?:ober|\\.)?|nov(?:ember|\\.)?|dec(?:ember|\\.)?)",
    ),
    (
        "ZONE",
        r"(?i:(?:[ecmp][sd]t|[ecmp]t|gmt|utc|cet|cest|bst|ist|jst|aest)\b|(?:[ecmp]\.[sd]\.t|g\.m\.t|u\.t\.c)\.?)",
    ),
];

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| scan::compile(&TABLES, PARTS));

/// The tokens of a sentence that is read in English.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    scan::scan(text, &RULES)
}

/// What the tests of the rules share: reads each text and tells of all that are not read as they should be.
#[cfg(test)]
fn assert_read(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(written, spoken)| (written, super::join(&tokens(written)), spoken))
        .filter(|(_, got, spoken)| got != *spoken)
        .map(|(written, got, spoken)| format!("{written}: {got}, not {spoken}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(RULES.len(), TABLES.iter().map(|table| table.len()).sum::<usize>());
    }
}
