//! From a flow's text to a function that runs it in a given environment.

use crate::lexer;
use mlua::chunk::ChunkMode;
use mlua::{Function, Lua};

/// Longest text of a flow, bytes.
pub const SOURCE_MAX: usize = 256 << 10;
/// Longest name of a text in Lua's own messages; Lua cuts at 59.
const CHUNK_MAX: usize = 48;

/// The name of a file's text in Lua's own messages: the file's last part.
pub fn chunk(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    let clean: String = name.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
    let mut start = clean.len().saturating_sub(CHUNK_MAX);
    while !clean.is_char_boundary(start) {
        start += 1;
    }
    let name = &clean[start..];
    if name.is_empty() || format!("={name}") == super::PRELUDE_CHUNK {
        "flow".to_owned()
    } else {
        name.to_owned()
    }
}

/// Compiles a text by itself, as text only; bytecode is refused. Messages call it `chunk`.
pub fn plain(lua: &Lua, source: &str, chunk: &str) -> mlua::Result<Function> {
    let name = format!("={chunk}");
    lua.load(source).set_name(name).set_mode(ChunkMode::Text).into_function()
}

/// The compiled form of a text, with its lines; none if it does not compile.
pub fn alone(source: &str) -> Option<Vec<u8>> {
    let lua = Lua::new_with(mlua::StdLib::NONE, mlua::LuaOptions::default()).ok()?;
    plain(&lua, source, "text").ok().map(|text| text.dump(false))
}

/// What a `return` may begin with that calls the library. Lua forgets the frame of a tail call, and with it
/// the line; such a return is made an ordinary one.
const LIBRARY: [&str; 17] = [
    "call",
    "require",
    "string",
    "table",
    "math",
    "utf8",
    "error",
    "assert",
    "ipairs",
    "next",
    "pairs",
    "print",
    "rawset",
    "setmetatable",
    "tonumber",
    "tostring",
    "select",
];
/// A variable to be closed keeps the frame of its block; `nil` has nothing to close.
const KEEP_FRAME: &str = "local __frame <close> = nil ";

/// The text with [`KEEP_FRAME`] before every `return` that calls the library. Lines stay as they are.
fn with_frames(source: &str) -> String {
    let tokens = lexer::tokens(source);
    let mut out = String::with_capacity(source.len() + 256);
    let mut written = 0;
    for pair in tokens.windows(2) {
        if pair[0].text == "return" && LIBRARY.contains(&pair[1].text) {
            out.push_str(&source[written..pair[0].at]);
            out.push_str(KEEP_FRAME);
            written = pair[0].at;
        }
    }
    out.push_str(&source[written..]);
    out
}

/// Compiles a text into `function(_ENV, ...)`, so that all calls share its code and each has its own
/// environment. The text must compile by itself; then it cannot end the function it is put into.
pub fn factory(lua: &Lua, source: &str, chunk: &str) -> mlua::Result<Function> {
    plain(lua, source, chunk)?;
    let name = format!("={chunk}");
    let wrapped = format!("return function(_ENV, ...) {}\nend", with_frames(source));
    let empty = lua.create_table()?;
    let chunk = lua.load(wrapped).set_name(name).set_mode(ChunkMode::Text).set_environment(empty);
    chunk.into_function()?.call(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_into_the_library_keeps_its_line() {
        assert_eq!(
            with_frames("if x then return call:play('a') end\nreturn f(x) -- return call"),
            "if x then local __frame <close> = nil return call:play('a') end\nreturn f(x) -- return call"
        );
    }

    #[test]
    fn messages_name_the_last_part_of_the_file() {
        assert_eq!(chunk("/etc/flows/main-menu.lua"), "main-menu.lua");
        assert_eq!(chunk(""), "flow");
        assert_eq!(chunk("x/cordboard"), "flow");
        assert_eq!(chunk(&"a".repeat(100)).len(), CHUNK_MAX);
    }
}
