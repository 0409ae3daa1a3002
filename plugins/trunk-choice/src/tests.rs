//! Ways out, callers and trunks, as tables and by many draws.

use super::*;
use cordboard_model::config::{Gateway, Tenant, Trunk};
use cordboard_model::id::{TenantId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::NumberPattern;
use cordboard_plugin_api::Paper;
use std::collections::{BTreeMap, BTreeSet};

const T: TenantId = TenantId::DEFAULT;

fn trunk(name: &str) -> TrunkId {
    TrunkId::new(T, name).unwrap()
}

/// A way with trunks of a name, a cost and a weight each.
fn way(prefix: &str, trunks: &[(&str, u32, u16)]) -> WayOut {
    let of = |(name, cost, weight): &(&str, u32, u16)| WayTrunk {
        trunk: trunk(name),
        cost: *cost,
        weight: *weight,
    };
    let trunks = trunks.iter().map(of).collect();
    WayOut { prefix: prefix.into(), trunks, users: Vec::new(), from_trunks: Vec::new() }
}

/// A tenant with these ways; each trunk that they name has a gateway.
fn tenant(ways: Vec<WayOut>) -> Tenant {
    let mut tenant = Tenant::new(T);
    for to in ways.iter().flat_map(|way| &way.trunks) {
        let gateways = vec![Gateway::at("192.0.2.1:5060".parse().unwrap())];
        let trunk = Trunk { gateways, ..Trunk::new(to.trunk.clone()) };
        tenant.trunks.insert(to.trunk.name.clone(), trunk);
    }
    tenant.routes.ways = ways;
    tenant
}

/// Account 1001 calls.
fn req(number: &str) -> RouteRequest {
    let user = UserId::new(T, "1001").ok();
    RouteRequest { user, ..RouteRequest::new(T, PartyId::new("1001"), PartyId::new(number)) }
}

fn ask(ctx: &Paper<'_>, req: &RouteRequest) -> (Verdict, Vec<String>) {
    let mut notes = Notes::default();
    let verdict = TrunkChoicePlugin.route(req, ctx, &mut notes);
    (verdict, notes.into_lines())
}

fn leaves(by: &[&str], number: &str, why: &str) -> Verdict {
    let by = by.iter().map(|name| trunk(name)).collect();
    Verdict::Leave { by, number: number.into(), urgent: None, why: why.into() }
}

fn pass(why: &str) -> Verdict {
    Verdict::Pass { why: why.into() }
}

fn forbidden(why: &str) -> Verdict {
    Verdict::Refuse { cause: Cause::Forbidden, why: why.into() }
}

#[test]
fn a_call_leaves_by_the_way_with_the_longest_beginning() {
    let tenant = tenant(vec![
        way("", &[("world", 1, 1)]),
        way("+49", &[("german", 1, 1)]),
        way("+4930", &[("berlin", 1, 1)]),
        way("+49", &[("second", 1, 1)]),
    ]);
    let all = "way out for all numbers: a longer beginning is there";
    let german = "way out +49: a longer beginning is there";
    let rows = [
        (
            "+493012",
            leaves(&["berlin"], "+493012", "way out +4930: trunk default/berlin"),
            vec![german, german, all],
        ),
        (
            "+4930",
            leaves(&["berlin"], "+4930", "way out +4930: trunk default/berlin"),
            vec![german, german, all],
        ),
        ("+493", leaves(&["german"], "+493", "way out +49: trunk default/german"), vec![all]),
        ("+4", leaves(&["world"], "+4", "way out for all numbers: trunk default/world"), vec![]),
        ("112", leaves(&["world"], "112", "way out for all numbers: trunk default/world"), vec![]),
    ];
    for (number, verdict, rejected) in rows {
        let rejected = rejected.into_iter().map(str::to_owned).collect();
        assert_eq!(ask(&Paper::new(&tenant), &req(number)), (verdict, rejected), "{number}");
    }
}

#[test]
fn a_number_for_which_there_is_no_way_out_passes() {
    let tenant = tenant(vec![way("+49", &[("german", 1, 1)])]);
    let rows = [("+43", "no way out begins like +43"), ("049", "no way out begins like 049")];
    for (number, why) in rows {
        assert_eq!(ask(&Paper::new(&tenant), &req(number)), (pass(why), vec![]));
    }
    let none = Tenant::new(T);
    assert_eq!(ask(&Paper::new(&none), &req("+49")).0, pass("no way out begins like +49"));
}

#[test]
fn nothing_but_a_number_leaves_by_a_way_out() {
    let tenant = tenant(vec![way("", &[("world", 1, 1)])]);
    let (long, longer) = ("9".repeat(33), "9".repeat(60_000));
    let cut = format!("{}... is no number", "9".repeat(40));
    let (whole, most) = (format!("{long} is no number"), "9".repeat(24));
    let rows = [
        ("1@evil.example", "1@evil.example is no number"),
        ("1%40evil", "1%40evil is no number"),
        ("1;x", "1;x is no number"),
        ("1?h=v", "1?h=v is no number"),
        ("1:5060", "1:5060 is no number"),
        ("1 2", "1 2 is no number"),
        ("1\r\nVia: x", "1\\r\\nVia: x is no number"),
        ("\u{661}\u{662}", "\u{661}\u{662} is no number"),
        ("", "(nothing) is no number"),
        (&long, &whole),
        (&longer, &cut),
    ];
    for (number, why) in rows {
        assert_eq!(ask(&Paper::new(&tenant), &req(number)), (pass(why), vec![]));
    }
    for number in [most.as_str(), "*21#", "+4930", "ada.b_c"] {
        let why = "way out for all numbers: trunk default/world";
        assert_eq!(ask(&Paper::new(&tenant), &req(number)).0, leaves(&["world"], number, why));
    }
}

/// A call by an account, or by a trunk, or both, or neither.
fn by(user: &str, trunk: &str) -> RouteRequest {
    RouteRequest { user: UserId::new(T, user).ok(), trunk: TrunkId::new(T, trunk).ok(), ..req("+4930") }
}

#[test]
fn only_who_may_gets_out_by_a_way() {
    let open = || way("+49", &[("a", 1, 1)]);
    let staff = || WayOut { users: vec![NumberPattern::new("10*"), NumberPattern::new("2001")], ..open() };
    let transit = || WayOut { from_trunks: vec![trunk("branch")], ..open() };
    let ok = || (leaves(&["a"], "+4930", "way out +49: trunk default/a"), vec![]);
    let no = |why: &str| (forbidden("1001 may not call +4930"), vec![format!("way out +49: {why}")]);
    let rows = [
        (open(), by("1001", ""), ok()),
        (staff(), by("1001", ""), ok()),
        (staff(), by("2001", ""), ok()),
        (staff(), by("20011", ""), no("not for account default/20011")),
        (staff(), by("3001", ""), no("not for account default/3001")),
        // whoever calls in does not call out at our cost
        (open(), by("", "carrier"), no("not for who comes in by trunk default/carrier")),
        (open(), by("", "a"), no("not for who comes in by trunk default/a")),
        (staff(), by("", "carrier"), no("not for who comes in by trunk default/carrier")),
        (transit(), by("", "carrier"), no("not for who comes in by trunk default/carrier")),
        (transit(), by("", "branch"), ok()),
        (transit(), by("1001", ""), ok()),
        // not even with an account's name beside it
        (open(), by("1001", "carrier"), no("not for who comes in by trunk default/carrier")),
        (transit(), by("1001", "branch"), ok()),
        // the house itself, by its API or a flow
        (open(), by("", ""), ok()),
        (staff(), by("", ""), ok()),
    ];
    for (way, req, expected) in rows {
        let tenant = tenant(vec![way]);
        assert_eq!(ask(&Paper::new(&tenant), &req), expected, "{:?} {:?}", req.user, req.trunk);
    }
    let foreign = WayOut {
        from_trunks: vec![TrunkId::new(TenantId::new("acme").unwrap(), "branch").unwrap()],
        ..open()
    };
    let tenant = tenant(vec![foreign]);
    let expected = no("not for who comes in by trunk default/branch");
    assert_eq!(ask(&Paper::new(&tenant), &by("", "branch")), expected, "a namesake of another tenant");
}

#[test]
fn of_ways_with_one_beginning_the_first_that_one_may_use_is_taken() {
    let of = |users: &[&str], name| WayOut {
        users: users.iter().map(|text| NumberPattern::new(text)).collect(),
        ..way("+49", &[(name, 1, 1)])
    };
    let tenant = tenant(vec![of(&["2*"], "a"), of(&["1*"], "b"), of(&[], "c"), way("", &[("world", 1, 1)])]);
    let shorter = "way out for all numbers: a longer beginning is there".to_owned();
    let (verdict, rejected) = ask(&Paper::new(&tenant), &by("1001", ""));
    assert_eq!(verdict, leaves(&["b"], "+4930", "way out +49: trunk default/b"));
    assert_eq!(rejected, [shorter.clone(), "way out +49: not for account default/1001".to_owned()]);
    let (verdict, _) = ask(&Paper::new(&tenant), &by("3001", ""));
    assert_eq!(verdict, leaves(&["c"], "+4930", "way out +49: trunk default/c"));
    // a shorter beginning is no way round a longer one
    let (verdict, rejected) = ask(&Paper::new(&tenant), &by("", "carrier"));
    assert_eq!((verdict, rejected.len()), (forbidden("1001 may not call +4930"), 4));
    assert_eq!(rejected[0], shorter);
}

#[test]
fn spare_trunks_come_after_those_that_can_carry_the_call() {
    use TrunkRoom::{Blocked, Down, Full, Missing, Ready};
    let ways = || vec![way("+49", &[("a", 1, 1), ("b", 2, 1), ("c", 3, 1)])];
    let why = |words: &str| format!("way out +49: trunk {words}");
    let none = || {
        let why = "way out +49: none of its trunks can carry the call".into();
        Verdict::Refuse { cause: Cause::Congestion, why }
    };
    let rows = [
        (
            [Ready, Ready, Ready],
            leaves(&["a", "b", "c"], "+4930", &why("default/a, then default/b, default/c")),
        ),
        (
            [Full, Ready, Ready],
            leaves(&["b", "c", "a"], "+4930", &why("default/b, then default/c, default/a")),
        ),
        (
            [Down, Full, Ready],
            leaves(&["c", "a", "b"], "+4930", &why("default/c, then default/a, default/b")),
        ),
        ([Blocked, Ready, Down], leaves(&["b", "c"], "+4930", &why("default/b, then default/c"))),
        ([Missing, Blocked, Ready], leaves(&["c"], "+4930", &why("default/c"))),
        ([Full, Full, Full], none()),
        ([Down, Full, Down], none()),
        ([Blocked, Blocked, Blocked], none()),
        ([Missing, Missing, Missing], none()),
    ];
    for (rooms, verdict) in rows {
        let tenant = tenant(ways());
        let of = ["a", "b", "c"].map(trunk).into_iter().zip(rooms);
        let ctx = Paper { rooms: of.clone().collect(), ..Paper::new(&tenant) };
        let words = |room| match room {
            Ready => None,
            Blocked => Some("taken out of service"),
            Full => Some("full"),
            Down => Some("down: none of its gateways answers"),
            Missing => Some("without a gateway"),
        };
        let rejected: Vec<String> =
            of.filter_map(|(id, room)| words(room).map(|words| format!("trunk {id}: {words}"))).collect();
        assert_eq!(ask(&ctx, &req("+4930")), (verdict, rejected), "{rooms:?}");
    }
}

/// SplitMix64: a draw for each call.
fn draw(call: u64) -> u64 {
    let mut z = (call + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How often each order of trunks was drawn in 10,000 calls.
fn orders(trunks: &[(&str, u32, u16)]) -> BTreeMap<Vec<String>, u32> {
    let tenant = tenant(vec![way("", trunks)]);
    let ctx = Paper::new(&tenant);
    let mut orders: BTreeMap<Vec<String>, u32> = BTreeMap::new();
    for call in 0..10_000 {
        let req = RouteRequest { draw: draw(call), ..req("+4930") };
        let Verdict::Leave { by, .. } = ask(&ctx, &req).0 else {
            unreachable!("{trunks:?}");
        };
        *orders.entry(by.iter().map(|trunk| trunk.name.to_string()).collect()).or_default() += 1;
    }
    orders
}

#[test]
fn of_trunks_of_one_cost_each_gets_its_share_by_weight_at_every_place() {
    let rows: [&[(&str, u32, u16)]; 5] = [
        &[("a", 1, 70), ("b", 1, 20), ("c", 1, 10)],
        &[("a", 5, 1), ("b", 5, 1), ("c", 5, 1), ("d", 5, 1)],
        &[("a", 0, 1), ("b", 0, 3)],
        &[("a", 1, 65_535), ("b", 1, 65_535)],
        &[("a", 1, 60), ("b", 1, 0), ("c", 1, 40)],
    ];
    for trunks in rows {
        let weight = |name: &str| f64::from(trunks.iter().find(|trunk| trunk.0 == name).unwrap().2);
        let orders = orders(trunks);
        let mut sum = 0.0;
        for (order, calls) in &orders {
            // RFC 2782: each place is drawn by weight among those that are left.
            let mut left: f64 = trunks.iter().map(|trunk| f64::from(trunk.2)).sum();
            let mut share = 1.0;
            for name in order {
                share *= if left > 0.0 { weight(name) / left } else { 1.0 };
                left -= weight(name);
            }
            sum += share;
            let got = f64::from(*calls) / 10_000.0;
            assert!((got - share).abs() <= 0.015, "{order:?} of {trunks:?}: {got}, not {share}");
        }
        assert!((sum - 1.0).abs() < 0.02, "orders that have a share are drawn: {orders:?}");
    }
}

#[test]
fn the_least_cost_goes_first_whatever_is_drawn() {
    let trunks = [("dear", 9, 1_000), ("a", 1, 10), ("mid", 5, 60), ("b", 1, 30), ("twin", 5, 20)];
    let cost = |name: &String| trunks.iter().find(|trunk| trunk.0 == name).unwrap().1;
    let orders = orders(&trunks);
    for order in orders.keys() {
        let names: BTreeSet<&String> = order.iter().collect();
        assert_eq!(names.len(), trunks.len(), "each stands in it once: {order:?}");
        assert!(order.is_sorted_by_key(cost), "{order:?}");
    }
    // What is drawn among those of one cost says nothing of the draw among those of another.
    let share = |first: &str, third: &str| {
        let of = orders.iter().filter(|(order, _)| order[0] == first && order[2] == third);
        f64::from(of.map(|(_, calls)| calls).sum::<u32>()) / 10_000.0
    };
    let rows = [("a", "mid", 0.1875), ("a", "twin", 0.0625), ("b", "mid", 0.5625), ("b", "twin", 0.1875)];
    for (first, third, expected) in rows {
        let got = share(first, third);
        assert!((got - expected).abs() <= 0.015, "{first} and {third}: {got}");
    }
}

#[test]
fn trunks_without_any_weight_are_tried_as_they_are_written() {
    let orders = orders(&[("b", 1, 0), ("a", 1, 0), ("c", 0, 0)]);
    let written = ["c", "b", "a"].map(str::to_owned).to_vec();
    assert_eq!(orders, [(written, 10_000)].into());
}

#[test]
fn a_hyphen_is_no_way_past_a_prefix() {
    for (dialled, number) in [
        ("0-900-1234", Some("09001234")),
        ("0.9.0.0_1234", Some("09001234")),
        ("+49-900-1", Some("+499001")),
        ("*21#", Some("*21#")),
        ("anna-1", Some("anna-1")),
        ("+49-900111111111111111111111", None),
        ("-", None),
        ("1@evil.example", None),
    ] {
        assert_eq!(bare(dialled).as_deref(), number, "{dialled}");
    }
}
