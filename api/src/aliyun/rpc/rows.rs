//! Every action of the reference: what is built, and why the others are left out.

use super::{Call, Done, Fault, agents, calls, groups, numbers, outbound};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A row that is built.
#[derive(Debug)]
pub(in crate::aliyun) struct Row {
    /// The action.
    pub(in crate::aliyun) name: &'static str,
    /// It changes something.
    pub(super) changes: bool,
    /// Parameters that have to be there.
    pub(super) needs: &'static [&'static str],
}

const fn reads(name: &'static str, needs: &'static [&'static str]) -> Row {
    Row { name, changes: false, needs }
}

const fn changes(name: &'static str, needs: &'static [&'static str]) -> Row {
    Row { name, changes: true, needs }
}

/// What most of an agent's actions need.
const HIS: &[&str] = &["AccountName", "InstanceId"];
/// What actions of a number need.
const NUMBER: &[&str] = &[
    "Description",
    "EnableInbound",
    "EnableInboundEvaluation",
    "EnableOutbound",
    "EnableOutboundEvaluation",
    "HotlineNumber",
    "InstanceId",
    "OutboundAllDepart",
];

/// The rows that are built.
pub(in crate::aliyun) const BUILT: &[Row] = &[
    changes("CreateAgent", &["AccountName", "DisplayName", "InstanceId"]),
    changes("UpdateAgent", &["AccountName", "DisplayName", "InstanceId"]),
    changes("DeleteAgent", HIS),
    reads("GetAgent", HIS),
    reads("ListAgentBySkillGroupId", &["InstanceId", "SkillGroupId"]),
    changes("RemoveAgentFromSkillGroup", &["InstanceId", "SkillGroupId"]),
    changes("CreateSkillGroup", &["ChannelType", "InstanceId", "SkillGroupName"]),
    changes("UpdateSkillGroup", &["InstanceId", "SkillGroupId"]),
    changes("RemoveSkillGroup", &["InstanceId", "SkillGroupId"]),
    reads("QuerySkillGroups", &["InstanceId", "PageNo", "PageSize"]),
    reads("ListSkillGroup", &["InstanceId"]),
    changes("CreateDepartment", &["DepartmentName", "InstanceId"]),
    changes("UpdateDepartment", &["DepartmentId", "DepartmentName", "InstanceId"]),
    changes("DeleteDepartment", &["DepartmentId", "InstanceId"]),
    reads("GetAllDepartment", &["InstanceId"]),
    changes("AddHotlineNumber", NUMBER),
    changes("ResetHotlineNumber", NUMBER),
    changes("DeleteHotlineNumber", &["HotlineNumber", "InstanceId"]),
    reads("QueryHotlineNumber", &["CurrentPage", "InstanceId", "PageSize"]),
    reads("GetInstanceList", &[]),
    changes("StartHotlineService", HIS),
    changes("SendHotlineHeartBeat", &["AccountName", "InstanceId", "Token"]),
    changes("SuspendHotlineService", HIS),
    changes("FinishHotlineService", HIS),
    reads("GetHotlineAgentStatus", HIS),
    reads("GetHotlineAgentDetail", HIS),
    changes("StartCall", &["AccountName", "Callee", "Caller", "InstanceId"]),
    changes("StartCallV2", &["AccountName", "Callee", "Caller", "CallerType", "InstanceId"]),
    changes("AnswerCall", HIS),
    changes("HoldCall", HIS),
    changes("FetchCall", HIS),
    changes("JoinThirdCall", HIS),
    changes("HangupThirdCall", HIS),
    changes("HangupCall", HIS),
    changes("TransferCallToSkillGroup", &["AccountName", "InstanceId", "SkillGroupId"]),
    reads("GetAgentById", &["AgentId", "InstanceId"]),
    reads("GetConfigNumList", &["InstanceId"]),
    reads("GetOutbounNumList", HIS),
    reads("ListOutboundPhoneNumber", &["InstanceId"]),
    reads("GetHotlineWaitingNumber", HIS),
    changes(
        "MakeDoubleCall",
        &["AccountName", "InstanceId", "MemberPhone", "OutboundCallNumber", "ServicerPhone"],
    ),
    changes("HangUpDoubleCall", &["Acid"]),
];

const OUTER: &str = "there are no groups and departments of an integrator's own beside the switch's";
const SOCKET: &str = "the vendor's socket and media protocol are not public";
const TASKS: &str = "outbound tasks and robots are not built";
const RECORDS: &str = "records are GET /api/v1/cdrs and /api/v1/recordings";
const FIGURES: &str =
    "the columns of the reference's reports are not public; figures are GET /api/v1/reports";

/// The rows that are left out, with the reason.
pub(super) const LEFT_OUT: &[(&str, &str)] = &[
    ("CreateThirdSsoAgent", "an agent's foreign account is the user_name of his token"),
    ("ListRoles", "roles of people are GET /api/v1/users"),
    ("AddSkillGroup", OUTER),
    ("DeleteSkillGroup", OUTER),
    ("QueryHotlineInQueue", OUTER),
    ("GetNumLocation", "there is no list of where numbers are"),
    ("GetHotlineRuntimeInfo", "what the map holds is not public"),
    ("GenerateWebSocketSign", SOCKET),
    ("GetRtcToken", SOCKET),
    ("GetMcuLvsIp", SOCKET),
    ("GetHotlineCallAction", "the business actions behind calls are not public"),
    ("TransferCallToAgent", "it is an action of sibling products; POST /api/v1/agents/NUMBER/transfer"),
    ("TransferCallToPhone", "it is an action of sibling products; POST /api/v1/agents/NUMBER/transfer"),
    ("CreateTask", TASKS),
    ("AttachTask", TASKS),
    ("StartTask", TASKS),
    ("StopTask", TASKS),
    ("CancelTask", TASKS),
    ("ListTask", TASKS),
    ("ListTaskDetail", TASKS),
    ("ListDialog", TASKS),
    ("RobotCall", TASKS),
    ("CreateOutboundTask", TASKS),
    ("QueryOutboundTask", TASKS),
    ("InsertTaskDetail", TASKS),
    ("QueryTaskDetail", TASKS),
    ("CreateAiOutboundTask", TASKS),
    ("HotlineSessionQuery", RECORDS),
    ("ListHotlineRecord", RECORDS),
    ("ListHotlineRecordDetail", RECORDS),
    ("GetRecordUrl", RECORDS),
    ("GetRecordData", RECORDS),
    ("DescribeRecordData", RECORDS),
    ("GetHotlineMessageLog", "there are no transcripts"),
    ("GetCallSoundRecord", TASKS),
    ("QueryTouchList", RECORDS),
    ("GetHotlineAgentDetailReport", FIGURES),
    ("GetAgentIndexRealTime", FIGURES),
    ("GetHotlineServiceStatistics", FIGURES),
];

/// The row of an action.
pub(super) fn row(action: &str) -> Result<&'static Row, Fault> {
    if let Some(row) = BUILT.iter().find(|row| row.name == action) {
        return Ok(row);
    }
    let left_out = LEFT_OUT.iter().find(|(name, _)| *name == action);
    let why = left_out.map_or_else(
        || format!("there is no action {:?}", action.chars().take(64).collect::<String>()),
        |(name, why)| format!("{name} is left out: {why}"),
    );
    Err(Fault::new(StatusCode::NOT_FOUND, "InvalidAction.NotFound", why))
}

/// Does it.
pub(super) async fn act(call: &Call, action: &str) -> Done {
    match action {
        "CreateAgent" => agents::create(call).await,
        "UpdateAgent" => agents::update(call).await,
        "DeleteAgent" => agents::delete(call).await,
        "GetAgent" => agents::get(call).await,
        "ListAgentBySkillGroupId" => agents::of_group(call).await,
        "RemoveAgentFromSkillGroup" => agents::leave_group(call).await,
        "CreateSkillGroup" => groups::create(call).await,
        "UpdateSkillGroup" => groups::update(call).await,
        "RemoveSkillGroup" => groups::remove(call).await,
        "QuerySkillGroups" => groups::query(call).await,
        "ListSkillGroup" => groups::list(call).await,
        "CreateDepartment" => groups::create_department(call).await,
        "UpdateDepartment" => groups::update_department(call).await,
        "DeleteDepartment" => groups::delete_department(call).await,
        "GetAllDepartment" => groups::departments(call).await,
        "AddHotlineNumber" => numbers::add(call).await,
        "ResetHotlineNumber" => numbers::reset(call).await,
        "DeleteHotlineNumber" => numbers::delete(call).await,
        "QueryHotlineNumber" => numbers::query(call).await,
        "GetInstanceList" => Ok(numbers::instances(call)),
        "GetAgentById" => agents::by_id(call).await,
        "GetConfigNumList" | "ListOutboundPhoneNumber" => outbound::numbers(call).await,
        "GetOutbounNumList" => outbound::numbers_and_groups(call).await,
        "GetHotlineWaitingNumber" => outbound::waiting(call).await,
        "MakeDoubleCall" => outbound::begin(call).await,
        "HangUpDoubleCall" => outbound::end(call).await,
        other => calls::act(call, other).await,
    }
}

/// The usual envelope; and those without all of it.
static USUAL: LazyLock<Vec<(&'static str, Value)>> =
    LazyLock::new(|| vec![("Code", json!("Success")), ("Message", json!("")), ("Success", json!(true))]);

/// The fields of an action's envelope beside `RequestId`.
pub(super) fn envelope(action: &str) -> impl Iterator<Item = &'static (&'static str, Value)> {
    let action = action.to_owned();
    USUAL.iter().filter(move |(name, _)| match action.as_str() {
        "QuerySkillGroups" | "GetInstanceList" => false,
        "GetAgent" => *name != "Message",
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_stands_once_and_in_the_document() {
        let mut names = BTreeSet::new();
        let all = BUILT.iter().map(|row| row.name).chain(LEFT_OUT.iter().map(|(name, _)| *name));
        for name in all {
            assert!(names.insert(name), "{name} twice");
        }
        let text = include_str!("../../../../docs/compatible/aliyun.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let documented: BTreeSet<&str> =
            rows.filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase())).collect();
        assert_eq!(documented, names);
    }

    #[test]
    fn an_action_that_is_left_out_says_why() {
        let fault = row("AddSkillGroup").unwrap_err();
        assert_eq!((fault.status.as_u16(), fault.code), (404, "InvalidAction.NotFound"));
        assert!(fault.message.contains("of an integrator's own"), "{}", fault.message);
        assert!(row("Nothing").unwrap_err().message.contains("no action"));
    }
}
