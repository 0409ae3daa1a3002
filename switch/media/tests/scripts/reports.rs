//! RTCP: what we send, and what of the peer's we believe.

use crate::harness::{Rtp, World, phone};
use cordboard_media::PortKey;
use cordboard_model::media::Codec;
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
