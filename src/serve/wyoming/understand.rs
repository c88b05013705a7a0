//! Intents and the home: what a sentence means, and what is done about it.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Event, Gone, Peer, error};
use crate::asr::written_language;

/// The longest sentence in bytes.
const LONGEST: usize = 4096;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Peer<S> {
    /// `recognize`: what it means; nothing is done.
    pub(super) async fn recognize(&mut self, event: &Event) -> Result<(), Gone> {
        let Some(asked) = Asked::new(event, self.house.shared.area()) else {
            return self.send(&too_long()).await;
        };
        let (house, what) = (Arc::clone(&self.house), asked.clone());
        let work = tokio::task::spawn_blocking(move || {
            let dialogue = house.conversations.home().lock();
            dialogue.understand(&what.text, &what.language, what.area.as_deref())
        });
        let answer = match self.during(work).await?.ok().flatten() {
            Some(meaning) => {
                let entity =
                    |(name, value): (&String, &Value)| json!({ "name": name, "value": value });
                let entities: Vec<Value> = meaning.slots.iter().map(entity).collect();
                Event::new("intent").with("name", meaning.intent).with("entities", entities)
            }
            None => Event::new("not-recognized").with("text", asked.text.as_str()),
        };
        self.send(&asked.with_context(answer)).await
    }

    /// `transcript`: does it and answers; returns what is said.
    pub(super) async fn handle(&mut self, event: &Event) -> Result<Option<String>, Gone> {
        let Some(asked) = Asked::new(event, self.house.shared.area()) else {
            return self.send(&too_long()).await.map(|()| None);
        };
        let (house, what) = (Arc::clone(&self.house), asked.clone());
        let work = tokio::task::spawn_blocking(move || {
            let (name, area) = (what.conversation.as_deref(), what.area.as_deref());
            house.conversations.respond(name, &what.text, &what.language, area)
        });
        let Ok(reply) = self.during(work).await? else {
            let broke = error("understanding broke off; the log says why", "failed");
            return self.send(&broke).await.map(|()| None);
        };
        let lost = matches!(reply.error, Some("no_intent" | "no_entity"));
        let kind = if lost { "not-handled" } else { "handled" };
        let answer = Event::new(kind).with("text", reply.text.as_str());
        self.send(&asked.with_context(answer)).await?;
        Ok(Some(reply.text))
    }
}

fn too_long() -> Event {
    error(&format!("a sentence of more than {LONGEST} bytes"), "too-long")
}

/// A sentence with where and in which conversation it was said.
#[derive(Debug, Clone)]
struct Asked {
    text: String,
    language: String,
    area: Option<String>,
    conversation: Option<String>,
    context: Option<Value>,
}

impl Asked {
    fn new(event: &Event, area: Option<&str>) -> Option<Self> {
        let text = event.text("text").unwrap_or_default();
        if text.len() > LONGEST {
            return None;
        }
        let context = event.data.get("context").filter(|context| context.is_object()).cloned();
        let said = |key: &str| Some(context.as_ref()?.get(key)?.as_str()?.to_owned());
        let language = event.text("language").map(str::to_owned).or_else(|| said("language"));
        Some(Self {
            text: text.to_owned(),
            language: language.unwrap_or_else(|| written_language(text).to_owned()),
            area: said("area").or_else(|| area.map(str::to_owned)),
            conversation: said("conversation_id"),
            context,
        })
    }

    fn with_context(self, event: Event) -> Event {
        match self.context {
            Some(context) => event.with("context", context),
            None => event,
        }
    }
}
