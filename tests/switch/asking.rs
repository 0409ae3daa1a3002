//! What flows ask beside their call, at the running switch: a server by HTTP, a table, a library, a calendar, the time.

use crate::common::{CALLER, Phone, SOON, calls};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::switch::Switch;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 34\r\n\r\n\
    {\"caller\":{\"name\":\"Ada\",\"age\":36}}";

fn answer(mut stream: TcpStream) -> Result<String, Fail> {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut part = [0; 2_048];
        let n = stream.read(&mut part)?;
        ensure(n > 0, || "the question ends early".into())?;
        request.extend_from_slice(&part[..n]);
    }
    stream.write_all(ANSWER.as_bytes())?;
    Ok(String::from_utf8_lossy(&request).into_owned())
}

/// A flow asks everything there is, and is told.
pub fn everything(dir: &Path) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:8099")?;
    let (seen, questions) = mpsc::channel();
    std::thread::spawn(move || {
        let first = listener.accept().map_err(Fail::from).and_then(|(stream, _)| answer(stream));
        let _ = seen.send(first);
    });
    let flow = "local words = require('words')
        call:ring() call:wait(0.3) call:answer()
        local answer, why = call:http{url = 'http://127.0.0.1:8099/callers', json = {number = call.to}, music = 'menu'}
        call:log('server', answer and answer.json.caller.name, answer and answer.json.caller.age, why)
        local how, key = call:first{key = true, seconds = 60, music = 'music'} call:log('first', how, key)
        call:log('second', (call:first{seconds = 0.2, music = 'menu'}))
        call:log('elsewhere', select(2, call:http{url = 'http://127.0.0.1:8098/'}))
        call:log('table', call:lookup('vip', call.to).name)
        call:log('library', words.hello('Ada')) call:log('office', (call:calendar('office')))
        call:log('sub', call:run('sub', 20)) call:log('year', call:now().year > 2024)
        call:play('menu')";
    std::fs::create_dir_all(dir.join("lib"))?;
    std::fs::create_dir_all(dir.join("tables"))?;
    std::fs::write(dir.join("lib/words.lua"), "return {hello = function(name) return 'hello ' .. name end}")?;
    std::fs::write(dir.join("tables/vip.csv"), "number,name\n600,\"Lovelace, Ada\"\n")?;
    let config = Config::new(dir)?.trunk().number("600", "flow:talk").flow("talk", flow)?;
    let config = config.flow("sub", "return ... + 1")?;
    let config = config.tenant("libraries = \"lib\"\ntables = \"tables\"");
    let config = config.tenant("http_allowed = [\"http://127.0.0.1:8099/\"]");
    let config = config.more("[fetch]\nallow_private = true");
    let config = config.more(
        "[tenant.default.calendar.office]\nweekdays = [\"00:00-24:00\"]\n\
        saturday = [\"00:00-24:00\"]\nsunday = [\"00:00-24:00\"]",
    );
    let switch = Switch::start(dir, &config)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    caller.voice.hears("the caller, who waits for the first of several things,", MUSIC, SOON)?;
    caller.voice.press('7');
    caller.sipp.wait_success(SOON)?;
    let question = questions.recv_timeout(SOON).map_err(|_| Fail("no question came".into()))??;
    let asked =
        question.starts_with("POST /callers HTTP/1.1\r\n") && question.ends_with("{\"number\":\"600\"}");
    ensure(asked, || question)?;
    for line in [
        "server Ada 36 nil",
        "first key 7",
        "second time",
        "elsewhere forbidden",
        "table Lovelace, Ada",
        "library hello Ada",
        "office open",
        "sub 21",
        "year true",
    ] {
        switch.wait_logged(line)?;
    }
    switch.ensure_nothing_left()
}

/// The API puts and removes rows that a flow finds at once, and finds again after a restart, as it does what it counted.
pub fn rows_and_counts(dir: &Path) -> Outcome {
    let flow = "call:answer() call:log('count', call:count('x', {most = 2}))
        for _, key in ipairs{'1', '2', '3'} do
          local row, why = call:lookup('vip', key) call:log('row', key, row and row.name or why, row and row.number)
        end
        call:log('own', (call:lookup('own', 'a b') or {}).age)
        call:play{silence = 0.1}";
    std::fs::create_dir_all(dir.join("tables"))?;
    std::fs::write(dir.join("tables/vip.csv"), "number,name\n1,Ada\n2,Bob\n")?;
    // A table that a flow names outright has its columns in a file, if only these.
    std::fs::write(dir.join("tables/own.csv"), "key,age\n")?;
    let config = Config::new(dir)?.trunk().number("600", "flow:talk").flow("talk", flow)?;
    let mut switch = Switch::start(dir, &config.tenant("tables = \"tables\""))?;
    let mut events = switch.api.events(None)?;
    switch.api.put("/api/v1/tables/vip/1", r#"{"name": "Eve"}"#)?;
    switch.api.put("/api/v1/tables/vip/3", r#"{"name": "Max"}"#)?;
    switch.api.put("/api/v1/tables/own/a%20b", r#"{"age": 36}"#)?;
    let gone = switch.api.send("DELETE", "/api/v1/tables/vip/2", "")?;
    ensure(gone.status == 200, || format!("{gone:?}"))?;
    let none = switch.api.send("DELETE", "/api/v1/tables/vip/2", "")?;
    ensure(none.status == 404, || format!("{none:?}"))?;
    let row = switch.api.get("/api/v1/tables/vip/3")?;
    ensure(row["name"] == "Max" && row["number"] == "3", || row.to_string())?;
    let told = events.until("a row that was removed", |event| {
        event["type"] == "table_changed" && event["removed"] == true
    })?;
    let last = told.last().cloned().unwrap_or_default();
    ensure(last["by"].as_str().is_some_and(|by| by.starts_with("key ")), || last.to_string())?;
    drop(events);
    for count in ["count 1", "count 2", "count nil limit"] {
        let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
        caller.ended()?;
        drop(caller);
        for line in [count, "row 1 Eve 1", "row 2 not_found nil", "row 3 Max 3", "own 36"] {
            switch.wait_logged(line)?;
        }
        switch.ensure_nothing_left()?;
        switch.kill();
        drop(switch);
        switch = Switch::restart(dir)?;
    }
    switch.ensure_nothing_left()
}
