//! Numbers for what has names or longer ids here: calls and skills.
//!
//! Invariant: a call's number is made of its id alone, so that no restart and no other process changes it.

use super::beside::FloorPlan;
use super::config::GatewayTenant;
use cordboard_model::id::{CallId, LegId, Name, TenantId};
use std::collections::BTreeMap;

/// The first number of a queue that has none of its own.
const SKILL_FIRST: u32 = 100_000;
/// So many numbers are there for those.
const SKILLS: u32 = 800_000;

fn serial(start: u32, shard: u8, number: u64) -> String {
    format!("{start}-{}", (u128::from(number) << 8) | u128::from(shard))
}

/// `SECONDS-N` of a call.
pub(crate) fn of_call(call: CallId) -> String {
    serial(call.start, call.shard, call.number)
}

/// `SECONDS-N` of the talk that a leg makes within a call. Calls and legs are numbered together.
pub(crate) fn of_leg(leg: LegId) -> String {
    serial(leg.start, leg.shard, leg.number)
}

/// The call of a tenant's that a `SECONDS-N` stands for.
pub(crate) fn call_of(tenant: TenantId, text: &str) -> Option<CallId> {
    let (start, serial) = text.split_once('-')?;
    let serial: u128 = serial.parse().ok()?;
    let shard = u8::try_from(serial & 0xff).ok()?;
    Some(CallId { start: start.parse().ok()?, shard, number: u64::try_from(serial >> 8).ok()?, tenant })
}

/// The numbers of a tenant's queues: what is configured, a queue's name where that is a number, or one made of its name.
pub(crate) fn skills(tenant: &GatewayTenant, plan: &FloorPlan) -> BTreeMap<Name, u32> {
    let mut known: BTreeMap<Name, u32> = tenant.skills.clone();
    known.retain(|name, _| plan.queues.contains_key(name));
    let own = |name: &Name| name.as_str().parse::<u32>().ok().filter(|number| (1..=99_999).contains(number));
    for name in plan.queues.keys() {
        let taken = |number: &u32| known.values().any(|known| known == number);
        if let Some(number) = own(name).filter(|number| !known.contains_key(name) && !taken(number)) {
            known.insert(name.clone(), number);
        }
    }
    for name in plan.queues.keys() {
        if known.contains_key(name) {
            continue;
        }
        let mut number = SKILL_FIRST + hash(name.as_str()) % SKILLS;
        while known.values().any(|known| *known == number) {
            number = SKILL_FIRST + (number - SKILL_FIRST + 1) % SKILLS;
        }
        known.insert(name.clone(), number);
    }
    known
}

/// FNV-1a: the same on every machine and in every version.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::super::beside::PlanQueue;
    use super::*;
    use cordboard_model::id::IdMaker;
    use cordboard_model::service::QueueKind;

    #[test]
    fn a_call_and_each_talk_in_it_have_numbers_of_their_own_that_fit_a_record() {
        let mut ids = IdMaker::new(1_456_404_171, 0);
        let (call, leg) = (ids.call(TenantId::DEFAULT), ids.leg(TenantId::DEFAULT));
        assert_eq!((of_call(call), of_leg(leg)), ("1456404171-256".into(), "1456404171-512".into()));
        let other = CallId { shard: 7, number: 1 << 36, ..call };
        assert_eq!(call_of(TenantId::DEFAULT, &of_call(other)), Some(other));
        for none in ["", "5", "a-1", "1--1", "1-99999999999999999999999999999999999999999"] {
            assert_eq!(call_of(TenantId::DEFAULT, none), None, "{none}");
        }
        assert!(of_call(CallId { number: 1 << 36, ..call }).len() <= 25);
    }

    #[test]
    fn a_skill_has_the_number_that_is_said_that_it_is_named_by_or_one_of_its_name() {
        let name = |text: &str| Name::new(text).unwrap();
        let queue = || PlanQueue { display: String::new(), kind: QueueKind::Voice };
        let queues = ["sales", "21", "help", "22"].map(|text| (name(text), queue()));
        let plan = FloorPlan { queues: queues.into(), ..FloorPlan::default() };
        let said = [(name("sales"), 21), (name("gone"), 7)].into();
        let numbers = skills(&GatewayTenant { id: TenantId::DEFAULT, vdn: 1, skills: said }, &plan);
        assert_eq!(numbers.get(&name("sales")), Some(&21));
        assert_eq!(numbers.get(&name("22")), Some(&22));
        assert_eq!(numbers.get(&name("gone")), None);
        let made = [numbers[&name("21")], numbers[&name("help")]];
        assert!(made.iter().all(|number| (SKILL_FIRST..SKILL_FIRST + SKILLS).contains(number)), "{made:?}");
        assert_ne!(made[0], made[1]);
    }
}
