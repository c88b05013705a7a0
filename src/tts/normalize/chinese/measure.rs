//! Numbers with a unit: percentages before the number, temperatures below zero as 零下, speeds as 每小时….

use super::super::Kind::Measure;
use super::super::scan::{Found, Spec, Starts};
use super::number::{counted, number};

pub(super) const RULES: &[Spec] = &[
    Spec(
        Measure,
        Starts::Number,
        r"([-+±]?%NUM%)\s?[%％]?\s?[-~—–～至到]\s?(%NUM%)\s?([%％‰])",
        percent_range,
    ),
    Spec(Measure, Starts::Number, r"([-+±]?%NUM%)\s?([%％‰])", percent),
    Spec(
        Measure,
        Starts::Number,
        r"([-+±]?)(%NUM%)\s?(?:℃|°\s?[CF]|℉|摄氏度|华氏度|度|°)?\s?(?:[-~—–～至到])\s?([-+±]?)(%NUM%)\s?(℃|°\s?C|℉|°\s?F|摄氏度|华氏度|°|度)",
        temperatures,
    ),
    Spec(
        Measure,
        Starts::Number,
        r"([-+±]?)(%NUM%)\s?(℃|°\s?C|º\s?C|℉|°\s?F|º\s?F|摄氏度|华氏度|°|度)",
        temperature,
    ),
    Spec(
        Measure,
        Starts::Number,
        r"([-+±]?%NUM%)(?:\s?[-~—–～至到]\s?(%NUM%))?\s?(%MAG%|[wW])?\s?([A-Za-zµμΩ]{1,6}[²³23]?)/([A-Za-z]{1,5}(?:[²³]|[23]\b)?)",
        ratio,
    ),
    Spec(
        Measure,
        Starts::Number,
        r"([-+±]?%NUM%)\s?(%MAG%|[wW])?\s?((?:km|cm|mm|dm|m)[23]\b|[A-Za-zµμΩ]{1,6}[²³]?|㎡|㎥|㎞|㎝|㎜|㎏|㎎)",
        unit,
    ),
];

const UNITS: &[(&str, &str)] = &[
    ("km", "公里"),
    ("KM", "公里"),
    ("Km", "公里"),
    ("㎞", "公里"),
    ("m", "米"),
    ("dm", "分米"),
    ("cm", "厘米"),
    ("㎝", "厘米"),
    ("mm", "毫米"),
    ("㎜", "毫米"),
    ("μm", "微米"),
    ("µm", "微米"),
    ("um", "微米"),
    ("nm", "纳米"),
    ("km²", "平方千米"),
    ("km2", "平方千米"),
    ("m²", "平方米"),
    ("m2", "平方米"),
    ("㎡", "平方米"),
    ("cm²", "平方厘米"),
    ("cm2", "平方厘米"),
    ("mm²", "平方毫米"),
    ("mm2", "平方毫米"),
    ("dm²", "平方分米"),
    ("m³", "立方米"),
    ("m3", "立方米"),
    ("㎥", "立方米"),
    ("cm³", "立方厘米"),
    ("cm3", "立方厘米"),
    ("dm³", "立方分米"),
    ("ha", "公顷"),
    ("kg", "千克"),
    ("KG", "千克"),
    ("Kg", "千克"),
    ("㎏", "千克"),
    ("g", "克"),
    ("mg", "毫克"),
    ("㎎", "毫克"),
    ("μg", "微克"),
    ("µg", "微克"),
    ("ug", "微克"),
    ("t", "吨"),
    ("lb", "磅"),
    ("lbs", "磅"),
    ("oz", "盎司"),
    ("ft", "英尺"),
    ("in", "英寸"),
    ("mi", "英里"),
    ("L", "升"),
    ("l", "升"),
    ("ml", "毫升"),
    ("mL", "毫升"),
    ("h", "小时"),
    ("hr", "小时"),
    ("hrs", "小时"),
    ("min", "分钟"),
    ("mins", "分钟"),
    ("s", "秒"),
    ("sec", "秒"),
    ("ms", "毫秒"),
    ("μs", "微秒"),
    ("µs", "微秒"),
    ("us", "微秒"),
    ("ns", "纳秒"),
    ("Hz", "赫兹"),
    ("hz", "赫兹"),
    ("kHz", "千赫兹"),
    ("MHz", "兆赫兹"),
    ("GHz", "吉赫兹"),
    ("V", "伏"),
    ("kV", "千伏"),
    ("mV", "毫伏"),
    ("A", "安"),
    ("mA", "毫安"),
    ("mAh", "毫安时"),
    ("W", "瓦"),
    ("kW", "千瓦"),
    ("MW", "兆瓦"),
    ("kWh", "千瓦时"),
    ("Wh", "瓦时"),
    ("J", "焦耳"),
    ("kJ", "千焦"),
    ("cal", "卡"),
    ("kcal", "千卡"),
    ("Pa", "帕"),
    ("kPa", "千帕"),
    ("hPa", "百帕"),
    ("dB", "分贝"),
    ("Ω", "欧姆"),
    ("lm", "流明"),
];

/// What else has a name. Nobody says 吉字节: the letters of GB and the like stay as they are.
const DATA: &[(&str, &str)] = &[
    ("kbps", "千比特每秒"),
    ("Mbps", "兆比特每秒"),
    ("Gbps", "吉比特每秒"),
    ("bps", "比特每秒"),
    ("lx", "勒克斯"),
    ("ppm", "ppm"),
    ("rpm", "转每分钟"),
    ("mol", "摩尔"),
    ("N", "牛"),
    ("kN", "千牛"),
    ("mmHg", "毫米汞柱"),
];

fn name(symbol: &str) -> Option<&'static str> {
    UNITS.iter().chain(DATA).find(|(unit, _)| *unit == symbol).map(|(_, name)| *name)
}

fn magnitude(text: &str) -> &str {
    if matches!(text, "w" | "W") { "万" } else { text }
}

/// A minus between two numbers is no sign.
fn sign_is_sign(found: &Found<'_>) -> bool {
    !(found.group(0).starts_with(['-', '+'])
        && found.previous().is_some_and(|c| c.is_ascii_digit() || matches!(c, '%' | '℃' | '°')))
        && (found.starts_clean() || found.goes_on_from_time())
}

fn percent_range(found: &Found<'_>) -> Option<String> {
    let of = if found.group(3) == "‰" { "千分之" } else { "百分之" };
    sign_is_sign(found)
        .then(|| format!("{of}{}到{of}{}", number(found.group(1)), number(found.group(2))))
}

fn percent(found: &Found<'_>) -> Option<String> {
    if !sign_is_sign(found) {
        return None;
    }
    let of = if found.group(2) == "‰" { "千分之" } else { "百分之" };
    let text = found.group(1);
    let sign = match text.chars().next() {
        Some('-') => "负",
        Some('+') => "正",
        Some('±') => "正负",
        _ => "",
    };
    Some(format!("{sign}{of}{}", number(text.trim_start_matches(['-', '+', '±']))))
}

fn temperature(found: &Found<'_>) -> Option<String> {
    if !sign_is_sign(found) {
        return None;
    }
    let (sign, value) = (found.group(1), number(found.group(2)));
    let unit = match found.group(3) {
        "度" => "度",
        "℉" | "华氏度" => "华氏度",
        unit if unit.ends_with('F') => "华氏度",
        "°" | "º" => "度",
        _ => "摄氏度",
    };
    Some(format!("{}{value}{unit}", below(sign)))
}

/// What the sign of a temperature is called.
fn below(sign: &str) -> &str {
    match sign {
        "-" => "零下",
        "+" => "零上",
        "±" => "正负",
        other => other,
    }
}

fn temperatures(found: &Found<'_>) -> Option<String> {
    let unit = match found.group(5) {
        "度" | "°" => "度",
        "℉" | "华氏度" => "华氏度",
        unit if unit.ends_with('F') => "华氏度",
        _ => "摄氏度",
    };
    let (from, to) = (number(found.group(2)), number(found.group(4)));
    sign_is_sign(found)
        .then(|| format!("{}{from}到{}{to}{unit}", below(found.group(1)), below(found.group(3))))
}

fn ratio(found: &Found<'_>) -> Option<String> {
    if !sign_is_sign(found) || !found.ends_clean() {
        return None;
    }
    let (above, below) = (name(found.group(4))?, name(found.group(5))?);
    let mut amount = counted(found.group(1));
    if !found.group(2).is_empty() {
        amount = format!("{amount}到{}", counted(found.group(2)));
    }
    amount.push_str(magnitude(found.group(3)));
    // Speeds put the time first; other ratios keep their order.
    Some(if ["小时", "秒", "分钟", "毫秒"].contains(&below) {
        format!("每{below}{amount}{above}")
    } else {
        format!("{amount}{above}每{below}")
    })
}

fn unit(found: &Found<'_>) -> Option<String> {
    let symbol = found.group(3);
    let name = name(symbol)?;
    // 1h30min goes on; anything else that touches makes it a name (5Ghz7).
    let goes_on = found.next().is_some_and(|c| c.is_ascii_digit())
        && ["小时", "分钟", "秒", "米"].contains(&name);
    (sign_is_sign(found) && (found.ends_clean() || goes_on))
        .then(|| format!("{}{}{name}", counted(found.group(1)), magnitude(found.group(2))))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn measures() {
        assert_read(&[
            ("湿度45%", "湿度百分之四十五"),
            ("涨了-2.5%", "涨了负百分之二点五"),
            ("10-20%", "百分之十到百分之二十"),
            ("室外-3℃,室内21.5°C", "室外零下三摄氏度,室内二十一点五摄氏度"),
            ("2-5℃", "二到五摄氏度"),
            ("气温-10到-5度", "气温零下十到零下五度"),
            ("涨了+3.5%", "涨了正百分之三点五"),
            ("水温37度", "水温三十七度"),
            ("风速3km/h", "风速每小时三公里"),
            ("每秒2 m/s", "每秒每秒两米"),
            ("跑了2km", "跑了两公里"),
            ("风速3-5m/s", "风速每秒三到五米"),
            ("50-60°F", "五十到六十华氏度"),
            ("16GB内存", "十六GB内存"),
            ("20m2的房间", "二十平方米的房间"),
            ("面积90m²", "面积九十平方米"),
            ("时长1h30min", "时长一小时三十分钟"),
            ("功率1.5kW", "功率一点五千瓦"),
            ("浓度3mg/L", "浓度三毫克每升"),
        ]);
    }
}
