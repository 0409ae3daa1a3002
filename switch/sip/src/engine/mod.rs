//! The SIP engine: datagrams, commands and time go in; datagrams, events and journal entries
//! come out.
//!
//! Invariants:
//! - the same configuration, seed and inputs give the same outputs, byte for byte;
//! - no input panics; every limit has a named answer; a request that can be answered is;
//! - a session that was told of is told to have ended, once, and nothing after it;
//! - when all sessions have ended and their time has run out, nothing is left but contacts and subscriptions
//!   ([`SipEngine::is_quiescent`]).
//!
//! Several inputs before a drain are legal. State is plain data.
//!
//! Deliberately absent: every proxy role, SIPREC (RFC 7866) and STIR/SHAKEN (RFC 8224).

mod api;
mod arrive;
pub(crate) mod belongs;
mod command;
pub(crate) mod context;
mod directory;
mod flow;
mod gate;
mod outside;
mod paging;
mod register;
mod reuse;
mod stateless;
mod subscribe;
mod tokens;

use core::net::IpAddr;
use std::collections::{BTreeMap, VecDeque};

use cordboard_model::cause::Cause;
use cordboard_model::deadline::Deadlines;
use cordboard_model::guard::{BanView, Bar, BarFault, GuardLimits, Network};
use cordboard_model::id::{CallId, TenantId, UserId};
use cordboard_model::journal::DialogRecord;
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::view::ContactView;

pub use api::{
    Credentials, Datagram, Dest, IncomingCall, Refer, SessionId, SipCommand, SipConfig, SipEvent, SipOutput,
};
pub use directory::Directory;
pub use flow::{Flow, FlowError, Transport};

use crate::client::Client;
use crate::keyed::Keyed;
pub use crate::subscription::{DialogInfo, DialogState, Waiting};

pub use crate::guard::{Banned, GuardFigures};

use crate::auth::Pass;
use crate::guard::{Guard, Look, is_within};
use crate::page::Pager;
use crate::registrar::Registrar;
use crate::session::{Base, Replaceable, Session, end_orphan};
use crate::subscription::Subscriptions;
use crate::transaction::{Transactions, TxUser, Upcall, What};
use crate::wire::{Frame, HeaderName, Host, Method, Replaces, Uri};
use context::{Context, TimerKey};
use gate::Gate;
use reuse::Reuse;
use tokens::Tokens;

/// See the module.
#[derive(Debug)]
pub struct SipEngine {
    base: Base,
    /// Boxed: a table of large values moves them about whenever one comes or goes.
    sessions: BTreeMap<SessionId, Box<Session>>,
    registrar: Registrar,
    client: Client,
    subscriptions: Subscriptions,
    pager: Pager,
    reuse: Reuse,
    gate: Gate,
    guard: Guard,
    last_session: u64,
    stopping: bool,
    /// Whether OPTIONS is answered as by a switch that takes no calls.
    draining: bool,
}

impl SipEngine {
    /// An engine without accounts; [`SipCommand::Configure`] brings them. `seed` is 32 bytes of
    /// the operating system when live; `start_secs` is the UTC second of the start and keeps
    /// Call-IDs unique over restarts.
    #[must_use]
    pub fn new(config: SipConfig, seed: [u8; 32], start_secs: u32) -> Self {
        let mut tokens = Tokens::new(seed, config.shard, start_secs);
        let gate = Gate::new(&mut tokens);
        let [a, b, c, d, e, f, g, h, ..] = seed;
        let key = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Self {
            base: Base {
                cx: Context {
                    now: Time::ZERO,
                    config,
                    directory: Directory::default(),
                    tokens,
                    out: VecDeque::new(),
                    deadlines: Deadlines::default(),
                    no_tcp: BTreeMap::new(),
                },
                tx: Transactions::new(key),
                dialogs: Keyed::new(key),
                byes: BTreeMap::new(),
            },
            sessions: BTreeMap::new(),
            registrar: Registrar::default(),
            client: Client::default(),
            subscriptions: Subscriptions::default(),
            pager: Pager::default(),
            reuse: Reuse::default(),
            gate,
            guard: Guard::new(GuardLimits::default()),
            last_session: 0,
            stopping: false,
            draining: false,
        }
    }

    /// A name for an outgoing session.
    pub fn new_session(&mut self) -> SessionId {
        self.last_session += 1;
        let shard = u64::from(self.base.cx.config.shard) << 56;
        SessionId(shard | self.last_session)
    }

    /// A password of an account that is good for so long, and the realm that it is good in; none if there is no such account.
    #[must_use]
    pub fn pass(&self, account: &UserId, lasts: Duration, now: Time) -> Option<(String, Pass)> {
        self.gate.pass(&self.base.cx.directory, account, (lasts, now))
    }

    /// What a guest proves himself by who may begin this call, and the realm that it is good in.
    #[must_use]
    pub fn guest_pass(&self, call: CallId) -> (String, Pass) {
        self.gate.guest(&self.base.cx.directory, call)
    }

    /// Takes one datagram. Never fails: what cannot be read is answered as RFC 3261 says, or
    /// dropped.
    pub fn handle_input(&mut self, datagram: Datagram<'_>, now: Time) {
        self.base.cx.now = now;
        self.arrive(datagram);
    }

    /// Obeys one command.
    pub fn handle_command(&mut self, command: SipCommand, now: Time) {
        self.base.cx.now = now;
        self.command(command);
    }

    /// Does everything that is due at `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        self.base.cx.now = now;
        while let Some(key) = self.base.cx.deadlines.pop_due(now) {
            match key {
                TimerKey::Tx(id, timer) => {
                    if let Some(upcall) = self.base.tx.on_timer(&mut self.base.cx, id, timer) {
                        self.on_upcall(upcall);
                    }
                }
                TimerKey::Session(id, timer) => {
                    self.with_session(id, |session, base| session.on_timer(base, timer));
                }
                TimerKey::Bye(id) => self.answer_bye(id),
                TimerKey::Subscription(id) => {
                    let base = &mut self.base;
                    self.subscriptions.on_expired(&mut base.cx, &mut base.tx, id);
                }
                TimerKey::Contact(id) => self.registrar.on_expired(&mut self.base.cx, id),
            }
        }
    }

    /// Takes what a stream held next, as [`crate::wire::Framer`] cut it. After [`Frame::Broken`] the connection is to
    /// be closed, once what comes of it is sent. A ping is the transport's to answer.
    pub fn handle_frame(&mut self, flow: Flow, frame: Frame, now: Time) {
        self.base.cx.now = now;
        let agent = match &frame {
            Frame::Message(message) => message.headers.get(&HeaderName::UserAgent).unwrap_or_default(),
            _ => "",
        };
        let is_peer = self.base.cx.directory.trunk_of(flow.remote).is_some();
        let is_help = match &frame {
            Frame::Message(message) if message.method() == Some(&Method::Invite) => {
                let number = message.request_uri().and_then(Uri::dialled);
                number.is_some_and(|number| self.base.cx.directory.is_help(&number))
            }
            _ => false,
        };
        let goes_on = match &frame {
            Frame::Message(message) => message.status().is_some() || message.method().is_some_and(is_within),
            _ => false,
        };
        if !self.guard.admit_read(flow, agent, Look { is_peer, is_help, goes_on }, now) {
            return self.on_scanner();
        }
        match frame {
            Frame::Message(message) => self.arrived(flow, message),
            Frame::Bad(error) | Frame::Broken(error) => self.damaged(flow, error),
            Frame::Ping => {}
        }
    }

    /// The transport cannot reach this peer (ICMP, a closed connection): requests under way to
    /// it fail as with a 503 (RFC 3261 8.1.3.1), and contacts that hung on a connection from their side are gone.
    pub fn handle_unreachable(&mut self, flow: Flow, now: Time) {
        self.base.cx.now = now;
        for upcall in self.base.tx.on_unreachable(&mut self.base.cx, flow) {
            self.on_upcall(upcall);
        }
        self.registrar.drop_flow(&mut self.base.cx, flow);
        self.reuse.forget(flow);
    }

    /// How long the input that comes next has waited since it arrived; new calls are refused when that is too long.
    pub fn note_delay(&mut self, delay: core::time::Duration) {
        self.guard.note_delay(delay);
    }

    /// Sources that are banned.
    #[must_use]
    pub fn bans(&self, now: Time) -> Vec<BanView> {
        self.guard.bans(now, self.base.cx.config.clock)
    }

    /// Keeps a source off, whatever it has shown. Gives how many registered contacts are among it.
    ///
    /// # Errors
    /// It would cut off a trunk or who is never banned, or there are too many.
    pub fn bar(&mut self, bar: Bar, now: Time) -> Result<usize, BarFault> {
        if let Some(trunk) = self.base.cx.directory.trunk_among(&bar.source) {
            return Err(BarFault::Trunk(trunk.name.to_string()));
        }
        let contacts = self.registrar.contacts_among(&bar.source);
        self.guard.bar(bar, now, self.base.cx.config.clock)?;
        Ok(contacts)
    }

    /// Takes a ban back: false if there is none; and whether somebody had made it.
    pub fn lift_ban(&mut self, source: Network, now: Time) -> (bool, bool) {
        let was_made = self.guard.unbar(&source, now);
        (self.guard.lift(source, now) || was_made, was_made)
    }

    /// What the guard has done.
    #[must_use]
    pub fn guard_figures(&self) -> GuardFigures {
        self.guard.figures()
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<SipOutput> {
        self.base.cx.out.pop_front()
    }

    /// When [`Self::handle_timeout`] is wanted next, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.base.cx.deadlines.next()
    }

    /// Ends one session after a fault elsewhere: BYE, CANCEL or 500, and
    /// [`SipEvent::Ended`] with [`Cause::InternalError`]. Does nothing to one that has ended.
    pub fn abandon(&mut self, session: SessionId, now: Time) {
        self.base.cx.now = now;
        self.with_session(session, |session, base| {
            session.hang_up(base, Cause::InternalError, None);
        });
    }

    /// The flow by which a peer is reached over a transport: a connection of his own, if it may be used (RFC 5923), or from
    /// this listener of ours if it is one.
    #[must_use]
    pub fn flow_by(
        &self,
        transport: Transport,
        remote: core::net::SocketAddr,
        own: Option<core::net::SocketAddr>,
    ) -> Flow {
        let reused = self.reuse.flow_to(transport, remote);
        let reused = reused.filter(|flow| own.is_none_or(|own| own == flow.local));
        reused.unwrap_or_else(|| self.base.cx.config.flow_by(transport, remote, own))
    }

    /// An account's contacts, the preferred first.
    #[must_use]
    pub fn contacts(&self, user: &UserId) -> Vec<ContactView> {
        self.registrar.views(&self.base.cx, user)
    }

    /// The host that the peer's messages come from; of an outgoing session once it is answered.
    #[must_use]
    pub fn peer_host(&self, session: SessionId) -> Option<IpAddr> {
        Some(self.sessions.get(&session)?.peer_flow()?.remote.ip())
    }

    /// What stands behind the `@` in this tenant's addresses; the realm of its passwords.
    #[must_use]
    pub fn domain(&self, tenant: TenantId) -> &str {
        self.base.cx.directory.realm(tenant)
    }

    /// Where telephones reach us: each listener's transport, port and address, as it is told to them. No address where we listen on
    /// all of them and were told none.
    pub fn servers(&self) -> impl Iterator<Item = (Transport, Option<IpAddr>, u16)> + '_ {
        let config = &self.base.cx.config;
        config.listeners.iter().map(|(transport, at)| {
            let own = at.ip().to_canonical();
            let fits = |told: &IpAddr| own.is_unspecified() || told.is_ipv4() == own.is_ipv4();
            let told = config.advertised.map(|told| told.ip().to_canonical()).filter(fits);
            let told = told.or_else(|| config.advertised_other.filter(fits));
            (*transport, told.or_else(|| (!own.is_unspecified()).then_some(own)), at.port())
        })
    }

    /// How many contacts an account has.
    #[must_use]
    pub fn contact_count(&self, user: &UserId) -> usize {
        self.registrar.of(user).len()
    }

    /// How many contacts there are over all accounts.
    #[must_use]
    pub fn contacts_total(&self) -> usize {
        self.registrar.total()
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.len()
    }

    /// How many sessions have not ended.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.values().filter(|s| s.is_live()).count()
    }

    /// Whether a session has not ended.
    #[must_use]
    pub fn is_live(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.is_live())
    }

    /// Whether the peer of an outgoing session has said anything at all, if only 100.
    #[must_use]
    pub fn has_heard(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.has_heard())
    }

    /// Whether a device of an outgoing session rings that can be told to answer.
    #[must_use]
    pub fn can_be_told(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.can_be_told())
    }

    /// The session whose dialog a REFER or an INVITE names in Replaces, if it is one that can be replaced.
    #[must_use]
    pub fn replaced(&self, replaces: &Replaces) -> Option<SessionId> {
        self.find_replaced(replaces).map(|(id, _)| id)
    }

    fn find_replaced(&self, replaces: &Replaces) -> Option<(SessionId, Replaceable)> {
        let found = |id: SessionId| {
            let state = self.sessions.get(&id)?.replaceable(&self.base, replaces)?;
            Some((id, state))
        };
        match self.base.dialogs.get(&replaces.to_tag) {
            Some(id) => found(*id),
            // calls of ours that are not answered are in no dialog yet; few look for one
            None => self.sessions.keys().find_map(|id| found(*id)),
        }
    }

    /// Whether a host in an address of ours to dial can mean this tenant: one of its domains, an address, or none.
    #[must_use]
    pub fn is_home(&self, host: &str, tenant: TenantId) -> bool {
        let is_address = Host::parse(host).is_some_and(|host| host.ip().is_some());
        host.is_empty() || is_address || self.base.cx.directory.tenant_of(host) == Some(tenant)
    }

    /// The dialog of an answered session as the journal keeps it.
    #[must_use]
    pub fn dialog_record(&self, session: SessionId) -> Option<DialogRecord> {
        self.sessions.get(&session)?.record()
    }

    /// The Call-IDs of a session: that of its dialog, and of an outgoing one those of its branches.
    pub fn call_ids(&self, session: SessionId) -> Vec<&str> {
        self.sessions.get(&session).map(|session| session.call_ids(&self.base)).unwrap_or_default()
    }

    /// How many transactions there are.
    #[must_use]
    pub fn transactions_len(&self) -> usize {
        self.base.tx.len()
    }

    /// Whether nobody waits for us and we wait for nobody: no session, no BYE or CANCEL without an answer, no refusal
    /// without its ACK. Transactions that only absorb repetitions may be left: a switch that stops need not wait for
    /// them.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.sessions.is_empty() && self.base.byes.is_empty() && !self.base.tx.any_waits()
    }

    /// Whether nothing is left but contacts and subscriptions: no session, dialog, transaction or timer of one,
    /// and no output that was not taken.
    #[must_use]
    pub fn is_quiescent(&self) -> bool {
        self.sessions.is_empty()
            && self.base.dialogs.is_empty()
            && self.base.byes.is_empty()
            && self.client.len() == 0
            && self.pager.len() == 0
            && self.base.tx.len() == 0
            && self.base.cx.out.is_empty()
            && self.base.cx.deadlines.len() == self.registrar.total() + self.subscriptions.len()
    }

    /// Lets a session act, and drops it when nothing is left to do for it.
    fn with_session(&mut self, id: SessionId, act: impl FnOnce(&mut Session, &mut Base)) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        act(session, &mut self.base);
        if !session.is_live() {
            self.guard.call_ended(id);
        }
        if session.is_done() {
            session.forget(&mut self.base);
            self.sessions.remove(&id);
        }
    }

    /// Keeps a session, unless it ended as it began.
    fn keep(&mut self, id: SessionId, session: Session) {
        self.sessions.insert(id, Box::new(session));
        self.with_session(id, |_, _| {});
    }

    fn on_upcall(&mut self, upcall: Upcall) {
        match upcall.user {
            TxUser::Client(id) => {
                let base = &mut self.base;
                self.client.on_upcall(&mut base.cx, &mut base.tx, id, upcall.tx, upcall.what);
            }
            TxUser::Notify(id) => {
                let base = &mut self.base;
                self.subscriptions.on_upcall(&mut base.cx, &mut base.tx, id, upcall.tx, upcall.what);
            }
            TxUser::Page(id) => self.on_page(id, upcall.tx, upcall.what),
            TxUser::Session(id) if self.sessions.contains_key(&id) => {
                self.with_session(id, |session, base| session.on_upcall(base, upcall));
            }
            TxUser::Session(_) | TxUser::Nobody => {
                let What::Response(response) = upcall.what else {
                    return;
                };
                let tag = response.to().ok().and_then(|to| to.tag().map(str::to_owned));
                let tag = tag.unwrap_or_default();
                if !self.base.tx.repeat_ack(&mut self.base.cx, upcall.tx, &tag) {
                    end_orphan(&mut self.base, upcall.tx, &response);
                }
            }
        }
    }
}
