//! `call:record("pause", "card number")`: begins (`"start"`), ends (`"stop"`), pauses or resumes recording. The
//! second argument says why, for the entry of the recording or the mark that a pause leaves. Gives `true`; `nil` and the cause if nobody is there to
//! be recorded, or nothing is recorded.

use super::arg::{Arg, BadOption, at_most};
use super::{Asked, Request};
use cordboard_model::verb::{RECORD_WHY_MAX, RecordAct, Verb};

/// As written in a flow.
pub const NAME: &str = "record";

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 2)?;
    let wrong = |text: String| BadOption::new(NAME, text);
    let known = || RecordAct::ALL.map(|act| format!("{:?}", act.as_str())).join(", ");
    let act = match args.first() {
        Some(Arg::Text(text)) => RecordAct::ALL.into_iter().find(|act| act.as_str() == text),
        _ => None,
    };
    let act = act.ok_or_else(|| wrong(format!("the first argument is one of {}", known())))?;
    let why = match args.get(1) {
        None | Some(Arg::Nil) => String::new(),
        Some(Arg::Text(text)) if text.len() <= RECORD_WHY_MAX => text.clone(),
        Some(Arg::Text(_)) => return Err(wrong(format!("the reason has at most {RECORD_WHY_MAX} bytes"))),
        Some(other) => return Err(wrong(format!("the reason must be a text, not a {}", other.type_name()))),
    };
    Ok((Verb::Record { act, why }, Asked::Record))
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    fn asked(args: &[Arg]) -> Result<Verb, String> {
        request(args).map(|(verb, _)| verb).map_err(|error| error.0)
    }

    #[test]
    fn what_is_asked_of_a_recording_is_one_of_four_words_with_a_reason() {
        let pause = Verb::Record { act: RecordAct::Pause, why: "card number".into() };
        assert_eq!(asked(&[text("pause"), text("card number")]), Ok(pause));
        assert_eq!(asked(&[text("start")]), Ok(Verb::Record { act: RecordAct::Start, why: String::new() }));
        let known = "record: the first argument is one of \"start\", \"stop\", \"pause\", \"resume\"";
        assert_eq!(asked(&[text("halt")]), Err(known.into()));
        assert_eq!(asked(&[]), Err(known.into()));
        let long = "x".repeat(RECORD_WHY_MAX + 1);
        assert_eq!(
            asked(&[text("stop"), text(&long)]),
            Err("record: the reason has at most 256 bytes".into())
        );
        assert!(asked(&[text("stop"), Arg::Int(3)]).is_err());
    }
}
