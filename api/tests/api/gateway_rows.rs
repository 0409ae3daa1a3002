//! Rows of the agent gateway one by one: each done, with what the switch was told and what the reference has in its result; and refused, with the
//! code that it has for that.

use crate::Served;
use crate::gateway::{BASE, Bar, caller, gateway, last_order, plain, sign_in};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{Supervision, SupervisionMode};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, LegId, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::view::AgentStatus;
use serde_json::{Value, json};
use std::time::Duration;

const T: TenantId = TenantId::DEFAULT;

fn agent(workno: &str) -> AgentId {
    AgentId::new(T, workno).unwrap()
}

/// A caller of the queue rings at 1001.
fn rings(served: &Served) -> CallId {
    let queue = QueueId::new(T, "sales").unwrap();
    served.switch.on(T, |floor| {
        let call = floor.arrive(PartyId::new("600"), "501");
        floor.enqueue(call, &queue);
        floor.offer(call, &queue, &agent("1001"));
        call
    })
}

/// Waits until the switch was told this.
async fn told(served: &Served, what: &str) {
    for _ in 0..400 {
        if served.switch.on(T, |floor| floor.orders.iter().any(|order| order.contains(what))) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody said {what}: {:?}", served.switch.on(T, |floor| floor.orders.clone()));
}

/// A row is answered with an empty result, and the switch was told this, of that call, in the name of who is signed in.
async fn done(served: &Served, bar: &Bar<'_>, row: (&str, &str, &str), (call, act): (Option<CallId>, &str)) {
    let (method, path, body) = row;
    assert_eq!(bar.ok(method, path, body).await, json!({}), "{path}");
    let last = last_order(served);
    let by = format!("by: Actor {{ key: \"\", agent: Some(default/{}) }}", bar.workno);
    let of = call.map_or("call: None".to_owned(), |call| format!("call: Some({call})"));
    assert!(
        last.contains(&by) && last.contains(&of) && last.contains(&format!("act: {act} }}")),
        "{path}: {last}"
    );
}

/// Another party is in the call.
fn third(served: &Served, call: CallId, number: &str) -> LegId {
    served.switch.on(T, |floor| {
        let leg = floor.ids.leg(T);
        floor.event(EventKind::LegStarted { call, leg, party: PartyId::new(number) });
        leg
    })
}

fn only_call(served: &Served) -> CallId {
    served.switch.on(T, |floor| *floor.calls.keys().next().unwrap())
}

#[tokio::test]
async fn a_call_that_rings_is_told_of_answered_and_rejected() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    assert_eq!(bar.code("PUT", "voicecall/answer", "").await, "200-002");
    assert_eq!(bar.code("POST", "voicecall/reject", "").await, "200-002");
    assert_eq!(bar.code("GET", "calldata/callinfobeforeanswer", "").await, "400-001");
    let call = rings(&served);
    let info = bar.ok("GET", "calldata/callinfobeforeanswer", "").await;
    for (field, value) in [
        ("callfeature", json!(0)),
        ("caller", json!("600")),
        ("called", json!("501")),
        ("orgicallednum", json!("501")),
        ("callskill", json!("sales")),
        ("callskillid", json!(21)),
        ("mediaType", json!(5)),
        ("mediaAbility", json!(1)),
        ("endtime", Value::Null),
    ] {
        assert_eq!(info[field], value, "{field}: {info}");
    }
    let id = info["callid"].as_str().unwrap();
    assert!(id.len() <= 25 && id.split_once('-').is_some(), "{id}");
    let named = format!("voicecall/answer?callid={id}");
    done(&served, &bar, ("PUT", &named, ""), (Some(call), "Answer")).await;
    done(&served, &bar, ("PUT", "voicecall/answer", ""), (None, "Answer")).await;
    assert_eq!(bar.code("PUT", "voicecall/answer?callid=1-2", "").await, "200-002");
    let body = json!({ "callid": id }).to_string();
    for said in [body.as_str(), ""] {
        done(&served, &bar, ("POST", "voicecall/reject", said), (Some(call), "Seat(Release)")).await;
    }
    assert_eq!(bar.code("POST", "voicecall/reject", r#"{"callid": "1-2"}"#).await, "200-002");
}

#[tokio::test]
async fn a_party_is_disconnected_by_his_number_and_an_agent_by_his_own() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    assert_eq!(bar.code("POST", "voicecall/disconnect/600", "").await, "200-204");
    caller(&served);
    let call = only_call(&served);
    done(&served, &bar, ("POST", "voicecall/disconnect/600", ""), (Some(call), "Seat(Release)")).await;
    for number in ["10086", "1002"] {
        let leg = third(&served, call, number);
        let path = format!("voicecall/disconnect/{number}");
        done(&served, &bar, ("POST", &path, ""), (Some(call), &format!("Seat(Remove({leg:?}))"))).await;
    }
    assert_eq!(bar.code("POST", "voicecall/disconnect/12345", "").await, "200-204");
    assert_eq!(bar.code("POST", "voicecall/disconnect/1001", "").await, "200-204", "he himself");
}

#[tokio::test]
async fn the_phone_is_released_and_keys_are_dialled_after_the_answer() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    assert_eq!(bar.code("DELETE", "voicecall/releasephone", "").await, "200-017");
    assert_eq!(bar.code("POST", "voicecall/seconddial/12", "").await, "100-007");
    caller(&served);
    let call = only_call(&served);
    done(&served, &bar, ("POST", "voicecall/seconddial/12%2A%23", ""), (None, "Keys(\"12*#\")")).await;
    done(&served, &bar, ("DELETE", "voicecall/releasephone", ""), (Some(call), "Seat(Release)")).await;
    assert_eq!(bar.code("POST", "voicecall/seconddial/12a", "").await, "000-002");
    let long = format!("voicecall/seconddial/{}", "1".repeat(25));
    assert_eq!(bar.code("POST", &long, "").await, "000-002");
    let none = Bar { guid: "FFFF.AgentGateway0".into(), ..sign_in(&served, "1002", &plain()).await };
    assert_eq!(none.code("POST", "voicecall/seconddial/12", "").await, "100-006");
}

#[tokio::test]
async fn held_calls_of_another_are_an_inspectors_to_see() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    let chief = sign_in(&served, "1009", &plain()).await;
    assert_eq!(chief.code("GET", "calldata/holdlistex/1001", "").await, "400-003");
    caller(&served);
    served.switch.on(T, |floor| {
        let (call, leg) = floor.calls.values().map(|view| (view.call, view.legs[0].leg)).next().unwrap();
        floor.event(EventKind::LegHeld { call, leg, held: true });
    });
    let seen = chief.ok("GET", "calldata/holdlistex/1001", "").await;
    let own = bar.ok("GET", "calldata/holdlist", "").await;
    for list in [&seen, &own] {
        let held = &list[0];
        assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
        assert_eq!((&held["caller"], &held["called"]), (&json!("600"), &json!("501")), "{held}");
        assert_eq!((&held["callskill"], held["callfeature"].is_u64()), (&json!("sales"), true), "{held}");
    }
    assert_eq!(seen[0]["callid"], own[0]["callid"]);
    assert_eq!(bar.ok("GET", "calldata/holdlistex/1001", "").await, own, "his own, for himself");
    assert_eq!(chief.code("GET", "calldata/holdlistex/1777", "").await, "300-002");
    let other = sign_in(&served, "1002", &plain()).await;
    assert_eq!(other.code("GET", "calldata/holdlistex/1001", "").await, "300-001");
}

#[tokio::test]
async fn an_inspector_ends_a_call_and_stops_whispering() {
    let served = gateway().await;
    let chief = sign_in(&served, "1009", &plain()).await;
    let bar = sign_in(&served, "1001", &plain()).await;
    caller(&served);
    let (stop, call) = ("qualitycontrol/requeststopwhisperagent?whisperagentid=1001", only_call(&served));
    assert_eq!(chief.code("POST", stop, "").await, "900-005", "he does not whisper");
    let leg = third(&served, call, "1009");
    served.switch.on(T, |floor| {
        let asked = floor.now;
        let view = floor.calls.get_mut(&call).unwrap();
        let (by, of) = (PartyId::new("1009"), view.legs[1].leg);
        let (turns, mode) = (Vec::new(), SupervisionMode::Whisper);
        let agent = Some(agent("1009"));
        view.supervision =
            Some(Supervision { leg, by, agent, of, mode, asked, turns, ended: None, cause: None });
    });
    done(&served, &chief, ("POST", stop, ""), (None, "Change(Listen)")).await;
    assert_eq!(chief.code("POST", "qualitycontrol/requeststopwhisperagent", "").await, "000-002");
    let wrong = "qualitycontrol/requeststopwhisperagent?whisperagentid=1777";
    assert_eq!(chief.code("POST", wrong, "").await, "900-004");
    let id = bar.ok("GET", "calldata/callinfo", "").await["callid"].as_str().unwrap().to_owned();
    let drop = format!("qualitycontrol/forcedropcall/{id}");
    assert_eq!(bar.code("POST", &drop, "").await, "900-002");
    assert_eq!(chief.code("POST", "qualitycontrol/forcedropcall/1-2", "").await, "400-001");
    assert_eq!(chief.ok("POST", &drop, "").await, json!({}));
    assert!(served.switch.on(T, |floor| floor.calls.is_empty()), "the call is over");
    let ended = served.switch.on(T, |floor| floor.cdrs.last().map(|cdr| (cdr.call, cdr.cause)));
    assert_eq!(ended, Some((call, Cause::Administrative)));
}

#[tokio::test]
async fn the_skills_of_another_are_told_by_his_number() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    let skills = json!([{ "name": "sales", "id": 21, "mediatype": 5 }]);
    for workno in ["1002", "1001"] {
        let path = format!("onlineagent/agentskillsbyworkno/{workno}");
        assert_eq!(bar.ok("GET", &path, "").await, skills, "{workno}");
    }
    assert_eq!(bar.code("GET", "onlineagent/agentskillsbyworkno/1777", "").await, "300-002");
    served.switch.on(T, |floor| floor.queues.clear());
    let bar = sign_in(&served, "1002", &plain()).await;
    assert_eq!(bar.code("GET", "onlineagent/agentskillsbyworkno/1001", "").await, "600-001");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_keeps_an_agent_signed_in_and_brings_the_next_guid() {
    let served = gateway().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    let beat = async |guid: &str| {
        let path = format!("{BASE}/onlineagent/1001/heartbeat");
        let answer = served.ask("PUT", &path, &[("guid", guid)], "").await;
        let next = answer.header("set-guid").strip_prefix("JSESSIONID=").map(str::to_owned);
        (answer.json(), next)
    };
    let first = bar.guid.clone();
    for round in 0..8 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let (said, next) = beat(&bar.guid).await;
        assert_eq!((&said["retcode"], &said["result"]), (&json!("0"), &json!({})), "{round}");
        bar.guid = next.unwrap_or(bar.guid);
    }
    assert_ne!(bar.guid, first, "a minute old, it is another");
    assert_eq!(served.switch.on(T, |floor| floor.agents[&agent("1001")].status), AgentStatus::Ready);
    assert_eq!(beat("FFFF.AgentGateway0").await.0["retcode"], "100-006");
    assert_eq!(bar.raw("POST", "onlineagent/heartbeat", "").await.status, 405, "it is a PUT");
}

#[tokio::test]
async fn calls_are_answered_by_themselves_and_followed_by_work_from_when_that_is_said() {
    let served = gateway().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    bar.events(2).await;
    for path in ["autoanswer/maybe", "autoenteridle/2"] {
        assert_eq!(bar.code("POST", &format!("onlineagent/{path}"), "").await, "000-002", "{path}");
    }
    assert_eq!(bar.ok("POST", "onlineagent/autoanswer/true", "").await, json!({}));
    let call = rings(&served);
    told(
        &served,
        &format!("call: Some({call}), by: Actor {{ key: \"\", agent: Some(default/1001) }}, act: Answer"),
    )
    .await;
    assert!(bar.events(3).await.contains(&"AgentEvent_Auto_Answer".to_owned()));
    assert_eq!(bar.ok("POST", "onlineagent/autoenteridle/false", "").await, json!({}));
    let queue = QueueId::new(T, "sales").unwrap();
    served.switch.on(T, |floor| floor.bridge(call, &queue, &agent("1001")));
    told(&served, r#"Want(NotReady { reason: Some("work") })"#).await;
}

/// Who says so in the middle of a call means this one, too.
#[tokio::test]
async fn who_wants_to_work_after_calls_does_so_after_the_one_that_he_is_in() {
    let served = gateway().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    bar.events(2).await;
    caller(&served);
    bar.events(6).await;
    assert_eq!(bar.ok("POST", "onlineagent/autoenteridle/false", "").await, json!({}));
    told(&served, r#"Want(NotReady { reason: Some("work") })"#).await;
}

/// Of contents some are the call's number itself and some an object; a poll has one event, and figures in it are texts.
#[tokio::test]
async fn a_poll_has_one_event_whose_content_is_a_bare_text_or_an_object() {
    let served = gateway().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    bar.events(2).await;
    caller(&served);
    let call = only_call(&served);
    let id = bar.ok("GET", "calldata/callinfo", "").await["callid"].clone();
    served.switch.on(T, |floor| {
        let leg = floor.calls[&call].legs[0].leg;
        floor.event(EventKind::LegHeld { call, leg, held: true });
    });
    let (mut seen, mut polls) = (std::collections::BTreeMap::new(), 0);
    let mut ended = false;
    while !seen.contains_key("AgentEvent_Customer_Release") {
        polls += 1;
        assert!(polls < 20, "{seen:?}");
        let event = bar.poll().await;
        assert!(event.is_object(), "one event, and no list: {event}");
        assert_eq!(event["workNo"], "1001");
        let kind = event["eventType"].as_str().unwrap().to_owned();
        if kind == "AgentEvent_Hold" && !ended {
            ended = true;
            served.switch.on(T, |floor| floor.end(call, Cause::Normal, Party::Caller));
        }
        seen.insert(kind, event["content"].clone());
    }
    for kind in ["AgentEvent_Hold", "AgentEvent_Call_Release"] {
        assert_eq!(seen[kind], id, "{kind} is the number itself");
    }
    assert_eq!(seen["AgentEvent_Customer_Release"], json!({ "callid": id, "number": "600" }));
    let talking = &seen["AgentEvent_Talking"];
    assert_eq!((&talking["feature"], &talking["mediaAbility"]), (&json!("0"), &json!("1")), "{talking}");
    assert_eq!(seen["AgentState_Busy"], Value::Null);
}
