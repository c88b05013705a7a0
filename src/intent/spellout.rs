//! Numbers in words: CLDR's rule-based number formats (RBNF, Unicode TR 35 part 3).
//!
//! The rules in `cldr/spellout.txt` are an extract of CLDR 48.2 made by
//! `scripts/extract_number_words.py`. A sentence may spell a number by any public cardinal or
//! numbering rule set of its language, so [`Spellout::spellings`] gives all of them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The extract, all languages in one text.
const RULES: &str = include_str!("cldr/spellout.txt");
/// How deep rules may refer to each other; CLDR's own need about ten.
const MAX_DEPTH: u32 = 40;

/// Where each language's rules begin and end within [`RULES`].
static SECTIONS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    RULES
        .split("\n@")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .map(|(tag, rules)| (tag.to_lowercase(), rules))
        .collect()
});

/// Rules that were parsed already, by language tag.
static PARSED: LazyLock<Mutex<HashMap<&'static str, Arc<Spellout>>>> =
    LazyLock::new(Mutex::default);

/// The rule sets of one language.
#[derive(Debug)]
pub(super) struct Spellout {
    language: String,
    sets: Vec<RuleSet>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct RuleSet {
    public: bool,
    /// Rules by base, ascending.
    rules: Vec<Rule>,
    negative: Option<Rule>,
    fraction: Option<Rule>,
}

#[derive(Debug)]
struct Rule {
    base: u64,
    radix: u64,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    /// `<<` or `>>`, also within `[…]`.
    Sub {
        quotient: bool,
        optional: bool,
        before: String,
        after: String,
        set: Option<String>,
    },
    /// `=%set=`: the same number by another rule set.
    Same(String),
    /// `$(cardinal,one{…}other{…})$`.
    Plural {
        ordinal: bool,
        forms: Vec<(String, String)>,
    },
}

/// A number as the rules see it: whole part and the decimal digits behind the point.
#[derive(Clone, Copy)]
struct Number<'a> {
    whole: i64,
    digits: &'a str,
}

/// The rules for a language tag such as `en`, `pt-BR` or `zh-TW`, if CLDR has any.
pub(super) fn for_language(tag: &str) -> Option<Arc<Spellout>> {
    let tag = tag.replace('_', "-").to_lowercase();
    let scripted = match tag.as_str() {
        "zh-hk" | "zh-mo" | "zh-tw" => "zh-hant",
        other => other,
    };
    let family = tag.split('-').next().unwrap_or_default();
    let (key, rules) = [tag.as_str(), scripted, family]
        .iter()
        .find_map(|candidate| SECTIONS.get_key_value(*candidate))?;
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    let spellout =
        parsed.entry(key.as_str()).or_insert_with(|| Arc::new(Spellout::parse(family, rules)));
    Some(Arc::clone(spellout))
}

impl Spellout {
    fn parse(language: &str, rules: &str) -> Self {
        let mut sets: Vec<RuleSet> = Vec::new();
        let mut by_name = HashMap::new();
        for line in rules.lines() {
            if let Some(name) = line.strip_prefix('%') {
                let private = name.strip_prefix('%');
                let bare = private.unwrap_or(name).to_owned();
                by_name.insert(bare.clone(), sets.len());
                sets.push(RuleSet {
                    public: private.is_none()
                        && bare.starts_with("spellout")
                        && !["ordinal", "year", "verbose"].iter().any(|w| bare.contains(w)),
                    ..RuleSet::default()
                });
            } else if let (Some(set), Some((base, text))) = (sets.last_mut(), line.split_once('\t'))
            {
                set.add(base, text);
            }
        }
        for set in &mut sets {
            set.rules.sort_by_key(|rule| rule.base);
        }
        Self { language: language.to_owned(), sets, by_name }
    }

    /// Every way to spell a number, each also with spaces for `-` and `_`, without doubles.
    ///
    /// A decimal fraction is given by its digits, such as `"5"` for one half.
    pub(super) fn spellings(&self, whole: i64, digits: &str) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let number = Number { whole, digits };
        for (index, set) in self.sets.iter().enumerate() {
            let mut text = String::new();
            if !set.public || self.spell(number, index, &mut text, 0).is_none() {
                continue;
            }
            text.retain(|c| c != '\u{ad}');
            let broken = text.replace(['-', '_'], " ");
            for spelling in [text, broken] {
                if !spelling.is_empty() && !all.contains(&spelling) {
                    all.push(spelling);
                }
            }
        }
        all
    }

    /// Appends the spelling by one rule set; `None` where the set has no rule for the number.
    fn spell(&self, number: Number<'_>, set: usize, out: &mut String, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let rules = self.sets.get(set)?;
        let (rule, quotient, remainder, digits) = if number.whole < 0 {
            (self.negative(set, 0)?, 0, -number.whole, "")
        } else if !number.digits.is_empty() {
            (rules.fraction.as_ref()?, number.whole, 0, number.digits)
        } else {
            let whole = u64::try_from(number.whole).ok()?;
            let above = rules.rules.partition_point(|rule| rule.base <= whole);
            let rule = rules.rules.get(above.saturating_sub(1))?;
            let (q, r) = match rule.divisor(whole) {
                0 => (0, 0),
                divisor => (whole / divisor, whole % divisor),
            };
            (rule, i64::try_from(q).ok()?, i64::try_from(r).ok()?, "")
        };
        for part in &rule.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Same(name) => {
                    let set = *self.by_name.get(name)?;
                    self.spell(number, set, out, depth + 1)?;
                }
                Part::Plural { ordinal, forms } => {
                    let counted = if *ordinal || rule.base == 0 { number.whole } else { quotient };
                    let whole = digits.is_empty() || *ordinal;
                    let wanted = if whole { plural(&self.language, counted) } else { "other" };
                    let form = forms
                        .iter()
                        .find(|(category, _)| category == wanted)
                        .or_else(|| forms.iter().find(|(category, _)| category == "other"))
                        .or_else(|| forms.first());
                    out.push_str(form.map_or("", |(_, text)| text));
                }
                Part::Sub { quotient: is_quotient, optional, before, after, set: other } => {
                    let value = if *is_quotient { quotient } else { remainder };
                    if value == 0 && digits.is_empty() && (*optional || other.is_none()) {
                        continue;
                    }
                    let set = match other {
                        Some(name) => *self.by_name.get(name)?,
                        None => set,
                    };
                    if *is_quotient || digits.is_empty() {
                        out.push_str(before);
                        self.spell(Number { whole: value, digits: "" }, set, out, depth + 1)?;
                        out.push_str(after);
                        continue;
                    }
                    for digit in digits.bytes() {
                        out.push_str(before);
                        let whole = i64::from(digit.wrapping_sub(b'0'));
                        self.spell(Number { whole, digits: "" }, set, out, depth + 1)?;
                        out.push_str(after);
                    }
                }
            }
        }
        Some(())
    }

    /// The rule for negative numbers: the set's own, or that of the set its zero refers to.
    fn negative(&self, set: usize, depth: u32) -> Option<&Rule> {
        let rules = self.sets.get(set)?;
        if rules.negative.is_some() || depth > MAX_DEPTH {
            return rules.negative.as_ref();
        }
        let zero = rules.rules.first().filter(|rule| rule.base == 0)?;
        match zero.parts.first() {
            Some(Part::Same(name)) => self.negative(*self.by_name.get(name)?, depth + 1),
            _ => None,
        }
    }
}

impl RuleSet {
    fn add(&mut self, base: &str, text: &str) {
        let (base, radix) = base.split_once('/').unwrap_or((base, "10"));
        let radix: String = radix.chars().filter(char::is_ascii_digit).collect();
        let rule = Rule {
            base: base.parse().unwrap_or(0),
            radix: radix.parse().ok().filter(|radix| *radix > 1).unwrap_or(10),
            parts: parse_parts(text),
        };
        match base {
            "-x" => self.negative = Some(rule),
            "x.x" | "x,x" => self.fraction = Some(rule),
            _ if base.bytes().all(|b| b.is_ascii_digit()) => {
                self.rules.retain(|known| known.base != rule.base);
                self.rules.push(rule);
            }
            _ => {}
        }
    }
}

impl Rule {
    /// The power of the radix that splits a number into quotient and remainder; 0 for base 0.
    fn divisor(&self, number: u64) -> u64 {
        if self.base == 0 {
            return 0;
        }
        // A rule whose base is no power of its radix (60 by twenties) counts from the power that
        // its leading digit stands on.
        let lead = 10_u64.pow(self.base.ilog10());
        let reduced = if self.base < 10 { self.base } else { lead + self.base % lead };
        let mut floor = 1_u64;
        while let Some(next) = floor.checked_mul(self.radix).filter(|next| *next <= reduced) {
            floor = next;
        }
        let ceiling = if floor == reduced { floor } else { floor.saturating_mul(self.radix) };
        if number >= ceiling { ceiling } else { floor }
    }
}

/// Splits a rule's text into its parts; a malformed tail is taken as text.
fn parse_parts(text: &str) -> Vec<Part> {
    let chars: Vec<char> = text.chars().filter(|c| *c != '\'').collect();
    let mut parts = Vec::new();
    let mut i = 0;
    let mut optional = false;
    let mut before = String::new();
    // The index of the optional substitution whose trailing text is being read.
    let mut inside: Option<usize> = None;
    while let Some(&c) = chars.get(i) {
        i += 1;
        match c {
            '[' => {
                optional = true;
                inside = None;
                before.clear();
            }
            ']' => {
                optional = false;
                inside = None;
            }
            '<' | '>' => {
                let end = chars[i..].iter().position(|d| *d == c).map_or(chars.len(), |n| i + n);
                let name: String = chars[i..end.min(chars.len())].iter().collect();
                i = end + 1;
                if chars.get(i) == Some(&c) {
                    i += 1; // a third arrow asks for digit by digit, which fractions do anyway
                }
                if c == '>' {
                    // The space before a remainder goes with it, so that it parts digits and
                    // disappears together with an empty remainder.
                    if let Some(Part::Text(last)) = parts.last_mut() {
                        let kept = last.trim_end().len();
                        before.push_str(&last.split_off(kept));
                    }
                }
                parts.push(Part::Sub {
                    quotient: c == '<',
                    optional,
                    before: std::mem::take(&mut before),
                    after: String::new(),
                    set: name.starts_with('%').then(|| name.trim_start_matches('%').to_owned()),
                });
                inside = optional.then_some(parts.len() - 1);
            }
            '=' => {
                let end = chars[i..].iter().position(|d| *d == '=').map_or(chars.len(), |n| i + n);
                let name: String = chars[i..end].iter().collect();
                i = end + 1;
                parts.push(Part::Same(name.trim_start_matches('%').to_owned()));
            }
            '$' if chars.get(i) == Some(&'(') => {
                let end = (i..chars.len())
                    .find(|n| chars[*n] == ')' && chars.get(n + 1) == Some(&'$'))
                    .unwrap_or(chars.len());
                let body: String = chars[(i + 1).min(end)..end].iter().collect();
                i = end + 2;
                parts.push(parse_plural(&body));
            }
            _ if optional => match inside.and_then(|index| parts.get_mut(index)) {
                Some(Part::Sub { after, .. }) => after.push(c),
                _ => before.push(c),
            },
            _ => match parts.last_mut() {
                Some(Part::Text(last)) => last.push(c),
                _ => parts.push(Part::Text(c.to_string())),
            },
        }
    }
    parts
}

fn parse_plural(body: &str) -> Part {
    let (kind, forms) = body.split_once(',').unwrap_or(("cardinal", body));
    let forms = forms
        .split('}')
        .filter_map(|form| form.split_once('{'))
        .map(|(category, text)| (category.trim().to_owned(), text.to_owned()))
        .collect();
    Part::Plural { ordinal: kind == "ordinal", forms }
}

/// The plural category of a whole number (CLDR plural rules) in the languages whose spellings
/// up to 10^9 ask for one.
fn plural(language: &str, number: i64) -> &'static str {
    let n = number.unsigned_abs();
    let (tens, hundreds) = (n % 10, n % 100);
    match language {
        "ru" | "uk" | "be" if tens == 1 && hundreds != 11 => "one",
        "ru" | "uk" | "be" | "pl" if (2..=4).contains(&tens) && !(12..=14).contains(&hundreds) => {
            "few"
        }
        "ru" | "uk" | "be" => "many",
        "pl" if n == 1 => "one",
        "pl" => "many",
        "lt" if (11..=19).contains(&hundreds) || tens == 0 => "other",
        "lt" if tens == 1 => "one",
        "lt" => "few",
        "sr" if tens == 1 && hundreds != 11 => "one",
        "sr" if (2..=4).contains(&tens) && !(12..=14).contains(&hundreds) => "few",
        "cs" | "sk" if (2..=4).contains(&n) => "few",
        "pt" if n <= 1 => "one",
        _ if n == 1 => "one",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(language: &str, whole: i64, digits: &str) -> String {
        let rules = for_language(language).unwrap();
        rules.spellings(whole, digits).first().cloned().unwrap_or_default()
    }

    #[test]
    fn numbers_are_spelled_as_their_language_does() {
        let cases = [
            ("en", 0, "", "zero"),
            ("en", 21, "", "twenty-one"),
            ("en", 100, "", "one hundred"),
            ("en", 2600, "", "two thousand six hundred"),
            ("en", 21, "5", "twenty-one point five"),
            ("en", -3, "", "minus three"),
            ("de", 31, "", "einunddreißig"),
            ("de-CH", 31, "", "einunddreissig"),
            ("fr", 71, "", "soixante-et-onze"),
            ("fr", 80, "", "quatre-vingts"),
            ("fr", 92, "", "quatre-vingt-douze"),
            ("nl", 22, "", "tweeëntwintig"),
            ("zh-CN", 52, "", "五十二"),
            ("pt-BR", 1000, "", "mil"),
            ("sk", 100, "", "sto"),
            ("sk", 200, "", "dvesto"),
            ("cs", 1000, "", "tisíc"),
            ("ru", 2000, "", "две тысячи"),
            ("ru", 5000, "", "пять тысяч"),
            ("pl", 5000, "", "pięć tysięcy"),
        ];
        for (language, whole, digits, expected) in cases {
            assert_eq!(first(language, whole, digits), expected, "{language} {whole}.{digits}");
        }
    }

    #[test]
    fn every_rule_set_gives_its_spelling() {
        let two = for_language("zh-CN").unwrap().spellings(2, "");
        assert!(two.contains(&"二".to_owned()) && two.contains(&"两".to_owned()), "{two:?}");
        let one = for_language("fr").unwrap().spellings(21, "");
        assert!(
            one.contains(&"vingt-et-une".to_owned()) && one.contains(&"vingt et un".to_owned())
        );
    }

    #[test]
    fn a_language_without_rules_has_no_number_words() {
        assert!(for_language("kw").is_none());
        assert!(for_language("").is_none());
    }

    #[test]
    fn every_language_spells_all_numbers_of_everyday_ranges() {
        for tag in SECTIONS.keys() {
            let rules = for_language(tag).unwrap();
            for number in (0..=200).chain((1000..10_000).step_by(100)).chain([1_000_000]) {
                assert!(!rules.spellings(number, "").is_empty(), "{tag} {number}");
            }
            let negative = rules.spellings(-5, "");
            assert!(negative.iter().all(|s| !s.is_empty()), "{tag}");
        }
    }
}
