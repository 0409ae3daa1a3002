//! Sending the peer elsewhere (RFC 3515, 3891, 5589).

use super::line::State;
use super::transaction::Purpose;
use super::{Act, Phone, PhoneCall, PhoneEvent};
use cordboard_sip::wire::{HeaderName, Method, NameAddr};

type Key = (String, Method);

impl Phone {
    /// A blind transfer.
    pub(super) fn refer(&mut self, call: PhoneCall, to: &str) {
        let to = format!("<sip:{to}@{}>", self.config.domain);
        self.send_refer(call, to);
    }

    /// An attended transfer to the peer of the oldest other call that is up or rings.
    pub(super) fn join(&mut self, call: PhoneCall) {
        let other = self.lines.iter().find(|(id, line)| {
            **id != call
                && line.outgoing
                && (line.state == State::Up || line.state == State::Calling && line.rang)
        });
        let Some((_, other)) = other else { return };
        let tag =
            NameAddr::parse(&other.local).and_then(|own| own.tag().map(str::to_owned)).unwrap_or_default();
        // before the answer no tag of the peer is kept; any will do for a call of ours that is not the switch's
        let Some(remote) = other.remote_tag.clone() else { return };
        let escape = |text: &str| text.replace('@', "%40");
        let to = format!(
            "<sip:{}@{}?Replaces={}%3Bto-tag%3D{remote}%3Bfrom-tag%3D{tag}>",
            self.config.user,
            self.config.domain,
            escape(&other.call_id)
        );
        self.send_refer(call, to);
    }

    fn send_refer(&mut self, call: PhoneCall, to: String) {
        let server = self.config.server;
        let contact = self.contact();
        let Some(line) = self.lines.get_mut(&call).filter(|line| line.state == State::Up) else {
            return;
        };
        let mut refer = line.request(Method::Refer);
        refer.push(HeaderName::Contact, contact);
        refer.push(HeaderName::ReferTo, to);
        self.send_request(refer, Purpose::Refer(call), server);
    }

    /// The switch tells what becomes of it. The peer has reached its target: our part is over.
    pub(super) fn on_notify(&mut self, key: Key) {
        let Some(request) = self.servers.get(&key).map(|s| s.request.clone()) else {
            return;
        };
        let Some(call) = self.dialog(&request) else {
            return self.respond(&key, 481, |_| {});
        };
        self.respond(&key, 200, |_| {});
        let state = request.header(&HeaderName::SubscriptionState).unwrap_or_default();
        if !state.starts_with("terminated") {
            return;
        }
        let fragment = String::from_utf8_lossy(&request.body).into_owned();
        let status = fragment.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        self.referred(call, status);
        if status < 300 {
            self.act(call, Act::HangUp);
        }
    }

    pub(super) fn referred(&mut self, call: PhoneCall, status: u16) {
        self.event(PhoneEvent::Referred(call, status));
    }
}
