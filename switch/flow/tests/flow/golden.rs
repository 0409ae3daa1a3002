//! Six broken flows and exactly what a designer is told, in `broken/`.

use cordboard_flow::{FlowCommand, FlowEngine, FlowError, FlowInput, FlowOutput, check};
use cordboard_model::config::FlowLimits;
use cordboard_model::time::Time;
use cordboard_model::verb::VerbAnswer;

/// What the check says, and if it says nothing, how a run ends in which every verb is simply done.
fn told(file: &str, source: &str) -> String {
    if let Err(errors) = check(source, file) {
        return errors.iter().map(FlowError::to_string).collect::<Vec<_>>().join("\n");
    }
    let mut snapshot = crate::world::snapshot(FlowLimits::default(), &[("main", source)]);
    for tenant in snapshot.tenants.values_mut() {
        tenant.flows.values_mut().for_each(|flow| flow.file = file.to_owned());
    }
    let mut engine = FlowEngine::new([1; 32]);
    engine.handle_command(FlowCommand::Configure(&snapshot), Time::ZERO).unwrap();
    crate::world::start(&mut engine, 1);
    while let Some(output) = engine.poll_output() {
        match output {
            FlowOutput::Verb { call, ticket, .. } => {
                engine.handle_input(FlowInput::Answer { call, ticket, answer: VerbAnswer::Done }, Time::ZERO);
            }
            FlowOutput::Failed { error, .. } => return format!("{error} [{}]", error.kind.as_str()),
            FlowOutput::Ended { .. } => return "ended".into(),
            FlowOutput::Log { .. } => {}
        }
    }
    "waits".into()
}

macro_rules! broken {
    ($($test:ident: $file:literal => $want:literal)*) => {$(
        #[test]
        fn $test() {
            let said = told(concat!("flows/", $file), include_str!(concat!("../broken/", $file)));
            assert_eq!(said.replace(&cordboard_flow::VERBS.join(", "), "ALL"), $want);
        }
    )*};
}

broken! {
    a_syntax_error: "syntax.lua" =>
        "flows/syntax.lua:4:32: '}' expected (to close '{' at line 3) near 'max'"
    a_verb_that_is_not_there: "verb.lua" =>
        "flows/verb.lua:3:6: call has no verb 'anounce'; there are ALL\n\
         flows/verb.lua:5:6: call has no verb 'hangup'; did you mean 'hang_up'?"
    a_wrong_option: "option.lua" =>
        "flows/option.lua:6: enqueue: unknown option 'timout'; did you mean 'timeout'? [bad_option]"
    an_endless_loop: "loop.lua" =>
        "flows/loop.lua:5: the flow used up its budget of 1000000 instructions between two steps; does this loop end? [instructions]"
    a_memory_bomb: "memory.lua" =>
        "flows/memory.lua:6: the flow used up its budget of 1048576 bytes of memory between two steps [memory]"
    an_error_in_the_middle: "middle.lua" =>
        "flows/middle.lua:9: attempt to index a nil value (field 'de') [runtime]"
}
