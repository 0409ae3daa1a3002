//! The trace of a world: every datagram, event and journal record with its time, as text.

use cordboard_model::time::Time;
use core::fmt::Write as _;

/// See the module. Off, it costs nothing and changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    on: bool,
    text: String,
}

impl Trace {
    /// A trace that writes, or does not.
    pub(super) fn new(on: bool) -> Self {
        Self { on, text: String::new() }
    }

    /// Whether it writes.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// One line.
    pub fn line(&mut self, now: Time, line: impl FnOnce() -> String) {
        if self.on {
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "{now:?} {}", line());
        }
    }

    /// Everything so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A SIP message as it stands in the trace: all of it, line ends made visible.
    pub(super) fn sip(bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        text.trim_end().replace("\r\n", "\n    ")
    }

    /// A media packet: its length and a hash of its bytes (FNV-1a).
    pub(super) fn packet(bytes: &[u8]) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        format!("{} bytes {hash:016x}", bytes.len())
    }
}
