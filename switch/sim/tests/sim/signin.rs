//! An agent who has only a telephone signs in by its keys: the flow that ships, with phones, in virtual time.

use crate::stage::{AGENT_HZ, CALLER_HZ, Stage, ms, secs, setup};
use cordboard_model::config::{Library, Secret};
use cordboard_model::device::AgentDevice;
use cordboard_model::event::EventKind;
use cordboard_model::id::Name;
use cordboard_model::signin::AgentSignIn;
use cordboard_model::view::AgentStatus;
use cordboard_sim::phone::{Act, Plan};
use cordboard_sim::setup::Setup;

/// His password, of which nothing may be seen.
const PASSWORD: &str = "482913";

/// Agent 1001 serves the queue behind 2000; the flow is behind 1500. His password was set by nobody else.
fn floor() -> Setup {
    let shipped = |name: &str| {
        let path = format!("{}/../../ivr-flows/{name}.lua", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let library = Library { file: "prompts.lua".into(), source: shipped("lib/prompts") };
    setup(&["1001"])
        .signed_out("1001")
        .flow("agent-sign-in", &shipped("agent-sign-in"), None)
        .number_to_flow("1500", "agent-sign-in")
        .kit(|kit| {
            kit.libraries.insert(Name::new("prompts").unwrap(), library);
        })
        .sign_in(|sign_in| {
            sign_in.rules.change_first = false;
            let password = Some(Secret(format!("hash of {PASSWORD}")));
            let own = AgentSignIn { phone: true, password, age: None, unified: false };
            sign_in.agents.insert(Name::new("1001").unwrap(), own);
        })
}

/// The keys of number and password, and then those of the menu.
fn keys(password: &str, menu: &str) -> Plan {
    Plan::call().press(secs(2.0), "1001#").press(secs(6.0), &format!("{password}#")).press(secs(12.0), menu)
}

fn hides(s: &Stage, password: &str, shown: &str) {
    let told = format!("{:?}", s.events().collect::<Vec<_>>());
    assert!(!told.contains(password), "{told}");
    // Keys stand one by one where they are not hidden: a call that told a secret tells no keys for the next 3 s.
    let digit = |event: &EventKind| match event {
        EventKind::Digit { digit, .. } => Some(*digit),
        _ => None,
    };
    assert_eq!(s.events().filter_map(digit).collect::<String>(), shown);
}

#[test]
fn an_agent_signs_in_by_keys_is_ready_when_he_has_hung_up_and_is_reached() {
    let mut s = Stage::new(floor());
    s.carrier("caller");
    s.phone("1001", AGENT_HZ, Plan::answer(ms(500)));
    s.run(1.0);
    s.status("1001", AgentStatus::SignedOut);
    s.call("1001", "1500", keys(PASSWORD, "1"));
    s.run(18.0);
    let began = |event: &EventKind| matches!(event, EventKind::SessionBegan { phone: true, place, .. } if place == "1001");
    assert!(s.events().any(began), "{}", s.story());
    s.act("1001", Act::HangUp);
    s.run(5.0);
    s.status("1001", AgentStatus::Ready);
    s.call("caller", "2000", Plan::call());
    s.run(6.0);
    s.hears("caller", AGENT_HZ);
    s.hears("1001", CALLER_HZ);
    hides(&s, PASSWORD, "1001#1");
}

#[test]
fn the_fifth_wrong_password_by_keys_locks_over_calls() {
    let mut s = Stage::new(floor());
    s.carrier("caller");
    s.phone("1001", AGENT_HZ, Plan::answer(ms(500)));
    for _ in 0..5 {
        s.call("caller", "1500", keys("111111", ""));
        s.run(17.0);
        s.act("caller", Act::HangUp);
        s.run(40.0);
    }
    let failed = |event: &EventKind| match event {
        EventKind::SignInFailed { why, .. } => Some(why.clone()),
        _ => None,
    };
    let failed: Vec<String> = s.events().filter_map(failed).collect();
    assert_eq!(
        failed.join(" "),
        "wrong_password wrong_password wrong_password wrong_password locked",
        "{}",
        s.story()
    );
    s.status("1001", AgentStatus::SignedOut);
    assert_eq!(s.world.shard().leftovers(), [""; 0]);
    hides(&s, "111111", &"1001#".repeat(5));
}

#[test]
fn who_hangs_up_at_any_moment_of_a_sign_in_leaves_nothing_behind() {
    for tenth in 60..130 {
        let mut s = Stage::new(floor());
        s.carrier("caller");
        s.phone("1001", AGENT_HZ, Plan::answer(ms(500)));
        s.call("caller", "1500", keys(PASSWORD, "1"));
        s.run(f64::from(tenth) / 10.0);
        s.act("caller", Act::HangUp);
        s.run(40.0);
        assert_eq!(s.world.shard().leftovers(), [""; 0], "{tenth}");
    }
}

/// Where he is rung; none if that is his own account.
fn device(s: &Stage) -> Option<AgentDevice> {
    s.world.shard().agent(&s.agent("1001")).unwrap().device
}

#[test]
fn who_signs_in_from_outside_is_rung_at_his_telephone_until_he_signs_out() {
    let telephone = floor().telephone("1001", "0172").number_to_trunk("0172", "carrier", "0172");
    let mut s = Stage::new(telephone);
    s.carrier("mobile");
    s.phone("1001", AGENT_HZ, Plan::answer(ms(500)));
    s.call("mobile", "1500", keys(PASSWORD, "1"));
    s.run(18.0);
    assert_eq!(device(&s), Some(AgentDevice::Number("0172".into())), "{}", s.story());
    s.status("1001", AgentStatus::Talking);
    s.act("mobile", Act::HangUp);
    s.run(5.0);
    s.status("1001", AgentStatus::Ready);
    s.call("mobile", "1500", keys(PASSWORD, "9"));
    s.run(30.0);
    s.status("1001", AgentStatus::SignedOut);
    assert_eq!(device(&s), None, "{}", s.story());
    hides(&s, PASSWORD, "1001#11001#9");
}

#[test]
fn who_signs_in_at_another_account_is_rung_there() {
    let mut s = Stage::new(floor().user("1008"));
    s.carrier("caller");
    s.phone("1001", AGENT_HZ, Plan::answer(ms(500)));
    s.phone("1008", AGENT_HZ, Plan::answer(ms(500)));
    s.run(1.0);
    s.call("1008", "1500", keys(PASSWORD, "1"));
    s.run(18.0);
    let at = device(&s).unwrap();
    assert_eq!(at.account().unwrap().name.as_str(), "1008");
    s.act("1008", Act::HangUp);
    s.run(5.0);
    s.call("caller", "2000", Plan::call());
    s.run(6.0);
    s.hears("caller", AGENT_HZ);
    s.hears("1008", CALLER_HZ);
}
