//! Table 4-4 of the reference documents, each row with its range and its default; and what is said of queues beyond table 4-2.

use super::{faults, good};
use cordboard_model::calendar::Hours;
use cordboard_model::callback::{CallbackRules, CallbackWindow};
use cordboard_model::chat::ChatRules;
use cordboard_model::config::{Agent, Queue};
use cordboard_model::device::AgentPhone;
use cordboard_model::id::{Name, QueueId, TenantId};
use cordboard_model::service::{
    AgentKind, BusyWhen, Channel, ChatSlots, Duty, Nobody, QueueKind, Reserve, RingMost, Role, Spare, Stick,
    Strategy, Unanswered, WantedSkill,
};
use cordboard_model::verb::Destination;
use core::time::Duration;

/// Two queues and an account; `lines` stand in the first queue.
fn queue_text(lines: &str) -> String {
    format!("[tenant.default.queue.sales]\n{lines}\n[tenant.default.queue.help]\n")
}

fn queue(lines: &str) -> Queue {
    let loaded = good(&queue_text(lines));
    loaded.snapshot.tenants[&TenantId::DEFAULT].queues["sales"].clone()
}

pub(super) fn agent_text(lines: &str) -> String {
    format!(
        "[tenant.default.user.1001]\npassword = \"secret\"\n[tenant.default.queue.sales]\n\
         [tenant.default.queue.film]\nkind = \"video\"\n[tenant.default.skill_group.all]\nqueues = [\"sales\", \"film\"]\n\
         [tenant.default.agent.1001]\n{lines}\n"
    )
}

pub(super) fn agent(lines: &str) -> Agent {
    let loaded = good(&agent_text(lines));
    loaded.snapshot.tenants[&TenantId::DEFAULT].agents["1001"].clone()
}

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn id(text: &str) -> QueueId {
    QueueId::new(TenantId::DEFAULT, text).unwrap()
}

/// What is good, and what is not, of one key.
pub(super) fn range(text: impl Fn(&str) -> String, key: &str, right: &[&str], wrong: &[&str]) {
    for value in right {
        good(&text(&format!("{key} = {value}")));
    }
    for value in wrong {
        let said = faults(&text(&format!("{key} = {value}")));
        assert!(said.len() == 1 && said[0].contains(&format!("\"{key}\" in ")), "{key} = {value}: {said:?}");
    }
}

#[test]
fn a_queue_that_rings_all_rings_ten_and_blames_nobody_for_long() {
    let all = |lines: &str| queue_text(&format!("strategy = \"ring_all\"\n{lines}"));
    range(all, "ring_all_most", &["1", "50"], &["0", "51"]);
    let all = queue("strategy = \"ring_all\"").service;
    assert_eq!(
        (queue("").ring, all.strategy, all.ring_all_most),
        (secs(30), Strategy::RingAll, RingMost(10))
    );
    let usual = Unanswered { no_answer: Spare::For(secs(5)), ..Unanswered::default() };
    assert_eq!(all.unanswered, usual);
    let blamed = queue("strategy = \"ring_all\"\nring_all_most = 3\non_no_answer = \"rest\"").service;
    let rest = Unanswered { no_answer: Spare::Rest, ..Unanswered::default() };
    assert_eq!((blamed.ring_all_most, blamed.unanswered), (RingMost(3), rest));
}

#[test]
fn how_a_queue_calls_back_has_its_ranges_and_defaults() {
    assert_eq!(queue("").callback, CallbackRules::default());
    range(queue_text, "callback_attempts", &["1", "20"], &["0", "21"]);
    range(queue_text, "callback_every", &["\"1s\"", "\"1d\""], &["\"0s\"", "\"25h\""]);
    range(queue_text, "callback_expires", &["\"1m\"", "\"30d\""], &["\"59s\"", "\"31d\""]);
    range(queue_text, "callback_ring", &["\"5s\"", "\"2m\""], &["\"4s\"", "\"3m\""]);
    range(queue_text, "callback_first", &["\"agent\"", "\"customer\""], &["\"me\""]);
    range(queue_text, "callback_confirm", &["\"1\"", "\"#\""], &["\"\"", "\"12\"", "\"A\""]);
    range(queue_text, "callback_other", &["true", "false"], &["1"]);
    range(queue_text, "callback_a_day", &["1", "1000"], &["0", "1001"]);
    range(queue_text, "callback_keep", &["\"1h\"", "\"365d\""], &["\"59m\"", "\"366d\""]);
    range(queue_text, "callback_to", &["[\"+49\", \"0\"]"], &["[\"a b\"]", "\"+49\""]);
    range(queue_text, "callback_hours", &["\"08:00-20:00\"", "\"22:00-06:00\""], &["\"8-20\""]);
    let hours = queue("callback_hours = \"08:00-20:30\"").callback.window;
    assert_eq!(hours, Some(CallbackWindow::Hours(Hours { from: 480, to: 1_230 })));
    let office =
        "callback_calendar = \"office\"\n[tenant.default.calendar.office]\nmonday = [\"08:00-12:00\"]";
    let window = Some(CallbackWindow::Calendar(name("office")));
    assert_eq!(queue(office).callback.window, window);
    let both = format!("callback_hours = \"08:00-20:00\"\n{office}");
    for (text, key) in
        [(both.as_str(), "callback_hours"), ("callback_calendar = \"nowhere\"", "callback_calendar")]
    {
        let said = faults(&queue_text(text));
        assert!(said.len() == 1 && said[0].contains(key), "{text}: {said:?}");
    }
}

#[test]
fn what_a_queue_is_told_of_its_service_is_read() {
    let text = "kind = \"video_click\"\nstrategy = \"highest_skill\"\nageing = \"30s\"\nreserve_agents = 2\n\
                reserve_priority = 5\nstick = \"data:customer\"\nstick_wait = \"5s\"\non_nobody = \"wait\"\n\
                on_timeout = \"release\"\noverflow = \"queue:help\"\nbusy_room = 70\nbusy_wait = \"9s\"\n\
                skill.english = { weight = 3, least = 20 }\non_no_answer = \"7s\"\non_declined = \"sign_out\"\n";
    let loaded = good(&queue_text(text).replace("queue.help]", "queue.help]\nkind = \"video_click\""));
    let service = loaded.snapshot.tenants[&TenantId::DEFAULT].queues["sales"].service.clone();
    assert_eq!(service.kind, QueueKind::VideoClick);
    assert_eq!((service.strategy, service.ageing), (Strategy::HighestSkill, Some(secs(30))));
    assert_eq!(service.reserve, Some(Reserve { agents: 2, priority: 5 }));
    let stick = Stick { key: Some("customer".into()), wait: secs(5), memory: secs(30 * 86_400) };
    assert_eq!(service.stick, Some(stick));
    assert_eq!((service.nobody, service.on_timeout), (Nobody::Wait, None));
    assert_eq!(service.on_busy, Some(Destination::Queue(id("help"))));
    assert_eq!((service.busy_when, service.busy_room), (Some(BusyWhen::Wait(secs(9))), Some(70)));
    assert_eq!(service.skills, [(name("english"), WantedSkill { weight: 3, least: 20 })].into());
    assert_eq!(
        (service.unanswered.no_answer, service.unanswered.declined),
        (Spare::For(secs(7)), Spare::SignOut)
    );
    let chats = good("[tenant.default.queue.sales]\nkind = \"multimedia\"\nchannels = [\"wechat\"]");
    let chats = &chats.snapshot.tenants[&TenantId::DEFAULT].queues["sales"].service;
    assert_eq!(chats.channels, [Channel::Wechat]);
}

#[test]
fn keys_of_a_queue_that_contradict_each_other_are_told() {
    for (lines, said) in [
        ("max_length = 5\nmax_length_share = 50", "a queue has max_length or max_length_share, not both"),
        ("busy_occupancy = 5", "expected only with on_busy or overflow"),
        (
            "on_busy = \"queue:help\"\nbusy_occupancy = 5\nbusy_wait = \"5s\"",
            "by its occupancy or by a wait, not both",
        ),
        ("busy_room = 5", "there is a limit only where on_busy is a queue"),
        ("channels = [\"web\"]", "expected only for kind \"multimedia\""),
        ("reserve_agents = 5", "expected with reserve_priority"),
        ("reserve_priority = 5", "expected with reserve_agents"),
        ("stick_wait = \"5s\"", "expected with stick"),
        ("on_timeout = \"queue:sales\"", "a queue cannot send its callers to itself"),
        (
            "kind = \"video\"\non_nobody = \"queue:help\"",
            "queue help is of kind voice, this one of kind video",
        ),
        ("on_nobody = \"releas\"", "expected \"release\", \"wait\", \"flow:NAME\""),
        ("overflow = \"wait\"", "expected \"release\", \"flow:NAME\""),
        ("stick = \"data:\"", "expected \"caller\" or \"data:KEY\""),
        ("on_declined = \"sleep\"", "expected \"rest\", \"not_ready\", \"sign_out\""),
    ] {
        let faults = faults(&queue_text(lines));
        assert!(faults.len() == 1 && faults[0].contains(said), "{lines}: {faults:?}");
    }
}

#[test]
fn the_rows_of_table_4_4_have_their_ranges_and_defaults() {
    let agent_key = |key, right: &[&str], wrong: &[&str]| range(agent_text, key, right, wrong);
    agent_key("role", &["\"agent\"", "\"supervisor\"", "\"outbound\""], &["\"boss\""]);
    agent_key("kind", &["\"voice\"", "\"video\"", "\"multimedia\"", "\"all_round\""], &["\"fax\""]);
    agent_key("rest_limit", &["\"1m\"", "\"1d\""], &["\"59s\"", "\"2d\""]);
    agent_key("device_grace", &["\"1s\"", "\"1d\""], &["\"0s\"", "\"2d\""]);
    agent_key("skill_groups", &["[]"], &["[\"none\"]"]);
    agent_key("phone_confirm", &["true", "false"], &["\"1\""]);
    agent_key("keep_connected", &["true", "false"], &["1"]);
    agent_key("phone_confirm_wait", &["\"3s\"", "\"60s\""], &["\"2s\"", "\"61s\""]);
    agent_key("chats", &["1", "50"], &["0", "51"]);
    agent_key("chats_during_call", &["true", "false"], &["1"]);
    agent_key("calls_beside_chats", &["true", "false"], &["\"no\""]);
    assert_eq!(Duty::default().chats, ChatSlots { most: 5, during_call: false, calls_beside: true });
    let slots = agent("chats = 3\nchats_during_call = true\ncalls_beside_chats = false").duty.chats;
    assert_eq!(slots, ChatSlots { most: 3, during_call: true, calls_beside: false });
    assert_eq!(agent("").duty, Duty::default());
    assert_eq!((Duty::default().role, Duty::default().kind), (Role::Agent, AgentKind::Voice));
    let ann = agent(
        "role = \"supervisor\"\nkind = \"video\"\nskill_groups = [\"all\"]\nqueues = [\"film\"]\n\
         skill.english = { level = 80 }\nprefer.film = { place = 2 }\nrest_limit = \"30m\"\ndevice_grace = \"2m\"",
    );
    assert_eq!(ann.queues, [id("film"), id("sales")]);
    assert_eq!((ann.duty.role, ann.duty.kind), (Role::Supervisor, AgentKind::Video));
    assert_eq!(ann.duty.skills, [(name("english"), 80)].into());
    assert_eq!(ann.duty.preference, [(name("film"), 2)].into());
    assert_eq!((ann.duty.rest_limit, ann.duty.device_grace), (Some(secs(1_800)), Some(secs(120))));
    for (lines, said) in [
        ("queues = [\"film\"]", "a voice agent cannot serve video queue film"),
        ("skill.english = { level = 0 }", "expected an integer from 1 to 100"),
        ("prefer.film = { place = 10 }", "expected an integer from 1 to 9"),
        ("prefer.fllm = { place = 1 }", "there is no queue \"fllm\"; did you mean \"film\"?"),
    ] {
        let faults = faults(&agent_text(lines));
        assert!(faults.len() == 1 && faults[0].contains(said), "{lines}: {faults:?}");
    }
}

#[test]
fn how_queues_look_after_chats_has_its_ranges_and_defaults() {
    let chats: fn(&str) -> String = |lines| queue_text(&format!("kind = \"multimedia\"\n{lines}"));
    let key = |key, right: &[&str], wrong: &[&str]| range(chats, key, right, wrong);
    key("chat_silence", &["\"2m\"", "\"1d\""], &["\"9s\"", "\"2d\""]);
    key("chat_silence_warning", &["\"0s\"", "\"9m\""], &["\"2h\"", "\"10m\""]);
    key("chat_answer", &["\"0s\"", "\"1h\""], &["\"2h\""]);
    key("chat_survey", &["\"0s\"", "\"1d\""], &["\"2d\""]);
    let rules = |lines: &str| queue(&format!("kind = \"multimedia\"\n{lines}")).service.chat;
    assert_eq!((rules(""), queue("").service.chat), (ChatRules::default(), ChatRules::default()));
    let usual = ChatRules::default();
    assert_eq!((usual.silence, usual.warning, usual.survey), (secs(600), secs(60), secs(900)));
    assert_eq!((usual.answer, rules("chat_answer = \"0s\"").answer), (Some(secs(120)), None));
    // a short silence has a short warning
    assert_eq!(rules("chat_silence = \"20s\"").warning, secs(10));
    let faults = faults(&queue_text("chat_silence = \"5m\""));
    assert!(faults.len() == 1 && faults[0].contains("expected only for kind \"multimedia\""), "{faults:?}");
}

#[test]
fn the_telephone_of_an_agent_is_read_and_must_be_reachable() {
    let trunk =
        "[tenant.default.trunk.out]\ngateway = \"192.0.2.1:5060\"\n[tenant.default]\ncountry = \"CN\"\n";
    let phone = |lines: &str| {
        let loaded = good(&format!("{trunk}{}", agent_text(lines)));
        loaded.snapshot.tenants[&TenantId::DEFAULT].agents["1001"].duty.phone.clone()
    };
    let ann = phone("phone = \"13812345678\"\ndevice = \"phone\"\nphone_confirm_wait = \"20s\"");
    let number = Some("+8613812345678".to_owned());
    assert_eq!(ann, AgentPhone { number: number.clone(), first: true, confirm: Some(secs(20)), keep: false });
    assert_eq!(
        phone("phone = \"13812345678\"\nphone_confirm = false"),
        AgentPhone { number, first: false, confirm: None, keep: false }
    );
    for (before, lines, said) in [
        ("", "phone = \"13812345678\"", "no trunk of this tenant calls out"),
        (trunk, "phone = \"home\"", "expected a number of 3 to 20 digits"),
        (trunk, "device = \"phone\"", "is expected only with phone"),
        (trunk, "device = \"fax\"", "expected one of \"account\", \"phone\""),
        (
            trunk,
            "phone_confirm = false\nphone_confirm_wait = \"9s\"",
            "expected only where phone_confirm is true",
        ),
    ] {
        let faults = faults(&format!("{before}{}", agent_text(lines)));
        assert!(faults.len() == 1 && faults[0].contains(said), "{lines}: {faults:?}");
    }
}
