//! What the fake has for the agent gateway.

use super::{Fake, missing};
use cordboard_api::gateway::beside::{Beside, FloorPlan, PlanAgent, PlanQueue, Post};
use cordboard_api::huawei::config::{Configured, HuaweiConfig};
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::id::{FlowId, TenantId};
use cordboard_model::service::{QueueKind, Role};
use cordboard_model::verb::Destination;
use std::sync::Arc;

/// How URLs begin that may be posted to.
pub const PAGE: &str = "https://crm.example/";

impl Beside for Fake {
    fn floor_plan(&self, tenant: TenantId) -> Later<FloorPlan> {
        self.answer(tenant, move |floor| {
            let queues: Vec<_> = floor.queues.keys().map(|queue| queue.name.clone()).collect();
            let agents = floor.agents.iter().map(|(id, view)| {
                let role = if id.name.as_str() == "1009" { Role::Supervisor } else { Role::Agent };
                let (display, user) = (view.display.clone(), view.user.name.clone());
                (id.name.clone(), PlanAgent { display, user, role, queues: queues.clone() })
            });
            let verify = FlowId::new(tenant, "verify").map_err(|why| missing(&why))?;
            let plan = |queue: &cordboard_model::id::Name| {
                let kind = if queue.as_str() == "web" { QueueKind::Multimedia } else { QueueKind::Voice };
                (queue.clone(), PlanQueue { display: String::new(), kind })
            };
            Ok(FloorPlan {
                agents: agents.collect(),
                queues: queues.iter().map(plan).collect(),
                numbers: vec![("9001".into(), Destination::Flow(verify.clone()))],
                flows: vec![verify.name],
                ..FloorPlan::default()
            })
        })
    }

    fn may_post(&self, url: &str) -> bool {
        url.starts_with(PAGE)
    }

    fn post(&self, post: Post) -> Later<String> {
        self.answer(TenantId::DEFAULT, |floor| {
            floor.posts.push(post);
            match floor.pages_take {
                true => Ok(r#"{"message":"","retcode":"0"}"#.to_owned()),
                false => Err(Refusal::Conflict("not now".into())),
            }
        })
    }
}

impl Configured for Fake {
    fn huawei(&self) -> Arc<HuaweiConfig> {
        self.on(TenantId::DEFAULT, |floor| Arc::clone(&floor.huawei))
    }
}
