//! The messages of RFC 4475 and RFC 5118 at the engine: each gets an answer the RFC accepts.

use std::path::Path;

use cordboard_sip::engine::SipEvent;

use crate::bench::{Bench, SWITCH, TRUNK, line};

/// Final answers that fit, by file; none means silence. Those from a trunk's address, so that no
/// challenge stands before what is tested.
const EXPECTED: &[(&str, &[u16])] = &[
    ("rfc4475/wsinv.dat", &[481]),
    ("rfc4475/intmeth.dat", &[405, 501]),
    ("rfc4475/esc02.dat", &[405, 501]),
    ("rfc4475/escnull.dat", &[401]),
    ("rfc4475/lwsdisp.dat", &[200]),
    ("rfc4475/dblreq.dat", &[401]),
    ("rfc4475/semiuri.dat", &[200]),
    ("rfc4475/transports.dat", &[200]),
    ("rfc4475/mpart01.dat", &[401]),
    ("rfc4475/unreason.dat", &[]),
    ("rfc4475/noreason.dat", &[]),
    ("rfc4475/badinv01.dat", &[400]),
    ("rfc4475/clerr.dat", &[400]),
    ("rfc4475/ncl.dat", &[400]),
    ("rfc4475/scalar02.dat", &[400]),
    ("rfc4475/scalarlg.dat", &[]),
    ("rfc4475/quotbal.dat", &[400]),
    ("rfc4475/ltgtruri.dat", &[400]),
    ("rfc4475/lwsruri.dat", &[400]),
    ("rfc4475/regbadct.dat", &[400, 401]),
    ("rfc4475/badvers.dat", &[505]),
    ("rfc4475/mismatch01.dat", &[400]),
    ("rfc4475/mismatch02.dat", &[400, 405, 501]),
    ("rfc4475/bigcode.dat", &[]),
    ("rfc4475/badbranch.dat", &[200, 400]),
    ("rfc4475/insuf.dat", &[400]),
    ("rfc4475/unkscm.dat", &[416]),
    ("rfc4475/novelsc.dat", &[416]),
    ("rfc4475/unksm2.dat", &[400]),
    ("rfc4475/bext01.dat", &[420]),
    ("rfc4475/invut.dat", &[415]),
    ("rfc4475/regaut01.dat", &[401]),
    ("rfc4475/multi01.dat", &[400]),
    ("rfc4475/mcl01.dat", &[400]),
    ("rfc4475/bcast.dat", &[]),
    ("rfc4475/zeromf.dat", &[200, 483]),
    ("rfc4475/cparam01.dat", &[401]),
    ("rfc4475/cparam02.dat", &[401]),
    ("rfc4475/regescrt.dat", &[401]),
    ("rfc4475/sdp01.dat", &[406]),
];

/// INVITEs that make a call.
const CALLS: &[&str] =
    &["rfc4475/esc01.dat", "rfc4475/longreq.dat", "rfc4475/inv2543.dat", "rfc4475/baddate.dat"];

fn read(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/torture");
    std::fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn torture_messages_get_an_answer_that_the_rfc_accepts() {
    let mut wrong = Vec::new();
    for (file, expected) in EXPECTED {
        let mut bench = Bench::new();
        bench.recv_bytes(TRUNK, &read(file));
        let codes: Vec<u16> = bench.take().iter().filter_map(|(_, m)| m.status()).collect();
        let fits = match codes.as_slice() {
            [] => expected.is_empty(),
            [code] => expected.contains(code),
            _ => false,
        };
        if !fits || !bench.told().is_empty() {
            wrong.push(format!("{file}: {codes:?}, not {expected:?}"));
        }
        bench.settle();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tortured_invites_that_are_valid_make_a_call() {
    for file in CALLS {
        let mut bench = Bench::new();
        bench.recv_bytes(TRUNK, &read(file));
        let sent = bench.take();
        let lines: Vec<String> = sent.iter().map(|(_, m)| line(m)).collect();
        assert_eq!(lines, ["100 INVITE"], "{file}");
        let events = bench.take_events();
        assert!(matches!(&events[..], [SipEvent::Incoming(_)]), "{file}: {events:?}");
        bench.hang_up(events[0].session(), cordboard_model::cause::Cause::Busy);
        bench.settle();
    }
}

#[test]
fn every_torture_message_leaves_the_engine_able_to_take_a_call() {
    let mut bench = Bench::new();
    for folder in ["rfc4475", "rfc5118"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/torture");
        let mut files: Vec<_> =
            std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 12, "{folder}");
        for file in files {
            bench.recv_bytes("203.0.113.77:5060", &std::fs::read(file).unwrap());
        }
    }
    let refused = SWITCH.replace("192.0.2.1", "255.255.255.255");
    assert!(bench.take().iter().all(|(flow, _)| flow.remote.to_string() != refused));
    bench.take_events();
    bench.up();
}
