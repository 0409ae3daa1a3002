//! Two associations against each other over a line that loses and repeats; certificates; what a peer must not get away with. The
//! other end in whole calls is a browser's.

use super::association::{Association, Step};
use super::certificate::{Curve, digest_of, public_key};
use super::{Identity, is_dtls};
use cordboard_model::path::{DtlsRole, DtlsTerms, Fingerprint, FingerprintHash, PathFault};
use cordboard_model::srtp::SrtpKeys;
use cordboard_model::time::{Duration, Time};
use std::collections::VecDeque;
use std::time::Instant;

fn identity() -> Identity {
    Identity::new(Instant::now()).unwrap()
}

fn named(identity: &Identity, hash: FingerprintHash) -> Fingerprint {
    Fingerprint { hash, digest: digest_of(identity.der(), hash).as_ref().to_vec() }
}

#[test]
fn a_certificate_is_read_back_and_a_damaged_one_never_panics() {
    let ours = identity();
    let (curve, point) = public_key(ours.der()).unwrap();
    assert_eq!((curve, point.len(), point[0]), (Curve::P256, 65, 4));
    assert_eq!(ours.fingerprint(), digest_of(ours.der(), FingerprintHash::Sha256).as_ref());
    for cut in 0..ours.der().len() {
        assert_eq!(public_key(&ours.der()[..cut]), None);
        let mut damaged = ours.der().to_vec();
        damaged[cut] ^= 0xff;
        let _ = public_key(&damaged);
    }
    assert_ne!(ours.fingerprint(), identity().fingerprint(), "each run has its own");
}

/// What becomes of a datagram on the way: how often it arrives.
type Line = fn(usize) -> usize;

/// A handshake; what each end got, and how many datagrams there were.
fn shake(
    client: DtlsTerms,
    server: DtlsTerms,
    ids: [&Identity; 2],
    proved: bool,
    line: Line,
) -> ([Option<Step>; 2], usize) {
    let mut now = Time::from_millis(5);
    let mut ends =
        [Association::new(ids[0], &client, proved, now), Association::new(ids[1], &server, proved, now)];
    let mut out = [VecDeque::new(), VecDeque::new()];
    let mut got: [Option<Step>; 2] = [None, None];
    let mut sent = 0;
    let mut note = |at: usize, step: Step| {
        if step != Step::Goes {
            got[at] = Some(step);
        }
    };
    note(0, ends[0].tick(now, &mut out[0]));
    for _ in 0..3_000 {
        for from in [0, 1] {
            while let Some(datagram) = out[from].pop_front() {
                assert!(is_dtls(&datagram) && datagram.len() <= 1_200, "{} bytes", datagram.len());
                for _ in 0..line(sent) {
                    note(1 - from, ends[1 - from].hear(&datagram, now, &mut out[1 - from]));
                }
                sent += 1;
            }
            if ends[from].due().is_some_and(|due| due <= now) {
                note(from, ends[from].tick(now, &mut out[from]));
            }
        }
        now = now + Duration::from_millis(10);
    }
    (got, sent)
}

fn terms(role: DtlsRole, theirs: Fingerprint) -> DtlsTerms {
    DtlsTerms { role, theirs }
}

fn keys(step: Option<Step>) -> SrtpKeys {
    match step {
        Some(Step::Keys(keys)) => keys,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_ends_of_a_handshake_have_the_same_two_keys_also_over_a_bad_line() {
    let (a, b) = (identity(), identity());
    let lines: [(bool, Line); 4] =
        [(true, |_| 1), (false, |_| 1), (true, |n| usize::from(n % 3 != 0)), (true, |n| 1 + n % 2)];
    for (at, (proved, line)) in lines.into_iter().enumerate() {
        let hash = FingerprintHash::ALL[at % 3];
        let client = terms(DtlsRole::Client, named(&b, hash));
        let server = terms(DtlsRole::Server, named(&a, hash));
        let (got, sent) = shake(client, server, [&a, &b], proved, line);
        let (here, there) = (keys(got[0]), keys(got[1]));
        assert_eq!((here.send, here.receive), (there.receive, there.send));
        assert_ne!(here.send, here.receive);
        assert!(sent <= 40, "{sent} datagrams");
    }
}

#[test]
fn a_certificate_that_signalling_did_not_name_gets_no_keys() {
    let (a, b, other) = (identity(), identity(), identity());
    let hash = FingerprintHash::Sha256;
    let deceived = |client: &Identity, server: &Identity| {
        let client = terms(DtlsRole::Client, named(client, hash));
        let server = terms(DtlsRole::Server, named(server, hash));
        shake(client, server, [&a, &b], true, |_| 1).0
    };
    let wrong = Some(Step::Failed(PathFault::WrongCertificate));
    assert_eq!(deceived(&other, &a)[0], wrong);
    assert_eq!(deceived(&b, &other)[1], wrong);
}

#[test]
fn noise_and_a_peer_that_never_answers_give_no_keys_and_end() {
    let a = identity();
    let mut now = Time::from_millis(5);
    let theirs = named(&a, FingerprintHash::Sha256);
    let mut out = VecDeque::new();
    let mut server = Association::new(&a, &terms(DtlsRole::Server, theirs.clone()), false, now);
    for n in 0..2_000u32 {
        let mut noise: Vec<u8> = (0..n % 300).map(|i| (i.wrapping_mul(n) >> 3) as u8).collect();
        noise.splice(0..0, [22, 254, 253, 0, 0]);
        assert_eq!(server.hear(&noise, now, &mut out), Step::Goes, "{n}");
    }
    assert!(out.len() <= 2, "answered {} times", out.len());
    let mut client = Association::new(&a, &terms(DtlsRole::Client, theirs), true, now);
    let (mut last, mut sent) = (client.tick(now, &mut out), 0);
    for _ in 0..10_000 {
        now = now + Duration::from_millis(10);
        if client.due().is_some_and(|due| due <= now) {
            out.clear();
            last = client.tick(now, &mut out);
            sent += out.len();
        }
        if last != Step::Goes {
            break;
        }
    }
    assert_eq!(last, Step::Failed(PathFault::Handshake));
    assert!(client.due().is_none() && sent < 20, "{sent}");
}
