//! Conferences, supervision, mutes: what each step says, and every state of a supervision against every event.

use super::rig::{Rig, agent, user};
use crate::*;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{SupervisionMode, TransferOutcome};
use cordboard_model::id::LegId;
use cordboard_model::leg::{LegEvent, Target};
use cordboard_model::media::{MediaCommand, MediaEvent, MixMember};
use cordboard_model::verb::Destination;
use std::fmt::Write;

fn chief() -> DialTarget {
    DialTarget::Target(Target::User(user("chief")))
}

impl Rig {
    fn supervise(&mut self, mode: SupervisionMode) -> LegId {
        let (call, now) = (self.call, self.now);
        let leg = self.engine.supervise(call, Supervise { mode, by: chief(), of: None }, now).unwrap();
        self.after(0);
        self.settle();
        leg
    }

    /// Takes what was said after a word of the API.
    fn settle(&mut self) {
        self.tell(CallInput::Media(MediaEvent::Locked {
            leg: self.caller,
            from: ([127, 0, 0, 1], 9).into(),
        }));
    }

    /// A supervisor who does this, and has answered.
    fn supervised(mode: SupervisionMode) -> (Self, LegId, LegId) {
        let (mut rig, agent_leg) = Self::talking();
        let leg = rig.supervise(mode);
        rig.leg(leg, LegEvent::Answered);
        rig.said();
        (rig, agent_leg, leg)
    }

    fn change(&mut self, mode: SupervisionMode) {
        let (call, now) = (self.call, self.now);
        self.engine.change_supervision(call, mode, now).unwrap();
        self.settle();
    }

    /// A third party, who has answered.
    fn add(&mut self, to: &str) -> LegId {
        let (call, now) = (self.call, self.now);
        self.engine.conference(call, None, to, now).unwrap();
        self.settle();
        self.route(Destination::User(user(to)));
        let leg = self.leg_of(to);
        self.leg(leg, LegEvent::Answered);
        leg
    }

    /// The matrix that media was told last, while nothing joined or parted the legs since.
    fn matrix(&self) -> Vec<MixMember> {
        let told = self.outputs.iter().rev().find_map(|output| match output {
            CallOutput::Media(MediaCommand::Mix { members, .. }) => Some(members.clone()),
            CallOutput::Media(MediaCommand::Bridge { .. } | MediaCommand::Unbridge { .. }) => {
                Some(Vec::new())
            }
            _ => None,
        });
        told.unwrap_or_default()
    }
}

#[test]
fn a_supervisor_listens_whispers_barges_in_and_leaves() {
    let (mut rig, _) = Rig::talking();
    rig.supervise(SupervisionMode::Listen);
    let leg = rig.leg_of("chief");
    rig.leg(leg, LegEvent::Ringing);
    rig.leg(leg, LegEvent::Answered);
    let listens = rig.said();
    rig.after(5_000);
    rig.change(SupervisionMode::Whisper);
    let whispers = rig.said();
    rig.after(5_000);
    rig.change(SupervisionMode::BargeIn);
    let barges = rig.said();
    rig.hangs_up(leg, Cause::Normal, None);
    let leaves = rig.said();
    insta::assert_snapshot!(format!("{listens}\n--\n{whispers}\n--\n{barges}\n--\n{leaves}"));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.after(5_000);
    rig.nothing_left();
    let supervision = &rig.cdr().supervisions[0];
    let turns: Vec<_> = supervision.turns.iter().map(|turn| (turn.mode, turn.at.0)).collect();
    assert_eq!(supervision.turns.len(), 3);
    assert_eq!(turns[1].1 - turns[0].1, 5_000, "{turns:?}");
    assert_eq!(supervision.by.user, "chief");
    assert_eq!(supervision.cause, Some(Cause::Normal));
}

#[test]
fn a_supervisor_who_intercepts_has_the_agents_place_and_the_agent_is_released() {
    let (mut rig, agent_leg, leg) = Rig::supervised(SupervisionMode::Listen);
    rig.change(SupervisionMode::Intercept);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.matrix(), [], "two who talk are joined");
    rig.hangs_up(agent_leg, Cause::Normal, None);
    assert!(!rig.engine.is_empty(), "the agent is gone already");
    rig.hangs_up(leg, Cause::Normal, None);
    rig.after(5_000);
    rig.nothing_left();
    assert_eq!(rig.cdr().recordings.len(), 2, "the agent's part and the supervisor's");
}

#[test]
fn a_supervisor_who_rings_to_intercept_takes_the_place_when_he_answers() {
    let (mut rig, agent_leg) = Rig::talking();
    let leg = rig.supervise(SupervisionMode::Intercept);
    rig.said();
    rig.leg(leg, LegEvent::Answered);
    let said = rig.said();
    let joined = "media: bridge alice and chief\n  event: leg chief answered\njournal: RecordingClosed\n  event: recording ready 1000";
    assert!(said.ends_with(joined), "{said}");
    let view = rig.engine.view(rig.call).unwrap();
    assert!(view.supervision.is_none());
    assert!(view.legs.iter().any(|there| there.leg == leg));
    assert!(!view.legs.iter().any(|there| there.leg == agent_leg));
}

/// Each state of a supervision against each thing that can happen to the call: what media has then, and whether the
/// supervisor is still there.
#[test]
fn every_mode_of_a_supervisor_against_every_event() {
    let mut table = String::new();
    let modes = [None].into_iter().chain(SupervisionMode::ALL.map(Some));
    for mode in modes {
        let name = mode.map_or("rings", SupervisionMode::as_str);
        let _ = writeln!(table, "{name}");
        for event in EVENTS {
            let (mut rig, agent_leg) = Rig::talking();
            let leg = rig.supervise(mode.unwrap_or(SupervisionMode::Listen));
            if mode.is_some() {
                rig.leg(leg, LegEvent::Answered);
            }
            let outcome = happen(&mut rig, event, agent_leg, leg);
            let view = rig.engine.view(rig.call);
            let there = view.as_ref().and_then(|view| view.supervision.as_ref());
            let watch = there.map_or("no supervisor".into(), |watch| format!("{:?}", watch.mode));
            let stage = view.as_ref().map_or("gone".into(), |view| format!("{:?}", view.stage));
            let matrix = rig.matrix();
            let media = if matrix.is_empty() { "no mix".into() } else { rig.rows(&matrix) };
            let _ = writeln!(table, "  {event}{outcome}: {stage}, {watch}, {media}");
            rig.command(CallCommand::HangUpAll(Cause::Shutdown));
            rig.after(40_000);
            rig.nothing_left();
        }
    }
    insta::assert_snapshot!(table);
}

const EVENTS: [&str; 15] = [
    "he answers",
    "he hangs up",
    "he does not answer",
    "listen",
    "whisper",
    "barge_in",
    "intercept",
    "end",
    "another supervisor",
    "the agent hangs up",
    "the caller hangs up",
    "the agent holds",
    "the caller is sent away",
    "the agent is muted",
    "a third joins",
];

fn happen(rig: &mut Rig, event: &str, agent_leg: LegId, leg: LegId) -> &'static str {
    let (call, now) = (rig.call, rig.now);
    let mut refused = false;
    match event {
        "he answers" => rig.leg(leg, LegEvent::Answered),
        "he hangs up" => rig.hangs_up(leg, Cause::Normal, None),
        "he does not answer" => rig.after(120_000),
        "end" => refused = rig.engine.end_supervision(call, now).is_err(),
        "another supervisor" => {
            let wanted =
                Supervise { mode: SupervisionMode::Listen, by: DialTarget::Agent(agent("other")), of: None };
            refused = rig.engine.supervise(call, wanted, now).is_err();
        }
        "the agent hangs up" => rig.hangs_up(agent_leg, Cause::Normal, None),
        "the caller hangs up" => rig.hangs_up(rig.caller, Cause::Normal, None),
        "the agent holds" => rig.leg(agent_leg, LegEvent::PeerHold { on: true }),
        "the caller is sent away" => refused = rig.engine.transfer(call, None, "9", false, now).is_err(),
        "the agent is muted" => refused = rig.engine.mute(call, agent_leg, true, now).is_err(),
        "a third joins" => {
            rig.add("third");
        }
        mode => {
            let mode = SupervisionMode::from_name(mode).unwrap();
            refused = rig.engine.change_supervision(call, mode, now).is_err();
        }
    }
    rig.settle();
    if refused { " (refused)" } else { "" }
}

#[test]
fn a_third_joins_two_and_whoever_leaves_the_others_go_on() {
    let (mut rig, agent_leg) = Rig::talking();
    let third = rig.add("third");
    let joins = rig.said();
    let fourth = rig.add("fourth");
    assert_eq!(rig.matrix().len(), 4);
    rig.said();
    rig.hangs_up(agent_leg, Cause::Normal, None);
    let agent_leaves = rig.said();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    let caller_leaves = rig.said();
    rig.hangs_up(third, Cause::Normal, None);
    let last = rig.said();
    insta::assert_snapshot!(format!(
        "{joins}\n-- agent\n{agent_leaves}\n-- caller\n{caller_leaves}\n-- third\n{last}"
    ));
    rig.hangs_up(fourth, Cause::Normal, None);
    rig.after(5_000);
    rig.nothing_left();
    assert_eq!(rig.cdr().legs.len(), 4);
}

#[test]
fn who_is_consulted_becomes_the_third_and_nobody_was_transferred() {
    let (mut rig, _) = Rig::talking();
    let (call, now) = (rig.call, rig.now);
    rig.engine.transfer(call, None, "expert", true, now).unwrap();
    rig.settle();
    rig.route(Destination::User(user("expert")));
    let expert = rig.leg_of("expert");
    assert_eq!(rig.engine.conference_with_consulted(call, now), Err(RoomRefusal::None), "it rings");
    rig.leg(expert, LegEvent::Answered);
    rig.said();
    rig.engine.conference_with_consulted(call, now).unwrap();
    rig.settle();
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.matrix().len(), 3);
    assert_eq!(
        rig.engine.transfer(call, None, "9", false, now),
        Err(TransferRefusal::Conference),
        "one of three is not sent away"
    );
    rig.hangs_up(expert, Cause::Normal, None);
    assert_eq!(rig.matrix(), [], "two are joined again");
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.after(5_000);
    rig.nothing_left();
    assert_eq!(rig.cdr().transfers[0].outcome, TransferOutcome::Conference);
}

#[test]
fn a_guest_who_is_not_reached_leaves_the_two_as_they_were() {
    let (mut rig, agent_leg) = Rig::talking();
    let (call, now) = (rig.call, rig.now);
    rig.engine.conference(call, None, "third", now).unwrap();
    assert_eq!(rig.engine.conference(call, None, "fourth", now), Err(RoomRefusal::UnderWay));
    rig.settle();
    rig.route(Destination::User(user("third")));
    let third = rig.leg_of("third");
    rig.hangs_up(third, Cause::Busy, Some(486));
    let busy = rig.said();
    let now = rig.now;
    rig.engine.conference(call, Some(agent_leg), "queue", now).unwrap();
    rig.settle();
    rig.route(Destination::Queue(super::rig::queue("sales")));
    let queue = rig.said();
    rig.engine.conference(call, None, "nowhere", now).unwrap();
    rig.after(10_000);
    let late = rig.said();
    insta::assert_snapshot!(format!("{busy}\n-- a queue\n{queue}\n-- routing is late\n{late}"));
    assert_eq!(rig.matrix(), []);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.after(5_000);
    rig.nothing_left();
}

#[test]
fn one_of_three_on_hold_hears_music_alone_and_is_heard_by_nobody() {
    let (mut rig, agent_leg) = Rig::talking();
    let third = rig.add("third");
    rig.said();
    rig.command(CallCommand::Hold { leg: third });
    let held = rig.said();
    assert!(rig.plays(third) && !rig.plays(rig.caller) && !rig.plays(agent_leg));
    rig.command(CallCommand::Retrieve { leg: third });
    rig.leg(agent_leg, LegEvent::PeerHold { on: true });
    let by_phone = rig.said();
    assert!(!rig.plays(rig.caller) && !rig.plays(third), "two still talk");
    insta::assert_snapshot!(format!("{held}\n-- the agent's phone holds\n{by_phone}"));
    rig.hangs_up(third, Cause::Normal, None);
    assert!(rig.plays(rig.caller), "alone with a phone that holds him");
}

#[test]
fn a_muted_party_is_heard_by_nobody_and_two_are_joined_again_when_it_speaks() {
    let (mut rig, agent_leg) = Rig::talking();
    let (call, now) = (rig.call, rig.now);
    rig.engine.mute(call, agent_leg, true, now).unwrap();
    rig.settle();
    let muted = rig.said();
    assert!(rig.engine.view(call).unwrap().legs.iter().any(|leg| leg.leg == agent_leg && leg.muted));
    rig.engine.mute(call, agent_leg, true, now).unwrap();
    rig.settle();
    assert_eq!(rig.said(), "", "said once");
    rig.engine.mute(call, agent_leg, false, now).unwrap();
    rig.settle();
    insta::assert_snapshot!(format!("{muted}\n--\n{}", rig.said()));
    let nobody = LegId { number: 9_999, ..agent_leg };
    assert_eq!(rig.engine.mute(call, nobody, true, now), Err(RoomRefusal::NotFound));
}

#[test]
fn who_speaks_is_told_to_readers_while_there_is_a_mix() {
    let (mut rig, agent_leg, _) = Rig::supervised(SupervisionMode::Listen);
    let mix = rig.call;
    rig.tell(CallInput::Media(MediaEvent::Speaking { mix, leg: Some(agent_leg) }));
    assert_eq!(rig.said(), "  event: 1001 speaks");
    assert_eq!(rig.engine.view(mix).unwrap().speaker, Some(agent_leg));
    rig.tell(CallInput::Media(MediaEvent::Speaking { mix, leg: Some(agent_leg) }));
    assert_eq!(rig.said(), "");
    let now = rig.now;
    rig.engine.end_supervision(mix, now).unwrap();
    rig.settle();
    assert_eq!(rig.engine.view(mix).unwrap().speaker, None);
}

#[test]
fn an_agent_does_not_supervise_himself_and_nobody_supervises_who_waits() {
    let (mut rig, _) = Rig::talking();
    let (call, now) = (rig.call, rig.now);
    let own = Supervise { mode: SupervisionMode::Listen, by: DialTarget::Agent(agent("1001")), of: None };
    assert_eq!(rig.engine.supervise(call, own, now), Err(RoomRefusal::Own));
    let mut rig = Rig::waiting();
    let (call, now) = (rig.call, rig.now);
    let wanted = Supervise { mode: SupervisionMode::Listen, by: chief(), of: None };
    assert_eq!(rig.engine.supervise(call, wanted, now), Err(RoomRefusal::NotTalking));
    assert_eq!(rig.engine.conference(call, None, "9", now), Err(RoomRefusal::NotTalking));
}

#[test]
fn routing_that_is_late_for_a_guest_does_not_end_a_call_that_goes_on_without_him() {
    let mut rig = Rig::in_flow();
    rig.verb(cordboard_model::verb::Verb::Enqueue {
        queue: super::rig::queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: String::new(),
        staffed: false,
        wish: None,
    });
    rig.music();
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Answered);
    let (call, now) = (rig.call, rig.now);
    rig.engine.conference(call, None, "+49", now).unwrap();
    rig.drain();
    rig.hangs_up(leg, Cause::Normal, None);
    rig.after(6_000);
    assert!(!rig.said().contains("CLOSING"), "the flow has the caller");
}
