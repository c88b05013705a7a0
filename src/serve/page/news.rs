//! What changes in the home, told to every open page as it happens.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

use super::super::http::{ApiError, Place};
use super::super::stream::PROTOCOL;
use super::super::{Guest, House, WRITE_LIMIT};
use super::{MOST_PAGES, aside, home};
use crate::dialogue::Dialogue;
use crate::home::Timer;

/// News that may wait for a page; one that is further behind is told everything anew.
const NEWS: usize = 64;
/// How often the home is looked at while a page is open.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a page is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Nothing that a page says here is long.
const LARGEST: usize = 1024;

/// Who tells the pages.
#[derive(Debug)]
pub(in super::super) struct News {
    out: Sender<Arc<str>>,
    pages: AtomicUsize,
}

impl Default for News {
    fn default() -> Self {
        Self { out: broadcast::channel(NEWS).0, pages: AtomicUsize::new(0) }
    }
}

impl News {
    /// Tells all pages.
    pub(super) fn tell(&self, news: &Value) {
        // Nobody may be there.
        let _ = self.out.send(news.to_string().into());
    }

    /// Pages that are open.
    pub(super) fn pages(&self) -> usize {
        self.pages.load(Ordering::Relaxed)
    }
}

/// The home as the pages know it.
#[derive(Default)]
struct Known {
    changes: u64,
    names: u64,
    states: HashMap<String, (String, Map<String, Value>)>,
    timers: Vec<Timer>,
}

impl Known {
    fn all(&mut self, dialogue: &Dialogue) {
        let home = dialogue.home();
        let state = |own: &crate::home::Entity| {
            (own.id.clone(), (own.state.clone(), own.attributes.clone()))
        };
        self.states = home.entities().iter().map(state).collect();
        self.timers = home.timers().all().to_vec();
        (self.changes, self.names) = (home.changes(), home.names_version());
    }

    /// What is different now.
    fn news(&mut self, dialogue: &Dialogue) -> Option<Value> {
        let home = dialogue.home();
        if home.names_version() != self.names {
            self.all(dialogue);
            return Some(home::picture(dialogue));
        }
        let mut changed = Vec::new();
        if home.changes() != self.changes {
            self.changes = home.changes();
            for own in home.entities() {
                let known = self.states.get(&own.id);
                if known.is_some_and(|(state, more)| *state == own.state && *more == own.attributes)
                {
                    continue;
                }
                let now = (own.state.clone(), own.attributes.clone());
                self.states.insert(own.id.clone(), now);
                changed.push(
                    json!({ "id": own.id, "state": own.state, "attributes": own.attributes }),
                );
            }
        }
        let mut news = json!({ "news": "changed", "entities": changed });
        if home.timers().all() != self.timers {
            self.timers = home.timers().all().to_vec();
            news["timers"] = home::timers(dialogue).into();
        } else if changed_is_empty(&news) {
            return None;
        }
        Some(news)
    }
}

fn changed_is_empty(news: &Value) -> bool {
    news["entities"].as_array().is_none_or(Vec::is_empty)
}

/// Looks at the home for all pages, in a thread of its own, until the house closes: devices may keep
/// the dialogue busy for seconds.
pub(in super::super) fn watch(house: &Arc<House>) {
    let house = Arc::clone(house);
    let work = move || {
        let mut known = Known::default();
        while !house.stop.is_cancelled() {
            std::thread::sleep(LOOK_EVERY);
            if house.news.pages() == 0 {
                continue;
            }
            let news = {
                let mut dialogue = house.conversations.home().lock();
                dialogue.refresh();
                known.news(&dialogue)
            };
            if let Some(news) = news {
                house.news.tell(&news);
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("pages".into()).spawn(work) {
        tracing::error!(%error, "no thread to watch the home for the pages");
    }
}

/// An open page.
struct Page(Arc<House>);

impl Drop for Page {
    fn drop(&mut self) {
        self.0.news.pages.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) async fn live(
    State(house): State<Arc<House>>,
    Extension(place): Extension<Place>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade?;
    let before = house.news.pages.fetch_add(1, Ordering::Relaxed);
    let page = Page(Arc::clone(&house));
    if before >= MOST_PAGES {
        return Err(ApiError::busy("too many pages are open; close some"));
    }
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _guest = Guest::new(&house, "page");
        // A page that looks costs next to nothing, and takes no place from who wants to talk.
        drop(place);
        show(socket, &page.0).await;
    }))
}

async fn show(mut socket: WebSocket, house: &Arc<House>) {
    let mut news = house.news.out.subscribe();
    if whole(&mut socket, house).await.is_err() {
        return;
    }
    let mut ping = tokio::time::interval(PING_EVERY);
    let mut answered = true;
    loop {
        let told = tokio::select! {
            one = news.recv() => tell(&mut socket, house, &mut news, one).await,
            said = socket.recv() => match said {
                None | Some(Err(_) | Ok(Message::Close(_))) => return,
                Some(Ok(_)) => {
                    answered = true;
                    Ok(())
                }
            },
            _ = ping.tick() => match std::mem::replace(&mut answered, false) {
                true => write(&mut socket, Message::Ping(Default::default())).await,
                false => return,
            },
            () = house.stop.cancelled() => {
                let _ = write(&mut socket, Message::Close(None)).await;
                return;
            }
        };
        if told.is_err() {
            return;
        }
    }
}

async fn tell(
    socket: &mut WebSocket,
    house: &Arc<House>,
    news: &mut Receiver<Arc<str>>,
    one: Result<Arc<str>, RecvError>,
) -> Result<(), ()> {
    match one {
        Ok(text) => write(socket, Message::Text((&*text).into())).await,
        Err(RecvError::Lagged(_)) => {
            *news = news.resubscribe();
            whole(socket, house).await
        }
        Err(RecvError::Closed) => Err(()),
    }
}

/// Tells everything.
async fn whole(socket: &mut WebSocket, house: &Arc<House>) -> Result<(), ()> {
    let own = Arc::clone(house);
    let picture = aside(move || {
        let mut dialogue = own.conversations.home().lock();
        dialogue.refresh();
        home::picture(&dialogue).to_string()
    });
    let text = picture.await.map_err(drop)?;
    write(socket, Message::Text(text.into())).await
}

async fn write(socket: &mut WebSocket, message: Message) -> Result<(), ()> {
    let sent = tokio::time::timeout(WRITE_LIMIT, socket.send(message)).await;
    sent.map_err(drop)?.map_err(drop)
}
