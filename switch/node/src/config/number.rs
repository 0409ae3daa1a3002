//! Country plans and pools of numbers.

use super::section::{At, Pos, Section, Wrong};
use super::tree::Node;
use super::value::{integer, one_of, text, wrong};
use cordboard_model::config::{NumberPool, PoolChoice};
use cordboard_model::id::Name;
use cordboard_model::plan::{self, NumberForm, NumberPlan};
use cordboard_model::tone::TonePlan;
use std::collections::BTreeMap;

/// The least digits of a number within the area where the country has no plan of its own.
const LOCAL_LEAST: u8 = 5;

const CHOICES: &[(&str, PoolChoice)] = &[("round_robin", PoolChoice::RoundRobin), ("area", PoolChoice::Area)];
const FORMS: &[(&str, NumberForm)] = &[
    ("e164", NumberForm::E164),
    ("digits", NumberForm::Digits),
    ("national", NumberForm::National),
    ("international", NumberForm::International),
];

/// The plan of a tenant or trunk, if it has one: that of its country, with what is said otherwise.
pub(super) fn plan(section: &Section<'_>) -> Option<NumberPlan> {
    let country = section.opt("country", country);
    let code = section.opt("country_code", digits(1..=3));
    let national = section.opt("national_prefix", digits(0..=4));
    let international = section.opt("international_prefix", digits(1..=5));
    let area = section.opt("area_code", digits(1..=6));
    let least = section.opt("local_digits", integer(3..=12, "digits"));
    let short = section.list("short_numbers", digits(1..=10));
    let mut plan = match (country, &code) {
        (Some(at), _) => at.value,
        (None, Some(_)) => NumberPlan { local_least: LOCAL_LEAST, ..NumberPlan::default() },
        (None, None) => {
            let others =
                ["national_prefix", "international_prefix", "area_code", "local_digits", "short_numbers"];
            for key in others {
                if let Some(pos) = section.has(key) {
                    section.conflict(key, pos, "expected country or country_code beside it");
                }
            }
            return None;
        }
    };
    let set = |part: &mut String, given: Option<At<String>>| {
        if let Some(given) = given {
            *part = given.value;
        }
    };
    set(&mut plan.country_code, code);
    set(&mut plan.national_prefix, national);
    set(&mut plan.international_prefix, international);
    set(&mut plan.area_code, area);
    if let Some(least) = least {
        plan.local_least = least.value;
    }
    plan.short.extend(short.into_iter().flat_map(|list| list.value).map(|at| at.value));
    Some(plan)
}

/// How a trunk's carrier wants numbers.
pub(super) fn form(section: &Section<'_>) -> NumberForm {
    section.or("number_form", NumberForm::E164, one_of(FORMS))
}

/// The pools of a tenant. Their numbers are kept as its plan reads them.
pub(super) fn pools(
    sections: Vec<(At<String>, Section<'_>)>,
    plan: Option<&NumberPlan>,
) -> BTreeMap<Name, NumberPool> {
    let mut all = BTreeMap::new();
    for (at, section) in sections {
        let choice = section.or("choice", PoolChoice::RoundRobin, one_of(CHOICES));
        let numbers = section.list("numbers", number);
        section.finish();
        let numbers: Vec<String> =
            numbers.into_iter().flat_map(|list| list.value).map(|at| plan::read(plan, &at.value)).collect();
        if numbers.is_empty() {
            section.conflict("numbers", section.pos, "expected at least one number");
        }
        if let Ok(name) = Name::new(&at.value) {
            all.insert(name, NumberPool { choice, numbers });
        }
    }
    all
}

/// The number that an agent shows where he calls out, as the tenant's plan reads it.
pub(super) fn own(section: &Section<'_>, plan: Option<&NumberPlan>) -> Option<String> {
    section.opt("caller_number", number).map(|at| plan::read(plan, &at.value))
}

/// The pool that a queue or trunk names.
pub(super) fn pool(section: &Section<'_>, known: &BTreeMap<Name, Pos>) -> Option<Name> {
    let at = section.opt("caller_pool", text)?;
    super::destination::resolve(section, "caller_pool", "pool", &at, known)
}

/// The country whose tones a tenant's callers hear: the one that is said, or that of its numbers if it has tones.
pub(super) fn tones(section: &Section<'_>) -> TonePlan {
    let own = section.opt("country", text).and_then(|at| TonePlan::of_country(&at.value));
    section.or("tones", own.unwrap_or_default(), |node| {
        TonePlan::of_country(&text(node)?).ok_or_else(|| {
            let known: Vec<&str> = TonePlan::countries().collect();
            wrong(node, format!("one of {}", known.join(", ")))
        })
    })
}

fn country(node: &Node) -> Result<NumberPlan, Wrong> {
    NumberPlan::of_country(&text(node)?).ok_or_else(|| {
        let known: Vec<&str> = plan::countries().collect();
        wrong(node, format!("one of {}, or country_code instead", known.join(", ")))
    })
}

fn digits(range: core::ops::RangeInclusive<usize>) -> impl Fn(&Node) -> Result<String, Wrong> {
    move |node| {
        let text = text(node)?;
        let fits = range.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let expected = || wrong(node, format!("{} to {} digits in quotes", range.start(), range.end()));
        if fits { Ok(text) } else { Err(expected()) }
    }
}

/// A number that is shown to those who are called.
pub(super) fn number(node: &Node) -> Result<String, Wrong> {
    let text = text(node)?;
    let rest = text.strip_prefix('+').unwrap_or(&text);
    match (3..=20).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(text),
        false => Err(wrong(node, "a number of 3 to 20 digits, with + or without")),
    }
}
