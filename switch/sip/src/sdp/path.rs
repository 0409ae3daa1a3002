//! ICE and DTLS in session descriptions (RFC 8839, RFC 8842, RFC 8122, RFC 4145).
//!
//! Invariant: what is not whole is as if it were not there: a stream that needs it is then refused.

use super::{Media, SdpError, Security};
use cordboard_model::path::{
    Candidate, DtlsRole, DtlsTerms, Fingerprint, FingerprintHash, IceCredentials, IceTerms, MediaPath,
};
use core::net::SocketAddr;
use sdp_types::Attribute;

/// Addresses of a peer that are looked at; a browser with many networks names a dozen.
const CANDIDATES_MAX: usize = 16;
/// Bounds of RFC 8839 5.4.
const USER_LEN: core::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_LEN: core::ops::RangeInclusive<usize> = 22..=256;
/// Of our one candidate: "host" 126, one address, RTP (RFC 8445 5.1.2.1).
const HOST_PRIORITY: u32 = (126 << 24) | (65_535 << 8) | 255;

/// Who begins the handshake, as the author of a description puts it (RFC 4145 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// He does.
    Active,
    /// The other does.
    Passive,
    /// Either.
    ActPass,
    /// Nobody yet.
    HoldConn,
}

impl Setup {
    pub(super) fn parse(value: &str) -> Option<Self> {
        let known = [
            ("active", Setup::Active),
            ("passive", Setup::Passive),
            ("actpass", Setup::ActPass),
            ("holdconn", Setup::HoldConn),
        ];
        known.into_iter().find_map(|(name, setup)| name.eq_ignore_ascii_case(value.trim()).then_some(setup))
    }
}

/// `a=ice-ufrag` with its `a=ice-pwd`.
pub(super) fn credentials(user: &str, password: &str) -> Option<IceCredentials> {
    let is_ice = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let fits = USER_LEN.contains(&user.len()) && PASSWORD_LEN.contains(&password.len());
    let (user, password) = (user.to_owned(), password.to_owned());
    (fits && is_ice(&user) && is_ice(&password)).then_some(IceCredentials { user, password })
}

/// `<foundation> <component> <transport> <priority> <address> <port> typ <type> ...` (5.1): those of RTP over UDP by address.
/// Names (`….local`) are nobody's to look up here; their owner is heard when he checks us.
pub(super) fn candidate(value: &str) -> Option<Candidate> {
    let mut fields = value.split_ascii_whitespace();
    let (_foundation, component, transport) = (fields.next()?, fields.next()?, fields.next()?);
    let (priority, ip, port) = (fields.next()?, fields.next()?, fields.next()?);
    if component != "1" || !transport.eq_ignore_ascii_case("udp") || fields.next()? != "typ" {
        return None;
    }
    let address = SocketAddr::new(ip.parse().ok()?, port.parse().ok().filter(|port| *port != 0)?);
    let usable = !address.ip().is_unspecified() && !address.ip().is_multicast();
    usable.then_some(Candidate { address, priority: priority.parse().ok()? })
}

/// `sha-256 AB:CD:...`
pub(super) fn fingerprint(value: &str) -> Option<Fingerprint> {
    let (name, text) = value.trim().split_once(' ')?;
    let hash = FingerprintHash::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name))?;
    let bytes = text.trim().split(':').map(|pair| match pair.len() {
        2 => u8::from_str_radix(pair, 16).ok(),
        _ => None,
    });
    let digest: Vec<u8> = bytes.collect::<Option<_>>()?;
    (digest.len() == hash.bytes()).then_some(Fingerprint { hash, digest })
}

/// Whom an offer of ours is to, or which end's answer this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// We answer.
    Answerer,
    /// We offered.
    Offerer,
}

/// What a peer's stream and ours come to.
pub(super) fn agree(
    stream: &Media,
    peer_lite: bool,
    ours: SocketAddr,
    security: &Security,
    side: Side,
) -> Result<MediaPath, SdpError> {
    let theirs = stream.fingerprint.clone().ok_or(SdpError::NoFingerprint)?;
    // "The default value of the setup attribute in an offer/answer exchange is 'active' in the offer and 'passive' in the
    // answer." (RFC 4145 4)
    let role = match (side, stream.setup) {
        (Side::Answerer, Some(Setup::ActPass)) => security.role.unwrap_or(DtlsRole::Client),
        (Side::Answerer, Some(Setup::Active) | None) | (Side::Offerer, Some(Setup::Active)) => {
            DtlsRole::Server
        }
        (Side::Answerer, Some(Setup::Passive)) | (Side::Offerer, Some(Setup::Passive) | None) => {
            DtlsRole::Client
        }
        (Side::Offerer, Some(Setup::ActPass)) | (_, Some(Setup::HoldConn)) => {
            return Err(SdpError::NoFingerprint);
        }
    };
    let lite = security.dtls.is_some_and(|dtls| dtls.ice_lite);
    let ice = stream.ice.clone().zip(security.ice()).map(|(theirs, own)| {
        let same_family = |candidate: &&Candidate| candidate.address.is_ipv4() == ours.is_ipv4();
        let mut candidates: Vec<Candidate> = stream.candidates.iter().filter(same_family).copied().collect();
        candidates.sort_by_key(|candidate| core::cmp::Reverse(candidate.priority));
        candidates.truncate(CANDIDATES_MAX);
        // "the initiating agent [...] MUST take the controlling role" unless it alone is lite (RFC 8445 6.1.1)
        let controlling = match (lite, peer_lite) {
            (true, false) => false,
            (false, true) => true,
            _ => side == Side::Offerer,
        };
        IceTerms { ours: own, theirs, candidates, lite, controlling }
    });
    Ok(MediaPath { ice, dtls: Some(DtlsTerms { role, theirs }) })
}

/// By whom the connection of an association is made, in an answer.
pub(super) fn setup_of(path: &MediaPath) -> &'static str {
    let is_client = path.dtls.as_ref().is_some_and(|dtls| dtls.role == DtlsRole::Client);
    if is_client { "active" } else { "passive" }
}

/// The lines of a stream of ours by DTLS. `kind` is audio or video; `setup` is `actpass` in an offer.
pub(super) fn lines(
    security: &Security,
    local: SocketAddr,
    mid: Option<&str>,
    kind: &str,
    has_ice: bool,
    setup: &str,
) -> Vec<Attribute> {
    let mut lines = Vec::with_capacity(10);
    let mut put = |name: &str, value: String| lines.push(Attribute::with_value(name, value));
    if let Some(mid) = mid {
        put("mid", mid.to_owned());
    }
    // so that a browser has a stream to play, and not only a track (RFC 8830)
    put("msid", format!("cordboard {kind}"));
    if let (Some(own), true) = (security.ice(), has_ice) {
        put("ice-ufrag", own.user);
        put("ice-pwd", own.password);
        put("candidate", format!("1 1 udp {HOST_PRIORITY} {} {} typ host", local.ip(), local.port()));
    }
    if let Some(dtls) = security.dtls {
        let bytes: Vec<String> = dtls.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
        put("fingerprint", format!("sha-256 {}", bytes.join(":")));
    }
    put("setup", setup.to_owned());
    if has_ice {
        lines.push(Attribute::new("end-of-candidates"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_browsers_are_read_and_what_cannot_be_used_is_passed_over() {
        let read = candidate(
            "842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.1 rport 9 generation 0",
        );
        assert_eq!(read.unwrap().address, "203.0.113.7:46154".parse().unwrap());
        assert_eq!(read.unwrap().priority, 1_677_729_535);
        assert!(candidate("1 1 UDP 5 2001:db8::1 9 typ host").is_some());
        for line in [
            "1 2 udp 5 192.0.2.1 9 typ host",
            "1 1 tcp 5 192.0.2.1 9 typ host tcptype active",
            "1 1 udp 5 0f-3.local 9 typ host",
            "1 1 udp 5 192.0.2.1 0 typ host",
            "1 1 udp 5 0.0.0.0 9 typ host",
            "1 1 udp 5 224.0.0.1 9 typ host",
            "1 1 udp 99999999999 192.0.2.1 9 typ host",
            "1 1 udp 5 192.0.2.1 9",
            "",
        ] {
            assert_eq!(candidate(line), None, "{line}");
        }
        let digest = ["AB"; 32].join(":");
        assert_eq!(fingerprint(&format!("SHA-256 {digest}")).unwrap().digest, [0xab; 32]);
        for line in
            [format!("sha-1 {digest}"), format!("sha-256 {digest}:AB"), "sha-256 +1".into(), "".into()]
        {
            assert_eq!(fingerprint(&line), None, "{line}");
        }
        assert!(credentials("abcd", &"x".repeat(22)).is_some());
        assert_eq!(credentials("abc", &"x".repeat(22)), None);
        assert_eq!(credentials("abcd", &"x".repeat(21)), None);
        assert_eq!(credentials("ab:d", &"x".repeat(22)), None, "a colon would part the username elsewhere");
    }
}
