//! REGISTER (RFC 3261 10.3).

use super::context::describe;
use super::gate::Verdict;
use super::{Flow, SipEngine};
use crate::registrar::Refusal;
use crate::session::request::{answer, refuse, respond_with};
use crate::transaction::TxId;
use crate::wire::HeaderName;

impl SipEngine {
    pub(super) fn on_register(&mut self, tx: TxId, flow: Flow) {
        let base = &mut self.base;
        let Some(request) = base.tx.request(tx) else {
            return;
        };
        let to = request.to().ok().map(|to| to.uri);
        // an address of record is a SIP URI (10.2)
        let Some(of_record) = to.as_ref().and_then(|uri| uri.as_sip()) else {
            return refuse(base, tx, 400, "Bad Request - To Is No SIP Address");
        };
        // "If the address-of-record is not valid for the domain in the Request-URI, the registrar
        // MUST send a 404 (Not Found) response" (step 5); here only of a domain, for no answer
        // tells which accounts there are
        let Some(tenant) = base.cx.directory.tenant_of(of_record.host.as_str()) else {
            return answer(base, tx, 404);
        };
        let name = of_record.user().unwrap_or_default().into_owned();
        let user = match self.gate.check(base, tx, tenant) {
            Verdict::Account(user) => user,
            Verdict::Answered => return,
        };
        // "the registrar SHOULD determine if the authenticated user is authorized to modify
        // registrations for this address-of-record ... If the authenticated user is not
        // authorized to modify bindings, the registrar MUST return a 403 (Forbidden)" (step 4)
        if user.name.as_str() != name {
            return answer(base, tx, 403);
        }
        let Some(request) = base.tx.request(tx).cloned() else {
            return;
        };
        let registered = self.registrar.register(&mut base.cx, &user, &request, flow);
        match registered {
            Ok(()) => {
                let contacts = self.registrar.contact_values(&user, base.cx.now);
                respond_with(base, tx, 200, |response| {
                    for contact in contacts {
                        response.push(HeaderName::Contact, contact);
                    }
                    // the device sees the Path that was kept (RFC 3327 5.3)
                    response.headers.copy_from(&request.headers, &HeaderName::Path);
                    describe(response);
                });
            }
            Err(Refusal::Malformed(why)) => {
                refuse(base, tx, 400, &format!("Bad Request - {why}"));
            }
            Err(Refusal::OutOfOrder) => refuse(base, tx, 500, "Registration Out of Order"),
            Err(Refusal::TooBrief) => {
                // "This response MUST contain a Min-Expires header field that states the minimum
                // expiration interval the registrar is willing to honor" (10.3)
                let least = base.cx.directory.register_min_secs().to_string();
                respond_with(base, tx, 423, |response| {
                    response.push(HeaderName::MinExpires, least);
                });
            }
            Err(Refusal::TooManyContacts) => refuse(base, tx, 403, "Too Many Contacts"),
            Err(Refusal::Full) => answer(base, tx, 503),
        }
    }
}
