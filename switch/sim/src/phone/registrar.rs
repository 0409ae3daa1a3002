//! A carrier's registrar (RFC 3261 10.3) in the small: who knows the password is registered for as long as it says.

use super::digest;
use super::{Phone, PhoneEvent};
use cordboard_sip::wire::{HeaderName, Method};

const REALM: &str = "carrier.test";
const NONCE: &str = "a-nonce-of-the-carrier";

/// How it registers others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registrar {
    /// What they must know.
    pub password: String,
    /// How long it registers them for, seconds.
    pub grants: u32,
}

impl Phone {
    /// A REGISTER; 405 from who is no carrier.
    pub(super) fn on_register(&mut self, key: (String, Method)) {
        let Some(registrar) = self.config.registrar.clone() else {
            return self.refuse_method(&key);
        };
        let Some(request) = self.servers.get(&key).map(|server| server.request.clone()) else {
            return;
        };
        let digest = self.config.digest;
        let shown = request
            .header(&HeaderName::Authorization)
            .map(|value| digest::proves(value, digest, "REGISTER", &registrar.password, (REALM, NONCE)));
        if shown == Some(false) {
            self.event(PhoneEvent::RefusedRegistration);
        }
        if shown != Some(true) {
            let challenge = format!(
                "Digest realm=\"{REALM}\", nonce=\"{NONCE}\", qop=\"auth\", algorithm={}",
                digest.name()
            );
            return self.respond(&key, 401, |response| response.push(HeaderName::WwwAuthenticate, challenge));
        }
        let contact = request.header(&HeaderName::Contact).unwrap_or_default().to_owned();
        self.respond(&key, 200, |response| {
            response.push(HeaderName::Contact, format!("{contact};expires={}", registrar.grants));
        });
        self.event(PhoneEvent::TookRegistration);
    }
}
