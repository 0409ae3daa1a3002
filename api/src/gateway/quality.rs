//! Quality control: an inspector listens, whispers, joins or takes over, and orders agents about.
//!
//! Whether he is an inspector is the switch's decision, by his role; here it is only told in the reference's codes.

use super::ask::{Answered, Ask, done};
use super::code::{Code, Fault};
use crate::switch::Command;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::desk::DeskAct;
use cordboard_model::id::AgentId;
use cordboard_model::service::AgentOrder;
use core::time::Duration;
use serde_json::Value;

fn reasons(word: &str) -> Code {
    match word {
        "not_supervisor" => Code::QC_RIGHT,
        "no_such_agent" | "no_such_target" | "not_found" => Code::QC_AGENT,
        "no_device" | "supervised" | "full" | "no_calls" | "recordings" => Code::QC_RESOURCE,
        _ => Code::QC_STATE,
    }
}

/// The agent that is named; nobody inspects himself.
fn inspected(ask: &Ask, workno: &str) -> Result<AgentId, Fault> {
    let agent = ask.agent(workno, Code::QC_AGENT)?;
    match agent == ask.seat.agent {
        true => Err(Code::SELF_INSPECTION.into()),
        false => Ok(agent),
    }
}

/// What an inspector does at an agent's desk now, if it is he who is there.
async fn present(ask: &Ask, agent: &AgentId) -> Result<Option<SupervisionMode>, Fault> {
    let desk = ask.desk_of(agent.clone()).await?;
    let watch = desk.calls.iter().find_map(|call| call.call.supervision.as_ref());
    let his = watch.filter(|watch| watch.ended.is_none() && watch.agent.as_ref() == Some(&ask.seat.agent));
    Ok(his.map(|watch| watch.mode))
}

/// Begins with a mode, or goes over to it.
async fn inspect(ask: &Ask, workno: &str, mode: SupervisionMode) -> Answered {
    let agent = inspected(ask, workno)?;
    let act = match present(ask, &agent).await? {
        Some(_) => DeskAct::Change(mode),
        None => DeskAct::Supervise { mode, extension: None },
    };
    ask.order_at(agent, act, reasons).await?;
    done()
}

pub(crate) async fn listen(ask: Ask) -> Answered {
    let workno = ask.path("workno").to_owned();
    inspect(&ask, &workno, SupervisionMode::Listen).await
}

pub(crate) async fn insert(ask: Ask) -> Answered {
    let workno = ask.path("workno").to_owned();
    inspect(&ask, &workno, SupervisionMode::BargeIn).await
}

pub(crate) async fn intercept(ask: Ask) -> Answered {
    let workno = ask.path("workno").to_owned();
    inspect(&ask, &workno, SupervisionMode::Intercept).await
}

/// From listening to inserting, and back.
pub(crate) async fn switch(ask: Ask) -> Answered {
    let agent = inspected(&ask, ask.path("workno"))?;
    let mode = match present(&ask, &agent).await?.ok_or(Code::QC_STATE)? {
        SupervisionMode::Listen => SupervisionMode::BargeIn,
        _ => SupervisionMode::Listen,
    };
    ask.order_at(agent, DeskAct::Change(mode), reasons).await?;
    done()
}

pub(crate) async fn stop(ask: Ask) -> Answered {
    let agent = inspected(&ask, ask.path("workno"))?;
    present(&ask, &agent).await?.ok_or(Code::QC_STATE)?;
    ask.order_at(agent, DeskAct::EndSupervision, reasons).await?;
    done()
}

pub(crate) async fn whisper(ask: Ask) -> Answered {
    let workno = ask.fields.need("whisperagentid", 24)?;
    inspect(&ask, &workno, SupervisionMode::Whisper).await
}

pub(crate) async fn stop_whisper(ask: Ask) -> Answered {
    let agent = inspected(&ask, &ask.fields.need("whisperagentid", 24)?)?;
    match present(&ask, &agent).await? {
        Some(SupervisionMode::Whisper) => {
            ask.order_at(agent, DeskAct::Change(SupervisionMode::Listen), reasons).await?;
            done()
        }
        _ => Err(Code::QC_STATE.into()),
    }
}

/// From one to another; the agent need not be named where there is one that he inspects.
pub(crate) async fn turn(ask: Ask) -> Answered {
    let mode = match ask.fields.need_number::<u8>("switchtype")? {
        0 => SupervisionMode::Listen,
        1 => SupervisionMode::BargeIn,
        2 => SupervisionMode::Whisper,
        other => return Err(Fault::new(Code::PARAMETER, format!("switchtype is {other}"))),
    };
    let agent = match ask.fields.text("whisperagentid") {
        Some(workno) => inspected(&ask, &workno)?,
        None => of_inspector(&ask).await?,
    };
    present(&ask, &agent).await?.ok_or(Code::QC_STATE)?;
    ask.order_at(agent, DeskAct::Change(mode), reasons).await?;
    done()
}

/// Whom he inspects.
async fn of_inspector(ask: &Ask) -> Result<AgentId, Fault> {
    let desk = ask.desk().await?;
    let watch = |call: &cordboard_model::desk::DeskCall| {
        let watch = call.call.supervision.as_ref().filter(|watch| watch.leg == call.seat.leg)?;
        let leg = call.call.legs.iter().find(|leg| leg.leg == watch.of)?;
        Some(leg.party.user.clone())
    };
    let user = desk.calls.iter().find_map(watch).ok_or(Code::QC_STATE)?;
    let plan = &ask.seat.plan;
    let found = plan.agents.iter().find(|(name, agent)| name.as_str() == user || agent.user.as_str() == user);
    let (name, _) = found.ok_or(Code::QC_AGENT)?;
    Ok(AgentId { tenant: ask.seat.agent.tenant, name: name.clone() })
}

/// Has an agent be something.
async fn force(ask: &Ask, what: AgentOrder) -> Answered {
    let agent = inspected(ask, ask.path("workno"))?;
    ask.order_at(agent, DeskAct::Want(what), reasons).await?;
    done()
}

pub(crate) async fn busy(ask: Ask) -> Answered {
    force(&ask, AgentOrder::NotReady { reason: None }).await
}

pub(crate) async fn idle(ask: Ask) -> Answered {
    force(&ask, AgentOrder::Ready).await
}

pub(crate) async fn out(ask: Ask) -> Answered {
    force(&ask, AgentOrder::SignOut).await
}

pub(crate) async fn rest(ask: Ask) -> Answered {
    let time = ask.path_number("time", 1..=86_399)?;
    let reason = ask.path_number("reason", 1..=255)?;
    let limit = Some(Duration::from_secs(time));
    force(&ask, AgentOrder::Rest { reason: Some(reason.to_string()), limit }).await
}

/// Ends any call of the tenant.
pub(crate) async fn drop_call(ask: Ask) -> Answered {
    if !ask.inspects() {
        return Err(Code::QC_RIGHT.into());
    }
    let calls = ask.gateway.switch.calls(ask.seat.agent.tenant).await;
    let calls = calls.map_err(|why| super::ask::refused(why, reasons))?;
    let id = ask.path("callid");
    let call = calls.iter().find(|call| super::number::of_call(call.call) == id).map(|call| call.call);
    let call = call.ok_or_else(|| Fault::new(Code::DATA_CALL, Value::from(id).to_string()))?;
    ask.command(Command::HangUp(call, Cause::Administrative), reasons).await?;
    done()
}
