//! The routing point: who is asked where a new call goes, and what may be answered.

use cordboard_model::cause::Cause;
use cordboard_model::config::Tenant;
use cordboard_model::id::{AgentId, FlowId, TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::Destination;

/// Says where calls go. Pure: the same request and context give the same verdict.
pub trait RoutingPlugin: Send + Sync {
    /// The name that a tenant's `routing` list calls it by.
    fn name(&self) -> &'static str;

    /// Answers for a new call.
    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext) -> Verdict;

    /// Goes on after [`Verdict::Ask`]. Asking again is allowed [`crate::ASKS_MAX`] times, but not
    /// after [`AskAnswer::Late`].
    fn resume(&self, req: &RouteRequest, answer: AskAnswer, ctx: &dyn RouteContext) -> Verdict {
        let _ = (req, answer, ctx);
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
    /// What earlier plugins changed, oldest first. `from` and `to` hold the result.
    pub amended: Vec<Change>,
}

/// What a plugin may see: the tenant of the request, nothing beyond it.
pub trait RouteContext {
    /// The tenant's configuration.
    fn tenant(&self) -> &Tenant;

    /// How many devices an account has registered.
    fn contacts(&self, user: &UserId) -> u32;

    /// The agent whose calls ring at an account.
    fn agent_of(&self, user: &UserId) -> Option<AgentId>;
}

/// A plugin's answer. `why` is read by operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not mine; ask the next.
    Pass {
        /// Why not.
        why: String,
    },
    /// Change the request, then ask the next.
    Amend {
        /// The change.
        change: Change,
        /// Why.
        why: String,
    },
    /// The call goes there; nobody else is asked.
    Decide {
        /// Where.
        to: Destination,
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
}

/// A question to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// GET this address; answered by [`AskAnswer::Fetched`].
    Fetch {
        /// Absolute URL; its host must be allowed.
        url: String,
    },
    /// A value of the tenant's store; answered by [`AskAnswer::Value`].
    Lookup {
        /// The table.
        table: String,
        /// The key.
        key: String,
    },
    /// A function of one of the tenant's flows; answered by [`AskAnswer::Value`].
    LuaFunction {
        /// The flow that defines it.
        flow: FlowId,
        /// Its name.
        function: String,
        /// What it is called with.
        arguments: Vec<String>,
    },
}

/// What a question led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskAnswer {
    /// An HTTP answer, whatever its status.
    Fetched {
        /// HTTP status.
        status: u16,
        /// Its body.
        body: Vec<u8>,
    },
    /// A value, if there is one.
    Value(Option<String>),
    /// It could not be asked: not allowed, not reachable, an error in Lua.
    Failed {
        /// Why.
        why: String,
    },
    /// The deadline passed first.
    Late,
}
