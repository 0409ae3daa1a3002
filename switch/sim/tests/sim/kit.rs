//! What flows may use beside their call.

use crate::stage::{AGENT_HZ, CALLER_HZ, OTHER_HZ, Stage, secs, setup};
use cordboard_model::calendar::{Calendar, Hours};
use cordboard_model::config::{FlowSecret, Library, Secret};
use cordboard_model::event::EventKind;
use cordboard_model::fetch::Fetched;
use cordboard_model::id::Name;
use cordboard_model::lookup::LookupTable;
use cordboard_sim::phone::{Act, Plan};
use std::sync::Arc;

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

#[test]
fn a_flow_asks_a_server_with_a_secret_and_a_caller_who_leaves_meanwhile_leaves_nothing() {
    let url = "https://id.example/verify";
    let flow = "call:answer() local pin = call:collect_secret{max = 4} call:log('pin', pin)
        local answer, why = call:http{url = 'https://id.example/verify', json = {pin = pin},
            headers = {Authorization = {secret = 'id'}}}
        call:log('answer', answer and answer.json.result, why)
        call:log('then', select(2, call:http{url = 'https://id.example/verify', headers = {x = {secret = 'gone'}}}))
        call:hang_up()";
    let setup = setup(&[]).flow("talk", flow, None).number_to_flow("1500", "talk").kit(|kit| {
        kit.http_allowed = vec!["https://id.example/".into()];
        let secret = FlowSecret { value: Secret("Bearer s3cret".into()), to: vec![url.into()] };
        kit.secrets.insert(Name::new("id").unwrap(), secret);
    });
    let keys = || Plan::call().press(secs(2.0), "47110");
    let mut s = Stage::new(setup.clone());
    s.carrier("caller");
    let answer = Fetched::Answer { status: 200, json: true, body: "{\"result\":1}".into() };
    s.world.pages.insert(url.into(), answer);
    s.call("caller", "1500", keys());
    s.run(8.0);
    assert_eq!(logged(&s, "pin (secret)"), 1, "{}", s.story());
    assert_eq!(logged(&s, "answer 1 nil"), 1, "{}", s.story());
    assert_eq!(logged(&s, "then no_secret"), 1, "{}", s.story());
    let order = s.world.asked.first().unwrap();
    assert_eq!(order.body.as_ref().unwrap().1.0, "{\"pin\":\"4711\"}");
    assert_eq!(order.headers[0].1.0, "Bearer s3cret");
    assert_eq!(order.within, [["https://id.example/"], [url]]);
    for tenth in 20..60 {
        let mut s = Stage::new(setup.clone());
        s.carrier("caller");
        s.call("caller", "1500", keys());
        s.run(f64::from(tenth) / 10.0);
        s.act("caller", Act::HangUp);
        s.run(40.0);
        assert_eq!(s.world.shard().leftovers(), [""; 0], "{tenth}");
    }
}

#[test]
fn a_caller_is_verified_before_any_agent_and_nobody_sees_what_is_keyed_in() {
    let shipped = |name: &str| {
        let path = format!("{}/../../ivr-flows/{name}.lua", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let library = |name: &str| {
        (
            Name::new(name).unwrap(),
            Library { file: format!("{name}.lua"), source: shipped(&format!("lib/{name}")) },
        )
    };
    let main = "local result, first = call:run('verify', {tries = 1}) call:log('result', result, first)
        if result == 1 then call:enqueue('sales') end call:hang_up()";
    let setup = setup(&[]).flow("verify", &shipped("verify"), None).flow("main", main, None);
    let setup = setup.number_to_flow("1500", "main").kit(|kit| {
        kit.http_allowed = vec!["https://id.example/".into()];
        kit.libraries.extend([library("prompts"), library("verify-settings")]);
    });
    let mut s = Stage::new(setup);
    s.carrier("caller");
    let body = r#"{"calldata":{"data":{"verifyResult":1,"verifyReturn1":"gold"}}}"#;
    s.world.pages.insert(
        "https://id.example/verify".into(),
        Fetched::Answer { status: 200, json: true, body: body.into() },
    );
    s.call("caller", "1500", Plan::call().press(secs(2.0), "6222021#").press(secs(9.0), "830917"));
    s.run(25.0);
    assert_eq!(logged(&s, "result 1 gold"), 1, "{}", s.story());
    let sent = &s.world.asked.first().unwrap().body.as_ref().unwrap().1.0;
    assert!(sent.contains(r#""cardNumber":"6222021""#) && sent.contains(r#""password":"830917""#), "{sent}");
    let told = format!("{:?}", s.events().collect::<Vec<_>>());
    assert!(told.contains("verifyResult"), "{told}");
    // The keys stand one by one where they are not hidden.
    let hidden = !told.contains("6222021") && !told.contains("830917") && !told.contains("Digit {");
    assert!(hidden, "{told}");
}

#[test]
fn a_flow_finds_the_row_of_its_caller() {
    let flow = "call:answer() local vip = call:lookup('vip', call.to) call:log('found', vip.name, vip.number)
        call:log('not', call:lookup('vip', 'x')) call:log('nor', call:lookup('gone', 'x')) call:hang_up()";
    let mut table = LookupTable { columns: vec!["number".into(), "name".into()], ..LookupTable::default() };
    table.rows.insert("1500".into(), vec!["Ada".into()]);
    let setup = setup(&[]).flow("talk", flow, None).number_to_flow("1500", "talk").kit(|kit| {
        kit.tables.insert(Name::new("vip").unwrap(), Arc::new(table));
    });
    let mut s = Stage::new(setup);
    s.carrier("caller");
    s.call("caller", "1500", Plan::call());
    s.run(3.0);
    assert_eq!(logged(&s, "found Ada 1500"), 1, "{}", s.story());
    assert_eq!(logged(&s, "not nil not_found"), 1, "{}", s.story());
    assert_eq!(logged(&s, "nor nil not_found"), 1, "{}", s.story());
}

#[test]
fn a_flow_rings_one_after_another_each_for_its_time_and_ends_when_one_answers() {
    let flow = "call:answer() call:log('first', call:dial{{user = '3001', timeout = 3}, {user = 'nobody'}, timeout = 9})
        call:dial{user = '3002', timeout = 20} call:log('never')";
    let setup = setup(&[]).user("3001").user("3002").flow("talk", flow, None).number_to_flow("1500", "talk");
    let mut s = Stage::new(setup);
    s.carrier("caller");
    s.phone("3001", OTHER_HZ, Plan::ring_on());
    s.phone("3002", AGENT_HZ, Plan::answer(secs(2.0)));
    s.call("caller", "1500", Plan::call());
    s.run(2.5);
    s.hears_not("caller", AGENT_HZ);
    s.run(6.0);
    assert_eq!(
        logged(&s, "first nil not_found") + logged(&s, "first nil not_registered"),
        1,
        "{}",
        s.story()
    );
    s.hears("caller", AGENT_HZ);
    s.hears("3002", CALLER_HZ);
    assert_eq!(logged(&s, "never"), 0, "{}", s.story());
    s.act("caller", Act::HangUp);
    s.run(40.0);
    assert_eq!(s.world.shard().leftovers(), [""; 0]);
}

#[test]
fn a_flow_lets_it_ring_and_refuses_without_an_answer_and_an_answered_call_cannot_be_refused() {
    let flow = "call:ring() call:wait(2) call:ring() call:reject('busy')";
    let answered = "call:answer() call:log('refused', call:reject()) call:hang_up()";
    let setup = setup(&[]).flow("talk", flow, None).number_to_flow("1500", "talk");
    let mut s = Stage::new(setup.flow("late", answered, None).number_to_flow("1600", "late"));
    s.carrier("caller");
    s.call("caller", "1500", Plan::call());
    s.run(4.0);
    s.ladder(
        "
        caller > INVITE
        caller < 100
        caller < 180
        caller < 486
        caller > ACK
    ",
    );
    s.call("caller", "1600", Plan::call());
    s.run(4.0);
    assert_eq!(logged(&s, "refused nil protocol_error"), 1, "{}", s.story());
}
