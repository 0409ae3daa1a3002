//! Web chat as programs of the reference speak it: a token for a customer, what he says, what he is told.

use crate::http::Answer;
use crate::huawei::{OTHER, config, token_of};
use crate::{KEY, Served, acme, furnish, serve};
use cordboard_api::vault::Vault as _;
use cordboard_model::chat::ChatStage;
use cordboard_model::id::TenantId;
use cordboard_model::time::Wall;
use serde_json::{Value, json};
use std::sync::Arc;

const BASE: &str = "/apiaccess/ccmessaging";
const SECRET: &str = "a-secret-of-the-crm";

async fn shapes() -> Served {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    furnish(&served.switch, acme());
    served.switch.on(TenantId::DEFAULT, |floor| floor.huawei = Arc::new(config()));
    served
}

/// A good answer, in the reference's type of content.
fn good(answer: &Answer) -> Value {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json; charset=UTF-8"));
    answer.json()
}

/// A customer of one tenant's program.
struct Customer<'a> {
    served: &'a Served,
    bearer: String,
    id: &'static str,
    token: String,
}

impl<'a> Customer<'a> {
    async fn come(served: &'a Served, (key, secret): (&str, &str), id: &'static str) -> Self {
        let bearer = token_of(served, key, secret, &[]).await.json();
        let bearer = format!("Bearer {}", bearer["AccessToken"].as_str().unwrap());
        let mut customer = Self { served, bearer, id, token: String::new() };
        let body = json!({ "userId": id, "userName": "Ann", "channelId": "web", "locale": "en" });
        let answer = good(&customer.ask("POST", "applyToken", &body).await);
        assert_eq!(answer["resultCode"], "0", "{answer}");
        customer.token = answer["token"].as_str().unwrap().to_owned();
        customer
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("authorization", self.bearer.as_str()), ("ccmessaging-token", self.token.as_str())];
        self.served.ask(method, &format!("{BASE}/{path}"), &headers, &body.to_string()).await
    }

    async fn send(&self, control: &str, content: &str) -> Value {
        let body = json!({
            "channel": "WEB", "controlType": control, "content": content, "from": self.id, "mediaType": "TEXT",
        });
        good(&self.ask("POST", "send", &body).await)
    }

    async fn poll(&self) -> Value {
        let path = format!("poll?receiverId={}&channel=WEB&isNeedRead=false", self.id);
        good(&self.ask("GET", &path, &Value::Null).await)
    }
}

fn later(served: &Served, ms: i64) {
    let now = served.switch.moment();
    served.switch.shelf.open().now = Some(Wall(now.0 + ms));
}

/// The agent's side, by a key.
async fn agent(served: &Served, what: &str, mut body: Value) -> Value {
    let chat = served.switch.on(TenantId::DEFAULT, |floor| floor.chats.last().unwrap().record.chat);
    body["by"] = "1001".into();
    let path = format!("/api/v1/chats/{chat}/{what}");
    served.ask("POST", &path, &[("x-api-key", KEY)], &body.to_string()).await.ok()
}

#[tokio::test]
async fn a_customer_of_a_program_is_let_in_writes_is_answered_and_told_of_the_end() {
    let served = shapes().await;
    let ann = Customer::come(&served, ("crm", SECRET), "c-17").await;
    assert_eq!(ann.send("CHAT", "too early").await["resultCode"], "160004");
    assert_eq!(ann.poll().await["resultCode"], "160004");
    assert_eq!(ann.send("CONNECT", "where is my order?").await["resultCode"], "0");
    assert_eq!(ann.send("TRANS2AGENT", "").await["resultCode"], "0", "it waits for one already");
    served.switch.on(TenantId::DEFAULT, |floor| {
        assert_eq!(floor.chats.len(), 1);
        let record = &floor.chats[0].record;
        assert_eq!((record.customer.id.as_str(), record.customer.name.as_str()), ("c-17", "Ann"));
        assert_eq!((&record.data["channelId"], &record.data["locale"]), (&json!("web"), &json!("en")));
        assert_eq!((record.by.as_str(), record.messages[0].text.as_str()), ("key crm", "where is my order?"));
    });
    agent(&served, "accept", json!({})).await;
    // what is said while he waits for it comes at once
    let said = async {
        tokio::task::yield_now().await;
        agent(&served, "messages", json!({ "text": "on its way" })).await
    };
    let (told, _) = tokio::join!(ann.poll(), said);
    let message = &told["downlinkMessages"][0];
    for (name, value) in [
        ("content", json!("on its way")),
        ("controlType", json!("CHAT")),
        ("sourceType", json!("AGENT")),
        ("mediaType", json!("TEXT")),
        ("channel", json!("WEB")),
        ("from", json!("1001")),
        ("to", json!("c-17")),
        ("interIdx", json!(2)),
    ] {
        assert_eq!(message[name], value, "{name} of {told}");
    }
    assert!(message["timestamp"].is_i64() && message["callId"].as_str().unwrap().contains('-'), "{message}");
    assert_eq!(told["downlinkMessages"].as_array().unwrap().len(), 1, "his own are not told to him");
    assert_eq!(ann.send("CHAT", "thank you").await["resultCode"], "0");
    assert_eq!(ann.send("INPUT", "").await["resultCode"], "0");
    assert_eq!(ann.send("READ", "").await["resultCode"], "0");
    agent(&served, "messages", json!({ "text": "good bye" })).await;
    agent(&served, "close", json!({})).await;
    let told = ann.poll().await;
    let kinds: Vec<_> =
        told["downlinkMessages"].as_array().unwrap().iter().map(|one| &one["controlType"]).collect();
    assert_eq!(kinds, [&json!("CHAT"), &json!("DISCONNECT")], "{told}");
    assert_eq!(ann.poll().await["resultCode"], "160004", "the end is told once");
    assert_eq!(ann.send("CONNECT", "one more thing").await["resultCode"], "0");
    assert_eq!(ann.send("DISCONNECT", "").await["resultCode"], "0");
    served.switch.on(TenantId::DEFAULT, |floor| {
        let stages: Vec<_> = floor.chats.iter().map(|chat| chat.record.stage).collect();
        assert_eq!(stages, [ChatStage::Closed, ChatStage::Closed]);
    });
}

#[tokio::test]
async fn a_customers_chat_is_his_alone() {
    let served = shapes().await;
    let ann = Customer::come(&served, ("crm", SECRET), "c-17").await;
    let bob = Customer::come(&served, ("crm", SECRET), "c-18").await;
    assert_eq!(ann.send("CONNECT", "hello").await["resultCode"], "0");
    assert_eq!(bob.poll().await["resultCode"], "160004");
    let as_ann = json!({ "channel": "WEB", "controlType": "CHAT", "content": "it is me", "from": "c-17" });
    assert_eq!(good(&bob.ask("POST", "send", &as_ann).await)["resultCode"], "160000");
    let path = "poll?receiverId=c-17&channel=WEB";
    assert_eq!(good(&bob.ask("GET", path, &Value::Null).await)["resultCode"], "160000");
    // another tenant's program with her token, and hers with a wrong one
    let other = Customer::come(&served, ("acme", OTHER), "c-17").await;
    assert_eq!(other.poll().await["resultCode"], "160004", "another house's c-17");
    let stolen = Customer { token: ann.token.clone(), ..other };
    assert_eq!(stolen.ask("GET", path, &Value::Null).await.status, 401);
    let wrong = Customer { token: "6162.7.8".into(), ..bob };
    assert_eq!(wrong.ask("GET", path, &Value::Null).await.status, 401);
    served.switch.on(TenantId::DEFAULT, |floor| assert_eq!(floor.chats[0].record.messages.len(), 1));
}

#[tokio::test]
async fn what_is_wrong_with_a_customers_words_is_said_and_his_token_is_renewed() {
    let served = shapes().await;
    let ann = Customer::come(&served, ("crm", SECRET), "c-17").await;
    for missing in ["userId", "userName", "channelId", "locale"] {
        let mut body = json!({ "userId": "c", "userName": "Ann", "channelId": "web", "locale": "en" });
        body.as_object_mut().unwrap().remove(missing);
        let answer = good(&ann.ask("POST", "applyToken", &body).await);
        assert!(
            answer["resultCode"] == "1" && answer["resultDesc"].as_str().unwrap().contains(missing),
            "{answer}"
        );
    }
    let long = json!({ "userId": "c".repeat(33), "userName": "Ann", "channelId": "web", "locale": "en" });
    assert_eq!(good(&ann.ask("POST", "applyToken", &long).await)["resultCode"], "1");
    assert_eq!(ann.send("CONNECT", "").await["resultCode"], "0");
    for (control, content) in [("CHAT", ""), ("CHAT", &*"a".repeat(1_025)), ("SING", "la"), ("", "la")] {
        assert_eq!(ann.send(control, content).await["resultCode"], "160000", "{control}");
    }
    let image = json!({ "channel": "WEB", "controlType": "CHAT", "content": "key", "from": "c-17", "mediaType": "IMAGE" });
    assert_eq!(good(&ann.ask("POST", "send", &image).await)["resultCode"], "160000");
    // a queue that takes no chats
    let mut lost = Customer::come(&served, ("crm", SECRET), "c-19").await;
    let body = json!({ "userId": "c-19", "userName": "Eve", "channelId": "sales", "locale": "en" });
    lost.token = good(&ann.ask("POST", "applyToken", &body).await)["token"].as_str().unwrap().to_owned();
    assert_eq!(lost.send("CONNECT", "").await["resultCode"], "160000");
    // half of its hour later any answer brings another token; the first is over after all of it
    let fresh = ann.ask("POST", "sendAsync", &json!({ "controlType": "READ", "from": "c-17" })).await;
    assert_eq!(fresh.header("ccmessaging-token"), "");
    later(&served, 1_900_000);
    let bearer = token_of(&served, "crm", SECRET, &[("x-token-expire", "3600")]).await.json();
    let bearer = format!("Bearer {}", bearer["AccessToken"].as_str().unwrap());
    let ann = Customer { bearer, ..ann };
    let renewed = ann.ask("POST", "send", &json!({ "controlType": "READ", "from": "c-17" })).await;
    let token = renewed.header("ccmessaging-token").to_owned();
    assert!(token.len() > 64 && token != ann.token, "{token}");
    later(&served, 1_800_000);
    assert_eq!(ann.ask("POST", "send", &json!({ "controlType": "READ" })).await.status, 401);
    let ann = Customer { token, ..ann };
    assert_eq!(ann.send("READ", "").await["resultCode"], "0");
}
