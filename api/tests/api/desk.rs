//! Orders at agents' desks.

use crate::{KEY, OTHER_KEY, furnish, serve};
use cordboard_model::id::TenantId;

#[tokio::test]
async fn every_order_at_a_desk_is_read_and_says_who_gave_it() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let agent = format!("/api/v1/agents/{}", floor.agent.name);
    let ordered = |method: &'static str, path: &'static str, body: &'static str| {
        let (served, path) = (&served, format!("{agent}/{path}"));
        async move {
            let done = served.ask(method, &path, &[("x-api-key", KEY)], body).await.ok();
            done["done"][0].as_str().unwrap().to_owned()
        }
    };
    for (method, path, body, expected) in [
        ("POST", "answer", "", "Answer by key "),
        ("POST", "release", "{}", "Seat(Release) by key "),
        ("POST", "hold", r#"{"by": "1009"}"#, "Seat(Hold(true)) by agent 1009"),
        ("POST", "mute", "", "Seat(Mute(true)) by key "),
        ("POST", "unmute", "", "Seat(Mute(false)) by key "),
        ("POST", "recording/start", "", "Record(Start) by key "),
        ("POST", "recording/pause", r#"{"by": "1009"}"#, "Record(Pause) by agent 1009"),
        ("POST", "recording/resume", "", "Record(Resume) by key "),
        ("POST", "consult", r#"{"to": "1002"}"#, r#"Seat(Consult(Number("1002"))) by key "#),
        ("POST", "consult/complete", "", "Seat(Complete) by key "),
        ("POST", "consult/cancel", "", "Seat(Cancel) by key "),
        ("POST", "consult/conference", "", "Seat(Merge) by key "),
        (
            "POST",
            "transfer",
            r#"{"to": "1002", "after_success": true}"#,
            r#"Seat(Transfer(Number("1002"), AfterSuccess)) by key "#,
        ),
        ("POST", "conference", r#"{"to": "+4930"}"#, r#"Seat(Add(Number("+4930"))) by key "#),
        ("POST", "keys", r#"{"keys": "12#"}"#, r#"Keys("12#") by key "#),
        (
            "POST",
            "call",
            r#"{"to": "+4930", "caller_number": "+4940", "data": {"campaign": "spring"}}"#,
            r#"Dial { to: Number("+4930"), shown: Some("+4940"), data: {"campaign": String("spring")} } by key "#,
        ),
        ("POST", "device", r#"{"device": "usual"}"#, "Device(Usual) by key "),
        ("POST", "device", r#"{"device": "account", "by": "1009"}"#, "Device(Own) by agent 1009"),
        ("POST", "device", r#"{"device": "phone"}"#, "Device(Phone) by key "),
        ("POST", "device", r#"{"account": "1005"}"#, "Device(Other(Account(default/1005))) by key "),
        ("POST", "device", r#"{"number": "+4930"}"#, r#"Device(Other(Number("+4930"))) by key "#),
        ("POST", "line", "", "Line(true) by key "),
        ("DELETE", "line", "", "Line(false) by key "),
        ("PUT", "supervise", r#"{"mode": "whisper"}"#, "Change(Whisper) by key "),
        ("DELETE", "supervise", "", "EndSupervision by key "),
    ] {
        let said = ordered(method, path, body).await;
        assert!(said.starts_with(expected), "{path}: {said}");
    }
    for (path, body, place) in [
        ("transfer", r#"{"queue": "sales"}"#, "Queue("),
        ("transfer", r#"{"flow": "survey"}"#, "Flow("),
        ("transfer", r#"{"agent": "1002"}"#, "Agent("),
        ("wrap-up", r#"{"code": "sold", "note": "two"}"#, "WrapUp { code: Some("),
        (
            "supervise",
            r#"{"mode": "listen", "by": "1009"}"#,
            "Supervise { mode: Listen, extension: None } by agent 1009",
        ),
        ("supervise", r#"{"mode": "listen", "extension": "1008"}"#, "extension: Some("),
    ] {
        let said = ordered("POST", path, body).await;
        assert!(said.contains(place), "{path}: {said}");
    }
}

#[tokio::test]
async fn an_order_names_one_of_several_calls_of_the_tenant() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/agents/{}/hold", floor.agent.name);
    let body = format!(r#"{{"call": "{}"}}"#, floor.talking);
    let done = served.post(KEY, &path, &body).await.ok();
    assert!(done["done"][0].as_str().unwrap().contains(&format!("in {}", floor.talking)), "{done}");
    served.post(KEY, &path, r#"{"call": "acme.6b00e42d-0-1"}"#).await.problem(404);
    served.post(OTHER_KEY, &path, "").await.problem(404);
}

#[tokio::test]
async fn what_an_order_at_a_desk_gets_wrong_is_named() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let agent = format!("/api/v1/agents/{}", floor.agent.name);
    for (path, body, field) in [
        ("hold", r#"{"on": true}"#, "call"),
        ("hold", r#"{"by": "not a name"}"#, "by"),
        ("consult", "", "to"),
        ("consult", r#"{"to": "1002", "agent": "1003"}"#, "to"),
        ("consult", r#"{"to": "1 2"}"#, "to"),
        ("consult", r#"{"to": "1002", "after_success": true}"#, "after_success"),
        ("transfer", r#"{"to": "1002", "caller_number": "1"}"#, "caller_number"),
        ("transfer", r#"{"queue": "no queue"}"#, "queue"),
        ("call", r#"{"to": "1002", "caller_number": ""}"#, "caller_number"),
        ("keys", r#"{"keys": "x"}"#, "keys"),
        ("device", "{}", "device"),
        ("device", r#"{"device": "mobile"}"#, "device"),
        ("device", r#"{"device": "phone", "number": "+4930"}"#, "device"),
        ("device", r#"{"number": "call me"}"#, "number"),
        ("device", r#"{"account": "a b"}"#, "account"),
        ("wrap-up", "{}", "code"),
        ("supervise", r#"{"mode": "sing", "by": "1009"}"#, "mode"),
        ("supervise", r#"{"mode": "listen"}"#, "by"),
    ] {
        let problem = served.post(KEY, &format!("{agent}/{path}"), body).await.problem(400);
        assert_eq!(problem["field"], field, "{path} {body}");
    }
    let long = format!(r#"{{"note": "{}"}}"#, "a".repeat(2_049));
    assert_eq!(served.post(KEY, &format!("{agent}/wrap-up"), &long).await.problem(400)["field"], "note");
    let refused = served.post(KEY, &format!("{agent}/retrieve"), "").await.problem(409);
    assert_eq!(refused["code"], "not_held");
    served.post(KEY, "/api/v1/agents/nobody/hold", "").await.problem(404);
    // the wishes of before stand beside it
    served.post(KEY, &format!("{agent}/ready"), "").await.ok();
    served.post(KEY, &format!("{agent}/dance"), "").await.problem(404);
}

#[tokio::test]
async fn a_desk_is_read_by_its_tenant() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/agents/{}/desk", floor.agent.name);
    let view = served.get(KEY, &path).await.ok();
    assert_eq!(view["agent"]["name"], floor.agent.name.as_str());
    assert_eq!(view["calls"][0]["call"], floor.talking.to_string());
    served.get(OTHER_KEY, &path).await.problem(404);
}

#[tokio::test]
async fn who_is_to_be_called_back_is_put_listed_by_queue_and_taken_off_by_the_tenant() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = "/api/v1/callbacks";
    let put =
        served.post(KEY, path, r#"{"number": "+4930", "queue": "sales", "note": "after six"}"#).await.ok();
    let id = put["done"][0].as_str().unwrap().to_owned();
    served.post(KEY, path, r#"{"number": "+4940"}"#).await.ok();
    let all = served.get(KEY, path).await.ok();
    assert_eq!((all["items"].as_array().unwrap().len(), &all["items"][0]["note"]), (2, &"after six".into()));
    let sales = served.get(KEY, "/api/v1/callbacks?queue=sales").await.ok();
    assert_eq!(sales["items"].as_array().unwrap().len(), 1);
    assert_eq!(sales["items"][0]["by"], "key fake");
    let first = served.get(KEY, &format!("{path}?limit=1")).await.ok();
    let second = format!("{path}?limit=1&after={}", first["next"].as_str().unwrap());
    let second = served.get(KEY, &second).await.ok();
    assert_eq!(
        (&first["items"][0]["number"], &second["items"][0]["number"]),
        (&"+4930".into(), &"+4940".into())
    );
    for wrong in ["limit=0", "limit=1001", "after=1-0", "before=1"] {
        served.get(KEY, &format!("{path}?{wrong}")).await.problem(400);
    }
    assert_eq!(served.get(OTHER_KEY, path).await.ok()["items"], serde_json::json!([]));
    for (body, field) in [
        ("", "number"),
        (r#"{"number": ""}"#, "number"),
        (r#"{"number": "1", "queue": "no queue"}"#, "queue"),
        (r#"{"number": "1", "when": "soon"}"#, "number"),
    ] {
        assert_eq!(served.post(KEY, path, body).await.problem(400)["field"], field, "{body}");
    }
    let agent = format!("/api/v1/agents/{}/callbacks/{id}", floor.agent.name);
    for (what, order) in [("take", "Take"), ("give-back", "GiveBack"), ("call", "Call"), ("done", "Done")] {
        let done = served.post(KEY, &format!("{agent}/{what}"), "").await.ok();
        let said = done["done"][0].as_str().unwrap();
        assert!(said.starts_with("Callback(") && said.contains(order), "{said}");
    }
    served.post(KEY, &format!("{agent}/sing"), "").await.problem(404);
    let entry = format!("{path}/{id}");
    served.ask("DELETE", &entry, &[("x-api-key", OTHER_KEY)], "").await.problem(404);
    served.ask("DELETE", &entry, &[("x-api-key", KEY)], "").await.ok();
    served.ask("DELETE", &entry, &[("x-api-key", KEY)], "").await.problem(404);
}

#[tokio::test]
async fn who_waits_is_placed_and_an_agents_state_is_forced_by_a_named_supervisor() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let place = format!("/api/v1/calls/{}/place", floor.waiting);
    for (body, expected) in [
        (r#"{"agent": "1002", "by": "1009"}"#, "Agent("),
        (r#"{"queue": "help", "by": "1009"}"#, "Queue("),
        (r#"{"first": true, "by": "1009"}"#, "First"),
    ] {
        let done = served.post(KEY, &place, body).await.ok();
        let said = done["done"][0].as_str().unwrap();
        assert!(said.starts_with(expected) && said.ends_with("by agent 1009"), "{said}");
    }
    for (body, field) in [
        ("", "agent"),
        (r#"{"agent": "1002", "first": true}"#, "agent"),
        (r#"{"queue": "no queue"}"#, "queue"),
        (r#"{"first": true, "by": "no name"}"#, "by"),
    ] {
        assert_eq!(served.post(KEY, &place, body).await.problem(400)["field"], field, "{body}");
    }
    served.post(OTHER_KEY, &place, r#"{"first": true}"#).await.problem(404);
    let agent = format!("/api/v1/agents/{}/rest", floor.agent.name);
    let done = served.post(KEY, &agent, r#"{"by": "1009", "reason": "lunch"}"#).await.ok();
    let said = done["done"][0].as_str().unwrap();
    assert!(
        said.starts_with("Want(Rest") && said.contains("lunch") && said.ends_with("by agent 1009"),
        "{said}"
    );
    assert_eq!(served.post(KEY, &agent, r#"{"by": "no name"}"#).await.problem(400)["field"], "by");
}

#[tokio::test]
async fn a_call_between_two_parties_is_asked_for_and_what_is_wrong_with_it_is_named() {
    let served = serve().await;
    let begin = |body: &'static str| {
        let served = &served;
        async move { served.ask("POST", "/api/v1/calls", &[("x-api-key", KEY)], body).await }
    };
    let answer = begin(
        r#"{"first": {"number": "+4930", "ring": 20}, "then": {"queue": "sales"}, "account": "1001",
            "caller_number": "+4940", "data": {"order": 7}, "token": "t1"}"#,
    )
    .await;
    assert_eq!(answer.status, 201);
    let begun = answer.json();
    assert!(begun["call"].as_str().is_some_and(|call| call.parse::<cordboard_model::id::CallId>().is_ok()));
    let said = begun["done"][0].as_str().unwrap();
    for part in [
        r#"first: Number("+4930")"#,
        "then: Place(Queue(",
        r#"shown: Some("+4940")"#,
        "rings: [Some(20s), None]",
        r#"data: {"order": Number(7)}"#,
        r#"token: Some("t1")"#,
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for (body, field) in [
        (r#"{"first": {"queue": "sales"}, "then": {"agent": "1001"}}"#, "first"),
        (r#"{"first": {"agent": "1001"}, "then": {}}"#, "then"),
        (r#"{"first": {"agent": "1001", "number": "1"}, "then": {"agent": "1002"}}"#, "first"),
        (r#"{"first": {"agent": "1001", "ring": 0}, "then": {"agent": "1002"}}"#, "first"),
        (r#"{"first": {"agent": "1001"}, "then": {"number": "a b"}}"#, "then"),
        (r#"{"first": {"agent": "1001"}, "then": {"agent": "1002"}, "token": ""}"#, "token"),
        (r#"{"first": {"agent": "1001"}, "then": {"agent": "1002"}, "account": "a b"}"#, "account"),
    ] {
        assert_eq!(begin(body).await.problem(400)["field"], field, "{body}");
    }
}
