//! What a party says, decoded for its partner: a jitter buffer, a decoder, and samples in packets of the partner's length.
//!
//! Invariant: packets go in when they come, samples come out on the partner's own tick, and neither waits for the other. A
//! feed is made by a command, where two legs are joined that cannot be given each other's packets as they are.

use crate::codec::Decoder;
use crate::codec::comfort::Comfort;
use crate::codec::conceal::Conceal;
use crate::jitter::{Adjust, JitterBuffer, Next};
use crate::rtp::ahead;
use crate::rtp::reception::Arrival;
use cordboard_model::media::Codec;
use cordboard_model::time::{Duration, Time};

/// The rate that is decoded to.
const RATE: u32 = 8_000;
/// The longest packet made, and the samples that setting the cursor right may take on top.
const TAKE_MAX: usize = 480 + 40;
/// The longest packet taken, and what may be left over.
const FIFO_MAX: usize = 512 + TAKE_MAX;
/// Samples in a row without a packet after which nothing is sent, as where packets are relayed: 80 ms, of which most are
/// concealed.
const IDLE_MAX: u32 = 640;
/// Samples that a first packet may wait for its time: longer than any delay.
const WAIT_MAX: u32 = RATE;
/// An event's packets come closer than this: so long there is no audio beside them.
const HUSH: Duration = Duration::from_millis(60);
/// Packets of another length than the partner wants, in sequence, before they are cut anew.
const ODD_MIN: u8 = 3;
/// And of the right length before they are relayed again.
const ODD_MAX: u8 = 50;

/// Comfort noise goes on for so long without a packet, samples: a minute. Then the party is gone, not silent.
const NOISE_MAX: u32 = 60 * RATE;

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pulled {
    /// The samples are to be sent.
    Sound,
    /// Nothing is to be sent now.
    Nothing,
    /// The party is silent: the feed is off until it speaks.
    Off,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    codec: Codec,
    decoder: Decoder,
    jitter: JitterBuffer,
    conceal: Conceal,
    /// What the party's silence sounds like, and how long it goes on; until it speaks.
    noise: Option<(Comfort, u32)>,
    /// Of the newest packet: epoch, timestamp, and its position.
    newest: Option<(u32, u32, i64)>,
    fifo: [i16; FIFO_MAX],
    held: usize,
    idle: u32,
    on: bool,
    odd: u8,
    hushed: Time,
}

impl Feed {
    /// A feed of what a party says in `codec`. Allocates.
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            codec,
            decoder: Decoder::new(codec),
            jitter: JitterBuffer::new(RATE),
            conceal: Conceal::default(),
            noise: None,
            newest: None,
            fifo: [0; FIFO_MAX],
            held: 0,
            idle: 0,
            on: false,
            odd: 0,
            hushed: Time::ZERO,
        }
    }

    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// Whether the partner is fed by it now.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Whether a packet of so many codes is to be cut anew for a party that wants so many: once a few in sequence were of
    /// another length, until many were of the right one.
    pub(crate) fn is_odd(&mut self, codes: usize, wanted: usize) -> bool {
        if codes == wanted {
            self.odd = self.odd.saturating_sub(1);
        } else if self.on {
            self.odd = ODD_MAX;
        } else {
            self.odd += 1;
            if self.odd >= ODD_MIN {
                self.odd = ODD_MAX;
                return true;
            }
        }
        self.on && self.odd > 0
    }

    /// Nothing of what came is played any more.
    pub(crate) fn stop(&mut self) {
        self.jitter.reset();
        self.conceal = Conceal::default();
        self.noise = None;
        (self.newest, self.held, self.idle, self.on) = (None, 0, 0, false);
    }

    /// A key's event came: no audio beside it.
    pub(crate) fn hush(&mut self, now: Time) {
        self.hushed = now + HUSH;
    }

    /// The party is silent, and its silence has this level (RFC 3389).
    pub(crate) fn comfort(&mut self, arrival: Arrival, level: u8) {
        self.jitter.silent(arrival.extended);
        self.noise = Some((Comfort::new(level), NOISE_MAX));
    }

    /// Takes a packet.
    pub(crate) fn put(&mut self, arrival: Arrival, timestamp: u32, codes: &[u8], now: Time) {
        let position = match self.newest {
            Some((epoch, newest, position)) if epoch == arrival.epoch => {
                position + i64::from(ahead(timestamp, newest))
            }
            Some(_) => {
                self.stop();
                self.decoder.reset();
                0
            }
            None => 0,
        };
        if self.newest.is_none_or(|(_, _, newest)| position >= newest) {
            self.newest = Some((arrival.epoch, timestamp, position));
        }
        self.on = true;
        self.noise = None;
        self.jitter.put(arrival.extended, position, codes, now);
    }

    /// The next samples for the partner.
    pub(crate) fn pull(&mut self, out: &mut [i16], now: Time) -> Pulled {
        let adjust = match self.jitter.begin(out.len(), self.held, now) {
            Some(adjust) => adjust,
            None => return self.nothing(out.len()),
        };
        let wanted = match adjust {
            Adjust::None => out.len(),
            Adjust::Jump => {
                self.held = 0;
                out.len()
            }
            Adjust::Shorten(samples) => out.len() + samples,
            Adjust::Lengthen(samples) => out.len().saturating_sub(samples),
        };
        let wanted = wanted.min(TAKE_MAX);
        while self.held < wanted && self.fill(wanted - self.held) {}
        let mut taken = [0; TAKE_MAX];
        taken[..wanted].copy_from_slice(&self.fifo[..wanted]);
        self.fifo.copy_within(wanted..self.held.max(wanted), 0);
        self.held = self.held.saturating_sub(wanted);
        fit(&taken[..wanted], out);
        if self.idle >= IDLE_MAX {
            return self.rest();
        }
        if now < self.hushed { Pulled::Nothing } else { Pulled::Sound }
    }

    /// Samples that were invented since this was last asked.
    pub(crate) fn take_concealed(&mut self) -> u64 {
        self.jitter.take_concealed()
    }

    fn nothing(&mut self, samples: usize) -> Pulled {
        self.idle = self.idle.saturating_add(samples as u32);
        if self.idle < WAIT_MAX { Pulled::Nothing } else { self.rest() }
    }

    /// Off, with what is known of the path kept.
    fn rest(&mut self) -> Pulled {
        self.jitter.rest();
        (self.held, self.idle, self.on) = (0, 0, false);
        Pulled::Off
    }

    /// Adds what comes next, `missing` samples at most where nothing is there. False: there is no room.
    fn fill(&mut self, missing: usize) -> bool {
        let Some(room) = self.fifo.get_mut(self.held..) else {
            return false;
        };
        let count = match self.jitter.next(missing, self.noise.is_some()) {
            Next::Packet(codes) => {
                let count = self.decoder.decode(codes, room);
                self.jitter.played(count);
                self.conceal.hear(room.get(..count).unwrap_or_default());
                self.idle = 0;
                count
            }
            Next::Conceal(count) => {
                let count = count.min(room.len());
                self.conceal.invent(room.get_mut(..count).unwrap_or_default());
                self.idle = self.idle.saturating_add(count as u32);
                count
            }
            Next::Pause(count) => {
                let count = count.min(room.len());
                let room = room.get_mut(..count).unwrap_or_default();
                match self.noise.as_mut().filter(|(_, left)| *left > 0) {
                    Some((noise, left)) => {
                        noise.fill(room);
                        *left = left.saturating_sub(count as u32);
                    }
                    None => {
                        room.fill(0);
                        self.idle = self.idle.saturating_add(count as u32);
                    }
                }
                count
            }
        };
        self.held += count;
        // A packet without samples is none.
        count > 0 || !self.jitter.is_empty()
    }
}

/// Makes as many samples as `out` has of a few more or fewer: the end is laid over itself where it is cut or repeated.
fn fit(taken: &[i16], out: &mut [i16]) {
    let (have, want) = (taken.len(), out.len());
    if have == want {
        return out.copy_from_slice(taken);
    }
    // From the first half as it is, over the difference in length, to the last half as it is.
    let step = have.abs_diff(want).max(1);
    let begin = (want.saturating_sub(step)) / 2;
    for (n, sample) in out.iter_mut().enumerate() {
        let early = i32::from(taken.get(n).copied().unwrap_or(0));
        let at = if have > want { n + step } else { n.saturating_sub(step) };
        let late = i32::from(taken.get(at).copied().unwrap_or(0));
        let weight = (n.saturating_sub(begin)).min(step) as i32;
        *sample = ((early * (step as i32 - weight) + late * weight) / step as i32) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitting_keeps_both_ends_and_leaps_nowhere() {
        // A slow sine: neighbours differ by 100 at most.
        let wave: Vec<i16> = (0..200)
            .map(|n| (f64::from(n) / 8_000.0 * 200.0 * core::f64::consts::TAU).sin() * 600.0)
            .map(|s| s as i16)
            .collect();
        for taken in [160, 200, 120] {
            let mut out = [0; 160];
            fit(&wave[..taken], &mut out);
            assert_eq!(out[..40], wave[..40]);
            assert_eq!(out[120..], wave[taken - 40..taken]);
            let leap = out.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap();
            assert!(leap < 160, "{taken}: {leap}");
        }
    }
}
