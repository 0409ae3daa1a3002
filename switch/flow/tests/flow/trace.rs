//! The same seed gives the same trace in two processes, whose addresses and hash seeds differ.

use crate::world::{call, engine, start};
use cordboard_flow::{FlowInput, FlowOutput, script};
use cordboard_model::config::FlowLimits;
use cordboard_model::time::Time;
use cordboard_model::verb::VerbAnswer;
use std::process::Command;

const PRINT: &str = "CORDBOARD_FLOW_TEST_TRACE";
const MARK: &str = "trace> ";

const FLOW: &str = "local t = {}\n\
    for i = 1, 50 do t['key' .. math.random(10000)] = i end\n\
    for k, v in pairs(t) do print(k, v) end\n\
    print(next(t), {}, print, call, tostring(_G), string.format('%s %s', {}, t))\n\
    print(select(2, pcall(function() return {} + 1 end)), select(2, pcall(error, {})), math.random())\n\
    local words = {} for w in ('the quick brown fox jumps'):gmatch('%a+') do words[#words + 1] = w end\n\
    table.sort(words, function(a, b) return #a < #b end) print(table.concat(words, ' '))\n\
    call:wait(math.random(100))\n\
    for k in pairs(_G) do print(k) end\n\
    call:play('p' .. math.random(1000))\n\
    local s = '' while true do s = s .. next(t) end";

fn trace() -> Vec<String> {
    let mut engine = engine(FlowLimits::default(), FLOW);
    for number in 1..=3 {
        start(&mut engine, number);
    }
    let mut lines = Vec::new();
    while let Some(output) = engine.poll_output() {
        let line = match &output {
            FlowOutput::Verb { call, ticket, verb } => {
                engine.handle_input(
                    FlowInput::Answer { call: *call, ticket: *ticket, answer: VerbAnswer::Done },
                    Time::ZERO,
                );
                format!("{} verb {ticket} {}", call.number, script::line(verb))
            }
            FlowOutput::Log { call, text, line, .. } => format!("{} log {line} {text}", call.number),
            FlowOutput::Ended { call, .. } => format!("{} ended", call.number),
            FlowOutput::Failed { call, error, .. } => format!("{} failed {error}", call.number),
        };
        lines.push(line);
    }
    lines
}

#[test]
fn the_same_seed_gives_the_same_trace_in_two_processes() {
    let here = trace();
    if std::env::var_os(PRINT).is_some() {
        here.iter().for_each(|line| println!("{MARK}{line}"));
        return;
    }
    assert!(
        here.len() > 100 && here.iter().any(|line| line.contains("failed flows/main.lua:11:")),
        "{here:#?}"
    );
    for _ in 0..2 {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "trace::the_same_seed_gives_the_same_trace_in_two_processes", "--nocapture"])
            .env(PRINT, "1")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let there: Vec<&str> =
            text.lines().filter_map(|line| line.split_once(MARK).map(|(_, rest)| rest)).collect();
        assert_eq!(there, here);
    }
}

#[test]
fn another_call_draws_other_numbers() {
    let mut engine = engine(FlowLimits::default(), "print(math.random(1000000000))");
    let mut drawn = Vec::new();
    for number in [1, 2] {
        start(&mut engine, number);
        let Some(FlowOutput::Log { text, .. }) = engine.poll_output() else { panic!("{}", call(number)) };
        drawn.push(text);
        engine.poll_output();
    }
    assert_ne!(drawn[0], drawn[1]);
}
