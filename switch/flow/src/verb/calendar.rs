//! `local state, holiday, lasts = call:calendar("office")`: whether an office is open now: `"open"`, `"closed"` or
//! `"holiday"`, the name of the holiday, and for how many seconds this lasts.

use super::arg::{Arg, BadOption, at_most};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::ask::Ask;
use cordboard_model::calendar::CalendarState;
use cordboard_model::id::Name;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "calendar";

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let name = match args.first() {
        Some(Arg::Text(name)) => name,
        other => {
            let got = other.unwrap_or(&Arg::Nil).type_name();
            return Err(BadOption::new(NAME, format!("the calendar must be a name, not a {got}")));
        }
    };
    let name = Name::new(name)
        .map_err(|error| BadOption::new(NAME, format!("{name:?} is not a calendar's name: {error}")))?;
    Ok((Verb::Ask(Ask::Calendar { name }), Asked::Calendar))
}

/// The answer.
pub fn reply(state: CalendarState) -> Reply {
    let word = Plain::text(state.as_str());
    let holiday = state.holiday.map_or(Plain::Nil, Plain::Text);
    let lasts = state.changes.map_or(Plain::Nil, |seconds| Plain::Int(seconds.into()));
    Reply::Values(vec![word, holiday, lasts])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn a_calendar_is_asked_for_by_its_name() {
        let name = Name::new("office").unwrap();
        assert_eq!(request(&[text("office")]).unwrap().0, Verb::Ask(Ask::Calendar { name }));
        assert_eq!(request(&[]).unwrap_err().0, "calendar: the calendar must be a name, not a nil");
        assert!(request(&[text("a b")]).unwrap_err().0.contains("is not a calendar's name"));
        assert!(request(&[text("a"), text("b")]).is_err());
    }
}
