//! ICE and DTLS in the engine: two legs that find each other through the air, each with a plain phone behind it.

use crate::harness::{Rtp, World, params, phone};
use cordboard_media::{Identity, MediaConfig, MediaEngine};
use cordboard_model::media::{Codec, MediaCommand, MediaEvent, StreamParams};
use cordboard_model::path::{
    Candidate, DtlsRole, DtlsTerms, Fingerprint, FingerprintHash, IceCredentials, IceTerms, MediaPath,
    PathFault,
};
use core::net::SocketAddr;
use std::time::Instant;

/// The engine's own address of leg `n`.
fn local(n: usize) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 10_000 + 2 * n as u16))
}

fn credentials(n: usize) -> IceCredentials {
    IceCredentials { user: format!("leg{n}"), password: format!("password-of-leg-{n}-and-more") }
}

struct Air {
    world: World,
    fingerprint: [u8; 32],
    carried: usize,
    /// Packets that the plain phones have sent.
    spoken: u32,
}

impl Air {
    /// Legs 0 and 1 meet in the air; 2 and 3 are plain and joined to them.
    fn new() -> Self {
        let identity = Identity::new(Instant::now()).unwrap();
        let fingerprint = identity.fingerprint();
        let mut world = World::new(MediaConfig::default());
        world.engine = MediaEngine::new(MediaConfig::default(), [7; 32]).with_identity(identity);
        for n in 0..4 {
            let stream = params(n, Codec::Pcma);
            if n < 2 {
                world.open_bare()
            } else {
                world.open(stream)
            };
        }
        world.bridge(0, 2);
        world.bridge(1, 3);
        Self { world, fingerprint, carried: 0, spoken: 0 }
    }

    fn configure(&mut self, leg: usize, digest: [u8; 32], ice: bool) {
        let role = if leg == 0 { DtlsRole::Client } else { DtlsRole::Server };
        let other = 1 - leg;
        let terms = || IceTerms {
            ours: credentials(leg),
            theirs: credentials(other),
            candidates: vec![Candidate { address: local(other), priority: 5 }],
            lite: leg == 1,
            controlling: leg == 0,
        };
        let theirs = Fingerprint { hash: FingerprintHash::Sha256, digest: digest.to_vec() };
        let path = MediaPath { ice: ice.then(terms), dtls: Some(DtlsTerms { role, theirs }) };
        let params = StreamParams { remote: local(other), rtcp_mux: true, ..params(leg, Codec::Pcma) };
        let (leg, path) = (self.world.legs[leg], Some(Box::new(path)));
        self.world.command(MediaCommand::Configure { leg, params, signals: None, keys: None, path });
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(10) {
            self.world.run(10);
            while let Some(sent) = self.world.sent.get(self.carried).cloned() {
                self.carried += 1;
                if let Some(there) = (0..2).find(|n| local(*n) == sent.to) {
                    self.world.give(there, local(sent.leg), &sent.bytes);
                }
            }
        }
    }

    /// The two plain phones talk for this many packets.
    fn talk(&mut self, packets: u64) {
        for _ in 0..packets {
            self.spoken += 1;
            for leg in [2, 3] {
                let rtp = Rtp::audio(8, 70 + leg as u32, self.spoken, 0x55 + leg as u8);
                self.world.say(leg, &rtp);
            }
            self.run(20);
        }
    }

    fn heard(&self, leg: usize) -> usize {
        self.world.sent.iter().filter(|sent| sent.leg == leg && sent.to == phone(leg)).count()
    }
}

#[test]
fn two_legs_find_each_other_agree_on_keys_and_carry_two_calls_sealed() {
    for ice in [true, false] {
        let mut air = Air::new();
        let fingerprint = air.fingerprint;
        air.configure(1, fingerprint, ice);
        air.talk(5);
        assert_eq!(air.heard(3), 0, "nothing passes before there are keys");
        air.configure(0, fingerprint, ice);
        air.run(1_000);
        air.talk(100);
        assert!(air.heard(2) >= 95 && air.heard(3) >= 95, "{} {}", air.heard(2), air.heard(3));
        let clear =
            air.world.sent.iter().filter(|sent| sent.leg < 2).any(|sent| sent.bytes.ends_with(&[0x57; 32]));
        assert!(!clear, "audio in the clear between them");
        for leg in 0..2 {
            let stats = air.world.engine.leg_stats(air.world.legs[leg]).unwrap();
            assert_eq!((stats.fault, stats.unsealed), (None, 0));
        }
        // What does not know the password is not heard, and gets no answer.
        let before = air.world.sent.len();
        let stranger: SocketAddr = "203.0.113.66:9".parse().unwrap();
        let hello = [&[22, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 1][..], &[0; 40]].concat();
        let audio = Rtp::audio(8, 1, 1, 1).bytes();
        for datagram in [hello, audio, b"\0\x01\0\0\x21\x12\xa4\x42............".to_vec()] {
            air.world.give(1, stranger, &datagram);
        }
        assert_eq!(air.world.sent.len(), before);
    }
}

#[test]
fn a_wrong_certificate_is_refused_told_and_leaves_no_way_for_audio() {
    let mut air = Air::new();
    let fingerprint = air.fingerprint;
    air.configure(1, [9; 32], true);
    air.configure(0, fingerprint, true);
    air.run(2_000);
    air.talk(20);
    assert_eq!(air.heard(3), 0);
    let leg = air.world.legs[1];
    let failed = MediaEvent::PathFailed { leg, fault: PathFault::WrongCertificate };
    assert_eq!(air.world.events.iter().filter(|(_, event)| *event == failed).count(), 1);
    assert_eq!(air.world.engine.leg_stats(leg).unwrap().fault, Some(PathFault::WrongCertificate));
}

#[test]
fn hold_and_other_offers_in_a_call_keep_its_keys() {
    let mut air = Air::new();
    let fingerprint = air.fingerprint;
    air.configure(1, fingerprint, true);
    air.configure(0, fingerprint, true);
    air.run(1_000);
    air.talk(20);
    let before = air.heard(3);
    let dtls = |air: &Air| air.world.sent.iter().filter(|sent| matches!(sent.bytes[0], 20..=63)).count();
    let shaken = dtls(&air);
    air.configure(0, fingerprint, true);
    air.configure(1, fingerprint, true);
    air.talk(20);
    assert_eq!((air.heard(3) - before, dtls(&air)), (20, shaken), "no other handshake");
}

#[test]
fn a_party_with_dtls_is_heard_and_hears_in_a_conference() {
    let mut air = Air::new();
    let fingerprint = air.fingerprint;
    air.configure(1, fingerprint, true);
    air.configure(0, fingerprint, true);
    air.run(1_000);
    air.talk(20);
    // The browser's leg and its partner become a mix in mid-call; the other side of the air stays as it is.
    air.world.mix(&[(0, u32::MAX), (2, u32::MAX)]);
    let before = [air.heard(2), air.heard(3)];
    air.talk(100);
    let heard = [air.heard(2) - before[0], air.heard(3) - before[1]];
    assert!(heard.iter().all(|packets| *packets >= 95), "{heard:?}");
    for leg in 0..2 {
        let stats = air.world.engine.leg_stats(air.world.legs[leg]).unwrap();
        assert_eq!((stats.fault, stats.unsealed), (None, 0));
    }
}
