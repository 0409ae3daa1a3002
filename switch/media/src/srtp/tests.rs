use super::*;
use crate::codec::opus::OpusConfig;
use crate::kit::Stock;
use cordboard_model::srtp::SrtpSuite;

fn key(suite: SrtpSuite, seed: u8) -> SrtpKey {
    let material: Vec<u8> = (0..suite.material_len() as u8).map(|n| n.wrapping_mul(7) ^ seed).collect();
    SrtpKey::new(suite, &material).unwrap()
}

/// Two ends that agree.
fn ends(suite: SrtpSuite) -> (Srtp, Srtp) {
    let (a, b) = (key(suite, 1), key(suite, 2));
    let at = |send, receive| Srtp::new(&SrtpKeys { send, receive }).unwrap();
    (at(a, b), at(b, a))
}

/// A packet of 160 bytes with room behind, and its length.
fn packet(ssrc: u32, sequence: u16) -> (Vec<u8>, usize) {
    let mut out = vec![0x80, 0];
    out.extend(sequence.to_be_bytes());
    out.extend(u32::from(sequence).wrapping_mul(160).to_be_bytes());
    out.extend(ssrc.to_be_bytes());
    out.extend((0..160).map(|n: u32| (n + u32::from(sequence)) as u8));
    let len = out.len();
    out.resize(len + GROWTH, 0xee);
    (out, len)
}

fn sealed(by: &mut Srtp, ssrc: u32, sequence: u16) -> Vec<u8> {
    let (mut buf, len) = packet(ssrc, sequence);
    let len = by.protect(&mut buf, len).unwrap();
    buf.truncate(len);
    buf
}

fn opened(by: &mut Srtp, sealed: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut buf = sealed.to_vec();
    let len = by.unprotect(&mut buf)?;
    buf.truncate(len);
    Ok(buf)
}

fn plain(ssrc: u32, sequence: u16) -> Vec<u8> {
    let (mut buf, len) = packet(ssrc, sequence);
    buf.truncate(len);
    buf
}

/// A sender report of 28 bytes and a description.
fn report(ssrc: u32) -> (Vec<u8>, usize) {
    let mut out = vec![0x80, 200, 0, 6];
    out.extend(ssrc.to_be_bytes());
    out.extend(0..20);
    out.extend([0x81, 202, 0, 2]);
    out.extend(ssrc.to_be_bytes());
    out.extend([1, 1, b'x', 0]);
    let len = out.len();
    out.resize(len + GROWTH, 0xee);
    (out, len)
}

#[test]
fn what_one_end_seals_the_other_opens_in_every_suite() {
    let grown = [16, 16, 10, 10, 4, 4];
    for (suite, grown) in SrtpSuite::ALL.into_iter().zip(grown) {
        let (mut a, mut b) = ends(suite);
        for sequence in 100..110 {
            let there = sealed(&mut a, 7, sequence);
            assert_eq!(there.len(), 172 + grown, "{suite:?}");
            assert_eq!(there[..12], plain(7, sequence)[..12], "the header stays readable");
            assert_ne!(there[12..172], plain(7, sequence)[12..]);
            assert_eq!(opened(&mut b, &there), Ok(plain(7, sequence)), "{suite:?}");
            let back = sealed(&mut b, 8, sequence);
            assert_eq!(opened(&mut a, &back), Ok(plain(8, sequence)));
            let ours = sealed(&mut a, 9, sequence);
            assert_eq!(opened(&mut a, &ours), Err(Refused::Forged), "our own, sent back");
        }
    }
}

#[test]
fn reports_are_sealed_with_an_index_and_a_full_tag() {
    let grown = [20, 20, 14, 14, 14, 14];
    for (suite, grown) in SrtpSuite::ALL.into_iter().zip(grown) {
        let (mut a, mut b) = ends(suite);
        for _ in 0..3 {
            let (mut buf, len) = report(7);
            let grew = a.protect_rtcp(&mut buf, len).unwrap();
            assert_eq!(grew - len, grown, "{suite:?}");
            buf.truncate(grew);
            let mut wire = buf.clone();
            assert_eq!(b.unprotect_rtcp(&mut wire), Ok(len));
            assert_eq!(wire[..len], report(7).0[..len]);
            assert_eq!(b.unprotect_rtcp(&mut buf.clone()), Err(Refused::Stale));
            for at in 0..buf.len() {
                let mut changed = buf.clone();
                changed[at] ^= 1;
                assert!(b.unprotect_rtcp(&mut changed).is_err(), "byte {at} of {suite:?}");
            }
        }
        let (mut buf, len) = report(7);
        assert!(b.unprotect_rtcp(&mut buf[..len]).is_err(), "a report in the clear");
        for cut in 0..len {
            assert!(b.unprotect_rtcp(&mut buf[..cut]).is_err());
        }
    }
}

/// An independent implementation's packets: 128 bits with its key, 256 bits, and GCM.
#[test]
fn packets_of_another_implementation_are_opened_and_made() {
    let plain = "800f1234decafbadcafebabeabababababababababababababababab";
    let plain_report = "81c8000bcafebabeabababababababababababababababab";
    let cases = [
        (
            SrtpSuite::Aes128CmSha1_80,
            "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
            "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
            Some("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"),
        ),
        (
            SrtpSuite::Aes256CmSha1_80,
            "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b63b04803de51ee7c96423ab5b78d2",
            "800f1234decafbadcafebabef1d9de17ff251ff1aa007774b0b4b40da08d9d9a5b3a55d8873b",
            None,
        ),
        (
            SrtpSuite::AeadAes128Gcm,
            "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab",
            "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
            Some("81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001"),
        ),
    ];
    for (suite, master, sealed, report) in cases {
        let master = SrtpKey::new(suite, &hex::decode(master).unwrap()).unwrap();
        let mut both = Srtp::new(&SrtpKeys { send: master, receive: master }).unwrap();
        let sealed = hex::decode(sealed).unwrap();
        assert_eq!(opened(&mut both, &sealed).map(hex::encode), Ok(plain.to_owned()), "{suite:?}");
        let mut buf = hex::decode(plain).unwrap();
        let len = buf.len();
        buf.resize(sealed.len(), 0);
        assert_eq!(both.protect(&mut buf, len), Ok(sealed.len()));
        assert_eq!(buf, sealed);
        let Some(report) = report.map(|report| hex::decode(report).unwrap()) else {
            continue;
        };
        let mut wire = report.clone();
        let len = both.unprotect_rtcp(&mut wire).unwrap();
        assert_eq!(hex::encode(&wire[..len]), plain_report);
        // its first index is 1; ours is 0
        both.send.reports.note(0xcafe_babe, 0);
        wire.truncate(len);
        wire.resize(report.len(), 0);
        assert_eq!(both.protect_rtcp(&mut wire, len), Ok(report.len()));
        assert_eq!(wire, report);
    }
}

#[test]
fn the_rollover_counter_goes_on_over_wraps_loss_and_disorder() {
    for suite in SrtpSuite::ALL {
        let (mut a, mut b) = ends(suite);
        let mut held: Vec<(u16, Vec<u8>)> = Vec::new();
        // three wraps in steps that leave out most, each fourth packet comes two later
        for n in 0..3_000u32 {
            let sequence = (65_000 + n * 67) as u16;
            let wire = sealed(&mut a, 7, sequence);
            if n % 4 == 0 {
                held.push((sequence, wire));
                continue;
            }
            assert_eq!(opened(&mut b, &wire), Ok(plain(7, sequence)), "{suite:?} {n}");
            if n % 4 == 2
                && let Some((sequence, wire)) = held.pop()
            {
                // more than the window behind: two steps of 67
                assert_eq!(opened(&mut b, &wire), Err(Refused::Stale), "{sequence}");
            }
        }
        assert_eq!(b.receive.streams.newest(7).map(|newest| newest >> 16), Some(4), "{suite:?}");
    }
}

#[test]
fn late_packets_of_before_the_wrap_are_taken_once() {
    let (mut a, mut b) = ends(SrtpSuite::Aes128CmSha1_32);
    let wires: Vec<_> = (0..120u16).map(|n| (n, sealed(&mut a, 7, 65_500u16.wrapping_add(n)))).collect();
    opened(&mut b, &wires[0].1).unwrap();
    opened(&mut b, &wires[119].1).unwrap();
    for (n, wire) in wires.iter().skip(1).take(118).rev() {
        assert_eq!(opened(&mut b, wire), Ok(plain(7, 65_500u16.wrapping_add(*n))));
        assert_eq!(opened(&mut b, wire), Err(Refused::Stale), "replayed {n}");
    }
}

#[test]
fn no_byte_may_change_and_a_forgery_moves_nothing() {
    for suite in SrtpSuite::ALL {
        let (mut a, mut b) = ends(suite);
        opened(&mut b, &sealed(&mut a, 7, 65_535)).unwrap();
        let right = sealed(&mut a, 7, 0);
        for at in 0..right.len() {
            let mut changed = right.clone();
            changed[at] ^= 0x10;
            assert!(opened(&mut b, &changed).is_err(), "byte {at} of {suite:?}");
        }
        for cut in 0..right.len() {
            assert!(opened(&mut b, &right[..cut]).is_err());
        }
        assert!(opened(&mut b, &plain(7, 1)).is_err(), "plain RTP");
        assert_eq!(opened(&mut b, &right), Ok(plain(7, 0)), "after all that");
    }
}

#[test]
fn a_number_is_sealed_once_and_the_room_is_asked_for_first() {
    let (mut a, _) = ends(SrtpSuite::AeadAes256Gcm);
    let (mut buf, len) = packet(7, 5);
    assert_eq!(a.protect(&mut buf[..len + 15], len), Err(Refused::NoRoom));
    assert_eq!(buf[..len], plain(7, 5), "untouched");
    sealed(&mut a, 7, 5);
    assert_eq!(a.protect(&mut buf, len), Err(Refused::Stale), "two payloads under one keystream");
    assert_eq!(buf[..len], plain(7, 5));
    assert_eq!(a.protect(&mut packet(7, 65_535).0, 172), Err(Refused::Exhausted), "before the first of all");
}

#[test]
fn a_key_secures_no_more_than_it_may() {
    let (mut a, _) = ends(SrtpSuite::Aes128CmSha1_80);
    a.send.streams.note(7, (1 << 48) - 1);
    let (mut buf, len) = packet(7, 0);
    assert_eq!(a.protect(&mut buf, len), Err(Refused::Exhausted));
    a.send.reports.note(7, (1 << 31) - 1);
    let (mut buf, len) = report(7);
    assert_eq!(a.protect_rtcp(&mut buf, len), Err(Refused::Exhausted));
}

#[test]
fn a_peer_that_names_its_key_is_heard_and_one_with_another_name_is_not() {
    for suite in [SrtpSuite::Aes128CmSha1_80, SrtpSuite::AeadAes128Gcm] {
        let (mut a, _) = ends(suite);
        let named = key(suite, 1).named(Mki { value: 0x0102, len: 2 }).unwrap();
        let mut b = Srtp::new(&SrtpKeys { send: key(suite, 2), receive: named }).unwrap();
        let tag = if suite == SrtpSuite::AeadAes128Gcm { 0 } else { 10 };
        let put = |wire: &[u8], name: [u8; 2]| {
            let (head, end) = wire.split_at(wire.len() - tag);
            [head, &name, end].concat()
        };
        let wire = sealed(&mut a, 7, 5);
        assert_eq!(opened(&mut b, &put(&wire, [1, 3])), Err(Refused::Forged));
        assert_eq!(opened(&mut b, &put(&wire, [1, 2])), Ok(plain(7, 5)), "{suite:?}");
        let (mut buf, len) = report(7);
        let grew = a.protect_rtcp(&mut buf, len).unwrap();
        let mut wire = put(&buf[..grew], [1, 2]);
        assert_eq!(b.unprotect_rtcp(&mut wire), Ok(len));
        assert_eq!(wire[..len], report(7).0[..len]);
    }
}

#[test]
fn a_new_key_of_the_peer_leaves_our_counters_and_its_own_may_begin_again_or_go_on() {
    for suite in SrtpSuite::ALL {
        let (mut a, mut b) = ends(suite);
        for n in 0..5u32 {
            let sequence = (n * 20_000) as u16;
            opened(&mut b, &sealed(&mut a, 7, sequence)).unwrap();
            sealed(&mut b, 8, sequence);
        }
        let next = key(suite, 3);
        b.rekey(&SrtpKeys { send: key(suite, 2), receive: next }, &mut Stock::new(OpusConfig::default()));
        assert_eq!(b.send.streams.newest(8), Some(80_000), "the same key goes on");
        assert_eq!(opened(&mut b, &sealed(&mut a, 7, 14_465)), Err(Refused::Forged), "the old key is gone");
        let again = || SrtpKeys { send: next, receive: key(suite, 2) };
        let mut fresh = Srtp::new(&again()).unwrap();
        assert_eq!(opened(&mut b, &sealed(&mut fresh, 7, 14_470)), Ok(plain(7, 14_470)), "{suite:?}");
        b.rekey(
            &SrtpKeys { send: key(suite, 2), receive: key(suite, 4) },
            &mut Stock::new(OpusConfig::default()),
        );
        let mut goes_on = Srtp::new(&SrtpKeys { send: key(suite, 4), receive: key(suite, 2) }).unwrap();
        goes_on.send.streams.note(7, 80_000);
        // known by its last count, which was begun again: zero
        b.receive.streams.note(7, 80_000);
        b.receive.streams = b.receive.streams.remembered();
        assert_eq!(opened(&mut b, &sealed(&mut goes_on, 7, 14_471)), Ok(plain(7, 14_471)), "{suite:?}");
        assert_eq!(b.receive.streams.newest(7), Some(65_536 + 14_471));
    }
}

#[test]
fn csrc_and_extension_stay_readable_and_lying_lengths_are_refused() {
    let (mut a, mut b) = ends(SrtpSuite::Aes128CmSha1_80);
    let mut buf = b"\x91\x00\x00\x05\0\0\0\x01\0\0\0\x07CSRC\xbe\xde\0\x01extnpayload".to_vec();
    let (clear, before) = (buf.clone(), buf.len());
    buf.resize(before + GROWTH, 0);
    let len = a.protect(&mut buf, before).unwrap();
    assert_eq!(buf[..24], clear[..24]);
    assert_ne!(buf[24..before], clear[24..]);
    assert_eq!(opened(&mut b, &buf[..len]), Ok(clear.clone()));
    let mut lies = clear;
    lies[19] = 200;
    let len = lies.len();
    assert_eq!(a.protect(&mut lies, len), Err(Refused::Malformed));
    assert_eq!(opened(&mut b, &lies), Err(Refused::Malformed));
}
