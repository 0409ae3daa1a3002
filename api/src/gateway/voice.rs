//! Voice calls: the rows of the reference's `voicecall`, each an order at the agent's desk.
//!
//! A help call is a second call there and a party of the same call here. It has a number of its own all the same: that of
//! its leg.

use super::ask::{Answered, Ask, done, result};
use super::code::{Code, Fault};
use super::media::{self, chat_of};
use super::number::{of_call, of_leg};
use super::online::command;
use crate::switch::{Aside, Command};
use cordboard_model::chat::ChatAct;
use cordboard_model::desk::{
    Actor, DeskAct, DeskCall, DeskView, Goal, PlaceOrder, PlaceTo, SeatOrder, SeatState, TransferWay,
};
use cordboard_model::id::{AgentId, CallId, FlowId, LegId, QueueId};
use cordboard_model::verb::Destination;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The longest number that is called.
pub(crate) const NUMBER_MAX: usize = 24;
/// The entry of the call data that `callappdata` is put into.
pub(crate) const APP_DATA: &str = "callappdata";

fn digits(name: &str, number: String, more: &str) -> Result<String, Fault> {
    let fits = |c: char| c.is_ascii_digit() || more.contains(c);
    match number.len() <= NUMBER_MAX && number.chars().all(fits) {
        true => Ok(number),
        false => Err(Fault::new(Code::PARAMETER, format!("{name} is {number:?}"))),
    }
}

fn app_data(ask: &Ask) -> Result<BTreeMap<String, Value>, Fault> {
    Ok(ask.fields.app_data()?.map(|data| (APP_DATA.to_owned(), Value::String(data))).into_iter().collect())
}

/// What an agent sends along with an order: the call has it before the order goes.
async fn send_along(ask: &Ask, call: CallId) -> Result<(), Fault> {
    let data = app_data(ask)?;
    if !data.is_empty() {
        ask.command(Command::Data(call, data), |_| Code::PARAMETER).await?;
    }
    Ok(())
}

/// The number of the call that a Dial has begun, from what the switch says was done.
fn begun(told: &[String]) -> Answered {
    let call = told.iter().find_map(|line| line.strip_prefix("call ")?.parse::<CallId>().ok());
    result(json!(call.map(of_call).ok_or(Code::INTERNAL)?))
}

fn dialled(word: &str) -> Code {
    match word {
        "no_calls" => Code::UNAVAILABLE,
        _ => Code::CALL_OUT,
    }
}

pub(crate) async fn call_out(ask: Ask) -> Answered {
    let called = digits("called", ask.fields.need("called", NUMBER_MAX)?, "*#+")?;
    let shown = ask.fields.text("caller").map(|caller| digits("caller", caller, "+")).transpose()?;
    ask.fields.number::<u32>("skillid")?;
    ask.fields.number::<u8>("mediaability")?;
    ask.note(command::CALL_OUT);
    let act = DeskAct::Dial { to: Goal::Number(called), shown, data: app_data(&ask)? };
    begun(&ask.order(act, None, dialled).await?)
}

pub(crate) async fn call_inner(ask: Ask) -> Answered {
    let called = ask.fields.need("called", NUMBER_MAX)?;
    let to = Destination::Agent(ask.agent(&called, Code::NO_SUCH_AGENT)?);
    ask.note(command::CALL_OUT);
    let act = DeskAct::Dial { to: Goal::Place(to), shown: None, data: app_data(&ask)? };
    begun(&ask.order(act, None, dialled).await?)
}

/// The call that a request names, if it names one.
async fn named(ask: &Ask, none: Code) -> Result<Option<CallId>, Fault> {
    let Some(id) = ask.fields.text("callid") else { return Ok(None) };
    let desk = ask.desk().await?;
    let call = ask.call_of(&desk, &id).ok_or_else(|| Fault::new(none, id.clone()))?;
    Ok(Some(call.call.call))
}

/// The chat that is meant, if it is offered to him. Who says no number means the call, if one rings.
async fn offered_chat(ask: &Ask) -> Result<Option<CallId>, Fault> {
    let id = ask.fields.text("callid");
    let Some(chat) = chat_of(ask, id.as_deref()).filter(|chat| !chat.open) else { return Ok(None) };
    let rings = |call: &DeskCall| call.seat.state == SeatState::Ringing;
    let is_meant = id.is_some() || !ask.desk().await?.calls.iter().any(rings);
    Ok(is_meant.then_some(chat.chat))
}

pub(crate) async fn answer(ask: Ask) -> Answered {
    if let Some(chat) = offered_chat(&ask).await? {
        ask.note(command::ANSWER);
        return media::act(&ask, chat, ChatAct::Accept).await;
    }
    let call = named(&ask, Code::ANSWER).await?;
    ask.note(command::ANSWER);
    ask.order(DeskAct::Answer, call, |_| Code::ANSWER).await?;
    done()
}

pub(crate) async fn reject(ask: Ask) -> Answered {
    if let Some(chat) = offered_chat(&ask).await? {
        ask.note(command::RELEASE);
        return media::act(&ask, chat, ChatAct::Reject).await;
    }
    let wanted = named(&ask, Code::ANSWER).await?;
    let desk = ask.desk().await?;
    let rings = |call: &&DeskCall| {
        call.seat.state == SeatState::Ringing && wanted.is_none_or(|wanted| wanted == call.call.call)
    };
    let call = desk.calls.iter().find(rings).ok_or(Code::ANSWER)?.call.call;
    leave(&ask, call).await
}

/// Leaves a call by an order.
async fn leave(ask: &Ask, call: CallId) -> Answered {
    ask.note(command::RELEASE);
    {
        let news = &mut ask.seat.lock().news;
        if news.ordered.len() < super::news::News::MOST {
            news.ordered.push(call);
        }
    }
    ask.seat_order(SeatOrder::Release, Some(call), |_| Code::RELEASE).await?;
    done()
}

/// The current call ends. While somebody is asked, that is the help call: the held party is talked to again.
pub(crate) async fn release(ask: Ask) -> Answered {
    let desk = ask.desk().await?;
    let call = desk.calls.first().ok_or(Code::RELEASE)?;
    match call.seat.state {
        SeatState::Consulting => end_help(&ask, call.call.call, Code::RELEASE).await,
        _ => leave(&ask, call.call.call).await,
    }
}

async fn end_help(ask: &Ask, call: CallId, code: Code) -> Answered {
    ask.note(command::RELEASE);
    let done = ask.gateway.order(&ask.seat, DeskAct::Seat(SeatOrder::Cancel), Some(call)).await;
    done.map_err(|why| Fault { code, ..super::ask::refused(why, |_| Code::RELEASE) })?;
    super::ask::done()
}

/// Whom he asks in a call, by its leg.
fn help_leg(ask: &Ask, call: CallId) -> Option<LegId> {
    ask.seat.lock().seen.talks.get(&call).and_then(|talk| talk.help.as_ref()).map(|help| help.leg)
}

pub(crate) async fn drop_call(ask: Ask) -> Answered {
    if let Some(chat) = chat_of(&ask, Some(ask.path("callid"))) {
        ask.note(command::RELEASE);
        let end = if chat.open { ChatAct::Close } else { ChatAct::Reject };
        return media::act(&ask, chat.chat, end).await;
    }
    let desk = ask.desk().await?;
    let id = ask.path("callid").to_owned();
    let call = ask.call_of(&desk, &id).ok_or_else(|| Fault::new(Code::RELEASE, id.clone()))?;
    let of_help = help_leg(&ask, call.call.call).is_some_and(|leg| of_leg(leg) == id);
    match of_help && call.seat.state == SeatState::Consulting {
        true => end_help(&ask, call.call.call, Code::RELEASE).await,
        false => leave(&ask, call.call.call).await,
    }
}

/// Takes a party out of the latest call: one of several who talk, whom he asks, or the only other one.
pub(crate) async fn disconnect(ask: Ask) -> Answered {
    let number = ask.path("number").to_owned();
    let none = || Fault::new(Code::NOT_IN_CALL, number.clone());
    let desk = ask.desk().await?;
    let latest = desk.calls.iter().max_by_key(|call| call.call.call).ok_or_else(none)?;
    let call = latest.call.call;
    let user = ask.seat.plan.agents.get(number.as_str()).map(|agent| agent.user.to_string());
    let is = |leg: &&cordboard_model::view::LegView| {
        leg.leg != latest.seat.leg
            && (leg.party.user == number || user.as_ref().is_some_and(|user| leg.party.user == *user))
    };
    let leg = latest.call.legs.iter().find(is).ok_or_else(none)?.leg;
    if latest.seat.state == SeatState::Consulting {
        return match help_leg(&ask, call) == Some(leg) {
            true => end_help(&ask, call, Code::NOT_IN_CALL).await,
            false => Err(none()),
        };
    }
    if latest.call.legs.len() > 2 {
        ask.seat_order(SeatOrder::Remove(leg), Some(call), |_| Code::NOT_IN_CALL).await?;
        return done();
    }
    leave(&ask, call).await
}

fn hold_reason(word: &str) -> Code {
    match word {
        "no_call" | "not_in_call" | "not_talking" => Code::HOLD_CALL,
        _ => Code::HOLD_STATE,
    }
}

pub(crate) async fn hold(ask: Ask) -> Answered {
    ask.note(command::HOLD);
    ask.seat_order(SeatOrder::Hold(true), None, hold_reason).await?;
    done()
}

pub(crate) async fn retrieve(ask: Ask) -> Answered {
    let call = named(&ask, Code::RETRIEVE_CALL).await?;
    ask.note(command::RETRIEVE);
    let reasons = |word: &str| match word {
        "no_call" | "not_in_call" => Code::RETRIEVE_CALL,
        _ => Code::RETRIEVE_STATE,
    };
    ask.seat_order(SeatOrder::Hold(false), call, reasons).await?;
    done()
}

/// The held party and whom he asks are left to each other.
pub(crate) async fn connect_hold(ask: Ask) -> Answered {
    let desk = ask.desk().await?;
    let call = ask.call_of(&desk, ask.path("callid")).ok_or(Code::HOLD_CALL)?.call.call;
    ask.note(command::TRANSFER);
    ask.seat_order(SeatOrder::Complete, Some(call), hold_reason).await?;
    done()
}

/// The held party joins the two who talk.
pub(crate) async fn join(ask: Ask) -> Answered {
    let id = ask.fields.need("callid", NUMBER_MAX + 1)?;
    let desk = ask.desk().await?;
    if desk.calls.is_empty() {
        return Err(Code::JOIN_CALL.into());
    }
    let call = ask.call_of(&desk, &id).ok_or(Code::JOIN_HELD)?.call.call;
    send_along(&ask, call).await?;
    ask.note(command::JOIN);
    ask.seat_order(SeatOrder::Merge, Some(call), |_| Code::JOIN_HELD).await?;
    done()
}

/// The number of who has come into a call by an order, once it is known; the call's own until then.
async fn newcomer(ask: &Ask, before: &DeskView) -> Answered {
    let after = ask.desk().await?;
    let known = |leg: LegId| before.calls.iter().any(|call| call.call.legs.iter().any(|one| one.leg == leg));
    let new = after.calls.iter().flat_map(|call| &call.call.legs).find(|leg| !known(leg.leg));
    let own = after.calls.first().map(|call| of_call(call.call.call)).unwrap_or_default();
    result(json!(new.map_or(own, |leg| of_leg(leg.leg))))
}

fn help_goal(ask: &Ask, code: Code) -> Result<Goal, Fault> {
    let to = ask.fields.need("dstaddress", NUMBER_MAX)?;
    let place = match ask.fields.number::<u8>("devicetype")?.unwrap_or(2) {
        1 => Destination::Queue(queue(ask, &to, code)?),
        2 => Destination::Agent(ask.agent(&to, code)?),
        other => return Err(Fault::new(Code::PARAMETER, format!("devicetype is {other}"))),
    };
    Ok(Goal::Place(place))
}

pub(crate) async fn help(ask: Ask) -> Answered {
    let goal = help_goal(&ask, Code::HELP)?;
    let mode = ask.fields.number::<u8>("mode")?.unwrap_or(1);
    ask.fields.flag("holdflag", true)?;
    let order = match mode {
        1 => SeatOrder::Consult(goal),
        2 => SeatOrder::Add(goal),
        other => return Err(Fault::new(Code::PARAMETER, format!("mode is {other}"))),
    };
    let before = ask.desk().await?;
    if let Some(call) = before.calls.first() {
        send_along(&ask, call.call.call).await?;
    }
    ask.note(command::HELP);
    ask.seat_order(order, None, |_| Code::HELP).await?;
    newcomer(&ask, &before).await
}

fn queue(ask: &Ask, skill: &str, code: Code) -> Result<QueueId, Fault> {
    ask.seat.queue_of(skill).ok_or_else(|| Fault::new(code, format!("there is no skill {skill}")))
}

/// The flow of a number of the reference's: an access code that leads to it, or its name.
fn flow(ask: &Ask, address: &str) -> Result<FlowId, Fault> {
    let plan = &ask.seat.plan;
    let by_code = plan.numbers.iter().find_map(|(code, to)| match to {
        Destination::Flow(flow) if code == address => Some(flow.clone()),
        _ => None,
    });
    let by_name = || {
        let name = plan.flows.iter().find(|name| name.as_str() == address)?;
        Some(FlowId { tenant: ask.seat.agent.tenant, name: name.clone() })
    };
    let none = || Fault::new(Code::TRANSFER, format!("there is no IVR {address}"));
    by_code.or_else(by_name).ok_or_else(none)
}

/// What a transfer comes to.
enum Sending {
    Order(SeatOrder),
    Aside(FlowId),
}

/// Which modes each type of device has: blind is 0, but of an outside number 1.
fn sending(ask: &Ask) -> Result<Sending, Fault> {
    let device: u8 = ask.fields.need_number("devicetype")?;
    let mode: u8 = ask.fields.need_number("mode")?;
    let address = ask.fields.need("address", NUMBER_MAX)?;
    let go = |goal: Goal, way: TransferWay| Sending::Order(SeatOrder::Transfer(goal, way));
    let place = |to: Destination| Goal::Place(to);
    let (blind, success) = (TransferWay::Blind, TransferWay::AfterSuccess);
    let number = |more: &str| digits("address", address.clone(), more).map(Goal::Number);
    Ok(match (device, mode) {
        (1, 0) => go(place(Destination::Queue(queue(ask, &address, Code::TRANSFER)?)), blind),
        (1, 2) => go(place(Destination::Queue(queue(ask, &address, Code::TRANSFER)?)), success),
        (2, 0 | 3) => go(place(Destination::Agent(ask.agent(&address, Code::TRANSFER)?)), blind),
        (2, 2) => go(place(Destination::Agent(ask.agent(&address, Code::TRANSFER)?)), success),
        (3, 0) => go(place(Destination::Flow(flow(ask, &address)?)), blind),
        (3, 1) => Sending::Aside(flow(ask, &address)?),
        (4, 0) => go(number("")?, blind),
        (4, 2) => go(number("")?, success),
        (5, 1) => go(number("*#+ABCDEabcde")?, blind),
        (5, 2) => go(number("*#+ABCDEabcde")?, success),
        (5, 3) => Sending::Order(SeatOrder::Consult(number("*#+ABCDEabcde")?)),
        (5, 4) => Sending::Order(SeatOrder::Add(number("*#+ABCDEabcde")?)),
        _ => {
            return Err(Fault::new(Code::PARAMETER, format!("devicetype {device} has no mode {mode}")));
        }
    })
}

pub(crate) async fn transfer(ask: Ask) -> Answered {
    let sending = sending(&ask)?;
    let data = app_data(&ask)?;
    ask.fields.text("caller").map(|caller| digits("caller", caller, "")).transpose()?;
    let desk = ask.desk().await?;
    let call = desk.calls.first().ok_or(Code::TRANSFER)?;
    let own = call.call.from.user == desk.agent.user.name.as_str() && call.call.queue.is_none();
    let outside = ask.fields.number::<u8>("devicetype")? == Some(5);
    ask.note(command::TRANSFER);
    match sending {
        Sending::Order(SeatOrder::Transfer(_, TransferWay::Blind)) if outside && own => {
            let why = "a call out is not sent to an outside number blindly";
            return Err(Fault::new(Code::TRANSFER, why));
        }
        Sending::Order(order) => {
            send_along(&ask, call.call.call).await?;
            ask.seat_order(order, None, |_| Code::TRANSFER).await?;
        }
        Sending::Aside(flow) => {
            let aside = Aside { call: call.call.call, flow, data };
            ask.command(Command::Aside(Box::new(aside)), |_| Code::TRANSFER).await?;
        }
    }
    done()
}

pub(crate) async fn cancel_transfer(ask: Ask) -> Answered {
    ask.seat_order(SeatOrder::Cancel, None, |_| Code::TRANSFER).await?;
    done()
}

pub(crate) async fn mute(ask: Ask) -> Answered {
    let reasons = |word: &str| match word {
        "no_call" | "not_in_call" | "not_talking" => Code::MUTE_CALL,
        _ => Code::MUTE_STATE,
    };
    ask.seat_order(SeatOrder::Mute(true), None, reasons).await?;
    done()
}

pub(crate) async fn unmute(ask: Ask) -> Answered {
    let reasons = |word: &str| match word {
        "no_call" | "not_in_call" | "not_talking" => Code::UNMUTE_CALL,
        _ => Code::UNMUTE_STATE,
    };
    ask.seat_order(SeatOrder::Mute(false), None, reasons).await?;
    done()
}

pub(crate) async fn keys(ask: Ask) -> Answered {
    let number = ask.fields.need("number", NUMBER_MAX)?;
    press(&ask, number).await
}

pub(crate) async fn keys_by_path(ask: Ask) -> Answered {
    let number = ask.path("number").to_owned();
    press(&ask, number).await
}

async fn press(ask: &Ask, number: String) -> Answered {
    let number = digits("number", number, "*#")?;
    if number.is_empty() {
        return Err(Fault::new(Code::PARAMETER, "number is missing"));
    }
    ask.order(DeskAct::Keys(number), None, |_| Code::INTERNAL).await?;
    done()
}

/// Gives a caller who waits, or who rings at another, to this agent. The right was looked at.
async fn take(ask: &Ask, call: CallId) -> Answered {
    let by = Actor { key: "agent gateway".to_owned(), agent: None };
    let order = PlaceOrder { call, to: PlaceTo::Agent(ask.seat.agent.clone()), by };
    ask.command(Command::Place(order), |_| Code::INTERNAL).await?;
    done()
}

/// Whether two agents serve a queue together: the group that one picks up in.
fn share_a_queue(ask: &Ask, other: &AgentId) -> bool {
    let of =
        |name: &str| ask.seat.plan.agents.get(name).map(|agent| agent.queues.clone()).unwrap_or_default();
    let others = of(other.name.as_str());
    of(ask.seat.workno()).iter().any(|queue| others.contains(queue))
}

pub(crate) async fn snatch(ask: Ask) -> Answered {
    let other = ask.agent(&ask.fields.need("destWorkNo", NUMBER_MAX)?, Code::PARAMETER)?;
    if other == ask.seat.agent || !share_a_queue(&ask, &other) {
        return Err(Fault::new(Code::INTERNAL, "the two serve no queue together"));
    }
    let desk = ask.desk_of(other).await?;
    let rings = |call: &&DeskCall| call.seat.state == SeatState::Ringing && call.call.queue.is_some();
    let call = desk.calls.iter().find(rings);
    let call = call.ok_or_else(|| Fault::new(Code::INTERNAL, "no call of a queue rings there"))?.call.call;
    take(&ask, call).await
}

pub(crate) async fn request_call(ask: Ask) -> Answered {
    if ask.path_number("skilltype", 0..=0).is_err() {
        return Err(Fault::new(Code::PARAMETER, "skilltype is 0"));
    }
    let id = ask.path("callid").to_owned();
    let own =
        ask.seat.plan.agents.get(ask.seat.workno()).map(|agent| agent.queues.clone()).unwrap_or_default();
    let queues = ask.gateway.switch.queues(ask.seat.agent.tenant).await;
    let queues = queues.map_err(|why| super::ask::refused(why, |_| Code::INTERNAL))?;
    let mine = queues.iter().filter(|queue| own.contains(&queue.queue.name));
    let waits = mine.flat_map(|queue| &queue.waiting).find(|waiting| of_call(waiting.call) == id);
    let call =
        waits.ok_or_else(|| Fault::new(Code::DATA_CALL, format!("{id} waits in none of his queues")))?;
    take(&ask, call.call).await
}
