//! Dates in a zone, and opening hours: whether an office is open, and when that changes.
//!
//! A minute of the day is what a clock on the wall shows. On the day on which the clock is put forward a minute that it
//! passes over never comes, and on the day on which it is put back the minutes of an hour come twice, hours of opening
//! included. The zones are those compiled in; nothing here reads a clock.

use crate::time::Wall;
use core::time::Duration;
use jiff::civil::{Date, DateTime, Time as Clock};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Minutes of a day.
pub const DAY: u16 = 1_440;
/// How far ahead a change is looked for.
const DAYS_AHEAD: i64 = 31;

/// A zone by its IANA name, from the data compiled in.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// Zones that were asked for, kept: reading one from its data takes longer than all the rest.
#[derive(Clone, Debug, Default)]
pub struct Zones(BTreeMap<String, TimeZone>);

impl Zones {
    /// A zone that was asked for before.
    pub fn known(&self, name: &str) -> Option<&TimeZone> {
        self.0.get(name)
    }

    /// A zone by its IANA name.
    pub fn get(&mut self, name: &str) -> Option<TimeZone> {
        if let Some(known) = self.0.get(name) {
            return Some(known.clone());
        }
        // There are no more than have names; what has none is not kept.
        let found = zone(name)?;
        self.0.insert(name.to_owned(), found.clone());
        Some(found)
    }
}

/// A date written as RFC 3339 has it: `2026-11-21T09:00:00+01:00`.
pub fn read(text: &str) -> Option<Wall> {
    text.parse::<Timestamp>().ok().map(|at| Wall(at.as_millisecond()))
}

/// A moment as a clock and a calendar on the wall show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix: i64,
    /// Year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
    /// 0 to 59.
    pub second: i8,
    /// Monday is 1, Sunday 7.
    pub weekday: i8,
    /// 1 to 366.
    pub yearday: i16,
    /// Seconds east of UTC.
    pub offset: i32,
    /// IANA name.
    pub zone: String,
}

fn zoned(at: Wall, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone())
}

/// A date in a zone.
pub fn moment(at: Wall, zone: &TimeZone) -> Moment {
    let there = zoned(at, zone);
    Moment {
        unix: there.timestamp().as_second(),
        year: there.year(),
        month: there.month(),
        day: there.day(),
        hour: there.hour(),
        minute: there.minute(),
        second: there.second(),
        weekday: there.weekday().to_monday_one_offset(),
        yearday: there.day_of_year(),
        offset: there.offset().seconds(),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
    }
}

/// A time of opening: minutes of the day, the second one not included. One that is not above the first is of the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Hours {
    /// 0 to 1,439.
    pub from: u16,
    /// 1 to 1,440.
    pub to: u16,
}

impl Hours {
    /// The end, counted from the midnight at which the day began.
    fn end(self) -> u16 {
        if self.to > self.from { self.to } else { self.to + DAY }
    }

    fn has(self, minute: u16) -> bool {
        (self.from..self.end()).contains(&minute)
    }
}

/// A day with hours of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// None: every year.
    pub year: Option<i16>,
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
    /// What it is called.
    pub name: String,
    /// When it is open all the same.
    pub hours: Vec<Hours>,
}

/// Opening hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// IANA name.
    pub zone: String,
    /// From Monday on.
    pub week: [Vec<Hours>; 7],
    /// Days that are not as their weekday.
    pub holidays: Vec<Holiday>,
}

/// What a calendar says of a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarState {
    /// Whether it is open.
    pub open: bool,
    /// The holiday, if the day is one.
    pub holiday: Option<String>,
    /// How long this lasts, seconds; none if it does not change within a month.
    pub changes: Option<u32>,
}

impl CalendarState {
    /// In a word.
    pub fn as_str(&self) -> &'static str {
        match (self.open, &self.holiday) {
            (true, _) => "open",
            (false, Some(_)) => "holiday",
            (false, None) => "closed",
        }
    }
}

impl Calendar {
    fn holiday(&self, date: Date) -> Option<&Holiday> {
        let is = |day: &&Holiday| {
            (day.month, day.day) == (date.month(), date.day())
                && day.year.is_none_or(|year| year == date.year())
        };
        // One of a year goes before one of every year.
        self.holidays.iter().filter(is).max_by_key(|day| day.year.is_some())
    }

    fn hours(&self, date: Date) -> &[Hours] {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        match self.holiday(date) {
            Some(day) => &day.hours,
            None => self.week.get(weekday).map_or(&[], Vec::as_slice),
        }
    }

    fn is_open(&self, at: DateTime) -> bool {
        let minute = u16::try_from(i16::from(at.hour()) * 60 + i16::from(at.minute())).unwrap_or_default();
        let yesterday = at.date().yesterday().map_or(&[][..], |date| self.hours(date));
        self.hours(at.date()).iter().any(|hours| hours.has(minute))
            || yesterday.iter().any(|hours| hours.has(minute + DAY))
    }

    /// What it says of a moment, in its zone.
    pub fn state(&self, at: Wall, zone: &TimeZone) -> CalendarState {
        let there = zoned(at, zone);
        let open = self.is_open(there.datetime());
        let holiday = self.holiday(there.date()).map(|day| day.name.clone());
        CalendarState { open, holiday, changes: self.changes(&there, open, zone) }
    }

    /// Seconds to the moment from which on it is no longer so.
    fn changes(&self, there: &Zoned, open: bool, zone: &TimeZone) -> Option<u32> {
        let now = there.timestamp();
        // A time of opening may have begun yesterday.
        let mut date = there.date().yesterday().ok()?;
        for _ in 0..=DAYS_AHEAD {
            let first = self
                .bounds(date, zone)
                .filter(|at| *at > now && self.is_open(zone.to_datetime(*at)) != open)
                .min();
            if let Some(at) = first {
                return u32::try_from(now.duration_until(at).as_secs()).ok();
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// When something may change for the hours of a day. A time that comes twice is there twice; for one that never comes
    /// the clock's jump is there.
    fn bounds(&self, date: Date, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        let midnight = date.to_datetime(Clock::midnight());
        let of = move |minute: u16| {
            midnight.checked_add(Duration::from_secs(u64::from(minute) * 60)).ok().into_iter().flat_map(
                |at| {
                    let stamp = zone.to_ambiguous_timestamp(at);
                    stamp.earlier().into_iter().chain(stamp.later())
                },
            )
        };
        let begins = zone.to_ambiguous_timestamp(midnight).earlier().unwrap_or_default();
        let ends = begins.checked_add(Duration::from_secs(48 * 3_600)).unwrap_or(begins);
        let jumps = zone.following(begins).map(|jump| jump.timestamp()).take_while(move |at| *at <= ends);
        let jumps: Vec<Timestamp> = jumps.collect();
        let hours = self.hours(date).iter().flat_map(|hours| [hours.from, hours.end()]);
        let minutes: Vec<u16> = hours.collect();
        minutes.into_iter().flat_map(of).chain(jumps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: u16, to: u16) -> Hours {
        Hours { from: from * 60, to: to * 60 }
    }

    fn wall(at: &str) -> Wall {
        Wall(at.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn office(week: [Vec<Hours>; 7], holidays: Vec<Holiday>) -> Calendar {
        Calendar { zone: "Europe/Berlin".into(), week, holidays }
    }

    fn every_day(of: Vec<Hours>) -> Calendar {
        office(core::array::from_fn(|_| of.clone()), Vec::new())
    }

    fn said(calendar: &Calendar, at: &str) -> (&'static str, Option<u32>) {
        let state = calendar.state(wall(at), &zone("Europe/Berlin").unwrap());
        (state.as_str(), state.changes)
    }

    #[test]
    fn a_date_is_the_zones_own() {
        let at = wall("2026-11-21T23:30:05Z");
        let berlin = moment(at, &zone("Europe/Berlin").unwrap());
        assert_eq!((berlin.day, berlin.hour, berlin.minute, berlin.second), (22, 0, 30, 5));
        assert_eq!((berlin.weekday, berlin.yearday, berlin.offset), (7, 326, 3_600));
        let shanghai = moment(at, &zone("Asia/Shanghai").unwrap());
        assert_eq!((shanghai.hour, shanghai.offset, shanghai.zone.as_str()), (7, 28_800, "Asia/Shanghai"));
        assert_eq!(berlin.unix, shanghai.unix);
        assert!(zone("Mars/Olympus").is_none());
    }

    #[test]
    fn hours_of_the_week_breaks_and_nights_that_end_the_next_day() {
        let mut week: [Vec<Hours>; 7] = core::array::from_fn(|_| vec![hours(8, 12), hours(13, 17)]);
        week[5] = vec![hours(22, 6)];
        week[6] = Vec::new();
        let calendar = office(week, Vec::new());
        // Winter: Berlin is UTC+1. Friday 20 November 2026.
        assert_eq!(said(&calendar, "2026-11-20T06:59:59Z"), ("closed", Some(1)));
        assert_eq!(said(&calendar, "2026-11-20T07:00:00Z"), ("open", Some(4 * 3_600)));
        assert_eq!(said(&calendar, "2026-11-20T11:00:00Z"), ("closed", Some(3_600)));
        assert_eq!(
            said(&calendar, "2026-11-20T16:00:00Z"),
            ("closed", Some(29 * 3_600)),
            "until 22 h on Saturday"
        );
        assert_eq!(said(&calendar, "2026-11-22T04:00:00Z"), ("open", Some(3_600)), "Sunday before six");
        assert_eq!(said(&calendar, "2026-11-22T05:00:00Z"), ("closed", Some(26 * 3_600)));
        assert_eq!(said(&every_day(Vec::new()), "2026-11-22T05:00:00Z"), ("closed", None));
        assert_eq!(said(&every_day(vec![hours(0, 24)]), "2026-11-22T05:00:00Z"), ("open", None));
    }

    #[test]
    fn holidays_of_one_year_and_of_every_year_go_before_the_weekday() {
        let day = |year, day, name: &str, hours| Holiday { year, month: 12, day, name: name.into(), hours };
        let holidays = vec![
            day(None, 25, "Christmas Day", Vec::new()),
            day(Some(2026), 24, "Christmas Eve", vec![hours(8, 12)]),
            day(None, 24, "the day before", Vec::new()),
        ];
        let calendar = office(core::array::from_fn(|_| vec![hours(8, 17)]), holidays);
        let state = |at| calendar.state(wall(at), &zone("Europe/Berlin").unwrap());
        let eve = state("2026-12-24T08:00:00Z");
        assert_eq!(
            (eve.as_str(), eve.holiday.as_deref(), eve.changes),
            ("open", Some("Christmas Eve"), Some(10_800))
        );
        let noon = state("2026-12-24T12:00:00Z");
        assert_eq!((noon.as_str(), noon.changes), ("holiday", Some(43 * 3_600)), "over Christmas Day");
        assert_eq!(state("2026-12-25T12:00:00Z").as_str(), "holiday");
        assert_eq!(state("2027-12-24T08:00:00Z").holiday.as_deref(), Some("the day before"));
        assert_eq!(state("2026-12-23T12:00:00Z").as_str(), "open");
    }

    #[test]
    fn on_the_day_of_23_hours_a_time_that_never_comes_opens_at_the_jump() {
        // 29 March 2026: from 01:59:59 (UTC+1) to 03:00:00 (UTC+2).
        let calendar = every_day(vec![Hours { from: 150, to: 240 }]);
        assert_eq!(said(&calendar, "2026-03-29T00:59:59Z"), ("closed", Some(1)));
        assert_eq!(said(&calendar, "2026-03-29T01:00:00Z"), ("open", Some(3_600)), "it is three o'clock");
        let day = every_day(vec![hours(8, 17)]);
        assert_eq!(
            said(&day, "2026-03-28T16:00:00Z"),
            ("closed", Some(14 * 3_600)),
            "a night of one hour less"
        );
        assert_eq!(said(&day, "2026-03-29T06:00:00Z"), ("open", Some(9 * 3_600)));
        let until = every_day(vec![Hours { from: 0, to: 150 }]);
        assert_eq!(said(&until, "2026-03-29T00:30:00Z"), ("open", Some(1_800)), "half past two never comes");
        assert_eq!(said(&until, "2026-03-29T01:00:00Z").0, "closed");
    }

    #[test]
    fn on_the_day_of_25_hours_a_time_that_comes_twice_is_open_twice() {
        // 25 October 2026: from 02:59:59 (UTC+2) to 02:00:00 (UTC+1).
        let calendar = every_day(vec![Hours { from: 150, to: 240 }]);
        assert_eq!(said(&calendar, "2026-10-25T00:00:00Z"), ("closed", Some(1_800)), "two o'clock, summer");
        assert_eq!(
            said(&calendar, "2026-10-25T00:30:00Z"),
            ("open", Some(1_800)),
            "until the clock is put back"
        );
        assert_eq!(said(&calendar, "2026-10-25T01:00:00Z"), ("closed", Some(1_800)), "two o'clock, winter");
        assert_eq!(said(&calendar, "2026-10-25T01:30:00Z"), ("open", Some(5_400)));
        let day = every_day(vec![hours(8, 17)]);
        assert_eq!(
            said(&day, "2026-10-24T15:00:00Z"),
            ("closed", Some(16 * 3_600)),
            "a night of one hour more"
        );
        let whole = every_day(vec![hours(0, 24)]);
        assert_eq!(said(&whole, "2026-10-25T01:00:00Z"), ("open", None));
    }
}
