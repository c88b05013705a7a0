//! Scores, ranges, fractions and arithmetic: signs between numbers.

use super::super::Kind::{Fraction, Math, Range, Score};
use super::super::scan::{Found, Spec, Starts, is_han};
use super::number::{cardinal, number};

/// Scores come before times of day, which look the same (21:15).
pub(super) const SCORES: &[Spec] =
    &[Spec(Score, Starts::Number, r"([0-9]{1,3})\s?([-:：/比])\s?([0-9]{1,3})", score)];

pub(super) const RULES: &[Spec] = &[
    Spec(
        Score,
        Starts::Number,
        r"([0-9]{1,5}(?:\.[0-9]{1,4})?)\s?[:：]\s?([0-9]{1,5}(?:\.[0-9]{1,4})?)(?:\s?[:：]\s?([0-9]{1,5}))?",
        ratio,
    ),
    Spec(Fraction, Starts::Number, r"(-?)([0-9]{1,9})/([0-9]{1,9})", fraction),
    Spec(
        Fraction,
        Starts::Number,
        r"([0-9]{1,9})分之([0-9]{1,9}(?:\.[0-9]{1,9})?)",
        spoken_fraction,
    ),
    Spec(Math, Starts::Symbol, r"<=|>=|==|!=|[≤≥≠≈=<>×÷+*/√±-]", operator),
    Spec(Math, Starts::Any, "[²³]", power),
    // 2^3, x^2
    Spec(Math, Starts::Symbol, r"\^\s?([0-9]{1,3}|[a-z])", to_the_power),
    Spec(Range, Starts::Symbol, r"[-~—–～]{1,2}", range),
];

const WON: &[&str] = &[
    "比分", "爆冷", "战胜", "击败", "力克", "大胜", "险胜", "完胜", "惨败", "负于", "战平", "逼平",
    "不敌", "领先", "落后", "横扫", "胜", "负", "平", "赢", "输", "获胜", "取胜", "主场", "客场",
    "对阵", "夺冠",
];
const TEAMS: &[&str] = &[
    "队",
    "中国",
    "日本",
    "韩国",
    "巴西",
    "德国",
    "法国",
    "英国",
    "英格兰",
    "西班牙",
    "意大利",
    "葡萄牙",
    "阿根廷",
    "荷兰",
    "美国",
    "俄罗斯",
    "伊朗",
    "沙特",
    "澳大利亚",
    "克罗地亚",
    "比利时",
    "国安",
    "恒大",
    "申花",
    "鲁能",
    "泰山",
    "皇马",
    "巴萨",
    "曼联",
    "曼城",
    "切尔西",
    "阿森纳",
    "利物浦",
    "拜仁",
    "尤文",
    "国米",
    "米兰",
    "拉齐奥",
    "湖人",
    "勇士",
];

fn score(found: &Found<'_>) -> Option<String> {
    if !found.is_whole()
        || matches!(
            found.next(),
            Some('-' | '/' | ':' | '.' | '%' | '年' | '月' | '℃' | '°' | '度' | '点')
        )
    {
        return None;
    }
    let (left, right) = (found.left().trim_end(), found.right());
    // 平方米 and 平均 have nothing to do with a draw.
    let measured = ["平方", "平均", "平米", "负责", "负担", "胜过"];
    let cleared = |text: &str| measured.iter().fold(text.to_owned(), |t, word| t.replace(word, ""));
    let (left_words, right_words) = (cleared(left), cleared(right));
    let played = WON.iter().any(|word| left_words.contains(word) || right_words.contains(word))
        || TEAMS.iter().any(|team| left.ends_with(team));
    let ends = !right.starts_with(is_han)
        || WON.iter().any(|word| right.starts_with(word) || left.contains(word))
        || right.starts_with(['的', '了'])
        || TEAMS.iter().any(|team| right.starts_with(team));
    // 3/2 in words of games is a score, 1/2 a part of something.
    let (first, second) = (found.group(1), found.group(3));
    let whole = found.group(2) != "/"
        || first.parse::<u32>().unwrap_or(0) >= second.parse::<u32>().unwrap_or(0);
    (played && ends && whole).then(|| format!("{}比{}", cardinal(first), cardinal(second)))
}

fn ratio(found: &Found<'_>) -> Option<String> {
    let third = match found.group(3) {
        "" => String::new(),
        third => format!("比{}", number(third)),
    };
    (found.is_whole() && found.next() != Some(':'))
        .then(|| format!("{}比{}{third}", number(found.group(1)), number(found.group(2))))
}

fn fraction(found: &Found<'_>) -> Option<String> {
    let minus = !found.group(1).is_empty();
    let apart = !matches!(found.next(), Some('/' | '.' | ':' | '-'))
        && !matches!(found.previous(), Some('/' | '.' | '-'));
    if !found.is_whole() || !apart || (minus && found.previous() == Some('-')) {
        return None;
    }
    let sign = if minus { "负" } else { "" };
    Some(format!("{sign}{}分之{}", cardinal(found.group(3)), cardinal(found.group(2))))
}

fn spoken_fraction(found: &Found<'_>) -> Option<String> {
    found
        .starts_clean()
        .then(|| format!("{}分之{}", cardinal(found.group(1)), number(found.group(2))))
}

/// Whether a sign has something to count with on both sides.
fn between(found: &Found<'_>) -> bool {
    let operand = |c: char| c.is_ascii_alphanumeric();
    let left = found.before().trim_end().chars().next_back();
    let mut right = found.after().trim_start().chars();
    let right = match right.next() {
        Some('-') => right.next(),
        other => other,
    };
    left.is_some_and(|c| operand(c) || matches!(c, ')' | '）' | '²' | '³'))
        && right.is_some_and(|c| operand(c) || matches!(c, '(' | '（'))
}

fn operator(found: &Found<'_>) -> Option<String> {
    let sign = found.group(0);
    if sign == "√" {
        return Some("根号".to_owned());
    }
    if sign == "/" {
        // 12元/斤: Chinese on both sides.
        let per = found.before().ends_with(['元', '块', '米', '克', '斤', '人', '次'])
            && [
                "斤", "月", "天", "年", "小时", "人", "个", "次", "米", "公斤", "平方", "立方",
                "升", "千克", "分钟", "秒",
            ]
            .iter()
            .any(|word| found.right().starts_with(word));
        return per.then(|| "每".to_owned());
    }
    let counts = found.after().trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if !between(found) {
        // "≥60岁" has nothing before it.
        return match sign {
            "<=" | "≤" if counts => Some("小于等于".to_owned()),
            ">=" | "≥" if counts => Some("大于等于".to_owned()),
            "≈" if counts => Some("约".to_owned()),
            _ => None,
        };
    }
    let digits = found.before().trim_end().ends_with(|c: char| c.is_ascii_digit())
        && found.after().trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let equation = ['=', '≈', '≤', '≥', '≠']
        .iter()
        .any(|sign| found.left().contains(*sign) || found.right().contains(*sign));
    let word = match sign {
        "=" | "==" => "等于",
        "!=" | "≠" => "不等于",
        "≈" => "约等于",
        "<=" | "≤" => "小于等于",
        ">=" | "≥" => "大于等于",
        "<" if counts => "小于",
        ">" if counts => "大于",
        "±" => "正负",
        "×" => "乘",
        "*" if digits || equation => "乘",
        "÷" => "除以",
        "+" if digits || equation => "加",
        "-" if equation => "减",
        _ => return None,
    };
    Some(word.to_owned())
}

fn power(found: &Found<'_>) -> Option<String> {
    let words = if found.group(0) == "²" { "的平方" } else { "的立方" };
    found
        .previous()
        .is_some_and(|c| c.is_ascii_alphanumeric() || c == ')')
        .then(|| words.to_owned())
}

fn to_the_power(found: &Found<'_>) -> Option<String> {
    let exponent = match found.group(1) {
        "2" => "平方".to_owned(),
        "3" => "三次方".to_owned(),
        other => format!("{}次方", number(other)),
    };
    let base = found.previous().is_some_and(|c| c.is_ascii_alphanumeric() || c == ')');
    (base && found.ends_clean()).then(|| format!("的{exponent}"))
}

/// A dash from one number to the next.
fn range(found: &Found<'_>) -> Option<String> {
    let next = found.after().trim_start().chars().next();
    let counts = next.is_some_and(|c| c.is_ascii_digit() || matches!(c, '-' | '$' | '￥' | '¥'));
    let previous = found.before().trim_end().chars().next_back();
    let units = [
        '年', '月', '日', '号', '点', '分', '秒', '元', '万', '亿', '千', '百', '度', '时', '楼',
        '层', '岁', '半', '%', '℃', '°', '㎡',
    ];
    let counted = {
        let mut back = found.before().trim_end().chars().rev();
        back.next().is_some_and(|c| units.contains(&c))
            && back.next().is_some_and(|c| c.is_ascii_digit() || units.contains(&c))
    };
    let ends = counted
        || previous.is_some_and(|c| c.is_ascii_digit())
        || (found.previous().is_some_and(|c| c.is_ascii_alphabetic()) && found.group(0) != "-");
    let week = found.before().ends_with(['一', '二', '三', '四', '五', '六'])
        && ["周", "星期", "礼拜"].iter().any(|word| found.right().starts_with(word));
    ((counts && ends) || week).then(|| "到".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn scores_ranges_and_sums() {
        assert_read(&[
            ("比分3:2", "比分三比二"),
            ("主队以21:15领先", "主队以二十一比十五领先"),
            ("日本2-0获胜", "日本二比零获胜"),
            ("按1:3兑水", "按一比三兑水"),
            ("需要3-5天", "需要三到五天"),
            ("周一-周五", "周一到周五"),
            ("20~25度", "二十到二十五度"),
            ("2-3个", "两到三个"),
            ("还剩3/4", "还剩四分之三"),
            ("-1/2", "负二分之一"),
            ("2分之1", "二分之一"),
            ("7-3=4", "七减三等于四"),
            ("6×7=42", "六乘七等于四十二"),
            ("3-5平方公里", "三到五平方公里"),
            ("1:2:3", "一比二比三"),
            ("2^3", "二的三次方"),
            ("12微克/立方米", "十二微克每立方米"),
            ("x^2", "x的平方"),
            ("100±5", "一百正负五"),
            ("3 < 5", "三小于五"),
            ("≥60岁", "大于等于六十岁"),
            ("E=mc²", "E等于mc的平方"),
            ("x+2=5", "x加二等于五"),
        ]);
    }
}
