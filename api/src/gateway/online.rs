//! What an agent is: idle, busy, at rest, working; and what a page that comes back asks for.

use super::ask::{Answered, Ask, done, result};
use super::code::{Code, Fault};
use super::number;
use super::seen::{State, WORK};
use cordboard_model::desk::{DeskAct, DeskCall, DeskView, SeatState};
use cordboard_model::service::{AgentOrder, QueueKind};
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;
use core::time::Duration;
use serde_json::{Value, json};

/// The orders that `curCommand` names: our own numbers, for the reference's are not public.
pub(crate) mod command {
    pub(crate) const CALL_OUT: u8 = 1;
    pub(crate) const ANSWER: u8 = 2;
    pub(crate) const RELEASE: u8 = 3;
    pub(crate) const HOLD: u8 = 4;
    pub(crate) const RETRIEVE: u8 = 5;
    pub(crate) const TRANSFER: u8 = 6;
    pub(crate) const HELP: u8 = 7;
    pub(crate) const JOIN: u8 = 8;
    pub(crate) const STATE: u8 = 9;
}

impl Ask {
    /// Has him be something.
    async fn want(&self, what: AgentOrder) -> Answered {
        self.note(command::STATE);
        self.order(DeskAct::Want(what), None, |_| Code::STATE).await?;
        done()
    }

    async fn state(&self) -> Result<State, Fault> {
        let agent = self.desk().await?.agent;
        Ok(State::of(agent.status, agent.reason.as_deref()))
    }
}

pub(crate) async fn say_busy(ask: Ask) -> Answered {
    let reason = ask.fields.number::<u16>("reason")?;
    if reason.is_some_and(|reason| !(200..=250).contains(&reason)) {
        return Err(Fault::new(Code::PARAMETER, "reason is not within 200 to 250"));
    }
    let prolong = ask.fields.text("prolong");
    let prolongs = ask.fields.flag("prolong", false)?;
    if matches!(ask.state().await?, State::Busy(_)) {
        if reason.is_none() || prolong.is_none() {
            return Err(Fault::new(Code::STATE, "busy already: reason and prolong are needed"));
        }
        if !prolongs {
            return Err(Fault::new(Code::STATE, "busy already"));
        }
    }
    ask.want(AgentOrder::NotReady { reason: reason.map(|reason| reason.to_string()) }).await
}

pub(crate) async fn say_free(ask: Ask) -> Answered {
    ask.want(AgentOrder::Ready).await
}

pub(crate) async fn cancel_busy(ask: Ask) -> Answered {
    match ask.state().await? {
        State::Busy(_) => ask.want(AgentOrder::Ready).await,
        _ => Err(Fault::new(Code::STATE, "not busy")),
    }
}

pub(crate) async fn rest(ask: Ask) -> Answered {
    let time = ask.path_number("time", 1..=86_399)?;
    let cause = ask.path_number("restcause", 0..=255)?;
    let prolongs = ask.fields.flag("prolong", false)?;
    if matches!(ask.state().await?, State::Rest(_)) && !prolongs {
        return Err(Fault::new(Code::STATE, "at rest already"));
    }
    let limit = Some(Duration::from_secs(time));
    ask.want(AgentOrder::Rest { reason: Some(cause.to_string()), limit }).await
}

pub(crate) async fn cancel_rest(ask: Ask) -> Answered {
    match ask.state().await? {
        State::Rest(_) => ask.want(AgentOrder::Ready).await,
        _ => Err(Fault::new(Code::STATE, "not at rest")),
    }
}

pub(crate) async fn work(ask: Ask) -> Answered {
    ask.want(AgentOrder::NotReady { reason: Some(WORK.to_owned()) }).await
}

pub(crate) async fn cancel_work(ask: Ask) -> Answered {
    match ask.state().await? {
        State::Work(_) => ask.want(AgentOrder::Ready).await,
        _ => Err(Fault::new(Code::STATE, "not working after a call")),
    }
}

pub(crate) async fn status(ask: Ask) -> Answered {
    let state = ask.state().await?;
    result(json!({ "agentState": state.status() }))
}

/// Which skills he is signed in to. The switch has one answer: all that are configured for him.
pub(crate) async fn reset_skills(ask: Ask) -> Answered {
    let automatic = match ask.path("autoflag") {
        "true" => true,
        "false" => false,
        other => return Err(Fault::new(Code::PARAMETER, format!("autoflag is {other:?}"))),
    };
    let own =
        ask.seat.plan.agents.get(ask.seat.workno()).map(|agent| agent.queues.clone()).unwrap_or_default();
    let Some(wanted) = ask.fields.text("skillid").filter(|_| !automatic) else { return done() };
    let mut names = Vec::new();
    for id in wanted.split(';').filter(|id| !id.is_empty()) {
        let queue = ask.seat.queue_of(id).ok_or_else(|| Fault::new(Code::SKILLS, id))?;
        names.push(queue.name);
    }
    match own.iter().all(|name| names.contains(name)) {
        true => done(),
        false => {
            Err(Fault::new(Code::STATE, "an agent is signed in to all skills that are configured for him"))
        }
    }
}

/// The skills of an agent, as lists have them.
pub(crate) fn skill_list(ask: &Ask, workno: &str) -> Vec<Value> {
    let queues = ask.seat.plan.agents.get(workno).map(|agent| agent.queues.clone()).unwrap_or_default();
    let row = |name: &cordboard_model::id::Name| {
        let (id, display) = ask.seat.skill(name.as_str());
        json!({ "name": display, "id": id, "mediatype": media_type(ask, name.as_str()) })
    };
    queues.iter().map(row).collect()
}

/// `mediaType` of a queue: 5 calls, 19 video, 51 web chat, 2 calls from a page.
pub(crate) fn media_type(ask: &Ask, queue: &str) -> u8 {
    match ask.seat.plan.queues.get(queue).map(|queue| queue.kind) {
        Some(QueueKind::Video) => 19,
        Some(QueueKind::Multimedia) => 51,
        Some(QueueKind::VoiceClick | QueueKind::VideoClick) => 2,
        Some(QueueKind::Voice) | None => 5,
    }
}

pub(crate) async fn own_skills(ask: Ask) -> Answered {
    skills(&ask, ask.seat.workno())
}

pub(crate) async fn skills_of(ask: Ask) -> Answered {
    ask.agent(ask.path("workno"), Code::NO_SUCH_AGENT)?;
    skills(&ask, ask.path("workno"))
}

fn skills(ask: &Ask, workno: &str) -> Answered {
    match skill_list(ask, workno) {
        none if none.is_empty() => Err(Code::AGENT_SKILL.into()),
        list => result(Value::Array(list)),
    }
}

pub(crate) async fn auto_answer(ask: Ask) -> Answered {
    let on = switched(&ask)?;
    ask.seat.lock().manner.auto_answer = on;
    done()
}

pub(crate) async fn auto_idle(ask: Ask) -> Answered {
    let on = switched(&ask)?;
    ask.seat.lock().manner.auto_idle = on;
    let talks = |call: &DeskCall| call.seat.state == SeatState::Talking;
    if !on && ask.desk().await?.calls.iter().any(talks) {
        // a call that begins later has this by itself; the one that he is in is meant, too
        return ask.want(AgentOrder::NotReady { reason: Some(WORK.to_owned()) }).await;
    }
    done()
}

fn switched(ask: &Ask) -> Result<bool, Fault> {
    match ask.path("on") {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Fault::new(Code::PARAMETER, format!("{other:?} is neither true nor false"))),
    }
}

/// Where everything stands, for a page that was loaded again.
pub(crate) async fn snapshot(ask: Ask) -> Answered {
    let view = ask.desk().await?;
    let date = ask.gateway.switch.moment();
    let (command, command_at) = ask.seat.lock().command;
    let ms = |at: Option<Wall>| at.map_or_else(String::new, |at| at.0.to_string());
    let talk = {
        let inner = ask.seat.lock();
        let first = view.calls.first().map(|call| call.call.call);
        first.and_then(|call| inner.seen.talks.get(&call).cloned())
    };
    let call = view.calls.first();
    let id = talk.as_ref().map(|talk| talk.id.clone()).unwrap_or_default();
    let held = held_id(&view);
    let text = |of: fn(&super::seen::Talk) -> String| talk.as_ref().map(of).unwrap_or_default();
    let state = State::of(view.agent.status, view.agent.reason.as_deref());
    let info = json!({
        "callFeature": talk.as_ref().map_or(-1, |talk| i32::from(talk.feature)),
        "callData": call.map(|call| super::data::app_data(&call.call.data)).unwrap_or_default(),
        "lastState": state.status(),
        "preBusy": false,
        "firsttalkingFlag": call.is_some_and(|call| call.call.bridged.is_some()),
        "workNo": ask.seat.workno(),
        "qcWorkNo": talk.as_ref().and_then(|talk| talk.watch.as_ref()).map(|w| w.by.clone()).unwrap_or_default(),
        "callerNo": text(|talk| talk.caller.clone()),
        "calledNo": text(|talk| talk.called.clone()),
        "beginHoldTime": "",
        "state": state.status(),
        "talkingCallfeature": talk.as_ref().map_or(-1, |talk| i32::from(talk.feature)),
        "releaseFlag": 0,
        "mainCallId": call.map(|call| number::of_call(call.call.call)).unwrap_or_default(),
        "secondTalkingTime": "",
        "preRest": false,
        "recordID": "",
        "currentTime": date.0.to_string(),
        "beginTalkingTime": ms(call.and_then(|call| call.call.bridged)),
        "partner": text(|talk| talk.party()),
        "holdCallId": held,
        "agentStateBeginTime": view.agent.since.0.to_string(),
        "curCommand": command,
        "curCallId": id,
        "cmdBeginTime": command_at.0.to_string(),
    });
    let info_of_call = call.map(|call| super::data::object(&ask, &call.call).to_string()).unwrap_or_default();
    result(json!({ "callinfo": info_of_call, "agentStateInfo": info }))
}

/// The number of the call that is held, or that waits while somebody else is asked.
pub(crate) fn held_id(view: &DeskView) -> String {
    let waits = |call: &&cordboard_model::desk::DeskCall| {
        call.seat.held || matches!(call.seat.state, SeatState::Consulting | SeatState::Sending)
    };
    let held = view.calls.iter().find(waits).filter(|_| view.agent.status != AgentStatus::SignedOut);
    held.map(|call| number::of_call(call.call.call)).unwrap_or_default()
}
