//! One turn: what a sentence is taken for, whether to ask back first, and what is answered.

use serde_json::{Map, Value};

use super::act;
use super::pending::{Pending, Verdict, filled, question, verdict};
use super::risk;
use super::several::{again, carried, completed, cuts, glued, leaning};
use super::slots;
use super::targets::Where;
use super::{Alternative, Command, Dialogue, Reply, Understood};
use crate::intent::Meaning;
use crate::intent::Repaired;

/// A repair that is no farther is done at once; one that is farther is asked back.
const SURE: f32 = 0.2;
/// A repair that is farther than this is no repair.
const POSSIBLE: f32 = 0.36;
/// How many names are offered when a sentence may mean several.
const OFFERED: usize = 3;
/// How much longer than a name an answer may be that names it: "the … please".
const MORE_THAN_A_NAME: usize = 16;
/// Of more devices with one name nobody wants to hear the list.
const MOST_NAMESAKES: usize = 5;
/// How long a question waits for its answer, and a command to be repeated, in seconds.
const PATIENCE: i64 = 60;
/// How many other meanings are told.
const ALTERNATIVES: usize = 3;

/// A command that was understood.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The sentence that was matched.
    pub text: String,
    pub meaning: Meaning,
    pub repaired: Option<Repaired>,
}

impl Part {
    fn score(&self) -> f32 {
        score(&self.meaning) * (1.0 - self.repaired.as_ref().map_or(0.0, |repaired| repaired.cost))
    }
}

/// How sure a reading is: fixed words are surer than free ones.
fn score(meaning: &Meaning) -> f32 {
    let whole = (meaning.literal_chars + meaning.wildcard_chars).max(1) as f32;
    1.0 - 0.5 * meaning.wildcard_chars as f32 / whole
}

/// The command that a leaning sentence repeats.
#[derive(Debug, Clone)]
pub(super) struct Last {
    text: String,
    named: Vec<String>,
}

/// What a sentence was taken for.
pub(super) enum Heard {
    Commands(Vec<Part>),
    /// One of these, but not surely.
    Perhaps(Vec<Part>),
    Nothing,
}

/// A meaning, equal to another that does the same.
struct Same(Meaning);

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        self.0.intent == other.0.intent && self.0.slots == other.0.slots
    }
}

impl Dialogue {
    /// Understands a sentence, does what is meant, and answers. `language` is a tag such as `en` or
    /// `zh`; `area` is the name or the id of the area where one speaks.
    ///
    /// A sentence that matches nothing is taken for several commands, for a repetition of the last
    /// one ("and the bedroom too"), or for what it sounds like. What is not sure, or risky, is
    /// asked back, and the next sentence may answer, within a minute.
    pub fn respond(&mut self, text: &str, language: &str, area: Option<&str>) -> Reply {
        self.refresh();
        let now = self.clock.now().timestamp();
        if self.spoke.is_some_and(|then| now.duration_since(then).as_secs().abs() > PATIENCE) {
            self.forget();
        }
        let reply = match self.learned.meaning(text, language).map(str::to_owned) {
            Some(meant) => {
                let mut reply = self.answer(&meant, language, area);
                let from = text.to_owned();
                reply.repaired.get_or_insert(Repaired { from, to: meant, cost: 0.0 });
                reply
            }
            None => self.answer(text, language, area),
        };
        self.spoke = Some(now);
        // Timers and lists change without a call to a device.
        self.home.keep();
        reply
    }

    fn answer(&mut self, text: &str, language: &str, area: Option<&str>) -> Reply {
        if let Some(pending) = self.pending.take()
            && let Some(reply) = self.resolve(pending, text, language, area)
        {
            return reply;
        }
        match self.hear(text, language, area) {
            Heard::Commands(parts) => self.perform(parts, language, area),
            Heard::Perhaps(parts) => self.ask_which(parts, language, area),
            Heard::Nothing => {
                let code = self.tongue(language).language.code();
                match question(text, code) {
                    Some(asked) => {
                        let reply = Reply::question(asked, code, "missing");
                        self.pending = Some(Pending::Missing(text.to_owned()));
                        reply
                    }
                    None => self.lost(text, language),
                }
            }
        }
    }

    /// Drops what was asked and the command that "and the bedroom too" would repeat: for when
    /// somebody else may speak next.
    pub fn forget(&mut self) {
        (self.pending, self.last) = (None, None);
    }

    /// The answer to a question; `None` when the sentence is no answer.
    fn resolve(
        &mut self,
        pending: Pending,
        text: &str,
        language: &str,
        area: Option<&str>,
    ) -> Option<Reply> {
        let said = verdict(text);
        let code = self.tongue(language).language.code();
        if said == Some(Verdict::No) {
            let text = if glued(code) { "好的，不做了" } else { "Okay, never mind" };
            return Some(Reply::plain(text.to_owned(), code));
        }
        match pending {
            Pending::Confirm(parts) => {
                (said == Some(Verdict::Yes)).then(|| self.obey_all(&parts, language, area))
            }
            Pending::Choose(parts) => {
                let said = text.to_lowercase();
                if self.part(text, language, area).is_some() {
                    return None;
                }
                let names = |(name, _): &(String, Part)| {
                    let name = name.to_lowercase();
                    let short = said.len() <= name.len() + MORE_THAN_A_NAME;
                    !name.is_empty() && short && said.contains(&name)
                };
                let mut chosen = parts.into_iter().filter(names);
                match (chosen.next(), chosen.next()) {
                    (Some((_, part)), None) => Some(self.perform(vec![part], language, area)),
                    _ => None,
                }
            }
            Pending::Missing(begun) => {
                let sentences = filled(&begun, text, code);
                let part = self.first(&sentences, language, area)?;
                Some(self.perform(vec![part], language, area))
            }
        }
    }

    /// What a sentence is taken for, the surest way first.
    pub(super) fn hear(&self, text: &str, language: &str, area: Option<&str>) -> Heard {
        if let Some(part) = self.part(text, language, area) {
            return Heard::Commands(vec![part]);
        }
        let code = self.tongue(language).language.code();
        if let Some(last) = &self.last
            && let Some(other) = leaning(text, code)
        {
            let sentences = again(&last.text, &last.named, other, code);
            if let Some(part) = self.first(&sentences, language, area) {
                return Heard::Commands(vec![part]);
            }
        }
        let ways = cuts(text, code);
        for way in &ways {
            if let Some(parts) = self.each(way, language, area, false) {
                return Heard::Commands(parts);
            }
        }
        let nearest = self.repaired(text, language, area);
        let sure = |parts: &[Part]| {
            parts.len() == 1
                && parts[0].repaired.as_ref().is_none_or(|repaired| repaired.cost <= SURE)
        };
        if sure(&nearest) {
            return Heard::Commands(nearest);
        }
        for way in &ways {
            if let Some(parts) = self.each(way, language, area, true) {
                return Heard::Commands(parts);
            }
        }
        if nearest.is_empty() { Heard::Nothing } else { Heard::Perhaps(nearest) }
    }

    fn part(&self, text: &str, language: &str, area: Option<&str>) -> Option<Part> {
        let meaning = self.understand(text, language, area)?;
        Some(Part { text: text.to_owned(), meaning, repaired: None })
    }

    /// The first of some sentences that means something that can be done.
    fn first(&self, texts: &[String], language: &str, area: Option<&str>) -> Option<Part> {
        let possible = |text: &String| {
            let part = self.part(text, language, area)?;
            self.possible(&part.meaning, language, area).then_some(part)
        };
        texts.iter().find_map(possible)
    }

    /// The commands of a sentence that was cut; `None` when a part is none.
    fn each(
        &self,
        texts: &[String],
        language: &str,
        area: Option<&str>,
        repair: bool,
    ) -> Option<Vec<Part>> {
        let code = self.tongue(language).language.code();
        let mut parts: Vec<Part> = Vec::with_capacity(texts.len());
        let last = texts.last()?;
        for text in texts {
            let whole = self.part(text, language, area).or_else(|| {
                let before = parts.last()?;
                self.first(&carried(&before.text, text, code), language, area)
            });
            let whole = whole
                .or_else(|| self.first(&completed(text, last, code), language, area))
                .or_else(|| {
                    let mut found = self.repaired(text, language, area);
                    found.truncate(if repair { 2 } else { 0 });
                    let part = if found.len() == 1 { found.pop() } else { None };
                    part.filter(|part| part.repaired.as_ref().is_some_and(|r| r.cost <= SURE))
                });
            parts.push(whole?);
        }
        Some(parts)
    }

    /// What a sentence sounds like, the nearest first; several when they are about as near.
    fn repaired(&self, text: &str, language: &str, area: Option<&str>) -> Vec<Part> {
        let Some(sounds) = self.tongue(language).sounds() else { return Vec::new() };
        let found = sounds.repairs(text, |text| {
            let meaning = self.understand(text, language, area)?;
            // Free words would make a command of anything.
            let bound = meaning.wildcards == 0
                || (meaning.literal_chars >= 8
                    && (3..=meaning.literal_chars).contains(&meaning.wildcard_chars));
            (bound && self.possible(&meaning, language, area)).then_some(Same(meaning))
        });
        let near = found.into_iter().filter(|repair| repair.repaired.cost <= POSSIBLE);
        let parts = near.map(|repair| Part {
            text: repair.repaired.to.clone(),
            meaning: repair.meaning.0,
            repaired: Some(repair.repaired),
        });
        parts.take(OFFERED).collect()
    }

    /// Whether the home has what a meaning is about.
    pub(super) fn possible(&self, meaning: &Meaning, language: &str, area: Option<&str>) -> bool {
        let here = area.and_then(|area| self.home.area_named(area)).map(|area| area.id.as_str());
        let language = self.tongue(language).language.code();
        // A device that cannot answer is there all the same.
        act::plan(meaning, Where { home: &self.home, here, language })
            .err()
            .is_none_or(|why| why.key == "no_reading")
    }

    /// Does commands, or asks whether to where one is risky.
    fn perform(&mut self, parts: Vec<Part>, language: &str, area: Option<&str>) -> Reply {
        let code = self.tongue(language).language.code().to_owned();
        let here = area.and_then(|area| self.home.area_named(area)).map(|area| area.id.as_str());
        let place = Where { home: &self.home, here, language: &code };
        if let [part] = &parts[..]
            && let Err(why) = act::plan(&part.meaning, place)
            && why.key == "duplicate_entities"
            && (glued(&code) || code.starts_with("en"))
        {
            let areas = place.namesakes(&part.meaning);
            let areas: Vec<String> =
                areas.iter().map(|area| area.names.main(&code).to_owned()).collect();
            if (2..=MOST_NAMESAKES).contains(&areas.len()) {
                return self.ask_where(part, areas, &code);
            }
        }
        let risky = |part: &&Part| {
            act::plan(&part.meaning, place)
                .is_ok_and(|plan| risk::risky(&self.confirm, &plan.calls, &self.home))
        };
        let Some(part) = parts.iter().find(risky) else {
            return self.obey_all(&parts, language, area);
        };
        let what = super::several::trimmed(&part.text);
        let asked = if glued(&code) {
            format!("确定要{what}吗？")
        } else {
            let what = what.strip_prefix("please ").unwrap_or(what);
            format!("Are you sure you want to {}?", lower_first(what))
        };
        let mut reply = Reply::question(asked, &code, "confirm");
        // It was understood, only not done yet.
        let Meaning { intent: name, slots, response_key, .. } = parts[0].meaning.clone();
        reply.intent = Some(Understood { name, slots });
        reply.response_key = Some(response_key);
        reply.score = parts[0].score();
        reply.repaired.clone_from(&parts[0].repaired);
        reply.alternatives = parts.iter().map(alternative).collect();
        self.pending = Some(Pending::Confirm(parts));
        reply
    }

    /// Asks in which of these areas the device is that was named.
    fn ask_where(&mut self, part: &Part, areas: Vec<String>, code: &str) -> Reply {
        let name = slots::text(&part.meaning, "name").unwrap_or_default();
        let asked = if glued(code) {
            format!("要哪一个{name}，{}？", areas.join("的还是") + "的")
        } else {
            format!("Which {name}: the one in the {}?", areas.join(", or in the "))
        };
        let mut reply = Reply::question(asked, code, "duplicate_entities");
        let choices = areas.into_iter().map(|area| {
            let mut part = part.clone();
            for map in [&mut part.meaning.slots, &mut part.meaning.texts] {
                map.insert("area".into(), area.as_str().into());
            }
            (area, part)
        });
        let choices: Vec<(String, Part)> = choices.collect();
        reply.alternatives = choices.iter().map(|(_, part)| alternative(part)).collect();
        self.pending = Some(Pending::Choose(choices));
        reply
    }

    fn ask_which(&mut self, parts: Vec<Part>, language: &str, area: Option<&str>) -> Reply {
        let reply = self.which(&parts, language, area);
        let one = parts.len() == 1;
        let named = |part: Part| (thing(&part.meaning).unwrap_or_default().to_owned(), part);
        self.pending = Some(if one {
            Pending::Confirm(parts)
        } else {
            Pending::Choose(parts.into_iter().map(named).collect())
        });
        reply
    }

    /// The question which of these commands was meant.
    pub(super) fn which(&self, parts: &[Part], language: &str, area: Option<&str>) -> Reply {
        let code = self.tongue(language).language.code().to_owned();
        let names: Vec<String> = parts.iter().map(|part| called(part, &code)).collect();
        let asked = if glued(&code) {
            format!("你是说{}吗？", names.join("，还是"))
        } else {
            format!("Did you mean {}?", names.join(", or "))
        };
        let mut reply = Reply::question(asked, &code, "not_sure");
        reply.area = area.map(Into::into);
        reply.score = parts.first().map_or(0.0, Part::score);
        reply.repaired = parts.first().and_then(|part| part.repaired.clone());
        reply.alternatives = parts.iter().map(alternative).collect();
        reply
    }

    /// Does commands one after another and joins the answers.
    fn obey_all(&mut self, parts: &[Part], language: &str, area: Option<&str>) -> Reply {
        let code = self.tongue(language).language.code().to_owned();
        let mut whole: Option<Reply> = None;
        for part in parts {
            let reply = self.obey(&part.meaning, language, area);
            self.join(&mut whole, reply, part, language, area);
        }
        self.last = parts.last().map(|part| Last {
            text: part.text.clone(),
            named: self.named(&part.meaning, &part.text, &code),
        });
        whole.unwrap_or_else(|| self.lost("", language))
    }

    /// Adds the answer to a command to the answers to those before it.
    pub(super) fn join(
        &self,
        whole: &mut Option<Reply>,
        mut reply: Reply,
        part: &Part,
        language: &str,
        area: Option<&str>,
    ) {
        reply.score = part.score();
        reply.repaired.clone_from(&part.repaired);
        reply.alternatives = self.alternatives(part, language, area);
        reply.commands = vec![Command::of(part.text.clone(), &reply)];
        match whole {
            None => *whole = Some(reply),
            Some(whole) => whole.add(reply, glued(self.tongue(language).language.code())),
        }
    }

    /// The words of a sentence that may be replaced by others: areas in it, and the name.
    fn named(&self, meaning: &Meaning, text: &str, language: &str) -> Vec<String> {
        let lower = text.to_lowercase();
        let text_of = |key: &str| Some(meaning.texts.get(key)?.as_str()?.to_owned());
        let areas = self.home.areas().iter().flat_map(|area| area.names.spoken(language));
        let areas = areas.filter(|name| lower.contains(&name.to_lowercase())).map(str::to_owned);
        text_of("area").into_iter().chain(areas).chain(text_of("name")).collect()
    }

    fn alternatives(&self, part: &Part, language: &str, area: Option<&str>) -> Vec<Alternative> {
        let tongue = self.tongue(language);
        let context: Map<String, Value> =
            area.map(|area| ("area".to_owned(), area.into())).into_iter().collect();
        let others = tongue.engine.all(&part.text, &context, ALTERNATIVES + 1).into_iter();
        let other = |meaning: &Meaning| {
            meaning.intent != part.meaning.intent || meaning.slots != part.meaning.slots
        };
        let others = others.filter(other).take(ALTERNATIVES);
        others
            .map(|meaning| Alternative {
                text: part.text.clone(),
                score: score(&meaning) * 0.9,
                intent: meaning.intent,
                slots: meaning.slots,
            })
            .collect()
    }
}

/// The device or the place that a meaning is about.
fn thing(meaning: &Meaning) -> Option<&str> {
    ["name", "area", "floor"].iter().find_map(|key| slots::text(meaning, key))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().chain(chars).collect())
}

/// What a reading is called when it is asked back: the device, or the whole sentence.
fn called(part: &Part, language: &str) -> String {
    let from = part.repaired.as_ref().map_or("", |repaired| repaired.from.as_str()).to_lowercase();
    match slots::text(&part.meaning, "name").filter(|name| !from.contains(&name.to_lowercase())) {
        Some(name) if glued(language) => name.to_owned(),
        Some(name) => format!("the {}", name.to_lowercase()),
        None if glued(language) => format!("“{}”", part.text),
        None => format!("\u{201c}{}\u{201d}", part.text),
    }
}

fn alternative(part: &Part) -> Alternative {
    Alternative {
        text: part.text.clone(),
        intent: part.meaning.intent.clone(),
        slots: part.meaning.slots.clone(),
        score: part.score(),
    }
}

#[cfg(test)]
mod tests;
