//! Trunks as a carrier sees them: the next gateway, health, registration, limits.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::names::{self, NameServer};
use cordboard_tests::peer::Peer;
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::{SOON, Switch};
use serde_json::Value;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

const WAY: &str = "[tenant.default.trunk.in]\npeers = [\"127.0.0.2\"]\n\
                   [[tenant.default.number]]\naccess_code = \"900\"\nto = \"trunk:out:4930900\"";

/// A trunk `out` with these lines and gateways, in this order.
fn out(lines: &str, gateways: &[&str]) -> String {
    let mut text = format!("{WAY}\n[tenant.default.trunk.out]\n{lines}\n");
    for (priority, address) in gateways.iter().enumerate() {
        text += &format!(
            "[[tenant.default.trunk.out.gateways]]\naddress = \"{address}\"\npriority = {priority}\n"
        );
    }
    text
}

/// A phone behind a gateway at 127.0.0.3.
fn gateway(dir: &Path, name: &str, port: u16, scenario: &Scenario) -> Result<Phone, Fail> {
    let rtp = 41_000 + (port - 5_000) * 2;
    let setup = Setup { name, ip: "127.0.0.3", port, user: "gateway", rtp, ..Setup::default() };
    Ok(Phone { sipp: Sipp::listen(dir, scenario, &setup)?, voice: Voice::new("127.0.0.3", rtp, AGENT)? })
}

fn trunk(switch: &Switch, name: &str) -> Result<Value, Fail> {
    let trunks = switch.api.list("/api/v1/trunks")?;
    let found = trunks.into_iter().find(|trunk| trunk["trunk"]["name"] == name);
    found.ok_or_else(|| Fail(format!("there is no trunk {name}")))
}

fn wait_state(switch: &Switch, gateway: usize, state: &str) -> Outcome {
    let mut last = Value::Null;
    let seen = wait_for(&format!("gateway {gateway} to be {state}"), SOON, || {
        last = trunk(switch, "out").ok()?;
        (last["gateways"][gateway]["state"] == state).then_some(())
    });
    seen.map_err(|why| Fail(format!("{why}; {last}")))
}

/// The first gateway is dead, the second says that it cannot, the third takes the call.
pub fn fails_over(dir: &Path) -> Outcome {
    let ways = ["127.0.0.3:5080", "127.0.0.3:5091", "127.0.0.3:5092"];
    let config = Config::new(dir)?.more(&out("options_every = \"0s\"\nsilence = \"300ms\"", &ways));
    let switch = Switch::start(dir, &config)?;
    let refuses = Scenario::called(MU_LAW).says(503, "Service Unavailable").receives_request("ACK");
    let mut second = gateway(dir, "second", 5091, &refuses)?;
    let mut third = gateway(dir, "third", 5092, &answers_when_told())?;
    let mut caller = Phone::by_trunk(dir, "900", &calls(), CALLER)?;
    second.ended()?;
    third.answers_now()?;
    hear_each_other(&mut caller, &mut third)?;
    let invite = third.sipp.received("INVITE").remove(0);
    let line = invite.text.lines().find(|line| line.starts_with("INVITE")).unwrap_or_default();
    ensure(line.starts_with("INVITE sip:4930900@127.0.0.3:5092 "), || {
        format!("the third gateway got {line}")
    })?;
    caller.hangs_up()?;
    third.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "legs.1.cause", "normal")?;
    ensure(cdr["legs"].as_array().is_some_and(|legs| legs.len() == 2), || format!("legs of {cdr}"))?;
    switch.ensure_left_resting(1)
}

/// A refusal by the called party is no fault of the gateway's: nobody else is asked.
pub fn busy_is_no_failover(dir: &Path) -> Outcome {
    let ways = ["127.0.0.3:5091", "127.0.0.3:5092"];
    let switch = Switch::start(dir, &Config::new(dir)?.more(&out("options_every = \"0s\"", &ways)))?;
    let busy = Scenario::called(MU_LAW).says(486, "Busy Here").receives_request("ACK");
    let mut first = gateway(dir, "first", 5091, &busy)?;
    let second = gateway(dir, "second", 5092, &answers_when_told())?;
    let refused = Scenario::caller(MU_LAW).invites().is_refused(486);
    let mut caller = Phone::by_trunk(dir, "900", &refused, 0.0)?;
    first.ended()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "busy")?;
    ensure(second.sipp.received("INVITE").is_empty(), || "the second gateway was asked".into())?;
    switch.ensure_left_resting(1)
}

/// Answers every OPTIONS while it is told to.
struct Responder {
    answering: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    fn start(at: &str) -> Result<Self, Fail> {
        let socket = UdpSocket::bind(at)?;
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        let (answering, stop) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let (says, ends) = (Arc::clone(&answering), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut buf = [0; 4_096];
            while !ends.load(Relaxed) {
                let Ok((len, from)) = socket.recv_from(&mut buf) else { continue };
                let text = String::from_utf8_lossy(&buf[..len]).into_owned();
                if says.load(Relaxed) && text.starts_with("OPTIONS ") {
                    // 405 is an answer, too.
                    let kept = text.lines().skip(1).filter(|line| {
                        ["Via:", "From:", "To:", "Call-ID:", "CSeq:"]
                            .iter()
                            .any(|name| line.starts_with(name))
                    });
                    let kept: Vec<&str> = kept.collect();
                    let answer = format!(
                        "SIP/2.0 405 Method Not Allowed\r\n{}\r\nContent-Length: 0\r\n\r\n",
                        kept.join("\r\n")
                    );
                    let _ = socket.send_to(answer.as_bytes(), from);
                }
            }
        });
        Ok(Self { answering, stop, thread: Some(thread) })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Up while it answers, down when it does not, no call for one that is down, up again.
pub fn health(dir: &Path) -> Outcome {
    let responder = Responder::start("127.0.0.3:5091")?;
    let lines = "options_every = \"1s\"\ndown_after = 2\nup_after = 1";
    let switch = Switch::start(dir, &Config::new(dir)?.more(&out(lines, &["127.0.0.3:5091"])))?;
    wait_state(&switch, 0, "up")?;
    responder.answering.store(false, Relaxed);
    wait_state(&switch, 0, "down")?;
    ensure(switch.api.metric("cordboard_trunk_gateways_down")? == 1.0, || {
        "the metric says otherwise".into()
    })?;
    let refused = Scenario::caller(MU_LAW).invites().is_refused(480);
    Phone::by_trunk(dir, "900", &refused, 0.0)?.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "unreachable")?;
    responder.answering.store(true, Relaxed);
    wait_state(&switch, 0, "up")?;
    switch.wait_logged("down")?;
    switch.wait_logged("127.0.0.3:5091")
}

/// A second switch is the carrier: the trunk registers with it by digest, and is told when it is gone.
pub fn registers(dir: &Path) -> Outcome {
    let far = dir.join("carrier");
    std::fs::create_dir_all(&far)?;
    let text = Config::new(&far)?.user("4930123").text().replace("127.0.0.1", "127.0.0.3");
    let text = text.replace("[tenant.default]\n", "[tenant.default]\ndomains = [\"carrier.example\"]\n");
    std::fs::write(far.join("cordboard.toml"), text)?;
    let carrier = Switch::restart(&far)?;
    let lines = "options_every = \"0s\"\nusername = \"4930123\"\npassword = \"a-secret\"\n\
                 domain = \"carrier.example\"\nregister = \"10m\"";
    let mut switch = Switch::start(dir, &Config::new(dir)?.more(&out(lines, &["127.0.0.3:5060"])))?;
    carrier.wait_registered("4930123", 1)?;
    let contact = carrier.api.list("/api/v1/contacts")?.remove(0);
    field(&contact, "uri", "sip:4930123@127.0.0.1:5060")?;
    wait_for("the trunk to know that it is registered", SOON, || {
        let found = trunk(&switch, "out").ok()?;
        (found["registration"]["registered"] == true).then_some(())
    })?;
    ensure(!switch.log().contains("a-secret"), || "the log shows the password".into())?;
    switch.stop()
}

/// An operator takes it out of service, and a limit of calls a second holds.
pub fn blocked_and_limited(dir: &Path) -> Outcome {
    let lines = "options_every = \"0s\"\ncalls_per_second = 1";
    let switch = Switch::start(dir, &Config::new(dir)?.more(&out(lines, &["127.0.0.3:5091"])))?;
    switch.api.post("/api/v1/trunks/out/block")?;
    field(&trunk(&switch, "out")?, "blocked", true)?;
    let refused = Scenario::caller(MU_LAW).invites().is_refused(503);
    Phone::by_trunk(dir, "900", &refused, 0.0)?.ended()?;
    field(&switch.wait_cdrs(1)?[0], "cause", "congestion")?;
    switch.api.post("/api/v1/trunks/out/unblock")?;
    let mut called = gateway(dir, "called", 5091, &answers_when_told())?;
    let mut caller = Phone::by_trunk(dir, "900", &calls(), CALLER)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    caller.hangs_up()?;
    called.ended()?;
    switch.wait_cdrs(2)?;
    switch.ensure_nothing_left()
}

/// The carrier writes a 0 before what the tenant calls 900, and wants 00 before a country's code.
pub fn numbers(dir: &Path) -> Outcome {
    let rules = "[[tenant.default.trunk.in.rewrite]]\ndirection = \"in\"\nnumber = \"called\"\nprefix = \"0\"\nstrip = 1\n\
                 [[tenant.default.trunk.out.rewrite]]\ndirection = \"out\"\nnumber = \"called\"\nprefix = \"49\"\nprepend = \"00\"";
    let way = out("options_every = \"0s\"", &["127.0.0.3:5091"]);
    let switch = Switch::start(dir, &Config::new(dir)?.more(&way).more(rules))?;
    let mut called = gateway(dir, "called", 5091, &answers_when_told())?;
    let mut caller = Phone::by_trunk(dir, "0900", &calls(), CALLER)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    let invite = called.sipp.received("INVITE").remove(0);
    let line = invite.text.lines().find(|line| line.starts_with("INVITE")).unwrap_or_default();
    ensure(line.starts_with("INVITE sip:004930900@127.0.0.3:5091 "), || format!("the carrier got {line}"))?;
    let call = switch.wait_stage("bridged")?;
    let call = switch.api.get(&format!("/api/v1/calls/{}", call["call"].as_str().unwrap_or_default()))?;
    ensure(call.to_string().contains("calls 0900, as the carrier writes it"), || {
        format!("no reason in {call}")
    })?;
    caller.hangs_up()?;
    called.ended()?;
    field(&switch.wait_cdrs(1)?[0], "to.user", "900")?;
    switch.ensure_nothing_left()
}

/// A diverted call from the ISDN goes out again: User-to-User, who diverted it and who calls reach the far carrier.
pub fn identity(dir: &Path) -> Outcome {
    let trusted = "identity = \"p-asserted-identity\"\noptions_every = \"0s\"";
    let way = out(trusted, &["127.0.0.3:5091"]);
    let switch = Switch::start(dir, &Config::new(dir)?.more(&way))?;
    let mut called = gateway(dir, "called", 5091, &answers_when_told())?;
    let headers = "User-to-User: 04c81031323334;encoding=hex;purpose=isdn-uui\n\
                   Diversion: <sip:5550100@carrier.example>;reason=user-busy\n";
    let calling = Scenario::caller(MU_LAW).invites_with(headers).is_answered().ends();
    let mut caller = Phone::by_trunk(dir, "900", &calling, CALLER)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    let invite = called.sipp.received("INVITE").remove(0);
    for line in [
        "User-to-User: 04c81031323334;encoding=hex;purpose=isdn-uui",
        "Diversion: <sip:900@localhost>;reason=unconditional",
        "Diversion: <sip:5550100@localhost>;reason=user-busy",
        "P-Asserted-Identity: \"Caller\" <sip:",
    ] {
        ensure(invite.text.contains(line), || format!("no {line} in\n{}", invite.text))?;
    }
    caller.hangs_up()?;
    called.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "data.user_to_user", "04c81031323334;encoding=hex;purpose=isdn-uui")?;
    field(&cdr, "data.diverted_from", "5550100")?;
    switch.ensure_nothing_left()
}

/// A national number is one in E.164 inside; the carrier gets it its own way, with a caller's number of its area.
pub fn plan_and_pool(dir: &Path) -> Outcome {
    let lines = "options_every = \"0s\"\nnumber_form = \"international\"\ncaller_pool = \"house\"";
    let way =
        out(lines, &["127.0.0.3:5091"]).replace("\"900\"", "\"03012345\"").replace(":4930900", ":089900900");
    let pool = "[tenant.default.pool.house]\nchoice = \"area\"\nnumbers = [\"03055500\", \"08955500\"]";
    let text = Config::new(dir)?.more(&way).more(pool).text();
    let text = text.replace("[tenant.default]\n", "[tenant.default]\ncountry = \"DE\"\narea_code = \"30\"\n");
    std::fs::write(dir.join("cordboard.toml"), text)?;
    let switch = Switch::restart(dir)?;
    let mut called = gateway(dir, "called", 5091, &answers_when_told())?;
    let mut caller = Phone::by_trunk(dir, "12345", &calls(), CALLER)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    let invite = called.sipp.received("INVITE").remove(0);
    let line = |name: &str| invite.text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    ensure(line("INVITE").starts_with("INVITE sip:004989900900@127.0.0.3:5091 "), || {
        format!("the carrier got {}", line("INVITE"))
    })?;
    ensure(line("From").contains("sip:00498955500@"), || format!("the carrier saw {}", line("From")))?;
    caller.hangs_up()?;
    called.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "to.user", "+493012345")?;
    field(&cdr, "dialled.to", "12345")?;
    field(&cdr, "legs.1.presented", "+498955500")?;
    switch.ensure_nothing_left()
}

/// A carrier known by its domain alone: its first host is dead, so the call goes by the second (RFC 3263 4.3).
pub fn by_domain(dir: &Path) -> Outcome {
    let there = Ipv4Addr::new(127, 0, 0, 3);
    let names = NameServer::start(vec![
        names::service("_sip._udp.carrier.test", 1, 10, 5_091, "a.carrier.test"),
        names::service("_sip._udp.carrier.test", 2, 10, 5_092, "b.carrier.test"),
        names::host("a.carrier.test", there),
        names::host("b.carrier.test", there),
    ])?;
    let way =
        format!("{WAY}\n[tenant.default.trunk.out]\ngateway = \"carrier.test\"\noptions_every = \"0s\"\n");
    let dns = format!("[dns]\nservers = [\"{}\"]", names.address);
    let switch = Switch::start(dir, &Config::new(dir)?.more(&way).more(&dns))?;
    wait_for("both hosts to be found", SOON, || {
        trunk(&switch, "out")
            .ok()
            .filter(|trunk| trunk["gateways"].as_array().is_some_and(|all| all.len() == 2))
    })
    .map_err(|why| Fail(format!("{why}; asked were {:?}", names.asked())))?;
    let mut called = gateway(dir, "called", 5092, &answers_when_told())?;
    let mut caller = Phone::by_trunk(dir, "900", &calls(), CALLER)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    let invite = called.sipp.received("INVITE").remove(0);
    let line = invite.text.lines().find(|line| line.starts_with("INVITE")).unwrap_or_default();
    ensure(line.contains("@carrier.test"), || format!("the carrier got {line}"))?;
    caller.hangs_up()?;
    called.ended()?;
    switch.wait_cdrs(1)?;
    switch.ensure_nothing_left()
}

/// A carrier behind another network: spoken to from its own listener, told its own addresses; all others are not.
pub fn own_addresses(dir: &Path) -> Outcome {
    let lines = "options_every = \"0s\"\naddress = \"127.0.0.9:5060\"\npublic = \"127.0.0.8\"\n\
                 media_address = \"127.0.0.7\"";
    let config = Config::new(dir)?.listen("127.0.0.9:5060");
    let config = config.media("address = \"0.0.0.0\"\npublic = \"127.0.0.1\"");
    let switch = Switch::start(dir, &config.more(&out(lines, &["127.0.0.3:5091", "127.0.0.3:5092"])))?;
    // It hears nothing but what comes from the trunk's own listener.
    let mut first = Peer::udp_from("127.0.0.3:5091", "127.0.0.9:5060")?;
    let mut second = gateway(dir, "second", 5092, &answers_when_told())?;
    let mut caller = Phone::by_trunk(dir, "900", &calls(), CALLER)?;
    let invite = first.receive("INVITE")?;
    let text = String::from_utf8_lossy(&invite.to_bytes()).into_owned();
    for told in
        ["Via: SIP/2.0/UDP 127.0.0.8:5060;", "Contact: <sip:cordboard@127.0.0.8:5060", "c=IN IP4 127.0.0.7"]
    {
        ensure(text.contains(told), || format!("there is no {told:?} in {text}"))?;
    }
    first.answer(&invite, 503)?;
    first.receive("ACK")?;
    second.answers_now()?;
    caller.speaks()?;
    // It answers to where the audio comes from, which is not what it was told: one of the two, or it is heard twice.
    second.voice.hears("the carrier", CALLER, SOON)?;
    caller.voice.hears("the caller", AGENT, SOON)?;
    let to_it = second.sipp.wait_media()?;
    ensure(to_it.ip().to_string() == "127.0.0.7", || format!("the carrier is told {to_it}"))?;
    let answer = caller.sipp.wait_received("SIP/2.0 200", 1)?;
    let usual = ["Contact: <sip:cordboard@127.0.0.1:5060", "c=IN IP4 127.0.0.1"];
    ensure(usual.iter().all(|told| answer.text.contains(told)), || {
        format!("others are told {}", answer.text)
    })?;
    caller.hangs_up()?;
    second.ended()?;
    switch.ensure_left_resting(1)
}
