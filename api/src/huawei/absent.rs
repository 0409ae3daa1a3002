//! What is not here, each with its reason: 404.

use super::reply::refused;
use axum::http::{StatusCode, Uri};
use axum::response::Response;

/// Rows of the reference that are left out, by the end of their paths, and why.
pub(crate) const LEFT_OUT: &[(&str, &str)] = &[
    ("queryAgentLoginParams", "it gives passwords: here they are kept as hashes alone"),
    ("queryAgentInfoByAccount", "its path is not public; see queryAgentInfo and agentAccount/query"),
    ("agentAccount/create", "its body is not public: POST /api/v1/agents"),
    ("mobileAgent/queryCallState", "its shape is not public"),
    ("mobileAgent/queryCallDetailRecord", "its shape is not public; see queryBillData"),
    ("mobileAgent/queryPhone", "its shape is not public"),
    ("offline/agent/login", "its shape is not public"),
    ("offline/agent/logout", "its shape is not public"),
    ("isOfflineAgent", "its shape is not public"),
    ("skill/querySkills", "its shape is not public; see configures/skills"),
    ("accessCodeInfo/queryAccessCodeList", "its shape is not public"),
    ("calledRoute/queryCalledRoute", "its shape is not public; see getCalledInfo"),
    ("ivrFlow/queryIVRFlowList", "its shape is not public"),
    ("satisfaction/query", "its shape is not public"),
    ("skill/batchmultiskill", "its shape is not public; see skill/rindex"),
    ("vdn/queryAgentByStatus", "its shape is not public; see vdn/totalagentstate"),
    ("vdn/querycalls", "its shape is not public; see queryBillData"),
    ("fromisales/querytasks", "its shape is not public"),
    ("fromisales/dailystatistic", "its shape is not public"),
    ("fromisales/realstat", "its shape is not public"),
    ("agent/agentoprinfo", "its shape is not public; see hisindex/agent"),
    ("realindex/agent/agentsinskill", "its shape is not public; see skill/agentbyconfigedskill"),
    ("multimedia/querycontent", "its shape is not public"),
    ("cmsapp/v1/ping", "its shape is not public; GET /healthz"),
    ("callin/queryMissedCalls", "its shape is not public"),
    ("getRecordFileUrlFromObs", "recordings lie in no object store: downloadRecord gives them"),
    ("queryAgentOprInfoData", "its shape is not public; see GET /api/v1/agent-intervals"),
    ("downloadAgentOprInfoFile", "its shape is not public; see GET /api/v1/agent-intervals"),
    ("downloadIVRRecordFile", "its shape is not public; see downloadRecord"),
    ("downloadOiapRecord", "there is no robot platform here"),
    ("createCallBillFile", "it is queryBillData"),
    ("/template", "its shape is not public; a campaign is made by its own fields"),
    ("/groupcalldata", "its shape is not public; see calldata"),
    ("gettoken", "there is no robot platform here"),
];

/// The reason of a path.
fn why(path: &str) -> Option<&'static str> {
    let row = LEFT_OUT.iter().find(|(end, _)| path.ends_with(end)).map(|(_, why)| *why);
    let face = match path {
        _ if path.contains("/ccmessaging/") || path.contains("/webadapter/") => Some(
            "applyToken, send and poll are here; the rest of web chat has a way of its own: /api/v1/chats",
        ),
        _ if path.starts_with("/oifde/") => Some("there is no robot platform here"),
        _ => None,
    };
    row.or(face)
}

/// No such row: left out, or never there.
pub(crate) async fn named(uri: Uri) -> Response {
    let text = match why(uri.path()) {
        Some(why) => format!("left out: {why}"),
        None => "there is no such row".to_owned(),
    };
    refused(StatusCode::NOT_FOUND, &text)
}
