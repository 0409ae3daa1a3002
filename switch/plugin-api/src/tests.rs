//! Runs of scripted plugins: each row of a script is one verdict, given in turn.

use crate::*;
use cordboard_model::cause::Cause;
use cordboard_model::config::Tenant;
use cordboard_model::id::{AgentId, QueueId, TenantId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::{Duration, Time, Wall};
use cordboard_model::verb::Destination;
use std::sync::Mutex;

const T: TenantId = TenantId::DEFAULT;

/// Answers from a script and remembers what it was resumed with. Real plugins keep nothing.
struct Scripted {
    name: &'static str,
    script: Mutex<Vec<Verdict>>,
    forever: Option<Verdict>,
}

impl Scripted {
    fn next(&self) -> Verdict {
        let mut script = self.script.lock().unwrap();
        match (script.is_empty(), &self.forever) {
            (true, Some(verdict)) => verdict.clone(),
            _ => script.remove(0),
        }
    }
}

impl RoutingPlugin for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn route(&self, _req: &RouteRequest, _ctx: &dyn RouteContext) -> Verdict {
        self.next()
    }

    fn resume(&self, req: &RouteRequest, answer: AskAnswer, _ctx: &dyn RouteContext) -> Verdict {
        match answer {
            AskAnswer::Value(Some(to)) => {
                Verdict::Decide { to: queue(&to), why: format!("{} is in the table", req.to.user) }
            }
            AskAnswer::Late if self.forever.is_none() => {
                Verdict::Pass { why: "the table did not answer".into() }
            }
            _ => self.next(),
        }
    }
}

fn queue(name: &str) -> Destination {
    Destination::Queue(QueueId::new(T, name).unwrap())
}

fn pass(why: &str) -> Verdict {
    Verdict::Pass { why: why.into() }
}

fn decide(name: &str) -> Verdict {
    Verdict::Decide { to: queue(name), why: format!("it is for {name}") }
}

fn amend(to: &str) -> Verdict {
    Verdict::Amend { change: Change::To(PartyId::new(to)), why: format!("called {to} now") }
}

fn lookup() -> Ask {
    Ask::Lookup { table: "vip".into(), key: "500".into() }
}

fn ask(deadline: Duration) -> Verdict {
    Verdict::Ask { what: lookup(), deadline, why: "whether he is a VIP".into() }
}

struct Context(Tenant);

impl RouteContext for Context {
    fn tenant(&self) -> &Tenant {
        &self.0
    }

    fn contacts(&self, _user: &UserId) -> u32 {
        0
    }

    fn agent_of(&self, _user: &UserId) -> Option<AgentId> {
        None
    }
}

/// 1001 dials 500.
fn request() -> RouteRequest {
    RouteRequest {
        tenant: T,
        from: PartyId::new("1001"),
        to: PartyId::new("500"),
        trunk: None,
        user: None,
        at: Wall(0),
        amended: Vec::new(),
    }
}

/// A run over scripted plugins, in the order given.
struct Bench {
    registry: Registry,
    ctx: Context,
    run: RouteRun,
}

const NAMES: [&str; 3] = ["one", "two", "three"];

fn at(ms: u64) -> Time {
    Time::from_millis(ms)
}

impl Bench {
    fn new(scripts: Vec<Vec<Verdict>>) -> Self {
        let plugin = |(name, script): (&&'static str, Vec<Verdict>)| Scripted {
            name,
            script: Mutex::new(script),
            forever: None,
        };
        Self::of(NAMES.iter().zip(scripts).map(plugin).collect())
    }

    fn of(plugins: Vec<Scripted>) -> Self {
        let names: Vec<&str> = plugins.iter().map(|p| p.name).collect();
        let boxed = plugins.into_iter().map(|p| Box::new(p) as Box<dyn RoutingPlugin>);
        let registry = Registry::new(boxed.collect()).unwrap();
        let order = registry.order(&names).unwrap();
        let tenant = Tenant { id: T, ..Tenant::new(T) };
        Self { registry, ctx: Context(tenant), run: RouteRun::new(order, request(), at(0)) }
    }

    fn start(&mut self) -> RouteStep {
        self.run.start(&self.registry, &self.ctx, at(0)).unwrap()
    }

    fn answer(&mut self, id: AskId, answer: AskAnswer, ms: u64) -> Option<RouteStep> {
        self.run.handle_answer(id, answer, &self.registry, &self.ctx, at(ms))
    }

    fn timeout(&mut self, ms: u64) -> Option<RouteStep> {
        self.run.handle_timeout(&self.registry, &self.ctx, at(ms))
    }

    /// Starts and is done without asking the world.
    fn outcome(&mut self) -> RouteOutcome {
        done(self.start())
    }
}

fn done(step: RouteStep) -> RouteOutcome {
    match step {
        RouteStep::Done(outcome) => *outcome,
        RouteStep::Ask { .. } => unreachable!("{step:?}"),
    }
}

fn asked(step: RouteStep) -> (AskId, Time) {
    match step {
        RouteStep::Ask { id, what, until } => {
            assert_eq!(what, lookup());
            (id, until)
        }
        RouteStep::Done(_) => unreachable!("{step:?}"),
    }
}

/// The reasons, as `plugin verdict: why`.
fn said(outcome: &RouteOutcome) -> Vec<String> {
    let line = |r: &cordboard_model::view::RouteReason| format!("{} {}: {}", r.plugin, r.verdict, r.why);
    outcome.reasons.iter().map(line).collect()
}

fn decided(name: &str) -> RouteEnd {
    RouteEnd::Decided { to: queue(name) }
}

fn refused(cause: Cause, why: &str) -> RouteEnd {
    let why = why.into();
    RouteEnd::Refused { cause, why }
}

#[test]
fn plugins_are_asked_in_order_until_one_decides_or_refuses() {
    let busy = || Verdict::Refuse { cause: Cause::Busy, why: "closed today".into() };
    type Row<'a> = (Vec<Vec<Verdict>>, RouteEnd, Vec<&'a str>);
    let rows: Vec<Row<'_>> = vec![
        (
            vec![vec![pass("not mine")], vec![decide("sales")], vec![]],
            decided("sales"),
            vec!["one pass: not mine", "two decide: it is for sales"],
        ),
        (vec![vec![busy()], vec![]], refused(Cause::Busy, "closed today"), vec!["one refuse: closed today"]),
        (
            vec![vec![pass("a")], vec![pass("b")]],
            refused(Cause::NoRoute, "all 2 routing plugins of tenant default passed"),
            vec!["one pass: a", "two pass: b"],
        ),
        (
            vec![vec![pass("a")]],
            refused(Cause::NoRoute, "the one routing plugin of tenant default passed"),
            vec!["one pass: a"],
        ),
        (vec![], refused(Cause::NoRoute, "tenant default has no routing plugins"), vec![]),
    ];
    for (scripts, end, reasons) in rows {
        let outcome = Bench::new(scripts).outcome();
        assert_eq!((&outcome.end, said(&outcome)), (&end, reasons.iter().map(|r| r.to_string()).collect()));
    }
}

#[test]
fn the_next_plugin_sees_the_amended_request() {
    struct Echo;
    impl RoutingPlugin for Echo {
        fn name(&self) -> &'static str {
            "echo"
        }
        fn route(&self, req: &RouteRequest, _ctx: &dyn RouteContext) -> Verdict {
            pass(&format!("{} calls {}, {} changes", req.from.user, req.to.user, req.amended.len()))
        }
    }
    let mut b = Bench::new(Vec::new());
    let scripted = [
        amend("600"),
        Verdict::Amend { change: Change::From(PartyId::new("+431")), why: "shown in full".into() },
    ];
    let plugins: Vec<Box<dyn RoutingPlugin>> = NAMES
        .iter()
        .zip(scripted)
        .map(|(name, verdict)| {
            Box::new(Scripted { name, script: Mutex::new(vec![verdict]), forever: None })
                as Box<dyn RoutingPlugin>
        })
        .chain([Box::new(Echo) as Box<dyn RoutingPlugin>])
        .collect();
    b.registry = Registry::new(plugins).unwrap();
    let order = b.registry.order(&["one", "two", "echo"]).unwrap();
    b.run = RouteRun::new(order, request(), at(0));
    let outcome = b.outcome();
    assert_eq!(
        said(&outcome),
        ["one amend: called 600 now", "two amend: shown in full", "echo pass: +431 calls 600, 2 changes"]
    );
    assert_eq!(outcome.request.to, PartyId::new("600"));
}

#[test]
fn amendments_are_bounded() {
    let one = Scripted { name: "one", script: Mutex::new(Vec::new()), forever: Some(amend("600")) };
    let mut b = Bench::of(vec![one]);
    let order = b.registry.order(&["one"; AMENDMENTS_MAX + 1]).unwrap();
    b.run = RouteRun::new(order, request(), at(0));
    let outcome = b.outcome();
    let why = "the request was amended 8 times, which is the limit";
    assert_eq!(outcome.end, refused(Cause::InternalError, why));
    assert_eq!(outcome.request.amended.len(), AMENDMENTS_MAX);
}

#[test]
fn a_destination_of_another_tenant_is_refused() {
    let acme = TenantId::new("acme").unwrap();
    let verdict = Verdict::Decide {
        to: Destination::Queue(QueueId::new(acme, "sales").unwrap()),
        why: "by mistake".into(),
    };
    let outcome = Bench::new(vec![vec![verdict]]).outcome();
    let why = "it decided for queue acme/sales, which is not of tenant default";
    assert_eq!(outcome.end, refused(Cause::InternalError, why));
    assert_eq!(said(&outcome), [format!("one refuse: {why}")]);
}

#[test]
fn a_plugin_that_asks_is_resumed_with_the_answer() {
    let mut b = Bench::new(vec![vec![pass("a")], vec![ask(Duration::from_secs(1))]]);
    let (id, until) = asked(b.start());
    assert_eq!(until, at(1_000));
    assert_eq!(b.run.poll_timeout().map(|(t, _)| t), Some(at(1_000)));
    assert_eq!(b.timeout(999), None);
    let step = b.answer(id, AskAnswer::Value(Some("vip".into())), 999).unwrap();
    let outcome = done(step);
    assert_eq!(outcome.end, decided("vip"));
    assert_eq!(
        said(&outcome),
        ["one pass: a", "two ask: whether he is a VIP", "two decide: 500 is in the table"]
    );
    assert!(b.run.is_done());
    assert_eq!(b.run.poll_timeout(), None);
}

#[test]
fn at_its_deadline_a_plugin_is_called_again_with_late_and_the_next_is_asked() {
    let mut b = Bench::new(vec![vec![ask(Duration::from_millis(500))], vec![decide("sales")]]);
    let (id, _) = asked(b.start());
    let outcome = done(b.timeout(500).unwrap());
    assert_eq!(outcome.end, decided("sales"));
    assert_eq!(
        said(&outcome),
        [
            "one ask: whether he is a VIP",
            "one late: no answer came in time",
            "one pass: the table did not answer",
            "two decide: it is for sales"
        ]
    );
    assert_eq!(b.answer(id, AskAnswer::Value(None), 501), None, "too late to matter");
}

#[test]
fn an_answer_that_comes_after_the_deadline_but_before_the_wake_up_is_late() {
    let mut b = Bench::new(vec![vec![ask(Duration::from_millis(500))]]);
    let (id, _) = asked(b.start());
    let step = b.answer(id, AskAnswer::Value(Some("vip".into())), 500).unwrap();
    assert_eq!(done(step).end, refused(Cause::NoRoute, "the one routing plugin of tenant default passed"));
}

#[test]
fn an_answer_to_an_earlier_question_is_ignored() {
    let two_asks = vec![ask(Duration::from_secs(1)), ask(Duration::from_secs(1)), pass("no")];
    let mut b = Bench::new(vec![two_asks]);
    let (first, _) = asked(b.start());
    let (second, _) = asked(b.answer(first, AskAnswer::Value(None), 10).unwrap());
    assert_ne!(first, second);
    assert_eq!(b.answer(first, AskAnswer::Value(Some("vip".into())), 20), None);
    let failed = AskAnswer::Failed { why: "down".into() };
    assert!(matches!(b.answer(second, failed, 30), Some(RouteStep::Done(_))));
}

#[test]
fn a_wish_for_more_time_than_the_point_allows_is_shortened() {
    let mut b = Bench::new(vec![vec![ask(Duration::from_secs(60))]]);
    assert_eq!(asked(b.start()).1, at(0) + ROUTE_ASK_MAX);
}

#[test]
fn questions_beyond_the_time_of_the_whole_run_are_late_at_once() {
    let long = || vec![ask(ROUTE_ASK_MAX)];
    let mut b = Bench::new(vec![long(), long(), long()]);
    let (_, first) = asked(b.start());
    assert_eq!(first, at(2_000));
    let (_, second) = asked(b.timeout(2_500).unwrap());
    assert_eq!(second, at(4_000), "not 4,500");
    let outcome = done(b.timeout(4_000).unwrap());
    assert_eq!(
        said(&outcome)[6..],
        [
            "three ask: whether he is a VIP",
            "three late: no answer came in time",
            "three pass: the table did not answer"
        ]
    );
}

#[test]
fn a_plugin_that_asks_for_ever_is_passed_over() {
    let curious = Scripted {
        name: "one",
        script: Mutex::new(Vec::new()),
        forever: Some(ask(Duration::from_millis(10))),
    };
    let mut b = Bench::of(vec![curious]);
    let mut step = b.start();
    for n in 0..ASKS_MAX {
        let (id, _) = asked(step);
        step = b.answer(id, AskAnswer::Value(None), u64::from(n)).unwrap();
    }
    let outcome = done(step);
    assert_eq!(said(&outcome).last().unwrap(), "one pass: it asked more than 4 times");
}

#[test]
fn a_plugin_that_asks_again_when_late_is_passed_over() {
    let curious = Scripted {
        name: "one",
        script: Mutex::new(Vec::new()),
        forever: Some(ask(Duration::from_millis(10))),
    };
    let mut b = Bench::of(vec![curious]);
    asked(b.start());
    let outcome = done(b.timeout(10).unwrap());
    assert_eq!(said(&outcome).last().unwrap(), "one pass: it asked again after it was told that it is late");
}

#[test]
fn a_question_without_time_is_late_at_once() {
    let outcome = Bench::new(vec![vec![ask(Duration::ZERO)]]).outcome();
    assert_eq!(said(&outcome)[1], "one late: no answer came in time");
}

#[test]
fn a_run_starts_once() {
    let mut b = Bench::new(vec![vec![pass("a")]]);
    b.start();
    assert_eq!(b.run.start(&b.registry, &b.ctx, at(1)), None);
}

#[test]
fn a_plugin_that_never_asks_passes_when_resumed() {
    struct Plain;
    impl RoutingPlugin for Plain {
        fn name(&self) -> &'static str {
            "plain"
        }
        fn route(&self, _req: &RouteRequest, _ctx: &dyn RouteContext) -> Verdict {
            pass("")
        }
    }
    let b = Bench::new(vec![]);
    let verdict = Plain.resume(&request(), AskAnswer::Late, &b.ctx);
    assert_eq!(verdict, pass("it asks nothing and was given an answer"));
}

#[test]
fn an_unknown_name_in_the_order_is_an_error_that_lists_what_there_is() {
    let b = Bench::new(vec![vec![], vec![]]);
    let error = b.registry.order(&["two", "thre"]).unwrap_err();
    assert_eq!(error.name, "thre");
    assert_eq!(error.to_string(), "no routing plugin is called \"thre\"; there are: one, two");
    assert_eq!(b.registry.order(&["two", "one"]).unwrap().len(), 2);
    let none: [&str; 0] = [];
    assert!(b.registry.order(&none).unwrap().is_empty());
}

#[test]
fn two_plugins_of_one_name_are_an_error() {
    let plugin = || {
        Box::new(Scripted { name: "one", script: Mutex::new(Vec::new()), forever: None })
            as Box<dyn RoutingPlugin>
    };
    let error = Registry::new(vec![plugin(), plugin()]).unwrap_err();
    assert_eq!(error, DuplicatePlugin("one"));
}
