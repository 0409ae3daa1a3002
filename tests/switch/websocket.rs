//! Who may open a WebSocket for SIP (RFC 7118), on its own listener and on that of the pages.

use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::switch::Switch;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

/// The first line of the answer to a handshake (RFC 6455 4.1) at `at` by a page of `origin`.
fn handshake(at: &str, path: &str, origin: Option<&str>) -> Result<String, Fail> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let origin = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
    let text = format!(
        "GET {path} HTTP/1.1\r\nHost: {at}\r\n{origin}Connection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: sip\r\n\r\n"
    );
    stream.write_all(text.as_bytes())?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n") && stream.read(&mut byte)? == 1 {
        answer.extend(byte);
    }
    Ok(String::from_utf8_lossy(&answer).trim().to_owned())
}

pub fn origins(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.listen("ws:127.0.0.1:5062").sip("origins = [\"https://desk.example\"]");
    let _switch = Switch::start(dir, &config)?;
    for (at, path) in [("127.0.0.1:5062", "/"), ("127.0.0.1:8080", "/sip")] {
        let same = format!("http://{at}");
        for (origin, wanted) in [
            (None, "101"),
            (Some(same.as_str()), "101"),
            (Some("https://desk.example"), "101"),
            (Some("https://desk.example.evil.example"), "403"),
            (Some("null"), "403"),
        ] {
            let line = handshake(at, path, origin)?;
            ensure(line.contains(wanted), || format!("{at}{path} said {line:?} to a page of {origin:?}"))?;
        }
    }
    Ok(())
}
