//! The watch for a peer that is gone.

use crate::harness::{Rtp, World, params, phone};
use cordboard_media::{MediaConfig, PortKey};
use cordboard_model::media::{Codec, Direction, MediaCommand, MediaEvent};
use cordboard_model::time::Duration;

fn world() -> World {
    World::new(MediaConfig { silence_limit: Duration::from_secs(5), ..MediaConfig::default() })
}

fn silences(world: &World) -> Vec<u64> {
    let silent = |(_, event): &&(u64, MediaEvent)| matches!(event, MediaEvent::Silent { .. });
    world.events.iter().filter(silent).map(|(at, _)| *at).collect()
}

#[test]
fn silence_is_told_once_and_again_after_a_sign_of_life() {
    let mut world = world();
    world.open(params(0, Codec::Pcma));
    world.run_to(30_000);
    assert_eq!(silences(&world), [6_000]);
    world.say(0, &Rtp::audio(8, 1, 1, 0));
    world.run_to(34_000);
    world.say(0, &Rtp::audio(8, 1, 2, 0));
    world.run_to(60_000);
    let [_, again] = silences(&world)[..] else {
        panic!("{:?}", silences(&world));
    };
    assert!((39_000..=39_020).contains(&again), "{again}");
}

#[test]
fn it_counts_from_configure_and_not_before() {
    let mut world = world();
    let leg = world.open_bare();
    world.run_to(20_000);
    assert_eq!(silences(&world), [0_u64; 0]);
    world.configure(leg, params(0, Codec::Pcma));
    world.run_to(60_000);
    assert_eq!(silences(&world), [25_000]);
}

#[test]
fn rtcp_alone_is_life_and_strangers_are_not() {
    let mut world = world();
    world.open(params(0, Codec::Pcma));
    for second in 2..20 {
        world.run_to(second * 1_000);
        let mut rtcp = phone(0);
        rtcp.set_port(4_001);
        world.engine.handle_rtcp(PortKey(0), rtcp, &mut b"\x80\xc9\0\x01\0\0\0\x05".to_owned(), world.now);
    }
    assert_eq!(silences(&world), [0_u64; 0]);
    for second in 20..40 {
        world.run_to(second * 1_000);
        world.engine.handle_rtcp(
            PortKey(0),
            phone(7),
            &mut b"\x80\xc9\0\x01\0\0\0\x05".to_owned(),
            world.now,
        );
        world.give(0, phone(7), &Rtp::audio(8, 1, second as u32 * 50, 0).bytes());
    }
    let [at] = silences(&world)[..] else {
        panic!("{:?}", silences(&world));
    };
    assert!((24_000..=24_020).contains(&at), "{at}");
}

#[test]
fn a_held_leg_may_be_silent_and_counts_anew_afterwards() {
    let mut world = world();
    world.open(params(0, Codec::Pcma));
    let leg = world.legs[0];
    world.run_to(4_000);
    world.command(MediaCommand::Held { leg, held: true });
    world.run_to(100_000);
    assert_eq!(silences(&world), [0_u64; 0]);
    world.command(MediaCommand::Held { leg, held: false });
    world.run_to(200_000);
    let [at] = silences(&world)[..] else {
        panic!("{:?}", silences(&world));
    };
    assert!((105_000..=105_020).contains(&at), "{at}");
}

#[test]
fn a_leg_that_does_not_receive_may_be_silent() {
    let mut world = world();
    let mut away = params(0, Codec::Pcma);
    away.direction = Direction::SendOnly;
    world.open(away);
    world.run_to(100_000);
    assert_eq!(silences(&world), [0_u64; 0]);
    world.configure(0, params(0, Codec::Pcma));
    world.run_to(200_000);
    let [at] = silences(&world)[..] else {
        panic!("{:?}", silences(&world));
    };
    assert!((105_000..=105_020).contains(&at), "{at}");
}

#[test]
fn a_limit_of_zero_is_no_limit() {
    let mut world = World::new(MediaConfig {
        silence_limit: Duration::ZERO,
        unheard_limit: Duration::ZERO,
        rtcp_interval: Duration::ZERO,
        ..MediaConfig::default()
    });
    world.open(params(0, Codec::Pcma));
    world.run_to(1_000_000);
    assert_eq!(silences(&world), [0_u64; 0]);
    assert!(world.rtcp.is_empty());
    assert_eq!(world.engine.poll_timeout(), None, "and nothing wakes the thread");
}
