//! The end: order, figures, deadlines, force.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::leg::LegEvent;
use cordboard_model::media::{LegStats, MediaEvent};
use cordboard_model::verb::{Destination, Verb};

#[test]
fn the_record_waits_for_figures_and_the_last_leg_for_the_record() {
    let (mut rig, leg) = Rig::talking();
    rig.media = false;
    rig.hangs_up(rig.caller, Cause::Normal, None);
    let said = rig.said();
    assert!(said.contains("media: close 1001") && !said.contains("1001: HangUp"), "{said}");
    for (leg, received) in [(rig.caller, 7), (leg, 8)] {
        let stats = LegStats { received, ..LegStats::default() };
        rig.tell(CallInput::Media(MediaEvent::Closed { leg, stats }));
    }
    insta::assert_snapshot!(rig.said());
    let figures: Vec<_> = rig.cdr().legs.iter().map(|leg| leg.stats.received).collect();
    assert_eq!(figures, [7, 8]);
}

#[test]
fn figures_that_do_not_come_are_not_waited_for_longer_than_the_limit() {
    let (mut rig, _) = Rig::talking();
    rig.media = false;
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.after(199);
    assert!(!rig.said().contains("CLOSING"));
    rig.after(1);
    assert!(rig.said().contains("CLOSING"));
    assert_eq!(rig.cdr().legs[0].stats, LegStats::default());
}

#[test]
fn a_call_that_nobody_lets_go_is_forgotten_by_force_with_an_alarm() {
    let (mut rig, _) = Rig::talking();
    rig.media = false;
    rig.phones = false;
    rig.command(CallCommand::HangUp { call: rig.call, cause: Cause::Administrative, by: Party::Operator });
    rig.after(4_999);
    assert_eq!((rig.alarms(), rig.engine.len()), (0, 1));
    rig.after(1);
    assert_eq!(rig.alarms(), 1);
    assert_eq!(rig.ended(), (Cause::Administrative, Party::Operator));
    rig.nothing_left();
}

#[test]
fn a_call_waits_for_its_recording_before_it_is_forgotten() {
    let (mut rig, _) = Rig::talking();
    rig.media = false;
    rig.hangs_up(rig.caller, Cause::Normal, None);
    let recording = rig.outputs.iter().find_map(|output| match output {
        CallOutput::Media(cordboard_model::media::MediaCommand::Record { recording, .. }) => Some(*recording),
        _ => None,
    });
    let recording = recording.unwrap();
    for leg in [rig.caller, rig.leg_of("1001")] {
        let stats = LegStats::default();
        rig.tell(CallInput::Media(MediaEvent::Closed { leg, stats }));
    }
    assert!(!rig.said().contains("FORGOTTEN"));
    let closed = MediaEvent::RecordingClosed { recording, length_ms: 42, dropped_ms: 0 };
    rig.tell(CallInput::Media(closed.clone()));
    rig.tell(CallInput::Media(closed));
    insta::assert_snapshot!(rig.said());
    rig.nothing_left();
}

#[test]
fn the_longest_call_ends() {
    let (mut rig, _) = Rig::talking();
    rig.after(4 * 3_600_000);
    assert_eq!(rig.ended(), (Cause::MaxDuration, Party::Switch));
    rig.nothing_left();
}

#[test]
fn the_first_decision_stands() {
    let (mut rig, leg) = Rig::talking();
    rig.media = false;
    rig.hangs_up(leg, Cause::Normal, None);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.command(CallCommand::HangUpAll(Cause::Shutdown));
    rig.after(5_000);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
}

#[test]
fn a_shutdown_ends_every_call() {
    let mut rig = Rig::waiting();
    rig.command(CallCommand::HangUpAll(Cause::Shutdown));
    assert_eq!(rig.ended(), (Cause::Shutdown, Party::Switch));
    assert_eq!(rig.cdr().queues[0].outcome, "ended");
    rig.nothing_left();
}

#[test]
fn a_fault_in_any_state_ends_the_call_with_a_record_and_without_waiting() {
    let states: [fn() -> Rig; 6] = [
        || {
            let mut rig = Rig::new();
            rig.incoming();
            rig
        },
        || Rig::routed(Destination::User(user("bob"))),
        Rig::in_flow,
        Rig::waiting,
        || {
            let mut rig = Rig::waiting();
            rig.offer("1001");
            rig
        },
        || Rig::talking().0,
    ];
    for state in states {
        let mut rig = state();
        rig.said();
        let call = rig.call;
        rig.command(CallCommand::Abort { call });
        assert_eq!(rig.ended(), (Cause::InternalError, Party::Switch));
        assert_eq!(rig.alarms(), 1);
        let said = rig.said();
        let closing = said.find("CLOSING").unwrap();
        assert!(said.find("alice: HangUp").unwrap() > closing, "{said}");
        rig.nothing_left();
    }
}

#[test]
fn a_fault_during_the_end_overrules_it_as_long_as_there_is_no_record() {
    let (mut rig, _) = Rig::talking();
    rig.media = false;
    rig.phones = false;
    rig.hangs_up(rig.caller, Cause::Normal, None);
    let call = rig.call;
    rig.command(CallCommand::Abort { call });
    rig.command(CallCommand::Abort { call });
    assert_eq!(rig.ended(), (Cause::InternalError, Party::Switch));
    rig.after(5_000);
    rig.nothing_left();
}

#[test]
fn inputs_about_what_is_gone_are_absorbed() {
    let (mut rig, leg) = Rig::talking();
    rig.hangs_up(leg, Cause::Normal, None);
    rig.nothing_left();
    rig.said();
    let (call, caller) = (rig.call, rig.caller);
    rig.leg(caller, LegEvent::Answered);
    rig.hangs_up(caller, Cause::Normal, None);
    rig.route(Destination::User(user("bob")));
    rig.verb(Verb::Answer);
    rig.music();
    rig.tell(CallInput::OfferWithdrawn { call, agent: agent("1001"), elsewhere: false });
    rig.command(CallCommand::Abort { call });
    rig.command(CallCommand::Hold { leg });
    assert_eq!(rig.said(), "");
    rig.nothing_left();
}

#[test]
fn a_second_word_about_a_new_call_is_absorbed() {
    let mut rig = Rig::new();
    rig.incoming();
    rig.said();
    rig.incoming();
    assert_eq!(rig.said(), "");
    assert_eq!(rig.engine.len(), 1);
}

#[test]
fn every_wake_up_has_its_reason() {
    let mut rig = Rig::new();
    rig.media = false;
    rig.incoming();
    assert_eq!(rig.engine.poll_timeout().unwrap().1.0, "leg does not move");
    let mut rig = Rig::waiting();
    assert_eq!(rig.engine.poll_timeout().unwrap().1.0, "longest call");
    rig.offer("1001");
    assert_eq!(rig.engine.poll_timeout().unwrap().1.0, "nobody answers");
}
