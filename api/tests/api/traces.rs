//! Ladders by call id and by SIP Call-ID, in all three forms, for their tenant alone.

use crate::{KEY, OTHER_KEY, Served, acme, furnish, serve};
use cordboard_model::id::{CallId, TenantId};
use cordboard_model::trace::{TraceMessage, TraceParty, TraceStep, TraceView, TraceWhat};

/// A ladder of one INVITE with this Call-ID.
pub fn ladder(call: Option<CallId>, call_id: &str) -> TraceView {
    let remote = "192.0.2.7:5060".parse().unwrap();
    let message = TraceMessage {
        party: 0,
        sent: false,
        transport: "udp".into(),
        local: "192.0.2.1:5060".parse().unwrap(),
        remote,
        repeated: false,
        leg: None,
        call_id: call_id.into(),
        title: "INVITE".into(),
        sdp: false,
        bytes: format!("INVITE sip:500@example.com SIP/2.0\r\nCall-ID: {call_id}\r\n\r\n").into_bytes(),
    };
    let party = TraceParty { transport: "udp".into(), address: remote, name: "600".into() };
    let steps = vec![TraceStep { at_us: 1_795_212_000_000_000, what: TraceWhat::Message(message) }];
    TraceView { call, parties: vec![party], steps, cut: false }
}

async fn with_ladders() -> (Served, CallId) {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    served.switch.on(TenantId::DEFAULT, |on| {
        on.traces.push(ladder(Some(floor.over), "a/b@192.0.2.7"));
        on.traces.push(ladder(None, "refused"));
    });
    (served, floor.over)
}

#[tokio::test]
async fn a_ladder_is_found_by_the_calls_id_and_by_a_sip_call_id() {
    let (served, call) = with_ladders().await;
    let by_call = served.get(KEY, &format!("/api/v1/calls/{call}/trace")).await.ok();
    let by_sip = served.get(KEY, "/api/v1/calls/a%2Fb%40192.0.2.7/trace").await.ok();
    assert_eq!(by_call, by_sip);
    assert_eq!(by_call["call"], call.to_string());
    let step = &by_call["steps"][0];
    assert_eq!((&step["kind"], &step["title"]), (&"message".into(), &"INVITE".into()));
    assert!(step["text"].as_str().unwrap().starts_with("INVITE sip:500@example.com"));
    let refused = served.get(KEY, "/api/v1/calls/refused/trace").await.ok();
    assert_eq!(refused["call"], serde_json::Value::Null);
    let list = served.get(KEY, "/api/v1/traces?limit=1").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_ladder_is_text_and_a_capture_too() {
    let (served, call) = with_ladders().await;
    let text = served.get(KEY, &format!("/api/v1/calls/{call}/trace?format=text")).await;
    assert_eq!(text.status, 200);
    assert!(text.text().contains(" INVITE ") && !text.text().contains("Call-ID:"), "{}", text.text());
    let whole = served.get(KEY, &format!("/api/v1/calls/{call}/trace?format=text&messages=true")).await;
    assert!(whole.text().contains("Call-ID: a/b@192.0.2.7"), "{}", whole.text());
    let capture = served.get(KEY, &format!("/api/v1/calls/{call}/trace.pcap")).await;
    assert_eq!(capture.status, 200);
    assert!(capture.text().contains("INVITE sip:500@example.com"), "{}", capture.text());
    served.get(KEY, &format!("/api/v1/calls/{call}/trace?format=xml")).await.problem(400);
    served.get(KEY, "/api/v1/calls/unknown/trace").await.problem(404);
}

#[tokio::test]
async fn a_ladder_of_another_tenant_is_404_in_every_form() {
    let (served, call) = with_ladders().await;
    furnish(&served.switch, acme());
    for id in [call.to_string(), "a%2Fb%40192.0.2.7".into(), "refused".into()] {
        for path in [format!("/api/v1/calls/{id}/trace"), format!("/api/v1/calls/{id}/trace.pcap")] {
            served.get(OTHER_KEY, &path).await.problem(404);
            assert_eq!(served.get("no-key", &path).await.status, 401);
        }
    }
    let none = served.get(OTHER_KEY, "/api/v1/traces").await.ok();
    assert_eq!(none["items"], serde_json::json!([]));
}
