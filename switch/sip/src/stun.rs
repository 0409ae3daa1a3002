//! STUN binding requests on the SIP port (RFC 5626 4.4.2, 8; RFC 5389): the keep-alive of UDP flows.
//!
//! Invariant: an answer is never longer than [`ANSWER_MAX`]; nothing is answered but a binding request that can be read
//! whole. Who is answered is decided by the caller.

use core::net::{IpAddr, SocketAddr};

/// Longest answer: header, XOR-MAPPED-ADDRESS of IPv6; or an error with four unknown attributes.
pub(crate) const ANSWER_MAX: usize = 64;

const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
/// Attributes of requests that mean nothing to us and may be there: credentials, for nobody is asked for them here.
const KNOWN: [u16; 2] = [0x0006, 0x0008];
/// Most unknown attributes that are named.
const UNKNOWN_MAX: usize = 4;

/// Whether a datagram is STUN and not SIP: "The first two bits of the STUN message are zeroes", as no SIP message's are,
/// and "The magic cookie field MUST contain the fixed value 0x2112A442" (RFC 5389 6).
pub(crate) fn is_stun(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER
        && bytes.first().is_some_and(|first| first & 0xc0 == 0)
        && bytes.get(4..8) == Some(&COOKIE)
}

/// The answer to a binding request from `source`; none for what is no such request.
pub(crate) fn answer(bytes: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    // "The message length MUST contain the size, in bytes, of the message not including the 20-byte STUN header. Since
    // all STUN attributes are padded to a multiple of 4 bytes, the last 2 bits of this field are always zero."
    let length = usize::from(word(2)?);
    if word(0)? != BINDING_REQUEST || length + HEADER != bytes.len() || !length.is_multiple_of(4) {
        return None;
    }
    let id = bytes.get(4..HEADER)?;
    let mut unknown = Vec::new();
    let mut at = HEADER;
    while at < bytes.len() {
        let (kind, length) = (word(at)?, usize::from(word(at + 2)?));
        // 7.3.1: unknown attributes that must be understood are answered by an error 420 that names them
        if kind < 0x8000 && !KNOWN.contains(&kind) && unknown.len() < UNKNOWN_MAX {
            unknown.push(kind);
        }
        at = at.checked_add(4 + length.next_multiple_of(4)).filter(|end| *end <= bytes.len())?;
    }
    Some(match unknown.is_empty() {
        true => message(BINDING_SUCCESS, id, &[(XOR_MAPPED_ADDRESS, mapped(source, id))]),
        false => {
            let names = unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
            message(BINDING_ERROR, id, &[(ERROR_CODE, vec![0, 0, 4, 20]), (UNKNOWN_ATTRIBUTES, names)])
        }
    })
}

/// "X-Port is computed by taking the mapped port in host byte order, XOR'ing it with the most significant 16 bits of the
/// magic cookie ... X-Address is computed by ... XOR'ing it with the magic cookie", for IPv6 "with the concatenation of the
/// magic cookie and the 96-bit transaction ID" (RFC 5389 15.2).
fn mapped(source: SocketAddr, id: &[u8]) -> Vec<u8> {
    let address = match source.ip().to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let family = if address.len() == 4 { 1 } else { 2 };
    let mut value = vec![0, family];
    value.extend(source.port().to_be_bytes().iter().zip(COOKIE).map(|(a, b)| a ^ b));
    value.extend(address.iter().zip(id).map(|(a, b)| a ^ b));
    value
}

/// A message with these attributes; `id` is cookie and transaction.
fn message(kind: u16, id: &[u8], attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::with_capacity(ANSWER_MAX);
    for (kind, value) in attributes {
        body.extend(kind.to_be_bytes());
        body.extend(u16::try_from(value.len()).unwrap_or_default().to_be_bytes());
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut out = Vec::with_capacity(HEADER + body.len());
    out.extend(kind.to_be_bytes());
    out.extend(u16::try_from(body.len()).unwrap_or_default().to_be_bytes());
    out.extend(id);
    out.append(&mut body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request and responses of RFC 5769 2, their attributes without credentials taken out: cookie and transaction
    /// are its own, and so are the mapped addresses.
    const ID: [u8; 16] =
        [0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn request(attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
        message(BINDING_REQUEST, &ID, attributes)
    }

    #[test]
    fn addresses_are_mapped_as_in_rfc_5769() {
        let v4 = answer(&request(&[]), "192.0.2.1:32853".parse().unwrap()).unwrap();
        assert_eq!(hex::encode(&v4[20..]), "002000080001a147e112a643");
        assert_eq!((&v4[..2], &v4[4..20]), (&[1, 1][..], &ID[..]));
        let v6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        let v6 = answer(&request(&[]), v6).unwrap();
        assert_eq!(hex::encode(&v6[20..]), "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9");
        assert!(v6.len() <= ANSWER_MAX);
    }

    #[test]
    fn what_is_no_whole_binding_request_is_not_answered() {
        let source = "192.0.2.1:5060".parse().unwrap();
        let good = request(&[(0x8022, b"phone".to_vec())]);
        assert!(is_stun(&good) && answer(&good, source).is_some());
        for cut in 0..good.len() {
            assert_eq!(answer(&good[..cut], source), None, "{cut}");
        }
        for (at, byte) in [(0, 0x01), (1, 0x11), (3, 0x40), (23, 0xff)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert_eq!(answer(&bad, source), None, "{at}");
        }
        assert!(!is_stun(b"OPTIONS sip:a SIP/2.0\r\n"));
        let error = answer(&request(&[(0x0025, vec![]), (0x0024, vec![0; 4])]), source).unwrap();
        assert_eq!(hex::encode(&error[20..]), "00090004000004140".to_owned() + "00a000400250024");
        assert!(error.len() <= ANSWER_MAX);
    }
}
