//! Who gets in, and who has to wait.

use crate::{KEY, serve};

/// One path of every route that needs a key.
pub const READ: [&str; 11] = [
    "/api/v1/route?from=1001&to=500",
    "/api/v1/calls",
    "/api/v1/calls/default.6b000000-0-1",
    "/api/v1/queues",
    "/api/v1/agents",
    "/api/v1/contacts",
    "/api/v1/trunks",
    "/api/v1/cdrs",
    "/api/v1/cdrs/default.6b000000-0-1",
    "/api/v1/recordings",
    "/api/v1/recordings/default.6b000000-0-1",
];
pub const ORDER: [&str; 12] = [
    "/api/v1/calls/default.6b000000-0-1/aside",
    "/api/v1/legs/default.6b000000-0-1/keys",
    "/api/v1/calls/default.6b000000-0-1/hangup",
    "/api/v1/calls/default.6b000000-0-1/transfer",
    "/api/v1/calls/default.6b000000-0-1/transfer/complete",
    "/api/v1/calls/default.6b000000-0-1/transfer/cancel",
    "/api/v1/legs/default.6b000000-0-1/hold",
    "/api/v1/legs/default.6b000000-0-1/mute",
    "/api/v1/calls/default.6b000000-0-1/conference",
    "/api/v1/calls/default.6b000000-0-1/supervise",
    "/api/v1/agents/1001/ready",
    "/api/v1/config/reload",
];

#[tokio::test]
async fn no_route_opens_without_a_key() {
    let served = serve().await;
    for (method, path) in READ.map(|path| ("GET", path)).into_iter().chain(ORDER.map(|path| ("POST", path))) {
        let answer = served.ask(method, path, &[], "").await;
        answer.problem(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let answer = served.ask("GET", "/api/v1/events", &[], "").await;
    answer.problem(401);
}

#[tokio::test]
async fn a_key_is_taken_from_either_header_and_never_from_the_address() {
    let served = serve().await;
    let bearer = format!("Bearer {KEY}");
    assert_eq!(served.ask("GET", "/api/v1/calls", &[("authorization", &bearer)], "").await.status, 200);
    assert_eq!(served.ask("GET", "/api/v1/calls", &[("x-api-key", KEY)], "").await.status, 200);
    for name in ["key", "api_key", "x-api-key", "access_token"] {
        served.ask("GET", &format!("/api/v1/calls?{name}={KEY}"), &[], "").await.problem(401);
    }
}

#[tokio::test]
async fn who_guesses_keys_is_told_to_wait_even_with_the_right_one() {
    let served = serve().await;
    for guess in 0..20 {
        served.get(&format!("guess-{guess}"), "/api/v1/calls").await.problem(401);
    }
    let answer = served.get("guess-20", "/api/v1/calls").await;
    answer.problem(429);
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&seconds));
    // Otherwise the brake would tell which guess was right.
    served.get(KEY, "/api/v1/calls").await.problem(429);
    // Who asks without a key has not guessed, and what needs none is not braked.
    assert_eq!(served.get("", "/healthz").await.status, 200);
}

/// Behind one address there may be a whole house, and behind a proxy everybody: one who guesses there keeps nobody from work.
#[tokio::test]
async fn who_goes_on_with_a_key_that_was_right_is_not_held_up_by_others_who_guess() {
    let served = serve().await;
    assert_eq!(served.get(KEY, "/api/v1/calls").await.status, 200);
    for guess in 0..20 {
        served.get(&format!("guess-{guess}"), "/api/v1/calls").await.problem(401);
    }
    served.get("guess-20", "/api/v1/calls").await.problem(429);
    assert_eq!(served.get(KEY, "/api/v1/calls").await.status, 200);
}

#[tokio::test]
async fn requests_without_a_key_do_not_count_as_guesses() {
    let served = serve().await;
    for _ in 0..30 {
        served.ask("GET", "/api/v1/calls", &[], "").await.problem(401);
    }
    assert_eq!(served.get(KEY, "/api/v1/calls").await.status, 200);
}
