//! Hold by the peer in three ways, hold by us, and both at once.

use cordboard_model::cause::Cause;
use cordboard_model::media::Direction;
use cordboard_sip::engine::{SipCommand, SipEvent};

use crate::bench::{Bench, TRUNK, ack, line, local, our_tag, reply, request, sdp, sdp_with};

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn the_peer_holds_us_in_three_ways_and_takes_us_back() {
    let plain = sdp(4000);
    let ways = [
        (sdp_with(4000, "a=sendonly\r\n"), "a=recvonly", "RecvOnly"),
        (sdp_with(4000, "a=inactive\r\n"), "a=inactive", "Inactive"),
        (plain.replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0"), "a=recvonly", "RecvOnly"),
    ];
    for (held, ours, direction) in ways {
        let mut bench = Bench::new();
        let (session, ok) = bench.up();
        let tag = our_tag(&ok);
        bench.recv(TRUNK, &request("INVITE", "z9hG4bK2", "2 INVITE", &tag, &held));
        let answer = bench.one();
        assert_eq!(line(&answer), "200 INVITE");
        let body = text(&answer.body);
        assert!(body.contains(ours), "{body}");
        assert!(body.contains("o=- 7 2 IN IP4 192.0.2.1"), "version grows: {body}");
        assert!(body.contains("m=audio 30000 "), "our address stays: {body}");
        assert_eq!(bench.told(), [format!("Renegotiated {direction} held=true")]);
        bench.recv(TRUNK, &ack(&answer));
        bench.recv(TRUNK, &request("INVITE", "z9hG4bK3", "3 INVITE", &tag, &plain));
        let answer = bench.one();
        assert!(text(&answer.body).contains("o=- 7 3 IN"));
        bench.recv(TRUNK, &ack(&answer));
        assert_eq!(bench.told(), ["Renegotiated SendRecv held=false"]);
        bench.hang_up(session, Cause::Normal);
        bench.settle();
    }
}

#[test]
fn a_re_invite_that_cannot_be_served_leaves_the_call_as_it_was() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let other = sdp(4000).replace("RTP/AVP 8 101", "RTP/AVP 18");
    bench.recv(TRUNK, &request("INVITE", "z9hG4bK2", "2 INVITE", &our_tag(&ok), &other));
    assert_eq!(bench.lines(), ["488 INVITE"]);
    assert_eq!(bench.told(), [""; 0]);
    assert!(bench.engine.is_live(session));
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_re_invite_without_offer_gets_our_description_again() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    bench.recv(TRUNK, &request("INVITE", "z9hG4bK2", "2 INVITE", &our_tag(&ok), ""));
    let offer = bench.one();
    assert_eq!(offer.body, ok.body, "unchanged, with its version");
    let answer = ack(&offer).replace("\n\n", &format!("\nContent-Type: application/sdp\n\n{}", sdp(4002)));
    bench.recv(TRUNK, &answer);
    let events = bench.take_events();
    let [SipEvent::Renegotiated { media, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(media.stream.remote.port(), 4002);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn we_hold_the_peer_and_take_it_back() {
    let mut bench = Bench::new();
    let (session, _) = bench.dialled();
    bench.command(SipCommand::Hold { session, on: true });
    let invite = bench.one();
    assert!(text(&invite.body).contains("a=sendonly"));
    assert!(text(&invite.body).contains("o=- 7 2 IN"));
    bench.recv(TRUNK, &reply(&invite, 200, "far", &sdp_with(4000, "a=recvonly\r\n")));
    assert_eq!(bench.lines(), ["ACK"]);
    assert_eq!(bench.told(), ["Renegotiated SendOnly held=false", "HoldDone true true"]);
    bench.command(SipCommand::Hold { session, on: true });
    assert_eq!(bench.told(), ["HoldDone true true"], "it is held already");
    bench.command(SipCommand::Hold { session, on: false });
    let invite = bench.one();
    assert!(text(&invite.body).contains("a=sendrecv"));
    bench.recv(TRUNK, &reply(&invite, 200, "far", &sdp(4000)));
    assert_eq!(bench.told(), ["Renegotiated SendRecv held=false", "HoldDone false true"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_hold_that_is_refused_changes_nothing() {
    let mut bench = Bench::new();
    let (session, _) = bench.dialled();
    bench.command(SipCommand::Hold { session, on: true });
    let invite = bench.one();
    bench.recv(TRUNK, &reply(&invite, 488, "far", ""));
    assert_eq!(bench.lines(), ["ACK"]);
    assert_eq!(bench.told(), ["HoldDone true false"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_hold_during_a_hold_waits_its_turn() {
    let mut bench = Bench::new();
    let (session, _) = bench.dialled();
    bench.command(SipCommand::Hold { session, on: true });
    let first = bench.one();
    bench.command(SipCommand::Hold { session, on: false });
    assert_eq!(bench.lines(), [""; 0]);
    bench.recv(TRUNK, &reply(&first, 200, "far", &sdp_with(4000, "a=recvonly\r\n")));
    assert_eq!(bench.lines(), ["ACK", "INVITE"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn glare_is_491_on_both_sides_and_we_try_again_after_a_while() {
    let mut bench = Bench::new();
    let (session, _) = bench.dialled();
    bench.command(SipCommand::Hold { session, on: true });
    let ours = bench.one();
    // the peer's re-INVITE in the dialog that we made
    let theirs = format!(
        "INVITE sip:cordboard@192.0.2.1 SIP/2.0\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKglare\n\
         From: {}\nTo: {}\nCall-ID: {}\nCSeq: 9 INVITE\n\
         Contact: <sip:900@198.51.100.7:5060>\nContent-Type: application/sdp\n\n{}",
        ours.to().unwrap(),
        ours.from_().unwrap(),
        ours.call_id().unwrap(),
        sdp_with(4000, "a=sendonly\r\n"),
    );
    bench.recv(TRUNK, &theirs);
    let refusal = bench.one();
    assert_eq!(line(&refusal), "491 INVITE");
    bench.recv(TRUNK, &theirs.replace("INVITE sip", "ACK sip").replace("9 INVITE", "9 ACK"));
    bench.recv(TRUNK, &reply(&ours, 491, "far", ""));
    assert_eq!(bench.lines(), ["ACK"]);
    bench.wait(2_090);
    assert_eq!(bench.lines(), [""; 0], "the owner of the Call-ID waits 2.1 s or more");
    bench.wait(1_920);
    let again = bench.take().remove(0).1;
    assert_eq!(line(&again), "INVITE");
    assert!(text(&again.body).contains("a=sendonly"));
    bench.recv(TRUNK, &reply(&again, 200, "far", &sdp_with(4000, "a=recvonly\r\n")));
    assert_eq!(bench.told(), ["Renegotiated SendOnly held=false", "HoldDone true true"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_peer_that_forgot_the_call_ends_it() {
    let mut bench = Bench::new();
    let (session, _) = bench.dialled();
    bench.command(SipCommand::Hold { session, on: true });
    let invite = bench.one();
    bench.recv(TRUNK, &reply(&invite, 481, "far", ""));
    assert_eq!(bench.lines(), ["ACK", "BYE"]);
    assert_eq!(bench.told(), ["Ended unreachable peer 481"]);
    bench.settle();
}

#[test]
fn a_hold_before_the_answer_is_not_done() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    bench.command(SipCommand::Hold { session, on: true });
    assert_eq!(bench.told(), ["HoldDone true false"]);
    bench.hang_up(session, Cause::Busy);
    bench.settle();
}

#[test]
fn a_hold_before_the_ack_waits_for_it() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    let ours = local(30_000);
    bench.command(SipCommand::Answer { session, local: ours });
    let ok = bench.one();
    bench.command(SipCommand::Hold { session, on: true });
    assert_eq!(bench.lines(), [""; 0]);
    bench.recv(TRUNK, &ack(&ok));
    let invite = bench.one();
    assert_eq!(line(&invite), "INVITE");
    assert!(Direction::SendOnly.sends() && text(&invite.body).contains("a=sendonly"));
    bench.hang_up(session, Cause::Normal);
    bench.take();
    // the re-INVITE's 200 comes when the session is gone: still acknowledged
    bench.recv(TRUNK, &reply(&invite, 200, "far", &sdp(4000)));
    assert_eq!(bench.lines()[0], "ACK");
    bench.settle();
}
