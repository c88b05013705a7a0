//! Dates: years digit by digit, months and days as numbers (2024年3月5日 → 二零二四年三月五日).

use super::super::Kind::Date;
use super::super::scan::{Found, Spec, Starts};
use super::number::{cardinal, counted, digits};

pub(super) const RULES: &[Spec] = &[
    // 2024-03-05, 2024/3/5, 2024.03.05, 2024·3·5
    Spec(
        Date,
        Starts::Number,
        r"([0-9]{4})([-/.·])([0-9]{1,2})[-/.·]([0-9]{1,2})(日)?",
        year_month_day,
    ),
    // 12/2/2, 12.2.3: a short year first
    Spec(Date, Starts::Number, r"([0-9]{2})[/.]([0-9]{1,2})[/.]([0-9]{1,2})", short_year),
    // 05-03-2024: day, month, year
    Spec(
        Date,
        Starts::Number,
        r"([0-9]{1,2})([-/.])([0-9]{1,2})[-/.]((?:19|20)[0-9]{2})",
        day_month_year,
    ),
    // 2024-03
    Spec(Date, Starts::Number, r"((?:1[0-9]|20)[0-9]{2})[-/.]([0-9]{2})", year_month),
    // 03-2024
    Spec(Date, Starts::Number, r"([0-9]{2})[-/.]((?:19|20)[0-9]{2})", month_year),
    // 03/05, 03.05, 03-05: both with two digits, the first with a zero
    Spec(Date, Starts::Number, r"(0[1-9])[-/.]([0-3][0-9])|(1[0-2])/(0[1-9])", month_day),
    // 10/1: nothing is divided by one
    Spec(Date, Starts::Number, r"([1-9]|1[0-2])/(1)", first_of_month),
    // 1912-1949: years from one to the other
    Spec(Date, Starts::Number, r"((?:1[0-9]|20)[0-9]{2})\s?[-—–]\s?((?:1[0-9]|20)[0-9]{2})", span),
    // 2008-2012年
    Spec(Date, Starts::Number, r"([0-9]{4})(?:年)?\s?([-~—–～至到]+)\s?([0-9]{4})年", years),
    // 3月5日, 3月5号, 3月
    Spec(Date, Starts::Number, r"([0-9]{1,2})\s?(月)(?:\s?([0-9]{1,2})\s?([日号]))?", months),
    // 2934a.d., 340 BC
    Spec(
        Date,
        Starts::Number,
        r"(?i)([0-9]{1,4})\s?(?:(a\.?d\b\.?|c\.?e\b\.?)|(b\.?c\b\.?(?:e\b\.?)?))",
        era,
    ),
    Spec(Date, Starts::Number, r"([0-9]{1,4})\s?年", year),
    // 2025款, 2023届, 2019级: a year without its word
    Spec(Date, Starts::Number, r"((?:19|20)[0-9]{2})(款|届|级)", year_of),
    // 80后, 90后: people born in those years
    Spec(Date, Starts::Number, r"([0-9]0|95|85)后", born),
    Spec(Date, Starts::Number, r"([0-9]{1,2})\s?([日号])", day),
    // 2Q24, Q3
    Spec(Date, Starts::Number, r"([1-4])Q([0-9]{2}|[0-9]{4})", quarter),
    Spec(Date, Starts::Number, r"(20[0-9]{2})年?Q([1-4])", year_and_quarter),
];

fn valid(month: &str, day: &str) -> bool {
    let month: u32 = month.parse().unwrap_or(0);
    let day: u32 = day.parse().unwrap_or(0);
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

fn date(year: &str, month: &str, day: &str) -> String {
    format!("{}年{}月{}日", digits(year), cardinal(month), cardinal(day))
}

fn year_month_day(found: &Found<'_>) -> Option<String> {
    let (month, day) = (found.group(3), found.group(4));
    (found.is_whole() && valid(month, day)).then(|| date(found.group(1), month, day))
}

fn short_year(found: &Found<'_>) -> Option<String> {
    let (month, day) = (found.group(2), found.group(3));
    let separate = !matches!(found.next(), Some('.' | '/' | '-'))
        && !matches!(found.previous(), Some('.' | '/' | '-'));
    (found.is_whole() && separate && valid(month, day)).then(|| date(found.group(1), month, day))
}

fn day_month_year(found: &Found<'_>) -> Option<String> {
    let (first, second) = (found.group(1), found.group(3));
    if !found.is_whole() {
        return None;
    }
    // Day first unless only the other order is a date.
    if valid(second, first) {
        Some(date(found.group(4), second, first))
    } else {
        valid(first, second).then(|| date(found.group(4), first, second))
    }
}

fn year_month(found: &Found<'_>) -> Option<String> {
    // 1000.05万 and 1998.05米 are amounts.
    let after = matches!(
        found.next(),
        Some(
            '-' | '/'
                | '%'
                | '‰'
                | '年'
                | '元'
                | '千'
                | '百'
                | '万'
                | '亿'
                | '米'
                | '克'
                | '吨'
                | '升'
                | '斤'
                | '度'
                | '℃'
                | '°'
                | '美'
                | '欧'
                | '块'
                | '公'
                | '平'
                | '个'
                | '分'
                | '点'
        )
    );
    (found.is_whole() && !after && valid(found.group(2), "1"))
        .then(|| format!("{}年{}月", digits(found.group(1)), cardinal(found.group(2))))
}

fn month_year(found: &Found<'_>) -> Option<String> {
    (found.is_whole() && found.next() != Some('年') && valid(found.group(1), "1"))
        .then(|| format!("{}年{}月", digits(found.group(2)), cardinal(found.group(1))))
}

fn month_day(found: &Found<'_>) -> Option<String> {
    let (month, day) = if found.group(1).is_empty() {
        (found.group(3), found.group(4))
    } else {
        (found.group(1), found.group(2))
    };
    let separate = !matches!(found.next(), Some('.' | '/' | '-' | '%'))
        && !matches!(found.previous(), Some('.' | '/' | '-' | '$' | '￥' | '¥'));
    (found.is_whole() && separate && valid(month, day))
        .then(|| format!("{}月{}日", cardinal(month), cardinal(day)))
}

fn years(found: &Found<'_>) -> Option<String> {
    let first = if found.group(0).contains('年') { "年" } else { "" };
    let first = if found.group(0).matches('年').count() > 1 { first } else { "" };
    // A sign becomes a word; a word stays.
    let to = if found.group(2).starts_with('至') { "至" } else { "到" };
    Some(format!("{}{first}{to}{}年", digits(found.group(1)), digits(found.group(3))))
}

fn span(found: &Found<'_>) -> Option<String> {
    let (from, to) = (found.group(1), found.group(2));
    let apart = !matches!(found.next(), Some('-' | '/' | '.' | '—' | '%'))
        && !matches!(found.previous(), Some('-' | '/' | '.' | '$' | '￥' | '¥'));
    let counts = found.right().trim_start().starts_with([
        '元', '个', '人', '米', '万', '亿', '克', '只', '件', '块', '张', '名', '次', '户', '台',
        '家', '公', '平', '吨', '字', '步', '美',
    ]);
    (found.is_whole() && apart && !counts && from < to)
        .then(|| format!("{}到{}", digits(from), digits(to)))
}

fn first_of_month(found: &Found<'_>) -> Option<String> {
    let apart = !matches!(found.next(), Some('-' | '/' | '.' | '%'))
        && !matches!(found.previous(), Some('-' | '/' | '.'));
    (found.is_whole() && apart).then(|| format!("{}月一日", cardinal(found.group(1))))
}

fn months(found: &Found<'_>) -> Option<String> {
    if found.group(4).is_empty() {
        return Some(format!("{}月", cardinal(found.group(1))));
    }
    Some(format!("{}月{}{}", cardinal(found.group(1)), cardinal(found.group(3)), found.group(4)))
}

fn era(found: &Found<'_>) -> Option<String> {
    if !found.is_whole() {
        return None;
    }
    let era = if found.group(2).is_empty() { "公元前" } else { "公元" };
    Some(format!("{era}{}年", digits(found.group(1))))
}

/// A year is a date or a stretch of time. Four digits and a leading zero make a date, so does what stands around;
/// of the rest, two digits from 50 on are a date (98年) and less is a stretch (20年).
fn year(found: &Found<'_>) -> Option<String> {
    let text = found.group(1);
    let value: usize = text.parse().unwrap_or(0);
    let right = found.right();
    let dated = text.starts_with('0')
        || right.trim_start().starts_with(|c: char| c.is_ascii_digit())
        || ["公元", "公元前", "纪元", "公历"].iter().any(|word| found.left().ends_with(word))
        || ["春", "夏", "秋", "冬", "元旦", "初", "底", "末", "款", "版"]
            .iter()
            .any(|word| right.starts_with(word));
    let stretch = ["代"].iter().any(|word| right.starts_with(word))
        || ["后", "前", "内", "来", "间", "多", "以", "的", "里", "之", "了", "左右", "期", "级"]
            .iter()
            .any(|word| right.starts_with(word))
        || ["了", "第", "近", "约", "满", "过", "达", "长", "期", "共", "每", "再", "整"]
            .iter()
            .any(|word| found.left().ends_with(word));
    let as_date = match text.len() {
        4 => !(value.is_multiple_of(1000) && stretch) && value >= 1000,
        _ if dated => true,
        3 => false,
        2 => value >= 50 && !stretch,
        _ => false,
    };
    // A class of school is an ordinal: 二年级, never 两年级.
    if right.starts_with('级') && text.len() < 3 {
        return Some(format!("{}年", cardinal(text)));
    }
    Some(format!("{}年", if as_date { digits(text) } else { counted(text) }))
}

fn year_of(found: &Found<'_>) -> Option<String> {
    (found.starts_clean() && !found.before().ends_with('第'))
        .then(|| format!("{}{}", digits(found.group(1)), found.group(2)))
}

fn born(found: &Found<'_>) -> Option<String> {
    found.starts_clean().then(|| format!("{}后", digits(found.group(1))))
}

fn day(found: &Found<'_>) -> Option<String> {
    found.starts_clean().then(|| format!("{}{}", cardinal(found.group(1)), found.group(2)))
}

fn year_and_quarter(found: &Found<'_>) -> Option<String> {
    let (year, quarter) = (digits(found.group(1)), quarter_name(found.group(2)));
    found.is_whole().then(|| format!("{year}年{quarter}季度"))
}

fn quarter(found: &Found<'_>) -> Option<String> {
    found
        .is_whole()
        .then(|| format!("{}年{}季度", digits(found.group(2)), quarter_name(found.group(1))))
}

fn quarter_name(figure: &str) -> String {
    format!("第{}", cardinal(figure))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn dates() {
        assert_read(&[
            ("今天是2026年11月24日星期二", "今天是二零二六年十一月二十四日星期二"),
            ("生日在2月12号", "生日在二月十二号"),
            ("截止2025-06-01", "截止二零二五年六月一日"),
            ("2025/6/1开始", "二零二五年六月一日开始"),
            ("03/05见", "三月五日见"),
            ("1998年至2003年", "一九九八年至二零零三年"),
            ("1998-2003年", "一九九八到二零零三年"),
            ("1912-1949", "一九一二到一九四九"),
            ("1000-2000元", "一千到两千元"),
            ("10/1放假", "十月一日放假"),
            ("09-11", "九月十一日"),
            ("1000.05万", "一千点零五万"),
            ("2025款", "二零二五款"),
            ("2023届毕业生", "二零二三届毕业生"),
            ("98年的事", "九十八年的事"),
            ("98年夏天", "九八年夏天"),
            ("过了10年", "过了十年"),
            ("20世纪90年代", "二十世纪九十年代"),
            ("06年1月", "零六年一月"),
            ("住在3号楼", "住在三号楼"),
            ("公元前221年", "公元前二二一年"),
            ("他是90后", "他是九零后"),
            ("2000年前", "两千年前"),
        ]);
    }
}
