//! Seeing calls: the ladder of a call by API, command line and tshark, and what must not be in it.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::browser::Page;
use cordboard_tests::config::{Config, KEY};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::{Switch, binary};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// A key of SDES that stands in the caller's offer.
const SDES: &str = "Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5";
/// The length that the caller's phone gives of a key that is a secret.
const CANARY_MS: u32 = 4_719;
/// The same of one that is none.
const OPEN_MS: u32 = 2_803;

fn switch(dir: &Path) -> Result<Switch, Fail> {
    let config = Config::new(dir)?.user("1001").user("1002");
    Switch::start(dir, &config.more("[log]\nlevel = \"trace\""))
}

/// 1001 calls 1002 with its password; both talk.
fn talking(dir: &Path, scenario: &Scenario) -> Result<(Switch, Phone, Phone), Fail> {
    let switch = switch(dir)?;
    let mut called = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    let mut caller = Phone::calls(dir, "1001", 5071, "1002", scenario, CALLER)?;
    caller.sipp.wait_received("SIP/2.0 180", 1)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    Ok((switch, caller, called))
}

fn calls_with_digest() -> Scenario {
    Scenario::caller(MU_LAW).invites_with_digest().is_answered()
}

/// A call that was made and is over; its id.
fn one_call(dir: &Path) -> Result<(Switch, Phone, Phone, String), Fail> {
    let (switch, mut caller, mut called) = talking(dir, &calls_with_digest().ends())?;
    called.hangs_up()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    let call = cdr["call"].as_str().unwrap_or_default().to_owned();
    Ok((switch, caller, called, call))
}

/// The ladder, as soon as it has the end of the call.
pub fn trace(switch: &Switch, call: &str) -> Result<Value, Fail> {
    let path = format!("/api/v1/calls/{call}/trace");
    let whole = || {
        let trace = switch.api.get(&path).ok()?;
        let ended = |step: &Value| step["note"] == "ended";
        trace["steps"].as_array()?.iter().any(ended).then_some(trace)
    };
    wait_for("the ladder of a call that is over", SOON, whole)
}

/// Titles of messages with their direction and the name of the far end, notes by their kind.
fn steps(trace: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let word = |step: &Value| match step["kind"].as_str() {
        Some("message") => {
            let party = usize::try_from(step["party"].as_u64().unwrap_or(9)).unwrap_or(9);
            let way = if step["sent"] == true { "to" } else { "from" };
            format!("{way} {} {}", text(&trace["parties"][party]["name"]), text(&step["title"]))
        }
        _ => match step["note"].as_str() {
            Some("event") => text(at(step, "event.type")),
            Some("media") => format!("media {}", text(at(step, "media.type"))),
            other => other.unwrap_or_default().to_owned(),
        },
    };
    trace["steps"].as_array().into_iter().flatten().map(word).collect()
}

/// Fails unless these stand there in this order, with others between them.
fn in_this_order(steps: &[String], wanted: &[&str]) -> Outcome {
    let mut left = steps.iter();
    let missing = wanted.iter().find(|wanted| !left.any(|step| step == *wanted));
    match missing {
        None => Ok(()),
        Some(missing) => fail(format!("{missing:?} does not follow in {steps:#?}")),
    }
}

/// `cordboard` with these arguments, and what it printed.
pub fn command(dir: &Path, args: &[&str]) -> Result<String, Fail> {
    let mut command = Command::new(binary()?);
    let output = command.args(args).current_dir(dir).env("CORDBOARD_API_KEY", KEY).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure(output.status.success(), || format!("{args:?}: {said}{failed}"))?;
    Ok(said)
}

pub fn ladder(dir: &Path) -> Outcome {
    let (switch, caller, called, call) = one_call(dir)?;
    let seen = trace(&switch, &call)?;
    in_this_order(
        &steps(&seen),
        &[
            "from 1001 INVITE",
            "to 1001 401 Unauthorized",
            "from 1001 ACK",
            "from 1001 INVITE",
            "call_started",
            "call_routed",
            "to 1002 INVITE",
            "from 1002 180 Ringing",
            "from 1002 200 OK",
            "to 1001 200 OK",
            "media heard",
            "from 1002 BYE",
            "ended",
            "to 1001 BYE",
            "from 1001 200 OK",
        ],
    )?;
    ensure(seen["parties"].as_array().is_some_and(|all| all.len() == 2), || format!("parties: {seen}"))?;
    for phone in [&caller, &called] {
        let messages = phone.sipp.messages();
        let id = messages.iter().find_map(|m| m.header("Call-ID")).unwrap_or_default().replace('@', "%40");
        let by_sip = trace(&switch, &id)?;
        ensure(by_sip == seen, || format!("by the Call-ID {id} another ladder: {by_sip}"))?;
    }
    let listed = switch.api.list("/api/v1/traces")?;
    ensure(listed.iter().any(|entry| entry["call"] == call), || format!("not listed: {listed:?}"))?;
    let text = command(dir, &["trace", &call, "-c", "cordboard.toml"])?;
    for part in [
        call.as_str(),
        "1001",
        "Cordboard",
        "1002",
        "- INVITE (sdp) -",
        "- 200 OK (sdp) -",
        "* ended",
        "call_routed",
    ] {
        let part = part.replace("* ended", "* call_ended cause=normal");
        ensure(text.contains(&part), || format!("no {part:?} in\n{text}"))?;
    }
    let whole =
        command(dir, &["trace", &call, "--messages", "--http", "127.0.0.1:8080", "-c", "cordboard.toml"])?;
    ensure(whole.contains("m=audio") && whole.len() > text.len(), || format!("no messages in\n{whole}"))?;
    let stranger = switch.api.send_as("GET", &format!("/api/v1/calls/{call}/trace"), "not-a-key")?;
    ensure(stranger.status == 401, || format!("a stranger gets {}", stranger.head))
}

/// What tshark reads in a capture: these fields of each frame, with tabs between them.
fn tshark(file: &Path, fields: &[&str]) -> Result<Vec<Vec<String>>, Fail> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(file).args(["-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output()?;
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure(output.status.success(), || format!("tshark: {failed}"))?;
    let rows = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(rows.lines().map(|row| row.split('\t').map(str::to_owned).collect()).collect())
}

pub fn capture(dir: &Path) -> Outcome {
    let (switch, _, _, call) = one_call(dir)?;
    let seen = trace(&switch, &call)?;
    command(dir, &["trace", &call, "--pcap", "call.pcap", "-c", "cordboard.toml"])?;
    let fields =
        ["_ws.col.Protocol", "sip.Method", "sip.Status-Code", "udp.dstport", "sip.Call-ID", "_ws.malformed"];
    let rows = tshark(&dir.join("call.pcap"), &fields)?;
    let messages = seen["steps"].as_array().into_iter().flatten().filter(|step| step["kind"] == "message");
    let titles: Vec<&str> = messages.filter_map(|step| step["title"].as_str()).collect();
    ensure(rows.len() == titles.len(), || format!("{} frames for {titles:?}", rows.len()))?;
    for (row, title) in rows.iter().zip(&titles) {
        let [protocol, method, status, _, id, malformed] = row.as_slice() else {
            return fail(format!("not six fields: {row:?}"));
        };
        let word = title.split(' ').next().unwrap_or_default();
        let is = protocol.starts_with("SIP") && (method == word || status == word);
        ensure(is && !id.is_empty() && malformed.is_empty(), || format!("{title} is read as {row:?}"))?;
    }
    let mut ids: Vec<&String> = rows.iter().filter_map(|row| row.get(4)).collect();
    ids.sort();
    ids.dedup();
    ensure(ids.len() == 2, || format!("not the Call-IDs of two legs: {ids:?}"))?;
    let phones = rows.iter().filter(|row| row[3] == "5071" || row[3] == "5072").count();
    ensure(phones > 4, || format!("the phones' ports are not in {rows:?}"))
}

pub fn canaries(dir: &Path) -> Outcome {
    let scenario =
        calls_with_digest().with_sdp_line(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{SDES}"));
    let scenario =
        scenario.presses_by_info('4', OPEN_MS).waits_for_word().presses_by_info('5', CANARY_MS).ends();
    let (switch, mut caller, mut called) = talking(dir, &scenario)?;
    let up = switch.wait_stage("bridged")?;
    let (call, leg) = (up["call"].clone(), up["legs"][0]["leg"].clone());
    let (call, leg) = (call.as_str().unwrap_or_default(), leg.as_str().unwrap_or_default());
    let secret = format!("/api/v1/legs/{leg}/secret");
    let told = switch.api.send("POST", &secret, r#"{"on": true}"#)?;
    ensure(told.status == 200, || format!("the leg is made secret: {}", told.head))?;
    caller.sipp.go_on()?;
    caller.sipp.wait_sent("INFO", 2)?;
    caller.voice.press('9');
    let path = format!("/api/v1/calls/{call}/trace");
    wait_for("a masked key", SOON, || {
        let trace = switch.api.get(&path).ok()?;
        let masked = |step: &Value| at(step, "media.digit") == "?";
        trace["steps"].as_array()?.iter().any(masked).then_some(())
    })?;
    called.hangs_up()?;
    caller.ended()?;
    switch.wait_cdrs(1)?;
    let json = trace(&switch, call)?.to_string();
    let text = command(dir, &["trace", call, "--messages", "-c", "cordboard.toml"])?;
    let capture = switch.api.send("GET", &format!("{path}.pcap"), "")?;
    let capture = String::from_utf8_lossy(&capture.body).into_owned();
    let sent = caller.sipp.log();
    let response =
        sent.split("response=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    ensure(response.len() == 32 && sent.contains(SDES), || format!("the phone shows no secrets:\n{sent}"))?;
    let (canary, open) = (format!("Duration={CANARY_MS}"), format!("Duration={OPEN_MS}"));
    ensure(sent.contains(&canary), || format!("the phone has pressed no key:\n{sent}"))?;
    for (what, seen) in [("JSON", &json), ("text", &text), ("capture", &capture)] {
        ensure(seen.contains(&open) && seen.contains("a=crypto:1 "), || {
            format!("not all is in the {what}:\n{seen}")
        })?;
        ensure(seen.contains("username=") && seen.contains("INFO sip:"), || {
            format!("the {what} lacks:\n{seen}")
        })?;
    }
    for (what, seen) in [("JSON", &json), ("text", &text), ("capture", &capture), ("log", &switch.log())] {
        for secret in
            [response, SDES, &canary, "Signal=5", r#""digit":"9""#, "digit=9", r#""digit":"5""#, "digit=5"]
        {
            ensure(!seen.contains(secret), || format!("{secret:?} stands in the {what}:\n{seen}"))?;
        }
    }
    Ok(())
}

pub fn refused(dir: &Path) -> Outcome {
    let switch = switch(dir)?;
    let refused = Scenario::caller(MU_LAW).invites().is_refused(401);
    let mut stranger = Phone::calls(dir, "1001", 5071, "1002", &refused, 0.0)?;
    stranger.ended()?;
    let messages = stranger.sipp.messages();
    let id = messages.iter().find_map(|m| m.header("Call-ID")).unwrap_or_default().to_owned();
    let text = command(dir, &["trace", &id, "-c", "cordboard.toml"])?;
    ensure(text.contains("no call") && text.contains("401 Unauthorized"), || format!("{id}:\n{text}"))?;
    let listed = switch.api.list("/api/v1/traces")?;
    let found = listed.iter().any(|entry| entry["call_id"] == id.as_str() && entry["call"].is_null());
    ensure(found, || format!("{id} is not in {listed:?}"))?;
    let mut unknown = Command::new(binary()?);
    unknown.args(["trace", "unknown", "-c", "cordboard.toml"]).current_dir(dir).env("CORDBOARD_API_KEY", KEY);
    let said = unknown.output()?;
    let why = String::from_utf8_lossy(&said.stderr).into_owned();
    ensure(!said.status.success() && why.contains("404"), || format!("an unknown call: {why}"))
}

/// The chunks of a HEP packet by their type; all of vendor 0.
fn chunks(packet: &[u8]) -> Option<BTreeMap<u16, Vec<u8>>> {
    let word = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
    if packet.get(..4)? != b"HEP3" || usize::from(word(4)?) != packet.len() {
        return None;
    }
    let (mut at, mut chunks) = (6, BTreeMap::new());
    while at < packet.len() {
        let length = usize::from(word(at + 4)?);
        if word(at)? != 0 || length < 6 {
            return None;
        }
        chunks.insert(word(at + 2)?, packet.get(at + 6..at + length)?.to_vec());
        at += length;
    }
    Some(chunks)
}

pub fn hep(dir: &Path) -> Outcome {
    let collector = UdpSocket::bind("127.0.0.9:9060")?;
    collector.set_read_timeout(Some(SOON))?;
    let hep = "[trace.hep]\naddress = \"127.0.0.9:9060\"\ncapture_id = 77";
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001").user("1002").more(hep))?;
    let mut called = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    let mut caller = Phone::calls(dir, "1001", 5071, "1002", &calls_with_digest().ends(), CALLER)?;
    caller.sipp.wait_received("SIP/2.0 180", 1)?;
    called.answers_now()?;
    called.sipp.wait_received("ACK", 1)?;
    called.hangs_up()?;
    caller.ended()?;
    let call = switch.wait_cdrs(1)?.remove(0)["call"].as_str().unwrap_or_default().to_owned();
    let (mut titles, mut text, mut buf) = (Vec::new(), String::new(), [0; 65_535]);
    // The answer to the caller's side of the goodbye is the last that is said.
    while titles.iter().filter(|title: &&String| title.starts_with("SIP/2.0 200")).count() < 4 {
        let (len, _) =
            collector.recv_from(&mut buf).map_err(|why| Fail(format!("{why} after {titles:?}")))?;
        let all = chunks(&buf[..len]).ok_or_else(|| Fail(format!("not HEP3: {:?}", &buf[..len])))?;
        let of = |kind: u16| all.get(&kind).cloned().unwrap_or_default();
        let message = String::from_utf8_lossy(&of(15)).into_owned();
        let port = |kind: u16| u16::from_be_bytes(of(kind).try_into().unwrap_or_default());
        let seconds = u32::from_be_bytes(of(9).try_into().unwrap_or_default());
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let right = (of(1), of(2), of(11)) == (vec![2], vec![17], vec![1])
            && (of(3), of(4)) == (vec![127, 0, 0, 1], vec![127, 0, 0, 1])
            && [port(7), port(8)].contains(&5060)
            && [5071, 5072].iter().any(|phone| [port(7), port(8)].contains(phone))
            && now.abs_diff(u64::from(seconds)) < 60
            && u32::from_be_bytes(of(10).try_into().unwrap_or_default()) < 1_000_000
            && of(12) == 77u32.to_be_bytes();
        ensure(right, || format!("{all:?} for\n{message}"))?;
        // What came before the password was shown belongs to no call yet.
        let correlation = String::from_utf8_lossy(&of(17)).into_owned();
        let challenge =
            message.contains("SIP/2.0 401") || !message.contains("Authorization") && titles.len() < 3;
        ensure(correlation == call || challenge, || format!("{correlation:?} is not {call} for\n{message}"))?;
        titles.push(message.lines().next().unwrap_or_default().to_owned());
        text += &message;
    }
    for start in ["INVITE sip:1002@", "SIP/2.0 401", "ACK ", "SIP/2.0 180", "BYE "] {
        ensure(titles.iter().any(|title| title.starts_with(start)), || format!("no {start} in {titles:?}"))?;
    }
    let sent = caller.sipp.log();
    let response =
        sent.split("response=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    ensure(response.len() == 32 && !text.contains(response), || {
        "the digest response went to the collector".into()
    })
}

pub fn page(dir: &Path) -> Outcome {
    let (switch, _, _, call) = one_call(dir)?;
    trace(&switch, &call)?;
    let url = format!("http://{}/#ladder={call}", switch.api.at);
    let mut page = Page::open(dir, &url)?;
    page.wait_text(&["API key"], SOON)?;
    page.evaluate(&format!("sessionStorage.setItem('cordboard.key', '{KEY}'); location.reload(); 0"))?;
    page.wait_text(&["Cordboard", "1001", "1002", "INVITE (SDP)", "180 Ringing", "401 Unauthorized"], SOON)?;
    page.evaluate("document.querySelector('.ladder .step').click(); 0")?;
    page.wait_text(&["Call-ID:", "CSeq:", "m=audio"], SOON)?;
    let arrows = page.evaluate("document.querySelectorAll('.ladder .arrow').length")?;
    let messages = trace(&switch, &call)?["steps"]
        .as_array()
        .map_or(0, |steps| steps.iter().filter(|step| step["kind"] == "message").count());
    ensure(arrows == messages, || format!("{arrows} arrows for {messages} messages"))
}
