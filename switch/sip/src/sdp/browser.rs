//! Offers and answers of browsers (UDP/TLS/RTP/SAVPF with ICE and BUNDLE).

use super::*;
use crate::sdp::crypto::DtlsSelf;
use crate::sdp::{LocalVideo, VideoTerms, accept_video, video_of};
use cordboard_model::media::Codec;
use cordboard_model::path::{DtlsRole, FingerprintHash, MediaPath};
use cordboard_model::srtp::{SrtpPolicy, SrtpRule};

const THEIRS: &str =
    "1A:2B:3C:4D:5E:6F:70:81:92:A3:B4:C5:D6:E7:F8:09:1A:2B:3C:4D:5E:6F:70:81:92:A3:B4:C5:D6:E7:F8:09";

fn local(policy: SrtpPolicy, ice_lite: bool) -> Local {
    let mut security = Security::new(SrtpRule { policy, without_tls: false });
    security.seed = Some(KeySeed([1; 32]));
    security.dtls = Some(DtlsSelf { fingerprint: [0xab; 32], ice_lite });
    Local { security, ..Local::plain("198.51.100.1:40000".parse().unwrap(), 7, &[Codec::Pcma, Codec::Pcmu]) }
}

/// As Chromium writes it, shortened where lines only repeat.
fn chromium(setup: &str, ufrag: &str) -> Vec<u8> {
    let audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126";
    let text = format!(
        "v=0\r\no=- 8473 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\n\
         a=msid-semantic: WMS 5f\r\n{audio}\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 8f-1.local 51000 typ host generation 0\r\n\
         a=candidate:2 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 0.0.0.0 rport 0\r\n\
         a=candidate:3 1 udp 2113939711 2001:db8::9 51001 typ host\r\n\
         a=candidate:4 1 tcp 1518280447 203.0.113.7 9 typ host tcptype active\r\n\
         a=ice-ufrag:{ufrag}\r\na=ice-pwd:aBcDeFgHiJkLmNoPqRsTuVwX\r\na=ice-options:trickle\r\n\
         a=fingerprint:sha-256 {THEIRS}\r\na=setup:{setup}\r\na=mid:0\r\n\
         a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\na=msid:5f 6e\r\na=rtcp-mux\r\n\
         a=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
         a=rtpmap:63 red/48000/2\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n\
         a=ssrc:9 cname:x\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\na=rtcp-mux\r\n"
    );
    text.into_bytes()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().replace("\r\n", "\n")
}

fn path(settled: &Negotiated) -> &MediaPath {
    settled.path.as_ref().unwrap()
}

#[test]
fn a_browsers_offer_is_answered_with_ice_dtls_and_its_bundle_and_video_is_refused() {
    let (bytes, settled) = answer(&chromium("actpass", "uFrA"), &local(SrtpPolicy::Optional, false)).unwrap();
    let said = text(&bytes);
    assert!(said.contains("\na=group:BUNDLE 0\n"), "{said}");
    assert!(said.contains("\nm=audio 40000 UDP/TLS/RTP/SAVPF 0 126\n"), "{said}");
    assert!(said.contains("\na=mid:0\n") && said.contains("\na=rtcp-mux\n"), "{said}");
    assert!(said.contains("\na=setup:active\n") && said.contains("\na=sendrecv\n"), "{said}");
    assert!(said.contains(&format!("\na=fingerprint:sha-256 AB{}\n", ":AB".repeat(31))), "{said}");
    assert!(said.contains("\na=candidate:1 1 udp 2130706431 198.51.100.1 40000 typ host\n"), "{said}");
    assert!(said.ends_with("m=video 0 UDP/TLS/RTP/SAVPF 96\na=mid:1\n"), "{said}");
    assert!(!said.contains("ice-lite") && !said.contains("crypto"), "{said}");
    assert!(settled.stream.rtcp_mux && !settled.held_by_peer && settled.keys.is_none());
    let (ice, dtls) = (path(&settled).ice.as_ref().unwrap(), path(&settled).dtls.as_ref().unwrap());
    assert_eq!(
        (dtls.role, dtls.theirs.hash, dtls.theirs.digest[0]),
        (DtlsRole::Client, FingerprintHash::Sha256, 0x1a)
    );
    assert_eq!((ice.theirs.user.as_str(), ice.lite, ice.controlling), ("uFrA", false, false));
    let addresses: Vec<String> = ice.candidates.iter().map(|one| one.address.to_string()).collect();
    assert_eq!(addresses, ["203.0.113.7:46154"], "of our family, by UDP, and no names");
    assert!(said.contains(&format!("\na=ice-ufrag:{}\na=ice-pwd:{}\n", ice.ours.user, ice.ours.password)));
    let (bytes, settled) = answer(&chromium("active", "uFrA"), &local(SrtpPolicy::Dtls, true)).unwrap();
    assert!(text(&bytes).contains("\na=ice-lite\n") && text(&bytes).contains("\na=setup:passive\n"));
    assert_eq!(path(&settled).dtls.as_ref().unwrap().role, DtlsRole::Server);
}

fn with_video(policy: SrtpPolicy, terms: VideoTerms) -> Local {
    Local { video: Some(LocalVideo { port: 40_002, terms }), ..local(policy, false) }
}

/// The video of a phone, in the clear.
fn vp8() -> VideoTerms {
    let phone = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n\
        m=video 4002 RTP/AVP 31 98\r\na=rtpmap:98 VP8/90000\r\n";
    video_of(phone.as_bytes()).unwrap()
}

/// As Chromium writes it, with ways of its own for either stream.
fn chromium_with_video() -> Vec<u8> {
    let video = format!(
        "a=ice-ufrag:vIdE\r\na=ice-pwd:aBcDeFgHiJkLmNoPqRsTuVwX\r\na=fingerprint:sha-256 {THEIRS}\r\na=setup:actpass\r\n\
         a=candidate:2 1 udp 1677729535 203.0.113.7 46156 typ srflx raddr 0.0.0.0 rport 0\r\na=rtcp-fb:96 nack pli\r\n\
         a=sendrecv\r\n"
    );
    [chromium("actpass", "uFrA"), video.into_bytes()].concat()
}

#[test]
fn a_browsers_video_is_taken_on_a_way_of_its_own_without_a_bundle() {
    let offered = chromium_with_video();
    let terms = video_of(&offered).unwrap();
    assert!(!terms.early, "that a browser speaks of feedback says nothing of a phone");
    assert_eq!(terms.formats[0].codec, Codec::Vp8);
    let ours = with_video(SrtpPolicy::Optional, vp8());
    let (bytes, settled) = answer(&offered, &ours).unwrap();
    let said = text(&bytes);
    assert!(!said.contains("a=group"), "{said}");
    let (_, video) = said.split_once("\nm=video ").unwrap();
    assert!(video.starts_with("40002 UDP/TLS/RTP/SAVPF 96\n"), "{said}");
    for line in ["a=mid:1", "a=rtcp-mux", "a=setup:active", "a=rtpmap:96 VP8/90000", "a=msid:cordboard video"]
    {
        assert!(video.contains(&format!("\n{line}\n")), "{line} in {said}");
    }
    assert!(video.contains("\na=candidate:1 1 udp 2130706431 198.51.100.1 40002 typ host\n"), "{said}");
    let video = settled.video.as_ref().unwrap();
    let (theirs, here) = (video.path.as_ref().unwrap(), path(&settled));
    let (ice, beside) = (theirs.ice.as_ref().unwrap(), here.ice.as_ref().unwrap());
    assert_eq!(ice.theirs.user, "vIdE");
    assert_ne!(ice.ours, beside.ours, "checks of the one are not taken for checks of the other");
    assert_eq!(ice.candidates[0].address, "203.0.113.7:46156".parse().unwrap());
    assert_eq!(theirs.dtls, here.dtls);
    assert!(video.stream.rtcp_mux && video.keys.is_none());
}

#[test]
fn our_offer_of_video_to_a_browser_and_an_answer_to_it_agree() {
    let mut caller = with_video(SrtpPolicy::Optional, vp8());
    caller.security.offered = Keying::Dtls;
    let mut callee = with_video(SrtpPolicy::Optional, vp8());
    callee.addr = "198.51.100.9:5000".parse().unwrap();
    callee.security.seed = Some(KeySeed([2; 32]));
    let offered = offer(&caller);
    let said = text(&offered);
    assert!(!said.contains("a=group") && said.contains("\na=mid:1\n"), "{said}");
    let (answered, there) = answer(&offered, &callee).unwrap();
    let here = accept_video(&answered, &caller, 1).unwrap();
    let (here, there) = (here.path.unwrap(), there.video.unwrap().path.unwrap());
    let (a, b) = (here.ice.unwrap(), there.ice.unwrap());
    assert_eq!((&a.ours, &a.theirs), (&b.theirs, &b.ours));
    assert_eq!(b.candidates[0].address, "198.51.100.1:40002".parse().unwrap());
    assert_eq!((here.dtls.unwrap().role, there.dtls.unwrap().role), (DtlsRole::Server, DtlsRole::Client));
}

/// A browser does not take an answer that takes a stream out of a group that has stood once.
#[test]
fn where_video_had_a_way_of_its_own_there_is_no_bundle_afterwards_without_it_either() {
    let mut ours = with_video(SrtpPolicy::Optional, vp8());
    ours.parted = true;
    let off = text(&chromium_with_video()).replace("m=video 9", "m=video 0");
    let (bytes, settled) = answer(off.as_bytes(), &ours).unwrap();
    assert!(settled.video.is_none() && !text(&bytes).contains("a=group"), "{}", text(&bytes));
}

#[test]
fn video_by_dtls_beside_other_audio_or_without_a_fingerprint_is_refused_and_the_audio_stays() {
    let ours = with_video(SrtpPolicy::Optional, vp8());
    let whole = text(&chromium_with_video());
    let (head, video) = whole.split_once("\nm=video ").unwrap();
    let bare = format!("{head}\nm=video {}", video.replace("fingerprint", "print"));
    let mixed = format!(
        "v=0\no=- 1 2 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 8\nm=video {video}"
    );
    for offered in [bare, mixed] {
        assert_eq!(video_of(offered.as_bytes()), None, "nobody else is to film for it");
        let (bytes, settled) = answer(offered.as_bytes(), &ours).unwrap();
        assert!(text(&bytes).contains("\nm=video 0 ") && settled.video.is_none(), "{}", text(&bytes));
    }
}

#[test]
fn our_offer_to_a_browser_and_an_answer_to_it_agree() {
    let mut caller = local(SrtpPolicy::Optional, false);
    caller.security.offered = Keying::Dtls;
    let mut callee = local(SrtpPolicy::Optional, true);
    callee.security.seed = Some(KeySeed([2; 32]));
    callee.addr = "198.51.100.9:5000".parse().unwrap();
    let offered = offer(&caller);
    assert_eq!(keying_offered(&offered), Keying::Dtls);
    assert!(text(&offered).contains("\na=setup:actpass\n"), "{}", text(&offered));
    let (bytes, there) = answer(&offered, &callee).unwrap();
    let here = accept_answer(&bytes, &caller).unwrap();
    let (here, there) = (path(&here).clone(), path(&there).clone());
    let (a, b) = (here.ice.unwrap(), there.ice.unwrap());
    assert_eq!((&a.ours, &a.theirs), (&b.theirs, &b.ours));
    assert_eq!((a.controlling, b.controlling, b.candidates[0].address), (true, false, caller.addr));
    assert_eq!((here.dtls.unwrap().role, there.dtls.unwrap().role), (DtlsRole::Server, DtlsRole::Client));
}

#[test]
fn what_is_missing_or_not_wanted_is_refused_with_its_reason() {
    let full = text(&chromium("actpass", "uFrA"));
    let error = |text: &str, policy| answer(text.as_bytes(), &local(policy, false)).unwrap_err();
    use SrtpPolicy::{Dtls, Off, Optional};
    assert_eq!(error(&full.replace("sha-256", "md5"), Optional), SdpError::NoFingerprint);
    assert_eq!(error(&full.replace("actpass", "holdconn"), Optional), SdpError::NoFingerprint);
    assert_eq!(error(&full, Off), SdpError::NoAudio);
    let plain = "v=0\no=- 1 2 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 8\n";
    assert_eq!(error(plain, Dtls), SdpError::NotSecured);
    let sdes = format!(
        "{}a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n",
        plain.replace("RTP/AVP", "RTP/SAVP")
    );
    assert_eq!(error(&sdes, Dtls), SdpError::NotSecured, "its keys stand in the signalling");
    let mut ours = local(Optional, false);
    ours.security.offered = Keying::Dtls;
    assert_eq!(accept_answer(plain.as_bytes(), &ours).unwrap_err(), SdpError::NotSecured);
    let answered = text(&answer(&offer(&ours), &local(Optional, false)).unwrap().0);
    let both = answered.replace("setup:active", "setup:actpass");
    assert_eq!(accept_answer(both.as_bytes(), &ours).unwrap_err(), SdpError::NoFingerprint);
}
