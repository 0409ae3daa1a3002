//! Phones behind routers with NAT, of every kind of RFC 4787.

use crate::stage::{AGENT_HZ, CALLER_HZ, Stage, secs, setup};
use cordboard_sim::phone::{Act, PhoneCommand, PhoneConfig, Plan};
use cordboard_sim::world::{Depends, Edge};

const ALL: [Depends; 3] = [Depends::OnItself, Depends::OnAddress, Depends::OnPort];
const ONE: &str = "198.51.100.200";
const OTHER: &str = "198.51.100.201";

fn edge(public: &str, mapping: Depends, filtering: Depends, lifetime: f64) -> Edge {
    Edge { public: public.parse().unwrap(), mapping, filtering, lifetime: secs(lifetime) }
}

/// A phone behind a router, which registers as often as it says.
fn phone_behind(s: &mut Stage, name: &str, hz: u16, edge: Edge, register: f64) {
    let mut config = s.world.phone_config(name, hz);
    config.incoming = Plan::answer(secs(0.5));
    config.register = secs(register);
    s.world.behind(edge, &mut config);
    s.phone_with(name, name, hz, |place: &mut PhoneConfig| *place = config);
}

/// Ends a scenario: a phone that registers all the time is never quiet.
fn leaves_and_is_quiet(s: &mut Stage, name: &str) {
    assert!(s.world.tell(name, PhoneCommand::Unregister));
    s.quiet();
}

fn hear_each_other(s: &mut Stage, one: (&str, u16), other: (&str, u16)) {
    s.hears(one.0, other.1);
    s.hears(other.0, one.1);
}

#[test]
fn an_agent_behind_a_router_of_any_kind_is_called_held_and_heard() {
    for mapping in ALL {
        for filtering in ALL {
            let mut s = Stage::new(setup(&["2001"]));
            s.carrier("caller");
            phone_behind(&mut s, "2001", AGENT_HZ, edge(ONE, mapping, filtering, 60.0), 600.0);
            s.call("caller", "2000", Plan::call());
            s.run(3.0);
            hear_each_other(&mut s, ("caller", CALLER_HZ), ("2001", AGENT_HZ));
            s.act("2001", Act::Hold);
            s.run(2.0);
            s.hears_not("2001", CALLER_HZ);
            s.act("2001", Act::Resume);
            s.run(1.0);
            hear_each_other(&mut s, ("caller", CALLER_HZ), ("2001", AGENT_HZ));
            s.act("2001", Act::HangUp);
            s.quiet();
            assert_eq!(s.world.cdrs().len(), 1, "{mapping:?} {filtering:?}");
        }
    }
}

#[test]
fn two_behind_one_router_and_two_behind_two_talk_by_the_switch() {
    for (first, second) in [(ONE, ONE), (ONE, OTHER)] {
        let mut s = Stage::new(setup(&[]).user("2001").user("2002"));
        phone_behind(&mut s, "2001", AGENT_HZ, edge(first, Depends::OnPort, Depends::OnPort, 60.0), 600.0);
        phone_behind(&mut s, "2002", CALLER_HZ, edge(second, Depends::OnPort, Depends::OnPort, 60.0), 600.0);
        s.call("2002", "2001", Plan::call());
        s.run(3.0);
        hear_each_other(&mut s, ("2002", CALLER_HZ), ("2001", AGENT_HZ));
        s.act("2002", Act::HangUp);
        s.quiet();
    }
}

#[test]
fn who_registers_more_often_than_the_router_forgets_can_be_called_and_who_does_not_cannot() {
    for (register, can) in [(60.0, true), (600.0, false)] {
        let mut s = Stage::new(setup(&[]).user("2001"));
        s.carrier("caller");
        phone_behind(&mut s, "2001", AGENT_HZ, edge(ONE, Depends::OnItself, Depends::OnPort, 90.0), register);
        s.run(200.0);
        assert_eq!(s.world.reaches("2001"), can);
        s.call("caller", "2001", Plan::call());
        s.run(3.0);
        if can {
            hear_each_other(&mut s, ("caller", CALLER_HZ), ("2001", AGENT_HZ));
            s.act("caller", Act::HangUp);
        }
        s.run(60.0);
        leaves_and_is_quiet(&mut s, "2001");
        let causes: Vec<&str> = s.world.cdrs().iter().map(|cdr| cdr.cause.as_str()).collect();
        assert_eq!(causes, [if can { "normal" } else { "unreachable" }]);
    }
}

#[test]
fn after_a_hold_longer_than_the_router_remembers_both_hear_each_other_again() {
    for mapping in ALL {
        let mut s = Stage::new(setup(&["2001"]));
        s.carrier("caller");
        // The way for messages is kept open by registering, that for audio by nothing while it is held.
        phone_behind(&mut s, "2001", AGENT_HZ, edge(ONE, mapping, Depends::OnPort, 90.0), 60.0);
        s.call("caller", "2000", Plan::call());
        s.run(3.0);
        s.act("2001", Act::Hold);
        s.run(200.0);
        assert!(s.world.reaches("2001"));
        s.act("2001", Act::Resume);
        s.run(1.0);
        hear_each_other(&mut s, ("caller", CALLER_HZ), ("2001", AGENT_HZ));
        s.act("caller", Act::HangUp);
        leaves_and_is_quiet(&mut s, "2001");
    }
}

#[test]
fn a_router_that_is_switched_off_and_on_costs_the_audio_until_the_phone_asks_anew() {
    let mut s = Stage::new(setup(&["2001"]));
    s.carrier("caller");
    phone_behind(&mut s, "2001", AGENT_HZ, edge(ONE, Depends::OnPort, Depends::OnPort, 90.0), 60.0);
    s.call("caller", "2000", Plan::call());
    s.run(3.0);
    s.run(5.0);
    hear_each_other(&mut s, ("caller", CALLER_HZ), ("2001", AGENT_HZ));
    s.world.forget(ONE.parse().unwrap());
    s.run(2.0);
    // Its packets come from elsewhere now, and nobody may take a party's place in the middle of a call.
    s.hears_not("caller", AGENT_HZ);
    s.act("2001", Act::Hold);
    s.run(1.0);
    s.act("2001", Act::Resume);
    s.run(1.0);
    hear_each_other(&mut s, ("caller", CALLER_HZ), ("2001", AGENT_HZ));
    s.act("caller", Act::HangUp);
    leaves_and_is_quiet(&mut s, "2001");
    assert_eq!(s.world.cdrs().len(), 1);
}
