//! The library does what the reference manual says: the same script in the plain machine and as a flow.

use crate::world::run_with;
use cordboard_model::config::FlowLimits;
use cordboard_model::time::Duration;
use mlua::Lua;
use std::cell::RefCell;
use std::rc::Rc;

/// What the reference implementation prints.
fn reference(source: &str) -> Vec<String> {
    let lua = Lua::new();
    let lines = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&lines);
    let print = lua
        .create_function(move |lua, args: mlua::MultiValue| {
            let tostring: mlua::Function = lua.globals().get("tostring")?;
            let texts: Vec<String> =
                args.into_iter().map(|v| tostring.call::<String>(v)).collect::<mlua::Result<_>>()?;
            keep.borrow_mut().push(texts.join("\t"));
            Ok(())
        })
        .unwrap();
    lua.globals().set("print", print).unwrap();
    lua.load(source).set_name("=main.lua").exec().unwrap();
    lines.take()
}

#[track_caller]
fn same(source: &str) {
    let limits = FlowLimits {
        instructions: 500_000_000,
        memory: 64 << 20,
        wall: Duration::from_secs(1),
        verbs: 100_000,
        ..FlowLimits::default()
    };
    let (lines, error) = run_with(limits, source);
    assert_eq!(error.map(|e| e.to_string()), None, "after {lines:?}");
    assert_eq!(lines, reference(source));
}

#[test]
fn strings_agree() {
    same(
        "print(('hello'):find('l'), ('hello'):find('xyz'), ('hello'):find(''), ('hello'):find('', 10), ('hello'):find('l', -2))\n\
         print(('a.b'):find('.', 1, true), ('a.b'):find('%.'), ('key = value'):match('^(%w+)%s*=%s*(%w+)$'))\n\
         print(('hello'):match('(h)(.)()'), ('hello'):match('.-(l+)'), ('  x '):match('^%s*(.-)%s*$'), (''):match('.*'))\n\
         print(('hello world'):gsub('o', '0'), ('hello'):gsub('', '-'), ('abc'):gsub('%w', '%0%0'), ('abc'):gsub('(a)(b)', '%2%1'))\n\
         print(('hello'):gsub('l', {l = 'L'}), ('hello'):gsub('.', {h = 1, e = false}), ('abc'):gsub('%w', '%%'))\n\
         print(('hello'):gsub('l', function(c) return nil end), ('hello'):gsub('(h)(e)', function(a, b) return b .. a end))\n\
         print(('aaa'):gsub('a', 'b', 2), ('aaa'):gsub('^a', 'b'), ('abc'):gsub('b*', 'x'), ('x'):gsub('x', '%1'))\n\
         print(('()'):gsub('()', '%1'), ('abc'):gsub('()', function(p) return p end))\n\
         for a, b in ('k=v, x=y'):gmatch('(%w)=(%w)') do print(a, b) end\n\
         for w in ('abc'):gmatch('') do print('<' .. w .. '>') end\n\
         for p in ('a,b'):gmatch('()') do print(p) end\n\
         for w in ('one two three'):gmatch('%a+', 4) do print(w) end\n\
         for w in ('one two'):gmatch('%a+', -3) do print(w) end\n\
         print(('x'):rep(3), ('x'):rep(3, ','), ('x'):rep(0), ('x'):rep(-1), (''):rep(100), ('ab'):rep(1, 'x'))\n\
         print(('hello'):sub(2, -2), ('hello'):byte(1, -1), string.char(72, 105), ('abc'):reverse(), ('aBc'):upper(), #'abc')\n\
         print(string.format('%5d|%-5d|%05.1f|%x|%X|%g|%e|%q|%s|%10s|%-10s|%c|%%|%i|%o', 42, 42, 3.14159, 255, 255, 0.1, 12345.678, 'a\\tb', 'str', 'right', 'left', 65, 7, 8))\n\
         print(string.format('%s %s %s %.3s', nil, true, 1.5, 'abcdef'), string.format('%d', '10'), string.format('%.14g', 2^53))\n\
         print(('10' + 5), ('3' * '4'), (10 .. 20), -'2', '7' // 2, '2' ^ 3, '7' % 4, 10 - '1', 7 / '2')",
    );
}

#[test]
fn wrong_uses_of_strings_agree_in_their_words() {
    same(
        "local function try(...) print((select(2, pcall(...)):gsub('^[^:]+:%d+: ', ''):gsub(\"'string%.\", \"'\"))) end\n\
         try(string.rep) try(string.find, 'a') try(string.find, 'a', '[') try(string.match, 'a', '%') try(string.gsub, 'a', 'a', '%2')\n\
         try(string.gsub, 'a', '(', 'x') try(string.find, 'a', '%1') try(string.rep, 'a', 1.5) try(string.gsub, 'a', 'a', '%x')\n\
         try(string.match, 'a', '%f') try(string.rep, 'x', {}) try(setmetatable, 1, {}) try(string.find, {}, 'x')\n\
         try(table.concat, {1, {}, 3}) try(string.format, '%d', 'x')",
    );
}

#[test]
fn tables_agree() {
    same(
        "local t = {5, 2, 8, 1} table.sort(t) print(table.concat(t, ',')) table.sort(t, function(a, b) return a > b end) print(table.concat(t, ','))\n\
         local t = {} for i = 1, 200 do t[i] = (i * 7919) % 211 end table.sort(t) print(table.concat(t, ' '))\n\
         local t = {'b', 'a', 'c'} table.insert(t, 'd') table.insert(t, 1, 'x') print(table.concat(t)) print(table.remove(t, 1), table.remove(t), table.concat(t))\n\
         print(table.remove({}), table.unpack({1, 2, 3}), table.unpack({1, 2, 3}, 2), table.unpack({1, 2}, 1, 3))\n\
         print(table.pack(1, nil, 3).n, select('#', nil, nil), select(-1, 1, 2, 3), select(2, 'a', 'b', 'c'))\n\
         print(table.concat(table.move({1, 2, 3}, 1, 3, 2), ','), table.concat(table.move({1, 2, 3}, 2, 3, 1), ','), table.concat(table.move({1, 2}, 1, 2, 3, {9, 9}), ','))\n\
         print(table.concat({}), table.concat({1, 2.5, 'x'}, '-'), table.concat({1, 2, 3}, ',', 2, 3), #{1, 2, nil}, rawlen({1, 2}), rawequal(t, t), rawget({a = 1}, 'a'))\n\
         for i, v in ipairs({1, 2, nil, 4}) do print(i, v) end\n\
         local seen = {} for i, v in ipairs(setmetatable({}, {__index = function(_, i) if i < 4 then return i * i end end})) do seen[#seen + 1] = v end print(table.concat(seen, ','))\n\
         local p = setmetatable({}, {__pairs = function() return function(_, k) if not k then return 1, 2 end end, nil, nil end}) for k, v in pairs(p) do print(k, v) end",
    );
}

#[test]
fn numbers_and_the_rest_agree() {
    same(
        "print(math.floor(3.7), math.ceil(3.2), math.max(1, 5, 3), math.min(2, 0), math.abs(-3), math.pi, math.huge, -math.huge, math.sqrt(16), math.fmod(7, 3), math.tointeger(3.0), math.type(1), math.type(1.0), math.ult(1, -1), 7 // 2, 7 % -3, 2^10, 1e15, 1e100, 10 / 2, 3 | 4, 5 & 6, ~0, 1 << 4, 0x10)\n\
         print(tostring(1), tostring(1.0), tostring(-0.0), tostring(nil), tostring(true), tonumber('0x1F'), tonumber('z', 36), tonumber('abc'), tonumber(' 12 '), tonumber('1e1'), math.maxinteger + 1 == math.mininteger)\n\
         print(utf8.char(228, 8364), utf8.len('äö'), utf8.codepoint('ä'), utf8.offset('aäb', 3)) for p, c in utf8.codes('aä') do print(p, c) end\n\
         print(type(print), type(nil), type({}), type('x'), type(2), pcall(error), select(2, pcall(error, nil)), assert(1, 2))\n\
         print(setmetatable({}, {__call = function(_, x) return x end})(5), setmetatable({}, {__add = function() return 'sum' end}) + 1, 1 + setmetatable({}, {__add = function() return 'mus' end}), '1' + setmetatable({}, {__add = function() return 'str' end}))\n\
         print(#setmetatable({}, {__len = function() return 9 end}), setmetatable({}, {__eq = function() return true end}) == setmetatable({}, {}), setmetatable({}, {__concat = function() return 'cc' end}) .. 'x', tostring(setmetatable({}, {__tostring = function() return 'ts' end})))\n\
         local C = {} C.__index = C function C.new(x) return setmetatable({x = x}, C) end function C:get() return self.x end print(C.new(3):get(), getmetatable(C.new(1)) == C)\n\
         goto done do print('skipped') end ::done:: print('done') local x <const> = 1 print(x) print((function(...) return select('#', ...) end)(nil, nil))\n\
         print(pcall(function() local t = nil; return t.x end)) print(pcall(function() return 1 < 'x' end)) print(pcall(function() undefined() end))\n\
         do local closed = {} do local a <close> = setmetatable({}, {__close = function() closed[1] = 'closed' end}) end print(closed[1]) end",
    );
}

#[test]
fn random_numbers_keep_their_ranges() {
    let source = "for i = 1, 2000 do local r = math.random() assert(r >= 0 and r < 1) local d = math.random(6) assert(d >= 1 and d <= 6 and math.type(d) == 'integer') local n = math.random(-3, 3) assert(n >= -3 and n <= 3) end\n\
        local seen = {} for i = 1, 200 do seen[math.random(4)] = true end assert(seen[1] and seen[2] and seen[3] and seen[4])\n\
        assert(math.type(math.random(0)) == 'integer') assert(math.random(5, 5) == 5) assert(math.random(math.mininteger, math.maxinteger))\n\
        math.randomseed(42) local a, b = math.random(1000), math.random(1000) math.randomseed(42) assert(a == math.random(1000) and b == math.random(1000))\n\
        print(pcall(math.random, 0, -1)) print(pcall(math.random, 1, 2, 3))";
    let (lines, error) = run_with(FlowLimits::default(), source);
    assert_eq!(error, None);
    assert_eq!(
        lines,
        [
            "false\tmain.lua:5: bad argument #2 to 'random' (interval is empty)",
            "false\tmain.lua:5: wrong number of arguments to 'random'"
        ]
    );
}
