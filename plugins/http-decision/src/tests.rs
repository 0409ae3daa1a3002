//! What a server is asked, what it answers and what becomes of it, as tables.

use super::*;
use cordboard_model::cause::Cause;
use cordboard_model::config::{Tenant, Trunk};
use cordboard_model::fetch::FetchHeader;
use cordboard_model::id::{FlowId, Name, TenantId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::{HttpDecision, NumberPattern, Otherwise};
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::Destination;
use cordboard_plugin_api::{Change, Paper};
use serde_json::Value;

const T: TenantId = TenantId::DEFAULT;

fn headers() -> Vec<(String, FetchHeader)> {
    vec![("authorization".into(), FetchHeader::Secret(Name::new("crm").unwrap()))]
}

/// A tenant with the trunk `carrier`, whose server is asked about 50...
fn tenant(otherwise: Otherwise) -> Tenant {
    let mut tenant = Tenant::new(T);
    let id = TrunkId::new(T, "carrier").unwrap();
    tenant.trunks.insert(id.name.clone(), Trunk::new(id));
    tenant.routes.http = Some(HttpDecision {
        called: vec![NumberPattern::new("50*")],
        url: "https://crm.example.org/route".into(),
        headers: headers(),
        within: Duration::from_millis(1_500),
        otherwise,
    });
    tenant
}

fn req(to: &str) -> RouteRequest {
    let to = PartyId { user: to.into(), display: "Ada".into() };
    RouteRequest::new(T, PartyId::new("+4930"), to)
}

fn route(tenant: &Tenant, req: &RouteRequest) -> Verdict {
    HttpDecisionPlugin.route(req, &Paper::new(tenant), &mut Notes::default())
}

fn resume(tenant: &Tenant, answer: AskAnswer) -> Verdict {
    HttpDecisionPlugin.resume(&req("5000"), answer, &Paper::new(tenant), &mut Notes::default())
}

fn answered(status: u16, body: &str) -> AskAnswer {
    AskAnswer::Fetched { status, body: body.into() }
}

fn pass(why: &str) -> Verdict {
    Verdict::Pass { why: why.into() }
}

#[test]
fn a_server_is_asked_with_what_is_known_of_the_call() {
    let at = Wall(1_795_338_000_000);
    let by_trunk = RouteRequest { trunk: TrunkId::new(T, "carrier").ok(), at, ..req("5000") };
    let by_account = RouteRequest { user: UserId::new(T, "1001").ok(), priority: 9, ..req("5000") };
    let hostile = RouteRequest { from: PartyId::new("\"},\r\n\u{0}"), ..req("50\"") };
    let rows = [
        (
            by_trunk,
            json!({"tenant": "default", "from": "+4930", "to": "5000", "trunk": "carrier", "user": null,
                   "at": 1_795_338_000_000_i64, "priority": 0}),
        ),
        (
            by_account,
            json!({"tenant": "default", "from": "+4930", "to": "5000", "trunk": null, "user": "1001",
                   "at": 0, "priority": 9}),
        ),
        (
            hostile,
            json!({"tenant": "default", "from": "\"},\r\n\u{0}", "to": "50\"", "trunk": null, "user": null,
                   "at": 0, "priority": 0}),
        ),
    ];
    for (req, known) in rows {
        let Verdict::Ask { what: Ask::Fetch(fetch), deadline, why } = route(&tenant(Otherwise::Pass), &req)
        else {
            unreachable!("{req:?}");
        };
        assert_eq!(why, "https://crm.example.org/route is asked");
        assert_eq!((deadline, fetch.timeout_ms, fetch.retries), (Duration::from_millis(1_500), 1_500, 0));
        assert_eq!((fetch.method, fetch.url.as_str()), (Method::Post, "https://crm.example.org/route"));
        assert_eq!(fetch.headers, headers(), "the secret is known by its name alone");
        let body = fetch.body.unwrap();
        assert_eq!(body.kind, "application/json");
        assert_eq!(serde_json::from_str::<Value>(&body.text.0).unwrap(), known);
        assert_eq!(body.text.0, body.shown, "nothing in it is secret");
    }
}

#[test]
fn a_server_is_asked_about_the_numbers_it_is_for() {
    let rows = [
        ("500", None),
        ("50", None),
        ("5", Some("not for 5")),
        ("", Some("not for (nothing)")),
        ("6\r\n", Some("not for 6\\r\\n")),
    ];
    for (to, passes) in rows {
        let verdict = route(&tenant(Otherwise::Pass), &req(to));
        match passes {
            Some(why) => assert_eq!(verdict, pass(why)),
            None => assert!(matches!(verdict, Verdict::Ask { .. }), "{to}: {verdict:?}"),
        }
    }
    let mut none = tenant(Otherwise::Pass);
    none.routes.http = None;
    assert_eq!(route(&none, &req("5000")), pass("no server decides"));
    assert_eq!(
        resume(&none, answered(200, "null")),
        pass("no server decides any more"),
        "taken away meanwhile"
    );
}

#[test]
fn what_a_server_answers_is_done() {
    let carrier = Destination::Trunk(TrunkId::new(T, "carrier").unwrap(), "+4930".into());
    let decide = || Verdict::Decide {
        to: carrier.clone(),
        why: "the server says trunk default/carrier as +4930".into(),
    };
    let refuse = |cause: Cause, word: &str| Verdict::Refuse { cause, why: format!("the server says {word}") };
    let amend = |changes: Vec<Change>, then: Option<Verdict>| Verdict::Amend {
        changes,
        why: "the server says what the call is to have".into(),
        then: then.map(Box::new),
    };
    let data = |key: &str, value: &str| Change::Data { key: key.into(), value: value.into() };
    let number = || Change::To(PartyId { user: "5001".into(), display: "Ada".into() });
    let nothing = || pass("the server has nothing to say");
    let rows = [
        (204, "", nothing()),
        (200, " \r\n", nothing()),
        (200, "null", nothing()),
        (200, "{}", nothing()),
        (200, r#"{"to":null,"data":{"gone":null}}"#, nothing()),
        (200, r#""trunk:carrier:+4930""#, decide()),
        (299, r#"{"to":"trunk:carrier:+4930"}"#, decide()),
        (200, r#"{"refuse":"busy"}"#, refuse(Cause::Busy, "busy")),
        (200, r#"{"refuse":"not_found"}"#, refuse(Cause::NotFound, "not_found")),
        (200, r#"{"refuse":"forbidden"}"#, refuse(Cause::Forbidden, "forbidden")),
        (200, r#"{"refuse":"congestion"}"#, refuse(Cause::Congestion, "congestion")),
        (200, r#"{"refuse":"no_route"}"#, refuse(Cause::NoRoute, "no_route")),
        (200, r#"{"number":"5001"}"#, amend(vec![number()], None)),
        (200, r#"{"priority":0}"#, amend(vec![Change::Priority(0)], None)),
        (200, r#"{"priority":255,"number":"5001"}"#, amend(vec![Change::Priority(255), number()], None)),
        (
            200,
            r#"{"data":{"b":1.5,"a":"x"}}"#,
            amend(vec![data("a", "x"), Change::Data { key: "b".into(), value: 1.5.into() }], None),
        ),
        (
            200,
            r#"{"to":"trunk:carrier:+4930","data":{"vip":false}}"#,
            amend(vec![Change::Data { key: "vip".into(), value: false.into() }], Some(decide())),
        ),
        (
            200,
            r#"{"refuse":"busy","priority":1}"#,
            amend(vec![Change::Priority(1)], Some(refuse(Cause::Busy, "busy"))),
        ),
    ];
    for (status, body, verdict) in rows {
        let tenant = tenant(Otherwise::Refuse(Cause::Congestion));
        assert_eq!(resume(&tenant, answered(status, body)), verdict, "{status} {body}");
    }
}

#[test]
fn where_a_server_does_not_decide_the_default_does() {
    let much = format!(r#"{{"data":{{"a":"{}"}}}}"#, "x".repeat(17_000));
    let entries: Vec<String> = (0..65).map(|n| format!(r#""k{n}":1"#)).collect();
    let many = format!(r#"{{"data":{{{}}}}}"#, entries.join(","));
    let deep = "[".repeat(60_000);
    let faults = [
        (AskAnswer::Late, "it did not answer in time"),
        (AskAnswer::Failed { why: "unreachable".into() }, "unreachable"),
        (AskAnswer::Returned(None), "it was given an answer to another question"),
        (answered(404, r#""trunk:carrier:+4930""#), "it answered 404"),
        (answered(500, ""), "it answered 500"),
        (answered(302, "null"), "it answered 302"),
        (answered(100, "null"), "it answered 100"),
        (answered(300, "null"), "it answered 300"),
        (answered(200, "<html>"), "the answer is no JSON"),
        (answered(200, &deep), "the answer is no JSON"),
        (answered(200, "[]"), "the answer is neither a text nor an object"),
        (answered(200, r#""queue:gone""#), "queue:gone is not there"),
        (answered(200, r#""trunk:carrier:1%40evil""#), "trunk:carrier:1%40evil names nothing"),
        (answered(200, r#"{"refuse":"because"}"#), "refuse cannot be because"),
        (answered(200, r#"{"number":"1?h=v"}"#), r#"number cannot be \"1?h=v\""#),
        (answered(200, r#"{"number":5001}"#), "number cannot be 5001"),
        (answered(200, r#"{"priority":-1}"#), "priority is 0 to 255, not -1"),
        (
            answered(200, r#"{"to":"trunk:carrier:1","number":"5001"}"#),
            "the answer has more than one of to, number and refuse",
        ),
        (answered(200, &much), "data a is too long"),
        (answered(200, &many), "there is too much data"),
    ];
    let sorry = Destination::Flow(FlowId::new(T, "sorry").unwrap());
    for (answer, fault) in faults {
        let why = |what: &str| format!("the server did not decide ({fault}): {what}");
        let defaults = [
            (Otherwise::Pass, Verdict::Pass { why: why("the next is asked") }),
            (Otherwise::Refuse(Cause::Busy), Verdict::Refuse { cause: Cause::Busy, why: why("refused") }),
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
