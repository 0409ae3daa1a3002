//! The string functions that could stall or show an address: patterns, `rep`, and what `format` needs.

use super::Host;
use super::args::{Args, start};
use super::pattern::{Capture, Matcher, PatternError, find_plain, is_plain};
use crate::vm::raised;
use crate::vm::shared::Shared;
use mlua::{Lua, MultiValue, Result, Value};

/// Adds the functions to the table that the prelude gets.
pub(super) fn install(host: &Host<'_>) -> Result<()> {
    host.add("rep", rep)?;
    host.add("find", find)?;
    host.add("match", matches)?;
    host.add("seek", seek)?;
    host.add("gsub", gsub)?;
    host.add("directives", |lua, _, args| directives(lua, args))
}

fn rep(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<Value> {
    let args = Args::new(lua, "rep", args);
    let (text, count) = (args.text(1)?, args.int(2)?);
    let separator = match args.value(3) {
        Value::Nil => None,
        _ => Some(args.text(3)?),
    };
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    let text = text.as_bytes();
    let separator = separator.as_ref().map(|s| s.as_bytes());
    let separator: &[u8] = separator.as_deref().unwrap_or_default();
    let total = (text.len() + separator.len()).saturating_mul(count);
    if total == 0 {
        return lua.create_string("").map(Value::String);
    }
    if !shared.meter.room_for(lua, total) {
        return Err(raised::budget());
    }
    let mut out = Vec::with_capacity(total);
    for i in 0..count {
        if i > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(&text);
    }
    lua.create_string(out).map(Value::String)
}

/// Runs a matcher on what is left of the budget and charges what it took.
fn metered<T>(
    shared: &Shared,
    subject: &[u8],
    pattern: &[u8],
    f: impl FnOnce(&mut Matcher<'_>) -> std::result::Result<T, PatternError>,
) -> Result<T> {
    let budget = shared.meter.left();
    let mut matcher = Matcher::new(subject, pattern, budget);
    let found = f(&mut matcher);
    settle(shared, budget - matcher.steps_left(), found)
}

fn settle<T>(shared: &Shared, steps: u64, found: std::result::Result<T, PatternError>) -> Result<T> {
    match found {
        Ok(found) if shared.meter.charge(steps) => Ok(found),
        Err(PatternError::Wrong(text)) => Err(raised::runtime(text)),
        Ok(_) | Err(PatternError::Steps) => {
            shared.meter.charge(u64::MAX);
            Err(raised::budget())
        }
    }
}

fn capture(lua: &Lua, subject: &[u8], capture: Capture) -> Result<Value> {
    match capture {
        Capture::Span(from, to) => lua.create_string(&subject[from..to]).map(Value::String),
        Capture::Place(at) => Ok(Value::Integer(at as i64 + 1)),
        Capture::Open(_) => Err(raised::runtime("unfinished capture")),
    }
}

/// The captures; the whole match if there are none and `whole` asks for it.
fn captures(
    lua: &Lua,
    subject: &[u8],
    matcher: &Matcher<'_>,
    whole: Option<(usize, usize)>,
) -> Result<Vec<Value>> {
    match (matcher.captures(), whole) {
        ([], Some((from, to))) => Ok(vec![capture(lua, subject, Capture::Span(from, to))?]),
        (list, _) => list.iter().map(|c| capture(lua, subject, *c)).collect(),
    }
}

fn anchored(pattern: &[u8]) -> (&[u8], bool) {
    match pattern.strip_prefix(b"^") {
        Some(rest) => (rest, true),
        None => (pattern, false),
    }
}

fn values(found: Option<Vec<Value>>) -> MultiValue {
    found.unwrap_or_else(|| vec![Value::Nil]).into_iter().collect()
}

fn find(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<MultiValue> {
    let args = Args::new(lua, "find", args);
    let (subject, pattern) = (args.text(1)?, args.text(2)?);
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let from = start(args.int_or(3, Some(1))?, subject.len());
    if from > subject.len() {
        return Ok(values(None));
    }
    let plain = !matches!(args.value(4), Value::Nil | Value::Boolean(false));
    if plain || is_plain(&pattern) {
        let found = find_plain(&subject, &pattern, from, shared.meter.left());
        let steps = found.as_ref().map_or(0, |(_, steps)| *steps);
        let (at, _) = settle(shared, steps, found)?;
        let ends =
            |at: usize| vec![Value::Integer(at as i64 + 1), Value::Integer((at + pattern.len()) as i64)];
        return Ok(values(at.map(ends)));
    }
    let (pattern, once) = anchored(&pattern);
    let mut more = Ok(Vec::new());
    let found = metered(shared, &subject, pattern, |m| {
        let found = m.seek(from, None, once)?;
        if found.is_some() {
            more = captures(lua, &subject, m, None);
        }
        Ok(found)
    })?;
    let Some((at, end)) = found else {
        return Ok(values(None));
    };
    let mut all = vec![Value::Integer(at as i64 + 1), Value::Integer(end as i64)];
    all.extend(more?);
    Ok(values(Some(all)))
}

fn matches(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<MultiValue> {
    let args = Args::new(lua, "match", args);
    let (subject, pattern) = (args.text(1)?, args.text(2)?);
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let from = start(args.int_or(3, Some(1))?, subject.len());
    if from > subject.len() {
        return Ok(values(None));
    }
    let (pattern, once) = anchored(&pattern);
    let found = metered(shared, &subject, pattern, |m| {
        let found = m.seek(from, None, once)?;
        Ok(found.map(|span| captures(lua, &subject, m, Some(span))))
    })?;
    Ok(values(found.transpose()?))
}

/// `seek(s, p, from, last, anchor)`: one turn of `gmatch` and `gsub`. Gives nothing, or the beginning of the
/// match, the position after its end, and the captures.
fn seek(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<MultiValue> {
    let args = Args::new(lua, "gsub", args);
    let (subject, pattern) = (args.text(1)?, args.text(2)?);
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let from = start(args.int(3)?, subject.len());
    let last = usize::try_from(args.int(4)? - 1).ok();
    let (pattern, once) = match args.value(5) {
        Value::Boolean(true) => anchored(&pattern),
        _ => (&*pattern, false),
    };
    let found = metered(shared, &subject, pattern, |m| {
        let found = m.seek(from, last, once)?;
        Ok(found.map(|span| (span, captures(lua, &subject, m, Some(span)))))
    })?;
    let Some(((at, end), more)) = found else {
        return Ok(MultiValue::new());
    };
    let mut all = vec![Value::Integer(at as i64 + 1), Value::Integer(end as i64 + 1)];
    all.extend(more?);
    Ok(all.into_iter().collect())
}

/// `gsub` with a string as replacement.
fn gsub(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<(Value, i64)> {
    let args = Args::new(lua, "gsub", args);
    let original = args.text(1)?;
    let (pattern, replacement) = (args.text(2)?, args.text(3)?);
    let (subject, pattern, replacement) = (original.as_bytes(), pattern.as_bytes(), replacement.as_bytes());
    let most = args.int_or(4, Some(subject.len() as i64 + 1))?;
    let (pattern, once) = anchored(&pattern);
    let mut out: Vec<u8> = Vec::new();
    let mut count = 0;
    let mut trouble = Ok(());
    metered(shared, &subject, pattern, |m| {
        let (mut at, mut last) = (0, None);
        while count < most {
            let Some((from, end)) = m.seek(at, last, once)? else {
                break;
            };
            count += 1;
            out.extend_from_slice(&subject[at..from]);
            trouble = substitute(&subject, m.captures(), (from, end), &replacement, &mut out);
            if trouble.is_err() || !shared.meter.room_for(lua, out.len()) {
                break;
            }
            (at, last) = (end, Some(end));
            if once {
                break;
            }
        }
        out.extend_from_slice(&subject[at..]);
        Ok(())
    })?;
    trouble?;
    if !shared.meter.room_for(lua, out.len()) {
        return Err(raised::budget());
    }
    if count == 0 {
        drop(subject);
        return Ok((Value::String(original), 0));
    }
    Ok((Value::String(lua.create_string(out)?), count))
}

/// Writes a replacement with its `%0` to `%9`.
fn substitute(
    subject: &[u8],
    list: &[Capture],
    (from, end): (usize, usize),
    replacement: &[u8],
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut bytes = replacement.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        match bytes.next() {
            Some(b'%') => out.push(b'%'),
            Some(b'0') => out.extend_from_slice(&subject[from..end]),
            Some(digit @ b'1'..=b'9') => {
                let index = usize::from(digit - b'1');
                match (list.get(index), index) {
                    (Some(Capture::Span(a, b)), _) => out.extend_from_slice(&subject[*a..*b]),
                    (Some(Capture::Place(at)), _) => out.extend_from_slice((at + 1).to_string().as_bytes()),
                    (None, 0) => out.extend_from_slice(&subject[from..end]),
                    (Some(Capture::Open(_)), _) => {
                        return Err(raised::runtime("unfinished capture"));
                    }
                    (None, _) => {
                        return Err(raised::runtime(format!("invalid capture index %{}", index + 1)));
                    }
                }
            }
            _ => return Err(raised::runtime("invalid use of '%' in replacement string")),
        }
    }
    Ok(())
}

/// The conversion letters of a format, one for each argument it takes. `%p` would show an address.
fn directives(lua: &Lua, args: MultiValue) -> Result<String> {
    let args = Args::new(lua, "format", args);
    let format = args.text(1)?;
    let format = format.as_bytes();
    let mut letters = String::new();
    let mut bytes = format.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            continue;
        }
        let letter = bytes.find(|byte| !b"-+ #0123456789.".contains(byte));
        match letter {
            Some(b'%') => {}
            Some(b'p') => {
                return Err(raised::runtime("'%p' is not available to flows: it would show an address"));
            }
            Some(letter) => letters.push(char::from(*letter)),
            None => return Err(raised::runtime("invalid conversion '%' to 'format'")),
        }
    }
    Ok(letters)
}
