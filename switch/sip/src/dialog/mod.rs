//! Dialogs (RFC 3261 12).
//!
//! Invariant: a dialog's Call-ID and tags never change; its local CSeq only grows; its remote
//! CSeq never shrinks; its route set never changes after it was made ("these requests do
//! not cause the dialog's route set to be modified", 12.2).

mod record;

use core::net::{IpAddr, SocketAddr};

use crate::engine::Flow;
use crate::engine::context::PRODUCT;
use crate::wire::{HeaderName, Message, Method, NameAddr, Uri};

/// One side of a dialog, ours.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    pub(crate) local_tag: String,
    pub(crate) remote_tag: String,
    /// Our From or To value, tag included.
    local: String,
    /// The peer's, tag included if it has one.
    remote: String,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    remote_target: Uri,
    /// Route values in the order they are written.
    routes: Vec<String>,
    /// Where the peer's messages come from.
    flow: Flow,
    /// Our Contact value.
    contact: String,
    /// Whether we made the Call-ID.
    pub(crate) owns_call_id: bool,
}

/// How a request's CSeq stands to the dialog (12.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As expected.
    Next,
    /// "the request is out of order and MUST be rejected with a 500 (Server Internal Error)
    /// response".
    Late,
}

impl Dialog {
    /// The dialog of an INVITE that came (12.1.1): "The route set MUST be set to the list of
    /// URIs in the Record-Route header field from the request, taken in order and preserving all
    /// URI parameters." "The remote target MUST be set to the URI from the Contact header field
    /// of the request." "The remote sequence number MUST be set to the value of the sequence
    /// number in the CSeq header field of the request. The local sequence number MUST be empty."
    ///
    /// A peer without Contact (RFC 2543) is reached at its From.
    pub(crate) fn of_request(request: &Message, tag: &str, flow: Flow, contact: String) -> Option<Self> {
        let from = request.from_().ok()?;
        let to = request.to().ok()?;
        let target = request.contacts().ok()?.into_iter().next();
        let values = request.headers.get_all(&HeaderName::RecordRoute);
        Some(Self {
            call_id: request.call_id().ok()?.to_owned(),
            local_tag: tag.to_owned(),
            remote_tag: from.tag().unwrap_or_default().to_owned(),
            local: to.with_tag(tag).to_string(),
            remote: request.header(&HeaderName::From)?.to_owned(),
            local_cseq: 0,
            remote_cseq: Some(request.cseq().ok()?.seq),
            routes: values.map(str::to_owned).collect(),
            remote_target: target.map_or(from.uri, |contact| contact.uri),
            flow,
            contact,
            owns_call_id: false,
        })
    }

    /// The dialog of a response to our INVITE (12.1.2): "The route set MUST be set to the list
    /// of URIs in the Record-Route header field from the response, taken in reverse order".
    /// "The local sequence number MUST be set to the value of the sequence number in the CSeq
    /// header field of the request. The remote sequence number MUST be empty".
    pub(crate) fn of_response(invite: &Message, response: &Message, flow: Flow) -> Option<Self> {
        let to = response.to().ok()?;
        let from = invite.from_().ok()?;
        let target = response.contacts().ok()?.into_iter().next();
        let values = response.headers.get_all(&HeaderName::RecordRoute);
        let mut routes: Vec<String> = values.map(str::to_owned).collect();
        routes.reverse();
        Some(Self {
            call_id: invite.call_id().ok()?.to_owned(),
            local_tag: from.tag()?.to_owned(),
            remote_tag: to.tag().unwrap_or_default().to_owned(),
            local: invite.header(&HeaderName::From)?.to_owned(),
            remote: response.header(&HeaderName::To)?.to_owned(),
            local_cseq: invite.cseq().ok()?.seq,
            remote_cseq: None,
            remote_target: match target {
                Some(contact) => contact.uri,
                None => invite.request_uri()?.clone(),
            },
            routes,
            flow,
            contact: invite.header(&HeaderName::Contact)?.to_owned(),
            owns_call_id: true,
        })
    }

    /// Whether a request with this Call-ID and From tag is of this dialog (12.2.2).
    pub(crate) fn matches(&self, call_id: &str, from_tag: &str) -> bool {
        self.call_id == call_id && self.remote_tag == from_tag
    }

    /// Checks and notes a request's sequence number. One equal to the last is let through: it
    /// is not lower, and peers of RFC 2543 repeat it.
    pub(crate) fn note_cseq(&mut self, seq: u32) -> Order {
        match self.remote_cseq {
            Some(last) if seq < last => Order::Late,
            _ => {
                self.remote_cseq = Some(seq);
                Order::Next
            }
        }
    }

    /// "When a UAS receives a target refresh request, it MUST replace the dialog's remote target
    /// URI with the URI from the Contact header field in that request, if present." (12.2.2; for
    /// a response 12.2.1.2). The flow follows too, for a phone may have got another address.
    pub(crate) fn refresh(&mut self, message: &Message, flow: Flow) {
        if let Some(contact) = message.contacts().ok().and_then(|list| list.into_iter().next()) {
            self.remote_target = contact.uri;
            self.flow = flow;
        }
    }

    /// The same dialog after requests were sent in it while it was early: its CSeq goes on from theirs.
    pub(crate) fn after(self, early: &Dialog) -> Self {
        Self { local_cseq: self.local_cseq.max(early.local_cseq), ..self }
    }

    /// Where the peer's messages come from.
    pub(crate) fn flow(&self) -> Flow {
        self.flow
    }

    /// The addresses that the peer named when the dialog was made: its Contact, the proxies that want to stay.
    pub(crate) fn named(&self) -> impl Iterator<Item = SocketAddr> {
        let routes = self.routes.iter().filter_map(|route| NameAddr::parse(route)).map(|route| route.uri);
        routes.chain([self.remote_target.clone()]).filter_map(|uri| address(&uri))
    }

    /// Our Contact value.
    pub(crate) fn contact(&self) -> &str {
        &self.contact
    }

    /// A request in the dialog and where it goes (12.2.1.1). "the value of the local
    /// sequence number MUST be incremented by one, and this value MUST be placed into the CSeq
    /// header field". Not for ACK, which [`Self::ack`] makes.
    pub(crate) fn request(&mut self, method: Method) -> (Message, Flow) {
        self.local_cseq += 1;
        let seq = self.local_cseq;
        (self.build(method, seq), self.next_hop())
    }

    /// The ACK of a 2xx: "The sequence number of the CSeq header field MUST be the same as the
    /// INVITE being acknowledged, but the CSeq method MUST be ACK." (13.2.2.4)
    pub(crate) fn ack(&self, seq: u32) -> (Message, Flow) {
        (self.build(Method::Ack, seq), self.next_hop())
    }

    fn build(&self, method: Method, seq: u32) -> Message {
        let (uri, routes) = self.request_uri();
        let is_ack = method == Method::Ack;
        let name = method.to_string();
        let mut request = Message::request(method, uri);
        for route in routes {
            request.push(HeaderName::Route, route);
        }
        request.push(HeaderName::MaxForwards, "70");
        request.push(HeaderName::From, self.local.as_str());
        request.push(HeaderName::To, self.remote.as_str());
        request.push(HeaderName::CallId, self.call_id.as_str());
        request.push(HeaderName::CSeq, format!("{seq} {name}"));
        if !is_ack {
            request.push(HeaderName::Contact, self.contact.as_str());
        }
        request.push(HeaderName::UserAgent, PRODUCT);
        request
    }

    /// Request-URI and Route (12.2.1.1). "If the route set is not empty, and the first URI in
    /// the route set contains the lr parameter, the UAC MUST place the remote target URI into
    /// the Request-URI and MUST include a Route header field containing the route set values in
    /// order". "If the route set is not empty, and its first URI does not contain the lr
    /// parameter, the UAC MUST place the first URI from the route set into the Request-URI ...
    /// The UAC MUST add a Route header field containing the remainder of the route set values in
    /// order ... The UAC MUST then place the remote target URI into the Route header field as
    /// the last value."
    fn request_uri(&self) -> (Uri, Vec<String>) {
        let Some(first) = self.first_route() else {
            return (self.remote_target.clone(), Vec::new());
        };
        let is_loose = first.as_sip().is_some_and(|uri| uri.is_loose_router());
        if is_loose {
            return (self.remote_target.clone(), self.routes.clone());
        }
        let mut routes: Vec<String> = self.routes.iter().skip(1).cloned().collect();
        routes.push(format!("<{}>", self.remote_target));
        (first, routes)
    }

    fn first_route(&self) -> Option<Uri> {
        let first = self.routes.first()?;
        NameAddr::parse(first).map(|route| route.uri)
    }

    /// Where requests are sent: to the first route if it is an address, else back to where the
    /// peer's messages come from. A Contact is not resolved: behind NAT it names an address that
    /// nobody can reach, and it must not make us send to whom it likes.
    pub(crate) fn next_hop(&self) -> Flow {
        let route = self.first_route();
        match route.as_ref().and_then(address) {
            Some(remote) => self.flow.to(remote),
            None => self.flow,
        }
    }
}

/// The address and port of a URI that names an address one can send to.
fn address(uri: &Uri) -> Option<SocketAddr> {
    let ip = uri.host()?.ip()?;
    let usable = match ip {
        IpAddr::V4(v4) => !v4.is_broadcast() && !v4.is_multicast() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_multicast() && !v6.is_unspecified(),
    };
    usable.then(|| SocketAddr::new(ip, uri.port().unwrap_or(5060)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:100@192.0.2.1 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n\
        Record-Route: <sip:198.51.100.1;lr>, <sip:198.51.100.2;lr>\r\n\
        From: \"A\" <sip:a@example.com>;tag=far\r\n\
        To: <sip:100@example.com>\r\n\
        Call-ID: c1\r\n\
        CSeq: 7 INVITE\r\n\
        Contact: <sip:a@10.0.0.5:5062>\r\n\r\n";

    fn dialog(invite: &str) -> Dialog {
        let request = crate::wire::parse_datagram(invite.as_bytes()).unwrap();
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:5060".parse().unwrap());
        let contact = "<sip:cordboard@192.0.2.1:5060>".to_owned();
        Dialog::of_request(&request, "near", flow, contact).unwrap()
    }

    #[test]
    fn a_loose_route_set_is_followed_in_order() {
        let (bye, flow) = dialog(INVITE).request(Method::Bye);
        assert_eq!(bye.request_uri().unwrap().to_string(), "sip:a@10.0.0.5:5062");
        let routes: Vec<&str> = bye.headers.get_all(&HeaderName::Route).collect();
        assert_eq!(routes, ["<sip:198.51.100.1;lr>", "<sip:198.51.100.2;lr>"]);
        assert_eq!(flow.to_string(), "udp:198.51.100.1:5060");
        assert_eq!(bye.header(&HeaderName::CSeq), Some("1 BYE"));
    }

    #[test]
    fn a_strict_router_gets_its_own_uri_and_the_target_comes_last() {
        let strict = INVITE.replace(";lr", "");
        let (bye, flow) = dialog(&strict).request(Method::Bye);
        assert_eq!(bye.request_uri().unwrap().to_string(), "sip:198.51.100.1");
        let routes: Vec<&str> = bye.headers.get_all(&HeaderName::Route).collect();
        assert_eq!(routes, ["<sip:198.51.100.2>", "<sip:a@10.0.0.5:5062>"]);
        assert_eq!(flow.to_string(), "udp:198.51.100.1:5060");
    }

    #[test]
    fn a_lower_sequence_number_is_late() {
        let mut dialog = dialog(INVITE);
        assert_eq!(dialog.note_cseq(9), Order::Next);
        assert_eq!(dialog.note_cseq(8), Order::Late);
        assert_eq!(dialog.note_cseq(9), Order::Next);
    }

    #[test]
    fn a_target_refresh_changes_target_and_flow_but_not_the_routes() {
        let mut dialog = dialog(INVITE);
        let again = INVITE.replace("10.0.0.5:5062", "10.0.0.9").replace("51.100.1;", "51.100.9;");
        let request = crate::wire::parse_datagram(again.as_bytes()).unwrap();
        let flow = dialog.flow.to("203.0.113.9:1024".parse().unwrap());
        dialog.refresh(&request, flow);
        let (info, _) = dialog.request(Method::Info);
        assert_eq!(info.request_uri().unwrap().to_string(), "sip:a@10.0.0.9");
        let routes: Vec<&str> = info.headers.get_all(&HeaderName::Route).collect();
        assert_eq!(routes[0], "<sip:198.51.100.1;lr>");
    }

    #[test]
    fn a_broadcast_route_is_never_sent_to() {
        let evil = INVITE.replace("198.51.100.1;lr", "255.255.255.255;lr");
        assert_eq!(dialog(&evil).next_hop().to_string(), "udp:198.51.100.7:5060");
    }
}
