//! The first of the two commands that matter: `make demo`, called, watched in a browser, and stopped by Ctrl-C.

use crate::common::{CALLER, SOON};
use cordboard_tests::Fail;
use cordboard_tests::api::Api;
use cordboard_tests::browser::Page;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::{Process, wait_for};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::binary;
use std::net::UdpSocket;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// `make` looks for what is missing on this machine before it begins.
const BOOTSTRAP: Duration = Duration::from_secs(60);
/// The tones of the demo's two agents, Hz.
const AGENTS: [f64; 2] = [500.0, 600.0];

/// Starts `make demo` with the demo's configuration in this test's folder, so that it leaves nothing in the repository.
fn start(dir: &Path) -> Result<Process, Fail> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::create_dir_all(dir.join("config"))?;
    let config = std::fs::read_to_string(root.join("config/demo.toml"))?;
    // SIPp answers the first challenge or none, and knows MD5 alone.
    let config = match config.contains("digest =") {
        true => config,
        false => config.replacen("[sip]\n", "[sip]\ndigest = [\"MD5\", \"SHA-256\"]\n", 1),
    };
    std::fs::write(dir.join("config/demo.toml"), config)?;
    symlink(root.join("ivr-flows").canonicalize()?, dir.join("ivr-flows"))?;
    let mut command = Command::new("make");
    command
        .arg("-C")
        .arg(&root)
        // The page is built before the tests. From this loopback npm could not reach its registry, and it empties its
        // folder before it tries.
        .args(["demo", "PROFILE=dev", "WEB_BUILT="])
        // So is the binary: what the other tests run is what is shown.
        .arg("BUILD=--version")
        .arg(format!("BINARY={}", binary()?.display()))
        .arg(format!("DEMO_ARGS=--callers 6 --config {}", dir.join("config/demo.toml").display()))
        // Make's own words to this process are none of its business.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .process_group(0);
    Process::start("make-demo", dir, command)
}

pub fn started_called_watched_and_stopped(dir: &Path) -> Outcome {
    let mut demo = start(dir)?;
    let ready = demo.wait_line("ready in", BOOTSTRAP)?;
    let ms = ready.split_whitespace().nth(2).and_then(|ms| ms.parse::<u32>().ok());
    ensure(ms.is_some_and(|ms| ms < 1_000), || format!("not ready within a second: {ready}"))?;
    for said in ["live page   http://127.0.0.1:8080/", "account 1010", "dial        501"] {
        demo.wait_line(said, SOON)?;
    }
    let mut page = Page::open(dir, "http://127.0.0.1:8080/")?;
    page.wait_text(&["Ann", "Ben", "Sales", "Support", "Caller 1"], SOON)?;

    let key = Api { at: "127.0.0.1:8080".into(), key: String::new() }.get("/page-key")?;
    let api = Api { at: "127.0.0.1:8080".into(), key: key["key"].as_str().unwrap_or_default().into() };
    let voice = Voice::new("127.0.0.1", 47_000, CALLER)?;
    let calls = Scenario::caller(MU_LAW).invites_with_digest().is_answered().ends();
    let setup = Setup {
        name: "visitor",
        caller: "1010",
        password: "demo1010",
        user: "501",
        port: 5_085,
        rtp: 47_000,
        ..Setup::default()
    };
    let mut visitor = Sipp::start(dir, &calls, &setup)?;
    voice.speak_to(visitor.wait_media()?);
    voice.hears_one_of("the visitor", &AGENTS, SOON)?;
    page.wait_text(&["1010", "Talking"], SOON)?;
    visitor.go_on()?;
    visitor.wait_success(SOON)?;
    wait_for("the visitor's record", SOON, || {
        let cdrs = api.list("/api/v1/cdrs").ok()?;
        cdrs.iter().any(|cdr| cdr["from"]["user"] == "1010" && cdr["cause"] == "normal").then_some(())
    })?;

    // Ctrl-C reaches everything that the terminal runs.
    demo.signal_group(2)?;
    demo.wait_line("ending: calls are hung up", SOON)?;
    demo.wait(SOON)?;
    wait_for("the address to be free again", SOON, || UdpSocket::bind("127.0.0.1:5060").ok())?;
    let said = demo.output();
    ensure(!said.contains("panic"), || format!("it panicked:\n{said}"))
}
