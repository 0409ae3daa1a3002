//! The limit of open files: four sockets for every call that may be up, beside what the switch needs itself.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sockets of a bridged call: RTP and RTCP of two legs.
const PER_CALL: u64 = 4;
/// Most connections to the control plane, event streams included.
const CONNECTIONS: u64 = 4_096;
/// What the switch has open without calls and connections, with room to spare.
const OWN: u64 = 512;
/// Connections there is always room for.
const CONNECTIONS_MIN: u64 = 128;

/// Raises the soft limit to the hard one, as any process may, so that calls, connections to the control plane and those
/// for SIP have room beside each other. Gives a warning in words if even that is too little for so many calls.
pub fn raise_limit(calls: u32, sip_connections: u32) -> Option<String> {
    let now = getrlimit(Resource::Nofile);
    let wanted = u64::from(calls) * PER_CALL + OWN;
    let welcome = wanted + CONNECTIONS + u64::from(sip_connections);
    if now.current.is_none_or(|current| current >= welcome) {
        return None;
    }
    let raised =
        Rlimit { current: now.maximum.map(|most| most.min(welcome)).or(Some(welcome)), maximum: now.maximum };
    let refused = setrlimit(Resource::Nofile, raised).err();
    let have = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if have >= wanted {
        return None;
    }
    let why = refused.map(|why| format!(" ({why})")).unwrap_or_default();
    let enough = have.saturating_sub(OWN) / PER_CALL;
    Some(format!(
        "this process may open {have} files{why}, enough for {enough} calls and not for limits.calls = {calls}: raise its \
         limit (LimitNOFILE in a systemd unit, ulimit -Hn in a shell) to {wanted}, or lower limits.calls"
    ))
}

/// How many connections the control plane may have, so that so many calls find their descriptors.
pub fn connections(calls: u32) -> usize {
    let have = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    room(have, calls)
}

fn room(have: u64, calls: u32) -> usize {
    let left = have.saturating_sub(u64::from(calls) * PER_CALL + OWN);
    usize::try_from(left.clamp(CONNECTIONS_MIN, CONNECTIONS)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_get_what_calls_leave() {
        assert_eq!([room(u64::MAX, 4_000), room(20_000, 4_000), room(1_024, 4_000)], [4_096, 3_488, 128]);
    }

    #[test]
    fn the_limit_is_raised_as_far_as_needed_and_too_little_is_told() {
        assert_eq!(raise_limit(10, 0), None);
        let told = raise_limit(u32::MAX, 0).unwrap_or_default();
        let most = getrlimit(Resource::Nofile).maximum;
        assert!(most.is_none() || told.contains("limits.calls"), "{told}");
    }
}
