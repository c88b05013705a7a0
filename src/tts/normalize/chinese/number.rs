//! Chinese words of numbers.
//!
//! Convention: 2 is 两 before 千, 万 and 亿 when it stands alone there (两千, 两万, but 十二万 and 二百); after a gap ten
//! is 一十 in the last group (五万零一十) and 十 in a higher one (一百亿零十万).

const FIGURES: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
const GROUPS: &[&str] = &["", "万", "亿", "万亿", "亿亿"];

/// One character per digit: `"2024"` → 二零二四. Other characters are skipped.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter_map(|c| c.to_digit(10)).map(|value| FIGURES[value as usize]).collect()
}

/// [`digits`] with 幺 for 1, as telephone numbers are read.
pub(super) fn phone_digits(text: &str) -> String {
    digits(text).replace('一', "幺")
}

/// A whole number (commas allowed): `"50010"` → 五万零一十. More than 20 digits are read one by one.
pub(super) fn cardinal(text: &str) -> String {
    let all: Vec<usize> =
        text.chars().filter_map(|c| c.to_digit(10)).map(|value| value as usize).collect();
    let first = all.iter().position(|value| *value != 0).unwrap_or(all.len());
    let figures = &all[first..];
    if figures.is_empty() {
        return FIGURES[0].to_string();
    }
    let groups = figures.len().div_ceil(4);
    if groups > GROUPS.len() {
        return digits(text);
    }
    let mut out = String::new();
    let mut gap = false;
    for group in (0..groups).rev() {
        let end = figures.len() - 4 * group;
        let value =
            figures[end.saturating_sub(4)..end].iter().fold(0, |sum, digit| sum * 10 + digit);
        if value == 0 {
            gap = true;
            continue;
        }
        if !out.is_empty() && (gap || value < 1000) {
            out.push(FIGURES[0]);
        }
        out.push_str(&below_ten_thousand(value, out.is_empty() || group > 0, group > 0));
        out.push_str(GROUPS[group]);
        gap = false;
    }
    out
}

/// `short_ten`: ten to nineteen begin with 十; `alone_two`: a value of exactly 2 is 两.
fn below_ten_thousand(value: usize, short_ten: bool, alone_two: bool) -> String {
    if value == 2 && alone_two {
        return "两".to_owned();
    }
    let mut out = String::new();
    let mut gap = false;
    for (unit, name) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let figure = value / unit % 10;
        if figure == 0 {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push(FIGURES[0]);
            gap = false;
        }
        match (figure, unit) {
            (2, 1000) => out.push('两'),
            (1, 10) if short_ten && value < 20 => {}
            _ => out.push(FIGURES[figure]),
        }
        out.push_str(name);
    }
    out
}

/// A number with sign, commas and decimals: `"-1.50"` → 负一点五零.
pub(super) fn number(text: &str) -> String {
    let (sign, rest) = match text.chars().next() {
        Some('-' | '−') => ("负", text.trim_start_matches(['-', '−'])),
        Some('+') => ("正", text.trim_start_matches('+')),
        Some('±') => ("正负", text.trim_start_matches('±')),
        _ => ("", text),
    };
    let rest = rest.trim_start();
    match rest.split_once('.') {
        Some((front, decimals)) => format!("{sign}{}点{}", cardinal(front), digits(decimals)),
        None => format!("{sign}{}", cardinal(rest)),
    }
}

/// [`number`] before a measure word: 2 alone is 两.
pub(super) fn counted(text: &str) -> String {
    match text {
        "2" => "两".to_owned(),
        "-2" => "负两".to_owned(),
        _ => number(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cardinals() {
        for (written, spoken) in [
            ("0", "零"),
            ("10", "十"),
            ("17", "十七"),
            ("20", "二十"),
            ("108", "一百零八"),
            ("200", "二百"),
            ("2000", "两千"),
            ("2022", "两千零二十二"),
            ("3010", "三千零一十"),
            ("12000", "一万两千"),
            ("20002", "两万零二"),
            ("20,200", "两万零二百"),
            ("100017", "十万零一十七"),
            ("120000", "十二万"),
            ("300000000", "三亿"),
            ("1000100000", "十亿零十万"),
            ("200000000000", "两千亿"),
            ("123456789012345678901", "一二三四五六七八九零一二三四五六七八九零一"),
        ] {
            assert_eq!(cardinal(written), spoken, "{written}");
        }
    }

    #[test]
    fn signs_decimals_and_digits() {
        assert_eq!(number("-0.50"), "负零点五零");
        assert_eq!(number("+7"), "正七");
        assert_eq!(digits("2026"), "二零二六");
        assert_eq!(phone_digits("119"), "幺幺九");
        assert_eq!(counted("2"), "两");
        assert_eq!(counted("12"), "十二");
    }
}
