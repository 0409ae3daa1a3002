//! Calls whose streams are secured by keys in session descriptions (RFC 4568).

use cordboard_model::cause::Cause;
use cordboard_model::leg::PartyId;
use cordboard_model::srtp::{SrtpKeys, SrtpPolicy, SrtpRule};
use cordboard_sip::engine::{Dest, Flow, SessionId, SipCommand, SipConfig, SipEvent, Transport};
use cordboard_sip::sdp::{self, DtlsSelf, Local, LocalVideo, Negotiated, Security};
use cordboard_sip::wire::{HeaderName, Message, Uri};

use crate::bench::{Bench, SWITCH, TRUNK, ack, addr, header, line, local, our_tag, reply, request, sdp};

fn secured(policy: SrtpPolicy, without_tls: bool) -> Local {
    Local { security: Security::new(SrtpRule { policy, without_tls }), ..local(30_000) }
}

fn text(message: &Message) -> String {
    String::from_utf8(message.body.clone()).unwrap()
}

/// The peer's description over secure RTP with a key of one letter repeated.
fn with_key(tag: u32, suite: &str, letter: &str) -> String {
    let line = format!("a=crypto:{tag} {suite} inline:{}\r\n", letter.repeat(40));
    sdp(4000).replace("RTP/AVP", "RTP/SAVP") + &line
}

const OF_80: &str = "AES_CM_128_HMAC_SHA1_80";

/// Calls a peer by a flow of this transport.
fn dial(bench: &mut Bench, transport: Transport, local: Local) -> (SessionId, Vec<(Flow, Message)>) {
    let session = bench.engine.new_session();
    let flow = Flow { transport, local: addr(SWITCH), remote: addr(TRUNK) };
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Uri {
            uri: Uri::parse("sip:900@198.51.100.7").unwrap(),
            flow,
            routes: Vec::new(),
            credentials: None,
        },
        from: PartyId::new("1001"),
        to: PartyId::new("900"),
        host: "example.com".into(),
        local,
        told: Box::default(),
    });
    (session, bench.take())
}

fn settled(event: &SipEvent) -> Option<Negotiated> {
    match event {
        SipEvent::MediaSettled { media, .. } | SipEvent::Answered { media, .. } => Some((**media).clone()),
        _ => None,
    }
}

/// The keys that were told last.
fn keys(bench: &mut Bench) -> Option<SrtpKeys> {
    let events = bench.take_events();
    let told = events.iter().rev().find_map(|event| match event {
        SipEvent::Renegotiated { media, .. } => Some(media.keys),
        other => settled(other).map(|media| media.keys),
    });
    told.expect("something was settled")
}

/// A secured call of the trunk that is up; its keys.
fn up(bench: &mut Bench, policy: SrtpPolicy, body: &str) -> (SessionId, Message, Option<SrtpKeys>) {
    bench.recv(TRUNK, &crate::bench::invite("z9hG4bK1", body));
    let session = match bench.take_events().as_slice() {
        [SipEvent::Incoming(call)] => call.session,
        other => panic!("{other:?}"),
    };
    bench.take();
    bench.command(SipCommand::Answer { session, local: secured(policy, false) });
    let ok = bench.one();
    assert_eq!(line(&ok), "200 INVITE");
    bench.recv(TRUNK, &ack(&ok));
    let keys = keys(bench);
    (session, ok, keys)
}

#[test]
fn a_secured_offer_is_answered_with_one_key_and_hold_keeps_both() {
    let mut bench = Bench::new();
    let (session, ok, first) = up(&mut bench, SrtpPolicy::Optional, &with_key(3, OF_80, "A"));
    let first = first.unwrap();
    assert!(
        text(&ok).contains("RTP/SAVP 8 101") && text(&ok).contains(&format!("a=crypto:3 {OF_80} inline:"))
    );
    // the peer holds with the same key
    let held = with_key(3, OF_80, "A") + "a=sendonly\r\n";
    bench.recv(TRUNK, &request("INVITE", "z9hG4bK2", "2 INVITE", &our_tag(&ok), &held));
    let answer = bench_one(&mut bench);
    bench.recv(TRUNK, &ack(&answer));
    assert_eq!(keys(&mut bench), Some(first));
    // and goes on with a new one: ours stays
    let on = with_key(1, OF_80, "B");
    bench.recv(TRUNK, &request("INVITE", "z9hG4bK3", "3 INVITE", &our_tag(&ok), &on));
    let answer = bench_one(&mut bench);
    assert!(text(&answer).contains("a=crypto:1 "));
    bench.recv(TRUNK, &ack(&answer));
    let second = keys(&mut bench).unwrap();
    assert_eq!(second.send, first.send);
    assert_ne!(second.receive, first.receive);
    // we hold: the same key of ours again, by the tag of the last answer
    bench.command(SipCommand::Hold { session, on: true });
    let hold = bench_one(&mut bench);
    assert!(text(&hold).contains("a=crypto:1 ") && text(&hold).contains("a=sendonly"), "{}", text(&hold));
    bench.recv(TRUNK, &reply(&hold, 200, "far", &(with_key(1, OF_80, "B") + "a=recvonly\r\n")));
    assert_eq!(keys(&mut bench), Some(second));
    // another suite has another key of ours, and so has the first one if it comes again
    let mut seen = vec![first.send];
    for (at, suite) in ["AES_CM_128_HMAC_SHA1_32", OF_80].into_iter().enumerate() {
        let cseq = 4 + at;
        let branch = format!("z9hG4bK{cseq}");
        let changed =
            request("INVITE", &branch, &format!("{cseq} INVITE"), &our_tag(&ok), &with_key(1, suite, "C"));
        bench.take();
        bench.recv(TRUNK, &changed);
        let answer = bench_one(&mut bench);
        bench.recv(TRUNK, &ack(&answer));
        let now = keys(&mut bench).unwrap().send;
        assert!(seen.iter().all(|before| before.key() != now.key()), "{suite}");
        seen.push(now);
    }
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

fn bench_one(bench: &mut Bench) -> Message {
    let sent = bench.take();
    let message = sent.into_iter().map(|(_, message)| message).find(|message| line(message) != "ACK");
    message.expect("something was sent")
}

#[test]
fn plain_rtp_is_refused_with_a_warning_where_keys_are_required_and_the_call_stays_where_it_was_up() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    bench.command(SipCommand::Answer { session, local: secured(SrtpPolicy::Required, false) });
    let refused = bench.one();
    assert_eq!(line(&refused), "488 INVITE");
    let warning = header(&refused, HeaderName::Warning);
    assert!(warning.starts_with("302 ") && warning.contains("secure RTP"), "{warning}");
    bench.recv(TRUNK, &ack(&refused));
    assert_eq!(bench.told(), ["Ended incompatible peer 488"]);

    let mut bench = Bench::new();
    let (session, ok, _) = up(&mut bench, SrtpPolicy::Required, &with_key(1, OF_80, "A"));
    bench.recv(TRUNK, &request("INVITE", "z9hG4bK2", "2 INVITE", &our_tag(&ok), &sdp(4000)));
    assert_eq!(bench.lines(), ["488 INVITE"]);
    assert!(bench.engine.is_live(session));
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn keys_are_offered_where_signalling_hides_them() {
    use SrtpPolicy::{Off, Optional, Required};
    use Transport::{Tcp, Tls, Udp, Ws, Wss};
    let offered = |transport, policy, without_tls| {
        let (_, sent) = dial(&mut Bench::new(), transport, secured(policy, without_tls));
        sent.first()
            .map(|(_, invite)| (text(invite).contains("RTP/SAVP"), text(invite).matches("a=crypto").count()))
    };
    let (plain, keys) = (Some((false, 0)), Some((true, 6)));
    for (transport, optional, required) in
        [(Udp, plain, None), (Tcp, plain, None), (Tls, keys, keys), (Ws, plain, None), (Wss, plain, keys)]
    {
        assert_eq!(offered(transport, Off, true), plain, "{transport:?}");
        assert_eq!(offered(transport, Optional, false), optional, "{transport:?}");
        assert_eq!(offered(transport, Required, false), required, "{transport:?}");
    }
    assert_eq!(offered(Udp, Optional, true), keys);
    assert_eq!(offered(Udp, Required, true), keys);
    let mut bench = Bench::new();
    dial(&mut bench, Udp, secured(Required, false));
    assert_eq!(bench.told(), ["Ended incompatible us"]);
    bench.settle();
}

#[test]
fn who_refuses_keys_is_offered_plain_rtp_once_unless_they_are_required() {
    let mut bench = Bench::new();
    let (session, sent) = dial(&mut bench, Transport::Tls, secured(SrtpPolicy::Optional, false));
    let first = sent[0].1.clone();
    bench.recv_by(Transport::Tls, &reply(&first, 488, "far", ""));
    let sent = bench.take();
    assert_eq!(sent.iter().map(|(_, m)| line(m)).collect::<Vec<_>>(), ["ACK", "INVITE"]);
    let again = sent[1].1.clone();
    assert!(text(&again).contains("RTP/AVP") && !text(&again).contains("a=crypto"), "{}", text(&again));
    assert_eq!(header(&again, HeaderName::CallId), header(&first, HeaderName::CallId));
    bench.recv_by(Transport::Tls, &reply(&again, 200, "far", &sdp(4000)));
    assert_eq!(keys(&mut bench), None);
    bench.hang_up(session, Cause::Normal);
    bench.settle();

    for (policy, ends) in [(SrtpPolicy::Optional, 2), (SrtpPolicy::Required, 1)] {
        let mut bench = Bench::new();
        let (_, sent) = dial(&mut bench, Transport::Tls, secured(policy, false));
        let mut invite = sent[0].1.clone();
        for _ in 1..ends {
            bench.recv_by(Transport::Tls, &reply(&invite, 488, "far", ""));
            invite = bench.take().remove(1).1;
        }
        bench.recv_by(Transport::Tls, &reply(&invite, 488, "far", ""));
        assert_eq!(bench.lines(), ["ACK"], "{policy:?}");
        assert_eq!(bench.told(), ["Ended incompatible peer 488"], "{policy:?}");
        bench.settle();
    }
}

/// A page with a bundle policy of `max-bundle` refuses a whole offer whose video has a way of its own.
#[test]
fn who_refuses_video_beside_audio_by_dtls_is_offered_the_audio_alone() {
    let mut config = SipConfig::new(addr(SWITCH));
    config.dtls = Some(DtlsSelf { fingerprint: [0xab; 32], ice_lite: false });
    let mut bench = Bench::with(config);
    let phone = sdp(4000) + "m=video 4002 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\n";
    let terms = sdp::video_of(phone.as_bytes()).unwrap();
    let ours = Local { video: Some(LocalVideo { port: 30_002, terms }), ..secured(SrtpPolicy::Dtls, false) };
    let (_, sent) = dial(&mut bench, Transport::Tls, ours);
    let first = sent[0].1.clone();
    assert!(text(&first).contains("m=video 30002 UDP/TLS/RTP/SAVPF") && !text(&first).contains("a=group"));
    bench.recv_by(Transport::Tls, &reply(&first, 488, "far", ""));
    let again = bench.take().remove(1).1;
    assert!(text(&again).contains("UDP/TLS/RTP/SAVPF") && text(&again).contains("a=group:BUNDLE 0"));
    assert!(!text(&again).contains("m=video"), "{}", text(&again));
    bench.recv_by(Transport::Tls, &reply(&again, 488, "far", ""));
    assert_eq!(bench.lines(), ["ACK"]);
    assert_eq!(bench.told(), ["Ended incompatible peer 488"]);
    bench.settle();
}

#[test]
fn an_answer_in_the_clear_to_keys_of_ours_ends_the_call() {
    let mut bench = Bench::new();
    let (_, sent) = dial(&mut bench, Transport::Tls, secured(SrtpPolicy::Optional, false));
    let invite = sent[0].1.clone();
    bench.recv_by(Transport::Tls, &reply(&invite, 200, "far", &sdp(4000)));
    assert_eq!(bench.lines(), ["ACK", "BYE"]);
    assert_eq!(bench.told(), ["Ended incompatible peer 488"]);

    let mut bench = Bench::new();
    let (session, sent) = dial(&mut bench, Transport::Tls, secured(SrtpPolicy::Optional, false));
    let invite = sent[0].1.clone();
    let offer = sdp::SessionDescription::parse(&invite.body).unwrap();
    assert_eq!(offer.media[0].cryptos.len(), 6);
    bench.recv_by(Transport::Tls, &reply(&invite, 200, "far", &with_key(4, OF_80, "A")));
    let got = keys(&mut bench).unwrap();
    assert_eq!(got.send, offer.media[0].cryptos[3].key);
    bench.take();
    // what was not taken is not offered again
    bench.command(SipCommand::Hold { session, on: true });
    let hold = bench_one(&mut bench);
    assert_eq!(text(&hold).matches("a=crypto:").count(), 1, "{}", text(&hold));
    assert!(text(&hold).contains("a=crypto:4 "));
}

#[test]
fn a_call_without_offer_gets_ours_with_keys_by_the_same_rule() {
    for (policy, expected) in [(SrtpPolicy::Optional, "200 INVITE"), (SrtpPolicy::Required, "488 INVITE")] {
        let mut bench = Bench::new();
        bench.recv(TRUNK, &crate::bench::invite("z9hG4bK1", ""));
        let session = match bench.take_events().as_slice() {
            [SipEvent::Incoming(call)] => call.session,
            other => panic!("{other:?}"),
        };
        bench.take();
        bench.command(SipCommand::Answer { session, local: secured(policy, false) });
        let response = bench.one();
        assert_eq!(line(&response), expected, "over UDP");
        assert!(!text(&response).contains("a=crypto"));
    }
}
