//! Requests outside any dialog (RFC 3261 8.2, 11, 13.3).

use cordboard_model::id::{TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;

use super::context::ACCEPT;
use super::gate::Verdict;
use super::{Flow, IncomingCall, SipEngine, SipEvent};
use crate::session::Session;
use crate::session::request::{answer, answer_options, refuse_body, refuse_method, respond_with};
use crate::transaction::{TxId, TxUser};
use crate::wire::{HeaderName, Message, Method, Uri};

/// Who calls, after the gate.
struct Caller {
    tenant: TenantId,
    user: Option<UserId>,
    trunk: Option<TrunkId>,
}

impl SipEngine {
    /// The method is looked at first (8.2.1), then the headers (8.2.2), then the content (8.2.3).
    pub(super) fn on_outside_request(&mut self, tx: TxId, flow: Flow) {
        let base = &mut self.base;
        let Some(request) = base.tx.request(tx) else {
            return;
        };
        match request.method() {
            Some(Method::Invite | Method::Register | Method::Options) => {}
            // without a To tag there is no dialog for them
            Some(Method::Bye | Method::Info) => return answer(base, tx, 481),
            _ => return refuse_method(base, tx),
        }
        // "If the Request-URI uses a scheme not supported by the UAS, it SHOULD reject the
        // request with a 416 (Unsupported URI Scheme) response." (8.2.2.1)
        if !is_routable(request) {
            return answer(base, tx, 416);
        }
        let is_options = request.method() == Some(&Method::Options);
        let is_register = request.method() == Some(&Method::Register);
        if self.refuse_extensions(tx) {
            return;
        }
        if self.stopping {
            return answer(&mut self.base, tx, 503);
        }
        if is_options {
            return answer_options(&mut self.base, tx);
        }
        if is_register {
            return self.on_register(tx, flow);
        }
        self.on_invite(tx, flow);
    }

    fn on_invite(&mut self, tx: TxId, flow: Flow) {
        let base = &mut self.base;
        let Some(request) = base.tx.request(tx) else {
            return;
        };
        // we would send it on: "If the Max-Forwards value reaches 0 before the request reaches
        // its destination, it will be rejected with a 483(Too Many Hops)" (8.1.1.6)
        if matches!(request.max_forwards(), Ok(Some(0))) {
            return answer(base, tx, 483);
        }
        let Some(caller) = self.admit(tx, flow) else {
            return;
        };
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
        if self.sessions.len() >= base.cx.config.sessions_max {
            return answer(base, tx, 503);
        }
        self.open_call(tx, flow, caller);
    }

    /// Who calls: a trunk by its address, or an account by digest. `None` when the request has
    /// been answered.
    fn admit(&mut self, tx: TxId, flow: Flow) -> Option<Caller> {
        let base = &mut self.base;
        let request = base.tx.request(tx)?;
        if let Some(trunk) = base.cx.directory.trunk_of(flow.remote) {
            return Some(Caller { tenant: trunk.tenant, user: None, trunk: Some(trunk.clone()) });
        }
        let host = |uri: Uri| uri.host().map(|host| host.as_str().to_owned());
        let from = request.from_().ok().and_then(|from| host(from.uri));
        let to = request.to().ok().and_then(|to| host(to.uri));
        let directory = &base.cx.directory;
        let named = |host: &Option<String>| directory.tenant_named(host.as_deref()?);
        let tenant = named(&from)
            .or_else(|| named(&to))
            .or_else(|| directory.tenant_of(from.as_deref().unwrap_or_default()));
        let Some(tenant) = tenant else {
            answer(base, tx, 403);
            return None;
        };
        match self.gate.check(base, tx, tenant) {
            Verdict::Account(user) => Some(Caller { tenant, user: Some(user), trunk: None }),
            Verdict::Answered => None,
        }
    }

    fn open_call(&mut self, tx: TxId, flow: Flow, caller: Caller) {
        let id = self.new_session();
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
                    user: uri.user().unwrap_or_default().into_owned(),
                    display: to.display.unwrap_or_default(),
                },
                host: uri.host().map_or("", |host| host.as_str()).to_owned(),
                source: flow.remote,
                user: caller.user,
                trunk: caller.trunk,
                offer: Some(request.body.clone()).filter(|body| !body.is_empty()),
                call_id: request.call_id().ok()?.to_owned(),
            })
        });
        let session = Session::incoming(base, id, tx, flow);
        let (Some(call), Some(session)) = (call, session) else {
            return answer(base, tx, 400);
        };
        base.tx.set_user(tx, TxUser::Session(id));
        // 17.2.1: "The server transaction MUST generate a 100 (Trying) response unless it knows
        // that the TU will generate a provisional or final response within 200 ms"
        answer(base, tx, 100);
        base.cx.event(SipEvent::Incoming(Box::new(call)));
        self.keep(id, session);
    }
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
