//! What flows may use beside their call.

use crate::stage::{Stage, setup};
use cordboard_model::calendar::{Calendar, Hours};
use cordboard_model::event::EventKind;
use cordboard_model::id::Name;
use cordboard_sim::phone::Plan;

fn logged(s: &Stage, line: &str) -> usize {
    let is = |event: &&EventKind| matches!(event, EventKind::FlowLog { text, .. } if text.ends_with(line));
    s.events().filter(is).count()
}

#[test]
fn a_flow_is_told_the_time_its_calendar_and_what_other_calls_counted() {
    // The simulator begins on Monday, 5 January 2026, at 8:00 in UTC: 16:00 in Shanghai.
    let flow =
        "call:answer() local now = call:now() call:log('it is', now.date, now.hour, now.weekday, now.zone)
        call:log('shanghai', call:now('Asia/Shanghai').hour)
        call:log('office', call:calendar('office')) call:log('nowhere', call:calendar('nowhere'))
        call:log('counted', call:count('calls', {most = 1})) call:hang_up()";
    let office = Calendar {
        zone: "Asia/Shanghai".into(),
        week: core::array::from_fn(|_| vec![Hours { from: 9 * 60, to: 17 * 60 }]),
        holidays: Vec::new(),
    };
    let setup = setup(&[]).flow("talk", flow, None).number_to_flow("1500", "talk");
    let mut s = Stage::new(setup.kit(|kit| {
        kit.calendars.insert(Name::new("office").unwrap(), office);
    }));
    s.carrier("caller");
    s.call("caller", "1500", Plan::call());
    s.run(3.0);
    assert_eq!(logged(&s, "it is 2026-01-05 8 1 UTC"), 1, "{}", s.story());
    assert_eq!(logged(&s, "shanghai 16"), 1, "{}", s.story());
    assert!(logged(&s, "office open nil 3600") + logged(&s, "office open nil 3599") == 1, "{}", s.story());
    assert_eq!(logged(&s, "nowhere nil not_found"), 1, "{}", s.story());
    assert_eq!(logged(&s, "counted 1"), 1, "{}", s.story());
    s.call("caller", "1500", Plan::call());
    s.run(3.0);
    assert_eq!(logged(&s, "counted nil limit"), 1, "{}", s.story());
}
