//! A browser's phone that is not ours: JsSIP in Chromium, over WebSocket with TLS, from a page of another origin.

use crate::common::{CALLER, Phone, field};
use cordboard_tests::browser::Page;
use cordboard_tests::certificate::Authority;
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Fail, Outcome, ensure, fail};
use cordboard_tests::peer::Peer;
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::{SOON, Switch};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// Where the page comes from.
const PAGE: &str = "127.0.0.1:8099";

/// JsSIP as one script, made by the bundler of the pages.
pub fn library(dir: &Path) -> Result<String, Fail> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/web/node_modules");
    let out = dir.join("jssip.js");
    let output = Command::new(web.join(".bin/esbuild"))
        .arg(web.join("jssip/lib/JsSIP.js"))
        .args(["--bundle", "--format=iife", "--global-name=JsSIP"])
        .arg(format!("--outfile={}", out.display()))
        .output()?;
    if !output.status.success() {
        return fail(format!("JsSIP cannot be bundled: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(std::fs::read_to_string(out)?)
}

/// Serves an empty page for as long as the test runs.
fn serve_page() -> Result<(), Fail> {
    let listener = TcpListener::bind(PAGE)?;
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut buf = [0; 4_096];
            let _ = stream.read(&mut buf);
            let body = "<!doctype html><title>phone</title>";
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    Ok(())
}

pub fn registers_and_is_called(dir: &Path) -> Outcome {
    let authority = Authority::new(dir, "authority")?;
    let tls = format!("[sip.tls]\n{}", authority.leaf("switch")?.lines());
    let config =
        Config::new(dir)?.listen("wss:127.0.0.1:5063").sip(&format!("origins = [\"http://{PAGE}\"]"));
    let config = config.md5_alone().user("1001").user("1002").trunk().number("600", "user:1001").more(&tls);
    let switch = Switch::start(dir, &config)?;
    serve_page()?;
    let mut page = Page::open(dir, &format!("http://{PAGE}/"))?;
    page.evaluate(&format!("{}\n;globalThis.JsSIP = JsSIP; 0", library(dir)?))?;
    page.evaluate(&format!(
        "globalThis.seen = [];
         globalThis.phone = new JsSIP.UA({{
             sockets: [new JsSIP.WebSocketInterface('wss://127.0.0.1:5063')],
             uri: 'sip:1001@localhost', password: '{PASSWORD}', register_expires: 120 }});
         for (const what of ['connected', 'disconnected', 'registered', 'unregistered', 'registrationFailed'])
             phone.on(what, (e) => seen.push(what + ' ' + (e && e.cause || '')));
         phone.on('newRTCSession', ({{ originator, request, session }}) => {{
             seen.push(originator + ' ' + request.from.uri.user);
             session.terminate({{ status_code: 486 }});
         }});
         phone.on('newMessage', ({{ originator, request }}) => {{
             if (originator === 'remote') seen.push('remote message ' + request.body);
         }});
         phone.start(); 0"
    ))?;
    let seen = |page: &mut Page, word: &str| {
        let mut last = String::new();
        let found = wait_for(&format!("the browser's phone to be {word}"), SOON, || {
            last = page.evaluate("seen.join(', ')").ok()?.as_str()?.to_owned();
            last.contains(word).then_some(())
        });
        found.map_err(|why| Fail(format!("{why}; it saw: {last}\nthe switch:\n{}", switch.log())))
    };
    seen(&mut page, "registered")?;
    switch.wait_registered("1001", 1)?;
    let contact = switch.api.list("/api/v1/contacts")?.remove(0);
    ensure(contact["flow"].as_str().is_some_and(|flow| flow.starts_with("wss:127.0.0.1:")), || {
        contact.to_string()
    })?;
    // The INVITE reaches it by its own connection, and its refusal comes back by it.
    let refused = Scenario::caller(MU_LAW).invites().is_refused(486);
    let mut caller = Phone::by_trunk(dir, "600", &refused, CALLER)?;
    seen(&mut page, "remote caller")?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "busy")?;
    // It writes to an extension, which writes back.
    let mut desk = Peer::udp("127.0.0.1:5072", &switch.sip)?;
    desk.registers("1002", "<sip:1002@127.0.0.1:5072>", "")?;
    page.evaluate(
        "phone.sendMessage('sip:1002@localhost', 'from the browser', { eventHandlers: {
             succeeded: () => seen.push('message taken'), failed: (e) => seen.push('message ' + e.cause) } }); 0",
    )?;
    let message = desk.receive("MESSAGE")?;
    ensure(message.body == b"from the browser", || format!("{message:?}"))?;
    desk.answer(&message, 200)?;
    seen(&mut page, "message taken")?;
    let contact = "Contact: <sip:1002@127.0.0.1:5072>\r\n";
    let mut back = desk.request("MESSAGE", "sip:1001@localhost", "1002", contact)?;
    back.set_body("text/plain", b"from the desk".to_vec());
    let answer = desk.asks(back, "1002")?;
    ensure(answer.status() == Some(200), || format!("{answer:?}"))?;
    seen(&mut page, "remote message from the desk")?;
    // A tab that is closed is a phone that is gone.
    drop((page, caller));
    switch.wait_registered("1001", 0)?;
    let gone = Scenario::caller(MU_LAW).invites().is_refused(480);
    Phone::by_trunk(dir, "600", &gone, 0.0)?.ended()?;
    // The INVITE that the browser refused does not rest: timer D is zero where the transport is reliable.
    switch.ensure_nothing_left()
}
