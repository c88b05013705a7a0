//! `hearken pinyin`: how Chinese characters are read where they stand.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use hearken::tts;

use super::House;
use super::normalize::{answer_lines, answer_texts};
use crate::cli::PinyinArgs;

/// The sign before and behind the character that is asked for.
const MARK: char = '▁';

pub(crate) fn run(_house: &House, args: &PinyinArgs) -> anyhow::Result<ExitCode> {
    let answer = |text: &str| {
        let said = marked(text)
            .map_or_else(|| whole(text), |(sentence, at)| tts::pinyin::reading(&sentence, at));
        if args.json {
            serde_json::json!({ "text": text, "pinyin": said }).to_string()
        } else {
            said
        }
    };
    match args.batch.as_deref() {
        Some(path) if path == Path::new("-") => {
            answer_lines(std::io::stdin().lock(), "standard input", answer)
        }
        Some(path) => {
            let file =
                File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            answer_lines(BufReader::new(file), &path.display().to_string(), answer)
        }
        None => answer_texts(&args.text, answer),
    }
}

/// The sentence without its marks and the place of the marked character, if there is one.
fn marked(text: &str) -> Option<(String, usize)> {
    let at = text.chars().position(|c| c == MARK)?;
    let sentence: String = text.chars().filter(|c| *c != MARK).collect();
    Some((sentence, at))
}

/// The pinyin of all Chinese words, as they are said in the sentence.
fn whole(text: &str) -> String {
    let words = tts::phonemize(text, "zh");
    words.iter().filter_map(|w| w.pinyin.as_deref()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marked_character_is_read_alone() {
        assert_eq!(marked("他在银▁行▁工作"), Some(("他在银行工作".into(), 3)));
        assert_eq!(marked("▁行▁"), Some(("行".into(), 0)));
        assert_eq!(marked("银行"), None);
        assert_eq!(whole("你好, 银行"), "ni2 hao3 yin2 hang2");
    }
}
