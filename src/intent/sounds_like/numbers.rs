//! Numbers as they are said: "30 %" and "thirty percent" sound the same.

use super::super::spellout;
use super::Speech;

/// Longer runs of digits are said one by one.
const LONGEST: usize = 6;

/// The text with words in place of digits and of percent signs.
pub(super) fn in_words(speech: Speech, text: &str) -> String {
    if !text.contains(|c: char| c.is_ascii_digit() || matches!(c, '%' | '％')) {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let mut said = String::new();
    let mut at = 0;
    while at < chars.len() {
        let digits = |from: usize| chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
        let whole = digits(at);
        if whole == 0 {
            match (chars[at], speech) {
                ('%' | '％', Speech::English) => said.push_str(" percent"),
                // It was said before the number.
                ('%' | '％', Speech::Chinese) => {}
                (c, _) => said.push(c),
            }
            at += 1;
            continue;
        }
        let point = chars.get(at + whole) == Some(&'.');
        let decimals = if point { digits(at + whole + 1) } else { 0 };
        let behind = at + whole + if decimals > 0 { decimals + 1 } else { 0 };
        let sign = chars[behind..].iter().find(|c| !c.is_whitespace());
        if speech == Speech::Chinese && sign.is_some_and(|c| matches!(c, '%' | '％')) {
            // Whisper writes both at times: 百分之40%.
            if !said.ends_with('之') && !said.ends_with("百分只") {
                said.push_str("百分之");
            }
        }
        let number: String = chars[at..at + whole].iter().collect();
        let fraction: String = chars[behind - decimals..behind].iter().collect();
        let (before, after) = if speech == Speech::English { (" ", " ") } else { ("", "") };
        said.push_str(before);
        said.push_str(&spelled(speech, &number, &fraction));
        said.push_str(after);
        at = behind;
    }
    said
}

fn spelled(speech: Speech, number: &str, fraction: &str) -> String {
    let tag = if speech == Speech::English { "en" } else { "zh" };
    let whole = number.parse().ok().filter(|_| number.len() <= LONGEST);
    let plain = |text: &String| match speech {
        Speech::English => !text.contains(['-', '−']),
        // Not as cheques have it.
        Speech::Chinese => text.chars().all(|c| "零〇一二三四五六七八九十百千万点".contains(c)),
    };
    let rules = spellout::for_language(tag);
    let spellings = |whole: i64, fraction: &str| {
        let all = rules.as_ref().map(|rules| rules.spellings(whole, fraction)).unwrap_or_default();
        all.into_iter().find(plain)
    };
    whole.and_then(|whole| spellings(whole, fraction)).unwrap_or_else(|| {
        let digits = number.chars().chain(fraction.chars()).filter_map(|c| c.to_digit(10));
        let words = digits.filter_map(|digit| spellings(i64::from(digit), ""));
        words.collect::<Vec<_>>().join(if speech == Speech::English { " " } else { "" })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said() {
        for (speech, written, said) in [
            (Speech::English, "to 30%", "to  thirty  percent"),
            (Speech::English, "21.5 degrees", " twenty one point five  degrees"),
            (Speech::English, "turn on", "turn on"),
            (Speech::Chinese, "调到40%", "调到百分之四十"),
            (Speech::Chinese, "调到百分之40%", "调到百分之四十"),
            (Speech::Chinese, "二十六度", "二十六度"),
            (Speech::Chinese, "26.5度", "二十六点五度"),
            (Speech::Chinese, "15", "十五"),
        ] {
            assert_eq!(in_words(speech, written), said, "{written}");
        }
        assert_eq!(in_words(Speech::English, "1234567").split_whitespace().count(), 7);
    }
}
