//! The control plane as an integrator uses it: HTTP and WebSocket on loopback, with a key.

use crate::fail::{Fail, fail};
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// A client of one switch.
#[derive(Clone, Debug)]
pub struct Api {
    /// `address:port`.
    pub at: String,
    /// The key.
    pub key: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers, as sent.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Fail> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

impl Api {
    /// Sends a request and reads the whole answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Result<Answer, Fail> {
        self.send_with(method, path, "", body)
    }

    /// Sends a request with another key.
    pub fn send_as(&self, method: &str, path: &str, key: &str) -> Result<Answer, Fail> {
        Self { at: self.at.clone(), key: key.into() }.send(method, path, "")
    }

    /// The same with another key; with an empty one, without any.
    pub fn with_key(&self, key: &str) -> Self {
        Self { at: self.at.clone(), key: key.into() }
    }

    /// Sends a request with more header lines, each with its line end.
    pub fn send_with(&self, method: &str, path: &str, more: &str, body: &str) -> Result<Answer, Fail> {
        let mut stream = TcpStream::connect(&self.at)?;
        stream.set_read_timeout(Some(crate::process::SOON))?;
        let (at, key, len) = (&self.at, &self.key, body.len());
        let key = if key.is_empty() { String::new() } else { format!("Authorization: Bearer {key}\r\n") };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {at}\r\n{key}{kind}{more}\
             Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
        )?;
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw)?;
        parse(&raw)
    }

    /// GET as JSON; fails on anything but 200.
    pub fn get(&self, path: &str) -> Result<Value, Fail> {
        let answer = self.send("GET", path, "")?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return fail(format!("GET {path}: {} {body}", answer.status));
        }
        answer.json()
    }

    /// The `items` of a list.
    pub fn list(&self, path: &str) -> Result<Vec<Value>, Fail> {
        let value = self.get(path)?;
        value
            .get("items")
            .and_then(Value::as_array)
            .cloned()
            .ok_or_else(|| Fail(format!("{path}: no items: {value}")))
    }

    /// POST; fails on anything but 200.
    pub fn post(&self, path: &str) -> Result<Value, Fail> {
        self.post_body(path, "")
    }

    /// The same with a body.
    pub fn post_body(&self, path: &str, body: &str) -> Result<Value, Fail> {
        let answer = self.send("POST", path, body)?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return fail(format!("POST {path}: {} {body}", answer.status));
        }
        answer.json()
    }

    /// Puts a body; what the answer says.
    pub fn put(&self, path: &str, body: &str) -> Result<Value, Fail> {
        let answer = self.send("PUT", path, body)?;
        if !matches!(answer.status, 200 | 201) {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return fail(format!("PUT {path}: {} {body}", answer.status));
        }
        answer.json()
    }

    /// The value of a metric without labels.
    pub fn metric(&self, name: &str) -> Result<f64, Fail> {
        let answer = self.send("GET", "/metrics", "")?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let line =
            text.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')));
        let value = line.and_then(|value| value.trim().parse().ok());
        value.ok_or_else(|| Fail(format!("no metric {name} in\n{text}")))
    }

    /// Opens the event stream, from `since` (`START-SEQ`) or from now: what happens after this returns is in it.
    pub fn events(&self, since: Option<&str>) -> Result<Stream, Fail> {
        let query = since.map(|since| format!("?since={since}")).unwrap_or_default();
        let mut request = format!("ws://{}/api/v1/events{query}", self.at).into_client_request()?;
        let bearer = format!("Bearer {}", self.key).parse()?;
        request.headers_mut().insert("Authorization", bearer);
        let (socket, _) = tungstenite::connect(request)?;
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(crate::process::SOON))?;
        }
        let mut stream = Stream { socket, read: VecDeque::new() };
        // The greeting; without `since` also the snapshot, before which nothing is certain to be told as an event.
        let greeting = if since.is_some() { 1 } else { 2 };
        let messages: Result<VecDeque<Value>, Fail> = (0..greeting).map(|_| stream.read()).collect();
        stream.read = messages?;
        Ok(stream)
    }
}

fn parse(raw: &[u8]) -> Result<Answer, Fail> {
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(|| Fail("no HTTP answer".into()))?;
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    let mut body = raw[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunk(&body);
    }
    Ok(Answer { status: status.ok_or_else(|| Fail(format!("no status in {head}")))?, head, body })
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = body.windows(2).position(|w| w == b"\r\n") {
        let size =
            std::str::from_utf8(&body[..end]).ok().and_then(|hex| usize::from_str_radix(hex.trim(), 16).ok());
        let Some(size) = size.filter(|size| *size > 0) else {
            break;
        };
        let from = end + 2;
        out.extend(body.get(from..from + size).unwrap_or_default());
        body = body.get(from + size + 2..).unwrap_or_default();
    }
    out
}

/// Whether a message is one that is waited for.
type Wanted<'a> = &'a dyn Fn(&Value) -> bool;

/// An open event stream.
pub struct Stream {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    /// Read already, not yet given.
    read: VecDeque<Value>,
}

impl Stream {
    /// The next message that is not a ping.
    pub fn read(&mut self) -> Result<Value, Fail> {
        if let Some(message) = self.read.pop_front() {
            return Ok(message);
        }
        loop {
            match self.socket.read()? {
                Message::Text(text) => return Ok(serde_json::from_str(text.as_str())?),
                Message::Close(_) => return fail("the event stream was closed"),
                _ => {}
            }
        }
    }

    /// Reads until a message for which `wanted` holds; gives all that were read, that one last.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Vec<Value>, Fail> {
        let mut read = Vec::new();
        loop {
            let message =
                self.read().map_err(|why| Fail(format!("waiting for {what}: {why}; read {read:?}")))?;
            let found = wanted(&message);
            read.push(message);
            if found {
                return Ok(read);
            }
        }
    }

    /// Reads until each of `wanted` has held for some message, in whatever order they come: what two threads of the switch
    /// tell has no order between them.
    pub fn until_each(&mut self, wanted: &[(&str, Wanted<'_>)]) -> Result<(), Fail> {
        let mut missing = wanted.to_vec();
        while let Some((what, _)) = missing.first() {
            let message = self.until(what, |_| true)?;
            missing.retain(|(_, holds)| !message.iter().any(holds));
        }
        Ok(())
    }

    /// Cuts the connection without a goodbye.
    pub fn cut(self) {
        drop(self.socket);
    }
}
