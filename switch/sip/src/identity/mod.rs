//! Who calls, as networks tell each other: P-Asserted-Identity and Privacy (RFC 3325, 3323), Remote-Party-ID, Diversion
//! (RFC 5806), History-Info (RFC 7044), User-to-User (RFC 7433).
//!
//! Invariant: what is read here is only what was said. Whether it is believed is decided where trunks are known.

mod diversion;

use cordboard_model::config::TrunkIdentity;
use cordboard_model::leg::PartyId;
use cordboard_model::routes::is_location;

use crate::wire::{HeaderName, Host, Message, NameAddr, SipUri, scan};

pub use diversion::Diversion;

/// Most bytes of a User-to-User value that are carried; ISDN has 128, and what is longer is dropped whole.
pub const USER_TO_USER_MAX: usize = 1_024;

/// What an INVITE says of its caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The first P-Asserted-Identity that has a user or number.
    pub asserted: Option<PartyId>,
    /// The calling party of Remote-Party-ID.
    pub remote_party: Option<PartyId>,
    /// The caller wants not to be known: Privacy, or the privacy of Remote-Party-ID.
    pub private: bool,
    /// Who has diverted the call, the latest first.
    pub diversions: Vec<Diversion>,
    /// User-to-User, with its parameters, as it came.
    pub user_to_user: Option<String>,
}

/// What an INVITE of ours says of the caller, beside From.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Who calls, to one who is trusted with it.
    pub asserted: Option<PartyId>,
    /// The header that tells it.
    pub form: TrunkIdentity,
    /// The caller wants not to be known.
    pub private: bool,
    /// Who has diverted the call, the latest first.
    pub diversions: Vec<Diversion>,
    /// User-to-User, with its parameters.
    pub user_to_user: Option<String>,
    /// Where the caller is: a URI (RFC 6442).
    pub geolocation: Option<String>,
    /// The device is asked to answer by itself.
    pub auto_answer: bool,
}

impl Identity {
    /// Reads it. What is damaged is as if it were not there.
    #[must_use]
    pub fn read(request: &Message) -> Self {
        let asserted = lists(request, &HeaderName::PAssertedIdentity);
        let parties = lists(request, &HeaderName::RemotePartyId);
        let calling =
            |value: &NameAddr| value.params.get("party").is_none_or(|p| p.eq_ignore_ascii_case("calling"));
        let calling = parties.into_iter().find(calling);
        let withheld = calling.as_ref().and_then(|party| party.params.get("privacy"));
        let user_to_user = request.header(&HeaderName::UserToUser).map(str::trim);
        Self {
            asserted: asserted.iter().find_map(party),
            private: wants_privacy(request)
                || withheld.is_some_and(|value| !value.eq_ignore_ascii_case("off")),
            remote_party: calling.as_ref().and_then(party),
            diversions: diversion::read(request),
            user_to_user: user_to_user
                .filter(|value| !value.is_empty() && value.len() <= USER_TO_USER_MAX)
                .map(str::to_owned),
        }
    }
}

/// "Privacy: id" and "user" ask that the identity be kept from the called party (RFC 3323 4.2, 3325 7); "header" and
/// "session" ask for more, which a back-to-back user agent does anyway.
fn wants_privacy(request: &Message) -> bool {
    let values = request.headers.get_all(&HeaderName::Privacy).flat_map(|value| value.split([';', ',']));
    values.map(str::trim).any(|value| value.eq_ignore_ascii_case("id") || value.eq_ignore_ascii_case("user"))
}

/// The addresses of a header that may be a list.
fn lists(request: &Message, name: &HeaderName) -> Vec<NameAddr> {
    let values = request.headers.get_all(name).flat_map(scan::split_list);
    values.filter_map(NameAddr::parse).collect()
}

fn party(address: &NameAddr) -> Option<PartyId> {
    let user = address.uri.user().filter(|user| !user.is_empty())?.into_owned();
    Some(PartyId { user, display: address.display.clone().unwrap_or_default() })
}

impl Told {
    /// From, for one who wants not to be known: "the URI "sip:anonymous@anonymous.invalid", where the display name is
    /// "Anonymous"" (RFC 3323 4.1).
    #[must_use]
    pub fn from(&self) -> Option<NameAddr> {
        let host = Host::parse("anonymous.invalid").filter(|_| self.private)?;
        let mut from = NameAddr::new(SipUri::new(Some("anonymous"), host, None));
        from.display = Some("Anonymous".to_owned());
        Some(from)
    }

    /// Adds what is told. `host` is that of From.
    pub fn add_to(&self, request: &mut Message, host: &Host) {
        let address = |party: &PartyId| {
            let mut address = NameAddr::new(SipUri::new(Some(&party.user), host.clone(), None));
            address.display = Some(party.display.clone()).filter(|display| !display.is_empty());
            address
        };
        match (&self.asserted, self.form) {
            (Some(party), TrunkIdentity::Asserted) => {
                request.push(HeaderName::PAssertedIdentity, address(party).to_string());
            }
            (Some(party), TrunkIdentity::RemoteParty) => {
                let mut address = address(party);
                address.params.set("party", Some("calling"));
                address.params.set("screen", Some("yes"));
                address.params.set("privacy", Some(if self.private { "full" } else { "off" }));
                request.push(HeaderName::RemotePartyId, address.to_string());
            }
            _ => {}
        }
        if self.private {
            request.push(HeaderName::Privacy, "id");
        }
        diversion::write(&self.diversions, request, host);
        if let Some(value) = self.user_to_user.as_deref().filter(|value| value.len() <= USER_TO_USER_MAX) {
            request.push(HeaderName::UserToUser, value);
        }
        if let Some(uri) = self.geolocation.as_deref().filter(|uri| is_location(uri)) {
            // "Geolocation-Routing: yes": whoever passes the call on may route by it (RFC 6442 4.2)
            request.push(HeaderName::Geolocation, format!("<{uri}>"));
            request.push(HeaderName::GeolocationRouting, "yes");
        }
        if self.auto_answer {
            // three ways to say one thing, of which every phone knows one or none: RFC 5373 and two of the field's own
            if let Some(answer_mode) = HeaderName::parse("Answer-Mode") {
                request.push(answer_mode, "Auto");
            }
            request.push(HeaderName::CallInfo, format!("<sip:{host}>;answer-after=0"));
            request.push(HeaderName::AlertInfo, format!("<http://{host}>;info=alert-autoanswer;delay=0"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_datagram;

    fn with(headers: &str) -> Message {
        let text = format!(
            "INVITE sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n\
             From: <sip:anonymous@anonymous.invalid>;tag=far\r\nTo: <sip:100@example.com>\r\nCall-ID: c1\r\n\
             CSeq: 7 INVITE\r\nContact: <sip:a@10.0.0.5>\r\n{headers}\r\n"
        );
        parse_datagram(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_asserted_is_a_number_or_a_user_and_may_be_withheld() {
        let read = Identity::read(&with(
            "P-Asserted-Identity: \"Anna\" <sip:+493012345@carrier.example>, <tel:+493012345>\r\nPrivacy: id\r\n",
        ));
        let party = read.asserted.unwrap();
        assert_eq!((party.user.as_str(), party.display.as_str(), read.private), ("+493012345", "Anna", true));
        let read = Identity::read(&with("P-Asserted-Identity: <tel:+4930>\r\nPrivacy: none\r\n"));
        assert_eq!((read.asserted.unwrap().user.as_str(), read.private), ("+4930", false));
        let read = Identity::read(&with("P-Asserted-Identity: <sip:carrier.example>, damaged\r\n"));
        assert_eq!(read.asserted, None);
    }

    #[test]
    fn remote_party_id_names_the_calling_party() {
        let read = Identity::read(&with(
            "Remote-Party-ID: <sip:1@x>;party=called\r\nRemote-Party-ID: \"B\" <sip:2@x>;party=calling;privacy=full\r\n",
        ));
        assert_eq!((read.remote_party.unwrap().user.as_str(), read.private), ("2", true));
        assert!(!Identity::read(&with("Remote-Party-ID: <sip:2@x>;privacy=off\r\n")).private);
    }

    #[test]
    fn what_is_told_reads_back() {
        let told = Told {
            asserted: Some(PartyId { user: "+4930".into(), display: "Anna".into() }),
            form: TrunkIdentity::Asserted,
            private: true,
            diversions: vec![Diversion { number: "2000".into(), reason: "user-busy".into() }],
            user_to_user: Some("56a390f3d2b7310023a2;encoding=hex".into()),
            geolocation: None,
            auto_answer: false,
        };
        for form in [TrunkIdentity::Asserted, TrunkIdentity::RemoteParty] {
            let told = Told { form, ..told.clone() };
            let mut message = with("");
            told.add_to(&mut message, &Host::parse("example.com").unwrap());
            let read = Identity::read(&parse_datagram(&message.to_bytes()).unwrap());
            assert_eq!(
                (&read.diversions, &read.user_to_user, read.private),
                (&told.diversions, &told.user_to_user, true)
            );
            assert_eq!(read.asserted.or(read.remote_party), told.asserted);
        }
        let nobody = Told { form: TrunkIdentity::None, ..told };
        let mut message = with("");
        nobody.add_to(&mut message, &Host::parse("example.com").unwrap());
        let read = Identity::read(&message);
        assert_eq!((read.asserted, read.remote_party, read.private), (None, None, true));
        assert_eq!(nobody.from().unwrap().to_string(), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    }

    #[test]
    fn where_a_caller_is_is_told_as_a_uri_and_nothing_else() {
        for (location, told) in [
            ("https://lis.example/loc/1", Some("<https://lis.example/loc/1>")),
            ("geo:52.5,13.4", Some("<geo:52.5,13.4>")),
            ("Main Street 1", None),
            ("geo:1>\r\nX: y", None),
            (":", None),
        ] {
            let told_of = Told { geolocation: Some(location.into()), ..Told::default() };
            let mut message = with("");
            told_of.add_to(&mut message, &Host::parse("example.com").unwrap());
            let message = parse_datagram(&message.to_bytes()).unwrap();
            assert_eq!(message.header(&HeaderName::Geolocation), told, "{location}");
        }
    }

    #[test]
    fn a_phone_is_asked_to_answer_by_itself_in_every_way_that_phones_know() {
        let mut message = with("");
        let told = Told { auto_answer: true, ..Told::default() };
        told.add_to(&mut message, &Host::parse("example.com").unwrap());
        let text = String::from_utf8(message.to_bytes()).unwrap();
        for line in [
            "Answer-Mode: Auto",
            "Call-Info: <sip:example.com>;answer-after=0",
            "Alert-Info: <http://example.com>;info=alert-autoanswer;delay=0",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in {text}");
        }
        let mut message = with("");
        Told::default().add_to(&mut message, &Host::parse("example.com").unwrap());
        assert!(!String::from_utf8(message.to_bytes()).unwrap().contains("Call-Info"));
    }

    #[test]
    fn a_user_to_user_that_is_too_long_is_dropped_whole() {
        let long = "a".repeat(USER_TO_USER_MAX + 1);
        assert_eq!(Identity::read(&with(&format!("User-to-User: {long}\r\n"))).user_to_user, None);
        assert_eq!(Identity::read(&with("User-to-User: \r\n")).user_to_user, None);
    }
}
