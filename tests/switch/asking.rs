//! What flows ask beside their call, at the running switch: a server by HTTP, a table, a library, a calendar, the time.

use crate::common::{CALLER, Phone, SOON, calls};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
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
        local answer, why = call:http{url = 'http://127.0.0.1:8099/callers', json = {number = call.to}}
        call:log('server', answer and answer.json.caller.name, answer and answer.json.caller.age, why)
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
    caller.sipp.wait_success(SOON)?;
    let question = questions.recv_timeout(SOON).map_err(|_| Fail("no question came".into()))??;
    let asked =
        question.starts_with("POST /callers HTTP/1.1\r\n") && question.ends_with("{\"number\":\"600\"}");
    ensure(asked, || question)?;
    for line in [
        "server Ada 36 nil",
        "elsewhere forbidden",
        "table Lovelace, Ada",
        "library hello Ada",
        "office open",
        "sub 21",
        "year true",
    ] {
        ensure(switch.log().contains(line), || format!("no {line:?} in {}", switch.log()))?;
    }
    switch.ensure_nothing_left()
}
