//! A visitor of a web page calls a queue from his browser, with what the page's own server was given for him: the sample of the
//! documentation, on another origin than the switch.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, field};
use cordboard_tests::api::Api;
use cordboard_tests::browser::Page;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

/// Where the page comes from: a place of which browsers allow microphones.
const PAGE: &str = "127.0.0.1:8099";
const CLICKS: &str = "/api/v1/click-calls";
/// What the page's server says of its visitor.
const VISITOR: &str = r#""customer": {"id": "c-17", "name": "Ann"}, "data": {"order": 4711}"#;

/// What listens to the page, and a microphone whose tone is not taken away for an echo.
const EARS: &str = "
    const devices = navigator.mediaDevices, asks = devices.getUserMedia.bind(devices);
    const quiet = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    devices.getUserMedia = (wanted) => asks({ ...wanted, audio: wanted.audio && quiet });
    const sound = new AudioContext(), analyser = sound.createAnalyser();
    analyser.fftSize = 8192;
    let heard = null;
    globalThis.hears = () => {
        const stream = document.querySelector('#call audio').srcObject;
        if (stream && stream !== heard) {
            heard = stream;
            sound.createMediaStreamSource(stream).connect(analyser);
            sound.resume();
        }
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        let best = 0;
        bins.forEach((level, at) => { if (level > bins[best]) best = at; });
        return stream && bins[best] > -60 ? Math.round(best * sound.sampleRate / analyser.fftSize) : 0;
    };
    0";

/// The page's own server: the sample, and what it asks the switch for.
fn serve(api: Api) -> Outcome {
    let listener = TcpListener::bind(PAGE)?;
    let (https, http) = ("https://switch.example.com", format!("http://{}", api.at));
    let sample = include_str!("../../docs/web-call.html").replace(https, &http);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut buf = [0; 8_192];
            let len = stream.read(&mut buf).unwrap_or(0);
            let asked = String::from_utf8_lossy(&buf[..len]).into_owned();
            let (kind, body) = if asked.starts_with("POST /click-call ") {
                let page = format!("http://{PAGE}/");
                let body = format!(r#"{{"queue": "sales", "page": "{page}", {VISITOR}}}"#);
                let given = api.send("POST", CLICKS, &body).map(|answer| answer.body).unwrap_or_default();
                ("application/json", String::from_utf8_lossy(&given).into_owned())
            } else {
                ("text/html; charset=utf-8", sample.clone())
            };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close");
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    Ok(())
}

/// A visitor on the page, whose microphone says [`CALLER`].
struct Visitor(Page);

impl Visitor {
    fn comes(dir: &Path, switch: &Switch) -> Result<Self, Fail> {
        serve(switch.api.clone())?;
        let tone = dir.join("microphone.wav");
        write_tone(&tone, CALLER, 10_000)?;
        let page = Page::open_with(
            dir,
            &format!("http://{PAGE}/"),
            &[
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                &format!("--use-file-for-fake-audio-capture={}", tone.display()),
                "--allow-loopback-in-peer-connection",
                "--disable-features=WebRtcHideLocalIpsWithMdns",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )?;
        let mut visitor = Self(page);
        visitor.does(EARS)?;
        Ok(visitor)
    }

    fn does(&mut self, what: &str) -> Outcome {
        self.0.evaluate(what).map(drop)
    }

    /// Presses the button of this kind.
    fn presses(&mut self, button: &str) -> Outcome {
        self.does(&format!("document.querySelector('#call .cordboard-{button}').click()"))
    }

    /// Waits until the page says so, in words.
    fn reads(&mut self, words: &str) -> Outcome {
        self.0.wait_text(&[words], SOON)
    }

    fn hears(&mut self, hertz: f64) -> Outcome {
        let mut last = 0.0;
        let heard = wait_for(&format!("the visitor to hear {hertz} Hz"), SOON, || {
            last = self.0.evaluate("hears()").ok()?.as_f64()?;
            ((last - hertz).abs() < 15.0).then_some(())
        });
        heard.map_err(|why| Fail(format!("{why}; he hears {last} Hz")))
    }
}

fn switch(dir: &Path, kind: &str) -> Result<Switch, Fail> {
    let origins = format!("[tenant.default.access]\norigins = [\"http://{PAGE}\"]");
    let chats = "[tenant.default.queue.chats]\nkind = \"multimedia\"";
    let config =
        Config::new(dir)?.agent("1001").queue(&format!("kind = \"{kind}\"")).more(&origins).more(chats);
    Switch::start(dir, &config)
}

fn explained(outcome: Outcome, switch: &Switch) -> Outcome {
    outcome.map_err(|why| Fail(format!("{why}\nthe switch:\n{}", switch.log())))
}

/// He waits, talks, is muted, and hangs up.
fn talks(visitor: &mut Visitor, agent: &mut Phone) -> Outcome {
    visitor.reads("Call us")?;
    visitor.presses("call")?;
    visitor.hears(MUSIC)?;
    agent.answers_now()?;
    agent.speaks()?;
    visitor.reads("You are connected.")?;
    visitor.hears(AGENT)?;
    agent.voice.forget();
    agent.voice.hears("the agent", CALLER, SOON)?;
    visitor.presses("mute")?;
    visitor.reads("and not heard")?;
    wait_for("the agent to hear nothing", SOON, || {
        agent.voice.forget();
        (!agent.voice.heard_within(CALLER, Duration::from_millis(500))).then_some(())
    })?;
    visitor.presses("mute")?;
    agent.voice.hears("the agent, after,", CALLER, SOON)?;
    visitor.presses("hang-up")?;
    visitor.reads("The call is over.")?;
    agent.ended()
}

/// What the last call began with is good for nothing more: the page sends it once more.
fn is_spent(visitor: &mut Visitor) -> Outcome {
    visitor.does(
        "globalThis.asked = window.fetch; window.fetch = async () => new Response(kept, { status: 200 }); 0",
    )?;
    visitor.presses("call")?;
    visitor.reads("The call did not begin in time.")?;
    visitor.does("window.fetch = asked; 0")
}

pub fn is_answered(dir: &Path) -> Outcome {
    let switch = switch(dir, "voice_click")?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut visitor = Visitor::comes(dir, &switch)?;
    // what the page is given is kept, to be tried a second time
    visitor.does(
        "{ const real = window.fetch; window.fetch = async (...all) => {
             const answer = await real(...all); globalThis.kept = await answer.clone().text(); return answer; } } 0",
    )?;
    explained(talks(&mut visitor, &mut agent), &switch)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "caller")?;
    field(&cdr, "from", json!({ "user": "c-17", "display": "Ann" }))?;
    field(&cdr, "data.source", "click")?;
    field(&cdr, "data.page", format!("http://{PAGE}/"))?;
    field(&cdr, "data.customer", "c-17")?;
    field(&cdr, "data.order", 4711)?;
    field(&cdr, "data.askedBy", "key harness")?;
    ensure(at(&cdr, "agent").to_string().contains("1001"), || cdr.to_string())?;
    let kept: Value = serde_json::from_str(visitor.0.evaluate("kept")?.as_str().unwrap_or_default())?;
    field(&cdr, "call", at(&kept, "call").clone())?;
    let invite = agent.sipp.received("INVITE");
    ensure(invite.iter().any(|m| m.text.contains("\"Ann\" <sip:c-17@")), || agent.sipp.log())?;
    explained(is_spent(&mut visitor), &switch)?;
    // what he was given is nowhere: neither in what is logged nor in what is kept of his messages
    let password = at(&kept, "password").as_str().unwrap_or_default().to_owned();
    let trace =
        switch.api.get(&format!("/api/v1/calls/{}/trace", kept["call"].as_str().unwrap_or_default()))?;
    for (where_, text) in [("log", switch.log()), ("trace", trace.to_string())] {
        ensure(!password.is_empty() && !text.contains(&password), || {
            format!("the password is in the {where_}")
        })?;
    }
    ensure(switch.api.list("/api/v1/cdrs")?.len() == 1, || "a call that was refused has no record".into())?;
    drop(visitor);
    switch.ensure_left_resting(1)
}

/// Without anybody at the page: what is not given, and by whom.
pub fn is_refused(dir: &Path) -> Outcome {
    let switch = switch(dir, "voice_click")?;
    for (body, status, code) in [
        (r#"{"queue": "chats"}"#, 409, "not_of_clicks"),
        (r#"{"queue": "none"}"#, 409, "no_such_queue"),
        (r#"{"queue": "sales", "agent": "1002"}"#, 409, "no_such_agent"),
        (r#"{"queue": "sales", "customer": {"name": "a\u0000"}}"#, 422, "bad_text"),
    ] {
        let answer = switch.api.send("POST", CLICKS, body)?;
        let said = answer.json()?;
        ensure(answer.status == status && said["code"] == code, || format!("{body}: {said}"))?;
    }
    let given = switch.api.send("POST", CLICKS, r#"{"queue": "sales"}"#)?;
    let said = given.json()?;
    ensure(given.status == 201 && said["video"] == false && said["lasts"] == 60, || said.to_string())?;
    switch.ensure_nothing_left()
}
