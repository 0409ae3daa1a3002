//! Offers and answers: what is settled, and what is refused.

use super::*;
use cordboard_model::srtp::{SrtpPolicy, SrtpRule};

fn local() -> Local {
    let security = Security::new(SrtpRule { policy: SrtpPolicy::Off, without_tls: false });
    Local { security, ..Local::plain("198.51.100.1:40000".parse().unwrap(), 7, &[Codec::Pcma, Codec::Pcmu]) }
}

fn body(media: &str) -> String {
    format!("v=0\r\no=- 5 9 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

fn answered(media: &str, local: &Local) -> (String, Negotiated) {
    let (bytes, negotiated) = answer(body(media).as_bytes(), local).unwrap();
    (text(bytes), negotiated)
}

#[test]
fn our_offer_lists_codecs_and_events() {
    let expected = "v=0\no=- 7 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n\
        m=audio 40000 RTP/AVP 8 0 101\na=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\n\
        a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na=sendrecv\n";
    assert_eq!(text(offer(&local())), expected);
}

#[test]
fn an_answer_keeps_the_peers_order_numbers_and_streams() {
    let media = "m=video 4000 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\n\
        m=audio 4002 RTP/SAVP 0\r\n\
        m=audio 4004 RTP/AVP 18 0 8 96 97\r\na=rtpmap:96 telephone-event/48000\r\n\
        a=rtpmap:97 Telephone-Event/8000\r\na=ptime:30\r\n\
        m=audio 4006 RTP/AVP 0\r\n";
    let (text, negotiated) = answered(media, &local());
    let streams = "m=video 0 RTP/AVP 96 97\nm=audio 0 RTP/SAVP 0\n\
        m=audio 40000 RTP/AVP 0 97\na=rtpmap:0 PCMU/8000\na=rtpmap:97 telephone-event/8000\n\
        a=fmtp:97 0-15\na=ptime:20\na=sendrecv\nm=audio 0 RTP/AVP 0\n";
    assert_eq!(text.split_once("t=0 0\n").unwrap().1, streams);
    assert_eq!(
        negotiated,
        Negotiated {
            stream: StreamParams {
                remote: "192.0.2.1:4004".parse().unwrap(),
                rtcp_mux: false,
                codec: Codec::Pcmu,
                send_payload_type: 0,
                recv_payload_type: 0,
                dtmf: Some((97, 97)),
                dtmf_hz: 8_000,
                comfort: None,
                opus: OpusParams::default(),
                ptime_ms: 30,
                direction: Direction::SendRecv,
            },
            keys: None,
            path: None,
            video: None,
            tag: None,
            held_by_peer: false,
            peer_session_id: "5".into(),
            peer_version: 9,
        }
    );
}

#[test]
fn dynamic_numbers_of_known_codecs_are_the_peers() {
    let media = "m=audio 4000 RTP/AVP 100 0\r\na=rtpmap:100 pcma/8000\r\na=rtpmap:0 L16/44100\r\n";
    let (text, negotiated) = answered(media, &local());
    assert!(text.contains("m=audio 40000 RTP/AVP 100\na=rtpmap:100 PCMA/8000\n"), "{text}");
    let stream = negotiated.stream;
    assert_eq!((stream.send_payload_type, stream.recv_payload_type, stream.dtmf), (100, 100, None));
}

#[test]
fn the_codec_that_the_other_party_speaks_is_taken_before_the_peers_order() {
    let wide = Local { codecs: Codec::ALL.to_vec(), ..local() };
    let media = "m=audio 4000 RTP/AVP 9 0 8\r\n";
    let taken = |local: &Local| answered(media, local).1.stream.codec;
    assert_eq!(taken(&wide), Codec::G722);
    assert_eq!(taken(&Local { spoken: Some(Codec::Pcma), ..wide.clone() }), Codec::Pcma);
    assert_eq!(taken(&Local { spoken: Some(Codec::G722), ..local() }), Codec::Pcmu, "not ours to use");
    assert_eq!(codecs_of(body(media).as_bytes()), [Codec::G722, Codec::Pcmu, Codec::Pcma]);
    assert_eq!(codecs_of(b"v=0"), []);
}

#[test]
fn g722_is_offered_with_the_clock_of_its_registration() {
    let wide = Local { codecs: vec![Codec::G722, Codec::Pcma], ..local() };
    let offered = text(offer(&wide));
    assert!(offered.contains("RTP/AVP 9 8 101\na=rtpmap:9 G722/8000\na=rtpmap:8 PCMA/8000\n"), "{offered}");
    // 16000 is a mistake that phones once made; it is not G.722 of RFC 3551.
    let (_, negotiated) = answered("m=audio 4000 RTP/AVP 9 8\r\na=rtpmap:9 G722/16000\r\n", &wide);
    assert_eq!(negotiated.stream.codec, Codec::Pcma);
    let (text, negotiated) = answered("m=audio 4000 RTP/AVP 109 8\r\na=rtpmap:109 G722/8000\r\n", &wide);
    assert!(text.contains("RTP/AVP 109\na=rtpmap:109 G722/8000\n"), "{text}");
    assert_eq!((negotiated.stream.codec, negotiated.stream.send_payload_type), (Codec::G722, 109));
}

#[test]
fn opus_is_offered_and_answered_with_events_of_its_own_clock() {
    let wide = Local { codecs: vec![Codec::Opus, Codec::Pcma], ..local() };
    let offered = text(offer(&wide));
    let lines = "RTP/AVP 111 8 102 101\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1;stereo=0\n\
        a=rtpmap:8 PCMA/8000\na=rtpmap:102 telephone-event/48000\na=fmtp:102 0-15\n\
        a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n";
    assert!(offered.contains(lines), "{offered}");
    let media = "m=audio 4000 RTP/AVP 96 8 97 98\r\na=rtpmap:96 OPUS/48000/2\r\n\
        a=fmtp:96 minptime=10; useinbandfec=1;usedtx=1;maxplaybackrate=16000\r\n\
        a=rtpmap:97 telephone-event/8000\r\na=rtpmap:98 telephone-event/48000\r\na=ptime:30\r\n";
    let (text, negotiated) = answered(media, &wide);
    assert!(text.contains("RTP/AVP 96 98\na=rtpmap:96 opus/48000/2\n"), "{text}");
    assert!(text.contains("a=rtpmap:98 telephone-event/48000\n"), "{text}");
    let stream = negotiated.stream;
    assert_eq!((stream.codec, stream.send_payload_type, stream.ptime_ms), (Codec::Opus, 96, 20));
    assert_eq!((stream.dtmf, stream.dtmf_hz), (Some((98, 98)), 48_000));
    let wanted = OpusParams { fec: true, dtx: true, playback_hz: 16_000, ..OpusParams::default() };
    assert_eq!(stream.opus, wanted);
    let narrow = media.replace("a=rtpmap:98 telephone-event/48000\r\n", "");
    let stream = answered(&narrow, &wide).1.stream;
    assert_eq!((stream.dtmf, stream.dtmf_hz), (Some((97, 97)), 8_000), "a phone that knows 8 kHz alone");
    let stream = accept_answer(body(media).as_bytes(), &wide).unwrap().stream;
    assert_eq!((stream.send_payload_type, stream.recv_payload_type), (96, 111));
    assert_eq!(stream.dtmf, Some((98, 102)));
}

#[test]
fn an_accepted_stream_keeps_the_spelling_of_its_names() {
    let (text, _) = answered("m=AUDIO 4000 rtp/Avp 0\r\n", &local());
    assert!(text.contains("\nm=AUDIO 40000 rtp/Avp 0\n"), "{text}");
}

#[test]
fn every_direction_is_answered_by_what_both_allow() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let all = [SendRecv, SendOnly, RecvOnly, Inactive];
    let mut table = Vec::new();
    for ours in all {
        for theirs in all {
            let local = Local { direction: ours, ..local() };
            let media = format!("m=audio 4000 RTP/AVP 0\r\na={}\r\n", attribute(theirs));
            let (text, negotiated) = answered(&media, &local);
            let settled = negotiated.stream.direction;
            assert!(text.ends_with(&format!("a={}\n", attribute(settled))));
            assert_eq!(negotiated.held_by_peer, !theirs.receives());
            table.push((ours, theirs, settled));
        }
    }
    let expected = [
        (SendRecv, [SendRecv, RecvOnly, SendOnly, Inactive]),
        (SendOnly, [SendOnly, Inactive, SendOnly, Inactive]),
        (RecvOnly, [RecvOnly, RecvOnly, Inactive, Inactive]),
        (Inactive, [Inactive; 4]),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .flat_map(|(ours, settled)| {
            all.into_iter().zip(settled).map(move |(theirs, settled)| (ours, theirs, settled))
        })
        .collect();
    assert_eq!(table, expected);
}

#[test]
fn a_hold_of_rfc_2543_stops_our_sending() {
    let media = "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n";
    let (text, negotiated) = answered(media, &local());
    assert_eq!(negotiated.stream.direction, Direction::RecvOnly);
    assert!(negotiated.held_by_peer && text.ends_with("a=recvonly\n"));
}

#[test]
fn offers_that_cannot_be_served_are_488_and_broken_ones_400() {
    let code = |media: &str| answer(body(media).as_bytes(), &local()).map_err(|error| (error, error.code()));
    let audio = "m=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(code(""), Err((SdpError::NoAudio, 488)));
    assert_eq!(code("m=video 4000 RTP/AVP 96\r\n"), Err((SdpError::NoAudio, 488)));
    assert_eq!(code("m=audio 0 RTP/AVP 0\r\n"), Err((SdpError::NoAudio, 488)));
    assert_eq!(code("m=audio 4000 RTP/SAVP 0\r\n"), Err((SdpError::NoAudio, 488)));
    assert_eq!(code("m=audio 4000 RTP/AVP 3 18\r\n"), Err((SdpError::NoCommonCodec, 488)));
    assert_eq!(code("m=audio 4000 RTP/AVP 4294967296\r\n"), Err((SdpError::NoCommonCodec, 488)));
    let named = format!("{audio}c=IN IP4 host.example.com\r\n");
    assert_eq!(code(&named), Err((SdpError::NoAddress, 488)));
    assert_eq!(code("m=audio\r\n"), Err((SdpError::Malformed { line: 6 }, 400)));
    assert_eq!(code("m=audio 99999 RTP/AVP 0\r\n"), Err((SdpError::Malformed { line: 6 }, 400)));
}

#[test]
fn an_answer_to_us_is_read_with_both_numberings() {
    let media = "m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=ptime:40\r\na=maxptime:30\r\na=recvonly\r\n";
    let negotiated = accept_answer(body(media).as_bytes(), &local()).unwrap();
    assert_eq!(
        negotiated.stream,
        StreamParams {
            remote: "192.0.2.1:4000".parse().unwrap(),
            rtcp_mux: false,
            codec: Codec::Pcma,
            send_payload_type: 8,
            recv_payload_type: 8,
            dtmf: Some((96, 101)),
            dtmf_hz: 8_000,
            comfort: None,
            opus: OpusParams::default(),
            ptime_ms: 30,
            direction: Direction::SendOnly,
        }
    );
}

#[test]
fn answers_that_do_not_fit_are_refused() {
    let error = |media: &str| accept_answer(body(media).as_bytes(), &local()).unwrap_err();
    assert_eq!(error(""), SdpError::Mismatch);
    assert_eq!(error("m=audio 1 RTP/AVP 0\r\nm=audio 2 RTP/AVP 0\r\n"), SdpError::Mismatch);
    assert_eq!(error("m=video 1 RTP/AVP 0\r\n"), SdpError::Mismatch);
    assert_eq!(error("m=audio 0 RTP/AVP 0\r\n"), SdpError::Refused);
    assert_eq!(error("m=audio 1 RTP/AVP 9\r\n"), SdpError::NoCommonCodec);
    let only_a = Local { codecs: vec![Codec::Pcma], ..local() };
    let media = body("m=audio 1 RTP/AVP 0\r\n");
    assert_eq!(accept_answer(media.as_bytes(), &only_a), Err(SdpError::NoCommonCodec));
}

#[test]
fn both_ends_of_our_own_offer_and_answer_agree() {
    let caller = local();
    let callee = Local { addr: "[2001:db8::2]:5000".parse().unwrap(), dtmf_pt: Some(96), ..local() };
    let (answer, at_callee) = answer(&offer(&caller), &callee).unwrap();
    let at_caller = accept_answer(&answer, &caller).unwrap();
    assert_eq!((at_callee.stream.remote, at_caller.stream.remote), (caller.addr, callee.addr));
    assert_eq!(at_caller.stream.codec, at_callee.stream.codec);
    assert_eq!((at_caller.stream.dtmf, at_callee.stream.dtmf), (Some((101, 101)), Some((101, 101))));
}

#[test]
fn comfort_noise_is_agreed_on_where_both_know_it_under_each_sides_number() {
    let wants = Local { comfort: true, codecs: vec![Codec::Opus, Codec::Pcma, Codec::L16], ..local() };
    let offered = text(offer(&wants));
    assert!(offered.contains(" 111 8 112 13 113 "), "{offered}");
    assert!(
        offered.contains("a=rtpmap:13 CN/8000\n") && offered.contains("a=rtpmap:113 CN/16000\n"),
        "{offered}"
    );
    assert!(!offered.contains("CN/48000"), "{offered}");
    assert!(!text(offer(&Local { comfort: false, ..wants.clone() })).contains("CN/"));
    // who asks for it, with the static number or another, gets it; beside Opus nobody does
    let agreed = |media: &str, ours: &Local| {
        let (text, settled) = answered(media, ours);
        assert_eq!(text.contains(" CN/"), settled.stream.comfort.is_some(), "{text}");
        settled.stream.comfort
    };
    let narrow = "m=audio 4000 RTP/AVP 8 13\r\n";
    assert_eq!(agreed(narrow, &wants), Some((13, 13)));
    assert_eq!(agreed(narrow, &Local { comfort: false, ..wants.clone() }), None);
    assert_eq!(agreed("m=audio 4000 RTP/AVP 8\r\n", &wants), None);
    let other = "m=audio 4000 RTP/AVP 8 98\r\na=rtpmap:98 CN/8000\r\n";
    assert_eq!(agreed(other, &wants), Some((98, 98)));
    let opus = "m=audio 4000 RTP/AVP 96 13 97\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:97 CN/48000\r\n";
    assert_eq!(agreed(opus, &wants), None);
    // an answer to us: their number is sent, ours is received
    let linear = "m=audio 4000 RTP/AVP 96 97\r\na=rtpmap:96 L16/16000\r\na=rtpmap:97 CN/16000\r\n";
    let settled = |answer: &str, ours: &Local| accept_answer(body(answer).as_bytes(), ours).unwrap();
    assert_eq!(settled(linear, &wants).stream.comfort, Some((97, 113)));
    assert_eq!(settled(linear, &Local { comfort: false, ..wants }).stream.comfort, None);
}

#[test]
fn rtcp_shares_the_port_where_both_say_so() {
    let asks = Local { rtcp_mux: true, ..local() };
    let offered = text(offer(&asks));
    assert!(offered.ends_with("a=sendrecv\na=rtcp-mux\n"), "{offered}");
    let media = "m=audio 4000 RTP/AVP 0\r\n";
    let muxed = "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n";
    for ours in [local(), asks.clone()] {
        let (text, settled) = answered(muxed, &ours);
        assert!(text.contains("a=rtcp-mux\n") && settled.stream.rtcp_mux, "{text}");
        let (text, settled) = answered(media, &ours);
        assert!(!text.contains("rtcp-mux") && !settled.stream.rtcp_mux, "nobody asked: {text}");
    }
    let settled =
        |answer: &str, ours: &Local| accept_answer(body(answer).as_bytes(), ours).unwrap().stream.rtcp_mux;
    assert!(settled(muxed, &asks) && !settled(media, &asks) && !settled(muxed, &local()));
}

#[test]
fn packet_lengths_are_tens_from_10_to_60() {
    let ptime = |line: &str| answered(&format!("m=audio 1 RTP/AVP 0\r\n{line}"), &local()).1.stream.ptime_ms;
    let lines = [
        "",
        "a=ptime:0\r\n",
        "a=ptime:5\r\n",
        "a=ptime:35.5\r\n",
        "a=ptime:200\r\n",
        "a=ptime:99999999999\r\n",
        "a=maxptime:10\r\n",
        "a=ptime:60\r\na=maxptime:0\r\n",
    ];
    assert_eq!(lines.map(ptime), [20, 20, 10, 30, 60, 20, 10, 10]);
}
