//! The gateway's events over a WebSocket: our own extension, which the reference has not. It says so in its path.
//!
//! Invariants: what is sent is what a poll would be answered, event by event and in the same order; an event leaves the seat
//! when it was handed to the connection, so one that breaks loses none. One reader at a time: a newer poll or feed ends it.

use super::Gateway;
use super::ask::guid_of;
use super::code::{Code, Fault};
use super::guid::Worth;
use super::seat::Seat;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State as Use};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Sink, SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What the page names as sub-protocol, beside `guid.` with its guid: browsers set no headers on a WebSocket.
const PROTOCOL: &str = "cordboard.agentevent.v1";
const GUID: &str = "guid.";
/// Longest time for one message.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// How often the page is pinged; its answer is its sign of life.
const PING: Duration = Duration::from_secs(20);
/// Longest message taken from a page, bytes: it has nothing to say.
const HEARD_MAX: usize = 1_024;
/// Most events that are read from the seat at once.
const BATCH: usize = 64;

/// The guid among the sub-protocols.
fn guid_among(headers: &HeaderMap) -> Option<String> {
    let named =
        headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut named = named.flat_map(|value| value.split(','));
    named.find_map(|one| one.trim().strip_prefix(GUID).map(str::to_owned))
}

/// `GET /agentevent/{agentid}/x-feed`: upgrades to a WebSocket that carries his events.
pub(crate) async fn feed(
    Use(gateway): Use<Arc<Gateway>>,
    Path(agent): Path<String>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let refused = |fault: Fault| fault.into_response();
    let Some(seat) = gateway.seat(&agent).filter(|seat| !seat.is_gone()) else {
        return refused(Code::NOT_SIGNED_IN.into());
    };
    let guid = guid_of(&headers).map(str::to_owned).or_else(|| guid_among(&headers)).unwrap_or_default();
    match seat.worth(&guid, gateway.now()) {
        Worth::Good => {}
        Worth::Stale => return refused(Code::NO_RIGHT.into()),
        Worth::Wrong => return refused(Code::NOT_SIGNED_IN.into()),
    }
    if seat.pushes {
        return refused(Fault::new(Code::METHOD, "this agent's events are pushed"));
    }
    match upgrade {
        Ok(upgrade) => upgrade
            .protocols([PROTOCOL])
            .max_message_size(HEARD_MAX)
            .on_upgrade(move |socket| serve(socket, gateway, seat, guid)),
        Err(why) => refused(Fault::new(Code::METHOD, why.body_text())),
    }
}

fn envelope(key: &str, value: &Value) -> Message {
    Message::Text(json!({ "message": "", "retcode": "0", key: value }).to_string().into())
}

async fn serve(socket: WebSocket, gateway: Arc<Gateway>, seat: Arc<Seat>, mut guid: String) {
    let (mut out, mut back) = socket.split();
    let mut ping = tokio::time::interval(PING);
    let this = seat.begin_poll();
    loop {
        // to be woken by what comes between the look and the wait
        let woken = seat.waiting.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        if seat.is_gone() || !seat.is_last(this) {
            let code = if seat.is_gone() { Code::NOT_SIGNED_IN } else { Code::METHOD };
            let last = Fault::new(code, "the feed ends").body().to_string();
            sent(&mut out, Message::Text(last.into())).await;
            break;
        }
        let batch = seat.batch(BATCH);
        if !batch.is_empty() {
            if !all_sent(&mut out, &seat, &batch).await {
                break;
            }
            continue;
        }
        tokio::select! {
            () = woken => {}
            heard = back.next() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {
                    if let Some(next) = seat.beat(&guid, gateway.now()) {
                        gateway.confirm(Arc::clone(&seat));
                        guid.clone_from(&next);
                        if !sent(&mut out, envelope("guid", &next.into())).await {
                            break;
                        }
                    }
                }
            },
            _ = ping.tick() => {
                if !sent(&mut out, Message::Ping(Vec::new().into())).await {
                    break;
                }
            }
        }
    }
    crate::stream::end(out, back).await;
}

/// Each by itself, as a poll has it; those that went are the seat's no more.
async fn all_sent<S>(out: &mut S, seat: &Seat, batch: &[Value]) -> bool
where
    S: Sink<Message> + Unpin,
{
    for event in batch {
        if !sent(out, envelope("event", event)).await {
            return false;
        }
        seat.pushed(core::slice::from_ref(event));
    }
    true
}

async fn sent<S>(out: &mut S, message: Message) -> bool
where
    S: Sink<Message> + Unpin,
{
    matches!(tokio::time::timeout(SEND_LIMIT, out.send(message)).await, Ok(Ok(())))
}
