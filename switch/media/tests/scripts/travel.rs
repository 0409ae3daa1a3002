//! A leg leaves one engine and goes on in another.

use crate::harness::{Rtp, World, params, phone};
use cordboard_media::PortKey;
use cordboard_model::id::IdMaker;
use cordboard_model::media::{Codec, MediaCommand, PlayItem, Repeat, Tone};

/// Two legs that are joined, and another engine whose first leg waits for one of them.
fn two_engines() -> (World, World) {
    let mut there = World::new(Default::default());
    there.ids = IdMaker::new(2, 0);
    there.open(params(0, Codec::Pcma));
    (World::bridged(Codec::Pcma, Codec::Pcma), there)
}

/// Takes leg `n` of one to the other; its number there.
fn travel(here: &mut World, there: &mut World, n: usize, force: bool) -> Option<usize> {
    there.now = there.now.max(here.now);
    let (port, traveller) = here.engine.release(here.legs[n], force, here.now)?;
    assert_eq!(port, PortKey(n as u32));
    assert_eq!(traveller.leg(), here.legs[n]);
    let place = there.legs.len();
    there.legs.push(here.legs[n]);
    there.engine.take_in(traveller, PortKey(place as u32), there.now);
    here.drain();
    there.drain();
    Some(place)
}

#[test]
fn a_party_hears_one_stream_though_its_leg_went_to_another_engine() {
    let (mut here, mut there) = two_engines();
    for n in 0..10 {
        here.say(1, &Rtp::audio(8, 77, n, 0x55));
        here.run(20);
    }
    let before = here.sent_by(0).last().map(|sent| (sent.ssrc(), sent.sequence(), sent.timestamp())).unwrap();
    let counted = here.stats(0);
    let place = travel(&mut here, &mut there, 0, false).unwrap();
    assert_eq!(here.engine.legs(), 1, "the other stays");
    assert!(
        here.closed_ports.is_empty() && here.events.iter().all(|(_, e)| !format!("{e:?}").contains("Closed"))
    );
    assert_eq!(there.stats(place), counted);
    assert!(here.say(1, &Rtp::audio(8, 77, 10, 0x55)).is_none(), "who stays has no partner");
    there.run_to(here.now.as_millis() + 20);
    there.bridge(0, place);
    let first = there.say(0, &Rtp::audio(8, 5, 900, 0x66)).unwrap();
    assert_eq!((first.to, first.leg), (phone(0), place));
    assert_eq!(first.ssrc(), before.0);
    assert_eq!(first.sequence(), before.1.wrapping_add(1));
    let elapsed = first.timestamp().wrapping_sub(before.2);
    assert!((160..=480).contains(&elapsed), "the gap is the time that passed: {elapsed}");
    // And it is heard there: its packets come with its ports.
    assert!(there.give(place, phone(0), &Rtp::audio(8, 3, 1, 0x11).bytes()).is_some());
}

#[test]
fn a_playback_goes_on_in_the_other_engine_and_ends_there() {
    let (mut here, mut there) = two_engines();
    let playback = here.play(0, vec![PlayItem::Tone(Tone::Hertz(440), 400)], Repeat::Once);
    here.run(200);
    let place = travel(&mut here, &mut there, 0, false).unwrap();
    there.run(400);
    let of = |world: &World, leg| world.sent_by(leg).iter().map(|s| s.sequence()).collect::<Vec<_>>();
    let all: Vec<u16> = of(&here, 0).into_iter().chain(of(&there, place)).collect();
    assert_eq!(all.len(), 20);
    assert!(all.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{all:?}");
    assert!(here.play_done().is_empty());
    assert_eq!(
        there.play_done().iter().map(|(_, p, whole)| (*p, *whole)).collect::<Vec<_>>(),
        [(playback, true)]
    );
}

#[test]
fn a_program_goes_with_its_leg_and_its_words_and_marks_keep_their_places() {
    let (mut here, mut there) = two_engines();
    let (leg, stream) = (here.legs[0], here.ids.stream(cordboard_model::id::TenantId::DEFAULT));
    here.command(MediaCommand::Live { leg, stream });
    assert_eq!(here.engine.feed_live(leg, stream, 0, &[0x10; 1_600]), 1_600);
    here.run(100);
    let taken: Vec<_> = core::iter::from_fn(|| here.engine.poll_live()).collect();
    assert_eq!(taken.len(), 5);
    let place = travel(&mut here, &mut there, 0, false).unwrap();
    here.run(100);
    assert!(here.engine.poll_live().is_none(), "nothing of it is heard where it was");
    assert_eq!(here.engine.feed_live(leg, stream, 1_600, &[0x20; 160]), 0);
    there.run(40);
    let piece = there.engine.poll_live().expect("it goes on there");
    assert_eq!(piece.talker, Some(stream));
    assert_eq!(piece.taken, 1_600, "what came too late for the old engine is missing and told");
    assert!((800..1_600).contains(&piece.played), "{}", piece.played);
    assert_eq!(there.engine.feed_live(leg, stream, piece.taken, &[0x20; 160]), 160);
    there.run(200);
    let last = core::iter::from_fn(|| there.engine.poll_live()).last().expect("on it goes");
    assert_eq!(last.played, 1_760);
    let sent: Vec<_> = here.sent_by(0).into_iter().chain(there.sent_by(place)).collect();
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        assert_eq!((pair[1].ssrc(), pair[1].at_ms - pair[0].at_ms), (pair[0].ssrc(), 20));
    }
    let words = sent.iter().filter(|packet| packet.payload().iter().any(|code| *code != 0xd5)).count();
    assert_eq!(words, 11, "ten packets of before and one of after");
}

#[test]
fn a_recorded_leg_stays_unless_it_must_go_and_then_the_recording_goes_on_without_it() {
    let (mut here, mut there) = two_engines();
    let recording = here.record(0, 1);
    assert_eq!(travel(&mut here, &mut there, 0, false), None);
    let place = travel(&mut here, &mut there, 0, true).unwrap();
    for n in 0..50 {
        here.say(1, &Rtp::audio(8, 77, n, 0x55));
        here.run(20);
    }
    here.command(MediaCommand::StopRecord { recording });
    here.run(1_000);
    assert!(here.recorded[&recording].len() >= 8_000, "the other channel is recorded");
    there.command(MediaCommand::Close { leg: there.legs[place] });
    assert_eq!(there.closed_ports, [PortKey(place as u32)]);
    assert_eq!(there.engine.legs(), 1);
}

#[test]
fn who_is_not_there_or_has_no_port_cannot_travel() {
    let (mut here, mut there) = two_engines();
    let stranger = there.legs[0];
    assert!(here.engine.release(stranger, true, here.now).is_none());
    here.command(MediaCommand::Close { leg: here.legs[0] });
    assert_eq!(travel(&mut here, &mut there, 0, true), None);
}
