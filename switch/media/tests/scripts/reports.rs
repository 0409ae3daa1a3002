//! RTCP: what we send, and what of the peer's we believe.

use crate::harness::{Rtp, World, params, phone};
use cordboard_media::PortKey;
use cordboard_model::media::{Codec, StreamParams};
use core::net::SocketAddr;

#[test]
fn reports_leave_every_five_seconds_or_so_to_the_port_above() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..3_000 {
        if n % 10 != 5 {
            world.say(0, &Rtp::audio(8, 77, n, 0));
        }
        world.run(20);
    }
    let to_a: Vec<_> = world.rtcp.iter().filter(|s| s.leg == 0).collect();
    assert!((9..=18).contains(&to_a.len()), "{} in a minute", to_a.len());
    for pair in to_a.windows(2) {
        let apart = pair[1].at_ms - pair[0].at_ms;
        assert!((2_480..=7_540).contains(&apart), "{apart}");
    }
    let mut rtcp = phone(0);
    rtcp.set_port(4_001);
    for report in &to_a {
        assert_eq!(report.to, rtcp);
        assert_eq!(report.bytes[..4], [0x81, 201, 0, 7], "we sent nothing: a receiver report");
        assert_eq!(report.bytes[8..12], 77u32.to_be_bytes());
        assert!((20..=30).contains(&report.bytes[12]), "a tenth of 256 was lost");
    }
    let to_b: Vec<_> = world.rtcp.iter().filter(|s| s.leg == 1).collect();
    assert!(to_b.iter().all(|s| s.bytes[..4] == [0x80, 200, 0, 6]), "sender reports");
    let last = to_b[to_b.len() - 1];
    let counted = u32::from_be_bytes(last.bytes[20..24].try_into().unwrap());
    let before = world.sent_by(1).iter().filter(|s| s.at_ms <= last.at_ms).count();
    assert!(counted.abs_diff(before as u32) <= 1, "{counted} {before}");
    let ssrc = world.sent_by(1)[0].ssrc();
    assert!(to_b.iter().all(|s| s.bytes[4..8] == ssrc.to_be_bytes()));
}

/// A sender report of `ssrc` whose NTP time has these middle bits.
fn sender_report(ssrc: u32, middle: u32) -> Vec<u8> {
    let mut out = vec![0x80, 200, 0, 6];
    out.extend(ssrc.to_be_bytes());
    out.extend((middle >> 16).to_be_bytes());
    out.extend((middle << 16).to_be_bytes());
    out.extend([0; 12]);
    out
}

#[test]
fn the_peers_report_is_echoed_and_its_address_is_learnt() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..5 {
        world.say(0, &Rtp::audio(8, 77, n, 0));
    }
    let from = SocketAddr::new(phone(0).ip(), 9_999);
    let report = sender_report(77, 0x1234_5678);
    world.engine.handle_rtcp(PortKey(0), from, &mut report.clone(), world.now);
    let foreign = SocketAddr::new(phone(5).ip(), 9_999);
    world.engine.handle_rtcp(PortKey(0), foreign, &mut sender_report(77, 1), world.now);
    let other = SocketAddr::new(phone(0).ip(), 5_555);
    world.engine.handle_rtcp(PortKey(0), other, &mut sender_report(78, 2), world.now);
    world.engine.handle_rtcp(PortKey(0), from, &mut b"\x80\xc8\0\x06".to_owned(), world.now);
    assert_eq!((world.stats(0).foreign, world.stats(0).malformed), (1, 1));
    let at = world.now;
    world.run(8_000);
    let ours = world.rtcp.iter().find(|s| s.leg == 0).unwrap();
    assert_eq!(ours.to, from);
    assert_eq!(ours.bytes[24..28], 0x1234_5678u32.to_be_bytes());
    let since = u32::from_be_bytes(ours.bytes[28..32].try_into().unwrap());
    let expected = (ours.at_ms - at.as_millis()) * 65_536 / 1_000;
    assert!(u64::from(since).abs_diff(expected) <= 1, "{since} {expected}");
}

/// A receiver report of `ssrc` about `ours`.
fn receiver_report(ssrc: u32, ours: u32, lost: u32, jitter: u32, last: u32, delay: u32) -> Vec<u8> {
    let mut out = vec![0x81, 201, 0, 7];
    for word in [ssrc, ours, lost, 0, jitter, last, delay] {
        out.extend(word.to_be_bytes());
    }
    out
}

#[test]
fn a_partys_report_of_us_gives_loss_jitter_round_trip_and_a_score_of_what_it_hears() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..500 {
        world.say(0, &Rtp::audio(8, 77, n, 0));
        world.say(1, &Rtp::audio(8, 88, n, 0));
        world.run(20);
    }
    assert_eq!(world.stats(1).far, None, "nothing was reported yet");
    let ours = world.sent_by(1)[0].ssrc();
    let from = SocketAddr::new(phone(1).ip(), 4_001);
    let sent = world.rtcp.iter().rev().find(|s| s.leg == 1).unwrap();
    // The middle bits of our own sender report, back after the time since and 80 ms.
    let middle = u32::from_be_bytes(sent.bytes[10..14].try_into().unwrap());
    let since = (world.now.as_millis() - sent.at_ms) as u32;
    let delay = (since - 80) * 65_536 / 1_000;
    let mut report = receiver_report(88, ours, 50, 160, middle, delay);
    world.engine.handle_rtcp(PortKey(1), from, &mut report, world.now);
    let stats = world.stats(1);
    let far = stats.far.unwrap();
    assert_eq!((far.lost, far.jitter_us), (50, 20_000));
    let trip = far.round_trip_us.unwrap();
    assert!(trip.abs_diff(80_000) < 100, "{trip}");
    assert!((250..350).contains(&far.mos.unwrap()), "a tenth is lost there: {far:?}");
    assert!(stats.mos.unwrap() > 430, "and nothing here: {stats:?}");
    // What a stranger on the same host says of us is not believed.
    let mut lie = receiver_report(89, ours, 400, 0, 0, 0);
    world.engine.handle_rtcp(PortKey(1), from, &mut lie, world.now);
    assert_eq!(world.stats(1).far, Some(far));
}

#[test]
fn losses_side_by_side_are_one_gap_and_late_packets_are_counted() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..200 {
        let n = match n {
            50..60 | 100 => continue,
            150 => 151,
            151 => 150,
            n => n,
        };
        world.say(0, &Rtp::audio(8, 77, n, 0));
        world.run(20);
    }
    let stats = world.stats(0);
    assert_eq!((stats.lost, stats.gaps, stats.late), (11, 3, 1));
}

#[test]
fn reports_that_share_the_port_leave_and_come_by_it() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let (a, b) = (0, 1);
    world.configure(a, StreamParams { rtcp_mux: true, ..params(a, Codec::Pcma) });
    for n in 0..1_000 {
        world.say(a, &Rtp::audio(8, 1, n, 0x55));
        world.say(b, &Rtp::audio(8, 2, n, 0x55));
        world.run(20);
    }
    assert!(world.rtcp.iter().all(|sent| sent.leg == b), "none to a port of their own");
    let reports: Vec<_> = world.sent.iter().filter(|sent| sent.bytes.get(1) == Some(&200)).cloned().collect();
    assert!(
        reports.len() >= 2 && reports.iter().all(|sent| sent.leg == a && sent.to == phone(a)),
        "{reports:?}"
    );
    // The party's own report of what it hears comes by the same port.
    let ours = u32::from_be_bytes(reports[0].bytes[4..8].try_into().unwrap());
    let mut report = vec![0x81, 201, 0, 7];
    report.extend(1u32.to_be_bytes());
    report.extend(ours.to_be_bytes());
    report.extend([0, 0, 0, 5]);
    report.extend([0; 16]);
    world.give(a, phone(a), &report);
    assert_eq!(world.engine.leg_stats(world.legs[a]).unwrap().far.unwrap().lost, 5);
    // The other port of its pair is needed no more, which is said once, until the party wants it apart again.
    let needed = |world: &World| world.rtcp_ports.clone();
    let pair = PortKey(a as u32);
    assert_eq!(needed(&world), [(pair, false)]);
    world.configure(a, StreamParams { rtcp_mux: true, ptime_ms: 40, ..params(a, Codec::Pcma) });
    world.run(20);
    assert_eq!(needed(&world), [(pair, false)]);
    world.configure(a, params(a, Codec::Pcma));
    world.run(20);
    assert_eq!(needed(&world), [(pair, false), (pair, true)]);
}
