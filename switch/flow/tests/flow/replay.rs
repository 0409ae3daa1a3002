//! A coroutine can be rebuilt from the answers it was given.

use crate::world::{answer, call, drain, engine, start};
use cordboard_flow::{FlowEngine, FlowOutput, FlowRecord, script};
use cordboard_model::config::FlowLimits;
use cordboard_model::verb::{CollectEnd, VerbAnswer};

const FLOW: &str = "local secret = math.random(1000000)\n\
    call:answer()\n\
    local order = {} for k in pairs{c = 1, a = 2, b = 3} do order[#order + 1] = k end\n\
    local digits = call:collect{max = 4}\n\
    call.data.digits = digits\n\
    print('logged', digits)\n\
    pcall(function() call:wait(1) end)\n\
    call:play('p' .. secret .. table.concat(order) .. digits .. math.random(1000000))\n\
    call:enqueue('q' .. digits)";

fn answers() -> [VerbAnswer; 5] {
    [
        VerbAnswer::Done,
        VerbAnswer::Digits { digits: "42".into(), end: CollectEnd::Terminator },
        VerbAnswer::Done,
        VerbAnswer::Limit("waits".into()),
        VerbAnswer::Played { key: None },
    ]
}

fn verb(outputs: &[FlowOutput]) -> Vec<(u64, String)> {
    let line = |output: &FlowOutput| match output {
        FlowOutput::Verb { ticket, verb, .. } => Some((*ticket, script::line(verb))),
        _ => None,
    };
    outputs.iter().filter_map(line).collect()
}

#[test]
fn rebuilt_from_its_answers_a_flow_waits_at_the_same_verb() {
    let answers = answers();
    for given in 0..=answers.len() {
        let mut first = engine(FlowLimits::default(), FLOW);
        start(&mut first, 9);
        let mut waits_at = verb(&drain(&mut first));
        for (ticket, next) in (1..).zip(&answers[..given]) {
            answer(&mut first, 9, ticket, next.clone());
            waits_at = verb(&drain(&mut first));
        }
        let record = first.record(call(9)).unwrap();

        let mut second = FlowEngine::new([7; 32]);
        second.rebuild(record.clone()).unwrap();
        let said = drain(&mut second);
        assert_eq!(verb(&said), waits_at, "after {given} answers");
        assert_eq!(said.len(), 1, "log lines are not said twice");
        assert_eq!(second.record(call(9)), Some(record));

        // And from there on both go the same way.
        for (ticket, next) in (1..).zip(&answers).skip(given) {
            answer(&mut first, 9, ticket, next.clone());
            answer(&mut second, 9, ticket, next.clone());
            assert_eq!(drain(&mut first), drain(&mut second));
        }
    }
}

#[test]
fn a_record_survives_being_written_down() {
    let mut first = engine(FlowLimits::default(), FLOW);
    start(&mut first, 9);
    answer(&mut first, 9, 1, VerbAnswer::Done);
    let record = first.record(call(9)).unwrap();
    let written = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<FlowRecord>(&written).unwrap(), record);
}

#[test]
fn a_record_that_leads_nowhere_is_refused_and_leaves_nothing() {
    let mut first = engine(FlowLimits::default(), "call:wait(1)");
    start(&mut first, 1);
    let mut record = first.record(call(1)).unwrap();
    record.answers = vec![VerbAnswer::Done, VerbAnswer::Done];
    let mut second = FlowEngine::new([7; 32]);
    assert!(second.rebuild(record.clone()).unwrap_err().text.contains("do not lead to a verb"));
    record.source = "x =".into();
    assert!(second.rebuild(record).unwrap_err().text.contains("unexpected symbol"));
    assert_eq!((drain(&mut second).len(), second.len(), second.poll_timeout()), (0, 0, None));
}

#[test]
fn more_answers_than_are_kept_make_a_call_that_cannot_be_rebuilt() {
    let mut engine = engine(FlowLimits::default(), "while true do call:wait(1) end");
    start(&mut engine, 1);
    for ticket in 1..=cordboard_flow::ANSWERS_MAX as u64 {
        answer(&mut engine, 1, ticket, VerbAnswer::Done);
    }
    assert!(engine.record(call(1)).is_some());
    answer(&mut engine, 1, cordboard_flow::ANSWERS_MAX as u64 + 1, VerbAnswer::Done);
    assert!(engine.record(call(1)).is_none());
    assert_eq!(engine.len(), 1);
}
