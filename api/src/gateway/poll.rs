//! Polls and heartbeats: the two signs of life, and how the next guid comes.

use super::ask::{Answered, Ask, Reply};
use super::code::{Code, Fault};
use serde_json::Value;
use std::sync::Arc;

/// The longest token of a page that events are pushed to.
pub(crate) const TOKEN_MAX: usize = 50;

/// Waits for an event, as long as a poll may wait; gives one.
pub(crate) async fn poll(ask: Ask) -> Answered {
    let (gateway, seat) = (&ask.gateway, &ask.seat);
    if seat.pushes {
        return Err(Fault::new(Code::METHOD, "this agent's events are pushed"));
    }
    let guid = beat(&ask);
    let ends = tokio::time::Instant::now() + gateway.config.poll_wait;
    let this = seat.begin_poll();
    loop {
        // to be woken by what comes between the look and the wait
        let woken = seat.waiting.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        if seat.is_gone() {
            return Err(Code::NOT_SIGNED_IN.into());
        }
        if seat.is_last(this)
            && let Some((event, lost)) = seat.next()
        {
            let message =
                if lost > 0 { format!("{lost} events were lost before this one") } else { String::new() };
            seat.heard(gateway.now());
            return Ok(Reply { key: Some("event"), value: event, message, guid });
        }
        let over = tokio::time::timeout_at(ends, woken).await.is_err();
        if over || !seat.is_last(this) {
            seat.heard(gateway.now());
            return Ok(Reply { key: Some("event"), value: Value::Null, guid, ..Reply::default() });
        }
    }
}

/// Of a page that events are pushed to.
pub(crate) async fn handshake(ask: Ask) -> Answered {
    let token = ask.headers.get("service_token").and_then(|token| token.to_str().ok());
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        if !is_token(token) {
            return Err(Fault::new(Code::PARAMETER, "service_token"));
        }
        if let Some(push) = ask.seat.lock().push.as_mut() {
            push.token = token.to_owned();
        }
    }
    heartbeat(ask).await
}

/// He is there.
pub(crate) async fn heartbeat(ask: Ask) -> Answered {
    let guid = beat(&ask);
    Ok(Reply { value: serde_json::json!({}), guid, ..Reply::default() })
}

/// A sign of life. With each new guid the switch is asked whether the session still stands, which also keeps it from being
/// idle.
fn beat(ask: &Ask) -> Option<String> {
    let guid = ask.seat.beat(&ask.guid, ask.gateway.now());
    if guid.is_some() {
        ask.gateway.confirm(Arc::clone(&ask.seat));
    }
    guid
}

/// Whether it can be a header's value without harm.
pub(crate) fn is_token(token: &str) -> bool {
    (1..=TOKEN_MAX).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
