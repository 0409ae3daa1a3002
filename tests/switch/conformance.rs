//! The running switch against its own OpenAPI document: schemathesis makes requests that nobody would think of.

use cordboard_tests::config::{Config, KEY};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::Process;
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Where `scripts/bootstrap.sh test` puts it.
const SCHEMATHESIS: &str = "../target/schemathesis/bin/schemathesis";
/// Requests of an operation.
const EXAMPLES: &str = "20";
/// The same requests in every run.
const SEED: &str = "20261122";
/// What is looked at: no fault of ours, only statuses, types and bodies that the document has.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";
/// What ends the switch, what never ends, and what counts wrong passwords against the address that all requests come from.
const LEFT_OUT: [&str; 7] =
    ["stop", "stopNow", "streamEvents", "followEvents", "signIn", "setPassword", "beginSession"];
/// The longest that it may take.
const LONGEST: Duration = Duration::from_secs(240);

/// Every operation of the document, twenty requests each.
pub fn answers_as_the_document_says(dir: &Path) -> Outcome {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMATHESIS);
    ensure(tool.exists(), || format!("there is no {}: run scripts/bootstrap.sh test", tool.display()))?;
    let config =
        Config::new(dir)?.agent("1001").user("1002").queue("").trunk().flow("menu", "call:answer()")?;
    let switch = Switch::start(dir, &config)?;
    let mut command = Command::new(tool);
    command.arg("--no-color").arg("run").arg(format!("http://{}/openapi.json", switch.api.at));
    command.args(["--header", &format!("X-Api-Key: {KEY}"), "--checks", CHECKS, "--seed", SEED]);
    command.args(["--phases", "examples,fuzzing", "--max-examples", EXAMPLES, "--no-shrink"]);
    command.args(["--generation-database", "none"]);
    command.args(["--suppress-health-check", "all", "--request-timeout", "10", "--warnings", "off"]);
    command.args(["--continue-on-failure", "--generation-with-security-parameters", "false"]);
    for operation in LEFT_OUT {
        command.args(["--exclude-operation-id", operation]);
    }
    command.current_dir(dir);
    let mut run = Process::start("schemathesis", dir, command)?;
    match run.wait_success(LONGEST) {
        Ok(()) => {}
        Err(why) => return fail(format!("{why}\n{}\nthe switch:\n{}", run.output(), switch.log())),
    }
    let health = switch.api.get("/healthz")?;
    ensure(health["ready"] == true, || format!("the switch is not well after it: {health}"))
}
