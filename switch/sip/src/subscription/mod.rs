//! Subscriptions of others to what we know (RFC 6665, as a notifier).
//!
//! Invariants: a subscription is in the table exactly as long as its deadline runs; it has at most one NOTIFY under way,
//! and what changed meanwhile is told by the next; it ends by its time, by its subscriber, by a NOTIFY that fails, or
//! because the account is gone, and leaves nothing.

mod dialog_info;
mod message_summary;
mod package;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use cordboard_model::id::UserId;
use cordboard_model::time::{Time, TimerReason};

pub use dialog_info::{DialogInfo, DialogState};
pub(crate) use package::{ALLOW_EVENTS, Package};

use crate::dialog::Dialog;
use crate::engine::context::{Context, TimerKey};
use crate::engine::{Directory, Flow};
use crate::transaction::{Transactions, TxId, TxUser, What};
use crate::wire::{HeaderName, Message, Method};

/// Messages that wait for an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Not heard yet.
    pub new: u32,
    /// Heard and kept.
    pub old: u32,
}

/// What subscriptions tell of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    dialogs: BTreeMap<UserId, BTreeMap<String, DialogInfo>>,
    messages: BTreeMap<UserId, Waiting>,
}

impl Known {
    fn dialogs(&self, user: &UserId) -> impl Iterator<Item = &DialogInfo> {
        self.dialogs.get(user).into_iter().flat_map(BTreeMap::values)
    }

    fn messages(&self, user: &UserId) -> Waiting {
        self.messages.get(user).copied().unwrap_or_default()
    }
}

/// One subscription.
#[derive(Clone, Debug)]
struct Subscription {
    dialog: Dialog,
    subscriber: UserId,
    resource: UserId,
    package: Package,
    event_id: Option<String>,
    domain: String,
    expires: Time,
    version: u32,
    pending: Option<TxId>,
    changed: bool,
}

/// Who asks for a subscription, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) dialog: Dialog,
    pub(crate) subscriber: UserId,
    pub(crate) resource: UserId,
    pub(crate) package: Package,
    pub(crate) event_id: Option<String>,
    /// Of addresses in documents.
    pub(crate) domain: String,
}

/// Why there can be no further subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The account has as many as it may.
    Account,
    /// The switch has.
    Switch,
}

/// All subscriptions, and what they tell of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subscriptions {
    table: BTreeMap<u64, Subscription>,
    by_tag: BTreeMap<String, u64>,
    by_resource: BTreeMap<(UserId, Package), BTreeSet<u64>>,
    by_account: BTreeMap<UserId, usize>,
    known: Known,
    last: u64,
}

impl Subscriptions {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether the limits leave room for one more.
    pub(crate) fn has_room(&self, directory: &Directory, subscriber: &UserId) -> Result<(), Full> {
        let limits = directory.flows();
        let own = self.by_account.get(subscriber).copied().unwrap_or(0);
        if own >= limits.account_subscriptions as usize {
            return Err(Full::Account);
        }
        if self.table.len() >= limits.subscriptions as usize { Err(Full::Switch) } else { Ok(()) }
    }

    /// The subscription in whose dialog a request is, with its subscriber and the flow that it comes by.
    pub(crate) fn find(&self, request: &Message) -> Option<(u64, &UserId, Flow)> {
        let to = request.to().ok()?;
        let id = *self.by_tag.get(to.tag()?)?;
        let from = request.from_().ok()?;
        let found = self.table.get(&id)?;
        let matches = found.dialog.matches(request.call_id().ok()?, from.tag().unwrap_or_default());
        matches.then_some((id, &found.subscriber, found.dialog.flow()))
    }

    /// Takes a subscription and tells the state at once, as a notifier MUST when it has accepted one (RFC 6665 4.2.1.2).
    /// For no time at all it is a question that has one answer (4.4.3).
    pub(crate) fn add(&mut self, cx: &mut Context, tx: &mut Transactions, wanted: Wanted, length: Duration) {
        self.last += 1;
        let id = self.last;
        let Wanted { dialog, subscriber, resource, package, event_id, domain } = wanted;
        self.by_tag.insert(dialog.local_tag.clone(), id);
        self.by_resource.entry((resource.clone(), package)).or_default().insert(id);
        *self.by_account.entry(subscriber.clone()).or_insert(0) += 1;
        let subscription = Subscription {
            dialog,
            subscriber,
            resource,
            package,
            event_id,
            domain,
            expires: cx.now + length,
            version: 0,
            pending: None,
            changed: false,
        };
        self.table.insert(id, subscription);
        self.renewed(cx, tx, id, length);
    }

    /// A SUBSCRIBE in the dialog of one.
    pub(crate) fn refresh(
        &mut self,
        cx: &mut Context,
        tx: &mut Transactions,
        id: u64,
        (request, flow): (&Message, Flow),
        length: Duration,
    ) {
        if let Some(found) = self.table.get_mut(&id) {
            found.dialog.refresh(request, flow);
        }
        self.renewed(cx, tx, id, length);
    }

    /// Whether a request's sequence number is in order (RFC 3261 12.2.2).
    pub(crate) fn in_order(&mut self, id: u64, request: &Message) -> bool {
        let seq = request.cseq().map_or(0, |cseq| cseq.seq);
        let order = self.table.get_mut(&id).map(|found| found.dialog.note_cseq(seq));
        order == Some(crate::dialog::Order::Next)
    }

    fn renewed(&mut self, cx: &mut Context, tx: &mut Transactions, id: u64, length: Duration) {
        if length.is_zero() {
            return self.end(cx, tx, id, "timeout");
        }
        let until = cx.now + length;
        if let Some(found) = self.table.get_mut(&id) {
            found.expires = until;
        }
        cx.deadlines.set(TimerKey::Subscription(id), until, TimerReason("sip subscription expires"));
        self.tell(cx, tx, id);
    }

    /// Tells a subscriber what there is, or notes that it is to be told once the last NOTIFY is answered.
    fn tell(&mut self, cx: &mut Context, tx: &mut Transactions, id: u64) {
        let Some(found) = self.table.get_mut(&id) else {
            return;
        };
        if found.pending.is_some() {
            found.changed = true;
            return;
        }
        let left = found.expires.since(cx.now).as_millis().div_ceil(1_000);
        found.changed = false;
        let sent = found.notify(cx, tx, &self.known, TxUser::Notify(id), &format!("active;expires={left}"));
        found.pending = Some(sent);
    }

    /// Ends one with a last NOTIFY, which says "terminated" and why (RFC 6665 4.1.3).
    fn end(&mut self, cx: &mut Context, tx: &mut Transactions, id: u64, why: &str) {
        let Some(mut found) = self.forget(cx, id) else {
            return;
        };
        found.notify(cx, tx, &self.known, TxUser::Nobody, &format!("terminated;reason={why}"));
    }

    fn forget(&mut self, cx: &mut Context, id: u64) -> Option<Subscription> {
        let found = self.table.remove(&id)?;
        cx.deadlines.clear(&TimerKey::Subscription(id));
        self.by_tag.remove(&found.dialog.local_tag);
        let key = (found.resource.clone(), found.package);
        if let Some(ids) = self.by_resource.get_mut(&key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_resource.remove(&key);
            }
        }
        if let Some(count) = self.by_account.get_mut(&found.subscriber) {
            *count -= 1;
            if *count == 0 {
                self.by_account.remove(&found.subscriber);
            }
        }
        Some(found)
    }

    /// A NOTIFY was answered, or was not. One that fails ends its subscription without a further word (RFC 6665 4.2.2).
    pub(crate) fn on_upcall(
        &mut self,
        cx: &mut Context,
        tx: &mut Transactions,
        id: u64,
        from: TxId,
        what: What,
    ) {
        let Some(found) = self.table.get_mut(&id).filter(|found| found.pending == Some(from)) else {
            return;
        };
        let is_well = match what {
            What::Response(response) => match response.status() {
                Some(200..=299) => true,
                Some(100..=199) | None => return,
                Some(_) => false,
            },
            What::Timeout | What::Unreachable => false,
            What::Ack(_) => return,
        };
        found.pending = None;
        let changed = found.changed;
        if !is_well {
            self.forget(cx, id);
        } else if changed {
            self.tell(cx, tx, id);
        }
    }

    /// Its time is over.
    pub(crate) fn on_expired(&mut self, cx: &mut Context, tx: &mut Transactions, id: u64) {
        self.end(cx, tx, id, "timeout");
    }

    /// Calls of an extension have changed.
    pub(crate) fn set_dialog(
        &mut self,
        cx: &mut Context,
        tx: &mut Transactions,
        user: UserId,
        dialog: DialogInfo,
        over: bool,
    ) {
        let known = self.known.dialogs.entry(user.clone()).or_default();
        let before = match over {
            true => known.remove(&dialog.id),
            false => known.insert(dialog.id.clone(), dialog.clone()),
        };
        if known.is_empty() {
            self.known.dialogs.remove(&user);
        }
        let same = if over { before.is_none() } else { before == Some(dialog) };
        if !same {
            self.tell_all(cx, tx, user, Package::Dialog);
        }
    }

    /// Other messages wait for an account.
    pub(crate) fn set_messages(
        &mut self,
        cx: &mut Context,
        tx: &mut Transactions,
        user: UserId,
        waiting: Waiting,
    ) {
        if self.known.messages(&user) == waiting {
            return;
        }
        match waiting == Waiting::default() {
            true => drop(self.known.messages.remove(&user)),
            false => drop(self.known.messages.insert(user.clone(), waiting)),
        }
        self.tell_all(cx, tx, user, Package::MessageSummary);
    }

    fn tell_all(&mut self, cx: &mut Context, tx: &mut Transactions, user: UserId, package: Package) {
        let ids: Vec<u64> = self.by_resource.get(&(user, package)).into_iter().flatten().copied().collect();
        for id in ids {
            self.tell(cx, tx, id);
        }
    }

    /// Ends what the new configuration has no accounts for.
    pub(crate) fn keep_known(&mut self, cx: &mut Context, tx: &mut Transactions, directory: &Directory) {
        let exists = |user: &UserId| directory.account(user.tenant, user.name.as_str()).is_some();
        self.known.dialogs.retain(|user, _| exists(user));
        self.known.messages.retain(|user, _| exists(user));
        let gone: Vec<(u64, bool)> = self
            .table
            .iter()
            .filter(|(_, s)| !exists(&s.subscriber) || !exists(&s.resource))
            .map(|(id, s)| (*id, exists(&s.subscriber)))
            .collect();
        for (id, has_subscriber) in gone {
            let why = if has_subscriber { "noresource" } else { "rejected" };
            self.end(cx, tx, id, why);
        }
    }
}

impl Subscription {
    fn notify(
        &mut self,
        cx: &mut Context,
        tx: &mut Transactions,
        known: &Known,
        user: TxUser,
        state: &str,
    ) -> TxId {
        let (mut notify, flow) = self.dialog.request(Method::Notify);
        let event = match &self.event_id {
            Some(id) => format!("{};id={id}", self.package.name()),
            None => self.package.name().to_owned(),
        };
        notify.push(HeaderName::Event, event);
        notify.push(HeaderName::SubscriptionState, state);
        let document = self.package.document(known, &self.resource, &self.domain, self.version);
        self.version += 1;
        notify.set_body(self.package.content_type(), document.into_bytes());
        tx.send(cx, user, flow, notify)
    }
}
