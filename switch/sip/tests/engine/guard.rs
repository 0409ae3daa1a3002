//! Who is heard, who is answered, and how often.

use core::time::Duration;

use cordboard_model::guard::{Bar, BarFault, GuardLimits};
use cordboard_model::time::{Time, Wall};
use cordboard_sip::engine::{Directory, SipCommand, SipOutput};
use cordboard_sip::wire::{HeaderName, Message, parse_datagram};

use crate::auth::{phone, with_credentials};
use crate::bench::{Bench, PHONE, TRUNK, addr, header, invite, our_tag, request, sdp, snapshot};
use crate::registrar::register;

fn guarded(change: impl FnOnce(&mut GuardLimits)) -> Bench {
    let mut bench = Bench::new();
    limit(&mut bench, change);
    bench
}

fn limit(bench: &mut Bench, change: impl FnOnce(&mut GuardLimits)) {
    let mut snapshot = snapshot();
    change(&mut snapshot.limits.guard);
    bench.command(SipCommand::Configure(Box::new(Directory::new(&snapshot))));
}

/// An OPTIONS of a stranger.
fn options(n: usize, more: &str) -> String {
    let text = request("OPTIONS", &format!("z9hG4bKo{n}"), "1 OPTIONS", "", "");
    text.replacen("CSeq", &format!("{more}CSeq"), 1)
}

/// A REGISTER with a wrong password, from an address.
fn guess(bench: &mut Bench, from: &str, n: u32) -> usize {
    let request = phone("REGISTER", n * 10, "1001", "", "");
    bench.recv_bytes(from, &request.to_bytes());
    let Some((_, challenge)) = bench.take().pop() else {
        return 0;
    };
    let again = with_credentials(&request, &challenge, "1001", "guess");
    bench.recv_bytes(from, &again.to_bytes());
    bench.take().len()
}

fn bans(bench: &Bench) -> Vec<String> {
    bench.engine.bans(bench.now).iter().map(|ban| format!("{} {}", ban.source, ban.times)).collect()
}

#[test]
fn a_scanner_gets_no_answer_and_nothing_after_it() {
    let mut bench = Bench::new();
    bench.recv(PHONE, &options(1, "User-Agent: friendly-scanner\n"));
    assert!(bench.take().is_empty());
    assert_eq!(bans(&bench), ["203.0.113.5 1"]);
    let told = |output: &SipOutput| matches!(output, SipOutput::Banned(ban) if ban.why.contains("scanning"));
    assert!(bench.journal.iter().any(told), "{:?}", bench.journal);
    bench.recv(PHONE, &options(2, ""));
    bench.recv(PHONE, "INVITE");
    assert!(bench.take().is_empty());
    assert_eq!(bench.engine.guard_figures().dropped, 3);
    bench.recv("203.0.113.6:5060", &options(3, ""));
    assert_eq!(bench.lines(), ["200 OPTIONS"], "the neighbour is heard");
    bench.wait(60_001);
    bench.recv(PHONE, &options(4, ""));
    assert_eq!(bench.lines(), ["200 OPTIONS"], "a ban ends");
    bench.settle();
}

#[test]
fn guessed_passwords_lead_to_bans_that_double_up_to_the_longest() {
    let mut bench = guarded(|limits| limits.ban_max = Duration::from_secs(240));
    let mut lengths = Vec::new();
    for round in 0..4 {
        let mut tries = 0;
        while guess(&mut bench, PHONE, round * 1_000 + tries) > 0 {
            tries += 1;
            assert!(tries < 30, "no ban");
        }
        assert!((15..=20).contains(&tries), "{tries}");
        let start = bench.now;
        while !bans(&bench).is_empty() {
            bench.wait(1_000);
        }
        lengths.push(bench.now.since(start).as_secs());
    }
    assert_eq!(lengths, [60, 120, 240, 240]);
}

#[test]
fn a_source_that_lies_about_its_address_cuts_off_no_trunk_and_no_device() {
    let mut bench = Bench::new();
    let ok = register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>", "");
    assert_eq!(ok.status(), Some(200));
    for victim in [TRUNK, PHONE] {
        for n in 0..500 {
            bench.recv(victim, "INVITE sip:x SIP/2.0\nVia: nonsense\n\n");
            bench.recv(victim, &options(n, "User-Agent: sipvicious\n"));
            guess(&mut bench, victim, n as u32 + 100);
        }
    }
    bench.take();
    assert_eq!(bans(&bench), Vec::<String>::new());
    bench.wait(2_000);
    bench.up();
    let again = register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>", "");
    assert_eq!(again.status(), Some(200));
}

#[test]
fn an_ipv6_source_is_its_network_of_64_bits() {
    let mut bench = Bench::new();
    bench.recv("[2001:db8:1:2::1]:5060", &options(1, "User-Agent: sipcli/v1.8\n"));
    bench.recv("[2001:db8:1:2:ffff::9]:5070", &options(2, ""));
    assert!(bench.take().is_empty());
    assert_eq!(bans(&bench), ["2001:db8:1:2::/64 1"]);
    bench.recv("[2001:db8:1:3::1]:5060", &options(3, ""));
    assert_eq!(bench.lines(), ["200 OPTIONS"]);
}

#[test]
fn a_ban_is_lifted_by_command_and_does_not_touch_who_is_allowed() {
    let mut bench = guarded(|limits| limits.allow = vec!["203.0.113.8/29".parse().unwrap()]);
    for from in [PHONE, "203.0.113.9:5060"] {
        bench.recv(from, &options(1, "User-Agent: friendly-scanner\n"));
    }
    assert_eq!(bans(&bench), ["203.0.113.5 1"]);
    assert_eq!(bench.lines(), ["200 OPTIONS"], "of the allowed network");
    assert_eq!(lifts(&mut bench, "203.0.113.6"), (false, false));
    assert_eq!(lifts(&mut bench, "203.0.113.5"), (true, false));
    bench.recv(PHONE, &options(2, ""));
    assert_eq!(bench.lines(), ["200 OPTIONS"]);
}

fn lifts(bench: &mut Bench, source: &str) -> (bool, bool) {
    bench.engine.lift_ban(source.parse().unwrap(), bench.now)
}

fn bars(bench: &mut Bench, source: &str, seconds: i64) -> Result<usize, BarFault> {
    let until = Wall(bench.now.since(Time::ZERO).as_millis() as i64 + seconds * 1_000);
    let bar = Bar { source: source.parse().unwrap(), why: "calls Cuba".into(), by: "key ops".into(), until };
    bench.engine.bar(bar, bench.now)
}

#[test]
fn who_is_banned_by_hand_is_not_heard_though_he_has_shown_his_password_until_it_ends_or_is_taken_back() {
    let mut bench = Bench::new();
    assert_eq!(register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>", "").status(), Some(200));
    assert_eq!(bars(&mut bench, "203.0.113.0/24", 600), Ok(1));
    for n in 0..30 {
        bench.recv(PHONE, &options(n, "User-Agent: friendly-scanner\n"));
    }
    assert!(bench.take().is_empty());
    // what is up comes to its end, by who has shown his password and nobody else
    bench.recv(PHONE, &request("BYE", "z9hG4bKb1", "1 BYE", "", ""));
    assert_eq!(bench.lines(), ["481 BYE"]);
    bench.recv(
        "203.0.113.6:5060",
        &request("BYE", "z9hG4bKb2", "1 BYE", "", "").replace("203.0.113.5", "203.0.113.6"),
    );
    assert!(bench.take().is_empty());
    let ban = bench.engine.bans(bench.now).pop().unwrap();
    assert_eq!((ban.dropped, ban.by.as_deref()), (31, Some("key ops")));
    assert_eq!(bans(&bench), ["203.0.113.0/24 1"], "no other ban comes of what is not read");
    // one address of it is not banned by itself
    assert_eq!(lifts(&mut bench, "203.0.113.5"), (false, false));
    assert_eq!(lifts(&mut bench, "203.0.113.0/24"), (true, true));
    bench.recv(PHONE, &options(40, ""));
    assert_eq!(bench.lines(), ["200 OPTIONS"]);
    assert_eq!(bars(&mut bench, "203.0.113.5", 600), Ok(1));
    bench.wait(599_000);
    bench.take();
    bench.recv(PHONE, &options(41, ""));
    assert!(bench.lines().is_empty());
    bench.wait(1_001);
    bench.recv(PHONE, &options(42, ""));
    assert_eq!(bench.lines(), ["200 OPTIONS"], "it ends");
    assert_eq!(bars(&mut bench, "203.0.113.5", -1), Ok(1));
    assert_eq!(bans(&bench), Vec::<String>::new(), "one that was over before it began");
    bench.settle();
}

#[test]
fn no_trunk_and_nobody_who_is_allowed_is_banned_by_hand_and_there_are_so_many() {
    let mut bench = guarded(|limits| limits.allow = vec!["192.0.2.8/29".parse().unwrap()]);
    let trunk = addr(TRUNK).ip();
    for source in [format!("{trunk}"), format!("{trunk}/24")] {
        assert!(matches!(bars(&mut bench, &source, 600), Err(BarFault::Trunk(_))), "{source}");
    }
    for source in ["192.0.2.0/24", "192.0.2.9"] {
        assert!(matches!(bars(&mut bench, source, 600), Err(BarFault::Allowed(_))), "{source}");
    }
    for n in 0..Bar::MAX {
        assert_eq!(bars(&mut bench, &format!("10.1.{}.{}", n / 250, n % 250), 600), Ok(0));
    }
    assert_eq!(bars(&mut bench, "10.2.0.1", 600), Err(BarFault::Full));
    assert_eq!(bars(&mut bench, "10.1.0.0", 6_000), Ok(0), "one of them, for longer");
    bench.wait(600_001);
    assert_eq!(bars(&mut bench, "10.2.0.1", 600), Ok(0), "what has ended makes room");
    assert_eq!(bans(&bench), ["10.1.0.0 1", "10.2.0.1 1"]);
    // who comes to be allowed later is heard at once
    limit(&mut bench, |limits| limits.allow = vec!["10.2.0.0/24".parse().unwrap()]);
    bench.recv("10.2.0.1:5060", &options(1, ""));
    assert_eq!(bench.lines(), ["200 OPTIONS"]);
}

#[test]
fn an_office_whose_phones_all_come_back_at_once_is_not_banned() {
    let mut bench = Bench::new();
    for n in 0..200 {
        let from = format!("203.0.113.5:{}", 10_000 + n);
        let contact = format!("<sip:a@10.0.0.{}>", n % 3);
        let name = if n % 2 == 0 { "1001" } else { "1002" };
        assert_eq!(register(&mut bench, &from, name, &contact, "").status(), Some(200), "{n}");
        bench.wait(50);
    }
    assert_eq!(bans(&bench), Vec::<String>::new());
}

#[test]
fn a_stranger_gets_no_more_than_so_many_answers_a_second() {
    let mut bench = guarded(|limits| {
        limits.answers_per_second = 10;
        limits.offences = 100_000;
    });
    for n in 0..2_000 {
        bench.recv(PHONE, &options(n, ""));
        bench.wait(1);
    }
    let answers = bench.take().len();
    assert!((25..=30).contains(&answers), "{answers}");
    assert_eq!(bench.engine.guard_figures().unanswered as usize, 2_000 - answers);
    bench.up();
}

#[test]
fn no_answer_to_a_stranger_is_much_longer_than_what_he_sent() {
    let mut bench = guarded(|limits| limits.offences = 100_000);
    let mut worst = 0.0_f64;
    for (n, method) in ["OPTIONS", "INVITE", "REGISTER", "BYE", "MESSAGE", "FOO"].into_iter().enumerate() {
        let small = format!(
            "{method} sip:a SIP/2.0\nv: SIP/2.0/UDP a;branch=z9hG4bK{n}\nf: sip:a;tag=1\nt: sip:a\ni: {n}\nCSeq: 1 {method}\n\n"
        );
        bench.recv(PHONE, &small);
        bench.recv(PHONE, &small.replace("CSeq: 1", "CSeq: x"));
        bench.take();
        for answer in core::mem::take(&mut bench.bytes) {
            let sent = small.replace('\n', "\r\n").len();
            worst = worst.max(answer.len() as f64 / sent as f64);
        }
        bench.wait(1_000);
    }
    assert!((1.0..=5.0).contains(&worst), "{worst}");
}

#[test]
fn a_flood_of_many_sources_takes_no_more_memory_than_a_table() {
    let mut bench = guarded(|limits| limits.sources = 256);
    for n in 0..5_000_u32 {
        let from = format!("10.{}.{}.1:5060", n / 250, n % 250);
        bench.recv(&from, &options(n as usize, "User-Agent: sipcli\n"));
        assert!(bench.engine.bans(bench.now).len() <= 256);
    }
    assert_eq!(bench.engine.bans(bench.now).len(), 256);
}

#[test]
fn bans_are_told_of_at_most_every_ten_seconds_and_the_rest_is_counted() {
    let mut bench = Bench::new();
    for n in 0..100 {
        bench.recv(&format!("10.0.0.{n}:5060"), &options(n, "User-Agent: sipcli\n"));
    }
    bench.wait(10_000);
    bench.recv("10.0.1.1:5060", &options(0, "User-Agent: sipcli\n"));
    let others: Vec<u64> = bench
        .journal
        .iter()
        .filter_map(|output| match output {
            SipOutput::Banned(ban) => Some(ban.others),
            _ => None,
        })
        .collect();
    assert_eq!(others, [0, 99]);
}

#[test]
fn beyond_the_calls_of_a_second_a_call_gets_503_and_its_repetition_too() {
    let mut bench = guarded(|limits| limits.calls_per_second = 5);
    let call = |n: u32| invite(&format!("z9hG4bKn{n}"), &sdp(4000)).replace("call-1", &format!("call-n{n}"));
    for n in 0..20 {
        bench.recv(TRUNK, &call(n));
    }
    let lines = bench.lines();
    assert_eq!(lines.iter().filter(|line| *line == "100 INVITE").count(), 5, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| *line == "503 INVITE").count(), 15);
    assert_eq!(bench.engine.sessions(), 5);
    bench.wait(1_000);
    bench.recv(TRUNK, &call(19));
    let again = bench.one();
    assert_eq!(again.status(), Some(503), "its caller has given up");
    assert_eq!(header(&again, HeaderName::RetryAfter), "5");
    bench.recv(TRUNK, &call(20));
    assert_eq!(bench.lines(), ["100 INVITE"]);
    assert_eq!(bench.engine.guard_figures().overload, 16);
}

#[test]
fn when_the_switch_is_behind_new_calls_wait_trunks_later_and_dialogs_never() {
    let mut bench = Bench::new();
    let (_, ok) = bench.up();
    let stranger = parse_datagram(&phone("REGISTER", 1, "1001", "", "").to_bytes()).unwrap();
    let transactions = bench.engine.transactions_len();
    bench.engine.note_delay(Duration::from_millis(201));
    bench.recv_bytes(PHONE, &stranger.to_bytes());
    assert_eq!(bench.lines(), ["503 REGISTER"]);
    bench.engine.note_delay(Duration::from_millis(401));
    bench.recv(TRUNK, &invite("z9hG4bKlate", &sdp(4000)).replace("call-1", "late"));
    assert_eq!(bench.lines(), ["503 INVITE"]);
    assert_eq!(bench.engine.transactions_len(), transactions, "a refusal leaves nothing");
    bench.engine.note_delay(Duration::from_millis(399));
    bench.recv(TRUNK, &invite("z9hG4bKlater", &sdp(4000)).replace("call-1", "later"));
    assert_eq!(bench.lines(), ["100 INVITE"]);
    bench.engine.note_delay(Duration::from_secs(9));
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE"]);
}

#[test]
fn an_account_and_a_called_number_have_calls_of_their_own() {
    let mut bench = guarded(|limits| limits.number_calls = 1);
    let (_, ok) = bench.up();
    let second = invite("z9hG4bKs", &sdp(4000)).replace("call-1", "call-2");
    bench.recv(TRUNK, &second);
    assert_eq!(bench.lines(), ["503 INVITE"]);
    bench.recv(TRUNK, &second.replace("sip:100@192", "sip:101@192").replace("z9hG4bKs", "z9hG4bKt"));
    assert_eq!(bench.lines(), ["100 INVITE"]);
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE"]);
    bench.recv(TRUNK, &second.replace("z9hG4bKs", "z9hG4bKu").replace("call-2", "call-3"));
    assert_eq!(bench.lines(), ["100 INVITE"], "the first call is over");
    assert_eq!(bench.engine.guard_figures().over_limit, 1);

    let mut bench = guarded(|limits| limits.account_calls_per_second = 2);
    let codes: Vec<Option<u16>> = (0..4).map(|n| call_as(&mut bench, n)).collect();
    assert_eq!(codes, [Some(100), Some(100), Some(503), Some(503)]);
    bench.wait(1_000);
    assert_eq!(call_as(&mut bench, 9), Some(100));
}

/// A call of account 1001; the first answer after the challenge.
fn call_as(bench: &mut Bench, n: u32) -> Option<u16> {
    let mut invite = phone("INVITE", 1 + n, "1001", "Content-Type: application/sdp\r\n", &sdp(4000));
    invite.set(HeaderName::CallId, format!("account-{n}"));
    bench.recv_bytes(PHONE, &invite.to_bytes());
    let challenge = bench.one();
    bench.recv_bytes(PHONE, &with_credentials(&invite, &challenge, "1001", "secret").to_bytes());
    bench.one().status()
}

/// What a name, a header list or a body of hostile size and shape leads to: 400 and its like, or silence, and the
/// switch goes on.
#[test]
fn headers_and_bodies_of_hostile_size_are_refused_or_dropped() {
    let mut bench = guarded(|limits| limits.enabled = false);
    let long = "x".repeat(60_000);
    let base = invite("z9hG4bKh", &sdp(4000)).replace("call-1", "hostile");
    let many = "Accept: application/sdp\n".repeat(2_000);
    let nested = (0..1_000).fold(String::new(), |body, n| {
        format!("--b{n}\nContent-Type: multipart/mixed;boundary=b{}\n\n{body}", n + 1)
    });
    let multipart = |body: &str, boundary: &str| {
        base.split("\n\n").next().unwrap().replace("application/sdp", &format!("multipart/mixed{boundary}"))
            + "\n\n"
            + body
    };
    let cases = [
        base.replace("1 INVITE", &format!("{long} INVITE")),
        base.replace("z9hG4bKh", &format!("z9hG4bK{long}")),
        base.replace("tag=far", &format!("tag={long}")),
        base.replace("hostile", &long),
        base.replacen("Max-Forwards", &format!("{many}Max-Forwards"), 1),
        base.replacen("Max-Forwards", &format!("{}Max-Forwards", "a:\n".repeat(5_000)), 1),
        base.replacen("Max-Forwards", &format!("Subject: {long}\nMax-Forwards"), 1),
        multipart("--x--\n", ""),
        multipart("--x", ";boundary=x"),
        multipart(&nested, ";boundary=b0"),
    ];
    for (n, case) in cases.iter().enumerate() {
        bench.recv(PHONE, case);
        bench.recv(
            TRUNK,
            &case.replace("z9hG4bKh", &format!("z9hG4bKh{n}")).replace("hostile", &format!("hostile-{n}")),
        );
        for (_, answer) in bench.take() {
            let code = answer.status().unwrap();
            assert!(matches!(code, 400 | 401 | 413 | 415 | 513), "case {n}: {code}");
        }
        assert_eq!(bench.engine.sessions(), 0, "case {n}");
    }
    let attacks =
        ["a=fmtp:4294967296 0-15\n", "a=fmtp:77 0-15\n", "a=rtpmap:4294967296 x/1\n", "a=fmtp:101\n"];
    for (n, attack) in attacks.into_iter().enumerate() {
        let body = crate::bench::sdp_with(4000, attack);
        let call = invite(&format!("z9hG4bKf{n}"), &body).replace("call-1", &format!("fmtp-{n}"));
        bench.recv(TRUNK, &call);
        let line = bench.lines();
        assert!(matches!(line[0].as_str(), "100 INVITE" | "488 INVITE"), "{attack} {line:?}");
    }
    bench.take_events();
    bench.up();
}

/// What a stranger learns of an account by the answer: nothing.
#[test]
fn accounts_that_exist_and_do_not_answer_alike() {
    let mut bench = guarded(|limits| limits.enabled = false);
    for method in ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE"] {
        for password in ["guess", ""] {
            let [real, unreal] = ["1001", "1999"].map(|name| {
                let request = phone(method, 4, name, "", "");
                bench.recv_bytes(PHONE, &request.to_bytes());
                let first = bench.one();
                if first.status() == Some(401) {
                    let again = with_credentials(&request, &first, name, password);
                    bench.recv_bytes(PHONE, &again.to_bytes());
                    return [first, bench.one()].map(|answer| shape(&answer)).concat();
                }
                shape(&first)
            });
            assert_eq!(real, unreal, "{method}");
        }
    }
}

/// An answer without what differs from request to request.
fn shape(answer: &Message) -> Vec<String> {
    let lines = answer.headers.iter().map(|header| match header.name() {
        HeaderName::WwwAuthenticate => format!("challenge of {} bytes", header.value().len()),
        HeaderName::From | HeaderName::To => header.name().to_string(),
        name => format!("{name}: {}", header.value()),
    });
    [format!("{:?}", answer.status())].into_iter().chain(lines).collect()
}
