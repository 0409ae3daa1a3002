//! An enterprise's server that is asked for its agents: it says yes, no, something else, nothing, or that it is elsewhere.

use crate::common::SOON;
use cordboard_tests::Fail;
use cordboard_tests::api::Answer;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

const CRM: &str = "https://crm.example";
/// Where sessions begin.
pub const PATH: &str = "/api/v1/third-party/session";
/// The token that the enterprise has given out.
pub const GOOD: &str = "4f6e0d-token-of-the-crm";

/// Reads one request: its first line and its body.
fn read(reader: &mut BufReader<TcpStream>) -> Result<(String, Value), Fail> {
    let (mut first, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        ensure(reader.read_line(&mut line)? > 0, || "the connection ends".into())?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if first.is_empty() {
            first = line.to_owned();
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((first, serde_json::from_slice(&body)?))
}

/// Answers one question as its token says.
fn answer(stream: TcpStream, asked: &Sender<(String, Value)>) -> Outcome {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let (first, body) = read(&mut reader)?;
    let token = body["access_token"].as_str().unwrap_or_default().to_owned();
    let _ = asked.send((first, body));
    let (status, said) = match token.as_str() {
        GOOD => ("200 OK", r#"{"retCode":0,"message":"validate success"}"#),
        "garbage" => ("200 OK", "<html>sign in first</html>"),
        "elsewhere" => ("302 Found\r\nLocation: /yes", ""),
        "nothing" => {
            // until the switch has given up
            let _ = reader.read(&mut [0; 1]);
            return Ok(());
        }
        _ => ("200 OK", r#"{"retCode":1,"message":"the token has expired"}"#),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{said}", said.len())?;
    Ok(())
}

/// The enterprise's server, and what it is asked.
pub fn enterprise() -> Result<(u16, Receiver<(String, Value)>), Fail> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (sender, asked) = channel();
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || answer(stream, &sender));
        }
    });
    Ok((port, asked))
}

fn post(switch: &Switch, token: &str) -> Result<Answer, Fail> {
    let body = json!({ "access_token": token, "tenantSpaceId": "space-1", "userAccount": "1001" });
    let more = format!("Origin: {CRM}\r\n");
    switch.api.with_key("").send_with("POST", PATH, &more, &body.to_string())
}

/// The cookies of an answer, as a browser sends them back.
fn cookies(answer: &Answer) -> String {
    let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pairs: Vec<&str> = set.filter_map(|(_, value)| value.split(';').next()).collect();
    pairs.join("; ")
}

fn secret(cookies: &str, name: &str) -> String {
    let found = cookies.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_default().to_owned()
}

fn ask(switch: &Switch, method: &str, path: &str, cookies: &str, csrf: &str) -> Result<Answer, Fail> {
    let csrf = if csrf.is_empty() { String::new() } else { format!("X-CSRF-Token: {csrf}\r\n") };
    let more = format!("Origin: {CRM}\r\nCookie: {cookies}\r\n{csrf}");
    switch.api.with_key("").send_with(method, path, &more, "")
}

/// Every answer of the enterprise; then an agent's day with the cookies alone, over a restart, until he signs out.
pub fn asked(dir: &Path) -> Outcome {
    let (port, asked) = enterprise()?;
    let more = format!(
        "[third_party]\nlimit = \"500ms\"\nallow_private = true\n\
         [tenant.default.access]\norigins = [\"{CRM}\"]\n\
         [tenant.default.third_party]\nurl = \"http://127.0.0.1:{port}/validate\"\nspace = \"space-1\"\n"
    );
    let config = Config::new(dir)?.agent("1001").queue("").more(&more);
    let mut switch = Switch::start(dir, &config)?;
    switch.api.post("/api/v1/agents/1001/sign-out")?;
    switch.wait_agent("1001", "signed_out")?;
    for (token, status, code) in [
        ("expired", 401, "not_vouched_for"),
        ("garbage", 502, "enterprise_garbage"),
        ("elsewhere", 502, "enterprise_garbage"),
        ("nothing", 504, "enterprise_silent"),
    ] {
        let answer = post(&switch, token)?;
        let said = answer.json()?;
        ensure(answer.status == status && said["code"] == code, || format!("{token}: {said}"))?;
        ensure(cookies(&answer).is_empty(), || format!("{token}: there are cookies"))?;
        let (first, body) = asked.recv_timeout(SOON)?;
        ensure(first == "POST /validate HTTP/1.1", || format!("it was asked {first}"))?;
        ensure(body["tenantSpaceId"] == "space-1" && body["userAccount"] == "1001", || body.to_string())?;
    }
    ensure(asked.try_recv().is_err(), || "a redirection was followed".into())?;
    switch.wait_agent("1001", "signed_out")?;

    let mut events = switch.api.events(None)?;
    let answer = post(&switch, GOOD)?;
    let said = answer.json()?;
    ensure(answer.status == 200, || said.to_string())?;
    let csrf = said["csrf"].as_str().unwrap_or_default().to_owned();
    let jar = cookies(&answer);
    let began = events.until("the session", |event| event["type"] == "session_began")?;
    ensure(began.last().is_some_and(|event| event["where"] == CRM), || format!("{began:?}"))?;
    works(&switch, &jar, &csrf)?;

    let next = ask(&switch, "POST", &format!("{PATH}/refresh"), &jar, "")?;
    let csrf = next.json()?["csrf"].as_str().unwrap_or_default().to_owned();
    let (old, jar) = (jar, cookies(&next));
    let status = ask(&switch, "GET", PATH, &old, "")?.status;
    ensure(status == 401, || format!("the token before still opens: {status}"))?;
    works(&switch, &jar, &csrf)?;
    let log = switch.log();
    for hidden in [GOOD.to_owned(), secret(&jar, "sum_token"), secret(&jar, "sum_refresh_token")] {
        ensure(!hidden.is_empty() && !log.contains(&hidden), || "a token stands in the log".into())?;
    }

    switch.kill();
    let switch = Switch::restart(dir)?;
    works(&switch, &jar, &csrf)?;
    // a window that asks with what was used before the restart is told that another did; nobody else has the session for it
    let twice = ask(&switch, "POST", &format!("{PATH}/refresh"), &old, "")?;
    ensure(twice.status == 409, || format!("a used refresh token: {}", twice.status))?;
    let next = ask(&switch, "POST", &format!("{PATH}/refresh"), &jar, "")?;
    ensure(next.status == 200, || format!("the session does not go on: {} {}", next.status, next.head))?;
    let csrf = next.json()?["csrf"].as_str().unwrap_or_default().to_owned();
    let jar = cookies(&next);
    works(&switch, &jar, &csrf)?;
    let listed = switch.api.list("/api/v1/agent-sessions")?;
    ensure(listed.len() == 1 && listed[0]["session"]["where"] == CRM, || format!("{listed:?}"))?;
    let out = ask(&switch, "DELETE", PATH, &jar, &csrf)?;
    ensure(out.status == 200 && out.head.contains("Max-Age=0"), || format!("{} {}", out.status, out.head))?;
    switch.wait_agent("1001", "signed_out")?;
    let status = ask(&switch, "GET", PATH, &jar, "")?.status;
    ensure(status == 401, || format!("he has signed out, and his cookies open: {status}"))
}

/// With the cookies his desk opens, what changes something needs the header, too, and others' things stay closed.
fn works(switch: &Switch, jar: &str, csrf: &str) -> Outcome {
    let desk = ask(switch, "GET", "/api/v1/agents/1001/desk", jar, "")?;
    ensure(desk.status == 200, || format!("his desk: {}", desk.status))?;
    let status =
        |method: &str, path: &str, csrf: &str| Ok::<_, Fail>(ask(switch, method, path, jar, csrf)?.status);
    ensure(status("POST", "/api/v1/agents/1001/not-ready", "")? == 403, || "a cookie alone changes".into())?;
    ensure(status("POST", "/api/v1/agents/1001/not-ready", csrf)? == 200, || "his own order".into())?;
    switch.wait_agent("1001", "not_ready")?;
    ensure(status("GET", "/api/v1/cdrs", "")? == 403, || "his cookies open the records".into())
}
