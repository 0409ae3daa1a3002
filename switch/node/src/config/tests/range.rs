//! Agents by number range.

use super::{ConfigError, Scratch};
use cordboard_model::config::Tenant;
use cordboard_model::id::TenantId;
use cordboard_model::service::Role;
use core::time::Duration;

/// A range from 1000 to 1003 with accounts from a file and these lines; `more` stands after it.
fn text(lines: &str, more: &str) -> String {
    format!(
        "[tenant.default.queue.sales]\n[tenant.default.queue.help]\n[tenant.default.agent_range.floor]\n\
         numbers = \"1000-1003\"\npasswords = \"floor.csv\"\nqueues = [\"sales\"]\nrest_limit = \"30m\"\n{lines}\n{more}\n"
    )
}

const FIRST_PASSWORD: &str = "password_hash = \"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$\
                              Ed7BnZiRGcE5lxsrDQqRJVVXqzBsPpZzLeSIYeWbnHM\"";

const FILE: &str = "# the third floor\n1000,one\n1001,two, with a comma\n\n1002,three\n1003,four\n";

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("config/floor.csv", FILE);
    scratch
}

fn good(lines: &str, more: &str) -> Tenant {
    let loaded = scratch().load(&text(lines, more)).unwrap_or_else(|faults| panic!("{faults:#?}"));
    loaded.snapshot.tenants[&TenantId::DEFAULT].clone()
}

fn said(faults: Vec<ConfigError>) -> Vec<String> {
    let said = |e: ConfigError| {
        let file = e.file.rsplit('/').next().unwrap_or_default().to_owned();
        format!("{file}:{}: {}", e.line, e.problem)
    };
    faults.into_iter().map(said).collect()
}

fn faults(lines: &str, more: &str) -> Vec<String> {
    said(scratch().load(&text(lines, more)).unwrap_err())
}

#[test]
fn a_range_makes_agents_and_accounts_and_a_section_of_one_agent_stands_before_it_key_by_key() {
    let more = "[tenant.default.agent.1002]\ndisplay = \"Ann {number}\"\nqueues = [\"help\"]\nrole = \"supervisor\"\n\
                [tenant.default.user.2000]\npassword = \"five\"\n[tenant.default.agent.2000]\n";
    let tenant =
        good("display = \"Floor {number}\"\nauto_answer = true\nskill.english = { level = 50 }", more);
    let agents: Vec<_> = tenant.agents.values().collect();
    let names: Vec<_> =
        agents.iter().map(|agent| (agent.id.name.as_str(), agent.user.name.as_str())).collect();
    let same = |name| (name, name);
    assert_eq!(names, ["1000", "1001", "1002", "1003", "2000"].map(same));
    let displays: Vec<_> = agents.iter().map(|agent| agent.display.as_str()).collect();
    assert_eq!(displays, ["Floor 1000", "Floor 1001", "Ann 1002", "Floor 1003", "2000"]);
    let queues: Vec<Vec<&str>> =
        agents.iter().map(|agent| agent.queues.iter().map(|q| q.name.as_str()).collect()).collect();
    let none: Vec<&str> = Vec::new();
    assert_eq!(queues, [vec!["sales"], vec!["sales"], vec!["help"], vec!["sales"], none]);
    let (ann, bob) = (&tenant.agents["1002"].duty, &tenant.agents["1003"].duty);
    assert_eq!((ann.role, bob.role), (Role::Supervisor, Role::Agent));
    // what she does not say herself
    assert_eq!((ann.rest_limit, &ann.skills), (Some(Duration::from_secs(1_800)), &bob.skills));
    assert!(tenant.desk.agents["1002"].auto_answer && tenant.desk.agents["1003"].auto_answer);
    assert!(!tenant.desk.agents.contains_key("2000"));
    let mut secrets: Vec<_> = tenant.users.values().map(|user| user.ha1_sha256.clone()).collect();
    secrets.sort();
    secrets.dedup();
    assert_eq!((tenant.users.len(), secrets.len()), (5, 5), "each account has a secret of its own");
}

#[test]
fn numbers_keep_their_zeros() {
    let more = "[tenant.default.agent_range.night]\nnumbers = \"0100-0101\"\n\
                [tenant.default.user.0100]\npassword = \"x\"\n[tenant.default.user.0101]\npassword = \"y\"\n\
                [tenant.default.agent.100]\nuser = \"0100\"";
    let tenant = good("", more);
    let names: Vec<_> = tenant.agents.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["0100", "0101", "100", "1000", "1001", "1002", "1003"]);
    // 100 is no number of the range: it has nothing from it
    assert_eq!(tenant.agents["100"].display, "100");
}

#[test]
fn an_agent_of_a_range_can_be_called_by_name() {
    let tenant = good("", "[[tenant.default.number]]\naccess_code = \"7001\"\nto = \"agent:1001\"");
    assert_eq!(tenant.numbers.len(), 1);
}

#[test]
fn what_is_wrong_with_a_range_is_told_once_at_its_line_with_the_number() {
    for (lines, more, expected) in [
        ("kind = \"fax\"", "[tenant.default.agent.1001]", "\"kind\" in [tenant.default.agent_range.floor]"),
        (
            "phone = \"123\"",
            "[tenant.default.trunk.out]\ngateway = \"192.0.2.1:5060\"",
            "it is one agent's own",
        ),
        ("user = \"1000\"", "", "it is one agent's own"),
        (
            FIRST_PASSWORD,
            "",
            "\"password_hash\" in [tenant.default.agent_range.floor]: it is one agent's own",
        ),
        ("password_env = \"PHONE_1002\"", "", "it is one agent's own"),
        ("rest_limti = \"1m\"", "", "did you mean \"rest_limit\"?"),
        (
            "",
            "[tenant.default.agent_range.more]\nnumbers = \"1002-1009\"",
            "1002 to 1003 are in [tenant.default.agent_range.floor], too",
        ),
        (
            "",
            "[tenant.default.agent_range.more]\nnumbers = \"2000-2099\"",
            "there is no user 2000, 2001, 2002, 2003, 2004 and 95 more",
        ),
        ("", "[tenant.default.agent_range.more]\nnumbers = \"1-20\"", "two numbers of as many digits"),
        ("", "[tenant.default.agent_range.more]\nnumbers = \"99-10\"", "two numbers of as many digits"),
        ("", "[tenant.default.agent_range.more]\nnumbers = \"10000-20000\"", "at most 10000 numbers"),
        ("", "[tenant.default.agent_range.more]\nnumbers = \"20000-29999\"", "10004 agents"),
        ("", "[tenant.default.agent_range.more]", "missing key \"numbers\""),
        ("", "[tenant.default.user.1003]\npassword = \"x\"", "user \"1003\" is already at"),
        ("", "[tenant.default.agent.1001]\nqueues = [\"none\"]", "\"queues\" in [tenant.default.agent.1001]"),
    ] {
        let faults = faults(lines, more);
        assert!(faults.len() == 1 && faults[0].contains(expected), "{lines} {more}: {faults:#?}");
    }
}

#[test]
fn what_is_wrong_with_a_file_of_passwords_is_told_at_its_line_without_the_secret() {
    let scratch = scratch();
    scratch
        .write("config/floor.csv", "1000,hunter2\n1001\n1002,\n2000,hunter2\n1003,hunter2\n1003,hunter2\n");
    let told = said(scratch.load(&text("", "")).unwrap_err());
    let expected = [
        "cordboard.toml:4: \"numbers\" in [tenant.default.agent_range.floor]: there is no user 1001, 1002; \
         expected a section of each, or a line in a file that passwords names",
        "floor.csv:2: expected a number, a comma and a password",
        "floor.csv:3: expected a number, a comma and a password",
        "floor.csv:4: the number is not in [tenant.default.agent_range.floor]",
        "floor.csv:6: 1003 stands twice",
    ];
    assert_eq!(told, expected);
    let missing = text("", "").replace("floor.csv", "nowhere.csv");
    let faults = said(scratch.load(&missing).unwrap_err());
    assert!(faults.iter().any(|fault| fault.contains("cannot read the password file")), "{faults:?}");
}

#[test]
fn ten_thousand_agents_are_read_at_once() {
    let scratch = Scratch::new();
    let lines: String = (10_000..20_000).map(|number| format!("{number},secret-of-{number}\n")).collect();
    scratch.write("config/floor.csv", &lines);
    let text = text("", "").replace("1000-1003", "10000-19999");
    let loaded = scratch.load(&text).unwrap();
    assert_eq!(loaded.snapshot.tenants[&TenantId::DEFAULT].agents.len(), 10_000);
}
