use super::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::id::{IdMaker, QueueId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::{Wall, WallClock};
use cordboard_model::trace::{TraceKey, TraceMedia, TraceView, TraceWhat};

const CLOCK: WallClock = WallClock { at_zero: Wall(1_795_000_000_000) };

fn flow(remote: &str) -> Flow {
    Flow::udp("127.0.0.1:5060".parse().unwrap(), remote.parse().unwrap())
}

fn ms(n: u64) -> Time {
    Time::from_millis(n)
}

fn message(first: &str, call_id: &str, more: &str) -> Vec<u8> {
    format!("{first}\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nCall-ID: {call_id}\r\n{more}\r\n").into_bytes()
}

fn invite(call_id: &str) -> Vec<u8> {
    message("INVITE sip:500@example.com SIP/2.0", call_id, "")
}

/// One line for each step.
fn lines(view: &TraceView) -> Vec<String> {
    let word = |what: &TraceWhat| match what {
        TraceWhat::Message(m) => {
            let way = if m.sent { "->" } else { "<-" };
            let again = if m.repeated { " again" } else { "" };
            format!("{way} {} {}{again}", view.parties[m.party].address, m.title)
        }
        TraceWhat::Note(TraceNote::Event { event }) => {
            let json = serde_json::to_value(event).unwrap();
            json["type"].as_str().unwrap_or_default().to_owned()
        }
        TraceWhat::Note(TraceNote::Ended { cause, .. }) => format!("ended {}", cause.as_str()),
        TraceWhat::Note(TraceNote::Media { media, .. }) => {
            let json = serde_json::to_value(media).unwrap();
            json["type"].as_str().unwrap_or_default().to_owned()
        }
    };
    view.steps.iter().map(|step| word(&step.what)).collect()
}

struct Bench {
    ladder: Ladder,
    ids: IdMaker,
}

impl Bench {
    fn new(limits: TraceLimits) -> Self {
        Self { ladder: Ladder::new(limits, [7; 32]), ids: IdMaker::new(1, 0) }
    }

    fn call(&mut self, tenant: TenantId) -> (CallId, LegId) {
        (self.ids.call(tenant), self.ids.leg(tenant))
    }

    fn of(&self, call: CallId) -> Option<TraceView> {
        self.ladder.view(&TraceKey::Call(call), CLOCK)
    }

    fn by(&self, tenant: TenantId, call_id: &str) -> Option<TraceView> {
        self.ladder.view(&TraceKey::Sip(tenant, call_id.into()), CLOCK)
    }
}

#[test]
fn both_legs_of_a_call_and_its_events_stand_on_one_ladder() {
    let mut bench = Bench::new(TraceLimits::default());
    let (call, caller) = bench.call(TenantId::DEFAULT);
    let called = bench.ids.leg(TenantId::DEFAULT);
    let (a, b) = (flow("192.0.2.1:5060"), flow("192.0.2.2:5060"));
    let ladder = &mut bench.ladder;
    ladder.message(a, false, &invite("a"), ms(0));
    ladder.tie(call, caller, "a");
    let started = |leg, user| EventKind::LegStarted { call, leg, party: PartyId::new(user) };
    ladder.event(&started(caller, "600"), ms(1));
    ladder.message(a, true, &message("SIP/2.0 100 Trying", "a", ""), ms(1));
    ladder.message(b, true, &invite("b"), ms(2));
    ladder.tie(call, called, "b");
    ladder.event(&started(called, "1001"), ms(2));
    ladder.message(b, true, &invite("b"), ms(502));
    ladder.message(b, false, &message("SIP/2.0 200 OK", "b", ""), ms(600));
    let queue = QueueId::new(TenantId::DEFAULT, "sales").unwrap();
    ladder.event(&EventKind::QueueLeft { call, queue, outcome: "served".into() }, ms(600));
    let heard = TraceMedia::Heard { from: "192.0.2.2:4000".parse().unwrap() };
    ladder.note(call, &TraceNote::Media { leg: called, media: heard }, ms(700));
    ladder.note(call, &TraceNote::Ended { cause: Cause::Normal, by: Party::Caller }, ms(800));
    let view = bench.of(call).unwrap();
    assert_eq!(
        lines(&view),
        [
            "<- 192.0.2.1:5060 INVITE",
            "leg_started",
            "-> 192.0.2.1:5060 100 Trying",
            "-> 192.0.2.2:5060 INVITE",
            "leg_started",
            "-> 192.0.2.2:5060 INVITE again",
            "<- 192.0.2.2:5060 200 OK",
            "queue_left",
            "heard",
            "ended normal",
        ]
    );
    let names: Vec<&str> = view.parties.iter().map(|party| party.name.as_str()).collect();
    assert_eq!(names, ["600", "1001"]);
    assert!(!view.cut);
    assert_eq!(view.steps[5].at_us, 1_795_000_000_502_000);
    assert_eq!(bench.by(TenantId::DEFAULT, "b"), Some(view), "the other leg's Call-ID leads to the same");
}

#[test]
fn a_request_that_became_no_call_is_the_operators_alone() {
    let mut bench = Bench::new(TraceLimits::default());
    let acme = TenantId::new("acme").unwrap();
    let from = flow("192.0.2.9:5060");
    bench.ladder.message(from, false, &invite("stranger"), ms(0));
    bench.ladder.message(from, true, &message("SIP/2.0 401 Unauthorized", "stranger", ""), ms(1));
    bench.ladder.message(from, false, &invite("full"), ms(2));
    bench.ladder.refused(acme, "full");
    let found = bench.by(TenantId::DEFAULT, "stranger").unwrap();
    assert_eq!(lines(&found), ["<- 192.0.2.9:5060 INVITE", "-> 192.0.2.9:5060 401 Unauthorized"]);
    assert_eq!(bench.by(acme, "stranger"), None);
    assert_eq!(bench.by(TenantId::DEFAULT, "full"), None);
    assert!(bench.by(acme, "full").is_some());
    let titles = |tenant| -> Vec<String> {
        bench.ladder.recent(tenant, 10, CLOCK).into_iter().map(|entry| entry.title).collect()
    };
    assert_eq!(titles(TenantId::DEFAULT), ["401 Unauthorized"]);
    assert_eq!(titles(acme), ["INVITE"]);
}

#[test]
fn a_call_id_that_two_tenants_share_shows_neither_the_others_call() {
    let mut bench = Bench::new(TraceLimits::default());
    let acme = TenantId::new("acme").unwrap();
    let ((first, leg), (second, other)) = (bench.call(TenantId::DEFAULT), bench.call(acme));
    bench.ladder.message(flow("192.0.2.1:5060"), false, &invite("shared"), ms(0));
    bench.ladder.tie(first, leg, "shared");
    bench.ladder.tie(second, other, "shared");
    assert!(bench.of(first).is_some());
    assert_eq!(bench.of(second), None);
    assert_eq!(bench.by(acme, "shared"), None);
}

#[test]
fn messages_of_no_invite_are_not_kept() {
    let mut bench = Bench::new(TraceLimits::default());
    for first in ["REGISTER sip:a SIP/2.0", "OPTIONS sip:a SIP/2.0", "SIP/2.0 200 OK", "BYE sip:a SIP/2.0"] {
        bench.ladder.message(flow("192.0.2.1:5060"), false, &message(first, "r", ""), ms(0));
    }
    bench.ladder.message(flow("192.0.2.1:5060"), false, b"\r\n\r\n", ms(0));
    assert_eq!(bench.by(TenantId::DEFAULT, "r"), None);
    assert_eq!(bench.ladder.ring.last(), 0);
}

#[test]
fn what_is_kept_is_bounded_and_a_ladder_without_its_beginning_says_so() {
    let mut bench = Bench::new(TraceLimits { bytes: 20_000, steps: 60 });
    let calls: Vec<CallId> = (0..500)
        .map(|n| {
            let (call, leg) = bench.call(TenantId::DEFAULT);
            let call_id = format!("call-{n}");
            bench.ladder.message(flow("192.0.2.1:5060"), false, &invite(&call_id), ms(n));
            bench.ladder.tie(call, leg, &call_id);
            bench.ladder.event(&EventKind::CallAnswered { call }, ms(n));
            bench.ladder.message(
                flow("192.0.2.1:5060"),
                false,
                &message("BYE x SIP/2.0", &call_id, ""),
                ms(n),
            );
            call
        })
        .collect();
    assert!(bench.ladder.dialogs.len() <= 60 && bench.ladder.calls.len() <= 60);
    assert_eq!(bench.of(calls[0]), None);
    assert_eq!(lines(&bench.of(calls[499]).unwrap()).len(), 3);
    let long = bench.call(TenantId::DEFAULT);
    bench.ladder.message(flow("192.0.2.1:5060"), false, &invite("long"), ms(0));
    bench.ladder.tie(long.0, long.1, "long");
    for n in 0..100 {
        bench.ladder.event(&EventKind::FlowLog { call: long.0, text: n.to_string() }, ms(n));
    }
    let view = bench.of(long.0).unwrap();
    assert!(view.cut && view.steps.len() == 60, "{} steps", view.steps.len());
    assert_eq!(bench.by(TenantId::DEFAULT, "long"), None, "its messages are gone");
    for n in 0..100 {
        bench.ladder.message(flow("192.0.2.1:5060"), false, &invite(&format!("x{n}")), ms(n));
    }
    assert!(bench.ladder.calls.is_empty(), "nothing is left of calls whose steps are gone");
}

#[test]
fn with_no_room_nothing_is_kept() {
    let mut bench = Bench::new(TraceLimits { bytes: 0, steps: 100 });
    let (call, leg) = bench.call(TenantId::DEFAULT);
    bench.ladder.message(flow("192.0.2.1:5060"), false, &invite("a"), ms(0));
    bench.ladder.tie(call, leg, "a");
    bench.ladder.event(&EventKind::CallAnswered { call }, ms(0));
    assert_eq!(bench.of(call), None);
    assert!(bench.ladder.dialogs.is_empty() && bench.ladder.calls.is_empty());
}

/// The text of everything that is kept of a call, as the store has it.
fn raw(bench: &Bench) -> String {
    let mut all = Vec::new();
    for number in 1..=bench.ladder.ring.last() {
        all.extend(bench.ladder.ring.get(number).map(|e| bench.ladder.ring.bytes(e)).unwrap_or_default());
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn keys_of_a_secret_are_not_even_kept_and_later_repetitions_neither() {
    let mut bench = Bench::new(TraceLimits::default());
    let (call, leg) = bench.call(TenantId::DEFAULT);
    let info = |digit: &str| {
        let mut info = message("INFO sip:a SIP/2.0", "a", "Content-Type: application/dtmf-relay\r\n");
        info.extend(format!("Signal={digit}\r\n").bytes());
        info
    };
    let from = flow("192.0.2.1:5060");
    bench.ladder.message(from, false, &invite("a"), ms(0));
    bench.ladder.tie(call, leg, "a");
    bench.ladder.message(from, false, &info("Open1"), ms(1));
    bench.ladder.set_secret(leg, call, true, ms(2));
    bench.ladder.message(from, false, &info("Canary2"), ms(3));
    bench.ladder.set_secret(leg, call, false, ms(4));
    bench.ladder.message(from, false, &info("Canary2"), ms(5_000));
    bench.ladder.message(from, false, &info("Open3"), ms(40_000));
    let all = raw(&bench);
    assert!(all.contains("Open1") && all.contains("Open3") && !all.contains("Canary"), "{all}");
    assert!(bench.ladder.tells_secret(call, ms(3_003)), "who has typed too much is still typing");
    assert!(!bench.ladder.tells_secret(call, ms(3_004)), "the keys of the next menu are no secret");
    bench.ladder.set_secret(leg, call, true, ms(41_000));
    bench.ladder.forget(call, ms(42_000));
    assert!(bench.ladder.tells_secret(call, ms(42_000)));
    assert!(!bench.ladder.tells_secret(call, ms(46_000)), "a call that ends ends its secrets");
}

#[test]
fn what_is_tapped_comes_once_with_its_call() {
    let mut bench = Bench::new(TraceLimits::default());
    let (call, leg) = bench.call(TenantId::DEFAULT);
    let from = flow("192.0.2.1:5060");
    let (mut seen, mut taken) = (0, Vec::new());
    bench.ladder.message(from, false, &invite("a"), ms(0));
    bench.ladder.tie(call, leg, "a");
    bench.ladder.event(&EventKind::CallAnswered { call }, ms(0));
    bench.ladder.tap(&mut seen, |tapped| taken.push(tapped));
    bench.ladder.message(from, true, &message("SIP/2.0 200 OK", "a", ""), ms(1));
    bench.ladder.tap(&mut seen, |tapped| taken.push(tapped));
    bench.ladder.tap(&mut seen, |tapped| taken.push(tapped));
    assert_eq!(
        taken.iter().map(|t| (t.sent, t.call)).collect::<Vec<_>>(),
        [(false, Some(call)), (true, Some(call))]
    );
    assert_eq!(taken[0].bytes, invite("a"));
}
