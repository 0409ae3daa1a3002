//! `local state = call:queue("sales")`: how a queue stands; without a name, the one that the caller waits in. Gives a table:
//! `waiting`, `full`, `agents` (signed in), `ready` (of these), and `wait`, the seconds that one who enters now will wait, if
//! that is known. Where the caller waits there, `position` is his place and `wait` how long it still is.

use super::arg::{Arg, BadOption, at_most};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::ask::Ask;
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::verb::Verb;
use cordboard_model::view::QueueState;

/// As written in a flow.
pub const NAME: &str = "queue";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let queue = match args.first() {
        None | Some(Arg::Nil) => None,
        Some(Arg::Text(name)) => Some(
            QueueId::new(tenant, name)
                .map_err(|error| BadOption::new(NAME, format!("{name:?} is not a queue's name: {error}")))?,
        ),
        Some(other) => {
            let got = other.type_name();
            return Err(BadOption::new(NAME, format!("the queue must be a name, not a {got}")));
        }
    };
    Ok((Verb::Ask(Ask::Queue { queue }), Asked::Queue))
}

/// The answer.
pub fn reply(state: QueueState) -> Reply {
    let int = |name: &str, n: u32| (name.to_owned(), Plain::Int(n.into()));
    let mut fields = vec![
        int("waiting", state.waiting),
        ("full".to_owned(), Plain::Bool(state.full)),
        int("agents", state.agents),
        int("ready", state.ready),
    ];
    fields.extend(state.wait.map(|wait| int("wait", wait)));
    fields.extend(state.position.map(|position| int("position", position)));
    Reply::Values(vec![Plain::Record(fields)])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn a_queue_is_asked_for_by_its_name_and_what_is_not_known_is_left_out() {
        let queue = Some(QueueId::new(TenantId::DEFAULT, "sales").unwrap());
        let asked = request(TenantId::DEFAULT, &[text("sales")]).unwrap();
        assert_eq!(asked, (Verb::Ask(Ask::Queue { queue }), Asked::Queue));
        let own = request(TenantId::DEFAULT, &[]).unwrap();
        assert_eq!(own, (Verb::Ask(Ask::Queue { queue: None }), Asked::Queue));
        let error = request(TenantId::DEFAULT, &[Arg::Int(1)]).unwrap_err().0;
        assert_eq!(error, "queue: the queue must be a name, not a number");
        let state = QueueState { waiting: 3, agents: 2, ..QueueState::default() };
        let Reply::Values(values) = reply(state) else { panic!() };
        let [Plain::Record(fields)] = values.as_slice() else { panic!("{values:?}") };
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["waiting", "full", "agents", "ready"]);
        let Reply::Values(values) = reply(QueueState { wait: Some(60), ..state }) else { panic!() };
        assert!(format!("{values:?}").contains("(\"wait\", 60)"), "{values:?}");
        let Reply::Values(values) = reply(QueueState { position: Some(2), ..state }) else { panic!() };
        assert!(format!("{values:?}").contains("(\"position\", 2)"), "{values:?}");
    }
}
