//! What trunks want done: probes, registrations, calls out and their next gateway.

use super::door::Seen;
use super::{Asked, Due};
use crate::shard::Shard;
use cordboard_model::config::{Gateway, SipTransport, Trunk};
use cordboard_model::event::EventKind;
use cordboard_model::id::{TenantId, TrunkId};
use cordboard_model::time::{Duration, TimerReason};
use cordboard_model::view::{GatewayState, TrunkView};
use cordboard_sip::client::{Ask, Reply, Request};
use cordboard_sip::engine::{Credentials, Flow, SipCommand, Transport};

/// Statuses that say that a gateway cannot serve, though it speaks.
pub(super) const CANNOT: [u16; 3] = [408, 502, 503];

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

pub(super) fn credentials(trunk: &Trunk) -> Option<Credentials> {
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

    pub(super) fn flow_of(&self, trunk: &Trunk, gateway: &Gateway) -> Flow {
        self.sip.flow_by(transport(gateway), gateway.address, trunk.local)
    }

    fn probe(&mut self, id: &TrunkId, at: usize) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some((trunk, gateway)) = snapshot.trunk(id).and_then(|t| Some((t, t.gateways.get(at)?))) else {
            return;
        };
        if self.stop.is_ending() || trunk.health.every.is_none() {
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
        let (Some(account), false) = (&trunk.account, self.stop.is_ending()) else { return };
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

    pub(super) fn saw(&mut self, trunk: &Trunk, at: usize, seen: Seen) {
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

pub(super) fn bracketed(gateway: &Gateway) -> String {
    match gateway.address.ip() {
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        std::net::IpAddr::V4(ip) => ip.to_string(),
    }
}
