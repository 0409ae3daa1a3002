//! Records of calls, asked for, told when they are there, and fetched.
//!
//! What is kept of a file is what was asked: it is made when it is fetched, from the records as they are then. So nothing
//! lies about, and a restart forgets no more than the question.

use super::super::door::why;
use super::super::sign::{Asked, sign};
use super::zip::archive;
use super::{Ask, Code, Fault, failed, octets, sheet, wrong};
use crate::gateway::beside::Post;
use crate::gateway::number::{call_of, skills};
use crate::switch::{CdrFilter, RecordingView, RecordingsAsked, Switch};
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use cordboard_model::cdr::Cdr;
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, CallId, TenantId};
use cordboard_model::time::Wall;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most files that are remembered; the oldest goes first.
const MOST: usize = 1_000;
/// Most calls or recordings of a file.
const ROWS_MAX: usize = 20_000;
/// Rows that are asked for at a time.
const PAGE: u32 = 1_000;
/// The longest stretch of a file.
const LONGEST_MS: i64 = 31 * 86_400_000;
/// Until the next time that it is told, and how often it is.
const AGAIN: Duration = Duration::from_secs(600);
const TIMES: usize = 144;
/// The headers that what we send has signed.
const NAMES: &str = "content-length;content-type;host";
/// What posts of ours are.
const JSON: &str = "application/json; charset=UTF-8";

/// What was asked for.
#[derive(Clone, Debug)]
struct Bill {
    tenant: TenantId,
    from: Wall,
    to: Wall,
    recordings: bool,
    agent: Option<AgentId>,
    call: Option<CallId>,
}

/// Files that were asked for, by their names, in order.
#[derive(Debug, Default)]
struct Shelf {
    next: u64,
    bills: BTreeMap<u64, (String, Bill)>,
}

/// The same, for all.
#[derive(Debug, Default)]
pub(crate) struct Bills(Mutex<Shelf>);

impl Bills {
    /// Puts one; gives its number and its name.
    fn put(&self, bill: Bill, day: &str, at: Wall) -> (String, String) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.next += 1;
        let next = shelf.next;
        let id = format!("{}{next:06}", at.0);
        let name = format!("{day}_{id}.zip");
        shelf.bills.insert(next, (name.clone(), bill));
        if shelf.bills.len() > MOST {
            shelf.bills.pop_first();
        }
        (id, name)
    }

    fn get(&self, tenant: TenantId, name: &str) -> Option<Bill> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shelf.bills.values().find(|(known, bill)| known == name && bill.tenant == tenant);
        found.map(|(_, bill)| bill.clone())
    }
}

async fn zone(ask: &Ask) -> Result<String, Fault> {
    Ok(ask.shapes.switch.wall(ask.id()).await.map_err(failed)?.zone)
}

async fn wanted(ask: &Ask, zone: &str) -> Result<Bill, Fault> {
    let time = |name: &str, text: String| {
        sheet::read(&text, zone).ok_or_else(|| wrong(format!("{name} is not yyyy-MM-dd HH:mm:ss")))
    };
    let (from, to) = (time("beginTime", ask.need("beginTime")?)?, time("endTime", ask.need("endTime")?)?);
    if !(1..=LONGEST_MS).contains(&to.0.saturating_sub(from.0)) {
        return Err(wrong("endTime is not within 31 days after beginTime"));
    }
    let recordings = match ask.need("dataType")?.as_str() {
        "call" => false,
        "record" => true,
        other => return Err(wrong(format!("dataType {other:?} is neither call nor record"))),
    };
    let tenant = ask.id();
    let agent = ask.said.text("agentId").map(|id| AgentId::new(tenant, &id)).transpose();
    let agent = agent.map_err(|why| wrong(format!("agentId: {why}")))?;
    let call = ask.said.text("callId").map(|id| call_of(tenant, &id).ok_or_else(|| wrong("callId")));
    Ok(Bill { tenant, from, to, recordings, agent, call: call.transpose()? })
}

/// Where it is told that a file is there.
fn told_to(ask: &Ask) -> Result<Option<String>, Fault> {
    match ask.said.text("callBackURL") {
        Some(url) if ask.shapes.switch.may_post(&url) => Ok(Some(url)),
        Some(_) => Err(wrong("callBackURL is not allowed")),
        None => Ok(None),
    }
}

pub(crate) async fn query(ask: Ask) -> Response {
    match begin(&ask).await {
        Ok(body) => super::sent(StatusCode::OK, &body),
        Err(fault) => fault.into_response(),
    }
}

async fn begin(ask: &Ask) -> Result<Value, Fault> {
    let zone = zone(ask).await?;
    let (bill, url) = (wanted(ask, &zone).await?, told_to(ask)?);
    let now = ask.shapes.switch.moment();
    let (id, name) = ask.shapes.bills.put(bill, &sheet::day(now, &zone), now);
    if let Some(url) = url {
        let account = ask.said.text("accountId").unwrap_or_else(|| ask.id().to_string());
        let body = json!({
            "request": { "version": "2.0" },
            "msgBody": { "responseId": id, "billFileName": name, "accountId": account },
        });
        let secret = ask.shapes.config().key(&ask.key).and_then(|(_, key)| key.secrets.first().cloned());
        let (switch, key) = (Arc::clone(&ask.shapes.switch), ask.key.clone());
        if let (Some(secret), Ok(turn)) = (secret, Arc::clone(&ask.shapes.telling).try_acquire_owned()) {
            tokio::spawn(async move {
                let _turn = turn;
                tell(&switch, &url, &body.to_string(), (&key, &secret)).await;
            });
        }
    }
    Ok(json!({ "resultCode": "0", "resultDesc": "success", "resultData": { "responseId": id } }))
}

/// Host and port of a URL, its path and its query.
fn parts(url: &str) -> Option<(&str, &str, Option<&str>)> {
    let (_, rest) = url.split_once("://")?;
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    match path.split_once('?') {
        Some((path, query)) => Some((host, path, Some(query))),
        None => Some((host, path, None)),
    }
}

/// The header that signs a post of ours.
fn signed(url: &str, body: &str, time: &str, (key, secret): (&str, &Secret)) -> Option<String> {
    let (host, path, query) = parts(url)?;
    let mut headers = HeaderMap::new();
    headers.insert("content-length", body.len().into());
    headers.insert("content-type", JSON.parse().ok()?);
    headers.insert("host", host.parse().ok()?);
    let asked = Asked { method: &Method::POST, path, query, headers: &headers, body: body.as_bytes() };
    sign(key, secret, time, &asked, NAMES)
}

/// Tells it every ten minutes until it is taken.
async fn tell(switch: &Arc<dyn Switch>, url: &str, body: &str, key: (&str, &Secret)) {
    for _ in 0..TIMES {
        let time = sheet::date(switch.moment(), "UTC").replacen(' ', "T", 1) + "Z";
        let Some(value) = signed(url, body, &time, key) else { return };
        let post = Post { url: url.into(), headers: vec![("Authorization", value)], body: body.into() };
        match switch.post(post).await {
            Ok(_) => return,
            Err(refusal) => tracing::info!(why = %why(refusal), "that a file is there could not be told yet"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

pub(crate) async fn download(ask: Ask) -> Response {
    match made(&ask).await {
        Ok((name, bytes)) => {
            let len = bytes.len() as u64;
            octets(&name, Body::from(bytes), len)
        }
        Err(fault) => fault.into_response(),
    }
}

async fn cdrs(ask: &Ask, bill: &Bill) -> Result<Vec<Cdr>, Fault> {
    let mut all: Vec<Cdr> = Vec::new();
    loop {
        let filter = CdrFilter {
            from: Some(bill.from),
            to: Some(bill.to),
            agent: bill.agent.clone(),
            queue: None,
            before: all.last().map(|cdr| cdr.call),
            limit: PAGE,
        };
        let page = ask.shapes.switch.cdrs(bill.tenant, filter).await.map_err(failed)?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if all.len() > ROWS_MAX {
            return Err(wrong(format!("more than {ROWS_MAX} calls: ask for less time")));
        }
        if is_last {
            all.retain(|cdr| bill.call.is_none_or(|call| cdr.call == call));
            return Ok(all);
        }
    }
}

async fn recordings(ask: &Ask, bill: &Bill) -> Result<Vec<RecordingView>, Fault> {
    let mut all: Vec<RecordingView> = Vec::new();
    let mut before = None;
    loop {
        let asked = RecordingsAsked { before, limit: PAGE, label: None, call: bill.call };
        let page = ask.shapes.switch.recordings(bill.tenant, asked).await.map_err(failed)?;
        before = page.last().map(|view| view.entry.recording);
        let is_last =
            page.len() < PAGE as usize || page.last().is_some_and(|view| view.entry.started < bill.from);
        all.extend(page.into_iter().filter(|view| {
            let entry = &view.entry;
            let by_agent =
                |agent: &AgentId| entry.parties.iter().any(|party| party.agent.as_ref() == Some(agent));
            entry.deleted.is_none()
                && (bill.from..bill.to).contains(&entry.started)
                && bill.call.is_none_or(|call| entry.call == call)
                && bill.agent.as_ref().is_none_or(by_agent)
        }));
        if all.len() > ROWS_MAX {
            return Err(wrong(format!("more than {ROWS_MAX} recordings: ask for less time")));
        }
        if is_last {
            return Ok(all);
        }
    }
}

async fn made(ask: &Ask) -> Result<(String, Vec<u8>), Fault> {
    let name = ask.need("billFileName")?;
    let none = || Fault(Code::NoData, "there is no such file, or it was asked for before a restart".into());
    let bill = ask.shapes.bills.get(ask.id(), &name).ok_or_else(none)?;
    let zone = zone(ask).await?;
    let plan = ask.shapes.switch.floor_plan(ask.id()).await.map_err(failed)?;
    let skills = skills(&ask.tenant.tenant, &plan);
    let maker = sheet::Maker { tenant: &ask.tenant, skills: &skills, zone: &zone };
    let base = name.trim_end_matches(".zip");
    let files = if bill.recordings {
        let mut rows = Vec::new();
        for view in recordings(ask, &bill).await? {
            // a call that goes on has no record yet
            let cdr = ask.shapes.switch.cdr(view.entry.call).await.ok();
            rows.push(maker.recording(&view, cdr.as_ref()));
        }
        sheet::files(base, "record", &sheet::RECORDINGS, &rows)
    } else {
        let rows: Vec<_> = cdrs(ask, &bill).await?.iter().flat_map(|cdr| maker.calls(cdr)).collect();
        sheet::files(base, "call", &sheet::CALLS, &rows)
    };
    if files.is_empty() {
        return Err(Fault(Code::NoData, "nothing was in this time".into()));
    }
    let archive = archive(&files).ok_or_else(|| wrong("the file would be too large: ask for less time"))?;
    Ok((name, archive))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(tenant: TenantId) -> Bill {
        Bill { tenant, from: Wall(0), to: Wall(1), recordings: false, agent: None, call: None }
    }

    #[test]
    fn a_file_is_known_to_its_tenant_alone_and_the_oldest_goes_first() {
        let (bills, other) = (Bills::default(), TenantId::new("acme").unwrap());
        let names: Vec<String> =
            (0..MOST + 1).map(|_| bills.put(bill(TenantId::DEFAULT), "20261122", Wall(5)).1).collect();
        assert!(names[0].starts_with("20261122_5") && names[0].ends_with(".zip"));
        assert!(bills.get(TenantId::DEFAULT, &names[0]).is_none(), "no room for it");
        assert!(bills.get(TenantId::DEFAULT, &names[1]).is_some());
        assert!(bills.get(other, &names[1]).is_none());
    }

    #[test]
    fn what_is_told_is_signed_as_the_reference_describes() {
        let secret = Secret("a-secret-of-the-crm".into());
        let url = "https://crm.example:8443/bills?a=1";
        let value = signed(url, "{}", "2026-11-22T10:00:00Z", ("crm", &secret)).unwrap();
        let mut headers = HeaderMap::new();
        for (name, text) in [("content-length", "2"), ("content-type", JSON), ("host", "crm.example:8443")] {
            headers.insert(name, text.parse().unwrap());
        }
        headers.insert("authorization", value.parse().unwrap());
        let asked = Asked {
            method: &Method::POST,
            path: "/bills",
            query: Some("a=1"),
            headers: &headers,
            body: b"{}",
        };
        let read = super::super::super::sign::Signed::read(&headers).unwrap();
        assert!(read.matches(&asked, &[secret]).is_ok());
    }
}
