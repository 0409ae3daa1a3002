//! A call to several contacts at once.

use cordboard_model::cause::Cause;
use cordboard_model::leg::PartyId;
use cordboard_sip::engine::{Credentials, Dest, Flow, SessionId, SipCommand, SipConfig};
use cordboard_sip::wire::{HeaderName, Message, Uri};

use crate::bench::{Bench, SWITCH, TRUNK, addr, header, line, local, reply, sdp, user};
use crate::registrar::register;

const PHONES: [&str; 2] = ["203.0.113.5:5060", "203.0.113.6:1024"];

fn forked() -> (Bench, SessionId, Vec<Message>) {
    let mut bench = Bench::new();
    for (n, phone) in PHONES.iter().enumerate() {
        let contact = format!("<sip:1001@10.0.0.{n}:5060>");
        assert_eq!(register(&mut bench, phone, "1001", &contact, "").status(), Some(200));
    }
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Aor(user("1001")),
        from: PartyId { user: "4711".into(), display: "Anna \"A\"".into() },
        to: PartyId::new("1001"),
        host: "example.com".into(),
        local: local(30_000),
        told: Box::default(),
    });
    let sent = bench.take();
    let flows: Vec<_> = sent.iter().map(|(flow, _)| flow.remote).collect();
    assert_eq!(flows, PHONES.map(addr), "where they registered from, not what they claim");
    let invites: Vec<Message> = sent.into_iter().map(|(_, message)| message).collect();
    (bench, session, invites)
}

#[test]
fn each_branch_has_its_own_dialog_and_the_same_media() {
    let (_, _, invites) = forked();
    assert_eq!(invites[0].body, invites[1].body);
    assert_ne!(invites[0].call_id(), invites[1].call_id());
    assert_eq!(invites[1].request_uri().unwrap().to_string(), "sip:1001@10.0.0.1:5060");
    assert!(
        header(&invites[0], HeaderName::From).starts_with("\"Anna \\\"A\\\"\" <sip:4711@example.com>;tag=")
    );
}

/// The `c=` line of a description.
fn connection(message: &Message) -> String {
    let text = String::from_utf8_lossy(&message.body).into_owned();
    text.lines().find(|line| line.starts_with("c=")).unwrap_or_default().to_owned()
}

#[test]
fn each_branch_is_told_the_media_address_of_its_own_family_and_the_winner_keeps_it() {
    const PHONES: [&str; 3] = ["203.0.113.5:5060", "[2001:db8::6]:1024", "203.0.113.7:5060"];
    let ours = local(30_000);
    let told = ["c=IN IP6 2001:db8::1".to_owned(), format!("c=IN IP4 {}", ours.addr.ip())];
    for winner in [0, 1] {
        let other = "2001:db8::1".parse().ok();
        let mut bench = Bench::with(SipConfig { media_other: other, ..SipConfig::new(addr(SWITCH)) });
        for (n, phone) in PHONES.iter().enumerate() {
            let contact = format!("<sip:1001@10.0.0.{n}:5060>");
            assert_eq!(register(&mut bench, phone, "1001", &contact, "").status(), Some(200));
        }
        let session = bench.engine.new_session();
        bench.command(SipCommand::Invite {
            session,
            target: Dest::Aor(user("1001")),
            from: PartyId::new("4711"),
            to: PartyId::new("1001"),
            host: "example.com".into(),
            local: ours.clone(),
            told: Box::default(),
        });
        let invites: Vec<(Flow, Message)> = bench.take();
        let is_v4 = |flow: &Flow| usize::from(flow.remote.is_ipv4());
        assert_eq!(invites.len(), 3);
        for (flow, invite) in &invites {
            assert_eq!(connection(invite), told[is_v4(flow)]);
        }
        let (flow, invite) = invites.iter().find(|(flow, _)| flow.remote == addr(PHONES[winner])).unwrap();
        bench.recv(PHONES[winner], &reply(invite, 200, "p", &sdp(4000)));
        bench.take();
        bench.command(SipCommand::Hold { session, on: true });
        let again = bench.one();
        assert_eq!(connection(&again), told[is_v4(flow)], "an address that was told does not change");
    }
}

#[test]
fn the_first_200_wins_and_the_others_are_cancelled_with_the_reason() {
    let (mut bench, session, invites) = forked();
    for (n, invite) in invites.iter().enumerate() {
        bench.recv(PHONES[n], &reply(invite, 180, &format!("p{n}"), ""));
    }
    assert_eq!(bench.told(), ["Ringing"]);
    bench.recv(PHONES[1], &reply(&invites[1], 200, "p1", &sdp(4000)));
    let sent = bench.take();
    let lines: Vec<String> = sent.iter().map(|(_, m)| line(m)).collect();
    assert_eq!(lines, ["ACK", "CANCEL"]);
    assert_eq!(sent[1].0.remote, addr(PHONES[0]));
    let reason = header(&sent[1].1, HeaderName::Reason);
    assert!(reason.starts_with("SIP;cause=200"), "{reason}");
    assert_eq!(bench.told(), ["Answered", "DialogUp"]);
    bench.recv(PHONES[0], &reply(&sent[1].1, 200, "p0", ""));
    bench.recv(PHONES[0], &reply(&invites[0], 487, "p0", ""));
    assert_eq!(bench.lines(), ["ACK"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_late_200_of_a_loser_gets_ack_and_bye() {
    let (mut bench, session, invites) = forked();
    bench.recv(PHONES[0], &reply(&invites[0], 200, "p0", &sdp(4000)));
    assert_eq!(bench.lines(), ["ACK"], "no CANCEL before a provisional response");
    let late = reply(&invites[1], 200, "p1", &sdp(4002));
    bench.recv(PHONES[1], &late);
    let sent = bench.take();
    let lines: Vec<String> = sent.iter().map(|(_, m)| line(m)).collect();
    assert_eq!(lines, ["ACK", "BYE"]);
    assert!(sent.iter().all(|(flow, _)| flow.remote == addr(PHONES[1])));
    bench.recv(PHONES[1], &late);
    assert_eq!(bench.lines(), ["ACK"]);
    assert_eq!(bench.told(), ["Answered", "DialogUp"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_late_200_after_the_winner_has_hung_up_gets_ack_and_bye_too() {
    let (mut bench, session, invites) = forked();
    bench.recv(PHONES[0], &reply(&invites[0], 200, "p0", &sdp(4000)));
    bench.hang_up(session, Cause::Normal);
    bench.take();
    bench.recv(PHONES[1], &reply(&invites[1], 200, "p1", &sdp(4002)));
    assert_eq!(bench.lines(), ["ACK", "BYE"]);
    bench.settle();
}

#[test]
fn two_200s_of_one_branch_are_two_dialogs_and_one_is_ended() {
    let (mut bench, session, invites) = forked();
    bench.recv(PHONES[0], &reply(&invites[0], 200, "a", &sdp(4000)));
    bench.recv(PHONES[0], &reply(&invites[0], 200, "b", &sdp(4000)));
    assert_eq!(bench.lines(), ["ACK", "ACK", "BYE"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn the_call_fails_when_all_have_and_by_the_best_reason() {
    let (mut bench, _, invites) = forked();
    bench.recv(PHONES[0], &reply(&invites[0], 480, "p0", ""));
    assert_eq!(bench.told(), [""; 0]);
    bench.recv(PHONES[1], &reply(&invites[1], 486, "p1", ""));
    assert_eq!(bench.told(), ["Ended busy peer 486"]);
    bench.settle();
}

#[test]
fn a_603_ends_the_other_branches() {
    let (mut bench, _, invites) = forked();
    bench.recv(PHONES[1], &reply(&invites[1], 180, "p1", ""));
    bench.recv(PHONES[0], &reply(&invites[0], 603, "p0", ""));
    let sent = bench.take();
    let lines: Vec<String> = sent.iter().map(|(_, m)| line(m)).collect();
    assert_eq!(lines, ["ACK", "CANCEL"]);
    bench.recv(PHONES[1], &reply(&invites[1], 487, "p1", ""));
    assert_eq!(bench.told(), ["Ringing", "Ended declined peer 603"]);
    bench.settle();
}

#[test]
fn early_media_of_the_first_branch_counts_and_the_answer_of_the_winner() {
    let (mut bench, session, invites) = forked();
    bench.recv(PHONES[0], &reply(&invites[0], 183, "p0", &sdp(4000)));
    bench.recv(PHONES[1], &reply(&invites[1], 183, "p1", &sdp(4002)));
    assert_eq!(bench.told(), ["EarlyMedia"]);
    bench.recv(PHONES[1], &reply(&invites[1], 200, "p1", ""));
    let events = bench.take_events();
    let text = format!("{events:?}");
    assert!(text.contains("198.51.100.7:4002"), "{text}");
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_call_to_nobody_ends_at_once() {
    let mut bench = Bench::new();
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Aor(user("1002")),
        from: PartyId::new("1"),
        to: PartyId::new("1002"),
        host: "example.com".into(),
        local: local(30_000),
        told: Box::default(),
    });
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.told(), ["Ended not_registered us"]);
    bench.settle();
}

fn challenge(invite: &Message) -> String {
    let text = reply(invite, 407, "far", "");
    let header = "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\"\r\nContent-Length";
    text.replacen("Content-Length", header, 1)
}

/// A call that was challenged and goes on with credentials.
fn challenged() -> (Bench, SessionId, Message, fn(&Message) -> String) {
    let mut bench = Bench::new();
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Uri {
            uri: Uri::parse("sip:900@198.51.100.7").unwrap(),
            flow: Flow::udp(addr(SWITCH), addr(TRUNK)),
            routes: Vec::new(),
            credentials: Some(Credentials { username: "us".into(), password: "pw".into() }),
        },
        from: PartyId::new("1"),
        to: PartyId::new("900"),
        host: "example.com".into(),
        local: local(30_000),
        told: Box::default(),
    });
    let first = bench.one();
    bench.recv(TRUNK, &challenge(&first));
    let sent = bench.take();
    let lines: Vec<String> = sent.iter().map(|(_, m)| line(m)).collect();
    assert_eq!(lines, ["ACK", "INVITE"]);
    let second = sent[1].1.clone();
    assert_eq!(second.cseq().unwrap().seq, first.cseq().unwrap().seq + 1);
    assert_eq!(second.call_id(), first.call_id());
    assert!(second.headers.contains(&HeaderName::ProxyAuthorization));
    (bench, session, second, challenge)
}

#[test]
fn a_challenge_is_answered_and_the_ack_has_the_same_credentials() {
    let (mut bench, session, second, _) = challenged();
    bench.recv(TRUNK, &reply(&second, 200, "far", &sdp(4000)));
    let credentials = second.header(&HeaderName::ProxyAuthorization);
    assert_eq!(bench.one().header(&HeaderName::ProxyAuthorization), credentials);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn credentials_that_are_refused_end_the_call() {
    let (mut bench, _, second, challenge) = challenged();
    bench.recv(TRUNK, &challenge(&second));
    assert_eq!(bench.lines(), ["ACK"]);
    assert_eq!(bench.told(), ["Ended forbidden peer 407"]);
    bench.settle();
}
