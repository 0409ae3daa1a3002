//! `call:stream{url="wss://bot.example/talk", parameters={order="17"}, timeout=600}`: gives the caller's audio to a program
//! by WebSocket, and the caller hears what the program sends, until it closes the connection. Gives `"closed"` or
//! `"timeout"` and the result that the program left, with its confidence if it has one, or `nil` and why there was no connection or how it was lost.

use super::arg::{Arg, BadOption, Options};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::stream::{PARAMETER_MAX, PARAMETERS_MAX, StreamEnd, StreamOutcome, URL_MAX};
use cordboard_model::verb::{Verb, VerbAnswer};
use std::collections::BTreeMap;

/// As written in a flow.
pub const NAME: &str = "stream";
/// Longest time limit, seconds: a day.
const SECONDS_MAX: f64 = 86_400.0;

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    super::arg::at_most(NAME, args, 1)?;
    let options = Options::new(NAME, args.first(), &["url", "parameters", "timeout"])?;
    let Some(url) = options.text("url")? else {
        return Err(options.wrong("option 'url' is missing"));
    };
    if url.len() > URL_MAX || !(url.starts_with("ws://") || url.starts_with("wss://")) {
        return Err(options.wrong("option 'url' must begin with ws:// or wss://"));
    }
    let timeout_ms = options.millis("timeout", 0.1, SECONDS_MAX)?;
    let parameters = parameters(&options)?;
    Ok((Verb::Stream { url: url.to_owned(), parameters, timeout_ms }, Asked::Stream))
}

fn parameters(options: &Options<'_>) -> Result<BTreeMap<String, String>, BadOption> {
    let Some(parameters) = options.named("parameters", PARAMETERS_MAX)? else {
        return Ok(BTreeMap::new());
    };
    let read = |(name, value): (&String, &Arg)| {
        let value = match value {
            Arg::Text(text) => text.clone(),
            Arg::Int(n) => n.to_string(),
            Arg::Number(n) => n.to_string(),
            Arg::Bool(is) => is.to_string(),
            other => {
                let found = other.type_name();
                return Err(options.wrong(format!("parameter '{name}' must be a string, not a {found}")));
            }
        };
        if name.len() > PARAMETER_MAX || value.len() > PARAMETER_MAX {
            return Err(options.wrong(format!("parameter '{name}' has more than {PARAMETER_MAX} bytes")));
        }
        Ok((name.clone(), value))
    };
    parameters.iter().map(read).collect()
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    Reply::Values(match answer {
        VerbAnswer::Streamed(StreamOutcome { end, result, confidence }) if end.was_served() => {
            let result = result.map_or(Plain::Nil, Plain::Text);
            let sure = confidence.map(|percent| Plain::Number(f64::from(percent) / 100.0));
            [Plain::text(end.as_str()), result].into_iter().chain(sure).collect()
        }
        VerbAnswer::Streamed(StreamOutcome { end, .. }) => vec![Plain::Nil, Plain::text(end.as_str())],
        _ => vec![Plain::text(StreamEnd::Closed.as_str())],
    })
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    #[test]
    fn a_stream_has_a_url_parameters_and_a_limit() {
        let parameters = table(&[("order", Arg::Int(17)), ("vip", Arg::Bool(true))], &[]);
        let options = table(
            &[("url", text("wss://bot.example/a")), ("parameters", parameters), ("timeout", Arg::Int(60))],
            &[],
        );
        let (verb, asked) = request(&[options]).unwrap();
        assert_eq!(asked, Asked::Stream);
        let Verb::Stream { url, parameters, timeout_ms } = verb else { panic!("{verb:?}") };
        assert_eq!((url.as_str(), timeout_ms), ("wss://bot.example/a", Some(60_000)));
        assert_eq!(parameters["order"], "17");
        assert_eq!(parameters["vip"], "true");
    }

    #[test]
    fn what_is_no_stream_is_refused_by_name() {
        let said = |options: &[(&str, Arg)]| request(&[table(options, &[])]).unwrap_err().0;
        assert_eq!(said(&[]), "stream: option 'url' is missing");
        assert_eq!(
            said(&[("url", text("http://x"))]),
            "stream: option 'url' must begin with ws:// or wss://"
        );
        let url = ("url", text("ws://x"));
        assert_eq!(
            said(&[url.clone(), ("parameters", table(&[("a", table(&[], &[]))], &[]))]),
            "stream: parameter 'a' must be a string, not a table"
        );
        assert_eq!(
            said(&[url, ("parameter", Arg::Int(1))]),
            "stream: unknown option 'parameter'; did you mean 'parameters'?"
        );
    }

    #[test]
    fn the_programs_end_is_a_word_and_a_failure_is_nil_and_its_name() {
        let words = |end: StreamEnd| reply(VerbAnswer::Streamed(end.into()));
        assert_eq!(words(StreamEnd::Closed), Reply::Values(vec![Plain::text("closed"), Plain::Nil]));
        assert_eq!(words(StreamEnd::Timeout), Reply::Values(vec![Plain::text("timeout"), Plain::Nil]));
        let yes = StreamOutcome { end: StreamEnd::Closed, result: Some("yes".into()), confidence: None };
        let heard = reply(VerbAnswer::Streamed(yes.clone()));
        assert_eq!(heard, Reply::Values(vec![Plain::text("closed"), Plain::text("yes")]));
        let sure = reply(VerbAnswer::Streamed(StreamOutcome { confidence: Some(75), ..yes }));
        let values = vec![Plain::text("closed"), Plain::text("yes"), Plain::Number(0.75)];
        assert_eq!(sure, Reply::Values(values));
        assert_eq!(words(StreamEnd::Lost), Reply::Values(vec![Plain::Nil, Plain::text("lost")]));
    }
}
