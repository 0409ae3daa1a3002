//! Parts and draws, as tables and by many draws.

use super::*;
use cordboard_model::config::Tenant;
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::{NumberPattern, Part};
use cordboard_model::verb::Destination;
use cordboard_plugin_api::Paper;
use std::collections::BTreeMap;

const T: TenantId = TenantId::DEFAULT;

fn queue(name: &str) -> Destination {
    Destination::Queue(QueueId::new(T, name).unwrap())
}

fn share(called: &str, parts: &[(&str, u8)]) -> Share {
    let part = |(name, percent): &(&str, u8)| Part { to: queue(name), percent: *percent };
    Share { called: vec![NumberPattern::new(called)], parts: parts.iter().map(part).collect() }
}

fn dial(shares: &[Share], number: &str, draw: u64) -> (Verdict, Vec<String>) {
    let mut tenant = Tenant::new(T);
    tenant.routes.shares = shares.to_vec();
    let req = RouteRequest { draw, ..RouteRequest::new(T, PartyId::new("1001"), PartyId::new(number)) };
    let mut notes = Notes::default();
    let verdict = SharePlugin.route(&req, &Paper::new(&tenant), &mut notes);
    (verdict, notes.into_lines())
}

#[test]
fn what_was_drawn_says_whose_the_call_is() {
    let shares = [share("5000", &[("a", 60), ("none", 0), ("b", 39), ("c", 1)])];
    let rows = [
        (0, "a", "60 of a hundred go to queue default/a: 0 was drawn, which is in 0 to 60"),
        (59, "a", "60 of a hundred go to queue default/a: 59 was drawn, which is in 0 to 60"),
        (60, "b", "39 of a hundred go to queue default/b: 60 was drawn, which is in 60 to 99"),
        (98, "b", "39 of a hundred go to queue default/b: 98 was drawn, which is in 60 to 99"),
        (99, "c", "1 of a hundred go to queue default/c: 99 was drawn, which is in 99 to 100"),
        (100, "a", "60 of a hundred go to queue default/a: 0 was drawn, which is in 0 to 60"),
        (u64::MAX, "a", "60 of a hundred go to queue default/a: 15 was drawn, which is in 0 to 60"),
    ];
    for (draw, name, why) in rows {
        let why = why.into();
        assert_eq!(dial(&shares, "5000", draw).0, Verdict::Decide { to: queue(name), why }, "{draw}");
    }
    let rejected = dial(&shares, "5000", 75).1;
    assert_eq!(
        rejected,
        [
            "queue default/a: 75 is not in 0 to 60",
            "queue default/none: 75 is not in 60 to 60",
            "queue default/c: 75 is not in 99 to 100"
        ]
    );
}

/// SplitMix64: a draw for each call.
fn draw(call: u64) -> u64 {
    let mut z = (call + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn of_ten_thousand_calls_each_place_gets_its_share() {
    let rows: [&[(&str, u8)]; 5] = [
        &[("a", 50), ("b", 30), ("c", 20)],
        &[("a", 33), ("b", 33), ("c", 34)],
        &[("a", 99), ("b", 1)],
        &[("a", 100)],
        &[("a", 10), ("b", 10), ("c", 10), ("d", 70)],
    ];
    for parts in rows {
        let shares = [share("*", parts)];
        let mut calls: BTreeMap<String, u32> = BTreeMap::new();
        for call in 0..10_000 {
            let Verdict::Decide { to, .. } = dial(&shares, "5000", draw(call)).0 else {
                unreachable!("{parts:?}");
            };
            *calls.entry(destination(&to)).or_default() += 1;
        }
        for (name, percent) in parts {
            let got = calls[&format!("queue default/{name}")];
            assert!(got.abs_diff(u32::from(*percent) * 100) <= 150, "{name} of {parts:?}: {got}");
        }
    }
}

#[test]
fn what_the_parts_leave_over_goes_to_the_next_plugin() {
    let shares = [share("5000", &[("a", 10), ("b", 20)])];
    let passed = (0..100).filter(|draw| matches!(dial(&shares, "5000", *draw).0, Verdict::Pass { .. }));
    assert_eq!(passed.count(), 70);
    let (verdict, rejected) = dial(&shares, "5000", 30);
    assert_eq!(verdict, Verdict::Pass { why: "30 was drawn, which is nobody's".into() });
    assert_eq!(rejected, ["queue default/a: 30 is not in 0 to 10", "queue default/b: 30 is not in 10 to 30"]);
    let none = dial(&[share("5000", &[])], "5000", 0);
    assert_eq!(none, (Verdict::Pass { why: "0 was drawn, which is nobody's".into() }, vec![]));
    let beyond = [share("5000", &[("a", 90), ("b", 200), ("c", 200)])];
    assert_eq!(dial(&beyond, "5000", 95).1.len(), 2, "parts beyond a hundred are nobody's");
}

#[test]
fn the_first_share_for_a_number_is_taken() {
    let shares = [share("5000", &[("a", 100)]), share("50*", &[("b", 100)]), share("5001", &[("c", 100)])];
    let rows = [
        ("5000", Ok("a")),
        ("5001", Ok("b")),
        ("50", Ok("b")),
        ("51", Err("calls to 51 are not shared out")),
        ("", Err("calls to (nothing) are not shared out")),
        ("5\r\n", Err("calls to 5\\r\\n are not shared out")),
    ];
    for (number, expected) in rows {
        let (verdict, rejected) = dial(&shares, number, 7);
        let expected = match expected {
            Ok(name) => Verdict::Decide {
                to: queue(name),
                why: format!(
                    "100 of a hundred go to queue default/{name}: 7 was drawn, which is in 0 to 100"
                ),
            },
            Err(why) => Verdict::Pass { why: why.into() },
        };
        assert_eq!((verdict, rejected), (expected, vec![]), "{number}");
    }
    let why = "calls to 5000 are not shared out".into();
    assert_eq!(dial(&[], "5000", 7).0, Verdict::Pass { why });
}
