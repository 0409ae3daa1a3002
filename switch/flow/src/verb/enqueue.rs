//! `local outcome, key = call:enqueue("sales", {timeout=60, priority=5, keys="1", staffed=true})`: waits in a queue until an
//! agent answers, the wait ends or the caller leaves it by a key. Gives `"served"`, `"timeout"`, `"full"`, `"gone"`, `"key"`
//! and the key, `"callback"` when he is to be called back; with `staffed` also `"nobody_signed_in"`, when no agent is signed in to the queue or the last one signs out.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::verb::{QueueEnd, Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "enqueue";

/// Longest wait that can be asked for, seconds.
const TIMEOUT_MAX: f64 = 86_400.0;

/// So many keys a phone has.
const KEYS: usize = 16;

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 2)?;
    let name = match args.first() {
        Some(Arg::Text(name)) => name,
        other => {
            let got = other.unwrap_or(&Arg::Nil).type_name();
            return Err(BadOption::new(NAME, format!("the queue must be a name, not a {got}")));
        }
    };
    let queue = QueueId::new(tenant, name)
        .map_err(|error| BadOption::new(NAME, format!("{name:?} is not a queue's name: {error}")))?;
    let options = Options::new(NAME, args.get(1), &["timeout", "priority", "keys", "staffed"])?;
    let keys = options.text("keys")?.unwrap_or_default();
    if keys.len() > KEYS
        || !keys.chars().all(|key| key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D'))
    {
        return Err(options.wrong("option 'keys' must be keys of a phone"));
    }
    let verb = Verb::Enqueue {
        queue,
        timeout_ms: options.millis("timeout", 1.0, TIMEOUT_MAX)?,
        priority: options.int("priority", 0..=255)?.unwrap_or(0) as u8,
        keys: keys.to_owned(),
        staffed: options.flag("staffed", false)?,
    };
    Ok((verb, Asked::Enqueue))
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    let VerbAnswer::Queue(end) = answer else {
        return Reply::Values(vec![Plain::Nil, Plain::text("internal_error")]);
    };
    let word = match end {
        QueueEnd::Served => "served",
        QueueEnd::Timeout => "timeout",
        QueueEnd::Full => "full",
        QueueEnd::NobodySignedIn => "nobody_signed_in",
        QueueEnd::Gone => "gone",
        QueueEnd::Callback => "callback",
        QueueEnd::Key(key) => return Reply::Values(vec![Plain::text("key"), Plain::text(key)]),
    };
    Reply::Values(vec![Plain::text(word)])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(args: &[Arg]) -> Result<Verb, String> {
        request(TenantId::DEFAULT, args).map(|(verb, _)| verb).map_err(|e| e.0)
    }

    #[test]
    fn the_wait_is_the_queues_own_unless_said() {
        assert!(matches!(asked(&[text("sales")]), Ok(Verb::Enqueue { timeout_ms: None, priority: 0, .. })));
        let options = [("timeout", Arg::Int(60)), ("priority", Arg::Int(9)), ("staffed", Arg::Bool(true))];
        assert!(matches!(
            asked(&[text("sales"), table(&options, &[])]),
            Ok(Verb::Enqueue { timeout_ms: Some(60_000), priority: 9, staffed: true, .. })
        ));
    }

    #[test]
    fn wrong_queues_and_options_are_refused() {
        assert_eq!(asked(&[]), Err("enqueue: the queue must be a name, not a nil".into()));
        assert_eq!(
            asked(&[text("a b")]),
            Err("enqueue: \"a b\" is not a queue's name: an id cannot hold ' '".into())
        );
        let options = table(&[("timeout", text("60"))], &[]);
        assert_eq!(
            asked(&[text("a"), options]),
            Err("enqueue: option 'timeout' must be a number of seconds, not a string".into())
        );
    }
}
