//! Calls that end in every way, with what the network does to them.

use cordboard_model::cause::Cause;
use cordboard_model::leg::PartyId;
use cordboard_model::time::Duration;
use cordboard_sip::engine::{Datagram, Dest, Flow, SipCommand, SipConfig, SipEvent, SipOutput, Transport};
use cordboard_sip::wire::{HeaderName, Uri};

use crate::bench::{
    Bench, SWITCH, TRUNK, ack, addr, header, invite, line, local, our_tag, reply, request, sdp,
};

#[test]
fn a_call_comes_in_is_answered_and_the_caller_hangs_up() {
    let mut bench = Bench::new();
    let call = bench.called();
    assert_eq!((call.from.user.as_str(), call.from.display.as_str()), ("4711", "Anna"));
    assert_eq!((call.to.user.as_str(), call.host.as_str()), ("100", "192.0.2.1"));
    assert!(call.trunk.is_some() && call.user.is_none() && call.offer.is_some());
    let session = call.session;
    bench.command(SipCommand::Ring { session });
    let ringing = bench.one();
    assert_eq!(line(&ringing), "180 INVITE");
    let ours = local(30_000);
    bench.command(SipCommand::Answer { session, local: ours });
    let ok = bench.one();
    assert_eq!(our_tag(&ok), our_tag(&ringing));
    assert_eq!(header(&ok, HeaderName::Contact), "<sip:cordboard@192.0.2.1:5060>");
    assert!(ok.allow().count() > 3 && header(&ok, HeaderName::Server) == "Cordboard");
    bench.recv(TRUNK, &ack(&ok));
    let events = bench.take_events();
    let [SipEvent::MediaSettled { media, .. }, SipEvent::Confirmed { record, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(media.stream.remote.port(), 4000);
    assert_eq!(record.call_id, "call-1@carrier.example");
    assert_eq!(record.flow, "udp:198.51.100.7:5060");
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE"]);
    assert_eq!(bench.told(), ["Ended normal peer"]);
    bench.settle();
}

fn config_with_bye_wait() -> SipConfig {
    SipConfig { bye_wait: Some(Duration::from_millis(400)), ..SipConfig::new(addr(SWITCH)) }
}

#[test]
fn a_bye_waits_for_the_record_where_that_is_wanted_and_no_longer_than_it_may() {
    let mut bench = Bench::with(config_with_bye_wait());
    let (session, ok) = bench.up();
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    assert_eq!((bench.lines(), bench.told()), (vec![], vec!["Ended normal peer".to_owned()]));
    bench.wait(399);
    assert_eq!(bench.lines(), [""; 0]);
    bench.command(SipCommand::AnswerBye { session });
    assert_eq!(bench.lines(), ["200 BYE"]);
    bench.command(SipCommand::AnswerBye { session });
    bench.settle();
    assert_eq!(bench.lines(), [""; 0]);

    let mut bench = Bench::with(config_with_bye_wait());
    let (_, ok) = bench.up();
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    bench.wait(400);
    assert_eq!(bench.lines(), ["200 BYE"]);
    bench.settle();
}

#[test]
fn we_hang_up_and_say_why() {
    let mut bench = Bench::new();
    let (session, _) = bench.up();
    bench.hang_up(session, Cause::QueueTimeout);
    let bye = bench.one();
    assert_eq!(line(&bye), "BYE");
    assert_eq!(bye.request_uri().unwrap().to_string(), "sip:4711@198.51.100.7:5060");
    assert_eq!(header(&bye, HeaderName::Reason), "Q.850;cause=19;text=\"queue_timeout\"");
    assert_eq!(header(&bye, HeaderName::MaxForwards), "70");
    assert_eq!(bench.told(), ["Ended queue_timeout us"]);
    bench.recv(TRUNK, &reply(&bye, 200, "far", ""));
    bench.settle();
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn a_200_is_repeated_until_its_ack_and_the_ack_may_be_repeated() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    let ours = local(30_000);
    bench.command(SipCommand::Answer { session, local: ours });
    let ok = bench.one();
    // 0.5, 1.5, 3.5, 7.5 s: the interval doubles up to T2
    bench.wait(8_000);
    assert_eq!(bench.lines(), ["200 INVITE"; 4]);
    bench.recv(TRUNK, &invite("z9hG4bK1", &sdp(4000)));
    assert_eq!(bench.lines(), [""; 0], "a repeated INVITE is absorbed after the 200");
    bench.recv(TRUNK, &ack(&ok));
    bench.recv(TRUNK, &ack(&ok));
    assert_eq!(bench.told(), ["MediaSettled", "Confirmed"]);
    bench.wait(30_000);
    assert_eq!(bench.lines(), [""; 0]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn a_200_without_any_ack_ends_in_a_bye_after_64_t1() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    let ours = local(30_000);
    bench.command(SipCommand::Answer { session, local: ours });
    bench.take_events();
    bench.wait(31_900);
    assert_eq!(bench.told(), [""; 0]);
    bench.take();
    bench.wait(200);
    assert_eq!(bench.lines(), ["BYE"]);
    assert_eq!(bench.told(), ["Ended protocol_error peer"]);
    bench.settle();
}

#[test]
fn we_hang_up_before_the_ack_and_the_bye_waits_for_it() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    let ours = local(30_000);
    bench.command(SipCommand::Answer { session, local: ours });
    let ok = bench.one();
    bench.take_events();
    bench.hang_up(session, Cause::Normal);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.told(), ["Ended normal us"]);
    bench.wait(600);
    assert_eq!(bench.lines(), ["200 INVITE"]);
    bench.recv(TRUNK, &ack(&ok));
    assert_eq!(bench.lines(), ["BYE"]);
    bench.settle();
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn a_refusal_is_repeated_until_its_ack() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    bench.hang_up(session, Cause::Busy);
    let busy = bench.one();
    assert_eq!(line(&busy), "486 INVITE");
    assert_eq!(bench.told(), ["Ended busy us 486"]);
    bench.wait(1_600);
    assert_eq!(bench.lines(), ["486 INVITE"; 2]);
    bench.recv(TRUNK, &ack(&busy));
    bench.wait(60_000);
    assert_eq!(bench.lines(), [""; 0]);
    bench.settle();
}

#[test]
fn a_cancel_before_the_answer_gives_487_and_the_call_is_over() {
    let mut bench = Bench::new();
    bench.called();
    bench.recv(TRUNK, &request("CANCEL", "z9hG4bK1", "1 CANCEL", "", ""));
    let sent = bench.take();
    let lines: Vec<String> = sent.iter().map(|(_, m)| line(m)).collect();
    assert_eq!(lines, ["200 CANCEL", "487 INVITE"]);
    assert_eq!(our_tag(&sent[0].1), our_tag(&sent[1].1));
    assert_eq!(bench.told(), ["Ended cancelled peer 487"]);
    bench.recv(TRUNK, &ack(&sent[1].1));
    bench.settle();
}

#[test]
fn a_cancel_that_crosses_our_200_changes_nothing() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    let ours = local(30_000);
    bench.command(SipCommand::Answer { session, local: ours });
    let ok = bench.one();
    bench.recv(TRUNK, &request("CANCEL", "z9hG4bK1", "1 CANCEL", "", ""));
    assert_eq!(bench.lines(), ["200 CANCEL"]);
    bench.recv(TRUNK, &ack(&ok));
    assert_eq!(bench.told(), ["MediaSettled", "Confirmed"]);
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.told(), ["Ended normal peer"]);
    bench.settle();
}

#[test]
fn our_cancel_waits_for_a_provisional_response() {
    let mut bench = Bench::new();
    let (session, invite) = bench.dial();
    bench.hang_up(session, Cause::Cancelled);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.told(), ["Ended cancelled us"]);
    bench.recv(TRUNK, &reply(&invite, 100, "", ""));
    let cancel = bench.one();
    assert_eq!(line(&cancel), "CANCEL");
    assert_eq!(cancel.via_top().unwrap(), invite.via_top().unwrap());
    assert_eq!(cancel.request_uri(), invite.request_uri());
    assert_eq!(cancel.cseq().unwrap().seq, invite.cseq().unwrap().seq);
    bench.recv(TRUNK, &reply(&invite, 180, "far", ""));
    assert_eq!(bench.lines(), [""; 0], "one CANCEL is enough");
    bench.recv(TRUNK, &reply(&cancel, 200, "far", ""));
    bench.recv(TRUNK, &reply(&invite, 487, "far", ""));
    assert_eq!(bench.lines(), ["ACK"]);
    bench.settle();
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn a_200_that_crosses_our_cancel_gets_ack_and_bye() {
    let mut bench = Bench::new();
    let (session, invite) = bench.dial();
    bench.recv(TRUNK, &reply(&invite, 180, "far", ""));
    bench.hang_up(session, Cause::Cancelled);
    assert_eq!(bench.lines(), ["CANCEL"]);
    let ok = reply(&invite, 200, "far", &sdp(4000));
    bench.recv(TRUNK, &ok);
    assert_eq!(bench.lines(), ["ACK", "BYE"]);
    bench.recv(TRUNK, &ok);
    assert_eq!(bench.lines(), ["ACK"], "the 200 again: the ACK again, no second BYE");
    assert_eq!(bench.told(), ["Ringing", "Ended cancelled us"]);
    bench.settle();
}

#[test]
fn a_cancel_without_final_response_is_given_up_after_64_t1() {
    let mut bench = Bench::new();
    let (session, invite) = bench.dial();
    bench.recv(TRUNK, &reply(&invite, 180, "far", ""));
    bench.hang_up(session, Cause::Cancelled);
    bench.wait(33_000);
    bench.settle();
}

#[test]
fn we_call_out_it_rings_and_is_answered() {
    let mut bench = Bench::new();
    let (session, invite) = bench.dial();
    assert_eq!(invite.request_uri().unwrap().to_string(), "sip:900@198.51.100.7");
    for name in [HeaderName::Contact, HeaderName::Allow, HeaderName::UserAgent] {
        assert!(invite.headers.contains(&name), "{name}");
    }
    bench.recv(TRUNK, &reply(&invite, 100, "", ""));
    bench.recv(TRUNK, &reply(&invite, 180, "far", ""));
    bench.recv(TRUNK, &reply(&invite, 183, "far", &sdp(4000)));
    assert_eq!(bench.told(), ["Ringing", "EarlyMedia"]);
    let ok = reply(&invite, 200, "far", &sdp(4002));
    bench.recv(TRUNK, &ok);
    let ack = bench.one();
    let events = bench.take_events();
    let [SipEvent::Answered { media, .. }, SipEvent::DialogUp { record, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(media.stream.remote.port(), 4002);
    assert_eq!(record.remote_target, "sip:900@198.51.100.7:5060");
    bench.recv(TRUNK, &ok);
    assert_eq!(bench.one(), ack, "a lost ACK is sent again as it was");
    bench.hang_up(session, Cause::Normal);
    let bye = bench.one();
    assert_eq!(bye.cseq().unwrap().seq, invite.cseq().unwrap().seq + 1);
    bench.recv(TRUNK, &reply(&bye, 200, "far", ""));
    bench.settle();
}

#[test]
fn a_200_without_description_takes_that_of_the_early_dialog() {
    let mut bench = Bench::new();
    let (session, invite) = bench.dial();
    bench.recv(TRUNK, &reply(&invite, 183, "far", &sdp(4000)));
    bench.recv(TRUNK, &reply(&invite, 200, "far", ""));
    assert_eq!(bench.told(), ["EarlyMedia", "Answered", "DialogUp"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn an_answer_that_cannot_be_used_is_acknowledged_and_ended() {
    let mut bench = Bench::new();
    let (_, invite) = bench.dial();
    let other = sdp(4000).replace("RTP/AVP 8 101", "RTP/AVP 18");
    bench.recv(TRUNK, &reply(&invite, 200, "far", &other));
    assert_eq!(bench.lines(), ["ACK", "BYE"]);
    assert_eq!(bench.told(), ["Ended incompatible peer 488"]);
    bench.settle();
}

#[test]
fn an_invite_that_nobody_answers_is_repeated_and_given_up() {
    let mut bench = Bench::new();
    bench.dial();
    bench.wait(31_900);
    // 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s
    assert_eq!(bench.lines(), ["INVITE"; 6]);
    bench.wait(200);
    assert_eq!(bench.told(), ["Ended unreachable peer 408"]);
    bench.settle();
}

#[test]
fn a_peer_that_the_transport_cannot_reach_ends_the_call_at_once() {
    let mut bench = Bench::new();
    bench.dial();
    let flow =
        cordboard_sip::engine::Flow::udp(crate::bench::addr(crate::bench::SWITCH), crate::bench::addr(TRUNK));
    bench.engine.handle_unreachable(flow, bench.now);
    bench.wait(0);
    while let Some(output) = bench.engine.poll_output() {
        if let SipOutput::Event(event) = output {
            bench.events.push(event);
        }
    }
    assert_eq!(bench.told(), ["Ended unreachable peer 503"]);
    bench.settle();
}

#[test]
fn refusals_are_acknowledged_and_named() {
    for (code, cause) in [(486, "busy"), (603, "declined"), (404, "not_found"), (488, "incompatible")] {
        let mut bench = Bench::new();
        let (_, invite) = bench.dial();
        let refusal = reply(&invite, code, "far", "");
        bench.recv(TRUNK, &refusal);
        let ack = bench.one();
        assert_eq!(ack.via_top().unwrap(), invite.via_top().unwrap());
        bench.recv(TRUNK, &refusal);
        assert_eq!(bench.one(), ack);
        assert_eq!(bench.told(), [format!("Ended {cause} peer {code}")]);
        bench.settle();
    }
}

#[test]
fn an_invite_without_offer_gets_ours_and_the_ack_settles_it() {
    let mut bench = Bench::new();
    bench.recv(TRUNK, &invite("z9hG4bK1", ""));
    let SipEvent::Incoming(call) = bench.take_events().remove(0) else {
        panic!();
    };
    bench.take();
    let (session, ours) = (call.session, local(30_000));
    bench.command(SipCommand::Answer { session, local: ours });
    let ok = bench.one();
    assert!(!ok.body.is_empty());
    assert_eq!(bench.told(), [""; 0]);
    let with_answer = ack(&ok).replace("\n\n", &format!("\nContent-Type: application/sdp\n\n{}", sdp(4000)));
    bench.recv(TRUNK, &with_answer);
    assert_eq!(bench.told(), ["MediaSettled", "Confirmed"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn an_answer_names_the_media_address_of_the_offers_family() {
    let v6 = sdp(4000).replace("c=IN IP4 198.51.100.7", "c=IN IP6 2001:db8::7");
    let held = sdp(4000).replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0");
    for (offer, wanted) in [
        (v6.as_str(), "c=IN IP6 2001:db8::1\r\n"),
        (&sdp(4000), "c=IN IP4 "),
        (&held, "c=IN IP4 "),
        ("", "c=IN IP4 "),
    ] {
        let other = "2001:db8::1".parse().ok();
        let mut bench = Bench::with(SipConfig { media_other: other, ..SipConfig::new(addr(SWITCH)) });
        bench.recv(TRUNK, &invite("z9hG4bK1", offer));
        let session = bench.take_events()[0].session();
        bench.take();
        bench.command(SipCommand::Answer { session, local: local(30_000) });
        let body = String::from_utf8(bench.one().body.to_vec()).unwrap();
        assert!(body.contains(wanted), "{wanted} to {offer}: {body}");
    }
}

#[test]
fn an_ack_without_the_answer_it_owes_ends_the_call() {
    let mut bench = Bench::new();
    bench.recv(TRUNK, &invite("z9hG4bK1", ""));
    let session = bench.take_events()[0].session();
    let ours = local(30_000);
    bench.take();
    bench.command(SipCommand::Answer { session, local: ours });
    let ok = bench.one();
    bench.recv(TRUNK, &ack(&ok));
    assert_eq!(bench.lines(), ["BYE"]);
    assert_eq!(bench.told(), ["Ended incompatible peer 488"]);
    bench.settle();
}

#[test]
fn early_media_and_answer_have_the_same_description() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    let ours = local(30_000);
    bench.command(SipCommand::EarlyMedia { session, local: ours });
    let progress = bench.one();
    assert_eq!(line(&progress), "183 INVITE");
    let other = local(30_002);
    bench.command(SipCommand::Answer { session, local: other });
    let ok = bench.one();
    assert_eq!(ok.body, progress.body);
    bench.recv(TRUNK, &ack(&ok));
    assert_eq!(bench.told(), ["MediaSettled", "Confirmed"]);
    bench.hang_up(session, Cause::Normal);
    bench.settle();
}

#[test]
fn an_offer_without_common_codec_is_488_when_it_is_answered() {
    let mut bench = Bench::new();
    let other = sdp(4000).replace("RTP/AVP 8 101", "RTP/AVP 18");
    bench.recv(TRUNK, &invite("z9hG4bK1", &other));
    let session = bench.take_events()[0].session();
    bench.take();
    let ours = local(30_000);
    bench.command(SipCommand::Answer { session, local: ours });
    assert_eq!(bench.lines(), ["488 INVITE"]);
    assert_eq!(bench.told(), ["Ended incompatible peer 488"]);
    bench.settle();
}

#[test]
fn a_provisional_response_is_repeated_each_minute() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    bench.command(SipCommand::Ring { session });
    bench.take();
    bench.wait(125_000);
    assert_eq!(bench.lines(), ["180 INVITE"; 2]);
    bench.hang_up(session, Cause::NoAnswer);
    bench.settle();
}

#[test]
fn a_bye_before_the_answer_ends_the_invite_with_487() {
    let mut bench = Bench::new();
    let session = bench.called().session;
    bench.command(SipCommand::Ring { session });
    let tag = our_tag(&bench.one());
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &tag, ""));
    assert_eq!(bench.lines(), ["200 BYE", "487 INVITE"]);
    assert_eq!(bench.told(), ["Ended cancelled peer 487"]);
    bench.settle();
}

#[test]
fn an_abandoned_session_ends_in_every_state() {
    let mut bench = Bench::new();
    let (up, _) = bench.up();
    bench.engine.abandon(up, bench.now);
    bench.wait(0);
    bench.command(SipCommand::Ring { session: up });
    assert_eq!(bench.lines(), ["BYE"]);
    assert_eq!(bench.told(), ["Ended internal_error us"]);
    let (calling, invite) = bench.dial();
    bench.recv(TRUNK, &reply(&invite, 180, "far", ""));
    bench.take_events();
    bench.engine.abandon(calling, bench.now);
    bench.engine.abandon(calling, bench.now);
    bench.command(SipCommand::Ring { session: calling });
    assert_eq!(bench.lines(), ["CANCEL"]);
    assert_eq!(bench.told(), ["Ended internal_error us"]);
    bench.settle();
}

#[test]
fn a_bye_from_a_record_goes_out_after_a_restart() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    bench.hang_up(session, Cause::Normal);
    let bye = bench.one();
    let mut record = None;
    let mut other = Bench::new();
    let (_, invite) = other.dial();
    other.recv(TRUNK, &reply(&invite, 200, "far", &sdp(4000)));
    for event in other.take_events() {
        if let SipEvent::DialogUp { record: found, .. } = event {
            record = Some(found);
        }
    }
    let mut fresh = Bench::new();
    fresh.command(SipCommand::ByeFromRecord(record.unwrap()));
    let after = fresh.one();
    assert_eq!(line(&after), "BYE");
    assert_eq!(after.cseq().unwrap().seq, invite.cseq().unwrap().seq + 101);
    assert_eq!(after.from_().unwrap(), invite.from_().unwrap());
    assert_eq!(after.to().unwrap().tag(), Some("far"));
    assert_eq!(our_tag(&ok), bye.from_().unwrap().tag().unwrap());
    fresh.recv(TRUNK, &reply(&after, 481, "far", ""));
    fresh.settle();
}

#[test]
fn shutting_down_ends_all_and_takes_no_more() {
    let mut bench = Bench::new();
    let (_, _) = bench.up();
    bench.command(SipCommand::Shutdown);
    assert_eq!(bench.lines(), ["BYE"]);
    assert_eq!(bench.told(), ["Ended shutdown us"]);
    let again = invite("z9hG4bK7", &sdp(4000)).replace("call-1", "call-2");
    bench.recv(TRUNK, &again);
    let refusal = bench.one();
    assert_eq!(line(&refusal), "503 INVITE");
    assert!(!header(&refusal, HeaderName::RetryAfter).is_empty());
    bench.settle();
}

#[test]
fn an_invitation_that_expires_is_487() {
    let mut bench = Bench::new();
    bench.recv(TRUNK, &invite("z9hG4bK1", &sdp(4000)).replace("Max-F", "Expires: 30\nMax-F"));
    bench.take_events();
    bench.take();
    bench.wait(29_900);
    assert_eq!(bench.told(), [""; 0]);
    bench.wait(200);
    assert_eq!(bench.lines(), ["487 INVITE"]);
    assert_eq!(bench.told(), ["Ended no_answer peer 487"]);
    bench.settle();
}

#[test]
fn over_a_stream_nothing_is_repeated_but_the_200() {
    let mut bench = Bench::new();
    let flow = Flow { transport: Transport::Tcp, local: addr(SWITCH), remote: addr(TRUNK) };
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Uri {
            uri: Uri::parse("sip:900@198.51.100.7;transport=tcp").unwrap(),
            flow,
            routes: Vec::new(),
            credentials: None,
        },
        from: PartyId::new("1"),
        to: PartyId::new("900"),
        host: "example.com".into(),
        local: local(30_000),
        told: Box::default(),
    });
    bench.wait(31_000);
    let invite = bench.one();
    assert_eq!(invite.via_top().unwrap().transport.as_str(), "TCP");
    assert!(header(&invite, HeaderName::Contact).contains(";transport=tcp"));
    bench.recv(TRUNK, &reply(&invite, 486, "far", ""));
    assert_eq!(bench.lines(), ["ACK"]);
    bench.wait(0);
    assert_eq!(bench.engine.transactions_len(), 0, "timer D is zero");
    bench.take_events();
    let datagram = |text: &str| text.replace("UDP", "TCP").replace("\r\n", "\n").replace('\n', "\r\n");
    let text = datagram(&invite_text());
    let now = bench.now;
    bench.engine.handle_input(
        Datagram {
            transport: Transport::Tcp,
            local: addr(SWITCH),
            remote: addr(TRUNK),
            bytes: text.as_bytes(),
        },
        now,
    );
    bench.wait(0);
    let session = loop {
        match bench.engine.poll_output() {
            Some(SipOutput::Event(event)) => break event.session(),
            Some(_) => {}
            None => panic!("no call"),
        }
    };
    bench.command(SipCommand::Answer { session, local: local(30_000) });
    bench.wait(600);
    let sent = bench.take();
    assert_eq!(sent.len(), 2, "a 2xx is repeated over every transport");
    assert!(sent.iter().all(|(to, _)| *to == flow), "on the connection it came by");
    bench.settle();
}

fn invite_text() -> String {
    invite("z9hG4bKtcp", &sdp(4000))
}

#[test]
fn a_switch_that_stops_waits_for_answers_and_not_for_repetitions() {
    let mut bench = Bench::new();
    let (session, _) = bench.up();
    assert!(!bench.engine.is_at_rest(), "a session");
    bench.hang_up(session, Cause::Shutdown);
    let bye = bench.one();
    assert!(!bench.engine.is_at_rest(), "a BYE without its answer");
    bench.recv(TRUNK, &reply(&bye, 200, "far", ""));
    assert!(bench.engine.is_at_rest() && !bench.engine.is_quiescent());
    let mut bench = Bench::new();
    let session = bench.called().session;
    bench.hang_up(session, Cause::Busy);
    let refusal = bench.one();
    assert!(!bench.engine.is_at_rest(), "a refusal without its ACK");
    bench.recv(TRUNK, &ack(&refusal));
    assert!(bench.engine.is_at_rest());
    bench.settle();
}

/// The preferred Contact of a 3xx is told, and is not called by itself (8.1.3.4).
#[test]
fn a_redirection_is_told_and_not_followed_here() {
    let mut bench = Bench::new();
    let (_, ours) = bench.dial();
    let moved = reply(&ours, 302, "far", "")
        .replace("<sip:900@198.51.100.7:5060>", "<sip:1@a.example>;q=0.1, <sip:1003@example.com>;q=0.9");
    bench.recv(TRUNK, &moved);
    assert_eq!(bench.lines(), ["ACK"]);
    match bench.take_events().as_slice() {
        [SipEvent::Redirected { to, host, .. }, SipEvent::Ended { sip_status: Some(302), .. }] => {
            assert_eq!((to.user.as_str(), host.as_str()), ("1003", "example.com"));
        }
        other => panic!("{other:?}"),
    }
    bench.settle();
}
