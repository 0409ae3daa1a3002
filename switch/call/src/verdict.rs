//! What a leg's figures come to, in words: whose fault bad audio was.
//!
//! One sentence for each leg that was answered. "The caller's uplink" is the way from the party to the switch; "ours" is the
//! way back, of which only the party's own reports (RTCP) can tell.

use cordboard_model::cdr::LegRole;
use cordboard_model::finding::{Finding, Silence, Way};
use cordboard_model::media::LegStats;
use cordboard_model::path::PathFault;
use cordboard_model::time::Duration;

/// Loss below this is not worth a word, in thousandths.
const LOSS_MIN: u64 = 10;
/// Losses that come this many at a time are bursts, in tenths.
const BURST_MIN: u64 = 25;
/// Jitter that a phone's buffer may not make good, microseconds.
const JITTER_MIN: u32 = 40_000;
/// A round trip that disturbs talk, microseconds (ITU-T G.114 wants 150 ms one way).
const ROUND_TRIP_MIN: u32 = 300_000;
/// A leg must have been up for so long before its silence says anything.
const SILENCE_MIN: Duration = Duration::from_secs(3);
/// Packets of a direction before its loss is judged: one second.
const PACKETS_MIN: u64 = 50;

/// Whose leg it is, in the words of the verdict.
pub(crate) fn name(role: LegRole, is_agent: bool) -> &'static str {
    match role {
        _ if is_agent => "the agent",
        LegRole::Caller => "the caller",
        LegRole::Callee => "the called party",
    }
}

/// What the figures of a leg say that was up for this long; nothing where that was too short to tell.
pub(crate) fn findings(stats: &LegStats, up: Duration) -> Vec<Finding> {
    if stats.received == 0 {
        let enough = up >= SILENCE_MIN || stats.fault.is_some_and(|fault| fault != PathFault::NoPath);
        return if enough { vec![Finding::NoAudio { why: silence(stats) }] } else { Vec::new() };
    }
    let late = (stats.delayed * 100 >= stats.received).then_some(stats.delay_peak_ms).filter(|ms| *ms > 0);
    let mut found = Vec::new();
    if stats.unheard_ms > 0 {
        found.push(Finding::NotHeard { seconds: stats.unheard_ms.div_ceil(1_000) });
    }
    let uplink = faults(Way::Up, (stats.received, stats.lost, stats.gaps), stats.jitter_peak_us, late);
    found.extend(uplink);
    match stats.far {
        Some(far) => {
            found.extend(faults(
                Way::Down,
                (far.of.saturating_sub(far.lost), far.lost, 0),
                far.jitter_us,
                None,
            ));
        }
        None => found.push(Finding::Unreported),
    }
    let slow = stats.far.and_then(|far| far.round_trip_us).filter(|us| *us >= ROUND_TRIP_MIN);
    found.extend(slow.map(|us| Finding::RoundTrip { ms: us / 1_000 }));
    found
}

fn silence(stats: &LegStats) -> Silence {
    match stats.fault {
        Some(fault) => fault.into(),
        None if stats.foreign >= PACKETS_MIN => Silence::OtherAddress,
        None if stats.unsealed >= PACKETS_MIN => Silence::OtherKeys,
        None if stats.private => Silence::PrivateAddress,
        None => Silence::Unknown,
    }
}

/// What is wrong with one direction, or that nothing is.
fn faults(
    way: Way,
    (received, lost, gaps): (u64, u64, u64),
    jitter_us: u32,
    late_ms: Option<u32>,
) -> Vec<Finding> {
    let all = received + lost;
    let mut found = Vec::new();
    let thousandths = (lost * 1_000).checked_div(all).unwrap_or(0);
    if all >= PACKETS_MIN && thousandths >= LOSS_MIN {
        let bursts = gaps > 0 && lost * 10 / gaps >= BURST_MIN;
        found.push(Finding::Loses { way, percent: (thousandths + 5) / 10, bursts });
    }
    if jitter_us >= JITTER_MIN {
        found.push(Finding::Jitters { way, ms: jitter_us / 1_000 });
    }
    found.extend(late_ms.map(|ms| Finding::Late { ms }));
    if found.is_empty() {
        found.push(Finding::Clean { way });
    }
    found
}

/// The same in a sentence; none if nothing was found.
pub(crate) fn words(who: &str, findings: &[Finding]) -> Option<String> {
    let mut said = String::new();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let (mut slow, mut reports) = (String::new(), true);
    for finding in findings {
        let (way, text) = match *finding {
            Finding::NoAudio { why } => return Some(format!("no audio from {who}{}", cause(why))),
            Finding::NotHeard { seconds } => {
                said = format!("{who} was not heard for {seconds} s; ");
                continue;
            }
            Finding::RoundTrip { ms } => {
                slow = format!("; the round trip takes {ms} ms");
                continue;
            }
            Finding::Unreported => {
                reports = false;
                continue;
            }
            Finding::Clean { .. } => continue,
            Finding::Loses { way, percent, bursts } => {
                (way, format!("loses {percent} %{}", if bursts { " in bursts" } else { "" }))
            }
            Finding::Jitters { way, ms } => (way, format!("jitters by {ms} ms")),
            Finding::Late { ms } => (Way::Up, format!("comes up to {ms} ms late")),
        };
        match way {
            Way::Up => up.push(text),
            Way::Down => down.push(text),
        }
    }
    if findings.is_empty() {
        return None;
    }
    let of = |faults: Vec<String>| if faults.is_empty() { "is clean".into() } else { faults.join(" and ") };
    let both = up.is_empty() && down.is_empty() && reports;
    said += &match (both, reports) {
        (true, _) => "good both ways".to_owned(),
        (_, true) => format!("{who}'s uplink {}; ours {}", of(up), of(down)),
        (_, false) => format!("{who}'s uplink {}; it does not report what it hears", of(up)),
    };
    Some(said + &slow)
}

fn cause(why: Silence) -> &'static str {
    match why {
        Silence::WrongCertificate => ": its certificate is not the one that its SDP names",
        Silence::Handshake => ": DTLS gave no keys",
        Silence::NoPath => ": none of the addresses in its SDP answers",
        Silence::ConsentLost => ": it has stopped answering",
        Silence::OtherAddress => ": its packets come from another address than agreed",
        Silence::OtherKeys => ": its packets do not open under the keys that were agreed",
        Silence::PrivateAddress => ": its SDP names a private address",
        Silence::Unknown => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::media::FarStats;

    fn clean() -> LegStats {
        let far = FarStats { lost: 2, of: 1_000, jitter_us: 4_000, round_trip_us: Some(30_000), mos: None };
        LegStats { received: 1_000, sent: 1_000, far: Some(far), ..LegStats::default() }
    }

    fn of(stats: LegStats) -> String {
        words("the caller", &findings(&stats, Duration::from_secs(20))).unwrap()
    }

    #[test]
    fn a_clean_leg_is_good_both_ways_and_one_that_does_not_report_is_not_praised() {
        assert_eq!(of(clean()), "good both ways");
        let silent = LegStats { far: None, ..clean() };
        assert_eq!(of(silent), "the caller's uplink is clean; it does not report what it hears");
    }

    #[test]
    fn each_direction_is_blamed_for_its_own_loss() {
        let up = LegStats { received: 940, lost: 60, gaps: 10, ..clean() };
        assert_eq!(of(up), "the caller's uplink loses 6 % in bursts; ours is clean");
        let scattered = LegStats { gaps: 55, ..up };
        assert_eq!(of(scattered), "the caller's uplink loses 6 %; ours is clean");
        let far = FarStats { lost: 30, of: 1_000, jitter_us: 55_000, round_trip_us: None, mos: None };
        let down = LegStats { far: Some(far), ..clean() };
        assert_eq!(of(down), "the caller's uplink is clean; ours loses 3 % and jitters by 55 ms");
        let since = LegStats { sent: 3_000, ..down };
        assert_eq!(of(since), of(down), "of what was sent after its last report it has said nothing");
        let both = LegStats { far: Some(far), ..up };
        assert_eq!(of(both), "the caller's uplink loses 6 % in bursts; ours loses 3 % and jitters by 55 ms");
    }

    #[test]
    fn jitter_and_delay_are_told() {
        let far = FarStats { round_trip_us: Some(420_000), ..clean().far.unwrap() };
        let stats = LegStats { jitter_peak_us: 61_000, far: Some(far), ..clean() };
        let expected = "the caller's uplink jitters by 61 ms; ours is clean; the round trip takes 420 ms";
        assert_eq!(of(stats), expected);
    }

    #[test]
    fn silence_names_its_likely_cause_but_not_of_a_leg_that_was_hardly_up() {
        let none = LegStats { sent: 900, ..LegStats::default() };
        assert_eq!(of(none), "no audio from the caller");
        let private = LegStats { private: true, ..none };
        assert_eq!(of(private), "no audio from the caller: its SDP names a private address");
        let sealed = LegStats { unsealed: 800, ..none };
        assert_eq!(
            of(sealed),
            "no audio from the caller: its packets do not open under the keys that were agreed"
        );
        let foreign = LegStats { foreign: 800, ..private };
        assert_eq!(
            of(foreign),
            "no audio from the caller: its packets come from another address than agreed"
        );
        assert_eq!(words("the caller", &findings(&none, Duration::from_secs(2))), None);
    }

    #[test]
    fn a_party_that_was_not_heard_for_a_while_and_one_that_comes_late_are_told_of() {
        let missed = LegStats { unheard_ms: 11_300, ..clean() };
        assert_eq!(of(missed), "the caller was not heard for 12 s; good both ways");
        let late = LegStats { delayed: 15, delay_peak_ms: 280, ..clean() };
        assert_eq!(of(late), "the caller's uplink comes up to 280 ms late; ours is clean");
        let once = LegStats { delayed: 5, ..late };
        assert_eq!(of(once), "good both ways");
    }

    #[test]
    fn programs_are_told_piece_by_piece() {
        let far = FarStats { lost: 30, of: 1_000, jitter_us: 5_000, round_trip_us: Some(420_000), mos: None };
        let stats =
            LegStats { unheard_ms: 4_000, delayed: 15, delay_peak_ms: 280, far: Some(far), ..clean() };
        let found = serde_json::to_value(findings(&stats, Duration::from_secs(20))).unwrap();
        assert_eq!(
            found,
            serde_json::json!([
                { "what": "not_heard", "seconds": 4 },
                { "what": "late", "ms": 280 },
                { "what": "loses", "way": "down", "percent": 3, "bursts": false },
                { "what": "round_trip", "ms": 420 },
            ])
        );
        let silent = LegStats { private: true, ..LegStats::default() };
        let found = findings(&silent, Duration::from_secs(20));
        assert_eq!(found, [Finding::NoAudio { why: Silence::PrivateAddress }]);
    }

    #[test]
    fn a_packet_or_two_are_no_ground_for_a_verdict_on_loss() {
        let few = LegStats { received: 3, lost: 2, gaps: 1, ..clean() };
        assert_eq!(of(few), "good both ways");
    }
}
