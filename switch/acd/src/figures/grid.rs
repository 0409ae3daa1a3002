//! What a stretch of time is cut into: quarters of an hour, hours, days of a zone.
//!
//! Invariant: the parts follow each other without gap or overlap from the first moment to the last, whatever the clocks of
//! the zone do. A day is from its first moment to the first of the next, 23 or 25 hours included; hours and quarters begin
//! where a clock on the wall shows them full, and where the clock is put forward or back.

use cordboard_model::figures::ReportStep;
use cordboard_model::time::Wall;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Most parts: a month of quarters, or nine years of days.
pub const PARTS_MAX: usize = 3_300;

/// Why a stretch of time cannot be cut so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridError {
    /// It ends before it begins, or at the same moment.
    Empty,
    /// There would be more than [`PARTS_MAX`] parts.
    TooMany,
    /// It lies outside of the years that calendars know.
    OutOfRange,
}

impl core::fmt::Display for GridError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            GridError::Empty => write!(f, "the time ends before it begins"),
            GridError::TooMany => {
                write!(f, "more than {PARTS_MAX} intervals; take a shorter time or longer intervals")
            }
            GridError::OutOfRange => write!(f, "outside of the years that calendars know"),
        }
    }
}

/// The parts of a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Where each part begins, and where the last one ends.
    bounds: Vec<Wall>,
}

fn stamp(at: Wall) -> Result<Timestamp, GridError> {
    Timestamp::from_millisecond(at.0).map_err(|_| GridError::OutOfRange)
}

/// The first moment of the day that `at` is in.
pub fn day_of(at: Wall, zone: &TimeZone) -> Wall {
    let start = stamp(at).ok().and_then(|at| at.to_zoned(zone.clone()).start_of_day().ok());
    start.map_or(at, |start| Wall(start.timestamp().as_millisecond()))
}

/// The first moment of the day after the one that `at` is in.
pub fn day_after(at: Wall, zone: &TimeZone) -> Wall {
    let next = || stamp(at).ok()?.to_zoned(zone.clone()).tomorrow().ok()?.start_of_day().ok();
    next().map_or(Wall(at.0.saturating_add(86_400_000)), |next| Wall(next.timestamp().as_millisecond()))
}

/// The first moment of a day that is written as `2026-03-29`.
pub fn day_named(text: &str, zone: &TimeZone) -> Option<Wall> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let start = date.to_zoned(zone.clone()).ok()?;
    Some(Wall(start.timestamp().as_millisecond()))
}

/// The next moment after `at` at which a clock of the zone shows a multiple of `step`, or at which it is put forward or
/// back, whichever comes first.
fn next_full(at: Wall, step: i64, zone: &TimeZone) -> Result<Wall, GridError> {
    let now = stamp(at)?;
    let shown = at.0 + i64::from(zone.to_offset(now).seconds()) * 1_000;
    let full = at.0 + step - shown.rem_euclid(step);
    let jump = zone.following(now).next().map(|jump| jump.timestamp().as_millisecond());
    // a change of the zone's name alone is no change of the clock
    let moves = |jump: &i64| {
        stamp(Wall(*jump)).is_ok_and(|then| zone.to_offset(then) != zone.to_offset(now)) && *jump > at.0
    };
    Ok(Wall(jump.filter(moves).map_or(full, |jump| jump.min(full))))
}

impl Grid {
    /// Cuts the time from `from` until `to`, not included.
    ///
    /// # Errors
    /// See [`GridError`].
    pub fn new(from: Wall, to: Wall, step: ReportStep, zone: &TimeZone) -> Result<Self, GridError> {
        if to <= from {
            return Err(GridError::Empty);
        }
        stamp(from)?;
        stamp(to)?;
        let mut bounds = vec![from];
        let mut at = from;
        while at < to {
            let next = match step {
                ReportStep::Quarter => next_full(at, 900_000, zone)?,
                ReportStep::Hour => next_full(at, 3_600_000, zone)?,
                ReportStep::Day => day_after(at, zone),
                ReportStep::Whole => to,
            };
            at = next.min(to).max(Wall(at.0.saturating_add(1)));
            bounds.push(at);
            if bounds.len() > PARTS_MAX + 1 {
                return Err(GridError::TooMany);
            }
        }
        Ok(Self { bounds })
    }

    /// From when and until when, not included.
    pub fn range(&self) -> (Wall, Wall) {
        let end = self.bounds.last().copied().unwrap_or_default();
        (self.bounds.first().copied().unwrap_or_default(), end)
    }

    /// How many parts there are.
    pub fn parts(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    /// A part: from when, and until when, not included.
    pub fn part(&self, index: usize) -> Option<(Wall, Wall)> {
        Some((*self.bounds.get(index)?, *self.bounds.get(index + 1)?))
    }

    /// The part that a moment is in.
    pub fn find(&self, at: Wall) -> Option<usize> {
        let after = self.bounds.partition_point(|bound| *bound <= at);
        (after > 0 && after < self.bounds.len()).then(|| after - 1)
    }

    /// What of each part a stretch of time takes, milliseconds.
    pub fn shares(&self, from: Wall, to: Wall) -> impl Iterator<Item = (usize, u64)> {
        let (first, last) = self.range();
        let (from, to) = (from.max(first), to.min(last));
        let start = self.bounds.partition_point(|bound| *bound <= from).saturating_sub(1);
        let within = self.bounds.get(start..).unwrap_or_default().windows(2).zip(start..);
        within.take_while(move |(part, _)| part.first().is_some_and(|begin| *begin < to)).filter_map(
            move |(part, index)| {
                let [begin, end] = part else { return None };
                let ms = end.0.min(to.0).saturating_sub(begin.0.max(from.0));
                u64::try_from(ms).ok().filter(|ms| *ms > 0).map(|ms| (index, ms))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::calendar::{read, zone};

    fn wall(text: &str) -> Wall {
        read(text).unwrap()
    }

    fn lengths(from: &str, to: &str, step: ReportStep, name: &str) -> Vec<i64> {
        let grid = Grid::new(wall(from), wall(to), step, &zone(name).unwrap()).unwrap();
        (0..grid.parts())
            .map(|at| grid.part(at).map(|(from, to)| (to.0 - from.0) / 60_000).unwrap())
            .collect()
    }

    #[test]
    fn days_have_23_and_25_hours_when_the_clock_is_put_forward_and_back() {
        let spring = ("2026-03-28T00:00:00+01:00", "2026-03-31T00:00:00+02:00");
        assert_eq!(lengths(spring.0, spring.1, ReportStep::Day, "Europe/Berlin"), [1_440, 1_380, 1_440]);
        let autumn = ("2026-10-24T00:00:00+02:00", "2026-10-27T00:00:00+01:00");
        assert_eq!(lengths(autumn.0, autumn.1, ReportStep::Day, "Europe/Berlin"), [1_440, 1_500, 1_440]);
        let day = ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00");
        assert_eq!(lengths(day.0, day.1, ReportStep::Hour, "Europe/Berlin"), [60; 25]);
        assert_eq!(lengths(day.0, day.1, ReportStep::Quarter, "Europe/Berlin"), [15; 100]);
    }

    #[test]
    fn a_day_that_begins_at_one_because_midnight_never_comes() {
        // 2018-11-04, Sao Paulo: from 23:59:59 (UTC-3) to 01:00:00 (UTC-2).
        let days = ("2018-11-03T00:00:00-03:00", "2018-11-06T00:00:00-02:00");
        assert_eq!(lengths(days.0, days.1, ReportStep::Day, "America/Sao_Paulo"), [1_440, 1_380, 1_440]);
    }

    #[test]
    fn hours_are_those_of_the_clock_on_the_wall_in_every_zone() {
        let at = ("2026-05-01T00:20:00+05:45", "2026-05-01T02:30:00+05:45");
        assert_eq!(lengths(at.0, at.1, ReportStep::Hour, "Asia/Kathmandu"), [40, 60, 30]);
        // Lord Howe puts the clock back by half an hour, at two o'clock: half past one comes twice.
        let howe = ("2026-04-05T00:00:00+11:00", "2026-04-05T04:00:00+10:30");
        assert_eq!(lengths(howe.0, howe.1, ReportStep::Hour, "Australia/Lord_Howe"), [60, 60, 30, 60, 60]);
    }

    #[test]
    fn a_moment_is_in_one_part_and_a_stretch_is_shared_out_without_rest() {
        let berlin = zone("Europe/Berlin").unwrap();
        let (from, to) = (wall("2026-03-28T12:10:00Z"), wall("2026-03-29T12:00:00Z"));
        let grid = Grid::new(from, to, ReportStep::Hour, &berlin).unwrap();
        assert_eq!((grid.find(Wall(from.0 - 1)), grid.find(from), grid.find(to)), (None, Some(0), None));
        let (begin, end) = (wall("2026-03-28T12:59:59.900Z"), wall("2026-03-29T01:30:00Z"));
        let shares: Vec<_> = grid.shares(begin, end).collect();
        assert_eq!(shares[0], (0, 100));
        assert_eq!(shares.iter().map(|(_, ms)| ms).sum::<u64>(), (end.0 - begin.0) as u64);
        assert_eq!(
            grid.shares(Wall(0), Wall(i64::MAX)).map(|(_, ms)| ms).sum::<u64>(),
            (to.0 - from.0) as u64
        );
        assert_eq!(grid.shares(end, begin).count(), 0);
        assert_eq!(grid.shares(to, Wall(i64::MAX)).count(), 0);
    }

    #[test]
    fn what_cannot_be_cut_says_why() {
        let utc = zone("UTC").unwrap();
        let cut = |from, to, step| Grid::new(Wall(from), Wall(to), step, &utc).map(|grid| grid.parts());
        assert_eq!(cut(5, 5, ReportStep::Day), Err(GridError::Empty));
        assert_eq!(cut(0, 86_400_000 * 40, ReportStep::Quarter), Err(GridError::TooMany));
        assert_eq!(cut(0, i64::MAX, ReportStep::Whole), Err(GridError::OutOfRange));
        assert_eq!(cut(0, 86_400_000 * 31, ReportStep::Quarter), Ok(2_976));
        assert_eq!(cut(0, 86_400_000 * 31, ReportStep::Whole), Ok(1));
    }
}
