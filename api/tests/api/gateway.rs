//! The agent gateway as its clients see it: sign-in, guids, polls, pushes, silence, and what each order becomes.

use crate::fake::door::PASSWORD;
use crate::http::Answer;
use crate::{Served, acme, furnish, serve_with};
use cordboard_api::gateway::config::{GatewayConfig, GatewayTenant};
use cordboard_api::state::ApiConfig;
use cordboard_model::id::{AgentId, Name, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::view::AgentStatus;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const BASE: &str = "/agentgateway/resource";

fn tenant(id: TenantId, vdn: u32) -> GatewayTenant {
    GatewayTenant { id, vdn, skills: [(Name::new("sales").unwrap(), 21)].into() }
}

async fn gateway_of(tenants: Vec<GatewayTenant>) -> Served {
    let gateway = GatewayConfig { tenants, ..GatewayConfig::default() };
    let served = serve_with(ApiConfig { gateway, ..ApiConfig::default() }).await;
    served.switch.on(TenantId::DEFAULT, |floor| {
        floor.add_queue(&QueueId::new(TenantId::DEFAULT, "sales").unwrap(), "Sales");
        for name in ["1001", "1002", "1009"] {
            floor.add_agent(&AgentId::new(TenantId::DEFAULT, name).unwrap(), name, AgentStatus::SignedOut);
        }
    });
    served
}

pub(crate) async fn gateway() -> Served {
    gateway_of(vec![tenant(TenantId::DEFAULT, 3)]).await
}

/// A signed-in client.
pub(crate) struct Bar<'a> {
    pub(crate) served: &'a Served,
    pub(crate) workno: &'a str,
    pub(crate) guid: String,
}

/// The envelope of a 200.
pub(crate) fn envelope(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json; charset=UTF-8");
    let body = answer.json();
    assert!(body["message"].is_string() && body["retcode"].is_string(), "{body}");
    body
}

fn guid_of(answer: &Answer) -> Option<String> {
    let guid = answer.header("set-guid").strip_prefix("JSESSIONID=")?;
    assert!(guid.ends_with(".AgentGateway0"), "{guid}");
    Some(guid.to_owned())
}

async fn door(served: &Served, workno: &str, path: &str, body: &Value) -> Answer {
    served.ask("PUT", &format!("{BASE}/onlineagent/{workno}{path}"), &[], &body.to_string()).await
}

pub(crate) async fn sign_in<'a>(served: &'a Served, workno: &'a str, body: &Value) -> Bar<'a> {
    let answer = door(served, workno, "", body).await;
    assert_eq!(envelope(&answer)["retcode"], "0", "{}", answer.text());
    Bar { served, workno, guid: guid_of(&answer).unwrap() }
}

pub(crate) fn plain() -> Value {
    json!({ "password": PASSWORD, "phonenum": "", "autoanswer": "false" })
}

impl Bar<'_> {
    pub(crate) async fn raw(&self, method: &str, path: &str, body: &str) -> Answer {
        let at = path.find(['/', '?']).unwrap_or(path.len());
        let (face, rest) = path.split_at(at);
        let path = format!("{BASE}/{face}/{}{rest}", self.workno);
        self.served.ask(method, &path, &[("guid", &self.guid)], body).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        envelope(&self.raw(method, path, body).await)
    }

    pub(crate) async fn code(&self, method: &str, path: &str, body: &str) -> String {
        self.ask(method, path, body).await["retcode"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn ok(&self, method: &str, path: &str, body: &str) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer["retcode"], "0", "{method} {path}: {answer}");
        answer["result"].clone()
    }

    /// One poll; takes a new guid.
    pub(crate) async fn poll(&mut self) -> Value {
        let answer = self.raw("GET", "agentevent?calldata=", "").await;
        let body = envelope(&answer);
        assert_eq!(body["retcode"], "0", "{body}");
        self.guid = guid_of(&answer).unwrap_or_else(|| self.guid.clone());
        body["event"].clone()
    }

    /// The types of so many events, each by a poll of its own.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..count {
            let event = self.poll().await;
            kinds.push(event["eventType"].as_str().unwrap_or("none").to_owned());
        }
        kinds
    }
}

pub(crate) fn last_order(served: &Served) -> String {
    served.switch.on(TenantId::DEFAULT, |floor| floor.orders.last().cloned().unwrap_or_default())
}

fn status(served: &Served, workno: &str) -> AgentStatus {
    let id = AgentId::new(TenantId::DEFAULT, workno).unwrap();
    served.switch.on(TenantId::DEFAULT, |floor| floor.agents[&id].status)
}

#[tokio::test]
async fn a_sign_in_gives_a_guid_and_the_events_of_the_wanted_state_one_a_poll() {
    let served = gateway().await;
    let answer = door(&served, "1001", "", &plain()).await;
    let result = &envelope(&answer)["result"];
    assert_eq!(
        (&result["vdnid"], &result["workno"], &result["isForceChange"]),
        (&json!(3), &json!("1001"), &json!("false"))
    );
    assert_eq!(result["mediatype"].as_str().unwrap().len(), 3);
    assert!(result["loginTime"].as_str().unwrap().parse::<u64>().is_ok());
    let mut bar = Bar { served: &served, workno: "1001", guid: guid_of(&answer).unwrap() };
    let first = bar.poll().await;
    assert_eq!(
        (&first["eventType"], &first["workNo"], &first["content"]),
        (&json!("AgentOther_InService"), &json!("1001"), &Value::Null)
    );
    assert!(first["eventGenTime"].is_u64());
    assert_eq!(bar.events(1).await, ["AgentState_Ready"]);
    assert_eq!(status(&served, "1001"), AgentStatus::Ready);
    for (workno, state, last) in
        [("1002", json!("3"), "AgentState_SetNotReady_Success"), ("1009", json!(5), "AgentState_Work")]
    {
        let mut body = plain();
        body["status"] = state;
        let mut bar = sign_in(&served, workno, &body).await;
        assert_eq!(bar.events(3).await, ["AgentOther_InService", "AgentState_Ready", last]);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_sign_in_has_its_code() {
    let served = gateway().await;
    for (body, code) in [
        (json!({}), "100-001"),
        (json!({ "password": "guess-11" }), "100-004"),
        (json!({ "password": "" }), "100-004"),
        (json!({ "password": "locked" }), "110-021"),
        (json!({ "password": "busy" }), "100-003"),
        (json!({ "password": "aged-one" }), "100-020"),
        (json!({ "password": "elsewhere" }), "100-002"),
        (json!({ "password": PASSWORD, "status": "6" }), "100-011"),
        (json!({ "password": PASSWORD, "agenttype": 99 }), "100-012"),
        (json!({ "password": PASSWORD, "ip": "::1" }), "100-016"),
        (json!({ "password": PASSWORD, "callBackUri": "http://127.0.0.1/", "serviceToken": "t" }), "100-011"),
    ] {
        let answer = envelope(&door(&served, "1001", "", &body).await);
        assert_eq!(answer["retcode"], code, "{body}: {answer}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(envelope(&door(&served, "1777", "", &plain()).await)["retcode"], "100-004");
    let broken = served.ask("PUT", &format!("{BASE}/onlineagent/1001"), &[], "{").await;
    assert_eq!(envelope(&broken)["retcode"], "000-006");
}

#[tokio::test]
async fn a_sign_in_by_force_throws_out_who_sat_there_before() {
    let served = gateway().await;
    let mut old = sign_in(&served, "1001", &plain()).await;
    old.events(2).await;
    let body = json!({ "password": "elsewhere", "autoanswer": false });
    assert_eq!(envelope(&door(&served, "1001", "", &body).await)["retcode"], "100-002");
    let waits = old.raw("GET", "agentevent", "");
    let forces = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        door(&served, "1001", "/forcelogin", &body).await
    };
    let (thrown, new) = tokio::join!(waits, forces);
    assert_eq!(envelope(&thrown)["retcode"], "100-006", "the poll that waited is told at once");
    let mut new = Bar { served: &served, workno: "1001", guid: guid_of(&new).unwrap() };
    assert_eq!(old.code("POST", "onlineagent/saybusy", "").await, "100-006");
    assert_eq!(new.events(2).await, ["AgentOther_InService", "AgentState_Ready"]);
}

#[tokio::test(start_paused = true)]
async fn a_guid_is_renewed_by_polls_and_dead_after_two_minutes() {
    let served = gateway().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    bar.events(2).await;
    let first = bar.guid.clone();
    let begun = tokio::time::Instant::now();
    while bar.guid == first {
        assert_eq!(bar.poll().await, Value::Null, "no event after ten seconds");
    }
    let after = begun.elapsed();
    assert!((Duration::from_secs(60)..Duration::from_secs(75)).contains(&after), "{after:?}");
    let stale = Bar { guid: first, served: &served, workno: "1001" };
    assert_eq!(stale.code("GET", "calldata/holdlist", "").await, "400-003", "the one before opens still");
    while begun.elapsed() < Duration::from_secs(121) {
        bar.poll().await;
    }
    assert_ne!(stale.code("GET", "calldata/holdlist", "").await, "400-003");
    assert_eq!(bar.code("GET", "calldata/holdlist", "").await, "400-003");
    let wrong = Bar { guid: "FFFF.AgentGateway0".into(), served: &served, workno: "1001" };
    assert_eq!(wrong.code("GET", "calldata/holdlist", "").await, "100-006");
}

#[tokio::test(start_paused = true)]
async fn two_minutes_of_silence_sign_an_agent_out_and_a_poll_now_and_then_does_not() {
    let served = gateway().await;
    let quiet = sign_in(&served, "1002", &plain()).await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    let begun = tokio::time::Instant::now();
    bar.events(2).await;
    while begun.elapsed() < Duration::from_secs(110) {
        bar.poll().await;
    }
    assert_eq!(status(&served, "1002"), AgentStatus::Ready);
    while begun.elapsed() < Duration::from_secs(131) {
        bar.poll().await;
    }
    assert_eq!(
        (status(&served, "1002"), status(&served, "1001")),
        (AgentStatus::SignedOut, AgentStatus::Ready)
    );
    assert_eq!(quiet.code("GET", "agentevent", "").await, "100-006");
}

#[tokio::test(start_paused = true)]
async fn a_guid_that_is_not_renewed_is_stale_although_the_agent_is_there() {
    let served = gateway().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    bar.events(2).await;
    let first = Bar { guid: bar.guid.clone(), served: &served, workno: "1001" };
    while bar.guid == first.guid {
        bar.poll().await;
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    bar.poll().await;
    assert_ne!(first.code("GET", "agentevent", "").await, "0");
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(bar.code("GET", "calldata/holdlist", "").await, "400-003");
}

#[tokio::test(start_paused = true)]
async fn events_are_pushed_in_order_again_until_they_are_taken_and_beats_renew_the_guid() {
    let served = gateway().await;
    served.switch.on(TenantId::DEFAULT, |floor| floor.pages_take = false);
    let mut body = plain();
    body["callBackUri"] = json!("https://crm.example/events");
    body["serviceToken"] = json!("tok-1");
    let mut bar = sign_in(&served, "1001", &body).await;
    assert_eq!(bar.code("GET", "agentevent", "").await, "000-001", "what is pushed is not polled");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let tried = served.switch.on(TenantId::DEFAULT, |floor| {
        floor.pages_take = true;
        core::mem::take(&mut floor.posts)
    });
    assert!(tried.len() > 1 && tried.windows(2).all(|two| two[0].body == two[1].body), "{tried:?}");
    tokio::time::sleep(Duration::from_secs(30)).await;
    let posts = served.switch.on(TenantId::DEFAULT, |floor| core::mem::take(&mut floor.posts));
    assert_eq!(posts.len(), 1);
    let said: Value = serde_json::from_str(&posts[0].body).unwrap();
    assert_eq!(said["workNo"], "1001");
    let kinds: Vec<&str> = said["eventList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["eventType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["AgentOther_InService", "AgentState_Ready"]);
    assert_eq!(posts[0].url, "https://crm.example/events");
    assert_eq!(posts[0].headers, [("Guid", bar.guid.clone()), ("service_token", "tok-1".to_owned())]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let beat = served
        .ask(
            "POST",
            &format!("{BASE}/onlineagent/1001/handshake"),
            &[("guid", &bar.guid), ("service_token", "tok-2")],
            "",
        )
        .await;
    assert_eq!(envelope(&beat)["retcode"], "0");
    bar.guid = guid_of(&beat).expect("a beat after a minute brings the next guid");
    bar.ok("POST", "onlineagent/saybusy", "").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let posts = served.switch.on(TenantId::DEFAULT, |floor| core::mem::take(&mut floor.posts));
    assert!(posts[0].body.contains("AgentState_SetNotReady_Success"), "{posts:?}");
    assert_eq!(posts[0].headers[1].1, "tok-2");
}

#[tokio::test]
async fn states_come_with_their_reasons_and_times() {
    let served = gateway().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    bar.events(2).await;
    bar.ok("POST", "onlineagent/saybusy?reason=201", "").await;
    let event = bar.poll().await;
    assert_eq!(
        (&event["eventType"], &event["content"]["reason"]),
        (&json!("AgentState_SetNotReady_Success"), &json!("1"))
    );
    assert!(last_order(&served).contains(r#"NotReady { reason: Some("201") }"#), "{}", last_order(&served));
    assert_eq!(bar.code("POST", "onlineagent/saybusy", "").await, "100-009");
    assert_eq!(bar.code("POST", "onlineagent/saybusy?reason=199", "").await, "000-002");
    bar.ok("POST", "onlineagent/sayfree", "").await;
    assert_eq!(bar.events(2).await, ["AgentState_CancelNotReady_Success", "AgentState_Ready"]);
    assert_eq!(bar.code("POST", "onlineagent/cancelbusy", "").await, "100-009");
    bar.ok("POST", "onlineagent/rest/60/7", "").await;
    assert!(
        last_order(&served).contains(r#"Rest { reason: Some("7"), limit: Some(60s) }"#),
        "{}",
        last_order(&served)
    );
    assert_eq!(bar.events(1).await, ["AgentState_SetRest_Success"]);
    assert_eq!(bar.code("POST", "onlineagent/rest/0/7", "").await, "000-002");
    assert_eq!(bar.code("POST", "onlineagent/rest/60/256", "").await, "000-002");
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    served.switch.on(TenantId::DEFAULT, |floor| {
        let since = floor.now;
        floor.event(cordboard_model::event::EventKind::AgentOverdue { agent, since });
    });
    assert_eq!(bar.events(1).await, ["AgentState_Rest_Timeout"]);
    bar.ok("POST", "onlineagent/cancelrest", "").await;
    assert_eq!(bar.events(2).await, ["AgentState_CancelRest_Success", "AgentState_Ready"]);
    assert_eq!(bar.ok("GET", "onlineagent/agentstatus", "").await["agentState"], 4);
    let sync = bar.ok("POST", "onlineagent/syncagentinfo", "").await;
    assert_eq!(
        (&sync["agentStateInfo"]["workNo"], &sync["agentStateInfo"]["state"]),
        (&json!("1001"), &json!(4))
    );
    assert_eq!(bar.ok("GET", "onlineagent/agentskills", "").await[0]["id"], 21);
    bar.ok("POST", "onlineagent/resetskill/false?skillid=21", "").await;
    assert_eq!(bar.code("POST", "onlineagent/resetskill/false?skillid=22", "").await, "100-019");
    bar.ok("DELETE", "onlineagent/logout", "").await;
    assert_eq!(status(&served, "1001"), AgentStatus::SignedOut);
    assert_eq!(bar.code("DELETE", "onlineagent/logout", "").await, "100-006");
}

/// A caller of the queue is offered to 1001 and taken.
pub(crate) fn caller(served: &Served) {
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    let queue = QueueId::new(TenantId::DEFAULT, "sales").unwrap();
    served.switch.on(TenantId::DEFAULT, |floor| {
        let call = floor.arrive(PartyId::new("600"), "501");
        floor.enqueue(call, &queue);
        floor.offer(call, &queue, &agent);
        floor.bridge(call, &queue, &agent);
    });
}

/// Each trap of the reference's transfer: blind is 0, but of an outside number 1.
#[tokio::test]
async fn every_type_of_transfer_has_its_modes() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    let send = |device: Value, mode: Value, address: &str| {
        json!({ "devicetype": device, "mode": mode, "address": address }).to_string()
    };
    assert_eq!(bar.code("POST", "voicecall/transfer", &send(json!(2), json!(0), "1002")).await, "200-012");
    caller(&served);
    for (device, mode, address, order) in [
        (1, 0, "21", "Transfer(Place(Queue(default/sales)), Blind)"),
        (1, 2, "21", "Transfer(Place(Queue(default/sales)), AfterSuccess)"),
        (2, 0, "1002", "Transfer(Place(Agent(default/1002)), Blind)"),
        (2, 2, "1002", "Transfer(Place(Agent(default/1002)), AfterSuccess)"),
        (2, 3, "1002", "Transfer(Place(Agent(default/1002)), Blind)"),
        (3, 0, "9001", "Transfer(Place(Flow(default/verify)), Blind)"),
        (3, 0, "verify", "Transfer(Place(Flow(default/verify)), Blind)"),
        (4, 0, "700", "Transfer(Number(\"700\"), Blind)"),
        (4, 2, "700", "Transfer(Number(\"700\"), AfterSuccess)"),
        (5, 1, "13900000000", "Transfer(Number(\"13900000000\"), Blind)"),
        (5, 2, "13900000000", "Transfer(Number(\"13900000000\"), AfterSuccess)"),
        (5, 3, "13900000000", "Consult(Number(\"13900000000\"))"),
        (5, 4, "13900000000", "Add(Number(\"13900000000\"))"),
    ] {
        for (device, mode) in
            [(json!(device), json!(mode)), (json!(device.to_string()), json!(mode.to_string()))]
        {
            bar.ok("POST", "voicecall/transfer", &send(device, mode, address)).await;
            let last = last_order(&served);
            assert!(last.contains(order), "{last}");
        }
    }
    for (device, mode, code) in [
        (5, 0, "000-002"),
        (1, 1, "000-002"),
        (2, 1, "000-002"),
        (4, 1, "000-002"),
        (6, 0, "000-002"),
        (3, 2, "000-002"),
        (3, 0, "200-012"),
        (3, 1, "200-012"),
        (1, 0, "200-012"),
    ] {
        assert_eq!(
            bar.code("POST", "voicecall/transfer", &send(json!(device), json!(mode), "99")).await,
            code,
            "{device} {mode}"
        );
    }
    let blind =
        json!({ "devicetype": 5, "mode": 1, "address": "13900000000", "callappdata": "x".repeat(16_385) });
    assert_eq!(bar.code("POST", "voicecall/transfer", &blind.to_string()).await, "000-002");
}

/// What an agent sends along is data of the call before he who gets the call is asked; a suspended call's flow has it, too.
#[tokio::test]
async fn what_an_agent_sends_along_goes_with_the_call() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    caller(&served);
    let info = bar.ok("GET", "calldata/callinfo", "").await;
    let id = info["callid"].as_str().unwrap().to_owned();
    for (n, (path, mut body)) in [
        ("voicecall/transfer", json!({ "devicetype": 2, "mode": 2, "address": "1002" })),
        ("voicecall/transfer", json!({ "devicetype": 3, "mode": 0, "address": "9001" })),
        ("voicecall/innerhelp", json!({ "dstaddress": "1002" })),
        ("voicecall/confjoin", json!({ "callid": id })),
    ]
    .into_iter()
    .enumerate()
    {
        body["callappdata"] = format!("told by {n}").into();
        bar.ok("POST", path, &body.to_string()).await;
        assert_eq!(
            bar.ok("GET", "calldata/callinfo", "").await["calldata"],
            format!("told by {n}"),
            "{path}"
        );
    }
    let aside = json!({ "devicetype": 3, "mode": 1, "address": "9001", "callappdata": "who is it?" });
    bar.ok("POST", "voicecall/transfer", &aside.to_string()).await;
    let last = served.switch.on(TenantId::DEFAULT, |floor| floor.asides.last().cloned().unwrap());
    assert_eq!((last.flow.name.as_str(), &last.data["callappdata"]), ("verify", &json!("who is it?")));
}

#[tokio::test]
async fn orders_of_a_call_become_orders_at_the_desk_and_refusals_their_codes() {
    let served = gateway().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    bar.events(2).await;
    assert_eq!(bar.code("DELETE", "voicecall/release", "").await, "200-017");
    let id = bar.ok("PUT", "voicecall/callout", r#"{"called": "10086", "callappdata": "spring"}"#).await;
    assert!(id.as_str().unwrap().split_once('-').is_some(), "{id}");
    assert!(last_order(&served).contains(r#""callappdata": String("spring")"#), "{}", last_order(&served));
    assert_eq!(bar.code("PUT", "voicecall/callout", r#"{"called": "abc"}"#).await, "000-002");
    bar.ok("PUT", "voicecall/callinner", r#"{"called": 1002}"#).await;
    assert!(last_order(&served).contains("Place(Agent(default/1002))"), "{}", last_order(&served));
    assert_eq!(bar.code("PUT", "voicecall/callinner", r#"{"called": "1777"}"#).await, "300-002");
    caller(&served);
    let kinds = bar.events(6).await;
    assert_eq!(kinds[0], "AgentState_Busy");
    assert!(kinds.contains(&"AgentEvent_Talking".to_owned()), "{kinds:?}");
    let info = bar.ok("GET", "calldata/callinfo", "").await;
    assert_eq!(
        (&info["caller"], &info["callskillid"], &info["callfeature"]),
        (&json!("600"), &json!(21), &json!(0))
    );
    let id = info["callid"].as_str().unwrap().to_owned();
    for (method, path, body, order) in [
        ("POST", "voicecall/hold", String::new(), "Hold(true)"),
        ("POST", "voicecall/beginmute", String::new(), "Mute(true)"),
        ("POST", "voicecall/endmute", String::new(), "Mute(false)"),
        ("POST", "voicecall/seconddialex?number=12%23", String::new(), "Keys(\"12#\")"),
        (
            "POST",
            "voicecall/innerhelp",
            json!({ "dstaddress": "1002" }).to_string(),
            "Consult(Place(Agent(default/1002)))",
        ),
        (
            "POST",
            "voicecall/innerhelp",
            json!({ "dstaddress": 1002, "mode": "2" }).to_string(),
            "Add(Place(Agent(default/1002)))",
        ),
        (
            "POST",
            "voicecall/innerhelp",
            json!({ "dstaddress": "21", "devicetype": 1 }).to_string(),
            "Consult(Place(Queue(default/sales)))",
        ),
        ("POST", "voicecall/confjoin", json!({ "callid": id }).to_string(), "Merge"),
        ("POST", "voicecall/canceltransfer", String::new(), "Cancel"),
        ("POST", &format!("voicecall/connecthold/{id}"), String::new(), "Complete"),
        ("POST", &format!("voicecall/dropcall/{id}"), String::new(), "Release"),
        ("DELETE", "voicecall/release", String::new(), "Release"),
        ("DELETE", "voicecall", String::new(), "Release"),
    ] {
        bar.ok(method, path, &body).await;
        let last = last_order(&served);
        assert!(last.contains(order) && last.contains("agent: Some(default/1001)"), "{path}: {last}");
    }
}

#[tokio::test]
async fn what_is_refused_in_a_call_has_its_code() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    caller(&served);
    for (method, path, body, code) in [
        ("POST", "voicecall/gethold", "", "200-016"),
        ("POST", "voicecall/disconnect/12345", "", "200-204"),
        ("POST", "voicecall/connecthold/1-2", "", "200-013"),
        ("POST", "voicecall/confjoin", r#"{"callid": "1-2"}"#, "200-011"),
        ("POST", "voicecall/reject", "", "200-002"),
        ("GET", "calldata/holdlist", "", "400-003"),
        ("DELETE", "onlineagent/logout", "", "100-010"),
    ] {
        assert_eq!(bar.code(method, path, body).await, code, "{path}");
    }
}

#[tokio::test]
async fn lists_of_skills_agents_and_waiting_calls_have_the_references_fields() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    sign_in(&served, "1002", &plain()).await;
    let skills = bar.ok("GET", "queuedevice/agentvdnskill", "").await;
    assert_eq!(
        skills,
        json!([{ "name": "sales", "id": 21, "mediatype": 5, "serviceType": 0, "realFlag": 1 }])
    );
    let agent = bar.ok("GET", "agentgroup/agentbyworkno/1002", "").await;
    for (field, value) in
        [("workno", json!("1002")), ("status", json!("4")), ("ctiStatus", json!("1")), ("vdnid", json!(3))]
    {
        assert_eq!(agent[field], value, "{agent}");
    }
    assert_eq!(agent["skilllist"][0]["id"], 21);
    assert_eq!(bar.code("GET", "agentgroup/agentbyworkno/1777", "").await, "300-002");
    let all = bar.ok("GET", "agentgroup/agentbyskill/21", "").await;
    assert_eq!(all.as_array().unwrap().len(), 2, "1009 is not signed in: {all}");
    let few = r#"{"agentLimit": 1, "agentStatus": ["4"]}"#;
    assert_eq!(bar.ok("GET", "agentgroup/agentbyskill/21", few).await.as_array().unwrap().len(), 1);
    assert_eq!(bar.code("GET", "agentgroup/agentbyskill/21", r#"{"agentLimit": 1}"#).await, "000-002");
    let queue = QueueId::new(TenantId::DEFAULT, "sales").unwrap();
    served.switch.on(TenantId::DEFAULT, |floor| {
        let call = floor.arrive(PartyId::new("602"), "501");
        floor.enqueue(call, &queue);
    });
    let waiting = bar.ok("GET", "calldata/waitcallinfo/21", "").await;
    assert_eq!(
        (&waiting[0]["caller"], &waiting[0]["callskillid"], &waiting[0]["endtime"]),
        (&json!("602"), &json!(21), &Value::Null)
    );
    assert_eq!(bar.code("GET", "calldata/waitcallinfo/22", "").await, "600-005");
    let id = waiting[0]["callid"].as_str().unwrap();
    bar.ok("POST", &format!("voicecall/requestcall/{id}/0"), "").await;
    assert!(last_order(&served).contains("Agent(default/1001)"), "{}", last_order(&served));
    assert_eq!(bar.code("POST", &format!("voicecall/requestcall/{id}/1"), "").await, "000-002");
}

#[tokio::test]
async fn an_agent_records_the_call_that_he_is_in() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    assert_eq!(bar.code("PUT", "recordplay/recordwithoutfilename", "").await, "500-008");
    caller(&served);
    for (method, what, act) in [
        ("PUT", "recordwithoutfilename", "Start"),
        ("POST", "pauserecord", "Pause"),
        ("POST", "resumerecord", "Resume"),
        ("DELETE", "stoprecord", "Stop"),
    ] {
        bar.ok(method, &format!("recordplay/{what}"), "").await;
        let last = last_order(&served);
        assert!(last.contains(act) && last.contains("agent 1001"), "{what}: {last}");
    }
}

#[tokio::test]
async fn a_call_that_rings_at_a_colleague_is_picked_up_within_a_queue() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    sign_in(&served, "1002", &plain()).await;
    assert_eq!(bar.code("PUT", "voicecall/snatchpickup?destWorkNo=1002", "").await, "100-007", "none rings");
    let (agent, queue) =
        (AgentId::new(TenantId::DEFAULT, "1002").unwrap(), QueueId::new(TenantId::DEFAULT, "sales").unwrap());
    let call = served.switch.on(TenantId::DEFAULT, |floor| {
        let call = floor.arrive(PartyId::new("600"), "501");
        floor.enqueue(call, &queue);
        floor.offer(call, &queue, &agent);
        call
    });
    bar.ok("PUT", "voicecall/snatchpickup?destWorkNo=1002", "").await;
    let last = last_order(&served);
    assert!(last.contains(&call.to_string()) && last.contains("to: Agent(default/1001)"), "{last}");
    assert_eq!(bar.code("PUT", "voicecall/snatchpickup?destWorkNo=1001", "").await, "100-007", "his own");
    assert_eq!(bar.code("PUT", "voicecall/snatchpickup", "").await, "000-002");
}

#[tokio::test]
async fn an_inspectors_orders_are_given_in_his_name_and_nobody_inspects_himself() {
    let served = gateway().await;
    let chief = sign_in(&served, "1009", &plain()).await;
    sign_in(&served, "1001", &plain()).await;
    for (method, path, order) in [
        ("PUT", "qualitycontrol/addsupervise/1001", "Supervise { mode: Listen"),
        ("PUT", "qualitycontrol/addinsert/1001", "Supervise { mode: BargeIn"),
        ("PUT", "qualitycontrol/intercept/1001", "Supervise { mode: Intercept"),
        ("POST", "qualitycontrol/requestwhisperagent?whisperagentid=1001", "Supervise { mode: Whisper"),
        ("POST", "qualitycontrol/forcebusy/1001", "Want(NotReady"),
        ("POST", "qualitycontrol/forceidle/1001", "Want(Ready"),
        ("POST", "qualitycontrol/forcerest/1001/60/5", "Want(Rest"),
        ("POST", "qualitycontrol/forcelogout/1001", "Want(SignOut"),
    ] {
        chief.ok(method, path, "").await;
        let last = last_order(&served);
        assert!(
            last.contains(order)
                && last.contains("agent: default/1001")
                && last.contains("agent: Some(default/1009)"),
            "{last}"
        );
    }
    assert_eq!(chief.code("DELETE", "qualitycontrol/1001", "").await, "900-005", "he inspects nobody");
    assert_eq!(chief.code("PUT", "qualitycontrol/addsupervise/1009", "").await, "000-005");
    assert_eq!(chief.code("PUT", "qualitycontrol/addsupervise/1777", "").await, "900-004");
    let plain_agent = sign_in(&served, "1002", &plain()).await;
    assert_eq!(plain_agent.code("POST", "qualitycontrol/forcedropcall/1-2", "").await, "900-002");
    assert_eq!(plain_agent.code("GET", "calldata/holdlistex/1001", "").await, "300-001");
}

#[tokio::test]
async fn what_is_left_out_says_why_and_a_gateway_that_serves_nobody_says_that() {
    let served = gateway().await;
    let ask = |path: &'static str| {
        let served = &served;
        async move {
            let answer = served.ask("GET", &format!("{BASE}/{path}"), &[], "").await;
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.json()["retcode"], "000-001");
            answer.json()["message"].as_str().unwrap().to_owned()
        }
    };
    assert!(ask("voicecall/1001/previewcallout").await.contains("its body is not public"));
    assert!(ask("textchat/1001/chatmessage").await.contains("mediacall"));
    assert!(ask("querymonitor/1001/servertime").await.contains("not public"));
    assert_eq!(ask("nothing/1001").await, "there is no such method");
    let method = served.ask("GET", &format!("{BASE}/voicecall/1001/hold"), &[], "").await;
    assert_eq!((method.status, method.json()["retcode"].as_str()), (405, Some("000-001")));
    let off = gateway_of(Vec::new()).await;
    let answer = door(&off, "1001", "", &plain()).await;
    assert_eq!(answer.status, 404);
    assert!(answer.json()["message"].as_str().unwrap().contains("serves no tenant"));
}

/// The path has a number alone: whose it is must be clear.
#[tokio::test]
async fn an_agent_signs_in_to_the_tenant_that_is_served_and_has_him() {
    let served = gateway().await;
    furnish(&served.switch, acme());
    let theirs = AgentId::new(acme(), "2001").unwrap();
    served.switch.on(acme(), |floor| floor.add_agent(&theirs, "Their own", AgentStatus::SignedOut));
    assert_eq!(
        envelope(&door(&served, "2001", "", &plain()).await)["retcode"],
        "100-004",
        "acme is not served"
    );
    let both = gateway_of(vec![tenant(TenantId::DEFAULT, 1), tenant(acme(), 2)]).await;
    both.switch.on(acme(), |floor| {
        floor.add_agent(&theirs, "Their own", AgentStatus::SignedOut);
        floor.add_agent(&AgentId::new(acme(), "1001").unwrap(), "Another", AgentStatus::SignedOut);
    });
    let answer = envelope(&door(&both, "2001", "", &plain()).await);
    assert_eq!(answer["result"]["vdnid"], 2, "{answer}");
    assert_eq!(envelope(&door(&both, "1001", "", &plain()).await)["retcode"], "100-018", "in two tenants");
    let body = json!({ "password": "elsewhere", "autoanswer": false });
    let forced = door(&both, "2001", "/forcelogin", &body).await;
    let theirs = Bar { served: &both, workno: "2001", guid: guid_of(&forced).unwrap() };
    assert!(theirs.code("PUT", "voicecall/callinner", r#"{"called": "1002"}"#).await == "300-002");
}

/// A guid is one agent's: it opens nothing of another's.
#[tokio::test]
async fn a_guid_opens_its_own_agents_desk_alone() {
    let served = gateway().await;
    let mine = sign_in(&served, "1001", &plain()).await;
    sign_in(&served, "1002", &plain()).await;
    let other = Bar { served: &served, workno: "1002", guid: mine.guid.clone() };
    assert_eq!(other.code("POST", "onlineagent/saybusy", "").await, "100-006");
    assert_eq!(other.code("GET", "agentevent", "").await, "100-006");
    assert_eq!(status(&served, "1002"), AgentStatus::Ready);
    let none = served.ask("POST", &format!("{BASE}/onlineagent/1001/saybusy"), &[], "").await;
    assert_eq!(envelope(&none)["retcode"], "100-006");
}
