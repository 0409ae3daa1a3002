//! What trunks want done: probes, registrations, calls out and their next gateway.

use super::door::Seen;
use super::{Asked, Due, Out, Try};
use crate::shard::Shard;
use cordboard_model::cause::Cause;
use cordboard_model::config::{Gateway, SipTransport, Trunk};
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId, TenantId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::{Duration, TimerReason};
use cordboard_model::view::{GatewayState, TrunkView};
use cordboard_sip::client::{Ask, Reply, Request};
use cordboard_sip::engine::{Credentials, Dest, Flow, SessionId, SipCommand, Transport};
use cordboard_sip::wire::Uri;

/// Statuses that say that a gateway cannot serve, though it speaks.
const CANNOT: [u16; 3] = [408, 502, 503];

/// A gateway in words: `tcp:192.0.2.1:5060`.
pub(super) fn shown(gateway: &Gateway) -> String {
    match &gateway.domain {
        Some(domain) => format!("{}:{} ({domain})", transport(gateway).as_str(), gateway.address),
        None => format!("{}:{}", transport(gateway).as_str(), gateway.address),
    }
}

fn transport(gateway: &Gateway) -> Transport {
    match gateway.transport {
        SipTransport::Udp => Transport::Udp,
        SipTransport::Tcp => Transport::Tcp,
        SipTransport::Tls => Transport::Tls,
    }
}

fn credentials(trunk: &Trunk) -> Option<Credentials> {
    let account = trunk.account.as_ref()?;
    Some(Credentials { username: account.username.clone(), password: account.password.0.clone() })
}

impl Shard {
    /// What trunks wait for and is due.
    pub(crate) fn trunks_due(&mut self) {
        while let Some(due) = self.trunks.due.pop_due(self.now) {
            match due {
                Due::Probe(trunk, gateway) => self.probe(&trunk, gateway),
                Due::Register(trunk) => self.register(&trunk),
                Due::Resolve(trunk, at) => self.resolve(&trunk, at),
                Due::Silence(leg) => self.on_silence(leg),
            }
            self.settle();
        }
    }

    fn flow_of(&self, trunk: &Trunk, gateway: &Gateway) -> Flow {
        self.sip.flow_by(transport(gateway), gateway.address, trunk.local)
    }

    fn probe(&mut self, id: &TrunkId, at: usize) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some((trunk, gateway)) = snapshot.trunk(id).and_then(|t| Some((t, t.gateways.get(at)?))) else {
            return;
        };
        if self.stopping || trunk.health.every.is_none() {
            return;
        }
        let request = Request {
            id: self.trunks.request(Asked::Probe(id.clone(), at)),
            ask: Ask::Options,
            user: String::new(),
            host: host(trunk, gateway),
            flow: self.flow_of(trunk, gateway),
            credentials: credentials(trunk),
        };
        self.sip.handle_command(SipCommand::Request(Box::new(request)), self.now);
    }

    fn register(&mut self, id: &TrunkId) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some(trunk) = snapshot.trunk(id) else { return };
        let (Some(account), false) = (&trunk.account, self.stopping) else { return };
        let (Some(wanted), Some(registration)) = (account.register, self.trunks.registrations.get_mut(id))
        else {
            return;
        };
        let count = trunk.gateways.len().max(1);
        let Some(gateway) = trunk.gateways.get(registration.gateway % count) else { return };
        let (expires, call_id, cseq) = registration.next(wanted);
        let request = Request {
            id: self.trunks.request(Asked::Register(id.clone())),
            ask: Ask::Register { expires, call_id, cseq },
            user: account.username.clone(),
            host: account.domain.clone(),
            flow: self.flow_of(trunk, gateway),
            credentials: credentials(trunk),
        };
        self.sip.handle_command(SipCommand::Request(Box::new(request)), self.now);
    }

    /// A peer answered what was asked outside any dialog, or did not.
    pub(crate) fn on_reply(&mut self, reply: Reply) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        match self.trunks.asked.remove(&reply.id) {
            Some(Asked::Probe(id, at)) => {
                let Some(trunk) = snapshot.trunk(&id) else { return };
                let alive = reply.heard && !CANNOT.contains(&reply.status);
                self.saw(trunk, at, if alive { Seen::Alive } else { Seen::Dead });
                if let Some(every) = trunk.health.every {
                    // A gateway that was seen to be dead is looked at again soon: three failures take no 90 seconds.
                    let soon = every.min(Duration::from_secs(5));
                    let is_up = self.trunks.state(&id, at) == GatewayState::Up;
                    let next = if alive && is_up { every } else { soon };
                    self.trunks.due.set(Due::Probe(id, at), self.now + next, TimerReason("trunk probe"));
                }
            }
            Some(Asked::Register(id)) => self.on_registration(&snapshot, id, &reply),
            None => {}
        }
    }

    fn on_registration(&mut self, snapshot: &cordboard_model::config::Snapshot, id: TrunkId, reply: &Reply) {
        let wanted = snapshot.trunk(&id).and_then(|trunk| trunk.account.as_ref()?.register);
        let jitter = self.trunks.jitter();
        let (Some(wanted), Some(registration)) = (wanted, self.trunks.registrations.get_mut(&id)) else {
            return;
        };
        let (before, before_status) = (registration.registered, registration.last);
        let next = registration.on_reply(reply, wanted, jitter);
        let (now_registered, status) = (registration.registered, registration.last);
        self.trunks.due.set(Due::Register(id.clone()), self.now + next, TimerReason("trunk register"));
        if before != now_registered || !now_registered && before_status != status {
            let what = match now_registered {
                true => "registered".to_owned(),
                false => format!("not registered: {}", reply.status),
            };
            self.tell_trunk(&id, None, what);
        }
    }

    fn saw(&mut self, trunk: &Trunk, at: usize, seen: Seen) {
        let Some(state) = self.trunks.see(trunk, at, seen) else { return };
        let gateway = trunk.gateways.get(at).map(shown);
        let what = match state {
            GatewayState::Up => "up",
            GatewayState::Down => "down",
            GatewayState::Unknown => return,
        };
        self.tell_trunk(&trunk.id, gateway, what.to_owned());
    }

    pub(super) fn tell_trunk(&mut self, id: &TrunkId, gateway: Option<String>, state: String) {
        let what = EventKind::TrunkChanged { trunk: id.clone(), gateway, state };
        self.event(id.tenant, what);
    }

    /// Sends a call out of a trunk, by the first of its gateways that counts as alive.
    pub(crate) fn dial_trunk(
        &mut self,
        call: CallId,
        leg: LegId,
        id: &TrunkId,
        out: Out,
    ) -> Result<(), Cause> {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let trunk = snapshot.trunk(id).ok_or(Cause::NotFound)?;
        if trunk.gateways.is_empty() {
            return Err(Cause::Unreachable);
        }
        if !self.trunks.has_room(trunk, self.now) {
            return Err(Cause::Congestion);
        }
        let mut left = self.trunks.ways(trunk);
        let gateway = left.pop_front().ok_or(Cause::Unreachable)?;
        self.trunks.add(trunk, call, self.now);
        if let Some(found) = self.legs.get_mut(leg) {
            found.trunk = Some(id.clone());
        }
        let mut out = out;
        out.told = self.told(call, leg, &out.from, Some(trunk));
        self.numbers_outside(call, leg, trunk, &mut out);
        let on_its_way = Try { trunk: id.clone(), out, gateway, left };
        self.send_by(trunk, leg, on_its_way)
    }

    fn send_by(&mut self, trunk: &Trunk, leg: LegId, way: Try) -> Result<(), Cause> {
        let gateway = trunk.gateways.get(way.gateway).ok_or(Cause::Unreachable)?;
        let param = match gateway.transport {
            SipTransport::Udp => "",
            SipTransport::Tcp => ";transport=tcp",
            SipTransport::Tls => ";transport=tls",
        };
        let at = host_and_port(trunk, gateway);
        let uri = Uri::parse(&format!("sip:{}@{at}{param}", way.out.number)).ok_or(Cause::NotFound)?;
        let registration = self.trunks.registrations.get(&trunk.id);
        let routes = registration.map(|known| known.service_route.clone()).unwrap_or_default();
        let target =
            Dest::Uri { uri, flow: self.flow_of(trunk, gateway), routes, credentials: credentials(trunk) };
        let session = self.sip.new_session();
        self.legs.bind(leg, session);
        let Out { number, from, local, host, told } = way.out.clone();
        let told = Box::new(told);
        let to = PartyId::new(&number);
        let host = trunk.account.as_ref().map_or(host, |account| account.domain.clone());
        let silence = TimerReason("trunk silence");
        self.trunks.due.set(Due::Silence(leg), self.now + trunk.health.silence, silence);
        self.trunks.tries.insert(leg, way);
        self.sip
            .handle_command(SipCommand::Invite { session, target, from, to, host, local, told }, self.now);
        Ok(())
    }

    /// A gateway has said nothing at all to an INVITE: the next is tried. Its late answer is ended by the session that
    /// nobody waits for any more.
    fn on_silence(&mut self, leg: LegId) {
        let Some(session) = self.legs.get(leg).and_then(|found| found.session) else {
            return;
        };
        if self.sip.has_heard(session) {
            return;
        }
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some((trunk, at)) =
            self.trunks.tries.get(&leg).and_then(|t| Some((snapshot.trunk(&t.trunk)?, t.gateway)))
        else {
            return;
        };
        self.in_hand = self.legs.get(leg).map(|found| found.call);
        self.saw(trunk, at, Seen::Dead);
        if self.next_way(leg, session) {
            let cause = Cause::Unreachable;
            self.sip.handle_command(SipCommand::HangUp { session, cause, text: None }, self.now);
        }
    }

    /// A leg's session ended before it was answered. True if another gateway is tried instead of telling the call.
    pub(crate) fn tries_on(
        &mut self,
        leg: LegId,
        session: SessionId,
        by_peer: bool,
        status: Option<u16>,
    ) -> bool {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some((trunk, at)) =
            self.trunks.tries.get(&leg).and_then(|t| Some((snapshot.trunk(&t.trunk)?, t.gateway)))
        else {
            return false;
        };
        let (true, Some(status)) = (by_peer, status) else {
            self.trunks.settled(leg);
            return false;
        };
        let cannot = CANNOT.contains(&status);
        self.saw(trunk, at, if cannot { Seen::Dead } else { Seen::Alive });
        if !trunk.failover.contains(&status) {
            self.trunks.settled(leg);
            return false;
        }
        self.next_way(leg, session)
    }

    /// Goes on by the next gateway, if there is one.
    fn next_way(&mut self, leg: LegId, session: SessionId) -> bool {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some(mut way) = self.trunks.settled(leg) else {
            return false;
        };
        let Some(trunk) = snapshot.trunk(&way.trunk) else {
            return false;
        };
        let down = |at: &usize| self.trunks.state(&trunk.id, *at) == GatewayState::Down;
        let next = way.left.iter().position(|at| !down(at));
        let Some(next) = next.and_then(|next| way.left.remove(next)) else {
            return false;
        };
        let from = trunk.gateways.get(way.gateway).map(shown).unwrap_or_default();
        way.gateway = next;
        let to = trunk.gateways.get(next).map(shown).unwrap_or_default();
        self.legs.unbind(session);
        self.tell_trunk(&trunk.id, Some(from), format!("failed over to {to}"));
        self.send_by(trunk, leg, way).is_ok()
    }

    /// The trunks of a tenant.
    pub fn trunk_views(&self, tenant: TenantId) -> Vec<TrunkView> {
        self.trunks.views(&self.snapshot, tenant)
    }

    /// Takes a trunk out of service for new calls, or back in. False if there is no such trunk.
    pub fn block_trunk(&mut self, id: &TrunkId, block: bool) -> bool {
        if self.snapshot.trunk(id).is_none() {
            return false;
        }
        let changed = match block {
            true => self.trunks.blocked.insert(id.clone()),
            false => self.trunks.blocked.remove(id),
        };
        if changed {
            let state = if block { "blocked" } else { "unblocked" };
            self.tell_trunk(id, None, state.to_owned());
        }
        true
    }

    /// How many gateways count as down.
    pub fn gateways_down(&self) -> u64 {
        self.trunks.down()
    }
}

fn host(trunk: &Trunk, gateway: &Gateway) -> String {
    let domain = trunk.account.as_ref().map(|account| account.domain.clone());
    domain.or_else(|| gateway.domain.clone()).unwrap_or_else(|| bracketed(gateway))
}

fn bracketed(gateway: &Gateway) -> String {
    match gateway.address.ip() {
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        std::net::IpAddr::V4(ip) => ip.to_string(),
    }
}

/// The host part of a Request-URI: the carrier's domain where there is one, else the gateway.
fn host_and_port(trunk: &Trunk, gateway: &Gateway) -> String {
    let domain = trunk.account.as_ref().map(|account| account.domain.clone());
    domain.or_else(|| gateway.domain.clone()).unwrap_or_else(|| gateway.address.to_string())
}
