//! The routing point: who is asked where a new call goes, and what may be answered.

use crate::notes::Notes;
use cordboard_model::calendar::CalendarState;
use cordboard_model::cause::Cause;
use cordboard_model::config::Tenant;
use cordboard_model::fetch::Fetch;
use cordboard_model::id::{AgentId, FlowId, Name, TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::Destination;
use serde_json::Value;
use std::collections::BTreeMap;

/// Says where calls go. Pure: the same request and context give the same verdict.
pub trait RoutingPlugin: Send + Sync {
    /// The name that a tenant's `routing` list calls it by.
    fn name(&self) -> &'static str;

    /// Answers for a new call. What it looked at and did not take goes into `notes`.
    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, notes: &mut Notes) -> Verdict;

    /// Goes on after [`Verdict::Ask`]. Asking again is allowed [`crate::ASKS_MAX`] times, but not
    /// after [`AskAnswer::Late`].
    fn resume(
        &self,
        req: &RouteRequest,
        answer: AskAnswer,
        ctx: &dyn RouteContext,
        notes: &mut Notes,
    ) -> Verdict {
        let _ = (req, answer, ctx, notes);
        Verdict::Pass { why: "it asks nothing and was given an answer".into() }
    }
}

/// A new call, as the plugins before this one left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRequest {
    /// Whose call it is.
    pub tenant: TenantId,
    /// Who calls.
    pub from: PartyId,
    /// What was dialled.
    pub to: PartyId,
    /// The trunk it came by.
    pub trunk: Option<TrunkId>,
    /// The account that authenticated.
    pub user: Option<UserId>,
    /// When; the time that schedules are judged by.
    pub at: Wall,
    /// A random number, drawn for this call: what a plugin that shares calls out decides by.
    pub draw: u64,
    /// Diversions that it brought along.
    pub diversions: u8,
    /// Its place in a queue: 0 unless a plugin gave it another.
    pub priority: u8,
    /// Where it goes if nobody answers where it is sent.
    pub otherwise: Option<Destination>,
    /// Call data that plugins gave it.
    pub data: BTreeMap<String, Value>,
    /// What earlier plugins changed, oldest first. The fields above hold the result.
    pub amended: Vec<Change>,
}

impl RouteRequest {
    /// A call to a number of a tenant, by nobody, at the beginning of time.
    pub fn new(tenant: TenantId, from: PartyId, to: PartyId) -> Self {
        Self {
            tenant,
            from,
            to,
            trunk: None,
            user: None,
            at: Wall(0),
            draw: 0,
            diversions: 0,
            priority: 0,
            otherwise: None,
            data: BTreeMap::new(),
            amended: Vec::new(),
        }
    }
}

/// Whether a trunk can carry one more call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkRoom {
    /// It can.
    Ready,
    /// An operator has taken it out of service.
    Blocked,
    /// It carries as many as it may, or as many have begun in this second.
    Full,
    /// None of its gateways answers.
    Down,
    /// There is no such trunk, or no gateway to send calls to.
    Missing,
}

impl TrunkRoom {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            TrunkRoom::Ready => "ready",
            TrunkRoom::Blocked => "taken out of service",
            TrunkRoom::Full => "full",
            TrunkRoom::Down => "down: none of its gateways answers",
            TrunkRoom::Missing => "without a gateway",
        }
    }
}

/// What a plugin may see: the tenant of the request, nothing beyond it.
pub trait RouteContext {
    /// The tenant's configuration.
    fn tenant(&self) -> &Tenant;

    /// How many devices an account has registered.
    fn contacts(&self, user: &UserId) -> u32;

    /// The agent whose calls ring at an account.
    fn agent_of(&self, user: &UserId) -> Option<AgentId>;

    /// What a calendar says of a moment; none if there is no such calendar.
    fn calendar(&self, name: &Name, at: Wall) -> Option<CalendarState>;

    /// The row of a key in a table, by the names of its columns: that of the API before that of the file.
    fn row(&self, table: &Name, key: &str) -> Option<Vec<(String, String)>>;

    /// The agent who talked to this caller last, and how long ago.
    fn last_agent(&self, caller: &str) -> Option<(AgentId, Duration)>;

    /// Whether an agent could take a call now.
    fn is_ready(&self, agent: &AgentId) -> bool;

    /// Whether a trunk can carry one more call now.
    fn trunk(&self, id: &TrunkId) -> TrunkRoom;

    /// How many calls are up between these two numbers, this one included.
    fn alike(&self, from: &str, to: &str) -> u32;

    /// How many emergency calls are up.
    fn urgent(&self) -> u32;
}

/// A plugin's answer. `why` is read by operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not mine; ask the next.
    Pass {
        /// Why not.
        why: String,
    },
    /// Change the request, then ask the next, or hold to this verdict about it.
    Amend {
        /// The changes.
        changes: Vec<Change>,
        /// Why.
        why: String,
        /// What the same plugin says to the request that it has changed; none: the next one is asked.
        then: Option<Box<Verdict>>,
    },
    /// The call goes there; nobody else is asked.
    Decide {
        /// Where.
        to: Destination,
        /// Why.
        why: String,
    },
    /// The call leaves by the first of these trunks that takes it; nobody else is asked.
    Leave {
        /// The trunks in the order in which they are tried; never empty.
        by: Vec<TrunkId>,
        /// The number that is called.
        number: String,
        /// It is a call for help.
        urgent: Option<Box<Urgent>>,
        /// Why.
        why: String,
    },
    /// The call is refused; nobody else is asked.
    Refuse {
        /// Why, for the caller.
        cause: Cause,
        /// Why, for the operator.
        why: String,
    },
    /// Something outside has to be known first.
    Ask {
        /// What.
        what: Ask,
        /// How long it is worth waiting; at most [`crate::ROUTE_ASK_MAX`].
        deadline: Duration,
        /// What for.
        why: String,
    },
}

/// A change of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another called number.
    To(PartyId),
    /// Another caller, as shown.
    From(PartyId),
    /// Another place in a queue.
    Priority(u8),
    /// Where it goes if nobody answers where it is sent.
    Otherwise(Destination),
    /// Call data.
    Data {
        /// Its name.
        key: String,
        /// Its value.
        value: Value,
    },
}

/// A call for help: it says where it comes from, and goes on whoever refuses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Urgent {
    /// The number that is shown; the caller's own if none.
    pub caller: Option<String>,
    /// Where the caller is: a URI for Geolocation (RFC 6442).
    pub location: Option<String>,
    /// It goes where others must not. Not so of one beyond as many as may.
    pub first: bool,
}

/// A question to the world. (What is in a table is no question: see [`RouteContext::row`].)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// This, by HTTP, within what the tenant may ask; answered by [`AskAnswer::Fetched`].
    Fetch(Box<Fetch>),
    /// What one of the tenant's flows returns, which may ask and look up but not touch the call; answered by
    /// [`AskAnswer::Returned`].
    Flow(FlowId),
}

/// What a question led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskAnswer {
    /// An HTTP answer, whatever its status.
    Fetched {
        /// HTTP status.
        status: u16,
        /// Its body.
        body: String,
    },
    /// What the flow returned, as JSON; none if it returned nothing.
    Returned(Option<String>),
    /// It could not be asked: not allowed, not reachable, an error in Lua.
    Failed {
        /// Why.
        why: String,
    },
    /// The deadline passed first.
    Late,
}
