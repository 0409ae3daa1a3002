//! Video between two legs: packets relayed, feedback passed on in the terms of who makes the pictures.

use crate::harness::{Rtp, Sent, World, params, phone};
use cordboard_media::{MediaConfig, PortKey};
use cordboard_model::media::{Codec, Direction, MediaCommand, MediaEvent, StreamParams, VideoFeedback};
use core::net::SocketAddr;

const ALL: VideoFeedback = VideoFeedback { nack: true, pli: true, fir: true, remb: true };
const A: u32 = 0xa000_0001;
const B: u32 = 0xb000_0002;

fn video(n: usize, number: u8) -> StreamParams {
    let (send_payload_type, recv_payload_type) = (number, number);
    StreamParams { send_payload_type, recv_payload_type, dtmf: None, ..params(n, Codec::H264) }
}

fn carry(world: &mut World, leg: usize, beside: usize, feedback: VideoFeedback) {
    let (leg, beside) = (world.legs[leg], world.legs[beside]);
    world.command(MediaCommand::Video { leg, beside, feedback });
}

/// Legs 0 and 1 with audio, 2 and 3 with the video of the same parties.
fn call(of_a: VideoFeedback, of_b: VideoFeedback) -> World {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for (leg, beside, feedback, number) in [(2, 0, of_a, 99), (3, 1, of_b, 103)] {
        world.open_bare();
        carry(&mut world, leg, beside, feedback);
        world.configure(leg, video(leg, number));
    }
    world.bridge(2, 3);
    world
}

/// One packet of a picture.
fn picture(number: u8, ssrc: u32, sequence: u16, timestamp: u32, is_last: bool) -> Rtp {
    let payload = vec![0x5c; 1_100];
    Rtp { payload_type: number, marker: is_last, sequence, timestamp, ssrc, payload }
}

/// Both parties send three packets; leg 3's begin at 500.
fn begun() -> World {
    let mut world = call(ALL, ALL);
    for n in 0..3 {
        world.say(2, &picture(99, A, 100 + n, 9_000, n == 2)).unwrap();
        world.say(3, &picture(103, B, 500 + n, 7_000, n == 2)).unwrap();
    }
    world.rtcp.clear();
    world
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A receiver report with a message behind it.
fn compound(ssrc: u32, message: &[u32]) -> Vec<u8> {
    [words(&[0x80c9_0001, ssrc]), words(message)].concat()
}

fn tell(world: &mut World, leg: usize, packet: &[u8]) {
    let mut from = phone(leg);
    from.set_port(from.port() + 1);
    world.engine.handle_rtcp(PortKey(leg as u32), from, &mut packet.to_vec(), world.now);
    world.drain();
}

/// Messages of feedback that a leg was sent, as words.
fn feedback(world: &World, leg: usize) -> Vec<Vec<u32>> {
    let mut found = Vec::new();
    for sent in world.rtcp.iter().filter(|sent| sent.leg == leg) {
        assert!(matches!(sent.bytes[1], 200 | 201), "a report first");
        let mut rest = sent.bytes.as_slice();
        while !rest.is_empty() {
            let length = (usize::from(u16::from_be_bytes([rest[2], rest[3]])) + 1) * 4;
            let part = &rest[..length];
            if matches!(part[1], 205 | 206) {
                found.push(part.chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap())).collect());
            }
            rest = &rest[length..];
        }
    }
    found
}

fn ours(world: &World, leg: usize) -> u32 {
    world.sent_by(leg)[0].ssrc()
}

#[test]
fn video_is_relayed_both_ways_with_numbers_of_its_own_on_each_side() {
    let mut world = call(ALL, ALL);
    let mut to_b: Vec<Sent> = Vec::new();
    for frame in 0..30_u32 {
        for part in 0..4 {
            let number = (frame * 4 + part) as u16;
            let packet =
                picture(99, A, 65_500_u16.wrapping_add(number), frame.wrapping_mul(3_000), part == 3);
            if number % 10 != 7 {
                to_b.extend(world.say(2, &packet));
            }
            let back = world.say(3, &picture(103, B, number, frame * 3_000, part == 3)).unwrap();
            assert_eq!((back.payload_type(), back.to, back.leg), (99, phone(2), 2));
        }
        world.run(33);
    }
    assert_eq!(to_b.len(), 108);
    assert!(to_b.iter().all(|sent| sent.payload_type() == 103 && sent.to == phone(3) && sent.leg == 3));
    assert!(to_b.iter().all(|sent| sent.ssrc() == to_b[0].ssrc() && sent.ssrc() != A));
    for sent in &to_b {
        let place = sent.sequence().wrapping_sub(to_b[0].sequence());
        assert_eq!(sent.timestamp().wrapping_sub(to_b[0].timestamp()), u32::from(place) / 4 * 3_000);
        assert_eq!(sent.marker(), place % 4 == 3, "markers end pictures, and stay");
        assert_eq!(sent.payload(), vec![0x5c; 1_100]);
    }
    let stats = world.stats(2);
    assert_eq!((stats.received, stats.lost, stats.sent, stats.mos), (108, 12, 120, None));
    world.run(120_000);
    let told =
        |event: &MediaEvent| matches!(event, MediaEvent::Silent { leg } if world.legs[2..].contains(leg));
    assert!(!world.events.iter().any(|(_, event)| told(event)), "who covers his camera is not gone");
}

#[test]
fn video_is_one_source_with_the_audio_of_its_party() {
    let mut world = begun();
    world.say(0, &Rtp::audio(8, 77, 1, 0));
    world.say(1, &Rtp::audio(8, 78, 1, 0));
    world.run(30_000);
    let cname = |leg: usize| {
        let report = world.rtcp.iter().rfind(|sent| sent.leg == leg).unwrap();
        report.bytes[report.bytes.len() - 18..report.bytes.len() - 2].to_vec()
    };
    assert_eq!(cname(0), cname(2));
    assert_eq!(cname(1), cname(3));
    assert_ne!(cname(0), cname(1));
}

#[test]
fn lost_packets_are_asked_of_who_sent_them_by_their_own_numbers() {
    let mut world = begun();
    let third = world.sent_by(2)[2].sequence();
    let nack = [
        0x81cd_0004,
        5,
        ours(&world, 2),
        u32::from(third) << 16 | 0x8001,
        u32::from(third.wrapping_sub(1)) << 16,
    ];
    tell(&mut world, 2, &compound(A, &nack));
    let expected = vec![0x81cd_0004, ours(&world, 3), B, 502 << 16 | 0x8001, 501 << 16];
    assert_eq!(feedback(&world, 3), [expected]);
    assert!(feedback(&world, 2).is_empty());
    // the packet comes again, and goes where it was missed
    let again = world.say(3, &picture(103, B, 501, 7_000, false)).unwrap();
    assert_eq!(again.sequence(), third.wrapping_sub(1));
}

#[test]
fn a_lost_picture_is_asked_for_anew_at_once() {
    let mut world = begun();
    let pli = [0x81ce_0002, A, ours(&world, 2)];
    tell(&mut world, 2, &compound(A, &pli));
    assert_eq!(feedback(&world, 3), [vec![0x81ce_0002, ours(&world, 3), B]]);
    let sent = world.rtcp.iter().find(|sent| sent.leg == 3).unwrap();
    let mut to = phone(3);
    to.set_port(to.port() + 1);
    assert_eq!((sent.to, sent.at_ms), (to, world.now.as_millis()));

    // and the other way, in a packet of reduced size
    world.rtcp.clear();
    let pli = [0x81ce_0002, B, ours(&world, 3)];
    tell(&mut world, 3, &words(&pli));
    assert_eq!(feedback(&world, 2), [vec![0x81ce_0002, ours(&world, 2), A]]);
}

#[test]
fn a_command_for_a_picture_keeps_its_number_when_it_is_repeated() {
    let mut world = begun();
    let about = ours(&world, 2);
    let mut number = |asked: u32| {
        world.rtcp.clear();
        tell(&mut world, 2, &compound(A, &[0x84ce_0004, A, 0, about, asked << 24]));
        let found = feedback(&world, 3);
        assert_eq!(found[0][..4], [0x84ce_0004, ours(&world, 3), 0, B]);
        found[0][4] >> 24
    };
    let first = number(200);
    assert_eq!(number(200), first);
    assert_eq!(number(201), first + 1);
    assert_eq!(number(7), first + 2);
}

#[test]
fn an_estimate_of_what_comes_through_names_the_stream_as_its_sender_does() {
    let mut world = begun();
    let remb = u32::from_be_bytes(*b"REMB");
    let about = ours(&world, 2);
    tell(&mut world, 2, &compound(A, &[0x8fce_0005, A, 0, remb, 0x010b_d090, about]));
    assert_eq!(feedback(&world, 3), [vec![0x8fce_0005, ours(&world, 3), 0, remb, 0x010b_d090, B]]);
}

#[test]
fn feedback_about_others_streams_and_what_was_not_agreed_goes_no_further() {
    let mut world = begun();
    let (about, remb) = (ours(&world, 2), u32::from_be_bytes(*b"REMB"));
    let bad = [
        vec![0x81ce_0002, A, 0x1234_5678],
        vec![0x81cd_0003, A, 0x1234_5678, 500 << 16],
        // a number that was never sent on this side
        vec![0x81cd_0003, A, about, u32::from(world.sent_by(2)[0].sequence().wrapping_sub(2_000)) << 16],
        vec![0x84ce_0004, A, 0, 0x1234_5678, 1 << 24],
        // transport-wide congestion control, and what nobody knows
        vec![0x8fcd_0004, A, about, 0, 0],
        vec![0x82ce_0003, A, about, 0],
        // padded; longer than it is
        vec![0xa1ce_0003, A, about, 4],
        vec![0x81ce_0009, A, about],
    ];
    for message in bad {
        tell(&mut world, 2, &compound(A, &message));
        assert!(feedback(&world, 3).is_empty(), "{message:x?}");
    }
    let from = SocketAddr::new(phone(9).ip(), 4_001);
    let mut pli = compound(A, &[0x81ce_0002, A, about]);
    world.engine.handle_rtcp(PortKey(2), from, &mut pli, world.now);
    world.drain();
    assert!(feedback(&world, 3).is_empty(), "a stranger's");

    carry(&mut world, 3, 1, VideoFeedback { fir: true, ..VideoFeedback::default() });
    tell(&mut world, 2, &compound(A, &[0x81cd_0003, A, about, 500 << 16]));
    tell(&mut world, 2, &compound(A, &[0x8fce_0005, A, 0, remb, 0x010b_d090, about]));
    assert!(feedback(&world, 3).is_empty(), "it takes no such thing");
    tell(&mut world, 2, &compound(A, &[0x81ce_0002, A, about]));
    assert_eq!(feedback(&world, 3)[0][0], 0x84ce_0004, "who takes commands alone is commanded");
    carry(&mut world, 3, 1, VideoFeedback::default());
    world.rtcp.clear();
    tell(&mut world, 2, &compound(A, &[0x81ce_0002, A, about]));
    assert!(feedback(&world, 3).is_empty());
}

#[test]
fn whoever_begins_to_see_a_party_begins_with_a_whole_picture() {
    let mut world = begun();
    let unbridge = |world: &mut World| {
        let leg = world.legs[2];
        world.command(MediaCommand::Unbridge { leg });
    };
    unbridge(&mut world);
    assert!(world.say(2, &picture(99, A, 103, 12_000, true)).is_none());
    world.run(2_000);
    world.rtcp.clear();
    world.bridge(2, 3);
    assert_eq!(feedback(&world, 2), [vec![0x81ce_0002, ours(&world, 2), A]]);
    assert_eq!(feedback(&world, 3), [vec![0x81ce_0002, ours(&world, 3), B]]);
    let before = world.sent_by(3).last().unwrap().to_owned().clone();
    let after = world.say(2, &picture(99, A, 104, 192_000, true)).unwrap();
    assert_eq!(after.sequence(), before.sequence().wrapping_add(1), "what was not shown is not lost");
    assert_eq!(after.ssrc(), before.ssrc());
    assert!(after.timestamp().wrapping_sub(before.timestamp()).abs_diff(180_000) <= 90, "two seconds");

    // held and back
    world.rtcp.clear();
    world.configure(3, StreamParams { direction: Direction::Inactive, ..video(3, 103) });
    assert!(world.say(2, &picture(99, A, 105, 195_000, true)).is_none());
    world.rtcp.clear();
    world.configure(3, video(3, 103));
    assert_eq!(feedback(&world, 2), [vec![0x81ce_0002, ours(&world, 2), A]]);
}

#[test]
fn a_party_behind_nat_whose_first_packets_were_not_believed_is_asked_for_a_picture() {
    let mut world = call(ALL, ALL);
    let from = SocketAddr::from(([203, 0, 113, 9], 7_000));
    for n in 0..4 {
        let sent = world.give(2, from, &picture(99, A, 100 + n, 9_000, false).bytes());
        assert_eq!(sent.is_some(), n >= 2);
    }
    let told = feedback(&world, 2);
    assert_eq!((told.len(), told[0][0], told[0][2]), (1, 0x81ce_0002, A));
}

#[test]
fn pictures_sent_in_another_order_than_shown_keep_their_times() {
    let mut world = begun();
    let first = world.sent_by(3)[2].clone();
    for (n, timestamp) in [18_000_u32, 12_000, 15_000, 27_000, 21_000].into_iter().enumerate() {
        world.run(33);
        let sent = world.say(2, &picture(99, A, 103 + n as u16, timestamp, true)).unwrap();
        assert_eq!(sent.timestamp().wrapping_sub(first.timestamp()), timestamp - 9_000);
    }
}

#[test]
fn video_of_two_codecs_is_never_joined() {
    let mut world = World::new(MediaConfig::default());
    world.open(video(0, 99));
    world.open(StreamParams { codec: Codec::Vp8, ..video(1, 99) });
    world.bridge(0, 1);
    assert_eq!(world.engine.counters().commands_ignored, 1);
    assert!(world.say(0, &picture(99, A, 1, 0, true)).is_none());
    world.configure(1, video(1, 99));
    world.bridge(0, 1);
    assert!(world.say(0, &picture(99, A, 2, 0, true)).is_some());
    world.configure(1, StreamParams { codec: Codec::Vp8, ..video(1, 99) });
    assert!(world.say(0, &picture(99, A, 3, 0, true)).is_none());
}
