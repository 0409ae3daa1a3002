//! `[tenant.NAME.calendar.NAME]`: opening hours and holidays.

use super::section::{At, Section, Wrong};
use super::tree::Node;
use super::value::{some_text, text, wrong};
use cordboard_model::calendar::{Calendar, DAY, Holiday, Hours};
use cordboard_model::id::Name;
use jiff::civil::Date;
use std::collections::BTreeMap;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// How many of them are no weekend.
const WEEKDAYS: usize = 5;

/// Reads those of a tenant whose own zone is `zone`.
pub(super) fn read(sections: Vec<(At<String>, Section<'_>)>, zone: &str) -> BTreeMap<Name, Calendar> {
    super::tenant::each(sections, |_, section| {
        let usual = hours(section, "weekdays").unwrap_or_default();
        let mut week: [Vec<Hours>; 7] = Default::default();
        for (at, (name, day)) in DAYS.into_iter().zip(&mut week).enumerate() {
            let own = hours(section, name);
            *day = own.unwrap_or_else(|| if at < WEEKDAYS { usual.clone() } else { Vec::new() });
        }
        let holidays = section.tables("holiday");
        Some(Calendar {
            zone: section.or("zone", zone.to_owned(), super::tenant::zone),
            week,
            holidays: holidays.iter().filter_map(holiday).collect(),
        })
    })
}

fn hours(section: &Section<'_>, key: &'static str) -> Option<Vec<Hours>> {
    section.list(key, span).map(|list| list.value.into_iter().map(|at| at.value).collect())
}

fn holiday(section: &Section<'_>) -> Option<Holiday> {
    let date = section.need("date", "a date as \"2026-12-24\", or \"12-24\" for every year", date);
    let name = section.opt("name", some_text).map(|at| at.value);
    let hours = hours(section, "hours").unwrap_or_default();
    section.finish();
    let (year, month, day) = date?.value;
    let written = || format!("{month:02}-{day:02}");
    Some(Holiday { year, month, day, name: name.unwrap_or_else(written), hours })
}

fn date(node: &Node) -> Result<(Option<i16>, i8, i8), Wrong> {
    let text = text(node)?;
    // A leap year, for the 29th of February.
    let whole = if text.len() == 5 { format!("2024-{text}") } else { text.clone() };
    let plain = whole.len() == 10 && whole.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    match whole.parse::<Date>() {
        Ok(date) if plain => Ok(((text.len() == 10).then_some(date.year()), date.month(), date.day())),
        _ => Err(wrong(node, "a date as \"2026-12-24\", or \"12-24\" for every year")),
    }
}

/// `"08:00-17:30"`; `"22:00-06:00"` ends the next day.
pub(super) fn span(node: &Node) -> Result<Hours, Wrong> {
    let text = text(node)?;
    let expected = || wrong(node, "hours as \"08:00-17:30\"");
    let (from, to) = text.split_once('-').ok_or_else(expected)?;
    match (minute(from), minute(to)) {
        (Some(from), Some(to)) if from < DAY && to > 0 => Ok(Hours { from, to }),
        _ => Err(expected()),
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    let at = hour * 60 + minute;
    (minute < 60 && at <= DAY).then_some(at)
}
