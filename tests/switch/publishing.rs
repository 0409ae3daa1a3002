//! Flows that are kept by the control API: published and rolled back while calls run.

use crate::common::{Phone, SOON, calls, field};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, KEY};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::{Switch, binary};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Callers at a time on the first version.
const CROWD: u32 = 500;
/// Time for so many to end on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn house(dir: &Path) -> Result<Config, Fail> {
    let kept = "[tenant.default.flow.main]\nkept = \"api\"\n";
    let trunk = "[tenant.default.trunk.carrier]\npeers = [\"127.0.0.2\"]\nmax_calls = 1000";
    Ok(Config::new(dir)?.more(trunk).more(kept).number("700", "flow:main").limit("media_silence = \"10m\""))
}

/// A flow that says its version when it begins and when it ends, which is when somebody has called 701.
fn text(version: u32) -> String {
    format!(
        "call.data.began = \"{version}\"\ncall:answer()\nwhile call:count(\"go\", {{add = 0}}) == 0 do call:wait(0.5) end\n\
         call.data.ended = \"{version}\"\ncall:hang_up()\n"
    )
}

fn test(version: u32) -> String {
    format!(
        "[[case]]\nname = \"says its version\"\nsteps = [\n  {{ expect = \"set began = {version}\" }},\n  \
         {{ expect = \"answer\" }},\n  {{ expect = \"count go\", limit = true }},\n  \
         {{ expect = \"set ended = {version}\" }},\n  {{ expect = \"hang_up\" }},\n]\n"
    )
}

fn publish(switch: &Switch, version: u32) -> Result<Value, Fail> {
    let body = json!({ "text": text(version), "test": test(version), "note": format!("number {version}") });
    switch.api.post_body("/api/v1/flows/main/publish", &body.to_string())
}

/// One caller, who meets this version.
fn meets(switch: &Switch, dir: &Path, port: u16, version: u32) -> Result<Phone, Fail> {
    let before = switch.api.list("/api/v1/calls")?.len();
    let phone = Phone::crowd(dir, port, "700", &calls(), 1, 0.0)?;
    wait_for("the call to be up and to have said its version", SOON, || {
        let calls = switch.api.list("/api/v1/calls").ok()?;
        let wanted = version.to_string();
        let said = |call: &&Value| call["data"]["began"].as_str() == Some(wanted.as_str());
        (calls.len() > before && calls.iter().any(|call| said(&call))).then_some(())
    })?;
    Ok(phone)
}

/// Published and rolled back under running calls: none is dropped, and each ends on the version it began with.
pub fn under_calls(dir: &Path) -> Outcome {
    let go = "call:answer()\ncall:count(\"go\")\n";
    let switch = Switch::start(dir, &house(dir)?.flow("go", go)?.number("701", "flow:go"))?;
    let done = publish(&switch, 1)?;
    ensure(done["version"]["version"] == 1, || format!("{done}"))?;
    let mut crowd = Phone::crowd(dir, 5091, "700", &calls(), CROWD, 0.0)?;
    let up = |count: usize| -> Outcome {
        wait_for(&format!("{count} calls in the flow"), LONG, || {
            let calls = switch.api.list("/api/v1/calls").ok()?;
            let in_flow = |call: &&Value| call["stage"] == "flow" && !call["answered"].is_null();
            (calls.iter().filter(in_flow).count() == count).then_some(())
        })
    };
    up(CROWD as usize)?;
    publish(&switch, 2)?;
    let mut second = meets(&switch, dir, 5092, 2)?;
    let back =
        switch.api.post_body("/api/v1/flows/main/rollback", r#"{"version": 1, "note": "too loud"}"#)?;
    ensure(back["version"]["version"] == 3 && back["version"]["back_to"] == 1, || format!("{back}"))?;
    let mut third = meets(&switch, dir, 5093, 1)?;
    up(CROWD as usize + 2)?;
    let mut signal = Phone::crowd(dir, 5094, "701", &calls(), 1, 0.0)?;
    for phone in [&mut crowd, &mut second, &mut third, &mut signal] {
        phone.sipp.wait_success(LONG)?;
    }
    let mut cdrs = switch.wait_cdrs(CROWD as usize + 3)?;
    cdrs.retain(|cdr| cdr["to"]["user"] == "700");
    let ran = |version: &str| {
        let whole = |cdr: &&Value| cdr["data"]["began"] == version && cdr["data"]["ended"] == version;
        cdrs.iter().filter(whole).count()
    };
    ensure((ran("1"), ran("2")) == (CROWD as usize + 1, 1), || {
        format!("{} calls began and ended with 1, {} with 2", ran("1"), ran("2"))
    })?;
    for cdr in &cdrs {
        field(cdr, "cause", "normal")?;
    }
    let versions = switch.api.list("/api/v1/flows/main/versions")?;
    let notes: Vec<&str> = versions.iter().filter_map(|version| version["note"].as_str()).collect();
    ensure(notes == ["too loud", "number 2", "number 1"], || format!("{versions:?}"))?;
    ensure(versions[0]["sha256"] == versions[2]["sha256"], || format!("{versions:?}"))?;
    ensure(versions.iter().all(|version| version["by"] == "key harness"), || format!("{versions:?}"))?;
    switch.ensure_nothing_left()
}

/// What a refused order says of its texts.
fn refused(switch: &Switch, path: &str, body: &Value, status: u16) -> Result<Vec<String>, Fail> {
    let answer = switch.api.send("POST", path, &body.to_string())?;
    let problem = answer.json()?;
    ensure(answer.status == status, || format!("{path}: {} {problem}", answer.head))?;
    let errors = problem["errors"].as_array().into_iter().flatten();
    let mut lines: Vec<String> = errors.filter_map(|line| line.as_str().map(str::to_owned)).collect();
    lines.extend(problem["detail"].as_str().map(str::to_owned));
    Ok(lines)
}

/// A draft is kept and judged; what is wrong is not published, and the running version goes on; after a kill the published
/// version and the draft are there again.
pub fn drafts_and_refusals(dir: &Path) -> Outcome {
    let config = house(dir)?.flow("other", "call:answer()\n")?;
    let mut switch = Switch::start(dir, &config)?;
    publish(&switch, 1)?;

    let put = |switch: &Switch, text: &str, test: Option<&str>| {
        let body = json!({ "text": text, "test": test }).to_string();
        switch.api.put("/api/v1/flows/main/draft", &body)
    };
    let judged = put(&switch, "call:anser()\ncall:calendar(\"nowhere\")\n", None)?;
    let faults = [
        "main.lua:1:6: Lua: call has no verb 'anser'; did you mean 'answer'?",
        "main.lua:2:15: Lua: there is no calendar 'nowhere'",
    ];
    ensure(judged["errors"] == json!(faults), || format!("{judged}"))?;
    let said = refused(&switch, "/api/v1/flows/main/publish", &json!({}), 422)?;
    ensure(said == faults, || format!("{said:?}"))?;

    // The test that was published with the version before is the draft's, too, where it has none.
    put(&switch, "call:answer()\n", None)?;
    let said = refused(&switch, "/api/v1/flows/main/publish", &json!({}), 422)?;
    let wanted = "FAILED main.test.toml: case \"says its version\", step 1:\n  expected set began = 1\n  got      answer";
    ensure(said.len() == 1 && said[0] == wanted, || format!("{said:?}"))?;
    let running = switch.api.get("/api/v1/flows/main")?;
    ensure(running["version"]["version"] == 1 && running["text"] == text(1), || format!("{running}"))?;

    // A flow of a file is changed in its file.
    let said = refused(&switch, "/api/v1/flows/other/publish", &json!({"text": "call:answer()"}), 409)?;
    let place = said.iter().any(|line| line.contains("kept in the file") && line.contains("cordboard.toml:"));
    ensure(place, || format!("{said:?}"))?;
    let said = refused(&switch, "/api/v1/flows/nobody/publish", &json!({"text": "x"}), 404)?;
    ensure(said.iter().any(|line| line.contains("kept = \"api\"")), || format!("{said:?}"))?;
    let said = refused(&switch, "/api/v1/flows/main/rollback", &json!({"version": 9}), 404)?;
    ensure(said.iter().any(|line| line.contains("1 to 1 are kept")), || format!("{said:?}"))?;

    put(&switch, &text(2), Some(&test(2)))?;
    switch.kill();
    drop(switch);
    let switch = Switch::restart(dir)?;
    let draft = switch.api.get("/api/v1/flows/main/draft")?;
    ensure(draft["text"] == text(2) && draft["draft"]["by"] == "key harness", || format!("{draft}"))?;
    let mut first = meets(&switch, dir, 5092, 1)?;
    let done = switch.api.post_body("/api/v1/flows/main/publish", r#"{"note": "from the draft"}"#)?;
    ensure(done["version"]["version"] == 2, || format!("{done}"))?;
    let mut second = meets(&switch, dir, 5093, 2)?;
    // A reload reads what was published, and no call is changed by it.
    switch.api.post("/api/v1/config/reload")?;
    for phone in [&mut first, &mut second] {
        phone.hangs_up()?;
    }
    let answer = switch.api.send("GET", "/api/v1/flows/main/draft", "")?;
    ensure(answer.status == 404, || "a published draft is a draft no longer".to_owned())?;
    switch.ensure_nothing_left()
}

/// A flow that has never been published fails by name: the caller goes on to its fallback.
pub fn unpublished(dir: &Path) -> Outcome {
    let kept = "[tenant.default.flow.main]\nkept = \"api\"\nfallback = \"queue:sales\"\n";
    let config = Config::new(dir)?.trunk().agent("1001").queue("").more(kept).number("700", "flow:main");
    let switch = Switch::start(dir, &config)?;
    let _agent = Phone::registered(dir, "1001", 5071, &crate::common::answers_when_told(), 0.0)?;
    switch.api.post("/api/v1/agents/1001/rest")?;
    let mut events = switch.api.events(None)?;
    let mut caller = Phone::by_trunk(dir, "700", &calls(), 0.0)?;
    events.until("the flow to fail by name", |event| {
        event.to_string().contains("no version of flow 'main' has been published yet")
    })?;
    switch.wait_calls("queued", 1)?;
    caller.hangs_up()?;
    Ok(())
}

/// The same by the command line.
pub fn by_command(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &house(dir)?)?;
    let flow = |args: &[&str]| -> Result<(bool, String), Fail> {
        let mut command = Command::new(binary()?);
        command.arg("flow").args(args).arg("--config").arg(switch.config());
        let out = command.env("CORDBOARD_API_KEY", KEY).current_dir(dir).output()?;
        let said = [out.stdout, out.stderr].concat();
        Ok((out.status.success(), String::from_utf8_lossy(&said).into_owned()))
    };
    let says = |args: &[&str], right: bool, wanted: &str| -> Outcome {
        let (ok, said) = flow(args)?;
        ensure(ok == right && said.contains(wanted), || format!("{args:?}: {said}"))
    };
    std::fs::write(dir.join("menu.lua"), text(1))?;
    std::fs::write(dir.join("menu.test.toml"), test(1))?;
    says(&["versions", "main"], true, "no version of flow main")?;
    says(&["publish", "main", "menu.lua", "--note", "first"], true, "flow default/main is version 1")?;
    std::fs::write(dir.join("menu.lua"), text(2))?;
    says(&["publish", "main", "menu.lua"], false, "expected set began = 1")?;
    std::fs::write(dir.join("menu.test.toml"), test(2))?;
    says(&["publish", "main", "menu.lua", "-n", "second"], true, "1 cases of its test went as written")?;
    says(&["rollback", "main", "1", "-n", "back again"], true, "flow default/main is version 3")?;
    let (_, said) = flow(&["versions", "main"])?;
    let notes: Vec<&str> = said.lines().filter_map(|line| line.split("key harness  ").nth(1)).collect();
    ensure(notes == ["back to 1  back again", "second", "first"], || said.clone())?;
    let refused = Scenario::caller(MU_LAW).invites().is_refused(404);
    Phone::crowd(dir, 5094, "999", &refused, 1, 0.0)?.ended()
}

/// A published flow takes in a library; the library goes. The reload, and a start, go on without it: other flows answer, the callers of
/// that one go to its fallback, and an alarm names it. With the library it runs again, and so does another version without it.
pub fn broken_later(dir: &Path) -> Outcome {
    let kept = "[tenant.default.flow.main]\nkept = \"api\"\nfallback = \"queue:sales\"\n";
    let config = Config::new(dir)?.trunk().agent("1001").queue("").more(kept).number("700", "flow:main");
    let config = config.flow("other", "call:answer() call:log('other answers')")?.number("701", "flow:other");
    let library = dir.join("lib/words.lua");
    std::fs::create_dir_all(dir.join("lib"))?;
    std::fs::write(&library, "return {word = 'from the library'}")?;
    let mut switch = Switch::start(dir, &config.tenant("libraries = \"lib\""))?;
    let _agent = Phone::registered(dir, "1001", 5071, &crate::common::answers_when_told(), 0.0)?;
    switch.api.post("/api/v1/agents/1001/rest")?;
    let publish = |switch: &Switch, text: &str| {
        switch.api.post_body("/api/v1/flows/main/publish", &json!({ "text": text }).to_string())
    };
    publish(&switch, "call:answer()\ncall:log('main', require('words').word)\ncall:hang_up()")?;
    Phone::by_trunk(dir, "700", &calls(), 0.0)?.ended()?;
    switch.wait_logged("main from the library")?;

    std::fs::remove_file(&library)?;
    let alarm = |switch: &Switch, code: &str, work: &dyn Fn() -> Outcome| -> Outcome {
        let mut events = switch.api.events(None)?;
        work()?;
        let told = events.until(code, |event| event["type"] == "alarm" && event["code"] == code)?;
        let last = told.last().cloned().unwrap_or_default();
        ensure(last["text"].as_str().is_some_and(|text| text.contains("default/main")), || last.to_string())
    };
    let reload = |switch: &Switch| switch.api.post("/api/v1/config/reload").map(|_| ());
    alarm(&switch, "flow_broken", &|| reload(&switch))?;
    for start in [false, true] {
        if start {
            switch.stop()?;
            drop(switch);
            switch = Switch::restart(dir)?;
            switch.wait_logged("there is no library 'words'")?;
        }
        Phone::by_trunk(dir, "701", &calls(), 0.0)?.ended()?;
        let mut caller = Phone::by_trunk(dir, "700", &calls(), 0.0)?;
        switch.wait_calls("queued", 1)?;
        caller.hangs_up()?;
        let shown = switch.api.get("/api/v1/flows/main")?;
        ensure(shown["text"].as_str().is_some_and(|text| text.contains("require('words')")), || {
            shown.to_string()
        })?;
    }
    std::fs::write(&library, "return {word = 'again'}")?;
    alarm(&switch, "flow_mended", &|| reload(&switch))?;
    Phone::by_trunk(dir, "700", &calls(), 0.0)?.ended()?;
    switch.wait_logged("main again")?;
    std::fs::remove_file(&library)?;
    reload(&switch)?;
    alarm(&switch, "flow_mended", &|| {
        publish(&switch, "call:answer()\ncall:log('main without')\ncall:hang_up()").map(|_| ())
    })?;
    Phone::by_trunk(dir, "700", &calls(), 0.0)?.ended()?;
    switch.wait_logged("main without")?;
    switch.ensure_nothing_left()
}
