//! Outbound flows and their keep-alives (RFC 5626), at the running switch.

use crate::common::{CALLER, Phone, field};
use cordboard_sip::wire::HeaderName;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::peer::Peer;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::time::Duration;

const TCP: &str = "127.0.0.1:5060";

/// A Contact that is the flow of this number of one device.
fn flow(n: u32) -> String {
    format!("<sip:1001@10.0.0.1:5060;transport=tcp;ob>;reg-id={n};+sip.instance=\"<urn:uuid:1>\"")
}

/// A device with two flows is called over one of them, and when that dies over the other, without a word to the caller.
pub fn failover(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.listen("tcp:127.0.0.1:5060").md5_alone();
    let switch = Switch::start(dir, &config.user("1001").trunk().number("600", "user:1001"))?;
    let (mut first, mut second) = (Peer::tcp(TCP)?, Peer::tcp(TCP)?);
    let supported = "Supported: path, outbound\r\n";
    first.registers("1001", &flow(1), supported)?;
    let ok = second.registers("1001", &flow(2), supported)?;
    let header = |name: HeaderName| ok.header(&name).unwrap_or_default().to_owned();
    ensure(header(HeaderName::Require) == "outbound" && header(HeaderName::FlowTimer) == "120", || {
        format!("{ok:?}")
    })?;
    switch.wait_registered("1001", 2)?;
    let refused = || Scenario::caller(MU_LAW).invites().is_refused(486);
    // The flow dies while the call waits at it.
    let mut caller = Phone::by_trunk(dir, "600", &refused(), CALLER)?;
    second.receive("INVITE")?;
    drop(second);
    let invite = first.receive("INVITE")?;
    first.answer(&invite, 180)?;
    first.answer(&invite, 486)?;
    first.receive("ACK")?;
    caller.ended()?;
    drop(caller);
    switch.wait_registered("1001", 1)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "busy")?;
    ensure(cdr["legs"].as_array().is_some_and(|legs| legs.len() == 2), || format!("legs of {cdr}"))?;
    // The last one goes, and with it the device.
    drop(first);
    switch.wait_registered("1001", 0)?;
    let gone = Scenario::caller(MU_LAW).invites().is_refused(480);
    Phone::by_trunk(dir, "600", &gone, 0.0)?.ended()?;
    switch.ensure_nothing_left()
}

/// STUN on the SIP port is for those who registered from there.
pub fn stun(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.md5_alone().user("1001"))?;
    let mut phone = Peer::udp("127.0.0.1:5071", &switch.sip)?;
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend([7; 12]);
    phone.send_bytes(&request)?;
    let silence = phone.other(Duration::from_millis(300))?;
    ensure(silence.is_none(), || format!("a stranger got {silence:?}"))?;
    phone.registers("1001", "<sip:1001@127.0.0.1:5071>", "")?;
    phone.send_bytes(&request)?;
    let answer = phone.other(Duration::from_secs(3))?.unwrap_or_default();
    // 127.0.0.1:5071 under the cookie.
    let mapped = [0, 0x20, 0, 8, 0, 1, 0x13 ^ 0x21, 0xcf ^ 0x12, 127 ^ 0x21, 0x12, 0xa4, 1 ^ 0x42];
    ensure(answer.starts_with(&[1, 1, 0, 12]) && answer.ends_with(&mapped), || format!("{answer:02x?}"))?;
    switch.ensure_nothing_left()
}
