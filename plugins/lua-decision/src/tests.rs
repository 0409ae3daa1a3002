//! What a flow returns and what becomes of it, as tables.

use super::*;
use cordboard_model::cause::Cause;
use cordboard_model::config::{Tenant, Trunk};
use cordboard_model::id::{FlowId, TenantId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::{LuaDecision, NumberPattern, Otherwise};
use cordboard_model::time::Duration;
use cordboard_model::verb::Destination;
use cordboard_plugin_api::{Change, Paper};

const T: TenantId = TenantId::DEFAULT;

fn flow(name: &str) -> FlowId {
    FlowId::new(T, name).unwrap()
}

/// A tenant with the trunk `carrier`, whose flow `decide` is asked about 5000.
fn tenant(otherwise: Otherwise) -> Tenant {
    let mut tenant = Tenant::new(T);
    let id = TrunkId::new(T, "carrier").unwrap();
    tenant.trunks.insert(id.name.clone(), Trunk::new(id));
    tenant.routes.lua = Some(LuaDecision {
        called: vec![NumberPattern::new("5000")],
        flow: flow("decide"),
        within: Duration::from_millis(800),
        otherwise,
    });
    tenant
}

fn req(to: &str) -> RouteRequest {
    let to = PartyId { user: to.into(), display: "Ada".into() };
    RouteRequest::new(T, PartyId::new("1001"), to)
}

fn route(tenant: &Tenant, to: &str) -> Verdict {
    LuaDecisionPlugin.route(&req(to), &Paper::new(tenant), &mut Notes::default())
}

fn resume(tenant: &Tenant, answer: AskAnswer) -> Verdict {
    LuaDecisionPlugin.resume(&req("5000"), answer, &Paper::new(tenant), &mut Notes::default())
}

fn returned(text: &str) -> AskAnswer {
    AskAnswer::Returned(Some(text.into()))
}

fn pass(why: &str) -> Verdict {
    Verdict::Pass { why: why.into() }
}

#[test]
fn a_flow_is_asked_about_the_numbers_it_is_for() {
    let asks = Verdict::Ask {
        what: Ask::Flow(flow("decide")),
        deadline: Duration::from_millis(800),
        why: "flow default/decide is asked".into(),
    };
    let rows = [("5000", asks), ("5001", pass("not for 5001")), ("", pass("not for (nothing)"))];
    for (to, verdict) in rows {
        assert_eq!(route(&tenant(Otherwise::Pass), to), verdict, "{to}");
    }
    let mut none = tenant(Otherwise::Pass);
    none.routes.lua = None;
    assert_eq!(route(&none, "5000"), pass("no flow decides"));
    assert_eq!(resume(&none, returned("null")), pass("no flow decides any more"), "taken away meanwhile");
}

#[test]
fn what_a_flow_returns_is_done() {
    let carrier = Destination::Trunk(TrunkId::new(T, "carrier").unwrap(), "+4930".into());
    let says = "flow default/decide says what the call is to have";
    let decide = || Verdict::Decide {
        to: carrier.clone(),
        why: "flow default/decide says trunk default/carrier as +4930".into(),
    };
    let busy = || Verdict::Refuse { cause: Cause::Busy, why: "flow default/decide says busy".into() };
    let amend = |changes: Vec<Change>, then: Option<Verdict>| Verdict::Amend {
        changes,
        why: says.into(),
        then: then.map(Box::new),
    };
    let data = |key: &str, value: &str| Change::Data { key: key.into(), value: value.into() };
    let number = Change::To(PartyId { user: "5001".into(), display: "Ada".into() });
    let nothing = || pass("flow default/decide has nothing to say");
    let rows = [
        (AskAnswer::Returned(None), nothing()),
        (returned("null"), nothing()),
        (returned("{}"), nothing()),
        (returned(r#"{"data":{}}"#), nothing()),
        (returned(r#""trunk:carrier:+4930""#), decide()),
        (returned(r#"{"refuse":"busy"}"#), busy()),
        (returned(r#"{"number":"5001"}"#), amend(vec![number], None)),
        (
            returned(r#"{"to":"trunk:carrier:+4930","priority":9,"data":{"vip":true,"level":3}}"#),
            amend(
                vec![
                    Change::Priority(9),
                    Change::Data { key: "level".into(), value: 3.into() },
                    Change::Data { key: "vip".into(), value: true.into() },
                ],
                Some(decide()),
            ),
        ),
        (returned(r#"{"refuse":"busy","data":{"a":"b"}}"#), amend(vec![data("a", "b")], Some(busy()))),
    ];
    for (answer, verdict) in rows {
        assert_eq!(
            resume(&tenant(Otherwise::Refuse(Cause::Congestion)), answer.clone()),
            verdict,
            "{answer:?}"
        );
    }
}

#[test]
fn where_a_flow_does_not_decide_the_default_does() {
    let faults = [
        (AskAnswer::Late, "it was not ready in time"),
        (
            AskAnswer::Failed { why: "main.lua:3: attempt to call nil".into() },
            "main.lua:3: attempt to call nil",
        ),
        (
            AskAnswer::Fetched { status: 200, body: "null".into() },
            "it was given an answer to another question",
        ),
        (returned(""), "the answer is no JSON"),
        (returned("7"), "the answer is neither a text nor an object"),
        (returned(r#""queue:gone""#), "queue:gone is not there"),
        (returned(r#"{"goto":"x"}"#), "the answer has an unknown field goto"),
        (returned(r#""trunk:carrier:1@evil""#), "trunk:carrier:1@evil names nothing"),
        (returned(r#"{"number":"1;x=y"}"#), r#"number cannot be \"1;x=y\""#),
        (returned(r#"{"priority":300}"#), "priority is 0 to 255, not 300"),
    ];
    let sorry = Destination::Flow(flow("sorry"));
    for (answer, fault) in faults {
        let why = |what: &str| format!("flow default/decide did not decide ({fault}): {what}");
        let defaults = [
            (Otherwise::Pass, Verdict::Pass { why: why("the next is asked") }),
            (
                Otherwise::Refuse(Cause::Congestion),
                Verdict::Refuse { cause: Cause::Congestion, why: why("refused") },
            ),
            (
                Otherwise::To(sorry.clone()),
                Verdict::Decide { to: sorry.clone(), why: why("goes to flow default/sorry") },
            ),
        ];
        for (otherwise, verdict) in defaults {
            assert_eq!(resume(&tenant(otherwise), answer.clone()), verdict);
        }
    }
}
