//! The stream as server-sent events, its filters, and what an agent's session may read of it.

use crate::fake::door::{CHIEF, TOKEN};
use crate::{KEY, START, Served, furnish, serve};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::signin::SessionEnd;
use cordboard_model::view::AgentStatus;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// A reader of server-sent events: the head of the answer, and what comes.
struct Reader {
    head: Vec<String>,
    lines: Lines<BufReader<OwnedReadHalf>>,
    _open: OwnedWriteHalf,
}

impl Reader {
    async fn open(served: &Served, key: &str, query: &str, more: &str) -> Reader {
        let (read, mut write) = TcpStream::connect(served.addr).await.unwrap().into_split();
        let request = format!(
            "GET /api/v1/events{query} HTTP/1.1\r\nHost: switch\r\nAuthorization: Bearer {key}\r\n\
             Accept: text/event-stream\r\n{more}\r\n"
        );
        write.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(read).lines();
        let mut head = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
            head.push(line.to_ascii_lowercase());
        }
        Reader { head, lines, _open: write }
    }

    /// The next message with its id; none at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        let mut id = String::new();
        loop {
            let line = tokio::time::timeout(Duration::from_secs(5), self.lines.next_line()).await;
            let line = line.expect("a line or the end within five seconds").unwrap()?;
            // The last chunk (RFC 9112 7.1): the answer is over.
            if line == "0" {
                return None;
            }
            if let Some(text) = line.strip_prefix("id: ") {
                text.clone_into(&mut id);
            }
            if let Some(text) = line.strip_prefix("data: ") {
                return Some((id, serde_json::from_str(text).unwrap()));
            }
        }
    }

    async fn take(&mut self, count: usize) -> Vec<(String, Value)> {
        let mut taken = Vec::new();
        for _ in 0..count {
            taken.push(self.next().await.expect("the stream goes on"));
        }
        taken
    }
}

fn status(name: &str, status: AgentStatus) -> EventKind {
    let agent = AgentId::new(TenantId::DEFAULT, name).unwrap();
    EventKind::AgentStatus { agent, status, why: String::new(), call: None, reason: None, by: None }
}

fn happens(served: &Served, what: EventKind) {
    served.switch.on(TenantId::DEFAULT, |floor| floor.event(what));
}

#[tokio::test]
async fn the_same_messages_come_as_server_sent_events_and_the_last_id_is_the_place_to_come_back_to() {
    let served = serve().await;
    let mut reader = Reader::open(&served, KEY, "", "").await;
    assert!(reader.head[0].contains("200"), "{:?}", reader.head);
    assert!(reader.head.contains(&"content-type: text/event-stream".to_owned()), "{:?}", reader.head);
    assert!(reader.head.contains(&"cache-control: no-store".to_owned()), "{:?}", reader.head);
    let first = reader.take(2).await;
    assert_eq!(first[0].1, json!({"message": "hello", "start": START, "last": 0}));
    assert_eq!((first[1].0.clone(), &first[1].1["message"]), (format!("{START}-0"), &json!("snapshot")));
    for version in 1..=5 {
        happens(&served, EventKind::ConfigReloaded { version });
    }
    let events = reader.take(5).await;
    assert_eq!(events[4].0, format!("{START}-5"));
    assert_eq!(events[4].1["type"], "config_reloaded");
    drop(reader);
    // A browser comes back to the address that it began with, and says the last id beside.
    let id = format!("Last-Event-ID: {START}-3\r\n");
    let mut again = Reader::open(&served, KEY, &format!("?since={START}-1"), &id).await;
    let messages = again.take(3).await;
    let seqs: Vec<_> = messages.iter().filter_map(|(_, message)| message["seq"].as_u64()).collect();
    assert_eq!(seqs, [4, 5]);
    served.switch.on(TenantId::DEFAULT, |floor| floor.close_streams("shutdown"));
    assert_eq!(again.next().await.unwrap().1, json!({"message": "closing", "reason": "shutdown"}));
    assert!(again.next().await.is_none());
    let refused = Reader::open(&served, KEY, "?kind=call_startet", "").await;
    assert!(refused.head[0].contains("400"), "{:?}", refused.head);
    let refused = Reader::open(&served, "wrong", "", "").await;
    assert!(refused.head[0].contains("401"), "{:?}", refused.head);
}

#[tokio::test]
async fn a_filter_takes_what_concerns_one_of_its_things_and_is_of_one_of_its_kinds() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let mut one = Reader::open(&served, KEY, "?agent=1001,1002", "").await;
    let snapshot = one.take(2).await.remove(1).1;
    assert_eq!(snapshot["agents"].as_array().unwrap().len(), 1);
    assert_eq!(snapshot["calls"].as_array().unwrap().len(), 1, "his call alone: {snapshot}");
    assert_eq!(snapshot["queues"], json!([]));
    let call = floor.waiting;
    let mut of_call =
        Reader::open(&served, KEY, &format!("?call={call}&kind=call_answered,data_changed"), "").await;
    assert_eq!(of_call.take(2).await[1].1["calls"][0]["call"], call.to_string());
    happens(&served, status("1003", AgentStatus::Ready));
    happens(&served, EventKind::CallAnswered { call: floor.talking });
    happens(&served, EventKind::FlowLog { call, text: "x".into() });
    happens(&served, EventKind::CallAnswered { call });
    happens(&served, status("1001", AgentStatus::Rest));
    let got = one.take(1).await.remove(0).1;
    assert_eq!((&got["type"], &got["agent"]["name"]), (&json!("agent_status"), &json!("1001")));
    let got = of_call.take(1).await.remove(0).1;
    assert_eq!((&got["type"], &got["call"]), (&json!("call_answered"), &json!(call.to_string())));
    let many = vec!["1001"; 51].join(",");
    for wrong in [format!("?agent={many}"), "?agent=".into(), "?queue=a/b".into(), "?call=7".into()] {
        let refused = Reader::open(&served, KEY, &wrong, "").await;
        assert!(refused.head[0].contains("400"), "{wrong}: {:?}", refused.head);
    }
}

/// An agent's page follows what concerns him with the token of his session; a supervisor's follows everything.
#[tokio::test]
async fn an_agent_reads_what_concerns_him_and_a_supervisor_all() {
    let served = serve().await;
    let mut own = Reader::open(&served, TOKEN, "", "").await;
    let mut chief = Reader::open(&served, CHIEF, "?wall=true", "").await;
    own.take(2).await;
    for name in ["1002", "1001"] {
        happens(&served, status(name, AgentStatus::Ready));
    }
    assert_eq!(own.take(1).await[0].1["agent"]["name"], "1001");
    let names = |messages: Vec<(String, Value)>| -> Vec<String> {
        let agents = messages.iter().filter(|(_, message)| message["type"] == "agent_status");
        agents.map(|(_, message)| message["agent"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(chief.take(5).await), ["1002", "1001"]);
    for other in
        ["?agent=1002", "?agent=1001,1002", "?queue=sales", "?call=default.6b00e42d-0-5f", "?wall=true"]
    {
        let refused = Reader::open(&served, TOKEN, other, "").await;
        assert!(refused.head[0].contains("403"), "{other}: {:?}", refused.head);
    }
    let mut narrower = Reader::open(&served, TOKEN, "?agent=1001&kind=agent_status", "").await;
    narrower.take(2).await;
    let unknown = Reader::open(&served, "cbs_unknown", "", "").await;
    assert!(unknown.head[0].contains("401"), "{:?}", unknown.head);
}

/// What opened a stream may be over while it runs: it is looked at when an event says so.
#[tokio::test]
async fn a_stream_ends_with_the_session_that_opened_it() {
    let served = serve().await;
    let mut own = Reader::open(&served, TOKEN, "", "").await;
    let mut other = Reader::open(&served, CHIEF, "", "").await;
    own.take(2).await;
    other.take(2).await;
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    let ended = EventKind::SessionEnded { agent, why: SessionEnd::SignedOut, place: "desk 7".into() };
    // One of an earlier session changes nothing.
    happens(&served, ended.clone());
    happens(&served, status("1001", AgentStatus::Rest));
    assert_eq!(own.take(2).await[1].1["status"], "rest");
    served.switch.end_session();
    happens(&served, ended);
    assert_eq!(own.next().await.unwrap().1["type"], "session_ended");
    let last = own.next().await.unwrap().1;
    assert_eq!(last, json!({"message": "closing", "reason": "not_allowed_any_more"}));
    assert!(own.next().await.is_none());
    assert_eq!(other.take(3).await[2].1["type"], "session_ended");
}
