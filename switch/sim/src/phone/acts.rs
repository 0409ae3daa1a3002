//! What is done in a call, by its plan or by command.

use super::line::State;
use super::{Act, Phone, PhoneCall};

impl Phone {
    pub(super) fn act(&mut self, call: PhoneCall, act: Act) {
        let now = self.now;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        match act {
            Act::Answer => self.answer(call),
            Act::Reject(code) => self.reject(call, code),
            Act::HangUp => self.hang_up(call),
            Act::Press(keys) => line.media.press(&keys, now),
            Act::Hold => self.hold(call, true),
            Act::Resume => self.hold(call, false),
            Act::Speak(length) => line.media.speak(length, now),
            Act::Listen => line.media.ear.listen(),
            Act::Refer(to) => self.refer(call, &to),
            Act::Join => self.join(call),
        }
    }

    fn hang_up(&mut self, call: PhoneCall) {
        let early = self.config.quirks.bye_before_ack;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        match line.state {
            State::Calling => self.cancel(call),
            State::Ringing => self.reject(call, 603),
            // "The callee's UA MUST NOT send a BYE on a confirmed dialog until it has received an ACK for its
            // 2xx response or until the server transaction times out." (RFC 3261 15)
            State::Up if line.unacked.is_some() && !line.outgoing && !early => {
                line.bye_wanted = true;
            }
            State::Up => self.bye(call),
            State::Leaving => {}
        }
    }

    fn hold(&mut self, call: PhoneCall, on: bool) {
        let now = self.now;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        if line.state != State::Up || line.held == on {
            return;
        }
        line.held = on;
        // One at a time: RFC 3261 14.1.
        if line.reinvite.is_some() || line.unacked.is_some() {
            line.reinvite_again = Some(now + core::time::Duration::from_millis(100));
        } else {
            self.reinvite(call);
        }
    }
}
