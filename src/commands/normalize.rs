//! `hearken normalize`: the words that are spoken for a written text.

use std::io::{BufRead, Read, Write};
use std::process::ExitCode;

use anyhow::Context;
use hearken::tts::normalize::normalize;

use super::House;
use crate::cli::NormalizeArgs;

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

pub(crate) fn run(_house: &House, args: &NormalizeArgs) -> anyhow::Result<ExitCode> {
    let answer = |text: &str| {
        let language =
            args.language.as_deref().unwrap_or_else(|| hearken::asr::written_language(text));
        // A text of several lines is answered by one.
        let spoken = normalize(text, language).replace('\n', " ");
        if args.json {
            serde_json::json!({ "text": text, "language": language, "spoken": spoken }).to_string()
        } else {
            spoken
        }
    };
    if args.text == ["-"] {
        answer_lines(std::io::stdin().lock(), "standard input", answer)
    } else {
        answer_texts(&args.text, answer)
    }
}

/// Prints the answer to each text on a line of its own.
pub(super) fn answer_texts(
    texts: &[String],
    answer: impl Fn(&str) -> String,
) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for text in texts {
        if !told(writeln!(out, "{}", answer(text)))? {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the answer to each line of `input` on a line of its own, as the lines come.
pub(super) fn answer_lines(
    mut input: impl BufRead,
    source: &str,
    answer: impl Fn(&str) -> String,
) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.with_context(|| format!("cannot read line {number} of {source}"))? == 0 {
            break;
        }
        anyhow::ensure!(
            line.ends_with(b"\n") || (line.len() as u64) < LONGEST_LINE,
            "line {number} of {source} is longer than {LONGEST_LINE} bytes; cut it into sentences"
        );
        let text = std::str::from_utf8(&line)
            .with_context(|| format!("line {number} of {source} is not UTF-8; convert it first"))?;
        let text = text.trim_end_matches(['\r', '\n']);
        // Who asks line by line waits for each answer.
        if !told(writeln!(out, "{}", answer(text)).and_then(|()| out.flush()))? {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether somebody still reads: a closed pipe is how `head` says that it has enough.
fn told(written: std::io::Result<()>) -> anyhow::Result<bool> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).context("cannot write to standard output"),
    }
}
