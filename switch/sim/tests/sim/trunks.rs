//! A carrier with two gateways: registered with, lost, found again, called by the one that lives.

use crate::stage::{AGENT_HZ, CALLER_HZ, OTHER_HZ, Stage, secs};
use cordboard_model::config::{Gateway, Secret, Trunk, TrunkAccount};
use cordboard_model::event::EventKind;
use cordboard_sim::phone::{Act, PhoneEvent, Plan, Registrar};
use cordboard_sim::setup::Setup;

const FIRST: &str = "198.51.100.1:5060";
const SECOND: &str = "198.51.100.2:5060";

/// An extension that calls 900 by the trunk `out`, whose gateways are the first two phones.
fn stage(change: impl FnOnce(&mut Trunk)) -> Stage {
    let setup = Setup::new().user("3001").trunk("out", FIRST.parse().unwrap());
    let setup = setup.number_to_trunk("900", "out", "4930900").change_trunk("out", |trunk| {
        trunk.peers.clear();
        trunk.gateways.push(Gateway { priority: 1, ..Gateway::at(SECOND.parse().unwrap()) });
        change(trunk);
    });
    let mut s = Stage::new(setup);
    for (name, hz) in [("first", AGENT_HZ), ("second", OTHER_HZ)] {
        s.carrier_with(name, |config| {
            config.tone_hz = hz;
            config.incoming = Plan::answer(secs(1.0));
            config.registrar = Some(Registrar { password: "secret".into(), grants: 60 });
        });
    }
    s
}

/// What was told of the trunk since the last time, each as `gateway state`.
fn told(s: &Stage, seen: &mut usize) -> Vec<String> {
    let told = s.events().filter_map(|event| match event {
        EventKind::TrunkChanged { gateway, state, .. } => {
            let gateway = gateway.as_ref().map(|at| match at.as_str() {
                "udp:198.51.100.1:5060" => "first",
                _ => "second",
            });
            let state =
                state.replace("udp:198.51.100.2:5060", "second").replace("udp:198.51.100.1:5060", "first");
            Some(format!("{} {state}", gateway.unwrap_or("trunk")))
        }
        _ => None,
    });
    let all: Vec<String> = told.collect();
    let new = all[*seen..].to_vec();
    *seen = all.len();
    new
}

fn count(s: &Stage, name: &str, what: &PhoneEvent) -> usize {
    s.world.phone_events(name).iter().filter(|(_, event)| event == what).count()
}

fn registrations(s: &Stage, name: &str) -> usize {
    count(s, name, &PhoneEvent::TookRegistration)
}

#[test]
fn a_trunk_stays_registered_and_goes_to_the_second_gateway_when_the_first_is_silent() {
    let mut s = stage(|trunk| {
        trunk.account = Some(TrunkAccount {
            username: "4930".into(),
            password: Secret("secret".into()),
            domain: "carrier.test".into(),
            register: Some(secs(3_600.0)),
        });
    });
    let mut seen = 0;
    s.run(2.0);
    assert_eq!((told(&s, &mut seen), registrations(&s, "first")), (vec!["trunk registered".to_owned()], 1));
    // The carrier grants a minute and not the hour: four are five or six REGISTERs, and no further event.
    s.run(240.0);
    assert!((5..=7).contains(&registrations(&s, "first")), "{}", registrations(&s, "first"));
    assert_eq!(told(&s, &mut seen), [""; 0]);
    // A call from the carrier's gateway is the trunk's: it needs no password.
    s.phone("3001", CALLER_HZ, Plan::answer(secs(1.0)));
    s.call("first", "3001", Plan::call());
    s.run(3.0);
    s.hears("first", CALLER_HZ);
    s.act("first", Act::HangUp);
    // The first gateway is gone: the next REGISTER is unanswered for 32 s, then the second is asked.
    s.world.cut_at(s.at(0.0), "first", true);
    s.run(60.0 + 32.0);
    assert_eq!(told(&s, &mut seen), ["trunk not registered: 408"]);
    s.run(31.0);
    assert_eq!((told(&s, &mut seen), registrations(&s, "second")), (vec!["trunk registered".to_owned()], 1));
}

#[test]
fn a_wrong_password_is_told_and_not_tried_for_ever() {
    let mut s = stage(|trunk| {
        trunk.account = Some(TrunkAccount {
            username: "4930".into(),
            password: Secret("wrong".into()),
            domain: "carrier.test".into(),
            register: Some(secs(3_600.0)),
        });
    });
    let mut seen = 0;
    s.run(3_600.0);
    assert_eq!(told(&s, &mut seen), ["trunk not registered: 401"]);
    // Half a minute, a minute, two, and so on up to half an hour, by either gateway.
    let refused = ["first", "second"].map(|name| count(&s, name, &PhoneEvent::RefusedRegistration));
    assert!(refused[0] > 1 && refused[1] > 1 && refused[0] + refused[1] < 16, "{refused:?} in an hour");
}

#[test]
fn calls_go_by_the_gateway_that_lives_and_its_going_and_coming_is_told() {
    let mut s = stage(|trunk| trunk.health.every = Some(secs(10.0)));
    s.phone("3001", CALLER_HZ, Plan::ring_on());
    let mut seen = 0;
    s.run(20.0);
    assert_eq!(told(&s, &mut seen), ["first up", "second up"]);
    s.call("3001", "900", Plan::call());
    s.run(3.0);
    s.hears("3001", AGENT_HZ);
    s.act("3001", Act::HangUp);
    s.run(1.0);
    // Dead, and nobody knows it yet: the call waits four seconds, then goes on.
    s.world.cut_at(s.at(0.0), "first", true);
    s.call("3001", "900", Plan::call());
    s.run(6.5);
    s.hears("3001", OTHER_HZ);
    s.act("3001", Act::HangUp);
    assert_eq!(told(&s, &mut seen), ["first failed over to second"]);
    // Three failures in a row make it down, and then nobody waits for it.
    s.run(120.0);
    assert_eq!(told(&s, &mut seen), ["first down"]);
    s.call("3001", "900", Plan::call());
    s.run(2.5);
    s.hears("3001", OTHER_HZ);
    s.act("3001", Act::HangUp);
    assert_eq!(told(&s, &mut seen), [""; 0]);
    // Back: two answers, and calls go by it again.
    s.world.cut_at(s.at(0.0), "first", false);
    s.run(45.0);
    assert_eq!(told(&s, &mut seen), ["first up"]);
    s.call("3001", "900", Plan::call());
    s.run(3.0);
    s.hears("3001", AGENT_HZ);
    s.act("3001", Act::HangUp);
    // Both gone: a call is refused at once.
    for name in ["first", "second"] {
        s.world.cut_at(s.at(2.0), name, true);
    }
    s.run(150.0);
    let mut down = told(&s, &mut seen);
    down.sort();
    assert_eq!(down, ["first down", "second down"]);
    s.call("3001", "900", Plan::call());
    s.run(0.5);
    let records: Vec<String> = s.world.cdrs().iter().map(|cdr| cdr.cause.as_str().to_owned()).collect();
    assert_eq!(records, ["normal", "normal", "normal", "normal", "unreachable"]);
}
