//! What of the tenant's a text names outright: `require("names")`, `require "names"`, `call:run("verify")`,
//! `call:calendar("office")` and `call:lookup("vip", key)`. A name that is put together while the flow runs is not seen here.

use crate::lexer::{self, Kind, Token};

/// What of the tenant's is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// `require`.
    Library,
    /// `call:run`.
    Flow,
    /// `call:calendar`.
    Calendar,
    /// `call:lookup`.
    Table,
}

impl UseKind {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            UseKind::Library => "library",
            UseKind::Flow => "flow",
            UseKind::Calendar => "calendar",
            UseKind::Table => "table",
        }
    }

    /// By the verb that names it.
    fn of_verb(verb: &str) -> Option<UseKind> {
        match verb {
            "run" => Some(UseKind::Flow),
            "calendar" => Some(UseKind::Calendar),
            "lookup" => Some(UseKind::Table),
            _ => None,
        }
    }
}

/// A name that is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What is named: a library by `require`, the others by a verb.
    pub kind: UseKind,
    /// Its name.
    pub name: String,
    /// The line of the name.
    pub line: u32,
    /// Its column.
    pub column: u32,
}

/// What a text names.
pub fn uses(source: &str) -> Vec<Use> {
    let tokens = lexer::tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let before = |at: usize| at.checked_sub(1).map_or("", text);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word) {
        let of_call = before(at) == ":" && at.checked_sub(2).map_or("", text) == "call";
        let kind = match token.text {
            "require" if !matches!(before(at), "." | ":" | "function" | "local") => Some(UseKind::Library),
            verb if of_call => UseKind::of_verb(verb),
            _ => None,
        };
        let (Some(kind), mut argument) = (kind, at + 1) else {
            continue;
        };
        let bracket = text(argument) == "(";
        if bracket {
            argument += 1;
        }
        let whole = !bracket || matches!(text(argument + 1), ")" | ",");
        if let Some((name, token)) = tokens.get(argument).and_then(plain).filter(|_| whole) {
            let (line, column) = (token.line, token.column);
            found.push(Use { kind, name: name.to_owned(), line, column });
        }
    }
    found
}

/// A string without escapes.
fn plain<'a>(token: &Token<'a>) -> Option<(&'a str, Token<'a>)> {
    let quote = token.text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = token.text.strip_prefix(quote)?.strip_suffix(quote)?;
    (token.kind == Kind::Literal && !inner.contains('\\')).then_some((inner, *token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_written_out_are_found_with_their_place() {
        let source = "local a = require('a.b')\nlocal b = require \"b\"\nlocal x = call:run('verify', {1})\n\
            require('c' .. a) t.require('d') call:run(name) call:lookup('vip', 1) call:calendar('of' .. 'fice') other:run('e') require()";
        let found: Vec<(&str, String, u32, u32)> =
            uses(source).into_iter().map(|u| (u.kind.as_str(), u.name, u.line, u.column)).collect();
        assert_eq!(
            found,
            [
                ("library", "a.b".into(), 1, 19),
                ("library", "b".into(), 2, 19),
                ("flow", "verify".into(), 3, 20),
                ("table", "vip".into(), 4, 61),
            ]
        );
    }
}
