//! Chats at the agent gateway: they ring, are talked in and end as calls do, by the reference's rows of text.

use crate::fake::door::PASSWORD;
use crate::gateway::{BASE, Bar, gateway, plain, sign_in};
use crate::{KEY, Served};
use cordboard_model::id::{CallId, QueueId, TenantId};
use serde_json::{Value, json};

async fn chats() -> Served {
    let served = gateway().await;
    let web = QueueId::new(TenantId::DEFAULT, "web").unwrap();
    served.switch.on(TenantId::DEFAULT, |floor| floor.add_queue(&web, "Web"));
    served
}

/// A customer opens a chat; gives what opens it for him, and its id.
async fn customer(served: &Served, text: &str) -> (String, CallId) {
    let body =
        json!({ "queue": "web", "customer": { "id": "c-17" }, "data": { "order": 4711 }, "text": text });
    let opened = served.ask("POST", "/api/v1/chats", &[("x-api-key", KEY)], &body.to_string()).await.json();
    let chat = served.switch.on(TenantId::DEFAULT, |floor| floor.chats.last().unwrap().record.chat);
    (opened["token"].as_str().unwrap().to_owned(), chat)
}

async fn says(served: &Served, token: &str, path: &str, body: &str) -> Value {
    let bearer = format!("Bearer {token}");
    served.ask("POST", &format!("/api/v1/chat/{path}"), &[("authorization", &bearer)], body).await.ok()
}

/// Polls up to the first event of a type.
async fn until(bar: &mut Bar<'_>, kind: &str) -> Value {
    loop {
        let event = bar.poll().await;
        assert!(!event.is_null(), "{kind} does not come");
        if event["eventType"] == kind {
            return event["content"].clone();
        }
    }
}

#[tokio::test]
async fn a_chat_rings_is_taken_talked_in_and_dropped_by_the_rows_of_text() {
    let served = chats().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    let (token, _) = customer(&served, "where is my order?").await;
    let rings = until(&mut bar, "AgentEvent_Ringing").await;
    assert_eq!(
        (&rings["caller"], &rings["called"], &rings["mediaAbility"]),
        (&json!("c-17"), &json!("web"), &json!("5"))
    );
    let id = rings["callid"].as_str().unwrap().to_owned();
    let send = |data: &str| json!({ "callid": id, "userid": "", "data": data }).to_string();
    assert_eq!(
        bar.code("POST", "mediacall/sendmessage", &send("too early")).await,
        "400-001",
        "not taken yet"
    );
    bar.ok("PUT", &format!("voicecall/answer?callid={id}"), "").await;
    let talking = until(&mut bar, "AgentEvent_Talking").await;
    assert_eq!((&talking["callid"], &talking["mediaAbility"]), (&json!(id), &json!("5")));
    let info = until(&mut bar, "AgentEvent_Incoming_CallInfo").await;
    assert_eq!(info["mediaType"], "51");
    let said = until(&mut bar, "AgentEvent_MessageData").await;
    assert_eq!((&said["message"], &said["callid"]), (&json!("where is my order?"), &json!(id)));
    bar.ok("POST", "mediacall/sendmessage", &send("on its way")).await;
    let cloud = r#"{"channel":"WEB","mediaType":"TEXT","controlType":"CHAT","content":"tomorrow"}"#;
    bar.ok("POST", "mediacall/sendmessage", &send(cloud)).await;
    says(&served, &token, "messages", r#"{"text":"thanks"}"#).await;
    let said = until(&mut bar, "AgentEvent_MessageData").await;
    assert_eq!(
        (&said["message"], &said["caller"], &said["called"]),
        (&json!("thanks"), &json!("c-17"), &json!("1001"))
    );
    let bearer = format!("Bearer {token}");
    let read = served.ask("GET", "/api/v1/chat/messages", &[("authorization", &bearer)], "").await.ok();
    let texts: Vec<&str> =
        read["items"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["where is my order?", "on its way", "tomorrow", "thanks"]);
    let info = bar.ok("GET", &format!("calldata/callinfobycallid/{id}"), "").await;
    assert_eq!(
        (&info["caller"], &info["mediaType"], &info["mediaAbility"]),
        (&json!("c-17"), &json!(51), &json!(5))
    );
    assert!(info["calldata"].as_str().unwrap().contains("4711"), "{info}");
    assert_eq!(bar.code("DELETE", "onlineagent/logout", "").await, "100-010", "nobody leaves in a chat");
    bar.ok("POST", &format!("voicecall/dropcall/{id}"), "").await;
    assert_eq!(
        until(&mut bar, "AgentEvent_Call_Release").await,
        json!(id),
        "the content is the number itself"
    );
    assert_eq!(bar.poll().await["content"], json!({ "callid": id, "number": "c-17" }));
    assert_eq!(bar.code("POST", "mediacall/sendmessage", &send("more")).await, "400-001");
    bar.ok("DELETE", "onlineagent/logout", "").await;
}

#[tokio::test]
async fn what_is_wrong_with_text_has_its_code_and_a_chat_is_sent_to_skills_agents_and_nobody_else() {
    let served = chats().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    let mut other = sign_in(&served, "1002", &plain()).await;
    customer(&served, "hello").await;
    let id = until(&mut bar, "AgentEvent_Ringing").await["callid"].as_str().unwrap().to_owned();
    bar.ok("PUT", "voicecall/answer", "").await;
    until(&mut bar, "AgentEvent_Talking").await;
    for (body, code) in [
        (json!({ "data": "x" }), "000-002"),
        (json!({ "callid": id }), "106-002"),
        (json!({ "callid": id, "data": r#"{"content": " "}"# }), "106-002"),
        (json!({ "callid": "1-2", "data": "x" }), "400-001"),
        (json!({ "callid": id, "data": "x".repeat(9_000) }), "000-002"),
    ] {
        assert_eq!(bar.code("POST", "mediacall/sendmessage", &body.to_string()).await, code, "{body}");
    }
    assert_eq!(
        other.code("POST", "mediacall/sendmessage", &json!({ "callid": id, "data": "x" }).to_string()).await,
        "400-001"
    );
    let send = |device: u8, mode: u8, to: &str| {
        json!({ "callid": id, "devicetype": device, "mode": mode.to_string(), "address": to }).to_string()
    };
    for (body, code) in [
        (send(3, 0, "700"), "106-004"),
        (send(5, 0, "10086"), "106-004"),
        (send(1, 1, "21"), "000-002"),
        (send(1, 0, "99"), "200-012"),
        (send(2, 0, "1777"), "200-012"),
        (send(4, 0, "700"), "200-012"),
    ] {
        assert_eq!(bar.code("POST", "mediacall/transfer", &body).await, code, "{body}");
    }
    bar.ok("POST", "mediacall/transfer", &send(2, 2, "1002")).await;
    until(&mut bar, "AgentEvent_Customer_Release").await;
    let rings = until(&mut other, "AgentEvent_Ringing").await;
    assert_eq!(rings["callid"], json!(id));
    other.ok("POST", "voicecall/reject", &json!({ "callid": id }).to_string()).await;
    assert_eq!(until(&mut other, "AgentEvent_Call_Release").await, json!(id));
}

#[tokio::test]
async fn a_chat_that_is_not_taken_in_time_is_no_answer_and_one_that_is_taken_by_itself_says_so() {
    let served = chats().await;
    let mut bar = sign_in(&served, "1001", &plain()).await;
    let (_, chat) = customer(&served, "anybody there?").await;
    let id = until(&mut bar, "AgentEvent_Ringing").await["callid"].clone();
    served.switch.on(TenantId::DEFAULT, |floor| floor.chat_not_taken(chat));
    assert_eq!(until(&mut bar, "AgentEvent_No_Answer").await, id);
    bar.ok("DELETE", "onlineagent/logout", "").await;
    let mut eager = sign_in(&served, "1001", &json!({ "password": PASSWORD, "phonenum": "" })).await;
    customer(&served, "hello").await;
    let auto = until(&mut eager, "AgentEvent_Auto_Answer").await;
    assert_eq!((&auto["mediaType"], &auto["mediaAbility"]), (&json!(51), &json!("5")));
    until(&mut eager, "AgentEvent_Talking").await;
    assert_eq!(until(&mut eager, "AgentEvent_MessageData").await["message"], "hello");
    // his page is gone, and comes back by force: the chat has gone on
    let forced = json!({ "password": "elsewhere", "autoanswer": false }).to_string();
    let path = format!("{BASE}/onlineagent/1001/forcelogin");
    let answer = served.ask("PUT", &path, &[], &forced).await;
    eager.guid = answer.header("set-guid").strip_prefix("JSESSIONID=").unwrap().to_owned();
    until(&mut eager, "AgentEvent_Talking").await;
    assert_eq!(until(&mut eager, "AgentEvent_MessageData").await["message"], "hello");
}

#[tokio::test]
async fn how_many_chats_an_agent_has_at_once_is_his_wish_within_the_references_numbers() {
    let served = chats().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    let set = |kind: Value, most: Value| json!({ "mediaType": kind, "callnums": most }).to_string();
    for (kind, most) in [(json!("51"), json!("3")), (json!(1), json!(60)), (json!(53), json!(1))] {
        bar.ok("POST", "mediacall/setcallnums", &set(kind, most)).await;
    }
    let last = served.switch.on(TenantId::DEFAULT, |floor| floor.orders.last().cloned().unwrap());
    assert!(last.contains("Want(Chats { most: 1 })"), "{last}");
    bar.ok("POST", "mediacall/setcallnums", &set(json!(5), json!(1))).await;
    for (kind, most, code) in [(51, 0, "000-002"), (51, 61, "106-003"), (5, 2, "100-009"), (3, 1, "000-002")]
    {
        assert_eq!(bar.code("POST", "mediacall/setcallnums", &set(json!(kind), json!(most))).await, code);
    }
    assert_eq!(bar.code("POST", "mediacall/setcallnums", "{}").await, "000-002");
}
