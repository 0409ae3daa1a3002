//! Conferences that flows begin: who is joined when, and how each of them may end.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::conference::{Attended, Conference, ConferenceEnd};
use cordboard_model::dial::Dial;
use cordboard_model::id::LegId;
use cordboard_model::leg::LegEvent;
use cordboard_model::media::MediaCommand;
use cordboard_model::verb::{Destination, Verb, VerbAnswer};

fn of(names: &[&str]) -> Conference {
    let ways = names.iter().flat_map(|name| Dial::one(Destination::User(user(name))).ways).collect();
    Conference { ways, music: vec![asset("music")], talk_ms: None, without_caller: false }
}

fn confer(conference: Conference) -> Verb {
    Verb::Conference(Box::new(conference))
}

fn came(who: &str, seconds: u64, cause: Cause) -> Attended {
    Attended { who: who.into(), joined_ms: Some(seconds * 1_000), cause }
}

fn missed(who: &str, cause: Cause) -> Attended {
    Attended { who: who.into(), joined_ms: None, cause }
}

/// Whom media was told last to mix: each with how many he hears.
fn mix(rig: &Rig) -> Vec<(LegId, u32)> {
    let told = rig.outputs.iter().rev().find_map(|output| match output {
        CallOutput::Media(MediaCommand::Mix { members, .. }) => Some(members.clone()),
        _ => None,
    });
    told.unwrap_or_default().iter().map(|member| (member.leg, member.hears.count_ones())).collect()
}

#[test]
fn each_who_answers_is_joined_and_the_flow_hears_what_became_of_all() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(confer(of(&["anna", "bert", "carl"])));
    assert!(rig.plays(rig.caller), "music while he is alone");
    let (anna, bert, carl) = (rig.leg_of("anna"), rig.leg_of("bert"), rig.leg_of("carl"));
    rig.leg(anna, LegEvent::Ringing);
    rig.leg(anna, LegEvent::Answered);
    assert!(!rig.plays(rig.caller));
    rig.after(1_000);
    rig.leg(bert, LegEvent::Answered);
    rig.hangs_up(carl, Cause::Busy, Some(486));
    insta::assert_snapshot!(rig.said());
    assert_eq!(mix(&rig), [(rig.caller, 2), (anna, 2), (bert, 2)]);
    rig.after(2_000);
    rig.hangs_up(anna, Cause::Normal, None);
    assert_eq!(rig.answer_to(ticket), None, "two are left");
    rig.after(3_000);
    rig.hangs_up(bert, Cause::Normal, None);
    let parties =
        vec![came("anna", 3, Cause::Normal), came("bert", 5, Cause::Normal), missed("carl", Cause::Busy)];
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Conferred { end: ConferenceEnd::Ended, parties }));
    rig.verb(Verb::HangUp { cause: Cause::Normal });
    rig.nothing_left();
}

#[test]
fn a_caller_who_is_alone_while_others_ring_hears_his_music_and_is_joined_again() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(confer(of(&["anna", "bert"])));
    let (anna, bert) = (rig.leg_of("anna"), rig.leg_of("bert"));
    rig.leg(bert, LegEvent::Ringing);
    rig.leg(anna, LegEvent::Answered);
    rig.said();
    rig.hangs_up(anna, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    assert!(rig.plays(rig.caller));
    assert_eq!(rig.answer_to(ticket), None);
    rig.leg(bert, LegEvent::Answered);
    assert!(!rig.plays(rig.caller));
    assert!(rig.said().contains("bridge alice and bert"));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    rig.nothing_left();
}

#[test]
fn a_conference_to_which_nobody_comes_says_why() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(confer(of(&["anna", "bert"])));
    rig.hangs_up(rig.leg_of("anna"), Cause::Declined, Some(603));
    assert_eq!(rig.answer_to(ticket), None);
    rig.after(60_000);
    let parties = vec![missed("anna", Cause::Declined), missed("bert", Cause::NoAnswer)];
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Conferred { end: ConferenceEnd::Nobody, parties }));
    assert!(!rig.plays(rig.caller));
    rig.verb(Verb::HangUp { cause: Cause::Normal });
    rig.nothing_left();
}

#[test]
fn its_longest_time_ends_a_conference_for_the_flow_and_lets_the_others_go() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(confer(Conference { talk_ms: Some(10_000), ..of(&["anna", "bert", "carl"]) }));
    rig.after(4_000);
    rig.leg(rig.leg_of("anna"), LegEvent::Answered);
    rig.leg(rig.leg_of("bert"), LegEvent::Answered);
    rig.after(5_999);
    assert_eq!(rig.answer_to(ticket), None);
    rig.after(1);
    let parties = vec![
        came("anna", 6, Cause::MaxDuration),
        came("bert", 6, Cause::MaxDuration),
        missed("carl", Cause::MaxDuration),
    ];
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Conferred { end: ConferenceEnd::Limit, parties }));
    rig.verb(Verb::HangUp { cause: Cause::Normal });
    rig.nothing_left();
}

#[test]
fn a_caller_who_leaves_takes_the_others_along_unless_they_may_talk_on() {
    for without_caller in [false, true] {
        let mut rig = Rig::in_flow();
        let names = ["anna", "bert"];
        rig.verb(confer(Conference { talk_ms: Some(60_000), without_caller, ..of(&names) }));
        let (anna, bert) = (rig.leg_of("anna"), rig.leg_of("bert"));
        rig.leg(anna, LegEvent::Answered);
        rig.leg(bert, LegEvent::Answered);
        rig.after(1_000);
        let caller = rig.caller;
        rig.hangs_up(caller, Cause::Normal, None);
        if without_caller {
            assert!(rig.said().contains("bridge anna and bert"), "they talk on");
            rig.after(58_999);
            assert!(!rig.engine.is_empty());
            rig.after(1);
            assert_eq!(rig.ended(), (Cause::MaxDuration, Party::Switch));
        } else {
            assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
        }
        rig.after(5_000);
        rig.nothing_left();
    }
}

#[test]
fn a_caller_who_was_not_answered_is_before_anybody_is_joined() {
    let mut rig = Rig::routed(Destination::Flow(flow("menu")));
    rig.phones = false;
    rig.verb(confer(of(&["anna", "bert"])));
    rig.leg(rig.leg_of("anna"), LegEvent::Answered);
    rig.leg(rig.leg_of("bert"), LegEvent::Answered);
    assert!(!rig.said().contains("mix"), "the caller has no 200 yet");
    rig.phones = true;
    let caller = rig.caller;
    rig.leg(caller, LegEvent::Confirmed);
    assert_eq!(mix(&rig).len(), 3);
    rig.hangs_up(caller, Cause::Normal, None);
    rig.nothing_left();
}
