//! A leg that a program has: its party's audio in even pieces, the program's audio to the party.

use crate::harness::{Rtp, World, heard, params, sine_codes};
use cordboard_media::tone::Goertzel;
use cordboard_media::{LiveChunk, MediaConfig};
use cordboard_model::id::StreamId;
use cordboard_model::media::{Codec, MediaCommand};
use cordboard_model::stream::Track;

const LAWS: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::G722];

fn begin(world: &mut World) -> StreamId {
    let (leg, stream) = (world.legs[0], world.ids.stream(cordboard_model::id::TenantId::DEFAULT));
    world.command(MediaCommand::Live { leg, stream });
    stream
}

fn pieces(world: &mut World) -> Vec<LiveChunk> {
    std::iter::from_fn(|| world.engine.poll_live()).collect()
}

/// Mu-law as samples.
fn samples(codes: &[u8]) -> Vec<i16> {
    let mut decoder = cordboard_media::codec::Decoder::new(Codec::Pcmu);
    let mut pcm = vec![0; codes.len()];
    decoder.decode(codes, &mut pcm);
    pcm
}

#[test]
fn a_program_hears_the_party_in_mu_law_every_20_ms_whatever_it_speaks_and_is_heard() {
    for codec in LAWS {
        let mut world = World::new(MediaConfig::default());
        world.open(params(0, codec));
        let stream = begin(&mut world);
        let (said, answer) = (sine_codes(codec, 440, 32_000), sine_codes(Codec::Pcmu, 660, 32_000));
        let (mut up, mut down) = (Vec::new(), answer.chunks(160));
        let leg = world.legs[0];
        for n in 0..150u32 {
            let payload = said[n as usize * 160..(n as usize + 1) * 160].to_vec();
            let rtp = Rtp { payload, ..Rtp::audio(codec.static_payload_type(), 9, n, 0) };
            world.say(0, &rtp);
            let ahead = down.next().unwrap();
            assert_eq!(world.engine.feed_live(leg, stream, u64::from(n) * 160, ahead), 160);
            world.run(20);
            let taken = pieces(&mut world);
            assert_eq!(taken.len(), 1, "{codec:?}: one piece every 20 ms");
            assert_eq!((taken[0].talker, taken[0].listener, taken[0].dropped), (Some(stream), None, 0));
            up.extend(taken);
        }
        let played: Vec<u64> = up.iter().map(|piece| piece.played).collect();
        assert!(played.is_sorted() && played[149] >= 148 * 160, "{played:?}");
        let codes: Vec<u8> = up.iter().flat_map(|piece| piece.codes).collect();
        let share = Goertzel::share(&samples(&codes[8_000..22_000]), 440.0);
        assert!(share > 0.97, "{codec:?} up: {share}");
        let sent = heard(&world.sent_by(0), codec);
        let share = Goertzel::share(&sent[8_000..20_000], 660.0);
        assert!(share > 0.97, "{codec:?} down: {share}");
        let packets = world.sent_by(0);
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
            assert_eq!(pair[1].at_ms - pair[0].at_ms, 20);
        }
    }
}

#[test]
fn a_party_that_says_nothing_is_silence_in_time_and_a_program_that_says_nothing_too() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcma));
    begin(&mut world);
    let mut up = Vec::new();
    for _ in 0..10 {
        world.run(100);
        up.extend(pieces(&mut world));
    }
    assert_eq!(up.len(), 50);
    assert!(up.iter().all(|piece| piece.codes == [0xff; 160] && piece.played == 0));
    let sent = world.sent_by(0);
    assert!((49..=50).contains(&sent.len()), "{}", sent.len());
    assert!(sent.iter().all(|packet| packet.payload().iter().all(|code| *code == 0xd5)));
}

#[test]
fn what_waits_is_thrown_away_at_once_and_a_stream_that_is_not_the_legs_feeds_nothing() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcmu));
    let old = begin(&mut world);
    let leg = world.legs[0];
    assert_eq!(world.engine.feed_live(leg, old, 0, &[0x10; 4_000]), 4_000);
    let stream = begin(&mut world);
    assert_eq!(
        world.engine.feed_live(leg, old, 0, &[0x10; 160]),
        0,
        "a second stream takes the place of the first"
    );
    assert_eq!(world.engine.feed_live(leg, stream, 0, &[0x10; 4_000]), 4_000);
    world.run(100);
    world.engine.clear_live(leg, stream, 4_000);
    let before = world.sent_by(0).len();
    world.run(200);
    let after: Vec<_> = world.sent_by(0).split_off(before);
    assert!(after.len() >= 9 && after.iter().all(|packet| packet.payload().iter().all(|code| *code == 0xff)));
    assert_eq!(pieces(&mut world).last().unwrap().played, 4_000, "what was thrown away counts as played");
    world.command(MediaCommand::StopLive { leg, stream: old });
    world.run(40);
    assert!(!pieces(&mut world).is_empty(), "not its stream");
    world.command(MediaCommand::StopLive { leg, stream });
    let before = world.sent_by(0).len();
    world.run(200);
    assert_eq!((pieces(&mut world).len(), world.sent_by(0).len()), (0, before));
    world.command(MediaCommand::Close { leg });
}

/// 20 ms of a tone.
fn speak(world: &mut World, n: u32) -> Vec<LiveChunk> {
    let said = sine_codes(Codec::Pcmu, 440, 160 * 50);
    let at = (n as usize % 50) * 160;
    world.say(0, &Rtp { payload: said[at..at + 160].to_vec(), ..Rtp::audio(0, 9, n, 0) });
    world.run(20);
    pieces(world)
}

fn is_silence(piece: &LiveChunk) -> bool {
    piece.codes.iter().all(|code| *code == 0xff)
}

#[test]
fn of_a_secret_a_program_gets_silence_until_the_last_key_is_let_go() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcmu));
    begin(&mut world);
    let leg = world.legs[0];
    let before: Vec<_> = (0..50).flat_map(|n| speak(&mut world, n)).collect();
    assert!(before.iter().rev().take(25).all(|piece| !is_silence(piece)));
    world.command(MediaCommand::Secret { leg, on: true });
    let of_secret: Vec<_> = (50..100).flat_map(|n| speak(&mut world, n)).collect();
    assert_eq!(of_secret.len(), 50, "time goes on");
    assert!(of_secret.iter().skip(1).all(is_silence));
    world.command(MediaCommand::Secret { leg, on: false });
    let tail: Vec<_> = (100..120).flat_map(|n| speak(&mut world, n)).collect();
    assert!(tail.iter().all(is_silence), "the last key may still be down");
    let after: Vec<_> = (120..200).flat_map(|n| speak(&mut world, n)).collect();
    assert!(after.iter().rev().take(40).all(|piece| !is_silence(piece)), "and then he is heard again");
}

#[test]
fn a_program_that_listens_hears_two_who_are_joined_and_neither_hears_a_difference() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcmu);
    let stream = world.ids.stream(cordboard_model::id::TenantId::DEFAULT);
    for (n, track) in [(0, Track::Inbound), (1, Track::Outbound)] {
        let leg = world.legs[n];
        world.command(MediaCommand::Listen { leg, stream, track });
    }
    let tones = [sine_codes(Codec::Pcmu, 440, 16_000), sine_codes(Codec::Pcmu, 660, 16_000)];
    let mut heard = [Vec::new(), Vec::new()];
    for n in 0..100u32 {
        for (leg, tone) in tones.iter().enumerate() {
            let payload = tone[n as usize * 160..(n as usize + 1) * 160].to_vec();
            let relayed = world.say(leg, &Rtp { payload: payload.clone(), ..Rtp::audio(0, 9, n, 0) });
            assert_eq!(relayed.map(|packet| packet.payload().to_vec()), Some(payload), "packet by packet");
        }
        world.run(20);
        for piece in pieces(&mut world) {
            assert_eq!(piece.talker, None);
            let (of, track) = piece.listener.unwrap();
            assert_eq!(of, stream);
            heard[usize::from(track == Track::Outbound)].extend(piece.codes);
        }
    }
    for (codes, hertz) in heard.iter().zip([440.0, 660.0]) {
        let share = Goertzel::share(&samples(&codes[8_000..15_000]), hertz);
        assert!(share > 0.97, "{hertz}: {share}");
    }
    let leg = world.legs[0];
    assert_eq!(world.engine.feed_live(leg, stream, 0, &[0x10; 160]), 0, "it only listens");
    world.command(MediaCommand::StopLive { leg, stream });
    world.run(100);
    assert!(pieces(&mut world).iter().all(|piece| piece.listener == Some((stream, Track::Outbound))));
}

#[test]
fn a_program_that_talks_and_one_that_listens_have_the_same_leg_and_go_one_by_one() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcmu));
    let (leg, talker) = (world.legs[0], begin(&mut world));
    let stream = world.ids.stream(cordboard_model::id::TenantId::DEFAULT);
    world.command(MediaCommand::Listen { leg, stream, track: Track::Inbound });
    world.run(100);
    let both = pieces(&mut world);
    assert!(both.len() >= 4);
    let is_both = |piece: &LiveChunk| piece.talker == Some(talker) && piece.listener.is_some();
    assert!(both.iter().all(is_both));
    world.command(MediaCommand::StopLive { leg, stream: talker });
    let before = world.sent_by(0).len();
    world.run(100);
    assert!(pieces(&mut world).iter().all(|piece| (piece.talker, piece.listener.is_some()) == (None, true)));
    assert_eq!(world.sent_by(0).len(), before, "who listens says nothing");
    world.command(MediaCommand::StopLive { leg, stream });
    world.run(100);
    assert!(pieces(&mut world).is_empty());
}

#[test]
fn a_key_for_a_party_that_a_program_only_listens_to_is_a_key_and_nothing_else() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    for leg in 0..2 {
        let (leg, stream) = (world.legs[leg], world.ids.stream(cordboard_model::id::TenantId::DEFAULT));
        world.command(MediaCommand::Listen { leg, stream, track: Track::Inbound });
    }
    for n in 0..20u32 {
        world.say(0, &Rtp::audio(0, 1, n, 0xff));
        world.say(1, &Rtp::audio(8, 2, n, 0xd5));
        world.run(20);
    }
    // The first one presses by signalling: the other's packets are made here for a while.
    let leg = world.legs[0];
    world.command(MediaCommand::Pressed { leg, digit: '7' });
    let mut heard = 0;
    for n in 20..60u32 {
        world.say(0, &Rtp::audio(0, 1, n, 0xff));
        world.say(1, &Rtp::audio(8, 2, n, 0xd5));
        world.run(20);
        heard += pieces(&mut world).len();
    }
    let events = world.sent_by(1).iter().filter(|sent| sent.payload_type() == 101).count();
    assert!(events >= 4, "the key goes to the other party: {events} packets");
    assert!(heard > 75, "and the program hears on: {heard} pieces of two parties");
}
