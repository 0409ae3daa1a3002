//! What is refused by name, and what old, wrong or hostile peers send.

use cordboard_model::cause::Cause;
use cordboard_sip::engine::SipCommand;
use cordboard_sip::wire::HeaderName;

use crate::bench::{
    Bench, PHONE, TRUNK, ack, addr, header, invite, line, local, our_tag, reply, request, sdp,
};

fn outside(method: &str) -> String {
    request(method, &format!("z9hG4bK{method}"), &format!("1 {method}"), "", "")
}

#[test]
fn options_says_what_we_can_to_everybody() {
    let mut bench = Bench::new();
    for user in ["1001", "9999"] {
        let text = outside("OPTIONS").replace("sip:100@", &format!("sip:{user}@"));
        let text = text.replace("z9hG4bKO", &format!("z9hG4bK{user}")).replace("call-1", user);
        bench.recv(PHONE, &text);
        let ok = bench.one();
        assert_eq!(line(&ok), "200 OPTIONS");
        assert!(ok.allow().count() > 3);
        assert!(header(&ok, HeaderName::Accept).contains("application/sdp"));
        assert!(!our_tag(&ok).is_empty());
    }
    bench.settle();
}

#[test]
fn methods_we_do_not_take_are_405_with_allow() {
    for method in ["PUBLISH", "DANCE"] {
        let mut bench = Bench::new();
        bench.recv(TRUNK, &outside(method));
        let refusal = bench.one();
        assert_eq!(refusal.status(), Some(405), "{method}");
        assert!(!header(&refusal, HeaderName::Allow).contains(method));
        bench.settle();
    }
}

#[test]
fn requests_for_calls_we_do_not_have_are_481_and_an_ack_is_silence() {
    let mut bench = Bench::new();
    for method in ["BYE", "INFO", "INVITE", "OPTIONS", "UPDATE"] {
        let text = request(method, &format!("z9hG4bKx{method}"), &format!("1 {method}"), "gone", "");
        bench.recv(TRUNK, &text);
        assert_eq!(bench.one().status(), Some(481), "{method}");
    }
    bench.recv(TRUNK, &outside("BYE"));
    assert_eq!(bench.lines(), ["481 BYE"]);
    bench.recv(TRUNK, &outside("CANCEL"));
    assert_eq!(bench.lines(), ["481 CANCEL"]);
    bench.recv(TRUNK, &outside("NOTIFY"));
    assert_eq!(bench.lines(), ["481 NOTIFY"]);
    bench.recv(TRUNK, &outside("REFER"));
    assert_eq!(bench.lines(), ["403 REFER"]);
    bench.recv(TRUNK, &request("ACK", "z9hG4bKa", "1 ACK", "gone", ""));
    assert_eq!(bench.lines(), [""; 0]);
    bench.settle();
}

#[test]
fn a_request_of_another_call_with_our_tag_is_not_in_the_dialog() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let bye = request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), "");
    bench.recv(TRUNK, &bye.replace("call-1@", "call-2@"));
    assert_eq!(bench.lines(), ["481 BYE"]);
    bench.recv(TRUNK, &bye.replace("z9hG4bK9", "z9hG4bK8").replace("tag=far", "tag=other"));
    assert_eq!(bench.lines(), ["481 BYE"]);
    assert!(bench.engine.is_live(session));
}

#[test]
fn a_request_out_of_order_is_500() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let tag = our_tag(&ok);
    bench.recv(TRUNK, &request("OPTIONS", "z9hG4bK5", "5 OPTIONS", &tag, ""));
    assert_eq!(bench.lines(), ["200 OPTIONS"]);
    bench.recv(TRUNK, &request("BYE", "z9hG4bK6", "4 BYE", &tag, ""));
    assert_eq!(bench.lines(), ["500 BYE"]);
    assert!(bench.engine.is_live(session));
}

#[test]
fn a_repeated_request_gets_the_same_answer_and_counts_once() {
    let mut bench = Bench::new();
    let (_, ok) = bench.up();
    let bye = request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), "");
    bench.recv(TRUNK, &bye);
    let first = bench.one();
    bench.recv(TRUNK, &bye);
    assert_eq!(bench.one(), first);
    assert_eq!(bench.told(), ["Ended normal peer"]);
    bench.settle();
}

#[test]
fn a_request_that_came_by_two_ways_is_482_the_second_time() {
    let mut bench = Bench::new();
    bench.called();
    bench.recv(TRUNK, &invite("z9hG4bKother", &sdp(4000)));
    assert_eq!(bench.lines(), ["482 INVITE"]);
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn an_unknown_extension_is_420_and_named() {
    let mut bench = Bench::new();
    for method in ["OPTIONS", "INVITE"] {
        let text = outside(method).replace(
            "Max-Forwards",
            "Require: 100rel, precondition, path, nothingSupportsThis\nMax-Forwards",
        );
        bench.recv(TRUNK, &text);
        let refusal = bench.one();
        assert_eq!(refusal.status(), Some(420));
        assert_eq!(header(&refusal, HeaderName::Unsupported), "precondition, nothingSupportsThis");
    }
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn no_hops_left_is_483_and_a_strange_scheme_416() {
    let mut bench = Bench::new();
    bench.recv(TRUNK, &invite("z9hG4bK1", &sdp(4000)).replace("Forwards: 70", "Forwards: 0"));
    assert_eq!(bench.lines(), ["483 INVITE"]);
    bench.recv(TRUNK, &outside("OPTIONS").replace("OPTIONS sip:100@192.0.2.1", "OPTIONS http://192.0.2.1"));
    assert_eq!(bench.lines(), ["416 OPTIONS"]);
}

#[test]
fn bodies_we_do_not_read_are_415_and_peers_that_do_not_read_ours_406() {
    let mut bench = Bench::new();
    let strange = invite("z9hG4bK1", &sdp(4000)).replace("application/sdp", "application/xml");
    bench.recv(TRUNK, &strange);
    let refusal = bench.one();
    assert_eq!(refusal.status(), Some(415));
    assert!(header(&refusal, HeaderName::Accept).contains("application/sdp"));
    let deaf = invite("z9hG4bK2", &sdp(4000)).replace("Max-F", "Accept: text/plain\nMax-F");
    bench.recv(TRUNK, &deaf.replace("call-1", "call-2"));
    assert_eq!(bench.lines(), ["406 INVITE"]);
    let zipped = invite("z9hG4bK3", &sdp(4000)).replace("Max-F", "Content-Encoding: gzip\nMax-F");
    bench.recv(TRUNK, &zipped.replace("call-1", "call-3"));
    assert_eq!(bench.lines(), ["415 INVITE"]);
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn digits_come_by_info() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let tag = our_tag(&ok);
    let info = |n: u32, kind: &str, body: &str| {
        let text = request("INFO", &format!("z9hG4bKi{n}"), &format!("{n} INFO"), &tag, body);
        text.replace("application/sdp", kind)
    };
    bench.recv(TRUNK, &info(2, "application/dtmf-relay", "Signal=#\nDuration=100\n"));
    bench.recv(TRUNK, &info(3, "application/dtmf", "7"));
    bench.recv(TRUNK, &info(4, "application/dtmf-relay", "Signal=boo\n"));
    bench.recv(TRUNK, &info(5, "application/unknown", "x"));
    bench.recv(TRUNK, &info(6, "", ""));
    assert_eq!(bench.lines(), ["200 INFO", "200 INFO", "400 INFO", "415 INFO", "200 INFO"]);
    assert_eq!(bench.told(), ["Digit #", "Digit 7"]);
    bench.recv(TRUNK, &request("PUBLISH", "z9hG4bKu", "7 PUBLISH", &tag, ""));
    assert_eq!(bench.lines(), ["405 PUBLISH"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn answers_go_to_the_sent_by_port_at_the_source_address() {
    let mut bench = Bench::new();
    let text = outside("OPTIONS").replace("UDP 198.51.100.7:5060", "UDP phone.example.com:5066");
    bench.recv("203.0.113.9:40000", &text);
    let (flow, ok) = bench.take().remove(0);
    assert_eq!(flow.remote, addr("203.0.113.9:5066"));
    assert_eq!(ok.via_top().unwrap().received(), Some(addr("203.0.113.9:1").ip()));
    assert_eq!(ok.via_top().unwrap().rport(), None);
}

#[test]
fn a_multicast_address_in_a_via_is_not_sent_to() {
    let mut bench = Bench::new();
    let text = outside("OPTIONS").replace(";branch", ";maddr=239.255.255.1;branch");
    bench.recv(TRUNK, &text);
    assert_eq!(bench.take()[0].0.remote, addr(TRUNK));
}

#[test]
fn damaged_requests_are_answered_and_damaged_noise_is_not() {
    let mut bench = Bench::new();
    bench.recv(TRUNK, &invite("z9hG4bK1", "").replace("CSeq: 1 INVITE", "CSeq: 1 BYE"));
    let refusal = bench.one();
    assert_eq!(refusal.status(), Some(400));
    for noise in ["", "\r\n\r\n", "hello", "SIP/2.0 200 OK\n\n", "INVITE\n\n", "\u{0}\u{0}"] {
        bench.recv(TRUNK, noise);
    }
    bench.recv_bytes(TRUNK, &[0xff; 3_000]);
    assert_eq!(bench.lines(), [""; 0]);
    assert!(bench.engine.is_quiescent());
}

#[test]
fn a_stray_response_is_dropped() {
    let mut bench = Bench::new();
    let (_, invite) = bench.dial();
    let strange = crate::bench::reply(&invite, 200, "far", &sdp(4000));
    let top = invite.header(&HeaderName::Via).unwrap().to_owned();
    bench.recv(TRUNK, &strange.replace(&top, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnope"));
    bench.recv(TRUNK, &strange.replacen("Via: ", &format!("Via: {top}\r\nVia: "), 1));
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn an_invite_of_rfc_2543_is_matched_without_a_branch() {
    let mut bench = Bench::new();
    let old = invite("z9hG4bK1", &sdp(4000)).replace(";branch=z9hG4bK1", "");
    bench.recv(TRUNK, &old);
    assert_eq!(bench.lines(), ["100 INVITE"]);
    bench.recv(TRUNK, &old);
    assert_eq!(bench.lines(), ["100 INVITE"], "repeated, not new");
    let session = bench.take_events()[0].session();
    bench.hang_up(session, Cause::Busy);
    let busy = bench.one();
    let ack = request("ACK", "x", "1 ACK", &our_tag(&busy), "").replace(";branch=x", "");
    bench.recv(TRUNK, &ack);
    bench.wait(5_000);
    assert_eq!(bench.lines(), [""; 0], "the ACK ends the repetitions");
    bench.settle();
}

#[test]
fn an_ack_of_a_200_with_the_branch_of_its_invite_is_taken() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    let ours = local(30_000);
    bench.command(SipCommand::Answer { session, local: ours });
    let ok = bench.one();
    bench.recv(TRUNK, &ack(&ok).replace("z9hG4bKack", "z9hG4bK1"));
    assert_eq!(bench.told(), ["MediaSettled", "Confirmed"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_phone_that_moved_is_reached_at_its_new_address() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let again = request("INVITE", "z9hG4bK2", "2 INVITE", &our_tag(&ok), &sdp(4000));
    let again = again.replace("4711@198.51.100.7:5060", "4711@198.51.100.8:5099");
    bench.recv("198.51.100.8:5099", &again);
    let answer = bench.take().remove(0).1;
    bench.recv("198.51.100.8:5099", &ack(&answer));
    bench.take_events();
    bench.hang_up(session, Cause::Normal);
    let (flow, bye) = bench.take().remove(0);
    assert_eq!(flow.remote, addr("198.51.100.8:5099"));
    assert_eq!(bye.request_uri().unwrap().to_string(), "sip:4711@198.51.100.8:5099");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let run = || {
        let mut bench = Bench::new();
        let (session, _) = bench.up();
        let (other, _) = bench.dialled();
        bench.command(SipCommand::Hold { session: other, on: true });
        bench.hang_up(session, Cause::Normal);
        bench.wait(40_000);
        bench.bytes
    };
    assert_eq!(run(), run());
}

#[test]
fn keys_leave_by_info_one_at_a_time_in_their_order() {
    let mut bench = Bench::new();
    let (session, _) = bench.up();
    bench.take();
    let send = |bench: &mut Bench, digit| bench.command(SipCommand::Digit { session, digit, length_ms: 80 });
    for digit in ['5', '#', 'A'] {
        send(&mut bench, digit);
    }
    let mut told = Vec::new();
    for status in [200, 415, 200] {
        let (_, info) = bench.take().remove(0);
        assert!(bench.take().is_empty(), "the next waits for the answer");
        assert_eq!(header(&info, HeaderName::ContentType), "application/dtmf-relay");
        told.push(String::from_utf8(info.body.clone()).unwrap());
        bench.recv(TRUNK, &reply(&info, status, "", ""));
    }
    assert_eq!(
        told,
        ["Signal=5\r\nDuration=80\r\n", "Signal=#\r\nDuration=80\r\n", "Signal=A\r\nDuration=80\r\n"],
        "one that is refused costs its key alone"
    );
    assert!(bench.take().is_empty());
    send(&mut bench, '1');
    send(&mut bench, '2');
    bench.take();
    bench.wait(40_000);
    assert_eq!(bench.told(), [""; 0], "who does not answer INFO still talks");
    assert!(bench.lines().iter().all(|line| !line.contains("Signal")));
    send(&mut bench, '3');
    let (_, info) = bench.take().remove(0);
    bench.recv(TRUNK, &reply(&info, 481, "", ""));
    assert_eq!(bench.told(), ["Ended unreachable peer 481"]);
    bench.settle();
}

#[test]
fn a_key_before_the_answer_goes_nowhere() {
    let mut bench = Bench::new();
    let call = bench.called();
    bench.take();
    bench.command(SipCommand::Digit { session: call.session, digit: '5', length_ms: 80 });
    assert!(bench.take().is_empty());
    bench.hang_up(call.session, Cause::Normal);
    bench.settle();
}
