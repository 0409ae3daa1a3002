//! What goes into the engine and what comes out of it.

use core::net::{IpAddr, SocketAddr};

use cordboard_model::cause::Cause;
use cordboard_model::id::{CallId, TenantId, TrunkId, UserId};
use cordboard_model::journal::{ContactRecord, DialogRecord};
use cordboard_model::leg::PartyId;
use cordboard_model::signin::PhoneSecret;
use cordboard_model::time::{Duration, Wall, WallClock};

use super::{Banned, DialogInfo, Directory, Flow, Transport, Waiting};
use crate::client::{Reply, Request};
use crate::identity::{Identity, Told};
use crate::sdp::{DtlsSelf, Local, Negotiated};
use crate::wire::{Replaces, Uri};

/// What stays as it is while the engine lives. What a reload may change is in [`Directory`].
#[derive(Clone, Debug)]
pub struct SipConfig {
    /// The shard; it is part of every tag, branch and Call-ID.
    pub shard: u8,
    /// Our end of flows for which no listener fits.
    pub local: SocketAddr,
    /// What we listen on, in the order of preference: our end of what leaves by a transport and address family.
    pub listeners: Vec<(Transport, SocketAddr)>,
    /// Those of them, by TLS, that take no peer without a certificate that we trust.
    pub authenticated: Vec<SocketAddr>,
    /// What peers reach us by, in Via and Contact of flows of its address family: its address, with the port of the
    /// flow's own end; that end's address when none.
    pub advertised: Option<SocketAddr>,
    /// The same for flows of the other address family.
    pub advertised_other: Option<IpAddr>,
    /// Where the ports of [`Local::addr`] are reached in the address family that is not its own; none if they are not.
    pub media_other: Option<IpAddr>,
    /// What descriptions say of DTLS and ICE; none: browsers get no audio.
    pub dtls: Option<DtlsSelf>,
    /// Turns time into dates; renewed by [`SipCommand::SetClock`].
    pub clock: WallClock,
    /// Most transactions at a time; a request beyond it gets 503. Each holds one message.
    pub transactions_max: usize,
    /// Most sessions at a time; an INVITE beyond it gets 503.
    pub sessions_max: usize,
    /// Most contacts over all accounts; a REGISTER beyond it gets 503.
    pub contacts_max: usize,
    /// What Retry-After of a 503 asks for, seconds.
    pub retry_after_secs: u32,
    /// How long a peer's BYE may wait for [`SipCommand::AnswerBye`], so that a record can be written
    /// first; then it is answered anyway. None: every BYE is answered at once. Keep it under T1, or
    /// the peer repeats its BYE.
    pub bye_wait: Option<Duration>,
}

impl SipConfig {
    /// Defaults for a switch at `local`: 100,000 transactions (of which a bridged call
    /// holds three for 32 s: 1,000 new calls a second), 10,000 sessions, 50,000 contacts.
    #[must_use]
    pub const fn new(local: SocketAddr) -> Self {
        Self {
            shard: 0,
            local,
            listeners: Vec::new(),
            authenticated: Vec::new(),
            advertised: None,
            advertised_other: None,
            media_other: None,
            dtls: None,
            clock: WallClock { at_zero: Wall(0) },
            transactions_max: 100_000,
            sessions_max: 10_000,
            contacts_max: 50_000,
            retry_after_secs: 5,
            bye_wait: None,
        }
    }
}

impl SipConfig {
    /// Our end of what is sent to `remote`: the listener of that transport and address family, of that family, or the
    /// first.
    #[must_use]
    pub fn local_for(&self, transport: Transport, remote: SocketAddr) -> SocketAddr {
        let family = |local: SocketAddr| local.is_ipv4() == remote.ip().to_canonical().is_ipv4();
        let fitting = |of: Option<Transport>| {
            let fits =
                |(own, local): &&(Transport, SocketAddr)| of.is_none_or(|of| of == *own) && family(*local);
            self.listeners.iter().find(fits).map(|(_, local)| *local)
        };
        fitting(Some(transport)).or_else(|| fitting(None)).unwrap_or(self.local)
    }

    /// The address of our media at `ours` that a peer of this family can reach: `ours`, unless it is of the other
    /// family and we have one of the peer's.
    pub(crate) fn media_for(&self, ours: IpAddr, peer: IpAddr) -> IpAddr {
        let is_v4 = peer.to_canonical().is_ipv4();
        let other = self.media_other.filter(|other| ours.is_ipv4() != is_v4 && other.is_ipv4() == is_v4);
        other.unwrap_or(ours)
    }

    /// The same where our end is to be this listener, or the one of that transport at its address, if there is one.
    #[must_use]
    pub fn flow_by(&self, transport: Transport, remote: SocketAddr, own: Option<SocketAddr>) -> Flow {
        let of_transport = |fits: &dyn Fn(SocketAddr) -> bool| {
            self.listeners
                .iter()
                .find(|(of, local)| *of == transport && fits(*local))
                .map(|(_, local)| *local)
        };
        let chosen = own.and_then(|own| {
            of_transport(&|local| local == own).or_else(|| of_transport(&|local| local.ip() == own.ip()))
        });
        let chosen = chosen.filter(|local| local.is_ipv4() == remote.ip().to_canonical().is_ipv4());
        let local = chosen.unwrap_or_else(|| self.local_for(transport, remote));
        Flow { transport, local, remote }
    }

    /// The flow by which `remote` is reached over `transport`.
    #[must_use]
    pub fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Flow {
        Flow { transport, local: self.local_for(transport, remote), remote }
    }
}

/// A session: one INVITE of ours with all its branches, or one of a peer's, until it ended.
/// Never used twice; the shard stands in the top byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// One datagram, or one message of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// How it came.
    pub transport: Transport,
    /// Our end.
    pub local: SocketAddr,
    /// Who sent it.
    pub remote: SocketAddr,
    /// The message.
    pub bytes: &'a [u8],
}

impl Datagram<'_> {
    /// The flow it came by.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        Flow { transport: self.transport, local: self.local, remote: self.remote }
    }
}

/// Name and password as digest needs them, for a peer that challenges us.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password. Never logged: [`core::fmt::Debug`] leaves it out.
    pub password: String,
}

impl core::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Where an outgoing call goes.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one is passed at a time, none is kept")]
pub enum Dest {
    /// Every registered contact of an account, in parallel.
    Aor(UserId),
    /// One address.
    Uri {
        /// The Request-URI.
        uri: Uri,
        /// Where it is sent.
        flow: Flow,
        /// Route values that go before the target, in order: the Service-Route of a registration (RFC 3608).
        routes: Vec<String>,
        /// For a 401 or 407 of the peer; without them that is the end of the call.
        credentials: Option<Credentials>,
    },
}

/// What the shard asks of the engine. A command for a session that has ended does nothing.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one is passed at a time, none is kept")]
pub enum SipCommand {
    /// Call out.
    Invite {
        /// From [`super::SipEngine::new_session`].
        session: SessionId,
        /// Where to.
        target: Dest,
        /// Who calls, as the called party shall see it.
        from: PartyId,
        /// Who is called.
        to: PartyId,
        /// The host of From and To: a domain of the tenant.
        host: String,
        /// Our media, offered to every branch.
        local: Local,
        /// What is told of the caller beside that.
        told: Box<Told>,
    },
    /// Tell the caller that it rings: 180.
    Ring {
        /// Which.
        session: SessionId,
    },
    /// Let the caller hear us before the answer: 183 with session description.
    EarlyMedia {
        /// Which.
        session: SessionId,
        /// Our media.
        local: Local,
    },
    /// Answer: 200 with session description, repeated until the ACK comes.
    Answer {
        /// Which.
        session: SessionId,
        /// Our media; after early media it is ignored, for the session description stays.
        local: Local,
    },
    /// End the session, whatever its state: final response, CANCEL or BYE.
    HangUp {
        /// Which.
        session: SessionId,
        /// Why; gives status and Reason.
        cause: Cause,
        /// Words for the Reason header; at most 80 bytes are sent.
        text: Option<String>,
    },
    /// Hold the party or take it off hold, by re-INVITE. Answered by [`SipEvent::HoldDone`].
    Hold {
        /// Which.
        session: SessionId,
        /// True to hold.
        on: bool,
    },
    /// Tell a device that rings to answer, if it has announced that it can be told. Its answer comes as any other.
    Talk {
        /// Which.
        session: SessionId,
    },
    /// Send the party a key by INFO, after those that wait. Dropped before the answer.
    Digit {
        /// Which.
        session: SessionId,
        /// Of `0-9*#A-D`.
        digit: char,
        /// How long it is pressed, milliseconds.
        length_ms: u16,
    },
    /// Tell a party what became of its [`SipEvent::Refer`]: 100 once it is accepted, 180 when the target rings, and one
    /// final status. One of 300 or more that is told first refuses it.
    ReferResult {
        /// Which.
        session: SessionId,
        /// Of the [`Refer`].
        ticket: u32,
        /// A SIP status.
        status: u16,
    },
    /// A call of an extension has begun, is further, or is over, for those who watch it (RFC 4235).
    Dialog {
        /// Which extension.
        user: UserId,
        /// The call as it is now.
        dialog: DialogInfo,
        /// Whether it is over.
        over: bool,
    },
    /// So many messages wait for an account (RFC 3842).
    Messages {
        /// Which.
        user: UserId,
        /// How many.
        waiting: Waiting,
    },
    /// Ask a peer something outside any dialog. Answered by [`SipOutput::Reply`].
    Request(Box<Request>),
    /// Answer the BYE that ended a session, where [`SipConfig::bye_wait`] keeps it waiting. Does
    /// nothing if none waits.
    AnswerBye {
        /// Which.
        session: SessionId,
    },
    /// End a dialog of a run before this one.
    ByeFromRecord(Box<DialogRecord>),
    /// Exchange what a reload may change. Contacts of accounts that are gone are removed.
    Configure(Box<Directory>),
    /// An account proves itself by this secret from now on, until the next [`SipCommand::Configure`].
    Secret {
        /// The account.
        user: UserId,
        /// By what.
        secret: PhoneSecret,
    },
    /// Take back a contact from the journal; ignored if expired or the account is gone.
    RestoreContact(Box<ContactRecord>),
    /// The wall clock moved.
    SetClock(WallClock),
    /// Say to who asks by OPTIONS that no calls are taken: 503. All else goes on, for calls are refused by who knows what
    /// each is for.
    Drain,
    /// End all sessions and take no new ones: 503.
    Shutdown,
}

/// What a party wants its call to become (RFC 3515).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refer {
    /// Names it in [`SipCommand::ReferResult`].
    pub ticket: u32,
    /// Where the other party is to be sent: the user part of Refer-To.
    pub to: PartyId,
    /// The host of Refer-To; empty for a `tel:` address.
    pub host: String,
    /// The dialog whose place the other party is to take (RFC 3891); see [`super::SipEngine::replaced`].
    pub replaces: Option<Replaces>,
    /// The user part of Referred-By (RFC 3892), as it was told.
    pub by: Option<String>,
}

/// A new call from outside, after all that SIP itself can refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingCall {
    /// The session made for it.
    pub session: SessionId,
    /// The tenant it is for.
    pub tenant: TenantId,
    /// Who calls. For an authenticated caller the user part is the account, whatever From says.
    pub from: PartyId,
    /// What was dialled: the user part of the Request-URI, with the display name of To.
    pub to: PartyId,
    /// The host of the Request-URI.
    pub host: String,
    /// The address it came from.
    pub source: SocketAddr,
    /// The authenticated account.
    pub user: Option<UserId>,
    /// The trunk whose peer sent it.
    pub trunk: Option<TrunkId>,
    /// The call that a guest has shown he may begin, once. Whether he has not yet is not looked at.
    pub guest: Option<CallId>,
    /// The session description, if there was one. Without one our answer offers.
    pub offer: Option<Vec<u8>>,
    /// Its Call-ID.
    pub call_id: String,
    /// What it says of its caller beside From. Not believed here.
    pub identity: Box<Identity>,
    /// The session whose place it wants to take (RFC 3891). Whether it may is not looked at.
    pub replaces: Option<SessionId>,
    /// It is for help, by one who may call there.
    pub urgent: bool,
}

/// What happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SipEvent {
    /// A call has come in. It has got 100 and waits for a command.
    Incoming(Box<IncomingCall>),
    /// Incoming: offer and answer are settled, after [`SipCommand::EarlyMedia`] or
    /// [`SipCommand::Answer`], or, when we had to offer, with the ACK.
    MediaSettled {
        /// Which.
        session: SessionId,
        /// What was settled.
        media: Box<Negotiated>,
    },
    /// Outgoing: the first device rings.
    Ringing {
        /// Which.
        session: SessionId,
    },
    /// Outgoing: a device sends audio before the answer. Only the first does.
    EarlyMedia {
        /// Which.
        session: SessionId,
        /// What was settled with it.
        media: Box<Negotiated>,
    },
    /// Outgoing: answered. The other branches are being cancelled.
    Answered {
        /// Which.
        session: SessionId,
        /// What was settled.
        media: Box<Negotiated>,
    },
    /// Outgoing: the dialog to journal, right after [`SipEvent::Answered`].
    DialogUp {
        /// Which.
        session: SessionId,
        /// What a BYE needs.
        record: Box<DialogRecord>,
    },
    /// Incoming: the ACK of our 200 came.
    Confirmed {
        /// Which.
        session: SessionId,
        /// What a BYE needs.
        record: Box<DialogRecord>,
    },
    /// A new offer and answer in an answered session, by either side. The direction says
    /// whether the peer holds us.
    Renegotiated {
        /// Which.
        session: SessionId,
        /// What holds now.
        media: Box<Negotiated>,
    },
    /// What became of [`SipCommand::Hold`].
    HoldDone {
        /// Which.
        session: SessionId,
        /// What was asked.
        on: bool,
        /// Whether it is so now.
        ok: bool,
    },
    /// A key press by INFO.
    Digit {
        /// Which.
        session: SessionId,
        /// Of `0-9*#A-D`.
        digit: char,
    },
    /// Outgoing: every device refused, and the best refusal says where the call shall go instead. Ended follows.
    Redirected {
        /// Which.
        session: SessionId,
        /// The user part of the preferred Contact.
        to: PartyId,
        /// Its host; empty for a `tel:` address.
        host: String,
    },
    /// The party wants the other one sent elsewhere. It waits for [`SipCommand::ReferResult`].
    Refer {
        /// Which.
        session: SessionId,
        /// What it asks.
        refer: Box<Refer>,
    },
    /// It is over. Nothing follows.
    Ended {
        /// Which.
        session: SessionId,
        /// Why.
        cause: Cause,
        /// True if the peer, or its silence, ended it; false if we did.
        by_peer: bool,
        /// The SIP status behind it; none for a BYE.
        sip_status: Option<u16>,
    },
}

impl SipEvent {
    /// The session it is about.
    #[must_use]
    pub fn session(&self) -> SessionId {
        match self {
            Self::Incoming(call) => call.session,
            Self::MediaSettled { session, .. }
            | Self::Ringing { session }
            | Self::EarlyMedia { session, .. }
            | Self::Answered { session, .. }
            | Self::DialogUp { session, .. }
            | Self::Confirmed { session, .. }
            | Self::Renegotiated { session, .. }
            | Self::HoldDone { session, .. }
            | Self::Digit { session, .. }
            | Self::Refer { session, .. }
            | Self::Redirected { session, .. }
            | Self::Ended { session, .. } => *session,
        }
    }
}

/// What the engine wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SipOutput {
    /// Send these bytes.
    Transmit {
        /// Where.
        flow: Flow,
        /// One message.
        bytes: Vec<u8>,
    },
    /// Tell the shard.
    Event(SipEvent),
    /// What became of a [`SipCommand::Request`].
    Reply(Box<Reply>),
    /// A source was banned: for the log, not more than one in some seconds.
    Banned(Banned),
    /// Journal a contact that is new or refreshed.
    Registered(Box<ContactRecord>),
    /// Journal that a contact is gone: removed, expired, or its account is.
    Unregistered {
        /// Whose.
        user: UserId,
        /// The Contact URI.
        uri: String,
    },
}
