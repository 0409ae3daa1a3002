//! What flows say and whom they give calls to, at the running switch: espeak-ng, prompts in other formats, and a bot of the
//! media-stream protocol by a library that is not ours.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MENU};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::Process;
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Where the bot listens: the network of a test is its own.
const BOT: &str = "7070";

fn bot(dir: &Path) -> Result<Process, Fail> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("switch/bot.py");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).arg(BOT);
    let mut bot = Process::start("bot", dir, command)?;
    bot.wait_line("listening", SOON)?;
    Ok(bot)
}

/// A caller of a flow, beside a bot that it may be given to.
fn with_a_bot(dir: &Path, flow: &str) -> Result<(Switch, Process, Phone), Fail> {
    let allowed = "[streams]\nallow_private = true\nallowed = [\"ws://127.0.0.1:7070/\"]";
    let config = Config::new(dir)?.trunk().number("600", "flow:talk").flow("talk", flow)?.more(allowed);
    let switch = Switch::start(dir, &config)?;
    let bot = bot(dir)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    Ok((switch, bot, caller))
}

/// What the bot was told of this kind.
fn told(bot: &Process, event: &str) -> Vec<Value> {
    let all = bot.output();
    let read = all.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    read.filter(|message| message["event"] == event).collect()
}

/// A caller is given to a bot: it hears him and he hears it, its marks come back when they were heard, what it takes back
/// is not heard, and when it is done the flow goes on.
pub fn media_stream(dir: &Path) -> Outcome {
    let flow = "call:answer() call.data.customer = 'Ann'
        local how, why = call:stream{url = 'ws://127.0.0.1:7070/voice', parameters = {order = 17}}
        call:log('stream', how, why) call:play('menu')
        how, why = call:stream{url = 'ws://127.0.0.1:7071/voice'} call:log('second', how, why)
        how, why = call:stream{url = 'ws://127.0.0.1:7072/voice'} call:log('third', how, why)";
    let allowed =
        "[streams]\nallow_private = true\nallowed = [\"ws://127.0.0.1:7070/\", \"ws://127.0.0.1:7071/\"]";
    let config = Config::new(dir)?.trunk().number("600", "flow:talk").flow("talk", flow)?.more(allowed);
    let switch = Switch::start(dir, &config)?;
    let mut bot = bot(dir)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    caller.voice.hears("the caller", CALLER, SOON)?;
    let Some(start) = told(&bot, "start").pop() else { return fail("the bot was told no start") };
    let parameters = &start["start"]["customParameters"];
    ensure(parameters["order"] == "17" && parameters["customer"] == "Ann", || format!("{start}"))?;
    ensure(start["start"]["mediaFormat"]["encoding"] == "audio/x-mulaw", || format!("{start}"))?;

    caller.voice.press('5');
    caller.voice.hears("the caller", 880.0, SOON)?;
    bot.wait_line("\"said\"", SOON)?;
    caller.voice.press('6');
    caller.voice.hears("the caller", 990.0, SOON)?;
    bot.wait_line("\"cut\"", SOON)?;
    std::thread::sleep(Duration::from_millis(400));
    caller.voice.forget();
    ensure(!caller.voice.heard_within(990.0, Duration::from_millis(800)), || {
        "what was taken back is heard".into()
    })?;

    caller.voice.press('#');
    caller.voice.hears("the caller", MENU, SOON)?;
    let keys: Vec<Value> = told(&bot, "dtmf").into_iter().map(|key| key["dtmf"]["digit"].clone()).collect();
    ensure(keys == ["5", "6", "#"], || format!("the bot was told {keys:?}"))?;
    caller.sipp.wait_success(SOON)?;
    for line in ["stream closed", "second nil unreachable", "third nil forbidden"] {
        switch.wait_logged(line)?;
    }
    switch.ensure_nothing_left()
}

/// A caller who hangs up while a bot has him: the bot is told to stop.
pub fn media_stream_hung_up(dir: &Path) -> Outcome {
    let flow = "call:answer() call:stream{url = 'ws://127.0.0.1:7070/voice'}";
    let (switch, mut bot, mut caller) = with_a_bot(dir, flow)?;
    caller.speaks()?;
    caller.voice.hears("the caller", CALLER, SOON)?;
    caller.gives_up()?;
    bot.wait_line("\"stop\"", SOON)?;
    bot.wait_line("gone", SOON)?;
    switch.ensure_nothing_left()
}

/// A secret is told while a bot has the caller: it gets neither the keys nor a sound of it, and both again afterwards.
pub fn media_stream_secret(dir: &Path) -> Outcome {
    let flow = "call:answer() call:log('stream', call:stream{url = 'ws://127.0.0.1:7070/voice'})";
    let (switch, mut bot, mut caller) = with_a_bot(dir, flow)?;
    caller.speaks()?;
    caller.voice.hears("the caller, of the bot that says what it hears,", CALLER, SOON)?;
    let call = switch.wait_calls("flow", 1)?.remove(0);
    let secret = format!("/api/v1/legs/{}/secret", call["legs"][0]["leg"].as_str().unwrap_or_default());
    switch.api.post_body(&secret, r#"{"on": true}"#)?;
    std::thread::sleep(Duration::from_millis(500));
    caller.voice.forget();
    ensure(!caller.voice.heard_within(CALLER, Duration::from_secs(1)), || "the bot hears a secret".into())?;
    caller.voice.press('7');
    caller.voice.press('9');
    std::thread::sleep(Duration::from_secs(1));
    switch.api.post_body(&secret, r#"{"on": false}"#)?;
    caller.voice.hears("the caller, after his secret,", CALLER, SOON)?;
    caller.voice.press('#');
    bot.wait_line("gone", SOON)?;
    caller.sipp.wait_success(SOON)?;
    let keys: Vec<Value> = told(&bot, "dtmf").into_iter().map(|key| key["dtmf"]["digit"].clone()).collect();
    ensure(keys == ["#"], || format!("the bot was told {keys:?}"))?;
    switch.ensure_nothing_left()
}

/// Two talk, and the API has a program listen to both: it hears each in its own track, they do not hear it, and it is let go.
pub fn listening(dir: &Path) -> Outcome {
    let allowed = "[streams]\nallow_private = true\nallowed = [\"ws://127.0.0.1:7070/\"]";
    let config = Config::new(dir)?.agent("1001").queue("").trunk().more(allowed);
    let switch = Switch::start(dir, &config)?;
    let mut bot = bot(dir)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let call = switch.wait_stage("bridged")?;
    let path = format!("/api/v1/calls/{}/stream", call["call"].as_str().unwrap_or_default());
    let elsewhere = switch.api.send("POST", &path, r#"{"url": "ws://127.0.0.1:7071/"}"#)?;
    ensure((400..500).contains(&elsewhere.status), || {
        format!("a host that is not allowed: {}", elsewhere.head)
    })?;
    let none = switch.api.send("DELETE", &path, "")?;
    ensure(none.status == 409, || format!("nobody listens yet: {}", none.head))?;
    switch.api.post_body(&path, r#"{"url": "ws://127.0.0.1:7070/a", "parameters": {"why": "to learn"}}"#)?;
    bot.wait_line("\"start\"", SOON)?;
    let again = switch.api.send("POST", &path, r#"{"url": "ws://127.0.0.1:7070/a"}"#)?;
    ensure(again.status == 409, || format!("one listens already: {}", again.head))?;
    std::thread::sleep(Duration::from_secs(2));
    hear_each_other(&mut caller, &mut agent)?;
    let done = switch.api.send("DELETE", &path, "")?;
    ensure(done.status == 200, || format!("it is let go: {}", done.head))?;
    bot.wait_line("gone", SOON)?;
    let start = told(&bot, "start").remove(0);
    let tracks = start["start"]["tracks"].to_string();
    ensure(tracks == r#"["inbound","outbound"]"#, || format!("{start}"))?;
    ensure(start["start"]["customParameters"]["why"] == "to learn", || format!("{start}"))?;
    let gone = told(&bot, "gone").remove(0);
    ensure(gone["tones"]["inbound"] == CALLER && gone["tones"]["outbound"] == AGENT, || format!("{gone}"))?;
    ensure(!told(&bot, "stop").is_empty(), || "no stop".into())?;
    caller.hangs_up()?;
    agent.ended()?;
    switch.ensure_nothing_left()
}

/// A flow says two sentences by espeak-ng, and plays a prompt in MP3 and one in Ogg.
pub fn speech_and_prompts(dir: &Path) -> Outcome {
    let flow = "call:answer() local done, why = call:say('Welcome to the test of speech. Please wait for the tones.')
        call:log('said', done, why) call:play('tone-44k-stereo') call:play{'tone-48k-mono'}
        call:play{{say = '\u{8bf7}\u{7a0d}\u{5019}', language = 'zh'}} call:play('menu')";
    let speech = "[speech]\nengine = \"espeak-ng\"\ncache = \"var/speech\"";
    let config = Config::new(dir)?.trunk().number("600", "flow:talk").flow("talk", flow)?.more(speech);
    let tones = Path::new(env!("CARGO_MANIFEST_DIR")).join("../switch/node/tests/prompts");
    for name in ["tone-44k-stereo.mp3", "tone-48k-mono.ogg"] {
        std::fs::copy(tones.join(name), dir.join("prompts").join(name))?;
    }
    let switch = Switch::start(dir, &config)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    caller.voice.hears_something("the caller", SOON)?;
    caller.voice.hears("the caller", 440.0, SOON)?;
    caller.voice.hears("the caller", MENU, SOON)?;
    switch.wait_logged("said true")?;
    let kept = std::fs::read_dir(dir.join("var/speech"))?.count();
    ensure(kept == 2, || format!("{kept} files of speech are kept"))?;
    caller.sipp.wait_success(SOON)?;
    switch.ensure_nothing_left()
}

/// A word of espeak-ng's in mu-law at 8 kHz, with a second of silence before it and two behind.
fn spoken(dir: &Path, word: &str) -> Result<Vec<u8>, Fail> {
    let (wav, raw) = (dir.join("word.wav"), dir.join("word.ul"));
    let run = |command: &mut Command| match command.status() {
        Ok(status) if status.success() => Ok(()),
        outcome => fail(format!("{command:?}: {outcome:?}")),
    };
    run(Command::new("espeak-ng").args(["-v", "en-us", "-s", "130", "-w"]).arg(&wav).arg(word))?;
    let sox = ["-r", "8000", "-c", "1", "-t", "ul"];
    run(Command::new("sox").arg("-D").arg(&wav).args(sox).arg(&raw).args(["pad", "1", "2"]))?;
    Ok(std::fs::read(raw)?)
}

/// A flow collects digits by speech or keys: one caller says them while the prompt plays, another presses them, and a third, whose
/// recogniser is not there, presses them all the same.
pub fn collected(dir: &Path) -> Outcome {
    let flow = "call:answer()
        local url = call:count('calls') < 3 and 'ws://127.0.0.1:7070/' or 'ws://127.0.0.1:7071/'
        local entry, how = call:collect{prompt = 'menu', max = 3, first = 20, speech = {url = url}}
        call:log('entry', entry, how)
        call:play('menu')";
    let allowed =
        "[streams]\nallow_private = true\nallowed = [\"ws://127.0.0.1:7070/\", \"ws://127.0.0.1:7071/\"]";
    let config = Config::new(dir)?.trunk().number("600", "flow:ask").flow("ask", flow)?.more(allowed);
    let switch = Switch::start(dir, &config)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/recogniser.py");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script);
    let mut recogniser = Process::start("recogniser", dir, command)?;
    recogniser.wait_line("listening", SOON)?;
    let mut events = switch.api.events(None)?;
    for (n, line) in ["entry 351 speech", "entry 427 max", "entry 908 max"].into_iter().enumerate() {
        let mut caller = Phone::by_trunk(dir, "600", &calls(), 0.0)?;
        caller.sipp.wait_up()?;
        caller.speaks()?;
        match n {
            0 => caller.voice.say(&spoken(dir, "three five one")?),
            _ => {
                let wanted = if n == 1 { "stream_started" } else { "stream_ended" };
                events.until(wanted, |event| event["type"] == wanted)?;
                let entry = line.split(' ').nth(1).unwrap_or_default();
                entry.chars().for_each(|key| caller.voice.press(key));
            }
        }
        switch.wait_logged(line)?;
        events.until("the end of the stream", |event| event["type"] == "flow_log")?;
        caller.voice.hears("the caller, whose entry counts,", MENU, SOON)?;
        caller.hangs_up()?;
    }
    switch.wait_cdrs(3)?;
    switch.ensure_nothing_left()
}

/// Callers say yes, no and digits: pocketsphinx, behind the same socket, recognises each by the flow's grammar.
pub fn recognition(dir: &Path) -> Outcome {
    let flow = "call:answer()
        local how, word = call:stream{url = 'ws://127.0.0.1:7070/', timeout = 20,
            parameters = {grammar = '#JSGF V1.0; grammar g; public <g> = yes | no | <n>+; <n> = one | two | three | four | five;'}}
        call:log('heard', how, word)";
    let allowed = "[streams]\nallow_private = true\nallowed = [\"ws://127.0.0.1:7070/\"]";
    let config = Config::new(dir)?.trunk().number("600", "flow:ask").flow("ask", flow)?.more(allowed);
    let switch = Switch::start(dir, &config)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/recogniser.py");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script);
    let mut recogniser = Process::start("recogniser", dir, command)?;
    recogniser.wait_line("listening", SOON)?;
    for word in ["yes", "no", "three five one"] {
        let codes = spoken(dir, word)?;
        let mut caller = Phone::by_trunk(dir, "600", &calls(), 0.0)?;
        caller.speaks()?;
        caller.voice.say(&codes);
        caller.ended()?;
        let line = format!("heard closed {word}");
        switch.wait_logged(&line)?;
    }
    switch.ensure_nothing_left()
}
