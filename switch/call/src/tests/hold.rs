//! Hold from either side and by command.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::id::TenantId;
use cordboard_model::leg::LegEvent;
use cordboard_model::media::{AudioNews, MediaEvent};
use cordboard_model::view::Unheard;

#[test]
fn the_agent_holds_and_retrieves() {
    let (mut rig, leg) = Rig::talking();
    rig.leg(leg, LegEvent::PeerHold { on: true });
    rig.leg(leg, LegEvent::PeerHold { on: true });
    rig.leg(leg, LegEvent::PeerHold { on: false });
    rig.leg(leg, LegEvent::PeerHold { on: false });
    insta::assert_snapshot!(rig.said());
}

#[test]
fn both_hold_and_each_hears_music_until_the_other_retrieves() {
    let (mut rig, leg) = Rig::talking();
    rig.leg(leg, LegEvent::PeerHold { on: true });
    rig.leg(rig.caller, LegEvent::PeerHold { on: true });
    assert!(rig.plays(rig.caller) && rig.plays(leg));
    rig.leg(leg, LegEvent::PeerHold { on: false });
    assert!(!rig.plays(rig.caller) && rig.plays(leg));
    rig.leg(rig.caller, LegEvent::PeerHold { on: false });
    assert!(!rig.plays(rig.caller) && !rig.plays(leg));
}

#[test]
fn a_held_leg_may_be_silent_and_any_other_may_not() {
    let (mut rig, leg) = Rig::talking();
    rig.leg(leg, LegEvent::PeerHold { on: true });
    rig.tell(CallInput::Media(MediaEvent::Silent { leg }));
    assert_eq!(rig.engine.len(), 1);
    rig.leg(leg, LegEvent::PeerHold { on: false });
    rig.tell(CallInput::Media(MediaEvent::Silent { leg }));
    assert_eq!(rig.ended(), (Cause::MediaTimeout, Party::Switch));
    rig.nothing_left();
}

#[test]
fn readers_are_told_of_a_party_that_is_not_heard_and_that_it_is_again() {
    let (mut rig, leg) = Rig::talking();
    for news in [AudioNews::OneWay, AudioNews::Late { packets: 9, by_ms: 280 }, AudioNews::Back] {
        rig.tell(CallInput::Media(MediaEvent::Audio { leg, news }));
        let expected = if news == AudioNews::Back { None } else { Some(Unheard::OneWay) };
        let call = rig.engine.calls(TenantId::DEFAULT).remove(0);
        let view = call.legs.iter().find(|view| view.leg == leg).unwrap();
        assert_eq!(view.unheard, expected, "{news:?}");
    }
    insta::assert_snapshot!(rig.said());
}

#[test]
fn a_leg_held_by_command_hears_music_itself() {
    let (mut rig, _) = Rig::talking();
    let leg = rig.caller;
    rig.command(CallCommand::Hold { leg });
    rig.command(CallCommand::Hold { leg });
    rig.command(CallCommand::Retrieve { leg });
    insta::assert_snapshot!(rig.said());
}

#[test]
fn the_last_of_several_hold_commands_counts_and_only_one_is_under_way() {
    let (mut rig, _) = Rig::talking();
    let leg = rig.caller;
    rig.phones = false;
    rig.command(CallCommand::Hold { leg });
    rig.command(CallCommand::Retrieve { leg });
    assert_eq!(rig.said(), "alice: Hold { on: true }");
    rig.leg(leg, LegEvent::HoldDone { on: true, ok: true });
    assert!(rig.said().ends_with("alice: Hold { on: false }"));
    rig.leg(leg, LegEvent::HoldDone { on: false, ok: true });
    assert!(!rig.plays(leg));
}

#[test]
fn a_refused_or_unanswered_hold_changes_nothing() {
    let (mut rig, _) = Rig::talking();
    let leg = rig.caller;
    rig.phones = false;
    rig.command(CallCommand::Hold { leg });
    rig.leg(leg, LegEvent::HoldDone { on: true, ok: false });
    rig.command(CallCommand::Hold { leg });
    assert_eq!(rig.said(), "alice: Hold { on: true }\nalice: Hold { on: true }");
    rig.after(35_000);
    assert_eq!(rig.said(), "");
    assert!(!rig.plays(leg));
    rig.leg(leg, LegEvent::HoldDone { on: true, ok: true });
    assert!(!rig.plays(leg), "an answer to a hold that was given up");
}

#[test]
fn a_tenants_hold_music_goes_before_the_queues() {
    let mut config = CallConfig::new(1, 0);
    config.hold_items.insert(TENANT, vec![asset("hold")]);
    let (mut rig, leg) = Rig::talking();
    rig.command(CallCommand::Configure(Box::new(config)));
    rig.leg(leg, LegEvent::PeerHold { on: true });
    assert!(rig.said().contains("play to alice: hold for ever"));
}

#[test]
fn one_who_held_before_the_answer_is_met_with_music_for_the_other() {
    let mut rig = Rig::waiting();
    rig.leg(rig.caller, LegEvent::PeerHold { on: true });
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Answered);
    assert!(rig.plays(leg));
    assert!(!rig.plays(rig.caller));
}
