//! The telephone-event payload (RFC 4733 2.3) and the codes of the sixteen digits (2.3.5, table 3).

/// Length of the payload.
pub(crate) const EVENT_LEN: usize = 4;

/// One report of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub code: u8,
    pub end: bool,
    /// Power, in -dBm0, 0 to 63.
    pub volume: u8,
    /// Samples since the event began.
    pub duration: u16,
}

impl Event {
    /// Reads a payload; what follows the first event (RFC 4733 2.5.1.5 allows more) is not used.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let [code, flags, high, low, ..] = payload else {
            return None;
        };
        Some(Self {
            code: *code,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([*high, *low]),
        })
    }

    /// The payload.
    pub(crate) fn bytes(self) -> [u8; EVENT_LEN] {
        let [high, low] = self.duration.to_be_bytes();
        let end = if self.end { 0x80 } else { 0 };
        [self.code, end | (self.volume & 0x3f), high, low]
    }

    /// The digit, if it is one.
    pub(crate) fn digit(self) -> Option<char> {
        digit_of(self.code)
    }
}

/// The digit of a code, if it is one's.
pub(crate) fn digit_of(code: u8) -> Option<char> {
    b"0123456789*#ABCD".get(usize::from(code)).map(|b| char::from(*b))
}

/// The code of a digit; letters in either case.
pub(crate) fn code_of(digit: char) -> Option<u8> {
    let upper = digit.to_ascii_uppercase();
    "0123456789*#ABCD".find(upper).and_then(|at| u8::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_reads_back_and_every_digit_has_its_code() {
        let event = Event { code: 11, end: true, volume: 10, duration: 1_280 };
        assert_eq!(event.bytes(), [11, 0x8a, 0x05, 0x00]);
        assert_eq!(Event::read(&event.bytes()), Some(event));
        assert_eq!(Event::read(&[1, 2, 3]), None);
        for (code, digit) in "0123456789*#ABCD".chars().enumerate() {
            let event = Event { code: code as u8, ..event };
            assert_eq!(event.digit(), Some(digit));
            assert_eq!(code_of(digit), Some(event.code));
        }
        assert_eq!(Event { code: 16, ..event }.digit(), None, "flash hook is no digit");
        assert_eq!((code_of('d'), code_of('x'), code_of('é')), (Some(15), None, None));
    }
}
