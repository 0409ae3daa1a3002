//! Where a flow is: the innermost line of the call's own texts, whatever library function runs below it.

use super::PRELUDE_CHUNK;
use mlua::Lua;
use mlua::debug::Debug;
use std::rc::Rc;

/// How deep the stack is searched; library functions nest less than this.
const DEPTH: usize = 24;

/// A line of one of a call's texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which of the call's texts; the one it began with is 0.
    pub text: usize,
    /// Counted from one; 0 if unknown.
    pub line: u32,
}

impl Place {
    /// Whether a line is known.
    pub fn is_known(self) -> bool {
        self.line > 0
    }
}

/// One of a call's texts: how Lua's messages call it, and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Unique among the texts of the call.
    pub name: Rc<str>,
    /// The version of the text.
    pub version: u64,
}

/// The texts of one call in the order in which it took them in; the one it began with is the first.
#[derive(Clone, Debug, Default)]
pub struct Chunks(Vec<Chunk>);

impl Chunks {
    /// Where the version stands, if the call has taken it in.
    pub fn of_version(&self, version: u64) -> Option<usize> {
        self.0.iter().position(|chunk| chunk.version == version)
    }

    /// Takes in a text. Of two with one name the later gets its place behind the name.
    pub fn add(&mut self, name: String, version: u64) -> usize {
        let at = self.0.len();
        let taken = self.0.iter().any(|chunk| *chunk.name == *name);
        let name = if taken { format!("{name}({})", at + 1) } else { name };
        self.0.push(Chunk { name: name.into(), version });
        at
    }

    /// One of them.
    pub fn get(&self, at: usize) -> Option<&Chunk> {
        self.0.get(at)
    }

    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &Chunk> {
        self.0.iter()
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|chunk| *chunk.name == *name)
    }

    /// Splits `name:line: rest` of a message of Lua's.
    pub fn strip<'a>(&self, text: &'a str) -> Option<(Place, &'a str)> {
        self.0.iter().enumerate().find_map(|(at, chunk)| {
            let (line, rest) = super::raised::strip_place(text, &chunk.name)?;
            Some((Place { text: at, line }, rest))
        })
    }

    /// A place as Lua would write it before a message.
    pub fn written(&self, place: Place) -> Option<String> {
        let name = self.get(place.text).map(|chunk| &chunk.name)?;
        place.is_known().then(|| format!("{name}:{}: ", place.line))
    }
}

/// The line being run in a frame, if it is of one of these texts.
pub fn of(frame: &Debug<'_>, chunks: &Chunks) -> Option<Place> {
    let source = frame.source();
    let name = source.source.as_deref()?;
    if name == "=[C]" || name == PRELUDE_CHUNK {
        return None;
    }
    let text = chunks.named(name.strip_prefix('=')?)?;
    let line = frame.current_line().and_then(|line| u32::try_from(line).ok())?;
    Some(Place { text, line })
}

/// The innermost line of these texts.
pub fn innermost(lua: &Lua, chunks: &Chunks) -> Option<Place> {
    (0..DEPTH).find_map(|level| lua.inspect_stack(level, |frame| of(frame, chunks)).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_texts_with_one_name_the_later_has_its_place_behind_it() {
        let mut chunks = Chunks::default();
        assert_eq!(chunks.add("menu.lua".into(), 7), 0);
        assert_eq!(chunks.add("menu.lua".into(), 9), 1);
        assert_eq!(chunks.get(1).map(|chunk| &*chunk.name), Some("menu.lua(2)"));
        assert_eq!(chunks.strip("menu.lua(2):3: x"), Some((Place { text: 1, line: 3 }, "x")));
        assert_eq!(chunks.strip("menu.lua:4: x"), Some((Place { text: 0, line: 4 }, "x")));
        assert_eq!(chunks.strip("other.lua:4: x"), None);
        assert_eq!(chunks.written(Place { text: 1, line: 3 }).as_deref(), Some("menu.lua(2):3: "));
        assert_eq!(chunks.of_version(9), Some(1));
    }
}
