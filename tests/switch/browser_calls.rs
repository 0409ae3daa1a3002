//! A browser's audio: JsSIP in Chromium with a tone for a microphone calls a phone and is called by one, over DTLS-SRTP.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, field};
use crate::jssip::library;
use cordboard_tests::baresip::Baresip;
use cordboard_tests::browser::Page;
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::Switch;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

/// Where the page comes from: a place of which browsers allow microphones.
pub const PAGE: &str = "127.0.0.1:8099";
const SWITCH: &str = "ws://127.0.0.1:5062";
/// Longest a page may take to be back in its call.
pub const BACK: Duration = Duration::from_secs(3);

/// The page, its phone and its call. Its microphone says [`CALLER`].
pub struct Browser {
    page: Page,
}

impl Browser {
    fn open(dir: &Path) -> Result<Self, Fail> {
        Self::open_with(dir, SWITCH, "--allow-loopback-in-peer-connection", false)
    }

    /// Opens the page; its phone registers with the switch there.
    pub fn open_for(dir: &Path, switch: &str) -> Result<Self, Fail> {
        Self::open_with(dir, switch, "--mute-audio", false)
    }

    fn open_with(dir: &Path, switch: &str, loopback: &str, camera: bool) -> Result<Self, Fail> {
        let app = include_str!("../src/page.js");
        let script = format!("const PLACE = '{switch}', PASSWORD = '{PASSWORD}', CAMERA = {camera};\n{app}");
        serve([("/jssip.js", library(dir)?), ("/page.js", script)])?;
        let tone = dir.join("microphone.wav");
        write_tone(&tone, CALLER, 10_000)?;
        let page = Page::open_with(
            dir,
            &format!("http://{PAGE}/"),
            &[
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                &format!("--use-file-for-fake-audio-capture={}", tone.display()),
                loopback,
                "--disable-features=WebRtcHideLocalIpsWithMdns",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )?;
        let mut browser = Self { page };
        browser.sees("registered")?;
        Ok(browser)
    }

    /// What it saw so far.
    pub fn told(&mut self) -> String {
        let seen = self.page.evaluate("(globalThis.seen || []).join('; ')");
        seen.ok().and_then(|seen| seen.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until it has seen this.
    pub fn sees(&mut self, word: &str) -> Outcome {
        let mut last = String::new();
        let found = wait_for(&format!("the page to see {word:?}"), SOON, || {
            last = self.told();
            last.contains(word).then_some(())
        });
        found.map_err(|why| Fail(format!("{why}; it saw: {last}")))
    }

    /// Waits until the loudest that it hears is this tone.
    pub fn hears(&mut self, hertz: f64, limit: Duration) -> Outcome {
        let mut last = 0.0;
        let heard = wait_for(&format!("the page to hear {hertz} Hz"), limit, || {
            last = self.page.evaluate("globalThis.hears ? hears() : 0").ok()?.as_f64()?;
            ((last - hertz).abs() < 15.0).then_some(())
        });
        heard.map_err(|why| Fail(format!("{why}; it hears {last} Hz and saw: {}", self.told())))
    }

    /// Which of its own addresses its audio leaves by.
    pub fn speaks_from(&mut self) -> Result<String, Fail> {
        let ice = "call.connection.getReceivers()[0].transport.iceTransport";
        let local = self.page.evaluate(&format!("{ice}.getSelectedCandidatePair().local.address"))?;
        local.as_str().map(str::to_owned).ok_or_else(|| Fail(format!("it speaks from {local}")))
    }

    /// Waits until it has decoded fifteen pictures more.
    fn goes_on_seeing(&mut self) -> Outcome {
        let mut frames = || self.page.evaluate("frames").ok()?.as_u64();
        let before = frames().unwrap_or_default();
        let seen = || frames().filter(|frames| *frames > before + 15);
        wait_for("the page to see pictures", SOON, seen).map(drop)
    }

    /// Has it do something.
    pub fn does(&mut self, what: &str) -> Outcome {
        self.page.evaluate(what).map(|_| ())
    }
}

/// Serves an empty page with two scripts for as long as the test runs.
fn serve(scripts: [(&'static str, String); 2]) -> Result<(), Fail> {
    let listener = TcpListener::bind(PAGE)?;
    let page = "<!doctype html><title>phone</title><body><script src=/jssip.js></script><script src=/page.js></script>";
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut buf = [0; 4_096];
            let len = stream.read(&mut buf).unwrap_or(0);
            let asked = String::from_utf8_lossy(&buf[..len]).into_owned();
            let script = scripts.iter().find(|(name, _)| asked.starts_with(&format!("GET {name} ")));
            let (kind, body) = script.map_or(("text/html", page), |(_, body)| ("text/javascript", body));
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\nConnection: close");
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    Ok(())
}

fn switch(dir: &Path) -> Result<Switch, Fail> {
    let origins = format!("origins = [\"http://{PAGE}\"]");
    let config = Config::new(dir)?.listen("ws:127.0.0.1:5062").sip(&origins);
    Switch::start(dir, &config.md5_alone().user("1001").user("1002").trunk().number("600", "user:1001"))
}

/// Both speak and hear each other.
fn talk(browser: &mut Browser, phone: &mut Phone) -> Outcome {
    phone.speaks()?;
    browser.hears(AGENT, SOON)?;
    phone.voice.forget();
    phone.voice.hears("the phone", CALLER, SOON)
}

pub fn explained(outcome: Outcome, browser: &mut Browser, switch: &Switch) -> Outcome {
    outcome.map_err(|why| {
        Fail(format!("{why}; the page saw: {}\nthe switch:\n{}", browser.told(), switch.log()))
    })
}

/// The browser's leg was secured, and every packet that was sealed wrongly is named.
fn ensure_clean(switch: &Switch) -> Outcome {
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    for leg in cdr["legs"].as_array().into_iter().flatten() {
        let clean = leg["stats"]["fault"].is_null() && leg["stats"]["received"].as_u64() > Some(10);
        ensure(clean, || format!("{cdr}"))?;
    }
    Ok(())
}

pub fn calls_a_phone(dir: &Path) -> Outcome {
    let switch = switch(dir)?;
    let mut phone = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    let mut browser = Browser::open(dir)?;
    browser.does("dial('1002')")?;
    phone.answers_now()?;
    let talked = talk(&mut browser, &mut phone);
    explained(talked, &mut browser, &switch)?;
    browser.sees("path connected")?;
    browser.does("call.hold()")?;
    wait_for("the phone to hear nothing", SOON, || {
        phone.voice.forget();
        (!phone.voice.heard_within(CALLER, Duration::from_millis(500))).then_some(())
    })?;
    browser.does("call.unhold()")?;
    let talked = talk(&mut browser, &mut phone);
    explained(talked, &mut browser, &switch)?;
    browser.does("restart()")?;
    browser.sees("restarted")?;
    let talked = talk(&mut browser, &mut phone);
    explained(talked, &mut browser, &switch)?;
    phone.hangs_up()?;
    browser.sees("ended")?;
    ensure_clean(&switch)?;
    switch.ensure_nothing_left()
}

/// A phone calls the browser, and they hear each other.
fn called_by_a_phone(dir: &Path) -> Result<(Switch, Browser, Phone), Fail> {
    let switch = switch(dir)?;
    let mut browser = Browser::open(dir)?;
    let calls = Scenario::caller(MU_LAW).invites().is_answered().ends();
    let mut phone = Phone::by_trunk(dir, "600", &calls, AGENT)?;
    let talked = talk(&mut browser, &mut phone);
    explained(talked, &mut browser, &switch)?;
    Ok((switch, browser, phone))
}

/// A browser and a softphone see each other in VP8, whoever calls: by DTLS-SRTP on a way of its own there, in the clear here.
pub fn sees_a_phone(dir: &Path) -> Outcome {
    let switch = switch(dir)?;
    let mut phone = Baresip::start_with_video(dir, "1002", 5_085)?;
    switch.wait_registered("1002", 1)?;
    let mut browser = Browser::open_with(dir, SWITCH, "--allow-loopback-in-peer-connection", true)?;
    browser.does("dial('1002')")?;
    for calls in 1..=2 {
        switch.wait_stage("bridged")?;
        let seeing = browser.goes_on_seeing();
        explained(seeing, &mut browser, &switch)?;
        let seeing = phone.wait_seeing_call(calls);
        explained(seeing, &mut browser, &switch)?;
        for (what, done) in [
            ("hold()", "held"),
            ("resume()", "resumed"),
            ("restart()", "restarted"),
            ("film(false)", "dark"),
            ("film(true)", "filmed"),
        ] {
            browser.does(what)?;
            browser.sees(done)?;
        }
        let seeing = browser.goes_on_seeing();
        explained(seeing, &mut browser, &switch)?;
        browser.does("call.terminate()")?;
        browser.sees("ended")?;
        let cdr = switch.wait_cdrs(calls)?.remove(0);
        for leg in 0..2 {
            let video = &cdr["legs"][leg]["video"];
            let many = |name: &str| video[name].as_u64().is_some_and(|count| count >= 10);
            let right = video["codec"] == "vp8" && many("received") && many("sent") && video["unsealed"] == 0;
            ensure(right, || format!("video of leg {leg} in {cdr}"))?;
        }
        if calls == 1 {
            browser.does("seen.length = 0")?;
            phone.order("/dial sip:1001@127.0.0.1")?;
        }
    }
    phone.stop()?;
    switch.ensure_nothing_left()
}

pub fn is_called_by_a_phone(dir: &Path) -> Outcome {
    let (switch, mut browser, mut phone) = called_by_a_phone(dir)?;
    browser.sees("path connected")?;
    phone.hangs_up()?;
    browser.sees("ended")?;
    ensure_clean(&switch)?;
    switch.ensure_nothing_left()
}

/// The page is loaded anew in the middle of its call. The customer's leg is never touched, and both hear each other again within
/// three seconds.
pub fn reloads(dir: &Path) -> Outcome {
    let (switch, mut browser, mut phone) = called_by_a_phone(dir)?;
    let born = browser.page.evaluate("born")?.as_u64().unwrap_or_default();
    let began = Instant::now();
    browser.does("location.reload()")?;
    wait_for("the old page to be gone", SOON, || {
        let now = browser.page.evaluate("globalThis.born || 0").ok()?.as_u64()?;
        (now != 0 && now != born).then_some(())
    })?;
    let heard = browser.hears(AGENT, SOON);
    explained(heard, &mut browser, &switch)?;
    phone.voice.forget();
    phone.voice.hears("the phone", CALLER, SOON)?;
    let took = began.elapsed();
    ensure(took <= BACK, || format!("back after {took:?}; the page saw: {}", browser.told()))?;
    let byes = phone.sipp.messages().iter().filter(|message| message.text.starts_with("BYE")).count();
    ensure(byes == 0, || phone.sipp.log())?;
    phone.hangs_up()?;
    browser.sees("ended")?;
    // the call, and the one that took the old page's place in it
    switch.wait_cdrs(2)?;
    switch.ensure_nothing_left()
}
