//! SUBSCRIBE, first and in its dialog (RFC 6665 4.2.1).

use core::time::Duration;

use super::belongs::{Sender, is_peer};
use super::gate::Verdict;
use super::outside::{Caller, asker};
use super::{Directory, Flow, SipEngine};
use crate::dialog::Dialog;
use crate::session::request::{answer, refuse, respond_with};
use crate::subscription::{ALLOW_EVENTS, Full, Package, Wanted};
use crate::transaction::{TxId, TxUser};
use crate::wire::{HeaderName, Message, Method, Uri, Via};

/// What a subscription gets that asks for no time: RFC 4235 3.4 and RFC 3842 3.4 say an hour.
const DEFAULT_SECS: u32 = 3_600;

/// How long it is to last; none for less than the least, which is that of registrations. It may be shortened, and MUST
/// NOT be made longer (4.2.1.1).
fn length(request: &Message, limits: &Directory) -> Option<Duration> {
    match request.expires().unwrap_or(DEFAULT_SECS) {
        0 => Some(Duration::ZERO),
        secs if secs < 3_600 && secs < limits.register_min_secs() => None,
        secs => Some(Duration::from_secs(u64::from(secs.min(limits.register_max_secs())))),
    }
}

impl SipEngine {
    /// A SUBSCRIBE outside any dialog, of somebody known.
    pub(super) fn on_subscribe(&mut self, tx: TxId, flow: Flow, caller: Caller) {
        let base = &mut self.base;
        let (Some(request), Some(user)) = (base.tx.request(tx).cloned(), caller.user) else {
            return answer(base, tx, 403);
        };
        // 4.2.1.1: an event package that is not understood is a 489 (Bad Event); Allow-Events lists those that are
        let Some((package, event_id)) = Package::of(&request) else {
            return respond_with(base, tx, 489, |response| {
                response.set_reason("Bad Event");
                response.push(HeaderName::AllowEvents, ALLOW_EVENTS);
            });
        };
        // without Accept it is the package's own type that is taken (RFC 6665 3.1.3)
        let is_named = request.headers.contains(&HeaderName::Accept);
        if is_named && !request.accepts(package.content_type()) {
            return respond_with(base, tx, 406, |response| {
                response.push(HeaderName::Accept, package.content_type());
            });
        }
        let name = request.request_uri().and_then(Uri::user).unwrap_or_default().into_owned();
        let Some(resource) = base.cx.directory.account(user.tenant, &name).map(|known| known.id.clone())
        else {
            return answer(base, tx, 404);
        };
        // Whose phone is busy is seen by all of a tenant, how many messages wait by their owner alone.
        if package == Package::MessageSummary && resource != user {
            return answer(base, tx, 403);
        }
        let Some(length) = length(&request, &base.cx.directory) else {
            return self.too_brief(tx);
        };
        match self.subscriptions.has_room(&base.cx.directory, &user) {
            Ok(()) => {}
            Err(Full::Account) => return refuse(base, tx, 403, "Too Many Subscriptions"),
            Err(Full::Switch) => return answer(base, tx, 503),
        }
        let contact = base.cx.contact(&flow);
        let tag = base.tx.to_tag(tx).unwrap_or_default().to_owned();
        let Some(dialog) = Dialog::of_request(&request, &tag, flow, contact.clone()) else {
            return answer(base, tx, 400);
        };
        let domain = base.cx.directory.realm(user.tenant).to_owned();
        let wanted = Wanted { dialog, subscriber: user, resource, package, event_id, domain };
        self.accept_subscription(tx, contact, length);
        let base = &mut self.base;
        self.subscriptions.add(&mut base.cx, &mut base.tx, wanted, length);
    }

    /// The 200, which MUST say in Expires for how long it holds (4.2.1.1).
    fn accept_subscription(&mut self, tx: TxId, contact: String, length: Duration) {
        respond_with(&mut self.base, tx, 200, |response| {
            response.push(HeaderName::Expires, length.as_secs().to_string());
            response.push(HeaderName::Contact, contact);
        });
    }

    fn too_brief(&mut self, tx: TxId) {
        let least = self.base.cx.directory.register_min_secs().to_string();
        respond_with(&mut self.base, tx, 423, |response| response.push(HeaderName::MinExpires, least));
    }

    /// A request in the dialog of a subscription, if it is in one: true if it was dealt with.
    pub(super) fn on_subscription_request(&mut self, flow: Flow, via: &Via, request: &Message) -> bool {
        let Some((id, account, known)) = self.subscriptions.find(request) else {
            return false;
        };
        let account = account.clone();
        let sender = if is_peer(known, flow, true) {
            Sender::Peer
        } else {
            match self.gate.check(&self.base.cx, request, account.tenant, &asker(flow)) {
                Verdict::Account(user) if user == account => Sender::Peer,
                Verdict::Account(_) | Verdict::Guest(_) => Sender::Other,
                Verdict::Stranger { stale } => Sender::Unproved { account, stale },
                Verdict::Malformed => Sender::Stranger,
            }
        };
        if !matches!(sender, Sender::Peer) {
            self.turn_away(flow, via, request, &sender);
            return true;
        }
        let base = &mut self.base;
        let tx = base.tx.open(&mut base.cx, TxUser::Nobody, flow, via, request.clone());
        if request.method() != Some(&Method::Subscribe) {
            answer(base, tx, 481);
        } else if !self.subscriptions.in_order(id, request) {
            answer(base, tx, 500);
        } else if let Some(length) = length(request, &base.cx.directory) {
            let contact = base.cx.contact(&flow);
            self.accept_subscription(tx, contact, length);
            let base = &mut self.base;
            self.subscriptions.refresh(&mut base.cx, &mut base.tx, id, (request, flow), length);
        } else {
            self.too_brief(tx);
        }
        true
    }
}
