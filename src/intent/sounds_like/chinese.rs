//! How Chinese characters sound, without their tones, and how near two syllables are.

use std::sync::LazyLock;

use pinyin::ToPinyin;
use pinyin::ToPinyinMulti;

/// Initials, the longest first; a syllable without one begins with its final.
const INITIALS: [&str; 24] = [
    "zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "r",
    "z", "c", "s", "y", "w", "",
];

const FINALS: [&str; 36] = [
    "a", "o", "e", "i", "u", "v", "ai", "ei", "ui", "ao", "ou", "iu", "ie", "ve", "er", "an", "en",
    "in", "un", "vn", "ang", "eng", "ing", "ong", "ia", "iao", "ian", "iang", "iong", "ua", "uo",
    "uai", "uan", "uang", "ue", "van",
];

/// Readings that are not Chinese: letters and digits by their code.
const PLAIN: u16 = 0x8000;

/// Initials that are easily taken for each other.
const NEAR_INITIALS: &[(&str, &str, f32)] = &[
    ("zh", "z", 0.1),
    ("sh", "s", 0.1),
    ("ch", "c", 0.1),
    ("n", "l", 0.12),
    ("f", "h", 0.15),
    ("l", "r", 0.2),
    ("zh", "j", 0.25),
    ("ch", "q", 0.25),
    ("sh", "x", 0.25),
    ("z", "j", 0.3),
    ("c", "q", 0.3),
    ("s", "x", 0.3),
    ("b", "p", 0.2),
    ("d", "t", 0.2),
    ("g", "k", 0.2),
    ("zh", "ch", 0.25),
    ("j", "q", 0.22),
    ("z", "c", 0.25),
    ("j", "x", 0.3),
    ("q", "x", 0.3),
    ("ch", "sh", 0.3),
    ("c", "s", 0.3),
    ("k", "h", 0.3),
    ("m", "n", 0.25),
    ("w", "h", 0.35),
    ("y", "", 0.15),
    ("w", "", 0.2),
    ("r", "y", 0.3),
    ("g", "h", 0.4),
    ("m", "b", 0.35),
];

/// Finals that are easily taken for each other.
const NEAR_FINALS: &[(&str, &str, f32)] = &[
    ("an", "ang", 0.1),
    ("en", "eng", 0.1),
    ("in", "ing", 0.1),
    ("ian", "iang", 0.12),
    ("uan", "uang", 0.12),
    ("un", "ong", 0.3),
    ("eng", "ong", 0.2),
    ("ing", "eng", 0.25),
    ("in", "en", 0.25),
    ("ai", "ei", 0.25),
    ("ao", "ou", 0.25),
    ("uo", "o", 0.05),
    ("uo", "ou", 0.2),
    ("e", "uo", 0.3),
    ("ui", "ei", 0.15),
    ("iu", "ou", 0.2),
    ("ie", "e", 0.3),
    ("u", "v", 0.15),
    ("i", "v", 0.2),
    ("ve", "ie", 0.2),
    ("ue", "ve", 0.0),
    ("ia", "a", 0.2),
    ("ua", "a", 0.2),
    ("iao", "ao", 0.2),
    ("uan", "an", 0.2),
    ("uang", "ang", 0.2),
    ("iang", "ang", 0.2),
    ("ian", "an", 0.25),
    ("vn", "in", 0.2),
    ("vn", "un", 0.1),
    ("van", "uan", 0.05),
    ("van", "ian", 0.2),
    ("i", "e", 0.3),
    ("an", "ai", 0.3),
    ("u", "ou", 0.3),
    ("e", "er", 0.25),
    ("uai", "ai", 0.2),
    ("iong", "ong", 0.2),
    ("i", "ie", 0.3),
    ("i", "ei", 0.3),
    ("a", "ai", 0.3),
    ("i", "in", 0.3),
    ("i", "ing", 0.35),
    ("e", "en", 0.3),
    ("u", "uo", 0.3),
    ("an", "en", 0.3),
];

static INITIAL_COSTS: LazyLock<Vec<Vec<f32>>> = LazyLock::new(|| table(&INITIALS, NEAR_INITIALS));
static FINAL_COSTS: LazyLock<Vec<Vec<f32>>> = LazyLock::new(|| table(&FINALS, NEAR_FINALS));

fn table(parts: &[&str], near: &[(&str, &str, f32)]) -> Vec<Vec<f32>> {
    let cost = |a: &str, b: &str| {
        let pair = near.iter().find(|(x, y, _)| (*x, *y) == (a, b) || (*x, *y) == (b, a));
        if a == b { 0.0 } else { pair.map_or(0.5, |(_, _, cost)| *cost) }
    };
    parts.iter().map(|a| parts.iter().map(|b| cost(a, b)).collect()).collect()
}

/// What it costs to hear one syllable for another, from 0 to 1.
pub(super) fn between(a: u16, b: u16) -> f32 {
    if a == b {
        return 0.0;
    }
    if (a | b) & PLAIN != 0 {
        return 1.0;
    }
    let part = |table: &[Vec<f32>], a: u16, b: u16| {
        table.get(usize::from(a)).and_then(|row| row.get(usize::from(b))).copied().unwrap_or(0.5)
    };
    part(&INITIAL_COSTS, a >> 8, b >> 8) + part(&FINAL_COSTS, a & 0xff, b & 0xff)
}

/// The readings of a character; letters, digits and signs stand for themselves.
pub(super) fn readings(c: char) -> Vec<u16> {
    let mut readings: Vec<u16> = Vec::new();
    let mut add = |plain: &str| {
        if let Some(reading) = reading(plain)
            && !readings.contains(&reading)
        {
            readings.push(reading);
        }
    };
    if let Some(first) = c.to_pinyin() {
        add(first.plain());
    }
    if let Some(all) = c.to_pinyin_multi() {
        all.into_iter().for_each(|each| add(each.plain()));
    }
    if readings.is_empty() {
        readings.push(PLAIN | (c as u32 & 0x7fff) as u16);
    }
    readings
}

fn reading(plain: &str) -> Option<u16> {
    let (initial, first) =
        INITIALS.iter().enumerate().find(|(_, initial)| plain.starts_with(**initial))?;
    let rest = plain[first.len()..].replace('ü', "v");
    // j, q, x and y are followed by ü, which is then written u.
    let rest = match (*first, rest.as_str()) {
        ("j" | "q" | "x" | "y", "u") => "v",
        ("j" | "q" | "x" | "y", "ue") => "ve",
        ("j" | "q" | "x" | "y", "un") => "vn",
        ("j" | "q" | "x" | "y", "uan") => "van",
        (_, rest) => rest,
    };
    let last = FINALS.iter().position(|own| *own == rest)?;
    Some((initial << 8 | last) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: char, b: char) -> f32 {
        let (a, b) = (readings(a), readings(b));
        let each = a.iter().flat_map(|a| b.iter().map(|b| between(*a, *b)));
        each.fold(1.0, f32::min)
    }

    #[test]
    fn tones_cost_nothing_and_near_sounds_little() {
        for (a, b) in [('廊', '狼'), ('灯', '等'), ('厅', '听'), ('绿', '率'), ('重', '虫')]
        {
            assert_eq!(near(a, b), 0.0, "{a} {b}");
        }
        for (a, b) in
            [('山', '三'), ('之', '资'), ('吃', '此'), ('牛', '刘'), ('因', '英'), ('飞', '黑')]
        {
            assert!(near(a, b) > 0.0 && near(a, b) < 0.2, "{a} {b}: {}", near(a, b));
        }
        assert!(near('灯', '马') > 0.8);
        assert_eq!(near('T', 'T'), 0.0);
        assert_eq!(near('T', '灯'), 1.0);
    }

    #[test]
    fn every_everyday_character_has_a_reading() {
        for c in '\u{4e00}'..='\u{9fa5}' {
            for each in c.to_pinyin_multi().into_iter().flatten() {
                let plain = each.plain();
                let known = reading(plain).is_some();
                assert!(
                    known || ["m", "n", "ng", "hm", "hng", "yo", "lo", "ê"].contains(&plain),
                    "{c} {plain}"
                );
            }
        }
    }
}
