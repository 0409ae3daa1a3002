//! Monitoring: what agents, skills and calls are now, and the figures of intervals that are over.
//!
//! Every answer has both pairs of the reference, `result` with `resultDatas` and `resultCode` with `resultDesc`, with the same
//! in both.

mod agents;
mod calls;
mod index;

use super::Shapes;
use super::config::{Face, HuaweiTenant};
use super::door::why;
use super::reply::sent;
use super::signed::open;
use crate::gateway::beside::FloorPlan;
use crate::gateway::fields::Fields;
use crate::gateway::number::skills;
use crate::surface::Surface;
use crate::switch::{Refusal, Switch};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordboard_model::id::{Name, TenantId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where it lies.
const BASE: &str = "/rest/cmsapp/v1/openapi";

pub(super) fn routes() -> Surface<Arc<Shapes>> {
    let at = |path: &str| format!("{BASE}{path}");
    Surface::new()
        .post(&at("/configures/skills"), index::configured_skills)
        .post(&at("/skill/rindex"), index::skills_now)
        .post(&at("/skill/agentbyconfigedskill"), agents::by_skill)
        .post(&at("/agentgroup/agentbyconfigedskill"), agents::by_skill_lower)
        .post(&at("/agent/agentbyworkno"), agents::by_number)
        .post(&at("/agentgroup/agentbyworkno"), agents::by_number_lower)
        .post(&at("/agentgroup/agentstatusinfobyagentids"), agents::states)
        .post(&at("/agentgroup/rindex"), index::agents_now)
        .post(&at("/vdn/totalagentabstractex3"), agents::all_states)
        .post(&at("/vdn/totalagentdynamicinfo"), agents::all_states)
        .post(&at("/vdn/totalagentstate"), agents::total_states)
        .post(&at("/vdn/querytotalagentinfo"), agents::configured)
        .post(&at("/vdn/queryagentstaticconfinfo"), agents::configured)
        .post(&at("/rindex/vdn"), index::tenant_now)
        .post(&at("/calldata/querybasiccallinfo"), calls::basic)
        .post(&at("/calldata/querydetailcallinfo"), calls::detail)
        .post(&at("/hisindex/agent"), index::agents_of_interval)
        .post(&at("/hisindex/agentforday"), index::agents_of_days)
}

/// Result codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Failed,
    Parameter,
    NoRight,
}

impl Code {
    fn text(self) -> &'static str {
        match self {
            Self::Failed => "0100001",
            Self::Parameter => "0100002",
            Self::NoRight => "0101003",
        }
    }
}

/// Not done, and why.
pub(crate) type Fault = (Code, String);

/// What is answered where it is done.
pub(crate) enum Reply {
    /// Both pairs.
    Rows(Value),
    /// Both pairs, and how many there are besides.
    Counted(Value, usize),
    /// The old pair alone.
    Old(Value),
}

/// What a request is answered with.
pub(crate) struct Answered(pub(crate) Result<Reply, Fault>);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        let both = |rows: &Value| json!({ "result": "0", "resultDatas": rows, "resultCode": "0100000", "resultDesc": rows });
        let body = match self.0 {
            Ok(Reply::Rows(rows)) => both(&rows),
            Ok(Reply::Counted(rows, count)) => {
                let mut body = both(&rows);
                body["count"] = json!(count);
                body
            }
            Ok(Reply::Old(rows)) => json!({ "result": "0", "resultDatas": rows }),
            Err((code, why)) => {
                json!({ "result": "1", "resultDatas": why, "resultCode": code.text(), "resultDesc": why })
            }
        };
        sent(StatusCode::OK, &body)
    }
}

/// A signed request about a tenant.
pub(crate) struct Ask {
    pub(crate) switch: Arc<dyn Switch>,
    pub(crate) tenant: HuaweiTenant,
    pub(crate) said: Fields,
    pub(crate) plan: FloorPlan,
    /// The numbers of its skills.
    pub(crate) skills: BTreeMap<Name, u32>,
}

impl FromRequest<Arc<Shapes>> for Ask {
    type Rejection = Response;

    async fn from_request(request: Request, shapes: &Arc<Shapes>) -> Result<Self, Response> {
        let opened = open(shapes, Face::Monitoring, request).await?;
        let refused = |fault: Fault| Answered(Err(fault)).into_response();
        let body = Fields::body(&opened.body).map_err(|why| refused((Code::Parameter, why.message())))?;
        // some of the reference's pages put everything into this, others the two numbers beside it
        let said = match body.inner("queryParam") {
            Some(inner) => inner.over(body),
            None => body,
        };
        let tenant = opened.tenant;
        fits(&said, &tenant).map_err(refused)?;
        let switch = Arc::clone(&shapes.switch);
        let plan = switch.floor_plan(tenant.tenant.id).await.map_err(|why| refused(failed(why)))?;
        let skills = skills(&tenant.tenant, &plan);
        Ok(Self { switch, tenant, said, plan, skills })
    }
}

/// Whether the two numbers, where they are said, are those of the key's tenant.
fn fits(said: &Fields, tenant: &HuaweiTenant) -> Result<(), Fault> {
    let of = |name: &str| said.number::<u32>(name).map_err(parameter);
    let (cc, vdn) = (of("ccId")?, of("vdn")?.or(of("vdnId")?));
    let other = |said: Option<u32>, own: u32| said.is_some_and(|said| said != own);
    match other(cc, tenant.cc) || other(vdn, tenant.tenant.vdn) {
        true => Err((Code::NoRight, "ccId or vdn is not that of this access key".into())),
        false => Ok(()),
    }
}

/// The switch's reason.
pub(crate) fn failed(refusal: Refusal) -> Fault {
    (Code::Failed, why(refusal))
}

/// What cannot be read.
pub(crate) fn parameter(fault: crate::gateway::code::Fault) -> Fault {
    (Code::Parameter, fault.detail)
}

impl Ask {
    pub(crate) fn id(&self) -> TenantId {
        self.tenant.tenant.id
    }

    /// A list that must be there, with at most so many.
    pub(crate) fn list(&self, name: &str, most: usize) -> Result<Vec<String>, Fault> {
        let list = self.said.texts(name).map_err(parameter)?.unwrap_or_default();
        match (1..=most).contains(&list.len()) {
            true => Ok(list),
            false => Err((Code::Parameter, format!("{name} has 1 to {most}"))),
        }
    }

    /// The queue of a skill's number.
    pub(crate) fn queue(&self, number: &str) -> Option<&Name> {
        let number: u32 = number.parse().ok()?;
        self.skills.iter().find(|(_, known)| **known == number).map(|(name, _)| name)
    }
}
