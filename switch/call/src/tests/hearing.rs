//! Entries that may be spoken: a recogniser beside the keys.

use super::rig::*;
use crate::*;
use cordboard_model::id::StreamId;
use cordboard_model::media::MediaCommand;
use cordboard_model::stream::{StreamCommand, StreamEnd, StreamOutcome, StreamWay};
use cordboard_model::verb::{CollectEnd, Ear, Verb, VerbAnswer};

fn entry() -> Verb {
    let ear = Ear { url: "ws://recogniser/".into(), parameters: Default::default() };
    Verb::Collect {
        prompt: vec![asset("prompt")],
        min: 1,
        max: 2,
        terminators: String::new(),
        first_timeout_ms: 5_000,
        inter_timeout_ms: 3_000,
        patterns: Vec::new(),
        strict: true,
        secret: false,
        ear: Some(Box::new(ear)),
    }
}

/// The streams that were opened, and those that were closed by us.
fn streams(rig: &Rig) -> (Vec<StreamId>, Vec<StreamId>) {
    let (mut opened, mut closed) = (Vec::new(), Vec::new());
    for output in &rig.outputs {
        match output {
            CallOutput::Stream(StreamCommand::Open(opening)) => {
                assert_eq!(opening.way, StreamWay::Inbound, "it is not heard");
                opened.push(opening.stream);
            }
            CallOutput::Stream(StreamCommand::Close { stream }) => closed.push(*stream),
            _ => {}
        }
    }
    (opened, closed)
}

/// How many taps there are on legs.
fn taps(rig: &Rig) -> (usize, usize) {
    let count = |is: fn(&MediaCommand) -> bool| {
        rig.outputs
            .iter()
            .filter(|output| matches!(output, CallOutput::Media(command) if is(command)))
            .count()
    };
    (
        count(|command| matches!(command, MediaCommand::Listen { .. })),
        count(|command| matches!(command, MediaCommand::StopLive { .. })),
    )
}

fn ends(rig: &mut Rig, stream: StreamId, end: StreamEnd, result: Option<&str>) {
    let call = rig.call;
    let outcome = StreamOutcome { end, result: result.map(str::to_owned), confidence: Some(80) };
    rig.tell(CallInput::StreamEnded { call, stream, outcome });
}

#[test]
fn what_is_said_before_a_key_is_the_answer_and_a_key_ends_the_hearing() {
    let mut rig = Rig::in_flow();
    let said = rig.verb(entry());
    let stream = streams(&rig).0[0];
    assert!(rig.plays(rig.caller));
    ends(&mut rig, stream, StreamEnd::Closed, Some("one two"));
    let answer = VerbAnswer::Said { words: "one two".into(), confidence: Some(80) };
    assert_eq!(rig.answer_to(said), Some(answer));
    assert!(!rig.plays(rig.caller), "the prompt is cut");
    let pressed = rig.verb(entry());
    let stream = streams(&rig).0[1];
    rig.keys("4");
    assert_eq!(streams(&rig).1, [stream]);
    ends(&mut rig, stream, StreamEnd::Closed, Some("one two"));
    assert_eq!(rig.answer_to(pressed), None, "what was said after the key counts no more");
    rig.keys("2");
    let digits = VerbAnswer::Digits { digits: "42".into(), end: CollectEnd::Max };
    assert_eq!(rig.answer_to(pressed), Some(digits));
    assert_eq!(taps(&rig), (2, 2));
}

#[test]
fn a_recogniser_that_is_not_there_leaves_the_keys() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(entry());
    let stream = streams(&rig).0[0];
    ends(&mut rig, stream, StreamEnd::Unreachable, None);
    assert!(rig.plays(rig.caller), "the prompt goes on");
    assert_eq!(rig.answer_to(ticket), None);
    rig.keys("42");
    assert!(matches!(rig.answer_to(ticket), Some(VerbAnswer::Digits { .. })));
    // Typed ahead, nobody need be asked.
    rig.keys("17");
    rig.verb(entry());
    assert_eq!(streams(&rig).0.len(), 1);
    let silent = rig.verb(entry());
    let stream = streams(&rig).0[1];
    rig.play_ends(rig.caller);
    rig.after(5_000);
    let nothing = VerbAnswer::Digits { digits: String::new(), end: CollectEnd::Timeout };
    assert_eq!((rig.answer_to(silent), streams(&rig).1), (Some(nothing), vec![stream]));
    // A caller who hangs up takes the recogniser along.
    rig.verb(entry());
    rig.hangs_up(rig.caller, cordboard_model::cause::Cause::Normal, None);
    assert_eq!((streams(&rig).1.len(), taps(&rig)), (2, (3, 3)));
    rig.nothing_left();
}
