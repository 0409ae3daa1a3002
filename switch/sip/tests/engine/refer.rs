//! REFER (RFC 3515, 4488) and Replaces (RFC 3891).

use cordboard_model::cause::Cause;
use cordboard_sip::engine::{Refer, SessionId, SipCommand, SipEvent};
use cordboard_sip::wire::{HeaderName, Message};

use crate::bench::{Bench, TRUNK, header, invite, line, local, our_tag, reply, request, sdp};

/// A REFER in the trunk's call with these headers.
fn refer(ok: &Message, cseq: u32, headers: &str) -> String {
    let text = request("REFER", &format!("z9hG4bKr{cseq}"), &format!("{cseq} REFER"), &our_tag(ok), "");
    text.replace("Max-Forwards", &format!("{headers}\nMax-Forwards"))
}

fn asked(bench: &mut Bench) -> Refer {
    match bench.take_events().as_slice() {
        [SipEvent::Refer { refer, .. }] => (**refer).clone(),
        other => panic!("{other:?}"),
    }
}

fn result(bench: &mut Bench, session: SessionId, ticket: u32, status: u16) {
    bench.command(SipCommand::ReferResult { session, ticket, status });
}

/// First line of the fragment and the state of the subscription.
fn notified(message: &Message) -> (String, String) {
    assert_eq!(line(message), "NOTIFY");
    assert_eq!(header(message, HeaderName::ContentType), "message/sipfrag;version=2.0");
    let fragment = String::from_utf8(message.body.clone()).unwrap();
    (fragment.trim_end().to_owned(), header(message, HeaderName::SubscriptionState))
}

/// "the Event header field values MUST contain an id parameter" (2.4.6); "The final NOTIFY ... MUST indicate the
/// subscription has been "terminated" with a reason of "noresource"" (2.4.7).
#[test]
fn a_refer_is_accepted_and_told_of_what_becomes_of_it() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    bench.recv(TRUNK, &refer(&ok, 2, "Refer-To: \"Bob\" <sip:1002@example.com>\nReferred-By: <sip:4711@x>"));
    let wanted = asked(&mut bench);
    assert_eq!((wanted.to.user.as_str(), wanted.to.display.as_str()), ("1002", "Bob"));
    assert_eq!(
        (wanted.host.as_str(), wanted.by.as_deref(), wanted.replaces),
        ("example.com", Some("4711"), None)
    );
    assert_eq!(bench.lines(), [""; 0]);
    result(&mut bench, session, wanted.ticket, 100);
    let sent = bench.take();
    assert_eq!(line(&sent[0].1), "202 REFER");
    let first = &sent[1].1;
    assert_eq!(notified(first), ("SIP/2.0 100 Trying".into(), "active;expires=600".into()));
    assert_eq!(header(first, HeaderName::Event), "refer;id=2");
    // the next word waits for the answer to the one before
    result(&mut bench, session, wanted.ticket, 180);
    assert_eq!(bench.lines(), [""; 0]);
    bench.recv(TRUNK, &reply(first, 200, "far", ""));
    let ringing = bench.one();
    assert_eq!(notified(&ringing).0, "SIP/2.0 180 Ringing");
    // the last word waits for nothing
    result(&mut bench, session, wanted.ticket, 200);
    let last = bench.one();
    assert_eq!(notified(&last), ("SIP/2.0 200 OK".into(), "terminated;reason=noresource".into()));
    bench.recv(TRUNK, &reply(&ringing, 200, "far", ""));
    bench.recv(TRUNK, &reply(&last, 200, "far", ""));
    bench.hang_up(session, Cause::Transferred);
    let bye = bench.one();
    assert_eq!(line(&bye), "BYE");
    bench.recv(TRUNK, &reply(&bye, 200, "far", ""));
    bench.settle();
}

#[test]
fn a_refused_refer_makes_no_subscription() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    bench.recv(TRUNK, &refer(&ok, 2, "Refer-To: sip:1002@example.com"));
    let wanted = asked(&mut bench);
    result(&mut bench, session, wanted.ticket, 403);
    assert_eq!(bench.lines(), ["403 REFER"]);
    result(&mut bench, session, wanted.ticket, 200);
    assert_eq!(bench.lines(), [""; 0]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_refer_that_cannot_be_read_is_refused_by_what_is_wrong_with_it() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let cases = [
        ("Subject: x", "400"),
        ("Refer-To: <sip:1@example.com>\nRefer-To: <sip:2@example.com>", "400"),
        ("Refer-To: <sip:1@example.com", "400"),
        ("Refer-To: <http://example.com/>", "416"),
        ("Refer-To: <sip:example.com>", "416"),
        ("Refer-To: <sip:1@example.com;method=BYE>", "501"),
        ("Refer-To: <sip:1@example.com?Replaces=abc>", "400"),
    ];
    for (at, (headers, status)) in cases.iter().enumerate() {
        bench.recv(TRUNK, &refer(&ok, u32::try_from(at).unwrap() + 2, headers));
        assert_eq!(bench.lines(), [format!("{status} REFER")], "{headers}");
        assert_eq!(bench.told(), [""; 0], "{headers}");
    }
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

/// RFC 4488 4.
#[test]
fn a_refer_without_subscription_gets_no_notify() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    bench.recv(TRUNK, &refer(&ok, 2, "Refer-To: <sip:1002@example.com>\nRefer-Sub: false"));
    let wanted = asked(&mut bench);
    result(&mut bench, session, wanted.ticket, 100);
    let accepted = bench.one();
    assert_eq!(line(&accepted), "202 REFER");
    assert_eq!(header(&accepted, HeaderName::ReferSub), "false");
    result(&mut bench, session, wanted.ticket, 200);
    assert_eq!(bench.lines(), [""; 0]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_peer_that_refuses_a_notify_is_told_nothing_more_and_keeps_its_call() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    bench.recv(TRUNK, &refer(&ok, 2, "Refer-To: <sip:1002@example.com>"));
    let wanted = asked(&mut bench);
    result(&mut bench, session, wanted.ticket, 100);
    let notify = bench.take().remove(1).1;
    bench.recv(TRUNK, &reply(&notify, 481, "far", ""));
    result(&mut bench, session, wanted.ticket, 180);
    result(&mut bench, session, wanted.ticket, 200);
    assert_eq!(bench.lines(), [""; 0]);
    assert!(bench.engine.is_live(session));
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

/// "It is RECOMMENDED that a 487 (Request Terminated) response be generated to those pending requests." (RFC 3261 15.1.2)
#[test]
fn a_bye_that_crosses_a_refer_answers_both() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    bench.recv(TRUNK, &refer(&ok, 2, "Refer-To: <sip:1002@example.com>"));
    let wanted = asked(&mut bench);
    bench.recv(TRUNK, &request("BYE", "z9hG4bKb", "3 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE", "487 REFER"]);
    result(&mut bench, session, wanted.ticket, 100);
    assert_eq!(bench.lines(), [""; 0]);
    bench.settle();
}

#[test]
fn a_refer_names_the_dialog_that_the_other_party_is_to_take() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let escaped = format!("call-1%40carrier.example%3Bto-tag%3D{}%3Bfrom-tag%3Dfar", our_tag(&ok));
    bench.recv(TRUNK, &refer(&ok, 2, &format!("Refer-To: <sip:100@192.0.2.1?Replaces={escaped}>")));
    let replaces = asked(&mut bench).replaces.unwrap();
    assert_eq!(bench.engine.replaced(&replaces), Some(session));
    let other = cordboard_sip::wire::Replaces { from_tag: "near".into(), ..replaces };
    assert_eq!(bench.engine.replaced(&other), None);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

/// An INVITE that wants to take a place.
fn taking(replaces: &str) -> String {
    let text = invite("z9hG4bKt", &sdp(4100)).replace("call-1@", "call-2@").replace("tag=far", "tag=new");
    text.replace("Max-Forwards", &format!("{replaces}\nMax-Forwards"))
}

#[test]
fn an_invite_takes_the_place_of_a_dialog_that_is_up_or_rings() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let replaces =
        format!("Require: replaces\nReplaces: call-1@carrier.example;to-tag={};from-tag=far", our_tag(&ok));
    bench.recv(TRUNK, &taking(&replaces));
    let taker = match bench.take_events().as_slice() {
        [SipEvent::Incoming(call)] => (call.session, call.replaces),
        other => panic!("{other:?}"),
    };
    assert_eq!(taker.1, Some(session));
    bench.lines();
    bench.hang_up(taker.0, Cause::Forbidden);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
    bench.take();

    let (ringing, ours) = bench.dial();
    let (call_id, tag) = (header(&ours, HeaderName::CallId), ours.from_().unwrap().tag().unwrap().to_owned());
    bench.recv(TRUNK, &reply(&ours, 180, "rings", ""));
    bench.take_events();
    bench.recv(TRUNK, &taking(&format!("Replaces: {call_id};to-tag={tag};from-tag=rings;early-only")));
    match bench.take_events().as_slice() {
        [SipEvent::Incoming(call)] => assert_eq!(call.replaces, Some(ringing)),
        other => panic!("{other:?}"),
    }
    bench.command(SipCommand::Shutdown);
    bench.recv(TRUNK, &reply(&ours, 487, "rings", ""));
    bench.settle();
}

/// RFC 3891 3.
#[test]
fn an_invite_that_finds_no_place_is_refused_by_the_rules_of_replaces() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    let tag = our_tag(&ok);
    for (replaces, status) in [
        (format!("Replaces: call-1@carrier.example;to-tag={tag};from-tag=far;early-only"), "486"),
        (format!("Replaces: call-1@carrier.example;to-tag={tag};from-tag=other"), "481"),
        ("Replaces: call-9@carrier.example;to-tag=1;from-tag=2".to_owned(), "481"),
        ("Replaces: call-1@carrier.example;to-tag=1".to_owned(), "400"),
        (format!("Replaces: a;to-tag={tag};from-tag=far\nReplaces: b;to-tag={tag};from-tag=far"), "400"),
    ] {
        bench.recv(TRUNK, &taking(&replaces));
        assert_eq!(bench.lines(), [format!("{status} INVITE")], "{replaces}");
        bench.wait(40_000);
        bench.take();
    }
    bench.hang_up(session, Cause::Normal);
    bench.settle();
    bench.take();
    bench.take_events();
    // a call of theirs that is not answered
    let call = bench.called();
    bench.command(SipCommand::Ring { session: call.session });
    let tag = our_tag(&bench.one());
    bench.recv(TRUNK, &taking(&format!("Replaces: call-1@carrier.example;to-tag={tag};from-tag=far")));
    assert_eq!(bench.lines(), ["481 INVITE"]);
    bench.command(SipCommand::Answer { session: call.session, local: local(30_000) });
    bench.hang_up(call.session, Cause::Normal);
    bench.settle();
}
