//! The switch under test, started as its users start it: the binary, a configuration file, a folder.

use crate::api::Api;
use crate::config::{Config, KEY};
use crate::fail::{Fail, fail};
use crate::process::{Process, wait_for};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use crate::process::SOON;

/// A running switch.
pub struct Switch {
    process: Process,
    /// Its control plane.
    pub api: Api,
    /// `address:port` of its SIP socket.
    pub sip: String,
    dir: PathBuf,
    config: PathBuf,
}

/// The binary that the build left beside this test.
pub fn binary() -> Result<PathBuf, Fail> {
    let me = std::env::current_exe()?;
    // target/debug/deps/switch-…
    let found = me.parent().and_then(Path::parent).map(|dir| dir.join("cordboard"));
    match found {
        Some(found) if found.exists() => Ok(found),
        other => fail(format!("there is no {other:?}: build it with `cargo build --workspace --bins`")),
    }
}

impl Switch {
    /// Starts a switch with this configuration in `dir` and waits until it is ready.
    pub fn start(dir: &Path, config: &Config) -> Result<Self, Fail> {
        Self::start_with(dir, config, &[])
    }

    /// Starts a switch again after an end, on the same folder.
    pub fn restart(dir: &Path) -> Result<Self, Fail> {
        Self::run(dir, dir.join("cordboard.toml"), &[])
    }

    /// Starts a switch with variables in its environment.
    pub fn start_with(dir: &Path, config: &Config, env: &[(&str, &str)]) -> Result<Self, Fail> {
        let path = dir.join("cordboard.toml");
        std::fs::write(&path, config.text())?;
        Self::run(dir, path, env)
    }

    fn run(dir: &Path, config: PathBuf, env: &[(&str, &str)]) -> Result<Self, Fail> {
        let mut command = Command::new(binary()?);
        command.arg("run").arg("--config").arg(&config).current_dir(dir);
        command.env_remove("CORDBOARD_API_KEY").envs(env.iter().copied());
        let mut process = Process::start("cordboard", dir, command)?;
        let line = process.wait_line("ready", SOON)?;
        let word = |name: &str| {
            let found = line.split_whitespace().find_map(|word| word.strip_prefix(name));
            found.map(str::to_owned).ok_or_else(|| Fail(format!("no {name} in {line:?}")))
        };
        let api = Api { at: word("http=")?, key: KEY.into() };
        let sip = word("sip=udp:")?;
        Ok(Self { process, api, sip, dir: dir.to_owned(), config })
    }

    /// Its configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) -> Result<(), Fail> {
        self.process.signal(signal)
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends it as Ctrl-C does, and fails unless it ends cleanly.
    pub fn stop(&mut self) -> Result<(), Fail> {
        self.process.signal(2)?;
        self.ended_cleanly()
    }

    /// Waits for its end, and fails unless it is a clean one.
    pub fn ended_cleanly(&mut self) -> Result<(), Fail> {
        self.process.wait_success(SOON)
    }

    /// Waits until its log says this: it is written a moment after what it tells of.
    pub fn wait_logged(&self, text: &str) -> Result<(), Fail> {
        let said =
            wait_for(&format!("the log to say {text:?}"), SOON, || self.log().contains(text).then_some(()));
        said.map_err(|why| Fail(format!("{why}; it says:\n{}", self.log())))
    }

    /// Waits until an account has `count` devices.
    pub fn wait_registered(&self, user: &str, count: usize) -> Result<(), Fail> {
        wait_for(&format!("{count} devices of {user}"), SOON, || {
            let contacts = self.api.list("/api/v1/contacts").ok()?;
            let of = |contact: &&Value| contact["user"]["name"] == user;
            (contacts.iter().filter(of).count() == count).then_some(())
        })
    }

    /// Waits until an agent has this status.
    pub fn wait_agent(&self, agent: &str, status: &str) -> Result<Value, Fail> {
        let mut last = Value::Null;
        let seen = wait_for(&format!("agent {agent} to be {status}"), SOON, || {
            let agents = self.api.list("/api/v1/agents").ok()?;
            last = agents.into_iter().find(|a| a["agent"]["name"] == agent)?;
            (last["status"] == status).then(|| last.clone())
        });
        seen.map_err(|why| Fail(format!("{why}; last seen: {last}")))
    }

    /// Waits until some call is in this stage; gives it.
    pub fn wait_stage(&self, stage: &str) -> Result<Value, Fail> {
        let mut last = Vec::new();
        let seen = wait_for(&format!("a call to be {stage}"), SOON, || {
            last = self.api.list("/api/v1/calls").ok()?;
            last.iter().find(|call| call["stage"] == stage).cloned()
        });
        seen.map_err(|why| Fail(format!("{why}; calls: {last:?}\nits log:\n{}", self.log())))
    }

    /// Waits until exactly `count` calls are in this stage.
    pub fn wait_calls(&self, stage: &str, count: usize) -> Result<Vec<Value>, Fail> {
        let mut last = Vec::new();
        let seen = wait_for(&format!("{count} calls to be {stage}"), SOON, || {
            last = self.api.list("/api/v1/calls").ok()?;
            last.retain(|call| call["stage"] == stage);
            (last.len() == count).then(|| last.clone())
        });
        seen.map_err(|why| Fail(format!("{why}; there are {}\nits log:\n{}", last.len(), self.log())))
    }

    /// Waits until `count` records are there; gives them, newest first.
    pub fn wait_cdrs(&self, count: usize) -> Result<Vec<Value>, Fail> {
        self.wait_list("/api/v1/cdrs?limit=1000", "call detail records", count)
    }

    /// Waits until `count` recordings are listed; gives them, newest first.
    pub fn wait_recordings(&self, count: usize) -> Result<Vec<Value>, Fail> {
        self.wait_list("/api/v1/recordings?limit=1000", "recordings", count)
    }

    fn wait_list(&self, path: &str, what: &str, count: usize) -> Result<Vec<Value>, Fail> {
        let mut last = Vec::new();
        let seen = wait_for(&format!("{count} {what}"), SOON, || {
            last = self.api.list(path).ok()?;
            (last.len() >= count).then(|| last.clone())
        });
        let items =
            seen.map_err(|why| Fail(format!("{why}; there are {}\nits log:\n{}", last.len(), self.log())))?;
        if items.len() > count {
            return fail(format!("{} {what} instead of {count}: {items:?}", items.len()));
        }
        Ok(items)
    }

    /// Fails unless nothing is left of any call: no call, transaction that will not end, media leg or port.
    pub fn ensure_nothing_left(&self) -> Result<(), Fail> {
        self.ensure_left_resting(0)
    }

    /// The same where `refused` INVITEs of the switch got a final response of 300 or above: those transactions rest for
    /// "at least 32 seconds" in case the response comes again (RFC 3261 17.1.1.2), whatever T1 is. A slow machine may ask
    /// when some of them have rested enough, so there may be fewer.
    pub fn ensure_left_resting(&self, refused: u32) -> Result<(), Fail> {
        self.ensure_left(refused, 0)
    }

    /// The same where so many panics were asked for.
    pub fn ensure_nothing_left_after(&self, panics: u32) -> Result<(), Fail> {
        self.ensure_left(0, panics)
    }

    fn ensure_left(&self, refused: u32, panics: u32) -> Result<(), Fail> {
        for (name, left) in [
            ("cordboard_calls", 0),
            ("cordboard_media_legs", 0),
            ("cordboard_recordings_open", 0),
            ("cordboard_sip_transactions", refused),
        ] {
            let mut last = None;
            let seen = wait_for(&format!("{name} to be at most {left}"), SOON, || {
                last = self.api.metric(name).ok();
                last.filter(|value| *value <= f64::from(left))
            });
            seen.map_err(|why| Fail(format!("{why}, it is {last:?}; its log:\n{}", self.log())))?;
        }
        let caught = self.api.metric("cordboard_panics_caught_total")?;
        if caught != f64::from(panics) {
            return fail(format!("{caught} panics were caught; its log:\n{}", self.log()));
        }
        Ok(())
    }
}
