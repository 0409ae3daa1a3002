//! Versions, tickets, time and ends.

use crate::world::{answer, call, drain, engine, flow_id, snapshot, start};
use cordboard_flow::{FlowCommand, FlowEngine, FlowErrorKind, FlowInput, FlowOutput};
use cordboard_model::cause::Cause;
use cordboard_model::config::FlowLimits;
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::{QueueEnd, Verb, VerbAnswer};
use std::collections::BTreeMap;

fn verbs(outputs: &[FlowOutput]) -> Vec<String> {
    let line = |output: &FlowOutput| match output {
        FlowOutput::Verb { ticket, verb, .. } => format!("{ticket} {}", cordboard_flow::script::line(verb)),
        FlowOutput::Ended { .. } => "ended".into(),
        FlowOutput::Failed { error, .. } => format!("failed {error}"),
        FlowOutput::Log { text, file, line, .. } => format!("log {file}:{line} {text}"),
    };
    outputs.iter().map(line).collect()
}

#[test]
fn a_flow_goes_from_verb_to_verb_by_its_tickets() {
    let mut engine = engine(FlowLimits::default(), "call:answer()\nprint('now')\ncall:play('a')\n");
    start(&mut engine, 1);
    assert_eq!(verbs(&drain(&mut engine)), ["1 answer"]);
    answer(&mut engine, 1, 7, VerbAnswer::Done);
    answer(&mut engine, 2, 1, VerbAnswer::Done);
    assert_eq!(drain(&mut engine), []);
    answer(&mut engine, 1, 1, VerbAnswer::Done);
    answer(&mut engine, 1, 1, VerbAnswer::Done);
    assert_eq!(verbs(&drain(&mut engine)), ["log flows/main.lua:2 now", "2 play a"]);
    answer(&mut engine, 1, 2, VerbAnswer::Played { key: None });
    assert_eq!(verbs(&drain(&mut engine)), ["ended"]);
    assert_eq!((engine.len(), engine.poll_timeout()), (0, None));
}

#[test]
fn running_calls_keep_the_text_they_began_with() {
    let mut engine = engine(FlowLimits::default(), "call:wait(1) print('old')");
    start(&mut engine, 1);
    let next = snapshot(FlowLimits::default(), &[("main", "call:wait(1) print('new')")]);
    engine.handle_command(FlowCommand::Configure(&next), Time::ZERO).unwrap();
    start(&mut engine, 2);
    drain(&mut engine);
    answer(&mut engine, 1, 1, VerbAnswer::Done);
    answer(&mut engine, 2, 1, VerbAnswer::Done);
    let said = verbs(&drain(&mut engine));
    assert_eq!(said, ["log flows/main.lua:1 old", "ended", "log flows/main.lua:1 new", "ended"]);
}

#[test]
fn a_configuration_with_errors_changes_nothing_and_names_them_all() {
    let mut engine = engine(FlowLimits::default(), "print('good')");
    let broken =
        snapshot(FlowLimits::default(), &[("main", "x ="), ("other", "call:foo()"), ("third", "print(1)")]);
    let errors = engine.handle_command(FlowCommand::Configure(&broken), Time::ZERO).unwrap_err();
    let all = cordboard_flow::VERBS.join(", ");
    let errors: Vec<String> = errors.iter().map(|error| error.to_string().replace(&all, "ALL")).collect();
    assert_eq!(
        errors,
        [
            "flows/main.lua:1: unexpected symbol near <eof>",
            "flows/other.lua:1:6: call has no verb 'foo'; there are ALL"
        ]
    );
    start(&mut engine, 1);
    assert_eq!(verbs(&drain(&mut engine)), ["log flows/main.lua:1 good", "ended"]);
}

#[test]
fn a_flow_that_is_not_configured_fails_by_name() {
    let mut engine = engine(FlowLimits::default(), "");
    let start = FlowCommand::Start {
        call: call(1),
        flow: flow_id("night"),
        from: "1".into(),
        to: "2".into(),
        data: Default::default(),
    };
    engine.handle_command(start, Time::ZERO).unwrap();
    assert_eq!(verbs(&drain(&mut engine)), ["failed default/night: no flow 'night' is configured"]);
}

#[test]
fn hanging_up_ends_the_flow_at_once() {
    let mut engine =
        engine(FlowLimits::default(), "pcall(function() call:hang_up('busy') end) print('after')");
    start(&mut engine, 1);
    assert_eq!(verbs(&drain(&mut engine)), ["1 hang_up busy", "ended"]);
    assert!(engine.is_empty());
    answer(&mut engine, 1, 1, VerbAnswer::Done);
    assert_eq!(drain(&mut engine), []);
}

#[test]
fn a_caller_who_is_gone_ends_the_flow_without_resuming_it() {
    let mut engine = engine(FlowLimits::default(), "pcall(function() call:wait(9) end) print('after')");
    start(&mut engine, 1);
    drain(&mut engine);
    answer(&mut engine, 1, 1, VerbAnswer::HungUp);
    assert_eq!(verbs(&drain(&mut engine)), ["ended"]);
}

#[test]
fn a_stopped_call_is_not_heard_of_again() {
    let mut engine = engine(FlowLimits::default(), "print('x') call:wait(9)");
    start(&mut engine, 1);
    start(&mut engine, 2);
    engine.handle_command(FlowCommand::Stop { call: call(1) }, Time::ZERO).unwrap();
    assert!(drain(&mut engine).iter().all(|output| output.call() == call(2)));
    answer(&mut engine, 1, 1, VerbAnswer::Done);
    engine.handle_timeout(Time::FAR);
    let said = drain(&mut engine);
    assert!(said.iter().all(|output| output.call() == call(2)) && said.len() == 1);
}

#[test]
fn a_transfer_ends_the_flow_unless_it_fails() {
    let source = "local ok, why = call:transfer{queue = 'a'}\nprint(ok, why)\ncall:transfer{flow = 'b'}\nprint('never')";
    let mut engine = engine(FlowLimits::default(), source);
    start(&mut engine, 1);
    drain(&mut engine);
    answer(&mut engine, 1, 1, VerbAnswer::Failed(Cause::QueueFull));
    assert_eq!(
        verbs(&drain(&mut engine)),
        [
            "log flows/main.lua:1 transfer queue a: queue_full",
            "log flows/main.lua:2 nil\tqueue_full",
            "2 transfer flow b"
        ]
    );
    answer(&mut engine, 1, 2, VerbAnswer::Done);
    assert_eq!(verbs(&drain(&mut engine)), ["ended"]);
}

#[test]
fn a_flow_lives_no_longer_than_its_wall_time() {
    let limits = FlowLimits { wall: Duration::from_secs(60), ..FlowLimits::default() };
    let mut engine = engine(limits, "call:answer()\nwhile true do\n  call:wait(10)\nend");
    start(&mut engine, 1);
    assert_eq!(
        engine.poll_timeout().map(|(at, reason)| (at, reason.0)),
        Some((Time::from_millis(60_000), "flow: longest life"))
    );
    drain(&mut engine);
    answer(&mut engine, 1, 1, VerbAnswer::Done);
    drain(&mut engine);
    engine.handle_timeout(Time::from_millis(59_999));
    assert_eq!(drain(&mut engine), []);
    engine.handle_timeout(Time::from_millis(60_000));
    let said = drain(&mut engine);
    assert!(
        matches!(&said[..], [FlowOutput::Failed { error, .. }] if error.kind == FlowErrorKind::Wall && error.line == 3)
    );
    assert_eq!(verbs(&said), ["failed flows/main.lua:3: the flow ran longer than its budget of 60 seconds"]);
    assert_eq!(engine.poll_timeout(), None);
}

#[test]
fn a_limit_raises_where_the_verb_was_asked() {
    let source = "local ok, why = pcall(function()\n  call:play('a')\nend)\nprint(why)\ncall:play('b')";
    let mut engine = engine(FlowLimits::default(), source);
    start(&mut engine, 1);
    drain(&mut engine);
    answer(&mut engine, 1, 1, VerbAnswer::Limit("playbacks".into()));
    let said = verbs(&drain(&mut engine));
    assert_eq!(
        said,
        ["log flows/main.lua:4 main.lua:2: play: the limit of playbacks is reached", "2 play b"]
    );
    answer(&mut engine, 1, 2, VerbAnswer::Limit("playbacks".into()));
    assert_eq!(
        verbs(&drain(&mut engine)),
        ["failed flows/main.lua:5: play: the limit of playbacks is reached"]
    );
}

#[test]
fn a_second_start_replaces_the_first() {
    let mut engine = engine(FlowLimits::default(), "call:wait(1)");
    start(&mut engine, 1);
    start(&mut engine, 1);
    assert_eq!((engine.len(), drain(&mut engine).len()), (1, 1));
}

#[test]
fn hundreds_of_calls_live_beside_each_other() {
    let mut engine = engine(FlowLimits::default(), "local n = call.from call:wait(1) print(n) call:wait(2)");
    for number in 1..=300 {
        start(&mut engine, number);
    }
    assert_eq!(engine.len(), 300);
    drain(&mut engine);
    for number in 1..=300 {
        engine.handle_input(
            FlowInput::Answer { call: call(number), ticket: 1, answer: VerbAnswer::Done },
            Time::ZERO,
        );
    }
    assert_eq!(drain(&mut engine).len(), 600);
    for number in 1..=300 {
        answer(&mut engine, number, 2, VerbAnswer::Done);
    }
    assert_eq!((drain(&mut engine).len(), engine.len()), (300, 0));
}

#[test]
fn call_data_is_read_as_it_is_now() {
    let source = "print(call.data.a)\ncall.data.b = 5\nprint(call.data.b, call.data.c)\ncall:wait(1)\nprint(call.data.a)\ncall.data.a = nil\nfor k, v in pairs(call.data) do print(k, v) end";
    let mut engine = engine(FlowLimits::default(), source);
    let command = FlowCommand::Start {
        call: call(1),
        flow: flow_id("main"),
        from: "1".into(),
        to: "2".into(),
        data: [("a".to_owned(), "one".into())].into_iter().collect(),
    };
    engine.handle_command(command, Time::ZERO).unwrap();
    // Nobody but the flow can have changed it yet: no need to ask.
    assert_eq!(verbs(&drain(&mut engine)), ["log flows/main.lua:1 one", "1 set b = 5"]);
    answer(&mut engine, 1, 1, VerbAnswer::Done);
    assert_eq!(verbs(&drain(&mut engine)), ["log flows/main.lua:3 5\tnil", "2 wait 1"]);
    answer(&mut engine, 1, 2, VerbAnswer::Done);
    assert_eq!(verbs(&drain(&mut engine)), ["3 get a"]);
    answer(&mut engine, 1, 3, VerbAnswer::Data(Some("two".into())));
    assert_eq!(verbs(&drain(&mut engine)), ["log flows/main.lua:5 two", "4 set a = "]);
    answer(&mut engine, 1, 4, VerbAnswer::Done);
    assert_eq!(verbs(&drain(&mut engine)), ["log flows/main.lua:7 b\t5", "ended"]);
}

#[test]
fn the_verb_of_a_call_carries_its_tenant() {
    let mut engine = engine(FlowLimits::default(), "call:enqueue('sales')");
    start(&mut engine, 1);
    let Some(FlowOutput::Verb { verb: Verb::Enqueue { queue, .. }, .. }) = engine.poll_output() else {
        panic!()
    };
    assert_eq!(queue.tenant, call(1).tenant);
}

#[test]
fn so_many_calls_share_a_machine_as_are_configured_and_an_empty_one_goes() {
    let limits = FlowLimits { together: 2, ..FlowLimits::default() };
    let mut engine = engine(limits, "call:wait(60)");
    for number in 1..=5 {
        start(&mut engine, number);
    }
    assert_eq!((engine.len(), engine.machines()), (5, 3));
    for number in [3, 4, 5] {
        engine.handle_command(FlowCommand::Stop { call: call(number) }, Time::ZERO).unwrap();
    }
    assert_eq!((engine.len(), engine.machines()), (2, 1));
    // One is kept, with the flows compiled.
    for number in [1, 2] {
        engine.handle_command(FlowCommand::Stop { call: call(number) }, Time::ZERO).unwrap();
    }
    assert_eq!((engine.len(), engine.machines()), (0, 1));
}

#[test]
fn a_flow_waits_below_another_and_goes_on_where_it_was() {
    let limits = FlowLimits { wall: Duration::from_secs(60), ..FlowLimits::default() };
    let both = snapshot(
        limits,
        &[
            ("main", "local end_of_it = call:enqueue('sales') print(end_of_it)"),
            ("news", "while true do call:play('news') end"),
        ],
    );
    let mut engine = engine(limits, "");
    engine.handle_command(FlowCommand::Configure(&both), Time::ZERO).unwrap();
    let above = |engine: &mut FlowEngine| {
        engine.handle_command(FlowCommand::Park { call: call(1) }, Time::ZERO).unwrap();
        let news = FlowCommand::Start {
            call: call(1),
            flow: flow_id("news"),
            from: "1001".into(),
            to: "100".into(),
            data: BTreeMap::new(),
        };
        engine.handle_command(news, Time::ZERO).unwrap();
    };
    start(&mut engine, 1);
    above(&mut engine);
    assert_eq!(verbs(&drain(&mut engine)), ["1 enqueue sales timeout=queue's priority=0", "1 play news"]);
    answer(&mut engine, 1, 1, VerbAnswer::Played { key: None });
    assert_eq!((verbs(&drain(&mut engine)), engine.len()), (vec!["2 play news".to_owned()], 2));
    engine.handle_command(FlowCommand::Unpark { call: call(1) }, Time::ZERO).unwrap();
    assert_eq!((drain(&mut engine), engine.len()), (vec![], 1));
    answer(&mut engine, 1, 2, VerbAnswer::Played { key: None });
    assert_eq!(drain(&mut engine), [], "an answer to the one above is nobody's");
    answer(&mut engine, 1, 1, VerbAnswer::Queue(QueueEnd::Timeout));
    assert_eq!(verbs(&drain(&mut engine)), ["log flows/main.lua:1 timeout", "ended"]);
    // who is stopped leaves neither of the two
    start(&mut engine, 1);
    above(&mut engine);
    above(&mut engine);
    assert_eq!(engine.len(), 2, "only one waits below");
    engine.handle_command(FlowCommand::Stop { call: call(1) }, Time::ZERO).unwrap();
    assert!(engine.is_empty() && engine.poll_timeout().is_none());
    // the one below has no longer a life for it
    start(&mut engine, 1);
    above(&mut engine);
    drain(&mut engine);
    let late = Time::ZERO + Duration::from_secs(61);
    engine.handle_timeout(late);
    assert!(
        matches!(&drain(&mut engine)[..], [FlowOutput::Failed { error, .. }] if error.kind == FlowErrorKind::Wall)
    );
    engine.handle_command(FlowCommand::Unpark { call: call(1) }, late).unwrap();
    engine.handle_timeout(late);
    assert!(
        matches!(&drain(&mut engine)[..], [FlowOutput::Failed { error, .. }] if error.kind == FlowErrorKind::Wall)
    );
    assert!(engine.is_empty());
}
