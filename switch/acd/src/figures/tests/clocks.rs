//! Days with a change of clocks, and days that end while somebody waits.

use super::floor::Floor;
use crate::tests::bench::{agent_config, queue_config};
use cordboard_model::cause::Party;
use cordboard_model::figures::{Ratio, ReportBy, ReportRow, ReportStep, WallRow};

fn floor(at: &str) -> Floor {
    let queues = vec![queue_config("sales")];
    Floor::new(at, "Europe/Berlin", queues, vec![agent_config("1", &["sales"])])
}

const HOUR: u64 = 3_600_000;

/// When each row begins by the clock on the wall, with this of it.
fn told(rows: &[ReportRow], of: impl Fn(&ReportRow) -> u64) -> Vec<(String, u64)> {
    rows.iter().map(|row| (row.local[11..].to_owned(), of(row))).collect()
}

#[test]
fn the_hour_that_comes_twice_has_two_rows_and_the_day_25_hours() {
    let mut floor = floor("2026-10-25T00:00:00+02:00");
    floor.ready("1");
    for (n, at) in [(1, 2 * HOUR + HOUR / 2), (2, 3 * HOUR + HOUR / 2), (3, 3 * HOUR + HOUR / 2)] {
        floor.until(at);
        floor.enter(n, "sales");
        floor.gives_up(n);
    }
    floor.until(25 * HOUR - 1);
    let hours = floor.grid(ReportStep::Hour);
    let (rows, totals) = floor.report(ReportBy::Queues, hours.clone());
    let offered = told(&rows, |row| row.figures.offered);
    assert_eq!(offered, [("02:00:00+02:00".to_owned(), 1), ("02:00:00+01:00".to_owned(), 2)]);
    assert_eq!((totals[0].figures.offered, totals[0].to.0 - totals[0].from.0), (3, 25 * HOUR as i64));
    let (rows, _) = floor.report(ReportBy::Tenant, hours);
    let signed_in = |row: &ReportRow| {
        let f = &row.figures;
        f.time_ready_ms + f.time_ringing_ms + f.time_not_ready_ms
    };
    let times = told(&rows, signed_in);
    assert_eq!(times.len(), 25);
    assert!(times[..24].iter().all(|(_, ms)| *ms == HOUR), "{times:?}");
    assert_eq!(times[24].1, HOUR - 1);
    assert_eq!(floor.total(ReportBy::Agents, Some("1")).time_ready_ms, 25 * HOUR - 1);
    assert_eq!(floor.wall().agents[0].today.time_ready_ms, 25 * HOUR - 1);
}

#[test]
fn the_hour_that_never_comes_has_no_row_and_the_day_23_hours() {
    let mut floor = floor("2026-03-29T00:00:00+01:00");
    floor.ready("1");
    floor.until(23 * HOUR - 1);
    let (rows, totals) = floor.report(ReportBy::Agents, floor.grid(ReportStep::Hour));
    let begin: Vec<&str> = rows.iter().map(|row| &row.local[11..16]).collect();
    assert_eq!(begin[..4], ["00:00", "01:00", "03:00", "04:00"]);
    assert_eq!((begin.len(), totals[0].figures.time_ready_ms), (23, 23 * HOUR - 1));
    assert_eq!(floor.wall().agents[0].today.time_ready_ms, 23 * HOUR - 1);
}

#[test]
fn a_call_over_midnight_counts_for_the_day_it_came_and_an_agents_time_for_both() {
    let mut floor = floor("2026-06-01T23:59:00+02:00");
    floor.ready("1");
    floor.until(50_000);
    floor.enter(1, "sales");
    floor.until(55_000);
    floor.answer(1);
    let before = floor.wall();
    assert_eq!((before.today.offered, before.today.answered, before.today.handled), (1, 1, 0));
    let yesterday = floor.grid(ReportStep::Day);
    floor.until(90_000);
    floor.released(1);
    floor.over(1, Party::Caller);
    floor.until(120_000);
    floor.enter(2, "sales");
    floor.gives_up(2);
    let (rows, _) = floor.report(ReportBy::Tenant, yesterday);
    let told = rows[0].figures;
    assert_eq!((told.offered, told.answered, told.handled, told.talk_ms), (1, 1, 1, 35_000));
    // The wrap-up was after midnight; it belongs to the call of the day before, and its time to the new day.
    assert_eq!((told.wrap_up_ms, told.aht_ms, told.time_wrap_up_ms), (10_000, Some(45_000), 0));
    assert_eq!((told.time_talking_ms, told.time_ready_ms), (5_000, 50_000));
    let today = floor.total(ReportBy::Tenant, None);
    assert_eq!((today.offered, today.abandoned, today.handled, today.wrap_up_ms), (1, 1, 0, 0));
    assert_eq!((today.time_talking_ms, today.time_wrap_up_ms), (30_000, 10_000));
    let wall = floor.wall();
    assert_eq!(cordboard_model::figures::Figures { calls: 0, ..wall.today }, today);
    assert!(wall.complete && !before.complete, "the day that began here is known whole");
}

/// The service level of trunks and flows left out who waits longer than his target, and that of the tenant counted also
/// those who came before midnight: three figures by one formula that said three things.
#[test]
fn who_waits_too_long_counts_for_every_row_that_he_is_in_and_before_midnight_for_none() {
    let mut floor = floor("2026-06-01T23:59:00+02:00");
    floor.enter_by(1, "sales", "carrier", "main");
    floor.until(90_000);
    floor.enter_by(2, "sales", "carrier", "main");
    floor.enter_by(3, "sales", "other", "main");
    let levels = |floor: &mut Floor| {
        let wall = floor.wall();
        let of = |rows: &[WallRow]| -> Vec<(String, Ratio)> {
            rows.iter().map(|row| (row.name.to_string(), row.today.service_level)).collect()
        };
        let own = (wall.today.service_level, wall.queues[0].today.service_level);
        (own, of(&wall.trunks), of(&wall.flows), wall.queues[0].waiting_over_target)
    };
    let named = |name: &str, level| (name.to_owned(), level);
    let ((tenant, queue), trunks, flows, over) = levels(&mut floor);
    let none_of = |n| Ratio::new(0, n);
    assert_eq!((tenant, queue, over), (none_of(0), none_of(0), 1), "of those of today nothing is known yet");
    assert_eq!(trunks, [named("carrier", none_of(0)), named("other", none_of(0))]);
    assert_eq!(flows, [named("main", none_of(0))]);
    floor.until(111_000);
    let ((tenant, queue), trunks, flows, over) = levels(&mut floor);
    assert_eq!((tenant, queue, over), (none_of(2), none_of(2), 3));
    assert_eq!(trunks, [named("carrier", none_of(1)), named("other", none_of(1))]);
    assert_eq!(flows, [named("main", none_of(2))]);
}
