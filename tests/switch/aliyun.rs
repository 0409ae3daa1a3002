//! A back end that is written for the other vendor, in Python and of its documents alone, against the running switch; and what opens
//! once, over a restart.

use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::process::{Command, Output};

const SECRET: &str = "secret-of-the-crm-itself";

fn openssl(dir: &Path, args: &[&str]) -> Outcome {
    let made = Command::new("openssl").args(args).current_dir(dir).output()?;
    ensure(made.status.success(), || String::from_utf8_lossy(&made.stderr).into_owned())
}

fn client(dir: &Path, switch: &Switch) -> Result<Output, Fail> {
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/aliyun/client.py"));
    Ok(command.args([&switch.api.at, "crm.key", "other.key"]).current_dir(dir).output()?)
}

/// Tokens are exchanged; agents, groups, departments and numbers are made and go; an agent comes, has a break and leaves.
pub fn whole(dir: &Path) -> Outcome {
    for key in ["crm.key", "other.key"] {
        openssl(dir, &["genrsa", "-out", key, "2048"])?;
    }
    openssl(dir, &["rsa", "-in", "crm.key", "-pubout", "-out", "crm.pem"])?;
    let application = "[tenant.default.application.crm]\nclient_id = \"crm-8a1f\"\nsecret_env = \"CRM_SECRET\"\n\
        issuer = \"https://crm.example\"\npublic_key = \"crm.pem\"\nactions = true\ninstance = \"ccc-1\"\n";
    let config = Config::new(dir)?
        .agent("1001")
        .queue("")
        .flow("main", "call:hang_up()\n")?
        .number("600", "flow:main")
        .more(application);
    let switch = Switch::start_with(dir, &config, &[("CRM_SECRET", SECRET)])?;
    let said = client(dir, &switch)?;
    let text = [said.stdout, said.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    ensure(said.status.success() && text.ends_with("done\n"), || text.clone())?;
    let log = switch.api.get("/api/v1/audit?limit=1000")?.to_string();
    for noted in ["application crm", "CreateAgent", "agents/2001", "DeleteAgent"] {
        ensure(log.contains(noted), || format!("{noted} is not in the audit log: {log}"))?;
    }
    ensure(!log.contains(SECRET) && !switch.log().contains(SECRET), || "the secret is told".into())
}

/// The three that open once, as they were answered: name, status, word.
fn shown(dir: &Path, switch: &Switch) -> Result<Vec<(String, u64, String)>, Fail> {
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/aliyun/once.py"));
    let output = command.args([&switch.api.at, "crm.key", "shown.json"]).current_dir(dir).output()?;
    let why = String::from_utf8_lossy(&output.stderr);
    ensure(output.status.success(), || why.into_owned())?;
    let read = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).ok()?;
        let text = |at: usize| row[at].as_str().unwrap_or_default().to_owned();
        Some((text(0), row[1].as_u64()?, text(2)))
    };
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(read).collect())
}

/// What opened once before the switch is killed does not open after it.
pub fn once(dir: &Path) -> Outcome {
    openssl(dir, &["genrsa", "-out", "crm.key", "2048"])?;
    openssl(dir, &["rsa", "-in", "crm.key", "-pubout", "-out", "crm.pem"])?;
    let application = format!(
        "[tenant.default.application.crm]\nclient_id = \"crm-8a1f\"\nsecret = \"{SECRET}\"\n\
         issuer = \"https://crm.example\"\npublic_key = \"crm.pem\"\nactions = true\ninstance = \"ccc-1\"\n\
         [huawei.tenant.default]\nvdn = 5\n[huawei.tenant.default.key.monitor]\nsecret = \"a-secret-of-monitoring\""
    );
    let config = Config::new(dir)?.agent("1001").queue("").more(&application);
    let mut switch = Switch::start(dir, &config)?;
    let row = |name: &str, status, word: &str| (name.to_owned(), status, word.to_owned());
    let opened = [row("token", 200, ""), row("action", 200, "Success"), row("request", 200, "0100000")];
    let first = shown(dir, &switch)?;
    ensure(first == opened, || format!("{first:?}"))?;
    let form = "path headers:apart body:escaped";
    let counted = format!("cordboard_signed_requests_total{{key=\"monitor\",form=\"{form}\"}}");
    let count = switch.api.metric(&counted)?;
    ensure(count == 1.0, || format!("{counted} is {count}"))?;
    let closed = [
        row("token", 400, "invalid_grant"),
        row("action", 400, "SignatureNonceUsed"),
        row("request", 401, "401"),
    ];
    let again = shown(dir, &switch)?;
    ensure(again == closed, || format!("before the restart: {again:?}"))?;
    switch.kill();
    let switch = Switch::restart(dir)?;
    let after = shown(dir, &switch)?;
    ensure(after == closed, || format!("after it: {after:?}"))
}
