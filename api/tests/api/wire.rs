//! A WebSocket of the control plane, read message by message.

use futures_util::StreamExt;
use serde_json::Value;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(crate) type Wire = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// The next message; none at the end. Panics after five seconds of neither.
pub(crate) async fn next(wire: &mut Wire) -> Option<Value> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(5), wire.next()).await;
        match message.expect("a message or the end within five seconds") {
            Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(_))) | None => return None,
            Some(Ok(_)) => {}
            Some(Err(why)) => panic!("{why}"),
        }
    }
}
