//! Keys by INFO (RFC 6086), in the two forms that phones use: `application/dtmf-relay` and `application/dtmf`. Neither
//! has a package; they are the "legacy usage" of its section 2.
//!
//! Invariant: of the keys for a party one INFO is under way at a time, so that they arrive in the order they were pressed:
//! over UDP a later request may overtake an earlier one, which is then refused (RFC 3261 12.2.2).

use std::collections::VecDeque;

use cordboard_model::cause::Cause;

use super::request::{answer, refuse_body};
use super::{Base, Session, Stage};
use crate::engine::SipEvent;
use crate::transaction::{TxId, TxUser, What};
use crate::wire::Method;

/// What we send.
const RELAY: &str = "application/dtmf-relay";
/// The other that we understand.
const PLAIN: &str = "application/dtmf";
/// Keys that may wait for one party; more are dropped. The digits of a card number, several times over.
const WAITING_MAX: usize = 64;

/// The keys for one party.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    /// The INFO under way.
    pub(super) tx: Option<TxId>,
    waiting: VecDeque<(char, u16)>,
}

impl Session {
    /// A peer's INFO. An empty one is a keep-alive.
    pub(super) fn on_info(&mut self, base: &mut Base, tx: TxId) {
        let Some(request) = base.tx.request(tx) else {
            return;
        };
        if request.body.is_empty() {
            return answer(base, tx, 200);
        }
        let kind = request.content_type().ok().flatten();
        let digit = match kind.as_ref().map(|kind| kind.essence.as_str()) {
            Some(RELAY) => relayed_digit(&request.body),
            Some(PLAIN) => plain_digit(&request.body),
            _ => return refuse_body(base, tx),
        };
        match digit {
            Some(digit) => {
                answer(base, tx, 200);
                let session = self.id;
                self.tell(base, SipEvent::Digit { session, digit });
            }
            None => answer(base, tx, 400),
        }
    }

    /// A key for the party. Before the answer there is nobody to take it.
    pub(crate) fn send_digit(&mut self, base: &mut Base, digit: char, length_ms: u16) {
        if self.over || self.stage != Stage::Up || self.keys.waiting.len() >= WAITING_MAX {
            return;
        }
        self.keys.waiting.push_back((digit, length_ms));
        self.send_next_digit(base);
    }

    fn send_next_digit(&mut self, base: &mut Base) {
        if self.over || self.keys.tx.is_some() {
            return;
        }
        let (Some(dialog), Some((digit, length_ms))) = (&mut self.dialog, self.keys.waiting.pop_front())
        else {
            return;
        };
        let (info, flow) = dialog.request(Method::Info);
        let body = format!("Signal={digit}\r\nDuration={length_ms}\r\n");
        let info = info.with_body(RELAY, body.into_bytes());
        self.keys.tx = Some(base.tx.send(&mut base.cx, TxUser::Session(self.id), flow, info));
    }

    /// Whether this transaction is an INFO of ours.
    pub(super) fn is_info(&self, tx: TxId) -> bool {
        self.keys.tx == Some(tx)
    }

    /// An INFO was answered or not. One that is refused costs its key, and the call nothing: a device that takes no keys
    /// this way still talks. With 481 the dialog is gone (RFC 3261 12.2.1.2).
    pub(super) fn on_info_result(&mut self, base: &mut Base, what: &What) {
        let status = match what {
            What::Response(response) => match response.status() {
                Some(100..=199) | None => return,
                Some(status) => status,
            },
            What::Timeout | What::Unreachable => 408,
            What::Ack(_) => return,
        };
        if let Some(tx) = self.keys.tx.take() {
            base.tx.release(tx);
        }
        match status {
            481 => {
                self.send_bye(base, "SIP;cause=481");
                self.end(base, Cause::Unreachable, true, Some(481));
            }
            // nobody waits half a minute for each of the others
            408 => self.keys.waiting.clear(),
            _ => self.send_next_digit(base),
        }
    }
}

/// `Signal=5`, among other lines.
fn relayed_digit(body: &[u8]) -> Option<char> {
    let text = core::str::from_utf8(body).ok()?;
    let value = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then_some(value)
    })?;
    digit(value.trim())
}

fn plain_digit(body: &[u8]) -> Option<char> {
    digit(core::str::from_utf8(body).ok()?.trim())
}

/// A key, or its event number of RFC 4733 3.2.
fn digit(text: &str) -> Option<char> {
    match text {
        "10" => return Some('*'),
        "11" => return Some('#'),
        _ => {}
    }
    let mut chars = text.chars();
    let (first, rest) = (chars.next()?, chars.next());
    let key = first.to_ascii_uppercase();
    let known = matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
    (rest.is_none() && known).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_as_keys_or_event_numbers() {
        assert_eq!(relayed_digit(b"Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(relayed_digit(b"Duration=1\r\nsignal = 11\r\n"), Some('#'));
        assert_eq!(plain_digit(b"d\r\n"), Some('D'));
        for bad in ["", "Signal=", "Signal=12", "Signal=E", "5"] {
            assert_eq!(relayed_digit(bad.as_bytes()), None, "{bad}");
        }
    }
}
