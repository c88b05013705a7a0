//! Language tags as people and programs write them.

/// Older and wider names of a language, and the one that sentences are filed under.
const ALSO: &[(&str, &str)] = &[
    ("zh", "zh-CN"),
    ("zh-hans", "zh-CN"),
    ("zh-sg", "zh-CN"),
    ("cmn", "zh-CN"),
    ("zh-hant", "zh-TW"),
    ("zh-mo", "zh-HK"),
    ("yue", "zh-HK"),
    ("zh-hans-hk", "zh-CN"),
    ("zh-hant-hk", "zh-HK"),
    ("no", "nb"),
    ("nn", "nb"),
    ("iw", "he"),
    ("in", "id"),
    ("sr-cyrl", "sr"),
    ("sh", "sr-Latn"),
    ("fil", "tl"),
];

/// The tag among `known` that is meant by `wanted`: case and `_` do not matter, and what is more
/// exact than any (`en-GB`, `sr-Latn-RS`) is the next wider one. `None` when there is none.
///
/// ```
/// use hearken::intent::closest_tag;
///
/// let known = ["en", "pt", "pt-BR", "sr", "sr-Latn", "zh-CN", "zh-TW"];
/// assert_eq!(closest_tag("zh_CN", &known), Some("zh-CN"));
/// assert_eq!(closest_tag("en-US", &known), Some("en"));
/// assert_eq!(closest_tag("tlh", &known), None);
/// ```
#[must_use]
pub fn closest_tag<'a>(wanted: &str, known: &[&'a str]) -> Option<&'a str> {
    let wanted = wanted.trim().replace('_', "-").to_ascii_lowercase();
    // A locale may say its encoding too: `de_DE.UTF-8`, `ca@valencia`.
    let mut tag = wanted.split(['.', '@']).next().unwrap_or_default();
    loop {
        let find = |tag: &str| known.iter().find(|own| own.eq_ignore_ascii_case(tag)).copied();
        let also = || ALSO.iter().find(|(other, _)| *other == tag).and_then(|(_, own)| find(own));
        if let Some(found) = find(tag).or_else(also) {
            return Some(found);
        }
        (tag, _) = tag.rsplit_once('-')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_however_they_are_written() {
        let known = [
            "de", "de-CH", "en", "he", "nb", "pt", "pt-BR", "sr", "sr-Latn", "zh-CN", "zh-HK",
            "zh-TW",
        ];
        let cases = [
            ("zh-CN", Some("zh-CN")),
            ("zh_CN", Some("zh-CN")),
            ("zh", Some("zh-CN")),
            ("zh-Hans-CN", Some("zh-CN")),
            ("zh-Hant-TW", Some("zh-TW")),
            ("zh-Hant-HK", Some("zh-HK")),
            ("ZH-tw", Some("zh-TW")),
            ("pt-BR", Some("pt-BR")),
            ("pt-PT", Some("pt")),
            ("en", Some("en")),
            ("en_US.UTF-8", Some("en")),
            ("de-CH", Some("de-CH")),
            ("de-AT", Some("de")),
            ("sr-latn", Some("sr-Latn")),
            ("sr-Latn-RS", Some("sr-Latn")),
            ("sr-Cyrl", Some("sr")),
            ("no", Some("nb")),
            ("nn-NO", Some("nb")),
            ("iw", Some("he")),
            ("xx", None),
            ("", None),
            ("-", None),
            ("english", None),
        ];
        for (wanted, expected) in cases {
            assert_eq!(closest_tag(wanted, &known), expected, "{wanted:?}");
        }
    }
}
