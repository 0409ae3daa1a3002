//! How a call leaves that may go by several trunks, or is for help.

use crate::shard::Shard;
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId, TenantId, TrunkId};
use cordboard_plugin_api::{RouteEnd, RouteOutcome, Urgent};

/// Most calls for help that are taken beyond `limits.calls`, of all tenants together: lanes and media threads have room
/// for that many more.
pub(crate) const URGENT_MAX: usize = 64;

/// The plugin whose word is about help.
const EMERGENCY: &str = "emergency";

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    /// The first trunk.
    pub(crate) trunk: TrunkId,
    /// The number that is called.
    pub(crate) number: String,
    /// Those after it.
    pub(crate) others: Vec<TrunkId>,
    /// It is a call for help.
    pub(crate) urgent: Option<Box<Urgent>>,
}

impl Shard {
    /// How this number leaves by this trunk in a call, if routing has said more of it.
    pub(crate) fn ways_of(&self, call: CallId, trunk: &TrunkId, number: &str) -> Option<Ways> {
        let mut of_call = self.routing.ways.get(&call).into_iter().flatten();
        of_call.find(|ways| ways.trunk == *trunk && ways.number == number).cloned()
    }

    /// Whether one more call for help may be placed where others may not.
    pub(crate) fn may_help(&self, tenant: TenantId) -> bool {
        let help = self.snapshot.tenant(tenant).and_then(|tenant| tenant.routes.emergency.as_ref());
        let own = self.routing.urgent.iter().filter(|call| call.tenant == tenant).count();
        help.is_some_and(|help| own < help.calls as usize) && self.routing.urgent.len() < URGENT_MAX
    }

    /// Whether the call is one for help.
    pub(crate) fn is_urgent(&self, call: CallId) -> bool {
        self.routing.urgent.contains(&call)
    }

    /// A call is taken as one for help before it is routed.
    pub(crate) fn begins_urgent(&mut self, call: CallId, urgent: bool) {
        if urgent {
            self.routing.urgent.insert(call);
        }
    }

    /// Routing has spoken: whether it is one for help. The operator hears of every one that was to be, whatever became of it.
    pub(super) fn note_help(&mut self, call: CallId, outcome: &RouteOutcome) {
        let help = match &outcome.end {
            RouteEnd::Decided { urgent, .. } => urgent.as_ref(),
            _ => None,
        };
        let urgent = help.is_some_and(|help| help.first);
        let was = match urgent {
            true => !self.routing.urgent.insert(call),
            false => self.routing.urgent.remove(&call),
        };
        let helped =
            outcome.reasons.iter().rfind(|reason| reason.plugin == EMERGENCY && reason.verdict != "pass");
        let why = match helped {
            Some(reason) => format!("{}: {}", reason.verdict, reason.why),
            None if help.is_some() || was => "as routing says".to_owned(),
            None => return,
        };
        let number = &outcome.request.to.user;
        let text = format!("call {call} is an emergency call to {number} ({why})");
        self.event(call.tenant, EventKind::Alarm { code: "emergency_call".into(), text });
    }

    /// Diversions that the party of a leg brought along.
    pub(super) fn diversions(&self, leg: LegId) -> u8 {
        let came = self.legs.get(leg).and_then(|found| found.came.as_deref());
        came.map_or(0, |came| u8::try_from(came.diversions()).unwrap_or(u8::MAX))
    }
}
