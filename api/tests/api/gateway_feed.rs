//! The gateway's events over a WebSocket, our own extension: what a poll would be answered, and nothing lost between the two.

use crate::Served;
use crate::gateway::{BASE, Bar, gateway, plain, sign_in};
use crate::wire::Wire;
use serde_json::Value;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

struct Feed(Wire);

impl Feed {
    /// As a page opens it: the guid is a sub-protocol.
    async fn open(served: &Served, workno: &str, guid: &str) -> Result<Self, Error> {
        let url = format!("ws://{}{BASE}/agentevent/{workno}/x-feed", served.addr);
        let mut request = url.into_client_request()?;
        let protocols = format!("cordboard.agentevent.v1, guid.{guid}");
        request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
        let (socket, response) = tokio_tungstenite::connect_async(request).await?;
        assert_eq!(response.headers()["sec-websocket-protocol"], "cordboard.agentevent.v1");
        Ok(Self(socket))
    }

    /// The next message; none at the end.
    async fn next(&mut self) -> Option<Value> {
        crate::wire::next(&mut self.0).await
    }

    async fn kinds(&mut self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..count {
            let message = self.next().await.expect("an event");
            assert_eq!(message["retcode"], "0", "{message}");
            kinds.push(message["event"]["eventType"].as_str().unwrap_or("none").to_owned());
        }
        kinds
    }
}

#[tokio::test]
async fn the_feed_has_what_polls_have_in_order_and_gives_back_what_it_did_not_send() {
    let served = gateway().await;
    let mut bar: Bar<'_> = sign_in(&served, "1001", &plain()).await;
    let mut feed = Feed::open(&served, "1001", &bar.guid).await.unwrap();
    assert_eq!(feed.kinds(2).await, ["AgentOther_InService", "AgentState_Ready"]);
    bar.ok("POST", "onlineagent/saybusy", "").await;
    assert_eq!(feed.kinds(1).await, ["AgentState_SetNotReady_Success"]);
    // a poll ends the feed, and goes on where that was
    bar.ok("POST", "onlineagent/sayfree", "").await;
    let told = feed.kinds(2).await;
    assert_eq!(told, ["AgentState_CancelNotReady_Success", "AgentState_Ready"]);
    bar.ok("POST", "onlineagent/rest/60/7", "").await;
    assert_eq!(feed.kinds(1).await, ["AgentState_SetRest_Success"]);
    let (polled, last) = tokio::join!(
        async {
            let polled = bar.poll();
            tokio::time::timeout(Duration::from_secs(12), polled).await.unwrap()
        },
        feed.next()
    );
    assert!(polled.is_null(), "nothing had happened: {polled}");
    assert_eq!(last.expect("why it ends")["retcode"], "000-001");
    assert!(feed.next().await.is_none());
}

#[tokio::test]
async fn a_feed_needs_the_guid_of_its_agent_and_ends_when_he_signs_out() {
    let served = gateway().await;
    let bar = sign_in(&served, "1001", &plain()).await;
    let refused = |opened: Result<Feed, Error>| match opened {
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            serde_json::from_slice::<Value>(&body).unwrap()["retcode"].as_str().unwrap().to_owned()
        }
        _ => panic!("it is refused"),
    };
    assert_eq!(refused(Feed::open(&served, "1001", "wrong").await), "100-006");
    assert_eq!(refused(Feed::open(&served, "1002", &bar.guid).await), "100-006");
    let mut feed = Feed::open(&served, "1001", &bar.guid).await.unwrap();
    feed.kinds(2).await;
    bar.ok("DELETE", "onlineagent/logout", "").await;
    let mut last = feed.next().await;
    while let Some(message) = &last
        && message["retcode"] == "0"
    {
        last = feed.next().await;
    }
    assert_eq!(last.expect("why it ends")["retcode"], "100-006");
}
