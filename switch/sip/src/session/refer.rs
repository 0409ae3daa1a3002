//! REFER (RFC 3515, 4488) of a party that wants its call sent elsewhere, and the NOTIFYs that tell it what became of that.
//!
//! Invariants: a REFER has one final response; its subscription, if it has one, ends with a NOTIFY that says
//! `terminated`; what a NOTIFY says is never taken back, and the last word is not held up by one before it.

use cordboard_model::leg::PartyId;

use super::{Base, Session, Stage};
use crate::engine::{Refer, SipEvent};
use crate::transaction::{TxId, TxUser, What};
use crate::wire::{HeaderName, Message, Method, NameAddr, Replaces, reason_phrase};

/// "message/sipfrag" of version 2.0 (RFC 3515 2.4.5, RFC 3420).
const SIPFRAG: &str = "message/sipfrag;version=2.0";
/// What the first NOTIFY says of the length of the subscription, seconds. It ends by itself with the last NOTIFY, long
/// before: no ringing is longer than that.
const EXPIRES: u32 = 600;
/// Most REFERs of one session that are not settled. A phone has one.
const OPEN_MAX: usize = 4;

/// One REFER that is not settled.
#[derive(Clone, Debug)]
struct Open {
    /// The CSeq number of the REFER: "the Event header field values MUST contain an id parameter ... equal to the
    /// sequence number" (RFC 3515 2.4.6).
    ticket: u32,
    /// The REFER, until it has a final response.
    tx: Option<TxId>,
    /// "Refer-Sub: false" was asked for: no subscription (RFC 4488 4).
    quiet: bool,
    /// A NOTIFY that is not answered.
    notify: Option<TxId>,
    /// What the next one says.
    next: Option<u16>,
}

/// The REFERs of one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refers {
    open: Vec<Open>,
}

impl Refers {
    /// The transactions of ours that are under way.
    pub(super) fn transactions(&self) -> impl Iterator<Item = &TxId> {
        self.open.iter().filter_map(|open| open.notify.as_ref())
    }
}

/// What a REFER asks for; else status and phrase of its refusal.
fn read(request: &Message, ticket: u32) -> Result<Refer, (u16, &'static str)> {
    // "A REFER request MUST contain exactly one Refer-To header field value." (2.4.1); one with more "MUST" get a 400
    let mut values = request.headers.get_all(&HeaderName::ReferTo);
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err((400, "Bad Request - One Refer-To Is Wanted"));
    };
    let to = NameAddr::parse(value).ok_or((400, "Bad Request - Malformed Refer-To"))?;
    let user = to.uri.user().filter(|user| !user.is_empty());
    let user = user.ok_or((416, "Unsupported URI Scheme"))?.into_owned();
    if to.uri.param("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
        return Err((501, "Not Implemented - Only Calls Are Referred"));
    }
    let sip = to.uri.as_sip();
    let mut headers = sip.into_iter().flat_map(|uri| uri.headers());
    let replaces = headers.find(|(name, _)| name.eq_ignore_ascii_case("replaces"));
    let replaces = match replaces {
        Some((_, value)) => Some(Replaces::parse(&value).ok_or((400, "Bad Request - Malformed Replaces"))?),
        None => None,
    };
    let by = request.header(&HeaderName::ReferredBy).and_then(NameAddr::parse);
    Ok(Refer {
        ticket,
        host: to.uri.host().map_or_else(String::new, |host| host.as_str().to_owned()),
        to: PartyId { user, display: to.display.unwrap_or_default() },
        replaces,
        by: by.and_then(|by| by.uri.user().map(|user| user.into_owned())),
    })
}

impl Session {
    /// The peer wants its call sent elsewhere. Answered when [`Session::refer_result`] is known.
    pub(super) fn on_refer(&mut self, base: &mut Base, tx: TxId) {
        let Some(request) = base.tx.request(tx) else {
            return;
        };
        let ticket = request.cseq().map_or(0, |cseq| cseq.seq);
        let wants = request.header(&HeaderName::ReferSub);
        let quiet = wants.is_some_and(|wants| wants.trim().to_ascii_lowercase().starts_with("false"));
        if self.over || self.stage != Stage::Up {
            return super::request::refuse(base, tx, 403, "Forbidden - Not Before The Answer");
        }
        if self.refers.open.len() >= OPEN_MAX {
            return super::reinvite::refuse_for_a_while(base, tx);
        }
        match read(request, ticket) {
            Ok(refer) => {
                self.refers.open.push(Open { ticket, tx: Some(tx), quiet, notify: None, next: None });
                let (session, refer) = (self.id, Box::new(refer));
                self.tell(base, SipEvent::Refer { session, refer });
            }
            Err((code, phrase)) => super::request::refuse(base, tx, code, phrase),
        }
    }

    /// What became of a REFER so far: 100 accepts it; 300 and more, said first, refuse it; what follows goes out as
    /// NOTIFY, and 200 and more is the last.
    pub(crate) fn refer_result(&mut self, base: &mut Base, ticket: u32, status: u16) {
        let Some(at) = self.refers.open.iter().position(|open| open.ticket == ticket) else {
            return;
        };
        let Some(open) = self.refers.open.get_mut(at) else {
            return;
        };
        let (tx, quiet) = (open.tx.take(), open.quiet);
        if let Some(tx) = tx {
            if status >= 300 {
                self.refers.open.remove(at);
                return super::request::answer(base, tx, status);
            }
            // "If the REFER request is accepted ... the UA MUST respond with a 202" (2.4.2); without a subscription
            // "the REFER-Recipient SHOULD insert in the response to the REFER-Issuer the Refer-Sub header field with
            // a value of 'false'" (RFC 4488 4)
            self.respond_adding(base, tx, 202, |_, response| {
                if quiet {
                    response.push(HeaderName::ReferSub, "false");
                }
            });
        }
        if quiet {
            if status >= 200 {
                self.refers.open.remove(at);
            }
            return;
        }
        self.notify(base, at, status);
    }

    /// Tells what is so, at once if nothing is on its way or it is the last word.
    fn notify(&mut self, base: &mut Base, at: usize, status: u16) {
        let Some(open) = self.refers.open.get_mut(at) else {
            return;
        };
        let last = status >= 200;
        if open.notify.is_some() && !last {
            open.next = Some(status);
            return;
        }
        let ticket = open.ticket;
        let Some((mut notify, flow)) = self.dialog.as_mut().map(|dialog| dialog.request(Method::Notify))
        else {
            return;
        };
        notify.push(HeaderName::Event, format!("refer;id={ticket}"));
        // "The final NOTIFY sent in response to a REFER MUST indicate the subscription has been "terminated" with a
        // reason of "noresource"." (2.4.7)
        let state = match last {
            true => "terminated;reason=noresource".to_owned(),
            false => format!("active;expires={EXPIRES}"),
        };
        notify.push(HeaderName::SubscriptionState, state);
        let fragment = format!("SIP/2.0 {status} {}\r\n", reason_phrase(status));
        let notify = notify.with_body(SIPFRAG, fragment.into_bytes());
        let user = if last { TxUser::Nobody } else { TxUser::Session(self.id) };
        let tx = base.tx.send(&mut base.cx, user, flow, notify);
        if last {
            self.refers.open.remove(at);
        } else if let Some(open) = self.refers.open.get_mut(at) {
            open.notify = Some(tx);
        }
    }

    /// Whether this transaction is a NOTIFY of ours.
    pub(super) fn is_notify(&self, tx: TxId) -> bool {
        self.refers.transactions().any(|notify| *notify == tx)
    }

    /// A NOTIFY was answered or not. One that fails ends the subscription (RFC 6665 4.2.2), not the call.
    pub(super) fn on_notify_result(&mut self, base: &mut Base, tx: TxId, what: &What) {
        let Some(at) = self.refers.open.iter().position(|open| open.notify == Some(tx)) else {
            return;
        };
        let failed = match what {
            What::Response(response) => match response.status() {
                Some(100..=199) => return,
                Some(200..=299) => false,
                _ => true,
            },
            What::Timeout | What::Unreachable => true,
            What::Ack(_) => return,
        };
        base.tx.release(tx);
        let Some(open) = self.refers.open.get_mut(at) else {
            return;
        };
        open.notify = None;
        open.quiet |= failed;
        if let Some(status) = open.next.take().filter(|_| !failed) {
            self.notify(base, at, status);
        }
    }

    /// The session is over: REFERs that have no answer get one.
    pub(super) fn give_up_refers(&mut self, base: &mut Base) {
        for open in core::mem::take(&mut self.refers.open) {
            if let Some(tx) = open.tx {
                super::request::answer(base, tx, 487);
            }
            if let Some(tx) = open.notify {
                base.tx.release(tx);
            }
        }
    }
}
