//! Recordings as Opus in Ogg, read by the tools of its makers.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::wait_for;
use cordboard_tests::sound::read_recording;
use cordboard_tests::switch::{Switch, binary};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a tool says; it must be content.
fn run(tool: &mut Command) -> Result<String, Fail> {
    let output = tool.output()?;
    let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    if output.status.success() { Ok(said) } else { fail(format!("{tool:?}: {said}")) }
}

/// opusdec plays it: the caller is on the left, the agent on the right. So many milliseconds.
fn plays(file: &Path) -> Result<u64, Fail> {
    let wav = file.with_extension("wav");
    run(Command::new("opusdec").arg("--quiet").arg(file).arg(&wav))?;
    let recording = read_recording(&wav)?;
    recording.ensure_tones(CALLER, AGENT)?;
    Ok(recording.left.len() as u64 / 8)
}

/// opusinfo finds nothing wrong with it.
fn is_sound(file: &Path) -> Outcome {
    let said = run(Command::new("opusinfo").arg(file))?;
    let wrong = ["WARNING", "ERROR", "Negative", "hole"].iter().any(|word| said.contains(word));
    ensure(!wrong && said.contains("Channels: 2") && said.contains("stream 1 ended"), || said)
}

/// Both talk until the recording has a second of both.
fn talking(dir: &Path, config: &Config, ending: &str) -> Result<(Switch, Phone, Phone, PathBuf), Fail> {
    let switch = Switch::start(dir, config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let file = wait_for("the recording to grow", SOON, || {
        let mut files = std::fs::read_dir(dir.join("var/recordings/default")).ok()?.flatten();
        let grown = |file: &std::fs::DirEntry| {
            let right = file.path().extension().is_some_and(|end| end == ending);
            right && file.metadata().is_ok_and(|meta| meta.len() > 9_000)
        };
        files.find(grown).map(|file| file.path())
    })?;
    Ok((switch, caller, agent, file))
}

fn described(switch: &Switch) -> Result<Value, Fail> {
    wait_for("the manifest", SOON, || {
        let listed = switch.wait_recordings(1).ok()?;
        listed.first().filter(|entry| entry["file"].is_object()).cloned()
    })
}

fn config(dir: &Path) -> Result<Config, Fail> {
    let config = Config::new(dir)?.recordings("format = \"opus\"");
    Ok(config.agent("1001").queue("record = true\nwrap_up = \"1s\"").trunk())
}

/// What the API gives, and its length by the entry.
fn fetched(switch: &Switch, entry: &Value, codec: &str) -> Result<(PathBuf, u64), Fail> {
    field(entry, "file.codec", codec)?;
    let path = format!("/api/v1/recordings/{}", entry["recording"].as_str().unwrap_or_default());
    let answer = switch.api.send("GET", &path, "")?;
    ensure(answer.status == 200 && answer.head.to_lowercase().contains("content-type: audio/ogg"), || {
        answer.head.clone()
    })?;
    let file = switch.dir().join("fetched.opus");
    std::fs::write(&file, &answer.body)?;
    Ok((file, entry["length_ms"].as_u64().unwrap_or_default()))
}

/// In the clear: what lies on the disk is what the API gives, and both tools of its makers are content.
pub fn in_the_clear(dir: &Path) -> Outcome {
    let (switch, mut caller, mut agent, on_disk) = talking(dir, &config(dir)?, "opus")?;
    caller.hangs_up()?;
    agent.ended()?;
    let entry = described(&switch)?;
    field(&entry, "file.format", "opus")?;
    let (file, ms) = fetched(&switch, &entry, "opus")?;
    ensure(std::fs::read(&on_disk)? == std::fs::read(&file)?, || "another file lies on the disk".into())?;
    is_sound(&file)?;
    let heard = plays(&file)?;
    ensure(heard.abs_diff(ms) <= 1, || format!("{heard} ms are heard, {ms} ms are listed"))?;
    let len = std::fs::metadata(&file)?.len();
    ensure(len < ms * 6, || format!("{len} bytes for {ms} ms"))?;
    let verify = run(Command::new(binary()?).args(["recording", "verify"]).arg(&on_disk).current_dir(dir))?;
    ensure(verify.contains("SHA-256"), || verify)?;
    switch.ensure_nothing_left()
}

/// Sealed: the disk has none of it, the API and the command line give the same Ogg file.
pub fn sealed(dir: &Path) -> Outcome {
    std::fs::write(dir.join("one.key"), "1".repeat(64))?;
    let config = config(dir)?.recordings("seal_with = \"one\"");
    let config = config.more("[recordings.key.one]\nfrom = \"file:one.key\"");
    let (switch, mut caller, mut agent, on_disk) = talking(dir, &config, "sealed")?;
    caller.hangs_up()?;
    agent.ended()?;
    let entry = described(&switch)?;
    field(&entry, "file.format", "sealed")?;
    let (file, ms) = fetched(&switch, &entry, "opus")?;
    let sealed = std::fs::read(&on_disk)?;
    ensure(!sealed.windows(8).any(|window| window == b"OpusHead"), || "it is in the clear".into())?;
    is_sound(&file)?;
    let heard = plays(&file)?;
    ensure(heard.abs_diff(ms) <= 1, || format!("{heard} ms are heard, {ms} ms are listed"))?;
    let opened = dir.join("opened.opus");
    let mut decrypt = Command::new(binary()?);
    decrypt.args(["recording", "decrypt"]).arg(&on_disk).arg("--out").arg(&opened).current_dir(dir);
    run(decrypt.args(["-c", "cordboard.toml"]))?;
    ensure(std::fs::read(&opened)? == std::fs::read(&file)?, || "it is opened as another one".into())?;
    switch.ensure_nothing_left()
}

/// `kill -9` in the middle: the file plays as it lies there, and the next start ends it.
pub fn killed(dir: &Path) -> Outcome {
    let (mut switch, mut caller, mut agent, on_disk) = talking(dir, &config(dir)?, "opus")?;
    switch.kill();
    let cut = dir.join("cut.opus");
    std::fs::copy(&on_disk, &cut)?;
    let heard = plays(&cut)?;
    let switch = Switch::restart(dir)?;
    caller.ended()?;
    agent.ended()?;
    let entry = described(&switch)?;
    let (file, ms) = fetched(&switch, &entry, "opus")?;
    is_sound(&file)?;
    let after = plays(&file)?;
    ensure(after.abs_diff(ms) <= 1 && after.abs_diff(heard) <= 20, || {
        format!("{heard} ms were heard of it when it was cut, {after} ms are, {ms} ms are listed")
    })?;
    switch.ensure_nothing_left()
}
