//! The bare relays: what the machine itself can do. One thread, a port for each end as the switch has, and nothing but
//! the packet passed on from the other end's port; no RTP is looked at.
//!
//! Each is a process of its own, started as `cargo xtask load bare BACKEND ENDS`, so that its time and its memory are the
//! kernel's count of it. It says where its ports are, and ends with its standard input.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use nix::libc;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::traffic::ear;
use super::{shared, uring};
use crate::load::machine::on_core;
use crate::load::place::PROBE;
use crate::outcome::Outcome;

/// Its address; its first port.
const PLACE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);
const FIRST: u16 = 10_000;
/// Longest packet passed on.
pub(super) const PACKET: usize = 2_048;

/// How it waits for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    /// epoll, a system call for each packet in and for each out.
    Epoll,
    /// `io_uring`: many waits armed once, packets out given over together.
    Uring,
    /// Few ports for all calls, packets taken and given over in batches.
    Shared,
}

impl Backend {
    pub(super) fn name(self) -> &'static str {
        match self {
            Backend::Epoll => "bare-epoll",
            Backend::Uring => "bare-io_uring",
            Backend::Shared => "bare-shared",
        }
    }
}

/// A running bare relay; it ends with this value.
pub(super) struct Bare {
    child: Child,
    backend: Backend,
    input: Option<ChildStdin>,
}

impl Bare {
    /// One for so many ends, beside where the switch would be.
    pub(super) fn start(backend: Backend, ends: usize) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("{} did not start: {error}", backend.name());
        let me = std::env::current_exe().map_err(wrong)?;
        let mut command = on_core(me, true);
        command.args(["load", "bare", backend.name(), &ends.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(wrong)?;
        let input = child.stdin.take();
        let mut said = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut said).map_err(wrong)?;
        if said.trim() == "ready" {
            Ok(Self { child, backend, input })
        } else {
            Err(format!("{}: {said}", backend.name()))
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it takes the packets of an end.
    pub(super) fn port(&self, end: usize) -> SocketAddr {
        match self.backend {
            Backend::Shared => place(shared::place(end)),
            Backend::Epoll | Backend::Uring => place(end),
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It ends when nobody holds its input.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The process itself.
pub(crate) fn run(_root: &Path, arguments: &[String]) -> Outcome {
    let (backend, ends) = match arguments {
        [backend, ends] => (backend.as_str(), ends.parse::<usize>().unwrap_or(0)),
        _ => return Outcome::Misused("bare takes a back end and how many ends there are".to_owned()),
    };
    let relayed = match backend {
        "bare-epoll" => by_epoll(ends),
        "bare-io_uring" => uring::relay(ends),
        "bare-shared" => shared::relay(ends),
        _ => return Outcome::Misused(format!("no back end {backend:?}")),
    };
    match relayed {
        Ok(()) => Outcome::of(true),
        Err(error) => Outcome::Misused(format!("{backend}: {error}")),
    }
}

/// A port of a bare relay.
fn place(port: usize) -> SocketAddr {
    (PLACE, FIRST + port as u16).into()
}

/// An address as the kernel reads it.
pub(super) fn address(to: SocketAddr) -> libc::sockaddr_in {
    let ip = match to {
        SocketAddr::V4(to) => u32::from_ne_bytes(to.ip().octets()),
        SocketAddr::V6(_) => 0,
    };
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: ip },
        sin_zero: [0; 8],
    }
}

/// Ports, with their sockets.
pub(super) fn sockets(ports: core::ops::Range<usize>) -> io::Result<Vec<UdpSocket>> {
    let bind = |port| {
        let socket = UdpSocket::bind(place(port))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    ports.map(bind).collect()
}

/// Where the other end of this one hears.
pub(super) fn other(end: usize) -> SocketAddr {
    ear(PROBE.parse().unwrap_or(Ipv4Addr::LOCALHOST), end ^ 1)
}

/// Tells the driver that ports are there; true once it wants no more.
pub(super) fn ready() -> io::Result<()> {
    println!("ready");
    io::stdout().flush()?;
    // The driver's end closes its output, and then this process is to go, whatever the thread is at.
    std::thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    Ok(())
}

fn by_epoll(ends: usize) -> io::Result<()> {
    let sockets = sockets(0..ends)?;
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    for (end, socket) in sockets.iter().enumerate() {
        epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, end as u64))?;
    }
    ready()?;
    let mut events = vec![EpollEvent::empty(); 1_024];
    let mut buf = [0; PACKET];
    let to: Vec<SocketAddr> = (0..ends).map(other).collect();
    loop {
        let count = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in events.iter().take(count) {
            let end = event.data() as usize;
            if let Ok((length, _)) = sockets[end].recv_from(&mut buf) {
                // What cannot be sent is lost, and counted by who waits for it.
                let _ = sockets[end ^ 1].send_to(&buf[..length], to[end]);
            }
        }
    }
}
