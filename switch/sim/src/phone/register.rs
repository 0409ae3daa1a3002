//! Registration (RFC 3261 10.2).

use super::digest::{self, Asked};
use super::transaction::Purpose;
use super::{Phone, PhoneEvent};
use cordboard_model::time::{Duration, Time};
use cordboard_sip::wire::{HeaderName, Message, Method, Uri};

/// What the phone knows of its registration.
#[derive(Clone, Debug, Default)]
pub(super) struct Registration {
    wanted: bool,
    up: bool,
    call_id: String,
    tag: String,
    cseq: u32,
    challenged: bool,
    /// A REGISTER is under way.
    busy: bool,
    /// What was wished while one was under way.
    again: bool,
    refresh: Option<Time>,
    /// What a 423 asked for.
    min_expires: Option<u32>,
}

impl Registration {
    pub fn is_up(&self) -> bool {
        self.up
    }

    pub fn next(&self) -> Option<Time> {
        self.refresh
    }
}

impl Phone {
    pub(super) fn register(&mut self) {
        self.registration.wanted = true;
        self.send_register();
    }

    pub(super) fn unregister(&mut self) {
        self.registration.wanted = false;
        self.send_register();
    }

    pub(super) fn run_registration(&mut self) {
        let now = self.now;
        if self.registration.refresh.take_if(|at| *at <= now).is_some() {
            self.send_register();
        }
    }

    fn send_register(&mut self) {
        if self.registration.busy {
            self.registration.again = true;
            return;
        }
        self.registration.refresh = None;
        self.registration.challenged = false;
        if self.registration.call_id.is_empty() {
            self.registration.call_id = format!("r{}", self.token());
            self.registration.tag = self.token();
        }
        self.send_register_with(None);
    }

    fn send_register_with(&mut self, credentials: Option<(HeaderName, String)>) {
        let (user, domain) = (&self.config.user, &self.config.domain);
        let Some(uri) = Uri::parse(&format!("sip:{domain}")) else {
            return;
        };
        let wished = self.config.register.as_secs();
        let wished = wished.max(u64::from(self.registration.min_expires.unwrap_or(0)));
        let (expires, purpose) = match self.registration.wanted {
            true => (wished, Purpose::Register),
            false => (0, Purpose::Unregister),
        };
        self.registration.busy = true;
        self.registration.cseq += 1;
        let me = format!("<sip:{user}@{domain}>");
        let mut request = Message::request(Method::Register, uri)
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, format!("{me};tag={}", self.registration.tag))
            .with(HeaderName::To, me)
            .with(HeaderName::CallId, self.registration.call_id.clone())
            .with(HeaderName::CSeq, format!("{} REGISTER", self.registration.cseq))
            .with(HeaderName::Contact, self.contact())
            .with(HeaderName::Expires, expires.to_string())
            .with(HeaderName::UserAgent, "cordboard-sim");
        if let Some((name, value)) = credentials {
            request.push(name, value);
        }
        let server = self.config.server;
        self.send_request(request, purpose, server);
    }

    pub(super) fn on_register_response(
        &mut self,
        purpose: Purpose,
        request: Option<Message>,
        response: &Message,
        code: u16,
    ) {
        match code {
            100..=199 => return,
            200..=299 => self.registered(purpose, response),
            401 | 407 if !self.registration.challenged => {
                self.registration.challenged = true;
                let answer = request.and_then(|r| self.credentials(&r, response));
                match answer {
                    Some(answer) => return self.send_register_with(Some(answer)),
                    None => self.register_failed(code),
                }
            }
            423 if self.registration.min_expires.is_none() => {
                let least = response.header(&HeaderName::MinExpires);
                self.registration.min_expires = least.and_then(|least| least.parse().ok());
                self.registration.challenged = false;
                return self.send_register_with(None);
            }
            _ => self.register_failed(code),
        }
        self.registration.busy = false;
        if core::mem::take(&mut self.registration.again) {
            self.send_register();
        }
    }

    fn registered(&mut self, purpose: Purpose, response: &Message) {
        if purpose == Purpose::Unregister {
            self.registration.up = false;
            return self.event(PhoneEvent::Unregistered);
        }
        let ours = self.contact();
        let granted = response.contacts().unwrap_or_default();
        let granted = granted
            .iter()
            .find(|contact| ours.contains(&contact.uri.to_string()))
            .and_then(|contact| contact.expires());
        let Some(secs) = granted else {
            // A 200 that does not list our contact is no registration.
            return self.register_failed(500);
        };
        self.registration.up = true;
        let half = Duration::from_secs(u64::from(secs / 2).max(1));
        self.registration.refresh = Some(self.now + half);
        self.event(PhoneEvent::Registered);
    }

    pub(super) fn register_failed(&mut self, code: u16) {
        self.registration.up = false;
        self.registration.busy = false;
        // Tried again like a phone that somebody looks at.
        let retry = self.random_ms(5_000, 10_000);
        self.registration.refresh = self.registration.wanted.then(|| self.now + retry);
        self.event(PhoneEvent::RegisterFailed(code));
    }

    /// The header that answers the challenge of a 401 or 407.
    pub(super) fn credentials(
        &mut self,
        request: &Message,
        response: &Message,
    ) -> Option<(HeaderName, String)> {
        let (asked, answer) = match response.status() {
            Some(401) => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
            _ => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
        };
        if self.config.password.is_empty() {
            return None;
        }
        let cnonce = self.token();
        let uri = request.request_uri()?.to_string();
        let asking = Asked {
            digest: self.config.digest,
            user: &self.config.user,
            password: &self.config.password,
            method: request.method()?.as_str(),
            uri: &uri,
            cnonce: &cnonce,
        };
        let value = digest::answer(response.headers.get_all(&asked), &asking)?;
        Some((answer, value))
    }
}
