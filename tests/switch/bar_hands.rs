//! What an agent's hands do in the bar: keys in place of the mouse, and the number that is shown where he calls out.

use crate::agent_bar::{hear_each_other, opened, opened_with};
use crate::common::{CALLER, Phone, SOON, answers_when_told, field};
use crate::desks::{THIRD, gateway};
use cordboard_tests::config::Config;
use cordboard_tests::desk::{At, Desk};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use serde_json::{Value, json};
use std::path::Path;

/// Numbers that the agent may have shown: his own, and that of his queue.
const OWN: &str = "+493055501";
const HOUSE: &str = "+493055500";

fn press(desk: &mut Desk, bar: At<'_>, keys: &str) -> Outcome {
    desk.does("press", bar, json!({ "keys": keys })).map(drop)
}

/// What has the focus: its name or what is written on it.
fn focus(desk: &mut Desk, bar: At<'_>) -> Result<Value, cordboard_tests::Fail> {
    desk.evaluate(bar, "document.activeElement.id || document.activeElement.className")
}

/// A call from its ring to its note: answered, held, muted, keys sent, lists opened and closed, ended, and ready again.
pub fn by_keys_alone(dir: &Path) -> Outcome {
    let (switch, mut desk, bar) = opened(dir)?;
    let calls = Scenario::caller(MU_LAW).invites().is_answered();
    let calls = calls.is_offered_again("recvonly").is_offered_again("sendrecv").ends();
    let mut caller = Phone::by_trunk(dir, "501", &calls, CALLER)?;
    desk.sees(bar, "Incoming call")?;
    press(&mut desk, bar, "Alt+a")?;
    desk.sees(bar, "Talking")?;
    hear_each_other(&mut caller, &mut desk, bar)?;
    press(&mut desk, bar, "Alt+h")?;
    desk.sees(bar, "On hold: the caller hears music")?;
    press(&mut desk, bar, "Alt+h")?;
    desk.loses(bar, "On hold: the caller hears music")?;
    press(&mut desk, bar, "Alt+m")?;
    desk.sees(bar, "Muted")?;
    press(&mut desk, bar, "Alt+m")?;
    desk.loses(bar, "Muted")?;
    // each opens with the focus where he goes on, and Escape closes it
    for (keys, title, at) in [
        ("Alt+c", "Consult", "target-words"),
        ("Alt+t", "Transfer to", "target-words"),
        ("Alt+n", "Add somebody", "target-words"),
        ("Alt+k", "Keys", "keypad"),
    ] {
        press(&mut desk, bar, keys)?;
        desk.does("finds", bar, json!({ "what": title }))?;
        let focused = focus(&mut desk, bar)?;
        ensure(focused == at, || format!("{title} opens with the focus at {focused}"))?;
        if keys == "Alt+k" {
            press(&mut desk, bar, "5")?;
            press(&mut desk, bar, "#")?;
            desk.sees(bar, "5#")?;
        }
        press(&mut desk, bar, "Escape")?;
        desk.does("misses", bar, json!({ "what": title }))?;
    }
    press(&mut desk, bar, "Alt+e")?;
    caller.ended()?;
    desk.sees(bar, "Wrap-up")?;
    press(&mut desk, bar, "Alt+w")?;
    press(&mut desk, bar, "Space")?;
    press(&mut desk, bar, "Tab")?;
    desk.does("write", bar, json!({ "text": "by hand" }))?;
    press(&mut desk, bar, "Tab")?;
    press(&mut desk, bar, "Enter")?;
    desk.sees(bar, "Saved")?;
    press(&mut desk, bar, "Alt+r")?;
    switch.wait_agent("1001", "ready")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "wrap_ups.0.code", "sold")?;
    field(&cdr, "wrap_ups.0.note", "by hand")?;
    desk.ensure_clean(bar)
}

/// He calls a number outside, first as who he is and then as his queue; the other side is shown what he chose.
pub fn shows_a_number(dir: &Path) -> Outcome {
    let queue = "wrap_up = \"60s\"\ncaller_pool = \"house\"";
    let pool = format!("[tenant.default.pool.house]\nnumbers = [\"{HOUSE}\"]");
    let agent = format!("[tenant.default.agent.1001]\nqueues = [\"sales\"]\ncaller_number = \"{OWN}\"");
    let trunk = "[tenant.default.trunk.out]\ngateway = \"127.0.0.3:5091\"\noptions_every = \"0s\"";
    let config = Config::new(dir)?.user("1001").more(&agent).queue(queue).more(&pool);
    let config = config.number("900", "trunk:out:4930900").more(trunk);
    let (switch, mut desk, bar) = opened_with(dir, &config)?;
    for (calls, chosen) in [(1, OWN), (2, HOUSE)] {
        let mut outside = gateway(dir, 5_091, &answers_when_told())?;
        desk.click(bar, "Call out")?;
        desk.fill(bar, "Number", "900")?;
        desk.does("select", bar, json!({ "what": "Number that is shown", "option": chosen }))?;
        desk.click(bar, "^Call$")?;
        let out = outside.sipp.wait_received("INVITE", 1)?;
        let from = out.header("From").unwrap_or_default().to_owned();
        ensure(from.contains(&format!("sip:{chosen}@")), || {
            format!("outside is shown {from}, not {chosen}")
        })?;
        outside.answers_now()?;
        outside.speaks()?;
        desk.hears(bar, THIRD, SOON)?;
        desk.click(bar, "^Hang up")?;
        outside.ended()?;
        switch.wait_cdrs(calls)?;
    }
    desk.ensure_clean(bar)
}
