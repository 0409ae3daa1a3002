//! Rust source as a checker needs it: tokens with their lines, without comments and strings.
//!
//! **Invariant: a word in a comment, a string or a character never becomes a token.** It is no
//! parser: macros are taken as they are written, which is what a rule about names wants.

use std::ops::Range;

/// A name, or one character of punctuation (`::` and `->` are one each).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// From 1.
    pub(crate) line: usize,
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Lines of the body that hold code.
    pub(crate) code_lines: usize,
}

/// A path as it is written, with groups of a `use` written out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PathUse {
    pub(crate) parts: Vec<String>,
    pub(crate) line: usize,
    /// The token it begins at.
    at: usize,
}

/// One file, scanned.
pub(crate) struct Scan {
    tokens: Vec<Token>,
    /// Comments, each line apart: the line's number and its text.
    comments: Vec<(usize, String)>,
    /// For each line from 1, whether anything but a comment stands on it.
    has_code: Vec<bool>,
    /// Tokens that belong to items under `#[cfg(test)]` or `#[test]`.
    test_ranges: Vec<Range<usize>>,
    test_modules: Vec<String>,
}

impl Scan {
    pub(crate) fn of(source: &str) -> Self {
        let mut lexer = Lexer::new(source);
        lexer.run();
        let mut scan = Self {
            tokens: lexer.tokens,
            comments: lexer.comments,
            has_code: lexer.has_code,
            test_ranges: Vec::new(),
            test_modules: Vec::new(),
        };
        scan.find_tests();
        scan
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    pub(crate) fn comments(&self) -> &[(usize, String)] {
        &self.comments
    }

    /// Names of modules in files of their own that are declared for tests alone.
    pub(crate) fn test_modules(&self) -> &[String] {
        &self.test_modules
    }

    pub(crate) fn is_test(&self, token: usize) -> bool {
        self.test_ranges.iter().any(|range| range.contains(&token))
    }

    pub(crate) fn path_is_test(&self, path: &PathUse) -> bool {
        self.is_test(path.at)
    }

    fn text(&self, token: usize) -> &str {
        self.tokens.get(token).map_or("", |token| token.text.as_str())
    }

    fn is_name(&self, token: usize) -> bool {
        self.text(token).starts_with(|c: char| c == '_' || c.is_alphabetic())
    }

    /// The token after the bracket that closes the one at `open`.
    fn after_bracket(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for at in open..self.tokens.len() {
            match self.text(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// The attributes of the file: the tokens between `#[` or `#![` and its `]`.
    pub(crate) fn attributes(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let open = if self.text(at + 1) == "!" { at + 2 } else { at + 1 };
            if self.text(at) == "#" && self.text(open) == "[" {
                let after = self.after_bracket(open);
                found.push(open + 1..after.saturating_sub(1));
                at = after;
            } else {
                at += 1;
            }
        }
        found
    }

    fn find_tests(&mut self) {
        let mut ranges = Vec::new();
        let mut modules = Vec::new();
        for attribute in self.attributes() {
            if !self.is_for_tests(&attribute) {
                continue;
            }
            let mut item = attribute.end + 1;
            while self.text(item) == "#" {
                item = self.after_bracket(item + 1);
            }
            let end = self.item_end(item);
            let named = (item..end).find(|at| self.text(*at) == "mod");
            if let Some(at) = named.filter(|at| self.text(at + 2) == ";") {
                modules.push(self.text(at + 1).to_owned());
            }
            ranges.push(attribute.start..end);
        }
        self.test_ranges = ranges;
        self.test_modules = modules;
    }

    /// `test`, `cfg(test)`, `cfg(all(test, ..))`, and not `cfg(not(test))` or `cfg_attr(test, ..)`.
    fn is_for_tests(&self, attribute: &Range<usize>) -> bool {
        let first = self.text(attribute.start);
        if first == "test" && attribute.len() == 1 {
            return true;
        }
        first == "cfg"
            && attribute
                .clone()
                .any(|at| self.text(at) == "test" && self.text(at - 2) != "not" && self.text(at - 2) != "any")
    }

    /// The token after an item: its body's closing brace, or its semicolon.
    fn item_end(&self, item: usize) -> usize {
        let mut at = item;
        while at < self.tokens.len() {
            match self.text(at) {
                ";" => return at + 1,
                "{" => return self.after_bracket(at),
                "(" | "[" => at = self.after_bracket(at),
                _ => at += 1,
            }
        }
        at
    }

    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            if self.text(at) != "fn" || !self.is_name(at + 1) {
                continue;
            }
            let Some(body) = self.body_of(at + 2) else {
                continue;
            };
            let first = self.tokens.get(body.start).map_or(0, |token| token.line);
            let last = self.tokens.get(body.end).map_or(first, |token| token.line);
            let inside = self.has_code.get(first + 1..last).unwrap_or_default();
            found.push(Function {
                name: self.text(at + 1).to_owned(),
                line: self.tokens.get(at).map_or(0, |token| token.line),
                code_lines: inside.iter().filter(|code| **code).count(),
            });
        }
        found
    }

    /// The tokens of a function's two braces, or `None` for a declaration without a body.
    fn body_of(&self, signature: usize) -> Option<Range<usize>> {
        let mut at = signature;
        while at < self.tokens.len() {
            match self.text(at) {
                ";" => return None,
                "{" => return Some(at..self.after_bracket(at).saturating_sub(1)),
                "(" | "[" => at = self.after_bracket(at),
                _ => at += 1,
            }
        }
        None
    }

    /// Every path, also those of one part.
    pub(crate) fn paths(&self) -> Vec<PathUse> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            if self.text(at) == "use" {
                at = self.use_tree(at + 1, &[], &mut found);
            } else if self.is_name(at) {
                let begun = at;
                let mut parts = vec![self.text(at).to_owned()];
                while self.text(at + 1) == "::" && self.is_name(at + 2) {
                    at += 2;
                    parts.push(self.text(at).to_owned());
                }
                found.push(PathUse { parts, line: self.line(begun), at: begun });
                at += 1;
            } else {
                at += 1;
            }
        }
        found
    }

    fn line(&self, token: usize) -> usize {
        self.tokens.get(token).map_or(0, |token| token.line)
    }

    /// Reads one branch of a `use`, below `above`; gives the token after it.
    fn use_tree(&self, begin: usize, above: &[String], found: &mut Vec<PathUse>) -> usize {
        let mut parts = above.to_vec();
        let mut at = begin;
        loop {
            match self.text(at) {
                "::" => at += 1,
                "{" => {
                    at += 1;
                    while !matches!(self.text(at), "}" | "") {
                        let after = self.use_tree(at, &parts, found);
                        at = if self.text(after) == "," { after + 1 } else { after.max(at + 1) };
                    }
                    return at + 1;
                }
                "as" => {
                    // The other name is no path.
                    found.push(PathUse { parts, line: self.line(begin), at: begin });
                    return at + 2;
                }
                "self" if !parts.is_empty() => at += 1,
                "*" => at += 1,
                text if self.is_name(at) => {
                    parts.push(text.to_owned());
                    at += 1;
                }
                _ => break,
            }
        }
        found.push(PathUse { parts, line: self.line(begin), at: begin });
        at
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
    comments: Vec<(usize, String)>,
    has_code: Vec<bool>,
}

impl Lexer {
    fn new(source: &str) -> Self {
        let lines = source.lines().count() + 2;
        Self {
            chars: source.chars().collect(),
            at: 0,
            line: 1,
            tokens: Vec::new(),
            comments: Vec::new(),
            has_code: vec![false; lines],
        }
    }

    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn advance(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == '\n' {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn mark_code(&mut self) {
        if let Some(line) = self.has_code.get_mut(self.line) {
            *line = true;
        }
    }

    fn run(&mut self) {
        while self.at < self.chars.len() {
            let c = self.peek(0);
            if c.is_whitespace() {
                self.advance(1);
            } else if c == '/' && self.peek(1) == '/' {
                self.line_comment();
            } else if c == '/' && self.peek(1) == '*' {
                self.block_comment();
            } else if c == '_' || c.is_alphabetic() {
                self.name_or_prefixed();
            } else if c == '"' {
                self.string();
            } else if c == '\'' {
                self.character_or_lifetime();
            } else if c.is_ascii_digit() {
                self.number();
            } else {
                self.punctuation();
            }
        }
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while self.at < self.chars.len() && self.peek(0) != '\n' {
            text.push(self.peek(0));
            self.advance(1);
        }
        self.comments.push((line, text));
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        let mut text = String::new();
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => {
                    depth += 1;
                    self.advance(2);
                }
                ('*', '/') => {
                    depth -= 1;
                    self.advance(2);
                    if depth == 0 {
                        break;
                    }
                }
                ('\n', _) => {
                    self.comments.push((self.line, std::mem::take(&mut text)));
                    self.advance(1);
                }
                (c, _) => {
                    text.push(c);
                    self.advance(1);
                }
            }
        }
        self.comments.push((self.line, text));
    }

    /// A name, or the letters before a string: `r"`, `b"`, `br#"`, `c"`, `b'`, and the raw `r#name`.
    fn name_or_prefixed(&mut self) {
        self.mark_code();
        let line = self.line;
        let mut text = String::new();
        while self.peek(0) == '_' || self.peek(0).is_alphanumeric() {
            text.push(self.peek(0));
            self.advance(1);
        }
        let prefix = matches!(text.as_str(), "r" | "b" | "br" | "c" | "cr");
        let mut hashes = 0;
        while prefix && self.peek(hashes) == '#' {
            hashes += 1;
        }
        if prefix && self.peek(hashes) == '"' {
            if text.contains('r') {
                self.raw_string(hashes);
            } else {
                self.string();
            }
        } else if text == "b" && self.peek(0) == '\'' {
            self.character_or_lifetime();
        } else if text == "r" && hashes == 1 {
            self.advance(1);
        } else {
            self.tokens.push(Token { text, line });
        }
    }

    fn string(&mut self) {
        self.mark_code();
        self.advance(1);
        while self.at < self.chars.len() && self.peek(0) != '"' {
            let escaped = self.peek(0) == '\\';
            self.advance(if escaped { 2 } else { 1 });
            self.mark_code();
        }
        self.advance(1);
        self.punctuate("\"");
    }

    fn raw_string(&mut self, hashes: usize) {
        self.advance(hashes + 1);
        while self.at < self.chars.len() {
            self.mark_code();
            if self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#') {
                self.advance(hashes + 1);
                break;
            }
            self.advance(1);
        }
        self.punctuate("\"");
    }

    /// `'a'`, `'\n'`, `'\u{1f}'`, or the lifetime `'a`.
    fn character_or_lifetime(&mut self) {
        self.mark_code();
        if self.peek(1) == '\\' {
            self.advance(3);
            while self.at < self.chars.len() && self.peek(0) != '\'' {
                self.advance(1);
            }
            self.advance(1);
        } else if self.peek(2) == '\'' {
            self.advance(3);
        } else {
            self.advance(1);
            while self.peek(0) == '_' || self.peek(0).is_alphanumeric() {
                self.advance(1);
            }
        }
        self.punctuate("'");
    }

    fn number(&mut self) {
        self.mark_code();
        while self.peek(0) == '_' || self.peek(0).is_alphanumeric() {
            self.advance(1);
        }
        self.punctuate("0");
    }

    fn punctuation(&mut self) {
        self.mark_code();
        let two: String = [self.peek(0), self.peek(1)].iter().collect();
        if two == "::" || two == "->" {
            self.punctuate(&two);
            self.advance(2);
        } else {
            self.punctuate(&self.peek(0).to_string());
            self.advance(1);
        }
    }

    fn punctuate(&mut self, text: &str) {
        self.tokens.push(Token { text: text.to_owned(), line: self.line });
    }
}

#[cfg(test)]
mod tests {
    use super::Scan;

    fn names(source: &str) -> Vec<String> {
        let scan = Scan::of(source);
        scan.tokens().iter().map(|token| token.text.clone()).filter(|t| t.len() > 1 && t != "::").collect()
    }

    fn paths(source: &str) -> Vec<String> {
        Scan::of(source).paths().iter().map(|path| path.parts.join("::")).collect()
    }

    #[test]
    fn words_in_comments_strings_and_characters_are_no_tokens() {
        let source = r####"
            // one
            /* two /* three */ four */
            let alpha = "five \" six"; let beta = r#"seven " eight"#; let gamma = b"nine";
            let delta = 'x'; let epsilon = '\''; let zeta: &'static str = br##"ten"# "##;
        "####;
        let expected = [
            "let", "alpha", "let", "beta", "let", "gamma", "let", "delta", "let", "epsilon", "let", "zeta",
            "str",
        ];
        assert_eq!(names(source), expected);
    }

    #[test]
    fn groups_of_a_use_are_written_out() {
        let source = "use std::{fs, net::{self, UdpSocket}, io::Read as _}; use a::*; let b = c::d(e);";
        let expected =
            ["std::fs", "std::net", "std::net::UdpSocket", "std::io::Read", "a", "let", "b", "c::d", "e"];
        assert_eq!(paths(source), expected);
    }

    #[test]
    fn test_code_is_told_from_other_code() {
        let source = "
            fn live() { first(); }
            #[cfg(not(test))] fn also_live() { second(); }
            #[cfg(test)] #[allow(dead_code)] mod tests { fn in_test() { third(); } }
            #[cfg(all(test, loom))] mod model;
            #[test] fn single() { fourth(); }
            fn live_again() { fifth(); }
        ";
        let scan = Scan::of(source);
        let test = |name: &str| {
            let at = scan.tokens().iter().position(|token| token.text == name).unwrap();
            scan.is_test(at)
        };
        let found = ["first", "second", "third", "fourth", "fifth"].map(test);
        assert_eq!(found, [false, false, true, true, false]);
        assert_eq!(scan.test_modules(), ["model"]);
    }

    #[test]
    fn a_function_is_as_long_as_the_code_between_its_braces() {
        let source = "
            fn declared(a: [u8; 4]);
            fn short() {}
            fn long<T>(t: T) -> u8
            where
                T: Copy,
            {
                // a comment

                let text = \"a string
                over two lines\";
                /* another
                comment */
                fn inner() {
                    one();
                }
                1
            }
        ";
        let found: Vec<_> =
            Scan::of(source).functions().iter().map(|f| (f.name.clone(), f.line, f.code_lines)).collect();
        let named = |name: &str, line, lines| (name.to_owned(), line, lines);
        assert_eq!(found, [named("short", 3, 0), named("long", 4, 6), named("inner", 14, 1)]);
    }
}
