//! The bodies that RFCs print, answered: each answer is one that RFC 3264 allows.

use super::corpora::corpus;
use cordboard_model::media::Codec;
use cordboard_sip::sdp::{self, Local, SdpError, SessionDescription};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::path::Path;

fn local() -> Local {
    Local::plain("198.51.100.1:40000".parse().unwrap(), 7, &[Codec::Pcmu, Codec::Pcma])
}

/// The rules of RFC 3264 section 6 that can be seen from both descriptions.
fn assert_acceptable(name: &str, offer: &[u8], answer: &[u8]) {
    let offer = SessionDescription::parse(offer).unwrap();
    let answer = SessionDescription::parse(answer).unwrap();
    assert_eq!(offer.media.len(), answer.media.len(), "{name}: as many streams");
    assert_eq!(offer.time, answer.time, "{name}: the same time");
    let mut in_use = 0;
    for (offered, answered) in offer.media.iter().zip(&answer.media) {
        assert_eq!(offered.kind, answered.kind, "{name}");
        assert_eq!(offered.protocol, answered.protocol, "{name}");
        assert!(!answered.formats.is_empty(), "{name}: at least one format");
        if answered.port == 0 {
            continue;
        }
        in_use += 1;
        assert_ne!(offered.port, 0, "{name}: a refused stream stays refused");
        let places: Vec<_> = answered
            .formats
            .iter()
            .map(|format| offered.formats.iter().position(|other| other == format))
            .collect();
        assert!(places.iter().all(Option::is_some), "{name}: no format of our own number");
        for payload_type in answered.payload_types() {
            let (theirs, ours) = (offered.rtpmap(payload_type), answered.rtpmap(payload_type));
            let name_of = |map: Option<sdp::RtpMap>| map.map(|map| (map.name.to_uppercase(), map.clock_hz));
            assert_eq!(name_of(theirs), name_of(ours), "{name}: the same meaning");
        }
        let (theirs, ours) = (offer.direction_of(offered), answer.direction_of(answered));
        assert!(!ours.sends() || theirs.receives(), "{name}: send only what is received");
        assert!(!ours.receives() || theirs.sends(), "{name}: receive only what is sent");
    }
    assert_eq!(in_use, 1, "{name}: one stream is used");
}

/// The RFCs print host names where calls have addresses.
fn with_addresses(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let line = |line: &str| match line.strip_prefix("c=IN IP4 ") {
        Some(host) if host.trim().ends_with(".com") => "c=IN IP4 192.0.2.9\r\n".to_owned(),
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect::<String>().into_bytes()
}

fn bodies(dir: &Path, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let mut bodies: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sdp"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect();
    bodies.sort();
    bodies
}

/// Offers and answers of RFC 4317 sections 2.1 and 5.1, addresses in place of host names.
const RFC_4317_2_1_OFFER: &str = "v=0\r\no=alice 2890844526 2890844526 IN IP4 host.atlanta.example.com\r\ns=\r\n\
    c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 8 97\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:97 iLBC/8000\r\nm=video 51372 RTP/AVP 31 32\r\n\
    a=rtpmap:31 H261/90000\r\na=rtpmap:32 MPV/90000\r\n";

#[test]
fn audio_and_video_are_answered_by_audio_alone() {
    let (answer, negotiated) = sdp::answer(RFC_4317_2_1_OFFER.as_bytes(), &local()).unwrap();
    assert_acceptable("2.1", RFC_4317_2_1_OFFER.as_bytes(), &answer);
    assert_eq!(negotiated.stream.codec, Codec::Pcmu);
    assert_eq!(negotiated.stream.remote, "192.0.2.1:49170".parse().unwrap());
    assert_eq!(negotiated.stream.dtmf, None);
    let text = String::from_utf8(answer).unwrap();
    assert!(text.contains("\r\nm=video 0 RTP/AVP 31 32\r\n"), "{text}");
}

#[test]
fn rfc_4317_offers_get_acceptable_answers() {
    let Some(dir) = corpus("rfc-sdp") else { return };
    let bodies = bodies(&dir, "rfc4317");
    assert_eq!(bodies.len(), 52);
    let mut answered = 0;
    for (name, body) in &bodies {
        let offer = with_addresses(body);
        match sdp::answer(&offer, &local()) {
            Ok((answer, _)) => {
                answered += 1;
                assert!(offers_g711(&offer), "{name}");
                assert_acceptable(name, &offer, &answer);
            }
            Err(error) => {
                assert!(!offers_g711(&offer), "{name}: {error}");
                assert_eq!(error, SdpError::NoCommonCodec, "{name}");
            }
        }
    }
    assert_eq!(answered, 19);
}

/// Read apart from the code under test: an audio stream in use lists format 0 or 8.
fn offers_g711(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.lines().filter_map(|line| line.strip_prefix("m=audio ")).any(|stream| {
        let fields: Vec<_> = stream.split_whitespace().collect();
        fields[0] != "0" && fields[1] == "RTP/AVP" && fields[2..].iter().any(|f| *f == "0" || *f == "8")
    })
}

#[test]
fn every_printed_body_is_answered_acceptably_or_refused_by_name() {
    let Some(dir) = corpus("rfc-sdp") else { return };
    let bodies = bodies(&dir, "rfc");
    assert_eq!(bodies.len(), 217);
    let (mut answered, mut unserved, mut malformed) = (0, 0, Vec::new());
    for (name, body) in &bodies {
        match sdp::answer(&with_addresses(body), &local()) {
            Ok((answer, _)) => {
                answered += 1;
                assert_acceptable(name, &with_addresses(body), &answer);
            }
            Err(error) if error.code() == 488 => unserved += 1,
            Err(error) => malformed.push(format!("{name}: {error}")),
        }
    }
    // a port of 66544, placeholders for ports, streams cut short in print
    let damaged = [
        "rfc6871-03: malformed session description, line 12",
        "rfc8839-02: malformed session description, line 10",
        "rfc8839-04: malformed session description, line 10",
        "rfc8859-07: malformed session description, line 7",
        "rfc8859-09: malformed session description, line 9",
        "rfc8859-10: malformed session description, line 13",
    ];
    assert_eq!((answered, unserved, malformed), (90, 121, damaged.map(str::to_owned).to_vec()));
}

#[test]
fn bodies_of_the_torture_messages_are_answered() {
    let torture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/torture");
    for (file, remote) in
        [("rfc5118-crlf/mult-ip-in-sdp", "192.0.2.1:22334"), ("rfc4475/wsinv.dat", "192.0.2.4:49217")]
    {
        let data = std::fs::read(torture.join(file)).unwrap();
        let message = cordboard_sip::wire::parse_datagram(&data).unwrap();
        let (answer, negotiated) = sdp::answer(&message.body, &local()).unwrap();
        assert_acceptable(file, &message.body, &answer);
        assert_eq!(negotiated.stream.remote.to_string(), remote, "{file}");
    }
    // G.726 alone, over IPv6
    for (file, address) in
        [("rfc5118-crlf/ipv6-in-sdp", "2001:db8::20"), ("rfc5118-crlf/ipv4-mapped-ipv6", "::ffff:192.0.2.2")]
    {
        let data = std::fs::read(torture.join(file)).unwrap();
        let message = cordboard_sip::wire::parse_datagram(&data).unwrap();
        let description = SessionDescription::parse(&message.body).unwrap();
        let address = sdp::Connection::Ip(address.parse().unwrap());
        assert_eq!(description.connection_of(&description.media[0]), Some(&address));
        assert_eq!(sdp::answer(&message.body, &local()), Err(SdpError::NoCommonCodec));
    }
}

#[test]
fn nothing_panics_on_twenty_thousand_damaged_bodies() {
    let mut seeds = vec![RFC_4317_2_1_OFFER.as_bytes().to_vec(), sdp::offer(&local())];
    if let Some(dir) = corpus("rfc-sdp") {
        seeds.extend(bodies(&dir, "rfc").into_iter().step_by(3).map(|(_, body)| with_addresses(&body)));
    }
    let pieces: &[&[u8]] = &[
        b"\r\n",
        b"\n",
        b"=",
        b"m=",
        b"m=audio 9 RTP/AVP",
        b"a=",
        b"c=IN IP4 ",
        b":",
        b"/",
        b" ",
        b"\0",
        b"\xff",
        b"4294967296",
        b"-1",
        b"a=rtpmap:0 ",
        b"a=fmtp:",
        b"v=0\r\n",
        b"o=",
        b"t=",
        b"\xf0\x9f\x98\x80",
        b"a=ptime:",
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(0x5d9);
    let mut below = |limit: usize| usize::try_from(rng.next_u32()).unwrap() % limit.max(1);
    let mut answered = 0;
    for round in 0..20_000 {
        let mut body = seeds[below(seeds.len())].clone();
        for _ in 0..=below(4) {
            let at = below(body.len());
            match below(5) {
                0 if !body.is_empty() => body[at] = u8::try_from(below(256)).unwrap(),
                1 => body.truncate(at),
                2 => {
                    let end = (at + below(30)).min(body.len());
                    body.drain(at..end);
                }
                3 => {
                    let end = (at + below(60)).min(body.len());
                    let copy = body[at..end].to_vec();
                    body.splice(at..at, copy);
                }
                _ => {
                    let piece = pieces[below(pieces.len())];
                    body.splice(at..at, piece.iter().copied());
                }
            }
        }
        if let Ok((answer, _)) = sdp::answer(&body, &local()) {
            answered += 1;
            assert_acceptable(&format!("round {round}"), &body, &answer);
        }
        let _ = sdp::accept_answer(&body, &local());
    }
    println!("{answered} answered");
    assert!(answered > 1_000, "{answered}");
}
