//! Serves the control plane over HTTP.
//!
//! Invariant: connections are bounded in number, and one that says nothing, says it slowly, or takes nothing of what it
//! asked for, is closed by a timer: what idles here never takes the descriptors that calls need.

use crate::boot::BootError;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::middleware::map_request;
use axum::{Extension, Router};
use cordboard_api::key::Client;
use cordboard_api::routes::router;
use cordboard_api::state::ApiConfig;
use cordboard_api::switch::Switch;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep};

/// Longest time for the head of a request, and longest silence between two.
const HEAD: Duration = Duration::from_secs(15);
/// Longest head of a request, bytes: more is answered with 431.
const HEAD_MAX: usize = 64 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// Longest time in which a peer takes nothing of what is sent to it.
const STALL: Duration = Duration::from_secs(30);
/// How long no connection is taken after the system refused one: it is out of something.
const PAUSE: Duration = Duration::from_millis(200);

/// Where it is served, and to whom.
#[derive(Debug)]
pub struct Door {
    /// The address to listen on.
    pub at: SocketAddr,
    /// Whose word on where a request comes from is taken: proxies that set `X-Forwarded-For`.
    pub proxies: Vec<IpAddr>,
    /// Most connections at a time; the next one waits.
    pub connections: usize,
}

/// Serves the control plane and `more` until the task is aborted. Gives the bound address.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(
    door: Door,
    switch: Arc<dyn Switch>,
    config: ApiConfig,
    more: Router,
) -> Result<(SocketAddr, JoinHandle<()>), BootError> {
    let Door { at: addr, proxies, connections } = door;
    let failed = |why| BootError::Bind("HTTP", addr, why);
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let room = Arc::new(Semaphore::new(connections));
    let app = router(switch, config).merge(more);
    let task = tokio::spawn(accept(listener, app, room, proxies.into()));
    Ok((bound, task))
}

async fn accept(listener: TcpListener, app: Router, room: Arc<Semaphore>, proxies: Arc<[IpAddr]>) {
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((socket, peer)) => {
                // An event must not wait until the one before it is acknowledged; a system that refuses this is only slower.
                let _ = socket.set_nodelay(true);
                let stream = Stream { socket, stalled: None, _permit: permit };
                tokio::spawn(connection(stream, peer, known(app.clone(), peer, &proxies)));
            }
            Err(why) => {
                tracing::warn!(%why, "the control plane cannot take a connection");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Where a request comes from that a proxy has passed on: the last address in `X-Forwarded-For` that is not one of the trusted
/// proxies; what stands before that anybody may have written. None if the proxy says nothing that can be read.
fn forwarded(headers: &HeaderMap, proxies: &[IpAddr]) -> Option<IpAddr> {
    let said = headers.get_all("x-forwarded-for").into_iter().rev();
    let mut hops = said.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
    let read = |hop: &str| {
        let hop = hop.trim();
        let bare = hop.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(hop);
        let ip = bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|at| at.ip()));
        ip.map(|ip: IpAddr| ip.to_canonical())
    };
    loop {
        let ip = read(hops.next()?)?;
        if !proxies.contains(&ip) {
            return Some(ip);
        }
    }
}

/// The routes, which learn of each request on this connection where it comes from.
fn known(app: Router, peer: SocketAddr, proxies: &Arc<[IpAddr]>) -> Router {
    if !proxies.contains(&peer.ip().to_canonical()) {
        return app;
    }
    let proxies = Arc::clone(proxies);
    app.layer(map_request(move |mut request: Request| {
        if let Some(ip) = forwarded(request.headers(), &proxies) {
            request.extensions_mut().insert(Client(ip));
        }
        std::future::ready(request)
    }))
}

async fn connection(stream: Stream, peer: SocketAddr, app: Router) {
    let service = TowerToHyperService::new(app.layer(Extension(ConnectInfo(peer))));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_MAX).max_headers(HEADERS_MAX);
    // A peer that goes away, is too slow or speaks no HTTP needs no further answer.
    let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

/// A connection that counts until it is dropped, also after it became an event stream.
#[derive(Debug)]
struct Stream {
    socket: TcpStream,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    _permit: OwnedSemaphorePermit,
}

impl Stream {
    /// What writing came to; an error once the peer has taken nothing for [`STALL`].
    fn watch<T>(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.stalled = None;
            return wrote;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.watch(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.watch(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn served(room: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let big = "x".repeat(32 << 20);
        let app = Router::new()
            .route(
                "/",
                axum::routing::get(
                    |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() },
                ),
            )
            .route("/big", axum::routing::get(|| async move { big }));
        tokio::spawn(accept(listener, app, Arc::new(Semaphore::new(room)), Arc::new([])));
        addr
    }

    async fn ask(addr: SocketAddr, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    async fn rest(mut stream: TcpStream) -> usize {
        let mut all = Vec::new();
        // A reset is an end, too.
        let _ = stream.read_to_end(&mut all).await;
        all.len()
    }

    #[test]
    fn a_trusted_proxy_says_where_a_request_comes_from_and_nobody_else_does() {
        let proxies = ["127.0.0.1", "10.0.0.2"].map(|ip| ip.parse().unwrap());
        let from = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            forwarded(&headers, &proxies).map(|ip| ip.to_string())
        };
        let ip = |text: &str| Some(text.to_owned());
        assert_eq!(from(&["192.0.2.7"]), ip("192.0.2.7"));
        assert_eq!(from(&["198.51.100.1, 192.0.2.7, 10.0.0.2"]), ip("192.0.2.7"), "the first may be made up");
        assert_eq!(from(&["198.51.100.1", "192.0.2.7"]), ip("192.0.2.7"));
        assert_eq!(from(&["[2001:db8::7]:4711"]), ip("2001:db8::7"));
        assert_eq!(from(&["192.0.2.7:4711"]), ip("192.0.2.7"));
        assert_eq!(from(&["192.0.2.7, unknown"]), None);
        assert_eq!(from(&["10.0.0.2"]), None);
        assert_eq!(from(&[]), None);
    }

    #[tokio::test]
    async fn only_requests_by_a_trusted_proxy_are_said_to_come_from_elsewhere() {
        let whose = |client: Option<Extension<Client>>| async move { format!("{client:?}") };
        for (proxies, told) in [(vec!["127.0.0.1"], true), (vec!["127.0.0.2"], false), (vec![], false)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = listener.local_addr().unwrap();
            let app = Router::new().route("/", axum::routing::get(whose));
            let proxies: Vec<IpAddr> = proxies.iter().map(|ip| ip.parse().unwrap()).collect();
            tokio::spawn(accept(listener, app, Arc::new(Semaphore::new(1)), proxies.into()));
            let request =
                "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n";
            let (mut stream, mut answer) = (ask(addr, request).await, String::new());
            stream.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer.contains("192.0.2.7"), told, "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_or_says_it_slowly_is_closed_and_makes_room() {
        let addr = served(2).await;
        let (silent, slow) = (ask(addr, "").await, ask(addr, "GET / HTTP/1.1\r\nHost: a\r\nX: ").await);
        let third = tokio::spawn(async move {
            rest(ask(addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await).await
        });
        assert_eq!(rest(silent).await, 0);
        assert!(rest(slow).await < 200);
        assert!(third.await.unwrap() > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_what_it_asked_for_is_closed() {
        let addr = served(1).await;
        let greedy = ask(addr, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let next = rest(ask(addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await).await;
        assert!(next > 0);
        assert!(rest(greedy).await < 32 << 20);
    }
}
