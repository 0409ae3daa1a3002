//! Management actions, signed as the vendor's clients sign them.

use crate::fake::application::{CLIENT, SECRET};
use crate::http::Answer;
use crate::{KEY, Served, furnish, serve};
use base64::Engine;
use cordboard_model::id::TenantId;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

/// The fake's clock.
pub(crate) const NOW: &str = "2026-11-21T00:00:00Z";
const LONG_AGO: &str = "2026-11-20T23:44:59Z";

fn nonce() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("nonce-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn coded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            byte => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

fn form(pairs: &[(String, String)]) -> String {
    let mut all: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", coded(name), coded(value))).collect();
    all.sort();
    all.join("&")
}

/// A request of version 1.0, whole.
pub(crate) fn signed(
    method: &str,
    action: &str,
    said: &[(&str, &str)],
    (id, secret, time, nonce): (&str, &str, &str, &str),
) -> String {
    let usual = [
        ("Action", action),
        ("Version", "2019-10-15"),
        ("Format", "JSON"),
        ("AccessKeyId", id),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", nonce),
        ("Timestamp", time),
    ];
    let all = usual.iter().chain(said).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut all: Vec<(String, String)> = all.collect();
    let text = format!("{method}&%2F&{}", coded(&form(&all)));
    let mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).unwrap().chain_update(text);
    all.push(("Signature".into(), base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes())));
    form(&all)
}

async fn send(served: &Served, method: &str, body: &str) -> Answer {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    served.ask(method, "/", &[kind], body).await
}

async fn act(served: &Served, action: &str, said: &[(&str, &str)]) -> Answer {
    let said: Vec<(&str, &str)> = said.iter().copied().chain([("InstanceId", "default")]).collect();
    send(served, "POST", &signed("POST", action, &said, (CLIENT, SECRET, NOW, &nonce()))).await
}

fn done(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = answer.json();
    assert_eq!((&said["Code"], &said["Success"]), (&"Success".into(), &true.into()), "{said}");
    assert_eq!(said["RequestId"].as_str().map(str::len), Some(36), "{said}");
    said["Data"].clone()
}

fn refused(answer: &Answer, status: u16, code: &str) -> String {
    let said = answer.json();
    assert_eq!((answer.status, said["Code"].as_str()), (status, Some(code)), "{said}");
    assert_eq!(said["Success"], false);
    said["Message"].as_str().unwrap().to_owned()
}

async fn house() -> Served {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    served
}

async fn kept(served: &Served, kind: &str, name: &str) -> Answer {
    served.get(KEY, &format!("/api/v1/config/{kind}/{name}")).await
}

#[tokio::test]
async fn only_what_an_application_has_signed_is_done_once_and_near_its_time() {
    let served = house().await;
    let said = [("AccountName", "1001"), ("InstanceId", "default")];
    let by = |id, secret, time| signed("POST", "GetAgent", &said, (id, secret, time, "n"));
    for body in [by(CLIENT, "another", NOW), by("another", SECRET, NOW), by("", "", NOW)] {
        refused(&send(&served, "POST", &body).await, 403, "SignatureDoesNotMatch");
    }
    let whole = by(CLIENT, SECRET, NOW);
    refused(&send(&served, "POST", &whole.replace("1001", "1002")).await, 403, "SignatureDoesNotMatch");
    refused(&send(&served, "PUT", &whole).await, 403, "SignatureDoesNotMatch");
    refused(&send(&served, "POST", &by(CLIENT, SECRET, LONG_AGO)).await, 400, "InvalidTimeStamp.Expired");
    assert_eq!(send(&served, "POST", &whole).await.json()["Data"]["DisplayName"], "Li Wei");
    let rest = [said[0], said[1], ("Type", "2")];
    let once = signed("POST", "SuspendHotlineService", &rest, (CLIENT, SECRET, NOW, "the-same"));
    done(&send(&served, "POST", &once).await);
    refused(&send(&served, "POST", &once).await, 400, "SignatureNonceUsed");
    let read = signed("GET", "GetAgent", &said, (CLIENT, SECRET, NOW, "g"));
    assert_eq!(served.ask("GET", &format!("/?{read}"), &[], "").await.json()["Data"]["AgentId"], 1001);
    let change = signed("GET", "FinishHotlineService", &said, (CLIENT, SECRET, NOW, "g2"));
    let by_get = served.ask("GET", &format!("/?{change}"), &[], "").await;
    refused(&by_get, 405, "UnsupportedHTTPMethod");
    assert!(served.ask("GET", "/", &[], "").await.header("content-type").starts_with("text/html"));
    for _ in 0..20 {
        send(&served, "POST", &by(CLIENT, "another", NOW)).await;
    }
    refused(&send(&served, "POST", &whole).await, 429, "Throttling");
}

#[tokio::test]
async fn a_request_of_the_newer_kind_is_taken_too() {
    let served = house().await;
    let (body, names) = (
        "AccountName=1001&InstanceId=default&Type=3",
        "x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce",
    );
    let hash = hex::encode(Sha256::digest(body));
    let ask = async |action: &str, secret: &str, nonce: &str, names: &str, body: &str| {
        let values = [
            ("x-acs-action", action),
            ("x-acs-content-sha256", &hash),
            ("x-acs-date", NOW),
            ("x-acs-signature-nonce", nonce),
        ];
        let lines: String = values
            .iter()
            .filter(|(name, _)| names.contains(name))
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let request = format!("POST\n/\n\n{lines}\n{names}\n{hash}");
        let text = format!("ACS3-HMAC-SHA256\n{}", hex::encode(Sha256::digest(request)));
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(text).finalize();
        let mark = hex::encode(mac.into_bytes());
        let shown = format!("ACS3-HMAC-SHA256 Credential={CLIENT},SignedHeaders={names},Signature={mark}");
        let mut headers =
            vec![("authorization", shown.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        headers.extend(values);
        served.ask("POST", "/", &headers, body).await
    };
    done(&ask("SuspendHotlineService", SECRET, "a", names, body).await);
    refused(&ask("SuspendHotlineService", SECRET, "a", names, body).await, 400, "SignatureNonceUsed");
    refused(&ask("SuspendHotlineService", "another", "b", names, body).await, 403, "SignatureDoesNotMatch");
    let other = body.replace('3', "4");
    refused(&ask("SuspendHotlineService", SECRET, "c", names, &other).await, 403, "SignatureDoesNotMatch");
    let less = "x-acs-action;x-acs-content-sha256;x-acs-date";
    refused(&ask("SuspendHotlineService", SECRET, "d", less, body).await, 400, "IncompleteSignature");
}

#[tokio::test]
async fn agents_are_made_changed_and_deleted_by_their_account_names() {
    let served = house().await;
    let list = act(&served, "ListSkillGroup", &[]).await;
    let group = done(&list)[0]["SkillGroupId"].to_string();
    let said =
        [("AccountName", "2001"), ("DisplayName", "Wang Fang"), ("SkillGroupIdList.1", group.as_str())];
    done(&act(&served, "CreateAgent", &said).await);
    let agent = kept(&served, "agents", "2001").await.ok();
    assert_eq!(agent["document"]["queues"][0], "sales");
    assert_eq!(agent["document"]["display"], "Wang Fang");
    assert_eq!(kept(&served, "accounts", "2001").await.ok()["secrets"][0], "password");
    refused(&act(&served, "CreateAgent", &said).await, 412, "OperationConflict");
    let json = format!("[\"{group}\"]");
    let both = [("AccountName", "2002"), ("DisplayName", "x"), ("SkillGroupId", json.as_str())];
    done(&act(&served, "CreateAgent", &both).await);
    let log = served.get(KEY, "/api/v1/audit").await.text();
    assert!(
        log.contains("application crm") && log.contains("CreateAgent") && log.contains("agents/2001"),
        "{log}"
    );
    let found = act(&served, "GetAgent", &[("AccountName", "1001")]).await;
    let said = found.json();
    assert!(said.get("Message").is_none() && said["Code"] == "Success", "{said}");
    assert_eq!((&said["Data"]["AgentId"], &said["Data"]["Status"]), (&1001.into(), &0.into()));
    assert_eq!(said["Data"]["GroupList"][0]["Name"], "sales");
    let of = done(&act(&served, "ListAgentBySkillGroupId", &[("SkillGroupId", &group)]).await);
    assert_eq!(of[0]["AccountName"], "1001");
    let nobody = act(&served, "GetAgent", &[("AccountName", "4711")]).await;
    refused(&nobody, 500, "NoAgentFound");
    assert!(refused(&act(&served, "GetAgent", &[]).await, 400, "MissingParameter").contains("AccountName"));
    let no_list = [("AccountName", "2003"), ("DisplayName", "x"), ("SkillGroupId", "sales")];
    refused(&act(&served, "CreateAgent", &no_list).await, 400, "InvalidParameter");
}

#[tokio::test]
async fn groups_and_departments_are_queues_and_groups_of_queues() {
    let served = house().await;
    let calls = [("SkillGroupName", "客服"), ("ChannelType", "1"), ("DisplayName", "Service")];
    done(&act(&served, "CreateSkillGroup", &calls).await);
    let all = served.get(KEY, "/api/v1/config/queues").await.ok();
    let made = all["items"].as_array().unwrap().iter().find(|item| item["name"] == "客服").unwrap().clone();
    assert_eq!(
        (&made["document"]["kind"], &made["document"]["display"]),
        (&"voice".into(), &"Service".into())
    );
    let tickets = [("SkillGroupName", "t"), ("ChannelType", "3")];
    assert!(
        refused(&act(&served, "CreateSkillGroup", &tickets).await, 400, "InvalidParameter")
            .contains("tickets")
    );
    // the same word is a sum there
    let page = [("PageNo", "1"), ("PageSize", "10")];
    let query = async |bits: &str| {
        act(&served, "QuerySkillGroups", &[page[0], page[1], ("ChannelType", bits)]).await.json()
    };
    let voice = query("3").await;
    assert!(voice.get("Code").is_none() && voice.get("Success").is_none(), "{voice}");
    assert_eq!((&voice["TotalResults"], &voice["CurrentPage"]), (&1.into(), &1.into()));
    assert_eq!(voice["Data"][0]["SkillGroupName"], "sales");
    assert_eq!(query("4").await["TotalResults"], 0);
    let id = done(&act(&served, "CreateDepartment", &[("DepartmentName", "north")]).await).to_string();
    let list = done(&act(&served, "GetAllDepartment", &[]).await);
    assert_eq!(list[0]["DepartmentName"], "north");
    assert_eq!(list[0]["DepartmentId"].to_string(), id);
    let inside = [("SkillGroupName", "n1"), ("ChannelType", "1"), ("DepartmentId", id.as_str())];
    done(&act(&served, "CreateSkillGroup", &inside).await);
    assert_eq!(kept(&served, "skill-groups", "north").await.ok()["document"]["queues"][0], "n1");
    let renamed = [("DepartmentId", id.as_str()), ("DepartmentName", "south")];
    assert_eq!(done(&act(&served, "UpdateDepartment", &renamed).await), true);
    assert_eq!(kept(&served, "skill-groups", "south").await.ok()["document"]["queues"][0], "n1");
    refused(&act(&served, "DeleteDepartment", &[("DepartmentId", &id)]).await, 404, "NotFound");
}

#[tokio::test]
async fn an_agents_calls_are_orders_at_his_desk_in_the_applications_name() {
    let served = house().await;
    let his = ("AccountName", "1001");
    let token = done(&act(&served, "StartHotlineService", &[his]).await);
    let token = token.as_str().unwrap();
    done(&act(&served, "SendHotlineHeartBeat", &[his, ("Token", token)]).await);
    refused(
        &act(&served, "SendHotlineHeartBeat", &[his, ("Token", "another")]).await,
        400,
        "InvalidParameter",
    );
    for (action, more) in [
        ("StartCall", vec![("Callee", "13800138000"), ("Caller", "4008001")]),
        ("StartCallV2", vec![("Callee", "13800138000"), ("Caller", "4008001"), ("CallerType", "2")]),
        ("AnswerCall", vec![]),
        ("HoldCall", vec![]),
        ("JoinThirdCall", vec![]),
        ("HangupThirdCall", vec![]),
        ("HangupCall", vec![("JobId", "1"), ("ConnectionId", "2")]),
        ("FinishHotlineService", vec![]),
    ] {
        let said: Vec<(&str, &str)> = more.into_iter().chain([his]).collect();
        assert_eq!(done(&act(&served, action, &said).await), Value::Null, "{action}");
    }
    refused(&act(&served, "FetchCall", &[his]).await, 409, "OperationConflict");
    let group = done(&act(&served, "ListSkillGroup", &[]).await)[0]["SkillGroupId"].to_string();
    done(&act(&served, "TransferCallToSkillGroup", &[his, ("SkillGroupId", &group), ("Type", "2")]).await);
    let wrong = [his, ("SkillGroupId", group.as_str()), ("Type", "3")];
    refused(&act(&served, "TransferCallToSkillGroup", &wrong).await, 400, "InvalidParameter");
    let status = done(&act(&served, "GetHotlineAgentStatus", &[his]).await);
    assert_eq!(status, "离线", "he has finished");
    let detail = done(&act(&served, "GetHotlineAgentDetail", &[his]).await);
    assert!(detail["AgentStatusCode"].as_str().unwrap().starts_with("Agent"), "{detail}");
    refused(&act(&served, "HoldCall", &[("AccountName", "4711")]).await, 500, "NoAgentFound");
}

#[tokio::test]
async fn what_is_left_out_and_what_is_anothers_is_said_so() {
    let served = house().await;
    let why = refused(&act(&served, "DeleteSkillGroup", &[]).await, 404, "InvalidAction.NotFound");
    assert!(why.contains("left out"), "{why}");
    refused(&act(&served, "Nothing", &[]).await, 404, "InvalidAction.NotFound");
    let other = [("AccountName", "1001"), ("InstanceId", "another")];
    let body = signed("POST", "GetAgent", &other, (CLIENT, SECRET, NOW, "i"));
    refused(&send(&served, "POST", &body).await, 500, "NoTenantFound");
    let number = [
        ("HotlineNumber", "7700"),
        ("Description", "d"),
        ("EnableInbound", "true"),
        ("EnableInboundEvaluation", "false"),
        ("EnableOutbound", "true"),
        ("EnableOutboundEvaluation", "false"),
        ("OutboundAllDepart", "false"),
    ];
    let why = refused(&act(&served, "AddHotlineNumber", &number).await, 400, "InvalidParameter");
    assert!(why.contains("number groups"), "{why}");
    let page = [("CurrentPage", "1"), ("PageSize", "10")];
    assert_eq!(done(&act(&served, "QueryHotlineNumber", &page).await)["TotalCount"], 0);
}

#[tokio::test]
async fn numbers_that_are_shown_who_waits_and_calls_of_two_ends_are_the_switchs_own() {
    let served = house().await;
    let put = async |kind: &str, name: &str, document: &str| {
        let path = format!("/api/v1/config/{kind}/{name}");
        assert_eq!(served.ask("PUT", &path, &[("x-api-key", KEY)], document).await.status, 201);
    };
    put("number-groups", "sales", r#"{"numbers": ["4008002", "4008001"]}"#).await;
    put("number-groups", "others", r#"{"numbers": ["4009000"]}"#).await;
    put("queues", "sales", r#"{"caller_pool": "sales"}"#).await;
    let his = ("AccountName", "1001");
    let numbers = done(&act(&served, "ListOutboundPhoneNumber", &[his]).await);
    assert_eq!(numbers, serde_json::json!(["4008001", "4008002"]), "of the queues that he serves");
    assert_eq!(done(&act(&served, "GetConfigNumList", &[]).await).as_array().unwrap().len(), 3);
    refused(&act(&served, "GetConfigNumList", &[("DepartmentId", "1")]).await, 400, "InvalidParameter");
    let both = done(&act(&served, "GetOutbounNumList", &[his]).await);
    assert_eq!((&both["Num"][0]["Value"], &both["Num"][0]["Type"]), (&"4008001".into(), &1.into()));
    assert_eq!((&both["NumGroup"][0]["Value"], &both["NumGroup"][0]["Type"]), (&"sales".into(), &2.into()));
    assert_eq!(done(&act(&served, "GetHotlineWaitingNumber", &[his]).await), 1);
    assert_eq!(done(&act(&served, "GetAgentById", &[("AgentId", "1001")]).await)["ShowName"], "Li Wei");
    refused(&act(&served, "GetAgentById", &[("AgentId", "1999")]).await, 500, "NoAgentFound");
    let ends =
        [his, ("ServicerPhone", "1001"), ("MemberPhone", "13800138000"), ("OutboundCallNumber", "4008001")];
    let acid = done(&act(&served, "MakeDoubleCall", &ends).await)["Acid"].as_str().unwrap().to_owned();
    let order = served.switch.on(TenantId::DEFAULT, |floor| floor.orders.last().cloned().unwrap());
    assert!(
        order.contains("first: Agent(default/1001)") && order.contains("Number(\"13800138000\")"),
        "{order}"
    );
    assert!(order.contains("4008001") && order.contains("application crm"), "{order}");
    let gone = act(&served, "HangUpDoubleCall", &[("Acid", &acid)]).await;
    assert_eq!(done(&gone), Value::Null);
    refused(&act(&served, "HangUpDoubleCall", &[("Acid", "acme.ffffffff-0-1")]).await, 404, "NotFound");
    refused(&act(&served, "MakeDoubleCall", &ends[..3]).await, 400, "MissingParameter");
}

/// A client whose connection broke sends the same again, signed anew: it is done once, and answered as it was.
#[tokio::test]
async fn a_change_with_a_clients_token_is_made_once_and_answered_as_it_was() {
    let served = house().await;
    let said = [("SkillGroupName", "again"), ("ChannelType", "1"), ("ClientToken", "tok-1")];
    let first = act(&served, "CreateSkillGroup", &said).await;
    done(&first);
    let again = act(&served, "CreateSkillGroup", &said).await;
    assert_eq!((again.status, again.text()), (200, first.text()), "its RequestId, too");
    let other = [("SkillGroupName", "other"), ("ChannelType", "1"), ("ClientToken", "tok-1")];
    refused(&act(&served, "CreateSkillGroup", &other).await, 400, "IdempotentParameterMismatch");
    kept(&served, "queues", "other").await.problem(404);
    let department = [("DepartmentName", "north"), ("ClientToken", "tok-1")];
    done(&act(&served, "CreateDepartment", &department).await);
    let plain = act(&served, "CreateSkillGroup", &said[..2]).await;
    refused(&plain, 412, "OperationConflict");
    let long = "x".repeat(256);
    let too_long = [("DepartmentName", "south"), ("ClientToken", long.as_str())];
    refused(&act(&served, "CreateDepartment", &too_long).await, 400, "InvalidParameter");
    // what was refused because there is nobody is not what it comes to for a day
    let rest = [("AccountName", "4711"), ("Type", "2"), ("ClientToken", "tok-2")];
    for _ in 0..2 {
        refused(&act(&served, "SuspendHotlineService", &rest).await, 500, "NoAgentFound");
    }
    // over a restart the answer is read from what is kept
    let served = crate::serve_on(served.switch.clone(), cordboard_api::state::ApiConfig::default()).await;
    assert_eq!(act(&served, "CreateSkillGroup", &said).await.text(), first.text());
    refused(&act(&served, "CreateSkillGroup", &other).await, 400, "IdempotentParameterMismatch");
    served.switch.shelf.open().answers.clear();
    let served = crate::serve_on(served.switch.clone(), cordboard_api::state::ApiConfig::default()).await;
    refused(&act(&served, "CreateSkillGroup", &said).await, 409, "OperationConflict");
}

/// The word of success is `Success`, or there is none; `OK` is that of robot tasks, which say that they are left out.
#[tokio::test]
async fn the_word_of_success_is_that_of_the_action() {
    let served = house().await;
    let pages = [("PageNo", "1"), ("PageSize", "10"), ("CurrentPage", "1")];
    for (action, word, message) in [
        ("GetAgent", Some("Success"), false),
        ("ListSkillGroup", Some("Success"), true),
        ("GetAllDepartment", Some("Success"), true),
        ("QueryHotlineNumber", Some("Success"), true),
        ("GetHotlineAgentStatus", Some("Success"), true),
        ("QuerySkillGroups", None, false),
        ("GetInstanceList", None, false),
    ] {
        let said = [pages.as_slice(), &[("AccountName", "1001")]].concat();
        let answer = act(&served, action, &said).await;
        let body = answer.json();
        assert_eq!((answer.status, body["Code"].as_str()), (200, word), "{action}: {body}");
        assert_eq!(body["Success"].as_bool(), word.map(|_| true), "{action}: {body}");
        assert_eq!(body.get("Message").is_some(), message, "{action}: {body}");
    }
    refused(&act(&served, "StartTask", &[("TaskId", "1")]).await, 404, "InvalidAction.NotFound");
}
