//! Campaigns: by signed requests as clients of the reference contact centre write them, and by our own API.

use crate::fake::vault::BEGIN;
use crate::huawei::{SECRET, config, signed_as};
use crate::{KEY, Served, acme, furnish, serve};
use cordboard_api::huawei::campaigns::{results, took};
use cordboard_model::campaign::{CampaignGoal, CampaignKind, NumberResult, NumberState, Outcome};
use cordboard_model::id::{IdMaker, TenantId};
use cordboard_model::time::Wall;
use serde_json::{Value, json};
use std::sync::Arc;

const BASE: &str = "/rest/isales/v1/openapi/campaigns/5";
const BASE_2: &str = "/rest/isales/v2/openapi/campaigns/5";

async fn shapes() -> Served {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    furnish(&served.switch, acme());
    served.switch.on(TenantId::DEFAULT, |floor| floor.huawei = Arc::new(config()));
    served
}

/// What a signed request is answered; both pairs say the same.
async fn asks(served: &Served, method: &str, path: &str, body: &Value) -> Value {
    let answer = signed_as(served, ("crm", SECRET), (method, path), body).await;
    assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
    let said = answer.json();
    assert_eq!(said["resultCode"], said["returnCode"], "{said}");
    assert_eq!(said["resultDesc"], said["returnDesc"], "{said}");
    said
}

async fn ok(served: &Served, method: &str, path: &str, body: &Value) -> Value {
    let said = asks(served, method, path, body).await;
    assert_eq!(said["resultCode"], "0200000", "{method} {path}: {said}");
    said["returnObject"].clone()
}

fn first() -> Value {
    json!({
        "name": "autumn", "description": "renewals", "strBeginTime": "2026-11-21 00:00:00",
        "strEndTime": "2026-12-24 16:00:00", "deviceType": "2", "callerNo": "+493055500", "maxAlertingTime": "30",
        "scheduleParam": {
            "workdayBeginTime1": "09:00", "workdayEndTime1": "12:00", "workdayBeginTime2": "13:30",
            "workdayEndTime2": "18:00", "workdayBeginTime3": "", "workdayEndTime3": "", "holidayBeginTime1": "10:00",
            "holidayEndTime1": "11:00", "holidayBeginTime2": "", "holidayEndTime2": "",
        },
        "skillParam": {
            "skillId": "21", "skillName": "sales", "outBoundType": 2,
            "predictParam": { "predictMethod": 1, "expPredictParam": { "maxAvgCallTime": 60, "outBoundRate": "1.5" } },
        },
        "callBackUrl": "https://crm.example/results",
    })
}

fn but(change: &[(&str, Value)]) -> Value {
    let mut said = first();
    for (name, value) in change {
        match name.split_once('.') {
            Some((of, inner)) => said[of][inner] = value.clone(),
            None => said[*name] = value.clone(),
        }
    }
    said
}

#[tokio::test]
async fn a_campaign_is_made_changed_found_paused_resumed_and_deleted_in_both_code_pairs() {
    let served = shapes().await;
    let made = ok(&served, "POST", BASE, &first()).await;
    assert_eq!(made, json!({ "campaignId": "1" }));
    let spec = served.switch.on(TenantId::DEFAULT, |floor| floor.campaigns.campaigns[&1].spec.clone());
    assert_eq!((spec.kind, spec.ring_s, spec.rate), (CampaignKind::Predictive, 30, 150));
    assert!(matches!(&spec.goal, CampaignGoal::Queue(queue) if queue.as_str() == "sales"));
    let minutes: Vec<(u16, u16)> = spec.workdays.iter().map(|hours| (hours.from, hours.to)).collect();
    assert_eq!((minutes, spec.holidays.len()), (vec![(540, 720), (810, 1_080)], 1));
    assert_eq!(spec.begins, cordboard_model::calendar::read("2026-11-21T00:00:00Z").unwrap());
    let detail = ok(&served, "GET", &format!("{BASE}/1"), &json!({})).await;
    for (name, value) in [
        ("campaignId", json!("1")),
        ("status", json!(2)),
        ("deviceType", json!(2)),
        ("name", json!("autumn")),
    ] {
        assert_eq!(detail[name], value, "{detail}");
    }
    assert_eq!(detail["skillParam"]["predictParam"]["predictMethod"], 1, "what it said comes back");
    let second = but(&[
        ("callerNo", json!([{ "accessCode": "+493055501", "priority": 2 }, { "accessCode": "+493055500" }])),
        ("priority", json!(5)),
        ("name", json!("winter")),
    ]);
    ok(&served, "PUT", &format!("{BASE_2}/1"), &second).await;
    let spec = served.switch.on(TenantId::DEFAULT, |floor| floor.campaigns.campaigns[&1].spec.clone());
    assert_eq!((spec.name.as_str(), spec.priority, spec.shown.len()), ("winter", 5, 2));
    let refused = asks(&served, "PUT", &format!("{BASE}/1"), &but(&[("deviceType", json!(5))])).await;
    assert_eq!(refused["resultCode"], "0200001", "the device type is fixed: {refused}");
    ok(&served, "PUT", &format!("{BASE}/1/pause"), &json!({})).await;
    let again = asks(&served, "PUT", &format!("{BASE}/1/pause"), &json!({})).await;
    assert_eq!(again["returnCode"], "0200011");
    let page =
        ok(&served, "GET", &format!("{BASE}?status=3&deviceType=2&curPage=1&rowsPerPage=100"), &json!({}))
            .await;
    assert_eq!((&page["totalCount"], &page["data"][0]["status"]), (&json!(1), &json!(3)));
    let none = ok(&served, "GET", &format!("{BASE}?status=2"), &json!({})).await;
    assert_eq!(none["totalCount"], 0);
    let wide = asks(&served, "GET", &format!("{BASE}?rowsPerPage=101"), &json!({})).await;
    assert_eq!(wide["resultCode"], "02000005");
    ok(&served, "PUT", &format!("{BASE}/1/resume"), &json!({})).await;
    let runs = asks(&served, "DELETE", &format!("{BASE}/1"), &json!({ "archiveHistory": true })).await;
    assert_eq!(runs["returnCode"], "0200011", "it runs");
    ok(&served, "PUT", &format!("{BASE}/1/pause"), &json!({})).await;
    ok(&served, "DELETE", &format!("{BASE}/1"), &json!({ "archiveHistory": true })).await;
    for path in [format!("{BASE}/1"), format!("{BASE}/x")] {
        assert_eq!(asks(&served, "GET", &path, &json!({})).await["returnCode"], "0200007");
    }
}

#[tokio::test]
async fn every_fault_of_a_campaign_has_the_references_code() {
    let served = shapes().await;
    let long = "x".repeat(101);
    for (change, code) in [
        (vec![("name", json!(""))], "02000001"),
        (vec![("name", json!(long))], "02000003"),
        (vec![("description", json!("a=b"))], "02000002"),
        (vec![("strEndTime", json!("2026-12-24T16:00"))], "02000008"),
        (vec![("strEndTime", json!("2026-11-20 16:00:00"))], "02000009"),
        (vec![("strBeginTime", json!("2026-11-20 00:00:00"))], "02000005"),
        (vec![("deviceType", json!(4))], "02000005"),
        (vec![("maxAlertingTime", json!(121))], "02000005"),
        (vec![("deviceType", json!(5)), ("maxAlertingTime", json!(8))], "02000005"),
        (vec![("scheduleParam.workdayBeginTime1", json!("9:00"))], "02000010"),
        (vec![("scheduleParam.workdayBeginTime3", json!("19:00"))], "02000009"),
        (vec![("skillParam", Value::Null)], "02000001"),
        (vec![("skillParam.skillId", json!(99))], "0200001"),
        (vec![("deviceType", json!(3))], "02000001"),
        (vec![("deviceType", json!(3)), ("ivrParam", json!({ "flowId": "none" }))], "0200001"),
        (vec![("priority", json!(6))], "02000005"),
        (vec![("callBackUrl", json!("??"))], "02000002"),
    ] {
        let said = asks(&served, "POST", BASE, &but(&change)).await;
        assert_eq!(said["resultCode"], code, "{change:?}: {said}");
        assert!(said.get("returnObject").is_none(), "{said}");
    }
    // the second version rings a minute at most
    let said = asks(&served, "POST", BASE_2, &but(&[("maxAlertingTime", json!(61))])).await;
    assert_eq!(said["resultCode"], "02000005");
    let other = asks(&served, "POST", "/rest/isales/v1/openapi/campaigns/6", &first()).await;
    assert_eq!(other["resultCode"], "0200001", "another tenant's VDN");
    let answer = signed_as(&served, ("files-only", SECRET), ("POST", BASE), &first()).await;
    assert_eq!(answer.status, 401, "the key opens files alone");
}

#[tokio::test]
async fn numbers_are_added_twenty_at_a_time_and_have_business_results() {
    let served = shapes().await;
    ok(&served, "POST", BASE, &first()).await;
    let path = format!("{BASE}/calldata/1");
    let numbers = json!({ "callDataList": [
        { "sessionId": "s1", "called": "13800000000", "customField": "row 1", "name": "Ann" },
        { "called": 13_800_000_001_i64 },
    ] });
    let added = ok(&served, "POST", &path, &numbers).await;
    assert_eq!(
        added,
        json!({ "totalSize": 2, "dataIdList": [
        { "called": "13800000000", "dataId": "1" }, { "called": "13800000001", "dataId": "2" },
    ] })
    );
    let row = served.switch.on(TenantId::DEFAULT, |floor| floor.campaigns.numbers[&1].clone());
    assert_eq!((row.session.as_str(), &row.data["name"]), ("s1", &json!("Ann")));
    let many: Vec<Value> = (0..21).map(|n| json!({ "called": format!("1380000{n:04}") })).collect();
    for (list, code) in [
        (json!([]), "02000001"),
        (json!(many), "02000011"),
        (json!([{ "called": "" }]), "02000001"),
        (json!([{ "called": "ann@example" }]), "02000002"),
    ] {
        let said = asks(&served, "POST", &path, &json!({ "callDataList": list })).await;
        assert_eq!(said["resultCode"], code, "{said}");
    }
    let gone = asks(&served, "POST", &format!("{BASE}/calldata/9"), &numbers).await;
    assert_eq!(gone["returnCode"], "0200007");
    let said = json!({ "busiResult": "sold", "subStatus": "1", "busiResultDesc": "a year", "workNo": 1001 });
    ok(&served, "POST", &format!("{BASE}/callBusiResult/1"), &said).await;
    let row =
        served.switch.on(TenantId::DEFAULT, |floor| floor.campaigns.numbers[&1].business.clone().unwrap());
    assert_eq!((row.code.as_str(), row.agent.as_str()), ("sold", "1001"));
    for (id, said, code) in [("9", said.clone(), "0200033"), ("1", json!({}), "02000001")] {
        let refused = asks(&served, "POST", &format!("{BASE}/callBusiResult/{id}"), &said).await;
        assert_eq!(refused["resultCode"], code, "{refused}");
    }
}

#[test]
fn results_are_a_bare_list_with_the_references_fields() {
    let mut ids = IdMaker::new(1_456_404_171, 0);
    let call = ids.call(TenantId::DEFAULT);
    let number = |outcome, recording| {
        let mut row = crate::fake::campaigns::number(TenantId::DEFAULT, 1, (1, "13800000000"));
        (row.state, row.session) = (NumberState::Done, "s1".into());
        row.data = [("customField".to_owned(), json!("row 1"))].into();
        row.result = Some(NumberResult { outcome, call: Some(call), at: Wall(1_795_219_200_000), recording });
        row
    };
    let recording = ids.recording(TenantId::DEFAULT);
    let numbers = [number(Outcome::Reached, Some(recording)), number(Outcome::Busy, None)];
    let body: Value = serde_json::from_str(&results(&config(), TenantId::DEFAULT, &numbers)).unwrap();
    let list = body.as_array().unwrap();
    assert_eq!(list.len(), 2);
    let day = cordboard_model::calendar::moment(BEGIN, &cordboard_model::calendar::zone("UTC").unwrap());
    let day = format!("{:04}{:02}{:02}", day.year, day.month, day.day);
    for (name, value) in [
        ("campaignId", json!("1")),
        ("sessionId", json!("s1")),
        ("called", json!("13800000000")),
        ("callStatus", json!(6)),
        ("failCode", json!("00000")),
        ("vdnId", json!(5)),
        ("callId", json!("1456404171-256")),
        ("customField", json!("row 1")),
        ("recordPath", json!(format!("/Y/1/record/5/{day}/0/{recording}.wav"))),
    ] {
        assert_eq!(list[0][name], value, "{}", list[0]);
    }
    assert_eq!((&list[1]["callStatus"], &list[1]["failCode"]), (&json!(5), &json!("00537")));
    assert_eq!(list[1]["recordPath"], "");
    assert!(took(r#"{"retCode": "0", "retMsg": ""}"#) && !took(r#"{"retCode": "1"}"#) && !took(""));
}

#[tokio::test]
async fn our_own_campaigns_have_the_same_life_and_say_which_field_is_wrong() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let ask = |method: &'static str, path: String, body: Value| {
        let served = &served;
        async move {
            let headers = [("authorization", format!("Bearer {KEY}"))];
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            served.ask(method, &path, &headers, &body.to_string()).await
        }
    };
    let at = "/api/v1/campaigns".to_owned();
    let new = json!({ "name": "autumn", "kind": "predictive", "goal": { "queue": "sales" }, "begins": BEGIN.0,
                      "ends": BEGIN.0 + 86_400_000, "workdays": [{ "from": 540, "to": 1_080 }] });
    let made = ask("POST", at.clone(), new.clone()).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json();
    assert_eq!((&made["id"], &made["state"], &made["ring_s"]), (&json!(1), &json!("running"), &json!(30)));
    let numbers =
        json!({ "numbers": [{ "called": "900" }, { "called": "901", "session": "b" }, { "called": "902" }] });
    assert_eq!(ask("POST", format!("{at}/1/numbers"), numbers).await.status, 200);
    let page = ask("GET", format!("{at}/1/numbers?limit=2"), json!({})).await.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (2, &json!("2")));
    let rest = ask("GET", format!("{at}/1/numbers?limit=2&after=2"), json!({})).await.json();
    assert_eq!((&rest["items"][0]["called"], &rest["next"]), (&json!("902"), &Value::Null));
    let said = ask("PUT", format!("{at}/1/numbers/2/business"), json!({ "code": "sold" })).await;
    assert_eq!((said.status, &said.json()["business"]["code"]), (200, &json!("sold")));
    for (method, path, body, status) in [
        ("GET", format!("{at}/1/numbers?state=odd"), json!({}), 400),
        ("GET", format!("{at}?odd=1"), json!({}), 400),
        ("POST", at.clone(), json!({ "name": "x" }), 400),
        ("PUT", format!("{at}/1/numbers/2/business"), json!({ "code": "" }), 400),
        ("PUT", format!("{at}/2/numbers/2/business"), json!({ "code": "sold" }), 404),
        ("GET", format!("{at}/2"), json!({}), 404),
        ("DELETE", format!("{at}/1"), json!({}), 409),
    ] {
        let answer = ask(method, path.clone(), body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
    assert_eq!(ask("POST", format!("{at}/1/pause"), json!({})).await.json()["paused"], true);
    let changed = new
        .as_object()
        .map(|new| new.iter().map(|(k, v)| (k.clone(), v.clone())).chain([("name".into(), json!("winter"))]));
    let changed: serde_json::Map<String, Value> = changed.into_iter().flatten().collect();
    assert_eq!(ask("PUT", format!("{at}/1"), changed.into()).await.json()["name"], "winter");
    assert_eq!(ask("POST", format!("{at}/1/resume"), json!({})).await.status, 200);
    assert_eq!(ask("POST", format!("{at}/1/pause"), json!({})).await.status, 200);
    assert_eq!(ask("DELETE", format!("{at}/1"), json!({})).await.status, 200);
    assert_eq!(ask("GET", at, json!({})).await.json()["items"], json!([]));
}
