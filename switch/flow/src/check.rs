//! Checks a flow's text without running it.
//!
//! Invariant: what passes compiles in every machine, so that a call never meets a syntax error.

use crate::error::{FlowError, FlowErrorKind};
use crate::lexer::{self, Kind, Token};
use crate::verb;
use crate::vm::compile;
use mlua::{Error, Lua, LuaOptions, StdLib};

/// Checks a flow's text: Lua syntax, and names that `call` does not have. `file` is for the messages.
pub fn check(source: &str, file: &str) -> Result<(), Vec<FlowError>> {
    let at = |line, column, kind, text| FlowError { file: file.to_owned(), line, column, kind, text };
    if source.len() > compile::SOURCE_MAX {
        let text = format!("a flow has at most {} bytes", compile::SOURCE_MAX);
        return Err(vec![at(0, None, FlowErrorKind::Syntax, text)]);
    }
    let lua = match Lua::new_with(StdLib::NONE, LuaOptions::default()) {
        Ok(lua) => lua,
        Err(error) => {
            return Err(vec![at(0, None, FlowErrorKind::Internal, error.to_string())]);
        }
    };
    let tokens = lexer::tokens(source);
    if let Err(error) = compile::factory(&lua, source, &compile::chunk(file)) {
        let (line, text) = message(&error, file);
        let column = column(&lua, source, file, &tokens, line, &text);
        return Err(vec![at(line, column, FlowErrorKind::Syntax, text)]);
    }
    let strangers = strangers(&tokens);
    if strangers.is_empty() {
        return Ok(());
    }
    let error = |t: Token<'_>| at(t.line, Some(t.column), FlowErrorKind::UnknownVerb, verb::unknown(t.text));
    Err(strangers.into_iter().map(error).collect())
}

/// The line and the text of a compiler's message.
fn message(error: &Error, file: &str) -> (u32, String) {
    let Error::SyntaxError { message, .. } = error else {
        return (0, error.to_string());
    };
    match crate::vm::raised::strip_place(message, &compile::chunk(file)) {
        Some((line, text)) => (line, text.to_owned()),
        None => (0, message.clone()),
    }
}

/// What a message says it stumbled over: the text between the quotes after its last `near`.
fn near(text: &str) -> Option<&str> {
    let (_, token) = text.rsplit_once(" near ")?;
    Some(token.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).unwrap_or(token))
}

/// The column of the token that a message names. If it stands on the line more than once, it is the
/// first one at which the text cut off behind it gives the same message.
fn column(lua: &Lua, source: &str, file: &str, tokens: &[Token<'_>], line: u32, text: &str) -> Option<u32> {
    let near = near(text)?;
    let there = |t: &&Token<'_>| {
        t.last_line == line && (t.text == near || (near.len() > 2 && t.text.starts_with(near)))
    };
    let candidates: Vec<&Token<'_>> = tokens.iter().filter(there).collect();
    if let [only] = candidates.as_slice() {
        return Some(only.column);
    }
    let guilty = |t: &&&Token<'_>| {
        let cut = source.get(..t.at + t.text.len()).unwrap_or_default();
        let error = compile::plain(lua, cut, &compile::chunk(file)).err();
        error.is_some_and(|error| message(&error, file) == (line, text.to_owned()))
    };
    candidates.iter().take(32).find(guilty).map(|t| t.column)
}

/// Names after `call:` and `call.` that `call` does not have. Says nothing if the text gives the name
/// `call` a meaning of its own.
fn strangers<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let before = |i: usize| i.checked_sub(1).and_then(|i| tokens.get(i)).map_or("", |t| t.text);
    let after = |i: usize| tokens.get(i + 1).map_or("", |t| t.text);
    let is_call = |i: usize| {
        tokens[i].kind == Kind::Word
            && tokens[i].text == "call"
            && !matches!(before(i), "." | ":" | "goto" | "::")
    };
    let calls: Vec<usize> = (0..tokens.len()).filter(|i| is_call(*i)).collect();
    // As an upvalue or argument `call` is followed by an access; anything else may bind it anew.
    let bound_anew = |i: &usize| {
        let bare = !matches!(after(*i), "." | ":" | "[");
        bare && (matches!(before(*i), "local" | "function" | "for")
            || after(*i) == "="
            || in_parameters(tokens, *i))
    };
    if calls.iter().any(bound_anew) {
        return Vec::new();
    }
    let known = |t: &Token<'_>| verb::NAMES.contains(&t.text) || verb::FIELDS.contains(&t.text);
    let named = |i: &usize| match (after(*i), tokens.get(i + 2)) {
        (":" | ".", Some(name)) if name.kind == Kind::Word && !known(name) => Some(*name),
        _ => None,
    };
    calls.iter().filter_map(named).collect()
}

/// Whether a word stands in the parameters of a function: only names and commas back to `function (`.
fn in_parameters(tokens: &[Token<'_>], at: usize) -> bool {
    let named = |t: &Token<'_>| t.kind == Kind::Word && !matches!(t.text, "local" | "in" | "return");
    let mut back = tokens[..at].iter().rev();
    match back.find(|t| !(named(t) || t.text == ",")) {
        Some(open) if open.text == "(" => {}
        _ => return false,
    }
    back.take_while(|t| t.kind == Kind::Word || matches!(t.text, "." | ":")).any(|t| t.text == "function")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: &str) -> Vec<String> {
        match check(source, "flows/menu.lua") {
            Ok(()) => Vec::new(),
            Err(errors) => errors.iter().map(FlowError::to_string).collect(),
        }
    }

    #[test]
    fn a_syntax_error_has_a_line_and_a_column() {
        assert_eq!(
            said("call:answer()\nlocal x = = 1\n"),
            ["flows/menu.lua:2:11: unexpected symbol near '='"]
        );
        assert_eq!(
            said("if true then\n  call:answer()\n"),
            ["flows/menu.lua:3: 'end' expected (to close 'if' at line 1) near <eof>"]
        );
        assert_eq!(said("local s = 'open\n"), ["flows/menu.lua:1:11: unfinished string near ''open'"]);
        assert_eq!(
            said("goto nowhere"),
            ["flows/menu.lua:1: no visible label 'nowhere' for <goto> at line 1"]
        );
    }

    #[test]
    fn of_two_like_tokens_the_guilty_one_is_named() {
        assert_eq!(said("local x = (1)) + 2"), ["flows/menu.lua:1:14: unexpected symbol near ')'"]);
    }

    #[test]
    fn a_text_cannot_end_the_function_it_is_put_into() {
        assert_eq!(said("end, function()"), ["flows/menu.lua:1:1: <eof> expected near 'end'"]);
        assert_eq!(said("return 1 end do"), ["flows/menu.lua:1:10: <eof> expected near 'end'"]);
    }

    #[test]
    fn every_misspelt_verb_is_found() {
        assert_eq!(
            said("call:anser()\ncall.data.x = call.form\ncall:hangup()"),
            [
                "flows/menu.lua:1:6: call has no verb 'anser'; did you mean 'answer'?",
                "flows/menu.lua:2:20: call has no verb 'form'; did you mean 'from'?",
                "flows/menu.lua:3:6: call has no verb 'hangup'; did you mean 'hang_up'?",
            ]
        );
    }

    #[test]
    fn a_call_of_the_flows_own_is_left_alone() {
        for source in [
            "local call = {} call.x = 1",
            "local function f(a, call) call:x() end",
            "for call in pairs({}) do print(call.x) end",
            "call = {} call.y = 2",
            "local t = {} t.call.x = 1",
        ] {
            assert_eq!(said(source), [""; 0], "{source}");
        }
    }

    #[test]
    fn passing_call_on_does_not_hide_a_misspelling() {
        assert_eq!(said("local function f(c) end f(call) call:plai()").len(), 1);
    }

    #[test]
    fn bytecode_is_not_a_text() {
        assert_eq!(said("\x1bLua").len(), 1);
    }
}
