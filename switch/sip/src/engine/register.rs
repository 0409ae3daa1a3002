//! REGISTER (RFC 3261 10.3).

use super::context::describe;
use super::outside::Caller;
use super::{Flow, SipEngine};
use crate::registrar::{OPTION, Refusal};
use crate::session::request::{answer, refuse, respond_with};
use crate::transaction::TxId;
use crate::wire::HeaderName;

impl SipEngine {
    pub(super) fn on_register(&mut self, tx: TxId, flow: Flow, caller: Caller) {
        let base = &mut self.base;
        let (Some(request), Some(user)) = (base.tx.request(tx), caller.user) else {
            return answer(base, tx, 403);
        };
        let to = request.to().ok();
        let name = to.as_ref().and_then(|to| to.uri.user()).unwrap_or_default();
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
            Ok(outbound) => {
                let keep_alive = base.cx.directory.flows().flow_timer.as_secs().to_string();
                let contacts = self.registrar.contact_values(&user, base.cx.now);
                respond_with(base, tx, 200, |response| {
                    for contact in contacts {
                        response.push(HeaderName::Contact, contact);
                    }
                    // the device sees the Path that was kept (RFC 3327 5.3)
                    response.headers.copy_from(&request.headers, &HeaderName::Path);
                    describe(response);
                    if outbound {
                        // RFC 5626 6: the option tag in Require tells the device that its flow is kept as one; 4.4: and
                        // Flow-Timer, how often it MUST send keep-alives
                        response.push(HeaderName::Supported, OPTION);
                        response.push(HeaderName::Require, OPTION);
                        response.push(HeaderName::FlowTimer, keep_alive);
                    }
                });
            }
            Err(Refusal::FirstHop) => refuse(base, tx, 439, "First Hop Lacks Outbound Support"),
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
