use super::*;
use crate::gateway::seen::{Other, Watch};
use cordboard_model::id::{IdMaker, QueueId, TenantId};

fn call() -> CallId {
    IdMaker::new(1_456_404_171, 0).call(TenantId::DEFAULT)
}

fn leg(number: u64) -> LegId {
    LegId { number, ..IdMaker::new(1_456_404_171, 0).leg(TenantId::DEFAULT) }
}

fn other(number: u64, user: &str, answered: bool) -> Other {
    Other { leg: leg(number), number: user.into(), agent: None, answered }
}

fn talk(seat: SeatState) -> Talk {
    Talk {
        call: call(),
        leg: leg(3),
        id: "1456404171-256".into(),
        seat,
        held: false,
        aside: false,
        own: false,
        helped: false,
        inspects: false,
        caller: "600".into(),
        called: "501".into(),
        feature: 0,
        parties: vec![other(2, "600", true)],
        help: None,
        queue: Some(QueueId::new(TenantId::DEFAULT, "sales").unwrap()),
        watch: None,
        sent_by: None,
    }
}

fn seen(talk: Option<Talk>) -> Seen {
    let state = if talk.is_some() { State::Call } else { State::Idle };
    Seen { state, talks: talk.into_iter().map(|talk| (talk.call, talk)).collect(), ..Seen::idle(State::Idle) }
}

fn told(old: &Seen, new: &Seen, news: &News) -> Vec<Told> {
    let skill = |name: &str| (21, name.to_uppercase());
    let words = Words { me: "1001", skill: &skill, date: Wall(9_000) };
    between(old, new, news, &mut BTreeMap::new(), &words)
}

/// The events' types, with their content where that is not null.
fn shown(old: Option<Talk>, new: Option<Talk>, news: &News) -> Vec<String> {
    let line = |(kind, content): Told| match content {
        Value::Null => kind.to_owned(),
        content => format!("{kind} {content}"),
    };
    told(&seen(old), &seen(new), news).into_iter().map(line).collect()
}

fn kinds(old: Option<Talk>, new: Option<Talk>, news: &News) -> Vec<&'static str> {
    told(&seen(old), &seen(new), news).into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn a_call_of_a_queue_rings_is_taken_is_held_and_retrieved_and_ends() {
    let none = News::default();
    assert_eq!(
        shown(None, Some(talk(SeatState::Ringing)), &none),
        [
            r#"AgentState_Busy"#,
            r#"AgentOther_PhoneAlerting"#,
            r#"AgentEvent_Ringing {"called":"501","caller":"600","callid":"1456404171-256","feature":"0","mediaAbility":"1","transfer":"no","transfrom":"","type":"main"}"#
        ]
    );
    let (rings, talks) = (talk(SeatState::Ringing), talk(SeatState::Talking));
    assert_eq!(
        shown(Some(rings.clone()), Some(talks.clone()), &none),
        [
            r#"AgentOther_PhoneOffhook {"type":"unknown"}"#,
            r#"AgentEvent_Talking {"called":"501","caller":"600","callid":"1456404171-256","feature":"0","mediaAbility":"1","type":"main"}"#,
            r#"AgentEvent_Incoming_CallInfo {"callId":"1456404171-256","called":"501","caller":"600","lastReleaseAgentId":"","mediaType":"5","releaseAndReQueueCallFlag":"0","releaseAndReQueueCount":"0","skillId":"21","skillName":"SALES"}"#
        ]
    );
    let held = Talk { held: true, ..talks.clone() };
    assert_eq!(
        shown(Some(talks.clone()), Some(held.clone()), &none),
        [r#"AgentEvent_Hold "1456404171-256""#]
    );
    assert_eq!(kinds(Some(held), Some(talks.clone()), &none), ["AgentEvent_Talking"]);
    let ended = News { ended: [(call(), (Party::Caller, Cause::Normal))].into(), ..News::default() };
    assert_eq!(
        shown(Some(talks.clone()), None, &ended),
        [
            r#"AgentEvent_Call_Release "1456404171-256""#,
            r#"AgentEvent_Customer_Release {"callid":"1456404171-256","number":"600"}"#,
            r#"AgentOther_PhoneRelease {"phoneState":"3"}"#,
            r#"AgentState_Ready"#
        ]
    );
    let missed = News { causes: [(leg(3), Cause::NoAnswer)].into(), ..News::default() };
    assert_eq!(
        kinds(Some(rings), None, &missed),
        ["AgentEvent_No_Answer", "AgentOther_PhoneRelease", "AgentState_Ready"]
    );
    // he hung up by his phone's key, or by an order
    let by_him = News { ended: [(call(), (Party::Callee, Cause::Normal))].into(), ..News::default() };
    let phone = |news: &News| {
        let all = told(&seen(Some(talks.clone())), &seen(None), news);
        all.into_iter().find(|(kind, _)| *kind == "AgentOther_PhoneRelease").unwrap().1["phoneState"].clone()
    };
    assert_eq!(phone(&by_him), "2");
    assert_eq!(phone(&News { ordered: vec![call()], ..by_him }), "3");
}

#[test]
fn what_is_missed_between_two_looks_is_made_up_for() {
    assert_eq!(
        kinds(None, Some(talk(SeatState::Talking)), &News::default()),
        [
            "AgentState_Busy",
            "AgentOther_PhoneAlerting",
            "AgentEvent_Ringing",
            "AgentOther_PhoneOffhook",
            "AgentEvent_Talking",
            "AgentEvent_Incoming_CallInfo",
        ]
    );
}

#[test]
fn a_call_out_alerts_talks_or_fails() {
    let none = News::default();
    let own = |seat, parties| Talk { own: true, feature: 7, queue: None, parties, ..talk(seat) };
    let rings = own(SeatState::Ringing, Vec::new());
    let dials = own(SeatState::Dialling, vec![other(4, "10086", false)]);
    let talks = own(SeatState::Talking, vec![other(4, "10086", true)]);
    assert_eq!(kinds(None, Some(rings.clone()), &none), ["AgentState_Busy", "AgentOther_PhoneAlerting"]);
    let alerts = shown(Some(rings), Some(dials.clone()), &none);
    let phones = r#"{"callid":"1456404171-256","otherPhone":"10086","otherPhoneWorkno":"","type":"main"}"#;
    assert_eq!(
        alerts,
        [
            r#"AgentOther_PhoneOffhook {"type":"unknown"}"#.to_owned(),
            format!("AgentEvent_Customer_Alerting {phones}"),
        ]
    );
    assert_eq!(kinds(Some(dials.clone()), Some(talks), &none), ["AgentEvent_Talking"]);
    let failed = ["AgentEvent_Call_Out_Fail", "AgentOther_PhoneRelease", "AgentState_Ready"];
    assert_eq!(kinds(Some(dials.clone()), None, &none), failed);
    let inner = Talk { feature: 6, ..dials };
    assert_eq!(kinds(Some(inner), None, &none)[0], "AgentEvent_Inside_Call_Fail");
}

#[test]
fn a_help_call_holds_alerts_talks_and_is_joined_given_or_over() {
    let none = News::default();
    let asks = |answered| Talk { help: Some(other(5, "1002", answered)), ..talk(SeatState::Consulting) };
    assert_eq!(
        shown(Some(talk(SeatState::Talking)), Some(asks(false)), &none),
        [
            r#"AgentEvent_Hold "1456404171-256""#,
            r#"AgentEvent_Customer_Alerting {"callid":"1456404171-1280","otherPhone":"1002","otherPhoneWorkno":"","type":"main"}"#
        ]
    );
    assert_eq!(
        shown(Some(asks(false)), Some(asks(true)), &none),
        [
            r#"AgentEvent_Talking {"called":"1002","caller":"1001","callid":"1456404171-1280","feature":"51","mediaAbility":"1","type":"main"}"#
        ]
    );
    let three =
        Talk { parties: vec![other(2, "600", true), other(5, "1002", true)], ..talk(SeatState::Talking) };
    assert_eq!(
        shown(Some(asks(true)), Some(three.clone()), &none),
        [
            r#"AgentEvent_Conference {"callid":"1456404171-256","partner":"600,1002"}"#,
            r#"AgentEvent_Customer_Release {"callid":"1456404171-1280","number":"1002"}"#
        ]
    );
    assert_eq!(
        kinds(Some(asks(true)), Some(talk(SeatState::Talking)), &none),
        ["AgentEvent_Call_Release", "AgentEvent_Customer_Release", "AgentEvent_Talking"]
    );
    assert_eq!(
        kinds(Some(asks(false)), Some(talk(SeatState::Talking)), &none),
        ["AgentEvent_Consult_Fail", "AgentEvent_Talking"]
    );
    assert_eq!(
        kinds(Some(three), Some(talk(SeatState::Talking)), &none),
        ["AgentEvent_Customer_Release"],
        "one of three leaves"
    );
    assert_eq!(
        kinds(Some(asks(true)), None, &none),
        [
            "AgentEvent_Call_Release",
            "AgentEvent_Customer_Release",
            "AgentOther_PhoneRelease",
            "AgentState_Ready"
        ]
    );
}

#[test]
fn a_transfer_after_success_tells_its_result_and_one_that_failed_is_back() {
    let none = News::default();
    let sends = Talk { help: Some(other(5, "1002", false)), ..talk(SeatState::Sending) };
    assert_eq!(
        kinds(Some(talk(SeatState::Talking)), Some(sends.clone()), &none),
        ["AgentEvent_Customer_Alerting"]
    );
    assert_eq!(
        kinds(Some(sends.clone()), Some(talk(SeatState::Talking)), &none),
        ["AgentEvent_Connect_Fail", "AgentEvent_Talking"]
    );
    assert_eq!(kinds(Some(sends), None, &none)[0], "AgentEvent_SuccTransResult");
}

#[test]
fn an_inspection_is_told_to_whom_it_is_of_and_an_inspectors_phone_says_what_it_does() {
    let none = News::default();
    let watched = |mode| {
        let watch = Watch { mode, by: "1009".into() };
        Some(Talk { watch: Some(watch), ..talk(SeatState::Talking) })
    };
    let plain = || Some(talk(SeatState::Talking));
    assert_eq!(
        shown(plain(), watched(SupervisionMode::Listen), &none),
        [r#"AgentOther_BeQcStart {"qcAgentId":"1009","qcType":"8"}"#]
    );
    assert_eq!(
        shown(watched(SupervisionMode::Listen), watched(SupervisionMode::Whisper), &none),
        [r#"AgentOther_BeQcStart {"qcAgentId":"1009","qcType":"20172"}"#]
    );
    assert_eq!(
        shown(watched(SupervisionMode::BargeIn), plain(), &none),
        [r#"AgentOther_BeQcStop {"qcAgentId":"1009","qcType":"9"}"#]
    );
    let inspects = |seat| Some(Talk { inspects: true, ..talk(seat) });
    assert_eq!(
        kinds(None, inspects(SeatState::Ringing), &none),
        ["AgentState_Busy", "AgentOther_PhoneAlerting"]
    );
    assert_eq!(
        kinds(inspects(SeatState::Ringing), inspects(SeatState::Supervising), &none),
        ["AgentOther_PhoneOffhook"]
    );
    assert_eq!(
        kinds(inspects(SeatState::Supervising), None, &none),
        ["AgentOther_PhoneRelease", "AgentState_Ready"]
    );
}

#[test]
fn a_state_is_told_by_what_was_asked_for_and_its_end_too() {
    let none = News::default();
    let step = |old: State, new: State, news: &News| -> Vec<String> {
        let all = told(&Seen::idle(old), &Seen::idle(new), news);
        all.into_iter()
            .map(|(kind, content)| format!("{kind}{}", content["reason"].as_str().unwrap_or("")))
            .collect()
    };
    let busy = |reason: &str| State::Busy(reason.into());
    let rest = || State::Rest("7".into());
    assert_eq!(step(State::Idle, busy("200"), &none), ["AgentState_SetNotReady_Success200"]);
    assert_eq!(
        step(busy("200"), State::Idle, &none),
        ["AgentState_CancelNotReady_Success", "AgentState_Ready"]
    );
    assert_eq!(step(State::Idle, rest(), &none), ["AgentState_SetRest_Success7"]);
    assert_eq!(step(rest(), State::Idle, &none), ["AgentState_CancelRest_Success", "AgentState_Ready"]);
    let late = News { overdue: true, ..News::default() };
    assert_eq!(step(rest(), rest(), &late), ["AgentState_Rest_Timeout"]);
    assert_eq!(
        step(State::Idle, State::Work(true), &none),
        ["AgentState_SetWork_Success", "AgentState_Work"]
    );
    assert_eq!(
        step(State::Work(true), State::Idle, &none),
        ["AgentState_CancelWork_Success", "AgentState_Ready"]
    );
    assert_eq!(step(State::Call, State::Work(false), &none), ["AgentState_Work"]);
    assert_eq!(step(State::Work(false), State::Idle, &none), ["AgentState_Ready"]);
    let forced = News { forced: true, ..News::default() };
    assert_eq!(step(State::Idle, busy("1"), &forced), ["AgentState_SetNotReady_Success3"]);
}

#[test]
fn a_recording_is_told_with_its_call_and_is_done_when_he_leaves_it() {
    let recording = IdMaker::new(1_456_404_171, 0).recording(TenantId::DEFAULT);
    let begun = News { recordings: vec![(call(), recording, Wall(5_000))], ..News::default() };
    let (skill, mut kept) = (|_: &str| (0, String::new()), BTreeMap::new());
    let words = Words { me: "1001", skill: &skill, date: Wall(9_000) };
    let talks = seen(Some(talk(SeatState::Talking)));
    let all = between(&talks, &talks, &begun, &mut kept, &words);
    assert_eq!(all[0].0, "AgentMediaEvent_Record");
    assert_eq!(all[0].1["callId"], "1456404171-256");
    let all = between(&talks, &seen(None), &News::default(), &mut kept, &words);
    let done = all.iter().find(|(kind, _)| *kind == "AgentMediaEvent_StopRecordDone").unwrap();
    assert_eq!((done.1["beginTime"].clone(), done.1["endTime"].clone()), (json!("5000"), json!("9000")));
    assert!(kept.is_empty());
}
