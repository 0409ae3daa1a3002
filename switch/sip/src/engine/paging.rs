//! MESSAGE outside a call: who may write to whom (RFC 3428).

use super::outside::Caller;
use super::{Dest, SipEngine};
use crate::page::{MESSAGE_MAX, Parties};
use crate::session::request::answer;
use crate::transaction::{TxId, What};
use crate::wire::Uri;

impl SipEngine {
    /// A MESSAGE of somebody known, outside any dialog.
    pub(super) fn on_message(&mut self, tx: TxId, caller: Caller) {
        let base = &mut self.base;
        let (Some(request), Some(user)) = (base.tx.request(tx), caller.user) else {
            return answer(base, tx, 403);
        };
        if request.to_bytes().len() > MESSAGE_MAX {
            return answer(base, tx, 413);
        }
        let to = request.request_uri().and_then(Uri::user).unwrap_or_default().into_owned();
        // none of another tenant is known here
        let Some(called) = base.cx.directory.account(user.tenant, &to).map(|known| known.id.clone()) else {
            return answer(base, tx, 404);
        };
        let targets = self.targets(Dest::Aor(called));
        let base = &mut self.base;
        if targets.is_empty() {
            return answer(base, tx, 480);
        }
        let domain = base.cx.directory.realm(user.tenant).to_owned();
        let parties = Parties { from: user.name.as_str(), to: &to, domain: &domain };
        self.pager.send(&mut base.cx, &mut base.tx, tx, &parties, targets);
    }

    /// A device's answer to one that was sent on.
    pub(super) fn on_page(&mut self, id: u64, from: TxId, what: What) {
        let base = &mut self.base;
        if let Some((tx, status)) = self.pager.on_upcall(&mut base.cx, &mut base.tx, (id, from), what) {
            answer(base, tx, status);
        }
    }
}
