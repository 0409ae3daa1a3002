//! Skill groups, which are queues here; and departments, which are skill groups here: queues under one name.

use super::{Call, Done, Fault, Fields, changed, data, fields, gone, ids, made};
use crate::gateway::beside::{FloorPlan, PlanQueue};
use crate::objects::{ObjectKind, who_waits};
use cordboard_model::id::Name;
use cordboard_model::service::QueueKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Rows of a page.
const PAGE_MAX: u64 = 1_000;

/// The group that a request names by its number.
pub(super) fn named(call: &Call, plan: &FloorPlan) -> Result<Name, Fault> {
    let id = call.said.need_number("SkillGroupId")?;
    let known = ids::of(plan.queues.keys());
    known.get(&id).map(|name| (*name).clone()).ok_or_else(|| Fault::nothing(&format!("skill group {id}")))
}

/// What an answer says of a kind: calls, and chats. Tickets are not here.
fn channel(kind: QueueKind) -> u64 {
    match kind {
        QueueKind::Multimedia => 2,
        _ => 1,
    }
}

/// A group, as it is listed.
pub(super) fn listed(known: &BTreeMap<u64, &Name>, name: &Name, queue: &PlanQueue) -> Value {
    json!({
        "ChannelType": channel(queue.kind),
        "Description": "",
        "DisplayName": queue.display,
        "Name": name,
        "SkillGroupId": ids::number(known, name.as_str()),
    })
}

fn new_name(parameter: &str, text: &str) -> Result<Name, Fault> {
    Name::new(text).map_err(|why| Fault::invalid(parameter, why))
}

/// The queues of a department.
fn queues_of(document: &Fields) -> Vec<Value> {
    document.get("queues").and_then(Value::as_array).cloned().unwrap_or_default()
}

pub(super) async fn create(call: &Call) -> Done {
    let said = &call.said;
    let name = new_name("SkillGroupName", said.need("SkillGroupName")?)?;
    // these are not the numbers of QuerySkillGroups
    let kind = match said.need_number("ChannelType")? {
        1 => "voice",
        2 => "multimedia",
        3 => return Err(Fault::invalid("ChannelType", "tickets (3) are not here")),
        _ => return Err(Fault::invalid("ChannelType", "1 or 2 is expected")),
    };
    let display = said.text("DisplayName").unwrap_or(name.as_str());
    let document = fields(json!({ "display": display, "kind": kind }));
    let mut changes = vec![made(ObjectKind::Queues, name.clone(), document)];
    if let Some(id) = said.number("DepartmentId")? {
        let (department, document) = department(call, id).await?;
        let mut queues = queues_of(&document);
        queues.push(json!(name));
        changes.push(changed(ObjectKind::SkillGroups, department, fields(json!({ "queues": queues }))));
    }
    call.change(changes).await?;
    data(ids::number(&ids::of(call.plan().await?.queues.keys()), name.as_str()))
}

pub(super) async fn update(call: &Call) -> Done {
    let group = named(call, &call.plan().await?)?;
    let said = &call.said;
    let display = said.text("DisplayName").or_else(|| said.text("SkillGroupName"));
    let display = display.ok_or_else(|| Fault::missing("DisplayName"))?;
    call.change(vec![changed(ObjectKind::Queues, group, fields(json!({ "display": display })))]).await?;
    Ok(Fields::new())
}

pub(super) async fn remove(call: &Call) -> Done {
    let group = named(call, &call.plan().await?)?;
    let gone = gone(ObjectKind::Queues, group);
    if let Some(fault) = who_waits(&call.state, call.tenant, &gone).await? {
        return Err(fault.into());
    }
    call.change(vec![gone]).await?;
    Ok(Fields::new())
}

/// The groups of one of these kinds, and of the department that is named.
async fn all(call: &Call, voice: bool, chats: bool) -> Result<Vec<Value>, Fault> {
    let plan = call.plan().await?;
    let within = match call.said.number("DepartmentId")? {
        Some(id) => Some(queues_of(&department(call, id).await?.1)),
        None => None,
    };
    let known = ids::of(plan.queues.keys());
    let wanted = plan.queues.iter().filter(|(name, queue)| {
        let fits = if channel(queue.kind) == 1 { voice } else { chats };
        fits && within.as_ref().is_none_or(|queues| queues.contains(&json!(name)))
    });
    Ok(wanted.map(|(name, queue)| listed(&known, name, queue)).collect())
}

pub(super) async fn list(call: &Call) -> Done {
    let rows = match call.said.number("ChannelType")? {
        None | Some(0) => all(call, true, true).await?,
        Some(1) => all(call, true, false).await?,
        Some(2) => all(call, false, true).await?,
        Some(_) => Vec::new(),
    };
    data(rows)
}

/// A page of rows: its number, its size, how many pages, and the rows.
pub(super) fn page(
    call: &Call,
    number: &str,
    rows: Vec<Value>,
) -> Result<(u64, u64, u64, Vec<Value>), Fault> {
    let (at, size) = (call.said.need_number(number)?, call.said.need_number("PageSize")?);
    if at == 0 || !(1..=PAGE_MAX).contains(&size) {
        return Err(Fault::invalid(number, "pages begin at 1 and have 1 to 1000 rows"));
    }
    let pages = u64::try_from(rows.len()).unwrap_or(u64::MAX).div_ceil(size);
    let skip = usize::try_from(at.saturating_sub(1).saturating_mul(size)).unwrap_or(usize::MAX);
    let take = usize::try_from(size).unwrap_or(usize::MAX);
    Ok((at, size, pages, rows.into_iter().skip(skip).take(take).collect()))
}

pub(super) async fn query(call: &Call) -> Done {
    // a sum: 1 for calls, 2 for chats, 4 for tickets; nothing is all
    let bits = call.said.number("ChannelType")?.unwrap_or(0);
    if bits > 7 {
        return Err(Fault::invalid("ChannelType", "a sum of 1, 2 and 4 is expected"));
    }
    let rows = all(call, bits == 0 || bits & 1 > 0, bits == 0 || bits & 2 > 0).await?;
    let total = rows.len();
    let (at, size, pages, mut rows) = page(call, "PageNo", rows)?;
    for row in &mut rows {
        if let Some(row) = row.as_object_mut()
            && let Some(name) = row.remove("Name")
        {
            row.insert("SkillGroupName".to_owned(), name);
        }
    }
    Ok(fields(json!({
        "CurrentPage": at,
        "Data": rows,
        "OnePageSize": size,
        "TotalPage": pages,
        "TotalResults": total,
    })))
}

/// A department by its number, with its document.
async fn department(call: &Call, id: u64) -> Result<(Name, Fields), Fault> {
    let all = call.objects(ObjectKind::SkillGroups).await?;
    let names: Vec<Name> = all.iter().filter_map(|view| Name::new(&view.name).ok()).collect();
    let known = ids::of(names.iter());
    let name = known.get(&id).ok_or_else(|| Fault::nothing(&format!("department {id}")))?;
    let view = all.iter().find(|view| view.name == name.as_str());
    Ok(((*name).clone(), view.map(|view| view.document.clone()).unwrap_or_default()))
}

async fn rows(call: &Call) -> Result<Vec<(u64, String)>, Fault> {
    let all = call.objects(ObjectKind::SkillGroups).await?;
    let names: Vec<Name> = all.iter().filter_map(|view| Name::new(&view.name).ok()).collect();
    Ok(ids::of(names.iter()).into_iter().map(|(id, name)| (id, name.to_string())).collect())
}

pub(super) async fn departments(call: &Call) -> Done {
    let row = |(id, name): (u64, String)| json!({ "DepartmentId": id, "DepartmentName": name });
    data(rows(call).await?.into_iter().map(row).collect::<Vec<_>>())
}

pub(super) async fn create_department(call: &Call) -> Done {
    let name = new_name("DepartmentName", call.said.need("DepartmentName")?)?;
    let document = fields(json!({ "queues": [] }));
    call.change(vec![made(ObjectKind::SkillGroups, name.clone(), document)]).await?;
    let id = rows(call).await?.into_iter().find(|(_, known)| known == name.as_str()).map(|(id, _)| id);
    data(id.unwrap_or_default())
}

/// Its name is its id here: the old one goes and a new one comes, with another number.
pub(super) async fn update_department(call: &Call) -> Done {
    let (old, document) = department(call, call.said.need_number("DepartmentId")?).await?;
    let name = new_name("DepartmentName", call.said.need("DepartmentName")?)?;
    if name != old {
        let new = made(ObjectKind::SkillGroups, name, document);
        call.change(vec![new, gone(ObjectKind::SkillGroups, old)]).await?;
    }
    data(true)
}

pub(super) async fn delete_department(call: &Call) -> Done {
    let (name, _) = department(call, call.said.need_number("DepartmentId")?).await?;
    call.change(vec![gone(ObjectKind::SkillGroups, name)]).await?;
    data(true)
}
