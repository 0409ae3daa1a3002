//! The event stream: numbered, taken up again anywhere, and honest about what is lost.

use crate::wire::Wire;
use crate::{KEY, OTHER_KEY, START, Served, acme, furnish, serve};
use cordboard_model::event::EventKind;
use cordboard_model::id::TenantId;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

struct Reader(Wire);

impl Reader {
    async fn open(served: &Served, key: &str, query: &str) -> Result<Reader, Error> {
        let mut request = format!("ws://{}/api/v1/events{query}", served.addr).into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Reader(socket))
    }

    /// The next message; none at the end of the stream.
    async fn next(&mut self) -> Option<Value> {
        crate::wire::next(&mut self.0).await
    }

    async fn take(&mut self, count: usize) -> Vec<Value> {
        let mut taken = Vec::new();
        for _ in 0..count {
            taken.push(self.next().await.expect("the stream goes on"));
        }
        taken
    }
}

/// Lets `count` things happen.
fn happen(served: &Served, tenant: TenantId, count: u64) {
    served.switch.on(tenant, |floor| {
        for version in 0..count {
            floor.event(EventKind::ConfigReloaded { version });
        }
    });
}

fn kinds(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["message"].as_str().unwrap()).collect()
}

fn numbers(messages: &[Value]) -> Vec<u64> {
    messages.iter().filter_map(|message| message["seq"].as_u64()).collect()
}

#[tokio::test]
async fn a_new_reader_gets_hello_a_snapshot_and_what_happens_then() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let last = served.switch.on(TenantId::DEFAULT, |floor| floor.seq);
    let mut reader = Reader::open(&served, KEY, "").await.unwrap();
    let first = reader.take(2).await;
    assert_eq!(first[0], json!({"message": "hello", "start": START, "last": last}));
    assert_eq!(kinds(&first), ["hello", "snapshot"]);
    assert_eq!(first[1]["seq"], last);
    assert_eq!(first[1]["calls"].as_array().unwrap().len(), 2);
    assert_eq!(first[1]["queues"][0]["waiting"][0]["call"], floor.waiting.to_string());
    assert_eq!(first[1]["agents"][0]["status"], "talking");
    happen(&served, TenantId::DEFAULT, 2);
    let then = reader.take(2).await;
    assert_eq!(numbers(&then), [last + 1, last + 2]);
    assert_eq!(then[0]["type"], "config_reloaded");
    assert_eq!(then[0]["tenant"], "default");
}

#[tokio::test]
async fn a_reader_who_asks_for_it_gets_the_wall_once_a_second_at_most_and_only_while_something_changes() {
    let served = serve().await;
    let mut reader = Reader::open(&served, KEY, "?wall=true").await.unwrap();
    let first = reader.take(3).await;
    assert_eq!(first.iter().filter(|message| message["message"] == "wall").count(), 1, "{first:?}");
    let start = std::time::Instant::now();
    // Many things happen at once; one wall tells of all of them, and it is the last message.
    happen(&served, TenantId::DEFAULT, 50);
    furnish(&served.switch, TenantId::DEFAULT);
    let wall = loop {
        let message = reader.next().await.unwrap();
        if message["message"] == "wall" {
            break message;
        }
    };
    assert_eq!(wall["today"]["calls"], 2);
    let took = start.elapsed();
    assert!(took > Duration::from_millis(500) && took < Duration::from_secs(2), "{took:?}");
    let nothing = tokio::time::timeout(Duration::from_millis(1_500), reader.0.next()).await;
    assert!(nothing.is_err(), "nothing changes any more: {nothing:?}");
    assert!(Reader::open(&served, KEY, "?wall=perhaps").await.is_err());
    let mut plain = Reader::open(&served, KEY, "").await.unwrap();
    happen(&served, TenantId::DEFAULT, 1);
    assert!(!kinds(&plain.take(3).await).contains(&"wall"));
}

#[tokio::test]
async fn an_event_carries_its_fields_beside_its_number() {
    let served = serve().await;
    let mut reader = Reader::open(&served, KEY, "").await.unwrap();
    reader.take(2).await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let events = reader.take(8).await;
    assert_eq!(events[0]["type"], "call_started");
    assert_eq!(events[0]["from"]["user"], "600");
    assert_eq!(events[0]["at"], i64::from(START) * 1_000);
    let ended = events.iter().find(|event| event["type"] == "call_ended").unwrap();
    assert_eq!(ended["call"], floor.over.to_string());
    assert_eq!(ended["cdr"]["cause"], "cancelled");
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_every_event_wherever_it_was_cut() {
    let served = serve().await;
    happen(&served, TenantId::DEFAULT, 12);
    for seen in 0..=12 {
        let mut reader = Reader::open(&served, KEY, &format!("?since={START}-{seen}")).await.unwrap();
        let count = usize::try_from(12 - seen).unwrap();
        let messages = reader.take(1 + count).await;
        assert_eq!(messages[0]["last"], 12);
        assert_eq!(numbers(&messages), ((seen + 1)..=12).collect::<Vec<_>>(), "cut after {seen}");
    }
}

#[tokio::test]
async fn events_no_longer_held_are_a_named_gap_with_a_snapshot() {
    let served = serve().await;
    served.switch.on(TenantId::DEFAULT, |floor| floor.keep = 5);
    happen(&served, TenantId::DEFAULT, 20);
    let mut reader = Reader::open(&served, KEY, &format!("?since={START}-3")).await.unwrap();
    let messages = reader.take(3).await;
    assert_eq!(kinds(&messages), ["hello", "gap", "snapshot"]);
    assert_eq!((&messages[1]["from"], &messages[1]["to"]), (&json!(4), &json!(20)));
    assert_eq!(messages[2]["seq"], 20);
    happen(&served, TenantId::DEFAULT, 1);
    assert_eq!(numbers(&reader.take(1).await), [21]);
    // The oldest event still held is the boundary.
    let mut reader = Reader::open(&served, KEY, &format!("?since={START}-16")).await.unwrap();
    assert_eq!(kinds(&reader.take(2).await), ["hello", "event"]);
}

#[tokio::test]
async fn numbers_of_another_start_are_a_gap() {
    let served = serve().await;
    happen(&served, TenantId::DEFAULT, 3);
    let mut reader = Reader::open(&served, KEY, &format!("?since={}-2", START - 60)).await.unwrap();
    assert_eq!(kinds(&reader.take(3).await), ["hello", "gap", "snapshot"]);
}

#[tokio::test]
async fn a_stopping_switch_says_so_before_the_stream_ends() {
    let served = serve().await;
    let mut reader = Reader::open(&served, KEY, "").await.unwrap();
    reader.take(2).await;
    served.switch.on(TenantId::DEFAULT, |floor| floor.close_streams("shutdown"));
    assert_eq!(reader.next().await, Some(json!({"message": "closing", "reason": "shutdown"})));
    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn a_stream_carries_the_asking_tenants_events_alone() {
    let served = serve().await;
    let mut ours = Reader::open(&served, OTHER_KEY, "").await.unwrap();
    ours.take(2).await;
    happen(&served, TenantId::DEFAULT, 3);
    happen(&served, acme(), 1);
    let message = ours.next().await.unwrap();
    assert_eq!((&message["tenant"], &message["seq"]), (&json!("acme"), &json!(1)));
}

#[tokio::test]
async fn a_browsers_key_comes_as_a_sub_protocol_and_is_not_sent_back() {
    let served = serve().await;
    let mut request = format!("ws://{}/api/v1/events", served.addr).into_client_request().unwrap();
    // base64url of "default-key".
    let protocols = "cordboard.v1, key.ZGVmYXVsdC1rZXk";
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    let (_, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "cordboard.v1");
}

#[tokio::test]
async fn a_wrong_key_opens_no_stream_and_counts_as_a_guess() {
    let served = serve().await;
    for _ in 0..20 {
        match Reader::open(&served, "wrong", "").await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 401),
            _ => panic!("a wrong key is refused"),
        }
    }
    match Reader::open(&served, KEY, "").await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 429),
        _ => panic!("a source that guesses has to wait"),
    }
}

/// A reader has nothing to say: what it sends is dropped, and a message beyond the limit ends its stream.
#[tokio::test]
async fn what_a_reader_sends_is_bounded() {
    use futures_util::SinkExt;
    let served = serve().await;
    let mut reader = Reader::open(&served, KEY, "").await.unwrap();
    reader.take(2).await;
    reader.0.send(Message::text("hello?")).await.unwrap();
    happen(&served, TenantId::DEFAULT, 1);
    assert_eq!(numbers(&reader.take(1).await), [1]);
    reader.0.send(Message::text("x".repeat(100_000))).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(5), async {
        while let Some(Ok(message)) = reader.0.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    });
    end.await.expect("the stream ends");
}
