//! Number plans and what was dialled, as tables.

use super::*;
use cordboard_model::config::Tenant;
use cordboard_model::id::{AgentId, FlowId, QueueId, TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::verb::Destination;
use cordboard_plugin_api::Paper;

const T: TenantId = TenantId::DEFAULT;

fn queue(name: &str) -> Destination {
    Destination::Queue(QueueId::new(T, name).unwrap())
}

fn route(access: &str, extension: &str, to: Destination) -> CalledNumber {
    CalledNumber {
        access_code: access.into(),
        extension_code: (!extension.is_empty()).then(|| extension.into()),
        to,
    }
}

fn dial(numbers: Vec<CalledNumber>, dialled: &str) -> Verdict {
    let tenant = Tenant { id: T, numbers, ..Tenant::new(T) };
    let req = RouteRequest::new(T, PartyId::new("1001"), PartyId::new(dialled));
    CalledNumberPlugin.route(&req, &Paper::new(&tenant), &mut Notes::default())
}

/// `123` alone, `12345` with extensions 1 and 2, and numbers that read the same digits.
fn plan() -> Vec<CalledNumber> {
    vec![
        route("500", "", queue("sales")),
        route("12345", "1", queue("a")),
        route("12345", "2", queue("b")),
        route("123", "999", queue("short")),
        route("1239", "99", queue("long")),
        route("777", "", queue("first")),
        route("777", "", queue("second")),
    ]
}

#[test]
fn a_route_applies_to_exactly_its_digits() {
    let rows = [
        ("500", Some(("sales", "access code 500 leads to queue default/sales"))),
        ("123451", Some(("a", "access code 12345 with extension code 1 leads to queue default/a"))),
        ("123452", Some(("b", "access code 12345 with extension code 2 leads to queue default/b"))),
        ("123999", Some(("long", "access code 1239 with extension code 99 leads to queue default/long"))),
        ("777", Some(("first", "access code 777 leads to queue default/first"))),
        ("5000", None),
        ("50", None),
        ("12345", None),
        ("1234512", None),
        ("0500", None),
        ("", None),
        ("+500", None),
    ];
    for (dialled, expected) in rows {
        let verdict = dial(plan(), dialled);
        match expected {
            Some((name, why)) => {
                let why = why.into();
                assert_eq!(verdict, Verdict::Decide { to: queue(name), why }, "{dialled}");
            }
            None => assert!(matches!(verdict, Verdict::Pass { .. }), "{dialled}: {verdict:?}"),
        }
    }
}

#[test]
fn every_pass_says_what_the_operator_may_have_meant() {
    let rows = [
        ("5000", "5000 is no access code of tenant default; closest is 500"),
        ("50", "50 is no access code of tenant default; closest is 500"),
        ("778", "778 is no access code of tenant default; closest is 777"),
        ("0999", "0999 is no access code of tenant default"),
        ("", "(nothing) is no access code of tenant default"),
        (
            "12345",
            "12345 is no access code of tenant default; it begins with access code 12345, \
             but no extension code follows (1, 2)",
        ),
        (
            "123459",
            "123459 is no access code of tenant default; it begins with access code 12345, \
             but 9 is none of its extension codes (1, 2)",
        ),
        ("12\r\n", "12\\r\\n is no access code of tenant default; closest is 123"),
    ];
    for (dialled, why) in rows {
        let why = why.into();
        assert_eq!(dial(plan(), dialled), Verdict::Pass { why }, "{dialled}");
    }
}

#[test]
fn a_tenant_without_numbers_says_so() {
    let why = "5000 is no access code of tenant default, which has none".into();
    assert_eq!(dial(Vec::new(), "5000"), Verdict::Pass { why });
}

#[test]
fn many_extension_codes_are_not_all_listed() {
    let numbers = (1..=9).map(|n| route("8", &n.to_string(), queue("q"))).collect();
    let why = "80 is no access code of tenant default; it begins with access code 8, \
               but 0 is none of its extension codes (1, 2, 3, 4, 5, ...)"
        .into();
    assert_eq!(dial(numbers, "80"), Verdict::Pass { why });
}

#[test]
fn a_number_leads_to_any_kind_of_destination() {
    let rows = [
        (Destination::Flow(FlowId::new(T, "menu").unwrap()), "flow default/menu"),
        (queue("sales"), "queue default/sales"),
        (Destination::Agent(AgentId::new(T, "1001").unwrap()), "agent default/1001"),
        (Destination::User(UserId::new(T, "1001").unwrap()), "user default/1001"),
        (
            Destination::Trunk(TrunkId::new(T, "carrier").unwrap(), "+431".into()),
            "trunk default/carrier as +431",
        ),
    ];
    for (to, words) in rows {
        let expected = Verdict::Decide { to: to.clone(), why: format!("access code 9 leads to {words}") };
        assert_eq!(dial(vec![route("9", "", to)], "9"), expected);
    }
}

#[test]
fn sixty_thousand_digits_and_letters_of_any_script_are_only_a_wrong_number() {
    for dialled in ["5".repeat(60_000), "五百".repeat(9), "50\u{0}五".into()] {
        let Verdict::Pass { why } = dial(plan(), &dialled) else {
            unreachable!("{dialled}");
        };
        assert!(why.len() < 300, "{}", why.len());
    }
}
