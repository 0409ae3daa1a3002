//! Secure RTP on legs, with another implementation (rtc-srtp) as the phone.

use crate::harness::*;
use cordboard_media::MediaConfig;
use cordboard_model::media::{Codec, MediaCommand, PlayItem, Repeat, Tone};
use cordboard_model::srtp::{SrtpKey, SrtpKeys, SrtpSuite};
use rtc_crypto::providers::RingCrypto;
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_no_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;

fn key(suite: SrtpSuite, seed: u8) -> SrtpKey {
    let material: Vec<u8> = (0..suite.material_len() as u8).map(|n| n.wrapping_mul(11) ^ seed).collect();
    SrtpKey::new(suite, &material).unwrap()
}

/// The other end: it seals with its key and opens with the switch's.
struct Phone {
    seals: Context,
    opens: Context,
}

fn context(key: &SrtpKey) -> Context {
    let profile = match key.suite() {
        SrtpSuite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        SrtpSuite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpSuite::Aes256CmSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        SrtpSuite::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        SrtpSuite::Aes256CmSha1_32 => ProtectionProfile::Aes256CmHmacSha1_32,
        SrtpSuite::Aes128CmSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
    };
    let replay = (Some(srtp_no_replay_protection()), Some(srtcp_replay_protection(64)));
    Context::new(key.key(), key.salt(), profile, replay.0, replay.1, &RingCrypto).unwrap()
}

/// Leg `leg` speaks secure RTP from now on; its phone.
fn secure(world: &mut World, leg: usize, codec: Codec, suite: SrtpSuite, seed: u8) -> Phone {
    let keys = SrtpKeys { send: key(suite, seed), receive: key(suite, seed + 1) };
    let command = MediaCommand::Configure {
        leg: world.legs[leg],
        params: params(leg, codec),
        signals: None,
        keys: Some(Box::new(keys)),
        path: None,
    };
    world.command(command);
    Phone { seals: context(&keys.receive), opens: context(&keys.send) }
}

impl Phone {
    fn say(&mut self, world: &mut World, leg: usize, rtp: &Rtp) -> Option<Sent> {
        let sealed = self.seals.encrypt_rtp(&rtp.bytes()).unwrap();
        world.give(leg, phone(leg), &sealed)
    }

    fn hear(&mut self, sent: &Sent) -> Sent {
        let bytes = self.opens.decrypt_rtp(&sent.bytes).unwrap().to_vec();
        assert_ne!(bytes[12..], sent.bytes[12..bytes.len()], "it was not in the clear");
        Sent { bytes, ..sent.clone() }
    }
}

#[test]
fn a_secure_and_a_plain_phone_hear_each_other_in_every_suite() {
    for suite in SrtpSuite::ALL {
        let mut world = World::bridged(Codec::Pcma, Codec::Pcmu);
        let mut far = secure(&mut world, 1, Codec::Pcmu, suite, 1);
        for n in 0..20 {
            let to_far = world.say(0, &Rtp::audio(8, 5, n, 0xd5)).unwrap();
            let heard = far.hear(&to_far);
            assert_eq!((heard.payload_type(), heard.payload()), (0, &[0xfe; 160][..]), "{suite:?}");
            let to_plain = far.say(&mut world, 1, &Rtp::audio(0, 6, n, 0xff)).unwrap();
            assert_eq!((to_plain.payload_type(), to_plain.payload()), (8, &[0xd5; 160][..]), "{suite:?}");
            world.run(20);
        }
        assert_eq!((world.stats(1).received, world.stats(1).unsealed), (20, 0));
    }
}

#[test]
fn two_secure_phones_with_different_suites_hear_each_other_over_two_wraps() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let mut a = secure(&mut world, 0, Codec::Pcma, SrtpSuite::Aes128CmSha1_32, 10);
    let mut b = secure(&mut world, 1, Codec::Pcma, SrtpSuite::AeadAes256Gcm, 20);
    let mut last = None;
    for n in 0..140_000u32 {
        let rtp = Rtp { payload: vec![n as u8; 8], timestamp: n * 8, ..Rtp::audio(8, 5, n, 0) };
        let heard = b.hear(&a.say(&mut world, 0, &rtp).unwrap());
        assert_eq!(heard.payload(), rtp.payload);
        let before = last.replace(heard.sequence());
        assert!(before.is_none_or(|before: u16| heard.sequence() == before.wrapping_add(1)));
        world.sent.clear();
        if n % 20 == 0 {
            world.run(20);
        }
    }
    assert_eq!(world.stats(0).unsealed, 0);
}

#[test]
fn playback_digits_and_reports_leave_sealed_and_keys_of_the_phone_are_heard() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcmu));
    let mut far = secure(&mut world, 0, Codec::Pcmu, SrtpSuite::Aes128CmSha1_80, 1);
    world.play(0, vec![PlayItem::Tone(Tone::Hertz(440), 400)], Repeat::Once);
    world.run(500);
    let leg = world.legs[0];
    world.command(MediaCommand::SendDigits { leg, digits: "5".into(), length_ms: 100 });
    world.run(10_000);
    let clear: Vec<Sent> = world.sent.clone().iter().map(|sent| far.hear(sent)).collect();
    assert!(clear.len() > 24, "{}", clear.len());
    assert_eq!(clear[..20].iter().map(Sent::payload_type).collect::<Vec<_>>(), [0; 20]);
    let tone = heard(&clear[..20].iter().collect::<Vec<_>>(), Codec::Pcmu);
    let (first, later) = (tone[1], tone[1 + 800]);
    assert!(first > 1_000 && first.abs_diff(later) < 200, "440 Hz comes again after 100 ms: {first} {later}");
    assert!(clear.iter().any(|sent| sent.payload_type() == 101 && sent.payload()[0] == 5));
    assert!(!world.rtcp.is_empty());
    for sent in &world.rtcp {
        let report = far.opens.decrypt_rtcp(&sent.bytes).unwrap();
        assert_eq!(report[1], 200 + u8::from(report[1] == 201));
        assert_ne!(report[8..], sent.bytes[8..report.len()]);
    }
    for n in 0..5 {
        far.say(&mut world, 0, &Rtp::event(9, n, 800, 7, n > 2, 160));
    }
    assert_eq!(world.digits(0), "7");
}

#[test]
fn reports_of_the_phone_are_opened_wherever_they_come() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let mut far = secure(&mut world, 1, Codec::Pcma, SrtpSuite::AeadAes128Gcm, 1);
    for n in 0..4 {
        far.say(&mut world, 1, &Rtp::audio(8, 77, n, 1));
    }
    let mut report = vec![0x80, 200, 0, 6, 0, 0, 0, 77];
    report.extend([9; 20]);
    let mut sealed = far.seals.encrypt_rtcp(&report).unwrap().to_vec();
    let from = std::net::SocketAddr::new(phone(1).ip(), phone(1).port() + 1);
    let port = cordboard_media::PortKey(1);
    world.engine.handle_rtcp(port, from, &mut report, world.now);
    assert_eq!(world.stats(1).unsealed, 1, "in the clear it is not believed");
    world.engine.handle_rtcp(port, from, &mut sealed, world.now);
    assert_eq!((world.stats(1).unsealed, world.stats(1).malformed), (1, 0));
    world.run(8_000);
    let ours = world.rtcp.iter().rfind(|sent| sent.leg == 1).unwrap();
    assert_eq!(ours.to, from);
    let ours = far.opens.decrypt_rtcp(&ours.bytes).unwrap();
    let block = if ours[1] == 200 { 28 } else { 8 };
    assert_eq!(ours[block + 16..block + 20], [9; 4], "the middle of its timestamp comes back");
    let muxed = far.seals.encrypt_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 77]).unwrap();
    world.give(1, phone(1), &muxed);
    assert_eq!((world.stats(1).unsealed, world.stats(1).malformed), (1, 0), "on the port of RTP");
}

#[test]
fn what_is_plain_forged_or_replayed_is_not_heard_and_counted() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let mut far = secure(&mut world, 1, Codec::Pcma, SrtpSuite::Aes128CmSha1_32, 1);
    let rtp = Rtp::audio(8, 7, 0, 1);
    assert_eq!(world.say(1, &rtp), None);
    let sealed = far.seals.encrypt_rtp(&rtp.bytes()).unwrap().to_vec();
    let mut forged = sealed.clone();
    forged[40] ^= 1;
    assert_eq!(world.give(1, phone(1), &forged), None);
    assert!(world.give(1, phone(1), &sealed).is_some());
    assert_eq!(world.give(1, phone(1), &sealed), None, "replayed");
    let mut stranger = Phone { seals: context(&key(SrtpSuite::Aes128CmSha1_32, 9)), ..far };
    assert_eq!(stranger.say(&mut world, 1, &Rtp::audio(8, 7, 1, 1)), None);
    let stun = b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl";
    assert_eq!(world.give(1, phone(1), stun), None);
    let stats = world.stats(1);
    assert_eq!((stats.received, stats.unsealed, stats.malformed), (1, 4, 1), "what is no RTP is no forgery");
}

#[test]
fn a_plain_source_that_repeats_numbers_gets_no_second_payload_sealed_with_one_keystream() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let mut far = secure(&mut world, 1, Codec::Pcma, SrtpSuite::Aes128CmSha1_80, 1);
    let mut numbers = std::collections::BTreeSet::new();
    for n in [0, 1, 2, 2, 1, 3, 3, 0, 4] {
        if let Some(sent) = world.say(0, &Rtp::audio(8, 5, n, n as u8 ^ 0x55)) {
            assert!(numbers.insert(far.hear(&sent).sequence()), "{n}");
        }
    }
    assert_eq!(numbers.len(), 5);
}

#[test]
fn hold_keeps_the_keys_a_new_key_is_taken_and_a_stream_may_become_plain() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let mut far = secure(&mut world, 1, Codec::Pcma, SrtpSuite::Aes256CmSha1_80, 1);
    let mut n = 0;
    let mut exchange = |world: &mut World, far: &mut Phone| {
        n += 1;
        let heard = far.hear(&world.say(0, &Rtp::audio(8, 5, n, 3)).unwrap());
        assert_eq!(heard.payload(), [3; 160]);
        assert!(far.say(world, 1, &Rtp::audio(8, 6, n, 4)).is_some());
        world.run(20);
    };
    exchange(&mut world, &mut far);
    // the same keys again, as a hold and its end bring them: counters go on, so that the phone need know nothing
    secure(&mut world, 1, Codec::Pcma, SrtpSuite::Aes256CmSha1_80, 1);
    exchange(&mut world, &mut far);
    let replay = far.seals.encrypt_rtp(&Rtp::audio(8, 6, 2, 4).bytes()).unwrap().to_vec();
    assert_eq!(world.give(1, phone(1), &replay), None, "and so does the replay list");
    let mut far = secure(&mut world, 1, Codec::Pcma, SrtpSuite::AeadAes256Gcm, 50);
    exchange(&mut world, &mut far);
    world.configure(1, params(1, Codec::Pcma));
    let plain = world.say(0, &Rtp::audio(8, 5, 100, 3)).unwrap();
    assert_eq!(plain.payload(), [3; 160]);
}
