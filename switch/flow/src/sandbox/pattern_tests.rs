//! The matcher against that of the reference implementation, on patterns written and drawn.

use super::pattern::{Matcher, PatternError, find_plain, is_plain};
use mlua::{Lua, MultiValue, Value};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// What either implementation says: the span found, the captures as text, or the error.
fn ours(subject: &str, pattern: &str) -> Result<Option<Vec<String>>, String> {
    if is_plain(pattern.as_bytes()) {
        let (at, _) =
            find_plain(subject.as_bytes(), pattern.as_bytes(), 0, 1_000_000).map_err(|_| "steps")?;
        return Ok(at.map(|at| vec![(at + 1).to_string(), (at + pattern.len()).to_string()]));
    }
    let (body, once) = match pattern.strip_prefix('^') {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let mut matcher = Matcher::new(subject.as_bytes(), body.as_bytes(), 10_000_000);
    match matcher.seek(0, None, once) {
        Err(PatternError::Wrong(text)) => Err(text),
        Err(PatternError::Steps) => Err("steps".into()),
        Ok(None) => Ok(None),
        Ok(Some((from, end))) => {
            let mut said = vec![(from + 1).to_string(), end.to_string()];
            for capture in matcher.captures() {
                said.push(match capture {
                    super::pattern::Capture::Span(a, b) => subject[*a..*b].to_owned(),
                    super::pattern::Capture::Place(at) => (at + 1).to_string(),
                    super::pattern::Capture::Open(_) => return Err("unfinished capture".into()),
                });
            }
            Ok(Some(said))
        }
    }
}

fn theirs(find: &mlua::Function, subject: &str, pattern: &str) -> Result<Option<Vec<String>>, String> {
    let (ok, values): (bool, Vec<Value>) = {
        let all: MultiValue = find.call((subject, pattern)).unwrap();
        let mut all = all.into_iter();
        (matches!(all.next(), Some(Value::Boolean(true))), all.collect())
    };
    let text = |value: &Value| value.to_string().unwrap();
    match (ok, values.first()) {
        (false, Some(error)) => {
            let error = text(error);
            Err(error)
        }
        (_, None | Some(Value::Nil)) => Ok(None),
        (_, Some(_)) => Ok(Some(values.iter().map(text).collect())),
    }
}

fn reference() -> (Lua, mlua::Function) {
    let lua = Lua::new();
    let find = lua
        .load("local f = string.find return function(s, p) return pcall(function() local r = table.pack(f(s, p)) if r[1] and r.n == 2 and not p:find('[%^$*+?.(%[%%-]') then return r[1], r[2] end return table.unpack(r, 1, r.n) end) end")
        .eval()
        .unwrap();
    (lua, find)
}

fn compare(find: &mlua::Function, subject: &str, pattern: &str) -> bool {
    let (us, them) = (ours(subject, pattern), theirs(find, subject, pattern));
    match (&us, &them) {
        // The words of errors are compared by their gist: the reference adds the place.
        (Err(a), Err(b)) => assert!(b.ends_with(a.as_str()), "{subject:?} {pattern:?}: {a} / {b}"),
        _ => assert_eq!(us, them, "{subject:?} {pattern:?}"),
    }
    us.is_ok_and(|found| found.is_some())
}

#[rustfmt::skip]
const PATTERNS: &[&str] = &[
    "a", "", "^a", "a$", "^$", "a*", "a+", "a-b", "a?b", ".-", ".*b", "[abc]+", "[^abc]+",
    "[a-c]*x", "[]]", "[^]]", "[%]]", "[a%-z]", "[a-]", "[-a]", "%a+", "%d+", "%s*%S+", "%w+",
    "%x%x", "%p", "%u%l*", "(a)(b)", "()a()", "(a*(.)%w(%s*))", "(.)%1", "%b()", "%bxy",
    "%f[%w]%w+", "%f[%a]", "^(%d+)%-(%d+)$", "a.c", "[%a_][%w_]*", "%%", "$", "a$b", "%", "[a",
    "(a", "a)", "%1", "(()", "%f", "%b", "[^", "[%", "(a)%2", "x*", "^x*", "%z", "[%z]", "(", ")",
    "((a)(b))", "a**", "a-$", "%g+", "%c", "[[]", "[a-%%]",
];

#[rustfmt::skip]
const SUBJECTS: &[&str] = &[
    "", "a", "ab", "aab", "abc abc", "(a(b)c)", "xxyyxy", "THE (quick) fox", "12-34", "a]b[c",
    "a-b", "%", "\t\n", "hello world from Lua", "$", "a$b", "aXbX",
];

#[test]
fn written_patterns_match_as_the_reference_does() {
    let (_lua, find) = reference();
    for pattern in PATTERNS {
        for subject in SUBJECTS {
            compare(&find, subject, pattern);
        }
    }
}

#[test]
fn drawn_patterns_match_as_the_reference_does() {
    let (_lua, find) = reference();
    let mut random = ChaCha8Rng::from_seed([3; 32]);
    let atoms = [
        "a", "b", ".", "%a", "%d", "[ab]", "[^a]", "(", ")", "()", "%1", "*", "+", "-", "?", "%b()", "%f[a]",
        "$", "^", "%", "[", "]", "1",
    ];
    let letters = b"ab1()";
    let mut found = 0;
    for _ in 0..20_000 {
        let mut pick = |n: usize| (random.next_u32() as usize) % n;
        let pattern: String = (0..pick(7)).map(|_| atoms[pick(atoms.len())]).collect();
        let subject: String = (0..pick(10)).map(|_| char::from(letters[pick(letters.len())])).collect();
        found += usize::from(compare(&find, &subject, &pattern));
    }
    assert!(found > 2_000, "only {found} patterns matched: the draw shows nothing");
}

#[test]
fn a_pattern_made_to_backtrack_runs_out_of_steps() {
    let pattern = "a?".repeat(30) + &"a".repeat(30);
    let mut matcher = Matcher::new(&[b'a'; 30], pattern.as_bytes(), 100_000);
    assert_eq!(matcher.at(0), Err(PatternError::Steps));
    assert_eq!(matcher.steps_left(), 0);
}
