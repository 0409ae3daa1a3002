//! Header names (RFC 3261 7.3.1 and 20): long and compact forms are one name, compared
//! without regard to case, and printed long.

use super::scan;
use std::fmt;

/// The name of a header this layer has no variant for, spelled as it came; compared without
/// regard to case. Only [`HeaderName::parse`] makes one, so it is always a token.
#[derive(Clone, Debug)]
pub struct OtherName(Box<str>);

impl PartialEq for OtherName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for OtherName {}

macro_rules! header_names {
    ($($variant:ident $long:literal $lower:literal $(/ $compact:literal)?,)*) => {
        /// The name of a header field.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum HeaderName {
            $(
                #[doc = concat!("The `", $long, "` header.")]
                $variant,
            )*
            /// Any other header.
            Other(OtherName),
        }

        impl HeaderName {
            /// The long form, as it is printed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $long,)*
                    Self::Other(name) => &name.0,
                }
            }

            fn known(lower: &[u8]) -> Option<Self> {
                Some(match lower {
                    $($lower $(| $compact)? => Self::$variant,)*
                    _ => return None,
                })
            }

            /// Every name this layer knows, for tests.
            #[cfg(test)]
            pub(crate) fn all_known() -> Vec<(Self, &'static str)> {
                vec![$((Self::$variant, $long),)*]
            }
        }
    };
}

header_names! {
    Accept "Accept" b"accept",
    AcceptEncoding "Accept-Encoding" b"accept-encoding",
    AcceptLanguage "Accept-Language" b"accept-language",
    AlertInfo "Alert-Info" b"alert-info",
    Allow "Allow" b"allow",
    AllowEvents "Allow-Events" b"allow-events" / b"u",
    AuthenticationInfo "Authentication-Info" b"authentication-info",
    Authorization "Authorization" b"authorization",
    CallId "Call-ID" b"call-id" / b"i",
    CallInfo "Call-Info" b"call-info",
    Contact "Contact" b"contact" / b"m",
    ContentDisposition "Content-Disposition" b"content-disposition",
    ContentEncoding "Content-Encoding" b"content-encoding" / b"e",
    ContentLanguage "Content-Language" b"content-language",
    ContentLength "Content-Length" b"content-length" / b"l",
    ContentType "Content-Type" b"content-type" / b"c",
    CSeq "CSeq" b"cseq",
    Date "Date" b"date",
    Diversion "Diversion" b"diversion",
    ErrorInfo "Error-Info" b"error-info",
    Event "Event" b"event" / b"o",
    Expires "Expires" b"expires",
    FlowTimer "Flow-Timer" b"flow-timer",
    From "From" b"from" / b"f",
    Geolocation "Geolocation" b"geolocation",
    GeolocationRouting "Geolocation-Routing" b"geolocation-routing",
    HistoryInfo "History-Info" b"history-info",
    Identity "Identity" b"identity" / b"y",
    InReplyTo "In-Reply-To" b"in-reply-to",
    MaxForwards "Max-Forwards" b"max-forwards",
    MimeVersion "MIME-Version" b"mime-version",
    MinExpires "Min-Expires" b"min-expires",
    MinSe "Min-SE" b"min-se",
    Organization "Organization" b"organization",
    PAssertedIdentity "P-Asserted-Identity" b"p-asserted-identity",
    PPreferredIdentity "P-Preferred-Identity" b"p-preferred-identity",
    Path "Path" b"path",
    Priority "Priority" b"priority",
    Privacy "Privacy" b"privacy",
    ProxyAuthenticate "Proxy-Authenticate" b"proxy-authenticate",
    ProxyAuthorization "Proxy-Authorization" b"proxy-authorization",
    ProxyRequire "Proxy-Require" b"proxy-require",
    RAck "RAck" b"rack",
    Reason "Reason" b"reason",
    RecordRoute "Record-Route" b"record-route",
    ReferSub "Refer-Sub" b"refer-sub",
    ReferTo "Refer-To" b"refer-to" / b"r",
    ReferredBy "Referred-By" b"referred-by" / b"b",
    RemotePartyId "Remote-Party-ID" b"remote-party-id",
    Replaces "Replaces" b"replaces",
    ReplyTo "Reply-To" b"reply-to",
    Require "Require" b"require",
    RetryAfter "Retry-After" b"retry-after",
    Route "Route" b"route",
    RSeq "RSeq" b"rseq",
    Server "Server" b"server",
    ServiceRoute "Service-Route" b"service-route",
    SessionExpires "Session-Expires" b"session-expires" / b"x",
    SipEtag "SIP-ETag" b"sip-etag",
    SipIfMatch "SIP-If-Match" b"sip-if-match",
    Subject "Subject" b"subject" / b"s",
    SubscriptionState "Subscription-State" b"subscription-state",
    Supported "Supported" b"supported" / b"k",
    Timestamp "Timestamp" b"timestamp",
    To "To" b"to" / b"t",
    Unsupported "Unsupported" b"unsupported",
    UserAgent "User-Agent" b"user-agent",
    UserToUser "User-to-User" b"user-to-user",
    Via "Via" b"via" / b"v",
    Warning "Warning" b"warning",
    WwwAuthenticate "WWW-Authenticate" b"www-authenticate",
}

/// Longer than any known name, so that the lower-case copy fits the stack.
const LONGEST_KNOWN: usize = 24;

impl HeaderName {
    /// Reads a name in long or compact form, or `None` if it is no token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lower = [0_u8; LONGEST_KNOWN];
        if let Some(slot) = lower.get_mut(..text.len()) {
            slot.copy_from_slice(text.as_bytes());
            slot.make_ascii_lowercase();
            if let Some(known) = Self::known(slot) {
                return Some(known);
            }
        }
        scan::is_token(text).then(|| Self::Other(OtherName(text.into())))
    }

    /// Whether one header line may hold several values that are acted upon one by one, and
    /// are therefore kept as one entry each: Via, Route, Record-Route, Contact, Path,
    /// Service-Route. Lists of bare tokens (Allow, Supported, Require) stay as they came and
    /// are split by [`super::Headers::tokens`].
    #[must_use]
    pub const fn is_split(&self) -> bool {
        matches!(
            self,
            Self::Via | Self::Route | Self::RecordRoute | Self::Contact | Self::Path | Self::ServiceRoute
        )
    }

    /// Whether a message must not hold two different values of it.
    #[must_use]
    pub const fn is_singleton(&self) -> bool {
        matches!(
            self,
            Self::CallId
                | Self::CSeq
                | Self::From
                | Self::To
                | Self::MaxForwards
                | Self::ContentLength
                | Self::ContentType
                | Self::Expires
        )
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_read_back_in_any_case() {
        for (name, long) in HeaderName::all_known() {
            assert!(long.len() <= LONGEST_KNOWN, "{long}");
            assert_eq!(name.as_str(), long);
            assert_eq!(HeaderName::parse(long), Some(name.clone()));
            assert_eq!(HeaderName::parse(&long.to_uppercase()), Some(name.clone()));
            assert_eq!(HeaderName::parse(&long.to_lowercase()), Some(name));
        }
    }

    #[test]
    fn compact_forms_are_the_registered_ones() {
        let registered = [
            ("a", None),
            ("b", Some("Referred-By")),
            ("c", Some("Content-Type")),
            ("e", Some("Content-Encoding")),
            ("f", Some("From")),
            ("i", Some("Call-ID")),
            ("k", Some("Supported")),
            ("l", Some("Content-Length")),
            ("m", Some("Contact")),
            ("o", Some("Event")),
            ("r", Some("Refer-To")),
            ("s", Some("Subject")),
            ("t", Some("To")),
            ("u", Some("Allow-Events")),
            ("v", Some("Via")),
            ("x", Some("Session-Expires")),
            ("y", Some("Identity")),
        ];
        for (compact, long) in registered {
            let name = HeaderName::parse(compact).unwrap();
            assert_eq!(name.as_str(), long.unwrap_or(compact));
            assert_eq!(HeaderName::parse(&compact.to_uppercase()), Some(name));
        }
    }

    #[test]
    fn unknown_names_keep_their_spelling_and_compare_without_case() {
        let name = HeaderName::parse("NewFangledHeader").unwrap();
        assert_eq!(name.as_str(), "NewFangledHeader");
        assert_eq!(Some(name), HeaderName::parse("newfangledheader"));
        assert_eq!(HeaderName::parse("C%6Fntact").unwrap().as_str(), "C%6Fntact");
        assert_eq!(HeaderName::parse("no token"), None);
        assert_eq!(HeaderName::parse("evil\r\nVia"), None);
    }
}
