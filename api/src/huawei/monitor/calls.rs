//! A call that is up, by its number.

use super::{Answered, Ask, Code, Fault, Reply, failed};
use crate::gateway::data::app_data;
use crate::gateway::number::{call_of, of_call};
use cordboard_model::service::QueueKind;
use cordboard_model::view::CallView;
use serde_json::{Value, json};

async fn view(ask: &Ask) -> Result<CallView, Fault> {
    let id = ask.said.text("callId").ok_or((Code::Parameter, "callId is missing".to_owned()))?;
    let call =
        call_of(ask.id(), &id).ok_or_else(|| (Code::Parameter, format!("{id} is no number of a call")))?;
    ask.switch.call(call).await.map_err(failed)
}

/// `mediaType` of a queue.
pub(crate) fn media_type(kind: QueueKind) -> u8 {
    match kind {
        QueueKind::Video => 19,
        QueueKind::Multimedia => 51,
        QueueKind::VoiceClick | QueueKind::VideoClick => 2,
        QueueKind::Voice => 5,
    }
}

/// What both have.
fn common(ask: &Ask, call: &CallView) -> Value {
    let id = of_call(call.call);
    let (time, handle) = id.split_once('-').unwrap_or((&id, "0"));
    let (time, handle): (u64, u64) = (time.parse().unwrap_or_default(), handle.parse().unwrap_or_default());
    let queue = call.queue.as_ref().map(|queue| &queue.name);
    let skill = queue.and_then(|queue| ask.skills.get(queue)).copied().unwrap_or_default();
    let kind = queue.and_then(|queue| ask.plan.queues.get(queue)).map(|queue| queue.kind).unwrap_or_default();
    // at an agent it is a device of type 2, in a queue one of type 1
    let (device, number) = match &call.agent {
        Some(agent) => (2, agent.name.to_string()),
        None if queue.is_some() => (1, skill.to_string()),
        None => (3, String::new()),
    };
    let until = call.bridged.unwrap_or_else(|| ask.switch.moment());
    let seconds = |from: i64, to: i64| to.saturating_sub(from).max(0) / 1_000;
    let talked = call.bridged.map_or(0, |at| seconds(at.0, ask.switch.moment().0));
    let by_agent = ask.plan.agents.values().any(|agent| agent.user.as_str() == call.from.user);
    json!({
        "time": time,
        "dsn": 0,
        "handle": handle,
        "server": 0,
        "keyId": 0,
        "callingNum": call.from.user,
        "calledNum": call.to.user,
        "mid": 0,
        "trunkNo": 0,
        "priority": 0,
        "deviceType": device,
        "deviceNo": number,
        "callSkill": skill,
        "partyNum": call.legs.len(),
        "callFeature": u8::from(by_agent),
        "orgiCalledNum": call.to.user,
        "mediaType": media_type(kind),
        "place": 0,
        "waitTime": seconds(call.started.0, until.0),
        "totalTalkingTimes": talked,
        "logonTimes": seconds(call.started.0, ask.switch.moment().0),
    })
}

pub(crate) async fn basic(ask: Ask) -> Answered {
    let row = view(&ask).await.map(|call| {
        let mut row = common(&ask, &call);
        for name in ["serviceType", "callInCause", "enterReason", "mediaBillType"] {
            row[name] = json!(0);
        }
        Reply::Rows(row)
    });
    Answered(row)
}

/// With the call data.
pub(crate) async fn detail(ask: Ask) -> Answered {
    let row = view(&ask).await.map(|call| {
        let mut row = common(&ask, &call);
        let data = app_data(&call.data);
        row["cb"] = json!("");
        row["callDataLen"] = json!(data.len());
        row["callData"] = json!(data);
        Reply::Rows(row)
    });
    Answered(row)
}
