//! The agent gateway: each key with its range and default, whose agents sign in, and by which numbers queues are known.

use super::{faults, good};
use cordboard_api::gateway::config::{GatewayConfig, GatewayTenant};
use cordboard_model::id::{Name, TenantId};

const FLOORS: &str = "[tenant.default.user.1001]\npassword = \"secret\"\n[tenant.default.agent.1001]\n\
                      [tenant.default.queue.sales]\n[tenant.acme]\ndomains = [\"acme.example\"]\n\
                      [tenant.acme.user.2001]\npassword = \"secret\"\n[tenant.acme.agent.2001]\n";

fn text(own: &str) -> String {
    format!("[agent_gateway]\n{own}\n{FLOORS}")
}

#[test]
fn every_key_of_the_agent_gateway_has_its_range_and_its_default() {
    assert_eq!(good(&text("")).machine.gateway.api, GatewayConfig::default());
    for (key, right, wrong) in [
        ("guid_interval", "\"1s\"", "\"0s\""),
        ("guid_timeout", "\"61s\"", "\"1m\""),
        ("silence", "\"2s\"", "\"3h\""),
        ("poll_wait", "\"100ms\"", "\"21s\""),
        ("events", "16", "15"),
        ("push_allowed", "[\"https://crm.example/\"]", "[\"crm.example\"]"),
        ("allow_private", "true", "\"yes\""),
    ] {
        good(&text(&format!("{key} = {right}")));
        let said = faults(&text(&format!("{key} = {wrong}")));
        assert!(said.len() == 1 && said[0].contains(&format!("\"{key}")), "{key} = {wrong}: {said:?}");
    }
}

#[test]
fn whose_agents_sign_in_at_the_gateway_is_checked_with_the_file() {
    let both =
        "[agent_gateway.tenant.default]\nskills = [\"sales:21\"]\n[agent_gateway.tenant.acme]\nvdn = 9";
    let acme = TenantId::new("acme").unwrap();
    let skills = [(Name::new("sales").unwrap(), 21)].into();
    assert_eq!(
        good(&text(both)).machine.gateway.api.tenants,
        [
            GatewayTenant { id: TenantId::DEFAULT, vdn: 1, skills },
            GatewayTenant { id: acme, vdn: 9, skills: Default::default() },
        ]
    );
    for (own, said) in [
        ("[agent_gateway.tenant.other]", "there is no such tenant"),
        ("[agent_gateway.tenant.default]\nskills = [\"sale:21\"]", "there is no queue \"sale\""),
        ("[agent_gateway.tenant.default]\nskills = [\"sales:21\", \"sales:22\"]", "comes twice"),
        ("[agent_gateway.tenant.default]\nskills = [\"sales\"]", "sales:21"),
        ("[agent_gateway.tenant.default]\nvdn = 513", "vdn"),
        ("[agent_gateway.tenant.default]\nvdm = 5", "vdm"),
    ] {
        let told = faults(&text(own));
        assert!(told.len() == 1 && told[0].contains(said), "{own}: {told:?}");
    }
    let twice = "[tenant.acme.user.1001]\npassword = \"secret\"\n[tenant.acme.agent.1001]\n";
    good(&format!("{}{twice}", text("[agent_gateway.tenant.default]")));
    let told = faults(&format!("{}{twice}", text(both)));
    assert!(told.len() == 1 && told[0].contains("agent 1001 is in"), "{told:?}");
}
