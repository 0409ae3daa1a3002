//! An agent's desk as it changes: after each change the whole of it, and what has happened meanwhile in the reference's events,
//! for the page that has the bar.
//!
//! Invariant: a reader who keeps the last turn alone has the whole state; what he missed while he was away he sees there, and its
//! events are not told.

use crate::desk::Desk;
use crate::events::EventFilter;
use crate::feed::{Asked, Feed};
use crate::gateway::config::GatewayTenant;
use crate::gateway::news::{News, Words, between};
use crate::gateway::seen::Seen;
use crate::gateway::{beside::FloorPlan, number};
use crate::key::token_of;
use crate::problem::Problem;
use crate::switch::{Refusal, StreamItem};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::desk::DeskView;
use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::{AgentId, CallId, Name, RecordingId};
use cordboard_model::time::Wall;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

/// What comes together is told together: so long after an event it is waited for the next.
const TOGETHER: Duration = Duration::from_millis(10);
/// Most events of one turn: a desk is looked at in the midst of a storm too.
const STORM: usize = 64;
/// A desk is looked at without an event too: who is registered, and when a state ends, no event of his tells. It also keeps what
/// is in between from taking silence for the end.
const LOOK: Duration = Duration::from_secs(5);

/// One who follows a desk.
struct Turns {
    desk: Desk,
    feed: Feed,
    plan: FloorPlan,
    skills: BTreeMap<Name, u32>,
    news: News,
    recordings: BTreeMap<RecordingId, (CallId, Wall)>,
    seen: Option<Seen>,
    told: Option<DeskView>,
    over: bool,
}

/// `GET /api/v1/agents/{name}/desk/turns`, as server-sent events.
pub(crate) async fn follow(desk: Desk, headers: HeaderMap) -> Result<Response, Problem> {
    desk.may_see()?;
    let tenant = desk.tenant();
    let plan = desk.switch().floor_plan(tenant).await?;
    // one who is not there has no desk to follow
    desk.switch().desk(desk.agent().clone()).await?;
    let known = desk.config().gateway.tenants.iter().find(|known| known.id == tenant).cloned();
    let known = known.unwrap_or(GatewayTenant { id: tenant, vdn: 1, skills: BTreeMap::new() });
    let skills = number::skills(&known, &plan);
    let filter = EventFilter { agents: vec![desk.agent().name.clone()], ..EventFilter::default() };
    let feed = Feed::begin(Asked::of(&desk, token_of(&headers).unwrap_or_default(), filter));
    let (news, recordings) = (News::default(), BTreeMap::new());
    let turns = Turns { desk, feed, plan, skills, news, recordings, seen: None, told: None, over: false };
    let first = futures_util::stream::once(async { Ok::<_, Infallible>(Bytes::from("retry: 1000\n\n")) });
    let rest = futures_util::stream::unfold(turns, |mut turns| async move {
        let text = turns.next().await?;
        Some((Ok(Bytes::from(text)), turns))
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(first, rest));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy that gathers what it passes on is asked not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn written(what: &Value) -> String {
    format!("data: {what}\n\n")
}

impl Turns {
    /// What is sent next; none after the last.
    async fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        if self.told.is_none() {
            return self.look().await;
        }
        match tokio::time::timeout(LOOK, self.feed.next()).await {
            Err(_) => {}
            Ok(item) => {
                self.hear(item)?;
                for _ in 1..STORM {
                    match tokio::time::timeout(TOGETHER, self.feed.next()).await {
                        Ok(item) => self.hear(item)?,
                        Err(_) => break,
                    }
                }
            }
        }
        self.look().await
    }

    /// None if nothing follows.
    fn hear(&mut self, item: Option<StreamItem>) -> Option<()> {
        match item? {
            StreamItem::Event(event) => note(&mut self.news, self.desk.agent(), &event),
            StreamItem::Closing { .. } => self.over = true,
            _ => {}
        }
        Some(())
    }

    async fn look(&mut self) -> Option<String> {
        let view = match self.desk.switch().desk(self.desk.agent().clone()).await {
            Ok(view) => view,
            // a configuration without him
            Err(Refusal::NotFound(_)) => {
                self.over = true;
                return Some(written(&json!({ "closing": "no_such_agent" })));
            }
            // a switch that is too busy is asked again with the next event
            Err(_) => return Some(": busy\n\n".to_owned()),
        };
        let date = self.desk.switch().moment();
        let events = self.between(&view, date);
        let same = self.told.as_ref() == Some(&view) && events.is_empty();
        let text = match same {
            true => ": still here\n\n".to_owned(),
            false => written(&json!({ "desk": view, "events": events, "at": date })),
        };
        self.told = Some(view);
        match self.over {
            true => Some(format!("{text}{}", written(&json!({ "closing": "over" })))),
            false => Some(text),
        }
    }

    /// What has happened since the last look, as the reference says it.
    fn between(&mut self, view: &DeskView, date: Wall) -> Vec<Value> {
        let new = Seen::of(view, &self.plan, self.seen.as_ref());
        let news = core::mem::take(&mut self.news);
        let Some(old) = self.seen.replace(new.clone()) else { return Vec::new() };
        let me = self.desk.agent().name.as_str();
        let skill = |name: &str| {
            let display = self.plan.queues.get(name).map(|queue| queue.display.clone()).unwrap_or_default();
            let display = if display.is_empty() { name.to_owned() } else { display };
            (self.skills.get(name).copied().unwrap_or_default(), display)
        };
        let words = Words { me, skill: &skill, date };
        let told = between(&old, &new, &news, &mut self.recordings, &words);
        let event = |(kind, content): (&str, Value)| json!({ "eventType": kind, "workNo": me, "content": content, "eventGenTime": date.0 });
        told.into_iter().map(event).collect()
    }
}

/// What an event that concerns the agent says of the time between two looks.
fn note(news: &mut News, of: &AgentId, event: &Event) {
    match &event.what {
        EventKind::AgentStatus { agent, by, .. } if agent == of => news.forced |= by.is_some(),
        EventKind::AgentOverdue { agent, .. } if agent == of => news.overdue = true,
        EventKind::LegEnded { leg, cause, .. } if news.causes.len() < News::MOST => {
            news.causes.insert(*leg, *cause);
        }
        EventKind::CallEnded { call, by, cause, .. } if news.ended.len() < News::MOST => {
            news.ended.insert(*call, (*by, *cause));
        }
        EventKind::RecordingStarted { call, recording } if news.recordings.len() < News::MOST => {
            news.recordings.push((*call, *recording, event.at));
        }
        _ => {}
    }
}
