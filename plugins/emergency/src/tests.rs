//! Who calls for help, from where, and how such a call leaves, as tables.

use super::*;
use cordboard_model::config::Tenant;
use cordboard_model::id::{TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::{EmergencyPlace, NumberPattern};
use cordboard_plugin_api::Paper;

const T: TenantId = TenantId::DEFAULT;

fn trunk(name: &str) -> TrunkId {
    TrunkId::new(T, name).unwrap()
}

fn text(of: &str) -> Option<String> {
    (!of.is_empty()).then(|| of.to_owned())
}

fn place(users: &[&str], caller: &str, location: &str) -> EmergencyPlace {
    let users = users.iter().map(|text| NumberPattern::new(text)).collect();
    EmergencyPlace { users, caller: text(caller), location: text(location) }
}

/// 112 and 110 by the trunks `sos` and `spare`, two at a time; trunk `branch` may.
fn help() -> Emergency {
    Emergency {
        numbers: vec!["112".into(), "110".into()],
        trunks: vec![trunk("sos"), trunk("spare")],
        caller: text("+4930100"),
        location: text("https://example.org/berlin"),
        places: vec![
            place(&[], "+4930999", "https://example.org/nobody"),
            place(&["20*"], "+4989200", "https://example.org/munich"),
            place(&["3001"], "+4940300", ""),
            place(&["3002"], "", "https://example.org/ship"),
            place(&["2001"], "+4989201", "https://example.org/never"),
        ],
        from_trunks: vec![trunk("branch")],
        calls: 2,
    }
}

/// A call by an account, or by a trunk, or both, or neither, while so many calls for help are up.
fn dial(help: Option<Emergency>, user: &str, by: &str, up: u32, number: &str) -> Verdict {
    let mut tenant = Tenant::new(T);
    tenant.routes.emergency = help;
    let req = RouteRequest {
        user: UserId::new(T, user).ok(),
        trunk: TrunkId::new(T, by).ok(),
        ..RouteRequest::new(T, PartyId::new("1001"), PartyId::new(number))
    };
    let ctx = Paper { urgent: up, ..Paper::new(&tenant) };
    let mut notes = Notes::default();
    let verdict = EmergencyPlugin.route(&req, &ctx, &mut notes);
    assert_eq!(notes.into_lines(), [""; 0]);
    verdict
}

fn leaves(number: &str, caller: &str, location: &str) -> Verdict {
    Verdict::Leave {
        by: vec![trunk("sos"), trunk("spare")],
        number: number.into(),
        urgent: Some(Box::new(Urgent { caller: text(caller), location: text(location), first: true })),
        why: format!("emergency number {number}: trunk sos, then spare"),
    }
}

fn from_the_house() -> Verdict {
    leaves("112", "+4930100", "https://example.org/berlin")
}

#[test]
fn only_who_is_known_calls_for_help() {
    let forbidden = |name: &str| Verdict::Refuse {
        cause: Cause::Forbidden,
        why: format!("an emergency call by trunk default/{name}, which is not named in from_trunks"),
    };
    let rows = [
        ("1001", "", from_the_house()),
        ("", "branch", from_the_house()),
        ("", "carrier", forbidden("carrier")),
        // a trunk on which calls for help leave is not thereby one on which they come
        ("", "sos", forbidden("sos")),
        // a password was shown
        ("1001", "carrier", from_the_house()),
        // the house itself, by its API or a flow
        ("", "", from_the_house()),
    ];
    for (user, by, verdict) in rows {
        assert_eq!(dial(Some(help()), user, by, 0, "112"), verdict, "{user} by {by}");
    }
    let nobody = Emergency { from_trunks: Vec::new(), ..help() };
    assert_eq!(dial(Some(nobody), "", "branch", 0, "112"), forbidden("branch"));
}

#[test]
fn no_more_calls_for_help_go_first_than_are_allowed_and_the_next_leaves_as_any_call() {
    // it leaves, but does not go first
    let full = |up: u32, most: u32| match from_the_house() {
        Verdict::Leave { by, number, urgent: Some(urgent), .. } => {
            let trunks: Vec<&str> = by.iter().map(|trunk| trunk.name.as_str()).collect();
            let trunks = trunks.join(", then ");
            let why = format!(
                "emergency number 112, but {up} such calls are up of {most} that go first: trunk {trunks}"
            );
            Verdict::Leave { by, number, urgent: Some(Box::new(Urgent { first: false, ..*urgent })), why }
        }
        other => other,
    };
    let rows = [
        (0, 2, from_the_house()),
        (1, 2, from_the_house()),
        (2, 2, full(2, 2)),
        (3, 2, full(3, 2)),
        (0, 0, full(0, 0)),
        (u32::MAX, u32::MAX, full(u32::MAX, u32::MAX)),
    ];
    for (up, most, verdict) in rows {
        let help = Emergency { calls: most, ..help() };
        assert_eq!(dial(Some(help), "1001", "", up, "112"), verdict, "{up} of {most}");
    }
    let stranger = dial(Some(help()), "", "carrier", 2, "112");
    assert!(matches!(stranger, Verdict::Refuse { cause: Cause::Forbidden, .. }), "{stranger:?}");
    let other = dial(Some(help()), "1001", "", 2, "5000");
    assert_eq!(other, Verdict::Pass { why: "5000 is no emergency number".into() });
}

#[test]
fn a_call_for_help_says_where_its_account_is() {
    let berlin = "https://example.org/berlin";
    let rows = [
        ("1001", "+4930100", berlin),
        ("2001", "+4989200", "https://example.org/munich"),
        ("3001", "+4940300", berlin),
        ("3002", "+4930100", "https://example.org/ship"),
        ("", "+4930100", berlin),
    ];
    for (user, caller, location) in rows {
        let by = if user.is_empty() { "branch" } else { "" };
        assert_eq!(dial(Some(help()), user, by, 0, "110"), leaves("110", caller, location), "{user}");
    }
    let unknown = Emergency { caller: None, location: None, places: Vec::new(), ..help() };
    assert_eq!(dial(Some(unknown), "1001", "", 0, "112"), leaves("112", "", ""), "his own number is shown");
}

#[test]
fn a_call_for_help_leaves_by_trunks_of_its_own_in_their_order() {
    let rows = [
        (vec!["sos"], "emergency number 112: trunk sos"),
        (vec!["spare", "sos"], "emergency number 112: trunk spare, then sos"),
        (vec!["c", "a", "b"], "emergency number 112: trunk c, then a, then b"),
    ];
    for (names, words) in rows {
        let trunks: Vec<TrunkId> = names.iter().map(|name| trunk(name)).collect();
        let help = Emergency { trunks: trunks.clone(), ..help() };
        // None of them is in the configuration: whether one has room is not asked.
        let Verdict::Leave { by, why, number, .. } = dial(Some(help), "1001", "", 0, "112") else {
            unreachable!("{names:?}");
        };
        assert_eq!((by, why.as_str(), number.as_str()), (trunks, words, "112"));
    }
}

#[test]
fn what_is_not_exactly_a_number_of_help_passes() {
    let rows = [
        ("5000", "5000 is no emergency number"),
        ("0112", "0112 is no emergency number"),
        ("1122", "1122 is no emergency number"),
        ("11", "11 is no emergency number"),
        ("+49112", "+49112 is no emergency number"),
        ("112@evil.example", "112@evil.example is no emergency number"),
        ("112;phone-context=x", "112;phone-context=x is no emergency number"),
        ("112\r\n", "112\\r\\n is no emergency number"),
        ("\u{661}\u{661}\u{662}", "\u{661}\u{661}\u{662} is no emergency number"),
        ("", "(nothing) is no emergency number"),
    ];
    for (number, why) in rows {
        // By nobody known: a number like any other is not refused here.
        let verdict = dial(Some(help()), "", "carrier", 9, number);
        assert_eq!(verdict, Verdict::Pass { why: why.into() });
    }
    let why = "no emergency numbers are configured".into();
    assert_eq!(dial(None, "1001", "", 0, "112"), Verdict::Pass { why });
}
