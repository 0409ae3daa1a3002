//! Trunks: how many calls each carries, which of its gateways live, whether its carrier knows us, and the way of a call
//! from one gateway to the next.
//!
//! Invariants: a gateway that counts as down gets no call and is asked until it is up; a call that leaves by a trunk
//! tries each of its gateways at most once; what was asked of a peer is under way once at a time.

mod act;
mod door;
mod leave;
mod names;
mod numbers;
mod registration;
mod select;

use cordboard_model::config::{Gateway, Snapshot, Trunk};
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{CallId, LegId, TenantId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::view::{GatewayState, GatewayView, RegistrationView, TrunkView};
use cordboard_plugin_api::{TrunkRoom, Urgent};
use cordboard_sip::client::RequestId;
use cordboard_sip::identity::Told;
use cordboard_sip::sdp::Local;
use door::{Door, Seen};
use numbers::Numbers;
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use registration::Registration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The span over which calls are counted for `calls_per_second`.
const SECOND: Duration = Duration::from_secs(1);

/// What a trunk waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// To ask a gateway whether it lives.
    Probe(TrunkId, usize),
    /// To register.
    Register(TrunkId),
    /// To ask for the places of a name.
    Resolve(TrunkId, usize),
    /// For any answer to an INVITE.
    Silence(LegId),
}

/// What trunks wait for, by time.
pub(crate) type Deadline = Deadlines<Due>;

/// What was asked of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Probe(TrunkId, usize),
    Register(TrunkId),
}

/// What goes out of a trunk.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    /// Who is called.
    pub(crate) number: String,
    /// Who calls.
    pub(crate) from: PartyId,
    /// Our media.
    pub(crate) local: Local,
    /// The host of From and To where the carrier gave us none.
    pub(crate) host: String,
    /// What is told of the caller.
    pub(crate) told: Told,
}

/// A call on its way out of a trunk.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub(crate) trunk: TrunkId,
    pub(crate) out: Out,
    /// The gateway that is tried.
    pub(crate) gateway: usize,
    /// Those that are left.
    left: VecDeque<usize>,
    /// What is tried when none is.
    beyond: Beyond,
}

/// What is tried when a call has failed by all gateways of a trunk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beyond {
    /// Other trunks, in order.
    pub(crate) trunks: VecDeque<TrunkId>,
    /// The call as it was before it got the numbers of the first.
    pub(crate) plain: Option<Box<Out>>,
    /// It is a call for help: neither caps nor a blocked or silent trunk keep it.
    pub(crate) urgent: Option<Box<Urgent>>,
    /// It has been waited for once more, after the first answer.
    patient: bool,
    /// A gateway has said that it rings.
    rang: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Trunks {
    up: BTreeMap<TrunkId, BTreeSet<CallId>>,
    /// When the calls of the last second began.
    begun: BTreeMap<TrunkId, VecDeque<Time>>,
    doors: BTreeMap<TrunkId, Vec<Door>>,
    registrations: BTreeMap<TrunkId, Registration>,
    /// By an operator.
    blocked: BTreeSet<TrunkId>,
    tries: BTreeMap<LegId, Try>,
    names: names::Names,
    due: Deadline,
    asked: BTreeMap<RequestId, Asked>,
    last_request: u64,
    pub(crate) numbers: Numbers,
    rng: ChaCha12Rng,
}

impl Trunks {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            up: BTreeMap::new(),
            begun: BTreeMap::new(),
            doors: BTreeMap::new(),
            registrations: BTreeMap::new(),
            blocked: BTreeSet::new(),
            tries: BTreeMap::new(),
            names: names::Names::default(),
            due: Deadlines::default(),
            asked: BTreeMap::new(),
            last_request: 0,
            numbers: Numbers::default(),
            rng: ChaCha12Rng::from_seed(seed),
        }
    }

    /// Whether the trunk may carry one more call, in number, in rate, and by the operator.
    pub(crate) fn has_room(&mut self, trunk: &Trunk, now: Time) -> bool {
        if self.blocked.contains(&trunk.id)
            || self.up.get(&trunk.id).map_or(0, BTreeSet::len) >= trunk.max_calls as usize
        {
            return false;
        }
        let Some(rate) = trunk.calls_per_second else {
            return true;
        };
        let begun = self.begun.entry(trunk.id.clone()).or_default();
        while begun.front().is_some_and(|at| now.since(*at) >= SECOND) {
            begun.pop_front();
        }
        begun.len() < rate as usize
    }

    /// Whether the trunk could carry one more call now.
    pub(crate) fn room(&self, trunk: &Trunk, now: Time) -> TrunkRoom {
        let up = self.up.get(&trunk.id).map_or(0, BTreeSet::len);
        let begun = || {
            let begun = self.begun.get(&trunk.id).into_iter().flatten();
            begun.filter(|at| now.since(**at) < SECOND).count()
        };
        let down = |at: usize| self.state(&trunk.id, at) == GatewayState::Down;
        if trunk.gateways.is_empty() {
            TrunkRoom::Missing
        } else if self.blocked.contains(&trunk.id) {
            TrunkRoom::Blocked
        } else if (0..trunk.gateways.len()).all(down) {
            TrunkRoom::Down
        } else if up >= trunk.max_calls as usize
            || trunk.calls_per_second.is_some_and(|rate| begun() >= rate as usize)
        {
            TrunkRoom::Full
        } else {
            TrunkRoom::Ready
        }
    }

    /// The trunk carries this call now.
    pub(crate) fn add(&mut self, trunk: &Trunk, call: CallId, now: Time) {
        if trunk.calls_per_second.is_some() {
            self.begun.entry(trunk.id.clone()).or_default().push_back(now);
        }
        self.up.entry(trunk.id.clone()).or_default().insert(call);
    }

    /// A leg of the trunk has come into a call that was counted elsewhere before.
    pub(crate) fn carries(&mut self, trunk: &TrunkId, call: CallId) {
        self.up.entry(trunk.clone()).or_default().insert(call);
    }

    /// The last leg of the trunk has left a call that may go on.
    pub(crate) fn carries_no_more(&mut self, trunk: &TrunkId, call: CallId) {
        if let Some(calls) = self.up.get_mut(trunk) {
            calls.remove(&call);
            if calls.is_empty() {
                self.up.remove(trunk);
            }
        }
    }

    /// The call is over.
    pub(crate) fn forget(&mut self, call: CallId, legs: &[LegId]) {
        self.up.retain(|_, calls| {
            calls.remove(&call);
            !calls.is_empty()
        });
        self.numbers.forget(call, legs);
        for leg in legs {
            self.settled(*leg);
        }
    }

    /// A leg's INVITE is decided, one way or the other.
    pub(crate) fn settled(&mut self, leg: LegId) -> Option<Try> {
        self.due.clear(&Due::Silence(leg));
        self.tries.remove(&leg)
    }

    /// Whether no trunk carries a call.
    pub(crate) fn is_empty(&self) -> bool {
        self.up.is_empty() && self.tries.is_empty() && self.numbers.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.due.next()
    }

    /// Exchanges the names of gateways; gives the configuration with what is known of them put in.
    pub(crate) fn configure_names(
        &mut self,
        given: &Arc<Snapshot>,
        old: &Snapshot,
        now: Time,
    ) -> Arc<Snapshot> {
        self.names.configure(given, old, &mut self.due, now);
        self.names.found(given)
    }

    /// Exchanges the configuration. Gateways that stay keep what is known of them; what is new is asked at once.
    pub(crate) fn configure(&mut self, snapshot: &Snapshot, old: &Snapshot, now: Time) {
        let trunks: BTreeMap<&TrunkId, &Trunk> =
            snapshot.tenants.values().flat_map(|tenant| tenant.trunks.values()).map(|t| (&t.id, t)).collect();
        self.doors.retain(|id, _| trunks.contains_key(id));
        self.blocked.retain(|id| trunks.contains_key(id));
        self.begun.retain(|id, _| trunks.contains_key(id));
        let registers =
            |trunk: &Trunk| trunk.account.as_ref().is_some_and(|account| account.register.is_some());
        self.registrations.retain(|id, _| trunks.get(id).is_some_and(|trunk| registers(trunk)));
        for (id, trunk) in trunks {
            let same = old.trunk(id).is_some_and(|before| before == trunk);
            if same {
                continue;
            }
            self.move_doors(trunk, old.trunk(id));
            for at in 0..trunk.gateways.len() {
                self.due.clear(&Due::Probe(id.clone(), at));
                if trunk.health.every.is_some() {
                    self.due.set(Due::Probe(id.clone(), at), now, TimerReason("trunk probe"));
                }
            }
            self.due.clear(&Due::Register(id.clone()));
            if registers(trunk) {
                self.registrations.entry(id.clone()).or_default();
                self.due.set(Due::Register(id.clone()), now, TimerReason("trunk register"));
            }
        }
    }

    /// Gateways that stay keep what is known of them, and calls on their way the gateways that they may still try.
    fn move_doors(&mut self, trunk: &Trunk, before: Option<&Trunk>) {
        let was = before.map_or(&[][..], |before| before.gateways.as_slice());
        let same = |a: &Gateway, b: &Gateway| a.address == b.address && a.transport == b.transport;
        let doors = self.doors.remove(&trunk.id).unwrap_or_default();
        let door = |gateway: &Gateway| {
            let at = was.iter().position(|before| same(before, gateway))?;
            doors.get(at).copied()
        };
        let kept = trunk.gateways.iter().map(|gateway| door(gateway).unwrap_or_default()).collect();
        self.doors.insert(trunk.id.clone(), kept);
        let now_at = |at: usize| {
            let gateway = was.get(at)?;
            trunk.gateways.iter().position(|now| same(now, gateway))
        };
        for way in self.tries.values_mut().filter(|way| way.trunk == trunk.id) {
            way.gateway = now_at(way.gateway).unwrap_or(usize::MAX);
            way.left = way.left.iter().filter_map(|at| now_at(*at)).collect();
        }
    }

    fn state(&self, trunk: &TrunkId, gateway: usize) -> GatewayState {
        let doors = self.doors.get(trunk);
        doors.and_then(|doors| doors.get(gateway)).map_or(GatewayState::Unknown, |door| door.state)
    }

    /// Takes note of what was seen of a gateway; the new state if it changed.
    fn see(&mut self, trunk: &Trunk, gateway: usize, seen: Seen) -> Option<GatewayState> {
        let door = self.doors.get_mut(&trunk.id)?.get_mut(gateway)?;
        door.see(seen, &trunk.health).then_some(door.state)
    }

    /// The gateways that a call may try, in order. One for help may try those that count as down, too, after all others.
    fn ways(&mut self, trunk: &Trunk, urgent: bool) -> VecDeque<usize> {
        let order = select::order(&trunk.gateways, &mut self.rng);
        let lives = |at: &usize| self.state(&trunk.id, *at) != GatewayState::Down;
        let (alive, down): (Vec<usize>, Vec<usize>) = order.into_iter().partition(lives);
        alive.into_iter().chain(down.into_iter().filter(|_| urgent)).collect()
    }

    /// A gateway says that the called party rings.
    pub(crate) fn rang(&mut self, leg: LegId) {
        if let Some(way) = self.tries.get_mut(&leg) {
            way.beyond.rang = true;
        }
    }

    fn jitter(&mut self) -> u32 {
        self.rng.next_u32() % 100
    }

    fn request(&mut self, asked: Asked) -> RequestId {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        self.asked.insert(id, asked);
        id
    }

    /// The trunks of a tenant as readers see them.
    pub(crate) fn views(&self, snapshot: &Snapshot, tenant: TenantId) -> Vec<TrunkView> {
        let trunks = snapshot.tenant(tenant).map(|tenant| tenant.trunks.values());
        let view = |trunk: &Trunk| TrunkView {
            trunk: trunk.id.clone(),
            calls: u32::try_from(self.up.get(&trunk.id).map_or(0, BTreeSet::len)).unwrap_or(u32::MAX),
            max_calls: trunk.max_calls,
            blocked: self.blocked.contains(&trunk.id),
            gateways: self.gateway_views(trunk),
            registration: self.registrations.get(&trunk.id).map(|registration| RegistrationView {
                registered: registration.registered,
                last_status: registration.last,
            }),
        };
        trunks.into_iter().flatten().map(view).collect()
    }

    fn gateway_views(&self, trunk: &Trunk) -> Vec<GatewayView> {
        let view = |(at, gateway): (usize, &cordboard_model::config::Gateway)| GatewayView {
            address: act::shown(gateway),
            state: self.state(&trunk.id, at),
        };
        trunk.gateways.iter().enumerate().map(view).collect()
    }

    /// How many gateways of all trunks count as down.
    pub(crate) fn down(&self) -> u64 {
        let down = |doors: &Vec<Door>| doors.iter().filter(|door| door.state == GatewayState::Down).count();
        self.doors.values().map(down).sum::<usize>() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::IdMaker;

    #[test]
    fn a_full_trunk_has_room_again_when_a_call_ends() {
        let trunk = Trunk { max_calls: 1, ..Trunk::new(TrunkId::new(TenantId::DEFAULT, "carrier").unwrap()) };
        let call = IdMaker::new(1, 0).call(TenantId::DEFAULT);
        let mut trunks = Trunks::new([1; 32]);
        assert!(trunks.has_room(&trunk, Time::ZERO));
        trunks.add(&trunk, call, Time::ZERO);
        trunks.add(&trunk, call, Time::ZERO);
        assert!(!trunks.has_room(&trunk, Time::ZERO));
        trunks.forget(call, &[]);
        assert!(trunks.has_room(&trunk, Time::ZERO) && trunks.is_empty());
    }

    #[test]
    fn calls_in_one_second_are_counted_over_any_second() {
        let id = TrunkId::new(TenantId::DEFAULT, "carrier").unwrap();
        let trunk = Trunk { calls_per_second: Some(2), ..Trunk::new(id) };
        let mut ids = IdMaker::new(1, 0);
        let mut trunks = Trunks::new([1; 32]);
        let mut taken = String::new();
        for ms in [0, 900, 950, 1_000, 1_850, 1_900, 1_999, 3_500] {
            let now = Time::from_millis(ms);
            let room = trunks.has_room(&trunk, now);
            taken.push(if room { 'y' } else { 'n' });
            if room {
                trunks.add(&trunk, ids.call(TenantId::DEFAULT), now);
            }
        }
        assert_eq!(taken, "yynynyny");
    }
}
