//! Flows that attack the switch: each costs its own call, and its budget is named.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use crate::torture::{Tester, works};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use std::path::Path;

/// Calls that talk meanwhile.
const BYSTANDERS: usize = 20;

/// What a flow does once it has answered, and the word of the budget that ends it.
struct Attack {
    name: String,
    text: String,
    budget: String,
}

fn attacks() -> Result<Vec<Attack>, Fail> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
    let mut attacks = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&path)?;
        let budget = text.lines().next().and_then(|line| line.strip_prefix("-- ends by: "));
        let budget = budget.ok_or_else(|| Fail(format!("{name} does not say how it ends")))?.to_owned();
        attacks.push(Attack { name, text, budget });
    }
    Ok(attacks)
}

pub fn flows(dir: &Path) -> Outcome {
    let attacks = attacks()?;
    ensure(attacks.len() >= 20, || format!("{} attacks", attacks.len()))?;
    let mut config =
        Config::new(dir)?.queue("wrap_up = \"0s\"").trunk().user("1099").number("502", "user:1099");
    let agents: Vec<String> = (1..=BYSTANDERS).map(|n| format!("10{n:02}")).collect();
    for agent in &agents {
        config = config.agent(agent);
    }
    for (n, attack) in attacks.iter().enumerate() {
        let to = format!("flow:{}", attack.name);
        config = config.flow(&attack.name, &attack.text)?.number(&format!("9{n:02}"), &to);
    }
    let config = config.more("[limits.flow]\nwall = \"3s\"\n");
    let switch = Switch::start(dir, &config)?;
    let rings = Scenario::called(MU_LAW).rings_and_answers().ends();
    let mut phones = Phone::many_registered(dir, &agents, 5071, &rings, AGENT)?;
    let mut callers = Phone::crowd(dir, 5091, "501", &calls(), BYSTANDERS as u32, CALLER)?;
    // One more whose tones are told apart; of the others' audio the packets are counted.
    let mut listener = Phone::registered(dir, "1099", 5072, &answers_when_told(), AGENT)?;
    let mut speaker = Phone::crowd(dir, 5092, "502", &calls(), 1, CALLER)?;
    listener.answers_now()?;
    switch.wait_calls("bridged", BYSTANDERS + 1)?;
    hear_each_other(&mut speaker, &mut listener)?;
    callers.all_speak();
    phones.all_speak();
    let mut events = switch.api.events(None)?;
    let tester = Tester::new()?;
    for (n, Attack { name, budget, .. }) in attacks.iter().enumerate() {
        let mut caller = Phone::by_trunk(dir, &format!("9{n:02}"), &calls(), 0.0)?;
        let failed = events.until(name, |event| event["type"] == "flow_failed")?;
        let error = failed.last().map(|event| event["error"].to_string()).unwrap_or_default();
        let named = [" budget ", budget, name].iter().all(|word| error.contains(word));
        ensure(named, || format!("{name} did not end by its budget of {budget}: {error}"))?;
        tester.probe(n)?;
        caller.ended()?;
    }
    let cdrs = switch.wait_cdrs(attacks.len())?;
    cdrs.iter().try_for_each(|cdr| field(cdr, "cause", "flow_failed"))?;
    switch.wait_calls("bridged", BYSTANDERS + 1)?;
    hear_each_other(&mut speaker, &mut listener)?;
    let heard = callers.voice.packets() + phones.voice.packets();
    let more = heard + 100 * BYSTANDERS as u64;
    wait_for("the others to be heard", SOON, || {
        (callers.voice.packets() + phones.voice.packets() > more).then_some(())
    })?;
    speaker.hangs_up()?;
    listener.ended()?;
    callers.sipp.all_go_on()?;
    callers.ended()?;
    phones.ended()?;
    drop((callers, phones));
    works(dir, &switch)
}
