//! What would become of a call that is not placed.

use super::sight::Sight;
use crate::shard::Shard;
use cordboard_model::id::{TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::plan;
use cordboard_model::view::RouteView;
use cordboard_plugin_api::{AskAnswer, RouteEnd, RouteOutcome, RouteRequest, RouteRun, RouteStep};

impl Shard {
    /// What would become of a call, without placing it. None if there is no such tenant or trunk.
    pub fn explain(
        &self,
        tenant: TenantId,
        trunk: Option<&TrunkId>,
        from: &str,
        to: &str,
    ) -> Option<RouteView> {
        let home = self.snapshot.tenant(tenant)?;
        let trunk = match trunk {
            Some(id) => Some(self.snapshot.trunk(id).filter(|trunk| trunk.id.tenant == tenant)?),
            None => None,
        };
        if let Some(other) = trunk.and_then(|trunk| plan::owner(home, trunk, to)) {
            let (from, to, reasons) = (from.to_owned(), to.to_owned(), Vec::new());
            return Some(RouteView { tenant: other, from, to, reasons, goes_to: None, refused: None });
        }
        let user = UserId::new(tenant, from).ok();
        let user = user.filter(|user| trunk.is_none() && home.users.contains_key(&user.name));
        let (from, to) = plan::inside(home, trunk, user.is_some(), from, to);
        let outcome = self.explain_route(RouteRequest {
            trunk: trunk.map(|trunk| trunk.id.clone()),
            user,
            at: self.wall.at(self.now),
            ..RouteRequest::new(tenant, PartyId::new(&from), PartyId::new(&to))
        })?;
        let (goes_to, refused) = match outcome.end {
            RouteEnd::Decided { to, .. } => (Some(to), None),
            RouteEnd::Refused { cause, .. } => (None, Some(cause)),
        };
        Some(RouteView { tenant, from, to, reasons: outcome.reasons, goes_to, refused })
    }

    /// What the plugins would say to a call, without placing it.
    pub fn explain_route(&self, request: RouteRequest) -> Option<RouteOutcome> {
        let tenant = self.snapshot.tenant(request.tenant)?;
        let order = self.routing.orders.get(&request.tenant).cloned().unwrap_or_default();
        let sight = Sight { shard: self, tenant, call: None };
        let mut run = RouteRun::new(order, request, self.now);
        let mut next = run.start(&self.registry, &sight, self.now)?;
        loop {
            match next {
                RouteStep::Done(outcome) => return Some(*outcome),
                RouteStep::Ask { id, .. } => {
                    let answer =
                        AskAnswer::Failed { why: "nothing outside is asked while explaining".into() };
                    next = run.handle_answer(id, answer, &self.registry, &sight, self.now)?;
                }
            }
        }
    }
}
