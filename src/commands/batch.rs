//! `hearken understand --batch`: many sentences, each in a language and a home of its own, answered
//! line by line. Languages and homes are prepared once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context, anyhow, bail};
use hearken::dialogue::{Dialogue, Wording};
use hearken::home::{FixedClock, Home};
use hearken::intent::Language;
use hearken::session::Engines;
use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::House;
use super::understand::line;

/// A longer line is refused.
const LONGEST_LINE: u64 = 32 << 20;
/// How many names the homes that are kept ready may hold together: about half a gigabyte.
const MOST_NAMES: usize = 200_000;
/// What a home counts besides its names.
const HOME: usize = 20;
/// When it is, unless a line says so: as in Home Assistant's own tests of the sentences.
const TESTED_AT: &str = "2013-09-17T01:02:00";

pub(crate) fn run(house: &House, file: &Path, language: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        Box::new(BufReader::new(opened))
    };
    let mut desk = Desk {
        house,
        engines: house.engines()?,
        language,
        languages: HashMap::new(),
        homes: Homes::default(),
    };
    let mut out = std::io::stdout().lock();
    let (mut row, mut number) = (Vec::new(), 0_u64);
    while read_line(&mut *input, &mut row)? {
        number += 1;
        let answer = desk.answer(&row).unwrap_or_else(
            |error| json!({ "error": hearken::session::chain(&*error), "line": number }),
        );
        let written = writeln!(out, "{answer}").and_then(|()| out.flush());
        match written {
            // Whoever asked has heard enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => break,
            other => other.context("cannot write the answer")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a line, however long, but keeps no more of it than may be answered.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    if input.take(LONGEST_LINE + 1).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.len() as u64 > LONGEST_LINE {
        input.skip_until(b'\n')?;
    }
    Ok(true)
}

/// Answers requests, and keeps what it prepared for them.
struct Desk<'a> {
    house: &'a House,
    engines: Engines<'a>,
    language: Option<&'a str>,
    /// By their tags.
    languages: HashMap<String, Language>,
    homes: Homes,
}

impl Desk<'_> {
    fn answer(&mut self, line_read: &[u8]) -> anyhow::Result<Value> {
        if line_read.len() as u64 > LONGEST_LINE {
            bail!("the line has more than {LONGEST_LINE} bytes");
        }
        let request: Value = serde_json::from_slice(line_read).context("this is no JSON")?;
        let Value::Object(mut request) = request else {
            bail!("this is no object: write {{\"text\": …, \"language\": …, \"home\": …}}");
        };
        let home = request.remove("home").filter(|home| !home.is_null());
        let field = |key: &str| match request.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(other) => Err(anyhow!("`{key}` is {other}, but must be a string")),
        };
        let text = field("text")?.ok_or_else(|| anyhow!("there is no `text`"))?;
        let tag = field("language")?.filter(|tag| !tag.is_empty()).or(self.language);
        let tag = tag.unwrap_or_else(|| hearken::asr::written_language(text));
        let area = field("area")?.filter(|area| !area.is_empty()).or(self.house.area());
        let now = field("now")?.unwrap_or(TESTED_AT);
        let dialogue = self.dialogue(tag, home, now)?;
        let mut answer = line(text, &dialogue.rehearse(text, tag, area));
        if let (Some(id), Value::Object(answer)) = (request.get("id"), &mut answer) {
            answer.insert("id".into(), id.clone());
        }
        Ok(answer)
    }

    fn dialogue(
        &mut self,
        tag: &str,
        home: Option<Value>,
        now: &str,
    ) -> anyhow::Result<Rc<Dialogue>> {
        let filed = self.engines.sentence_tag(tag)?;
        let language = match self.languages.get(filed) {
            Some(language) => language.clone(),
            None => {
                let language = self.engines.sentences_for(filed)?;
                self.languages.insert(filed.to_owned(), language.clone());
                language
            }
        };
        let key = Key {
            language: language.code().to_owned(),
            now: now.to_owned(),
            home: home.as_ref().map(Value::to_string),
        };
        if let Some(dialogue) = self.homes.get(&key) {
            return Ok(dialogue);
        }
        let moment: DateTime = now.parse().with_context(|| {
            format!("`now` is {now:?}, but must be a date with a time, such as {TESTED_AT:?}")
        })?;
        let moment = moment.in_tz("UTC")?;
        let home = match home {
            Some(home) => Home::from_any_fixture(home, "in `home`", moment.timestamp())?,
            None => self.house.config.home.describe()?,
        };
        let names = home.areas().len() + home.floors().len() + home.entities().len();
        let dialogue = Dialogue::new(home, vec![language])?
            .with_clock(Box::new(FixedClock::new(moment)))
            .with_wording(Wording::AsTested);
        Ok(self.homes.keep(key, dialogue, HOME + names))
    }
}

/// What a home is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    language: String,
    now: String,
    home: Option<String>,
}

/// Homes that are ready; those that were not asked about for longest go first.
#[derive(Default)]
struct Homes {
    ready: HashMap<Key, Ready>,
    names: usize,
    asked: u64,
}

struct Ready {
    dialogue: Rc<Dialogue>,
    names: usize,
    asked: u64,
}

impl Homes {
    fn get(&mut self, key: &Key) -> Option<Rc<Dialogue>> {
        self.asked += 1;
        let ready = self.ready.get_mut(key)?;
        ready.asked = self.asked;
        Some(Rc::clone(&ready.dialogue))
    }

    fn keep(&mut self, key: Key, dialogue: Dialogue, names: usize) -> Rc<Dialogue> {
        while self.names + names > MOST_NAMES {
            let oldest = self.ready.iter().min_by_key(|(_, ready)| ready.asked);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            self.names -= self.ready.remove(&oldest).map_or(0, |ready| ready.names);
        }
        let dialogue = Rc::new(dialogue);
        let ready = Ready { dialogue: Rc::clone(&dialogue), names, asked: self.asked };
        self.ready.insert(key, ready);
        self.names += names;
        dialogue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_whole_or_not_at_all() {
        let mut input = std::io::Cursor::new(b"one\n\ntwo".to_vec());
        let mut line = Vec::new();
        let mut read = || {
            let more = read_line(&mut input, &mut line).unwrap();
            more.then(|| String::from_utf8(line.clone()).unwrap())
        };
        assert_eq!(
            [read(), read(), read(), read()],
            [Some("one\n".into()), Some("\n".into()), Some("two".into()), None]
        );
    }
}
