//! One branch of an outgoing call, and the choice among refusals (RFC 3261 16.7).

use cordboard_model::cause::Cause;

use super::Media;
use crate::engine::Credentials;
use crate::transaction::TxId;

/// One INVITE to one contact.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// Its transaction.
    pub(crate) tx: TxId,
    /// Its offer has keys.
    pub(crate) secured: crate::sdp::Keying,
    /// A provisional response came, so that a CANCEL may be sent.
    pub(crate) provisional: bool,
    /// A CANCEL is wanted, with this Reason, and waits for a provisional response.
    pub(crate) cancel_wanted: Option<String>,
    /// It has a final response, or will get none.
    pub(crate) done: bool,
    /// Media of its early dialogs by To tag, for a 200 without session description.
    pub(crate) early: Option<(String, Media)>,
    /// Early dialogs that reliable responses made (RFC 3262).
    pub(crate) dialogs: Vec<super::reliable::Early>,
    /// The early dialog of a device that rings and can be told to answer, with its To tag.
    pub(crate) talk: Option<(String, crate::dialog::Dialog)>,
    /// For a challenge of the peer.
    pub(crate) credentials: Option<Credentials>,
    /// How many challenges were answered.
    pub(crate) challenges: u8,
    /// Other flows to the same device.
    pub(crate) spare: Vec<super::Target>,
}

/// What a refusal means, and how it stands to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: u16,
    pub(crate) cause: Cause,
}

impl Failure {
    /// A final response.
    pub(crate) fn of_status(code: u16) -> Self {
        Self { code, cause: Cause::from_sip_status(code) }
    }

    /// No final response in time: "treated as if a 408" (8.1.3.1), but one that never said
    /// anything is not there at all.
    pub(crate) fn of_silence(rang: bool) -> Self {
        Self { code: 408, cause: if rang { Cause::NoAnswer } else { Cause::Unreachable } }
    }

    /// The transport failed: "treated as a 503" (8.1.3.1).
    pub(crate) fn of_transport() -> Self {
        Self { code: 503, cause: Cause::Unreachable }
    }

    /// Whether it speaks of the flow and not of the device (RFC 5626 7).
    pub(crate) fn is_of_flow(self) -> bool {
        matches!(self.code, 408 | 430) || self == Self::of_transport()
    }

    /// The lower, the better (16.7 step 6): "It MUST choose from the 6xx class responses if any
    /// exist in the context. If no 6xx class responses are present, the proxy SHOULD choose from the
    /// lowest response class stored in the response context ... The proxy SHOULD give preference to responses that
    /// provide information affecting resubmission of this request, such as 401, 407, 415, 420,
    /// and 484 if the 4xx class is chosen." What only says that a device did not answer ranks
    /// behind the rest of its class.
    fn rank(self) -> (u16, u8) {
        let class = match self.code / 100 {
            6 => 0,
            class => class,
        };
        let within = match self.code {
            401 | 407 | 415 | 420 | 484 => 0,
            408 | 480 | 487 => 2,
            _ => 1,
        };
        (class, within)
    }

    /// The better of two; of equals, the first.
    pub(crate) fn better(first: Option<Self>, second: Self) -> Self {
        match first {
            Some(first) if first.rank() <= second.rank() => first,
            _ => second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(codes: &[u16]) -> u16 {
        let mut best = None;
        for code in codes {
            best = Some(Failure::better(best, Failure::of_status(*code)));
        }
        best.unwrap().code
    }

    #[test]
    fn the_best_refusal_is_6xx_then_the_lowest_class() {
        assert_eq!(best(&[486, 603, 404]), 603);
        assert_eq!(best(&[503, 486, 500]), 486);
        assert_eq!(best(&[302, 486]), 302);
        assert_eq!(best(&[486, 407]), 407);
        assert_eq!(best(&[480, 486]), 486);
        assert_eq!(best(&[404, 486]), 404);
    }
}
