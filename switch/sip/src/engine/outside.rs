//! Requests outside any dialog (RFC 3261 8.2, 11, 13.3).

use cordboard_model::id::{CallId, TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;

use super::arrive::unknown_extensions;
use super::context::ACCEPT;
use super::gate::Verdict;
use super::{Directory, Flow, IncomingCall, SessionId, SipEngine, SipEvent};
use crate::guard::{Offence, Place};
use crate::identity::Identity;
use crate::session::request::{answer, describe_methods, describe_options, refuse_body, respond_with};
use crate::session::{Replaceable, Session, Wish, refuse_too_brief};
use crate::transaction::{TxId, TxUser, response_flow};
use crate::wire::{HeaderName, Message, Method, Replaces, SipUri, Uri, Via};

/// Who sent a request, after the gate.
pub(super) struct Caller {
    pub(super) tenant: TenantId,
    pub(super) user: Option<UserId>,
    pub(super) trunk: Option<TrunkId>,
    /// The one call that a guest may begin.
    pub(super) guest: Option<CallId>,
}

/// What becomes of a request outside a dialog.
enum Course {
    /// It is refused or answered for what it is, whoever sent it.
    Plain(Answer),
    /// Its sender must say who he is.
    Challenge { tenant: TenantId, stale: bool },
    /// An INVITE or REGISTER of somebody known.
    Known(Caller),
}

/// An answer that needs nothing but the request.
#[derive(Clone, Copy)]
enum Answer {
    Code(u16),
    Phrase(u16, &'static str),
    Method,
    Extensions,
    Options,
}

impl SipEngine {
    pub(super) fn on_outside_request(&mut self, flow: Flow, via: &Via, request: Message) {
        let course = match self.plain_answer(&request) {
            Some(answer) => Course::Plain(answer),
            None => self.admit(&request, flow),
        };
        let caller = match course {
            Course::Plain(plain) => return self.give(flow, via, &request, plain),
            Course::Challenge { tenant, stale } => return self.challenge(flow, via, &request, tenant, stale),
            Course::Known(caller) => caller,
        };
        if caller.user.is_some() || caller.guest.is_some() {
            self.guard.proved(self.base.cx.now);
        }
        if !self.takes_call(via, &request, &caller) {
            return self.answer_stateless(flow, via, &request, 503, |_| {});
        }
        let base = &mut self.base;
        let method = request.method().cloned();
        let tx = base.tx.open(&mut base.cx, TxUser::Nobody, flow, via, request);
        match method {
            Some(Method::Register) => self.on_register(tx, flow, caller),
            Some(Method::Subscribe) => self.on_subscribe(tx, flow, caller),
            Some(Method::Message) => self.on_message(tx, caller),
            _ => self.on_invite(tx, flow, caller),
        }
    }

    /// Asks the sender of a request who he is.
    pub(super) fn challenge(
        &mut self,
        flow: Flow,
        via: &Via,
        request: &Message,
        tenant: TenantId,
        stale: bool,
    ) {
        let cx = &self.base.cx;
        let response = self.gate.challenge(cx, request, (via, &asker(flow)), tenant, stale);
        let shown = request.headers.contains(&HeaderName::Authorization);
        // who calls for help is not banned for asking; for a wrong password he is, and is looked at all the same
        let pardoned = !shown && self.guard.is_urgent();
        if !stale && !pardoned {
            self.offence(if shown { Offence::Password } else { Offence::Bare });
        }
        self.answer_stranger(response_flow(flow, via), &response);
    }

    /// Whether the limits of the switch, of the account and of the number called leave room for a call.
    fn takes_call(&mut self, via: &Via, request: &Message, caller: &Caller) -> bool {
        if request.method() != Some(&Method::Invite) {
            return true;
        }
        let place = place_of(request, caller);
        let branch = via.branch().unwrap_or_default();
        let urgent = self.is_urgent(caller, &place.number.1);
        self.guard.takes_call(branch, &place, (caller.trunk.is_some(), urgent), self.base.cx.now)
    }

    /// Whether a call is one for help, its sender one who may call there, and it is one of those that are looked at in a
    /// second.
    fn is_urgent(&self, caller: &Caller, number: &str) -> bool {
        self.guard.is_urgent()
            && caller.guest.is_none()
            && self.base.cx.directory.is_urgent(caller.tenant, caller.trunk.as_ref(), number)
    }

    /// What is answered whoever sends it. The method is looked at first (8.2.1), then the headers
    /// (8.2.2).
    fn plain_answer(&self, request: &Message) -> Option<Answer> {
        // 8.2.2.2: "If the From tag, Call-ID, and CSeq exactly match those associated with an
        // ongoing transaction, but the request does not match that transaction ..., the UAS core
        // SHOULD generate a 482 (Loop Detected) response"
        if self.base.tx.is_merged(request) {
            return Some(Answer::Code(482));
        }
        match request.method() {
            Some(
                Method::Invite | Method::Register | Method::Options | Method::Subscribe | Method::Message,
            ) => {}
            // without a To tag there is no dialog for them
            Some(Method::Bye | Method::Info | Method::Update | Method::Prack | Method::Notify) => {
                return Some(Answer::Code(481));
            }
            // whom we would call for it, and in whose name, nobody has proved
            Some(Method::Refer) => return Some(Answer::Phrase(403, "Forbidden - Only In A Call")),
            _ => return Some(Answer::Method),
        }
        // "If the Request-URI uses a scheme not supported by the UAS, it SHOULD reject the
        // request with a 416 (Unsupported URI Scheme) response." (8.2.2.1)
        if !is_routable(request) {
            return Some(Answer::Code(416));
        }
        if !unknown_extensions(request).is_empty() {
            return Some(Answer::Extensions);
        }
        if self.stopping {
            return Some(Answer::Code(503));
        }
        match request.method() {
            // 11.2: "The response code chosen MUST be the same that would have been chosen had the request been an INVITE."
            Some(Method::Options) if self.draining => Some(Answer::Code(503)),
            Some(Method::Options) => Some(Answer::Options),
            // we would send it on: "If the Max-Forwards value reaches 0 before the request reaches
            // its destination, it will be rejected with a 483(Too Many Hops)" (8.1.1.6)
            Some(Method::Invite | Method::Message) if matches!(request.max_forwards(), Ok(Some(0))) => {
                Some(Answer::Code(483))
            }
            _ => None,
        }
    }

    /// Who sends it: for an INVITE a trunk by its address, else an account by digest.
    fn admit(&mut self, request: &Message, flow: Flow) -> Course {
        let directory = &self.base.cx.directory;
        let tenant = if request.method() == Some(&Method::Invite) {
            if let Some(trunk) = directory.trunk_of(flow.remote) {
                let (tenant, trunk) = (trunk.tenant, Some(trunk.clone()));
                return Course::Known(Caller { tenant, user: None, trunk, guest: None });
            }
            calling_tenant(directory, request).ok_or(Answer::Code(403))
        } else if request.method() == Some(&Method::Register) {
            registering_tenant(directory, request)
        } else {
            calling_tenant(directory, request).ok_or(Answer::Code(403))
        };
        let tenant = match tenant {
            Ok(tenant) => tenant,
            Err(answer) => return Course::Plain(answer),
        };
        match self.gate.check(&self.base.cx, request, tenant, &asker(flow)) {
            Verdict::Account(user) => {
                Course::Known(Caller { tenant, user: Some(user), trunk: None, guest: None })
            }
            Verdict::Guest(call) if request.method() == Some(&Method::Invite) => {
                Course::Known(Caller { tenant, user: None, trunk: None, guest: Some(call) })
            }
            Verdict::Guest(_) => Course::Plain(Answer::Phrase(403, "Forbidden - Only For Its Call")),
            Verdict::Stranger { stale } => Course::Challenge { tenant, stale },
            Verdict::Malformed => Course::Plain(Answer::Phrase(400, "Bad Request - Malformed Authorization")),
        }
    }

    fn give(&mut self, flow: Flow, via: &Via, request: &Message, plain: Answer) {
        match plain {
            Answer::Code(code) => self.answer_stateless(flow, via, request, code, |_| {}),
            Answer::Phrase(code, phrase) => self.answer_stateless(flow, via, request, code, |response| {
                response.set_reason(phrase);
            }),
            Answer::Method => self.answer_stateless(flow, via, request, 405, describe_methods),
            Answer::Options => self.answer_stateless(flow, via, request, 200, describe_options),
            Answer::Extensions => {
                let unknown = unknown_extensions(request);
                self.answer_stateless(flow, via, request, 420, |response| {
                    response.push(HeaderName::Unsupported, unknown);
                });
            }
        }
    }

    fn on_invite(&mut self, tx: TxId, flow: Flow, caller: Caller) {
        let base = &mut self.base;
        let Some(request) = base.tx.request(tx) else {
            return;
        };
        let is_sdp = matches!(request.content_type(), Ok(Some(kind)) if kind.is("application/sdp"));
        let is_encoded = request.headers.contains(&HeaderName::ContentEncoding);
        if !request.body.is_empty() && (!is_sdp || is_encoded) {
            return refuse_body(base, tx);
        }
        if !request.accepts("application/sdp") {
            return respond_with(base, tx, 406, |response| {
                response.push(HeaderName::Accept, ACCEPT);
            });
        }
        if matches!(Session::timer_wish(base, request), Wish::TooBrief) {
            return refuse_too_brief(base, tx);
        }
        if self.sessions.len() >= base.cx.config.sessions_max {
            return answer(base, tx, 503);
        }
        match self.place_taken(tx) {
            Ok(replaces) => self.open_call(tx, flow, caller, replaces),
            Err(code) => answer(&mut self.base, tx, code),
        }
    }

    /// The session whose place an INVITE with Replaces takes; else the status that refuses it (RFC 3891 3).
    fn place_taken(&self, tx: TxId) -> Result<Option<SessionId>, u16> {
        let Some(request) = self.base.tx.request(tx) else {
            return Ok(None);
        };
        let mut values = request.headers.get_all(&HeaderName::Replaces);
        let Some(value) = values.next() else {
            return Ok(None);
        };
        // "If more than one Replaces header field is present in an INVITE, or if a Replaces header field is present in a
        // request other than INVITE, the UAS MUST reject the request with a 400 Bad Request response."
        let replaces = Replaces::parse(value).filter(|_| values.next().is_none()).ok_or(400_u16)?;
        match self.find_replaced(&replaces) {
            // "If the Replaces header field matches a confirmed dialog, it checks for the presence of the "early-only"
            // flag in the Replaces header field. ... If the flag is present, the UA rejects the request with a 486"
            Some((_, Replaceable::Up)) if replaces.early_only => Err(486),
            // "If the Replaces header field matches an early dialog that was not initiated by this UA, it returns a 481"
            Some((_, Replaceable::Theirs)) | None => Err(481),
            Some((id, _)) => Ok(Some(id)),
        }
    }

    fn open_call(&mut self, tx: TxId, flow: Flow, caller: Caller, replaces: Option<SessionId>) {
        let id = self.new_session();
        let dialled =
            self.base.tx.request(tx).and_then(|request| Some(request.request_uri()?.dialled()?.into_owned()));
        let urgent = dialled.is_some_and(|number| self.is_urgent(&caller, &number));
        let base = &mut self.base;
        let call = base.tx.request(tx).and_then(|request| {
            let from = request.from_().ok()?;
            let to = request.to().ok()?;
            let uri = request.request_uri()?;
            let from_user = match &caller.user {
                Some(user) => user.name.as_str().to_owned(),
                None => from.uri.user().map_or("anonymous".to_owned(), Into::into),
            };
            Some(IncomingCall {
                session: id,
                tenant: caller.tenant,
                from: PartyId { user: from_user, display: from.display.unwrap_or_default() },
                to: PartyId {
                    user: uri.dialled().unwrap_or_default().into_owned(),
                    display: to.display.unwrap_or_default(),
                },
                host: uri.host().map_or("", |host| host.as_str()).to_owned(),
                source: flow.remote,
                user: caller.user,
                trunk: caller.trunk,
                guest: caller.guest,
                offer: Some(request.body.clone()).filter(|body| !body.is_empty()),
                call_id: request.call_id().ok()?.to_owned(),
                identity: Box::new(Identity::read(request)),
                replaces,
                urgent,
            })
        });
        let place = call
            .as_ref()
            .map(|call| Place { user: call.user.clone(), number: (call.tenant, call.to.user.clone()) });
        let session = Session::incoming(base, id, tx, flow);
        let (Some(call), Some(mut session)) = (call, session) else {
            return answer(base, tx, 400);
        };
        session.is_of(call.user.clone());
        if let Some(place) = place {
            self.guard.call_began(id, place);
        }
        let base = &mut self.base;
        base.tx.set_user(tx, TxUser::Session(id));
        // 17.2.1: "The server transaction MUST generate a 100 (Trying) response unless it knows
        // that the TU will generate a provisional or final response within 200 ms"
        answer(base, tx, 100);
        base.cx.event(SipEvent::Incoming(Box::new(call)));
        self.keep(id, session);
    }
}

/// Whom a nonce is for: the address that asked.
pub(super) fn asker(flow: Flow) -> String {
    flow.remote.ip().to_canonical().to_string()
}

/// The tenant whose account a caller must have: by the host of From, of To, or the only one.
fn calling_tenant(directory: &Directory, request: &Message) -> Option<TenantId> {
    let host = |uri: &Uri| uri.host().map(|host| host.as_str().to_owned());
    let from = request.from_().ok().and_then(|from| host(&from.uri));
    let to = request.to().ok().and_then(|to| host(&to.uri));
    let named = |host: &Option<String>| directory.tenant_named(host.as_deref()?);
    named(&from).or_else(|| named(&to)).or_else(|| directory.tenant_of(from.as_deref().unwrap_or_default()))
}

/// The tenant of an address of record: "This address-of-record MUST be a SIP URI or SIPS URI."
/// (10.2). "If the address-of-record is not valid for the domain in the Request-URI, the registrar
/// MUST send a 404 (Not Found) response" (10.3 step 5); here only of a domain, for no answer tells
/// which accounts there are.
fn registering_tenant(directory: &Directory, request: &Message) -> Result<TenantId, Answer> {
    let to = request.to().ok().map(|to| to.uri);
    let Some(of_record): Option<&SipUri> = to.as_ref().and_then(Uri::as_sip) else {
        return Err(Answer::Phrase(400, "Bad Request - To Is No SIP Address"));
    };
    directory.tenant_of(of_record.host.as_str()).ok_or(Answer::Code(404))
}

/// Whether we can do anything with the Request-URI: a SIP address, or a number for an INVITE.
fn is_routable(request: &Message) -> bool {
    let is_invite = request.method() == Some(&Method::Invite);
    match request.request_uri() {
        Some(Uri::Sip(_)) => true,
        Some(Uri::Other { scheme, .. }) => is_invite && scheme.eq_ignore_ascii_case("tel"),
        None => false,
    }
}

fn place_of(request: &Message, caller: &Caller) -> Place {
    // as the call will have it: the context of a tel: address is part of the number
    let number = request.request_uri().and_then(Uri::dialled).unwrap_or_default().into_owned();
    Place { user: caller.user.clone(), number: (caller.tenant, number) }
}
