//! Symmetric RTP (RFC 4961, RFC 7362 4): whom to believe and where to send.
//!
//! Invariant: once locked to the address of the session description, only a new negotiation unlocks. Until then that
//! address is believed at once, and another one only when it has shown a run of packets in sequence while the first was
//! silent: a forger would have to be there before the phone, and loses the place when the phone speaks from where it
//! said it would, or from the host that its signalling comes from. (A phone behind NAT speaks from elsewhere and is believed like any other: whoever is first. Where a
//! call rang at two of them and both answered, the one that is sent away may have spoken first; so for a few seconds,
//! and again after each new description, such a lock passes on when its holder falls silent.)

use cordboard_model::time::{Duration, Time};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

/// How long another address must wait after a packet from the negotiated one.
const NEGOTIATED_REIGNS: Duration = Duration::from_secs(1);
/// How long after it was made a lock to another than the negotiated address may pass on.
const LOCK_IS_FRESH: Duration = Duration::from_secs(5);
/// How long after a description a holder from another host than the signalling's may lose its lock to one from there, though it speaks.
const HOLDER_MAY_BE_WRONG: Duration = Duration::from_secs(30);
/// And how long its holder must have been silent: 25 packets of the usual length.
const HOLDER_IS_GONE: Duration = Duration::from_millis(500);
/// Largest step of the sequence number within a run: loss and reordering, not another stream.
const STEP_MAX: u16 = 16;
/// Unknown addresses watched at once: up to three that spray packets cannot keep another from its
/// run. Who forges more addresses than that before the phone speaks can delay the lock, not take it.
const CANDIDATES: usize = 4;

/// What a packet's source is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// From the party. `locked` when this packet is the one that settled it.
    Accepted { locked: bool },
    /// Perhaps from the party; not believed yet.
    Probation,
    /// From somebody else.
    Foreign,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    from: SocketAddr,
    ssrc: u32,
    sequence: u16,
    count: u8,
}

impl Run {
    fn new(from: SocketAddr, ssrc: u32, sequence: u16) -> Self {
        Self { from, ssrc, sequence, count: 1 }
    }

    /// Goes on with this packet, or begins anew with it; how many there are now.
    fn add(run: &mut Option<Run>, from: SocketAddr, ssrc: u32, sequence: u16) -> u8 {
        let fresh = Run::new(from, ssrc, sequence);
        let Some(run) = run.as_mut() else {
            *run = Some(fresh);
            return 1;
        };
        let step = sequence.wrapping_sub(run.sequence);
        if !same(run.from, from) || run.ssrc != ssrc {
            *run = fresh;
        } else if (1..=STEP_MAX).contains(&step) {
            run.sequence = sequence;
            run.count = run.count.saturating_add(1);
        } else if step != 0 && step.wrapping_neg() > STEP_MAX {
            *run = fresh;
        }
        run.count
    }
}

/// The source of one leg's RTP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latch {
    negotiated: SocketAddr,
    negotiated_heard: Option<Time>,
    negotiated_run: Option<Run>,
    others: [Option<Run>; CANDIDATES],
    locked: Option<SocketAddr>,
    locked_at: Time,
    locked_heard: Time,
    /// When the party last described its stream.
    described_at: Option<Time>,
    needed: u8,
    /// The host of the party's signalling.
    signals: Option<IpAddr>,
    /// ICE decides, and nothing is learnt from packets.
    steered: bool,
}

impl Latch {
    /// Learns; `needed` packets in sequence lock.
    pub(crate) fn new(negotiated: SocketAddr, needed: u8) -> Self {
        Self {
            negotiated,
            negotiated_heard: None,
            negotiated_run: None,
            others: [None; CANDIDATES],
            locked: None,
            locked_at: Time::ZERO,
            locked_heard: Time::ZERO,
            described_at: None,
            needed: needed.max(1),
            signals: None,
            steered: false,
        }
    }

    /// Where ICE says, and nowhere else.
    pub(crate) fn steered(to: Option<SocketAddr>) -> Self {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        Self { locked: to, steered: true, ..Self::new(nowhere, 1) }
    }

    /// Whether ICE decides.
    pub(crate) fn is_steered(&self) -> bool {
        self.steered
    }

    /// The party has described its stream, and its signalling comes from `signals`. A lock that there is may pass on again, to the same
    /// host or to that of the signalling: its router may have forgotten the way while it was silent (RFC 4787 4.3), for the length of a
    /// hold for one, and then it speaks from another port.
    pub(crate) fn described(self, signals: Option<IpAddr>, now: Time) -> Self {
        Self { signals: signals.map(|host| host.to_canonical()), described_at: Some(now), ..self }
    }

    /// The same, with nothing learnt yet, where ICE decides no longer.
    pub(crate) fn unsteered(&self, negotiated: SocketAddr, needed: u8) -> Self {
        Self { signals: self.signals, described_at: self.described_at, ..Self::new(negotiated, needed) }
    }

    /// Judges a packet that is RTP of a payload type we know.
    pub(crate) fn admit(&mut self, from: SocketAddr, ssrc: u32, sequence: u16, now: Time) -> Admission {
        if self.steered {
            let is_party = self.locked.is_none_or(|locked| same(locked, from));
            return if is_party { Admission::Accepted { locked: false } } else { Admission::Foreign };
        }
        if let Some(locked) = self.locked {
            if same(locked, from) {
                self.locked_heard = now;
                return Admission::Accepted { locked: false };
            }
            return match same(self.negotiated, from) {
                true => self.reclaim(from, ssrc, sequence, now),
                false if self.is_nearer(from, locked, now) => self.displace(from, ssrc, sequence, now),
                false => self.succeed(locked, from, ssrc, sequence, now),
            };
        }
        if same(self.negotiated, from) {
            self.negotiated_heard = Some(now);
            let count = Run::add(&mut self.negotiated_run, from, ssrc, sequence);
            let locked = count >= self.needed;
            self.locked = locked.then_some(from);
            return Admission::Accepted { locked };
        }
        let reigns = |heard: Time| now.since(heard) < NEGOTIATED_REIGNS;
        if self.negotiated_heard.is_some_and(reigns) {
            self.others = [None; CANDIDATES];
            return Admission::Probation;
        }
        if Run::add(self.candidate(from), from, ssrc, sequence) < self.needed {
            return Admission::Probation;
        }
        (self.locked, self.locked_at, self.locked_heard) = (Some(from), now, now);
        Admission::Accepted { locked: true }
    }

    fn is_signalling(&self, addr: SocketAddr) -> bool {
        self.signals == Some(addr.ip().to_canonical())
    }

    fn is_lately_described(&self, now: Time, within: Duration) -> bool {
        self.described_at.is_some_and(|at| now.since(at) < within)
    }

    /// Whether it comes from the host of the party's signalling, and the holder neither does nor was negotiated. A holder who has been
    /// heard for long is the party: others may be behind the same router as its signalling.
    fn is_nearer(&self, from: SocketAddr, holder: SocketAddr, now: Time) -> bool {
        self.is_signalling(from)
            && !self.is_signalling(holder)
            && !same(holder, self.negotiated)
            && self.is_lately_described(now, HOLDER_MAY_BE_WRONG)
    }

    /// With a run it takes the lock from a holder of whom less is known, whether that one speaks or not.
    fn displace(&mut self, from: SocketAddr, ssrc: u32, sequence: u16, now: Time) -> Admission {
        if Run::add(self.candidate(from), from, ssrc, sequence) < self.needed {
            return Admission::Probation;
        }
        (self.locked, self.locked_heard) = (Some(from), now);
        Admission::Accepted { locked: true }
    }

    /// A third address speaks although another one has the lock: with a run of its own it succeeds a holder who was
    /// not negotiated either and has fallen silent, if that one got the lock just now or, for its own host and that of the signalling, if
    /// the stream was described just now. Nobody from elsewhere succeeds the host of the signalling.
    fn succeed(
        &mut self,
        holder: SocketAddr,
        from: SocketAddr,
        ssrc: u32,
        sequence: u16,
        now: Time,
    ) -> Admission {
        let is_host = from.ip().to_canonical() == holder.ip().to_canonical();
        let fresh = match is_host || self.is_signalling(from) {
            true => self.is_lately_described(now, LOCK_IS_FRESH) || now.since(self.locked_at) < LOCK_IS_FRESH,
            false => now.since(self.locked_at) < LOCK_IS_FRESH && !self.is_signalling(holder),
        };
        let gone = now.since(self.locked_heard) >= HOLDER_IS_GONE;
        if same(holder, self.negotiated) || !fresh || !gone {
            return Admission::Foreign;
        }
        if Run::add(self.candidate(from), from, ssrc, sequence) < self.needed {
            return Admission::Probation;
        }
        (self.locked, self.locked_heard) = (Some(from), now);
        Admission::Accepted { locked: true }
    }

    /// The negotiated address speaks although another one has the lock: with a run of its own it takes it back.
    fn reclaim(&mut self, from: SocketAddr, ssrc: u32, sequence: u16, now: Time) -> Admission {
        self.negotiated_heard = Some(now);
        if Run::add(&mut self.negotiated_run, from, ssrc, sequence) < self.needed {
            return Admission::Probation;
        }
        self.locked = Some(from);
        Admission::Accepted { locked: true }
    }

    /// Where the run of an unknown address is kept; a new one takes the place of the shortest.
    fn candidate(&mut self, from: SocketAddr) -> &mut Option<Run> {
        let count = |run: &Option<Run>| match run {
            Some(run) if same(run.from, from) => None,
            Some(run) => Some(run.count),
            None => Some(0),
        };
        let mut best = 0;
        for (at, run) in self.others.iter().enumerate() {
            // `None`, its own, is less than any count.
            if count(run) < count(&self.others[best]) {
                best = at;
            }
        }
        &mut self.others[best]
    }

    /// Whether this is the address that is believed now.
    pub(crate) fn is_party(&self, from: SocketAddr) -> bool {
        same(self.locked.unwrap_or(self.negotiated), from)
    }

    /// Whether the address belongs to the host that is believed now (its RTCP, for one).
    pub(crate) fn is_party_host(&self, from: SocketAddr) -> bool {
        let party = self.locked.unwrap_or(if self.steered { from } else { self.negotiated });
        party.ip().to_canonical() == from.ip().to_canonical()
    }

    /// Where to send; `None` when the description named no address or port (an old way to hold), or many hosts at once,
    /// which is nobody's phone.
    pub(crate) fn destination(&self) -> Option<SocketAddr> {
        let to = self.locked.unwrap_or(self.negotiated);
        let many = match to.ip().to_canonical() {
            IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast(),
            IpAddr::V6(ip) => ip.is_multicast(),
        };
        (!to.ip().is_unspecified() && !many && to.port() != 0).then_some(to)
    }

    /// The address of the session description.
    pub(crate) fn negotiated(&self) -> SocketAddr {
        self.negotiated
    }
}

/// Equal addresses, however the socket writes them (IPv4 in IPv6 on a dual-stack one).
fn same(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port() && (a == b || a.ip().to_canonical() == b.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Admission::{Accepted, Foreign, Probation};

    const PHONE: &str = "192.0.2.1:4000";
    const NAT: &str = "198.51.100.7:31000";
    const FORGER: &str = "203.0.113.66:4000";

    struct Script(Latch);

    impl Script {
        fn new() -> Self {
            Self(Latch::new(PHONE.parse().unwrap(), 3))
        }
        fn at(&mut self, ms: u64, from: &str, ssrc: u32, sequence: u16) -> Admission {
            let from = from.parse().unwrap();
            self.0.admit(from, ssrc, sequence, Time::from_millis(ms))
        }
    }

    #[test]
    fn the_negotiated_address_is_believed_at_once_and_locked_at_the_third_packet() {
        let mut s = Script::new();
        assert_eq!(s.at(0, PHONE, 1, 10), Accepted { locked: false });
        assert_eq!(s.at(20, PHONE, 1, 11), Accepted { locked: false });
        assert_eq!(s.at(40, PHONE, 1, 12), Accepted { locked: true });
        assert_eq!(s.at(60, PHONE, 9, 500), Accepted { locked: false });
        assert_eq!(s.at(60, FORGER, 1, 13), Foreign);
    }

    #[test]
    fn another_address_is_believed_after_a_run_and_becomes_the_destination() {
        let mut s = Script::new();
        assert_eq!(s.at(0, NAT, 1, 10), Probation);
        assert_eq!(s.at(20, NAT, 1, 11), Probation);
        assert_eq!(s.0.destination(), PHONE.parse().ok());
        assert_eq!(s.at(40, NAT, 1, 13), Accepted { locked: true });
        assert_eq!(s.0.destination(), NAT.parse().ok());
        assert_eq!(s.at(60, FORGER, 1, 14), Foreign);
        assert_eq!(s.at(60, PHONE, 1, 14), Probation);
    }

    #[test]
    fn a_forger_who_was_first_loses_the_place_to_the_phone_for_good() {
        let mut s = Script::new();
        for n in 0..3 {
            s.at(u64::from(n), FORGER, 7, n);
        }
        assert_eq!(s.0.destination(), FORGER.parse().ok());
        assert_eq!(s.at(500, PHONE, 1, 10), Probation);
        assert_eq!(s.at(510, FORGER, 7, 4), Accepted { locked: false });
        assert_eq!(s.at(520, PHONE, 1, 11), Probation);
        assert_eq!(s.at(540, PHONE, 1, 12), Accepted { locked: true });
        assert_eq!(s.0.destination(), PHONE.parse().ok());
        for n in 0..100 {
            assert_eq!(s.at(2_000 + u64::from(n), FORGER, 7, 5 + n), Foreign);
        }
    }

    /// What comes to a port of a call that a crash has ended is such a forger, too.
    #[test]
    fn a_forger_who_was_first_loses_the_place_to_the_host_that_the_signalling_comes_from() {
        let mut s = Script::new();
        s.0 = s.0.described("198.51.100.7".parse().ok(), Time::ZERO);
        for n in 0..3 {
            s.at(u64::from(n), FORGER, 7, n);
        }
        assert_eq!(s.0.destination(), FORGER.parse().ok());
        for n in 0..3 {
            let expected = if n == 2 { Accepted { locked: true } } else { Probation };
            assert_eq!(s.at(10_000 + 20 * u64::from(n), NAT, 1, 10 + n), expected);
            let forged = s.at(10_001 + 20 * u64::from(n), FORGER, 7, 5 + n);
            assert_eq!(forged, if n == 2 { Foreign } else { Accepted { locked: false } });
        }
        assert_eq!(s.0.destination(), NAT.parse().ok());
        assert_eq!(s.at(10_100, "198.51.100.7:9", 3, 1), Foreign, "a neighbour behind the same router");
        for n in 0..10 {
            assert_eq!(s.at(11_000 + u64::from(n), FORGER, 7, 20 + n), Foreign, "while it is silent");
        }
    }

    #[test]
    fn a_neighbour_of_the_signalling_does_not_take_the_place_of_who_was_heard_for_long() {
        const NEIGHBOUR: &str = "198.51.100.99:4000";
        let mut s = Script::new();
        s.0 = s.0.described("198.51.100.99".parse().ok(), Time::ZERO);
        for n in 0..3 {
            s.at(20 * u64::from(n), NAT, 1, n);
        }
        for n in 0..10 {
            assert_eq!(s.at(40_000 + 20 * u64::from(n), NEIGHBOUR, 7, n), Foreign);
        }
    }

    #[test]
    fn a_forger_does_not_win_against_a_phone_that_speaks() {
        let mut s = Script::new();
        assert_eq!(s.at(0, FORGER, 7, 1), Probation);
        assert_eq!(s.at(1, PHONE, 1, 10), Accepted { locked: false });
        for n in 0..100 {
            assert_eq!(s.at(2 + n, FORGER, 7, 2 + n as u16), Probation);
        }
        assert_eq!(s.at(120, PHONE, 1, 11), Accepted { locked: false });
        assert_eq!(s.at(140, PHONE, 1, 12), Accepted { locked: true });
        assert_eq!(s.at(141, FORGER, 7, 200), Foreign);
    }

    #[test]
    fn three_forgers_who_spray_do_not_keep_a_phone_behind_a_nat_from_its_run() {
        let mut s = Script::new();
        for n in 0..3 {
            let expected = if n == 2 { Accepted { locked: true } } else { Probation };
            assert_eq!(s.at(20 * u64::from(n), NAT, 1, 10 + n), expected);
            for k in 0..3 {
                let from = format!("203.0.113.{k}:5000");
                let judged = s.at(20 * u64::from(n) + 1, &from, 7, n * 1_000);
                assert_ne!(judged, Accepted { locked: true });
            }
        }
    }

    #[test]
    fn after_a_hold_a_phone_behind_a_nat_may_speak_from_elsewhere_and_nobody_else_while_it_speaks() {
        const MOVED: &str = "198.51.100.7:31999";
        let mut s = Script::new();
        for n in 0..3 {
            s.at(20 * u64::from(n), NAT, 1, n);
        }
        assert_eq!(s.at(100_000, MOVED, 1, 3), Foreign, "nothing was agreed on anew");
        s.0 = s.0.described(None, Time::from_millis(200_000));
        assert_eq!(s.at(200_020, NAT, 1, 10), Accepted { locked: false });
        assert_eq!(s.at(200_040, MOVED, 1, 11), Foreign, "the old address speaks");
        s.0 = s.0.described(None, Time::from_millis(300_000));
        for n in 0..10 {
            assert_eq!(s.at(300_001 + u64::from(n), FORGER, 7, n), Foreign, "another host");
        }
        for n in 0..3 {
            let expected = if n == 2 { Accepted { locked: true } } else { Probation };
            assert_eq!(s.at(300_020 + 20 * u64::from(n), MOVED, 1, 20 + n), expected);
        }
        assert_eq!(s.0.destination(), MOVED.parse().ok());
        s.0 = s.0.described(None, Time::from_millis(400_000));
        assert_eq!(s.at(405_000, NAT, 1, 30), Foreign, "that was long ago");
    }

    /// A call rang at two phones behind NATs and both answered. The one that was sent away had spoken first and had the
    /// lock, and nobody heard the other for the length of the call.
    #[test]
    fn a_phone_that_is_sent_away_leaves_its_place_to_the_one_that_stays() {
        const OTHER: &str = "198.51.100.8:31000";
        let mut s = Script::new();
        for n in 0..5 {
            s.at(20 * u64::from(n), NAT, 1, n);
            s.at(20 * u64::from(n) + 10, OTHER, 2, n);
        }
        assert_eq!(s.0.destination(), NAT.parse().ok());
        assert_eq!(s.at(570, OTHER, 2, 28), Foreign);
        assert_eq!(s.at(590, OTHER, 2, 29), Probation);
        assert_eq!(s.at(610, OTHER, 2, 30), Probation);
        assert_eq!(s.at(630, OTHER, 2, 31), Accepted { locked: true });
        assert_eq!(s.0.destination(), OTHER.parse().ok());
        assert_eq!(s.at(640, NAT, 1, 40), Foreign);
    }

    #[test]
    fn a_forger_gets_no_place_of_a_phone_that_fell_silent_later() {
        let mut s = Script::new();
        for n in 0..300 {
            s.at(20 * u64::from(n), NAT, 1, n);
        }
        for n in 0..300 {
            assert_eq!(s.at(10_000 + 20 * u64::from(n), FORGER, 7, n), Foreign);
        }
    }

    #[test]
    fn scattered_packets_are_no_run() {
        let mut s = Script::new();
        for n in 0..20u16 {
            assert_eq!(s.at(0, NAT, 1, n.wrapping_mul(1_000)), Probation);
            assert_eq!(s.at(0, NAT, u32::from(n) + 2, n), Probation);
        }
        assert_eq!(s.at(0, NAT, 50, 8), Probation);
        assert_eq!(s.at(0, NAT, 50, 8), Probation, "the same packet again");
        assert_eq!(s.at(0, NAT, 50, 7), Probation, "reordered: neither counts nor breaks");
        assert_eq!(s.at(0, NAT, 50, 9), Probation);
        assert_eq!(s.at(0, NAT, 50, 10), Accepted { locked: true });
    }

    #[test]
    fn an_address_in_ipv6_clothes_is_the_same() {
        let mut s = Script::new();
        assert_eq!(s.at(0, "[::ffff:192.0.2.1]:4000", 1, 1), Accepted { locked: false });
    }

    #[test]
    fn nowhere_is_no_destination() {
        for nowhere in
            ["0.0.0.0:4000", "192.0.2.1:0", "[::]:9", "255.255.255.255:9", "224.0.0.1:9", "[ff02::1]:9"]
        {
            assert_eq!(Latch::new(nowhere.parse().unwrap(), 3).destination(), None);
        }
    }
}
