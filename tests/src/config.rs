//! The configuration of a test's switch, put together from what the test is about.

use crate::fail::Fail;
use crate::sound::write_tone;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The key that the tests' configurations give.
pub const KEY: &str = "test-key-of-the-harness";
/// What every account has as password.
pub const PASSWORD: &str = "a-secret";
/// The tone of the queues' music, Hz.
pub const MUSIC: f64 = 350.0;
/// The tone of the menu's prompt, Hz.
pub const MENU: f64 = 520.0;
/// The tone that says a place in a queue, Hz.
pub const PLACE: f64 = 1_000.0;

/// Transactions end within two seconds instead of 32 (RFC 3261 17: 64 * T1), so that their end can be waited for.
const TIMERS: &str = "t1 = \"30ms\"\nt2 = \"240ms\"\nt4 = \"300ms\"";

/// A configuration that grows.
#[derive(Clone, Debug)]
pub struct Config {
    dir: PathBuf,
    digest: &'static str,
    listen: String,
    media: String,
    sip: String,
    limits: String,
    timers: String,
    recordings: String,
    http: String,
    tenant: String,
    rest: String,
}

impl Config {
    /// The machine's part, on loopback, with folders below `dir`; prompts are tones.
    pub fn new(dir: &Path) -> Result<Self, Fail> {
        for (name, hertz, ms) in [
            ("music", MUSIC, 1_000),
            ("menu", MENU, 4_000),
            ("en/queue/you-are-number", PLACE, 300),
            ("en/digits/1", PLACE, 200),
            ("en/digits/2", PLACE, 200),
            ("en/queue/in-line", PLACE, 300),
        ] {
            write_tone(&dir.join("prompts").join(format!("{name}.wav")), hertz, ms)?;
        }
        let (limits, timers, tenant) = (String::new(), String::new(), String::new());
        Ok(Self {
            dir: dir.to_owned(),
            digest: "\"MD5\", \"SHA-256\"",
            listen: String::from("\"127.0.0.1:5060\""),
            media: String::from("address = \"127.0.0.1\""),
            sip: String::new(),
            limits,
            timers,
            recordings: String::new(),
            http: String::from("127.0.0.1:8080"),
            tenant,
            rest: String::new(),
        })
    }

    /// Offers MD5 alone: some phones give up when they are offered something else beside it.
    pub fn md5_alone(mut self) -> Self {
        self.digest = "\"MD5\"";
        self
    }

    /// Offers SHA-256 alone (RFC 8760).
    pub fn sha256_alone(mut self) -> Self {
        self.digest = "\"SHA-256\"";
        self
    }

    /// The addresses to listen on, in place of loopback's.
    pub fn listens(mut self, addresses: &[&str]) -> Self {
        let quoted: Vec<String> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
        self.listen = quoted.join(", ");
        self
    }

    /// Where API and pages are, in place of loopback.
    pub fn pages_at(mut self, address: &str) -> Self {
        self.http = address.to_owned();
        self
    }

    /// One more address to listen on, with its transport.
    pub fn listen(mut self, address: &str) -> Self {
        let _ = write!(self.listen, ", \"{address}\"");
        self
    }

    /// Lines of `[media]` in place of its address.
    pub fn media(mut self, lines: &str) -> Self {
        self.media = lines.to_owned();
        self
    }

    /// A line of `[sip]`.
    pub fn sip(mut self, line: &str) -> Self {
        let _ = writeln!(self.sip, "{line}");
        self
    }

    /// A line of `[limits]`.
    pub fn limit(mut self, line: &str) -> Self {
        let _ = writeln!(self.limits, "{line}");
        self
    }

    /// A line of `[sip.timers]` in place of the harness's.
    pub fn timer(mut self, line: &str) -> Self {
        let _ = writeln!(self.timers, "{line}");
        self
    }

    /// A line of `[recordings]`.
    pub fn recordings(mut self, line: &str) -> Self {
        let _ = writeln!(self.recordings, "{line}");
        self
    }

    /// A line of `[tenant.default]`.
    pub fn tenant(mut self, line: &str) -> Self {
        let _ = writeln!(self.tenant, "{line}");
        self
    }

    /// An account.
    pub fn user(self, name: &str) -> Self {
        self.more(&format!("[tenant.default.user.{name}]\npassword = \"{PASSWORD}\""))
    }

    /// An account and its agent, who serves the queue `sales` and is ready as soon as a phone is there.
    pub fn agent(self, name: &str) -> Self {
        let user = self.user(name);
        user.more(&format!("[tenant.default.agent.{name}]\nqueues = [\"sales\"]\nauto_sign_in = true"))
    }

    /// The queue `sales` at 501, with music; `more` are further lines of it.
    pub fn queue(self, more: &str) -> Self {
        // Who calls before an agent has signed in waits, unless the test says otherwise.
        let wait = if more.contains("on_nobody") { "" } else { "on_nobody = \"wait\"\n" };
        let queue = format!("[tenant.default.queue.sales]\nmusic = \"music\"\n{wait}{more}");
        self.more(&queue).number("501", "queue:sales")
    }

    /// A flow with its text.
    pub fn flow(self, name: &str, lua: &str) -> Result<Self, Fail> {
        std::fs::write(self.dir.join(format!("{name}.lua")), lua)?;
        Ok(self.more(&format!("[tenant.default.flow.{name}]\nfile = \"{name}.lua\"")))
    }

    /// A number and where it leads.
    pub fn number(self, number: &str, to: &str) -> Self {
        self.more(&format!("[[tenant.default.number]]\naccess_code = \"{number}\"\nto = \"{to}\""))
    }

    /// The trunk that callers at 127.0.0.2 come by.
    pub fn trunk(self) -> Self {
        self.more("[tenant.default.trunk.carrier]\npeers = [\"127.0.0.2\"]")
    }

    /// Any sections.
    pub fn more(mut self, text: &str) -> Self {
        let _ = writeln!(self.rest, "{text}\n");
        self
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let Self { digest, listen, media, sip, limits, recordings, http, tenant, rest, .. } = self;
        let timers = if self.timers.is_empty() { TIMERS } else { &self.timers };
        format!(
            "[sip]\nlisten = [{listen}]\ndigest = [{digest}]\n{sip}[sip.timers]\n{timers}\n[media]\n{media}\n\
             port_min = 20000\nport_max = 21999\nport_linger = \"100ms\"\n[http]\nlisten = \"{http}\"\n\
             [flows]\ndir = \"var/flows\"\n[store]\npath = \"var/cordboard.db\"\n[journal]\ndir = \"var/journal\"\n\
             [recordings]\ndir = \"var/recordings\"\n{recordings}[limits]\n{limits}\n\
             [[api_key]]\nname = \"harness\"\nkey = \"{KEY}\"\n\n\
             [tenant.default]\nprompts = \"prompts\"\n{tenant}\n{rest}"
        )
    }
}
