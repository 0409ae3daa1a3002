//! Why a test failed, as a sentence.

use std::fmt;

/// A sentence that says what was expected and what was seen.
#[derive(Debug)]
pub struct Fail(pub String);

/// What a test ends with.
pub type Outcome = Result<(), Fail>;

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Fail {
    fn from(why: E) -> Self {
        Fail(why.to_string())
    }
}

/// A failure with this sentence.
pub fn fail<T>(text: impl Into<String>) -> Result<T, Fail> {
    Err(Fail(text.into()))
}

/// Fails with `text` unless `holds`.
pub fn ensure(holds: bool, text: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Fail(text())) }
}
