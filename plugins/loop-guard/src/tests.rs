//! Diversions and calls between the same two numbers, as tables.

use super::*;
use cordboard_model::config::Tenant;
use cordboard_model::id::TenantId;
use cordboard_model::leg::PartyId;
use cordboard_model::routes::LoopLimits;
use cordboard_plugin_api::Paper;

const T: TenantId = TenantId::DEFAULT;

/// `from` calls 5000, was sent on so many times, and so many calls are up between the two.
fn dial(limits: LoopLimits, from: &str, diversions: u8, alike: u32) -> Verdict {
    let mut tenant = Tenant::new(T);
    tenant.routes.loops = limits;
    let req = RouteRequest { diversions, ..RouteRequest::new(T, PartyId::new(from), PartyId::new("5000")) };
    LoopGuardPlugin.route(&req, &Paper { alike, ..Paper::new(&tenant) }, &mut Notes::default())
}

#[test]
fn what_was_sent_on_too_often_or_has_too_many_like_it_goes_no_further() {
    let usual = LoopLimits::default();
    let none = LoopLimits { diversions: 0, alike: 1 };
    let most = LoopLimits { diversions: u8::MAX, alike: u16::MAX };
    let rows = [
        (usual, 0, 1, Ok("sent on 0 times, 1 calls between these two numbers")),
        (usual, 5, 10, Ok("sent on 5 times, 10 calls between these two numbers")),
        (usual, 6, 1, Err("it was sent on 6 times already; 5 are allowed")),
        (usual, 255, 1, Err("it was sent on 255 times already; 5 are allowed")),
        (usual, 0, 11, Err("11 calls are up from 1001 to 5000; 10 are allowed")),
        (usual, 6, 11, Err("it was sent on 6 times already; 5 are allowed")),
        (none, 0, 1, Ok("sent on 0 times, 1 calls between these two numbers")),
        (none, 1, 1, Err("it was sent on 1 times already; 0 are allowed")),
        (none, 0, 2, Err("2 calls are up from 1001 to 5000; 1 are allowed")),
        (most, 255, 65_535, Ok("sent on 255 times, 65535 calls between these two numbers")),
        (most, 255, 65_536, Err("65536 calls are up from 1001 to 5000; 65535 are allowed")),
    ];
    for (limits, diversions, alike, expected) in rows {
        let expected = match expected {
            Ok(why) => Verdict::Pass { why: why.into() },
            Err(why) => Verdict::Refuse { cause: Cause::NoRoute, why: why.into() },
        };
        assert_eq!(dial(limits, "1001", diversions, alike), expected);
    }
}

#[test]
fn a_caller_in_a_circle_is_quoted_short_and_in_one_line() {
    let rows = [
        ("1\r\nVia: x".to_owned(), "1\\r\\nVia: x".to_owned()),
        ("9".repeat(60_000), format!("{}...", "9".repeat(40))),
    ];
    for (from, quoted) in rows {
        let why = format!("11 calls are up from {quoted} to 5000; 10 are allowed");
        let refused = Verdict::Refuse { cause: Cause::NoRoute, why };
        assert_eq!(dial(LoopLimits::default(), &from, 0, 11), refused);
    }
}

#[test]
fn callers_who_withhold_their_numbers_are_many_and_not_one() {
    let limits = LoopLimits { diversions: 5, alike: 10 };
    assert!(matches!(dial(limits, "anonymous", 0, 500), Verdict::Pass { .. }));
    assert!(matches!(dial(limits, "+4930", 0, 11), Verdict::Refuse { .. }));
}
