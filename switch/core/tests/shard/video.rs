//! Video between two parties: who is offered it, who gets it, and what media threads are asked for.

use crate::rig::*;
use cordboard_core::ShardCommand;
use cordboard_model::cdr::Cdr;
use cordboard_model::id::{AgentId, LegId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::{Codec, Direction, MediaCommand, StreamParams, VideoFeedback};
use cordboard_model::service::{AgentKind, AgentOrder, QueueKind};

const PHONE: &str = "198.51.100.20:5062";
const OFFER: &str = "m=video 4002 RTP/AVPF 99 98\r\na=rtpmap:99 H264/90000\r\n\
    a=fmtp:99 profile-level-id=42e01f;packetization-mode=1\r\na=rtpmap:98 VP8/90000\r\na=rtcp-fb:* nack pli\r\n";
const VP8: &str = "m=video 6002 RTP/AVPF 120\r\na=rtpmap:120 VP8/90000\r\na=rtcp-fb:120 nack pli\r\n";

/// A message with more in its description.
fn with(message: Vec<u8>, video: &str) -> Vec<u8> {
    let text = String::from_utf8(message).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let (start, _) = head.rsplit_once("Content-Length").unwrap();
    let body = format!("{body}{video}");
    format!("{start}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A switch that knows the phone of account 1001.
fn rig() -> Rig {
    knows_the_phone(Rig::new())
}

fn knows_the_phone(mut rig: Rig) -> Rig {
    rig.knows_the_phone(PHONE);
    rig
}

/// A caller with video calls the phone, which answers with this. Gives our INVITE and our 200.
fn call(rig: &mut Rig, answers: &str) -> (String, String) {
    rig.datagram(TRUNK, &with(invite(TRUNK, "1001", "example.com", "a"), OFFER));
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &with(response(PHONE, &ours, "200 OK"), answers));
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    (ours, ok)
}

fn ends(mut rig: Rig, ok: &str) -> Cdr {
    rig.datagram(TRUNK, &within("BYE", 9, TRUNK, ok));
    let bye = rig.last(&format!("BYE sip:peer@{PHONE}")).to_owned();
    rig.datagram(PHONE, &response(PHONE, &bye, "200 OK"));
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
    let opened = rig.media.iter().filter_map(|command| match command {
        MediaCommand::Open { leg, .. } => Some(*leg),
        _ => None,
    });
    for leg in opened {
        let closed = rig.media.iter().filter(|command| **command == MediaCommand::Close { leg }).count();
        assert_eq!(closed, 1, "{leg}: {:#?}", rig.media);
    }
    let record = rig.records.into_iter().find_map(|record| match record {
        JournalRecord::CallClosed(cdr) => Some(*cdr),
        _ => None,
    });
    record.unwrap()
}

/// The legs that carry video, with the leg of the audio beside each, in the order of their settling.
fn videos(rig: &Rig) -> Vec<(LegId, LegId, VideoFeedback)> {
    let carried = rig.media.iter().filter_map(|command| match command {
        MediaCommand::Video { leg, beside, feedback } => Some((*leg, *beside, *feedback)),
        _ => None,
    });
    carried.collect()
}

fn last_params(rig: &Rig, of: LegId) -> StreamParams {
    let found = rig.media.iter().rev().find_map(|command| match command {
        MediaCommand::Configure { leg, params, .. } if *leg == of => Some(*params),
        _ => None,
    });
    found.unwrap()
}

fn joined(rig: &Rig, one: LegId, other: LegId) -> bool {
    let is_about = |command: &&MediaCommand| match command {
        MediaCommand::Bridge { a, b } => [*a, *b].contains(&one),
        MediaCommand::Unbridge { leg } => [one, other].contains(leg),
        _ => false,
    };
    let last = rig.media.iter().rev().find(is_about);
    matches!(last, Some(MediaCommand::Bridge { a, b }) if [*a, *b].contains(&other))
}

#[test]
fn video_that_both_have_is_settled_with_each_and_joined_with_their_audio() {
    let mut rig = rig();
    let (ours, ok) = call(&mut rig, VP8);
    let video = ours.split("m=video ").nth(1).unwrap();
    assert!(video.contains(" RTP/AVPF 99 98\r\nb=AS:1500\r\n"), "{video}");
    let answer = ok.split("m=video ").nth(1).unwrap();
    assert!(answer.contains(" RTP/AVPF 98\r\n") && !answer.contains("H264"), "what the phone took: {answer}");
    let [(called, beside, feedback), (caller, _, _)] = videos(&rig)[..] else {
        panic!("{:#?}", rig.media);
    };
    assert!(feedback.pli && !feedback.nack);
    let params = last_params(&rig, called);
    assert_eq!((params.codec, params.send_payload_type, params.recv_payload_type), (Codec::Vp8, 120, 98));
    assert_eq!(params.remote, addr("198.51.100.20:6002"));
    let params = last_params(&rig, caller);
    assert_eq!((params.send_payload_type, params.recv_payload_type), (98, 98));
    assert!(joined(&rig, called, caller));
    assert_ne!(last_params(&rig, beside).codec, Codec::Vp8, "its audio");
    let cdr = ends(rig, &ok);
    assert_eq!(cdr.legs.len(), 2);
    assert!(cdr.legs.iter().all(|leg| leg.video.unwrap().codec == Codec::Vp8));
}

#[test]
fn video_that_the_phone_has_not_is_refused_and_the_call_has_its_audio() {
    for answers in
        ["m=video 0 RTP/AVPF 99\r\n", "", "m=video 6002 RTP/AVPF 120\r\na=rtpmap:120 VP9/90000\r\n"]
    {
        let mut rig = rig();
        let (_, ok) = call(&mut rig, answers);
        assert!(ok.contains("m=video 0 RTP/AVPF 99 98\r\n"), "{ok}");
        assert!(videos(&rig).is_empty());
        let cdr = ends(rig, &ok);
        assert!(cdr.legs.iter().all(|leg| leg.video.is_none()));
    }
}

#[test]
fn nobody_films_for_a_queue_and_no_phone_is_asked_for_video_without_a_caller_who_has_it() {
    let mut rig = rig();
    rig.datagram(TRUNK, &with(invite(TRUNK, "2000", "example.com", "a"), OFFER));
    assert!(rig.last("200 OK").contains("m=video 0 RTP/AVPF 99 98\r\n"));
    rig.datagram(TRUNK, &invite(TRUNK, "1001", "example.com", "b"));
    assert!(!rig.last("INVITE").contains("m=video"));
}

/// A caller with video waits in the queue, and agent 1001 gets him: both are joined in the first form that the caller offers.
fn sees_who_waited(rig: Rig) {
    let mut rig = knows_the_phone(rig);
    rig.datagram(TRUNK, &with(invite(TRUNK, "2000", "example.com", "a"), OFFER));
    let ok = rig.last("200 OK").to_owned();
    let answer = ok.split("m=video ").nth(1).unwrap();
    assert!(answer.contains(" RTP/AVPF 99\r\n") && answer.contains("a=sendrecv"), "{answer}");
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    rig.order(agent.clone(), AgentOrder::SignIn).unwrap();
    rig.order(agent, AgentOrder::Ready).unwrap();
    rig.after(1_000);
    rig.command(ShardCommand::Stop { end: false });
    let ours = rig.last("INVITE").to_owned();
    let video = ours.split("m=video ").nth(1).unwrap();
    assert!(video.contains(" RTP/AVPF 99\r\n"), "what the caller has settled on alone: {video}");
    rig.datagram(PHONE, &with(response(PHONE, &ours, "200 OK"), OFFER));
    let [(caller, ..), (called, ..)] = videos(&rig)[..] else {
        panic!("{:#?}", rig.media);
    };
    assert!(joined(&rig, caller, called));
}

/// The one queue is of this kind, and its agents are there for it.
fn of_kind(kind: QueueKind) -> Rig {
    let mut known = one_tenant();
    for tenant in known.tenants.values_mut() {
        tenant.queues.values_mut().for_each(|queue| queue.service.kind = kind);
        tenant.agents.values_mut().for_each(|agent| agent.duty.kind = AgentKind::Video);
    }
    let mut rig = Rig::new();
    rig.configure(known);
    rig
}

/// A queue of video needs nothing else for it: its agents see who calls.
#[test]
fn callers_of_a_queue_of_video_are_seen_by_its_agents_and_those_of_other_queues_by_nobody() {
    for kind in [QueueKind::Video, QueueKind::VideoClick] {
        sees_who_waited(of_kind(kind));
    }
    for kind in [QueueKind::Voice, QueueKind::VoiceClick] {
        let mut rig = of_kind(kind);
        rig.datagram(TRUNK, &with(invite(TRUNK, "2000", "example.com", "a"), OFFER));
        assert!(rig.last("200 OK").contains("m=video 0 RTP/AVPF 99 98\r\n"), "{kind:?}");
    }
}

#[test]
fn where_callers_who_wait_may_be_filmed_the_agent_who_comes_sees_them() {
    let mut rig = Rig::with_video([7; 32], true);
    rig.configure(one_tenant());
    sees_who_waited(rig);

    // a phone without video, called directly, is no reason to film
    let mut rig = Rig::with_video([7; 32], true);
    rig.configure(one_tenant());
    let mut rig = knows_the_phone(rig);
    let (_, ok) = call(&mut rig, "m=video 0 RTP/AVPF 99\r\n");
    assert!(ok.contains("m=video 0 RTP/AVPF 99 98\r\n"), "{ok}");
}

#[test]
fn a_hold_stops_video_and_the_end_of_it_brings_it_back() {
    let mut rig = rig();
    let (_, ok) = call(&mut rig, VP8);
    let [(called, ..), (caller, ..)] = videos(&rig)[..] else {
        panic!("{:#?}", rig.media);
    };
    let again = |seq: u32, way: &str, video: &str| {
        let invite = String::from_utf8(within("INVITE", seq, TRUNK, &ok)).unwrap();
        let body = format!(
            "v=0\r\no=- 5 {seq} IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 8\r\na={way}\r\n{video}a={way}\r\n"
        );
        let more = format!("Contact: <sip:caller@{TRUNK}>\r\nContent-Type: application/sdp\r\n");
        let head = invite.replace("Content-Length: 0\r\n\r\n", &more).replace("INVITE;", &format!("{seq};"));
        let head = head.replace("z9hG4bKaINVITE", &format!("z9hG4bKa{seq}"));
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    rig.datagram(TRUNK, &again(2, "sendonly", OFFER));
    let held = rig.last("200 OK").to_owned();
    assert_eq!(held.matches("a=recvonly\r\n").count(), 2, "{held}");
    rig.datagram(TRUNK, &within("ACK", 2, TRUNK, &held));
    assert_eq!(last_params(&rig, caller).direction, Direction::RecvOnly);
    rig.datagram(TRUNK, &again(3, "sendrecv", OFFER));
    let back = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 3, TRUNK, &back));
    assert_eq!(last_params(&rig, caller).direction, Direction::SendRecv);
    assert!(joined(&rig, called, caller));

    // the caller's camera is taken away, and comes again
    rig.datagram(TRUNK, &again(4, "sendrecv", &OFFER.replace("4002", "0")));
    assert!(rig.last("200 OK").contains("m=video 0 "));
    let answer = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 4, TRUNK, &answer));
    assert!(!joined(&rig, called, caller));
    rig.datagram(TRUNK, &again(5, "sendrecv", OFFER));
    let answer = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 5, TRUNK, &answer));
    assert!(joined(&rig, called, caller));
    assert!(ends(rig, &ok).legs.iter().all(|leg| leg.video.is_some()));
}
