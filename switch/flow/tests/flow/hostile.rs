use crate::world::{failure, logs};
use std::time::Instant;

#[test]
fn quick() {
    println!(
        "{:?}",
        logs("print('hello', 1, nil, true, {}, print) print(#'abc', ('x'):rep(3))")
    );
    for source in [
        "while true do end",
        "local s='x' while true do s = s .. s end",
        "local t={} while true do t[#t+1] = {} end",
        "local function f() return 1 + f() end f()",
        "while true do pcall(function() while true do end end) end",
        "local s = ('a'):rep(30) s:find(('a?'):rep(30)..('a'):rep(30))",
        "local s = string.rep(' ', 60000) for i=1,1e9 do local x = s .. '' end",
        "local s = string.rep(' ', 60000) local f = function() return s | 0 end while true do pcall(f) end",
        "error('boom')",
        "local t = call t:plya()",
        "local x = 0\nwhile true do\nx = x + 1\nx = x * 2\nx = x % 7\nend",
    ] {
        let t = Instant::now();
        let e = failure(source);
        println!("{:?} {e} [{}]", t.elapsed(), e.kind.as_str());
    }
}
