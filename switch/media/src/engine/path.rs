//! ICE and DTLS at work: packets that are neither RTP nor RTCP, and the time that passes between them.
//!
//! Invariant: where DTLS was agreed on, no packet is taken or sent before it has given keys; where ICE was, none comes from or goes
//! to an address that it has not proved.

use super::{MediaEngine, PortKey, Verdict, WATCH_GRAIN};
use crate::dtls::{self, Association, Identity, Step};
use crate::graph::leg::Leg;
use crate::ice::{Agent, Heard, stun};
use crate::rtp::latch::Latch;
use crate::srtp::Srtp;
use cordboard_model::media::MediaEvent;
use cordboard_model::path::{DtlsRole, DtlsTerms, MediaPath, PathFault};
use cordboard_model::srtp::SrtpKeys;
use cordboard_model::time::Time;
use core::net::SocketAddr;
use std::collections::VecDeque;

/// DTLS datagrams of one leg that wait to be sent: two flights. More come only of a peer that asks for the same again and again,
/// and it will ask again.
const READY_MAX: usize = 16;

/// A leg's way to its party.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    pub ice: Option<Agent>,
    pub dtls: Option<Association>,
    /// DTLS was agreed on.
    pub secured: bool,
    role: Option<DtlsRole>,
    /// The handshake was begun by us, or need not be.
    begun: bool,
    ready: VecDeque<Vec<u8>>,
    fault: Option<PathFault>,
    /// It stands in the queue of those with something to send.
    queued: bool,
}

impl Reach {
    /// What is wrong with it.
    pub(crate) fn fault(&self) -> Option<PathFault> {
        self.fault.or_else(|| self.ice.as_ref().and_then(Agent::fault))
    }

    fn due(&self) -> Option<Time> {
        let ice = self.ice.as_ref().and_then(Agent::due);
        ice.into_iter().chain(self.dtls.as_ref().and_then(Association::due)).min()
    }
}

impl MediaEngine {
    /// With a certificate, without which no leg gets keys by DTLS.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// What was agreed on of a leg's way; the stream itself is configured already.
    pub(super) fn configure_path(
        &mut self,
        key: u32,
        path: Option<&MediaPath>,
        keys: Option<&SrtpKeys>,
        now: Time,
    ) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let Some(agreed) = path else {
            self.stock.discard(leg.path.take());
            leg.agree_on(keys, &mut self.stock);
            leg.unsteer(self.config.learn_packets);
            self.paths.cancel(key);
            return;
        };
        let mut path = leg.path.take().unwrap_or_default();
        path.ice = agreed.ice.as_ref().map(|terms| match path.ice.take() {
            Some(mut agent) => {
                agent.renew(terms, now);
                agent
            }
            None => Agent::new(terms, now, &mut self.rng),
        });
        let steered = path.ice.as_ref().map(Agent::selected);
        match (steered, leg.stream.as_mut()) {
            (Some(to), Some(stream)) => stream.latch = Latch::steered(to),
            _ => leg.unsteer(self.config.learn_packets),
        }
        match &agreed.dtls {
            Some(terms) => {
                self.stock.discard(secure(&mut path, leg, terms, self.identity.as_ref(), now));
            }
            None => {
                (path.dtls, path.secured) = (None, false);
                leg.agree_on(keys, &mut self.stock);
            }
        }
        leg.path = Some(path);
        self.settle_path(key, now);
    }

    /// Whether a datagram on the RTP port goes on to be heard as RTP or RTCP, and as if from where. `Err`: what is to become of it.
    pub(super) fn divert(
        &mut self,
        key: u32,
        from: SocketAddr,
        buf: &mut [u8],
        len: usize,
        now: Time,
    ) -> Result<SocketAddr, Verdict> {
        let Some(leg) = self.legs.get_mut(key) else {
            return Err(Verdict::Keep);
        };
        let Some(path) = leg.path.as_mut() else {
            return Ok(from);
        };
        let datagram = buf.get(..len).unwrap_or_default();
        if stun::is_stun(datagram) {
            return Err(self.take_stun(key, from, buf, len, now));
        }
        let Some(agent) = &mut path.ice else {
            let is_party = leg.stream.as_ref().is_some_and(|stream| stream.latch.is_party_host(from));
            if dtls::is_dtls(datagram) {
                return Err(self.take_dtls(key, is_party, buf, len, now));
            }
            return Ok(from);
        };
        let known = agent.knows(from, now);
        // One party, whichever of its proved addresses it speaks from.
        let as_if = agent.selected().unwrap_or(from);
        if dtls::is_dtls(datagram) {
            return Err(self.take_dtls(key, known, buf, len, now));
        }
        if !known {
            leg.foreign += 1;
            return Err(Verdict::Keep);
        }
        Ok(as_if)
    }

    fn take_stun(&mut self, key: u32, from: SocketAddr, buf: &mut [u8], len: usize, now: Time) -> Verdict {
        let Some(leg) = self.legs.get_mut(key) else {
            return Verdict::Keep;
        };
        let (port, agent) = (leg.port, leg.path.as_mut().and_then(|path| path.ice.as_mut()));
        let Some(agent) = agent else {
            leg.malformed += 1;
            return Verdict::Keep;
        };
        let heard = agent.hear(from, buf, len, now);
        if heard == Heard::Refused {
            leg.foreign += 1;
            return Verdict::Keep;
        }
        self.settle_path(key, now);
        match (heard, port) {
            (Heard::Answer(len), Some(port)) => Verdict::Send { port, to: from, offset: 0, len },
            _ => Verdict::Keep,
        }
    }

    /// `known`: it is from where the party is.
    fn take_dtls(&mut self, key: u32, known: bool, buf: &mut [u8], len: usize, now: Time) -> Verdict {
        let Some(leg) = self.legs.get_mut(key) else {
            return Verdict::Keep;
        };
        if !known {
            leg.foreign += 1;
            return Verdict::Keep;
        }
        let path = leg.path.as_mut();
        if let Some(path) = path
            && let Some(association) = path.dtls.as_mut()
        {
            let datagram = buf.get(..len).unwrap_or_default();
            let step = association.hear(datagram, now, &mut path.ready);
            self.step_dtls(key, step, now);
        }
        Verdict::Keep
    }

    fn step_dtls(&mut self, key: u32, step: Step, now: Time) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let (id, path) = (leg.id, leg.path.as_mut());
        let Some(path) = path else {
            return;
        };
        path.ready.truncate(READY_MAX);
        let mut failed = None;
        match step {
            Step::Goes => {}
            Step::Keys(keys) => match leg.srtp.as_mut() {
                Some(srtp) => srtp.rekey(&keys, &mut self.stock),
                None => leg.srtp = self.stock.srtp(&keys),
            },
            Step::Failed(fault) => {
                path.fault = Some(fault);
                self.stock.discard(leg.srtp.take());
                failed = Some(fault);
            }
        }
        self.settle_path(key, now);
        if let Some(fault) = failed {
            self.tell(MediaEvent::PathFailed { leg: id, fault });
        }
    }

    /// After anything that concerned the way: media are steered, a handshake that waited for a way begins, the next time is set.
    pub(super) fn settle_path(&mut self, key: u32, now: Time) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let (id, path) = (leg.id, leg.path.as_mut());
        let (Some(path), Some(stream)) = (path, leg.stream.as_mut()) else {
            return;
        };
        let mut found = None;
        if let Some(agent) = &path.ice {
            let to = agent.selected();
            if stream.latch.destination() != to {
                found = to;
                stream.latch = Latch::steered(to);
            }
        }
        let is_reached = stream.latch.destination().is_some();
        if is_reached && !path.begun {
            path.begun = true;
            if let (Some(association), Some(DtlsRole::Client)) = (path.dtls.as_mut(), path.role) {
                let step = association.tick(now, &mut path.ready);
                if let Step::Failed(fault) = step {
                    path.fault = Some(fault);
                }
            }
        }
        let has_ready = is_reached && !path.ready.is_empty();
        let due = path.due();
        if (has_ready || due.is_some_and(|due| due <= now)) && !path.queued {
            path.queued = true;
            self.ways.push_back(key);
        }
        match due {
            // What is due now waits in the queue; once that has left, the next time is set.
            Some(due) if due > now => {
                let slot = self.paths.slot_from(due);
                self.paths.schedule(key, slot, now);
            }
            _ => self.paths.cancel(key),
        }
        if let Some(from) = found {
            self.mention(MediaEvent::Locked { leg: id, from });
        }
    }

    /// The leg leaves this engine: nothing of its way waits here any more.
    pub(super) fn leave_path(&mut self, key: u32) {
        self.paths.cancel(key);
        self.ways.retain(|waiting| *waiting != key);
        if let Some(path) = self.legs.get_mut(key).and_then(|leg| leg.path.as_mut()) {
            path.queued = false;
        }
    }

    /// The time that a leg's way had named has come.
    pub(super) fn tick_path(&mut self, key: u32, now: Time) {
        let path = self.legs.get_mut(key).and_then(|leg| leg.path.as_mut());
        let Some(path) = path else {
            return;
        };
        let step = match path.dtls.as_mut() {
            Some(association) if association.due().is_some_and(|due| due <= now) => {
                association.tick(now, &mut path.ready)
            }
            _ => Step::Goes,
        };
        self.step_dtls(key, step, now);
    }

    /// The next check or DTLS datagram, written to the front of `buf`.
    pub(super) fn poll_path(&mut self, buf: &mut [u8], now: Time) -> Option<(PortKey, SocketAddr, usize)> {
        while let Some(key) = self.ways.front().copied() {
            let sent = self.legs.get_mut(key).and_then(|leg| {
                let (port, to) = (leg.port?, leg.stream?.latch.destination());
                let path = leg.path.as_mut()?;
                if let Some(to) = to
                    && let Some(datagram) = path.ready.pop_front()
                {
                    buf.get_mut(..datagram.len())?.copy_from_slice(&datagram);
                    return Some((port, to, datagram.len()));
                }
                let (to, len) = path.ice.as_mut()?.poll(buf, now, &mut self.rng)?;
                Some((port, to, len))
            });
            if sent.is_some() {
                return sent;
            }
            self.ways.pop_front();
            if let Some(path) = self.legs.get_mut(key).and_then(|leg| leg.path.as_mut()) {
                path.queued = false;
            }
            self.rest_path(key, now);
        }
        None
    }

    /// Everything that was due has left. An agent may have given up its pair meanwhile.
    fn rest_path(&mut self, key: u32, now: Time) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let (Some(path), Some(stream)) = (leg.path.as_ref(), leg.stream.as_mut()) else {
            return;
        };
        if let Some(agent) = &path.ice
            && stream.latch.destination() != agent.selected()
        {
            stream.latch = Latch::steered(agent.selected());
        }
        if let Some(due) = path.due() {
            // What is due still could not leave: not again within this turn.
            let slot = self.paths.slot_from(due.max(now + WATCH_GRAIN));
            self.paths.schedule(key, slot, now);
        }
    }
}

/// Keys are to come by DTLS: from the association that there is, if it is still the one that is meant. Gives the keys that are
/// used no more.
fn secure(
    path: &mut Reach,
    leg: &mut Leg,
    terms: &DtlsTerms,
    identity: Option<&Identity>,
    now: Time,
) -> Option<Box<Srtp>> {
    path.secured = true;
    path.role = Some(terms.role);
    if path.dtls.as_ref().is_some_and(|association| association.is_for(terms)) {
        return None;
    }
    (path.begun, path.fault) = (false, None);
    path.ready.clear();
    let keys = leg.srtp.take();
    path.dtls = identity.map(|identity| Association::new(identity, terms, path.ice.is_some(), now));
    if path.dtls.is_none() {
        path.fault = Some(PathFault::Handshake);
    }
    keys
}
