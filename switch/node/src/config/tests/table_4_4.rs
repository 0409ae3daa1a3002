//! Table 4-4 of the reference documents, an agent's parameters: each row with its range and its default.

use super::service::{agent, agent_text, range};
use super::{faults, good};
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::service::{AgentKind, Role};

fn row(key: &str, right: &[&str], wrong: &[&str]) {
    range(agent_text, key, right, wrong);
}

#[track_caller]
fn told(lines: &str, said: &str) {
    let faults = faults(&agent_text(lines));
    assert!(faults.len() == 1 && faults[0].contains(said), "{lines}: {faults:?}");
}

#[test]
fn table_4_4_a_role_is_one_of_three_and_agent_if_it_is_not_said() {
    row("role", &["\"agent\"", "\"supervisor\"", "\"outbound\""], &["\"boss\"", "1"]);
    assert_eq!(agent("").duty.role, Role::Agent);
}

#[test]
fn table_4_4_a_kind_is_one_of_four_and_voice_if_it_is_not_said() {
    row("kind", &["\"voice\"", "\"video\"", "\"multimedia\"", "\"all_round\""], &["\"fax\"", "true"]);
    assert_eq!(agent("").duty.kind, AgentKind::Voice);
}

#[test]
fn table_4_4_a_telephone_is_a_number_and_may_be_left_out() {
    let trunk = |lines: &str| {
        format!("[tenant.default.trunk.out]\ngateway = \"192.0.2.1:5060\"\n{}", agent_text(lines))
    };
    range(trunk, "phone", &["\"123\"", "\"13812345678\""], &["\"12\"", "\"home\"", "1381234"]);
    assert_eq!(agent("").duty.phone.number, None);
}

#[test]
fn table_4_4_an_account_is_one_that_there_is_and_that_of_his_number_if_it_is_not_said() {
    row("user", &["\"1001\""], &["\"1009\"", "\"\""]);
    assert_eq!(agent("").user.name.as_str(), "1001");
    let other = agent_text("user = \"desk\"") + "[tenant.default.user.desk]\npassword = \"secret\"\n";
    let loaded = good(&other);
    assert_eq!(loaded.snapshot.tenants[&TenantId::DEFAULT].agents["1001"].user.name.as_str(), "desk");
}

#[test]
fn table_4_4_an_organisation_is_a_name_of_64_characters_at_most_and_may_be_left_out() {
    let (long, longer) = (format!("\"{}\"", "部".repeat(64)), format!("\"{}\"", "部".repeat(65)));
    row("organisation", &["\"North\"", &long], &["\"\"", &longer, "7"]);
    assert_eq!(agent("").duty.organisation, None);
    assert_eq!(agent("organisation = \"North\"").duty.organisation.as_deref(), Some("North"));
}

#[test]
fn table_4_4_a_password_has_an_age_in_days_and_that_of_the_tenant_if_it_is_not_said() {
    row("password_age", &["0", "3650"], &["-1", "3651", "\"90\""]);
    let own = |lines: &str| {
        let loaded = good(&agent_text(lines));
        let sign_in = &loaded.snapshot.tenants[&TenantId::DEFAULT].sign_in;
        (sign_in.agents.get("1001").and_then(|own| own.age), sign_in.rules.age)
    };
    assert_eq!((own(""), own("password_age = 30")), ((None, 90), (Some(30), 90)));
}

#[test]
fn table_4_4_an_agent_is_smart_if_it_is_said_and_no_more_than_the_tenant_may_have() {
    row("smart", &["false"], &["1", "\"yes\""]);
    assert!(!agent("").duty.smart);
    told("smart = true", "expected only where [tenant.NAME.smart] says which program listens");
    let smart = |tenant: &str| {
        let streams = "[streams]\nallowed = [\"wss://bots.example/\"]\n[tenant.default.smart]\n";
        format!("{streams}url = \"wss://bots.example/assist\"\n{tenant}\n{}", agent_text("smart = true"))
    };
    let loaded = good(&smart(""));
    let tenant = &loaded.snapshot.tenants[&TenantId::DEFAULT];
    assert!(tenant.agents["1001"].duty.smart);
    let known = tenant.desk.smart.clone().unwrap();
    assert_eq!((known.url.as_str(), known.agents), ("wss://bots.example/assist", 10_000));
    good(&smart("agents = 1"));
    for (tenant, said) in [
        ("agents = 0", "1 agents are smart; the tenant may have 0"),
        ("agents = 10001", "an integer from 0 to 10000"),
    ] {
        let faults = faults(&smart(tenant));
        assert!(faults.len() == 1 && faults[0].contains(said), "{tenant}: {faults:?}");
    }
}

#[test]
fn table_4_4_who_has_only_a_telephone_signs_in_by_its_keys_if_it_is_said() {
    row("phone_sign_in", &["true", "false"], &["1", "\"yes\""]);
    let may = |lines: &str| {
        let loaded = good(&agent_text(lines));
        let agents = &loaded.snapshot.tenants[&TenantId::DEFAULT].sign_in.agents;
        agents.get("1001").is_some_and(|own| own.phone)
    };
    assert_eq!((may(""), may("phone_sign_in = true")), (false, true));
}

#[test]
fn table_4_4_a_softphone_proves_itself_by_its_account_or_by_the_agents_password() {
    row("phone_auth", &["\"account\"", "\"unified\""], &["\"none\"", "true"]);
    let unified = |lines: &str| {
        let loaded = good(&agent_text(lines));
        let agents = &loaded.snapshot.tenants[&TenantId::DEFAULT].sign_in.agents;
        agents.get("1001").is_some_and(|own| own.unified)
    };
    assert_eq!((unified(""), unified("phone_auth = \"unified\"")), (false, true));
}

#[test]
fn table_4_4_a_label_for_shown_numbers_is_off_if_it_is_not_said() {
    row("numbers_label", &["true", "false"], &["1", "\"on\""]);
    assert!(!agent("").duty.numbers_label && agent("numbers_label = true").duty.numbers_label);
}

#[test]
fn table_4_4_queues_and_groups_fit_the_agents_kind_and_one_of_them_is_the_first() {
    row("queues", &["[]", "[\"sales\"]"], &["[\"none\"]", "\"sales\""]);
    row("skill_groups", &["[]"], &["[\"none\"]", "\"all\""]);
    told("queues = [\"film\"]", "a voice agent cannot serve video queue film");
    let id = |name: &str| QueueId::new(TenantId::DEFAULT, name).unwrap();
    assert_eq!(agent("").queues, []);
    let all_round = "kind = \"all_round\"\nskill_groups = [\"all\"]";
    assert_eq!(agent(all_round).queues, [id("sales"), id("film")]);
    let first = agent(&format!("{all_round}\ndefault_queue = \"film\""));
    assert_eq!(first.queues, [id("film"), id("sales")]);
    told("queues = [\"sales\"]\ndefault_queue = \"help\"", "there is no queue \"help\"");
    told("queues = []\ndefault_queue = \"sales\"", "the agent does not serve queue sales");
}
