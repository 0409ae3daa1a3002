//! Campaigns of calls, by signed requests: made, changed, paused, deleted, filled with numbers; and their results, posted.
//!
//! Every answer has both pairs of the reference, `resultCode` with `resultDesc` and `returnCode` with `returnDesc`, with the same in
//! both.

mod read;
mod results;
mod show;

pub use results::{results, took};

use super::Shapes;
use super::config::{Face, HuaweiTenant};
use super::door::why;
use super::reply::sent;
use super::signed::open;
use crate::audit::Audit;
use crate::campaign_switch::{CAMPAIGN_FULL, CampaignDone, CampaignOrder, CampaignView, WRONG_STATE};
use crate::gateway::fields::Fields;
use crate::gateway::number::skills;
use crate::key::Who;
use crate::surface::Surface;
use crate::switch::{Caller, Refusal};
use axum::extract::{FromRequest, Query, Request};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use cordboard_model::campaign::BusinessResult;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where it lies, below the version.
const BASE: &str = "openapi/campaigns/{vdnId}";
/// Most campaigns in a page.
const PAGE_MAX: usize = 100;
/// Campaigns in a page if nothing is said.
const PAGE: usize = 20;

pub(super) fn routes() -> Surface<Arc<Shapes>> {
    ["v1", "v2"].into_iter().fold(Surface::new(), |routes, version| {
        let at = |path: &str| format!("/rest/isales/{version}/{BASE}{path}");
        routes
            .post(&at(""), create)
            .get(&at(""), list)
            .put(&at("/{campaignId}"), modify)
            .get(&at("/{campaignId}"), detail)
            .delete(&at("/{campaignId}"), delete)
            .put(&at("/{campaignId}/pause"), pause)
            .put(&at("/{campaignId}/resume"), resume)
            .post(&at("/calldata/{campaignId}"), add)
            .post(&at("/callBusiResult/{dataId}"), say)
    })
}

/// Result codes of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Done,
    /// A parameter; which, the words say.
    Parameter,
    Empty,
    Illegal,
    TooLong,
    Range,
    Type,
    Conversion,
    Combination,
    HourMinute,
    Count,
    Database,
    NoCampaign,
    WrongState,
    NoNumber,
    Failed,
}

impl Code {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Done => "0200000",
            Self::Parameter => "0200001",
            Self::Empty => "02000001",
            Self::Illegal => "02000002",
            Self::TooLong => "02000003",
            Self::Range => "02000005",
            Self::Type => "02000006",
            Self::Conversion => "02000008",
            Self::Combination => "02000009",
            Self::HourMinute => "02000010",
            Self::Count => "02000011",
            Self::Database => "0200006",
            Self::NoCampaign => "0200007",
            Self::WrongState => "0200011",
            Self::NoNumber => "0200033",
            Self::Failed => "0200999",
        }
    }
}

/// Not done, and why.
pub(crate) type Fault = (Code, String);

/// What a request is answered with.
pub(crate) struct Answered(Result<Value, Fault>);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        let (code, words, object) = match self.0 {
            Ok(object) => (Code::Done, "success".to_owned(), object),
            Err((code, why)) => (code, why, Value::Null),
        };
        let mut body = json!({
            "resultCode": code.text(),
            "resultDesc": words,
            "returnCode": code.text(),
            "returnDesc": words,
        });
        if !object.is_null() {
            body["returnObject"] = object;
        }
        sent(StatusCode::OK, &body)
    }
}

/// A signed request about a tenant's campaigns.
pub(crate) struct Ask {
    shapes: Arc<Shapes>,
    tenant: HuaweiTenant,
    key: String,
    /// The body.
    said: Fields,
    /// The same, as it came.
    raw: Value,
    query: Fields,
    /// The second version has some fields otherwise.
    second: bool,
    /// What stands in the path behind the VDN.
    rest: Vec<String>,
    audit: Audit,
}

/// The query's entries.
fn query_of(uri: &Uri) -> Fields {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    Fields::query(pairs.map(|Query(pairs)| pairs).unwrap_or_default())
}

impl FromRequest<Arc<Shapes>> for Ask {
    type Rejection = Response;

    async fn from_request(request: Request, shapes: &Arc<Shapes>) -> Result<Self, Response> {
        let path: Vec<String> = request.uri().path().split('/').map(str::to_owned).collect();
        let query = query_of(request.uri());
        let (parts, body) = request.into_parts();
        let audit = Audit::of(&parts);
        let opened = open(shapes, Face::Campaigns, Request::from_parts(parts, body)).await?;
        let refused = |code, why: String| Answered(Err((code, why))).into_response();
        let parameter = |why: crate::gateway::code::Fault| refused(Code::Parameter, why.message());
        let said = Fields::body(&opened.body).map_err(parameter)?;
        let raw = serde_json::from_slice(&opened.body).unwrap_or(Value::Null);
        // ["", "rest", "isales", "v1", "openapi", "campaigns", VDN, ...]
        let of = |index: usize| path.get(index).map(String::as_str).unwrap_or_default();
        let tenant = opened.tenant;
        let cc = query.number::<u32>("ccId").map_err(parameter)?;
        if of(6) != tenant.tenant.vdn.to_string() || cc.is_some_and(|cc| cc != tenant.cc) {
            let why = "vdnId or ccId is not that of this access key".to_owned();
            return Err(refused(Code::Parameter, why));
        }
        let second = of(3) == "v2";
        let rest = path.get(7..).unwrap_or_default().to_vec();
        Ok(Self {
            shapes: Arc::clone(shapes),
            tenant,
            key: opened.key,
            said,
            raw,
            query,
            second,
            rest,
            audit,
        })
    }
}

/// The switch's reason.
fn refused(refusal: Refusal, missing: Code) -> Fault {
    let code = match &refusal {
        Refusal::NotFound(_) => missing,
        Refusal::Named(WRONG_STATE, _) => Code::WrongState,
        Refusal::Named(CAMPAIGN_FULL, _) => Code::Count,
        Refusal::Invalid(_) => Code::Parameter,
        Refusal::Busy(_) => Code::Database,
        _ => Code::Failed,
    };
    (code, why(refusal))
}

impl Ask {
    async fn order(&self, order: CampaignOrder) -> Result<CampaignDone, Fault> {
        if !matches!(order, CampaignOrder::Get(_) | CampaignOrder::List) {
            // it changes something: the audit log has it
            self.audit.by(&Who::Key(Caller::key(self.tenant.tenant.id, self.key.as_str())));
        }
        let missing = if matches!(order, CampaignOrder::Say(..)) { Code::NoNumber } else { Code::NoCampaign };
        let done = self.shapes.switch.campaigns(self.tenant.tenant.id, order).await;
        done.map_err(|refusal| refused(refusal, missing))
    }

    async fn one(&self, order: CampaignOrder) -> Result<CampaignView, Fault> {
        match self.order(order).await? {
            CampaignDone::One(view) => Ok(*view),
            _ => Err((Code::Failed, "the switch gave something else".to_owned())),
        }
    }

    /// A number of the path.
    fn number(&self, at: usize, missing: Code) -> Result<u64, Fault> {
        let text = self.rest.get(at).map(String::as_str).unwrap_or_default();
        text.parse().map_err(|_| (missing, format!("there is no {text:?}")))
    }

    fn campaign(&self) -> Result<u64, Fault> {
        self.number(0, Code::NoCampaign)
    }

    async fn spec(&self) -> Result<cordboard_model::campaign::CampaignSpec, Fault> {
        let tenant = &self.tenant.tenant;
        let plan = self.shapes.switch.floor_plan(tenant.id).await;
        let plan = plan.map_err(|refusal| refused(refusal, Code::Failed))?;
        let flows =
            self.shapes.switch.flows(tenant.id).await.map_err(|refusal| refused(refusal, Code::Failed))?;
        let known = read::Known {
            skills: skills(tenant, &plan),
            flows: flows.into_iter().map(|flow| flow.flow.name).collect(),
            now: self.shapes.switch.moment(),
        };
        read::spec(&self.said, &self.raw, self.second, &known)
    }
}

async fn created(ask: &Ask) -> Result<Value, Fault> {
    let spec = ask.spec().await?;
    let now = ask.shapes.switch.moment();
    read::begins_in_time(&spec, now)?;
    let view = ask.one(CampaignOrder::Create(Box::new(spec), ask.key.clone())).await?;
    Ok(json!({ "campaignId": view.campaign.id.to_string() }))
}

async fn create(ask: Ask) -> Answered {
    Answered(created(&ask).await)
}

async fn modified(ask: &Ask) -> Result<Value, Fault> {
    let id = ask.campaign()?;
    let known = ask.one(CampaignOrder::Get(id)).await?;
    let mut spec = ask.spec().await?;
    if spec.kind != known.campaign.spec.kind {
        return Err((Code::Parameter, "deviceType stays what it is".to_owned()));
    }
    if spec.begins != known.campaign.spec.begins {
        read::begins_in_time(&spec, ask.shapes.switch.moment())?;
    }
    if spec.said.is_null() {
        spec.said = known.campaign.spec.said;
    }
    let view = ask.one(CampaignOrder::Change(id, Box::new(spec))).await?;
    Ok(json!({ "campaignId": view.campaign.id.to_string() }))
}

async fn modify(ask: Ask) -> Answered {
    Answered(modified(&ask).await)
}

async fn detail(ask: Ask) -> Answered {
    let shown = async {
        let view = ask.one(CampaignOrder::Get(ask.campaign()?)).await?;
        Ok(show::campaign(&view))
    };
    Answered(shown.await)
}

async fn listed(ask: &Ask) -> Result<Value, Fault> {
    let CampaignDone::Many(all) = ask.order(CampaignOrder::List).await? else {
        return Err((Code::Failed, "the switch gave something else".to_owned()));
    };
    let filter = show::Filter::read(&ask.query)?;
    let number = |name: &str, usual: usize| {
        let number = ask.query.number::<usize>(name).map_err(|fault| (Code::Conversion, fault.message()))?;
        Ok::<_, Fault>(number.unwrap_or(usual))
    };
    let (page, rows) = (number("curPage", 1)?, number("rowsPerPage", PAGE)?);
    if page == 0 || !(1..=PAGE_MAX).contains(&rows) {
        return Err((Code::Range, format!("curPage is from 1 on, rowsPerPage 1 to {PAGE_MAX}")));
    }
    let fitting: Vec<&CampaignView> = all.iter().filter(|view| filter.takes(view)).collect();
    let skipped = rows.saturating_mul(page - 1);
    let data: Vec<Value> = fitting.iter().skip(skipped).take(rows).map(|view| show::campaign(view)).collect();
    Ok(json!({ "totalCount": fitting.len(), "curPage": page, "rowsPerPage": rows, "data": data }))
}

async fn list(ask: Ask) -> Answered {
    Answered(listed(&ask).await)
}

async fn delete(ask: Ask) -> Answered {
    let gone = async {
        ask.order(CampaignOrder::Delete(ask.campaign()?)).await?;
        Ok(Value::Null)
    };
    Answered(gone.await)
}

async fn paused(ask: &Ask, paused: bool) -> Answered {
    let done = async {
        ask.one(CampaignOrder::Pause(ask.campaign()?, paused)).await?;
        Ok(Value::Null)
    };
    Answered(done.await)
}

async fn pause(ask: Ask) -> Answered {
    paused(&ask, true).await
}

async fn resume(ask: Ask) -> Answered {
    paused(&ask, false).await
}

async fn added(ask: &Ask) -> Result<Value, Fault> {
    let id = ask.number(1, Code::NoCampaign)?;
    let numbers = read::numbers(&ask.raw)?;
    let CampaignDone::Numbers(rows) = ask.order(CampaignOrder::Add(id, numbers)).await? else {
        return Err((Code::Failed, "the switch gave something else".to_owned()));
    };
    let list: Vec<Value> =
        rows.iter().map(|row| json!({ "called": row.called, "dataId": row.id.to_string() })).collect();
    Ok(json!({ "totalSize": list.len(), "dataIdList": list }))
}

async fn add(ask: Ask) -> Answered {
    Answered(added(&ask).await)
}

async fn said(ask: &Ask) -> Result<Value, Fault> {
    let id = ask.number(1, Code::NoNumber)?;
    let text = |name: &str| ask.said.text(name).unwrap_or_default();
    let code =
        ask.said.text("busiResult").ok_or_else(|| (Code::Empty, "busiResult is missing".to_owned()))?;
    let result = BusinessResult {
        code,
        detail: text("subStatus"),
        words: text("busiResultDesc"),
        agent: text("workNo"),
    };
    let long =
        [&result.code, &result.detail, &result.words, &result.agent].iter().any(|text| text.len() > 1_024);
    if long {
        return Err((Code::TooLong, "a field is longer than 1024".to_owned()));
    }
    ask.order(CampaignOrder::Say(id, result)).await?;
    Ok(Value::Null)
}

async fn say(ask: Ask) -> Answered {
    Answered(said(&ask).await)
}
