//! Certificates: exchanged while a call is up, and asked of peers.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::baresip::Baresip;
use cordboard_tests::certificate::{Authority, Leaf};
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::process::{Process, wait_for};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
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

/// A partner who came with a certificate and writes `alias` is called by his own connection (RFC 5923): nothing listens
/// where his trunk's gateway is said to be.
pub fn reused(dir: &Path) -> Outcome {
    let (authority, partners) = (Authority::new(dir, "authority")?, Authority::new(dir, "partners")?);
    let (own, leaf) = (authority.leaf("switch")?, partners.leaf("partner")?);
    let more = format!(
        "[[sip.certificate]]\nlisten = \"tls:127.0.0.1:5062\"\n{}\nclient_ca = \"{}\"\n\
         [tenant.default.trunk.partner]\noptions_every = \"0s\"\npeers = [\"127.0.0.4\"]\n\
         [[tenant.default.trunk.partner.gateways]]\naddress = \"127.0.0.4:5061\"\ntransport = \"tls\"",
        own.lines(),
        partners.certificate().display()
    );
    let config = Config::new(dir)?.listen("tls:127.0.0.1:5062").trunk().number("901", "trunk:partner:1002");
    let switch = Switch::start(dir, &config.more(&more))?;
    let refused = Scenario::caller(MU_LAW).invites().is_refused(480);
    Phone::crowd(dir, 5091, "901", &refused, 1, 0.0)?.ended()?;

    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-crlf", "-connect", "127.0.0.1:5062", "-bind", "127.0.0.4:0"]);
    command.arg("-cert").arg(&leaf.certificate).arg("-key").arg(&leaf.key);
    let mut partner = Process::start_with_input("partner", dir, command)?;
    for line in [
        "OPTIONS sip:127.0.0.1 SIP/2.0",
        "Via: SIP/2.0/TLS 127.0.0.4:5061;alias;branch=z9hG4bKreuse",
        "Max-Forwards: 70",
        "From: <sip:partner@127.0.0.4>;tag=p",
        "To: <sip:127.0.0.1>",
        "Call-ID: reuse",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
        "",
    ] {
        partner.type_line(line)?;
    }
    partner.wait_line("SIP/2.0 200", SOON)?;
    let mut caller = Phone::crowd(dir, 5092, "901", &refused, 1, 0.0)?;
    partner.wait_line("INVITE sip:1002@", SOON)?;
    // Its connection goes, and with it the call.
    partner.kill();
    caller.ended()?;
    let cdrs = switch.wait_cdrs(2)?;
    cdrs.iter().try_for_each(|cdr| field(cdr, "cause", "unreachable"))?;
    switch.ensure_nothing_left()
}

/// The carrier: a second switch, with a phone of its own. `listeners` are its addresses for TLS and what each shows.
fn carrier(dir: &Path, listeners: &[(&str, &Leaf)]) -> Result<Switch, Fail> {
    let far = dir.join("carrier");
    std::fs::create_dir_all(&far)?;
    let text = Config::new(&far)?.user("1002").text();
    let own: String = listeners.iter().map(|(address, _)| format!(", \"{address}\"")).collect();
    let text = text.replace("127.0.0.1", "127.0.0.3").replacen("5060\"]", &format!("5060\"{own}]"), 1);
    let certificates: String = listeners
        .iter()
        .map(|(address, leaf)| format!("[[sip.certificate]]\nlisten = \"{address}\"\n{}\n", leaf.lines()))
        .collect();
    let text = format!("{text}\n{certificates}[tenant.default.trunk.customer]\npeers = [\"127.0.0.1\"]\n");
    std::fs::write(far.join("cordboard.toml"), text)?;
    Switch::restart(&far)
}

/// A call to a carrier by TLS: taken where its certificate is for its address and of an authority that we trust.
pub fn carriers_are_verified(dir: &Path) -> Outcome {
    let (trusted, stranger) = (Authority::new(dir, "trusted")?, Authority::new(dir, "stranger")?);
    let right = trusted.leaf_for("right", "IP:127.0.0.3")?;
    let (misnamed, unknown) = (trusted.leaf("misnamed")?, stranger.leaf_for("unknown", "IP:127.0.0.3")?);
    let ways =
        [("tls:127.0.0.3:5061", &right), ("tls:127.0.0.3:5062", &misnamed), ("tls:127.0.0.3:5063", &unknown)];
    let far = carrier(dir, &ways)?;
    let mut config = Config::new(dir)?.trunk();
    for (number, port) in [("901", 5061), ("902", 5062), ("903", 5063)] {
        config = config.number(number, &format!("trunk:way{port}:1002")).more(&format!(
            "[tenant.default.trunk.way{port}]\noptions_every = \"0s\"\n\
             [[tenant.default.trunk.way{port}.gateways]]\naddress = \"127.0.0.3:{port}\"\ntransport = \"tls\""
        ));
    }
    let tls = format!("[sip.tls]\nca = \"{}\"", trusted.certificate().display());
    let switch = Switch::start(dir, &config.more(&tls))?;
    let setup = Setup { name: "called", ip: "127.0.0.3", switch: &far.sip, port: 5072, ..Setup::default() };
    let setup = Setup { user: "1002", password: PASSWORD, rtp: 41_200, ..setup };
    Sipp::register(dir, &setup, 600)?;
    let voice = Voice::new(setup.ip, setup.rtp, AGENT)?;
    let mut called = Phone { sipp: Sipp::listen(dir, &answers_when_told(), &setup)?, voice };

    for (count, number) in ["902", "903"].into_iter().enumerate() {
        let refused = Scenario::caller(MU_LAW).invites().is_refused(480);
        Phone::crowd(dir, 5091 + u16::try_from(count)?, number, &refused, 1, 0.0)?.ended()?;
        field(&switch.wait_cdrs(count + 1)?[0], "cause", "unreachable")?;
    }
    ensure(called.sipp.messages().is_empty(), || format!("a wrong one was trusted: {}", called.sipp.log()))?;

    let mut caller = Phone::by_trunk(dir, "901", &calls(), CALLER)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    caller.hangs_up()?;
    called.ended()?;
    for (switch, count) in [(&switch, 3), (&far, 1)] {
        let cdr = switch.wait_cdrs(count)?.remove(0);
        field(&cdr, "cause", "normal")?;
        field(&cdr, "ended_by", "caller")?;
        switch.ensure_nothing_left()?;
    }
    Ok(())
}
