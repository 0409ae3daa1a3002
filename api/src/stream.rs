//! The event stream over WebSocket and as server-sent events: `hello`, then events in order, a named gap with a snapshot
//! where some are lost.

use crate::feed::{Asked, Feed};
use crate::key::Signed;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::State;
use crate::switch::StreamItem;
use axum::body::{Body, Bytes};
use axum::extract::State as Use;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// A reader that takes longer than this for one message is cut; it can come back with `since`.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// How often a reader is pinged.
const PING: Duration = Duration::from_secs(20);
/// A reader that answers no ping for this long is gone.
const SILENCE: Duration = Duration::from_secs(70);
/// Longest message taken from a reader, in bytes: it has nothing to say but pongs.
const HEARD_MAX: usize = 4_096;
/// What is sent as server-sent events is never silent for longer: what is in between takes silence for the end.
const COMMENT: Duration = Duration::from_secs(15);
/// How long a reader of server-sent events waits before he comes back, milliseconds.
const RETRY_MS: u32 = 1_000;

/// `GET /api/v1/events`: upgrades to a WebSocket that carries the tenant's events, and with `wall=true` the figures of now; or
/// sends the same as server-sent events to who accepts them.
pub async fn events(
    Use(state): Use<State>,
    Signed(who): Signed,
    query: Params,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let asked = Asked::read(state, who, query, &headers)?;
    if upgrade.is_err() && accepts_events(&headers) {
        return Ok(sent_events(Feed::begin(asked)));
    }
    let upgrade = upgrade.map_err(|why| {
        let detail = format!(
            "{}: this is a WebSocket, or server-sent events with Accept: text/event-stream, and no plain GET",
            why.body_text()
        );
        Problem::new(why.status(), "the request is not valid", detail)
    })?;
    let feed = Feed::begin(asked);
    Ok(upgrade
        .protocols(["cordboard.v1"])
        .max_message_size(HEARD_MAX)
        .on_upgrade(move |socket| serve(socket, feed))
        .into_response())
}

/// Whether who asks takes server-sent events.
pub(crate) fn accepts_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/event-stream"))
}

async fn serve(socket: WebSocket, mut feed: Feed) {
    let (mut out, mut back) = socket.split();
    let mut ping = tokio::time::interval(PING);
    ping.tick().await;
    let mut heard_at = Instant::now();
    loop {
        let message = tokio::select! {
            item = feed.next() => match item {
                Some(item) => item,
                None => break,
            },
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
    end(out, back).await;
}

/// Ends a WebSocket: says so, and reads on until the other side has closed, too, or [`SEND_LIMIT`] is over. What it sends and
/// nobody reads would reset the connection, and what was told last be lost.
pub(crate) async fn end<O, B, E>(mut out: O, mut back: B)
where
    O: Sink<Message> + Unpin,
    B: Stream<Item = Result<Message, E>> + Unpin,
{
    let end = async {
        let _ = out.close().await;
        while let Some(Ok(_)) = back.next().await {}
    };
    let _ = tokio::time::timeout(SEND_LIMIT, end).await;
}

async fn sent<S>(out: &mut S, message: Message) -> bool
where
    S: futures_util::Sink<Message> + Unpin,
{
    matches!(tokio::time::timeout(SEND_LIMIT, out.send(message)).await, Ok(Ok(())))
}

/// The same messages as server-sent events (HTML 9.2): `data` is the message, `id` the place to come back to. A reader who
/// takes nothing is closed by the server of the connection.
fn sent_events(feed: Feed) -> Response {
    let first = Bytes::from(format!("retry: {RETRY_MS}\n\n"));
    let begun = futures_util::stream::once(async { Ok::<_, Infallible>(first) });
    let rest = futures_util::stream::unfold((feed, 0), |(mut feed, mut start)| async move {
        let text = match tokio::time::timeout(COMMENT, feed.next()).await {
            Ok(item) => written(&item?, &mut start)?,
            Err(_) => ": still here\n\n".to_owned(),
        };
        Some((Ok(Bytes::from(text)), (feed, start)))
    });
    let mut response = Body::from_stream(begun.chain(rest)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy that gathers what it passes on is asked not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// One message as server-sent events have it; `start` is the one of the last `hello`.
fn written(item: &StreamItem, start: &mut u32) -> Option<String> {
    let seq = match item {
        StreamItem::Hello { start: new, .. } => {
            *start = *new;
            None
        }
        StreamItem::Event(event) => Some(event.seq),
        StreamItem::Snapshot { seq, .. } | StreamItem::Position { seq } => Some(*seq),
        // Who is cut after a gap is to hear of it again.
        StreamItem::Gap { .. } | StreamItem::Wall(_) | StreamItem::Closing { .. } => None,
    };
    // JSON as we write it has no line breaks.
    let data = serde_json::to_string(item).ok()?;
    let id = seq.map(|seq| format!("id: {start}-{seq}\n")).unwrap_or_default();
    Some(format!("{id}data: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::chat::{ChatEvent, ChatFrom, ChatMessage};
    use cordboard_model::event::{Event, EventKind};
    use cordboard_model::id::{IdMaker, TenantId};
    use cordboard_model::time::Wall;

    #[test]
    fn a_message_has_the_place_to_come_back_to_as_its_id() {
        let mut start = 0;
        let hello = written(&StreamItem::Hello { start: 7, last: 3 }, &mut start).unwrap();
        assert_eq!(hello, "data: {\"message\":\"hello\",\"start\":7,\"last\":3}\n\n");
        let position = written(&StreamItem::Position { seq: 4 }, &mut start).unwrap();
        assert_eq!(position, "id: 7-4\ndata: {\"message\":\"position\",\"seq\":4}\n\n");
        let gap = written(&StreamItem::Gap { from: 1, to: 2 }, &mut start).unwrap();
        assert!(gap.starts_with("data: "), "{gap}");
    }

    #[test]
    fn what_is_said_in_a_chat_leaves_the_message_a_message() {
        let from = ChatFrom::Customer;
        let said = ChatMessage { number: 1, at: Wall(7), from, text: "Hello".into(), id: None };
        let chat = IdMaker::new(1, 0).call(TenantId::DEFAULT);
        let what = EventKind::Chat { chat, what: Box::new(ChatEvent::Message { message: said }) };
        let event = Event { tenant: TenantId::DEFAULT, seq: 4, at: Wall(7), what };
        let line = written(&StreamItem::Event(Box::new(event.clone())), &mut 7).unwrap();
        assert_eq!(line.matches("\"message\":").count(), 1, "{line}");
        // As it was kept before its word was changed.
        let kept = serde_json::to_string(&event).unwrap();
        let before = kept.replace("\"said\":", "\"message\":");
        assert_ne!(kept, before);
        assert_eq!(serde_json::from_str::<Event>(&before).unwrap(), event);
    }

    #[test]
    fn server_sent_events_are_for_who_accepts_them() {
        let mut headers = HeaderMap::new();
        assert!(!accepts_events(&headers));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, */*"));
        assert!(!accepts_events(&headers));
        headers.append(header::ACCEPT, HeaderValue::from_static("text/html, text/event-stream;q=0.9"));
        assert!(accepts_events(&headers));
    }
}
