//! A sealed recording with a pause: what lies on the disk, what the API gives, what the command line says.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::sound::read_recording;
use cordboard_tests::switch::{Switch, binary};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `cordboard recording`: whether it went well, and what it said.
fn tool(dir: &Path, args: &[&str]) -> Result<(bool, String), Fail> {
    let output = Command::new(binary()?).arg("recording").args(args).current_dir(dir).output()?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), format!("{out}{err}")))
}

/// Both hear each other again, for as long as it takes.
fn go_on(caller: &mut Phone, agent: &mut Phone) -> Outcome {
    for _ in 0..2 {
        caller.voice.forget();
        agent.voice.forget();
        hear_each_other(caller, agent)?;
    }
    Ok(())
}

fn asked(switch: &Switch, call: &str, word: &str) -> Outcome {
    let body = format!("{{\"do\": \"{word}\", \"why\": \"card number\"}}");
    switch.api.post_body(&format!("/api/v1/calls/{call}/recording"), &body).map(drop)
}

pub fn sealed_with_a_pause(dir: &Path) -> Outcome {
    for (name, digit) in [("one.key", "1"), ("other.key", "2")] {
        std::fs::write(dir.join(name), digit.repeat(64))?;
    }
    let config = Config::new(dir)?
        .recordings("seal_with = \"one\"")
        .more("[recordings.key.one]\nfrom = \"file:one.key\"")
        .agent("1001")
        .queue("record = true\nwrap_up = \"1s\"")
        .trunk();
    let switch = Switch::start(dir, &config)?;
    let mut events = switch.api.events(None)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    go_on(&mut caller, &mut agent)?;
    let call = switch.wait_stage("bridged")?;
    let call = call["call"].as_str().unwrap_or_default();
    asked(&switch, call, "pause")?;
    let paused = events.until("the pause", |event| event["type"] == "recording_paused")?;
    go_on(&mut caller, &mut agent)?;
    asked(&switch, call, "resume")?;
    let resumed = events.until("its end", |event| event["type"] == "recording_resumed")?;
    go_on(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    events.until("the end of the call", |event| event["type"] == "call_ended")?;
    let record = switch.api.send("GET", &format!("/api/v1/cdrs/{call}"), "")?.status;
    ensure(record == 200, || format!("its record is not there when its end is told: {record}"))?;
    let mark = paused.last().cloned().unwrap_or_default();
    field(&mark, "by", "key harness")?;
    field(&mark, "why", "card number")?;
    let sample = |event: Option<&Value>| event.and_then(|event| event["sample"].as_u64()).unwrap_or_default();
    let (from, to) = (sample(paused.last()), sample(resumed.last()));
    ensure(from > 0 && to > from, || format!("paused from {from} to {to}"))?;
    let entry = described(&switch)?;
    field(&entry, "pauses.0.from_sample", from)?;
    field(&entry, "pauses.0.to_sample", to)?;
    field(&entry, "parties.1.agent.name", "1001")?;
    field(&entry, "file.key", "one")?;
    let wav = fetched(&switch, &entry, (from as usize, to as usize))?;
    on_the_disk(dir, &entry, &wav)
}

/// The entry, once its manifest is there.
fn described(switch: &Switch) -> Result<Value, Fail> {
    wait_for("the manifest", SOON, || {
        let listed = switch.wait_recordings(1).ok()?;
        listed.first().filter(|entry| entry["file"].is_object()).cloned()
    })
}

fn fetched(switch: &Switch, entry: &Value, (from, to): (usize, usize)) -> Result<Vec<u8>, Fail> {
    let path = format!("/api/v1/recordings/{}", entry["recording"].as_str().unwrap_or_default());
    let whole = switch.api.send("GET", &path, "")?;
    ensure(whole.status == 200, || format!("the recording: {}", whole.head))?;
    let file = switch.dir().join("fetched.wav");
    std::fs::write(&file, &whole.body)?;
    let recording = read_recording(&file)?;
    recording.ensure_tones(CALLER, AGENT)?;
    for (side, samples) in [("left", &recording.left), ("right", &recording.right)] {
        let silent = samples.get(from..to).is_some_and(|pause| pause.iter().all(|sample| *sample == 0));
        ensure(silent, || format!("the {side} channel is heard between {from} and {to}"))?;
    }
    let part = switch.api.send_with("GET", &path, "Range: bytes=1000-1999\r\n", "")?;
    ensure(whole.body.get(1_000..2_000) == Some(&part.body), || "the part is another one".into())?;
    Ok(whole.body)
}

fn on_the_disk(dir: &Path, entry: &Value, wav: &[u8]) -> Outcome {
    let id = entry["recording"].as_str().unwrap_or_default();
    let file: PathBuf = dir.join("var/recordings/default").join(format!("{id}.sealed"));
    let sealed = std::fs::read(&file)?;
    let some = wav.get(4_000..4_064).unwrap_or_default();
    ensure(!sealed.windows(64).any(|window| window == some), || "the file has audio in the clear".into())?;
    let name = file.to_string_lossy().into_owned();
    let (good, said) = tool(dir, &["verify", &name, "--key", "one=file:one.key"])?;
    ensure(good && said.contains("every chunk is whole"), || said)?;
    let sha256 = at(entry, "file.sha256").as_str().unwrap_or_default().to_owned();
    let (_, said) = tool(dir, &["verify", &name, "--key", "one=file:one.key"])?;
    ensure(said.contains(&sha256), || said)?;
    let (good, said) = tool(dir, &["decrypt", &name, "--out", "wrong.wav", "--key", "one=file:other.key"])?;
    ensure(!good && said.contains("not the one it was sealed with"), || said)?;
    let (good, said) = tool(dir, &["decrypt", &name, "--out", "opened.wav", "-c", "cordboard.toml"])?;
    ensure(good, || said)?;
    ensure(std::fs::read(dir.join("opened.wav"))? == wav, || "it is opened as another one".into())?;
    let mut changed = sealed;
    if let Some(byte) = changed.get_mut(5_000) {
        *byte ^= 1;
    }
    std::fs::write(&file, changed)?;
    let (good, said) = tool(dir, &["verify", &name, "--key", "one=file:one.key"])?;
    ensure(!good && said.contains("the file was changed"), || said)
}
