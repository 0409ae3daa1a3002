//! What an agent does: his session, his states, and his calls; each an order at his desk.

use super::{Call, Done, Fault, Fields, data, groups, ids};
use crate::switch::{Command, Refusal, SignIn, WantedSession};
use crate::transfer::is_number;
use cordboard_model::desk::{Actor, DeskAct, DeskOrder, Goal, SeatOrder, TransferWay};
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::service::AgentOrder;
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;
use serde_json::json;
use std::collections::BTreeMap;

/// Breaks by their numbers: as they are kept, and as the reference says them.
const BREAKS: [(&str, &str); 5] =
    [("rest", "休息"), ("meal", "用餐"), ("meeting", "会议"), ("coaching", "辅导"), ("training", "培训")];

pub(super) async fn act(call: &Call, action: &str) -> Done {
    let agent = call.agent().await?;
    let seat = |what: SeatOrder| DeskAct::Seat(what);
    let act = match action {
        "StartHotlineService" => return start(call, agent).await,
        "SendHotlineHeartBeat" => return beat(call, agent).await,
        "SuspendHotlineService" => DeskAct::Want(rest(call)?),
        "FinishHotlineService" => DeskAct::Want(AgentOrder::SignOut),
        "GetHotlineAgentStatus" => return status(call, agent).await,
        "GetHotlineAgentDetail" => return detail(call, agent).await,
        "StartCall" => dial(call)?,
        "StartCallV2" => {
            // whose number the caller's is; the call is the agent's in either case
            match call.said.need_number("CallerType")? {
                1 | 2 => dial(call)?,
                _ => return Err(Fault::invalid("CallerType", "1 or 2 is expected")),
            }
        }
        "AnswerCall" => DeskAct::Answer,
        "HoldCall" => seat(SeatOrder::Hold(true)),
        "FetchCall" => seat(SeatOrder::Hold(false)),
        "JoinThirdCall" => seat(SeatOrder::Merge),
        "HangupThirdCall" => seat(SeatOrder::Cancel),
        "HangupCall" => seat(SeatOrder::Release),
        "TransferCallToSkillGroup" => seat(transfer(call).await?),
        other => return Err(Fault::nothing(&format!("action {other}"))),
    };
    order(call, agent, act).await?;
    Ok(Fields::new())
}

/// At an agent's desk, in the application's name.
async fn order(call: &Call, agent: AgentId, act: DeskAct) -> Result<(), Fault> {
    let one = match call.said.text("CallId") {
        Some(text) => {
            let found = text.parse::<CallId>().ok().filter(|id| id.tenant == call.tenant);
            Some(found.ok_or_else(|| Fault::nothing(&format!("call {text:?}")))?)
        }
        None => None,
    };
    let by = Actor { key: call.by(), agent: None };
    let order = DeskOrder { agent, call: one, by, act };
    call.state.switch.command(call.tenant, Command::Desk(Box::new(order))).await?;
    Ok(())
}

/// His session begins, and he is ready. Its token is what heartbeats show.
async fn start(call: &Call, agent: AgentId) -> Done {
    let session = Some(WantedSession { place: call.by(), take_over: true });
    let (address, by) = (call.from.clone(), call.by());
    let order_in = SignIn { agent: agent.clone(), password: None, new: None, session, address, by };
    let token = call.state.switch.sign_in(order_in).await?.token;
    let token = token.ok_or_else(|| Refusal::Internal("a session without a token".to_owned()))?;
    order(call, agent, DeskAct::Want(AgentOrder::Ready)).await?;
    data(token.0)
}

async fn beat(call: &Call, agent: AgentId) -> Done {
    let token = call.said.need("Token")?;
    match call.state.switch.session(token).await {
        Ok(caller) if caller.agent == agent => Ok(Fields::new()),
        Ok(_) | Err(Refusal::NotFound(_)) => {
            Err(Fault::invalid("Token", "it is not of this agent's session"))
        }
        Err(why) => Err(why.into()),
    }
}

fn rest(call: &Call) -> Result<AgentOrder, Fault> {
    let kind = call.said.number("Type")?.unwrap_or(1);
    let at = usize::try_from(kind).ok().and_then(|kind| kind.checked_sub(1));
    let (word, _) =
        at.and_then(|at| BREAKS.get(at)).ok_or_else(|| Fault::invalid("Type", "1 to 5 is expected"))?;
    Ok(AgentOrder::Rest { reason: Some((*word).to_owned()), limit: None })
}

fn dial(call: &Call) -> Result<DeskAct, Fault> {
    let number = |name: &str| {
        let text = call.said.need(name)?;
        let fits = is_number(text);
        if fits { Ok(text.to_owned()) } else { Err(Fault::invalid(name, "a number is expected")) }
    };
    let (to, shown) = (Goal::Number(number("Callee")?), Some(number("Caller")?));
    Ok(DeskAct::Dial { to, shown, data: BTreeMap::new() })
}

/// In one step, or in two: the second is for who has spoken to the group before.
async fn transfer(call: &Call) -> Result<SeatOrder, Fault> {
    let group = groups::named(call, &call.plan().await?)?;
    let two = match call.said.number("Type")? {
        Some(1) => false,
        Some(2) => true,
        Some(_) => return Err(Fault::invalid("Type", "1 or 2 is expected")),
        None => !call.said.flag("IsSingleTransfer")?.unwrap_or(true),
    };
    let to = Goal::Place(Destination::Queue(QueueId { tenant: call.tenant, name: group }));
    Ok(if two { SeatOrder::Consult(to) } else { SeatOrder::Transfer(to, TransferWay::Blind) })
}

/// A break by the word that is kept.
fn rest_of(reason: Option<&str>) -> usize {
    BREAKS.iter().position(|(word, _)| Some(*word) == reason).unwrap_or(0)
}

async fn status(call: &Call, agent: AgentId) -> Done {
    let view = call.state.switch.desk(agent).await?.agent;
    data(match view.status {
        AgentStatus::SignedOut => "离线".to_owned(),
        AgentStatus::Ready => "空闲".to_owned(),
        AgentStatus::WrapUp => "话后处理".to_owned(),
        AgentStatus::Ringing | AgentStatus::Talking | AgentStatus::Hold => "通话中".to_owned(),
        AgentStatus::NotReady | AgentStatus::Rest | AgentStatus::Away => {
            let kind = BREAKS.get(rest_of(view.reason.as_deref())).map_or("休息", |(_, label)| label);
            format!("休息-{kind}")
        }
    })
}

async fn detail(call: &Call, agent: AgentId) -> Done {
    let plan = call.plan().await?;
    let view = call.state.switch.desk(agent.clone()).await?.agent;
    let (code, rest) = match view.status {
        AgentStatus::SignedOut => ("AgentCheckout", 0),
        AgentStatus::Ready => ("AgentReady", 0),
        AgentStatus::WrapUp => ("AgentAcw", 0),
        AgentStatus::Ringing | AgentStatus::Talking | AgentStatus::Hold => ("AgentBusyForCall", 0),
        AgentStatus::NotReady | AgentStatus::Rest | AgentStatus::Away => {
            ("AgentBreak", rest_of(view.reason.as_deref()) + 1)
        }
    };
    data(json!({
        "AgentId": ids::number(&ids::of(plan.agents.keys()), agent.name.as_str()),
        "AgentStatusCode": code,
        "Assigned": code == "AgentBusyForCall",
        "RestType": rest,
        "TenantId": call.tenant_number(),
    }))
}
