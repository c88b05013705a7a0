//! Money: the sign before the number is spoken after it ($13.5 → 十三点五美元).

use super::super::Kind::Money;
use super::super::scan::{Found, Spec, Starts};
use super::number::counted;

pub(super) const RULES: &[Spec] = &[
    Spec(
        Money,
        Starts::Any,
        r"(-?)((?i:US|HK|NT|A|C|S|NZ)?\$|[￥¥€£₩₽฿₹]|(?i:RMB|CNY|HKD|USD|EUR|GBP|JPY|AUD|CAD|TWD|KRW|SGD|CHF|THB|INR|RUB|NZD))\s?(%NUM%)\s?(%MAG%|[wWkKmMbB]\b)?(?:(\s?[-~—–～]\s?)[$￥¥€£]?(%NUM%)(%MAG%)?)?(?:元|美元|人民币)?(/(?:年|月|天|小时|人|个|次|斤))?",
        sign_first,
    ),
    Spec(
        Money,
        Starts::Number,
        r"(%NUM%)\s?(%MAG%|[wWkK])?\s?(?i:(RMB|CNY|HKD|USD|EUR|GBP|JPY|AUD|CAD|TWD|KRW|SGD|CHF|THB|INR|RUB|NZD)\b|([￥¥€£$]))",
        sign_last,
    ),
];

fn name(sign: &str) -> Option<&'static str> {
    Some(match sign.to_ascii_uppercase().as_str() {
        "￥" | "¥" | "RMB" | "CNY" => "元",
        "$" | "US$" | "USD" => "美元",
        "€" | "EUR" => "欧元",
        "£" | "GBP" => "英镑",
        "HK$" | "HKD" => "港元",
        "A$" | "AUD" => "澳元",
        "C$" | "CAD" => "加元",
        "NT$" | "TWD" => "新台币",
        "S$" | "SGD" => "新加坡元",
        "NZ$" | "NZD" => "新西兰元",
        "CHF" => "瑞士法郎",
        "JPY" => "日元",
        "₩" | "KRW" => "韩元",
        "₽" | "RUB" => "卢布",
        "฿" | "THB" => "泰铢",
        "₹" | "INR" => "印度卢比",
        _ => return None,
    })
}

fn magnitude(text: &str) -> &str {
    match text {
        "w" | "W" => "万",
        "k" | "K" => "千",
        "m" | "M" => "百万",
        "b" | "B" => "十亿",
        other => other,
    }
}

/// An amount loses the decimals that say nothing: 5.00 is 5.
fn amount(text: &str) -> String {
    let text = match text.split_once('.') {
        Some((front, decimals)) if decimals.chars().all(|c| c == '0') => front,
        _ => text,
    };
    counted(text)
}

fn sign_first(found: &Found<'_>) -> Option<String> {
    let name = name(found.group(2)).filter(|_| found.starts_clean())?;
    let minus = if found.group(1).is_empty() { "" } else { "负" };
    let mut out = format!("{minus}{}{}", amount(found.group(3)), magnitude(found.group(4)));
    if !found.group(6).is_empty() {
        out = format!("{out}到{}{}", amount(found.group(6)), magnitude(found.group(7)));
    }
    let per = found.group(8).trim_start_matches('/');
    let per = if per.is_empty() { String::new() } else { format!("每{per}") };
    Some(format!("{out}{name}{per}"))
}

fn sign_last(found: &Found<'_>) -> Option<String> {
    let sign = if found.group(3).is_empty() { found.group(4) } else { found.group(3) };
    let name = name(sign).filter(|_| found.starts_clean())?;
    if found.group(3).is_empty() && found.next().is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    Some(format!("{}{}{name}", amount(found.group(1)), magnitude(found.group(2))))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn money() {
        assert_read(&[
            ("售价￥2999", "售价两千九百九十九元"),
            ("¥5.00", "五元"),
            ("$2.5亿", "二点五亿美元"),
            ("只要€2", "只要两欧元"),
            ("HK$88", "八十八港元"),
            ("100USD", "一百美元"),
            ("CHF20", "二十瑞士法郎"),
            ("￥50-￥100", "五十到一百元"),
            ("2元", "两元"),
            ("3块5", "三块五"),
            ("12.5元/斤", "十二点五元每斤"),
        ]);
    }
}
