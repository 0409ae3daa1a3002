//! `call:transfer{queue="sales"}`, `{flow="night"}`, `{agent="1001"}`, `{user="anna"}`,
//! `{trunk="carrier", number="+4930123"}`: hands the call over. The flow ends, unless the call could not
//! be handed over; then it gives `nil` and the cause.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request};
use cordboard_model::id::{AgentId, FlowId, IdError, QueueId, TenantId, TrunkId, UserId};
use cordboard_model::verb::{Destination, Verb};

/// As written in a flow.
pub const NAME: &str = "transfer";

const TARGETS: [&str; 5] = ["queue", "flow", "agent", "user", "trunk"];
const OPTIONS: &[&str] = &["queue", "flow", "agent", "user", "trunk", "number"];
/// Longest number by a trunk.
const NUMBER_MAX: usize = 64;

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let options = Options::new(NAME, args.first(), OPTIONS)?;
    let to = target(&options, tenant, &TARGETS)?;
    Ok((Verb::Transfer { to }, Asked::Transfer))
}

/// Reads whom a call is for: exactly one of `targets`.
pub fn target(
    options: &Options<'_>,
    tenant: TenantId,
    targets: &[&'static str],
) -> Result<Destination, BadOption> {
    let mut given = targets.iter().copied().filter(|name| options.raw(name).is_some());
    let (Some(target), None) = (given.next(), given.next()) else {
        return Err(options.wrong(format!("needs exactly one of {}", targets.join(", "))));
    };
    let name = options.text(target)?.unwrap_or_default();
    let number = options.text("number")?;
    if target != "trunk" && number.is_some() {
        return Err(options.wrong("option 'number' goes with 'trunk' only"));
    }
    let to = match target {
        "queue" => QueueId::new(tenant, name).map(Destination::Queue),
        "flow" => FlowId::new(tenant, name).map(Destination::Flow),
        "agent" => AgentId::new(tenant, name).map(Destination::Agent),
        "user" => UserId::new(tenant, name).map(Destination::User),
        _ => trunk(options, tenant, name, number)?,
    };
    to.map_err(|error| options.wrong(format!("{name:?} is not a name of a {target}: {error}")))
}

fn trunk(
    options: &Options<'_>,
    tenant: TenantId,
    name: &str,
    number: Option<&str>,
) -> Result<Result<Destination, IdError>, BadOption> {
    let Some(number) = number else {
        return Err(options.wrong("a call by a trunk needs 'number'"));
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+*#-._".contains(c);
    if number.is_empty() || number.len() > NUMBER_MAX || !number.chars().all(allowed) {
        return Err(options.wrong(format!("{number:?} is not a number that can be dialled")));
    }
    Ok(TrunkId::new(tenant, name).map(|id| Destination::Trunk(id, number.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(named: &[(&str, Arg)]) -> Result<Destination, String> {
        match request(TenantId::DEFAULT, &[table(named, &[])]) {
            Ok((Verb::Transfer { to }, _)) => Ok(to),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.0),
        }
    }

    #[test]
    fn each_target_is_a_destination() {
        assert!(
            matches!(asked(&[("queue", text("sales"))]), Ok(Destination::Queue(id)) if id.name.as_str() == "sales")
        );
        assert!(matches!(asked(&[("flow", text("night"))]), Ok(Destination::Flow(_))));
        assert!(matches!(asked(&[("agent", text("1001"))]), Ok(Destination::Agent(_))));
        assert!(matches!(asked(&[("user", text("anna"))]), Ok(Destination::User(_))));
        assert!(
            matches!(asked(&[("trunk", text("c")), ("number", text("+49301"))]), Ok(Destination::Trunk(_, n)) if n == "+49301")
        );
    }

    #[test]
    fn none_two_and_half_a_target_are_refused() {
        let one = "transfer: needs exactly one of queue, flow, agent, user, trunk";
        assert_eq!(asked(&[]), Err(one.into()));
        assert_eq!(asked(&[("queue", text("a")), ("user", text("b"))]), Err(one.into()));
        assert_eq!(asked(&[("trunk", text("c"))]), Err("transfer: a call by a trunk needs 'number'".into()));
        assert_eq!(
            asked(&[("queue", text("a")), ("number", text("1"))]),
            Err("transfer: option 'number' goes with 'trunk' only".into())
        );
        assert_eq!(
            asked(&[("trunk", text("c")), ("number", text("1;x=y"))]),
            Err("transfer: \"1;x=y\" is not a number that can be dialled".into())
        );
        assert_eq!(
            asked(&[("agent", Arg::Int(7))]),
            Err("transfer: option 'agent' must be a string, not a number".into())
        );
    }
}
