//! Rows of a table of numbers, as a table.

use super::*;
use cordboard_model::config::Tenant;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::lookup::LookupTable;
use cordboard_model::routes::Ported;
use cordboard_plugin_api::Paper;

const T: TenantId = TenantId::DEFAULT;

/// A tenant whose table `ported` has a number, a carrier and what is called instead.
fn tenant(column: &str) -> Tenant {
    let mut table = LookupTable {
        columns: ["number", "carrier", "route"].map(str::to_owned).to_vec(),
        ..LookupTable::default()
    };
    let long = "1".repeat(33);
    let rows = [
        ("+4930", "D123+4930"),
        ("+4931", " D123+4931 "),
        ("+4932", "+4932"),
        ("+4933", ""),
        ("+4934", "   "),
        ("+4935", "1@evil.example"),
        ("+4936", "1;x=y"),
        ("+4937", "1%40evil"),
        ("+4938", long.as_str()),
        ("+4939", "+4940"),
        ("+4940", "+4939"),
    ];
    table.rows = rows.map(|(number, to)| (number.to_owned(), vec!["x".into(), to.into()])).into();
    table.rows.insert("+4941".into(), vec!["x".into()]);
    let mut tenant = Tenant::new(T);
    tenant.kit.tables.insert(Name::new("ported").unwrap(), table.into());
    tenant.routes.ported = Some(Ported { table: Name::new("ported").unwrap(), column: column.into() });
    tenant
}

fn dial(tenant: &Tenant, number: &str) -> (Verdict, Vec<String>) {
    let to = PartyId { user: number.into(), display: "Ada".into() };
    let req = RouteRequest::new(T, PartyId::new("1001"), to);
    let mut notes = Notes::default();
    let verdict = PortabilityPlugin.route(&req, &Paper::new(tenant), &mut notes);
    (verdict, notes.into_lines())
}

fn called(other: &str, why: &str) -> (Verdict, Vec<String>) {
    let to = PartyId { user: other.into(), display: "Ada".into() };
    (Verdict::Amend { changes: vec![Change::To(to)], why: why.into(), then: None }, vec![])
}

fn pass(why: &str) -> (Verdict, Vec<String>) {
    (Verdict::Pass { why: why.into() }, vec![])
}

#[test]
fn a_number_that_was_taken_elsewhere_is_called_by_the_one_that_stands_for_it() {
    let rows = [
        ("+4930", called("D123+4930", "+4930 was taken elsewhere: D123+4930 is called (table ported)")),
        ("+4931", called("D123+4931", "+4931 was taken elsewhere: D123+4931 is called (table ported)")),
        ("+4932", pass("+4932 is where it was (table ported)")),
        ("+4933", pass("+4933 is where it was (table ported)")),
        ("+4934", pass("+4934 is where it was (table ported)")),
        ("+493", pass("+493 is not in table ported")),
        ("+49300", pass("+49300 is not in table ported")),
        ("", pass("(nothing) is not in table ported")),
        ("+4930\r\n", pass("+4930\\r\\n is not in table ported")),
    ];
    for (number, expected) in rows {
        assert_eq!(dial(&tenant("route"), number), expected, "{number}");
    }
}

#[test]
fn a_row_with_what_cannot_be_dialled_is_told_of_and_not_called() {
    let long = "1".repeat(33);
    let rows =
        [("+4935", "1@evil.example"), ("+4936", "1;x=y"), ("+4937", "1%40evil"), ("+4938", long.as_str())];
    for (number, cell) in rows {
        let why = format!("table ported has no number in the row of {number}");
        let rejected = vec![format!("table ported: {cell} cannot be dialled")];
        assert_eq!(dial(&tenant("route"), number), (Verdict::Pass { why }, rejected));
    }
}

#[test]
fn a_table_that_leads_round_in_a_circle_is_looked_at_once() {
    let there = dial(&tenant("route"), "+4939");
    assert_eq!(there, called("+4940", "+4939 was taken elsewhere: +4940 is called (table ported)"));
    let back = dial(&tenant("route"), "+4940");
    assert_eq!(back, called("+4939", "+4940 was taken elsewhere: +4939 is called (table ported)"));
}

#[test]
fn a_table_or_column_of_numbers_that_is_missing_is_named() {
    assert_eq!(dial(&tenant("route"), "+4941"), pass("table ported has no column route"), "a short row");
    assert_eq!(dial(&tenant("Route"), "+4930"), pass("table ported has no column Route"));
    let mut gone = tenant("route");
    gone.kit.tables.clear();
    assert_eq!(dial(&gone, "+4930"), pass("+4930 is not in table ported"));
    gone.routes.ported = None;
    assert_eq!(dial(&gone, "+4930"), pass("there is no table of numbers"));
}
