//! Subscriptions (RFC 6665, 4235, 3842), and MESSAGE (RFC 3428).

use cordboard_model::leg::PartyId;
use cordboard_sip::engine::{DialogInfo, DialogState, Directory, Flow, SipCommand, Waiting};
use cordboard_sip::wire::{HeaderName, Message, parse_datagram};

use crate::auth::with_credentials;
use crate::bench::{Bench, PHONE, SWITCH, addr, header, line, reply, snapshot, user};
use crate::registrar::register;

const OTHER: &str = "203.0.113.9:5060";

/// A request of account 1001 from its phone; `more` are whole header lines.
fn request(n: usize, method: &str, to: &str, more: &str, body: &str) -> Message {
    let text = format!(
        "{method} sip:{to}@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {PHONE};rport;branch=z9hG4bKs{n}\r\nMax-Forwards: 70\r\n\
         From: <sip:1001@example.com>;tag=watcher\r\nTo: <sip:{to}@example.com>\r\nCall-ID: sub-{to}-{}\r\n\
         CSeq: {n} {method}\r\nContact: <sip:1001@203.0.113.5:5060>\r\n{more}Content-Length: {}\r\n\r\n{body}",
        n / 1_000,
        body.len()
    );
    parse_datagram(text.as_bytes()).unwrap()
}

/// Sends it, with its password when that is asked for; gives what is sent then.
fn asks(bench: &mut Bench, request: &Message) -> Vec<(Flow, Message)> {
    bench.recv_bytes(PHONE, &request.to_bytes());
    let mut sent = bench.take();
    if sent.first().is_some_and(|(_, answer)| answer.status() == Some(401)) {
        let again = with_credentials(request, &sent[0].1, "1001", "secret");
        bench.recv_bytes(PHONE, &again.to_bytes());
        sent = bench.take();
    }
    sent
}

fn subscribe(bench: &mut Bench, n: usize, to: &str, event: &str, more: &str) -> Vec<Message> {
    let request = request(n, "SUBSCRIBE", to, &format!("Event: {event}\r\n{more}"), "");
    asks(bench, &request).into_iter().map(|(_, message)| message).collect()
}

/// A subscription that is up, its first NOTIFY answered: the 200 and that NOTIFY.
#[track_caller]
fn up(bench: &mut Bench, to: &str, event: &str) -> (Message, Message) {
    let sent = subscribe(bench, 1_000 + to.len(), to, event, "Expires: 600\r\n");
    let lines: Vec<String> = sent.iter().map(line).collect();
    assert_eq!(lines, ["200 SUBSCRIBE", "NOTIFY"]);
    bench.recv(PHONE, &reply(&sent[1], 200, "watcher", ""));
    (sent[0].clone(), sent[1].clone())
}

fn text(message: &Message) -> String {
    String::from_utf8(message.body.clone()).unwrap()
}

fn rings(state: DialogState) -> SipCommand {
    call(state, false)
}

fn call(state: DialogState, over: bool) -> SipCommand {
    let remote = PartyId { user: "900".into(), display: "Ann".into() };
    let dialog = DialogInfo { id: "leg-1".into(), initiator: false, state, remote };
    SipCommand::Dialog { user: user("1002"), dialog, over }
}

#[test]
fn a_watcher_is_told_at_once_and_of_every_change_in_whole_documents_with_a_counter() {
    let mut bench = Bench::new();
    let (ok, first) = up(&mut bench, "1002", "dialog;id=7");
    assert_eq!(header(&ok, HeaderName::Expires), "600");
    assert_eq!(header(&first, HeaderName::Event), "dialog;id=7");
    assert_eq!(header(&first, HeaderName::SubscriptionState), "active;expires=600");
    assert_eq!(header(&first, HeaderName::ContentType), "application/dialog-info+xml");
    assert!(text(&first).contains("version=\"0\"") && !text(&first).contains("<dialog "));
    bench.command(rings(DialogState::Early));
    let early = bench.one();
    assert!(text(&early).contains("version=\"1\"") && text(&early).contains("<state>early</state>"));
    // what changes while a NOTIFY is under way is told by the next, once
    bench.command(rings(DialogState::Confirmed));
    bench.command(call(DialogState::Confirmed, true));
    assert_eq!(bench.lines().len(), 0);
    bench.recv(PHONE, &reply(&early, 200, "watcher", ""));
    let last = bench.one();
    assert!(text(&last).contains("version=\"2\"") && !text(&last).contains("<dialog "), "{}", text(&last));
    assert!(last.cseq().unwrap().seq > early.cseq().unwrap().seq);
    bench.recv(PHONE, &reply(&last, 200, "watcher", ""));
    bench.command(call(DialogState::Confirmed, true));
    assert_eq!(bench.lines().len(), 0, "nothing has changed");
}

#[test]
fn a_subscription_is_refreshed_ended_and_expires() {
    let mut bench = Bench::new();
    let (ok, _) = up(&mut bench, "1002", "dialog");
    let to = header(&ok, HeaderName::To);
    let within = |n: usize, more: &str| {
        let mut request = request(n, "SUBSCRIBE", "1002", &format!("Event: dialog\r\n{more}"), "");
        request.set(HeaderName::To, to.clone());
        request
    };
    bench.wait(500_000);
    let sent = asks(&mut bench, &within(1_010, "Expires: 600\r\n"));
    assert_eq!(line(&sent[0].1), "200 SUBSCRIBE");
    assert_eq!(header(&sent[1].1, HeaderName::SubscriptionState), "active;expires=600");
    bench.recv(PHONE, &reply(&sent[1].1, 200, "watcher", ""));
    // from elsewhere it is nobody's
    let stolen = within(1_011, "Expires: 0\r\n");
    bench.recv_bytes(OTHER, &stolen.to_bytes());
    assert_eq!(bench.lines(), ["401 SUBSCRIBE"]);
    assert_eq!(bench.engine.subscriptions(), 1);
    bench.wait(590_000);
    assert_eq!(bench.lines().len(), 0);
    bench.wait(11_000);
    let last = bench.take().remove(0).1;
    assert_eq!(header(&last, HeaderName::SubscriptionState), "terminated;reason=timeout");
    assert_eq!(bench.engine.subscriptions(), 0);
    let (ok, _) = up(&mut bench, "1002", "dialog");
    let mut end = request(1_020, "SUBSCRIBE", "1002", "Event: dialog\r\nExpires: 0\r\n", "");
    end.set(HeaderName::To, header(&ok, HeaderName::To));
    let sent = asks(&mut bench, &end);
    assert_eq!(header(&sent[1].1, HeaderName::SubscriptionState), "terminated;reason=timeout");
    bench.settle();
    assert_eq!(bench.engine.subscriptions(), 0);
}

#[test]
fn what_is_asked_in_vain_is_refused_by_its_name() {
    let mut bench = Bench::new();
    let refused = |bench: &mut Bench, n: usize, to: &str, event: &str, more: &str| {
        let mut sent = subscribe(bench, n, to, event, more);
        assert_eq!(sent.len(), 1);
        sent.remove(0)
    };
    let bad = refused(&mut bench, 1_001, "1002", "presence", "");
    assert_eq!(
        (bad.status(), header(&bad, HeaderName::AllowEvents).as_str()),
        (Some(489), "dialog, message-summary")
    );
    let codes = [
        (2_001, "1003", "dialog", "", 404),
        (3_001, "1002", "message-summary", "", 403),
        (4_001, "1002", "dialog", "Expires: 5\r\n", 423),
        (5_001, "1002", "dialog", "Accept: application/pidf+xml\r\n", 406),
    ];
    for (n, to, event, more, code) in codes {
        assert_eq!(refused(&mut bench, n, to, event, more).status(), Some(code), "{to} {event} {more}");
    }
    // who shows no password is asked for it, whatever he wants
    bench.recv_bytes(OTHER, &request(6_001, "SUBSCRIBE", "1003", "Event: dialog\r\n", "").to_bytes());
    assert_eq!(bench.lines(), ["401 SUBSCRIBE"]);
    assert_eq!(bench.engine.subscriptions(), 0);
}

#[test]
fn waiting_messages_are_told_to_their_owner() {
    let mut bench = Bench::new();
    let (_, first) = up(&mut bench, "1001", "message-summary");
    assert!(text(&first).starts_with("Messages-Waiting: no\r\n"), "{}", text(&first));
    bench.command(SipCommand::Messages { user: user("1001"), waiting: Waiting { new: 2, old: 8 } });
    let told = bench.one();
    assert_eq!(header(&told, HeaderName::ContentType), "application/simple-message-summary");
    let want = "Messages-Waiting: yes\r\nMessage-Account: sip:1001@example.com\r\nVoice-Message: 2/8\r\n";
    assert_eq!(text(&told), want);
}

#[test]
fn a_notify_that_fails_and_an_account_that_is_gone_end_a_subscription() {
    let mut bench = Bench::new();
    let sent = subscribe(&mut bench, 1_004, "1002", "dialog", "");
    bench.recv(PHONE, &reply(&sent[1], 481, "watcher", ""));
    assert_eq!((bench.lines().len(), bench.engine.subscriptions()), (0, 0));
    subscribe(&mut bench, 2_004, "1002", "dialog", "");
    bench.wait(33_000);
    assert_eq!(bench.engine.subscriptions(), 0, "nobody answered");
    bench.take();
    subscribe(&mut bench, 3_004, "1002", "dialog", "");
    let mut changed = snapshot();
    for tenant in changed.tenants.values_mut() {
        tenant.users.remove("1002");
    }
    bench.command(SipCommand::Configure(Box::new(Directory::new(&changed))));
    assert_eq!(header(&bench.one(), HeaderName::SubscriptionState), "terminated;reason=noresource");
    assert_eq!(bench.engine.subscriptions(), 0);
}

#[test]
fn subscriptions_are_bounded_for_an_account_and_over_all() {
    for (own, all, code) in [(2, 10, 403), (10, 2, 503)] {
        let mut bench = Bench::new();
        let mut limited = snapshot();
        limited.limits.flows.account_subscriptions = own;
        limited.limits.flows.subscriptions = all;
        bench.command(SipCommand::Configure(Box::new(Directory::new(&limited))));
        for n in [1_001, 2_001] {
            assert_eq!(subscribe(&mut bench, n, "1002", "dialog", "")[0].status(), Some(200));
        }
        assert_eq!(subscribe(&mut bench, 3_001, "1002", "dialog", "")[0].status(), Some(code));
        assert_eq!(bench.engine.subscriptions(), 2);
    }
}

const TEXT: &str = "Content-Type: text/plain\r\n";

#[test]
fn a_message_goes_to_every_device_and_the_first_who_takes_it_answers() {
    let mut bench = Bench::new();
    register(&mut bench, OTHER, "1002", "<sip:a@10.0.0.1>", "");
    register(&mut bench, "203.0.113.10:5060", "1002", "<sip:b@10.0.0.2>", "");
    let sent = asks(&mut bench, &request(1_001, "MESSAGE", "1002", TEXT, "hello"));
    let lines: Vec<String> = sent.iter().map(|(_, m)| line(m)).collect();
    assert_eq!(lines, ["MESSAGE", "MESSAGE"]);
    assert_eq!(sent[0].0, Flow::udp(addr(SWITCH), addr(OTHER)));
    let (a, b) = (&sent[0].1, &sent[1].1);
    assert_eq!(
        (text(a).as_str(), a.request_uri().unwrap().to_string().as_str()),
        ("hello", "sip:a@10.0.0.1")
    );
    assert!(header(a, HeaderName::From).starts_with("<sip:1001@example.com>;tag="));
    assert_ne!(a.call_id().unwrap(), b.call_id().unwrap());
    bench.recv(OTHER, &reply(a, 486, "x", ""));
    assert_eq!(bench.lines().len(), 0);
    bench.recv("203.0.113.10:5060", &reply(b, 200, "y", ""));
    assert_eq!(bench.lines(), ["200 MESSAGE"]);
    bench.settle();
}

#[test]
fn a_message_that_reaches_nobody_is_refused_honestly() {
    let mut bench = Bench::new();
    let answer = |bench: &mut Bench, n: usize, to: &str, body: &str| {
        let mut sent = asks(bench, &request(n, "MESSAGE", to, TEXT, body));
        assert_eq!(sent.len(), 1);
        sent.remove(0).1
    };
    assert_eq!(answer(&mut bench, 1_001, "1003", "hello").status(), Some(404));
    assert_eq!(answer(&mut bench, 2_001, "1002", "hello").status(), Some(480));
    register(&mut bench, OTHER, "1002", "<sip:a@10.0.0.1>", "");
    assert_eq!(answer(&mut bench, 3_001, "1002", &"x".repeat(1_301)).status(), Some(413));
    for (n, (code, told)) in [(4, (486, 486)), (5, (401, 403)), (6, (404, 404))] {
        let sent = answer(&mut bench, n * 1_000 + 1, "1002", "hello");
        assert_eq!(line(&sent), "MESSAGE");
        bench.recv(OTHER, &reply(&sent, code, "x", ""));
        assert_eq!(bench.one().status(), Some(told));
    }
    // a stranger is asked who he is
    bench.recv_bytes("203.0.113.66:5060", &request(9_001, "MESSAGE", "1002", TEXT, "spam").to_bytes());
    assert_eq!(bench.lines(), ["401 MESSAGE"]);
    bench.settle();
}
