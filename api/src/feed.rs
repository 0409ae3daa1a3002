//! What one reader of the stream is sent, whichever way it goes out: what happens, the figures of now if he asked for
//! them, and an end once he may read no longer.
//!
//! Invariant: a reader's stream does not outlive what opened it. His key or his session is looked at again and again, and
//! at once when an event says that a session of his is over.

use crate::desk::Desk;
use crate::events::{EventFilter, Follow, is_of_session};
use crate::key::{Who, opens_yet, token_of};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::State;
use crate::switch::{Later, Since, StreamItem, Subscription};
use axum::http::HeaderMap;
use cordboard_model::figures::WallView;
use cordboard_model::id::TenantId;
use std::time::{Duration, Instant};

/// The least time between two sendings of the figures of now.
const WALL: Duration = Duration::from_secs(1);
/// How often it is asked whether the reader still may.
const LOOK: Duration = Duration::from_secs(20);
/// What a key needs to read it.
pub(crate) const SCOPE: &str = "events:read";

/// Reads `START-SEQ`, both decimal, as `hello` and events gave them.
fn since(text: &str) -> Option<Since> {
    let (start, seq) = text.split_once('-')?;
    Some(Since { start: start.parse().ok()?, seq: seq.parse().ok()? })
}

/// What one reader is sent.
pub(crate) struct Feed {
    items: Subscription,
    wall: Option<Wall>,
    state: State,
    who: Who,
    /// What opened it: a key, or the token of a session.
    key: String,
    looks: tokio::time::Interval,
    /// Whether he still may: an answer that is waited for. Kept over the items that come meanwhile.
    may: Option<Later<bool>>,
    closed: bool,
}

/// A reader whose request is in order.
pub(crate) struct Asked {
    state: State,
    who: Who,
    key: String,
    wall: bool,
    follow: Follow,
}

impl Asked {
    /// One who looks at a desk, which he may, from now on.
    pub(crate) fn of(desk: &Desk, key: String, filter: EventFilter) -> Self {
        let (who, state) = desk.asker();
        let follow = Follow { tenant: desk.tenant(), since: None, filter };
        Self { state, who, key, wall: false, follow }
    }

    /// Reads what the query and the headers say.
    ///
    /// # Errors
    /// A parameter is wrong, or he asks for what he may not see.
    pub(crate) fn read(state: State, who: Who, query: Params, headers: &HeaderMap) -> Result<Self, Problem> {
        let query = query.only(&["since", "wall", "agent", "queue", "call", "kind"])?;
        let wall = match query.text("wall") {
            None | Some("false") => false,
            Some("true") if matches!(&who, Who::Agent(caller) if !caller.supervisor) => {
                return Err(Problem::not_his());
            }
            Some("true") => true,
            Some(other) => {
                return Err(Problem::field("wall", format!("{other:?} is neither true nor false")));
            }
        };
        let place = |text: &str| {
            since(text).ok_or_else(|| Problem::field("since", "expected START-SEQ, as in 1795212000-42"))
        };
        // A browser comes back to the address that it was given at first, with the last id in a header.
        let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
        let from = last.or(query.text("since")).map(place).transpose()?;
        let filter = EventFilter::read(&query, &who)?;
        let tenant = who.tenant();
        let key = token_of(headers).unwrap_or_default();
        Ok(Self { state, who, key, wall, follow: Follow { tenant, since: from, filter } })
    }
}

impl Feed {
    /// Begins.
    pub(crate) fn begin(asked: Asked) -> Self {
        let Asked { state, who, key, wall, follow } = asked;
        let wall = wall.then(|| Wall::new(state.clone(), who.tenant()));
        let items = state.switch.follow(follow);
        let looks = tokio::time::interval_at(tokio::time::Instant::now() + LOOK, LOOK);
        Self { items, wall, state, who, key, looks, may: None, closed: false }
    }

    /// The next item; none after the last. What is given up half-way is gone on with.
    pub(crate) async fn next(&mut self) -> Option<StreamItem> {
        if self.closed {
            return None;
        }
        loop {
            tokio::select! {
                item = self.items.recv() => return self.heard(item),
                view = Wall::next(&mut self.wall) => return Some(view),
                may = answer(&mut self.may) => {
                    self.may = None;
                    if !may {
                        return self.heard(Some(StreamItem::Closing { reason: "not_allowed_any_more".into() }));
                    }
                }
                _ = self.looks.tick() => self.look(),
            }
        }
    }

    fn heard(&mut self, item: Option<StreamItem>) -> Option<StreamItem> {
        if let Some(wall) = &mut self.wall {
            wall.dirty = true;
        }
        if let (Some(StreamItem::Event(event)), Who::Agent(caller)) = (&item, &self.who)
            && is_of_session(event, &caller.agent)
        {
            // It may be one of long ago, that he had missed: his token knows.
            self.look();
        }
        self.closed = matches!(item, None | Some(StreamItem::Closing { .. }));
        item
    }

    /// Asks whether he still may read.
    fn look(&mut self) {
        let (state, key, who) = (self.state.clone(), self.key.clone(), self.who.clone());
        self.may = Some(Box::pin(async move { Ok(opens_yet(&state, &key, &who, SCOPE).await) }));
    }
}

async fn answer(may: &mut Option<Later<bool>>) -> bool {
    match may {
        Some(asked) => asked.await.unwrap_or(true),
        None => std::future::pending().await,
    }
}

/// The figures of now beside the events.
struct Wall {
    state: State,
    tenant: TenantId,
    /// Something has changed since they were asked for.
    dirty: bool,
    asked: Option<Instant>,
    /// The answer that is waited for. Kept over the events that come meanwhile.
    answer: Option<Later<WallView>>,
}

impl Wall {
    fn new(state: State, tenant: TenantId) -> Self {
        Self { state, tenant, dirty: true, asked: None, answer: None }
    }

    /// Waits until they are due, and asks for them; for ever while nothing changes.
    async fn next(wall: &mut Option<Self>) -> StreamItem {
        let Some(wall) = wall else { return std::future::pending().await };
        loop {
            let Some(answer) = &mut wall.answer else {
                if !wall.dirty {
                    return std::future::pending().await;
                }
                if let Some(asked) = wall.asked {
                    tokio::time::sleep_until((asked + WALL).into()).await;
                }
                (wall.asked, wall.dirty) = (Some(Instant::now()), false);
                wall.answer = Some(wall.state.switch.wall(wall.tenant));
                continue;
            };
            let view = answer.await;
            wall.answer = None;
            match view {
                Ok(view) => {
                    // Who waits, waits longer: that changes without an event.
                    wall.dirty |= view.waiting > 0;
                    return StreamItem::Wall(Box::new(view));
                }
                // A switch that is too busy for it is asked again in a second.
                Err(_) => wall.dirty = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_start_and_a_number() {
        assert_eq!(since("1795212000-42"), Some(Since { start: 1_795_212_000, seq: 42 }));
        assert_eq!(since("42"), None);
        assert_eq!(since("a-b"), None);
    }
}
