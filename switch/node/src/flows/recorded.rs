//! A finished call as a test of its flow. What is given out passes as a test: it is played before.

use crate::switch::missing;
use cordboard_api::switch::Refusal;
use cordboard_flow::script::{Script, run};
use cordboard_flow::{Finished, as_test};
use cordboard_model::id::CallId;

/// The test of the flow of this name, or of the first one that the call ran.
pub(crate) fn test(call: CallId, finished: &[Finished], flow: Option<&str>) -> Result<String, Refusal> {
    let name = |finished: &Finished| finished.record.flow.name.to_string();
    let Some(found) = finished.iter().find(|one| flow.is_none_or(|flow| name(one) == flow)) else {
        let ran: Vec<String> = finished.iter().map(name).collect();
        let why = match ran.is_empty() {
            true => {
                "kept are the last few hundred flows that are over, and of those none with thousands of steps"
                    .into()
            }
            false => format!("it ran {}", ran.join(", ")),
        };
        return Err(missing(format!("no such flow of call {call} is kept; {why}")));
    };
    let made = as_test(found, &format!("call {call}")).map_err(Refusal::Internal)?;
    let script: Script = toml::from_str(&made).map_err(|why| Refusal::Internal(why.to_string()))?;
    for case in &script.cases {
        let ran = run(&found.bench(), case);
        ran.map_err(|why| Refusal::Internal(format!("the call cannot be played again: {why}")))?;
    }
    Ok(made)
}
