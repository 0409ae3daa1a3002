//! The call that the switch is for: menu, digit, queue, agent, talk, record.

use crate::stage::{AGENT_HZ, CALLER_HZ, Stage, secs, setup};
use cordboard_media::tone::Goertzel;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::view::AgentStatus;
use cordboard_sim::phone::{Act, Digest, Plan};
use cordboard_sim::setup::{MENU_HZ, MUSIC_HZ, WORD_HZ};

fn channel(audio: &[i16], which: usize) -> Vec<i16> {
    audio.iter().skip(which).step_by(2).copied().collect()
}

#[test]
fn a_caller_chooses_waits_talks_and_is_recorded() {
    let mut s = Stage::new(setup(&["2001"]));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(2.0)));
    s.call("caller", "1000", Plan::call().press(secs(2.0), "1"));
    s.run(1.0);
    s.hears("caller", MENU_HZ);
    s.run(2.0);
    s.hears("caller", MUSIC_HZ);
    s.status("2001", AgentStatus::Ringing);
    s.run(2.0);
    s.hears("caller", AGENT_HZ);
    s.hears("2001", CALLER_HZ);
    s.hears_not("caller", MUSIC_HZ);
    s.status("2001", AgentStatus::Talking);
    s.run(4.0);
    s.act("caller", Act::HangUp);
    s.run(0.5);
    s.status("2001", AgentStatus::WrapUp);
    s.run(3.0);
    s.status("2001", AgentStatus::Ready);
    s.ladder(
        "
        caller > INVITE
        caller < 100
        caller < 200
        caller > ACK
        2001 < INVITE
        2001 > 180
        2001 > 200
        2001 < ACK
        caller > BYE
        caller < 200 BYE
        2001 < BYE
        2001 > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 1000: normal by Caller, up 9.0s, talk 5.0s, agent 2001, flow menu, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
    let cdr = &s.world.cdrs()[0];
    assert_eq!((cdr.cause, cdr.ended_by), (Cause::Normal, Party::Caller));
    assert_eq!(cdr.data.get("chosen").and_then(|value| value.as_str()), Some("sales"));
    let audio = &s.world.audio()[&cdr.recordings[0]];
    assert!((4.4..5.2).contains(&(audio.len() as f64 / 16_000.0)), "{} samples", audio.len());
    let middle = &audio[16_000..48_000];
    let share = |side, hz| Goertzel::share(&channel(middle, side), f64::from(hz));
    assert!(share(0, CALLER_HZ) > 0.95 && share(0, AGENT_HZ) < 0.01, "left is the caller");
    assert!(share(1, AGENT_HZ) > 0.95 && share(1, CALLER_HZ) < 0.01, "right is the agent");
}

#[test]
fn when_the_agent_hangs_up_the_flow_goes_on() {
    let mut s = Stage::new(setup(&["2001"]));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)).hang_up_after(secs(3.0)));
    s.call("caller", "1000", Plan::call().press(secs(1.0), "1"));
    s.run(8.0);
    s.ladder_of(
        "caller",
        "
        > INVITE
        < 100
        < 200
        > ACK
        < BYE
        > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 1000: normal by Callee, up 5.0s, talk 3.0s, agent 2001, flow menu, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
    let said = |what: &cordboard_model::event::EventKind| matches!(what, cordboard_model::event::EventKind::FlowLog { text, .. } if text.ends_with("queue: served"));
    assert!(s.events().any(said), "{}", s.story());
}

#[test]
fn md5_and_sha_256_both_register() {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002"));
    s.phone_with("old", "3001", AGENT_HZ, |config| config.digest = Digest::Md5);
    s.phone_with("new", "3002", AGENT_HZ, |config| config.digest = Digest::Sha256);
    assert_eq!(s.world.shard().contacts(cordboard_model::id::TenantId::DEFAULT).len(), 2);
}

#[test]
fn a_caller_is_told_his_place_between_the_music() {
    let queue = |setup: cordboard_sim::setup::Setup| {
        setup.queue("sales", |queue| queue.announce_every = Some(secs(10.0)))
    };
    let mut s = Stage::new(queue(setup(&["2001"])));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::ring_on());
    s.call("caller", "2000", Plan::call());
    s.run(0.5);
    s.hears("caller", WORD_HZ);
    s.run(1.0);
    s.hears("caller", MUSIC_HZ);
    s.run(9.0);
    s.hears("caller", WORD_HZ);
    s.run(1.5);
    s.hears("caller", MUSIC_HZ);
    s.act("caller", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 12.0s, talk -, queue sales abandoned, Caller +4930123+normal, Callee 2001-no_answer",
    ]);
}
