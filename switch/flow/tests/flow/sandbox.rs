//! What a flow can see, and that it leaves nothing behind.

use crate::world::{drain, engine, failure, finish, logs, start};
use cordboard_flow::FlowOutput;
use cordboard_model::config::FlowLimits;

#[test]
fn nothing_that_reaches_the_machine_is_there() {
    let names = "io os debug package load loadstring loadfile dofile collectgarbage coroutine bit32 unpack setfenv getfenv module newproxy";
    let source =
        format!("for name in ('{names}'):gmatch('%a+%d*') do if _G[name] ~= nil then print(name) end end");
    assert_eq!(logs(&source), [""; 0]);
    assert_eq!(
        logs("print(string.dump, string.pack, string.unpack, string.packsize, math.pow, warn)"),
        ["nil\tnil\tnil\tnil\tnil\tnil"]
    );
}

#[test]
fn exactly_these_names_are_there() {
    // A name that appears here was thought about; see the invariant of the sandbox.
    let source = "local names = {} for _, name in ipairs{'_G', '_VERSION', 'assert', 'error', 'getmetatable', 'ipairs', 'next', 'pairs', 'pcall', 'print', 'rawequal', 'rawget', 'rawlen', 'rawset', 'require', 'select', 'setmetatable', 'tonumber', 'tostring', 'type', 'xpcall', 'call', 'math', 'string', 'table', 'utf8'} do if _G[name] == nil then print(name) end end";
    assert_eq!(logs(source), [""; 0]);
}

#[test]
fn a_call_leaves_nothing_to_the_next() {
    let mut engine = engine(
        FlowLimits::default(),
        "print(seen, _G.seen, rawget(_G, 'seen'), #kept) seen = true _G.other = 1 kept[1] = 1"
            .replace("#kept", "kept == nil and 'none' or 'some'")
            .replace("kept[1] = 1", "kept = {} tostring = nil print = nil")
            .as_str(),
    );
    for number in 1..=3 {
        start(&mut engine, number);
        let (logs, error) = finish(&mut engine, number);
        assert_eq!((logs, error), (vec!["nil\tnil\tnil\tnone".to_owned()], None), "call {number}");
    }
}

#[test]
fn two_calls_at_a_time_do_not_see_each_other() {
    let mut engine =
        engine(FlowLimits::default(), "mine = call.from .. 'x' call:wait(1) print(mine) mine = nil");
    start(&mut engine, 1);
    start(&mut engine, 2);
    let first = drain(&mut engine);
    assert_eq!(first.len(), 2);
    for number in [2, 1] {
        crate::world::answer(&mut engine, number, 1, cordboard_model::verb::VerbAnswer::Done);
        let said = drain(&mut engine);
        assert!(matches!(&said[0], FlowOutput::Log { text, .. } if text == "1001x"), "{said:?}");
    }
}

#[test]
fn no_address_is_shown() {
    let said = logs(
        "print({}, print, call, string, function() end)\n\
         print(tostring({}), tostring(print), string.format('%s %s %10s', {}, print, call))\n\
         print(select(2, pcall(error, {})), setmetatable({}, {__name = 'thing'}))\n\
         print(('%s'):format(call.data), _G)",
    );
    for line in &said {
        assert!(!line.contains("0x") && !line.contains(": "), "{line}");
    }
    assert_eq!(said[2], "table\tthing");
    assert!(failure("string.format('%p', {})").text.contains("would show an address"));
    for source in [
        "local x = {} + 1",
        "local x = {} .. 'a'",
        "local x = {} < {}",
        "local x = #print",
        "local t = {} t.x.y = 1",
        "print()()",
        "local x <const> = setmetatable({}, {__index = 5}) print(x.y)",
    ] {
        let error = failure(source);
        assert!(!error.text.contains("0x"), "{error}");
    }
}

#[test]
fn pairs_and_next_have_an_order() {
    let said = logs(
        "local t = {z = 1, a = 2, [3] = 3, [1] = 1, [2.5] = 2.5, [-1] = 0, [true] = 't', B = 4, ['10'] = 5}\n\
         local list = {} for k, v in pairs(t) do list[#list + 1] = tostring(k) .. '=' .. tostring(v) end print(table.concat(list, ' '))\n\
         local k, list = nil, {} repeat k = next(t, k) list[#list + 1] = tostring(k) until k == nil print(table.concat(list, ' '))\n\
         print(next({}), next({7}))",
    );
    assert_eq!(
        said,
        ["-1=0 1=1 2.5=2.5 3=3 10=5 B=4 a=2 z=1 true=t", "-1 1 2.5 3 10 B a z true nil", "nil\t1\t7"]
    );
    assert!(
        failure("for k in pairs{[{}] = 1} do end")
            .text
            .contains("a table with a table as a key has no order")
    );
}

#[test]
fn a_table_may_change_while_it_is_listed() {
    let said =
        logs("local t = {a = 1, b = 2, c = 3} for k in pairs(t) do t[k] = nil t.c = nil end print(next(t))");
    assert_eq!(said, ["nil"]);
}

#[test]
fn pcall_gives_text_and_the_flow_goes_on() {
    let said = logs(
        "print(pcall(error, 'x'))\n\
         print(pcall(function() error('y') end))\n\
         print(pcall(function() local x = nil + 1 end))\n\
         print(pcall(function() call:enqueue('q', {timout = 1}) end))\n\
         print(pcall(function() return call['plya'] end))\n\
         print(select('#', pcall(function() return 1, nil, 3 end)))\n\
         print(xpcall(function() error('z', 0) end, function(e) return 'handled ' .. e end))\n\
         print(xpcall(function() error('z', 0) end, function(e) error('w', 0) end))\n\
         print(pcall(string.rep))\n\
         print(type(select(2, pcall(string.rep))))",
    );
    assert_eq!(
        said,
        [
            "false\tx",
            "false\tmain.lua:2: y",
            "false\tmain.lua:3: attempt to perform arithmetic on a nil value",
            "false\tmain.lua:4: enqueue: unknown option 'timout'; did you mean 'timeout'?",
            "false\tmain.lua:5: call has no verb 'plya'; did you mean 'play'?",
            "4",
            "false\thandled z",
            "false\tw",
            "false\tmain.lua:9: bad argument #1 to 'rep' (string expected, got no value)",
            "string",
        ]
    );
}

#[test]
fn verbs_work_inside_pcall_sort_gsub_and_metamethods() {
    let said = logs(
        "pcall(function() call:wait(1) print('pcall') end)\n\
         local t = {2, 1} table.sort(t, function(a, b) call:wait(1) return a < b end) print(t[1])\n\
         print((('ab'):gsub('.', function(c) call:wait(1) return c:upper() end)))\n\
         print(tostring(setmetatable({}, {__tostring = function() call:wait(1) return 'told' end})))\n\
         print(setmetatable({}, {__index = function(_, k) call:wait(1) return k end}).key)\n\
         for w in ('a b'):gmatch('%a') do call:wait(1) print(w) end",
    );
    assert_eq!(said, ["pcall", "1", "AB", "told", "key", "a", "b"]);
}
