//! Who may ask the running switch for what: people, keys, the audit log, and two tenants who do not see each other.

use cordboard_tests::Fail;
use cordboard_tests::api::Api;
use cordboard_tests::config::{Config, KEY, PASSWORD};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::SOON;
use cordboard_tests::switch::{Switch, binary};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

const SECOND: &str = "the-key-of-the-second-tenant";
const OWN: &str = "my own password 7";

/// `cordboard user add li --generate`: the password that it shows.
fn add_by_command(switch: &Switch) -> Result<String, Fail> {
    let mut command = Command::new(binary()?);
    command.args(["user", "add", "li", "--generate", "--config"]).arg(switch.config());
    let done = command.current_dir(switch.dir()).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    if !done.status.success() {
        return fail(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let shown = said.lines().find_map(|line| line.strip_prefix("password: "));
    shown.map(str::to_owned).ok_or_else(|| Fail(format!("no password in {said}")))
}

fn sign_in(api: &Api, body: &Value) -> Result<(u16, Value), Fail> {
    let answer = api.with_key("").send("POST", "/api/v1/session", &body.to_string())?;
    Ok((answer.status, answer.json()?))
}

fn made(api: &Api, path: &str, body: &Value) -> Result<Value, Fail> {
    let answer = api.send("POST", path, &body.to_string())?;
    let said = answer.json()?;
    ensure(answer.status == 201, || format!("POST {path}: {} {said}", answer.status))?;
    Ok(said)
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// What lies on the disk of the switch, in one.
fn disk(dir: &Path) -> Result<String, Fail> {
    let mut all = String::new();
    let mut folders = vec![dir.join("var")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            match path.is_dir() {
                true => folders.push(path),
                false => all.push_str(&String::from_utf8_lossy(&std::fs::read(path)?)),
            }
        }
    }
    Ok(all)
}

/// The first administrator comes by command, signs in, makes a key; killed, the switch knows him, the key and the log as they were.
pub fn first_administrator(dir: &Path) -> Outcome {
    let mut switch = Switch::start(dir, &Config::new(dir)?.agent("1001").queue(""))?;
    let first = add_by_command(&switch)?;
    let twice = add_by_command(&switch).err().map(|why| why.0).unwrap_or_default();
    ensure(twice.contains("there is a user li already"), || format!("twice: {twice}"))?;
    let (status, refused) = sign_in(&switch.api, &json!({ "user": "li", "password": first }))?;
    ensure(status == 403 && refused["code"] == "password_must_change", || format!("{status} {refused}"))?;
    let (status, begun) =
        sign_in(&switch.api, &json!({ "user": "li", "password": first, "new_password": OWN }))?;
    ensure(status == 200, || format!("{status} {begun}"))?;
    let token = text(&begun, "token");
    let li = switch.api.with_key(&token);
    let key = made(&li, "/api/v1/keys", &json!({ "name": "wallboard", "scopes": ["queues:read"] }))?;
    let secret = text(&key, "key");
    // Answered is kept: what comes next is no stop.
    switch.kill();
    let switch = Switch::restart(dir)?;
    let li = switch.api.with_key(&token);
    let own = li.get("/api/v1/session")?;
    ensure(own["user"] == "li", || format!("{own}"))?;
    let board = switch.api.with_key(&secret);
    ensure(board.send("GET", "/api/v1/queues", "")?.status == 200, || "the key is forgotten".into())?;
    let refused = board.send("GET", "/api/v1/calls", "")?.json()?;
    ensure(refused["field"] == "calls:read", || format!("{refused}"))?;
    let log = li.list("/api/v1/audit")?;
    let told: Vec<_> = log.iter().rev().map(|entry| (text(entry, "who"), text(entry, "action"))).collect();
    let wanted = [
        ("command line", "createUser"),
        ("user li", "beginSession"),
        ("user li", "beginSession"),
        ("user li", "createKey"),
    ];
    let same = told.iter().map(|(who, what)| (who.as_str(), what.as_str())).eq(wanted);
    ensure(same, || format!("the log has {told:?}"))?;
    let revoked = li.send("DELETE", &format!("/api/v1/keys/{}", text(&key, "id")), "")?;
    ensure(revoked.status == 200, || "the key is not revoked".into())?;
    ensure(board.send("GET", "/api/v1/queues", "")?.status == 401, || "it opens all the same".into())?;
    let hidden = [first.as_str(), OWN, token.as_str(), secret.as_str(), KEY];
    let (kept, logged) = (disk(dir)?, switch.log());
    for secret in hidden {
        ensure(!kept.contains(secret) && !logged.contains(secret), || format!("{secret} is kept or logged"))?;
    }
    Ok(())
}

/// A second tenant with nothing of the first one's names.
fn two_tenants(dir: &Path) -> Result<Switch, Fail> {
    let second = format!(
        "[tenant.second]\ndomains = [\"second.test\"]\n[tenant.second.user.2002]\npassword = \"{PASSWORD}\"\n\
         [tenant.second.agent.2002]\n[tenant.second.queue.support]\n\
         [[api_key]]\nname = \"second\"\ntenant = \"second\"\nkey = \"{SECOND}\""
    );
    let config = Config::new(dir)?.agent("1001").user("1002").queue("").flow("planted", "call:answer()")?;
    let config = config.number("600", "flow:planted").trunk();
    Switch::start(dir, &config.more(&second))
}

/// A path with its parameters put in.
fn filled(path: &str, ids: &[(&str, &str)], other: &str) -> String {
    let folder = path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default();
    let put = |part: &str| match part.starts_with('{') {
        true => ids.iter().find(|(of, _)| *of == folder).map_or(other, |(_, id)| id).to_owned(),
        false => part.to_owned(),
    };
    path.split('/').map(put).collect::<Vec<_>>().join("/")
}

/// Every route of the running switch, as it lists them itself, with the key of one tenant and the names of the other's things.
pub fn tenants_apart(dir: &Path) -> Outcome {
    let switch = two_tenants(dir)?;
    let user = json!({ "name": "planted-user", "roles": ["auditor"], "password": OWN });
    made(&switch.api, "/api/v1/users", &user)?;
    let key = made(&switch.api, "/api/v1/keys", &json!({ "name": "planted-key", "scopes": ["calls:read"] }))?;
    let key = text(&key, "id");
    let ids = [
        ("agents", "1001"),
        ("agent-sessions", "1001"),
        ("queues", "sales"),
        ("flows", "planted"),
        ("trunks", "carrier"),
        ("extensions", "1002"),
        ("users", "planted-user"),
        ("keys", key.as_str()),
    ];
    let document = switch.api.get("/openapi.json")?;
    let second = switch.api.with_key(SECOND);
    let mut walked = 0;
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        let methods = operations.as_object().into_iter().flatten().filter(|_| path.starts_with("/api/v1/"));
        for (method, operation) in methods {
            // One that reads a file, or stops the switch, is asked for elsewhere.
            if ["/api/v1/config/reload", "/api/v1/stop", "/api/v1/stop/now"].contains(&path.as_str()) {
                continue;
            }
            let example = operation.pointer("/requestBody/content/application~1json/example");
            let body = example.map(ToString::to_string).unwrap_or_default();
            let ask = |path: &str| -> Result<(u16, String), Fail> {
                let answer = second.send(&method.to_ascii_uppercase(), path, &body)?;
                Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
            };
            // What was asked for may be said again.
            let blank = |told: &str, path: &str| {
                path.split('/').skip(4).fold(told.to_owned(), |told, id| told.replace(id, "<>"))
            };
            let theirs = filled(path, &ids, "planted-thing");
            let (status, told) = ask(&theirs)?;
            let told = blank(&told, &theirs);
            ensure(!told.contains("planted"), || format!("{method} {theirs}: {status} {told}"))?;
            walked += 1;
            if !path.contains('{') {
                continue;
            }
            let nobodys = filled(path, &[], "nobodys-thing");
            let (other, none) = ask(&nobodys)?;
            let none = blank(&none, &nobodys);
            let same = status == other && told == none;
            ensure(same, || {
                format!("{method} {path}: {status} {told} of theirs, {other} {none} of nobody's")
            })?;
        }
    }
    ensure(walked > 100, || format!("{walked} routes"))?;
    for (folder, id) in [("users", "planted-user"), ("keys", key.as_str())] {
        switch.api.get(&format!("/api/v1/{folder}/{id}"))?;
    }
    Ok(())
}

/// A head that is too long, or has too many lines, is refused before anybody looks at it.
pub fn bounded(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?)?;
    for more in [format!("X-Long: {}\r\n", "x".repeat(80_000)), "X-Many: 1\r\n".repeat(100)] {
        let answer = switch.api.send_with("GET", "/api/v1/calls", &more, "")?;
        ensure(answer.status == 431, || format!("{} for {} bytes", answer.status, more.len()))?;
    }
    // It is refused before it is sent.
    let mut stream = TcpStream::connect(&switch.api.at)?;
    stream.set_read_timeout(Some(SOON))?;
    let head =
        "POST /api/v1/keys HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3000000\r\n\r\n";
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure(answer.starts_with("HTTP/1.1 413"), || format!("a long body: {answer}"))?;
    ensure(switch.api.send("GET", "/api/v1/calls", "")?.status == 200, || "it answers nobody".into())
}
