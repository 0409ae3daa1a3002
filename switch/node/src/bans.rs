//! Who is kept off the SIP port by hand, for the control plane. The operator's own tenant alone may.

use crate::switch::{NodeSwitch, missing};
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::guard::{Bar, Network};
use cordboard_model::id::TenantId;

impl NodeSwitch {
    pub(crate) fn ban(&self, tenant: TenantId, bar: Bar) -> Later<Vec<String>> {
        let source = bar.source;
        let own = tenant == TenantId::DEFAULT;
        let answer = self.later(move |shard| match own {
            true => shard.bar(bar).map_err(|fault| {
                let (code, why) = fault.words();
                Refusal::Named(code, why)
            }),
            false => Err(missing("a SIP port of this tenant's own")),
        });
        Box::pin(async move {
            let contacts = answer.await??;
            let mut done = vec![format!("{source} is not heard from now on")];
            if contacts > 0 {
                done.push(format!(
                    "{contacts} registered contacts are among it: their registrations run out"
                ));
            }
            Ok(done)
        })
    }

    pub(crate) fn lift_ban(&self, tenant: TenantId, source: Network) -> Later<Vec<String>> {
        let own = tenant == TenantId::DEFAULT;
        let answer = self.later(move |shard| own && shard.lift_ban(source));
        Box::pin(async move {
            match answer.await? {
                true => Ok(vec![format!("{source} is heard again")]),
                false => Err(missing(format!("{source} is not banned"))),
            }
        })
    }
}
