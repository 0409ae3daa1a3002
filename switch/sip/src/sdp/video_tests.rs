//! Video in offers and answers.

use super::*;
use crate::sdp::{KeySeed, Security, accept_answer, answer, offer, with_video};
use cordboard_model::srtp::{SrtpPolicy, SrtpRule};

fn local(video: Option<LocalVideo>) -> Local {
    let mut security = Security::new(SrtpRule { policy: SrtpPolicy::Optional, without_tls: false });
    security.seed = Some(KeySeed([7; 32]));
    Local {
        dtmf_pt: None,
        video,
        security,
        ..Local::plain("198.51.100.1:40000".parse().unwrap(), 7, &[Codec::Pcma])
    }
}

fn body(media: &str) -> Vec<u8> {
    format!("v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}").into_bytes()
}

const AUDIO: &str = "m=audio 4000 RTP/AVP 8\r\n";
const PHONE: &str = "m=video 4002 RTP/AVPF 99 98 34\r\nb=AS:768\r\na=rtpmap:99 H264/90000\r\n\
    a=fmtp:99 profile-level-id=42801F;packetization-mode=1\r\na=rtpmap:98 VP8/90000\r\na=rtpmap:34 H263/90000\r\n\
    a=rtcp-fb:* nack\r\na=rtcp-fb:* nack pli\r\na=rtcp-fb:99 ccm fir\r\na=rtcp-fb:98 trr-int 10\r\n";

fn format(payload_type: u8, codec: Codec, parameters: &str) -> VideoFormat {
    let parameters = Some(parameters.to_owned()).filter(|text| !text.is_empty());
    VideoFormat { payload_type, codec, parameters }
}

fn behind(terms: VideoTerms) -> Option<LocalVideo> {
    Some(LocalVideo { port: 40_002, terms })
}

fn lines(text: &[u8]) -> String {
    String::from_utf8(text.to_vec()).unwrap().replace("\r\n", "\n")
}

#[test]
fn h264_is_the_same_where_profile_and_packetization_mode_are_whatever_the_level() {
    let fits = |one: &str, other: &str| {
        let [one, other] = [one, other].map(|text| format(96, Codec::H264, text));
        assert_eq!(one.fits(&other), other.fits(&one));
        one.fits(&other)
    };
    let mode_1 = "profile-level-id=42e01f;packetization-mode=1";
    assert!(fits(mode_1, "Packetization-Mode=1; profile-level-id=42E034;max-br=20000"), "another level");
    assert!(!fits(mode_1, "profile-level-id=42e01f"), "another mode: 0 is what nothing means");
    assert!(fits("profile-level-id=42e01f", "profile-level-id=42e01f;packetization-mode=0"));
    assert!(
        fits("profile-level-id=42c00a", "profile-level-id=4d801f"),
        "constrained baseline, written in two ways"
    );
    assert!(fits("profile-level-id=42c00a", "profile-level-id=58c01f"));
    assert!(
        !fits("profile-level-id=42c00a", "profile-level-id=42801f"),
        "baseline is more than constrained baseline"
    );
    assert!(fits("", "profile-level-id=42000a"), "baseline is what nothing means");
    assert!(!fits("profile-level-id=64001f", "profile-level-id=4d001f"), "high, main");
    assert!(fits("profile-level-id=640c1f", "profile-level-id=640c28"), "constrained high");
    assert!(!fits("profile-level-id=640c1f", "profile-level-id=64001f"));
    assert!(fits("profile-level-id=nonsense", ""), "what cannot be read says nothing");
    assert!(format(96, Codec::Vp8, "").fits(&format(100, Codec::Vp8, "max-fs=3600")));
    assert!(!format(96, Codec::Vp8, "").fits(&format(96, Codec::H264, "")));
}

#[test]
fn a_phones_offer_is_read_with_its_formats_feedback_and_limit() {
    let found = video_of(&body(&format!("{AUDIO}{PHONE}"))).unwrap();
    let h264 = format(99, Codec::H264, "profile-level-id=42801F;packetization-mode=1");
    assert_eq!(found.formats, [h264, format(98, Codec::Vp8, "")], "what is not relayed is passed over");
    assert_eq!(found.feedback, VideoFeedback { nack: true, pli: true, fir: true, remb: false });
    assert_eq!((found.kbit, found.early, found.direction), (Some(768), true, Direction::SendRecv));
    let none = |media: &str| video_of(&body(media)).is_none();
    assert!(none(AUDIO));
    assert!(none(&PHONE.replace("4002", "0")), "refused");
    assert!(none("m=video 4002 RTP/AVP 34\r\n"), "H.263");
    assert!(
        none(&PHONE.replace("profile-level-id=42801F", &"x".repeat(2_000)).replace("VP8", "VP7")),
        "too long"
    );
}

/// A call from end to end: what each is told, and what both settle.
#[test]
fn what_the_caller_offers_is_offered_on_and_what_the_called_answers_is_answered() {
    let offered = body(&format!("{AUDIO}{PHONE}"));
    let to_called = local(behind(video_of(&offered).unwrap()));
    let sent = offer(&to_called);
    let text = lines(&sent);
    let section = &text[text.find("m=video").unwrap()..];
    insta::assert_snapshot!(section);

    let theirs = "m=audio 5000 RTP/AVP 8\r\nm=video 5002 RTP/AVPF 103 98\r\nb=AS:512\r\n\
        a=rtpmap:103 H264/90000\r\na=fmtp:103 profile-level-id=42800D;packetization-mode=1\r\na=rtpmap:98 VP8/90000\r\n\
        a=rtcp-fb:103 nack pli\r\na=recvonly\r\n";
    let called = accepted(&body(theirs), &to_called, 1).unwrap();
    let stream = called.stream;
    assert_eq!((stream.codec, stream.send_payload_type, stream.recv_payload_type), (Codec::H264, 103, 99));
    assert_eq!(stream.remote, "192.0.2.1:5002".parse().unwrap());
    assert_eq!(stream.direction, Direction::SendOnly, "it has no camera");
    assert_eq!(called.terms.feedback, VideoFeedback { pli: true, ..VideoFeedback::default() });

    let to_caller = local(behind(called.terms));
    let (sent, settled) = answer(&offered, &to_caller).unwrap();
    let text = lines(&sent);
    let section = &text[text.find("m=video").unwrap()..];
    insta::assert_snapshot!(section);
    let caller = settled.video.unwrap();
    let stream = caller.stream;
    assert_eq!((stream.codec, stream.send_payload_type, stream.recv_payload_type), (Codec::H264, 99, 99));
    assert_eq!(stream.remote, "192.0.2.1:4002".parse().unwrap());
    assert_eq!(stream.direction, Direction::RecvOnly, "the caller sends and gets nothing");
}

#[test]
fn video_that_is_not_shared_is_refused_in_its_place_and_the_audio_goes_on() {
    let offered = body(&format!("{PHONE}{AUDIO}"));
    let refused = |video: Option<LocalVideo>| {
        let (text, settled) = answer(&offered, &local(video)).unwrap();
        assert_eq!(settled.stream.codec, Codec::Pcma);
        let text = lines(&text);
        assert!(text.find("m=video") < text.find("m=audio"), "in the order of the offer: {text}");
        settled.video.is_none() && text.contains("m=video 0 RTP/AVPF 99 98 34\n")
    };
    assert!(refused(None), "nobody behind us has video");
    let terms = |format: VideoFormat| VideoTerms {
        formats: vec![format],
        feedback: VideoFeedback::default(),
        early: false,
        direction: Direction::SendRecv,
        kbit: None,
    };
    assert!(refused(behind(terms(format(96, Codec::H264, "profile-level-id=64001f;packetization-mode=1")))));
    assert!(!refused(behind(terms(format(96, Codec::Vp8, "")))));

    let ours = local(behind(terms(format(96, Codec::Vp8, ""))));
    let none = |media: &str| accepted(&body(&format!("{AUDIO}{media}")), &ours, 1).is_none();
    assert!(none("m=video 0 RTP/AVP 96\r\n"));
    assert!(none("m=video 5002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"), "not what was offered");
    assert!(none("m=video 5002 RTP/SAVP 96\r\na=rtpmap:96 VP8/90000\r\n"), "nor secured as it was");
    assert!(none("m=audio 5002 RTP/AVP 8\r\n"));
    assert!(!none("m=video 5002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"));
    let alone = body("m=audio 5000 RTP/AVP 8\r\n");
    assert!(accept_answer(&alone, &ours).is_ok() && accepted(&alone, &ours, 1).is_none());
}

#[test]
fn video_has_keys_of_its_own() {
    let terms = video_of(&body(PHONE)).unwrap();
    let mut caller = local(behind(terms.clone()));
    caller.security.offered = Keying::Sdes;
    let offered = offer(&caller);
    let text = lines(&offered);
    assert!(text.contains("m=video 40002 RTP/SAVPF 99 98\n"), "{text}");
    let mut callee = local(behind(terms));
    callee.security.seed = Some(KeySeed([9; 32]));
    let (answer, settled) = answer(&offered, &callee).unwrap();
    let there = settled.video.unwrap().keys.unwrap();
    assert_ne!(settled.keys.unwrap().send, there.send);
    assert_ne!(settled.keys.unwrap().receive, there.receive);
    let here = accepted(&answer, &caller, 1).unwrap();
    assert_eq!((here.keys.unwrap().send, here.keys.unwrap().receive), (there.receive, there.send));

    // later only what was taken is offered
    caller.security.settle_video(Some(&here));
    caller.video.as_mut().unwrap().terms.formats = vec![here.ours];
    let again = lines(&with_video(&offered, &caller));
    let section = &again[again.find("m=video").unwrap()..];
    assert_eq!(section.matches("a=crypto").count(), 1, "{section}");
    assert_eq!(section.matches("a=rtpmap").count(), 1, "{section}");
    assert_eq!(again[..again.find("m=video").unwrap()], text[..text.find("m=video").unwrap()]);
    caller.video = None;
    let without = lines(&with_video(&offered, &caller));
    assert!(without.ends_with("\nm=video 0 RTP/SAVPF 99 98\n"), "{without}");
}
