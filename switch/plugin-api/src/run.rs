//! One call's way through the routing plugins.
//!
//! Invariant: a run ends. Every place of the order is taken once and never returned to, a place
//! asks the world at most [`ASKS_MAX`] times, each question has a deadline, and nothing is asked
//! later than [`ROUTE_RUN_MAX`] after the start. Every plugin asked has left its reason.

use crate::notes::Notes;
use crate::registry::{Order, Registry};
use crate::routing::{Ask, AskAnswer, Change, RouteContext, RouteRequest, RoutingPlugin, Urgent, Verdict};
use crate::words::{destination, shown};
use cordboard_model::cause::Cause;
use cordboard_model::id::{TenantId, TrunkId};
use cordboard_model::routes::is_dialable;
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::verb::Destination;
use cordboard_model::view::RouteReason;

/// Longest a routing plugin may wait for one answer. The caller hears nothing meanwhile, and a
/// peer that got 100 waits long enough; 2 s is what people take for "it is dialling".
pub const ROUTE_ASK_MAX: Duration = Duration::from_secs(2);
/// Longest all plugins of one call may wait together; questions after it are late at once.
pub const ROUTE_RUN_MAX: Duration = Duration::from_secs(4);
/// Most amendments of one request. More means plugins that rewrite each other's numbers.
pub const AMENDMENTS_MAX: usize = 8;
/// Most questions a plugin may ask about one request.
pub const ASKS_MAX: u32 = 4;

/// The number of a question within its run; an answer to an earlier one is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(u32);

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteStep {
    /// The world is asked. Answer by [`RouteRun::handle_answer`], or wake the run at `until`.
    Ask {
        /// To be given back with the answer.
        id: AskId,
        /// The question.
        what: Ask,
        /// When it is too late.
        until: Time,
    },
    /// The run is over.
    Done(Box<RouteOutcome>),
}

/// What a run led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteOutcome {
    /// The decision.
    pub end: RouteEnd,
    /// The request as the plugins left it.
    pub request: RouteRequest,
    /// What each plugin said, in order.
    pub reasons: Vec<RouteReason>,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteEnd {
    /// The call goes there.
    Decided {
        /// Where.
        to: Destination,
        /// Trunks that are tried after it, where it is one.
        others: Vec<TrunkId>,
        /// It is a call for help.
        urgent: Option<Box<Urgent>>,
    },
    /// The call is refused.
    Refused {
        /// Why, for the caller; [`Cause::NoRoute`] when every plugin passed.
        cause: Cause,
        /// Why, for the operator.
        why: String,
    },
}

/// One call's way through the plugins of its tenant. Plain data.
#[derive(Clone, Debug)]
pub struct RouteRun {
    order: Order,
    request: RouteRequest,
    reasons: Vec<RouteReason>,
    started: Time,
    place: usize,
    amendments: usize,
    asks: u32,
    serial: u32,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Asking { id: AskId, until: Time },
    Done,
}

/// What one verdict means for the run.
enum Turn {
    Next,
    Wait(Ask, Time),
    Late,
    End(RouteEnd),
}

impl RouteRun {
    /// A run of `order` over `request`.
    pub fn new(order: Order, request: RouteRequest, now: Time) -> Self {
        Self {
            order,
            request,
            reasons: Vec::new(),
            started: now,
            place: 0,
            amendments: 0,
            asks: 0,
            serial: 0,
            state: State::Fresh,
        }
    }

    /// Asks the plugins until one decides or the world must be asked. None if it was started before.
    pub fn start(&mut self, registry: &Registry, ctx: &dyn RouteContext, now: Time) -> Option<RouteStep> {
        if self.state != State::Fresh {
            return None;
        }
        Some(self.advance(None, registry, ctx, now))
    }

    /// Goes on with an answer. None if that question is not open: answered, or late before.
    pub fn handle_answer(
        &mut self,
        id: AskId,
        answer: AskAnswer,
        registry: &Registry,
        ctx: &dyn RouteContext,
        now: Time,
    ) -> Option<RouteStep> {
        match self.state {
            State::Asking { id: open, until } if open == id => {
                let answer = if now >= until { AskAnswer::Late } else { answer };
                Some(self.advance(Some(answer), registry, ctx, now))
            }
            _ => None,
        }
    }

    /// Tells the plugin that it is too late, if it is.
    pub fn handle_timeout(
        &mut self,
        registry: &Registry,
        ctx: &dyn RouteContext,
        now: Time,
    ) -> Option<RouteStep> {
        match self.state {
            State::Asking { until, .. } if now >= until => {
                Some(self.advance(Some(AskAnswer::Late), registry, ctx, now))
            }
            _ => None,
        }
    }

    /// When the open question is late.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        match self.state {
            State::Asking { until, .. } => Some((until, TimerReason("route: answer late"))),
            State::Fresh | State::Done => None,
        }
    }

    /// The request as the plugins have left it so far.
    pub fn request(&self) -> &RouteRequest {
        &self.request
    }

    /// What was said so far.
    pub fn reasons(&self) -> &[RouteReason] {
        &self.reasons
    }

    /// Whether the run is over.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    fn advance(
        &mut self,
        mut answer: Option<AskAnswer>,
        registry: &Registry,
        ctx: &dyn RouteContext,
        now: Time,
    ) -> RouteStep {
        loop {
            let Some(plugin) = registry.plugin(&self.order, self.place) else {
                let end = self.nobody_decided();
                return self.finish(end);
            };
            let late = answer == Some(AskAnswer::Late);
            if late {
                self.note(plugin, "late", "no answer came in time".into());
            }
            let mut notes = Notes::default();
            let verdict = match answer.take() {
                Some(answer) => plugin.resume(&self.request, answer, ctx, &mut notes),
                None => plugin.route(&self.request, ctx, &mut notes),
            };
            let before = self.reasons.len();
            let turn = self.take(plugin, verdict, late, now);
            if let Some(reason) = self.reasons.get_mut(before) {
                reason.rejected = notes.into_lines();
            }
            match turn {
                Turn::Next => {
                    self.place += 1;
                    self.asks = 0;
                }
                Turn::Late => answer = Some(AskAnswer::Late),
                Turn::Wait(what, until) => {
                    self.serial += 1;
                    let id = AskId(self.serial);
                    self.state = State::Asking { id, until };
                    return RouteStep::Ask { id, what, until };
                }
                Turn::End(end) => return self.finish(end),
            }
        }
    }

    fn take(&mut self, plugin: &dyn RoutingPlugin, verdict: Verdict, late: bool, now: Time) -> Turn {
        match verdict {
            Verdict::Pass { why } => {
                self.note(plugin, "pass", why);
                Turn::Next
            }
            Verdict::Amend { changes, why, then } => {
                self.note(plugin, "amend", why);
                match (self.amend(changes), then) {
                    // it holds to one verdict, and changes nothing a second time
                    (Turn::Next, Some(verdict)) if !matches!(*verdict, Verdict::Amend { .. }) => {
                        self.take(plugin, *verdict, late, now)
                    }
                    (turn, _) => turn,
                }
            }
            Verdict::Decide { to, why } => self.decide(plugin, (to, Vec::new(), None), why),
            Verdict::Leave { by, number, urgent, why } => {
                let mut by = by.into_iter();
                match by.next() {
                    Some(first) => {
                        self.decide(plugin, (Destination::Trunk(first, number), by.collect(), urgent), why)
                    }
                    None => {
                        self.note(plugin, "pass", "it named no trunk to leave by".into());
                        Turn::Next
                    }
                }
            }
            Verdict::Refuse { cause, why } => {
                self.note(plugin, "refuse", why.clone());
                Turn::End(RouteEnd::Refused { cause, why })
            }
            Verdict::Ask { what, deadline, why } => {
                self.note(plugin, "ask", why);
                self.ask(plugin, what, deadline, late, now)
            }
        }
    }

    /// A decision holds if it is for the tenant's own, and a number that leaves is one.
    fn decide(
        &mut self,
        plugin: &dyn RoutingPlugin,
        (to, others, urgent): (Destination, Vec<TrunkId>, Option<Box<Urgent>>),
        why: String,
    ) -> Turn {
        let own = |tenant| tenant == self.request.tenant;
        let fault = if !own(tenant_of(&to)) || !others.iter().all(|trunk| own(trunk.tenant)) {
            let tenant = self.request.tenant;
            Some(format!("it decided for {}, which is not of tenant {tenant}", destination(&to)))
        } else if let Destination::Trunk(_, number) = &to
            && !is_dialable(number)
        {
            Some(format!("it decided for the number {}, which cannot be dialled", shown(number)))
        } else {
            None
        };
        match fault {
            Some(why) => {
                self.note(plugin, "refuse", why.clone());
                Turn::End(RouteEnd::Refused { cause: Cause::InternalError, why })
            }
            None => {
                self.note(plugin, "decide", why);
                Turn::End(RouteEnd::Decided { to, others, urgent })
            }
        }
    }

    fn amend(&mut self, changes: Vec<Change>) -> Turn {
        if self.amendments >= AMENDMENTS_MAX {
            let why = format!("the request was amended {AMENDMENTS_MAX} times, which is the limit");
            return Turn::End(RouteEnd::Refused { cause: Cause::InternalError, why });
        }
        self.amendments += 1;
        for change in changes {
            match &change {
                Change::To(to) if !is_dialable(&to.user) => {
                    let why = format!("the number became {}, which cannot be dialled", shown(&to.user));
                    return Turn::End(RouteEnd::Refused { cause: Cause::InternalError, why });
                }
                Change::To(to) => self.request.to = to.clone(),
                Change::From(from) => self.request.from = from.clone(),
                Change::Otherwise(to) if tenant_of(to) != self.request.tenant => {
                    let why = format!("{} is not of tenant {}", destination(to), self.request.tenant);
                    return Turn::End(RouteEnd::Refused { cause: Cause::InternalError, why });
                }
                Change::Otherwise(to) => self.request.otherwise = Some(to.clone()),
                Change::Priority(priority) => self.request.priority = *priority,
                Change::Data { key, value } => {
                    self.request.data.insert(key.clone(), value.clone());
                }
            }
            self.request.amended.push(change);
        }
        Turn::Next
    }

    fn ask(&mut self, plugin: &dyn RoutingPlugin, what: Ask, wish: Duration, late: bool, now: Time) -> Turn {
        if late || self.asks >= ASKS_MAX {
            let why = match late {
                true => "it asked again after it was told that it is late".into(),
                false => format!("it asked more than {ASKS_MAX} times"),
            };
            self.note(plugin, "pass", why);
            return Turn::Next;
        }
        self.asks += 1;
        let until = (now + wish.min(ROUTE_ASK_MAX)).min(self.started + ROUTE_RUN_MAX);
        match until > now {
            true => Turn::Wait(what, until),
            false => Turn::Late,
        }
    }

    fn nobody_decided(&self) -> RouteEnd {
        let tenant = self.request.tenant;
        let why = match self.order.len() {
            0 => format!("tenant {tenant} has no routing plugins"),
            1 => format!("the one routing plugin of tenant {tenant} passed"),
            n => format!("all {n} routing plugins of tenant {tenant} passed"),
        };
        RouteEnd::Refused { cause: Cause::NoRoute, why }
    }

    fn note(&mut self, plugin: &dyn RoutingPlugin, verdict: &str, why: String) {
        self.reasons.push(RouteReason {
            plugin: plugin.name().into(),
            verdict: verdict.into(),
            why,
            rejected: Vec::new(),
        });
    }

    fn finish(&mut self, end: RouteEnd) -> RouteStep {
        self.state = State::Done;
        RouteStep::Done(Box::new(RouteOutcome {
            end,
            request: self.request.clone(),
            reasons: self.reasons.clone(),
        }))
    }
}

fn tenant_of(to: &Destination) -> TenantId {
    match to {
        Destination::Flow(id) => id.tenant,
        Destination::Queue(id) => id.tenant,
        Destination::Agent(id) => id.tenant,
        Destination::User(id) => id.tenant,
        Destination::Trunk(id, _) => id.tenant,
    }
}
