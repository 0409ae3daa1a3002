//! The event stream over WebSocket: `hello`, then events in order, a named gap with a snapshot where some are lost.

use crate::key::Asking;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::State;
use crate::switch::{Later, Since, StreamItem, Subscription};
use axum::extract::State as Use;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use cordboard_model::figures::WallView;
use cordboard_model::id::TenantId;
use futures_util::{SinkExt, StreamExt};
use std::time::{Duration, Instant};

/// A reader that takes longer than this for one message is cut; it can come back with `since`.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// The least time between two sendings of the figures of now.
const WALL: Duration = Duration::from_secs(1);
/// How often a reader is pinged.
const PING: Duration = Duration::from_secs(20);
/// A reader that answers no ping for this long is gone.
const SILENCE: Duration = Duration::from_secs(70);
/// Longest message taken from a reader, in bytes: it has nothing to say but pongs.
const HEARD_MAX: usize = 4_096;

/// Reads `START-SEQ`, both decimal, as `hello` and events gave them.
fn since(text: &str) -> Option<Since> {
    let (start, seq) = text.split_once('-')?;
    Some(Since { start: start.parse().ok()?, seq: seq.parse().ok()? })
}

/// `GET /api/v1/events`: upgrades to a WebSocket that carries the tenant's events, and with `wall=true` the figures of now.
pub async fn events(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let query = query.only(&["since", "wall"])?;
    let wall = match query.text("wall") {
        None | Some("false") => None,
        Some("true") => Some(Wall::new(state.clone(), who.tenant)),
        Some(other) => return Err(Problem::field("wall", format!("{other:?} is neither true nor false"))),
    };
    let read = |text: &str| {
        since(text).ok_or_else(|| Problem::field("since", "expected START-SEQ, as in 1795212000-42"))
    };
    let from = query.text("since").map(read).transpose()?;
    let upgrade = upgrade.map_err(|why| {
        let detail = format!("{}: this is a WebSocket and no plain GET", why.body_text());
        Problem::new(why.status(), "the request is not valid", detail)
    })?;
    let items = state.switch.subscribe(who.tenant, from);
    Ok(upgrade
        .protocols(["cordboard.v1"])
        .max_message_size(HEARD_MAX)
        .on_upgrade(move |socket| serve(socket, items, wall))
        .into_response())
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

async fn serve(socket: WebSocket, mut items: Subscription, mut wall: Option<Wall>) {
    let (mut out, mut back) = socket.split();
    let mut ping = tokio::time::interval(PING);
    ping.tick().await;
    let mut heard_at = Instant::now();
    loop {
        let message = tokio::select! {
            item = items.recv() => match item {
                Some(item) => {
                    if let Some(wall) = &mut wall {
                        wall.dirty = true;
                    }
                    item
                }
                None => break,
            },
            view = Wall::next(&mut wall) => view,
            heard = back.next() => match heard {
                Some(Ok(Message::Close(_))) | Some(Err(_)) | None => break,
                Some(Ok(_)) => {
                    heard_at = Instant::now();
                    continue;
                }
            },
            _ = ping.tick() => {
                if heard_at.elapsed() >= SILENCE || !sent(&mut out, Message::Ping(Vec::new().into())).await {
                    break;
                }
                continue;
            }
        };
        let last = matches!(message, StreamItem::Closing { .. });
        let Ok(text) = serde_json::to_string(&message) else {
            break;
        };
        if !sent(&mut out, Message::Text(text.into())).await || last {
            break;
        }
    }
    let _ = tokio::time::timeout(SEND_LIMIT, out.close()).await;
}

async fn sent<S>(out: &mut S, message: Message) -> bool
where
    S: futures_util::Sink<Message> + Unpin,
{
    matches!(tokio::time::timeout(SEND_LIMIT, out.send(message)).await, Ok(Ok(())))
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
