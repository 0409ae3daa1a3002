//! The pairs that a media thread has bound: those of legs, and those that rest.
//!
//! Invariant: a pair that its leg left stays bound until nothing has come for it for the linger time, and is then used
//! before another is bound. So late packets of one call never reach the next, no other program takes the port in
//! between, and a switch that has seen its busiest hour opens no socket for a call any more. A leg whose RTCP goes by the RTP
//! port (RFC 5761) gives the other port's socket back, and the next leg finds the pair whole again: so a browser takes one open
//! file and not two.

use super::ports::{Pair, PortPool};
use super::sockets::{Came, Sockets};
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

    /// A pair for a leg: one that has rested, or a new one, which is watched from now on.
    ///
    /// # Errors
    /// None is free, or the operating system refused.
    pub fn open(
        &mut self,
        sockets: &mut impl Sockets,
        now: Time,
    ) -> Result<(PortKey, SocketAddr), OpenError> {
        for _ in 0..TRIES {
            let Some(key) = self.rested(now) else { break };
            let whole = self.open_rtcp(sockets, PortKey(key));
            let Some(Some(bound)) = self.bound.get_mut(key as usize) else { continue };
            match whole {
                Ok(()) => {
                    bound.silent_since = None;
                    return Ok((PortKey(key), bound.local));
                }
                // another program has its second port, or no more sockets may be bound: it rests for another while
                Err(_) => {
                    bound.silent_since = Some(now);
                    self.resting.push_back(key);
                }
            }
        }
        let pair = self.pool.open()?;
        match self.adopt(sockets, pair) {
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
    pub fn adopt(&mut self, sockets: &mut impl Sockets, pair: Pair) -> Result<(PortKey, SocketAddr), Pair> {
        let key = self.gone.pop().unwrap_or(self.bound.len() as u32);
        let watched = sockets.watch(&pair, PortKey(key));
        let Ok(local) = watched.and_then(|()| pair.rtp.local_addr()) else {
            sockets.forget(&pair, PortKey(key));
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

    /// Lets a leg's pair go to another thread, with what had come for it.
    pub fn let_go(&mut self, sockets: &mut impl Sockets, key: PortKey) -> Option<(Pair, Vec<Came>)> {
        let place = self.bound.get_mut(key.0 as usize)?;
        let Bound { pair, .. } = place.take_if(|bound| bound.silent_since.is_none())?;
        let came = sockets.forget(&pair, key);
        self.gone.push(key.0);
        Some((pair, came))
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

    /// A leg's pair does without its RTCP socket from now on.
    pub fn close_rtcp(&mut self, sockets: &mut impl Sockets, key: PortKey) {
        let Some(Some(Bound { pair, .. })) = self.bound.get_mut(key.0 as usize) else { return };
        if let Some(rtcp) = pair.rtcp.take() {
            sockets.forget_rtcp(&rtcp, key);
            self.pool.close_rtcp(rtcp, pair.port);
        }
    }

    /// A pair has its RTCP socket again.
    ///
    /// # Errors
    /// Another program has its port, no more sockets may be bound, or the operating system refuses to watch it.
    pub fn open_rtcp(&mut self, sockets: &mut impl Sockets, key: PortKey) -> Result<(), OpenError> {
        let Some(Some(Bound { pair, .. })) = self.bound.get_mut(key.0 as usize) else { return Ok(()) };
        if pair.rtcp.is_some() {
            return Ok(());
        }
        let rtcp = self.pool.open_rtcp(pair.port)?;
        if sockets.watch_rtcp(&rtcp, key).is_err() {
            sockets.forget_rtcp(&rtcp, key);
            self.pool.close_rtcp(rtcp, pair.port);
            return Err(OpenError::BindFailed);
        }
        pair.rtcp = Some(rtcp);
        Ok(())
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
        if is_rtcp { pair.rtcp.as_ref() } else { Some(&pair.rtp) }
    }

    /// Pairs without a leg, those that rest included.
    pub fn free(&self) -> usize {
        self.pool.left() + self.resting.len()
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
mod tests;
