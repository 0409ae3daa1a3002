//! Tokens, call-backs, monitoring and files as clients of the reference contact centre ask for them.

use crate::http::Answer;
use crate::tenants::record;
use crate::{Furnished, Served, acme, furnish, serve};
use cordboard_api::gateway::config::GatewayTenant;
use cordboard_api::huawei::config::{Face, HuaweiConfig, HuaweiKey, HuaweiTenant};
use cordboard_api::vault::Vault as _;
use cordboard_model::calendar::{moment, zone};
use cordboard_model::config::Secret;
use cordboard_model::id::{CallId, Name, TenantId};
use cordboard_model::time::Wall;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub(crate) const SECRET: &str = "a-secret-of-the-crm";
pub(crate) const OTHER: &str = "a-secret-of-the-acme";
const TOKEN: &str = "/apigovernance/api/oauth/tokenByAkSk";
const CREATE: &str = "/apiaccess/CC-Management/v1/mobileAgent/createCall";
const CREATE_3: &str = "/apiaccess/CC-Management/v3/mobileAgent/createCall";
const ACCOUNTS: &str = "/apiaccess/rest/cc-management/v1/agentAccount/query";
const CMS: &str = "/rest/cmsapp/v1/openapi";
const FILES: &str = "/CCFS/resource/ccfs";
const KIND: &str = "application/json;charset=UTF-8";

fn key(name: &str, secret: &str, opens: &[Face]) -> HuaweiKey {
    HuaweiKey { name: name.into(), secrets: vec![Secret(secret.into())], opens: opens.to_vec() }
}

pub(crate) fn config() -> HuaweiConfig {
    let tenant = |id, vdn, keys| HuaweiTenant {
        tenant: GatewayTenant { id, vdn, skills: [(Name::new("sales").unwrap(), 21)].into() },
        cc: 1,
        sip: Some(("192.0.2.1".into(), 5_060)),
        keys,
    };
    let own = vec![key("crm", SECRET, &Face::ALL), key("files-only", SECRET, &[Face::Files])];
    let tenants =
        vec![tenant(TenantId::DEFAULT, 5, own), tenant(acme(), 6, vec![key("acme", OTHER, &Face::ALL)])];
    HuaweiConfig { tenants, ..HuaweiConfig::default() }
}

async fn shapes() -> (Served, Furnished) {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    furnish(&served.switch, acme());
    served.switch.on(TenantId::DEFAULT, |floor| floor.huawei = Arc::new(config()));
    (served, floor)
}

fn number(call: CallId) -> String {
    format!("{}-{}", call.start, (call.number << 8) | u64::from(call.shard))
}

pub(crate) async fn token_of(served: &Served, name: &str, secret: &str, headers: &[(&str, &str)]) -> Answer {
    let body = json!({ "app_key": name, "app_secret": secret }).to_string();
    served.ask("POST", TOKEN, headers, &body).await
}

async fn token(served: &Served) -> String {
    let answer = token_of(served, "crm", SECRET, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["AccessToken"].as_str().unwrap().to_owned()
}

/// A call by a token.
async fn call(served: &Served, path: &str, body: &Value) -> Value {
    let bearer = format!("Bearer {}", token(served).await);
    let headers = [("authorization", bearer.as_str()), ("x-app-key", "crm")];
    let answer = served.ask("POST", path, &headers, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn hex_hmac(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn date(at: Wall) -> String {
    let m = moment(at, &zone("UTC").unwrap());
    let ms = at.0.rem_euclid(1_000);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{ms:03}Z",
        m.year, m.month, m.day, m.hour, m.minute, m.second
    )
}

fn authorization(
    served: &Served,
    (ak, secret): (&str, &str),
    time: &str,
    (method, path): (&str, &str),
    body: &str,
) -> String {
    let path = path.split('?').next().unwrap_or(path);
    let names = "content-length;content-type;host";
    let prefix = format!("auth-v2/{ak}/{time}/{names}");
    let host = escaped(&served.addr.to_string());
    let headers = format!("content-length:{}\ncontent-type:{}\nhost:{host}", body.len(), escaped(KIND));
    let text = format!("{method}\n{path}\n{names}\n{headers}\n{}", escaped(body));
    format!("{prefix}/{}", hex_hmac(&hex_hmac(secret, &prefix), &text))
}

pub(crate) async fn signed_by(served: &Served, key: (&str, &str), path: &str, body: &Value) -> Answer {
    signed_as(served, key, ("POST", path), body).await
}

/// The same with another method.
pub(crate) async fn signed_as(
    served: &Served,
    key: (&str, &str),
    (method, path): (&str, &str),
    body: &Value,
) -> Answer {
    // each at another millisecond, so that none is the same as the one before
    static NEXT: AtomicI64 = AtomicI64::new(0);
    let at = Wall(served.switch.moment().0 + NEXT.fetch_add(1, Ordering::Relaxed));
    let body = body.to_string();
    let value = authorization(served, key, &date(at), (method, path), &body);
    served.ask(method, path, &[("authorization", &value), ("content-type", KIND)], &body).await
}

/// What monitoring answers to a signed question: the same in both pairs.
async fn cms(served: &Served, path: &str, body: &Value) -> Value {
    let answer = signed_by(served, ("crm", SECRET), &format!("{CMS}{path}"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!((&body["result"], &body["resultCode"]), (&json!("0"), &json!("0100000")), "{path}: {body}");
    assert_eq!(body["resultDatas"], body["resultDesc"], "{path}");
    body["resultDatas"].clone()
}

async fn cms_code(served: &Served, path: &str, body: &Value) -> String {
    let answer = signed_by(served, ("crm", SECRET), &format!("{CMS}{path}"), body).await;
    let body = answer.json();
    assert_eq!((answer.status, &body["result"]), (200, &json!("1")), "{body}");
    body["resultCode"].as_str().unwrap().to_owned()
}

async fn file(served: &Served, path: &str, said: &Value) -> Answer {
    let body = json!({ "request": { "version": "2.0" }, "msgBody": said });
    signed_by(served, ("crm", SECRET), &format!("{FILES}{path}"), &body).await
}

/// The names of an object's entries.
fn names(row: &Value) -> BTreeSet<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

fn are(row: &Value, wanted: &str) {
    assert_eq!(names(row), wanted.split(' ').collect(), "{row}");
}

#[tokio::test]
async fn a_token_is_given_for_a_pair_and_opens_for_its_time() {
    let (served, _) = shapes().await;
    let answer = token_of(&served, "crm", SECRET, &[]).await.json();
    are(&answer, "AccessToken ApplyType CreateTime Expires Scope AppKey UserID");
    let begun = (served.switch.moment().0 / 1_000).to_string();
    assert_eq!(
        [
            &answer["ApplyType"],
            &answer["Expires"],
            &answer["UserID"],
            &answer["CreateTime"],
            &answer["AppKey"]
        ],
        [&json!("Bearer"), &json!("600"), &json!("Anonymous"), &json!(begun), &json!("crm")]
    );
    let longer = token_of(&served, "crm", SECRET, &[("x-token-expire", "99999")]).await.json();
    assert_eq!(longer["Expires"], "3600", "an hour at most");
    let short = token_of(&served, "crm", SECRET, &[("x-token-expire", "1")]).await.json();
    let ask = async |token: &Value, headers: &[(&str, &str)]| {
        let bearer = format!("Bearer {}", token.as_str().unwrap());
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        served.ask("POST", ACCOUNTS, &all, "{}").await.status
    };
    assert_eq!(ask(&short["AccessToken"], &[]).await, 200);
    served.switch.shelf.open().now = Some(Wall(served.switch.moment().0 + 1_000));
    assert_eq!(ask(&short["AccessToken"], &[]).await, 401, "its second is over");
    assert_eq!(ask(&answer["AccessToken"], &[("x-app-key", "crm")]).await, 200);
    assert_eq!(ask(&answer["AccessToken"], &[("x-app-key", "other")]).await, 401);
}

#[tokio::test]
async fn who_has_no_pair_or_no_token_is_turned_away() {
    let (served, _) = shapes().await;
    for (name, secret) in [("crm", "wrong-secret-of-crm"), ("none", SECRET), ("files-only", SECRET)] {
        assert_eq!(token_of(&served, name, secret, &[]).await.status, 401, "{name} {secret}");
    }
    assert_eq!(token_of(&served, "crm", SECRET, &[("x-token-expire", "soon")]).await.status, 400);
    assert_eq!(served.ask("POST", TOKEN, &[], "{\"app_key\": \"crm\"}").await.status, 400);
    for headers in [&[][..], &[("authorization", "Bearer none")], &[("authorization", "Basic Y3JtOng=")]] {
        let answer = served.ask("POST", ACCOUNTS, headers, "{}").await;
        assert_eq!((answer.status, &answer.json()["retCode"]), (401, &json!("401")));
    }
    let both = token(&served).await;
    served.switch.on(TenantId::DEFAULT, |floor| {
        let mut config = config();
        config.tenants[0].keys[0].secrets = vec![Secret("the-secret-after-it".into())];
        floor.huawei = Arc::new(config);
    });
    let bearer = format!("Bearer {both}");
    let answer = served.ask("POST", ACCOUNTS, &[("authorization", &bearer)], "{}").await;
    assert_eq!(answer.status, 401, "its secret is the key's no more");
}

#[tokio::test]
async fn who_guesses_secrets_has_to_wait() {
    let (served, _) = shapes().await;
    for _ in 0..20 {
        assert_eq!(token_of(&served, "crm", "a-guess-of-a-secret", &[]).await.status, 401);
    }
    let answer = token_of(&served, "crm", SECRET, &[]).await;
    assert_eq!(answer.status, 429);
    assert!(answer.has_header("retry-after"));
}

#[tokio::test]
async fn agents_are_told_with_their_telephones_and_no_password() {
    let (served, _) = shapes().await;
    let told = call(&served, "/apiaccess/CC-Management/v1/queryAgentInfo", &json!({})).await;
    assert_eq!((&told["sipServiceIp"], &told["sipServicePort"]), (&json!("192.0.2.1"), &json!(5_060)));
    assert_eq!(
        told["agents"],
        json!([{ "workNo": 1001, "accountCode": "1001", "sipAccount": "1001" }]),
        "a password is kept nowhere"
    );
    let page = call(&served, ACCOUNTS, &json!({ "requestParams": { "workNo": "1001" } })).await;
    assert_eq!((&page["resultCode"], &page["total"]), (&json!("0"), &json!(1)));
    are(
        &page["data"][0],
        "userAccount userName phone email agentType ccRoleId sipAccount skills workNo transparentDisplayFlag",
    );
    assert_eq!(page["data"][0]["skills"], json!([{ "skillId": 21, "agentWeight": 1, "skillWeight": 1 }]));
    let none = call(&served, ACCOUNTS, &json!({ "pageNum": "2", "pageSize": 10 })).await;
    assert_eq!((&none["data"], &none["total"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn a_call_back_calls_the_agent_first_and_says_its_number() {
    let (served, _) = shapes().await;
    let body = json!({
        "caller": "1001", "called": "13800138000", "agentWorkNo": "1001", "callData": "order 7", "callerPresent": "4001",
    });
    let done = call(&served, CREATE, &body).await;
    assert_eq!(done["retCode"], "0", "{done}");
    assert!(done["result"]["callSerialNo"].as_str().unwrap().contains('-'));
    let order = served.switch.on(TenantId::DEFAULT, |floor| floor.orders.last().cloned().unwrap());
    for part in
        ["Agent(default/1001)", "Number(\"13800138000\")", "order 7", "shown: Some(\"4001\")", "key: \"crm\""]
    {
        assert!(order.contains(part), "{part}: {order}");
    }
    let mobile = json!({ "caller": "13900139000", "called": "13800138000", "agentWorkNo": 1001 });
    assert_eq!(call(&served, CREATE, &mobile).await["retCode"], "0");
    let order = served.switch.on(TenantId::DEFAULT, |floor| floor.orders.last().cloned().unwrap());
    assert!(order.contains("first: Number(\"13900139000\")") && order.contains("account: Some("), "{order}");
    let phone = json!({ "softPhone": "1001", "called": "13800138000" });
    assert_eq!(call(&served, CREATE_3, &phone).await["retCode"], "0");
    for (change, code) in [
        (json!({ "called": "" }), "5"),
        (json!({ "called": "1".repeat(33) }), "5"),
        (json!({ "caller": "what is this" }), "5"),
        (json!({ "callData": "x".repeat(1_025) }), "2"),
        (json!({ "agentWorkNo": "4711" }), "8"),
        (json!({ "callBackUrl": "not base64!" }), "1"),
        (json!({ "callBackUrl": "aHR0cHM6Ly9ldmlsLmV4YW1wbGUv" }), "1"),
    ] {
        let mut wrong = body.clone();
        change.as_object().unwrap().iter().for_each(|(name, value)| wrong[name] = value.clone());
        assert_eq!(call(&served, CREATE, &wrong).await["retCode"], code, "{change}");
    }
    let entries = served.get(crate::KEY, "/api/v1/audit?limit=100").await.ok();
    let text = entries.to_string();
    assert!(text.contains("createCall") && text.contains("key crm"), "{text}");
}

/// Waits for the next post.
async fn posted(served: &Served) -> cordboard_api::gateway::beside::Post {
    let next = async || loop {
        let post = served.switch.on(TenantId::DEFAULT, |floor| floor.posts.pop());
        if let Some(post) = post {
            return post;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    tokio::time::timeout(Duration::from_secs(10), next()).await.unwrap()
}

#[tokio::test]
async fn it_is_told_when_the_one_who_was_called_has_answered() {
    let (served, floor) = shapes().await;
    let url = "https://crm.example/answered";
    let coded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, url);
    let body = json!({
        "caller": "13900139000", "called": "13800138000", "callData": "x", "callerPresent": "4001", "callBackUrl": coded,
    });
    let mut serials = Vec::new();
    for _ in 0..2 {
        let done = call(&served, CREATE, &body).await;
        serials.push(done["result"]["callSerialNo"].as_str().unwrap().to_owned());
    }
    served.switch.on(TenantId::DEFAULT, |on| {
        let id = |on: &crate::fake::Floor, serial: &str| {
            on.calls.keys().copied().find(|call| number(*call) == serial).unwrap()
        };
        let (lost, answered) = (id(on, &serials[0]), id(on, &serials[1]));
        assert!(on.posts.is_empty(), "nobody has answered");
        on.end(lost, cordboard_model::cause::Cause::NoAnswer, cordboard_model::cause::Party::Callee);
        on.bridge(answered, &floor.queue, &floor.agent);
    });
    let post = posted(&served).await;
    assert_eq!(post.url, url);
    assert_eq!(
        serde_json::from_str::<Value>(&post.body).unwrap(),
        json!({ "callSerialNo": serials[1], "serviceNo": "4001", "called": "13800138000", "callData": "x" })
    );
    assert!(
        served.switch.on(TenantId::DEFAULT, |on| on.posts.is_empty()),
        "of the other there is nothing to tell"
    );
}

#[tokio::test]
async fn a_number_is_known_by_what_it_leads_to_and_a_call_by_its_number() {
    let (served, floor) = shapes().await;
    let info = "/apiaccess/CC-Management/v1/mobileAgent/getCalledInfo";
    assert_eq!(call(&served, info, &json!({ "called": "500", "caller": "600" })).await["retCode"], "4");
    assert_eq!(call(&served, info, &json!({ "called": "" })).await["retCode"], "5");
    let path = "/apiaccess/rest/workbench/v1/queryCallInfoByCallId";
    for (id, caller) in [(number(floor.waiting), 602), (number(floor.over), 600)] {
        let told = call(&served, path, &json!({ "callId": id })).await;
        assert_eq!(
            [&told["callId"], &told["caller"], &told["called"]],
            [&json!(id), &json!(caller), &json!(500)]
        );
        assert_eq!(told["callSkillId"], "21");
    }
    assert_eq!(call(&served, path, &json!({ "callId": "1-256" })).await["retCode"], "1");
}

#[tokio::test]
async fn a_signed_request_opens_once_within_its_time_and_its_tenant() {
    let (served, _) = shapes().await;
    let path = format!("{CMS}/configures/skills");
    let body = "{\"ccId\":1,\"vdn\":5}";
    let now = served.switch.moment();
    let ask = async |key: (&str, &str), at: Wall, said: &str, sent: &str| {
        let value = authorization(&served, key, &date(at), ("POST", &path), said);
        served.ask("POST", &path, &[("authorization", &value), ("content-type", KIND)], sent).await.status
    };
    let crm = ("crm", SECRET);
    assert_eq!(ask(crm, now, body, body).await, 200);
    assert_eq!(ask(crm, now, body, body).await, 401, "the same again");
    assert_eq!(ask(crm, Wall(now.0 + 899_000), body, body).await, 200);
    assert_eq!(ask(crm, Wall(now.0 - 899_000), body, body).await, 200);
    assert_eq!(ask(crm, Wall(now.0 + 901_000), body, body).await, 401);
    assert_eq!(ask(crm, Wall(now.0 - 901_000), body, body).await, 401);
    assert_eq!(ask(crm, Wall(now.0 + 1), body, "{\"ccId\":1,\"vdn\":6}").await, 401, "another body");
    assert_eq!(ask(("crm", OTHER), Wall(now.0 + 2), body, body).await, 401);
    assert_eq!(ask(("files-only", SECRET), Wall(now.0 + 3), body, body).await, 401, "it opens files alone");
    assert_eq!(served.ask("POST", &path, &[], body).await.status, 401);
    for (said, code) in [(json!({ "vdn": 6 }), "0101003"), (json!({ "ccId": "2", "vdn": 5 }), "0101003")] {
        assert_eq!(cms_code(&served, "/configures/skills", &said).await, code);
    }
}

#[tokio::test]
async fn skills_and_agents_are_told_in_both_pairs_with_the_references_fields() {
    let (served, floor) = shapes().await;
    let own = json!({ "ccId": 1, "vdn": 5 });
    let skills = cms(&served, "/configures/skills", &own).await;
    assert_eq!(skills, json!([{ "id": 21, "mediaType": 5, "name": "sales" }]));
    let wrapped = json!({ "queryParam": { "ccId": "1", "vdn": "5", "skillId": "21" } });
    let rows = cms(&served, "/skill/agentbyconfigedskill", &wrapped).await;
    are(
        &rows[0],
        "workNo name status ctiStatus groupId mediaType vdnId phoneNumber currentStateTime loginDate",
    );
    assert_eq!(
        [&rows[0]["workNo"], &rows[0]["status"], &rows[0]["ctiStatus"]],
        [&json!("1001"), &json!(7), &json!(5)]
    );
    let rows = cms(&served, "/agentgroup/agentbyconfigedskill", &wrapped).await;
    are(
        &rows[0],
        "workno name status ctistatus groupid mediatype vdnid phonenumber currentstatetime logindate",
    );
    let row = cms(&served, "/agent/agentbyworkno", &json!({ "agentId": 1001 })).await;
    are(&row, "workNo vdnId citStatus name phoneNumber loginDate currentStateTime mediaType status");
    let path = format!("{CMS}/agentgroup/agentbyworkno");
    let asked = json!({ "queryParam": { "agentId": "1001" } });
    let old = signed_by(&served, ("crm", SECRET), &path, &asked).await.json();
    assert_eq!(names(&old), ["result", "resultDatas"].into(), "the old pair alone");
    are(
        &old["resultDatas"],
        "workno vdnid citstatus name phonenumber logindate currentstatetime mediatype status",
    );
    let rows =
        cms(&served, "/agentgroup/agentstatusinfobyagentids", &json!({ "agentIds": ["1001", 4711] })).await;
    are(
        &rows[0],
        "agentId locationId currentState currentStateTime currentStateReason prevState prevStateTime logonTime \
         agentRelease currentPrivateCallNum",
    );
    for path in ["/vdn/totalagentabstractex3", "/vdn/totalagentdynamicinfo"] {
        let (path, said) = (format!("{CMS}{path}"), json!({ "limit": 1, "offset": 0 }));
        let body = signed_by(&served, ("crm", SECRET), &path, &said).await.json();
        assert_eq!(body["count"], 1, "{body}");
        are(&body["resultDatas"][0], "agentId currentState currentStateTime locationId");
    }
    are(&cms(&served, "/vdn/totalagentstate", &own).await[0], "agentId state");
    for path in ["/vdn/querytotalagentinfo", "/vdn/queryagentstaticconfinfo"] {
        are(&cms(&served, path, &own).await[0], "agentId groupId rights name realFlag");
    }
    let basic =
        cms(&served, "/calldata/querybasiccallinfo", &json!({ "callId": number(floor.talking) })).await;
    assert_eq!(
        [&basic["callingNum"], &basic["deviceType"], &basic["deviceNo"]],
        [&json!("601"), &json!(2), &json!("1001")]
    );
    assert_eq!(names(&basic).len(), 25);
    let detail =
        cms(&served, "/calldata/querydetailcallinfo", &json!({ "callId": number(floor.talking) })).await;
    assert_eq!(names(&detail).len(), 24);
    assert!(detail["callData"].is_string() && detail.get("serviceType").is_none());
    for (path, said, code) in [
        ("/agent/agentbyworkno", json!({ "agentId": "4711" }), "0100002"),
        ("/agent/agentbyworkno", json!({}), "0100002"),
        ("/skill/agentbyconfigedskill", json!({ "skillId": 99 }), "0100002"),
        ("/vdn/totalagentabstractex3", json!({ "limit": 1_001 }), "0100002"),
        ("/agentgroup/agentstatusinfobyagentids", json!({ "agentIds": [] }), "0100002"),
        ("/calldata/querybasiccallinfo", json!({ "callId": "1-256" }), "0100001"),
    ] {
        assert_eq!(cms_code(&served, path, &said).await, code, "{path} {said}");
    }
}

fn value<'a>(row: &'a Value, id: &str) -> &'a str {
    let all = row["idxs"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).and_then(|one| one["val"].as_str()).unwrap()
}

#[tokio::test]
async fn indicators_are_the_switchs_own_figures_and_unknown_ones_are_named() {
    let (served, _) = shapes().await;
    let indexes = [
        "IDX_COUNT_REAL_SKILL_QUEUE",
        "IDX_COUNT_REAL_SKILL_HANDLE",
        "IDX_DURATION_SKILL_MAX_QUEUE_ACK",
        "IDX_COUNT_20S_CALL_FOR_5MIN",
        "IDX_COUNT_REAL_AGENT_SIGN_IN",
        "IDX_COUNT_REAL_AGENT_CONNECT",
        "IDX_COUNT_REAL_AGENT_SET_IDLE",
        "IDX_COUNT_REAL_AGENT_USABLE",
        "IDX_COUNT_REAL_AGENT_SET_BUSY",
        "IDX_COUNT_REAL_AGENT_ACW",
        "IDX_COUNT_REAL_AGENT_REST",
        "IDX_COUNT_REAL_AGENT_STUDY",
    ];
    let rows = cms(&served, "/skill/rindex", &json!({ "skillIds": [21], "indexIds": indexes })).await;
    assert_eq!((rows[0]["idxs"].as_array().unwrap().len(), &rows[0]["id"]), (12, &json!(21)));
    for (id, wanted) in [
        ("IDX_COUNT_REAL_SKILL_QUEUE", "1"),
        ("IDX_COUNT_REAL_SKILL_HANDLE", "1"),
        ("IDX_COUNT_REAL_AGENT_SIGN_IN", "1"),
        ("IDX_COUNT_REAL_AGENT_CONNECT", "1"),
        ("IDX_COUNT_REAL_AGENT_SET_IDLE", "0"),
        ("IDX_COUNT_REAL_AGENT_USABLE", "1"),
    ] {
        assert_eq!(value(&rows[0], id), wanted, "{id}");
    }
    let said = json!({ "vdnIds": ["5"], "indexIds": ["IDX_COUNT_TOTAL_CALL", "offered"] });
    let rows = cms(&served, "/rindex/vdn", &said).await;
    assert_eq!(value(&rows[0], "IDX_COUNT_TOTAL_CALL"), "2");
    let rows =
        cms(&served, "/agentgroup/rindex", &json!({ "agentIds": ["1001"], "indexIds": ["handled"] })).await;
    assert_eq!(value(&rows[0], "handled"), "0");
    let own = json!({ "agentIds": ["1001"], "timeGrain": "15MIN", "indexIds": ["handled", "talk_ms"] });
    let rows = cms(&served, "/hisindex/agent", &own).await;
    assert_eq!((value(&rows[0], "handled"), rows[0]["beginTime"].as_i64().unwrap() % 900_000), ("0", 0));
    let days = json!({
        "agentIds": ["1001"], "beginDayTime": "20261121", "endDayTime": "2026-11-22", "indexIds": ["handled"],
    });
    assert!(cms(&served, "/hisindex/agentforday", &days).await.is_array());
    for (path, said, code) in [
        ("/skill/rindex", json!({ "skillIds": [21], "indexIds": ["IDX_NONE"] }), "0100002"),
        ("/skill/rindex", json!({ "skillIds": [22], "indexIds": ["offered"] }), "0100002"),
        ("/skill/rindex", json!({ "skillIds": [21], "indexIds": vec!["offered"; 13] }), "0100002"),
        ("/agentgroup/rindex", json!({ "agentIds": ["1001"], "indexIds": vec!["handled"; 5] }), "0100002"),
        ("/agentgroup/rindex", json!({ "agentIds": ["4711"], "indexIds": ["handled"] }), "0100002"),
        ("/rindex/vdn", json!({ "vdnIds": [6], "indexIds": ["offered"] }), "0101003"),
        (
            "/hisindex/agent",
            json!({ "agentIds": ["1001"], "timeGrain": "1H", "indexIds": ["handled"] }),
            "0100002",
        ),
        ("/hisindex/agentforday", json!({ "agentIds": ["1001"], "indexIds": ["handled"] }), "0100002"),
    ] {
        assert_eq!(cms_code(&served, path, &said).await, code, "{path} {said}");
    }
}

/// The texts of an archive without compression.
fn text_of(archive: &Answer) -> String {
    assert_eq!(
        archive.header("content-type"),
        "Application/Octet-stream;charset=UTF-8",
        "{}",
        archive.text()
    );
    assert!(archive.body.starts_with(b"PK\x03\x04"));
    archive.text()
}

async fn bill(served: &Served, kind: &str, more: &Value) -> Value {
    let mut said =
        json!({ "beginTime": "2026-11-01 00:00:00", "endTime": "2026-11-30 00:00:00", "dataType": kind });
    more.as_object().unwrap().iter().for_each(|(name, value)| said[name] = value.clone());
    file(served, "/queryBillData", &said).await.json()
}

#[tokio::test]
async fn records_are_asked_for_told_and_fetched_as_tables_in_an_archive() {
    let (served, floor) = shapes().await;
    record(&served, &floor);
    let asked = bill(&served, "call", &json!({ "callBackURL": "https://crm.example/bills" })).await;
    assert_eq!(asked["resultCode"], "0", "{asked}");
    let id = asked["resultData"]["responseId"].as_str().unwrap();
    let post = posted(&served).await;
    assert!(
        post.headers
            .iter()
            .any(|(name, value)| *name == "Authorization" && value.starts_with("auth-v2/crm/"))
    );
    let said: Value = serde_json::from_str(&post.body).unwrap();
    let name = said["msgBody"]["billFileName"].as_str().unwrap();
    assert!(name.ends_with(&format!("_{id}.zip")) && name.as_bytes()[8] == b'_', "{name}");
    let archive = file(&served, "/downloadBillFile", &json!({ "billFileName": name })).await;
    let text = text_of(&archive);
    let base = name.trim_end_matches(".zip");
    assert!(text.contains(&format!("{base}_call_1.csv")), "{text}");
    let line = text.lines().find(|line| line.starts_with(",default,1,")).unwrap();
    assert_eq!(line.split(',').count(), 23);
    assert!(line.contains(&number(floor.over)) && line.contains(",-1,5,"), "{line}");
    let others = bill(&served, "record", &json!({})).await;
    let id = others["resultData"]["responseId"].as_str().unwrap();
    let name = format!("{}_{id}.zip", &name[..8]);
    let text = text_of(&file(&served, "/downloadBillFile", &json!({ "billFileName": name })).await);
    assert!(text.contains("_record_1.csv") && text.contains("original_file_name"), "{text}");
    let path = format!("{FILES}/downloadBillFile");
    let theirs = json!({ "msgBody": { "billFileName": name } });
    let answer = signed_by(&served, ("acme", OTHER), &path, &theirs).await.json();
    assert_eq!(answer["resultCode"], "0300012", "another tenant's file is none");
}

#[tokio::test]
async fn what_is_wrong_with_a_question_for_files_is_json() {
    let (served, _) = shapes().await;
    for (more, part) in [
        (json!({ "dataType": "video" }), "dataType"),
        (json!({ "beginTime": "yesterday" }), "beginTime"),
        (json!({ "endTime": "2026-10-01 00:00:00" }), "endTime"),
        (json!({ "endTime": "2026-12-30 00:00:00" }), "31 days"),
        (json!({ "callBackURL": "https://evil.example/" }), "callBackURL"),
        (json!({ "callId": "x" }), "callId"),
        (json!({ "ccId": 2 }), "ccId"),
    ] {
        let answer = bill(&served, "call", &more).await;
        assert_eq!(names(&answer), ["resultCode", "resultDesc", "resultData", "response"].into());
        assert_eq!(
            (&answer["resultCode"], &answer["resultData"]),
            (&json!("0300002"), &json!("")),
            "{answer}"
        );
        assert_eq!(answer["response"]["resultCode"], "0300002");
        assert!(answer["resultDesc"].as_str().unwrap().contains(part), "{more}: {answer}");
    }
    let none = signed_by(&served, ("crm", SECRET), &format!("{FILES}/downloadRecord"), &json!({})).await;
    assert_eq!((none.status, &none.json()["resultCode"]), (200, &json!("0300002")));
}

#[tokio::test]
async fn a_recording_is_bytes_by_its_names_and_by_its_call() {
    const AUDIO: &[u8] = include_bytes!("../../Cargo.toml");
    let (served, floor) = shapes().await;
    let id = record(&served, &floor);
    for (path, said) in [
        ("/downloadRecord", json!({ "fileName": format!("Y:/{id}") })),
        ("/downloadRecord", json!({ "fileName": format!("Y:/1/{id}.V3") })),
        ("/downloadRecordFile", json!({ "fileName": format!("/Y/1/record/5/20261122/1001/{id}.wav") })),
    ] {
        let answer = file(&served, path, &said).await;
        assert_eq!((answer.status, &answer.body[..]), (200, AUDIO), "{path} {said}");
        assert_eq!(answer.header("content-type"), "Application/Octet-stream;charset=UTF-8");
    }
    served.switch.on(TenantId::DEFAULT, |on| {
        let cdr = on.cdrs.iter_mut().find(|cdr| cdr.call == floor.over).unwrap();
        cdr.recordings = vec![id];
    });
    let by_call = json!({ "callId": number(floor.over) });
    assert_eq!(file(&served, "/downloadRecord", &by_call).await.body, AUDIO);
    let second = record(&served, &floor);
    served.switch.on(TenantId::DEFAULT, |on| {
        let cdr = on.cdrs.iter_mut().find(|cdr| cdr.call == floor.over).unwrap();
        cdr.recordings = vec![id, second];
    });
    let archive = file(&served, "/downloadRecord", &by_call).await;
    let text = text_of(&archive);
    assert!(text.contains(&format!("{id}.wav")) && text.contains(&format!("{second}.wav")));
    let path = format!("{FILES}/downloadRecord");
    for said in [json!({ "fileName": format!("Y:/{id}") }), by_call] {
        let answer = signed_by(&served, ("acme", OTHER), &path, &json!({ "msgBody": said })).await;
        assert_eq!(answer.json()["resultCode"], "0300012", "another tenant's is none: {said}");
    }
    for said in [json!({ "fileName": "Y:/../../etc/passwd" }), json!({ "callId": "1-256" })] {
        assert_eq!(file(&served, "/downloadRecord", &said).await.json()["resultCode"], "0300012", "{said}");
    }
}

#[tokio::test]
async fn every_row_of_the_table_is_routed_or_says_why_not_and_names_a_test_that_there_is() {
    let table = include_str!("../../../docs/compatible/rows.md");
    let requirements = include_str!("../../../tests/requirements.toml");
    let (served, _) = shapes().await;
    let mut seen = (0, 0);
    let of_rows = |line: &&str| {
        ["| POST `", "| GET `", "| PUT `", "| DELETE `"].iter().any(|way| line.starts_with(way))
    };
    for line in table.lines().filter(of_rows) {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, way, sure, state, test, _] = cells[..] else { panic!("{line}") };
        let (method, path) = way.split_once(" `").unwrap();
        assert!(["R", "R-", "K", "S", "G", "C", "I"].contains(&sure), "{line}");
        let answer = served.ask(method, path, &[], "{}").await;
        match state {
            "built" => {
                // nobody is let in without a token or a signature; the token itself wants its fields
                let wanted = if path == TOKEN { 400 } else { 401 };
                assert_eq!(answer.status, wanted, "{line}: {}", answer.text());
                seen.0 += 1;
            }
            "left out" => {
                let why = answer.json()["retMsg"].as_str().unwrap().to_owned();
                assert!(answer.status == 404 && why.starts_with("left out: "), "{line}: {why}");
                seen.1 += 1;
            }
            other => panic!("{other} in {line}"),
        }
        assert!(requirements.contains(&format!("{test}\"")), "{line}: no such test is required");
    }
    assert!(seen.0 >= 34 && seen.1 >= 25, "{seen:?}");
    let nothing = served.ask("POST", "/apiaccess/none", &[], "{}").await;
    assert_eq!((nothing.status, &nothing.json()["retMsg"]), (404, &json!("there is no such row")));
}
