//! Campaigns: lists of numbers that the switch calls by itself. Results are read here, or posted.

use crate::asked::{Said, Says};
use crate::campaign_switch::{CampaignDone, CampaignOrder, CampaignView};
use crate::catalog::{Routes, key};
use crate::figures::Rows;
use crate::key::Asking;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Done, limit};
use crate::state::State;
use crate::switch::Refusal;
use axum::Json;
use axum::extract::{Path, State as Use};
use cordboard_model::calendar::Hours;
use cordboard_model::campaign::{
    BusinessResult, CampaignGoal, CampaignKind, CampaignNumber, CampaignSpec, NewNumber, NumberState,
    NumbersAsked, ShownNumber,
};
use cordboard_model::id::TenantId;
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub(crate) fn routes() -> Routes {
    let read = |id, summary| key(id, "campaigns:read", summary);
    let write = |id, summary| key(id, "campaigns:write", summary);
    let one = "/campaigns/{campaign}";
    Routes::v1()
        .get(
            "/campaigns",
            list,
            read("listCampaigns", "Campaigns, with how far each is")
                .query(&["limit", "after"])
                .gives::<Rows<CampaignView>>(),
        )
        .post(
            "/campaigns",
            create,
            write("addCampaign", "Makes one; it calls within its hours as soon as it has numbers")
                .takes::<Body>(EXAMPLE)
                .gives::<CampaignView>(),
        )
        .get(one, get, read("readCampaign", "One campaign").gives::<CampaignView>())
        .put(
            one,
            change,
            write("changeCampaign", "Makes it another; its kind stays")
                .takes::<Body>(EXAMPLE)
                .gives::<CampaignView>(),
        )
        .delete(
            one,
            remove,
            write("removeCampaign", "Deletes it with its numbers, unless it runs").gives::<Done>(),
        )
        .post(
            "/campaigns/{campaign}/pause",
            pause,
            write("pauseCampaign", "Calls nobody for it; calls that are up go on").gives::<CampaignView>(),
        )
        .post(
            "/campaigns/{campaign}/resume",
            resume,
            write("resumeCampaign", "Goes on").gives::<CampaignView>(),
        )
        .get(
            "/campaigns/{campaign}/numbers",
            numbers,
            read("listCampaignNumbers", "Its numbers, and what came of each")
                .query(&["state", "limit", "after"])
                .gives::<Rows<CampaignNumber>>(),
        )
        .post(
            "/campaigns/{campaign}/numbers",
            add,
            write("addCampaignNumbers", "Adds numbers, all of them or none")
                .takes::<Numbers>(r#"{"numbers": [{"called": "+493012345", "session": "row-17"}]}"#)
                .gives::<Rows<CampaignNumber>>(),
        )
        .put(
            "/campaigns/{campaign}/numbers/{number}/business",
            say,
            write("sayCampaignResult", "Says what came of a number in business")
                .takes::<Business>(r#"{"code": "sold", "words": "a year's contract"}"#)
                .gives::<CampaignNumber>(),
        )
}

const EXAMPLE: &str = r#"{"name": "autumn", "kind": "predictive", "goal": {"queue": "sales"}, "begins": 1795000000000, "ends": 4102444800000, "workdays": [{"from": 540, "to": 1080}]}"#;

/// What a campaign is to be.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "NewCampaign")]
#[serde(deny_unknown_fields)]
struct Body {
    /// For people.
    name: String,
    /// For people.
    #[serde(default)]
    description: String,
    /// How it calls. It stays what it is.
    kind: CampaignKind,
    /// Who talks: a flow or a queue.
    goal: CampaignGoal,
    /// From when on.
    begins: Wall,
    /// Until when.
    ends: Wall,
    /// When on working days, in minutes of the day by the tenant's clocks.
    #[serde(default)]
    workdays: Vec<Hours>,
    /// When on other days.
    #[serde(default)]
    holidays: Vec<Hours>,
    /// Numbers that are shown; none: the usual one.
    #[serde(default)]
    shown: Vec<ShownNumber>,
    /// How long it rings, seconds; 30.
    ring_s: Option<u32>,
    /// 1 to 5; the highest has free agents first; 3.
    priority: Option<u8>,
    /// Calls for a hundred free agents; 100.
    rate: Option<u32>,
    /// Most calls at a time; 30.
    lines: Option<u32>,
    /// How often one number is called until somebody is reached, at most; 1.
    attempts: Option<u32>,
    /// How long after a call in vain it is called again, seconds; 600.
    every_s: Option<u32>,
    /// Where results are posted.
    url: Option<String>,
}

impl Says for Body {
    const FIELD: &'static str = "name";
    const EXPECTED: &'static str = r#"expected "name", "kind", "goal", "begins", "ends" and "workdays", as {"name": "autumn", "kind": "predictive", "goal": {"queue": "sales"}, "begins": 1795000000000, "ends": 4102444800000, "workdays": [{"from": 540, "to": 1080}]}"#;
}

impl Body {
    fn spec(self) -> Box<CampaignSpec> {
        Box::new(CampaignSpec {
            name: self.name,
            description: self.description,
            kind: self.kind,
            goal: self.goal,
            begins: self.begins,
            ends: self.ends,
            workdays: self.workdays,
            holidays: self.holidays,
            shown: self.shown,
            ring_s: self.ring_s.unwrap_or(30),
            priority: self.priority.unwrap_or(3),
            rate: self.rate.unwrap_or(100),
            lines: self.lines.unwrap_or(30),
            attempts: self.attempts.unwrap_or(1),
            every_s: self.every_s.unwrap_or(600),
            url: self.url,
            said: Value::Null,
        })
    }
}

/// Numbers that are to be called.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "NewCampaignNumbers")]
#[serde(deny_unknown_fields)]
struct Numbers {
    numbers: Vec<NewNumber>,
}

impl Says for Numbers {
    const FIELD: &'static str = "numbers";
    const EXPECTED: &'static str =
        r#"expected {"numbers": [{"called": "+4930..."}]}, each perhaps with "session" and "data""#;
}

/// What came of a number in business.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "NewBusinessResult")]
#[serde(deny_unknown_fields)]
struct Business {
    /// Its code.
    code: String,
    /// More of it.
    #[serde(default)]
    detail: String,
    /// In words.
    #[serde(default)]
    words: String,
    /// Which agent says so.
    #[serde(default)]
    agent: String,
}

impl Says for Business {
    const FIELD: &'static str = "code";
    const EXPECTED: &'static str = r#"expected {"code": "sold"}, and perhaps "detail", "words" and "agent""#;
}

/// Longest text of a business result, bytes.
const TEXT_MAX: usize = 1_024;

/// A campaign's number, of the path.
fn id(text: &str, what: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::not_found(format!("{what} {text:?}")))
}

async fn ask(state: &State, tenant: TenantId, order: CampaignOrder) -> Result<CampaignDone, Problem> {
    Ok(state.switch.campaigns(tenant, order).await?)
}

async fn one(state: &State, tenant: TenantId, order: CampaignOrder) -> Answer<CampaignView> {
    match ask(state, tenant, order).await? {
        CampaignDone::One(view) => Ok(Json(*view)),
        _ => Err(Problem::from(Refusal::Internal("the switch gave no campaign".into()))),
    }
}

async fn rows(state: &State, tenant: TenantId, order: CampaignOrder) -> Result<Vec<CampaignNumber>, Problem> {
    match ask(state, tenant, order).await? {
        CampaignDone::Numbers(rows) => Ok(rows),
        _ => Err(Problem::from(Refusal::Internal("the switch gave no numbers".into()))),
    }
}

async fn list(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Rows<CampaignView>> {
    let query = query.only(&["limit", "after"])?;
    let limit = limit(&query)? as usize;
    let after = query.number::<u64>("after", "a campaign's number")?.unwrap_or(0);
    match ask(&state, who.tenant, CampaignOrder::List).await? {
        CampaignDone::Many(mut items) => {
            items.retain(|view| view.campaign.id > after);
            items.truncate(limit);
            let next = items.last().filter(|_| items.len() == limit).map(|last| last.campaign.id.to_string());
            Ok(Json(Rows { items, next }))
        }
        _ => Err(Problem::from(Refusal::Internal("the switch gave no campaigns".into()))),
    }
}

async fn create(Use(state): Use<State>, Asking(who): Asking, Said(body): Said<Body>) -> Answer<CampaignView> {
    one(&state, who.tenant, CampaignOrder::Create(body.spec(), who.actor())).await
}

async fn get(Use(state): Use<State>, Asking(who): Asking, Path(of): Path<String>) -> Answer<CampaignView> {
    one(&state, who.tenant, CampaignOrder::Get(id(&of, "campaign")?)).await
}

async fn change(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(of): Path<String>,
    Said(body): Said<Body>,
) -> Answer<CampaignView> {
    one(&state, who.tenant, CampaignOrder::Change(id(&of, "campaign")?, body.spec())).await
}

async fn remove(Use(state): Use<State>, Asking(who): Asking, Path(of): Path<String>) -> Answer<Done> {
    ask(&state, who.tenant, CampaignOrder::Delete(id(&of, "campaign")?)).await?;
    Ok(Json(Done::of(vec![format!("campaign {of} is deleted")])))
}

async fn pause(Use(state): Use<State>, Asking(who): Asking, Path(of): Path<String>) -> Answer<CampaignView> {
    one(&state, who.tenant, CampaignOrder::Pause(id(&of, "campaign")?, true)).await
}

async fn resume(Use(state): Use<State>, Asking(who): Asking, Path(of): Path<String>) -> Answer<CampaignView> {
    one(&state, who.tenant, CampaignOrder::Pause(id(&of, "campaign")?, false)).await
}

async fn numbers(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(of): Path<String>,
    query: Params,
) -> Answer<Rows<CampaignNumber>> {
    let query = query.only(&["state", "limit", "after"])?;
    let of_state = match query.text("state") {
        None => None,
        Some("pending") => Some(NumberState::Pending),
        Some("calling") => Some(NumberState::Calling),
        Some("done") => Some(NumberState::Done),
        Some(_) => return Err(Problem::field("state", "pending, calling or done")),
    };
    let after = query.number("after", "a number of a number")?.unwrap_or(0);
    let limit = limit(&query)?;
    let asked = NumbersAsked { campaign: id(&of, "campaign")?, state: of_state, after, limit };
    let items = rows(&state, who.tenant, CampaignOrder::Numbers(asked)).await?;
    let full = items.len() == limit as usize;
    let next = items.last().filter(|_| full).map(|last| last.id.to_string());
    Ok(Json(Rows { items, next }))
}

async fn add(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(of): Path<String>,
    Said(body): Said<Numbers>,
) -> Answer<Rows<CampaignNumber>> {
    let order = CampaignOrder::Add(id(&of, "campaign")?, body.numbers);
    Ok(Json(Rows { items: rows(&state, who.tenant, order).await?, next: None }))
}

async fn say(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((campaign, number)): Path<(String, String)>,
    Said(body): Said<Business>,
) -> Answer<CampaignNumber> {
    let (campaign, number) = (id(&campaign, "campaign")?, id(&number, "number")?);
    for (field, text) in
        [("code", &body.code), ("detail", &body.detail), ("words", &body.words), ("agent", &body.agent)]
    {
        if text.len() > TEXT_MAX || (field == "code" && text.is_empty()) {
            return Err(Problem::field(field, format!("1 to {TEXT_MAX} bytes")));
        }
    }
    let missing = || Problem::not_found(format!("number {number} of campaign {campaign}"));
    let known = rows(&state, who.tenant, CampaignOrder::Number(number)).await?;
    known.first().filter(|known| known.campaign == campaign).ok_or_else(missing)?;
    let Business { code, detail, words, agent } = body;
    let order = CampaignOrder::Say(number, BusinessResult { code, detail, words, agent });
    let said = rows(&state, who.tenant, order).await?.into_iter().next();
    said.map(Json).ok_or_else(missing)
}
