//! Bare numbers, numbers among letters, and letters: what no more special rule has read.

use super::super::Kind::{Abbreviation, Cardinal, Decimal, Ordinal, Punctuation, Roman, Serial};
use super::super::scan::{Found, Spec, Starts, is_latin_word};
use super::number::{cardinal, counted, digits, number};

pub(super) const RULES: &[Spec] = &[
    Spec(Ordinal, Starts::Number, r"[0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,40}", ordinal),
    // Python 3.11.4: what was no date
    Spec(Serial, Starts::Number, r"[0-9]{1,4}(?:\.[0-9]{1,4}){2,4}", version),
    Spec(
        Decimal,
        Starts::Number,
        r"([-+±]?)((?:[0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,40})\.[0-9]{1,40})(?:\s?(%MAG%|[wW]))?",
        decimal,
    ),
    Spec(
        Cardinal,
        Starts::Number,
        r"([-+±]?)([0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,40})(?:\s?(%MAG%|[wW]))?",
        whole,
    ),
];

pub(super) const LETTERS: &[Spec] = &[
    Spec(Roman, Starts::Any, r"[Ⅰ-Ⅻ①-⑳]", numeral),
    Spec(Roman, Starts::Letter, r"[IVX]{1,4}", roman_letters),
    Spec(Ordinal, Starts::Letter, r"N[oO]\. ?([0-9]{1,4})", number_one),
    Spec(Abbreviation, Starts::Any, r"([A-Za-z])([24])([A-Za-z])", to_and_for),
    Spec(Abbreviation, Starts::Letter, r"[a-z](?: [a-z]){1,5}", spaced),
    Spec(Abbreviation, Starts::Letter, r"[a-z]{2,5}", initialism),
    Spec(Abbreviation, Starts::Letter, r"(?:[A-Za-z]\.){2,6}[A-Za-z]?", dotted),
    Spec(Serial, Starts::Letter, r"([CFJ])#", sharp),
    Spec(Serial, Starts::Symbol, r"[-/]", joint),
    Spec(Punctuation, Starts::Symbol, r"[#*_|\\^`~{}<>]{1,80}", silent),
    Spec(Punctuation, Starts::Symbol, r"[&@%℃°+=×÷$￥]", sign_words),
];

/// Words that count things: 2 before them is 两.
const COUNTERS: &[&str] = &[
    "个",
    "只",
    "条",
    "张",
    "本",
    "把",
    "台",
    "辆",
    "杯",
    "瓶",
    "件",
    "位",
    "名",
    "份",
    "次",
    "遍",
    "回",
    "趟",
    "天",
    "周",
    "星期",
    "小时",
    "分钟",
    "分",
    "秒",
    "人",
    "口",
    "岁",
    "年",
    "块",
    "元",
    "毛",
    "角",
    "斤",
    "公斤",
    "克",
    "千克",
    "吨",
    "米",
    "厘米",
    "毫米",
    "公里",
    "里",
    "寸",
    "升",
    "毫升",
    "支",
    "枝",
    "根",
    "片",
    "颗",
    "粒",
    "朵",
    "棵",
    "双",
    "对",
    "套",
    "组",
    "篇",
    "句",
    "段",
    "首",
    "部",
    "盏",
    "间",
    "座",
    "家",
    "所",
    "种",
    "类",
    "倍",
    "成",
    "盘",
    "碗",
    "袋",
    "箱",
    "盒",
    "场",
    "节",
    "步",
    "点",
    "项",
    "室",
    "头",
    "夜",
    "晚",
    "亩",
    "平方公里",
    "平方米",
    "立方米",
    "平米",
    "勺",
    "滴",
    "桶",
    "罐",
    "壶",
    "束",
    "轮",
    "笔",
    "扇",
    "顿",
    "餐",
    "款",
    "样",
    "道",
    "幅",
    "匹",
    "串",
    "副",
    "堆",
    "群",
    "声",
    "站",
    "英里",
    "英尺",
    "英寸",
    "海里",
    "磅",
    "瓦",
    "伏",
];

/// Whether a number counts what follows; a range counts when its end does (2-3天).
fn counts(right: &str) -> bool {
    let rest = right.trim_start();
    let rest = rest
        .strip_prefix(['-', '~', '到', '至', '～', '—'])
        .filter(|end| end.starts_with(|c: char| c.is_ascii_digit()))
        .map_or(rest, |end| end.trim_start_matches(|c: char| c.is_ascii_digit()));
    COUNTERS.iter().any(|word| rest.starts_with(word))
        && !["分之", "年级", "年制", "点的", "周目"].iter().any(|word| rest.starts_with(word))
}

fn ordinal(found: &Found<'_>) -> Option<String> {
    let more =
        found.next() == Some('.') && found.right()[1..].starts_with(|c: char| c.is_ascii_digit());
    (found.before().ends_with('第') && !more).then(|| cardinal(found.group(0)))
}

fn sign<'a>(text: &'a str, found: &Found<'_>) -> Option<&'a str> {
    match text {
        "" => Some(""),
        // The dash of A-3 is no sign.
        _ if found.previous().is_some_and(|c| is_latin_word(c) || c == '-') => None,
        "-" => Some("负"),
        "+" => Some("正"),
        _ => Some("正负"),
    }
}

fn magnitude(text: &str) -> &str {
    if matches!(text, "w" | "W") { "万" } else { text }
}

fn version(found: &Found<'_>) -> Option<String> {
    let parts: Vec<String> = found.group(0).split('.').map(cardinal).collect();
    (found.is_whole() && found.previous() != Some('.')).then(|| parts.join("点"))
}

fn decimal(found: &Found<'_>) -> Option<String> {
    let sign = sign(found.group(1), found)?;
    if found.next() == Some('.') && found.right()[1..].starts_with(|c: char| c.is_ascii_digit()) {
        // Three parts and more: a number of chapters or versions.
        return None;
    }
    Some(format!("{sign}{}{}", number(found.group(2)), magnitude(found.group(3))))
}

fn whole(found: &Found<'_>) -> Option<String> {
    let (text, scale) = (found.group(2), found.group(3));
    let sign = sign(found.group(1), found)?;
    let among_letters = sign.is_empty() && found.previous().is_some_and(is_latin_word);
    if matches!(scale, "w" | "W") && !found.ends_clean() {
        return Some(format!("{sign}{}{scale}", number(text)));
    }
    let words = if text.len() > 1 && text.starts_with('0') || (among_letters && text.len() > 2) {
        digits(text)
    } else if scale.is_empty() && counts(found.right()) && !among_letters
        || matches!(scale, "万" | "亿" | "千" | "千万" | "w" | "W")
    {
        counted(text)
    } else {
        cardinal(text)
    };
    Some(format!("{sign}{words}{}", magnitude(scale)))
}

fn to_and_for(found: &Found<'_>) -> Option<String> {
    let word = if found.group(2) == "2" { "to" } else { "for" };
    let business = found.group(1).eq_ignore_ascii_case(found.group(3))
        || found.group(2) == "2"
            && "BCOPGT".contains(found.group(1))
            && "BCOPGT".contains(found.group(3));
    (found.is_whole() && business).then(|| {
        format!(
            "{} {word} {}",
            found.group(1).to_ascii_uppercase(),
            found.group(3).to_ascii_uppercase()
        )
    })
}

/// Numerals that are one character, and Roman ones of letters where a word says what they count.
fn numeral(found: &Found<'_>) -> Option<String> {
    let text = found.group(0);
    let mut chars = text.chars();
    let one = chars.next().filter(|_| chars.next().is_none())?;
    let offset = |first: char| (one as u32).checked_sub(first as u32).map(|n| (n + 1).to_string());
    let value = match one {
        'Ⅰ'..='Ⅻ' => offset('Ⅰ'),
        '①'..='⑳' => offset('①'),
        _ => None,
    };
    value.map(|value| cardinal(&value))
}

fn roman_letters(found: &Found<'_>) -> Option<String> {
    let counted = ["期", "级", "型", "类", "度", "章", "部分", "卷"];
    let value = match found.group(0) {
        "I" => "1",
        "II" => "2",
        "III" => "3",
        "IV" => "4",
        "V" => "5",
        "VI" => "6",
        "VII" => "7",
        "VIII" => "8",
        "IX" => "9",
        "X" => "10",
        _ => return None,
    };
    (found.is_whole() && counted.iter().any(|word| found.right().starts_with(word)))
        .then(|| cardinal(value))
}

fn number_one(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| format!("第{}", cardinal(found.group(1))))
}

/// Letters that were written apart: c e o.
fn spaced(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| found.group(0).replace(' ', "").to_ascii_uppercase())
}

/// Well-known initialisms in small letters: they are said letter by letter, which capitals show.
const INITIALISMS: &[&str] = &[
    "ufo", "gpu", "cpu", "ceo", "cfo", "cto", "coo", "wto", "mvp", "nba", "cba", "gdp", "cpi",
    "usa", "uk", "un", "eu", "who", "fbi", "cia", "nasa", "tv", "pc", "dvd", "vcd", "cd", "usb",
    "led", "lcd", "oled", "gps", "wifi", "vip", "vpn", "app", "ai", "it", "hr", "pm", "ppt", "pdf",
    "sms", "mms", "atm", "kfc", "ktv", "dna", "rna", "pcr", "ct", "icu", "mba", "phd", "npc", "dj",
    "mv", "mc", "ip", "id", "pk", "diy", "ipo", "vr", "ar",
];

fn initialism(found: &Found<'_>) -> Option<String> {
    // app, it, who, … are words in a foreign phrase; beside Chinese they are initials.
    let text = found.group(0);
    let beside_chinese = found.previous().is_none_or(|c| !c.is_whitespace())
        || found.next().is_none_or(|c| !c.is_whitespace());
    let words = ["app", "it", "who", "pm", "wifi", "id", "hr"].contains(&text);
    (found.is_whole() && beside_chinese && !words && INITIALISMS.contains(&text))
        .then(|| text.to_ascii_uppercase())
}

/// C# and its like.
fn sharp(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| format!("{} sharp", found.group(1)))
}

fn dotted(found: &Found<'_>) -> Option<String> {
    found.is_whole().then(|| found.group(0).replace('.', "").to_ascii_uppercase())
}

/// A dash or stroke between a letter and a number only joins them (COVID-19).
fn joint(found: &Found<'_>) -> Option<String> {
    let number = found.next().is_some_and(|c| c.is_ascii_digit());
    (found.previous().is_some_and(|c| c.is_ascii_alphabetic()) && number && found.group(0) == "-")
        .then(String::new)
}

fn silent(found: &Found<'_>) -> Option<String> {
    let beside =
        found.previous().is_some_and(is_latin_word) && found.next().is_some_and(is_latin_word);
    let text = found.group(0);
    if text.contains('|') {
        return Some("，".to_owned());
    }
    if text.contains('<') || text.contains('>') {
        return None;
    }
    if text == "~" && !beside && found.next().is_some_and(|c| c.is_ascii_digit()) {
        return Some("约".to_owned());
    }
    Some(if beside { " ".to_owned() } else { String::new() })
}

fn sign_name(text: &str) -> &'static str {
    match text {
        "&" => "和",
        "@" => " at ",
        "%" => "百分号",
        "℃" => "摄氏度",
        "°" => "度",
        "+" => "加",
        "=" => "等于",
        "×" => "乘",
        "÷" => "除以",
        "$" => "美元",
        _ => "元",
    }
}

fn sign_words(found: &Found<'_>) -> Option<String> {
    Some(sign_name(found.group(0)).to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn numbers() {
        assert_read(&[
            ("有2只猫", "有两只猫"),
            ("有12只猫", "有十二只猫"),
            ("第2只猫", "第二只猫"),
            ("2楼的灯", "二楼的灯"),
            ("2到3天", "两到三天"),
            ("约2000人", "约两千人"),
            ("人口1,412,000,000", "人口十四亿一千二百万"),
            ("3.5万人", "三点五万人"),
            ("2万元", "两万元"),
            ("5w粉丝", "五万粉丝"),
            ("零下-5", "零下负五"),
            ("PM2.5", "PM二点五"),
            ("A380飞机", "A三八零飞机"),
            ("5G网络", "五G网络"),
            ("007", "零零七"),
            ("3D电影", "三D电影"),
            ("2勺油", "两勺油"),
            ("Python 3.11.4", "Python 三点十一点四"),
        ]);
    }

    #[test]
    fn letters_and_signs() {
        assert_read(&[
            ("看nba比赛", "看NBA比赛"),
            ("C2C模式", "C to C模式"),
            ("U.S.A.总统", "USA总统"),
            ("猫&狗", "猫和狗"),
            ("用C#写的", "用C sharp写的"),
            ("#话题", "话题"),
            ("第Ⅱ章", "第二章"),
            ("①开灯", "一开灯"),
            ("III期临床", "三期临床"),
            ("No.1", "第一"),
            ("新冠COVID-19", "新冠COVID十九"),
        ]);
    }
}
