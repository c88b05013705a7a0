//! Addresses of machines and people: letters stay, dots and signs get their names, a URL is spoken as its host.

use super::super::Kind::Electronic;
use super::super::scan::{Found, Spec, Starts};
use super::number::digits;

pub(super) const RULES: &[Spec] = &[
    Spec(
        Electronic,
        Starts::Letter,
        r"(?i)(?:https?|ftp)://(?:www\.)?([A-Za-z0-9.-]{1,100})(?:[:/?#][!-~]{0,160})?",
        host,
    ),
    Spec(
        Electronic,
        Starts::Letter,
        r"(?i)www\.([A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,5})(?:[/?#][!-~]{0,160})?",
        host,
    ),
    Spec(
        Electronic,
        Starts::Any,
        r"[A-Za-z0-9][A-Za-z0-9._+-]{0,60}@[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,30}){1,5}",
        spelled,
    ),
    Spec(
        Electronic,
        Starts::Letter,
        r"(?i)[A-Za-z0-9-]{2,60}(?:\.[A-Za-z0-9-]{2,60}){0,3}\.(?:com|org|net|cn|io|edu|gov|cc|tv|ai|dev|app)\b",
        spelled,
    ),
];

fn host(found: &Found<'_>) -> Option<String> {
    Some(spell(found.group(1).trim_end_matches('.')))
}

fn spelled(found: &Found<'_>) -> Option<String> {
    found.starts_clean().then(|| spell(found.group(0)))
}

fn spell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '.' => out.push('点'),
            '@' => out.push_str(" at "),
            '-' => out.push('杠'),
            '_' => out.push_str("下划线"),
            '+' => out.push('加'),
            c if c.is_ascii_digit() => out.push_str(&digits(&c.to_string())),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::assert_read;

    #[test]
    fn addresses() {
        assert_read(&[
            ("请看https://www.example.com/a/b?c=1", "请看example点com"),
            ("邮箱li.wei_88@example.cn", "邮箱li点wei下划线八八 at example点cn"),
            ("打开baidu.com", "打开baidu点com"),
        ]);
    }
}
