//! Calls that visitors of web pages begin: given to a page, taken when it calls, forgotten when it does not.
//!
//! Invariants: what is given begins one call, to the queue that it is for, and nothing else; the call has the id that was given;
//! who calls and where he comes from is what the integrator's server has said, whatever the page says.

use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_call::{CallInput, Marks};
use cordboard_model::cause::Cause;
use cordboard_model::click::{CLICK_WAIT, CLICKS_MAX, ClickFault, NOBODY, NewClick, OpenedClick};
use cordboard_model::config::Secret;
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::service::QueueKind;
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::verb::{Destination, Wish};
use cordboard_model::view::{AgentStatus, RouteReason};
use cordboard_sip::engine::{IncomingCall, SipCommand};
use cordboard_sip::identity::Identity;
use serde_json::Value;
use std::collections::BTreeMap;

/// How long a caller waits for the agent whom he has first.
const AGENT_WAIT: Duration = Duration::from_secs(60);
const UNUSED: TimerReason = TimerReason("a click that was not used");

/// One that has called.
#[derive(Clone, Debug)]
struct Begun {
    queue: QueueId,
    priority: u8,
    agent: Option<AgentId>,
    routed: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Clicks {
    /// Those that were given and are not used.
    given: BTreeMap<CallId, NewClick>,
    until: Deadlines<CallId>,
    /// Those that have called, until they are where they go.
    begun: BTreeMap<CallId, Begun>,
}

impl Clicks {
    fn given_of(&self, tenant: TenantId) -> usize {
        self.given.keys().filter(|call| call.tenant == tenant).count()
    }

    /// Takes one out of those that may begin; gives its call data.
    pub(crate) fn begin(&mut self, call: CallId) -> BTreeMap<String, Value> {
        let Some(click) = self.given.remove(&call) else { return BTreeMap::new() };
        self.until.clear(&call);
        let data = click.call_data();
        let NewClick { queue, priority, agent, .. } = click;
        self.begun.insert(call, Begun { queue, priority, agent, routed: false });
        data
    }

    /// Forgets those that nobody has used.
    pub(crate) fn handle_timeout(&mut self, now: Time) {
        while let Some(call) = self.until.pop_due(now) {
            self.given.remove(&call);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.until.next()
    }

    pub(crate) fn forget(&mut self, call: CallId) {
        self.begun.remove(&call);
    }

    /// Whether none has called that is not where it goes.
    pub(crate) fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    /// The agent whom a caller has first in the queue that he came for, once.
    pub(crate) fn wish(&mut self, call: CallId, queue: &QueueId) -> Option<Wish> {
        let begun = self.begun.remove(&call)?;
        let agent = begun.agent.filter(|_| begun.queue == *queue)?;
        Some(Wish { agent, wait: Some(AGENT_WAIT) })
    }
}

impl Shard {
    /// Gives what a visitor's page calls a queue by, once and within [`CLICK_WAIT`].
    ///
    /// # Errors
    /// See [`ClickFault`]; nothing is changed then.
    pub fn open_click(&mut self, new: NewClick, now: Time) -> Result<OpenedClick, ClickFault> {
        self.now = now.max(self.now);
        self.clicks.handle_timeout(self.now);
        if self.stop != Stop::No || self.unrecordable {
            return Err(ClickFault::NoCalls);
        }
        let queue = self.snapshot.queue(&new.queue).ok_or(ClickFault::NoSuchQueue)?;
        let kind = queue.service.kind;
        if !kind.is_click() {
            return Err(ClickFault::NotOfClicks);
        }
        new.check()?;
        if let Some(agent) = &new.agent {
            self.may_take(&new.queue, agent)?;
        }
        let tenant = new.queue.tenant;
        if self.clicks.given_of(tenant) >= CLICKS_MAX {
            return Err(ClickFault::TooMany);
        }
        let (call, queue) = (self.calls.new_call(tenant), new.queue.clone());
        let (domain, pass) = self.sip.guest_pass(call);
        self.clicks.given.insert(call, new);
        self.clicks.until.set(call, self.now + CLICK_WAIT, UNUSED);
        Ok(OpenedClick {
            call,
            queue,
            domain,
            username: pass.username,
            password: Secret(pass.password),
            lasts: CLICK_WAIT,
            video: kind == QueueKind::VideoClick,
        })
    }

    /// The agent serves the queue and is signed in.
    fn may_take(&self, queue: &QueueId, agent: &AgentId) -> Result<(), ClickFault> {
        let serves = self.snapshot.agent(agent).is_some_and(|known| known.queues.contains(queue));
        let is_in = self.acd.agent(agent).is_some_and(|view| view.status != AgentStatus::SignedOut);
        if agent.tenant == queue.tenant && serves && is_in { Ok(()) } else { Err(ClickFault::NoSuchAgent) }
    }

    /// Whether a call that has come is a visitor's, who may begin it; he is shown as his server has named him. A visitor's that
    /// may not is refused here.
    ///
    /// # Errors
    /// It was refused.
    pub(crate) fn is_click(&mut self, incoming: &mut IncomingCall) -> Result<bool, ()> {
        let Some(call) = incoming.guest else {
            return Ok(false);
        };
        let click = self.clicks.given.get(&call).filter(|click| click.queue.tenant == incoming.tenant);
        let there =
            |queue: &QueueId| self.snapshot.queue(queue).is_some_and(|queue| queue.service.kind.is_click());
        let refused = match click {
            None => Some((Cause::Forbidden, "used already, or too late: ask for another")),
            Some(click) if click.queue.name.as_str() != incoming.to.user => {
                Some((Cause::Forbidden, "for another destination than this"))
            }
            Some(click) if !there(&click.queue) => Some((Cause::NotFound, "the queue is gone")),
            Some(_) => None,
        };
        if let Some((cause, why)) = refused {
            self.figures.calls_refused += 1;
            self.ladder.refused(incoming.tenant, &incoming.call_id);
            let (session, text) = (incoming.session, Some(why.to_owned()));
            self.sip.handle_command(SipCommand::HangUp { session, cause, text }, self.now);
            return Err(());
        }
        if let Some(click) = click {
            let name = if click.customer.id.is_empty() { NOBODY } else { &click.customer.id };
            incoming.from = PartyId { user: name.to_owned(), display: click.customer.name.clone() };
        }
        *incoming.identity = Identity::default();
        Ok(true)
    }

    /// A visitor's call goes to the queue that he was given it for, by nobody's rules. False if it is no such call, or was sent
    /// there already.
    pub(crate) fn routes_click(&mut self, call: CallId) -> bool {
        let Some(begun) = self.clicks.begun.get_mut(&call).filter(|begun| !begun.routed) else {
            return false;
        };
        begun.routed = true;
        let Begun { queue, priority, agent, .. } = begun.clone();
        if agent.is_none() {
            self.clicks.forget(call);
        }
        let reason = RouteReason {
            plugin: "click".to_owned(),
            verdict: "decide".to_owned(),
            why: format!("a visitor of a web page was given this one call to queue {}", queue.name),
            rejected: Vec::new(),
        };
        if priority > 0 {
            let marks = Marks { priority, ..Marks::default() };
            self.tell_call(call, CallInput::Marked { call, marks });
        }
        let to = Destination::Queue(queue);
        self.tell_call(call, CallInput::Routed { call, to, reasons: vec![reason] });
        true
    }
}
