//! What queues say of what is heard and recorded: range, default and what it becomes, for each key.

use super::*;
use cordboard_model::audio::*;
use cordboard_model::id::AssetId;
use core::time::Duration;

/// The audio of a queue with these lines.
fn audio(lines: &str) -> QueueAudio {
    let loaded = with(&format!("[tenant.default.queue.q]\n{lines}")).unwrap();
    loaded.snapshot.tenants[&TenantId::DEFAULT].queues["q"].audio.clone()
}

fn with(text: &str) -> Result<Loaded, Vec<ConfigError>> {
    let scratch = Scratch::new();
    scratch.write("prompts/hello.wav", "RIFF");
    scratch.write("prompts/en/agent/number.wav", "RIFF");
    scratch.write("prompts/serves.wav", "RIFF");
    scratch.write("main.lua", "call:answer()\n");
    scratch.load(&format!(
        "[tenant.default]\nprompts = \"../prompts\"\n\
         [tenant.default.flow.news]\nfile = \"../main.lua\"\n{text}\n"
    ))
}

/// What is said of a queue with one wrong line.
fn wrong(line: &str) -> String {
    match with(&format!("[tenant.default.queue.q]\n{line}")) {
        Ok(_) => panic!("{line} is taken"),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn prompt(name: &str) -> AssetId {
    AssetId::new(TenantId::DEFAULT, name).unwrap()
}

#[test]
fn a_queue_that_says_nothing_of_its_audio_has_the_tables_defaults() {
    let plain = audio("");
    assert_eq!(plain, QueueAudio::default());
    assert_eq!((plain.number, plain.answer, plain.record), (NumberAudio::Default, AnswerAt::Entry, None));
    assert_eq!((plain.max_talk, plain.talk_warning), (Duration::from_secs(86_400), Duration::ZERO));
}

#[test]
fn wait_audio_is_the_default_a_prompt_or_a_flow() {
    assert_eq!((audio("").wait_flow, audio("").silent), (None, false));
    assert!(audio("music = \"none\"").silent);
    let flow = audio("wait_flow = \"news\"\nmusic = \"hello\"").wait_flow;
    assert_eq!(flow, FlowId::new(TenantId::DEFAULT, "news").ok());
    assert!(wrong("wait_flow = \"nws\"").contains("did you mean \"news\"?"));
    assert!(wrong("music = \"helo\"").contains("there is no prompt \"helo\""));
}

#[test]
fn hold_audio_is_the_default_or_a_prompt() {
    assert_eq!(audio("").hold, None);
    assert_eq!(audio("hold_music = \"hello\"").hold, Some(prompt("hello")));
    assert!(wrong("hold_music = \"gone\"").contains("there is no prompt \"gone\""));
}

#[test]
fn the_agents_number_is_said_as_it_is_or_not_or_within_prompts() {
    assert_eq!(audio("agent_number = \"default\"").number, NumberAudio::Default);
    assert_eq!(audio("agent_number = \"none\"").number, NumberAudio::None);
    let own = audio("agent_number = [\"hello\", \"{number}\", \"serves\"]\nagent_number_to = \"both\"");
    let parts =
        vec![NumberPart::Prompt(prompt("hello")), NumberPart::Number, NumberPart::Prompt(prompt("serves"))];
    assert_eq!((own.number, own.number_to), (NumberAudio::Own(parts), NumberTo::Both));
    assert_eq!(audio("").number_to, NumberTo::Caller);
    // Nobody asked for it, and the prompts are not there.
    assert_eq!(audio("language = \"zh\"").number, NumberAudio::None);
    assert_eq!(audio("language = \"zh\"\nagent_number = \"default\"").number, NumberAudio::Default);
    assert!(wrong("agent_number = \"loud\"").contains("expected one of \"default\", \"none\""));
    assert!(wrong("agent_number = [\"bye\"]").contains("there is no prompt \"bye\""));
    assert!(wrong("agent_number_to = \"agent\"").contains("expected one of \"caller\", \"both\""));
}

#[test]
fn callers_are_answered_at_entry_or_with_the_agent() {
    assert_eq!(audio("answer = \"entry\"").answer, AnswerAt::Entry);
    assert_eq!(audio("answer = \"agent\"").answer, AnswerAt::Agent);
    assert!(wrong("answer = \"never\"").contains("expected one of \"entry\", \"agent\""));
}

#[test]
fn what_is_recorded_is_a_word_a_switch_or_a_share() {
    let when = |said: &str| audio(&format!("record = {said}")).record.map(|rule| rule.when);
    for (said, expected) in [
        ("true", RecordWhen::Always),
        ("false", RecordWhen::OnDemand),
        ("\"always\"", RecordWhen::Always),
        ("\"on_demand\"", RecordWhen::OnDemand),
        ("\"never\"", RecordWhen::Never),
        ("\"1%\"", RecordWhen::Share(1)),
        ("\"100%\"", RecordWhen::Share(100)),
    ] {
        assert_eq!(when(said), Some(expected), "{said}");
    }
    for said in ["\"0%\"", "\"101%\"", "\"half\"", "\"-1%\"", "50", "\"%\""] {
        let told = wrong(&format!("record = {said}"));
        assert!(told.contains("a share from \"1%\" to \"100%\""), "{told}");
    }
    let rule = audio("record = true\nrecord_announcement = \"hello\"\nrecord_failure = \"refuse\"").record;
    let expected = RecordRule {
        when: RecordWhen::Always,
        announcement: Some(prompt("hello")),
        on_failure: WhenUnrecorded::Refuse,
    };
    assert_eq!(rule, Some(expected));
    assert!(wrong("record_failure = \"refuse\"").contains("expected record beside it"));
    assert!(wrong("record = true\nrecord_failure = \"stop\"").contains("\"go_on\", \"refuse\""));
}

#[test]
fn agents_and_trunks_say_what_is_recorded_in_the_same_words() {
    let text = "[tenant.default.user.1001]\npassword = \"x\"\n\
                [tenant.default.agent.1001]\nrecord = \"never\"\n\
                [tenant.default.trunk.t]\npeers = [\"192.0.2.1\"]\nrecord = \"20%\"";
    let loaded = with(text).unwrap();
    let tenant = &loaded.snapshot.tenants[&TenantId::DEFAULT];
    let when = |rule: &Option<RecordRule>| rule.as_ref().map(|rule| rule.when);
    assert_eq!(when(&tenant.agents["1001"].record), Some(RecordWhen::Never));
    assert_eq!(when(&tenant.trunks["t"].record), Some(RecordWhen::Share(20)));
}

#[test]
fn a_survey_is_a_flow_that_is_there() {
    assert_eq!(audio("").survey, None);
    assert_eq!(audio("survey = \"news\"").survey, FlowId::new(TenantId::DEFAULT, "news").ok());
    assert!(wrong("survey = \"rate\"").contains("there is no flow \"rate\""));
}

#[test]
fn the_longest_call_of_a_queue_is_from_a_second_to_a_day_and_the_warning_comes_before() {
    assert_eq!(audio("max_talk = \"1s\"").max_talk, Duration::from_secs(1));
    assert_eq!(audio("max_talk = \"1d\"").max_talk, Duration::from_secs(86_400));
    assert_eq!(audio("talk_warning = \"10m\"").talk_warning, Duration::from_secs(600));
    for line in ["max_talk = \"0s\"", "max_talk = \"86401s\""] {
        assert!(wrong(line).contains("from \"1s\" to \"1d\""), "{line}");
    }
    assert!(wrong("talk_warning = \"601s\"").contains("from \"0s\" to \"10m\""));
    assert!(wrong("max_talk = \"30s\"\ntalk_warning = \"30s\"").contains("less than max_talk"));
}
