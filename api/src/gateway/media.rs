//! Text: what an agent says in a chat, where he sends it, and how many he has at once. Taking a chat, not taking it and ending
//! it are the orders of calls (`voice.rs`), which ask here first.

use super::ask::{Answered, Ask, done};
use super::code::{Code, Fault};
use super::number;
use super::texts::Text;
use super::voice::NUMBER_MAX;
use crate::switch::Refusal;
use cordboard_model::chat::{ChatAct, ChatActor, ChatFault};
use cordboard_model::desk::DeskAct;
use cordboard_model::id::{CallId, QueueId};
use cordboard_model::service::{AgentOrder, ChatSlots};
use cordboard_model::verb::Destination;
use serde_json::Value;

/// Longest `data` of a message, bytes: 3.8 KB, and the JSON that a client may put it in.
const DATA_MAX: usize = 8 << 10;
/// Longest `calldata` of a transfer, bytes.
const CALL_DATA_MAX: usize = 2_048;
/// Most chats that the reference lets an agent have.
const CALLS_MAX: u32 = 60;

fn refused(why: Refusal) -> Fault {
    match why {
        Refusal::Chat(fault) => {
            let code = match fault {
                ChatFault::NoSuchChat | ChatFault::Closed | ChatFault::NotHis => Code::DATA_CALL,
                ChatFault::NoSuchQueue | ChatFault::NotOfChats | ChatFault::NoSuchAgent => Code::TRANSFER,
                ChatFault::BadText => Code::PARAMETER,
                ChatFault::TooMany | ChatFault::NoChats | ChatFault::TooFast(_) => Code::UNAVAILABLE,
                ChatFault::NotClosed | ChatFault::NotForHim | ChatFault::BadScore | ChatFault::Full => {
                    Code::INTERNAL
                }
            };
            Fault::new(code, fault.to_string())
        }
        other => super::ask::refused(other, |_| Code::DATA_CALL),
    }
}

/// The chat of his that a number means; the first that is offered to him, if no number is said.
pub(crate) fn chat_of(ask: &Ask, id: Option<&str>) -> Option<Text> {
    let inner = ask.seat.lock();
    let mut texts = inner.seen.texts.values();
    match id {
        Some(id) => texts.find(|text| text.id == id),
        None => texts.find(|text| !text.open),
    }
    .cloned()
}

/// Does something in a chat, in his name.
pub(crate) async fn act(ask: &Ask, chat: CallId, act: ChatAct) -> Answered {
    let actor = ChatActor::Agent(ask.seat.agent.clone());
    ask.gateway.switch.chat_act(chat, actor, act).await.map_err(refused)?;
    done()
}

/// The chat that a row of text must name.
fn named(ask: &Ask) -> Result<CallId, Fault> {
    let id = ask.fields.need("callid", NUMBER_MAX + 1)?;
    let tenant = ask.seat.agent.tenant;
    // whether it is his the switch says: a chat may have come that he was not told of yet
    let known = chat_of(ask, Some(&id)).map(|text| text.chat);
    known.or_else(|| number::call_of(tenant, &id)).ok_or_else(|| Fault::new(Code::DATA_CALL, id))
}

/// The text of `data`: as it is, or the `content` of the JSON that clients of the public cloud put it in.
fn words(data: &str) -> String {
    match serde_json::from_str::<Value>(data) {
        Ok(Value::Object(entries)) => match entries.get("content") {
            Some(Value::String(content)) => content.clone(),
            _ => data.to_owned(),
        },
        _ => data.to_owned(),
    }
}

pub(crate) async fn send(ask: Ask) -> Answered {
    let chat = named(&ask)?;
    let data = ask.fields.text("data").ok_or(Code::TEXT_EMPTY)?;
    if data.len() > DATA_MAX {
        return Err(Fault::new(Code::PARAMETER, format!("data is longer than {DATA_MAX}")));
    }
    let text = words(&data);
    if text.trim().is_empty() {
        return Err(Code::TEXT_EMPTY.into());
    }
    act(&ask, chat, ChatAct::Say { text, id: None }).await
}

/// The queue that an access code leads to.
fn by_code(ask: &Ask, address: &str) -> Result<QueueId, Fault> {
    let found = ask.seat.plan.numbers.iter().find_map(|(code, to)| match to {
        Destination::Queue(queue) if code == address => Some(queue.clone()),
        _ => None,
    });
    found.ok_or_else(|| Fault::new(Code::TRANSFER, format!("no access code {address} leads to a skill")))
}

fn skill(ask: &Ask, skill: &str) -> Result<QueueId, Fault> {
    ask.seat.queue_of(skill).ok_or_else(|| Fault::new(Code::TRANSFER, format!("there is no skill {skill}")))
}

pub(crate) async fn transfer(ask: Ask) -> Answered {
    let chat = named(&ask)?;
    let device: u8 = ask.fields.need_number("devicetype")?;
    let mode: u8 = ask.fields.need_number("mode")?;
    let address = ask.fields.need("address", NUMBER_MAX)?;
    if ask.fields.text("calldata").is_some_and(|data| data.len() > CALL_DATA_MAX) {
        return Err(Fault::new(Code::PARAMETER, format!("calldata is longer than {CALL_DATA_MAX}")));
    }
    if !matches!(mode, 0 | 2) {
        return Err(Fault::new(Code::PARAMETER, format!("mode is {mode}")));
    }
    let to = match device {
        1 => ChatAct::ToQueue(skill(&ask, &address)?),
        2 => {
            if let Some(wanted) = ask.fields.text("skillId") {
                let of = chat_of(&ask, Some(&number::of_call(chat))).map(|text| text.queue);
                if of.is_some_and(|queue| skill(&ask, &wanted).map(|id| id.name != queue).unwrap_or(true)) {
                    return Err(Fault::new(Code::TRANSFER, "an agent is asked in the skill of the chat"));
                }
            }
            ChatAct::ToAgent(ask.agent(&address, Code::TRANSFER)?)
        }
        4 => ChatAct::ToQueue(by_code(&ask, &address)?),
        other => return Err(Fault::new(Code::TEXT_DEVICE, format!("devicetype is {other}"))),
    };
    act(&ask, chat, to).await
}

/// How many of a kind he has at once. Of calls that is one.
pub(crate) async fn call_numbers(ask: Ask) -> Answered {
    let kind: u8 = ask.fields.need_number("mediaType")?;
    let most: u32 = ask.fields.need_number("callnums")?;
    match (kind, most) {
        (_, 0) => Err(Fault::new(Code::PARAMETER, "callnums is 0")),
        (_, most) if most > CALLS_MAX => Err(Fault::new(Code::TEXT_SESSIONS, format!("callnums is {most}"))),
        (1 | 17 | 51 | 53, most) => {
            let most = u8::try_from(most).unwrap_or(ChatSlots::LIMIT).min(ChatSlots::LIMIT);
            ask.order(DeskAct::Want(AgentOrder::Chats { most }), None, |_| Code::STATE).await?;
            done()
        }
        (2 | 4 | 5 | 15 | 16 | 19, 1) => done(),
        (2 | 4 | 5 | 15 | 16 | 19, _) => Err(Fault::new(Code::STATE, "an agent has one call at a time")),
        (other, _) => Err(Fault::new(Code::PARAMETER, format!("mediaType is {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_text_or_the_content_of_what_clients_of_the_cloud_send() {
        for (data, wanted) in [
            ("hello", "hello"),
            ("17", "17"),
            (
                r#"{"from":"1001","to":"c","channel":"WEB","controlType":"CHAT","mediaType":"TEXT","content":"hi"}"#,
                "hi",
            ),
            (r#"{"order": 5}"#, r#"{"order": 5}"#),
        ] {
            assert_eq!(words(data), wanted);
        }
    }
}
