//! Chats: opened by a key, worked on by agents, and seen by a customer who has the token of one and of nothing else.

use crate::fake::door::{CHIEF, TOKEN};
use crate::{KEY, OTHER_KEY, Served, furnish, serve};
use cordboard_model::access::AccessTerms;
use cordboard_model::id::TenantId;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CHATS: &str = "/api/v1/chats";

/// Opens a chat; gives its path and the customer's token.
async fn open(served: &Served, key: &str, text: &str) -> (String, String) {
    let body = json!({ "queue": "web", "customer": { "id": "c-17", "name": "Ann" }, "data": { "order": 4711 }, "text": text });
    let answer = served.ask("POST", CHATS, &[("x-api-key", key)], &body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let chat = answer.json();
    (format!("{CHATS}/{}", chat["chat"].as_str().unwrap()), chat["token"].as_str().unwrap().to_owned())
}

async fn agent(served: &Served, method: &str, path: &str, body: &str) -> crate::http::Answer {
    let bearer = format!("Bearer {TOKEN}");
    served.ask(method, path, &[("authorization", &bearer)], body).await
}

async fn customer(served: &Served, token: &str, method: &str, path: &str, body: &str) -> crate::http::Answer {
    let bearer = format!("Bearer {token}");
    served.ask(method, &format!("/api/v1/chat{path}"), &[("authorization", &bearer)], body).await
}

#[tokio::test]
async fn a_chat_goes_from_its_opening_to_what_the_customer_thinks_of_it() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let (path, token) = open(&served, KEY, "hello").await;
    let view = customer(&served, &token, "GET", "", "").await.ok();
    assert_eq!((&view["stage"], &view["position"]), (&json!("waiting"), &json!(1)));
    // nothing of the desk is shown to him
    for hidden in ["data", "offered_to", "visits", "customer"] {
        assert_eq!(view.get(hidden), None, "{hidden}");
    }
    agent(&served, "POST", &format!("{path}/accept"), "").await.ok();
    let said = agent(&served, "POST", &format!("{path}/messages"), r#"{"text":"hi","id":"a-1"}"#).await.ok();
    assert_eq!(said["number"], 2);
    let seen = customer(&served, &token, "GET", "/messages?since=1", "").await.ok();
    assert_eq!(seen["items"][0]["text"], "hi");
    assert_eq!(seen["items"][0]["from"], json!({ "side": "agent", "agent": "1001" }));
    let view = agent(&served, "GET", &path, "").await.ok();
    assert_eq!((&view["data"]["order"], &view["customer"]["name"]), (&json!(4711), &json!("Ann")));
    customer(&served, &token, "POST", "/close", "").await.ok();
    customer(&served, &token, "POST", "/messages", r#"{"text":"more"}"#).await.problem(409);
    customer(&served, &token, "POST", "/survey", r#"{"score":9,"comment":"quick"}"#).await.ok();
    let over = served.get(KEY, &format!("{CHATS}?over=true")).await.ok();
    assert_eq!(
        (&over["items"][0]["survey"]["score"], &over["items"][0]["end"]),
        (&json!(9), &json!("customer"))
    );
    assert!(!over.to_string().contains("token"), "{over}");
}

#[tokio::test]
async fn an_answer_waits_until_there_is_something_to_read() {
    let served = serve().await;
    let (path, token) = open(&served, KEY, "hello").await;
    agent(&served, "POST", &format!("{path}/accept"), "").await.ok();
    let say = format!("{path}/messages");
    let (seen, said) = tokio::join!(
        customer(&served, &token, "GET", "/messages?since=1&wait=true", ""),
        agent(&served, "POST", &say, r#"{"text":"hi"}"#),
    );
    assert_eq!(said.ok()["number"], 2);
    // whichever came first, he has it: at once, or when it was said
    let items = seen.ok()["items"].as_array().unwrap().clone();
    let again = customer(&served, &token, "GET", "/messages?since=1&wait=true", "").await.ok();
    assert!(items.len() <= 1 && again["items"][0]["text"] == "hi");
}

#[tokio::test]
async fn a_customers_token_opens_his_chat_and_nothing_else() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let (first, token) = open(&served, KEY, "mine").await;
    let (second, other) = open(&served, KEY, "another's").await;
    assert_eq!(customer(&served, &other, "GET", "/messages", "").await.ok()["items"][0]["text"], "another's");
    let bearer = format!("Bearer {token}");
    for path in [&*first, &*second, CHATS, "/api/v1/calls", "/api/v1/agents", "/api/v1/events"] {
        served.ask("GET", path, &[("authorization", &bearer)], "").await.problem(401);
    }
    served.ask("POST", CHATS, &[("authorization", &bearer)], r#"{"queue":"web"}"#).await.problem(401);
    // and a key or an agent's session opens no chat from the customer's side
    served.get(KEY, "/api/v1/chat").await.problem(401);
    customer(&served, TOKEN, "GET", "", "").await.problem(401);
    customer(&served, "cbc_guessed", "GET", "", "").await.problem(401);
}

#[tokio::test]
async fn an_agent_sees_his_chats_a_supervisor_all_and_another_tenant_none() {
    let served = serve().await;
    let (path, _) = open(&served, KEY, "hello").await;
    agent(&served, "POST", &format!("{path}/accept"), "").await.ok();
    assert_eq!(agent(&served, "GET", CHATS, "").await.ok()["items"].as_array().unwrap().len(), 1);
    agent(&served, "GET", &format!("{CHATS}?agent=1002"), "").await.problem(403);
    let by_other = json!({ "text": "hi", "by": "1002" }).to_string();
    agent(&served, "POST", &format!("{path}/messages"), &by_other).await.problem(400);
    let keyed = served.post(KEY, &format!("{path}/messages"), &by_other).await;
    assert_eq!(keyed.problem(403)["code"], "not_his_chat");
    assert_eq!(
        served.post(KEY, &format!("{path}/messages"), r#"{"text":"hi"}"#).await.problem(400)["field"],
        "by"
    );
    served.get(OTHER_KEY, &path).await.problem(404);
    served.post(OTHER_KEY, &format!("{path}/close"), "").await.problem(404);
    let chief = format!("Bearer {CHIEF}");
    served.ask("POST", &format!("{path}/close"), &[("authorization", &chief)], "").await.ok();
    let view: Value = served.get(KEY, &path).await.ok();
    assert_eq!((&view["end"], &view["ended_by"]), (&json!("operator"), &json!("agent 1009")));
}

#[tokio::test]
async fn a_page_of_another_origin_speaks_to_chats_only_if_the_tenant_lists_it() {
    let served = serve().await;
    let shop = "https://shop.example";
    let terms = AccessTerms { origins: BTreeSet::from([shop.to_owned()]), ..AccessTerms::default() };
    served.switch.shelf.open().terms.insert(TenantId::DEFAULT, terms);
    let (_, token) = open(&served, KEY, "hello").await;
    let (_, foreign) = open(&served, OTHER_KEY, "hello").await;
    let ask = async |method: &str, token: &str, origin: &str| {
        let bearer = format!("Bearer {token}");
        let headers =
            [("authorization", &*bearer), ("origin", origin), ("access-control-request-method", "POST")];
        served.ask(method, "/api/v1/chat", &headers, "").await
    };
    let answer = ask("GET", &token, shop).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, shop));
    let answer = ask("GET", &token, "https://other.example").await;
    assert!(!answer.has_header("access-control-allow-origin"));
    assert_eq!(answer.problem(403)["code"], "foreign_page");
    // listed by one tenant, and not by the one whose chat it is
    assert_eq!(ask("GET", &foreign, shop).await.problem(403)["code"], "foreign_page");
    // a page of the switch itself
    let own = format!("http://{}", served.addr);
    assert_eq!(ask("GET", &token, &own).await.status, 200);
    let answer = ask("OPTIONS", "", shop).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("access-control-allow-headers").contains("last-event-id"));
    ask("OPTIONS", "", "https://other.example").await.problem(403);
}

#[tokio::test]
async fn what_is_wrong_with_a_chat_is_named() {
    let served = serve().await;
    let key = [("x-api-key", KEY)];
    let problem = served.ask("POST", CHATS, &key, r#"{"queue":"sales"}"#).await.problem(409);
    assert_eq!((&problem["code"], &problem["field"]), (&json!("not_of_chats"), &json!("queue")));
    assert_eq!(
        served.ask("POST", CHATS, &key, r#"{"queue":"no name!"}"#).await.problem(400)["field"],
        "queue"
    );
    served.ask("POST", CHATS, &key, "{}").await.problem(400);
    let (path, token) = open(&served, KEY, "hello").await;
    let problem = customer(&served, &token, "POST", "/messages", r#"{"text":""}"#).await.problem(422);
    assert_eq!(problem["code"], "bad_text");
    for body in ["{}", r#"{"queue":"web","agent":"1002"}"#] {
        assert_eq!(served.post(KEY, &format!("{path}/transfer"), body).await.problem(400)["field"], "queue");
    }
    served.get(KEY, &format!("{CHATS}?over=perhaps")).await.problem(400);
    served.get(KEY, &format!("{CHATS}/default.1-0-99")).await.problem(404);
}

/// Reads server-sent events until one of these words stands in them.
async fn stream(served: &Served, token: &str, last: &str, until: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(served.addr).await.unwrap();
    let request = format!(
        "GET /api/v1/chat/events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n{last}\r\n",
        served.addr
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    let mut buf = [0; 4_096];
    loop {
        let n = stream.read(&mut buf).await.unwrap();
        assert!(n > 0, "the stream ended: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buf[..n]);
        let text = String::from_utf8_lossy(&read).into_owned();
        if text.contains(until) {
            return text;
        }
    }
}

#[tokio::test]
async fn the_events_of_a_chat_are_its_own_and_go_on_from_the_last_that_was_read() {
    let served = serve().await;
    let (path, token) = open(&served, KEY, "hello").await;
    let (_, other) = open(&served, KEY, "another's").await;
    customer(&served, &other, "POST", "/messages", r#"{"text":"secret"}"#).await.ok();
    agent(&served, "POST", &format!("{path}/accept"), "").await.ok();
    let said = format!("{path}/messages");
    let (read, _) = tokio::join!(
        stream(&served, &token, "", "how are you"),
        agent(&served, "POST", &said, r#"{"text":"how are you"}"#),
    );
    assert!(read.starts_with("HTTP/1.1 200") && read.contains("text/event-stream"), "{read}");
    assert!(
        read.contains("event: message\nid: 1\n")
            && read.contains("id: 2\n")
            && read.contains("event: chat\n"),
        "{read}"
    );
    assert!(!read.contains("secret") && !read.contains("4711"), "{read}");
    agent(&served, "POST", &said, r#"{"text":"still there?"}"#).await.ok();
    let read = stream(&served, &token, "last-event-id: 2\r\n", "still there?").await;
    assert!(read.contains("id: 3\n") && !read.contains("how are you"), "{read}");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("last-event-id", "x")];
    served.ask("GET", "/api/v1/chat/events", &headers, "").await.problem(400);
}
