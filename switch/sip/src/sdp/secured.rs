//! Offers and answers with keys (RFC 4568).

use super::*;
use cordboard_model::media::Codec;
use cordboard_model::srtp::{SrtpPolicy, SrtpRule, SrtpSuite};

fn local(policy: SrtpPolicy, seed: u8) -> Local {
    let mut security = Security::new(SrtpRule { policy, without_tls: false });
    security.seed = Some(KeySeed([seed; 32]));
    Local {
        dtmf_pt: None,
        security,
        ..Local::plain("198.51.100.1:40000".parse().unwrap(), 7, &[Codec::Pcma])
    }
}

fn offering(policy: SrtpPolicy, seed: u8) -> Local {
    let mut local = local(policy, seed);
    local.security.offered = Keying::Sdes;
    local
}

const OF_32: &str =
    "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:4\r\n";
const OF_80: &str = "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n";

fn body(media: &str) -> Vec<u8> {
    format!("v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}").into_bytes()
}

fn answered(media: &str, policy: SrtpPolicy) -> Result<(String, Negotiated), SdpError> {
    let (answer, settled) = answer(&body(media), &local(policy, 1))?;
    Ok((String::from_utf8(answer).unwrap().replace("\r\n", "\n"), settled))
}

#[test]
fn both_ends_of_a_secured_offer_and_answer_have_the_same_two_keys() {
    let caller = offering(SrtpPolicy::Optional, 1);
    let callee = local(SrtpPolicy::Required, 2);
    let offered = offer(&caller);
    let text = String::from_utf8(offered.clone()).unwrap();
    assert!(text.contains("m=audio 40000 RTP/SAVP 8"), "{text}");
    assert_eq!(text.matches("a=crypto:").count(), SrtpSuite::ALL.len());
    let (answer, at_callee) = answer(&offered, &callee).unwrap();
    let text = String::from_utf8(answer.clone()).unwrap();
    assert_eq!(
        text.matches("a=crypto:1 AEAD_AES_256_GCM inline:").count(),
        1,
        "the strongest, its tag: {text}"
    );
    assert_eq!(text.matches("a=crypto").count(), 1);
    let at_caller = accept_answer(&answer, &caller).unwrap();
    let (here, there) = (at_caller.keys.unwrap(), at_callee.keys.unwrap());
    assert_eq!((here.send, here.receive), (there.receive, there.send));
    assert_ne!(here.send, here.receive, "each end has a key of its own");
}

#[test]
fn the_first_usable_line_is_taken_with_its_tag_and_the_rest_is_left_out() {
    let weak = OF_80.replace("\r\n", " UNENCRYPTED_SRTP\r\n");
    let media = format!("m=audio 4000 RTP/SAVP 8\r\na=crypto:1 X_NEW inline:abc\r\n{weak}{OF_32}{OF_80}");
    let (text, settled) = answered(&media, SrtpPolicy::Optional).unwrap();
    assert!(text.contains("m=audio 40000 RTP/SAVP 8\n"), "{text}");
    assert!(text.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:"), "{text}");
    assert!(!text.contains("NzB4d1"), "our key, not theirs");
    let keys = settled.keys.unwrap();
    assert_eq!(keys.receive.mki().unwrap().len, 4);
    assert_eq!(keys.send.mki(), None);
    let none = format!("m=audio 4000 RTP/SAVP 8\r\n{weak}");
    let error = answered(&none, SrtpPolicy::Optional).unwrap_err();
    assert_eq!((error, error.code(), error.warning()), (SdpError::NoCommonCrypto, 488, 305));
}

#[test]
fn a_rule_says_which_streams_are_taken() {
    use SrtpPolicy::{Off, Optional, Required};
    let plain = "m=audio 4000 RTP/AVP 8\r\n";
    let secured = format!("m=audio 4002 RTP/SAVP 8\r\n{OF_80}");
    let feedback = secured.replace("SAVP", "SAVPF");
    let browser = secured.replace("RTP/SAVP", "UDP/TLS/RTP/SAVPF");
    let both = format!("{plain}{secured}");
    let port = |media: &str, policy| match answered(media, policy) {
        Ok((_, settled)) => Ok((settled.stream.remote.port(), settled.keys.is_some())),
        Err(error) => Err((error, error.code(), error.warning())),
    };
    let offers = |media: &str| keying_offered(&body(media));
    use Keying::{Plain, Sdes};
    assert_eq!([plain, &secured, &feedback, &both].map(offers), [Plain, Sdes, Sdes, Sdes]);
    assert_eq!(["", "m=audio 0 RTP/SAVP 8\r\n", "nonsense"].map(offers), [Plain; 3]);
    assert_eq!(offers(&browser), Keying::Dtls);
    let no_audio = Err((SdpError::NoAudio, 488, 304));
    assert_eq!([Off, Optional].map(|policy| port(plain, policy)), [Ok((4000, false)); 2]);
    assert_eq!(port(plain, Required), Err((SdpError::NotSecured, 488, 302)));
    assert_eq!(port(&secured, Off), no_audio);
    assert_eq!([Optional, Required].map(|policy| port(&secured, policy)), [Ok((4002, true)); 2]);
    assert_eq!(port(&feedback, Required), Ok((4002, true)));
    assert_eq!(port(&both, Off), Ok((4000, false)));
    assert_eq!([Optional, Required].map(|policy| port(&both, policy)), [Ok((4002, true)); 2]);
    let refused = port(&browser, Required).unwrap_err().0;
    assert_eq!(refused, SdpError::NotSecured, "there is no certificate of ours here");
    assert_eq!([Off, Optional].map(|policy| port(&browser, policy)), [no_audio; 2]);
    let (text, _) = answered(&both, Optional).unwrap();
    assert!(text.contains("m=audio 0 RTP/AVP 8\nm=audio 40000 RTP/SAVP 8\n"), "{text}");
    let (text, _) = answered(&feedback, Optional).unwrap();
    assert!(text.contains("m=audio 40000 RTP/SAVPF 8\n"), "{text}");
}

#[test]
fn an_answer_that_takes_no_key_of_ours_is_none() {
    let ours = offering(SrtpPolicy::Optional, 1);
    let accept = |media: &str| accept_answer(&body(media), &ours).map(|settled| settled.keys.is_some());
    let right = OF_80.replace("crypto:7", "crypto:4");
    let stream = |lines: &str| format!("m=audio 4000 RTP/SAVP 8\r\n{lines}");
    assert_eq!(accept(&stream(&right)), Ok(true));
    assert_eq!(accept(&stream(OF_80)), Err(SdpError::NoCommonCrypto), "another tag");
    assert_eq!(accept(&stream(OF_32)), Err(SdpError::NoCommonCrypto), "another suite");
    assert_eq!(accept(&stream("")), Err(SdpError::NoCommonCrypto));
    assert_eq!(accept(&stream(&format!("{right}{right}"))), Err(SdpError::NoCommonCrypto), "two");
    assert_eq!(accept("m=audio 4000 RTP/AVP 8\r\n"), Err(SdpError::NotSecured), "in the clear");
    assert_eq!(accept("m=audio 0 RTP/SAVP 8\r\n"), Err(SdpError::Refused));
    let plain = local(SrtpPolicy::Optional, 1);
    let error = accept_answer(&body(&stream(&right)), &plain).unwrap_err();
    assert_eq!(error, SdpError::Mismatch, "keys nobody asked for");
}
