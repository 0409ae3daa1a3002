//! Parties that are not heard, or late: what is told of them, and when.

use crate::harness::{Rtp, World, params, phone};
use cordboard_media::{MediaConfig, PortKey};
use cordboard_model::media::{AudioNews, Codec, Direction, MediaCommand, MediaEvent};
use cordboard_model::time::Duration;

/// Two joined legs, of which nothing has come yet.
fn world() -> World {
    world_after(0)
}

/// The same in a switch that has run for so many seconds.
fn world_after(seconds: u64) -> World {
    let mut world = World::new(MediaConfig {
        silence_limit: Duration::ZERO,
        unheard_limit: Duration::from_secs(5),
        ..MediaConfig::default()
    });
    world.run(seconds * 1_000);
    world.open(params(0, Codec::Pcma));
    world.open(params(1, Codec::Pcma));
    world.bridge(0, 1);
    world
}

/// The legs in `who` speak for so many seconds; the packets go on from `n`.
fn speak(world: &mut World, who: &[usize], seconds: u32, n: &mut u32) {
    for _ in 0..seconds * 50 {
        for leg in who {
            world.say(*leg, &Rtp::audio(8, *leg as u32 + 1, *n, 0xd5));
        }
        *n += 1;
        world.run(20);
    }
}

/// Second, leg and news.
fn news(world: &World) -> Vec<(u64, usize, AudioNews)> {
    let told = world.events.iter().filter_map(|(at, event)| match event {
        MediaEvent::Audio { leg, news } => {
            let leg = world.legs.iter().position(|known| known == leg)?;
            Some((at.div_ceil(1_000), leg, *news))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn a_party_of_which_nothing_ever_came_is_told_of_once_and_again_when_it_is_heard() {
    let (mut world, mut n) = (world(), 1);
    speak(&mut world, &[0], 10, &mut n);
    assert_eq!(news(&world), [(7, 1, AudioNews::Nothing)]);
    speak(&mut world, &[0, 1], 2, &mut n);
    assert_eq!(news(&world)[1..], [(11, 1, AudioNews::Back)]);
    let unheard = world.stats(1).unheard_ms / 1_000;
    assert!((9..=10).contains(&unheard), "{unheard} s: ten, in looks of one");
    assert_eq!(world.stats(0).unheard_ms, 0);
}

#[test]
fn who_joins_a_switch_that_has_run_for_long_is_missed_from_then_on() {
    let (mut world, mut n) = (world_after(1_000), 1);
    speak(&mut world, &[0], 10, &mut n);
    let told = news(&world);
    assert_eq!(told, [(1_007, 1, AudioNews::Nothing)]);
    let unheard = world.stats(1).unheard_ms / 1_000;
    assert!((9..=10).contains(&unheard), "{unheard} s");
}

#[test]
fn one_way_audio_is_told_while_the_partner_is_heard_whatever_reports_come() {
    let (mut world, mut n) = (world(), 1);
    speak(&mut world, &[0, 1], 3, &mut n);
    for _ in 0..8 {
        speak(&mut world, &[0], 1, &mut n);
        let mut report = *b"\x80\xc9\0\x01\0\0\0\x02";
        world.engine.handle_rtcp(PortKey(1), phone(1), &mut report, world.now);
        world.drain();
    }
    assert_eq!(news(&world), [(10, 1, AudioNews::OneWay)]);
    speak(&mut world, &[0, 1], 1, &mut n);
    assert_eq!(news(&world).len(), 2);
    assert_eq!(news(&world)[1].2, AudioNews::Back);
}

#[test]
fn where_both_are_silent_nobody_is_told_of() {
    let (mut world, mut n) = (world(), 1);
    speak(&mut world, &[0, 1], 3, &mut n);
    world.run(60_000);
    assert_eq!(news(&world), []);
}

#[test]
fn who_is_held_or_does_not_send_by_its_description_is_not_missed() {
    let (mut world, mut n) = (world(), 1);
    speak(&mut world, &[0, 1], 1, &mut n);
    let leg = world.legs[1];
    world.command(MediaCommand::Held { leg, held: true });
    speak(&mut world, &[0], 20, &mut n);
    world.command(MediaCommand::Held { leg, held: false });
    let mut away = params(1, Codec::Pcma);
    away.direction = Direction::SendOnly;
    world.configure(1, away);
    speak(&mut world, &[0], 20, &mut n);
    assert_eq!(news(&world), []);
    world.configure(1, params(1, Codec::Pcma));
    speak(&mut world, &[0], 4, &mut n);
    assert_eq!(news(&world), [], "it counts from there");
    speak(&mut world, &[0], 3, &mut n);
    assert_eq!(news(&world).len(), 1);
}

#[test]
fn a_burst_of_late_packets_is_told_with_its_delay_and_not_every_second() {
    let (mut world, mut n) = (world(), 1);
    speak(&mut world, &[0, 1], 3, &mut n);
    for _ in 0..3 {
        // leg 0's network stands still for 300 ms
        let first = n;
        for _ in 0..15 {
            world.say(1, &Rtp::audio(8, 2, n, 0xd5));
            n += 1;
            world.run(20);
        }
        for late in first..n {
            world.say(0, &Rtp::audio(8, 1, late, 0xd5));
        }
        speak(&mut world, &[0, 1], 1, &mut n);
    }
    let [(_, 0, AudioNews::Late { packets, by_ms })] = news(&world)[..] else {
        panic!("{:?}", news(&world));
    };
    assert!((10..=15).contains(&packets) && (280..=320).contains(&by_ms), "{packets} {by_ms}");
    let stats = world.stats(0);
    assert!((30..=45).contains(&stats.delayed) && (280..=320).contains(&stats.delay_peak_ms), "{stats:?}");
    assert_eq!(world.stats(1).delayed, 0);
}

#[test]
fn a_path_that_becomes_longer_and_a_clock_that_drifts_are_not_late() {
    let (mut world, mut n) = (world(), 1);
    speak(&mut world, &[0, 1], 3, &mut n);
    // slow by one in a thousand: 20 s are 20 ms off, ten times as long is more than anybody waits
    for _ in 0..200 {
        speak(&mut world, &[0, 1], 1, &mut n);
        world.run(1);
    }
    assert_eq!((news(&world), world.stats(0).delayed), (vec![], 0));
    world.run(200);
    speak(&mut world, &[0, 1], 20, &mut n);
    let late = world.stats(0).delayed;
    assert!((200..=500).contains(&late), "{late} packets until the longer path is what is known");
}
