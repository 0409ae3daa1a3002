//! Tells a program that the one who was called second has answered.
//!
//! Invariant: at most [`MOST`] calls are watched at a time, each until it is answered or over, and none beyond [`LONGEST`].

use crate::events::{EventFilter, Follow};
use crate::gateway::beside::Post;
use crate::switch::{StreamItem, Subscription, Switch};
use cordboard_model::event::EventKind;
use cordboard_model::id::CallId;
use cordboard_model::view::CallStage;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Most calls that are watched at a time.
const MOST: usize = 1_000;
/// The longest that one rings, both telephones together.
const LONGEST: Duration = Duration::from_secs(1_800);
/// Pauses before it is told again.
const AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// What is to be told of a call.
pub(crate) struct Answer {
    pub(crate) call: CallId,
    pub(crate) url: String,
    pub(crate) body: Value,
}

/// Those that are watched.
pub(crate) struct Answers(Arc<Semaphore>);

impl Default for Answers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Answers {
    /// Tells it when it is so.
    pub(crate) fn watch(&self, switch: &Arc<dyn Switch>, answer: Answer) {
        let Ok(turn) = Arc::clone(&self.0).try_acquire_owned() else {
            tracing::warn!(call = %answer.call, "so many calls are watched that nobody is told when this one is answered");
            return;
        };
        let filter = EventFilter { calls: vec![answer.call], ..EventFilter::default() };
        // first, so that nothing is missed between the look at the call and its events
        let events = switch.follow(Follow { tenant: answer.call.tenant, since: None, filter });
        let switch = Arc::clone(switch);
        tokio::spawn(async move {
            let _turn = turn;
            let watched = tokio::time::timeout(LONGEST, is_answered(&switch, answer.call, events));
            if watched.await.unwrap_or(false) {
                tell(&switch, answer).await;
            }
        });
    }
}

fn talk(stage: CallStage) -> bool {
    stage == CallStage::Bridged
}

/// Waits until both talk, or the call is over.
async fn is_answered(switch: &Arc<dyn Switch>, call: CallId, mut events: Subscription) -> bool {
    match switch.call(call).await {
        Ok(view) if talk(view.stage) || view.bridged.is_some() => return true,
        Ok(_) => {}
        Err(_) => return false,
    }
    while let Some(item) = events.recv().await {
        let stage = match item {
            StreamItem::Event(event) => match event.what {
                EventKind::CallStage { call: of, stage, .. } if of == call => stage,
                EventKind::CallEnded { call: of, .. } if of == call => return false,
                _ => continue,
            },
            StreamItem::Snapshot { calls, .. } => match calls.iter().find(|view| view.call == call) {
                Some(view) => view.stage,
                None => return false,
            },
            StreamItem::Closing { .. } => return false,
            _ => continue,
        };
        if talk(stage) {
            return true;
        }
    }
    false
}

/// Whether an answer takes it: `retCode` 0, as a number or a text.
pub(super) fn takes(body: &str) -> bool {
    let said: Value = serde_json::from_str(body).unwrap_or_default();
    let code = said.get("retCode").or_else(|| said.get("retcode"));
    code.is_some_and(|code| code.as_i64() == Some(0) || code.as_str() == Some("0"))
}

async fn tell(switch: &Arc<dyn Switch>, answer: Answer) {
    let Answer { call, url, body } = answer;
    for pause in AGAIN.into_iter().map(Some).chain([None]) {
        let post = Post { url: url.clone(), headers: Vec::new(), body: body.to_string() };
        let why = match switch.post(post).await {
            Ok(said) if takes(&said) => return,
            Ok(_) => "its answer has no retCode 0".to_owned(),
            Err(refusal) => super::door::why(refusal),
        };
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => tracing::warn!(%call, %why, "that the call was answered could not be told"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_takes_it_by_its_code_alone() {
        for (body, taken) in [
            (r#"{"retCode": "0", "retMsg": ""}"#, true),
            (r#"{"retCode": 0}"#, true),
            (r#"{"retcode": "0"}"#, true),
            (r#"{"retCode": "1"}"#, false),
            ("{}", false),
            ("ok", false),
        ] {
            assert_eq!(takes(body), taken, "{body}");
        }
    }
}
