//! What was seen of flows that ran at the test bench: their lines, their menus, the way they went.
//!
//! Only an engine that [watches](crate::FlowEngine::watch) keeps this; in the switch nothing is.

use crate::lexer::{self, Token};
use crate::vm::compile;
use std::collections::{BTreeMap, BTreeSet};

/// A line of a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The text's file.
    pub file: String,
    /// Counted from one.
    pub line: u32,
}

/// What became of a try at a menu: the key's choice, [`WRONG`] or [`NONE`].
pub type Branch = String;

/// The branch of a key without a choice.
pub const WRONG: &str = "wrong key";
/// The branch of a caller who pressed nothing.
pub const NONE: &str = "no key";

/// A step on the way of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// A verb was asked for.
    Verb(At, String),
    /// What became of it, in a word; nothing if that is plain.
    Answer(String),
    /// A menu was answered.
    Choice(At, Branch),
}

/// What was seen of one or more calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The lines that ran, by file.
    pub lines: BTreeMap<String, BTreeSet<u32>>,
    /// The menus that were asked, with their branches.
    pub menus: BTreeMap<At, BTreeSet<Branch>>,
    /// The branches that were taken.
    pub taken: BTreeMap<At, BTreeSet<Branch>>,
    /// The way, in its order.
    pub way: Vec<Passed>,
}

impl Seen {
    /// Adds what was seen of another call; its way begins a new one and is not kept.
    pub fn add(&mut self, other: Seen) {
        for (file, lines) in other.lines {
            self.lines.entry(file).or_default().extend(lines);
        }
        for (into, from) in [(&mut self.menus, other.menus), (&mut self.taken, other.taken)] {
            for (at, branches) in from {
                into.entry(at).or_default().extend(branches);
            }
        }
    }

    pub(crate) fn note(&mut self, passed: Passed) {
        if let Passed::Choice(at, branch) = &passed {
            self.taken.entry(at.clone()).or_default().insert(branch.clone());
        }
        self.way.push(passed);
    }
}

/// How much of a text ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Lines that can run.
    pub lines: BTreeSet<u32>,
    /// Those that did not.
    pub not_run: BTreeSet<u32>,
    /// How many branches the menus that were asked have, and one for each menu that was not.
    pub branches: usize,
    /// The branches that were not taken, with the line of their menu; one without a name for a menu that was not asked.
    pub not_taken: Vec<(u32, Option<Branch>)>,
}

/// How much of a text ran, by what was seen of it.
pub fn coverage(file: &str, source: &str, seen: &Seen) -> Coverage {
    let tokens = lexer::tokens(source);
    let lines = lines(source, &tokens);
    let none = BTreeSet::new();
    let ran = seen.lines.get(file).unwrap_or(&none);
    let mut coverage =
        Coverage { not_run: lines.difference(ran).copied().collect(), lines, ..Coverage::default() };
    for (at, branches) in seen.menus.iter().filter(|(at, _)| at.file == file) {
        let taken = seen.taken.get(at).unwrap_or(&none_taken()).clone();
        coverage.branches += branches.len();
        let left = branches.difference(&taken).map(|branch| (at.line, Some(branch.clone())));
        coverage.not_taken.extend(left);
    }
    let asked = |line: &u32| seen.menus.keys().any(|at| at.file == file && at.line == *line);
    for line in menus(&tokens).into_iter().filter(|line| !asked(line)) {
        coverage.branches += 1;
        coverage.not_taken.push((line, None));
    }
    coverage.not_taken.sort();
    coverage
}

fn none_taken() -> BTreeSet<Branch> {
    BTreeSet::new()
}

/// The lines on which `call:menu` is called, as Lua counts the line of a call: where its arguments begin.
fn menus(tokens: &[Token<'_>]) -> BTreeSet<u32> {
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.text == text);
    let of_call = |at: &usize| is(*at, "call") && is(at + 1, ":") && is(at + 2, "menu");
    let lines = (0..tokens.len()).filter(of_call).filter_map(|at| tokens.get(at + 3));
    lines.map(|token| token.line).collect()
}

/// Words that close something: a line of these alone runs when control falls out of it, or never.
const CLOSING: [&str; 10] = ["end", "else", ")", "}", "]", ",", ";", "do", "then", "repeat"];

/// The lines that can run: those of the compiled text's instructions, without those that only close something.
fn lines(source: &str, tokens: &[Token<'_>]) -> BTreeSet<u32> {
    let says: BTreeSet<u32> =
        tokens.iter().filter(|token| !CLOSING.contains(&token.text)).map(|token| token.line).collect();
    let code = compile::alone(source).unwrap_or_default();
    let mut lines = BTreeSet::new();
    // What cannot be read gives no lines: then no coverage is claimed.
    let mut dump = Dump { bytes: &code, at: HEADER };
    if dump.function(&mut lines).is_none() {
        return BTreeSet::new();
    }
    lines.into_iter().filter(|line| says.contains(line)).collect()
}

/// Bytes of the head of a compiled text of Lua 5.4: signature, version, format, check, three sizes, an integer and a number
/// of known value, and how many values the text closes over.
const HEADER: usize = 4 + 1 + 1 + 6 + 3 + 8 + 8 + 1;
/// Functions within functions that are looked into.
const NESTED: usize = 250;

/// A compiled text as `string.dump` of Lua 5.4 writes it, read for its lines alone.
struct Dump<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Dump<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.at = self.at.checked_add(bytes).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    /// Seven bits a byte, the highest first; the last byte has its top bit set.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0_usize;
        loop {
            let byte = self.byte()?;
            number = number.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
            if byte & 0x80 != 0 {
                return Some(number);
            }
        }
    }

    /// Its length and one, or nothing for none.
    fn text(&mut self) -> Option<()> {
        match self.number()? {
            0 => Some(()),
            length => self.skip(length - 1),
        }
    }

    fn function(&mut self, lines: &mut BTreeSet<u32>) -> Option<()> {
        self.nested(lines, 0)
    }

    fn nested(&mut self, lines: &mut BTreeSet<u32>, depth: usize) -> Option<()> {
        if depth > NESTED {
            return None;
        }
        self.text()?;
        let first = self.number()?;
        self.number()?;
        self.byte()?;
        let varies = self.byte()? != 0;
        self.byte()?;
        let code = self.number()?;
        self.skip(code.checked_mul(4)?)?;
        for _ in 0..self.number()? {
            match self.byte()? {
                // Nil, false and true; an integer and a number; a text, short or long.
                0x00 | 0x01 | 0x11 => {}
                0x03 | 0x13 => self.skip(8)?,
                0x04 | 0x14 => self.text()?,
                _ => return None,
            }
        }
        let closed_over = self.number()?;
        self.skip(closed_over.checked_mul(3)?)?;
        for _ in 0..self.number()? {
            self.nested(lines, depth + 1)?;
        }
        self.debug(lines, first, varies)
    }

    /// The line of each instruction: a step from the one before, or, where that is too far, a line of its own.
    fn debug(&mut self, lines: &mut BTreeSet<u32>, first: usize, varies: bool) -> Option<()> {
        const OWN: i8 = -0x80;
        let count = self.number()?;
        let steps = self.bytes.get(self.at..self.at.checked_add(count)?)?.to_vec();
        self.skip(count)?;
        let mut own = BTreeMap::new();
        for _ in 0..self.number()? {
            let at = self.number()?;
            own.insert(at, self.number()?);
        }
        let mut line = i64::try_from(first).ok()?;
        for (at, step) in steps.into_iter().map(|step| i8::from_le_bytes([step])).enumerate() {
            line = match step {
                OWN => i64::try_from(*own.get(&at)?).ok()?,
                step => line + i64::from(step),
            };
            // The first instruction of a function that takes any number of arguments only arranges them.
            if !(varies && at == 0) {
                lines.insert(u32::try_from(line).ok()?);
            }
        }
        for _ in 0..self.number()? {
            self.text()?;
            self.number()?;
            self.number()?;
        }
        for _ in 0..self.number()? {
            self.text()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_can_run_are_those_with_instructions_but_not_what_only_closes() {
        let source = "local a = 1\n\n-- a word\nlocal function f(x)\n  if x then\n    return 'a text'\n  else\n    \
                      return { 1.5,\n      x }\n  end\nend\ncall:play(f(a))\n";
        let lines = lines(source, &lexer::tokens(source));
        assert_eq!(
            lines.into_iter().collect::<Vec<_>>(),
            [1, 5, 6, 8, 9, 12],
            "a function is made where it ends"
        );
    }

    #[test]
    fn a_text_of_many_lines_far_apart_is_read_to_its_end() {
        let mut source = String::from("local x = 0\n");
        for _ in 0..40 {
            source.push_str(&"\n".repeat(200));
            source.push_str("x = x + 1\n");
        }
        let lines = lines(&source, &lexer::tokens(&source));
        assert_eq!((lines.len(), lines.last()), (41, Some(&8_041)));
    }

    #[test]
    fn a_menu_that_was_never_asked_counts_as_a_branch_that_was_not_taken() {
        let source = "call:menu{\n  prompt = 'a', ['1'] = 'x',\n}\n";
        let none = coverage("f.lua", source, &Seen::default());
        assert_eq!((none.branches, none.not_taken), (1, vec![(1, None)]));
        let mut seen = Seen::default();
        let at = At { file: "f.lua".into(), line: 1 };
        seen.menus.insert(at.clone(), ["1", NONE, WRONG].map(str::to_owned).into());
        seen.note(Passed::Choice(at, "1".into()));
        let some = coverage("f.lua", source, &seen);
        assert_eq!(some.branches, 3);
        assert_eq!(some.not_taken, [(1, Some(NONE.to_owned())), (1, Some(WRONG.to_owned()))]);
    }
}
