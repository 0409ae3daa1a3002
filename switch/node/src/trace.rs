//! `cordboard trace`: asks the running switch for the ladder of a call.

use crate::cli::TraceArgs;
use crate::config::{API_KEY_VARIABLE, Loaded};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest time that the switch may take for a step.
const WAIT: Duration = Duration::from_secs(10);

/// Prints the ladder, or writes the capture.
///
/// # Errors
/// What the switch says, or why it cannot be asked, in words.
pub fn trace(args: &TraceArgs, loaded: &Loaded) -> Result<(), String> {
    let key = std::env::var(API_KEY_VARIABLE).map_err(|_| {
        format!("set {API_KEY_VARIABLE} to a key of the control API: the running switch is asked")
    })?;
    let at = args.http.unwrap_or_else(|| reachable(loaded.machine.http.listen));
    let call = escaped(&args.call);
    let path = match args.pcap {
        Some(_) => format!("/api/v1/calls/{call}/trace.pcap"),
        None => format!("/api/v1/calls/{call}/trace?format=text&messages={}", args.messages),
    };
    let (status, body) = get(at, &path, &key).map_err(|why| {
        format!("the switch cannot be asked at {at}: {why}; is it up? --http says where it listens")
    })?;
    if status != 200 {
        return Err(refused(status, &body));
    }
    match &args.pcap {
        Some(file) => std::fs::write(file, body).map_err(|why| format!("{}: {why}", file.display())),
        None => std::io::stdout().write_all(&body).map_err(|why| why.to_string()),
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
fn escaped(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// HTTP/1.0, so that the body ends with the connection and comes in one piece.
fn get(at: SocketAddr, path: &str, key: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&at, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {at}\r\nAuthorization: Bearer {key}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let other = || std::io::Error::other("it does not speak HTTP");
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").ok_or_else(other)?;
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(other)?;
    Ok((status, answer.split_off(end + 4)))
}

/// What stands in a problem, for people.
fn refused(status: u16, body: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let word =
        |key: &str| problem.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let (title, detail) = (word("title"), word("detail"));
    format!("the switch says {status}: {title}{}{detail}", if detail.is_empty() { "" } else { "; " })
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
}
