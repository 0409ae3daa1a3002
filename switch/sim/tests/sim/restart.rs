//! The switch is killed in the middle of calls and started again, and a vandal tries to bring it down.

use crate::stage::{AGENT_HZ, CALLER_HZ, Stage, secs, setup};
use cordboard_model::view::AgentStatus;
use cordboard_sim::phone::{Act, End, Plan};
use cordboard_sim::setup::MUSIC_HZ;
use cordboard_sim::world::{Wish, WorldConfig};

#[test]
fn both_ends_of_every_call_get_a_bye_and_agents_are_as_they_were() {
    let floor = || setup(&["2001", "2002", "2003"]);
    let mut s = Stage::new(floor());
    s.carrier("caller");
    for agent in ["2001", "2002", "2003"] {
        s.phone(agent, AGENT_HZ, Plan::answer(secs(1.0)));
    }
    let (resting, away) = (s.agent("2002"), s.agent("2003"));
    s.world.wish(&resting, Wish::Rest);
    s.world.wish(&away, Wish::SignOut);
    for _ in 0..3 {
        s.call("caller", "2000", Plan::call());
        s.run(0.1);
    }
    s.run(2.0);
    s.hears("caller", MUSIC_HZ);
    s.hears("2001", CALLER_HZ);
    s.world.take_ladder();
    let up = s.world.restart(floor().snapshot().unwrap());
    assert_eq!(up.len(), 4, "three callers and an agent");
    s.run(0.5);
    for (name, calls) in [("caller", 3), ("2001", 1)] {
        let log = s.world.phone(name).unwrap().log();
        let ends: Vec<Option<End>> = log.iter().map(|log| log.ended.map(|(_, end)| end)).collect();
        assert_eq!(ends, vec![Some(End::There); calls], "{name}");
    }
    s.status("2001", AgentStatus::Ready);
    s.status("2002", AgentStatus::Rest);
    s.status("2003", AgentStatus::SignedOut);
    assert_eq!(s.world.lost().len(), 3);
    // Nobody registered again, and the next call reaches the agent.
    s.call("caller", "2000", Plan::call());
    s.run(3.0);
    s.hears("caller", AGENT_HZ);
    s.act("caller", Act::HangUp);
    s.quiet();
    assert_eq!(s.world.cdrs().len(), 1);
}

#[test]
fn damaged_copies_of_every_message_bring_nothing_down() {
    let mut config = WorldConfig::new(4);
    config.vandal_in_1000 = 1_000;
    // Heard to the end: the guard would hear him no more.
    let heard = setup(&["2001"]).user("3001").limits(|limits| limits.guard.enabled = false);
    let mut s = Stage::with(config, heard);
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)));
    for n in 0..60 {
        s.call("caller", ["2000", "1000", "3001"][n % 3], Plan::call().hang_up_after(secs(2.0)));
        s.run(1.5);
    }
    s.run(100.0);
    for call in s.world.phone("caller").unwrap().calls() {
        let hang_up = cordboard_sim::phone::PhoneCommand::Do { call: Some(call), act: Act::HangUp };
        s.world.tell("caller", hang_up);
    }
    assert!(s.world.run_until_quiet(secs(300.0)), "{:?}", s.world.leftovers());
    assert_eq!(s.world.opened().len(), s.world.cdrs().len());
    assert_eq!(s.world.alarms(), [""; 0]);
}
