//! Calls that visitors of web pages begin: given to a page, taken when it calls, forgotten when it does not.
//!
//! Invariants: what is given begins one call, to the queue or the check that it is for, and nothing else; the call has the id that
//! was given; who calls and where he comes from is what the integrator's server has said, whatever the page says. Checks, which
//! anybody may have, are few.

use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_call::{CallInput, Marks};
use cordboard_model::cause::Cause;
use cordboard_model::click::{
    CHECKS_MAX, CLICK_WAIT, CLICKS_MAX, ClickFault, ClickTo, NOBODY, NewClick, OpenedClick,
};
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
use std::collections::{BTreeMap, BTreeSet};

/// How long a caller waits for the agent whom he has first.
const AGENT_WAIT: Duration = Duration::from_secs(60);
const UNUSED: TimerReason = TimerReason("a click that was not used");

/// One that has called.
#[derive(Clone, Debug)]
struct Begun {
    to: ClickTo,
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
    /// Checks that were given or are up.
    checks: BTreeSet<CallId>,
}

impl Clicks {
    /// Calls to queues that were given and are not used.
    fn given_of(&self, tenant: TenantId) -> usize {
        let to_queue = |(_, click): &(&CallId, &NewClick)| matches!(click.to, ClickTo::Queue(_));
        self.given.iter().filter(to_queue).filter(|(call, _)| call.tenant == tenant).count()
    }

    fn checks_of(&self, tenant: TenantId) -> usize {
        self.checks.iter().filter(|call| call.tenant == tenant).count()
    }

    /// Takes one out of those that may begin; gives its call data.
    pub(crate) fn begin(&mut self, call: CallId) -> BTreeMap<String, Value> {
        let Some(click) = self.given.remove(&call) else { return BTreeMap::new() };
        self.until.clear(&call);
        let data = click.call_data();
        let NewClick { to, priority, agent, .. } = click;
        self.begun.insert(call, Begun { to, priority, agent, routed: false });
        data
    }

    /// Forgets those that nobody has used.
    pub(crate) fn handle_timeout(&mut self, now: Time) {
        while let Some(call) = self.until.pop_due(now) {
            self.given.remove(&call);
            self.checks.remove(&call);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.until.next()
    }

    /// The call is over.
    pub(crate) fn forget(&mut self, call: CallId) {
        self.begun.remove(&call);
        self.checks.remove(&call);
    }

    /// Whether none has called that is not where it goes.
    pub(crate) fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    /// The agent whom a caller has first in the queue that he came for, once.
    pub(crate) fn wish(&mut self, call: CallId, queue: &QueueId) -> Option<Wish> {
        let begun = self.begun.remove(&call)?;
        let agent = begun.agent.filter(|_| matches!(&begun.to, ClickTo::Queue(own) if own == queue))?;
        Some(Wish { agent, wait: Some(AGENT_WAIT) })
    }
}

impl Shard {
    /// Gives what a visitor's page calls a queue or a check by, once and within [`CLICK_WAIT`].
    ///
    /// # Errors
    /// See [`ClickFault`]; nothing is changed then.
    pub fn open_click(&mut self, new: NewClick, now: Time) -> Result<OpenedClick, ClickFault> {
        self.now = now.max(self.now);
        self.clicks.handle_timeout(self.now);
        if self.stop != Stop::No || self.unrecordable {
            return Err(ClickFault::NoCalls);
        }
        let tenant = new.to.tenant();
        let video = match &new.to {
            ClickTo::Queue(queue) => self.may_call(queue, &new)?,
            ClickTo::Check(flow) => {
                self.snapshot.flow(flow).ok_or(ClickFault::NoSuchFlow)?;
                false
            }
        };
        let is_check = matches!(new.to, ClickTo::Check(_));
        if is_check && self.clicks.checks_of(tenant) >= CHECKS_MAX {
            return Err(ClickFault::TooManyChecks);
        }
        if !is_check && self.clicks.given_of(tenant) >= CLICKS_MAX {
            return Err(ClickFault::TooMany);
        }
        let (call, to) = (self.calls.new_call(tenant), new.to.name().clone());
        let (domain, pass) = self.sip.guest_pass(call);
        if is_check {
            self.clicks.checks.insert(call);
        }
        self.clicks.given.insert(call, new);
        self.clicks.until.set(call, self.now + CLICK_WAIT, UNUSED);
        Ok(OpenedClick {
            call,
            to,
            domain,
            username: pass.username,
            password: Secret(pass.password),
            lasts: CLICK_WAIT,
            video,
        })
    }

    /// A visitor may be given a call to the queue as it is asked for. Says whether it is one of video.
    fn may_call(&self, queue: &QueueId, new: &NewClick) -> Result<bool, ClickFault> {
        let kind = self.snapshot.queue(queue).ok_or(ClickFault::NoSuchQueue)?.service.kind;
        if !kind.is_click() {
            return Err(ClickFault::NotOfClicks);
        }
        new.check()?;
        if let Some(agent) = &new.agent {
            self.may_take(queue, agent)?;
        }
        Ok(kind == QueueKind::VideoClick)
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
        let click = self.clicks.given.get(&call).filter(|click| click.to.tenant() == incoming.tenant);
        let there = |to: &ClickTo| match to {
            ClickTo::Queue(queue) => self.snapshot.queue(queue).is_some_and(|q| q.service.kind.is_click()),
            ClickTo::Check(flow) => self.snapshot.flow(flow).is_some(),
        };
        let refused = match click {
            None => Some((Cause::Forbidden, "used already, or too late: ask for another")),
            Some(click) if click.to.name().as_str() != incoming.to.user => {
                Some((Cause::Forbidden, "for another destination than this"))
            }
            Some(click) if !there(&click.to) => Some((Cause::NotFound, "what it was for is gone")),
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

    /// A visitor's call goes where he was given it for, by nobody's rules. False if it is no such call, or was sent
    /// there already.
    pub(crate) fn routes_click(&mut self, call: CallId) -> bool {
        let Some(begun) = self.clicks.begun.get_mut(&call).filter(|begun| !begun.routed) else {
            return false;
        };
        begun.routed = true;
        let Begun { to, priority, agent, .. } = begun.clone();
        if agent.is_none() {
            self.clicks.begun.remove(&call);
        }
        let (why, to) = match to {
            ClickTo::Queue(queue) => {
                let why = format!("a visitor of a web page was given this one call to queue {}", queue.name);
                (why, Destination::Queue(queue))
            }
            ClickTo::Check(flow) => {
                let why = format!("a page has its way to the switch measured by flow {}", flow.name);
                (why, Destination::Flow(flow))
            }
        };
        let reason = RouteReason {
            plugin: "click".to_owned(),
            verdict: "decide".to_owned(),
            why,
            rejected: Vec::new(),
        };
        if priority > 0 {
            let marks = Marks { priority, ..Marks::default() };
            self.tell_call(call, CallInput::Marked { call, marks });
        }
        self.tell_call(call, CallInput::Routed { call, to, reasons: vec![reason] });
        true
    }
}
