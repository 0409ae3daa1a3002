//! Callers given to programs: in the simulator one that says what it hears.

use crate::stage::{CALLER_HZ, Stage, secs, setup};
use cordboard_model::event::EventKind;
use cordboard_sim::phone::{Act, Plan};
use cordboard_sim::setup::MENU_HZ;

fn stage(flow: &str) -> Stage {
    let mut s = Stage::new(setup(&[]).flow("bot", flow, None).number_to_flow("1500", "bot"));
    s.carrier("caller");
    s
}

fn logged(s: &Stage, line: &str) -> bool {
    s.events().any(|event| matches!(event, EventKind::FlowLog { text, .. } if text.ends_with(line)))
}

#[test]
fn a_caller_talks_to_a_program_and_the_flow_goes_on_when_it_is_done() {
    let mut s = stage(
        "call:answer() call:log('first', call:stream{url = 'ws://bot/a', parameters = {a = 'b'}})
         call:play('menu') call:log('second', call:stream{url = 'ws://nowhere/'})
         call:log('third', call:stream{url = 'ws://bot/b'}) call:play('menu')",
    );
    s.call("caller", "1500", Plan::call().press(secs(8.0), "5"));
    s.run(2.0);
    s.hears("caller", CALLER_HZ);
    s.run(2.0);
    s.hears("caller", MENU_HZ);
    assert!(logged(&s, "first closed nil"), "{}", s.story());
    s.run(3.5);
    s.hears("caller", CALLER_HZ);
    assert!(logged(&s, "second nil unreachable"), "{}", s.story());
    s.run(1.5);
    assert!(logged(&s, "third closed nil"), "a key is the program's: {}", s.story());
    s.hears("caller", MENU_HZ);
}

#[test]
fn a_caller_who_hangs_up_on_a_program_or_whose_time_is_up_leaves_nothing_behind() {
    for (timeout, hangs_up_at) in [("", 0.3), ("", 1.7), (", timeout = 1", 5.0), (", timeout = 0.1", 0.12)] {
        let mut s = stage(&format!(
            "call:answer() call:log('end', call:stream{{url = 'ws://bot/'{timeout}}}) call:wait(5)"
        ));
        s.call("caller", "1500", Plan::call());
        s.run(hangs_up_at);
        s.act("caller", Act::HangUp);
        s.run(40.0);
        assert_eq!(s.world.shard().leftovers(), [""; 0], "{timeout} {hangs_up_at}");
        let is_over = logged(&s, "end timeout nil");
        assert_eq!(is_over, hangs_up_at > 3.0 || timeout.contains("0.1") && is_over, "{}", s.story());
    }
}
