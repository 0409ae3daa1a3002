//! The pairs that a media thread has bound: those of legs, and those that rest.
//!
//! Invariant: a pair that its leg left stays bound until nothing has come for it for the linger time, and is then used
//! before another is bound. So late packets of one call never reach the next, no other program takes the port in
//! between, and a switch that has seen its busiest hour opens no socket for a call any more.

use super::ports::{Pair, PortPool};
use super::readiness::Readiness;
use cordboard_media::PortKey;
use cordboard_model::media::OpenError;
use cordboard_model::time::{Duration, Time};
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};

/// Pairs that are looked at for one that is silent, before another is bound.
const TRIES: usize = 16;

#[derive(Debug)]
struct Bound {
    pair: Pair,
    local: SocketAddr,
    /// Of a pair without a leg: since when nothing has come.
    silent_since: Option<Time>,
}

/// See the module.
#[derive(Debug)]
pub struct Pairs {
    pool: PortPool,
    linger: Duration,
    bound: Vec<Option<Bound>>,
    /// Places of pairs that went to another thread.
    gone: Vec<u32>,
    /// Those without a leg, the longest free first.
    resting: VecDeque<u32>,
}

impl Pairs {
    /// None bound yet. A pair rests until it was silent for `linger`.
    pub fn new(pool: PortPool, linger: Duration) -> Self {
        let room = pool.unbound();
        Self {
            pool,
            linger,
            bound: Vec::with_capacity(room),
            gone: Vec::with_capacity(room),
            resting: VecDeque::with_capacity(room),
        }
    }

    /// A pair for a leg: one that has rested, or a new one, whose RTP socket is watched as twice its key and whose
    /// RTCP socket as one more.
    ///
    /// # Errors
    /// None is free, or the operating system refused.
    pub fn open(&mut self, readiness: &Readiness, now: Time) -> Result<(PortKey, SocketAddr), OpenError> {
        if let Some(key) = self.rested(now)
            && let Some(Some(bound)) = self.bound.get_mut(key as usize)
        {
            bound.silent_since = None;
            return Ok((PortKey(key), bound.local));
        }
        let pair = self.pool.open()?;
        match self.adopt(readiness, pair) {
            Ok(opened) => Ok(opened),
            Err(pair) => {
                self.pool.give_back(pair);
                Err(OpenError::BindFailed)
            }
        }
    }

    /// Takes in a bound pair: a new one, or a leg's that comes from another thread.
    ///
    /// # Errors
    /// The operating system refuses to watch it; it is given back.
    pub fn adopt(&mut self, readiness: &Readiness, pair: Pair) -> Result<(PortKey, SocketAddr), Pair> {
        let key = self.gone.pop().unwrap_or(self.bound.len() as u32);
        let number = u64::from(key) * 2;
        let watched =
            readiness.watch(&pair.rtp, number).and_then(|()| readiness.watch(&pair.rtcp, number + 1));
        let Ok(local) = watched.and_then(|()| pair.rtp.local_addr()) else {
            readiness.forget(&pair.rtp);
            readiness.forget(&pair.rtcp);
            if (key as usize) < self.bound.len() {
                self.gone.push(key);
            }
            return Err(pair);
        };
        let bound = Some(Bound { pair, local, silent_since: None });
        match self.bound.get_mut(key as usize) {
            Some(place) => *place = bound,
            None => self.bound.push(bound),
        }
        Ok((PortKey(key), local))
    }

    /// Lets a leg's pair go to another thread.
    pub fn let_go(&mut self, readiness: &Readiness, key: PortKey) -> Option<Pair> {
        let place = self.bound.get_mut(key.0 as usize)?;
        let Bound { pair, .. } = place.take_if(|bound| bound.silent_since.is_none())?;
        readiness.forget(&pair.rtp);
        readiness.forget(&pair.rtcp);
        self.gone.push(key.0);
        Some(pair)
    }

    /// A pair that was silent for long enough. One that still hears something goes to the end of the line.
    fn rested(&mut self, now: Time) -> Option<u32> {
        for _ in 0..TRIES.min(self.resting.len()) {
            let key = self.resting.pop_front()?;
            let since = self.bound.get(key as usize)?.as_ref()?.silent_since?;
            if now.since(since) >= self.linger {
                return Some(key);
            }
            self.resting.push_back(key);
        }
        None
    }

    /// The leg of this pair is gone.
    pub fn rest(&mut self, key: PortKey, now: Time) {
        if let Some(Some(bound)) = self.bound.get_mut(key.0 as usize)
            && bound.silent_since.is_none()
        {
            bound.silent_since = Some(now);
            self.resting.push_back(key.0);
        }
    }

    /// A packet came. True if it came too late: no leg has the pair, which rests on.
    pub fn is_late(&mut self, key: PortKey, now: Time) -> bool {
        let bound = self.bound.get_mut(key.0 as usize).and_then(Option::as_mut);
        bound.and_then(|bound| bound.silent_since.as_mut()).map(|since| *since = now).is_some()
    }

    /// The socket of a pair.
    pub fn socket(&self, key: PortKey, is_rtcp: bool) -> Option<&UdpSocket> {
        let pair = &self.bound.get(key.0 as usize)?.as_ref()?.pair;
        Some(if is_rtcp { &pair.rtcp } else { &pair.rtp })
    }

    /// Pairs without a leg, those that rest included.
    pub fn free(&self) -> usize {
        self.pool.unbound() + self.resting.len()
    }

    /// A pair that no leg can have: its ports are free.
    pub fn give_back(&mut self, pair: Pair) {
        self.pool.give_back(pair);
    }

    /// The pool that new ones come from.
    pub fn pool(&self) -> &PortPool {
        &self.pool
    }
}

#[cfg(test)]
mod tests {
    use super::super::ports::{OwnPorts, PortRange};
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    const LINGER: Duration = Duration::from_millis(100);

    /// Pairs of three: ports from `first` on.
    fn three(first: u16) -> (Pairs, Readiness) {
        let range = PortRange { address: IpAddr::V4(Ipv4Addr::LOCALHOST), first, last: first + 5 };
        let own = Arc::new(OwnPorts::new(range.address, []));
        (Pairs::new(PortPool::new(range, own), LINGER), Readiness::new().unwrap())
    }

    #[test]
    fn a_pair_rests_bound_until_it_was_silent_and_is_used_again_before_another_is_bound() {
        let (mut pairs, readiness) = three(39_100);
        let at = Time::from_millis;
        let (a, local) = pairs.open(&readiness, at(1_000)).unwrap();
        assert_eq!((a, local.port()), (PortKey(0), 39_100));
        assert!(!pairs.is_late(a, at(1_000)), "it has a leg");
        pairs.rest(a, at(2_000));
        pairs.rest(a, at(2_000));
        assert_eq!(pairs.free(), 3);
        assert!(std::net::UdpSocket::bind(local).is_err(), "nobody else gets it");
        let (b, other) = pairs.open(&readiness, at(2_099)).unwrap();
        assert_eq!((b, other.port()), (PortKey(1), 39_102), "the first rests");
        assert_eq!(pairs.open(&readiness, at(2_100)).unwrap(), (a, local));
        assert_eq!(pairs.free(), 1);
    }

    #[test]
    fn what_still_comes_for_a_pair_keeps_it_from_the_next_leg() {
        let (mut pairs, readiness) = three(39_106);
        let at = Time::from_millis;
        let keys = [0; 3].map(|_| pairs.open(&readiness, at(0)).unwrap().0);
        assert_eq!(pairs.open(&readiness, at(0)).unwrap_err(), OpenError::RangeExhausted);
        keys.iter().for_each(|key| pairs.rest(*key, at(0)));
        assert!(pairs.is_late(keys[0], at(90)));
        let again = [0; 2].map(|_| pairs.open(&readiness, at(150)).unwrap().0);
        assert_eq!(again, [keys[1], keys[2]]);
        assert_eq!(pairs.open(&readiness, at(189)).unwrap_err(), OpenError::RangeExhausted);
        assert_eq!(pairs.open(&readiness, at(190)).unwrap().0, keys[0]);
    }
}
