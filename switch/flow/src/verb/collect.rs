//! `local digits, how = call:collect{prompt="enter-pin", max=4, terminators="#", first=5, inter=3}`:
//! collects keys, playing a prompt that the first key ends. Gives the digits and how the entry ended
//! (`"terminator"`, `"max"`, `"timeout"`); `nil` and how if fewer than `min` came. With `secret=true` no event, ladder
//! or recording has the keys. `patterns={"1XXX", "0"}` says what an entry looks like: it ends (`"pattern"`, `"invalid"`) as
//! soon as that is decided. With `tries` it is asked again after `invalid` or `no_input`; the loop is in the prelude. With
//! `speech` (`heard.rs`) the caller may speak instead: then `"speech"`, and how sure the recogniser is.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Plain, Reply, Request, heard, items};
use cordboard_model::id::TenantId;
use cordboard_model::keys::{PATTERNS_MAX, is_pattern, longest};
use cordboard_model::verb::{CollectEnd, Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "collect";

/// The keys of a telephone.
pub const KEYS: &str = "0123456789*#ABCD";

const OPTIONS: &[&str] = &[
    "prompt",
    "min",
    "max",
    "terminators",
    "first",
    "inter",
    "secret",
    "patterns",
    "tries",
    "invalid",
    "no_input",
    "speech",
];
/// Most keys of one entry.
const KEYS_MAX: i64 = 64;
/// How often may be asked.
const TRIES_MAX: i64 = 10;
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
    let patterns = patterns(&options)?;
    let by_patterns = || (!patterns.is_empty()).then(|| longest(&patterns).map_or(KEYS_MAX, |n| n as i64));
    let Some(max) = options.int("max", 1..=KEYS_MAX)?.or_else(by_patterns) else {
        return Err(options.wrong("option 'max' is missing: how many digits are wanted"));
    };
    let min = options.int("min", 0..=64)?.unwrap_or(1);
    if min > max {
        return Err(options.wrong(format!("option 'min' ({min}) is greater than 'max' ({max})")));
    }
    // One key is an answer by itself, and `#` may be one.
    let is_key = max == 1 || patterns.iter().any(|pattern| pattern.contains('#'));
    let usual = if is_key { "" } else { "#" };
    let terminators = options.text("terminators")?.unwrap_or(usual);
    if let Some(key) = terminators.chars().find(|key| !KEYS.contains(*key)) {
        return Err(options.wrong(format!("option 'terminators' has {key:?} in it; keys are {KEYS}")));
    }
    if terminators.len() > KEYS.len() {
        return Err(options.wrong("option 'terminators' names keys twice"));
    }
    let secret = options.flag("secret", false)?;
    let heard = heard::read(&options, NAME)?;
    if secret && heard.is_some() {
        return Err(
            options.wrong("option 'speech' does not go with 'secret': who recognises it would know it")
        );
    }
    let (ear, words) = heard.unzip();
    let words = words.map(|words| {
        let (min, max) = (min as u8, max as u8);
        heard::Words { min, max, patterns: patterns.clone(), ..words }
    });
    let verb = Verb::Collect {
        prompt,
        min: min as u8,
        max: max as u8,
        terminators: terminators.to_owned(),
        first_timeout_ms: options.millis("first", 0.1, 120.0)?.unwrap_or(FIRST_MS),
        inter_timeout_ms: options.millis("inter", 0.1, 120.0)?.unwrap_or(INTER_MS),
        strict: ["tries", "invalid", "no_input", "speech"].iter().any(|name| options.raw(name).is_some()),
        patterns,
        secret,
        ear: ear.map(Box::new),
    };
    let asked = match words {
        Some(words) => Asked::CollectSpoken(min as u8, Box::new(words)),
        None => Asked::Collect(min as u8),
    };
    Ok((verb, asked))
}

/// Checks the options and gives the number of tries.
pub fn tries(tenant: TenantId, verb: &'static str, args: &[Arg]) -> Result<i64, BadOption> {
    let named = |error: BadOption| BadOption(error.0.replacen(NAME, verb, 1));
    let options = Options::new(verb, args.first(), OPTIONS)?;
    for name in ["invalid", "no_input"] {
        if let Some(arg) = options.raw(name).filter(|arg| !is_function(arg)) {
            items::read(verb, tenant, arg, &mut Vec::new())?;
        }
    }
    let tries = options.int("tries", 1..=TRIES_MAX)?.unwrap_or(1);
    let mut args = args.to_vec();
    if let Some(Arg::Table(table)) = args.first_mut() {
        // what it gives is checked when it is known
        table.named.retain(|name, arg| name != "prompt" || !is_function(arg));
    }
    match verb {
        super::collect_secret::NAME => super::collect_secret::request(tenant, &args)?,
        _ => request(tenant, &args).map_err(named)?,
    };
    Ok(tries)
}

fn is_function(arg: &Arg) -> bool {
    matches!(arg, Arg::Other("function"))
}

fn patterns(options: &Options<'_>) -> Result<Vec<String>, BadOption> {
    let list = match options.raw("patterns") {
        None => return Ok(Vec::new()),
        Some(Arg::Text(one)) => core::slice::from_ref(one).to_vec(),
        Some(Arg::Table(table)) if table.named.is_empty() => {
            let text = |arg: &Arg| match arg {
                Arg::Text(text) => Ok(text.clone()),
                other => {
                    Err(options.wrong(format!("a pattern must be a string, not a {}", other.type_name())))
                }
            };
            table.list.iter().map(text).collect::<Result<Vec<_>, _>>()?
        }
        Some(_) => return Err(options.wrong("option 'patterns' must be a list of patterns")),
    };
    if list.is_empty() || list.len() > PATTERNS_MAX {
        return Err(options.wrong(format!("option 'patterns' must have 1 to {PATTERNS_MAX} patterns")));
    }
    match list.iter().find(|pattern| !is_pattern(pattern)) {
        Some(pattern) => Err(options.wrong(format!(
            "{pattern:?} is not a pattern: it has keys, X (0 to 9), Z (1 to 9), N (2 to 9), and a '.' at its end"
        ))),
        None => Ok(list),
    }
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
        CollectEnd::Pattern => "pattern",
        CollectEnd::Invalid => "invalid",
    });
    if end == CollectEnd::Invalid || digits.len() < usize::from(min) {
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
        let Ok(Verb::Collect {
            prompt,
            min,
            max,
            terminators,
            first_timeout_ms,
            inter_timeout_ms,
            secret,
            ..
        }) = asked(&[("max", Arg::Int(4))])
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
            Err("collect: unknown option 'timeout'; there are prompt, min, max, terminators, first, inter, secret, patterns, tries, invalid, no_input, speech"
                .into())
        );
    }

    #[test]
    fn patterns_say_how_many_keys_and_whether_the_hash_key_is_one() {
        let list = |all: &[&str]| table(&[], &all.iter().map(|p| text(p)).collect::<Vec<_>>());
        let read = |patterns: Arg| match asked(&[("patterns", patterns)]) {
            Ok(Verb::Collect { max, terminators, patterns, .. }) => Ok((max, terminators, patterns.len())),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        };
        assert_eq!(read(list(&["1XXX", "0"])), Ok((4, "#".into(), 2)));
        assert_eq!(read(text("0.")), Ok((64, "#".into(), 1)));
        assert_eq!(read(list(&["*X#"])), Ok((3, String::new(), 1)));
        assert!(
            read(text("1-2")).unwrap_err().starts_with("collect: \"1-2\" is not a pattern: it has keys, X")
        );
        assert!(read(list(&[])).unwrap_err().ends_with("must have 1 to 32 patterns"));
        assert!(read(Arg::Int(1)).unwrap_err().ends_with("must be a list of patterns"));
    }

    #[test]
    fn tries_and_what_is_said_between_them_are_checked_before_anything_is_played() {
        let count =
            |named: &[(&str, Arg)]| tries(TenantId::DEFAULT, NAME, &[table(named, &[])]).map_err(|e| e.0);
        let max = || ("max", Arg::Int(4));
        assert_eq!(count(&[max()]), Ok(1));
        let function = Arg::Other("function");
        let all = [
            max(),
            ("tries", Arg::Int(3)),
            ("prompt", function.clone()),
            ("invalid", function),
            ("no_input", text("n")),
        ];
        assert_eq!(count(&all), Ok(3));
        assert!(count(&[max(), ("tries", Arg::Int(11))]).unwrap_err().contains("from 1 to 10, not 11"));
        assert!(
            count(&[max(), ("invalid", Arg::Int(1))]).unwrap_err().starts_with("collect: a prompt must be")
        );
        let secret = tries(TenantId::DEFAULT, "collect_secret", &[table(&[("tries", Arg::Int(2))], &[])]);
        assert_eq!(
            secret.unwrap_err().0,
            "collect_secret: option 'max' is missing: how many digits are wanted"
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
