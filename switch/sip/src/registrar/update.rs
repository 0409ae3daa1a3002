//! What one REGISTER does to an account's contacts (RFC 3261 10.3 steps 6 to 8).

use core::time::Duration;

use cordboard_model::id::UserId;

use super::expiry::{Wish, wish};
use super::outbound::{Outbound, is_meant};
use super::{Binding, Registrar, user_agent};
use crate::engine::context::Context;
use crate::engine::{Flow, SipOutput};
use crate::wire::{HeaderName, Message, NameAddr, Uri};

/// Why a REGISTER changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The peer's fault: `*` with other contacts or without Expires 0, a contact that is no SIP
    /// address. 400.
    Malformed(&'static str),
    /// The peer's fault: the Call-ID is known with a CSeq as high. 500.
    OutOfOrder,
    /// The peer asks for less than the minimum. 423 with Min-Expires.
    TooBrief,
    /// The account has as many contacts as it may. 403.
    TooManyContacts,
    /// A proxy between the device and us knows nothing of the flows that it asks for. 439.
    FirstHop,
    /// The switch has as many contacts as it may. 503.
    Full,
}

/// What is to change, checked whole before any of it is done.
#[derive(Debug, Default)]
struct Update {
    remove: Vec<(Uri, Option<Outbound>)>,
    remove_all: bool,
    keep: Vec<(NameAddr, Option<Outbound>, u32)>,
    /// Whether its contacts are flows of RFC 5626.
    outbound: bool,
}

impl Registrar {
    /// Obeys a REGISTER of an authenticated account. Without Contact it is a query. True if outbound (RFC 5626) was used.
    pub(crate) fn register(
        &mut self,
        cx: &mut Context,
        user: &UserId,
        request: &Message,
        flow: Flow,
    ) -> Result<bool, Refusal> {
        let plan = self.plan(cx, user, request)?;
        if plan.remove_all {
            self.remove_if(cx, user, |_| true);
        }
        if !plan.remove.is_empty() {
            let goes = |b: &Binding| plan.remove.iter().any(|(uri, outbound)| b.is(uri, outbound.as_ref()));
            self.remove_if(cx, user, goes);
        }
        for (contact, outbound, secs) in plan.keep {
            let binding = Binding {
                id: 0,
                q_milli: contact.q_thousandths(),
                uri: contact.uri,
                outbound,
                flow,
                path: request.headers.get_all(&HeaderName::Path).map(str::to_owned).collect(),
                call_id: request.call_id().unwrap_or_default().to_owned(),
                cseq: request.cseq().map_or(0, |cseq| cseq.seq),
                user_agent: user_agent(request),
                expires: cx.now + Duration::from_secs(u64::from(secs)),
            };
            let record = Box::new(binding.record(cx, user));
            self.put(cx, user, binding);
            cx.out.push_back(SipOutput::Registered(record));
        }
        Ok(plan.outbound)
    }

    fn plan(&self, cx: &Context, user: &UserId, request: &Message) -> Result<Update, Refusal> {
        let malformed = Refusal::Malformed;
        let contacts = request.contacts().map_err(|_| malformed("Malformed Contact"))?;
        let mut plan = Update::default();
        if request.has_contact_star() {
            // "If the request has additional Contact fields or an expiration time other than
            // zero, the request is invalid, and the server MUST return a 400"
            if !contacts.is_empty() || request.expires() != Some(0) {
                return Err(malformed("Contact * Needs Expires 0 and No Other Contact"));
            }
            self.in_order(user, request, |_| true)?;
            plan.remove_all = true;
            return Ok(plan);
        }
        plan.outbound = is_meant(request, &contacts)?;
        for contact in contacts {
            let outbound = if plan.outbound { Outbound::of(&contact) } else { None };
            if contact.uri.as_sip().is_none() {
                return Err(malformed("Contact Is No SIP Address"));
            }
            self.in_order(user, request, |b| b.is(&contact.uri, outbound.as_ref()))?;
            match wish(&contact, request, &cx.directory) {
                Wish::Remove => plan.remove.push((contact.uri, outbound)),
                Wish::Keep(secs) => plan.keep.push((contact, outbound, secs)),
                Wish::TooBrief => return Err(Refusal::TooBrief),
            }
        }
        self.has_room(cx, user, &plan)?;
        Ok(plan)
    }

    /// "If the binding does exist, the registrar checks the Call-ID value. If the Call-ID value
    /// in the existing binding differs from the Call-ID value in the request, the binding MUST be
    /// removed if the expiration time is zero and updated otherwise. If they are the same, the
    /// registrar compares the CSeq value. If the value is higher than that of the existing
    /// binding, it MUST update or remove the binding as above. If not, the update MUST be aborted
    /// and the request fails."
    fn in_order(
        &self,
        user: &UserId,
        request: &Message,
        concerned: impl Fn(&Binding) -> bool,
    ) -> Result<(), Refusal> {
        let call_id = request.call_id().unwrap_or_default();
        let cseq = request.cseq().map_or(0, |cseq| cseq.seq);
        let stale = |b: &Binding| concerned(b) && b.call_id == call_id && b.cseq >= cseq;
        match self.of(user).iter().any(stale) {
            true => Err(Refusal::OutOfOrder),
            false => Ok(()),
        }
    }

    fn has_room(&self, cx: &Context, user: &UserId, plan: &Update) -> Result<(), Refusal> {
        let has = self.of(user);
        let goes = |b: &&Binding| plan.remove.iter().any(|(uri, outbound)| b.is(uri, outbound.as_ref()));
        let stays = has.len() - has.iter().filter(goes).count();
        let mut new: Vec<(&Uri, &Option<Outbound>)> = Vec::new();
        for (contact, outbound, _) in &plan.keep {
            let known = has.iter().any(|b| b.is(&contact.uri, outbound.as_ref()));
            if !known && !new.contains(&(&contact.uri, outbound)) {
                new.push((&contact.uri, outbound));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        if stays + new.len() > cx.directory.contacts() {
            return Err(Refusal::TooManyContacts);
        }
        match self.total() + new.len() > cx.config.contacts_max {
            true => Err(Refusal::Full),
            false => Ok(()),
        }
    }
}
