//! A hostile flow costs its own call only: each of these is stopped, its budget is named, and a call that
//! lives in the same machine goes on.

use crate::world::{answer, call, drain, engine, start};
use cordboard_flow::{FlowEngine, FlowError, FlowErrorKind, FlowInput, FlowOutput};
use cordboard_model::config::FlowLimits;
use cordboard_model::time::Time;
use cordboard_model::verb::{Verb, VerbAnswer};

/// A flow that is honest on call 1 and runs `attack` on every other.
fn with_neighbour(attack: &str) -> FlowEngine {
    let source = format!(
        "local kept = 'kept' if call.data.role == nil then call.data.role = 'x' call:answer() call:play(kept) return end\n{attack}"
    );
    let mut engine = engine(FlowLimits::default(), &source);
    start(&mut engine, 1);
    answer(&mut engine, 1, 1, VerbAnswer::Done);
    drain(&mut engine);
    engine
}

/// Runs the attack on call 2 and gives its error; checks that call 1 is alive and well.
fn attacked(attack: &str) -> FlowError {
    let mut engine = with_neighbour(attack);
    let role = [("role".to_owned(), "attacker".into())].into_iter().collect();
    let command = cordboard_flow::FlowCommand::Start {
        call: call(2),
        flow: crate::world::flow_id("main"),
        from: "6".into(),
        to: "6".into(),
        data: role,
    };
    engine.handle_command(command, Time::ZERO).unwrap();
    let mut error = None;
    while let Some(output) = engine.poll_output() {
        match output {
            FlowOutput::Verb { call, ticket, .. } => {
                engine.handle_input(FlowInput::Answer { call, ticket, answer: VerbAnswer::Done }, Time::ZERO);
            }
            FlowOutput::Failed { call: failed, error: why, .. } => {
                assert_eq!(failed, call(2));
                error = Some(why);
            }
            FlowOutput::Ended { call, .. } => panic!("{call} came to a good end: {attack}"),
            FlowOutput::Log { .. } => {}
        }
    }
    assert_eq!(engine.len(), 1, "the attacker is gone, the neighbour is not");
    answer(&mut engine, 1, 2, VerbAnswer::Done);
    let said = drain(&mut engine);
    assert!(matches!(&said[..], [FlowOutput::Verb { verb: Verb::Play { .. }, .. }]), "{said:?}");
    error.expect("the attack was not stopped")
}

#[track_caller]
fn stopped(attack: &str, kind: FlowErrorKind) {
    let error = attacked(attack);
    assert_eq!(error.kind, kind, "{attack}: {error}");
    assert!(error.line >= 2, "{attack}: no line in {error}");
}

#[test]
fn endless_loops_run_out_of_instructions() {
    for attack in [
        "while true do end",
        "repeat until false",
        "for i = 1, math.huge do end",
        "::again:: goto again",
        "local function f() return f() end f()",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end",
    ] {
        stopped(attack, FlowErrorKind::Instructions);
    }
}

#[test]
fn a_spent_budget_cannot_be_caught() {
    for attack in [
        "while true do pcall(function() while true do end end) end",
        "local function f() pcall(f) pcall(f) end f()",
        "local function f() while true do pcall(f) end end f()",
        "xpcall(function() while true do end end, function() while true do end end) while true do end",
        "while true do xpcall(error, function(e) error(e) end, 'x') end",
        "pcall(string.rep, 'x', -1) while true do pcall(pcall, pcall, error) end",
    ] {
        stopped(attack, FlowErrorKind::Instructions);
    }
    // Each error costs memory as well, so either budget may be the first to go.
    let error = attacked("while true do pcall(error) pcall(function() local x = nil + 1 end) end");
    assert!(error.kind.is_budget(), "{error}");
}

#[test]
fn a_memory_error_cannot_be_caught() {
    for attack in [
        "while true do pcall(string.rep, 'x', 1e9) end",
        "local s = 'x' pcall(function() while true do s = s .. s end end) while true do end",
    ] {
        stopped(attack, FlowErrorKind::Memory);
    }
}

#[test]
fn whichever_budget_is_the_first_to_go_is_final() {
    // What a flow makes large makes its instructions dear, so either may be the first.
    let error =
        attacked("local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end");
    assert!(error.kind.is_budget(), "{error}");
}

#[test]
fn closing_variables_do_not_outlive_the_budget() {
    for attack in [
        "local function mk() local x <close> = setmetatable({}, {__close = mk}) while true do end end mk()",
        "local mt = {} mt.__close = function() while true do end end while true do pcall(function() local a <close> = setmetatable({}, mt) error('x') end) end",
        "local mt = {} local function mk() local a <close> = setmetatable({}, mt) local b <close> = setmetatable({}, mt) error('x') end mt.__close = function() pcall(mk) pcall(mk) end pcall(mk) while true do end",
        "local mt = {} mt.__close = function() while true do end end for i in next, {}, nil, setmetatable({}, mt) do end while true do end",
    ] {
        let error = attacked(attack);
        assert!(error.kind.is_budget(), "{attack}: {error}");
    }
}

#[test]
fn bombs_run_out_of_memory() {
    for attack in [
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "string.rep('x', 1e9)",
        "string.rep('', 1e15, 'xyz')",
        "local s = string.rep('x', 500000) local t = {} for i = 1, 100 do t[i] = s .. i end",
        "local function f() return 1 + f() end f()",
        "local t = {} for i = 1, 1e6 do t[i] = 'xxxxxxxxxxxxxxxxxxxxxxx' end return table.concat(t)",
        "local s = string.rep('a', 100000) string.gsub(s, '', string.rep('b', 1000))",
        "local f f = function(...) return f(1, ...) end f()",
        "local s = string.rep('%99d', 9999) string.format(s, 1)",
    ] {
        let error = attacked(attack);
        assert!(
            matches!(
                error.kind,
                FlowErrorKind::Memory | FlowErrorKind::Runtime | FlowErrorKind::Instructions
            ),
            "{attack}: {error}"
        );
    }
    stopped("local t while true do t = {t} end", FlowErrorKind::Memory);
    stopped("string.rep('x', 1e9)", FlowErrorKind::Memory);
    stopped("local function f() return 1 + f() end f()", FlowErrorKind::Memory);
}

/// A refused allocation makes the collector clear the whole machine and try again. A flow whose looks at the
/// budget always fell at the same point of that cycle went on for a tenth of a second beside 63 calls; the
/// sentinel of the meter tells that it happened.
#[test]
fn garbage_made_in_step_with_the_looks_is_found() {
    for body in ["local x = s .. 'a'", "local x = s .. s", "local x = ('y'):rep(300000) .. 'z'"] {
        stopped(&format!("local s = ('x'):rep(200000) while true do {body} end"), FlowErrorKind::Memory);
    }
}

#[test]
fn library_functions_cannot_stall_inside() {
    for attack in [
        "string.rep('', 1e15) while true do end",
        "local s = ('a'):rep(30) s:find(('a?'):rep(30) .. ('a'):rep(30))",
        "local s = ('a'):rep(20000) s:match('.-.-.-.-b')",
        "local s = ('('):rep(20000) s:gsub('%b()', '')",
        "local s = ('a'):rep(60000) while true do s:find('b', 1, true) end",
        "local t = {} for i = 1, 5000 do t[i] = i end while true do table.sort(t, function() return true end) end",
        "local t = {} for i = 1, 2000 do t['k' .. i] = i end while true do for k in pairs(t) do break end end",
        "local t = {} for i = 1, 2000 do t['k' .. i] = i end while true do next(t) end",
        "table.concat({}, 'x', 1, 1e15)  local t = setmetatable({}, {__len = function() return 1e15 end}) table.insert(t, 1, 2)",
        "local s = (' '):rep(60000) while true do pcall(function() return s | 0 end) end",
        "local a, b = (' '):rep(60000) .. 'x', (' '):rep(60000) .. 'x' while true do local c = a == b end",
        "table.move({}, 1, 1e15, 2)",
    ] {
        let error = attacked(attack);
        assert!(error.kind.is_budget() || error.kind == FlowErrorKind::Runtime, "{attack}: {error}");
    }
}

#[test]
fn metatables_of_the_library_are_out_of_reach() {
    for (attack, want) in [
        ("setmetatable(string, {})", "cannot change a protected metatable"),
        ("setmetatable(_G, {})", "cannot change a protected metatable"),
        ("setmetatable(call, {})", "cannot change a protected metatable"),
        ("setmetatable(call.data, {})", "cannot change a protected metatable"),
        ("getmetatable('').__index = nil", "attempt to index a boolean value"),
        ("string.upper = nil", "string is part of the library and cannot be changed"),
        ("table.insert(math, 1, 2)", "math is part of the library and cannot be changed"),
        ("rawset(string, 'upper', 1)", "cannot rawset into a protected table"),
        ("rawset(_G, 'x', 1)", "cannot rawset into a protected table"),
        ("setmetatable({}, {__gc = function() end})", "'__gc' is not available to flows"),
        ("setmetatable({}, {__mode = 'k'})", "'__mode' is not available to flows"),
        ("call.play = 1", "call.play cannot be set; keep values in variables or in call.data"),
        ("setmetatable('x', {})", "bad argument #1 to 'setmetatable' (table expected, got string)"),
        (
            "local t = setmetatable({}, {__metatable = 1}) setmetatable(t, {})",
            "cannot change a protected metatable",
        ),
    ] {
        let error = attacked(attack);
        assert_eq!(error.kind, FlowErrorKind::Runtime, "{attack}: {error}");
        assert!(error.text.contains(want), "{attack}: {error}");
    }
}

#[test]
fn what_a_flow_throws_is_read_without_running_it_unbounded() {
    stopped(
        "error(setmetatable({}, {__tostring = function() while true do end end}))",
        FlowErrorKind::Instructions,
    );
    let error = attacked("error(setmetatable({}, {__tostring = function() error('again') end}))");
    assert_eq!(error.text, "an error object was raised (a table)");
    let error = attacked("error(setmetatable({}, {__tostring = function() return 'mine' end}))");
    assert_eq!(error.text, "mine");
    assert_eq!(attacked("error()").text, "an error without a message (nil) was raised");
    assert_eq!(attacked("error({})").text, "an error object was raised (a table)");
    assert_eq!(
        attacked("local function f() local x = f() + 1 return x end pcall(f) error('x', 0)").kind,
        FlowErrorKind::Memory
    );
}

#[test]
fn steps_that_cost_nothing_are_counted() {
    stopped("while true do print('x') end", FlowErrorKind::Verbs);
    stopped("while true do call.data.x = 'y' end", FlowErrorKind::Instructions);
    stopped("while true do pcall(function() call:wait(1) end) end", FlowErrorKind::Verbs);
    stopped("while true do call.data.x = nil pcall(print, call.data.x) end", FlowErrorKind::Instructions);
}

#[test]
fn memory_kept_over_many_steps_is_found() {
    stopped(
        "local kept = {} while true do kept[#kept + 1] = ('x'):rep(100000) .. #kept call:wait(1) end",
        FlowErrorKind::Memory,
    );
}

#[test]
fn garbage_over_many_steps_is_not_held_against_a_flow() {
    let source = "for i = 1, 400 do local s = ('x'):rep(100000) .. i call:wait(1) end";
    let (_, error) = crate::world::run_with(FlowLimits::default(), source);
    assert_eq!(error, None);
}

#[test]
fn many_honest_calls_beside_a_hoarder_are_left_alone() {
    let source = "local kept = {}\nlocal hoards = call.from == '6'\nfor i = 1, 60 do local t = {} for j = 1, 20 do t[j] = {i, j} end\nif hoards then kept[#kept + 1] = ('x'):rep(200000) .. i end call:wait(1) end";
    let mut engine = engine(FlowLimits::default(), source);
    for number in 1..=40 {
        let from = if number == 20 { "6" } else { "1" };
        let command = cordboard_flow::FlowCommand::Start {
            call: call(number),
            flow: crate::world::flow_id("main"),
            from: from.into(),
            to: "1".into(),
            data: Default::default(),
        };
        engine.handle_command(command, Time::ZERO).unwrap();
    }
    let (mut ended, mut failed) = (0, Vec::new());
    while let Some(output) = engine.poll_output() {
        match output {
            FlowOutput::Verb { call, ticket, .. } => {
                engine.handle_input(FlowInput::Answer { call, ticket, answer: VerbAnswer::Done }, Time::ZERO);
            }
            FlowOutput::Failed { call, error, .. } => failed.push((call.number, error.kind)),
            FlowOutput::Ended { .. } => ended += 1,
            FlowOutput::Log { .. } => {}
        }
    }
    assert_eq!((ended, failed), (39, vec![(20, FlowErrorKind::Memory)]));
}
