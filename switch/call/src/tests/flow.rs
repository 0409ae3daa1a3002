//! Flows: their steps, their keys, their failures.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::id::CallId;
use cordboard_model::leg::LegEvent;
use cordboard_model::media::MediaEvent;
use cordboard_model::stream::StreamEnd;
use cordboard_model::verb::{CollectEnd, Destination, First, FirstEnd, Verb, VerbAnswer};
use serde_json::Value;

fn collect(prompt: bool, min: u8, max: u8) -> Verb {
    Verb::Collect {
        prompt: if prompt { vec![asset("choose")] } else { Vec::new() },
        min,
        max,
        terminators: "#".into(),
        first_timeout_ms: 5_000,
        inter_timeout_ms: 2_000,
        patterns: Vec::new(),
        strict: false,
        secret: false,
        ear: None,
    }
}

fn play(barge_in: bool) -> Verb {
    Verb::Play { items: vec![asset("welcome")], barge_in }
}

fn digits(digits: &str, end: CollectEnd) -> Option<VerbAnswer> {
    Some(VerbAnswer::Digits { digits: digits.into(), end })
}

#[test]
fn a_menu_from_early_media_to_the_flows_hang_up() {
    let mut rig = Rig::routed(Destination::Flow(flow("menu")));
    rig.verb(play(false));
    rig.play_ends(rig.caller);
    rig.verb(Verb::Answer);
    rig.verb(collect(true, 1, 1));
    rig.keys("2");
    rig.verb(Verb::SetData { key: "choice".into(), value: "2".into() });
    rig.verb(Verb::GetData { key: "choice".into() });
    rig.verb(Verb::Log { text: "chosen".into() });
    rig.verb(Verb::Wait { ms: 500 });
    rig.after(500);
    rig.verb(Verb::HangUp { cause: Cause::FlowEnded });
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.ended(), (Cause::FlowEnded, Party::Switch));
    assert_eq!(rig.cdr().flows, [flow("menu")]);
    assert_eq!(rig.cdr().data.get("choice").and_then(serde_json::Value::as_str), Some("2"));
    rig.nothing_left();
}

#[test]
fn the_first_key_ends_the_prompt_and_the_keys_have_their_time() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(collect(true, 1, 4));
    rig.after(60_000);
    assert_eq!(rig.answer_to(ticket), None, "no time runs while the prompt plays");
    rig.keys("1");
    assert!(!rig.plays(rig.caller));
    rig.after(1_999);
    rig.keys("2");
    rig.after(1_999);
    assert_eq!(rig.answer_to(ticket), None);
    rig.after(1);
    assert_eq!(rig.answer_to(ticket), digits("12", CollectEnd::Timeout));
}

fn stream(timeout_ms: Option<u32>) -> Verb {
    let parameters = [("order".to_owned(), "17".to_owned())].into();
    Verb::Stream { url: "wss://bot.example/a".into(), parameters, timeout_ms }
}

#[test]
fn a_program_has_the_caller_and_his_keys_until_its_time_is_up_or_the_caller_is_gone() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(stream(Some(2_000)));
    rig.keys("5");
    rig.after(1_999);
    assert_eq!(rig.answer_to(ticket), None);
    rig.after(1);
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Streamed(StreamEnd::Timeout.into())));
    let entry = rig.verb(collect(true, 1, 1));
    assert_eq!(rig.answer_to(entry), None, "the program's key is not typed ahead");
    rig.keys("1");
    rig.verb(stream(None));
    insta::assert_snapshot!(rig.said());
}

fn first(key: bool, ms: u32) -> Verb {
    Verb::First(First { key, ms: Some(ms), fetch: None, music: vec![asset("waltz")] })
}

#[test]
fn the_first_of_a_key_a_time_and_word_from_outside_ends_the_wait_and_the_music() {
    let mut rig = Rig::in_flow();
    let timed = rig.verb(first(false, 2_000));
    assert!(rig.plays(rig.caller));
    rig.keys("5");
    rig.after(1_999);
    assert_eq!(rig.answer_to(timed), None, "a key that is not waited for");
    rig.after(1);
    assert_eq!(rig.answer_to(timed), Some(VerbAnswer::First(FirstEnd::Time)));
    assert!(!rig.plays(rig.caller));
    let typed = rig.verb(first(true, 2_000));
    assert_eq!(rig.answer_to(typed), Some(VerbAnswer::First(FirstEnd::Key('5'))), "typed ahead");
    rig.verb(collect(false, 1, 1));
    let pressed = rig.verb(first(true, 2_000));
    rig.keys("7");
    assert_eq!(rig.answer_to(pressed), Some(VerbAnswer::First(FirstEnd::Key('7'))));
    rig.verb(collect(false, 1, 1));
    let asked = rig.verb(first(true, 2_000));
    let call = rig.call;
    for ticket in [pressed, asked, asked] {
        rig.tell(CallInput::Answered { call, ticket, answer: VerbAnswer::Done });
    }
    assert_eq!(rig.answer_to(asked), Some(VerbAnswer::Done));
    assert!(!rig.plays(rig.caller));
    let answered = |o: &&CallOutput| matches!(o, CallOutput::Flow(FlowOutput::Answer { ticket, .. }) if *ticket == asked);
    assert_eq!(rig.outputs.iter().filter(answered).count(), 1);
    rig.after(2_000);
    rig.tell(CallInput::FlowEnded { call });
    rig.nothing_left();
}

#[test]
fn without_a_key_the_entry_ends_after_the_prompt_and_the_first_timeout() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(collect(true, 1, 4));
    rig.after(3_000);
    rig.play_ends(rig.caller);
    rig.after(4_999);
    assert_eq!(rig.answer_to(ticket), None);
    rig.after(1);
    assert_eq!(rig.answer_to(ticket), digits("", CollectEnd::Timeout));
}

#[test]
fn keys_typed_ahead_skip_prompts_and_are_shared_out_among_entries() {
    let mut rig = Rig::in_flow();
    rig.verb(Verb::Wait { ms: 100 });
    rig.keys("12#34");
    rig.after(100);
    rig.said();
    let skipped = rig.verb(play(true));
    assert_eq!(rig.answer_to(skipped), Some(VerbAnswer::Played { key: Some('1') }));
    let first = rig.verb(collect(true, 1, 8));
    assert_eq!(rig.answer_to(first), digits("12", CollectEnd::Terminator));
    let second = rig.verb(collect(true, 1, 1));
    assert_eq!(rig.answer_to(second), digits("3", CollectEnd::Max));
    let third = rig.verb(collect(true, 1, 8));
    assert!(!rig.said().contains("play"), "a prompt was played in spite of keys typed ahead");
    rig.after(2_000);
    assert_eq!(rig.answer_to(third), digits("4", CollectEnd::Timeout));
}

#[test]
fn more_keys_than_the_buffer_holds_are_dropped() {
    let mut rig = Rig::in_flow();
    rig.verb(Verb::Wait { ms: 100 });
    rig.keys(&"7".repeat(200));
    rig.after(100);
    let ticket = rig.verb(collect(false, 1, 64));
    assert_eq!(rig.answer_to(ticket), digits(&"7".repeat(64), CollectEnd::Max));
    let next = rig.verb(collect(false, 1, 1));
    assert_eq!(rig.answer_to(next), None);
}

#[test]
fn a_key_cuts_a_list_short_only_where_it_may_and_stays_for_the_next_entry() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(play(false));
    rig.keys("5");
    assert_eq!(rig.answer_to(ticket), None);
    rig.play_ends(rig.caller);
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Played { key: None }));
    let entry = rig.verb(collect(false, 1, 1));
    assert_eq!(rig.answer_to(entry), digits("5", CollectEnd::Max));
    let cut = rig.verb(play(true));
    rig.keys("6");
    assert_eq!(rig.answer_to(cut), Some(VerbAnswer::Played { key: Some('6') }));
    let entry = rig.verb(collect(false, 1, 1));
    assert_eq!(rig.answer_to(entry), digits("6", CollectEnd::Max));
}

#[test]
fn what_is_no_key_is_absorbed() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(collect(false, 1, 1));
    rig.said();
    rig.keys("x é\u{0}E");
    assert_eq!(rig.said(), "");
    rig.keys("D");
    assert_eq!(rig.answer_to(ticket), digits("D", CollectEnd::Max));
}

#[test]
fn a_playback_that_ended_late_does_not_end_the_next_one() {
    let mut rig = Rig::in_flow();
    rig.media = false;
    rig.verb(play(true));
    let first = rig.outputs.iter().rev().find_map(playback_of).unwrap();
    rig.keys("1");
    let entry = rig.verb(collect(false, 1, 1));
    assert_eq!(rig.answer_to(entry), digits("1", CollectEnd::Max));
    let second = rig.verb(play(true));
    let leg = rig.caller;
    rig.tell(CallInput::Media(MediaEvent::PlayDone { leg, playback: first, finished: false }));
    assert_eq!(rig.answer_to(second), None);
}

fn playback_of(output: &CallOutput) -> Option<cordboard_model::id::PlaybackId> {
    match output {
        CallOutput::Media(cordboard_model::media::MediaCommand::Play { playback, .. }) => Some(*playback),
        _ => None,
    }
}

#[test]
fn call_data_has_limits_with_names() {
    let mut rig = Rig::in_flow();
    let mut set = |key: String, value: String| {
        let ticket = rig.verb(Verb::SetData { key, value: value.into() });
        rig.answer_to(ticket).unwrap()
    };
    let limit = |name: &str| VerbAnswer::Limit(name.into());
    assert_eq!(set("k".repeat(65), "v".into()), limit("data key"));
    assert_eq!(set(String::new(), "v".into()), limit("data key"));
    assert_eq!(set("k".into(), "v".repeat(16_385)), limit("data value"));
    for n in 0..64 {
        assert_eq!(set(format!("k{n}"), "v".into()), VerbAnswer::Done);
    }
    assert_eq!(set("one more".into(), "v".into()), limit("data entries"));
    assert_eq!(set("k5".into(), "w".into()), VerbAnswer::Done);
    assert_eq!(set("k5".into(), String::new()), VerbAnswer::Done);
    assert_eq!(set("one more".into(), "v".into()), VerbAnswer::Done);
}

#[test]
fn a_program_changes_several_entries_of_a_calls_data_or_none() {
    let mut rig = Rig::in_flow();
    rig.said();
    let entry = |key: &str, value: Value| (key.to_owned(), value);
    let mut change = |entries: Vec<(String, Value)>| {
        let done = rig.engine.change_data(rig.call, entries, rig.now);
        rig.drain();
        (done, rig.said())
    };
    let (done, said) = change(vec![entry("order", 4711.into()), entry("vip", true.into())]);
    assert_eq!((done, said.as_str()), (Ok(()), "  event: data order = 4711\n  event: data vip = true"));
    let too_much = vec![entry("order", 1.into()), entry("note", "n".repeat(16_385).into())];
    assert_eq!(change(too_much), (Err(DataRefusal::Limit("data value")), String::new()), "none of them");
    // what is taken away makes room for what comes with it
    let full = (0..62).map(|n| entry(&format!("k{n}"), 1.into())).collect();
    assert_eq!(change(full).0, Ok(()));
    let one_more = vec![entry("more", 1.into())];
    assert_eq!(change(one_more.clone()).0, Err(DataRefusal::Limit("data entries")));
    let swap = [vec![entry("vip", Value::Null)], one_more].concat();
    assert_eq!(change(swap), (Ok(()), "  event: data vip = null\n  event: data more = 1".to_owned()));
    let gone = CallId { number: rig.call.number + 1_000, ..rig.call };
    assert_eq!(rig.engine.change_data(gone, Vec::new(), rig.now), Err(DataRefusal::NotFound));
}

#[test]
fn a_long_line_is_cut_between_characters() {
    let mut rig = Rig::in_flow();
    rig.said();
    rig.verb(Verb::Log { text: format!("a{}", "é".repeat(1_000)) });
    let said = rig.said();
    let line = said.lines().next().unwrap();
    assert_eq!(line.trim_start().trim_start_matches("event: flow log: ").len(), 1_023);
}

#[test]
fn a_second_step_while_one_is_under_way_is_refused() {
    let mut rig = Rig::in_flow();
    let first = rig.verb(Verb::Wait { ms: 100 });
    let second = rig.verb(Verb::Answer);
    assert_eq!(rig.answer_to(second), Some(VerbAnswer::Failed(Cause::ProtocolError)));
    rig.after(100);
    assert_eq!(rig.answer_to(first), Some(VerbAnswer::Done));
}

#[test]
fn a_flow_that_ends_by_itself_ends_the_call() {
    let mut rig = Rig::in_flow();
    let call = rig.call;
    rig.tell(CallInput::FlowEnded { call });
    assert_eq!(rig.ended(), (Cause::FlowEnded, Party::Switch));
    assert!(!rig.said().contains("flow: stop"));
    rig.nothing_left();
}

fn fails(rig: &mut Rig, apology: bool, to: Option<Destination>) {
    let apology = if apology { vec![asset("sorry")] } else { Vec::new() };
    let (call, error) = (rig.call, "menu.lua:7: nil".into());
    rig.tell(CallInput::FlowFailed { call, error, fallback: Fallback { apology, to } });
}

#[test]
fn a_flow_that_fails_apologises_and_follows_its_fallback() {
    let mut rig = Rig::in_flow();
    fails(&mut rig, true, Some(Destination::Queue(queue("sales"))));
    rig.play_ends(rig.caller);
    insta::assert_snapshot!(rig.said());
}

#[test]
fn a_flow_that_fails_before_the_answer_apologises_as_early_media_and_refuses() {
    let mut rig = Rig::routed(Destination::Flow(flow("menu")));
    rig.said();
    fails(&mut rig, true, None);
    rig.play_ends(rig.caller);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.ended(), (Cause::FlowFailed, Party::Switch));
    assert_eq!(rig.cdr().legs[0].sip_status, Some(500));
    rig.nothing_left();
}

#[test]
fn an_apology_that_never_ends_is_cut() {
    let mut rig = Rig::in_flow();
    fails(&mut rig, true, None);
    rig.after(30_000);
    assert_eq!(rig.ended(), (Cause::FlowFailed, Party::Switch));
    rig.nothing_left();
}

#[test]
fn a_flow_that_fails_below_a_wait_does_not_end_the_wait() {
    let mut rig = Rig::in_flow();
    rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: String::new(),
        staffed: false,
        wish: None,
    });
    fails(&mut rig, true, None);
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Answered);
    rig.hangs_up(leg, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
    rig.nothing_left();
}

#[test]
fn a_caller_who_hangs_up_in_a_step_stops_the_flow_without_an_answer() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(collect(true, 1, 1));
    rig.said();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.answer_to(ticket), None);
    rig.nothing_left();
}

#[test]
fn a_flow_that_lets_a_served_caller_go_ends_nothing_itself() {
    for (verb, by) in [(None, Party::Callee), (Some(200), Party::Switch)] {
        let mut rig = Rig::in_flow();
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
        rig.hangs_up(leg, Cause::Normal, None);
        if let Some(ms) = verb {
            rig.verb(Verb::Wait { ms });
            rig.after(u64::from(ms));
        }
        rig.verb(Verb::HangUp { cause: Cause::Normal });
        assert_eq!(rig.ended(), (Cause::Normal, by));
        rig.nothing_left();
    }
}

#[test]
fn all_call_data_together_has_a_limit_and_the_record_has_what_was_set() {
    let mut rig = Rig::in_flow();
    let mut set = |key: &str, value: String| {
        let ticket = rig.verb(Verb::SetData { key: key.into(), value: value.into() });
        rig.answer_to(ticket).unwrap()
    };
    for key in ["k0", "k1", "k2", "k3", "k4", "k5", "k6"] {
        assert_eq!(set(key, "v".repeat(4_096)), VerbAnswer::Done);
    }
    assert_eq!(set("k7", "v".repeat(4_096)), VerbAnswer::Limit("data bytes".into()));
    assert_eq!(set("k0", "w".repeat(4_096)), VerbAnswer::Done, "the old value makes room");
    assert_eq!(set("k1", String::new()), VerbAnswer::Done);
    assert_eq!(set("k7", "v".repeat(4_096)), VerbAnswer::Done);
    rig.verb(Verb::HangUp { cause: Cause::Normal });
    let data = rig.cdr().data.clone();
    assert_eq!(
        data.keys().map(String::as_str).collect::<Vec<_>>(),
        ["k0", "k2", "k3", "k4", "k5", "k6", "k7"]
    );
    assert!(data["k0"].as_str().unwrap().starts_with('w'));
}
