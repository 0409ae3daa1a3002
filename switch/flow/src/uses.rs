//! Which of the tenant's texts a text takes in, as far as it names them outright: `require("names")`, `require "names"`
//! and `call:run("verify")`. A name that is put together while the flow runs is not seen here.

use crate::lexer::{self, Kind, Token};

/// A text that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// A library, by `require`; else a flow, by `call:run`.
    pub library: bool,
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
        let (library, mut argument) = match token.text {
            "require" if !matches!(before(at), "." | ":" | "function" | "local") => (true, at + 1),
            "run" if before(at) == ":" && at.checked_sub(2).map_or("", text) == "call" => (false, at + 1),
            _ => continue,
        };
        let bracket = text(argument) == "(";
        if bracket {
            argument += 1;
        }
        let whole = !bracket || matches!(text(argument + 1), ")" | ",");
        if let Some((name, token)) = tokens.get(argument).and_then(plain).filter(|_| whole) {
            let (line, column) = (token.line, token.column);
            found.push(Use { library, name: name.to_owned(), line, column });
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
            require('c' .. a) t.require('d') call:run(name) other:run('e') require()";
        let found: Vec<(bool, String, u32, u32)> =
            uses(source).into_iter().map(|u| (u.library, u.name, u.line, u.column)).collect();
        assert_eq!(
            found,
            [(true, "a.b".into(), 1, 19), (true, "b".into(), 2, 19), (false, "verify".into(), 3, 20)]
        );
    }
}
