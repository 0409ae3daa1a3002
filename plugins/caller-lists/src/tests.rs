//! Lists and callers, as tables.

use super::*;
use cordboard_model::config::Tenant;
use cordboard_model::id::{FlowId, Name, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::lookup::LookupTable;
use cordboard_model::routes::NumberPattern;
use cordboard_model::verb::Destination;
use cordboard_plugin_api::Paper;

const T: TenantId = TenantId::DEFAULT;

fn patterns(of: &[&str]) -> Vec<NumberPattern> {
    of.iter().map(|text| NumberPattern::new(text)).collect()
}

fn list(name: &str, kind: ListKind, callers: &[&str]) -> CallerList {
    CallerList {
        name: Name::new(name).unwrap(),
        kind,
        callers: patterns(callers),
        table: None,
        called: Vec::new(),
        to: None,
        priority: 7,
    }
}

fn flow(name: &str) -> Destination {
    Destination::Flow(FlowId::new(T, name).unwrap())
}

/// A tenant with these lists and a table `known` with the row of +4930.
fn tenant(lists: Vec<CallerList>) -> Tenant {
    let mut tenant = Tenant::new(T);
    tenant.routes.lists = lists;
    let mut table = LookupTable { columns: vec!["number".into()], ..LookupTable::default() };
    table.rows.insert("+4930".into(), Vec::new());
    tenant.kit.tables.insert(Name::new("known").unwrap(), table.into());
    tenant
}

/// What is said of a call, and what was looked at and not taken.
fn dial(lists: Vec<CallerList>, from: &str, to: &str) -> (Verdict, Vec<String>) {
    let req = RouteRequest::new(T, PartyId::new(from), PartyId::new(to));
    let mut notes = Notes::default();
    let tenant = tenant(lists);
    let verdict = CallerListsPlugin.route(&req, &Paper::new(&tenant), &mut notes);
    (verdict, notes.into_lines())
}

fn pass(why: &str) -> Verdict {
    Verdict::Pass { why: why.into() }
}

fn forbidden(why: &str) -> Verdict {
    Verdict::Refuse { cause: Cause::Forbidden, why: why.into() }
}

#[test]
fn a_list_that_blocks_keeps_out_who_is_on_it() {
    let nobody = |who: &str| pass(&format!("no list has anything against or for {who}"));
    let rows = [
        ("+4989", forbidden("+4989 is on the list nuisance, as +4989"), vec![]),
        ("+49301", forbidden("+49301 is on the list nuisance, as +4930*"), vec![]),
        ("anonymous", forbidden("anonymous is on the list nuisance, as anonymous"), vec![]),
        ("+49891", nobody("+49891"), vec!["nuisance: +49891 is not on it"]),
        ("4989", nobody("4989"), vec!["nuisance: 4989 is not on it"]),
        ("", nobody("(nothing)"), vec!["nuisance: (nothing) is not on it"]),
        ("1\r\n", nobody("1\\r\\n"), vec!["nuisance: 1\\r\\n is not on it"]),
    ];
    for (from, verdict, rejected) in rows {
        let nuisance = list("nuisance", ListKind::Block, &["+4989", "+4930*", "anonymous"]);
        let rejected = rejected.into_iter().map(str::to_owned).collect();
        assert_eq!(dial(vec![nuisance], from, "5000"), (verdict, rejected), "{from}");
    }
}

#[test]
fn a_list_that_allows_keeps_out_who_is_not_on_it() {
    let rows = [
        ("1001", pass("no list has anything against or for 1001"), vec!["staff: 1001 is on it"]),
        ("+4930", pass("no list has anything against or for +4930"), vec!["staff: +4930 is on it"]),
        ("2001", forbidden("2001 is not on the list staff"), vec![]),
        ("anonymous", forbidden("anonymous is not on the list staff"), vec![]),
        ("", forbidden("(nothing) is not on the list staff"), vec![]),
    ];
    for (from, verdict, rejected) in rows {
        let table = Name::new("known").ok();
        let staff = CallerList { table, ..list("staff", ListKind::Allow, &["10*"]) };
        let rejected = rejected.into_iter().map(str::to_owned).collect();
        assert_eq!(dial(vec![staff], from, "5000"), (verdict, rejected), "{from}");
    }
    let empty = dial(vec![list("nobody", ListKind::Allow, &[])], "1001", "5000");
    assert_eq!(empty.0, forbidden("1001 is not on the list nobody"));
}

#[test]
fn a_list_that_prefers_gives_a_better_place_or_one_of_its_own() {
    let vip = || list("gold", ListKind::Vip, &["+4930*"]);
    let amended = Verdict::Amend {
        changes: vec![Change::Priority(7)],
        why: "+49301 is on the list gold, as +4930*: priority 7 in a queue".into(),
        then: None,
    };
    assert_eq!(dial(vec![vip()], "+49301", "5000"), (amended, vec![]));
    let own = CallerList { to: Some(flow("gold")), ..vip() };
    let why = "+49301 is on the list gold, as +4930*: goes to flow default/gold".into();
    assert_eq!(dial(vec![own], "+49301", "5000").0, Verdict::Decide { to: flow("gold"), why });
    let other = dial(vec![vip()], "+4989", "5000");
    let rejected = vec!["gold: +4989 is not on it".to_owned()];
    assert_eq!(other, (pass("no list has anything against or for +4989"), rejected));
}

#[test]
fn who_is_kept_out_goes_where_the_list_says() {
    let to = || Some(flow("sorry"));
    let rows = [
        (ListKind::Block, "1001 is on the list l, as 1001: goes to flow default/sorry"),
        (ListKind::Allow, "1001 is not on the list l: goes to flow default/sorry"),
    ];
    for (kind, why) in rows {
        let callers = if kind == ListKind::Block { ["1001"] } else { ["2002"] };
        let (verdict, _) = dial(vec![CallerList { to: to(), ..list("l", kind, &callers) }], "1001", "5000");
        assert_eq!(verdict, Verdict::Decide { to: flow("sorry"), why: why.into() });
    }
}

#[test]
fn of_several_lists_the_first_that_decides_does() {
    let gold = list("gold", ListKind::Vip, &["1001"]);
    let staff = list("staff", ListKind::Allow, &["10*"]);
    let bad = list("bad", ListKind::Block, &["1001", "1002"]);
    let all = || vec![staff.clone(), gold.clone(), bad.clone()];
    let (verdict, rejected) = dial(all(), "1001", "5000");
    assert!(matches!(verdict, Verdict::Amend { .. }), "{verdict:?}");
    assert_eq!(rejected, ["staff: 1001 is on it"]);
    let (verdict, rejected) = dial(all(), "1002", "5000");
    assert_eq!(verdict, forbidden("1002 is on the list bad, as 1002"));
    assert_eq!(rejected, ["staff: 1002 is on it", "gold: 1002 is not on it"]);
    let (verdict, rejected) = dial(all(), "2001", "5000");
    assert_eq!((verdict, rejected), (forbidden("2001 is not on the list staff"), vec![]));
    let (verdict, rejected) = dial(all(), "1003", "5000");
    assert_eq!(verdict, pass("no list has anything against or for 1003"));
    assert_eq!(rejected.len(), 3);
}

#[test]
fn a_list_of_callers_holds_for_the_called_numbers_that_it_names() {
    let rows = [
        ("5000", true, ""),
        ("5001", false, "bad: not for 5001"),
        ("60", true, ""),
        ("6123", true, ""),
        ("", false, "bad: not for (nothing)"),
    ];
    for (to, holds, line) in rows {
        let bad = CallerList { called: patterns(&["5000", "6*"]), ..list("bad", ListKind::Block, &["*"]) };
        let expected = match holds {
            true => (forbidden("1001 is on the list bad, as *"), vec![]),
            false => (pass("no list has anything against or for 1001"), vec![line.to_owned()]),
        };
        assert_eq!(dial(vec![bad], "1001", to), expected, "{to}");
    }
}

#[test]
fn the_keys_of_a_table_are_on_a_list_of_callers() {
    let of =
        |table: &str| CallerList { table: Name::new(table).ok(), ..list("bad", ListKind::Block, &["+4989"]) };
    let rows = [
        (of("known"), "+4930", forbidden("+4930 is on the list bad, by table known")),
        (of("known"), "+4989", forbidden("+4989 is on the list bad, as +4989")),
        (of("known"), "+49", pass("no list has anything against or for +49")),
        (of("missing"), "+4930", pass("no list has anything against or for +4930")),
    ];
    for (list, from, verdict) in rows {
        assert_eq!(dial(vec![list], from, "5000").0, verdict, "{from}");
    }
}

#[test]
fn a_tenant_without_lists_of_callers_says_so() {
    assert_eq!(dial(Vec::new(), "1001", "5000"), (pass("there are no lists"), vec![]));
}
