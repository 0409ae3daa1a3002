//! One leg's DTLS association: its handshake, then its keys.

use super::Identity;
use super::certificate::{MTU, digest_of};
use cordboard_model::path::{DtlsRole, DtlsTerms, PathFault};
use cordboard_model::srtp::{SrtpKey, SrtpKeys, SrtpSuite};
use cordboard_model::time::Time;
use dimpl::{Dtls, KeyingMaterial, Output, SrtpProfile};
use std::collections::VecDeque;
use std::time::Instant;

/// What an input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The handshake goes on, or was over before.
    Goes,
    /// These are the keys.
    Keys(SrtpKeys),
    /// There will be none.
    Failed(PathFault),
}

/// See the module.
pub(crate) struct Association {
    dtls: Box<Dtls>,
    terms: DtlsTerms,
    began: Instant,
    verified: bool,
    over: bool,
    due: Option<Time>,
}

impl std::fmt::Debug for Association {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Association").field("terms", &self.terms).finish_non_exhaustive()
    }
}

impl Association {
    /// Waits for the peer's first packet, or, as the client, for [`Association::tick`]. `proved`: ICE has shown that packets from
    /// the peer's address are the peer's, so no cookie need show it.
    pub(crate) fn new(identity: &Identity, terms: &DtlsTerms, proved: bool, now: Time) -> Self {
        let config = if proved { &identity.config } else { &identity.wary };
        let began = identity.began;
        let mut dtls = Dtls::new_12(config.clone(), identity.certificate.clone(), at(began, now));
        dtls.set_active(terms.role == DtlsRole::Client);
        Self { dtls: Box::new(dtls), terms: terms.clone(), began, verified: false, over: false, due: None }
    }

    /// Whether this is still what was agreed on: another certificate or another role is another association (RFC 8842 4).
    pub(crate) fn is_for(&self, terms: &DtlsTerms) -> bool {
        self.terms == *terms
    }

    /// When [`Association::tick`] is wanted.
    pub(crate) fn due(&self) -> Option<Time> {
        self.due.filter(|_| !self.over)
    }

    /// A datagram of the peer's. What is to be sent comes to `out`.
    pub(crate) fn hear(&mut self, datagram: &[u8], now: Time, out: &mut VecDeque<Vec<u8>>) -> Step {
        if self.over {
            return Step::Goes;
        }
        let heard =
            self.dtls.handle_timeout(at(self.began, now)).and_then(|()| self.dtls.handle_packet(datagram));
        self.drain(heard.is_ok(), out)
    }

    /// The time that [`Association::due`] named has come; or the handshake is to begin.
    pub(crate) fn tick(&mut self, now: Time, out: &mut VecDeque<Vec<u8>>) -> Step {
        if self.over {
            return Step::Goes;
        }
        let went = self.dtls.handle_timeout(at(self.began, now));
        self.drain(went.is_ok(), out)
    }

    fn drain(&mut self, mut fine: bool, out: &mut VecDeque<Vec<u8>>) -> Step {
        let mut buf = [0; MTU + 256];
        let mut step = Step::Goes;
        loop {
            match self.dtls.poll_output(&mut buf) {
                Output::Packet(packet) => out.push_back(packet.to_vec()),
                Output::PeerCert(certificate) => {
                    let theirs = &self.terms.theirs;
                    self.verified = digest_of(certificate, theirs.hash).as_ref() == theirs.digest;
                    if !self.verified {
                        step = Step::Failed(PathFault::WrongCertificate);
                        break;
                    }
                }
                Output::KeyingMaterial(material, profile) if self.verified => {
                    match keys(&material, profile, self.terms.role) {
                        Some(keys) => step = Step::Keys(keys),
                        None => fine = false,
                    }
                }
                Output::KeyingMaterial(..) => fine = false,
                Output::Timeout(instant) => {
                    self.due = time(self.began, instant);
                    break;
                }
                Output::BufferTooSmall { .. } => {
                    fine = false;
                    break;
                }
                // nothing but keys is wanted, and the call's end is told by signalling
                _ => {}
            }
        }
        if !fine && step == Step::Goes {
            step = Step::Failed(PathFault::Handshake);
        }
        if matches!(step, Step::Failed(_)) {
            self.over = true;
        }
        step
    }
}

/// The engine's time as the library counts it.
fn at(began: Instant, now: Time) -> Instant {
    began + now.since(Time::ZERO)
}

fn time(began: Instant, instant: Instant) -> Option<Time> {
    instant.checked_duration_since(began).map(|since| Time::ZERO + since)
}

/// "client_write_SRTP_master_key, server_write_SRTP_master_key, client_write_SRTP_master_salt, server_write_SRTP_master_salt" (RFC
/// 5764 4.2).
fn keys(material: &KeyingMaterial, profile: SrtpProfile, role: DtlsRole) -> Option<SrtpKeys> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => SrtpSuite::Aes128CmSha1_80,
        SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => SrtpSuite::AeadAes256Gcm,
        _ => return None,
    };
    let (key, salt) = (suite.key_len(), suite.salt_len());
    let (client_key, rest) = material.split_at_checked(key)?;
    let (server_key, rest) = rest.split_at_checked(key)?;
    let (client_salt, server_salt) = rest.split_at_checked(salt)?;
    let client = SrtpKey::new(suite, &[client_key, client_salt].concat())?;
    let server = SrtpKey::new(suite, &[server_key, server_salt].concat())?;
    Some(match role {
        DtlsRole::Client => SrtpKeys { send: client, receive: server },
        DtlsRole::Server => SrtpKeys { send: server, receive: client },
    })
}
