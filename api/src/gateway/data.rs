//! What is known of calls: the current one, held ones, those that wait.

use super::ask::{Answered, Ask, refused, result};
use super::code::{Code, Fault};
use super::number::of_call;
use super::online::media_type;
use super::texts::Text;
use super::voice::APP_DATA;
use cordboard_model::cdr::Cdr;
use cordboard_model::desk::{DeskView, SeatState};
use cordboard_model::id::QueueId;
use cordboard_model::leg::PartyId;
use cordboard_model::time::Wall;
use cordboard_model::view::CallView;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Call data as one text: what an agent sent along, or all of it as JSON.
pub(crate) fn app_data(data: &BTreeMap<String, Value>) -> String {
    match data.get(APP_DATA) {
        Some(Value::String(text)) => text.clone(),
        _ if data.is_empty() => String::new(),
        _ => json!(data).to_string(),
    }
}

/// The same of one that is up and of one that is over.
struct Known<'a> {
    id: String,
    from: &'a PartyId,
    to: &'a PartyId,
    queue: Option<&'a QueueId>,
    data: &'a BTreeMap<String, Value>,
    begun: Wall,
    ended: Option<Wall>,
    talk: Option<Wall>,
}

impl Known<'_> {
    fn object(&self, ask: &Ask, feature: u8) -> Value {
        let skill = self.queue.map(|queue| (ask.seat.skill(queue.name.as_str()), queue.name.as_str()));
        let (id, name) = skill.as_ref().map(|((id, name), _)| (*id, name.clone())).unwrap_or_default();
        let until = self.talk.or(self.ended).unwrap_or_else(|| ask.gateway.switch.moment());
        json!({
            "callfeature": feature,
            "callid": self.id,
            "caller": self.from.user,
            "called": self.to.user,
            "callskill": name,
            "callskillid": id,
            "orgicallednum": self.to.user,
            "calldata": app_data(self.data),
            "begintime": self.begun.0,
            "endtime": self.ended.map(|at| at.0),
            "userPriority": 0,
            "trunkNo": "",
            "logontimes": 0,
            "mediaType": skill.as_ref().map_or(5, |(_, queue)| media_type(ask, queue)),
            "mediaAbility": 1,
            "waitTime": until.0.saturating_sub(self.begun.0).max(0) / 1_000,
            "trace": null,
        })
    }
}

fn known(view: &CallView) -> Known<'_> {
    Known {
        id: of_call(view.call),
        from: &view.from,
        to: &view.to,
        queue: view.queue.as_ref(),
        data: &view.data,
        begun: view.started,
        ended: None,
        talk: view.bridged,
    }
}

/// A call that is up.
pub(crate) fn object(ask: &Ask, view: &CallView) -> Value {
    let feature = ask.seat.lock().seen.talks.get(&view.call).map_or(0, |talk| talk.feature);
    known(view).object(ask, feature)
}

fn past(ask: &Ask, cdr: &Cdr) -> Value {
    let known = Known {
        id: of_call(cdr.call),
        from: &cdr.from,
        to: &cdr.to,
        queue: cdr.queues.last().map(|visit| &visit.queue),
        data: &cdr.data,
        begun: cdr.started,
        ended: Some(cdr.ended),
        talk: cdr.bridged,
    };
    known.object(ask, if cdr.queues.is_empty() { 7 } else { 0 })
}

/// His present call, or the last one, unless that is not wanted.
pub(crate) async fn current(ask: Ask) -> Answered {
    let desk = ask.desk().await?;
    if let Some(call) = desk.calls.first() {
        return result(object(&ask, &call.call));
    }
    let last = desk.last_call.ok_or(Code::DATA_CALL)?;
    if ask.fields.flag("isNoContainLastCall", false)? {
        return Err(Code::DATA_CALL.into());
    }
    match ask.gateway.switch.call(last).await {
        Ok(view) => result(object(&ask, &view)),
        Err(_) => {
            let cdr = ask.gateway.switch.cdr(last).await.map_err(|why| refused(why, |_| Code::DATA_CALL))?;
            result(past(&ask, &cdr))
        }
    }
}

/// One of his calls, or the last one.
pub(crate) async fn by_id(ask: Ask) -> Answered {
    let desk = ask.desk().await?;
    let id = ask.path("callid").to_owned();
    if let Some(call) = ask.call_of(&desk, &id) {
        return result(object(&ask, &call.call));
    }
    if let Some(chat) = super::media::chat_of(&ask, Some(&id)) {
        return of_chat(&ask, &chat).await;
    }
    let last = desk.last_call.filter(|last| of_call(*last) == id);
    let last = last.ok_or_else(|| Fault::new(Code::DATA_CALL, id))?;
    let cdr = ask.gateway.switch.cdr(last).await.map_err(|why| refused(why, |_| Code::DATA_CALL))?;
    result(past(&ask, &cdr))
}

/// A chat of his: the customer is the caller, the queue is who was called.
async fn of_chat(ask: &Ask, text: &Text) -> Answered {
    let view = ask.gateway.switch.chat(text.chat).await;
    let view = view.map_err(|why| refused(why, |_| Code::DATA_CALL))?;
    let known = Known {
        id: text.id.clone(),
        from: &PartyId::new(&text.customer),
        to: &PartyId::new(text.queue.as_str()),
        queue: Some(&view.queue),
        data: &view.data,
        begun: view.opened,
        ended: view.closed,
        talk: view.accepted,
    };
    let mut object = known.object(ask, 0);
    object["mediaType"] = json!(text.media_type());
    object["mediaAbility"] = json!(5);
    result(object)
}

pub(crate) async fn ringing(ask: Ask) -> Answered {
    let desk = ask.desk().await?;
    let rings = desk.calls.iter().find(|call| call.seat.state == SeatState::Ringing);
    result(object(&ask, &rings.ok_or(Code::DATA_CALL)?.call))
}

pub(crate) async fn held(ask: Ask) -> Answered {
    let desk = ask.desk().await?;
    held_at(&ask, &desk)
}

/// Of another, for inspectors.
pub(crate) async fn held_of(ask: Ask) -> Answered {
    let agent = ask.agent(ask.path("workno"), Code::NO_SUCH_AGENT)?;
    if agent != ask.seat.agent && !ask.inspects() {
        return Err(Code::AGENT_RIGHT.into());
    }
    let desk = ask.desk_of(agent).await?;
    held_at(&ask, &desk)
}

fn held_at(ask: &Ask, desk: &DeskView) -> Answered {
    let waits = |call: &&cordboard_model::desk::DeskCall| {
        call.seat.held || matches!(call.seat.state, SeatState::Consulting | SeatState::Sending)
    };
    let held: Vec<Value> = desk.calls.iter().filter(waits).map(|call| object(ask, &call.call)).collect();
    match held.is_empty() {
        true => Err(Code::HELD_NONE.into()),
        false => result(Value::Array(held)),
    }
}

/// Who waits in a queue, in the order of service.
pub(crate) async fn waiting(ask: Ask) -> Answered {
    let skill = ask.path("skillid").to_owned();
    let queue = ask.seat.queue_of(&skill).ok_or_else(|| Fault::new(Code::TENANT_SKILL, skill))?;
    let tenant = ask.seat.agent.tenant;
    let failed = |why| refused(why, |_| Code::INTERNAL);
    let queues = ask.gateway.switch.queues(tenant).await.map_err(failed)?;
    let calls = ask.gateway.switch.calls(tenant).await.map_err(failed)?;
    let view = queues.into_iter().find(|view| view.queue == queue).ok_or(Code::TENANT_SKILL)?;
    let row = |waiting: &cordboard_model::view::WaitingView| {
        let call = calls.iter().find(|call| call.call == waiting.call)?;
        let mut object = object(&ask, call);
        object["begintime"] = json!(waiting.since.0);
        let waited = ask.gateway.switch.moment().0.saturating_sub(waiting.since.0).max(0) / 1_000;
        object["waitTime"] = json!(waited);
        object["logontimes"] = json!(waited);
        Some(object)
    };
    result(Value::Array(view.waiting.iter().filter_map(row).collect()))
}
