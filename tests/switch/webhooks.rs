//! Webhooks at the running switch: a server that gets what happens in calls, signed, and again after kill -9.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};

const SECRET: &str = "a-secret-of-the-crm-itself";

/// One delivery: its headers by name, and its body.
struct Got {
    headers: Vec<(String, String)>,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn events(&self) -> Vec<Value> {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["events"].as_array().cloned().unwrap_or_default()
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Result<Got, Fail> {
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        ensure(reader.read_line(&mut line)? > 0, || "the connection ends".into())?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.trim().split_once(": ") {
            let name = name.to_ascii_lowercase();
            if name == "content-length" {
                length = value.parse().unwrap_or(0);
            }
            headers.push((name, value.to_owned()));
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Got { headers, body: String::from_utf8_lossy(&body).into_owned() })
}

fn serve(stream: TcpStream, fails: &AtomicBool, got: &Sender<Got>) -> Outcome {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let one = read(&mut reader)?;
        let status = if fails.load(Relaxed) { "500 No" } else { "204 Taken" };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")?;
        if !fails.load(Relaxed) && got.send(one).is_err() {
            return Ok(());
        }
    }
}

/// Listens; what it takes comes out, and while it fails it takes nothing.
fn receiver() -> Result<(Receiver<Got>, Arc<AtomicBool>), Fail> {
    let listener = TcpListener::bind("127.0.0.1:8099")?;
    let fails = Arc::new(AtomicBool::new(false));
    let (sender, got) = channel();
    let told = Arc::clone(&fails);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (sender, told) = (sender.clone(), Arc::clone(&told));
            std::thread::spawn(move || serve(stream, &told, &sender));
        }
    });
    Ok((got, fails))
}

/// Events until one for which `wanted` holds.
fn until(got: &Receiver<Got>, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Vec<Value>, Fail> {
    let mut events: Vec<Value> = Vec::new();
    while !events.iter().any(&wanted) {
        let one = got.recv_timeout(SOON).map_err(|_| Fail(format!("no {what}: {events:?}")))?;
        events.extend(one.events());
    }
    Ok(events)
}

fn one_call(dir: &Path) -> Outcome {
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()
}

/// The check that docs/integrators.md shows, over a delivery.
fn is_ours(got: &Got, secret: &str) -> Result<bool, Fail> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integrators.md");
    let text = std::fs::read_to_string(docs)?;
    let code = text.split("```python\n").find(|block| block.contains("def is_ours"));
    let code = code.and_then(|block| block.split("```").next()).unwrap_or_default();
    let headers: serde_json::Map<String, Value> =
        got.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect();
    let asked = serde_json::json!([secret, headers, got.body]);
    let program = format!(
        "{code}\nimport json, sys\nsecret, headers, body = json.loads(sys.argv[1])\n\
        print(is_ours(secret, headers, body.encode()))"
    );
    let ran = Command::new("python3").args(["-c", &program, &asked.to_string()]).output()?;
    let said = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
    ensure(ran.status.success(), || String::from_utf8_lossy(&ran.stderr).into_owned())?;
    Ok(said == "True")
}

/// A server gets each call's begin and end, signed; while it fails the switch is killed; then it gets what it had not taken,
/// and is told where something may be missing.
pub fn delivered(dir: &Path) -> Outcome {
    let (got, fails) = receiver()?;
    let config = Config::new(dir)?.agent("1001").queue("wrap_up = \"0s\"").trunk();
    let config = config.more(&format!(
        "[webhooks]\nallowed = [\"http://127.0.0.1:8099/\"]\nallow_private = true\npause = \"50ms\"\n\
         [[webhook]]\nname = \"crm\"\nurl = \"http://127.0.0.1:8099/events\"\nsecret = \"{SECRET}\"\n\
         kinds = [\"call_started\", \"call_ended\"]"
    ));
    let mut first = Switch::start(dir, &config)?;
    one_call(dir)?;
    let delivery = got.recv_timeout(SOON).map_err(|_| Fail("nothing is delivered".into()))?;
    ensure(is_ours(&delivery, SECRET)?, || format!("{:?} is not signed", delivery.headers))?;
    ensure(!is_ours(&delivery, "another secret")?, || "any secret will do".into())?;
    ensure(delivery.header("webhook-id").starts_with("default-"), || format!("{:?}", delivery.headers))?;
    let mut seen = delivery.events();
    let ended = |event: &Value| event["type"] == "call_ended";
    if !seen.iter().any(ended) {
        seen.extend(until(&got, "end of the call", ended)?);
    }
    let kinds: Vec<_> = seen.iter().map(|event| event["type"].clone()).collect();
    ensure(kinds == ["call_started", "call_ended"], || format!("{kinds:?}"))?;
    ensure(seen[1]["cdr"]["cause"] == "normal", || format!("{}", seen[1]))?;

    fails.store(true, Relaxed);
    one_call(dir)?;
    first.wait_cdrs(2)?;
    wait_for("a failed attempt", SOON, || {
        let hook = first.api.get("/api/v1/webhooks/crm").ok()?;
        (hook["failed"].as_u64() > Some(0)).then_some(())
    })?;
    first.kill();
    fails.store(false, Relaxed);
    let switch = Switch::restart(dir)?;
    let last = seen[1]["seq"].as_u64();
    let rest = until(&got, "end of the second call", |event| ended(event) && event["seq"].as_u64() > last)?;
    let new: Vec<_> = rest.iter().filter(|event| event["seq"].as_u64() > last).collect();
    let kinds: Vec<_> = new.iter().map(|event| event["type"].clone()).collect();
    ensure(kinds == ["call_started", "call_ended"], || format!("{kinds:?} of {rest:?}"))?;
    let is_gap = |event: &Value| event["type"] == "gap";
    if !rest.iter().any(is_gap) {
        until(&got, "word of the gap", is_gap)?;
    }
    let all = switch.api.list("/api/v1/webhooks")?;
    ensure(all.len() == 1 && !format!("{all:?}").contains(SECRET), || format!("{all:?}"))?;
    ensure(switch.api.metric("cordboard_webhook_delivered_total")? >= 2.0, || "not counted".into())?;
    switch.ensure_nothing_left()
}
