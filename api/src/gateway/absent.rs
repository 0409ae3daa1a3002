//! What is not here, each with its reason: 404 and `000-001`.

use super::ask::absent;
use super::code::{Code, Fault};
use axum::http::{StatusCode, Uri};
use axum::response::Response;

/// Rows of the reference that are left out: what their paths begin with after the agent, and why.
pub(crate) const LEFT_OUT: &[(&str, &str, &str)] = &[
    ("onlineagent", "loginex", "there are no licences: sign in by the plain path"),
    ("onlineagent", "forceloginex", "there are no licences: sign in by forcelogin"),
    ("onlineagent", "forceloginexwithoutphone", "there are no licences: sign in by forcelogin"),
    ("onlineagent", "forcelogout", "its rights are not public; an inspector has qualitycontrol/forcelogout"),
    ("onlineagent", "forcelogoutwithreason", "its rights are not public; see qualitycontrol/forcelogout"),
    ("onlineagent", "setcustomstate", "its event and what follows from a state are not public"),
    ("onlineagent", "updateGuid", "the guid is renewed by polls and heartbeats"),
    ("onlineagent", "setselfrecord", "its shape is not public; see recordplay"),
    ("onlineagent", "settalkright", "its meaning is not public"),
    ("onlineagent", "modifyaccountpwd", "no password stands in a URL: PUT /api/v1/agents/NUMBER/password"),
    ("onlineagent", "bindphone", "its body is not public: phonenum of the sign-in binds a phone"),
    ("onlineagent", "setforwarding", "its body is not public"),
    ("onlineagent", "sendnoteletex", "its body is not public"),
    ("onlineagent", "sendnotelet", "its body is not public"),
    ("onlineagent", "notifybulletin", "its values are not public"),
    ("voicecall", "previewcallout", "its body is not public"),
    ("voicecall", "phonepickup", "a phone is answered by voicecall/answer"),
    ("voicecall", "phonehangup", "a phone is hung up by voicecall/release"),
    ("voicecall", "reportsound", "its body is not public"),
    ("calldata", "setcalldataex", "call data is set with callout, callinner and a suspended transfer"),
    ("recordplay", "play", "nothing is played into a talk by an agent"),
    ("qualitycontrol", "beginmonitor", "its event's states are not public in full"),
    ("qualitycontrol", "endmonitor", "its event's states are not public in full"),
];

fn why(face: &str, what: &str) -> Option<&'static str> {
    let row = LEFT_OUT.iter().find(|(of, name, _)| *of == face && *name == what);
    let whole = match face {
        "textchat" => Some("the reference has replaced it by mediacall, which is here"),
        "mediacall" => Some("of text the reference has sendmessage, transfer and setcallnums"),
        "agentconf" => Some("conferences are begun by innerhelp, confjoin and transfer"),
        "querymonitor" => Some("its shapes are not public; /metrics and /api/v1 have the figures"),
        "config" => Some("what is configured is changed by /api/v1 and the file"),
        "calldata" | "queuedevice" | "agentgroup" | "recordplay" => Some("its shape is not public"),
        _ => None,
    };
    row.map(|(_, _, why)| *why).or(whole)
}

/// No such row: left out, or never there.
pub(crate) async fn named(uri: Uri) -> Response {
    let mut parts = uri.path().trim_start_matches('/').split('/');
    let face = parts.next().unwrap_or_default();
    let what = parts.nth(1).unwrap_or_default();
    let fault = match why(face, what) {
        Some(why) => Fault::new(Code::METHOD, format!("left out: {why}")),
        None => Fault::from(Code::METHOD),
    };
    absent(StatusCode::NOT_FOUND, &fault)
}

/// No tenant is served.
pub(crate) async fn off() -> Response {
    let why = "the agent gateway serves no tenant: [agent_gateway] tenants";
    absent(StatusCode::NOT_FOUND, &Fault::new(Code::METHOD, why))
}

/// The row is there by another method.
pub(crate) async fn method() -> Response {
    absent(StatusCode::METHOD_NOT_ALLOWED, &Code::METHOD.into())
}
