//! Calls that visitors of web pages begin by a click: a name and a password for one call to one queue, or to the flow that measures
//! the way of who has not signed in yet.

use crate::chat::ChatCustomer;
use crate::config::Secret;
use crate::data;
use crate::id::{AgentId, CallId, FlowId, Name, QueueId, TenantId};
use crate::time::Duration;
use crate::verb::{DATA_BYTES_MAX, DATA_ENTRIES_MAX, DATA_KEY_MAX, DATA_VALUE_MAX};
use core::fmt;
use serde_json::Value;
use std::collections::BTreeMap;

/// How long a visitor has to begin his call. His page asks for the microphone before it asks for this.
pub const CLICK_WAIT: Duration = Duration::from_secs(60);
/// Most of a tenant that were given and are not used yet.
pub const CLICKS_MAX: usize = 500;
/// The flow that pages call to have their way to the switch measured.
pub const LINE_CHECK: &str = "line-check";
/// Most checks of a tenant that were given or are up.
pub const CHECKS_MAX: usize = 10;
/// Longest id and name of a customer, bytes.
pub const CLICK_WORD_MAX: usize = 128;
/// Longest address of a page, bytes.
pub const CLICK_PAGE_MAX: usize = 2_048;
/// Entries of the call data that the switch writes itself, whatever else is said.
const OWN_ENTRIES: usize = 4;

/// The entry of the call data that says where the call came from.
pub const SOURCE: &str = "source";
/// What stands there.
pub const SOURCE_CLICK: &str = "click";
/// What stands there where a page measures its way to the switch.
pub const SOURCE_CHECK: &str = "check";
/// The entry that says on which page it was begun.
pub const PAGE: &str = "page";
/// The entry that says whose it is, by the integrator's id of him.
pub const CUSTOMER: &str = "customer";
/// Who calls, where nobody has said it.
pub const NOBODY: &str = "web";

/// Where such a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClickTo {
    /// To a queue of click-to-call.
    Queue(QueueId),
    /// To a flow that measures. Anybody who sees the page may have such a call.
    Check(FlowId),
}

impl ClickTo {
    /// Whose it is.
    pub fn tenant(&self) -> TenantId {
        match self {
            ClickTo::Queue(queue) => queue.tenant,
            ClickTo::Check(flow) => flow.tenant,
        }
    }

    /// What the page calls.
    pub fn name(&self) -> &Name {
        match self {
            ClickTo::Queue(queue) => &queue.name,
            ClickTo::Check(flow) => &flow.name,
        }
    }
}

/// A call that a visitor may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClick {
    /// Where it goes.
    pub to: ClickTo,
    /// The visitor.
    pub customer: ChatCustomer,
    /// The page he is on; may be empty.
    pub page: String,
    /// Call data.
    pub data: BTreeMap<String, Value>,
    /// Higher is served first.
    pub priority: u8,
    /// The agent whom he has first, as who chats with him already.
    pub agent: Option<AgentId>,
    /// Who gives it: `key shop`.
    pub by: String,
}

/// What a visitor's page calls by. The password is shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedClick {
    /// The call that it will be.
    pub call: CallId,
    /// What he calls.
    pub to: Name,
    /// What stands behind the `@`, and the realm of the password.
    pub domain: String,
    /// What he says as the user name of digest.
    pub username: String,
    /// His password.
    pub password: Secret,
    /// For how long it is good.
    pub lasts: Duration,
    /// Whether the queue is one of video.
    pub video: bool,
}

/// Why no such call is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickFault {
    /// The tenant has no such queue.
    NoSuchQueue,
    /// The queue is none of calls that begin by a click.
    NotOfClicks,
    /// The tenant has no flow that measures.
    NoSuchFlow,
    /// So many check their way already: given, or up.
    TooManyChecks,
    /// There is no such agent, or he does not serve the queue or is not signed in.
    NoSuchAgent,
    /// This field is too long, or not text.
    BadText(&'static str),
    /// The call data is more than a call may have: the limit.
    BadData(&'static str),
    /// So many were given and are not used yet.
    TooMany,
    /// The switch is stopping, or cannot write records.
    NoCalls,
}

impl ClickFault {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            ClickFault::NoSuchQueue => "no_such_queue",
            ClickFault::NotOfClicks => "not_of_clicks",
            ClickFault::NoSuchFlow => "no_such_flow",
            ClickFault::TooManyChecks => "too_many_checks",
            ClickFault::NoSuchAgent => "no_such_agent",
            ClickFault::BadText(_) => "bad_text",
            ClickFault::BadData(_) => "bad_data",
            ClickFault::TooMany => "too_many_clicks",
            ClickFault::NoCalls => "no_calls",
        }
    }

    /// The field of the request whose fault it is.
    pub fn field(self) -> Option<&'static str> {
        match self {
            ClickFault::NoSuchQueue | ClickFault::NotOfClicks => Some("queue"),
            ClickFault::NoSuchAgent => Some("agent"),
            ClickFault::BadText(field) => Some(field),
            ClickFault::BadData(_) => Some("data"),
            ClickFault::TooMany
            | ClickFault::NoCalls
            | ClickFault::NoSuchFlow
            | ClickFault::TooManyChecks => None,
        }
    }
}

impl fmt::Display for ClickFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClickFault::NoSuchQueue => f.write_str("there is no such queue"),
            ClickFault::NotOfClicks => f.write_str(
                "the queue takes no calls from pages: its kind is neither voice_click nor video_click",
            ),
            ClickFault::NoSuchFlow => write!(f, "the tenant has no flow {LINE_CHECK}"),
            ClickFault::TooManyChecks => {
                write!(f, "{CHECKS_MAX} check their way to the switch already; one takes half a minute")
            }
            ClickFault::NoSuchAgent => {
                f.write_str("there is no such agent who is signed in and serves the queue")
            }
            ClickFault::BadText("page") => {
                write!(f, "at most {CLICK_PAGE_MAX} bytes of text without control characters")
            }
            ClickFault::BadText(_) => {
                write!(f, "at most {CLICK_WORD_MAX} bytes of text without control characters")
            }
            ClickFault::BadData(limit) => write!(f, "more than a call may have: {limit}"),
            ClickFault::TooMany => {
                write!(f, "{CLICKS_MAX} were given and are not used yet; each is forgotten after a minute")
            }
            ClickFault::NoCalls => f.write_str("the switch is stopping, or cannot write records"),
        }
    }
}

fn is_text(text: &str, most: usize) -> bool {
    text.len() <= most && !text.chars().any(char::is_control)
}

/// The limit of call data that this is beyond, with room for what the switch writes itself.
fn beyond(data: &BTreeMap<String, Value>) -> Option<&'static str> {
    let all = || data.iter().filter(|(_, value)| !data::is_none(value));
    let own = 2 * CLICK_PAGE_MAX;
    if data.keys().any(|key| key.is_empty() || key.len() > DATA_KEY_MAX) {
        Some("data key")
    } else if all().any(|(_, value)| data::bytes(value) > DATA_VALUE_MAX) {
        Some("data value")
    } else if all().count() + OWN_ENTRIES > DATA_ENTRIES_MAX {
        Some("data entries")
    } else if all().map(|(key, value)| key.len() + data::bytes(value)).sum::<usize>() + own > DATA_BYTES_MAX {
        Some("data bytes")
    } else {
        None
    }
}

impl NewClick {
    /// Looks at what is said of the visitor.
    ///
    /// # Errors
    /// A text is too long or none, or the data are more than a call may have.
    pub fn check(&self) -> Result<(), ClickFault> {
        let words = [&self.customer.id, &self.customer.name];
        if !words.iter().all(|word| is_text(word, CLICK_WORD_MAX)) {
            return Err(ClickFault::BadText("customer"));
        }
        if !is_text(&self.page, CLICK_PAGE_MAX) {
            return Err(ClickFault::BadText("page"));
        }
        beyond(&self.data).map_or(Ok(()), |limit| Err(ClickFault::BadData(limit)))
    }

    /// A call that measures, of somebody who has shown nothing.
    pub fn check_of(flow: FlowId) -> Self {
        Self {
            to: ClickTo::Check(flow),
            customer: ChatCustomer::default(),
            page: String::new(),
            data: BTreeMap::new(),
            priority: 0,
            agent: None,
            by: String::new(),
        }
    }

    /// The data that the call begins with. Where it came from is the switch's to say, and nobody else's.
    pub fn call_data(&self) -> BTreeMap<String, Value> {
        let source = match self.to {
            ClickTo::Queue(_) => SOURCE_CLICK,
            ClickTo::Check(_) => SOURCE_CHECK,
        };
        let mut data = self.data.clone();
        data.retain(|_, value| !data::is_none(value));
        for (key, value) in [
            (SOURCE, source),
            (PAGE, &self.page),
            (CUSTOMER, &self.customer.id),
            (crate::originate::ASKED_BY, &self.by),
        ] {
            match value.is_empty() {
                true => data.remove(key),
                false => data.insert(key.to_owned(), Value::from(value)),
            };
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn click() -> NewClick {
        NewClick {
            to: ClickTo::Queue(QueueId::new(TenantId::DEFAULT, "help").unwrap()),
            customer: ChatCustomer { id: "c-17".into(), name: "Ann".into() },
            page: "https://shop.example/cart".into(),
            data: BTreeMap::from([("order".into(), json!(4711)), ("source".into(), json!("trunk"))]),
            priority: 0,
            agent: None,
            by: "key shop".into(),
        }
    }

    #[test]
    fn where_it_came_from_is_the_switchs_to_say() {
        let shown = |click: &NewClick| serde_json::to_value(click.call_data()).unwrap();
        let all = json!({ "order": 4711, "source": "click", "page": "https://shop.example/cart", "customer": "c-17", "askedBy": "key shop" });
        assert_eq!(shown(&click()), all);
        let nobody = NewClick { customer: ChatCustomer::default(), page: String::new(), ..click() };
        assert_eq!(shown(&nobody), json!({ "order": 4711, "source": "click", "askedBy": "key shop" }));
        let check = NewClick::check_of(FlowId::new(TenantId::DEFAULT, LINE_CHECK).unwrap());
        assert_eq!(shown(&check), json!({ "source": "check" }));
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused_by_its_field() {
        assert_eq!(click().check(), Ok(()));
        let name = |name: String| NewClick { customer: ChatCustomer { id: String::new(), name }, ..click() };
        assert_eq!(name("a".repeat(CLICK_WORD_MAX)).check(), Ok(()));
        for bad in ["a".repeat(CLICK_WORD_MAX + 1), "Ann\r\nVia: x".into()] {
            assert_eq!(name(bad).check(), Err(ClickFault::BadText("customer")));
        }
        let page = |page: String| NewClick { page, ..click() }.check();
        assert_eq!(page("a".repeat(CLICK_PAGE_MAX)), Ok(()));
        assert_eq!(page("a".repeat(CLICK_PAGE_MAX + 1)), Err(ClickFault::BadText("page")));
        let data = |data: BTreeMap<String, Value>| NewClick { data, ..click() }.check();
        let many = |count: usize| (0..count).map(|n| (n.to_string(), json!(true))).collect();
        assert_eq!(data(many(DATA_ENTRIES_MAX - OWN_ENTRIES)), Ok(()));
        assert_eq!(data(many(DATA_ENTRIES_MAX)), Err(ClickFault::BadData("data entries")));
        let long = |bytes: usize| BTreeMap::from([("a".to_owned(), json!("x".repeat(bytes)))]);
        assert_eq!(data(long(DATA_VALUE_MAX + 1)), Err(ClickFault::BadData("data value")));
        let none = BTreeMap::from([(String::new(), json!(1))]);
        assert_eq!(data(none), Err(ClickFault::BadData("data key")));
    }
}
