//! The way of a call out: by the first of its trunks that takes it, there by the first gateway, and on to the next where
//! one cannot.
//!
//! Invariant: a call tries each gateway of each of its trunks at most once, and is of one trunk at a time.

use super::act::{CANNOT, bracketed, credentials, shown};
use super::door::Seen;
use super::{Beyond, Due, Out, Try};
use crate::shard::Shard;
use cordboard_model::cause::Cause;
use cordboard_model::config::{Gateway, SipTransport, Trunk};
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::{Duration, TimerReason};
use cordboard_model::view::GatewayState;
use cordboard_sip::engine::{Dest, SessionId, SipCommand};
use cordboard_sip::wire::{Host, SipUri, Uri};
use std::collections::VecDeque;

const SILENCE: TimerReason = TimerReason("trunk silence");
/// How long a gateway that has answered something may go on without ringing before a call for help tries the next.
const NO_RING: Duration = Duration::from_secs(10);

impl Shard {
    /// Sends a call out of a trunk, or of those that routing named after it.
    pub(crate) fn dial_trunk(
        &mut self,
        call: CallId,
        leg: LegId,
        id: &TrunkId,
        out: Out,
    ) -> Result<(), Cause> {
        let ways = self.ways_of(call, id, &out.number);
        let (others, urgent) = ways.map(|ways| (ways.others, ways.urgent)).unwrap_or_default();
        let trunks: VecDeque<TrunkId> = core::iter::once(id.clone()).chain(others).collect();
        let plain = (trunks.len() > 1).then(|| Box::new(out.clone()));
        let is_help = urgent.is_some();
        let left = self.leave(call, leg, out, Beyond { trunks, plain, urgent, patient: false, rang: false });
        if let (Err(cause), true) = (left, is_help) {
            self.help_fails(call, cause.as_str());
        }
        left
    }

    /// No trunk has taken a call for help: the one thing that an operator must hear at once.
    fn help_fails(&mut self, call: CallId, why: &str) {
        let text = format!(
            "emergency call {call} reached nobody: no trunk is left ({why}). Look at the trunks of \
                            [tenant.{}.emergency]",
            call.tenant
        );
        self.event(call.tenant, EventKind::Alarm { code: "emergency_failed".into(), text });
    }

    /// By the first of the trunks that takes the call.
    fn leave(&mut self, call: CallId, leg: LegId, out: Out, mut beyond: Beyond) -> Result<(), Cause> {
        let mut why = Cause::NotFound;
        while let Some(id) = beyond.trunks.pop_front() {
            match self.leave_by(call, leg, &id, out.clone(), &beyond) {
                Ok(()) => return Ok(()),
                Err(cause) => why = cause,
            }
        }
        Err(why)
    }

    fn leave_by(
        &mut self,
        call: CallId,
        leg: LegId,
        id: &TrunkId,
        mut out: Out,
        beyond: &Beyond,
    ) -> Result<(), Cause> {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let trunk = snapshot.trunk(id).ok_or(Cause::NotFound)?;
        if trunk.gateways.is_empty() {
            return Err(Cause::Unreachable);
        }
        let urgent = beyond.urgent.as_ref().is_some_and(|urgent| urgent.first);
        if !self.trunks.has_room(trunk, self.now) && !urgent {
            return Err(Cause::Congestion);
        }
        let mut left = self.trunks.ways(trunk, urgent);
        let gateway = left.pop_front().ok_or(Cause::Unreachable)?;
        self.change_trunk(call, leg, trunk);
        if let Some(addr) = self.legs.get(leg).and_then(|found| found.local) {
            // what is offered is the trunk's affair
            out.local = self.local_media(leg, addr);
        }
        out.told = self.told(call, leg, &out.from, Some(trunk));
        match &beyond.urgent {
            Some(urgent) => self.numbers_of_help((call, leg), trunk, urgent, &mut out),
            None => self.numbers_outside(call, leg, trunk, &mut out),
        }
        let beyond = Beyond { patient: false, rang: false, ..beyond.clone() };
        let on_its_way = Try { trunk: id.clone(), out, gateway, left, beyond };
        self.send_by(trunk, leg, on_its_way)
    }

    /// The leg is carried by this trunk now, and by no other.
    fn change_trunk(&mut self, call: CallId, leg: LegId, trunk: &Trunk) {
        let before = self.legs.get_mut(leg).and_then(|found| found.trunk.replace(trunk.id.clone()));
        if let Some(before) = before.filter(|before| *before != trunk.id)
            && !self.others(leg).any(|other| other.trunk.as_ref() == Some(&before))
        {
            self.trunks.carries_no_more(&before, call);
        }
        self.trunks.add(trunk, call, self.now);
    }

    fn send_by(&mut self, trunk: &Trunk, leg: LegId, way: Try) -> Result<(), Cause> {
        let gateway = trunk.gateways.get(way.gateway).ok_or(Cause::Unreachable)?;
        let uri = request_uri(trunk, gateway, &way.out.number).ok_or(Cause::NotFound)?;
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
        self.trunks.due.set(Due::Silence(leg), self.now + trunk.health.silence, SILENCE);
        self.trunks.tries.insert(leg, way);
        self.sip
            .handle_command(SipCommand::Invite { session, target, from, to, host, local, told }, self.now);
        Ok(())
    }

    /// A gateway has said nothing at all to an INVITE: the next is tried. Its late answer is ended by the session that
    /// nobody waits for any more. A call for help goes on, too, where a gateway has answered but nobody rings.
    pub(super) fn on_silence(&mut self, leg: LegId) {
        let Some(session) = self.legs.get(leg).and_then(|found| found.session) else {
            return;
        };
        let heard = self.sip.has_heard(session);
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some(way) = self.trunks.tries.get_mut(&leg) else {
            return;
        };
        if heard {
            if way.beyond.urgent.is_none() || way.beyond.rang {
                return;
            }
            if !core::mem::replace(&mut way.beyond.patient, true) {
                return self.trunks.due.set(Due::Silence(leg), self.now + NO_RING, SILENCE);
            }
        }
        let at = way.gateway;
        let trunk = snapshot.trunk(&way.trunk);
        self.in_hand = self.legs.get(leg).map(|found| found.call);
        if let Some(trunk) = trunk.filter(|_| !heard) {
            self.saw(trunk, at, Seen::Dead);
        }
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
        let Some((at, urgent, id)) =
            self.trunks.tries.get(&leg).map(|t| (t.gateway, t.beyond.urgent.is_some(), t.trunk.clone()))
        else {
            return false;
        };
        let (true, Some(status)) = (by_peer, status) else {
            self.trunks.settled(leg);
            return false;
        };
        // one that a reload has taken away has no last word
        if let Some(trunk) = snapshot.trunk(&id) {
            let cannot = CANNOT.contains(&status);
            self.saw(trunk, at, if cannot { Seen::Dead } else { Seen::Alive });
            // who calls for help is helped by anybody: no refusal is the last word while there is another way
            if !urgent && !trunk.failover.contains(&status) {
                self.trunks.settled(leg);
                return false;
            }
        }
        let goes_on = self.next_way(leg, session);
        if let Some(call) = self.legs.get(leg).map(|found| found.call)
            && urgent
            && !goes_on
            && !self.calls.is_ending(call)
        {
            self.help_fails(call, &format!("trunk {} said {status}", id.name));
        }
        goes_on
    }

    /// Goes on by the next gateway, or the next trunk, if there is one. If not, what was tried last goes on.
    fn next_way(&mut self, leg: LegId, session: SessionId) -> bool {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some(mut way) = self.trunks.settled(leg) else {
            return false;
        };
        // a call that ends rings nowhere else
        if self.legs.get(leg).is_none_or(|found| self.calls.is_ending(found.call)) {
            return false;
        }
        let trunk = snapshot.trunk(&way.trunk);
        let gateways = trunk.map(|trunk| trunk.gateways.as_slice()).unwrap_or_default();
        let from = gateways.get(way.gateway).map(shown).unwrap_or_default();
        let urgent = way.beyond.urgent.is_some();
        let down = |at: &usize| !urgent && self.trunks.state(&way.trunk, *at) == GatewayState::Down;
        let next = way.left.iter().position(|at| !down(at));
        if let (Some(trunk), Some(next)) = (trunk, next.and_then(|next| way.left.remove(next))) {
            way.gateway = next;
            (way.beyond.patient, way.beyond.rang) = (false, false);
            let to = trunk.gateways.get(next).map(shown).unwrap_or_default();
            self.legs.unbind(session);
            self.tell_trunk(&trunk.id, Some(from), format!("failed over to {to}"));
            return self.send_by(trunk, leg, way).is_ok();
        }
        let left_behind = way.trunk;
        let Beyond { trunks, plain: Some(plain), urgent, .. } = way.beyond else {
            return false;
        };
        let Some(call) = self.legs.get(leg).map(|found| found.call).filter(|_| !trunks.is_empty()) else {
            return false;
        };
        self.legs.unbind(session);
        let beyond = Beyond { trunks, plain: Some(plain.clone()), urgent, patient: false, rang: false };
        if self.leave(call, leg, *plain, beyond).is_err() {
            // the session that has failed is still the leg's: it tells the call
            self.legs.bind(leg, session);
            return false;
        }
        let to = self.legs.get(leg).and_then(|found| found.trunk.as_ref()).map(|trunk| trunk.name.clone());
        let to = to.map(|name| format!("failed over to trunk {name}")).unwrap_or_default();
        self.tell_trunk(&left_behind, Some(from), to);
        true
    }
}

/// Where an INVITE goes: the number at the carrier's domain where there is one, else at the gateway. What is no number
/// is escaped, so that it cannot be anything else.
fn request_uri(trunk: &Trunk, gateway: &Gateway, number: &str) -> Option<Uri> {
    let domain = trunk.account.as_ref().map(|account| account.domain.as_str());
    let (host, port) = match domain.or(gateway.domain.as_deref()) {
        Some(domain) => (Host::parse(domain)?, None),
        None => (Host::parse(&bracketed(gateway))?, Some(gateway.address.port())),
    };
    let mut uri = SipUri::new(Some(number), host, port);
    match gateway.transport {
        SipTransport::Udp => {}
        SipTransport::Tcp => uri.params.set("transport", Some("tcp")),
        SipTransport::Tls => uri.params.set("transport", Some("tls")),
    }
    Some(Uri::Sip(uri))
}
