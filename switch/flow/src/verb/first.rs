//! `call:first{key = true, seconds = 10, http = {url = ...}, music = "waltz"}`: waits for the first of these. Gives `"key"`
//! and the key, which stays in the digit buffer; `"http"` and what `call:http` gives; or `"time"`. What has not come by then
//! is let go.

use super::arg::{Arg, BadOption, Options, at_most, millis};
use super::{Asked, Plain, Reply, Request, http, items};
use cordboard_model::id::TenantId;
use cordboard_model::verb::{First, FirstEnd, Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "first";

const OPTIONS: &[&str] = &["key", "seconds", "http", "music"];
/// Longest wait, seconds.
const SECONDS_MAX: f64 = 3_600.0;

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let options = Options::new(NAME, args.first(), OPTIONS)?;
    let fetch = match options.raw("http") {
        None => None,
        Some(arg) => Some(Box::new(http::fetch("first: http", arg)?)),
    };
    let ms = match options.raw("seconds") {
        None => None,
        Some(arg) => Some(millis(NAME, "option 'seconds'", arg, 0.01, SECONDS_MAX)?),
    };
    let key = options.flag("key", false)?;
    if fetch.is_none() && ms.is_none() {
        return Err(options.wrong("needs 'seconds' or 'http', so that it ends"));
    }
    let mut music = Vec::new();
    if let Some(arg) = options.raw("music") {
        items::read(NAME, tenant, arg, &mut music)?;
    }
    Ok((Verb::First(First { key, ms, fetch, music }), Asked::First))
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    match answer {
        VerbAnswer::First(FirstEnd::Key(key)) => {
            Reply::Values(vec![Plain::text("key"), Plain::text(key.to_string())])
        }
        VerbAnswer::First(FirstEnd::Time) => Reply::Values(vec![Plain::text("time")]),
        VerbAnswer::Fetched(_) => match http::reply(answer) {
            Reply::Values(mut values) => {
                values.insert(0, Plain::text("http"));
                Reply::Values(values)
            }
            other => other,
        },
        _ => Reply::Values(vec![Plain::Nil, Plain::text("internal_error")]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;
    use cordboard_model::fetch::{FetchError, Fetched};

    fn asked(named: &[(&str, Arg)]) -> Result<First, String> {
        match request(TenantId::DEFAULT, &[table(named, &[])]) {
            Ok((Verb::First(first), Asked::First)) => Ok(first),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.0),
        }
    }

    #[test]
    fn what_is_waited_for_must_come_to_an_end() {
        let question = table(&[("url", text("https://x/")), ("retries", Arg::Int(1))], &[]);
        let all = [
            ("key", Arg::Bool(true)),
            ("seconds", Arg::Number(2.5)),
            ("http", question),
            ("music", text("m")),
        ];
        let first = asked(&all).unwrap();
        assert_eq!((first.key, first.ms, first.music.len()), (true, Some(2_500), 1));
        assert_eq!(first.fetch.unwrap().retries, 1);
        let endless = "first: needs 'seconds' or 'http', so that it ends";
        assert_eq!(asked(&all[..1]), Err(endless.into()));
        assert_eq!(asked(&[]), Err(endless.into()));
        let bad = table(&[("url", text("ftp://x/"))], &[]);
        assert!(
            asked(&[("http", bad)]).unwrap_err().starts_with("first: http: option 'url' must begin with")
        );
        assert!(asked(&[("seconds", Arg::Int(0))]).unwrap_err().contains("must be 0.01 to 3600 seconds"));
    }

    #[test]
    fn it_says_what_came_first_and_with_what() {
        let values = |answer| match reply(answer) {
            Reply::Values(values) => values,
            other => panic!("{other:?}"),
        };
        let key = VerbAnswer::First(FirstEnd::Key('5'));
        assert_eq!(values(key), [Plain::text("key"), Plain::text("5")]);
        assert_eq!(values(VerbAnswer::First(FirstEnd::Time)), [Plain::text("time")]);
        let late = VerbAnswer::Fetched(Box::new(Fetched::Failed(FetchError::Late)));
        assert_eq!(values(late), [Plain::text("http"), Plain::Nil, Plain::text("late")]);
    }
}
