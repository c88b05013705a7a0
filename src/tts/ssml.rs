//! The part of SSML (W3C Speech Synthesis Markup Language 1.1) that is understood: `break`, `say-as`, `phoneme`,
//! `prosody rate`, `sub`, and `s` and `p` for what they are. Other elements are spoken as if their tags were not there.

use std::collections::BTreeMap;

use roxmltree::Document;
use roxmltree::Node;
use roxmltree::ParsingOptions;

use super::Lexicon;

/// A stretch of text to be spoken in one manner.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Part {
    /// Written text.
    pub(super) text: String,
    /// Factor on the voice's speed.
    pub(super) rate: f32,
    /// Silence in front of it, in milliseconds, instead of what punctuation asks for.
    pub(super) pause_ms: Option<u32>,
}

/// What a marked text consists of.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) parts: Vec<Part>,
    /// The pronunciations that stand in it, for the words they stand at.
    pub(super) said: BTreeMap<String, String>,
}

/// Whether a text is marked up.
pub(super) fn is_marked(text: &str) -> bool {
    text.trim_start().starts_with("<speak") || text.trim_start().starts_with("<?xml")
}

/// Reads a marked text.
///
/// # Errors
/// With the reason, when it is no well-formed XML or an attribute has a value that nobody can follow.
pub(super) fn read(text: &str) -> Result<Marked, String> {
    let options = ParsingOptions { nodes_limit: 20_000, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim(), options)
        .map_err(|e| format!("the SSML is not well-formed: {e}"))?;
    let mut marked = Marked::default();
    walk(document.root_element(), 1.0, 0, &mut marked)?;
    let problems = Lexicon::new(&marked.said).1;
    match problems.first() {
        Some(problem) => Err(problem.replacen("tts.lexicon", "phoneme", 1)),
        None => Ok(marked),
    }
}

fn walk(node: Node<'_, '_>, rate: f32, depth: usize, marked: &mut Marked) -> Result<(), String> {
    if depth > 64 {
        return Err("the SSML is nested more than 64 deep".into());
    }
    for child in node.children() {
        if let Some(text) = child.text().filter(|_| child.is_text()) {
            add(marked, text, rate);
            continue;
        }
        let attribute = |name: &str| child.attribute(name);
        match child.tag_name().name() {
            "break" => {
                let ms = match (attribute("time"), attribute("strength")) {
                    (Some(time), _) => duration(time)?,
                    (None, strength) => strength_ms(strength.unwrap_or("medium"))?,
                };
                marked.parts.push(Part { text: String::new(), rate, pause_ms: Some(ms) });
            }
            "sub" => {
                let alias = attribute("alias").ok_or("<sub> needs an alias")?;
                add(marked, alias, rate);
            }
            "say-as" => {
                let how = attribute("interpret-as").ok_or("<say-as> needs interpret-as")?;
                add(marked, &said_as(&all_text(child), how, attribute("format")), rate);
            }
            "phoneme" => {
                let said = attribute("ph").ok_or("<phoneme> needs ph")?;
                let text = all_text(child);
                let word = text.trim();
                if word.is_empty() {
                    return Err("<phoneme> needs the word between its tags".into());
                }
                marked.said.insert(word.to_owned(), said.to_owned());
                add(marked, &text, rate);
            }
            "prosody" => {
                let faster = attribute("rate").map_or(Ok(1.0), rate_of)?;
                marked.parts.push(Part { rate: rate * faster, ..Part::default() });
                walk(child, rate * faster, depth + 1, marked)?;
                marked.parts.push(Part { rate, ..Part::default() });
            }
            "p" | "s" => {
                walk(child, rate, depth + 1, marked)?;
                add(marked, "\n", rate);
            }
            "metadata" | "meta" | "lexicon" | "desc" => {}
            _ if child.is_element() => walk(child, rate, depth + 1, marked)?,
            _ => {}
        }
    }
    Ok(())
}

/// Adds text to the last part when it is spoken in the same manner.
fn add(marked: &mut Marked, text: &str, rate: f32) {
    match marked.parts.last_mut() {
        Some(last) if (last.rate - rate).abs() < 1e-6 => last.text.push_str(text),
        _ => marked.parts.push(Part { text: text.to_owned(), rate, pause_ms: None }),
    }
}

fn all_text(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|n| n.text()).collect()
}

fn duration(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is no length of a break; write \"500ms\" or \"1.5s\"");
    let (number, factor) = match text.trim().strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (text.trim().strip_suffix('s').ok_or_else(wrong)?, 1000.0),
    };
    let value: f32 = number.trim().parse().map_err(|_| wrong())?;
    if !(0.0..=10_000.0).contains(&(value * factor)) {
        return Err(format!("a break of {text:?} is not between 0 and 10 s"));
    }
    Ok((value * factor) as u32)
}

fn strength_ms(strength: &str) -> Result<u32, String> {
    Ok(match strength {
        "none" => 0,
        "x-weak" => 60,
        "weak" => 120,
        "medium" => 260,
        "strong" => 450,
        "x-strong" => 800,
        _ => return Err(format!("{strength:?} is no strength of a break; \"medium\" is one")),
    })
}

fn rate_of(text: &str) -> Result<f32, String> {
    let wrong = || format!("{text:?} is no rate; write \"slow\", \"120%\" or \"1.2\"");
    let rate = match text.trim() {
        "x-slow" => 0.5,
        "slow" => 0.75,
        "medium" | "default" => 1.0,
        "fast" => 1.3,
        "x-fast" => 1.7,
        number => match number.strip_suffix('%') {
            // "+20%" is added, "120%" is meant as it stands.
            Some(percent) => {
                let value: f32 = percent.parse().map_err(|_| wrong())?;
                let relative = percent.starts_with(['+', '-']);
                value / 100.0 + if relative { 1.0 } else { 0.0 }
            }
            None => number.parse().map_err(|_| wrong())?,
        },
    };
    if (0.25..=4.0).contains(&rate) {
        Ok(rate)
    } else {
        Err(format!("a rate of {text:?} is not between 0.25 and 4"))
    }
}

/// Written text in the form whose usual reading is the one asked for.
fn said_as(text: &str, how: &str, format: Option<&str>) -> String {
    let text = text.trim();
    let apart = |text: &str| -> String {
        let signs = text.chars().filter(|c| !c.is_whitespace());
        signs.map(|c| c.to_uppercase().to_string()).collect::<Vec<_>>().join(" ")
    };
    match how {
        "characters" | "spell-out" | "verbatim" | "letters" => apart(text),
        "digits" | "telephone" => {
            // Figures one by one, the groups kept apart.
            let groups = text.split(|c: char| !c.is_alphanumeric()).filter(|g| !g.is_empty());
            groups.map(apart).collect::<Vec<_>>().join(", ")
        }
        "ordinal" => match text.chars().next_back() {
            Some(last) if last.is_ascii_digit() => {
                let teen = text.len() > 1 && text.as_bytes()[text.len() - 2] == b'1';
                let ending = match last {
                    '1' if !teen => "st",
                    '2' if !teen => "nd",
                    '3' if !teen => "rd",
                    _ => "th",
                };
                format!("{text}{ending}")
            }
            _ => text.to_owned(),
        },
        "date" => {
            // Only the order of day and month is in doubt in figures.
            let parts: Vec<&str> = text.split(['/', '-', '.']).map(str::trim).collect();
            match (parts.as_slice(), format) {
                ([a, b, year], Some("dmy")) => format!("{year}-{b}-{a}"),
                ([a, b, year], Some("mdy")) => format!("{year}-{a}-{b}"),
                _ => text.to_owned(),
            }
        }
        // Numbers, times, money and the rest are read rightly as they are written.
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> Vec<(String, f32, Option<u32>)> {
        let marked = read(text).unwrap();
        marked.parts.into_iter().map(|p| (p.text, p.rate, p.pause_ms)).collect()
    }

    #[test]
    fn elements_are_followed() {
        assert_eq!(
            parts("<speak>Wait<break time='500ms'/>now</speak>"),
            [("Wait".to_owned(), 1.0, None), ("now".to_owned(), 1.0, Some(500))]
        );
        assert_eq!(
            parts("<speak>a <prosody rate='slow'>b</prosody> c</speak>"),
            [
                ("a ".to_owned(), 1.0, None),
                ("b".to_owned(), 0.75, None),
                (" c".to_owned(), 1.0, None)
            ]
        );
        let text = |ssml: &str| parts(ssml).into_iter().map(|p| p.0).collect::<String>();
        assert_eq!(
            text("<speak><sub alias='W three C'>W3C</sub> &amp; more</speak>"),
            "W three C & more"
        );
        assert_eq!(
            text("<speak>PIN <say-as interpret-as='digits'>4821</say-as></speak>"),
            "PIN 4 8 2 1"
        );
        assert_eq!(text("<speak><say-as interpret-as='characters'>tv</say-as></speak>"), "T V");
        assert_eq!(text("<speak><say-as interpret-as='ordinal'>22</say-as></speak>"), "22nd");
        assert_eq!(
            text("<speak><say-as interpret-as='date' format='dmy'>1/2/2024</say-as></speak>"),
            "2024-2-1"
        );
        assert_eq!(text("<speak><emphasis>so</emphasis> it is</speak>"), "so it is");
        let marked = read("<speak><phoneme alphabet='ipa' ph='təˈmɑːtoʊ'>tomato</phoneme></speak>");
        assert_eq!(marked.unwrap().said["tomato"], "təˈmɑːtoʊ");
    }

    #[test]
    fn what_cannot_be_followed_is_told() {
        for (ssml, told) in [
            ("<speak>a", "well-formed"),
            ("<speak><break time='soon'/></speak>", "soon"),
            ("<speak><break time='1h'/></speak>", "1h"),
            ("<speak><break time='99s'/></speak>", "99s"),
            ("<speak><break strength='huge'/></speak>", "huge"),
            ("<speak><prosody rate='warp'>a</prosody></speak>", "warp"),
            ("<speak><prosody rate='900%'>a</prosody></speak>", "900%"),
            ("<speak><say-as>1</say-as></speak>", "interpret-as"),
            ("<speak><sub>1</sub></speak>", "alias"),
            ("<speak><phoneme ph='%%'>lamp</phoneme></speak>", "lamp"),
        ] {
            let error = read(ssml).unwrap_err();
            assert!(error.contains(told), "{ssml}: {error}");
        }
        let deep = format!("<speak>{}{}</speak>", "<p>".repeat(200), "</p>".repeat(200));
        assert!(read(&deep).unwrap_err().contains("64"));
    }

    proptest! {
        #[test]
        fn any_markup_is_read_or_refused(inside in "[<>/a-z =\"'&;%0-9]{0,60}") {
            let _ = read(&format!("<speak>{inside}</speak>"));
            let _ = read(&format!("<speak{inside}"));
        }
    }
}
