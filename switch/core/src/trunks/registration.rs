//! Being registered with a carrier (RFC 3261 10.2): when to send the next REGISTER, and what for.
//!
//! Invariant: at any time either a REGISTER is under way or a moment is set for the next; a carrier that refuses is
//! asked more and more seldom; the Call-ID stays and the CSeq grows for as long as the switch runs.

use core::time::Duration;

use cordboard_sip::client::Reply;

/// First pause after a failure; it doubles (in the spirit of RFC 5626 4.5).
const PAUSE: Duration = Duration::from_secs(30);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(1_800);
/// Shortest time between two registrations, whatever a carrier grants.
const LEAST: Duration = Duration::from_secs(10);

/// One trunk's registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Registration {
    /// Whether the last REGISTER was granted.
    pub(crate) registered: bool,
    /// What the carrier said last, for people.
    pub(crate) last: Option<u16>,
    pub(crate) call_id: Option<String>,
    pub(crate) cseq: u32,
    /// The way that the carrier wants our calls to go while we are registered (RFC 3608).
    pub(crate) service_route: Vec<String>,
    /// What a 423 asked for at least.
    least: Duration,
    failures: u32,
    /// Which gateway is asked next.
    pub(crate) gateway: usize,
}

impl Registration {
    /// The next request's time, Call-ID and CSeq.
    pub(crate) fn next(&mut self, wanted: Duration) -> (Duration, Option<String>, u32) {
        self.cseq += 1;
        (wanted.max(self.least), self.call_id.clone(), self.cseq)
    }

    /// Takes a reply in: how long until the next REGISTER. `jitter` is from 0 to 99: not all trunks of all switches
    /// shall come at once.
    pub(crate) fn on_reply(&mut self, reply: &Reply, wanted: Duration, jitter: u32) -> Duration {
        self.last = Some(reply.status);
        self.call_id = Some(reply.call_id.clone());
        self.cseq = self.cseq.max(reply.cseq);
        // Each 200 says it anew; without one there is none.
        self.service_route.clone_from(&reply.service_route);
        match reply.status {
            200..=299 => {
                self.registered = true;
                self.failures = 0;
                // Between 75 and 90 percent of what was granted.
                let granted = reply.expires.unwrap_or(wanted).max(LEAST);
                granted * (75 + jitter % 16) / 100
            }
            423 if reply.least.is_some_and(|least| least > self.least) => {
                self.least = reply.least.unwrap_or_default().min(Duration::from_secs(86_400));
                Duration::ZERO
            }
            _ => {
                self.registered = false;
                self.failures = (self.failures + 1).min(16);
                self.gateway += 1;
                let pause = PAUSE * 2u32.pow(self.failures.min(10) - 1);
                let pause = pause.min(PAUSE_MAX) * (50 + jitter % 51) / 100;
                pause.max(reply.retry_after.unwrap_or_default().min(PAUSE_MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_sip::client::RequestId;

    fn reply(status: u16) -> Reply {
        Reply {
            id: RequestId(1),
            status,
            heard: true,
            expires: None,
            service_route: Vec::new(),
            least: None,
            retry_after: None,
            call_id: "c".into(),
            cseq: 1,
        }
    }

    #[test]
    fn the_way_a_carrier_prescribes_holds_until_it_says_something_else() {
        let mut registration = Registration::default();
        let way = vec!["<sip:198.51.100.9;lr>".to_owned()];
        registration.on_reply(&Reply { service_route: way.clone(), ..reply(200) }, HOUR, 0);
        assert_eq!(registration.service_route, way);
        registration.on_reply(&reply(200), HOUR, 0);
        assert!(registration.service_route.is_empty());
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn it_is_refreshed_before_it_ends_and_by_what_was_granted() {
        let mut registration = Registration::default();
        let granted = Reply { expires: Some(Duration::from_secs(100)), cseq: 2, ..reply(200) };
        for jitter in 0..100 {
            let next = registration.on_reply(&granted, HOUR, jitter);
            assert!((75..=90).contains(&next.as_secs()), "{next:?}");
        }
        assert!(registration.registered);
        assert_eq!(registration.next(HOUR), (HOUR, Some("c".into()), 3), "above the CSeq of the credentials");
    }

    #[test]
    fn a_carrier_that_refuses_is_asked_more_and_more_seldom() {
        let mut registration = Registration::default();
        let pauses: Vec<u64> =
            (0..9).map(|_| registration.on_reply(&reply(503), HOUR, 50).as_secs()).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1_800, 1_800, 1_800]);
        assert!(!registration.registered);
        let later = Reply { retry_after: Some(Duration::from_secs(1_750)), ..reply(503) };
        assert!(registration.on_reply(&later, HOUR, 0) >= Duration::from_secs(1_750));
        registration.on_reply(&reply(200), HOUR, 0);
        assert_eq!(registration.on_reply(&reply(503), HOUR, 50).as_secs(), 30, "a success begins anew");
    }

    #[test]
    fn a_423_is_asked_again_at_once_for_what_it_wants_and_only_if_that_is_more() {
        let mut registration = Registration::default();
        let brief = Reply { least: Some(HOUR * 2), ..reply(423) };
        assert_eq!(registration.on_reply(&brief, HOUR, 0), Duration::ZERO);
        assert_eq!(registration.next(HOUR).0, HOUR * 2);
        assert!(registration.on_reply(&brief, HOUR, 0) >= Duration::from_secs(15));
    }
}
