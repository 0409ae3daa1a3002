//! Sessions: what a caller or a called device is to the switch, from the INVITE to the last BYE
//! (RFC 3261 13 to 15).
//!
//! Invariants: [`SipEvent::Ended`] is told exactly once, and nothing after it. A session that has
//! ended stays only while a branch may still be answered or an ACK is awaited before a BYE may be
//! sent. Every 2xx to an INVITE of ours gets an ACK; every dialog that nobody wants gets a BYE.

mod ack;
mod branch;
mod challenge;
mod info;
mod media;
mod peer;
mod refer;
mod refresh;
mod reinvite;
mod reliable;
pub(crate) mod request;
mod talk;
mod teardown;
mod uac;
mod uas;

use std::collections::BTreeMap;

use cordboard_model::cause::Cause;
use cordboard_model::id::UserId;
use cordboard_model::journal::DialogRecord;
use cordboard_model::leg::PartyId;

use crate::dialog::Dialog;
use crate::engine::context::{Context, SessionTimer};
use crate::engine::{SessionId, SipEvent};
use crate::keyed::Keyed;
use crate::transaction::{Transactions, TxId, Upcall, What};
use crate::wire::{Message, Replaces};

pub(crate) use ack::Awaited;
pub(crate) use branch::{Branch, Failure};
pub(crate) use media::Media;
pub(crate) use refresh::{Wish, refuse_too_brief};
pub(crate) use reinvite::Reinvite;
pub(crate) use teardown::{bye, end_orphan};
pub(crate) use uac::{Call, Target};

/// What sessions stand on.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) cx: Context,
    pub(crate) tx: Transactions,
    /// Sessions by the local tag of their dialog.
    pub(crate) dialogs: Keyed<SessionId>,
    /// BYEs that wait for their answer, by the session they ended.
    pub(crate) byes: BTreeMap<SessionId, TxId>,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Outgoing, not answered.
    Calling,
    /// Incoming, not answered.
    Incoming,
    /// Answered; for an incoming one the ACK may be missing yet.
    Up,
}

/// What an INVITE with Replaces finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replaceable {
    /// A call of ours that is not answered.
    Early,
    /// A call of the peer's that is not answered.
    Theirs,
    /// An answered one.
    Up,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    stage: Stage,
    /// Ended was told.
    over: bool,
    /// The dialog: of an incoming session from the start, of an outgoing one from the answer.
    dialog: Option<Dialog>,
    media: Media,
    /// Outgoing: one INVITE per contact.
    branches: Vec<Branch>,
    /// The account of the party.
    account: Option<UserId>,
    /// Outgoing: what another flow of a device is called with.
    call: Option<Box<Call>>,
    /// Outgoing: what the best refusal so far means.
    best: Option<branch::Failure>,
    /// Outgoing: a device rings.
    rang: bool,
    /// Outgoing: a device has sent early media.
    early: bool,
    /// Incoming: the INVITE to answer.
    invite: Option<TxId>,
    /// A 2xx of ours that waits for its ACK.
    awaited: Option<Awaited>,
    /// A re-INVITE of ours.
    reinvite: Option<Reinvite>,
    /// What the re-INVITE that must wait shall ask for.
    hold_wanted: Option<bool>,
    /// A re-INVITE that only refreshes the session must wait.
    refresh_wanted: bool,
    refresh: refresh::Refresh,
    reliable: reliable::Reliable,
    refers: refer::Refers,
    keys: info::Keys,
    /// Outgoing: where a device says that the call shall go instead.
    redirect: Option<(PartyId, String)>,
    /// A BYE that must wait for an ACK: its Reason.
    bye_waits: Option<String>,
}

impl Session {
    fn new(id: SessionId, stage: Stage) -> Self {
        Self {
            id,
            stage,
            over: false,
            dialog: None,
            media: Media::default(),
            branches: Vec::new(),
            account: None,
            call: None,
            best: None,
            rang: false,
            early: false,
            invite: None,
            awaited: None,
            reinvite: None,
            hold_wanted: None,
            refresh_wanted: false,
            refresh: refresh::Refresh::default(),
            reliable: reliable::Reliable::default(),
            refers: refer::Refers::default(),
            keys: info::Keys::default(),
            redirect: None,
            bye_waits: None,
        }
    }

    /// Whether nothing is left to do for it.
    pub(crate) fn is_done(&self) -> bool {
        self.over && self.bye_waits.is_none() && self.branches.iter().all(|b| b.done)
    }

    /// Whether the shard still thinks of it.
    pub(crate) fn is_live(&self) -> bool {
        !self.over
    }

    /// Its Call-IDs: of the dialog, and of branches that are no dialog yet.
    pub(crate) fn call_ids<'a>(&'a self, base: &'a Base) -> Vec<&'a str> {
        let of_branches =
            self.branches.iter().filter_map(|branch| base.tx.request(branch.tx)?.call_id().ok());
        self.dialog.iter().map(|dialog| dialog.call_id.as_str()).chain(of_branches).collect()
    }

    /// Whether a branch had an answer of any kind.
    pub(crate) fn has_heard(&self) -> bool {
        self.stage != Stage::Calling || self.branches.iter().any(|branch| branch.provisional || branch.done)
    }

    /// Takes away what names it. After this it may be dropped.
    pub(crate) fn forget(&mut self, base: &mut Base) {
        for timer in SessionTimer::ALL {
            base.cx.stop_session(self.id, timer);
        }
        if let Some(dialog) = &self.dialog
            && base.dialogs.get(&dialog.local_tag) == Some(&self.id)
        {
            base.dialogs.remove(&dialog.local_tag);
        }
        for id in self.invite.iter().chain(self.branches.iter().map(|b| &b.tx)) {
            base.tx.release(*id);
        }
        for id in
            self.reinvite.iter().map(|reinvite| &reinvite.tx).chain(&self.refresh.tx).chain(&self.keys.tx)
        {
            base.tx.release(*id);
        }
    }

    /// Whether a request with this Call-ID and From tag is in its dialog.
    pub(crate) fn matches(&self, call_id: &str, from_tag: &str) -> bool {
        let dialog = self.dialog.as_ref();
        dialog.is_some_and(|dialog| dialog.matches(call_id, from_tag))
    }

    /// How it stands to the dialog that an INVITE wants to replace (RFC 3891 3).
    pub(crate) fn replaceable(&self, base: &Base, replaces: &Replaces) -> Option<Replaceable> {
        if self.over {
            return None;
        }
        match self.stage {
            Stage::Calling => {
                let is_ours = |branch: &Branch| {
                    let invite = base.tx.request(branch.tx)?;
                    let from = invite.from_().ok()?;
                    Some(invite.call_id().ok()? == replaces.call_id && from.tag()? == replaces.to_tag)
                };
                // the tag of the other end is not known of every early dialog: its Call-ID and our tag say enough
                self.branches.iter().any(|branch| is_ours(branch) == Some(true)).then_some(Replaceable::Early)
            }
            Stage::Incoming | Stage::Up => {
                let dialog = self.dialog.as_ref()?;
                let is_it = dialog.local_tag == replaces.to_tag
                    && dialog.matches(&replaces.call_id, &replaces.from_tag);
                let state = if self.stage == Stage::Up { Replaceable::Up } else { Replaceable::Theirs };
                is_it.then_some(state)
            }
        }
    }

    /// The dialog as the journal keeps it, once there is one that is answered.
    pub(crate) fn record(&self) -> Option<DialogRecord> {
        self.dialog.as_ref().filter(|_| self.stage == Stage::Up).map(Dialog::record)
    }

    /// Tells the shard, unless it was told the end.
    fn tell(&self, base: &mut Base, event: SipEvent) {
        if !self.over {
            base.cx.event(event);
        }
    }

    /// Tells the end, once.
    fn end(&mut self, base: &mut Base, cause: Cause, by_peer: bool, sip_status: Option<u16>) {
        let session = self.id;
        self.tell(base, SipEvent::Ended { session, cause, by_peer, sip_status });
        self.over = true;
        self.hold_wanted = None;
        self.refresh_wanted = false;
        self.give_up_refers(base);
        for timer in [
            SessionTimer::Glare,
            SessionTimer::Progress,
            SessionTimer::Expires,
            SessionTimer::Refresh,
            SessionTimer::Lapse,
            SessionTimer::Repeat1xx,
            SessionTimer::NoPrack,
        ] {
            base.cx.stop_session(self.id, timer);
        }
    }

    /// A transaction of the session has something to tell.
    pub(crate) fn on_upcall(&mut self, base: &mut Base, upcall: Upcall) {
        if let Some(at) = self.branches.iter().position(|b| b.tx == upcall.tx) {
            return self.on_branch(base, at, upcall.what);
        }
        if self.reinvite.as_ref().is_some_and(|r| r.tx == upcall.tx) {
            return self.on_reinvite_result(base, upcall.what);
        }
        if self.is_update(upcall.tx) {
            return self.on_update_result(base, upcall.what);
        }
        if self.is_info(upcall.tx) {
            return self.on_info_result(base, &upcall.what);
        }
        if self.is_notify(upcall.tx) {
            return self.on_notify_result(base, upcall.tx, &upcall.what);
        }
        match upcall.what {
            What::Response(response) => {
                if !base.tx.repeat_ack(&mut base.cx, upcall.tx, to_tag(&response).as_str()) {
                    end_orphan(base, upcall.tx, &response);
                }
            }
            What::Ack(ack) => self.on_ack(base, &ack),
            // the 2xx is repeated all the same, and its missing ACK ends the session
            What::Timeout | What::Unreachable => {}
        }
    }

    /// A timer of the session fired.
    pub(crate) fn on_timer(&mut self, base: &mut Base, timer: SessionTimer) {
        match timer {
            SessionTimer::Repeat2xx => self.on_repeat_2xx(base),
            SessionTimer::NoAck => self.on_no_ack(base),
            SessionTimer::Glare => self.on_glare_over(base),
            SessionTimer::Progress => self.on_progress_due(base),
            SessionTimer::Expires => self.on_expired(base),
            SessionTimer::Refresh => self.on_refresh_due(base),
            SessionTimer::Lapse => self.lapse(base),
            SessionTimer::Repeat1xx => self.on_repeat_1xx(base),
            SessionTimer::NoPrack => self.on_no_prack(base),
        }
    }
}

/// The To tag of a message; empty when it has none.
fn to_tag(message: &Message) -> String {
    let to = message.to().ok();
    to.as_ref().and_then(|to| to.tag()).unwrap_or_default().to_owned()
}
