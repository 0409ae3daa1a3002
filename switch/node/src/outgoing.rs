//! Connections that the switch makes on behalf of its configuration: to who makes speech, to bots.
//!
//! Invariant: the address that is connected to is the one that was checked. A private address (of this machine, of a
//! local network) is refused unless the configuration allows it by name: a name that resolves to one must not make the
//! switch a way into its own network.

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A connection, with TLS or without.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Why there is no connection.
#[derive(Debug)]
pub enum OutgoingError {
    /// The name is not known, or has no address that may be used.
    Name(String),
    /// Every address is a private one, which is not allowed here.
    Private(String),
    /// Nobody answers there, or the certificate is not right.
    Connect(io::Error),
}

impl fmt::Display for OutgoingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutgoingError::Name(host) => write!(f, "the name {host} is not known"),
            OutgoingError::Private(host) => {
                write!(f, "{host} is at a private address; allow_private = true allows that")
            }
            OutgoingError::Connect(why) => why.fmt(f),
        }
    }
}

/// Where to, taken out of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// With TLS.
    pub secure: bool,
    /// Host name or address.
    pub host: String,
    /// Port, the scheme's if none is named.
    pub port: u16,
    /// Path and query; never empty.
    pub path: String,
}

impl Target {
    /// Reads a URL of one of two schemes, the plain one and the one with TLS: `http` and `https`, `ws` and `wss`. Neither
    /// user information nor a fragment is taken.
    pub fn read(url: &str, [plain, secure]: [&str; 2]) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let with_tls = scheme.eq_ignore_ascii_case(secure);
        let known = with_tls || scheme.eq_ignore_ascii_case(plain);
        let fits = url.len() <= 2_048 && url.bytes().all(|b| b.is_ascii_graphic());
        if !known || !fits || rest.contains(['@', '#', '\\']) {
            return None;
        }
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (host, port) = match authority.strip_prefix('[') {
            Some(v6) => {
                let (host, port) = v6.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None if with_tls => 443,
            None => 80,
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        let named = !host.is_empty() && host.chars().all(is_host);
        named.then(|| Self { secure: with_tls, host: host.to_ascii_lowercase(), port, path })
    }

    /// Host and port as a Host header has them.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

/// Where a URL leads, if one of those that are allowed is its beginning: scheme, host and port the same, and the path below
/// or at the allowed one.
pub(crate) fn allowed(list: &[String], url: &str, schemes: [&str; 2]) -> Option<Target> {
    let wanted = Target::read(url, schemes)?;
    let path = wanted.path.split('?').next().unwrap_or_default();
    // Dots and slashes that are written as codes, and names with parameters, are taken for climbing by one server or another.
    let coded = path.to_ascii_lowercase();
    let climbs = coded.split('/').any(|part| part == ".." || part.starts_with("..;"))
        || ["%2e", "%2f", "%5c"].iter().any(|code| coded.contains(code));
    let fits = |entry: &String| {
        Target::read(entry, schemes).is_some_and(|known| {
            let below = known.path.trim_end_matches('/');
            let rest = path.strip_prefix(below);
            let same = (known.secure, &known.host, known.port) == (wanted.secure, &wanted.host, wanted.port);
            same && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    (!climbs && list.iter().any(fits)).then_some(wanted)
}

/// Whether an address is one of this machine or of a network that not everybody reaches.
pub fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = matches!(ip.octets(), [100, 64..=127, ..]);
            let none = matches!(ip.octets(), [0, ..]);
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared || none || ip.is_multicast()
        }
        IpAddr::V6(ip) => {
            ip.is_unique_local()
                || ip.is_loopback()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
        }
    }
}

/// Connects. The caller sets the time limit.
///
/// # Errors
/// See [`OutgoingError`].
pub async fn connect(
    target: &Target,
    allow_private: bool,
    tls: &Arc<ClientConfig>,
) -> Result<Box<dyn Wire>, OutgoingError> {
    let unknown = || OutgoingError::Name(target.host.clone());
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await.map_err(|_| unknown())?;
    let all: Vec<SocketAddr> = found.collect();
    if all.is_empty() {
        return Err(unknown());
    }
    let mut failed = OutgoingError::Private(target.host.clone());
    for address in all.into_iter().filter(|address| allow_private || !is_private(address.ip())) {
        match TcpStream::connect(address).await {
            Ok(stream) => return over(target, stream, tls).await,
            Err(why) => failed = OutgoingError::Connect(why),
        }
    }
    Err(failed)
}

async fn over(
    target: &Target,
    stream: TcpStream,
    tls: &Arc<ClientConfig>,
) -> Result<Box<dyn Wire>, OutgoingError> {
    // Audio in small pieces must not wait for an acknowledgement; a system that refuses this is only slower.
    let _ = stream.set_nodelay(true);
    if !target.secure {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(target.host.clone())
        .map_err(|why| OutgoingError::Connect(io::Error::other(why)))?;
    let connector = TlsConnector::from(Arc::clone(tls));
    let stream = connector.connect(name, stream).await.map_err(OutgoingError::Connect)?;
    Ok(Box::new(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_strictly() {
        let read = |url| Target::read(url, ["ws", "wss"]).map(|t| (t.secure, t.host, t.port, t.path));
        assert_eq!(read("wss://Bot.example/a?b=c"), Some((true, "bot.example".into(), 443, "/a?b=c".into())));
        assert_eq!(read("ws://127.0.0.1:8080"), Some((false, "127.0.0.1".into(), 8_080, "/".into())));
        assert_eq!(read("ws://[::1]:9?x"), Some((false, "::1".into(), 9, "/?x".into())));
        for bad in [
            "http://bot.example/",
            "ws://",
            "ws://user@bot.example/",
            "ws://bot.example:0/",
            "ws://bot.example:99999/",
            "ws://bot example/",
            "ws://bot.example/#x",
            "ws://bot.example\r\nHost: x/",
            "ws://[::1/",
            "bot.example",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_private_address_is_refused_unless_it_is_allowed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let target = Target::read(&url, ["ws", "wss"]).unwrap();
        let tls = crate::transport::trusting(None).unwrap();
        assert!(matches!(connect(&target, false, &tls).await, Err(OutgoingError::Private(_))));
        assert!(connect(&target, true, &tls).await.is_ok());
        for ip in
            ["10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1", "0.0.0.0"]
        {
            assert!(is_private(ip.parse().unwrap()), "{ip}");
        }
        assert!(!is_private("8.8.8.8".parse().unwrap()));
    }
}
