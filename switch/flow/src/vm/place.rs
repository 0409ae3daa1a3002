//! Where a flow is: the innermost line of the flow's own text, whatever library function runs below it.

use super::PRELUDE_CHUNK;
use mlua::Lua;
use mlua::debug::Debug;

/// How deep the stack is searched; library functions nest less than this.
const DEPTH: usize = 24;

/// The line being run in the frame at `level`, if that frame is the flow's own text.
pub fn line_of_level(lua: &Lua, level: usize) -> Option<u32> {
    lua.inspect_stack(level, line_of).flatten()
}

/// The line being run in a frame, if it is of the flow's own text.
pub fn line_of(frame: &Debug<'_>) -> Option<u32> {
    let source = frame.source();
    let name = source.source.as_deref()?;
    if name == "=[C]" || name == PRELUDE_CHUNK {
        return None;
    }
    frame.current_line().and_then(|line| u32::try_from(line).ok())
}

/// The innermost line of the flow.
pub fn line(lua: &Lua) -> Option<u32> {
    (0..DEPTH).find_map(|level| line_of_level(lua, level))
}
