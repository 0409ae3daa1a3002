//! How many are called at a time.

use cordboard_model::campaign::CampaignSpec;

/// Who is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// Agents of the queue who get the next call.
    pub ready: u32,
    /// Callers who wait in it already: they come first.
    pub waiting: u32,
}

/// How many more to call. `hand`: how many are being called or talked to, and for how many of them an agent will be wanted who
/// is free now.
///
/// By a flow: as many as it has lines. To agents: so many for each hundred who are free, less those who wait already and those
/// who may answer any moment; where the agent comes first, one for each who is free and no more.
pub fn wanted(spec: &CampaignSpec, floor: Floor, hand: (u32, u32)) -> u32 {
    let (in_hand, unserved) = hand;
    let lines = spec.lines.saturating_sub(in_hand);
    if spec.kind.is_by_flow() {
        return lines;
    }
    let free = u64::from(floor.ready);
    let calls = match spec.kind.is_agent_first() {
        true => free,
        false => (free * u64::from(spec.rate)).div_ceil(100),
    };
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    calls.saturating_sub(floor.waiting).saturating_sub(unserved).min(lines)
}
