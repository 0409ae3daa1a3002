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
/// Sockets of a pair of ports: RTP and RTCP.
const PER_PAIR: u64 = 2;
/// Of all files, those for SIP connections take at most this part before calls' ports do: one in so many.
const SIP_PART: u64 = 8;

/// Raises the soft limit to the hard one, as any process may, so that calls, connections to the control plane and those
/// for SIP have room beside each other. Gives a warning in words if even that is too little for so many calls.
pub fn raise_limit(calls: u32, sip_connections: u32) -> Option<String> {
    let now = getrlimit(Resource::Nofile);
    let wanted = u64::from(calls) * PER_CALL + OWN + CONNECTIONS_MIN + u64::from(sip_connections);
    let welcome = wanted + CONNECTIONS - CONNECTIONS_MIN;
    if now.current.is_none_or(|current| current >= welcome) {
        return None;
    }
    let raised =
        Rlimit { current: now.maximum.map(|most| most.min(welcome)).or(Some(welcome)), maximum: now.maximum };
    let refused = setrlimit(Resource::Nofile, raised).err();
    let have = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let enough = pairs_of(have, calls, sip_connections) / 2;
    if enough >= u64::from(calls) {
        return None;
    }
    let why = refused.map(|why| format!(" ({why})")).unwrap_or_default();
    Some(format!(
        "this process may open {have} files{why}, enough for {enough} calls and not for limits.calls = {calls}: raise its \
         limit (LimitNOFILE in a systemd unit, ulimit -Hn in a shell) to {wanted}, or lower limits.calls"
    ))
}

/// How many connections the control plane may have, so that so many calls find their descriptors.
pub fn connections(calls: u32, sip_connections: u32) -> usize {
    let have = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(room(have, calls, sip_connections)).unwrap_or(usize::MAX)
}

/// How many pairs of ports may be bound at once, those that rest after their call included. What the switch needs itself
/// and connections to the control plane and for SIP stay possible when calls have all the rest: a switch that is
/// full has to say so to who asks.
pub fn pairs(calls: u32, sip_connections: u32) -> usize {
    let have = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(pairs_of(have, calls, sip_connections)).unwrap_or(usize::MAX)
}

fn pairs_of(have: u64, calls: u32, sip_connections: u32) -> u64 {
    let sip = sip_part(have, sip_connections);
    have.saturating_sub(OWN + room(have, calls, sip_connections) + sip) / PER_PAIR
}

fn sip_part(have: u64, sip_connections: u32) -> u64 {
    u64::from(sip_connections).min(have / SIP_PART)
}

fn room(have: u64, calls: u32, sip_connections: u32) -> u64 {
    let taken = u64::from(calls) * PER_CALL + OWN + sip_part(have, sip_connections);
    have.saturating_sub(taken).clamp(CONNECTIONS_MIN, CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_get_what_calls_leave() {
        assert_eq!([u64::MAX, 20_000, 1_024].map(|have| room(have, 4_000, 88)), [4_096, 3_400, 128]);
    }

    #[test]
    fn ports_leave_room_for_who_asks_how_it_goes() {
        let bound = |have, calls, sip| pairs_of(have, calls, sip) * PER_PAIR;
        // Of 20,000 files 10,000 calls would take 40,000.
        assert_eq!(bound(20_000, 10_000, 1_024), 20_000 - 512 - 128 - 1_024);
        assert_eq!(bound(20_000, 10_000, 100_000), 20_000 - 512 - 128 - 2_500);
        assert_eq!(bound(600, 10_000, 0), 0);
        // Where there are enough, every call finds its two pairs, whatever connections there may be.
        for more in [0, 1, 500, 100_000] {
            assert!(bound(4_000 * 4 + 512 + 128 + 1_024 + more, 4_000, 1_024) >= 4_000 * 4);
        }
        assert!(bound(u64::MAX, 10_000, 1_024) > 1_000_000);
    }

    #[test]
    fn the_limit_is_raised_as_far_as_needed_and_too_little_is_told() {
        assert_eq!(raise_limit(10, 0), None);
        let told = raise_limit(u32::MAX, 0).unwrap_or_default();
        let most = getrlimit(Resource::Nofile).maximum;
        assert!(most.is_none() || told.contains("limits.calls"), "{told}");
    }
}
