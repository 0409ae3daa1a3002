//! The newcomer's path of docs/flows.md, walked: its files are written, its commands run, and what it says they print is printed.

use crate::common::{CALLER, Phone, SOON, calls};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, KEY};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::switch::{Switch, binary};
use std::path::Path;
use std::process::Command;

const DOCS: &str = include_str!("../../docs/flows.md");
const HEADING: &str = "\n## From an empty file to a published flow\n";

/// What stands between two fences, with the word after the first.
fn fenced() -> Result<Vec<(&'static str, String)>, Fail> {
    let (_, rest) = DOCS.split_once(HEADING).ok_or_else(|| Fail("the path is gone".into()))?;
    let path = rest.split("\n## ").next().unwrap_or(rest);
    let mut parts = path.split("\n```");
    parts.next();
    let mut found = Vec::new();
    while let (Some(open), _close) = (parts.next(), parts.next()) {
        let (kind, text) = open.split_once('\n').unwrap_or((open, ""));
        found.push((kind.trim(), format!("{text}\n")));
    }
    Ok(found)
}

/// A file: its first line is a comment with its name.
fn write(dir: &Path, text: &str) -> Result<String, Fail> {
    let first = text.lines().next().unwrap_or_default();
    let name = first.trim_start_matches(['-', '#', ' ']).trim().to_owned();
    ensure(name.contains('.') && !name.contains(' '), || format!("no name of a file: {first:?}"))?;
    std::fs::write(dir.join(&name), text)?;
    Ok(name)
}

/// Lines that begin with `$ ` are commands, the others what they print, in this order; `...` is anything.
fn walk(dir: &Path, text: &str) -> Outcome {
    let here = binary()?;
    let folder = here.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    for part in text.split("$ ").skip(1) {
        let mut lines = part.lines();
        let command = lines.next().unwrap_or_default();
        let out = Command::new("sh")
            .args(["-c", command])
            .env("PATH", &path)
            .env("CORDBOARD_API_KEY", KEY)
            .current_dir(dir)
            .output()?;
        let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        let mut rest = said.as_str();
        for wanted in
            lines.flat_map(|line| line.split("...")).map(str::trim).filter(|wanted| !wanted.is_empty())
        {
            match rest.split_once(wanted) {
                Some((_, after)) => rest = after,
                None => return fail(format!("{command}: {wanted:?} is not (or not there) in\n{said}")),
            }
        }
    }
    Ok(())
}

pub fn path(dir: &Path) -> Outcome {
    let parts = fenced()?;
    ensure(parts.len() >= 8, || format!("{} blocks", parts.len()))?;
    let config = parts.iter().find(|(_, text)| text.starts_with("# cordboard.toml"));
    let (_, config) = config.ok_or_else(|| Fail("no configuration".into()))?;
    let house = Config::new(dir)?.trunk().agent("1001").queue("").more(config);
    std::fs::create_dir_all(dir.join("prompts/en"))?;
    std::fs::copy(dir.join("prompts/menu.wav"), dir.join("prompts/en/menu.wav"))?;
    let switch = Switch::start(dir, &house)?;
    for (kind, text) in &parts {
        match *kind {
            "sh" => walk(dir, text)?,
            "lua" | "toml" if !text.starts_with("# cordboard.toml") => drop(write(dir, text)?),
            _ => {}
        }
    }
    let drawn = std::fs::read_to_string(dir.join("hello.svg"))?;
    ensure(drawn.starts_with("<svg"), || drawn.clone())?;
    // The last thing that the path does is to go back and forth; a caller gets what was published last.
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    caller.voice.press('1');
    caller.sipp.wait_success(SOON)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    ensure(cdr["data"]["choice"] == "sales", || format!("{cdr}"))?;
    switch.ensure_nothing_left()
}

/// A finished call becomes a test that passes, and in which nothing is that was a secret.
pub fn recorded(dir: &Path) -> Outcome {
    const TALK: &str = "call:answer()\nlocal pin = call:collect_secret{max = 4, first = 100}\n\
        call.data.length = pin:length()\nlocal count = call:count('calls')\n\
        call:menu{first = 100, ['1'] = function() call:play({silence = 0.1}) end}\n\
        call:enqueue('sales', {timeout = 1})\ncall:hang_up()\n";
    let config = Config::new(dir)?.trunk().agent("1001").queue("").flow("talk", TALK)?;
    let switch = Switch::start(dir, &config.number("600", "flow:talk"))?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    for key in ['4', '7', '0', '9', '1'] {
        caller.voice.press(key);
    }
    caller.sipp.wait_success(SOON)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    let call = cdr["call"].as_str().unwrap_or_default().to_owned();
    let text = format!(
        "$ cordboard flow record {call} --out talk.test.toml --config cordboard.toml\ntalk.test.toml is written\n\
         $ cordboard flow test talk.test.toml\nok ... call {call}\n1 cases in 1 files went as written\n\
         $ cordboard flow record default.1-0-1 --config cordboard.toml\nno such flow of call default.1-0-1 is kept\n"
    );
    walk(dir, &text)?;
    let made = std::fs::read_to_string(dir.join("talk.test.toml"))?;
    for wanted in [
        "flow = \"talk.lua\"",
        "{ expect = \"collect - max=4\", digits = \"1111\", how = \"max\" }",
        "{ expect = \"set length = 4\" }",
        "{ expect = \"collect - max=1\", digits = \"1\", how = \"max\" }",
        "{ expect = \"enqueue sales timeout=1 priority=0\", queue = \"timeout\" }",
        "{ expect = \"hang_up normal\" }",
    ] {
        ensure(made.contains(wanted), || format!("no {wanted} in\n{made}"))?;
    }
    ensure(!made.contains("4709"), || made.clone())
}
