//! Serves the control plane over HTTP.
//!
//! Invariant: connections are bounded in number, and one that says nothing, says it slowly, or takes nothing of what it
//! asked for, is closed by a timer: what idles here never takes the descriptors that calls need.

use crate::boot::BootError;
use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use cordboard_api::routes::router;
use cordboard_api::state::ApiConfig;
use cordboard_api::switch::Switch;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
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

/// Listens on `addr` and serves the control plane and `more` until the task is aborted, at most so many `connections` at a time; the next one waits.
/// Gives the bound address.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(
    addr: SocketAddr,
    switch: Arc<dyn Switch>,
    config: ApiConfig,
    more: Router,
    connections: usize,
) -> Result<(SocketAddr, JoinHandle<()>), BootError> {
    let failed = |why| BootError::Bind("HTTP", addr, why);
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let room = Arc::new(Semaphore::new(connections));
    let task = tokio::spawn(accept(listener, router(switch, config).merge(more), room));
    Ok((bound, task))
}

async fn accept(listener: TcpListener, app: Router, room: Arc<Semaphore>) {
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((socket, peer)) => {
                let stream = Stream { socket, stalled: None, _permit: permit };
                tokio::spawn(connection(stream, peer, app.clone()));
            }
            Err(why) => {
                tracing::warn!(%why, "the control plane cannot take a connection");
                sleep(PAUSE).await;
            }
        }
    }
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
        tokio::spawn(accept(listener, app, Arc::new(Semaphore::new(room))));
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
