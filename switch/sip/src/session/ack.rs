//! A 2xx of ours until its ACK (RFC 3261 13.3.1.4).

use core::time::Duration;

use cordboard_model::cause::Cause;

use super::{Base, Session, Stage};
use crate::engine::SipEvent;
use crate::engine::context::SessionTimer;
use crate::transaction::TxId;
use crate::wire::Message;

/// A 2xx that waits for its ACK.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    tx: TxId,
    /// The CSeq number of the INVITE, and of its ACK.
    seq: u32,
    /// Whether the 2xx has our offer, so that the ACK brings the answer.
    pub(super) offered: bool,
    /// Whether it answers the session's first INVITE.
    first: bool,
    interval: Duration,
}

impl Session {
    /// A 2xx was sent: "The 2xx response is passed to the transport with an interval that starts at
    /// T1 seconds and doubles for each retransmission until it reaches T2 seconds ... Response
    /// retransmissions cease when an ACK request for the response is received. This is
    /// independent of whatever transport protocols are used to send the response."
    pub(super) fn await_ack(&mut self, base: &mut Base, tx: TxId, offered: bool, first: bool) {
        let timers = *base.cx.directory.timers();
        let cseq = base.tx.request(tx).and_then(|request| request.cseq().ok());
        self.awaited =
            Some(Awaited { tx, seq: cseq.map_or(0, |cseq| cseq.seq), offered, first, interval: timers.t1 });
        base.cx.start_session(self.id, SessionTimer::Repeat2xx, timers.t1);
        base.cx.start_session(self.id, SessionTimer::NoAck, timers.t1 * 64);
    }

    pub(super) fn on_repeat_2xx(&mut self, base: &mut Base) {
        let timers = *base.cx.directory.timers();
        let Some(awaited) = &mut self.awaited else {
            return;
        };
        if base.tx.repeat_success(&mut base.cx, awaited.tx) {
            awaited.interval = (awaited.interval * 2).min(timers.t2);
            base.cx.start_session(self.id, SessionTimer::Repeat2xx, awaited.interval);
        }
    }

    /// "If the server retransmits the 2xx response for 64*T1 seconds without receiving an ACK,
    /// the dialog is confirmed, but the session SHOULD be terminated. This is accomplished with
    /// a BYE".
    pub(super) fn on_no_ack(&mut self, base: &mut Base) {
        self.stop_awaiting(base);
        let reason = self.bye_waits.take();
        let reason = reason.unwrap_or_else(|| "SIP;cause=408;text=\"No ACK\"".to_owned());
        self.send_bye(base, &reason);
        self.end(base, Cause::ProtocolError, true, None);
    }

    /// No ACK is awaited any more.
    pub(super) fn stop_awaiting(&mut self, base: &mut Base) -> Option<Awaited> {
        base.cx.stop_session(self.id, SessionTimer::Repeat2xx);
        base.cx.stop_session(self.id, SessionTimer::NoAck);
        self.awaited.take()
    }

    /// An ACK came in the dialog. One for nothing that waits is a repetition.
    pub(crate) fn on_ack(&mut self, base: &mut Base, ack: &Message) {
        let seq = ack.cseq().map_or(0, |cseq| cseq.seq);
        if self.awaited.as_ref().is_none_or(|awaited| awaited.seq != seq) {
            return;
        }
        let Some(awaited) = self.stop_awaiting(base) else {
            return;
        };
        if let Some(reason) = self.bye_waits.take() {
            return self.send_bye(base, &reason);
        }
        if awaited.offered && !self.take_answer_of_ack(base, ack, awaited.first) {
            return;
        }
        if awaited.first
            && let Some(dialog) = &self.dialog
        {
            let (session, record) = (self.id, Box::new(dialog.record()));
            self.tell(base, SipEvent::Confirmed { session, record });
        }
        self.go_on_with_hold(base);
    }

    /// The answer to the offer in our 2xx: "the answer MUST be in the
    /// acknowledgement for that message" (13.2.1). Without a usable one there is no session.
    fn take_answer_of_ack(&mut self, base: &mut Base, ack: &Message, first: bool) -> bool {
        match self.media.accept(&ack.body) {
            Ok(settled) if first => {
                let (session, media) = (self.id, Box::new(settled));
                self.tell(base, SipEvent::MediaSettled { session, media });
                true
            }
            Ok(settled) => {
                self.tell_renegotiated(base, &settled);
                true
            }
            Err(_) => {
                self.send_bye(base, "SIP;cause=488;text=\"Not Acceptable Here\"");
                self.end(base, Cause::Incompatible, true, Some(488));
                false
            }
        }
    }

    /// Whether the session's first 2xx waits for its ACK.
    pub(super) fn first_ack_is_missing(&self) -> bool {
        self.stage == Stage::Up && self.awaited.as_ref().is_some_and(|awaited| awaited.first)
    }
}
