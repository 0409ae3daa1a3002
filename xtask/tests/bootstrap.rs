//! scripts/bootstrap.sh on machines of which one thing or another is missing. The machine is a folder
//! of small scripts, the only one on the PATH; its `apt-get` and `sudo` write down what they are told.

#![allow(clippy::unwrap_used, reason = "test code; clippy spares only what is inside #[test]")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What every machine here has.
const TOOLS: &[&str] =
    &["cargo", "cc", "npm", "git", "baresip", "chromium", "ip", "cmake", "python3", "cmp", "curl", "jq"];

struct Machine {
    folder: PathBuf,
}

impl Machine {
    /// A machine with Node.js 20, a root user and an `apt-get` that does as asked; sipp and sox are
    /// not there yet.
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bootstrap-{name}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("bin")).unwrap();
        // Schemathesis is there, and as it is to be.
        fs::create_dir_all(folder.join("schemathesis")).unwrap();
        fs::write(folder.join("schemathesis/done"), "").unwrap();
        let machine = Self { folder };
        for tool in TOOLS {
            machine.has(tool, "exit 0");
        }
        machine.has("node", "echo v20.11.0");
        machine.has("id", "echo 0");
        machine.has("apt-get", &format!("echo apt-get \"$@\" >>{}", machine.told().display()));
        machine
    }

    fn told(&self) -> PathBuf {
        self.folder.join("told")
    }

    fn has(&self, tool: &str, script: &str) {
        let path = self.folder.join("bin").join(tool);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn has_not(&self, tool: &str) {
        fs::remove_file(self.folder.join("bin").join(tool)).unwrap();
    }

    fn bootstrap(&self, purpose: &str) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/bootstrap.sh");
        Command::new("/bin/sh")
            .arg(script)
            .arg(purpose)
            .env_clear()
            .env("PATH", self.folder.join("bin"))
            .env("SCHEMATHESIS", self.folder.join("schemathesis"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What `apt-get` and `sudo` were told.
    fn was_told(&self) -> String {
        fs::read_to_string(self.told()).unwrap_or_default()
    }
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

#[test]
fn what_is_missing_is_installed_and_why_is_said() {
    let machine = Machine::new("missing");
    let output = machine.bootstrap("test");
    assert!(output.status.success(), "{}", said(&output));
    let told = machine.was_told();
    let install = told.lines().find(|line| line.contains(" install ")).unwrap();
    assert!(told.starts_with("apt-get update"), "{told}");
    assert!(install.contains(" sip-tester") && install.contains(" sox"), "{install}");
    assert!(install.contains("--yes") && !install.contains("baresip"), "{install}");
    assert!(said(&output).contains("sip-tester is missing: calls the running switch"));
}

#[test]
fn what_is_there_is_left_alone() {
    let machine = Machine::new("there");
    machine.has("sipp", "exit 0");
    machine.has("sox", "exit 0");
    let output = machine.bootstrap("test");
    assert!(output.status.success(), "{}", said(&output));
    // The fonts are looked for on the real machine, where they may be missing.
    let told = machine.was_told().replace(" fonts-dejavu-core", "");
    assert!(!told.contains("sip-tester") && !told.contains("sox"), "{told}");
}

#[test]
fn without_rights_the_packages_are_named_and_nothing_is_begun() {
    let machine = Machine::new("rights");
    machine.has("id", "echo 1000");
    let output = machine.bootstrap("test");
    assert!(!output.status.success());
    assert!(said(&output).contains("not root and no sudo"), "{}", said(&output));
    assert!(said(&output).contains(" sip-tester"));
    assert_eq!(machine.was_told(), "");
}

#[test]
fn without_a_terminal_sudo_is_not_to_ask() {
    let machine = Machine::new("sudo");
    machine.has("id", "echo 1000");
    machine.has("sudo", &format!("echo sudo \"$@\" >>{}", machine.told().display()));
    let output = machine.bootstrap("test");
    assert!(output.status.success(), "{}", said(&output));
    assert!(machine.was_told().starts_with("sudo -n apt-get update"), "{}", machine.was_told());
    assert!(machine.was_told().lines().all(|line| line.starts_with("sudo -n ")));
}

#[test]
fn a_failing_installation_is_tried_twice_and_then_reported() {
    let machine = Machine::new("failing");
    machine.has("apt-get", &format!("echo \"$@\" >>{}\n[ \"$1\" = update ]", machine.told().display()));
    let output = machine.bootstrap("test");
    assert!(!output.status.success());
    let told = machine.was_told();
    assert_eq!(told.lines().filter(|line| line.starts_with("install ")).count(), 2, "{told}");
    assert!(!said(&output).contains("everything the tests need is here"));
}

#[test]
fn the_demo_needs_no_package() {
    let machine = Machine::new("demo");
    let output = machine.bootstrap("demo");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(machine.was_told(), "");
}

#[test]
fn what_a_person_must_install_is_named_all_at_once() {
    let machine = Machine::new("unmet");
    machine.has_not("cc");
    machine.has_not("cargo");
    machine.has("node", "echo v18.19.0");
    let output = machine.bootstrap("demo");
    assert!(!output.status.success());
    for expected in ["cc is missing", "cargo is missing", "Node.js is v18.19.0"] {
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
}
