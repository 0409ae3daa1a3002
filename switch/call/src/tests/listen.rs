//! A program that the API has listen to a call.

use super::rig::*;
use crate::*;
use cordboard_model::cause::Cause;
use cordboard_model::leg::LegEvent;
use cordboard_model::stream::{StreamCommand, StreamEnd, StreamWay};
use cordboard_model::verb::Verb;
use std::collections::BTreeMap;

fn listen(rig: &mut Rig, way: StreamWay) -> Result<(), ListenRefusal> {
    let url = "wss://bot.example/a".into();
    let asked = ListenAsked { url, parameters: BTreeMap::new(), way, by: "key desk".into() };
    let done = rig.engine.listen(rig.call, Some(asked), rig.now);
    rig.drain();
    done
}

fn no_more(rig: &mut Rig) -> Result<(), ListenRefusal> {
    let done = rig.engine.listen(rig.call, None, rig.now);
    rig.drain();
    done
}

#[test]
fn a_program_hears_a_talk_from_its_first_word_to_its_last_and_only_while_it_is_wanted() {
    let mut rig = Rig::in_flow();
    rig.said();
    assert_eq!(no_more(&mut rig), Err(ListenRefusal::None));
    assert_eq!(listen(&mut rig, StreamWay::Both), Ok(()));
    assert_eq!(listen(&mut rig, StreamWay::Both), Err(ListenRefusal::UnderWay));
    rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: String::new(),
        staffed: false,
        wish: None,
    });
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Answered);
    assert_eq!(no_more(&mut rig), Ok(()));
    assert_eq!(listen(&mut rig, StreamWay::Outbound), Ok(()));
    rig.hangs_up(leg, Cause::Normal, None);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    rig.nothing_left();
}

#[test]
fn a_program_that_leaves_or_never_came_is_an_event_and_the_call_goes_on() {
    let (mut rig, agent_leg) = Rig::talking();
    assert_eq!(listen(&mut rig, StreamWay::Inbound), Ok(()));
    let of = |output: &CallOutput| match output {
        CallOutput::Stream(StreamCommand::Open(opening)) => Some(opening.stream),
        _ => None,
    };
    let stream = rig.outputs.iter().find_map(of).expect("it was opened");
    rig.said();
    let (call, outcome) = (rig.call, StreamEnd::Unreachable.into());
    rig.tell(CallInput::StreamEnded { call, stream, outcome });
    insta::assert_snapshot!(rig.said());
    assert_eq!(listen(&mut rig, StreamWay::Inbound), Ok(()), "another may be tried");
    rig.hangs_up(agent_leg, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(listen(&mut rig, StreamWay::Inbound), Err(ListenRefusal::NotFound));
}
