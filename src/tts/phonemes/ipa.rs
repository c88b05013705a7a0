//! Pinyin syllables in the phonetic symbols that Kokoro's Mandarin voices were taught with.
//!
//! The values are those of misaki's first Chinese front end: one symbol for every initial, glide and
//! rhyme, and the tone as an arrow behind the vowel (→ ↗ ↓ ↘, nothing for the neutral tone).

/// The phonemes of one syllable with tone digit (`hang2`, `lv4`); `None` for what is no syllable.
pub(in super::super) fn syllable(pinyin: &str) -> Option<String> {
    let (body, tone) = match pinyin.as_bytes().last()? {
        digit @ b'1'..=b'5' => (&pinyin[..pinyin.len() - 1], *digit),
        _ => (pinyin, b'5'),
    };
    let arrow = match tone {
        b'1' => "→",
        b'2' => "↗",
        b'3' => "↓",
        b'4' => "↘",
        _ => "",
    };
    // Interjections and syllables without a vowel stand outside the scheme.
    let whole = match body {
        "er" | "r" => "ɚ0",
        "o" => "ɔ0",
        "ê" => "ɛ0",
        "yo" => "jɔ0",
        "m" => "m0",
        "n" => "n0",
        "ng" => "ŋ0",
        "hm" => "hm0",
        "hng" => "hŋ0",
        _ => "",
    };
    if !whole.is_empty() {
        return Some(whole.replace('0', arrow));
    }
    let (initial, rest) = initial(body);
    let rhyme = match (initial, rest) {
        ("ꭧ" | "ꭧʰ" | "ʂ" | "ɻ" | "ʦ" | "ʦʰ" | "s", "i") => "ɨ0",
        ("ʨ" | "ʨʰ" | "ɕ", u) if u.starts_with('u') => rhyme(&format!("v{}", &u[1..]))?,
        ("", _) => standing_alone(body)?,
        _ => rhyme(rest)?,
    };
    Some(format!("{initial}{}", rhyme.replace('0', arrow)))
}

fn initial(body: &str) -> (&'static str, &str) {
    const INITIALS: [(&str, &str); 21] = [
        ("zh", "ꭧ"),
        ("ch", "ꭧʰ"),
        ("sh", "ʂ"),
        ("b", "p"),
        ("p", "pʰ"),
        ("m", "m"),
        ("f", "f"),
        ("d", "t"),
        ("t", "tʰ"),
        ("n", "n"),
        ("l", "l"),
        ("g", "k"),
        ("k", "kʰ"),
        ("h", "x"),
        ("j", "ʨ"),
        ("q", "ʨʰ"),
        ("x", "ɕ"),
        ("r", "ɻ"),
        ("z", "ʦ"),
        ("c", "ʦʰ"),
        ("s", "s"),
    ];
    INITIALS
        .iter()
        .find_map(|(letters, symbol)| body.strip_prefix(letters).map(|rest| (*symbol, rest)))
        .unwrap_or(("", body))
}

/// Syllables that begin with their rhyme are spelled with y and w.
fn standing_alone(body: &str) -> Option<&'static str> {
    let spelled = match body {
        "yi" => "i".to_owned(),
        "yin" | "ying" => body[1..].to_owned(),
        "you" => "iu".to_owned(),
        "wu" => "u".to_owned(),
        "wei" => "ui".to_owned(),
        "wen" => "un".to_owned(),
        "weng" => "ueng".to_owned(),
        _ => match body.split_at_checked(1) {
            Some(("y", rest)) if rest.starts_with('u') => format!("v{}", &rest[1..]),
            Some(("y", "ong")) => "iong".to_owned(),
            Some(("y", rest)) if rest.starts_with(['a', 'e']) => format!("i{rest}"),
            Some(("w", rest)) if rest.starts_with(['a', 'o']) => format!("u{rest}"),
            _ => body.to_owned(),
        },
    };
    rhyme(&spelled)
}

fn rhyme(spelled: &str) -> Option<&'static str> {
    Some(match spelled {
        "a" => "a0",
        "ai" => "ai0",
        "an" => "a0n",
        "ang" => "a0ŋ",
        "ao" => "au0",
        "e" => "ɤ0",
        "ei" => "ei0",
        "en" => "ə0n",
        "eng" => "ə0ŋ",
        "i" => "i0",
        "ia" => "ja0",
        "ian" => "jɛ0n",
        "iang" => "ja0ŋ",
        "iao" => "jau0",
        "ie" => "je0",
        "in" => "i0n",
        "iu" | "iou" => "jou0",
        "ing" => "i0ŋ",
        "iong" => "jʊ0ŋ",
        "ong" => "ʊ0ŋ",
        "ou" => "ou0",
        "u" => "u0",
        "ui" | "uei" => "wei0",
        "ua" => "wa0",
        "uai" => "wai0",
        "uan" => "wa0n",
        "un" | "uen" => "wə0n",
        "uang" => "wa0ŋ",
        "ueng" => "wə0ŋ",
        "uo" | "o" => "wo0",
        "v" => "y0",
        "ve" | "ue" => "ɥe0",
        "van" => "ɥɛ0n",
        "vn" => "y0n",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_have_their_symbols() {
        let cases = [
            ("ni3", "ni↓"),
            ("hao3", "xau↓"),
            ("zhong1", "ꭧʊ→ŋ"),
            ("guo2", "kwo↗"),
            ("shi4", "ʂɨ↘"),
            ("si4", "sɨ↘"),
            ("ri4", "ɻɨ↘"),
            ("yu3", "y↓"),
            ("yuan2", "ɥɛ↗n"),
            ("yun2", "y↗n"),
            ("yue4", "ɥe↘"),
            ("lv4", "ly↘"),
            ("lve4", "lɥe↘"),
            ("jue2", "ʨɥe↗"),
            ("xu1", "ɕy→"),
            ("quan2", "ʨʰɥɛ↗n"),
            ("you3", "jou↓"),
            ("liu2", "ljou↗"),
            ("wei4", "wei↘"),
            ("dui4", "twei↘"),
            ("wen2", "wə↗n"),
            ("sun1", "swə→n"),
            ("ying1", "i→ŋ"),
            ("yong4", "jʊ↘ŋ"),
            ("ye3", "je↓"),
            ("yan2", "jɛ↗n"),
            ("bo1", "pwo→"),
            ("wo3", "wo↓"),
            ("er2", "ɚ↗"),
            ("r5", "ɚ"),
            ("o4", "ɔ↘"),
            ("ng2", "ŋ↗"),
            ("de5", "tɤ"),
            ("ma", "ma"),
        ];
        for (pinyin, symbols) in cases {
            assert_eq!(syllable(pinyin).as_deref(), Some(symbols), "{pinyin}");
        }
        for wrong in ["", "xyz1", "4", "b3", "hello", "y1", "wi2", "we3", "yn4"] {
            assert_eq!(syllable(wrong), None, "{wrong}");
        }
    }
}
