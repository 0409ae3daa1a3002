//! Whether parties who are bridged hear each other.
//!
//! Invariant: a probe counts only if nothing was on hold, cut off or renegotiated from its beginning to its
//! end; then what each party says must be heard by the other, in one of three tries if the network loses.

use super::floor::Floor;
use crate::phone::{Act, CallLog, PhoneCall, PhoneCommand};
use crate::setup::{MUSIC_HZ, WORD_HZ};
use crate::world::World;
use cordboard_model::config::Snapshot;
use cordboard_model::id::{CallId, TenantId};
use cordboard_model::time::{Duration, Time};
use cordboard_model::view::{CallStage, CallView};
use std::collections::{BTreeMap, BTreeSet};

/// How long each says its tone.
const SPEAK: Duration = Duration::from_millis(500);
/// When it is asked whether it was heard: the tone, the network, a lane or two.
const LISTEN: Duration = Duration::from_millis(900);
/// How long after the bridge the first probe begins.
const SETTLE: Duration = Duration::from_millis(700);
const TRIES: u32 = 4;

/// Both ends of a bridged call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    caller: (String, PhoneCall, u16),
    callee: (String, PhoneCall, u16),
}

#[derive(Clone, Debug)]
struct Probe {
    pair: Pair,
    until: Time,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Probes {
    running: BTreeMap<CallId, Probe>,
    /// Since when a call is seen as bridged without a break.
    seen: BTreeMap<CallId, (Time, Pair)>,
    tried: BTreeMap<CallId, u32>,
    /// Calls whose parties heard each other.
    pub heard: BTreeSet<CallId>,
    pub count: usize,
    waits: Waits,
}

impl Probes {
    /// Looks at the world once more. What is wrong is added to `faults`.
    pub fn look(&mut self, world: &mut World, floor: &Floor, faults: &mut Vec<String>) {
        let now = world.now();
        let calls = world.shard().calls(TenantId::DEFAULT);
        self.count += self.waits.look(world, floor, &calls, faults);
        let bridged: BTreeMap<CallId, Pair> =
            calls.iter().filter_map(|call| Some((call.call, pair(world, floor, call)?))).collect();
        // Whoever is joined anew, after a hold for one, is listened to anew.
        self.tried.retain(|call, _| bridged.contains_key(call));
        self.seen.retain(|call, (_, pair)| bridged.get(call) == Some(pair));
        self.running.retain(|call, probe| bridged.get(call) == Some(&probe.pair));
        for (call, pair) in &bridged {
            self.seen.entry(*call).or_insert((now, pair.clone()));
        }
        let due: Vec<CallId> =
            self.running.iter().filter(|(_, p)| p.until <= now).map(|(call, _)| *call).collect();
        for call in due {
            if let Some(probe) = self.running.remove(&call) {
                self.judge(world, floor, call, &probe.pair, faults);
            }
        }
        let settled: Vec<(CallId, Pair)> = self
            .seen
            .iter()
            .filter(|(call, (since, _))| {
                now.since(*since) >= SETTLE && !self.running.contains_key(call) && !self.is_done(call)
            })
            .map(|(call, (_, pair))| (*call, pair.clone()))
            .collect();
        for (call, pair) in settled {
            self.begin(world, call, pair);
        }
    }

    fn is_done(&self, call: &CallId) -> bool {
        self.tried.get(call).is_some_and(|tried| *tried >= TRIES)
    }

    fn begin(&mut self, world: &mut World, call: CallId, pair: Pair) {
        for (name, phone_call, _) in [&pair.caller, &pair.callee] {
            for act in [Act::Listen, Act::Speak(SPEAK)] {
                world.tell(name, PhoneCommand::Do { call: Some(*phone_call), act });
            }
        }
        let until = world.now() + LISTEN;
        self.running.insert(call, Probe { pair, until });
    }

    fn judge(&mut self, world: &World, floor: &Floor, call: CallId, pair: &Pair, faults: &mut Vec<String>) {
        self.count += 1;
        let heard = |ear: &(String, PhoneCall, u16), mouth: &(String, PhoneCall, u16)| {
            let hertz = world.phone(&mouth.0).map_or(0, |phone| phone.tone_hz(mouth.2));
            let (packets, share) = world.phone(&ear.0).map_or((0, 0.0), |p| p.heard(ear.1, hertz));
            (packets, share, packets >= 4 && share > 0.7)
        };
        let (there, back) = (heard(&pair.callee, &pair.caller), heard(&pair.caller, &pair.callee));
        let tried = self.tried.entry(call).or_insert(0);
        if there.2 && back.2 {
            *tried = TRIES;
            self.heard.insert(call);
            return;
        }
        *tried += 1;
        if floor.kind || *tried >= TRIES {
            *tried = TRIES;
            faults.push(format!(
                "{call}: bridged at {:?}, but {} heard {} packets ({:.2}) of {} and {} {} ({:.2}) of it",
                world.now(),
                pair.callee.0,
                there.0,
                there.1,
                pair.caller.0,
                pair.caller.0,
                back.0,
                back.1,
            ));
        }
    }
}

/// Whether callers who wait hear music.
#[derive(Debug, Default)]
struct Waits {
    /// Since when a caller is seen waiting, by which phone and call, and whether it listens.
    seen: BTreeMap<CallId, (Time, String, PhoneCall, bool)>,
    done: BTreeSet<CallId>,
}

impl Waits {
    /// Gives how many were judged.
    fn look(
        &mut self,
        world: &mut World,
        floor: &Floor,
        calls: &[CallView],
        faults: &mut Vec<String>,
    ) -> usize {
        let now = world.now();
        // A call whose queue sent it on to a phone rings there too; only the queue knows who waits.
        let queues = world.shard().queues(TenantId::DEFAULT);
        let queued: BTreeSet<CallId> =
            queues.iter().flat_map(|queue| queue.waiting.iter().map(|waits| waits.call)).collect();
        let queued = calls.iter().filter(|call| queued.contains(&call.call));
        let waiting: BTreeMap<CallId, (String, PhoneCall)> =
            queued.filter_map(|call| Some((call.call, waits(world, floor, call)?))).collect();
        self.seen.retain(|call, (_, name, phone_call, _)| {
            waiting.get(call).is_some_and(|(n, p)| n == name && p == phone_call)
        });
        let mut judged = 0;
        for (call, (name, phone_call)) in waiting {
            if self.done.contains(&call) {
                continue;
            }
            let entry = self.seen.entry(call).or_insert((now, name.clone(), phone_call, false));
            let age = now.since(entry.0);
            if age >= SETTLE && !entry.3 {
                entry.3 = true;
                let act = Act::Listen;
                world.tell(&name, PhoneCommand::Do { call: Some(phone_call), act });
            } else if age >= SETTLE + LISTEN {
                judged += 1;
                self.done.insert(call);
                let heard = |hertz| world.phone(&name).map_or((0, 0.0), |p| p.heard(phone_call, hertz));
                let (packets, music) = heard(MUSIC_HZ);
                // Between the words of an announcement there is music, and between the two a break.
                let share = music + heard(WORD_HZ).1;
                if packets < 4 || share < 0.5 {
                    faults.push(format!(
                        "{call}: waits at {now:?}, but {name} heard {packets} packets ({share:.2}) of music"
                    ));
                }
            }
        }
        judged
    }
}

/// The phone of a caller who waits in a queue with music, if nothing is between it and the switch.
fn waits(world: &World, floor: &Floor, call: &CallView) -> Option<(String, PhoneCall)> {
    let held = call.legs.iter().any(|leg| leg.held);
    let waits = matches!(call.stage, CallStage::Queued | CallStage::Ringing);
    let queue = call.queue.as_ref().filter(|_| waits && !held)?;
    let music = |snapshot: &Snapshot| snapshot.queue(queue).is_some_and(|queue| queue.music.is_some());
    if !music(&floor.snapshot) {
        return None;
    }
    for name in floor.phones.iter().filter(|name| !floor.hurt.contains(*name)) {
        let phone = world.phone(name)?;
        for phone_call in phone.calls() {
            let Some(log) = phone.call_log(phone_call) else { continue };
            let is = log.outgoing && log.display == call.to.display;
            if is && phone.is_up(phone_call) && !is_held(&log) && !world.is_cut(name) {
                return Some((name.clone(), phone_call));
            }
        }
    }
    None
}

/// The phones at both ends, if the call is bridged and nobody is held, muted or cut off.
fn pair(world: &World, floor: &Floor, call: &CallView) -> Option<Pair> {
    let held = call.legs.iter().any(|leg| leg.held || leg.muted);
    if call.stage != CallStage::Bridged || held {
        return None;
    }
    let find = |outgoing: bool| {
        let mut found = None;
        for name in &floor.phones {
            let phone = world.phone(name)?;
            for phone_call in phone.calls() {
                let Some(log) = phone.call_log(phone_call) else { continue };
                let is = match outgoing {
                    true => log.outgoing && log.display == call.to.display,
                    false => !log.outgoing && world.call_of(&log.call_id) == Some(call.call),
                };
                if is && phone.is_up(phone_call) {
                    if is_held(&log) || world.is_cut(name) || found.is_some() {
                        return None;
                    }
                    found = Some((name.clone(), phone_call, log.line));
                }
            }
        }
        found
    };
    Some(Pair { caller: find(true)?, callee: find(false)? })
}

fn is_held(log: &CallLog) -> bool {
    log.held || log.held_by_peer
}
