//! Sends the caller of an agent aside to a flow, and takes him back; changes the data of a call.

use crate::asked::{Of, Said, Says};
use crate::catalog::{Routes, key};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::switch::{Aside, Command};
use cordboard_model::id::{CallId, FlowId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) fn routes() -> Routes {
    let control = "calls:control";
    Routes::v1()
        .post(
            "/calls/{id}/aside",
            begin,
            key(
                "sendAside",
                control,
                "Sends the caller of an agent aside to a flow, and back to the agent after it",
            )
            .takes::<Body>(r#"{"flow": "agent-verify"}"#)
            .gives::<Done>(),
        )
        .delete(
            "/calls/{id}/aside",
            end,
            key("takeBack", control, "Takes him back before the flow is over").gives::<Done>(),
        )
        .patch(
            "/calls/{id}/data",
            change,
            key(
                "changeCallData",
                control,
                "Changes entries of a call's data, all or none; null takes one away",
            )
            .takes::<Data>(r#"{"order": 4711, "vip": true}"#)
            .gives::<Done>(),
        )
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Aside")]
#[serde(deny_unknown_fields)]
struct Body {
    flow: String,
    #[serde(default)]
    data: BTreeMap<String, Value>,
}

impl Says for Body {
    const FIELD: &'static str = "flow";
    const EXPECTED: &'static str =
        r#"expected {"flow": "agent-verify"} and perhaps "data" for the call data"#;
}

async fn begin(call: Of<CallId>, Said(body): Said<Body>) -> Answer<Done> {
    let flow = FlowId::new(call.who.tenant, &body.flow);
    let flow = flow.map_err(|why| Problem::field("flow", why.to_string()))?;
    call.order(Command::Aside(Box::new(Aside { call: call.id, flow, data: body.data }))).await
}

async fn end(call: Of<CallId>) -> Answer<Done> {
    call.order(Command::TakeBack(call.id)).await
}

/// Entries of a call's data: null, or a text without letters, takes one away, the others stay (RFC 7396 of one level).
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "CallDataPatch")]
struct Data(BTreeMap<String, Value>);

impl Says for Data {
    const FIELD: &'static str = "data";
    const EXPECTED: &'static str = r#"expected entries: {"order": 4711, "vip": null}"#;
}

async fn change(call: Of<CallId>, Said(Data(entries)): Said<Data>) -> Answer<Done> {
    call.order(Command::Data(call.id, entries)).await
}
