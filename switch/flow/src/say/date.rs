//! Dates and times of day as lists of prompts.
//!
//! English: "Saturday, November twenty-first, twenty twenty-six", "nine oh five a.m.". Chinese: 二零二六年十一月二十一日星期六,
//! 上午九点零五分.

use super::{Lang, en, zh};

const MONTHS: [&str; 12] = [
    "en.months.1",
    "en.months.2",
    "en.months.3",
    "en.months.4",
    "en.months.5",
    "en.months.6",
    "en.months.7",
    "en.months.8",
    "en.months.9",
    "en.months.10",
    "en.months.11",
    "en.months.12",
];

const ORDINALS: [&str; 20] = [
    "en.ordinals.1",
    "en.ordinals.2",
    "en.ordinals.3",
    "en.ordinals.4",
    "en.ordinals.5",
    "en.ordinals.6",
    "en.ordinals.7",
    "en.ordinals.8",
    "en.ordinals.9",
    "en.ordinals.10",
    "en.ordinals.11",
    "en.ordinals.12",
    "en.ordinals.13",
    "en.ordinals.14",
    "en.ordinals.15",
    "en.ordinals.16",
    "en.ordinals.17",
    "en.ordinals.18",
    "en.ordinals.19",
    "en.ordinals.20",
];

const WEEKDAYS: [[&str; 7]; 2] = [
    [
        "en.weekdays.1",
        "en.weekdays.2",
        "en.weekdays.3",
        "en.weekdays.4",
        "en.weekdays.5",
        "en.weekdays.6",
        "en.weekdays.7",
    ],
    [
        "zh.weekdays.1",
        "zh.weekdays.2",
        "zh.weekdays.3",
        "zh.weekdays.4",
        "zh.weekdays.5",
        "zh.weekdays.6",
        "zh.weekdays.7",
    ],
];

/// A day of the Gregorian calendar, years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day, if there is such a one.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Date> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        let there = (1..=9_999).contains(&year) && (1..=days).contains(&day);
        there.then(|| Date {
            year: u16::try_from(year).unwrap_or_default(),
            month: u8::try_from(month).unwrap_or_default(),
            day: u8::try_from(day).unwrap_or_default(),
        })
    }

    /// Reads `2026-11-21`, also at the beginning of a date with its time.
    pub fn read(text: &str) -> Option<Date> {
        let (date, rest) = text.split_at_checked(10)?;
        if !rest.is_empty() && !rest.starts_with(['T', ' ']) {
            return None;
        }
        let mut parts = date.split('-');
        let mut part = |length: usize| number(parts.next()?, length);
        Date::new(part(4)?, part(2)?, part(2)?)
    }

    /// Monday is 0. By Zeller's congruence.
    fn weekday(self) -> usize {
        let (mut year, mut month) = (usize::from(self.year), usize::from(self.month));
        if month < 3 {
            month += 12;
            year -= 1;
        }
        let sum = usize::from(self.day) + 13 * (month + 1) / 5 + year + year / 4 - year / 100 + year / 400;
        (sum + 5) % 7
    }
}

fn number(text: &str, length: usize) -> Option<i64> {
    let digits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// The prompts that read a day, with its weekday and its year or without.
pub fn date(lang: Lang, date: Date, weekday: bool, year: bool) -> Vec<&'static str> {
    let (month, day) = (usize::from(date.month), usize::from(date.day));
    let mut list = Vec::new();
    let weekday = weekday.then(|| WEEKDAYS[usize::from(lang == Lang::Zh)][date.weekday()]);
    match lang {
        Lang::En => {
            list.extend(weekday);
            list.push(MONTHS[month - 1]);
            ordinal(day, &mut list);
            if year {
                list.extend(en_year(u64::from(date.year)));
            }
        }
        Lang::Zh => {
            if year {
                let digits = date.year.to_string();
                list.extend(digits.bytes().map(|b| zh::DIGITS[usize::from(b - b'0')]));
                list.push("zh.year");
            }
            list.extend(zh::words(month as u64));
            list.push("zh.month");
            list.extend(zh::words(day as u64));
            list.push("zh.day");
            list.extend(weekday);
        }
    }
    list
}

fn ordinal(day: usize, list: &mut Vec<&'static str>) {
    match day {
        1..=20 => list.push(ORDINALS[day - 1]),
        30 => list.push("en.ordinals.30"),
        _ => {
            list.push(if day < 30 { "en.digits.20" } else { "en.digits.30" });
            list.push(ORDINALS[day % 10 - 1]);
        }
    }
}

/// A year in two halves, as it is said; those around a full thousand as a number.
fn en_year(year: u64) -> Vec<&'static str> {
    let (century, rest) = (year / 100, year % 100);
    if year < 1_000 || year % 1_000 < 10 {
        return en::words(year);
    }
    let mut list = en::words(century);
    match rest {
        0 => list.push("en.digits.hundred"),
        1..=9 => {
            list.push("en.digits.oh");
            list.extend(en::words(rest));
        }
        _ => list.extend(en::words(rest)),
    }
    list
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    hour: u8,
    minute: u8,
}

impl Clock {
    /// The time, if there is such a one.
    pub fn new(hour: i64, minute: i64) -> Option<Clock> {
        let hour = u8::try_from(hour).ok().filter(|hour| *hour < 24)?;
        let minute = u8::try_from(minute).ok().filter(|minute| *minute < 60)?;
        Some(Clock { hour, minute })
    }

    /// Reads `09:05` or `09:05:30`, also behind a date; seconds are not read.
    pub fn read(text: &str) -> Option<Clock> {
        let text = match text.get(10..11) {
            Some("T" | " ") => Date::read(text).and(text.get(11..))?,
            _ => text,
        };
        let (hour, rest) = text.split_once(':')?;
        let minute = rest.get(..2)?;
        let seconds = rest.get(2..)?;
        if !seconds.is_empty() && !seconds.starts_with([':', 'Z', '+', '-']) {
            return None;
        }
        let hour = number(hour, hour.len().clamp(1, 2))?;
        Clock::new(hour, number(minute, 2)?)
    }
}

/// The prompts that read a time of day: in English by twelve hours, in Chinese by the part of the day.
pub fn time(lang: Lang, clock: Clock) -> Vec<&'static str> {
    let (hour, minute) = (u64::from(clock.hour), u64::from(clock.minute));
    match lang {
        Lang::En => en_time(hour, minute),
        Lang::Zh => zh_time(hour, minute),
    }
}

fn en_time(hour: u64, minute: u64) -> Vec<&'static str> {
    match (hour, minute) {
        (0, 0) => return vec!["en.time.midnight"],
        (12, 0) => return vec!["en.time.noon"],
        _ => {}
    }
    let mut list = en::words(if hour.is_multiple_of(12) { 12 } else { hour % 12 });
    if (1..10).contains(&minute) {
        list.push("en.digits.oh");
    }
    if minute > 0 {
        list.extend(en::words(minute));
    }
    list.push(if hour < 12 { "en.time.am" } else { "en.time.pm" });
    list
}

fn zh_time(hour: u64, minute: u64) -> Vec<&'static str> {
    let part = match hour {
        0..=5 => "zh.time.night",
        6..=11 => "zh.time.morning",
        12 => "zh.time.noon",
        13..=17 => "zh.time.afternoon",
        _ => "zh.time.evening",
    };
    let mut list = vec![part];
    match if hour > 12 { hour - 12 } else { hour } {
        2 => list.push("zh.liang"),
        hour => list.extend(zh::words(hour)),
    }
    list.push("zh.time.hour");
    match minute {
        0 => list.push("zh.time.sharp"),
        minute => {
            if minute < 10 {
                list.push(zh::DIGITS[0]);
            }
            list.extend(zh::words(minute));
            list.push("zh.time.minute");
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(list: &[&str]) -> String {
        let word = |name: &&str| name.replace("en.", "").replace("zh.", "").replace("digits.", "");
        list.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn said(lang: Lang, text: &str, weekday: bool, year: bool) -> String {
        short(&date(lang, Date::read(text).unwrap(), weekday, year))
    }

    #[test]
    fn english_dates() {
        for (text, wanted) in [
            ("2026-11-21", "weekdays.6 months.11 20 ordinals.1 20 20 6"),
            ("2026-01-01", "weekdays.4 months.1 ordinals.1 20 20 6"),
            ("2000-02-29", "weekdays.2 months.2 20 ordinals.9 2 thousand"),
            ("2009-07-31", "weekdays.5 months.7 30 ordinals.1 2 thousand 9"),
            ("2010-05-30", "weekdays.7 months.5 ordinals.30 20 10"),
            ("1999-12-20", "weekdays.1 months.12 ordinals.20 19 90 9"),
            ("1905-03-13", "weekdays.1 months.3 ordinals.13 19 oh 5"),
            ("1900-10-12", "weekdays.5 months.10 ordinals.12 19 hundred"),
            ("0800-12-25", "weekdays.1 months.12 20 ordinals.5 8 hundred"),
        ] {
            assert_eq!(said(Lang::En, text, true, true), wanted, "{text}");
        }
        assert_eq!(said(Lang::En, "2026-11-02", false, false), "months.11 ordinals.2");
    }

    #[test]
    fn chinese_dates() {
        for (text, wanted) in [
            ("2026-11-21", "2 0 2 6 year 10 1 month 2 10 1 day weekdays.6"),
            ("2026-02-02", "2 0 2 6 year 2 month 2 day weekdays.1"),
            ("2008-08-08", "2 0 0 8 year 8 month 8 day weekdays.5"),
            ("1949-10-01", "1 9 4 9 year 10 month 1 day weekdays.6"),
            ("2026-12-10", "2 0 2 6 year 10 2 month 10 day weekdays.4"),
            ("2024-02-29", "2 0 2 4 year 2 month 2 10 9 day weekdays.4"),
        ] {
            assert_eq!(said(Lang::Zh, text, true, true), wanted, "{text}");
        }
        assert_eq!(said(Lang::Zh, "2026-11-21", false, false), "10 1 month 2 10 1 day");
    }

    #[test]
    fn the_weekday_goes_on_by_one_from_day_to_day_for_four_centuries() {
        let mut expected = None;
        for year in 1_900..=2_300 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let Some(date) = Date::new(year, month, day) else { continue };
                    let weekday = date.weekday();
                    assert_eq!(weekday, expected.unwrap_or(0), "{date:?}; 1900-01-01 was a Monday");
                    expected = Some((weekday + 1) % 7);
                }
            }
        }
    }

    #[test]
    fn english_times() {
        for (text, wanted) in [
            ("00:00", "time.midnight"),
            ("00:01", "12 oh 1 time.am"),
            ("09:05", "9 oh 5 time.am"),
            ("9:05", "9 oh 5 time.am"),
            ("11:59:59", "11 50 9 time.am"),
            ("12:00", "time.noon"),
            ("12:30", "12 30 time.pm"),
            ("13:00", "1 time.pm"),
            ("23:45", "11 40 5 time.pm"),
            ("2026-11-21T21:10:00+08:00", "9 10 time.pm"),
        ] {
            assert_eq!(short(&time(Lang::En, Clock::read(text).unwrap())), wanted, "{text}");
        }
    }

    #[test]
    fn chinese_times() {
        for (text, wanted) in [
            ("00:00", "time.night 0 time.hour time.sharp"),
            ("02:02", "time.night liang time.hour 0 2 time.minute"),
            ("09:05", "time.morning 9 time.hour 0 5 time.minute"),
            ("10:10", "time.morning 10 time.hour 10 time.minute"),
            ("12:00", "time.noon 10 2 time.hour time.sharp"),
            ("14:22", "time.afternoon liang time.hour 2 10 2 time.minute"),
            ("18:00", "time.evening 6 time.hour time.sharp"),
            ("23:59", "time.evening 10 1 time.hour 5 10 9 time.minute"),
        ] {
            assert_eq!(short(&time(Lang::Zh, Clock::read(text).unwrap())), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_day_and_no_time_is_refused() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-11-31",
            "26-11-21",
            "2026-11-1",
            "2026-11-21x",
            "",
        ] {
            assert_eq!(Date::read(text), None, "{text}");
        }
        for text in ["24:00", "12:60", "1200", "12:5", "a:10", ":10", "012:10", "12:10x", "2026-11-21"] {
            assert_eq!(Clock::read(text), None, "{text}");
        }
        assert_eq!(Date::read("2026-11-21T08:00"), Date::new(2_026, 11, 21));
    }
}
