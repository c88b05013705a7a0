//! Numbers that are read one digit at a time: telephones with 幺, addresses of computers and codes without.

use super::super::Kind::{Serial, Telephone};
use super::super::scan::{Found, Spec, Starts, is_han};
use super::number::{digits, phone_digits};

pub(super) const RULES: &[Spec] = &[
    // 192.168.0.1
    Spec(
        Telephone,
        Starts::Number,
        r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?::[0-9]{1,5})?",
        dotted,
    ),
    // v2.4.1, 版本2.4.1
    Spec(Serial, Starts::Number, r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,6}", version),
    // +86 138 0013 8000, +86-13800138000
    Spec(Telephone, Starts::Symbol, r"\+[0-9]{1,3}[- ]?[0-9]{2,4}(?:[- ]?[0-9]{3,4}){2,3}", phone),
    // 86-13800138000
    Spec(Telephone, Starts::Number, r"86[- ]1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}", phone),
    // 138 0013 8000, 13800138000
    Spec(Telephone, Starts::Number, r"1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}", phone),
    // 400-820-8820, 800-810-1234
    Spec(Telephone, Starts::Number, r"[48]00[- ]?[0-9]{3,4}[- ]?[0-9]{3,4}", phone),
    // 010-12345678, (021)1234-5678, with an extension
    Spec(
        Telephone,
        Starts::Any,
        r"[(（]?(0[0-9]{2,3})[)）]?[- ]?[0-9]{3,4}[- ]?[0-9]{4}(?:-[0-9]{1,6})?",
        landline,
    ),
    // 110, 12306: by what they are or by what is said around them
    Spec(Telephone, Starts::Number, r"[0-9]{3,12}", named),
    // 9·11, 3·15
    Spec(Serial, Starts::Number, r"([0-9]{1,2})[·•.]([0-9]{1,2})", day_name),
    // Numbers of documents: too long to count with.
    Spec(Serial, Starts::Number, r"[0-9]{13,40}[Xx]?", document),
    Spec(Telephone, Starts::Number, r"[0-9]{3,4}-[0-9]{4}(?:-[0-9]{4})?", hyphened),
];

const SERVICES: &[&str] = &[
    "110", "119", "120", "122", "114", "112", "911", "10086", "10010", "10000", "12306", "12345",
    "12315",
];
const CALLS: &[&str] =
    &["电话", "手机", "拨打", "致电", "热线", "号码", "传真", "联系", "呼叫", "打给", "拨"];
const CODES: &[&str] = &[
    "尾号",
    "编号",
    "卡号",
    "账号",
    "帐号",
    "密码",
    "验证码",
    "代码",
    "邮编",
    "航班",
    "车牌",
    "房间号",
    "学号",
    "工号",
    "单号",
    "身份证",
    "QQ",
    "微信",
    "序列号",
    "会员号",
    "群号",
    "房间",
];
/// What happened or is celebrated on a day is named by its figures: 911事件, 618购物节.
const NAMED_BY_DAY: &[&str] = &["事件", "购物节", "大促", "晚会", "事变", "运动", "地震", "活动"];

fn about(found: &Found<'_>, words: &[&str]) -> bool {
    let left = found.left();
    words.iter().any(|word| left.contains(word))
}

fn dotted(found: &Found<'_>) -> Option<String> {
    // A port has a sign of its own.
    let (host, port) = found.group(0).split_once(':').unwrap_or((found.group(0), ""));
    let host = host.split('.').map(digits).collect::<Vec<_>>().join("点");
    let colon = if port.is_empty() { "" } else { "冒号" };
    found.is_whole().then(|| format!("{host}{colon}{}", digits(port)))
}

fn version(found: &Found<'_>) -> Option<String> {
    let apart = !matches!(found.next(), Some('.')) && found.ends_clean();
    let said = found.left().trim_end().ends_with(['v', 'V', '本', '.'])
        || found.left().contains("版本")
        || found.right().starts_with("版")
        || found.left().to_ascii_lowercase().contains("version");
    (apart && said).then(|| version_words(found.group(0)))
}

fn version_words(text: &str) -> String {
    text.split('.').map(super::number::cardinal).collect::<Vec<_>>().join("点")
}

fn phone(found: &Found<'_>) -> Option<String> {
    let plus = if found.group(0).starts_with('+') { "加" } else { "" };
    let apart = found.is_whole() && found.next() != Some('.');
    apart.then(|| format!("{plus}{}", phone_digits(found.group(0))))
}

/// An area code reads its 1 as 一 unless the sentence says that this is a telephone.
fn landline(found: &Found<'_>) -> Option<String> {
    if !found.is_whole() || found.next() == Some('.') {
        return None;
    }
    let text = found.group(0);
    Some(if about(found, CALLS) { phone_digits(text) } else { digits(text) })
}

fn named(found: &Found<'_>) -> Option<String> {
    let text = found.group(0);
    let right = found.right();
    if !found.is_whole()
        || (matches!(found.next(), Some('.' | ',' | '%'))
            && right[1..].starts_with(|c: char| c.is_ascii_digit()))
    {
        return None;
    }
    let (left, whole) =
        (found.left(), found.before().trim().is_empty() && found.after().trim().is_empty());
    if CODES.iter().any(|word| left.contains(word)) {
        return Some(digits(text));
    }
    // Rooms are called by their figures.
    let room = |after: &str| {
        ["室", "号房", "房间", "会议室", "教室", "病房", "包间", "包厢", "宿舍", "办公室"]
            .iter()
            .any(|word| after.starts_with(word))
    };
    // 101-105房间: both ends are rooms.
    let end = right.strip_prefix(['-', '~', '到', '至', '、', '和']);
    let last = end.map_or("", |end| end.trim_start_matches(|c: char| c.is_ascii_digit()));
    if matches!(text.len(), 3 | 4)
        && (room(right) || end.is_some_and(|e| e.len() > last.len()) && room(last))
    {
        return Some(digits(text));
    }
    // So are trains (G1024次), lanes (1502弄), and the flat behind its building (12栋1203).
    if found.right().starts_with('弄') && text.len() > 2
        || text.len() < 5 && ["栋", "单元", "座"].iter().any(|word| left.ends_with(word))
    {
        return Some(digits(text));
    }
    if text.len() == 3 && NAMED_BY_DAY.iter().any(|word| right.starts_with(word)) {
        return Some(digits(text));
    }
    // The extension behind a telephone number.
    if text.len() < 6
        && (left.ends_with('转') || left.ends_with("分机"))
        && !right.starts_with(is_han)
    {
        return Some(phone_digits(text));
    }
    let service = SERVICES.contains(&text);
    let called = about(found, CALLS)
        || right.contains("电话")
        || right.contains("热线")
        || left.ends_with('打');
    let emergency = ["110", "119", "120", "122", "911"].contains(&text);
    // "打了110个电话" counts; a measure word right after says so.
    let counts = right.starts_with([
        '个', '次', '元', '部', '通', '台', '万', '亿', '分', '块', '米', '人', '多', '余', '年',
        '月', '天', '条',
    ]);
    let alone = whole && service && text != "10000" && text != "120";
    let called = called && (service || text.len() >= 5) && !counts;
    (called || alone || (emergency && left.ends_with("报警"))).then(|| phone_digits(text))
}

fn day_name(found: &Found<'_>) -> Option<String> {
    let event = NAMED_BY_DAY
        .iter()
        .any(|word| found.right().trim_start_matches(['”', '"']).starts_with(word));
    let apart = found.is_whole() && !matches!(found.next(), Some('·' | '.'));
    (apart && event).then(|| format!("{}{}", digits(found.group(1)), digits(found.group(2))))
}

fn document(found: &Found<'_>) -> Option<String> {
    let clear = found.is_whole() && !matches!(found.next(), Some('.' | ','));
    let last = if found.group(0).ends_with(['X', 'x']) { "X" } else { "" };
    clear.then(|| format!("{}{last}", digits(found.group(0))))
}

fn hyphened(found: &Found<'_>) -> Option<String> {
    (found.is_whole() && about(found, CALLS)).then(|| phone_digits(found.group(0)))
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn digits_one_by_one() {
        assert_read(&[
            ("我的手机号是13912345678", "我的手机号是幺三九幺二三四五六七八"),
            ("电话：010-65551234", "电话：零幺零六五五五幺二三四"),
            ("请拨打10086", "请拨打幺零零八六"),
            ("热线400-810-1234", "热线四零零八幺零幺二三四"),
            ("着火了打119", "着火了打幺幺九"),
            ("打了110个电话", "打了一百一十个电话"),
            ("一共110个", "一共一百一十个"),
            ("地址是192.168.1.10", "地址是一九二点一六八点一点一零"),
            ("127.0.0.1:80", "一二七点零点零点一冒号八零"),
            ("86-13912345678", "八六幺三九幺二三四五六七八"),
            ("12栋1203", "十二栋一二零三"),
            ("延安路1502弄", "延安路一五零二弄"),
            ("版本2.10.3", "版本二点十点三"),
            ("住在301室", "住在三零一室"),
            ("204会议室", "二零四会议室"),
            ("打开101-105房间的灯", "打开一零一到一零五房间的灯"),
            ("电话65551234转801", "电话六五五五幺二三四转八零幺"),
            ("验证码4821", "验证码四八二一"),
            ("尾号1234的卡", "尾号一二三四的卡"),
        ]);
    }
}
