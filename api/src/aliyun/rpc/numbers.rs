//! Hotline numbers: called numbers that lead to flows.

use super::groups::page;
use super::{Call, Done, Fault, Fields, changed, data, fields, gone, ids, made};
use crate::gateway::beside::FloorPlan;
use crate::objects::{ObjectKind, ObjectView};
use cordboard_model::id::Name;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn name(call: &Call) -> Result<Name, Fault> {
    Name::new(call.said.need("HotlineNumber")?).map_err(|why| Fault::invalid("HotlineNumber", why))
}

/// Where calls to it go: to the flow that is named by its number. What has no place in the switch's configuration is refused rather
/// than forgotten.
fn leads_to(call: &Call, plan: &FloorPlan) -> Result<Fields, Fault> {
    let said = &call.said;
    let left = [
        ("EnableOutbound", "numbers that are shown outside are number groups here"),
        ("OutboundAllDepart", "numbers that are shown outside are number groups here"),
        ("EnableInboundEvaluation", "a survey is a queue's here"),
        ("EnableOutboundEvaluation", "a survey is a queue's here"),
    ];
    for (parameter, why) in left {
        if said.flag(parameter)? == Some(true) {
            return Err(Fault::invalid(parameter, why));
        }
    }
    if said.flag("EnableInbound")? != Some(true) {
        return Err(Fault::invalid("EnableInbound", "a called number takes calls"));
    }
    let id = said.need_number("InboundFlowId")?;
    let known = ids::of(plan.flows.iter());
    let flow = known.get(&id).ok_or_else(|| Fault::nothing(&format!("flow {id}")))?;
    Ok(fields(json!({ "to": format!("flow:{flow}") })))
}

pub(super) async fn add(call: &Call) -> Done {
    let (name, document) = (name(call)?, leads_to(call, &call.plan().await?)?);
    call.change(vec![made(ObjectKind::Numbers, name, document)]).await?;
    Ok(Fields::new())
}

pub(super) async fn reset(call: &Call) -> Done {
    let (name, document) = (name(call)?, leads_to(call, &call.plan().await?)?);
    call.change(vec![changed(ObjectKind::Numbers, name, document)]).await?;
    Ok(Fields::new())
}

pub(super) async fn delete(call: &Call) -> Done {
    call.change(vec![gone(ObjectKind::Numbers, name(call)?)]).await?;
    Ok(Fields::new())
}

fn listed(flows: &BTreeMap<u64, &Name>, view: &ObjectView) -> Value {
    let to = view.document.get("to").and_then(Value::as_str).unwrap_or_default();
    let flow = to.strip_prefix("flow:").unwrap_or_default();
    json!({
        "CalloutAllDepartment": false,
        "CalloutRangeList": [],
        "Description": "",
        "EvaluationStatus": 0,
        "FlowId": ids::number(flows, flow),
        "FlowName": flow,
        "HotlineNumber": view.name,
        "InBoundEnabled": true,
        "Location": "",
        "OutboundEnabled": false,
        "Sp": "",
    })
}

pub(super) async fn query(call: &Call) -> Done {
    let plan = call.plan().await?;
    let flows = ids::of(plan.flows.iter());
    let wanted = call.said.text("HotlineNumber").unwrap_or_default();
    let all = call.objects(ObjectKind::Numbers).await?;
    let rows: Vec<Value> =
        all.iter().filter(|view| view.name.contains(wanted)).map(|view| listed(&flows, view)).collect();
    let total = rows.len();
    let (at, size, _, rows) = page(call, "CurrentPage", rows)?;
    data(json!({ "CurrentPage": at, "HotlineNumList": rows, "PageSize": size, "TotalCount": total }))
}

/// The one instance that the application has.
pub(super) fn instances(call: &Call) -> Fields {
    let instance = &call.application.instance;
    fields(json!({
        "CommodityInstances": [{ "InstanceId": instance, "Name": call.tenant.as_str() }],
        "PageNumber": 1,
        "PageSize": 1,
        "TotalCount": 1,
    }))
}
