//! Lists of what there is now: pages joined are the whole, filters filter, and what is no parameter is named.

use crate::people::person;
use crate::tenants::record;
use crate::{KEY, Served, furnish, serve};
use axum::http::Method;
use cordboard_api::catalog::{Access, catalog};
use cordboard_api::flows::{FlowKeeper, FlowSource, FlowVersion, FlowView};
use cordboard_model::guard::BanView;
use cordboard_model::id::{AgentId, FlowId, QueueId, TenantId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::Wall;
use cordboard_model::view::{AgentStatus, TrunkView};
use serde_json::Value;

const T: TenantId = TenantId::DEFAULT;

/// What a list has, as texts of one of its fields.
async fn items(served: &Served, path: &str) -> Vec<Value> {
    served.get(KEY, path).await.ok()["items"].as_array().unwrap().clone()
}

/// The pages of a list, of so many rows, joined.
async fn joined(served: &Served, path: &str, cursor: &str, rows: usize) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), String::new());
    loop {
        let page = served.get(KEY, &format!("{path}?limit={rows}{next}")).await.ok();
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.len() <= rows, "{path}");
        all.extend(items);
        match page["next"].as_str() {
            Some(text) => next = format!("&{cursor}={}", text.replace(' ', "%20").replace('/', "%2F")),
            None => return all,
        }
    }
}

/// Of each: there are some, its pages are the whole, and a cursor or number that is none is named.
async fn in_pages(served: &Served, paths: &[&str], cursor: &str) {
    for path in paths {
        let whole = items(served, path).await;
        assert!(whole.len() > 1, "{path}: {whole:?}");
        for rows in [1, whole.len()] {
            assert_eq!(joined(served, path, cursor, rows).await, whole, "{path} by {rows}");
        }
        for (name, value) in [("limit", "0"), ("limit", "1001"), ("limit", "x"), ("nonsense", "1")] {
            let problem = served.get(KEY, &format!("{path}?{name}={value}")).await.problem(400);
            assert_eq!(problem["field"], name, "{path}");
        }
    }
}

/// How many rows each of these has.
async fn counted(served: &Served, rows: &[(&str, usize)]) {
    for (path, count) in rows {
        let found = items(served, &format!("/api/v1/{path}")).await;
        assert_eq!(found.len(), *count, "{path}: {found:?}");
    }
}

/// Each of these names the parameter that is wrong.
async fn named(served: &Served, rows: &[(&str, &str)]) {
    for (path, field) in rows {
        let problem = served.get(KEY, &format!("/api/v1/{path}")).await.problem(400);
        assert_eq!(problem["field"], *field, "{path}");
    }
}

async fn with_floor() -> Served {
    let served = serve().await;
    furnish(&served.switch, T);
    served.switch.on(T, |floor| {
        floor.add_queue(&QueueId::new(T, "web").unwrap(), "Web");
        for name in ["1002", "1003"] {
            floor.add_agent(&AgentId::new(T, name).unwrap(), name, AgentStatus::Ready);
        }
        floor.of_organisation(&AgentId::new(T, "1003").unwrap(), "north");
        floor.now = Wall(floor.now.0 + 60_000);
        floor.arrive(PartyId::new("603"), "501");
        for (name, blocked) in [("alpha", false), ("beta", true)] {
            floor.trunks.push(TrunkView {
                trunk: TrunkId::new(T, name).unwrap(),
                calls: 0,
                max_calls: 10,
                blocked,
                gateways: Vec::new(),
                registration: None,
            });
        }
    });
    served
}

#[tokio::test]
async fn calls_queues_agents_phones_and_trunks_are_listed_in_pages_and_by_filters() {
    let served = with_floor().await;
    let lists = ["/api/v1/calls", "/api/v1/queues", "/api/v1/agents", "/api/v1/contacts", "/api/v1/trunks"];
    in_pages(&served, &lists, "after").await;
    let began = i64::from(crate::START) * 1_000;
    counted(
        &served,
        &[
            ("calls?queue=sales", 2),
            ("calls?agent=1001", 1),
            ("calls?agent=1001&queue=other", 0),
            ("calls?stage=queued", 1),
            ("calls?caller=602", 1),
            ("calls?called=501", 1),
            (&format!("calls?from={}", began + 60_000), 1),
            (&format!("calls?to={}", began + 60_000), 2),
            ("queues?kind=multimedia", 1),
            ("queues?kind=video", 0),
            ("queues?agent=1001", 2),
            ("queues?agent=1099", 0),
            ("queues?waiting=true", 1),
            ("queues?waiting=false", 1),
            ("agents?status=ready", 2),
            ("agents?status=talking", 1),
            ("agents?queue=sales", 3),
            ("agents?queue=other", 0),
            ("agents?role=agent", 3),
            ("agents?role=supervisor", 0),
            ("agents?organisation=north", 1),
            ("contacts?user=1002", 1),
            ("trunks?blocked=true", 1),
            ("trunks?blocked=false", 1),
        ],
    )
    .await;
    let wrong = [
        ("calls?after=x", "after"),
        ("calls?stage=x", "stage"),
        ("calls?queue=a%20b", "queue"),
        ("calls?from=x", "from"),
        ("queues?kind=x", "kind"),
        ("agents?status=x", "status"),
        ("agents?role=x", "role"),
        ("trunks?blocked=x", "blocked"),
        ("agents?status=ready&status=rest", "status"),
    ];
    named(&served, &wrong).await;
}

/// Something that comes or goes between two pages costs a reader nothing of the rest.
#[tokio::test]
async fn a_page_of_calls_goes_on_where_the_last_one_ended_though_that_call_is_over() {
    let served = with_floor().await;
    let all = items(&served, "/api/v1/calls").await;
    let page = served.get(KEY, "/api/v1/calls?limit=1").await.ok();
    let next = page["next"].as_str().unwrap();
    assert_eq!(next, all[0]["call"].as_str().unwrap());
    served.post(KEY, &format!("/api/v1/calls/{next}/hangup"), "").await.ok();
    assert_eq!(items(&served, &format!("/api/v1/calls?after={next}")).await, all[1..]);
}

#[tokio::test]
async fn people_keys_and_sessions_are_listed_in_pages_and_by_filters() {
    let served = serve().await;
    furnish(&served.switch, T);
    for (name, role) in [("li", "administrator"), ("ada", "auditor"), ("wu", "supervisor")] {
        person(&served, name, &[role]).await;
    }
    for _ in 0..2 {
        crate::people::token(&served).await;
    }
    for (name, scope) in [("wall", "queues:read"), ("crm", "calls:read")] {
        let body = format!(r#"{{"name": "{name}", "scopes": ["{scope}"]}}"#);
        assert_eq!(served.post(KEY, "/api/v1/keys", &body).await.status, 201);
    }
    in_pages(&served, &["/api/v1/users", "/api/v1/keys", "/api/v1/sessions"], "after").await;
    let key = items(&served, "/api/v1/keys").await[0]["id"].as_str().unwrap().to_owned();
    served.ask("DELETE", &format!("/api/v1/keys/{key}"), &[("x-api-key", KEY)], "").await.ok();
    counted(
        &served,
        &[
            ("users?role=auditor", 1),
            ("users?disabled=true", 0),
            ("users?disabled=false", 3),
            ("sessions?user=li", 2),
            ("sessions?user=ada", 0),
            ("keys?state=good", 1),
            ("keys?state=over", 1),
            ("keys?scope=calls:read", 1),
            ("agent-sessions?agent=1001", 1),
            ("agent-sessions?agent=1002", 0),
        ],
    )
    .await;
    named(&served, &[("users?role=x", "role"), ("keys?state=x", "state"), ("keys?after=x", "after")]).await;
}

fn flow(name: &str, kept: FlowKeeper, version: Option<u32>) -> FlowSource {
    let version = version.map(|version| FlowVersion {
        version,
        sha256: String::new(),
        test_sha256: None,
        at: Wall(0),
        by: String::new(),
        note: String::new(),
        back_to: None,
    });
    let view =
        FlowView { flow: FlowId::new(T, name).unwrap(), kept, file: name.into(), version, draft: None };
    FlowSource { view, text: "call:answer()".into(), test: None }
}

#[tokio::test]
async fn flows_tables_bans_and_webhooks_are_listed_in_pages_and_by_filters() {
    let served = serve().await;
    served.switch.on(T, |floor| {
        floor.flows.extend([flow("main", FlowKeeper::Api, Some(2)), flow("hours", FlowKeeper::File, None)]);
        for (source, by) in [("203.0.113.0/24", Some("key fake")), ("198.51.100.7", None)] {
            let (source, by) = (source.parse().unwrap(), by.map(str::to_owned));
            floor.bans.push(BanView { source, why: "x".into(), until: Wall(9), times: 1, dropped: 0, by });
        }
    });
    for table in ["vip", "prices"] {
        let path = format!("/api/v1/tables/{table}/1");
        served.ask("PUT", &path, &[("x-api-key", KEY)], r#"{"name": "Ada"}"#).await.ok();
    }
    for (name, kinds) in [("crm", r#"["call_ended"]"#), ("wall", "[]")] {
        let body = format!(r#"{{"name": "{name}", "url": "https://{name}.example/", "kinds": {kinds}}}"#);
        assert_eq!(served.post(KEY, "/api/v1/webhooks", &body).await.status, 201);
    }
    served.post(KEY, "/api/v1/webhooks/crm/disable", "").await.ok();
    let lists = ["/api/v1/flows", "/api/v1/tables", "/api/v1/bans", "/api/v1/webhooks"];
    in_pages(&served, &lists, "after").await;
    counted(
        &served,
        &[
            ("flows?kept=api", 1),
            ("flows?kept=file&draft=false", 1),
            ("flows?draft=true", 0),
            ("flows/main/versions", 1),
            ("flows/main/versions?before=2", 0),
            ("bans?made=by_hand", 1),
            ("bans?made=by_guard", 1),
            ("webhooks?doing=disabled", 1),
            ("webhooks?kind=call_ended", 2),
            ("webhooks?kind=alarm", 1),
        ],
    )
    .await;
    let wrong = [
        ("flows?kept=x", "kept"),
        ("flows/main/versions?before=x", "before"),
        ("bans?made=x", "made"),
        ("bans?after=x", "after"),
        ("webhooks?kind=call_endet", "kind"),
    ];
    named(&served, &wrong).await;
}

#[tokio::test]
async fn recordings_are_found_by_their_call_and_chats_and_ladders_are_listed_in_pages() {
    let served = serve().await;
    let floor = furnish(&served.switch, T);
    record(&served, &floor);
    record(&served, &floor);
    let (over, waiting) = (floor.over, floor.waiting);
    counted(
        &served,
        &[
            (&format!("recordings?call={over}"), 2),
            (&format!("recordings?call={over}&limit=1"), 1),
            (&format!("recordings?call={waiting}"), 0),
        ],
    )
    .await;
    named(&served, &[("recordings?call=x", "call"), ("chats?nonsense=1", "nonsense")]).await;
    served.switch.on(T, |on| on.add_queue(&QueueId::new(T, "web").unwrap(), "Web"));
    for customer in ["c-1", "c-2", "c-3"] {
        let body = format!(r#"{{"queue": "web", "customer": {{"id": "{customer}", "name": "Ann"}}}}"#);
        assert_eq!(served.post(KEY, "/api/v1/chats", &body).await.status, 201);
    }
    served
        .switch
        .on(T, |on| on.traces = vec![crate::traces::ladder(None, "a"), crate::traces::ladder(None, "b")]);
    in_pages(&served, &["/api/v1/chats", "/api/v1/traces"], "before").await;
    counted(&served, &[("chats?customer=c-2", 1), ("chats?queue=sales", 0), ("chats?to=1", 0)]).await;
}

/// Whatever is asked for: a parameter that is misspelt is not a list of everything.
#[tokio::test]
async fn an_operation_refuses_every_parameter_that_the_document_does_not_have() {
    let served = serve().await;
    furnish(&served.switch, T);
    let mut seen = 0;
    for op in catalog().iter().filter(|op| op.access.scope().is_some() && op.access != Access::Person) {
        let path = op
            .path_parameters()
            .fold(op.path.clone(), |path, name| path.replace(&format!("{{{name}}}"), "1001"));
        let body = op.contract.body.map_or("", |body| body.example);
        let method = op.method.as_str();
        let answer = served.ask(method, &format!("{path}?nonsense=1"), &[("x-api-key", KEY)], body).await;
        assert_eq!(answer.problem(400)["field"], "nonsense", "{method} {path}");
        seen += usize::from(op.method == Method::GET);
    }
    assert!(seen > 40, "{seen}");
}
