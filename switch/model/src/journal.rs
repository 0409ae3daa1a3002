//! What is written before it happens, so that nothing accepted is lost by a crash.

use crate::callback::{Callback, CallbackId};
use crate::cdr::{Cdr, RecordingEntry};
use crate::chat::{ChatRecord, ChatStep};
use crate::desk::WrapUp;
use crate::device::AgentDevice;
use crate::guard::{Bar, Network};
use crate::id::{AgentId, CallId, LegId, Name, QueueId, RecordingId, TenantId, UserId};
use crate::leg::PartyId;
use crate::record::AgentInterval;
use crate::signin::SignInRecord;
use crate::time::Wall;
use crate::view::AgentStatus;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is needed to send a BYE in a dialog after a restart (RFC 3261 12.1). All texts are as on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogRecord {
    /// Call-ID.
    pub call_id: String,
    /// Our From or To value with tag, whichever side we are.
    pub local: String,
    /// The peer's value with tag.
    pub remote: String,
    /// The Request-URI: the peer's Contact.
    pub remote_target: String,
    /// Route header values, in order.
    pub routes: Vec<String>,
    /// Our last CSeq number. The BYE leaves a gap above it, for requests that were not journalled.
    pub local_cseq: u32,
    /// Where requests are sent: `transport:address:port`.
    pub flow: String,
    /// Our Contact value.
    pub contact: String,
}

/// A registered contact of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRecord {
    /// Whose.
    pub user: UserId,
    /// The Contact URI.
    pub uri: String,
    /// Where requests for it are sent: `transport:address:port`.
    pub flow: String,
    /// Path header values (RFC 3327), in order.
    pub path: Vec<String>,
    /// Call-ID of the registration.
    pub call_id: String,
    /// CSeq of the last REGISTER.
    pub cseq: u32,
    /// Priority, thousandths, 0 to 1,000.
    pub q_milli: u16,
    /// The device's User-Agent.
    pub user_agent: String,
    /// When it ends.
    pub expires: Wall,
}

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JournalRecord {
    /// A call was accepted. Before its INVITE is answered with 200.
    CallOpened {
        /// The call.
        call: CallId,
        /// Who called.
        from: PartyId,
        /// What was dialled.
        to: PartyId,
        /// When it came.
        started: Wall,
    },
    /// A leg has a confirmed dialog.
    DialogUp {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// How to end it.
        dialog: DialogRecord,
        /// The agent at its end.
        agent: Option<AgentId>,
    },
    /// The dialog is over.
    DialogDown {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
    },
    /// The call entered a queue.
    Queued {
        /// The call.
        call: CallId,
        /// The queue.
        queue: QueueId,
        /// When.
        at: Wall,
        /// The agent who consults it, if one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<AgentId>,
    },
    /// A recording was begun.
    RecordingOpened {
        /// The recording.
        recording: RecordingId,
        /// Its call.
        call: CallId,
        /// When.
        started: Wall,
    },
    /// A recording is complete.
    RecordingClosed(RecordingEntry),
    /// The call is over. Before its last BYE is sent or answered.
    CallClosed(Box<Cdr>),
    /// An agent has said what became of a call. Of one that is closed it joins the record.
    WrappedUp {
        /// The call.
        call: CallId,
        /// What he said.
        said: WrapUp,
    },
    /// Somebody is to be called back, or that entry has changed.
    Callback(Box<Callback>),
    /// He was, or need not be any more.
    CallbackDone {
        /// Which entry.
        id: CallbackId,
    },
    /// A contact was registered or refreshed.
    Registered(ContactRecord),
    /// A contact is gone.
    Unregistered {
        /// Whose.
        user: UserId,
        /// The Contact URI.
        uri: String,
    },
    /// A flow has counted.
    Counted {
        /// For whom.
        tenant: TenantId,
        /// What.
        name: String,
        /// How much it is now.
        value: i64,
        /// When it is forgotten.
        ends: Wall,
    },
    /// A row of a tenant's table was put or removed.
    TableRow {
        /// Whose.
        tenant: TenantId,
        /// Of which table.
        table: Name,
        /// Which.
        key: String,
        /// The cells behind the key by the names of their columns; removed if none.
        cells: Option<BTreeMap<String, String>>,
        /// What was removed stands in the table's file: it must be kept in mind that it is not there any more.
        hides: bool,
    },
    /// An agent has talked to a caller: the last one who did is remembered.
    Talked {
        /// Who.
        agent: AgentId,
        /// The caller's number.
        caller: String,
        /// When it was over.
        at: Wall,
        /// When it is forgotten.
        ends: Wall,
    },
    /// A program has had a call begun under a token, which begins no other.
    CallAsked {
        /// The call, which names the tenant.
        call: CallId,
        /// The token.
        token: String,
        /// When it is forgotten.
        ends: Wall,
    },
    /// Somebody is kept off the SIP port from now on; a later one of the same source takes its place.
    Barred(Box<Bar>),
    /// He is not any more.
    Unbarred {
        /// Who.
        source: Network,
    },
    /// A stretch of an agent's work began, or is over: `end` says which.
    AgentInterval(Box<AgentInterval>),
    /// An agent's intent or state changed.
    Agent {
        /// Who.
        agent: AgentId,
        /// What he is now.
        status: AgentStatus,
        /// Why he is not ready or on a break, in the words of who asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// How long his break may be, if that was said; milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit_ms: Option<u64>,
        /// Since when.
        since: Wall,
    },
    /// An agent has chosen what is rung for him, or wants what is configured again (none).
    AgentDevice {
        /// Who.
        agent: AgentId,
        /// What.
        device: Option<AgentDevice>,
    },
    /// What an agent will be after his call, where that is not ready. It holds until he is something that is of no call.
    AgentWish {
        /// Who.
        agent: AgentId,
        /// What he asked for.
        wish: AgentStatus,
    },
    /// A chat was opened, or is so.
    ChatOpened(Box<ChatRecord>),
    /// Something happened to a chat.
    ChatStep {
        /// Which.
        chat: CallId,
        /// What.
        #[serde(flatten)]
        step: Box<ChatStep>,
    },
    /// A chat is over, and this is its record; a later one takes its place.
    ChatClosed(Box<ChatRecord>),
    /// How an agent signs in, and where he is: all that is kept of it. It takes the place of the one before.
    SignIn(Box<SignInRecord>),
}
