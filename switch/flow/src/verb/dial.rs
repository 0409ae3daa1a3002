//! `call:dial{{agent = "1001"}, {user = "anna"}, {trunk = "carrier", number = "+4930123"}, timeout = 20}`: rings one after
//! another until one answers; then the flow ends. Gives `nil` and the cause of the last one if nobody does.
//!
//! The loop is in the prelude; each ringing is a step of its own.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request, transfer};
use cordboard_model::id::TenantId;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "dial";

const TARGETS: [&str; 3] = ["agent", "user", "trunk"];
const OPTIONS: &[&str] = &["agent", "user", "trunk", "number", "timeout"];
/// Most that are rung in one go.
const MOST: usize = 16;
/// Longest ringing, seconds.
const TIMEOUT_MAX: f64 = 600.0;

/// Reads one target, and the time for those that have none of their own.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    let options = Options::new(NAME, args.first(), OPTIONS)?;
    let own = options.millis("timeout", 1.0, TIMEOUT_MAX)?;
    let usual = match args.get(1) {
        None | Some(Arg::Nil) => None,
        Some(arg) => Some(super::arg::millis(NAME, "option 'timeout'", arg, 1.0, TIMEOUT_MAX)?),
    };
    let to = transfer::target(&options, tenant, &TARGETS)?;
    Ok((Verb::Dial { to, timeout_ms: own.or(usual) }, Asked::Dial))
}

/// Checks everything before anybody is rung, and gives the number of targets.
pub fn targets(tenant: TenantId, args: &[Arg]) -> Result<i64, BadOption> {
    at_most(NAME, args, 1)?;
    let Some(Arg::Table(table)) = args.first() else {
        return Err(BadOption::new(NAME, "takes one table"));
    };
    if table.list.is_empty() {
        return request(tenant, args).map(|_| 1);
    }
    if let Some(name) = table.named.keys().find(|name| *name != "timeout") {
        return Err(BadOption::new(
            NAME,
            format!("option '{name}' stands beside a list; it belongs into it"),
        ));
    }
    if table.list.len() > MOST {
        return Err(BadOption::new(NAME, format!("more than {MOST} targets")));
    }
    let usual = table.named.get("timeout").cloned().unwrap_or(Arg::Nil);
    for target in &table.list {
        request(tenant, &[target.clone(), usual.clone()])?;
    }
    Ok(i64::try_from(table.list.len()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(args: &[Arg]) -> Result<i64, String> {
        targets(TenantId::DEFAULT, args).map_err(|error| error.0)
    }

    #[test]
    fn one_target_or_a_list_with_a_time_for_all() {
        let agent = table(&[("agent", text("1001")), ("timeout", Arg::Int(20))], &[]);
        assert_eq!(asked(std::slice::from_ref(&agent)), Ok(1));
        let trunk = table(&[("trunk", text("c")), ("number", text("+4930"))], &[]);
        assert_eq!(asked(&[table(&[("timeout", Arg::Int(9))], &[agent.clone(), trunk.clone()])]), Ok(2));
        let time = |args: &[Arg]| match request(TenantId::DEFAULT, args) {
            Ok((Verb::Dial { timeout_ms, .. }, _)) => timeout_ms,
            other => panic!("{other:?}"),
        };
        assert_eq!(time(&[agent, Arg::Int(9)]), Some(20_000), "its own");
        assert_eq!(time(&[trunk.clone(), Arg::Int(9)]), Some(9_000), "that of all");
        assert_eq!(time(&[trunk]), None);
    }

    #[test]
    fn wrong_targets_are_refused_before_anybody_is_rung() {
        let good = table(&[("agent", text("1001"))], &[]);
        let bad = table(&[("queue", text("sales"))], &[]);
        assert!(
            asked(&[table(&[], &[good.clone(), bad])])
                .unwrap_err()
                .starts_with("dial: unknown option 'queue'")
        );
        assert_eq!(asked(&[]), Err("dial: takes one table".into()));
        assert_eq!(asked(&[table(&[], &[])]), Err("dial: needs exactly one of agent, user, trunk".into()));
        assert_eq!(asked(&[table(&[], &vec![good.clone(); 17])]), Err("dial: more than 16 targets".into()));
        assert_eq!(
            asked(&[table(&[("agent", text("x"))], std::slice::from_ref(&good))]),
            Err("dial: option 'agent' stands beside a list; it belongs into it".into())
        );
        assert_eq!(
            asked(&[table(&[("timeout", Arg::Int(0))], &[good])]),
            Err("dial: option 'timeout' must be 1 to 600 seconds, not 0".into())
        );
    }
}
