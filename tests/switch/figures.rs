//! Figures of real calls, through the API: as JSON, as a table, on the wall, and once more after kill -9.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::switch::{Switch, binary};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The row of a queue, or an agent, in a report of today.
fn row(switch: &Switch, by: &str, name: &str) -> Result<Value, Fail> {
    let report = switch.api.get(&format!("/api/v1/reports/{by}"))?;
    let rows = report["totals"].as_array().cloned().unwrap_or_default();
    let found = rows.into_iter().find(|row| row["name"] == name || name.is_empty());
    found.ok_or_else(|| Fail(format!("no row of {name} in {report}")))
}

/// Waits until a report says so: the database has a record a moment after the call is over.
fn wait_row(switch: &Switch, by: &str, name: &str, of: &str, wanted: u64) -> Result<Value, Fail> {
    let mut last = Value::Null;
    let seen = wait_for(&format!("{of} of {name} to be {wanted}"), SOON, || {
        last = row(switch, by, name).ok()?;
        (last[of] == wanted).then(|| last.clone())
    });
    seen.map_err(|why| Fail(format!("{why}; it is {last}")))
}

/// One caller is served, one hangs up while he waits, one waits too long.
fn three_calls(dir: &Path, switch: &Switch) -> Outcome {
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut served = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut served, &mut agent)?;
    let wall = switch.api.get("/api/v1/wall")?;
    field(&wall, "agents_by_status.talking", 1)?;
    field(&wall, "queues.0.today.answered", 1)?;
    field(&wall, "queues.0.today.handled", 0)?;
    field(&wall, "agents.0.queue.name", "sales")?;
    served.hangs_up()?;
    agent.ended()?;
    // the next caller has his ports
    drop(served);
    switch.wait_cdrs(1)?;
    switch.wait_agent("1001", "wrap_up")?;
    // which ends it
    switch.api.post("/api/v1/agents/1001/rest")?;
    let mut gone = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    switch.wait_stage("queued")?;
    let wall = switch.api.get("/api/v1/wall")?;
    field(&wall, "waiting", 1)?;
    field(&wall, "queues.0.agents.rest", 1)?;
    gone.hangs_up()?;
    drop(gone);
    switch.wait_cdrs(2)?;
    let mut late = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    late.ended()?;
    switch.wait_cdrs(3).map(drop)
}

fn raw(switch: &Switch) -> Outcome {
    let visits = switch.api.list("/api/v1/queue-visits?queue=sales")?;
    let outcomes: Vec<&Value> = visits.iter().map(|visit| &visit["outcome"]).collect();
    ensure(outcomes == ["timeout", "abandoned", "served"], || format!("{outcomes:?}"))?;
    let served = visits.last().cloned().unwrap_or_default();
    field(&served, "account.offers.0.end", "answered")?;
    field(&served, "account.offers.0.rang", true)?;
    field(&served, "account.position", 1)?;
    field(&served, "account.ended_by", "caller")?;
    field(&served, "account.trunk.name", "carrier")?;
    let talk = at(&served, "account.talk_ms").as_u64().unwrap_or_default();
    ensure(talk > 0, || format!("no talk in {served}"))?;
    let call = served["call"].as_str().unwrap_or_default();
    let legs = switch.api.list(&format!("/api/v1/legs?call={call}"))?;
    ensure(legs.len() == 2, || format!("two legs: {legs:?}"))?;
    let cdr = switch.api.get(&format!("/api/v1/cdrs/{call}"))?;
    ensure(cdr["queues"][0]["account"] == served["account"], || {
        format!("the record has another visit: {cdr}")
    })?;
    let intervals = switch.api.list("/api/v1/agent-intervals?agent=1001&limit=100")?;
    let of = |status: &str| intervals.iter().find(|interval| interval["status"] == status).cloned();
    let talking = of("talking").unwrap_or_default();
    field(&talking, "call", call)?;
    field(&talking, "work.queue.name", "sales")?;
    let joined = intervals.windows(2).all(|pair| pair[1]["to"] == pair[0]["from"]);
    ensure(joined, || format!("what an agent was has no gaps: {intervals:?}"))?;
    ensure(of("wrap_up").is_some(), || format!("no wrap-up in {intervals:?}"))
}

fn tables(dir: &Path, switch: &Switch) -> Outcome {
    let answer = switch.api.send("GET", "/api/v1/reports/queues?interval=15m&format=csv", "")?;
    let text = String::from_utf8(answer.body)?;
    let lines: Vec<Vec<&str>> = text.split_terminator("\r\n").map(|line| line.split(',').collect()).collect();
    let names = lines.first().cloned().unwrap_or_default();
    let column = |name: &str| names.iter().position(|known| *known == name);
    let sum = |name: &str| -> u64 {
        let at = column(name).unwrap_or(usize::MAX);
        lines.iter().skip(1).filter_map(|line| line.get(at)?.parse::<u64>().ok()).sum()
    };
    let told = (sum("offered"), sum("answered"), sum("abandoned"), sum("timed_out"), sum("handled"));
    ensure(told == (3, 1, 1, 1, 1), || format!("{told:?} in\n{text}"))?;
    // The command says the same.
    let output = Command::new(binary()?)
        .args([
            "report",
            "queues",
            "--interval",
            "15m",
            "--http",
            switch.api.at.as_str(),
            "-c",
            "cordboard.toml",
        ])
        .env("CORDBOARD_API_KEY", &switch.api.key)
        .current_dir(dir)
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    // Both end now, and now is another moment.
    let to = column("to").unwrap_or(usize::MAX);
    let timeless = |text: &str| -> Vec<String> {
        let cells = text.lines().flat_map(|line| line.split(',').enumerate());
        cells.filter(|(n, _)| *n != to).map(|(_, cell)| cell.to_owned()).collect()
    };
    ensure(output.status.success() && timeless(&said) == timeless(&text), || {
        format!("the command says {said:?}, and not {text:?}")
    })
}

pub fn of_three_calls(dir: &Path) -> Outcome {
    let config = Config::new(dir)?
        .agent("1001")
        .queue("wrap_up = \"1s\"\nmax_wait = \"3s\"\nring = \"4s\"\nshort_abandon = \"0s\"")
        .trunk();
    let mut switch = Switch::start(dir, &config)?;
    three_calls(dir, &switch)?;
    let queue = wait_row(&switch, "queues", "sales", "offered", 3)?;
    for (name, wanted) in [("answered", 1), ("abandoned", 1), ("timed_out", 1), ("handled", 1), ("offers", 1)]
    {
        field(&queue, name, wanted)?;
    }
    field(&queue, "service_level", 0.3333)?;
    field(&queue, "service_level_of_answered", 1.0)?;
    field(&wait_row(&switch, "agents", "1001", "handled", 1)?, "offers_answered", 1)?;
    field(&wait_row(&switch, "trunks", "carrier", "legs_in", 3)?, "legs_in_answered", 3)?;
    field(&wait_row(&switch, "tenant", "", "calls", 3)?, "calls_answered", 3)?;
    raw(&switch)?;
    tables(dir, &switch)?;
    let wall = switch.api.get("/api/v1/wall")?;
    let same = |wall: &Value| {
        ["offered", "answered", "abandoned", "handled", "talk_ms", "wrap_up_ms", "service_level", "asa_ms"]
            .into_iter()
            .find(|name| wall["queues"][0]["today"][name] != queue[name])
            .map_or(Ok(()), |name| Err(Fail(format!("{name} on the wall: {wall}, in the report: {queue}"))))
    };
    same(&wall)?;
    // Killed while an agent is at rest: his rest is cut, and says so; the figures of today are back, and none is doubled.
    switch.kill();
    let switch = Switch::restart(dir)?;
    switch.wait_agent("1001", "rest")?;
    let wall = wait_for("today's figures", SOON, || {
        switch.api.get("/api/v1/wall").ok().filter(|wall| wall["complete"] == true)
    })?;
    same(&wall)?;
    let again = wait_row(&switch, "queues", "sales", "offered", 3)?;
    for name in ["answered", "abandoned", "timed_out", "handled", "talk_ms", "wrap_up_ms"] {
        field(&again, name, queue[name].clone())?;
    }
    let intervals = switch.api.list("/api/v1/agent-intervals?agent=1001&limit=100")?;
    let cut: Vec<&Value> = intervals.iter().filter(|interval| interval["end"] == "cut").collect();
    ensure(cut.len() == 1 && cut[0]["status"] == "rest", || format!("one rest is cut: {intervals:?}"))
}
