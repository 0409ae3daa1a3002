//! Listens for streams and takes connections, no more than may be.

use super::connection::accepted;
use super::tls::TlsStore;
use super::websocket::{SipOverHttp, routes};
use super::{FIRST, PER_ADDRESS, Shared};
use crate::boot::BootError;
use crate::config::Listen;
use axum::{Extension, Router};
use cordboard_sip::engine::{Flow, Transport};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

/// Connections that the system holds for us until we take them, at the least: tokio's own default.
const BACKLOG: i32 = 1_024;
/// How long no connection is taken after the system refused one: it is out of something.
const PAUSE: Duration = Duration::from_millis(200);

/// A bound listener.
#[derive(Debug)]
pub struct Bound {
    /// As configured.
    pub listen: Listen,
    /// Where it is.
    pub local: SocketAddr,
    socket: TcpListener,
}

/// Binds one.
///
/// # Errors
/// The address cannot be bound.
pub async fn bind(listen: Listen) -> Result<Bound, BootError> {
    let failed = |why| BootError::Bind("SIP", listen.address, why);
    let socket = listening(listen.address).map_err(failed)?;
    let local = socket.local_addr().map_err(failed)?;
    Ok(Bound { listen, local, socket })
}

/// An IPv6 socket that leaves IPv4 to another: so `0.0.0.0` and `::` can have the same port.
fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of a switch that was here before may still be closing.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// How many connections each address has, and all together.
#[derive(Debug)]
pub(crate) struct Room {
    all: Arc<Semaphore>,
    by_address: Mutex<BTreeMap<IpAddr, usize>>,
}

impl Room {
    fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { all: Arc::new(Semaphore::new(most)), by_address: Mutex::default() })
    }

    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let here = by_address.entry(address).or_default();
        if *here >= PER_ADDRESS {
            return None;
        }
        *here += 1;
        Some(Seat { room: Arc::clone(self), address, _permit: permit })
    }
}

/// The right to one connection; given back when dropped.
#[derive(Debug)]
struct Seat {
    room: Arc<Room>,
    address: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut by_address = self.room.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

/// Takes connections on all listeners until the task is aborted, at most `most` at a time.
pub fn serve(
    bound: Vec<Bound>,
    shared: &Shared,
    tls: &Arc<TlsStore>,
    over_http: &SipOverHttp,
    most: usize,
) -> Vec<tokio::task::JoinHandle<()>> {
    let room = Room::new(most);
    let start = |bound: Bound| {
        let server = Server {
            listen: bound.listen,
            shared: shared.clone(),
            tls: Arc::clone(tls),
            app: routes(over_http.clone().on(bound.listen), &["/", "/sip"]),
        };
        tokio::spawn(accept(bound.socket, server, Arc::clone(&room)))
    };
    bound.into_iter().map(start).collect()
}

#[derive(Clone)]
struct Server {
    listen: Listen,
    shared: Shared,
    tls: Arc<TlsStore>,
    app: Router,
}

async fn accept(socket: TcpListener, server: Server, room: Arc<Room>) {
    loop {
        match socket.accept().await {
            Ok((stream, remote)) => match room.enter(remote.ip().to_canonical()) {
                Some(seat) => {
                    let server = server.clone();
                    tokio::spawn(async move {
                        server.connection(stream, remote).await;
                        drop(seat);
                    });
                }
                // Closed at once: a peer that must wait would not know why.
                None => drop(server.shared.gauges.refused.fetch_add(1, Relaxed)),
            },
            Err(why) => {
                tracing::warn!(%why, "no connection for SIP can be taken");
                sleep(PAUSE).await;
            }
        }
    }
}

impl Server {
    async fn connection(self, stream: TcpStream, remote: SocketAddr) {
        let Ok(local) = stream.local_addr() else {
            return;
        };
        // Small messages that wait for company would wait for nothing.
        let _ = stream.set_nodelay(true);
        self.shared.gauges.accepted.fetch_add(1, Relaxed);
        let transport = self.listen.transport;
        let flow = Flow { transport, local, remote };
        match transport {
            Transport::Ws => self.http(stream, flow).await,
            Transport::Tls | Transport::Wss => {
                let Some(acceptor) = self.tls.acceptor(&self.listen) else {
                    return;
                };
                match timeout(FIRST, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) if transport == Transport::Wss => self.http(stream, flow).await,
                    Ok(Ok(stream)) => accepted(self.shared, flow, stream).await,
                    failed => {
                        self.shared.gauges.handshakes_failed.fetch_add(1, Relaxed);
                        if let Ok(Err(why)) = failed {
                            tracing::debug!(%flow, %why, "no TLS");
                        }
                    }
                }
            }
            Transport::Tcp | Transport::Udp => accepted(self.shared, flow, stream).await,
        }
    }

    async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, flow: Flow) {
        let app = self.app.layer(Extension(flow));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(FIRST);
        let service = TowerToHyperService::new(app);
        // A peer that speaks no HTTP needs no further answer.
        let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    }
}
