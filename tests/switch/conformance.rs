//! The running switch against its own OpenAPI document: schemathesis makes requests that nobody would think of.

use cordboard_tests::Fail;
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
/// What counts wrong passwords against the address that all requests come from: asked last.
const PASSWORDS: [&str; 3] = ["signIn", "setPassword", "beginSession"];
/// What ends the switch, and what is a stream without an end: asked with a key that opens neither. What they do for who may is shown
/// by the tests of stopping and of events.
const REFUSED: [&str; 3] = ["stop", "stopNow", "streamEvents"];
/// The longest that it may take.
const LONGEST: Duration = Duration::from_secs(240);

/// Which operations a run is about.
enum Which {
    /// All but these.
    Without(Vec<&'static str>),
    /// These.
    Only([&'static str; 3]),
}

fn run(dir: &Path, switch: &Switch, key: &str, which: &Which) -> Outcome {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMATHESIS);
    ensure(tool.exists(), || format!("there is no {}: run scripts/bootstrap.sh test", tool.display()))?;
    let mut command = Command::new(tool);
    command.arg("--no-color").arg("run").arg(format!("http://{}/openapi.json", switch.api.at));
    command.args(["--header", &format!("X-Api-Key: {key}"), "--checks", CHECKS, "--seed", SEED]);
    command.args(["--phases", "examples,fuzzing", "--max-examples", EXAMPLES, "--no-shrink"]);
    command.args(["--generation-database", "none"]);
    command.args(["--suppress-health-check", "all", "--request-timeout", "10", "--warnings", "off"]);
    command.args(["--continue-on-failure", "--generation-with-security-parameters", "false"]);
    let (option, operations) = match which {
        Which::Without(operations) => ("--exclude-operation-id", operations.as_slice()),
        Which::Only(operations) => ("--include-operation-id", operations.as_slice()),
    };
    for operation in operations {
        command.args([option, operation]);
    }
    command.current_dir(dir);
    let mut run = Process::start("schemathesis", dir, command)?;
    match run.wait_success(LONGEST) {
        Ok(()) => {}
        Err(why) => return fail(format!("{why}\n{}\nthe switch:\n{}", run.output(), switch.log())),
    }
    // a name that the document does not have would leave nothing out, and ask for nothing
    let document = switch.api.get("/openapi.json")?.to_string();
    let is_unknown = |operation: &&&str| !document.contains(&format!("\"operationId\":\"{operation}\""));
    let unknown: Vec<_> = operations.iter().filter(is_unknown).collect();
    ensure(unknown.is_empty(), || format!("no operation is called {unknown:?}"))
}

/// Every operation of the document, twenty requests each.
pub fn answers_as_the_document_says(dir: &Path) -> Outcome {
    let config =
        Config::new(dir)?.agent("1001").user("1002").queue("").trunk().flow("menu", "call:answer()")?;
    let switch = Switch::start(dir, &config)?;
    let body = r#"{"name": "narrow", "scopes": ["queues:read"]}"#;
    let made = switch.api.send("POST", "/api/v1/keys", body)?.json()?;
    let narrow = made["key"].as_str().ok_or_else(|| Fail(format!("no key: {made}")))?;
    let refused = switch.api.send_as("POST", "/api/v1/stop", narrow)?;
    ensure(refused.status == 403, || format!("the narrow key opens more: {}", refused.head))?;
    run(dir, &switch, narrow, &Which::Only(REFUSED))?;
    let apart = PASSWORDS.into_iter().chain(REFUSED).collect();
    run(dir, &switch, KEY, &Which::Without(apart))?;
    run(dir, &switch, KEY, &Which::Only(PASSWORDS))?;
    let health = switch.api.get("/healthz")?;
    ensure(health["ready"] == true, || format!("the switch is not well after it: {health}"))
}
