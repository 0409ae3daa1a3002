//! The timers of RFC 3261 17 and RFC 6026, and how long each runs.

use core::time::Duration;

use cordboard_model::config::SipTimers;
use cordboard_model::time::TimerReason;

/// One of the timers of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// INVITE request retransmission.
    A,
    /// INVITE transaction timeout.
    B,
    /// Wait for repetitions of a refusal.
    D,
    /// Non-INVITE request retransmission.
    E,
    /// Non-INVITE transaction timeout.
    F,
    /// Retransmission of a refusal to an INVITE.
    G,
    /// Wait for the ACK of a refusal.
    H,
    /// Wait for repetitions of the ACK.
    I,
    /// Wait for repetitions of a non-INVITE request.
    J,
    /// Wait for repetitions of a final response.
    K,
    /// Wait for repetitions of an accepted INVITE (RFC 6026).
    L,
    /// Wait for repetitions of a 2xx, and for those of other branches (RFC 6026).
    M,
    /// Wait for the final response of a cancelled INVITE (RFC 3261 9.1).
    CancelOver,
}

impl Timer {
    /// All of them.
    pub(crate) const ALL: [Timer; 13] = [
        Timer::A,
        Timer::B,
        Timer::D,
        Timer::E,
        Timer::F,
        Timer::G,
        Timer::H,
        Timer::I,
        Timer::J,
        Timer::K,
        Timer::L,
        Timer::M,
        Timer::CancelOver,
    ];

    /// Its bit in a set of running timers.
    pub(crate) const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// What a wake-up for it is called.
    pub(crate) const fn reason(self) -> TimerReason {
        TimerReason(match self {
            Timer::A => "sip timer A",
            Timer::B => "sip timer B",
            Timer::D => "sip timer D",
            Timer::E => "sip timer E",
            Timer::F => "sip timer F",
            Timer::G => "sip timer G",
            Timer::H => "sip timer H",
            Timer::I => "sip timer I",
            Timer::J => "sip timer J",
            Timer::K => "sip timer K",
            Timer::L => "sip timer L",
            Timer::M => "sip timer M",
            Timer::CancelOver => "sip cancel unanswered",
        })
    }

    /// Whether it repeats a message, each time after a longer interval.
    pub(crate) const fn repeats(self) -> bool {
        matches!(self, Timer::A | Timer::E | Timer::G)
    }

    /// Whether nothing happens when it is due but that the transaction is forgotten.
    pub(crate) const fn lingers(self) -> bool {
        matches!(self, Timer::D | Timer::I | Timer::J | Timer::K | Timer::L | Timer::M)
    }

    /// The next interval of a repeating timer: "MUST reset the timer with a value of 2*T1" for A
    /// (17.1.1.2), with "MIN(2*T1, T2)" for E and G (17.1.2.2, 17.2.1).
    pub(crate) fn next_interval(self, last: Duration, base: &SipTimers) -> Duration {
        let doubled = last.saturating_mul(2);
        match self {
            Timer::A => doubled,
            _ => doubled.min(base.t2),
        }
    }

    /// How long a timer that does not repeat runs (the table of RFC 3261 Annex A).
    pub(crate) fn length(self, base: &SipTimers, reliable: bool) -> Duration {
        match self {
            Timer::A | Timer::E | Timer::G => base.t1,
            Timer::B | Timer::F | Timer::H | Timer::L | Timer::M | Timer::CancelOver => base.t1 * 64,
            Timer::D | Timer::I | Timer::J | Timer::K if reliable => Duration::ZERO,
            // "an absolute minimum of 32s is used instead of basing Timer D on T1"
            Timer::D => (base.t1 * 64).max(Duration::from_secs(32)),
            Timer::J => base.t1 * 64,
            Timer::I | Timer::K => base.t4,
        }
    }
}
