//! Provisional responses that arrive for certain (RFC 3262), ours and a peer's.

use cordboard_model::cause::Cause;
use cordboard_sip::engine::{SessionId, SipCommand};
use cordboard_sip::wire::{HeaderName, Message};

use crate::bench::{Bench, TRUNK, ack, header, invite, line, local, our_tag, reply, request, sdp};

/// An INVITE that says this of 100rel, up to Incoming.
fn called(bench: &mut Bench, says: &str) -> SessionId {
    let text =
        invite("z9hG4bK1", &sdp(4000)).replace("Max-Forwards", &format!("{says}: 100rel\nMax-Forwards"));
    bench.recv(TRUNK, &text);
    assert_eq!(bench.lines(), ["100 INVITE"]);
    bench.take_events()[0].session()
}

fn prack(response: &Message, n: u32, rack: &str) -> String {
    let text = request("PRACK", &format!("z9hG4bKp{n}"), &format!("{n} PRACK"), &our_tag(response), "");
    text.replace("Max-Forwards", &format!("RAck: {rack}\nMax-Forwards"))
}

fn rack_of(response: &Message) -> String {
    format!("{} 1 INVITE", header(response, HeaderName::RSeq))
}

#[test]
fn a_caller_who_requires_100rel_gets_every_provisional_response_for_certain() {
    let mut bench = Bench::new();
    let session = called(&mut bench, "Require");
    bench.command(SipCommand::Ring { session });
    let ringing = bench.one();
    assert_eq!(header(&ringing, HeaderName::Require), "100rel");
    let rseq: u32 = header(&ringing, HeaderName::RSeq).parse().unwrap();
    assert!((1..=0x7fff_ffff).contains(&rseq));
    // lost: it comes again after T1, then 2 * T1
    bench.wait(499);
    assert_eq!(bench.lines(), [""; 0]);
    bench.wait(1);
    assert_eq!(bench.lines(), ["180 INVITE"]);
    bench.wait(1_000);
    let again = bench.one();
    assert_eq!(again.to_bytes(), ringing.to_bytes());
    // what comes meanwhile waits
    bench.command(SipCommand::EarlyMedia { session, local: local(30_000) });
    assert_eq!(bench.lines(), [""; 0]);
    bench.recv(TRUNK, &prack(&ringing, 2, &rack_of(&ringing)));
    let sent = bench.take();
    let lines: Vec<String> = sent.iter().map(|(_, message)| line(message)).collect();
    assert_eq!(lines, ["200 PRACK", "183 INVITE"]);
    let progress = &sent[1].1;
    assert_eq!(header(progress, HeaderName::RSeq), (rseq + 1).to_string());
    assert!(!progress.body.is_empty());
    // a repeated PRACK is one for nothing that waits
    bench.recv(TRUNK, &prack(progress, 3, &rack_of(&ringing)));
    assert_eq!(bench.lines(), ["481 PRACK"]);
    bench.recv(TRUNK, &prack(progress, 4, &rack_of(progress)));
    assert_eq!(bench.lines(), ["200 PRACK"]);
    bench.wait(40_000);
    assert_eq!(bench.lines(), [""; 0], "acknowledged, it is not repeated");
    bench.command(SipCommand::Answer { session, local: local(30_000) });
    let ok = bench.one();
    bench.recv(TRUNK, &ack(&ok));
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_caller_who_is_not_answered_for_minutes_is_told_anew_what_he_has_acknowledged() {
    let mut bench = Bench::new();
    let session = called(&mut bench, "Require");
    bench.command(SipCommand::EarlyMedia { session, local: local(30_000) });
    let first = bench.one();
    bench.recv(TRUNK, &prack(&first, 2, &rack_of(&first)));
    assert_eq!(bench.lines(), ["200 PRACK"]);
    bench.wait(60_000);
    let second = bench.one();
    let rseq = |message: &Message| header(message, HeaderName::RSeq).parse::<u32>().unwrap();
    assert_eq!((line(&second).as_str(), rseq(&second)), ("183 INVITE", rseq(&first) + 1));
    bench.recv(TRUNK, &prack(&second, 3, &rack_of(&second)));
    assert_eq!(bench.lines(), ["200 PRACK"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn an_answer_waits_for_the_prack_of_a_description_and_not_for_that_of_a_ring() {
    let mut bench = Bench::new();
    let session = called(&mut bench, "Supported");
    bench.command(SipCommand::Ring { session });
    assert_eq!(header(&bench.one(), HeaderName::Require), "", "a ring without description needs no PRACK");
    bench.command(SipCommand::EarlyMedia { session, local: local(30_000) });
    let progress = bench.one();
    assert_eq!(header(&progress, HeaderName::Require), "100rel");
    bench.command(SipCommand::Answer { session, local: local(30_000) });
    assert_eq!(bench.lines(), [""; 0]);
    bench.recv(TRUNK, &prack(&progress, 2, &rack_of(&progress)));
    assert_eq!(bench.lines(), ["200 PRACK", "200 INVITE"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();

    let mut bench = Bench::new();
    let session = called(&mut bench, "Require");
    bench.command(SipCommand::Ring { session });
    bench.take();
    bench.command(SipCommand::Answer { session, local: local(30_000) });
    assert_eq!(bench.lines(), ["200 INVITE"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn without_a_prack_the_call_is_refused_in_the_end() {
    let mut bench = Bench::new();
    let session = called(&mut bench, "Require");
    bench.command(SipCommand::Ring { session });
    bench.wait(32_000);
    let lines = bench.lines();
    assert_eq!(lines.last().unwrap(), "504 INVITE");
    assert_eq!(lines.iter().filter(|line| *line == "180 INVITE").count(), 7);
    assert_eq!(bench.told(), ["Ended protocol_error peer 504"]);
    bench.settle();
}

#[test]
fn a_cancel_while_a_prack_is_missing_ends_the_repeating() {
    let mut bench = Bench::new();
    let session = called(&mut bench, "Require");
    bench.command(SipCommand::Ring { session });
    bench.take();
    bench.recv(TRUNK, &request("CANCEL", "z9hG4bK1", "1 CANCEL", "", ""));
    assert_eq!(bench.lines(), ["200 CANCEL", "487 INVITE"]);
    bench.recv(TRUNK, &request("ACK", "z9hG4bK1", "1 ACK", "x", ""));
    bench.wait(100_000);
    assert_eq!(bench.lines(), [""; 0]);
    bench.settle();
}

/// A reliable response of the peer.
fn reliable(invite: &Message, code: u16, tag: &str, rseq: u32, body: &str) -> String {
    reply(invite, code, tag, body).replace("CSeq:", &format!("Require: 100rel\r\nRSeq: {rseq}\r\nCSeq:"))
}

#[test]
fn a_peers_reliable_responses_are_acknowledged_in_order_and_once() {
    let mut bench = Bench::new();
    let (session, invite) = bench.dial();
    assert!(invite.supported().any(|tag| tag == "100rel"));
    bench.recv(TRUNK, &reliable(&invite, 180, "far", 7, ""));
    let first = bench.one();
    let seq = invite.cseq().unwrap().seq;
    assert_eq!(line(&first), "PRACK");
    assert_eq!(header(&first, HeaderName::RAck), format!("7 {seq} INVITE"));
    assert_eq!(first.cseq().unwrap().seq, seq + 1);
    bench.recv(TRUNK, &reply(&first, 200, "far", ""));
    // again, and one before its time
    bench.recv(TRUNK, &reliable(&invite, 180, "far", 7, ""));
    bench.recv(TRUNK, &reliable(&invite, 183, "far", 9, &sdp(4000)));
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.told(), ["Ringing"], "what is not acknowledged is not heard of");
    bench.recv(TRUNK, &reliable(&invite, 183, "far", 8, &sdp(4000)));
    let second = bench.one();
    assert_eq!(header(&second, HeaderName::RAck), format!("8 {seq} INVITE"));
    assert_eq!(second.cseq().unwrap().seq, seq + 2);
    bench.recv(TRUNK, &reply(&second, 200, "far", ""));
    assert_eq!(bench.told(), ["EarlyMedia"]);
    // another device of a fork counts for itself
    bench.recv(TRUNK, &reliable(&invite, 180, "other", 100, ""));
    let other = bench.one();
    assert_eq!(header(&other, HeaderName::RAck), format!("100 {seq} INVITE"));
    bench.recv(TRUNK, &reply(&other, 200, "other", ""));
    bench.recv(TRUNK, &reply(&invite, 200, "far", &sdp(4000)));
    let ack = bench.one();
    assert_eq!(ack.cseq().unwrap().seq, seq);
    bench.hang_up(session, Cause::Normal);
    let bye = bench.one();
    assert_eq!(bye.cseq().unwrap().seq, seq + 3, "the numbers of the early dialog are not used twice");
    bench.recv(TRUNK, &reply(&bye, 200, "far", ""));
    bench.settle();
}
