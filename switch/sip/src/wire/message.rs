//! A request or response: typed reading, building, printing (RFC 3261 7, 8.1.1, 8.2.6).
//! Invariant: [`Message::to_bytes`] writes Content-Length from the body, always and once.

use super::{
    CSeq, HeaderName, Headers, MediaType, Method, NameAddr, Uri, Via, WireError, reason_phrase, scan,
};

/// The first line of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum StartLine {
    /// A request.
    Request {
        /// The method.
        method: Method,
        /// The Request-URI.
        uri: Uri,
    },
    /// A response.
    Response {
        /// The status code, 100 to 699.
        code: u16,
        /// The reason phrase, possibly empty.
        reason: String,
    },
}

/// A SIP message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The first line.
    pub start: StartLine,
    /// The header fields without Content-Length.
    pub headers: Headers,
    /// The body, as bytes: it is never text to this layer.
    pub body: Vec<u8>,
}

impl Message {
    /// A request without any header.
    #[must_use]
    pub const fn request(method: Method, uri: Uri) -> Self {
        Self { start: StartLine::Request { method, uri }, headers: Headers::new(), body: Vec::new() }
    }

    /// A response to `request` with the usual reason phrase: "The From field of the response
    /// MUST equal the From header field of the request", and so Call-ID, CSeq, To and all Via
    /// in their order (RFC 3261 8.2.6.2). The caller adds a To tag by [`Self::set_to_tag`], and
    /// Record-Route where the response makes a dialog (12.1.1).
    #[must_use]
    pub fn response_to(request: &Self, code: u16) -> Self {
        let mut headers = Headers::with_capacity(12);
        for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq]
        {
            headers.copy_from(&request.headers, &name);
        }
        if code == 100 {
            // "any Timestamp header field present in the request MUST be copied into this 100
            // (Trying) response" (8.2.6.1)
            headers.copy_from(&request.headers, &HeaderName::Timestamp);
        }
        let reason = reason_phrase(code).to_owned();
        Self { start: StartLine::Response { code, reason }, headers, body: Vec::new() }
    }

    /// The same response with another reason phrase. Requests stay as they are.
    #[must_use]
    pub fn with_reason(mut self, phrase: &str) -> Self {
        self.set_reason(phrase);
        self
    }

    /// Gives a response another reason phrase. Requests stay as they are.
    pub fn set_reason(&mut self, phrase: &str) {
        if let StartLine::Response { reason, .. } = &mut self.start {
            phrase.clone_into(reason);
        }
    }

    /// The same message with this body and its type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.set_body(content_type, body);
        self
    }

    /// Sets the body and its type.
    pub fn set_body(&mut self, content_type: &str, body: Vec<u8>) {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body;
    }

    /// The same message with one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Adds a header after all others.
    pub fn push(&mut self, name: HeaderName, value: impl Into<String>) {
        self.headers.push(name, value);
    }

    /// Adds a header before the first of its name.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<String>) {
        self.headers.push_front(name, value);
    }

    /// Makes `value` the only one of `name`.
    pub fn set(&mut self, name: HeaderName, value: impl Into<String>) {
        self.headers.set(name, value);
    }

    /// Removes every header of `name`.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        self.headers.remove(name)
    }

    /// Whether this is a request.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The method of a request.
    #[must_use]
    pub const fn method(&self) -> Option<&Method> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The Request-URI of a request.
    #[must_use]
    pub const fn request_uri(&self) -> Option<&Uri> {
        match &self.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The status code of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { code, .. } => Some(code),
        }
    }

    /// The first value of `name`.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)
    }

    fn required<T>(&self, name: HeaderName, parse: impl Fn(&str) -> Option<T>) -> Result<T, WireError> {
        match self.headers.get(&name).map(parse) {
            Some(Some(value)) => Ok(value),
            Some(None) => Err(WireError::malformed(name)),
            None => Err(WireError::missing(name)),
        }
    }

    fn list<T>(&self, name: HeaderName, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, WireError> {
        let list: Option<Vec<T>> = self.headers.get_all(&name).map(parse).collect();
        list.ok_or_else(|| WireError::malformed(name))
    }

    /// The top Via.
    ///
    /// # Errors
    /// Missing or malformed; never for a message that was parsed from the wire.
    pub fn via_top(&self) -> Result<Via, WireError> {
        self.required(HeaderName::Via, Via::parse)
    }

    /// All Via values from the top.
    ///
    /// # Errors
    /// One is malformed; never for a message that was parsed from the wire.
    pub fn vias(&self) -> Result<Vec<Via>, WireError> {
        self.list(HeaderName::Via, Via::parse)
    }

    /// Replaces the top Via, to note `received` and `rport`.
    pub fn set_via_top(&mut self, via: &Via) {
        self.headers.set_first(HeaderName::Via, via.to_string());
    }

    /// From.
    ///
    /// # Errors
    /// Missing or malformed; never for a message that was parsed from the wire.
    pub fn from_(&self) -> Result<NameAddr, WireError> {
        self.required(HeaderName::From, NameAddr::parse)
    }

    /// To.
    ///
    /// # Errors
    /// Missing or malformed; never for a message that was parsed from the wire.
    pub fn to(&self) -> Result<NameAddr, WireError> {
        self.required(HeaderName::To, NameAddr::parse)
    }

    /// Adds a To tag if To has none; leaves one that is there.
    pub fn set_to_tag(&mut self, tag: &str) {
        if let Ok(to) = self.to()
            && to.tag().is_none()
        {
            self.headers.set(HeaderName::To, to.with_tag(tag).to_string());
        }
    }

    /// Call-ID.
    ///
    /// # Errors
    /// Missing; never for a message that was parsed from the wire.
    pub fn call_id(&self) -> Result<&str, WireError> {
        self.headers.get(&HeaderName::CallId).ok_or(WireError::missing(HeaderName::CallId))
    }

    /// CSeq.
    ///
    /// # Errors
    /// Missing or malformed; never for a message that was parsed from the wire.
    pub fn cseq(&self) -> Result<CSeq, WireError> {
        self.required(HeaderName::CSeq, CSeq::parse)
    }

    /// All contacts, without a `*`.
    ///
    /// # Errors
    /// One is malformed; never for a request that was parsed from the wire.
    pub fn contacts(&self) -> Result<Vec<NameAddr>, WireError> {
        let values = self.headers.get_all(&HeaderName::Contact).filter(|value| *value != "*");
        let list: Option<Vec<NameAddr>> = values.map(NameAddr::parse).collect();
        list.ok_or(WireError::malformed(HeaderName::Contact))
    }

    /// Whether there is a `Contact: *`, which removes all bindings (RFC 3261 10.2.2). Beside
    /// other contacts it is an error of the request.
    #[must_use]
    pub fn has_contact_star(&self) -> bool {
        self.headers.get_all(&HeaderName::Contact).any(|value| value == "*")
    }

    /// The Route set in order.
    ///
    /// # Errors
    /// One is malformed; never for a request that was parsed from the wire.
    pub fn routes(&self) -> Result<Vec<NameAddr>, WireError> {
        self.list(HeaderName::Route, NameAddr::parse)
    }

    /// The Record-Route values in order.
    ///
    /// # Errors
    /// One is malformed; never for a request that was parsed from the wire.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, WireError> {
        self.list(HeaderName::RecordRoute, NameAddr::parse)
    }

    /// Max-Forwards, or `None` when absent.
    ///
    /// # Errors
    /// No number from 0 to 255; never for a request that was parsed from the wire.
    pub fn max_forwards(&self) -> Result<Option<u8>, WireError> {
        let Some(value) = self.headers.get(&HeaderName::MaxForwards) else {
            return Ok(None);
        };
        match scan::digits(value).map(u8::try_from) {
            Some(Ok(hops)) => Ok(Some(hops)),
            _ => Err(WireError::malformed(HeaderName::MaxForwards)),
        }
    }

    /// Expires in seconds. `None` when absent or malformed; of a malformed one RFC 3261 20.19
    /// says that it "SHOULD be treated as equivalent to 3600", the usual default.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        scan::digits(self.headers.get(&HeaderName::Expires)?).and_then(|s| u32::try_from(s).ok())
    }

    /// Content-Type, or `None` when absent.
    ///
    /// # Errors
    /// Malformed.
    pub fn content_type(&self) -> Result<Option<MediaType>, WireError> {
        match self.headers.get(&HeaderName::ContentType).map(MediaType::parse) {
            None => Ok(None),
            Some(Some(media_type)) => Ok(Some(media_type)),
            Some(None) => Err(WireError::malformed(HeaderName::ContentType)),
        }
    }

    /// The option tags of Require.
    pub fn require(&self) -> impl Iterator<Item = &str> {
        self.headers.tokens(&HeaderName::Require)
    }

    /// The option tags of Supported.
    pub fn supported(&self) -> impl Iterator<Item = &str> {
        self.headers.tokens(&HeaderName::Supported)
    }

    /// The methods of Allow.
    pub fn allow(&self) -> impl Iterator<Item = Method> {
        self.headers.tokens(&HeaderName::Allow).filter_map(Method::parse)
    }

    /// Whether the sender takes a body of this type: Accept lists it, or there is no Accept
    /// and it is `application/sdp` (RFC 3261 20.1).
    #[must_use]
    pub fn accepts(&self, essence: &str) -> bool {
        if !self.headers.contains(&HeaderName::Accept) {
            return essence == "application/sdp";
        }
        let ranges = self.headers.tokens(&HeaderName::Accept).filter_map(MediaType::parse);
        ranges.into_iter().any(|range| range.covers(essence))
    }

    /// The message as it is sent, Content-Length last.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let headers: usize = self.headers.iter().map(|h| h.value().len() + 24).sum();
        let mut out = Vec::with_capacity(160 + headers + self.body.len());
        self.write_to(&mut out);
        out
    }

    /// Appends the message as it is sent to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let line = match &self.start {
            StartLine::Request { method, uri } => format!("{method} {uri} SIP/2.0"),
            // a reason phrase may be empty, the space before it may not be missing
            StartLine::Response { code, reason } => format!("SIP/2.0 {code} {reason}"),
        };
        out.extend_from_slice(scan::single_line(line).as_bytes());
        out.extend_from_slice(b"\r\n");
        for header in &self.headers {
            out.extend_from_slice(header.name().as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(header.value().as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        let length = format!("Content-Length: {}\r\n\r\n", self.body.len());
        out.extend_from_slice(length.as_bytes());
        out.extend_from_slice(&self.body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_datagram;

    fn invite() -> Message {
        Message::request(Method::Invite, Uri::parse("sip:b@h").unwrap())
            .with(HeaderName::Via, "SIP/2.0/UDP p;branch=z9hG4bK2")
            .with(HeaderName::Via, "SIP/2.0/UDP h;branch=z9hG4bK1")
            .with(HeaderName::From, "<sip:a@h>;tag=1")
            .with(HeaderName::To, "<sip:b@h>")
            .with(HeaderName::CallId, "c")
            .with(HeaderName::CSeq, "1 INVITE")
            .with(HeaderName::Timestamp, "54")
            .with_body("application/sdp", b"\0\r\n\xff".to_vec())
    }

    #[test]
    fn content_length_is_that_of_the_body_whatever_it_holds() {
        let bytes = invite().to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP p;"), "{text}");
        assert!(text.contains("\r\nContent-Length: 4\r\n\r\n\0\r\n"), "{text}");
        assert_eq!(parse_datagram(&bytes).unwrap(), invite());
    }

    #[test]
    fn a_response_repeats_what_rfc_3261_says() {
        let names = |code| {
            let response = Message::response_to(&invite(), code);
            response.headers.iter().map(|h| h.name().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(100), "Via Via From To Call-ID CSeq Timestamp");
        assert_eq!(names(486), "Via Via From To Call-ID CSeq");
        let mut response = Message::response_to(&invite(), 180);
        response.set_to_tag("x");
        response.set_to_tag("y");
        assert_eq!(response.to().unwrap().tag(), Some("x"));
        let text = String::from_utf8(response.with_reason("").to_bytes()).unwrap();
        assert!(text.starts_with("SIP/2.0 180 \r\nVia"), "{text}");
    }

    #[test]
    fn no_part_of_a_start_line_begins_a_header() {
        let rest = "1\r\nVia: evil".into();
        let request = Message::request(
            Method::Other("X\r\nVia: evil".into()),
            Uri::Other { scheme: "tel".into(), rest },
        );
        let response = Message::response_to(&request, 200).with_reason("a\r\nVia: evil");
        for message in [request, response] {
            let text = String::from_utf8(message.to_bytes()).unwrap();
            assert_eq!(text.lines().count(), 3, "{text}");
        }
    }

    #[test]
    fn accept_decides_whether_sdp_may_be_sent() {
        let mut request = invite();
        assert!(request.accepts("application/sdp") && !request.accepts("text/plain"));
        request.push(HeaderName::Accept, "text/*, application/pidf+xml");
        assert!(!request.accepts("application/sdp") && request.accepts("text/plain"));
    }
}
