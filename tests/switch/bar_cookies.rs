//! The agent bar in a page of an enterprise that speaks for its agents: the session is in cookies, and goes on under others.

use crate::agent_bar::{FOREIGN, config, hear_each_other, page_of_ours};
use crate::common::{CALLER, Phone, SOON, calls};
use crate::third_party::{GOOD, PATH, enterprise};
use cordboard_tests::desk::{At, Desk, page};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::Switch;
use serde_json::json;
use std::path::Path;

/// He is signed in by the page around; that page has the session renewed; and he works on, in the call and after it.
pub fn renewed_by_the_page_around(dir: &Path) -> Outcome {
    let (port, _asked) = enterprise()?;
    let more = format!(
        "[third_party]\nlimit = \"5s\"\nallow_private = true\n\
         [tenant.default.third_party]\nurl = \"http://127.0.0.1:{port}/validate\"\nspace = \"space-1\"\n"
    );
    let switch = Switch::start(dir, &config(dir)?.more(&more))?;
    let tone = dir.join("microphone.wav");
    write_tone(&tone, crate::agent_bar::MICROPHONE, 10_000)?;
    let mut desk = Desk::start(dir, &tone)?;
    let shown = format!(r#"{{ access_token: "{GOOD}", tenantSpaceId: "space-1", userAccount: "1001" }}"#);
    let files = json!({ "port": 8097, "files": { "/": page_of_ours(&switch, &shown) } });
    desk.does("serve", page("none"), files)?;
    desk.open("crm", &format!("{FOREIGN}/"))?;
    let (crm, bar) = (page("crm"), At { page: "crm", frame: Some("ccbarclient") });
    desk.click(bar, "Open the agent bar")?;
    desk.sees(bar, "phone ready")?;
    desk.click(bar, "^Ready")?;
    switch.wait_agent("1001", "ready")?;
    renews(&switch, &mut desk, crm)?;
    // what is ordered by who knows the session before alone is refused, and said again by the bar
    desk.click(bar, "^Not ready")?;
    switch.wait_agent("1001", "not_ready")?;
    desk.click(bar, "^Ready")?;
    switch.wait_agent("1001", "ready")?;

    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    desk.sees(bar, "Incoming call")?;
    desk.click(bar, "Answer")?;
    desk.sees(bar, "Talking")?;
    hear_each_other(&mut caller, &mut desk, bar)?;
    renews(&switch, &mut desk, crm)?;
    desk.click(bar, "^Mute")?;
    desk.sees(bar, "Muted")?;
    desk.click(bar, "^Hang up")?;
    caller.ended()?;
    desk.sees(bar, "Wrap-up")?;
    desk.ensure_clean(bar)?;
    let listed = switch.api.list("/api/v1/agent-sessions")?;
    ensure(listed.len() == 1, || format!("{listed:?}"))
}

/// The page around has the session renewed, as its house's pages may; the agent is what he was.
fn renews(switch: &Switch, desk: &mut Desk, crm: At<'_>) -> Outcome {
    let before = switch.api.get("/api/v1/agents/1001/desk")?["status"].clone();
    let place = format!("http://{}{PATH}/refresh", switch.api.at);
    let asks = format!(
        "fetch('{place}', {{ method: 'POST', credentials: 'include' }}).then((answer) => answer.status)"
    );
    let status = desk.evaluate(crm, &asks)?;
    ensure(status == 200, || format!("it is answered {status}"))?;
    wait_for("the agent to be what he was", SOON, || {
        (switch.api.get("/api/v1/agents/1001/desk").ok()?["status"] == before).then_some(())
    })
}
