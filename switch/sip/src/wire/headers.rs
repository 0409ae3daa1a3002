//! The ordered list of header fields (RFC 3261 7.3).
//! Invariant: no value holds CR or LF, so no value can begin a header when it is printed.

use super::{HeaderName, scan};

/// One header field: its name and its unfolded value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    name: HeaderName,
    value: String,
}

impl Header {
    /// The name.
    #[must_use]
    pub const fn name(&self) -> &HeaderName {
        &self.name
    }

    /// The value, unfolded and without blanks at its ends.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The header fields of a message in their order. Via, Route, Record-Route, Contact, Path and
/// Service-Route have one entry per list element; Content-Length is never among them, as
/// [`super::Message::to_bytes`] writes it from the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    entries: Vec<Header>,
}

impl Headers {
    /// No header at all.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    pub(crate) fn with_capacity(entries: usize) -> Self {
        Self { entries: Vec::with_capacity(entries) }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.entries.iter()
    }

    /// The first value of `name`.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&str> {
        self.entries.iter().find(|entry| entry.name == *name).map(|entry| entry.value.as_str())
    }

    /// All values of `name` in order.
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter(move |entry| entry.name == *name).map(|e| e.value.as_str())
    }

    /// The elements of a list of tokens over all lines of `name` (Allow, Supported, Require,
    /// Proxy-Require, Unsupported, Accept ...), trimmed, empty ones left out.
    pub fn tokens<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.get_all(name).flat_map(scan::split_list).filter(|token| !token.is_empty())
    }

    /// Whether there is a header of `name`.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// Adds a value after all others. CR and LF in it become spaces.
    pub fn push(&mut self, name: HeaderName, value: impl Into<String>) {
        self.entries.push(Header { name, value: scan::single_line(value.into()) });
    }

    /// Adds a value that is known to hold no line end.
    pub(crate) fn push_clean(&mut self, name: HeaderName, value: String) {
        self.entries.push(Header { name, value });
    }

    /// Adds a value before the first of its name, or before all others when it is the first.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<String>) {
        let at = self.position(&name).unwrap_or(0);
        self.entries.insert(at, Header { name, value: scan::single_line(value.into()) });
    }

    /// Makes `value` the only one of `name`, in the place of the first, or at the end.
    pub fn set(&mut self, name: HeaderName, value: impl Into<String>) {
        let Some(at) = self.position(&name) else {
            return self.push(name, value);
        };
        let value = scan::single_line(value.into());
        let mut index = 0;
        self.entries.retain(|entry| {
            index += 1;
            index <= at + 1 || entry.name != name
        });
        if let Some(entry) = self.entries.get_mut(at) {
            entry.value = value;
        }
    }

    /// Replaces the first value of `name` and leaves the others, or adds it at the front.
    pub fn set_first(&mut self, name: HeaderName, value: impl Into<String>) {
        let at = self.position(&name);
        match at.and_then(|at| self.entries.get_mut(at)) {
            Some(entry) => entry.value = scan::single_line(value.into()),
            None => self.push_front(name, value),
        }
    }

    /// Removes every value of `name` and says how many there were.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.name != *name);
        before - self.entries.len()
    }

    /// Removes the first value of `name` and hands it back.
    pub fn remove_first(&mut self, name: &HeaderName) -> Option<String> {
        let at = self.position(name)?;
        Some(self.entries.remove(at).value)
    }

    /// Copies every value of `name` from another list.
    pub fn copy_from(&mut self, other: &Self, name: &HeaderName) {
        self.entries.extend(other.entries.iter().filter(|entry| entry.name == *name).cloned());
    }

    fn position(&self, name: &HeaderName) -> Option<usize> {
        self.entries.iter().position(|entry| entry.name == *name)
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(headers: &Headers) -> Vec<String> {
        headers.iter().map(|h| format!("{}={}", h.name(), h.value())).collect()
    }

    #[test]
    fn a_value_cannot_begin_a_header() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Subject, "x\r\nVia: evil");
        assert_eq!(headers.get(&HeaderName::Subject), Some("x  Via: evil"));
    }

    #[test]
    fn set_keeps_the_place_and_drops_the_rest() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Route, "1");
        headers.push(HeaderName::To, "t");
        headers.push(HeaderName::Route, "2");
        headers.push(HeaderName::Route, "3");
        headers.set_first(HeaderName::Route, "0");
        assert_eq!(list(&headers), ["Route=0", "To=t", "Route=2", "Route=3"]);
        headers.set(HeaderName::Route, "9");
        assert_eq!(list(&headers), ["Route=9", "To=t"]);
        headers.set(HeaderName::Date, "d");
        headers.push_front(HeaderName::To, "s");
        headers.push_front(HeaderName::Via, "v");
        assert_eq!(list(&headers), ["Via=v", "Route=9", "To=s", "To=t", "Date=d"]);
        assert_eq!(headers.remove(&HeaderName::To), 2);
        assert_eq!(headers.remove_first(&HeaderName::Via).as_deref(), Some("v"));
        assert_eq!(list(&headers), ["Route=9", "Date=d"]);
    }

    #[test]
    fn token_lists_are_read_over_all_lines() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Require, "100rel, timer");
        headers.push(HeaderName::Require, ", nothing ,");
        let tokens: Vec<_> = headers.tokens(&HeaderName::Require).collect();
        assert_eq!(tokens, ["100rel", "timer", "nothing"]);
    }
}
