//! Lua 5.4 patterns (reference manual 6.4.1), with a count of the steps taken, so that a pattern made to
//! backtrack for ever ends when the budget does.
//!
//! Invariant: matching recurses at most [`DEPTH_MAX`] deep and takes at most the given steps.

/// Most captures in one pattern.
const CAPTURES_MAX: usize = 32;
/// How deep matching may recurse.
const DEPTH_MAX: u32 = 200;
const ESCAPE: u8 = b'%';

/// Why a match could not be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// The pattern is wrong: how.
    Wrong(String),
    /// The steps are used up.
    Steps,
}

/// What a pair of parentheses caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// Not closed yet.
    Open(usize),
    /// The bytes from the first to before the second.
    Span(usize, usize),
    /// `()`: a place, counted from zero.
    Place(usize),
}

type Found = Result<Option<usize>, PatternError>;

/// One subject and one pattern.
pub struct Matcher<'a> {
    subject: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<Capture>,
    depth: u32,
    steps_left: u64,
}

fn wrong(text: &str) -> PatternError {
    PatternError::Wrong(text.to_owned())
}

impl<'a> Matcher<'a> {
    /// A matcher that may take `steps`. The pattern comes without an anchor.
    pub fn new(subject: &'a [u8], pattern: &'a [u8], steps: u64) -> Self {
        Self { subject, pattern, captures: Vec::new(), depth: 0, steps_left: steps }
    }

    /// Steps not taken.
    pub fn steps_left(&self) -> u64 {
        self.steps_left
    }

    /// What the last match caught.
    pub fn captures(&self) -> &[Capture] {
        &self.captures
    }

    /// Matches at `start`; gives the end of the match.
    pub fn at(&mut self, start: usize) -> Found {
        self.captures.clear();
        self.depth = 0;
        self.run(start, 0)
    }

    /// The first match at or after `start` that does not end at `not_end`: its beginning and its end.
    pub fn seek(
        &mut self,
        start: usize,
        not_end: Option<usize>,
        once: bool,
    ) -> Result<Option<(usize, usize)>, PatternError> {
        let mut from = start;
        while from <= self.subject.len() {
            if let Some(end) = self.at(from)?
                && Some(end) != not_end
            {
                return Ok(Some((from, end)));
            }
            if once {
                break;
            }
            from += 1;
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<(), PatternError> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or(PatternError::Steps)?;
        Ok(())
    }

    fn item(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    fn run(&mut self, s: usize, p: usize) -> Found {
        if self.depth == DEPTH_MAX {
            return Err(wrong("pattern too complex"));
        }
        self.depth += 1;
        let found = self.run_here(s, p);
        self.depth -= 1;
        found
    }

    /// Matches the pattern from `p` on. What would be a tail call is the next turn of the loop.
    fn run_here(&mut self, mut s: usize, mut p: usize) -> Found {
        loop {
            self.step()?;
            if p == self.pattern.len() {
                return Ok(Some(s));
            }
            let next = match (self.item(p), self.item(p + 1)) {
                (b'(', b')') => return self.open(s, p + 2, Capture::Place(s)),
                (b'(', _) => return self.open(s, p + 1, Capture::Open(s)),
                (b')', _) => return self.close(s, p + 1),
                (b'$', _) if p + 1 == self.pattern.len() => {
                    return Ok((s == self.subject.len()).then_some(s));
                }
                (ESCAPE, b'b') => self.balance(s, p + 2)?.map(|s| (s, p + 4)),
                (ESCAPE, b'f') => self.frontier(s, p + 2)?.map(|p| (s, p)),
                (ESCAPE, digit @ b'0'..=b'9') => self.again(s, digit)?.map(|s| (s, p + 2)),
                _ => match self.single(s, p)? {
                    Single::Go(s, p) => Some((s, p)),
                    Single::Done(found) => return Ok(found),
                },
            };
            match next {
                Some((next_s, next_p)) => (s, p) = (next_s, next_p),
                None => return Ok(None),
            }
        }
    }

    /// One class and what may follow it: `*`, `+`, `-`, `?` or nothing.
    fn single(&mut self, s: usize, p: usize) -> Result<Single, PatternError> {
        let end = self.class_end(p)?;
        let suffix = self.item(end);
        let matches = self.one(s, p, end);
        Ok(match suffix {
            b'?' if matches => match self.run(s + 1, end + 1)? {
                Some(found) => Single::Done(Some(found)),
                None => Single::Go(s, end + 1),
            },
            b'+' if matches => Single::Done(self.longest(s + 1, p, end)?),
            b'*' => Single::Done(self.longest(s, p, end)?),
            b'-' => Single::Done(self.shortest(s, p, end)?),
            b'?' => Single::Go(s, end + 1),
            b'+' => Single::Done(None),
            _ if matches => Single::Go(s + 1, end),
            _ => Single::Done(None),
        })
    }

    fn longest(&mut self, s: usize, p: usize, end: usize) -> Found {
        let mut count = 0;
        while self.one(s + count, p, end) {
            self.step()?;
            count += 1;
        }
        loop {
            if let Some(found) = self.run(s + count, end + 1)? {
                return Ok(Some(found));
            }
            if count == 0 {
                return Ok(None);
            }
            count -= 1;
        }
    }

    fn shortest(&mut self, mut s: usize, p: usize, end: usize) -> Found {
        loop {
            if let Some(found) = self.run(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.one(s, p, end) {
                return Ok(None);
            }
            self.step()?;
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, capture: Capture) -> Found {
        if self.captures.len() >= CAPTURES_MAX {
            return Err(wrong("too many captures"));
        }
        let level = self.captures.len();
        self.captures.push(capture);
        let found = self.run(s, p)?;
        if found.is_none() {
            self.captures.truncate(level);
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Found {
        let open = self.captures.iter().rposition(|c| matches!(c, Capture::Open(_)));
        let Some(level) = open else {
            return Err(wrong("invalid pattern capture"));
        };
        let before = self.captures[level];
        if let Capture::Open(from) = before {
            self.captures[level] = Capture::Span(from, s);
        }
        let found = self.run(s, p)?;
        if found.is_none() {
            self.captures[level] = before;
        }
        Ok(found)
    }

    /// `%1`: the same bytes again.
    fn again(&mut self, s: usize, digit: u8) -> Found {
        let index = usize::from(digit).wrapping_sub(usize::from(b'1'));
        let (from, to) = match self.captures.get(index) {
            Some(Capture::Span(from, to)) => (*from, *to),
            // A place has no bytes; it matches as the reference does, which is never.
            Some(Capture::Place(_)) => return Ok(None),
            _ => {
                return Err(PatternError::Wrong(format!(
                    "invalid capture index %{}",
                    digit.wrapping_sub(b'0')
                )));
            }
        };
        self.steps_left = self.steps_left.checked_sub((to - from) as u64 / 16).ok_or(PatternError::Steps)?;
        let same = self.subject.get(s..s + (to - from)).is_some_and(|here| *here == self.subject[from..to]);
        Ok(same.then_some(s + (to - from)))
    }

    /// `%bxy`: from an `x` to the `y` that balances it.
    fn balance(&mut self, s: usize, p: usize) -> Found {
        let (Some(open), Some(close)) = (self.pattern.get(p).copied(), self.pattern.get(p + 1).copied())
        else {
            return Err(wrong("malformed pattern (missing arguments to '%b')"));
        };
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1u64;
        for at in s + 1..self.subject.len() {
            self.step()?;
            let byte = self.subject[at];
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: between a byte outside the set and one inside it.
    fn frontier(&mut self, s: usize, p: usize) -> Found {
        if self.item(p) != b'[' {
            return Err(wrong("missing '[' after '%f' in pattern"));
        }
        let end = self.class_end(p)?;
        let before = if s == 0 { 0 } else { self.subject[s - 1] };
        let here = self.subject.get(s).copied().unwrap_or(0);
        let at = !self.in_set(before, p, end - 1) && self.in_set(here, p, end - 1);
        Ok(at.then_some(end))
    }

    /// Where the class that begins at `p` ends.
    fn class_end(&self, p: usize) -> Result<usize, PatternError> {
        let len = self.pattern.len();
        match self.item(p) {
            ESCAPE if p + 1 >= len => Err(wrong("malformed pattern (ends with '%')")),
            ESCAPE => Ok(p + 2),
            b'[' => {
                let mut at = p + 1;
                if self.item(at) == b'^' {
                    at += 1;
                }
                loop {
                    if at >= len {
                        return Err(wrong("malformed pattern (missing ']')"));
                    }
                    at += if self.item(at) == ESCAPE && at + 1 < len { 2 } else { 1 };
                    if at < len && self.item(at) == b']' {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    fn one(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(byte) = self.subject.get(s).copied() else {
            return false;
        };
        match self.item(p) {
            b'.' => true,
            ESCAPE => in_class(byte, self.item(p + 1)),
            b'[' => self.in_set(byte, p, end - 1),
            plain => plain == byte,
        }
    }

    /// Whether a byte is in the set from `[` at `p` to `]` at `close`.
    fn in_set(&self, byte: u8, p: usize, close: usize) -> bool {
        let (mut at, inside) = if self.item(p + 1) == b'^' { (p + 2, false) } else { (p + 1, true) };
        while at < close {
            if self.item(at) == ESCAPE {
                at += 1;
                if in_class(byte, self.item(at)) {
                    return inside;
                }
                at += 1;
            } else if self.item(at + 1) == b'-' && at + 2 < close {
                if (self.item(at)..=self.item(at + 2)).contains(&byte) {
                    return inside;
                }
                at += 3;
            } else {
                if self.item(at) == byte {
                    return inside;
                }
                at += 1;
            }
        }
        !inside
    }
}

enum Single {
    Go(usize, usize),
    Done(Option<usize>),
}

/// Whether a byte is in the class of this letter; other letters stand for themselves. ASCII only.
fn in_class(byte: u8, class: u8) -> bool {
    let is = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        _ => return class == byte,
    };
    is == class.is_ascii_lowercase()
}

/// Whether a pattern is plain text.
pub fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

/// Where `needle` first stands in `subject` at or after `from`, and the steps it took.
pub fn find_plain(
    subject: &[u8],
    needle: &[u8],
    from: usize,
    steps: u64,
) -> Result<(Option<usize>, u64), PatternError> {
    if needle.is_empty() {
        return Ok((Some(from), 0));
    }
    let mut taken = 0u64;
    let mut at = from;
    while at + needle.len() <= subject.len() {
        let window = &subject[at..];
        let Some(skip) = window.iter().position(|byte| *byte == needle[0]) else {
            taken += window.len() as u64 / 8;
            break;
        };
        at += skip;
        let same = subject[at..].iter().zip(needle).take_while(|(a, b)| a == b).count();
        if same == needle.len() {
            return Ok((Some(at), taken));
        }
        taken += 1 + (skip + same) as u64 / 8;
        if taken > steps {
            return Err(PatternError::Steps);
        }
        at += 1;
    }
    Ok((None, taken))
}
