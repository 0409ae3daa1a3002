//! Questions that the command line has for the running switch: a request, and its answer for people.

use crate::config::{API_KEY_VARIABLE, Loaded};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest time that the switch may take for a step.
const WAIT: Duration = Duration::from_secs(10);

/// Where the switch is asked, and as whom.
pub struct Line {
    at: SocketAddr,
    key: String,
}

impl Line {
    /// To the switch of this configuration, or to where `http` says.
    ///
    /// # Errors
    /// There is no key in the environment.
    pub fn new(http: Option<SocketAddr>, loaded: &Loaded) -> Result<Self, String> {
        let key = std::env::var(API_KEY_VARIABLE).map_err(|_| {
            format!("set {API_KEY_VARIABLE} to a key of the control API: the running switch is asked")
        })?;
        Ok(Self { at: http.unwrap_or_else(|| reachable(loaded.machine.http.listen)), key })
    }

    /// The body of a good answer.
    ///
    /// # Errors
    /// What the switch says, or why it cannot be asked, in words.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Result<Vec<u8>, String> {
        let at = self.at;
        let (status, body) = self.send(method, path, body).map_err(|why| {
            format!("the switch cannot be asked at {at}: {why}; is it up? --http says where it listens")
        })?;
        if status != 200 {
            return Err(refused(status, &body));
        }
        Ok(body)
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub fn json(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let body = self.ask(method, path, body)?;
        serde_json::from_slice(&body).map_err(|why| format!("the switch's answer cannot be read: {why}"))
    }

    /// HTTP/1.0, so that the body ends with the connection and comes in one piece.
    fn send(&self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, Vec<u8>)> {
        let Self { at, key } = self;
        let mut stream = TcpStream::connect_timeout(at, WAIT)?;
        stream.set_read_timeout(Some(WAIT))?;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {at}\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let other = || std::io::Error::other("it does not speak HTTP");
        let end = answer.windows(4).position(|part| part == b"\r\n\r\n").ok_or_else(other)?;
        let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(other)?;
        Ok((status, answer.split_off(end + 4)))
    }
}

/// An address by which this machine reaches what listens on it.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], listen.port())),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::from(([0u16, 0, 0, 0, 0, 0, 0, 1], listen.port()))
        }
        _ => listen,
    }
}

/// A segment of a path (RFC 3986 2.1): a Call-ID may hold anything.
pub fn escaped(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// What stands in a problem, for people: each fault on a line of its own, if there are any.
fn refused(status: u16, body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let word = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (title, detail) = (word("title"), word("detail"));
    let faults = problem.get("errors").and_then(Value::as_array).into_iter().flatten();
    let mut lines: Vec<String> = faults.filter_map(Value::as_str).map(str::to_owned).collect();
    lines.push(format!(
        "the switch says {status}: {title}{}{detail}",
        if detail.is_empty() { "" } else { "; " }
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_becomes_one_segment_of_a_path() {
        assert_eq!(escaped("a-b.c_d~1"), "a-b.c_d~1");
        assert_eq!(escaped("1@[::1]/?#%"), "1%40%5B%3A%3A1%5D%2F%3F%23%25");
    }

    #[test]
    fn what_listens_everywhere_is_reached_on_loopback() {
        assert_eq!(reachable("0.0.0.0:8080".parse().unwrap()).to_string(), "127.0.0.1:8080");
        assert_eq!(reachable("[::]:8080".parse().unwrap()).to_string(), "[::1]:8080");
        assert_eq!(reachable("192.0.2.1:80".parse().unwrap()).to_string(), "192.0.2.1:80");
    }

    #[test]
    fn each_fault_of_a_refusal_stands_on_its_line() {
        let body =
            br#"{"title": "the request is not valid", "errors": ["main.lua:1:1: a", "main.lua:2:1: b"]}"#;
        let said = "main.lua:1:1: a\nmain.lua:2:1: b\nthe switch says 422: the request is not valid";
        assert_eq!(refused(422, body), said);
    }
}
