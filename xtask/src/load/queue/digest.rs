//! How a phone says who it is: digest with MD5 (RFC 2617 3.2.2).

use md5::{Digest, Md5};

use super::super::probe::header;

fn hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The header that answers the challenge in a 401 to a REGISTER, with its line end.
pub(super) fn authorization(challenge: &str, uri: &str, user: &str, password: &str) -> Option<String> {
    let asked = header(challenge, "WWW-Authenticate")?;
    let value = |name: &str| {
        let rest = asked.split_once(&format!("{name}=\""))?.1;
        rest.split('"').next()
    };
    let (realm, nonce) = (value("realm")?, value("nonce")?);
    let (ha1, ha2) = (hex(&format!("{user}:{realm}:{password}")), hex(&format!("REGISTER:{uri}")));
    let response = hex(&format!("{ha1}:{nonce}:00000001:c0ffee:auth:{ha2}"));
    Some(format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=MD5, cnonce=\"c0ffee\", qop=auth, nc=00000001\r\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_challenge_is_that_of_rfc_1321_and_2617() {
        assert_eq!(hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        let asked =
            "SIP/2.0 401 x\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\r\n";
        let said = authorization(asked, "sip:r", "u", "p").unwrap();
        let wanted = hex(&format!("{}:n:00000001:c0ffee:auth:{}", hex("u:r:p"), hex("REGISTER:sip:r")));
        assert!(said.contains(&format!("response=\"{wanted}\"")), "{said}");
        assert_eq!(authorization("SIP/2.0 401 x\r\n\r\n", "sip:r", "u", "p"), None);
    }
}
