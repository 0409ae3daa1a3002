//! Recordings: the list, the file, and parts of it.

use crate::http::Answer;
use crate::tenants::record;
use crate::{KEY, Served, furnish, serve};
use cordboard_model::id::TenantId;

const FILE: &[u8] = include_bytes!("../../Cargo.toml");

async fn range(served: &Served, path: &str, range: &str) -> Answer {
    served.ask("GET", path, &[("x-api-key", KEY), ("range", range)], "").await
}

#[tokio::test]
async fn recordings_are_listed_newest_first_and_paged() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let (first, second) = (record(&served, &floor), record(&served, &floor));
    let page = served.get(KEY, "/api/v1/recordings?limit=1").await.ok();
    assert_eq!(page["items"][0]["recording"], second.to_string());
    assert_eq!(page["items"][0]["length_ms"], 2_500);
    let next = page["next"].as_str().unwrap();
    let page = served.get(KEY, &format!("/api/v1/recordings?limit=1&before={next}")).await.ok();
    assert_eq!(page["items"][0]["recording"], first.to_string());
    let labelled = served.get(KEY, "/api/v1/recordings?label=message%20for%20sales").await.ok();
    assert_eq!(labelled["items"].as_array().map(Vec::len), Some(0), "none has this label");
}

#[tokio::test]
async fn a_recording_is_given_whole_or_in_part() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/recordings/{}", record(&served, &floor));
    let len = FILE.len();
    let whole = served.get(KEY, &path).await;
    assert_eq!((whole.status, &whole.body[..]), (200, FILE));
    assert_eq!(whole.header("content-type"), "audio/wav");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    for (spec, from, to) in [
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, len - 1),
        ("bytes=-5", len - 5, len - 1),
        ("bytes=7-99999999", 7, len - 1),
    ] {
        let part = range(&served, &path, spec).await;
        assert_eq!((part.status, &part.body[..]), (206, &FILE[from..=to]), "{spec}");
        assert_eq!(part.header("content-range"), format!("bytes {from}-{to}/{len}"));
        assert_eq!(part.header("content-length"), (to - from + 1).to_string());
    }
}

/// RFC 9110 14.4: a 416 "SHOULD generate a Content-Range header field with an unsatisfied-range value".
#[tokio::test]
async fn a_range_beyond_the_end_is_416_with_the_length() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/recordings/{}", record(&served, &floor));
    for spec in ["bytes=99999999-", "bytes=-0"] {
        let answer = range(&served, &path, spec).await;
        let problem = answer.problem(416);
        assert_eq!(problem["field"], "Range");
        assert_eq!(answer.header("content-range"), format!("bytes */{}", FILE.len()));
    }
}

/// RFC 9110 13.1.5 and 14.2: what cannot be matched or read is answered whole.
#[tokio::test]
async fn a_range_that_cannot_be_read_or_matched_is_ignored() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/recordings/{}", record(&served, &floor));
    for spec in ["bytes=9-2", "bytes=0-1,4-5", "seconds=0-1", "bytes=a-b"] {
        assert_eq!(range(&served, &path, spec).await.status, 200, "{spec}");
    }
    let headers = [("x-api-key", KEY), ("range", "bytes=0-9"), ("if-range", "\"old\"")];
    assert_eq!(served.ask("GET", &path, &headers, "").await.status, 200);
}

#[tokio::test]
async fn a_recording_whose_file_is_gone_is_404() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let recording = record(&served, &floor);
    served.switch.on(TenantId::DEFAULT, |on| {
        for (_, path) in &mut on.recordings {
            *path = "/nowhere/at/all.wav".into();
        }
    });
    let problem = served.get(KEY, &format!("/api/v1/recordings/{recording}")).await.problem(404);
    assert!(!problem.to_string().contains("nowhere"), "a path of the switch is nobody's business");
}

#[tokio::test]
async fn a_calls_recording_is_begun_ended_paused_and_resumed_by_its_own_tenant() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/calls/{}/recording", floor.talking);
    let ask = async |key: &str, body: &str| served.ask("POST", &path, &[("x-api-key", key)], body).await;
    let done = ask(KEY, r#"{"do": "pause", "why": "card number"}"#).await.ok();
    let text = done["done"][0].as_str().unwrap();
    assert!(text.contains("Pause") && text.contains("by key ") && text.contains("card number"), "{text}");
    for word in ["start", "stop", "resume"] {
        assert_eq!(ask(KEY, &format!(r#"{{"do": "{word}"}}"#)).await.status, 200);
    }
    assert_eq!(ask(KEY, r#"{"do": "erase"}"#).await.status, 400);
    assert_eq!(ask(KEY, &format!(r#"{{"do": "stop", "why": "{}"}}"#, "x".repeat(257))).await.status, 400);
    assert_eq!(ask(crate::OTHER_KEY, r#"{"do": "stop"}"#).await.status, 404);
}

#[tokio::test]
async fn a_program_is_made_to_listen_to_a_call_and_let_go_by_its_own_tenant() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/calls/{}/stream", floor.talking);
    let ask =
        async |key: &str, how: &str, body: &str| served.ask(how, &path, &[("x-api-key", key)], body).await;
    let body = r#"{"url": "wss://bot.example/a", "tracks": "inbound", "parameters": {"order": "17"}}"#;
    let done = ask(KEY, "POST", body).await.ok();
    let text = done["done"][0].as_str().unwrap();
    for part in ["Inbound", "wss://bot.example/a", "\"order\": \"17\"", "by key "] {
        assert!(text.contains(part), "{text}");
    }
    let done = ask(KEY, "POST", r#"{"url": "ws://bot.example/"}"#).await.ok();
    assert!(done["done"][0].as_str().unwrap().starts_with("Both"), "{done}");
    let long = "x".repeat(1_025);
    for (body, field) in [
        (r#"{"url": "http://bot.example/"}"#.to_owned(), "url"),
        ("{}".to_owned(), "url"),
        (r#"{"url": "ws://bot.example/", "tracks": "all"}"#.to_owned(), "url"),
        (format!(r#"{{"url": "ws://bot.example/", "parameters": {{"a": "{long}"}}}}"#), "parameters"),
    ] {
        assert_eq!(ask(KEY, "POST", &body).await.problem(400)["field"], field, "{body}");
    }
    assert_eq!(ask(KEY, "DELETE", "").await.status, 200);
    assert_eq!(ask(crate::OTHER_KEY, "POST", body).await.status, 404);
    assert_eq!(ask(crate::OTHER_KEY, "DELETE", "").await.status, 404);
}

/// RFC 9110 8.8.3, 13.1.2, 13.1.5 and 9.3.2: a player goes on where it stopped, unless it is another file by now.
#[tokio::test]
async fn a_recording_is_asked_for_by_its_tag_and_its_head() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/recordings/{}", record(&served, &floor));
    let whole = served.get(KEY, &path).await;
    let tag = whole.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 2, "{tag}");
    let ask = async |method: &str, more: &[(&str, &str)]| {
        let mut headers = vec![("x-api-key", KEY)];
        headers.extend(more);
        served.ask(method, &path, &headers, "").await
    };
    let part = ("range", "bytes=0-9");
    assert_eq!(ask("GET", &[part, ("if-range", &tag)]).await.status, 206);
    for other in ["\"another\"", "Sun, 22 Nov 2026 10:00:00 GMT", &format!("W/{tag}")] {
        let answer = ask("GET", &[part, ("if-range", other)]).await;
        assert_eq!((answer.status, &answer.body[..]), (200, FILE), "{other}");
    }
    let same = ask("GET", &[("if-none-match", &tag)]).await;
    assert_eq!((same.status, same.header("etag"), same.body.len()), (304, tag.as_str(), 0));
    let head = ask("HEAD", &[part]).await;
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, &*FILE.len().to_string(), 0)
    );
    assert_eq!(head.header("etag"), tag);
}
