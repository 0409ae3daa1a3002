//! Other people's phones at the running switch, over each transport: registered, called in both directions, audio both
//! ways.

use crate::common::{AGENT, CALLER, SOON, field};
use cordboard_tests::Fail;
use cordboard_tests::certificate::Authority;
use cordboard_tests::config::Config;
use cordboard_tests::fail::Outcome;
use cordboard_tests::linphone::{Linphone, Way};
use cordboard_tests::switch::Switch;
use std::path::Path;

pub fn linphone_over_udp(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.md5_alone().user("1001").user("1002"))?;
    linphone_calls_linphone(dir, &switch, Way::UDP, Way::UDP)
}

pub fn linphone_over_tcp(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.listen("tcp:127.0.0.1:5060").md5_alone().user("1001").user("1002");
    let switch = Switch::start(dir, &config)?;
    linphone_calls_linphone(dir, &switch, Way::TCP, Way::TCP)
}

/// One by TLS, the other by UDP: the switch stands between them.
pub fn linphone_over_tls(dir: &Path) -> Outcome {
    let authority = Authority::new(dir, "authority")?;
    let tls = format!("[sip.tls]\n{}", authority.leaf("switch")?.lines());
    let config = Config::new(dir)?.listen("tls:127.0.0.1:5061").md5_alone().user("1001").user("1002");
    let switch = Switch::start(dir, &config.more(&tls))?;
    let ca = authority.certificate();
    let way = Way {
        transport: "tls",
        switch: "localhost:5061",
        ip: "127.0.0.1",
        ca: Some(&ca),
        encryption: "none",
    };
    linphone_calls_linphone(dir, &switch, way, Way::UDP)
}

/// 1001 calls 1002 and hangs up; then 1002 calls 1001, and is hung up.
pub fn linphone_calls_linphone(dir: &Path, switch: &Switch, one: Way<'_>, other: Way<'_>) -> Outcome {
    let mut first = Linphone::start(dir, "1001", one, CALLER, true)?;
    let mut second = Linphone::start(dir, "1002", other, AGENT, true)?;
    for (user, phone) in [("1001", &first), ("1002", &second)] {
        switch.wait_registered(user, 1).map_err(|why| Fail(format!("{why}; it said:\n{}", phone.said())))?;
    }
    first.order("call 1002")?;
    talk(&mut first, &mut second)?;
    first.order("terminate")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "caller")?;
    field(&cdr, "from.user", "1001")?;
    field(&cdr, "to.user", "1002")?;
    switch.ensure_nothing_left()?;
    second.wait_line("ended", SOON)?;
    first.ensure_heard(AGENT)?;
    second.ensure_heard(CALLER)?;
    second.order("call 1001")?;
    first.wait_line("Receiving new incoming call", SOON)?;
    switch.wait_stage("bridged")?;
    first.order("terminate")?;
    let cdr = switch.wait_cdrs(2)?.remove(0);
    field(&cdr, "ended_by", "callee")?;
    field(&cdr, "from.user", "1002")?;
    switch.ensure_nothing_left()?;
    first.stop()?;
    second.stop()
}

/// Waits until each has written down something of what it hears.
fn talk(first: &mut Linphone, second: &mut Linphone) -> Outcome {
    first.wait_line("Media streams established", SOON)?;
    second.wait_line("Media streams established", SOON)?;
    first.wait_hearing()?;
    second.wait_hearing()
}
