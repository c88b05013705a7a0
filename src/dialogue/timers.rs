//! The intents about timers.

use jiff::Timestamp;

use super::refusal::Refusal;
use super::slots;
use crate::home::{Home, HomeError, NewTimer, TimerQuery};
use crate::intent::Meaning;

/// What became of the timers.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Done {
    /// How many were taken away.
    pub canceled: Option<usize>,
}

/// Does what a meaning says about timers; `None` when it is about something else. `here` is the id
/// of the area where one speaks.
pub(super) fn act(
    home: &mut Home,
    meaning: &Meaning,
    here: Option<&str>,
    language: &str,
    now: Timestamp,
) -> Option<Result<Done, Refusal>> {
    let query = match query(home, meaning, language) {
        Ok(query) => query,
        Err(refusal) if meaning.intent.contains("Timer") => return Some(Err(refusal)),
        Err(_) => return None,
    };
    let result = match meaning.intent.as_str() {
        "HassStartTimer" => start(home, meaning, here, language, now),
        "HassCancelTimer" => home.timers().find(&query, here).map(|id| {
            home.timers_mut().cancel(id);
            Done { canceled: Some(1) }
        }),
        "HassCancelAllTimers" => Ok(Done { canceled: Some(home.timers_mut().cancel_all(&query)) }),
        "HassPauseTimer" => home.timers().find(&query, here).map(|id| {
            home.timers_mut().pause(id, now);
            Done::default()
        }),
        "HassUnpauseTimer" => home.timers().find(&query, here).map(|id| {
            home.timers_mut().resume(id, now);
            Done::default()
        }),
        "HassIncreaseTimer" => lengthen(home, meaning, &query, here, 1, now),
        "HassDecreaseTimer" => lengthen(home, meaning, &query, here, -1, now),
        "HassTimerStatus"
            if !query.is_empty() && home.timers().matching(&query).next().is_none() =>
        {
            Err(HomeError::NoTimer)
        }
        "HassTimerStatus" => Ok(Done::default()),
        _ => return None,
    };
    Some(result.map_err(|error| Refusal::home(&error, home, language)))
}

/// The timers that a meaning is about.
pub(super) fn query(home: &Home, meaning: &Meaning, language: &str) -> Result<TimerQuery, Refusal> {
    let mut query = slots::timers(meaning);
    if let Some(name) = query.area.take() {
        let missing = crate::home::Missing::Area;
        let area = home
            .area_named(&name)
            .ok_or_else(|| Refusal::missing(missing, meaning, &[], language))?;
        query.area = Some(area.id.clone());
    }
    Ok(query)
}

fn start(
    home: &mut Home,
    meaning: &Meaning,
    here: Option<&str>,
    language: &str,
    now: Timestamp,
) -> Result<Done, HomeError> {
    let timer = NewTimer {
        seconds: slots::duration(meaning, "").unwrap_or_default(),
        name: slots::text(meaning, "name").map(Into::into),
        area: here.map(Into::into),
        language: language.into(),
        command: slots::text(meaning, "conversation_command").map(Into::into),
    };
    home.timers_mut().start(timer, now)?;
    Ok(Done::default())
}

fn lengthen(
    home: &mut Home,
    meaning: &Meaning,
    query: &TimerQuery,
    here: Option<&str>,
    sign: i64,
    now: Timestamp,
) -> Result<Done, HomeError> {
    let id = home.timers().find(query, here)?;
    let seconds = slots::duration(meaning, "").unwrap_or_default();
    home.timers_mut().lengthen(id, seconds.saturating_mul(sign), now);
    Ok(Done::default())
}
