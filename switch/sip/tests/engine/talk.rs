//! A phone that rings is told to answer, if it says that it can be told.

use cordboard_model::cause::Cause;
use cordboard_sip::engine::SipCommand;
use cordboard_sip::wire::{HeaderName, Message};

use crate::bench::{Bench, TRUNK, header, line, reply, sdp};

/// A ringing phone that announces these events.
fn rings(invite: &Message, events: &str) -> String {
    reply(invite, 180, "far", "").replace("CSeq:", &format!("Allow-Events: {events}\r\nCSeq:"))
}

#[test]
fn a_phone_that_announces_talk_is_told_to_answer_within_its_early_dialog() {
    let mut bench = Bench::new();
    let (session, invite) = bench.dial();
    let seq = invite.cseq().unwrap().seq;
    assert!(!bench.engine.can_be_told(session), "nothing rings yet");
    bench.recv(TRUNK, &rings(&invite, "refer, Talk,hold"));
    assert!(bench.engine.can_be_told(session));
    bench.command(SipCommand::Talk { session });
    let notify = bench.one();
    assert_eq!((line(&notify).as_str(), header(&notify, HeaderName::Event).as_str()), ("NOTIFY", "talk"));
    assert!(header(&notify, HeaderName::To).ends_with(";tag=far"));
    assert_eq!(notify.cseq().unwrap().seq, seq + 1);
    bench.recv(TRUNK, &reply(&notify, 200, "far", ""));
    bench.recv(TRUNK, &reply(&invite, 200, "far", &sdp(4000)));
    assert_eq!(bench.told(), ["Ringing", "Answered", "DialogUp"]);
    bench.one();
    assert!(!bench.engine.can_be_told(session), "it is answered");
    bench.command(SipCommand::Talk { session });
    bench.hang_up(session, Cause::Normal);
    let bye = bench.one();
    assert_eq!(bye.cseq().unwrap().seq, seq + 2, "the number of the NOTIFY is not used twice");
    bench.recv(TRUNK, &reply(&bye, 200, "far", ""));
    bench.settle();
}

#[test]
fn a_phone_that_announces_nothing_is_not_told_and_one_that_refuses_rings_on() {
    let mut bench = Bench::new();
    let (session, invite) = bench.dial();
    bench.recv(TRUNK, &rings(&invite, "talkative, refer"));
    bench.command(SipCommand::Talk { session });
    assert_eq!(bench.lines(), [""; 0]);
    assert!(!bench.engine.can_be_told(session));
    bench.recv(TRUNK, &rings(&invite, "talk"));
    bench.command(SipCommand::Talk { session });
    let notify = bench.one();
    bench.recv(TRUNK, &reply(&notify, 489, "far", ""));
    assert_eq!(bench.told(), ["Ringing"]);
    bench.hang_up(session, Cause::Cancelled);
    let cancel = bench.one();
    assert_eq!(line(&cancel), "CANCEL");
    bench.recv(TRUNK, &reply(&cancel, 200, "far", ""));
    bench.recv(TRUNK, &reply(&invite, 487, "far", ""));
    bench.take();
    bench.wait(40_000);
    bench.settle();
}
