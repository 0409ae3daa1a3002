//! The rules of RFC 3261 10.3.

use cordboard_model::time::{Wall, WallClock};
use cordboard_sip::engine::{Directory, SipCommand, SipOutput};
use cordboard_sip::wire::{HeaderName, Message, NameAddr, parse_datagram};

use crate::auth::with_credentials;
use crate::bench::{Bench, PHONE, header, snapshot, user};

/// Registers with one Contact value ("" for none) from an address; `more` are whole header lines.
#[track_caller]
pub fn register(bench: &mut Bench, from: &str, name: &str, contact: &str, more: &str) -> Message {
    // the CSeq of a phone grows with every REGISTER: derived from the count of bytes sent so far
    let seq = 10 + bench.bytes.len() as u32 * 3;
    register_as(bench, from, name, contact, more, &format!("reg-{from}"), seq)
}

#[track_caller]
pub fn register_as(
    bench: &mut Bench,
    from: &str,
    name: &str,
    contact: &str,
    more: &str,
    call_id: &str,
    seq: u32,
) -> Message {
    let contact = match contact {
        "" => String::new(),
        contact => format!("Contact: {contact}\r\n"),
    };
    let branch = format!("z9hG4bKr{}", bench.bytes.len());
    let text = format!(
        "REGISTER sip:example.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP {from};rport;branch={branch}\r\n\
         From: <sip:{name}@example.com>;tag=r\r\n\
         To: <sip:{name}@example.com>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: {seq} REGISTER\r\n\
         User-Agent: Desk/1\r\n\
         {contact}{more}\r\n"
    );
    let request = parse_datagram(text.as_bytes()).unwrap();
    bench.recv_bytes(from, &request.to_bytes());
    let challenge = bench.one();
    if challenge.status() != Some(401) {
        return challenge;
    }
    let again = with_credentials(&request, &challenge, name, "secret");
    bench.recv_bytes(from, &again.to_bytes());
    bench.one()
}

fn contacts(response: &Message) -> Vec<String> {
    let list = response.contacts().unwrap();
    let text = |c: &NameAddr| format!("{} {}", c.uri, c.expires().unwrap());
    list.iter().map(text).collect()
}

#[test]
fn contacts_are_listed_with_the_time_they_got() {
    let mut bench = Bench::new();
    let ok = register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>;expires=120;q=0.5", "");
    assert_eq!(contacts(&ok), ["sip:a@10.0.0.1 120"]);
    bench.wait(20_000);
    let ok = register(&mut bench, PHONE, "1001", "<sip:b@10.0.0.1>", "Expires: 99999\r\n");
    assert_eq!(contacts(&ok), ["sip:b@10.0.0.1 3600", "sip:a@10.0.0.1 100"], "by q, then by time");
    let fetched = register(&mut bench, PHONE, "1001", "", "");
    assert_eq!(contacts(&fetched).len(), 2);
    let view = bench.engine.contacts(&user("1001"));
    assert_eq!(view[0].uri, "sip:b@10.0.0.1");
    assert_eq!(view[0].flow, format!("udp:{PHONE}"));
    assert_eq!(view[0].user_agent, "Desk/1");
    let journalled = |o: &SipOutput| matches!(o, SipOutput::Registered(_));
    assert_eq!(bench.journal.iter().filter(|o| journalled(o)).count(), 2);
}

#[test]
fn a_contact_ends_at_its_time_and_a_refreshed_one_later() {
    let mut bench = Bench::new();
    register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>;expires=60", "");
    bench.wait(50_000);
    register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>;expires=60", "");
    bench.wait(50_000);
    assert_eq!(bench.engine.contact_count(&user("1001")), 1);
    bench.journal.clear();
    bench.wait(10_001);
    assert_eq!(bench.engine.contact_count(&user("1001")), 0);
    let gone = SipOutput::Unregistered { user: user("1001"), uri: "sip:a@10.0.0.1".into() };
    assert_eq!(bench.journal, [gone]);
    bench.settle();
}

#[test]
fn zero_removes_one_and_a_star_removes_all() {
    let mut bench = Bench::new();
    for name in ["a", "b", "c"] {
        register(&mut bench, PHONE, "1001", &format!("<sip:{name}@10.0.0.1>"), "");
    }
    let ok = register(&mut bench, PHONE, "1001", "<sip:b@10.0.0.1>;expires=0", "");
    assert_eq!(contacts(&ok).len(), 2);
    let wrong = register(&mut bench, PHONE, "1001", "*", "Expires: 60\r\n");
    assert_eq!(wrong.status(), Some(400));
    let wrong = register(&mut bench, PHONE, "1001", "*", "Expires: 0\r\nContact: <sip:x@10.0.0.1>\r\n");
    assert_eq!(wrong.status(), Some(400));
    assert_eq!(bench.engine.contact_count(&user("1001")), 2);
    let ok = register(&mut bench, PHONE, "1001", "*", "Expires: 0\r\n");
    assert_eq!((ok.status(), contacts(&ok).len()), (Some(200), 0));
    bench.settle();
}

#[test]
fn too_brief_is_423_and_says_the_least() {
    let mut bench = Bench::new();
    let brief = register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>;expires=59", "");
    assert_eq!(brief.status(), Some(423));
    assert_eq!(header(&brief, HeaderName::MinExpires), "60");
    assert_eq!(bench.engine.contacts_total(), 0);
}

#[test]
fn an_old_cseq_of_the_same_call_id_changes_nothing() {
    let mut bench = Bench::new();
    let a = "<sip:a@10.0.0.1>";
    let ok = register_as(&mut bench, PHONE, "1001", a, "", "one", 50);
    assert_eq!(ok.status(), Some(200));
    let old = register_as(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>;expires=0", "", "one", 40);
    assert_eq!(old.status(), Some(500));
    assert_eq!(bench.engine.contact_count(&user("1001")), 1);
    let other = register_as(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>;expires=0", "", "two", 1);
    assert_eq!(other.status(), Some(200));
    assert_eq!(bench.engine.contact_count(&user("1001")), 0);
}

#[test]
fn one_bad_contact_spoils_the_whole_request() {
    let mut bench = Bench::new();
    for (second, code) in [("<mailto:a@example.com>", 400), ("<sip:b@10.0.0.1>;expires=5", 423)] {
        let both = format!("<sip:a@10.0.0.1>, {second}");
        let answer = register(&mut bench, PHONE, "1001", &both, "");
        assert_eq!(answer.status(), Some(code));
        assert_eq!(bench.engine.contacts_total(), 0);
    }
}

#[test]
fn an_account_has_so_many_contacts_and_may_always_refresh() {
    let mut bench = Bench::new();
    for name in ["a", "b", "c"] {
        register(&mut bench, PHONE, "1001", &format!("<sip:{name}@10.0.0.1>"), "");
    }
    let full = register(&mut bench, PHONE, "1001", "<sip:d@10.0.0.1>", "");
    assert_eq!(full.status(), Some(403));
    let same = register(&mut bench, PHONE, "1001", "<sip:c@10.0.0.1>", "");
    assert_eq!(same.status(), Some(200));
    let swap = "<sip:a@10.0.0.1>;expires=0, <sip:d@10.0.0.1>";
    assert_eq!(register(&mut bench, PHONE, "1001", swap, "").status(), Some(200));
    assert_eq!(bench.engine.contact_count(&user("1001")), 3);
}

#[test]
fn escaped_characters_make_different_contacts() {
    let mut bench = Bench::new();
    let two = "<sip:%00@10.0.0.1>, <sip:%00%00@10.0.0.1>";
    let ok = register(&mut bench, PHONE, "1001", two, "");
    assert_eq!(contacts(&ok).len(), 2);
    let same = register(&mut bench, PHONE, "1001", "<sip:%61@10.0.0.1>", "");
    assert_eq!(contacts(&same).len(), 3);
    let same = register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>", "");
    assert_eq!(contacts(&same).len(), 3);
}

#[test]
fn contacts_come_back_from_the_journal_until_their_date() {
    let mut bench = Bench::new();
    let clock = WallClock { at_zero: Wall(1_000_000) };
    bench.command(SipCommand::SetClock(clock));
    register(
        &mut bench,
        PHONE,
        "1001",
        "<sip:a@10.0.0.1>;expires=100;q=0.3",
        "Path: <sip:198.51.100.1;lr>\r\n",
    );
    let Some(SipOutput::Registered(record)) = bench.journal.first().cloned() else {
        panic!();
    };
    let mut fresh = Bench::new();
    fresh.command(SipCommand::SetClock(WallClock { at_zero: Wall(1_050_000) }));
    fresh.command(SipCommand::RestoreContact(record.clone()));
    assert_eq!(fresh.engine.contacts(&user("1001")), bench.engine.contacts(&user("1001")));
    fresh.wait(51_000);
    assert_eq!(fresh.engine.contacts_total(), 0);
    let mut late = Bench::new();
    late.command(SipCommand::SetClock(WallClock { at_zero: Wall(2_000_000) }));
    late.command(SipCommand::RestoreContact(record));
    assert_eq!(late.engine.contacts_total(), 0);
}

#[test]
fn an_account_that_a_reload_removes_loses_its_contacts() {
    let mut bench = Bench::new();
    register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>", "");
    register(&mut bench, PHONE, "1002", "<sip:b@10.0.0.1>", "");
    let mut changed = snapshot();
    for tenant in changed.tenants.values_mut() {
        tenant.users.remove("1001");
    }
    bench.journal.clear();
    bench.command(SipCommand::Configure(Box::new(Directory::new(&changed))));
    assert_eq!(bench.engine.contacts_total(), 1);
    assert!(matches!(&bench.journal[..], [SipOutput::Unregistered { user: u, .. }] if *u == user("1001")));
}
