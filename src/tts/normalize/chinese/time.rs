//! Times of day: with seconds as a count (三点四分五秒), without as on a clock (三点零四分).

use super::super::Kind::Time;
use super::super::scan::{Found, Spec, Starts};
use super::number::{cardinal, counted};

pub(super) const RULES: &[Spec] = &[
    Spec(
        Time,
        Starts::Number,
        r"([0-9]{1,2})[:：]([0-5][0-9])[:：]([0-5][0-9])(?:\.([0-9]{1,3}))?",
        clock,
    ),
    Spec(
        Time,
        Starts::Number,
        r"([0-9]{1,2})[:：]([0-5][0-9])(?:\s?(?i:([ap])\.?m\b\.?))?",
        clock_minutes,
    ),
    Spec(Time, Starts::Number, r"([0-9]{1,2})\s?(?i:([ap])\.?m\b\.?)", hour),
    // 3点20, 3点20分, 3点半
    Spec(Time, Starts::Number, r"([0-9]{1,2})\s?点(?:\s?([0-9]{1,2})(?:\s?(分|刻))?)?", points),
];

fn hours(text: &str) -> Option<String> {
    let value: usize = text.parse().ok()?;
    (value <= 24).then(|| {
        counted(text.trim_start_matches('0').get(..).filter(|t| !t.is_empty()).unwrap_or("0"))
    })
}

/// The half of the day of a.m. and p.m., unless the sentence has said it already.
fn half(found: &Found<'_>, letter: &str) -> &'static str {
    let said = ["上午", "下午", "早上", "晚上", "凌晨", "中午", "傍晚"]
        .iter()
        .any(|word| found.left().trim_end().ends_with(word));
    match letter {
        _ if said => "",
        "a" | "A" => "上午",
        "p" | "P" => "下午",
        _ => "",
    }
}

fn clock(found: &Found<'_>) -> Option<String> {
    let apart = !matches!(found.next(), Some(':' | '：')) && found.is_whole();
    let hours = hours(found.group(1)).filter(|_| apart)?;
    Some(format!("{hours}点{}分{}秒", cardinal(found.group(2)), cardinal(found.group(3))))
}

fn clock_minutes(found: &Found<'_>) -> Option<String> {
    if found.next().is_some_and(|c| c == ':' || c.is_ascii_digit()) || !found.starts_clean() {
        return None;
    }
    let hours = hours(found.group(1))?;
    let minutes = match found.group(2) {
        "00" => String::new(),
        text if text.starts_with('0') => format!("零{}分", cardinal(text)),
        text => format!("{}分", cardinal(text)),
    };
    // 13:10pm says it twice.
    let half = if found.group(1) > "12" && found.group(1).len() == 2 {
        ""
    } else {
        half(found, found.group(3))
    };
    Some(format!("{half}{hours}点{minutes}"))
}

fn hour(found: &Found<'_>) -> Option<String> {
    let hours = hours(found.group(1)).filter(|_| found.starts_clean())?;
    Some(format!("{}{hours}点", half(found, found.group(2))))
}

fn points(found: &Found<'_>) -> Option<String> {
    let hours = hours(found.group(1)).filter(|_| found.starts_clean())?;
    let (minutes, unit) = (found.group(2), found.group(3));
    let minutes = match (minutes, unit) {
        ("", _) => String::new(),
        (text, "刻") => cardinal(text),
        (text, _) if text.len() == 2 && text.starts_with('0') => format!("零{}", cardinal(text)),
        (text, _) => cardinal(text),
    };
    Some(format!("{hours}点{minutes}{unit}"))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn times() {
        assert_read(&[
            ("现在是下午3:20", "现在是下午三点二十分"),
            ("闹钟10:05响", "闹钟十点零五分响"),
            ("2:00开会", "两点开会"),
            ("12：30", "十二点三十分"),
            ("00:15", "零点十五分"),
            ("08:09:10", "八点九分十秒"),
            ("晚上7点半", "晚上七点半"),
            ("早上2点05分", "早上两点零五分"),
            ("4:30 pm出发", "下午四点三十分出发"),
            ("8:30-10:00", "八点三十分到十点"),
            ("5点3刻", "五点三刻"),
        ]);
    }
}
