//! `local digits, how = call:collect{prompt="enter-pin", max=4, terminators="#", first=5, inter=3}`:
//! collects keys, playing a prompt that the first key ends. Gives the digits and how the entry ended
//! (`"terminator"`, `"max"`, `"timeout"`); `nil` and how if fewer than `min` came. With `secret=true` no event, ladder
//! or recording has the keys.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Plain, Reply, Request, items};
use cordboard_model::id::TenantId;
use cordboard_model::verb::{CollectEnd, Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "collect";

/// The keys of a telephone.
pub const KEYS: &str = "0123456789*#ABCD";

const OPTIONS: &[&str] = &["prompt", "min", "max", "terminators", "first", "inter", "secret"];
/// Time for the first key if none is given, milliseconds.
const FIRST_MS: u32 = 5_000;
/// Time between keys if none is given, milliseconds.
const INTER_MS: u32 = 3_000;

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let options = Options::new(NAME, args.first(), OPTIONS)?;
    let mut prompt = Vec::new();
    if let Some(arg) = options.raw("prompt") {
        items::read(NAME, tenant, arg, &mut prompt)?;
    }
    let Some(max) = options.int("max", 1..=64)? else {
        return Err(options.wrong("option 'max' is missing: how many digits are wanted"));
    };
    let min = options.int("min", 0..=64)?.unwrap_or(1);
    if min > max {
        return Err(options.wrong(format!("option 'min' ({min}) is greater than 'max' ({max})")));
    }
    // One key is an answer by itself, and `#` may be one.
    let usual = if max > 1 { "#" } else { "" };
    let terminators = options.text("terminators")?.unwrap_or(usual);
    if let Some(key) = terminators.chars().find(|key| !KEYS.contains(*key)) {
        return Err(options.wrong(format!("option 'terminators' has {key:?} in it; keys are {KEYS}")));
    }
    if terminators.len() > KEYS.len() {
        return Err(options.wrong("option 'terminators' names keys twice"));
    }
    let verb = Verb::Collect {
        prompt,
        min: min as u8,
        max: max as u8,
        terminators: terminators.to_owned(),
        first_timeout_ms: options.millis("first", 0.1, 120.0)?.unwrap_or(FIRST_MS),
        inter_timeout_ms: options.millis("inter", 0.1, 120.0)?.unwrap_or(INTER_MS),
        secret: options.flag("secret", false)?,
    };
    Ok((verb, Asked::Collect(min as u8)))
}

/// Reads the answer.
pub fn reply(min: u8, answer: VerbAnswer) -> Reply {
    let (digits, end) = match answer {
        VerbAnswer::Digits { digits, end } => (digits, end),
        _ => (String::new(), CollectEnd::Timeout),
    };
    let how = Plain::text(match end {
        CollectEnd::Terminator => "terminator",
        CollectEnd::Max => "max",
        CollectEnd::Timeout => "timeout",
    });
    if digits.len() < usize::from(min) {
        return Reply::Values(vec![Plain::Nil, how]);
    }
    Reply::Values(vec![Plain::Text(digits), how])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(named: &[(&str, Arg)]) -> Result<Verb, String> {
        request(TenantId::DEFAULT, &[table(named, &[])]).map(|(verb, _)| verb).map_err(|e| e.0)
    }

    #[test]
    fn what_is_not_said_has_a_usual_value() {
        let Ok(Verb::Collect { prompt, min, max, terminators, first_timeout_ms, inter_timeout_ms, secret }) =
            asked(&[("max", Arg::Int(4))])
        else {
            panic!("not a collect");
        };
        assert!(prompt.is_empty() && !secret);
        assert_eq!(
            (min, max, terminators.as_str(), first_timeout_ms, inter_timeout_ms),
            (1, 4, "#", 5_000, 3_000)
        );
    }

    #[test]
    fn a_single_key_may_be_the_hash_key() {
        assert!(
            matches!(asked(&[("max", Arg::Int(1))]), Ok(Verb::Collect { terminators, .. }) if terminators.is_empty())
        );
    }

    #[test]
    fn wrong_entries_are_refused() {
        assert_eq!(asked(&[]), Err("collect: option 'max' is missing: how many digits are wanted".into()));
        assert_eq!(
            asked(&[("max", Arg::Int(2)), ("min", Arg::Int(3))]),
            Err("collect: option 'min' (3) is greater than 'max' (2)".into())
        );
        assert_eq!(
            asked(&[("max", Arg::Int(2)), ("terminators", text("x"))]),
            Err("collect: option 'terminators' has 'x' in it; keys are 0123456789*#ABCD".into())
        );
        assert_eq!(
            asked(&[("max", Arg::Int(2)), ("timeout", Arg::Int(3))]),
            Err("collect: unknown option 'timeout'; there are prompt, min, max, terminators, first, inter, secret"
                .into())
        );
    }

    #[test]
    fn too_few_digits_are_no_entry() {
        let digits = |digits: &str, end| VerbAnswer::Digits { digits: digits.into(), end };
        assert_eq!(
            reply(1, digits("", CollectEnd::Timeout)),
            Reply::Values(vec![Plain::Nil, Plain::text("timeout")])
        );
        assert_eq!(
            reply(0, digits("", CollectEnd::Terminator)),
            Reply::Values(vec![Plain::text(""), Plain::text("terminator")])
        );
        assert_eq!(
            reply(1, digits("42", CollectEnd::Max)),
            Reply::Values(vec![Plain::text("42"), Plain::text("max")])
        );
    }
}
