//! A headless Chromium, driven by its own protocol: what a person would read on the page.

use crate::fail::{Fail, fail};
use crate::process::{Process, wait_for};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// Where the browser takes orders.
const PORT: &str = "127.0.0.1:9222";
/// A loaded machine may take its time to start a browser.
const START: Duration = Duration::from_secs(30);

/// An open page.
pub struct Page {
    // Ended with the page.
    _browser: Process,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    asked: u64,
}

impl Page {
    /// Opens a page in a browser of its own.
    pub fn open(dir: &Path, url: &str) -> Result<Self, Fail> {
        Self::open_with(dir, url, &[])
    }

    /// The same with further flags of the browser.
    pub fn open_with(dir: &Path, url: &str, flags: &[&str]) -> Result<Self, Fail> {
        let mut command = Command::new("chromium");
        command
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                // Tests make their own authorities.
                "--ignore-certificate-errors",
                "--lang=en-US",
            ])
            .args(["--remote-debugging-port=9222", "--remote-allow-origins=*", "--window-size=1400,900"])
            .arg(format!("--user-data-dir={}", dir.join("chromium").display()))
            .args(flags)
            .arg(url)
            .env("HOME", dir);
        let mut browser = Process::start("browser", dir, command)?;
        let seen = wait_for("the browser to open the page", START, || {
            if browser.ended().is_some() {
                return Some(None);
            }
            page_socket(url).map(Some)
        });
        let Ok(Some(at)) = seen else {
            return fail(format!("no page was opened; the browser said:\n{}", browser.output()));
        };
        let (socket, _) = tungstenite::connect(at)?;
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(crate::process::SOON))?;
        }
        let mut page = Self { _browser: browser, socket, asked: 0 };
        // It is listed before its document is there, and what is done to the empty one before that is lost.
        let place = format!("complete {url}");
        wait_for("the page to be loaded", START, || {
            let state = page.evaluate("document.readyState + ' ' + location.href").ok()?;
            state.as_str()?.starts_with(&place).then_some(())
        })?;
        Ok(page)
    }

    /// The value of an expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value, Fail> {
        self.asked += 1;
        let id = self.asked;
        let params = json!({ "expression": expression, "returnByValue": true });
        let order = json!({ "id": id, "method": "Runtime.evaluate", "params": params });
        self.socket.send(Message::text(order.to_string()))?;
        loop {
            if let Message::Text(text) = self.socket.read()? {
                let answer: Value = serde_json::from_str(text.as_str())?;
                if answer["id"] == id {
                    return Ok(answer["result"]["result"]["value"].clone());
                }
            }
        }
    }

    /// What can be read on it.
    pub fn text(&mut self) -> Result<String, Fail> {
        Ok(self.evaluate("document.body.innerText")?.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until all these words can be read on it at once.
    pub fn wait_text(&mut self, words: &[&str], limit: Duration) -> Result<(), Fail> {
        let mut last = String::new();
        let seen = wait_for(&format!("{words:?} on the page"), limit, || {
            last = self.text().ok()?;
            words.iter().all(|word| last.contains(word)).then_some(())
        });
        seen.map_err(|why| Fail(format!("{why}; it says:\n{last}")))
    }
}

/// The address of the page's own orders, once it is there.
fn page_socket(url: &str) -> Option<String> {
    let mut stream = TcpStream::connect(PORT).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET /json/list HTTP/1.1\r\nHost: {PORT}\r\nConnection: close\r\n\r\n").ok()?;
    let mut raw = Vec::new();
    // The browser may keep the connection open after its answer.
    let mut buf = [0; 16_384];
    while let Ok(len) = stream.read(&mut buf) {
        raw.extend(buf.get(..len)?);
        let text = String::from_utf8_lossy(&raw).into_owned();
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
        if let Some(pages) = body.and_then(|body| serde_json::from_str::<Vec<Value>>(body).ok()) {
            let page =
                pages.iter().find(|page| page["url"].as_str().is_some_and(|at| at.starts_with(url)))?;
            return page["webSocketDebuggerUrl"].as_str().map(str::to_owned);
        }
        if len == 0 {
            return None;
        }
    }
    None
}
