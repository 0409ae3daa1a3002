//! Runs of scripted plugins: each row of a script is one verdict, given in turn.

use crate::*;
use cordboard_model::cause::Cause;
use cordboard_model::config::Tenant;
use cordboard_model::id::{FlowId, QueueId, TenantId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::is_dialable;
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::Destination;
use std::path::Path;
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

    fn route(&self, _: &RouteRequest, _: &dyn RouteContext, _: &mut Notes) -> Verdict {
        self.next()
    }

    fn resume(&self, req: &RouteRequest, answer: AskAnswer, _: &dyn RouteContext, _: &mut Notes) -> Verdict {
        match answer {
            AskAnswer::Returned(Some(to)) => {
                Verdict::Decide { to: queue(&to), why: format!("the flow knows {}", req.to.user) }
            }
            AskAnswer::Late if self.forever.is_none() => {
                Verdict::Pass { why: "the flow did not answer".into() }
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

fn call(number: &str) -> Change {
    Change::To(PartyId::new(number))
}

fn amend(to: &str) -> Verdict {
    Verdict::Amend { changes: vec![call(to)], why: format!("called {to} now"), then: None }
}

fn trunk(name: &str) -> TrunkId {
    TrunkId::new(T, name).unwrap()
}

fn leave(by: &[TrunkId], number: &str) -> Verdict {
    Verdict::Leave { by: by.to_vec(), number: number.into(), urgent: None, why: "by trunk".into() }
}

fn vip() -> Ask {
    Ask::Flow(FlowId::new(T, "vip").unwrap())
}

fn ask(deadline: Duration) -> Verdict {
    Verdict::Ask { what: vip(), deadline, why: "whether he is a VIP".into() }
}

/// 1001 dials 500.
fn request() -> RouteRequest {
    RouteRequest::new(T, PartyId::new("1001"), PartyId::new("500"))
}

/// A run over scripted plugins, in the order given.
struct Bench {
    registry: Registry,
    tenant: Tenant,
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
        Self { registry, tenant: Tenant::new(T), run: RouteRun::new(order, request(), at(0)) }
    }

    fn start(&mut self) -> RouteStep {
        self.run.start(&self.registry, &Paper::new(&self.tenant), at(0)).unwrap()
    }

    fn answer(&mut self, id: AskId, answer: AskAnswer, ms: u64) -> Option<RouteStep> {
        self.run.handle_answer(id, answer, &self.registry, &Paper::new(&self.tenant), at(ms))
    }

    fn timeout(&mut self, ms: u64) -> Option<RouteStep> {
        self.run.handle_timeout(&self.registry, &Paper::new(&self.tenant), at(ms))
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
            assert_eq!(what, vip());
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
    RouteEnd::Decided { to: queue(name), others: Vec::new(), urgent: None }
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
        fn route(&self, req: &RouteRequest, _: &dyn RouteContext, _: &mut Notes) -> Verdict {
            let RouteRequest { from, to, priority, data, amended, .. } = req;
            let changes = amended.len();
            pass(&format!("{} calls {}, place {priority}, {data:?}, {changes} changes", from.user, to.user))
        }
    }
    let mut b = Bench::new(Vec::new());
    let scripted = [
        amend("600"),
        Verdict::Amend {
            changes: vec![
                Change::From(PartyId::new("+431")),
                Change::Priority(7),
                Change::Data { key: "level".into(), value: "gold".into() },
            ],
            why: "known".into(),
            then: None,
        },
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
        [
            "one amend: called 600 now",
            "two amend: known",
            r#"echo pass: +431 calls 600, place 7, {"level": String("gold")}, 4 changes"#
        ]
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
    let step = b.answer(id, AskAnswer::Returned(Some("vip".into())), 999).unwrap();
    let outcome = done(step);
    assert_eq!(outcome.end, decided("vip"));
    assert_eq!(
        said(&outcome),
        ["one pass: a", "two ask: whether he is a VIP", "two decide: the flow knows 500"]
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
            "one pass: the flow did not answer",
            "two decide: it is for sales"
        ]
    );
    assert_eq!(b.answer(id, AskAnswer::Returned(None), 501), None, "too late to matter");
}

#[test]
fn an_answer_that_comes_after_the_deadline_but_before_the_wake_up_is_late() {
    let mut b = Bench::new(vec![vec![ask(Duration::from_millis(500))]]);
    let (id, _) = asked(b.start());
    let step = b.answer(id, AskAnswer::Returned(Some("vip".into())), 500).unwrap();
    assert_eq!(done(step).end, refused(Cause::NoRoute, "the one routing plugin of tenant default passed"));
}

#[test]
fn an_answer_to_an_earlier_question_is_ignored() {
    let two_asks = vec![ask(Duration::from_secs(1)), ask(Duration::from_secs(1)), pass("no")];
    let mut b = Bench::new(vec![two_asks]);
    let (first, _) = asked(b.start());
    let (second, _) = asked(b.answer(first, AskAnswer::Returned(None), 10).unwrap());
    assert_ne!(first, second);
    assert_eq!(b.answer(first, AskAnswer::Returned(Some("vip".into())), 20), None);
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
            "three pass: the flow did not answer"
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
        step = b.answer(id, AskAnswer::Returned(None), u64::from(n)).unwrap();
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
    assert_eq!(b.run.start(&b.registry, &Paper::new(&b.tenant), at(1)), None);
}

#[test]
fn a_plugin_that_never_asks_passes_when_resumed() {
    struct Plain;
    impl RoutingPlugin for Plain {
        fn name(&self) -> &'static str {
            "plain"
        }
        fn route(&self, _: &RouteRequest, _: &dyn RouteContext, _: &mut Notes) -> Verdict {
            pass("")
        }
    }
    let b = Bench::new(vec![]);
    let (ctx, mut notes) = (Paper::new(&b.tenant), Notes::default());
    let verdict = Plain.resume(&request(), AskAnswer::Late, &ctx, &mut notes);
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

#[test]
fn a_call_leaves_by_the_first_trunk_and_the_others_are_kept_for_it() {
    let urgent = Some(Box::new(Urgent { caller: Some("+4930110".into()), location: None, first: true }));
    let verdict = Verdict::Leave {
        by: vec![trunk("a"), trunk("b"), trunk("c")],
        number: "112".into(),
        urgent: urgent.clone(),
        why: "help".into(),
    };
    let outcome = Bench::new(vec![vec![verdict]]).outcome();
    let to = Destination::Trunk(trunk("a"), "112".into());
    assert_eq!(outcome.end, RouteEnd::Decided { to, others: vec![trunk("b"), trunk("c")], urgent });
    assert_eq!(said(&outcome), ["one decide: help"]);

    let outcome = Bench::new(vec![vec![leave(&[], "112")], vec![decide("sales")]]).outcome();
    assert_eq!(outcome.end, decided("sales"));
    assert_eq!(
        said(&outcome),
        ["one pass: it named no trunk to leave by", "two decide: it is for sales"],
        "one that names no trunk has decided nothing"
    );
}

#[test]
fn a_trunk_of_another_tenant_is_refused_wherever_it_stands() {
    let foreign = || TrunkId::new(TenantId::new("acme").unwrap(), "carrier").unwrap();
    let rows = [
        (vec![foreign()], "trunk acme/carrier as 4930"),
        (vec![foreign(), trunk("own")], "trunk acme/carrier as 4930"),
        (vec![trunk("own"), foreign()], "trunk default/own as 4930"),
        (vec![trunk("own"), trunk("other"), foreign()], "trunk default/own as 4930"),
    ];
    for (by, named) in rows {
        let outcome = Bench::new(vec![vec![leave(&by, "4930")], vec![decide("sales")]]).outcome();
        let why = format!("it decided for {named}, which is not of tenant default");
        assert_eq!(outcome.end, refused(Cause::InternalError, &why), "{by:?}");
        assert_eq!(said(&outcome), [format!("one refuse: {why}")]);
    }
}

/// What must never stand in an address, and how it is quoted.
fn hostile() -> [(String, String); 9] {
    let same = |text: &str| (text.to_owned(), text.to_owned());
    [
        (String::new(), "(nothing)".to_owned()),
        same("1@evil.example"),
        same("1%40evil"),
        same("1;x"),
        same("1?h=v"),
        same("1 2"),
        same("9".repeat(33).as_str()),
        ("1\r\nVia: x".to_owned(), "1\\r\\nVia: x".to_owned()),
        ("9".repeat(60_000), format!("{}...", "9".repeat(40))),
    ]
}

#[test]
fn a_number_that_cannot_be_dialled_leaves_by_no_trunk() {
    for (number, quoted) in hostile() {
        let to = Destination::Trunk(trunk("a"), number.clone());
        let decides = Verdict::Decide { to, why: "by mistake".into() };
        for verdict in [decides, leave(&[trunk("a"), trunk("b")], &number)] {
            let outcome = Bench::new(vec![vec![verdict], vec![decide("sales")]]).outcome();
            let why = format!("it decided for the number {quoted}, which cannot be dialled");
            assert_eq!(outcome.end, refused(Cause::InternalError, &why));
            assert_eq!(said(&outcome), [format!("one refuse: {why}")]);
        }
    }
}

#[test]
fn a_number_that_cannot_be_dialled_is_not_taken_over() {
    for (number, quoted) in hostile() {
        let outcome = Bench::new(vec![vec![amend(&number)], vec![decide("sales")]]).outcome();
        let why = format!("the number became {quoted}, which cannot be dialled");
        assert_eq!(outcome.end, refused(Cause::InternalError, &why));
        assert_eq!(outcome.request, request(), "it stays as it was");
    }
}

#[test]
fn who_amends_and_holds_to_a_verdict_is_not_asked_again() {
    let with = |then: Verdict| Verdict::Amend {
        changes: vec![Change::Priority(9), call("600")],
        why: "a VIP".into(),
        then: Some(Box::new(then)),
    };
    let busy = Verdict::Refuse { cause: Cause::Busy, why: "busy".into() };
    let to_trunk = RouteEnd::Decided {
        to: Destination::Trunk(trunk("a"), "4930".into()),
        others: vec![trunk("b")],
        urgent: None,
    };
    let evil = "it decided for the number 1@evil, which cannot be dialled";
    let rows = [
        (decide("vip"), decided("vip"), vec!["one decide: it is for vip"]),
        (leave(&[trunk("a"), trunk("b")], "4930"), to_trunk, vec!["one decide: by trunk"]),
        (
            leave(&[trunk("a")], "1@evil"),
            refused(Cause::InternalError, evil),
            vec!["one refuse: it decided for the number 1@evil, which cannot be dialled"],
        ),
        (busy, refused(Cause::Busy, "busy"), vec!["one refuse: busy"]),
        (pass("no more"), decided("sales"), vec!["one pass: no more", "two decide: it is for sales"]),
        (amend("700"), decided("sales"), vec!["two decide: it is for sales"]),
        (with(decide("deep")), decided("sales"), vec!["two decide: it is for sales"]),
    ];
    for (then, end, reasons) in rows {
        let outcome = Bench::new(vec![vec![with(then)], vec![decide("sales")]]).outcome();
        let reasons: Vec<&str> = ["one amend: a VIP"].into_iter().chain(reasons).collect();
        assert_eq!((&outcome.end, said(&outcome)), (&end, reasons.iter().map(|r| r.to_string()).collect()));
        assert_eq!(
            outcome.request.amended,
            [Change::Priority(9), call("600")],
            "a nested one changes nothing"
        );
        assert_eq!((outcome.request.priority, outcome.request.to), (9, PartyId::new("600")));
    }
}

#[test]
fn who_amends_and_asks_is_resumed_with_the_answer() {
    let verdict = Verdict::Amend {
        changes: vec![call("600")],
        why: "written in full".into(),
        then: Some(Box::new(ask(Duration::from_secs(1)))),
    };
    let mut b = Bench::new(vec![vec![verdict]]);
    let (id, _) = asked(b.start());
    let outcome = done(b.answer(id, AskAnswer::Returned(Some("vip".into())), 10).unwrap());
    assert_eq!(outcome.end, decided("vip"));
    assert_eq!(
        said(&outcome),
        ["one amend: written in full", "one ask: whether he is a VIP", "one decide: the flow knows 600"]
    );
}

#[test]
fn what_a_plugin_did_not_take_stands_in_its_reason() {
    /// Takes none of two rules, and asks before it says so.
    struct Picky;
    impl RoutingPlugin for Picky {
        fn name(&self) -> &'static str {
            "picky"
        }
        fn route(&self, _: &RouteRequest, _: &dyn RouteContext, notes: &mut Notes) -> Verdict {
            notes.reject("rule 1", "too dear");
            let then = Some(Box::new(ask(Duration::from_millis(10))));
            Verdict::Amend { changes: Vec::new(), why: "nothing new".into(), then }
        }
        fn resume(&self, _: &RouteRequest, _: AskAnswer, _: &dyn RouteContext, notes: &mut Notes) -> Verdict {
            notes.reject("rule 2", "too late");
            notes.reject("rule 3", "too late");
            pass("nothing is left")
        }
    }
    let mut b = Bench::new(Vec::new());
    b.registry = Registry::new(vec![Box::new(Picky)]).unwrap();
    b.run = RouteRun::new(b.registry.order(&["picky"]).unwrap(), request(), at(0));
    asked(b.start());
    assert_eq!(b.run.reasons().len(), 2);
    let outcome = done(b.timeout(10).unwrap());
    let rejected: Vec<(&str, Vec<&str>)> = outcome
        .reasons
        .iter()
        .map(|r| (r.verdict.as_str(), r.rejected.iter().map(String::as_str).collect()))
        .collect();
    let expected = [
        ("amend", vec!["rule 1: too dear"]),
        ("ask", vec![]),
        ("late", vec![]),
        ("pass", vec!["rule 2: too late", "rule 3: too late"]),
    ];
    assert_eq!(rejected, expected);
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// Anything that a plugin can say; more often what keeps a run going.
    fn verdict(&mut self, depth: u32) -> Verdict {
        let own = self.roll(4) > 0;
        let tenant = if own { T } else { TenantId::new("acme").unwrap() };
        let number = ["4930", "1@evil"][usize::from(self.roll(4) == 0)];
        match self.roll(16) {
            0 => Verdict::Decide {
                to: Destination::Queue(QueueId::new(tenant, "q").unwrap()),
                why: "d".into(),
            },
            1 => {
                let by: Vec<TrunkId> = (0..self.roll(4)).map(|n| trunk(&n.to_string())).collect();
                let foreign = TrunkId::new(tenant, "last").unwrap();
                leave(&by.into_iter().chain([foreign]).collect::<Vec<_>>(), number)
            }
            2 => leave(&[], number),
            3 => Verdict::Refuse { cause: Cause::Busy, why: "r".into() },
            4..=6 => pass("p"),
            7..=9 => {
                let changes = (0..self.roll(3)).map(|_| Change::Priority(1)).collect();
                let then = (depth > 0 && self.roll(2) == 0).then(|| Box::new(self.verdict(depth - 1)));
                Verdict::Amend { changes, why: "a".into(), then }
            }
            _ => ask(Duration::from_millis(self.roll(5_000))),
        }
    }
}

/// Says anything at any time, and counts how often it was asked.
struct Wild(Mutex<(Dice, usize)>, &'static str);

impl Wild {
    fn speak(&self) -> Verdict {
        let mut inner = self.0.lock().unwrap();
        inner.1 += 1;
        inner.0.verdict(4)
    }
}

impl RoutingPlugin for &'static Wild {
    fn name(&self) -> &'static str {
        self.1
    }
    fn route(&self, _: &RouteRequest, _: &dyn RouteContext, _: &mut Notes) -> Verdict {
        self.speak()
    }
    fn resume(&self, _: &RouteRequest, _: AskAnswer, _: &dyn RouteContext, _: &mut Notes) -> Verdict {
        self.speak()
    }
}

#[test]
fn a_run_ends_whatever_plugins_say() {
    let wild: Vec<&'static Wild> = (0u64..)
        .zip(NAMES)
        .map(|(seed, name)| &*Box::leak(Box::new(Wild(Mutex::new((Dice(seed), 0)), name))))
        .collect();
    let boxed = wild.iter().map(|plugin| Box::new(*plugin) as Box<dyn RoutingPlugin>);
    let mut b = Bench::new(Vec::new());
    b.registry = Registry::new(boxed.collect()).unwrap();
    let (mut dice, mut waited_out, mut decisions) = (Dice(99), 0, 0);
    for _ in 0..5_000 {
        wild.iter().for_each(|plugin| plugin.0.lock().unwrap().1 = 0);
        let places: Vec<&str> =
            (0..=dice.roll(12)).map(|_| NAMES[usize::try_from(dice.roll(3)).unwrap()]).collect();
        b.run = RouteRun::new(b.registry.order(&places).unwrap(), request(), at(0));
        let (mut step, mut now, mut questions) = (b.start(), at(0), 0);
        let outcome = loop {
            let (id, until) = match step {
                RouteStep::Done(outcome) => break outcome,
                RouteStep::Ask { id, until, .. } => (id, until),
            };
            questions += 1;
            assert!(until > now && until <= (now + ROUTE_ASK_MAX).min(at(0) + ROUTE_RUN_MAX));
            let ctx = Paper::new(&b.tenant);
            let waits = dice.roll(2) == 0;
            now = if waits { until } else { now.max(at(dice.roll(300))) };
            step = match waits {
                true => b.run.handle_timeout(&b.registry, &ctx, now).unwrap(),
                false => b.run.handle_answer(id, AskAnswer::Returned(None), &b.registry, &ctx, now).unwrap(),
            };
        };
        let asked: usize = wild.iter().map(|plugin| plugin.0.lock().unwrap().1).sum();
        assert!(
            questions <= places.len() * ASKS_MAX as usize && asked <= places.len() * (ASKS_MAX as usize + 2)
        );
        assert!(outcome.reasons.len() >= asked, "each has left its reason: {:?}", outcome.reasons);
        assert!(b.run.is_done() && b.run.poll_timeout().is_none());
        waited_out += u32::from(now == at(0) + ROUTE_RUN_MAX);
        if let RouteEnd::Decided { to, others, .. } = outcome.end {
            decisions += 1;
            assert!(others.iter().all(|trunk| trunk.tenant == T) && !destination(&to).contains("acme"));
            assert!(!matches!(to, Destination::Trunk(_, number) if !is_dialable(&number)));
        }
    }
    assert!(waited_out > 50 && decisions > 500, "{waited_out} took all their time, {decisions} decided");
}

#[test]
fn every_plugin_is_called_as_its_folder_and_has_a_table_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let mut plugins = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file)).unwrap();
        let says = format!("fn name(&self) -> &'static str {{\n        {name:?}\n    }}");
        assert_eq!(read("src/lib.rs").matches(&says).count(), 1, "{name}");
        assert!(read("Cargo.toml").contains(&format!("name = \"cordboard-plugin-{name}\"")), "{name}");
        assert!(read("src/tests.rs").contains("#[test]"), "{name}");
        plugins += 1;
    }
    assert!(plugins >= 12, "{plugins}");
}
