//! Lamps of phones (RFC 4235, RFC 3842) and messages between them (RFC 3428), at the running switch.

use crate::common::{CALLER, Phone, answers_when_told, calls};
use cordboard_sip::wire::{HeaderName, Message};
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Fail, Outcome, ensure, fail};
use cordboard_tests::peer::Peer;
use cordboard_tests::switch::Switch;
use std::path::Path;

const CONTACT: &str = "Contact: <sip:1002@127.0.0.1:5073>\r\n";

/// Subscribes; gives the first document.
fn watches(phone: &mut Peer, to: &str, event: &str) -> Result<String, Fail> {
    let more = format!("{CONTACT}Event: {event}\r\nExpires: 300\r\n");
    let request = phone.request("SUBSCRIBE", &format!("sip:{to}@localhost"), "1002", &more)?;
    let answer = phone.asks(request, "1002")?;
    ensure(answer.status() == Some(200), || format!("SUBSCRIBE got {answer:?}"))?;
    told(phone)
}

/// The document of the next NOTIFY, which is answered.
fn told(phone: &mut Peer) -> Result<String, Fail> {
    let notify = phone.receive("NOTIFY")?;
    phone.answer(&notify, 200)?;
    Ok(String::from_utf8_lossy(&notify.body).into_owned())
}

/// Waits for a document that holds `what`; what comes before it is older.
fn shows(phone: &mut Peer, what: &str) -> Outcome {
    for _ in 0..8 {
        if told(phone)?.contains(what) {
            return Ok(());
        }
    }
    fail(format!("no document with {what}"))
}

pub fn lamps(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.md5_alone().user("1001").user("1002").trunk().number("600", "user:1001");
    let switch = Switch::start(dir, &config)?;
    let mut watcher = Peer::udp("127.0.0.1:5073", &switch.sip)?;
    let idle = watches(&mut watcher, "1001", "dialog")?;
    ensure(idle.contains("state=\"full\"") && !idle.contains("<dialog "), || idle.clone())?;
    let none = watches(&mut watcher, "1002", "message-summary")?;
    ensure(none.contains("Messages-Waiting: no"), || none.clone())?;
    let mut called = Phone::registered(dir, "1001", 5072, &answers_when_told(), 0.0)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    shows(&mut watcher, "<state>early</state>")?;
    called.answers_now()?;
    shows(&mut watcher, "<state>confirmed</state>")?;
    // who watches knows it before the caller has his answer
    switch.wait_stage("bridged")?;
    caller.hangs_up()?;
    called.ended()?;
    let after = told(&mut watcher)?;
    ensure(!after.contains("<dialog "), || after.clone())?;
    switch.api.put("/api/v1/extensions/1002/messages", r#"{"new": 2, "old": 8}"#)?;
    let waiting = told(&mut watcher)?;
    ensure(waiting.contains("Messages-Waiting: yes") && waiting.contains("Voice-Message: 2/8"), || waiting)?;
    switch.wait_cdrs(1)?;
    switch.ensure_nothing_left()
}

/// A message to an extension is answered as its phone answers it.
pub fn messages(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.md5_alone().user("1001").user("1002"))?;
    let mut writer = Peer::udp("127.0.0.1:5073", &switch.sip)?;
    let mut reader = Peer::udp("127.0.0.1:5072", &switch.sip)?;
    let write = |writer: &mut Peer, to: &str| -> Result<Message, Fail> {
        let mut message = writer.request("MESSAGE", &format!("sip:{to}@localhost"), "1002", CONTACT)?;
        message.set_body("text/plain", b"the door is open".to_vec());
        Ok(message)
    };
    for (to, code) in [("1001", 480), ("1009", 404)] {
        let message = write(&mut writer, to)?;
        let answer = writer.asks(message, "1002")?;
        ensure(answer.status() == Some(code), || format!("{to}: {answer:?}"))?;
    }
    reader.registers("1001", "<sip:1001@127.0.0.1:5072>", "")?;
    let message = write(&mut writer, "1001")?;
    let message = writer.proves(message, "1002")?;
    writer.send(&message)?;
    let got = reader.receive("MESSAGE")?;
    let from = got.header(&HeaderName::From).unwrap_or_default().to_owned();
    ensure(got.body == b"the door is open" && from.contains("sip:1002@"), || format!("{got:?}"))?;
    reader.answer(&got, 200)?;
    writer.receive("200 MESSAGE")?;
    switch.ensure_nothing_left()
}
