//! Turns as a person likes to read them, and as a program does.

use std::collections::BTreeMap;

use console::style;
use hearken::dialogue::Reply;
use hearken::session::{Event, TurnId};
use hearken::telemetry::TurnTimeline;
use serde::Serialize;

/// One turn, collected from the events of a session.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Turn {
    /// What was heard; empty when it was no speech.
    pub(crate) transcript: String,
    /// The language spoken.
    pub(crate) language: String,
    /// What was understood and done; its fields stand beside the others.
    #[serde(flatten)]
    pub(crate) answer: Answer,
    /// Why the turn failed, if it did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<String>,
    /// Where the milliseconds went.
    pub(crate) timeline_ms: TurnTimeline,
}

/// What was understood, done and said in a turn.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Answer {
    intent: Option<hearken::dialogue::Understood>,
    actions: Vec<hearken::home::Action>,
    reply: String,
}

impl Answer {
    /// Whether the sentence meant something.
    pub(crate) fn understood(&self) -> bool {
        self.intent.is_some()
    }
}

impl From<&Reply> for Answer {
    fn from(reply: &Reply) -> Self {
        Self {
            intent: reply.intent.clone(),
            actions: reply.actions.clone(),
            reply: reply.text.clone(),
        }
    }
}

/// Collects turns. In a live conversation one may begin before the one before is over.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    open: BTreeMap<TurnId, Turn>,
}

impl Turns {
    /// Takes the next event; a turn that it ended comes back.
    pub(crate) fn take(&mut self, event: &Event) -> Option<Turn> {
        let turn = event.turn();
        match event {
            Event::Final { transcript, .. } => {
                let open = self.open.entry(turn).or_default();
                open.transcript.clone_from(&transcript.text);
                open.language.clone_from(&transcript.language);
            }
            Event::ReplyText { reply, .. } => {
                self.open.entry(turn).or_default().answer = (&**reply).into();
            }
            Event::Failed { stage, error, .. } => {
                let open = self.open.entry(turn).or_default();
                open.errors.push(format!("{stage}: {error}"));
            }
            Event::TurnFinished { timeline_ms, .. } => {
                let mut turn = self.open.remove(&turn).unwrap_or_default();
                turn.timeline_ms = *timeline_ms;
                return Some(turn);
            }
            _ => {}
        }
        None
    }
}

/// Prints a turn for people.
pub(crate) fn print(number: usize, turn: &Turn) {
    let line = |label: &str, text: &str| println!("   {:<11} {text}", style(label).dim());
    let heard = if turn.transcript.is_empty() {
        style("(no words)").dim().to_string()
    } else {
        style(&turn.transcript).bold().to_string()
    };
    println!("{:>2} {:<11} {heard}", style(number).cyan(), style("heard").dim());
    for error in &turn.errors {
        line("failed", &style(error).red().to_string());
    }
    if turn.transcript.is_empty() && !turn.answer.reply.is_empty() {
        line("said", &style(&turn.answer.reply).green().to_string());
    }
    if !turn.transcript.is_empty() && turn.errors.is_empty() {
        line("understood", &understood(&turn.answer));
        for action in &turn.answer.actions {
            line("did", &done(action));
        }
        line("said", &style(&turn.answer.reply).green().to_string());
    }
    line("took", &timeline(&turn.timeline_ms));
    println!();
}

pub(crate) fn understood(answer: &Answer) -> String {
    let Some(intent) = &answer.intent else { return style("nothing").yellow().to_string() };
    let slots: Vec<String> =
        intent.slots.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
    format!("{}  {}", intent.name, slots.join("  "))
}

fn done(action: &hearken::home::Action) -> String {
    let changes: Vec<String> = action
        .changes
        .iter()
        .map(|(what, change)| format!("{what} {} → {}", plain(&change.from), plain(&change.to)))
        .collect();
    format!("{} {}  {}", action.service, action.entity, changes.join(", "))
}

/// A value without the quotes of JSON.
pub(crate) fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn timeline(t: &TurnTimeline) -> String {
    let mut parts = vec![
        format!("endpoint {:.0}", t.endpoint_delay),
        format!("recognition {:.0}", t.recognition),
        format!("understanding {:.1}", t.understanding),
    ];
    parts.extend(t.first_audio.map(|ms| format!("first audio {ms:.0}")));
    parts.extend(t.voice_to_voice.map(|ms| format!("voice to voice {ms:.0}")));
    style(format!("{} ms", parts.join(" · "))).dim().to_string()
}
