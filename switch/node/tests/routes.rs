//! `cordboard check` runs routes.test.toml, and `route explain` says what was not taken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code; clippy spares only what is inside #[test]")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const CONFIG: &str = r#"
[tenant.default]
zone = "Europe/Berlin"
[tenant.default.user.1001]
password = "secret"
[tenant.default.agent.1001]
[tenant.default.queue.sales]
[tenant.default.queue.gold]
[tenant.default.trunk.carrier]
peers = ["192.0.2.7"]
gateway = "192.0.2.7:5060"
[tenant.default.trunk.spare]
gateway = "192.0.2.8:5060"
[tenant.default.calendar.office]
weekdays = ["08:00-17:00"]
[[tenant.default.hours]]
calendar = "office"
called = ["500"]
closed = "queue:gold"
[[tenant.default.caller_list]]
name = "nuisance"
kind = "block"
callers = ["+4930666*"]
[tenant.default.last_agent]
[tenant.default.lua_decision]
flow = "decides"
called = ["700"]
otherwise = "queue:sales"
[tenant.default.flow.decides]
file = "decides.lua"
[[tenant.default.number]]
access_code = "500"
to = "queue:sales"
[[tenant.default.way_out]]
prefix = "+49"
trunks = [{ trunk = "carrier", cost = 1 }, { trunk = "spare", cost = 2 }]
"#;

const CASES: &str = r#"
[[case]]
name = "open"
from = "trunk:carrier/+493012345"
to = "500"
at = "2026-11-23T10:00"
goes_to = "queue:sales"
plugin = "called-number"

[[case]]
name = "closed"
from = "trunk:carrier/+493012345"
to = "500"
at = "2026-11-23T18:00"
goes_to = "queue:gold"
plugin = "calendar"

[[case]]
name = "nuisance"
from = "trunk:carrier/+4930666123"
to = "500"
refused = "forbidden"

[[case]]
name = "his own agent"
from = "trunk:carrier/+493012345"
to = "500"
at = "2026-11-23T10:00"
goes_to = "agent:1001"
given = { ready = ["1001"], talked = { "+493012345" = "1001" } }

[[case]]
name = "out by the spare"
from = "1001"
to = "+498912345"
goes_to = "trunk:spare:+498912345"
by = ["spare", "carrier"]
given = { full = ["carrier"] }

[[case]]
name = "not out for who comes in"
from = "trunk:carrier/+493012345"
to = "+498912345"
refused = "forbidden"

[[case]]
name = "a flow"
from = "1001"
to = "700"
goes_to = "queue:gold"
given = { lua = '"queue:gold"' }

[[case]]
name = "a flow that is late"
from = "1001"
to = "700"
goes_to = "queue:sales"
"#;

fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("cordboard-routes-{}-{name}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("cordboard.toml"), CONFIG).unwrap();
    fs::write(dir.join("decides.lua"), "return 'queue:gold'\n").unwrap();
    dir
}

fn run(dir: &std::path::Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordboard"));
    let output = command.args(args).arg("--config").arg(dir.join("cordboard.toml")).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn the_check_runs_the_tests_of_routes_and_names_what_goes_elsewhere() {
    let dir = folder("check");
    let (right, told) = run(&dir, &["check"]);
    assert!(right && !told.contains("routes.test.toml"), "{told}");
    fs::write(dir.join("routes.test.toml"), CASES).unwrap();
    let (right, told) = run(&dir, &["check"]);
    assert!(right && told.contains("routes.test.toml: 8 calls go where they should"), "{told}");
    // every expectation can fail, and says what is
    let wrong = CASES
        .replace("goes_to = \"queue:sales\"\nplugin", "goes_to = \"queue:gold\"\nplugin")
        .replace("plugin = \"calendar\"", "plugin = \"share\"")
        .replace(
            "refused = \"forbidden\"\n\n[[case]]\nname = \"his",
            "refused = \"busy\"\n\n[[case]]\nname = \"his",
        )
        .replace("by = [\"spare\", \"carrier\"]", "by = [\"carrier\"]")
        .replace("given = { ready = [\"1001\"]", "given = { ready = [\"1009\"]");
    fs::write(dir.join("routes.test.toml"), wrong).unwrap();
    let (right, told) = run(&dir, &["check"]);
    assert!(!right, "{told}");
    for line in [
        "\"open\": expected queue:gold, but it goes to queue default/sales (called-number: access code 500",
        "\"closed\": expected share to decide, but calendar",
        "\"nuisance\": expected a refusal, busy, but it is refused, forbidden (caller-lists: +4930666123 is on",
        "\"out by the spare\": expected the trunks carrier, but it leaves by spare, carrier",
        "\"his own agent\": there is no agent \"1009\"",
        "5 of 8 calls do not go where they should",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    fs::write(dir.join("routes.test.toml"), "[[case]]\nname = \"x\"\n").unwrap();
    let (right, told) = run(&dir, &["check"]);
    assert!(!right && told.contains("missing field `from`"), "{told}");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn an_explanation_says_which_rules_were_not_taken() {
    let dir = folder("explain");
    let args = ["route", "explain", "trunk:carrier/+493012345", "500", "--at", "2026-11-23T10:00"];
    let (right, told) = run(&dir, &args);
    assert!(right && told.contains("not nuisance: +493012345 is not on it"), "{told}");
    assert!(
        told.contains("not office: it is open") && told.contains("goes to queue default/sales"),
        "{told}"
    );
    fs::remove_dir_all(dir).unwrap();
}
