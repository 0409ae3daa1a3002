//! Telling presses apart (RFC 4733 2.5.2): one digit for each event, whatever is lost of it.
//!
//! Invariant: a press is known by its RTP timestamp, which every packet of one event repeats; the
//! marker and the end bit are not needed. A digit is told at the first packet of it that arrives.

use super::event::Event;
use crate::rtp::{Clock, ahead};

/// A packet of an earlier event may come this late, milliseconds. Farther back is a new time base.
const LATE_MAX_MS: u64 = 10_000;
/// RFC 4733 2.5.1.3: a longer event is cut into segments of this length.
const SEGMENT: u32 = 0xffff;

#[derive(Clone, Copy, Debug)]
struct Press {
    timestamp: u32,
    code: u8,
    ended: bool,
}

/// The presses of one source.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DigitReceiver {
    last: Option<Press>,
    clock: Clock,
}

impl DigitReceiver {
    /// Takes a packet; says whether it begins a press.
    pub(crate) fn take(&mut self, timestamp: u32, event: Event) -> bool {
        if let Some(last) = self.last.as_mut() {
            let step = ahead(timestamp, last.timestamp);
            if step == 0 && last.code == event.code {
                last.ended |= event.end;
                return false;
            }
            if step < 0 && u64::from(step.unsigned_abs()) < self.clock.ticks_in_ms(LATE_MAX_MS) {
                return false;
            }
            // "the end of one segment is the beginning of the next": the same key, still down.
            let joined = timestamp.wrapping_sub(last.timestamp) == SEGMENT;
            if joined && last.code == event.code && !last.ended {
                last.timestamp = timestamp;
                last.ended = event.end;
                return false;
            }
        }
        self.last = Some(Press { timestamp, code: event.code, ended: event.end });
        true
    }

    /// The source's timestamps count this clock from now on.
    pub(crate) fn set_clock(&mut self, clock: Clock) {
        if clock != self.clock {
            *self = Self { last: None, clock };
        }
    }

    /// A new source with its own time base.
    pub(crate) fn reset(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: u8, end: bool, duration: u16) -> Event {
        Event { code, end, volume: 10, duration }
    }

    /// The packets of one press: seven updates, then the end three times.
    fn press(timestamp: u32, code: u8) -> Vec<(u32, Event)> {
        let updates = (1..8).map(|n| (timestamp, event(code, false, n * 160)));
        let ends = (0..3).map(|_| (timestamp, event(code, true, 1_280)));
        updates.chain(ends).collect()
    }

    fn told(packets: impl IntoIterator<Item = (u32, Event)>) -> String {
        let mut receiver = DigitReceiver::default();
        packets
            .into_iter()
            .filter(|(timestamp, event)| receiver.take(*timestamp, *event))
            .filter_map(|(_, event)| event.digit())
            .collect()
    }

    #[test]
    fn a_press_is_one_digit_whichever_packets_are_lost() {
        let packets = press(1_000, 5);
        for kept in 1..1u32 << packets.len() {
            let arrived = packets.iter().enumerate().filter(|(n, _)| kept >> n & 1 == 1);
            assert_eq!(told(arrived.map(|(_, p)| *p)), "5", "{kept:b}");
        }
    }

    #[test]
    fn the_same_key_twice_is_two_digits_even_when_every_end_is_lost() {
        let updates = |at| press(at, 7).into_iter().filter(|(_, e)| !e.end);
        assert_eq!(told(updates(0).chain(updates(2_400))), "77");
    }

    #[test]
    fn packets_of_the_press_before_that_come_late_are_no_new_press() {
        let mut packets = press(1_000, 1);
        let late = packets.split_off(8);
        packets.extend(press(3_000, 2).into_iter().take(2));
        packets.extend(late);
        packets.extend(press(3_000, 2).into_iter().skip(2));
        assert_eq!(told(packets), "12");
    }

    #[test]
    fn a_key_held_for_half_a_minute_is_one_digit() {
        let long = |end: bool| {
            (0..4u32).flat_map(move |segment| {
                let timestamp = 500u32.wrapping_add(segment * 0xffff);
                (1..=400u32).map(move |n| {
                    let last = segment == 3 && n == 400 && end;
                    (timestamp, event(9, last, (n * 163) as u16))
                })
            })
        };
        assert_eq!(told(long(true)), "9");
        let again = press(500 + 3 * 0xffff + 0xffff, 9);
        assert_eq!(told(long(true).chain(again)), "99", "the first was released");
    }

    #[test]
    fn timestamps_wrap() {
        assert_eq!(told(press(u32::MAX - 100, 3).into_iter().chain(press(2_300, 4))), "34");
    }

    #[test]
    fn a_new_time_base_does_not_swallow_digits() {
        assert_eq!(told(press(1_000_000, 3).into_iter().chain(press(500, 4))), "34");
    }
}
