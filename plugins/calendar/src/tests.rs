//! Moments and calendars, as tables.

use super::*;
use cordboard_model::calendar::{Calendar, Holiday, Hours, read};
use cordboard_model::config::Tenant;
use cordboard_model::id::{FlowId, Name, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::NumberPattern;
use cordboard_model::verb::Destination;
use cordboard_plugin_api::Paper;

const T: TenantId = TenantId::DEFAULT;

fn flow(name: &str) -> Option<Destination> {
    FlowId::new(T, name).ok().map(Destination::Flow)
}

fn hours(from: u16, to: u16) -> Hours {
    Hours { from: from * 60, to: to * 60 }
}

/// Berlin, with the same hours on every day.
fn berlin(hours: &[Hours], holidays: Vec<Holiday>) -> Calendar {
    Calendar { zone: "Europe/Berlin".into(), week: core::array::from_fn(|_| hours.to_vec()), holidays }
}

fn rule(calendar: &str) -> OpeningRule {
    OpeningRule {
        calendar: Name::new(calendar).unwrap(),
        called: Vec::new(),
        closed: flow("closed"),
        holiday: None,
    }
}

fn tenant(calendars: &[(&str, Calendar)], rules: Vec<OpeningRule>) -> Tenant {
    let mut tenant = Tenant::new(T);
    tenant.kit.calendars =
        calendars.iter().map(|(name, calendar)| (Name::new(name).unwrap(), calendar.clone())).collect();
    tenant.routes.hours = rules;
    tenant
}

/// What is said of a call to 5000 at a moment, and what was looked at and not taken.
fn dial(tenant: &Tenant, at: &str) -> (Verdict, Vec<String>) {
    let req = RouteRequest {
        at: read(at).unwrap(),
        ..RouteRequest::new(T, PartyId::new("1001"), PartyId::new("5000"))
    };
    let mut notes = Notes::default();
    let verdict = CalendarPlugin.route(&req, &Paper::new(tenant), &mut notes);
    (verdict, notes.into_lines())
}

fn open() -> (Verdict, Vec<String>) {
    let why = "nothing that applies is closed".into();
    (Verdict::Pass { why }, vec!["office: it is open".into()])
}

fn closed() -> (Verdict, Vec<String>) {
    let why = "calendar office: closed: goes to flow default/closed".into();
    (Verdict::Decide { to: flow("closed").unwrap(), why }, vec![])
}

/// Rows of a moment in UTC, and whether these hours are open then.
fn holds(hours: &[Hours], rows: &[(&str, bool)]) {
    let tenant = tenant(&[("office", berlin(hours, Vec::new()))], vec![rule("office")]);
    for (at, is_open) in rows {
        let expected = if *is_open { open() } else { closed() };
        assert_eq!(dial(&tenant, at), expected, "{at}");
    }
}

#[test]
fn a_calendar_decides_only_while_it_is_closed() {
    // Winter: Berlin is an hour before UTC. Friday 20 November 2026.
    holds(
        &[hours(8, 12), hours(13, 17)],
        &[
            ("2026-11-20T06:59:59.999Z", false),
            ("2026-11-20T07:00:00Z", true),
            ("2026-11-20T10:59:59.999Z", true),
            ("2026-11-20T11:00:00Z", false),
            ("2026-11-20T12:00:00Z", true),
            ("2026-11-20T16:00:00Z", false),
        ],
    );
    holds(&[hours(0, 24)], &[("2026-11-20T22:59:59Z", true), ("2026-11-20T23:00:00Z", true)]);
    holds(&[], &[("2026-11-20T10:00:00Z", false)]);
}

#[test]
fn on_the_day_on_which_the_clock_is_put_forward_calls_follow_the_clock_on_the_wall() {
    // 29 March 2026: at 01:00 UTC it is 03:00 after 01:59.
    holds(
        &[hours(8, 17)],
        &[
            ("2026-03-28T06:59:59Z", false),
            ("2026-03-28T07:00:00Z", true),
            ("2026-03-28T15:59:59Z", true),
            ("2026-03-28T16:00:00Z", false),
            ("2026-03-29T05:59:59Z", false),
            ("2026-03-29T06:00:00Z", true),
            ("2026-03-29T14:59:59Z", true),
            ("2026-03-29T15:00:00Z", false),
        ],
    );
    // Half past two, which never comes, is at three.
    holds(
        &[Hours { from: 150, to: 240 }],
        &[
            ("2026-03-28T01:29:59Z", false),
            ("2026-03-28T01:30:00Z", true),
            ("2026-03-29T00:59:59Z", false),
            ("2026-03-29T01:00:00Z", true),
            ("2026-03-29T01:59:59Z", true),
            ("2026-03-29T02:00:00Z", false),
        ],
    );
    // A night of seven hours.
    holds(
        &[hours(22, 6)],
        &[
            ("2026-03-28T20:59:59Z", false),
            ("2026-03-28T21:00:00Z", true),
            ("2026-03-29T01:00:00Z", true),
            ("2026-03-29T03:59:59Z", true),
            ("2026-03-29T04:00:00Z", false),
            ("2026-03-29T20:00:00Z", true),
        ],
    );
}

#[test]
fn on_the_day_on_which_the_clock_is_put_back_calls_follow_the_clock_on_the_wall() {
    // 25 October 2026: at 01:00 UTC it is 02:00 again.
    holds(
        &[hours(8, 17)],
        &[
            ("2026-10-24T05:59:59Z", false),
            ("2026-10-24T06:00:00Z", true),
            ("2026-10-24T15:00:00Z", false),
            ("2026-10-25T06:59:59Z", false),
            ("2026-10-25T07:00:00Z", true),
            ("2026-10-25T15:59:59Z", true),
            ("2026-10-25T16:00:00Z", false),
        ],
    );
    // Half past two comes twice.
    holds(
        &[Hours { from: 150, to: 240 }],
        &[
            ("2026-10-25T00:29:59Z", false),
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T00:59:59Z", true),
            ("2026-10-25T01:00:00Z", false),
            ("2026-10-25T01:29:59Z", false),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T02:59:59Z", true),
            ("2026-10-25T03:00:00Z", false),
        ],
    );
    // A night of nine hours.
    holds(
        &[hours(22, 6)],
        &[
            ("2026-10-24T19:59:59Z", false),
            ("2026-10-24T20:00:00Z", true),
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T04:59:59Z", true),
            ("2026-10-25T05:00:00Z", false),
            ("2026-10-25T21:00:00Z", true),
        ],
    );
}

#[test]
fn a_calendar_is_read_in_its_own_zone() {
    let shanghai = Calendar { zone: "Asia/Shanghai".into(), ..berlin(&[hours(8, 17)], Vec::new()) };
    let mut tenant = tenant(&[("office", shanghai)], vec![rule("office")]);
    tenant.zone = "America/New_York".into();
    assert_eq!(dial(&tenant, "2026-11-20T00:00:00Z"), open(), "eight o'clock there");
    assert_eq!(dial(&tenant, "2026-11-20T09:00:00Z"), closed(), "five o'clock there");
}

/// 24 December with hours, 25 without, and 31 with hours into the new year.
fn holidays() -> Vec<Holiday> {
    let day = |day, name: &str, hours| Holiday { year: None, month: 12, day, name: name.into(), hours };
    vec![
        day(24, "Christmas Eve", vec![hours(8, 12)]),
        day(25, "Christmas Day", vec![]),
        day(31, "New Year's Eve", vec![hours(20, 3)]),
    ]
}

#[test]
fn a_holiday_has_hours_of_its_own_and_a_place_of_its_own() {
    let calendar = berlin(&[hours(8, 17)], holidays());
    let (own, shut) = (flow("holiday"), flow("closed"));
    let decide = |to: &Option<Destination>, why: &str| {
        (Verdict::Decide { to: to.clone().unwrap(), why: why.into() }, vec![])
    };
    let refuse = |why: &str| (Verdict::Refuse { cause: Cause::NoRoute, why: why.into() }, vec![]);
    let none = None;
    let eve = "calendar office: holiday (Christmas Eve)";
    let rows = [
        ("2026-12-24T08:00:00Z", &shut, &own, open()),
        ("2026-12-24T11:00:00Z", &shut, &own, decide(&own, &format!("{eve}: goes to flow default/holiday"))),
        ("2026-12-24T11:00:00Z", &none, &own, decide(&own, &format!("{eve}: goes to flow default/holiday"))),
        ("2026-12-24T11:00:00Z", &shut, &none, decide(&shut, &format!("{eve}: goes to flow default/closed"))),
        ("2026-12-24T11:00:00Z", &none, &none, refuse(eve)),
        ("2026-12-25T08:00:00Z", &none, &none, refuse("calendar office: holiday (Christmas Day)")),
        ("2026-12-23T17:00:00Z", &shut, &own, closed()),
        ("2026-12-23T17:00:00Z", &none, &own, refuse("calendar office: closed")),
        ("2026-12-23T15:00:00Z", &none, &none, open()),
    ];
    for (at, closed, holiday, expected) in rows {
        let rule = OpeningRule { closed: closed.clone(), holiday: holiday.clone(), ..rule("office") };
        let tenant = tenant(&[("office", calendar.clone())], vec![rule]);
        assert_eq!(dial(&tenant, at), expected, "{at}");
    }
}

#[test]
fn hours_over_midnight_are_those_of_the_day_on_which_they_began() {
    let calendar = berlin(&[hours(22, 6)], holidays());
    let rule = OpeningRule { closed: None, ..rule("office") };
    let tenant = tenant(&[("office", calendar)], vec![rule]);
    let day = |name: &str| format!("calendar office: holiday ({name})");
    let shut = || "calendar office: closed".to_owned();
    let rows = [
        ("2026-12-23T21:00:00Z", None),
        ("2026-12-24T04:59:59Z", None),
        ("2026-12-24T05:00:00Z", Some(day("Christmas Eve"))),
        ("2026-12-24T07:00:00Z", None),
        ("2026-12-24T22:00:00Z", Some(day("Christmas Eve"))),
        ("2026-12-24T23:00:00Z", Some(day("Christmas Day"))),
        ("2026-12-25T22:00:00Z", Some(day("Christmas Day"))),
        ("2026-12-26T00:00:00Z", Some(shut())),
        ("2026-12-31T18:59:59Z", Some(day("New Year's Eve"))),
        ("2026-12-31T19:00:00Z", None),
        ("2027-01-01T01:59:59Z", None),
        ("2027-01-01T02:00:00Z", Some(shut())),
        ("2027-01-01T21:00:00Z", None),
    ];
    for (at, refused) in rows {
        let expected = match refused {
            Some(why) => (Verdict::Refuse { cause: Cause::NoRoute, why }, vec![]),
            None => open(),
        };
        assert_eq!(dial(&tenant, at), expected, "{at}");
    }
}

#[test]
fn the_first_calendar_that_applies_and_is_closed_decides() {
    let calendars = [("office", berlin(&[hours(8, 17)], vec![])), ("night", berlin(&[], vec![]))];
    let of = |number: &str, name| OpeningRule { called: vec![NumberPattern::new(number)], ..rule(name) };
    let rules = vec![of("6*", "night"), rule("nowhere"), rule("office"), of("50*", "night"), rule("night")];
    let (verdict, rejected) = dial(&tenant(&calendars, rules.clone()), "2026-11-20T10:00:00Z");
    let why = "calendar night: closed: goes to flow default/closed".into();
    assert_eq!(verdict, Verdict::Decide { to: flow("closed").unwrap(), why });
    assert_eq!(
        rejected,
        ["night: not for 5000", "nowhere: there is no such calendar", "office: it is open"],
        "those after it are not looked at"
    );
    let (verdict, rejected) = dial(&tenant(&calendars, rules), "2026-11-20T20:00:00Z");
    assert_eq!((verdict, rejected.len()), (closed().0, 2));
}

#[test]
fn without_opening_rules_or_a_zone_that_is_known_nothing_is_closed() {
    let pass = || Verdict::Pass { why: "nothing that applies is closed".into() };
    assert_eq!(dial(&tenant(&[], vec![]), "2026-11-20T10:00:00Z"), (pass(), vec![]));
    let mars = Calendar { zone: "Mars/Olympus".into(), ..berlin(&[], vec![]) };
    let (verdict, rejected) =
        dial(&tenant(&[("office", mars)], vec![rule("office")]), "2026-11-20T10:00:00Z");
    assert_eq!((verdict, rejected), (pass(), vec!["office: there is no such calendar".to_owned()]));
}
