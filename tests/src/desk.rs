//! Pages as their users have them: a headless Chromium, driven through playwright by `browser/driver.mjs`.

use crate::fail::{Fail, ensure, fail};
use crate::process::{Process, SOON, wait_for};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Longest that one order may take: longer than the driver itself waits for anything.
const ORDER: Duration = Duration::from_secs(45);

/// A browser with its pages.
pub struct Desk {
    driver: Process,
    asked: u64,
}

/// What of a page is meant: the page, or a frame in it.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The page's name in this test.
    pub page: &'a str,
    /// The name of a frame in it.
    pub frame: Option<&'a str>,
}

/// What a page holds, without garbage.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Objects of its scripts, KiB.
    pub heap_kib: f64,
    /// Nodes of documents, whether they are in the page or only held.
    pub nodes: f64,
    /// Listeners on nodes and other targets.
    pub listeners: f64,
    /// `RTCPeerConnection`s that something holds.
    pub connections: f64,
    /// Those of them that nobody has closed.
    pub open: f64,
    /// Tracks of microphones and callers that go on.
    pub tracks: f64,
    /// `AudioContext`s that nobody has closed.
    pub contexts: f64,
}

/// A page by itself.
pub fn page(page: &str) -> At<'_> {
    At { page, frame: None }
}

impl Desk {
    /// Starts a browser whose microphone says what this WAV file does.
    pub fn start(dir: &Path, microphone: &Path) -> Result<Self, Fail> {
        Self::start_with(dir, microphone, &[])
    }

    /// The same, and gives it flags.
    pub fn start_with(dir: &Path, microphone: &Path, flags: &[String]) -> Result<Self, Fail> {
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/driver.mjs");
        let mut command = Command::new("node");
        command
            .arg(driver)
            .arg(dir)
            .arg(format!("--use-file-for-fake-audio-capture={}", microphone.display()))
            .args(flags)
            .env("HOME", dir);
        let mut driver = Process::start_with_input("desk", dir, command)?;
        driver.wait_line("{\"id\":0,", SOON)?;
        Ok(Self { driver, asked: 0 })
    }

    /// Has the driver do something; its answer.
    pub fn does(&mut self, what: &str, at: At<'_>, more: Value) -> Result<Value, Fail> {
        self.asked += 1;
        let mut order = json!({ "id": self.asked, "do": what, "page": at.page, "frame": at.frame });
        if let (Some(order), Some(more)) = (order.as_object_mut(), more.as_object()) {
            order.extend(more.clone());
        }
        self.driver.type_line(&order.to_string())?;
        let line = self.driver.wait_line(&format!("{{\"id\":{},", self.asked), ORDER)?;
        let answer: Value = serde_json::from_str(&line)?;
        if answer["ok"] == true {
            return Ok(answer["value"].clone());
        }
        let why = answer["error"].as_str().unwrap_or_default();
        fail(format!("{order}: {why}"))
    }

    /// Opens a page under a name.
    pub fn open(&mut self, name: &str, url: &str) -> Result<(), Fail> {
        self.does("open", page(name), json!({ "url": url })).map(drop)
    }

    /// Types into the field of this label.
    pub fn fill(&mut self, at: At<'_>, label: &str, text: &str) -> Result<(), Fail> {
        self.does("fill", at, json!({ "what": label, "text": text })).map(drop)
    }

    /// Presses the button of this name.
    pub fn click(&mut self, at: At<'_>, name: &str) -> Result<(), Fail> {
        self.does("click", at, json!({ "what": name })).map(drop)
    }

    /// Waits until this can be read.
    pub fn sees(&mut self, at: At<'_>, text: &str) -> Result<(), Fail> {
        self.does("sees", at, json!({ "text": text })).map(drop)
    }

    /// Waits until this cannot be read any more.
    pub fn loses(&mut self, at: At<'_>, text: &str) -> Result<(), Fail> {
        self.does("loses", at, json!({ "text": text })).map(drop)
    }

    /// The value of an expression.
    pub fn evaluate(&mut self, at: At<'_>, expression: &str) -> Result<Value, Fail> {
        self.does("evaluate", at, json!({ "expression": expression }))
    }

    /// Waits until the loudest that the page's phone plays is this tone.
    pub fn hears(&mut self, at: At<'_>, hertz: f64, limit: Duration) -> Result<(), Fail> {
        let mut last = Value::Null;
        let heard = wait_for(&format!("page {} to hear {hertz} Hz", at.page), limit, || {
            last = self.does("hears", at, json!({})).ok()?;
            (last.as_f64().unwrap_or_default() - hertz).abs().lt(&15.0).then_some(())
        });
        heard.map_err(|why| Fail(format!("{why}; it hears {last}")))
    }

    /// What a page holds after its garbage was collected.
    pub fn memory(&mut self, at: At<'_>) -> Result<Memory, Fail> {
        let found = self.does("memory", at, json!({}))?;
        let figure = |name: &str| {
            found[name]
                .as_f64()
                .ok_or_else(|| Fail(format!("the browser says {found}, and nothing of {name}")))
        };
        Ok(Memory {
            heap_kib: figure("heap")? / 1_024.0,
            nodes: figure("nodes")?,
            listeners: figure("listeners")?,
            connections: figure("connections")?,
            open: figure("open")?,
            tracks: figure("tracks")?,
            contexts: figure("contexts")?,
        })
    }

    /// Fails if a page's console has an error.
    pub fn ensure_quiet(&mut self, at: At<'_>) -> Result<(), Fail> {
        let errors = self.does("errors", at, json!({}))?;
        ensure(errors == json!([]), || format!("the console says {errors}"))
    }

    /// Fails if a page has an error in its console, or a fault that keeps somebody from using it.
    pub fn ensure_clean(&mut self, at: At<'_>) -> Result<(), Fail> {
        let found = self.does("axe", at, json!({}))?;
        ensure(found == json!([]), || format!("axe finds {found}"))?;
        self.ensure_quiet(at)
    }
}
