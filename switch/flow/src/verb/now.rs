//! `local now = call:now()`, `call:now("Asia/Shanghai")`: date and time in the tenant's zone or another, as a table.

use super::arg::{Arg, BadOption, at_most};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::ask::Ask;
use cordboard_model::calendar::Moment;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "now";
/// Longest name of a zone, bytes.
const ZONE_MAX: usize = 64;

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let zone = match args.first() {
        None | Some(Arg::Nil) => None,
        Some(Arg::Text(zone)) if (1..=ZONE_MAX).contains(&zone.len()) => Some(zone.clone()),
        Some(Arg::Text(_)) => return Err(BadOption::new(NAME, "the zone is a name as \"Europe/Berlin\"")),
        Some(other) => {
            let got = other.type_name();
            return Err(BadOption::new(NAME, format!("the zone must be a string, not a {got}")));
        }
    };
    Ok((Verb::Ask(Ask::Now { zone }), Asked::Now))
}

/// The answer.
pub fn reply(moment: Moment) -> Reply {
    let Moment { unix, year, month, day, hour, minute, second, weekday, yearday, offset, zone } = moment;
    let number = |name: &str, n: i64| (name.to_owned(), Plain::Int(n));
    let text = |name: &str, text: String| (name.to_owned(), Plain::Text(text));
    Reply::Values(vec![Plain::Record(vec![
        number("year", year.into()),
        number("month", month.into()),
        number("day", day.into()),
        number("hour", hour.into()),
        number("minute", minute.into()),
        number("second", second.into()),
        number("weekday", weekday.into()),
        number("yearday", yearday.into()),
        number("offset", offset.into()),
        number("unix", unix),
        text("date", format!("{year:04}-{month:02}-{day:02}")),
        text("time", format!("{hour:02}:{minute:02}:{second:02}")),
        text("zone", zone),
    ])])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn the_zone_is_the_tenants_unless_said() {
        assert_eq!(request(&[]).unwrap().0, Verb::Ask(Ask::Now { zone: None }));
        let zone = Some("Asia/Shanghai".to_owned());
        assert_eq!(request(&[text("Asia/Shanghai")]).unwrap().0, Verb::Ask(Ask::Now { zone }));
        assert_eq!(request(&[Arg::Int(1)]).unwrap_err().0, "now: the zone must be a string, not a number");
        assert!(request(&[text("")]).is_err() && request(&[text(&"x".repeat(65))]).is_err());
    }
}
