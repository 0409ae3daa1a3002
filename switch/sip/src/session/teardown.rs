//! The end of a session (RFC 3261 9.1, 13.3.1.3, 15), and of dialogs that nobody wants.

use cordboard_model::cause::Cause;

use super::uac::ELSEWHERE;
use super::{Base, Session, Stage};
use crate::dialog::Dialog;
use crate::transaction::{TxId, TxUser};
use crate::wire::{HeaderName, Message, Method};

impl Session {
    /// Ends it, whatever its state.
    pub(crate) fn hang_up(&mut self, base: &mut Base, cause: Cause, text: Option<&str>) {
        if self.over {
            return;
        }
        let reason = reason(cause, text);
        match self.stage {
            Stage::Incoming => self.refuse_by(base, cause, &reason),
            Stage::Calling => {
                self.cancel_branches(base, &reason);
                self.end(base, cause, false, None);
            }
            // 15: "the callee's UA MUST NOT send a BYE on a confirmed dialog until it has
            // received an ACK for its 2xx response or until the server transaction times out"
            Stage::Up if self.first_ack_is_missing() => {
                self.bye_waits = Some(reason);
                self.end(base, cause, false, None);
            }
            Stage::Up => {
                self.send_bye(base, &reason);
                self.end(base, cause, false, None);
            }
        }
    }

    fn refuse_by(&mut self, base: &mut Base, cause: Cause, reason: &str) {
        let code = cause.sip_status();
        if let Some(tx) = self.invite.take()
            && let Some(mut response) = base.tx.response(tx, code)
        {
            super::uas::add_retry_after(base, &mut response);
            response.push(HeaderName::Reason, reason);
            base.tx.respond(&mut base.cx, tx, &response);
        }
        self.end(base, cause, false, Some(code));
    }

    /// Sends a BYE; its outcome changes nothing any more: "The UAC MUST consider the session
    /// terminated ... as soon as the BYE request is passed to the client transaction" (15.1.1).
    pub(super) fn send_bye(&mut self, base: &mut Base, reason: &str) {
        self.stop_awaiting(base);
        if let Some(dialog) = &mut self.dialog {
            bye(base, dialog, reason);
        }
    }

    /// The peer ended it with a BYE, which has been answered: "The UAS MUST still
    /// respond to any pending requests received for that dialog ... It is RECOMMENDED that a 487
    /// (Request Terminated) response be generated to those pending requests." (15.1.2)
    pub(super) fn on_bye(&mut self, base: &mut Base) {
        self.stop_awaiting(base);
        self.bye_waits = None;
        match self.stage {
            Stage::Incoming => self.refuse(base, 487, Cause::Cancelled),
            Stage::Calling | Stage::Up => self.end(base, Cause::Normal, true, None),
        }
    }
}

/// A BYE in a dialog, with nobody to wait for its answer.
pub(crate) fn bye(base: &mut Base, dialog: &mut Dialog, reason: &str) {
    let (mut bye, flow) = dialog.request(Method::Bye);
    bye.push(HeaderName::Reason, reason);
    base.tx.send(&mut base.cx, TxUser::Nobody, flow, bye);
}

/// A 2xx to an INVITE of ours that nobody waits for: another branch won, or the call was given
/// up and the CANCEL crossed it. "If, after acknowledging any 2xx response to an INVITE, the UAC
/// does not want to continue with that dialog, then the UAC MUST terminate the dialog by sending
/// a BYE request" (13.2.2.4).
pub(crate) fn end_orphan(base: &mut Base, tx: TxId, response: &Message) {
    if !matches!(response.status(), Some(200..=299)) {
        return;
    }
    let Some((invite, flow)) = base.tx.request(tx).zip(base.tx.flow(tx)) else {
        return;
    };
    if invite.method() != Some(&Method::Invite) {
        return;
    }
    let Some(mut dialog) = Dialog::of_response(invite, response, flow) else {
        return;
    };
    let seq = response.cseq().map_or(1, |cseq| cseq.seq);
    let (ack, flow) = dialog.ack(seq);
    let tag = dialog.remote_tag.clone();
    base.tx.ack_success(&mut base.cx, tx, &tag, flow, ack);
    bye(base, &mut dialog, ELSEWHERE);
}

/// The Reason header (RFC 3326).
fn reason(cause: Cause, text: Option<&str>) -> String {
    if cause == Cause::AnsweredElsewhere {
        return ELSEWHERE.to_owned();
    }
    let text: String = text
        .unwrap_or(cause.as_str())
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'))
        .take(80)
        .collect();
    format!("Q.850;cause={};text=\"{text}\"", cause.q850())
}
