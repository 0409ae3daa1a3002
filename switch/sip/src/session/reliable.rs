//! Provisional responses that arrive for certain (RFC 3262): ours to a caller, with their PRACK, and a peer's to us.
//!
//! Invariants: of ours one at a time waits for its PRACK, and what comes after it waits with it: "The UAS MUST NOT send
//! a second reliable provisional response until the first is acknowledged" (3); the 2xx waits too where the one before
//! it has a session description. Of a peer's each is acknowledged once for each To tag, in the order of RSeq.

use core::time::Duration;

use cordboard_model::cause::Cause;

use super::{Base, Session, Stage, to_tag};
use crate::dialog::Dialog;
use crate::engine::context::SessionTimer;
use crate::sdp::Local;
use crate::transaction::{TxId, TxUser};
use crate::wire::{HeaderName, Message, Method, RAck};

/// How far provisional responses of ours are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reliable {
    /// The RSeq of the last, and of the one that waits if any does.
    rseq: u32,
    waits: Option<Waiting>,
    /// What is to be sent next: a status, and whether with our description. Of several the last counts.
    next: Option<(u16, Option<Vec<u8>>)>,
    /// The answer that waits for the PRACK.
    answer: Option<Local>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    interval: Duration,
    /// It has a session description, so that the 2xx must wait for its PRACK (RFC 3262 3).
    described: bool,
}

/// An early dialog that a peer's reliable response made.
#[derive(Clone, Debug)]
pub(crate) struct Early {
    pub(super) tag: String,
    pub(super) dialog: Dialog,
    rseq: u32,
}

/// Most early dialogs of one INVITE that are acknowledged: a fork with more devices is none of ours.
const EARLY_MAX: usize = 16;

fn knows(message: &Message, tag: &str) -> (bool, bool) {
    let is = |known: &str| known.eq_ignore_ascii_case(tag);
    (message.supported().any(is), message.require().any(is))
}

impl Reliable {
    /// Whether all that was sent reliably has its PRACK, and something was.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.rseq != 0 && self.waits.is_none()
    }
}

impl Session {
    /// Whether a provisional response of ours shall be reliable: "The UAS MUST send any non-100 provisional response
    /// reliably if the initial request contained a Require header field with the option tag 100rel. ... If the request
    /// contained a Supported header field with that tag, it MAY" (3): we do where it carries a description.
    fn is_reliable(&self, base: &Base, described: bool) -> bool {
        let request = self.invite.and_then(|tx| base.tx.request(tx));
        let (supported, required) = request.map_or((false, false), |request| knows(request, "100rel"));
        required || supported && described
    }

    /// Sends a provisional response, reliably where that is wanted.
    pub(super) fn progress(&mut self, base: &mut Base, code: u16, description: Option<Vec<u8>>) {
        if !self.is_reliable(base, description.is_some()) {
            return self.respond(base, code, description);
        }
        if self.reliable.waits.is_some() {
            self.reliable.next = Some((code, description));
            return;
        }
        let described = description.is_some();
        // "The value of the header field for the first reliable provisional response in a transaction is between 1 and
        // 2**31 - 1. It is RECOMMENDED that it be chosen uniformly in this range" (3)
        self.reliable.rseq = match self.reliable.rseq {
            0 => u32::try_from(base.cx.tokens.number() % 0x7fff_ffff).unwrap_or(0) + 1,
            last => last.wrapping_add(1),
        };
        let rseq = self.reliable.rseq;
        let Some(tx) = self.invite else {
            return;
        };
        self.respond_adding(base, tx, code, |_, response| {
            response.push(HeaderName::Require, "100rel");
            response.push(HeaderName::RSeq, rseq.to_string());
            if let Some(description) = description {
                response.set_body(crate::sdp::MEDIA_TYPE, description);
            }
        });
        let t1 = base.cx.directory.timers().t1;
        self.reliable.waits = Some(Waiting { interval: t1, described });
        base.cx.start_session(self.id, SessionTimer::Repeat1xx, t1);
        base.cx.start_session(self.id, SessionTimer::NoPrack, t1 * 64);
    }

    /// "The reliable provisional response is passed to the transaction layer periodically with an interval that starts
    /// at T1 seconds and doubles for each retransmission" (3).
    pub(super) fn on_repeat_1xx(&mut self, base: &mut Base) {
        let Some(waiting) = &mut self.reliable.waits else {
            return;
        };
        waiting.interval *= 2;
        let after = waiting.interval;
        if let Some(tx) = self.invite {
            base.tx.repeat_provisional(&mut base.cx, tx);
        }
        base.cx.start_session(self.id, SessionTimer::Repeat1xx, after);
    }

    /// "If a reliable provisional response is retransmitted for 64*T1 seconds without reception of a corresponding
    /// PRACK, the UAS SHOULD reject the original request with a 5xx response." (3)
    pub(super) fn on_no_prack(&mut self, base: &mut Base) {
        self.stop_repeating_1xx(base);
        if self.stage == Stage::Incoming && !self.over {
            self.refuse(base, 504, Cause::ProtocolError);
        }
    }

    pub(super) fn stop_repeating_1xx(&mut self, base: &mut Base) {
        self.reliable.waits = None;
        base.cx.stop_session(self.id, SessionTimer::Repeat1xx);
        base.cx.stop_session(self.id, SessionTimer::NoPrack);
    }

    /// A PRACK: "If a PRACK request is received by the UA core that does not match any unacknowledged reliable
    /// provisional response, the UAS MUST respond to the PRACK with a 481 response. If the PRACK does match an
    /// unacknowledged reliable provisional response, it MUST be responded to with a 2xx response." (3)
    pub(super) fn on_prack(&mut self, base: &mut Base, tx: TxId) {
        let rack = base.tx.request(tx).and_then(|request| RAck::parse(request.header(&HeaderName::RAck)?));
        let invite = self.invite.and_then(|tx| base.tx.request(tx)).and_then(|request| request.cseq().ok());
        let matches = rack.zip(invite).is_some_and(|(rack, invite)| {
            rack.rseq == self.reliable.rseq && rack.cseq == invite.seq && rack.method == Method::Invite
        });
        if self.reliable.waits.is_none() || !matches {
            return self.respond_to(base, tx, 481, None);
        }
        let has_offer = base.tx.request(tx).is_some_and(|request| !request.body.is_empty());
        if has_offer {
            // the description of ours was an answer: an offer may come in the PRACK (5), and is answered in its 2xx
            let body = base.tx.request(tx).map(|request| request.body.clone()).unwrap_or_default();
            match self.media.answer(&body) {
                Ok((answer, settled)) => {
                    self.respond_to(base, tx, 200, Some(answer));
                    self.tell_renegotiated(base, &settled);
                }
                Err(error) => self.refuse_description(base, tx, error),
            }
        } else {
            self.respond_to(base, tx, 200, None);
        }
        self.stop_repeating_1xx(base);
        if let Some((code, description)) = self.reliable.next.take() {
            self.progress(base, code, description);
        }
        if self.reliable.waits.is_none()
            && let Some(local) = self.reliable.answer.take()
        {
            self.answer(base, local);
        }
    }

    /// Whether the 2xx must wait: "the UAS MAY send a final response to the initial request before having received
    /// PRACKs for all unacknowledged reliable provisional responses, unless the final response is 2xx and any of the
    /// unacknowledged reliable provisional responses contained a session description. In that case, it MUST NOT send a
    /// final response until those provisional responses are acknowledged." (3)
    pub(super) fn answer_waits(&mut self, local: &Local) -> bool {
        self.reliable.next = None;
        let waits = self.reliable.waits.is_some_and(|waiting| waiting.described);
        if waits {
            self.reliable.answer = Some(local.clone());
        }
        waits
    }

    /// A peer's provisional response that wants a PRACK. False if it came before its time and is to be ignored: "If the
    /// UAC receives another reliable provisional response to the same request, and its RSeq value is not one higher
    /// than the value of the sequence number, that response MUST NOT be acknowledged with a PRACK, and MUST NOT be
    /// processed further by the UAC." (4)
    pub(super) fn acknowledge(&mut self, base: &mut Base, at: usize, response: &Message) -> bool {
        let rseq = response.header(&HeaderName::RSeq).and_then(|value| value.trim().parse::<u32>().ok());
        let (true, Some(rseq)) = (knows(response, "100rel").1, rseq) else {
            return true;
        };
        let Some(branch) = self.branches.get_mut(at) else {
            return false;
        };
        let Some((invite, flow)) = base.tx.request(branch.tx).zip(base.tx.flow(branch.tx)) else {
            return false;
        };
        let tag = to_tag(response);
        let cseq = invite.cseq().map_or(0, |cseq| cseq.seq);
        let known = branch.dialogs.iter().position(|early| early.tag == tag);
        let early = match known.and_then(|known| branch.dialogs.get_mut(known)) {
            // a repetition: our PRACK was lost, or is late; its own transaction repeats it
            Some(early) if rseq <= early.rseq => return false,
            Some(early) if rseq != early.rseq.wrapping_add(1) => return false,
            Some(early) => early,
            None => {
                let Some(dialog) = Dialog::of_response(invite, response, flow) else {
                    return false;
                };
                let told = branch.talk.as_ref().filter(|(known, _)| *known == tag);
                let dialog = match told {
                    Some((_, told)) => dialog.after(told),
                    None => dialog,
                };
                if branch.dialogs.len() >= EARLY_MAX {
                    return false;
                }
                branch.dialogs.push(Early { tag, dialog, rseq });
                let Some(last) = branch.dialogs.last_mut() else {
                    return false;
                };
                last
            }
        };
        early.rseq = rseq;
        let (mut prack, flow) = early.dialog.request(Method::Prack);
        let rack = RAck { rseq, cseq, method: Method::Invite };
        prack.push(HeaderName::RAck, rack.to_string());
        base.tx.send(&mut base.cx, TxUser::Nobody, flow, prack);
        true
    }
}
