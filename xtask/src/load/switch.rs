//! The switch under load: the release binary with a configuration of its own, in a folder of its own.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::machine::on_core;
use super::place::{CALLED, CALLER, HTTP, NUMBER, PROBE, PROBE_NUMBER, SIP};
use crate::steps::{cargo, plain};

/// Of the drivers that use the API.
pub(super) const KEY: &str = "key-of-the-load-drivers";
const SOON: Duration = Duration::from_secs(10);

/// A folder that goes when the run ends well.
pub(super) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    pub(super) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("cordboard-load-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path, keep: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it for whoever wants to know what went wrong.
    pub(super) fn keep(&mut self) {
        self.keep = true;
        println!("logs are kept in {}", self.path.display());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed is the temporary folder's to clean.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A running switch; it ends with this value.
pub(super) struct Switch {
    child: Child,
}

/// Builds the release binary, unless told not to, and says where it is.
pub(super) fn binary(root: &Path, build: bool) -> Result<PathBuf, String> {
    let path = root.join("target").join("release").join("cordboard");
    if build {
        let command = cargo(root, &["build", "--release", "--package", "cordboard-node"]);
        match plain(command) {
            Ok(true) => {}
            Ok(false) => return Err("the release binary could not be built".to_owned()),
            Err(error) => return Err(format!("cargo did not start: {error}")),
        }
    }
    if path.exists() { Ok(path) } else { Err(format!("there is no {}", path.display())) }
}

/// What a driver adds to the configuration.
#[derive(Clone, Copy, Default)]
pub(super) struct More<'a> {
    /// Lines of `[sip]`.
    pub(super) sip: &'a str,
    /// Lines of `[media]`.
    pub(super) media: &'a str,
    /// Lines of `[limits]`.
    pub(super) limits: &'a str,
    /// Most calls, if not 20,000: what they may need of open files the control plane's connections do not get.
    pub(super) calls: Option<u32>,
    /// Lines of the tenant.
    pub(super) tenant: &'a str,
    /// Sections of any kind.
    pub(super) sections: &'a str,
}

/// Every call comes by one trunk and leaves by another: no account, no digest, no flow, no queue. Ports for
/// 12,500 calls at a time, for a port rests two seconds after its call.
fn configuration(more: More<'_>) -> String {
    let More { sip, media, limits, calls, tenant, sections } = more;
    let calls = calls.unwrap_or(20_000);
    // SIPp's called side would count an OPTIONS as a call that failed.
    let trunk = |name: &str, key: &str, value: &str| {
        format!(
            "[tenant.default.trunk.{name}]\n{key} = {value}\nmax_calls = 100000\noptions_every = \"0s\"\n"
        )
    };
    let number = |number: &str, trunk: &str| {
        format!("[[tenant.default.number]]\naccess_code = \"{number}\"\nto = \"trunk:{trunk}:{number}\"\n")
    };
    [
        format!("[sip]\nlisten = [\"{SIP}\", \"tcp:{SIP}\"]\n{sip}\n[media]\naddress = \"127.0.0.1\"\nport_min = 10000\nport_max = 59999\n{media}\n"),
        format!("[http]\nlisten = \"{HTTP}\"\n[store]\npath = \"var/cordboard.db\"\n[journal]\ndir = \"var/journal\"\n"),
        "[recordings]\ndir = \"var/recordings\"\n[log]\nlevel = \"warn\"\n".to_owned(),
        // No packets flow, and that must not end a call.
        format!("[limits]\nmedia_silence = \"1h\"\ncalls = {calls}\n{limits}\n[tenant.default]\n{tenant}\n"),
        trunk("in", "peers", &format!("[\"{CALLER}\", \"{PROBE}\"]")),
        trunk("out", "gateway", &format!("\"{CALLED}:5060\"")),
        trunk("probe", "gateway", &format!("\"{PROBE}:5060\"")),
        number(NUMBER, "out"),
        number(PROBE_NUMBER, "probe"),
        sections.to_owned(),
    ]
    .concat()
}

impl Switch {
    pub(super) fn start(binary: &Path, dir: &Path) -> Result<Self, String> {
        Self::start_with(binary, dir, More::default())
    }

    /// With more in its configuration.
    pub(super) fn start_with(binary: &Path, dir: &Path, more: More<'_>) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("the switch did not start: {error}");
        let (config, output) = (dir.join("cordboard.toml"), dir.join("cordboard.out"));
        fs::write(&config, configuration(more)).map_err(wrong)?;
        let log = File::create(&output).map_err(wrong)?;
        let mut command = on_core(binary, true);
        command.arg("run").arg("--config").arg(&config).current_dir(dir).stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(wrong)?).stderr(log);
        let mut switch = Self { child: command.spawn().map_err(wrong)? };
        let begun = Instant::now();
        while begun.elapsed() < SOON {
            let said = fs::read_to_string(&output).unwrap_or_default();
            if said.lines().any(|line| line.starts_with("ready ")) {
                return Ok(switch);
            }
            if switch.child.try_wait().ok().flatten().is_some() {
                return Err(format!("the switch ended at its start:\n{said}"));
            }
            sleep(Duration::from_millis(10));
        }
        Err("the switch did not become ready".to_owned())
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A value of its metrics.
    pub(super) fn metric(&self, name: &str) -> Option<f64> {
        let (_, answer) = self.ask("GET", "/metrics", "").ok()?;
        let lines = answer.lines().filter(|line| !line.starts_with('#'));
        let mut values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        values.next()?.trim().parse().ok()
    }

    /// Asks the API the same for every call that is up.
    pub(super) fn for_each_call(
        &self,
        what: &str,
        body: &str,
        mut then: impl FnMut() -> Result<(), String>,
    ) -> Result<(), String> {
        let wrong = |error: io::Error| format!("the switch does not answer: {error}");
        let (_, list) = self.ask("GET", "/api/v1/calls", "").map_err(wrong)?;
        let ids = list.split("\"call\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        // In the order in which they came: ids count up, in hexadecimal digits.
        let mut ids: Vec<&str> = ids.collect();
        ids.sort_unstable_by_key(|id| (id.len(), *id));
        for id in ids {
            let (status, said) =
                self.ask("POST", &format!("/api/v1/calls/{id}/{what}"), body).map_err(wrong)?;
            if !status.starts_with('2') {
                return Err(format!("{what} of {id}: {status} {said}"));
            }
            then()?;
        }
        Ok(())
    }

    /// Status and body of an answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> io::Result<(String, String)> {
        let mut stream = TcpStream::connect(HTTP)?;
        stream.set_read_timeout(Some(SOON))?;
        let ask = format!(
            "{method} {path} HTTP/1.1\r\nHost: {HTTP}\r\nX-Api-Key: {KEY}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(ask.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or_default();
        Ok((status.to_owned(), body.to_owned()))
    }

    /// Waits until it has exactly this many calls up.
    pub(super) fn wait_calls(&self, calls: u32) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let up = self.metric("cordboard_calls");
            if up == Some(f64::from(calls)) {
                return Ok(());
            }
            if begun.elapsed() > SOON {
                return Err(format!("{up:?} calls are up instead of {calls}"));
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as Ctrl-C does.
    pub(super) fn stop(mut self) -> Result<(), String> {
        let pid = self.pid().to_string();
        let asked = Command::new("kill").args(["-INT", &pid]).status();
        if !asked.is_ok_and(|status| status.success()) {
            return Err("the switch could not be asked to end".to_owned());
        }
        let begun = Instant::now();
        while begun.elapsed() < SOON {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("the switch ended with {status}")),
                _ => sleep(Duration::from_millis(20)),
            }
        }
        Err("the switch did not end when asked".to_owned())
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        // It has ended already, when all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
