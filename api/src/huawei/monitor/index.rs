//! Indicators: what they are now, and of intervals that are over.
//!
//! The reference's names are public in part. Beside those, every figure of docs/figures.md is an indicator by its own name:
//! an extension. An indicator that is neither is refused by its name, so that no client takes silence for zero.

use super::calls::media_type;
use super::{Answered, Ask, Code, Fault, Reply, failed};
use crate::figures::{ReportAsked, RowsAsked, When};
use cordboard_model::figures::{Figures, ReportBy, ReportStep, WallView};
use cordboard_model::id::Name;
use cordboard_model::time::Wall;
use cordboard_model::view::{AgentStatus, AgentView, QueueView};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Most skills, and most of their indicators, of one question.
const SKILLS: (usize, usize) = (1_000, 12);
/// The same of agents.
const AGENTS: (usize, usize) = (100, 4);
/// Most agents of a question about days, and most indicators of intervals.
const DAYS: (usize, usize) = (1_000, 100);
/// Most tenants, which can be one alone, and indicators.
const TENANTS: (usize, usize) = (100, 100);
/// The last five minutes, milliseconds, and the wait that counts within them.
const LATELY: (i64, u64) = (300_000, 20_000);
/// Most visits that are looked at for it.
const VISITS: u32 = 1_000;
/// Most days of one question.
const DAY_MS: i64 = 86_400_000;
const DAYS_MAX: i64 = 31;

pub(crate) async fn configured_skills(ask: Ask) -> Answered {
    let row = |(name, id): (&Name, &u32)| {
        let queue = ask.plan.queues.get(name)?;
        let display = if queue.display.is_empty() { name.as_str() } else { queue.display.as_str() };
        Some(json!({ "id": id, "mediaType": media_type(queue.kind), "name": display }))
    };
    Answered(Ok(Reply::Rows(ask.skills.iter().filter_map(row).collect::<Vec<_>>().into())))
}

/// A figure by our own name for it.
fn figure(figures: &Figures, name: &str) -> Option<String> {
    let place = Figures::NAMES.iter().position(|known| *known == name)?;
    figures.cells().into_iter().nth(place)
}

fn unknown(name: &str) -> Fault {
    (Code::Parameter, format!("{name} is no indicator here"))
}

fn row(id: Value, values: Vec<(String, String)>) -> Value {
    let one = |(id, val): (String, String)| json!({ "id": id, "val": val });
    json!({ "id": id, "idxs": values.into_iter().map(one).collect::<Vec<_>>() })
}

/// Indicators of one thing, each by `of`.
fn values(indexes: &[String], of: impl Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>, Fault> {
    indexes
        .iter()
        .map(|name| of(name).map(|value| (name.clone(), value)).ok_or_else(|| unknown(name)))
        .collect()
}

/// What is known of all skills now.
struct Now {
    queues: Vec<QueueView>,
    agents: Vec<AgentView>,
    wall: WallView,
    /// Answered within twenty seconds, of the last five minutes.
    quick: BTreeMap<Name, u64>,
}

async fn now(ask: &Ask, wants_quick: bool) -> Result<Now, Fault> {
    let id = ask.id();
    let queues = ask.switch.queues(id).await.map_err(failed)?;
    let agents = ask.switch.agents(id).await.map_err(failed)?;
    let wall = ask.switch.wall(id).await.map_err(failed)?;
    let mut quick = BTreeMap::new();
    if wants_quick {
        let since = Wall(ask.switch.moment().0.saturating_sub(LATELY.0));
        let asked = RowsAsked { from: Some(since), limit: VISITS, ..RowsAsked::default() };
        let visits = ask.switch.visits(id, asked).await.map_err(failed)?;
        for row in
            visits.items.iter().filter(|row| row.visit.outcome == "served" && row.visit.wait_ms() <= LATELY.1)
        {
            *quick.entry(row.visit.queue.name.clone()).or_insert(0) += 1;
        }
    }
    Ok(Now { queues, agents, wall, quick })
}

impl Now {
    fn skill(&self, ask: &Ask, queue: &Name, name: &str) -> Option<String> {
        use AgentStatus::{Away, Hold, NotReady, Ready, Rest, Ringing, SignedOut, Talking, WrapUp};
        let serves = |view: &&AgentView| {
            ask.plan.agents.get(&view.agent.name).is_some_and(|agent| agent.queues.contains(queue))
        };
        let count = |fits: &dyn Fn(AgentStatus) -> bool| {
            self.agents.iter().filter(serves).filter(|view| fits(view.status)).count().to_string()
        };
        let wall = self.wall.queues.iter().find(|known| known.queue.name == *queue);
        let waiting =
            self.queues.iter().find(|known| known.queue.name == *queue).map_or(0, |view| view.waiting.len());
        Some(match name {
            "IDX_COUNT_REAL_SKILL_QUEUE" => waiting.to_string(),
            "IDX_COUNT_REAL_SKILL_HANDLE" | "IDX_COUNT_REAL_AGENT_CONNECT" => {
                count(&|status| matches!(status, Talking | Hold))
            }
            "IDX_DURATION_SKILL_MAX_QUEUE_ACK" => {
                let longest = wall.and_then(|wall| wall.today.wait_max_ms).unwrap_or_default();
                (longest / 1_000).to_string()
            }
            "IDX_COUNT_20S_CALL_FOR_5MIN" => self.quick.get(queue).copied().unwrap_or_default().to_string(),
            "IDX_COUNT_REAL_AGENT_SIGN_IN" => count(&|status| status != SignedOut),
            "IDX_COUNT_REAL_AGENT_SET_IDLE" => count(&|status| status == Ready),
            "IDX_COUNT_REAL_AGENT_USABLE" => {
                count(&|status| matches!(status, Ready | Ringing | Talking | Hold | WrapUp))
            }
            "IDX_COUNT_REAL_AGENT_SET_BUSY" => count(&|status| matches!(status, NotReady | Away)),
            "IDX_COUNT_REAL_AGENT_ACW" => count(&|status| status == WrapUp),
            "IDX_COUNT_REAL_AGENT_REST" => count(&|status| status == Rest),
            // nobody studies here
            "IDX_COUNT_REAL_AGENT_STUDY" => "0".to_owned(),
            other => figure(&wall.map(|wall| wall.today).unwrap_or_default(), other)?,
        })
    }

    fn tenant(&self, name: &str) -> Option<String> {
        let trunks = |of: fn(&Figures) -> u64| self.wall.trunks.iter().map(|row| of(&row.today)).sum::<u64>();
        let today = &self.wall.today;
        let count = match name {
            "IDX_COUNT_TOTAL_CALL" => today.calls,
            "IDX_COUNT_CONNECTED_CALL" => today.calls_answered,
            "IDX_COUNT_ABANDONED_CALL" => today.abandoned,
            "IDX_COUNT_INBOUND_CALL" => trunks(|figures| figures.legs_in),
            "IDX_COUNT_INBOUND_CONNECTED" => trunks(|figures| figures.legs_in_answered),
            "IDX_COUNT_OUTBOUND_CALL" => trunks(|figures| figures.legs_out),
            other => return figure(today, other),
        };
        Some(count.to_string())
    }
}

async fn of_skills(ask: &Ask) -> Result<Reply, Fault> {
    let (skills, indexes) = (ask.list("skillIds", SKILLS.0)?, ask.list("indexIds", SKILLS.1)?);
    let quick = indexes.iter().any(|name| name == "IDX_COUNT_20S_CALL_FOR_5MIN");
    let now = now(ask, quick).await?;
    let mut rows = Vec::new();
    for id in skills {
        let queue = ask.queue(&id).ok_or_else(|| (Code::Parameter, format!("there is no skill {id}")))?;
        let values = values(&indexes, |name| now.skill(ask, queue, name))?;
        rows.push(row(id.parse::<u32>().map_or_else(|_| Value::from(id.as_str()), Value::from), values));
    }
    Ok(Reply::Rows(rows.into()))
}

pub(crate) async fn skills_now(ask: Ask) -> Answered {
    Answered(of_skills(&ask).await)
}

async fn of_agents(ask: &Ask) -> Result<Reply, Fault> {
    let (agents, indexes) = (ask.list("agentIds", AGENTS.0)?, ask.list("indexIds", AGENTS.1)?);
    let wall = ask.switch.wall(ask.id()).await.map_err(failed)?;
    let mut rows = Vec::new();
    for id in agents {
        if !ask.plan.agents.contains_key(id.as_str()) {
            return Err((Code::Parameter, format!("there is no agent {id}")));
        }
        let today = wall.agents.iter().find(|known| known.agent.name.as_str() == id);
        let today = today.map(|known| known.today).unwrap_or_default();
        rows.push(row(Value::from(id), values(&indexes, |name| figure(&today, name))?));
    }
    Ok(Reply::Rows(rows.into()))
}

pub(crate) async fn agents_now(ask: Ask) -> Answered {
    Answered(of_agents(&ask).await)
}

async fn of_tenant(ask: &Ask) -> Result<Reply, Fault> {
    let (tenants, indexes) = (ask.list("vdnIds", TENANTS.0)?, ask.list("indexIds", TENANTS.1)?);
    let now = now(ask, false).await?;
    let own = ask.tenant.tenant.vdn.to_string();
    if tenants.iter().any(|id| *id != own) {
        return Err((Code::NoRight, "a VDN is not that of this access key".into()));
    }
    let values = values(&indexes, |name| now.tenant(name))?;
    Ok(Reply::Rows(json!([row(json!(ask.tenant.tenant.vdn), values)])))
}

pub(crate) async fn tenant_now(ask: Ask) -> Answered {
    Answered(of_tenant(&ask).await)
}

/// The last interval of a grain that is over.
fn interval(grain: &str, now: Wall) -> Option<(Wall, Wall)> {
    let minutes = match grain {
        "15MIN" => 15,
        "30MIN" => 30,
        "60MIN" => 60,
        _ => return None,
    };
    let ms = minutes * 60_000;
    let end = now.0.div_euclid(ms) * ms;
    Some((Wall(end - ms), Wall(end)))
}

async fn of_interval(ask: &Ask) -> Result<Reply, Fault> {
    let (agents, indexes) = (ask.list("agentIds", AGENTS.0)?, ask.list("indexIds", DAYS.1)?);
    let grain = ask.said.text("timeGrain").unwrap_or_default();
    let span = interval(&grain, ask.switch.moment());
    let (from, to) = span.ok_or((Code::Parameter, "timeGrain is none of 15MIN, 30MIN, 60MIN".to_owned()))?;
    let asked = ReportAsked {
        by: ReportBy::Agents,
        from: Some(When::At(from)),
        to: Some(When::At(to)),
        interval: ReportStep::Whole,
    };
    let report = ask.switch.report(ask.id(), asked).await.map_err(failed)?;
    let mut rows = Vec::new();
    for id in agents {
        let known = report.rows.iter().find(|row| row.name.as_ref().is_some_and(|name| name.as_str() == id));
        let figures = known.map(|row| row.figures).unwrap_or_default();
        let mut one = row(Value::from(id), values(&indexes, |name| figure(&figures, name))?);
        one["beginTime"] = json!(from.0);
        rows.push(one);
    }
    Ok(Reply::Rows(rows.into()))
}

/// Of the last interval of a grain that is over.
pub(crate) async fn agents_of_interval(ask: Ask) -> Answered {
    Answered(of_interval(&ask).await)
}

/// A day of the tenant's zone, as `2026-11-22` or `20261122`, or a time in milliseconds.
fn day(ask: &Ask, name: &str) -> Result<When, Fault> {
    let text = ask.said.text(name).ok_or_else(|| (Code::Parameter, format!("{name} is missing")))?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let wrong = || (Code::Parameter, format!("{name} is {text:?}"));
    match (text.len(), digits) {
        (8, 8) => {
            let (year, rest) = text.split_at(4);
            let (month, day) = rest.split_at(2);
            Ok(When::Day(format!("{year}-{month}-{day}")))
        }
        (10, 8) => Ok(When::Day(text)),
        _ => text.parse().map(|ms| When::At(Wall(ms))).map_err(|_| wrong()),
    }
}

async fn of_days(ask: &Ask) -> Result<Reply, Fault> {
    let (agents, indexes) = (ask.list("agentIds", DAYS.0)?, ask.list("indexIds", DAYS.1)?);
    let (from, to) = (day(ask, "beginDayTime")?, day(ask, "endDayTime")?);
    if let (When::At(from), When::At(to)) = (&from, &to)
        && !(0..=DAYS_MAX * DAY_MS).contains(&to.0.saturating_sub(from.0))
    {
        return Err((Code::Parameter, format!("at most {DAYS_MAX} days")));
    }
    let asked =
        ReportAsked { by: ReportBy::Agents, from: Some(from), to: Some(to), interval: ReportStep::Day };
    let report = ask.switch.report(ask.id(), asked).await.map_err(failed)?;
    let mut rows = Vec::new();
    for known in &report.rows {
        let Some(name) = known.name.as_ref().filter(|name| agents.iter().any(|id| id == name.as_str()))
        else {
            continue;
        };
        let mut one = row(Value::from(name.as_str()), values(&indexes, |name| figure(&known.figures, name))?);
        one["beginTime"] = json!(known.from.0);
        rows.push(one);
    }
    Ok(Reply::Rows(rows.into()))
}

/// Of each day of a stretch.
pub(crate) async fn agents_of_days(ask: Ask) -> Answered {
    Answered(of_days(&ask).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_the_last_one_that_is_over() {
        let hour = 3_600_000;
        assert_eq!(interval("15MIN", Wall(hour + 1)), Some((Wall(hour - 900_000), Wall(hour))));
        assert_eq!(interval("60MIN", Wall(2 * hour - 1)), Some((Wall(0), Wall(hour))));
        assert_eq!(interval("30MIN", Wall(hour)), Some((Wall(hour / 2), Wall(hour))));
        assert_eq!(interval("1H", Wall(hour)), None);
    }
}
