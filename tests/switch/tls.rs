//! Certificates: exchanged while a call is up, and asked of peers.

use crate::common::{AGENT, CALLER, Phone, SOON, calls, field};
use cordboard_tests::baresip::Baresip;
use cordboard_tests::certificate::{Authority, Leaf};
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::process::{Command, Stdio};

/// What openssl says of a TLS connection to this port, with our certificate if we show one.
fn shown(port: u16, own: Option<&Leaf>) -> Result<String, Fail> {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]).stdin(Stdio::null());
    if let Some(own) = own {
        command.arg("-cert").arg(&own.certificate).arg("-key").arg(&own.key);
    }
    let output = command.output()?;
    Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

pub fn reloaded_under_a_call(dir: &Path) -> Outcome {
    let authority = Authority::new(dir, "authority")?;
    let (first, second) = (authority.leaf("first")?, authority.leaf("second")?);
    let tls = format!("[sip.tls]\n{}", first.lines());
    let config = Config::new(dir)?.listen("tls:127.0.0.1:5061").md5_alone().agent("1001").queue("").trunk();
    let switch = Switch::start(dir, &config.more(&tls))?;
    let ca = authority.certificate();
    let mut phone = Baresip::start_over(dir, "1001", AGENT, "127.0.0.1:5061;transport=tls", Some(&ca))?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    caller.speaks()?;
    caller.voice.hears("the caller", AGENT, SOON)?;
    ensure(shown(5061, None)?.contains("CN = first"), || "the first certificate is not shown".into())?;
    // A key that does not belong to its certificate is refused, and everything stays.
    std::fs::copy(&second.certificate, &first.certificate)?;
    let refused = switch.api.send("POST", "/api/v1/config/reload", "")?;
    ensure(refused.status >= 400, || format!("a broken pair was taken: {}", refused.status))?;
    ensure(shown(5061, None)?.contains("CN = first"), || "a broken pair is shown".into())?;
    first.replace_with(&second)?;
    switch.signal(1)?;
    wait_for("the second certificate to be shown", SOON, || {
        shown(5061, None).ok()?.contains("CN = second").then_some(())
    })?;
    caller.voice.forget();
    caller.voice.hears("the caller after the reload", AGENT, SOON)?;
    let open = switch.api.metric("cordboard_sip_connections")?;
    ensure(open >= 1.0, || format!("{open} connections: the phone's was dropped"))?;
    // The BYE goes by the connection that began with the first certificate.
    caller.hangs_up()?;
    field(&switch.wait_cdrs(1)?[0], "cause", "normal")?;
    phone.stop()?;
    switch.ensure_nothing_left()
}

pub fn asked_of_peers(dir: &Path) -> Outcome {
    let (authority, partners) = (Authority::new(dir, "authority")?, Authority::new(dir, "partners")?);
    let own = authority.leaf("switch")?;
    let tls = format!(
        "[sip.tls]\n{}\n[[sip.certificate]]\nlisten = \"tls:127.0.0.1:5062\"\n{}\nclient_ca = \"{}\"",
        own.lines(),
        own.lines(),
        partners.certificate().display()
    );
    let config = Config::new(dir)?.listen("tls:127.0.0.1:5061").listen("tls:127.0.0.1:5062").more(&tls);
    let switch = Switch::start(dir, &config)?;
    let failed = || switch.api.metric("cordboard_sip_connections_handshakes_failed_total");
    shown(5061, None)?;
    ensure(failed()? == 0.0, || "a listener that asks for nothing refused".into())?;
    shown(5062, None)?;
    ensure(failed()? == 1.0, || "a peer without certificate came in".into())?;
    shown(5062, Some(&authority.leaf("stranger")?))?;
    ensure(failed()? == 2.0, || "a peer with a foreign certificate came in".into())?;
    shown(5062, Some(&partners.leaf("partner")?))?;
    ensure(failed()? == 2.0, || "a partner was refused".into())
}
