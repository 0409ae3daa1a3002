//! Session timers (RFC 4028) and UPDATE (RFC 3311).

use cordboard_model::cause::Cause;
use cordboard_sip::engine::{SessionId, SipCommand};
use cordboard_sip::wire::{HeaderName, Message};

use crate::bench::{Bench, TRUNK, ack, header, invite, line, local, our_tag, reply, request, sdp, sdp_with};

fn with(text: &str, headers: &str) -> String {
    text.replace("Max-Forwards", &format!("{headers}\nMax-Forwards"))
}

/// A call that is up after an INVITE with these headers.
fn up(bench: &mut Bench, headers: &str) -> (SessionId, Message) {
    bench.recv(TRUNK, &with(&invite("z9hG4bK1", &sdp(4000)), headers));
    assert_eq!(bench.lines(), ["100 INVITE"]);
    let session = bench.take_events()[0].session();
    bench.command(SipCommand::Answer { session, local: local(30_000) });
    let ok = bench.one();
    bench.recv(TRUNK, &ack(&ok));
    bench.take_events();
    (session, ok)
}

/// A call of ours, answered with these headers.
fn dialled(bench: &mut Bench, headers: &str) -> (SessionId, Message) {
    let (session, invite) = bench.dial();
    bench.recv(
        TRUNK,
        &reply(&invite, 200, "far", &sdp(4000)).replace("CSeq:", &format!("{headers}\r\nCSeq:")),
    );
    assert_eq!(bench.lines(), ["ACK"]);
    bench.take_events();
    (session, invite)
}

#[test]
fn who_refreshes_is_settled_by_table_2() {
    // what the caller says, what we answer, whether we require the timer
    for (says, answer, required) in [
        ("Supported: timer\nSession-Expires: 600", "600;refresher=uac", true),
        ("Supported: timer\nSession-Expires: 600;refresher=uac", "600;refresher=uac", true),
        ("Supported: timer\nSession-Expires: 600;refresher=uas", "600;refresher=uas", false),
        ("Session-Expires: 600", "600;refresher=uas", false),
        ("Supported: timer\nSession-Expires: 90000", "1800;refresher=uac", true),
        ("Supported: timer\nSession-Expires: 90000\nMin-SE: 3600", "3600;refresher=uac", true),
        ("Supported: timer", "1800;refresher=uas", false),
        ("Session-Expires: 30", "90;refresher=uas", false),
        ("Supported: nothing", "", false),
    ] {
        let mut bench = Bench::new();
        let (session, ok) = up(&mut bench, says);
        assert_eq!(header(&ok, HeaderName::SessionExpires), answer, "{says}");
        assert_eq!(ok.require().any(|tag| tag == "timer"), required, "{says}");
        bench.hang_up(session, Cause::Normal);
        bench.settle();
    }
}

/// "The UAS MUST include a Min-SE header field with the value of its minimum interval" (9).
#[test]
fn too_brief_an_interval_is_422_with_the_least() {
    let mut bench = Bench::new();
    bench.recv(TRUNK, &with(&invite("z9hG4bK1", &sdp(4000)), "Supported: timer\nSession-Expires: 60"));
    let refusal = bench.one();
    assert_eq!(line(&refusal), "422 INVITE");
    assert_eq!(header(&refusal, HeaderName::MinSe), "90");
    assert_eq!(bench.told(), [""; 0]);
    bench.settle();
}

#[test]
fn a_peer_that_should_refresh_and_does_not_is_gone_before_the_interval_ends() {
    let mut bench = Bench::new();
    let (_, ok) = up(&mut bench, "Supported: timer\nSession-Expires: 90;refresher=uac");
    bench.wait(59_000);
    // it does, by UPDATE, and the time begins anew
    let update = request("UPDATE", "z9hG4bKu", "2 UPDATE", &our_tag(&ok), "");
    bench.recv(TRUNK, &with(&update, "Supported: timer\nSession-Expires: 90;refresher=uac"));
    let answer = bench.one();
    assert_eq!(line(&answer), "200 UPDATE");
    assert_eq!(header(&answer, HeaderName::SessionExpires), "90;refresher=uac");
    bench.wait(59_000);
    assert_eq!(bench.lines(), [""; 0]);
    bench.wait(1_000);
    let bye = bench.one();
    assert_eq!(line(&bye), "BYE");
    assert!(header(&bye, HeaderName::Reason).contains("cause=408"));
    assert_eq!(bench.told(), ["Ended unreachable peer 408"]);
    bench.settle();
}

#[test]
fn we_refresh_by_update_at_half_of_the_interval_where_the_peer_takes_it() {
    let mut bench = Bench::new();
    let more = "Allow: INVITE, UPDATE\r\nSession-Expires: 100;refresher=uac";
    let (session, invite) = dialled(&mut bench, more);
    assert_eq!(header(&invite, HeaderName::SessionExpires), "1800");
    assert!(invite.supported().any(|tag| tag == "timer"));
    for _ in 0..3 {
        bench.wait(49_999);
        assert_eq!(bench.lines(), [""; 0]);
        bench.wait(1);
        let update = bench.one();
        assert_eq!(line(&update), "UPDATE");
        assert!(update.body.is_empty());
        assert_eq!(header(&update, HeaderName::SessionExpires), "100;refresher=uac");
        let ok =
            reply(&update, 200, "far", "").replace("CSeq:", "Session-Expires: 100;refresher=uac\r\nCSeq:");
        bench.recv(TRUNK, &ok);
    }
    assert_eq!(bench.told(), [""; 0], "nobody is told of a refresh");
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn we_refresh_by_re_invite_with_the_same_description_where_the_peer_knows_no_update() {
    let mut bench = Bench::new();
    let (session, invite) = dialled(&mut bench, "Session-Expires: 100;refresher=uac");
    bench.wait(50_000);
    let again = bench.one();
    assert_eq!(line(&again), "INVITE");
    assert_eq!(again.body, invite.body, "unchanged, with its version");
    bench.recv(TRUNK, &reply(&again, 491, "far", ""));
    bench.wait(5_000);
    assert_eq!(bench.lines()[..2], ["ACK", "INVITE"], "two re-INVITEs crossed: ours comes again");
    bench.hang_up(session, Cause::Normal);
    let mut bench = Bench::new();
    let (session, _) = dialled(&mut bench, "Session-Expires: 100;refresher=uac");
    bench.wait(50_000);
    let again = bench.one();
    let ok =
        reply(&again, 200, "far", &sdp(4000)).replace("CSeq:", "Session-Expires: 100;refresher=uac\r\nCSeq:");
    bench.recv(TRUNK, &ok);
    assert_eq!(bench.lines(), ["ACK"]);
    bench.wait(49_999);
    assert_eq!(bench.lines(), [""; 0]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_refresh_that_nobody_answers_ends_the_session() {
    let mut bench = Bench::new();
    dialled(&mut bench, "Allow: UPDATE\r\nSession-Expires: 100;refresher=uac");
    bench.wait(50_000);
    bench.take();
    bench.wait(32_000);
    assert!(bench.lines().iter().any(|line| line == "BYE"));
    assert_eq!(bench.told(), ["Ended unreachable peer 408"]);
    bench.settle();
}

#[test]
fn a_refresh_that_is_refused_is_tried_again_before_the_end() {
    let mut bench = Bench::new();
    let (session, _) = dialled(&mut bench, "Allow: UPDATE\r\nSession-Expires: 100;refresher=uac");
    bench.wait(50_000);
    let update = bench.one();
    bench.recv(TRUNK, &reply(&update, 500, "far", ""));
    bench.wait(9_000);
    let update = bench.one();
    bench.recv(TRUNK, &reply(&update, 405, "far", ""));
    assert_eq!(bench.lines(), ["INVITE"], "it says that it takes UPDATE, and does not");
    assert!(bench.engine.is_live(session));
}

#[test]
fn a_422_to_our_invite_is_asked_for_longer_once() {
    let mut bench = Bench::new();
    let (session, first) = bench.dial();
    let brief = |invite: &Message, least: u32| {
        reply(invite, 422, "far", "").replace("CSeq:", &format!("Min-SE: {least}\r\nCSeq:"))
    };
    bench.recv(TRUNK, &brief(&first, 7_200));
    let sent = bench.take();
    assert_eq!(line(&sent[0].1), "ACK");
    let second = &sent[1].1;
    assert_eq!(header(second, HeaderName::SessionExpires), "7200");
    assert_eq!(header(second, HeaderName::MinSe), "7200");
    assert_eq!(second.cseq().unwrap().seq, first.cseq().unwrap().seq + 1);
    assert_eq!(second.call_id().unwrap(), first.call_id().unwrap());
    bench.recv(TRUNK, &brief(second, 7_200));
    assert_eq!(bench.lines(), ["ACK"]);
    assert!(bench.told()[0].starts_with("Ended"), "who asks for the same again is answered no more");
    assert!(!bench.engine.is_live(session));
    bench.settle();
}

#[test]
fn an_offer_in_an_update_changes_the_session_and_one_we_cannot_serve_does_not() {
    let mut bench = Bench::new();
    let (session, ok) = up(&mut bench, "Supported: nothing");
    let tag = our_tag(&ok);
    let held = sdp_with(4000, "a=sendonly\r\n");
    bench.recv(TRUNK, &request("UPDATE", "z9hG4bKu2", "2 UPDATE", &tag, &held));
    let answer = bench.one();
    assert_eq!(line(&answer), "200 UPDATE");
    assert!(String::from_utf8_lossy(&answer.body).contains("a=recvonly"));
    assert_eq!(bench.told(), ["Renegotiated RecvOnly held=true"]);
    let fax = sdp(4000).replace("m=audio 4000 RTP/AVP 8 101", "m=image 4000 udptl t38");
    bench.recv(TRUNK, &request("UPDATE", "z9hG4bKu3", "3 UPDATE", &tag, &fax));
    let refusal = bench.one();
    assert_eq!(line(&refusal), "488 UPDATE");
    assert!(header(&refusal, HeaderName::Warning).starts_with("304 192.0.2.1 "));
    assert_eq!(bench.told(), [""; 0]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

/// A fax machine tries T.38 and the call goes on in G.711.
#[test]
fn a_re_invite_to_t38_is_488_with_a_warning_and_the_call_goes_on() {
    let mut bench = Bench::new();
    let (session, ok) = up(&mut bench, "Supported: nothing");
    let fax = sdp(4000).replace("m=audio 4000 RTP/AVP 8 101", "m=image 4000 udptl t38");
    bench.recv(TRUNK, &request("INVITE", "z9hG4bK2", "2 INVITE", &our_tag(&ok), &fax));
    let refusal = bench.one();
    assert_eq!(line(&refusal), "488 INVITE");
    assert!(header(&refusal, HeaderName::Warning).starts_with("304 192.0.2.1 \""));
    bench.recv(TRUNK, &request("ACK", "z9hG4bK2", "2 ACK", &our_tag(&ok), ""));
    assert!(bench.engine.is_live(session));
    assert_eq!(bench.told(), [""; 0]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}
