//! Tokens of Lua 5.4 with their places (reference manual 3.1), for messages that name a column and for the
//! check of verbs. It never fails: what it cannot read ends the list, and the compiler says why.

/// What kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or a reserved word.
    Word,
    /// A number or a string.
    Literal,
    /// Anything else.
    Sign,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its kind.
    pub kind: Kind,
    /// As it is written.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub at: usize,
    /// The line it begins on, counted from one.
    pub line: u32,
    /// The column it begins at, in characters, counted from one.
    pub column: u32,
    /// The line it ends on; where the compiler places an error about it.
    pub last_line: u32,
}

/// Signs of more than one character, longest first.
const SIGNS: [&str; 13] = ["...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", "..", "->", "&&", "||"];

/// The tokens of a text.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { source, at: 0, line: 1, line_at: 0 };
    let mut list = Vec::new();
    while let Some(token) = lexer.next() {
        list.push(token);
    }
    list
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    line: u32,
    line_at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Moves on by `len` bytes, counting lines.
    fn advance(&mut self, len: usize) {
        let end = (self.at + len).min(self.source.len());
        for (offset, byte) in self.source.as_bytes()[self.at..end].iter().enumerate() {
            if *byte == b'\n' {
                self.line += 1;
                self.line_at = self.at + offset + 1;
            }
        }
        self.at = end;
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blank =
                rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b').len();
            self.advance(blank);
            let rest = self.rest();
            if !rest.starts_with("--") {
                return;
            }
            let len = match long_bracket(&rest[2..]) {
                Some(len) => 2 + len,
                None => rest.find('\n').unwrap_or(rest.len()),
            };
            self.advance(len);
        }
    }

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blanks();
        let rest = self.rest();
        let first = rest.chars().next()?;
        let (kind, len) = if first.is_ascii_alphabetic() || first == '_' {
            (Kind::Word, span(rest, |c| c.is_ascii_alphanumeric() || c == '_'))
        } else if first.is_ascii_digit()
            || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            (Kind::Literal, number(rest))
        } else if first == '"' || first == '\'' {
            (Kind::Literal, quoted(rest, first))
        } else if let Some(len) = long_bracket(rest) {
            (Kind::Literal, len)
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            (Kind::Sign, sign.map_or(first.len_utf8(), |sign| sign.len()))
        };
        let (at, line) = (self.at, self.line);
        let column = self.source.get(self.line_at..at).map_or(0, |s| s.chars().count()) as u32 + 1;
        self.advance(len);
        Some(Token { kind, text: self.source.get(at..self.at)?, at, line, column, last_line: self.line })
    }
}

fn span(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn number(text: &str) -> usize {
    let hex = text.starts_with("0x") || text.starts_with("0X");
    let mut last = ' ';
    for (at, c) in text.char_indices() {
        let sign = (c == '+' || c == '-') && if hex { "pP" } else { "eE" }.contains(last);
        if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || sign) {
            return at;
        }
        last = c;
    }
    text.len()
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `[[...]]` or `[==[...]==]` at the beginning of a text.
fn long_bracket(text: &str) -> Option<usize> {
    let level = text.strip_prefix('[')?.chars().take_while(|c| *c == '=').count();
    if !text[1 + level..].starts_with('[') {
        return None;
    }
    let close = format!("]{}]", "=".repeat(level));
    Some(text[2 + level..].find(&close).map_or(text.len(), |at| 2 + level + at + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        tokens(source).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_strings_and_numbers_are_whole() {
        assert_eq!(
            texts("local x <const> = 0x1p-3 -- note\n --[==[ long ]] ]==] .. 'a\\'b' [[x\ny]] // 1e+5"),
            ["local", "x", "<", "const", ">", "=", "0x1p-3", "..", "'a\\'b'", "[[x\ny]]", "//", "1e+5"]
        );
    }

    #[test]
    fn places_count_lines_and_characters() {
        let list = tokens("a\n  \"é\" b");
        assert_eq!((list[2].text, list[2].line, list[2].column), ("b", 2, 7));
    }

    #[test]
    fn a_broken_text_ends_the_list_and_no_more() {
        for source in ["\"open", "[[open", "--[[open", "é ä", "0x", "[=", "a\u{0}b", "'\\"] {
            let list = tokens(source);
            assert!(list.iter().all(|t| !t.text.is_empty()), "{source:?}");
        }
    }
}
