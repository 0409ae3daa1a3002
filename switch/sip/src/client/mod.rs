//! Requests of ours outside any dialog: OPTIONS to see whether a gateway lives (RFC 3261 11), REGISTER with a carrier
//! (10.2).
//!
//! Invariant: each request that was asked for is answered by one [`Reply`], whatever comes or does not come; a challenge
//! is answered here, with credentials if there are any, and is no reply.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::auth::{Identity, answer_challenge};
use crate::engine::context::{ALLOW, Context, SUPPORTED};
use crate::engine::{Credentials, Flow, SipOutput};
use crate::transaction::{Transactions, TxId, TxUser, What};
use crate::wire::{HeaderName, Message, Method, NameAddr, SipUri, Uri, delta};

/// Most challenges that one request answers: the first, and one for a stale nonce.
const CHALLENGES_MAX: u8 = 2;

/// Longest way that a registrar may prescribe; each proxy costs some 50 bytes in every request.
const SERVICE_ROUTE_MAX: usize = 8;

/// A request, named by who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether the peer lives.
    Options,
    /// To be reached at our address for so long; zero takes it back.
    Register {
        /// How long.
        expires: Duration,
        /// The Call-ID of earlier registrations with the same registrar: "All registrations from a UAC SHOULD use the
        /// same Call-ID header field value for registrations sent to a particular registrar." (10.2). Made when none.
        call_id: Option<String>,
        /// "A UA MUST increment the CSeq value by one for each REGISTER request with the same Call-ID." (10.2)
        cseq: u32,
    },
}

/// A request outside any dialog.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name.
    pub id: RequestId,
    /// What it asks.
    pub ask: Ask,
    /// The user of From and To; nobody for OPTIONS without an account.
    pub user: String,
    /// The host of the Request-URI, From and To.
    pub host: String,
    /// Where it is sent.
    pub flow: Flow,
    /// For a challenge.
    pub credentials: Option<Credentials>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Which.
    pub id: RequestId,
    /// The final status; 408 when nothing came, 503 when the transport failed.
    pub status: u16,
    /// Whether a peer said it.
    pub heard: bool,
    /// Of a 200 to a REGISTER: how long it holds.
    pub expires: Option<Duration>,
    /// Of a 200 to a REGISTER: the way that the registrar wants our requests to go (RFC 3608), as Route values in order.
    pub service_route: Vec<String>,
    /// Of a 423: the least that may be asked for.
    pub least: Option<Duration>,
    /// How long to wait before the next try, where the peer says so.
    pub retry_after: Option<Duration>,
    /// The Call-ID, and the CSeq of the last request.
    pub call_id: String,
    /// See there.
    pub cseq: u32,
}

#[derive(Clone, Debug)]
struct Pending {
    tx: TxId,
    /// As sent, without Via: a transaction that timed out has forgotten it.
    request: Message,
    flow: Flow,
    credentials: Option<Credentials>,
    challenges: u8,
}

/// All requests that are not answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pending: BTreeMap<RequestId, Pending>,
}

impl Client {
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn ask(&mut self, cx: &mut Context, tx: &mut Transactions, request: Request) {
        let message = build(cx, &request);
        let user = TxUser::Client(request.id);
        let sent = tx.send(cx, user, request.flow, message.clone());
        let pending = Pending {
            tx: sent,
            request: message,
            flow: request.flow,
            credentials: request.credentials,
            challenges: 0,
        };
        self.pending.insert(request.id, pending);
    }

    pub(crate) fn on_upcall(
        &mut self,
        cx: &mut Context,
        tx: &mut Transactions,
        id: RequestId,
        from: TxId,
        what: What,
    ) {
        let Some(pending) = self.pending.get_mut(&id).filter(|pending| pending.tx == from) else {
            return;
        };
        let (status, response) = match what {
            What::Response(response) => match response.status() {
                Some(code @ 200..) => (code, Some(response)),
                _ => return,
            },
            What::Timeout => (408, None),
            What::Unreachable => (503, None),
            What::Ack(_) => return,
        };
        if let (401 | 407, Some(response)) = (status, &response)
            && let Some(again) = challenged(cx, pending, response)
        {
            pending.request = again.clone();
            pending.challenges += 1;
            pending.tx = tx.send(cx, TxUser::Client(id), pending.flow, again);
            return;
        }
        let Some(pending) = self.pending.remove(&id) else {
            return;
        };
        let header = |name: &HeaderName| response.as_ref().and_then(|r| r.header(name)).and_then(delta);
        let seconds = |secs: u32| Duration::from_secs(u64::from(secs));
        let reply = Reply {
            id,
            status,
            heard: response.is_some(),
            expires: response.as_ref().and_then(|r| granted(r, &pending.request)).map(seconds),
            service_route: response.as_ref().map(service_route).unwrap_or_default(),
            least: header(&HeaderName::MinExpires).map(seconds),
            retry_after: header(&HeaderName::RetryAfter).map(seconds),
            call_id: pending.request.call_id().unwrap_or_default().to_owned(),
            cseq: pending.request.cseq().map_or(0, |cseq| cseq.seq),
        };
        cx.out.push_back(SipOutput::Reply(Box::new(reply)));
    }
}

/// How long our contact holds: its own expires, or the Expires of the response (10.2.4).
fn granted(response: &Message, request: &Message) -> Option<u32> {
    let own = request.contacts().ok()?.into_iter().next()?;
    let ours = response.contacts().ok()?.into_iter().find(|contact| contact.uri == own.uri);
    let of_contact = ours.as_ref().and_then(|contact| contact.params.get("expires")).and_then(delta);
    of_contact.or_else(|| response.header(&HeaderName::Expires).and_then(delta))
}

/// What requests of ours are to carry as Route, in the order in which it stands (RFC 3608 5); of a 200 alone it counts.
/// What is no SIP address is left out.
fn service_route(response: &Message) -> Vec<String> {
    if !matches!(response.status(), Some(200..=299)) {
        return Vec::new();
    }
    let values = response.headers.get_all(&HeaderName::ServiceRoute);
    let routes = values.filter_map(NameAddr::parse).filter(|route| route.uri.as_sip().is_some());
    routes.take(SERVICE_ROUTE_MAX).map(|route| route.to_string()).collect()
}

fn challenged(cx: &mut Context, pending: &Pending, response: &Message) -> Option<Message> {
    let credentials = pending.credentials.as_ref().filter(|_| pending.challenges < CHALLENGES_MAX)?;
    let identity = Identity { username: &credentials.username, password: &credentials.password };
    let cnonce = format!("{:016x}", cx.tokens.number());
    let (name, value) = answer_challenge(response, &pending.request, identity, &cnonce, 1).ok()?;
    let mut again = pending.request.clone();
    let cseq = again.cseq().ok()?;
    again.set(HeaderName::CSeq, format!("{} {}", cseq.seq + 1, cseq.method));
    again.set(name, value);
    Some(again)
}

fn build(cx: &mut Context, request: &Request) -> Message {
    let host = crate::wire::Host::parse(&request.host).unwrap_or_else(|| cx.sent_by(&request.flow).0);
    let own = SipUri::new(None, host.clone(), None);
    let user = Some(request.user.as_str()).filter(|user| !user.is_empty());
    let address = NameAddr::new(SipUri::new(user, host.clone(), None));
    let (method, call_id, cseq) = match &request.ask {
        Ask::Options => (Method::Options, None, 1),
        Ask::Register { call_id, cseq, .. } => (Method::Register, call_id.clone(), *cseq),
    };
    let from = match user {
        Some(_) => address.clone(),
        None => NameAddr::new(SipUri::new(Some("cordboard"), cx.sent_by(&request.flow).0, None)),
    };
    let mut message = Message::request(method.clone(), Uri::Sip(own));
    message.push(HeaderName::MaxForwards, "70");
    message.push(HeaderName::From, from.with_tag(&cx.tokens.tag()).to_string());
    message.push(HeaderName::To, address.to_string());
    message.push(HeaderName::CallId, call_id.unwrap_or_else(|| cx.tokens.call_id()));
    message.push(HeaderName::CSeq, format!("{cseq} {method}"));
    let contact = cx.contact_of(&request.flow, user.unwrap_or("cordboard"));
    message.push(HeaderName::Contact, contact);
    if let Ask::Register { expires, .. } = &request.ask {
        message.push(HeaderName::Expires, expires.as_secs().to_string());
    }
    message.push(HeaderName::Allow, ALLOW);
    message.push(HeaderName::Supported, SUPPORTED);
    message.push(HeaderName::UserAgent, crate::engine::context::PRODUCT);
    message
}
