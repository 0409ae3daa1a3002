//! A scripted phone: registers, calls, is called, says a tone, presses digits, hears; and misbehaves when told.
//!
//! Invariant: a phone is a machine without a world. Datagrams, commands and time go in; datagrams and events
//! come out. It is a user agent of its own over the messages of `cordboard_sip::wire` alone, so that what the
//! switch gets wrong is not got wrong here in the same way.
//!
//! The run loop: [`Phone::handle_input`] for what came, [`Phone::handle_command`] for what is wanted,
//! [`Phone::handle_timeout`] when [`Phone::poll_timeout`] has come; after each, [`Phone::poll_output`] until it
//! is empty.
//!
//! Deliberately absent: forking at the caller's side, PRACK, UPDATE, TCP, SRTP.

mod acts;
mod api;
mod called;
mod calling;
mod digest;
mod ear;
mod line;
mod refer;
mod register;
mod registrar;
mod sdp;
mod transaction;
mod voice;

pub use api::{
    Act, CallLog, End, Moment, PhoneCall, PhoneCommand, PhoneConfig, PhoneEvent, PhoneInput, PhoneOutput,
    Plan, Quirks, Reply, Step, Voice,
};
pub use digest::Digest;
pub use registrar::Registrar;

use cordboard_model::media::{Codec, Direction};
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_sip::wire::{HeaderName, Message, Method, NameAddr, Via, parse_datagram};
use core::net::SocketAddr;
use line::Line;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use register::Registration;
use sdp::Sdp;
use std::collections::{BTreeMap, VecDeque};
use transaction::{Client, News, Purpose, Server};
use voice::{Media, Packet};

/// Calls kept in the log; the oldest that are over are forgotten.
const LOG_MAX: usize = 1_000;

/// See the module.
#[derive(Debug)]
pub struct Phone {
    config: PhoneConfig,
    rng: ChaCha8Rng,
    now: Time,
    registration: Registration,
    lines: BTreeMap<PhoneCall, Line>,
    /// By branch and method.
    clients: BTreeMap<(String, Method), Client>,
    servers: BTreeMap<(String, Method), Server>,
    /// ACKs of answered INVITEs, by Call-ID and CSeq, for answers that come again.
    acks: BTreeMap<(String, u32), (Time, SocketAddr, Vec<u8>)>,
    log: Vec<CallLog>,
    last_call: u32,
    out: VecDeque<PhoneOutput>,
    next: Option<(Time, TimerReason)>,
}

impl Phone {
    /// A phone that does nothing until it is told to, or called.
    pub fn new(config: PhoneConfig, now: Time) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(config.seed),
            config,
            now,
            registration: Registration::default(),
            lines: BTreeMap::new(),
            clients: BTreeMap::new(),
            servers: BTreeMap::new(),
            acks: BTreeMap::new(),
            log: Vec::new(),
            last_call: 0,
            out: VecDeque::new(),
            next: None,
        }
    }

    /// Takes in a datagram.
    pub fn handle_input(&mut self, input: PhoneInput<'_>, now: Time) {
        self.now = now;
        match input {
            PhoneInput::Rtp { line, bytes } => {
                if let Some(line) = self.lines.values_mut().find(|l| l.slot == line) {
                    line.media.hear(bytes, now);
                }
                // Hearing changes no deadline.
                return;
            }
            PhoneInput::Sip { from, bytes } => {
                // What cannot be read is not ours to answer: the switch's own tests look after its writing.
                if let Ok(message) = parse_datagram(bytes) {
                    match message.status() {
                        Some(code) => self.on_response(message, code),
                        None => self.on_request(message, from),
                    }
                }
            }
        }
        self.settle();
    }

    /// Does what it is told.
    pub fn handle_command(&mut self, command: PhoneCommand, now: Time) {
        self.now = now;
        match command {
            PhoneCommand::Register => self.register(),
            PhoneCommand::Unregister => self.unregister(),
            PhoneCommand::Call { to, from, display, plan } => self.call(&to, from, display, plan),
            PhoneCommand::Do { call, act } => {
                let latest = || self.lines.keys().next_back().copied();
                if let Some(call) = call.or_else(latest) {
                    self.act(call, act);
                }
            }
            PhoneCommand::Incoming(plan) => self.config.incoming = plan,
            PhoneCommand::Quirks(quirks) => self.config.quirks = quirks,
        }
        self.settle();
    }

    /// Lets everything act that is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        self.run_clients();
        self.run_servers();
        self.run_lines();
        self.run_registration();
        self.acks.retain(|_, (until, ..)| *until > now);
        self.settle();
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<PhoneOutput> {
        self.out.pop_front()
    }

    /// When [`Phone::handle_timeout`] is wanted, and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.next
    }

    /// What it is made with, as commands have changed it.
    pub fn config(&self) -> &PhoneConfig {
        &self.config
    }

    /// Every call so far, those under way included, up to the last thousand.
    pub fn log(&self) -> Vec<CallLog> {
        let mut log = self.log.clone();
        for line in self.lines.values() {
            if let Some(entry) = log.get_mut(line.log) {
                line::note(entry, line);
            }
        }
        log
    }

    /// One call of the log.
    pub fn call_log(&self, call: PhoneCall) -> Option<CallLog> {
        let at = self.log.binary_search_by_key(&call, |entry| entry.call).ok()?;
        let mut entry = self.log.get(at)?.clone();
        if let Some(line) = self.lines.get(&call) {
            line::note(&mut entry, line);
        }
        Some(entry)
    }

    /// Calls under way.
    pub fn calls(&self) -> Vec<PhoneCall> {
        self.lines.keys().copied().collect()
    }

    /// Whether a call is answered and not over.
    pub fn is_up(&self, call: PhoneCall) -> bool {
        self.lines.get(&call).is_some_and(|line| line.state == line::State::Up)
    }

    /// The share (0 to 1) of a tone in what a call hears right now; 0 when nothing is heard.
    pub fn hears(&self, call: PhoneCall, hertz: u16, now: Time) -> f64 {
        let line = self.lines.get(&call);
        line.map_or(0.0, |line| line.media.ear.share_now(hertz, now))
    }

    /// The codec of a call; `None` before one is agreed.
    pub fn codec(&self, call: PhoneCall) -> Option<Codec> {
        self.lines.get(&call)?.media.codec()
    }

    /// How many packets were heard since [`Act::Listen`], up to ten, and the share of a tone in them.
    pub fn heard(&self, call: PhoneCall, hertz: u16) -> (usize, f64) {
        let line = self.lines.get(&call);
        line.map_or((0, 0.0), |line| (line.media.ear.packets(), line.media.ear.share_of_kept(hertz)))
    }

    /// When the last packet came to a call.
    pub fn last_heard(&self, call: PhoneCall) -> Option<Time> {
        self.lines.get(&call)?.media.heard
    }

    /// Whether the phone wants what comes to the RTP socket of a line. Who drives many phones may save
    /// the handing over; nothing but counters is lost.
    pub fn is_listening(&self, line: u16) -> bool {
        self.lines.values().any(|l| l.slot == line && l.media.ear.open)
    }

    /// Whether the switch has its registration, as far as it knows.
    pub fn is_registered(&self) -> bool {
        self.registration.is_up()
    }

    /// Whether no call and no transaction is left.
    pub fn is_idle(&self) -> bool {
        self.lines.is_empty() && self.clients.is_empty() && self.servers.is_empty()
    }

    /// What is left of calls and transactions, in words; empty when nothing is.
    pub fn leftovers(&self) -> Vec<String> {
        let calls = self.lines.iter();
        let calls = calls.map(|(call, line)| format!("call {} {:?} {}", call.0, line.state, line.call_id));
        let clients = self.clients.iter();
        let clients = clients.map(|((branch, method), _)| format!("request {method} {branch}"));
        let servers = self.servers.iter();
        let servers = servers.map(|((branch, method), s)| format!("answer {} of {method} {branch}", s.code));
        calls.chain(clients).chain(servers).collect()
    }

    // What all parts use.

    fn token(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }

    fn event(&mut self, event: PhoneEvent) {
        self.out.push_back(PhoneOutput::Event(event));
    }

    fn sip(&mut self, to: SocketAddr, bytes: Vec<u8>) {
        self.out.push_back(PhoneOutput::Sip { to, bytes });
    }

    fn contact(&self) -> String {
        format!("<sip:{}@{}>", self.config.user, self.config.sip_addr)
    }

    /// Puts a Via on a request and sends it.
    fn send_request(&mut self, mut request: Message, purpose: Purpose, to: SocketAddr) -> String {
        let branch = format!("z9hG4bK{}", self.token());
        request.push_front(HeaderName::Via, self.via(&branch));
        self.start_client(request, purpose, to, branch.clone());
        branch
    }

    fn via(&self, branch: &str) -> String {
        format!("SIP/2.0/UDP {};rport;branch={branch}", self.config.sip_addr)
    }

    fn start_client(&mut self, request: Message, purpose: Purpose, to: SocketAddr, branch: String) {
        let Some(method) = request.method().cloned() else {
            return;
        };
        let client = Client::new(purpose, request, to, self.config.timers, self.now);
        self.sip(to, client.bytes.clone());
        self.clients.insert((branch, method), client);
    }

    fn run_clients(&mut self) {
        let now = self.now;
        let mut sends = Vec::new();
        let mut over = Vec::new();
        for (key, client) in &mut self.clients {
            if client.poll_resend(now) {
                sends.push((client.to, client.bytes.clone()));
            }
            if client.deadline <= now {
                over.push(key.clone());
            }
        }
        for (to, bytes) in sends {
            self.sip(to, bytes);
        }
        for key in over {
            if let Some(client) = self.clients.remove(&key)
                && !client.is_completed()
            {
                self.on_no_response(client.purpose);
            }
        }
    }

    fn run_servers(&mut self) {
        let now = self.now;
        let mut sends = Vec::new();
        for server in self.servers.values_mut() {
            if server.poll_resend(now) {
                sends.push((server.to, server.bytes.clone()));
            }
        }
        self.servers.retain(|_, server| server.deadline > now);
        for (to, bytes) in sends {
            self.sip(to, bytes);
        }
    }

    fn run_lines(&mut self) {
        let now = self.now;
        for call in self.calls() {
            while let Some(act) = self.lines.get_mut(&call).and_then(|l| l.pop_due(now)) {
                self.act(call, act);
            }
            self.run_unacked(call);
            let again = |line: &mut Line| line.reinvite_again.take_if(|at| *at <= now).is_some();
            if self.lines.get_mut(&call).is_some_and(again) {
                self.reinvite(call);
            }
            while let Some((slot, packet)) =
                self.lines.get_mut(&call).and_then(|line| Some((line.slot, line.media.poll(now)?)))
            {
                self.out.push_back(match packet {
                    Packet::Rtp(to, bytes) => PhoneOutput::Rtp { line: slot, to, bytes },
                    Packet::Rtcp(to, bytes) => PhoneOutput::Rtcp { line: slot, to, bytes },
                });
            }
        }
    }

    fn settle(&mut self) {
        let named = |at: Time, why| (at < Time::FAR).then_some((at, TimerReason(why)));
        let clients = self.clients.values().map(Client::next).min();
        let servers = self.servers.values().map(Server::next).min();
        let lines = self.lines.values().map(Line::next).min();
        let acks = self.acks.values().map(|(until, ..)| *until).min();
        self.next = [
            (clients, "phone request"),
            (servers, "phone answer"),
            (lines, "phone call"),
            (acks, "phone ack"),
            (self.registration.next(), "phone registration"),
        ]
        .into_iter()
        .filter_map(|(at, why)| named(at?, why))
        .min_by_key(|(at, _)| *at);
    }

    fn on_response(&mut self, response: Message, code: u16) {
        let (Ok(via), Ok(cseq)) = (response.via_top(), response.cseq()) else {
            return;
        };
        let key = (via.branch().unwrap_or_default().to_owned(), cseq.method);
        let now = self.now;
        let Some(client) = self.clients.get_mut(&key) else {
            // A 200 of an INVITE that is long settled: its ACK was lost.
            return self.acknowledge_again(&response, cseq.seq, code);
        };
        let (news, purpose, to) = (client.on_response(code, now), client.purpose, client.to);
        if news == News::Tell && code >= 300 && key.1 == Method::Invite {
            client.ack = transaction::ack_of(&client.request, &response).map(|a| a.to_bytes());
        }
        let ack = client.ack.clone();
        match news {
            News::Nothing => return self.acknowledge_again(&response, cseq.seq, code),
            News::Again => return ack.into_iter().for_each(|ack| self.sip(to, ack)),
            News::Tell => ack.into_iter().for_each(|ack| self.sip(to, ack)),
        }
        let request = client_request(&self.clients, &key);
        match purpose {
            Purpose::Register | Purpose::Unregister => {
                self.on_register_response(purpose, request, &response, code);
            }
            Purpose::Invite(call) => self.on_invite_response(call, request, &response, code),
            Purpose::Reinvite(call) => self.on_reinvite_response(call, &response, code),
            Purpose::Cancel(_) => {}
            Purpose::Bye(call) => {
                if code >= 200 {
                    self.forget(call);
                }
            }
            Purpose::Refer(call) => {
                if code >= 300 {
                    self.referred(call, code);
                }
            }
        }
    }

    fn acknowledge_again(&mut self, response: &Message, seq: u32, code: u16) {
        if !(200..300).contains(&code) || self.config.quirks.no_ack {
            return;
        }
        let call_id = response.call_id().unwrap_or_default().to_owned();
        if let Some((_, to, ack)) = self.acks.get(&(call_id, seq)).cloned() {
            self.sip(to, ack);
        }
    }

    /// No answer came to a request at all.
    fn on_no_response(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::Register => self.register_failed(408),
            Purpose::Unregister => self.registration = Registration::default(),
            Purpose::Invite(call) => self.end(call, End::Lost),
            Purpose::Reinvite(call) => self.reinvite_done(call, false),
            Purpose::Cancel(_) => {}
            Purpose::Refer(call) => self.referred(call, 408),
            Purpose::Bye(call) => self.forget(call),
        }
    }

    fn on_request(&mut self, request: Message, from: SocketAddr) {
        let (Ok(via), Some(method)) = (request.via_top(), request.method().cloned()) else {
            return;
        };
        let branch = via.branch().unwrap_or_default().to_owned();
        if method == Method::Ack {
            return self.on_ack(&branch, &request);
        }
        let key = (branch, method);
        if let Some(server) = self.servers.get(&key) {
            let (to, bytes) = (server.to, server.bytes.clone());
            if !bytes.is_empty() {
                self.sip(to, bytes);
            }
            return;
        }
        if key.1 == Method::Bye && self.config.quirks.no_bye_reply {
            return self.on_bye_unanswered(&request);
        }
        if key.1 == Method::Invite && self.config.incoming.reply == Reply::Nothing && !has_to_tag(&request) {
            return;
        }
        let to = reply_to(&via, from);
        let server = Server::new(request, to, self.config.timers);
        self.servers.insert(key.clone(), server);
        match key.1 {
            Method::Invite => self.on_invite(key),
            Method::Cancel => self.on_cancel(key),
            Method::Bye => self.on_bye(key),
            Method::Notify => self.on_notify(key),
            Method::Options | Method::Info => self.respond(&key, 200, |_| {}),
            Method::Register => self.on_register(key),
            _ => self.refuse_method(&key),
        }
    }

    fn refuse_method(&mut self, key: &(String, Method)) {
        self.respond(key, 405, |response| {
            response.push(HeaderName::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY");
        });
    }

    /// Answers a request of the switch.
    fn respond(&mut self, key: &(String, Method), code: u16, add: impl FnOnce(&mut Message)) {
        let tag = self.token();
        let now = self.now;
        let Some(server) = self.servers.get_mut(key) else {
            return;
        };
        let mut response = Message::response_to(&server.request, code);
        let earlier = parse_datagram(&server.bytes).ok().and_then(|m| m.to().ok()?.tag().map(str::to_owned));
        if code > 100 {
            response.set_to_tag(earlier.as_deref().unwrap_or(&tag));
        }
        add(&mut response);
        let bytes = server.respond(&response, now);
        let to = server.to;
        self.sip(to, bytes);
    }

    /// The call that a request within a dialog belongs to.
    fn dialog(&self, request: &Message) -> Option<PhoneCall> {
        let call_id = request.call_id().ok()?;
        let tag = request.from_().ok()?.tag()?.to_owned();
        let is = |line: &Line| line.call_id == call_id && line.remote_tag.as_ref() == Some(&tag);
        self.lines.iter().find(|(_, line)| is(line)).map(|(call, _)| *call)
    }

    fn free_slot(&self) -> Option<u16> {
        (0..self.config.lines).find(|slot| self.lines.values().all(|line| line.slot != *slot))
    }

    fn rtp_addr(&self, slot: u16) -> SocketAddr {
        let mut addr = self.config.rtp_addr;
        addr.set_port(addr.port().saturating_add(slot.saturating_mul(2)));
        addr
    }

    fn our_sdp(&self, slot: u16, direction: Direction) -> Sdp {
        let mut addr = self.rtp_addr(slot);
        addr.set_ip(self.config.said_ip.unwrap_or(addr.ip()));
        Media::describe(addr, &self.config.codecs, direction)
    }

    /// What a line says, hertz.
    pub fn tone_hz(&self, line: u16) -> u16 {
        self.config.tone_hz.saturating_add(line.saturating_mul(self.config.tone_step_hz))
    }

    fn new_media(&mut self, slot: u16) -> Media {
        let random = self.rng.next_u64();
        let config = &self.config;
        Media::new(config.voice, self.tone_hz(slot), config.quirks.no_rtcp, random)
    }

    fn add_log(&mut self, slot: u16, outgoing: bool, call_id: &str) -> (PhoneCall, usize) {
        if self.log.len() >= LOG_MAX && self.lines.is_empty() {
            self.log.drain(..LOG_MAX / 2);
        }
        self.last_call += 1;
        let call = PhoneCall(self.last_call);
        self.log.push(line::entry(call, slot, outgoing, call_id, self.now));
        (call, self.log.len() - 1)
    }

    /// The call is over; how is written down once.
    fn end(&mut self, call: PhoneCall, how: End) {
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.media.stop();
        line.due.clear();
        line.reinvite_again = None;
        let now = self.now;
        let mut told = false;
        if let Some(log) = self.log.get_mut(line.log) {
            line::note(log, line);
            told = log.ended.is_none();
            log.ended.get_or_insert((now, how));
        }
        if told {
            self.event(PhoneEvent::Ended(call, how));
        }
        let leaving = self.lines.get(&call).is_some_and(|line| line.state == line::State::Leaving);
        if !leaving {
            self.lines.remove(&call);
        }
    }

    /// Nothing is awaited any longer.
    fn forget(&mut self, call: PhoneCall) {
        self.lines.remove(&call);
    }

    fn random_ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.rng.next_u64() % (to - from).max(1))
    }
}

fn client_request(clients: &BTreeMap<(String, Method), Client>, key: &(String, Method)) -> Option<Message> {
    clients.get(key).map(|client| client.request.clone())
}

fn has_to_tag(request: &Message) -> bool {
    request.to().is_ok_and(|to| to.tag().is_some())
}

/// Where the response goes: the source, for the switch asks for nothing else (RFC 3581 4).
fn reply_to(_via: &Via, from: SocketAddr) -> SocketAddr {
    from
}

/// The user part of a From or To.
fn user_of(party: &NameAddr) -> String {
    party.uri.user().map_or(String::new(), |user| user.into())
}
