//! SIP over WebSocket (RFC 7118): each WebSocket message is one SIP message.

use super::{FIRST, IDLE, News, QUEUE, STALL, Shared};
use crate::config::Listen;
use crate::shard::Order;
use crate::transport::connection::End;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use cordboard_sip::engine::{Flow, Transport};
use futures_util::StreamExt;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Longest SIP message, bytes; as over other streams.
const LONGEST: usize = 64 << 10;

/// Whether some tenant lists an origin under `access.origins`, as the configuration in use has it.
#[derive(Clone)]
pub struct Listed(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl Listed {
    /// By this answer.
    pub fn by(answer: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listed")
    }
}

/// What a route needs to take SIP connections.
#[derive(Clone, Debug)]
pub struct SipOverHttp {
    shared: Shared,
    /// Origins of pages that may connect, beside those of this host.
    origins: Arc<Vec<String>>,
    /// Those that tenants list for their pages.
    listed: Listed,
    /// How messages of this route travel.
    transport: Transport,
    /// Our end as peers know it, where the route does not belong to a SIP listener.
    local: SocketAddr,
}

impl SipOverHttp {
    /// For the HTTP listener: plain, as a proxy with TLS stands before it.
    pub fn new(shared: Shared, origins: Vec<String>, listed: Listed, local: SocketAddr) -> Self {
        Self { shared, origins: Arc::new(origins), listed, transport: Transport::Ws, local }
    }

    pub(super) fn on(self, listen: Listen) -> Self {
        Self { transport: listen.transport, local: listen.address, ..self }
    }

    /// "the server MUST validate the Origin" in the sense of RFC 6455 10.2: a page of this host may connect, one that is
    /// listed here or by a tenant, and who is no page. What it may do then, what it proves itself by says: no page brings
    /// along what a browser keeps of another.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else {
            return true;
        };
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        if self.origins.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(origin)) {
            return true;
        }
        if (self.listed.0)(origin) {
            return true;
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let of_page = origin.split_once("://").map(|(_, host)| host);
        host.is_some_and(|host| of_page.is_some_and(|of_page| of_page.eq_ignore_ascii_case(host)))
    }
}

/// Routes at these paths: `/` and `/sip` of a listener for WebSocket, `/sip` of the HTTP listener.
pub fn routes(over: SipOverHttp, paths: &[&str]) -> Router {
    let add = |router: Router<SipOverHttp>, path: &&str| router.route(path, any(upgrade));
    paths.iter().fold(Router::new(), add).with_state(over)
}

async fn upgrade(
    State(over): State<SipOverHttp>,
    flow: Option<Extension<Flow>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let failed = |status: StatusCode, why: &'static str| {
        over.shared.gauges.handshakes_failed.fetch_add(1, Relaxed);
        (status, why).into_response()
    };
    if !over.admits(&headers) {
        return failed(
            StatusCode::FORBIDDEN,
            "pages of this origin may not connect; see access.origins of the tenant, and [sip] origins\n",
        );
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.max_message_size(LONGEST).max_frame_size(LONGEST).protocols(["sip"]),
        Err(why) => return why.into_response(),
    };
    // RFC 7118 4.1: "The client MUST include the value "sip" in the Sec-WebSocket-Protocol header"
    if upgrade.selected_protocol().is_none() {
        return failed(StatusCode::BAD_REQUEST, "expected Sec-WebSocket-Protocol: sip (RFC 7118)\n");
    }
    let remote = peer.map(|Extension(ConnectInfo(remote))| remote);
    let flow = match (flow, remote) {
        (Some(Extension(flow)), _) => flow,
        (None, Some(remote)) => Flow { transport: over.transport, local: over.local, remote },
        (None, None) => return failed(StatusCode::INTERNAL_SERVER_ERROR, "the connection is nobody's\n"),
    };
    let shared = over.shared.clone();
    upgrade.on_upgrade(move |socket| connection(shared, flow, socket))
}

async fn connection(shared: Shared, flow: Flow, socket: WebSocket) {
    let number = shared.number();
    let (queue, messages) = mpsc::channel(QUEUE);
    if shared.news.send(News::Opened { flow, number, queue }).await.is_err() {
        return;
    }
    let end = run(&shared, flow, socket, messages).await;
    shared.closed(flow, number, end).await;
}

async fn run(
    shared: &Shared,
    flow: Flow,
    mut socket: WebSocket,
    mut messages: mpsc::Receiver<Vec<u8>>,
) -> End {
    let mut until = Instant::now() + FIRST;
    loop {
        tokio::select! {
            message = messages.recv() => {
                let Some(bytes) = message else {
                    let close = Message::Close(Some(CloseFrame { code: 1001, reason: "the switch stops".into() }));
                    let _ = timeout(STALL, socket.send(close)).await;
                    return End::Shard;
                };
                // RFC 7118 5: text where it is text; a body that is none travels as binary.
                let message = match String::from_utf8(bytes) {
                    Ok(text) => Message::text(text),
                    Err(why) => Message::binary(why.into_bytes()),
                };
                match timeout(STALL, socket.send(message)).await {
                    Err(_) => return End::Slow,
                    Ok(Err(_)) => return End::Peer,
                    Ok(Ok(())) => {}
                }
            }
            came = timeout_at(until, socket.next()) => {
                let message = match came {
                    Err(_) => return End::Idle,
                    Ok(None | Some(Err(_))) => return End::Peer,
                    Ok(Some(Ok(message))) => message,
                };
                until = Instant::now() + IDLE;
                let bytes = match message {
                    Message::Text(text) => text.as_bytes().to_vec(),
                    Message::Binary(bytes) => bytes.to_vec(),
                    // Pings are answered by the library; a close is followed by the end.
                    Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
                };
                // RFC 7118 6 leaves CRLF keep-alives to those who know them.
                if bytes == b"\r\n\r\n" {
                    if timeout(STALL, socket.send(Message::text("\r\n"))).await.is_err() {
                        return End::Slow;
                    }
                    continue;
                }
                if let Err(end) = shared.tell(Order::Message { flow, bytes }).await {
                    return end;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(origins: &[&str], host: &str, origin: Option<&str>) -> bool {
        let (shard, _orders) = cordboard_lane::lane("test", 1);
        let (news, _desk) = mpsc::channel(1);
        let shared = Shared { shard, news, gauges: Arc::default(), numbers: Arc::default() };
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        let listed = Listed::by(|origin| origin == "https://shop.example.net");
        let over = SipOverHttp::new(shared, origins, listed, "127.0.0.1:80".parse().unwrap());
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        over.admits(&headers)
    }

    #[test]
    fn a_page_of_another_origin_is_admitted_only_by_name() {
        assert!(admits(&[], "pbx.example.com", None));
        assert!(admits(&[], "pbx.example.com", Some("https://pbx.example.com")));
        assert!(admits(&[], "pbx.example.com:8080", Some("http://PBX.example.com:8080")));
        assert!(!admits(&[], "pbx.example.com", Some("https://evil.example.net")));
        assert!(!admits(&[], "pbx.example.com", Some("https://pbx.example.com.evil.net")));
        assert!(!admits(&[], "pbx.example.com", Some("null")));
        assert!(admits(&["https://crm.example.net"], "pbx.example.com", Some("https://crm.example.net")));
        assert!(admits(&[], "pbx.example.com", Some("https://shop.example.net")));
        assert!(admits(&["*"], "pbx.example.com", Some("https://anyone.example.net")));
    }
}
