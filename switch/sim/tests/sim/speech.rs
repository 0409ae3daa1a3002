//! Speech that a flow has made: it is heard, it ends by a key, and what cannot be made is told by name.

use crate::stage::{Stage, secs, setup};
use cordboard_model::event::EventKind;
use cordboard_sim::phone::{Act, Plan};
use cordboard_sim::setup::{MENU_HZ, SPEECH_HZ};

fn stage(flow: &str) -> Stage {
    let mut s = Stage::new(setup(&[]).flow("talk", flow, None).number_to_flow("1500", "talk"));
    s.carrier("caller");
    s
}

fn logged(s: &Stage, line: &str) -> bool {
    s.events().any(|event| matches!(event, EventKind::FlowLog { text, .. } if text.ends_with(line)))
}

#[test]
fn what_a_flow_says_is_heard_between_prompts_and_a_key_ends_it() {
    let mut s = stage(
        "call:answer() call:say('Your parcel will be with you on Tuesday morning')
         local key = call:play{'menu', {say = '\u{4f60}\u{597d}', language = 'zh'}, {say = 'Hello once more'}}
         call:log('key', key) call:hang_up()",
    );
    s.call("caller", "1500", Plan::call().press(secs(5.0), "7"));
    s.run(2.0);
    s.hears("caller", SPEECH_HZ);
    s.run(2.5);
    s.hears("caller", MENU_HZ);
    s.run(2.0);
    assert!(logged(&s, "key 7"), "{}", s.story());
}

#[test]
fn speech_that_cannot_be_made_is_an_outcome_with_a_name_and_the_flow_goes_on() {
    let mut s = stage(
        "call:answer() local done, why = call:say('Bonjour', {language = 'fr'}) call:log('first', why)
         local key = call:collect{prompt = {say = 'Au revoir', language = 'fr'}, max = 1, first = 5}
         call:log('second', key) call:play('menu')",
    );
    s.call("caller", "1500", Plan::call().press(secs(3.0), "4"));
    s.run(4.0);
    assert!(logged(&s, "first speech_failed"), "{}", s.story());
    assert!(logged(&s, "second 4"), "{}", s.story());
    s.hears("caller", MENU_HZ);
}

#[test]
fn a_caller_who_hangs_up_while_speech_is_made_leaves_nothing_behind() {
    for ms in [1, 40, 90, 160, 250, 400] {
        let mut s = stage("call:answer() call:say('A long story, told in one breath and without an end')");
        s.call("caller", "1500", Plan::call());
        s.run(0.05 + f64::from(ms) / 1_000.0);
        s.act("caller", Act::HangUp);
        s.run(40.0);
        assert_eq!(s.world.shard().leftovers(), [""; 0], "{ms} ms");
    }
}
