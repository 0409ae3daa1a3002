//! `local pin, how = call:collect_secret{prompt = "enter-pin", max = 4}`: as `collect{secret = true}`, and what the caller
//! keyed in cannot be read by the flow either: it can be sent by `http` as a part of `json`, compared by `pin:equals(text)`
//! and measured by `pin:length()`, and prints as `(secret)`.

use super::arg::{Arg, BadOption};
use super::{Asked, Plain, Reply, Request, collect};
use cordboard_model::id::TenantId;
use cordboard_model::verb::{Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "collect_secret";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    let named = |error: BadOption| BadOption(error.0.replacen(collect::NAME, NAME, 1));
    if let Some(Arg::Table(table)) = args.first()
        && table.named.contains_key("secret")
    {
        return Err(BadOption::new(NAME, "unknown option 'secret'; what is collected here is one"));
    }
    if let Some(Arg::Table(table)) = args.first()
        && table.named.contains_key("speech")
    {
        return Err(BadOption::new(NAME, "unknown option 'speech'; who recognises a secret would know it"));
    }
    let (mut verb, asked) = collect::request(tenant, args).map_err(named)?;
    if let Verb::Collect { secret, .. } = &mut verb {
        *secret = true;
    }
    let asked = if let Asked::Collect(min) = asked { Asked::CollectSecret(min) } else { asked };
    Ok((verb, asked))
}

/// Reads the answer.
pub fn reply(min: u8, answer: VerbAnswer) -> Reply {
    match collect::reply(min, answer) {
        Reply::Values(mut values) => {
            if let Some(first) = values.first_mut()
                && let Plain::Text(digits) = first
            {
                *first = Plain::Secret(core::mem::take(digits));
            }
            Reply::Values(values)
        }
        other => other,
    }
}

/// Whether two texts are one, in a time that does not tell where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let differ = a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b));
    a.len() == b.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::table;
    use super::*;
    use cordboard_model::verb::CollectEnd;

    #[test]
    fn what_is_collected_is_a_secret_on_the_line_and_in_the_flow() {
        let asked = request(TenantId::DEFAULT, &[table(&[("max", Arg::Int(4))], &[])]).unwrap();
        assert!(matches!(asked, (Verb::Collect { secret: true, .. }, Asked::CollectSecret(1))));
        let digits = VerbAnswer::Digits { digits: "4711".into(), end: CollectEnd::Max };
        let values = reply(1, digits);
        assert_eq!(values, Reply::Values(vec![Plain::Secret("4711".into()), Plain::text("max")]));
        assert!(!format!("{values:?}").contains("4711"));
        let wrong = |named: &[(&str, Arg)]| request(TenantId::DEFAULT, &[table(named, &[])]).unwrap_err().0;
        assert!(wrong(&[]).starts_with("collect_secret: option 'max' is missing"));
        assert!(
            wrong(&[("secret", Arg::Bool(false))]).starts_with("collect_secret: unknown option 'secret'")
        );
    }

    #[test]
    fn texts_of_other_lengths_differ() {
        assert!(
            same(b"4711", b"4711")
                && !same(b"4711", b"4712")
                && !same(b"471", b"4711")
                && !same(b"4711", b"")
        );
    }
}
