//! Where calls go, at the running switch: help first, a server and a flow that decide, another trunk when one cannot.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::{SOON, Switch};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;

/// A trunk by its gateway at 127.0.0.3.
fn trunk(name: &str, port: u16) -> String {
    format!(
        "[tenant.default.trunk.{name}]\ngateway = \"127.0.0.3:{port}\"\noptions_every = \"0s\"\nsilence = \"300ms\""
    )
}

/// A phone behind that gateway.
fn gateway(dir: &Path, port: u16, scenario: &Scenario) -> Result<Phone, Fail> {
    let rtp = 41_000 + (port - 5_000) * 2;
    let name = format!("gateway-{port}");
    let setup = Setup { name: &name, ip: "127.0.0.3", port, user: "gateway", rtp, ..Setup::default() };
    Ok(Phone { sipp: Sipp::listen(dir, scenario, &setup)?, voice: Voice::new("127.0.0.3", rtp, AGENT)? })
}

/// The switch has as many calls as it may, the first trunk is dead, and who calls for help is heard.
pub fn help_comes_first(dir: &Path) -> Outcome {
    let help = "[tenant.default.emergency]\nnumbers = [\"112\"]\ntrunks = [\"dead\", \"alive\"]\n\
                caller = \"+493055500\"\nlocation = \"geo:52.52,13.40\"";
    let config = Config::new(dir)?.user("1001").user("1002").queue("").trunk().limit("calls = 1");
    let config = config.more(help).more(&trunk("dead", 5_080)).more(&trunk("alive", 5_092));
    let switch = Switch::start(dir, &config)?;
    let mut helper = gateway(dir, 5_092, &answers_when_told())?;
    // the one call that may be up
    let mut waiting = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    waiting.sipp.wait_up()?;
    let refused = Scenario::caller(MU_LAW).invites_with_digest().is_refused(503);
    Phone::calls(dir, "1002", 5_072, "1001", &refused, 0.0)?.ended()?;
    let asks = Scenario::caller(MU_LAW).invites_with_digest().is_answered().ends();
    let mut caller = Phone::calls(dir, "1001", 5_071, "112", &asks, CALLER)?;
    helper.answers_now()?;
    hear_each_other(&mut caller, &mut helper)?;
    let invite = helper.sipp.received("INVITE").remove(0).text;
    for told in ["INVITE sip:112@127.0.0.3:5092 ", "Geolocation: <geo:52.52,13.40>", "+493055500"] {
        ensure(invite.contains(told), || format!("no {told} in\n{invite}"))?;
    }
    let up = switch.api.list("/api/v1/calls")?;
    let help = up.iter().find(|call| call["to"]["user"] == "112").unwrap_or(&Value::Null);
    let why = &help["route"][0]["why"];
    ensure(why == "emergency number 112: trunk dead, then alive", || format!("calls: {up:?}"))?;
    caller.hangs_up()?;
    helper.ended()?;
    waiting.hangs_up()?;
    let cdrs = switch.wait_cdrs(2)?;
    let help = cdrs.iter().find(|cdr| cdr["to"]["user"] == "112");
    field(help.unwrap_or(&Value::Null), "cause", "normal")?;
    switch.ensure_left_resting(2)
}

/// A server sends a caller to a flow, the flow of another number sends him to a trunk; the trunk cannot, the next one does.
pub fn asked_outside(dir: &Path) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:8099")?;
    let (seen, questions) = mpsc::channel();
    std::thread::spawn(move || {
        let first = listener.accept().map_err(Fail::from).and_then(|(mut stream, _)| {
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let mut part = [0; 2_048];
                let n = stream.read(&mut part)?;
                ensure(n > 0, || "the question ends early".into())?;
                request.extend_from_slice(&part[..n]);
            }
            let body = "{\"number\":\"700\",\"data\":{\"level\":\"gold\"}}";
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
            stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes())?;
            Ok(String::from_utf8_lossy(&request).into_owned())
        });
        let _ = seen.send(first);
    });
    let decides = "local row = call:lookup('lines', call.to)
        if call.data.level == 'gold' then return {number = row.line, data = {row = row.line}} end";
    std::fs::create_dir_all(dir.join("tables"))?;
    std::fs::write(dir.join("tables/lines.csv"), "number,line\n700,4930700\n")?;
    let config = Config::new(dir)?.trunk().flow("decides", decides)?;
    let config = config.tenant("tables = \"tables\"\nhttp_allowed = [\"http://127.0.0.1:8099/\"]");
    let config = config.more("[fetch]\nallow_private = true");
    let config = config.more(
        "[tenant.default.http_decision]\nurl = \"http://127.0.0.1:8099/route\"\ncalled = [\"600\"]\nwithin = \"2s\"\n\
         [tenant.default.lua_decision]\nflow = \"decides\"\nwithin = \"2s\"\n\
         [[tenant.default.way_out]]\nprefix = \"49\"\nfrom_trunks = [\"carrier\"]\n\
         trunks = [{ trunk = \"dear\", cost = 9 }, { trunk = \"cheap\", cost = 1 }]",
    );
    let switch = Switch::start(dir, &config.more(&trunk("cheap", 5_091)).more(&trunk("dear", 5_092)))?;
    let cannot = Scenario::called(MU_LAW).says(503, "Service Unavailable").receives_request("ACK");
    let mut cheap = gateway(dir, 5_091, &cannot)?;
    let mut dear = gateway(dir, 5_092, &answers_when_told())?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    cheap.ended()?;
    dear.answers_now()?;
    hear_each_other(&mut caller, &mut dear)?;
    let question = questions.recv_timeout(SOON).map_err(|_| Fail("no question came".into()))??;
    let asked = question.starts_with("POST /route HTTP/1.1\r\n") && question.contains("\"to\":\"600\"");
    ensure(asked && question.contains("\"trunk\":\"carrier\""), || question)?;
    let up = switch.api.list("/api/v1/calls")?;
    let said: Vec<String> = up[0]["route"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|reason| format!("{} {}", reason["plugin"], reason["verdict"]).replace('"', ""))
        .collect();
    for reason in ["http-decision ask", "http-decision amend", "lua-decision amend", "trunk-choice decide"] {
        ensure(said.iter().any(|said| said == reason), || format!("no {reason} in {said:?}"))?;
    }
    ensure(up[0]["data"]["row"] == "4930700", || format!("data of {}", up[0]))?;
    caller.hangs_up()?;
    dear.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    switch.ensure_left_resting(1)
}
