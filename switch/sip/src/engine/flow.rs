//! Where a message came from and where the answer goes: transport, our address, the peer's.

use core::fmt;
use core::net::SocketAddr;
use core::str::FromStr;

use crate::wire;

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams: retransmission is ours.
    Udp,
    /// A stream.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS (RFC 7118).
    Wss,
}

impl Transport {
    /// Whether the transport repeats lost bytes itself, so that transactions do not.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The word in a printed flow.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The transport that [`Transport::as_str`] names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|known| known.as_str() == word)
    }

    /// The same in a Via.
    #[must_use]
    pub const fn via(self) -> wire::Transport {
        match self {
            Self::Udp => wire::Transport::Udp,
            Self::Tcp => wire::Transport::Tcp,
            Self::Tls => wire::Transport::Tls,
            Self::Ws => wire::Transport::Ws,
            Self::Wss => wire::Transport::Wss,
        }
    }
}

/// A transport and its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// How.
    pub transport: Transport,
    /// Our end, as the socket is bound.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
}

impl Flow {
    /// A UDP flow.
    #[must_use]
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { transport: Transport::Udp, local, remote }
    }

    /// Reads the printed form, which names only the peer's end.
    ///
    /// # Errors
    /// The text is not `transport:address:port`.
    pub fn parse(text: &str, local: SocketAddr) -> Result<Self, FlowError> {
        let (transport, remote) = text.split_once(':').ok_or(FlowError)?;
        let transport = Transport::named(transport).ok_or(FlowError)?;
        Ok(Self { transport, local, remote: SocketAddr::from_str(remote).map_err(|_| FlowError)? })
    }

    /// The same flow to another address of the peer.
    #[must_use]
    pub const fn to(self, remote: SocketAddr) -> Self {
        Self { remote, ..self }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport.as_str(), self.remote)
    }
}

/// A text that is no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowError;

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flow is transport:address:port")
    }
}

impl std::error::Error for FlowError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_prints_its_far_end_and_reads_back() {
        let local = "192.0.2.1:5060".parse().unwrap();
        for text in ["udp:198.51.100.7:5062", "tcp:[2001:db8::1]:5060"] {
            assert_eq!(Flow::parse(text, local).unwrap().to_string(), text);
        }
        for text in ["", "udp", "udp:", "udp:host:5060", "sctp:192.0.2.1:5"] {
            assert_eq!(Flow::parse(text, local), Err(FlowError), "{text}");
        }
    }
}
