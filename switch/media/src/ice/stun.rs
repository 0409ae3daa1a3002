//! STUN messages (RFC 8489 5, 14) as far as ICE uses them: Binding requests, answers and errors.
//!
//! Nothing here allocates. Whatever is not whole is none.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// "the magic cookie field MUST contain the fixed value 0x2112A442" (5).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;
/// Longest message that is read: a check has about 120 bytes.
const MESSAGE_MAX: usize = 1_024;
const INTEGRITY_LEN: usize = 20;
/// XORed with the checksum (14.7).
const FINGERPRINT_MASK: u32 = 0x5354_554e;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
const ICE_CONTROLLING: u16 = 0x802a;

/// Names a request, for its answer.
pub(crate) type Transaction = [u8; 12];

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A Binding request.
    Request,
    /// A Binding indication: a keep-alive, to which there is no answer.
    Indication,
    /// A Binding success response.
    Success,
    /// A Binding error response.
    Error,
}

impl Class {
    const fn message_type(self) -> [u8; 2] {
        match self {
            Class::Request => [0x00, 0x01],
            Class::Indication => [0x00, 0x11],
            Class::Success => [0x01, 0x01],
            Class::Error => [0x01, 0x11],
        }
    }

    fn of(message_type: [u8; 2]) -> Option<Self> {
        [Class::Request, Class::Indication, Class::Success, Class::Error]
            .into_iter()
            .find(|class| class.message_type() == message_type)
    }
}

/// Whose turn it is to choose, as the sender of a check sees himself (RFC 8445 7.1.3), with his tie-breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// He chooses.
    Controlling(u64),
    /// The other end does.
    Controlled(u64),
}

/// A message that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    pub class: Class,
    pub transaction: Transaction,
    pub username: Option<&'a [u8]>,
    pub priority: Option<u32>,
    pub use_candidate: bool,
    pub role: Option<Role>,
    pub mapped: Option<SocketAddr>,
    pub error: Option<u16>,
    /// Where the integrity stands.
    integrity: Option<usize>,
    /// The checksum is there and right.
    pub fingerprint: bool,
}

/// Whether a datagram may be STUN: by its first byte (RFC 7983 7) and its cookie.
pub(crate) fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=3, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..])
}

/// Reads a message. `None` if it is not a whole Binding message, or has an attribute that must be understood and is not.
pub(crate) fn read(bytes: &[u8]) -> Option<Message<'_>> {
    let len = usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?));
    let is_whole = bytes.len() == HEADER + len && len.is_multiple_of(4) && bytes.len() <= MESSAGE_MAX;
    if !is_whole || bytes.get(4..8)? != COOKIE {
        return None;
    }
    let mut message = Message {
        bytes,
        class: Class::of(*bytes.first_chunk()?)?,
        transaction: *bytes.get(8..)?.first_chunk()?,
        username: None,
        priority: None,
        use_candidate: false,
        role: None,
        mapped: None,
        error: None,
        integrity: None,
        fingerprint: false,
    };
    let mut at = HEADER;
    while at < bytes.len() {
        let [a, b, c, d] = *bytes.get(at..)?.first_chunk()?;
        let (kind, len) = (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])));
        let value = bytes.get(at + 4..at + 4 + len)?;
        message.take(kind, value, at)?;
        at += 4 + len.next_multiple_of(4);
    }
    (at == bytes.len()).then_some(message)
}

impl<'a> Message<'a> {
    fn take(&mut self, kind: u16, value: &'a [u8], at: usize) -> Option<()> {
        if self.fingerprint {
            // "the FINGERPRINT attribute MUST be the last attribute in the message" (14.7)
            return None;
        }
        if self.integrity.is_some() && kind != FINGERPRINT {
            // "agents MUST ignore all other attributes that follow MESSAGE-INTEGRITY" (14.5)
            return Some(());
        }
        match kind {
            USERNAME => self.username = Some(value),
            PRIORITY => self.priority = Some(u32::from_be_bytes(value.try_into().ok()?)),
            USE_CANDIDATE => self.use_candidate = true,
            ICE_CONTROLLED => self.role = Some(Role::Controlled(u64::from_be_bytes(value.try_into().ok()?))),
            ICE_CONTROLLING => {
                self.role = Some(Role::Controlling(u64::from_be_bytes(value.try_into().ok()?)))
            }
            XOR_MAPPED_ADDRESS => self.mapped = Some(unxored(value, &self.transaction)?),
            ERROR_CODE => match *value.first_chunk()? {
                [_, _, hundreds @ 3..=6, rest @ 0..=99] => {
                    self.error = Some(u16::from(hundreds) * 100 + u16::from(rest));
                }
                _ => return None,
            },
            MESSAGE_INTEGRITY if value.len() == INTEGRITY_LEN => self.integrity = Some(at),
            FINGERPRINT => {
                let written = u32::from_be_bytes(value.try_into().ok()?);
                let right = checksum(self.bytes.get(..at)?) ^ FINGERPRINT_MASK == written;
                self.fingerprint = right;
                right.then_some(())?;
            }
            // "comprehension-required" ones (14): MAPPED-ADDRESS, REALM, NONCE say nothing here
            0x0001 | 0x0014 | 0x0015 | 0x8000.. => {}
            _ => return None,
        }
        Some(())
    }

    /// Whether its integrity is of this password (14.5).
    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        let check = || {
            let at = self.integrity?;
            let written = self.bytes.get(at + 4..at + 4 + INTEGRITY_LEN)?;
            let mac = integrity(self.bytes.get(..at)?, password)?;
            mac.verify_slice(written).ok()
        };
        check().is_some()
    }
}

/// The MAC over a message up to its integrity: "the Length field of the STUN message header MUST be adjusted to point to
/// the end of the MESSAGE-INTEGRITY attribute" (14.5).
fn integrity(before: &[u8], password: &[u8]) -> Option<Hmac<Sha1>> {
    let len = u16::try_from(before.len() + 4 + INTEGRITY_LEN - HEADER).ok()?;
    let mut mac = Hmac::<Sha1>::new_from_slice(password).ok()?;
    mac.update(before.get(..2)?);
    mac.update(&len.to_be_bytes());
    mac.update(before.get(4..)?);
    Some(mac)
}

/// CRC-32 of ITU V.42 (14.7).
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        let at = (crc ^ u32::from(*byte)) & 0xff;
        crc = (crc >> 8) ^ CRC[at as usize];
    }
    !crc
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut value, mut bit) = (at as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
};

/// XOR-MAPPED-ADDRESS (14.2).
fn unxored(value: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    let (head, address) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([head[2] ^ COOKIE[0], head[3] ^ COOKIE[1]]);
    let ip = match (head[1], address.len()) {
        (1, 4) => IpAddr::V4(Ipv4Addr::from(masked::<4>(address, transaction)?)),
        (2, 16) => IpAddr::V6(Ipv6Addr::from(masked::<16>(address, transaction)?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn masked<const N: usize>(address: &[u8], transaction: &Transaction) -> Option<[u8; N]> {
    let mut out = *address.first_chunk::<N>()?;
    let mask = COOKIE.iter().chain(transaction);
    out.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    Some(out)
}

/// Writes a message to the front of a buffer.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    buf: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Begins. `None`, here and below, if the buffer is too short.
    pub(crate) fn new(buf: &'a mut [u8], class: Class, transaction: &Transaction) -> Option<Self> {
        buf.get_mut(..2)?.copy_from_slice(&class.message_type());
        buf.get_mut(2..4)?.fill(0);
        buf.get_mut(4..8)?.copy_from_slice(&COOKIE);
        buf.get_mut(8..HEADER)?.copy_from_slice(transaction);
        Some(Self { buf, len: HEADER })
    }

    fn put(&mut self, kind: u16, value: &[&[u8]]) -> Option<()> {
        let len = value.iter().map(|part| part.len()).sum::<usize>();
        let end = self.len + 4 + len.next_multiple_of(4);
        let to = self.buf.get_mut(self.len..end)?;
        to.fill(0);
        let (head, mut rest) = to.split_first_chunk_mut::<4>()?;
        head[..2].copy_from_slice(&kind.to_be_bytes());
        head[2..].copy_from_slice(&u16::try_from(len).ok()?.to_be_bytes());
        for part in value {
            let (here, behind) = rest.split_at_mut_checked(part.len())?;
            here.copy_from_slice(part);
            rest = behind;
        }
        self.len = end;
        let all = u16::try_from(end - HEADER).ok()?;
        self.buf.get_mut(2..4)?.copy_from_slice(&all.to_be_bytes());
        Some(())
    }

    /// USERNAME: two user fragments with a colon between (RFC 8445 7.2.2).
    pub(crate) fn username(&mut self, first: &str, second: &str) -> Option<()> {
        self.put(USERNAME, &[first.as_bytes(), b":", second.as_bytes()])
    }

    /// PRIORITY.
    pub(crate) fn priority(&mut self, priority: u32) -> Option<()> {
        self.put(PRIORITY, &[&priority.to_be_bytes()])
    }

    /// ICE-CONTROLLING or ICE-CONTROLLED.
    pub(crate) fn role(&mut self, role: Role) -> Option<()> {
        match role {
            Role::Controlling(tie) => self.put(ICE_CONTROLLING, &[&tie.to_be_bytes()]),
            Role::Controlled(tie) => self.put(ICE_CONTROLLED, &[&tie.to_be_bytes()]),
        }
    }

    /// USE-CANDIDATE.
    pub(crate) fn use_candidate(&mut self) -> Option<()> {
        self.put(USE_CANDIDATE, &[])
    }

    /// XOR-MAPPED-ADDRESS.
    pub(crate) fn mapped(&mut self, address: SocketAddr) -> Option<()> {
        let transaction = *self.buf.get(8..)?.first_chunk::<12>()?;
        let [high, low] = address.port().to_be_bytes();
        let port = [high ^ COOKIE[0], low ^ COOKIE[1]];
        match address.ip() {
            IpAddr::V4(ip) => {
                let ip = masked::<4>(&ip.octets(), &transaction)?;
                self.put(XOR_MAPPED_ADDRESS, &[&[0, 1], &port, &ip])
            }
            IpAddr::V6(ip) => {
                let ip = masked::<16>(&ip.octets(), &transaction)?;
                self.put(XOR_MAPPED_ADDRESS, &[&[0, 2], &port, &ip])
            }
        }
    }

    /// ERROR-CODE, without a reason phrase.
    pub(crate) fn error(&mut self, code: u16) -> Option<()> {
        let (hundreds, rest) = (u8::try_from(code / 100).ok()?, (code % 100) as u8);
        self.put(ERROR_CODE, &[&[0, 0, hundreds, rest]])
    }

    /// Integrity and checksum; says how long the message is.
    pub(crate) fn finish(mut self, password: &[u8]) -> Option<usize> {
        let mac = integrity(self.buf.get(..self.len)?, password)?.finalize().into_bytes();
        self.put(MESSAGE_INTEGRITY, &[&mac])?;
        let before = self.len;
        self.put(FINGERPRINT, &[&[0; 4]])?;
        let sum = checksum(self.buf.get(..before)?) ^ FINGERPRINT_MASK;
        self.buf.get_mut(before + 4..self.len)?.copy_from_slice(&sum.to_be_bytes());
        Some(self.len)
    }
}
