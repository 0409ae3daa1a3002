//! What a party says, decoded for its partner: a jitter buffer, a decoder, and samples at the rate and in packets of the length
//! that the partner needs.
//!
//! Invariant: packets go in when they come, samples come out on the partner's own tick, and neither waits for the other. A
//! feed is made by a command, where two legs are joined that cannot be given each other's packets as they are.

use crate::codec::Decoder;
use crate::codec::comfort::Comfort;
use crate::codec::conceal::Conceal;
use crate::codec::opus::is_silence;
use crate::codec::resample::{Resampler, bring};
use crate::jitter::{Adjust, JitterBuffer, Next};
use crate::kit::Stock;
use crate::rtp::ahead;
use crate::rtp::reception::Arrival;
use cordboard_model::media::Codec;
use cordboard_model::time::{Duration, Time};

/// The longest packet made, milliseconds, and what setting the cursor right may take on top.
const TAKE_MS: usize = 60 + 5;
/// The longest packet taken, milliseconds: of Opus, and of what has a code for each sample.
const PACKET_MS: (usize, usize) = (120, 64);
/// Milliseconds in a row without a packet after which nothing is sent, as where packets are relayed: most of them are
/// concealed.
const IDLE_MS: u32 = 80;
/// Milliseconds that a first packet may wait for its time: longer than any delay.
const WAIT_MS: u32 = 1_000;
/// An event's packets come closer than this: so long there is no audio beside them.
const HUSH: Duration = Duration::from_millis(60);
/// Packets of another length than the partner wants, in sequence, before they are cut anew.
const ODD_MIN: u8 = 3;
/// And of the right length before they are relayed again.
const ODD_MAX: u8 = 50;

/// Comfort noise goes on for so long without a packet, milliseconds: a minute. Then the party is gone, not silent.
const NOISE_MS: u32 = 60_000;

/// What a party's silence sounds like.
#[derive(Clone, Copy, Debug)]
enum Silence {
    /// Noise at a level that it told.
    Noise(Comfort),
    /// What its codec makes of it.
    Codec,
}

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
///
/// It gives samples at the rate it was made for, 8, 16 or 48 kHz, whatever the party's codec: it decodes at the nearest rate
/// that the codec has, and resamples only what is left. So who mixes makes all feeds of one rate.
#[derive(Debug)]
pub(crate) struct Feed {
    codec: Codec,
    /// Samples a second that it gives, and that it decodes to.
    rate: u32,
    inner: u32,
    decoder: Decoder,
    /// From the decoder's rate to the one that is given.
    resampler: Option<Resampler>,
    jitter: JitterBuffer,
    conceal: Conceal,
    /// What the party's silence sounds like, and how many samples it goes on; until it speaks.
    silence: Option<(Silence, u32)>,
    /// Of the newest packet: epoch, timestamp, and its position in ticks of the RTP clock.
    newest: Option<(u32, u32, i64)>,
    fifo: Box<[i16]>,
    held: usize,
    /// Samples of one turn at the decoder's rate.
    turn: Box<[i16]>,
    idle: u32,
    on: bool,
    odd: u8,
    hushed: Time,
}

impl Feed {
    /// A feed of what a party says in `codec`, as samples at `rate` hertz: 8,000, 16,000 or 48,000. Allocates.
    pub(crate) fn new(codec: Codec, rate: u32) -> Self {
        let decoder = Decoder::at(codec, rate);
        let inner = decoder.rate();
        let resampler = Resampler::new(inner, rate);
        let turn = if resampler.is_some() { TAKE_MS * inner as usize / 1_000 } else { 0 };
        Self {
            codec,
            rate,
            inner,
            decoder,
            resampler,
            jitter: JitterBuffer::new(inner, payload_max(codec), codec == Codec::Opus),
            conceal: Conceal::new(inner),
            silence: None,
            newest: None,
            fifo: vec![0; room(codec, inner)].into(),
            held: 0,
            turn: vec![0; turn].into(),
            idle: 0,
            on: false,
            odd: 0,
            hushed: Time::ZERO,
        }
    }

    /// Gives samples at `rate` hertz from now on. What came and was not given yet is given.
    pub(crate) fn tune(&mut self, rate: u32, stock: &mut Stock) {
        if rate == self.rate {
            return;
        }
        self.rate = rate;
        let before = self.inner;
        let mut made = stock.feed(self.codec, rate);
        self.inner = made.inner;
        if self.inner != before {
            if !self.decoder.turn(rate) {
                core::mem::swap(&mut self.decoder, &mut made.decoder);
            }
            self.jitter.rescale(self.inner);
            self.conceal = Conceal::new(self.inner);
            let scale =
                |samples: u32| (u64::from(samples) * u64::from(self.inner) / u64::from(before)) as u32;
            self.silence = self.silence.map(|(silence, left)| (silence, scale(left)));
            self.idle = scale(self.idle);
            self.move_over(&mut made.fifo, before);
        }
        core::mem::swap(&mut self.resampler, &mut made.resampler);
        core::mem::swap(&mut self.turn, &mut made.turn);
        stock.discard(made);
    }

    /// What was decoded and not given yet goes over to a store for the new rate: brought to it in the larger of the two.
    fn move_over(&mut self, fifo: &mut Box<[i16]>, before: u32) {
        if self.fifo.len() > fifo.len() {
            self.held = bring(&mut self.fifo, self.held, before, self.inner);
            fifo.iter_mut().zip(&self.fifo).for_each(|(to, sample)| *to = *sample);
        } else {
            fifo.iter_mut().zip(&self.fifo).for_each(|(to, sample)| *to = *sample);
            self.held = bring(fifo, self.held, before, self.inner);
        }
        self.held = self.held.min(fifo.len());
        core::mem::swap(&mut self.fifo, fifo);
    }

    /// Samples a second that it gives.
    pub(crate) fn rate(&self) -> u32 {
        self.rate
    }

    fn ms(&self, ms: u32) -> u32 {
        self.inner / 1_000 * ms
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
        self.conceal.reset();
        self.silence = None;
        (self.newest, self.held, self.idle, self.on) = (None, 0, 0, false);
    }

    /// A key's event came: no audio beside it.
    pub(crate) fn hush(&mut self, now: Time) {
        self.hushed = now + HUSH;
    }

    /// The party is silent, and its silence has this level (RFC 3389).
    pub(crate) fn comfort(&mut self, arrival: Arrival, level: u8) {
        self.jitter.silent(arrival.extended);
        self.silence = Some((Silence::Noise(Comfort::new(level)), self.ms(NOISE_MS)));
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
        self.silence = None;
        if self.codec == Codec::Opus && is_silence(codes) {
            self.silence = Some((Silence::Codec, self.ms(NOISE_MS)));
        }
        let clock = i64::from(self.codec.clock_hz());
        let at = (position * i64::from(self.inner)).div_euclid(clock);
        self.jitter.put(arrival.extended, at, codes, now);
    }

    /// The next samples for the partner: `out` is a packet of 10 to 60 ms.
    pub(crate) fn pull(&mut self, out: &mut [i16], now: Time) -> Pulled {
        let Some(resampler) = &self.resampler else {
            return self.turn(out, now);
        };
        let needed = resampler.needs(out.len());
        let mut turn = core::mem::take(&mut self.turn);
        let inner = turn.get_mut(..needed).unwrap_or_default();
        let pulled = self.turn(inner, now);
        if let Some(resampler) = &mut self.resampler {
            match pulled {
                Pulled::Sound => {
                    resampler.run(inner, out);
                }
                Pulled::Nothing | Pulled::Off => resampler.reset(),
            }
        }
        self.turn = turn;
        pulled
    }

    /// The next samples at the decoder's rate.
    fn turn(&mut self, out: &mut [i16], now: Time) -> Pulled {
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
        let wanted = wanted.min(TAKE_MS * self.ms(1) as usize);
        while self.held < wanted && self.fill(wanted - self.held) {}
        // What is not there is silence: the room behind what is held may have been used before.
        if let Some(missing) = self.fifo.get_mut(self.held..wanted) {
            missing.fill(0);
        }
        fit(self.fifo.get(..wanted).unwrap_or_default(), out);
        self.fifo.copy_within(wanted..self.held.max(wanted), 0);
        self.held = self.held.saturating_sub(wanted);
        if self.idle >= self.ms(IDLE_MS) {
            return self.rest();
        }
        if now < self.hushed { Pulled::Nothing } else { Pulled::Sound }
    }

    /// Microseconds of audio that were invented since this was last asked.
    pub(crate) fn take_concealed_us(&mut self) -> u64 {
        self.jitter.take_concealed() * 1_000_000 / u64::from(self.inner)
    }

    fn nothing(&mut self, samples: usize) -> Pulled {
        self.idle = self.idle.saturating_add(samples as u32);
        if self.idle < self.ms(WAIT_MS) { Pulled::Nothing } else { self.rest() }
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
        let count = match self.jitter.next(missing, self.silence.is_some()) {
            Next::Packet(codes) => {
                let count = self.decoder.decode(codes, room);
                self.jitter.played(count);
                if self.decoder.concealing().is_none() {
                    self.conceal.hear(room.get(..count).unwrap_or_default());
                }
                self.idle = 0;
                count
            }
            Next::Recover(codes, count) => {
                let count = count.min(room.len());
                let room = room.get_mut(..count).unwrap_or_default();
                match self.decoder.concealing() {
                    Some(opus) => opus.repair(codes, room),
                    None => self.conceal.invent(room),
                }
                count
            }
            Next::Conceal(count) => {
                let count = count.min(room.len());
                let room = room.get_mut(..count).unwrap_or_default();
                match self.decoder.concealing() {
                    Some(opus) => opus.invent(room),
                    None => self.conceal.invent(room),
                }
                self.idle = self.idle.saturating_add(count as u32);
                count
            }
            Next::Pause(count) => {
                let count = count.min(room.len());
                self.pause(count);
                count
            }
        };
        self.held += count;
        // A packet without samples is none.
        count > 0 || !self.jitter.is_empty()
    }

    /// Adds what silence sounds like.
    fn pause(&mut self, count: usize) {
        let room = self.fifo.get_mut(self.held..self.held + count).unwrap_or_default();
        let Some((silence, left)) = self.silence.as_mut().filter(|(_, left)| *left > 0) else {
            room.fill(0);
            self.idle = self.idle.saturating_add(count as u32);
            return;
        };
        *left = left.saturating_sub(count as u32);
        match (silence, self.decoder.concealing()) {
            (Silence::Noise(noise), _) => noise.fill(room),
            (Silence::Codec, Some(opus)) => opus.invent(room),
            (Silence::Codec, None) => room.fill(0),
        }
    }
}

/// Decoded samples that may wait: the longest packet taken, beside what one turn takes.
fn room(codec: Codec, rate: u32) -> usize {
    let packet_ms = if codec == Codec::Opus { PACKET_MS.0 } else { PACKET_MS.1 };
    (TAKE_MS + packet_ms) * rate as usize / 1_000
}

/// The longest payload taken, octets: 60 ms of G.711, more than any packet of speech in Opus; 30 ms of linear samples.
fn payload_max(codec: Codec) -> usize {
    if codec == Codec::L16 { 960 } else { 512 }
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
