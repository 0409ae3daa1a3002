//! An operator's day: files with faults, addresses in use, questions about routing, full disks.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::{Switch, binary};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};

fn run(dir: &Path, args: &[&str]) -> Result<Output, Fail> {
    Ok(Command::new(binary()?).args(args).current_dir(dir).env_remove("CORDBOARD_API_KEY").output()?)
}

fn text(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}

pub fn broken_configuration(dir: &Path) -> Outcome {
    let config = Config::new(dir)?
        .flow("menu", "call:answer()\nif then\n")?
        .number("500", "flow:main")
        .more("[tenant.default.queue.sales]\nring = 5\nmusik = \"music\"");
    let path = dir.join("cordboard.toml");
    std::fs::write(&path, config.text())?;
    let written = config.text();
    let line = |needle: &str| written.lines().position(|line| line.contains(needle)).map_or(0, |at| at + 1);
    for command in ["check", "run"] {
        let output = run(dir, &[command, "--config", "cordboard.toml"])?;
        let said = text(&output);
        ensure(!output.status.success(), || format!("{command} accepts it:\n{said}"))?;
        for (needle, word) in [("to = \"flow:main\"", "main"), ("ring = 5", "ring"), ("musik", "musik")] {
            let place = format!("cordboard.toml:{}:", line(needle));
            let named = said.lines().any(|said| said.contains(&place) && said.contains(word));
            ensure(named, || format!("{command} does not name {place} for {needle:?}:\n{said}"))?;
        }
        let lua = said.lines().any(|said| said.contains("menu.lua:2"));
        ensure(lua, || format!("{command} does not name the Lua line:\n{said}"))?;
        ensure(said.contains("4 faults"), || format!("{command} does not count the faults:\n{said}"))?;
        ensure(!dir.join("var").exists(), || format!("{command} has begun to work"))?;
    }
    let sound = Config::new(dir)?.queue("");
    std::fs::write(&path, sound.text())?;
    let output = run(dir, &["check", "--config", "cordboard.toml"])?;
    ensure(output.status.success(), || format!("check refuses a sound file:\n{}", text(&output)))
}

pub fn address_in_use(dir: &Path) -> Outcome {
    let path = dir.join("cordboard.toml");
    std::fs::write(&path, Config::new(dir)?.queue("").text())?;
    let args = ["run", "--config", "cordboard.toml"];
    {
        let _taken = UdpSocket::bind("127.0.0.1:5060")?;
        let output = run(dir, &args)?;
        let said = text(&output);
        let named = said.contains("127.0.0.1:5060") && said.contains("SIP");
        ensure(!output.status.success() && named, || format!("SIP's address is in use:\n{said}"))?;
    }
    let _taken = TcpListener::bind("127.0.0.1:8080")?;
    let output = run(dir, &args)?;
    let said = text(&output);
    let named = said.contains("127.0.0.1:8080");
    ensure(!output.status.success() && named, || format!("the API's address is in use:\n{said}"))
}

pub fn route_explain(dir: &Path) -> Outcome {
    let coded =
        "[[tenant.default.number]]\naccess_code = \"500\"\nextension_code = \"1\"\nto = \"agent:1001\"";
    // Two numbers of the trunk are another tenant's, of which one leads nowhere there.
    let shared = "[[tenant.default.trunk.carrier.shared]]\nnumber = \"700\"\ntenant = \"acme\"\n\
                  [[tenant.default.trunk.carrier.shared]]\nnumber = \"501\"\ntenant = \"acme\"\n\
                  [tenant.acme]\ndomains = [\"acme.test\"]\n[tenant.acme.user.1001]\npassword = \"x\"\n\
                  [[tenant.acme.number]]\naccess_code = \"700\"\nto = \"user:1001\"";
    let config = Config::new(dir)?.agent("1001").queue("").number("502", "queue:sales").more(coded);
    let config = config.trunk().more(shared);
    std::fs::write(dir.join("cordboard.toml"), config.text())?;
    for (from, to, wanted) in GOLDEN {
        let output =
            run(dir, &["route", "explain", from, to, "--at", "2026-12-24T19:00", "-c", "cordboard.toml"])?;
        let said = text(&output);
        ensure(output.status.success() && said == *wanted, || {
            format!("{from} to {to}:\n{said}\nwanted:{wanted}")
        })?;
    }
    let output = run(dir, &["route", "explain", "trunk:nobody/1", "500", "-c", "cordboard.toml"])?;
    ensure(!output.status.success(), || "a trunk that is not there is explained".into())
}

/// Who calls what, and what is printed.
const GOLDEN: &[(&str, &str, &str)] = &[
    (
        "trunk:carrier/+4930123",
        "502",
        "+4930123 calls 502 (tenant default) by trunk carrier
  1. called-number          decide  access code 502 leads to queue default/sales
goes to queue default/sales
",
    ),
    (
        "trunk:carrier/+4930123",
        "700",
        "+4930123 calls 700 (tenant default) by trunk carrier
that number of the trunk is tenant acme's: the call is his
  1. called-number          decide  access code 700 leads to user acme/1001
goes to user acme/1001
",
    ),
    (
        "trunk:carrier/+4930123",
        "501",
        "+4930123 calls 501 (tenant default) by trunk carrier
that number of the trunk is tenant acme's: the call is his
  1. called-number          pass    501 is no access code of tenant acme
  2. registered-extension   pass    501 is no account of tenant acme
is refused with 404 (no_route): all 2 routing plugins of tenant acme passed
",
    ),
    (
        "1001",
        "5001",
        "1001 calls 5001 (tenant default) as an account of the tenant
  1. called-number          decide  access code 500 with extension code 1 leads to agent default/1001
goes to agent default/1001
",
    ),
    (
        "trunk:carrier/+4930123",
        "1001",
        "+4930123 calls 1001 (tenant default) by trunk carrier
  1. called-number          pass    1001 is no access code of tenant default
  2. registered-extension   decide  account default/1001, the phone of agent default/1001, has 1 registered device
goes to user default/1001
(read from the file: every account counts as registered with one device)
",
    ),
    (
        "1001",
        "999",
        "1001 calls 999 (tenant default) as an account of the tenant
  1. called-number          pass    999 is no access code of tenant default
  2. registered-extension   pass    999 is no account of tenant default
is refused with 404 (no_route): all 2 routing plugins of tenant default passed
",
    ),
];

/// A small disk at `dir/NAME`, in the mount namespace of this test.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Result<Self, Fail> {
        std::fs::create_dir_all(at)?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "none"]).arg(at).output()?;
        let said = || format!("no right to mount a small disk: {}", String::from_utf8_lossy(&mounted.stderr));
        ensure(mounted.status.success(), said)?;
        Ok(Self(at))
    }

    fn fill(&self) -> Outcome {
        match std::fs::write(self.0.join("filler"), vec![0; 1 << 20]) {
            Err(_) => Ok(()),
            Ok(()) => fail("a small disk takes all that is written"),
        }
    }

    fn free(&self) -> Outcome {
        Ok(std::fs::remove_file(self.0.join("filler"))?)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // It goes with the namespace anyway.
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn problems(switch: &Switch) -> Result<String, Fail> {
    let health = switch.api.send("GET", "/healthz", "")?;
    ensure(health.status == 200, || format!("it takes no calls: {}", health.head))?;
    Ok(at(&health.json()?, "problems").to_string())
}

fn wait_problem(switch: &Switch, word: &str) -> Outcome {
    let mut last = String::new();
    let seen = wait_for(&format!("/healthz to speak of the {word}"), SOON, || {
        last = problems(switch).ok()?;
        last.contains(word).then_some(())
    });
    seen.map_err(|why| Fail(format!("{why}; it says {last}; its log:\n{}", switch.log())))
}

fn wait_healthy(switch: &Switch) -> Outcome {
    let mut last = String::new();
    let seen = wait_for("/healthz to be content again", SOON, || {
        last = problems(switch).ok()?;
        (last == "[]").then_some(())
    });
    seen.map_err(|why| Fail(format!("{why}; it says {last}")))
}

pub fn recordings_disk_full(dir: &Path) -> Outcome {
    let at = dir.join("var/recordings");
    let disk = SmallDisk::mount(&at)?;
    let switch = Switch::start(
        dir,
        &Config::new(dir)?.agent("1001").queue("record = true\nwrap_up = \"0s\"").trunk(),
    )?;
    let mut events = switch.api.events(None)?;
    talk_while(dir, || {
        disk.fill()?;
        events.until("the alarm", |event| event["code"] == "recordings_failing")?;
        wait_problem(&switch, "recording")
    })?;
    field(&switch.wait_cdrs(1)?.remove(0), "cause", "normal")?;
    disk.free()?;
    talk(dir, &switch)?;
    wait_healthy(&switch)?;
    events.until("its end", |event| event["code"] == "recordings_written")?;
    switch.ensure_nothing_left()
}

/// A switch that records every call of its queue on a disk of its own, with this in `[recordings]`.
fn recording_on_a_small_disk(dir: &Path, when_full: &str) -> Result<Switch, Fail> {
    let config = Config::new(dir)?.agent("1001").queue("record = true\nwrap_up = \"0s\"").trunk();
    Switch::start(dir, &config.recordings(&format!("when_full = \"{when_full}\"")))
}

pub fn oldest_recording_makes_room(dir: &Path) -> Outcome {
    let at = dir.join("var/recordings");
    let disk = SmallDisk::mount(&at)?;
    let switch = recording_on_a_small_disk(dir, "delete_oldest")?;
    let mut events = switch.api.events(None)?;
    // Two, so that what they leave is not eaten up by the third before anybody has seen that there was room.
    talk(dir, &switch)?;
    let first = switch.wait_recordings(1)?.remove(0);
    switch.wait_agent("1001", "ready")?;
    talk(dir, &switch)?;
    let manifest = |entry: &serde_json::Value| {
        at.join("default").join(format!("{}.json", entry["recording"].as_str().unwrap_or_default()))
    };
    for entry in switch.wait_recordings(2)? {
        wait_for("the manifest of a recording", SOON, || manifest(&entry).exists().then_some(()))?;
    }
    let described = manifest(&first);
    let first = first["recording"].as_str().unwrap_or_default().to_owned();
    switch.wait_agent("1001", "ready")?;
    talk_while(dir, || {
        disk.fill()?;
        // Deleting and writing are done, and told, by two threads.
        events.until_each(&[
            ("the alarm", &|event| event["code"] == "recordings_failing"),
            ("the oldest to go", &|event| {
                event["type"] == "recording_deleted" && event["recording"] == first.as_str()
            }),
            ("its end", &|event| event["code"] == "recordings_written"),
        ])
    })?;
    ensure(!described.exists(), || "its manifest is still there".to_owned())?;
    switch.ensure_nothing_left()
}

pub fn refused_while_unrecordable(dir: &Path) -> Outcome {
    let at = dir.join("var/recordings");
    let disk = SmallDisk::mount(&at)?;
    let switch = recording_on_a_small_disk(dir, "refuse_calls")?;
    let mut events = switch.api.events(None)?;
    talk_while(dir, || {
        disk.fill()?;
        events.until("the alarm", |event| event["code"] == "recordings_failing")?;
        let refused = Scenario::caller(MU_LAW).invites().is_refused(503);
        Phone::crowd(dir, 5092, "501", &refused, 1, 0.0)?.ended()
    })?;
    // Nothing is being recorded any more that could tell that there is room again.
    disk.free()?;
    events.until("its end", |event| event["code"] == "recordings_written")?;
    talk(dir, &switch)?;
    wait_healthy(&switch)?;
    switch.ensure_nothing_left()
}

/// A call by the queue that goes on while `meanwhile` happens.
fn talk_while(dir: &Path, meanwhile: impl FnOnce() -> Outcome) -> Outcome {
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    meanwhile()?;
    caller.voice.forget();
    agent.voice.forget();
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()
}

fn talk(dir: &Path, switch: &Switch) -> Outcome {
    switch.wait_agent("1001", "ready")?;
    talk_while(dir, || Ok(()))
}

pub fn journal_disk_full(dir: &Path) -> Outcome {
    let at = dir.join("var/journal");
    let disk = SmallDisk::mount(&at)?;
    let switch = Switch::start(dir, &Config::new(dir)?.agent("1001").queue("wrap_up = \"0s\"").trunk())?;
    let mut events = switch.api.events(None)?;
    talk_while(dir, || disk.fill())?;
    // Accepted, answered and ended without the journal, with an alarm.
    talk(dir, &switch)?;
    events.until("the alarm", |event| {
        event["type"] == "alarm" && event["code"].to_string().contains("journal")
    })?;
    wait_problem(&switch, "journal")?;
    // The database is on another disk: no record is missing.
    switch.wait_cdrs(2)?;
    disk.free()?;
    talk(dir, &switch)?;
    wait_healthy(&switch)?;
    switch.wait_cdrs(3)?;
    switch.ensure_nothing_left()
}
