//! `local kept, why = call:callback({queue="sales", number=n, note="...", first="customer"})`: the caller is to be called back
//! and keeps his place in a queue: his priority and the time at which he came. Gives `"kept"`, `"known"` if he had a place
//! there already, or `nil` and `"anonymous"`, `"not_dialable"`, `"full"` or `"too_often"`. Without `queue` it is the one that he waits in; who
//! waits does so no longer, and the flow of the wait has him until it is over.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Plain, Reply, Request, json};
use cordboard_model::ask::{Ask, CallbackAnswer, CallbackAsk};
use cordboard_model::callback::{CALLBACK_NOTE_MAX, CALLBACK_NUMBER_MAX, CallbackFirst};
use cordboard_model::data::{bytes, is_none};
use cordboard_model::id::{Name, QueueId, TenantId};
use cordboard_model::verb::{DATA_KEY_MAX, DATA_VALUE_MAX, Verb};
use serde_json::Value;
use std::collections::BTreeMap;

/// As written in a flow.
pub const NAME: &str = "callback";

const OPTIONS: [&str; 10] =
    ["queue", "number", "note", "data", "priority", "first", "attempts", "every", "expires", "calendar"];
/// Most entries of `data`.
const DATA_MAX: usize = 16;

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let options = Options::new(NAME, args.first(), &OPTIONS)?;
    let named = |option: &str, why: cordboard_model::id::IdError| {
        options.wrong(format!("option '{option}' is not a name: {why}"))
    };
    let short = |option: &str, most: usize| match options.text(option)? {
        Some(text) if text.len() > most => {
            Err(options.wrong(format!("option '{option}' has at most {most} bytes")))
        }
        text => Ok(text.map(str::to_owned)),
    };
    let queue = options.text("queue")?.map(|name| QueueId::new(tenant, name)).transpose();
    let calendar = options.text("calendar")?.map(Name::new).transpose();
    let first = match options.text("first")? {
        None => None,
        Some(word) => Some(
            CallbackFirst::from_name(word)
                .ok_or_else(|| options.wrong("option 'first' must be \"agent\" or \"customer\""))?,
        ),
    };
    let seconds = |option: &str, least: f64, most: f64| {
        Ok::<_, BadOption>(options.millis(option, least, most)?.map(|ms| ms / 1_000))
    };
    let ask = CallbackAsk {
        queue: queue.map_err(|why| named("queue", why))?,
        number: short("number", CALLBACK_NUMBER_MAX)?,
        note: short("note", CALLBACK_NOTE_MAX)?.unwrap_or_default(),
        data: data(&options)?,
        priority: options.int("priority", 0..=255)?.and_then(|n| u8::try_from(n).ok()).unwrap_or(0),
        first,
        attempts: options.int("attempts", 1..=20)?.and_then(|n| u32::try_from(n).ok()),
        every: seconds("every", 1.0, 86_400.0)?,
        expires: seconds("expires", 60.0, 2_592_000.0)?,
        calendar: calendar.map_err(|why| named("calendar", why))?,
    };
    Ok((Verb::Ask(Ask::Callback(Box::new(ask))), Asked::Callback))
}

fn data(options: &Options<'_>) -> Result<BTreeMap<String, Value>, BadOption> {
    let mut data = BTreeMap::new();
    for (key, arg) in options.named("data", DATA_MAX)?.into_iter().flatten() {
        let value = json::value(arg).map_err(|why| options.wrong(format!("data: '{key}' {why}")))?;
        let fits = |value: &Value| bytes(value) <= DATA_VALUE_MAX && !is_none(value);
        let Some(value) = value.filter(fits).filter(|_| (1..=DATA_KEY_MAX).contains(&key.len())) else {
            return Err(options.wrong(format!("data: '{key}' cannot be kept")));
        };
        data.insert(key.clone(), value);
    }
    Ok(data)
}

/// The answer.
pub fn reply(answer: CallbackAnswer) -> Reply {
    Reply::Values(match answer.is_kept() {
        true => vec![Plain::text(answer.as_str())],
        false => vec![Plain::Nil, Plain::text(answer.as_str())],
    })
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(options: &[(&str, Arg)]) -> Result<CallbackAsk, String> {
        match request(TenantId::DEFAULT, &[table(options, &[])]) {
            Ok((Verb::Ask(Ask::Callback(ask)), Asked::Callback)) => Ok(*ask),
            Ok(other) => Err(format!("{other:?}")),
            Err(why) => Err(why.0),
        }
    }

    #[test]
    fn what_is_left_out_is_as_the_queue_has_it() {
        let (verb, _) = request(TenantId::DEFAULT, &[]).unwrap();
        let Verb::Ask(Ask::Callback(ask)) = verb else { panic!("{verb:?}") };
        assert_eq!((&ask.queue, &ask.number, ask.first, ask.attempts), (&None, &None, None, None));
        let all = asked(&[
            ("queue", text("sales")),
            ("number", text("+4930")),
            ("note", text("after six")),
            ("data", table(&[("order", Arg::Int(7))], &[])),
            ("priority", Arg::Int(4)),
            ("first", text("customer")),
            ("attempts", Arg::Int(2)),
            ("every", Arg::Int(90)),
            ("expires", Arg::Int(7_200)),
            ("calendar", text("office")),
        ]);
        let all = all.unwrap();
        assert_eq!((all.first, all.attempts, all.every), (Some(CallbackFirst::Customer), Some(2), Some(90)));
        assert_eq!((all.priority, all.data["order"].clone(), all.expires), (4, 7.into(), Some(7_200)));
        assert_eq!(all.calendar, Some(Name::new("office").unwrap()));
    }

    #[test]
    fn wrong_options_are_refused_and_answers_are_words() {
        let wrong = |options: &[(&str, Arg)]| asked(options).unwrap_err();
        assert_eq!(
            wrong(&[("first", text("me"))]),
            "callback: option 'first' must be \"agent\" or \"customer\""
        );
        assert!(wrong(&[("queue", text("a b"))]).starts_with("callback: option 'queue' is not a name:"));
        assert!(wrong(&[("every", Arg::Int(0))]).contains("1 to 86400 seconds"));
        let long = text(&"9".repeat(65));
        assert_eq!(wrong(&[("number", long)]), "callback: option 'number' has at most 64 bytes");
        assert_eq!(wrong(&[("data", table(&[("", Arg::Int(1))], &[]))]), "callback: data: '' cannot be kept");
        for answer in CallbackAnswer::ALL {
            let Reply::Values(values) = reply(answer) else { panic!() };
            assert_eq!(values.last(), Some(&Plain::text(answer.as_str())));
            assert_eq!(values.len() == 1, answer.is_kept());
        }
    }
}
